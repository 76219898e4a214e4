// Package faults breaks the program on purpose and holds what it promised.
package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"banyan/internal/app"
	"banyan/test/program"
)

// rounds is how often the power is cut: 500 in CI, more by
// BANYAN_KILL_ROUNDS (scripts/soak), few with -short.
func rounds(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("BANYAN_KILL_ROUNDS")); err == nil {
		return n
	}
	if testing.Short() {
		return 20
	}
	return 500
}

// sender is one device that writes notes until its connection breaks.
type sender struct {
	mu      sync.Mutex
	acked   map[string]bool // entry ids that the server said it keeps
	unknown []map[string]any
	reads   atomic.Int64 // case pages that were answered
	tries   atomic.Int64 // case pages that were asked for

	databaseDies bool         // so an answer may say that the program cannot now
	failed       atomic.Int64 // such answers
}

// TestWhatWasAcknowledgedIsKeptOnceAcrossPowerCuts kills the real process with
// SIGKILL while devices write and read, starts it again over the same data,
// sends again what got no answer, and at the end looks for every acknowledged
// entry: each is there once. A lost one would be a note that a case worker
// believes written; a doubled one a service counted twice. Every page that was
// answered has its line in the access log.
func TestWhatWasAcknowledgedIsKeptOnceAcrossPowerCuts(t *testing.T) {
	data := country(t, t.TempDir())
	n := rounds(t)
	p := program.Demo(t, data, 40)
	worker := p.As(t, "chanthou")
	cases := openCases(t, worker)
	s := &sender{acked: map[string]bool{}}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	began := time.Now()
	for round := range n {
		client := worker.At(p.URL)
		s.resend(t, client)
		if round%20 == 19 { // a case of a thousand notes would be slow, and unlike any
			cases = []string{openCase(t, client, firstContact()), openCase(t, client, firstContact()), openCase(t, client, firstContact())}
		}
		s.writeUntilKilled(t, p.Kill, client, cases, 2+rng.IntN(8))
		if round < n-1 {
			p = program.Demo(t, data, 40)
		}
	}
	t.Logf("%d kills in %.0f s: %d entries acknowledged, %d pages answered", n, time.Since(began).Seconds(), len(s.acked), s.reads.Load())
	s.check(t, data)
}

func openCases(t *testing.T, c *program.Client) []string {
	t.Helper()
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if status, body := c.Do(t, http.MethodGet, "/api/cases?scope=mine&status=open", nil, &list); status != http.StatusOK {
		t.Fatalf("listing cases: %d %s", status, body)
	}
	var out []string
	for _, i := range list.Items {
		out = append(out, i.ID)
	}
	for len(out) < 3 {
		out = append(out, openCase(t, c, firstContact()))
	}
	return out
}

// note makes one case note as the app sends it.
func note(stream string) map[string]any {
	id := uuid.Must(uuid.NewV7()).String()
	now := time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)
	return map[string]any{"id": id, "stream": stream, "form": "F11_case_note", "version": 1, "act": "submit", "record": id,
		"follows": []string{}, "written_at": now, "device": "test", "answers": map[string]any{
			"at": now, "mode": "call", "with": "The child", "facts": "Called as agreed.", "next": "Call again."}}
}

type results struct {
	Results []struct {
		ID     string          `json:"id"`
		Status string          `json:"status"`
		Why    json.RawMessage `json:"problems"`
	} `json:"results"`
}

// send sends entries and notes what the server said. It gives false when the
// connection broke.
func (s *sender) send(t *testing.T, c *program.Client, entries []map[string]any) bool {
	status, body, err := c.Try(http.MethodPost, "/api/entries", map[string]any{"entries": entries})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.unknown = append(s.unknown, entries...)
		return false
	}
	if s.databaseDies && status >= 500 {
		s.unknown = append(s.unknown, entries...)
		s.failed.Add(1)
		return false
	}
	var r results
	if status != http.StatusOK || json.Unmarshal(body, &r) != nil {
		t.Errorf("sending a note: %d %.300s", status, body)
		return false
	}
	for _, one := range r.Results {
		if one.Status != "accepted" && one.Status != "already" {
			t.Errorf("a note was %s: %s", one.Status, one.Why)
			continue
		}
		s.acked[one.ID] = true
	}
	return true
}

// resend sends what got no answer before the power went.
func (s *sender) resend(t *testing.T, c *program.Client) {
	s.mu.Lock()
	again := s.unknown
	s.unknown = nil
	s.mu.Unlock()
	for _, e := range again {
		if !s.send(t, c, []map[string]any{e}) {
			t.Fatal("the connection broke while nobody killed the program")
		}
	}
}

