// The command banyan scope: how many people are never seen, with an honest
// interval. It reads a table of capture histories and writes a panel of
// estimates as text, as JSON, or as one HTML page. Outputs appear whole or not
// at all; bad input ends with exit code 2 and the line.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"banyan/internal/scope"
)

const scopeUsage = `Usage: banyan scope --in FILE.csv [flags]
       banyan scope check REFERENCE.json

FILE has one column of 0 or 1 per list (2 to 10 lists) and a column "count":
how many people stand on exactly these lists. Rows may repeat or be zero.

  banyan scope --in uk.csv
  banyan scope --in uk.csv --json > uk.json
  banyan scope --in uk.csv --html uk.html --definition "under 18, exploited in 2013"

check runs the methods on the published tables beside REFERENCE.json and prints
our results beside those of the R packages.

Flags:
`

func scopeCommand() command {
	return command{name: "scope", short: "estimate how many are never seen, with an honest interval", run: runScope}
}

// scopeCall is what the flags of banyan scope ask for.
type scopeCall struct {
	in, html        string
	json, public    bool
	timings, silent bool
	options         scope.Options
}

func runScope(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) > 0 && args[0] == "check" {
		return runScopeCheck(ctx, args[1:], out, errOut)
	}
	call, done, err := parseScope(args, out)
	if done || err != nil {
		return err
	}
	table, err := readHistories(call.in)
	if err != nil {
		return err
	}
	progress := newProgress(errOut, call.silent)
	call.options.Progress = progress.tell
	var watch scope.Stopwatch
	if call.timings {
		begin := time.Now()
		watch = func() float64 { return time.Since(begin).Seconds() }
	}
	report, err := scope.Run(ctx, table, call.options, watch)
	progress.end()
	if err != nil {
		return scopeError(err)
	}
	return writeScope(call, report, out)
}

// scopeError says what a stop or a refusal of the whole table means to the caller.
func scopeError(err error) error {
	var refusal *scope.Refusal
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("stopped; nothing was written")
	case errors.As(err, &refusal):
		return misuseError{err}
	}
	return err
}

func readHistories(path string) (*scope.Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, misuse("open capture histories: %w", err)
	}
	defer f.Close()
	table, err := scope.Read(f)
	var bad *scope.InputError
	if errors.As(err, &bad) {
		return nil, misuse("%s: %w", filepath.Base(path), err)
	}
	return table, err
}

func writeScope(call scopeCall, report *scope.Report, out io.Writer) error {
	if call.html != "" {
		var page bytes.Buffer
		if err := scope.WritePage(&page, report, call.public); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
		err := writeWhole(call.html, nil, func(w io.Writer) error {
			_, err := w.Write(page.Bytes())
			return err
		})
		if err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
	}
	if call.json {
		text, err := json.MarshalIndent(report, "", " ")
		if err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
		_, err = out.Write(append(text, '\n'))
		return err
	}
	return printScope(out, report)
}

