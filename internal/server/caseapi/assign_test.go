package caseapi_test

import (
	"context"
	"net/http"
	"testing"

	"banyan/internal/identity"
	"banyan/internal/policy"
)

// TestACaseGoesToNobodyWhoCannotCare: to no suspended worker, where nobody would
// look at it, and to no words in the place of a team, which stand in clear.
func TestACaseGoesToNobodyWhoCannotCare(t *testing.T) {
	o := newOffice(t, nil)
	id, _ := o.open(o.As(policy.CaseWorker), nil)
	left := newColleague(o)
	left.Login = "left.river"
	gone := o.AddUser(left)
	suspended := true
	if _, err := o.Identity.ChangeUser(context.Background(), identity.System(), gone.ID, identity.Change{Suspended: &suspended}); err != nil {
		t.Fatal(err)
	}
	foreign, err := o.Identity.CreateTeam(context.Background(), identity.System(), identity.Team{Org: o.Other.ID, Name: "Hill"})
	if err != nil {
		t.Fatal(err)
	}
	worker := o.Users[policy.CaseWorker].ID
	for name, row := range map[string]struct {
		in    answers
		field string
	}{
		"a suspended worker":               {answers{"worker": gone.ID}, "worker"},
		"a worker of others":               {answers{"worker": o.Others[policy.CaseWorker].ID}, "worker"},
		"a team of others":                 {answers{"worker": worker, "team": foreign.ID}, "team"},
		"a name in the place of a team":    {answers{"worker": worker, "team": "Bopha of the blue house"}, "team"},
		"nobody's team, and nobody at all": {answers{"team": newID()}, "team"},
	} {
		a := o.As(policy.Supervisor).Call("POST", "/api/cases/"+id+"/assign", row.in)
		if _, path := a.Problem(); a.Status != http.StatusUnprocessableEntity || path != row.field {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
}
