// Command banyan is the one program: it serves the staff app and the public
// pages, and does the batch jobs (forms check, verify, backup, release, scope …).
//
// Each command stands in a file of its own in this folder; this file only
// finds the command and turns its error into an exit code.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes of every command.
const (
	exitDone    = 0 // the command did what was asked
	exitFailed  = 1 // it could not, and said why on standard error
	exitMisused = 2 // flags or input were wrong; nothing was written
)

// command is one verb of the program. run reads args after the verb, writes
// results to out and progress to errOut, and returns a misuse error (see
// misuse) when the caller has to change the call or the input.
type command struct {
	name  string
	short string
	run   func(ctx context.Context, args []string, out, errOut io.Writer) error
}

// misuseError marks an error as the caller's: exit code 2.
type misuseError struct{ err error }

func (e misuseError) Error() string { return e.err.Error() }
func (e misuseError) Unwrap() error { return e.err }

// misuse says that the call or its input is wrong, in words for the caller.
func misuse(format string, args ...any) error {
	return misuseError{fmt.Errorf(format, args...)}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := keepMemory(); err != nil {
		fmt.Fprintln(os.Stderr, "warning: a crash may write keys to the disk: core dumps could not be forbidden:", err)
	}
	os.Exit(dispatch(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// dispatch runs the command that args name and gives the exit code.
func dispatch(ctx context.Context, args []string, out, errOut io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(out)
		return exitDone
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:], out, errOut)
		var bad misuseError
		switch {
		case err == nil, errors.Is(err, errHelp):
			return exitDone
		case errors.As(err, &bad):
			fmt.Fprintf(errOut, "banyan %s: %v\n", c.name, err)
			return exitMisused
		default:
			fmt.Fprintf(errOut, "banyan %s: %v\n", c.name, err)
			return exitFailed
		}
	}
	fmt.Fprintf(errOut, "banyan: there is no command %q; banyan help lists them\n", args[0])
	return exitMisused
}

func usage(out io.Writer) {
	fmt.Fprint(out, "Banyan carries a child from the first signal to a safe life.\n\nUsage: banyan COMMAND [flags]\n\n")
	for _, c := range commands {
		fmt.Fprintf(out, "  %-10s %s\n", c.name, c.short)
	}
	fmt.Fprint(out, "\nbanyan COMMAND -h explains one command.\n")
}
