package forms

// Random forms of life: generated expressions and answers, on which the Go and
// the browser's engine must agree, and laws that hold for all of them.

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	sampleNumbers = []string{"0", "1", "2", "3", "7", "10", "0.1", "0.5", "2.5", "100", "1000000", "999999999999999"}
	sampleTexts   = []string{"", "a", "b", "kin", "5", "-2", "1.50", "true", "false", "2026-11-22", "2024-02-29", "2026-11-20T23:30:00+07:00", "2026-11-20T16:30:00Z", "ខ្មែរ", "😀", "Lê", " ", "x y"}
	sampleRefs    = []string{"n", "d", "name", "day", "at", "flag", "sex", "kinds", "names", "age", "age.years", "loc", "loc.lat", "cost.amount", "span.from", "period.to", "box.inner", "deep", "people", "people.age", "people.name", "people.role", "people.pets.legs", "risk", "risk.home", "risk.*", "needs.*.score", "needs.food.level", "total", "past_age"}
	samplePattern = []string{"[a-z]+", ".*", "\\d{1,3}", "\\p{L}+", "(a|b)?", "[^a]"}
	operators     = []string{"+", "-", "*", "div", "mod", "=", "!=", "<", "<=", ">", ">=", "and", "or"}
)

func genExpr(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string { return drawExpr(t, depth) })
}

func pick(t *rapid.T, from []string) string { return rapid.SampledFrom(from).Draw(t, "one") }

func drawExpr(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 11).Draw(t, "kind")
	if depth == 0 {
		kind %= 4
	}
	sub := func() string { return drawExpr(t, depth-1) }
	switch kind {
	case 0:
		return pick(t, sampleNumbers)
	case 1:
		return "'" + pick(t, sampleTexts) + "'"
	case 2, 3:
		return "${" + pick(t, sampleRefs) + "}"
	case 4, 5, 6:
		return "(" + sub() + " " + pick(t, operators) + " " + sub() + ")"
	case 7:
		return pick(t, []string{"not", "count", "count-selected", "sum", "min", "max", "int", "round", "number", "string", "date", "string-length", "age-in-years", "concat", "coalesce", "- "}) + "(" + sub() + ")"
	case 8:
		return pick(t, []string{"selected", "sum", "min", "max", "contains", "starts-with", "concat", "coalesce", "round", "date-diff-days", "add-days", "age-in-years"}) + "(" + sub() + ", " + sub() + ")"
	case 9:
		return "if(" + sub() + ", " + sub() + ", " + sub() + ")"
	case 10:
		return "regex(" + sub() + ", '" + pick(t, samplePattern) + "')"
	}
	return pick(t, []string{"today()", "now()", "true()", "false()", "known('first.nickname')", "jr:choice-name(${kinds}, 'kinds')",
		"indexed-repeat(${people.age}, ${people}, " + sub() + ")"})
}

// genAnswers makes answers of which about half follow every rule of the trial
// form and the others break some.
func genAnswers(f *Form) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		d := drawer{T: t, tidy: rapid.Bool().Draw(t, "tidy")}
		return d.object(f.Fields, "")
	})
}

// drawer draws answers; a tidy one draws sound ones.
type drawer struct {
	*rapid.T
	tidy bool
}

var oddValues = []any{nil, "", "x", 5.0, -1.5, true, []any{}, []any{"a", 3.0}, map[string]any{}, map[string]any{"x": 1.0}, "2026-02-30", 1e16}

func (d drawer) object(fields []*Field, id string) map[string]any {
	out := map[string]any{}
	if id != "" {
		out[RowID] = id
	}
	for _, f := range fields {
		dice := rapid.IntRange(0, 19).Draw(d.T, f.Name)
		needed := d.tidy && (f.Required || f.RequiredWhen != nil)
		switch {
		case !f.Type.HoldsAnswer() || (dice < 7 && !needed):
		case dice == 7 && !d.tidy:
			out[f.Name] = rapid.SampledFrom(oddValues).Draw(d.T, "odd")
		default:
			out[f.Name] = d.answer(f)
		}
	}
	if !d.tidy && rapid.IntRange(0, 30).Draw(d.T, "stray") == 0 {
		out["stray"] = "x"
	}
	return out
}

// of draws from the sound values, or, untidily, from all.
func (d drawer) of(sound []any, odd ...any) any {
	if !d.tidy {
		sound = append(sound, odd...)
	}
	return rapid.SampledFrom(sound).Draw(d.T, "value")
}

func (d drawer) number() float64 {
	if d.tidy {
		return float64(rapid.IntRange(0, 100).Draw(d.T, "number"))
	}
	return float64(rapid.IntRange(-3, 140).Draw(d.T, "number"))
}

