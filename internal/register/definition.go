package register

// A definition is content: practitioners say which variables a fact has and
// which answers feed them. This file reads it and promises that nothing but
// codes of declared lists, years, age bands and place codes can be a value.

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// TierCoded is the only tier whose answers may feed a fact.
const TierCoded = "coded"

// Kind says what the values of a variable are. Every kind is closed: no free
// text is a value of any.
type Kind string

// The kinds.
const (
	KindList  Kind = "list"  // codes of a code list, or of the variable's own values
	KindYear  Kind = "year"  // a calendar year, four digits
	KindMonth Kind = "month" // a calendar month, as 2026-11
	KindPcode Kind = "pcode" // an OCHA place code: letters of the country, then a digit
)

// Derivation says how a value is made from an answer. Empty: the answer is the
// code.
type Derivation string

// The derivations that register.yaml may use. Its comment says what they mean.
const (
	YearRecorded  Derivation = "year_recorded"
	MonthRecorded Derivation = "month_recorded"
	YearOfDate    Derivation = "year_of_date"
	OrgCountry    Derivation = "organisation_country"
	AgeBand       Derivation = "age_band"
	AgeBroadCTDC  Derivation = "age_broad_ctdc"
	MinorOrAdult  Derivation = "minor_or_adult"
	MonthsBand    Derivation = "months_band_ctdc"
	CaseState     Derivation = "state"
	PseudonymOf   Derivation = "pseudonym"
	partOf        Derivation = "part" // written part(adm2, adm1): the first of them that is there
)

// Take says which of several answers counts.
type Take string

// The ways to take. Newest is the default.
const (
	Newest Take = "newest"
	First  Take = "first"
	Union  Take = "union" // all codes ever given
	Max    Take = "max"   // the code that stands last in the list
)

// Definition is the variables of the register in their order, and whose cases
// stand in it.
type Definition struct {
	Variables []Variable
	Consent   Consent
	// Left names what content lists and a case's row does not have: rows of
	// other units, the pseudonym (Fact.Person), and variables without a closed
	// set of values.
	Left []string
	byID map[string]int
}

// Consent is the scope without which a case is only counted.
type Consent struct {
	Field   string `yaml:"field"`   // Form.field of the matrix of scopes
	Row     string `yaml:"row"`     // the scope
	Without string `yaml:"without"` // count_only: the case stands with CountOnly's variables alone
}

// CountOnly are the variables of a case whose person did not agree to
// statistics: enough to count it in the totals of its country and year, too
// little to describe anybody.
var CountOnly = []string{"year", "country"}

// Variable is one column of the facts.
type Variable struct {
	ID     string
	Label  string
	Kind   Kind
	List   string // id of the code list, where the values are its codes
	Multi  bool   // a person can have several values
	Public bool   // may stand in a published table, under disclosure control
	From   []Source
	Take   Take
	Derive Derivation
	HTCDS  string // field of the Human Trafficking Case Data Standard 2.0
	CTDC   *CTDC
	Codes  []Code // the values in their order (KindList)

	parts  []string // of partOf
	index  map[string]int
	labels map[string]string            // by language
	words  map[string]map[string]string // labels of codes that no list has, by language and code
}

// LabelIn gives the label in a language, or the English one.
func (v *Variable) LabelIn(lang string) string {
	if text, ok := v.labels[lang]; ok {
		return text
	}
	return v.Label
}

// CodeIn gives the label of a code that stands in no code list (states, yes
// and no, places); ok is false where there is none in that language.
func (v *Variable) CodeIn(lang, code string) (label string, ok bool) {
	label, ok = v.words[lang][code]
	return label, ok
}

// Source is an answer that feeds a variable: of a form's field by path, or the
// form itself (no path) where only its time counts. Sources are asked in their
// order: the first that has an answer speaks.
type Source struct {
	Form  string
	Path  []string
	Where map[string]string // rows of a repeat: only those with these codes
}

// CTDC is how the Counter-Trafficking Data Collaborative writes the variable.
type CTDC struct {
	Column  string            `yaml:"column"`      // one column …
	Map     map[string]string `yaml:"map"`         // … and its value for each of our codes (none: the code itself)
	Several string            `yaml:"several"`     // first, last: which of several values the one column takes
	Columns map[string]string `yaml:"columns"`     // or a column of 1 or nothing for each of our codes
	Other   string            `yaml:"other"`       // the column of all codes that have none
	Not     []string          `yaml:"not_in_ctdc"` // our codes that give nothing there
}

// Code is one value of a list.
type Code struct {
	Code  string `yaml:"code" json:"code"`
	Label string `yaml:"label" json:"label"`
}

var (
	variableID = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	codeShape  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+/-]{0,63}$`)
	yearShape  = regexp.MustCompile(`^(19|20)[0-9]{2}$`)
	monthShape = regexp.MustCompile(`^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$`)
	pcodeShape = regexp.MustCompile(`^[A-Z]{2,3}[0-9][A-Z0-9]{0,17}$`)
	whereShape = regexp.MustCompile(`^\$\{([a-z][a-z0-9_]*)\} = '([^']*)'$`)
	partShape  = regexp.MustCompile(`^part\(([a-z0-9]+(?:, [a-z0-9]+)*)\)$`)
)

