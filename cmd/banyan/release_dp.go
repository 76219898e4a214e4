// banyan release dp: tables with differential privacy, under a privacy ledger.

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"banyan/internal/disclosure/dp"
	"banyan/internal/disclosure/ledger"
	"banyan/internal/disclosure/report"
	"banyan/internal/disclosure/table"
)

// privacyFlags are the flags of every release with noise.
type privacyFlags struct {
	epsilon, delta *float64
	ledger         *string
	budget         *float64
	seed           *uint64
	set            func() map[string]bool
	group          *string
	groupCap       *int
}

func (f *releaseFlags) privacy() privacyFlags {
	return privacyFlags{
		epsilon:  f.Float64("epsilon", 0, "privacy loss of this release; neighbours differ in one person, or with --group-cap in one whole case group"),
		delta:    f.Float64("delta", 0, "probability left over, far below 1 over the number of persons; 1e-6 is usual"),
		ledger:   f.String("ledger", "", "the privacy ledger of these persons; made when absent"),
		budget:   f.Float64("budget", 0, "total epsilon that all releases about these persons may spend, when the ledger has none yet (default: what this release spends)"),
		groupCap: f.Int("group-cap", 0, "with noise and --group: the most persons of a case group that are counted; policy, chosen without looking at the data (2 or more; the standard deviation grows with it)"),
		seed:     f.Uint64("insecure-seed", 0, "TESTS ONLY: repeatable noise, which protects nobody; the output says so"),
		set: func() map[string]bool {
			set := map[string]bool{}
			f.Visit(func(x *flag.Flag) { set[x.Name] = true })
			return set
		},
	}
}

// budgeted is a release's place in the ledger.
type budgeted struct {
	ledger     *ledger.Ledger
	path       string
	population string
	rho        float64 // what this release may cost
	extra      float64 // the part of δ that is not for ρ
	eps, delta float64
	unit       dp.Unit
	group      string // the column of the case group, where that is the unit
	budget     ledger.Entry
	set        bool // the budget stands in the ledger already
}

// open checks ε, δ and the ledger before any work is done.
// extraDelta is the part of δ that is not for ρ.
func (p privacyFlags) open(population string, planned *dp.BudgetSpec, extraDelta float64) (*budgeted, error) {
	unit, err := p.unit()
	if err != nil {
		return nil, err
	}
	rho, err := dp.Rho(*p.epsilon, *p.delta-extraDelta)
	if err != nil {
		return nil, misuse("%v", err)
	}
	if *p.ledger == "" {
		return nil, misuse("name the privacy ledger with --ledger: noise without a ledger protects for one release only")
	}
	b := &budgeted{path: *p.ledger, population: population, rho: rho, extra: extraDelta, eps: *p.epsilon, delta: *p.delta, unit: unit, group: *p.group}
	if b.ledger, err = ledger.Open(*p.ledger); err != nil {
		return nil, err
	}
	if b.budget, b.set = b.ledger.Budget(population); !b.set {
		total := dp.BudgetSpec{Epsilon: *p.epsilon, Delta: *p.delta}
		if planned != nil {
			total = *planned
		}
		if *p.budget != 0 {
			total.Epsilon = *p.budget
		}
		totalRho, err := dp.Rho(total.Epsilon, total.Delta)
		if err != nil {
			b.ledger.Close()
			return nil, misuse("budget: %v", err)
		}
		b.budget = b.entry(ledger.Entry{Epsilon: total.Epsilon, Delta: total.Delta, Rho: totalRho})
	}
	if err := b.budget.Counts(b.entry(ledger.Entry{})); err != nil {
		b.ledger.Close()
		return nil, fmt.Errorf("%w; nothing was released", err)
	}
	if spent := b.ledger.Spent(population); !b.ledger.Fits(b.budget, population, rho, extraDelta) {
		b.ledger.Close()
		return nil, fmt.Errorf("%w: %q may spend epsilon %g in all (rho %.6f), has spent rho %.6f, and this release costs %.6f; nothing was released", ledger.ErrOverdrawn, population, b.budget.Epsilon, b.budget.Rho, spent, rho)
	}
	return b, nil
}

// entry completes a line of the ledger with the population and the unit.
func (b *budgeted) entry(e ledger.Entry) ledger.Entry {
	e.Population, e.Unit = b.population, ledger.Person
	if b.unit.Cap > 0 {
		e.Unit, e.Group, e.GroupCap = ledger.Group, b.group, b.unit.Cap
	}
	return e
}

// spend writes the cost; it is the last thing before the release appears.
func (b *budgeted) spend(method, out string, rho float64) error {
	if !b.set {
		if err := b.ledger.SetBudget(b.budget); err != nil {
			return err
		}
		b.set = true
	}
	return b.ledger.Spend(b.entry(ledger.Entry{Method: method, Release: filepath.Base(out), Epsilon: b.eps, Delta: b.delta, Rho: rho, ExtraDelta: b.extra}))
}

// privacy is what the report says of the cost, counting this release as spent.
func (b *budgeted) privacy(rho float64) *report.Privacy {
	spent := b.ledger.Spent(b.population) + rho
	return &report.Privacy{
		Epsilon: b.eps, Delta: b.delta, Rho: rho,
		Unit:       b.entry(ledger.Entry{}).Unit,
		GroupCap:   b.unit.Cap,
		Neighbours: b.unit.Neighbours(),
		Accounting: "zero-concentrated differential privacy; discrete Gaussian noise with integer variance, sampled exactly",
		Ledger:     filepath.Base(b.path),
		SpentRho:   spent, SpentEpsilon: dp.Epsilon(spent, b.budget.Delta),
	}
}

// noise is the secure source unless a test asks for another by flag.
func (p privacyFlags) noise() *dp.Noise {
	if p.set()["insecure-seed"] {
		return dp.Seeded(*p.seed)
	}
	return dp.Secure()
}

func releaseDP(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newReleaseFlags("dp", "dp --in FILE.csv --program PROGRAM.yaml --epsilon E --delta D --ledger LEDGER [--group COLUMN --group-cap G] --out DIR", out)
	in := f.String("in", "", "the table of codes: CSV (also .gz, .xz) or Parquet, one row per person, empty = not recorded")
	program := f.String("program", "", "the declared programme of tables (YAML); examples/program.yaml shows one")
	pf := f.privacy()
	pf.group = f.String("group", "", "protect whole case groups instead of persons: the column that names the case group (who was trafficked together); it is never released; empty = a group of one; needs --group-cap")
	to := f.String("out", "", "the folder to make")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	unit, err := pf.unit()
	if err != nil {
		return err
	}
	if *program == "" {
		return misuse("name the programme of tables with --program")
	}
	if err := table.Absent(*to); err != nil {
		return err
	}
	m := startMeter()
	prog, err := openProgramme(*program)
	if err != nil {
		return err
	}
	if err := dp.CheckBudget(*pf.epsilon, *pf.delta); err != nil {
		return misuse("%v", err)
	}
	if *in == "" {
		return misuse("name the table with --in")
	}
	t, err := table.ReadFile(*in, table.Options{Multi: prog.Multi(), Group: *pf.group})
	if err != nil {
		return fmt.Errorf("read %s: %w", *in, err)
	}
	read := m.seconds()
	if err := prog.Without(*pf.group); err != nil {
		return err
	}
	noise := pf.noise()
	who := whoCounts(t, unit, noise)
	exact, err := prog.Code(who.all)
	if err != nil {
		return err
	}
	coded, err := prog.Code(who.counted)
	if err != nil {
		return err
	}
	rho, err := dp.Rho(*pf.epsilon, *pf.delta)
	if err != nil {
		return misuse("%v", err)
	}
	plan, err := dp.NewPlan(coded.Unit, coded.Domains, coded.Queries, prog.Objective, rho)
	if err != nil {
		return misuse("%v", err)
	}
	b, err := pf.open(prog.Population, prog.Budget, 0)
	if err != nil {
		return err
	}
	defer b.ledger.Close()
	measured, err := plan.Measure(ctx, coded.Count, noise)
	if err != nil {
		return err
	}
	settled, err := measured.Settle(ctx)
	if err != nil {
		return err
	}
	rel := &dp.Release{Measured: measured, Settled: settled}
	made := m.seconds()
	var rep *report.Report
	err = table.Atomic(*to, func(dir string) error {
		sub := filepath.Join(dir, "tables")
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		if err := rel.Write(sub); err != nil {
			return err
		}
		rep = dpReport(rel, exact, who, b, noise, prog)
		if rep.Attacks, err = dpAttacks(ctx, t, prog, rel, exact, b, noise); err != nil {
			return err
		}
		rep.Seconds, rep.PeakMB = m.seconds(), peakMemoryMB()
		if err := rep.Write(dir); err != nil {
			return err
		}
		return b.spend("tables", *to, plan.Rho)
	})
	if err != nil {
		return err
	}
	worst := 0.0
	for _, q := range plan.Queries {
		worst = max(worst, plan.StdDev(q.By))
	}
	fmt.Fprintf(errOut, "%d tables, %d measurements; standard deviation of a cell at most %.2f; noise %s\n", len(plan.Queries), len(plan.Parts), worst, noise.Note())
	who.say(errOut)
	fmt.Fprintf(errOut, "spent epsilon %g, delta %g (rho %.5f); %q has spent rho %.5f of %.5f\n", b.eps, b.delta, plan.Rho, b.population, b.ledger.Spent(b.population), b.budget.Rho)
	fmt.Fprintf(errOut, "%.2f s (reading %.2f, tables %.2f), peak memory %.0f MB\n", m.seconds(), read, made-read, peakMemoryMB())
	return nil
}

