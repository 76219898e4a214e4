package register_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"banyan/internal/linkage"
	"banyan/internal/register"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

var ctx = context.Background()

func oneFile(yaml string) fs.FS {
	return fstest.MapFS{"register.yaml": {Data: []byte(yaml)}}
}

func open(t testing.TB, db *store.DB) *register.Register {
	t.Helper()
	if err := store.Migrate(ctx, db, linkage.Schema(), register.Schema()); err != nil {
		t.Fatal(err)
	}
	r, err := register.New(db, definition(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var extra = []register.ExtraCode{{Variable: "sector", Code: "ctdc.other", Label: "Other work"}}

// values reads a packed line; it is a test's shorthand.
func values(t testing.TB, line string) []register.Value {
	t.Helper()
	v, err := register.Unpack(line)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// repeated is lines, each n times.
type repeated struct {
	n    int
	line string
}

func importLines(t testing.TB, r *register.Register, id, digest string, lines ...repeated) error {
	t.Helper()
	b := r.NewBatch(extra)
	for _, l := range lines {
		for range l.n {
			if err := b.Add(values(t, l.line), "raw "+l.line); err != nil {
				t.Fatal(err)
			}
		}
	}
	return r.Import(ctx, register.SourceInfo{ID: id, Format: "ctdc", Title: "T", Digest: digest, ImportedAt: time.Unix(1_700_000_000, 0), Extra: extra}, b)
}

func put(t testing.TB, db *store.DB, stream, line string, position int64) {
	t.Helper()
	err := db.Transact(ctx, func(tx *store.Tx) error {
		return tx.Redraw(ctx, stream, register.Draw(register.Fact{Person: "p-" + stream, Values: values(t, line)}, position))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// show writes a table so that a reader sees it: hidden counts as *.
func show(tab *register.Table) string {
	num := func(n *int64) string {
		if n == nil {
			return "*"
		}
		return fmt.Sprint(*n)
	}
	out := ""
	for _, l := range tab.ColLines {
		out += "\t" + l.Code
	}
	for i, l := range tab.RowLines {
		out += "\n" + l.Code
		for _, n := range tab.Cells[i] {
			out += "\t" + num(n)
		}
		out += "\t" + num(tab.RowTotals[i])
	}
	out += "\n"
	for _, n := range tab.ColTotals {
		out += "\t" + num(n)
	}
	return out + "\t" + num(tab.Total)
}

func mustTable(t testing.TB, r *register.Register, req register.TableRequest) *register.Table {
	t.Helper()
	tab, err := r.Table(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestPersonsAreCountedByAnyTwoVariables(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		err := importLines(t, r, "world", "d1",
			repeated{30, "sex=female;sector=A,T;year=2019"},
			repeated{20, "sex=male;sector=A;year=2019"},
			repeated{40, "sex=female;sector=ctdc.other;year=2020"},
			repeated{15, "year=2020"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 12 {
			put(t, db, fmt.Sprintf("s%02d", i), "sex=male;sector=T;year=2024", int64(i+1))
		}
		cases := []struct {
			name string
			req  register.TableRequest
			want string
		}{
			{"a person with two sectors is one person", register.TableRequest{Rows: "sector", Cols: "sex", Source: "world"},
				"\tmale\tfemale\t_none\nA\t20\t30\t0\t50\nT\t0\t30\t0\t30\nctdc.other\t0\t40\t0\t40\n_none\t0\t0\t15\t15\n\t20\t70\t15\t105"},
			{"own cases when no source is named", register.TableRequest{Rows: "year", Cols: "sex"}, "\tmale\n2024\t12\t12\n\t12\t12"},
			{"one variable", register.TableRequest{Rows: "sex", Source: "world"}, "\t_all\nmale\t20\t20\nfemale\t70\t70\n_none\t15\t15\n\t105\t105"},
		}
		for _, c := range cases {
			if got := show(mustTable(t, r, c.req)); got != c.want {
				t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
			}
		}
		tab := mustTable(t, r, register.TableRequest{Rows: "sector", Cols: "sex", Source: "world"})
		if tab.RowLines[2].Label != "Other work" || tab.RowLines[3].Label != "Not recorded" || tab.ColLines[1].Label == "" {
			t.Errorf("labels: %v, %v", tab.RowLines, tab.ColLines)
		}
	})
}

func TestCodesAreSaidInWords(t *testing.T) {
	db := storetest.SQLite(t)
	r := open(t, db)
	for i := range 20 {
		put(t, db, fmt.Sprint("s", i), "district_of_exploitation=VN101;status=in_service;shelter_voluntary=true;duration=61+", int64(i+1))
	}
	tab := mustTable(t, r, register.TableRequest{Rows: "district_of_exploitation", Cols: "status"})
	if row, col := tab.RowLines[0].Label, tab.ColLines[0].Label; !strings.HasSuffix(row, " (VN101)") || col != "In service" {
		t.Errorf("got %q and %q", row, col)
	}
	if label, ok := tab.Cols.CodeIn("vi", "in_service"); !ok || label != "Đang hỗ trợ" || tab.Cols.LabelIn("vi") != "Tình trạng ca" || tab.Cols.LabelIn("xx") != tab.Cols.Label {
		t.Errorf("in Vietnamese: %q, %q", label, tab.Cols.LabelIn("vi"))
	}
	tab = mustTable(t, r, register.TableRequest{Rows: "shelter_voluntary", Cols: "duration"})
	if tab.RowLines[0].Label != "Yes" || tab.ColLines[0].Label != "61 and more" {
		t.Errorf("got %v and %v", tab.RowLines, tab.ColLines)
	}
}

func TestATableFollowsEveryWriteAtOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		total := func() string { return show(mustTable(t, r, register.TableRequest{Rows: "year", Cols: "sex"})) }
		for i := range 30 {
			put(t, db, fmt.Sprintf("s%02d", i), "sex=female;year=2024", int64(i+1))
		}
		if got := total(); got != "\tfemale\n2024\t30\t30\n\t30\t30" {
			t.Fatalf("30 cases: %s", got)
		}
		for i := range 15 { // amended
			put(t, db, fmt.Sprintf("s%02d", i), "sex=male;year=2024", int64(100+i))
		}
		if got := total(); got != "\tmale\tfemale\n2024\t15\t15\t30\n\t15\t15\t30" {
			t.Fatalf("15 amended: %s", got)
		}
		for i := range 15 { // erased
			put(t, db, fmt.Sprintf("s%02d", i+15), "", 0)
		}
		if got := total(); got != "\tmale\n2024\t15\t15\n\t15\t15" {
			t.Fatalf("15 erased: %s", got)
		}
		put(t, db, "late", "sex=male;year=2024", 2) // below the newest position
		if got := total(); got != "\tmale\n2024\t16\t16\n\t16\t16" {
			t.Fatalf("one late: %s", got)
		}
		if err := importLines(t, r, "world", "d1", repeated{50, "sex=female;year=2019"}); err != nil {
			t.Fatal(err)
		}
		if got := show(mustTable(t, r, register.TableRequest{Rows: "year", Cols: "sex", Source: "world"})); got != "\tfemale\n2019\t50\t50\n\t50\t50" {
			t.Fatalf("50 imported: %s", got)
		}
		if rows, err := r.Forget(ctx, "world"); err != nil || rows != 50 {
			t.Fatalf("forgot %d, %v", rows, err)
		}
		if got := total(); got != "\tmale\n2024\t16\t16\n\t16\t16" {
			t.Fatalf("forgotten: %s", got)
		}
	})
}

func TestASourceIsImportedOnceAndLeavesWhole(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		if err := importLines(t, r, "world", "d1", repeated{20_000, "sex=female;year=2019"}); err != nil {
			t.Fatal(err)
		}
		var already *register.AlreadyError
		if err := importLines(t, r, "again", "d1", repeated{1, "sex=female"}); !errors.As(err, &already) || already.Source.ID != "world" {
			t.Errorf("the same file again: %v", err)
		}
		var taken *register.NameTakenError
		if err := importLines(t, r, "world", "d2", repeated{1, "sex=female"}); !errors.As(err, &taken) {
			t.Errorf("another file of that name: %v", err)
		}
		if err := importLines(t, r, "own", "d3", repeated{1, "sex=female"}); err == nil {
			t.Error("a source took the name of the own cases")
		}
		all, err := r.Sources(ctx)
		if err != nil || len(all) != 2 || all[0].ID != "own" || all[0].Rows != 0 || all[1].ID != "world" || all[1].Rows != 20_000 || all[1].Extra[0] != extra[0] {
			t.Errorf("sources %+v, %v", all, err)
		}
		if _, err := r.Forget(ctx, "nobody"); !errors.Is(err, register.ErrNoSource) {
			t.Errorf("forgetting an unknown source: %v", err)
		}
		if _, err := r.Forget(ctx, "own"); err == nil {
			t.Error("the own cases were forgotten")
		}
		if _, err := r.Forget(ctx, "world"); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"register_source", "register_block"} {
			var n int
			if err := db.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s has %d rows after the source was forgotten (%v)", table, n, err)
			}
		}
		if err := importLines(t, r, "world", "d1", repeated{1, "sex=female"}); err != nil {
			t.Errorf("importing after forgetting: %v", err)
		}
	})
}

func TestAnImportCalledOffLeavesNothing(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		b := r.NewBatch(nil)
		for range 10 {
			if err := b.Add(values(t, "sex=female"), ""); err != nil {
				t.Fatal(err)
			}
		}
		off, stop := context.WithCancel(ctx)
		stop()
		if err := r.Import(off, register.SourceInfo{ID: "world", Digest: "d"}, b); err == nil {
			t.Fatal("imported although called off")
		}
		all, err := r.Sources(ctx)
		if err != nil || len(all) != 1 {
			t.Errorf("sources %+v, %v", all, err)
		}
	})
}

