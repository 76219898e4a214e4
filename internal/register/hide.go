package register

// Which cells of a shown table stay hidden. Small on purpose: one table, two
// variables, its own totals. Package disclosure has the strong form (several
// tables, earlier releases, chosen protection) for what leaves the house.
//
// What is promised here, for tables of two single-valued variables: every
// count from 1 to threshold − 1 is hidden, totals too, and whoever knows
// everything shown (cells, zeros, totals, and that hidden counts are at least
// 1) can place no hidden count in a range narrower than threshold − 2, which
// is what its being hidden says already. Zero is shown as zero: it is nobody's
// count, and CTDC's tables show it too.
//
// Where a person can have several values the cells of a line may add up to
// more than its total, so that less can be concluded from it; the same cells
// are hidden as if they added up.
//
// The range of a hidden count is found exactly. A change of the hidden counts
// that leaves all lines' sums as they are is a circulation in the graph of
// rows and columns whose edges are the hidden cells (Gusfield 1988, "A graph
// theoretic approach to statistical data security", SIAM J. Comput. 17); how
// far one count can move is a maximal flow in it.

import "math"

// grid is a table with its totals: the last row and the last column hold the
// totals, the corner the number of persons.
type grid struct {
	n         [][]int64
	hidden    [][]bool
	threshold int64
}

// Hide gives which entries of a table with its totals stay hidden: n has one
// more row and one more column than the table, for the totals.
func Hide(n [][]int64, threshold int64) [][]bool {
	g := &grid{n: n, threshold: threshold, hidden: make([][]bool, len(n))}
	for i, row := range n {
		g.hidden[i] = make([]bool, len(row))
		for j, count := range row {
			g.hidden[i][j] = count > 0 && count < threshold
		}
	}
	for g.hideMore() {
	}
	return g.hidden
}

// hideMore hides one more entry for each hidden one that follows too closely
// from the rest, and reports whether it did.
func (g *grid) hideMore() bool {
	more := false
	for i, row := range g.hidden {
		for j, hidden := range row {
			if !hidden || g.isLoose(i, j) {
				continue
			}
			if a, b, ok := g.companion(i, j); ok {
				g.hidden[a][b] = true
				more = true
			}
		}
	}
	return more
}

// companion chooses the entry whose hiding costs least: in a line where (i, j)
// hides alone, else in the line that has the smaller one; totals last; and if
// both lines are spent, anything that is still shown.
func (g *grid) companion(i, j int) (a, b int, ok bool) {
	rowJ, rowOK := g.smallestInRow(i, len(g.n[i])-1)
	colI, colOK := g.smallestInColumn(j, len(g.n)-1)
	alone := func(hidden int) bool { return hidden == 1 }
	switch {
	case rowOK && alone(g.hiddenInRow(i)):
		return i, rowJ, true
	case colOK && alone(g.hiddenInColumn(j)):
		return colI, j, true
	case rowOK && (!colOK || g.n[i][rowJ] <= g.n[colI][j]):
		return i, rowJ, true
	case colOK:
		return colI, j, true
	}
	last, end := len(g.n)-1, len(g.n[i])-1
	for _, at := range [][2]int{{i, end}, {last, j}, {last, end}} {
		if g.isShown(at[0], at[1]) {
			return at[0], at[1], true
		}
	}
	best := int64(math.MaxInt64)
	for x, row := range g.n {
		for y, count := range row {
			if g.isShown(x, y) && count < best {
				a, b, best, ok = x, y, count, true
			}
		}
	}
	return a, b, ok
}

func (g *grid) isShown(i, j int) bool { return g.n[i][j] > 0 && !g.hidden[i][j] }

func (g *grid) smallestInRow(i, end int) (best int, ok bool) {
	for j := range end {
		if g.isShown(i, j) && (!ok || g.n[i][j] < g.n[i][best]) {
			best, ok = j, true
		}
	}
	return best, ok
}

func (g *grid) smallestInColumn(j, end int) (best int, ok bool) {
	for i := range end {
		if g.isShown(i, j) && (!ok || g.n[i][j] < g.n[best][j]) {
			best, ok = i, true
		}
	}
	return best, ok
}

