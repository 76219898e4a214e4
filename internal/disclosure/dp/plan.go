// The plan: which noise to give to which part of the tables, so that the tables
// asked for come out as exact as the budget allows (ResidualPlanner).
//
// Every table splits into independent parts, one per subset of its columns: what
// the subset says beyond its own subsets (its residual). Tables that share
// columns share parts, so each part is measured once, and each is given the
// noise that is best for all tables together.
//
// The residual of a table over columns with n_1 … n_m codes, multiplied by
// N = n_1···n_m, is a table of whole numbers in which one person more changes
// the Euclidean norm by sqrt(Π n_i(n_i-1)). Discrete Gaussian noise of integer
// variance s on those whole numbers is therefore exactly
// Π n_i(n_i-1)/(2s)-zCDP, with no rounding anywhere. Where the unit of protection
// is a case group, that times the square of its cap (see Unit).

package dp

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Domain is a column's possible codes, known before the data are looked at.
type Domain struct {
	Name   string
	Labels []string // with "(not recorded)" among them where that can be
}

// Query is a table asked for: columns as indices into the domains, ascending,
// and how much it matters.
type Query struct {
	By     []int
	Weight float64
}

// Objective is what the plan makes small.
type Objective string

// Objectives of a plan.
const (
	// SumVariance makes the weighted mean of the tables' variances smallest.
	SumVariance Objective = "sum"
	// WorstVariance makes the largest weighted variance smallest: no table pays for
	// the others.
	WorstVariance Objective = "max"
)

// Part is one residual to be measured.
type Part struct {
	By       []int
	Size     int    // cells: the product of the domains' sizes
	Variance uint64 // of the discrete Gaussian, on residual·Size
	Rho      float64
	p        float64 // Π (1-1/n)
}

// Plan is a set of measurements that costs at most its Rho for one Unit.
type Plan struct {
	Unit    Unit
	Domains []Domain
	Queries []Query
	Parts   []Part
	Rho     float64 // spent, at most what was asked

	at map[string]int
}

// MaxCells bounds a table with differential privacy: every cell gets noise,
// also those of nobody.
const MaxCells = 2_000_000

// NewPlan allots a budget of rho over the queries.
func NewPlan(unit Unit, domains []Domain, queries []Query, objective Objective, rho float64) (*Plan, error) {
	if len(queries) == 0 {
		return nil, errors.New("the programme asks for no table")
	}
	if !(rho > 0) {
		return nil, fmt.Errorf("a budget of rho = %g buys no table", rho)
	}
	p := &Plan{Unit: unit, Domains: domains, Queries: queries, at: map[string]int{}}
	for _, q := range queries {
		if err := p.addParts(q); err != nil {
			return nil, err
		}
	}
	weights := make([]float64, len(queries))
	for i, q := range queries {
		weights[i] = q.Weight
	}
	each := rho / unit.Factor() // what the measurements may cost for one person
	sigma2 := p.allot(weights, each)
	if objective == WorstVariance {
		sigma2 = p.evenOut(weights, each)
	}
	for i := range p.Parts {
		part := &p.Parts[i]
		// Rounded up, so that the sum of costs stays within the budget.
		v := math.Ceil(sigma2[i] * float64(part.Size) * float64(part.Size))
		if !(v <= MaxVariance) {
			return nil, fmt.Errorf("the table by %s needs more noise than can be drawn exactly: fewer codes or a larger epsilon", p.name(part.By))
		}
		part.Variance = uint64(max(v, 1))
		part.Rho = p.cost(part)
		p.Rho += part.Rho
	}
	if p.Rho > rho*(1+1e-9) {
		return nil, fmt.Errorf("internal: the plan costs %g of %g", p.Rho, rho)
	}
	return p, nil
}

// cost is the exact zCDP cost of a part: Π n(n-1) / (2·variance) for a person.
func (p *Plan) cost(part *Part) float64 {
	d2 := p.Unit.Factor()
	for _, d := range part.By {
		n := float64(len(p.Domains[d].Labels))
		d2 *= n * (n - 1)
	}
	return d2 / (2 * float64(part.Variance))
}

