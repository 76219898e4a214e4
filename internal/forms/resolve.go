package forms

// Resolving: what each ${name} of an expression means at its place in a form,
// and the mistakes that can be seen before any answer is given.

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// resolver turns a parsed tree into one that can be evaluated.
type resolver struct {
	lib     *Library
	form    *Form
	at      *Field // the field whose rule this is
	self    *Field // what "." is; nil where there is none
	choices *List  // in a choice filter: the list
	src     string
	deps    []*Field
}

// parse gives the resolved expression; the error is an *ExprError.
func (res *resolver) parse(src string) (*Expr, error) {
	res.src = src
	root, err := parseTree(src)
	if err != nil {
		return nil, err
	}
	if err := res.node(root); err != nil {
		return nil, err
	}
	return &Expr{src: src, root: root, deps: res.deps}, nil
}

func (res *resolver) fault(n *node, format string, args ...any) error {
	return &ExprError{Pos: utf8.RuneCountInString(res.src[:n.pos]) + 1, Message: fmt.Sprintf(format, args...)}
}

func (res *resolver) node(n *node) error {
	switch n.kind {
	case kindRef:
		return res.ref(n)
	case kindSelf:
		if res.self == nil {
			return res.fault(n, ". is only allowed in a constraint")
		}
		n.field = res.self
		return nil
	case kindProp:
		return res.prop(n)
	case kindCall:
		return res.call(n)
	}
	return nil
}

func (res *resolver) prop(n *node) error {
	if res.choices == nil {
		return res.fault(n, "%q: fields are written ${%s}, text in quotes", n.text, n.text)
	}
	if !res.choices.hasProp(n.text) {
		return res.fault(n, "no code of list %s has a property %q", res.choices.ID, n.text)
	}
	return nil
}

func (res *resolver) call(n *node) error {
	switch n.text {
	case "indexed-repeat":
		return res.indexedRepeat(n)
	case "position":
		return res.position(n)
	}
	for i, a := range n.args {
		if n.text == "jr:choice-name" && i == 1 {
			break // names a field, does not read it
		}
		if err := res.node(a); err != nil {
			return err
		}
	}
	switch n.text {
	case "=", "!=":
		return res.comparison(n)
	case "selected":
		return res.literalCode(n, n.args[0], n.args[1])
	case "regex":
		return res.regex(n)
	case "jr:choice-name":
		return res.choiceName(n)
	case "known":
		return res.known(n)
	}
	return nil
}

func (res *resolver) position(n *node) error {
	for p := res.at.Parent; p != nil; p = p.Parent {
		if p.Type == Repeat {
			return nil
		}
		if p.Type == Matrix {
			break
		}
	}
	return res.fault(n, "position(..) has a meaning only inside a repeat")
}

func (res *resolver) regex(n *node) error {
	p := n.args[1]
	if p.kind != kindText {
		return res.fault(p, "the pattern of regex() must be written as text")
	}
	portable, err := portablePattern(p.text)
	if err != nil {
		return res.fault(p, "%v", err)
	}
	re, err := regexp.Compile("^(?:" + portable + ")$")
	if err != nil {
		return res.fault(p, "the pattern is not readable")
	}
	p.text, n.re = portable, re
	return nil
}

func (res *resolver) choiceName(n *node) error {
	arg := n.args[1]
	name := strings.TrimSpace(arg.text)
	if arg.kind != kindText && arg.kind != kindRef {
		return res.fault(arg, "the second argument of jr:choice-name() is a field, as '${sex}'")
	}
	if arg.kind == kindText && strings.HasPrefix(name, "${") && strings.HasSuffix(name, "}") {
		name = strings.TrimSpace(name[2 : len(name)-1])
	}
	target := &node{kind: kindRef, pos: arg.pos, text: name}
	if err := (&resolver{lib: res.lib, form: res.form, at: res.at, src: res.src}).ref(target); err != nil {
		return err
	}
	if target.field == nil || target.field.List == nil {
		return res.fault(arg, "%s has no choices", name)
	}
	n.list, n.args = target.field.List, n.args[:1]
	return nil
}

func (res *resolver) known(n *node) error {
	arg := n.args[0]
	if arg.kind != kindText {
		return res.fault(arg, "known() takes 'Form.field' as text")
	}
	id, rest, _ := strings.Cut(arg.text, ".")
	form := res.lib.byForm[id]
	if form == nil {
		return res.fault(arg, "%q names no form", arg.text)
	}
	if form.byPath[rest] == nil {
		return res.fault(arg, "form %s has no field %q", id, rest)
	}
	return nil
}

// comparison finds = and != that can never mean what they say.
func (res *resolver) comparison(n *node) error {
	for i, a := range n.args {
		other := n.args[1-i]
		if a.field == nil || a.part != "" {
			continue
		}
		empty := other.kind == kindText && other.text == ""
		switch a.field.Type {
		case SelectMultiple, ListOf:
			if !empty {
				return res.fault(n, "%s holds several answers: write selected(…, …)", a.field.Path)
			}
		case Boolean, Acknowledge:
			if other.kind == kindText && !empty && other.text != "true" && other.text != "false" {
				return res.fault(n, "%s is true or false: compare it with true() or false()", a.field.Path)
			}
		}
		if err := res.literalCode(n, a, other); err != nil {
			return err
		}
	}
	return nil
}

