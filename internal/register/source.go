package register

// Sources that come from outside: staged in memory as compressed blocks, then
// written in one transaction. A source is in the register whole or not at all,
// whatever interrupts the work.

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"banyan/internal/store"
)

// SourceInfo describes one source. Rows of the own source are cases.
type SourceInfo struct {
	ID         string
	Format     string // own, ctdc
	Title      string
	Citation   string // how its makers want it named wherever its figures are shown
	Digest     string // SHA-256 of the file's text, in hexadecimal digits
	Rows       int64
	ImportedAt time.Time
	Extra      []ExtraCode
}

// ExtraCode is a code of an imported source that our list lacks. It starts
// with the source's format and a dot.
type ExtraCode struct {
	Variable string `json:"variable"`
	Code     string `json:"code"`
	Label    string `json:"label"`
}

// AlreadyError says that the very same file is in the register.
type AlreadyError struct{ Source SourceInfo }

func (e *AlreadyError) Error() string {
	return fmt.Sprintf("this file is in the register already: source %q, %d rows, imported %s (forget that source first to import it again)",
		e.Source.ID, e.Source.Rows, e.Source.ImportedAt.UTC().Format("2006-01-02 15:04"))
}

// NameTakenError says that another file was imported under the same id.
type NameTakenError struct{ Source SourceInfo }

func (e *NameTakenError) Error() string {
	return fmt.Sprintf("another file is in the register as source %q (%d rows, imported %s): forget it first, or give this one another name",
		e.Source.ID, e.Source.Rows, e.Source.ImportedAt.UTC().Format("2006-01-02"))
}

// blockRows is how many rows stand in one compressed block.
const blockRows = 8192

// Batch collects the rows of one source, checked and compressed. It is not
// safe for concurrent use.
type Batch struct {
	def    *Definition
	extra  map[Value]bool
	facts  *blockWriter
	raw    *blockWriter
	rows   int64
	blocks []block
}

type block struct {
	rows       int64
	facts, raw []byte
}

// NewBatch starts a batch for a source with these extra codes.
func (r *Register) NewBatch(extra []ExtraCode) *Batch {
	b := &Batch{def: r.def, extra: map[Value]bool{}, facts: newBlockWriter(), raw: newBlockWriter()}
	for _, e := range extra {
		b.extra[Value{e.Variable, e.Code}] = true
	}
	return b
}

// Rows gives how many rows the batch has.
func (b *Batch) Rows() int64 { return b.rows }

// Add takes one row: its values in our codes and the line as it stood in the
// file. A value that no list has is an error, and the row is not taken.
func (b *Batch) Add(values []Value, raw string) error {
	for i, value := range values {
		v, ok := b.def.Variable(value.Variable)
		if !ok {
			return fmt.Errorf("the register has no variable %q", value.Variable)
		}
		if !v.Allows(value.Code) && !b.extra[value] {
			return fmt.Errorf("variable %s has no such code", value.Variable)
		}
		if !v.Multi && slices.ContainsFunc(values[:i], func(o Value) bool { return o.Variable == v.ID && o.Code != value.Code }) {
			return fmt.Errorf("variable %s has two values, and a person has one", v.ID)
		}
	}
	if strings.ContainsAny(raw, "\n\r") {
		return errors.New("the row holds a line break")
	}
	b.facts.line(Pack(values))
	b.raw.line(raw)
	b.rows++
	if b.rows%blockRows == 0 {
		b.close()
	}
	return nil
}

func (b *Batch) close() {
	b.blocks = append(b.blocks, block{b.rows - int64(len(b.blocks))*blockRows, b.facts.take(), b.raw.take()})
}

// Import puts the batch into the register as the source info describes, in
// one transaction. The same file again is an AlreadyError, another file under
// the same id a NameTakenError; then nothing changes.
func (r *Register) Import(ctx context.Context, info SourceInfo, b *Batch) error {
	if info.ID == OwnSource || !variableID.MatchString(info.ID) {
		return fmt.Errorf("importing: %w", ErrBadName)
	}
	if b.rows == 0 {
		return errors.New("importing: the source has no rows")
	}
	if b.rows > int64(len(b.blocks))*blockRows {
		b.close()
	}
	extra, err := json.Marshal(info.Extra)
	if err != nil {
		return err
	}
	return r.db.Transact(ctx, func(tx *store.Tx) error {
		if err := refuseTwice(ctx, tx, info); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO register_source (id, format, title, citation, digest, row_count, imported_at, extra)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			info.ID, info.Format, info.Title, info.Citation, info.Digest, b.rows, store.Micros(info.ImportedAt), string(extra)); err != nil {
			return fmt.Errorf("writing source %q: %w", info.ID, err)
		}
		for i, blk := range b.blocks {
			if _, err := tx.Exec(ctx, `INSERT INTO register_block (source, number, row_count, facts, raw) VALUES ($1, $2, $3, $4, $5)`,
				info.ID, i, blk.rows, blk.facts, blk.raw); err != nil {
				return fmt.Errorf("writing rows of source %q: %w", info.ID, err)
			}
		}
		return ctx.Err()
	})
}

