package app_test

import (
	"context"
	"path/filepath"
	"testing"

	"banyan/internal/app"
)

// TestAFolderDrawnByOtherRulesIsDrawnAnewOnce: a case worker who opens Banyan
// after it was brought up to date must not miss a task that the old rules did
// not draw.
func TestAFolderDrawnByOtherRulesIsDrawnAnewOnce(t *testing.T) {
	ctx := context.Background()
	cfg := app.Config{Data: filepath.Join(t.TempDir(), "data"), Create: true}
	a := open(t, cfg)
	if _, _, err := a.InstallDemo(ctx, 3, 1, nil); err != nil {
		t.Fatal(err)
	}
	lists := func(a *app.App) (n int) {
		if err := a.DB.QueryRow(ctx, `SELECT count(*) FROM case_view`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	want := lists(a)
	if _, err := a.DB.Exec(ctx, `DELETE FROM case_view`); err != nil {
		t.Fatal(err)
	}
	reopen := func() (*app.App, int) {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		told := 0
		cfg.Redrawing = func(done, total int64) { told++ }
		a = open(t, cfg)
		return a, told
	}
	if a, told := reopen(); told != 0 || lists(a) != 0 {
		t.Fatalf("the same rules drew anew: told %d times, %d cases", told, lists(a))
	}
	if err := a.Journal.NoteDrawn(ctx, "the rules of before"); err != nil {
		t.Fatal(err)
	}
	if a, told := reopen(); told == 0 || lists(a) != want {
		t.Fatalf("other rules left %d of %d cases, told %d times", lists(a), want, told)
	}
	if _, told := reopen(); told != 0 {
		t.Fatalf("it was drawn anew a second time")
	}
}
