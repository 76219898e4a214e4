// Hiding: primary cells for their smallness, then complementary cells until the
// attacker's range of every hidden cell is wide enough.
//
// The search is the row-generation of Fischetti & Salazar (Management Science
// 47(7), 2001) with a greedy choice: while a hidden cell's range is too narrow,
// the linear programme's certificate (its dual solution) names the published
// cells that hold it fast; hide the one that frees the most per person lost,
// and ask again. Whatever is hidden later only widens ranges found earlier, so
// one pass over the growing list of hidden cells is enough.

package suppress

import (
	"fmt"
	"math"
	"slices"

	"banyan/internal/disclosure/attack"
	"banyan/internal/disclosure/lp"
	"banyan/internal/disclosure/table"
)

// Options say what is too small and how well it must be hidden.
type Options struct {
	// Threshold is the smallest count that may be shown: cells of 1 to
	// Threshold-1 persons are hidden. Cells of nobody are shown (as absent).
	Threshold int
	// Protection is the smallest width of the attacker's range. The default,
	// Threshold-2, is what the rule itself says of a hidden cell ("1 to 10").
	Protection int
	// Against are earlier releases of the same, or of earlier, persons.
	Against []*Release
}

// Population says how the persons of an earlier release relate to those of now.
type Population string

// The relations that published figures can show.
const (
	SamePersons    Population = "same"    // every earlier figure is today's figure
	MorePersons    Population = "grown"   // no earlier figure is above today's
	ChangedPersons Population = "changed" // some went up, some down
)

// Result tells what was hidden and what the attack on it found.
type Result struct {
	Cells, Primary, Complementary int
	Persons, HiddenPersons        int // in the cells of the tables asked for, without margins
	Against                       []Population
	Protection                    int
	Cyclic                        bool // the tables form a cycle; see Tables.Cyclic
}

// Protect decides which cells are hidden. An error says which cell cannot be
// protected, with what was published earlier as the usual reason.
func (x *Tables) Protect(opt Options) (*Result, error) {
	if opt.Threshold < 2 {
		return nil, &table.InputError{Reason: "a threshold under 2 hides nobody"}
	}
	if opt.Protection <= 0 {
		opt.Protection = max(opt.Threshold-2, 1)
	}
	for i := range x.Cells {
		c := &x.Cells[i]
		c.Primary = c.N < uint32(opt.Threshold) || x.grouped && oneCase(*c)
		c.Hidden = c.Primary
	}
	w, err := x.newWorld(opt)
	if err != nil {
		return nil, err
	}
	if err := w.protectAll(); err != nil {
		return nil, err
	}
	res := x.summary()
	res.Cyclic = x.Cyclic()
	res.Protection = opt.Protection
	for _, e := range w.earlier {
		res.Against = append(res.Against, e.population)
	}
	return res, nil
}

// MinGroups is the fewest case groups of a cell that is shown where groups are
// known, and MaxShare, in percent, the most that one of them may be of it.
const (
	MinGroups = 2
	MaxShare  = 75
)

// oneCase reports whether a cell tells of one case: too few groups, or one that
// is nearly all of it.
func oneCase(c Cell) bool {
	return c.Groups < MinGroups || 100*uint64(c.Largest) > MaxShare*uint64(c.N)
}

func (x *Tables) summary() *Result {
	r := &Result{Cells: len(x.Cells)}
	for _, c := range x.Cells {
		if c.Primary {
			r.Primary++
		} else if c.Hidden {
			r.Complementary++
		}
		if slices.ContainsFunc(x.By, func(tab []int) bool { return SameDims(x.Margins[c.Margin], tab) }) {
			r.Persons += int(c.N)
			if c.Hidden {
				r.HiddenPersons += int(c.N)
			}
		}
	}
	return r
}

// SameDims reports whether a margin is by the dimensions of a table.
func SameDims(margin, tab []int) bool {
	tab = slices.Sorted(slices.Values(tab))
	return slices.Equal(margin, tab)
}

// world is everything the attacker will know, as one linear system: the cells of
// now, the cells of earlier releases and, where persons were added, differences.
type world struct {
	x       *Tables
	opt     Options
	sys     *lp.System
	earlier []earlierRelease
	guard   []int       // variables whose range must stay wide
	need    map[int]int // narrower needs than opt.Protection: variable → width
	owner   []int       // variable → cell of now that may still be hidden, or -1
	names   []string
}

