package app

// Filling a new data folder with the invented country of package demo.

import (
	"context"
	"fmt"

	"banyan/content"
	"banyan/internal/demo"
	"banyan/internal/identity"
	"banyan/internal/journal"
)

// SignIn is a printed way in for one invented staff member.
type SignIn struct {
	Login, Password, Name, Role string
}

// InstallDemo makes the invented organisations, staff and cases. It gives the
// sign-ins to print and the number of entries. A folder that has organisations
// is refused: nothing real gets invented neighbours.
func (a *App) InstallDemo(ctx context.Context, size int, seed uint64, progress func(done, total int64)) ([]SignIn, int, error) {
	had, err := a.Identity.Organisations(ctx, "", 1)
	if err != nil {
		return nil, 0, err
	}
	if len(had) > 0 {
		return nil, 0, errNoDemo
	}
	ids, signIns, err := a.installPeople(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("making the invented staff: %w", err)
	}
	now := a.Config.Now()
	maker, err := demo.New(content.FS, a.Forms, seed, now, ids.directory())
	if err != nil {
		return nil, 0, err
	}
	clock := demo.NewClock(now)
	n, err := writeDemo(ctx, a.JournalAt(clock.Now), clock, maker, size, ids, progress)
	return signIns, n, err
}

// demoChunk is how many cases are invented before they are written, so that
// memory does not grow with the country.
const demoChunk = 100

func writeDemo(ctx context.Context, j *journal.Journal, clock *demo.Clock, maker *demo.Maker, size int, ids demoIDs, progress func(done, total int64)) (int, error) {
	entries := 0
	for from := 0; from < size; from += demoChunk {
		cases, err := maker.Cases(min(demoChunk, size-from))
		if err != nil {
			return entries, err
		}
		n, err := demo.Write(ctx, j, clock, cases, ids.org, func(done, _ int64) {
			if progress != nil {
				progress(int64(from)+done, int64(size))
			}
		})
		entries += n
		if err != nil {
			return entries, err
		}
	}
	return entries, nil
}

// demoIDs maps the invented keys to the ids that the program gave.
type demoIDs struct {
	orgs, users map[string]string
	teams       map[string]identity.Team
}

func (d demoIDs) org(key string) string { return d.orgs[key] }

func (d demoIDs) directory() demo.Directory {
	return demo.Directory{Org: d.org,
		Team: func(org, team string) string { return d.teams[org+"/"+team].ID },
		User: func(login string) string { return d.users[login] }}
}

func (a *App) installPeople(ctx context.Context) (demoIDs, []SignIn, error) {
	d := demoIDs{map[string]string{}, map[string]string{}, map[string]identity.Team{}}
	by := identity.System()
	for i, o := range demo.Organisations() {
		made, err := a.Identity.CreateOrganisation(ctx, by, identity.Organisation{Name: o.Name, Kind: o.Kind, Country: o.Country, Operator: i == 0})
		if err != nil {
			return d, nil, fmt.Errorf("%s: %w", o.Name, err)
		}
		d.orgs[o.Key] = made.ID
		for _, name := range o.Teams {
			t, err := a.Identity.CreateTeam(ctx, by, identity.Team{Org: made.ID, Name: name})
			if err != nil {
				return d, nil, fmt.Errorf("%s: %w", name, err)
			}
			d.teams[o.Key+"/"+name] = t
		}
	}
	var signIns []SignIn
	for _, p := range demo.People() {
		n := identity.NewUser{Org: d.orgs[p.Org], Team: d.teams[p.Org+"/"+p.Team].ID, Login: p.Login, Name: p.Name, Lang: p.Lang, Roles: p.Roles}
		if p.Show {
			n.Password = identity.GeneratePassword()
			signIns = append(signIns, SignIn{p.Login, n.Password, p.Name, p.Roles[0]})
		}
		u, err := a.Identity.AddUser(ctx, by, n)
		if err != nil {
			return d, nil, fmt.Errorf("%s: %w", p.Login, err)
		}
		d.users[p.Login] = u.ID
	}
	return d, signIns, a.nameSupervisors(ctx, d)
}

// nameSupervisors puts the supervisor of each team in place.
func (a *App) nameSupervisors(ctx context.Context, d demoIDs) error {
	for _, p := range demo.People() {
		t, ok := d.teams[p.Org+"/"+p.Team]
		if p.Roles[0] != "supervisor" || !ok {
			continue
		}
		t.Supervisor = d.users[p.Login]
		if _, err := a.Identity.ChangeTeam(ctx, identity.System(), t); err != nil {
			return fmt.Errorf("supervisor of %s: %w", t.Name, err)
		}
	}
	return nil
}
