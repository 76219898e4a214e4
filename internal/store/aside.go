package store

// Filling tables from nothing. A row of a large table costs a write to each of
// its indexes, at a place of its own; an index that is made when the rows are
// there is written once, in order. So indexes that only make reading faster are
// set aside while a table is filled, and put back after. What was set aside
// stands in a table of its own until then: where the program is killed
// meanwhile, the next filling puts them back, or the next migration, which may
// be about them.

import (
	"context"
	"fmt"
)

// FillAnew empties tables, lets fill write to them, and makes their indexes
// when it is done. It must not be called while others work with the tables:
// they would see them empty, and slow. Where fill fails, its rows stay as far as
// they were committed, and the indexes are put back.
func (db *DB) FillAnew(ctx context.Context, tables []string, fill func() error) error {
	if err := db.Transact(ctx, func(tx *Tx) error { return setAside(ctx, tx, tables) }); err != nil {
		return fmt.Errorf("setting indexes aside: %w", err)
	}
	if err := db.empty(ctx, tables); err != nil {
		return err
	}
	if err := fill(); err != nil {
		_ = db.putIndexesBack(context.WithoutCancel(ctx)) // or else the next filling does
		return err
	}
	return db.putIndexesBack(ctx)
}

// asideTable holds the indexes that wait, as the engine would make them again.
const asideTable = `CREATE TABLE IF NOT EXISTS index_aside (name text PRIMARY KEY, definition text NOT NULL)`

// setAside drops the indexes of tables. Those that hold a rule (primary keys,
// unique ones) stay.
func setAside(ctx context.Context, tx *Tx, tables []string) error {
	ask := `SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = $1 AND sql NOT LIKE 'CREATE UNIQUE%' ORDER BY name`
	if tx.engine == Postgres {
		ask = `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = $1 AND indexdef NOT LIKE 'CREATE UNIQUE%' ORDER BY indexname`
	}
	for _, table := range tables {
		found, err := pairsOf(ctx, tx, ask, table)
		if err != nil {
			return err
		}
		for _, index := range found {
			if _, err := tx.Exec(ctx, `INSERT INTO index_aside (name, definition) VALUES ($1, $2)`, index[0], index[1]); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `DROP INDEX `+index[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// putIndexesBack makes the indexes that were set aside, each in a transaction
// of its own.
func (db *DB) putIndexesBack(ctx context.Context) error {
	waiting, err := pairsOf(ctx, db, `SELECT name, definition FROM index_aside ORDER BY name`)
	if err != nil || len(waiting) == 0 {
		return err
	}
	// Sorting a large index in memory would take as much of it as the index is
	// long. On SQLite temporary files are encrypted like the database itself.
	if err := db.pragma(ctx, "temp_store(file)"); err != nil {
		return err
	}
	for _, index := range waiting {
		if err := db.Transact(ctx, func(tx *Tx) error { return putBack(ctx, tx, index) }); err != nil {
			return err
		}
	}
	return db.pragma(ctx, "temp_store(memory)")
}

// putAllBack is putIndexesBack inside a transaction.
func putAllBack(ctx context.Context, tx *Tx) error {
	waiting, err := pairsOf(ctx, tx, `SELECT name, definition FROM index_aside ORDER BY name`)
	if err != nil {
		return err
	}
	for _, index := range waiting {
		if err := putBack(ctx, tx, index); err != nil {
			return err
		}
	}
	return nil
}

func putBack(ctx context.Context, tx *Tx, index [2]string) error {
	if _, err := tx.Exec(ctx, index[1]); err != nil {
		return fmt.Errorf("making index %s again: %w", index[0], err)
	}
	_, err := tx.Exec(ctx, `DELETE FROM index_aside WHERE name = $1`, index[0])
	return err
}

// empty removes all rows of tables. What stood there is overwritten where the
// place is used again, which is soon.
func (db *DB) empty(ctx context.Context, tables []string) error {
	verb := `DELETE FROM `
	if db.engine == Postgres {
		verb = `TRUNCATE TABLE `
	}
	if err := db.pragma(ctx, "secure_delete(fast)"); err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := db.Exec(ctx, verb+table); err != nil {
			return fmt.Errorf("emptying %s: %w", table, err)
		}
	}
	return db.pragma(ctx, "secure_delete(on)")
}

// pragma sets something of SQLite's writing connection.
func (db *DB) pragma(ctx context.Context, pragma string) error {
	if db.engine != SQLite {
		return nil
	}
	_, err := db.write.ExecContext(ctx, "PRAGMA "+pragma)
	return err
}

func pairsOf(ctx context.Context, q Querier, query string, args ...any) ([][2]string, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][2]string
	for rows.Next() {
		var p [2]string
		if err := rows.Scan(&p[0], &p[1]); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}
