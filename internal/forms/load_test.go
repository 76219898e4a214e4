package forms

// Loading: the sound folder loads without faults, and every kind of mistake is
// named with its line and field.

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// trialLibrary loads testdata/content, which must have no faults.
func trialLibrary(t testing.TB) *Library {
	t.Helper()
	lib, faults := Load(os.DirFS("testdata/content"))
	for _, f := range faults {
		t.Errorf("fault in test content: %s", f)
	}
	return lib
}

func trialForm(t testing.TB) *Form {
	t.Helper()
	f, ok := trialLibrary(t).Form("trial")
	if !ok {
		t.Fatal("no form trial")
	}
	return f
}

func TestLoadNamesEveryMistakeWithItsLineAndField(t *testing.T) {
	const head = "form: f\nversion: 1\ntitle: F\nstream: case\nfilled_by: [case_worker]\n"
	const fields = head + "fields:\n"
	cases := []struct {
		name, form, at, message string
	}{
		{"an unknown key of a form", head + "colour: red\nfields: [{name: a, type: text, label: A, tier: coded}]", "forms/f.yaml:6: f:", `unknown key "colour"`},
		{"an unknown key of a field", fields + "  - {name: a, type: text, label: A, tier: coded, requird: true}", "forms/f.yaml:7: f.a:", `unknown key "requird"`},
		{"a key given twice", fields + "  - {name: a, type: text, type: date, label: A, tier: coded}", "forms/f.yaml:7: f.a:", `"type" appears twice`},
		{"a name given twice", fields + "  - {name: a, type: text, label: A, tier: coded}\n  - {name: a, type: text, label: B, tier: coded}", "forms/f.yaml:8: f.a:", "two fields"},
		{"a name of the wrong shape", fields + "  - {name: A-b, type: text, label: A, tier: coded}", "forms/f.yaml:7:", "name must be"},
		{"an unknown type", fields + "  - {name: a, type: txt, label: A, tier: coded}", "forms/f.yaml:7: f.a:", `unknown type "txt"`},
		{"a missing label", fields + "  - {name: a, type: text, tier: coded}", "forms/f.yaml:7: f.a:", "label is missing"},
		{"a missing tier", fields + "  - {name: a, type: text, label: A}", "forms/f.yaml:7: f.a:", "tier is missing"},
		{"an unknown tier", fields + "  - {name: a, type: text, label: A, tier: secret}", "forms/f.yaml:7: f.a:", `unknown tier "secret"`},
		{"an unknown list", fields + "  - {name: a, type: select_one, choices: nope, label: A, tier: coded}", "forms/f.yaml:7: f.a:", `no code list "nope"`},
		{"a choice without choices", fields + "  - {name: a, type: select_one, label: A, tier: coded}", "forms/f.yaml:7: f.a:", "needs choices"},
		{"a code given twice", fields + "  - {name: a, type: select_one, label: A, tier: coded, choices: [{code: x, label: X}, {code: x, label: Y}]}", "forms/f.yaml:7: f.a:", `code "x" appears twice`},
		{"a matrix without rows", fields + "  - {name: a, type: matrix, label: A, tier: coded, columns: [{name: c, type: text, label: C}]}", "forms/f.yaml:7: f.a:", "needs rows"},
		{"a matrix of matrices", fields + "  - {name: a, type: matrix, label: A, tier: coded, rows: sex, columns: [{name: c, type: age, label: C}]}", "forms/f.yaml:7: f.a.c:", "cannot be a age"},
		{"a repeat without fields", fields + "  - {name: a, type: repeat, label: A, tier: coded}", "forms/f.yaml:7: f.a:", "needs fields"},
		{"a broken expression", fields + "  - {name: a, type: text, label: A, tier: coded, relevant: '1 +'}", "forms/f.yaml:7: f.a:", "relevant, character 4: unexpected end"},
		{"an unknown field in an expression", fields + "  - {name: a, type: text, label: A, tier: coded, relevant: '1 = ${b}'}", "forms/f.yaml:7: f.a:", "character 5: there is no field \"b\""},
		{"an unknown function", fields + "  - {name: a, type: text, label: A, tier: coded, relevant: 'uuid()'}", "forms/f.yaml:7: f.a:", "no function uuid()"},
		{"a wrong number of arguments", fields + "  - {name: a, type: text, label: A, tier: coded, relevant: 'not()'}", "forms/f.yaml:7: f.a:", "takes 1 argument, not 0"},
		{"a code that the list does not have", fields + "  - {name: s, type: select_one, choices: sex, label: S, tier: coded}\n  - {name: a, type: text, label: A, tier: coded, relevant: \"${s} = 'femal'\"}", "forms/f.yaml:8: f.a:", `no code "femal"`},
		{"a list compared with =", fields + "  - {name: s, type: select_multiple, choices: sex, label: S, tier: coded}\n  - {name: a, type: text, label: A, tier: coded, relevant: \"${s} = 'male'\"}", "forms/f.yaml:8: f.a:", "write selected("},
		{"a ring of calculations", fields + "  - {name: a, type: calculate, tier: coded, calculation: '${b} + 1'}\n  - {name: b, type: calculate, tier: coded, calculation: '${a}'}", "forms/f.yaml:7: f.a:", "depends on itself: a → b → a"},
		{"a ring through relevance", fields + "  - {name: a, type: text, label: A, tier: coded, relevant: \"${b} = ''\"}\n  - {name: b, type: text, label: B, tier: coded, relevant: \"${a} = ''\"}", "forms/f.yaml:7: f.a:", "a → b → a"},
		{"a group that depends on its own field", fields + "  - {name: g, type: group, label: G, relevant: \"${a} = ''\", fields: [{name: a, type: text, label: A, tier: coded}]}", "f.g:", "depends on itself"},
		{"a default of another type", fields + "  - {name: a, type: integer, label: A, tier: coded, default: many}", "forms/f.yaml:7: f.a:", "default is no answer"},
		{"a source that is not there", fields + "  - {name: a, type: text, label: A, tier: coded, known_from: [g.x]}", "forms/f.yaml:7: f.a:", "names no form"},
		{"a source of another type", fields + "  - {name: a, type: text, label: A, tier: coded, known_from: [f.b]}\n  - {name: b, type: integer, label: B, tier: coded}", "forms/f.yaml:7: f.a:", "is of type integer"},
		{"an unknown fact", fields + "  - {name: a, type: text, label: A, tier: coded, fact: shoe}", "forms/f.yaml:7: f.a:", `unknown fact "shoe"`},
		{"an unknown role", strings.Replace(fields, "[case_worker]", "[boss]", 1) + "  - {name: a, type: text, label: A, tier: coded}", "forms/f.yaml:5: f:", `unknown role "boss"`},
		{"an unknown stream", strings.Replace(fields, "stream: case", "stream: river", 1) + "  - {name: a, type: text, label: A, tier: coded}", "forms/f.yaml:4: f:", `unknown stream "river"`},
		{"a version that is no number", strings.Replace(fields, "version: 1", "version: one", 1) + "  - {name: a, type: text, label: A, tier: coded}", "forms/f.yaml:2: f:", "whole number"},
		{"another name than the file", strings.Replace(fields, "form: f", "form: g", 1) + "  - {name: a, type: text, label: A, tier: coded}", "forms/f.yaml:1: f:", "as the file is named"},
		{"an approval without its field", head + "approval: supervisor\nfields: [{name: a, type: text, label: A, tier: coded}]", "f:", "approval needs"},
		{"an anchor", fields + "  - &x {name: a, type: text, label: A, tier: coded}", "forms/f.yaml:7:", "anchors"},
		{"no YAML at all", "form: [", "forms/f.yaml", "not readable as YAML"},
		{"a choice filter over a property nobody has", fields + "  - {name: s, type: select_one, choices: sex, label: S, tier: coded, choice_filter: 'size = 1'}", "forms/f.yaml:7: f.s:", `property "size"`},
		{"a bare name outside a choice filter", fields + "  - {name: a, type: text, label: A, tier: coded, relevant: 'size = 1'}", "forms/f.yaml:7: f.a:", "fields are written ${size}"},
		{"a pattern that can run away", fields + "  - {name: a, type: text, label: A, tier: coded, constraint: \"regex(., '(a+)+')\"}", "forms/f.yaml:7: f.a:", "repeat without end"},
		{"a dot outside a constraint", fields + "  - {name: a, type: text, label: A, tier: coded, relevant: '. = 1'}", "forms/f.yaml:7: f.a:", "only allowed in a constraint"},
		{"a row that the matrix does not have", fields + "  - {name: m, type: matrix, label: M, tier: coded, rows: sex, choices: sex}\n  - {name: a, type: text, label: A, tier: coded, relevant: \"${m.tall} = 'male'\"}", "forms/f.yaml:8: f.a:", `no row "tall"`},
	}
	const sex = "list: sex\nname: Sex\ncodes: [{code: female, label: F}, {code: male, label: M}]\n"
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, faults := Load(fstest.MapFS{
				"forms/f.yaml":       {Data: []byte(c.form)},
				"codelists/sex.yaml": {Data: []byte(sex)},
			}, WithFacts(map[string]bool{"sex": true}))
			for _, f := range faults {
				if s := f.String(); strings.Contains(s, c.at) && strings.Contains(s, c.message) {
					return
				}
			}
			t.Errorf("no fault %q at %q in %v", c.message, c.at, faults)
		})
	}
}

