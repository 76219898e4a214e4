package forms

// Linking a form: lists, tiers, expressions, references to other fields and
// forms, and the order in which answers are computed. Every fault names the
// line of the key that causes it.

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// link checks what needs the whole form and the whole library.
func (b *builder) link(f *Form) {
	for _, field := range f.all {
		b.linkField(field)
	}
	settleHomes(f.Fields)
	for _, field := range f.all {
		b.linkExpressions(field)
	}
	b.linkApproval(f)
	b.orderFields(f)
}

func (b *builder) at(f *Field, key, format string, args ...any) {
	n := f.lines[key]
	if n == 0 {
		n = f.line
	}
	b.fault(f.form.file, n, f.form.ID+"."+f.Path, format, args...)
}

func (b *builder) linkField(f *Field) {
	if !types[f.Type] {
		b.at(f, "type", "unknown type %q", f.Type)
	}
	if f.label == "" && f.Type != Calculate && f.Type != Auto && f.Type != Group {
		b.at(f, "name", "label is missing")
	}
	if !confidence[f.Confidence] {
		b.at(f, "confidence", "confidence must be V, K or P")
	}
	f.List = b.listOf(f, f.List, "choices")
	f.Rows = b.listOf(f, f.Rows, "rows")
	b.linkShape(f)
	b.linkTier(f)
	b.linkSources(f)
	if f.Fact != "" && b.facts != nil && !b.facts[f.Fact] {
		b.at(f, "fact", "unknown fact %q", f.Fact)
	}
}

// listOf replaces a named list by the list.
func (b *builder) listOf(f *Field, l *List, key string) *List {
	if l == nil || l.form != "" {
		return l
	}
	found, ok := b.lib.lists[l.ID]
	if !ok || found.form != "" {
		b.at(f, key, "there is no code list %q", l.ID)
		return nil
	}
	return found
}

// linkShape checks that the keys fit the type.
func (b *builder) linkShape(f *Field) {
	chooses := f.Type == SelectOne || f.Type == SelectMultiple
	has := func(key string) bool { return f.lines[key] != 0 }
	only := func(key string, ok bool) {
		if has(key) && !ok {
			b.at(f, key, "%s does not belong to type %s", key, f.Type)
		}
	}
	switch {
	case chooses && !has("choices"):
		b.at(f, "type", "a %s needs choices", f.Type)
	case f.Type == Matrix && !has("rows"):
		b.at(f, "type", "a matrix needs rows")
	case f.Type == Matrix && has("choices") == has("columns"):
		b.at(f, "type", "a matrix needs choices or columns, one of the two")
	case f.Type == Calculate && !has("calculation"):
		b.at(f, "type", "a calculate needs a calculation")
	case f.column() && !columnTypes[f.Type]:
		b.at(f, "type", "a column of a matrix cannot be a %s", f.Type)
	}
	only("choices", chooses || f.Type == Matrix || f.Type == Calculate)
	only("choice_filter", chooses)
	only("rows", f.Type == Matrix)
	only("rows_required", f.Type == Matrix)
	only("multiple", f.Type.RefKind() != "")
	only("max_rows", f.Type == Repeat)
	only("max_length", f.Type == Text || f.Type == LongText)
	only("max_items", f.Type == ListOf)
	only("required", f.Type.HoldsAnswer() && !f.computed() && f.Type != Group)
	only("constraint", f.Type.HoldsAnswer() && !f.computed())
	only("default", f.Type.HoldsAnswer() && !f.computed() && !f.Type.Container() && f.Type != Matrix)
	only("calculation", f.Type.HoldsAnswer() && f.Type != Auto && !f.Type.Container() && f.Type != Matrix)
	if f.Default != nil {
		check := f.form.newRun(Env{})
		if _, ok := check.shape(f, f.Default, f.Path); !ok {
			b.at(f, "default", "the default is no answer of type %s", f.Type)
		}
	}
}

// linkTier gives the field its tier and checks it.
func (b *builder) linkTier(f *Field) {
	f.ownTier = f.Tier != ""
	if f.ownTier && !knownTier(f.Tier) {
		b.at(f, "tier", "unknown tier %q", f.Tier)
		return
	}
	if f.column() {
		if f.ownTier && f.Tier != f.Parent.Tier {
			b.at(f, "tier", "the columns of a matrix have the tier of the matrix, %s", f.Parent.Tier)
		}
		f.Tier = f.Parent.Tier
		return
	}
	if !f.ownTier && f.Parent != nil {
		f.Tier = f.Parent.Tier // containers come first, so theirs is settled
	}
	if f.Tier == "" && f.Type.HoldsAnswer() && !f.Type.Container() {
		b.at(f, "type", "tier is missing")
	}
}

