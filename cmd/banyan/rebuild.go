package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"banyan/internal/app"
)

const rebuildUsage = `
banyan rebuild [--data DIR]

Draws every list, task, clock, search and count anew from the journal. Nothing
is lost by it; use it after a restore, or when a table looks wrong.`

func runRebuild(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("rebuild", rebuildUsage, errOut)
	cfg := dataFlags(f)
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	cfg.Undrawn = true
	a, err := app.Open(ctx, *cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	return rebuild(ctx, a, out, errOut)
}

func rebuild(ctx context.Context, a *app.App, out, errOut io.Writer) error {
	began := time.Now()
	entries, err := a.Rebuild(ctx, progressLine(errOut, "rebuilding, streams"))
	if err != nil {
		return err
	}
	seconds := time.Since(began).Seconds()
	fmt.Fprintf(out, "rebuilt from %d entries; %.1f s, %.0f entries/s\n", entries, seconds, float64(entries)/seconds)
	return nil
}
