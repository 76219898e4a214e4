package main

// banyan forms: what practitioners wrote, checked before anybody meets it. The
// forms, code lists and translations are checked by the forms engine; the
// other content files by the rooms that work with them.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"banyan/content"
	"banyan/internal/casework"
	"banyan/internal/forms"
	"banyan/internal/policy"
	"banyan/internal/register"
	"banyan/internal/screening"
)

const formsUsage = `Usage: banyan forms check [--dir DIR]

Reads every form, code list and translation, and where they are there the
steps and deadlines of a case, the screening instruments, the register's
variables and the policy. Names
each fault by file, line and field; the last line counts what was read. Without
--dir it checks the content that this program carries.

Example:
  banyan forms check --dir content

Exit code 2 when there is a fault.`

func formsCommand() command {
	return command{
		name:  "forms",
		short: "check forms, code lists, translations and the rules beside them",
		run:   runForms,
	}
}

func runForms(_ context.Context, args []string, out, errOut io.Writer) error {
	flags := newFlags("forms check", formsUsage, errOut)
	dir := flags.String("dir", "", "content folder (default: the content inside the program)")
	operands, err := parse(flags, args, -1)
	if errors.Is(err, errHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(operands) != 1 || operands[0] != "check" {
		return misuse("say what to do: banyan forms check; -h explains")
	}
	fsys := fs.FS(content.FS)
	if *dir != "" {
		if info, err := os.Stat(*dir); err != nil || !info.IsDir() {
			return misuse("--dir %s is no folder", *dir)
		}
		fsys = os.DirFS(*dir)
	}
	return checkForms(fsys, out)
}

// checkForms prints faults, how far each language is, and the count.
func checkForms(fsys fs.FS, out io.Writer) error {
	variables, others := checkRegister(fsys)
	library, faults := forms.Load(fsys, variables...)
	for _, f := range faults {
		fmt.Fprintln(out, f)
	}
	others = append(others, checkBeside(fsys, library, len(faults) == 0)...)
	for _, f := range others {
		fmt.Fprintln(out, f)
	}
	instruments, _ := screening.Load(fsys) // its faults are among those of the work
	for _, in := range instruments.Instruments() {
		fmt.Fprintf(out, "screening instrument %s: %d indicators, %d rules%s\n", in.ID, len(in.Codes()), len(in.Rules), statusOf(in))
	}
	for _, l := range library.Languages() {
		if l.Code != forms.English {
			fmt.Fprintf(out, "%s: %d of %d texts, %s\n", l.Code, l.Translated, l.Texts, l.Status)
		}
	}
	fmt.Fprintln(out, forms.Summary(library, len(faults)+len(others)))
	if n := len(faults) + len(others); n > 0 {
		return misuse("%d faults in the content", n)
	}
	return nil
}

// statusOf says what a reader must know of an instrument.
func statusOf(in *screening.Instrument) string {
	s := ""
	if in.InForce {
		s += ", in force"
	}
	if in.Status != "" {
		s += ", " + in.Status
	}
	return s
}

func has(fsys fs.FS, file string) bool {
	_, err := fs.Stat(fsys, file)
	return err == nil
}

// checkRegister reads the register's variables; their names are the facts
// that forms may feed.
func checkRegister(fsys fs.FS) (options []forms.Option, faults []string) {
	if !has(fsys, "register.yaml") {
		return nil, nil
	}
	d, err := register.Load(fsys)
	if err != nil {
		return nil, faultLines("register.yaml", err)
	}
	facts := map[string]bool{}
	for _, v := range d.Variables {
		facts[v.ID] = true
	}
	for _, left := range d.Left {
		facts[left] = true
	}
	return []forms.Option{forms.WithFacts(facts)}, nil
}

// checkBeside checks the files that speak of forms; those need sound forms.
func checkBeside(fsys fs.FS, library *forms.Library, sound bool) (faults []string) {
	if has(fsys, policy.File) {
		_, found := policy.Load(fsys)
		for _, f := range found {
			faults = append(faults, f.String())
		}
	}
	if !sound {
		return faults
	}
	if has(fsys, "casework.yaml") {
		if _, err := casework.LoadRules(fsys, library); err != nil {
			faults = append(faults, faultLines("casework.yaml, clocks.yaml", err)...)
		}
	}
	if d, err := register.Load(fsys); err == nil {
		faults = append(faults, faultLines("register.yaml", d.Check(tierIn(library)))...)
	}
	return faults
}

// tierIn answers for the register which tier a form's field has.
func tierIn(library *forms.Library) func(form, path string) (string, bool) {
	return func(form, path string) (string, bool) {
		f, ok := library.Form(form)
		if !ok || path == "" {
			return "", ok
		}
		// The last name may be a part of a composite answer or a row of a matrix.
		for path != "" {
			if field, ok := f.Field(path); ok {
				return string(field.Tier), true
			}
			path = path[:max(strings.LastIndexByte(path, '.'), 0)]
		}
		return "", false
	}
}

// faultLines gives each of joined errors a line of its own under the file's name.
func faultLines(file string, err error) []string {
	if err == nil {
		return nil
	}
	var lines []string
	for _, line := range strings.Split(err.Error(), "\n") {
		named := strings.HasPrefix(line, file) || strings.HasPrefix(line, screening.Dir+"/") || strings.HasPrefix(line, "labels/")
		if !named {
			line = file + ": " + line
		}
		lines = append(lines, line)
	}
	return lines
}
