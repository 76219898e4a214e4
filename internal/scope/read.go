package scope

// This file reads capture histories from CSV: one column per list with 0 or
// 1, one column "count", in any order; rows may repeat and may be zero. It
// promises that whatever it accepts is a sound Table, and that whatever it
// refuses is named by line and column.

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// InputError says what is wrong with a file of capture histories, and where.
type InputError struct {
	Line   int    // 1 is the header; 0 when the whole file is meant
	Column string // list or "count"; empty when the whole line is meant
	Reason string
}

func (e *InputError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, "column %q: ", e.Column)
	}
	return b.String() + e.Reason
}

const (
	maxBytes    = 16 << 20 // a table of 2^10 histories needs far less
	maxNameLen  = 80
	countColumn = "count"
)

// Read reads a table of capture histories. Its error is an *InputError for
// anything wrong with the content.
func Read(r io.Reader) (*Table, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read capture histories: %w", err)
	}
	if len(raw) > maxBytes {
		return nil, &InputError{Reason: fmt.Sprintf("the file is larger than %d MiB; give one row per history, not per person", maxBytes>>20)}
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !utf8.Valid(raw) {
		return nil, &InputError{Reason: "the file is not UTF-8 text"}
	}
	rows := csv.NewReader(bytes.NewReader(raw))
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true

	table, columns, err := readHeader(rows)
	if err != nil {
		return nil, err
	}
	if err := readRows(rows, table, columns); err != nil {
		return nil, err
	}
	return table, nil
}

// header remembers which column is which: list index, or -1 for the count.
type header struct {
	names []string
	list  []int
}

func readHeader(rows *csv.Reader) (*Table, *header, error) {
	record, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, &InputError{Line: 1, Reason: "the file is empty; it needs a header with list names and count"}
	}
	if err != nil {
		return nil, nil, csvError(err)
	}
	h := &header{}
	var lists []string
	seen := map[string]bool{}
	hasCount := false
	for i, field := range record {
		name := strings.TrimSpace(field)
		if err := checkName(name, i+1); err != nil {
			return nil, nil, err
		}
		if strings.EqualFold(name, countColumn) {
			name = countColumn
		}
		if seen[name] {
			return nil, nil, &InputError{1, name, "the column appears twice"}
		}
		seen[name] = true
		h.names = append(h.names, name)
		if name == countColumn {
			hasCount = true
			h.list = append(h.list, -1)
			continue
		}
		h.list = append(h.list, len(lists))
		lists = append(lists, name)
	}
	switch {
	case !hasCount:
		return nil, nil, &InputError{1, "", "there is no column named count"}
	case len(lists) < 2:
		return nil, nil, &InputError{1, "", fmt.Sprintf("there are %d list columns; an overlap needs at least two lists", len(lists))}
	case len(lists) > MaxLists:
		return nil, nil, &InputError{1, "", fmt.Sprintf("there are %d list columns; at most %d", len(lists), MaxLists)}
	}
	return NewTable(lists...), h, nil
}

func checkName(name string, column int) error {
	if name == "" {
		return &InputError{1, "", fmt.Sprintf("column %d has no name", column)}
	}
	if len(name) > maxNameLen {
		return &InputError{1, "", fmt.Sprintf("the name of column %d is longer than %d bytes", column, maxNameLen)}
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return &InputError{1, "", fmt.Sprintf("the name of column %d has a control character", column)}
		}
	}
	return nil
}

func readRows(rows *csv.Reader, table *Table, h *header) error {
	n, last := 0, 1
	var people int64
	for {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return csvError(err)
		}
		line, _ := rows.FieldPos(0)
		history, count, err := readRow(record, line, h)
		if err != nil {
			return err
		}
		if people += count; people > MaxPeople {
			return &InputError{line, countColumn, fmt.Sprintf("the counts up to here add up to more than %d people", MaxPeople)}
		}
		table.Counts[history] += count
		n, last = n+1, line
	}
	if n == 0 {
		return &InputError{Line: 1, Reason: "there is a header but no row"}
	}
	return checkContent(table, last)
}

func readRow(record []string, line int, h *header) (history int, count int64, err error) {
	if len(record) != len(h.names) {
		return 0, 0, &InputError{line, "", fmt.Sprintf("there are %d fields where the header has %d", len(record), len(h.names))}
	}
	for i, field := range record {
		value := strings.TrimSpace(field)
		if h.list[i] < 0 {
			if count, err = readCount(value); err != nil {
				return 0, 0, &InputError{line, countColumn, err.Error()}
			}
			continue
		}
		switch value {
		case "1":
			history |= 1 << h.list[i]
		case "0":
		default:
			return 0, 0, &InputError{line, h.names[i], fmt.Sprintf("%s is neither 0 nor 1", quote(value))}
		}
	}
	if history == 0 && count > 0 {
		return 0, 0, &InputError{line, "", "people on no list cannot have been counted; leave this row out"}
	}
	return history, count, nil
}

func readCount(value string) (int64, error) {
	c, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return 0, fmt.Errorf("%s is too large; at most %d people", quote(value), MaxPeople)
		}
		return 0, fmt.Errorf("%s is not a whole number", quote(value))
	}
	if c < 0 {
		return 0, fmt.Errorf("%s is negative", quote(value))
	}
	if c > MaxPeople {
		return 0, fmt.Errorf("%s is too large; at most %d people", quote(value), MaxPeople)
	}
	return c, nil
}

// checkContent refuses tables that no method can use.
func checkContent(table *Table, last int) error {
	if table.Observed() == 0 {
		return &InputError{last, countColumn, "every count up to here is zero: nobody was seen"}
	}
	for i, name := range table.Lists {
		if table.Size(i) == 0 {
			return &InputError{1, name, fmt.Sprintf("nobody is on this list (lines 2 to %d)", last)}
		}
	}
	if table.Overlapping() == 0 {
		return &InputError{last, "", fmt.Sprintf("in lines 2 to %d nobody is on two lists: without any overlap the number not seen cannot be estimated", last)}
	}
	return nil
}

func csvError(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &InputError{Line: parse.Line, Reason: parse.Err.Error()}
	}
	return fmt.Errorf("read capture histories: %w", err)
}

// quote shows a value of the file, shortened: a wrong file may hold anything.
func quote(s string) string {
	if len(s) > 24 {
		s = strings.ToValidUTF8(s[:24], "") + "…"
	}
	return strconv.Quote(s)
}
