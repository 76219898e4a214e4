// The command banyan release: safe tables, tables with differential privacy,
// synthetic microdata and aggregates from a table of codes, their evaluation and
// the attack on them. Every output appears whole or not at all.

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"banyan/internal/disclosure/count"
	"banyan/internal/disclosure/table"
)

const releaseUsage = `Usage: banyan release VERB [flags]

  tables      safe tables: small cells hidden (or, with --round, all figures rounded), and nothing hidden follows from totals
  dp          tables with differential privacy, from a declared programme
  synth       synthetic microdata: --k (k-anonymous) or --epsilon (differentially private)
  aggregates  every combination of codes, counts rounded down to k
  evaluate    compare synthetic microdata with the sensitive data they stand for
  attack      try to undo a published table or a release

banyan release VERB -h explains one verb. Exit codes: 0 done, 1 failed, 2 misused or bad input.
`

// releaseVerbs lists the verbs of banyan release.
var releaseVerbs = map[string]func(ctx context.Context, args []string, out, errOut io.Writer) error{
	"aggregates": releaseAggregates,
	"tables":     releaseTables,
	"synth":      releaseSynth,
	"dp":         releaseDP,
	"evaluate":   releaseEvaluate,
	"attack":     releaseAttack,
}

func releaseCommand() command {
	return command{name: "release", short: "publish figures and microdata that cannot be undone into a child", run: runRelease}
}

func runRelease(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		fmt.Fprint(out, releaseUsage)
		return nil
	}
	verb, ok := releaseVerbs[args[0]]
	if !ok {
		return misuse("there is no verb %q\n\n%s", args[0], releaseUsage)
	}
	err := verb(ctx, args[1:], out, errOut)
	var bad *table.InputError
	if errors.As(err, &bad) {
		return misuseError{err}
	}
	return err
}

// releaseFlags is a flag set that explains itself with an example and turns a
// wrong flag into misuse.
type releaseFlags struct {
	*flag.FlagSet
	out   io.Writer
	usage bytes.Buffer
}

func newReleaseFlags(verb, example string, out io.Writer) *releaseFlags {
	f := &releaseFlags{FlagSet: flag.NewFlagSet("release "+verb, flag.ContinueOnError), out: out}
	f.SetOutput(&f.usage)
	f.Usage = func() {
		fmt.Fprintf(&f.usage, "Usage: banyan release %s\n\n", example)
		f.PrintDefaults()
	}
	return f
}

// parse reads the flags; done means that help was asked for and given.
func (f *releaseFlags) parse(args []string) (done bool, err error) {
	switch err := f.FlagSet.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, err := f.out.Write(f.usage.Bytes())
		return true, err
	case err != nil:
		return false, misuse("%v", err)
	case f.NArg() > 0:
		return false, misuse("%q is not a flag; flags start with --", f.Arg(0))
	}
	return false, nil
}

// given names the flags that were set, after parse.
func (f *releaseFlags) given() map[string]bool {
	set := map[string]bool{}
	f.Visit(func(x *flag.Flag) { set[x.Name] = true })
	return set
}

// listFlag is a flag that may be repeated; each use adds one item.
type listFlag []string

func (l *listFlag) String() string     { return strings.Join(*l, " ") }
func (l *listFlag) Set(s string) error { *l = append(*l, s); return nil }

// splitList reads "a,b,c".
func splitList(s string) []string {
	var out []string
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// meter measures what a command cost.
type meter struct {
	start time.Time
	cpu   float64
}

func startMeter() meter { return meter{time.Now(), cpuSeconds()} }

// seconds is the wall time since the start.
func (m meter) seconds() float64 { return time.Since(m.start).Seconds() }

// say tells where the seconds of a synthesis went.
func (m meter) say(w io.Writer, read, synthesis float64) {
	all := m.seconds()
	fmt.Fprintf(w, "%.2f s: reading %.2f, synthesis %.2f, evaluation, attacks and report %.2f; %.2f s of CPU in all, peak memory %.0f MB\n",
		all, read, synthesis, all-read-synthesis, cpuSeconds()-m.cpu, peakMemoryMB())
}

// peakMemoryMB is the largest resident size of this process so far in MB, or 0
// where the system does not tell.
func peakMemoryMB() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// inputFlags are the flags that every verb with a table of codes has.
type inputFlags struct {
	path  *string
	multi *string
	group *string // nil where the verb does not know case groups
}

func (f *releaseFlags) input() inputFlags {
	return inputFlags{
		path:  f.String("in", "", "the table of codes: CSV (also .gz, .xz) or Parquet, one row per person, empty = not recorded"),
		multi: f.String("multi", "", "columns that hold several values separated by ';', as a,b,c"),
	}
}

// grouped adds the flag of a verb that protects case groups.
func (in inputFlags) grouped(f *releaseFlags, does string) inputFlags {
	in.group = f.String("group", "", "the column that names the case group (who was trafficked together); it is never released; empty = a group of one; "+does)
	return in
}

func (in inputFlags) read() (*table.Table, error) {
	if *in.path == "" {
		return nil, misuse("name the table with --in")
	}
	opt := table.Options{Multi: splitList(*in.multi)}
	if in.group != nil {
		opt.Group = *in.group
	}
	t, err := table.ReadFile(*in.path, opt)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", *in.path, err)
	}
	return t, nil
}

// checkKLength refuses parameters that protect nobody or cannot be counted.
func checkKLength(k, length int) error {
	switch {
	case k < 2:
		return misuse("--k %d hides nobody: use 2 or more (10 is usual)", k)
	case length < 1 || length > count.MaxLength:
		return misuse("--length %d: combinations of 1 to %d attributes are counted", length, count.MaxLength)
	}
	return nil
}

func releaseAggregates(_ context.Context, args []string, out, errOut io.Writer) error {
	f := newReleaseFlags("aggregates", "aggregates --in FILE.csv --k 10 --length 3 --out FILE.csv", out)
	in := f.input()
	k := f.Int("k", 10, "smallest group that is shown; counts are rounded down to a multiple of it")
	length := f.Int("length", 3, "longest combination of attributes")
	to := f.String("out", "", "the file to write")
	if done, err := f.parse(args); done || err != nil {
		return err
	}
	if err := checkKLength(*k, *length); err != nil {
		return err
	}
	if err := table.Absent(*to); err != nil {
		return err
	}
	m := startMeter()
	t, err := in.read()
	if err != nil {
		return err
	}
	read := m.seconds()
	combos := count.Combinations(t.Distinct(), *length, *k)
	counted := m.seconds()
	err = table.AtomicFile(*to, func(w io.Writer) error { return count.WriteAggregates(w, t, combos, *k) })
	if err != nil {
		return err
	}
	fmt.Fprintf(errOut, "%d rows, %d columns, %d values; %d combinations of up to %d attributes shared by %d or more\n",
		t.Rows(), len(t.Columns), len(t.Attrs), len(combos), *length, *k)
	fmt.Fprintf(errOut, "%.2f s (reading %.2f, counting %.2f, writing %.2f), peak memory %.0f MB\n",
		m.seconds(), read, counted-read, m.seconds()-counted, peakMemoryMB())
	return nil
}