func (d drawer) answer(f *Field) any {
	switch f.Type {
	case Text:
		return d.of([]any{"+84 90 12", "0123456"}, "An", "Lê Văn", " ", "ខ្មែរ")
	case LongText:
		return d.of([]any{"a\r\nb", "ខ្មែរ"}, "\u0007")
	case Integer:
		return d.number()
	case Decimal:
		return d.number() / 4
	case Boolean:
		return rapid.Bool().Draw(d.T, "bool")
	case Acknowledge:
		return d.of([]any{true}, false)
	case Date:
		return d.of([]any{"2026-11-22", "2020-02-29", "1901-01-01"}, "2026-11-23")
	case DateTime:
		return d.of([]any{"2026-11-22T10:00:00Z", "2026-11-20T23:30:00+07:00"})
	case SelectOne:
		if f.Name == "town" { // its filter needs the province
			return d.of([]any{""}, "lake", "port")
		}
		return d.of([]any{f.List.Codes[0].Code, f.List.Codes[len(f.List.Codes)-1].Code})
	case SelectMultiple:
		list := []any{}
		for _, c := range f.List.Codes {
			if rapid.Bool().Draw(d.T, "chosen") {
				list = append([]any{c.Code}, list...)
			}
		}
		return list
	case ListOf:
		return d.of([]any{[]any{"a"}, []any{"b", "a", "b"}, []any{" "}})
	case Group:
		return d.object(f.Fields, "")
	case Repeat:
		rows := []any{}
		for i := range rapid.IntRange(0, 3).Draw(d.T, "rows") {
			rows = append(rows, d.object(f.Fields, fmt.Sprintf("row-%d", i)))
		}
		return rows
	case Matrix:
		return d.matrix(f)
	case Age:
		return d.of([]any{map[string]any{"years": 12.0, "observed_on": "2026-01-15"}, map[string]any{"dob": "2008-02-29"}}, map[string]any{"years": 3.0})
	case Location:
		return d.of([]any{map[string]any{"country": "KHM"}, map[string]any{"country": "VNM", "lat": 1.0, "lon": 2.5}}, map[string]any{"adm1": "KH1"})
	case Money:
		return d.of([]any{map[string]any{"amount": "3.50", "currency": "KHR"}}, map[string]any{"amount": "x"})
	case Range:
		return d.of([]any{map[string]any{"from": 1.0, "to": 2.0}}, map[string]any{"from": 3.0, "to": 2.0})
	case DateRange:
		return d.of([]any{map[string]any{"from": "2026-01-01"}, map[string]any{"from": "2026-01-01", "to": "2026-03-01"}})
	case Files:
		return []any{map[string]any{"id": "f1", "sha256": strings.Repeat("a", 64)}}
	}
	if f.Multiple {
		return []any{"org-1", "org-2"}
	}
	return "org-1"
}

func (d drawer) matrix(f *Field) any {
	cells := map[string]any{}
	for _, c := range f.Rows.Codes {
		if !d.tidy && !rapid.Bool().Draw(d.T, "answered") {
			continue
		}
		if len(f.Fields) > 0 {
			cells[c.Code] = d.object(f.Fields, "")
		} else {
			cells[c.Code] = f.List.Codes[0].Code
		}
	}
	return cells
}

const randomCases = 1500

func TestRandomExpressionsMeanTheSameInTheBrowser(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	env := v.env(t)
	at := &Field{form: f}
	var jobs []browserJob
	var sources []string
	var wants []map[string]any
	for seed := 0; len(jobs) < randomCases && seed < 20*randomCases; seed++ {
		src := genExpr(4).Example(seed)
		e, err := (&resolver{lib: f.lib, form: f, at: at}).parse(src)
		if err != nil {
			continue // a mistake that loading would have named
		}
		answers := asJSON(t, genAnswers(f).Example(seed)).(map[string]any)
		ev := evaluation{world: &world{now: env.Now, lang: English, known: env.Known}, scopes: []map[string]any{answers}}
		got := norm(ev.value(e))
		wants = append(wants, map[string]any{"value": asJSON(t, got), "spent": ev.spent})
		jobs = append(jobs, browserJob{Do: "expr", Tree: e, Scopes: []map[string]any{answers}})
		sources = append(sources, src)
	}
	if len(jobs) < randomCases {
		t.Fatalf("only %d of the random expressions load", len(jobs))
	}
	for i, got := range inBrowser(t, f, v, jobs) {
		if !reflect.DeepEqual(got, any(wants[i])) {
			answers, _ := json.Marshal(jobs[i].Scopes[0])
			t.Errorf("%s\n is %v in the browser, %v here, with %s", sources[i], got, wants[i], answers)
		}
	}
}

