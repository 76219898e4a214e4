package faults

// Two promises tried on every route of the published document, whatever it is
// for: nothing of a person is shown without a line in the access log, and what
// is denied looks like what was never there.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"banyan/test/program"
)

// documented is one route as the program publishes it.
type documented struct{ method, path, id string }

func document(t *testing.T, c *program.Client) (out []documented) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if status, body := c.Do(t, http.MethodGet, "/api/openapi.json", nil, &doc); status != http.StatusOK {
		t.Fatalf("the document: %d %.200s", status, body)
	}
	for path, methods := range doc.Paths {
		for method, text := range methods {
			var op operation
			if json.Unmarshal(text, &op) == nil && op.ID != "" {
				out = append(out, documented{strings.ToUpper(method), path, op.ID})
			}
		}
	}
	slices.SortFunc(out, func(a, b documented) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return out
}

// TestNoRouteShowsAPersonWithoutALine calls every documented route as somebody
// of every role, and looks for what only the test's case holds. Where an
// answer has any of it, and the access log did not grow, somebody read about a
// child unseen. No list of routes stands here: a new one is tried from its
// first day.
func TestNoRouteShowsAPersonWithoutALine(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, country(t, dir), dir)
	worker, boss := p.As(t, "chanthou"), p.As(t, "vanna")
	first := firstContact()
	first["nickname"], first["wishes"] = "Unseennickname", "unseenwish"
	first["place"].(answers)["place"] = "unseenplace"
	stream := openCase(t, worker, first)
	openCase(t, p.As(t, "nary"), first) // a counsellor hands over: the supervisor's team page shows whom nobody has
	written := note(stream)
	written["answers"].(answers)["facts"] = "unseenfacts"
	submit(t, worker, written, entry(stream, "F02_screening", screening()), entry(stream, "F03_consent", consent()))
	reg := registration(userID(t, worker), userID(t, boss))
	reg["first_name"], reg["last_name"] = "Unseenfirst", "Unseenlast"
	submit(t, worker, entry(stream, "F04_registration", reg), entry(stream, "F08_case_plan", plan()))
	status, body := upload(t, worker, stream, "unseenfile.txt", []byte("unseencontent"))
	var f struct {
		ID string `json:"id"`
	}
	if status != http.StatusOK || json.Unmarshal([]byte(body), &f) != nil {
		t.Fatalf("keeping a file: %d %s", status, body)
	}
	var page struct {
		Case struct{ Code string }
		Code string
	}
	worker.Do(t, http.MethodGet, "/api/cases/"+stream, nil, &page)
	marks := []string{"Unseennickname", "unseenwish", "unseenplace", "unseenfacts", "Unseenfirst", "Unseenlast", "unseencontent", "unseenfile", stream}
	if code := page.Code + page.Case.Code; code != "" {
		marks = append(marks, code)
	}
	bodies := map[string][]any{"find": {answers{"q": "Unseenfirst"}, answers{"code": page.Code + page.Case.Code}, answers{"name": "Unseennickname"}}}
	fill := strings.NewReplacer("{id}", stream, "{record}", written["id"].(string), "{form}", "F02_screening", "{file}", f.ID)
	record := beside(t, p.Data)
	shown := map[string]int{}
	logins := slices.Sorted(maps.Keys(p.SignIns(t)))
	for _, login := range logins {
		c := p.As(t, login)
		for _, r := range document(t, worker) {
			ins := bodies[r.id]
			if ins == nil {
				ins = []any{nil}
			}
			if r.method != http.MethodGet && r.id != "find" {
				ins = []any{answers{}}
			}
			if r.id == "sign-out" {
				continue
			}
			paths := []string{fill.Replace(r.path)}
			if r.id == "cases" {
				paths = []string{r.path, r.path + "?scope=team", r.path + "?scope=organisation&sort=recent"}
			}
			for _, path := range paths {
				for _, in := range ins {
					before := count(t, record, "access_line")
					_, answer, err := c.Try(r.method, path, in)
					if err != nil {
						t.Fatalf("%s as %s: %v", r.id, login, err)
					}
					if r.method != http.MethodGet && r.id != "find" { // an answer to a write may name its case
						answer = bytes.ReplaceAll(answer, []byte(stream), nil)
					}
					for i, mark := range marks {
						if !bytes.Contains(answer, []byte(mark)) {
							continue
						}
						shown[r.id]++
						if lines := count(t, record, "access_line") - before; lines < 1 {
							t.Errorf("%s as %s shows mark %d of the case, and the access log has no line of it", r.id, login, i)
						}
						break
					}
				}
			}
		}
	}
	t.Logf("%d people called every route; the case showed in %v, each time with a line", len(logins), shown)
	for id := range reading {
		if shown[id] == 0 && id != "form-prefill" && id != "case-alike" && id != "today-alike" { // these show fields, or other cases
			t.Errorf("%s showed nothing to anybody: the test no longer tries it", id)
		}
	}
}

