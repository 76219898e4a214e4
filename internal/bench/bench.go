// Package bench measures the program against its published targets: it fills
// an empty data folder with an invented country of any size and times what
// people and operators wait for.
//
// # What it promises
//
//   - It measures the program's own functions with everything that belongs to
//     them: the policy, the opening of sealed answers, the line in the access
//     log, the write to the disk.
//   - A percentile stands on at least Operations single measurements over
//     cases drawn by chance with a fixed seed; nothing is left out as an
//     outlier, nothing is warmed up first but what a served program has warm
//     (the names index).
//   - It says what it measured: the number of cases and entries, and processor
//     time beside wall time, since the machine may be shared.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"banyan/internal/app"
	"banyan/internal/casework"
)

// Operations is the number of single measurements below every percentile of
// reading, and what each client writes makes several times as many of writing.
const (
	Operations  = 300
	writesOfOne = 250
)

// Clients is how many write at once.
const Clients = 16

// Config says what to measure.
type Config struct {
	Cases   int
	Seed    uint64
	Open    func(ctx context.Context) (*app.App, error) // opens, the first time makes, the data folder
	Size    func() (int64, error)                       // bytes on the disk, when everything is closed; nil: unknown
	Program string                                      // the program itself, for start-up, memory and size; empty: not measured
	Scratch string                                      // folder for the program's own demonstration
	CPU     func() float64                              // seconds of processor time that this process has used
	Log     io.Writer                                   // progress; nil for none
	Quick   bool                                        // a tenth of the operations: for tests, never for a table that is shown
}

// operations gives n, or a tenth of it for a quick run.
func (c Config) operations(n int) int {
	if c.Quick {
		return n / 10
	}
	return n
}

// Row is one line of the table. A row that could not be measured says why in
// Note and has no value.
type Row struct {
	What     string
	Unit     string
	Target   float64 // 0: none
	More     bool    // more is better (a rate); otherwise less is
	Measured float64
	Middle   float64 // the median, of rows that are percentiles
	N        int     // single measurements
	CPU      float64 // seconds of processor time for all of them
	Note     string
}

// Ratio says how many times better than its target a row is: 1 meets it,
// below 1 misses it, 0 when there is no target or no measurement.
func (r Row) Ratio() float64 {
	switch {
	case r.Target == 0 || r.Measured == 0:
		return 0
	case r.More:
		return r.Measured / r.Target
	}
	return r.Target / r.Measured
}

// Report is what a run measured.
type Report struct {
	Cases, Entries int
	Rows           []Row
}

// Run fills the folder and measures.
func Run(ctx context.Context, cfg Config) (Report, error) {
	if cfg.Log == nil {
		cfg.Log = io.Discard
	}
	r := &run{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0xbe7c4)), report: Report{Cases: cfg.Cases}}
	for _, step := range []func(context.Context) error{r.fill, r.reopen, r.loadNames, r.casePage, r.today, r.find, r.write, r.verify, r.rebuild, r.program} {
		if err := step(ctx); err != nil {
			return r.report, errors.Join(err, r.close())
		}
	}
	return r.report, r.close()
}

// Write prints the table.
func (r Report) Write(out io.Writer) error {
	fmt.Fprintf(out, "%d cases, %d entries; %d cores, %s\n", r.Cases, r.Entries, runtime.GOMAXPROCS(0), runtime.Version())
	fmt.Fprint(out, "ratio: times better than the target; below 1 misses it\n\n")
	w := tabwriter.NewWriter(out, 2, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\ttarget\tmeasured\tratio\tmedian\tn\tcpu s\t")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.What, target(row), value(row, row.Measured), number(row.Ratio(), "%.2f"),
			value(Row{Unit: row.Unit}, row.Middle), number(float64(row.N), "%.0f"), number(row.CPU, "%.2f"), row.Note)
	}
	return w.Flush()
}

func target(r Row) string {
	switch {
	case r.Target == 0:
		return "-"
	case r.More:
		return "over " + value(r, r.Target)
	}
	return "under " + value(r, r.Target)
}

func value(r Row, v float64) string {
	if v == 0 {
		return "-"
	}
	format := "%.1f"
	if v >= 1000 {
		format = "%.0f"
	}
	return fmt.Sprintf(format+" %s", v, r.Unit)
}

func number(v float64, format string) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

// run holds what one run carries along.
type run struct {
	cfg    Config
	rng    *rand.Rand
	app    *app.App
	people []casework.Reader          // who has a day's list
	reader map[string]casework.Reader // by user
	cases  []openCase
	report Report
}

// openCase is a case with its worker.
type openCase struct{ stream, worker, state string }

func (r *run) close() error {
	if r.app == nil {
		return nil
	}
	a := r.app
	r.app = nil
	return a.Close()
}

func (r *run) add(row Row) {
	r.report.Rows = append(r.report.Rows, row)
	fmt.Fprintf(r.cfg.Log, "%s: %s\n", row.What, value(row, row.Measured))
}

func (r *run) cpu() float64 {
	if r.cfg.CPU == nil {
		return 0
	}
	return r.cfg.CPU()
}

// percentile times fn n times and gives the 99th of a hundred, in
// milliseconds, by the nearest-rank method.
func (r *run) percentile(what string, target float64, n int, fn func(i int) error) error {
	took := make([]time.Duration, n)
	used := r.cpu()
	for i := range n {
		began := time.Now()
		if err := fn(i); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		took[i] = time.Since(began)
	}
	r.add(percentileRow(what, target, took, r.cpu()-used))
	return nil
}

func percentileRow(what string, target float64, took []time.Duration, cpu float64) Row {
	slices.SortFunc(took, cmp.Compare[time.Duration])
	at := func(p int) float64 { return took[(len(took)*p+99)/100-1].Seconds() * 1000 }
	return Row{What: what, Unit: "ms", Target: target, Measured: at(99), Middle: at(50), N: len(took), CPU: cpu}
}

// rate adds a row of things per second.
func (r *run) rate(what string, target float64, n int, began time.Time, cpu float64) {
	r.add(Row{What: what, Unit: "/s", Target: target, More: true, Measured: float64(n) / time.Since(began).Seconds(), N: n, CPU: r.cpu() - cpu})
}