type earlierRelease struct {
	*Release
	population Population
	vars       []int
}

func (x *Tables) newWorld(opt Options) (*world, error) {
	w := &world{x: x, opt: opt, need: map[int]int{}}
	inf := math.Inf(1)
	var lo, hi, at []float64
	var eqs []lp.Equation
	add := func(l, h, v float64, owner int, name string) int {
		lo, hi, at = append(lo, l), append(hi, h), append(at, v)
		w.owner = append(w.owner, owner)
		w.names = append(w.names, name)
		return len(lo) - 1
	}
	now := map[string]int{}
	for i, c := range x.Cells {
		n := float64(c.N)
		l, h := n, n
		if c.Hidden {
			l, h = 1, inf
			w.guard = append(w.guard, i)
		}
		now[x.Name(i)] = add(l, h, n, i, x.Name(i))
	}
	for _, r := range x.Relations {
		eqs = append(eqs, equation(r, func(i int) int { return i }))
	}
	known := true // whether at is a feasible point
	for _, rel := range opt.Against {
		e := earlierRelease{Release: rel, population: x.compare(rel, now)}
		alone, err := rel.Attack(float64(opt.Protection))
		if err != nil {
			return nil, fmt.Errorf("earlier release %s: %w", rel.Path, err)
		}
		for f, fig := range rel.Figures {
			v, shared := now[fig.Name]
			switch {
			case e.population == SamePersons && shared:
				if !fig.Hidden { // out already: hiding it now protects nobody
					lo[v], hi[v] = fig.N, fig.N
					w.owner[v] = -1
					x.Cells[v].Hidden, x.Cells[v].Primary = false, false
					w.guard = slices.DeleteFunc(w.guard, func(g int) bool { return g == v })
				} else {
					x.Cells[v].Hidden = true
					lo[v], hi[v] = 1, inf
				}
			default:
				v = add(fig.N, fig.N, fig.N, -1, fig.Name+" in "+rel.Path)
				if fig.Hidden {
					lo[v], hi[v], at[v] = 1, inf, 1
					known = false
				}
			}
			if fig.Hidden {
				if !slices.Contains(w.guard, v) {
					w.guard = append(w.guard, v)
				}
				w.need[v] = int(min(alone.Ranges[f].Width(), float64(opt.Protection)))
			}
			e.vars = append(e.vars, v)
			if c, ok := now[fig.Name]; ok && e.population != SamePersons {
				w.difference(e.population, fig, c, v, add, &eqs)
			}
		}
		for _, r := range rel.Relations {
			eqs = append(eqs, equation(r, func(i int) int { return e.vars[i] }))
		}
		w.earlier = append(w.earlier, e)
	}
	var err error
	if known {
		w.sys, err = lp.New(lo, hi, at, eqs)
	} else {
		w.sys, _, err = lp.Feasible(lo, hi, eqs)
	}
	if err != nil {
		return nil, fmt.Errorf("protect the tables: %w", err)
	}
	return w, nil
}

// difference guards what changed between two releases: a rise from 40 to 41 in a
// cell that both show is one new person.
func (w *world) difference(p Population, fig Figure, now, then int, add func(l, h, v float64, owner int, name string) int, eqs *[]lp.Equation) {
	l := math.Inf(-1)
	if p == MorePersons {
		l = 0
	}
	n := float64(w.x.Cells[now].N)
	d := add(l, math.Inf(1), n-fig.N, -1, "the change of "+fig.Name)
	*eqs = append(*eqs, lp.Equation{Terms: []lp.Term{{Var: now, Coef: 1}, {Var: then, Coef: -1}, {Var: d, Coef: -1}}})
	if change := math.Abs(n - fig.N); !fig.Hidden && change > 0 && change < float64(w.opt.Threshold) {
		w.guard = append(w.guard, d)
	}
}

func equation(r Relation, v func(int) int) lp.Equation {
	e := lp.Equation{Terms: []lp.Term{{Var: v(r.Parent), Coef: -1}}}
	for _, c := range r.Children {
		e.Terms = append(e.Terms, lp.Term{Var: v(c), Coef: 1})
	}
	return e
}

// compare finds how an earlier release's persons relate to today's. A cell that
// today has nobody and that was published with somebody counts as a fall.
func (x *Tables) compare(rel *Release, now map[string]int) Population {
	up, down := false, false
	for _, f := range rel.Figures {
		if f.Hidden {
			continue
		}
		if c, ok := now[f.Name]; ok {
			n := float64(x.Cells[c].N)
			up = up || n > f.N
			down = down || n < f.N
		}
	}
	switch {
	case down:
		return ChangedPersons
	case up:
		return MorePersons
	}
	return SamePersons
}