func TestLoadNamesMistakesInListsAndLanguages(t *testing.T) {
	files := fstest.MapFS{
		"codelists/sex.yaml": {Data: []byte("list: sex\nname: Sex\ncodes:\n  - {code: f}\n  - {code: 'a b', label: X}\n")},
		"lang/vi.yaml":       {Data: []byte("language: vi\nstatus: perhaps\nlists:\n  sex: {codes: {z: Z}}\n  hat: {name: Mũ}\nforms:\n  g: {title: G}\n")},
		"forms/readme.txt":   {Data: []byte("hello")},
	}
	_, faults := Load(files)
	want := []string{
		"codelists/sex.yaml:4: sex: code \"f\" has no label",
		"codelists/sex.yaml:5: sex: code \"a b\" must be",
		"forms/readme.txt: only files ending in .yaml",
		"lang/vi.yaml:2: vi: status must be",
		"lang/vi.yaml:4: lists.sex: the list has no code \"z\"",
		"lang/vi.yaml:5: lists.hat: there is no code list",
		"lang/vi.yaml:7: g: there is no form",
	}
	for i, w := range want {
		if i >= len(faults) || !strings.HasPrefix(faults[i].String(), w) {
			t.Fatalf("fault %d is not %q: %v", i, w, faults)
		}
	}
}

func TestLabelsFallBackToEnglish(t *testing.T) {
	lib := trialLibrary(t)
	form, _ := lib.Form("trial")
	name, _ := form.Field("name")
	story, _ := form.Field("story")
	kinds, _ := form.Field("kinds")
	sex, _ := lib.List("sex")
	for _, c := range []struct{ got, want string }{
		{form.Title("vi"), "Thử"}, {form.Title("th"), "Trial"}, {form.Title("vi-VN"), "Thử"},
		{name.Label("vi"), "Tên"}, {name.Hint("en"), ""}, {story.Label("vi"), "Story"},
		{kinds.List.Label("vi", "a"), "Táo"}, {kinds.List.Label("vi", "c"), "Cloud"}, {kinds.List.Label("vi", "gone"), "gone"},
		{sex.Name("vi"), "Giới tính"}, {sex.Label("vi", "male"), "Nam"}, {sex.Label("en", "male"), "Male"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	languages := lib.Languages()
	if len(languages) != 2 || languages[1].Code != "vi" || languages[1].Translated == 0 || languages[1].Translated >= languages[1].Texts {
		t.Errorf("languages: %+v", languages)
	}
}
