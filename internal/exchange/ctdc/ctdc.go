// Package ctdc reads the Global Dataset of the Counter-Trafficking Data
// Collaborative (CTDC) into the register's variables.
//
// The file is a table of 37 columns (codebook of the Global Synthetic Dataset,
// September 2021; ctdatacollaborative.org), as CSV, alone or compressed with
// gzip or xz: the first bytes tell which. An empty cell means not known; in
// the yes-columns only 1 occurs. Every cell is held against the codebook, every
// fault is reported with its line and column, and a file with a fault gives no
// rows at all. Messages never repeat what stands in a cell.
package ctdc

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"banyan/internal/register"

	"github.com/ulikunitz/xz"
)

// Format is the id of this format in the register.
const Format = "ctdc"

// Title and Citation name the data wherever figures made of it are shown; the
// citation is the one that CTDC's terms of use ask for.
const (
	Title    = "CTDC Global Synthetic Dataset"
	Citation = "Counter-Trafficking Data Collaborative (CTDC), 2021, Global Synthetic Dataset, ctdatacollaborative.org"
)

// Limits of a file, against damaged or hostile ones.
const (
	maxLineBytes = 64 << 10
	maxRows      = 50_000_000
	maxReported  = 100
)

// RowError is a fault at one place of the file. Line 1 is the header.
type RowError struct {
	Line    int
	Column  string // empty: the line as a whole
	Message string
}

func (e RowError) String() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Message)
	}
	return fmt.Sprintf("line %d, column %s: %s", e.Line, e.Column, e.Message)
}

// FaultsError says that the file cannot be taken, and why: the first hundred
// faults, and how many there are.
type FaultsError struct {
	Faults []RowError
	Total  int
}

func (e *FaultsError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d fault(s), nothing was imported:", e.Total)
	for _, f := range e.Faults {
		b.WriteString("\n  " + f.String())
	}
	if more := e.Total - len(e.Faults); more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	return b.String()
}

// FormatError says that the file as a whole is not what it should be.
type FormatError struct{ Message string }

func (e *FormatError) Error() string { return e.Message }

func notTheFormat(format string, args ...any) error {
	return &FormatError{fmt.Sprintf(format, args...)}
}

// Result is what was read.
type Result struct {
	Rows   int64
	Digest string // SHA-256 of the text after decompression, so that the same data is known in any wrapping
	// Untaken names columns with values for which the register has no
	// variable; they are kept only as they stood in the file.
	Untaken []string
}

// Read hands every row to take: its values in the register's variables, and
// the line in the file's own codes, columns in the codebook's order. Progress
// is called every thousand rows. If any row is at fault the error is a
// FaultsError with all faults found; take may have been called for rows before
// and after, and the caller throws them away.
func Read(ctx context.Context, file io.Reader, def *register.Definition, take func(values []register.Value, raw string) error, progress func(rows int64)) (Result, error) {
	text, err := unwrap(file)
	if err != nil {
		return Result{}, err
	}
	sum := sha256.New()
	lines := bufio.NewScanner(io.TeeReader(text, sum))
	lines.Buffer(make([]byte, 0, 16<<10), maxLineBytes)
	r := &reader{ctx: ctx, lines: lines, def: def, take: take, progress: progress, untaken: map[string]bool{}}
	if err := r.run(); err != nil {
		return Result{}, err
	}
	out := Result{Rows: r.rows, Digest: hex.EncodeToString(sum.Sum(nil))}
	for _, c := range columns {
		if r.untaken[c.name] {
			out.Untaken = append(out.Untaken, c.name)
		}
	}
	return out, nil
}

type reader struct {
	ctx      context.Context
	lines    *bufio.Scanner
	def      *register.Definition
	take     func([]register.Value, string) error
	progress func(int64)

	place   []int // codebook column → column of the file
	line    int   // of the file, from 1
	rows    int64
	faults  FaultsError
	fields  []string
	untaken map[string]bool
	values  []register.Value
	raw     bytes.Buffer
}

func (r *reader) run() error {
	if !r.next() {
		return firstError(r.unreadable(), notTheFormat("the file is empty"))
	}
	header, err := r.split(strings.TrimPrefix(r.lines.Text(), "\ufeff"))
	if err != nil {
		return &FaultsError{Faults: []RowError{{1, "", "is not valid CSV"}}, Total: 1}
	}
	if err := r.findColumns(header); err != nil {
		return err
	}
	for r.next() {
		if len(r.lines.Bytes()) == 0 {
			continue
		}
		r.row(r.lines.Text())
		if err := r.pause(); err != nil {
			return err
		}
	}
	switch err := r.unreadable(); {
	case err != nil:
		return err
	case r.faults.Total > 0:
		return &r.faults
	case r.rows == 0:
		return notTheFormat("the file has a header and no rows")
	}
	return nil
}

