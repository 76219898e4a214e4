package scope

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

// existsByLP is the programme as Fienberg & Rinaldo write it: max s subject to
// Aᵀx = T, x − s ≥ 0, x, s ≥ 0, on the real counts. It is slow and needs a
// tolerance; the package's own answer must agree with it.
func existsByLP(y []float64, m Model) bool {
	star := append([]float64(nil), y...)
	supersetSum(star)
	dead := make([]bool, len(y))
	finite := split(m, star, dead, nil)
	var cells []int
	total := 0.0
	for h := range y {
		if !dead[h] {
			cells = append(cells, h)
			total += y[h]
		}
	}
	// x = u + s with u ≥ 0: Aᵀu + s·Aᵀ1 = T. Redundant rows are dropped first.
	p, n := len(finite), len(cells)
	rows := make([]float64, p*(n+2))
	for i, term := range finite {
		ones := 0.0
		for j, h := range cells {
			if term&h == term {
				rows[i*(n+2)+j] = 1
				ones++
			}
		}
		rows[i*(n+2)+n] = ones
		rows[i*(n+2)+n+1] = star[term] / total
	}
	rows[n+1] = 1 // Σ y / total over the histories that are left
	var e eliminator
	e.reduce(rows, n+2)
	r := len(e.pivots)
	a, b := mat.NewDense(r, n+1, nil), make([]float64, r)
	for i := range r {
		for j := range n + 1 {
			a.Set(i, j, e.rows[i*(n+2)+j])
		}
		b[i] = e.rows[i*(n+2)+n+1]
	}
	c := make([]float64, n+1)
	c[n] = -1
	if r == n+1 {
		return e.rows[(r-1)*(n+2)+n+1] > 1e-9
	}
	value, _, err := lp.Simplex(c, a, b, 1e-10, nil)
	if err != nil {
		return false
	}
	return -value > 1e-9
}

func TestAdmissionAgreesWithTheLinearProgrammeAsWritten(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	exists, not := 0, 0
	for trial := 0; trial < 1500; trial++ {
		lists := 3 + trial%3
		y := make([]float64, 1<<lists)
		share := rng.Float64() * 0.7
		for h := 1; h < len(y); h++ {
			if rng.Float64() < share {
				y[h] = float64(1 + rng.IntN(9))
			}
		}
		for i := range lists { // every list has somebody
			y[1<<i] += float64(rng.IntN(2) * 3)
		}
		s := newSession(lists)
		copy(s.y, y)
		s.load(y)
		s.admit.load(y, s.star)
		if !s.listsSeen() {
			continue
		}
		m := Model{T: lists}
		for _, p := range pairs(lists) {
			if rng.IntN(2) == 0 {
				m.Terms = append(m.Terms, p)
			}
		}
		got := s.admit.check(m)
		if direct := s.admit.decide(m); direct != got && got.OK() != direct.OK() {
			t.Fatalf("lists %d, %v: through the largest model %+v, directly %+v", lists, y, got, direct)
		}
		want := existsByLP(y, m)
		if got.OK() && !want || !got.Exists && want {
			t.Errorf("lists %d, counts %v, model %s: we say %+v, the programme says %v", lists, y, m, got, want)
		}
		if want {
			exists++
		} else {
			not++
		}
	}
	if exists < 100 || not < 100 {
		t.Errorf("the trial tables were one-sided: %d exist, %d do not", exists, not)
	}
}

func TestStepwiseRefusesWhenNothingOverlaps(t *testing.T) {
	// Netherlands given list K: no two other lists share anybody. SparseMSE
	// gives 2.0e12 here without an error.
	given, _ := table(t, "netherlands_2010_2015_5list").Given(1)
	if _, _, err := Stepwise(given, DefaultThreshold); err == nil {
		t.Error("an estimate came out of no overlap at all")
	}
	bare := given.Clone()
	bare.Counts[3] = 0
	if _, err := FitModel(bare, mainEffects(bare.T())); err == nil {
		t.Error("independence was fitted to no overlap at all")
	}
}

func TestAllPairsIsIdentifiableOnlyWithATriangle(t *testing.T) {
	// Chan, Silverman & Vincent 2021: with all two-list terms the model is
	// identifiable iff some three lists overlap pairwise.
	chain := NewTable("A", "B", "C", "D")
	for i := range 4 {
		chain.Counts[1<<i] = 40
	}
	chain.Counts[0b0011], chain.Counts[0b0110], chain.Counts[0b1100] = 5, 6, 7
	if got := Admit(chain, allPairs(4)); got.Identifiable {
		t.Errorf("a chain of overlaps has no triangle, yet %+v", got)
	}
	chain.Counts[0b0101] = 4
	if got := Admit(chain, allPairs(4)); !got.Identifiable {
		t.Errorf("lists A, B, C overlap pairwise, yet %+v", got)
	}
}
