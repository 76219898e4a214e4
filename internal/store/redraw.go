package store

// Redrawing the rows of a projection: most of what a stream shows stays as it
// was when one entry is added to it, and a row that is deleted and inserted
// again is written to every index of its table. Redraw compares, and writes
// only what differs. What stands may be read before the transaction begins
// (ReadDrawn), so that nobody waits for it.

import (
	"bytes"
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Table is the shape of a projection's table.
type Table struct {
	Name    string
	Columns []string // the first is "stream"
	Key     int      // how many leading columns, the stream included, tell rows apart; 1: one row a stream
	// Behind names a table before this one in the list: rows here follow from
	// the rows there alone, and are looked at only when those change.
	Behind string
}

// Rows are what a table shall hold for one stream.
type Rows struct {
	Table Table
	Rows  [][]any // values of the columns after the stream: string, int, int64, bool or []byte
}

// Drawn are the rows of one stream that stand in some tables.
type Drawn struct {
	rows map[string]map[string][]any // by table and key; no table: not read
}

// ReadDrawn reads the rows of a stream in tables, those behind others left
// out. One statement brings the tables of one row a stream, and whether there
// is anything in the others: most are empty for most streams.
func ReadDrawn(ctx context.Context, q Querier, stream string, tables []Table) (Drawn, error) {
	d := Drawn{rows: map[string]map[string][]any{}}
	ask := askFor(tables)
	got, err := scanRow(q, ctx, ask.text, ask.width, stream)
	if err != nil {
		return Drawn{}, fmt.Errorf("reading what is drawn of a stream: %w", err)
	}
	for _, t := range ask.single {
		row := got[1:len(t.Columns)]
		d.rows[t.Name] = map[string][]any{}
		if got[0] != nil {
			d.rows[t.Name][""] = slices.Clone(row)
		}
		got = got[len(t.Columns):]
	}
	for i, t := range ask.several {
		d.rows[t.Name] = map[string][]any{}
		if got[i] == int64(0) {
			continue
		}
		if d.rows[t.Name], err = rowsOf(ctx, q, stream, t); err != nil {
			return Drawn{}, fmt.Errorf("reading rows of %s: %w", t.Name, err)
		}
	}
	return d, nil
}

// NothingDrawn is what stands of a stream that was not there before.
func NothingDrawn(tables []Table) *Drawn {
	d := &Drawn{rows: map[string]map[string][]any{}}
	for _, t := range tables {
		d.rows[t.Name] = nil
	}
	return d
}

// asking is the statement of ReadDrawn for some tables.
type asking struct {
	text            string
	width           int // columns
	single, several []Table
}

func askFor(tables []Table) asking {
	var a asking
	var columns, joins []string
	for _, t := range tables {
		switch {
		case t.Behind != "":
		case t.Key == 1:
			as := "t" + strconv.Itoa(len(a.single))
			for _, c := range t.Columns {
				columns = append(columns, as+"."+c)
			}
			joins = append(joins, " LEFT JOIN "+t.Name+" "+as+" ON "+as+".stream = k.stream")
			a.single = append(a.single, t)
		default:
			a.several = append(a.several, t)
		}
	}
	for _, t := range a.several {
		columns = append(columns, "(SELECT count(*) FROM "+t.Name+" WHERE stream = k.stream)")
	}
	if len(columns) == 0 {
		columns = []string{"k.stream"}
	}
	a.width = len(columns)
	a.text = "SELECT " + strings.Join(columns, ", ") + " FROM (SELECT CAST($1 AS text) AS stream) k" + strings.Join(joins, "")
	return a
}

func scanRow(q Querier, ctx context.Context, query string, width int, args ...any) ([]any, error) {
	row, into := fields(width)
	return row, q.QueryRow(ctx, query, args...).Scan(into...)
}

// fields makes a row of n values, and the places to read it into.
func fields(n int) (row, into []any) {
	row, into = make([]any, n), make([]any, n)
	for i := range row {
		into[i] = &row[i]
	}
	return row, into
}

func rowsOf(ctx context.Context, q Querier, stream string, t Table) (map[string][]any, error) {
	rows, err := q.Query(ctx, `SELECT `+strings.Join(t.Columns[1:], ", ")+` FROM `+t.Name+` WHERE stream = $1`, stream)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have := map[string][]any{}
	for rows.Next() {
		row, into := fields(len(t.Columns) - 1)
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		have[rowKey(row[:t.Key-1])] = row
	}
	return have, rows.Err()
}

// Redraw makes the rows of a stream those given. Of two rows with the same key
// the last counts.
func (tx *Tx) Redraw(ctx context.Context, stream string, want ...Rows) error {
	tables := make([]Table, len(want))
	for i, w := range want {
		tables[i] = w.Table
	}
	had, err := ReadDrawn(ctx, tx, stream, tables)
	if err != nil {
		return err
	}
	return tx.RedrawOver(ctx, stream, had, want...)
}

// RedrawOver is Redraw for a caller who knows what stands, of every table that
// is given and not behind another.
func (tx *Tx) RedrawOver(ctx context.Context, stream string, had Drawn, want ...Rows) error {
	changed := map[string]bool{}
	for _, w := range want {
		have, known := had.rows[w.Table.Name]
		if w.Table.Behind != "" {
			if !changed[w.Table.Behind] {
				continue
			}
			var err error
			if have, err = rowsOf(ctx, tx, stream, w.Table); err != nil {
				return fmt.Errorf("reading rows of %s: %w", w.Table.Name, err)
			}
		} else if !known {
			return fmt.Errorf("redrawing %s: what stands there was not read", w.Table.Name)
		}
		n, err := tx.redrawTable(ctx, stream, have, w)
		if err != nil {
			return err
		}
		changed[w.Table.Name] = n > 0
	}
	return nil
}

// redrawTable writes what differs, and gives how many rows that were.
func (tx *Tx) redrawTable(ctx context.Context, stream string, have map[string][]any, want Rows) (changed int, err error) {
	shall, order, err := want.byKey()
	if err != nil {
		return 0, err
	}
	for key, row := range have {
		if shall[key] != nil {
			continue
		}
		if err := tx.dropRow(ctx, stream, want.Table, row); err != nil {
			return 0, fmt.Errorf("clearing a row of %s: %w", want.Table.Name, err)
		}
		changed++
	}
	var fresh [][]any
	for _, key := range order {
		if have[key] == nil {
			fresh = append(fresh, append([]any{stream}, shall[key]...))
			continue
		}
		wrote, err := tx.changeRow(ctx, stream, want.Table, have[key], shall[key])
		if err != nil {
			return 0, fmt.Errorf("changing a row of %s: %w", want.Table.Name, err)
		}
		if wrote {
			changed++
		}
	}
	if err := tx.InsertRows(ctx, want.Table.Name, want.Table.Columns, fresh); err != nil {
		return 0, fmt.Errorf("writing rows of %s: %w", want.Table.Name, err)
	}
	return changed + len(fresh), nil
}

// byKey gives the rows by their keys, and the keys in the order of the rows.
func (r Rows) byKey() (map[string][]any, []string, error) {
	shall := make(map[string][]any, len(r.Rows))
	var order []string
	for _, row := range r.Rows {
		if len(row) != len(r.Table.Columns)-1 {
			return nil, nil, fmt.Errorf("a row of %s has %d values, not %d", r.Table.Name, len(row), len(r.Table.Columns)-1)
		}
		row = normalRow(row)
		key := rowKey(row[:r.Table.Key-1])
		if shall[key] == nil {
			order = append(order, key)
		}
		shall[key] = row
	}
	return shall, order, nil
}

// Fresh gathers the rows of streams of which nothing is drawn, so that many
// streams go into one statement. Its zero value is ready.
type Fresh struct {
	tables []string
	of     map[string]*freshRows
}

type freshRows struct {
	columns []string
	rows    [][]any
}

// Add takes the rows of one stream.
func (f *Fresh) Add(stream string, want ...Rows) error {
	if f.of == nil {
		f.of = map[string]*freshRows{}
	}
	for _, w := range want {
		shall, order, err := w.byKey()
		if err != nil {
			return err
		}
		t := f.of[w.Table.Name]
		if t == nil {
			t = &freshRows{columns: w.Table.Columns}
			f.of[w.Table.Name] = t
			f.tables = append(f.tables, w.Table.Name)
		}
		for _, key := range order {
			t.rows = append(t.rows, append([]any{stream}, shall[key]...))
		}
	}
	return nil
}

// Write writes the rows that were added.
func (f *Fresh) Write(ctx context.Context, tx *Tx) error {
	for _, table := range f.tables {
		t := f.of[table]
		if err := tx.InsertRows(ctx, table, t.columns, t.rows); err != nil {
			return fmt.Errorf("writing rows of %s: %w", table, err)
		}
	}
	return nil
}

// mostValues bounds the values of one statement; both engines take more.
const mostValues = 1000

// InsertRows writes rows in as few statements as may be.
func (tx *Tx) InsertRows(ctx context.Context, table string, columns []string, rows [][]any) error {
	for len(rows) > 0 {
		n := rowsAtOnce(len(rows), len(columns))
		some := rows[:n]
		rows = rows[n:]
		args := make([]any, 0, len(some)*len(columns))
		for _, row := range some {
			args = append(args, row...)
		}
		if _, err := tx.Exec(ctx, insertText(table, columns, n), args...); err != nil {
			return err
		}
	}
	return nil
}

// rowsAtOnce says how many rows the next statement takes: all of a few, a power
// of two of many, so that the statements are not too many to be kept parsed.
func rowsAtOnce(rows, columns int) int {
	rows = min(rows, max(1, mostValues/columns))
	if rows <= 8 {
		return rows
	}
	return 1 << (bits.Len(uint(rows)) - 1)
}

// insertText is the statement that inserts n rows.
func insertText(table string, columns []string, n int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	for i := range n {
		b.WriteString([]string{"(", ", ("}[min(i, 1)])
		for k := range columns {
			b.WriteString([]string{"$", ", $"}[min(k, 1)] + strconv.Itoa(i*len(columns)+k+1))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// changeRow writes the columns that differ, and says whether any did.
func (tx *Tx) changeRow(ctx context.Context, stream string, t Table, have, want []any) (bool, error) {
	args := append([]any{stream}, want[:t.Key-1]...)
	var set []string
	for i := t.Key - 1; i < len(want); i++ {
		if !sameValue(have[i], want[i]) {
			args = append(args, want[i])
			set = append(set, t.Columns[i+1]+" = $"+strconv.Itoa(len(args)))
		}
	}
	if len(set) == 0 {
		return false, nil
	}
	_, err := tx.Exec(ctx, `UPDATE `+t.Name+` SET `+strings.Join(set, ", ")+t.where(), args...)
	return true, err
}

func (tx *Tx) dropRow(ctx context.Context, stream string, t Table, row []any) error {
	_, err := tx.Exec(ctx, `DELETE FROM `+t.Name+t.where(), append([]any{stream}, row[:t.Key-1]...)...)
	return err
}

func (t Table) where() string {
	var b strings.Builder
	for i, c := range t.Columns[:t.Key] {
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
