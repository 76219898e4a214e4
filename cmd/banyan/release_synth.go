// banyan release synth and evaluate: synthetic microdata and their comparison
// with the sensitive data.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"banyan/internal/disclosure/dp"
	"banyan/internal/disclosure/evaluate"
	"banyan/internal/disclosure/report"
	"banyan/internal/disclosure/synth"
	"banyan/internal/disclosure/table"
)

func releaseSynth(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newReleaseFlags("synth", "synth --in FILE.csv (--k 10 --length 3 [--group COLUMN] | --epsilon E --delta D --ledger LEDGER [--group COLUMN --group-cap G]) [--utility-by a,b] --out DIR", out)
	in := f.input().grouped(f, "with --k every record is shared by persons of at least two groups; with --epsilon whole groups are protected instead of persons, which needs --group-cap")
	program := f.String("program", "", "with --epsilon: code lists known beforehand (and tables to keep), as for banyan release dp; without it, codes are found at a cost, and rare ones are lost")
	pf := f.privacy()
	by := f.utilityBy()
	k := f.Int("k", 10, "k-anonymous: every record, as a whole, is shared by at least k persons")
	length := f.Int("length", 3, "longest combination whose counts are kept close")
	population := f.String("population", "", "what to call the persons in the report")
	to := f.String("out", "", "the folder to make")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	if set := pf.set(); set["epsilon"] || set["delta"] || set["ledger"] {
		if set["k"] {
			return misuse("--k and --epsilon are two methods: choose one")
		}
		pf.group = in.group
		return synthPrivate(ctx, in, *program, pf, *length, by, *population, *to, errOut)
	}
	if pf.set()["group-cap"] {
		return misuse("--group-cap is for noise: k-anonymous records count everybody, and --group asks for two groups in each")
	}
	return synthKAnonymous(ctx, in, *k, *length, by, *population, *to, errOut)
}

// utilityBy names two columns to report utility by.
type utilityBy struct{ list *string }

func (f *releaseFlags) utilityBy() utilityBy {
	return utilityBy{f.String("utility-by", "", "two columns, as a,b (country and sex, say): the report then says of every group that they make how it fares, so that none vanishes unseen")}
}

// columns are the two columns; named is false where none were asked for.
func (u utilityBy) columns() (columns [2]string, named bool, err error) {
	list := splitList(*u.list)
	switch len(list) {
	case 0:
		return columns, false, nil
	case 2:
		return [2]string(list), true, nil
	}
	return columns, false, misuse("--utility-by %s: name two columns, as a,b", *u.list)
}

// check refuses columns that t does not have, before any work or cost.
func (u utilityBy) check(t *table.Table) error {
	columns, named, err := u.columns()
	if err != nil || !named {
		return err
	}
	_, err = evaluate.CompareByTwo(t.Sample(nil), t.Sample(nil), columns, 1)
	return err
}

func (u utilityBy) compare(e *evaluate.Evaluation, sensitive, released *table.Table) error {
	columns, named, err := u.columns()
	if err != nil || !named {
		return err
	}
	e.ByTwo, err = evaluate.CompareByTwo(sensitive, released, columns, e.K)
	return err
}

func (u utilityBy) say(w io.Writer, e *evaluate.Evaluation) {
	if e.ByTwo != nil {
		fmt.Fprintln(w, e.ByTwo.Summary(e.K))
	}
}

