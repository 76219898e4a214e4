package scope

// This file draws at random, repeatably: every resample, chain or scenario
// has a generator of its own, made from the seed, a purpose and a number, so
// that results do not depend on which core came first.

import (
	"math"
	"math/rand/v2"
)

// Purposes keep the streams of different uses apart.
const (
	forLinkage = iota + 1
	forLCMCR
	forThreshold
	forSimulation
)

// generator gives the stream number i for a purpose.
func generator(seed uint32, purpose, i int) *rand.Rand {
	return rand.New(rand.NewPCG(splitmix(uint64(seed)), splitmix(uint64(purpose)<<40^uint64(i))))
}

// splitmix spreads close numbers far apart (Steele, Lea & Flood 2014).
func splitmix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// binomial draws from Binomial(n, p): by inversion for small means, else by
// Hörmann's transformed rejection BTRS (1993, J. Stat. Comput. Simul. 46).
func binomial(rng *rand.Rand, n int64, p float64) int64 {
	switch {
	case p <= 0 || n <= 0:
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - binomial(rng, n, 1-p)
	case float64(n)*p < 10:
		return binomialInversion(rng, n, p)
	}
	return binomialRejection(rng, float64(n), p)
}

func binomialInversion(rng *rand.Rand, n int64, p float64) int64 {
	odds := p / (1 - p)
	for {
		mass := math.Exp(float64(n) * math.Log1p(-p))
		u := rng.Float64()
		for k := int64(0); k <= n; k++ {
			if u < mass {
				return k
			}
			u -= mass
			mass *= odds * float64(n-k) / float64(k+1)
			if mass == 0 {
				break
			}
		}
		// Rounding left u above the sum of all masses: draw again.
	}
}

func binomialRejection(rng *rand.Rand, n, p float64) int64 {
	q := 1 - p
	sd := math.Sqrt(n * p * q)
	b := 1.15 + 2.53*sd
	a := -0.0873 + 0.0248*b + 0.01*p
	c := n*p + 0.5
	squeeze := 0.92 - 4.2/b
	alpha := (2.83 + 5.1/b) * sd
	logOdds := math.Log(p / q)
	mode := math.Floor((n + 1) * p)
	top := lgamma(mode+1) + lgamma(n-mode+1)
	for {
		u, v := rng.Float64()-0.5, rng.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + c)
		if us >= 0.07 && v <= squeeze {
			return int64(k)
		}
		if k < 0 || k > n {
			continue
		}
		v = math.Log(v * alpha / (a/(us*us) + b))
		if v <= top-lgamma(k+1)-lgamma(n-k+1)+(k-mode)*logOdds {
			return int64(k)
		}
	}
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// gamma draws from Gamma(shape, rate 1) (Marsaglia & Tsang 2000), on the log
// scale so that tiny shapes do not underflow to zero.
func logGamma(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		u := 1 - rng.Float64()
		return logGamma(rng, shape+1) + math.Log(u)/shape
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := 1 - rng.Float64()
		if math.Log(u) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return math.Log(d * v)
		}
	}
}

// logBeta draws log X and log(1−X) for X from Beta(a, b).
func logBeta(rng *rand.Rand, a, b float64) (logX, logRest float64) {
	x, y := logGamma(rng, a), logGamma(rng, b)
	m := math.Max(x, y)
	sum := m + math.Log(math.Exp(x-m)+math.Exp(y-m))
	return x - sum, y - sum
}

// poisson draws from Poisson(mean).
func poisson(rng *rand.Rand, mean float64) int64 {
	if mean <= 0 {
		return 0
	}
	if mean < 10 {
		limit, k := math.Exp(-mean), int64(0)
		for prod := 1 - rng.Float64(); prod > limit; k++ {
			prod *= 1 - rng.Float64()
		}
		return k
	}
	return poissonRejection(rng, mean)
}

// poissonRejection is Hörmann's PTRS (1993), for mean 10 or more.
func poissonRejection(rng *rand.Rand, mean float64) int64 {
	logMean := math.Log(mean)
	b := 0.931 + 2.53*math.Sqrt(mean)
	a := -0.059 + 0.02483*b
	invAlpha := 1.1239 + 1.1328/(b-3.4)
	squeeze := 0.9277 - 3.6224/(b-2)
	for {
		u, v := rng.Float64()-0.5, rng.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + mean + 0.43)
		if us >= 0.07 && v <= squeeze {
			return int64(k)
		}
		if k < 0 || (us < 0.013 && v > us) {
			continue
		}
		if math.Log(v)+math.Log(invAlpha)-math.Log(a/(us*us)+b) <= -mean+k*logMean-lgamma(k+1) {
			return int64(k)
		}
	}
}
