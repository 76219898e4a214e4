// The published form: every cell with its count and its 95 % interval, totals
// included; and, for the statistician only, how far they are from the truth.

package dp

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// TotalWord stands in a table's coordinates for all codes of a column.
const TotalWord = "(total)"

// Release is measured tables with their consistent form.
type Release struct {
	*Measured
	Settled *Consistent
}

// Cell is one published count.
type Cell struct {
	Count, Low, High float64
}

// Cells gives the published cells of a query or a margin of one. The count is
// the consistent one, the interval that of the unbiased measurement; where they
// disagree the interval is stretched to hold the count.
func (r *Release) Cells(by []int) []Cell {
	raw, settled, sd := r.Measured.Table(by), r.Settled.Table(by), r.StdDev(by)
	out := make([]Cell, len(raw))
	for i, x := range raw {
		lo, hi := Interval(x, sd)
		out[i] = Cell{settled[i], min(lo, settled[i]), max(hi, settled[i])}
	}
	return out
}

// FileName names a table's file.
func (p *Plan) FileName(by []int) string {
	var parts []string
	for _, d := range by {
		parts = append(parts, strings.Map(func(c rune) rune {
			if c < 128 && !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
				return '-'
			}
			return c
		}, p.Domains[d].Name))
	}
	return strings.Join(parts, "_") + ".csv"
}

// Title names a table for people.
func (p *Plan) Title(by []int) string { return p.name(by) }

// Write puts one file per query into dir.
func (r *Release) Write(dir string) error {
	for _, q := range r.Queries {
		name := r.FileName(q.By)
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("write table: %w", err)
		}
		if err := errors.Join(r.writeTable(f, q.By), f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func (r *Release) writeTable(f *os.File, by []int) error {
	w := bufio.NewWriterSize(f, 1<<16)
	c := csv.NewWriter(w)
	head := []string{}
	for _, d := range by {
		head = append(head, r.Domains[d].Name)
	}
	if err := c.Write(append(head, "count", "low", "high")); err != nil {
		return err
	}
	rec := make([]string, len(by)+3)
	for mask := range 1 << len(by) { // margins first, the cells last
		var some []int
		for i, d := range by {
			if mask>>i&1 == 1 {
				some = append(some, d)
			}
		}
		at := make([]int, len(some))
		for _, cell := range r.Cells(some) {
			for i, d := range by {
				rec[i] = TotalWord
				if j := slices.Index(some, d); j >= 0 {
					rec[i] = r.Domains[d].Labels[at[j]]
				}
			}
			rec[len(by)] = strconv.FormatFloat(cell.Count, 'f', 2, 64)
			rec[len(by)+1] = strconv.FormatFloat(cell.Low, 'f', 2, 64)
			rec[len(by)+2] = strconv.FormatFloat(cell.High, 'f', 2, 64)
			if err := c.Write(rec); err != nil {
				return err
			}
			for i := len(at) - 1; i >= 0; i-- {
				if at[i]++; at[i] < len(r.Domains[some[i]].Labels) {
					break
				}
				at[i] = 0
			}
		}
	}
	c.Flush()
	return errors.Join(c.Error(), w.Flush())
}

// ErrorBand is the error of the cells whose true count lies from From to To (0 to
// 0: nobody; To 0 otherwise: no upper end).
type ErrorBand struct {
	From, To, Cells        int
	MeanError, MeanRelErr  float64
	Coverage               float64
	FalseZeros, Fabricated int
}

// Errors compares the queries' cells with the truth. It reads exact counts: its
// result is for those who may see them.
func (r *Release) Errors(exact Counts) []ErrorBand {
	bands := []ErrorBand{{From: 0}, {From: 1, To: 9}, {From: 10, To: 99}, {From: 100, To: 999}, {From: 1000}}
	for _, q := range r.Queries {
		truth := exact(q.By)
		for i, c := range r.Cells(q.By) {
			n := truth[i]
			b := &bands[0]
			for j := range bands {
				if n >= int64(bands[j].From) {
					b = &bands[j]
				}
			}
			diff := math.Abs(c.Count - float64(n))
			b.Cells++
			b.MeanError += diff
			b.MeanRelErr += diff / math.Max(float64(n), 1)
			if c.Low <= float64(n) && float64(n) <= c.High {
				b.Coverage++
			}
			if n > 0 && c.Count < 0.5 {
				b.FalseZeros++
			}
			if n == 0 && c.Count >= 0.5 {
				b.Fabricated++
			}
		}
	}
	out := bands[:0]
	for _, b := range bands {
		if b.Cells == 0 {
			continue
		}
		n := float64(b.Cells)
		b.MeanError, b.MeanRelErr, b.Coverage = b.MeanError/n, b.MeanRelErr/n, b.Coverage/n
		out = append(out, b)
	}
	return out
}
