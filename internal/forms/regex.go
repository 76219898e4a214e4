package forms

// The patterns of regex(): the part of RE2 that Go and ECMAScript read alike.
// A pattern is parsed here once and written again in a form that both engines
// take; nothing else reaches either of them. A pattern matches the whole text.

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxPattern is the longest pattern in bytes.
const maxPattern = 500

// patternWriter reads a pattern and writes the shared form of it.
type patternWriter struct {
	in    string
	pos   int
	depth int
	out   strings.Builder
}

// portablePattern checks a pattern and gives the form that travels.
//
// Allowed: literals, ".", [classes] with ranges and ^, \d \w \s \D \W \S
// (ASCII; inside classes only \d \w \s), \p{L} \p{M} \p{N} \p{Lu} \p{Ll} \p{Nd} \p{P} \p{Z},
// groups ( ) and (?: ), |, the repeats ? * + {n} {n,} {n,m} up to 1000, and a
// ^ in front or a $ at the end, which change nothing. Not allowed: lazy
// repeats, look-around, back references, flags, and an unbounded repeat of a
// group that has one inside (it can take the browser exponential time).
func portablePattern(p string) (string, error) {
	if len(p) > maxPattern {
		return "", fmt.Errorf("pattern is longer than %d bytes", maxPattern)
	}
	if !utf8.ValidString(p) {
		return "", fmt.Errorf("pattern is not valid UTF-8")
	}
	p = strings.TrimPrefix(p, "^")
	if strings.HasSuffix(p, "$") && !strings.HasSuffix(p, `\$`) {
		p = p[:len(p)-1]
	}
	w := &patternWriter{in: p}
	if _, err := w.alternatives(); err != nil {
		return "", fmt.Errorf("pattern, character %d: %w", w.pos+1, err)
	}
	if w.pos < len(w.in) {
		return "", fmt.Errorf("pattern, character %d: a ) without its (", w.pos+1)
	}
	return w.out.String(), nil
}

func (w *patternWriter) peek() byte {
	if w.pos < len(w.in) {
		return w.in[w.pos]
	}
	return 0
}

// alternatives writes one level; unbounded tells whether a * or + is in it.
func (w *patternWriter) alternatives() (unbounded bool, err error) {
	w.depth++
	defer func() { w.depth-- }()
	if w.depth > 10 {
		return false, fmt.Errorf("groups nest too deep")
	}
	for w.pos < len(w.in) && w.peek() != ')' {
		if w.peek() == '|' {
			w.out.WriteByte('|')
			w.pos++
			continue
		}
		inner, err := w.atom()
		if err != nil {
			return false, err
		}
		many, err := w.repeat()
		if err != nil {
			return false, err
		}
		if inner && many {
			return false, fmt.Errorf("a repeat without end around another one")
		}
		unbounded = unbounded || inner || many
	}
	return unbounded, nil
}

func (w *patternWriter) atom() (unbounded bool, err error) {
	switch c := w.peek(); c {
	case '(':
		w.pos++
		if strings.HasPrefix(w.in[w.pos:], "?:") {
			w.pos += 2
		} else if w.peek() == '?' {
			return false, fmt.Errorf("a group that begins with (? must begin with (?: here")
		}
		w.out.WriteString("(?:")
		unbounded, err = w.alternatives()
		if err != nil {
			return false, err
		}
		if w.peek() != ')' {
			return false, fmt.Errorf("a ( without its )")
		}
		w.pos++
		w.out.WriteByte(')')
		return unbounded, nil
	case '[':
		return false, w.class()
	case '.':
		w.pos++
		w.out.WriteString(`[^\n]`)
		return false, nil
	case '\\':
		return false, w.escape(false)
	case '*', '+', '?', '{':
		return false, fmt.Errorf("nothing to repeat")
	case '}', ']':
		return false, fmt.Errorf("write \\%c for %c", c, c)
	case '^', '$':
		return false, fmt.Errorf("%c is only allowed at the ends", c)
	}
	r, size := utf8.DecodeRuneInString(w.in[w.pos:])
	w.pos += size
	w.out.WriteRune(r)
	return false, nil
}

// repeat writes what follows an atom: nothing, ?, *, +, {n}, {n,}, {n,m}.
func (w *patternWriter) repeat() (unbounded bool, err error) {
	switch w.peek() {
	case '?':
		w.out.WriteByte('?')
	case '*', '+':
		w.out.WriteByte(w.peek())
		unbounded = true
	case '{':
		end := strings.IndexByte(w.in[w.pos:], '}')
		if end < 0 {
			return false, fmt.Errorf("a { without its }")
		}
		body := w.in[w.pos+1 : w.pos+end]
		lo, hi, comma := strings.Cut(body, ",")
		n, ok := digits(lo)
		if !ok || len(lo) > 4 || n > 1000 {
			return false, fmt.Errorf("a count must be 0 to 1000")
		}
		if comma && hi != "" {
			m, ok := digits(hi)
			if !ok || len(hi) > 4 || m > 1000 || m < n {
				return false, fmt.Errorf("a count must be 0 to 1000, the second not below the first")
			}
		}
		unbounded = comma && hi == ""
		w.out.WriteString("{" + body + "}")
		w.pos += end
	default:
		return false, nil
	}
	w.pos++
	switch w.peek() {
	case '?', '*', '+', '{':
		return false, fmt.Errorf("one repeat after another")
	}
	return unbounded, nil
}

