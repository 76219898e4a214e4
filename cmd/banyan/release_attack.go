// banyan release attack: try to undo a published file or a release.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"banyan/internal/disclosure/attack"
	"banyan/internal/disclosure/suppress"
	"banyan/internal/disclosure/table"
)

func releaseAttack(_ context.Context, args []string, out, errOut io.Writer) error {
	f := newReleaseFlags("attack", `attack --published FILE.csv --value COLUMN --total Sex=Total --total Age=Total [--hidden '<5=0..4'] [--source COUNTRY] [--json]
       banyan release attack --release DIR [--release EARLIER …] [--json]`, out)
	published := f.String("published", "", "a published file: one figure per line")
	value := f.String("value", "", "the column of figures")
	var totals, hidden, releases listFlag
	f.Var(&totals, "total", "a column that has a total and how it is written, as Sex=Total; may be repeated")
	f.Var(&hidden, "hidden", "how small figures are written and what is known of them, as '<5=0..4' or '*=1..'; may be repeated")
	ignore := f.String("ignore", "", "columns that are not coordinates, as a,b,c")
	source := f.String("source", "", "the column that names who compiled the figures")
	assume := f.Bool("assume-totals", false, "take every total as the exact sum of its parts unless contradicted")
	f.Var(&releases, "release", "the folder of a release of ours; may be repeated for releases of the same persons")
	asJSON := f.Bool("json", false, "print JSON")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	m := startMeter()
	switch {
	case len(releases) > 0 && *published == "":
		return attackReleases(releases, *asJSON, out)
	case *published == "" || *value == "" || len(totals) == 0:
		return misuse("name a file with --published, its figures with --value and its totals with --total, or releases with --release")
	}
	l := attack.Layout{Value: *value, Totals: map[string]string{}, Ignore: splitList(*ignore), Source: *source, AssumeTotals: *assume}
	for _, t := range totals {
		col, word, ok := strings.Cut(t, "=")
		if !ok {
			return misuse("--total %q: write column=word", t)
		}
		l.Totals[col] = word
	}
	if len(hidden) == 0 {
		hidden = listFlag{"<5=0..4"}
	}
	for _, h := range hidden {
		mark, err := parseHidden(h)
		if err != nil {
			return err
		}
		l.Hidden = append(l.Hidden, mark)
	}
	file, err := os.Open(*published)
	if err != nil {
		return misuse("open the published file: %v", err)
	}
	defer file.Close()
	r, err := table.Decompress(*published, file)
	if err != nil {
		return err
	}
	rep, err := attack.AttackPublished(r, l)
	if err != nil {
		return fmt.Errorf("attack %s: %w", *published, err)
	}
	if *asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(rep)
	}
	fmt.Fprintf(out, "figures %d, hidden %d\n", rep.Figures, rep.HiddenCells)
	fmt.Fprintf(out, "hidden cells that follow exactly: %d (%.1f %%); further cells known better than their mark says: %d\n", len(rep.Recovered), 100*float64(len(rep.Recovered))/float64(max(rep.HiddenCells, 1)), rep.Narrowed)
	fmt.Fprintf(out, "totals that contradict their parts: %d; linear programmes: %d\n\n", rep.Inconsistent, rep.Programmes)
	for _, fam := range rep.Families {
		fmt.Fprintf(out, "total over %-32s exact in %4d of %4d fully published; used as: %s", fam.Name, fam.Exact, fam.Full, fam.Use)
		if fam.Trusted > 0 {
			fmt.Fprintf(out, ", as sum in %d places by their source's record", fam.Trusted)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(errOut, "%.2f s, peak memory %.0f MB\n", m.seconds(), peakMemoryMB())
	return nil
}

// parseHidden reads "<5=0..4"; the end may be left open.
func parseHidden(s string) (attack.Hidden, error) {
	mark, span, ok := strings.Cut(s, "=")
	lo, hi, ok2 := strings.Cut(span, "..")
	h := attack.Hidden{Mark: mark, Hi: math.Inf(1)}
	var err error
	if ok && ok2 {
		if h.Lo, err = strconv.ParseFloat(lo, 64); err == nil && hi != "" {
			h.Hi, err = strconv.ParseFloat(hi, 64)
		}
	}
	if !ok || !ok2 || err != nil || h.Lo < 0 || h.Hi <= h.Lo || mark == "" {
		return h, misuse("--hidden %q: write mark=lowest..highest, as '<5=0..4'", s)
	}
	return h, nil
}

// releaseAttackResult is what the attack on releases of ours prints.
type releaseAttackResult struct {
	Figures   int     `json:"figures"`
	Hidden    int     `json:"hidden"`
	Recovered int     `json:"recovered"`
	Narrowest float64 `json:"narrowest_range"`
}

func attackReleases(dirs []string, asJSON bool, out io.Writer) error {
	var all []*suppress.Release
	for _, d := range dirs {
		rel, err := suppress.ReadRelease(d)
		if err != nil {
			return err
		}
		all = append(all, rel)
	}
	joint := suppress.Together(all...)
	solved, err := joint.Attack(math.Inf(1))
	if err != nil {
		return err
	}
	res := releaseAttackResult{Figures: len(joint.Figures), Narrowest: -1}
	for i, fig := range joint.Figures {
		if !fig.Hidden {
			continue
		}
		res.Hidden++
		w := solved.Ranges[i].Width()
		if w == 0 {
			res.Recovered++
		}
		if !math.IsInf(w, 1) && (res.Narrowest < 0 || w < res.Narrowest) {
			res.Narrowest = w
		}
	}
	if asJSON {
		return json.NewEncoder(out).Encode(res)
	}
	fmt.Fprintf(out, "figures %d, hidden %d, recovered exactly %d", res.Figures, res.Hidden, res.Recovered)
	if res.Narrowest >= 0 {
		fmt.Fprintf(out, ", narrowest range of a hidden cell %.0f further values", res.Narrowest)
	}
	fmt.Fprintln(out)
	return nil
}