// alike gives one name to types whose answers can stand for each other.
func alike(t Type) Type {
	switch t {
	case LongText:
		return Text
	case DateTime:
		return Date
	case Integer:
		return Decimal
	}
	return t
}

// linkSources checks known_from.
func (b *builder) linkSources(f *Field) {
	if len(f.KnownFrom) > 0 && f.InRow() {
		b.at(f, "known_from", "known_from cannot stand inside a repeat or matrix: give it to the whole")
	}
	for _, path := range f.KnownFrom {
		other, err := b.foreign(path)
		switch {
		case err != nil:
			b.at(f, "known_from", "%v", err)
		case other.InRow():
			b.at(f, "known_from", "%s stands inside a repeat", path)
		case alike(other.Type) != alike(f.Type) && other.Type != Calculate && other.Type != Auto:
			b.at(f, "known_from", "%s is of type %s, this is %s", path, other.Type, f.Type)
		}
	}
}

// foreign finds Form.field anywhere in the library.
func (b *builder) foreign(path string) (*Field, error) {
	id, rest, ok := strings.Cut(path, ".")
	form := b.lib.byForm[id]
	if !ok || form == nil {
		return nil, fmt.Errorf("%q names no form", path)
	}
	field := form.byPath[rest]
	if field == nil {
		return nil, fmt.Errorf("form %s has no field %q", id, rest)
	}
	return field, nil
}

// linkApproval finds the field that a decision fills.
func (b *builder) linkApproval(f *Form) {
	if f.Approval == "" {
		if f.ApprovalField != "" {
			b.fault(f.file, f.line, f.ID, "approval_field without approval")
		}
		return
	}
	if f.ApprovalField != "" {
		if f.byPath[f.ApprovalField] == nil {
			b.fault(f.file, f.line, f.ID, "approval_field %q is no field", f.ApprovalField)
		}
		return
	}
	for _, field := range f.all {
		if field.Type != SelectOne || field.List == nil || field.List.ID != "approval_status" {
			continue
		}
		if f.ApprovalField != "" {
			b.fault(f.file, f.line, f.ID, "two fields could hold the approval: name one as approval_field")
			return
		}
		f.ApprovalField = field.Path
	}
	if f.ApprovalField == "" {
		b.fault(f.file, f.line, f.ID, "approval needs a select_one over approval_status, or approval_field")
	}
}

// linkExpressions parses and resolves the field's expressions.
func (b *builder) linkExpressions(f *Field) {
	f.Relevant = b.expression(f, "relevant", f)
	f.Constraint = b.expression(f, "constraint", f)
	f.Calculation = b.expression(f, "calculation", f)
	f.RequiredWhen = b.expression(f, "required", f)
	f.DefaultExpr = b.expression(f, "default", f)
	f.ChoiceFilter = b.expression(f, "choice_filter", f)
}

func (b *builder) expression(f *Field, key string, self *Field) *Expr {
	src, ok := f.exprText[key]
	if !ok {
		return nil
	}
	res := &resolver{lib: b.lib, form: f.form, at: f}
	if key == "choice_filter" {
		res.choices = f.List
	}
	if key == "constraint" {
		res.self = self
	}
	e, err := res.parse(src)
	var bad *ExprError
	if errors.As(err, &bad) {
		b.at(f, key, "%s, %v", key, bad)
		return nil
	}
	return e
}

// orderFields puts each field after everything its value depends on: its
// container, and what its relevance and calculation read. A ring is a fault.
func (b *builder) orderFields(f *Form) {
	const (
		waiting = iota
		open
		done
	)
	state := make([]int, len(f.all))
	var path []*Field
	var visit func(*Field) bool
	visit = func(field *Field) bool {
		switch state[field.index] {
		case done:
			return true
		case open:
			i := slices.Index(path, field)
			names := make([]string, 0, len(path)-i+1)
			for _, p := range append(path[i:len(path):len(path)], field) {
				names = append(names, p.Path)
			}
			b.at(field, "name", "depends on itself: %s", strings.Join(names, " → "))
			return false
		}
		state[field.index] = open
		path = append(path, field)
		ok := true
		for _, dep := range dependencies(field) {
			if ok = visit(dep); !ok {
				break
			}
		}
		path = path[:len(path)-1]
		state[field.index] = done
		f.order = append(f.order, field)
		return ok
	}
	for _, field := range f.all {
		visit(field)
	}
}

func dependencies(f *Field) []*Field {
	var deps []*Field
	if f.Parent != nil {
		deps = append(deps, f.Parent)
	}
	if f.Relevant != nil {
		deps = append(deps, f.Relevant.deps...)
	}
	if f.Calculation != nil && f.Type == Calculate {
		deps = append(deps, f.Calculation.deps...)
	}
	return deps
}
