// Package lp answers one question about linear systems with bounds: how small
// and how large can one variable be? It is the arithmetic of an attacker who
// has published totals and wants a hidden cell.
//
// The method is the primal simplex with bounded variables on a dense tableau
// whose zero entries are skipped, started from a feasible point and kept at a
// feasible point between questions, so that thousands of questions about one
// system share their work. Non-basic variables may stand between their bounds.
// On tables of two dimensions all entries stay -1, 0 or 1, so the arithmetic
// is exact there.
package lp

import (
	"errors"
	"fmt"
	"math"
)

// Term is a coefficient of a variable in an equation.
type Term struct {
	Var  int
	Coef float64
}

// Equation is Σ Coef·x = RHS.
type Equation struct {
	Terms []Term
	RHS   float64
}

const eps = 1e-7

// ErrTooLarge says that the system does not fit the dense method.
var ErrTooLarge = errors.New("the linear programme is too large")

// maxEntries bounds the tableau at 400 MB.
const maxEntries = 50_000_000

// System is a set of equations with bounds and a current feasible point.
type System struct {
	Lo, Hi []float64 // may be relaxed by the caller between questions, never tightened
	X      []float64 // the current point; feasible

	rows   [][]float64 // tableau: row i says x[basis[i]] + Σ_j rows[i][j]·x[j] = const
	basis  []int
	where  []int // variable → its row, or -1
	nz     []int32
	pivots int
}

// New builds a system from a point that is feasible.
func New(lo, hi, x []float64, eqs []Equation) (*System, error) {
	n, m := len(x), len(eqs)
	if n*m > maxEntries {
		return nil, fmt.Errorf("%d equations in %d variables: %w", m, n, ErrTooLarge)
	}
	s := &System{Lo: lo, Hi: hi, X: x, where: make([]int, n)}
	for j := range s.where {
		s.where[j] = -1
	}
	for _, e := range eqs {
		row := make([]float64, n)
		for _, t := range e.Terms {
			row[t.Var] += t.Coef
		}
		s.rows = append(s.rows, row)
		s.basis = append(s.basis, -1)
	}
	s.makeBasis()
	return s, nil
}

// makeBasis gives every independent equation a basic variable, free ones first.
func (s *System) makeBasis() {
	kept := 0
	for i := range s.rows {
		best := -1
		for j, a := range s.rows[i] {
			if math.Abs(a) < eps {
				continue
			}
			if best < 0 || s.room(j) > s.room(best) {
				best = j
			}
		}
		if best < 0 {
			continue // depends on the others
		}
		s.eliminate(i, best)
		s.rows[kept], s.rows[i] = s.rows[i], s.rows[kept]
		s.basis[kept] = best
		kept++
	}
	s.rows, s.basis = s.rows[:kept], s.basis[:kept]
	for i, j := range s.basis {
		s.where[j] = i
	}
}

func (s *System) room(j int) float64 { return s.Hi[j] - s.Lo[j] }

// eliminate makes column q the unit vector of row p.
func (s *System) eliminate(p, q int) {
	row := s.rows[p]
	inv := 1 / row[q]
	s.nz = s.nz[:0]
	for j, a := range row {
		if a == 0 {
			continue
		}
		if a *= inv; math.Abs(a) < 1e-11 {
			a = 0
		} else {
			s.nz = append(s.nz, int32(j))
		}
		row[j] = a
	}
	row[q] = 1
	for i, other := range s.rows {
		f := other[q]
		if i == p || f == 0 {
			continue
		}
		for _, j := range s.nz {
			other[j] -= f * row[j]
		}
		other[q] = 0
	}
}

// Fixed reports whether bounds leave no choice.
func (s *System) fixed(j int) bool { return s.Hi[j]-s.Lo[j] < eps }

// Push moves variable v up (dir 1) or down (dir -1) as far as the equations and
// bounds let it, but not past target. It returns the value reached, which is
// infinite when nothing stops it; X then stays finite.
func (s *System) Push(v int, dir, target float64) float64 {
	for steps := 0; ; steps++ {
		if dir*(s.X[v]-target) >= -eps {
			return s.X[v]
		}
		q, qdir := s.entering(v, dir, steps > 200)
		if q < 0 {
			return s.X[v]
		}
		if math.IsInf(s.step(v, q, qdir, dir, target), 1) {
			return math.Inf(int(dir))
		}
		if steps > 20_000 {
			return s.X[v] // not reached in practice; a range too narrow errs towards more hiding
		}
	}
}

// entering picks a non-basic variable whose move moves v in direction dir.
func (s *System) entering(v int, dir float64, bland bool) (q int, qdir float64) {
	r := s.where[v]
	if r < 0 { // v itself moves
		if dir > 0 && s.X[v] < s.Hi[v]-eps || dir < 0 && s.X[v] > s.Lo[v]+eps {
			return v, dir
		}
		return -1, 0
	}
	q = -1
	best := eps
	for j, a := range s.rows[r] {
		if j == v || math.Abs(a) <= best {
			continue
		}
		d := dir
		if a > 0 {
			d = -dir
		}
		if d > 0 && s.X[j] >= s.Hi[j]-eps || d < 0 && s.X[j] <= s.Lo[j]+eps {
			continue
		}
		q, qdir = j, d
		if bland {
			return q, qdir
		}
		best = math.Abs(a) + 1e-12
	}
	return q, qdir
}

