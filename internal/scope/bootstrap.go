package scope

// This file repeats a whole estimate, selection included, on resampled
// people, and takes bias-corrected and accelerated limits (BCa; Efron 1987,
// DiCiccio & Efron 1996). It promises the percentile limits beside them and a
// warning where the BCa limits sit at the extremes of the resamples.
//
// n is held fixed, as in the papers, so Poisson noise in n is not included.

import (
	"context"
	"math"
	"sort"
)

// Levels at which limits are given, as the R packages do.
var Levels = []float64{0.025, 0.05, 0.1, 0.16, 0.84, 0.9, 0.95, 0.975}

// Bootstrap is the outcome of the resampling.
type Bootstrap struct {
	Resamples  int         // asked for
	Failed     int         // resamples with a stated refusal; they are left out
	Estimates  []float64   // of the others, ascending
	Z0         float64     // bias correction
	Accel      float64     // acceleration â, from the jackknife
	Clamped    bool        // every resample fell on one side of the estimate: z0 was infinite
	JackFailed int         // people whose removal ended in a refusal
	BCa        [8]float64  // at Levels
	Adjusted   [8]float64  // the probabilities at which BCa reads the quantiles
	Percentile [8]float64  // at Levels
	Chosen     []Frequency // how often each choice was made among the resamples that did not fail
	Warnings   []string
}

// Low and High are the 95 % BCa limits.
func (b *Bootstrap) Low() float64  { return b.BCa[0] }
func (b *Bootstrap) High() float64 { return b.BCa[len(Levels)-1] }

// PercentileLow and PercentileHigh are the 95 % percentile limits.
func (b *Bootstrap) PercentileLow() float64  { return b.Percentile[0] }
func (b *Bootstrap) PercentileHigh() float64 { return b.Percentile[len(Levels)-1] }

// Frequency is how often something was chosen.
type Frequency struct {
	Name  string
	Share float64
}

// refit estimates on the session's loaded counts and says what was chosen: a
// bit per choice. An error is a stated refusal.
type refit func(s *session) (estimate float64, chosen bitset, err error)

// bootstrap resamples the table's people and refits each time.
func bootstrap(ctx context.Context, w team, what string, t *Table, estimate float64, resamples int, seed uint32, do refit) (*Bootstrap, error) {
	weights, cells, n := t.weights()
	draws := resample(seed, resamples, weights, cells, n)
	jack := len(cells)
	values := make([]float64, resamples+jack)
	chosen := make([]bitset, resamples)
	sessions := make([]*session, w.cores)
	err := w.each(ctx, what, resamples+jack, func(worker, i int) {
		if sessions[worker] == nil {
			sessions[worker] = newSession(t.T())
		}
		s := sessions[worker]
		copy(s.y, weights)
		s.n = float64(n)
		if i < resamples {
			for j, cell := range cells {
				s.y[cell] = draws[i*jack+j]
			}
		} else {
			s.y[cells[i-resamples]]--
			s.n--
		}
		s.load(s.y)
		s.admit.load(s.y, s.star)
		value, bits, err := do(s)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			values[i] = math.NaN()
			return
		}
		values[i] = value
		if i < resamples {
			chosen[i] = bits
		}
	})
	if err != nil {
		return nil, err
	}
	b := &Bootstrap{Resamples: resamples}
	good := chosen[:0:0]
	for i, v := range values[:resamples] {
		if math.IsNaN(v) {
			b.Failed++
			continue
		}
		b.Estimates = append(b.Estimates, v)
		good = append(good, chosen[i])
	}
	if len(b.Estimates) < 2 {
		return nil, refuse("%d of %d resamples ended in a refusal: no interval can be given", b.Failed, resamples)
	}
	b.Chosen = frequencies(good)
	below := 0
	for _, v := range b.Estimates {
		if v < estimate {
			below++
		}
	}
	b.Accel, b.JackFailed = acceleration(values[resamples:], weights, cells)
	b.Z0, b.Clamped = biasCorrection(below, len(b.Estimates))
	sort.Float64s(b.Estimates)
	b.limits()
	return b, nil
}

// resample draws n people again, for each resample and each history seen, in
// one stream: R's for this seed.
func resample(seed uint32, resamples int, weights []float64, cells []int, n int64) []float64 {
	stream := newRStream(seed)
	probs := make([]float64, len(cells))
	for j, cell := range cells {
		probs[j] = weights[cell] / float64(n)
	}
	shares := conditional(probs)
	draws := make([]float64, resamples*len(cells))
	for i := range resamples {
		stream.multinomial(n, shares, draws[i*len(cells):(i+1)*len(cells)])
	}
	return draws
}

// weights gives the counts as numbers, the histories that were seen, ordered
// by size and then 1, 2, …, 12, 13, … as the published tables are, and n.
func (t *Table) weights() (weights []float64, cells []int, n int64) {
	weights = make([]float64, len(t.Counts))
	for h, c := range t.Counts {
		if c > 0 {
			weights[h] = float64(c)
			cells = append(cells, h)
			n += c
		}
	}
	sort.Slice(cells, func(i, j int) bool { return historyLess(cells[i], cells[j]) })
	return weights, cells, n
}

