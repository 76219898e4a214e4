package store_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

var taskSchema = store.Schema{Room: "drawn", FS: fstest.MapFS{
	"0001_drawn.sql": {Data: []byte("CREATE TABLE drawn (stream text NOT NULL, key text NOT NULL, due bigint NOT NULL, open boolean NOT NULL, cell bytea, PRIMARY KEY (stream, key));\n")},
}}

var taskShape = store.Table{Name: "drawn", Key: 2, Columns: []string{"stream", "key", "due", "open", "cell"}}

// TestRedrawnRowsAreThoseGivenAndNobodyElsesAreTouched draws random rows over
// whatever stands there.
func TestRedrawnRowsAreThoseGivenAndNobodyElsesAreTouched(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		if err := store.Migrate(ctx, db, taskSchema); err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			streams := []string{"one", "other"}
			draw := func(stream string) map[string]string {
				rows := store.Rows{Table: taskShape}
				want := map[string]string{}
				for range rapid.IntRange(0, 4).Draw(t, "rows") {
					key := rapid.SampledFrom([]string{"a", "b", "c", "ក"}).Draw(t, "key")
					due, open := rapid.IntRange(0, 2).Draw(t, "due"), rapid.Bool().Draw(t, "open")
					cell := []byte(rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "cell"))
					if rapid.Bool().Draw(t, "no cell") {
						cell = nil
					}
					rows.Rows = append(rows.Rows, []any{key, due, open, cell})
					want[key] = fmt.Sprint(due, open, cell == nil, bytes.Clone(cell))
				}
				if err := db.Transact(ctx, func(tx *store.Tx) error { return tx.Redraw(ctx, stream, rows) }); err != nil {
					t.Fatal(err)
				}
				return want
			}
			other := draw(streams[1])
			draw(streams[0])
			want := draw(streams[0])
			if got := drawn(t, db, streams[0]); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("drawn %v, want %v", got, want)
			}
			if got := drawn(t, db, streams[1]); fmt.Sprint(got) != fmt.Sprint(other) {
				t.Fatalf("the other stream's rows became %v, were %v", got, other)
			}
		})
	})
}

func drawn(t *rapid.T, db *store.DB, stream string) map[string]string {
	rows, err := db.Query(context.Background(), `SELECT key, due, open, cell FROM drawn WHERE stream = $1`, stream)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var key string
		var due int
		var open bool
		var cell []byte
		if err := rows.Scan(&key, &due, &open, &cell); err != nil {
			t.Fatal(err)
		}
		out[key] = fmt.Sprint(due, open, cell == nil, cell)
	}
	return out
}

// heads and their tails: a row a stream, and rows that follow from it.
var (
	headShape = store.Table{Name: "head", Key: 1, Columns: []string{"stream", "title"}}
	tailShape = store.Table{Name: "tail", Key: 2, Columns: []string{"stream", "word"}, Behind: "head"}
	headTable = store.Schema{Room: "head", FS: fstest.MapFS{"0001_head.sql": {Data: []byte("CREATE TABLE head (stream text PRIMARY KEY, title text NOT NULL);\nCREATE TABLE tail (stream text NOT NULL, word text NOT NULL, PRIMARY KEY (stream, word));\n")}}}
)

// TestRowsReadAheadAreDrawnOver draws random rows over what was read before the
// transaction, into tables of one row and of several, and behind another.
func TestRowsReadAheadAreDrawnOver(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		if err := store.Migrate(ctx, db, taskSchema, headTable); err != nil {
			t.Fatal(err)
		}
		shapes := []store.Table{headShape, tailShape, taskShape}
		known := store.NothingDrawn(shapes)
		rapid.Check(t, func(t *rapid.T) {
			title := rapid.SampledFrom([]string{"", "a", "b", "a b"}).Draw(t, "title")
			want := []store.Rows{{Table: headShape}, {Table: tailShape}, {Table: taskShape}}
			for _, word := range strings.Fields(title) {
				want[1].Rows = append(want[1].Rows, []any{word})
			}
			if title != "" {
				want[0].Rows = [][]any{{title}}
			}
			for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"x", "y"}), rapid.ID).Draw(t, "keys") {
				want[2].Rows = append(want[2].Rows, []any{key, rapid.IntRange(0, 1).Draw(t, "due"), true, nil})
			}
			if err := db.Transact(ctx, func(tx *store.Tx) error { return tx.RedrawOver(ctx, "s", *known, want...) }); err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				var n int
				if err := db.QueryRow(ctx, `SELECT count(*) FROM `+w.Table.Name+` WHERE stream = 's'`).Scan(&n); err != nil || n != len(w.Rows) {
					t.Fatalf("%s has %d rows, not %d (%v)", w.Table.Name, n, len(w.Rows), err)
				}
			}
			var got string
			if err := db.QueryRow(ctx, `SELECT coalesce(max(title), '') FROM head WHERE stream = 's'`).Scan(&got); err != nil || got != title {
				t.Fatalf("title %q, not %q (%v)", got, title, err)
			}
			stands, err := store.ReadDrawn(ctx, db, "s", shapes)
			if err != nil {
				t.Fatal(err)
			}
			known = &stands
		})
	})
}

func TestNothingIsDrawnOverATableThatWasNotRead(t *testing.T) {
	db := storetest.SQLite(t)
	ctx := context.Background()
	if err := store.Migrate(ctx, db, taskSchema); err != nil {
		t.Fatal(err)
	}
	err := db.Transact(ctx, func(tx *store.Tx) error { return tx.RedrawOver(ctx, "s", store.Drawn{}, store.Rows{Table: taskShape}) })
	if err == nil || !strings.Contains(err.Error(), "was not read") {
		t.Fatalf("got %v", err)
	}
}

// TestFreshRowsOfManyStreamsAreAllThere has more rows than go into one statement.
func TestFreshRowsOfManyStreamsAreAllThere(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		if err := store.Migrate(ctx, db, headTable); err != nil {
			t.Fatal(err)
		}
		var fresh store.Fresh
		for i := range 1237 {
			if err := fresh.Add(fmt.Sprint(i), store.Rows{Table: headShape, Rows: [][]any{{fmt.Sprint("title ", i)}}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Transact(ctx, func(tx *store.Tx) error { return fresh.Write(ctx, tx) }); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRow(ctx, `SELECT count(*) FROM head WHERE title = 'title ' || stream`).Scan(&n); err != nil || n != 1237 {
			t.Fatalf("%d rows are as they were given, of 1237 (%v)", n, err)
		}
	})
}

func TestARowOfTheWrongWidthIsRefused(t *testing.T) {
	db := storetest.SQLite(t)
	ctx := context.Background()
	if err := store.Migrate(ctx, db, taskSchema); err != nil {
		t.Fatal(err)
	}
	err := db.Transact(ctx, func(tx *store.Tx) error {
		return tx.Redraw(ctx, "s", store.Rows{Table: taskShape, Rows: [][]any{{"a", 1}}})
	})
	if err == nil || !strings.Contains(err.Error(), "drawn has 2 values, not 4") {
		t.Fatalf("got %v", err)
	}
}
