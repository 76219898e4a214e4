package lp

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	gonum "gonum.org/v1/gonum/optimize/convex/lp"
	"pgregory.net/rapid"
)

// drawSystem invents integer equations that hold at a point within bounds.
func drawSystem(t *rapid.T) (lo, hi, x []float64, eqs []Equation) {
	n := rapid.IntRange(2, 9).Draw(t, "n")
	for range n {
		v := float64(rapid.IntRange(0, 20).Draw(t, "x"))
		x = append(x, v)
		lo = append(lo, v-float64(rapid.IntRange(0, 8).Draw(t, "down")))
		hi = append(hi, v+float64(rapid.IntRange(0, 8).Draw(t, "up")))
	}
	for range rapid.IntRange(1, 6).Draw(t, "m") {
		var e Equation
		for j := range n {
			if c := rapid.IntRange(-1, 1).Draw(t, "c"); c != 0 {
				e.Terms = append(e.Terms, Term{j, float64(c)})
				e.RHS += float64(c) * x[j]
			}
		}
		if len(e.Terms) > 0 {
			eqs = append(eqs, e)
		}
	}
	return lo, hi, x, eqs
}

// byGonum solves max dir·x_v with the general simplex of gonum: shift to
// x' = x - lo ≥ 0 and add a slack for each upper bound.
func byGonum(lo, hi []float64, eqs []Equation, v int, dir float64) (float64, bool) {
	if len(eqs) > len(lo) {
		return 0, false
	}
	n := len(lo)
	// Only independent rows may go in; redundancy makes gonum refuse.
	a := mat.NewDense(len(eqs)+n, 2*n, nil)
	b := make([]float64, len(eqs)+n)
	for i, e := range eqs {
		b[i] = e.RHS
		for _, t := range e.Terms {
			a.Set(i, t.Var, a.At(i, t.Var)+t.Coef)
			b[i] -= t.Coef * lo[t.Var]
		}
	}
	for j := range n {
		a.Set(len(eqs)+j, j, 1)
		a.Set(len(eqs)+j, n+j, 1)
		b[len(eqs)+j] = hi[j] - lo[j]
	}
	c := make([]float64, 2*n)
	c[v] = -dir
	f, _, err := gonum.Simplex(c, a, b, 1e-9, nil)
	if err != nil {
		return 0, false
	}
	return dir*-f + lo[v], true
}

func TestRangesAgreeWithAGeneralSolver(t *testing.T) {
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		lo, hi, x, eqs := drawSystem(t)
		s, err := New(lo, hi, append([]float64(nil), x...), eqs)
		if err != nil {
			t.Fatal(err)
		}
		f, bad, err := Feasible(lo, hi, eqs)
		if err != nil || len(bad) > 0 {
			t.Fatalf("a feasible system is called inconsistent: %v %v", bad, err)
		}
		for v := range x {
			gotLo, gotHi := s.Range(v)
			fLo, fHi := f.Range(v)
			if math.Abs(gotLo-fLo) > 1e-5 || math.Abs(gotHi-fHi) > 1e-5 {
				t.Fatalf("x%d in [%g, %g] from the known point, [%g, %g] from none", v, gotLo, gotHi, fLo, fHi)
			}
			if gotLo > x[v]+1e-6 || gotHi < x[v]-1e-6 {
				t.Fatalf("range [%g, %g] leaves out the truth %g", gotLo, gotHi, x[v])
			}
			for _, e := range eqs {
				sum := 0.0
				for _, term := range e.Terms {
					sum += term.Coef * s.X[term.Var]
				}
				if math.Abs(sum-e.RHS) > 1e-5 {
					t.Fatalf("the current point breaks an equation by %g", sum-e.RHS)
				}
			}
			wantHi, ok := byGonum(lo, hi, eqs, v, 1)
			if !ok {
				continue // redundant rows: gonum refuses
			}
			wantLo, ok := byGonum(lo, hi, eqs, v, -1)
			if !ok {
				continue
			}
			compared++
			if math.Abs(gotHi-wantHi) > 1e-5 || math.Abs(gotLo-wantLo) > 1e-5 {
				t.Fatalf("x%d in [%g, %g], gonum says [%g, %g]", v, gotLo, gotHi, wantLo, wantHi)
			}
		}
	})
	if compared == 0 {
		t.Error("nothing was compared with gonum")
	}
}

func TestFeasibleNamesTheEquationThatContradicts(t *testing.T) {
	inf := math.Inf(1)
	_, bad, err := Feasible([]float64{0, 0}, []float64{4, inf}, []Equation{
		{[]Term{{0, 1}, {1, 1}}, 10},
		{[]Term{{1, 1}}, 3}, // then x0 = 7 > 4
	})
	if err != nil || len(bad) != 1 || bad[0] != 1 {
		t.Errorf("inconsistent = %v, %v", bad, err)
	}
}

func TestBindingNamesThePublishedCellThatHoldsAHiddenOneFast(t *testing.T) {
	// 3 hidden + 20 published = 23 published: the hidden cell follows.
	s, err := New([]float64{1, 20, 23}, []float64{math.Inf(1), 20, 23}, []float64{3, 20, 23}, []Equation{{[]Term{{0, 1}, {1, 1}, {2, -1}}, 0}})
	if err != nil {
		t.Fatal(err)
	}
	if hi := s.Push(0, 1, 13); hi != 3 {
		t.Fatalf("hi = %g", hi)
	}
	got := s.Binding(0, 1)
	if len(got) != 2 || got[0] != (Term{1, -1}) || got[1] != (Term{2, 1}) {
		t.Errorf("binding = %v", got)
	}
	s.Lo[1], s.Hi[1] = 1, math.Inf(1)
	if hi := s.Push(0, 1, math.Inf(1)); hi != 22 {
		t.Errorf("after hiding the other cell hi = %g, want 22", hi)
	}
}
