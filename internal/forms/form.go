package forms

// The loaded content: forms, their fields, and the library that holds them.
// Everything here is built once by Load and never changes afterwards, so that
// any number of goroutines may use it; callers must not change what they get.

import (
	"fmt"
	"strings"
	"sync"
)

// Type is the kind of a field; it decides the shape of the answer.
type Type string

// The types of fields and the JSON shape of their answers.
const (
	Text           Type = "text"            // string, one line
	LongText       Type = "longtext"        // string, may have line breaks
	Integer        Type = "integer"         // number without fraction
	Decimal        Type = "decimal"         // number
	Range          Type = "range"           // {from, to}: numbers, at least one of them
	Date           Type = "date"            // "2026-11-22"
	DateTime       Type = "datetime"        // RFC 3339
	DateRange      Type = "daterange"       // {from, to}: dates, at least one of them
	Boolean        Type = "boolean"         // true or false
	SelectOne      Type = "select_one"      // code
	SelectMultiple Type = "select_multiple" // array of codes
	Acknowledge    Type = "acknowledge"     // true; false counts as empty when required
	Age            Type = "age"             // {years, months?, dob?, observed_on, basis?}
	Location       Type = "location"        // {country, adm1?, adm2?, place?, lat?, lon?}
	Money          Type = "money"           // {amount: "12.50", currency: "KHR"}
	Files          Type = "files"           // array of {id, sha256, name?, media?, size?}
	ListOf         Type = "list"            // array of strings
	Repeat         Type = "repeat"          // array of rows, each an object with _id
	Group          Type = "group"           // object
	Matrix         Type = "matrix"          // object: row code → code, or → object of columns
	Calculate      Type = "calculate"       // computed by the server
	RefOrg         Type = "ref_org"         // id (array of ids when multiple)
	RefUser        Type = "ref_user"
	RefCase        Type = "ref_case"
	RefConsent     Type = "ref_consent"
	RefGrant       Type = "ref_grant"
	RefForm        Type = "ref_form"
	Auto           Type = "auto"    // given by the server
	Note           Type = "note"    // no answer
	Preview        Type = "preview" // no answer: shows other answers
)

var types = map[Type]bool{
	Text: true, LongText: true, Integer: true, Decimal: true, Range: true, Date: true, DateTime: true,
	DateRange: true, Boolean: true, SelectOne: true, SelectMultiple: true, Acknowledge: true, Age: true,
	Location: true, Money: true, Files: true, ListOf: true, Repeat: true, Group: true, Matrix: true,
	Calculate: true, RefOrg: true, RefUser: true, RefCase: true, RefConsent: true, RefGrant: true,
	RefForm: true, Auto: true, Note: true, Preview: true,
}

// columnTypes may stand in a matrix.
var columnTypes = map[Type]bool{
	Text: true, LongText: true, Integer: true, Decimal: true, Boolean: true, Date: true,
	SelectOne: true, SelectMultiple: true,
}

// parts names the parts of composite answers that expressions may read.
var parts = map[Type][]string{
	Range: {"from", "to"}, DateRange: {"from", "to"}, Money: {"amount", "currency"},
	Age:      {"years", "months", "dob", "observed_on", "basis"},
	Location: {"country", "adm1", "adm2", "place", "lat", "lon"},
}

// HoldsAnswer tells whether fields of this type have an answer of their own.
func (t Type) HoldsAnswer() bool { return t != Note && t != Preview }

// Container tells whether fields of this type have fields inside.
func (t Type) Container() bool { return t == Group || t == Repeat }

// RefKind gives the kind of thing a ref_… type points to, or "".
func (t Type) RefKind() string {
	if kind, ok := strings.CutPrefix(string(t), "ref_"); ok {
		return kind
	}
	return ""
}

// Tier is a level of sealing: who can open one cannot therefore open another.
type Tier string

// The tiers of answers.
const (
	TierCoded    Tier = "coded"    // services and codes
	TierStory    Tier = "story"    // what was told
	TierIdentity Tier = "identity" // who the person is
	TierPlace    Tier = "place"    // where the person is
	TierHealth   Tier = "health"
	TierLegal    Tier = "legal"
)

// Tiers lists all tiers in a fixed order.
var Tiers = []Tier{TierCoded, TierStory, TierIdentity, TierPlace, TierHealth, TierLegal}

func knownTier(t Tier) bool {
	for _, k := range Tiers {
		if k == t {
			return true
		}
	}
	return false
}

// Form is one questionnaire as its practitioners wrote it.
type Form struct {
	ID       string
	Version  int
	Stream   string // kind of stream its entries belong to
	Single   bool   // one record per stream; later entries amend it
	FilledBy []string
	Approval string // role that decides about an entry, or ""
	// ApprovalField is the path of the field that the decision fills, or "".
	ApprovalField string
	Confidence    string // V verified, K knowledge, P proposal
	Status        string // shown beside it when it is not verified
	Source        string
	Fields        []*Field

	title, when, deadline, filledByNote string
	rules                               []string

	lib    *Library
	all    []*Field          // every field, containers before what is in them, in order of the file
	order  []*Field          // the same, each after everything its value depends on
	byPath map[string]*Field // by dotted path
	file   string
	line   int

	mu           sync.Mutex
	descriptions map[string]*Description
}

