package suppress

import (
	"math/rand/v2"
	"strings"
	"testing"

	"banyan/internal/disclosure/attack"
)

// A mark where somebody is and nothing where nobody is tells who is there as well
// as a count does; a figure of 0 that is left out does not.
func TestMembershipOfRarePersonsFollowsFromCountsAndMarksButNotFromRounding(t *testing.T) {
	var rows strings.Builder
	code := func(i int) string { return string(rune('a'+i%20)) + "," + string(rune('a'+i/20)) + "\n" }
	for i := range 400 { // a pool in which every pair of codes is one person
		rows.WriteString(code(i))
	}
	tab := read(t, "x,y\n"+rows.String())
	in, not := attack.Halves(tab, 400)
	members, others := tab.Sample(in), tab.Sample(not)
	by := [][]string{{"x", "y"}}
	pool, err := Count(tab, by)
	if err != nil {
		t.Fatal(err)
	}
	area := func(protect func(x *Tables) error) float64 {
		x, err := Count(members, by)
		if err != nil {
			t.Fatal(err)
		}
		if err := protect(x); err != nil {
			t.Fatal(err)
		}
		auc, _ := attack.AUC(x.Surprise(pool, tab, members), x.Surprise(pool, tab, others))
		return auc
	}
	exact := area(func(*Tables) error { return nil })
	hidden := area(func(x *Tables) error { _, err := x.Protect(Options{Threshold: 11}); return err })
	rng := rand.New(rand.NewPCG(3, 3))
	rounded := area(func(x *Tables) error { _, err := x.Round(11, rng.IntN); return err })
	if exact < 0.9 || hidden < 0.9 || rounded > 0.75 {
		t.Errorf("area %.3f of exact tables, %.3f of hidden cells, %.3f of rounded ones", exact, hidden, rounded)
	}
}

func TestCellsWhosePersonsAreAllAlikeAreCounted(t *testing.T) {
	// Everybody of x=1 has y=1; x=2 is mixed.
	x, err := Count(read(t, "x,y\n"+strings.Repeat("1,1\n", 20)+strings.Repeat("2,1\n", 20)+strings.Repeat("2,2\n", 20)), [][]string{{"x", "y"}})
	if err != nil {
		t.Fatal(err)
	}
	// Parents: all by x, all by y, x=1, x=2, y=1, y=2; alike: x=1 (in y) and y=2 (in x).
	if found, tried := x.Alike(); found != 2 || tried != 6 {
		t.Errorf("%d of %d", found, tried)
	}
	if n := x.SmallShown(21, nil); n != 5 {
		t.Errorf("%d small cells shown before hiding, want x=1, y=2 and three pairs", n)
	}
}
