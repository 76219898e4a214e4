package bench_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"banyan/internal/app"
	"banyan/internal/bench"
	"banyan/internal/store/storetest"
)

func TestTheTableHasEveryRowOnEitherEngine(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			cfg := app.Config{Data: filepath.Join(t.TempDir(), "data"), Create: true}
			if engine == "postgres" {
				cfg.Database, cfg.Keyring = storetest.PostgresDSN(t), storetest.PostgresDSN(t)
			}
			report, err := bench.Run(context.Background(), bench.Config{Cases: 20, Seed: 3, Quick: true,
				Open: func(ctx context.Context) (*app.App, error) { return app.Open(ctx, cfg) }})
			if err != nil {
				t.Fatal(err)
			}
			if report.Entries < 20*5 {
				t.Errorf("only %d entries were written", report.Entries)
			}
			var out bytes.Buffer
			if err := report.Write(&out); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"write invented entries", "bytes an entry", "open the data folder", "fill the names index", "memory of the names index",
				"case page's data, p99", "Today, p99", "find by name", "16 clients ", "16 clients, p99", "verify", "rebuild", "first start", "second start", "memory at idle", "program's size"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the table has no row %q:\n%s", want, out.String())
				}
			}
			for _, row := range report.Rows {
				if row.Measured == 0 && row.Note == "" {
					t.Errorf("%s was neither measured nor explained", row.What)
				}
			}
		})
	}
}

func TestARatioBelowOneMissesTheTarget(t *testing.T) {
	for _, c := range []struct {
		row  bench.Row
		want float64
	}{
		{bench.Row{Target: 50, Measured: 100}, 0.5},
		{bench.Row{Target: 200, Measured: 100, More: true}, 0.5},
		{bench.Row{Target: 200, Measured: 400, More: true}, 2},
		{bench.Row{Measured: 4}, 0},
		{bench.Row{Target: 4}, 0},
	} {
		if got := c.row.Ratio(); got != c.want {
			t.Errorf("the ratio of %+v is %v, not %v", c.row, got, c.want)
		}
	}
}
