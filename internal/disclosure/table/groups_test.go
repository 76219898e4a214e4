package table

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// cases reads a table of one column whose persons belong to cases of given sizes.
func cases(t interface{ Fatal(...any) }, sizes ...int) *Table {
	var b strings.Builder
	b.WriteString("case,x\n")
	for g, n := range sizes {
		for i := range n {
			fmt.Fprintf(&b, "c%d,%d\n", g, i%3)
		}
	}
	b.WriteString(",0\n,1\n,0\n") // three who are groups of one
	tab, err := ReadCSV(strings.NewReader(b.String()), Options{Group: "case"})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestACapKeepsSmallGroupsWholeAndNoMoreOfLargerOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 12).Draw(t, "sizes")
		limit := rapid.IntRange(2, 6).Draw(t, "cap")
		tab := cases(t, sizes...)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		got := tab.Capped(limit, rng.Uint64N)
		left := 0
		have := got.sizes()
		for g, n := range tab.sizes() {
			if have[g] != min(n, limit) {
				t.Fatalf("of a group of %d persons %d are counted, the cap is %d", n, have[g], limit)
			}
			left += n - have[g]
		}
		if persons, _ := tab.LeftOut(limit); persons != left || got.Rows() != tab.Rows()-left {
			t.Fatalf("%d persons of %d, %d left out, said to be %d", got.Rows(), tab.Rows(), left, persons)
		}
		if got.Cap() != limit || tab.Cap() != 0 || got.Sample([]int{0}).Cap() != limit {
			t.Fatal("the cap is not known of the table")
		}
	})
}

func TestEveryPersonOfALargeGroupIsCountedEquallyOften(t *testing.T) {
	tab := cases(t, 5, 2)
	rng := rand.New(rand.NewPCG(1, 2))
	const runs, limit = 30_000, 2
	pairs := map[string]float64{}
	for range runs {
		got := tab.Capped(limit, rng.Uint64N)
		pairs[fmt.Sprint(got.Row(0), got.Row(1))]++
	}
	// Codes 0 1 2 0 1: ordered as in the table, ten pairs of persons give these codes.
	for codes, share := range map[string]float64{"[0] [0]": .1, "[0] [1]": .3, "[0] [2]": .1, "[1] [0]": .1, "[1] [1]": .1, "[1] [2]": .1, "[2] [0]": .1, "[2] [1]": .1} {
		if got := pairs[codes] / runs; math.Abs(got-share) > 5*math.Sqrt(share/runs) {
			t.Errorf("codes %s: %.4f of the runs, want %.2f", codes, got, share)
		}
	}
}
