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
				rows := store.Rows{Table: "drawn", Key: 2, Columns: []string{"stream", "key", "due", "open", "cell"}}
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

func TestARowOfTheWrongWidthIsRefused(t *testing.T) {
	db := storetest.SQLite(t)
	ctx := context.Background()
	if err := store.Migrate(ctx, db, taskSchema); err != nil {
		t.Fatal(err)
	}
	err := db.Transact(ctx, func(tx *store.Tx) error {
		return tx.Redraw(ctx, "s", store.Rows{Table: "drawn", Key: 2, Columns: []string{"stream", "key", "due", "open", "cell"}, Rows: [][]any{{"a", 1}}})
	})
	if err == nil || !strings.Contains(err.Error(), "drawn has 2 values, not 4") {
		t.Fatalf("got %v", err)
	}
}
