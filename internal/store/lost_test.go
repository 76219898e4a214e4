package store_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

// TestADatabaseServerThatCameBackIsUsedAtOnce: at night nobody is there to send
// a note again because the database server was started anew.
func TestADatabaseServerThatCameBackIsUsedAtOnce(t *testing.T) {
	ctx := context.Background()
	server := storetest.NewServer(t)
	db, err := store.OpenPostgres(ctx, server.DSN(server.NewDatabase(t, "")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := store.Migrate(ctx, db, noteSchema); err != nil {
		t.Fatal(err)
	}
	uses := []func() error{
		func() error { return db.View(ctx, func(tx *store.Tx) error { return count(ctx, tx) }) },
		func() error { return db.Transact(ctx, func(tx *store.Tx) error { return count(ctx, tx) }) },
		func() error {
			rows, err := db.Query(ctx, `SELECT id FROM note`)
			if err == nil {
				rows.Close()
			}
			return err
		},
		func() error { return count(ctx, db) },
	}
	for i := range uses {
		manyConnections(t, db)
		server.Kill()
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		for k := range uses { // each kind of use is the first in one of the rounds
			if err := uses[(i+k)%len(uses)](); err != nil {
				t.Errorf("round %d, use %d: %v", i, (i+k)%len(uses), err)
			}
		}
	}
}

func count(ctx context.Context, q store.Querier) error {
	var n int
	return q.QueryRow(ctx, `SELECT count(*) FROM note`).Scan(&n)
}

// manyConnections leaves several idle connections behind, all of which will be dead.
func manyConnections(t *testing.T, db *store.DB) {
	t.Helper()
	var together sync.WaitGroup
	var ready sync.WaitGroup
	ready.Add(6)
	for range 6 {
		together.Go(func() {
			err := db.View(context.Background(), func(tx *store.Tx) error {
				ready.Done()
				ready.Wait()
				return count(context.Background(), tx)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
}

func TestAnErrorOfTheCallersOwnIsNotTakenForALostConnection(t *testing.T) {
	db := storetest.SQLite(t)
	runs := 0
	err := db.Transact(context.Background(), func(*store.Tx) error { runs++; return io.EOF })
	if !errors.Is(err, io.EOF) || runs != 1 {
		t.Errorf("the function ran %d times and gave %v", runs, err)
	}
}
