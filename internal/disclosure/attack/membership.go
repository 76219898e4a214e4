// Membership inference: who was in the data that synthetic records were made of?

package attack

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"

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
	return AUC(Nearness(released, members), Nearness(released, others))
}

// Nearness scores each target by how much of it shows up in one released record.
func Nearness(released, targets *table.Table) []float64 {
	d := released.Distinct()
	out := make([]float64, targets.Rows())
	for i := range out {
		out[i] = nearness(d, targets.Row(i))
	}
	return out
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

// Halves picks up to most persons of t at random and cuts them in two equal
// halves, to make a release of the members again and ask which half somebody is
// in. The choice is the same every time; it is never published.
func Halves(t *table.Table, most int) (members, others []int) {
	order := rand.New(rand.NewPCG(0x68616c766573, 2)).Perm(t.Rows())
	n := min(t.Rows(), most) / 2
	return order[:n], order[n : 2*n]
}

// GroupHalves is Halves for whole groups: groups of at most most persons in all.
func GroupHalves(t *table.Table, most int) (members, others []int) {
	persons := map[uint32][]int{}
	var groups []uint32
	for i := range t.Rows() {
		g := t.Group(i)
		if persons[g] == nil {
			groups = append(groups, g)
		}
		persons[g] = append(persons[g], i)
	}
	rand.New(rand.NewPCG(0x68616c766573, 3)).Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	for i := 0; i+1 < len(groups) && len(members)+len(others)+len(persons[groups[i]])+len(persons[groups[i+1]]) <= most; i += 2 {
		members = append(members, persons[groups[i]]...)
		others = append(others, persons[groups[i+1]]...)
	}
	return members, others
}

// ByGroup adds up the scores of the persons of each group of t.
func ByGroup(t *table.Table, scores []float64) []float64 {
	at := map[uint32]int{}
	var out []float64
	for i, s := range scores {
		g := t.Group(i)
		n, ok := at[g]
		if !ok {
			n = len(out)
			at[g] = n
			out = append(out, 0)
		}
		out[n] += s
	}
	return out
}

// AUC is the area under the ROC curve of scores that ought to be higher for
// members, and the largest difference of true and false positive rates.
func AUC(members, others []float64) (auc, advantage float64) {
	in, not := slices.Sorted(slices.Values(members)), slices.Sorted(slices.Values(others))
	less := func(xs []float64, v float64) int { i, _ := slices.BinarySearch(xs, v); return i }
	for _, v := range in {
		from := less(not, v)
		equal := sort.Search(len(not)-from, func(i int) bool { return not[from+i] > v })
		auc += (float64(from) + float64(equal)/2) / float64(len(not))
		advantage = max(advantage, float64(from)/float64(len(not))-float64(less(in, v))/float64(len(in)))
	}
	return auc / float64(len(in)), advantage
}

// AUCBound is the largest area under the ROC curve that (ε, δ)-differential
// privacy allows any test of one person's membership: the area under the curve
// of the best such test (Kairouz, Oh & Viswanath 2015, Theorem 2.1), which runs
// through (0, δ), (f, 1-f) and (1-δ, 1) with f = (1-δ)/(1+e^ε).
func AUCBound(epsilon, delta float64) float64 {
	f := (1 - delta) / (1 + math.Exp(epsilon))
	return f*(delta+1-f)/2 + (1-delta-f)*(2-f)/2 + delta
}

// AUCError is the standard error of an AUC of n and m scores under no difference.
func AUCError(n, m int) float64 { return math.Sqrt(float64(n+m+1) / 12 / float64(n) / float64(m)) }
