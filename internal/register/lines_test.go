package register_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"banyan/internal/register"
	"banyan/internal/store/storetest"
)

// TestEveryPairShowsTheSameTotals draws small registers and holds what lets one
// table at a time be protected: a variable's lines and totals do not hang on
// what it stands beside, none of them is few, and what they leave of everybody
// is not few either.
func TestEveryPairShowsTheSameTotals(t *testing.T) {
	db := storetest.SQLite(t)
	r := open(t, db)
	source := 0
	rapid.Check(t, func(t2 *rapid.T) {
		var lines []repeated
		for range rapid.IntRange(1, 8).Draw(t2, "kinds") {
			line := "year=" + rapid.SampledFrom([]string{"2023", "2024", "2025"}).Draw(t2, "year")
			for _, v := range []struct{ id, codes string }{
				{"sex", rapid.SampledFrom([]string{"", "male", "female"}).Draw(t2, "sex")},
				{"sector", rapid.SampledFrom([]string{"", "A", "A,T", "T", "A,F,T"}).Draw(t2, "sector")},
			} {
				if v.codes != "" {
					line += ";" + v.id + "=" + v.codes
				}
			}
			lines = append(lines, repeated{rapid.IntRange(1, 15).Draw(t2, "n"), line})
		}
		source++
		id := fmt.Sprintf("s%d", source)
		if err := importLines(t, r, id, id, lines...); err != nil {
			t2.Fatal(err)
		}
		totals := map[string]string{}
		for _, pair := range [][2]string{{"year", "sex"}, {"sex", "year"}, {"year", "sector"}, {"sector", "sex"}, {"sector", ""}} {
			tab := mustTable(t, r, register.TableRequest{Rows: pair[0], Cols: pair[1], Source: id})
			same(t2, totals, pair[0], tab.RowLines, tab.RowTotals, tab.Total)
			if pair[1] != "" {
				same(t2, totals, pair[1], tab.ColLines, tab.ColTotals, tab.Total)
			}
			for _, line := range tab.Cells {
				for _, n := range line {
					if n != nil && *n > 0 && *n < register.DefaultThreshold {
						t2.Fatalf("%v shows %d", pair, *n)
					}
				}
			}
		}
		if _, err := r.Forget(ctx, id); err != nil {
			t2.Fatal(err)
		}
	})
}

func same(t *rapid.T, seen map[string]string, variable string, lines []register.Line, totals []*int64, total *int64) {
	text := ""
	for i, l := range lines {
		n := totals[i]
		if n == nil && total != nil {
			t.Fatalf("%s: the total of %s is hidden", variable, l.Code)
		}
		if n != nil && (*n < register.DefaultThreshold || *total > *n && *total-*n < register.DefaultThreshold) {
			t.Fatalf("%s: %s has %d of %d", variable, l.Code, *n, *total)
		}
		if n != nil {
			text += fmt.Sprintln(l.Code, *n)
		}
	}
	if before, ok := seen[variable]; ok && before != text {
		t.Fatalf("%s:\n%s\nand beside another variable\n%s", variable, before, text)
	}
	seen[variable] = text
}

func TestATableAndItsMirrorImageHideTheSame(t *testing.T) {
	r := open(t, storetest.SQLite(t))
	if err := importLines(t, r, "world", "d", repeated{5, "year=2023;sex=male"}, repeated{40, "year=2024;sex=male"}, repeated{30, "year=2023;sex=female"},
		repeated{60, "year=2024;sex=female"}, repeated{25, "year=2025;sex=female"}, repeated{35, "year=2025;sex=male"}); err != nil {
		t.Fatal(err)
	}
	a := mustTable(t, r, register.TableRequest{Rows: "year", Cols: "sex", Source: "world"})
	b := mustTable(t, r, register.TableRequest{Rows: "sex", Cols: "year", Source: "world"})
	if a.Hidden != 4 || b.Hidden != 4 || !slices.Equal(a.RowLines, b.ColLines) {
		t.Fatalf("%s\n%s", show(a), show(b))
	}
	for i := range a.Cells {
		for j := range a.Cells[i] {
			if (a.Cells[i][j] == nil) != (b.Cells[j][i] == nil) {
				t.Errorf("%s\n%s", show(a), show(b))
			}
		}
	}
}

// TestALongTableEndsInAllOthers has more districts than lines, and rare ones.
func TestALongTableEndsInAllOthers(t *testing.T) {
	r := open(t, storetest.SQLite(t))
	var lines []repeated
	for i := range 45 {
		lines = append(lines, repeated{60 - i, fmt.Sprintf("sex=female;district_of_exploitation=VN%03d", 101+i)})
	}
	lines = append(lines, repeated{3, "sex=female;district_of_exploitation=VN901"})
	if err := importLines(t, r, "world", "d", lines...); err != nil {
		t.Fatal(err)
	}
	tab := mustTable(t, r, register.TableRequest{Rows: "district_of_exploitation", Cols: "sex", Source: "world"})
	last := len(tab.RowLines) - 1
	if last != 40 || tab.RowLines[0].Code != "VN101" || tab.RowLines[last].Code != register.Others || *tab.RowTotals[last] != 20+19+18+17+16+3 {
		t.Errorf("%s", show(tab))
	}
}

func TestTooFewPersonsGiveNoFigureAtAll(t *testing.T) {
	r := open(t, storetest.SQLite(t))
	if err := importLines(t, r, "world", "d", repeated{4, "sex=female;year=2024"}, repeated{6, "sex=male"}); err != nil {
		t.Fatal(err)
	}
	if got := show(mustTable(t, r, register.TableRequest{Rows: "sex", Cols: "year", Source: "world"})); got != "\t_others\n_others\t*\t*\n\t*\t*" {
		t.Errorf("%s", got)
	}
}
