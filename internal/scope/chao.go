package scope

// This file gives the reference values that Rcapture (Rivest & Baillargeon)
// prints: Chao's closed forms and the loglinear Mh and Mth Chao models with
// their multinomial profile interval. They are a lower bound only where people
// differ in how easily they are met and the lists are independent; referral
// between lists breaks that. They are shown as a reference, never as "at least".

import (
	"math"
	"math/bits"
)

// ChaoForms are the closed forms; f_k is the number of people on exactly k lists.
type ChaoForms struct {
	Frequencies   []int64
	Chao1987      float64 // n + f₁²/(2 f₂)
	BiasCorrected float64 // n + f₁(f₁−1)/(2(f₂+1))
	Adjusted      float64 // n + (t−1)/t · f₁²/(2 f₂)
	Defined       bool    // f₂ > 0; otherwise only the bias-corrected form is
}

// Chao gives the closed forms.
func Chao(t *Table) ChaoForms {
	f := t.Frequencies()
	n, k := float64(t.Observed()), float64(t.T())
	c := ChaoForms{Frequencies: f}
	if len(f) < 2 {
		return c
	}
	f1, f2 := float64(f[0]), float64(f[1])
	c.BiasCorrected = n + f1*(f1-1)/(2*(f2+1))
	if f2 > 0 {
		c.Defined = true
		c.Chao1987 = n + f1*f1/(2*f2)
		c.Adjusted = n + (k-1)/k*f1*f1/(2*f2)
	}
	return c
}

// Capture is a loglinear capture model as Rcapture reports it.
type Capture struct {
	Abundance float64 // n + exp(intercept), Poisson
	StdErr    float64
	Deviance  float64
	DF        int
	AIC, BIC  float64
	Kept      []int // the j whose η_j stayed, the others having been negative
	// The multinomial profile: its maximum and 95 % limits.
	Estimate, Low, High float64
}

// MthChao is log μ_ω = α + Σ β_i + Σ_j η_j max(|ω|−j+1, 0), j = 3 … t, with
// negative η_j taken out one at a time, the first first.
func MthChao(t *Table) (*Capture, error) { return captureModel(t, true) }

// MhChao is the same with one β for all lists.
func MhChao(t *Table) (*Capture, error) { return captureModel(t, false) }

func captureModel(t *Table, perList bool) (*Capture, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	y := make([]float64, len(t.Counts))
	for h, c := range t.Counts {
		y[h] = float64(c)
	}
	family := chaoFamily{t: t.T(), perList: perList, made: map[int]*glm{}}
	g, settled := family.fit(y[1:], 1)
	if !settled {
		return nil, refuse("the Chao model has no finite estimate for this pattern of overlaps")
	}
	c, err := g.report(t, y)
	if err != nil {
		return nil, err
	}
	return c, family.profile(c, y, float64(t.Observed()))
}

// chaoFamily is a Chao model with any set of its η_j; designs are made once.
type chaoFamily struct {
	t       int
	perList bool
	made    map[int]*glm // by bit mask of the j
}

// fit fits all η_j and takes negative ones out, the first first.
func (f chaoFamily) fit(y []float64, first int) (*glm, bool) {
	var kept []int
	for j := 3; j <= f.t; j++ {
		kept = append(kept, j)
	}
	for {
		key := 0
		for _, j := range kept {
			key |= 1 << j
		}
		g, ok := f.made[key]
		if !ok {
			g = newGLM(f.t, f.perList, kept)
			f.made[key] = g
		}
		settled := g.fit(y, first)
		negative := g.firstNegative(len(kept))
		if negative < 0 {
			return g, settled
		}
		kept = append(kept[:negative:negative], kept[negative+1:]...)
	}
}

// glm is a small dense Poisson regression: rows are histories 0 … 2^t − 1.
type glm struct {
	t, p   int
	kept   []int // the j of its η_j
	design []float64
	beta   []float64
	mu     []float64
	hess   []float64
	step   []float64
}

func newGLM(t int, perList bool, kept []int) *glm {
	lists := 1
	if perList {
		lists = t
	}
	g := &glm{t: t, p: 1 + lists + len(kept), kept: append([]int(nil), kept...)}
	for h := range 1 << t {
		g.design = append(g.design, 1)
		size := bits.OnesCount(uint(h))
		if perList {
			for i := range t {
				g.design = append(g.design, float64(h>>i&1))
			}
		} else {
			g.design = append(g.design, float64(size))
		}
		for _, j := range kept {
			g.design = append(g.design, float64(max(size-j+1, 0)))
		}
	}
	g.beta, g.step = make([]float64, g.p), make([]float64, g.p)
	g.hess = make([]float64, g.p*g.p)
	g.mu = make([]float64, 1<<t)
	return g
}

func (g *glm) row(h int) []float64 { return g.design[h*g.p : (h+1)*g.p] }

