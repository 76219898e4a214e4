package caseapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"banyan/internal/casework"
	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server/servertest"
)

func (o *office) find(c *servertest.Client, what answers) casework.Found {
	o.t.Helper()
	var out casework.Found
	o.call(c, "POST", "/api/find", what, http.StatusOK, &out)
	return out
}

// TestFindSaysNothingOfOtherOrganisations: a trafficker's friend at another
// organisation searches a child's name again and again, and compares.
func TestFindSaysNothingOfOtherOrganisations(t *testing.T) {
	o := newOffice(t, nil)
	mine := o.As(policy.CaseWorker)
	theirs := o.SignedIn(o.Others[policy.CaseWorker].ID)
	before := string(o.call(theirs, "POST", "/api/find", answers{"q": "Bopha"}, http.StatusOK, nil).Body)
	_, code := o.open(mine, answers{"nickname": "Bopha"})
	for _, what := range []answers{{"q": "Bopha"}, {"code": code, "q": "Bopha"}} {
		if after := string(o.call(theirs, "POST", "/api/find", what, http.StatusOK, nil).Body); after != before {
			t.Errorf("the answer to %v changed from\n%s to\n%s", what, before, after)
		}
	}
	if n := o.find(mine, answers{"q": "Bopha"}).Searched; n != 1 {
		t.Errorf("searched %d of the own cases", n)
	}
}

// TestFindIsNoWayToAPlace: a colleague who may not see where a child is does
// not learn it by asking place after place.
func TestFindIsNoWayToAPlace(t *testing.T) {
	o := newOffice(t, nil)
	o.open(o.As(policy.CaseWorker), answers{"nickname": "Bopha"})
	colleague := o.SignedIn(o.AddUser(newColleague(o)).ID)
	ask := func(c *servertest.Client, place string) string {
		found := o.find(c, answers{"name": "Bopha", "place": place})
		alone := o.find(c, answers{"place": place})
		if len(found.Candidates) != 1 {
			t.Fatalf("found %d", len(found.Candidates))
		}
		f := found.Candidates[0]
		return fmt.Sprint(f.Score, f.Why, len(alone.Candidates))
	}
	if there, elsewhere := ask(colleague, "KH01"), ask(colleague, "KH25"); there != elsewhere {
		t.Errorf("there %s, elsewhere %s", there, elsewhere)
	}
	own := o.As(policy.CaseWorker)
	if there, elsewhere := ask(own, "KH01"), ask(own, "KH25"); there == elsewhere {
		t.Error("who may see the place finds by it no more")
	}
}

// TestAScoreSpellsNobodysName: whoever may only hear that there is a likely
// match does not find the name letter by letter.
func TestAScoreSpellsNobodysName(t *testing.T) {
	o := newOffice(t, nil)
	o.open(o.As(policy.CaseWorker), answers{"nickname": "Bopha"})
	colleague := newColleague(o)
	colleague.Login, colleague.Team = "far.river", ""
	far := o.SignedIn(o.AddUser(colleague).ID)
	for _, q := range []string{"Bopha", "Bopa"} {
		found := o.find(far, answers{"name": q})
		if len(found.Candidates) != 1 {
			t.Fatalf("%s: found %d", q, len(found.Candidates))
		}
		if c := found.Candidates[0]; c.Score != 0.5 || len(c.Why) != 0 {
			t.Errorf("%s: says %v because %v", q, c.Score, c.Why)
		}
	}
}

func newColleague(o *office) identity.NewUser {
	return identity.NewUser{Org: o.Org.ID, Team: o.Team.ID, Login: "near.river", Name: "Near", Roles: []string{policy.CaseWorker}}
}

// TestANameInOtherLettersIsNotTheName: "q" was checked, "Q" was taken.
func TestANameInOtherLettersIsNotTheName(t *testing.T) {
	o := newOffice(t, nil)
	o.call(o.As(policy.CaseWorker), "POST", "/api/find", answers{"q": "Bopha", "Q": strings.Repeat("x", 5000)}, http.StatusUnprocessableEntity, nil)
}
