// Differentially private synthesis. In the manner of AIM (McKenna et al. 2022,
// arXiv 2201.12677): all one-way tables are measured, then, round by round, the
// pairs on which the records made so far are worst are chosen by the exponential
// mechanism and measured. Measurements are residuals (as in AIM+GReM, arXiv
// 2602.05674), so a pair costs only what it says beyond its columns. The model is
// the records themselves: they start from a tree of the strongest measured pairs
// (as MST does, arXiv 2108.04978), are moved from cells that have too many to
// cells that have too few (as PrivSyn does, arXiv 2012.15128), and are polished
// code by code until they fit all tables together.
//
// Only Add and Choose touch the data; the rest is post-processing.

package synth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"banyan/internal/disclosure/dp"
	"banyan/internal/disclosure/table"
)

// Shares of the budget. One-way tables are few and carry everything else;
// choosing needs little, since a nearly best pair is as good.
const (
	oneWayShare = 0.12
	chooseShare = 0.10
	rounds      = 4
)

// PrivateResult is the synthetic data and what they cost.
type PrivateResult struct {
	Domains []dp.Domain
	Codes   [][]uint16 // domain → record → code
	Rows    int
	Rho     float64
	Pairs   [][]int // measured
}

// Private makes differentially private records at a cost of at most rho. always
// lists pairs that are measured in any case.
func Private(ctx context.Context, data *dp.Coded, always [][]int, rho float64, noise *dp.Noise) (*PrivateResult, error) {
	if !(rho > 0) {
		return nil, errors.New("synthesis needs a positive budget")
	}
	p := &private{data: data, m: dp.NewMeasured(data.Unit, data.Domains), noise: noise, left: rho,
		rng: rand.New(rand.NewPCG(noise.Uint64(), noise.Uint64()))}
	if err := p.oneWay(rho * oneWayShare); err != nil {
		return nil, err
	}
	p.rows = int(math.Round(p.m.Table(nil)[0]))
	if p.rows < 1 {
		return nil, fmt.Errorf("at this epsilon nobody can be told from nobody: a noisy count of %d persons", p.rows)
	}
	// More pairs are worth their noise when there are more persons per unit of it.
	pairs := int(2 * math.Sqrt(float64(p.rows)*math.Sqrt(rho/data.Unit.Factor())))
	pairs = min(max(pairs, 5*len(data.Domains)/2), len(data.Domains)*(len(data.Domains)-1)/2, 700)
	chosen := max(pairs-len(always), 0)
	perPair := rho * (1 - oneWayShare - chooseShare) / float64(len(always)+chosen)
	if err := p.measureAll(always, perPair*float64(len(always))); err != nil {
		return nil, err
	}
	perChoice := 0.0
	if chosen > 0 {
		perChoice = rho * chooseShare / float64(chosen)
	}
	for round := range rounds {
		if err := p.fit(ctx, 8, 400, 2); err != nil {
			return nil, err
		}
		n := chosen*(round+1)/rounds - chosen*round/rounds
		pairs, err := p.choose(ctx, n, perChoice, perPair)
		if err != nil {
			return nil, err
		}
		if err := p.measureAll(pairs, perPair*float64(n)); err != nil {
			return nil, err
		}
	}
	if err := p.fit(ctx, 20, 1000, 10); err != nil {
		return nil, err
	}
	return &PrivateResult{Domains: data.Domains, Codes: p.codes, Rows: p.rows, Rho: rho - p.left, Pairs: p.pairs}, nil
}

// private is a synthesis on its way.
type private struct {
	data  *dp.Coded
	m     *dp.Measured
	noise *dp.Noise
	rng   *rand.Rand // for post-processing
	left  float64    // of the budget
	rows  int
	pairs [][]int
	codes [][]uint16
}

func (p *private) spend(cost float64) error {
	if p.left -= cost; p.left < -1e-12 {
		return errors.New("internal: synthesis overdraws its budget")
	}
	return nil
}

func (p *private) oneWay(rho float64) error {
	each := rho / float64(len(p.data.Domains)+1)
	if err := p.add(nil, each); err != nil {
		return err
	}
	for d := range p.data.Domains {
		if err := p.add([]int{d}, each); err != nil {
			return err
		}
		p.m.Ask([]int{d}, 1)
	}
	return nil
}

func (p *private) add(by []int, rho float64) error {
	cost, err := p.m.Add(by, rho, p.data.Count, p.noise)
	if err != nil {
		return err
	}
	return p.spend(cost)
}

// measure adds a pair, once.
func (p *private) measure(by []int, rho float64) error {
	if slices.ContainsFunc(p.pairs, func(x []int) bool { return slices.Equal(x, by) }) {
		return nil
	}
	if err := p.add(by, rho); err != nil {
		return err
	}
	p.m.Ask(by, 1)
	p.pairs = append(p.pairs, by)
	return nil
}

