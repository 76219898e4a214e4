package scope

// This file draws tables from a fitted model, so that methods can be tried
// where the truth is known.

import "math"

// Simulate draws table number i from a model that was fitted to t, with as
// many people as it estimates. People on no list are drawn and left out.
func Simulate(t *Table, f *Fit, seed uint32, i int) (drawn *Table, truth int64) {
	truth = int64(math.Round(f.Estimate))
	eta := make([]float64, len(t.Counts))
	dead := make([]bool, len(t.Counts))
	for _, p := range f.Params {
		eta[p.Set] = p.Value
		if p.Infinite {
			for h := p.Set; h < len(dead); h = (h + 1) | p.Set {
				dead[h] = true
			}
		}
	}
	subsetSum(eta)
	total := 0.0
	for h := range eta {
		eta[h] = math.Exp(eta[h])
		if dead[h] {
			eta[h] = 0
		}
		total += eta[h]
	}
	drawn = NewTable(t.Lists...)
	rng := generator(seed, forSimulation, i)
	left := truth
	for h, mean := range eta {
		k := left
		if mean < total {
			k = binomial(rng, left, mean/total)
		}
		left -= k
		total -= mean
		if h != 0 {
			drawn.Counts[h] = k
		}
	}
	return drawn, truth
}
