// banyan bench linkage: how well linkage tokens tell one child from another.

package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"banyan/internal/bench"
)

const benchLinkageUsage = `
banyan bench linkage [--children N] [--seed N]

Invents children of eleven countries, some of them siblings and twins, registers
a tenth of them twice in ways in which offices differ (another script or
romanisation, marks missing, order of the name, a guessed age, a given name
only), and judges every pair. docs/linkage.md explains the figures.

Example:
  banyan bench linkage --children 40000`

// mostFalse is the target: of pairs of different children that share any token,
// fewer than this share may be judged the same.
const mostFalse = 0.001

func runBenchLinkage(_ context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("bench linkage", benchLinkageUsage, errOut)
	children := f.Int("children", 40_000, "how many children to invent")
	seed := f.Uint64("seed", 1, "the same seed gives the same children")
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	if *children < 100 || *children > 500_000 {
		return misuse("--children goes from 100 to 500000")
	}
	began, used := time.Now(), cpuSeconds()
	r, err := bench.Linkage(*children, *seed)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "the second office\tpairs\tsame\tlikely or same")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%.2f\n", row.How, row.Pairs, row.Same, row.LikelyOrMore)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d children, %.1f tokens each, %.1f s wall, %.1f s CPU\n", r.Children, r.TokensEach, time.Since(began).Seconds(), cpuSeconds()-used)
	fmt.Fprintf(out, "all pairs:                      %d; of different children, %d share a token\n", r.AllPairs, r.Candidates)
	fmt.Fprintf(out, "judged the same, and are not:   %d (%d siblings): %.2f in 1,000 that share a token (target: under 1)\n", r.DifferentSame, r.Siblings, 1000*r.FalseOfCandidates())
	fmt.Fprintf(out, "judged likely, and are not:     %d, %.1f for each registration\n", r.WrongHints-r.DifferentSame, 2*float64(r.WrongHints-r.DifferentSame)/float64(r.Registrations))
	fmt.Fprintf(out, "judged the same:                %d, right in %.1f %%\n", r.Joined, 100*r.Precision())
	if r.FalseOfCandidates() >= mostFalse {
		return fmt.Errorf("the target was missed")
	}
	return nil
}
