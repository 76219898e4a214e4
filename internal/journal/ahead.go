package journal

// Reading ahead: what an append needs to know of its stream is read, opened
// and folded before its transaction begins, by every writer at once. Under the
// stream's lock only what was written meanwhile is read. The one writing
// connection of SQLite, and the lock of a stream on PostgreSQL, are then held
// for the writing alone.

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"banyan/internal/store"
	"banyan/internal/vault"
)

// Foreseer is a Projector that can begin its work before the transaction.
type Foreseer interface {
	// Foresee is called without any lock and from many goroutines, with a
	// history of which all tiers are open. Project follows soon with this
	// history or a longer one that begins with it, or not at all: what is
	// kept until then must be bounded, and must change nothing of what
	// Project draws.
	Foresee(s Stream, history []Opened)
}

// ahead is a stream as it stood before a transaction began. The zero value
// knows nothing.
type ahead struct {
	stream  Stream
	history []Opened
	drawn   store.Drawn // rows of its projections, read
	seq     int64       // after the stream had this many entries, and
	redraws int64       // the journal had begun and ended so many rebuilds
}

// readAhead reads the streams of writes; those that do not exist yet, or are
// erased, stay unknown.
func (j *Journal) readAhead(ctx context.Context, writes []Write, keys []*vault.StreamKeys) ([]ahead, error) {
	out := make([]ahead, len(writes))
	for i, w := range writes {
		if keys[i] == nil {
			continue
		}
		s, err := readStream(ctx, j.db, w.Stream)
		if errors.Is(err, ErrNoStream) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if s.Erased() || s.Kind != w.Kind || s.Org != w.Org {
			continue // refused under the lock
		}
		a := ahead{seq: s.Seq, redraws: j.redraws.Load()}
		if a.drawn, err = store.ReadDrawn(ctx, j.db, s.ID, j.tables()); err != nil {
			return nil, err
		}
		history, err := readHistory(ctx, j.db, keys[i], s.ID, Tiers, 0)
		if err != nil {
			return nil, err
		}
		if len(history) == 0 {
			continue
		}
		// Entries may have come between the two statements: the history says
		// how far it goes.
		last := history[len(history)-1]
		s.Seq, s.HeadHash, s.CreatedAt = last.Seq, last.Hash, history[0].RecordedAt
		a.stream, a.history = s, history
		out[i] = a
		j.foresee(s, history)
	}
	return out, nil
}

func (j *Journal) foresee(s Stream, history []Opened) {
	for _, p := range j.projectors {
		if f, ok := p.(Foreseer); ok {
			f.Foresee(s, history)
		}
	}
}

// stillStands gives what was read of the projections' rows, if it is what
// stands in the transaction: rows change only with their stream, and in a
// rebuild. A stream without entries has none.
func (j *Journal) stillStands(a ahead, s Stream) *store.Drawn {
	if s.Seq == 0 {
		return store.NothingDrawn(j.tables())
	}
	if a.stream.ID == "" || a.seq != s.Seq || a.redraws != j.redraws.Load() || a.redraws%2 == 1 {
		return nil
	}
	return &a.drawn
}

// historyOf gives the stream's whole history under the lock, reading only what
// was not read ahead.
func (a ahead) historyOf(ctx context.Context, q store.Querier, keys *vault.StreamKeys, s Stream) ([]Opened, error) {
	known := slices.Clip(a.history) // what is appended must not show in a second run
	if int64(len(known)) == s.Seq {
		return known, nil
	}
	if int64(len(known)) > s.Seq {
		return nil, fmt.Errorf("stream %s became shorter: %w", s.ID, errShorter)
	}
	rest, err := readHistory(ctx, q, keys, s.ID, Tiers, int64(len(known)))
	return append(known, rest...), err
}

var errShorter = errors.New("entries that were read a moment ago are gone")
