package content_test

// These tests hold the content to the domain researcher's files (forms.json and codelists.json, outside the
// repository) and to the rules of the house about tiers. What the forms engine can check is checked there.

import (
	"encoding/csv"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"unicode"

	"banyan/content"

	"go.yaml.in/yaml/v3"
)

type field struct {
	Name       string   `yaml:"name"`
	Type       string   `yaml:"type"`
	Label      string   `yaml:"label"`
	Tier       string   `yaml:"tier"`
	Required   any      `yaml:"required"`
	Relevant   string   `yaml:"relevant"`
	Constraint string   `yaml:"constraint"`
	Message    string   `yaml:"constraint_message"`
	Choices    any      `yaml:"choices"`
	Rows       any      `yaml:"rows"`
	KnownFrom  []string `yaml:"known_from"`
	Fact       string   `yaml:"fact"`
	HTCDS      string   `yaml:"htcds"`
	Fields     []field  `yaml:"fields"`
	Columns    []field  `yaml:"columns"`
}

type form struct {
	Form         string   `yaml:"form"`
	Version      int      `yaml:"version"`
	Title        string   `yaml:"title"`
	Stream       string   `yaml:"stream"`
	FilledBy     []string `yaml:"filled_by"`
	FilledByNote string   `yaml:"filled_by_note"`
	When         string   `yaml:"when"`
	Deadline     string   `yaml:"deadline"`
	Approval     string   `yaml:"approval"`
	Confidence   string   `yaml:"confidence"`
	Status       string   `yaml:"status"`
	Source       string   `yaml:"source"`
	Rules        []string `yaml:"rules"`
	Fields       []field  `yaml:"fields"`
}

type list struct {
	List       string           `yaml:"list"`
	Name       string           `yaml:"name"`
	Helper     bool             `yaml:"helper"`
	Multi      bool             `yaml:"multi"`
	Confidence string           `yaml:"confidence"`
	Status     string           `yaml:"status"`
	Source     string           `yaml:"source"`
	Codes      []map[string]any `yaml:"codes"`
}

// helpers are the lists beside the domain's 79.
var helpers = []string{"country", "currency", "isced", "language", "screening_brief", "screening_indicator", "screening_observation",
	"yes_no", "yes_no_unknown"}

// shapes says how each of the researcher's types is written in ours.
var shapes = map[string][]string{
	"text": {"text"}, "longtext": {"longtext"}, "date": {"date"}, "datetime": {"datetime"}, "bool": {"boolean"},
	"number": {"integer", "decimal"}, "numbers": {"group"}, "range": {"range"}, "daterange": {"daterange"},
	"select": {"select_one"}, "select_inline": {"select_one"}, "yes_no": {"select_one"},
	"yes_no_unknown": {"select_one"}, "multiselect": {"select_multiple"}, "select_iso639": {"select_one"},
	"select_iso3166": {"select_one"}, "select_isced": {"select_one"}, "multiselect_iso3166": {"select_multiple"},
	"multiselect_iso639": {"select_multiple"}, "multiselect_screening": {"select_multiple"},
	"multiselect_org": {"repeat", "ref_org"}, "subform": {"repeat"}, "matrix": {"matrix"},
	"matrix_screening": {"matrix"}, "computed": {"auto", "calculate"}, "auto": {"auto"}, "check": {"acknowledge"},
	"location": {"location"}, "money": {"money"}, "files": {"files"}, "list": {"list"}, "age": {"age"},
	"age_at": {"age"}, "preview": {"preview"}, "ref": {"auto", "group"}, "ref_org": {"ref_org"},
	"ref_user": {"ref_user"}, "ref_case": {"ref_case"}, "ref_consent": {"ref_consent"}, "ref_grant": {"ref_grant"},
	"ref_training": {"ref_form"}, "ref_framework": {"text"},
}

func readForms(t *testing.T) map[string]form {
	t.Helper()
	out := map[string]form{}
	eachYAML(t, "forms", func(name string, data []byte) {
		var f form
		decode(t, name, data, &f)
		if f.Form+".yaml" != path.Base(name) {
			t.Errorf("%s calls itself %s", name, f.Form)
		}
		out[f.Form] = f
	})
	return out
}

