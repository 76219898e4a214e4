package adminapi_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"banyan/internal/fault"
	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server/adminapi"
	"banyan/internal/server/servertest"
)

func TestAnAdministratorManagesTheirOwnPeople(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	admin, worker := w.As(policy.Administrator), w.Users[policy.CaseWorker]
	var users struct {
		Items []struct{ ID, Login, State string }
	}
	admin.Call("GET", "/api/admin/users", nil).Into(t, &users)
	if len(users.Items) != len(policy.AllRoles) || users.Items[0].State != "active" {
		t.Fatalf("listed %+v", users)
	}
	var changed struct {
		State, Team string
		Roles       []string
	}
	held := w.SignedIn(worker.ID)
	admin.Call("PATCH", "/api/admin/users/"+worker.ID, map[string]any{"state": "disabled", "roles": []string{"lawyer"}}).Into(t, &changed)
	if changed.State != "disabled" || len(changed.Roles) != 1 || changed.Roles[0] != "lawyer" || changed.Team != w.Team.ID {
		t.Errorf("changed to %+v", changed)
	}
	if a := held.Call("GET", "/api/me", nil); a.Status != http.StatusUnauthorized {
		t.Errorf("a disabled user still works: %d", a.Status)
	}
	admin.Call("PATCH", "/api/admin/users/"+worker.ID, map[string]any{"state": "active"}).Into(t, &changed)
	if changed.State != "active" {
		t.Errorf("enabled to %+v", changed)
	}
	rows := []struct {
		name, method, path string
		body               any
		status             int
	}{
		{"an unknown role", "PATCH", "/api/admin/users/" + worker.ID, map[string]any{"roles": []string{"king"}}, 422},
		{"an unknown state", "PATCH", "/api/admin/users/" + worker.ID, map[string]any{"state": "gone"}, 422},
		{"an unknown team", "PATCH", "/api/admin/users/" + worker.ID, map[string]any{"team": "x"}, 422},
		{"an unknown user", "PATCH", "/api/admin/users/x", map[string]any{"state": "active"}, 404},
		{"the last administrator", "PATCH", "/api/admin/users/" + w.Users[policy.Administrator].ID, map[string]any{"state": "disabled"}, 409},
		{"an invitation with an unknown role", "POST", "/api/admin/invitations", map[string]any{"login": "new.one", "roles": []string{"king"}}, 422},
		{"an invitation without a role", "POST", "/api/admin/invitations", map[string]any{"login": "new.one"}, 422},
		{"a supervisor who is none", "POST", "/api/admin/teams", map[string]any{"name": "South", "supervisor": worker.ID}, 422},
	}
	for _, r := range rows {
		if a := admin.Call(r.method, r.path, r.body); a.Status != r.status {
			t.Errorf("%s: got %d %s", r.name, a.Status, a.Body)
		}
	}
}

func TestOtherOrganisationsAreAbsentExceptToTheOperator(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	theirs, ours := w.SignedIn(w.Others[policy.Administrator].ID), w.As(policy.Administrator)
	absent := theirs.Call("GET", "/api/never", nil).Body
	for _, a := range []servertest.Answer{
		theirs.Call("GET", "/api/admin/users?org="+w.Org.ID, nil),
		theirs.Call("GET", "/api/admin/teams?org="+w.Org.ID, nil),
		theirs.Call("GET", "/api/admin/invitations?org="+w.Org.ID, nil),
		theirs.Call("PATCH", "/api/admin/users/"+w.Users[policy.Lawyer].ID, map[string]any{"state": "disabled"}),
		theirs.Call("PATCH", "/api/admin/teams/"+w.Team.ID, map[string]any{"name": "Ours", "supervisor": ""}),
		theirs.Call("POST", "/api/admin/invitations", map[string]any{"user": w.Users[policy.Lawyer].ID}),
		theirs.Call("POST", "/api/admin/invitations", map[string]any{"login": "spy", "roles": []string{"administrator"}, "org": w.Org.ID}),
		theirs.Call("POST", "/api/admin/organisations", map[string]any{"name": "Third", "kind": "ngo"}),
	} {
		if a.Status != http.StatusNotFound || !bytes.Equal(a.Body, absent) {
			t.Errorf("got %d %s", a.Status, a.Body)
		}
	}
	if a := ours.Call("GET", "/api/admin/users?org="+w.Other.ID, nil); a.Status != 200 {
		t.Errorf("the operator got %d", a.Status)
	}
	var org struct{ ID, Country string }
	ours.Call("POST", "/api/admin/organisations", map[string]any{"name": "Third", "kind": "ngo"}).Into(t, &org)
	if org.Country != "VNM" {
		t.Errorf("added %+v", org)
	}
	if a := ours.Call("POST", "/api/admin/invitations", map[string]any{"login": "third.admin", "roles": []string{"administrator"}, "org": org.ID}); a.Status != 200 {
		t.Errorf("inviting its first administrator gave %d %s", a.Status, a.Body)
	}
}

