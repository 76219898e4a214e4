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
	if _, err := tx.Exec(ctx, `DELETE FROM register_fact WHERE stream = $1`, stream); err != nil {
		return fmt.Errorf("replacing a fact: %w", err)
	}
	if len(f.Values) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `INSERT INTO register_fact (stream, person, codes, position) VALUES ($1, $2, $3, $4)`,
		stream, f.Person, Pack(f.Values), position); err != nil {
		return fmt.Errorf("writing a fact: %w", err)
	}
	return nil
}
