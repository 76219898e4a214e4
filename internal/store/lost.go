package store

// A database server that died, or was started anew, leaves every open
// connection dead, and each says so only when it is used next. Nobody should
// be answered with an error for that once the server is back: what was not yet
// committed is done again on another connection, and for a while each
// connection is asked whether it lives before it is used.

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	distrust = time.Minute // how long connections are asked first after one was lost
	askIdle  = time.Second // how long one may have been idle at any time
)

// losses remembers when a connection was last found dead.
type losses struct{ at atomic.Int64 } // nanoseconds since started

var started = time.Now() // durations only: never compared with the clock of the work

// openPostgres opens a pool that asks its connections as said above.
func openPostgres(dsn string, l *losses) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("opening PostgreSQL: the connection words cannot be read")
	}
	ask := stdlib.OptionShouldPing(func(_ context.Context, p stdlib.ShouldPingParams) bool {
		return p.IdleDuration > askIdle || l.lately()
	})
	return stdlib.OpenDB(*cfg, ask), nil
}

func (l *losses) lately() bool {
	at := l.at.Load()
	return at > 0 && time.Since(started)-time.Duration(at) < distrust
}

// sawLost notes whether err says that the connection is gone. A commit that
// broke is not counted: nobody knows whether it was done. SQLite has none to lose.
func (db *DB) sawLost(err error) bool {
	var commit *commitError
	if err == nil || db.engine != Postgres || errors.As(err, &commit) || !isLost(err) {
		return false
	}
	db.lost.at.Store(int64(time.Since(started)) + 1)
	return true
}

// isLost knows a dead connection by what the driver and the server say of it
// (PostgreSQL, Appendix A, class 57: operator intervention).
func isLost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "57P01" || pg.Code == "57P02" || pg.Code == "57P03"
	}
	var network *net.OpError
	return pgconn.SafeToRetry(err) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn)
}

// commitError is a commit of which nobody knows whether it was done, unless
// the engine said so.
type commitError struct{ err error }

func (e *commitError) Error() string { return "committing transaction: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }
