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
}

func (f *releaseFlags) privacy() privacyFlags {
	return privacyFlags{
		epsilon: f.Float64("epsilon", 0, "privacy loss of this release, neighbours differing in one person"),
		delta:   f.Float64("delta", 0, "probability left over, far below 1 over the number of persons; 1e-6 is usual"),
		ledger:  f.String("ledger", "", "the privacy ledger of these persons; made when absent"),
		budget:  f.Float64("budget", 0, "total epsilon that all releases about these persons may spend, when the ledger has none yet (default: what this release spends)"),
		seed:    f.Uint64("insecure-seed", 0, "TESTS ONLY: repeatable noise, which protects nobody; the output says so"),
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
	budget     ledger.Entry
	set        bool // the budget stands in the ledger already
}

// open checks ε, δ and the ledger before any work is done.
// extraDelta is the part of δ that is not for ρ.
func (p privacyFlags) open(population string, planned *dp.BudgetSpec, extraDelta float64) (*budgeted, error) {
	rho, err := dp.Rho(*p.epsilon, *p.delta-extraDelta)
	if err != nil {
		return nil, misuse("%v", err)
	}
	if *p.ledger == "" {
		return nil, misuse("name the privacy ledger with --ledger: noise without a ledger protects for one release only")
	}
	b := &budgeted{path: *p.ledger, population: population, rho: rho, extra: extraDelta, eps: *p.epsilon, delta: *p.delta}
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
		b.budget = ledger.Entry{Epsilon: total.Epsilon, Delta: total.Delta, Rho: totalRho}
	}
	if spent := b.ledger.Spent(population); !b.ledger.Fits(b.budget, population, rho, extraDelta) {
		b.ledger.Close()
		return nil, fmt.Errorf("%w: %q may spend epsilon %g in all (rho %.6f), has spent rho %.6f, and this release costs %.6f; nothing was released", ledger.ErrOverdrawn, population, b.budget.Epsilon, b.budget.Rho, spent, rho)
	}
	return b, nil
}

// spend writes the cost; it is the last thing before the release appears.
func (b *budgeted) spend(method, out string, rho float64) error {
	if !b.set {
		if err := b.ledger.SetBudget(b.population, b.budget.Epsilon, b.budget.Delta, b.budget.Rho); err != nil {
			return err
		}
		b.set = true
	}
	return b.ledger.Spend(ledger.Entry{Population: b.population, Method: method, Release: filepath.Base(out), Epsilon: b.eps, Delta: b.delta, Rho: rho, ExtraDelta: b.extra})
}

// privacy is what the report says of the cost, counting this release as spent.
func (b *budgeted) privacy(rho float64) *report.Privacy {
	spent := b.ledger.Spent(b.population) + rho
	return &report.Privacy{
		Epsilon: b.eps, Delta: b.delta, Rho: rho,
		Neighbours: "one person more or less",
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
	f := newReleaseFlags("dp", "dp --in FILE.csv --program PROGRAM.yaml --epsilon E --delta D --ledger LEDGER --out DIR", out)
	in := f.String("in", "", "the table of codes: CSV (also .gz, .xz) or Parquet, one row per person, empty = not recorded")
	program := f.String("program", "", "the declared programme of tables (YAML); examples/program.yaml shows one")
	pf := f.privacy()
	group := f.String("group", "", "refused: noise protects persons, not case groups, and says so; see docs/disclosure.md")
	to := f.String("out", "", "the folder to make")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	if *group != "" {
		return misuse(groupsNeedMore)
	}
	if *program == "" {
		return misuse("name the programme of tables with --program")
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
	t, err := table.ReadFile(*in, table.Options{Multi: prog.Multi()})
	if err != nil {
		return fmt.Errorf("read %s: %w", *in, err)
	}
	read := m.seconds()
	coded, err := prog.Code(t)
	if err != nil {
		return err
	}
	rho, err := dp.Rho(*pf.epsilon, *pf.delta)
	if err != nil {
		return misuse("%v", err)
	}
	plan, err := dp.NewPlan(coded.Domains, coded.Queries, prog.Objective, rho)
	if err != nil {
		return misuse("%v", err)
	}
	b, err := pf.open(prog.Population, prog.Budget, 0)
	if err != nil {
		return err
	}
	defer b.ledger.Close()
	noise := pf.noise()
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
		rep = dpReport(rel, coded, b, noise, prog)
		if rep.Attacks, err = dpAttacks(ctx, t, prog, rel, coded, b, noise); err != nil {
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

func dpReport(rel *dp.Release, coded *dp.Coded, b *budgeted, noise *dp.Noise, prog *dp.Programme) *report.Report {
	r := &report.Report{
		Method:     "tables with differential privacy from a declared programme",
		Parameters: map[string]any{"tables": len(rel.Queries), "objective": prog.Objective},
		Population: report.Population{Name: prog.Population, Rows: coded.Rows()},
		Privacy:    b.privacy(rel.Rho),
		Noise:      noise.Note(),
		Promise:    dpPromises(b),
		NoPromise: []string{
			"Counts are estimates; each interval holds the true count in 95 of 100 cases.",
			"What holds of a group is learned as well as intended: noise hides persons, not findings.",
			"A case group of g persons is protected as a person is at g times the epsilon.",
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
	for _, e := range rel.Errors(coded.Count) {
		r.Errors = append(r.Errors, report.ErrorBand(e))
		r.Suppressed += e.FalseZeros
		r.Fabricated += e.Fabricated
	}
	return r
}

func dpPromises(b *budgeted) []string {
	return []string{
		fmt.Sprintf("(ε, δ)-differential privacy with ε = %g and δ = %g for this release: whatever anybody concludes from it about a person, they would conclude with nearly the same probability had that person not been in the data.", b.eps, b.delta),
		fmt.Sprintf("Over all releases in the ledger about %q, ε = %g at δ = %g at most.", b.population, b.budget.Epsilon, b.budget.Delta),
	}
}
