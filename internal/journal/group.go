package journal

// Group commit: on SQLite one connection writes, on PostgreSQL every writer
// waits for the log's counter until the one before has committed; and each
// commit waits for the disk. Writers who wait for their turn go into the
// transaction of the one whose turn it is, so that many share one wait. Each is
// still acknowledged only when its own words are on the disk, and none can undo
// another's: if one of a group fails, each is tried in a transaction of its own.

import (
	"context"
	"sync"

	"banyan/internal/store"
)

// mostGrouped bounds a group, and so how long its first member waits.
const mostGrouped = 16

// appending is one call of AppendAll.
type appending struct {
	ctx      context.Context
	do       func(ctx context.Context, tx *store.Tx) error // may run again; keeps nothing between runs
	finished bool
	err      error
}

// group gathers the calls that wait. Its zero value is ready.
type group struct {
	turn sync.Mutex // held by the one who writes; guards finished and err

	mu    sync.Mutex // guards queue
	queue []*appending
}

// run does one call, alone or with others, and gives its own error.
func (g *group) run(ctx context.Context, db *store.DB, do func(context.Context, *store.Tx) error) error {
	mine := &appending{ctx: ctx, do: do}
	g.mu.Lock()
	g.queue = append(g.queue, mine)
	g.mu.Unlock()
	g.turn.Lock()
	defer g.turn.Unlock()
	if !mine.finished {
		g.write(db, g.take(mine))
	}
	return mine.err
}

// take gives mine and who else waits. The others keep their place in the
// queue's order; mine goes first, whether it still stands in the queue or the
// group that it was in ended before its end.
func (g *group) take(mine *appending) []*appending {
	g.mu.Lock()
	defer g.mu.Unlock()
	batch := []*appending{mine}
	var rest []*appending
	for _, a := range g.queue {
		switch {
		case a == mine:
		case len(batch) < mostGrouped:
			batch = append(batch, a)
		default:
			rest = append(rest, a)
		}
	}
	g.queue = rest
	return batch
}

func (g *group) write(db *store.DB, batch []*appending) {
	if len(batch) > 1 {
		// One caller's going away must not end the others' transaction.
		err := db.Transact(context.WithoutCancel(batch[0].ctx), func(tx *store.Tx) error {
			for _, a := range batch {
				if err := a.do(context.WithoutCancel(a.ctx), tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			for _, a := range batch {
				a.finished = true
			}
			return
		}
	}
	for _, a := range batch {
		a.err = db.Transact(a.ctx, func(tx *store.Tx) error { return a.do(a.ctx, tx) })
		a.finished = true
	}
}