func readLists(t *testing.T) map[string]list {
	t.Helper()
	out := map[string]list{}
	eachYAML(t, "codelists", func(name string, data []byte) {
		var l list
		decode(t, name, data, &l)
		out[l.List] = l
	})
	return out
}

func eachYAML(t *testing.T, dir string, visit func(name string, data []byte)) {
	t.Helper()
	names, err := fs.Glob(content.FS, dir+"/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		visit(name, read(t, name))
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := content.FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t *testing.T, name string, data []byte, into any) {
	t.Helper()
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// walk visits every field, with the path that facts and catalogues use.
func walk(fields []field, prefix string, visit func(path string, f field)) {
	for _, f := range fields {
		p := prefix + f.Name
		visit(p, f)
		walk(f.Fields, p+".", visit)
		walk(f.Columns, p+".", visit)
	}
}

// domain reads one of the researcher's files; the test is skipped where they are not.
func domain(t *testing.T, name string, into any) {
	t.Helper()
	shared := os.Getenv("BANYAN_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(shared, "domain", name))
	if err != nil {
		t.Skipf("the domain files are not here (set BANYAN_SHARED): %s", name)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestEveryFieldOfTheDomainIsInAForm(t *testing.T) {
	var d struct {
		Forms []struct {
			ID         string   `json:"id"`
			FilledBy   string   `json:"filled_by"`
			When       string   `json:"when"`
			Deadline   string   `json:"deadline"`
			Rules      []string `json:"rules"`
			Confidence string   `json:"confidence"`
			Source     string   `json:"source"`
			Fields     []struct {
				Name      string `json:"name"`
				Type      string `json:"type"`
				Codelist  string `json:"codelist"`
				Required  bool   `json:"required"`
				PII       bool   `json:"pii"`
				Sensitive bool   `json:"sensitive"`
				ShowIf    string `json:"show_if"`
			} `json:"fields"`
		} `json:"forms"`
	}
	domain(t, "forms.json", &d)
	forms := readForms(t)
	if len(forms) != len(d.Forms) {
		t.Errorf("%d forms, the domain has %d", len(forms), len(d.Forms))
	}
	total := 0
	for _, want := range d.Forms {
		got, ok := forms[want.ID]
		if !ok {
			t.Errorf("form %s is missing", want.ID)
			continue
		}
		if got.FilledByNote != want.FilledBy || got.When != want.When || got.Deadline != want.Deadline ||
			got.Confidence != want.Confidence || strings.Join(got.Rules, "\n") != strings.Join(want.Rules, "\n") {
			t.Errorf("%s: filled_by, when, deadline, rules or confidence differ from the domain", want.ID)
		}
		if want.Source != "" && got.Source != want.Source {
			t.Errorf("%s: source differs", want.ID)
		}
		have := map[string]field{}
		for _, f := range got.Fields {
			have[f.Name] = f
		}
		for _, w := range want.Fields {
			total++
			f, ok := have[w.Name]
			at := want.ID + "." + w.Name
			if !ok {
				t.Errorf("%s is missing", at)
				continue
			}
			if !contains(shapes[w.Type], f.Type) {
				t.Errorf("%s: type %s, the domain says %s", at, f.Type, w.Type)
			}
			if w.Codelist != "" && !usesList(f, w.Codelist) {
				t.Errorf("%s does not use list %s", at, w.Codelist)
			}
			if (w.PII || w.Sensitive) && f.Tier == "coded" {
				t.Errorf("%s is personal or sensitive and of tier coded", at)
			}
			if w.ShowIf != "" && f.Relevant == "" {
				t.Errorf("%s: shown only if %s, and has no relevant", at, w.ShowIf)
			}
			if w.Required && !required(got, f) {
				t.Errorf("%s is required in the domain", at)
			}
		}
	}
	if total != 317 {
		t.Errorf("compared %d fields, not 317", total)
	}
}

// required tells whether somebody must give the answer: fields that the server or an approval fills, and
// groups (whose own fields are required), are not typed and cannot be.
func required(f form, x field) bool {
	switch x.Type {
	case "auto", "calculate", "preview":
		return true
	case "group":
		for _, inner := range x.Fields {
			if inner.Required == true {
				return true
			}
		}
		return false
	}
	if f.Approval != "" && x.Choices == "approval_status" {
		return true
	}
	return x.Required != nil && x.Required != false
}

func usesList(f field, id string) bool {
	if f.Choices == id || f.Rows == id {
		return true
	}
	for _, inner := range append(append([]field(nil), f.Fields...), f.Columns...) {
		if usesList(inner, id) {
			return true
		}
	}
	return false
}

func TestEveryListOfTheDomainHasExactlyItsCodes(t *testing.T) {
	var d struct {
		Lists []struct {
			ID         string              `json:"id"`
			Name       string              `json:"name"`
			Multi      bool                `json:"multi"`
			Confidence string              `json:"confidence"`
			Source     string              `json:"source"`
			Codes      []map[string]string `json:"codes"`
		} `json:"lists"`
	}
	domain(t, "codelists.json", &d)
	lists := readLists(t)
	if len(d.Lists) != 79 || len(lists) != 79+len(helpers) {
		t.Errorf("%d lists, wanted the domain's 79 and %d helpers", len(lists), len(helpers))
	}
	for _, want := range d.Lists {
		got, ok := lists[want.ID]
		if !ok {
			t.Errorf("list %s is missing", want.ID)
			continue
		}
		if got.Multi != want.Multi || got.Confidence != want.Confidence || got.Source != want.Source || got.Name != want.Name {
			t.Errorf("%s: name, multi, confidence or source differ", want.ID)
		}
		if len(got.Codes) != len(want.Codes) {
			t.Errorf("%s: %d codes, wanted %d", want.ID, len(got.Codes), len(want.Codes))
			continue
		}
		for i, w := range want.Codes {
			for k, v := range w {
				// The domain file spells HTCDS's third relationship value correctly; the standard does not.
				if k == "htcds" && v == "Unacquainted" {
					v = "Unaquainted"
				}
				if got.Codes[i][k] != v {
					t.Errorf("%s code %d: %s is %q, wanted %q", want.ID, i+1, k, got.Codes[i][k], v)
				}
			}
		}
	}
}

func TestHelperListsAreMarked(t *testing.T) {
	var got []string
	for id, l := range readLists(t) {
		if l.Helper {
			got = append(got, id)
		}
	}
	sort.Strings(got)
	if strings.Join(got, " ") != strings.Join(helpers, " ") {
		t.Errorf("helper lists are %v, wanted %v", got, helpers)
	}
}

func TestWhatIsNotVerifiedSaysSo(t *testing.T) {
	for id, f := range readForms(t) {
		if (f.Confidence != "V") != (f.Status == "unverified") {
			t.Errorf("%s: confidence %q with status %q", id, f.Confidence, f.Status)
		}
		if f.Source == "" {
			t.Errorf("%s has no source", id)
		}
	}
	for id, l := range readLists(t) {
		if (l.Confidence != "V") != (l.Status == "unverified") {
			t.Errorf("list %s: confidence %q with status %q", id, l.Confidence, l.Status)
		}
		if l.Source == "" {
			t.Errorf("list %s has no source", id)
		}
	}
}

// telling finds names of fields that hold people or places. Fields of these names are never coded.
var telling = regexp.MustCompile(`(^|_)(name|names|nickname|phone|phones|address|home|companion|escort|dob|room|shelter|employer|known_as)($|_)`)

func TestNoFreeTextNamesPhonesOrSheltersAreCoded(t *testing.T) {
	free := map[string]bool{"text": true, "longtext": true, "list": true, "files": true, "preview": true}
	for id, f := range readForms(t) {
		walk(f.Fields, "", func(p string, x field) {
			at := id + "." + p
			if x.Tier == "" {
				t.Errorf("%s has no tier", at)
			}
			if x.Tier != "coded" || x.Type == "note" {
				return
			}
			if free[x.Type] {
				t.Errorf("%s is free text and of tier coded", at)
			}
			if telling.MatchString(x.Name) {
				t.Errorf("%s may name a person or a place and is of tier coded", at)
			}
			// A place or an age is coded only where a constraint keeps out the telling parts.
			if x.Type == "location" && !strings.Contains(x.Constraint, ".place} = ''") {
				t.Errorf("%s is a location of tier coded without a constraint on its place", at)
			}
			if x.Type == "age" && !strings.Contains(x.Constraint, ".dob} = ''") {
				t.Errorf("%s is an age of tier coded that may hold a date of birth", at)
			}
			for _, inner := range x.Fields {
				if inner.Tier != "coded" {
					t.Errorf("%s is coded, but its field %s is %s", at, inner.Name, inner.Tier)
				}
			}
		})
	}
}

func TestEveryConstraintExplainsItself(t *testing.T) {
	for id, f := range readForms(t) {
		walk(f.Fields, "", func(p string, x field) {
			if (x.Constraint == "") != (x.Message == "") {
				t.Errorf("%s.%s: a constraint and its message belong together", id, p)
			}
		})
	}
}

func TestHTCDSNamesAndCodesExist(t *testing.T) {
	shared := os.Getenv("BANYAN_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(shared, "data", "htcds", "htcds_fields.json"))
	if err != nil {
		t.Skip("the HTCDS file is not here (set BANYAN_SHARED)")
	}
	var d struct {
		Fields []struct {
			Name  string              `json:"name"`
			Codes []map[string]string `json:"codes"`
		} `json:"standard_fields"`
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	names, codes := map[string]bool{}, map[string]bool{}
	for _, f := range d.Fields {
		names[f.Name] = true
		for _, c := range f.Codes {
			codes[c["code"]] = true
		}
	}
	used := 0
	for id, f := range readForms(t) {
		walk(f.Fields, "", func(p string, x field) {
			if x.HTCDS == "" {
				return
			}
			used++
			if !names[x.HTCDS] {
				t.Errorf("%s.%s: HTCDS has no field %s", id, p, x.HTCDS)
			}
		})
	}
	for id, l := range readLists(t) {
		for _, c := range l.Codes {
			for _, key := range []string{"htcds", "htcds_nearest"} {
				if v, ok := c[key].(string); ok && !codes[v] {
					t.Errorf("list %s, %v: HTCDS has no value %s", id, c["code"], v)
				}
			}
		}
	}
	if used < 30 {
		t.Errorf("only %d fields carry their HTCDS name", used)
	}
}

func TestRegisterVariablesComeFromCodedFields(t *testing.T) {
	var reg struct {
		Variables []struct {
			Name   string   `yaml:"name"`
			Label  string   `yaml:"label"`
			From   []string `yaml:"from"`
			Derive string   `yaml:"derive"`
			List   string   `yaml:"list"`
			CTDC   struct {
				Column  string            `yaml:"column"`
				Columns map[string]string `yaml:"columns"`
				Other   string            `yaml:"other"`
				Map     map[string]string `yaml:"map"`
			} `yaml:"ctdc"`
		} `yaml:"variables"`
	}
	decode(t, "register.yaml", read(t, "register.yaml"), &reg)
	lists := readLists(t)
	at := map[string]field{}
	for id, f := range readForms(t) {
		at[id] = field{Tier: "coded"} // the entry itself: when it was recorded
		walk(f.Fields, "", func(p string, x field) { at[id+"."+p] = x })
	}
	known := map[string]bool{}
	columns := map[string]bool{}
	for _, v := range reg.Variables {
		if known[v.Name] {
			t.Errorf("variable %s appears twice", v.Name)
		}
		known[v.Name] = true
		if v.Label == "" || (len(v.From) == 0 && v.Derive == "") {
			t.Errorf("variable %s has no label or comes from nowhere", v.Name)
		}
		for _, from := range v.From {
			x, ok := at[from]
			if !ok {
				t.Errorf("variable %s: there is no field %s", v.Name, from)
			} else if x.Tier != "coded" {
				t.Errorf("variable %s comes from %s, which is of tier %s", v.Name, from, x.Tier)
			}
		}
		l, ok := lists[v.List]
		if v.List != "" && !ok {
			t.Errorf("variable %s: there is no list %s", v.Name, v.List)
		}
		for code, column := range v.CTDC.Columns {
			columns[column] = true
			if !hasCode(l, code) {
				t.Errorf("variable %s: list %s has no code %s", v.Name, v.List, code)
			}
		}
		columns[v.CTDC.Column], columns[v.CTDC.Other] = true, true
	}
	for p, x := range at {
		if x.Fact != "" && !known[x.Fact] {
			t.Errorf("%s feeds %s, which register.yaml does not know", p, x.Fact)
		}
	}
	delete(columns, "")
	if len(columns) != 37 {
		t.Errorf("the variables fill %d CTDC columns, its file has 37", len(columns))
	}
}

func hasCode(l list, code string) bool {
	for _, c := range l.Codes {
		if c["code"] == code {
			return true
		}
	}
	return false
}

func TestKnownFromNamesEarlierQuestions(t *testing.T) {
	forms := readForms(t)
	at := map[string]bool{}
	n := 0
	for id, f := range forms {
		walk(f.Fields, "", func(p string, x field) { at[id+"."+p] = true })
	}
	for id, f := range forms {
		walk(f.Fields, "", func(p string, x field) {
			for _, from := range x.KnownFrom {
				n++
				other, _, _ := strings.Cut(from, ".")
				if !at[from] || forms[other].Stream != f.Stream {
					t.Errorf("%s.%s: %s is no field of the same stream", id, p, from)
				}
			}
		})
	}
	if n == 0 {
		t.Error("nothing is known from anywhere")
	}
}

func TestClocksAndStepsNameFormsAndFieldsThatExist(t *testing.T) {
	forms := readForms(t)
	at := map[string]bool{}
	for id, f := range forms {
		at[id] = true
		walk(f.Fields, "", func(p string, x field) { at[id+"."+p] = true })
	}
	shape := regexp.MustCompile(`^F\d\d_[a-z_]+(\.[a-z_0-9.]+)?$`)
	reference := regexp.MustCompile(`\$\{([a-z_0-9]+)`)
	for _, name := range []string{"clocks.yaml", "casework.yaml"} {
		var doc yaml.Node
		decode(t, name, read(t, name), &doc)
		seen := 0
		var visit func(n *yaml.Node)
		visit = func(n *yaml.Node) {
			if n.Kind == yaml.ScalarNode && shape.MatchString(n.Value) {
				seen++
				if !at[n.Value] {
					t.Errorf("%s:%d: there is no %s", name, n.Line, n.Value)
				}
			}
			if n.Kind == yaml.MappingNode {
				m := map[string]string{}
				for i := 0; i+1 < len(n.Content); i += 2 {
					m[n.Content[i].Value] = n.Content[i+1].Value
				}
				for _, ref := range reference.FindAllStringSubmatch(m["where"], -1) {
					if !at[m["form"]+"."+ref[1]] {
						t.Errorf("%s:%d: form %s has no field %s", name, n.Line, m["form"], ref[1])
					}
				}
			}
			for _, c := range n.Content {
				visit(c)
			}
		}
		visit(&doc)
		if seen == 0 {
			t.Errorf("%s names no form", name)
		}
	}
}

func TestTheStepsOfACaseLeadFromContactToClosedAndBack(t *testing.T) {
	var w struct {
		Initial string `yaml:"initial"`
		States  []struct {
			ID       string `yaml:"id"`
			Workflow string `yaml:"workflow"`
			Status   string `yaml:"status"`
		} `yaml:"states"`
		Moves []struct {
			ID   string   `yaml:"id"`
			From []string `yaml:"from"`
			To   string   `yaml:"to"`
			By   []string `yaml:"by"`
		} `yaml:"moves"`
	}
	decode(t, "casework.yaml", read(t, "casework.yaml"), &w)
	lists := readLists(t)
	known := map[string]bool{}
	for _, s := range w.States {
		known[s.ID] = true
		if !hasCode(lists["case_workflow"], s.Workflow) || !hasCode(lists["case_status"], s.Status) {
			t.Errorf("state %s maps to %s and %s", s.ID, s.Workflow, s.Status)
		}
	}
	next := map[string][]string{}
	for _, m := range w.Moves {
		for _, from := range m.From {
			if !known[from] || !known[m.To] || len(m.By) == 0 {
				t.Errorf("move %s leads from %s to %s by %v", m.ID, from, m.To, m.By)
			}
			next[from] = append(next[from], m.To)
		}
	}
	for _, start := range []string{w.Initial, "closed"} {
		reached := map[string]bool{start: true}
		for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
			for _, s := range next[queue[0]] {
				if !reached[s] {
					reached[s] = true
					queue = append(queue, s)
				}
			}
		}
		for _, s := range w.States {
			early := start == "closed" && (s.ID == "contact" || s.ID == "screened" || s.ID == "consent")
			if !reached[s.ID] && !early {
				t.Errorf("%s cannot be reached from %s", s.ID, start)
			}
		}
	}
}

func TestPlacesHaveUniqueCodesAndParents(t *testing.T) {
	data := read(t, "places.csv")
	if len(data) > 200_000 {
		t.Errorf("places.csv has %d bytes, more than 200 kB", len(data))
	}
	r := csv.NewReader(strings.NewReader(string(data)))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	shape := regexp.MustCompile(`^[A-Z]{2,3}[0-9][A-Z0-9]{0,14}$`) // what locations and the register take
	level1, all, countries := map[string]string{}, map[string]bool{}, map[string]bool{}
	for _, row := range rows[1:] {
		country, level, code, name, parent := row[0], row[1], row[2], row[3], row[4]
		if all[code] || name == "" {
			t.Errorf("place %s appears twice or has no name", code)
		}
		if !shape.MatchString(code) {
			t.Errorf("place %s of %s is no place code", code, country)
		}
		all[code], countries[country] = true, true
		if level == "1" {
			level1[code] = country
		} else if level1[parent] != country {
			t.Errorf("place %s of %s has the parent %q", code, country, parent)
		}
	}
	if len(countries) != 11 {
		t.Errorf("places of %d countries, wanted 11", len(countries))
	}
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// gaps gives what a catalogue lacks, by the form or list it belongs to, and the
// lists that each form asks from.
func gaps(t *testing.T, lang string) (missing map[string][]string, asks map[string][]string) {
	t.Helper()
	type texts struct {
		Label   string            `yaml:"label"`
		Hint    string            `yaml:"hint"`
		Message string            `yaml:"constraint_message"`
		Choices map[string]string `yaml:"choices"`
		Rows    map[string]string `yaml:"rows"`
	}
	var catalogue struct {
		Status string `yaml:"status"`
		Forms  map[string]struct {
			Title  string           `yaml:"title"`
			Fields map[string]texts `yaml:"fields"`
		} `yaml:"forms"`
		Lists map[string]struct {
			Name  string            `yaml:"name"`
			Codes map[string]string `yaml:"codes"`
		} `yaml:"lists"`
	}
	decode(t, "lang/"+lang+".yaml", read(t, "lang/"+lang+".yaml"), &catalogue)
	if catalogue.Status == "" {
		t.Errorf("the catalogue %s does not say how it came about", lang)
	}
	missing, asks = map[string][]string{}, map[string][]string{}
	for id, f := range readForms(t) {
		lacks := func(what string) { missing[id] = append(missing[id], what) }
		got := catalogue.Forms[id]
		if got.Title == "" {
			lacks("title")
		}
		walk(f.Fields, "", func(p string, x field) {
			y := got.Fields[p]
			if y.Label == "" || (x.Message != "" && y.Message == "") {
				lacks(p + ": label or message")
			}
			for _, c := range inline(x.Choices) {
				if y.Choices[c] == "" {
					lacks(p + ": choice " + c)
				}
			}
			for _, c := range inline(x.Rows) {
				if y.Rows[c] == "" {
					lacks(p + ": row " + c)
				}
			}
			for _, of := range []any{x.Choices, x.Rows} {
				if list, ok := of.(string); ok && list != "" {
					asks[id] = append(asks[id], list)
				}
			}
		})
	}
	for id, l := range readLists(t) {
		if catalogue.Lists[id].Name == "" {
			missing[id] = append(missing[id], "name")
		}
		for _, c := range l.Codes {
			if code := c["code"].(string); catalogue.Lists[id].Codes[code] == "" {
				missing[id] = append(missing[id], "code "+code)
			}
		}
	}
	return missing, asks
}

func TestVietnameseHasEveryText(t *testing.T) {
	missing, _ := gaps(t, "vi")
	for id, what := range missing {
		t.Errorf("%s lacks %q", id, what)
	}
}

// TestKhmerCarriesACaseFromContactToClosure: a Khmer case worker fills in the
// forms of the main journey in their own language. What Khmer still lacks
// elsewhere may only become less.
func TestKhmerCarriesACaseFromContactToClosure(t *testing.T) {
	const stillMissing = 1066                                           // take the new number when texts were added
	english := []string{"language", "industry_isic", "online_platform"} // names and a standard's words, partly in English yet
	missing, asks := gaps(t, "km")
	for _, id := range []string{"F01_first_contact", "F02_screening", "F03_consent", "F04_registration", "F05_trafficking_history", "F06_risk_assessment",
		"F07_safety_plan", "F08_case_plan", "F09_referral", "F10_service_log", "F11_case_note", "F27_closure"} {
		if len(missing[id]) > 0 {
			t.Errorf("%s lacks %q", id, missing[id])
		}
		for _, list := range asks[id] {
			if len(missing[list]) > 0 && !contains(english, list) {
				t.Errorf("%s asks from %s, which lacks %q", id, list, missing[list])
			}
		}
	}
	all := 0
	for _, what := range missing {
		all += len(what)
	}
	if all > stillMissing {
		t.Errorf("Khmer lacks %d texts of forms and lists; it lacked %d", all, stillMissing)
	}
}

// inline gives the codes of a list that stands inside a form.
func inline(list any) []string {
	rows, _ := list.([]any)
	var out []string
	for _, r := range rows {
		if m, ok := r.(map[string]any); ok {
			code, _ := m["code"].(string)
			out = append(out, code)
		}
	}
	return out
}

func TestNamesAreInTheirScriptAndInLatinLetters(t *testing.T) {
	scripts := map[string]*unicode.RangeTable{"Beng": unicode.Bengali, "Deva": unicode.Devanagari, "Khmr": unicode.Khmer,
		"Laoo": unicode.Lao, "Mymr": unicode.Myanmar, "Latn": unicode.Latin, "Thai": unicode.Thai}
	type name struct {
		Name  string `yaml:"name"`
		Latin string `yaml:"latin"`
	}
	count := 0
	eachYAML(t, "names", func(file string, data []byte) {
		count++
		var n struct {
			Country string            `yaml:"country"`
			Script  string            `yaml:"script"`
			Order   []string          `yaml:"order"`
			Given   map[string][]name `yaml:"given"`
			Family  []name            `yaml:"family"`
		}
		decode(t, file, data, &n)
		if n.Country+".yaml" != path.Base(file) || len(n.Order) == 0 {
			t.Errorf("%s: country %q, order %v", file, n.Country, n.Order)
		}
		for sex, want := range map[string]int{"female": 30, "male": 30} {
			if len(n.Given[sex]) < want {
				t.Errorf("%s: %d %s names, wanted %d", file, len(n.Given[sex]), sex, want)
			}
		}
		if n.Country != "MMR" && len(n.Family) < 40 {
			t.Errorf("%s: %d family names, wanted 40", file, len(n.Family))
		}
		for _, group := range [][]name{n.Given["female"], n.Given["male"], n.Family} {
			seen := map[name]bool{}
			for _, x := range group {
				if seen[x] {
					t.Errorf("%s: %s appears twice", file, x.Latin)
				}
				seen[x] = true
				for _, r := range x.Name {
					if unicode.IsLetter(r) && !unicode.Is(scripts[n.Script], r) {
						t.Errorf("%s: %s has a letter of another script: %q", file, x.Latin, r)
					}
				}
				for _, r := range x.Latin {
					if r > unicode.MaxASCII {
						t.Errorf("%s: %s is not romanised: %q", file, x.Name, r)
					}
				}
			}
		}
	})
	if count != 11 {
		t.Errorf("names of %d countries, wanted 11", count)
	}
}

// labels is one file of labels/: other languages for what is not a form or a list.
type labels struct {
	Language  string                       `yaml:"language"`
	Status    string                       `yaml:"status"`
	States    map[string]map[string]string `yaml:"states"`
	Approvals map[string]string            `yaml:"approvals"`
	Moves     map[string]struct {
		Label   string   `yaml:"label"`
		Missing []string `yaml:"missing"`
	} `yaml:"moves"`
	Marks     map[string]map[string]string `yaml:"marks"`
	Clocks    map[string]string            `yaml:"clocks"`
	Limits    map[string]string            `yaml:"limits"`
	Variables map[string]string            `yaml:"variables"`
	Words     map[string]string            `yaml:"words"` // held by test/house
}

func TestLabelsFollowTheStepsClocksAndVariables(t *testing.T) {
	var w struct {
		States    []struct{ ID string }   `yaml:"states"`
		Approvals []struct{ Form string } `yaml:"approvals"`
		Moves     []struct {
			ID    string
			Needs []struct{ Missing string }
		} `yaml:"moves"`
		Marks []struct{ ID string } `yaml:"marks"`
	}
	decode(t, "casework.yaml", read(t, "casework.yaml"), &w)
	var c struct {
		Clocks []struct{ ID string } `yaml:"clocks"`
		Limits []struct{ ID string } `yaml:"limits"`
	}
	decode(t, "clocks.yaml", read(t, "clocks.yaml"), &c)
	var r struct {
		Variables []struct{ Name string } `yaml:"variables"`
	}
	decode(t, "register.yaml", read(t, "register.yaml"), &r)
	eachYAML(t, "labels", func(name string, data []byte) {
		var l labels
		decode(t, name, data, &l)
		if l.Language+".yaml" != path.Base(name) || l.Status == "" {
			t.Errorf("%s: language %q, status %q", name, l.Language, l.Status)
		}
		all := l.Language == "vi" // Vietnamese is complete; other languages say what they can
		check := func(kind, id, text string) {
			if text == "" && all {
				t.Errorf("%s: %s %s has no label", name, kind, id)
			}
		}
		count := func(kind string, have, want int) {
			if have > want || (all && have != want) {
				t.Errorf("%s: %d %s, the content has %d", name, have, kind, want)
			}
		}
		for _, s := range w.States {
			check("state", s.ID, l.States[s.ID]["label"])
		}
		for _, a := range w.Approvals {
			check("approval", a.Form, l.Approvals[a.Form])
		}
		for _, m := range w.Moves {
			check("move", m.ID, l.Moves[m.ID].Label)
			count("needs of "+m.ID, len(l.Moves[m.ID].Missing), len(m.Needs))
		}
		for _, m := range w.Marks {
			check("mark", m.ID, l.Marks[m.ID]["label"])
		}
		for _, k := range c.Clocks {
			check("clock", k.ID, l.Clocks[k.ID])
		}
		for _, k := range c.Limits {
			check("limit", k.ID, l.Limits[k.ID])
		}
		for _, v := range r.Variables {
			check("variable", v.Name, l.Variables[v.Name])
		}
		count("states", len(l.States), len(w.States))
		count("moves", len(l.Moves), len(w.Moves))
		count("clocks", len(l.Clocks), len(c.Clocks))
		count("variables", len(l.Variables), len(r.Variables))
	})
}