// fit fits y, the counts of the histories from first on, by scoring from
// y + 0.1 as R's glm does; false means that it did not settle.
func (g *glm) fit(y []float64, first int) bool {
	for i, v := range y {
		g.mu[first+i] = v + 0.1
	}
	for round := range 60 {
		clear(g.hess)
		clear(g.step)
		for i, v := range y {
			h := first + i
			row, mu := g.row(h), g.mu[h]
			residual := v - mu
			if round == 0 {
				residual += mu * math.Log(mu) // weighted least squares on the working response
			}
			for a, x := range row {
				if x == 0 {
					continue
				}
				g.step[a] += x * residual
				for b := 0; b <= a; b++ {
					g.hess[a*g.p+b] += x * row[b] * mu
				}
			}
		}
		gradient := append([]float64(nil), g.step...)
		if !cholesky(g.hess, g.p) {
			return false
		}
		cholSolve(g.hess, g.p, g.step)
		decrement := 0.0
		for a := range g.beta {
			g.beta[a] += g.step[a]
			decrement += g.step[a] * gradient[a]
		}
		for i := range y {
			eta := 0.0
			for a, x := range g.row(first + i) {
				eta += x * g.beta[a]
			}
			g.mu[first+i] = math.Exp(math.Min(eta, maxLinearPre))
		}
		if round > 0 && math.Abs(decrement) < 1e-12 {
			return true
		}
	}
	return false
}

func (g *glm) firstNegative(etas int) int {
	for k := range etas {
		if g.beta[g.p-etas+k] < 0 {
			return k
		}
	}
	return -1
}

func (g *glm) deviance(y []float64, first int) float64 {
	d := 0.0
	for i, v := range y {
		mu := g.mu[first+i]
		d += 2 * (mu - v)
		if v > 0 {
			d += 2 * v * math.Log(v/mu)
		}
	}
	return d
}

// report completes a settled fit to the observed histories.
func (g *glm) report(t *Table, y []float64) (*Capture, error) {
	n := float64(t.Observed())
	variance := make([]float64, g.p)
	variance[0] = 1
	cholSolve(g.hess, g.p, variance) // the factor of the last round
	dark := math.Exp(g.beta[0])
	c := &Capture{Abundance: n + dark, StdErr: math.Sqrt(dark + dark*dark*variance[0]), Kept: g.kept,
		Deviance: g.deviance(y[1:], 1), DF: len(y) - 1 - g.p}
	ll := 0.0
	for i, v := range y[1:] {
		ll += -g.mu[1+i] - lgamma(v+1)
		if v > 0 {
			ll += v * math.Log(g.mu[1+i])
		}
	}
	c.AIC = 2*float64(g.p) - 2*ll
	c.BIC = float64(g.p)*math.Log(n) - 2*ll
	if !(dark < limitDark) || math.IsNaN(c.StdErr) {
		return nil, refuse("the Chao model does not bound the estimate")
	}
	return c, nil
}

// profile finds the maximum and the 95 % limits of the multinomial profile
// likelihood of N: l(N) = −½ deviance + (n0 − N − ½ log(n0/N)), n0 = N − n,
// the deviance being that of the model with n0 people in the empty history
// (Cormack 1992; Rivest & Baillargeon 2007). Negative η_j are taken out anew
// for each N.
func (f chaoFamily) profile(c *Capture, y []float64, n float64) error {
	full := append([]float64(nil), y...)
	l := func(dark float64) float64 {
		full[0] = dark
		g, settled := f.fit(full, 0)
		if !settled {
			return math.Inf(-1)
		}
		return -0.5*g.deviance(full, 0) + dark - (n + dark) - 0.5*math.Log(dark/(n+dark))
	}
	start := math.Max(c.Abundance-n, 1)
	best := maximum(l, start/20, start*3)
	top := l(best)
	drop := func(dark float64) float64 { return 2*(top-l(dark)) - 3.841458820694124 }
	low, high := best, best
	for step := 0; drop(low) < 0; step++ {
		if low /= 1.3; low < 0.5 || step > 200 {
			low = 0
			break
		}
	}
	for step := 0; drop(high) < 0; step++ {
		if high *= 1.3; high > limitDark || step > 200 {
			return refuse("the Chao model has no upper limit for these data")
		}
	}
	c.Estimate, c.Low, c.High = n+best, n, n+root(drop, best, high)
	if low > 0 {
		c.Low = n + root(drop, best, low)
	}
	return nil
}

// maximum finds the top of a function with one peak by golden section.
func maximum(f func(float64) float64, low, high float64) float64 {
	const ratio = 0.6180339887498949
	a, b := high-ratio*(high-low), low+ratio*(high-low)
	fa, fb := f(a), f(b)
	for range 200 {
		if high-low < 1e-7*(math.Abs(high)+1) {
			break
		}
		if fa < fb {
			low, a, fa = a, b, fb
			b = low + ratio*(high-low)
			fb = f(b)
		} else {
			high, b, fb = b, a, fa
			a = high - ratio*(high-low)
			fa = f(a)
		}
	}
	return (low + high) / 2
}

// root bisects between inside (f < 0) and outside (f ≥ 0).
func root(f func(float64) float64, inside, outside float64) float64 {
	for range 200 {
		if math.Abs(outside-inside) < 1e-10*(math.Abs(outside)+1) {
			break
		}
		middle := (inside + outside) / 2
		if f(middle) < 0 {
			inside = middle
		} else {
			outside = middle
		}
	}
	return (inside + outside) / 2
}
