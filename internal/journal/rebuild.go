package journal

// Drawing every projection anew: the tables are emptied, streams are opened and
// drawn on all cores, and their rows written batch by batch in the order of
// their streams.

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

// Progress is told how far long work has come.
type Progress func(done, total int64)

// rebuildBatch is how many streams one transaction of Rebuild writes. Two
// batches are in hand at once.
const rebuildBatch = 400

// Rebuild draws every projection from the journal into empty tables, and gives
// the number of entries read. Lists show nothing, or a part, until it is done:
// nobody should be served meanwhile. What is appended meanwhile is drawn all the
// same.
func (j *Journal) Rebuild(ctx context.Context, progress Progress) (int64, error) {
	j.redraws.Add(1) // what was read ahead of an append no longer stands
	defer j.redraws.Add(1)
	var names []string
	for _, t := range j.tables() {
		names = append(names, t.Name)
	}
	// Read before the tables are emptied: what is older was drawn before that.
	var size, entries int64
	if err := j.db.QueryRow(ctx, `SELECT size FROM log_head WHERE one = 1`).Scan(&size); err != nil {
		return 0, fmt.Errorf("rebuilding: reading the length of the log: %w", err)
	}
	err := j.db.FillAnew(ctx, names, func() (err error) {
		entries, err = j.drawAll(ctx, size, progress)
		return err
	})
	if err != nil {
		return entries, fmt.Errorf("rebuilding: %w", err)
	}
	return entries, nil
}

func (j *Journal) drawAll(ctx context.Context, emptied int64, progress Progress) (entries int64, err error) {
	var total, done int64
	if err := j.db.QueryRow(ctx, `SELECT count(*) FROM stream`).Scan(&total); err != nil {
		return 0, fmt.Errorf("counting streams: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	batches := make(chan []drawn)
	var opening error // read when batches is closed
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		defer close(batches)
		opening = j.openAll(ctx, batches)
	})
	for batch := range batches {
		n, err := j.writeDrawn(ctx, batch, emptied)
		if err != nil {
			return entries, err
		}
		entries += n
		done += int64(len(batch))
		if progress != nil {
			progress(done, total)
		}
	}
	return entries, opening
}

// drawn is one stream with the rows that its history gives.
type drawn struct {
	stream  Stream
	rows    []store.Rows
	entries int64
	newest  int64 // place in the log of the newest entry, counted from 1
	err     error
}

// openAll opens and draws every stream, batch by batch, in the order of their ids.
func (j *Journal) openAll(ctx context.Context, batches chan<- []drawn) error {
	after := ""
	for {
		streams, err := j.streamsAfter(ctx, after, rebuildBatch)
		if err != nil || len(streams) == 0 {
			return err
		}
		after = streams[len(streams)-1].ID
		select {
		case batches <- j.drawStreams(ctx, streams):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (j *Journal) streamsAfter(ctx context.Context, after string, limit int) ([]Stream, error) {
	rows, err := j.db.Query(ctx, `SELECT id, kind, org, created_at, seq, head_hash, erased_at
		FROM stream WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing streams: %w", err)
	}
	defer rows.Close()
	var out []Stream
	for rows.Next() {
		s, err := scanStream(rows)
		if err != nil {
			return nil, fmt.Errorf("listing streams: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// drawStreams opens and draws streams on all cores.
func (j *Journal) drawStreams(ctx context.Context, streams []Stream) []drawn {
	results := make([]drawn, len(streams))
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				results[i] = j.drawStream(ctx, streams[i])
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

func (j *Journal) drawStream(ctx context.Context, s Stream) drawn {
	keys, err := j.vault.Keys(ctx, s.ID)
	if errors.Is(err, vault.ErrErased) {
		keys, err = nil, nil
	}
	if err != nil {
		return drawn{err: err}
	}
	history, err := readHistory(ctx, j.db, keys, s.ID, Tiers, 0)
	if err != nil {
		return drawn{err: err}
	}
	d := drawn{stream: s, entries: int64(len(history))}
	for _, o := range history {
		d.newest = max(d.newest, o.LogIndex+1)
	}
	d.rows, d.err = j.draw(s, history, keys)
	return d
}

// writeDrawn writes the rows of streams in one transaction and counts their
// entries. The tables were emptied when the log was at least as long as emptied says:
// of streams without later entries nothing is drawn yet.
func (j *Journal) writeDrawn(ctx context.Context, batch []drawn, emptied int64) (entries int64, err error) {
	for _, d := range batch {
		if d.err != nil {
			return 0, d.err
		}
	}
	err = j.db.Transact(ctx, func(tx *store.Tx) error {
		entries = 0
		now, err := holdStreams(ctx, tx, batch[0].stream.ID, batch[len(batch)-1].stream.ID)
		if err != nil {
			return fmt.Errorf("reading streams: %w", err)
		}
		var fresh store.Fresh
		for _, d := range batch {
			if s := now[d.stream.ID]; s.Seq != d.stream.Seq || s.Erased() != d.stream.Erased() {
				continue // written to meanwhile: that transaction drew it
			}
			if d.newest > emptied {
				err = tx.Redraw(ctx, d.stream.ID, d.rows...)
			} else {
				err = fresh.Add(d.stream.ID, d.rows...)
			}
			if err != nil {
				return err
			}
			entries += d.entries
		}
		return fresh.Write(ctx, tx)
	})
	return entries, err
}

// holdStreams gives the streams from one id to another as they stand, and keeps
// writers out of them until the transaction ends.
func holdStreams(ctx context.Context, tx *store.Tx, from, to string) (map[string]Stream, error) {
	query := `SELECT id, kind, org, created_at, seq, head_hash, erased_at FROM stream WHERE id >= $1 AND id <= $2 ORDER BY id`
	if tx.Engine() == store.Postgres {
		query += ` FOR UPDATE`
	}
	rows, err := tx.Query(ctx, query, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]Stream{}
	for rows.Next() {
		s, err := scanStream(rows)
		if err != nil {
			return nil, err
		}
		out[s.ID] = s
	}
	return out, rows.Err()
}

// DrawnBy says whether the projections were drawn whole by these rules. A
// journal without entries has nothing to draw.
func DrawnBy(ctx context.Context, q store.Querier, revision string) (bool, error) {
	var entries int64
	if err := q.QueryRow(ctx, `SELECT size FROM log_head WHERE one = 1`).Scan(&entries); err != nil {
		return false, fmt.Errorf("reading by which rules projections were drawn: %w", err)
	}
	var had string
	err := q.QueryRow(ctx, `SELECT revision FROM drawn WHERE one = 1`).Scan(&had)
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
