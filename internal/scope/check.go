package scope

// This file sets our results beside those of the R packages, one row per
// number, so that anybody with the reference file can see how close they are.

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"path"
	"sort"
	"strings"
)

// Comparison is one number of ours beside the reference.
type Comparison struct {
	Dataset, Method, Quantity string
	Ours, Reference, Allowed  float64
}

// Difference is relative to the reference.
func (c Comparison) Difference() float64 {
	if c.Reference == 0 {
		return math.Abs(c.Ours)
	}
	return math.Abs(c.Ours-c.Reference) / math.Abs(c.Reference)
}

// OK says that the difference is within what is allowed.
func (c Comparison) OK() bool { return c.Difference() <= c.Allowed }

const (
	exactly = 1e-6 // deterministic results
	// R takes standard errors from the weights before glm's last step.
	lastStep = 1e-5
)

// Check compares with every result of the reference that has a counterpart
// here; data holds the tables DATASET.csv.
func Check(ctx context.Context, reference []byte, data fs.FS) ([]Comparison, error) {
	var ref struct {
		Datasets map[string]map[string]json.RawMessage `json:"datasets"`
	}
	if err := json.Unmarshal(reference, &ref); err != nil {
		return nil, &InputError{Reason: "the reference is not JSON: " + err.Error()}
	}
	var names []string
	for name := range ref.Datasets {
		names = append(names, name)
	}
	sort.Strings(names)
	if len(names) == 0 {
		return nil, &InputError{Reason: "the reference has no datasets"}
	}
	c := &checker{ctx: ctx, o: Defaults()}
	for _, name := range names {
		f, err := data.Open(path.Clean(name + ".csv"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
			return nil, &InputError{Reason: "there is no " + quote(name+".csv") + " beside the reference"}
		}
		if err != nil {
			return nil, err
		}
		t, err := Read(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		c.dataset, c.t, c.ref = name, t, ref.Datasets[name]
		if err := c.all(); err != nil {
			return nil, err
		}
	}
	return c.rows, nil
}

type checker struct {
	ctx     context.Context
	o       Options
	dataset string
	t       *Table
	ref     map[string]json.RawMessage
	rows    []Comparison
}

// number looks a number up in a reference result: a.b.0 walks into it.
func (c *checker) number(method, where string) (float64, bool) {
	var at any
	if json.Unmarshal(c.ref[method], &at) != nil {
		return 0, false
	}
	for _, key := range strings.Split(where, "/") {
		switch node := at.(type) {
		case map[string]any:
			at = node[key]
		case []any:
			i := int(key[0] - '0')
			if i >= len(node) {
				return 0, false
			}
			at = node[i]
		default:
			return 0, false
		}
	}
	x, ok := at.(float64)
	return x, ok
}

// put adds a row if the reference has the number.
func (c *checker) put(method, where, quantity string, ours, allowed float64) {
	if want, ok := c.number(method, where); ok {
		c.rows = append(c.rows, Comparison{c.dataset, method, quantity, ours, want, allowed})
	}
}

func (c *checker) has(method string) bool { _, ok := c.ref[method]; return ok }

func (c *checker) all() error {
	for _, step := range []func() error{c.fits, c.bootstrap, c.rankings, c.capture, c.averages} {
		if err := step(); err != nil {
			return err
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) fits() error {
	put := func(method string, f *Fit) {
		c.put(method, "estimate", "estimate", f.Estimate, exactly)
		c.put(method, "ci95/0", "low given model", f.Low, lastStep)
		c.put(method, "ci95/1", "high given model", f.High, lastStep)
		c.put(method, "deviance", "deviance", f.Deviance, exactly)
		c.put(method, "aic", "AIC", f.AIC, exactly)
		c.put(method, "bic", "BIC", f.BIC, exactly)
	}
	f, err := Independence(c.t)
	if err != nil {
		return err
	}
	put("sparsemse_main", f)
	for method, p := range map[string]float64{"sparsemse_stepwise_p0.001": 0.001, "sparsemse_stepwise_p0.02": 0.02, "sparsemse_stepwise_p0.05": 0.05, "mse120_stepwise_p0.02": 0.02} {
		if !c.has(method) {
			continue
		}
		f, _, err := Stepwise(c.t, p)
		if err != nil {
			return err
		}
		put(method, f)
	}
	sort.SliceStable(c.rows, func(i, j int) bool { // the map above has no order
		a, b := c.rows[i], c.rows[j]
		return a.Dataset == b.Dataset && a.Dataset == c.dataset && a.Method < b.Method
	})
	return nil
}

func (c *checker) bootstrap() error {
	const method = "sparsemse_bootstrap_bca_n1000"
	if !c.has(method) {
		return nil
	}
	f, _, err := Stepwise(c.t, DefaultThreshold)
	if err != nil {
		return err
	}
	b, err := BootstrapStepwise(c.ctx, c.t, f.Estimate, DefaultThreshold, c.o)
	if err != nil {
		return err
	}
	c.put(method, "z0", "z0", b.Z0, exactly)
	c.put(method, "ahat", "acceleration", b.Accel, exactly)
	c.put(method, "ci95/0", "BCa low", b.Low(), exactly)
	c.put(method, "ci95/1", "BCa high", b.High(), exactly)
	c.put(method, "percentile95/0", "percentile low", b.PercentileLow(), exactly)
	c.put(method, "percentile95/1", "percentile high", b.PercentileHigh(), exactly)
	return nil
}

func (c *checker) rankings() error {
	for _, r := range []struct {
		method, estimate, bic string
		order                 int
	}{
		{"mse120_bic_maxorder2", "estimate", "BIC", 2},
		{"rcapture_closedpMS_all", "top/0/abundance", "top/0/BIC", c.t.T() - 1},
	} {
		if !c.has(r.method) {
			continue
		}
		ranking, err := RankByBIC(c.ctx, c.t, r.order, c.o)
		if err != nil {
			return err
		}
		c.put(r.method, r.estimate, "best model's estimate", ranking.Models[0].Estimate, exactly)
		c.put(r.method, r.bic, "best model's BIC", ranking.Models[0].BIC, exactly)
		c.put(r.method, "n_admissible_models", "admissible models", float64(len(ranking.Models)), 0)
	}
	return nil
}

func (c *checker) capture() error {
	forms := Chao(c.t)
	c.put("chao_closed_form", "chao1987_f1sq_over_2f2", "Chao", forms.Chao1987, exactly)
	c.put("chao_closed_form", "chao_bias_corrected", "Chao, bias-corrected", forms.BiasCorrected, exactly)
	c.put("chao_closed_form", "chao_t_adjusted", "Chao, adjusted for t", forms.Adjusted, exactly)
	for i, model := range []func(*Table) (*Capture, error){MhChao, MthChao} {
		method := []string{"rcapture_Mh_ChaoLB", "rcapture_Mth_ChaoLB"}[i]
		m, err := model(c.t)
		if err != nil {
			return err
		}
		c.put(method, "results/abundance", "abundance", m.Abundance, exactly)
		c.put(method, "estimate", "profile maximum", m.Estimate, exactly)
		c.put(method, "ci95/0", "profile low", m.Low, exactly)
		c.put(method, "ci95/1", "profile high", m.High, exactly)
	}
	return nil
}

func (c *checker) averages() error {
	n := float64(c.t.Observed())
	if c.t.T() > maxGraphLists {
		return nil
	}
	for _, v := range []struct {
		method    string
		delta     float64
		saturated bool
	}{{"dga_msetools_grid", 0, true}, {"dga_6list", 0, true}, {"dga_delta_half", 0.5, true}, {"dga_delta_one", 1, true}, {"dga_no_saturated", 0, false}} {
		if !c.has(v.method) {
			continue
		}
		a, err := Average(c.ctx, c.t, v.delta, Grid(n, 1000, 30), v.saturated, c.o)
		if err != nil {
			return err
		}
		c.put(v.method, "estimate_median", "median", a.Median, exactly)
		c.put(v.method, "ci95/0", "low", a.Low, exactly)
		c.put(v.method, "ci95/1", "high", a.High, exactly)
		c.put(v.method, "mean", "mean", a.Mean, exactly)
		c.put(v.method, "saturated_post", "saturated graph", a.SaturatedShare, exactly)
	}
	return nil
}
