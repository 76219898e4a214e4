package backup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

// TestEveryKindOfValueComesBackFromEitherEngineToTheOther makes a table with
// every type that the program's SQL uses.
func TestEveryKindOfValueComesBackFromEitherEngineToTheOther(t *testing.T) {
	for _, way := range []string{"sqlite to postgres", "postgres to sqlite"} {
		t.Run(way, func(t *testing.T) {
			ctx := context.Background()
			from, to := storetest.SQLite(t), storetest.Postgres(t)
			if way == "postgres to sqlite" {
				from, to = to, from
			}
			for _, db := range []*store.DB{from, to} {
				if _, err := db.Exec(ctx, `CREATE TABLE thing (id text PRIMARY KEY, n bigint, f double precision, b bytea)`); err != nil {
					t.Fatal(err)
				}
			}
			rows := [][]any{{"a", int64(math.MinInt64), 1.5, []byte{0, 255}}, {"ស្រី", int64(0), -0.25, []byte{}}, {"c", nil, nil, nil}}
			for _, r := range rows {
				if _, err := from.Exec(ctx, `INSERT INTO thing (id, n, f, b) VALUES ($1, $2, $3, $4)`, r...); err != nil {
					t.Fatal(err)
				}
			}
			file, key := filepath.Join(t.TempDir(), "out"), bytes.Repeat([]byte{9}, 32)
			wrote, err := Write(ctx, from, nil, key, file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Restore(ctx, to, key, file)
			if err != nil || got.Rows != wrote.Rows || got.Rows != 3 {
				t.Fatalf("wrote %+v, restored %+v (%v)", wrote, got, err)
			}
			for _, r := range rows {
				var n *int64
				var f *float64
				var b []byte
				if err := to.QueryRow(ctx, `SELECT n, f, b FROM thing WHERE id = $1`, r[0]).Scan(&n, &f, &b); err != nil {
					t.Fatal(err)
				}
				if r[1] == nil {
					if n != nil || f != nil || b != nil {
						t.Errorf("%v: a null came back as a value", r[0])
					}
					continue
				}
				if *n != r[1] || *f != r[2] || !bytes.Equal(b, r[3].([]byte)) {
					t.Errorf("%v came back as %v %v %v", r, *n, *f, b)
				}
			}
			if _, err := Restore(ctx, to, bytes.Repeat([]byte{8}, 32), file); !errors.Is(err, ErrUnreadable) {
				t.Errorf("another key gave %v", err)
			}
		})
	}
}

// FuzzWalk: whatever stands inside a seal, reading it ends in rows or in
// ErrUnreadable.
func FuzzWalk(f *testing.F) {
	f.Add([]byte(magic + "T\x02a\x02\x02nRi\x02E\x02"))
	f.Add([]byte(magic + "E\x00"))
	f.Add([]byte("nothing"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := &reader{r: bufio.NewReader(bytes.NewReader(raw))}
		err := r.walk(func(string, []string) error { return nil }, func([]any) error { return nil })
		if err != nil && !errors.Is(err, ErrUnreadable) {
			t.Errorf("got %v", err)
		}
	})
}
