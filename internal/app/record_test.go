package app_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"banyan/internal/app"
	"banyan/internal/backup"
	"banyan/internal/journal"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

// planted words must be found in no file that the program writes.
var planted = []string{"Plantedname", "ប្លង់នាម", "Plantedvillage", "+85512345678"}

func open(t *testing.T, cfg app.Config) *app.App {
	t.Helper()
	a, err := app.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func plant(t *testing.T, a *app.App) string {
	t.Helper()
	stream := uuid.Must(uuid.NewV7()).String()
	d := journal.Draft{ID: uuid.Must(uuid.NewV7()).String(), Stream: stream, Form: "F04_registration", FormVersion: 1,
		Act: journal.Submit, Record: "F04_registration", Author: "u1", Org: "o1", WrittenAt: time.Now(),
		Answers: map[journal.Tier]map[string]any{
			journal.Identity: {"first_name": planted[0], "other_names": []string{planted[1]}, "phone": planted[3]},
			journal.Place:    {"home": planted[2]}}}
	rs, err := a.Journal.Append(context.Background(), journal.Write{Stream: stream, Kind: "case", Org: "o1", Drafts: []journal.Draft{d}})
	if err != nil || rs[0].Status != journal.Accepted {
		t.Fatal(rs, err)
	}
	return stream
}

// name reads the planted first name of a stream; empty when it is erased.
func name(t *testing.T, a *app.App, stream string) string {
	t.Helper()
	var out string
	err := a.Journal.Read(context.Background(), journal.ReadRequest{
		Reader: journal.Reader{User: "u1", Org: "o1", Purpose: "test"}, Action: "case.open", Tiers: journal.Tiers},
		func(_ *store.Tx, o *journal.Opener) error {
			_, h, err := o.History(context.Background(), stream)
			if err == nil && len(h) > 0 {
				out, _ = h[0].Answers[journal.Identity]["first_name"].(string)
			}
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestARestoredRecordIsTheSameRecordOnEitherEngine(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			ctx := context.Background()
			dir := t.TempDir()
			a := open(t, app.Config{Data: filepath.Join(dir, "data"), Create: true})
			if _, _, err := a.InstallDemo(ctx, 2, 1, nil); err != nil { // organisations, teams and staff name each other
				t.Fatal(err)
			}
			kept := plant(t, a)
			made, err := a.Backup(ctx, a.Journal, a.Projections(), filepath.Join(dir, "out"))
			if err != nil {
				t.Fatal(err)
			}
			to := app.Config{Data: filepath.Join(dir, "again"), KeyFile: app.KeyFileOf(filepath.Join(dir, "data"))}
			if engine == "postgres" {
				to.Database, to.Keyring = storetest.PostgresDSN(t), storetest.PostgresDSN(t)
			}
			b, _, err := app.OpenRestored(ctx, to, filepath.Join(dir, "out"))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			report, err := b.Journal.Verify(ctx, []string{made.Checkpoint.Note}, nil)
			if err != nil || len(report.Wrong) != 0 || report.Newest.Root != made.Checkpoint.Root {
				t.Errorf("verify after restore: %+v %v", report, err)
			}
			if got := name(t, b, kept); got != planted[0] {
				t.Errorf("the restored name is %q", got)
			}
		})
	}
}

func TestErasedStaysErasedWhenAnOlderBackupIsRestored(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	a := open(t, app.Config{Data: filepath.Join(dir, "data"), Create: true})
	gone, kept := plant(t, a), plant(t, a)
	if _, err := a.Backup(ctx, a.Journal, a.Projections(), filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	id, err := a.Journal.AskErasure(ctx, journal.ErasureRequest{Stream: gone, Reason: "retention_ended", AskedBy: "u1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Journal.ApproveErasure(ctx, id, "u2"); err != nil {
		t.Fatal(err)
	}
	b, done, err := app.OpenRestored(ctx, app.Config{Data: filepath.Join(dir, "again"), KeyFile: app.KeyFileOf(filepath.Join(dir, "data"))}, filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if done.Erased != 1 || name(t, b, gone) != "" || name(t, b, kept) != planted[0] {
		t.Errorf("erased again: %d; the erased name reads %q, the kept one %q", done.Erased, name(t, b, gone), name(t, b, kept))
	}
}

func TestAChangedBackupIsRefusedBeforeAnythingIsMade(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	a := open(t, app.Config{Data: filepath.Join(dir, "data"), Create: true})
	plant(t, a)
	out := filepath.Join(dir, "out")
	if _, err := a.Backup(ctx, a.Journal, a.Projections(), out); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for where, spoil := range map[string]func([]byte) []byte{
		"a flipped byte at the start":  func(b []byte) []byte { b[5] ^= 1; return b },
		"a flipped byte in the middle": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"a flipped last byte":          func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"a missing end":                func(b []byte) []byte { return b[:len(b)-20] },
		"an empty file":                func(b []byte) []byte { return nil },
	} {
		if err := os.WriteFile(out, spoil(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, "again")
		_, _, err := app.OpenRestored(ctx, app.Config{Data: to, KeyFile: app.KeyFileOf(filepath.Join(dir, "data"))}, out)
		if !errors.Is(err, backup.ErrUnreadable) {
			t.Errorf("%s: got %v, want a refusal", where, err)
		}
		if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a folder was left behind", where)
		}
	}
}

func TestNoFileHoldsAPlantedWord(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	a := open(t, app.Config{Data: filepath.Join(dir, "data"), Create: true})
	plant(t, a)
	if _, err := a.Backup(ctx, a.Journal, a.Projections(), filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, word := range append(planted, "F04_registration", "SQLite format") {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%s holds %q", filepath.Base(path), word)
			}
		}
		return nil
	})
	if err != nil || files < 6 {
		t.Errorf("looked through %d files (%v), want the databases, their logs and the backups", files, err)
	}
}

func TestADataFolderServesOneProcessAndNeedsItsOwnKey(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if _, err := app.Open(ctx, app.Config{Data: data}); !errors.Is(err, app.ErrNoData) {
		t.Errorf("no folder gave %v", err)
	}
	a := open(t, app.Config{Data: data, Create: true})
	if _, err := app.Open(ctx, app.Config{Data: data}); !errors.Is(err, app.ErrInUse) {
		t.Errorf("a second process gave %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(data+".key", data+".lost"); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Open(ctx, app.Config{Data: data, Create: true}); err == nil || !strings.Contains(err.Error(), "key file") {
		t.Errorf("a missing key gave %v, want a refusal and no new key", err)
	}
}
