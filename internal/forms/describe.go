package forms

// The form as the browser gets it: labels of one language, expression trees,
// choices. web/app/src/forms/types.ts has the same shapes.

import "sort"

// inlineCodes is the longest list that travels inside a form; longer ones are
// fetched once by name (DescribeList).
const inlineCodes = 60

// Description is one form in one language.
type Description struct {
	ID            string              `json:"id"`
	Version       int                 `json:"version"`
	Lang          string              `json:"lang"`
	Title         string              `json:"title"`
	When          string              `json:"when,omitempty"`
	Deadline      string              `json:"deadline,omitempty"`
	Rules         []string            `json:"rules,omitempty"`
	Stream        string              `json:"stream"`
	Single        bool                `json:"single,omitempty"`
	FilledBy      []string            `json:"filled_by"`
	Approval      string              `json:"approval,omitempty"`
	ApprovalField string              `json:"approval_field,omitempty"`
	Confidence    string              `json:"confidence,omitempty"`
	Status        string              `json:"status,omitempty"`
	Fields        []*FieldDescription `json:"fields"`
	// Order is the order of computation: places in the list of all fields,
	// containers before what is in them.
	Order []int `json:"order"`
	// Lists are the choices by list id; External names the lists to fetch.
	Lists    map[string]*ListDescription `json:"lists"`
	External []string                    `json:"external,omitempty"`
}

// FieldDescription is one field in one language.
type FieldDescription struct {
	Name              string              `json:"name"`
	Type              Type                `json:"type"`
	Label             string              `json:"label,omitempty"`
	Hint              string              `json:"hint,omitempty"`
	Tier              Tier                `json:"tier,omitempty"`
	Required          bool                `json:"required,omitempty"`
	RequiredWhen      *Expr               `json:"required_when,omitempty"`
	RequiredMessage   string              `json:"required_message,omitempty"`
	Relevant          *Expr               `json:"relevant,omitempty"`
	Constraint        *Expr               `json:"constraint,omitempty"`
	ConstraintMessage string              `json:"constraint_message,omitempty"`
	Calculation       *Expr               `json:"calculation,omitempty"`
	ChoiceFilter      *Expr               `json:"choice_filter,omitempty"`
	Default           any                 `json:"default,omitempty"`
	DefaultExpr       *Expr               `json:"default_expr,omitempty"`
	List              string              `json:"list,omitempty"`
	Rows              string              `json:"rows,omitempty"`
	AnyRow            bool                `json:"any_row,omitempty"`
	Multiple          bool                `json:"multiple,omitempty"`
	KnownFrom         []string            `json:"known_from,omitempty"`
	MaxRows           int                 `json:"max_rows,omitempty"`
	MaxLength         int                 `json:"max_length,omitempty"`
	MaxItems          int                 `json:"max_items,omitempty"`
	Appearance        string              `json:"appearance,omitempty"`
	Status            string              `json:"status,omitempty"`
	Fields            []*FieldDescription `json:"fields,omitempty"`
}

// ListDescription is one code list in one language.
type ListDescription struct {
	Name   string            `json:"name,omitempty"`
	Status string            `json:"status,omitempty"`
	Codes  []CodeDescription `json:"codes"`
}

// CodeDescription is one choice; Props only where a choice filter needs them.
type CodeDescription struct {
	Code  string         `json:"code"`
	Label string         `json:"label"`
	Props map[string]any `json:"props,omitempty"`
}

// Describe gives the form in a language; English stands in where the language
// has no text. The same call gives the same value, which callers must not
// change.
func (f *Form) Describe(lang string) any { return f.Description(lang) }

// Description is Describe with its type.
func (f *Form) Description(lang string) *Description {
	if f.lib.byLang[lang] == nil {
		lang = English
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.descriptions[lang]; d != nil {
		return d
	}
	d := f.describe(lang)
	f.descriptions[lang] = d
	return d
}

func (f *Form) describe(lang string) *Description {
	d := &Description{
		ID: f.ID, Version: f.Version, Lang: lang, Title: f.Title(lang), When: f.When(lang), Deadline: f.Deadline(lang),
		Rules: f.Rules(lang), Stream: f.Stream, Single: f.Single, FilledBy: f.FilledBy, Approval: f.Approval,
		ApprovalField: f.ApprovalField, Confidence: f.Confidence, Status: f.Status,
		Lists: map[string]*ListDescription{}, Order: make([]int, len(f.order)),
	}
	for i, field := range f.order {
		d.Order[i] = field.index
	}
	d.Fields = d.fields(f.Fields, lang)
	for _, shared := range []string{"age_basis", "country", "currency"} {
		if list, ok := f.lib.lists[shared]; ok && f.uses(shared) {
			d.add(list, lang, false)
		}
	}
	sort.Strings(d.External)
	return d
}

// uses tells whether composite answers of the form need a shared list.
func (f *Form) uses(list string) bool {
	needs := map[Type]string{Age: "age_basis", Location: "country", Money: "currency"}
	for _, field := range f.all {
		if needs[field.Type] == list {
			return true
		}
	}
	return false
}

func (d *Description) fields(fields []*Field, lang string) []*FieldDescription {
	out := make([]*FieldDescription, 0, len(fields))
	for _, f := range fields {
		fd := &FieldDescription{
			Name: f.Name, Type: f.Type, Label: f.Label(lang), Hint: f.Hint(lang), Tier: f.Tier,
			Required: f.Required, RequiredWhen: f.RequiredWhen, RequiredMessage: f.RequiredMessage(lang),
			Relevant: f.Relevant, Constraint: f.Constraint, ConstraintMessage: f.ConstraintMessage(lang),
			Calculation: f.Calculation, ChoiceFilter: f.ChoiceFilter, Default: f.Default, DefaultExpr: f.DefaultExpr,
			AnyRow: f.AnyRow, Multiple: f.Multiple, KnownFrom: f.KnownFrom, MaxRows: f.MaxRows,
			MaxLength: f.MaxLength, MaxItems: f.MaxItems, Appearance: f.Appearance, Status: f.Status,
		}
		if f.List != nil {
			fd.List = f.List.ID
			d.add(f.List, lang, f.ChoiceFilter != nil)
		}
		if f.Rows != nil {
			fd.Rows = f.Rows.ID
			d.add(f.Rows, lang, false)
		}
		if len(f.Fields) > 0 {
			fd.Fields = d.fields(f.Fields, lang)
		}
		out = append(out, fd)
	}
	return out
}

// add puts a list into the description, or its name when it is long.
func (d *Description) add(l *List, lang string, props bool) {
	if len(l.Codes) > inlineCodes && l.form == "" {
		for _, id := range d.External {
			if id == l.ID {
				return
			}
		}
		d.External = append(d.External, l.ID)
		return
	}
	if old := d.Lists[l.ID]; old == nil || props {
		d.Lists[l.ID] = l.describe(lang, props)
	}
}

func (l *List) describe(lang string, props bool) *ListDescription {
	out := &ListDescription{Status: l.Status, Codes: make([]CodeDescription, len(l.Codes))}
	if l.form == "" {
		out.Name = l.Name(lang)
	}
	for i, c := range l.Codes {
		out.Codes[i] = CodeDescription{Code: c.Code, Label: c.Label(lang)}
		if props {
			out.Codes[i].Props = c.Props
		}
	}
	return out
}

// DescribeList gives a code list in a language, with all properties.
func (l *Library) DescribeList(id, lang string) (*ListDescription, bool) {
	list, ok := l.lists[id]
	if !ok {
		return nil, false
	}
	return list.describe(lang, true), true
}
