// Case groups of a table of persons, and the cap on how many of a group count.

package table

// Grouped reports whether the table knows who was trafficked together.
func (t *Table) Grouped() bool { return t.groups != nil }

// Group numbers the case group of person i of a grouped table.
func (t *Table) Group(i int) uint32 { return t.groups[i] }

// Groups is the number of case groups, those of one person included.
func (t *Table) Groups() int { return len(t.sizes()) }

// sizes counts the persons of every group that has any.
func (t *Table) sizes() map[uint32]int {
	n := map[uint32]int{}
	for _, g := range t.groups {
		n[g]++
	}
	return n
}

// Ungrouped gives the same persons without their groups.
func (t *Table) Ungrouped() *Table {
	return &Table{Columns: t.Columns, Attrs: t.Attrs, offsets: t.offsets, attrs: t.attrs}
}

// Cap is the most persons of a case group that the table holds, as a promise of
// Capped; 0 without it.
func (t *Table) Cap() int { return t.most }

// Capped gives a table of at most most persons of every case group. Of a larger
// group that many are chosen at random, each group by itself, so that a group
// more or less changes nothing of what is kept of the others. below draws a
// uniform number under its argument.
func (t *Table) Capped(most int, below func(uint64) uint64) *Table {
	members := map[uint32][]int{}
	var order []uint32 // groups as they come, so that the same draws give the same table
	for i, g := range t.groups {
		if members[g] == nil {
			order = append(order, g)
		}
		members[g] = append(members[g], i)
	}
	keep := make([]bool, t.Rows())
	for _, g := range order {
		m := members[g]
		for i := range min(most, len(m)) {
			if len(m) > most {
				j := i + int(below(uint64(len(m)-i)))
				m[i], m[j] = m[j], m[i]
			}
			keep[m[i]] = true
		}
	}
	var rows []int
	for i, k := range keep {
		if k {
			rows = append(rows, i)
		}
	}
	out := t.Sample(rows)
	out.most = most
	return out
}

// LeftOut says how many persons a cap leaves out, and of how many groups. Both
// depend on the data without bound: they are for those who may see the data.
func (t *Table) LeftOut(most int) (persons, groups int) {
	for _, n := range t.sizes() {
		if n > most {
			persons += n - most
			groups++
		}
	}
	return persons, groups
}
