package attack

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"banyan/internal/disclosure/sharedtest"
	"banyan/internal/disclosure/table"
)

var layout = Layout{Value: "n", Totals: map[string]string{"sex": "all", "age": "all"}, Hidden: []Hidden{{"<5", 0, 4}}}

func TestAttackRecoversCellsThatFollowFromTotals(t *testing.T) {
	for _, c := range []struct {
		name, in  string
		recovered []string // "line value"
	}{
		{"one gap in a sum", "where,sex,age,n\nA,all,all,12\nA,F,all,9\nA,M,all,<5\n", []string{"4 3"}},
		{"two gaps stay", "where,sex,age,n\nA,all,all,12\nA,F,all,<5\nA,M,all,<5\nA,O,all,6\n", nil},
		{"two gaps at their limit", "where,sex,age,n\nA,all,all,14\nA,F,all,<5\nA,M,all,<5\nA,O,all,6\n", []string{"3 4", "4 4"}},
		{"a contradiction recovers nothing", "where,sex,age,n\nA,all,all,12\nB,F,all,9\nA,M,all,<5\n", nil},
	} {
		l := layout
		l.AssumeTotals = true
		rep, err := AttackPublished(strings.NewReader(c.in), l)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, r := range rep.Recovered {
			got = append(got, fmt.Sprintf("%d %g", r.Line, r.Value))
		}
		if strings.Join(got, ",") != strings.Join(c.recovered, ",") {
			t.Errorf("%s: recovered %v, want %v", c.name, got, c.recovered)
		}
	}
}

func TestAttackNeedsALinearProgramme(t *testing.T) {
	// No sum has one gap only, yet the cycle of four gaps is fixed by its limits:
	// rows 8 and 0 of cells 0..4.
	in := "where,sex,age,n\nA,all,all,13\nA,F,all,9\nA,M,all,4\nA,all,child,7\nA,all,adult,6\n" +
		"A,F,child,<5\nA,F,adult,5\nA,M,child,<5\nA,M,adult,<5\n"
	l := layout
	l.AssumeTotals = true
	rep, err := AttackPublished(strings.NewReader(in), l)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]float64{}
	for _, r := range rep.Recovered {
		got[r.Line] = r.Value
	}
	if got[7] != 4 || got[9] != 3 || got[10] != 1 {
		t.Errorf("recovered %v, want lines 7, 9, 10 as 4, 3, 1", rep.Recovered)
	}
}

func TestPublishedFileIsRefusedWithTheLineAtFault(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "header"},
		{"where,sex,age,n\n", "no figures"},
		{"where,sex,age,m\nA,F,all,1\n", `column "n": there is no such column`},
		{"where,sex,n\nA,F,1\n", `column "age": there is no such column`},
		{"where,sex,age,n,n\nA,F,all,1,1\n", "appears twice"},
		{"where,sex,age,n\nA,F,all,3\nA,F,all,few\n", `line 3, column "n": "few" is neither`},
		{"where,sex,age,n\nA,F,all\n", "line 2: 3 fields"},
		{"where,sex,age,n\nA,F,all,-3\n", "neither a count"},
	} {
		if _, err := AttackPublished(strings.NewReader(c.in), layout); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error is %v, want %q", c.in, err, c.want)
		}
	}
}

var unodc = Layout{Value: "txtVALUE", Totals: map[string]string{"Sex": "Total", "Age": "Total"}, Source: "Iso3_code", Hidden: []Hidden{{"<5", 0, 4}}}

func TestAttackFindsThousandsOfHiddenCellsOfThePublishedUNODCTable(t *testing.T) {
	path := sharedtest.Need(t, sharedtest.UNODC)
	for _, c := range []struct {
		assume bool
		least  int
	}{{false, 2000}, {true, 4000}} {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := table.Decompress(path, f)
		if err != nil {
			t.Fatal(err)
		}
		l := unodc
		l.AssumeTotals = c.assume
		rep, err := AttackPublished(r, l)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("assume totals %v: %d of %d hidden cells follow, %d narrowed, %d contradictory totals", c.assume, len(rep.Recovered), rep.HiddenCells, rep.Narrowed, rep.Inconsistent)
		if rep.HiddenCells != 23076 || len(rep.Recovered) < c.least {
			t.Errorf("recovered %d of %d hidden cells", len(rep.Recovered), rep.HiddenCells)
		}
	}
}

// The attack's findings in the real file cannot be checked against the truth, so
// shown figures are hidden in it and the attack is asked for them.
func TestAttackIsRightAboutFiguresHiddenForTheTest(t *testing.T) {
	path := sharedtest.Need(t, sharedtest.UNODC)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := table.Decompress(path, f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	truth := map[int]string{}
	var b strings.Builder
	w := csv.NewWriter(&b)
	for i, row := range rows {
		if i%40 == 7 && row[11] != "<5" && i > 0 {
			truth[i+1] = strings.ReplaceAll(row[11], ",", "")
			row[11] = "gone"
		}
		w.Write(row)
	}
	w.Flush()
	l := unodc
	l.Hidden = append(l.Hidden, Hidden{"gone", 0, math.Inf(1)})
	rep, err := AttackPublished(strings.NewReader(b.String()), l)
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := 0, 0
	for _, x := range rep.Recovered {
		if want, ok := truth[x.Line]; ok {
			if fmt.Sprint(x.Value) == want {
				right++
			} else {
				wrong++
			}
		}
	}
	t.Logf("of %d figures hidden for the test, %d recovered rightly, %d wrongly", len(truth), right, wrong)
	if right < 50 || wrong*50 > right {
		t.Errorf("%d right, %d wrong: the attack boasts", right, wrong)
	}
}