func TestARowThatIsNoFactIsNotTaken(t *testing.T) {
	r := open(t, storetest.SQLite(t))
	b := r.NewBatch(extra)
	for _, line := range []string{"sex=Sokha", "nosuch=female", "sex=female,male", "sector=ctdc.family", "year=24", "district_of_exploitation=Poipet"} {
		if err := b.Add(values(t, line), ""); err == nil {
			t.Errorf("%s was taken", line)
		}
	}
	if err := b.Add(values(t, "sector=ctdc.other"), "a\nb"); err == nil {
		t.Error("a raw line with a break was taken")
	}
	if err := b.Add(values(t, "sector=ctdc.other,A"), ""); err != nil || b.Rows() != 1 {
		t.Errorf("a good row: %v, %d rows", err, b.Rows())
	}
}

func TestARequestThatCannotBeCountedNamesItsField(t *testing.T) {
	r := open(t, storetest.SQLite(t))
	for field, req := range map[string]register.TableRequest{
		"rows":   {Rows: "name", Cols: "sex"},
		"cols":   {Rows: "sex", Cols: "sex"},
		"source": {Rows: "sex", Cols: "year", Source: "x"},
	} {
		_, err := r.Table(ctx, req)
		var bad *register.RequestError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if _, err := register.New(nil, definition(t), 2); err == nil {
		t.Error("a threshold of 2 was taken")
	}
}
