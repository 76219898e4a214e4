package scope

// This file makes the ten diagnostics that have to accompany every estimate:
// overlaps, admissibility, BIC against estimate, threshold path, lists left
// out and merged, internal consistency, bootstrap, linkage, priors of dga, and
// the assumptions in plain words.

import (
	"errors"
	"math"
	"math/bits"
	"sort"
)

// Thresholds at which the stepwise estimate is repeated.
var thresholds = []float64{0.001, 0.005, 0.01, 0.02, 0.05, 0.1}

const (
	minLinked      = 30  // a list is conditioned on if so many of its people were seen elsewhere
	linkageRepeats = 200 // simulated tables per scenario
)

func (r *run) diagnose() (*Diagnostics, error) {
	d := &Diagnostics{Overlap: r.overlap(), Admissibility: r.admissibility(), Assumptions: Assumptions(), Warnings: []string{}}
	if r.boot != nil {
		d.Bootstrap = r.boot.out()
	}
	d.BIC = []RankedOut{}
	if r.ranking != nil {
		d.BICOrder = r.ranking.Order
		for _, m := range r.ranking.Within(10) {
			d.BIC = append(d.BIC, RankedOut{m.Model.String(), m.BIC, m.BIC - r.ranking.Models[0].BIC, m.Estimate})
		}
	}
	d.BICByOrder = []BICVariant{}
	d.ThresholdPath = r.thresholdPath()
	if r.o.PanelOnly {
		return d, r.ctx.Err()
	}
	steps := []func(*Diagnostics) error{r.orders, r.variants, r.consistency, r.linkage, r.priors}
	for _, step := range steps {
		if err := step(d); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (r *run) overlap() Overlap {
	o := Overlap{Frequencies: r.t.Frequencies(), EmptyPairs: []string{}, About: r.o.About}
	_, cells, _ := r.t.weights()
	for _, h := range cells {
		o.Histories = append(o.Histories, HistoryOut{r.t.listsOf(h), r.t.Counts[h]})
	}
	for i := range r.t.Lists {
		o.ListSizes = append(o.ListSizes, r.t.Size(i))
	}
	for _, p := range r.t.EmptyPairs() {
		o.EmptyPairs = append(o.EmptyPairs, r.t.Name(p))
	}
	for _, p := range pairs(r.t.T()) {
		i, j := bits.TrailingZeros(uint(p)), bits.Len(uint(p))-1
		both := float64(r.t.Star(p))
		o.Pairs = append(o.Pairs, PairOut{r.t.Name(p), r.t.Star(p), both / float64(r.t.Size(i)), both / float64(r.t.Size(j))})
	}
	return o
}

func (t *Table) listsOf(h int) []string {
	out := []string{}
	for i, l := range t.Lists {
		if h>>i&1 == 1 {
			out = append(out, l)
		}
	}
	return out
}

func (r *run) admissibility() []AdmissionOut {
	of := func(which string, m Model) AdmissionOut {
		a := Admit(r.t, m)
		return AdmissionOut{Which: which, Model: m.String(), Exists: a.Exists, Identifiable: a.Identifiable, DarkEstimable: a.DarkEstimable, Code: a.Code()}
	}
	all := of("all pairs", allPairs(r.t.T()))
	all.Triples = r.t.triples()
	out := []AdmissionOut{of("main effects", mainEffects(r.t.T())), all}
	if r.fit != nil {
		out = append(out, of("stepwise", r.fit.Model))
	}
	if r.ranking != nil {
		out = append(out, of("bic", r.ranking.Models[0].Model))
	}
	return out
}

// triples counts the sets of three lists that overlap pairwise; with none the
// model with all pairs is not identifiable (Chan et al. 2021).
func (t *Table) triples() int {
	count := 0
	for i := range t.T() {
		for j := i + 1; j < t.T(); j++ {
			for k := j + 1; k < t.T(); k++ {
				if t.Star(1<<i|1<<j) > 0 && t.Star(1<<i|1<<k) > 0 && t.Star(1<<j|1<<k) > 0 {
					count++
				}
			}
		}
	}
	return count
}

func (r *run) thresholdPath() []PathPoint {
	out := []PathPoint{}
	for _, p := range thresholds {
		point := PathPoint{P: p, Pairs: []string{}}
		fit, _, err := Stepwise(r.t, p)
		if err != nil {
			point.Refusal = err.Error()
		} else {
			point.Estimate, point.Low, point.High = number(fit.Estimate), number(fit.Low), number(fit.High)
			point.Model, point.Pairs = fit.Model.String(), fit.Model.Names(r.t)
		}
		out = append(out, point)
	}
	return out
}

// points gives each method's quick answer on a changed table. Its error is a
// stop; the refusal says why nothing could be estimated at all.
func (r *run) points(t *Table) (Points, string, error) {
	var p Points
	if err := t.check(); err != nil {
		return p, err.Error(), nil
	}
	if fit, _, err := Stepwise(t, r.o.Threshold); err == nil {
		p.Stepwise = number(fit.Estimate)
	}
	if fit, err := Independence(t); err == nil {
		p.Independence = number(fit.Estimate)
	}
	quiet := r.o
	quiet.Progress = nil
	if t.T() <= 5 {
		ranking, err := RankByBIC(r.ctx, t, 2, quiet)
		if err == nil {
			p.BIC = number(ranking.Models[0].Estimate)
		} else if !isRefusal(err) {
			return p, "", err
		}
	}
	if t.T() <= maxGraphLists {
		a, err := Average(r.ctx, t, 0, Grid(float64(t.Observed()), r.o.GridSize, r.o.GridCap), true, quiet)
		if err == nil {
			p.DGA = number(a.Median)
		} else if !isRefusal(err) {
			return p, "", err
		}
	}
	return p, "", nil
}

func isRefusal(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal)
}

// orders repeats BIC with two-list terms only, and with all orders that are
// offered: which of them are allowed can decide the answer.
func (r *run) orders(d *Diagnostics) error {
	if r.ranking == nil {
		return nil
	}
	for order := 2; order <= MaxOrder(r.t.T()); order++ {
		ranking, boot := r.ranking, r.bicBoot
		var err error
		if order != ranking.Order {
			if ranking, err = RankByBIC(r.ctx, r.t, order, r.o); err == nil {
				boot, err = BootstrapBIC(r.ctx, r.t, ranking, r.o.TopModels, r.o)
			}
		}
		if isRefusal(err) || err == nil && boot == nil {
			continue
		}
		if err != nil {
			return err
		}
		best := ranking.Models[0]
		d.BICByOrder = append(d.BICByOrder, BICVariant{order, best.Model.String(), best.Estimate, boot.Low(), boot.High()})
	}
	return nil
}

func (r *run) variants(d *Diagnostics) error {
	d.LeaveOneOut, d.MergePairs = []Variant{}, []Variant{}
	total := r.t.T() + len(pairs(r.t.T()))
	done := 0
	add := func(to *[]Variant, what string, t *Table) error {
		p, refusal, err := r.points(t)
		if err != nil {
			return err
		}
		*to = append(*to, Variant{What: what, Observed: t.Observed(), Points: p, Refusal: refusal})
		done++
		r.o.team().tell("lists left out and merged", done, total)
		return nil
	}
	for i, name := range r.t.Lists {
		if err := add(&d.LeaveOneOut, "without "+name, r.t.Without(i)); err != nil {
			return err
		}
	}
	for _, p := range pairs(r.t.T()) {
		i, j := bits.TrailingZeros(uint(p)), bits.Len(uint(p))-1
		if err := add(&d.MergePairs, r.t.Lists[i]+" and "+r.t.Lists[j]+" as one", r.t.Merge(i, j)); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) consistency(d *Diagnostics) error {
	d.Consistency, d.ConsistencyBy = []ConsistencyRow{}, []ConsistencyScore{}
	for i, name := range r.t.Lists {
		given, truth := r.t.Given(i)
		if given.Observed() < minLinked {
			continue
		}
		row := ConsistencyRow{List: name, Truth: truth, Elsewhere: given.Observed(), OnTwo: given.Overlapping()}
		p, refusal, err := r.points(given)
		if err != nil {
			return err
		}
		row.Points, row.Refusal = p, refusal
		row.Ratio = p.over(float64(truth))
		d.Consistency = append(d.Consistency, row)
	}
	for _, method := range []string{"stepwise", "independence", "bic_order_2", "dga"} {
		score := ConsistencyScore{Method: method}
		for _, row := range d.Consistency {
			if v := row.Ratio.of(method); v != nil && *v > 0 {
				score.Lists++
				score.MeanLogRatio += math.Log(*v)
				if *v < 1 {
					score.TooLow++
				}
			}
		}
		if score.Lists > 0 {
			score.MeanLogRatio /= float64(score.Lists)
			d.ConsistencyBy = append(d.ConsistencyBy, score)
		}
	}
	return nil
}

func (p Points) over(truth float64) Points {
	ratio := func(x *float64) *float64 {
		if x == nil {
			return nil
		}
		return number(*x / truth)
	}
	return Points{ratio(p.Stepwise), ratio(p.Independence), ratio(p.BIC), ratio(p.DGA)}
}

func (p Points) of(method string) *float64 {
	switch method {
	case "stepwise":
		return p.Stepwise
	case "independence":
		return p.Independence
	case "bic_order_2":
		return p.BIC
	default:
		return p.DGA
	}
}

func (r *run) linkage(d *Diagnostics) error {
	d.Linkage = []LinkageRow{}
	scenario := 0
	for _, kind := range []string{"missed", "false"} {
		for _, rate := range []float64{0.05, 0.1, 0.2} {
			row, err := r.linkageRow(kind, rate, scenario)
			if err != nil {
				return err
			}
			d.Linkage = append(d.Linkage, row)
			scenario++
		}
	}
	return nil
}

// linkageRow repeats the estimates on tables in which the links that were
// missed are made, or the links that are false are undone.
func (r *run) linkageRow(kind string, rate float64, scenario int) (LinkageRow, error) {
	row := LinkageRow{Kind: kind, Rate: rate, Repeats: linkageRepeats}
	step, independent := make([]float64, linkageRepeats), make([]float64, linkageRepeats)
	w := r.o.team()
	sessions := make([]*session, w.cores)
	err := w.each(r.ctx, "linkage errors", linkageRepeats, func(worker, i int) {
		if sessions[worker] == nil {
			sessions[worker] = newSession(r.t.T())
		}
		s := sessions[worker]
		counts := append([]int64(nil), r.t.Counts...)
		rng := generator(r.o.Seed, forLinkage, scenario*linkageRepeats+i)
		if kind == "missed" {
			makeMissedLinks(rng, counts, rate)
		} else {
			undoFalseLinks(rng, counts, rate)
		}
		s.take(counts)
		step[i], independent[i] = math.NaN(), math.NaN()
		if _, _, state, err := s.stepwise(r.o.Threshold); err == nil && state.dark <= limitDark {
			step[i] = s.n + state.dark
		}
		if _, estimate, ok := s.rank(mainEffects(s.t), false); ok {
			independent[i] = estimate
		}
	})
	if err != nil {
		return row, err
	}
	step, independent = finiteOnly(step), finiteOnly(independent)
	row.Refused = linkageRepeats - len(step)
	if len(step) > 0 {
		sort.Float64s(step)
		row.Median = number(quantile8(step, 0.5))
		row.Low, row.High = number(quantile8(step, 0.025)), number(quantile8(step, 0.975))
	}
	if len(independent) > 0 {
		row.Independence = number(median(independent))
	}
	return row, nil
}

func finiteOnly(x []float64) []float64 {
	out := x[:0]
	for _, v := range x {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out = append(out, v)
		}
	}
	return out
}

// priors repeats dga under other prior weights and grid caps.
func (r *run) priors(d *Diagnostics) error {
	d.DGA = []DGAVariant{}
	if r.t.T() > maxGraphLists {
		return nil
	}
	standard := math.Pow(2, -float64(r.t.T()))
	type variant struct {
		what       string
		delta, cap float64
		saturated  bool
	}
	list := []variant{{"as reported", standard, r.o.GridCap, true}, {"without the saturated graph", standard, r.o.GridCap, false}}
	for _, delta := range []float64{0.1, 0.25, 0.5, 1} {
		list = append(list, variant{sprintf("prior weight %g per cell", delta), delta, r.o.GridCap, true})
	}
	for _, limit := range []float64{5, 10, 30, 100} {
		list = append(list, variant{sprintf("at most %g times the number seen", limit), standard, limit, true})
	}
	quiet := r.o
	quiet.Progress = nil
	for i, v := range list {
		a, err := Average(r.ctx, r.t, v.delta, Grid(r.n, r.o.GridSize, v.cap), v.saturated, quiet)
		if err != nil {
			if isRefusal(err) {
				continue
			}
			return err
		}
		d.DGA = append(d.DGA, DGAVariant{v.what, a.Delta, v.cap, a.Median, a.Low, a.High, a.SaturatedShare, a.EdgeShare})
		r.o.team().tell("priors of dga", i+1, len(list))
	}
	return nil
}

// Assumptions in plain words; the last is the one that is most often forgotten.
func Assumptions() []string {
	return []string{
		"The group stays the same: over the period nobody joins or leaves the people we ask about.",
		"Every list means the same thing: a person on one list would count on all of them.",
		"The same person is recognised on every list, and no two people are taken for one.",
		"Being on one list does not change the chance of being on another in a way that the model leaves out. In particular no dependence among all lists at once: nothing in the data can test this.",
		"Nobody is beyond the reach of every list. A child whom no list could ever meet is not counted, here or by any estimate of this kind.",
	}
}
