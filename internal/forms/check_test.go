package forms

// Checking: limits, privacy of messages, references, server-given values.
// What each rule of a form does stands in testdata/vectors.json.

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("ICT", 7*3600))

func codesOf(problems []Problem) string {
	var out []string
	for _, p := range problems {
		out = append(out, p.Path+" "+p.Code)
	}
	return strings.Join(out, "; ")
}

func TestCheckHoldsTheLimitsOfAnswers(t *testing.T) {
	f := trialForm(t)
	long := func(n int) string { return strings.Repeat("ក", n) }
	many := func(n int) []any { return make([]any, n) }
	cases := []struct {
		name    string
		answers map[string]any
		want    string
	}{
		{"a long text at its limit", map[string]any{"story": long(MaxLongText)}, ""},
		{"a long text past it", map[string]any{"story": long(MaxLongText + 1)}, "story too_long"},
		{"not a number", map[string]any{"d": math.NaN()}, "d number_range"},
		{"infinity", map[string]any{"d": math.Inf(-1)}, "d number_range"},
		{"a part that is not a number", map[string]any{"span": map[string]any{"from": math.NaN()}}, "span.from number_range"},
		{"bytes that are no text", map[string]any{"story": "a\xffb"}, "story utf8"},
		{"a zero byte", map[string]any{"story": "a\x00b"}, "story control"},
		{"more files than 50", map[string]any{"papers": many(51)}, "papers too_many"},
		{"more references than 100", map[string]any{"partners": many(101)}, "partners too_many"},
		{"ten thousand rows", map[string]any{"people": many(10000)}, "people too_many"},
		{"a megabyte and more", map[string]any{"story": strings.Repeat("x", MaxAnswers)}, " too_big"},
		{"many small answers", map[string]any{"kinds": many(200000)}, " too_big"},
		{"numbers of Go", map[string]any{"n": 5, "d": int64(2), "names": []string{"a"}}, ""},
		{"a number as JSON keeps it", map[string]any{"n": json.Number("5")}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, problems := f.CheckPartial(c.answers, Env{Now: noon}); codesOf(problems) != c.want {
				t.Errorf("problems %q, want %q", codesOf(problems), c.want)
			}
		})
	}
}

func TestCheckKeepsRowLimitsOfTheField(t *testing.T) {
	form := "form: f\nversion: 1\ntitle: F\nstream: case\nfilled_by: [case_worker]\nfields:\n" +
		"  - {name: r, type: repeat, label: R, tier: coded, fields: [{name: a, type: text, label: A}]}\n" +
		"  - {name: big, type: repeat, label: B, tier: coded, max_rows: 300, fields: [{name: a, type: text, label: A}]}\n"
	lib, faults := Load(fstest.MapFS{"forms/f.yaml": {Data: []byte(form)}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	f, _ := lib.Form("f")
	rows := func(n int) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = map[string]any{RowID: fmt.Sprintf("row-%d", i)}
		}
		return out
	}
	for _, c := range []struct {
		field string
		n     int
		want  string
	}{{"r", MaxRows, ""}, {"r", MaxRows + 1, "r too_many"}, {"big", 300, ""}, {"big", 301, "big too_many"}} {
		if _, problems := f.Check(map[string]any{c.field: rows(c.n)}, Env{}); codesOf(problems) != c.want {
			t.Errorf("%d rows of %s: %q, want %q", c.n, c.field, codesOf(problems), c.want)
		}
	}
}

func TestCheckNeverRepeatsWhatWasSubmitted(t *testing.T) {
	f := trialForm(t)
	const secret = "Zyxwvut"
	answers := map[string]any{secret: secret, "people": []any{map[string]any{secret: 1.0, RowID: secret + " "}, secret},
		"risk": map[string]any{secret + " x": secret, "home": secret}, "age": map[string]any{"basis": secret + "!", secret: 1.0}}
	for name := range f.byPath {
		if _, taken := answers[name]; !taken && !strings.Contains(name, ".") {
			answers[name] = secret + "\x01"
		}
	}
	_, problems := f.Check(answers, Env{Now: noon, Exists: func(string, string) bool { return false }})
	if len(problems) < 25 {
		t.Fatalf("only %d problems", len(problems))
	}
	data, err := json.Marshal(problems)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), secret) {
		t.Errorf("a problem repeats the answer: %s", data)
	}
}

