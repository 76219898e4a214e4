// Package store keeps rows: on an embedded SQLite file for one machine, on
// PostgreSQL for many, from one SQL text.
//
// It knows nothing of what the rows mean. Every other room brings its tables
// as a Schema and writes its SQL beside the function that needs it.
//
// # The SQL that runs on both engines
//
// Placeholders are $1, $2 …: the shim rewrites them to ?1, ?2 for SQLite
// (whose driver binds $2 before $1 without a word when they appear in that
// order). Instants are bigint microseconds since 1970 UTC (see Micros). Types
// are text, bigint, double precision, boolean and bytea. Not portable, so not
// used: ILIKE, = ANY(array), DISTINCT ON, date_trunc, greatest, LISTEN,
// advisory locks, triggers, sequences, stored procedures, RETURNING on
// conflicts that did nothing.
//
// # Transactions
//
// Transact owns begin, commit, rollback and retry. On SQLite there is one
// writing connection, opened with full synchronous writes: what Transact
// returned nil for is on the disk. Reads that need no access line use View, a
// snapshot on a pool of reading connections.
package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
)

// Engine says which database stands below.
type Engine string

// The two engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// KeySize is the length of a database key in bytes.
const KeySize = 32

// DB is an open database. It is safe for concurrent use.
type DB struct {
	engine Engine
	write  *sql.DB
	read   *sql.DB
	lost   losses
}

// Querier is what DB views and transactions have in common: functions that
// only need rows take it, so that they work inside and outside a transaction.
type Querier interface {
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
	Engine() Engine
}

// Tx is one transaction, good only inside the function it was handed to.
type Tx struct {
	engine Engine
	tx     *sql.Tx
}

// OpenSQLite opens or creates the file at path. With a key of KeySize bytes
// the file, its journal and its temporary files are encrypted (Adiantum);
// an empty key leaves it readable, which only tests should want. A wrong key
// is an error.
func OpenSQLite(ctx context.Context, path string, key []byte) (*DB, error) {
	if len(key) != 0 && len(key) != KeySize {
		return nil, fmt.Errorf("opening database: the key has %d bytes, not %d", len(key), KeySize)
	}
	write, err := openSQLitePool(ctx, path, key, true, 1)
	if err != nil {
		return nil, fmt.Errorf("opening database for writing: %w", err)
	}
	if err := startLogAnew(ctx, write); err != nil {
		write.Close()
		return nil, fmt.Errorf("opening database for writing: %w", err)
	}
	read, err := openSQLitePool(ctx, path, key, false, 4)
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("opening database for reading: %w", err)
	}
	return &DB{engine: SQLite, write: write, read: read}, nil
}

// startLogAnew folds what the write-ahead log holds into the file before
// anything is written. After a power cut the log may end in the middle of an
// encrypted block: another cut while the next words are written into the rest
// of that block would tear it, and with it what was acknowledged before. Where
// another process has the database open the log was not recovered just now, and
// is left as it is.
func startLogAnew(ctx context.Context, write *sql.DB) error {
	for _, pragma := range []string{"busy_timeout(0)", "wal_checkpoint(truncate)", "busy_timeout(60000)"} {
		if _, err := write.ExecContext(ctx, "PRAGMA "+pragma); err != nil && !errors.Is(err, sqlite3.BUSY) {
			return fmt.Errorf("folding the log into the file: %w", err)
		}
	}
	return nil
}

func openSQLitePool(ctx context.Context, path string, key []byte, writer bool, conns int) (*sql.DB, error) {
	q := url.Values{}
	if len(key) > 0 {
		q.Set("vfs", encryptedFiles)
		q.Add("_pragma", "hexkey('"+hex.EncodeToString(key)+"')")
	}
	q.Add("_pragma", "busy_timeout(60000)")
	q.Add("_pragma", "journal_mode(wal)")
	q.Add("_pragma", "synchronous(full)")
	q.Add("_pragma", "wal_autocheckpoint("+strconv.Itoa(logPages)+")")
	q.Add("_pragma", "secure_delete(on)")
	q.Add("_pragma", "temp_store(memory)")
	q.Add("_pragma", "cache_size(-"+strconv.Itoa(cacheKiB(writer))+")")
	q.Add("_pragma", "foreign_keys(on)")
	if writer {
		q.Set("_txlock", "immediate")
	} else {
		q.Add("_pragma", "query_only(on)")
	}
	db, err := openCached("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// logPages is how long the write-ahead log grows before it is folded into the
// file (8 MiB): a page that one entry after the other changes is then folded
// once; and whoever commits when it is full does not wait for long.
const logPages = 2048

// cacheKiB is how much of the file a connection keeps in memory: much where
// it is written, less for each of the readers, so that they stay small together.
// A small file needs less: nothing is taken before it is used.
func cacheKiB(writer bool) int {
	if writer {
		return 128_000
	}
	return 8_000
}

// OpenPostgres connects to the database that dsn names (a URL or key=value
// words, as libpq takes them).
func OpenPostgres(ctx context.Context, dsn string) (*DB, error) {
	db := &DB{engine: Postgres}
	pool, err := openPostgres(dsn, &db.lost)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(32)
	pool.SetMaxIdleConns(16)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	db.write, db.read = pool, pool
	return db, nil
}

// Engine says which database stands below.
func (db *DB) Engine() Engine { return db.engine }

// Close ends all connections. On SQLite the write-ahead log is folded into
// the file first.
func (db *DB) Close() error {
	if db.engine == Postgres {
		return db.write.Close()
	}
	err := db.read.Close()
	_, _ = db.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, db.write.Close())
}

// retries is how often a transaction that the engine threw back is tried.
const retries = 8

// Transact runs fn in one writing transaction: committed if fn returns nil,
// rolled back otherwise. fn may run again when the engine asks for it
// (PostgreSQL 40001 and 40P01) or the connection was lost before the commit, so
// it must not keep state between runs.
func (db *DB) Transact(ctx context.Context, fn func(*Tx) error) error {
	var err error
	for try := range retries {
		err = db.transactOnce(ctx, db.write, false, fn)
		if !isRetryable(err) && !db.sawLost(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Duration(1<<try) * time.Millisecond):
		}
	}
	return fmt.Errorf("transaction thrown back %d times: %w", retries, err)
}

