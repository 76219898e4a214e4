package scope

// These tests hold the package to the results of the real R packages. The
// published capture histories in testdata are facts from the papers named in
// testdata/README.md; the reference results are read from the shared folder
// where it is present.

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sharedDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("BANYAN_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", "mse")
	if _, err := os.Stat(filepath.Join(dir, "reference.json")); err != nil {
		t.Skip("no reference results here; set BANYAN_SHARED to the shared folder")
	}
	return dir
}

type refData struct {
	Datasets            map[string]map[string]json.RawMessage `json:"datasets"`
	InternalConsistency struct {
		Rows []refConsistency `json:"rows"`
	} `json:"internal_consistency"`
}

type refConsistency struct {
	Dataset   string   `json:"dataset"`
	List      string   `json:"reference_list"`
	Truth     int64    `json:"true_N"`
	Elsewhere int64    `json:"n_observed_elsewhere"`
	Two       int64    `json:"n_in_2plus"`
	Main      *float64 `json:"main"`
	Stepwise  *float64 `json:"stepwise_p0.02"`
	BIC       *float64 `json:"bic_maxorder2"`
	DGA       float64  `json:"dga_median"`
}

func reference(t testing.TB) refData {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(sharedDir(t), "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r refData
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// decode reads one reference result, or says that there is none.
func (r refData) decode(t testing.TB, dataset, method string, into any) bool {
	t.Helper()
	raw, ok := r.Datasets[dataset][method]
	if !ok {
		return false
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s %s: %v", dataset, method, err)
	}
	return true
}

// table reads a published table from testdata.
func table(t testing.TB, name string) *Table {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var published = []string{"madigan_york_example_5list", "netherlands_2010_2015_5list", "netherlands_2010_2015_6list",
	"uk_2013_4list", "uk_2013_5list", "uk_2013_6list"}

func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance*math.Max(math.Abs(want), 1e-3) {
		t.Errorf("%s: got %.10g, reference %.10g, off by %.2g", what, got, want, math.Abs(got-want)/math.Abs(want))
	}
}

type refFit struct {
	Estimate float64            `json:"estimate"`
	CI       []float64          `json:"ci95"`
	Deviance float64            `json:"deviance"`
	AIC      float64            `json:"aic"`
	BIC      float64            `json:"bic"`
	DF       int                `json:"df"`
	Coef     map[string]float64 `json:"coef"`
	Finite   []string           `json:"pairs_finite"`
	Infinite []string           `json:"pairs_minus_inf"`
	Model    string             `json:"model"`
}

const deterministic = 1e-6

func TestFitsAgreeWithSparseMSE(t *testing.T) {
	ref := reference(t)
	for _, name := range published {
		tab := table(t, name)
		var want refFit
		if ref.decode(t, name, "sparsemse_main", &want) {
			got, err := Independence(tab)
			if err != nil {
				t.Fatal(name, err)
			}
			compareFit(t, name+" independence", tab, got, want)
		}
		for method, p := range map[string]float64{"sparsemse_stepwise_p0.02": .02, "sparsemse_stepwise_p0.05": .05, "sparsemse_stepwise_p0.001": .001} {
			var want refFit
			if !ref.decode(t, name, method, &want) {
				continue
			}
			got, steps, err := Stepwise(tab, p)
			if err != nil {
				t.Fatal(name, err)
			}
			compareFit(t, name+" "+method, tab, got, want)
			var finite, infinite []string
			for _, s := range steps {
				if s.Empty {
					infinite = append(infinite, tab.Name(s.Pair))
				} else {
					finite = append(finite, tab.Name(s.Pair))
				}
			}
			if strings.Join(finite, " ") != strings.Join(want.Finite, " ") || strings.Join(infinite, " ") != strings.Join(want.Infinite, " ") {
				t.Errorf("%s %s: pairs %v and %v, reference %v and %v", name, method, finite, infinite, want.Finite, want.Infinite)
			}
		}
		var mse refFit
		if ref.decode(t, name, "mse120_stepwise_p0.02", &mse) {
			got, _, err := Stepwise(tab, .02)
			if err != nil {
				t.Fatal(name, err)
			}
			near(t, name+" BIC", got.BIC, mse.BIC, deterministic)
			if got.Model.String() != mse.Model {
				t.Errorf("%s: model %s, reference %s", name, got.Model, mse.Model)
			}
		}
	}
}

func compareFit(t *testing.T, what string, tab *Table, got *Fit, want refFit) {
	t.Helper()
	near(t, what+" estimate", got.Estimate, want.Estimate, deterministic)
	low, high := waldAsGLM(t, tab, got)
	near(t, what+" low", low, want.CI[0], deterministic)
	near(t, what+" high", high, want.CI[1], deterministic)
	near(t, what+" low, converged", got.Low, want.CI[0], 1e-5)
	near(t, what+" high, converged", got.High, want.CI[1], 1e-5)
	near(t, what+" deviance", got.Deviance, want.Deviance, deterministic)
	near(t, what+" AIC", got.AIC, want.AIC, deterministic)
	if got.DF != want.DF {
		t.Errorf("%s: %d degrees of freedom, reference %d", what, got.DF, want.DF)
	}
	for _, p := range got.Params {
		if p.Infinite {
			continue
		}
		name := tab.Name(p.Set)
		if p.Set == 0 {
			name = "(Intercept)"
		}
		ref, ok := want.Coef[name]
		if !ok {
			t.Errorf("%s: the reference has no coefficient %s", what, name)
		}
		near(t, what+" coefficient "+name, p.Value, ref, deterministic)
	}
}

// waldAsGLM gives the Wald limits as R's glm does: iteration ends when the
// deviance moves by less than 1e-8 of itself, and the standard error is taken
// from the weights before the last step. Ours are taken at the estimate; they
// differ by up to 4e-6, and this shows that nothing else differs.
func waldAsGLM(t *testing.T, tab *Table, got *Fit) (low, high float64) {
	t.Helper()
	s := newSession(tab.T())
	s.take(tab.Counts)
	s.finite = split(got.Model, s.star, s.dead, s.finite)
	s.resize(len(s.finite))
	for i, term := range s.finite {
		s.target[i] = s.star[term]
	}
	if !s.firstGuess(s.y) {
		t.Fatal("no first guess")
	}
	deviance := func() float64 {
		d := 0.0
		for h, y := range s.y {
			if s.dead[h] {
				continue
			}
			d += 2 * (s.mu[h] - y)
			if y > 0 {
				d += 2 * y * math.Log(y/s.mu[h])
			}
		}
		return d
	}
	p := len(s.params)
	s.expected(s.params)
	old := deviance()
	for range 50 {
		s.fillHess()
		cholesky(s.hess, p)
		for i, term := range s.finite {
			s.step[i] = s.target[i] - s.mstar[term]
		}
		cholSolve(s.hess, p, s.step)
		for i := range s.params {
			s.params[i] += s.step[i]
		}
		variance := make([]float64, p)
		variance[0] = 1
		cholSolve(s.hess, p, variance)
		s.expected(s.params)
		now := deviance()
		if math.Abs(now-old)/(math.Abs(now)+0.1) < 1e-8 {
			se := z95 * math.Sqrt(variance[0])
			return s.n + math.Exp(s.params[0]-se), s.n + math.Exp(s.params[0]+se)
		}
		old = now
	}
	t.Fatal("glm's rule never ended")
	return 0, 0
}
