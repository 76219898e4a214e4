package register

// The table of facts as a file, for those who count with other tools. It is
// microdata: nameless, not safe to publish. Package disclosure makes what may
// leave the house.

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"banyan/internal/linkage"
	"banyan/internal/store"
)

// separator parts several codes in one cell of an exported table.
const separator = ";"

// ExportCSV writes one line a person: source, person (the pseudonym; for
// imported rows the source and the row's number), then each variable in the
// definition's order, several codes parted by ";". The own rows come first, by
// pseudonym, so that their order says nothing of when a case was opened. No
// sources means all. It gives the number of rows.
func (r *Register) ExportCSV(ctx context.Context, w io.Writer, only []string) (rows int64, err error) {
	out := csv.NewWriter(w)
	header := []string{"source", "person"}
	for _, v := range r.def.Variables {
		header = append(header, v.ID)
	}
	if err := out.Write(header); err != nil {
		return 0, fmt.Errorf("exporting the register: %w", err)
	}
	e := &exporter{def: r.def, out: out}
	err = r.db.View(ctx, func(tx *store.Tx) error {
		imported, err := sources(ctx, tx)
		if err != nil {
			return err
		}
		for _, id := range only {
			if id != OwnSource && !slices.ContainsFunc(imported, func(s SourceInfo) bool { return s.ID == id }) {
				return fmt.Errorf("%w: %q", ErrNoSource, id)
			}
		}
		return e.all(ctx, tx, imported, only)
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	if err != nil {
		return e.rows, fmt.Errorf("exporting the register: %w", err)
	}
	return e.rows, nil
}

type exporter struct {
	def  *Definition
	out  *csv.Writer
	line []string
	rows int64
}

func (e *exporter) all(ctx context.Context, tx *store.Tx, imported []SourceInfo, only []string) error {
	wanted := func(id string) bool { return len(only) == 0 || slices.Contains(only, id) }
	if wanted(OwnSource) {
		if err := e.own(ctx, tx); err != nil {
			return err
		}
	}
	for _, s := range imported {
		if !wanted(s.ID) {
			continue
		}
		number := 0
		err := eachBlockLine(ctx, tx, s.ID, false, func(packed string) error {
			number++
			return e.row(s.ID, fmt.Sprintf("%s-%d", s.ID, number), packed)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// own writes one line a case; the cases of one person have one pseudonym. The
// lines are in its order, so that theirs says nothing of when a case was opened.
func (e *exporter) own(ctx context.Context, tx *store.Tx) error {
	rows, err := tx.Query(ctx, `SELECT stream, person, codes FROM register_fact ORDER BY stream`)
	if err != nil {
		return err
	}
	defer rows.Close()
	type line struct{ person, codes string }
	lines := map[string]line{} // by stream
	for rows.Next() {
		var stream string
		var l line
		if err := rows.Scan(&stream, &l.person, &l.codes); err != nil {
			return err
		}
		lines[stream] = l
	}
	if err := rows.Err(); err != nil {
		return err
	}
	pairs, err := linkage.Pairs(ctx, tx)
	if err != nil {
		return err
	}
	pairs = slices.DeleteFunc(pairs, func(p linkage.Pair) bool { return lines[p.A].person == "" || lines[p.B].person == "" })
	for _, streams := range linkage.Persons(pairs) {
		first := lines[streams[0]].person
		for _, s := range streams {
			lines[s] = line{first, lines[s].codes}
		}
	}
	sorted := slices.SortedFunc(maps.Values(lines), func(a, b line) int {
		return cmp.Or(strings.Compare(a.person, b.person), strings.Compare(a.codes, b.codes))
	})
	for _, l := range sorted {
		if err := e.row(OwnSource, l.person, l.codes); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) row(source, person, packed string) error {
	if e.line == nil {
		e.line = make([]string, 2+len(e.def.Variables))
	}
	clear(e.line)
	e.line[0], e.line[1] = source, person
	err := eachValue(packed, func(variable, code string) {
		i, ok := e.def.byID[variable]
		if !ok {
			return
		}
		if e.line[2+i] != "" {
			code = e.line[2+i] + separator + code
		}
		e.line[2+i] = code
	})
	if err != nil {
		return err
	}
	e.rows++
	return e.out.Write(e.line)
}

// WriteDictionary writes what the exported columns mean: one line for each code
// of each variable, with the names that HTCDS and CTDC give the variable.
func (r *Register) WriteDictionary(ctx context.Context, w io.Writer) error {
	imported, err := r.Sources(ctx)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	lines := [][]string{{"variable", "label", "several", "public", "htcds", "ctdc", "code", "code_label"}}
	for i := range r.def.Variables {
		v := &r.def.Variables[i]
		about := []string{v.ID, v.Label, yesNo(v.Multi), yesNo(v.Public), v.HTCDS, v.CTDC.names()}
		for _, c := range v.dictionary(imported) {
			lines = append(lines, append(slices.Clone(about), c.Code, c.Label))
		}
	}
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("writing the dictionary: %w", err)
	}
	return nil
}

// dictionary lists the codes, with those that only a source has.
func (v *Variable) dictionary(sources []SourceInfo) []Code {
	codes := slices.Clone(v.Codes)
	switch v.Kind {
	case KindYear:
		codes = []Code{{"YYYY", "Calendar year"}}
	case KindMonth:
		codes = []Code{{"YYYY-MM", "Calendar month"}}
	case KindPcode:
		codes = []Code{{"P-code", "Place code of OCHA's common operational datasets"}}
	}
	for _, s := range sources {
		for _, e := range s.Extra {
			if e.Variable == v.ID {
				codes = append(codes, Code{e.Code, e.Label})
			}
		}
	}
	return codes
}

// names lists the columns of CTDC's file that the variable stands in.
func (c *CTDC) names() string {
	if c == nil {
		return ""
	}
	var out []string
	for _, name := range c.Columns {
		out = append(out, name)
	}
	out = append(out, c.Column, c.Other)
	slices.Sort(out)
	out = slices.Compact(slices.DeleteFunc(out, func(s string) bool { return s == "" }))
	return strings.Join(out, " ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
