// Measuring and putting together: the noisy residuals, the tables that they add
// up to, and those tables made non-negative without breaking their sums.

package dp

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Counts gives the exact table by some columns, cells in row-major order (the
// last column fastest).
type Counts func(by []int) []int64

// Measured is a plan with its noisy measurements: one residual per part, free of
// the noise that lies outside the residual's space.
type Measured struct {
	*Plan
	residual [][]float64
}

// Measure draws the noise. This is the only place where exact counts are used;
// all else is post-processing.
func (p *Plan) Measure(ctx context.Context, exact Counts, noise *Noise) (*Measured, error) {
	m := &Measured{Plan: p}
	for i := range p.Parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := &p.Parts[i]
		m.residual = append(m.residual, part.draw(p.sizes(part.By), exact, noise))
	}
	return m, nil
}

// NewMeasured starts with nothing measured, for programmes that choose their
// tables as they go.
func NewMeasured(unit Unit, domains []Domain) *Measured {
	return &Measured{Plan: &Plan{Unit: unit, Domains: domains, at: map[string]int{}}}
}

// Add measures the residual of one set of columns at a cost of at most rho, and
// gives what it cost. A set measured already costs nothing and changes nothing.
func (m *Measured) Add(by []int, rho float64, exact Counts, noise *Noise) (spent float64, err error) {
	known := len(m.Parts)
	p := Part{By: by, Size: 1, p: 1}
	for _, d := range by {
		n := len(m.Domains[d].Labels)
		p.Size *= n
		p.p *= 1 - 1/float64(n)
	}
	k := fmt.Sprint(by)
	if _, ok := m.at[k]; ok || p.p == 0 {
		return 0, nil
	}
	v := math.Ceil(m.Unit.Factor() * p.p / (2 * rho) * float64(p.Size) * float64(p.Size))
	if !(v <= MaxVariance) || p.Size > MaxCells {
		return 0, fmt.Errorf("the table by %s needs more noise than can be drawn exactly: fewer codes or a larger epsilon", m.name(by))
	}
	p.Variance = uint64(max(v, 1))
	p.Rho = m.cost(&p)
	m.at[k] = known
	m.Parts = append(m.Parts, p)
	m.residual = append(m.residual, p.draw(m.sizes(by), exact, noise))
	m.Rho += p.Rho
	return p.Rho, nil
}

// Ask adds a table, all of whose parts are measured, to those that Settle makes
// consistent.
func (m *Measured) Ask(by []int, weight float64) {
	m.Queries = append(m.Queries, Query{by, weight})
}

// draw measures a part: whole numbers, discrete noise, then the projection.
func (p *Part) draw(dims []int, exact Counts, noise *Noise) []float64 {
	whole := scaledResidual(exact(p.By), dims)
	out := make([]float64, len(whole))
	for j, y := range whole {
		out[j] = float64(y+noise.Gaussian(p.Variance)) / float64(p.Size)
	}
	project(out, dims)
	return out
}

func (p *Plan) sizes(by []int) []int {
	out := make([]int, len(by))
	for i, d := range by {
		out[i] = len(p.Domains[d].Labels)
	}
	return out
}

// scaledResidual applies n·x - Σx along every axis: the residual times the number
// of cells, in whole numbers.
func scaledResidual(x []int64, dims []int) []int64 {
	x = slices.Clone(x)
	eachLine(dims, func(start, step, n int) {
		sum := int64(0)
		for i := range n {
			sum += x[start+i*step]
		}
		for i := range n {
			x[start+i*step] = int64(n)*x[start+i*step] - sum
		}
	})
	return x
}

// project removes from x what does not belong to the residual: the mean along
// every axis.
func project(x []float64, dims []int) {
	eachLine(dims, func(start, step, n int) {
		sum := 0.0
		for i := range n {
			sum += x[start+i*step]
		}
		sum /= float64(n)
		for i := range n {
			x[start+i*step] -= sum
		}
	})
}

// eachLine visits every line of a row-major array along every axis.
func eachLine(dims []int, f func(start, step, n int)) {
	total := 1
	for _, n := range dims {
		total *= n
	}
	step := total
	for _, n := range dims {
		block := step
		step /= n
		for base := 0; base < total; base += block {
			for off := range step {
				f(base+off, step, n)
			}
		}
	}
}

// Table puts the table by columns by together: unbiased, each cell with the same
// standard deviation (StdDev), consistent with every other table of the plan.
func (m *Measured) Table(by []int) []float64 { return m.assemble(m.residual, by) }

func (p *Plan) assemble(residual [][]float64, by []int) []float64 {
	dims := p.sizes(by)
	size := 1
	for _, n := range dims {
		size *= n
	}
	out := make([]float64, size)
	for i := range p.Parts {
		if spread := p.spread(&p.Parts[i], by, dims); spread != nil {
			spread.add(out, residual[i])
		}
	}
	return out
}

// spreading says where a part's cells go in a table.
type spreading struct {
	dims  []int
	steps []int   // step in the part per step along the table's axis; 0 = the part has no such axis
	scale float64 // 1 over the cells that share a value
}

