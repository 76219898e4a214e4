package app

// The rooms, put together over an opened record.

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"banyan/internal/journal"
)

// App is the whole house.
type App struct {
	*Record
	Journal    *journal.Journal
	projectors []journal.Projector
}

// Open opens a data folder and everything that works on it.
func Open(ctx context.Context, cfg Config) (*App, error) {
	r, err := OpenRecord(ctx, cfg)
	if err != nil {
		return nil, err
	}
	a, err := compose(ctx, r)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return a, nil
}

// OpenRestored restores a backup into a new data folder and opens it.
func OpenRestored(ctx context.Context, cfg Config, in string) (*App, Restored, error) {
	r, done, err := Restore(ctx, cfg, in)
	if err != nil {
		return nil, done, err
	}
	a, err := compose(ctx, r)
	if err != nil {
		return nil, done, errors.Join(err, r.Close())
	}
	return a, done, nil
}

func compose(ctx context.Context, r *Record) (*App, error) {
	a := &App{Record: r}
	a.Journal = journal.New(r.DB, r.Vault, r.Config.Now, a.projectors...)
	return a, nil
}

// Projections lists the tables that can be drawn again from the journal.
func (a *App) Projections() []string {
	var out []string
	for _, p := range a.projectors {
		out = append(out, p.Tables()...)
	}
	return out
}

// KeyFileOf gives the key file that a data folder names, or nothing.
func KeyFileOf(data string) string {
	text, err := os.ReadFile(filepath.Join(data, "banyan.json"))
	if err != nil {
		return ""
	}
	var n note
	if json.Unmarshal(text, &n) != nil {
		return ""
	}
	return n.KeyFile
}
