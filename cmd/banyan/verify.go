package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"banyan/internal/app"
	"banyan/internal/journal"
)

const verifyUsage = `
banyan verify [--data DIR] [--against FILE …]

Holds the whole record against itself: every entry's hash, every stream's
chain, the Merkle root of every signed checkpoint, the copies kept with the
keys, the access log, and the administrative acts. Names the first thing that is wrong. Changes nothing,
and may run while the program serves.

Example:
  banyan verify --data banyan-data --against checkpoint-from-the-ministry.txt`

func runVerify(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("verify", verifyUsage, errOut)
	cfg := dataFlags(f)
	var against []string
	f.Func("against", "a signed checkpoint that somebody else holds (may be repeated)", func(path string) error {
		text, err := os.ReadFile(path)
		against = append(against, string(text))
		return err
	})
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	cfg.Alongside = true
	a, err := app.Open(ctx, *cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	began := time.Now()
	report, err := a.Journal.Verify(ctx, against, progressLine(errOut, "verifying"))
	if err != nil {
		return err
	}
	acts, wrongActs := a.Identity.VerifyActs(ctx)
	if wrongActs != nil {
		report.Wrong = append(report.Wrong, journal.Fault{Where: "administrative acts", What: wrongActs.Error()})
	}
	for _, w := range report.Wrong {
		fmt.Fprintf(out, "WRONG  %s\n", w)
	}
	if len(report.Wrong) > 0 {
		return errors.New("the record is not as it was written")
	}
	seconds := time.Since(began).Seconds()
	fmt.Fprintf(out, "ok: %d entries, %d heads, %d lines of the access log, %d administrative acts, %d checkpoints (newest: %d entries); %.1f s, %.0f entries/s\n",
		report.Entries, report.Streams, report.AccessLines, acts, report.Checkpoints, report.Newest.Size, seconds, float64(report.Entries)/seconds)
	return nil
}
