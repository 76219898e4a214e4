package scope

// This file changes a table as if its records had been linked better or worse.
// Missed links inflate an estimate (to first order it goes as one over the
// overlap), false links deflate it. It promises that no count becomes negative
// and that no record is lost.

import (
	"math/bits"
	"math/rand/v2"
)

// undoFalseLinks supposes that a share of the people on two lists or more are
// two people: one record of each, on a list drawn evenly, becomes a person of
// its own.
func undoFalseLinks(rng *rand.Rand, counts []int64, rate float64) {
	before := append([]int64(nil), counts...)
	for h, c := range before {
		if bits.OnesCount(uint(h)) < 2 || c == 0 {
			continue
		}
		forEachList(rng, h, binomial(rng, c, rate), func(list int, k int64) {
			counts[h] -= k
			counts[h&^list] += k
			counts[list] += k
		})
	}
}

// makeMissedLinks supposes that a share of the true links were missed: among
// histories of two lists or more, rate/(1−rate) more people for each one seen
// are put together from one record of a list and one of the others.
func makeMissedLinks(rng *rand.Rand, counts []int64, rate float64) {
	before := append([]int64(nil), counts...)
	for h, c := range before {
		if bits.OnesCount(uint(h)) < 2 || c == 0 {
			continue
		}
		forEachList(rng, h, poisson(rng, float64(c)*rate/(1-rate)), func(list int, k int64) {
			k = min(k, counts[list], counts[h&^list])
			counts[list] -= k
			counts[h&^list] -= k
			counts[h] += k
		})
	}
}

// forEachList spreads k evenly at random over the lists of h.
func forEachList(rng *rand.Rand, h int, k int64, do func(list int, k int64)) {
	left := bits.OnesCount(uint(h))
	for rest := h; rest != 0; rest &= rest - 1 {
		share := binomial(rng, k, 1/float64(left))
		do(rest&-rest, share)
		k -= share
		left--
	}
}
