// Package table holds the only input that the disclosure packages know: a
// table of codes. A row is a person, a column a coded attribute, an empty field
// is "not recorded". Rows are kept as sorted lists of attribute numbers, because
// case data are sparse: the 37 columns of the CTDC release hold six values per
// person on average.
//
// The package promises that a Table that it returns is well formed: column
// names differ, every row has the header's width, every value is valid UTF-8,
// and no column identifies persons. Everything else is refused with the line
// and column at fault.
package table

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
)

// Limits on what is accepted as a table of codes.
const (
	MaxColumns    = 512    // a table of codes is not a matrix of measurements
	MaxAttributes = 65_534 // attribute numbers fit 16 bits, with one to spare
	MaxFieldBytes = 1_000  // a code, not a story
	MinRows       = 2      // a table of one person is that person's record
)

// Attr numbers one value of one column: an index into Table.Attrs. Numbers
// ascend with the column and, within it, with the value's text.
type Attr = uint16

// Attribute is what an Attr stands for.
type Attribute struct {
	Column int    // index into Table.Columns
	Value  string // never empty
}

// Column is one coded attribute of a person.
type Column struct {
	Name  string
	Multi bool // a person may have several values, written with ';'
	First Attr // the column's attributes are First … First+N-1
	N     int
}

// Table is a table of codes. It does not change after it has been read.
type Table struct {
	Columns []Column
	Attrs   []Attribute

	offsets []uint32 // row i is attrs[offsets[i]:offsets[i+1]]; 2^32 values are 16 GB
	attrs   []Attr
	groups  []uint32 // nil without a column of case groups
	most    int      // see Cap
}

// Rows is the number of persons.
func (t *Table) Rows() int { return len(t.offsets) - 1 }

// Row gives the attributes of person i, ascending. The caller must not change it.
func (t *Table) Row(i int) []Attr { return t.attrs[t.offsets[i]:t.offsets[i+1]] }

// Values is the number of recorded values in the whole table.
func (t *Table) Values() int { return len(t.attrs) }

// ColumnIndex finds a column by name; -1 when there is none.
func (t *Table) ColumnIndex(name string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// Label writes an attribute as column:value.
func (t *Table) Label(a Attr) string {
	at := t.Attrs[a]
	return t.Columns[at.Column].Name + ":" + at.Value
}

// Find gives the attribute of a column's value.
func (t *Table) Find(column int, value string) (Attr, bool) {
	c := t.Columns[column]
	i := sort.Search(c.N, func(i int) bool { return t.Attrs[int(c.First)+i].Value >= value })
	if i < c.N && t.Attrs[int(c.First)+i].Value == value {
		return c.First + Attr(i), true
	}
	return 0, false
}

// Builder collects rows of a table whose columns and attributes are known, for
// synthesised tables and tests.
type Builder struct{ t *Table }

// NewBuilder starts an empty table with the columns and attributes of like.
func NewBuilder(like *Table) *Builder {
	return &Builder{&Table{Columns: like.Columns, Attrs: like.Attrs, offsets: []uint32{0}}}
}

// Add appends a person; attrs must ascend.
func (b *Builder) Add(attrs []Attr) {
	b.t.attrs = append(b.t.attrs, attrs...)
	b.t.offsets = append(b.t.offsets, uint32(len(b.t.attrs)))
}

// Table gives the finished table; the builder must not be used after it.
func (b *Builder) Table() *Table { return b.t }

// Sample gives the table of the rows at the given indices, in that order.
func (t *Table) Sample(rows []int) *Table {
	b := NewBuilder(t)
	b.t.most = t.most
	for _, r := range rows {
		b.Add(t.Row(r))
		if t.groups != nil {
			b.t.groups = append(b.t.groups, t.groups[r])
		}
	}
	return b.Table()
}

// Several stands in Distinct.Group for more than one group.
const Several = ^uint32(0)

// Distinct is a table's different rows with the number of persons in each,
// sorted, so that work on it is the same whatever the order of the persons.
type Distinct struct {
	*Table
	Weight []uint32
	Group  []uint32 // of a grouped table: the group of all who are equal, or Several
}

// Distinct groups equal rows.
func (t *Table) Distinct() *Distinct {
	order := make([]uint32, t.Rows())
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return slices.Compare(t.Row(int(x)), t.Row(int(y))) })
	b := NewBuilder(t)
	var weight, group []uint32
	for i, r := range order {
		if i > 0 && slices.Equal(t.Row(int(r)), t.Row(int(order[i-1]))) {
			weight[len(weight)-1]++
			if t.groups != nil && group[len(group)-1] != t.groups[r] {
				group[len(group)-1] = Several
			}
			continue
		}
		b.Add(t.Row(int(r)))
		weight = append(weight, 1)
		if t.groups != nil {
			group = append(group, t.groups[r])
		}
	}
	return &Distinct{Table: b.Table(), Weight: weight, Group: group}
}

