// banyan bench release: the figures of safe releases, each with its target and
// with what the Synthetic Data Showcase (SDS) reaches on the same file and k.
// The SDS figures were measured once on the same public data, R = 3, two cores;
// the row-seeded synthesis and the differentially private aggregates of its
// Rust packages.

package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"banyan/internal/disclosure/attack"
	"banyan/internal/disclosure/count"
	"banyan/internal/disclosure/dp"
	"banyan/internal/disclosure/evaluate"
	"banyan/internal/disclosure/report"
	"banyan/internal/disclosure/suppress"
	"banyan/internal/disclosure/synth"
	"banyan/internal/disclosure/table"
)

// What SDS reaches: per cent lost of the values, pairs and triples that occur 10
// times or more.
var (
	sdsKAnon193k = [3]float64{0, 4.8, 9.6}
	sdsKAnon5k   = [3]float64{0, 8.7, 24}
	sdsDP193k    = [3]float64{38, 44, 64} // aggregates, epsilon 4
	sdsDP5k      = [3]float64{60, 68, 90} // aggregates, epsilon 4
)

// releaseBench is one run of the bench.
type releaseBench struct {
	ctx     context.Context
	out     io.Writer
	program string
	all     *table.Table
	some    *table.Table // 5,000 random rows
	lost    []report.Bar // for the plot
}