func (p *Plan) spread(part *Part, by, dims []int) *spreading {
	s := &spreading{dims: dims, steps: make([]int, len(by)), scale: 1}
	found := 0
	for i, d := range by {
		at := slices.Index(part.By, d)
		if at < 0 {
			s.scale /= float64(dims[i])
			continue
		}
		found++
		step := 1
		for _, e := range part.By[at+1:] {
			step *= len(p.Domains[e].Labels)
		}
		s.steps[i] = step
	}
	if found < len(part.By) {
		return nil
	}
	return s
}

// walk visits the table's cells in order with the part's cell for each.
func (s *spreading) walk(f func(cell, part int)) {
	at := make([]int, len(s.dims))
	total := 1
	for _, n := range s.dims {
		total *= n
	}
	part := 0
	for cell := range total {
		f(cell, part)
		for i := len(at) - 1; i >= 0; i-- {
			at[i]++
			part += s.steps[i]
			if at[i] < s.dims[i] {
				break
			}
			part -= at[i] * s.steps[i]
			at[i] = 0
		}
	}
}

func (s *spreading) add(out, residual []float64) {
	s.walk(func(cell, part int) { out[cell] += residual[part] * s.scale })
}

// collect sums a table's cells onto a part: the transpose of add without scale.
func (s *spreading) collect(table, part []float64) {
	s.walk(func(cell, p int) { part[p] += table[cell] })
}

// Consistent holds the published tables: non-negative, and with the same sums
// wherever tables share columns.
type Consistent struct {
	*Plan
	residual [][]float64
}

// tolerance is how far below 0 a cell may be left, in persons.
const tolerance = 1e-3

// Settle finds non-negative tables that agree with each other, nearest to the
// measured ones in squared distance (non-negative least squares over the space of
// consistent tables), by Dykstra's alternating projections; each table weighs in
// with the inverse of its variance. It ends when no cell is below -tolerance,
// which is then cut to 0: sums agree to within the second decimal.
func (m *Measured) Settle(ctx context.Context) (*Consistent, error) {
	return m.SettleWithin(ctx, 1000)
}

// SettleWithin is Settle that ends after so many rounds at the latest, for tables
// that are a target and not published.
func (m *Measured) SettleWithin(ctx context.Context, limit int) (*Consistent, error) {
	p := m.Plan
	nq := len(p.Queries)
	tables, corrections := make([][]float64, nq), make([][]float64, nq)
	weight := make([]float64, nq)
	spreads := make([][]*spreading, nq)
	for q, query := range p.Queries {
		tables[q] = m.Table(query.By)
		corrections[q] = make([]float64, len(tables[q]))
		sd := p.StdDev(query.By)
		weight[q] = 1 / (sd * sd)
		for i := range p.Parts {
			spreads[q] = append(spreads[q], p.spread(&p.Parts[i], query.By, p.sizes(query.By)))
		}
	}
	residual := make([][]float64, len(p.Parts))
	for i := range residual {
		residual[i] = make([]float64, p.Parts[i].Size)
	}
	for range limit {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// On the non-negative tables …
		for q, t := range tables {
			for i, c := range corrections[q] {
				y := t[i] + c
				t[i] = max(y, 0)
				corrections[q][i] = y - t[i]
			}
		}
		// … on the consistent ones. That space is linear, so it needs no correction.
		p.consistent(tables, weight, spreads, residual)
		worst := 0.0
		for q := range tables {
			p.assembleInto(tables[q], residual, spreads[q])
			for _, x := range tables[q] {
				worst = min(worst, x)
			}
		}
		if worst > -tolerance {
			break
		}
	}
	return &Consistent{Plan: p, residual: residual}, nil
}

func (p *Plan) assembleInto(out []float64, residual [][]float64, spreads []*spreading) {
	clear(out)
	for i, s := range spreads {
		if s != nil {
			s.add(out, residual[i])
		}
	}
}

// consistent finds the residuals nearest to the tables: each part is the mean of
// what the tables that hold it say, weighted with table weight over the number of
// cells that a part's cell is spread over.
func (p *Plan) consistent(tables [][]float64, weight []float64, spreads [][]*spreading, residual [][]float64) {
	for i := range p.Parts {
		r := residual[i]
		clear(r)
		sum := 0.0
		part := make([]float64, len(r))
		for q := range tables {
			s := spreads[q][i]
			if s == nil {
				continue
			}
			clear(part)
			s.collect(tables[q], part)
			w := weight[q] * s.scale
			sum += w
			for j, x := range part {
				r[j] += w * x
			}
		}
		for j := range r {
			r[j] /= sum
		}
		project(r, p.sizes(p.Parts[i].By))
	}
}

// Table gives the published table by columns by: a query or a margin of one.
func (c *Consistent) Table(by []int) []float64 {
	t := c.assemble(c.residual, by)
	for i, x := range t {
		t[i] = math.Max(x, 0)
	}
	return t
}
