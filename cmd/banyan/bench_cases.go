// The command banyan bench --cases: the program with an invented country of
// any size, against its published targets.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"banyan/internal/app"
	"banyan/internal/bench"
	"banyan/internal/store"
)

const benchCasesUsage = `
banyan bench --cases N [--seed 1] [--engine sqlite|postgres] [--in DIR] [--keep DIR]

Fills a temporary data folder with N invented cases, measures what people and
operators wait for, prints one table with the targets beside, and removes what
it made. --engine postgres works in schemas of its own in the databases that
--database and --keyring name. --keep names a data folder that stays, on
PostgreSQL with the schemas: made by the first run, measured again by the next
ones (which write some notes more into it). --cpuprofile writes a profile of the whole run.

Example:
  banyan bench --cases 2000
  banyan bench --cases 100000 --in /srv/scratch`

// benchOptions are the flags of bench --cases.
type benchOptions struct {
	cases             int
	keep              string
	seed              uint64
	engine, in        string
	database, keyring string
	noProgram         bool
	cpuProfile        string
}

func runBenchCases(ctx context.Context, args []string, out, errOut io.Writer) error {
	var o benchOptions
	f := newFlags("bench", benchCasesUsage, errOut)
	f.IntVar(&o.cases, "cases", 0, "number of invented cases")
	f.Uint64Var(&o.seed, "seed", 1, "the same seed on the same day gives the same country")
	f.StringVar(&o.engine, "engine", "sqlite", "sqlite or postgres")
	f.StringVar(&o.in, "in", "", "folder for the temporary data; default: the system's")
	f.StringVar(&o.keep, "keep", "", "data folder to make once, measure and keep; on PostgreSQL with two schemas named after it")
	f.StringVar(&o.database, "database", env("BANYAN_DATABASE", ""), "PostgreSQL connection words (BANYAN_DATABASE)")
	f.StringVar(&o.keyring, "keyring", env("BANYAN_KEYRING", ""), "PostgreSQL connection words of the keyring (BANYAN_KEYRING)")
	f.BoolVar(&o.noProgram, "no-program", false, "leave out starting the program itself")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "write a processor profile to this file")
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	if o.cases < 10 || o.cases > 1_000_000 {
		return misuse("--cases must lie between 10 and 1000000")
	}
	if o.engine != string(store.SQLite) && o.engine != string(store.Postgres) {
		return misuse("--engine is sqlite or postgres, not %q", o.engine)
	}
	if o.engine == string(store.Postgres) && (o.database == "" || o.keyring == "") {
		return misuse("--engine postgres needs --database and --keyring")
	}
	stop, err := startProfile(o.cpuProfile)
	if err != nil {
		return err
	}
	defer stop()
	return benchCases(ctx, o, out, errOut)
}

func benchCases(ctx context.Context, o benchOptions, out, errOut io.Writer) (err error) {
	dir, err := os.MkdirTemp(o.in, "banyan-bench-")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	data := filepath.Join(dir, "data")
	if o.keep != "" {
		data = o.keep
	}
	cfg := app.Config{Data: data, Create: true}
	measured := bench.Config{Cases: o.cases, Seed: o.seed, Scratch: dir, CPU: cpuSeconds, Log: errOut,
		Open: func(ctx context.Context) (*app.App, error) { return app.Open(ctx, cfg) },
		Size: func() (int64, error) { return folderSize(data) }}
	if o.engine == string(store.Postgres) {
		var drop func() error
		schema := schemaName(filepath.Base(dir))
		if o.keep != "" {
			schema = schemaName("bench_" + filepath.Base(o.keep))
		}
		if cfg.Database, cfg.Keyring, drop, err = ownSchemas(ctx, o.database, o.keyring, schema); err != nil {
			return err
		}
		if o.keep == "" {
			defer func() { err = errors.Join(err, drop()) }()
		}
		measured.Size = nil
	}
	if !o.noProgram {
		if measured.Program, err = os.Executable(); err != nil {
			return err
		}
	}
	report, err := bench.Run(ctx, measured)
	if err != nil {
		return err
	}
	return report.Write(out)
}

func folderSize(dir string) (int64, error) {
	var total int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}

// schemaName makes a text a name that needs no quotes.
func schemaName(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(text))
}

// ownSchemas makes a schema in each database and gives the connection words that work in it, and what removes both again.
func ownSchemas(ctx context.Context, database, keyring, schema string) (inDatabase, inKeyring string, drop func() error, err error) {
	names := []string{schema, schema + "_keys"}
	for i, dsn := range []string{database, keyring} {
		if err := execOn(ctx, dsn, "CREATE SCHEMA IF NOT EXISTS "+names[i]); err != nil {
			return "", "", nil, fmt.Errorf("making a schema: %w", err)
		}
	}
	drop = func() error {
		var errs error
		for i, dsn := range []string{database, keyring} {
			errs = errors.Join(errs, execOn(context.WithoutCancel(ctx), dsn, "DROP SCHEMA "+names[i]+" CASCADE"))
		}
		return errs
	}
	return withSchema(database, names[0]), withSchema(keyring, names[1]), drop, nil
}

func execOn(ctx context.Context, dsn, statement string) error {
	db, err := store.OpenPostgres(ctx, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(ctx, statement)
	return err
}

// withSchema adds the search path to connection words, a URL or key=value.
func withSchema(dsn, schema string) string {
	if !strings.Contains(dsn, "://") {
		return dsn + " search_path=" + schema
	}
	if strings.Contains(dsn, "?") {
		return dsn + "&search_path=" + schema
	}
	return dsn + "?search_path=" + schema
}
