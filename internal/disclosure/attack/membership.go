// Membership inference: who was in the data that synthetic records were made of?

package attack

import (
	"slices"

	"banyan/internal/disclosure/table"
)

// Membership attacks released records: for each target the attacker, who knows
// everything about the target, finds how much of the target's record shows up in
// one released record (the largest released record that is part of it, else the
// largest overlap). It returns the area under the ROC curve over members and
// others: 0.5 is guessing, 1 is certainty; and the advantage, the largest
// difference of true and false positive rates over all thresholds. All three
// tables must have the same attribute numbers.
func Membership(released, members, others *table.Table) (auc, advantage float64) {
	d := released.Distinct()
	score := func(t *table.Table) []float64 {
		out := make([]float64, t.Rows())
		for i := range out {
			out[i] = nearness(d, t.Row(i))
		}
		slices.Sort(out)
		return out
	}
	in, not := score(members), score(others)
	below := func(xs []float64, v float64) (less, equal int) {
		less, _ = slices.BinarySearch(xs, v)
		for equal = 0; less+equal < len(xs) && xs[less+equal] == v; equal++ {
		}
		return less, equal
	}
	for _, v := range in {
		less, equal := below(not, v)
		auc += (float64(less) + float64(equal)/2) / float64(len(not))
		a, _ := below(in, v)
		gap := float64(less)/float64(len(not)) - float64(a)/float64(len(in))
		advantage = max(advantage, gap)
	}
	return auc / float64(len(in)), advantage
}

// nearness is the size of the largest released record inside row, plus, to part
// equals, a little for the largest overlap.
func nearness(d *table.Distinct, row []table.Attr) float64 {
	inside, overlap := 0, 0
	for i := range d.Rows() {
		r := d.Row(i)
		if len(r) <= inside && len(r) <= overlap {
			continue
		}
		n := shared(r, row)
		if n == len(r) {
			inside = max(inside, n)
		}
		overlap = max(overlap, n)
	}
	return float64(inside) + float64(overlap)/100
}

// shared counts the elements that two ascending lists have in common.
func shared(a, b []table.Attr) int {
	n := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			n, i, j = n+1, i+1, j+1
		}
	}
	return n
}
