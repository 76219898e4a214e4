package forms

// Fuzzing the loader and the check: whatever comes in, they answer with faults
// or problems, never with a panic, and never repeat what was submitted.

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"
	"testing/fstest"
)

func mustCompile(t *testing.T, portable string) {
	t.Helper()
	if _, err := regexp.Compile("^(?:" + portable + ")$"); err != nil {
		t.Fatalf("an accepted pattern does not compile: %v", err)
	}
}

func FuzzLoadForm(f *testing.F) {
	for _, name := range []string{"trial", "first"} {
		data, err := os.ReadFile("testdata/content/forms/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("form: x\nfields: [{name: a, type: repeat, fields: [{name: b}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lib, _ := Load(fstest.MapFS{"forms/x.yaml": {Data: data}})
		if form, ok := lib.Form("x"); ok {
			form.Check(map[string]any{"a": "b"}, Env{})
			if _, err := json.Marshal(form.Describe(English)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzLoadListAndLanguage(f *testing.F) {
	f.Add([]byte("list: x\nname: X\ncodes: [{code: a, label: A}]"), []byte("language: vi\nstatus: drafted\nlists: {x: {codes: {a: Á}}}"))
	f.Fuzz(func(t *testing.T, list, lang []byte) {
		lib, _ := Load(fstest.MapFS{"codelists/x.yaml": {Data: list}, "lang/vi.yaml": {Data: lang}})
		lib.DescribeList("x", "vi")
		lib.Languages()
	})
}

func FuzzCheck(f *testing.F) {
	v := readVectors(f)
	for _, c := range v.Checks {
		data, err := json.Marshal(c.Answers)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	form := trialForm(f)
	env := v.env(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var answers map[string]any
		if json.Unmarshal(data, &answers) != nil {
			return
		}
		clean, problems := form.Check(answers, env)
		if len(problems) == 0 {
			if got := form.MergeTiers(form.SplitTiers(clean)); len(got) != len(clean) {
				t.Fatalf("%v came back from its tiers as %v", clean, got)
			}
		}
		form.CheckAmend(clean, answers, env)
	})
}
