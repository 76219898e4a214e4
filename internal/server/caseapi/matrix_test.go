package caseapi_test

// Every route, every form and every tier against every role, relation and
// organisation: what the policy denies must look like what is not there.

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"banyan/internal/casework"
	"banyan/internal/forms"
	"banyan/internal/identity"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/server"
	"banyan/internal/server/matrix"
	"banyan/internal/server/servertest"
	"banyan/internal/store/storetest"
)

// stand is one way to stand to a case.
type stand struct {
	role     policy.Role
	relation policy.Relation
	excluded bool
	other    bool
}

// seat is a user who stands so, and the case.
type seat struct {
	stand
	client *servertest.Client
	user   string
	stream string
	record string // the note in it
}

// relations that the stand implies: whoever works on a case of the own
// organisation also belongs to that organisation.
func (s stand) relations() []policy.Relation {
	switch s.relation {
	case policy.None, policy.Referred, policy.Organisation:
		return []policy.Relation{s.relation}
	}
	return []policy.Relation{s.relation, policy.Organisation}
}

// planted words, one a tier, in the case of every seat.
var planted = map[policy.Tier]string{policy.Story: "plantedstory", policy.Identity: "plantedname", policy.Place: "plantedplace", policy.Health: "plantedhealth", policy.Legal: "plantedlegal"}

// plant writes a case as the journal would have it, past the doors.
func (o *office) plant(s stand, user, team string) (stream, record string) {
	o.t.Helper()
	stream = newID()
	author := newID()
	at := o.Clock.Now().Add(-48 * time.Hour)
	draft := func(form string, parts map[journal.Tier]map[string]any) journal.Draft {
		d := journal.Draft{ID: newID(), Stream: stream, Form: form, FormVersion: 1, Act: journal.Submit, Author: author, Org: o.Org.ID, WrittenAt: at, Answers: parts}
		d.Record = d.ID
		if f, ok := o.cases.Rules().Forms.Form(form); ok && f.Single {
			d.Record = form
		}
		at = at.Add(time.Minute)
		return d
	}
	coded := func(form string, a answers) journal.Draft {
		return draft(form, map[journal.Tier]map[string]any{journal.Coded: a})
	}
	assigned := answers{"worker": author, "supervisor": author}
	switch s.relation {
	case policy.Assigned:
		assigned["worker"] = user
		if s.role == policy.Lawyer {
			assigned["worker"], assigned["lawyer"] = author, user
		}
	case policy.Team:
		assigned["team"] = team
	case policy.Supervised:
		assigned["supervisor"] = user
	}
	drafts := []journal.Draft{
		coded("act.open", answers{"code": fmt.Sprintf("XX-%s", stream[28:]), "country": "KHM"}),
		coded("act.assign", assigned),
		draft("F01_first_contact", map[journal.Tier]map[string]any{journal.Coded: {"sex": "female", "safe_now": "yes"}, journal.Identity: {"nickname": planted[policy.Identity]},
			journal.Story: {"wishes": planted[policy.Story]}, journal.Place: {"place": answers{"country": "KHM", "place": planted[policy.Place]}}}),
		draft("F13_child_interview", map[journal.Tier]map[string]any{journal.Coded: {"introduction": true}}),
		draft("F14_age_assessment", map[journal.Tier]map[string]any{journal.Health: {"medical": planted[policy.Health]}, journal.Legal: {"evidence": planted[policy.Legal]}}),
	}
	note := draft("F18_legal_case", map[journal.Tier]map[string]any{journal.Legal: {"authority": planted[policy.Legal]}, journal.Coded: {"limitation_date": "2027-01-01"}})
	drafts = append(drafts, note)
	if s.relation == policy.Referred {
		drafts = append(drafts,
			draft("F03_consent", map[journal.Tier]map[string]any{journal.Coded: {"scopes": answers{"share_referral": "yes", "services": "yes"}, "date": "2026-11-01", "review_date": "2027-11-01",
				"share_with": []any{answers{"_id": "row-1", "may_see": []any{"coded", "story", "identity", "place", "health", "legal"}}}},
				journal.Place: {"share_with": []any{answers{"_id": "row-1", "organisation": o.Other.ID}}}}),
			draft("F09_referral", map[journal.Tier]map[string]any{journal.Coded: {"status": "sent", "service": "shelter"}, journal.Place: {"to_org": o.Other.ID}}))
	}
	if s.relation == policy.BreakGlass {
		drafts = append(drafts, coded("act.break_glass", answers{"user": user, "until": o.Clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)}))
	}
	if s.excluded {
		drafts = append(drafts, coded("act.exclude", answers{"user": user, "on": true}))
	}
	receipts, err := o.journal.Append(context.Background(), journal.Write{Stream: stream, Kind: casework.Kind, Org: o.Org.ID, Drafts: drafts})
	if err != nil {
		o.t.Fatal(err)
	}
	for _, r := range receipts {
		if r.Err != nil {
			o.t.Fatal(r.Err)
		}
	}
	return stream, note.ID
}

