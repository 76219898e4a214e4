// Package dp publishes tables and selections with differential privacy. Noise is
// the discrete Gaussian, sampled exactly with integers from a secure source;
// loss is accounted in zero-concentrated differential privacy (zCDP).
//
// Neighbours: two data sets that differ by one person more or less, or by one
// whole case group (see Unit).
//
// Sources: Bun & Steinke 2016 (zCDP, arXiv 1605.02065); Canonne, Kamath &
// Steinke 2020 (discrete Gaussian, arXiv 2004.00010); Balle & Wang 2018 (analytic
// Gaussian, arXiv 1805.06530); Xiao et al. 2023 (ResidualPlanner, arXiv
// 2305.08175); Feldman & Cousins 1998 (intervals near a bound, physics/9711021).
package dp

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/bits"
	mathrand "math/rand/v2"
)

// Noise is a source of random bits. Only Secure noise protects anybody.
type Noise struct {
	r    *bufio.Reader
	word [8]byte
	note string
}

// Secure draws from the system's cryptographic source.
func Secure() *Noise { return &Noise{r: bufio.NewReaderSize(rand.Reader, 1<<13), note: SecureNote} }

// Seeded draws the same bits for the same seed: for tests, and marked as not
// private wherever it is written.
func Seeded(seed uint64) *Noise {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &Noise{r: bufio.NewReaderSize(mathrand.NewChaCha8(key), 1<<13), note: fmt.Sprintf("seeded with %d: NOT PRIVATE", seed)}
}

// SecureNote is what Note says of the secure source.
const SecureNote = "secure"

// Note says what the source is, for the report.
func (n *Noise) Note() string { return n.note }

// Uint64 is 64 random bits. A source that fails stops the program's work: going
// on without noise is not an answer.
func (n *Noise) Uint64() uint64 {
	if _, err := io.ReadFull(n.r, n.word[:]); err != nil {
		panic(fmt.Errorf("the source of noise failed: %w", err))
	}
	return binary.LittleEndian.Uint64(n.word[:])
}

// Below is a uniform number from 0 to m-1.
func (n *Noise) Below(m uint64) uint64 {
	if m&(m-1) == 0 {
		return n.Uint64() & (m - 1)
	}
	limit := math.MaxUint64 - math.MaxUint64%m
	for {
		if x := n.Uint64(); x < limit {
			return x % m
		}
	}
}

// uint128 is an unsigned integer of 128 bits.
type uint128 struct{ hi, lo uint64 }

func mul64(a, b uint64) uint128 {
	hi, lo := bits.Mul64(a, b)
	return uint128{hi, lo}
}

// mul multiplies by k; the product must fit, which the callers' bounds ensure.
func (x uint128) mul(k uint64) uint128 {
	p := mul64(x.lo, k)
	hi, over := bits.Mul64(x.hi, k)
	sum, carry := bits.Add64(over, p.hi, 0)
	if hi != 0 || carry != 0 {
		panic("discrete Gaussian: the variance is too large for exact arithmetic")
	}
	return uint128{sum, p.lo}
}

func (x uint128) less(y uint128) bool { return x.hi < y.hi || x.hi == y.hi && x.lo < y.lo }

func (x uint128) float() float64 { return float64(x.hi)*0x1p64 + float64(x.lo) }

func (x uint128) sub(y uint128) uint128 {
	lo, borrow := bits.Sub64(x.lo, y.lo, 0)
	hi, _ := bits.Sub64(x.hi, y.hi, borrow)
	return uint128{hi, lo}
}

func (x uint128) big() *big.Int {
	b := new(big.Int).SetUint64(x.hi)
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(x.lo))
}

