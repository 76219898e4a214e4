// Package backup writes a database into one sealed file and brings it back,
// on either engine.
//
// A backup is the rows of every table that cannot be drawn again (projections
// are rebuilt), packed (gzip) and sealed (age) with a key derived from the
// master key. A flipped byte, a missing end or another key refuses the whole
// file. The rows are engine-neutral: a backup made on SQLite restores on
// PostgreSQL, and the other way round.
//
// # Format, inside the seal
//
//	"BANYAN-BACKUP-1\n"
//	for each table: 'T' name, number of columns, their names
//	    for each row: 'R' and one value a column
//	'E' number of rows in all
//
// Names and texts are length-prefixed; a value is 'n' (null), 'i' (varint),
// 'f' (64-bit float), 's' (text), 'b' (bytes) or 'y'/'o' (true/false).
package backup

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"banyan/internal/store"
)

const magic = "BANYAN-BACKUP-1\n"

// ErrUnreadable says that a file is no backup, was changed, or was sealed
// with another key.
var ErrUnreadable = errors.New("the backup cannot be read: it was changed, cut short, or sealed with another key")

// maxText bounds one text or byte value when reading: 1 GiB.
const maxText = 1 << 30

// Summary says what a backup holds.
type Summary struct {
	Tables int
	Rows   int64
	Bytes  int64 // size of the sealed file
}

// Write seals every table of db but the left-out ones into the file out, then
// reads the file back to its end. The file appears under its name only when
// it is whole; an existing one is not replaced.
func Write(ctx context.Context, db *store.DB, leaveOut []string, key []byte, out string) (Summary, error) {
	if _, err := os.Stat(out); err == nil {
		return Summary{}, fmt.Errorf("writing a backup: %s exists already", filepath.Base(out))
	}
	part := out + ".part"
	defer os.Remove(part)
	if err := writeFile(ctx, db, leaveOut, key, part); err != nil {
		return Summary{}, fmt.Errorf("writing a backup: %w", err)
	}
	summary, err := Check(part, key)
	if err != nil {
		return Summary{}, fmt.Errorf("reading the backup back: %w", err)
	}
	if err := os.Rename(part, out); err != nil {
		return Summary{}, fmt.Errorf("writing a backup: %w", err)
	}
	return summary, store.SyncFolder(filepath.Dir(out))
}

// Check reads a backup to its end without using it.
func Check(file string, key []byte) (Summary, error) {
	var s Summary
	err := read(file, key, func(table string, columns []string) error {
		s.Tables++
		return nil
	}, func([]any) error {
		s.Rows++
		return nil
	})
	if err != nil {
		return Summary{}, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return Summary{}, err
	}
	s.Bytes = info.Size()
	return s, nil
}

// restoreBatch is how many rows one transaction of Restore writes.
const restoreBatch = 20_000

// Restore brings a backup into db, whose tables exist (store.Migrate) and are
// empty but for rows that migrations made, which it replaces.
func Restore(ctx context.Context, db *store.DB, key []byte, file string) (Summary, error) {
	known, err := tables(ctx, db)
	if err != nil {
		return Summary{}, fmt.Errorf("restoring: %w", err)
	}
	r := &restorer{ctx: ctx, db: db, known: known}
	err = read(file, key, r.table, r.row)
	if err == nil {
		err = r.flush()
	}
	if err != nil {
		return Summary{}, fmt.Errorf("restoring: %w", err)
	}
	return r.sum, nil
}

type restorer struct {
	ctx     context.Context
	db      *store.DB
	known   []string
	insert  string
	pending [][]any
	sum     Summary
}

