package scope

// This file decides whether a model's (extended) maximum likelihood estimate
// exists and is identifiable before anybody fits it. It promises an exact
// answer in the sense that it looks only at which counts are zero, never at
// their size, so that no tolerance has to be scaled to the data.
//
// Existence (Haberman 1974; Fienberg & Rinaldo 2012): the estimate exists iff
// T = Aᵀy lies in the relative interior of the cone of A's rows, i.e. some
// strictly positive x has Aᵀx = T. By the theorem of the alternative that
// fails iff some direction d has (Ad)_ω = 0 on every seen history, ≤ 0 on
// every unseen one, and < 0 somewhere. We eliminate the seen histories first
// (usually nothing is left, and the estimate exists), and give only the rest
// to a linear programme: maximise s = −Σ(Ad)_ω with each (Ad)_ω ≤ 0 and s ≤ 1.
// Its optimum is 0 or 1 whatever the counts are; we compare with ½.

import "math"

// Admission is the verdict on one model for one table.
type Admission struct {
	Exists       bool // the extended maximum likelihood estimate exists
	Identifiable bool // every remaining parameter is identifiable (full rank)
	// DarkEstimable says that the intercept, and so the estimate, would be
	// identifiable even where another parameter is not (parameter redundancy,
	// Sharifi Far, Papathomas & King). We refuse such models all the same, as
	// SparseMSE does, and say that it was so.
	DarkEstimable bool
}

// Code is SparseMSE's error code: 1 for no estimate, plus 2 for no identifiability.
func (a Admission) Code() int {
	code := 0
	if !a.Exists {
		code++
	}
	if !a.Identifiable {
		code += 2
	}
	return code
}

// OK says that the model may be fitted.
func (a Admission) OK() bool { return a.Exists && a.Identifiable }

// bitset marks subsets of up to ten lists.
type bitset [1 << MaxLists / 64]uint64

func (b *bitset) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b *bitset) has(i int) bool { return b[i>>6]>>(i&63)&1 == 1 }

type admitKey struct{ support, terms bitset }

// admitter answers for many models and many tables, remembering by (which
// histories are seen, model). It belongs to one goroutine.
type admitter struct {
	t       int
	pairs   []int
	memo    map[admitKey]Admission
	support bitset
	star    []float64
	seen    []int
	dead    []bool
	finite  []int
	top     []int
	rows    []float64
	work    eliminator
}

// memoLimit bounds the memory of an admitter; beyond it the memory starts anew.
const memoLimit = 1 << 16

func newAdmitter(t int) *admitter {
	return &admitter{t: t, pairs: pairs(t), memo: map[admitKey]Admission{},
		star: make([]float64, 1<<t), dead: make([]bool, 1<<t)}
}

// load takes the table whose models are asked about: its counts and N*.
func (a *admitter) load(y, star []float64) {
	a.support = bitset{}
	a.seen = a.seen[:0]
	for h, c := range y {
		if h != 0 && c > 0 {
			a.support.set(h)
			a.seen = append(a.seen, h)
		}
	}
	copy(a.star, star)
}

// check answers for one model. For two-list models it first asks for the
// largest model with the same empty pairs: removing a pair that overlaps
// never destroys existence or rank, so its yes is a yes.
func (a *admitter) check(m Model) Admission {
	pairsOnly := true
	a.top = a.top[:0]
	for _, term := range m.Terms {
		pairsOnly = pairsOnly && term&(term-1)&(term&(term-1)-1) == 0
	}
	if !pairsOnly {
		return a.remember(m)
	}
	var in bitset
	for _, term := range m.Terms {
		in.set(term)
	}
	for _, p := range a.pairs {
		if a.star[p] > 0 || in.has(p) {
			a.top = append(a.top, p)
		}
	}
	if top := a.remember(Model{a.t, a.top}); top.OK() || len(a.top) == len(m.Terms) {
		return top
	}
	return a.remember(m)
}

func (a *admitter) remember(m Model) Admission {
	key := admitKey{support: a.support}
	for _, term := range m.Terms {
		key.terms.set(term)
	}
	if got, ok := a.memo[key]; ok {
		return got
	}
	if len(a.memo) >= memoLimit {
		clear(a.memo)
	}
	got := a.decide(m)
	a.memo[key] = got
	return got
}

func (a *admitter) decide(m Model) Admission {
	a.finite = split(m, a.star, a.dead, a.finite)
	p := len(a.finite)
	a.rows = a.rows[:0]
	for _, h := range a.seen {
		if !a.dead[h] {
			a.rows = appendRow(a.rows, h, a.finite)
		}
	}
	a.work.reduce(a.rows, p)
	free := a.work.free
	if len(free) == 0 {
		return Admission{true, true, true}
	}
	rest := a.unseenOn(p, free)
	return Admission{
		Exists:        !recedes(rest, len(free)),
		Identifiable:  rank(rest, len(free)) == len(free),
		DarkEstimable: a.darkEstimable(p),
	}
}

// unseenOn gives, per unseen history, the values of the directions that vanish
// on every seen history (one column per free parameter).
func (a *admitter) unseenOn(p int, free []int) []float64 {
	var rest []float64
	distinct := map[string]bool{}
	row := make([]float64, p)
	for h := 1; h < 1<<a.t; h++ {
		if a.dead[h] || a.support.has(h) {
			continue
		}
		row = appendRow(row[:0], h, a.finite)
		values := make([]float64, len(free))
		zero := true
		id := make([]byte, 0, len(free)*8)
		for k, f := range free {
			v := row[f]
			for i, pivot := range a.work.pivots {
				v -= row[pivot] * a.work.rows[i*p+f]
			}
			if math.Abs(v) < tiny {
				v = 0
			}
			values[k] = v
			zero = zero && v == 0
			bits := math.Float64bits(math.Round(v*1e6) + 0)
			for s := 0; s < 64; s += 8 {
				id = append(id, byte(bits>>s))
			}
		}
		if zero || distinct[string(id)] {
			continue
		}
		distinct[string(id)] = true
		rest = append(rest, values...)
	}
	return rest
}

