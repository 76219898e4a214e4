package faults

// What these tests share: a data folder made once, a case as a case worker
// makes it, and a look into the tables beside the running program.

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"banyan/content"
	"banyan/internal/app"
	"banyan/internal/forms"
	"banyan/test/program"
)

type answers = map[string]any

var scratch string // the folder of the template, gone after the tests

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "banyan-faults-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var makeTemplate sync.Once

// country copies an invented country of 40 cases into a folder of the test's
// own: inventing it once is enough. Its key stays outside the folder.
func country(t *testing.T, dir string) (data string) {
	t.Helper()
	template := filepath.Join(scratch, "template")
	makeTemplate.Do(func() { program.Demo(t, template, 40).Stop() })
	data = filepath.Join(dir, "data")
	if err := os.CopyFS(data, os.DirFS(template)); err != nil {
		t.Fatal(err)
	}
	return data
}

// serve starts `banyan serve`, which logs every request, with temporary files
// in a folder of its own.
func serve(t *testing.T, data, tmp string) *program.Program {
	t.Helper()
	return program.StartIn(t, []string{"TMPDIR=" + tmp}, data, "serve", "--data", data, "--addr", "127.0.0.1:0")
}

// beside opens the tables of a data folder while the program may be serving.
func beside(t *testing.T, data string) *app.Record {
	t.Helper()
	cfg := configOf(data)
	cfg.Alongside = true
	r, err := app.OpenRecord(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// configOf says where the rows of a data folder are: as the program does.
func configOf(data string) app.Config {
	return app.Config{Data: data, Database: os.Getenv("BANYAN_DATABASE"), Keyring: os.Getenv("BANYAN_KEYRING")}
}

func count(t *testing.T, r *app.Record, table string) (n int) {
	t.Helper()
	if err := r.DB.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// library has the forms, to fill matrices whose every row is needed.
var library = sync.OnceValue(func() *forms.Library {
	lib, faults := forms.Load(content.FS)
	if len(faults) > 0 {
		panic(faults[0])
	}
	return lib
})

func matrix(form, field, value string) answers {
	f, _ := library().Form(form)
	fd, _ := f.Field(field)
	out := answers{}
	for _, c := range fd.Rows.Codes {
		out[c.Code] = value
	}
	return out
}

// entry is one new entry as a device sends it.
func entry(stream, form string, a answers) map[string]any {
	id := newID()
	record := id
	if f, ok := library().Form(form); ok && f.Single {
		record = form
	}
	return map[string]any{"id": id, "stream": stream, "form": form, "version": 1, "act": "submit", "record": record,
		"written_at": time.Now().UTC().Add(-time.Second).Format(time.RFC3339), "device": "test", "answers": a}
}

func firstContact() answers {
	now := time.Now().UTC().Add(-time.Minute)
	return answers{"contact_at": now.Format(time.RFC3339), "place": answers{"country": "KHM", "adm1": "KH01", "place": "the bus station"},
		"channel": "in_person", "language": "km", "interpreter": false, "alone": true, "safe_now": "yes", "medical_urgent": false,
		"age_declared": answers{"years": 14, "observed_on": now.Format(time.DateOnly)}, "age_basis": "presumed_child", "sex": "female",
		"separation_status": "unaccompanied", "nickname": "Leak", "wishes": "I want my pay", "action": []string{"resources"}}
}

func screening() answers {
	return answers{"mode": "worker_read", "consent_asked": true, "profile": "child_labour", "answers": matrix("F02_screening", "answers", "unknown"),
		"worker_judgement": "agree", "status": "possible_victim", "identification_stage": "presumed", "next_step": "full_assessment"}
}

func consent() answers {
	scopes := answers{}
	for _, s := range []string{"share_referral", "share_family", "share_authorities", "tracing", "research", "cross_border", "contact_again",
		"photo_audio", "media", "retention_informed", "withdrawal_informed"} {
		scopes[s] = "no"
	}
	scopes["services"], scopes["statistics"] = "yes", "yes"
	now := time.Now()
	return answers{"age_band": "12-14", "caregiver_implicated": "yes", "obtained_from": "caseworker_best_interest", "child_assent": "yes",
		"scopes": scopes, "language_format": "spoken, Khmer", "date": now.UTC().Add(-24 * time.Hour).Format(time.DateOnly),
		"review_date": now.AddDate(0, 3, 0).Format(time.DateOnly)}
}

// registration names the staff by their ids.
func registration(worker, supervisor string) answers {
	return answers{"first_name": "Sreyleak", "last_name": "Keo", "age": answers{"years": 14, "observed_on": time.Now().UTC().Add(-24 * time.Hour).Format(time.DateOnly)},
		"age_basis": "presumed_child", "sex": "female", "languages": []string{"km"}, "separation_status": "unaccompanied",
		"living_situation": "alternative_care", "protection_concerns": []string{"trafficked_smuggled"}, "risk_level": "medium",
		"risk_reason": "the aunt knows the town", "case_worker": worker, "supervisor": supervisor}
}

// plan waits for the supervisor's approval once it is sent.
func plan() answers {
	in := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	return answers{"goals": []answers{{"_id": "goal-one", "area": "safety", "need": "a safe bed", "action": "find a place", "who": "the worker",
		"by_when": in(20), "progress": "in_progress"}}, "service": []string{"shelter"}, "child_agreed": "agreed", "review_date": in(30)}
}

func userID(t *testing.T, c *program.Client) string {
	t.Helper()
	var me struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	if status, body := c.Do(t, http.MethodGet, "/api/me", nil, &me); status != http.StatusOK || me.User.ID == "" {
		t.Fatalf("who am I: %d %.300s", status, body)
	}
	return me.User.ID
}

// submit sends entries that have to be taken.
func submit(t *testing.T, c *program.Client, entries ...map[string]any) {
	t.Helper()
	for _, e := range entries {
		var r results
		status, body := c.Do(t, http.MethodPost, "/api/entries", answers{"entries": []any{e}}, &r)
		if status != http.StatusOK || r.Results[0].Status != "accepted" {
			t.Fatalf("%s: %d %.500s", e["form"], status, body)
		}
	}
}

// openCase opens a case with a first contact.
func openCase(t *testing.T, c *program.Client, first answers) (stream string) {
	t.Helper()
	stream = newID()
	status, body := c.Do(t, http.MethodPost, "/api/cases", answers{"entries": []any{entry(stream, "F01_first_contact", first)}}, nil)
	var opened results
	if status != http.StatusOK || json.Unmarshal([]byte(body), &opened) != nil || opened.Results[0].Status != "accepted" {
		t.Fatalf("opening a case: %d %.500s", status, body)
	}
	return stream
}
