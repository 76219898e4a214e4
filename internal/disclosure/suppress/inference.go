// What an attacker learns of persons from tables that keep their promise: who
// was counted, and what everybody in a cell has in common.

package suppress

import "banyan/internal/disclosure/table"

// shown is the published figure of a cell; ok is false where it is hidden.
func (x *Tables) shown(c Cell) (n float64, ok bool) {
	if x.base > 0 {
		return float64(c.Rounded), true
	}
	return float64(c.N), !c.Hidden
}

// Surprise scores each row of people as the attacker does who knows the whole
// pool that the persons of x are half of: by how much the published cells that
// the row falls into exceed what half of the pool would give, each by its
// variance (after Homer et al. 2008). x, pool and people have the same codes; x
// and pool are by the same tables.
func (x *Tables) Surprise(pool *Tables, t, people *table.Table) []float64 {
	out := make([]float64, people.Rows())
	code := make([]int, len(x.Dims))
	var at []int
	for i := range out {
		x.code(t, people.Row(i), code)
		for m, dims := range x.Margins {
			at = at[:0]
			for _, d := range dims {
				at = append(at, code[d])
			}
			k := cellKey(m, at)
			all := float64(pool.Cells[pool.index[k]].N)
			n := 0.0
			if c, here := x.index[k]; here {
				shown, ok := x.shown(x.Cells[c])
				if !ok {
					continue
				}
				n = shown
			}
			out[i] += (n - all/2) / (all/4 + 1)
		}
	}
	return out
}

// Alike counts published cells, of those that a further column divides, whose
// persons all have the same code in that column, visibly so.
func (x *Tables) Alike() (found, tried int) {
	for _, r := range x.Relations {
		if n, ok := x.shown(x.Cells[r.Parent]); !ok || n == 0 {
			continue
		}
		tried++
		if len(r.Children) != 1 {
			continue
		}
		if n, ok := x.shown(x.Cells[r.Children[0]]); ok && n > 0 {
			found++
		}
	}
	return found, tried
}

// SmallShown counts cells of 1 to threshold-1 persons that are shown and that no
// earlier release shows already.
func (x *Tables) SmallShown(threshold int, earlier []*Release) int {
	return x.newlyShown(earlier, func(c Cell) bool { return c.N < uint32(threshold) })
}

// OneCaseShown counts cells that tell of one case group, are shown, and are not
// shown by an earlier release already; and all cells, where groups are known.
func (x *Tables) OneCaseShown(earlier []*Release) (found, tried int) {
	if !x.grouped {
		return 0, 0
	}
	return x.newlyShown(earlier, oneCase), len(x.Cells)
}

func (x *Tables) newlyShown(earlier []*Release, bad func(Cell) bool) int {
	out := map[string]bool{}
	for _, rel := range earlier {
		for _, f := range rel.Figures {
			if !f.Hidden {
				out[f.Name] = true
			}
		}
	}
	n := 0
	for i, c := range x.Cells {
		if !c.Hidden && bad(c) && !out[x.Name(i)] {
			n++
		}
	}
	return n
}

// SmallChanges compares this release with an earlier one of other persons: how
// many figures both show, and how many of them differ by 1 to threshold-1.
func (x *Tables) SmallChanges(rel *Release, threshold int) (found, tried int) {
	then := map[string]float64{}
	for _, f := range rel.Figures {
		if !f.Hidden {
			then[f.Name] = f.N
		}
	}
	for i, c := range x.Cells {
		n, both := then[x.Name(i)]
		if !both || c.Hidden {
			continue
		}
		tried++
		if d := max(float64(c.N)-n, n-float64(c.N)); d > 0 && d < float64(threshold) {
			found++
		}
	}
	return found, tried
}
