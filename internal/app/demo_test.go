package app_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"banyan/internal/app"
)

func TestTheInventedCountryIsARecordLikeAnyOther(t *testing.T) {
	ctx := context.Background()
	a := open(t, app.Config{Data: filepath.Join(t.TempDir(), "data"), Create: true})
	began := time.Now()
	signIns, entries, err := a.InstallDemo(ctx, 60, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d entries in %v", entries, time.Since(began))
	if len(signIns) < 9 || entries < 600 {
		t.Errorf("got %d sign-ins and %d entries", len(signIns), entries)
	}
	if report, err := a.Journal.Verify(ctx, nil, nil); err != nil || len(report.Wrong) > 0 {
		t.Errorf("verify: %v %v", report.Wrong, err)
	}
	if _, _, err := a.InstallDemo(ctx, 1, 1, nil); err == nil {
		t.Error("a folder with organisations got invented neighbours")
	}
}