// writeUntilKilled lets four devices write and one read, and cuts the power
// once so many answers have come.
func (s *sender) writeUntilKilled(t *testing.T, cut func(), c *program.Client, cases []string, after int) {
	var answers atomic.Int64
	var dead atomic.Bool
	enough := make(chan struct{})
	var once sync.Once
	count := func() {
		if answers.Add(1) >= int64(after) {
			once.Do(func() { close(enough) })
		}
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; !dead.Load(); i++ {
				if !s.send(t, c, []map[string]any{note(cases[(w+i*4)%len(cases)])}) {
					once.Do(func() { close(enough) })
					return
				}
				count()
			}
		})
	}
	wg.Go(func() {
		for i := 0; !dead.Load(); i++ {
			s.tries.Add(1)
			status, _, err := c.Try(http.MethodGet, "/api/cases/"+cases[i%len(cases)], nil)
			if err != nil {
				return
			}
			if status == http.StatusOK {
				s.reads.Add(1)
			}
		}
	})
	<-enough
	cut()
	dead.Store(true)
	wg.Wait()
}

// check opens the data after the last cut and counts.
func (s *sender) check(t *testing.T, data string) {
	ctx := context.Background()
	a, err := app.Open(ctx, configOf(data))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	lost, doubled := 0, 0
	for id := range s.acked {
		var n int
		if err := a.DB.QueryRow(ctx, `SELECT count(*) FROM entry WHERE id = $1`, id).Scan(&n); err != nil {
			t.Fatal(err)
		}
		switch {
		case n == 0:
			lost++
		case n > 1:
			doubled++
		}
	}
	if lost > 0 || doubled > 0 || len(s.acked) == 0 {
		t.Errorf("of %d acknowledged entries %d are lost and %d doubled", len(s.acked), lost, doubled)
	}
	var lines int64
	if err := a.DB.QueryRow(ctx, `SELECT count(*) FROM access_line WHERE action = 'case.open'`).Scan(&lines); err != nil {
		t.Fatal(err)
	}
	if lines < s.reads.Load() || lines > s.tries.Load() {
		t.Errorf("%d pages were answered and %d asked for; the access log has %d lines", s.reads.Load(), s.tries.Load(), lines)
	}
	report, err := a.Journal.Verify(ctx, nil, nil)
	if err != nil || len(report.Wrong) > 0 {
		t.Errorf("verify after the cuts: %v %v", report.Wrong, err)
	}
}

// TestAFullDiskAcknowledgesNothing: the data folder lies on a file system that
// is too small; the program answers with an error, and after room was made it
// goes on with everything it had acknowledged.
func TestAFullDiskAcknowledgesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a small file system can only be mounted as root: this test did not run")
	}
	dir := t.TempDir()
	whole := country(t, t.TempDir())
	if out, err := mountSmall(dir, fmt.Sprint(sizeOf(t, whole)+4<<20)); err != nil {
		t.Skipf("no small file system to be had here (%v %s): this test did not run", err, out)
	}
	t.Cleanup(func() { unmount(dir) })
	data := filepath.Join(dir, "data")
	if err := os.CopyFS(data, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	p := program.Demo(t, data, 40)
	c := p.As(t, "chanthou")
	cases := openCases(t, c)
	acked := map[string]bool{}
	filler := strings.Repeat("Nothing new today. ", 1000)
	failed := false
	for i := 0; i < 3000 && !failed; i++ {
		e := note(cases[i%len(cases)])
		e["answers"].(map[string]any)["facts"] = filler
		status, body, err := c.Try(http.MethodPost, "/api/entries", map[string]any{"entries": []any{e}})
		var r results
		if err == nil && status == http.StatusOK && json.Unmarshal(body, &r) == nil && r.Results[0].Status == "accepted" {
			acked[r.Results[0].ID] = true
			continue
		}
		failed = true
		if strings.Contains(string(body), "Nothing new") || strings.Contains(string(body), dir) {
			t.Errorf("the error says too much: %.300s", body)
		}
	}
	if !failed {
		t.Fatal("the disk never filled")
	}
	if out, err := remountLarger(dir, "256m"); err != nil {
		t.Fatalf("making room: %v %s", err, out)
	}
	after := note(cases[0])
	submit(t, c, after) // the same process goes on
	acked[after["id"].(string)] = true
	p.Kill()
	a, err := app.Open(context.Background(), app.Config{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for id := range acked {
		var n int
		if err := a.DB.QueryRow(context.Background(), `SELECT count(*) FROM entry WHERE id = $1`, id).Scan(&n); err != nil || n != 1 {
			t.Fatalf("an acknowledged entry is there %d times (%v)", n, err)
		}
	}
	t.Logf("%d entries were acknowledged before the disk was full; all are there", len(acked))
}

// sizeOf adds up the files below dir.
func sizeOf(t *testing.T, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}
