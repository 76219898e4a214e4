package scope

import (
	"context"
	"strings"
	"testing"
)

func TestThresholdingAgreesWithTheReference(t *testing.T) {
	if testing.Short() {
		t.Skip("Markov chains")
	}
	ref := reference(t)
	for _, name := range []string{"uk_2013_5list", "netherlands_2010_2015_5list"} {
		var want struct {
			Estimate float64   `json:"estimate"`
			CI       []float64 `json:"ci95"`
			Retained []string  `json:"retained"`
		}
		if !ref.decode(t, name, "mse120_bayesthresh", &want) {
			t.Fatal("no reference for", name)
		}
		r := runOn(t, table(t, name), func(o *Options) { o.Methods, o.PanelOnly = []string{"thresholding"}, true })
		e := r.Panel[0]
		if e.Estimate == nil {
			t.Fatalf("%s refuses: %s", name, e.Refusal)
		}
		t.Logf("%s: %.0f (%.0f to %.0f), reference %.0f (%.0f to %.0f), R-hat %.3f", name, *e.Estimate, *e.Low, *e.High, want.Estimate, want.CI[0], want.CI[1], e.Detail.(*ChainDetail).Rhat)
		near(t, name+" median", *e.Estimate, want.Estimate, 0.03)
		near(t, name+" low", *e.Low, want.CI[0], 0.05)
		near(t, name+" high", *e.High, want.CI[1], 0.05)
		if len(e.Selected) != len(want.Retained) {
			t.Errorf("%s keeps %v, reference %v", name, e.Selected, want.Retained)
		}
	}
}

func TestLatentClassesAgreeWhereTheChainsDoAndRefuseWhereTheyDoNot(t *testing.T) {
	if testing.Short() {
		t.Skip("Markov chains")
	}
	ref := reference(t)
	var want struct {
		Median float64   `json:"estimate_median"`
		CI     []float64 `json:"ci95"`
	}
	ref.decode(t, "madigan_york_example_5list", "lcmcr_manual_example", &want)
	o := Defaults()
	o.Sweeps = 2000
	draws, err := latentChains(context.Background(), table(t, "madigan_york_example_5list"), o)
	if err != nil {
		t.Fatal(err)
	}
	d := chainDetail(draws, o.Sweeps)
	t.Logf("Madigan & York: %.0f (%.0f to %.0f), reference %.0f (%.0f to %.0f), R-hat %.3f", d.Pooled[1], d.Pooled[0], d.Pooled[2], want.Median, want.CI[0], want.CI[1], d.Rhat)
	near(t, "Madigan & York median", d.Pooled[1], want.Median, 0.03)
	near(t, "Madigan & York low", d.Pooled[0], want.CI[0], 0.05)
	near(t, "Madigan & York high", d.Pooled[2], want.CI[1], 0.08)

	// UK, five lists: single runs of R settle at 12,000 or at 23,000.
	r := runOn(t, table(t, "uk_2013_5list"), func(o *Options) {
		o.Methods, o.PanelOnly, o.Sweeps = []string{"lcmcr"}, true, 1500
	})
	e := r.Panel[0]
	if e.Estimate != nil || !strings.Contains(e.Refusal, "R-hat") {
		t.Errorf("the chains disagree, yet the answer is %v (%s)", e.Estimate, e.Refusal)
	}
	u := e.Detail.(*ChainDetail)
	t.Logf("UK: R-hat %.2f, medians %.0f, pooled %.0f", u.Rhat, u.ChainMedians, u.Pooled)
	low, high := 0, 0
	for _, m := range u.ChainMedians {
		if m > 10000 && m < 15500 {
			low++
		}
		if m > 18000 && m < 27000 {
			high++
		}
	}
	if low == 0 || high == 0 {
		t.Errorf("chain medians %.0f do not show both modes", u.ChainMedians)
	}
}