func TestInvitationsAreListedWithoutTheirTokensAndWithdrawn(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	admin := w.As(policy.Administrator)
	var inv struct{ ID, Token string }
	admin.Call("POST", "/api/admin/invitations", map[string]any{"login": "lan", "roles": []string{"lawyer"}}).Into(t, &inv)
	list := admin.Call("GET", "/api/admin/invitations", nil)
	if inv.Token == "" || bytes.Contains(list.Body, []byte(inv.Token)) || !bytes.Contains(list.Body, []byte(inv.ID)) {
		t.Errorf("listed %s", list.Body)
	}
	if a := admin.Call("DELETE", "/api/admin/invitations/"+inv.ID, nil); a.Status != http.StatusNoContent {
		t.Errorf("withdrawing gave %d", a.Status)
	}
	if a := admin.Call("DELETE", "/api/admin/invitations/"+inv.ID, nil); a.Status != http.StatusNotFound {
		t.Errorf("withdrawing twice gave %d", a.Status)
	}
}

func TestThePolicyIsExplainedAndAnAuditorReadsIt(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	for _, role := range []string{policy.Administrator, policy.Auditor} {
		var x policy.Explanation
		w.As(role).Call("GET", "/api/admin/policy", nil).Into(t, &x)
		if len(x.Roles) != 9 || len(x.Rows) < 100 {
			t.Errorf("%s reads %d roles, %d rows", role, len(x.Roles), len(x.Rows))
		}
	}
}

func TestWhyNamesTheRuleOrTheExclusion(t *testing.T) {
	excluded := false
	w := servertest.Start(t, servertest.Setup{Admin: adminapi.Config{Relations: func(_ context.Context, org, user, record string) (adminapi.Standing, error) {
		if record != "VN-0001" {
			return adminapi.Standing{}, fault.Absent()
		}
		return adminapi.Standing{Kind: "case", Relations: []policy.Relation{policy.Team, policy.Organisation}, Excluded: excluded}, nil
	}}})
	admin := w.As(policy.Administrator)
	ask := func(user, record string) (out adminapi.WhyAnswer) {
		t.Helper()
		admin.Call("POST", "/api/admin/policy/why", map[string]string{"user": user, "case": record}).Into(t, &out)
		return out
	}
	worker := w.Users[policy.CaseWorker].ID
	got := ask(worker, "VN-0001")
	if !got.Allowed || got.Rule != "worker_team_case" || got.Relation != "team" || len(got.Tiers) != 1 || len(got.Decisions) == 0 {
		t.Errorf("got %+v", got)
	}
	excluded = true
	if got := ask(worker, "VN-0001"); got.Allowed || len(got.Tiers) > 0 || !got.Excluded {
		t.Errorf("excluded: %+v", got)
	}
	excluded = false
	if got := ask(w.Users[policy.Statistician].ID, "VN-0001"); got.Allowed {
		t.Errorf("a statistician: %+v", got)
	}
	if a := admin.Call("POST", "/api/admin/policy/why", map[string]string{"user": worker, "case": "KH-0001"}); a.Status != 404 {
		t.Errorf("an unknown case gave %d", a.Status)
	}
	theirs := w.SignedIn(w.Others[policy.Administrator].ID)
	if a := theirs.Call("POST", "/api/admin/policy/why", map[string]string{"user": worker, "case": "VN-0001"}); a.Status != 404 {
		t.Errorf("another organisation's administrator got %d", a.Status)
	}
}

func TestEveryActStandsInTheAudit(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	admin := w.As(policy.Administrator)
	admin.Call("PATCH", "/api/admin/users/"+w.Users[policy.Lawyer].ID, map[string]any{"name": "Changed Name", "roles": []string{"lawyer", "auditor"}})
	a := w.As(policy.Auditor).Call("GET", "/api/admin/audit", nil)
	var audit struct {
		Items []struct {
			Seq            int64
			By, Action, On string
			Detail         map[string]string
		}
	}
	a.Into(t, &audit)
	top := audit.Items[0]
	if top.Action != "user.changed" || top.By != w.Users[policy.Administrator].ID || top.On != w.Users[policy.Lawyer].ID || top.Detail["roles"] != "lawyer auditor" {
		t.Errorf("the newest act is %+v", top)
	}
	if bytes.Contains(a.Body, []byte("Changed Name")) {
		t.Error("the acts hold a name")
	}
	var older struct{ Items []struct{ Seq int64 } }
	admin.Call("GET", "/api/admin/audit?cursor=3", nil).Into(t, &older)
	if len(older.Items) != 2 || older.Items[0].Seq != 2 {
		t.Errorf("the page before gave %+v", older)
	}
	if n, err := w.Identity.VerifyActs(t.Context()); err != nil || n != audit.Items[0].Seq {
		t.Errorf("verified %d acts: %v", n, err)
	}
}

