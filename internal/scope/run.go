package scope

// This file runs the panel: every method that was asked for, then the
// diagnostics, the gates and the headline. A method that refuses leaves its
// reason in the panel; only a cancelled context or a table that no method can
// use ends the run.

import (
	"context"
	"errors"
	"math"
	"sort"
	"strconv"
)

// Mandatory are the methods without which no number is released: stepwise is
// never shown alone.
var Mandatory = []string{"stepwise", "independence", "bic", "dga", "chao"}

// Optional are opinions for whoever asks; they never enter the headline.
var Optional = []string{"lcmcr", "thresholding"}

// Stopwatch gives seconds since some moment; the command lends one for timings.
type Stopwatch func() float64

// Run makes the whole report.
func Run(ctx context.Context, t *Table, o Options, watch Stopwatch) (*Report, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	r := &run{ctx: ctx, t: t, o: o, n: float64(t.Observed())}
	report := &Report{Lists: t.Lists, Observed: t.Observed(), OnTwoOrMore: t.Overlapping(), Seed: o.Seed, Repeat: repeat(t, o)}
	for _, method := range o.Methods {
		begin := 0.0
		if watch != nil {
			begin = watch()
		}
		entry, err := r.method(method)
		if err != nil {
			return nil, err
		}
		if watch != nil {
			entry.Seconds = number(watch() - begin)
		}
		report.Panel = append(report.Panel, entry)
	}
	diagnostics, err := r.diagnose()
	if err != nil {
		return nil, err
	}
	report.Diagnostics = diagnostics
	r.release(report)
	return report, nil
}

func repeat(t *Table, o Options) Repeat {
	delta := o.Delta
	if delta <= 0 {
		delta = math.Pow(2, -float64(t.T()))
	}
	return Repeat{Version: Version, DataDigest: t.Digest(), Methods: o.Methods, Threshold: o.Threshold, Resamples: o.Resamples,
		Resampling: "multinomial, R's Mersenne-Twister stream after set.seed(seed), histories ordered by size, then by list",
		TopModels:  o.TopModels, BICOrder: o.bicOrder(t.T()), GridSize: o.GridSize, GridCap: o.GridCap, Delta: delta,
		Chains: o.Chains, Sweeps: o.Sweeps, Gates: o.Gates, About: o.About}
}

// run carries what one run has found so far.
type run struct {
	ctx     context.Context
	t       *Table
	o       Options
	n       float64
	fit     *Fit // stepwise
	boot    *Bootstrap
	ranking *Ranking
	bicBoot *Bootstrap
	dga     *Averaged
}

// method answers for one method. Its error is a stop, never a refusal.
func (r *run) method(name string) (Entry, error) {
	entry := Entry{Method: name, Selected: []string{}}
	var err error
	switch name {
	case "stepwise":
		err = r.stepwise(&entry)
	case "independence":
		err = r.independence(&entry)
	case "bic":
		err = r.bic(&entry)
	case "dga":
		err = r.average(&entry)
	case "chao":
		err = r.chao(&entry)
	case "lcmcr":
		err = r.lcmcr(&entry)
	case "thresholding":
		err = r.thresholding(&entry)
	default:
		return entry, errors.New("there is no method " + strconv.Quote(name))
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		entry.Refusal = refusal.Reason
		entry.Estimate, entry.Low, entry.High, entry.WideLow, entry.WideHigh = nil, nil, nil, nil, nil
		return entry, nil
	}
	return entry, err
}

// KnownMethod says whether a method of that name exists.
func KnownMethod(name string) bool {
	for _, known := range append(append([]string(nil), Mandatory...), Optional...) {
		if name == known {
			return true
		}
	}
	return false
}

func (e *Entry) limits(estimate, low, high float64, interval string) {
	e.Estimate, e.Low, e.High, e.Interval = number(estimate), number(low), number(high), interval
	e.WideLow, e.WideHigh = e.Low, e.High
}

