// Package suppress makes the everyday tables that a ministry publishes: counts
// by two or three codes, with totals. Small cells are hidden, and further cells
// are hidden until nobody can work a hidden cell out from totals, from other
// tables or from earlier releases.
//
// The promise, for every hidden cell: over all the figures published now and in
// the earlier releases handed in, the whole numbers that the cell may still be,
// as found by linear programming, span at least the protection asked for.
package suppress

import (
	"fmt"
	"slices"
	"strings"

	"banyan/internal/disclosure/table"
)

// Words that stand in a table's coordinates for what is not a code.
const (
	TotalWord       = "(total)"
	NotRecordedWord = "(not recorded)"
	YesWord, NoWord = "yes", "no"
	HiddenMark      = "*"
)

// Dim is one side of a table: a column, or, for a multi-valued column, one of
// its values as yes or no.
type Dim struct {
	Name   string
	Labels []string // what each code reads as
	column int
	yes    table.Attr
	binary bool
}

// Cell is one count in a table or its margins.
type Cell struct {
	Margin int   // index into Tables.Margins
	Codes  []int // one per dimension of the margin
	N      uint32
	Hidden bool
	// Primary marks cells hidden for their own smallness, the others are hidden
	// to protect them. The difference is never published.
	Primary bool
	Rounded uint32 // after Tables.Round
	// Groups is the number of case groups among the persons, Largest the persons of
	// the largest; 0 where groups are not known.
	Groups, Largest uint32
}

// Relation says that a cell is the sum of others: indices into Tables.Cells.
type Relation struct {
	Parent   int
	Children []int
}

// Tables is a set of linked tables with all their margins.
type Tables struct {
	Dims      []Dim
	By        [][]int // the tables asked for, as dimensions
	Margins   [][]int // sets of dimensions, ascending; the first is the grand total
	Cells     []Cell  // cells of at least one person
	Relations []Relation

	index   map[string]int
	grouped bool // cells know their case groups
	base    int  // after Round: figures are written rounded to it
}

// Count builds the tables for lists of column names. A multi-valued column
// stands for one table per value.
func Count(t *table.Table, by [][]string) (*Tables, error) {
	out := &Tables{index: map[string]int{}}
	for _, names := range by {
		tables := [][]int{{}}
		seen := map[string]bool{}
		for _, name := range names {
			if seen[name] {
				return nil, &table.InputError{Column: name, Reason: "named twice in one table"}
			}
			seen[name] = true
			dims, err := out.dims(t, name)
			if err != nil {
				return nil, err
			}
			var next [][]int
			for _, tab := range tables {
				for _, d := range dims {
					next = append(next, append(slices.Clone(tab), d))
				}
			}
			tables = next
		}
		out.By = append(out.By, tables...)
	}
	if len(out.By) == 0 {
		return nil, &table.InputError{Reason: "name at least one table with --by"}
	}
	for _, tab := range out.By {
		if len(tab) > 4 {
			return nil, &table.InputError{Reason: fmt.Sprintf("a table by %d columns: at most 4", len(tab))}
		}
	}
	out.margins()
	out.fill(t)
	if t.Grouped() {
		out.fillGroups(t)
	}
	out.relate()
	return out, nil
}

func (x *Tables) dims(t *table.Table, name string) ([]int, error) {
	c := t.ColumnIndex(name)
	if c < 0 {
		names := make([]string, len(t.Columns))
		for i, col := range t.Columns {
			names[i] = col.Name
		}
		return nil, &table.InputError{Column: name, Reason: "there is no such column; the table has " + strings.Join(names, ", ")}
	}
	col := t.Columns[c]
	var want []Dim
	if col.Multi {
		for a := col.First; a < col.First+table.Attr(col.N); a++ {
			want = append(want, Dim{Name: t.Label(a), Labels: []string{YesWord, NoWord}, column: c, yes: a, binary: true})
		}
	} else {
		d := Dim{Name: name, column: c}
		for a := col.First; a < col.First+table.Attr(col.N); a++ {
			d.Labels = append(d.Labels, t.Attrs[a].Value)
		}
		d.Labels = append(d.Labels, NotRecordedWord)
		want = append(want, d)
	}
	var out []int
	for _, d := range want {
		i := slices.IndexFunc(x.Dims, func(e Dim) bool { return e.Name == d.Name })
		if i < 0 {
			i = len(x.Dims)
			x.Dims = append(x.Dims, d)
		}
		out = append(out, i)
	}
	return out, nil
}

// margins lists all subsets of the tables, smaller ones first.
func (x *Tables) margins() {
	seen := map[string]bool{}
	for _, tab := range x.By {
		for mask := range 1 << len(tab) {
			var m []int
			for i, d := range tab {
				if mask>>i&1 == 1 {
					m = append(m, d)
				}
			}
			slices.Sort(m)
			if k := fmt.Sprint(m); !seen[k] {
				seen[k] = true
				x.Margins = append(x.Margins, m)
			}
		}
	}
	slices.SortFunc(x.Margins, func(a, b []int) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return slices.Compare(a, b)
	})
}

