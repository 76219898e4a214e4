package scope

// This file fits every hierarchical log-linear model (with all main effects)
// and ranks them by BIC, as Silverman, Chan & Vincent (2024) and Rcapture do,
// and lets the best of them compete again in every resample. It promises that
// parameters at minus infinity count, and that inadmissible models are out.

import (
	"context"
	"math"
	"math/bits"
	"sort"
)

// BIC is offered up to maxBICLists lists: all models up to five lists, two-list
// terms only at six (there are 7,785,061 models of any order on six lists).
const maxBICLists = 6

// MaxOrder is the largest order of interaction that BIC looks at for t lists.
func MaxOrder(t int) int {
	if t <= 5 {
		return t - 1
	}
	return 2
}

// Enumerate lists every hierarchical model on t lists with all main effects,
// interactions of at most the given order, and without the t-way term. There
// are 8, 113 and 6,893 on three, four and five lists.
func Enumerate(t, order int) []Model {
	var candidates []int
	for set := 1; set < 1<<t-1; set++ {
		if k := bits.OnesCount(uint(set)); k >= 2 && k <= order {
			candidates = append(candidates, set)
		}
	}
	sort.Slice(candidates, func(i, j int) bool { return historyLess(candidates[i], candidates[j]) })
	var out []Model
	var in bitset
	var terms []int
	var grow func(i int)
	grow = func(i int) {
		if i == len(candidates) {
			out = append(out, Model{t, append([]int(nil), terms...)})
			return
		}
		grow(i + 1)
		set := candidates[i]
		if !facetsIn(set, &in) {
			return
		}
		in.set(set)
		terms = append(terms, set)
		grow(i + 1)
		terms = terms[:len(terms)-1]
		in[set>>6] &^= 1 << (set & 63)
	}
	grow(0)
	return out
}

// facetsIn says whether every set with one list less is in (singles always are).
func facetsIn(set int, in *bitset) bool {
	for rest := set; rest != 0; rest &= rest - 1 {
		facet := set &^ (rest & -rest)
		if facet&(facet-1) != 0 && !in.has(facet) {
			return false
		}
	}
	return true
}

// Ranked is one model in the order of BIC.
type Ranked struct {
	Model    Model
	BIC      float64
	Estimate float64
}

// Ranking is every admissible model, best first.
type Ranking struct {
	Order      int // largest order of interaction that was looked at
	Considered int
	Models     []Ranked
}

// RankByBIC fits all hierarchical models up to the order.
func RankByBIC(ctx context.Context, t *Table, order int, o Options) (*Ranking, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.T() > maxBICLists || t.T() == maxBICLists && order > 2 {
		return nil, refuse("BIC over all models is not offered for %d lists and order %d: there are too many", t.T(), order)
	}
	models := Enumerate(t.T(), order)
	all := make([]Ranked, len(models))
	w := o.team()
	sessions := make([]*session, w.cores)
	const block = 64
	blocks := (len(models) + block - 1) / block
	err := w.each(ctx, "BIC over all models", blocks, func(worker, b int) {
		if sessions[worker] == nil {
			sessions[worker] = newSession(t.T())
			sessions[worker].take(t.Counts)
		}
		s := sessions[worker]
		for i := b * block; i < min(len(models), (b+1)*block); i++ {
			all[i] = Ranked{models[i], math.NaN(), 0}
			if bic, estimate, ok := s.rank(models[i], false); ok {
				all[i].BIC, all[i].Estimate = bic, estimate
			}
		}
	})
	if err != nil {
		return nil, err
	}
	r := &Ranking{Order: order, Considered: len(models)}
	for _, m := range all {
		if !math.IsNaN(m.BIC) {
			r.Models = append(r.Models, m)
		}
	}
	if len(r.Models) == 0 {
		return nil, refuse("none of %d hierarchical models has an estimate for this pattern of overlaps", len(models))
	}
	sort.SliceStable(r.Models, func(i, j int) bool { return r.Models[i].BIC < r.Models[j].BIC })
	return r, nil
}

// rank gives BIC and estimate of one model on the loaded table, or false.
func (s *session) rank(m Model, warm bool) (bic, estimate float64, ok bool) {
	if !s.admit.check(m).OK() {
		return 0, 0, false
	}
	state := s.fit(m, s.y, warm)
	if !state.settled && warm {
		state = s.fit(m, s.y, false)
	}
	if !state.settled || state.dark > limitDark {
		return 0, 0, false
	}
	constant := 0.0
	for _, y := range s.y {
		if y > 1 {
			constant += lgamma(y + 1)
		}
	}
	bic = float64(m.Size())*math.Log(s.n) - 2*(state.kernel-constant)
	return bic, s.n + state.dark, !math.IsNaN(bic) && !math.IsInf(bic, 0)
}

// Within gives the models whose BIC is at most d above the best.
func (r *Ranking) Within(d float64) []Ranked {
	for i, m := range r.Models {
		if m.BIC > r.Models[0].BIC+d {
			return r.Models[:i]
		}
	}
	return r.Models
}

// BootstrapBIC lets the top models of the ranking compete again in every
// resample; a model that cannot be fitted there is passed over. Holding the
// best model fixed instead would understate the width badly.
func BootstrapBIC(ctx context.Context, t *Table, r *Ranking, top int, o Options) (*Bootstrap, error) {
	top = min(top, len(r.Models), 1<<MaxLists)
	alphas, err := startingPoints(t, r.Models[:top])
	if err != nil {
		return nil, err
	}
	b, err := bootstrap(ctx, o.team(), "BIC bootstrap", t, r.Models[0].Estimate, o.Resamples, o.Seed,
		func(s *session) (float64, bitset, error) {
			var chosen bitset
			if !s.listsSeen() {
				return 0, chosen, refuse("a list has nobody on it")
			}
			best, estimate, index := math.Inf(1), 0.0, -1
			for i, m := range r.Models[:top] {
				copy(s.alpha, alphas[i])
				if bic, value, ok := s.rank(m.Model, true); ok && bic < best {
					best, estimate, index = bic, value, i
				}
			}
			if index < 0 {
				return 0, chosen, refuse("no model could be fitted")
			}
			chosen.set(index)
			return estimate, chosen, nil
		})
	if err != nil {
		return nil, err
	}
	shares := b.Chosen
	b.Chosen = nil
	for i, m := range r.Models[:top] {
		if shares[i].Share > 0 {
			b.Chosen = append(b.Chosen, Frequency{m.Model.String(), shares[i].Share})
		}
	}
	sort.SliceStable(b.Chosen, func(i, j int) bool { return b.Chosen[i].Share > b.Chosen[j].Share })
	return b, nil
}

// startingPoints are the parameters of each model on the original table, from
// which its fits to resamples start.
func startingPoints(t *Table, models []Ranked) ([][]float64, error) {
	s := newSession(t.T())
	s.take(t.Counts)
	out := make([][]float64, len(models))
	for i, m := range models {
		if state := s.fit(m.Model, s.y, false); !state.settled {
			return nil, refuse("model %s: the fit did not settle", m.Model)
		}
		out[i] = append([]float64(nil), s.alpha...)
	}
	return out, nil
}
