package forms

// Speed: a check of a 60-field form (under 1 ms asked for) and the loading of
// all content (under 300 ms asked for).

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// sixty builds a form of 60 answered fields with rules on every one.
func sixty(b *testing.B) (*Form, map[string]any) {
	var s strings.Builder
	s.WriteString("form: f\nversion: 1\ntitle: F\nstream: case\nfilled_by: [case_worker]\nfields:\n")
	answers := map[string]any{}
	rows := []any{}
	for i := range 25 {
		fmt.Fprintf(&s, "  - {name: t%d, type: text, label: T, tier: story, required: true, constraint: \"string-length(.) < 200 and regex(., '[\\\\p{L}\\\\p{M}0-9 .]+')\"}\n", i)
		fmt.Fprintf(&s, "  - {name: n%d, type: integer, label: N, tier: coded, relevant: \"${t%d} != ''\", constraint: '. >= 0 and . <= 120'}\n", i, i)
		answers[fmt.Sprintf("t%d", i)] = "Nguyễn Văn A, ខ្មែរ"[:10]
		answers[fmt.Sprintf("n%d", i)] = float64(i)
	}
	s.WriteString("  - {name: day, type: date, label: D, tier: coded, constraint: '. <= today()'}\n  - {name: kinds, type: select_multiple, label: K, tier: coded, choices: [{code: a, label: A}, {code: b, label: B}]}\n")
	s.WriteString("  - {name: total, type: calculate, tier: coded, calculation: 'sum(${people.age}) + ${n3}'}\n  - name: people\n    type: repeat\n    label: P\n    fields:\n")
	for i := range 6 {
		fmt.Fprintf(&s, "      - {name: p%d, type: text, label: P, tier: identity, relevant: '${age} > 3'}\n", i)
	}
	s.WriteString("      - {name: age, type: integer, label: A, tier: coded, required: true}\n")
	for i := range 5 {
		row := map[string]any{RowID: fmt.Sprintf("row-%d", i), "age": float64(10 + i)}
		for j := range 6 {
			row[fmt.Sprintf("p%d", j)] = "words"
		}
		rows = append(rows, row)
	}
	answers["people"], answers["day"], answers["kinds"] = rows, "2026-01-01", []any{"a", "b"}
	lib, faults := Load(fstest.MapFS{"forms/f.yaml": {Data: []byte(s.String())}})
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	f, _ := lib.Form("f")
	if n := len(f.all); n < 60 {
		b.Fatalf("only %d fields", n)
	}
	return f, answers
}

func BenchmarkCheckOfSixtyFields(b *testing.B) {
	f, answers := sixty(b)
	if _, problems := f.Check(answers, Env{Now: noon}); len(problems) > 0 {
		b.Fatal(problems)
	}
	for b.Loop() {
		f.Check(answers, Env{Now: noon})
	}
}

func BenchmarkAmendOfSixtyFields(b *testing.B) {
	f, answers := sixty(b)
	clean, _ := f.Check(answers, Env{Now: noon})
	for b.Loop() {
		f.CheckAmend(clean, map[string]any{"n1": 7.0}, Env{Now: noon})
	}
}

func BenchmarkLoadOfAllContent(b *testing.B) {
	content := os.DirFS("../../content")
	if _, err := os.Stat("../../content/forms"); err != nil {
		b.Skip("content/forms is not there")
	}
	for b.Loop() {
		if _, faults := Load(content); len(faults) > 0 {
			b.Fatal(faults)
		}
	}
}