// Refuse tells before the work whether a file of this digest, or another file
// of this source's id, is in the register (AlreadyError, NameTakenError).
func (r *Register) Refuse(ctx context.Context, info SourceInfo) error {
	return r.db.View(ctx, func(tx *store.Tx) error { return refuseTwice(ctx, tx, info) })
}

// Sources lists all sources, the own one first, then by id.
func (r *Register) Sources(ctx context.Context) ([]SourceInfo, error) {
	var out []SourceInfo
	err := r.db.View(ctx, func(tx *store.Tx) error {
		own := SourceInfo{ID: OwnSource, Format: OwnSource, Title: "Own cases"}
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM register_fact`).Scan(&own.Rows); err != nil {
			return err
		}
		imported, err := sources(ctx, tx)
		out = append([]SourceInfo{own}, imported...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the register's sources: %w", err)
	}
	return out, nil
}

func refuseTwice(ctx context.Context, q store.Querier, info SourceInfo) error {
	all, err := sources(ctx, q)
	if err != nil {
		return err
	}
	for _, had := range all {
		if info.Digest != "" && had.Digest == info.Digest {
			return &AlreadyError{had}
		}
	}
	for _, had := range all {
		if had.ID == info.ID {
			return &NameTakenError{had}
		}
	}
	return nil
}

func sourceByID(ctx context.Context, q store.Querier, id string) (SourceInfo, error) {
	all, err := sources(ctx, q)
	if err != nil {
		return SourceInfo{}, err
	}
	for _, s := range all {
		if s.ID == id {
			return s, nil
		}
	}
	return SourceInfo{}, ErrNoSource
}

// sources lists the imported ones; there are a handful.
func sources(ctx context.Context, q store.Querier) ([]SourceInfo, error) {
	rows, err := q.Query(ctx, `SELECT id, format, title, citation, digest, row_count, imported_at, extra
		FROM register_source ORDER BY id LIMIT 1000`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []SourceInfo
	for rows.Next() {
		var s SourceInfo
		var at int64
		var extra string
		if err := rows.Scan(&s.ID, &s.Format, &s.Title, &s.Citation, &s.Digest, &s.Rows, &at, &extra); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(extra), &s.Extra); err != nil {
			return nil, fmt.Errorf("extra codes of source %q: %w", s.ID, err)
		}
		s.ImportedAt = store.Time(at)
		out = append(out, s)
	}
	return out, rows.Err()
}

// eachBlockLine hands the lines of a source's rows to fn in their order: the
// packed facts, or the file's own lines when raw is set. The line is good
// until fn returns.
func eachBlockLine(ctx context.Context, q store.Querier, source string, raw bool, fn func(line string) error) error {
	column := "facts"
	if raw {
		column = "raw"
	}
	for number := 0; ; number++ {
		var packed []byte
		err := q.QueryRow(ctx, `SELECT `+column+` FROM register_block WHERE source = $1 AND number = $2`, source, number).Scan(&packed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		text, err := inflate(packed)
		if err != nil {
			return fmt.Errorf("block %d of source %q: %w", number, source, err)
		}
		for line := range strings.Lines(text) {
			if err := fn(strings.TrimSuffix(line, "\n")); err != nil {
				return err
			}
		}
	}
}

type blockWriter struct {
	buf bytes.Buffer
	gz  *gzip.Writer
}

func newBlockWriter() *blockWriter {
	w := &blockWriter{}
	w.gz, _ = gzip.NewWriterLevel(&w.buf, gzip.BestSpeed) // the level is a valid one
	return w
}

// line and take write to memory, which does not fail.
func (w *blockWriter) line(s string) {
	_, _ = io.WriteString(w.gz, s)
	_, _ = w.gz.Write([]byte{'\n'})
}

func (w *blockWriter) take() []byte {
	_ = w.gz.Close()
	out := bytes.Clone(w.buf.Bytes())
	w.buf.Reset()
	w.gz.Reset(&w.buf)
	return out
}

func inflate(packed []byte) (string, error) {
	gz, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if _, err := io.Copy(&b, gz); err != nil {
		return "", err
	}
	return b.String(), nil
}
