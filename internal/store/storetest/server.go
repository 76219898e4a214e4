package storetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"banyan/internal/store"
)

// Server is a PostgreSQL server of this process's own. It dies with it: the
// kernel sends it a signal when its parent ends.
type Server struct {
	skip     string
	bin, dir string
	port     int
	attr     *syscall.SysProcAttr
	settings []string
	run      *exec.Cmd
	ended    chan struct{}
	names    atomic.Int64
}

// NewServer starts a server that a test may look into and kill, with settings
// as in its configuration file ("log_statement=all"). It ends with the test.
func NewServer(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := startServer(settings...)
	if s.skip != "" {
		t.Skip(s.skip)
	}
	t.Cleanup(func() {
		s.Kill()
		os.RemoveAll(s.dir)
	})
	return s
}

// startServer makes a data folder and runs a server on it. Where that cannot
// be, skip says why.
func startServer(settings ...string) *Server {
	s := &Server{bin: serverFolder(), attr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}, port: freePort(), settings: settings}
	if s.bin == "" {
		s.skip = "PostgreSQL is not installed (Debian package postgresql): its half of this test did not run"
		return s
	}
	dir, err := os.MkdirTemp("", "banyan-pg-")
	if err != nil {
		s.skip = "no temporary folder for PostgreSQL: " + err.Error()
		return s
	}
	s.dir = dir
	if os.Geteuid() == 0 { // the server refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			s.skip = "running as root without a user named postgres: PostgreSQL refuses that"
			return s
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			s.skip = err.Error()
			return s
		}
	}
	initdb := exec.Command(filepath.Join(s.bin, "initdb"), "-D", s.Data(), "-U", "banyan", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = s.attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		s.skip = fmt.Sprintf("initdb failed: %v: %s", err, out)
		return s
	}
	if err := s.Start(); err != nil {
		s.skip = err.Error()
	}
	return s
}

// Start runs the server on what it has, and returns when it answers. Where a
// process of the one before is not gone yet, and so keeps its memory, it is
// started again, as a service manager does.
func (s *Server) Start() error {
	if err := s.launch(); err != nil {
		return err
	}
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case <-s.ended:
			if err := s.launch(); err != nil {
				return err
			}
		default:
		}
		db, err := store.OpenPostgres(context.Background(), s.DSN("postgres"))
		if err == nil {
			db.Close()
			return nil
		}
	}
	return fmt.Errorf("PostgreSQL did not answer within 30 s")
}

func (s *Server) launch() error {
	args := []string{"-D", s.Data(), "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-k", s.dir}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	log, err := os.OpenFile(s.LogFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	defer log.Close()
	run := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	run.SysProcAttr, run.Dir, run.Stdout, run.Stderr = s.attr, s.dir, log, log
	if err := run.Start(); err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = run.Wait()
		close(ended)
	}()
	s.run, s.ended = run, ended
	return nil
}

// Kill ends the server as a power cut would: the postmaster and every process
// of its sessions.
func (s *Server) Kill() {
	if s.run == nil {
		return
	}
	sessions := children(s.run.Process.Pid)
	_ = s.run.Process.Kill()
	for _, pid := range sessions {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-s.ended
	s.run = nil
}

// children lists the processes that a process started.
func children(of int) (out []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// "pid (name) state parent …"; a name may hold anything.
		head, rest, ok := strings.Cut(string(text), "(")
		if i := strings.LastIndex(rest, ")"); ok && i >= 0 {
			fields := strings.Fields(rest[i+1:])
			pid, err := strconv.Atoi(strings.TrimSpace(head))
			if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(of) {
				out = append(out, pid)
			}
		}
	}
	return out
}

// Data is the folder of its tables and its write-ahead log.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// LogFile is where it says what it does.
func (s *Server) LogFile() string { return filepath.Join(s.dir, "log") }

// DSN gives the connection words of a database.
func (s *Server) DSN(name string) string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=banyan dbname=%s sslmode=disable", s.port, name)
}

// NewDatabase makes a database, empty or as a copy of another that nobody uses
// meanwhile, and gives its name.
func (s *Server) NewDatabase(t testing.TB, copyOf string) string {
	t.Helper()
	name := fmt.Sprintf("t%d", s.names.Add(1))
	admin, err := store.OpenPostgres(context.Background(), s.DSN("postgres"))
	if err != nil {
		t.Fatalf("connecting to the test server: %v", err)
	}
	defer admin.Close()
	sql := "CREATE DATABASE " + name
	if copyOf != "" {
		sql += " TEMPLATE " + copyOf
	}
	if _, err := admin.Exec(context.Background(), sql); err != nil {
		t.Fatalf("creating a test database: %v", err)
	}
	return name
}

// Do runs a statement as the server's owner.
func (s *Server) Do(t testing.TB, sql string) {
	t.Helper()
	admin, err := store.OpenPostgres(context.Background(), s.DSN("postgres"))
	if err != nil {
		t.Fatalf("connecting to the test server: %v", err)
	}
	defer admin.Close()
	if _, err := admin.Exec(context.Background(), sql); err != nil {
		t.Fatal(err)
	}
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
