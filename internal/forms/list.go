package forms

// Reading code lists: their own files, and the lists written inline in a form.

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

var (
	codeShape  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+/-]{0,63}$`)
	nameShape  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	listKeys   = keySet("list name multi helper confidence status source note codes")
	confidence = map[string]bool{"": true, "V": true, "K": true, "P": true}
)

// readList reads one file of codelists/.
func readList(r *reader, data []byte, id string) *List {
	root := r.document(data)
	if root == nil {
		return nil
	}
	k := r.mapping(root, id, listKeys)
	l := &List{
		ID: r.text(k["list"], id), name: r.text(k["name"], id), Multi: r.boolean(k["multi"], id),
		Helper: r.boolean(k["helper"], id), Confidence: r.text(k["confidence"], id), Status: r.text(k["status"], id),
		Source: r.text(k["source"], id), Note: r.text(k["note"], id), file: r.file, line: root.Line,
	}
	if l.ID != id {
		r.fault(line(k["list"]), id, "list must be %q, as the file is named", id)
		l.ID = id
	}
	if l.name == "" {
		r.fault(root.Line, id, "name is missing")
	}
	if !confidence[l.Confidence] {
		r.fault(line(k["confidence"]), id, "confidence must be V, K or P")
	}
	readCodes(r, k["codes"], l, root.Line)
	return l
}

// readCodes reads the entries of a list, inline or not.
func readCodes(r *reader, n *yaml.Node, l *List, at int) {
	l.byCode = map[string]*Code{}
	if n == nil || n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.fault(at, l.ID, "a code list needs codes")
		return
	}
	for _, entry := range n.Content {
		c := readCode(r, entry, l)
		if c == nil {
			continue
		}
		if l.byCode[c.Code] != nil {
			r.fault(entry.Line, l.ID, "code %q appears twice", c.Code)
			continue
		}
		c.place, c.list = len(l.Codes), l
		l.Codes = append(l.Codes, c)
		l.byCode[c.Code] = c
	}
}

func readCode(r *reader, n *yaml.Node, l *List) *Code {
	k := r.mapping(n, l.ID, nil)
	if k == nil {
		return nil
	}
	c := &Code{Code: r.text(k["code"], l.ID), label: r.text(k["label"], l.ID), HTCDS: r.text(k["htcds"], l.ID)}
	if !codeShape.MatchString(c.Code) {
		r.fault(n.Line, l.ID, "code %q must be 1 to 64 of A–Z a–z 0–9 _ . + / - and start with a letter or digit", c.Code)
		return nil
	}
	if c.label == "" {
		r.fault(n.Line, l.ID, "code %q has no label", c.Code)
	}
	for name, v := range k {
		if name == "code" || name == "label" || name == "htcds" {
			continue
		}
		if c.Props == nil {
			c.Props = map[string]any{}
		}
		c.Props[name] = r.literal(v, l.ID)
	}
	return c
}

// hasProp tells whether some code of the list has the property.
func (l *List) hasProp(name string) bool {
	if name == "code" || name == "name" {
		return true
	}
	for _, c := range l.Codes {
		if _, ok := c.Props[name]; ok {
			return true
		}
	}
	return false
}
