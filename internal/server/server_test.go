package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/fault"
	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server"
	"banyan/internal/server/matrix"
	"banyan/internal/server/servertest"
)

// tried is a room's routes, as a test needs them.
func tried(w *servertest.World) {
	type note struct {
		Text string         `json:"text" maxLength:"20"`
		Age  int            `json:"age,omitempty" maximum:"120"`
		Any  map[string]any `json:"any,omitempty"`
	}
	huma.Register(w.Frame.API, server.Operation("POST", "/api/cases/{id}/notes", "test-note", "A note", server.Guard{Action: policy.Read, Kind: "case"}),
		func(ctx context.Context, in *struct {
			ID   string `path:"id"`
			Body note
		}) (*struct{ Body note }, error) {
			switch in.ID {
			case "absent":
				return nil, fault.Absent()
			case "denied":
				return nil, fmt.Errorf("reading a case: %w", fault.New(fault.DeniedOrAbsent, "other words"))
			case "broken":
				return nil, errors.New("the disk is full")
			case "panics":
				panic("Nguyễn Thị Mai, 0912 345 678")
			}
			return &struct{ Body note }{in.Body}, nil
		})
	huma.Register(w.Frame.API, server.Operation("GET", "/api/register/all", "test-export", "Everything", server.Guard{Action: policy.RegisterExport}),
		func(context.Context, *struct{}) (*struct{ Body string }, error) {
			return &struct{ Body string }{"all"}, nil
		})
}

func start(t *testing.T) *servertest.World {
	return servertest.Start(t, servertest.Setup{Routes: tried})
}

func TestEveryRouteDeclaresItsPolicyAction(t *testing.T) {
	w := start(t)
	if faults := server.Check(w.Frame.API, w.Policy); len(faults) > 0 {
		t.Fatal(errors.Join(faults...))
	}
	if n := len(server.Operations(w.Frame.API.OpenAPI())); n < 30 {
		t.Errorf("walked only %d routes", n)
	}
}

func TestARouteWithoutAPolicyIsFoundAndAnswersAbsent(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{Routes: func(w *servertest.World) {
		huma.Get(w.Frame.API, "/api/forgotten", func(context.Context, *struct{}) (*struct{ Body string }, error) {
			return &struct{ Body string }{"open to all"}, nil
		})
		huma.Register(w.Frame.API, server.Operation("GET", "/api/mistyped", "mistyped", "", server.Guard{Action: "raed"}),
			func(context.Context, *struct{}) (*struct{ Body string }, error) { return nil, nil })
	}})
	faults := server.Check(w.Frame.API, w.Policy)
	if len(faults) != 2 || !strings.Contains(faults[0].Error(), "/api/forgotten") || !strings.Contains(faults[1].Error(), "raed") {
		t.Errorf("got %v", faults)
	}
	if a := w.As(policy.CaseWorker).Call("GET", "/api/forgotten", nil); a.Status != http.StatusNotFound {
		t.Errorf("a route without a policy answered with %d", a.Status)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := w.Frame.Serve(t.Context(), l); err == nil {
		t.Error("the program served a route without a policy")
	}
}