// measureAll shares a budget between pairs so that the sum of the variances of the
// cells that somebody is likely to be in is smallest: in proportion to a pair's
// weight.
func (p *private) measureAll(pairs [][]int, rho float64) error {
	sum := 0.0
	for _, by := range pairs {
		sum += p.weight(by)
	}
	for _, by := range pairs {
		if err := p.measure(by, rho*p.weight(by)/sum); err != nil {
			return err
		}
	}
	return nil
}

// weight is √(cells)·p of a pair, by Lagrange from the variance p²/2ρ of each of its
// cells, p = Π(1-1/n). Cells are those in which one would expect persons enough to
// tell from noise if the columns, as measured, had nothing to do with each other.
func (p *private) weight(by []int) float64 {
	a, b := p.m.Table(by[:1]), p.m.Table(by[1:])
	cells := 1.0
	for _, x := range a {
		for _, y := range b {
			if x > 0 && y > 0 && x*y >= fewest*float64(p.rows) {
				cells++
			}
		}
	}
	return math.Sqrt(cells) * (1 - 1/float64(len(a))) * (1 - 1/float64(len(b)))
}

// fewest persons make a cell worth its noise.
const fewest = 10

// choose picks the n pairs on which the records are worst, less what noise
// would add (AIM's score). One person more changes a distance by at most 1, a case
// group by at most as many as are counted of it.
func (p *private) choose(ctx context.Context, n int, perChoice, perPair float64) (chosen [][]int, err error) {
	if n == 0 {
		return nil, nil
	}
	var pairs [][]int
	var scores []int64
	persons, factor := float64(p.data.Unit.Persons()), p.data.Unit.Factor()
	for a := range p.data.Domains {
		for b := a + 1; b < len(p.data.Domains); b++ {
			by := []int{a, b}
			if slices.ContainsFunc(p.pairs, func(x []int) bool { return slices.Equal(x, by) }) {
				continue
			}
			na, nb := float64(len(p.data.Domains[a].Labels)), float64(len(p.data.Domains[b].Labels))
			if na < 2 || nb < 2 || na*nb > dp.MaxCells {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			have := count2(p.codes[a], p.codes[b], int(nb), int(na*nb))
			apart := int64(0)
			for i, x := range p.data.Count(by) {
				apart += max(x-have[i], have[i]-x)
			}
			sd := math.Sqrt((1 - 1/na) * (1 - 1/nb) / (2 * perPair / factor) * (1 - 1/na) * (1 - 1/nb))
			pairs = append(pairs, by)
			// Of a large table, non-negative least squares leaves only as many cells above
			// the noise as there are persons for it.
			noisy := math.Min(na*nb, float64(p.rows)/(4*sd))
			scores = append(scores, apart-int64(math.Sqrt(2/math.Pi)*sd*noisy))
		}
	}
	// P(pair) ∝ exp(ε·score/2) with (ε·persons)²/8 = perChoice, rounded down to whole
	// 2^-40.
	const den = 1 << 40
	num := uint64(math.Sqrt(8*perChoice) / persons / 2 * den)
	if num == 0 {
		return nil, nil
	}
	epsilon := 2 * float64(num) / den * persons
	for range min(n, len(pairs)) {
		i := p.noise.Choose(scores, num, den)
		if err := p.spend(epsilon * epsilon / 8); err != nil {
			return nil, err
		}
		chosen = append(chosen, pairs[i])
		pairs, scores = slices.Delete(pairs, i, i+1), slices.Delete(scores, i, i+1)
	}
	return chosen, nil
}

func count2(a, b []uint16, nb, size int) []int64 {
	out := make([]int64, size)
	for i, x := range a {
		out[int(x)*nb+int(b[i])]++
	}
	return out
}

// target is a table that the records should have.
type target struct {
	by    []int
	cells []float64
}

// fit makes the records fit what has been measured: settling rounds for the
// tables, then sweeps over the tables, then polishing sweeps over the records.
func (p *private) fit(ctx context.Context, sweeps, settling, polishing int) error {
	settled, err := p.m.SettleWithin(ctx, settling)
	if err != nil {
		return err
	}
	var targets []target
	for _, q := range p.m.Queries {
		t := target{q.By, settled.Table(q.By)}
		sum := 0.0
		for _, x := range t.cells {
			sum += x
		}
		for i := range t.cells {
			t.cells[i] *= float64(p.rows) / math.Max(sum, 1e-9)
		}
		targets = append(targets, t)
	}
	p.start(targets)
	for sweep := range sweeps {
		if err := ctx.Err(); err != nil {
			return err
		}
		// First long strides, then shorter ones, so that the tables do not undo
		// each other's work.
		stride := math.Max(1-float64(sweep)/float64(sweeps), 0.1)
		for _, i := range p.rng.Perm(len(targets)) {
			p.move(targets[i], stride)
		}
	}
	return p.polish(ctx, targets, polishing)
}

// start samples records from the tree of measured pairs with the most mutual
// information; columns outside it stand by themselves.
func (p *private) start(targets []target) {
	nd := len(p.data.Domains)
	one := make([][]float64, nd)
	type edge struct {
		a, b int
		info float64
		t    target
	}
	var edges []edge
	for _, t := range targets {
		if len(t.by) == 1 {
			one[t.by[0]] = t.cells
		}
	}
	for _, t := range targets {
		if len(t.by) == 2 {
			edges = append(edges, edge{t.by[0], t.by[1], p.information(t, one), t})
		}
	}
	slices.SortStableFunc(edges, func(x, y edge) int { return cmp.Compare(y.info, x.info) })
	root := make([]int, nd)
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			i = root[i]
		}
		return i
	}
	next := make([][]edge, nd)
	for _, e := range edges {
		if ra, rb := find(e.a), find(e.b); ra != rb {
			root[ra] = rb
			next[e.a] = append(next[e.a], e)
			next[e.b] = append(next[e.b], e)
		}
	}
	p.codes = make([][]uint16, nd)
	for d := range nd {
		if p.codes[d] != nil {
			continue
		}
		p.codes[d] = make([]uint16, p.rows)
		all := make([]int, p.rows)
		for i := range all {
			all[i] = i
		}
		p.deal(all, one[d], p.codes[d])
		queue := []int{d}
		for len(queue) > 0 {
			at := queue[0]
			queue = queue[1:]
			for _, e := range next[at] {
				child := e.a + e.b - at
				if p.codes[child] != nil {
					continue
				}
				p.codes[child] = make([]uint16, p.rows)
				p.dealGiven(at, child, e.t)
				queue = append(queue, child)
			}
		}
	}
}

