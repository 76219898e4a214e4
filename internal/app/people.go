package app

import (
	"context"
	"errors"
	"time"

	"banyan/internal/casework"
	"banyan/internal/identity"
	"banyan/internal/journal"
	"banyan/internal/server/adminapi"
	"banyan/internal/server/caseapi"
)

// counts is what waits for a user, for the menu.
func (a *App) counts(ctx context.Context, p identity.Principal) (today, inbox int, err error) {
	c, err := a.Casework.Counts(ctx, caseapi.Reader(p))
	return c.Today, c.Inbox, err
}

// relations says how a user stands to a case, for the page that explains the
// policy.
func (a *App) relations(ctx context.Context, org, user, record string) (adminapi.Standing, error) {
	u, err := a.Identity.User(ctx, user)
	if err != nil {
		return adminapi.Standing{}, err
	}
	relations, excluded, err := a.Casework.Standing(ctx, org, casework.Reader{User: u.ID, Org: u.Org, Team: u.Team, Roles: u.Roles}, record)
	return adminapi.Standing{Kind: casework.Kind, Relations: relations, Excluded: excluded}, err
}

// JournalAt makes the journal with another clock: the demo writes an invented
// past with it. All else uses the app's own Journal.
func (a *App) JournalAt(now func() time.Time) *journal.Journal {
	return journal.New(a.DB, a.Vault, now, a.projectors...)
}

var errNoDemo = errors.New("this data folder has organisations already")

// FirstAdministrator makes the installation's own organisation and invites its
// administrator. It gives the invitation's token.
func (a *App) FirstAdministrator(ctx context.Context) (string, error) {
	had, err := a.Identity.Organisations(ctx, "", 1)
	if err != nil {
		return "", err
	}
	if len(had) > 0 {
		return "", errors.New("this data folder has an administrator already: start without --new")
	}
	o, err := a.Identity.CreateOrganisation(ctx, identity.System(), identity.Organisation{Name: "Our organisation", Kind: "ngo", Country: "KHM", Operator: true})
	if err != nil {
		return "", err
	}
	i, err := a.Identity.Invite(ctx, identity.System(), identity.NewUser{Org: o.ID, Login: "admin", Name: "Administrator", Lang: "en", Roles: []string{"administrator"}})
	return i.Token, err
}