func (r *run) stepwise(e *Entry) error {
	fit, steps, err := Stepwise(r.t, r.o.Threshold)
	if err != nil {
		return err
	}
	r.fit = fit
	e.Model, e.Admissible = fit.Model.String(), true
	e.Selected = fit.Model.Names(r.t)
	detail := r.fitDetail(fit)
	detail.Steps = []StepOut{}
	for _, s := range steps {
		detail.Steps = append(detail.Steps, StepOut{r.t.Name(s.Pair), s.P, s.Empty})
	}
	e.Detail = detail
	boot, err := BootstrapStepwise(r.ctx, r.t, fit.Estimate, r.o.Threshold, r.o)
	if err != nil {
		return err
	}
	r.boot = boot
	detail.Bootstrap = boot.out()
	detail.Percentile = &[2]float64{boot.PercentileLow(), boot.PercentileHigh()}
	e.limits(fit.Estimate, boot.Low(), boot.High(), "BCa bootstrap, the whole selection repeated in each resample")
	e.WideLow = number(math.Min(boot.Low(), boot.PercentileLow()))
	e.WideHigh = number(math.Max(boot.High(), boot.PercentileHigh()))
	return nil
}

func (r *run) fitDetail(f *Fit) *StepDetail {
	d := &StepDetail{Deviance: f.Deviance, DF: f.DF, AIC: f.AIC, BIC: f.BIC, ModelLow: f.Low, ModelHigh: f.High}
	for _, p := range f.Params {
		out := ParamOut{Name: r.t.Name(p.Set)}
		if p.Set == 0 {
			out.Name = "(Intercept)"
		}
		if !p.Infinite {
			out.Value = number(p.Value)
		}
		d.Params = append(d.Params, out)
	}
	return d
}

func (r *run) independence(e *Entry) error {
	fit, err := Independence(r.t)
	if err != nil {
		return err
	}
	e.Model, e.Admissible = fit.Model.String(), true
	e.limits(fit.Estimate, fit.Low, fit.High, "Wald, on the log of the number not seen, given independence")
	e.Detail = r.fitDetail(fit)
	return nil
}

func (r *run) bic(e *Entry) error {
	if r.t.T() > maxBICLists {
		return refuse("BIC over all models is offered up to %d lists", maxBICLists)
	}
	ranking, err := RankByBIC(r.ctx, r.t, r.o.bicOrder(r.t.T()), r.o)
	if err != nil {
		return err
	}
	r.ranking = ranking
	best := ranking.Models[0]
	fit, err := FitModel(r.t, best.Model)
	if err != nil {
		return err
	}
	e.Model, e.Admissible = best.Model.String(), true
	e.Selected = best.Model.Names(r.t)
	detail := r.fitDetail(fit)
	detail.Considered, detail.AdmissibleN = ranking.Considered, len(ranking.Models)
	e.Detail = detail
	boot, err := BootstrapBIC(r.ctx, r.t, ranking, r.o.TopModels, r.o)
	if err != nil {
		return err
	}
	r.bicBoot = boot
	detail.Bootstrap = boot.out()
	detail.Percentile = &[2]float64{boot.PercentileLow(), boot.PercentileHigh()}
	e.limits(best.Estimate, boot.Low(), boot.High(), sprintf("BCa bootstrap, the best %d models competing again in each resample", min(r.o.TopModels, len(ranking.Models))))
	return nil
}

func (r *run) average(e *Entry) error {
	a, err := Average(r.ctx, r.t, r.o.Delta, Grid(r.n, r.o.GridSize, r.o.GridCap), true, r.o)
	if err != nil {
		return err
	}
	r.dga = a
	e.Model = a.Top[0].Graph
	e.Admissible = true
	e.limits(a.Median, a.Low, a.High, "posterior, equal tails")
	d := DGADetail{Delta: a.Delta, GridFrom: a.GridFrom, GridTo: a.GridTo, GridPoints: a.GridPoints, Graphs: a.Graphs,
		Mean: a.Mean, Mode: a.Mode, SaturatedShare: a.SaturatedShare, EdgeShare: a.EdgeShare,
		Note: "the prior weight per cell (delta) and the largest number considered (grid cap) can decide the answer; see the sensitivity table"}
	for _, g := range a.Top {
		d.Top = append(d.Top, GraphIn{g.Graph, g.Share})
	}
	e.Detail = d
	return nil
}

func (r *run) chao(e *Entry) error {
	forms := Chao(r.t)
	d := ChaoDetail{Frequencies: forms.Frequencies, BiasCorrected: forms.BiasCorrected,
		Note: "a reference, not a lower bound: it is one only where people differ in how easily they are met and lists are independent"}
	if forms.Defined {
		d.Chao1987, d.Adjusted = number(forms.Chao1987), number(forms.Adjusted)
	}
	if mt, err := Independence(r.t); err == nil {
		d.Mt = number(mt.Estimate)
	}
	if mh, err := MhChao(r.t); err == nil {
		d.MhAbundance = number(mh.Abundance)
		d.Interval = &[2]float64{mh.Low, mh.High}
	}
	e.Detail = &d
	mth, err := MthChao(r.t)
	if err != nil {
		return err
	}
	d.MthAbundance, d.MthStdErr = number(mth.Abundance), number(mth.StdErr)
	e.Model, e.Admissible = "Mth Chao", true
	e.limits(mth.Estimate, mth.Low, mth.High, "multinomial profile likelihood")
	return nil
}

