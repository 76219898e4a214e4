package screening_test

// The instrument that ships: the vectors of the domain research, the same in
// the browser, and what must hold for every set of answers.

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"banyan/content"
	"banyan/internal/screening"
)

func instrument(t testing.TB) *screening.Instrument {
	t.Helper()
	set, faults := screening.Load(content.FS)
	for _, f := range faults {
		t.Error(f)
	}
	if set.InForce() == nil {
		t.Fatal("no instrument is in force")
	}
	return set.InForce()
}

type vector struct {
	About        string            `json:"about"`
	Profile      string            `json:"profile"`
	AdultCertain *bool             `json:"adult_certain"`
	Yes          []string          `json:"yes"`
	No           []string          `json:"no"`
	Unknown      []string          `json:"unknown"`
	Refused      []string          `json:"refused"`
	Others       string            `json:"others"` // the answer to all that is not named
	Brief        map[string]string `json:"brief"`
	Act          []string          `json:"act"`
	ObservedOnly bool              `json:"observed_only"`
	Disputed     []string          `json:"disputed"`
	Expect       struct {
		Class    string   `json:"class"`
		Positive []string `json:"positive"`
		Notes    []string `json:"notes"` // nil: not looked at
	} `json:"expect"`
}

func (v vector) input(in *screening.Instrument) screening.Input {
	q := screening.Input{Profile: v.Profile, AdultCertain: v.AdultCertain, Answers: map[string]string{}, Brief: v.Brief, Act: v.Act, ObservedOnly: v.ObservedOnly, Disputed: v.Disputed}
	if v.Others != "" {
		for _, c := range in.Codes() {
			q.Answers[c] = v.Others
		}
	}
	for answer, codes := range map[string][]string{screening.Yes: v.Yes, screening.No: v.No, screening.Open: v.Unknown, screening.Refused: v.Refused} {
		for _, c := range codes {
			q.Answers[c] = answer
		}
	}
	return q
}

func vectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var out []vector
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("vectors.json: %v", err)
	}
	return out
}

func TestVectors(t *testing.T) {
	in := instrument(t)
	var inputs []screening.Input
	for _, v := range vectors(t) {
		for _, c := range slices.Concat(v.Yes, v.No, v.Unknown, v.Refused) {
			if !slices.Contains(in.Codes(), c) {
				t.Errorf("%s: there is no indicator %s", v.About, c)
			}
		}
		q := v.input(in)
		inputs = append(inputs, q)
		r := in.Evaluate(q)
		if r.Class != v.Expect.Class {
			t.Errorf("%s: class %s, want %s", v.About, r.Class, v.Expect.Class)
		}
		positive := []string{}
		for _, d := range r.Dimensions {
			if d.Positive {
				positive = append(positive, d.ID)
			}
		}
		if !slices.Equal(positive, v.Expect.Positive) {
			t.Errorf("%s: positive %v, want %v", v.About, positive, v.Expect.Positive)
		}
		if v.Expect.Notes != nil && !slices.Equal(r.Notes, v.Expect.Notes) {
			t.Errorf("%s: notes %v, want %v", v.About, r.Notes, v.Expect.Notes)
		}
		if r.Status != "unverified" || r.Instrument != in.ID {
			t.Errorf("%s: the result does not say which draft it comes from: %+v", v.About, r)
		}
	}
	t.Run("in the browser", func(t *testing.T) { sameInBrowser(t, in, inputs) })
}

// TestBrowserAgreesOnRandomAnswers is the same for answers nobody thought of.
func TestBrowserAgreesOnRandomAnswers(t *testing.T) {
	in := instrument(t)
	rng := rand.New(rand.NewPCG(1, 2))
	var inputs []screening.Input
	for range 2000 {
		q := screening.Input{Profile: []string{"adult_labour", "child_labour", "sexual_exploitation", ""}[rng.IntN(4)], Answers: map[string]string{}, Act: []string{}}
		if b := rng.IntN(3); b < 2 {
			yes := b == 1
			q.AdultCertain = &yes
		}
		share := rng.IntN(100)
		for _, c := range in.Codes() {
			if rng.IntN(100) < share {
				q.Answers[c] = answers[rng.IntN(len(answers))]
			}
		}
		q.Brief = map[string]string{}
		for _, c := range in.Brief.Questions {
			if rng.IntN(100) < share {
				q.Brief[c] = answers[rng.IntN(len(answers))]
			}
		}
		if rng.IntN(2) == 0 {
			q.Act = []string{"transfer"}
		}
		inputs = append(inputs, q)
	}
	sameInBrowser(t, in, inputs)
}

var answers = []string{screening.Yes, screening.No, screening.Open, screening.Refused, ""}

