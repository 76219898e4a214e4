package evaluate

import (
	"math"
	"strings"
	"testing"

	"banyan/internal/disclosure/table"
)

func read(t *testing.T, rows ...string) *table.Table {
	t.Helper()
	tab, err := table.ReadCSV(strings.NewReader("a,b\n"+strings.Join(rows, "")), table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestEvaluationSeesLossLeaksAndInventions(t *testing.T) {
	sensitive := read(t, strings.Repeat("1,1\n", 20), strings.Repeat("1,2\n", 10), strings.Repeat("2,2\n", 2), strings.Repeat("2,\n", 12))
	raw := read(t, strings.Repeat("1,1\n", 25), strings.Repeat("2,2\n", 1), strings.Repeat("2,1\n", 3), strings.Repeat("2,\n", 12))
	released, err := sensitive.Translate(raw)
	if err != nil {
		t.Fatal(err)
	}
	e := Compare(sensitive, released, 10, 2)
	one, two := e.Lengths[0], e.Lengths[1]
	// Values: a1 30→25, a2 14→16, b1 20→28, b2 12→1. Pairs: 11 20→25, 12 10→0, 22 2→1, 21 0→3.
	if one.Frequent != 4 || one.Lost != 0 || one.Leaks != 0 {
		t.Errorf("values: %+v", one)
	}
	if two.Frequent != 2 || two.Lost != 1 || two.LostPercent != 50 || two.Leaks != 1 || two.Fabricated != 1 {
		t.Errorf("pairs: %+v", two)
	}
	if want := (25.0/30 + 1 + 1 + 1.0/12) / 4; math.Abs(one.Preserved-want) > 1e-12 {
		t.Errorf("preserved %g, want %g", one.Preserved, want)
	}
	// SDS averages over what is in the synthetic data: values as above, pairs 11, 22, 21.
	if want := (25.0/30 + 1 + 1 + 1.0/12 + 1 + 0.5 + 0) / 7; math.Abs(e.SDS.Preservation-want) > 1e-12 {
		t.Errorf("SDS preservation %g, want %g", e.SDS.Preservation, want)
	}
	if want := (5.0/30 + 2.0/14 + 8.0/20 + 11.0/12 + 5.0/20 + 0.5 + 1) / 7; math.Abs(e.SDS.ProportionalError-want) > 1e-12 {
		t.Errorf("SDS error %g, want %g", e.SDS.ProportionalError, want)
	}
	if e.RowsIn != 44 || e.RowsOut != 41 || e.WholeRows != 1+3 {
		t.Errorf("rows %d → %d, rare as a whole %d", e.RowsIn, e.RowsOut, e.WholeRows)
	}
	for _, g := range e.Groups {
		if g.Value == "b:2" && (g.Sensitive != 12 || g.Released != 1 || g.Pairs != 1 || g.LostPairs != 1) {
			t.Errorf("group %+v", g)
		}
	}
}

func TestAPerfectReleaseHasNoError(t *testing.T) {
	tab := read(t, strings.Repeat("1,1\n", 20), strings.Repeat("2,\n", 12))
	e := Compare(tab, tab, 10, 2)
	for _, l := range e.Lengths {
		if l.Lost+l.Leaks+l.Fabricated > 0 || l.Preserved != 1 || l.MeanRelErr != 0 || l.TotalVariation != 0 {
			t.Errorf("%+v", l)
		}
	}
	if e.SDS.Preservation != 1 || e.SDS.CombinationLoss != 0 {
		t.Errorf("%+v", e.SDS)
	}
}

func TestHomogeneousGroupsAreFound(t *testing.T) {
	tab, err := table.ReadCSV(strings.NewReader("a,b,c\n"+strings.Repeat("1,1,1\n", 15)+strings.Repeat("1,2,1\n", 5)+strings.Repeat("1,2,2\n", 12)), table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// a1 b1 → c1; b1 c1 → a1; a1 c2 → b2; b2 c2 → a1; but a1 c1 has b1 and b2, a1 b2 has c1
	// and c2; b2 c1 (5) is below k.
	if e := Compare(tab, tab, 10, 3); e.Alike != 4 || e.AlikeOf != 6 {
		t.Errorf("%d of %d pairs are homogeneous, want 4 of 6", e.Alike, e.AlikeOf)
	}
}
