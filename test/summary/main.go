// Command summary reads `go test -json` and prints what a person wants to know:
// a line a package, everything that a failing test said, the figures that tests
// measured (testing.T.Attr), and at the end the counts. It exits 1 when a test
// or a package failed, or when nothing was run at all.
//
//	go test -json ./... | go run ./test/summary
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is one line of `go test -json` (see `go doc test2json`).
type event struct {
	Action, Package, Test, Output, Key, Value string
	ImportPath                                string // of what a build says
	Elapsed                                   float64
}

func main() {
	if err := summarise(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run is what was seen so far.
type run struct {
	out                     io.Writer
	said                    map[string][]string // by package and test
	figures                 []string
	passed, failed, skipped int
	broken                  int // packages
}

var errFailed = errors.New("not all checks passed")

func summarise(in io.Reader, out io.Writer) error {
	r := &run{out: out, said: map[string][]string{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // go itself speaks
			continue
		}
		r.take(e)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading the tests' events: %w", err)
	}
	if len(r.figures) > 0 {
		fmt.Fprintf(out, "\nfigures that tests measured:\n")
		for _, f := range r.figures {
			fmt.Fprintln(out, "  "+f)
		}
	}
	fmt.Fprintf(out, "\n%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	if r.failed > 0 || r.broken > 0 || r.passed == 0 {
		return errFailed
	}
	return nil
}

func (r *run) take(e event) {
	key := e.Package + "\x00" + e.Test
	switch e.Action {
	case "output", "build-output":
		if e.Action == "build-output" {
			fmt.Fprint(r.out, e.Output)
			return
		}
		r.said[key] = append(r.said[key], e.Output)
	case "attr":
		r.figures = append(r.figures, fmt.Sprintf("%s: %s  (%s)", strings.ReplaceAll(e.Key, "-", " "), e.Value, e.Test))
	case "pass", "skip":
		r.end(e, key)
	case "fail":
		if e.Test == "" {
			r.broken++
		}
		r.end(e, key)
		fmt.Fprint(r.out, strings.Join(r.said[key], ""))
	}
}

// end counts a finished test, or prints a finished package's line.
func (r *run) end(e event, key string) {
	if e.Test == "" {
		if e.Action != "skip" { // a package without tests
			fmt.Fprintf(r.out, "%-4s  %-50s %7.1f s\n", e.Action, e.Package, e.Elapsed)
		}
		return
	}
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
	case "skip":
		r.skipped++
		fmt.Fprintf(r.out, "skip  %s: %s\n", e.Test, strings.TrimSpace(strings.Join(r.said[key], " ")))
	}
	if e.Action != "fail" {
		delete(r.said, key)
	}
}