func synthKAnonymous(ctx context.Context, in inputFlags, k, length int, by utilityBy, population, to string, errOut io.Writer) error {
	if err := checkKLength(k, length); err != nil {
		return err
	}
	if err := table.Absent(to); err != nil {
		return err
	}
	m := startMeter()
	t, err := in.read()
	if err != nil {
		return err
	}
	if err := by.check(t); err != nil {
		return err
	}
	read := m.seconds()
	made, err := synth.KAnonymous(ctx, t, k, length)
	if err != nil {
		return err
	}
	took := m.seconds() - read
	e := evaluate.Compare(t, made, k, length)
	if err := by.compare(e, t, made); err != nil {
		return err
	}
	oneCase := 0
	if t.Grouped() {
		oneCase = evaluate.OneCaseRows(t, made)
	}
	leaks := e.SDS.Leaked + e.WholeRows + oneCase
	for _, l := range e.Lengths {
		leaks += l.Fabricated
	}
	if leaks > 0 {
		return fmt.Errorf("the attack on the finished records found %d combinations rarer than %d, or of one case group: nothing was released", leaks, k)
	}
	member, err := kAnonMembership(t, func(half *table.Table) (*table.Table, error) { return synth.KAnonymous(ctx, half, k, length) })
	if err != nil {
		return err
	}
	err = table.Atomic(to, func(dir string) error {
		if err := writeTable(filepath.Join(dir, "synthetic.csv"), made); err != nil {
			return err
		}
		r := kAnonReport(e, k, length)
		r.Attacks = append(r.Attacks, member)
		if t.Grouped() {
			protectsGroups(r, e, oneCase)
		}
		r.Population = report.Population{Name: population, Rows: t.Rows()}
		r.Seconds, r.PeakMB = m.seconds(), peakMemoryMB()
		return r.Write(dir)
	})
	if err != nil {
		return err
	}
	for _, l := range e.Lengths {
		fmt.Fprintf(errOut, "combinations of %d: %.2f %% of %d lost, %.1f %% of counts preserved, relative error %.3f\n", l.Length, l.LostPercent, l.Frequent, 100*l.Preserved, l.MeanRelErr)
	}
	by.say(errOut, e)
	fmt.Fprintf(errOut, "%d rows in, %d rows out\n", e.RowsIn, e.RowsOut)
	m.say(errOut, read, took)
	return nil
}

// defaultPopulation names the budget where no programme does.
const defaultPopulation = "all persons"

// discoverShare of ρ goes into finding codes where there is no programme.
const discoverShare = 0.15

func synthPrivate(ctx context.Context, in inputFlags, program string, pf privacyFlags, length int, by utilityBy, population, to string, errOut io.Writer) error {
	if err := dp.CheckBudget(*pf.epsilon, *pf.delta); err != nil {
		return misuse("%v", err)
	}
	if err := checkKLength(10, length); err != nil {
		return err
	}
	unit, err := pf.unit()
	if err != nil {
		return err
	}
	if err := table.Absent(to); err != nil {
		return err
	}
	m := startMeter()
	var prog *dp.Programme
	if program != "" {
		if prog, err = openProgramme(program); err != nil {
			return err
		}
		if err := prog.Without(*pf.group); err != nil {
			return err
		}
		in.multi = new(string)
		*in.multi = strings.Join(prog.Multi(), ",")
		if population == "" {
			population = prog.Population
		}
	}
	if population == "" {
		population = defaultPopulation
	}
	t, err := in.read()
	if err != nil {
		return err
	}
	if err := by.check(t); err != nil {
		return err
	}
	read := m.seconds()
	noise := pf.noise()
	who := whoCounts(t, unit, noise)
	var data *dp.Coded
	var budget *dp.BudgetSpec
	var always [][]int
	extra, threshold := 0.0, 0.0
	if prog != nil {
		if _, err = prog.CodeAll(who.all); err != nil { // names the line, as who is counted does not
			return err
		}
		if data, err = prog.CodeAll(who.counted); err != nil {
			return err
		}
		budget = prog.Budget
		for _, q := range data.Queries {
			if len(q.By) == 2 {
				always = append(always, q.By)
			}
		}
	} else {
		extra = *pf.delta / 2
	}
	b, err := pf.open(population, budget, extra)
	if err != nil {
		return err
	}
	defer b.ledger.Close()
	left := b.rho
	if prog == nil {
		if data, threshold, err = synth.Discover(who.counted, b.rho*discoverShare, extra, noise); err != nil {
			return err
		}
		left -= b.rho * discoverShare
	}
	res, err := synth.Private(ctx, data, always, left, noise)
	if err != nil {
		return err
	}
	made, err := res.Table()
	if err != nil {
		return fmt.Errorf("write the records: %w", err)
	}
	took := m.seconds() - read
	member, err := privateMembership(t, b, noise, func(half *table.Table) (*synth.PrivateResult, error) {
		var data *dp.Coded
		var err error
		counted := whoCounts(half, unit, noise).counted
		if prog != nil {
			data, err = prog.CodeAll(counted)
		} else {
			data, _, err = synth.Discover(counted, b.rho*discoverShare, extra, noise)
		}
		if err != nil {
			return nil, err
		}
		return synth.Private(ctx, data, always, left, noise)
	})
	if err != nil {
		return err
	}
	spent := b.rho - left + res.Rho
	sensitive, released, err := table.Union(who.all, made)
	if err != nil {
		return err
	}
	e := evaluate.Compare(sensitive, released, 10, length)
	if err := by.compare(e, sensitive, released); err != nil {
		return err
	}
	err = table.Atomic(to, func(dir string) error {
		if err := writeTable(filepath.Join(dir, "synthetic.csv"), made); err != nil {
			return err
		}
		r := privateReport(e, b, res, noise, spent, threshold, member)
		who.state(r)
		r.Population = report.Population{Name: population, Rows: t.Rows()}
		r.Seconds, r.PeakMB = m.seconds(), peakMemoryMB()
		if err := r.Write(dir); err != nil {
			return err
		}
		return b.spend("synthetic microdata", to, spent)
	})
	if err != nil {
		return err
	}
	for _, l := range e.Lengths {
		fmt.Fprintf(errOut, "combinations of %d: %.2f %% of %d lost, %.1f %% of counts preserved, total variation %.4f\n", l.Length, l.LostPercent, l.Frequent, 100*l.Preserved, l.TotalVariation)
	}
	if threshold > 0 {
		fmt.Fprintf(errOut, "codes of fewer than about %.0f persons were lost for want of code lists: give a programme with --program\n", threshold)
	}
	fmt.Fprintf(errOut, "spent epsilon %g, delta %g (rho %.5f); noise %s; %d pairs of columns measured\n", b.eps, b.delta, spent, noise.Note(), len(res.Pairs))
	who.say(errOut)
	by.say(errOut, e)
	fmt.Fprintf(errOut, "%d rows in, %d rows out\n", e.RowsIn, e.RowsOut)
	m.say(errOut, read, took)
	return nil
}

