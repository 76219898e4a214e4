package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

const shelfTables = `CREATE TABLE shelf (stream text PRIMARY KEY, code text NOT NULL, place text NOT NULL);
CREATE UNIQUE INDEX shelf_code ON shelf (code);
CREATE INDEX shelf_place ON shelf (place, stream);
`

func shelf(t *testing.T, db *store.DB) {
	t.Helper()
	if err := store.Migrate(context.Background(), db, store.Schema{Room: "shelf", FS: fstest.MapFS{"0001_shelf.sql": {Data: []byte(shelfTables)}}}); err != nil {
		t.Fatal(err)
	}
}

func put(ctx context.Context, db *store.DB, stream string) error {
	return db.Transact(ctx, func(tx *store.Tx) error {
		return tx.InsertRows(ctx, "shelf", []string{"stream", "code", "place"}, [][]any{{stream, "c" + stream, "here"}})
	})
}

// indexes names the indexes of shelf that somebody wrote.
func indexes(t *testing.T, db *store.DB) []string {
	t.Helper()
	query := `SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'shelf' AND sql IS NOT NULL`
	if db.Engine() == store.Postgres {
		query = `SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'shelf' AND indexname <> 'shelf_pkey'`
	}
	rows, err := db.Query(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func rowsOnShelf(t *testing.T, db *store.DB) (n int) {
	t.Helper()
	if err := db.QueryRow(context.Background(), `SELECT count(*) FROM shelf`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

var bothIndexes = []string{"shelf_code", "shelf_place"}

func TestATableFilledAnewHasItsRowsAndItsIndexes(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		shelf(t, db)
		if err := put(ctx, db, "old"); err != nil {
			t.Fatal(err)
		}
		err := db.FillAnew(ctx, []string{"shelf"}, func() error {
			if got := indexes(t, db); !slices.Equal(got, []string{"shelf_code"}) {
				t.Errorf("while it is filled it has the indexes %v; the unique one holds a rule and stays, the other waits", got)
			}
			for i := range 20 {
				if err := put(ctx, db, fmt.Sprint(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, got := rowsOnShelf(t, db), indexes(t, db); n != 20 || !slices.Equal(got, bothIndexes) {
			t.Errorf("%d rows, indexes %v", n, got)
		}
	})
}

func TestAFillingThatFailsLeavesTheIndexes(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		shelf(t, db)
		broken := errors.New("broken")
		if err := db.FillAnew(ctx, []string{"shelf"}, func() error { return broken }); !errors.Is(err, broken) {
			t.Fatalf("got %v", err)
		}
		if got := indexes(t, db); !slices.Equal(got, bothIndexes) {
			t.Errorf("indexes %v", got)
		}
	})
}

// TestAfterAKillInTheMiddleNothingIsMissing: a program that dies while it fills
// runs nothing of what follows; a panic does the same here.
func TestAfterAKillInTheMiddleNothingIsMissing(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		shelf(t, db)
		killed := func() {
			defer func() { _ = recover() }()
			_ = db.FillAnew(ctx, []string{"shelf"}, func() error { panic("killed") })
		}
		killed()
		if got := indexes(t, db); len(got) != 1 {
			t.Fatalf("this test kills nothing: indexes %v", got)
		}
		killed() // and a second time
		if err := db.FillAnew(ctx, []string{"shelf"}, func() error { return put(ctx, db, "1") }); err != nil {
			t.Fatal(err)
		}
		if n, got := rowsOnShelf(t, db), indexes(t, db); n != 1 || !slices.Equal(got, bothIndexes) {
			t.Errorf("the next filling leaves %d rows, indexes %v", n, got)
		}
		killed()
		next := fstest.MapFS{"0001_shelf.sql": {Data: []byte(shelfTables)}, "0002_gone.sql": {Data: []byte("DROP INDEX shelf_place;\n")}}
		if err := store.Migrate(ctx, db, store.Schema{Room: "shelf", FS: next}); err != nil {
			t.Fatalf("a migration about an index that was set aside: %v", err)
		}
		if err := db.FillAnew(ctx, []string{"shelf"}, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got := indexes(t, db); !slices.Equal(got, []string{"shelf_code"}) {
			t.Errorf("an index that a migration dropped came back: %v", got)
		}
	})
}