// Load reads register.yaml and the code lists it names from a content folder
// (content.FS, or a test's own).
func Load(content fs.FS) (*Definition, error) {
	raw, err := fs.ReadFile(content, "register.yaml")
	if err != nil {
		return nil, fmt.Errorf("reading the register's variables: %w", err)
	}
	d, err := parse(raw, func(list string) ([]Code, error) { return readList(content, list) })
	if err != nil {
		return nil, fmt.Errorf("register.yaml: %w", err)
	}
	if err := d.readLabels(content); err != nil {
		return nil, err
	}
	return d, d.readPlaces(content)
}

// Variable gives the variable with that id.
func (d *Definition) Variable(id string) (*Variable, bool) {
	i, ok := d.byID[id]
	if !ok {
		return nil, false
	}
	return &d.Variables[i], true
}

// Check refuses a definition that reaches for anything but coded answers.
// tierOf gives the tier of a form's field by its path, and false where the
// form has no such field; a path may be empty and asks for the form alone. All
// faults are joined.
func (d *Definition) Check(tierOf func(form, path string) (tier string, ok bool)) error {
	var faults []error
	for _, v := range d.Variables {
		for _, s := range v.From {
			faults = append(faults, s.check(v.ID, tierOf)...)
		}
	}
	if d.Consent.Field != "" {
		faults = append(faults, d.consentSource().check("consent", tierOf)...)
	}
	return errors.Join(faults...)
}

func (s Source) check(variable string, tierOf func(form, path string) (string, bool)) []error {
	if strings.HasPrefix(s.Form, "act.") { // the program's own acts are no forms: coded but for a reason
		return nil
	}
	if len(s.Path) == 0 {
		if _, ok := tierOf(s.Form, ""); !ok {
			return []error{fmt.Errorf("variable %s: there is no form %s", variable, s.Form)}
		}
		return nil
	}
	paths := []string{strings.Join(s.Path, ".")}
	above := strings.Join(s.Path[:len(s.Path)-1], ".")
	for name := range s.Where {
		paths = append(paths, above+"."+name)
	}
	var faults []error
	for _, path := range paths {
		tier, ok := tierOf(s.Form, path)
		switch {
		case !ok:
			faults = append(faults, fmt.Errorf("variable %s: form %s has no field %s", variable, s.Form, path))
		case tier != TierCoded:
			faults = append(faults, fmt.Errorf("variable %s: field %s of %s is of the tier %s: only coded answers may reach a fact", variable, path, s.Form, tier))
		}
	}
	return faults
}

// Allows reports whether code may be a value of v. Codes of an imported source
// that our lists lack are not allowed here: the source declares them.
func (v *Variable) Allows(code string) bool {
	switch v.Kind {
	case KindYear:
		return yearShape.MatchString(code)
	case KindMonth:
		return monthShape.MatchString(code)
	case KindPcode:
		return pcodeShape.MatchString(code)
	default:
		_, ok := v.index[code]
		return ok
	}
}

func (d *Definition) consentSource() Source {
	form, field, _ := strings.Cut(d.Consent.Field, ".")
	return Source{Form: form, Path: []string{field}}
}

// variableFile is a variable as it stands in register.yaml.
type variableFile struct {
	Name   string      `yaml:"name"`
	Label  string      `yaml:"label"`
	Unit   string      `yaml:"unit"`
	From   []string    `yaml:"from"`
	Take   Take        `yaml:"take"`
	Where  string      `yaml:"where"`
	Derive string      `yaml:"derive"`
	List   string      `yaml:"list"`
	Values []yaml.Node `yaml:"values"`
	Multi  bool        `yaml:"multi"`
	Public bool        `yaml:"public"`
	HTCDS  string      `yaml:"htcds"`
	CTDC   *CTDC       `yaml:"ctdc"`
}

type listReader func(id string) ([]Code, error)

