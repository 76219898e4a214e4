// Accounting: from zCDP's ρ to (ε, δ) and back.

package dp

import (
	"errors"
	"fmt"
	"math"
)

// CheckBudget refuses ε and δ that promise nothing or cannot be met.
func CheckBudget(epsilon, delta float64) error {
	switch {
	case !(epsilon > 0) || math.IsInf(epsilon, 0):
		return fmt.Errorf("epsilon must be a positive number, not %g", epsilon)
	case epsilon > 20:
		return fmt.Errorf("epsilon %g protects nobody; 0.5 to 8 is usual", epsilon)
	case !(delta > 0) || delta >= 0.01:
		return fmt.Errorf("delta must be positive and far below 1 over the number of persons, not %g", delta)
	}
	return nil
}

// ErrNoRho says that no noise meets the request.
var ErrNoRho = errors.New("no amount of noise meets this epsilon and delta")

// Delta is the smallest δ for which ρ-zCDP is known to imply (ε, δ)-DP:
// the infimum over α > 1 of exp((α-1)(αρ-ε))/(α-1)·(1-1/α)^α (Canonne, Kamath &
// Steinke 2020, Proposition 12 and Corollary 13).
func Delta(rho, epsilon float64) float64 {
	if rho <= 0 {
		return 0
	}
	log := func(a float64) float64 { // a = α - 1
		al := 1 + a
		return a*(al*rho-epsilon) - math.Log(a) + al*math.Log1p(-1/al)
	}
	// One minimum: golden section in log a.
	lo, hi := math.Log(1e-6), math.Log(1e9)
	const g = 0.6180339887498949
	x1, x2 := hi-g*(hi-lo), lo+g*(hi-lo)
	f1, f2 := log(math.Exp(x1)), log(math.Exp(x2))
	for hi-lo > 1e-10 {
		if f1 < f2 {
			hi, x2, f2 = x2, x1, f1
			x1 = hi - g*(hi-lo)
			f1 = log(math.Exp(x1))
		} else {
			lo, x1, f1 = x1, x2, f2
			x2 = lo + g*(hi-lo)
			f2 = log(math.Exp(x2))
		}
	}
	return math.Min(1, math.Exp(min(f1, f2)))
}

// Rho is the largest ρ (rounded down) for which ρ-zCDP implies (ε, δ)-DP.
func Rho(epsilon, delta float64) (float64, error) {
	if err := CheckBudget(epsilon, delta); err != nil {
		return 0, err
	}
	lo, hi := 0.0, epsilon+1
	for range 200 {
		mid := (lo + hi) / 2
		if Delta(mid, epsilon) <= delta {
			lo = mid
		} else {
			hi = mid
		}
	}
	if lo <= 0 {
		return 0, ErrNoRho
	}
	return lo * (1 - 1e-9), nil
}

// Epsilon is the smallest ε (rounded up) that ρ-zCDP implies at δ.
func Epsilon(rho, delta float64) float64 {
	if rho <= 0 {
		return 0
	}
	lo, hi := 0.0, 1.0
	for Delta(rho, hi) > delta {
		hi *= 2
	}
	for range 200 {
		mid := (lo + hi) / 2
		if Delta(rho, mid) <= delta {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// GaussianDelta is the exact δ at ε of continuous Gaussian noise with sensitivity
// over standard deviation mu (Balle & Wang 2018, Theorem 8): what no accounting of
// a Gaussian mechanism can go below. It serves to say how much is lost by zCDP.
func GaussianDelta(mu, epsilon float64) float64 {
	return phi(mu/2-epsilon/mu) - math.Exp(epsilon)*phi(-mu/2-epsilon/mu)
}

// GaussianMu is the largest mu that is (ε, δ)-DP for continuous Gaussian noise.
func GaussianMu(epsilon, delta float64) float64 {
	lo, hi := 0.0, 100.0
	for range 200 {
		mid := (lo + hi) / 2
		if GaussianDelta(mid, epsilon) <= delta {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

func phi(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