// step moves non-basic q in direction qdir until a bound stops it or v reaches
// target; it returns how far q went.
func (s *System) step(v, q int, qdir, dir, target float64) float64 {
	var limit float64
	leave := -1
	if qdir > 0 {
		limit = s.Hi[q] - s.X[q]
	} else {
		limit = s.X[q] - s.Lo[q]
	}
	for i, row := range s.rows {
		a := row[q] * qdir // x[basis[i]] falls by a per unit
		if math.Abs(a) <= eps {
			continue
		}
		b := s.basis[i]
		var t float64
		if a > 0 {
			t = (s.X[b] - s.Lo[b]) / a
		} else {
			t = (s.Hi[b] - s.X[b]) / -a
		}
		if t = max(t, 0); t < limit-1e-12 {
			limit, leave = t, i
		}
	}
	// Stop where v reaches its target: a point between bounds will do.
	speed := 1.0
	if r := s.where[v]; r >= 0 {
		speed = math.Abs(s.rows[r][q])
	}
	if need := dir * (target - s.X[v]) / speed; need < limit {
		limit, leave = need, -1
	}
	if math.IsInf(limit, 1) {
		return limit
	}
	s.X[q] += qdir * limit
	for i, row := range s.rows {
		if a := row[q]; a != 0 {
			b := s.basis[i]
			s.X[b] -= a * qdir * limit
			if math.Abs(s.X[b]-math.Round(s.X[b])) < 1e-9 {
				s.X[b] = math.Round(s.X[b])
			}
		}
	}
	if leave >= 0 {
		out := s.basis[leave]
		if out == q {
			return limit
		}
		s.eliminate(leave, q)
		s.where[out], s.where[q] = -1, leave
		s.basis[leave] = q
		s.pivots++
	}
	return limit
}

// Binding lists, after Push could not move v further in direction dir, the
// fixed variables whose freedom would let it move, with the movement of v per
// unit of theirs: positive when they would have to rise. It is the certificate
// (the dual solution) of the bound, and what has to be hidden to break it.
func (s *System) Binding(v int, dir float64) []Term {
	r := s.where[v]
	if r < 0 {
		return nil
	}
	var out []Term
	for j, a := range s.rows[r] {
		if j == v || math.Abs(a) < eps || !s.fixed(j) {
			continue
		}
		out = append(out, Term{j, -a * dir})
	}
	return out
}

// Tight lists, after Push could not move v further, the variables that stand at a
// bound and with it hold v: Binding's counterpart where bounds are ranges.
func (s *System) Tight(v int) []int {
	r := s.where[v]
	if r < 0 {
		return nil
	}
	var out []int
	for j, a := range s.rows[r] {
		if j != v && math.Abs(a) >= eps && (s.X[j] <= s.Lo[j]+eps || s.X[j] >= s.Hi[j]-eps) {
			out = append(out, j)
		}
	}
	return out
}

// Range is the whole range of v.
func (s *System) Range(v int) (lo, hi float64) {
	lo = s.Push(v, -1, math.Inf(-1))
	hi = s.Push(v, 1, math.Inf(1))
	return lo, hi
}

// Feasible builds a system without a known feasible point. Equations that
// contradict the bounds and the equations before them are left out and listed
// in inconsistent.
func Feasible(lo, hi []float64, eqs []Equation) (s *System, inconsistent []int, err error) {
	n, m := len(lo), len(eqs)
	if (n+m)*m > maxEntries {
		return nil, nil, fmt.Errorf("%d equations in %d variables: %w", m, n, ErrTooLarge)
	}
	l, h := make([]float64, n+m), make([]float64, n+m)
	x := make([]float64, n+m)
	copy(l, lo)
	copy(h, hi)
	for j := range n {
		x[j] = min(max(0, lo[j]), hi[j])
	}
	sys := &System{Lo: l, Hi: h, X: x, where: make([]int, n+m)}
	for j := range sys.where {
		sys.where[j] = -1
	}
	for i, e := range eqs {
		row := make([]float64, n+m)
		rest := e.RHS
		for _, t := range e.Terms {
			row[t.Var] += t.Coef
			rest -= t.Coef * x[t.Var]
		}
		row[n+i] = 1
		x[n+i] = rest
		l[n+i], h[n+i] = math.Inf(-1), math.Inf(1) // binds only once its turn has come
		sys.rows = append(sys.rows, row)
		sys.basis = append(sys.basis, n+i)
		sys.where[n+i] = i
	}
	for i := range m {
		a := n + i
		if x[a] > eps {
			sys.Push(a, -1, 0)
		} else if x[a] < -eps {
			sys.Push(a, 1, 0)
		}
		if math.Abs(x[a]) > 1e-6 {
			inconsistent = append(inconsistent, i)
			l[a], h[a] = math.Inf(-1), math.Inf(1)
			continue
		}
		x[a] = 0
		l[a], h[a] = 0, 0
	}
	return sys, inconsistent, nil
}