func TestDeniedAndAbsentAreTheSameBytes(t *testing.T) {
	w := start(t)
	worker := w.As(policy.CaseWorker)
	never := worker.Call("GET", "/api/never/was", nil)
	if never.Status != http.StatusNotFound {
		t.Fatalf("an unknown path gave %d", never.Status)
	}
	same := map[string]servertest.Answer{
		"absent in the handler":     worker.Call("POST", "/api/cases/absent/notes", `{"text":"a"}`),
		"denied in the handler":     worker.Call("POST", "/api/cases/denied/notes", `{"text":"a"}`),
		"denied by the frame":       w.As(policy.Statistician).Call("POST", "/api/cases/1/notes", `{"text":"a"}`),
		"denied with a broken body": w.As(policy.Administrator).Call("POST", "/api/cases/1/notes", `{"te`),
		"an administrator's route":  worker.Call("GET", "/api/admin/users", nil),
		"the wrong method":          worker.Call("PUT", "/api/cases/1/notes", nil),
	}
	for what, a := range same {
		if a.Status != never.Status || !bytes.Equal(a.Body, never.Body) {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
		for _, h := range []string{"Content-Type", "Content-Length", "Cache-Control", "Retry-After"} {
			if a.Header.Get(h) != never.Header.Get(h) {
				t.Errorf("%s: %s is %q, of an unknown path %q", what, h, a.Header.Get(h), never.Header.Get(h))
			}
		}
	}
}

func TestAllRoutesOfTheFrameHoldThePolicy(t *testing.T) {
	w := start(t)
	clients := map[string]*servertest.Client{}
	for _, role := range policy.AllRoles {
		clients[role] = w.As(role)
	}
	absent := clients[policy.CaseWorker].Call("GET", "/api/never/was", nil).Body
	denied, allowed := 0, 0
	for _, c := range matrix.Cells(w.Frame.API.OpenAPI(), w.Policy, matrix.Singles()) {
		if c.Guard.Kind == "case" {
			continue // these belong to the cases' own test
		}
		a := clients[c.Roles[0]].Call(c.Method, strings.ReplaceAll(c.Path, "{id}", "x"), nil)
		if err := c.Check(a.Status, a.Body, absent); err != nil {
			t.Error(err)
		}
		if c.Denied {
			denied++
			continue
		}
		allowed++
		if a.Status == http.StatusUnauthorized {
			t.Errorf("%s: asked to sign in", c)
		}
	}
	if denied < 50 || allowed < 20 {
		t.Errorf("tried %d denied and %d allowed cells", denied, allowed)
	}
	for _, op := range server.Operations(w.Frame.API.OpenAPI()) {
		g, _ := server.GuardOf(op)
		if g.Action == server.Public {
			continue
		}
		if a := w.Anonymous().Call(op.Method, strings.ReplaceAll(op.Path, "{id}", "x"), nil); a.Status != http.StatusUnauthorized {
			t.Errorf("%s %s without a session gave %d", op.Method, op.Path, a.Status)
		}
	}
}

func TestBadBodiesNameTheFieldAndEchoNothing(t *testing.T) {
	w := start(t)
	c := w.As(policy.CaseWorker)
	rows := []struct {
		name, body string
		status     int
		code, path string
	}{
		{"unknown field", `{"text":"a","tetx":"Mai"}`, 422, "misuse", "tetx"},
		{"wrong type", `{"text":17}`, 422, "misuse", "text"},
		{"too long", `{"text":"Nguyễn Thị Mai Nguyễn Thị Mai"}`, 422, "misuse", "text"},
		{"too large a number", `{"text":"a","age":400}`, 422, "misuse", "age"},
		{"past every number", `{"text":"a","age":1e400}`, 422, "misuse", "age"},
		{"a number that would lose digits", `{"text":"a","any":{"n":9007199254740993}}`, 422, "misuse", "any.n"},
		{"missing field", `{}`, 422, "misuse", "text"},
		{"invalid UTF-8", "{\"text\":\"M\xff\"}", 422, "misuse", "text"},
		{"invalid UTF-8 deep inside", "{\"text\":\"a\",\"any\":{\"rows\":[{\"name\":\"M\xc3\x28\"}]}}", 422, "misuse", "any.rows[0].name"},
		{"a lone surrogate", `{"text":"\ud800"}`, 422, "misuse", "text"},
		{"a NUL", `{"text":"a\u0000"}`, 422, "misuse", "text"},
		{"a name twice", `{"text":"a","text":"b"}`, 422, "misuse", "text"},
		{"no JSON", `Mai`, 422, "misuse", ""},
		{"cut off", `{"text":"Mai`, 422, "misuse", "text"},
		{"two values", `{"text":"a"} {"text":"b"}`, 422, "misuse", ""},
		{"nothing", ` `, 422, "misuse", ""},
		{"deep", `{"text":"a","any":{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}}`, 422, "misuse", ""},
		{"10 MB", `{"text":"` + strings.Repeat("a", 10<<20) + `"}`, 413, "too_large", ""},
		{"a list", `[1]`, 422, "misuse", ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			a := c.Call("POST", "/api/cases/1/notes", r.body)
			code, path := a.Problem()
			if a.Status != r.status || code != r.code {
				t.Fatalf("got %d %s", a.Status, a.Body)
			}
			if r.path != "" && path != r.path {
				t.Errorf("names the field %q, want %q", path, r.path)
			}
			if bytes.Contains(a.Body, []byte("Mai")) || bytes.Contains(a.Body, []byte("400")) {
				t.Errorf("echoes what was sent: %s", a.Body)
			}
		})
	}
	chunked, err := http.NewRequest("POST", w.URL+"/api/cases/1/notes", io.MultiReader(strings.NewReader(`{"text":"`), strings.NewReader(strings.Repeat("a", 2<<20)), strings.NewReader(`"}`)))
	if err != nil {
		t.Fatal(err)
	}
	chunked.Header.Set("Content-Type", "application/json")
	chunked.AddCookie(&http.Cookie{Name: "banyan", Value: c.Cookies["banyan"]})
	res, err := http.DefaultClient.Do(chunked)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a long body without a stated length gave %d", res.StatusCode)
	}
	c.Header["Content-Type"] = "text/plain"
	if a := c.Call("POST", "/api/cases/1/notes", `{"text":"a"}`); a.Status != 422 {
		t.Errorf("a body that is no JSON by its type gave %d", a.Status)
	}
	delete(c.Header, "Content-Type")
	if a := c.Call("GET", "/api/me?name=Mai", nil); a.Status != 422 || bytes.Contains(a.Body, []byte("Mai")) {
		t.Errorf("an unknown parameter gave %d %s", a.Status, a.Body)
	}
	if a := c.Call("POST", "/api/cases/1/notes", `{"text":"Đặng Mai"}`); a.Status != 200 || !bytes.Contains(a.Body, []byte("Đặng Mai")) {
		t.Errorf("a good body gave %d %s", a.Status, a.Body)
	}
}

