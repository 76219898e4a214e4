package forms

// Reading YAML strictly: every key is known or a fault with its line, nothing
// is guessed, no anchors. The rest of the loader sees only these helpers.

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of one content file.
const (
	maxFileSize  = 4 << 20
	maxYAMLDepth = 40
)

// reader collects the faults of one file.
type reader struct {
	file   string
	faults []Fault
}

func (r *reader) fault(line int, field, format string, args ...any) {
	r.faults = append(r.faults, Fault{File: r.file, Line: line, Field: field, Message: fmt.Sprintf(format, args...)})
}

// document parses a file and gives its one mapping, or nil after a fault.
func (r *reader) document(data []byte) *yaml.Node {
	if len(data) > maxFileSize {
		r.fault(0, "", "larger than %d bytes", maxFileSize)
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		r.fault(errorLine(err), "", "not readable as YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.fault(1, "", "is not a mapping of keys to values")
		return nil
	}
	root := doc.Content[0]
	if !r.plainTree(root, 0) {
		return nil
	}
	return root
}

// errorLine finds the line in the parser's message ("line 3: …").
func errorLine(err error) int {
	_, rest, ok := strings.Cut(err.Error(), "line ")
	if !ok {
		return 0
	}
	n, _ := digits(rest[:strings.IndexFunc(rest+" ", func(c rune) bool { return c < '0' || c > '9' })])
	return n
}

// plainTree refuses anchors, aliases and deep nesting.
func (r *reader) plainTree(n *yaml.Node, depth int) bool {
	if depth > maxYAMLDepth {
		r.fault(n.Line, "", "nested deeper than %d", maxYAMLDepth)
		return false
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		r.fault(n.Line, "", "anchors and aliases are not allowed")
		return false
	}
	for _, c := range n.Content {
		if !r.plainTree(c, depth+1) {
			return false
		}
	}
	return true
}

// keys is a mapping's values by key.
type keys map[string]*yaml.Node

// mapping reads a mapping whose keys must be among known (any when known is
// empty). Unknown and doubled keys are faults.
func (r *reader) mapping(n *yaml.Node, at string, known map[string]bool) keys {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n.Line, at, "must be a mapping")
		return nil
	}
	out := make(keys, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode:
			r.fault(k.Line, at, "a key must be plain text")
		case known != nil && !known[k.Value]:
			r.fault(k.Line, at, "unknown key %q", k.Value)
		case out[k.Value] != nil:
			r.fault(k.Line, at, "key %q appears twice", k.Value)
		default:
			out[k.Value] = n.Content[i+1]
		}
	}
	return out
}

func keySet(names string) map[string]bool {
	set := map[string]bool{}
	for _, n := range strings.Fields(names) {
		set[n] = true
	}
	return set
}

// text reads a scalar as it is written; absent gives "".
func (r *reader) text(n *yaml.Node, at string) string {
	if n == nil || isNull(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		r.fault(n.Line, at, "must be text")
		return ""
	}
	return n.Value
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (r *reader) texts(n *yaml.Node, at string) []string {
	if n == nil || isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n.Line, at, "must be a list")
		return nil
	}
	out := make([]string, 0, len(n.Content))
	for _, c := range n.Content {
		out = append(out, r.text(c, at))
	}
	return out
}

func (r *reader) boolean(n *yaml.Node, at string) bool {
	if n == nil {
		return false
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == "true":
		return true
	case n.Kind == yaml.ScalarNode && n.Value == "false":
		return false
	}
	r.fault(n.Line, at, "must be true or false")
	return false
}

// whole reads a number from least to most; absent gives 0.
func (r *reader) whole(n *yaml.Node, at string, least, most int) int {
	if n == nil {
		return 0
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < least || v > most {
		r.fault(n.Line, at, "must be a whole number from %d to %d", least, most)
		return 0
	}
	return v
}

// literal reads a scalar or a list of scalars as an answer: string, number,
// boolean or list. Only unquoted true, false and numbers are not text.
func (r *reader) literal(n *yaml.Node, at string) any {
	switch n.Kind {
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			list = append(list, r.literal(c, at))
		}
		return list
	case yaml.ScalarNode:
	default:
		r.fault(n.Line, at, "must be a plain value or a list of them")
		return nil
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		if f, ok := parseNumber(n.Value); ok {
			return f
		}
	}
	return n.Value
}

func line(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	return n.Line
}
