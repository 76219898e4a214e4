package register

// Which lines a variable has in the tables of one source. They are settled by
// that variable alone, so that its totals are the same beside whatever other
// variable it stands, and each of them may be known: no total is hidden, except
// where the whole source has too few persons.

import (
	"cmp"
	"slices"
	"strings"
)

// axis gives the lines: the codes that enough persons have, in the order of the
// code list, or where there are too many, the most frequent ones by frequency.
// All other persons stand together under Others, those without a value too when
// they are few.
func (q *query) axis(v *Variable, col *column) axis {
	d := &divider{col: col, threshold: q.threshold, sets: make([]int64, len(col.sets))}
	for row := range q.c.source {
		if q.counts(row) {
			d.sets[col.set(row)]++
			d.total++
		}
	}
	order := d.frequent()
	many := len(order) > maxLines
	order = order[:min(len(order), maxLines)]
	none := d.sets[0] >= d.threshold
	for !d.safe(order, none) {
		if len(order) == 0 {
			none = false // everybody in one line
			break
		}
		order = order[:len(order)-1]
	}
	if !many {
		slices.SortFunc(order, func(a, b uint16) int {
			if len(v.Codes) == 0 {
				return strings.Compare(col.dict[a], col.dict[b])
			}
			return cmp.Compare(a, b)
		})
	}
	return d.axis(order, none, v.Multi)
}

// divider settles the lines of one column.
type divider struct {
	col       *column
	threshold int64
	sets      []int64 // persons, by set of codes
	total     int64
}

func (d *divider) few(n int64) bool { return n > 0 && n < d.threshold }

// frequent gives the codes that a line may show by itself, most persons first.
// Where nearly everybody has a code, its count tells of the few who have not.
func (d *divider) frequent() []uint16 {
	persons := d.col.persons(d.sets)
	var out []uint16
	for i, n := range persons {
		if n >= d.threshold && !d.few(d.total-n) {
			out = append(out, uint16(i))
		}
	}
	slices.SortFunc(out, func(a, b uint16) int {
		return cmp.Or(cmp.Compare(persons[b], persons[a]), strings.Compare(d.col.dict[a], d.col.dict[b]))
	})
	return out
}

// safe reports whether what is left for Others is nobody or enough, and so is
// what is left without it.
func (d *divider) safe(listed []uint16, none bool) bool {
	line := d.lineOf(listed)
	var others int64
	for set, n := range d.sets {
		if !none && set == 0 || slices.ContainsFunc(d.col.sets[set], func(code uint16) bool { return line[code] == len(listed) }) {
			others += n
		}
	}
	return !d.few(others) && !d.few(d.total-others)
}

// lineOf gives each code its line; those not listed the line after the last.
func (d *divider) lineOf(listed []uint16) []int {
	out := slices.Repeat([]int{len(listed)}, len(d.col.dict))
	for line, code := range listed {
		out[code] = line
	}
	return out
}

func (d *divider) axis(listed []uint16, none, multi bool) axis {
	out := axis{col: d.col, multi: multi, of: make([][]int, len(d.sets))}
	for _, code := range listed {
		out.lines = append(out.lines, d.col.dict[code])
	}
	line := d.lineOf(listed)
	others := false
	for set, n := range d.sets {
		for _, code := range d.col.sets[set] {
			if at := line[code]; n > 0 && !slices.Contains(out.of[set], at) {
				out.of[set] = append(out.of[set], at)
				others = others || at == len(listed)
			}
		}
	}
	if d.sets[0] > 0 {
		out.of[0] = []int{len(listed)}
		others = others || !none
	}
	if others {
		out.lines = append(out.lines, Others)
	}
	if none {
		out.of[0] = []int{len(out.lines)}
		out.lines = append(out.lines, NotRecorded)
	}
	return out
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