func biasCorrection(below, n int) (z0 float64, clamped bool) {
	share := float64(below) / float64(n)
	if below == 0 {
		share, clamped = 0.5/float64(n), true
	}
	if below == n {
		share, clamped = 1-0.5/float64(n), true
	}
	return normQuantile(share), clamped
}

// acceleration is â = Σ N_j r_j³ / (6 (Σ N_j r_j²)^{3/2}), where r_j is the
// mean of the estimates without one person, less that without one of history j.
func acceleration(without, weights []float64, cells []int) (accel float64, failed int) {
	total, mean := 0.0, 0.0
	for j, v := range without {
		if math.IsNaN(v) {
			failed++
			continue
		}
		total += weights[cells[j]]
		mean += weights[cells[j]] * v
	}
	if total == 0 {
		return 0, failed
	}
	mean /= total
	second, third := 0.0, 0.0
	for j, v := range without {
		if !math.IsNaN(v) {
			r := mean - v
			second += weights[cells[j]] * r * r
			third += weights[cells[j]] * r * r * r
		}
	}
	if !(second > 0) {
		return 0, failed
	}
	a := third / (6 * math.Pow(second, 1.5))
	if math.IsNaN(a) || math.IsInf(a, 0) {
		return 0, failed
	}
	return a, failed
}

// limits fills BCa, adjusted and percentile limits, and the warnings.
func (b *Bootstrap) limits() {
	for i, level := range Levels {
		z := b.Z0 + normQuantile(level)
		p := level
		if d := 1 - b.Accel*z; d > 0 {
			p = normCDF(b.Z0 + z/d)
		} else if z > 0 { // the transformation has folded over
			p = 1
		} else {
			p = 0
		}
		b.Adjusted[i] = p
		b.BCa[i] = quantile8(b.Estimates, p)
		b.Percentile[i] = quantile8(b.Estimates, level)
	}
	low, high := b.Adjusted[0], b.Adjusted[len(Levels)-1]
	if low < 0.005 {
		b.warn("the lower BCa limit is read at the %.2f %% point of the resamples, at their very edge: look at the percentile limit too", 100*low)
	}
	if high > 0.995 {
		b.warn("the upper BCa limit is read at the %.2f %% point of the resamples, at their very edge: look at the percentile limit too", 100*high)
	}
	if high < 0.9 {
		b.warn("the upper BCa limit is read at the %.1f %% point of the resamples: the percentile limit is far higher", 100*high)
	}
	if low > 0.1 {
		b.warn("the lower BCa limit is read at the %.1f %% point of the resamples: the percentile limit is far lower", 100*low)
	}
	if b.Clamped {
		b.warn("all resamples lie on one side of the estimate: the bias correction was cut off")
	}
	if b.Failed > 0 {
		b.warn("%d of %d resamples ended in a refusal and were left out", b.Failed, b.Resamples)
	}
	if b.JackFailed > 0 {
		b.warn("%d histories could not be removed one person at a time; the acceleration leaves them out", b.JackFailed)
	}
}

func (b *Bootstrap) warn(format string, args ...any) {
	b.Warnings = append(b.Warnings, sprintf(format, args...))
}

// frequencies counts single choices; names are filled in by the caller.
func frequencies(chosen []bitset) []Frequency {
	counts := make([]int, 1<<MaxLists)
	for i := range chosen {
		for c := range counts {
			if chosen[i].has(c) {
				counts[c]++
			}
		}
	}
	out := make([]Frequency, len(counts))
	for c, k := range counts {
		out[c].Share = float64(k) / float64(max(1, len(chosen)))
	}
	return out
}

// quantile8 is R's type 8 quantile of ascending values (Hyndman & Fan 1996),
// which SparseMSE uses for its limits.
func quantile8(sorted []float64, p float64) float64 {
	return orderStatistic(sorted, (float64(len(sorted))+1.0/3)*p+1.0/3)
}

// orderStatistic reads ascending values at a rank between 1 and their number.
func orderStatistic(sorted []float64, h float64) float64 {
	n := float64(len(sorted))
	if h <= 1 {
		return sorted[0]
	}
	if h >= n {
		return sorted[len(sorted)-1]
	}
	i := math.Floor(h)
	low, high := sorted[int(i)-1], sorted[int(i)]
	return low + (h-i)*(high-low)
}

func normCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

func normQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// BootstrapStepwise is the reported interval: every resample repeats the whole
// selection from the main effects on.
func BootstrapStepwise(ctx context.Context, t *Table, estimate, threshold float64, o Options) (*Bootstrap, error) {
	b, err := bootstrap(ctx, o.team(), "stepwise bootstrap", t, estimate, o.Resamples, o.Seed,
		func(s *session) (float64, bitset, error) {
			m, _, state, err := s.stepwise(threshold)
			var chosen bitset
			for _, term := range m.Terms {
				chosen.set(term)
			}
			if err == nil && state.dark > limitDark {
				err = errUnbounded
			}
			return s.n + state.dark, chosen, err
		})
	if err != nil {
		return nil, err
	}
	shares := b.Chosen
	b.Chosen = nil
	for _, p := range pairs(t.T()) {
		b.Chosen = append(b.Chosen, Frequency{t.Name(p), shares[p].Share})
	}
	return b, nil
}

var errUnbounded = refuse("the estimate is not bounded")
