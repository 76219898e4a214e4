package scope

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// drawTable makes a small sound table.
func drawTable(t *rapid.T) *Table {
	lists := rapid.IntRange(3, 5).Draw(t, "lists")
	tab := NewTable([]string{"A", "B", "C", "D", "E"}[:lists]...)
	for h := 1; h < len(tab.Counts); h++ {
		most := 400
		if h&(h-1) != 0 {
			most = 30
		}
		tab.Counts[h] = int64(rapid.IntRange(0, most).Draw(t, "count"))
	}
	if tab.check() != nil {
		t.Skip("not a table that any method takes")
	}
	return tab
}

// relabel moves list i to place to[i].
func relabel(tab *Table, to []int) *Table {
	out := NewTable(tab.Lists...)
	for i, p := range to {
		out.Lists[p] = tab.Lists[i]
	}
	for h, c := range tab.Counts {
		moved := 0
		for i, p := range to {
			moved |= h >> i & 1 << p
		}
		out.Counts[moved] = c
	}
	return out
}

func TestEstimatesDoNotDependOnTheOrderOfTheLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t)
		to := rapid.Permutation([]int{0, 1, 2, 3, 4}[:tab.T()]).Draw(t, "order")
		other := relabel(tab, to)
		same := func(what string, a, b float64, errA, errB error) {
			if (errA == nil) != (errB == nil) {
				t.Fatalf("%s: %v in one order, %v in another", what, errA, errB)
			}
			if errA == nil && math.Abs(a-b) > 1e-6*math.Abs(a) {
				t.Fatalf("%s: %v in one order, %v in another", what, a, b)
			}
		}
		value := func(f *Fit) float64 {
			if f == nil {
				return 0
			}
			return f.Estimate
		}
		a, errA := Independence(tab)
		b, errB := Independence(other)
		same("independence", value(a), value(b), errA, errB)
		grid := Grid(float64(tab.Observed()), 60, 10)
		da, errA := Average(context.Background(), tab, 0, grid, true, Defaults())
		db, errB := Average(context.Background(), other, 0, grid, true, Defaults())
		same("dga", da.Mean, db.Mean, errA, errB)
		if tab.T() < 5 {
			ra, errA := RankByBIC(context.Background(), tab, 2, Defaults())
			rb, errB := RankByBIC(context.Background(), other, 2, Defaults())
			if errA == nil && errB == nil {
				same("best BIC", ra.Models[0].BIC, rb.Models[0].BIC, nil, nil)
				if len(ra.Models) != len(rb.Models) {
					t.Fatalf("%d admissible models in one order, %d in another", len(ra.Models), len(rb.Models))
				}
			}
		}
	})
}

func TestFitsMeetTheirSufficientStatistics(t *testing.T) {
	// The defining property of the maximum: the fitted overlaps equal the seen
	// ones for every term of the model, and a bigger model explains no less.
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t)
		s := newSession(tab.T())
		s.take(tab.Counts)
		m, _, state, err := s.stepwise(0.05)
		if err != nil {
			t.Skip("refused")
		}
		for _, term := range m.all() {
			if math.Abs(s.mstar[term]-s.star[term]) > 1e-5*(1+s.star[term]) {
				t.Fatalf("term %s: fitted %v, seen %v", tab.Name(term), s.mstar[term], s.star[term])
			}
		}
		smaller := s.fit(mainEffects(s.t), s.y, false)
		if smaller.kernel > state.kernel+1e-6*math.Abs(state.kernel) {
			t.Fatalf("main effects explain more (%v) than %s (%v)", smaller.kernel, m, state.kernel)
		}
	})
}

func TestLinkageErrorsLoseNobodysRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t)
		records := func(counts []int64) (n int64) {
			for i := range tab.T() {
				for h, c := range counts {
					if c < 0 {
						t.Fatalf("history %d holds %d people", h, c)
					}
					n += c * int64(h>>i&1)
				}
			}
			return n
		}
		before := records(tab.Counts)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		counts := append([]int64(nil), tab.Counts...)
		undoFalseLinks(rng, counts, 0.2)
		if records(counts) != before {
			t.Fatal("undoing links lost records")
		}
		makeMissedLinks(rng, counts, 0.2)
		if records(counts) != before {
			t.Fatal("making links lost records")
		}
	})
}
