// Package storetest gives tests an empty database of each engine.
//
// PostgreSQL is started once per test process from Debian's package, on a
// free port, in a temporary folder, and ends with the process. Where it is not
// installed the PostgreSQL half of a test is skipped with a line that says so.
package storetest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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
	name := fmt.Sprintf("t%d", databases.Add(1))
	admin, err := store.OpenPostgres(context.Background(), s.dsn("postgres"))
	if err != nil {
		t.Fatalf("connecting to the test server: %v", err)
	}
	defer admin.Close()
	if _, err := admin.Exec(context.Background(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("creating a test database: %v", err)
	}
	return s.dsn(name)
}

type server struct {
	skip string
	dir  string
	port int
}

var (
	databases atomic.Int64
	startOnce = sync.OnceValue(start)
)

func (s server) dsn(name string) string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=banyan dbname=%s sslmode=disable", s.port, name)
}

// start runs a server that dies with this process: the kernel sends it a
// signal when its parent ends, and a killed server cleans its memory itself.
func start() server {
	bin := serverFolder()
	if bin == "" {
		return server{skip: "PostgreSQL is not installed (Debian package postgresql): its half of this test did not run"}
	}
	dir, err := os.MkdirTemp("", "banyan-pg-")
	if err != nil {
		return server{skip: "no temporary folder for PostgreSQL: " + err.Error()}
	}
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() == 0 { // the server refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return server{skip: "running as root without a user named postgres: PostgreSQL refuses that"}
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return server{skip: err.Error()}
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "banyan", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	initdb.SysProcAttr = attr
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return server{skip: fmt.Sprintf("initdb failed: %v: %s", err, out)}
	}
	s := server{dir: dir, port: freePort()}
	run := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-k", dir)
	run.SysProcAttr = attr
	run.Dir = dir
	if err := run.Start(); err != nil {
		return server{skip: "starting PostgreSQL: " + err.Error()}
	}
	go func() { _ = run.Wait() }()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		db, err := store.OpenPostgres(context.Background(), s.dsn("postgres"))
		if err == nil {
			db.Close()
			return s
		}
	}
	return server{skip: "PostgreSQL did not answer within 30 s"}
}

func serverFolder() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		path, err := exec.LookPath("postgres")
		if err != nil {
			return ""
		}
		return filepath.Dir(path)
	}
	best := found[0]
	for _, f := range found {
		if strings.Compare(f, best) > 0 {
			best = f
		}
	}
	return filepath.Dir(best)
}

func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
