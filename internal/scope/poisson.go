package scope

// This file fits a hierarchical Poisson log-linear model by Newton's method.
// It promises the extended maximum likelihood estimate to far below 1e-6
// where that exists, and false where Newton does not settle; it never loops
// without end.
//
// All sums over histories are superset sums (fast zeta transforms): the
// gradient for a term θ is N*_θ − μ*_θ and the information between θ and θ'
// is μ*_{θ∪θ'}, so no design matrix is ever built.

import "math"

// fitter holds the buffers of one goroutine.
type fitter struct {
	t      int
	star   []float64 // N*_θ of the data at hand
	eta    []float64
	mu     []float64 // μ_ω, zero at dead histories
	mstar  []float64 // μ*_θ
	dead   []bool
	finite []int
	alpha  []float64 // by bit mask; zero for terms not in the model
	params []float64
	trial  []float64
	grad   []float64
	step   []float64
	hess   []float64
	target []float64
}

func newFitter(t int) *fitter {
	n := 1 << t
	return &fitter{t: t, star: make([]float64, n), eta: make([]float64, n), mu: make([]float64, n),
		mstar: make([]float64, n), dead: make([]bool, n), alpha: make([]float64, n)}
}

// fitState is what a fit leaves behind in its fitter.
type fitState struct {
	dark     float64 // exp of the intercept: the expected count of the empty history
	logDark  float64
	varLog   float64 // variance of the intercept
	kernel   float64 // Σ y log μ − μ over the histories that are left
	settled  bool
	rounds   int
	infinite int // parameters at minus infinity
}

// load takes the counts of the data to fit and computes N*.
func (f *fitter) load(y []float64) {
	copy(f.star, y)
	f.star[0] = 0
	supersetSum(f.star)
}

const (
	maxRounds    = 60
	maxHalvings  = 40
	smallEnough  = 1e-10 // Newton decrement: twice the gain in log likelihood left
	maxLinearPre = 700   // beyond this exp overflows
)

// fit fits m to the loaded counts. y are the same counts (for the first
// guess); warm says that alpha holds a good start already.
func (f *fitter) fit(m Model, y []float64, warm bool) fitState {
	f.finite = split(m, f.star, f.dead, f.finite)
	p := len(f.finite)
	f.resize(p)
	for i, term := range f.finite {
		f.target[i] = f.star[term]
	}
	if warm {
		for i, term := range f.finite {
			f.params[i] = f.alpha[term]
		}
	} else if !f.firstGuess(y) {
		return fitState{}
	}
	s := f.newton()
	s.infinite = m.Size() - p
	for i := range f.alpha {
		f.alpha[i] = 0
	}
	for i, term := range f.finite {
		f.alpha[term] = f.params[i]
	}
	return s
}

func (f *fitter) resize(p int) {
	if cap(f.params) < p {
		f.params, f.trial = make([]float64, p), make([]float64, p)
		f.grad, f.step = make([]float64, p), make([]float64, p)
		f.target, f.hess = make([]float64, p), make([]float64, p*p)
	}
	f.params, f.trial, f.grad, f.step = f.params[:p], f.trial[:p], f.grad[:p], f.step[:p]
	f.target, f.hess = f.target[:p], f.hess[:p*p]
}

// firstGuess is one weighted least squares step from μ = y + 0.1.
func (f *fitter) firstGuess(y []float64) bool {
	for h := range f.mu {
		f.mu[h], f.eta[h] = 0, 0
		if !f.dead[h] {
			f.mu[h] = y[h] + 0.1
			f.eta[h] = f.mu[h]*math.Log(f.mu[h]) + y[h] - f.mu[h]
		}
	}
	copy(f.mstar, f.mu)
	supersetSum(f.mstar)
	supersetSum(f.eta)
	for i, term := range f.finite {
		f.params[i] = f.eta[term]
	}
	f.fillHess()
	if !cholesky(f.hess, len(f.params)) {
		return false
	}
	cholSolve(f.hess, len(f.params), f.params)
	return true
}

func (f *fitter) fillHess() {
	p := len(f.finite)
	for i, a := range f.finite {
		for j, b := range f.finite[:i+1] {
			f.hess[i*p+j] = f.mstar[a|b]
		}
	}
}

