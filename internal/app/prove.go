package app

// Proving who sits at the keyboard, for commands that need two people.

import (
	"context"

	"banyan/internal/casework"
	"banyan/internal/fault"
	"banyan/internal/identity"
	"banyan/internal/policy"
)

// Prove checks a login and password (and the code from BANYAN_CODE, where the
// account asks one), and that the policy lets this user do the action to the
// case. It gives the user's id. A wrong password, a missing right and a case
// that is not there are the same fault.
func (a *App) Prove(ctx context.Context, login, password, code string, action policy.Action, stream string) (string, error) {
	started, err := a.Identity.SignIn(ctx, identity.Proof{Login: login, Password: password, Device: "command line"})
	if err != nil {
		return "", err
	}
	if started.Next != "" {
		if started, err = a.Identity.SignInWithCode(ctx, started.Token, code, "", ""); err != nil {
			return "", err
		}
	}
	defer func() { _ = a.Identity.SignOut(context.WithoutCancel(ctx), started.Token) }()
	p, err := a.Identity.Authenticate(ctx, started.Token)
	if err != nil {
		return "", err
	}
	reader := casework.Reader{User: p.User, Org: p.Org, Team: p.Team, Roles: p.Roles}
	relations, excluded, err := a.Casework.Standing(ctx, p.Org, reader, stream)
	if err != nil {
		return "", err
	}
	decision := a.Policy.DecideAny(policy.Subject{User: p.User, Org: p.Org, Roles: p.Roles}, action,
		policy.Resource{Kind: casework.Kind, Excluded: excluded}, relations...)
	if !decision.Allowed {
		return "", fault.Absent()
	}
	return p.User, a.Identity.Record(ctx, p, "case."+string(action), stream, nil)
}
