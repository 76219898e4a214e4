package register

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// withTotals adds the last row and column.
func withTotals(cells [][]int64) [][]int64 {
	rows, cols := len(cells), len(cells[0])
	n := make([][]int64, rows+1)
	for i := range n {
		n[i] = make([]int64, cols+1)
	}
	for i, line := range cells {
		for j, count := range line {
			n[i][j] = count
			n[i][cols] += count
			n[rows][j] += count
			n[rows][cols] += count
		}
	}
	return n
}

// TestNoHiddenCountFollowsFromWhatIsShown tries every table that agrees with
// what is shown, the way a patient reader would, and holds that each hidden
// count still ranges over threshold − 2. Were it not so, "3 girls of that
// nationality" could be read off a table that hides it.
func TestNoHiddenCountFollowsFromWhatIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := rapid.IntRange(1, 3).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "cols")
		threshold := rapid.Int64Range(3, 4).Draw(t, "threshold")
		cells := make([][]int64, rows)
		for i := range cells {
			cells[i] = rapid.SliceOfN(rapid.SampledFrom([]int64{0, 0, 1, 1, 2, 3, 4, 5}), cols, cols).Draw(t, fmt.Sprint("row", i))
		}
		n := withTotals(cells)
		hidden := Hide(n, threshold)
		ranges := newReader(n, hidden).ranges()
		for i := range n {
			for j := range n[i] {
				if n[i][j] > 0 && n[i][j] < threshold && !hidden[i][j] {
					t.Fatalf("a count of %d is shown:\n%v\n%v", n[i][j], n, hidden)
				}
				if n[i][j] == 0 && hidden[i][j] {
					t.Fatalf("a zero is hidden:\n%v\n%v", n, hidden)
				}
				if hidden[i][j] && ranges[i][j][1]-ranges[i][j][0] < threshold-2 {
					t.Fatalf("entry %d,%d is known to be %v:\n%v\n%v", i, j, ranges[i][j], n, hidden)
				}
			}
		}
	})
}

func TestSafeTablesStayWhole(t *testing.T) {
	for _, n := range [][][]int64{
		withTotals([][]int64{{20, 0}, {11, 300}}),
		withTotals([][]int64{{0}}),
	} {
		for i, line := range Hide(n, 11) {
			for j, hidden := range line {
				if hidden {
					t.Errorf("%v: entry %d,%d is hidden for nothing", n, i, j)
				}
			}
		}
	}
}

func TestOneSmallCellTakesThreeOthersWithIt(t *testing.T) {
	n := withTotals([][]int64{{5, 100, 200}, {100, 150, 160}, {300, 310, 320}})
	hidden := Hide(n, 11)
	count := 0
	for _, line := range hidden {
		for _, h := range line {
			if h {
				count++
			}
		}
	}
	if count != 4 || !hidden[0][0] || !hidden[0][1] || !hidden[1][0] || !hidden[1][1] {
		t.Errorf("hidden: %v", hidden)
	}
}

// reader knows what is shown and tries out the rest.
type tableReader struct {
	n, shown   [][]int64 // shown −1: hidden
	rows, cols int
	seen       [][][2]int64
	try        [][]int64
}

func newReader(n [][]int64, hidden [][]bool) *tableReader {
	r := &tableReader{rows: len(n) - 1, cols: len(n[0]) - 1, n: n}
	for i, line := range n {
		r.shown = append(r.shown, make([]int64, len(line)))
		r.seen = append(r.seen, make([][2]int64, len(line)))
		r.try = append(r.try, make([]int64, len(line)))
		for j, count := range line {
			r.shown[i][j] = count
			if hidden[i][j] {
				r.shown[i][j] = -1
			}
			r.seen[i][j] = [2]int64{1 << 40, -1}
		}
	}
	return r
}

func (r *tableReader) ranges() [][][2]int64 {
	r.fill(0)
	return r.seen
}

// fill tries values for inner entry k and all after it; a hidden count is at
// least 1. Values two away from the truth are enough: the test asks for ranges
// of two at most, and what is found here is only a part of the real range.
func (r *tableReader) fill(k int) {
	if k == r.rows*r.cols {
		r.note()
		return
	}
	i, j := k/r.cols, k%r.cols
	low, high := r.shown[i][j], r.shown[i][j]
	if low < 0 {
		low, high = max(1, r.n[i][j]-2), r.n[i][j]+2
	}
	for v := low; v <= high; v++ {
		r.try[i][j] = v
		if j == r.cols-1 && !r.rowFits(i) {
			continue
		}
		r.fill(k + 1)
	}
}

func (r *tableReader) rowFits(i int) bool {
	var sum int64
	for _, v := range r.try[i][:r.cols] {
		sum += v
	}
	r.try[i][r.cols] = sum
	return fits(r.shown[i][r.cols], sum)
}

func fits(shown, value int64) bool { return shown == value || shown < 0 && value > 0 }

func (r *tableReader) note() {
	var total int64
	for j := range r.cols {
		r.try[r.rows][j] = 0
		for i := range r.rows {
			r.try[r.rows][j] += r.try[i][j]
		}
		if !fits(r.shown[r.rows][j], r.try[r.rows][j]) {
			return
		}
		total += r.try[r.rows][j]
	}
	if !fits(r.shown[r.rows][r.cols], total) {
		return
	}
	r.try[r.rows][r.cols] = total
	for i, line := range r.try {
		for j, v := range line {
			r.seen[i][j] = [2]int64{min(r.seen[i][j][0], v), max(r.seen[i][j][1], v)}
		}
	}
}

func BenchmarkHideLargeTable(b *testing.B) {
	cells := make([][]int64, 60)
	for i := range cells {
		cells[i] = make([]int64, 60)
		for j := range cells[i] {
			cells[i][j] = int64((i*7919 + j*104729) % 97 * ((i + j) % 5))
		}
	}
	n := withTotals(cells)
	for b.Loop() {
		Hide(n, 11)
	}
}
