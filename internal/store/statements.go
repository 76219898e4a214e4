package store

// A cache of parsed statements for SQLite. The program's statements are few
// and short, and parsing one takes longer than running it; database/sql
// forgets a statement when its transaction ends. This stands between the two
// and keeps what a connection has parsed. PostgreSQL's driver has its own.

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// mostStatements bounds what one connection keeps. The program has about two
// hundred statements; lists with choices make some more.
const mostStatements = 256

// mostMemory bounds what SQLite takes for one connection: its cache of pages,
// the changed pages of a transaction as large as a migration of a large table,
// and the sorting of its indexes. Little of it is used otherwise.
const mostMemory = 1 << 30 // bytes

// openCached opens a pool whose connections keep their statements.
func openCached(dsn string) (*sql.DB, error) {
	c, err := (&sqlite.SQLite{}).OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{c}), nil
}

type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := c.Connector.Connect(sqlite3.WithMaxMemory(ctx, mostMemory))
	if err != nil {
		return nil, err
	}
	return &conn{Conn: raw, kept: map[string]*stmt{}}, nil
}

// conn is one connection. database/sql uses it from one goroutine at a time.
type conn struct {
	driver.Conn
	kept map[string]*stmt // by text
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *conn) CheckNamedValue(arg *driver.NamedValue) error {
	return c.Conn.(driver.NamedValueChecker).CheckNamedValue(arg)
}

// PrepareContext gives the kept statement, or parses and keeps a new one. A
// statement that is running already is parsed again and not kept.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if s := c.kept[query]; s != nil && !s.busy {
		s.busy = true
		return s, nil
	}
	raw, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if c.kept[query] != nil {
		return raw, nil
	}
	if len(c.kept) >= mostStatements {
		c.forget()
	}
	s := &stmt{Stmt: raw, busy: true}
	c.kept[query] = s
	return s, nil
}

// forget closes every statement that is not running.
func (c *conn) forget() {
	for query, s := range c.kept {
		if !s.busy {
			_ = s.Stmt.Close()
			delete(c.kept, query)
		}
	}
}

// Close ends the connection; SQLite refuses while statements are open.
func (c *conn) Close() error {
	for _, s := range c.kept {
		_ = s.Stmt.Close()
	}
	clear(c.kept)
	return c.Conn.Close()
}

// stmt is a kept statement. Closing it gives it back.
type stmt struct {
	driver.Stmt
	busy bool
}

func (s *stmt) Close() error {
	s.busy = false
	return nil
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
}

func (s *stmt) CheckNamedValue(arg *driver.NamedValue) error {
	return s.Stmt.(driver.NamedValueChecker).CheckNamedValue(arg)
}
