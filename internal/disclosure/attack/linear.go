// Package attack tries to undo what is to be published, the way somebody
// outside would: by linear programming over every figure that is out, by
// differencing releases, by looking for rare combinations and homogeneous
// groups in microdata. A release goes out with the report of this attack.
package attack

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"banyan/internal/disclosure/lp"
)

// Figure is a count that is published, or that published counts add up to.
// What the public knows of it is that it lies from Lo to Hi; shown figures have
// Lo = Hi, a figure that is only implied has Hi = +Inf.
type Figure struct{ Lo, Hi float64 }

// Shown reports whether the public knows the figure as it stands.
func (f Figure) Shown() bool { return f.Lo == f.Hi }

// Relation says that a figure is the sum of others, or at least their sum where
// a rest (persons of unrecorded sex, say) may be missing.
type Relation struct {
	Parent   int
	Children []int
	AtLeast  bool
}

// Range is what the attacker knows of a figure in the end: whole numbers from
// Lo to Hi, Hi = +Inf when nothing bounds it.
type Range struct{ Lo, Hi float64 }

// Width is the number of further values that the figure might have; 0 is full
// disclosure.
func (r Range) Width() float64 { return r.Hi - r.Lo }

// Solved is the result of the linear attack.
type Solved struct {
	Ranges       []Range // one per figure
	Inconsistent []int   // relations that contradict the figures; left out
	Programmes   int     // linear programmes solved
	Largest      int     // figures in the largest connected group
}

// Solve finds the range of every figure. Figures that no relation connects
// through something hidden are independent, so each connected group is a linear
// programme of its own; groups are solved on all cores. A range that is found to
// be at least enough wide is not followed to its end; +Inf asks for all ends.
func Solve(figures []Figure, relations []Relation, enough float64) (*Solved, error) {
	out := &Solved{Ranges: make([]Range, len(figures))}
	for i, f := range figures {
		out.Ranges[i] = Range(f)
	}
	groups := connected(figures, relations)
	var next atomic.Int64
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				g := int(next.Add(1)) - 1
				if g >= len(groups) {
					return
				}
				bad, solved, err := groups[g].solve(figures, relations, enough, out.Ranges)
				mu.Lock()
				out.Inconsistent = append(out.Inconsistent, bad...)
				out.Programmes += solved
				out.Largest = max(out.Largest, len(groups[g].figures))
				if err != nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return nil, fmt.Errorf("attack by linear programming: %w", failed)
	}
	return out, nil
}

// group is a set of hidden figures that relations connect.
type group struct {
	figures   []int
	relations []int
}

func connected(figures []Figure, relations []Relation) []group {
	parent := make([]int, len(figures))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := make([]int, len(relations)) // a hidden figure of the relation, or -1
	for r, rel := range relations {
		first[r] = -1
		join := func(i int) {
			switch {
			case figures[i].Shown():
			case first[r] < 0:
				first[r] = i
			default:
				parent[find(i)] = find(first[r])
			}
		}
		join(rel.Parent)
		for _, c := range rel.Children {
			join(c)
		}
	}
	at := map[int]int{}
	var groups []group
	for r := range relations {
		if first[r] < 0 {
			continue
		}
		root := find(first[r])
		g, ok := at[root]
		if !ok {
			g = len(groups)
			at[root] = g
			groups = append(groups, group{})
		}
		groups[g].relations = append(groups[g].relations, r)
	}
	for i, f := range figures {
		if g, ok := at[find(i)]; ok && !f.Shown() {
			groups[g].figures = append(groups[g].figures, i)
		}
	}
	return groups
}

func (g group) solve(figures []Figure, relations []Relation, enough float64, ranges []Range) (inconsistent []int, solved int, err error) {
	local := make(map[int]int, len(g.figures))
	var lo, hi []float64
	for v, i := range g.figures {
		local[i] = v
		lo = append(lo, figures[i].Lo)
		hi = append(hi, figures[i].Hi)
	}
	eqs := make([]lp.Equation, len(g.relations))
	for n, r := range g.relations {
		e := &eqs[n]
		add := func(i int, coef float64) {
			if v, ok := local[i]; ok {
				e.Terms = append(e.Terms, lp.Term{Var: v, Coef: coef})
				return
			}
			e.RHS -= coef * figures[i].Lo
		}
		add(relations[r].Parent, -1)
		for _, c := range relations[r].Children {
			add(c, 1)
		}
		if relations[r].AtLeast {
			e.Terms = append(e.Terms, lp.Term{Var: len(lo), Coef: 1})
			lo, hi = append(lo, 0), append(hi, math.Inf(1))
		}
	}
	sys, bad, err := lp.Feasible(lo, hi, eqs)
	if err != nil {
		return nil, 0, err
	}
	for _, b := range bad {
		inconsistent = append(inconsistent, g.relations[b])
	}
	for v, i := range g.figures {
		from := sys.X[v]
		h := sys.Push(v, 1, from+enough)
		l := from
		if h < from+enough-1e-6 {
			l = sys.Push(v, -1, h-enough)
		}
		ranges[i] = Range{math.Ceil(l-1e-5) + 0, math.Floor(h + 1e-5)} // + 0 makes -0 plain
	}
	return inconsistent, 2 * len(g.figures), nil
}
