package suppress

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// gridOf makes a grid whose counts of 1 to threshold − 1 are to be hidden.
func gridOf(cells [][]int64, threshold int64) *Grid {
	g := &Grid{N: cells, Rows: make([]int64, len(cells)), Cols: make([]int64, len(cells[0]))}
	for i, line := range cells {
		primary := make([]bool, len(line))
		for j, n := range line {
			primary[j] = n > 0 && n < threshold
			g.Rows[i] += n
			g.Cols[j] += n
			g.Total += n
		}
		g.Primary = append(g.Primary, primary)
	}
	return g
}

// patient is a reader who tries every table that agrees with what is shown.
type patient struct {
	*Grid
	hidden [][]bool
	least  int64
	try    [][]int64
	seen   [][][2]int64
}

func ranges(g *Grid, hidden [][]bool, least int64) [][][2]int64 {
	p := &patient{Grid: g, hidden: hidden, least: least}
	for i, line := range g.N {
		p.try = append(p.try, make([]int64, len(line)))
		p.seen = append(p.seen, make([][2]int64, len(line)))
		for j := range line {
			p.seen[i][j] = [2]int64{1 << 40, -1}
		}
	}
	p.fill(0)
	return p.seen
}

// fill tries values for cell k and all after it. Values three away from the
// truth are enough for the widths that the test asks for.
func (p *patient) fill(k int) {
	cols := len(p.Cols)
	if k == len(p.Rows)*cols {
		p.note()
		return
	}
	i, j := k/cols, k%cols
	low, high := p.N[i][j], p.N[i][j]
	if p.hidden[i][j] {
		low, high = max(p.least, low-3), high+3
	}
	for v := low; v <= high; v++ {
		p.try[i][j] = v
		if j == cols-1 && sum(p.try[i]) != p.Rows[i] {
			continue
		}
		p.fill(k + 1)
	}
}

func sum(line []int64) (s int64) {
	for _, v := range line {
		s += v
	}
	return s
}

func (p *patient) note() {
	for j, total := range p.Cols {
		var s int64
		for i := range p.try {
			s += p.try[i][j]
		}
		if s != total {
			return
		}
	}
	for i, line := range p.try {
		for j, v := range line {
			p.seen[i][j] = [2]int64{min(p.seen[i][j][0], v), max(p.seen[i][j][1], v)}
		}
	}
}

// TestAPatientReaderPlacesNoHiddenCount tries all tables that agree with what a
// grid shows. Were a range narrower, "3 girls of that nationality" could be read
// off a table that hides it.
func TestAPatientReaderPlacesNoHiddenCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := rapid.IntRange(1, 3).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "cols")
		threshold := rapid.Int64Range(3, 4).Draw(t, "threshold")
		cells := make([][]int64, rows)
		for i := range cells {
			cells[i] = rapid.SliceOfN(rapid.SampledFrom([]int64{0, 0, 1, 1, 2, 3, 4, 5}), cols, cols).Draw(t, fmt.Sprint("row", i))
		}
		g := gridOf(cells, threshold)
		for _, total := range append(append([]int64{}, g.Rows...), g.Cols...) {
			if total < threshold {
				t.Skip("a total that would not be shown")
			}
		}
		hidden, err := g.Hide(int(threshold) - 2)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range g.Primary {
			for j, primary := range line {
				if primary && !hidden[i][j] {
					t.Fatalf("a count of %d is shown:\n%v\n%v", g.N[i][j], g.N, hidden)
				}
			}
		}
		if placed := g.placed(hidden, 1, threshold-2); placed != "" && !g.zerosStand(hidden) {
			t.Fatal(placed)
		}
		if placed := g.placed(hidden, 0, threshold-2); placed != "" {
			t.Fatal(placed)
		}
	})
}

// placed names a hidden count that the reader places too narrowly.
func (g *Grid) placed(hidden [][]bool, least, width int64) string {
	seen := ranges(g, hidden, least)
	for i, line := range g.N {
		for j, n := range line {
			if hidden[i][j] && n > 0 && seen[i][j][1]-seen[i][j][0] < width {
				return fmt.Sprintf("cell %d,%d is known to be %v:\n%v\n%v", i, j, seen[i][j], g.N, hidden)
			}
		}
	}
	return ""
}

// zerosStand reports whether cells of nobody are hidden where there are any
// among the small counts.
func (g *Grid) zerosStand(hidden [][]bool) bool {
	for i, line := range g.N {
		for j, n := range line {
			among := slices.Contains(g.Primary[i], true) && slices.ContainsFunc(g.Primary, func(row []bool) bool { return row[j] })
			if n == 0 && among && !hidden[i][j] {
				return false
			}
		}
	}
	return true
}

func TestASafeGridStaysWhole(t *testing.T) {
	for _, cells := range [][][]int64{{{20, 0}, {11, 300}}, {{0}}} {
		hidden, err := gridOf(cells, 11).Hide(9)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range hidden {
			for j, h := range line {
				if h {
					t.Errorf("%v: cell %d,%d is hidden for nothing", cells, i, j)
				}
			}
		}
	}
}

func TestOneSmallCellTakesThreeOthersWithIt(t *testing.T) {
	cells := [][]int64{{5, 100, 200}, {100, 150, 160}, {300, 310, 320}}
	hidden, err := gridOf(cells, 11).Hide(9)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(hidden), "[[true true false] [true true false] [false false false]]"; got != want {
		t.Errorf("hidden: %s, want %s", got, want)
	}
}

// TestElevenCountsOfOneAreNotReadOffTheirTotal is the case in which every hidden
// count follows from its total as long as it is known not to be 0.
func TestElevenCountsOfOneAreNotReadOffTheirTotal(t *testing.T) {
	cells := [][]int64{make([]int64, 13), make([]int64, 13), make([]int64, 13)}
	for j := range cells[0] {
		cells[0][j], cells[1][j], cells[2][j] = 1, 20, 2
	}
	cells[0][11], cells[0][12] = 0, 0
	hidden, err := gridOf(cells, 11).Hide(9)
	if err != nil {
		t.Fatal(err)
	}
	if !hidden[0][11] || !hidden[0][12] {
		t.Errorf("no cell of nobody is hidden: %v", hidden)
	}
}

func BenchmarkHideALargeGrid(b *testing.B) {
	cells := make([][]int64, 42)
	for i := range cells {
		cells[i] = make([]int64, 42)
		for j := range cells[i] {
			cells[i][j] = int64((i*7919 + j*104729) % 97 * ((i + j) % 5))
		}
	}
	g := gridOf(cells, 11)
	for b.Loop() {
		if _, err := g.Hide(9); err != nil {
			b.Fatal(err)
		}
	}
}