func (g *grid) hiddenInRow(i int) (count int) {
	for _, hidden := range g.hidden[i] {
		if hidden {
			count++
		}
	}
	return count
}

func (g *grid) hiddenInColumn(j int) (count int) {
	for i := range g.hidden {
		if g.hidden[i][j] {
			count++
		}
	}
	return count
}

// isLoose reports whether the hidden count at (i, j) can move over a range of
// at least threshold − 2 while everything shown stays as it is.
func (g *grid) isLoose(i, j int) bool {
	want := g.threshold - 2
	up := g.move(i, j, true, want)
	return up >= want || up+g.move(i, j, false, want-up) >= want
}

// edge directions: forward raises y = sign·x by one, from row node to column
// node; totals have the sign −1, so that every line's signed sum is zero.
func (g *grid) capacity(i, j int, forward bool) int64 {
	isTotal := (i == len(g.n)-1) != (j == len(g.n[i])-1)
	if forward != isTotal { // the count grows
		return math.MaxInt32
	}
	return g.n[i][j] - 1 // a hidden count is at least 1
}

// move gives how far the count's signed value can go in one direction, up to
// limit: a flow from one end of its edge to the other through other hidden
// entries, found by breadth-first augmenting paths.
func (g *grid) move(i, j int, forward bool, limit int64) int64 {
	limit = min(limit, g.capacity(i, j, forward))
	f := &flow{g: g, skipI: i, skipJ: j, pushed: map[[2]int]int64{}}
	rows := len(g.n)
	from, to := rows+j, i // raising y(i,j) is made up for by a way back from j to i
	if !forward {
		from, to = i, rows+j
	}
	var total int64
	for total < limit {
		got := f.augment(from, to, limit-total)
		if got == 0 {
			break
		}
		total += got
	}
	return min(total, limit)
}

// flow is what has been pushed over hidden entries: positive from row to
// column.
type flow struct {
	g            *grid
	skipI, skipJ int
	pushed       map[[2]int]int64
}

// residual gives how much more can go over (i, j) in a direction.
func (f *flow) residual(i, j int, forward bool) int64 {
	pushed := f.pushed[[2]int{i, j}]
	if forward {
		return f.g.capacity(i, j, true) - pushed
	}
	return f.g.capacity(i, j, false) + pushed
}

// augment pushes along one shortest way, at most limit, and gives how much.
func (f *flow) augment(from, to int, limit int64) int64 {
	rows, cols := len(f.g.n), len(f.g.n[0])
	before := make([]int, rows+cols)
	for k := range before {
		before[k] = -1
	}
	before[from] = from
	queue := []int{from}
	for len(queue) > 0 && before[to] < 0 {
		node := queue[0]
		queue = queue[1:]
		if node < rows {
			for j := range cols {
				if before[rows+j] < 0 && f.open(node, j, true) {
					before[rows+j] = node
					queue = append(queue, rows+j)
				}
			}
			continue
		}
		for i := range rows {
			if before[i] < 0 && f.open(i, node-rows, false) {
				before[i] = node
				queue = append(queue, i)
			}
		}
	}
	if before[to] < 0 {
		return 0
	}
	amount := limit
	f.walk(before, from, to, func(i, j int, forward bool) { amount = min(amount, f.residual(i, j, forward)) })
	f.walk(before, from, to, func(i, j int, forward bool) {
		if forward {
			f.pushed[[2]int{i, j}] += amount
		} else {
			f.pushed[[2]int{i, j}] -= amount
		}
	})
	return amount
}

func (f *flow) open(i, j int, forward bool) bool {
	return f.g.hidden[i][j] && !(i == f.skipI && j == f.skipJ) && f.residual(i, j, forward) > 0
}

func (f *flow) walk(before []int, from, to int, fn func(i, j int, forward bool)) {
	rows := len(f.g.n)
	for node := to; node != from; node = before[node] {
		if node >= rows {
			fn(before[node], node-rows, true)
		} else {
			fn(node, before[node]-rows, false)
		}
	}
}