// seats makes a user and a case for every stand.
func (o *office) seats() []seat {
	o.t.Helper()
	team, err := o.Identity.CreateTeam(context.Background(), identity.System(), identity.Team{Org: o.Org.ID, Name: "South"})
	if err != nil {
		o.t.Fatal(err)
	}
	var out []seat
	for _, role := range policy.AllRoles {
		for _, relation := range policy.AllRelations {
			other := relation == policy.Referred || relation == policy.None
			n := identity.NewUser{Org: o.Org.ID, Login: fmt.Sprintf("%s.%s.m", role, relation), Name: "Matrix " + role, Roles: []string{role}}
			if other {
				n.Org = o.Other.ID
			} else if relation == policy.Team {
				n.Team = team.ID
			}
			u := o.AddUser(n)
			client := o.SignedIn(u.ID)
			for _, excluded := range []bool{false, true} {
				s := seat{stand: stand{role, relation, excluded, other}, client: client, user: u.ID}
				s.stream, s.record = o.plant(s.stand, u.ID, team.ID)
				out = append(out, s)
			}
		}
	}
	return out
}

func (o *office) may(s stand, a policy.Action, form string) bool {
	return o.Policy.DecideAny(policy.Subject{Roles: []string{s.role}}, a, policy.Resource{Kind: casework.Kind, Form: form, Excluded: s.excluded}, s.relations()...).Allowed
}

func (o *office) tiers(s stand, a policy.Action, form string) []policy.Tier {
	return o.Policy.TiersOfForm(policy.Subject{Roles: []string{s.role}}, a, casework.Kind, form, s.excluded, s.relations()...)
}

// TestNoRouteAnswersWhatThePolicyDenies tries all cells; one in eight with
// -short.
func TestNoRouteAnswersWhatThePolicyDenies(t *testing.T) {
	tryTheMatrix(t, newOffice(t, nil), !testing.Short())
}

// TestNoRouteAnswersWhatThePolicyDeniesOnPostgres tries one cell in eight: the
// rules are the same code, the statements under them are not the same engine's.
func TestNoRouteAnswersWhatThePolicyDeniesOnPostgres(t *testing.T) {
	tryTheMatrix(t, newOffice(t, storetest.Postgres(t)), os.Getenv("BANYAN_SOAK") != "")
}

func tryTheMatrix(t *testing.T, o *office, full bool) {
	t.Helper()
	seats := o.seats()
	n := 0
	skip := func() bool { n++; return !full && n%8 != 0 }
	absent := seats[0].client.Call("GET", "/api/cases/"+newID(), nil).Body
	tiers := o.tierCells(t, seats, skip)
	forms := o.formCells(t, seats, skip)
	opening := func(id string) bool { return id == "case-break-glass" } // it changes the stand, so it comes last
	routes := o.routeCells(t, seats, absent, func(id string) bool { return opening(id) || skip() })
	routes += o.routeCells(t, seats, absent, func(id string) bool { return !opening(id) })
	t.Attr("policy-matrix", fmt.Sprintf("%d cells (%d of routes, %d of forms, %d of tiers), %d stands", routes+forms+tiers, routes, forms, tiers, len(seats)))
	if full && routes+forms+tiers < 10_000 {
		t.Errorf("%d cells, want at least 10,000", routes+forms+tiers)
	}
}

