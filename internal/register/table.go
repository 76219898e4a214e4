package register

// Counts of persons by two variables.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// NotRecorded stands for persons without a value in a table's row or column;
// Others for the persons whose values too few have, or that a long table does
// not list. No code list has them.
const (
	NotRecorded = "_none"
	Others      = "_others"
	Everybody   = "_all" // the one column of a table of one variable
)

// maxLines is how many rows, and columns, a table lists one by one. It cannot be
// chosen: two lists of different length would give away what one of them hides.
const maxLines = 40

// TableRequest asks for one table. It has no filters: the difference of two
// filtered tables can be one person. Chosen groups of persons are the business
// of package disclosure, which looks at all the tables that leave the house.
type TableRequest struct {
	Rows, Cols string // two different variables; no Cols counts one variable
	Source     string // empty: the own cases. Sources are never added up: one person may stand in two, and the larger would give the smaller away
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
	Source               SourceInfo
	Joined               *int64 // own cases that count within another one's person; nil: from 1 to threshold − 1
	Undecided            *int64 // pairs of own cases that are near, and that nobody has decided on; nil likewise
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
	c, err := q.counted()
	if err != nil {
		return nil, fmt.Errorf("counting: %w", err)
	}
	return q.table(c), nil
}

// query is a request resolved to columns. The variable that stands first in the
// definition always lies down the side: a table and its mirror image hide the
// same.
type query struct {
	c          *cube
	rows, cols *Variable
	row, col   *column
	mirrored   bool
	threshold  int64
	source     uint16
}

func (r *Register) plan(req TableRequest) (*query, error) {
	q := &query{c: &r.cube, threshold: r.threshold}
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
		if r.def.byID[req.Cols] < r.def.byID[req.Rows] {
			q.rows, q.cols, q.row, q.col, q.mirrored = q.cols, q.rows, q.col, q.row, true
		}
	}
	source := cmp.Or(req.Source, OwnSource)
	i := slices.IndexFunc(q.c.sources, func(s SourceInfo) bool { return s.ID == source })
	if i < 0 {
		return nil, &RequestError{"source", "there is no such source"}
	}
	q.source = uint16(i)
	return q, nil
}

func (r *Register) variable(field, id string) (*Variable, *column, error) {
	v, ok := r.def.Variable(id)
	if !ok {
		return nil, nil, &RequestError{field, "there is no such variable"}
	}
	return v, r.cube.columns[r.def.byID[id]], nil
}

// counts reports whether a row is of the source asked for.
func (q *query) counts(row int) bool { return q.c.live[row] && q.c.source[row] == q.source }

// counted is a table with what it hides, kept until the facts change.
type counted struct {
	rows, cols axis
	n          [][]int64 // totals in the last row and column
	hidden     [][]bool  // of the cells
}

type countedKey struct {
	source     uint16
	rows, cols string
}

func (q *query) counted() (*counted, error) {
	key := countedKey{source: q.source, rows: q.rows.ID}
	if q.cols != nil {
		key.cols = q.cols.ID
	}
	if kept, ok := q.c.tables.Load(key); ok {
		return kept.(*counted), nil
	}
	c := &counted{rows: q.axis(q.rows, q.row), cols: everybody}
	if q.col != nil {
		c.cols = q.axis(q.cols, q.col)
	}
	c.n = q.count(c.rows, c.cols)
	var err error
	if c.hidden, err = hide(c.n, c.rows.multi, c.cols.multi, q.threshold); err != nil {
		return nil, err
	}
	q.c.tables.Store(key, c)
	return c, nil
}

// axis says which lines a person with a set of codes falls into, each once.
type axis struct {
	col   *column  // nil: the one column of a table of one variable
	lines []string // codes; NotRecorded and Others at the end where there are such persons
	of    [][]int  // by set
	multi bool     // a person may fall into several
}

var everybody = axis{lines: []string{Everybody}, of: [][]int{{0}}}

func (a *axis) linesOf(row int) []int {
	if a.col == nil {
		return a.of[0]
	}
	return a.of[a.col.set(row)]
}

// count gives the table with its totals in the last row and column.
func (q *query) count(rows, cols axis) [][]int64 {
	n := make([][]int64, len(rows.lines)+1)
	for i := range n {
		n[i] = make([]int64, len(cols.lines)+1)
	}
	last, end := len(rows.lines), len(cols.lines)
	for row := range q.c.source {
		if !q.counts(row) {
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

func (q *query) table(c *counted) *Table {
	t := &Table{Rows: q.rows, Cols: q.cols, Threshold: q.threshold, Source: q.c.sources[q.source]}
	last, end := len(c.rows.lines), len(c.cols.lines)
	show := func(i, j int) *int64 {
		if n := c.n[i][j]; n > 0 && n < q.threshold || i < last && j < end && c.hidden[i][j] {
			t.Hidden++
			return nil
		}
		return &c.n[i][j]
	}
	for i := range last {
		line := make([]*int64, end)
		for j := range line {
			line[j] = show(i, j)
		}
		t.Cells = append(t.Cells, line)
		t.RowTotals = append(t.RowTotals, show(i, end))
	}
	for j := range end {
		t.ColTotals = append(t.ColTotals, show(last, j))
	}
	t.Total = show(last, end)
	t.RowLines, t.ColLines = q.label(q.rows, c.rows), q.label(q.cols, c.cols)
	if q.mirrored {
		t.mirror()
	}
	if q.source == 0 {
		t.Joined, t.Undecided = q.enough(q.c.joined), q.enough(q.c.undecided)
	}
	return t
}

// Persons counts the persons of the own cases, each once.
func (r *Register) Persons(ctx context.Context) (int64, error) {
	if err := r.refresh(ctx); err != nil {
		return 0, fmt.Errorf("counting persons: %w", err)
	}
	r.cube.mu.RLock()
	defer r.cube.mu.RUnlock()
	var n int64
	q := query{c: &r.cube}
	for row := range r.cube.source {
		if q.counts(row) {
			n++
		}
	}
	return n, nil
}

// enough gives a count that may be shown.
func (q *query) enough(n int64) *int64 {
	if n > 0 && n < q.threshold {
		return nil
	}
	return &n
}

func (t *Table) mirror() {
	t.Rows, t.Cols = t.Cols, t.Rows
	t.RowLines, t.ColLines = t.ColLines, t.RowLines
	t.RowTotals, t.ColTotals = t.ColTotals, t.RowTotals
	cells := make([][]*int64, len(t.RowLines))
	for i := range cells {
		for j := range t.ColLines {
			cells[i] = append(cells[i], t.Cells[j][i])
		}
	}
	t.Cells = cells
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
		return "All others, and rare ones"
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