// Attack finds the range of every figure of the release from its own figures;
// ranges of at least enough are not followed to their end.
func (rel *Release) Attack(enough float64) (*attack.Solved, error) {
	figures := make([]attack.Figure, len(rel.Figures))
	for i, f := range rel.Figures {
		figures[i] = attack.Figure{Lo: f.N, Hi: f.N}
		if f.Hidden {
			figures[i] = attack.Figure{Lo: 1, Hi: math.Inf(1)}
		}
	}
	relations := make([]attack.Relation, len(rel.Relations))
	for i, r := range rel.Relations {
		relations[i] = attack.Relation{Parent: r.Parent, Children: r.Children}
	}
	return attack.Solve(figures, relations, enough)
}

// Together joins releases of the same persons into what an attacker has who
// holds them all. A cell that one of them shows is shown.
func Together(releases ...*Release) *Release {
	all := &Release{index: map[string]int{}}
	for _, rel := range releases {
		at := make([]int, len(rel.Figures))
		for f, fig := range rel.Figures {
			i, ok := all.index[fig.Name]
			if !ok {
				i = len(all.Figures)
				all.index[fig.Name] = i
				all.Figures = append(all.Figures, fig)
			} else if all.Figures[i].Hidden {
				all.Figures[i] = fig
			}
			at[f] = i
		}
		for _, r := range rel.Relations {
			j := Relation{Parent: at[r.Parent]}
			for _, c := range r.Children {
				j.Children = append(j.Children, at[c])
			}
			all.Relations = append(all.Relations, j)
		}
	}
	return all
}

// protectAll widens the range of every guarded variable; hiding adds to the list.
func (w *world) protectAll() error {
	for i := 0; i < len(w.guard); i++ {
		v := w.guard[i]
		for !w.wide(v) {
			c, ok := w.breaker(v)
			if !ok {
				return fmt.Errorf("%q cannot be hidden well enough: what holds it is published already or cannot be hidden; drop a table or raise no further releases of these persons", w.names[v])
			}
			w.hide(c)
		}
	}
	return nil
}

func (w *world) protection(v int) float64 {
	if n, ok := w.need[v]; ok {
		return float64(n)
	}
	return float64(w.opt.Protection)
}

// wide reports whether the attacker's range of v reaches its protection.
func (w *world) wide(v int) bool {
	p := w.protection(v)
	start := w.sys.X[v]
	hi := w.sys.Push(v, 1, start+p)
	if hi >= start+p-1e-6 {
		return true
	}
	lo := w.sys.Push(v, -1, hi-p)
	return lo <= hi-p+1e-6
}

// breaker picks the published cell to hide next so that v's range grows: most
// freedom per person hidden, among those that the certificates of both ends name.
func (w *world) breaker(v int) (best int, ok bool) {
	bestScore := 0.0
	need := w.protection(v)
	consider := func(dir float64) {
		w.sys.Push(v, dir, math.Inf(int(dir)))
		for _, t := range w.sys.Binding(v, dir) {
			if t.Var >= len(w.owner) {
				continue // an artificial variable of the solver
			}
			c := w.owner[t.Var]
			if c < 0 || w.x.Cells[c].Hidden {
				continue
			}
			cell := w.x.Cells[c]
			room := math.Inf(1)
			if t.Coef < 0 { // it would have to fall, and stays at least 1
				room = float64(cell.N) - 1
			}
			gain := min(math.Abs(t.Coef)*room, need)
			if gain <= 0 {
				continue
			}
			// A margin is read by more people than an inner cell.
			cost := (1 + float64(cell.N)) * math.Pow(3, float64(w.depth()-len(cell.Codes)))
			if score := gain / cost; score > bestScore || score == bestScore && ok && c < best {
				best, bestScore, ok = c, score, true
			}
		}
	}
	consider(1)
	consider(-1)
	return best, ok
}

func (w *world) depth() int { return len(w.x.Margins[len(w.x.Margins)-1]) }

func (w *world) hide(c int) {
	w.x.Cells[c].Hidden = true
	w.sys.Lo[c], w.sys.Hi[c] = 1, math.Inf(1)
	w.guard = append(w.guard, c)
}