func (p *Plan) addParts(q Query) error {
	cells := 1
	for i, d := range q.By {
		if i > 0 && q.By[i-1] >= d {
			return errors.New("internal: a query's columns must ascend")
		}
		if cells *= len(p.Domains[d].Labels); cells > MaxCells {
			return fmt.Errorf("the table by %s has more than %d cells", p.name(q.By), MaxCells)
		}
	}
	for mask := range 1 << len(q.By) {
		part := Part{Size: 1, p: 1}
		for i, d := range q.By {
			if mask>>i&1 == 1 {
				n := len(p.Domains[d].Labels)
				part.By = append(part.By, d)
				part.Size *= n
				part.p *= 1 - 1/float64(n)
			}
		}
		k := fmt.Sprint(part.By)
		if _, ok := p.at[k]; ok || part.p == 0 {
			continue // known, or a column with one code, which says nothing
		}
		p.at[k] = len(p.Parts)
		p.Parts = append(p.Parts, part)
	}
	return nil
}

func (p *Plan) name(by []int) string {
	s := ""
	for i, d := range by {
		if i > 0 {
			s += " × "
		}
		s += p.Domains[d].Name
	}
	if s == "" {
		return "the total"
	}
	return s
}

// share is how much of part a's variance reaches a cell of the table by columns
// by: Π over a of (1-1/n), over Π of n² over the rest; 0 when a is not in it.
func (p *Plan) share(a *Part, by []int) float64 {
	s := a.p
	found := 0
	for _, d := range by {
		if slices.Contains(a.By, d) {
			found++
			continue
		}
		n := float64(len(p.Domains[d].Labels))
		s /= n * n
	}
	if found < len(a.By) {
		return 0
	}
	return s
}

// allot is the closed form of ResidualPlanner: minimise Σ v σ² subject to
// Σ p/(2σ²) = rho, by σ² proportional to sqrt(p/v).
func (p *Plan) allot(weights []float64, rho float64) []float64 {
	v := make([]float64, len(p.Parts))
	sum := 0.0
	for i := range p.Parts {
		for q, query := range p.Queries {
			v[i] += weights[q] * p.share(&p.Parts[i], query.By)
		}
		sum += math.Sqrt(p.Parts[i].p * v[i])
	}
	sigma2 := make([]float64, len(p.Parts))
	for i := range p.Parts {
		sigma2[i] = math.Sqrt(p.Parts[i].p/v[i]) * sum / (2 * rho)
	}
	return sigma2
}

// evenOut minimises the largest weighted variance: by duality it is the largest,
// over weights, of the smallest weighted sum, reached by multiplicative weights.
func (p *Plan) evenOut(weights []float64, rho float64) []float64 {
	w := slices.Clone(weights)
	var best []float64
	bestWorst := math.Inf(1)
	for step := range 400 {
		sigma2 := p.allot(w, rho)
		worst, mean := 0.0, 0.0
		vars := make([]float64, len(p.Queries))
		for q, query := range p.Queries {
			vars[q] = weights[q] * p.variance(sigma2, query.By)
			worst = max(worst, vars[q])
			mean += vars[q] / float64(len(p.Queries))
		}
		if worst < bestWorst {
			bestWorst, best = worst, sigma2
		}
		eta := 1 / math.Sqrt(1+float64(step)/20)
		for q := range w {
			w[q] *= math.Pow(vars[q]/mean, eta)
		}
	}
	return best
}

// variance of one cell of the table by columns by.
func (p *Plan) variance(sigma2 []float64, by []int) float64 {
	sum := 0.0
	for i := range p.Parts {
		sum += sigma2[i] * p.share(&p.Parts[i], by)
	}
	return sum
}

// StdDev is the standard deviation of every cell of the table by columns by,
// which must be a query or a margin of one.
func (p *Plan) StdDev(by []int) float64 {
	sum := 0.0
	for i := range p.Parts {
		part := &p.Parts[i]
		sum += float64(part.Variance) / float64(part.Size) / float64(part.Size) * p.share(part, by)
	}
	return math.Sqrt(sum)
}