func TestRandomAnswersAreCheckedTheSameInTheBrowser(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	var jobs []browserJob
	var wants []any
	sound := 0
	for seed := range randomCases {
		answers := asJSON(t, genAnswers(f).Example(seed)).(map[string]any)
		env := v.env(t)
		env.Strict, env.Deciding = seed%2 == 0, seed%3 == 0
		clean, problems := f.Check(answers, env)
		job := browserJob{Do: "check", Answers: answers, Strict: env.Strict, Deciding: env.Deciding}
		if seed%5 == 0 {
			clean, problems = f.CheckPartial(answers, env)
			job.Do = "partial"
		}
		if len(problems) == 0 {
			sound++
		}
		pairs := [][2]string{}
		pairs = append(pairs, paths(problems)...)
		jobs, wants = append(jobs, job), append(wants, asJSON(t, map[string]any{"clean": clean, "problems": pairs}))
	}
	if sound < randomCases/5 {
		t.Errorf("only %d of %d random answers have no problem", sound, len(jobs))
	}
	for i, got := range inBrowser(t, f, v, jobs) {
		if !reflect.DeepEqual(got, wants[i]) {
			answers, _ := json.Marshal(jobs[i].Answers)
			t.Errorf("%s\n gives %v\n in the browser, %v\n here", answers, got, wants[i])
		}
	}
}

func TestPrefillIsTheSameInTheBrowser(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	answers, from := f.Prefill(v.env(t))
	got := inBrowser(t, f, v, []browserJob{{Do: "prefill"}})[0]
	if want := asJSON(t, map[string]any{"answers": answers, "from": from}); !reflect.DeepEqual(got, want) {
		t.Errorf("in the browser %v, here %v", got, want)
	}
}

func TestCheckedAnswersStayAsTheyAreWhenCheckedAgain(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	env := v.env(t)
	rapid.Check(t, func(t *rapid.T) {
		clean, problems := f.Check(genAnswers(f).Draw(t, "answers"), env)
		again, more := f.check(clean, env, true)
		if len(problems) == 0 && (len(more) > 0 || !reflect.DeepEqual(clean, again)) {
			t.Fatalf("%v became %v with %v", clean, again, more)
		}
	})
}

func TestSplitAnswersJoinAgain(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	env := v.env(t)
	rapid.Check(t, func(t *rapid.T) {
		clean, _ := f.CheckPartial(genAnswers(f).Draw(t, "answers"), env)
		dropNameless(clean)
		if got := f.MergeTiers(f.SplitTiers(clean)); !reflect.DeepEqual(got, clean) {
			t.Fatalf("%v came back as %v", clean, got)
		}
	})
}

// dropNameless removes rows whose id was refused: they never reach a record.
func dropNameless(m map[string]any) {
	rows, _ := m["people"].([]any)
	for _, r := range rows {
		if m, ok := r.(map[string]any); ok && m[RowID] == nil {
			delete(m, "people")
		}
	}
}

func TestDifferencesLeadFromOneToTheOther(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	env := v.env(t)
	rapid.Check(t, func(t *rapid.T) {
		a, _ := f.CheckPartial(genAnswers(f).Draw(t, "before"), env)
		b, _ := f.CheckPartial(genAnswers(f).Draw(t, "after"), env)
		changes := f.Diff(a, b)
		if got := f.Apply(a, changes); !sameRows(f.Fields, got, b) {
			t.Fatalf("from %v\n by %v\n to %v\n instead of %v", a, changes, got, b)
		}
		joined := f.MergeTiers(f.SplitTiers(changes))
		if got := f.Apply(a, joined); !sameRows(f.Fields, got, b) {
			t.Fatalf("changes %v lost something on their way through the tiers: %v", changes, joined)
		}
	})
}

// sameRows compares answers whatever the order of rows.
func sameRows(fields []*Field, a, b map[string]any) bool {
	return reflect.DeepEqual(byID(a), byID(b))
}

func byID(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range x {
			out[k] = byID(e)
		}
		return out
	case []any:
		out := map[string]any{}
		for i, e := range x {
			id := rowID(e)
			if id == "" {
				id = fmt.Sprint(i)
			}
			out[id] = byID(e)
		}
		return out
	}
	return v
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{"${a.b} + 1 = .", "if(selected(${x}, 'a'), 1, 'b')", "not(. < today()) or position(..) mod 2 = 1", "((((", "'", "${", "- -1", "a-b(", "\xff"} {
		f.Add(src)
	}
	form := trialForm(f)
	at, _ := form.Field("people.phone")
	f.Fuzz(func(t *testing.T, src string) {
		e, err := (&resolver{lib: form.lib, form: form, at: at, self: at}).parse(src)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "character ") {
				t.Fatalf("a fault without its place: %v", err)
			}
			return
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{"age": 20.0, "name": "x"}
		ev := evaluation{world: &world{}, scopes: []map[string]any{{"people": []any{row}}, row}, index: 1}
		ev.value(e)
	})
}

func FuzzPattern(f *testing.F) {
	for _, p := range []string{"a+", `\+?[0-9 ]{6,20}`, "[^a-z]", "(a|b){2}", `\p{L}`, "[", "a{1001}"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		portable, err := portablePattern(p)
		if err != nil {
			return
		}
		mustCompile(t, portable)
	})
}
