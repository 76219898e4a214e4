package attachments

// XML of office documents, copied token by token without building it in
// memory. Comments, processing instructions and document types go; a document
// that defines entities is refused.

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
)

const maxXMLDepth = 500

// xmlRules say what stays. A nil function keeps all.
type xmlRules struct {
	// element may change the attributes; false: it goes, with all inside.
	element func(in string, e *xml.StartElement) (keep bool, err error)
	// text gives what is written instead of a text in an element.
	text func(in xml.Name, s string) (string, error)
}

// filterXML copies from r to w what the rules keep.
func filterXML(r io.Reader, w io.Writer, rules xmlRules) error {
	d, out := xml.NewDecoder(bufio.NewReader(r)), bufio.NewWriter(w)
	var open []xml.Name
	gone := 0 // depth inside of what goes
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return xmlFault(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(open) >= maxXMLDepth {
				return errBomb
			}
			in := ""
			if len(open) > 0 {
				in = open[len(open)-1].Local
			}
			open = append(open, t.Name)
			if gone > 0 {
				gone++
				continue
			}
			keep := true
			if rules.element != nil {
				if keep, err = rules.element(in, &t); err != nil {
					return err
				}
			}
			if !keep {
				gone = 1
				continue
			}
			startTag(out, t)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != t.Name {
				return errDocument
			}
			open = open[:len(open)-1]
			if gone > 0 {
				gone--
				continue
			}
			_, _ = out.WriteString("</" + fullName(t.Name) + ">")
		case xml.CharData:
			if gone > 0 || len(open) == 0 {
				continue
			}
			s := string(t)
			if rules.text != nil {
				if s, err = rules.text(open[len(open)-1], s); err != nil {
					return err
				}
			}
			escape(out, s, false)
		case xml.ProcInst:
			if t.Target == "xml" && len(open) == 0 {
				_, _ = out.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n")
			}
		case xml.Directive:
			if bytes.Contains(t, []byte("ENTITY")) {
				return errBomb
			}
		}
	}
	if len(open) > 0 {
		return errDocument
	}
	return out.Flush()
}

// xmlFault keeps a fault of the reading below, such as a bound.
func xmlFault(err error) error {
	if errors.Is(err, errBomb) {
		return errBomb
	}
	return errDocument
}

func startTag(out *bufio.Writer, e xml.StartElement) {
	_, _ = out.WriteString("<" + fullName(e.Name))
	for _, a := range e.Attr {
		_, _ = out.WriteString(" " + fullName(a.Name) + `="`)
		escape(out, a.Value, true)
		_ = out.WriteByte('"')
	}
	_ = out.WriteByte('>')
}

func fullName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func escape(out *bufio.Writer, s string, attribute bool) {
	for _, c := range []byte(s) { // bytes of longer characters pass as they are
		switch {
		case c == '&':
			_, _ = out.WriteString("&amp;")
		case c == '<':
			_, _ = out.WriteString("&lt;")
		case c == '>':
			_, _ = out.WriteString("&gt;")
		case c == '\r':
			_, _ = out.WriteString("&#xD;")
		case attribute && c == '"':
			_, _ = out.WriteString("&quot;")
		case attribute && c == '\n':
			_, _ = out.WriteString("&#xA;")
		case attribute && c == '\t':
			_, _ = out.WriteString("&#x9;")
		default:
			_ = out.WriteByte(c)
		}
	}
}

// attr gives the value of an attribute by its local name.
func attr(e *xml.StartElement, local string) string {
	for _, a := range e.Attr {
		if a.Name.Local == local && a.Name.Space != "xmlns" {
			return a.Value
		}
	}
	return ""
}

// eachAttr lets a function change or drop each attribute.
func eachAttr(e *xml.StartElement, do func(a *xml.Attr) (keep bool)) {
	kept := e.Attr[:0]
	for _, a := range e.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" || do(&a) {
			kept = append(kept, a)
		}
	}
	e.Attr = kept
}
