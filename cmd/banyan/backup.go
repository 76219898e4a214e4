package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"banyan/internal/app"
)

const backupUsage = `
banyan backup OUT [--data DIR]

Writes two sealed files: OUT (the record) and OUT.keyring (the wrapped keys),
reads both back to their end, and prints what they hold. Both open only with
the master key. Keep OUT.keyring apart and for a short time: an old keyring
would undo erasures. May run while the program serves.

Example:
  banyan backup /media/stick/banyan-2026-11-22`

func runBackup(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("backup", backupUsage, errOut)
	cfg := dataFlags(f)
	operands, err := parse(f, args, 1)
	if err != nil {
		return err
	}
	cfg.Alongside = true
	a, err := app.Open(ctx, *cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	began := time.Now()
	b, err := a.Record.Backup(ctx, a.Journal, a.Projections(), operands[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d rows of %d tables, %d bytes, sealed and read back\n%s.keyring: %d rows, %d bytes, sealed and read back\ncheckpoint: %d entries, root %x; %.1f s\n",
		operands[0], b.Journal.Rows, b.Journal.Tables, b.Journal.Bytes, operands[0], b.Keyring.Rows, b.Keyring.Bytes,
		b.Checkpoint.Size, b.Checkpoint.Root[:8], time.Since(began).Seconds())
	return nil
}

const restoreUsage = `
banyan restore OUT --to DIR [--key-file FILE]

Brings a backup (OUT and OUT.keyring) into a new data folder, draws the
projections, and verifies the whole. Streams that were erased after the backup
are erased again. The key file is that of the backed-up node; its default is
the one that the folder given with --data names.

Example:
  banyan restore /media/stick/banyan-2026-11-22 --to banyan-restored`

func runRestore(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("restore", restoreUsage, errOut)
	cfg := dataFlags(f)
	to := f.String("to", "", "the new data folder")
	operands, err := parse(f, args, 1)
	if err != nil {
		return err
	}
	if *to == "" {
		return misuse("name the new data folder with --to")
	}
	if cfg.KeyFile == "" {
		cfg.KeyFile = app.KeyFileOf(cfg.Data)
	}
	cfg.Data = *to
	began := time.Now()
	a, done, err := app.OpenRestored(ctx, *cfg, operands[0])
	if err != nil {
		return err
	}
	defer a.Close()
	fmt.Fprintf(out, "restored %d rows of %d tables, %d keys; %d erased streams stay erased\n",
		done.Journal.Rows, done.Journal.Tables, done.Keyring.Rows, done.Erased)
	if err := rebuild(ctx, a, out, errOut); err != nil {
		return err
	}
	report, err := a.Journal.Verify(ctx, nil, progressLine(errOut, "verifying"))
	if err != nil {
		return err
	}
	for _, w := range report.Wrong {
		fmt.Fprintf(out, "WRONG  %s\n", w)
	}
	if len(report.Wrong) > 0 {
		return errors.New("the restored record is not as it was written")
	}
	fmt.Fprintf(out, "ok: %d entries, checkpoint of %d entries, root %x; %.1f s in all\n",
		report.Entries, report.Newest.Size, report.Newest.Root[:8], time.Since(began).Seconds())
	return nil
}
