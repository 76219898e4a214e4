package store

// Redrawing the rows of a projection: most of what a stream shows stays as it
// was when one entry is added to it, and a row that is deleted and inserted
// again is written to every index of its table. Redraw compares, and writes
// only what differs.

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rows are what a projection's table shall hold for one stream.
type Rows struct {
	Table   string
	Columns []string // the first is "stream"
	Key     int      // how many leading columns, the stream included, tell rows of a stream apart
	Rows    [][]any  // values of the other columns, without the stream: string, int, int64, bool or []byte
}

// Redraw makes the rows of a stream those given. Of two rows with the same key
// the last counts.
func (tx *Tx) Redraw(ctx context.Context, stream string, want Rows) error {
	have, err := tx.rowsOf(ctx, stream, want)
	if err != nil {
		return fmt.Errorf("reading rows of %s: %w", want.Table, err)
	}
	shall := make(map[string][]any, len(want.Rows))
	var order []string
	for _, row := range want.Rows {
		if len(row) != len(want.Columns)-1 {
			return fmt.Errorf("a row of %s has %d values, not %d", want.Table, len(row), len(want.Columns)-1)
		}
		row = normalRow(row)
		key := rowKey(row[:want.Key-1])
		if shall[key] == nil {
			order = append(order, key)
		}
		shall[key] = row
	}
	for key, row := range have {
		if shall[key] == nil {
			if err := tx.dropRow(ctx, stream, want, row); err != nil {
				return fmt.Errorf("clearing a row of %s: %w", want.Table, err)
			}
		}
	}
	var fresh [][]any
	for _, key := range order {
		if have[key] == nil {
			fresh = append(fresh, append([]any{stream}, shall[key]...))
			continue
		}
		if err := tx.changeRow(ctx, stream, want, have[key], shall[key]); err != nil {
			return fmt.Errorf("changing a row of %s: %w", want.Table, err)
		}
	}
	if err := tx.InsertRows(ctx, want.Table, want.Columns, fresh); err != nil {
		return fmt.Errorf("writing rows of %s: %w", want.Table, err)
	}
	return nil
}

// mostValues bounds the values of one statement; both engines take more.
const mostValues = 1000

// InsertRows writes rows in as few statements as may be.
func (tx *Tx) InsertRows(ctx context.Context, table string, columns []string, rows [][]any) error {
	for some := range slices.Chunk(rows, max(1, mostValues/len(columns))) {
		var args []any
		var b strings.Builder
		b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
		for i, row := range some {
			b.WriteString([]string{"(", ", ("}[min(i, 1)])
			for k := range row {
				b.WriteString([]string{"$", ", $"}[min(k, 1)] + strconv.Itoa(len(args)+k+1))
			}
			b.WriteByte(')')
			args = append(args, row...)
		}
		if _, err := tx.Exec(ctx, b.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) rowsOf(ctx context.Context, stream string, r Rows) (map[string][]any, error) {
	rows, err := tx.Query(ctx, `SELECT `+strings.Join(r.Columns[1:], ", ")+` FROM `+r.Table+` WHERE stream = $1`, stream)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have := map[string][]any{}
	for rows.Next() {
		row := make([]any, len(r.Columns)-1)
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		have[rowKey(row[:r.Key-1])] = row
	}
	return have, rows.Err()
}

// changeRow writes the columns that differ.
func (tx *Tx) changeRow(ctx context.Context, stream string, r Rows, have, want []any) error {
	args := append([]any{stream}, want[:r.Key-1]...)
	var set []string
	for i := r.Key - 1; i < len(want); i++ {
		if !sameValue(have[i], want[i]) {
			args = append(args, want[i])
			set = append(set, r.Columns[i+1]+" = $"+strconv.Itoa(len(args)))
		}
	}
	if len(set) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE `+r.Table+` SET `+strings.Join(set, ", ")+r.where(), args...)
	return err
}

func (tx *Tx) dropRow(ctx context.Context, stream string, r Rows, row []any) error {
	_, err := tx.Exec(ctx, `DELETE FROM `+r.Table+r.where(), append([]any{stream}, row[:r.Key-1]...)...)
	return err
}

func (r Rows) where() string {
	var b strings.Builder
	for i, c := range r.Columns[:r.Key] {
		b.WriteString([]string{" WHERE ", " AND "}[min(i, 1)] + c + " = $" + strconv.Itoa(i+1))
	}
	return b.String()
}

// normalRow gives values the types in which the engines give them back.
func normalRow(row []any) []any {
	out := make([]any, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case int:
			out[i] = int64(v)
		case []byte:
			if v != nil { // an absent cell is NULL
				out[i] = v
			}
		default:
			out[i] = v
		}
	}
	return out
}

func sameValue(a, b any) bool {
	x, isBytes := a.([]byte)
	y, alsoBytes := b.([]byte)
	if isBytes || alsoBytes {
		return isBytes && alsoBytes && bytes.Equal(x, y)
	}
	return a == b
}

// rowKey is a text that no other key of the table has.
func rowKey(values []any) string {
	var b strings.Builder
	for _, v := range values {
		text := fmt.Sprint(v)
		b.WriteString(strconv.Itoa(len(text)))
		b.WriteByte(':')
		b.WriteString(text)
	}
	return b.String()
}