// pattern classes of the escapes, in ASCII on both sides.
var escapeClasses = map[byte][2]string{
	'd': {`[0-9]`, `0-9`}, 'w': {`[0-9A-Za-z_]`, `0-9A-Za-z_`}, 's': {`[\t\n\f\r ]`, `\t\n\f\r `},
	'D': {`[^0-9]`, ""}, 'W': {`[^0-9A-Za-z_]`, ""}, 'S': {`[^\t\n\f\r ]`, ""},
}

func (w *patternWriter) escape(inClass bool) error {
	w.pos++
	c := w.peek()
	if c == 0 {
		return fmt.Errorf("a \\ at the end")
	}
	if forms, ok := escapeClasses[c]; ok {
		out := forms[0]
		if inClass {
			out = forms[1]
		}
		if out == "" {
			return fmt.Errorf("\\%c is not allowed inside [ ]", c)
		}
		w.pos++
		w.out.WriteString(out)
		return nil
	}
	switch c {
	case 't', 'n', 'r':
		w.pos++
		w.out.WriteString(`\` + string(c))
		return nil
	case 'p':
		for _, name := range []string{"{L}", "{M}", "{N}", "{Lu}", "{Ll}", "{Nd}", "{P}", "{Z}"} {
			if strings.HasPrefix(w.in[w.pos+1:], name) {
				w.out.WriteString(`\p` + name)
				w.pos += 1 + len(name)
				return nil
			}
		}
		return fmt.Errorf("only \\p{L} {M} {N} {Lu} {Ll} {Nd} {P} {Z} are allowed")
	}
	if c >= 0x80 || !strings.ContainsRune(`^$\.*+?()[]{}|/-`, rune(c)) {
		return fmt.Errorf("\\%c is not allowed", c)
	}
	w.pos++
	w.literal(rune(c), inClass)
	return nil
}

// literal writes one character so that both engines take it as itself.
func (w *patternWriter) literal(r rune, inClass bool) {
	special := `^$\.*+?()[]{}|/`
	if inClass {
		special = `\[]^-`
	}
	if r < 0x80 && strings.ContainsRune(special, r) {
		w.out.WriteByte('\\')
	}
	w.out.WriteRune(r)
}

// class writes [ … ].
func (w *patternWriter) class() error {
	w.pos++
	w.out.WriteByte('[')
	if w.peek() == '^' {
		w.out.WriteByte('^')
		w.pos++
	}
	start, last := w.pos, rune(-1) // last is the literal before a range's dash
	for {
		switch c := w.peek(); {
		case c == 0:
			return fmt.Errorf("a [ without its ]")
		case c == ']':
			if w.pos == start {
				return fmt.Errorf("an empty [ ]")
			}
			w.pos++
			w.out.WriteByte(']')
			return nil
		case c == '[':
			return fmt.Errorf("write \\[ inside [ ]")
		case c == '-' && last >= 0 && w.pos+1 < len(w.in) && w.in[w.pos+1] != ']':
			w.pos++
			hi, err := w.classLiteral()
			if err != nil {
				return err
			}
			if hi < last {
				return fmt.Errorf("a range that runs backwards")
			}
			w.out.WriteByte('-')
			w.literal(hi, true)
			last = -1
		case c == '\\' && !w.escapedLiteral():
			if err := w.escape(true); err != nil {
				return err
			}
			last = -1
		default:
			r, err := w.classLiteral()
			if err != nil {
				return err
			}
			w.literal(r, true)
			last = r
		}
	}
}

// escapedLiteral tells whether the escape at hand stands for one character.
func (w *patternWriter) escapedLiteral() bool {
	return w.pos+1 < len(w.in) && strings.IndexByte(`^$\.*+?()[]{}|/-`, w.in[w.pos+1]) >= 0
}

func (w *patternWriter) classLiteral() (rune, error) {
	if w.peek() == '\\' {
		if !w.escapedLiteral() {
			return 0, fmt.Errorf("a range needs single characters")
		}
		w.pos += 2
		return rune(w.in[w.pos-1]), nil
	}
	if w.peek() == '[' {
		return 0, fmt.Errorf("write \\[ inside [ ]")
	}
	r, size := utf8.DecodeRuneInString(w.in[w.pos:])
	if size == 0 {
		return 0, fmt.Errorf("a [ without its ]")
	}
	w.pos += size
	return r, nil
}