func (r *restorer) table(name string, columns []string) error {
	if err := r.flush(); err != nil {
		return err
	}
	if !slices.Contains(r.known, name) {
		return fmt.Errorf("this version of the program has no table %q", name)
	}
	places := make([]string, len(columns))
	for i, c := range columns {
		if !plainName(c) {
			return ErrUnreadable
		}
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	r.insert = `INSERT INTO ` + name + ` (` + strings.Join(columns, ", ") + `) VALUES (` + strings.Join(places, ", ") + `)`
	r.sum.Tables++
	_, err := r.db.Exec(r.ctx, `DELETE FROM `+name)
	return err
}

func (r *restorer) row(values []any) error {
	r.pending = append(r.pending, values)
	r.sum.Rows++
	if len(r.pending) >= restoreBatch {
		return r.flush()
	}
	return nil
}

func (r *restorer) flush() error {
	if len(r.pending) == 0 {
		return nil
	}
	defer func() { r.pending = r.pending[:0] }()
	return r.db.Transact(r.ctx, func(tx *store.Tx) error {
		stmt, err := tx.Prepare(r.ctx, r.insert)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, values := range r.pending {
			if _, err := stmt.ExecContext(r.ctx, values...); err != nil {
				return err
			}
		}
		return nil
	})
}

// tables lists the program's tables, without the store's own lists of migrations and of indexes set aside.
func tables(ctx context.Context, q store.Querier) ([]string, error) {
	query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
	if q.Engine() == store.Postgres {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name`
	}
	rows, err := q.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if name != "migration" && name != "index_aside" && plainName(name) {
			out = append(out, name)
		}
	}
	return out, rows.Err()
}

// parentsFirst orders tables so that each comes after those that its rows
// name: a restore writes them in the order of the file, and the database
// refuses a row whose parent is not there yet.
func parentsFirst(ctx context.Context, q store.Querier, names []string) ([]string, error) {
	query := `SELECT m.name, f."table" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`
	if q.Engine() == store.Postgres {
		query = `SELECT child.relname, parent.relname FROM pg_constraint c JOIN pg_class child ON child.oid = c.conrelid
			JOIN pg_class parent ON parent.oid = c.confrelid JOIN pg_namespace n ON n.oid = c.connamespace
			WHERE c.contype = 'f' AND n.nspname = current_schema()`
	}
	rows, err := q.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	parents := map[string][]string{}
	for rows.Next() {
		var child, parent string
		if err := rows.Scan(&child, &parent); err != nil {
			return nil, err
		}
		parents[child] = append(parents[child], parent)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var out []string
	placed := map[string]bool{}
	var place func(name string)
	place = func(name string) {
		if placed[name] {
			return
		}
		placed[name] = true
		slices.Sort(parents[name])
		for _, parent := range parents[name] {
			place(parent)
		}
		if slices.Contains(names, name) {
			out = append(out, name)
		}
	}
	for _, name := range names {
		place(name)
	}
	return out, nil
}

func plainName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != ""
}

func writeFile(ctx context.Context, db *store.DB, leaveOut []string, key []byte, path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	recipient, err := age.NewScryptRecipient(hex.EncodeToString(key))
	if err != nil {
		return err
	}
	recipient.SetWorkFactor(1) // the key is 256 random bits: stretching adds nothing
	sealed, err := age.Encrypt(f, recipient)
	if err != nil {
		return err
	}
	packed, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(packed, 1<<16)
	err = db.View(ctx, func(tx *store.Tx) error { return writeTables(ctx, tx, leaveOut, w) })
	if err != nil {
		return err
	}
	for _, closing := range []func() error{w.Flush, packed.Close, sealed.Close, f.Sync} {
		if err := closing(); err != nil {
			return err
		}
	}
	return nil
}

func writeTables(ctx context.Context, tx *store.Tx, leaveOut []string, w *bufio.Writer) error {
	names, err := tables(ctx, tx)
	if err != nil {
		return err
	}
	if names, err = parentsFirst(ctx, tx, names); err != nil {
		return err
	}
	if _, err := w.WriteString(magic); err != nil {
		return err
	}
	var total int64
	for _, name := range names {
		if slices.Contains(leaveOut, name) {
			continue
		}
		n, err := writeTable(ctx, tx, name, w)
		if err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		total += n
	}
	_ = w.WriteByte('E')
	return putNumber(w, total)
}

func writeTable(ctx context.Context, tx *store.Tx, name string, w *bufio.Writer) (int64, error) {
	rows, err := tx.Query(ctx, `SELECT * FROM `+name)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	_ = w.WriteByte('T')
	putText(w, []byte(name))
	if err := putNumber(w, int64(len(columns))); err != nil {
		return 0, err
	}
	for _, c := range columns {
		putText(w, []byte(c))
	}
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var n int64
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		_ = w.WriteByte('R')
		for _, v := range values {
			if err := putValue(w, v); err != nil {
				return n, err
			}
		}
		n++
	}
	return n, rows.Err()
}

func putNumber(w *bufio.Writer, n int64) error {
	_, err := w.Write(binary.AppendVarint(nil, n))
	return err
}

func putText(w *bufio.Writer, b []byte) {
	_ = putNumber(w, int64(len(b)))
	_, _ = w.Write(b) // a failure shows at Flush
}

func putValue(w *bufio.Writer, v any) error {
	switch v := v.(type) {
	case nil:
		return w.WriteByte('n')
	case int64:
		_ = w.WriteByte('i')
		return putNumber(w, v)
	case float64:
		_ = w.WriteByte('f')
		_, err := w.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
		return err
	case string:
		_ = w.WriteByte('s')
		putText(w, []byte(v))
		return nil
	case []byte:
		_ = w.WriteByte('b')
		putText(w, v)
		return nil
	case bool:
		if v {
			return w.WriteByte('y')
		}
		return w.WriteByte('o')
	}
	return fmt.Errorf("a value of type %T has no place in a backup", v)
}

// read walks a backup to its end, handing out tables and rows.
func read(file string, key []byte, table func(string, []string) error, row func([]any) error) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("opening the backup: %w", err)
	}
	defer f.Close()
	identity, err := age.NewScryptIdentity(hex.EncodeToString(key))
	if err != nil {
		return err
	}
	opened, err := age.Decrypt(bufio.NewReaderSize(f, 1<<16), identity)
	if err != nil {
		return ErrUnreadable
	}
	unpacked, err := gzip.NewReader(opened)
	if err != nil {
		return ErrUnreadable
	}
	r := &reader{r: bufio.NewReaderSize(unpacked, 1<<16)}
	if err := r.walk(table, row); err != nil {
		return err
	}
	if _, err := r.r.ReadByte(); err != io.EOF { // the seal's end is checked here
		return ErrUnreadable
	}
	return nil
}

type reader struct{ r *bufio.Reader }

func (r *reader) walk(table func(string, []string) error, row func([]any) error) error {
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r.r, head); err != nil || string(head) != magic {
		return ErrUnreadable
	}
	columns := -1
	var rows int64
	for {
		mark, err := r.r.ReadByte()
		if err != nil {
			return ErrUnreadable
		}
		switch {
		case mark == 'T':
			name, names, err := r.tableHead()
			if err != nil {
				return err
			}
			columns = len(names)
			if err := table(name, names); err != nil {
				return err
			}
		case mark == 'R' && columns >= 0:
			values := make([]any, columns)
			for i := range values {
				if values[i], err = r.value(); err != nil {
					return err
				}
			}
			rows++
			if err := row(values); err != nil {
				return err
			}
		case mark == 'E':
			want, err := binary.ReadVarint(r.r)
			if err != nil || want != rows {
				return ErrUnreadable
			}
			return nil
		default:
			return ErrUnreadable
		}
	}
}

func (r *reader) tableHead() (string, []string, error) {
	name, err := r.text()
	if err != nil {
		return "", nil, err
	}
	n, err := binary.ReadVarint(r.r)
	if err != nil || n < 1 || n > 1000 {
		return "", nil, ErrUnreadable
	}
	names := make([]string, n)
	for i := range names {
		c, err := r.text()
		if err != nil {
			return "", nil, err
		}
		names[i] = string(c)
	}
	return string(name), names, nil
}

func (r *reader) text() ([]byte, error) {
	n, err := binary.ReadVarint(r.r)
	if err != nil || n < 0 || n > maxText {
		return nil, ErrUnreadable
	}
	out, err := io.ReadAll(io.LimitReader(r.r, n))
	if err != nil || int64(len(out)) != n {
		return nil, ErrUnreadable
	}
	return out, nil
}

func (r *reader) value() (any, error) {
	kind, err := r.r.ReadByte()
	if err != nil {
		return nil, ErrUnreadable
	}
	switch kind {
	case 'n':
		return nil, nil
	case 'i':
		n, err := binary.ReadVarint(r.r)
		if err != nil {
			return nil, ErrUnreadable
		}
		return n, nil
	case 'f':
		var raw [8]byte
		if _, err := io.ReadFull(r.r, raw[:]); err != nil {
			return nil, ErrUnreadable
		}
		return math.Float64frombits(binary.BigEndian.Uint64(raw[:])), nil
	case 's':
		b, err := r.text()
		return string(b), err
	case 'b':
		return r.text()
	case 'y':
		return true, nil
	case 'o':
		return false, nil
	}
	return nil, ErrUnreadable
}
