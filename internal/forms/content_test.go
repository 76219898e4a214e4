package forms

// The program's own content in both engines: random answers to each of its
// forms are checked alike on the server and in the browser.

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

const answersPerForm = 25

func TestOwnFormsAreCheckedTheSameInTheBrowser(t *testing.T) {
	if _, err := os.Stat("../../content/forms"); err != nil {
		t.Skip("content/forms is not there")
	}
	lib, faults := Load(os.DirFS("../../content"))
	if len(faults) > 0 {
		t.Fatal(faults[0])
	}
	v := readVectors(t)
	browser := newBrowser(t, v)
	var all []browserForm
	var wants [][]any
	for _, f := range lib.Forms() {
		jobs := []browserJob{{Do: "prefill"}}
		answers, from := f.Prefill(v.env(t))
		want := []any{asJSON(t, map[string]any{"answers": answers, "from": from})}
		for seed := range answersPerForm {
			answers := asJSON(t, genAnswers(f).Example(seed)).(map[string]any)
			env := v.env(t)
			env.Strict = true
			clean, problems := f.Check(answers, env)
			pairs := append([][2]string{}, paths(problems)...)
			want = append(want, asJSON(t, map[string]any{"clean": clean, "problems": pairs}))
			jobs = append(jobs, browserJob{Do: "check", Answers: answers, Strict: true})
		}
		all, wants = append(all, browser.form(f, jobs)), append(wants, want)
	}
	for i, results := range browser.run(all) {
		for j, got := range results {
			if !reflect.DeepEqual(got, wants[i][j]) {
				answers, _ := json.Marshal(all[i].Jobs[j].Answers)
				t.Errorf("%s: %s\n gives %v\n in the browser, %v\n here", lib.forms[i].ID, answers, got, wants[i][j])
			}
		}
	}
}
