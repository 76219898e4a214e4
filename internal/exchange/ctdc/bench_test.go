package ctdc_test

// Figures of the register at the size of one country beside the world: the
// real 193,025 rows and 107,000 own cases. They need the file and some seconds,
// so they are benchmarks: go test -bench . -run ^$ ./internal/exchange/ctdc

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"banyan/internal/exchange/ctdc"
	"banyan/internal/linkage"
	"banyan/internal/register"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

const ownCases = 107_000

func filled(b *testing.B) (*register.Register, *store.DB) {
	b.Helper()
	ctx := context.Background()
	file, err := os.Open(realFile())
	if err != nil {
		b.Skip("the CTDC file is not here (shared/data/ctdc)")
	}
	defer file.Close()
	db := storetest.SQLite(b)
	if err := store.Migrate(ctx, db, linkage.Schema(), register.Schema()); err != nil {
		b.Fatal(err)
	}
	r, err := register.New(db, definition(b), 0)
	if err != nil {
		b.Fatal(err)
	}
	batch := r.NewBatch(ctdc.Extra)
	res, err := ctdc.Read(ctx, file, r.Definition(), batch.Add, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := r.Import(ctx, register.SourceInfo{ID: "ctdc", Digest: res.Digest, Extra: ctdc.Extra}, batch); err != nil {
		b.Fatal(err)
	}
	err = db.Transact(ctx, func(tx *store.Tx) error {
		for i := range ownCases {
			if err := tx.Redraw(ctx, fmt.Sprintf("stream-%06d", i), register.Draw(ownFact(b, r.Definition(), i), int64(i+1))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return r, db
}

// ownFact has a value for every variable with a list, two where it may.
func ownFact(b *testing.B, d *register.Definition, i int) register.Fact {
	b.Helper()
	values := []register.Value{{Variable: "year", Code: fmt.Sprint(2022 + i%4)}}
	for k := range d.Variables {
		v := &d.Variables[k]
		if len(v.Codes) == 0 {
			continue
		}
		values = append(values, register.Value{Variable: v.ID, Code: v.Codes[(i*7+k)%len(v.Codes)].Code})
		if v.Multi {
			values = append(values, register.Value{Variable: v.ID, Code: v.Codes[(i*13+k)%len(v.Codes)].Code})
		}
	}
	return register.Fact{Person: fmt.Sprintf("%032d", i), Values: values}
}

func BenchmarkRegisterOf300000(b *testing.B) {
	ctx := context.Background()
	r, db := filled(b)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	if _, err := r.Table(ctx, register.TableRequest{Rows: "sex", Cols: "year"}); err != nil {
		b.Fatal(err)
	}
	first := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.Logf("first table, everything read into memory: %v, %d MB stay", first.Round(time.Millisecond), (after.HeapAlloc-before.HeapAlloc)>>20)
	position := int64(ownCases)
	for _, source := range []string{register.OwnSource, "ctdc"} {
		for _, pair := range [][2]string{{"sex", "year"}, {"means_of_control", "exploitation"}, {"citizenship", "country_of_exploitation"}, {"service", "protection_concern"}} {
			b.Run(source+" "+pair[0]+" by "+pair[1]+" after a case changed", func(b *testing.B) {
				for b.Loop() {
					position++
					if err := db.Transact(ctx, func(tx *store.Tx) error {
						return tx.Redraw(ctx, "stream-000001", register.Draw(ownFact(b, r.Definition(), 1), position))
					}); err != nil {
						b.Fatal(err)
					}
					if _, err := r.Table(ctx, register.TableRequest{Rows: pair[0], Cols: pair[1], Source: source}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