func privateReport(e *evaluate.Evaluation, b *budgeted, res *synth.PrivateResult, noise *dp.Noise, spent, threshold float64, member report.Attack) *report.Report {
	r := &report.Report{
		Method:     "synthetic microdata with differential privacy",
		Parameters: map[string]any{"pairs_measured": len(res.Pairs), "columns": len(res.Domains)},
		Privacy:    b.privacy(spent),
		Noise:      noise.Note(),
		Evaluation: e,
		Promise:    dpPromises(b),
		NoPromise: []string{
			"Records are of nobody; a combination in them may occur in no real person, and one that is real may be missing.",
			"Only pairs that were measured are near the truth; others follow from them as a model has it.",
			"This report is computed from the sensitive data: it is not for publication.",
		},
	}
	if threshold > 0 {
		r.Parameters["threshold_for_codes"] = threshold
	}
	if strings.Contains(noise.Note(), "NOT PRIVATE") {
		r.Promise = []string{"NONE: the noise was seeded for a test."}
	}
	for _, l := range e.Lengths {
		r.Suppressed += l.Lost
		r.Fabricated += l.Fabricated
	}
	r.Attacks = append([]report.Attack{member, alikeAttack(e)}, rareInRecords(e)...)
	r.Attacks = append(r.Attacks, seriesAttack(b, spent))
	return r
}

func writeTable(path string, t *table.Table) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write the records: %w", err)
	}
	if err := t.WriteCSV(f); err != nil {
		f.Close()
		return fmt.Errorf("write the records: %w", err)
	}
	return f.Close()
}

func kAnonReport(e *evaluate.Evaluation, k, length int) *report.Report {
	r := &report.Report{
		Method:     "synthetic microdata, k-anonymous",
		Parameters: map[string]any{"k": k, "length": length},
		Noise:      "none",
		Evaluation: e,
		Promise: []string{
			fmt.Sprintf("Every record, taken whole, is shared by at least %d real persons; so is every combination in it, of any length.", k),
			"There are as many records as persons.",
		},
		NoPromise: []string{
			"Not differential privacy: who knows that a group is alike in something may learn it of its members.",
			"One release only: two releases of overlapping persons may be compared; use a privacy ledger and noise for a series.",
			casesAsPersons,
		},
	}
	frequent, whole := 0, report.Attack{Kind: "records rarer than k as a whole", Tried: e.RowsOut, Found: e.WholeRows, Detail: "every record looked up among the real ones"}
	rare := report.Attack{Kind: "rare combinations that appear", Found: e.SDS.Leaked, Detail: fmt.Sprintf("combinations of up to %d attributes of 1 to %d persons", length, k-1)}
	made := report.Attack{Kind: "combinations of nobody that appear", Detail: "fabricated combinations"}
	for _, l := range e.Lengths {
		frequent += l.Frequent
		made.Found += l.Fabricated
		r.Suppressed += l.Lost
		r.Fabricated += l.Fabricated
	}
	rare.Tried, made.Tried = frequent, frequent
	r.Attacks = []report.Attack{rare, made, whole, lostAttack(e), alikeAttack(e)}
	return r
}