func parse(raw []byte, list listReader) (*Definition, error) {
	var file struct {
		Version    int            `yaml:"version"`
		Confidence string         `yaml:"confidence"`
		Source     string         `yaml:"source"`
		Consent    Consent        `yaml:"consent"`
		Variables  []variableFile `yaml:"variables"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, err
	}
	if c := file.Consent; c.Field != "" && (c.Without != "count_only" || c.Row == "" || !strings.Contains(c.Field, ".")) {
		return nil, errors.New("consent needs field (Form.field), row, and without: count_only")
	}
	d := &Definition{Consent: file.Consent, byID: map[string]int{}}
	seen := map[string]bool{}
	for _, f := range file.Variables {
		if seen[f.Name] {
			return nil, fmt.Errorf("variable %q stands twice", f.Name)
		}
		seen[f.Name] = true
		if f.isLeft() {
			d.Left = append(d.Left, f.Name)
			continue
		}
		v, err := f.variable(list)
		if err != nil {
			return nil, fmt.Errorf("variable %q: %w", f.Name, err)
		}
		d.byID[v.ID] = len(d.Variables)
		d.Variables = append(d.Variables, v)
	}
	if len(d.Variables) == 0 {
		return nil, errors.New("no variables")
	}
	return d, nil
}

func (f variableFile) isLeft() bool {
	return f.Unit != "case" || Derivation(f.Derive) == PseudonymOf || f.List == "" && len(f.Values) == 0 && f.Derive == ""
}

func (f variableFile) variable(list listReader) (Variable, error) {
	v := Variable{ID: f.Name, Label: f.Label, Kind: KindList, List: f.List, Multi: f.Multi, Public: f.Public, Take: f.Take, HTCDS: f.HTCDS, CTDC: f.CTDC}
	if v.Take == "" {
		v.Take = Newest
	}
	switch {
	case !variableID.MatchString(v.ID):
		return v, errors.New("a name is lower-case letters, digits and _")
	case v.Label == "":
		return v, errors.New("has no label")
	case !slices.Contains([]Take{Newest, First, Union, Max}, v.Take):
		return v, fmt.Errorf("take is newest, first, union or max, not %q", v.Take)
	case v.Take == Union && !v.Multi:
		return v, errors.New("a union needs multi: true")
	}
	if err := v.derivation(f.Derive); err != nil {
		return v, err
	}
	if err := v.values(f, list); err != nil {
		return v, err
	}
	for _, from := range f.From {
		s, err := parseSource(from, f.Where)
		if err != nil {
			return v, err
		}
		v.From = append(v.From, s)
	}
	return v, nil
}

func (v *Variable) derivation(text string) error {
	if m := partShape.FindStringSubmatch(text); m != nil {
		v.Derive, v.Kind, v.parts = partOf, KindPcode, strings.Split(m[1], ", ")
		for _, part := range v.parts {
			if part != "adm1" && part != "adm2" {
				return fmt.Errorf("of a location only adm1 and adm2 may reach a fact, not %q", part)
			}
		}
		return nil
	}
	v.Derive = Derivation(text)
	switch v.Derive {
	case YearRecorded, YearOfDate:
		v.Kind = KindYear
	case MonthRecorded:
		v.Kind = KindMonth
	case "", OrgCountry, AgeBand, AgeBroadCTDC, MinorOrAdult, MonthsBand, CaseState:
	default:
		return fmt.Errorf("there is no derivation %q", text)
	}
	return nil
}

func (v *Variable) values(f variableFile, list listReader) error {
	if v.Kind != KindList {
		return nil
	}
	switch {
	case f.List != "":
		codes, err := list(f.List)
		if err != nil {
			return err
		}
		v.Codes = codes
	case len(f.Values) > 0:
		for _, node := range f.Values {
			v.Codes = append(v.Codes, Code{node.Value, inWords(node.Value)})
		}
	default:
		return errors.New("needs a list or values")
	}
	v.index = make(map[string]int, len(v.Codes))
	for i, c := range v.Codes {
		if !codeShape.MatchString(c.Code) {
			return fmt.Errorf("%q cannot be a code", c.Code)
		}
		v.index[c.Code] = i
	}
	return nil
}

// inWords makes a label of a value that has none.
func inWords(value string) string {
	switch value {
	case "true":
		return "Yes"
	case "false":
		return "No"
	}
	if lo, hi, ok := bandOf(value); ok {
		if hi < 0 {
			return fmt.Sprintf("%d and more", lo)
		}
		return fmt.Sprintf("%d to %d", lo, hi)
	}
	text := strings.ReplaceAll(value, "_", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// parseSource reads "Form.field.sub"; the form of a system act has a dot of
// its own (act.move).
func parseSource(text, where string) (Source, error) {
	form, path, _ := strings.Cut(text, ".")
	if form == "act" {
		second, rest, _ := strings.Cut(path, ".")
		form, path = "act."+second, rest
	}
	s := Source{Form: form}
	if form == "" {
		return s, fmt.Errorf("a source is Form or Form.field, not %q", text)
	}
	if path != "" {
		s.Path = strings.Split(path, ".")
	}
	if where == "" {
		return s, nil
	}
	m := whereShape.FindStringSubmatch(where)
	if m == nil {
		return s, fmt.Errorf("where is ${field} = 'code', not %q", where)
	}
	if len(s.Path) < 2 {
		return s, fmt.Errorf("where chooses rows of a repeat, and %s is none", text)
	}
	s.Where = map[string]string{m[1]: m[2]}
	return s, nil
}

func readList(content fs.FS, id string) ([]Code, error) {
	raw, err := fs.ReadFile(content, "codelists/"+id+".yaml")
	if err != nil {
		return nil, fmt.Errorf("reading code list: %w", err)
	}
	var file struct {
		Codes []Code `yaml:"codes"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("code list %s: %w", id, err)
	}
	return file.Codes, nil
}
