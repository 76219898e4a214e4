package scope

import (
	"context"
	"encoding/json"
	"math"
	"math/bits"
	"testing"
)

func TestEveryHierarchicalModelIsEnumeratedOnce(t *testing.T) {
	for _, c := range []struct{ lists, order, want int }{{3, 2, 8}, {4, 3, 113}, {5, 4, 6893}, {5, 2, 1024}, {6, 2, 32768}} {
		models := Enumerate(c.lists, c.order)
		seen := map[string]bool{}
		for _, m := range models {
			seen[m.String()] = true
		}
		if len(models) != c.want || len(seen) != c.want {
			t.Errorf("%d lists, order %d: %d models, %d of them different, want %d", c.lists, c.order, len(models), len(seen), c.want)
		}
	}
}

type refRanked struct {
	Model     string  `json:"model"`
	Abundance float64 `json:"abundance"`
	BIC       float64 `json:"BIC"`
	StdErr    float64 `json:"stderr"`
	Deviance  float64 `json:"deviance"`
}

func TestBICRanksModelsAsTheRPackagesDo(t *testing.T) {
	ref := reference(t)
	for _, name := range published {
		tab := table(t, name)
		var mse struct {
			Estimate   float64     `json:"estimate"`
			Model      string      `json:"model"`
			BIC        float64     `json:"BIC"`
			Admissible int         `json:"n_admissible_models"`
			Top        []refRanked `json:"top"`
			Range      []float64   `json:"abundance_range"`
		}
		if ref.decode(t, name, "mse120_bic_maxorder2", &mse) {
			r, err := RankByBIC(context.Background(), tab, 2, Defaults())
			if err != nil {
				t.Fatal(name, err)
			}
			if len(r.Models) != mse.Admissible || r.Models[0].Model.String() != mse.Model {
				t.Errorf("%s: %d admissible, best %s; reference %d, %s", name, len(r.Models), r.Models[0].Model, mse.Admissible, mse.Model)
			}
			low, high := math.Inf(1), 0.0
			for _, m := range r.Models {
				low, high = math.Min(low, m.Estimate), math.Max(high, m.Estimate)
			}
			near(t, name+" smallest estimate", low, mse.Range[0], deterministic)
			near(t, name+" largest estimate", high, mse.Range[1], deterministic)
			compareRanking(t, name, r, mse.Top)
		}
		var all struct {
			Top []refRanked `json:"top"`
		}
		if ref.decode(t, name, "rcapture_closedpMS_all", &all) {
			r, err := RankByBIC(context.Background(), tab, tab.T()-1, Defaults())
			if err != nil {
				t.Fatal(name, err)
			}
			compareRanking(t, name+" all orders", r, all.Top)
		}
	}
}

// compareRanking looks each reference model up by name: models that tie in BIC
// up to rounding may stand in either order.
func compareRanking(t *testing.T, what string, r *Ranking, top []refRanked) {
	t.Helper()
	if len(top) == 0 {
		t.Errorf("%s: the reference is empty", what)
	}
	place := map[string]int{}
	for i, m := range r.Models {
		place[m.Model.String()] = i
	}
	for i, want := range top {
		at, ok := place[want.Model]
		if !ok {
			t.Errorf("%s: model %s is missing", what, want.Model)
			continue
		}
		got := r.Models[at]
		near(t, what+" "+want.Model+" estimate", got.Estimate, want.Abundance, deterministic)
		near(t, what+" "+want.Model+" BIC", got.BIC, want.BIC, deterministic)
		if at != i && math.Abs(r.Models[i].BIC-got.BIC) > 1e-6 {
			t.Errorf("%s: model %s is in place %d, reference %d", what, want.Model, at+1, i+1)
		}
	}
}

func TestChaoModelsAgreeWithRcapture(t *testing.T) {
	ref := reference(t)
	for _, name := range published {
		tab := table(t, name)
		var forms struct {
			F         []int64 `json:"f"`
			Plain     float64 `json:"chao1987_f1sq_over_2f2"`
			Corrected float64 `json:"chao_bias_corrected"`
			Adjusted  float64 `json:"chao_t_adjusted"`
		}
		if !ref.decode(t, name, "chao_closed_form", &forms) {
			t.Fatal("no closed forms for", name)
		}
		got := Chao(tab)
		near(t, name+" Chao", got.Chao1987, forms.Plain, deterministic)
		near(t, name+" Chao corrected", got.BiasCorrected, forms.Corrected, deterministic)
		near(t, name+" Chao adjusted", got.Adjusted, forms.Adjusted, deterministic)
		for method, model := range map[string]func(*Table) (*Capture, error){"rcapture_Mh_ChaoLB": MhChao, "rcapture_Mth_ChaoLB": MthChao} {
			var want struct {
				Estimate float64         `json:"estimate"`
				CI       []float64       `json:"ci95"`
				Results  json.RawMessage `json:"results"`
			}
			var fit struct {
				Abundance, Stderr, Deviance, AIC, BIC float64
				DF                                    int
			}
			if !ref.decode(t, name, method, &want) {
				t.Fatal("no", method, "for", name)
			}
			if err := json.Unmarshal(want.Results, &fit); err != nil {
				t.Fatal(err)
			}
			c, err := model(tab)
			if err != nil {
				t.Fatal(name, method, err)
			}
			near(t, name+" "+method+" abundance", c.Abundance, fit.Abundance, deterministic)
			near(t, name+" "+method+" stderr", c.StdErr, fit.Stderr, 1e-4) // glm's weights, see waldAsGLM
			near(t, name+" "+method+" deviance", c.Deviance, fit.Deviance, deterministic)
			near(t, name+" "+method+" AIC", c.AIC, fit.AIC, deterministic)
			near(t, name+" "+method+" BIC", c.BIC, fit.BIC, deterministic)
			near(t, name+" "+method+" profile maximum", c.Estimate, want.Estimate, deterministic)
			near(t, name+" "+method+" profile low", c.Low, want.CI[0], deterministic)
			near(t, name+" "+method+" profile high", c.High, want.CI[1], deterministic)
			if c.DF != fit.DF {
				t.Errorf("%s %s: %d degrees of freedom, reference %d", name, method, c.DF, fit.DF)
			}
		}
	}
}