func TestContentIsAskedOfWhoeverKnows(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	if a := w.As(policy.Administrator).Call("GET", "/api/admin/content", nil); a.Status != http.StatusServiceUnavailable {
		t.Errorf("got %d", a.Status)
	}
	w = servertest.Start(t, servertest.Setup{Admin: adminapi.Config{Content: func(context.Context) (adminapi.Content, error) {
		return adminapi.Content{Lists: 79, Forms: []adminapi.ContentForm{{ID: "F01_first_contact", Title: "First contact"}}}, nil
	}}})
	var c adminapi.Content
	w.As(policy.Administrator).Call("GET", "/api/admin/content", nil).Into(t, &c)
	if c.Lists != 79 || len(c.Forms) != 1 {
		t.Errorf("got %+v", c)
	}
}

func TestUsersComePageByPageAndByRoleAndState(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	admin := w.As(policy.Administrator)
	for i := range 60 {
		w.AddUser(identity.NewUser{Org: w.Org.ID, Login: fmt.Sprintf("lawyer.%d", i), Name: fmt.Sprintf("Lawyer %d", i), Roles: []string{policy.Lawyer, policy.Auditor}})
	}
	type page struct {
		Items []struct {
			ID    string
			Roles []string
		}
		Next string
	}
	all := func(query string) map[string][]string {
		t.Helper()
		seen := map[string][]string{}
		for next := ""; ; {
			var p page
			admin.Call("GET", "/api/admin/users?"+query+"&cursor="+next, nil).Into(t, &p)
			for _, u := range p.Items {
				if seen[u.ID] != nil {
					t.Fatalf("%s: a user came twice", query)
				}
				seen[u.ID] = u.Roles
			}
			if next = p.Next; next == "" {
				return seen
			}
			if len(p.Items) != 50 {
				t.Fatalf("%s: a page of %d leads on", query, len(p.Items))
			}
		}
	}
	if n := len(all("")); n != 60+len(policy.AllRoles) {
		t.Errorf("%d users", n)
	}
	lawyers := all("role=lawyer")
	if len(lawyers) != 61 {
		t.Errorf("%d lawyers", len(lawyers))
	}
	for _, roles := range lawyers {
		if !slices.Contains(roles, policy.Lawyer) {
			t.Errorf("a lawyer has the roles %v", roles)
		}
	}
	admin.Call("PATCH", "/api/admin/users/"+w.Users[policy.Lawyer].ID, map[string]any{"state": "disabled"})
	if off := all("state=disabled"); len(off) != 1 || off[w.Users[policy.Lawyer].ID] == nil {
		t.Errorf("disabled: %v", off)
	}
	if n := len(all("role=lawyer&state=active")); n != 60 {
		t.Errorf("%d active lawyers", n)
	}
}

// TestAnAdministratorTakesNoRoleAndProvesHimself: who may see no person would
// otherwise open a team's cases to himself with one call; and who finds an
// administrator's laptop open would invite whom he likes.
func TestAnAdministratorTakesNoRoleAndProvesHimself(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	me := w.Users[policy.Administrator]
	admin := w.As(policy.Administrator)
	for name, change := range map[string]any{
		"roles": map[string]any{"roles": []string{"administrator", "supervisor"}},
		"team":  map[string]any{"team": ""},
	} {
		a := admin.Call("PATCH", "/api/admin/users/"+me.ID, change)
		if _, path := a.Problem(); a.Status != http.StatusUnprocessableEntity || path != name {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	w.Clock.Advance(6 * time.Minute)
	for path, in := range map[string]any{
		"/api/admin/invitations": map[string]any{"user": w.Users[policy.CaseWorker].ID},
	} {
		if a := admin.Call("POST", path, in); a.Status != http.StatusForbidden {
			t.Errorf("without a fresh proof %s gave %d", path, a.Status)
		}
	}
	if a := admin.Call("PATCH", "/api/admin/users/"+w.Users[policy.CaseWorker].ID, map[string]any{"roles": []string{"supervisor"}}); a.Status != http.StatusForbidden {
		t.Errorf("without a fresh proof a role was given: %d", a.Status)
	}
}
