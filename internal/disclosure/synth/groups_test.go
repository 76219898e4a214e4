package synth

import (
	"fmt"
	"strings"
	"testing"

	"banyan/internal/disclosure/evaluate"
	"banyan/internal/disclosure/table"

	"pgregory.net/rapid"
)

func TestNoRecordIsOfOneCaseAlone(t *testing.T) {
	left := 0
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString("a,b,case,c\n")
		for i := range rapid.IntRange(4, 40).Draw(t, "cases") {
			size := rapid.SampledFrom([]int{1, 1, 2, 5, 12}).Draw(t, "persons")
			code := func(l string) string { return rapid.SampledFrom([]string{"1", "1", "2", "3", ""}).Draw(t, l) }
			a, bb, c := code("a"), code("b"), code("c")
			for range size {
				fmt.Fprintf(&b, "%s,%s,case%d,%s\n", a, bb, i, c)
			}
		}
		tab, err := table.ReadCSV(strings.NewReader(b.String()), table.Options{Group: "case"})
		if err != nil {
			t.Fatal(err)
		}
		k := rapid.IntRange(2, 8).Draw(t, "k")
		got := kanonymous(t, tab, k, 3)
		if got.Rows() != tab.Rows() || got.ColumnIndex("case") >= 0 {
			t.Fatalf("%d rows of %d; columns %v", got.Rows(), tab.Rows(), got.Columns)
		}
		for i := range got.Rows() {
			row, n, cases := got.Row(i), 0, map[uint32]bool{}
			for j := range tab.Rows() {
				if holds(tab.Row(j), row) {
					n++
					cases[tab.Group(j)] = true
				}
			}
			if len(row) > 0 && (n < k || len(cases) < 2) {
				t.Fatalf("record %v is shared by %d persons of %d cases, k is %d", row, n, len(cases), k)
			}
		}
		if n := evaluate.OneCaseRows(tab, got); n != 0 {
			t.Fatalf("the attack finds %d records of one case", n)
		}
		left += evaluate.OneCaseRows(tab, tab)
	})
	if left == 0 {
		t.Error("no case was ever alone in the data: the test tries nothing")
	}
}