// Translate gives other's rows in the attribute numbers of t, so that the two
// can be compared. Columns are matched by name; a column or value that t does
// not know is an error that names it, unless extend is set: then attributes are
// added to a copy of t's list.
func (t *Table) Translate(other *Table) (*Table, error) {
	to := make([]Attr, len(other.Attrs))
	for i, at := range other.Attrs {
		name := other.Columns[at.Column].Name
		c := t.ColumnIndex(name)
		if c < 0 {
			return nil, fmt.Errorf("column %q is not in the other table", name)
		}
		a, ok := t.Find(c, at.Value)
		if !ok {
			return nil, fmt.Errorf("column %q: value %q is not in the other table", name, at.Value)
		}
		to[i] = a
	}
	b := NewBuilder(t)
	var row []Attr
	for i := range other.Rows() {
		row = row[:0]
		for _, a := range other.Row(i) {
			row = append(row, to[a])
		}
		slices.Sort(row)
		b.Add(row)
	}
	return b.Table(), nil
}

// fields writes a row as the texts of its columns, into dst.
func (t *Table) fields(row []Attr, dst []string) []string {
	dst = dst[:0]
	for range t.Columns {
		dst = append(dst, "")
	}
	for _, a := range row {
		at := t.Attrs[a]
		if dst[at.Column] != "" {
			dst[at.Column] += ";" + at.Value
			continue
		}
		dst[at.Column] = at.Value
	}
	return dst
}

func quoteNames(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }

// FromRows makes a table of n rows that row fills in, one text per column (values
// of a multi-valued column joined with ';').
func FromRows(columns, multi []string, n int, row func(i int, fields []string)) (*Table, error) {
	rd, err := newReading(columns, Options{Multi: multi})
	if err != nil {
		return nil, err
	}
	fields := make([]string, len(columns))
	for i := range n {
		clear(fields)
		row(i, fields)
		if err := rd.add(fields, func() int { return i + 2 }); err != nil {
			return nil, err
		}
	}
	return rd.finish()
}

// Union gives both tables the same columns and attributes, those of either, so
// that they can be compared although each has codes that the other lacks. Columns
// are those of a.
func Union(a, b *Table) (*Table, *Table, error) {
	like := &Table{}
	renumber := [2][]Attr{make([]Attr, len(a.Attrs)), make([]Attr, len(b.Attrs))}
	for i, c := range a.Columns {
		values := map[string]bool{}
		other := b.ColumnIndex(c.Name)
		for n := range c.N {
			values[a.Attrs[int(c.First)+n].Value] = true
		}
		if other >= 0 {
			for n := range b.Columns[other].N {
				values[b.Attrs[int(b.Columns[other].First)+n].Value] = true
			}
		}
		sorted := slices.Sorted(maps.Keys(values))
		if len(like.Attrs)+len(sorted) > MaxAttributes {
			return nil, nil, fmt.Errorf("the two tables have more than %d values together", MaxAttributes)
		}
		like.Columns = append(like.Columns, Column{Name: c.Name, Multi: c.Multi, First: Attr(len(like.Attrs)), N: len(sorted)})
		for _, v := range sorted {
			at := Attr(len(like.Attrs))
			if x, ok := a.Find(i, v); ok {
				renumber[0][x] = at
			}
			if other >= 0 {
				if x, ok := b.Find(other, v); ok {
					renumber[1][x] = at
				}
			}
			like.Attrs = append(like.Attrs, Attribute{i, v})
		}
	}
	for _, c := range b.Columns {
		if a.ColumnIndex(c.Name) < 0 {
			return nil, nil, fmt.Errorf("column %q is not in the other table", c.Name)
		}
	}
	var out [2]*Table
	for n, t := range []*Table{a, b} {
		builder := NewBuilder(like)
		var row []Attr
		for i := range t.Rows() {
			row = row[:0]
			for _, x := range t.Row(i) {
				row = append(row, renumber[n][x])
			}
			slices.Sort(row)
			builder.Add(row)
		}
		out[n] = builder.Table()
	}
	return out[0], out[1], nil
}
