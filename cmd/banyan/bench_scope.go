// The command banyan bench scope: how long the estimates take, beside the
// targets and the R packages' times on a quiet machine with one thread (which
// were measured once, with the calls that the reference file names).

package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"text/tabwriter"
	"time"

	"banyan/internal/scope"
)

const benchScopeUsage = `Usage: banyan bench scope [--data DIR] [--runs 3]
       banyan bench scope --coverage 300 [--data DIR]

With --coverage, draws so many tables from the stepwise fit to the UK five lists,
where the truth is then known, and prints how often each interval held it.

DIR holds the published tables (uk_2013_6list.csv …); by default the folder
data/mse of BANYAN_SHARED, or of ../shared.`

// scopeJob is one row of the table.
type scopeJob struct {
	what   string
	target string // ours, from the design
	peer   string // the R package's time
	do     func(ctx context.Context) error
}

func runBenchScope(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("bench scope", benchScopeUsage, errOut)
	dir := f.String("data", filepath.Join(env("BANYAN_SHARED", filepath.Join("..", "shared")), "data", "mse"), "folder of the published tables")
	runs := f.Int("runs", 3, "runs of each; the middle one is shown")
	coverage := f.Int("coverage", 0, "tables to draw and estimate, instead of timing")
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	if *coverage < 0 || *coverage > 100000 {
		return misuse("--coverage %d is outside 0 to 100000", *coverage)
	}
	if *coverage > 0 {
		return scopeError(coverScope(ctx, *dir, *coverage, out, errOut))
	}
	if *runs < 1 || *runs > 100 {
		return misuse("--runs %d is outside 1 to 100", *runs)
	}
	jobs, err := scopeJobs(*dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d cores, %s, median of %d runs\n\n", runtime.GOMAXPROCS(0), runtime.Version(), *runs)
	w := tabwriter.NewWriter(out, 2, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\twall s\tcpu s\ttarget\tR")
	for _, j := range jobs {
		wall, cpu, err := measure(ctx, *runs, j.do)
		if err != nil {
			return scopeError(fmt.Errorf("%s: %w", j.what, err))
		}
		fmt.Fprintf(w, "%s\t%.4f\t%.4f\t%s\t%s\n", j.what, wall, cpu, j.target, j.peer)
		fmt.Fprintln(errOut, j.what)
	}
	return w.Flush()
}

// measure gives the median wall and processor time.
func measure(ctx context.Context, runs int, do func(context.Context) error) (wall, cpu float64, err error) {
	var walls, cpus []float64
	for range runs {
		begin, used := time.Now(), cpuSeconds()
		if err := do(ctx); err != nil {
			return 0, 0, err
		}
		walls, cpus = append(walls, time.Since(begin).Seconds()), append(cpus, cpuSeconds()-used)
	}
	sort.Float64s(walls)
	sort.Float64s(cpus)
	return walls[runs/2], cpus[runs/2], nil
}

func scopeJobs(dir string) ([]scopeJob, error) {
	tables := map[string]*scope.Table{}
	for _, name := range []string{"uk_2013_6list", "uk_2013_5list", "netherlands_2010_2015_5list", "netherlands_2010_2015_6list"} {
		t, err := readHistories(filepath.Join(dir, name+".csv"))
		if err != nil {
			if os.IsNotExist(err) {
				return nil, misuse("%w; --data names the folder of the published tables", err)
			}
			return nil, err
		}
		tables[name] = t
	}
	uk6, uk5 := tables["uk_2013_6list"], tables["uk_2013_5list"]
	nl5, nl6 := tables["netherlands_2010_2015_5list"], tables["netherlands_2010_2015_6list"]
	o := scope.Defaults()
	stepwise := func(t *scope.Table) func(context.Context) error {
		return func(context.Context) error { _, _, err := scope.Stepwise(t, o.Threshold); return err }
	}
	bca := func(t *scope.Table) func(context.Context) error {
		return func(ctx context.Context) error {
			fit, _, err := scope.Stepwise(t, o.Threshold)
			if err != nil {
				return err
			}
			_, err = scope.BootstrapStepwise(ctx, t, fit.Estimate, o.Threshold, o)
			return err
		}
	}
	dga := func(t *scope.Table, points int) func(context.Context) error {
		grid := scope.Grid(float64(t.Observed()), points, o.GridCap)
		return func(ctx context.Context) error { _, err := scope.Average(ctx, t, 0, grid, true, o); return err }
	}
	rank := func(t *scope.Table, order int, resample bool) func(context.Context) error {
		return func(ctx context.Context) error {
			r, err := scope.RankByBIC(ctx, t, order, o)
			if err == nil && resample {
				_, err = scope.BootstrapBIC(ctx, t, r, o.TopModels, o)
			}
			return err
		}
	}
	whole := func(t *scope.Table) func(context.Context) error {
		return func(ctx context.Context) error {
			r, err := scope.Run(ctx, t, o, nil)
			if err != nil {
				return err
			}
			return scope.WritePage(io.Discard, r, false)
		}
	}
	return []scopeJob{
		{"stepwise, estimate, UK six lists", "-", "0.57", stepwise(uk6)},
		{"stepwise, estimate, UK five lists", "-", "0.18", stepwise(uk5)},
		{"stepwise with BCa, 1,000 resamples, UK six lists", "0.5", "434 (cpu)", bca(uk6)},
		{"stepwise with BCa, 1,000 resamples, UK five lists", "-", "191 (cpu)", bca(uk5)},
		{"stepwise with BCa, 1,000 resamples, Netherlands five lists", "-", "259 (cpu)", bca(nl5)},
		{"dga, five lists, 1,000 grid points (first run lists the graphs)", "0.020", "0.072", dga(uk5, 1000)},
		{"dga, five lists, 27,441 grid points", "-", "2.0", dga(uk5, 27441)},
		{"dga, six lists, 18,154 graphs, 1,000 grid points", "0.3", "1.06", dga(uk6, 1000)},
		{"BIC, five lists, order 2, 1,024 models", "-", "8.4; 4.3 with existence checks", rank(uk5, 2, false)},
		{"BIC, five lists, all 6,893 models", "1", "92", rank(uk5, 4, false)},
		{"BIC, five lists, all models, 1,000 re-selecting resamples", "10", "-", rank(uk5, 4, true)},
		{"BIC, six lists, order 2, 32,768 models", "-", "-", rank(uk6, 2, false)},
		{"whole panel, diagnostics and page, UK six lists", "20", "-", whole(uk6)},
		{"whole panel, diagnostics and page, UK five lists", "20", "-", whole(uk5)},
		{"whole panel, diagnostics and page, Netherlands six lists", "20", "-", whole(nl6)},
	}, nil
}

// held counts how often one interval held the truth.
type held struct {
	name                     string
	tried, hit, above, below int
	logBias                  float64
}

func (h *held) see(estimate, low, high *float64, truth float64) {
	if low == nil || high == nil {
		return
	}
	h.tried++
	switch {
	case truth > *high:
		h.above++
	case truth < *low:
		h.below++
	default:
		h.hit++
	}
	if estimate != nil {
		h.logBias += math.Log(*estimate / truth)
	}
}

// coverScope draws tables from the stepwise fit and runs the panel on each.
func coverScope(ctx context.Context, dir string, tables int, out, errOut io.Writer) error {
	source, err := readHistories(filepath.Join(dir, "uk_2013_5list.csv"))
	if err != nil {
		return err
	}
	o := scope.Defaults()
	o.PanelOnly = true
	fit, _, err := scope.Stepwise(source, o.Threshold)
	if err != nil {
		return err
	}
	rows := []*held{{name: "stepwise, BCa"}, {name: "stepwise, percentile"}, {name: "stepwise, given the model"}, {name: "independence"},
		{name: "bic, BCa"}, {name: "dga"}, {name: "chao"}, {name: "headline's range"}}
	verdicts := map[string]int{}
	progress := newProgress(errOut, false)
	for i := range tables {
		table, people := scope.Simulate(source, fit, o.Seed, i)
		truth := float64(people)
		r, err := scope.Run(ctx, table, o, nil)
		if err != nil {
			return err
		}
		for _, e := range r.Panel {
			switch e.Method {
			case "stepwise":
				rows[0].see(e.Estimate, e.Low, e.High, truth)
				if d, ok := e.Detail.(*scope.StepDetail); ok && d.Percentile != nil {
					rows[1].see(e.Estimate, &d.Percentile[0], &d.Percentile[1], truth)
					rows[2].see(e.Estimate, &d.ModelLow, &d.ModelHigh, truth)
				}
			case "independence":
				rows[3].see(e.Estimate, e.Low, e.High, truth)
			case "bic":
				rows[4].see(e.Estimate, e.Low, e.High, truth)
			case "dga":
				rows[5].see(e.Estimate, e.Low, e.High, truth)
			case "chao":
				rows[6].see(e.Estimate, e.Low, e.High, truth)
			}
		}
		rows[7].see(nil, r.Headline.Low, r.Headline.High, truth)
		verdicts[r.Headline.Verdict]++
		progress.tell("tables", i+1, tables)
	}
	progress.end()
	fmt.Fprintf(out, "%d tables drawn from the stepwise fit to the UK five lists, truth %.0f\n\n", tables, math.Round(fit.Estimate))
	w := tabwriter.NewWriter(out, 2, 0, 2, ' ', 0)
	fmt.Fprintln(w, "95 % interval\ttables\theld the truth\ttruth above\ttruth below\tmean log bias")
	for _, h := range rows {
		if h.tried == 0 {
			continue
		}
		bias := fmt.Sprintf("%.3f", h.logBias/float64(h.tried))
		if h == rows[7] {
			bias = "-" // a range has no middle
		}
		fmt.Fprintf(w, "%s\t%d\t%.1f %%\t%d\t%d\t%s\n", h.name, h.tried, 100*float64(h.hit)/float64(h.tried), h.above, h.below, bias)
	}
	w.Flush()
	fmt.Fprintf(out, "\nheadlines: %d published, %d range only, %d refused\n", verdicts[scope.Publish], verdicts[scope.RangeOnly], verdicts[scope.Refuse])
	return nil
}