// out writes a bootstrap down.
func (b *Bootstrap) out() *BootOut {
	mean := 0.0
	for _, v := range b.Estimates {
		mean += v
	}
	o := &BootOut{Resamples: b.Resamples, Failed: b.Failed, Z0: b.Z0, Accel: b.Accel, Levels: Levels, BCa: b.BCa[:],
		AdjustedProbs: b.Adjusted[:], Percentile: b.Percentile[:], Median: quantile8(b.Estimates, 0.5),
		Mean: mean / float64(len(b.Estimates)), Min: b.Estimates[0], Max: b.Estimates[len(b.Estimates)-1],
		Histogram: histogram(b.Estimates, 40), Peaks: peaks(b.Estimates), Warnings: b.Warnings}
	o.Chosen = []FrequencyIn{}
	for _, c := range b.Chosen {
		o.Chosen = append(o.Chosen, FrequencyIn(c))
	}
	if o.Peaks > 1 {
		o.Warnings = append(o.Warnings, sprintf("the resamples fall into %d groups: the answer depends on which interactions are chosen", o.Peaks))
	}
	if o.Warnings == nil {
		o.Warnings = []string{}
	}
	return o
}

// histogram has bins of equal width on the log scale.
func histogram(sorted []float64, bins int) Histogram {
	low, high := math.Log(sorted[0]), math.Log(sorted[len(sorted)-1])
	if high-low < 1e-9 {
		low, high = low-0.01, high+0.01
	}
	h := Histogram{Counts: make([]int, bins)}
	for i := range bins + 1 {
		h.Edges = append(h.Edges, math.Exp(low+(high-low)*float64(i)/float64(bins)))
	}
	for _, v := range sorted {
		i := int(float64(bins) * (math.Log(v) - low) / (high - low))
		h.Counts[max(0, min(i, bins-1))]++
	}
	return h
}

// peaks counts the peaks of a kernel density of the logs (Silverman's rule for
// the bandwidth) that rise above a tenth of the highest and are parted by a
// valley below 0.8 of the lower of two neighbours.
func peaks(sorted []float64) int {
	const points = 200
	logs := make([]float64, len(sorted))
	mean, square := 0.0, 0.0
	for i, v := range sorted {
		logs[i] = math.Log(v)
		mean += logs[i]
	}
	mean /= float64(len(logs))
	for _, v := range logs {
		square += (v - mean) * (v - mean)
	}
	sd := math.Sqrt(square / float64(len(logs)))
	spread := math.Min(sd, (quantile8(logs, 0.75)-quantile8(logs, 0.25))/1.34)
	if spread <= 1e-9 {
		spread = sd
	}
	if spread <= 1e-9 {
		return 1
	}
	width := 0.9 * spread * math.Pow(float64(len(logs)), -0.2)
	low, high := logs[0]-3*width, logs[len(logs)-1]+3*width
	density := make([]float64, points)
	for i := range density {
		x := low + (high-low)*float64(i)/(points-1)
		for _, v := range logs {
			if z := (x - v) / width; z > -6 && z < 6 {
				density[i] += math.Exp(-z * z / 2)
			}
		}
	}
	return countPeaks(density)
}

func countPeaks(density []float64) int {
	top := 0.0
	for _, v := range density {
		top = math.Max(top, v)
	}
	count, peak, valley := 0, 0.0, 0.0
	rising := true
	for _, v := range density {
		switch {
		case rising && v >= peak:
			peak = v
		case rising && v < 0.8*peak && peak > 0.1*top:
			count++
			rising, valley = false, v
		case rising: // on the way down from too small a peak, or not yet far enough
		case v < valley:
			valley = v
		case v > valley/0.8 && v > 0.1*top:
			rising, peak = true, v
		}
	}
	if rising && peak > 0.1*top {
		count++
	}
	return max(count, 1)
}

// number is a number for JSON, or null where there is none.
func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// median of some numbers; the slice is sorted.
func median(x []float64) float64 {
	sort.Float64s(x)
	return quantile8(x, 0.5)
}
