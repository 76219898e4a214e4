package app

// Lists, tasks and counts are drawn by rules: the program's own, and those of
// the content (forms, clocks, steps of a case, variables of the register). A
// data folder that other rules have drawn is drawn anew when it is opened, so
// that nobody works with lists of yesterday's rules.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"banyan/content"
	"banyan/internal/journal"
)

// drawnVersion is raised with every change of the program that draws other
// rows from the same history.
const drawnVersion = "3"

// drawnFrom are the parts of the content that rows are drawn from; words of a
// language, names and the policy are not.
var drawnFrom = []string{"casework.yaml", "clocks.yaml", "countries.yaml", "register.yaml", "forms/", "codelists/", "instruments/"}

// revision names the rules by which this program draws.
func revision() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, drawnVersion)
	err := fs.WalkDir(content.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !drawsRows(path) {
			return err
		}
		text, err := fs.ReadFile(content.FS, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the rules of projections: %w", err)
	}
	return drawnVersion + "-" + hex.EncodeToString(sum.Sum(nil)[:12]), nil
}

func drawsRows(path string) bool {
	for _, part := range drawnFrom {
		if path == part || strings.HasSuffix(part, "/") && strings.HasPrefix(path, part) {
			return true
		}
	}
	return false
}

// Rebuild draws every projection anew and gives the number of entries read.
func (a *App) Rebuild(ctx context.Context, progress journal.Progress) (int64, error) {
	rules, err := revision()
	if err != nil {
		return 0, err
	}
	// Killed in the middle, the program begins again when it starts.
	if err := a.Journal.NoteDrawn(ctx, ""); err != nil {
		return 0, err
	}
	n, err := a.Journal.Rebuild(ctx, progress)
	if err != nil {
		return n, err
	}
	return n, a.Journal.NoteDrawn(ctx, rules)
}

// drawAsNow draws the projections anew where other rules drew them.
func (a *App) drawAsNow(ctx context.Context) error {
	if a.Config.Alongside || a.Config.Undrawn {
		return nil
	}
	rules, err := revision()
	if err != nil {
		return err
	}
	ok, err := journal.DrawnBy(ctx, a.DB, rules)
	if err != nil {
		return err
	}
	if ok {
		return a.Journal.NoteDrawn(ctx, rules)
	}
	_, err = a.Rebuild(ctx, a.Config.Redrawing)
	return err
}

// ErrNotDrawn says that counts would be taken from a part of the cases.
var ErrNotDrawn = errors.New("lists and counts are not drawn whole: another process is drawing them now, or was ended before it had done; wait for it, or run `banyan rebuild`")

// MustBeDrawn refuses to work on lists and counts that are only partly drawn,
// or by other rules than this program's.
func (r *Record) MustBeDrawn(ctx context.Context) error {
	rules, err := revision()
	if err != nil {
		return err
	}
	ok, err := journal.DrawnBy(ctx, r.DB, rules)
	if err == nil && !ok {
		err = ErrNotDrawn
	}
	return err
}