func (r *reader) next() bool {
	if !r.lines.Scan() {
		return false
	}
	r.line++
	return true
}

// pause is where progress is told and the work can be called off.
func (r *reader) pause() error {
	if r.rows > maxRows {
		return notTheFormat("the file has more than %d rows", maxRows)
	}
	if r.rows%1000 != 0 {
		return nil
	}
	if r.progress != nil {
		r.progress(r.rows)
	}
	return r.ctx.Err()
}

// split parts a line into fields. A field does not go over the end of a line:
// codes have no line breaks, and an unclosed quote must not swallow the file.
func (r *reader) split(line string) ([]string, error) {
	if strings.Contains(line, `"`) {
		return csv.NewReader(strings.NewReader(line)).Read()
	}
	r.fields = r.fields[:0]
	for more := true; more; {
		var field string
		field, line, more = strings.Cut(line, ",")
		r.fields = append(r.fields, field)
	}
	return r.fields, nil
}

// row takes one line, or notes why it cannot be taken.
func (r *reader) row(text string) {
	r.rows++
	record, err := r.split(text)
	if err != nil {
		r.fault(r.line, "", "is not valid CSV")
		return
	}
	if len(record) != len(columns) {
		r.fault(r.line, "", fmt.Sprintf("has %d fields, not %d", len(record), len(columns)))
		return
	}
	before := r.faults.Total
	r.translate(r.line, record)
	if r.faults.Total > before {
		return
	}
	if err := r.take(r.values, r.rawLine(record)); err != nil {
		r.fault(r.line, "", err.Error())
	}
}

func (r *reader) translate(line int, record []string) {
	r.values = r.values[:0]
	for k, c := range columns {
		cell := record[r.place[k]]
		if cell == "" {
			continue
		}
		values, problem := c.translate(cell)
		if problem != "" {
			r.fault(line, c.name, problem)
			continue
		}
		for _, value := range values {
			r.keep(line, c.name, value)
		}
	}
}

// keep adds a value that the register has a variable for. A code that our list
// does not know must be one of Extra.
func (r *reader) keep(line int, column string, value register.Value) {
	v, ok := r.def.Variable(value.Variable)
	if !ok {
		r.untaken[column] = true
		return
	}
	if !v.Allows(value.Code) && !isExtra(value) {
		r.fault(line, column, "is not a code of the register's variable "+v.ID)
		return
	}
	r.values = append(r.values, value)
}

func (r *reader) rawLine(record []string) string {
	r.raw.Reset()
	for k := range columns {
		if k > 0 {
			r.raw.WriteByte(',')
		}
		r.raw.WriteString(record[r.place[k]]) // checked: codes hold no comma
	}
	return r.raw.String()
}

func (r *reader) fault(line int, column, message string) {
	r.faults.Total++
	if len(r.faults.Faults) < maxReported {
		r.faults.Faults = append(r.faults.Faults, RowError{line, column, message})
	}
}

// unreadable says why the lines ended, if it was not the file's end.
func (r *reader) unreadable() error {
	err := r.lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return notTheFormat("line %d has more than %d bytes: this is not a CTDC file", r.line+1, maxLineBytes)
	case err != nil:
		return notTheFormat("the file cannot be read after line %d: %v", r.line, err)
	}
	return nil
}

// findColumns holds the header against the codebook: all 37 names, in any
// order, nothing else.
func (r *reader) findColumns(header []string) error {
	at := map[string]int{}
	for i, name := range header {
		if _, twice := at[name]; twice {
			return &FaultsError{Faults: []RowError{{1, "", fmt.Sprintf("column %d repeats the name of an earlier one", i+1)}}, Total: 1}
		}
		at[name] = i
	}
	var missing []string
	for _, c := range columns {
		i, ok := at[c.name]
		if !ok {
			missing = append(missing, c.name)
		}
		r.place = append(r.place, i)
	}
	switch {
	case len(missing) > 0:
		return &FaultsError{Faults: []RowError{{1, "", fmt.Sprintf("this is not the CTDC table of %d columns: missing %s", len(columns), strings.Join(missing, ", "))}}, Total: 1}
	case len(header) > len(columns):
		return &FaultsError{Faults: []RowError{{1, "", fmt.Sprintf("has %d columns that the CTDC table does not have", len(header)-len(columns))}}, Total: 1}
	}
	return nil
}

// unwrap decompresses after the file's first bytes.
func unwrap(file io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(file, 64<<10)
	start, _ := buffered.Peek(6) // a short file is told apart later
	switch {
	case bytes.HasPrefix(start, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		r, err := xz.NewReader(buffered)
		if err != nil {
			return nil, notTheFormat("opening the xz file: %v", err)
		}
		return r, nil
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		r, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, notTheFormat("opening the gzip file: %v", err)
		}
		return r, nil
	}
	return buffered, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
