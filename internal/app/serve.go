package app

// The program as it serves: the door with all rooms' routes, and the work in
// the background.

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"banyan/internal/server"
	"banyan/internal/server/adminapi"
	"banyan/internal/server/authapi"
	"banyan/internal/server/caseapi"
	"banyan/internal/server/contentapi"
	"banyan/internal/server/registerapi"
	"banyan/internal/store"
	webapp "banyan/web/app"
)

// Version is the program's version, set when a release is built.
var Version = "dev"

// ServeConfig is what serving needs beside the app.
type ServeConfig struct {
	Log    *slog.Logger
	Secure bool // browsers come by TLS
	Demo   bool
	// Proxies are believed when they say for whom they speak.
	Proxies []netip.Prefix
}

// Door makes the whole HTTP door.
func (a *App) Door(cfg ServeConfig) (*server.Frame, error) {
	assets, err := appAssets()
	if err != nil {
		return nil, err
	}
	frame, err := server.New(server.Config{Version: Version, Identity: a.Identity, Policy: a.Policy, Log: cfg.Log,
		Clock: a.Config.Now, App: assets, Secure: cfg.Secure, Proxies: cfg.Proxies, Say: a.Casework.Say})
	if err != nil {
		return nil, err
	}
	authapi.Routes(frame, authapi.Config{Identity: a.Identity, Policy: a.Policy, Demo: cfg.Demo, Counts: a.counts})
	adminapi.Routes(frame, adminapi.Config{Identity: a.Identity, Policy: a.Policy, Relations: a.relations, Content: a.Content.State})
	contentapi.Routes(frame.API, a.Content)
	registerapi.Routes(frame.API, registerapi.Deps{Register: a.Register, Library: a.Forms, Allow: registerapi.Guarded})
	caseapi.Routes(frame, caseapi.Config{Cases: a.Casework})
	if faults := server.Check(frame.API, a.Policy); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return frame, nil
}

func appAssets() (http.Handler, error) {
	if !webapp.Built() {
		return nil, nil
	}
	return server.Assets(webapp.FS())
}

// Background keeps the record in order while the program serves: a checkpoint
// each minute in which something was written, and one at the end.
func (a *App) Background(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	others := time.NewTicker(3 * time.Second)
	defer others.Stop()
	for {
		select {
		case <-others.C:
			a.hearOthers(ctx, log)
		case <-ctx.Done():
			a.checkpoint(context.WithoutCancel(ctx), log)
			return
		case <-tick.C:
			a.checkpoint(ctx, log)
		}
	}
}

// hearOthers brings names that other processes on the same PostgreSQL wrote
// into this process's memory.
func (a *App) hearOthers(ctx context.Context, log *slog.Logger) {
	if a.DB.Engine() != store.Postgres {
		return
	}
	since, err := a.Casework.LoadNames(ctx, a.namesUntil)
	if err != nil {
		log.Error("reading names that others wrote", "error", err)
		return
	}
	a.namesUntil = since
}

func (a *App) checkpoint(ctx context.Context, log *slog.Logger) {
	if _, err := a.Journal.Checkpoint(ctx); err != nil {
		log.Error("writing a checkpoint", "error", err)
	}
}

// Serve answers on the listener until ctx ends.
func (a *App) Serve(ctx context.Context, l net.Listener, cfg ServeConfig) error {
	frame, err := a.Door(cfg)
	if err != nil {
		return err
	}
	if a.namesUntil, err = a.Casework.LoadNames(ctx, 0); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Background(ctx, cfg.Log)
	}()
	err = frame.Serve(ctx, l)
	<-done
	return err
}
