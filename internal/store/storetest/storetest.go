// Package storetest gives tests an empty database of each engine.
//
// PostgreSQL is started once per test process from Debian's package, on a
// free port, in a temporary folder, and ends with the process. Where it is not
// installed the PostgreSQL half of a test is skipped with a line that says so.
package storetest

import (
	"bytes"
	"context"
	"path/filepath"
	"sync"
	"testing"

	"banyan/internal/store"
)

// EachEngine runs fn against an empty database of each engine.
func EachEngine(t *testing.T, fn func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// SQLite gives an empty encrypted database in a temporary folder.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "banyan.db"), bytes.Repeat([]byte{1}, store.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Postgres gives an empty database on the process's own server.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.OpenPostgres(context.Background(), PostgresDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// PostgresDSN gives the connection words of a new empty database.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	s := startOnce()
	if s.skip != "" {
		t.Skip(s.skip)
	}
	return s.DSN(s.NewDatabase(t, ""))
}

var startOnce = sync.OnceValue(func() *Server { return startServer() })