// fill counts; equal rows are counted once with their weight.
func (x *Tables) fill(t *table.Table) {
	d := t.Distinct()
	code := make([]int, len(x.Dims))
	var at []int
	for i := range d.Rows() {
		x.code(t, d.Row(i), code)
		for m, dims := range x.Margins {
			at = at[:0]
			for _, dim := range dims {
				at = append(at, code[dim])
			}
			k := cellKey(m, at)
			c, ok := x.index[k]
			if !ok {
				c = len(x.Cells)
				x.index[k] = c
				x.Cells = append(x.Cells, Cell{Margin: m, Codes: slices.Clone(at)})
			}
			x.Cells[c].N += d.Weight[i]
		}
	}
}

// fillGroups counts the case groups in every cell.
func (x *Tables) fillGroups(t *table.Table) {
	x.grouped = true
	type part struct {
		cell  int
		group uint32
	}
	persons := map[part]uint32{}
	code := make([]int, len(x.Dims))
	var at []int
	for i := range t.Rows() {
		x.code(t, t.Row(i), code)
		for m, dims := range x.Margins {
			at = at[:0]
			for _, dim := range dims {
				at = append(at, code[dim])
			}
			p := part{x.index[cellKey(m, at)], t.Group(i)}
			persons[p]++
			c := &x.Cells[p.cell]
			if persons[p] == 1 {
				c.Groups++
			}
			c.Largest = max(c.Largest, persons[p])
		}
	}
}

// code finds a row's code on every dimension.
func (x *Tables) code(t *table.Table, row []table.Attr, code []int) {
	for i, d := range x.Dims {
		code[i] = len(d.Labels) - 1 // not recorded, or no
		for _, a := range row {
			if d.binary && a == d.yes {
				code[i] = 0
			}
			if !d.binary && t.Attrs[a].Column == d.column {
				code[i] = int(a - t.Columns[d.column].First)
			}
		}
	}
}

func cellKey(margin int, codes []int) string {
	b := make([]byte, 0, 2+4*len(codes))
	b = append(b, byte(margin), byte(margin>>8))
	for _, c := range codes {
		b = append(b, byte(c), byte(c>>8))
	}
	return string(b)
}

// relate links every cell to the cells that it is the sum of.
func (x *Tables) relate() {
	marginAt := map[string]int{}
	for i, m := range x.Margins {
		marginAt[fmt.Sprint(m)] = i
	}
	type sum struct{ parent, dim int }
	at := map[sum]int{}
	for c := range x.Cells {
		cell := &x.Cells[c]
		dims := x.Margins[cell.Margin]
		for i := range dims {
			up, ok := marginAt[fmt.Sprint(slices.Delete(slices.Clone(dims), i, i+1))]
			if !ok {
				continue
			}
			parent := x.index[cellKey(up, slices.Delete(slices.Clone(cell.Codes), i, i+1))]
			s := sum{parent, dims[i]}
			r, ok := at[s]
			if !ok {
				r = len(x.Relations)
				at[s] = r
				x.Relations = append(x.Relations, Relation{Parent: parent})
			}
			x.Relations[r].Children = append(x.Relations[r].Children, c)
		}
	}
}

// Name writes a cell's coordinates, the same in every release: "sex=F;age=0-17",
// dimensions in alphabetical order; the grand total is "".
func (x *Tables) Name(c int) string {
	cell := x.Cells[c]
	parts := make([]string, len(cell.Codes))
	for i, d := range x.Margins[cell.Margin] {
		parts[i] = x.Dims[d].Name + "=" + x.Dims[d].Labels[cell.Codes[i]]
	}
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

// Cyclic reports whether the tables form a cycle (a by b, b by c, c by a).
// Without one, the additive relations among published margins are all that a
// linear attacker can use (consistent margins of a decomposable family always
// fit a joint table; Lauritzen 1996, ch. 4). With one, a joint table may
// restrict cells further, and the attack is a relaxation.
func (x *Tables) Cyclic() bool {
	var edges []map[int]bool
	for _, tab := range x.By {
		e := map[int]bool{}
		for _, d := range tab {
			e[d] = true
		}
		edges = append(edges, e)
	}
	// Graham's reduction: drop vertices in one edge only, then edges inside others.
	for changed := true; changed; {
		changed = false
		in := map[int]int{}
		for _, e := range edges {
			for v := range e {
				in[v]++
			}
		}
		for _, e := range edges {
			for v := range e {
				if in[v] == 1 {
					delete(e, v)
					changed = true
				}
			}
		}
		for i := 0; i < len(edges); i++ {
			if slices.ContainsFunc(edges, func(o map[int]bool) bool { return !same(o, edges[i]) && subset(edges[i], o) }) || duplicate(edges, i) || len(edges[i]) == 0 {
				edges = slices.Delete(edges, i, i+1)
				changed = true
				i--
			}
		}
	}
	return len(edges) > 0
}

func subset(a, b map[int]bool) bool {
	for v := range a {
		if !b[v] {
			return false
		}
	}
	return true
}

func same(a, b map[int]bool) bool { return len(a) == len(b) && subset(a, b) }

func duplicate(edges []map[int]bool, i int) bool {
	for j := range i {
		if same(edges[i], edges[j]) {
			return true
		}
	}
	return false
}