func openProgramme(path string) (*dp.Programme, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, misuse("open the programme: %v", err)
	}
	defer f.Close()
	p, err := dp.ReadProgramme(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// dpReport compares with exact, the counts of all persons.
func dpReport(rel *dp.Release, exact *dp.Coded, who counting, b *budgeted, noise *dp.Noise, prog *dp.Programme) *report.Report {
	r := &report.Report{
		Method:     "tables with differential privacy from a declared programme",
		Parameters: map[string]any{"tables": len(rel.Queries), "objective": prog.Objective},
		Population: report.Population{Name: prog.Population, Rows: exact.Rows()},
		Privacy:    b.privacy(rel.Rho),
		Noise:      noise.Note(),
		Promise:    dpPromises(b),
		NoPromise: []string{
			"Counts are estimates; each interval holds the count in 95 of 100 cases.",
			"What holds of a group is learned as well as intended: noise hides persons, not findings.",
			"This report is computed from the sensitive data where it speaks of errors: it is not for publication.",
		},
	}
	if strings.Contains(noise.Note(), "NOT PRIVATE") {
		r.Promise = []string{"NONE: the noise was seeded for a test."}
	}
	for _, q := range rel.Queries {
		sd := rel.StdDev(q.By)
		cells := 1
		for _, d := range q.By {
			cells *= len(rel.Domains[d].Labels)
		}
		r.Tables = append(r.Tables, report.TableSummary{Name: rel.Title(q.By), Cells: cells, StdDev: sd, HalfCI: 1.959963984540054 * sd})
	}
	who.state(r)
	for _, e := range rel.Errors(exact.Count) {
		r.Errors = append(r.Errors, report.ErrorBand(e))
		r.Suppressed += e.FalseZeros
		r.Fabricated += e.Fabricated
	}
	return r
}

func dpPromises(b *budgeted) []string {
	who, absent := "a person", "had that person not been in the data"
	if b.unit.Cap > 0 {
		who, absent = "a whole case group or anybody in it", "had none of that group been in the data"
	}
	all := fmt.Sprintf("Over all releases in the ledger about %q, ε = %g at δ = %g at most", b.population, b.budget.Epsilon, b.budget.Delta)
	switch {
	case b.budget.Unit == ledger.Group:
		all += ", for whole case groups."
	case b.unit.Cap > 0:
		all += ", for persons: not all of those releases hide whole case groups, as this one does."
	default:
		all += "."
	}
	return []string{
		fmt.Sprintf("(ε, δ)-differential privacy with ε = %g and δ = %g for this release: whatever anybody concludes from it about %s, they would conclude with nearly the same probability %s.", b.eps, b.delta, who, absent),
		all,
	}
}