func TestCheckSpeaksTheReadersLanguage(t *testing.T) {
	f := trialForm(t)
	answers := map[string]any{"n": 101.0, "kinds": []any{"b"}, "day": "1800-01-01"}
	for lang, want := range map[string][]string{
		"en": {"Give a date between 1900 and 2100.", "Please answer this.", "Between 0 and 100", "Say why"},
		"vi": {"Hãy nhập ngày trong khoảng từ năm 1900 đến năm 2100.", "Vui lòng trả lời mục này.", "Từ 0 đến 100", "Say why"},
	} {
		_, problems := f.Check(answers, Env{Now: noon, Lang: lang})
		var got []string
		for _, p := range problems {
			got = append(got, p.Message)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}

func TestEveryMessageExistsInBothLanguages(t *testing.T) {
	for code := range messagesEnglish {
		if messagesVietnamese[code] == "" {
			t.Errorf("no Vietnamese message for %s", code)
		}
	}
	lib, _ := Load(fstest.MapFS{"lang/th.yaml": {Data: []byte("language: th\nstatus: drafted\nmessages: {required: กรุณาตอบ}\n")}})
	if got := lib.Messages("th"); got[ProblemRequired] != "กรุณาตอบ" || got[ProblemCode] != messagesEnglish[ProblemCode] {
		t.Errorf("messages of a catalogue: %v", got)
	}
}

func TestCheckAsksWhetherReferencesExist(t *testing.T) {
	f := trialForm(t)
	var asked []string
	env := Env{Now: noon, Exists: func(kind, id string) bool {
		asked = append(asked, kind+" "+id)
		return id != "gone"
	}}
	answers := map[string]any{"name": "A", "helper": "org-1", "partners": []any{"org-2", "gone"},
		"papers": []any{map[string]any{"id": "gone", "sha256": strings.Repeat("0", 64)}}}
	_, problems := f.Check(answers, env)
	if got, want := codesOf(problems), "papers[0] reference; partners[1] reference"; got != want {
		t.Errorf("problems %q, want %q", got, want)
	}
	if got := strings.Join(asked, ", "); got != "file gone, org org-1, org org-2, org gone" {
		t.Errorf("asked for %s", got)
	}
}

func TestCheckFillsWhatTheServerGives(t *testing.T) {
	f := trialForm(t)
	n := 0
	env := Env{Now: noon, Auto: func(path string) any { return "CASE-7 " + path },
		NewID: func() string { n++; return fmt.Sprintf("made-%d", n) }}
	clean, problems := f.Check(map[string]any{"name": "A", "code": "forged", "people": []any{map[string]any{"name": "B"}}}, env)
	if len(problems) > 0 || clean["code"] != "CASE-7 code" || rowID(clean["people"].([]any)[0]) != "made-1" {
		t.Errorf("clean %v, problems %v", clean, problems)
	}
}

func TestCheckSharesNothingWithItsInput(t *testing.T) {
	f := trialForm(t)
	answers := map[string]any{"name": "A", "age": map[string]any{"years": 3.0, "observed_on": "2026-01-01"},
		"people": []any{map[string]any{RowID: "r001", "name": "B"}}}
	before, _ := json.Marshal(answers)
	clean, _ := f.Check(answers, Env{Now: noon})
	clean["age"].(map[string]any)["years"] = 99.0
	clean["people"].([]any)[0].(map[string]any)["name"] = "C"
	if after, _ := json.Marshal(answers); string(after) != string(before) {
		t.Errorf("the input became %s", after)
	}
}

func TestMissingNamesWhatIsStillToAnswer(t *testing.T) {
	f := trialForm(t)
	got := f.Missing(map[string]any{"flag": true, "kinds": []any{"b"}, "people": []any{map[string]any{RowID: "r001"}}, "n": 500.0}, Env{Now: noon})
	if want := []string{"name", "ack", "why", "people[0].name", "risk"}; !reflect.DeepEqual(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
}

func TestAnExpressionThatTakesTooLongIsReported(t *testing.T) {
	row := "{name: r%d, type: repeat, label: R, tier: coded, max_rows: 1000, fields: [{name: a, type: integer, label: A}]}"
	form := "form: f\nversion: 1\ntitle: F\nstream: case\nfilled_by: [case_worker]\nfields:\n" +
		"  - " + fmt.Sprintf(row, 1) + "\n  - " + fmt.Sprintf(row, 2) + "\n" +
		"  - {name: c, type: calculate, tier: coded, calculation: '${r1.a} = ${r2.a}'}\n"
	lib, faults := Load(fstest.MapFS{"forms/f.yaml": {Data: []byte(form)}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	f, _ := lib.Form("f")
	rows := func(value float64) []any {
		out := make([]any, 1000)
		for i := range out {
			out[i] = map[string]any{RowID: fmt.Sprintf("row-%d", i), "a": value}
		}
		return out
	}
	clean, problems := f.Check(map[string]any{"r1": rows(1), "r2": rows(2)}, Env{})
	if codesOf(problems) != "c too_complex" || clean["c"] != nil {
		t.Errorf("problems %q, value %v", codesOf(problems), clean["c"])
	}
}

func TestACheckEndsHoweverManyRowsThereAre(t *testing.T) {
	var s strings.Builder
	s.WriteString("form: f\nversion: 1\ntitle: F\nstream: case\nfilled_by: [case_worker]\nfields:\n  - name: r\n    type: repeat\n    label: R\n    tier: coded\n    max_rows: 1000\n    fields:\n      - {name: a, type: integer, label: A}\n")
	for i := range 20 {
		fmt.Fprintf(&s, "      - {name: c%d, type: calculate, calculation: 'sum(${r.a}) + %d'}\n", i, i)
	}
	lib, faults := Load(fstest.MapFS{"forms/f.yaml": {Data: []byte(s.String())}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	f, _ := lib.Form("f")
	rows := make([]any, 1000)
	for i := range rows {
		rows[i] = map[string]any{RowID: fmt.Sprintf("row-%d", i), "a": 1.0}
	}
	_, problems := f.Check(map[string]any{"r": rows}, Env{})
	if len(problems) == 0 || problems[0].Code != ProblemComplex {
		t.Errorf("20,000 sums over 1,000 rows were all computed: %q", codesOf(problems))
	}
}

func TestParserKeepsItsLimits(t *testing.T) {
	cases := []struct{ name, src, want string }{
		{"length", strings.Repeat(" ", MaxExprLength) + "1", "longer than"},
		{"brackets", strings.Repeat("(", MaxExprDepth+1) + "1" + strings.Repeat(")", MaxExprDepth+1), "nested deeper"},
		{"calls", strings.Repeat("not(", MaxExprDepth+1) + "1" + strings.Repeat(")", MaxExprDepth+1), "nested deeper"},
		{"signs", strings.Repeat("-", MaxExprDepth+1) + "1", "nested deeper"},
		{"operators in a row", "1" + strings.Repeat("+1", 202), "in a row"},
		{"parts", "concat(" + strings.Repeat("1,", MaxExprNodes) + "1)", "more than 1000 parts"},
		{"bytes that are no text", "'\xff'", "not valid UTF-8"},
		{"nothing", " ", "empty expression"},
		{"chained comparisons", "1 < 2 < 3", "do not chain"},
		{"text without end", "'abc", "without its closing"},
		{"reference without end", "${abc", "without its }"},
		{"two values", "1 2", "unexpected"},
		{"a number that is none", "1.2.3", "not a number"},
		{"a letter after a number", "12a", "not a number"},
		{"a strange character", "1 # 2", "unexpected '#'"},
		{"position of something else", "position(1)", "position(..)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseTree(c.src); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := parseTree(strings.Repeat("(", MaxExprDepth-1) + "1" + strings.Repeat(")", MaxExprDepth-1)); err != nil {
		t.Errorf("just deep enough: %v", err)
	}
}

func TestPatternsOutsideTheSharedPartAreRefused(t *testing.T) {
	for _, p := range []string{"(?i)a", "a*?", "a**", "(a*)*", "(a+b)+", "((a{2,})x)*", `\1`, `\bx`, "a(?=b)", "(?P<n>a)", "[", "[]", "[z-a]", "[a[b]", "a)", "(a", "a{", "a{1001}", "a{3,2}", `\p{Greek}`, `\q`, "a\\", "x^", "$x", "*a", "]", "}", `[\W]`, `[\d-z\q]`} {
		if got, err := portablePattern(p); err == nil {
			t.Errorf("%q became %q", p, got)
		}
	}
}
