package faults

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"banyan/test/program"
)

// route is one way to read, with who calls it and how.
type route struct {
	method, path string
	as           string
	in           any
}

// reading lists every route of the published document that answers with
// something of a person. "{…}" are filled from a case of the test.
var reading = map[string]string{ // operation → who may call it
	"today": "chanthou", "today-alike": "chanthou", "inbox": "vanna", "team": "vanna", "find": "chanthou", "cases": "chanthou",
	"case-open": "chanthou", "record-open": "chanthou", "form-prefill": "chanthou", "file-open": "chanthou", "file-original": "vanna", "case-print": "chanthou", "case-alike": "chanthou",
}

// notOfAPerson lists the routes that answer with staff, content, counts or
// nothing but what became of what was sent. A route that stands in neither
// list fails the test: whoever adds one says which it is.
var notOfAPerson = []string{
	"case-access", // who looked: staff, times and tiers
	"case-new", "entries", "case-move", "case-assign", "case-approve", "case-acknowledge", "case-break-glass", "case-exclude", "file-add", "case-alike-decide",
}

// otherRooms are the first parts of paths below /api whose routes know nothing
// of cases: sign-in, the own account, staff, content, counts.
var otherRooms = []string{"sign-in", "sign-out", "step-up", "invitations", "me", "people", "organisations", "admin", "forms", "lists", "places", "instruments", "register"}

type operation struct {
	ID string `json:"operationId"`
}

// readingRoutes walks the document that the running program publishes.
func readingRoutes(t *testing.T, c *program.Client, fill *strings.Replacer) []route {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if status, body := c.Do(t, http.MethodGet, "/api/openapi.json", nil, &doc); status != http.StatusOK {
		t.Fatalf("the document: %d %.200s", status, body)
	}
	var out []route
	for path, methods := range doc.Paths {
		for method, text := range methods {
			var op operation
			if json.Unmarshal(text, &op) != nil || op.ID == "" {
				continue
			}
			as, reads := reading[op.ID]
			room, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), "/")
			switch {
			case reads:
				r := route{method: strings.ToUpper(method), path: fill.Replace(path), as: as}
				if op.ID == "find" {
					r.in = answers{"q": "Leak"}
				}
				if op.ID == "case-print" {
					r.in = answers{}
				}
				out = append(out, r)
			case slices.Contains(notOfAPerson, op.ID), slices.Contains(otherRooms, room):
			default:
				t.Errorf("%s %s (%s) is new: say whether it answers with something of a person", strings.ToUpper(method), path, op.ID)
			}
		}
	}
	if len(out) != len(reading) {
		t.Errorf("the document has %d of the %d routes that read", len(out), len(reading))
	}
	slices.SortFunc(out, func(a, b route) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return out
}

// readable makes a case in which every reading route has something to show.
func readable(t *testing.T, p *program.Program) (clients map[string]*program.Client, routes []route) {
	t.Helper()
	clients = map[string]*program.Client{"chanthou": p.As(t, "chanthou"), "vanna": p.As(t, "vanna")}
	worker := clients["chanthou"]
	openCase(t, p.As(t, "nary"), firstContact()) // a counsellor hands over: the supervisor's team page shows whom nobody has
	stream := openCase(t, worker, firstContact())
	written := note(stream)
	submit(t, worker, written, entry(stream, "F02_screening", screening()), entry(stream, "F03_consent", consent()),
		entry(stream, "F04_registration", registration(userID(t, worker), userID(t, clients["vanna"]))), entry(stream, "F08_case_plan", plan()))
	status, body := upload(t, worker, stream, "page.txt", []byte("A page of the school book."))
	var f struct {
		ID string `json:"id"`
	}
	if status != http.StatusOK || json.Unmarshal([]byte(body), &f) != nil {
		t.Fatalf("keeping a file: %d %s", status, body)
	}
	fill := strings.NewReplacer("{id}", stream, "{record}", written["id"].(string), "{form}", "F02_screening", "{file}", f.ID)
	return clients, readingRoutes(t, worker, fill)
}

// TestEveryAnsweredReadHasItsLineInTheAccessLog calls every reading route and
// counts: reads issued divided by reads logged is one, route by route.
func TestEveryAnsweredReadHasItsLineInTheAccessLog(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, country(t, dir), dir)
	clients, routes := readable(t, p)
	record := beside(t, p.Data)
	const times = 3
	issued, logged := 0, 0
	for _, r := range routes {
		before := count(t, record, "access_line")
		for range times {
			if status, body, err := clients[r.as].Try(r.method, r.path, r.in); err != nil || status != http.StatusOK || len(body) == 0 {
				t.Fatalf("%s %s: %d %.300s %v", r.method, r.path, status, body, err)
			}
		}
		lines := count(t, record, "access_line") - before
		issued, logged = issued+times, logged+lines
		if lines != times {
			t.Errorf("%s %s was read %d times; the access log has %d lines more", r.method, r.path, times, lines)
		}
	}
	t.Logf("%d routes: %d reads issued / %d reads logged = %.3f", len(routes), issued, logged, float64(issued)/float64(logged))
}

// TestNothingIsReadWhileTheAccessLogCannotBeWritten takes the log's table away
// under the running program: every reading route has to refuse, and to show
// nothing.
func TestNothingIsReadWhileTheAccessLogCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, country(t, dir), dir)
	clients, routes := readable(t, p)
	record := beside(t, p.Data)
	if _, err := record.DB.Exec(context.Background(), "ALTER TABLE access_line RENAME TO access_line_gone"); err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		status, body, err := clients[r.as].Try(r.method, r.path, r.in)
		var refused struct {
			Error struct {
				Code string `json:"code"`
			} `json:"error"`
		}
		if err != nil || status < 500 || json.Unmarshal(body, &refused) != nil || refused.Error.Code == "" || len(body) > 300 {
			t.Errorf("%s %s without an access log: %d %.300s %v", r.method, r.path, status, body, err)
		}
	}
	if _, err := record.DB.Exec(context.Background(), "ALTER TABLE access_line_gone RENAME TO access_line"); err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		if status, body, err := clients[r.as].Try(r.method, r.path, r.in); err != nil || status != http.StatusOK {
			t.Errorf("%s %s with the log back: %d %.300s %v", r.method, r.path, status, body, err)
		}
	}
}