func (p *private) information(t target, one [][]float64) float64 {
	nb := len(p.data.Domains[t.by[1]].Labels)
	n, info := float64(p.rows), 0.0
	for i, x := range t.cells {
		if a, b := one[t.by[0]][i/nb], one[t.by[1]][i%nb]; x > 0 && a > 0 && b > 0 {
			info += x / n * math.Log(x*n/(a*b))
		}
	}
	return info
}

// dealGiven deals the child's codes within every code of the parent.
func (p *private) dealGiven(parent, child int, t target) {
	np, nc := len(p.data.Domains[parent].Labels), len(p.data.Domains[child].Labels)
	members := make([][]int, np)
	for i, c := range p.codes[parent] {
		members[c] = append(members[c], i)
	}
	weights := make([]float64, nc)
	for c, m := range members {
		for x := range nc {
			if t.by[0] == parent {
				weights[x] = t.cells[c*nc+x]
			} else {
				weights[x] = t.cells[x*np+c]
			}
		}
		p.deal(m, weights, p.codes[child])
	}
}

// deal gives the records codes in proportion to weights, whole numbers by largest
// remainders, in random order.
func (p *private) deal(records []int, weights []float64, codes []uint16) {
	p.rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	at := 0
	acc := p.rng.Float64()
	for c, w := range weights {
		share := 1 / float64(len(weights))
		if sum > 0 {
			share = w / sum
		}
		acc += share * float64(len(records))
		for at < len(records) && float64(at) < math.Floor(acc) {
			codes[records[at]] = uint16(c)
			at++
		}
	}
	for ; at < len(records); at++ {
		codes[records[at]] = codes[records[max(at-1, 0)]]
	}
}

