// Reading tables of codes from CSV (plain, .gz, .xz) and Parquet. The input is
// streamed: what is held in memory is the coded table only.

package table

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ulikunitz/xz"
)

// Options say how to read a file.
type Options struct {
	Multi   []string // columns whose fields hold several values, separated by ';'
	Columns []string // read only these columns; empty = all
	// Group is a column that names the case group of a person (those trafficked
	// together). It is no attribute: the table has it as Group only, and whoever
	// has an empty field there is a group of one.
	Group string
}

// InputError says what is wrong with a table that was handed in: the caller's
// to put right, so commands exit with code 2.
type InputError struct {
	Line   int    // 1-based, as an editor counts; 0 when no line is at fault
	Column string // empty when no column is at fault
	Reason string
}

func (e *InputError) Error() string {
	var at []string
	if e.Line > 0 {
		at = append(at, fmt.Sprintf("line %d", e.Line))
	}
	if e.Column != "" {
		at = append(at, fmt.Sprintf("column %q", e.Column))
	}
	if len(at) == 0 {
		return e.Reason
	}
	return strings.Join(at, ", ") + ": " + e.Reason
}

// ReadFile reads a table; the file's name says its form (.csv, .csv.gz, .csv.xz,
// .parquet).
func ReadFile(path string, opt Options) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &InputError{Reason: fmt.Sprintf("cannot open the table: %v", err)}
	}
	defer f.Close()
	if strings.HasSuffix(strings.ToLower(path), ".parquet") {
		return readParquet(f, opt)
	}
	r, err := Decompress(path, f)
	if err != nil {
		return nil, err
	}
	return ReadCSV(r, opt)
}

// Decompress unpacks .gz and .xz on the fly, by the file's name. The unpacking
// of .xz runs beside the reading.
func Decompress(name string, r io.Reader) (io.Reader, error) {
	name = strings.ToLower(name)
	switch {
	case strings.HasSuffix(name, ".gz"):
		z, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
		if err != nil {
			return nil, &InputError{Reason: fmt.Sprintf("not a gzip file: %v", err)}
		}
		return z, nil
	case strings.HasSuffix(name, ".xz"):
		z, err := xz.NewReader(bufio.NewReaderSize(r, 1<<16))
		if err != nil {
			return nil, &InputError{Reason: fmt.Sprintf("not an xz file: %v", err)}
		}
		pr, pw := io.Pipe()
		go func() {
			w := bufio.NewWriterSize(pw, 1<<18)
			_, err := io.Copy(w, z)
			if err == nil {
				err = w.Flush()
			}
			pw.CloseWithError(err)
		}()
		return pr, nil
	}
	return r, nil
}

// ReadCSV reads a table from CSV with a header row (RFC 4180, UTF-8, with or
// without a byte-order mark).
func ReadCSV(r io.Reader, opt Options) (*Table, error) {
	in := bufio.NewReaderSize(r, 1<<18)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		in.Discard(3)
	}
	c := csv.NewReader(in)
	c.ReuseRecord = true
	c.FieldsPerRecord = -1 // checked here, to name the line
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, &InputError{Reason: "the file is empty: a header row is needed"}
	}
	if err != nil {
		return nil, csvError(err)
	}
	rd, err := newReading(head, opt)
	if err != nil {
		return nil, err
	}
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, csvError(err)
		}
		if err := rd.add(rec, func() int { line, _ := c.FieldPos(0); return line }); err != nil {
			return nil, err
		}
	}
	return rd.finish()
}

func csvError(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return &InputError{Line: p.Line, Reason: p.Err.Error()}
	}
	return &InputError{Reason: fmt.Sprintf("cannot read the table: %v", err)}
}

// reading is a table being read: codes are numbered as they come and
// renumbered in order at the end.
type reading struct {
	columns []readColumn
	take    []int // file column → index into columns, or -1
	offsets []uint32
	attrs   []Attr // provisional numbers
	where   []provisional
	row     []Attr

	group       int // file column of the group, or -1
	groups      []uint32
	groupNumber map[string]uint32
	groupCount  uint32
}

