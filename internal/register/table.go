package register

// Counts of persons by two variables.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// NotRecorded stands for persons without a value in a table's row or column;
// Others for the persons whose values are not among the most frequent ones
// that a long table lists. No code list has them.
const (
	NotRecorded = "_none"
	Others      = "_others"
	Everybody   = "_all" // the one column of a table of one variable
)

// Limits of one table.
const (
	DefaultLines = 40  // rows, and columns, listed before Others
	MaxLines     = 120 // of either
	maxFilters   = 8
)

// TableRequest asks for one table.
type TableRequest struct {
	Rows, Cols string   // two different variables; no Cols counts one variable
	Sources    []string // empty: all
	Filters    []Filter // a person counts who meets all of them
	Lines      int      // most rows and columns listed; 0: DefaultLines
}

// Filter keeps persons who have one of these codes (NotRecorded: none at all).
type Filter struct {
	Variable string
	Codes    []string
}

// Line is a row or column of a table.
type Line struct{ Code, Label string }

// Table is counts of different persons. A person with several values counts
// once in each of their cells, and once in every total. A nil count is hidden.
type Table struct {
	Rows, Cols           *Variable // Cols is nil in a table of one variable
	RowLines, ColLines   []Line
	Cells                [][]*int64
	RowTotals, ColTotals []*int64
	Total                *int64
	Threshold            int64
	Hidden               int // how many entries, totals included, are hidden
	Sources              []SourceInfo
}

// RequestError says what is wrong with a table's request, by field.
type RequestError struct{ Field, Message string }

func (e *RequestError) Error() string { return e.Field + ": " + e.Message }

// Table counts.
func (r *Register) Table(ctx context.Context, req TableRequest) (*Table, error) {
	if err := r.refresh(ctx); err != nil {
		return nil, fmt.Errorf("counting: %w", err)
	}
	r.cube.mu.RLock()
	defer r.cube.mu.RUnlock()
	if r.cube.columns == nil {
		return nil, errors.New("counting: the facts are not in memory")
	}
	q, err := r.plan(req)
	if err != nil {
		return nil, err
	}
	rowAxis, colAxis := q.axes()
	n := q.count(rowAxis, colAxis)
	return r.table(q, rowAxis, colAxis, n), nil
}

// query is a request resolved to columns.
type query struct {
	c          *cube
	rows, cols *Variable
	row, col   *column
	lines      int
	threshold  int64
	fromSource []bool
	sources    []SourceInfo
	tests      []test
}

// test keeps the rows whose set of codes is wanted.
type test struct {
	col  *column
	want []bool // by set
}

func (r *Register) plan(req TableRequest) (*query, error) {
	q := &query{c: &r.cube, lines: req.Lines, threshold: r.threshold}
	var err error
	if q.rows, q.row, err = r.variable("rows", req.Rows); err != nil {
		return nil, err
	}
	if req.Rows == req.Cols {
		return nil, &RequestError{"cols", "rows and columns must be two different variables"}
	}
	if req.Cols != "" {
		if q.cols, q.col, err = r.variable("cols", req.Cols); err != nil {
			return nil, err
		}
	}
	if q.lines == 0 {
		q.lines = DefaultLines
	}
	if q.lines < 1 || q.lines > MaxLines {
		return nil, &RequestError{"lines", fmt.Sprintf("from 1 to %d", MaxLines)}
	}
	if err := q.chooseSources(req.Sources); err != nil {
		return nil, err
	}
	if len(req.Filters) > maxFilters {
		return nil, &RequestError{"filter", fmt.Sprintf("at most %d", maxFilters)}
	}
	for _, f := range req.Filters {
		_, col, err := r.variable("filter", f.Variable)
		if err != nil {
			return nil, err
		}
		t, err := newTest(col, f.Codes)
		if err != nil {
			return nil, err
		}
		q.tests = append(q.tests, t)
	}
	return q, nil
}

func (r *Register) variable(field, id string) (*Variable, *column, error) {
	v, ok := r.def.Variable(id)
	if !ok {
		return nil, nil, &RequestError{field, "there is no such variable"}
	}
	return v, r.cube.columns[r.def.byID[id]], nil
}

func (q *query) chooseSources(ids []string) error {
	q.fromSource = make([]bool, len(q.c.sources))
	for _, id := range ids {
		if !slices.ContainsFunc(q.c.sources, func(s SourceInfo) bool { return s.ID == id }) {
			return &RequestError{"source", "there is no such source"}
		}
	}
	for i, s := range q.c.sources {
		if len(ids) == 0 || slices.Contains(ids, s.ID) {
			q.fromSource[i] = true
			q.sources = append(q.sources, s)
		}
	}
	return nil
}

func newTest(col *column, codes []string) (test, error) {
	if len(codes) == 0 {
		return test{}, &RequestError{"filter", "names no code"}
	}
	t := test{col: col, want: make([]bool, len(col.sets))}
	for set, numbers := range col.sets {
		t.want[set] = len(numbers) == 0 && slices.Contains(codes, NotRecorded)
		for _, number := range numbers {
			t.want[set] = t.want[set] || slices.Contains(codes, col.dict[number])
		}
	}
	return t, nil
}

// meets reports whether a row counts.
func (q *query) meets(row int) bool {
	if !q.c.live[row] || !q.fromSource[q.c.source[row]] {
		return false
	}
	for _, t := range q.tests {
		if !t.want[t.col.set(row)] {
			return false
		}
	}
	return true
}