func benchRelease(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newReleaseFlags("release", "", out)
	shared := f.String("data", sharedFolder(), "the folder with data/ctdc and data/unodc (also BANYAN_SHARED)")
	program := f.String("program", filepath.Join("examples", "program.yaml"), "the programme of 25 two-way tables")
	large := f.Bool("large", false, "also 1 and 10 million rows (some minutes)")
	audit := f.Bool("audit", true, "also the audit by simulation, 100,000 runs of each mechanism (about a minute)")
	only := f.String("only", "", "only these, as a,b: tables, kanon, dp, records, unodc, membership, audit, growth")
	plot := f.String("plot", "", "draw our losses beside those of SDS into this SVG file")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	b := &releaseBench{ctx: ctx, out: out, program: *program}
	path := filepath.Join(*shared, "data", "ctdc", "ctdc_global_synthetic_2021.csv.xz")
	if _, err := os.Stat(path); err != nil {
		return misuse("the CTDC file is not in %s: name the folder with --data", *shared)
	}
	if _, err := os.Stat(*program); err != nil {
		return misuse("the programme of tables is not at %s: name it with --program", *program)
	}
	steps := []struct {
		name string
		skip bool
		run  func() error
	}{
		{"aggregates", false, func() error { return b.aggregates(path) }}, // reads the data for all
		{"tables", false, b.tables},
		{"kanon", false, b.kAnonymous},
		{"dp", false, b.privateTables},
		{"records", false, b.privateRecords},
		{"unodc", false, func() error {
			return b.published(filepath.Join(*shared, "data", "unodc", "glotip_2023.csv.xz"))
		}},
		{"membership", false, b.membership},
		{"audit", !*audit, b.audits},
		{"growth", !*large, b.growth},
	}
	for i, step := range steps {
		if wanted := splitList(*only); i > 0 && (step.skip && len(wanted) == 0 || len(wanted) > 0 && !slices.Contains(wanted, step.name)) {
			continue
		}
		if err := step.run(); err != nil {
			return fmt.Errorf("bench %s: %w", step.name, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if *plot == "" {
		return nil
	}
	svg := report.Plot("Combinations of 10 or more persons that are lost (per cent): Banyan beside SDS", b.lost)
	return os.WriteFile(*plot, svg, 0o644)
}

func sharedFolder() string {
	if d := os.Getenv("BANYAN_SHARED"); d != "" {
		return d
	}
	return filepath.Join("..", "shared")
}

// cost is what a piece of work took.
type cost struct{ wall, cpu float64 }

func timed(f func() error) (cost, error) {
	c0, t0 := cpuSeconds(), time.Now()
	err := f()
	return cost{time.Since(t0).Seconds(), cpuSeconds() - c0}, err
}

func (b *releaseBench) head(format string, args ...any) {
	fmt.Fprintf(b.out, "\n%s\n", fmt.Sprintf(format, args...))
}

// line prints a figure with its target and its baseline.
func (b *releaseBench) line(what, figure, target, baseline string) {
	fmt.Fprintf(b.out, "  %-52s %-30s target %-18s SDS %s\n", what, figure, target, baseline)
}

func (c cost) String() string { return fmt.Sprintf("%.2f s wall, %.2f s CPU", c.wall, c.cpu) }

func (b *releaseBench) aggregates(path string) error {
	var n int
	c, err := timed(func() error {
		t, err := table.ReadFile(path, table.Options{})
		if err != nil {
			return err
		}
		combos := count.Combinations(t.Distinct(), 3, 10)
		n = len(combos)
		b.all = t
		return count.WriteAggregates(io.Discard, t, combos, 10)
	})
	if err != nil {
		return err
	}
	b.some = b.all.Sample(rand.New(rand.NewPCG(5000, 1)).Perm(b.all.Rows())[:5000])
	b.head("Aggregates of %d rows × %d columns, k = 10, length 3, reading included", b.all.Rows(), len(b.all.Columns))
	b.line("combinations", fmt.Sprint(n), "-", "-")
	b.line("time", c.String(), "1 s", "18 s CPU")
	b.line("peak memory", fmt.Sprintf("%.0f MB", peakMemoryMB()), "300 MB", "1.2 GB")
	return nil
}

func (b *releaseBench) tables() error {
	b.head("Safe tables, threshold 11: citizenship × gender, CountryOfExploitation × ageBroad")
	var res *suppress.Result
	var solved *attack.Solved
	var rel *suppress.Release
	dir, err := os.MkdirTemp("", "banyan-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c, err := timed(func() error {
		x, err := suppress.Count(b.all, [][]string{{"citizenship", "gender"}, {"CountryOfExploitation", "ageBroad"}})
		if err != nil {
			return err
		}
		if res, err = x.Protect(suppress.Options{Threshold: 11}); err != nil {
			return err
		}
		if _, err = x.Write(dir); err != nil {
			return err
		}
		if rel, err = suppress.ReadRelease(dir); err != nil {
			return err
		}
		solved, err = rel.Attack(math.Inf(1))
		return err
	})
	if err != nil {
		return err
	}
	hidden, narrow := 0, 0
	for i, fig := range rel.Figures {
		if fig.Hidden {
			hidden++
			if solved.Ranges[i].Width() < float64(res.Protection) {
				narrow++
			}
		}
	}
	b.line("cells, hidden small, hidden to protect", fmt.Sprintf("%d, %d, %d", res.Cells, res.Primary, res.Complementary), "-", "does not protect")
	b.line("hidden cells that the attack narrows", fmt.Sprintf("%d of %d", narrow, hidden), "0", "-")
	b.line("time, attack included", c.String(), "-", "-")
	return nil
}

func (b *releaseBench) kAnonymous() error {
	for _, set := range []struct {
		name   string
		data   *table.Table
		target [3]float64
		sds    [3]float64
		rows   string
		time   string
	}{
		{"193,025 rows", b.all, [3]float64{0, 2, 5}, sdsKAnon193k, "9 % more out", "154 s CPU"},
		{"5,000 random rows", b.some, [3]float64{0, 5, 15}, sdsKAnon5k, "62 % more out", "-"},
	} {
		var made *table.Table
		c, err := timed(func() (err error) { made, err = synth.KAnonymous(b.ctx, set.data, 10, 3); return err })
		if err != nil {
			return err
		}
		e := evaluate.Compare(set.data, made, 10, 3)
		b.head("k-anonymous synthesis, k = 10, length 3, %s", set.name)
		b.losses(e, "k-anonymous, "+set.name, set.target[:], set.sds)
		leaks := e.SDS.Leaked
		for _, l := range e.Lengths {
			leaks += l.Fabricated
		}
		b.line("combinations rarer than k", fmt.Sprint(leaks), "0", "0")
		b.line("records rarer than k as a whole", fmt.Sprint(e.WholeRows), "-", "0")
		b.line("rows in → out", fmt.Sprintf("%d → %d", e.RowsIn, e.RowsOut), "± 1 %", set.rows)
		for i, l := range e.Lengths {
			b.line(fmt.Sprintf("counts preserved, relative error, length %d", i+1), fmt.Sprintf("%.3f, %.3f", l.Preserved, l.MeanRelErr), "-", "not measured")
		}
		b.line("SDS's own measures: preservation, error", fmt.Sprintf("%.3f, %.3f", e.SDS.Preservation, e.SDS.ProportionalError), "-", "not measured")
		b.line("time", c.String(), "10 s", set.time)
	}
	b.line("peak memory so far", fmt.Sprintf("%.0f MB", peakMemoryMB()), "-", "2.1 GB")
	return nil
}

// losses prints what is lost by length, and keeps it for the plot.
func (b *releaseBench) losses(e *evaluate.Evaluation, name string, target []float64, sds [3]float64) {
	for i, l := range e.Lengths {
		kind := []string{"values", "pairs", "triples"}[i]
		goal := "-"
		if target != nil {
			goal = fmt.Sprintf("%g %%", target[i])
		}
		b.line(kind+" lost", fmt.Sprintf("%.2f %% of %d", l.LostPercent, l.Frequent), goal, fmt.Sprintf("%g %%", sds[i]))
		if i > 0 || target == nil {
			b.lost = append(b.lost,
				report.Bar{Label: name + ", " + kind, Value: l.LostPercent, Text: fmt.Sprintf("%.1f Banyan", l.LostPercent), Class: "a"},
				report.Bar{Label: "", Value: sds[i], Text: fmt.Sprintf("%g SDS", sds[i]), Class: "b"})
		}
	}
}

const benchEpsilon, benchDelta = 4, 1e-6

func (b *releaseBench) privateTables() error {
	prog, err := openProgramme(b.program)
	if err != nil {
		return err
	}
	rho, err := dp.Rho(benchEpsilon, benchDelta)
	if err != nil {
		return err
	}
	for _, set := range []struct {
		name string
		data *table.Table
		sds  string
	}{{"5,000 random rows", b.some, "0.12"}, {"193,025 rows", b.all, "0.13"}} {
		coded, err := prog.Code(set.data)
		if err != nil {
			return err
		}
		var rel *dp.Release
		c, err := timed(func() error {
			rel, err = privateRelease(b.ctx, prog, coded, rho)
			return err
		})
		if err != nil {
			return err
		}
		worst := 0.0
		for _, q := range rel.Queries {
			worst = max(worst, rel.StdDev(q.By))
		}
		b.head("Tables with differential privacy, epsilon %d, delta %g, 25 two-way tables, %s", benchEpsilon, benchDelta, set.name)
		b.line("largest standard deviation of a cell", fmt.Sprintf("%.3f", worst), "5.2", "-")
		const runs = 20
		cells, covered, square, middle, middleErr := 0.0, 0.0, 0.0, 0.0, 0.0
		for range runs {
			again, err := privateRelease(b.ctx, prog, coded, rho)
			if err != nil {
				return err
			}
			for _, q := range again.Queries {
				truth := coded.Count(q.By)
				for i, cell := range again.Cells(q.By) {
					n := float64(truth[i])
					cells++
					if cell.Low <= n && n <= cell.High {
						covered++
					}
					square += (cell.Count - n) * (cell.Count - n)
					if n >= 100 && n < 1000 {
						middle++
						middleErr += math.Abs(cell.Count-n) / n
					}
				}
			}
		}
		b.line(fmt.Sprintf("95 %% intervals that hold, %d runs", runs), fmt.Sprintf("%.2f %% of %.0f", 100*covered/cells, cells), "94 – 96 %", "gives none")
		b.line("root mean square error of published cells", fmt.Sprintf("%.2f", math.Sqrt(square/cells)), "-", "-")
		b.line("relative error of cells of 100 – 999", fmt.Sprintf("%.3f", middleErr/middle), "-", set.sds+" (aggregates)")
		b.line("time, exact counts to consistent tables", c.String(), "1 s", "-")
	}
	return nil
}

func privateRelease(ctx context.Context, prog *dp.Programme, coded *dp.Coded, rho float64) (*dp.Release, error) {
	plan, err := dp.NewPlan(coded.Unit, coded.Domains, coded.Queries, prog.Objective, rho)
	if err != nil {
		return nil, err
	}
	m, err := plan.Measure(ctx, coded.Count, dp.Secure())
	if err != nil {
		return nil, err
	}
	s, err := m.Settle(ctx)
	return &dp.Release{Measured: m, Settled: s}, err
}

func (b *releaseBench) privateRecords() error {
	prog, err := openProgramme(b.program)
	if err != nil {
		return err
	}
	rho, err := dp.Rho(benchEpsilon, benchDelta)
	if err != nil {
		return err
	}
	for _, set := range []struct {
		name  string
		data  *table.Table
		sds   [3]float64
		after string
	}{{"5,000 random rows", b.some, sdsDP5k, "0.60 (after synthesis)"}, {"193,025 rows", b.all, sdsDP193k, "0.13 (aggregates)"}} {
		coded, err := prog.CodeAll(set.data)
		if err != nil {
			return err
		}
		var made *table.Table
		c, err := timed(func() error {
			res, err := synth.Private(b.ctx, coded, nil, rho, dp.Secure())
			if err != nil {
				return err
			}
			made, err = res.Table()
			return err
		})
		if err != nil {
			return err
		}
		x, y, err := table.Union(set.data, made)
		if err != nil {
			return err
		}
		e := evaluate.Compare(x, y, 10, 3)
		b.head("Records with differential privacy, epsilon %d, delta %g, %s × %d columns", benchEpsilon, benchDelta, set.name, len(coded.Domains))
		b.losses(e, "DP ε = 4, "+set.name, nil, set.sds)
		for _, band := range e.Bands {
			if band.Length == 2 && band.From == 100 {
				b.line("relative error of pairs of 100 – 999", fmt.Sprintf("%.3f", band.MeanRelErr), "-", set.after)
			}
		}
		for _, l := range e.Lengths {
			b.line(fmt.Sprintf("total variation, length %d", l.Length), fmt.Sprintf("%.4f", l.TotalVariation), "-", "-")
		}
		b.line("rows in → out", fmt.Sprintf("%d → %d", e.RowsIn, e.RowsOut), "-", "-")
		b.line("time", c.String(), "300 s", "-")
	}
	return nil
}

func (b *releaseBench) published(path string) error {
	for _, assume := range []bool{false, true} {
		f, err := os.Open(path)
		if err != nil {
			return misuse("the UNODC file: %v", err)
		}
		defer f.Close()
		r, err := table.Decompress(path, f)
		if err != nil {
			return err
		}
		var rep *attack.PublishedReport
		c, err := timed(func() error {
			rep, err = attack.AttackPublished(r, attack.Layout{Value: "txtVALUE", Source: "Iso3_code", AssumeTotals: assume,
				Totals: map[string]string{"Sex": "Total", "Age": "Total"}, Hidden: []attack.Hidden{{Mark: "<5", Lo: 0, Hi: 4}}})
			return err
		})
		if err != nil {
			return err
		}
		how := "totals proven by their source's record"
		if assume {
			how = "all totals taken as sums"
		}
		b.head("Attack on the published UNODC table, %s", how)
		b.line("hidden cells that follow exactly", fmt.Sprintf("%d of %d (%.1f %%)", len(rep.Recovered), rep.HiddenCells, 100*float64(len(rep.Recovered))/float64(rep.HiddenCells)), "thousands", "-")
		b.line("time", c.String(), "-", "-")
	}
	return nil
}

// membership makes records of half of 5,000 rows and asks which half they are of.
func (b *releaseBench) membership() error {
	var in, not []int
	for i := range b.some.Rows() {
		if i%2 == 0 {
			in = append(in, i)
		} else {
			not = append(not, i)
		}
	}
	members, others := b.some.Sample(in), b.some.Sample(not)
	b.head("Membership inference: records of %d rows, %d others (0.5 is guessing)", len(in), len(not))
	auc, adv := attack.Membership(members, members, others)
	b.line("the rows themselves: AUC, advantage", fmt.Sprintf("%.3f, %.3f", auc, adv), "-", "-")
	made, err := synth.KAnonymous(b.ctx, members, 10, 3)
	if err != nil {
		return err
	}
	auc, adv = attack.Membership(made, members, others)
	b.line("k-anonymous: AUC, advantage", fmt.Sprintf("%.3f, %.3f", auc, adv), "-", "-")
	prog, err := openProgramme(b.program)
	if err != nil {
		return err
	}
	coded, err := prog.CodeAll(members)
	if err != nil {
		return err
	}
	for _, eps := range []float64{1, 4} {
		rho, err := dp.Rho(eps, benchDelta)
		if err != nil {
			return err
		}
		res, err := synth.Private(b.ctx, coded, nil, rho, dp.Secure())
		if err != nil {
			return err
		}
		made, err := res.Table()
		if err != nil {
			return err
		}
		x, y, err := table.Union(b.some, made)
		if err != nil {
			return err
		}
		auc, adv := attack.Membership(y, x.Sample(in), x.Sample(not))
		// Kairouz, Oh & Viswanath 2015: the best test of an (ε, δ) mechanism.
		most := (math.Exp(eps) - 1 + 2*benchDelta) / (math.Exp(eps) + 1)
		b.line(fmt.Sprintf("DP ε = %g: AUC, advantage", eps), fmt.Sprintf("%.3f, %.3f", auc, adv), fmt.Sprintf("at most %.3f", most), "-")
	}
	return nil
}

const auditRuns = 100_000

func (b *releaseBench) audits() error {
	b.head("Audit by simulation, %d runs of each mechanism, 99.9 %% confidence", auditRuns)
	const eps, delta = 1.0, 1e-5
	rho, err := dp.Rho(eps, delta)
	if err != nil {
		return err
	}
	for _, unit := range []dp.Unit{{}, {Cap: 3}} {
		trials, err := b.auditTrials(unit, unit, eps, rho, delta)
		if err != nil {
			return err
		}
		for _, m := range trials {
			got := dp.Audit(auditRuns, m.delta, m.trial, secureNoise)
			b.line(auditName(unit, m.name), fmt.Sprintf("epsilon at least %.3f", got), fmt.Sprintf("under %g (stated)", eps), "-")
			if got > eps {
				return fmt.Errorf("%s: %s loses epsilon %.3f, stated %g", unit.Neighbours(), m.name, got, eps)
			}
		}
	}
	// The audit must see noise that was made for persons where groups are counted.
	trials, err := b.auditTrials(dp.Unit{Cap: 12}, dp.Unit{}, eps, rho, delta)
	if err != nil {
		return err
	}
	for _, m := range trials {
		got := dp.Audit(auditRuns, m.delta, m.trial, secureNoise)
		b.line("12 persons, noise for 1: "+m.name, fmt.Sprintf("epsilon at least %.3f", got), fmt.Sprintf("over %g (must be seen)", eps), "-")
		if got <= eps {
			return fmt.Errorf("%s: the audit does not see that noise for one person is too little for 12", m.name)
		}
	}
	return nil
}

func secureNoise(uint64) *dp.Noise { return dp.Secure() }

func auditName(unit dp.Unit, mechanism string) string {
	if unit.Cap == 0 {
		return "a person, " + mechanism
	}
	return fmt.Sprintf("a case group, cap %d, %s", unit.Cap, mechanism)
}

// auditTrial is a mechanism on neighbouring data.
type auditTrial struct {
	name  string
	delta float64
	trial dp.Trial
}

// auditTrials are the mechanisms on eight persons, and on those with one unit more
// whose persons are all alike: the worst that a unit can be. noise is the unit that
// the noise is made for.
func (b *releaseBench) auditTrials(unit, noise dp.Unit, eps, rho, delta float64) ([]auditTrial, error) {
	domains := []dp.Domain{{Name: "a", Labels: []string{"0", "1"}}, {Name: "b", Labels: []string{"0", "1"}}}
	data := func(more int) *dp.Coded {
		x, y := make([]uint16, 8+more), make([]uint16, 8+more)
		for i := range more {
			x[8+i], y[8+i] = 1, 1
		}
		return dp.NewCoded(noise, domains, [][]uint16{x, y}, 8+more)
	}
	with, without := data(unit.Persons()), data(0)
	pick := func(neighbour bool) *dp.Coded {
		if neighbour {
			return with
		}
		return without
	}
	plan, err := dp.NewPlan(noise, domains, []dp.Query{{By: []int{0, 1}, Weight: 1}}, dp.WorstVariance, rho)
	if err != nil {
		return nil, err
	}
	variance := uint64(math.Ceil(noise.Factor() / (2 * rho)))
	const den = 1 << 40
	num := uint64(eps / 2 / float64(noise.Persons()) * den)
	moved := int64(unit.Persons())
	return []auditTrial{
		{"discrete Gaussian", delta, func(neighbour bool, n *dp.Noise) float64 {
			return float64(int64(pick(neighbour).Rows()) + n.Gaussian(variance))
		}},
		{"programme of tables", delta, func(neighbour bool, n *dp.Noise) float64 {
			measured, err := plan.Measure(b.ctx, pick(neighbour).Count, n)
			if err != nil {
				return 0
			}
			return measured.Table([]int{0, 1})[3]
		}},
		{"choice of pairs", 0, func(neighbour bool, n *dp.Noise) float64 {
			scores := []int64{20, 20, 20}
			if neighbour {
				scores = []int64{20 + moved, 20 - moved, 20 - moved}
			}
			return float64(n.Choose(scores, num, den))
		}},
		{"synthesis of records", delta, func(neighbour bool, n *dp.Noise) float64 {
			res, err := synth.Private(b.ctx, pick(neighbour), [][]int{{0, 1}}, rho, n)
			if err != nil {
				return -1 // no record: an output like any other
			}
			sum := 0.0
			for i := range res.Rows {
				sum += float64(res.Codes[0][i] + res.Codes[1][i])
			}
			return sum
		}},
	}, nil
}

// growth streams larger registers: real rows drawn at random, each with one value
// left out or replaced by another person's, so that rows differ.
func (b *releaseBench) growth() error {
	var header strings.Builder
	for i, c := range b.all.Columns {
		if i > 0 {
			header.WriteByte(',')
		}
		header.WriteString(c.Name)
	}
	for _, rows := range []int{1_000_000, 10_000_000} {
		pr, pw := io.Pipe()
		go func() { pw.CloseWithError(b.stream(pw, header.String(), rows)) }()
		var t *table.Table
		var n, distinct int
		c, err := timed(func() error {
			var err error
			if t, err = table.ReadCSV(pr, table.Options{}); err != nil {
				return err
			}
			d := t.Distinct()
			distinct = d.Rows()
			n = len(count.Combinations(d, 3, 10))
			return nil
		})
		if err != nil {
			return err
		}
		b.head("Aggregates of %d rows (%d different), streamed from CSV", rows, distinct)
		b.line("combinations", fmt.Sprint(n), "-", "-")
		b.line("time, making the rows included", c.String(), "linear in rows", "-")
		b.line("peak memory so far", fmt.Sprintf("%.0f MB", peakMemoryMB()), "4 GB", "-")
	}
	return nil
}

func (b *releaseBench) stream(w io.Writer, header string, rows int) error {
	rng := rand.New(rand.NewPCG(10, 7))
	if _, err := fmt.Fprintln(w, header); err != nil {
		return err
	}
	fields := make([]string, len(b.all.Columns))
	var line []byte
	for range rows {
		clear(fields)
		for _, a := range b.all.Row(rng.IntN(b.all.Rows())) {
			at := b.all.Attrs[a]
			fields[at.Column] = at.Value
		}
		other := b.all.Row(rng.IntN(b.all.Rows()))
		if len(other) > 0 {
			at := b.all.Attrs[other[rng.IntN(len(other))]]
			fields[at.Column] = at.Value
		}
		line = line[:0]
		for i, f := range fields {
			if i > 0 {
				line = append(line, ',')
			}
			line = append(line, f...)
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}