// expected computes μ and μ* at params and gives the kernel of the log
// likelihood, or false if it is beyond the numbers.
func (f *fitter) expected(params []float64) (float64, bool) {
	for i := range f.eta {
		f.eta[i] = 0
	}
	for i, term := range f.finite {
		f.eta[term] = params[i]
	}
	subsetSum(f.eta)
	for h, e := range f.eta {
		f.mu[h] = 0
		if f.dead[h] {
			continue
		}
		if e > maxLinearPre {
			return 0, false
		}
		f.mu[h] = math.Exp(e)
	}
	copy(f.mstar, f.mu)
	supersetSum(f.mstar)
	ll := -f.mstar[0]
	for i, target := range f.target {
		ll += params[i] * target
	}
	return ll, !math.IsNaN(ll) && !math.IsInf(ll, 0)
}

func (f *fitter) newton() fitState {
	var s fitState
	p := len(f.params)
	ll, ok := f.expected(f.params)
	if !ok {
		return s
	}
	for s.rounds = 1; s.rounds <= maxRounds; s.rounds++ {
		f.fillHess()
		if !cholesky(f.hess, p) {
			return s
		}
		for i, term := range f.finite {
			f.grad[i] = f.target[i] - f.mstar[term]
		}
		copy(f.step, f.grad)
		cholSolve(f.hess, p, f.step)
		decrement := 0.0
		for i := range f.step {
			decrement += f.step[i] * f.grad[i]
		}
		next, moved := f.advance(ll, decrement)
		if !moved {
			s.settled = decrement < 1e-6
			break
		}
		ll = next
		if decrement < smallEnough {
			s.settled = true
			break
		}
	}
	s.kernel = ll
	s.logDark = f.params[0]
	s.dark = math.Exp(s.logDark)
	if math.IsInf(s.dark, 0) || math.IsNaN(s.dark) {
		s.settled = false
	}
	if s.settled {
		s.varLog = f.interceptVariance()
	}
	return s
}

// advance moves params along step, halving until the likelihood does not fall.
func (f *fitter) advance(ll, decrement float64) (float64, bool) {
	slack := 1e-12 * (1 + math.Abs(ll))
	scale := 1.0
	for range maxHalvings {
		for i := range f.trial {
			f.trial[i] = f.params[i] + scale*f.step[i]
		}
		next, ok := f.expected(f.trial)
		if ok && next >= ll-slack {
			f.params, f.trial = f.trial, f.params
			return next, true
		}
		scale /= 2
	}
	return ll, false
}

// interceptVariance is the first diagonal element of the inverse information
// at the last params.
func (f *fitter) interceptVariance() float64 {
	p := len(f.params)
	f.fillHess()
	if !cholesky(f.hess, p) {
		return math.Inf(1)
	}
	for i := range f.step {
		f.step[i] = 0
	}
	f.step[0] = 1
	cholSolve(f.hess, p, f.step)
	return f.step[0]
}

// supersetSum replaces x[θ] by Σ_{ω⊇θ} x[ω].
func supersetSum(x []float64) {
	for bit := 1; bit < len(x); bit <<= 1 {
		for base := 0; base < len(x); base += bit << 1 {
			low, high := x[base:base+bit], x[base+bit:base+bit<<1]
			for i, v := range high {
				low[i] += v
			}
		}
	}
}

// subsetSum replaces x[ω] by Σ_{θ⊆ω} x[θ].
func subsetSum(x []float64) {
	for bit := 1; bit < len(x); bit <<= 1 {
		for base := 0; base < len(x); base += bit << 1 {
			low, high := x[base:base+bit], x[base+bit:base+bit<<1]
			for i, v := range low {
				high[i] += v
			}
		}
	}
}

// cholesky factors the lower triangle of the p×p matrix a in place and says
// whether it was (numerically) positive definite.
func cholesky(a []float64, p int) bool {
	for i := 0; i < p; i++ {
		row := a[i*p : i*p+i+1]
		for j := 0; j <= i; j++ {
			other := a[j*p : j*p+j+1]
			sum := row[j]
			for k, v := range other[:j] {
				sum -= row[k] * v
			}
			if j < i {
				row[j] = sum / other[j]
				continue
			}
			if !(sum > 1e-13*math.Abs(row[i])) || math.IsInf(sum, 0) {
				return false
			}
			row[i] = math.Sqrt(sum)
		}
	}
	return true
}

// cholSolve solves L Lᵀ x = b in place.
func cholSolve(l []float64, p int, b []float64) {
	for i := 0; i < p; i++ {
		sum := b[i]
		row := l[i*p : i*p+i+1]
		for k, v := range b[:i] {
			sum -= row[k] * v
		}
		b[i] = sum / row[i]
	}
	for i := p - 1; i >= 0; i-- {
		sum := b[i]
		for k := i + 1; k < p; k++ {
			sum -= l[k*p+i] * b[k]
		}
		b[i] = sum / l[i*p+i]
	}
}
