package journal

// Projections: tables drawn from the journal, thrown away and rebuilt at will.

import (
	"context"
	"errors"
	"fmt"

	"banyan/internal/store"
	"banyan/internal/vault"
)

// Projector draws the rows of one projection.
type Projector interface {
	Name() string
	// Tables are the projection's tables.
	Tables() []store.Table
	// Draw gives the rows of a stream, at most once for each table; a table
	// that is not named shall have none. It is a pure function of the stream
	// and its history: no clock, no other table. It is called from many
	// goroutines. It sees every tier, and keeps only codes, clocks, pointers,
	// and cells sealed with seal. An erased stream has a history whose answers
	// are all closed.
	Draw(s Stream, history []Opened, seal Seal) ([]store.Rows, error)
}

// Follower is a Projector that also keeps something in memory: it hears of a
// stream's new history after the transaction has committed.
type Follower interface {
	Committed(s Stream, history []Opened)
}

// Seal seals a cell of a projection, so that the same content gives the same
// bytes. It opens with Opener.Unseal under the same tier and label.
type Seal func(tier Tier, label string, plain []byte) ([]byte, error)

func cellPlace(label string) string { return "cell|" + label }

// sealer gives the Seal of a stream; for an erased one sealing is an error.
func sealer(keys *vault.StreamKeys) Seal {
	return func(tier Tier, label string, plain []byte) ([]byte, error) {
		if keys == nil {
			return nil, ErrErased
		}
		return keys.SealSame(tier, cellPlace(label), plain)
	}
}

// draw gives the rows of a stream in every table of every projection.
func (j *Journal) draw(s Stream, history []Opened, keys *vault.StreamKeys) ([]store.Rows, error) {
	seal := sealer(keys)
	var all []store.Rows
	for _, p := range j.projectors {
		drawn, err := p.Draw(s, history, seal)
		if err != nil {
			return nil, fmt.Errorf("drawing projection %s: %w", p.Name(), err)
		}
		of := make(map[string][][]any, len(drawn))
		for _, rows := range drawn {
			of[rows.Table.Name] = rows.Rows
		}
		for _, t := range p.Tables() {
			all = append(all, store.Rows{Table: t, Rows: of[t.Name]})
		}
	}
	return all, nil
}

func (j *Journal) tables() []store.Table {
	var all []store.Table
	for _, p := range j.projectors {
		all = append(all, p.Tables()...)
	}
	return all
}

func (j *Journal) committed(s Stream, history []Opened) {
	for _, p := range j.projectors {
		if f, ok := p.(Follower); ok {
			f.Committed(s, history)
		}
	}
}

// OpenCells opens one sealed column of a projection for all streams, without
// a line in the access log: for the program's own memory (the names index),
// never for an answer. What is shown of it later is a read like any other.
func (j *Journal) OpenCells(ctx context.Context, tier Tier, label string, cells func(yield func(stream string, sealed []byte) bool), fn func(stream string, plain []byte) error) error {
	var failed error
	cells(func(stream string, sealed []byte) bool {
		keys, err := j.vault.Keys(ctx, stream)
		if errors.Is(err, vault.ErrErased) {
			return true
		}
		if err != nil {
			failed = err
			return false
		}
		plain, err := keys.Open(tier, cellPlace(label), sealed)
		if err != nil {
			failed = fmt.Errorf("opening a cell: %w", err)
			return false
		}
		failed = fn(stream, plain)
		return failed == nil
	})
	return failed
}

// SealBlob seals bytes that belong to a stream but stand outside its entries
// (a file). The label is their place.
func (j *Journal) SealBlob(ctx context.Context, org, stream string, tier Tier, label string, plain []byte) ([]byte, error) {
	keys, err := j.vault.CreateKeys(ctx, org, stream)
	if err != nil {
		return nil, err
	}
	return sealer(keys)(tier, label, plain)
}