// plainly is an answer without what differs from call to call.
func plainly(res *http.Response, body []byte, id string) string {
	h := res.Header.Clone()
	for _, name := range []string{"Request-Id", "Date"} {
		h.Del(name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %d\n", res.StatusCode, res.ContentLength)
	for _, k := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(&b, "%s: %q\n", k, h[k])
	}
	b.Write(body)
	return strings.ReplaceAll(b.String(), id, "{id}")
}

// TestDeniedAndAbsentAreOneAnswerHoweverOneAsks: a clerk in a ministry, bribed,
// has the number of a case from a slip of paper and asks the program in every
// way whether there is such a case. Status, headers and bytes have to be those
// of a case that never was.
func TestDeniedAndAbsentAreOneAnswerHoweverOneAsks(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, country(t, dir), dir)
	worker := p.As(t, "chanthou")
	record := beside(t, p.Data)
	real, never := othersCase(t, record), newID()
	client := &http.Client{Jar: worker.HTTP.Jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(method, path, id string) string {
		var in io.Reader
		if method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
			in = strings.NewReader(`{"reason":"because","to":"closed"}`)
		}
		req, err := http.NewRequest(method, p.URL, in)
		if err != nil {
			t.Fatal(err)
		}
		// As it is, not as a library would tidy it.
		req.URL.Opaque = strings.ReplaceAll(path, "{id}", id)
		if in != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return plainly(res, body, id)
	}
	fill := strings.NewReplacer("{record}", "F04_registration", "{form}", "F02_screening", "{file}", newID())
	paths := map[string]bool{}
	for _, r := range document(t, worker) {
		if strings.Contains(r.path, "{id}") {
			paths[fill.Replace(r.path)] = true
		}
	}
	for _, trick := range []string{"//api/cases/{id}", "/api//cases/{id}", "/api/cases//{id}", "/api/cases/{id}/", "/api/cases/{id}//files", "/api/cases/{id}%2f", "/api/cases/{id}%00",
		"/api/cases/%2e%2e/cases/{id}", "/api/cases/../cases/{id}", "/api/./cases/{id}", "/api/cases/{id}/../{id}", "/api/cases/{id}/..%2f{id}", "/api/cases/{id};a=1", "/api/cases/{id}.json",
		"/API/cases/{id}", "/api/cases/%7b{id}%7d", "/api/cases/{id}%20", "/api/cases/{id}?tier=identity", "/api/cases/{id}?", "/api/cases/{id}/unknown", "/cases/{id}", "/api/cases?cursor={id}"} {
		paths[trick] = true
	}
	asked := 0
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, "PROPFIND"} {
			denied, absent := ask(method, path, real), ask(method, path, never)
			if denied != absent {
				t.Errorf("%s %s tells a case that is denied:\n%s\nfrom one that never was:\n%s", method, path, denied, absent)
			}
			asked++
		}
	}
	t.Logf("%d ways to ask, each for a case of another organisation and for none: the same bytes", asked)
}
