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

	"banyan/internal/disclosure/evaluate"
	"banyan/internal/disclosure/report"
	"banyan/internal/disclosure/synth"
	"banyan/internal/disclosure/table"
)

func releaseSynth(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newReleaseFlags("synth", "synth --in FILE.csv (--k 10 --length 3 | --epsilon E --delta D --ledger LEDGER) --out DIR", out)
	in := f.input()
	k := f.Int("k", 10, "k-anonymous: every record, as a whole, is shared by at least k persons")
	length := f.Int("length", 3, "longest combination whose counts are kept close")
	population := f.String("population", "", "what to call the persons in the report")
	to := f.String("out", "", "the folder to make")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	return synthKAnonymous(in, *k, *length, *population, *to, errOut)
}

func synthKAnonymous(in inputFlags, k, length int, population, to string, errOut io.Writer) error {
	if err := checkKLength(k, length); err != nil {
		return err
	}
	m := startMeter()
	t, err := in.read()
	if err != nil {
		return err
	}
	made := synth.KAnonymous(t, k, length)
	took := m.seconds()
	e := evaluate.Compare(t, made, k, length)
	leaks := e.SDS.Leaked + e.WholeRows
	for _, l := range e.Lengths {
		leaks += l.Fabricated
	}
	if leaks > 0 {
		return fmt.Errorf("the attack on the finished records found %d combinations rarer than %d: nothing was released", leaks, k)
	}
	err = table.Atomic(to, func(dir string) error {
		if err := writeTable(filepath.Join(dir, "synthetic.csv"), made); err != nil {
			return err
		}
		r := kAnonReport(e, k, length)
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
	fmt.Fprintf(errOut, "%d rows in, %d rows out; synthesis %.2f s, with evaluation and writing %.2f s, peak memory %.0f MB\n", e.RowsIn, e.RowsOut, took, m.seconds(), peakMemoryMB())
	return nil
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
			"Persons trafficked together are counted as persons; a group larger than k may be a whole case.",
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
	r.Attacks = []report.Attack{rare, made, whole}
	return r
}

func releaseEvaluate(_ context.Context, args []string, out, errOut io.Writer) error {
	f := newReleaseFlags("evaluate", "evaluate --sensitive A.csv --synthetic B.csv --k 10 --length 3 [--json]", out)
	sensitive := f.String("sensitive", "", "the sensitive table of codes")
	synthetic := f.String("synthetic", "", "the synthetic table of codes")
	multi := f.String("multi", "", "columns that hold several values separated by ';', as a,b,c")
	k := f.Int("k", 10, "what counts as rare")
	length := f.Int("length", 3, "longest combination of attributes")
	asJSON := f.Bool("json", false, "print JSON")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	if err := checkKLength(*k, *length); err != nil {
		return err
	}
	a, err := inputFlags{sensitive, multi}.read()
	if err != nil {
		return err
	}
	raw, err := inputFlags{synthetic, multi}.read()
	if err != nil {
		return err
	}
	b, err := a.Translate(raw)
	if err != nil {
		return misuse("compare %s with %s: %v", *synthetic, *sensitive, err)
	}
	e := evaluate.Compare(a, b, *k, *length)
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
	return nil
}