// darkEstimable asks whether the intercept is in the row space of all
// histories that are left, seen or not.
func (a *admitter) darkEstimable(p int) bool {
	var rows []float64
	for h := 1; h < 1<<a.t; h++ {
		if !a.dead[h] {
			rows = appendRow(rows, h, a.finite)
		}
	}
	without := rank(rows, p)
	e := make([]float64, p)
	e[0] = 1
	return rank(append(rows, e...), p) == without
}

func appendRow(rows []float64, h int, finite []int) []float64 {
	for _, term := range finite {
		v := 0.0
		if term&h == term {
			v = 1
		}
		rows = append(rows, v)
	}
	return rows
}

const tiny = 1e-9 // entries are small integers and their quotients

// eliminator reduces a matrix of 0 and 1 to reduced row echelon form.
type eliminator struct {
	rows   []float64 // one row per pivot, p wide
	pivots []int     // pivot column of each row
	free   []int     // columns without a pivot
	buf    []float64
}

func (e *eliminator) reduce(matrix []float64, p int) {
	e.buf = append(e.buf[:0], matrix...)
	n := len(e.buf) / p
	at := func(i int) []float64 { return e.buf[i*p : i*p+p] }
	e.pivots, e.free = e.pivots[:0], e.free[:0]
	r := 0
	for c := 0; c < p; c++ {
		best, value := -1, tiny
		for i := r; i < n; i++ {
			if v := math.Abs(e.buf[i*p+c]); v > value {
				best, value = i, v
			}
		}
		if best < 0 {
			e.free = append(e.free, c)
			continue
		}
		top := at(r)
		if best != r {
			other := at(best)
			for k := range top {
				top[k], other[k] = other[k], top[k]
			}
		}
		inv := 1 / top[c]
		for k := c; k < p; k++ {
			top[k] *= inv
		}
		for i := 0; i < n; i++ {
			row := at(i)
			factor := row[c]
			if i == r || factor == 0 {
				continue
			}
			for k := c; k < p; k++ {
				row[k] -= factor * top[k]
			}
			row[c] = 0
		}
		e.pivots = append(e.pivots, c)
		r++
	}
	e.rows = e.buf[:r*p]
}

func rank(matrix []float64, p int) int {
	if p == 0 {
		return 0
	}
	var e eliminator
	e.reduce(matrix, p)
	return len(e.pivots)
}

// recedes says whether some z has Cz ≤ 0 and Cz ≠ 0, for C of width k.
func recedes(c []float64, k int) bool {
	n := len(c) / k
	if n == 0 {
		return false
	}
	// Variables z⁺ and z⁻; rows C z ≤ 0 and −Σ Cz ≤ 1; maximise −Σ Cz.
	width := 2 * k
	lp := make([]float64, 0, (n+1)*width)
	total := make([]float64, k)
	for i := 0; i < n; i++ {
		row := c[i*k : i*k+k]
		lp = append(lp, row...)
		for j, v := range row {
			lp = append(lp, -v)
			total[j] -= v
		}
	}
	objective := make([]float64, 0, width)
	objective = append(objective, total...)
	for _, v := range total {
		objective = append(objective, -v)
	}
	lp = append(lp, objective...)
	bound := make([]float64, n+1)
	bound[n] = 1
	return maximise(objective, lp, bound) > 0.5
}

// maximise solves max c·x, Ax ≤ b, x ≥ 0 for b ≥ 0 by the simplex method on a
// dense tableau, from x = 0, with Bland's rule (so that it ends).
func maximise(c, a, b []float64) float64 {
	n, m := len(c), len(b)
	width := n + 1
	tab := make([]float64, (m+1)*width)
	basis, column := make([]int, m), make([]int, n)
	for j := range column {
		column[j] = j
	}
	for i := 0; i < m; i++ {
		copy(tab[i*width:], a[i*n:i*n+n])
		tab[i*width+n] = b[i]
		basis[i] = n + i
	}
	last := tab[m*width : (m+1)*width]
	for j, v := range c {
		last[j] = -v
	}
	for {
		enter := -1
		for j := 0; j < n; j++ {
			if last[j] < -tiny && (enter < 0 || column[j] < column[enter]) {
				enter = j
			}
		}
		if enter < 0 {
			return last[n]
		}
		leave, ratio := -1, math.Inf(1)
		for i := 0; i < m; i++ {
			v := tab[i*width+enter]
			if v <= tiny {
				continue
			}
			q := tab[i*width+n] / v
			if q < ratio-tiny || (q < ratio+tiny && (leave < 0 || basis[i] < basis[leave])) {
				leave, ratio = i, math.Min(q, ratio)
			}
		}
		if leave < 0 {
			return math.Inf(1)
		}
		pivot(tab, width, m+1, leave, enter)
		basis[leave], column[enter] = column[enter], basis[leave]
	}
}

func pivot(tab []float64, width, rows, r, c int) {
	row := tab[r*width : (r+1)*width]
	inv := 1 / row[c]
	for i := 0; i < rows; i++ {
		if i == r {
			continue
		}
		other := tab[i*width : (i+1)*width]
		factor := other[c] * inv
		if factor == 0 {
			continue
		}
		for k, v := range row {
			if k != c {
				other[k] -= factor * v
			}
		}
		other[c] = -factor
	}
	for k := range row {
		row[k] *= inv
	}
	row[c] = inv
}
