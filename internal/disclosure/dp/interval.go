// Intervals: what a noisy count says of the true one. Counts are not negative,
// so near zero the plain interval x ± 1.96 σ would be empty or too long; the
// unified intervals of Feldman & Cousins (1998) cover 95 % there too and are
// never empty.

package dp

import (
	"math"
	"sync"
)

// level is the coverage of every interval.
const level = 0.95

// bounds holds the interval ends for observations on a grid, in units of σ.
type bounds struct{ lo, hi []float64 }

const (
	gridFrom = -6.0
	gridTo   = 8.0
	gridStep = 0.01
)

// unified is built once: for every true mean the observations accepted at the
// level, ordered by likelihood ratio, then turned around.
var unified = sync.OnceValue(func() bounds {
	n := int(math.Round((gridTo-gridFrom)/gridStep)) + 1
	b := bounds{make([]float64, n), make([]float64, n)}
	for i := range b.lo {
		b.lo[i] = math.Inf(1)
	}
	const muStep = 0.002
	for j := 0; j <= int(12/muStep); j++ {
		mu := float64(j) * muStep
		x1, x2 := acceptance(mu)
		from := max(int(math.Ceil((x1-gridFrom)/gridStep)), 0)
		to := min(int(math.Floor((x2-gridFrom)/gridStep)), n-1)
		for i := from; i <= to; i++ {
			b.lo[i] = min(b.lo[i], mu)
			b.hi[i] = max(b.hi[i], mu)
		}
	}
	for i := range b.lo { // far below zero only mu = 0 is accepted, if that
		if math.IsInf(b.lo[i], 1) {
			b.lo[i], b.hi[i] = 0, muStep
		}
	}
	return b
})

// acceptance finds the observations x that are accepted for a true mean mu >= 0.
// The likelihood ratio is exp(-(x-mu)²/2) for x >= 0 and exp(x·mu - mu²/2) below,
// so the region is an interval whose ends have equal ratio.
func acceptance(mu float64) (x1, x2 float64) {
	logRatio := func(x float64) float64 {
		if x >= 0 {
			return -(x - mu) * (x - mu) / 2
		}
		return x*mu - mu*mu/2
	}
	if mu == 0 { // the ratio is 1 everywhere below 0: a one-sided region
		return math.Inf(-1), 1.6448536269514722
	}
	lower := func(x2 float64) float64 { // the end below mu with the ratio of x2
		r := logRatio(x2)
		if r >= logRatio(0) {
			return mu - (x2 - mu)
		}
		return (r + mu*mu/2) / mu
	}
	lo, hi := mu, mu+6
	for range 80 {
		mid := (lo + hi) / 2
		if phi(mid-mu)-phi(lower(mid)-mu) < level {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lower(hi), hi
}

// Interval gives the 95 % interval of a true count that is not negative, when
// the unbiased estimate is x with standard deviation sigma.
func Interval(x, sigma float64) (lo, hi float64) {
	if sigma == 0 {
		return max(x, 0), max(x, 0)
	}
	z := x / sigma
	if z >= gridTo {
		const half = 1.959963984540054
		return x - half*sigma, x + half*sigma
	}
	b := unified()
	at := max((z-gridFrom)/gridStep, 0)
	i := min(int(at), len(b.lo)-2)
	f := min(at-float64(i), 1)
	return ((1-f)*b.lo[i] + f*b.lo[i+1]) * sigma, ((1-f)*b.hi[i] + f*b.hi[i+1]) * sigma
}
