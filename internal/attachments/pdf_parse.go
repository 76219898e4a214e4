package attachments

// The words of a PDF (ISO 32000-2, 7.2 and 7.3).

import (
	"bytes"
	"strconv"
)

type pdfParser struct {
	b      []byte
	at     int
	values int
}

func pdfSpace(c byte) bool {
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '
}

func pdfDelimiter(c byte) bool {
	return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0
}

// space skips white space and comments.
func (p *pdfParser) space() {
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case c == '%':
			for p.at < len(p.b) && p.b[p.at] != '\n' && p.b[p.at] != '\r' {
				p.at++
			}
		case pdfSpace(c):
			p.at++
		default:
			return
		}
	}
}

// token reads up to white space or a delimiter.
func (p *pdfParser) token() string {
	start := p.at
	for p.at < len(p.b) && !pdfSpace(p.b[p.at]) && !pdfDelimiter(p.b[p.at]) {
		p.at++
	}
	return string(p.b[start:p.at])
}

// integer reads a whole number; false: there is none, and nothing was read.
func (p *pdfParser) integer() (int, bool) {
	start := p.at
	p.space()
	from := p.at
	for p.at < len(p.b) && p.at-from < 15 && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
		p.at++
	}
	n, err := strconv.Atoi(string(p.b[from:p.at]))
	if err != nil {
		p.at = start
		return 0, false
	}
	return n, true
}

func (p *pdfParser) value(depth int) (any, error) {
	if p.values++; depth > maxPDFDepth || p.values > maxPDFValues {
		return nil, errPDF
	}
	p.space()
	if p.at >= len(p.b) {
		return nil, errPDF
	}
	switch c := p.b[p.at]; {
	case c == '/':
		return p.name()
	case c == '(':
		return p.text()
	case c == '<' && p.at+1 < len(p.b) && p.b[p.at+1] == '<':
		return p.dict(depth)
	case c == '<':
		end := bytes.IndexByte(p.b[p.at:], '>')
		if end < 0 {
			return nil, errPDF
		}
		s := unhex(p.b[p.at+1 : p.at+end])
		p.at += end + 1
		return pdfString(s), nil
	case c == '[':
		return p.array(depth)
	case c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.':
		return p.number()
	}
	switch word := p.token(); word {
	case "null":
		return nil, nil
	case "true", "false":
		return pdfWord(word), nil
	}
	return nil, errPDF
}

// number reads one, or a reference, which begins as one does.
func (p *pdfParser) number() (any, error) {
	token := p.token()
	if !isNumber(token) {
		return nil, errPDF
	}
	num, err := strconv.Atoi(token)
	if err != nil || token[0] == '+' || token[0] == '-' || len(token) > 10 {
		return pdfNumber(token), nil
	}
	after := p.at
	if gen, ok := p.integer(); ok {
		p.space()
		if p.at < len(p.b) && p.b[p.at] == 'R' && (p.at+1 == len(p.b) || pdfSpace(p.b[p.at+1]) || pdfDelimiter(p.b[p.at+1])) {
			p.at++
			return pdfRef{num, gen}, nil
		}
	}
	p.at = after
	return pdfNumber(token), nil
}

func isNumber(s string) bool {
	digits, dots := 0, 0
	for i, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			dots++
		case (c == '+' || c == '-') && i == 0:
		default:
			return false
		}
	}
	return digits > 0 && dots <= 1 && len(s) <= 64
}

func (p *pdfParser) name() (any, error) {
	p.at++
	token := p.token()
	if bytes.IndexByte([]byte(token), '#') < 0 {
		return pdfName(token), nil
	}
	out := make([]byte, 0, len(token))
	for i := 0; i < len(token); i++ {
		if token[i] == '#' && i+2 < len(token) && hexDigit(token[i+1]) >= 0 && hexDigit(token[i+2]) >= 0 {
			out = append(out, byte(hexDigit(token[i+1])<<4|hexDigit(token[i+2])))
			i += 2
			continue
		}
		out = append(out, token[i])
	}
	return pdfName(out), nil
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (p *pdfParser) text() (any, error) {
	p.at++
	out, open := []byte{}, 1
	for p.at < len(p.b) {
		c := p.b[p.at]
		p.at++
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return pdfString(out), nil
			}
		case '\\':
			out = p.escaped(out)
			continue
		case '\r':
			c = '\n'
			if p.at < len(p.b) && p.b[p.at] == '\n' {
				p.at++
			}
		}
		out = append(out, c)
	}
	return nil, errPDF
}

// escaped reads what stands behind a backslash (7.3.4.2).
func (p *pdfParser) escaped(out []byte) []byte {
	if p.at >= len(p.b) {
		return out
	}
	c := p.b[p.at]
	p.at++
	switch c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\r':
		if p.at < len(p.b) && p.b[p.at] == '\n' {
			p.at++
		}
		return out
	case '\n':
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	n := int(c - '0')
	for i := 0; i < 2 && p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '7'; i++ {
		n = n<<3 | int(p.b[p.at]-'0')
		p.at++
	}
	return append(out, byte(n))
}

func (p *pdfParser) array(depth int) (any, error) {
	p.at++
	out := []any{}
	for {
		p.space()
		if p.at >= len(p.b) {
			return nil, errPDF
		}
		if p.b[p.at] == ']' {
			p.at++
			return out, nil
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

func (p *pdfParser) dict(depth int) (any, error) {
	p.at += 2
	out := pdfDict{}
	for {
		p.space()
		if bytes.HasPrefix(p.b[p.at:], []byte(">>")) {
			p.at += 2
			return out, nil
		}
		if p.at >= len(p.b) || p.b[p.at] != '/' {
			return nil, errPDF
		}
		key, err := p.name()
		if err != nil {
			return nil, err
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[key.(pdfName)] = v
		}
	}
}