// protectsGroups states what --group adds to k-anonymous records.
func protectsGroups(r *report.Report, e *evaluate.Evaluation, oneCase int) {
	r.Parameters["groups_at_least"] = 2
	r.Promise = append(r.Promise, "The persons who share a record are of at least two case groups: what one case alone has in common is not in the records.")
	r.NoPromise = slices.DeleteFunc(r.NoPromise, func(s string) bool { return s == casesAsPersons })
	r.NoPromise = append(r.NoPromise, "A case that is nearly all of those who share a record is not hidden: two groups are asked for, not a share.")
	r.Attacks = append(r.Attacks, report.Attack{Kind: "records of one case group", Tried: e.RowsOut, Found: oneCase, Detail: "every record, as a whole, looked up among the real ones and their groups"})
}

// casesAsPersons is what records without --group do not promise.
const casesAsPersons = "Persons trafficked together are counted as persons; a group larger than k may be a whole case (see --group)."

// alikeAttack reports attribute inference in homogeneous groups.
func alikeAttack(e *evaluate.Evaluation) report.Attack {
	return report.Attack{Kind: "attribute inference in homogeneous groups", Tried: e.AlikeOf, Found: e.Alike, NotPromised: true,
		Detail: "pairs of attributes whose holders are all alike in a third, in the data and in the release: not prevented by this method, to be weighed before publishing"}
}

func releaseEvaluate(_ context.Context, args []string, out, errOut io.Writer) error {
	f := newReleaseFlags("evaluate", "evaluate --sensitive A.csv --synthetic B.csv --k 10 --length 3 [--utility-by a,b] [--json]", out)
	sensitive := f.String("sensitive", "", "the sensitive table of codes")
	synthetic := f.String("synthetic", "", "the synthetic table of codes")
	multi := f.String("multi", "", "columns that hold several values separated by ';', as a,b,c")
	k := f.Int("k", 10, "what counts as rare")
	length := f.Int("length", 3, "longest combination of attributes")
	by := f.utilityBy()
	asJSON := f.Bool("json", false, "print JSON")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	if err := checkKLength(*k, *length); err != nil {
		return err
	}
	a, err := inputFlags{path: sensitive, multi: multi}.read()
	if err != nil {
		return err
	}
	raw, err := inputFlags{path: synthetic, multi: multi}.read()
	if err != nil {
		return err
	}
	a, b, err := table.Union(a, raw)
	if err != nil {
		return misuse("compare %s with %s: %v", *synthetic, *sensitive, err)
	}
	e := evaluate.Compare(a, b, *k, *length)
	if err := by.compare(e, a, b); err != nil {
		return err
	}
	if *asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(e)
	}
	fmt.Fprintf(out, "rows in %d, rows out %d\n\n", e.RowsIn, e.RowsOut)
	fmt.Fprintf(out, "%-8s %10s %8s %8s %10s %10s %8s %8s %8s\n", "length", "k or more", "lost", "lost %", "preserved", "rel. error", "leaks", "invented", "TVD")
	for _, l := range e.Lengths {
		fmt.Fprintf(out, "%-8d %10d %8d %8.2f %10.3f %10.3f %8d %8d %8.4f\n", l.Length, l.Frequent, l.Lost, l.LostPercent, l.Preserved, l.MeanRelErr, l.Leaks, l.Fabricated, l.TotalVariation)
	}
	fmt.Fprintf(out, "\nas SDS measures: preservation %.3f, proportional error %.3f, combination loss %.3f, leaked combinations %d\n", e.SDS.Preservation, e.SDS.ProportionalError, e.SDS.CombinationLoss, e.SDS.Leaked)
	fmt.Fprintf(out, "records rarer than k as a whole: %d\n", e.WholeRows)
	if e.ByTwo != nil {
		by.say(out, e)
		for _, p := range e.ByTwo.Worst(e.K, 25) {
			fmt.Fprintf(out, "  %s, %s: %d persons, %d records; %d of %d further codes lost\n", p.Values[0], p.Values[1], p.Sensitive, p.Released, p.Lost, p.Further)
		}
	}
	return nil
}
