package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"banyan/internal/app"
)

const serveUsage = `
banyan serve [--data DIR] [--addr HOST:PORT] [--new]

Serves the staff app and the API. With --new it makes the data folder, the
master key and a first administrator, whose invitation it prints.

Put it behind a proxy that speaks TLS and say so with --secure (or an https
--origin): cookies then travel only by TLS. Name the proxy with --proxy, and let
it set X-Forwarded-For. Single sign-on (OpenID Connect) needs --origin, an issuer and
a client; register <origin>/api/sign-in/oidc/callback with the issuer.

Examples:
  banyan serve --new --data /srv/banyan --key-file /etc/banyan/master.key
  banyan serve --data /srv/banyan --addr 127.0.0.1:8080 --secure --proxy 127.0.0.1`

func runServe(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("serve", serveUsage, errOut)
	cfg := dataFlags(f)
	addr := f.String("addr", env("BANYAN_ADDR", "127.0.0.1:8080"), "address to listen on (BANYAN_ADDR)")
	secure := f.Bool("secure", false, "browsers reach this server by TLS; an --origin that begins with https says so too")
	proxy := f.String("proxy", env("BANYAN_PROXY", ""), "addresses or networks of the proxies in front, parted by commas: they are believed in X-Forwarded-For; without it all users count as one address when sign-ins fail (BANYAN_PROXY)")
	origin := f.String("origin", env("BANYAN_ORIGIN", ""), "address in the browser, such as https://banyan.example.org: passkeys need it (BANYAN_ORIGIN)")
	signOn := signOnFlags(f)
	fresh := f.Bool("new", false, "make a new data folder with a first administrator")
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	cfg.Create, cfg.Identity.Origin = *fresh, *origin
	proxies, err := proxiesOf(*proxy)
	if err != nil {
		return err
	}
	if cfg.Identity.OIDC, err = signOn(*origin); err != nil {
		return err
	}
	a, err := app.Open(ctx, *cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	if *fresh {
		token, err := a.FirstAdministrator(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "First administrator: open the app and accept this invitation, good for 7 days:\n  http://%s/#/invitation/%s\n", *addr, token)
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	fmt.Fprintf(out, "Banyan serves on http://%s\n", l.Addr())
	return a.Serve(ctx, l, app.ServeConfig{Log: slog.New(slog.NewJSONHandler(errOut, nil)), Secure: *secure || strings.HasPrefix(*origin, "https://"), Proxies: proxies, Demo: isDemo(cfg.Data)})
}

const demoUsage = `
banyan demo [--data DIR] [--size 500] [--seed 1] [--addr HOST:PORT]

Serves an invented country: organisations, staff, and cases in every stage.
Nobody in it is real. The first start makes the data folder and prints whom to
sign in as; later starts keep what is there and print the same.

Example:
  banyan demo --size 50 --addr 127.0.0.1:9000`

// demoNote stands in a demonstration's data folder: the sign-ins, so that a
// second start can print them. Its presence marks the folder as invented.
type demoNote struct {
	SignIns []app.SignIn `json:"sign_ins"`
	Size    int          `json:"size"`
	Seed    uint64       `json:"seed"`
}

func demoFile(data string) string { return filepath.Join(data, "demo.json") }

func isDemo(data string) bool {
	_, err := os.Stat(demoFile(data))
	return err == nil
}

func runDemo(ctx context.Context, args []string, out, errOut io.Writer) error {
	began := time.Now()
	f := newFlags("demo", demoUsage, errOut)
	cfg := dataFlags(f)
	addr := f.String("addr", env("BANYAN_ADDR", "127.0.0.1:8080"), "address to listen on (BANYAN_ADDR)")
	size := f.Int("size", 500, "number of invented cases")
	seed := f.Uint64("seed", 1, "the same seed on the same day gives the same country")
	if _, err := parse(f, args, 0); err != nil {
		return err
	}
	if *size < 0 || *size > 200_000 {
		return misuse("--size must lie between 0 and 200000")
	}
	l, err := net.Listen("tcp", *addr) // before anything is made
	if err != nil {
		return misuse("listening on %s: %v; choose another address with --addr", *addr, err)
	}
	defer l.Close()
	cfg.Create = true
	a, err := app.Open(ctx, *cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	n, err := readDemo(cfg.Data)
	if errors.Is(err, os.ErrNotExist) {
		// Inventing makes much that is forgotten at once: collecting it seldom
		// makes the first start shorter. What it needed, serving does not.
		usual := debug.SetGCPercent(400)
		n, err = makeDemo(ctx, a, cfg.Data, *size, *seed, errOut)
		debug.SetGCPercent(usual)
		debug.FreeOSMemory()
	}
	if err != nil {
		return err
	}
	printDemo(out, l.Addr().String(), n, time.Since(began))
	return a.Serve(ctx, l, app.ServeConfig{Log: slog.New(slog.NewJSONHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn})), Demo: true})
}

func readDemo(data string) (demoNote, error) {
	text, err := os.ReadFile(demoFile(data))
	if err != nil {
		return demoNote{}, err
	}
	var n demoNote
	if err := json.Unmarshal(text, &n); err != nil {
		return demoNote{}, fmt.Errorf("reading the demo's sign-ins: %w", err)
	}
	return n, nil
}

func makeDemo(ctx context.Context, a *app.App, data string, size int, seed uint64, errOut io.Writer) (demoNote, error) {
	signIns, entries, err := a.InstallDemo(ctx, size, seed, progressLine(errOut, "inventing cases"))
	if err != nil {
		return demoNote{}, err
	}
	fmt.Fprintf(errOut, "invented %d cases with %d entries\n", size, entries)
	n := demoNote{SignIns: signIns, Size: size, Seed: seed}
	text, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return demoNote{}, err
	}
	if err := os.WriteFile(demoFile(data), text, 0o600); err != nil {
		return demoNote{}, fmt.Errorf("writing the demo's sign-ins: %w", err)
	}
	return n, nil
}

func printDemo(out io.Writer, addr string, n demoNote, took time.Duration) {
	fmt.Fprintf(out, "\nBanyan, with an invented country of %d cases. Nobody in it is real.\nOpen  http://%s  and sign in (ready in %.1f s):\n\n", n.Size, addr, took.Seconds())
	w := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	for _, s := range n.SignIns {
		fmt.Fprintf(w, "  %s\t%s\t%s, %s\n", s.Login, s.Password, s.Name, s.Role)
	}
	w.Flush()
	fmt.Fprintln(out, "\nStop with Ctrl-C. The data stays; a second start goes on with it.")
}
