package scope

// This file draws the same resamples as R does for the same seed, so that a
// statistician can repeat a bootstrap of ours with SparseMSE's iseed, person
// by person, and so that our limits can be held to R's own to many digits
// rather than "within chance". It promises nothing about streams other than
// R's default (Mersenne-Twister) and multinomial draws.
//
// Written from the papers: Matsumoto & Nishimura (1998), ACM TOMACS 8, 3–30;
// Kachitvichyanukul & Schmeiser (1988), Binomial random variate generation,
// Comm. ACM 31, 216–222 (algorithms BINV and BTPE). R's own conventions, as
// its help page "Random" states them, are the seeding by a congruential
// generator and the open interval.

import (
	"math"
	"math/big"
)

// rStream is R's default generator after set.seed(seed).
type rStream struct {
	state [624]uint32
	next  int
}

func newRStream(seed uint32) *rStream {
	const multiplier = 69069
	r := &rStream{next: 624}
	for range 50 {
		seed = multiplier*seed + 1
	}
	seed = multiplier*seed + 1 // R keeps the position in the first word
	for i := range r.state {
		seed = multiplier*seed + 1
		r.state[i] = seed
	}
	return r
}

// uniform draws from the open interval (0, 1).
func (r *rStream) uniform() float64 {
	const (
		scale = 2.3283064365386963e-10 // 2^−32
		edge  = 2.328306437080797e-10  // 1/(2^32 − 1)
	)
	u := float64(r.word()) * scale
	return math.Min(math.Max(u, 0.5*edge), 1-0.5*edge)
}

func (r *rStream) word() uint32 {
	const n, m = 624, 397
	if r.next >= n {
		for k := range r.state {
			y := r.state[k]&0x80000000 | r.state[(k+1)%n]&0x7fffffff
			v := r.state[(k+m)%n] ^ y>>1
			if y&1 == 1 {
				v ^= 0x9908b0df
			}
			r.state[k] = v
		}
		r.next = 0
	}
	y := r.state[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// multinomial spreads n people over the cells, in their order. shares come
// from conditional.
func (r *rStream) multinomial(n int64, shares, out []float64) {
	for i, share := range shares {
		k := n
		if i < len(shares)-1 && share < 1 {
			k = r.binomial(n, share)
		}
		out[i] = float64(k)
		n -= k
	}
}

// conditional gives each cell's share of what is left when the cells before it
// are done. R subtracts with the 64-bit mantissa of x87; with 53 bits a share of
// one half can come out on its other side, and the draw is then mirrored.
func conditional(probs []float64) []float64 {
	shares := make([]float64, len(probs))
	left := new(big.Float).SetPrec(64)
	for _, p := range probs {
		left.Add(left, new(big.Float).SetPrec(64).SetFloat64(p))
	}
	for i, p := range probs {
		exact := new(big.Float).SetPrec(64).SetFloat64(p)
		shares[i] = 1
		if left.Sign() > 0 {
			shares[i], _ = new(big.Float).SetPrec(64).Quo(exact, left).Float64()
		}
		left.Sub(left, exact)
	}
	return shares
}

func (r *rStream) binomial(n int64, p float64) int64 {
	if n == 0 || p <= 0 {
		return 0
	}
	if p >= 1 {
		return n
	}
	small := math.Min(p, 1-p)
	var k int64
	if float64(n)*small < 30 {
		k = r.invert(n, small)
	} else {
		k = r.btpe(n, small)
	}
	if p > 0.5 {
		return n - k
	}
	return k
}

// invert is BINV: walk up the distribution function.
func (r *rStream) invert(n int64, p float64) int64 {
	q := 1 - p
	odds := p / q
	g := odds * float64(n+1)
	start := powInt(q, n)
	for {
		mass, u := start, r.uniform()
		for k := int64(0); k <= 110; k++ {
			if u < mass {
				return k
			}
			u -= mass
			mass *= g/float64(k+1) - odds
		}
		if u < mass { // k = 111 is the last that is tried
			return 111
		}
	}
}

// powInt is q^n by repeated squaring, in the order in which R multiplies.
func powInt(x float64, n int64) float64 {
	out := 1.0
	for {
		if n&1 == 1 {
			out *= x
		}
		if n >>= 1; n == 0 {
			return out
		}
		x *= x
	}
}

// btpe is BTPE: a triangle, a parallelogram and two exponential tails above
// the scaled binomial. Names follow the paper.
func (r *rStream) btpe(trials int64, p float64) int64 {
	n, q := float64(trials), 1-p
	npq := n * p * q
	odds := p / q
	g := odds * (n + 1)
	fm := n*p + p
	m := math.Floor(fm)
	p1 := math.Floor(2.195*math.Sqrt(npq)-4.6*q) + 0.5
	xm := m + 0.5
	xl, xr := xm-p1, xm+p1
	c := 0.134 + 20.5/(15.3+m)
	tail := func(a float64) float64 { return a * (1 + 0.5*a) }
	left := tail((fm - xl) / (fm - xl*p))
	right := tail((xr - fm) / (xr * q))
	p2 := p1 * (1 + c + c)
	p3 := p2 + c/left
	p4 := p3 + c/right
	for {
		u, v := r.uniform()*p4, r.uniform()
		var y float64
		switch {
		case u <= p1: // triangle: accepted at once
			return int64(xm - p1*v + u)
		case u <= p2:
			x := xl + (u-p1)/c
			v = v*c + 1 - math.Abs(xm-x)/p1
			if v > 1 || v <= 0 {
				continue
			}
			y = math.Trunc(x)
		case u > p3:
			y = math.Trunc(xr - math.Log(v)/right)
			if y > n {
				continue
			}
			v *= (u - p3) * right
		default:
			y = math.Trunc(xl + math.Log(v)/left)
			if y < 0 {
				continue
			}
			v *= (u - p2) * left
		}
		if accepts(y, m, v, n, p, q, npq, odds, g, fm, xm) {
			return int64(y)
		}
	}
}

// accepts compares v with f(y)/f(m): by recursion near the mode and far out,
// by squeezing and Stirling's series between.
func accepts(y, m, v, n, p, q, npq, odds, g, fm, xm float64) bool {
	k := math.Abs(y - m)
	if k <= 20 || k >= npq/2-1 {
		f := 1.0
		for i := m + 1; i <= y; i++ {
			f *= g/i - odds
		}
		for i := y + 1; i <= m; i++ {
			f /= g/i - odds
		}
		return v <= f
	}
	rho := (k / npq) * ((k*(k/3+0.625)+0.1666666666666)/npq + 0.5)
	t := -k * k / (2 * npq)
	a := math.Log(v)
	if a < t-rho {
		return true
	}
	if a > t+rho {
		return false
	}
	x1, f1, z, w := y+1, fm+1, n+1-fm, n-y+1
	series := func(x float64) float64 {
		s := x * x
		return (13860 - (462-(132-(99-140/s)/s)/s)/s) / x / 166320
	}
	return a <= xm*math.Log(f1/x1)+(n-m+0.5)*math.Log(z/w)+(y-m)*math.Log(w*p/(x1*q))+
		series(f1)+series(z)+series(x1)+series(w)
}