// axis says which lines a person with a set of codes falls into, each once.
type axis struct {
	col   *column  // nil: the one column of a table of one variable
	lines []string // codes, Others and NotRecorded at the end where there are such persons
	of    [][]int  // by set
}

var everybody = axis{lines: []string{Everybody}, of: [][]int{{0}}}

func (a *axis) linesOf(row int) []int {
	if a.col == nil {
		return a.of[0]
	}
	return a.of[a.col.set(row)]
}

func (q *query) axes() (rows, cols axis) {
	rowSets := make([]int64, len(q.row.sets))
	var colSets []int64
	if q.col != nil {
		colSets = make([]int64, len(q.col.sets))
	}
	for row := range q.c.source {
		if !q.meets(row) {
			continue
		}
		rowSets[q.row.set(row)]++
		if q.col != nil {
			colSets[q.col.set(row)]++
		}
	}
	rows = q.axis(q.rows, q.row, rowSets)
	if q.col == nil {
		return rows, everybody
	}
	return rows, q.axis(q.cols, q.col, colSets)
}

// persons counts each code's persons from the persons of each set.
func (col *column) persons(sets []int64) []int64 {
	out := make([]int64, len(col.dict))
	for set, n := range sets {
		for _, number := range col.sets[set] {
			out[number] += n
		}
	}
	return out
}

// axis lists the codes that occur: a code list's in its order, years in
// theirs, and where there are too many, the most frequent ones by frequency.
// Frequencies below the threshold play no part in the choice, so that the
// order tells nothing that the figures hide.
func (q *query) axis(v *Variable, col *column, sets []int64) axis {
	totals := col.persons(sets)
	var used []int
	for i := range col.dict {
		if totals[i] > 0 {
			used = append(used, i)
		}
	}
	many := len(used) > q.lines
	byCode := func(a, b int) int { return strings.Compare(col.dict[a], col.dict[b]) }
	switch {
	case many:
		rough := func(i int) int64 {
			if totals[i] < q.threshold {
				return 0
			}
			return totals[i]
		}
		slices.SortFunc(used, func(a, b int) int { return cmp.Or(cmp.Compare(rough(b), rough(a)), byCode(a, b)) })
	case len(v.Codes) == 0:
		slices.SortFunc(used, byCode)
	}
	out := axis{col: col, of: make([][]int, len(col.sets))}
	lineOf := make([]int, len(col.dict))
	for k, i := range used {
		lineOf[i] = min(k, q.lines)
		if k < q.lines {
			out.lines = append(out.lines, col.dict[i])
		}
	}
	if many {
		out.lines = append(out.lines, Others)
	}
	if sets[0] > 0 {
		out.of[0] = []int{len(out.lines)}
		out.lines = append(out.lines, NotRecorded)
	}
	for set, numbers := range col.sets {
		if set == 0 || sets[set] == 0 {
			continue
		}
		for _, number := range numbers {
			if line := lineOf[number]; !slices.Contains(out.of[set], line) {
				out.of[set] = append(out.of[set], line)
			}
		}
	}
	return out
}

// count gives the table with its totals in the last row and column.
func (q *query) count(rows, cols axis) [][]int64 {
	n := make([][]int64, len(rows.lines)+1)
	for i := range n {
		n[i] = make([]int64, len(cols.lines)+1)
	}
	last, end := len(rows.lines), len(cols.lines)
	for row := range q.c.source {
		if !q.meets(row) {
			continue
		}
		inRows, inCols := rows.linesOf(row), cols.linesOf(row)
		n[last][end]++
		for _, j := range inCols {
			n[last][j]++
		}
		for _, i := range inRows {
			n[i][end]++
			for _, j := range inCols {
				n[i][j]++
			}
		}
	}
	return n
}

func (r *Register) table(q *query, rows, cols axis, n [][]int64) *Table {
	t := &Table{Rows: q.rows, Cols: q.cols, Threshold: r.threshold, Sources: q.sources}
	hidden := Hide(n, r.threshold)
	show := func(i, j int) *int64 {
		if hidden[i][j] {
			t.Hidden++
			return nil
		}
		return &n[i][j]
	}
	last, end := len(rows.lines), len(cols.lines)
	for i := range rows.lines {
		line := make([]*int64, end)
		for j := range line {
			line[j] = show(i, j)
		}
		t.Cells = append(t.Cells, line)
		t.RowTotals = append(t.RowTotals, show(i, end))
	}
	for j := range cols.lines {
		t.ColTotals = append(t.ColTotals, show(last, j))
	}
	t.Total = show(last, end)
	t.RowLines, t.ColLines = q.label(q.rows, rows), q.label(q.cols, cols)
	return t
}

func (q *query) label(v *Variable, a axis) []Line {
	out := make([]Line, len(a.lines))
	for i, code := range a.lines {
		out[i] = Line{code, q.c.labelOf(v, code)}
	}
	return out
}

func (c *cube) labelOf(v *Variable, code string) string {
	switch code {
	case NotRecorded:
		return "Not recorded"
	case Others:
		return "All others"
	case Everybody:
		return "Persons"
	}
	if i, ok := v.index[code]; ok {
		return v.Codes[i].Label
	}
	if name, ok := v.CodeIn("", code); ok { // a place
		return name + " (" + code + ")"
	}
	for _, s := range c.sources {
		for _, e := range s.Extra {
			if e.Variable == v.ID && e.Code == code {
				return e.Label
			}
		}
	}
	return code
}
