package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"banyan/internal/app"
)

// newFlags makes the flag set of one command; -h prints what the command does
// and its flags to errOut.
func newFlags(name, usage string, errOut io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(errOut)
	f.Usage = func() {
		fmt.Fprintln(errOut, strings.TrimSpace(usage)+"\n\nFlags:")
		f.PrintDefaults()
	}
	return f
}

// errHelp says that help was asked for and given: the command is done.
var errHelp = errors.New("help was printed")

// parse reads flags that may stand before or after the operands, and gives the
// operands. It refuses other than want of them (want < 0 takes any number).
func parse(f *flag.FlagSet, args []string, want int) ([]string, error) {
	var operands []string
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, errHelp
		} else if err != nil {
			return nil, misuse("%v", err)
		}
		if f.NArg() == 0 {
			break
		}
		operands = append(operands, f.Arg(0))
		args = f.Args()[1:]
	}
	if want >= 0 && len(operands) != want {
		return nil, misuse("it takes %d operands, not %d; -h explains", want, len(operands))
	}
	return operands, nil
}

// dataFlags adds the flags that say where the data is. Each has an
// environment variable of the same meaning.
func dataFlags(f *flag.FlagSet) *app.Config {
	cfg := &app.Config{Passphrase: passphrase(), Redrawing: progressLine(f.Output(), "drawing lists and counts anew (the rules have changed, or it was cut off), cases")}
	f.StringVar(&cfg.Data, "data", env("BANYAN_DATA", "banyan-data"), "data folder (BANYAN_DATA)")
	f.StringVar(&cfg.KeyFile, "key-file", env("BANYAN_KEY_FILE", ""), "master key file; default: the one that the data folder names (BANYAN_KEY_FILE; its passphrase in BANYAN_PASSPHRASE or the file BANYAN_PASSPHRASE_FILE)")
	f.StringVar(&cfg.Database, "database", env("BANYAN_DATABASE", ""), "PostgreSQL connection words; default: SQLite in the data folder (BANYAN_DATABASE)")
	f.StringVar(&cfg.Keyring, "keyring", env("BANYAN_KEYRING", ""), "PostgreSQL connection words of the keyring, another database (BANYAN_KEYRING)")
	return cfg
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// passphrase gives the master key's; a file that cannot be read gives none,
// and the key then says so.
func passphrase() string {
	secret, _ := secretOf("BANYAN_PASSPHRASE")
	return secret
}

// progressLine gives a function that shows how far long work is, at most
// twice a second, on one line of errOut.
func progressLine(errOut io.Writer, what string) func(done, total int64) {
	var last time.Time
	return func(done, total int64) {
		if time.Since(last) < 500*time.Millisecond && done < total {
			return
		}
		last = time.Now()
		fmt.Fprintf(errOut, "\r%s: %d of %d", what, done, total)
		if done >= total {
			fmt.Fprintln(errOut)
		}
	}
}
