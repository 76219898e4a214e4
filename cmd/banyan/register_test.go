package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"banyan/internal/app"
	"banyan/internal/exchange/ctdc"
)

// folder makes a data folder and gives a runner of `banyan register` on it.
func registerIn(t *testing.T) func(args ...string) (code int, out, errOut string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	rec, err := app.OpenRecord(context.Background(), app.Config{Data: dir, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) (int, string, string) {
		var out, errOut bytes.Buffer
		code := dispatch(context.Background(), append(append([]string{"register"}, args...), "--data", dir), &out, &errOut)
		return code, out.String(), errOut.String()
	}
}

func ctdcFile(t *testing.T, rows ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(path, []byte(ctdc.Header()+"\n"+strings.Join(rows, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var commas = strings.Repeat(",", 36)

func TestATableIsImportedListedExportedAndForgotten(t *testing.T) {
	run := registerIn(t)
	file := ctdcFile(t, "2019,Female"+commas[1:], "2020,Male"+commas[1:], commas)
	code, out, errOut := run("import", "--format", "ctdc", file)
	if code != exitDone || !strings.Contains(out, "imported 3 rows as source ctdc; ") || !strings.Contains(out, "to be cited as: Counter-Trafficking") || !strings.Contains(errOut, "reading: 3 rows") {
		t.Fatalf("import: %d\n%s\n%s", code, out, errOut)
	}
	if code, _, errOut := run("import", "--format", "ctdc", "--as", "again", file); code != exitMisused || !strings.Contains(errOut, `in the register already: source "ctdc", 3 rows`) {
		t.Errorf("the same file again: %d %s", code, errOut)
	}
	if code, _, errOut := run("import", "--format", "ctdc", ctdcFile(t, "2021,"+commas[1:])); code != exitMisused || !strings.Contains(errOut, "another file is in the register") {
		t.Errorf("another file of the name: %d %s", code, errOut)
	}
	if code, out, _ := run("sources"); code != exitDone || !regexp.MustCompile(`(?m)^own +0 .*\nctdc +3 +20`).MatchString(out) {
		t.Errorf("sources: %d\n%s", code, out)
	}
	to, columns := filepath.Join(t.TempDir(), "facts.csv"), filepath.Join(t.TempDir(), "columns.csv")
	if code, _, errOut := run("export", "--format", "csv", "--source", "ctdc", "--out", to, "--dictionary", columns); code != exitDone || !strings.Contains(errOut, "3 rows; not for publication") {
		t.Errorf("export: %d %s", code, errOut)
	}
	table, err := os.ReadFile(to)
	if err != nil || !strings.HasPrefix(string(table), "source,person,year,") || strings.Count(string(table), "\n") != 4 || !strings.Contains(string(table), "ctdc,ctdc-2,2020,") {
		t.Errorf("table (%v):\n%s", err, table)
	}
	if dictionary, err := os.ReadFile(columns); err != nil || !strings.Contains(string(dictionary), "prs_Gender,gender,female,") {
		t.Errorf("dictionary (%v):\n%.300s", err, dictionary)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the table's mode is %v (%v)", info.Mode(), err)
	}
	if code, out, _ := run("forget", "ctdc"); code != exitDone || !strings.Contains(out, "forgot source ctdc: 3 rows") {
		t.Errorf("forget: %d %s", code, out)
	}
	if code, _, errOut := run("forget", "ctdc"); code != exitMisused || !strings.Contains(errOut, "no such source") {
		t.Errorf("forget twice: %d %s", code, errOut)
	}
}

func TestAFaultyTableIsToldLineByLineAndLeavesNothing(t *testing.T) {
	run := registerIn(t)
	code, out, errOut := run("import", "--format", "ctdc", ctdcFile(t, "2019,Female"+commas[1:], "x,y"+commas[1:], "2019"))
	if code != exitMisused || out != "" || !strings.Contains(errOut, "3 fault(s), nothing was imported") ||
		!strings.Contains(errOut, "line 3, column yearOfRegistration: is not a year") || !strings.Contains(errOut, "line 4: has 1 fields, not 37") {
		t.Errorf("got %d\n%s\n%s", code, out, errOut)
	}
	if _, out, _ := run("sources"); strings.Contains(out, "ctdc") {
		t.Errorf("something was imported:\n%s", out)
	}
}

func TestWrongCallsOfRegisterAreMisuse(t *testing.T) {
	run := registerIn(t)
	for name, args := range map[string][]string{
		"no such verb":   {"publish"},
		"no format":      {"import", "x.csv"},
		"no file":        {"import", "--format", "ctdc"},
		"absent file":    {"import", "--format", "ctdc", "absent.csv"},
		"bad name":       {"import", "--format", "ctdc", "--as", "Own Cases", ctdcFile(t, "2019,"+commas[1:])},
		"own name":       {"import", "--format", "ctdc", "--as", "own", ctdcFile(t, "2019,"+commas[1:])},
		"not the table":  {"import", "--format", "ctdc", os.Args[0]},
		"other format":   {"export", "--format", "xlsx"},
		"unknown source": {"export", "--source", "nobody"},
		"forget own":     {"forget", "own"},
		"unknown flag":   {"sources", "--nosuch"},
	} {
		if code, _, errOut := run(args...); code != exitMisused || errOut == "" {
			t.Errorf("%s: %d %s", name, code, errOut)
		}
	}
}
