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
	"strings"

	"go.yaml.in/yaml/v3"
)

// TierCoded is the only tier whose answers may feed a fact.
const TierCoded = "coded"

// Kind says what the values of a variable are.
type Kind string

// The kinds.
const (
	KindList  Kind = "list"  // codes of a code list (the default)
	KindYear  Kind = "year"  // a calendar year, four digits
	KindPcode Kind = "pcode" // an OCHA place code: letters of the country, then digits
	KindBands Kind = "bands" // a whole number put into one of the variable's bands
)

// Definition is the variables of the register in their order.
type Definition struct {
	Variables []Variable
	byID      map[string]int
}

// Variable is one column of the facts.
type Variable struct {
	ID    string   `yaml:"id"`
	Label string   `yaml:"label"`
	Note  string   `yaml:"note"`
	Kind  Kind     `yaml:"kind"`
	List  string   `yaml:"list"`  // id of the code list, where the values are its codes
	Multi bool     `yaml:"multi"` // a person can have several values
	From  []Source `yaml:"from"`
	Bands []Band   `yaml:"bands"`
	HTCDS string   `yaml:"htcds"`  // field of the Human Trafficking Case Data Standard 2.0
	ICTIP string   `yaml:"ic_tip"` // variable of the International Classification Standard for Administrative Data on Trafficking in Persons
	CTDC  string   `yaml:"ctdc"`   // column of the CTDC Global Dataset

	Codes []Code `yaml:"-"` // the list's codes in its order (lists and bands)
	index map[string]int
}

// Source is an answer that feeds a variable: of a form's field, by path, or
// "@opened", the day of the stream's first entry. Sources are asked in their
// order; a single-valued variable takes the first that has an answer.
type Source struct {
	Form  string
	Path  []string
	Part  string            // of a location: country, adm1 or adm2
	Where map[string]string // rows of a repeat: only those with these codes
}

// Band is a range of whole numbers with a code; To absent means open.
type Band struct {
	Code  string `yaml:"code"`
	Label string `yaml:"label"`
	From  int    `yaml:"from"`
	To    *int   `yaml:"to"`
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
	pcodeShape = regexp.MustCompile(`^[A-Z]{2,3}[0-9][A-Z0-9]{0,17}$`)
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
	return d, nil
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
// form has no such field. All faults are joined.
func (d *Definition) Check(tierOf func(form, path string) (tier string, ok bool)) error {
	var faults []error
	for _, v := range d.Variables {
		for _, s := range v.From {
			if s.opened() {
				continue
			}
			faults = append(faults, s.check(v.ID, tierOf)...)
		}
	}
	return errors.Join(faults...)
}

func (s Source) check(variable string, tierOf func(form, path string) (string, bool)) []error {
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
	case KindPcode:
		return pcodeShape.MatchString(code)
	default:
		_, ok := v.index[code]
		return ok
	}
}

func (s Source) opened() bool { return s.Form == "@opened" }

func (s *Source) UnmarshalYAML(node *yaml.Node) error {
	var long struct {
		Field string            `yaml:"field"`
		Part  string            `yaml:"part"`
		Where map[string]string `yaml:"where"`
	}
	if node.Kind == yaml.ScalarNode {
		long.Field = node.Value
	} else if err := node.Decode(&long); err != nil {
		return err
	}
	if long.Field == "@opened" {
		*s = Source{Form: long.Field}
		return nil
	}
	form, path, ok := strings.Cut(long.Field, ".")
	if !ok || form == "" || path == "" {
		return fmt.Errorf("line %d: a source is FORM.field or @opened, not %q", node.Line, long.Field)
	}
	if long.Part != "" && long.Part != "country" && long.Part != "adm1" && long.Part != "adm2" {
		return fmt.Errorf("line %d: of a location only country, adm1 or adm2 may reach a fact, not %q", node.Line, long.Part)
	}
	// The id of a system act has a dot of its own: act.move.to is field "to".
	if form == "act" {
		second, rest, ok := strings.Cut(path, ".")
		if !ok {
			return fmt.Errorf("line %d: a source is FORM.field, not %q", node.Line, long.Field)
		}
		form, path = "act."+second, rest
	}
	*s = Source{Form: form, Path: strings.Split(path, "."), Part: long.Part, Where: long.Where}
	if len(s.Where) > 0 && len(s.Path) < 2 {
		return fmt.Errorf("line %d: `where` chooses rows of a repeat, and %s is none", node.Line, long.Field)
	}
	return nil
}

func parse(raw []byte, list func(string) ([]Code, error)) (*Definition, error) {
	var file struct {
		Register  int        `yaml:"register"`
		Variables []Variable `yaml:"variables"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, err
	}
	d := &Definition{Variables: file.Variables, byID: map[string]int{}}
	for i := range d.Variables {
		v := &d.Variables[i]
		if err := v.complete(list); err != nil {
			return nil, fmt.Errorf("variable %q: %w", v.ID, err)
		}
		if _, twice := d.byID[v.ID]; twice {
			return nil, fmt.Errorf("variable %q stands twice", v.ID)
		}
		d.byID[v.ID] = i
	}
	if len(d.Variables) == 0 {
		return nil, errors.New("no variables")
	}
	return d, nil
}

// complete fills in the kind and the codes.
func (v *Variable) complete(list func(string) ([]Code, error)) error {
	if !variableID.MatchString(v.ID) {
		return errors.New("an id is lower-case letters, digits and _")
	}
	if v.Label == "" {
		return errors.New("has no label")
	}
	switch {
	case len(v.Bands) > 0:
		v.Kind = KindBands
		for _, b := range v.Bands {
			if b.Label == "" {
				b.Label = b.Code
			}
			v.Codes = append(v.Codes, Code{b.Code, b.Label})
		}
	case v.List != "":
		v.Kind = KindList
		codes, err := list(v.List)
		if err != nil {
			return err
		}
		v.Codes = codes
	case v.Kind != KindYear && v.Kind != KindPcode:
		return errors.New("needs a list, bands, or a kind (year, pcode)")
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