func TestTroubleShowsNothingAndTheLogHoldsNoNames(t *testing.T) {
	w := start(t)
	c := w.As(policy.CaseWorker)
	for _, id := range []string{"broken", "panics"} {
		a := c.Call("POST", "/api/cases/"+id+"/notes", `{"text":"a"}`)
		code, _ := a.Problem()
		if a.Status != 500 || code != "internal" || bytes.Contains(a.Body, []byte("disk")) || bytes.Contains(a.Body, []byte("Mai")) {
			t.Errorf("%s: %d %s", id, a.Status, a.Body)
		}
	}
	c.Call("GET", "/api/me?q=secret-term", nil)
	c.Call("GET", "/secret-page?x=secret-term", nil)
	log := w.Log.String()
	for _, no := range []string{"Mai", "0912", "secret", "/api/cases/broken", c.Cookies["banyan"]} {
		if strings.Contains(log, no) {
			t.Errorf("the log holds %q", no)
		}
	}
	for _, yes := range []string{"the disk is full", "a handler panicked", `route="POST /api/cases/{id}/notes"`, "status=500"} {
		if !strings.Contains(log, yes) {
			t.Errorf("the log does not say %q:\n%s", yes, log)
		}
	}
}

func TestOtherSitesCannotCall(t *testing.T) {
	w := start(t)
	c := w.As(policy.CaseWorker)
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"} {
		c.Header = map[string]string{name: value}
		if a := c.Call("POST", "/api/cases/1/notes", `{"text":"a"}`); a.Status != http.StatusNotFound {
			t.Errorf("%s: %s got %d", name, value, a.Status)
		}
	}
	c.Header = map[string]string{"Sec-Fetch-Site": "same-origin"}
	if a := c.Call("POST", "/api/cases/1/notes", `{"text":"a"}`); a.Status != 200 {
		t.Errorf("the own site got %d", a.Status)
	}
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	w := start(t)
	for _, path := range []string{"/", "/api/me", "/api/never", "/api/openapi.json", "/healthz", "/metrics"} {
		a := w.Anonymous().Call("GET", path, nil)
		csp := a.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if a.Header.Get("Referrer-Policy") != "no-referrer" || a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Request-Id") == "" {
			t.Errorf("%s: headers %v", path, a.Header)
		}
		if strings.HasPrefix(path, "/api/") && a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored", path)
		}
	}
}

