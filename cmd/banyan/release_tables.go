// banyan release tables: safe tables with complementary suppression.

package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"banyan/internal/disclosure/report"
	"banyan/internal/disclosure/suppress"
	"banyan/internal/disclosure/table"
)

func releaseTables(_ context.Context, args []string, out, errOut io.Writer) error {
	f := newReleaseFlags("tables", "tables --in FILE.csv --by a,b --by a,c,d [--threshold 11] [--group COLUMN] [--against EARLIER …] --out DIR\n       banyan release tables --in FILE.csv --by a,b --round 11 --out DIR", out)
	in := f.input().grouped(f, "a cell is shown only where at least 2 groups are in it and none is more than 75 % of its persons")
	var by, against listFlag
	f.Var(&by, "by", "a table by these columns, as a,b; may be repeated")
	f.Var(&against, "against", "the folder of an earlier release of the same or earlier persons; may be repeated")
	threshold := f.Int("threshold", 11, "smallest count that may be shown")
	protection := f.Int("protection", 0, "smallest width of what an attacker can know of a hidden cell (default threshold-2)")
	round := f.Int("round", 0, "instead of hiding cells, round every figure at random and without bias to a multiple of this base (11 fits the usual threshold); totals are rounded by themselves, so they do not add up; figures of 0 are left out")
	population := f.String("population", "", "what to call the persons in the report")
	to := f.String("out", "", "the folder to make")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	if *threshold < 2 {
		return misuse("--threshold %d hides nobody: use 2 or more (11 is usual)", *threshold)
	}
	if *protection < 0 {
		return misuse("--protection %d: a width is positive", *protection)
	}
	if set := f.given(); set["round"] {
		switch {
		case *round < 2 || *round > suppress.MaxBase:
			return misuse("--round %d: a base from 2 to %d (11 is usual)", *round, suppress.MaxBase)
		case set["threshold"] || set["protection"]:
			return misuse("--round is instead of --threshold and --protection: choose one method")
		case *in.group != "":
			return misuse("--round with --group: rounding hides small counts of persons, and a single case may fill a cell; use --threshold with --group")
		case len(against) > 0:
			return misuse("--round with --against: each rounding of the same persons narrows what the one before left open; publish rounded figures of a set of persons once, and use safe tables (--threshold) or banyan release dp for a series")
		}
	}
	if len(by) == 0 {
		return misuse("name at least one table with --by a,b")
	}
	if err := table.Absent(*to); err != nil {
		return err
	}
	m := startMeter()
	t, err := in.read()
	if err != nil {
		return err
	}
	var lists [][]string
	for _, b := range by {
		lists = append(lists, splitList(b))
	}
	tables, err := suppress.Count(t, lists)
	if err != nil {
		return err
	}
	if *round > 0 {
		return releaseRounded(tables, t, lists, *round, *population, *to, m, errOut)
	}
	opt := suppress.Options{Threshold: *threshold, Protection: *protection}
	for _, a := range against {
		rel, err := suppress.ReadRelease(a)
		if err != nil {
			return err
		}
		opt.Against = append(opt.Against, rel)
	}
	res, err := tables.Protect(opt)
	if err != nil {
		return err
	}
	err = table.Atomic(*to, func(dir string) error {
		sub := filepath.Join(dir, "tables")
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		if _, err := tables.Write(sub); err != nil {
			return err
		}
		attacks, err := attackTables(sub, opt, res)
		if err != nil {
			return err
		}
		member, err := tablesMembership(t, lists, func(x *suppress.Tables) error {
			_, err := x.Protect(suppress.Options{Threshold: opt.Threshold, Protection: opt.Protection})
			return err
		})
		if err != nil {
			return err
		}
		attacks = append(attacks, differencing(tables, opt, res)...)
		attacks = append(attacks, rareInTables(tables, opt)...)
		if t.Grouped() {
			attacks = append(attacks, oneCaseInTables(tables, opt))
		}
		if err := leak(attacks); err != nil {
			return err
		}
		attacks = append(attacks, tablesAlike(tables), member)
		r := tablesReport(tables, res, opt, attacks)
		if t.Grouped() {
			r.Parameters["groups_at_least"], r.Parameters["largest_group_percent_at_most"] = suppress.MinGroups, suppress.MaxShare
			r.Promise = append(r.Promise, fmt.Sprintf("No cell is shown whose persons are of fewer than %d case groups, or of which one group is more than %d %%.", suppress.MinGroups, suppress.MaxShare))
			r.NoPromise = append(r.NoPromise, "A large cell of one case is hidden to within the protection only: that it is large may follow from totals.", "Differences to earlier releases are judged by persons, not by case groups.")
		} else {
			r.NoPromise = append(r.NoPromise, "Persons trafficked together are counted as persons: a single case may fill a cell (see --group).")
		}
		r.Population = report.Population{Name: *population, Rows: t.Rows()}
		r.Seconds, r.PeakMB = m.seconds(), peakMemoryMB()
		return r.Write(dir)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(errOut, "%d cells: %d hidden for their size, %d to protect them; no hidden cell is known to within fewer than %d further values\n",
		res.Cells, res.Primary, res.Complementary, res.Protection)
	for i, p := range res.Against {
		fmt.Fprintf(errOut, "against %s: persons %s\n", against[i], p)
	}
	if res.Cyclic {
		fmt.Fprintln(errOut, "note: the tables form a cycle (a by b, b by c, c by a); the attack uses sums only, see docs/disclosure.md")
	}
	fmt.Fprintf(errOut, "%.2f s, peak memory %.0f MB\n", m.seconds(), peakMemoryMB())
	return nil
}

// releaseRounded publishes tables with every figure rounded at random.
func releaseRounded(tables *suppress.Tables, t *table.Table, by [][]string, base int, population, to string, m meter, errOut io.Writer) error {
	res, err := tables.Round(base, suppress.SecureDraw)
	if err != nil {
		return err
	}
	err = table.Atomic(to, func(dir string) error {
		sub := filepath.Join(dir, "tables")
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		if _, err := tables.Write(sub); err != nil {
			return err
		}
		linear, err := attackRounded(tables, base)
		if err != nil {
			return err
		}
		member, err := tablesMembership(t, by, func(x *suppress.Tables) error {
			_, err := x.Round(base, suppress.SecureDraw)
			return err
		})
		if err != nil {
			return err
		}
		r := roundedReport(tables, res, []report.Attack{linear, {Kind: "combinations of nobody that appear", Tried: res.Cells - res.ToZero, Detail: "a figure above 0 always stands for somebody"}, {Kind: "combinations of somebody that vanish", Tried: res.Cells, Found: res.ToZero, NotPromised: true,
			Detail: fmt.Sprintf("cells of 1 to %d persons that became 0; they stand as cells of nobody do", base-1)}, tablesAlike(tables), member})
		r.Population = report.Population{Name: population, Rows: t.Rows()}
		r.Seconds, r.PeakMB = m.seconds(), peakMemoryMB()
		return r.Write(dir)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(errOut, "%d figures rounded to multiples of %d, mean error %.1f; %d became 0 and are not listed; %d drawn again because totals would have told too much\n", res.Cells, base, res.MeanError, res.ToZero, res.Redrawn)
	fmt.Fprintf(errOut, "no figure is known to within fewer than %d further values; a total and the sum of its parts differ by up to %d\n", base-1, res.LargestGap)
	fmt.Fprintf(errOut, "%.2f s, peak memory %.0f MB\n", m.seconds(), peakMemoryMB())
	return nil
}

// attackRounded finds how far every figure follows from all rounded ones; a
// range narrower than promised is an error: nothing goes out.
func attackRounded(x *suppress.Tables, base int) (report.Attack, error) {
	solved, err := x.AttackRounded(float64(base - 1))
	if err != nil {
		return report.Attack{}, err
	}
	a := report.Attack{Kind: "linear programming over all rounded figures", Tried: len(x.Cells), Value: math.Inf(1), Bound: float64(base - 1),
		Detail: "figures of this release, by an attacker who is told which cells are empty; the value is the narrowest range found (followed to the bound), no less than the bound is promised"}
	for _, r := range solved.Ranges {
		a.Value = min(a.Value, r.Width())
		if r.Width() < a.Bound {
			a.Found++
		}
	}
	if a.Found > 0 {
		return a, fmt.Errorf("the attack on the finished tables narrows %d rounded figures to fewer than %d further values: nothing was released", a.Found, base-1)
	}
	return a, nil
}

func roundedReport(x *suppress.Tables, res *suppress.Rounding, attacks []report.Attack) *report.Report {
	r := &report.Report{
		Method:     "tables rounded at random",
		Parameters: map[string]any{"base": res.Base, "mean_error": res.MeanError, "drawn_again": res.Redrawn, "largest_gap_of_total_and_parts": res.LargestGap},
		Noise:      "secure",
		Suppressed: res.ToZero,
		Attacks:    attacks,
		Promise: []string{
			fmt.Sprintf("Every figure is a multiple of %d less than %d away from the true count; on the average of many roundings it is the true count, but for the few that were drawn again.", res.Base, res.Base),
			fmt.Sprintf("From all figures of this release no count can be narrowed to fewer than %d consecutive values; a cell that is not listed holds 0 to %d persons.", res.Base, res.Base-1),
		},
		NoPromise: []string{
			"Totals are rounded by themselves: they do not add up.",
			"A range says what is possible, not how likely each count in it is.",
			"Two roundings of the same persons narrow each other: publish one.",
			"Persons trafficked together are counted as persons: a single case may fill a cell.",
		},
	}
	if x.Cyclic() {
		r.NoPromise = append(r.NoPromise, "The tables form a cycle; restrictions that only a joint table of all their columns implies were not used by the attack.")
	}
	r.Tables = tableSummaries(x)
	return r
}

// leak refuses a release that an attack undoes.
func leak(attacks []report.Attack) error {
	for _, a := range attacks {
		if a.Found > 0 && !a.NotPromised {
			return fmt.Errorf("the attack %q on the finished tables finds %d of %d: nothing was released", a.Kind, a.Found, a.Tried)
		}
	}
	return nil
}

// attackTables reads back what was written and attacks it, together with every
// earlier release of the same persons. A leak is an error: nothing goes out.
func attackTables(dir string, opt suppress.Options, res *suppress.Result) ([]report.Attack, error) {
	now, err := suppress.ReadRelease(dir)
	if err != nil {
		return nil, err
	}
	all := []*suppress.Release{now}
	for i, p := range res.Against {
		if p == suppress.SamePersons {
			all = append(all, opt.Against[i])
		}
	}
	joint := suppress.Together(all...)
	solved, err := joint.Attack(float64(res.Protection))
	if err != nil {
		return nil, err
	}
	a := report.Attack{Kind: "linear programming over all published totals", Detail: fmt.Sprintf("figures of this release and %d earlier ones of the same persons", len(all)-1)}
	narrowest := math.Inf(1)
	for i, fig := range joint.Figures {
		if !fig.Hidden {
			continue
		}
		a.Tried++
		w := solved.Ranges[i].Width()
		narrowest = min(narrowest, w)
		if w < float64(res.Protection) && len(all) == 1 || w == 0 {
			a.Found++
		}
	}
	if a.Tried > 0 {
		a.Value, a.Bound = narrowest, float64(res.Protection)
	}
	if a.Found > 0 {
		return nil, fmt.Errorf("the attack on the finished tables narrows %d hidden cells below the protection of %d: nothing was released", a.Found, res.Protection)
	}
	return []report.Attack{a}, nil
}

func tablesReport(x *suppress.Tables, res *suppress.Result, opt suppress.Options, attacks []report.Attack) *report.Report {
	r := &report.Report{
		Method:     "safe tables: threshold and complementary suppression",
		Parameters: map[string]any{"threshold": opt.Threshold, "protection": res.Protection, "against": len(opt.Against)},
		Noise:      "none",
		Suppressed: res.Primary + res.Complementary,
		Attacks:    attacks,
		Promise: []string{
			fmt.Sprintf("No count of 1 to %d persons is shown.", opt.Threshold-1),
			fmt.Sprintf("From all published totals, of this release and the earlier ones named, a hidden cell can be narrowed to no fewer than %d consecutive values.", res.Protection+1),
		},
		NoPromise: []string{
			"Counts that are shown are exact: somebody who knows all but one person of a cell learns about that one.",
			"A mark of a hidden cell says that somebody is there, the absence of a cell that nobody is.",
			"A cell in which everybody has the same further attribute says that attribute of each of them.",
			"Releases that were not named with --against were not considered.",
		},
	}
	if res.Cyclic {
		r.NoPromise = append(r.NoPromise, "The tables form a cycle; restrictions that only a joint table of all their columns implies were not used by the attack.")
	}
	r.Tables = tableSummaries(x)
	return r
}

func tableSummaries(x *suppress.Tables) (out []report.TableSummary) {
	for _, tab := range x.By {
		var names []string
		for _, d := range tab {
			names = append(names, x.Dims[d].Name)
		}
		s := report.TableSummary{Name: strings.Join(names, " × ")}
		for _, c := range x.Cells {
			if suppress.SameDims(x.Margins[c.Margin], tab) {
				s.Cells++
				if c.Hidden {
					s.Hidden++
				}
			}
		}
		out = append(out, s)
	}
	return out
}