func parseScope(args []string, out io.Writer) (call scopeCall, done bool, err error) {
	o := scope.Defaults()
	var usage bytes.Buffer
	f := flag.NewFlagSet("scope", flag.ContinueOnError)
	f.SetOutput(&usage)
	f.Usage = func() {
		usage.WriteString(scopeUsage)
		f.PrintDefaults()
	}
	f.StringVar(&call.in, "in", "", "capture histories, a CSV `file`")
	methods := f.String("methods", strings.Join(o.Methods, ","), "methods, with commas; opt-in: lcmcr, thresholding")
	f.IntVar(&o.Resamples, "resamples", o.Resamples, "bootstrap resamples, 100 to 100000")
	seed := f.Int64("seed", int64(o.Seed), "seed of every random draw, 0 to 2147483647; the resamples are those of R's set.seed(seed)")
	f.BoolVar(&call.json, "json", false, "write the whole result as JSON on standard output")
	f.StringVar(&call.html, "html", "", "write the page to this `file`")
	f.BoolVar(&call.public, "public", false, "the page is to be published: counts of 1 to 4 people are hidden, estimates rounded, the data digest left out")
	f.BoolVar(&call.timings, "timings", false, "fill in the seconds of each method (they differ from run to run, so the bytes do)")
	f.BoolVar(&call.silent, "quiet", false, "no progress on standard error")
	f.BoolVar(&o.PanelOnly, "panel-only", false, "leave out the diagnostics that estimate again")
	f.IntVar(&o.Cores, "cores", 0, "cores to use; 0 is all; the result does not depend on it")
	f.Float64Var(&o.Threshold, "threshold", o.Threshold, "stepwise p at which a pair of lists enters")
	f.IntVar(&o.TopModels, "top-models", o.TopModels, "BIC models that compete again in every resample, 1 to 1024")
	f.IntVar(&o.BICOrder, "bic-order", 0, "BIC: largest order of interaction, 2 to 4; 0 is all for up to five lists, 2 for six")
	f.Float64Var(&o.Delta, "delta", 0, "dga prior weight per cell; 0 is 2^-lists")
	f.Float64Var(&o.GridCap, "grid-cap", o.GridCap, "dga: largest number not seen, in multiples of the number seen")
	f.IntVar(&o.GridSize, "grid-size", o.GridSize, "dga: points of the grid, 10 to 100000")
	f.IntVar(&o.Chains, "chains", o.Chains, "lcmcr: chains, 20 to 1000")
	f.IntVar(&o.Sweeps, "sweeps", o.Sweeps, "lcmcr: sweeps per chain after as many to warm up")
	f.StringVar(&o.About.Definition, "definition", "", "who is counted, in words")
	f.StringVar(&o.About.Period, "period", "", "the period, in words")
	f.StringVar(&o.About.Geography, "geography", "", "the area, in words")
	f.StringVar(&o.About.Linked, "linked", "", "the date of linkage, in words")
	f.IntVar(&o.Gates.MinLists, "gate-lists", o.Gates.MinLists, "gate: least lists")
	f.Int64Var(&o.Gates.MinOverlap, "gate-overlap", o.Gates.MinOverlap, "gate: least people on two lists or more")
	f.Int64Var(&o.Gates.WarnOverlap, "gate-overlap-warn", o.Gates.WarnOverlap, "gate: warn below so many on two lists or more")
	f.Float64Var(&o.Gates.MaxListShare, "gate-dominant", o.Gates.MaxListShare, "gate: largest share of all seen on one list")
	f.Float64Var(&o.Gates.MaxFeeder, "gate-feeder", o.Gates.MaxFeeder, "gate: largest share of a list's people on one other list")
	f.Float64Var(&o.Gates.MaxFailed, "gate-failed", o.Gates.MaxFailed, "gate: largest share of resamples without an estimate")
	f.Float64Var(&o.Gates.MaxEnvelope, "gate-width", o.Gates.MaxEnvelope, "gate: upper over lower limit of the envelope")
	f.Float64Var(&o.Gates.MaxDisagreement, "gate-agreement", o.Gates.MaxDisagreement, "gate: range only above this ratio of the methods' estimates")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, err := out.Write(usage.Bytes())
		return call, true, err
	case err != nil:
		return call, false, misuse("%v", err)
	case f.NArg() > 0:
		return call, false, misuse("%q is not a flag; flags start with --", f.Arg(0))
	case call.in == "":
		return call, false, misuse("--in FILE.csv is missing; banyan scope -h explains")
	case *seed < 0 || *seed > 1<<31-1:
		return call, false, misuse("--seed %d is outside 0 to 2147483647", *seed)
	}
	o.Seed = uint32(*seed)
	if o.Methods, err = scopeMethods(*methods); err != nil {
		return call, false, err
	}
	call.options = o
	return call, false, checkScope(o)
}

func scopeMethods(text string) ([]string, error) {
	var methods []string
	seen := map[string]bool{}
	for _, name := range strings.Split(text, ",") {
		name = strings.TrimSpace(name)
		if !scope.KnownMethod(name) {
			return nil, misuse("--methods: there is no method %q; there are %s", name,
				strings.Join(append(append([]string(nil), scope.Mandatory...), scope.Optional...), ", "))
		}
		if seen[name] {
			return nil, misuse("--methods: %s is named twice", name)
		}
		seen[name] = true
		methods = append(methods, name)
	}
	return methods, nil
}

// checkScope holds numbers to the ranges their help states. The negated form
// also catches NaN.
func checkScope(o scope.Options) error {
	ranges := []struct {
		name             string
		value, low, high float64
	}{
		{"resamples", float64(o.Resamples), 100, 100000}, {"threshold", o.Threshold, 0, 1}, {"top-models", float64(o.TopModels), 1, 1024}, {"bic-order", float64(o.BICOrder), 0, 4},
		{"delta", o.Delta, 0, 100}, {"grid-cap", o.GridCap, 0.01, 10000}, {"grid-size", float64(o.GridSize), 10, 100000},
		{"chains", float64(o.Chains), 20, 1000}, {"sweeps", float64(o.Sweeps), 100, 1e7}, {"cores", float64(o.Cores), 0, 1024},
		{"gate-lists", float64(o.Gates.MinLists), 2, 10}, {"gate-overlap", float64(o.Gates.MinOverlap), 0, 1e9},
		{"gate-overlap-warn", float64(o.Gates.WarnOverlap), 0, 1e9}, {"gate-dominant", o.Gates.MaxListShare, 0, 1},
		{"gate-feeder", o.Gates.MaxFeeder, 0, 1}, {"gate-failed", o.Gates.MaxFailed, 0, 1}, {"gate-width", o.Gates.MaxEnvelope, 1, 1e6},
		{"gate-agreement", o.Gates.MaxDisagreement, 1, 1e6},
	}
	for _, r := range ranges {
		if !(r.value >= r.low && r.value <= r.high) {
			return misuse("--%s %v is outside %v to %v", r.name, r.value, r.low, r.high)
		}
	}
	return nil
}

