package forms

// The shared vectors: the Go evaluator gives what they say, and the browser's
// (bundled by esbuild, run by Node.js) gives the same.

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

type vectors struct {
	Now         string         `json:"now"`
	Known       map[string]any `json:"known"`
	Expressions []struct {
		About   string         `json:"about"`
		Answers map[string]any `json:"answers"`
		At      string         `json:"at"`   // the field whose rule it is
		Rows    []int          `json:"rows"` // the rows in which that field stands
		Cell    string         `json:"cell"` // the matrix row
		Self    any            `json:"self"`
		Prev    any            `json:"prev"`
		Cases   [][2]any       `json:"cases"`
	} `json:"expressions"`
	Checks []struct {
		About    string         `json:"about"`
		Answers  map[string]any `json:"answers"`
		Clean    map[string]any `json:"clean"`
		Problems [][2]string    `json:"problems"`
		Strict   bool           `json:"strict"`
		Deciding bool           `json:"deciding"`
	} `json:"checks"`
	Amendments []struct {
		About   string         `json:"about"`
		Base    map[string]any `json:"base"`
		Changes map[string]any `json:"changes"`
		Merged  map[string]any `json:"merged"`
	} `json:"amendments"`
}

// browserJob is one piece of work for testdata/runner.ts.
type browserJob struct {
	Do       string           `json:"do"`
	Tree     *Expr            `json:"tree,omitempty"`
	Scopes   []map[string]any `json:"scopes,omitempty"`
	Index    int              `json:"index,omitempty"`
	Self     any              `json:"self,omitempty"`
	Prev     any              `json:"prev,omitempty"`
	Answers  map[string]any   `json:"answers,omitempty"`
	Next     map[string]any   `json:"next,omitempty"`
	Field    string           `json:"field,omitempty"`
	Strict   bool             `json:"strict,omitempty"`
	Deciding bool             `json:"deciding,omitempty"`
	Trusted  bool             `json:"trusted,omitempty"`
}

func readVectors(t testing.TB) *vectors {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("vectors.json: %v", err)
	}
	return &v
}

func (v *vectors) env(t testing.TB) Env {
	now, err := time.Parse(time.RFC3339, v.Now)
	if err != nil {
		t.Fatal(err)
	}
	return Env{Now: now, Lang: English, Known: func(path string) any { return v.Known[path] }}
}

// browser is the TypeScript form logic, bundled and ready to run.
type browser struct {
	t            *testing.T
	v            *vectors
	node, script string
}

// browserForm is one form and the jobs on it.
type browserForm struct {
	Description *Description                `json:"description"`
	Lists       map[string]*ListDescription `json:"lists"`
	Jobs        []browserJob                `json:"jobs"`
}

func newBrowser(t *testing.T, v *vectors) *browser {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: the browser's evaluator is not compared (scripts/test installs it)")
	}
	built := api.Build(api.BuildOptions{
		EntryPoints: []string{"testdata/runner.ts"}, Bundle: true, Platform: api.PlatformNode, Format: api.FormatCommonJS,
		Target: api.ES2022, LogLevel: api.LogLevelSilent,
	})
	if len(built.Errors) > 0 {
		t.Fatalf("bundling the browser's evaluator: %v", built.Errors[0].Text)
	}
	script := filepath.Join(t.TempDir(), "runner.cjs")
	if err := os.WriteFile(script, built.OutputFiles[0].Contents, 0o600); err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, v: v, node: node, script: script}
}

// form describes a form as the browser gets it, with the lists it fetches.
func (b *browser) form(f *Form, jobs []browserJob) browserForm {
	d := f.Description(English)
	lists := map[string]*ListDescription{}
	for _, id := range d.External {
		lists[id], _ = f.lib.DescribeList(id, English)
	}
	return browserForm{Description: d, Lists: lists, Jobs: jobs}
}

// run gives a result for each job of each form.
func (b *browser) run(forms []browserForm) [][]any {
	b.t.Helper()
	input, err := json.Marshal(map[string]any{"now": b.v.Now, "known": b.v.Known, "forms": forms})
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command(b.node, b.script)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("running the browser's evaluator: %v\n%s", err, stderr.String())
	}
	var results [][]any
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(forms) {
		b.t.Fatalf("%d results for %d forms: %v", len(results), len(forms), err)
	}
	return results
}

// inBrowser runs jobs on one form.
func inBrowser(t *testing.T, f *Form, v *vectors, jobs []browserJob) []any {
	t.Helper()
	b := newBrowser(t, v)
	results := b.run([]browserForm{b.form(f, jobs)})[0]
	if len(results) != len(jobs) {
		t.Fatalf("%d results for %d jobs", len(results), len(jobs))
	}
	return results
}

