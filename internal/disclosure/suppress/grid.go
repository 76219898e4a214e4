// One table by two codes whose totals are all published: what a page shows that
// is drawn anew for every pair of codes.
//
// Because the totals are known to the attacker in full and are the same in every
// such table, tables of different pairs that share a code tell nothing of each
// other's cells: figures of a decomposable family agree with some joint table
// whenever their shared totals agree (Lauritzen 1996, ch. 4). Each table can
// therefore be protected alone. What three tables that form a cycle (a by b, b
// by c, c by a) restrict together is not looked at.

package suppress

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"banyan/internal/disclosure/lp"
)

// Grid is a table of counts with its totals. Where a person may stand in
// several cells, the cells of a line add up to more than its total; the
// attacker is then taken to know by how much.
type Grid struct {
	N          [][]int64
	Rows, Cols []int64 // totals of persons
	Total      int64
	Primary    [][]bool // hidden for their own smallness
}

// trimCells bounds the tables in which hidden cells are tried to be shown again.
const trimCells = 600

// Hide gives the cells that stay hidden: the primary ones, and others until
// whoever knows all that is shown, the totals too, finds room of at least
// `protection` for each of them. He is taken to know that a hidden count is at
// least 1 as long as cells of nobody are shown. Where that leaves no way to
// protect a cell, cells of nobody among the small counts are hidden too, and any
// hidden count may be 0.
func (g *Grid) Hide(protection int) ([][]bool, error) {
	for _, zeros := range []bool{false, true} {
		h := &gridSearch{Grid: g, protection: float64(protection), zeros: zeros}
		h.start()
		ok, err := h.widen()
		if err != nil {
			return nil, fmt.Errorf("hiding in a table of %d by %d: %w", len(g.Rows), len(g.Cols), err)
		}
		if ok {
			h.trim()
			return h.hidden, nil
		}
	}
	return g.all(), nil
}

// all hides everything within the table; what is left are the totals.
func (g *Grid) all() [][]bool {
	out := make([][]bool, len(g.N))
	for i, line := range g.N {
		out[i] = slices.Repeat([]bool{true}, len(line))
	}
	return out
}

// gridSearch is the state of one search.
type gridSearch struct {
	*Grid
	protection float64
	zeros      bool // cells of nobody may be hidden too
	hidden     [][]bool
	extra      []gridCell // hidden to protect others, in order
}

type gridCell struct{ i, j int }

func (h *gridSearch) start() {
	h.hidden = make([][]bool, len(h.N))
	for i, line := range h.Primary {
		h.hidden[i] = slices.Clone(line)
	}
	if !h.zeros {
		return
	}
	// Cells of nobody where a line and a column with small counts meet: it must
	// not be known that a hidden count is somebody's.
	for i, line := range h.N {
		for j, n := range line {
			h.hidden[i][j] = h.hidden[i][j] || n == 0 && slices.Contains(h.Primary[i], true) && slices.ContainsFunc(h.Primary, func(row []bool) bool { return row[j] })
		}
	}
}

// bounds are what the attacker knows of a hidden cell by itself and its totals.
func (h *gridSearch) bounds(c gridCell) (lo, hi float64) {
	lo = 1
	if h.zeros {
		lo = 0
	}
	row, col := h.Rows[c.i], h.Cols[c.j]
	return max(lo, float64(row+col-h.Total)), float64(min(row, col))
}

// system is all that restricts the hidden cells, one variable each; with shown
// cells too, as variables without room, where the search asks which of them
// hold a cell fast.
func (h *gridSearch) system(withShown bool) (*lp.System, []gridCell, error) {
	var at []gridCell
	var lo, hi, x []float64
	rows, cols := make([]lp.Equation, len(h.Rows)), make([]lp.Equation, len(h.Cols))
	for i, line := range h.N {
		for j, n := range line {
			if !h.hidden[i][j] && (!withShown || n == 0 && !h.zeros) {
				continue
			}
			c := gridCell{i, j}
			l, u := float64(n), float64(n)
			if h.hidden[i][j] {
				l, u = h.bounds(c)
			}
			term := lp.Term{Var: len(x), Coef: 1}
			rows[i].Terms, cols[j].Terms = append(rows[i].Terms, term), append(cols[j].Terms, term)
			at, lo, hi, x = append(at, c), append(lo, l), append(hi, u), append(x, float64(n))
		}
	}
	// The true counts are a feasible point, so each sum is what they add up to.
	sys, err := lp.New(lo, hi, x, append(rows, cols...))
	return sys, at, err
}

