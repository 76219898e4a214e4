package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"banyan/internal/app"
	"banyan/internal/identity"
	"banyan/internal/store/storetest/disk"
)

// life is the whole program on one folder of a failing disk, from a start to a
// power cut.
type life struct {
	t      *testing.T
	app    *app.App
	url    string
	token  string
	stream string
	stop   func()
}

func live(t *testing.T, cfg app.Config) *life {
	t.Helper()
	ctx := context.Background()
	a, err := app.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Casework.LoadNames(ctx, 0); err != nil {
		t.Fatal(err)
	}
	l := &life{t: t, app: a}
	var worker string
	err = a.DB.QueryRow(ctx, `SELECT v.stream, v.worker FROM case_view v JOIN staff s ON s.id = v.worker AND s.org = v.org
		WHERE v.state NOT IN ('closed', 'contact') AND s.suspended_at = 0 ORDER BY v.stream LIMIT 1`).Scan(&l.stream, &worker)
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Identity.StartFor(ctx, identity.System(), worker)
	if err != nil {
		t.Fatal(err)
	}
	l.token = s.Token
	door, err := a.Door(app.ServeConfig{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(door.Handler())
	l.url = server.URL
	l.stop = func() {
		server.Close()
		a.Close()
	}
	return l
}

func (l *life) call(method, path string, in any) (int, []byte) {
	var body bytes.Buffer
	if in != nil {
		_ = json.NewEncoder(&body).Encode(in)
	}
	req, err := http.NewRequest(method, l.url+path, &body)
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.AddCookie(&http.Cookie{Name: "banyan", Value: l.token})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	var out bytes.Buffer
	_, _ = out.ReadFrom(res.Body)
	return res.StatusCode, out.Bytes()
}

// note sends one note and gives its id if the program said that it keeps it.
func (l *life) note() (id string, kept bool) {
	id = uuid.Must(uuid.NewV7()).String()
	now := time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)
	status, body := l.call("POST", "/api/entries", map[string]any{"entries": []any{map[string]any{"id": id, "stream": l.stream, "form": "F11_case_note", "version": 1, "act": "submit",
		"record": id, "follows": []string{}, "written_at": now, "device": "test", "answers": map[string]any{"at": now, "mode": "call", "with": "The child", "facts": "Called as agreed.", "next": "Call again."}}}})
	var r struct {
		Results []struct{ Status string }
	}
	switch {
	case status >= 500:
		return id, false
	case status != http.StatusOK || json.Unmarshal(body, &r) != nil || r.Results[0].Status != "accepted":
		l.t.Errorf("a note: %d %.300s", status, body)
		return id, false
	}
	return id, true
}

// TestTheProgramAcknowledgesNothingThatTheDiskDidNotTake runs the whole program
// over HTTP on a disk whose writes and syncs fail, that fills up and loses its
// power. A case worker sees "saved" for nothing that is gone tomorrow, and for
// no page that nobody will know she opened.
func TestTheProgramAcknowledgesNothingThatTheDiskDidNotTake(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	cfg := app.Config{Data: filepath.Join(dir, "0"), KeyFile: filepath.Join(dir, "key"), Create: true}
	a, err := app.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.InstallDemo(ctx, 15, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	d := disk.New(cfg.Data, 7)
	l := live(t, cfg)
	acked := map[string]bool{}
	pages, failed := 0, 0
	var mu sync.Mutex
	for round, f := range []disk.Fault{disk.FailSync, disk.Cut, disk.Full, disk.FailWrite, disk.Cut, disk.ShortWrite, disk.FailSync, disk.Cut} {
		d.Break(f, 3+round*5, 40)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					id, kept := l.note()
					mu.Lock()
					if kept {
						acked[id] = true
					} else {
						failed++
					}
					mu.Unlock()
				}
			})
		}
		wg.Go(func() {
			for range 6 {
				if status, _ := l.call("GET", "/api/cases/"+l.stream, nil); status == http.StatusOK {
					mu.Lock()
					pages++
					mu.Unlock()
				}
			}
		})
		wg.Wait()
		if f != disk.Cut {
			d.Mend()
			id, kept := l.note()
			if !kept {
				t.Fatalf("round %d: the disk works again and the program does not", round)
			}
			acked[id] = true
			continue
		}
		d.PowerCut()
		if _, kept := l.note(); kept {
			t.Fatal("acknowledged after the power went")
		}
		l.stop()
		cfg.Data = filepath.Join(dir, fmt.Sprint(round+1))
		if err := os.Mkdir(cfg.Data, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := d.Image(cfg.Data); err != nil {
			t.Fatal(err)
		}
		d = disk.New(cfg.Data, uint64(round))
		l = live(t, cfg)
		for id := range acked {
			var n int
			if err := l.app.DB.QueryRow(ctx, `SELECT count(*) FROM entry WHERE id = $1`, id).Scan(&n); err != nil || n != 1 {
				t.Fatalf("round %d: of %d acknowledged entries one is there %d times (%v)", round, len(acked), n, err)
			}
		}
		var lines int
		if err := l.app.DB.QueryRow(ctx, `SELECT count(*) FROM access_line WHERE action = 'case.open'`).Scan(&lines); err != nil || lines < pages {
			t.Errorf("round %d: %d pages were shown, the access log has %d lines (%v)", round, pages, lines, err)
		}
		if report, err := l.app.Journal.Verify(ctx, nil, nil); err != nil || len(report.Wrong) > 0 {
			t.Fatalf("round %d: verify: %v %v", round, report.Wrong, err)
		}
	}
	l.stop()
	t.Logf("3 power cuts, 5 other failures: %d notes acknowledged and there once, %d answered with an error, %d pages shown and logged", len(acked), failed, pages)
	if failed == 0 || len(acked) < 10 || pages == 0 {
		t.Error("nothing was tried")
	}
}
