package suppress

import (
	"fmt"
	"strings"
	"testing"

	"banyan/internal/disclosure/table"
)

func grouped(t *testing.T, text string) *table.Table {
	t.Helper()
	tab, err := table.ReadCSV(strings.NewReader(text), table.Options{Group: "case"})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestACellOfOneCaseIsHiddenHoweverManyPersonsItHas(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("place,case,work\n")
	add := func(n int, place, work, name string) {
		for i := range n {
			if name == "apart" {
				fmt.Fprintf(&rows, "%s,,%s\n", place, work) // nobody with them
				continue
			}
			fmt.Fprintf(&rows, "%s,%s%d,%s\n", place, name, i/40, work)
		}
	}
	add(15, "N", "farm", "c1-")    // 15 persons of one case
	add(30, "N", "sea", "c2-")     // 30 of one case …
	add(9, "N", "sea", "apart")    // … 77 % of the cell
	add(30, "S", "farm", "c3-")    // 30 of one case …
	add(10, "S", "farm", "apart")  // … 75 % of the cell
	add(40, "S", "sea", "apart")   // 40 of no case: 40 groups
	add(200, "W", "farm", "apart") // enough others for totals
	add(200, "W", "sea", "apart")
	by := [][]string{{"place", "work"}}
	x, err := Count(grouped(t, rows.String()), by)
	if err != nil {
		t.Fatal(err)
	}
	if found, tried := x.OneCaseShown(nil); found < 2 || tried != len(x.Cells) {
		t.Fatalf("before hiding: %d of %d", found, tried)
	}
	if _, err := x.Protect(Options{Threshold: 11}); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"place=N;work=farm": true, "place=N;work=sea": true, "place=S;work=farm": false, "place=S;work=sea": false, "place=W;work=sea": false, "": false}
	for i, c := range x.Cells {
		if primary, named := want[x.Name(i)]; named && c.Primary != primary {
			t.Errorf("%q: %d persons, %d groups, largest %d: hidden for itself %v", x.Name(i), c.N, c.Groups, c.Largest, c.Primary)
		}
	}
	if found, _ := x.OneCaseShown(nil); found != 0 {
		t.Errorf("%d cells of one case are shown", found)
	}
	if _, err := Count(grouped(t, rows.String()), [][]string{{"case"}}); err == nil {
		t.Error("a table by the case group was counted")
	}
	// Without groups the same cells are shown.
	y, err := Count(read(t, strings.ReplaceAll(rows.String(), "case", "c")), by)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := y.Protect(Options{Threshold: 11}); err != nil {
		t.Fatal(err)
	}
	for i, c := range y.Cells {
		if c.Hidden {
			t.Errorf("%q is hidden without groups", y.Name(i))
		}
	}
}