// sameInBrowser evaluates in Node.js and holds every result to Go's.
func sameInBrowser(t *testing.T, in *screening.Instrument, inputs []screening.Input) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: the browser's arithmetic is not compared (scripts/test installs it)")
	}
	built := api.Build(api.BuildOptions{EntryPoints: []string{"testdata/runner.ts"}, Bundle: true, Platform: api.PlatformNode,
		Format: api.FormatCommonJS, Target: api.ES2022, LogLevel: api.LogLevelSilent})
	if len(built.Errors) > 0 {
		t.Fatalf("bundling the browser's arithmetic: %v", built.Errors[0].Text)
	}
	script := filepath.Join(t.TempDir(), "runner.cjs")
	if err := os.WriteFile(script, built.OutputFiles[0].Contents, 0o600); err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(map[string]any{"instrument": in.Describe("en"), "inputs": inputs})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, script)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("running the browser's arithmetic: %v\n%s", err, stderr.String())
	}
	var got []screening.Result
	if err := json.Unmarshal(out, &got); err != nil || len(got) != len(inputs) {
		t.Fatalf("%d results for %d inputs: %v", len(got), len(inputs), err)
	}
	for i, q := range inputs {
		want := in.Evaluate(q)
		if !reflect.DeepEqual(asJSON(t, got[i]), asJSON(t, want)) {
			t.Errorf("the browser gives %s, Go %s", asText(t, got[i]), asText(t, want))
			return
		}
	}
}