// View runs fn over one unchanging snapshot. Writing in it fails. fn runs again
// where the connection was lost.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	err := db.transactOnce(ctx, db.read, true, fn)
	if db.sawLost(err) {
		return db.transactOnce(ctx, db.read, true, fn)
	}
	return err
}

func (db *DB) transactOnce(ctx context.Context, pool *sql.DB, readOnly bool, fn func(*Tx) error) (err error) {
	opts := &sql.TxOptions{ReadOnly: readOnly}
	if readOnly && db.engine == Postgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	tx, err := pool.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("beginning transaction: %w", err)
	}
	defer func() {
		if p := recover(); p != nil {
			_ = tx.Rollback()
			panic(p)
		}
	}()
	if err := fn(&Tx{engine: db.engine, tx: tx}); err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		return &commitError{err}
	}
	return nil
}

// Exec runs one statement outside any transaction of the caller's.
func (db *DB) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return db.write.ExecContext(ctx, db.engine.rewrite(query), args...)
}

// Query reads rows from the reading pool. The caller closes them.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := db.read.QueryContext(ctx, db.engine.rewrite(query), args...)
	if db.sawLost(err) {
		return db.read.QueryContext(ctx, db.engine.rewrite(query), args...)
	}
	return rows, err
}

// QueryRow reads one row from the reading pool.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	row := db.read.QueryRowContext(ctx, db.engine.rewrite(query), args...)
	if db.sawLost(row.Err()) {
		return db.read.QueryRowContext(ctx, db.engine.rewrite(query), args...)
	}
	return row
}

// Engine says which database stands below.
func (tx *Tx) Engine() Engine { return tx.engine }

// Exec runs one statement in the transaction.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return tx.tx.ExecContext(ctx, tx.engine.rewrite(query), args...)
}

// Query reads rows in the transaction. The caller closes them before the next
// statement: PostgreSQL allows one open result per transaction.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return tx.tx.QueryContext(ctx, tx.engine.rewrite(query), args...)
}

// QueryRow reads one row in the transaction.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.tx.QueryRowContext(ctx, tx.engine.rewrite(query), args...)
}

// Prepare readies a statement for many runs in this transaction.
func (tx *Tx) Prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	return tx.tx.PrepareContext(ctx, tx.engine.rewrite(query))
}

// Savepoint runs fn so that its failure undoes only its own writes and leaves
// the transaction usable. The name must be a plain identifier.
func (tx *Tx) Savepoint(ctx context.Context, name string, fn func() error) error {
	if _, err := tx.tx.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return fmt.Errorf("setting savepoint: %w", err)
	}
	if err := fn(); err != nil {
		if _, rerr := tx.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT "+name); rerr != nil {
			return errors.Join(err, rerr)
		}
		return err
	}
	_, err := tx.tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name)
	return err
}

var rewritten sync.Map // SQL text → SQL text for SQLite

// rewrite turns $1 into ?1 for SQLite, outside quoted text.
func (e Engine) rewrite(query string) string {
	if e != SQLite || !strings.Contains(query, "$") {
		return query
	}
	if done, ok := rewritten.Load(query); ok {
		return done.(string)
	}
	out := []byte(query)
	quoted := false
	for i, c := range out {
		switch {
		case c == '\'':
			quoted = !quoted
		case c == '$' && !quoted:
			out[i] = '?'
		}
	}
	rewritten.Store(query, string(out))
	return string(out)
}

// IsUnique reports whether err says that a row with that key exists already.
func IsUnique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	return errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY)
}

func isRetryable(err error) bool {
	if err == nil {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	return errors.Is(err, sqlite3.BUSY)
}

// Micros gives an instant as it stands in the database.
func Micros(t time.Time) int64 { return t.UTC().UnixMicro() }

// Time gives the instant that Micros wrote; zero stays the zero time.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
