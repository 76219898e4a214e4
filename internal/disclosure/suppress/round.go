// Rounding as an alternative to hiding: every figure, totals included, becomes
// one of the two multiples of a base next to it, by chance and without bias.
//
// The promise, for every figure: over all the figures of the release, found by
// linear programming, the counts that it may still be span at least base-1, even
// for an attacker who is told which cells are truly empty. A draw that would
// break the promise, because totals and cells happen to lean against each other,
// is drawn again.

package suppress

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"banyan/internal/disclosure/attack"
	"banyan/internal/disclosure/lp"
	"banyan/internal/disclosure/table"
)

// MaxBase is the largest base: beyond it a table says nothing.
const MaxBase = 1000

// rounds of redrawing before rounding gives up.
const redrawRounds = 400

// Rounding tells what rounding did.
type Rounding struct {
	Base       int
	Cells      int
	ToZero     int     // cells of somebody that became 0 and are not listed
	Redrawn    int     // draws repeated because totals would have told too much
	MeanError  float64 // mean absolute difference of published and true figures
	LargestGap int     // largest difference of a published total and the sum of its published parts
}

// SecureDraw gives an unbiased number from 0 to n-1 from the system's
// cryptographic source.
func SecureDraw(n int) int {
	limit := math.MaxUint64 - math.MaxUint64%uint64(n)
	for {
		var b [8]byte
		rand.Read(b[:]) // never fails: crypto/rand ends the program instead
		if x := binary.LittleEndian.Uint64(b[:]); x < limit {
			return int(x % uint64(n))
		}
	}
}

// Round rounds every figure to a multiple of base, up with probability
// remainder/base, so that its mean is the true count. draw gives a number from 0
// to n-1; SecureDraw is the one to publish with. After it Write writes rounded
// figures and leaves out those of 0.
func (x *Tables) Round(base int, draw func(n int) int) (*Rounding, error) {
	if base < 2 || base > MaxBase {
		return nil, &table.InputError{Reason: fmt.Sprintf("rounding to base %d: a base from 2 to %d", base, MaxBase)}
	}
	twin := x.twins()
	redraw := func(c int) {
		n := x.Cells[c].N
		p := n - n%uint32(base)
		if draw(base) < int(n%uint32(base)) {
			p += uint32(base)
		}
		for i := range x.Cells {
			if twin[i] == twin[c] {
				x.Cells[i].Rounded = p
			}
		}
	}
	for i := range x.Cells {
		if twin[i] == i {
			redraw(i)
		}
	}
	res := &Rounding{Base: base, Cells: len(x.Cells)}
	for round := 0; ; round++ {
		again, err := x.leaning(base)
		if err != nil {
			return nil, err
		}
		if len(again) == 0 {
			break
		}
		if round == redrawRounds {
			return nil, fmt.Errorf("after %d draws %d figures still follow too closely from each other: ask for fewer tables, a larger base, or hide cells instead; nothing was released", redrawRounds, len(again))
		}
		done := map[int]bool{}
		for _, c := range again {
			if !done[twin[c]] {
				done[twin[c]] = true
				redraw(c)
				res.Redrawn++
			}
		}
	}
	x.base = base
	for _, c := range x.Cells {
		res.MeanError += math.Abs(float64(c.N)-float64(c.Rounded)) / float64(len(x.Cells))
		if c.Rounded == 0 {
			res.ToZero++
		}
	}
	for _, r := range x.Relations {
		gap := int(x.Cells[r.Parent].Rounded)
		for _, c := range r.Children {
			gap -= int(x.Cells[c].Rounded)
		}
		res.LargestGap = max(res.LargestGap, gap, -gap)
	}
	return res, nil
}

// twins joins cells that hold the same persons (a total of one cell is that
// cell): rounded apart they would narrow each other. It gives each cell the
// first cell of its kind.
func (x *Tables) twins() []int {
	twin := make([]int, len(x.Cells))
	for i := range twin {
		twin[i] = i
	}
	find := func(i int) int {
		for twin[i] != i {
			i = twin[i]
		}
		return i
	}
	for _, r := range x.Relations {
		if len(r.Children) == 1 {
			a, b := find(r.Parent), find(r.Children[0])
			twin[max(a, b)] = min(a, b)
		}
	}
	for i := range twin {
		twin[i] = find(i)
	}
	return twin
}

// known is what a rounded figure says by itself: at least 0, and less than one
// base away.
func known(rounded uint32, base int) (lo, hi float64) {
	return max(0, float64(rounded)-float64(base-1)), float64(rounded) + float64(base-1)
}

// leaning finds the figures that must be drawn again: those whose range is
// narrower than base-1, with the figures that hold them fast.
func (x *Tables) leaning(base int) ([]int, error) {
	var lo, hi, at []float64
	for _, c := range x.Cells {
		l, h := known(c.Rounded, base)
		lo, hi, at = append(lo, l), append(hi, h), append(at, float64(c.N))
	}
	var eqs []lp.Equation
	for _, r := range x.Relations {
		eqs = append(eqs, equation(r, func(i int) int { return i }))
	}
	sys, err := lp.New(lo, hi, at, eqs)
	if err != nil {
		return nil, fmt.Errorf("round the tables: %w", err)
	}
	need := float64(base - 1)
	var again []int
	for v := range x.Cells {
		up := sys.Push(v, 1, sys.X[v]+need)
		down := sys.Push(v, -1, up-need)
		if up-down >= need-1e-6 {
			continue
		}
		again = append(again, v)
		for _, dir := range []float64{1, -1} {
			sys.Push(v, dir, math.Inf(int(dir)))
			again = append(again, sys.Tight(v)...)
		}
	}
	slices.Sort(again)
	return slices.Compact(again), nil
}

// AttackRounded attacks a rounded release anew, knowing only rounded figures and,
// more than the public does, which cells are truly empty. It gives the range of
// every figure, followed until it is enough wide.
func (x *Tables) AttackRounded(enough float64) (*attack.Solved, error) {
	figures := make([]attack.Figure, len(x.Cells))
	for i, c := range x.Cells {
		figures[i].Lo, figures[i].Hi = known(c.Rounded, x.base)
	}
	relations := make([]attack.Relation, len(x.Relations))
	for i, r := range x.Relations {
		relations[i] = attack.Relation{Parent: r.Parent, Children: r.Children}
	}
	return attack.Solve(figures, relations, enough)
}