// widen hides more until every primary cell, and every cell hidden for one, has
// its room. It reports false when a cell cannot be given any.
func (h *gridSearch) widen() (bool, error) {
	sys, at, err := h.system(true)
	if errors.Is(err, lp.ErrTooLarge) {
		h.hidden = h.all()
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var guard []int
	for v, c := range at {
		if h.guarded(c) {
			guard = append(guard, v)
		}
	}
	for g := 0; g < len(guard); g++ {
		for !wideIn(sys, guard[g], h.protection) {
			v, ok := h.breaker(sys, at, guard[g])
			if !ok {
				return false, nil
			}
			c := at[v]
			h.hidden[c.i][c.j] = true
			h.extra = append(h.extra, c)
			sys.Lo[v], sys.Hi[v] = h.bounds(c)
			if h.guarded(c) {
				guard = append(guard, v)
			}
		}
	}
	return true, nil
}

// guarded cells need room; to find a hidden cell of nobody empty harms nobody.
func (h *gridSearch) guarded(c gridCell) bool { return h.hidden[c.i][c.j] && h.N[c.i][c.j] > 0 }

// wideIn reports whether variable v can range over at least width.
func wideIn(sys *lp.System, v int, width float64) bool {
	start := sys.X[v]
	hi := sys.Push(v, 1, start+width)
	if hi >= start+width-1e-6 {
		return true
	}
	return sys.Push(v, -1, hi-width) <= hi-width+1e-6
}

// breaker picks the shown cell that gives most room per person hidden, among
// those that hold v fast.
func (h *gridSearch) breaker(sys *lp.System, at []gridCell, v int) (best int, ok bool) {
	bestScore := 0.0
	for _, dir := range []float64{1, -1} {
		sys.Push(v, dir, math.Inf(int(dir)))
		for _, t := range sys.Binding(v, dir) {
			c := at[t.Var]
			if h.hidden[c.i][c.j] {
				continue
			}
			lo, hi := h.bounds(c)
			n := float64(h.N[c.i][c.j])
			room := hi - n
			if t.Coef < 0 { // it would have to fall
				room = n - lo
			}
			gain := min(math.Abs(t.Coef)*room, h.protection)
			if gain <= 0 {
				continue
			}
			if score := gain / h.cost(c); score > bestScore || score == bestScore && ok && t.Var < best {
				best, bestScore, ok = t.Var, score, true
			}
		}
	}
	return best, ok
}

// cost of hiding a cell: its persons. A cell of nobody costs more than any: that
// nobody is there, readers often know from elsewhere, and then it protects nothing.
func (h *gridSearch) cost(c gridCell) float64 {
	n := h.N[c.i][c.j]
	if n == 0 {
		return float64(1 + h.Total)
	}
	return float64(1 + n)
}

// trim shows again what later hiding made needless, largest counts first.
func (h *gridSearch) trim() {
	if len(h.Rows)*len(h.Cols) > trimCells {
		return
	}
	order := slices.Clone(h.extra)
	slices.SortStableFunc(order, func(a, b gridCell) int { return cmp.Compare(h.N[b.i][b.j], h.N[a.i][a.j]) })
	for _, c := range order {
		if h.hidden[c.i][c.j] {
			h.show(c)
		}
	}
}

// show shows a cell, and those that were hidden only together with it; where a
// primary cell would lose its room, all stays as it was.
func (h *gridSearch) show(c gridCell) {
	shown := []gridCell{}
	for ok := true; ok; {
		h.hidden[c.i][c.j] = false
		shown = append(shown, c)
		if c, ok = h.placed(); ok && h.Primary[c.i][c.j] {
			for _, back := range shown {
				h.hidden[back.i][back.j] = true
			}
			return
		}
	}
}

// placed gives a hidden cell that the attacker can place too narrowly.
func (h *gridSearch) placed() (gridCell, bool) {
	sys, at, err := h.system(false)
	if err != nil {
		return gridCell{}, false // widen has built a larger one
	}
	for v, c := range at {
		if h.guarded(c) && !wideIn(sys, v, h.protection) {
			return c, true
		}
	}
	return gridCell{}, false
}
