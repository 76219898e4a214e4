package register

// The own facts' rows. The journal's projector (and nobody else) writes them.

import (
	"context"
	"fmt"

	"banyan/internal/store"
)

// Put replaces the fact of a stream. No values remove it. Position is the log
// position of the newest entry the fact was drawn from; counting relies on it
// growing with every change of the stream.
func Put(ctx context.Context, tx *store.Tx, stream string, f Fact, position int64) error {
	rows := store.Rows{Table: "register_fact", Key: 1, Columns: []string{"stream", "person", "codes", "position"}}
	if len(f.Values) > 0 {
		rows.Rows = [][]any{{f.Person, Pack(f.Values), position}}
	}
	if err := tx.Redraw(ctx, stream, rows); err != nil {
		return fmt.Errorf("writing a fact: %w", err)
	}
	return nil
}