// literalCode checks a code written in an expression against the field's list.
func (res *resolver) literalCode(n, answer, code *node) error {
	if answer.field == nil || answer.part != "" || code.kind != kindText || code.text == "" {
		return nil
	}
	list := answer.field.List
	if list == nil || (answer.field.Type != SelectOne && answer.field.Type != SelectMultiple && answer.field.Type != Matrix) {
		return nil
	}
	if list.Code(code.text) == nil {
		return res.fault(code, "list %s has no code %q", list.ID, code.text)
	}
	return nil
}

// level is the fields that one name may mean at some distance from a rule.
type level struct {
	fields []*Field
	base   int      // rows around it
	prefix []string // groups between the innermost row and it
}

// levels gives the rule's own surroundings first and the form last.
func (res *resolver) levels() []level {
	var out []level
	for p := res.at.Parent; ; p = p.Parent {
		if p == nil {
			return append(out, level{fields: res.form.Fields})
		}
		l := level{fields: p.Fields}
		for q := p; q != nil; q = q.Parent {
			if q.Type == Repeat || q.Type == Matrix {
				l.base = q.scopeDepth() + 1
				break
			}
			l.prefix = append([]string{q.Name}, l.prefix...)
		}
		out = append(out, l)
	}
}

// find looks for a name among fields, then inside their groups.
func find(fields []*Field, name string) (path []string, found *Field) {
	for _, f := range fields {
		if f.Name == name {
			return []string{name}, f
		}
	}
	for _, f := range fields {
		if f.Type != Group {
			continue
		}
		if path, found := find(f.Fields, name); found != nil {
			return append([]string{f.Name}, path...), found
		}
	}
	return nil, nil
}

// ref resolves ${a.b.c}.
func (res *resolver) ref(n *node) error {
	names := strings.Split(n.text, ".")
	for _, l := range res.levels() {
		path, field := find(l.fields, names[0])
		if field == nil {
			continue
		}
		n.base = l.base
		n.path = append(slices.Clone(l.prefix), path...)
		n.field = field
		return res.descend(n, names[1:])
	}
	return res.fault(n, "there is no field %q here", n.text)
}

// descend follows the further names of a reference and notes what it reads.
func (res *resolver) descend(n *node, names []string) error {
	inMatrixRow := false
	for i, name := range names {
		f := n.field
		n.path = append(n.path, name)
		switch {
		case f.Type.Container(), inMatrixRow:
			_, child := direct(f.Fields, name)
			if child == nil {
				return res.fault(n, "%s has no field %q", f.Path, name)
			}
			n.field, inMatrixRow = child, false
		case f.Type == Matrix && n.part == "":
			if name != "*" && (f.Rows == nil || f.Rows.Code(name) == nil) {
				return res.fault(n, "%s has no row %q", f.Path, name)
			}
			inMatrixRow = len(f.Fields) > 0
			if !inMatrixRow && i < len(names)-1 {
				return res.fault(n, "the rows of %s have no columns", f.Path)
			}
		case slices.Contains(parts[f.Type], name) && n.part == "":
			n.part = name
		default:
			return res.fault(n, "%s has no part %q", f.Path, name)
		}
	}
	if !n.field.Type.HoldsAnswer() {
		return res.fault(n, "%s holds no answer", n.field.Path)
	}
	res.depend(n.field)
	return nil
}

func direct(fields []*Field, name string) (int, *Field) {
	for i, f := range fields {
		if f.Name == name {
			return i, f
		}
	}
	return -1, nil
}

// depend notes the field, its containers that the rule does not stand in, and,
// for a group or matrix read as a whole, everything inside.
func (res *resolver) depend(f *Field) {
	around := map[*Field]bool{}
	for p := res.at.Parent; p != nil; p = p.Parent {
		around[p] = true
	}
	for p := f; p != nil; p = p.Parent {
		if !around[p] {
			res.deps = append(res.deps, p)
		}
	}
	if f.Type == Group || f.Type == Matrix {
		walkFields(f.Fields, func(c *Field) bool { res.deps = append(res.deps, c); return true })
	}
}

// indexedRepeat resolves indexed-repeat(${field}, ${repeat}, n): the field may
// be written by its bare name, as XLSForm does, or with the repeat in front.
func (res *resolver) indexedRepeat(n *node) error {
	what, where, index := n.args[0], n.args[1], n.args[2]
	if what.kind != kindRef || where.kind != kindRef {
		return res.fault(n, "indexed-repeat() takes a field, its repeat and a number")
	}
	if err := res.ref(where); err != nil {
		return err
	}
	repeat := where.field
	if repeat.Type != Repeat {
		return res.fault(where, "%s is no repeat", repeat.Path)
	}
	rest := strings.TrimPrefix(what.text, where.text+".")
	names := strings.Split(rest, ".")
	path, field := find(repeat.Fields, names[0])
	if field == nil {
		return res.fault(what, "%s has no field %q", repeat.Path, names[0])
	}
	inner := &node{kind: kindRef, pos: what.pos, text: what.text, path: path, field: field}
	if err := res.descend(inner, names[1:]); err != nil {
		return err
	}
	n.path, n.args = inner.path, []*node{where, index}
	return res.node(index)
}
