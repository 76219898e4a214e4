package scope

// This file is the Bayesian thresholding of Silverman (2020, JRSS A 183,
// section 6): all two-list terms with a N(0,1) prior and flat main effects,
// terms whose posterior mean is less than two standard deviations from zero
// dropped, and the rest fitted again. It is an opt-in fourth opinion.

import (
	"context"
	"math"
)

const (
	thresholdChains = 8
	thresholdSweeps = 20000 // per chain, after a tenth of that to warm up
	keepRatio       = 2     // |mean| over standard deviation
)

func (r *run) thresholding(e *Entry) error {
	first, err := thresholdChainsOf(r.ctx, r.t, allPairs(r.t.T()), r.o, 0)
	if err != nil {
		return err
	}
	kept := Model{T: r.t.T()}
	d := &ChainDetail{}
	for i, pair := range pairs(r.t.T()) {
		ratio := first.ratio(1 + r.t.T() + i)
		d.Ratios = append(d.Ratios, FrequencyIn{r.t.Name(pair), ratio})
		if math.Abs(ratio) >= keepRatio {
			kept.Terms = append(kept.Terms, pair)
		}
	}
	second, err := thresholdChainsOf(r.ctx, r.t, kept, r.o, 1)
	if err != nil {
		return err
	}
	ratios := d.Ratios
	d = chainDetail(second.totals, thresholdSweeps)
	d.Ratios, d.Retained = ratios, kept.Names(r.t)
	d.Note = "share in mean_over_sd is the posterior mean over its standard deviation; pairs below 2 are dropped"
	e.Detail, e.Model, e.Selected = d, kept.String(), kept.Names(r.t)
	if !(d.Rhat < maxRhat) {
		return refuse("the chains do not agree (R-hat %.2f, gate %.2f); no number", d.Rhat, maxRhat)
	}
	e.Admissible = true
	e.limits(d.Pooled[1], d.Pooled[0], d.Pooled[2], "posterior, equal tails, given the pairs that were kept")
	return nil
}

// posterior is what the chains of one model found.
type posterior struct {
	totals       [][]float64 // n + exp(intercept), per chain
	mean, square []float64   // of each parameter, over all chains
	count        float64
}

func (p *posterior) ratio(i int) float64 {
	mean := p.mean[i] / p.count
	variance := p.square[i]/p.count - mean*mean
	if !(variance > 0) {
		return 0
	}
	return mean / math.Sqrt(variance)
}

func thresholdChainsOf(ctx context.Context, t *Table, m Model, o Options, stage int) (*posterior, error) {
	p := m.Size()
	chains := make([]*metropolis, thresholdChains)
	failed := make([]error, thresholdChains)
	err := o.team().each(ctx, "thresholding chains", thresholdChains, func(_, i int) {
		c, err := newMetropolis(t, m)
		if err != nil {
			failed[i] = err
			return
		}
		c.run(ctx, generator(o.Seed, forThreshold, stage*thresholdChains+i))
		chains[i] = c
	})
	if err != nil {
		return nil, err
	}
	out := &posterior{mean: make([]float64, p), square: make([]float64, p)}
	for i, c := range chains {
		if failed[i] != nil {
			return nil, failed[i]
		}
		out.totals = append(out.totals, c.totals)
		for k := range p {
			out.mean[k] += c.mean[k]
			out.square[k] += c.square[k]
		}
		out.count += c.count
	}
	return out, nil
}

// metropolis walks over the parameters of one model, with steps shaped by the
// information at the posterior mode.
type metropolis struct {
	*session
	at           []float64
	totals       []float64
	mean, square []float64
	count        float64
}

func newMetropolis(t *Table, m Model) (*metropolis, error) {
	c := &metropolis{session: newSession(t.T())}
	c.take(t.Counts)
	c.finite = append(c.finite[:0], m.all()...)
	c.resize(len(c.finite))
	clear(c.dead)
	c.dead[0] = true
	for i, term := range c.finite {
		c.target[i] = c.star[term]
	}
	if !c.firstGuess(c.y) {
		return nil, refuse("the thresholding model has no starting point")
	}
	return c, c.mode()
}

// prior is the precision of parameter i: 1 for interactions, 0 for the rest.
func (c *metropolis) prior(i int) float64 {
	if i > c.t {
		return 1
	}
	return 0
}

func (c *metropolis) logPosterior(params []float64) float64 {
	ll, ok := c.expected(params)
	if !ok {
		return math.Inf(-1)
	}
	for i, v := range params {
		ll -= 0.5 * c.prior(i) * v * v
	}
	return ll
}

// mode climbs to the posterior mode and leaves the factor of the information
// there in hess.
func (c *metropolis) mode() error {
	p := len(c.params)
	now := c.logPosterior(c.params)
	if math.IsInf(now, -1) {
		for i := range c.params {
			c.params[i] = 0
		}
		c.params[0] = math.Log(c.n / float64(len(c.y)))
		now = c.logPosterior(c.params)
	}
	for range 200 {
		c.logPosterior(c.params)
		c.fillHess()
		gain := 0.0
		for i, term := range c.finite {
			c.hess[i*p+i] += c.prior(i)
			c.grad[i] = c.target[i] - c.mstar[term] - c.prior(i)*c.params[i]
		}
		if !cholesky(c.hess, p) {
			return refuse("the posterior of the thresholding model is not bounded")
		}
		copy(c.step, c.grad)
		cholSolve(c.hess, p, c.step)
		for i := range c.step {
			gain += c.step[i] * c.grad[i]
		}
		if gain < 1e-10 {
			return nil
		}
		scale, moved := 1.0, false
		for range maxHalvings {
			for i := range c.trial {
				c.trial[i] = c.params[i] + scale*c.step[i]
			}
			if next := c.logPosterior(c.trial); next >= now {
				c.params, c.trial = c.trial, c.params
				now, moved = next, true
				break
			}
			scale /= 2
		}
		if !moved {
			return nil
		}
	}
	return refuse("the thresholding model did not settle")
}

func (c *metropolis) run(ctx context.Context, rng interface {
	NormFloat64() float64
	Float64() float64
}) {
	p := len(c.params)
	c.mean, c.square = make([]float64, p), make([]float64, p)
	factor := append([]float64(nil), c.hess...)
	c.at = append([]float64(nil), c.params...)
	now := c.logPosterior(c.at)
	size := 2.38 / math.Sqrt(float64(p))
	for sweep := -thresholdSweeps / 10; sweep < thresholdSweeps; sweep++ {
		if sweep%1024 == 0 && ctx.Err() != nil {
			return
		}
		for i := range c.step {
			c.step[i] = size * rng.NormFloat64()
		}
		backSolve(factor, p, c.step) // covariance is the inverse information
		for i := range c.trial {
			c.trial[i] = c.at[i] + c.step[i]
		}
		if next := c.logPosterior(c.trial); math.Log(1-rng.Float64()) < next-now {
			c.at, c.trial = c.trial, c.at
			now = next
		}
		if sweep < 0 {
			continue
		}
		for i, v := range c.at {
			c.mean[i] += v
			c.square[i] += v * v
		}
		c.count++
		if sweep%recordEvery == 0 {
			c.totals = append(c.totals, c.n+math.Exp(math.Min(c.at[0], 60)))
		}
	}
}

// backSolve solves Lᵀ x = b in place.
func backSolve(l []float64, p int, b []float64) {
	for i := p - 1; i >= 0; i-- {
		sum := b[i]
		for k := i + 1; k < p; k++ {
			sum -= l[k*p+i] * b[k]
		}
		b[i] = sum / l[i*p+i]
	}
}
