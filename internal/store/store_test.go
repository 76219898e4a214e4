package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

var noteSchema = store.Schema{Room: "note", FS: fstest.MapFS{
	"0001_note.sql": {Data: []byte("CREATE TABLE note (id text PRIMARY KEY, body bytea, n bigint);\n")},
}}

func TestBothEnginesKeepWhatWasCommitted(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		if err := store.Migrate(ctx, db, noteSchema); err != nil {
			t.Fatal(err)
		}
		if err := store.Migrate(ctx, db, noteSchema); err != nil {
			t.Fatalf("second migration: %v", err)
		}
		err := db.Transact(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO note (n, body, id) VALUES ($3, $2, $1)`, "a", []byte{0, 1}, 7)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		if err := db.Transact(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO note (id, n) VALUES ($1, $2)`, "b", 1); err != nil {
				return err
			}
			return boom
		}); !errors.Is(err, boom) {
			t.Fatalf("got %v, want the function's own error", err)
		}
		var count int
		var body []byte
		if err := db.QueryRow(ctx, `SELECT n, body FROM note WHERE id = $1`, "a").Scan(&count, &body); err != nil {
			t.Fatal(err)
		}
		if count != 7 || !bytes.Equal(body, []byte{0, 1}) {
			t.Errorf("got n = %d and body %v", count, body)
		}
		_, err = db.Exec(ctx, `INSERT INTO note (id) VALUES ($1)`, "a")
		if !store.IsUnique(err) {
			t.Errorf("a second row of the same key gave %v, want a uniqueness error", err)
		}
	})
}

func TestASavepointUndoesOnlyItsOwnWrites(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		if err := store.Migrate(ctx, db, noteSchema); err != nil {
			t.Fatal(err)
		}
		err := db.Transact(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO note (id) VALUES ('kept')`); err != nil {
				return err
			}
			inner := tx.Savepoint(ctx, "sp", func() error {
				_, err := tx.Exec(ctx, `INSERT INTO note (id) VALUES ('kept')`)
				return err
			})
			if !store.IsUnique(inner) {
				t.Errorf("got %v, want a uniqueness error", inner)
			}
			_, err := tx.Exec(ctx, `INSERT INTO note (id) VALUES ('after')`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRow(ctx, `SELECT count(*) FROM note`).Scan(&n); err != nil || n != 2 {
			t.Errorf("got %d rows (%v), want 2", n, err)
		}
	})
}

func TestAChangedMigrationIsRefused(t *testing.T) {
	db := storetest.SQLite(t)
	ctx := context.Background()
	if err := store.Migrate(ctx, db, noteSchema); err != nil {
		t.Fatal(err)
	}
	changed := store.Schema{Room: "note", FS: fstest.MapFS{"0001_note.sql": {Data: []byte("CREATE TABLE note2 (id text);\n")}}}
	if err := store.Migrate(ctx, db, changed); err == nil || !strings.Contains(err.Error(), "changed after") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestAStolenFileSaysNothingAndAWrongKeyOpensNothing(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "banyan.db")
	key := bytes.Repeat([]byte{7}, store.KeySize)
	db, err := store.OpenSQLite(ctx, path, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(ctx, db, noteSchema); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ctx, `INSERT INTO note (id) VALUES ('planted-word')`); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + "-wal"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) == 0 || bytes.Contains(raw, []byte("planted-word")) || bytes.Contains(raw, []byte("SQLite format")) {
			t.Errorf("%s is empty or readable", filepath.Base(file))
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenSQLite(ctx, path, bytes.Repeat([]byte{8}, store.KeySize)); err == nil {
		t.Error("a wrong key opened the file")
	}
}