type provisional struct {
	column int
	value  string
}

type readColumn struct {
	name     string
	multi    bool
	numbers  map[string]Attr
	recorded int // fields that were not empty
}

func newReading(head []string, opt Options) (*reading, error) {
	if len(head) > MaxColumns {
		return nil, &InputError{Line: 1, Reason: fmt.Sprintf("%d columns; at most %d are read as a table of codes", len(head), MaxColumns)}
	}
	rd := &reading{offsets: []uint32{0}, group: -1, groupNumber: map[string]uint32{}}
	seen := map[string]bool{}
	for i, h := range head {
		switch name := strings.TrimSpace(h); {
		case !utf8.ValidString(name):
			return nil, &InputError{Line: 1, Reason: fmt.Sprintf("the name of column %d is not valid UTF-8", i+1)}
		case name == "":
			return nil, &InputError{Line: 1, Reason: fmt.Sprintf("column %d has no name", i+1)}
		case strings.ContainsAny(name, ":;\n\r"):
			return nil, &InputError{Line: 1, Column: name, Reason: "a column name must not hold ':', ';' or a line break"}
		case seen[name]:
			return nil, &InputError{Line: 1, Column: name, Reason: "the column appears twice"}
		default:
			seen[name] = true
			if name == opt.Group {
				rd.group = i
				rd.take = append(rd.take, -1)
				continue
			}
			if len(opt.Columns) > 0 && !slices.Contains(opt.Columns, name) {
				rd.take = append(rd.take, -1)
				continue
			}
			rd.take = append(rd.take, len(rd.columns))
			rd.columns = append(rd.columns, readColumn{name: name, multi: slices.Contains(opt.Multi, name), numbers: map[string]Attr{}})
		}
	}
	wanted := slices.Concat(opt.Columns, opt.Multi)
	if opt.Group != "" {
		if slices.Contains(wanted, opt.Group) {
			return nil, &InputError{Column: opt.Group, Reason: "names the case group: it cannot be an attribute as well"}
		}
		wanted = append(wanted, opt.Group)
	}
	for _, want := range wanted {
		if !seen[want] {
			return nil, &InputError{Column: want, Reason: "there is no such column; the file has " + quoteNames(trimAll(head))}
		}
	}
	return rd, nil
}

func trimAll(s []string) []string {
	out := make([]string, 0, len(s))
	for i, x := range s {
		if i == 40 {
			return append(out, "…")
		}
		out = append(out, strings.TrimSpace(x))
	}
	return out
}

// add codes one row; line is asked for only when something is wrong.
func (rd *reading) add(rec []string, line func() int) error {
	if len(rec) != len(rd.take) {
		return &InputError{Line: line(), Reason: fmt.Sprintf("%d fields where the header has %d", len(rec), len(rd.take))}
	}
	rd.row = rd.row[:0]
	for i, f := range rec {
		if f == "" || rd.take[i] < 0 {
			continue
		}
		c := &rd.columns[rd.take[i]]
		if !c.multi {
			if err := rd.value(rd.take[i], f, line); err != nil {
				return err
			}
			continue
		}
		for part := range strings.SplitSeq(f, ";") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			if err := rd.value(rd.take[i], part, line); err != nil {
				return err
			}
		}
	}
	if len(rd.attrs)+len(rd.row) > 1<<32-2 {
		return &InputError{Line: line(), Reason: "the table holds more than 4 billion values"}
	}
	if rd.group >= 0 {
		rd.addGroup(strings.TrimSpace(rec[rd.group]))
	}
	rd.attrs = append(rd.attrs, rd.row...)
	rd.offsets = append(rd.offsets, uint32(len(rd.attrs)))
	return nil
}

// addGroup numbers the next person's case group.
func (rd *reading) addGroup(name string) {
	n, ok := rd.groupNumber[name]
	if !ok || name == "" {
		n = rd.groupCount
		rd.groupCount++
		if name != "" {
			rd.groupNumber[strings.Clone(name)] = n
		}
	}
	rd.groups = append(rd.groups, n)
}