// asJSON gives v as JSON would bring it back.
func asJSON(t testing.TB, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// scopesAt gives what an evaluation of a rule of at sees in the answers.
func scopesAt(at *Field, answers map[string]any, rows []int, cell string) (scopes []map[string]any, index int) {
	scopes = []map[string]any{answers}
	m := answers
	for _, c := range at.containers {
		switch c.Type {
		case Repeat:
			m, _ = m[c.Name].([]any)[rows[0]].(map[string]any)
			index, rows = rows[0]+1, rows[1:]
			scopes = append(scopes, m)
		case Matrix:
			m, _ = m[c.Name].(map[string]any)[cell].(map[string]any)
			index = 0
			scopes = append(scopes, m)
		default:
			m, _ = m[c.Name].(map[string]any)
		}
	}
	return scopes, index
}

func TestVectorsOfExpressions(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	env := v.env(t)
	var jobs []browserJob
	var wants []any
	var names []string
	for _, g := range v.Expressions {
		at := &Field{form: f}
		if g.At != "" {
			at, _ = f.Field(g.At)
		}
		scopes, index := scopesAt(at, g.Answers, g.Rows, g.Cell)
		for _, c := range g.Cases {
			name := g.About + ": " + c[0].(string)
			e, err := (&resolver{lib: f.lib, form: f, at: at, self: at}).parse(c[0].(string))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			ev := evaluation{world: &world{now: env.Now, lang: env.Lang, known: env.Known},
				scopes: scopes, index: index, self: g.Self, prev: g.Prev}
			if got := ev.value(e); !reflect.DeepEqual(norm(got), c[1]) {
				t.Errorf("%s is %#v, want %#v", name, got, c[1])
			}
			jobs = append(jobs, browserJob{Do: "expr", Tree: e, Scopes: scopes, Index: index, Self: g.Self, Prev: g.Prev})
			wants, names = append(wants, c[1]), append(names, name)
		}
	}
	if len(jobs) < 300 {
		t.Errorf("only %d vectors", len(jobs))
	}
	t.Run("in the browser", func(t *testing.T) {
		for i, got := range inBrowser(t, f, v, jobs) {
			if value := got.(map[string]any)["value"]; !reflect.DeepEqual(value, wants[i]) {
				t.Errorf("%s is %#v, want %#v", names[i], value, wants[i])
			}
		}
	})
}

func TestVectorsOfChecks(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	var jobs []browserJob
	for _, c := range v.Checks {
		env := v.env(t)
		env.Strict, env.Deciding = c.Strict, c.Deciding
		clean, problems := f.Check(c.Answers, env)
		compareCheck(t, c.About, clean, paths(problems), c.Clean, c.Problems)
		jobs = append(jobs, browserJob{Do: "check", Answers: c.Answers, Strict: c.Strict, Deciding: c.Deciding})
	}
	t.Run("in the browser", func(t *testing.T) {
		for i, got := range inBrowser(t, f, v, jobs) {
			result := got.(map[string]any)
			clean, _ := result["clean"].(map[string]any)
			var problems [][2]string
			for _, p := range result["problems"].([]any) {
				pair := p.([]any)
				problems = append(problems, [2]string{pair[0].(string), pair[1].(string)})
			}
			compareCheck(t, v.Checks[i].About, clean, problems, v.Checks[i].Clean, v.Checks[i].Problems)
		}
	})
}

func paths(problems []Problem) [][2]string {
	var out [][2]string
	for _, p := range problems {
		out = append(out, [2]string{p.Path, p.Code})
	}
	return out
}

func compareCheck(t *testing.T, about string, clean map[string]any, problems [][2]string, wantClean map[string]any, wantProblems [][2]string) {
	t.Helper()
	if len(problems)+len(wantProblems) > 0 && !reflect.DeepEqual(problems, wantProblems) {
		t.Errorf("%s: problems %v, want %v", about, problems, wantProblems)
	}
	if len(clean)+len(wantClean) > 0 && !reflect.DeepEqual(clean, wantClean) {
		t.Errorf("%s: kept %v, want %v", about, clean, wantClean)
	}
}

func TestVectorsOfAmendments(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	var jobs []browserJob
	for _, a := range v.Amendments {
		before := asJSON(t, a.Base)
		if got := f.Apply(a.Base, a.Changes); !reflect.DeepEqual(got, a.Merged) {
			t.Errorf("%s: %v, want %v", a.About, got, a.Merged)
		}
		if got := f.Apply(a.Base, f.Diff(a.Base, a.Merged)); !reflect.DeepEqual(got, a.Merged) {
			t.Errorf("%s: the difference does not lead there: %v", a.About, got)
		}
		if !reflect.DeepEqual(asJSON(t, a.Base), before) {
			t.Errorf("%s: the base was altered", a.About)
		}
		jobs = append(jobs, browserJob{Do: "apply", Answers: a.Base, Next: a.Changes}, browserJob{Do: "diff", Answers: a.Base, Next: a.Merged})
	}
	t.Run("in the browser", func(t *testing.T) {
		results := inBrowser(t, f, v, jobs)
		for i, a := range v.Amendments {
			if !reflect.DeepEqual(results[2*i], any(a.Merged)) {
				t.Errorf("%s: %v, want %v", a.About, results[2*i], a.Merged)
			}
			if want := asJSON(t, f.Diff(a.Base, a.Merged)); !reflect.DeepEqual(results[2*i+1], want) {
				t.Errorf("%s: the difference is %v, want %v", a.About, results[2*i+1], want)
			}
		}
	})
}
