package scope

// This file is the latent class model of Manrique-Vallier (2016, Biometrics
// 72): people fall into unknown classes within which lists are independent. It
// is opt-in. Its posterior has several modes between which a chain hardly
// moves, so it promises many chains and no single number unless they agree.

import (
	"context"
	"math"
	"math/rand/v2"
	"sort"
)

const (
	latentClasses = 5
	darkCap       = 20 // the R package never draws more than 20 n not seen; neither do we
	maxRhat       = 1.05
	recordEvery   = 10
)

// ChainDetail stands behind an answer by Markov chains.
type ChainDetail struct {
	Chains       int           `json:"chains"`
	Sweeps       int           `json:"sweeps_per_chain"`
	Rhat         float64       `json:"rhat"`
	MaxRhat      float64       `json:"rhat_gate"`
	ChainMedians []float64     `json:"chain_medians"`
	Pooled       [3]float64    `json:"pooled_low_median_high"`
	Groups       []ChainGroup  `json:"groups"`
	Retained     []string      `json:"retained_pairs,omitempty"`
	Ratios       []FrequencyIn `json:"mean_over_sd,omitempty"`
	Note         string        `json:"note"`
}

// ChainGroup are chains whose medians lie close together: one mode each.
type ChainGroup struct {
	Chains int     `json:"chains"`
	Median float64 `json:"median"`
}

func (r *run) lcmcr(e *Entry) error {
	e.Model, e.Interval = sprintf("%d latent classes", latentClasses), "posterior, equal tails, all chains"
	draws, err := latentChains(r.ctx, r.t, r.o)
	if err != nil {
		return err
	}
	d := chainDetail(draws, r.o.Sweeps)
	d.Note = "the number not seen is cut off at 20 times the number seen, as in the R package"
	e.Detail = d
	if !(d.Rhat < maxRhat) {
		return refuse("the chains do not agree (R-hat %.2f, gate %.2f); they settle at %s; no single number", d.Rhat, maxRhat, d.groupsInWords())
	}
	e.Admissible = true
	e.limits(d.Pooled[1], d.Pooled[0], d.Pooled[2], e.Interval)
	return nil
}

func (d *ChainDetail) groupsInWords() string {
	words := ""
	for i, g := range d.Groups {
		if i > 0 {
			words += ", "
		}
		words += sprintf("%.0f (%d chains)", g.Median, g.Chains)
	}
	return words
}

func latentChains(ctx context.Context, t *Table, o Options) ([][]float64, error) {
	draws := make([][]float64, o.Chains)
	err := o.team().each(ctx, "latent class chains", o.Chains, func(_, i int) {
		c := newLatent(t, generator(o.Seed, forLCMCR, i))
		for sweep := range 2 * o.Sweeps {
			if sweep%256 == 0 && ctx.Err() != nil {
				return
			}
			c.sweep()
			if sweep >= o.Sweeps && sweep%recordEvery == 0 {
				draws[i] = append(draws[i], float64(c.n+c.dark))
			}
		}
	})
	return draws, err
}

// latent is one chain's state.
type latent struct {
	rng      *rand.Rand
	t        int
	n, dark  int64
	cells    []int // observed histories, then the empty one
	counts   []int64
	logOn    [latentClasses][MaxLists]float64 // log λ_jk
	logOff   [latentClasses][MaxLists]float64
	logShare [latentClasses]float64 // log π_k
	on       [latentClasses][MaxLists]int64
	size     [latentClasses]int64
	a        float64
}

func newLatent(t *Table, rng *rand.Rand) *latent {
	c := &latent{rng: rng, t: t.T(), n: t.Observed(), a: 0.25}
	_, cells, _ := t.weights()
	for _, h := range cells {
		c.cells, c.counts = append(c.cells, h), append(c.counts, t.Counts[h])
	}
	c.cells, c.counts = append(c.cells, 0), append(c.counts, 0)
	c.dark = c.n
	for k := range latentClasses {
		c.logShare[k] = -math.Log(latentClasses)
		for j := range c.t {
			u := 0.001 + 0.998*rng.Float64()
			c.logOn[k][j], c.logOff[k][j] = math.Log(u), math.Log1p(-u)
		}
	}
	return c
}

// sweep draws classes, capture probabilities, class shares, the number not
// seen and the concentration, each given the others.
func (c *latent) sweep() {
	c.allocate()
	for k := range latentClasses {
		for j := range c.t {
			on := float64(c.on[k][j])
			c.logOn[k][j], c.logOff[k][j] = logBeta(c.rng, 1+on, 1+float64(c.size[k])-on)
		}
	}
	c.breakSticks()
	c.drawDark()
	rate := 0.25 - c.logShare[latentClasses-1]
	c.a = math.Exp(logGamma(c.rng, 0.25+latentClasses-1)) / rate
	if !(c.a > 1e-9) {
		c.a = 1e-9
	}
}

