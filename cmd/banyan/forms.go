package main

// banyan forms: what practitioners wrote as forms and code lists, checked
// before anybody meets it.

import (
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"

	"banyan/internal/forms"
)

func formsCommand() command {
	return command{
		name:  "forms",
		short: "check forms, code lists and translations",
		run:   runForms,
	}
}

const formsUsage = `Usage: banyan forms check [--dir DIR]

Reads every form, code list and catalogue of a content folder and names each
fault by file, line and field. The last line counts what was read; the exit
code is 2 when there is a fault.

  --dir DIR   the content folder (default: content, in the folder you are in)

Example:
  banyan forms check --dir content
`

func runForms(_ context.Context, args []string, out, errOut io.Writer) error {
	if len(args) == 0 || args[0] != "check" {
		fmt.Fprint(errOut, formsUsage)
		return misuse("say what to do: banyan forms check")
	}
	flags := flag.NewFlagSet("forms check", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dir := flags.String("dir", "content", "")
	if err := flags.Parse(args[1:]); err != nil || flags.NArg() > 0 {
		fmt.Fprint(errOut, formsUsage)
		if err == flag.ErrHelp {
			return nil
		}
		return misuse("forms check takes only --dir DIR")
	}
	if info, err := os.Stat(*dir); err != nil || !info.IsDir() {
		return misuse("%s is no folder: give the content folder with --dir", *dir)
	}
	return checkForms(os.DirFS(*dir), out)
}

// checkForms prints faults, how far each language is, and the count.
func checkForms(fsys fs.FS, out io.Writer) error {
	library, faults := forms.Load(fsys)
	for _, f := range faults {
		fmt.Fprintln(out, f)
	}
	for _, l := range library.Languages() {
		if l.Code != forms.English {
			fmt.Fprintf(out, "%s: %d of %d texts, %s\n", l.Code, l.Translated, l.Texts, l.Status)
		}
	}
	fmt.Fprintln(out, forms.Summary(library, faults))
	if len(faults) > 0 {
		return misuse("%d faults in the content", len(faults))
	}
	return nil
}
