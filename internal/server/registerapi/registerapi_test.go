package registerapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"banyan/content"
	"banyan/internal/fault"
	"banyan/internal/forms"
	"banyan/internal/linkage"
	"banyan/internal/policy"
	"banyan/internal/register"
	"banyan/internal/server"
	"banyan/internal/server/registerapi"
	"banyan/internal/server/servertest"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

var ctx = context.Background()

// door is the routes on a bare router, over a register with one imported
// source and a few own cases.
func door(t *testing.T, allow func(context.Context, string) error) (http.Handler, huma.API) {
	t.Helper()
	db := storetest.SQLite(t)
	r := open(t, db)
	fill(t, db, r)
	lib, _ := forms.Load(content.FS)
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("test", "1"))
	registerapi.Routes(api, registerapi.Deps{Register: r, Library: lib, Allow: allow})
	return mux, api
}

func open(t *testing.T, db *store.DB) *register.Register {
	t.Helper()
	if err := store.Migrate(ctx, db, linkage.Schema(), register.Schema()); err != nil {
		t.Fatal(err)
	}
	def, err := register.Load(content.FS)
	if err != nil {
		t.Fatal(err)
	}
	r, err := register.New(db, def, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func fill(t *testing.T, db *store.DB, r *register.Register) {
	t.Helper()
	b := r.NewBatch(nil)
	for line, n := range map[string]int{"sex=female;year=2019": 700, "sex=male;year=2019": 300, "sex=female;year=2020": 7, "sex=male;year=2020": 450, "sex=female;year=2021": 613, "sex=male;year=2021": 271} {
		values, err := register.Unpack(line)
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			if err := b.Add(values, line); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.Import(ctx, register.SourceInfo{ID: "world", Format: "ctdc", Title: "World", Citation: "Cite us", Digest: "d", ImportedAt: time.Unix(1_700_000_000, 0)}, b); err != nil {
		t.Fatal(err)
	}
	err := db.Transact(ctx, func(tx *store.Tx) error {
		return tx.Redraw(ctx, "s1", register.Draw(register.Fact{Values: []register.Value{{Variable: "sex", Code: "male"}}}, 1))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func allowed(context.Context, string) error { return nil }

func get(t *testing.T, h http.Handler, path string, into any) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if into != nil {
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func TestATableHasWhatThePageDraws(t *testing.T) {
	h, _ := door(t, allowed)
	var got registerapi.Table
	get(t, h, "/api/register/table?rows=year&cols=sex&source=world&lang=vi", &got)
	if len(got.Rows) != 3 || len(got.Cols) != 2 || *got.Total != 2341 || got.Threshold != 11 || got.Hidden != 4 {
		t.Errorf("got %+v", got)
	}
	lib, _ := forms.Load(content.FS)
	sexes, _ := lib.List("sex")
	if got.Cols[0].Label != sexes.Label("vi", "male") || got.Rows[0].Code != "2019" {
		t.Errorf("labels %v, rows %v", got.Cols, got.Rows)
	}
	if got.Source != "world" || got.Citation != "Cite us" {
		t.Errorf("source %q, citation %q", got.Source, got.Citation)
	}
	var one registerapi.Table
	get(t, h, "/api/register/table?rows=sex&source=world&lang=vi", &one)
	if len(one.Cols) != 1 || one.Cols[0] != (registerapi.Line{Code: register.Everybody, Label: "Số người"}) || *one.Cells[1][0] != 1320 {
		t.Errorf("one variable: %+v", one)
	}
}

// TestTheAnswerNeverHoldsAHiddenNumber looks for the small count, and for the
// counts hidden with it, anywhere in the bytes.
func TestTheAnswerNeverHoldsAHiddenNumber(t *testing.T) {
	h, _ := door(t, allowed)
	body := get(t, h, "/api/register/table?rows=year&cols=sex&source=world", nil).Body.Bytes()
	var shown registerapi.Table
	if err := json.Unmarshal(body, &shown); err != nil {
		t.Fatal(err)
	}
	hidden := map[string]bool{"7": true, "450": true}
	for _, line := range shown.Cells {
		for _, n := range line {
			if n != nil && *n < 11 && *n > 0 {
				t.Errorf("%d is shown", *n)
			}
		}
	}
	for number := range hidden {
		for _, word := range strings.FieldsFunc(string(body), func(r rune) bool { return r < '0' || r > '9' }) {
			if word == number {
				t.Errorf("the answer holds %s: %s", number, body)
			}
		}
	}
	if body := get(t, h, "/api/register/sources", nil).Body.String(); !strings.Contains(body, `"rows":null`) {
		t.Errorf("one own case is told: %s", body)
	}
}

func TestListsAreWhatTheChoosersShow(t *testing.T) {
	h, _ := door(t, allowed)
	var variables []registerapi.Variable
	get(t, h, "/api/register/variables?lang=vi", &variables)
	if !slices.ContainsFunc(variables, func(v registerapi.Variable) bool {
		return v.ID == "means_of_control" && v.Multi && v.List != "" && v.Label != ""
	}) {
		t.Errorf("variables %v", variables)
	}
	var sources []registerapi.Source
	get(t, h, "/api/register/sources?lang=vi", &sources)
	if len(sources) != 2 || sources[0].ID != "own" || sources[0].Label == "Own cases" || *sources[1].Rows != 2341 {
		t.Errorf("sources %+v", sources)
	}
}

func TestNobodyReadsWithoutLeaveAndEveryRouteNamesItsAction(t *testing.T) {
	var asked []string
	denied, api := door(t, func(_ context.Context, action string) error { asked = append(asked, action); return fault.Absent() })
	unwired, _ := door(t, nil)
	for path, item := range api.OpenAPI().Paths {
		if item.Get == nil || item.Get.Extensions["x-banyan-action"] != registerapi.Action {
			t.Errorf("%s names no action", path)
		}
		for _, h := range []http.Handler{denied, unwired} {
			w := get(t, h, path+"?rows=year&cols=sex", nil)
			if w.Code == http.StatusOK || bytes.Contains(w.Body.Bytes(), []byte("cells")) {
				t.Errorf("%s answered %d", path, w.Code)
			}
		}
	}
	if len(asked) != 3 || asked[0] != registerapi.Action {
		t.Errorf("asked the policy for %v", asked)
	}
}

// TestTheFrameLetsInWhoThePolicyNames goes through the real door with a user
// of each role.
func TestTheFrameLetsInWhoThePolicyNames(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{Schemas: []store.Schema{linkage.Schema(), register.Schema()}, Routes: func(w *servertest.World) {
		registerapi.Routes(w.Frame.API, registerapi.Deps{Register: open(t, w.DB), Allow: registerapi.Guarded})
	}})
	if faults := server.Check(w.Frame.API, w.Policy); len(faults) > 0 {
		t.Error(faults)
	}
	for _, role := range policy.AllRoles {
		want := http.StatusNotFound
		if slices.Contains([]string{policy.ProgrammeManager, policy.Statistician, policy.Supervisor}, role) {
			want = http.StatusOK
		}
		for _, path := range []string{"variables", "sources", "table?rows=year&cols=sex"} {
			if got := w.As(role).Call("GET", "/api/register/"+path, nil); got.Status != want {
				t.Errorf("%s as %s: %d, want %d", path, role, got.Status, want)
			}
		}
	}
	bad := w.As(policy.Statistician).Call("GET", "/api/register/table?rows=year&cols=planted", nil)
	if code, path := bad.Problem(); bad.Status != http.StatusUnprocessableEntity || code != "misuse" || path != "cols" {
		t.Errorf("a wrong variable: %d %s %s", bad.Status, code, path)
	}
	if w.Anonymous().Call("GET", "/api/register/sources", nil).Status != http.StatusUnauthorized {
		t.Error("nobody was let in")
	}
}

func TestAWrongRequestIsRefusedAndNotEchoed(t *testing.T) {
	h, _ := door(t, allowed)
	for _, query := range []string{"rows=planted&cols=sex", "rows=sex&cols=planted", "rows=sex&cols=year&source=planted",
		"cols=sex", "rows=sex&cols=sex"} {
		w := get(t, h, "/api/register/table?"+query, nil)
		if w.Code == http.StatusOK || strings.Contains(w.Body.String(), "planted") {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}