func (c *latent) allocate() {
	c.size = [latentClasses]int64{}
	c.on = [latentClasses][MaxLists]int64{}
	c.counts[len(c.counts)-1] = c.dark
	var logs, weights [latentClasses]float64
	for i, h := range c.cells {
		for k := range latentClasses {
			logs[k] = c.logShare[k]
			for j := range c.t {
				if h>>j&1 == 1 {
					logs[k] += c.logOn[k][j]
				} else {
					logs[k] += c.logOff[k][j]
				}
			}
		}
		top := math.Inf(-1)
		for _, v := range logs {
			top = math.Max(top, v)
		}
		total := 0.0
		for k, v := range logs {
			weights[k] = math.Exp(v - top)
			total += weights[k]
		}
		left := c.counts[i]
		for k := range latentClasses {
			take := left
			if k < latentClasses-1 && total > weights[k] {
				take = binomial(c.rng, left, weights[k]/total)
			}
			total -= weights[k]
			left -= take
			c.size[k] += take
			for j := range c.t {
				if h>>j&1 == 1 {
					c.on[k][j] += take
				}
			}
		}
	}
}

func (c *latent) breakSticks() {
	var after int64
	for _, n := range c.size {
		after += n
	}
	rest := 0.0 // log of what is left of the stick
	for k := range latentClasses {
		after -= c.size[k]
		if k == latentClasses-1 {
			c.logShare[k] = rest
			return
		}
		logV, logRest := logBeta(c.rng, 1+float64(c.size[k]), c.a+float64(after))
		c.logShare[k] = rest + logV
		rest += logRest
	}
}

// drawDark draws n0 from the negative binomial with n successes of chance
// 1 − p0, not above the cap.
func (c *latent) drawDark() {
	p0 := 0.0
	for k := range latentClasses {
		l := c.logShare[k]
		for j := range c.t {
			l += c.logOff[k][j]
		}
		p0 += math.Exp(l)
	}
	p0 = math.Min(p0, 1-1e-12)
	limit := darkCap * c.n
	for range 1000 {
		mean := math.Exp(logGamma(c.rng, float64(c.n)) + math.Log(p0) - math.Log1p(-p0))
		if mean > 2*float64(limit) {
			continue
		}
		if c.dark = poisson(c.rng, mean); c.dark <= limit {
			return
		}
	}
	c.dark = limit
}

// chainDetail sums chains up.
func chainDetail(draws [][]float64, sweeps int) *ChainDetail {
	d := &ChainDetail{Chains: len(draws), Sweeps: sweeps, MaxRhat: maxRhat, Rhat: rhat(draws)}
	var all []float64
	for _, chain := range draws {
		all = append(all, chain...)
		d.ChainMedians = append(d.ChainMedians, median(append([]float64(nil), chain...)))
	}
	sort.Float64s(all)
	d.Pooled = [3]float64{quantile8(all, 0.025), quantile8(all, 0.5), quantile8(all, 0.975)}
	sorted := append([]float64(nil), d.ChainMedians...)
	sort.Float64s(sorted)
	for i := 0; i < len(sorted); {
		j := i + 1
		for j < len(sorted) && sorted[j] < 1.15*sorted[j-1] {
			j++
		}
		d.Groups = append(d.Groups, ChainGroup{j - i, quantile8(sorted[i:j], 0.5)})
		i = j
	}
	return d
}

// rhat is the split R-hat of the logs (Gelman et al., Bayesian Data Analysis,
// 3rd edition, section 11.4). Chains that never move give a large number.
func rhat(draws [][]float64) float64 {
	var means, variances []float64
	for _, chain := range draws {
		half := len(chain) / 2
		for _, part := range [][]float64{chain[:half], chain[half : 2*half]} {
			mean, square := 0.0, 0.0
			for _, v := range part {
				mean += math.Log(v)
			}
			mean /= float64(half)
			for _, v := range part {
				square += (math.Log(v) - mean) * (math.Log(v) - mean)
			}
			means, variances = append(means, mean), append(variances, square/float64(half-1))
		}
	}
	n, m := float64(len(draws[0])/2), float64(len(means))
	grand, within, between := 0.0, 0.0, 0.0
	for i := range means {
		grand += means[i] / m
		within += variances[i] / m
	}
	for _, v := range means {
		between += n / (m - 1) * (v - grand) * (v - grand)
	}
	const never = 999
	if !(within > 0) {
		return never
	}
	r := math.Sqrt(((n-1)/n*within + between/n) / within)
	return math.Min(r, never)
}
