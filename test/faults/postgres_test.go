package faults

// The same promises on PostgreSQL: nothing readable in what its server keeps
// or logs, nothing acknowledged lost when it dies, bad input refused.

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"banyan/internal/store/storetest"
	"banyan/test/program"
)

// onPostgres starts a server of the test's own, and an invented country whose
// rows lie on it. What the test starts from here on uses it.
func onPostgres(t *testing.T, settings ...string) (server *storetest.Server, data string) {
	t.Helper()
	server = storetest.NewServer(t, settings...)
	t.Setenv("BANYAN_DATABASE", server.DSN(server.NewDatabase(t, "")))
	t.Setenv("BANYAN_KEYRING", server.DSN(server.NewDatabase(t, "")))
	data = filepath.Join(t.TempDir(), "data")
	program.Demo(t, data, 40).Stop()
	return server, data
}

// TestPostgresKeepsAndLogsNoPlantedWord lets PostgreSQL log every statement
// with every parameter, spill to temporary files early, and keeps its
// write-ahead log uncompressed. Whoever runs the database server, or carries
// its disk away, must not learn who the children are.
func TestPostgresKeepsAndLogsNoPlantedWord(t *testing.T) {
	server, data := onPostgres(t, "log_statement=all", "log_min_duration_statement=0", "log_parameter_max_length=-1", "log_parameter_max_length_on_error=-1",
		"log_min_error_statement=debug5", "log_temp_files=0", "work_mem=64kB", "wal_compression=off", "wal_keep_size=1GB")
	again := []string{"--database", server.DSN(server.NewDatabase(t, "")), "--keyring", server.DSN(server.NewDatabase(t, ""))}
	lookEverywhere(t, t.TempDir(), data, again, filepath.Dir(server.Data()))
	log, err := os.ReadFile(server.LogFile())
	if err != nil || !bytes.Contains(log, []byte("INSERT INTO entry")) || !bytes.Contains(log, []byte("F11_case_note")) {
		t.Errorf("the server logged no statements with their parameters: nothing was looked through (%v)", err)
	}
}

// TestWhatWasAcknowledgedIsKeptOnceWhenPostgresDies kills the program, or the
// database server with all its processes, while devices write. After the
// server came back the same program goes on without being started again: at
// night nobody is there to do it.
func TestWhatWasAcknowledgedIsKeptOnceWhenPostgresDies(t *testing.T) {
	n := 8
	if more, err := strconv.Atoi(os.Getenv("BANYAN_KILL_ROUNDS")); err == nil {
		n = more
	} else if testing.Short() {
		n = 3
	}
	server, data := onPostgres(t)
	p := program.Demo(t, data, 40)
	worker := p.As(t, "chanthou")
	cases := openCases(t, worker)
	s := &sender{acked: map[string]bool{}, databaseDies: true}
	rng := rand.New(rand.NewPCG(2, uint64(n)))
	kills := map[bool]int{}
	for round := range n {
		client := worker.At(p.URL)
		s.resend(t, client)
		if round%20 == 19 {
			cases = []string{openCase(t, client, firstContact()), openCase(t, client, firstContact()), openCase(t, client, firstContact())}
		}
		ofServer := round%2 == 0
		kills[ofServer]++
		if !ofServer {
			s.writeUntilKilled(t, p.Kill, client, cases, 2+rng.IntN(8))
			p = program.Demo(t, data, 40)
			continue
		}
		s.writeUntilKilled(t, server.Kill, client, cases, 2+rng.IntN(8))
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		p.WaitReady(t)
	}
	s.resend(t, worker.At(p.URL))
	p.Kill()
	t.Logf("%d kills of the database server, %d of the program: %d entries acknowledged, %d answered with an error, %d pages answered", kills[true], kills[false], len(s.acked), s.failed.Load(), s.reads.Load())
	s.check(t, data)
}

func TestBadInputIsRefusedOnPostgres(t *testing.T) {
	_, data := onPostgres(t)
	sendBadInput(t, t.TempDir(), data)
}
