package journal

// Projections: tables drawn from the journal, thrown away and rebuilt at will.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"banyan/internal/store"
	"banyan/internal/vault"
)

// Projector draws the rows of one projection.
type Projector interface {
	Name() string
	// Tables are the projection's tables; each has a text column "stream".
	Tables() []string
	// Project replaces all rows of the stream. It is a pure function of the
	// stream and its history: no clock, no other table. It sees every tier,
	// and keeps only codes, clocks, pointers, and cells sealed with seal. An
	// erased stream has a history whose answers are all closed.
	Project(ctx context.Context, tx *store.Tx, s Stream, history []Opened, seal Seal) error
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

func (j *Journal) project(ctx context.Context, tx *store.Tx, s Stream, history []Opened, keys *vault.StreamKeys) error {
	seal := sealer(keys)
	for _, p := range j.projectors {
		if err := p.Project(ctx, tx, s, history, seal); err != nil {
			return fmt.Errorf("drawing projection %s: %w", p.Name(), err)
		}
	}
	return nil
}

func (j *Journal) committed(s Stream, history []Opened) {
	for _, p := range j.projectors {
		if f, ok := p.(Follower); ok {
			f.Committed(s, history)
		}
	}
}

// Progress is told how far long work has come.
type Progress func(done, total int64)

// rebuildBatch is how many streams one transaction of Rebuild redraws. Two
// batches are in hand at once, and projections keep what they foresaw of both.
const rebuildBatch = 100

// Rebuild redraws every projection from the journal. Each batch of streams is
// one transaction, so the program can go on serving meanwhile, and the next
// batch is opened while one is drawn; rows of streams that the journal does
// not have are removed at the end. It gives the number of entries read.
func (j *Journal) Rebuild(ctx context.Context, progress Progress) (int64, error) {
	var total, done, entries int64
	if err := j.db.QueryRow(ctx, `SELECT count(*) FROM stream`).Scan(&total); err != nil {
		return 0, fmt.Errorf("rebuilding: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	batches := make(chan []opened)
	var opening error // read when batches is closed
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		defer close(batches)
		opening = j.openAll(ctx, batches)
	})
	for batch := range batches {
		n, err := j.redraw(ctx, batch)
		if err != nil {
			return entries, fmt.Errorf("rebuilding: %w", err)
		}
		entries += n
		done += int64(len(batch))
		if progress != nil {
			progress(done, total)
		}
	}
	if opening != nil {
		return entries, fmt.Errorf("rebuilding: %w", opening)
	}
	return entries, j.dropOrphans(ctx)
}

// openAll opens every stream, batch by batch.
func (j *Journal) openAll(ctx context.Context, batches chan<- []opened) error {
	after := ""
	for {
		streams, err := j.streamsAfter(ctx, after, rebuildBatch)
		if err != nil || len(streams) == 0 {
			return err
		}
		after = streams[len(streams)-1].ID
		select {
		case batches <- j.openStreams(ctx, streams):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// DrawnBy says whether the projections were drawn whole by these rules. A
// journal without entries has nothing to draw.
func (j *Journal) DrawnBy(ctx context.Context, revision string) (bool, error) {
	var entries int64
	if err := j.db.QueryRow(ctx, `SELECT size FROM log_head WHERE one = 1`).Scan(&entries); err != nil {
		return false, fmt.Errorf("reading by which rules projections were drawn: %w", err)
	}
	var had string
	err := j.db.QueryRow(ctx, `SELECT revision FROM drawn WHERE one = 1`).Scan(&had)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("reading by which rules projections were drawn: %w", err)
	}
	return had == revision || entries == 0 && had == "", nil
}

// NoteDrawn keeps by which rules the projections are drawn from now on.
func (j *Journal) NoteDrawn(ctx context.Context, revision string) error {
	_, err := j.db.Exec(ctx, `INSERT INTO drawn (one, revision) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET revision = excluded.revision`, revision)
	if err != nil {
		return fmt.Errorf("keeping by which rules projections were drawn: %w", err)
	}
	return nil
}

func (j *Journal) streamsAfter(ctx context.Context, after string, limit int) ([]Stream, error) {
	rows, err := j.db.Query(ctx, `SELECT id, kind, org, created_at, seq, head_hash, erased_at
		FROM stream WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Stream
	for rows.Next() {
		s, err := scanStream(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// opened is one stream made ready for drawing.
type opened struct {
	stream  Stream
	history []Opened
	keys    *vault.StreamKeys
	err     error
}

// openStreams opens streams on all cores.
func (j *Journal) openStreams(ctx context.Context, streams []Stream) []opened {
	results := make([]opened, len(streams))
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				results[i] = j.openStream(ctx, streams[i])
			}
		})
	}
	for i := range streams {
		next <- i
	}
	close(next)
	wg.Wait()
	return results
}

// redraw draws opened streams in one transaction and counts their entries.
func (j *Journal) redraw(ctx context.Context, batch []opened) (entries int64, err error) {
	err = j.db.Transact(ctx, func(tx *store.Tx) error {
		entries = 0
		for _, r := range batch {
			if r.err != nil {
				return r.err
			}
			current, err := readStream(ctx, tx, r.stream.ID)
			if err != nil {
				return err
			}
			if current.Seq != r.stream.Seq || current.Erased() != r.stream.Erased() {
				continue // written to meanwhile: that transaction drew it
			}
			if err := j.project(ctx, tx, r.stream, r.history, r.keys); err != nil {
				return err
			}
			entries += int64(len(r.history))
		}
		return nil
	})
	return entries, err
}

func (j *Journal) openStream(ctx context.Context, s Stream) opened {
	keys, err := j.vault.Keys(ctx, s.ID)
	if errors.Is(err, vault.ErrErased) {
		keys, err = nil, nil
	}
	if err != nil {
		return opened{err: err}
	}
	history, err := readHistory(ctx, j.db, keys, s.ID, Tiers, 0)
	if err == nil && keys != nil {
		j.foresee(s, history)
	}
	return opened{stream: s, history: history, keys: keys, err: err}
}

func (j *Journal) dropOrphans(ctx context.Context) error {
	return j.db.Transact(ctx, func(tx *store.Tx) error {
		for _, p := range j.projectors {
			for _, table := range p.Tables() {
				if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE stream NOT IN (SELECT id FROM stream)`); err != nil {
					return fmt.Errorf("clearing projection %s: %w", p.Name(), err)
				}
			}
		}
		return nil
	})
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