// Field is one question, or a container of questions.
type Field struct {
	Name   string
	Path   string // dotted, from the form: caregivers.age
	Type   Type
	Tier   Tier // its own, or the nearest container's
	Parent *Field
	Fields []*Field // of a group or repeat; the columns of a matrix

	List     *List // choices
	Rows     *List // rows of a matrix
	AnyRow   bool  // a required matrix is satisfied by one row
	Multiple bool  // a ref_… that takes several

	Required     bool  // always required (when relevant)
	RequiredWhen *Expr // required when true
	Relevant     *Expr
	Constraint   *Expr
	Calculation  *Expr
	ChoiceFilter *Expr
	DefaultExpr  *Expr
	Default      any // a literal default

	KnownFrom []string // Form.field paths of other forms, in order of preference
	Fact      string   // register variable it feeds
	HTCDS     string   // field of the Human Trafficking Case Data Standard 2.0
	MaxRows   int
	MaxLength int
	MaxItems  int

	Appearance string
	Confidence string
	Status     string

	label, hint, constraintMessage, requiredMessage string

	form       *Form
	containers []*Field // around it, outermost first
	home       Tier     // of a repeat: where the skeleton of its rows stands
	ownTier    bool
	line       int
	lines      map[string]int // line of each key, for faults
	exprText   map[string]string
	index      int // place in form.all
}

// Library is all loaded content.
type Library struct {
	forms     []*Form
	byForm    map[string]*Form
	lists     map[string]*List
	listOrder []*List
	languages []*catalogue
	byLang    map[string]*catalogue
}

// Form gives the form with this id.
func (l *Library) Form(id string) (*Form, bool) {
	f, ok := l.byForm[id]
	return f, ok
}

// Forms gives all forms in order of their ids.
func (l *Library) Forms() []*Form { return append([]*Form(nil), l.forms...) }

// List gives the code list with this id; inline lists are named Form.field.
func (l *Library) List(id string) (*List, bool) {
	list, ok := l.lists[id]
	return list, ok
}

// Lists gives all code lists that have a file, in order of their ids.
func (l *Library) Lists() []*List { return append([]*List(nil), l.listOrder...) }

// Field gives the field at a dotted path without row numbers, as caregivers.age.
func (f *Form) Field(path string) (*Field, bool) {
	field, ok := f.byPath[path]
	return field, ok
}

// FieldAt gives the field that a problem's path speaks of: row numbers, rows of
// a matrix and parts of an answer are passed over, so that caregivers[2].age is
// caregivers.age, domain.safety.level is domain.level, and loc.country is loc.
func (f *Form) FieldAt(path string) (*Field, bool) {
	fields := f.Fields
	var at *Field
	rowCode := false // the next name is a row of a matrix
	for _, name := range strings.Split(path, ".") {
		name, _, _ = strings.Cut(name, "[")
		if rowCode {
			rowCode = false
			continue
		}
		if at != nil && len(at.Fields) == 0 {
			return at, true
		}
		_, next := direct(fields, name)
		if next == nil {
			return nil, false
		}
		at, fields, rowCode = next, next.Fields, next.Type == Matrix
	}
	return at, at != nil
}

// Walk calls visit for every field, containers before what is in them, in the
// order of the form; it does not enter a container whose visit gives false.
func (f *Form) Walk(visit func(*Field) bool) { walkFields(f.Fields, visit) }

func walkFields(fields []*Field, visit func(*Field) bool) {
	for _, field := range fields {
		if visit(field) {
			walkFields(field.Fields, visit)
		}
	}
}

// Form gives the form that the field belongs to.
func (f *Field) Form() *Form { return f.form }

// InRow tells whether the field stands in a repeat or a matrix.
func (f *Field) InRow() bool {
	for p := f.Parent; p != nil; p = p.Parent {
		if p.Type == Repeat || p.Type == Matrix {
			return true
		}
	}
	return false
}

// computed tells whether the server gives the value, whatever the client sent.
func (f *Field) computed() bool { return f.Type == Calculate || f.Type == Auto }

// scopeDepth counts the rows around the field.
func (f *Field) scopeDepth() int {
	n := 0
	for p := f.Parent; p != nil; p = p.Parent {
		if p.Type == Repeat || p.Type == Matrix {
			n++
		}
	}
	return n
}

// column tells whether the field is a column of a matrix.
func (f *Field) column() bool { return f.Parent != nil && f.Parent.Type == Matrix }

// List is a code list.
type List struct {
	ID         string
	Multi      bool
	Helper     bool // not one of the domain's own lists: countries, yes/no, rows …
	Confidence string
	Status     string
	Source     string
	Note       string
	Codes      []*Code

	name   string
	byCode map[string]*Code
	lib    *Library
	// where its labels stand in a catalogue: lists.<id>, or the form's field and key
	form, field, key string
	file             string
	line             int
}

// Code is one entry of a list.
type Code struct {
	Code  string
	HTCDS string
	// Props are the further properties: string, float64, bool, []any of strings.
	Props map[string]any

	label string
	place int
	list  *List
}

// Code gives the entry with this code, or nil.
func (l *List) Code(code string) *Code { return l.byCode[code] }

// prop gives a property for choice filters.
func (c *Code) prop(name string) any {
	if name == "code" || name == "name" {
		return c.Code
	}
	return c.Props[name]
}

// Fault is one thing that is wrong in the content.
type Fault struct {
	File    string // slash-separated, inside the content folder
	Line    int    // from 1; 0 when the fault is the whole file's
	Field   string // Form.field, list.code or "" for the file
	Message string
}

func (f Fault) String() string {
	s := f.File
	if f.Line > 0 {
		s += fmt.Sprintf(":%d", f.Line)
	}
	if f.Field != "" {
		s += ": " + f.Field
	}
	return s + ": " + f.Message
}