func TestTheDocumentIsPublishedAndSaysEachGuard(t *testing.T) {
	w := start(t)
	a := w.Anonymous().Call("GET", "/api/openapi.json", nil)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]map[string]any
	}
	a.Into(t, &doc)
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("got version %q", doc.OpenAPI)
	}
	if got := doc.Paths["/api/cases/{id}/notes"]["post"]["x-banyan-action"]; got != "read" {
		t.Errorf("the document says %v", got)
	}
}

func TestStepUpIsAskedForWhatThePolicySays(t *testing.T) {
	w := start(t)
	c := w.As(policy.Statistician)
	if a := c.Call("GET", "/api/register/all", nil); a.Status != 200 {
		t.Fatalf("just signed in: %d %s", a.Status, a.Body)
	}
	w.Clock.Advance(6 * time.Minute)
	a := c.Call("GET", "/api/register/all", nil)
	if code, _ := a.Problem(); a.Status != http.StatusForbidden || code != "step_up" {
		t.Errorf("six minutes later: %d %s", a.Status, a.Body)
	}
	if a := w.As(policy.CaseWorker).Call("GET", "/api/register/all", nil); a.Status != http.StatusNotFound {
		t.Errorf("another role learns of the route: %d", a.Status)
	}
}

func TestCookiesArePinnedWhereTheyCanBe(t *testing.T) {
	for _, secure := range []bool{false, true} {
		w := servertest.Start(t, servertest.Setup{Server: func(c *server.Config) { c.Secure = secure }})
		w.AddUser(identity.NewUser{Org: w.Org.ID, Login: "mina", Name: "Mina", Roles: []string{policy.CaseWorker}, Password: servertest.Password})
		a := w.Anonymous().Call("POST", "/api/sign-in", map[string]string{"login": "mina", "password": servertest.Password})
		line := a.Header.Get("Set-Cookie")
		want := []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200", "banyan="}
		if secure {
			want = append(want, "__Host-banyan=", "Secure")
		}
		for _, part := range want {
			if !strings.Contains(line, part) {
				t.Errorf("secure %v: no %s in the cookie's line (%d)", secure, part, a.Status)
			}
		}
		if strings.Contains(line, "Domain=") {
			t.Error("the cookie names a domain")
		}
		if (a.Header.Get("Strict-Transport-Security") != "") != secure {
			t.Errorf("secure %v: strict transport is %q", secure, a.Header.Get("Strict-Transport-Security"))
		}
	}
}

