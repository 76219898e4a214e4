// The command banyan register: bringing nameless facts of others into the
// register, taking the table out, and letting a source go. An import is whole
// or not at all, and a faulty file is told line by line.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"banyan/content"
	"banyan/internal/app"
	"banyan/internal/exchange/ctdc"
	"banyan/internal/register"
)

const registerUsage = `Usage: banyan register VERB [flags]

  import FILE     put a table of nameless facts beside the own ones (--format ctdc; .csv, .csv.gz or .csv.xz)
  export          write the table of facts (--format csv)
  sources         list where the facts come from
  forget SOURCE   remove an imported source with all its rows

banyan register VERB -h explains one verb. Exit codes: 0 done, 1 failed, 2 misused or bad input.
`

const registerImportUsage = `
banyan register import --format ctdc FILE [--as NAME] [--data DIR]

Reads the Global Dataset of the Counter-Trafficking Data Collaborative. Every
row is checked first; a file with a fault is refused with all its lines, and
nothing of it is kept. May run while the program serves.

Example:
  banyan register import --format ctdc ctdc_global_synthetic_2021.csv.xz`

const registerExportUsage = `
banyan register export --format csv [--out FILE] [--source NAME,NAME] [--dictionary FILE] [--data DIR]

Writes one line a person: codes only, several codes in one cell parted by ";".
The file is microdata. It has no names, and it is not safe to publish: what may
leave the house is made by banyan release.

Example:
  banyan register export --format csv --source own --out facts.csv --dictionary columns.csv`

const registerSourcesUsage = `
banyan register sources [--json] [--data DIR]

Lists the sources of the register.`

const registerForgetUsage = `
banyan register forget SOURCE [--data DIR]

Removes an imported source with all its rows. The own facts cannot be removed
here: they are drawn from the cases.`

func registerCommand() command {
	return command{"register", "bring nameless facts in, take the table out", runRegister}
}

func runRegister(ctx context.Context, args []string, out, errOut io.Writer) error {
	verbs := map[string]func(context.Context, []string, io.Writer, io.Writer) error{
		"import": registerImport, "export": registerExport, "sources": registerSources, "forget": registerForget,
	}
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		fmt.Fprint(out, registerUsage)
		return nil
	}
	verb, ok := verbs[args[0]]
	if !ok {
		return misuse("there is no verb %q\n\n%s", args[0], registerUsage)
	}
	if err := verb(ctx, args[1:], out, errOut); !errors.Is(err, errHelp) {
		return err
	}
	return nil
}

func registerImport(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("register import", registerImportUsage, errOut)
	cfg := dataFlags(f)
	format := f.String("format", "", "format of the file: ctdc")
	as := f.String("as", "ctdc", "name of the source in the register")
	operands, err := parse(f, args, 1)
	if err != nil {
		return err
	}
	if *format != ctdc.Format {
		return misuse("--format %q cannot be read; ctdc can", *format)
	}
	file, err := os.Open(operands[0])
	if err != nil {
		return misuse("%v", err)
	}
	defer file.Close()
	return withRegister(ctx, cfg, func(r *register.Register) error {
		return importCTDC(ctx, r, file, *as, time.Now, out, errOut)
	})
}

// importCTDC reads file to its end, and puts it into the register if no row is
// at fault.
func importCTDC(ctx context.Context, r *register.Register, file io.Reader, as string, now func() time.Time, out, errOut io.Writer) error {
	began := now()
	batch := r.NewBatch(ctdc.Extra)
	show := rowsLine(errOut, began, now)
	read, err := ctdc.Read(ctx, file, r.Definition(), batch.Add, func(rows int64) { show(rows, false) })
	if err != nil {
		return importFault(err)
	}
	show(read.Rows, true)
	info := register.SourceInfo{ID: as, Format: ctdc.Format, Title: ctdc.Title, Citation: ctdc.Citation,
		Digest: read.Digest, ImportedAt: now(), Extra: ctdc.Extra}
	if err := r.Import(ctx, info, batch); err != nil {
		return importFault(err)
	}
	seconds := now().Sub(began).Seconds()
	fmt.Fprintf(out, "imported %d rows as source %s; %.1f s, %.0f rows/s\n", read.Rows, as, seconds, float64(read.Rows)/max(seconds, 1e-3))
	if len(read.Untaken) > 0 {
		fmt.Fprintf(out, "kept as they stood, because the register has no variable for them: %s\n", strings.Join(read.Untaken, ", "))
	}
	fmt.Fprintf(out, "to be cited as: %s\n", ctdc.Citation)
	return nil
}

