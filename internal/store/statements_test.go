package store_test

import (
	"context"
	"fmt"
	"testing"

	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

func TestAStatementMayRunInsideItselfAndAfterAFailure(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		if _, err := db.Exec(ctx, `CREATE TABLE kept (id bigint PRIMARY KEY, word text)`); err != nil {
			t.Fatal(err)
		}
		const insert = `INSERT INTO kept (id, word) VALUES ($1, $2)`
		for i := range 3 {
			if _, err := db.Exec(ctx, insert, i, fmt.Sprint("w", i)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec(ctx, insert, 1, "again"); !store.IsUnique(err) {
			t.Errorf("a second row with one key gave %v", err)
		}
		if _, err := db.Exec(ctx, insert, 3, "w3"); err != nil {
			t.Errorf("the statement does not work after its failure: %v", err)
		}
		if db.Engine() != store.SQLite {
			return // PostgreSQL has one open result a transaction
		}
		pairs := 0
		err := db.View(ctx, func(tx *store.Tx) error {
			const query = `SELECT id FROM kept WHERE id >= $1 ORDER BY id`
			outer, err := tx.Query(ctx, query, 0)
			if err != nil {
				return err
			}
			defer outer.Close()
			for outer.Next() {
				var id int64
				if err := outer.Scan(&id); err != nil {
					return err
				}
				inner, err := tx.Query(ctx, query, id)
				if err != nil {
					return err
				}
				for inner.Next() {
					pairs++
				}
				inner.Close()
			}
			return outer.Err()
		})
		if err != nil || pairs != 4+3+2+1 {
			t.Errorf("a query inside itself gave %d pairs, %v", pairs, err)
		}
	})
}

func TestMoreStatementsThanAreKeptStillWork(t *testing.T) {
	db := storetest.SQLite(t)
	for i := range 600 {
		var got int
		if err := db.QueryRow(context.Background(), fmt.Sprintf("SELECT %d", i)).Scan(&got); err != nil || got != i {
			t.Fatalf("statement %d gave %d, %v", i, got, err)
		}
	}
}