func TestDecomposableGraphsAreCounted(t *testing.T) {
	for lists, want := range map[int]int{2: 2, 3: 8, 4: 61, 5: 822, 6: 18154} {
		got := graphs(lists)
		if len(got) != want {
			t.Errorf("%d lists: %d graphs, want %d", lists, len(got), want)
		}
		for _, g := range got {
			if g.den == nil && bits.OnesCount(uint(g.num[0])) == lists && !g.saturated() {
				t.Errorf("%d lists: %v is not the saturated graph", lists, g.cliques)
			}
		}
	}
}

type refDGA struct {
	Median    float64   `json:"estimate_median"`
	CI        []float64 `json:"ci95"`
	Mean      float64   `json:"mean"`
	Mode      float64   `json:"mode"`
	Saturated float64   `json:"saturated_post"`
	Edge      float64   `json:"mass_in_top_1pct_of_grid"`
	Top       []struct {
		Graph string  `json:"graph"`
		Post  float64 `json:"post"`
	} `json:"top_models"`
}

func TestAveragingAgreesWithDGA(t *testing.T) {
	ref := reference(t)
	whole := func(n float64) []float64 { // 0 … 10n
		grid := make([]float64, int(10*n)+1)
		for i := range grid {
			grid[i] = float64(i)
		}
		return grid
	}
	for _, name := range published {
		tab := table(t, name)
		n := float64(tab.Observed())
		grid := Grid(n, 1000, 30)
		for _, c := range []struct {
			method    string
			delta     float64
			grid      []float64
			saturated bool
		}{
			{"dga_msetools_grid", 0, grid, true}, {"dga_6list", 0, grid, true}, {"dga_full_integer_grid_10n", 0, whole(n), true},
			{"dga_delta_half", 0.5, grid, true}, {"dga_delta_one", 1, grid, true}, {"dga_no_saturated", 0, grid, false},
		} {
			var want refDGA
			if !ref.decode(t, name, c.method, &want) {
				continue
			}
			got, err := Average(context.Background(), tab, c.delta, c.grid, c.saturated, Defaults())
			if err != nil {
				t.Fatal(err)
			}
			what := name + " " + c.method
			near(t, what+" median", got.Median, want.Median, deterministic)
			near(t, what+" low", got.Low, want.CI[0], deterministic)
			near(t, what+" high", got.High, want.CI[1], deterministic)
			if want.Mean != 0 {
				near(t, what+" mean", got.Mean, want.Mean, deterministic)
				near(t, what+" mode", got.Mode, want.Mode, deterministic)
			}
			if want.Saturated != 0 {
				near(t, what+" saturated graph", got.SaturatedShare/want.Saturated, 1, deterministic)
			}
			for i, g := range want.Top {
				near(t, what+" graph "+g.Graph, got.Top[i].Share, g.Post, deterministic)
			}
		}
	}
}

func BenchmarkDGA(b *testing.B) {
	for _, name := range []string{"uk_2013_5list", "uk_2013_6list"} {
		tab := table(b, name)
		grid := Grid(float64(tab.Observed()), 1000, 30)
		b.Run(name, func(b *testing.B) {
			graphs(tab.T())
			for b.Loop() {
				if _, err := Average(context.Background(), tab, 0, grid, true, Defaults()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGraphsOnSixLists(b *testing.B) {
	for b.Loop() {
		enumerateGraphs(6)
	}
}

func BenchmarkBICUK5AllModels(b *testing.B) {
	tab := table(b, "uk_2013_5list")
	for b.Loop() {
		if _, err := RankByBIC(context.Background(), tab, 4, Defaults()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBICBootstrapUK5(b *testing.B) {
	tab := table(b, "uk_2013_5list")
	r, err := RankByBIC(context.Background(), tab, 4, Defaults())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		boot, err := BootstrapBIC(context.Background(), tab, r, 100, Defaults())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(boot.Low(), "low")
		b.ReportMetric(boot.High(), "high")
	}
}