// printScope writes the panel, the headline and the gates for a terminal.
func printScope(out io.Writer, r *scope.Report) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d people seen on %d lists, %d on two or more. Seed %d, %s, data %.19s…\n\n", r.Observed, len(r.Lists), r.OnTwoOrMore, r.Seed, r.Repeat.Version, r.Repeat.DataDigest)
	w := tabwriter.NewWriter(&b, 2, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "method\testimate\tlow\thigh\tmodel\t")
	for _, e := range r.Panel {
		if e.Refusal != "" {
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\n", e.Method, whole(e.Estimate), whole(e.Low), whole(e.High), e.Model)
	}
	w.Flush()
	for _, e := range r.Panel {
		if e.Refusal != "" {
			fmt.Fprintf(&b, "  %s refuses: %s\n", e.Method, e.Refusal)
		}
		if d, ok := e.Detail.(*scope.StepDetail); ok && d.Bootstrap != nil {
			fmt.Fprintf(&b, "  %s, percentile limits: %s to %s\n", e.Method, whole(&d.Percentile[0]), whole(&d.Percentile[1]))
			for _, warning := range d.Bootstrap.Warnings {
				fmt.Fprintf(&b, "  %s: %s\n", e.Method, warning)
			}
		}
	}
	b.WriteString("\nGates\n")
	w = tabwriter.NewWriter(&b, 2, 0, 2, ' ', 0)
	for _, g := range r.Gates {
		fmt.Fprintf(w, "  %s\t%s\tthreshold %v\t%s\n", g.Outcome, g.Name, g.Threshold, g.Says)
	}
	w.Flush()
	fmt.Fprintf(&b, "\nHeadline: %s\n%s\n", r.Headline.Verdict, r.Headline.Sentence)
	if r.Headline.Estimate != nil {
		fmt.Fprintf(&b, "Estimate in the table: %s\n", whole(r.Headline.Estimate))
	}
	b.WriteString("A child whom no list could ever meet is not counted.\n")
	_, err := out.Write(b.Bytes())
	return err
}

func whole(x *float64) string {
	if x == nil {
		return "-"
	}
	return strconv.FormatFloat(*x, 'f', 0, 64)
}

// progress shows on one line how far the work is; where standard error is no
// terminal it says each piece once, when it is done.
type progress struct {
	mu       sync.Mutex
	out      io.Writer
	silent   bool
	terminal bool
	last     time.Time
	dirty    bool
}

func newProgress(out io.Writer, silent bool) *progress {
	p := &progress{out: out, silent: silent}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			p.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return p
}

func (p *progress) tell(what string, done, total int) {
	if p.silent {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.terminal && (done == total || time.Since(p.last) > 100*time.Millisecond):
		fmt.Fprintf(p.out, "\r\x1b[K%s: %d of %d", what, done, total)
		p.last, p.dirty = time.Now(), true
	case !p.terminal && done == total:
		fmt.Fprintf(p.out, "%s: %d of %d\n", what, done, total)
	}
}

func (p *progress) end() {
	if p.dirty {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func runScopeCheck(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) != 1 {
		return misuse("banyan scope check needs one REFERENCE.json; the published tables stand beside it")
	}
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return misuse("open the reference: %w", err)
	}
	rows, err := scope.Check(ctx, raw, os.DirFS(filepath.Dir(args[0])))
	if err != nil {
		var bad *scope.InputError
		if errors.As(err, &bad) {
			return misuseError{err}
		}
		return scopeError(err)
	}
	failed := 0
	w := tabwriter.NewWriter(out, 2, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "data\tmethod\tquantity\tours\treference\trelative difference\tallowed\t\t")
	for _, r := range rows {
		mark := "ok"
		if !r.OK() {
			mark = "OFF"
			failed++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.8g\t%.8g\t%.1e\t%.0e\t%s\t\n", r.Dataset, r.Method, r.Quantity, r.Ours, r.Reference, r.Difference(), r.Allowed, mark)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d results compared, %d off\n", len(rows), failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d results are off the reference", failed, len(rows))
	}
	return nil
}
