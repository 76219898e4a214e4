package app

// The rooms, put together over an opened record.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"banyan/content"
	"banyan/internal/casework"
	"banyan/internal/forms"
	"banyan/internal/identity"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/register"
	"banyan/internal/server/caseapi"
	"banyan/internal/server/contentapi"
)

// App is the whole house.
type App struct {
	*Record
	Forms    *forms.Library
	Content  *contentapi.Content
	Policy   *policy.Table
	Identity *identity.Service
	Register *register.Register
	Casework *casework.Service
	Journal  *journal.Journal

	projectors []journal.Projector
	countries  *countryBook
	namesUntil int64 // up to where other processes' names were read
}

// Open opens a data folder and everything that works on it.
func Open(ctx context.Context, cfg Config) (*App, error) {
	r, err := OpenRecord(ctx, cfg)
	if err != nil {
		return nil, err
	}
	a, err := compose(ctx, r)
	if err == nil {
		err = a.drawAsNow(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return a, nil
}

// OpenRestored restores a backup into a new data folder and opens it.
func OpenRestored(ctx context.Context, cfg Config, in string) (*App, Restored, error) {
	r, done, err := Restore(ctx, cfg, in)
	if err != nil {
		return nil, done, err
	}
	a, err := compose(ctx, r)
	if err != nil {
		return nil, done, errors.Join(err, r.Close())
	}
	return a, done, nil
}

func compose(ctx context.Context, r *Record) (*App, error) {
	a := &App{Record: r}
	for _, step := range []func(context.Context) error{a.loadContent, a.openPeople, a.openWork} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// loadContent reads forms and policy. A fault in them stops the program: a
// form that says something else than meant is worse than none.
func (a *App) loadContent(context.Context) error {
	lib, faults := forms.Load(content.FS)
	if len(faults) > 0 {
		return fmt.Errorf("content: %s (banyan forms check lists all faults)", faults[0])
	}
	table, policyFaults := policy.Load(content.FS)
	if len(policyFaults) > 0 {
		return fmt.Errorf("content: %w", policyFaults[0])
	}
	var err error
	a.Forms, a.Policy = lib, table
	a.Content, err = contentapi.Load(content.FS, lib, faults)
	return err
}

func (a *App) openPeople(context.Context) error {
	var err error
	if a.Identity, err = identity.New(a.DB, a.Vault, a.Config.Now, a.Config.Identity); err != nil {
		return err
	}
	a.countries = &countryBook{people: a.Identity, known: map[string]string{}}
	return nil
}

// openWork makes the journal with its projections and the rooms on it.
func (a *App) openWork(ctx context.Context) error {
	rules, err := casework.LoadRules(content.FS, a.Forms)
	if err != nil {
		return fmt.Errorf("content: %w", err)
	}
	definition, err := register.Load(content.FS)
	if err != nil {
		return fmt.Errorf("content: %w", err)
	}
	if err := definition.Check(register.TiersOf(a.Forms)); err != nil {
		return fmt.Errorf("content: %w", err)
	}
	cases := casework.NewProjector(rules)
	cases.LinkWith(a.Master.Derive("linkage 1"))
	facts, err := register.NewProjector(definition, a.Master.Derive("pseudonyms 1"), a.countries.of, rules.Shape)
	if err != nil {
		return err
	}
	a.projectors = []journal.Projector{cases, facts}
	a.Journal = a.JournalAt(a.Config.Now)
	a.Casework = casework.New(rules, a.Journal, a.Policy, caseapi.NewDirectory(a.Identity, a.Config.Now), cases, a.Config.Now)
	a.Register, err = register.New(a.DB, definition, 0)
	return err
}

// Projections lists the tables that can be drawn again from the journal.
func (a *App) Projections() []string {
	var out []string
	for _, p := range a.projectors {
		for _, t := range p.Tables() {
			out = append(out, t.Name)
		}
	}
	return out
}

// countryBook knows the country of each organisation, for the register. An
// organisation's country never changes.
type countryBook struct {
	people *identity.Service
	mu     sync.Mutex
	known  map[string]string
}

// of gives the country as ISO 3166-1 alpha-3, or nothing.
func (b *countryBook) of(org string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if country, ok := b.known[org]; ok {
		return country
	}
	o, err := b.people.Organisation(context.Background(), org)
	if err != nil {
		return "" // an organisation of another node: its own facts name its country
	}
	b.known[org] = o.Country
	return o.Country
}

// KeyFileOf gives the key file that a data folder names, or nothing.
func KeyFileOf(data string) string {
	text, err := os.ReadFile(filepath.Join(data, "banyan.json"))
	if err != nil {
		return ""
	}
	var n note
	if json.Unmarshal(text, &n) != nil {
		return ""
	}
	return n.KeyFile
}