// importFault tells the caller's faults from ours.
func importFault(err error) error {
	var faults *ctdc.FaultsError
	var format *ctdc.FormatError
	var already *register.AlreadyError
	var taken *register.NameTakenError
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("called off; nothing was imported")
	case errors.As(err, &faults), errors.As(err, &format), errors.As(err, &already), errors.As(err, &taken), errors.Is(err, register.ErrBadName):
		return misuseError{err}
	}
	return err
}

// rowsLine shows how many rows were read and how fast, at most twice a second.
func rowsLine(errOut io.Writer, began time.Time, now func() time.Time) func(rows int64, last bool) {
	var shown time.Time
	return func(rows int64, last bool) {
		at := now()
		if at.Sub(shown) < 500*time.Millisecond && !last {
			return
		}
		shown = at
		seconds := at.Sub(began).Seconds()
		fmt.Fprintf(errOut, "\rreading: %d rows, %.1f s, %.0f rows/s", rows, seconds, float64(rows)/max(seconds, 1e-3))
		if last {
			fmt.Fprintln(errOut)
		}
	}
}

func registerExport(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("register export", registerExportUsage, errOut)
	cfg := dataFlags(f)
	format := f.String("format", "csv", "format of the table: csv")
	to := f.String("out", "", "file to write; default: standard output")
	dictionary := f.String("dictionary", "", "also write what each column and code means to this file")
	only := f.String("source", "", "sources, parted by commas; default: all")
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	if *format != "csv" {
		return misuse("--format %q cannot be written; csv can", *format)
	}
	return withRegister(ctx, cfg, func(r *register.Register) error {
		var rows int64
		err := writeWhole(*to, out, func(w io.Writer) (err error) {
			rows, err = r.ExportCSV(ctx, w, splitList(*only))
			return err
		})
		if errors.Is(err, register.ErrNoSource) {
			return misuseError{err}
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(errOut, "%d rows; not for publication (banyan release makes what may be published)\n", rows)
		if *dictionary == "" {
			return nil
		}
		return writeWhole(*dictionary, out, func(w io.Writer) error { return r.WriteDictionary(ctx, w) })
	})
}

// writeWhole lets fn write a file that appears whole or not at all, readable
// by its owner; without a path fn writes to out.
func writeWhole(path string, out io.Writer, fn func(io.Writer) error) error {
	if path == "" {
		return fn(out)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".banyan-*")
	if err != nil {
		return misuse("%v", err)
	}
	err = fn(tmp)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

func registerSources(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("register sources", registerSourcesUsage, errOut)
	cfg := dataFlags(f)
	asJSON := f.Bool("json", false, "for machines")
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	return withRegister(ctx, cfg, func(r *register.Register) error {
		all, err := r.Sources(ctx)
		if err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(out).Encode(all)
		}
		w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "SOURCE\tROWS\tIMPORTED\tTITLE")
		for _, s := range all {
			at := "-"
			if !s.ImportedAt.IsZero() {
				at = s.ImportedAt.UTC().Format("2006-01-02 15:04")
			}
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", s.ID, s.Rows, at, s.Title)
		}
		return w.Flush()
	})
}

func registerForget(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("register forget", registerForgetUsage, errOut)
	cfg := dataFlags(f)
	operands, err := parse(f, args, 1)
	if err != nil {
		return err
	}
	return withRegister(ctx, cfg, func(r *register.Register) error {
		rows, err := r.Forget(ctx, operands[0])
		if errors.Is(err, register.ErrNoSource) || errors.Is(err, register.ErrOwn) {
			return misuseError{err}
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "forgot source %s: %d rows\n", operands[0], rows)
		return nil
	})
}

// withRegister opens the data folder's register. It may stand beside a serving
// process: every verb here is one short transaction.
func withRegister(ctx context.Context, cfg *app.Config, fn func(*register.Register) error) error {
	def, err := register.Load(content.FS)
	if err != nil {
		return err
	}
	cfg.Alongside = true
	rec, err := app.OpenRecord(ctx, *cfg)
	if err != nil {
		return err
	}
	defer rec.Close()
	if err := rec.MustBeDrawn(ctx); err != nil {
		return err
	}
	r, err := register.New(rec.DB, def, 0)
	if err != nil {
		return err
	}
	return fn(r)
}
