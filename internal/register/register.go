// Package register keeps facts: nameless rows of codes, one per person and
// case, from which every figure of the national register is counted.
//
// # Variables
//
// A Definition (content/register.yaml) names the variables, the code list of
// each, and the coded answers that feed it. A fact can hold nothing else:
//
//   - a variable fed by a field of any tier but "coded" is refused when the
//     definition is checked (Definition.Check), and the answer of such a field
//     is refused again when a fact is drawn (FactsFrom);
//   - a value that is no code of its variable's list does not enter.
//
// The person stands in a fact as a pseudonym: a keyed hash (Pseudonym), so that
// facts of one person can be joined without a name, by whoever holds the key.
//
// # Sources
//
// The own facts are a projection of the journal, source "own". Every other
// source is imported whole, in one transaction, or not at all (Import), and
// leaves whole (Forget). Its rows stay beside ours in our codes, with the
// file's own codes kept for tracing. Codes that our lists lack are kept with
// the source's prefix (ctdc.family) and the label the source gives.
//
// # Storage and counting
//
// Both engines keep the same: a text row per own case, and compressed blocks
// of 8,192 rows per imported source. Counting works on columns of dictionary
// codes in memory, filled when first asked for, and brought up to date from the
// rows whose log position is newer (Cube). Which lines a variable has is settled
// once for all its tables (lines.go), so that all totals can be shown; which
// cells stay hidden is settled for each table (hide.go, which says what is
// promised and what not). Anything that is to be published is the business of
// package disclosure.
package register

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"banyan/internal/store"
)

// OwnSource is the id of the source that this program's own cases feed.
const OwnSource = "own"

//go:embed schema/*.sql
var schemaFiles embed.FS

// Schema is the room's tables.
func Schema() store.Schema {
	sub, err := fs.Sub(schemaFiles, "schema")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return store.Schema{Room: "register", FS: sub}
}

// Errors that callers tell apart.
var (
	ErrNoSource = errors.New("there is no such source in the register")
	ErrOwn      = errors.New("the own facts are drawn from the journal and cannot be removed here")
	ErrBadName  = errors.New("a source's name is lower-case letters, digits and _, and not " + OwnSource)
)

// Register is the open register over one database. It is safe for concurrent
// use.
type Register struct {
	db        *store.DB
	def       *Definition
	threshold int64
	cube      cube
}

// DefaultThreshold is the smallest count that a table shows: cells of 1 to 10
// people are hidden, after the practice of the Counter-Trafficking Data
// Collaborative (CTDC codebook v2024, k = 11).
const DefaultThreshold = 11

// New opens the register. Its tables must be there (Schema). A threshold below
// 3 would let a hidden cell be known exactly and is an error; 0 means the
// default.
func New(db *store.DB, def *Definition, threshold int64) (*Register, error) {
	if threshold == 0 {
		threshold = DefaultThreshold
	}
	if threshold < 3 {
		return nil, fmt.Errorf("opening the register: a threshold of %d hides nothing (3 or more)", threshold)
	}
	return &Register{db: db, def: def, threshold: threshold}, nil
}

// Definition gives the variables.
func (r *Register) Definition() *Definition { return r.def }

// Forget removes an imported source and all its rows, and gives how many there
// were. The own source cannot be forgotten here: it is drawn from the journal.
func (r *Register) Forget(ctx context.Context, source string) (rows int64, err error) {
	if source == OwnSource {
		return 0, ErrOwn
	}
	err = r.db.Transact(ctx, func(tx *store.Tx) error {
		found, err := sourceByID(ctx, tx, source)
		if err != nil {
			return err
		}
		rows = found.Rows
		if _, err := tx.Exec(ctx, `DELETE FROM register_block WHERE source = $1`, source); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM register_source WHERE id = $1`, source)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forgetting source %q: %w", source, err)
	}
	return rows, nil
}

// Threshold is the smallest count that tables show.
func (r *Register) Threshold() int64 { return r.threshold }