func (rd *reading) value(column int, f string, line func() int) error {
	c := &rd.columns[column]
	n, ok := c.numbers[f]
	if !ok {
		if err := checkValue(f, c); err != nil {
			return &InputError{Line: line(), Column: c.name, Reason: err.Error()}
		}
		if trimmed := strings.TrimSpace(f); trimmed != f {
			if trimmed == "" {
				return nil // blanks only: not recorded
			}
			if n, ok = c.numbers[trimmed]; ok {
				c.numbers[strings.Clone(f)] = n
				return rd.known(c, n)
			}
			f = trimmed
		}
		if len(rd.where) >= MaxAttributes {
			return &InputError{Line: line(), Column: c.name, Reason: fmt.Sprintf("more than %d different values in the table: is a column a name or a number?", MaxAttributes)}
		}
		n = Attr(len(rd.where))
		f = strings.Clone(f)
		c.numbers[f] = n
		rd.where = append(rd.where, provisional{column, f})
		if d := len(c.numbers); d > 2_000 && 2*d > c.recorded {
			return &InputError{Line: line(), Column: c.name, Reason: fmt.Sprintf("looks like an identifier: %d different values in %d recorded; leave it out or group it", d, c.recorded+1)}
		}
	}
	return rd.known(c, n)
}

func (rd *reading) known(c *readColumn, n Attr) error {
	c.recorded++
	if c.multi && slices.Contains(rd.row, n) {
		return nil // the same value written twice
	}
	rd.row = append(rd.row, n)
	return nil
}

func checkValue(f string, c *readColumn) error {
	switch {
	case len(f) > MaxFieldBytes:
		return fmt.Errorf("a value of %d bytes; a code has at most %d", len(f), MaxFieldBytes)
	case !utf8.ValidString(f):
		return errors.New("a value is not valid UTF-8")
	case strings.ContainsAny(f, "\n\r\x00"):
		return errors.New("a value holds a line break or a NUL; a code does not")
	case !c.multi && strings.Contains(f, ";"):
		return errors.New("a value holds ';': declare the column as multi-valued, or rename the code")
	}
	return nil
}

// finish checks the whole and renumbers the codes in order.
func (rd *reading) finish() (*Table, error) {
	rows := len(rd.offsets) - 1
	switch {
	case rows == 0:
		return nil, &InputError{Reason: "the table has a header but no rows"}
	case rows < MinRows:
		return nil, &InputError{Line: 2, Reason: "the table has one row: there is nothing to hide one person among"}
	}
	values := make([][]string, len(rd.columns))
	for _, w := range rd.where {
		values[w.column] = append(values[w.column], w.value)
	}
	for i, c := range rd.columns {
		d := len(values[i])
		if d >= 10 && d == c.recorded || d > 100 && 2*d > c.recorded {
			return nil, &InputError{Column: c.name, Reason: fmt.Sprintf("looks like an identifier: %d different values in %d recorded; leave it out or group it", d, c.recorded)}
		}
	}
	t := &Table{offsets: rd.offsets, attrs: rd.attrs, groups: rd.groups}
	renumber := make([]Attr, len(rd.where))
	for i, c := range rd.columns {
		slices.Sort(values[i])
		t.Columns = append(t.Columns, Column{Name: c.name, Multi: c.multi, First: Attr(len(t.Attrs)), N: len(values[i])})
		for _, v := range values[i] {
			renumber[c.numbers[v]] = Attr(len(t.Attrs))
			t.Attrs = append(t.Attrs, Attribute{i, v})
		}
	}
	for i, a := range t.attrs {
		t.attrs[i] = renumber[a]
	}
	for i := range rows {
		if row := t.attrs[t.offsets[i]:t.offsets[i+1]]; !slices.IsSorted(row) {
			slices.Sort(row)
		}
	}
	return t, nil
}