// move takes records from cells that have too many to cells that have too few:
// half of them become copies of a record that is in the cell, which keeps what
// goes with it, half only change the table's own columns.
func (p *private) move(t target, stride float64) {
	a := p.codes[t.by[0]]
	nb := 1
	b := a
	if len(t.by) == 2 {
		b = p.codes[t.by[1]]
		nb = len(p.data.Domains[t.by[1]].Labels)
	}
	cell := func(i int) int {
		if len(t.by) == 1 {
			return int(a[i])
		}
		return int(a[i])*nb + int(b[i])
	}
	diff := make([]float64, len(t.cells))
	for i := range p.rows {
		diff[cell(i)]++
	}
	surplus := make([]int32, len(t.cells)) // positive: records to give; negative: to get
	give, get := 0, 0
	for c := range diff {
		d := (diff[c] - t.cells[c]) * stride
		n := int32(math.Floor(math.Abs(d) + p.rng.Float64()))
		if d > 0 {
			surplus[c] = n
			give += int(n)
		} else {
			surplus[c] = -n
			get += int(n)
		}
	}
	if give == 0 || get == 0 {
		return
	}
	free := make([]int32, 0, give)
	example := make([]int32, len(t.cells))
	for c := range example {
		example[c] = -1
	}
	seen := make([]int32, len(t.cells))
	first := p.rng.IntN(p.rows)
	for k := range p.rows {
		i := first + k
		if i >= p.rows {
			i -= p.rows
		}
		c := cell(i)
		switch {
		case surplus[c] > 0:
			surplus[c]--
			free = append(free, int32(i))
		case surplus[c] < 0:
			if seen[c]++; seen[c] <= 64 || p.rng.Uint32()%uint32(seen[c]) == 0 {
				example[c] = int32(i)
			}
		}
	}
	p.rng.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	if len(t.by) == 2 {
		// First by changing one column only, which disturbs other tables least.
		before := len(free)
		free = alongRows(free, surplus, a, b, nb)
		free = acrossRows(free, surplus, a, b, nb)
		get -= before - len(free)
	}
	for c := p.rng.IntN(len(surplus)); len(free) > 0 && get > 0; c = (c + 1) % len(surplus) {
		for ; surplus[c] < 0 && len(free) > 0; surplus[c]++ {
			get--
			i := free[len(free)-1]
			free = free[:len(free)-1]
			if e := example[c]; e >= 0 && p.rng.Uint32()&1 == 0 {
				for d := range p.codes {
					p.codes[d][i] = p.codes[d][e]
				}
				continue
			}
			if len(t.by) == 2 {
				a[i], b[i] = uint16(c/nb), uint16(c%nb)
			} else {
				a[i] = uint16(c)
			}
		}
	}
}

// alongRows moves free records to cells in want of the same row, by the second
// column alone; it returns those for which the row has no want.
func alongRows(free, surplus []int32, a, b []uint16, nb int) []int32 {
	next := make([]int, len(surplus)/nb) // per row: the columns before are not in want
	rest := free[:0]
	for _, i := range free {
		r := int(a[i])
		for next[r] < nb && surplus[r*nb+next[r]] >= 0 {
			next[r]++
		}
		if next[r] == nb {
			rest = append(rest, i)
			continue
		}
		surplus[r*nb+next[r]]++
		b[i] = uint16(next[r])
	}
	return rest
}

// acrossRows is alongRows for the same column, by the first column alone.
func acrossRows(free, surplus []int32, a, b []uint16, nb int) []int32 {
	rows := len(surplus) / nb
	next := make([]int, nb)
	rest := free[:0]
	for _, i := range free {
		c := int(b[i])
		for next[c] < rows && surplus[next[c]*nb+c] >= 0 {
			next[c]++
		}
		if next[c] == rows {
			rest = append(rest, i)
			continue
		}
		surplus[next[c]*nb+c]++
		a[i] = uint16(next[c])
	}
	return rest
}

// Table writes the records as a table of codes. Codes that stand for "not
// recorded", "no" and "other" are left empty.
func (r *PrivateResult) Table() (*table.Table, error) {
	var columns []string
	at := map[string]int{}
	type place struct{ column int }
	places := make([]place, len(r.Domains))
	var multi []string
	for d, dom := range r.Domains {
		name := dom.Name
		if col, _, yesNo := cutYesNo(dom); yesNo {
			name = col
		}
		if _, ok := at[name]; !ok {
			at[name] = len(columns)
			columns = append(columns, name)
			if name != dom.Name {
				multi = append(multi, name)
			}
		}
		places[d] = place{at[name]}
	}
	return table.FromRows(columns, multi, r.Rows, func(i int, fields []string) {
		for d, dom := range r.Domains {
			value := dom.Labels[r.Codes[d][i]]
			if _, code, yesNo := cutYesNo(dom); yesNo {
				if value != dp.Yes {
					continue
				}
				value = code
			}
			if value == dp.NotRecorded || value == dp.Other {
				continue
			}
			f := &fields[places[d].column]
			if *f != "" {
				*f += ";"
			}
			*f += value
		}
	})
}

// cutYesNo finds the column and code of a yes/no domain of a multi-valued column.
func cutYesNo(d dp.Domain) (column, code string, ok bool) {
	if len(d.Labels) != 2 || d.Labels[0] != dp.Yes || d.Labels[1] != dp.No {
		return "", "", false
	}
	for i := range d.Name {
		if d.Name[i] == ':' {
			return d.Name[:i], d.Name[i+1:], true
		}
	}
	return "", "", false
}