// bernoulli is true with probability num/den exactly (num <= den). A random
// number's first 53 bits decide unless they fall within rounding of the
// quotient; then all bits are compared.
func (n *Noise) bernoulli(num, den uint128) bool {
	q := num.float() / den.float()
	u := n.Uint64()
	f := float64(u>>11) * 0x1p-53
	const slack = 0x1p-48 // far above the rounding of q and the 2^-53 cut of f
	switch {
	case f+slack < q:
		return true
	case f > q+slack:
		return false
	}
	// Exactly: is 0.u1u2u3… (base 2^64) less than num/den?
	rest, d := num.big(), den.big()
	digit, word := new(big.Int), new(big.Int)
	for {
		rest.Lsh(rest, 64)
		digit.DivMod(rest, d, rest)
		switch word.SetUint64(u).Cmp(digit) {
		case -1:
			return true
		case 1:
			return false
		}
		if rest.Sign() == 0 {
			return false // equal so far and nothing left: u is not below
		}
		u = n.Uint64()
	}
}

// bernoulliExp is true with probability exp(-num/den) exactly (Canonne, Kamath &
// Steinke 2020, Algorithm 1).
func (n *Noise) bernoulliExp(num, den uint128) bool {
	for !num.less(den) {
		if !n.bernoulliExp1(uint128{0, 1}, uint128{0, 1}) {
			return false
		}
		num = num.sub(den)
	}
	return n.bernoulliExp1(num, den)
}

func (n *Noise) bernoulliExp1(num, den uint128) bool {
	k := uint64(1)
	for n.bernoulli(num, den.mul(k)) {
		k++
	}
	return k%2 == 1
}

// laplace is a discrete Laplace variable of scale t (Algorithm 2 there).
func (n *Noise) laplace(t uint64) int64 {
	for {
		u := n.Below(t)
		if !n.bernoulliExp1(uint128{0, u}, uint128{0, t}) {
			continue
		}
		v := uint64(0)
		for n.bernoulliExp1(uint128{0, 1}, uint128{0, 1}) {
			v++
		}
		x := int64(u + t*v)
		if n.Uint64()&1 == 1 {
			if x == 0 {
				continue
			}
			return -x
		}
		return x
	}
}

// MaxVariance bounds the variance of Gaussian, so that its products fit 128 bits.
const MaxVariance = 1 << 52

// Gaussian is a discrete Gaussian variable with the given integer variance
// parameter: P(x) proportional to exp(-x²/(2·variance)), exactly (Algorithm 3
// there). Adding it to integer counts whose sensitivity is d in Euclidean norm
// is d²/(2·variance)-zCDP (Theorem 14 there).
func (n *Noise) Gaussian(variance uint64) int64 {
	if variance == 0 || variance > MaxVariance {
		panic(fmt.Sprintf("discrete Gaussian: variance %d is out of range", variance))
	}
	t := isqrt(variance) + 1
	den := mul64(2*variance, t).mul(t) // γ = (|y|·t - variance)² / (2·variance·t²)
	for {
		y := n.laplace(t)
		a := uint64(y)
		if y < 0 {
			a = uint64(-y)
		}
		d := a * t
		if d >= variance {
			d -= variance
		} else {
			d = variance - d
		}
		if d >= 1<<60 { // more than 250 standard deviations: accepted with probability under exp(-30000)
			continue
		}
		if n.bernoulliExp(mul64(d, d), den) {
			return y
		}
	}
}

func isqrt(x uint64) uint64 {
	r := uint64(math.Sqrt(float64(x)))
	for r*r > x {
		r--
	}
	for (r+1)*(r+1) <= x {
		r++
	}
	return r
}

// Choose picks one of the scores with probability proportional to
// exp(score·num/den), exactly: the exponential mechanism, by rejection. Where one
// person changes every score by at most 1, it is bounded-range with ε = 2·num/den
// and costs ε²/8 in zCDP (Cesar & Rogers 2021, arXiv 2004.07223).
func (n *Noise) Choose(scores []int64, num, den uint64) int {
	best := scores[0]
	for _, s := range scores {
		best = max(best, s)
	}
	for {
		i := int(n.Below(uint64(len(scores))))
		if n.bernoulliExp(mul64(uint64(best-scores[i]), num), uint128{0, den}) {
			return i
		}
	}
}