// bodies are well-formed requests, so that only the policy can refuse them.
func (o *office) body(op string, s seat) any {
	switch op {
	case "case-print":
		return answers{}
	case "case-move":
		return answers{"to": "follow_up"}
	case "case-assign":
		return answers{"worker": o.Users[policy.CaseWorker].ID}
	case "case-approve":
		return answers{"record": s.record, "entry": s.record, "decision": "approved"}
	case "case-acknowledge":
		return answers{"clock": "legal_limitation", "record": s.record}
	case "case-alike-decide":
		return answers{"other": newID(), "same": false} // absent for everybody
	case "case-break-glass":
		return answers{"reason": "a danger that cannot wait for anybody"}
	case "case-exclude":
		return answers{"user": o.Users[policy.Lawyer].ID, "on": true, "reason": "a relative"}
	}
	return nil
}

func (o *office) routeCells(t *testing.T, seats []seat, absent []byte, skip func(id string) bool) int {
	t.Helper()
	tried := 0
	for _, s := range seats {
		for _, c := range matrix.Cells(o.Frame.API.OpenAPI(), o.Policy, [][]policy.Role{{s.role}}) {
			g := c.Guard
			if g.Kind != casework.Kind || c.Relation != s.relation || c.Excluded != s.excluded || c.OtherOrg != s.other || skip(c.ID) {
				continue
			}
			if g.Action == policy.Open || c.ID == "file-add" {
				continue // no case named; and multipart: both have their own tests
			}
			tried++
			path := strings.NewReplacer("{id}", s.stream, "{record}", s.record, "{form}", "F02_screening", "{file}", newID()).Replace(c.Path)
			switch c.ID {
			case "entries": // see formCells
			case "today", "today-alike", "inbox":
				if a := s.client.Call(c.Method, path, nil); len(o.tiers(s.stand, policy.Read, "")) == 0 && bytes.Contains(a.Body, []byte(s.stream)) && !o.toldByRole(s) {
					t.Errorf("%s shows a case that the policy denies", c)
				}
			case "cases", "find":
				var a servertest.Answer
				if c.ID == "cases" {
					a = s.client.Call("GET", "/api/cases?scope=organisation", nil)
				} else {
					a = s.client.Call("POST", path, answers{"name": planted[policy.Identity]})
				}
				if !o.may(s.stand, g.Action, "") && bytes.Contains(a.Body, []byte(s.stream)) {
					t.Errorf("%s shows a case that the policy denies", c)
				}
				if !slices.Contains(o.tiers(s.stand, g.Action, ""), policy.Identity) && a.Status == 200 && bytes.Contains(around(a.Body, s.stream), []byte(planted[policy.Identity])) {
					t.Errorf("%s shows a name that the policy denies", c)
				}
			default:
				c.Denied = !o.may(s.stand, g.Action, "")
				a := s.client.Call(c.Method, path, o.body(c.ID, s))
				if err := c.Check(a.Status, a.Body, absent); err != nil {
					t.Error(err)
				}
				if !c.Denied && a.Status == 404 && c.ID != "file-open" && c.ID != "file-original" && c.ID != "form-prefill" && c.ID != "case-alike-decide" {
					t.Errorf("%s: allowed, answered as absent", c)
				}
			}
		}
	}
	return tried
}