func asText(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func asJSON(t testing.TB, v any) any {
	t.Helper()
	var out any
	if err := json.Unmarshal([]byte(asText(t, v)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// anyInput draws a screening of any profile.
func anyInput(in *screening.Instrument) *rapid.Generator[screening.Input] {
	return rapid.Custom(func(t *rapid.T) screening.Input {
		q := screening.Input{Profile: rapid.SampledFrom([]string{"adult_labour", "child_labour", "sexual_exploitation"}).Draw(t, "profile"), Answers: map[string]string{}}
		if rapid.Bool().Draw(t, "asked about the age") {
			yes := rapid.Bool().Draw(t, "certainly adult")
			q.AdultCertain = &yes
		}
		for _, c := range in.Codes() {
			if a := rapid.SampledFrom(answers).Draw(t, c); a != "" {
				q.Answers[c] = a
			}
		}
		if rapid.Bool().Draw(t, "brief questions") {
			q.Brief = map[string]string{}
			for _, c := range in.Brief.Questions {
				q.Brief[c] = rapid.SampledFrom(answers).Draw(t, c)
			}
		}
		if rapid.Bool().Draw(t, "act") {
			q.Act = []string{"harbouring"}
		}
		return q
	})
}

// TestAFurtherYesNeverLowers: nobody is protected less for having said more.
func TestAFurtherYesNeverLowers(t *testing.T) {
	in := instrument(t)
	rapid.Check(t, func(t *rapid.T) {
		q := anyInput(in).Draw(t, "answers")
		before := in.Evaluate(q)
		more := q
		more.Answers = maps.Clone(q.Answers)
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			more.Act = []string{"transfer"}
		case 1:
			more.Brief = maps.Clone(q.Brief)
			if more.Brief == nil {
				more.Brief = map[string]string{}
			}
			code := rapid.SampledFrom(in.Brief.Questions).Draw(t, "question")
			more.Brief[code] = screening.Yes
			if !in.Brief.Sign(code, screening.Yes) {
				more.Brief[code] = screening.No
			}
		default:
			more.Answers[rapid.SampledFrom(in.Codes()).Draw(t, "indicator")] = screening.Yes
		}
		if after := in.Evaluate(more); in.Grave(after.Class, before.Class) < 0 {
			t.Fatalf("from %s to %s", before.Class, after.Class)
		}
	})
}

// TestANegativeNeedsKnowledge: "no indication" only when at least 70 % of the
// questions were answered with no, and never with a yes.
func TestANegativeNeedsKnowledge(t *testing.T) {
	in := instrument(t)
	rapid.Check(t, func(t *rapid.T) {
		q := anyInput(in).Draw(t, "answers")
		for c := range q.Answers { // a random yes is nearly always there: take them away in half of the draws
			if q.Answers[c] == screening.Yes && rapid.Bool().Draw(t, "without yes") {
				q.Answers[c] = screening.No
			}
		}
		r := in.Evaluate(q)
		if r.Class == "" || r.Rule == "" {
			t.Fatal("no result")
		}
		if r.Class != "no_indication" {
			return
		}
		for _, a := range q.Answers {
			if a == screening.Yes {
				t.Fatal("a yes, and no indication")
			}
		}
		for c, a := range q.Brief {
			if in.Brief.Sign(c, a) {
				t.Fatal("a brief sign, and no indication")
			}
		}
		a := r.Asked
		if r.Brief != nil && a.NotAsked == a.Of {
			a = &r.Brief.Asked
		}
		if 100*a.No < 70*a.Of {
			t.Fatalf("no indication, and %d of %d answered with no", a.No, a.Of)
		}
	})
}

// TestOrderDoesNotMatter: the same answers in another order of dimensions and
// of acts give the same class and the same counts.
func TestOrderDoesNotMatter(t *testing.T) {
	in := instrument(t)
	rapid.Check(t, func(t *rapid.T) {
		q := anyInput(in).Draw(t, "answers")
		shuffled := *in
		shuffled.Dimensions = rapid.Permutation(in.Dimensions).Draw(t, "dimensions")
		for i, d := range shuffled.Dimensions {
			d.Indicators = rapid.Permutation(d.Indicators).Draw(t, "indicators")
			shuffled.Dimensions[i] = d
		}
		a, b := in.Evaluate(q), shuffled.Evaluate(q)
		if a.Class != b.Class || a.Rule != b.Rule || !reflect.DeepEqual(a.Asked, b.Asked) {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

// TestACaseInDoubtIsAChild: an adult's result never comes from doubt.
func TestACaseInDoubtIsAChild(t *testing.T) {
	in := instrument(t)
	rapid.Check(t, func(t *rapid.T) {
		q := anyInput(in).Draw(t, "answers")
		doubt := false
		q.AdultCertain = &doubt
		child := q
		child.Profile = "child_labour"
		r := in.Evaluate(q)
		if !r.Child {
			t.Fatal("the rules for an adult were used")
		}
		if r.Scored && r.Class != in.Evaluate(child).Class {
			t.Fatalf("%s, and as a child %s", r.Class, in.Evaluate(child).Class)
		}
	})
}

// TestAnAnswerIsTheResultsJSON: what is sealed is what can be read back.
func TestAnAnswerIsTheResultsJSON(t *testing.T) {
	in := instrument(t)
	rapid.Check(t, func(t *rapid.T) {
		q := anyInput(in).Draw(t, "answers")
		q.ObservedOnly = rapid.Bool().Draw(t, "observed")
		if rapid.Bool().Draw(t, "in dispute") {
			q.Disputed = []string{"answers.D1.job"}
		}
		r := in.Evaluate(q)
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		if got := r.Answer(); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, as JSON %v", got, want)
		}
		if back, ok := screening.FromAnswer(r.Answer()); !ok || !reflect.DeepEqual(back.Answer(), want) {
			t.Fatalf("read back as %+v", back)
		}
	})
}

// TestIndicatorsAreThoseOfTheCodeList: a question without a weight would be
// asked for nothing.
func TestIndicatorsAreThoseOfTheCodeList(t *testing.T) {
	in := instrument(t)
	data, err := fs.ReadFile(content.FS, "codelists/"+in.Indicators+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Codes []struct {
			Code string `yaml:"code"`
		} `yaml:"codes"`
	}
	if err := yaml.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, c := range list.Codes {
		codes = append(codes, c.Code)
	}
	if !slices.Equal(codes, in.Codes()) {
		t.Errorf("the code list has %v, the instrument %v", codes, in.Codes())
	}
	adult, child, counts := 0, 0, []int{}
	for _, d := range in.Dimensions {
		counts = append(counts, len(d.Indicators))
		for _, i := range d.Indicators {
			if i.Adult != screening.None {
				adult++
			}
			if i.Child != screening.None {
				child++
			}
		}
	}
	// The counts that the domain research gives for the source.
	if adult != 67 || child != 65 || !slices.Equal(counts, []int{10, 10, 16, 9, 15, 7}) {
		t.Errorf("%d indicators for adults, %d for children, in dimensions of %v", adult, child, counts)
	}
}

// TestEveryLanguageHasEveryWord: a class without words would be shown as a code.
func TestEveryLanguageHasEveryWord(t *testing.T) {
	in := instrument(t)
	english := in.Describe("en")
	for _, lang := range []string{"vi", "km"} {
		d := in.Describe(lang)
		for i, c := range d.Classes {
			if c.Label == english.Classes[i].Label || c.Advice == english.Classes[i].Advice {
				t.Errorf("%s: class %s is not translated", lang, c.ID)
			}
		}
		for i, r := range d.Rules {
			if r.Text == english.Rules[i].Text {
				t.Errorf("%s: rule %s is not translated", lang, r.ID)
			}
		}
		for i, m := range d.Dimensions {
			if m.Name == english.Dimensions[i].Name {
				t.Errorf("%s: dimension %s is not translated", lang, m.ID)
			}
		}
	}
}

// BenchmarkResult is what each opening of a case with a screening pays.
func BenchmarkResult(b *testing.B) {
	set, _ := screening.Load(content.FS)
	rows := map[string]any{}
	for i, c := range set.InForce().Codes() {
		rows[c] = answers[i%3]
	}
	filled := map[string]any{"profile": "child_labour", "answers": rows, "act": []any{"transfer"}}
	for b.Loop() {
		result, _ := set.Result(filled)
		if result.Answer() == nil {
			b.Fatal("no answer")
		}
	}
}
