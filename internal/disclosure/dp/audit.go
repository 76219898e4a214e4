// Auditing by simulation: run a mechanism many times on two neighbouring data
// sets and see how well an attacker tells them apart. The result is a lower bound
// on the true ε that holds with 99.9 % confidence: when it exceeds the stated ε,
// the mechanism or its accounting is wrong.

package dp

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mathext"
)

// Trial runs the mechanism once, on the data set or on its neighbour, and gives
// the attacker's statistic of the output: large when it looks like the neighbour.
type Trial func(neighbour bool, noise *Noise) float64

// Audit runs a trial runs times on each of two neighbours and returns a lower
// bound on ε at δ. The attacker's threshold is chosen on the first half of the
// runs and judged on the second. Noise is secure, or seeded for repeatable tests.
func Audit(runs int, delta float64, trial Trial, source func(worker uint64) *Noise) float64 {
	half := runs / 2
	var with, without [2][]float64
	for part := range 2 {
		without[part] = sample(half, false, trial, source, uint64(part))
		with[part] = sample(half, true, trial, source, uint64(2+part))
	}
	best := 0.0
	for _, side := range []float64{1, -1} { // large statistics, or small ones
		t, ok := threshold(without[0], with[0], side, delta)
		if !ok {
			continue
		}
		p0 := atLeast(without[1], t, side)
		p1 := atLeast(with[1], t, side)
		// Both directions of the definition, each end at half of 0.1 %.
		for _, e := range []float64{bound(p1, p0, half, delta), bound(half-p0, half-p1, half, delta)} {
			best = math.Max(best, e)
		}
	}
	return best
}

func sample(n int, neighbour bool, trial Trial, source func(uint64) *Noise, stream uint64) []float64 {
	out := make([]float64, n)
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			noise := source(stream*1000 + uint64(w))
			for i := w; i < n; i += workers {
				out[i] = trial(neighbour, noise)
			}
		})
	}
	wg.Wait()
	return out
}

// threshold finds where the two samples differ most in ratio.
func threshold(without, with []float64, side, delta float64) (t float64, ok bool) {
	a := slices.Sorted(slices.Values(with))
	best := 0.0
	for q := 1; q < 200; q++ {
		cut := a[len(a)*q/200]
		p0, p1 := atLeast(without, cut, side), atLeast(with, cut, side)
		for _, e := range []float64{bound(p1, p0, len(with), delta), bound(len(with)-p0, len(with)-p1, len(with), delta)} {
			if e > best {
				best, t, ok = e, cut, true
			}
		}
	}
	return t, ok
}

// atLeast counts the statistics on the far side of t.
func atLeast(xs []float64, t, side float64) int {
	n := 0
	for _, x := range xs {
		if side*x >= side*t {
			n++
		}
	}
	return n
}

// bound is the ε that k1 and k0 successes of n prove: ln((p1 - δ)/p0) with p1 at
// its lower and p0 at its upper Clopper-Pearson end.
func bound(k1, k0, n int, delta float64) float64 {
	const tail = 0.0005
	if k1 == 0 {
		return 0
	}
	lo := mathext.InvRegIncBeta(float64(k1), float64(n-k1+1), tail)
	hi := 1.0
	if k0 < n {
		hi = mathext.InvRegIncBeta(float64(k0+1), float64(n-k0), 1-tail)
	}
	if lo <= delta {
		return 0
	}
	return math.Log((lo - delta) / hi)
}