// toldByRole: escalations and news for a role of the organisation come with
// the case's code, to whoever has the role.
func (o *office) toldByRole(s seat) bool {
	return !s.excluded && !s.other && slices.Contains([]policy.Role{policy.Supervisor, policy.ProgrammeManager, policy.Auditor}, s.role)
}

// around cuts the object that names a case out of a list.
func around(body []byte, stream string) []byte {
	i := bytes.Index(body, []byte(stream))
	if i < 0 {
		return nil
	}
	end := bytes.Index(body[i+1:], []byte(`"id":"`))
	if end < 0 {
		return body[i:]
	}
	return body[i : i+1+end]
}

// formCells writes every form of a case from every stand.
func (o *office) formCells(t *testing.T, seats []seat, skip func() bool) int {
	t.Helper()
	tried := 0
	for _, s := range seats {
		for _, f := range o.cases.Rules().Forms.Forms() {
			if f.Stream != casework.Kind || skip() {
				continue
			}
			tried++
			e := o.entry(s.stream, f.ID, answers{"no_such_field": 1}) // never accepted: the case stays as it is
			a := s.client.Call("POST", "/api/entries", answers{"entries": []casework.NewEntry{e}})
			denied := a.Status == 404 || bytes.Contains(a.Body, []byte("denied_or_absent"))
			if allowed := len(o.tiers(s.stand, policy.WriteTo, f.ID)) > 0; allowed == denied {
				t.Errorf("%s as %s, %s, excluded %v: written %v, the policy says %v: %d %s", f.ID, s.role, s.relation, s.excluded, !denied, allowed, a.Status, a.Body)
			}
		}
	}
	return tried
}

// tierCells looks for the planted words of every closed tier in what every
// stand can read.
func (o *office) tierCells(t *testing.T, seats []seat, skip func() bool) int {
	t.Helper()
	tried := 0
	for _, s := range seats {
		allowed := o.tiers(s.stand, policy.Read, "")
		for _, call := range []struct {
			method, path string
			in           any
		}{
			{"GET", "/api/cases/" + s.stream, nil}, {"GET", "/api/cases/" + s.stream + "/records/" + s.record, nil}, {"GET", "/api/cases/" + s.stream + "/prefill/F04_registration", nil},
			{"GET", "/api/today", nil}, {"GET", "/api/today/alike", nil}, {"GET", "/api/inbox", nil}, {"GET", "/api/cases", nil}, {"GET", "/api/cases?scope=team&sort=recent", nil},
			{"GET", "/api/cases?scope=organisation&sort=recent", nil}, {"POST", "/api/find", answers{"code": "XX-" + s.stream[28:]}},
		} {
			if call.path == "/api/find" {
				allowed = o.tiers(s.stand, policy.Find, "")
			}
			if skip() {
				continue
			}
			body := s.client.Call(call.method, call.path, call.in).Body
			if !strings.Contains(call.path, s.stream) {
				body = around(body, s.stream)
			}
			for tier, word := range planted {
				tried++
				if !slices.Contains(allowed, tier) && bytes.Contains(body, []byte(word)) {
					t.Errorf("%s as %s, %s, excluded %v shows the %s tier", strings.ReplaceAll(call.path, s.stream, "{id}"), s.role, s.relation, s.excluded, tier)
				}
			}
			if call.path == "/api/cases/"+s.stream && len(allowed) == len(policy.AllTiers) {
				for tier, word := range planted {
					if tier != policy.Health && !bytes.Contains(body, []byte(word)) {
						t.Errorf("%s as %s, %s does not show the %s tier that is allowed", strings.ReplaceAll(call.path, s.stream, "{id}"), s.role, s.relation, tier)
					}
				}
			}
		}
	}
	return tried
}

func TestEveryRouteNamesItsAction(t *testing.T) {
	o := newOffice(t, nil)
	for _, err := range server.Check(o.Frame.API, o.Policy) {
		t.Error(err)
	}
	if _, ok := o.cases.Rules().Forms.Form("F01_first_contact"); !ok {
		t.Fatal(forms.English)
	}
}