func TestTheAppIsServedCompressedAndKept(t *testing.T) {
	script := bytes.Repeat([]byte("let a = 1;\n"), 500)
	app, err := server.Assets(fstest.MapFS{
		"index.html":             {Data: []byte("<!doctype html><title>Banyan</title>")},
		"assets/app-5KX2QWJB.js": {Data: script},
		"sw.js":                  {Data: []byte("self.x = 1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := servertest.Start(t, servertest.Setup{Server: func(c *server.Config) { c.App = app }})
	c := w.Anonymous()
	for _, path := range []string{"/", "/cases/123", "/today"} {
		if a := c.Call("GET", path, nil); a.Status != 200 || !bytes.Contains(a.Body, []byte("<title>Banyan")) || a.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %s", path, a.Status, a.Header.Get("Cache-Control"))
		}
	}
	c.Header["Accept-Encoding"] = "gzip"
	a := c.Call("GET", "/assets/app-5KX2QWJB.js", nil)
	if !strings.Contains(a.Header.Get("Cache-Control"), "immutable") || a.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers %v", a.Header)
	}
	z, err := gzip.NewReader(bytes.NewReader(a.Body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, script) {
		t.Errorf("the script came back changed (%v)", err)
	}
	c.Header["If-None-Match"] = a.Header.Get("ETag")
	if again := c.Call("GET", "/assets/app-5KX2QWJB.js", nil); again.Status != http.StatusNotModified || len(again.Body) > 0 {
		t.Errorf("asked again: %d", again.Status)
	}
	delete(c.Header, "If-None-Match")
	if a := c.Call("GET", "/assets/gone-5KX2QWJB.js", nil); a.Status != http.StatusNotFound {
		t.Errorf("a script that is gone gave %d", a.Status)
	}
	if a := c.Call("GET", "/sw.js", nil); a.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the service worker is kept: %q", a.Header.Get("Cache-Control"))
	}
}

func TestAProgramWithoutTheAppSaysHowToBuildIt(t *testing.T) {
	w := start(t)
	a := w.Anonymous().Call("GET", "/", nil)
	if a.Status != http.StatusServiceUnavailable || !bytes.Contains(a.Body, []byte("scripts/demo")) {
		t.Errorf("got %d %s", a.Status, a.Body)
	}
}

func TestFiguresStayOnTheMachineAndNameNobody(t *testing.T) {
	w := start(t)
	c := w.As(policy.CaseWorker)
	c.Call("POST", "/api/cases/0194-secret/notes", `{"text":"a"}`)
	a := w.Anonymous().Call("GET", "/metrics", nil)
	if a.Status != 200 || !bytes.Contains(a.Body, []byte(`route="POST /api/cases/{id}/notes"`)) || bytes.Contains(a.Body, []byte("secret")) {
		t.Errorf("got %d:\n%.400s", a.Status, a.Body)
	}
	c.Header["X-Forwarded-For"] = "203.0.113.9"
	if a := c.Call("GET", "/metrics", nil); a.Status != http.StatusNotFound {
		t.Errorf("through a proxy: %d", a.Status)
	}
	if a := c.Call("GET", "/healthz", nil); a.Status != 200 {
		t.Errorf("health: %d", a.Status)
	}
}

func TestStoppingLetsRunningRequestsEnd(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	w := servertest.Start(t, servertest.Setup{Routes: func(w *servertest.World) {
		huma.Register(w.Frame.API, server.Operation("GET", "/api/slow", "slow", "", server.Guard{Action: server.Public}),
			func(context.Context, *struct{}) (*struct{ Body string }, error) {
				close(entered)
				<-leave
				return &struct{ Body string }{"done"}, nil
			})
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Frame.Serve(ctx, l) }()
	answered := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + l.Addr().String() + "/api/slow")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer res.Body.Close()
		var text string
		_ = json.NewDecoder(res.Body).Decode(&text)
		answered <- text
	}()
	<-entered
	stop()
	select {
	case err := <-ended:
		t.Fatalf("stopped before the request ended: %v", err)
	default:
	}
	close(leave)
	if got := <-answered; got != "done" {
		t.Errorf("the running request got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
}

func TestTheMatrixHasACellForEachRelation(t *testing.T) {
	w := start(t)
	cells := matrix.Cells(w.Frame.API.OpenAPI(), w.Policy, matrix.Singles())
	n := 0
	for _, c := range cells {
		if c.ID == "test-note" {
			n++
			if c.Excluded && !c.Denied {
				t.Errorf("%s is not denied", c)
			}
		}
	}
	// seven relations × excluded or not, and two of them also from another organisation
	if want := len(policy.AllRoles) * (7*2 + 2*2); n != want {
		t.Errorf("%d cells for one route, want %d", n, want)
	}
	if pairs := matrix.Cells(w.Frame.API.OpenAPI(), w.Policy, matrix.Pairs()); len(pairs) != 4*len(cells) {
		t.Errorf("%d cells for pairs of nine roles, %d for single ones", len(pairs), len(cells))
	}
	if !slices.ContainsFunc(cells, func(c matrix.Cell) bool {
		return c.ID == "test-note" && slices.Contains(c.Roles, policy.CaseWorker) && c.Relation == policy.Assigned && !c.Denied
	}) {
		t.Error("an assigned case worker's own case is denied")
	}
}

func FuzzCheckJSON(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":"c"}]}`))
	f.Add([]byte("{\"a\":\"\xff\"}"))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if server.CheckJSON(body) == nil && !json.Valid(body) {
			t.Fatal("took what is not JSON")
		}
	})
}
