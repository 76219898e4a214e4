package caseapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"banyan/content"
	"banyan/internal/casework"
	"banyan/internal/forms"
	"banyan/internal/identity"
	"banyan/internal/journal"
	"banyan/internal/linkage"
	"banyan/internal/policy"
	"banyan/internal/server"
	"banyan/internal/server/caseapi"
	"banyan/internal/server/servertest"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
	"banyan/internal/vault"
)

// office is a door with cases behind it.
type office struct {
	*servertest.World
	t         *testing.T
	cases     *casework.Service
	journal   *journal.Journal
	projector *casework.Projector
}

func newOffice(t *testing.T, db *store.DB) *office {
	t.Helper()
	lib, faults := forms.Load(content.FS)
	if len(faults) > 0 {
		t.Fatal(faults[0])
	}
	rules, err := casework.LoadRules(content.FS, lib)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t}
	keyring := storetest.SQLite(t)
	if err := store.Migrate(context.Background(), keyring, vault.Schema()); err != nil {
		t.Fatal(err)
	}
	say := func(c *server.Config) {
		c.Say = func(lang, english string) string { return o.cases.Say(lang, english) }
	}
	o.World = servertest.Start(t, servertest.Setup{Server: say, DB: db, Schemas: []store.Schema{journal.Schema(), linkage.Schema(), casework.Schema()}, Routes: func(w *servertest.World) {
		o.projector = casework.NewProjector(rules)
		o.projector.LinkWith(bytes.Repeat([]byte{1}, linkage.KeySize))
		o.journal = journal.New(w.DB, vault.Open(keyring, vault.NewMemoryMaster(), w.Clock.Now), w.Clock.Now, o.projector)
		o.cases = casework.New(rules, o.journal, w.Policy, caseapi.NewDirectory(w.Identity, w.Clock.Now), o.projector, w.Clock.Now)
		caseapi.Routes(w.Frame, caseapi.Config{Cases: o.cases})
	}})
	return o
}

type answers = map[string]any

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (o *office) entry(stream, form string, a answers) casework.NewEntry {
	id := newID()
	record := id
	if f, ok := o.cases.Rules().Forms.Form(form); ok && f.Single {
		record = form
	}
	return casework.NewEntry{ID: id, Stream: stream, Form: form, Version: 1, Act: "submit", Record: record, WrittenAt: o.Clock.Now(), Device: "phone", Answers: a}
}

func (o *office) call(c *servertest.Client, method, path string, in any, status int, out any) servertest.Answer {
	o.t.Helper()
	a := c.Call(method, path, in)
	if a.Status != status {
		o.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.Status, status, a.Body)
	}
	if out != nil {
		a.Into(o.t, out)
	}
	return a
}

var firstContact = answers{"contact_at": "2026-11-23T07:30:00Z", "place": answers{"country": "KHM", "adm1": "KH01", "place": "the bus station"}, "channel": "in_person", "language": "km",
	"interpreter": false, "alone": true, "safe_now": "yes", "medical_urgent": false, "age_declared": answers{"years": 14, "observed_on": "2026-11-23"},
	"age_basis": "presumed_child", "sex": "female", "separation_status": "unaccompanied", "nickname": "Leak", "wishes": "I want my pay", "action": []string{"resources"}}

func (o *office) open(c *servertest.Client, extra answers) (id, code string) {
	o.t.Helper()
	stream := newID()
	a := answers{}
	for k, v := range firstContact {
		a[k] = v
	}
	for k, v := range extra {
		a[k] = v
	}
	var opened casework.OpenedCase
	o.call(c, "POST", "/api/cases", answers{"entries": []casework.NewEntry{o.entry(stream, "F01_first_contact", a)}}, http.StatusOK, &opened)
	if len(opened.Results) != 1 || opened.Results[0].Status != "accepted" {
		o.t.Fatalf("opening a case: %+v", opened.Results)
	}
	return opened.Case.ID, opened.Case.Code
}

func (o *office) send(c *servertest.Client, entries ...casework.NewEntry) []casework.Result {
	o.t.Helper()
	var out struct{ Results []casework.Result }
	o.call(c, "POST", "/api/entries", answers{"entries": entries}, http.StatusOK, &out)
	return out.Results
}

func (o *office) fill(c *servertest.Client, stream, form string, a answers) casework.NewEntry {
	o.t.Helper()
	e := o.entry(stream, form, a)
	if r := o.send(c, e); r[0].Status != "accepted" {
		o.t.Fatalf("%s was %s: %+v", form, r[0].Status, r[0].Problems)
	}
	return e
}

func (o *office) page(c *servertest.Client, id string) casework.Page {
	o.t.Helper()
	var p casework.Page
	o.call(c, "GET", "/api/cases/"+id, nil, http.StatusOK, &p)
	return p
}

func (o *office) status(c *servertest.Client, id, want string) casework.Page {
	o.t.Helper()
	p := o.page(c, id)
	if p.Header.Status != want {
		o.t.Fatalf("the case is %s, want %s; moves %+v", p.Header.Status, want, p.Moves)
	}
	return p
}

var (
	screening = answers{"mode": "worker_read", "consent_asked": true, "profile": "child_labour", "answers": answers{}, "worker_judgement": "agree",
		"status": "possible_victim", "identification_stage": "presumed", "next_step": "full_assessment"}
	assessment = func(risk, selfHarm string) answers {
		domain := answers{}
		for _, row := range []string{"safety", "physical_health", "mental_health", "family_care", "shelter", "education", "legal_documents", "economic", "identity_participation"} {
			domain[row] = answers{"concern": "some"}
		}
		return answers{"domain": domain, "strengths": "a brother", "child_view": "I want to see my brother", "trafficker_contact": "low", "self_harm": selfHarm,
			"risk_level": risk, "bip_step": "bia", "case_plan_due": "2026-12-07"}
	}
	safetyPlan = answers{"threats": "the aunt", "safe_places": "the centre", "safe_people": "the teacher", "phone_safety": "new number", "comms": []string{"in_person"}, "review_date": "2026-12-01"}
	plan       = answers{"goals": []answers{{"_id": "goal-one", "area": "safety", "need": "a safe bed", "action": "find a place", "who": "the worker", "by_when": "2026-12-10", "progress": "in_progress"}},
		"service": []string{"shelter"}, "child_agreed": "agreed", "review_date": "2026-12-20"}
	closure = answers{"reason": "goals_met", "safe_confirmed": true, "goals_status": answers{}, "legal_open": false, "child_agrees": "yes", "contact_card": true,
		"data_retention": "2033-11-23", "feedback_survey": true}
)

func consent(services string) answers {
	scopes := answers{}
	for _, s := range []string{"services", "share_referral", "share_family", "share_authorities", "tracing", "statistics", "research", "cross_border", "contact_again", "photo_audio", "media", "retention_informed", "withdrawal_informed"} {
		scopes[s] = "no"
	}
	scopes["services"], scopes["statistics"] = services, "yes"
	return answers{"age_band": "12-14", "caregiver_implicated": "yes", "obtained_from": "caseworker_best_interest", "child_assent": "yes", "scopes": scopes,
		"language_format": "spoken, Khmer", "date": "2026-11-23", "review_date": "2027-02-23"}
}

func (o *office) registration() answers {
	return answers{"first_name": "Sreyleak", "last_name": "Keo", "other_names": []string{"ស្រីលក្ខណ៍", "Leak"}, "phones": []string{"012 345 678"},
		"age": answers{"years": 14, "observed_on": "2026-11-23"}, "age_basis": "presumed_child", "sex": "female", "languages": []string{"km"},
		"separation_status": "unaccompanied", "living_situation": "alternative_care", "protection_concerns": []string{"trafficked_smuggled"},
		"risk_level": "medium", "risk_reason": "the aunt knows the town", "case_worker": o.Users[policy.CaseWorker].ID, "supervisor": o.Users[policy.Supervisor].ID,
		"current_location": answers{"country": "KHM", "adm1": "KH12"}}
}

// approve decides on the newest record of a form.
func (o *office) approve(c *servertest.Client, id, form, decision string, status int) servertest.Answer {
	o.t.Helper()
	for _, a := range o.page(o.As(policy.Supervisor), id).Approvals {
		if a.Form == form {
			return o.call(c, "POST", "/api/cases/"+id+"/approve", answers{"record": a.Record, "entry": a.Entry, "decision": decision, "remark": "looked at"}, status, nil)
		}
	}
	o.t.Fatalf("nothing of %s waits for a decision", form)
	return servertest.Answer{}
}

// rows completes answers whose matrix needs every row.
func (o *office) matrix(form, field, value string) answers {
	lib, _ := forms.Load(content.FS)
	f, _ := lib.Form(form)
	fd, _ := f.Field(field)
	out := answers{}
	for _, c := range fd.Rows.Codes {
		out[c.Code] = value
	}
	return out
}

func TestACaseWorkerCarriesACaseFromContactToAnApprovedClosure(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) { journey(t, newOffice(t, db)) })
}

func journey(t *testing.T, o *office) {
	worker, boss := o.As(policy.CaseWorker), o.As(policy.Supervisor)
	id, code := o.open(worker, nil)
	if !strings.HasPrefix(code, "VN-") || len(code) != 7 {
		t.Errorf("the code is %q, want the country and four letters", code)
	}
	p := o.status(worker, id, "contact")
	if p.Header.Wish == nil || p.Header.Wish.Text != "I want my pay" || p.Header.Name != "Leak" || !p.Header.Age.PresumedChild || p.Why == "" {
		t.Errorf("header %+v, why %q", p.Header, p.Why)
	}
	var found casework.Found
	o.call(worker, "POST", "/api/find", answers{"q": code}, http.StatusOK, &found)
	if len(found.Candidates) != 1 || found.Candidates[0].Case.ID != id || found.Candidates[0].Why[0].Kind != "code" {
		t.Errorf("found by code: %+v", found)
	}

	o.Clock.Advance(5 * time.Minute)
	s := screening
	s["answers"] = o.matrix("F02_screening", "answers", "unknown")
	o.fill(worker, id, "F02_screening", s)
	o.status(worker, id, "screened")
	if r := o.send(worker, o.entry(id, "F04_registration", o.registration())); r[0].Status != "refused" || r[0].Problems[0].Code != "consent" {
		t.Errorf("registration without consent: %+v", r)
	}
	o.fill(worker, id, "F03_consent", consent("yes"))
	p = o.status(worker, id, "consent")
	if !p.Header.UnsafeGuardian {
		t.Error("a caregiver is implicated and the guardian counts as safe")
	}
	o.Clock.Advance(5 * time.Minute)
	var pre casework.Prefilled
	o.call(worker, "GET", "/api/cases/"+id+"/prefill/F04_registration", nil, http.StatusOK, &pre)
	if pre.Answers["sex"] != "female" || pre.From["sex"].Form != "F01_first_contact" || pre.From["sex"].Title == "" {
		t.Errorf("registration opens with %+v from %+v", pre.Answers, pre.From)
	}
	o.fill(worker, id, "F04_registration", o.registration())
	o.status(worker, id, "registered")
	for q, kind := range map[string]string{"ស្រីលក្ខណ៍": "other", "Keo Sreyleak": "same", "012345678": "phone", "Srey Leak": ""} {
		o.call(worker, "POST", "/api/find", answers{"q": q}, http.StatusOK, &found)
		if len(found.Candidates) == 0 || found.Candidates[0].Case.ID != id {
			t.Errorf("%s finds nobody", kind)
		}
	}

	if r := o.send(worker, o.entry(id, "F08_case_plan", plan)); r[0].Status != "accepted" {
		t.Errorf("a first plan: %+v", r)
	}
	o.Clock.Advance(time.Minute)
	o.fill(worker, id, "F06_risk_assessment", assessment("high", "high"))
	if r := o.send(worker, o.entry(id, "F08_case_plan", plan)); r[0].Status != "refused" || r[0].Problems[0].Code != "approval" {
		t.Errorf("a plan at high risk before the assessment is approved: %+v", r)
	}
	p = o.status(worker, id, "registered")
	if p.Header.Risk.Level != "high" {
		t.Errorf("risk %+v", p.Header.Risk)
	}
	o.approve(worker, id, "F06_risk_assessment", "approved", http.StatusNotFound) // a worker does not approve
	o.approve(boss, id, "F06_risk_assessment", "approved", http.StatusOK)
	o.fill(worker, id, "F07_safety_plan", safetyPlan)
	o.status(worker, id, "assessed")
	o.Clock.Advance(time.Minute)
	o.fill(worker, id, "F08_case_plan", plan)
	o.status(worker, id, "assessed")
	var inbox casework.Inbox
	o.call(boss, "GET", "/api/inbox", nil, http.StatusOK, &inbox)
	if len(inbox.Approvals) == 0 || len(inbox.Approvals[0].Summary) == 0 || !inbox.Approvals[0].MayI {
		t.Errorf("the supervisor's inbox: %+v", inbox)
	}
	for _, a := range inbox.Approvals {
		o.call(boss, "POST", "/api/cases/"+id+"/approve", answers{"record": a.Record, "entry": a.Entry, "decision": "approved", "id": newID()}, http.StatusOK, nil)
	}
	o.status(worker, id, "planned")
	o.fill(worker, id, "F10_service_log", answers{"service": "shelter", "date": "2026-11-23", "quantity": 1, "unit": "night", "provider": o.Org.ID, "outcome": "completed"})
	o.status(worker, id, "in_service")
	o.call(worker, "POST", "/api/cases/"+id+"/move", answers{"to": "closed"}, http.StatusConflict, nil)
	o.call(worker, "POST", "/api/cases/"+id+"/move", answers{"to": "follow_up", "id": newID()}, http.StatusOK, nil)
	o.Clock.Advance(time.Minute)
	c := closure
	c["goals_status"] = o.matrix("F27_closure", "goals_status", "met")
	o.fill(worker, id, "F27_closure", c)
	o.call(worker, "POST", "/api/cases/"+id+"/move", answers{"to": "closed"}, http.StatusConflict, nil)
	o.approve(boss, id, "F27_closure", "approved", http.StatusOK)
	o.Clock.Advance(time.Minute)
	o.call(worker, "POST", "/api/cases/"+id+"/move", answers{"to": "closed"}, http.StatusOK, nil)
	o.status(worker, id, "closed")
	if r := o.send(worker, o.entry(id, "F07_safety_plan", safetyPlan)); r[0].Status == "accepted" && o.Clock.Now().After(p.Header.Since) {
		o.Clock.Advance(time.Minute)
		if r := o.send(worker, o.entry(id, "F07_safety_plan", safetyPlan)); r[0].Status != "refused" {
			t.Errorf("a closed case takes a plan: %+v", r)
		}
	}
	o.rebuildEqualsLive()
	o.everyReadIsLogged(id)
}

// rebuildEqualsLive draws every projection again and compares.
func (o *office) rebuildEqualsLive() {
	o.t.Helper()
	before := o.tables()
	if _, err := o.journal.Rebuild(context.Background(), nil); err != nil {
		o.t.Fatal(err)
	}
	if after := o.tables(); after != before {
		o.t.Errorf("rebuilt tables differ from the live ones:\n%s\nlive\n%s", after, before)
	}
}

func (o *office) tables() string {
	var b strings.Builder
	for _, table := range o.projector.Tables() {
		order := "1, 2, 3"
		rows, err := o.DB.Query(context.Background(), "SELECT * FROM "+table.Name+" ORDER BY "+order[:4])
		if err != nil {
			o.t.Fatal(err)
		}
		cols, _ := rows.Columns()
		for rows.Next() {
			values := make([]any, len(cols))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				o.t.Fatal(err)
			}
			for _, v := range values {
				fmt.Fprintf(&b, "%x|", *v.(*any))
			}
			b.WriteString("\n")
		}
		rows.Close()
	}
	return b.String()
}

// everyReadIsLogged counts page openings against lines of the access log.
func (o *office) everyReadIsLogged(id string) {
	o.t.Helper()
	count := func() int {
		lines, err := o.journal.AccessOf(context.Background(), id, 1000, "")
		if err != nil {
			o.t.Fatal(err)
		}
		return len(lines)
	}
	before := count()
	worker := o.As(policy.CaseWorker)
	for range 3 {
		o.page(worker, id)
	}
	o.call(worker, "GET", "/api/today", nil, http.StatusOK, nil)
	o.call(worker, "GET", "/api/cases", nil, http.StatusOK, nil)
	o.call(worker, "POST", "/api/find", answers{"q": "Sreyleak"}, http.StatusOK, nil)
	if got := count() - before; got < 5 || got > 6 {
		o.t.Errorf("three pages, a list and a search gave %d lines in the access log, want five or six (Today may be empty)", got)
	}
	var log casework.AccessPage
	o.call(o.As(policy.Supervisor), "GET", "/api/cases/"+id+"/access", nil, http.StatusOK, &log)
	if len(log.Items) == 0 || log.Items[0].User == "" || log.Items[0].Because == "" && log.Items[0].Action == "case.open" {
		o.t.Errorf("who looked: %+v", log.Items)
	}
}

func TestSendingTwiceWritesOnce(t *testing.T) {
	o := newOffice(t, nil)
	worker := o.As(policy.CaseWorker)
	stream := newID()
	first := o.entry(stream, "F01_first_contact", firstContact)
	var opened, again casework.OpenedCase
	o.call(worker, "POST", "/api/cases", answers{"entries": []casework.NewEntry{first}}, http.StatusOK, &opened)
	o.Clock.Advance(time.Minute)
	o.call(worker, "POST", "/api/cases", answers{"entries": []casework.NewEntry{first}}, http.StatusOK, &again)
	if again.Case != opened.Case || again.Results[0].Status != "already" {
		t.Errorf("opened %+v, and again %+v", opened, again)
	}
	note := o.entry(stream, "F11_case_note", answers{"at": "2026-11-23T07:00:00Z", "mode": "call", "with": "her brother", "facts": "slept well", "next": "call again"})
	if r := o.send(worker, note, note); r[0].Status != "accepted" || r[1].Status != "already" {
		t.Errorf("the same note twice: %+v", r)
	}
	move := answers{"to": "follow_up", "id": newID()}
	o.call(worker, "POST", "/api/cases/"+stream+"/move", move, http.StatusConflict, nil)
	assign := answers{"worker": o.Users[policy.CaseWorker].ID, "supervisor": o.Users[policy.Supervisor].ID, "id": newID()}
	for range 2 {
		o.call(o.As(policy.Supervisor), "POST", "/api/cases/"+stream+"/assign", assign, http.StatusOK, nil)
	}
	if p := o.page(worker, stream); len(p.Timeline) != 5 || p.Code != opened.Case.Code {
		t.Errorf("%d entries, want opening, assignment, contact, note and one more assignment", len(p.Timeline))
	}
}

func TestTwoPeopleAtOnceLoseNothingAndOneSettles(t *testing.T) {
	o := newOffice(t, nil)
	worker, boss := o.As(policy.CaseWorker), o.As(policy.Supervisor)
	id, _ := o.open(worker, nil)
	o.fill(worker, id, "F02_screening", func() answers { s := screening; s["answers"] = o.matrix("F02_screening", "answers", "no"); return s }())
	o.fill(worker, id, "F03_consent", consent("yes"))
	reg := o.fill(worker, id, "F04_registration", o.registration())
	amend := func(c *servertest.Client, a answers, follows ...string) casework.Result {
		o.Clock.Advance(time.Minute)
		e := casework.NewEntry{ID: newID(), Stream: id, Form: "F04_registration", Version: 1, Act: "amend", Record: "F04_registration", Follows: follows, WrittenAt: o.Clock.Now(), Answers: a}
		return o.send(c, e)[0]
	}
	if r := amend(worker, answers{"first_name": "Sreyleak"}, reg.ID); r.Status != "refused" || r.Problems[0].Code != "unchanged" {
		t.Errorf("an amendment that changes nothing: %+v", r)
	}
	a := amend(worker, answers{"education": "1"}, reg.ID)
	b := amend(boss, answers{"living_situation": "group_residential"}, reg.ID)
	c := amend(boss, answers{"sex": "male"}, reg.ID)
	d := amend(worker, answers{"sex": "unknown"}, reg.ID)
	for _, r := range []casework.Result{b, c, d} {
		if r.Status != "accepted" {
			t.Fatalf("a late amendment was %s: %+v", r.Status, r.Problems)
		}
	}
	_ = a
	p := o.page(worker, id)
	if len(p.Disputes) != 1 || p.Disputes[0].Path != "sex" || len(p.Disputes[0].Values) != 2 {
		t.Fatalf("disputes %+v, want one over the sex", p.Disputes)
	}
	var today casework.Today
	o.call(worker, "GET", "/api/today", nil, http.StatusOK, &today)
	if today.Counts.Disputes != 1 {
		t.Errorf("today says %+v, want the dispute", today.Counts)
	}
	o.call(worker, "POST", "/api/cases/"+id+"/move", answers{"to": "follow_up"}, http.StatusConflict, nil)
	choice := p.Disputes[0].Values[1]
	if r := amend(worker, choice.Changes, p.Disputes[0].Heads...); r.Status != "accepted" {
		t.Fatalf("settling: %+v", r)
	}
	if p := o.page(worker, id); len(p.Disputes) != 0 || p.Header.Sex != choice.Value {
		t.Errorf("after settling: %+v, sex %s", p.Disputes, p.Header.Sex)
	}
	o.rebuildEqualsLive()
}

func TestNobodyApprovesHisOwnWorkAndAChangeFells(t *testing.T) {
	o := newOffice(t, nil)
	boss := o.As(policy.Supervisor)
	id, _ := o.open(o.As(policy.CaseWorker), nil)
	e := o.fill(boss, id, "F06_risk_assessment", assessment("low", "none"))
	a := o.call(boss, "POST", "/api/cases/"+id+"/approve", answers{"record": e.ID, "entry": e.ID, "decision": "approved"}, http.StatusConflict, nil)
	if !bytes.Contains(a.Body, []byte(`"own"`)) {
		t.Errorf("approving the own assessment: %s", a.Body)
	}
	e = o.fill(o.As(policy.CaseWorker), id, "F06_risk_assessment", assessment("low", "none"))
	o.call(boss, "POST", "/api/cases/"+id+"/approve", answers{"record": e.ID, "entry": e.ID, "decision": "approved"}, http.StatusOK, nil)
	o.Clock.Advance(time.Minute)
	change := casework.NewEntry{ID: newID(), Stream: id, Form: e.Form, Version: 1, Act: "amend", Record: e.ID, Follows: []string{e.ID}, WrittenAt: o.Clock.Now(), Answers: answers{"strengths": "two brothers"}}
	if r := o.send(o.As(policy.CaseWorker), change); r[0].Status != "accepted" {
		t.Fatalf("%+v", r)
	}
	for _, ap := range o.page(boss, id).Approvals {
		if ap.Record == e.ID && (ap.State != "pending" || !ap.Fell) {
			t.Errorf("after a change the approval is %s, want it to have fallen", ap.State)
		}
	}
	o.call(boss, "POST", "/api/cases/"+id+"/approve", answers{"record": e.ID, "entry": e.ID, "decision": "approved"}, http.StatusConflict, nil)
}

// Acting without consent is looked at by somebody who did not do it: the
// supervisor finds it in the inbox with its reason, and it goes when seen.
func TestAnOverrideWaitsInTheInboxUntilAnotherPersonLooked(t *testing.T) {
	o := newOffice(t, nil)
	worker, boss := o.As(policy.CaseWorker), o.As(policy.Supervisor)
	id, _ := o.open(worker, nil)
	s := screening
	s["answers"] = o.matrix("F02_screening", "answers", "unknown")
	o.fill(worker, id, "F02_screening", s)
	a := consent("no")
	a["override"], a["override_reason"] = true, "She is in danger tonight; best interests, Child Law article 3."
	e := o.fill(worker, id, "F03_consent", a)
	var inbox casework.Inbox
	o.call(boss, "GET", "/api/inbox", nil, http.StatusOK, &inbox)
	if len(inbox.Looks) != 1 || inbox.Looks[0].Record != e.ID || !inbox.Looks[0].MayI || inbox.Looks[0].DueAt == nil {
		t.Fatalf("the inbox asks for a look at %+v", inbox.Looks)
	}
	look := inbox.Looks[0]
	last := look.Summary[len(look.Summary)-1]
	if !strings.Contains(last.Text, "Child Law article 3") {
		t.Errorf("the reason is not shown: %+v", look.Summary)
	}
	var record casework.RecordPage
	o.call(worker, "GET", "/api/cases/"+id+"/records/"+e.ID, nil, http.StatusOK, &record)
	if len(record.Looks) != 1 || record.Looks[0].MayLook {
		t.Errorf("who wrote it may look it over: %+v", record.Looks)
	}
	o.call(worker, "POST", "/api/cases/"+id+"/acknowledge", answers{"clock": look.Clock, "record": look.Record}, http.StatusNotFound, nil)
	o.Clock.Advance(time.Minute)
	for range 2 { // twice with one id is once
		o.call(boss, "POST", "/api/cases/"+id+"/acknowledge", answers{"clock": look.Clock, "record": look.Record, "id": "0190d1b0-5f00-7000-8000-0000000000aa"}, http.StatusOK, nil)
	}
	o.call(boss, "GET", "/api/inbox", nil, http.StatusOK, &inbox)
	if len(inbox.Looks) != 0 {
		t.Errorf("what was seen still waits: %+v", inbox.Looks)
	}
	o.call(boss, "POST", "/api/cases/"+id+"/acknowledge", answers{"clock": look.Clock, "record": look.Record}, http.StatusConflict, nil)
	o.rebuildEqualsLive()
}

func TestARefusalSpeaksItsReadersLanguage(t *testing.T) {
	o := newOffice(t, nil)
	worker := o.As(policy.CaseWorker)
	id, _ := o.open(worker, nil)
	o.call(worker, "PATCH", "/api/me", answers{"lang": "vi"}, http.StatusOK, nil)
	r := o.send(worker, o.entry(id, "F04_registration", o.registration()))
	if len(r[0].Problems) == 0 || !strings.Contains(r[0].Problems[0].Message, "sự đồng ý") {
		t.Errorf("a registration without consent: %+v", r[0].Problems)
	}
	for _, x := range []struct {
		path string
		in   answers
		want string
	}{
		{"/api/cases/" + id + "/break-glass", answers{"reason": "ngắn"}, "ít nhất 20 ký tự"},
		{"/api/find", answers{}, "hãy nhập tên"},
	} {
		if a := o.call(worker, "POST", x.path, x.in, http.StatusUnprocessableEntity, nil); !bytes.Contains(a.Body, []byte(x.want)) {
			t.Errorf("%s: %s, want %q", x.path, a.Body, x.want)
		}
	}
}

func TestBreakingTheGlassLastsAnHourAndTellsTwo(t *testing.T) {
	o := newOffice(t, nil)
	id, _ := o.open(o.As(policy.CaseWorker), nil)
	other := o.AddUser(identity.NewUser{Org: o.Org.ID, Login: "night.river", Name: "Night worker", Roles: []string{policy.CaseWorker}})
	night := o.SignedIn(other.ID)
	absent := o.call(night, "GET", "/api/cases/"+newID(), nil, http.StatusNotFound, nil)
	if a := o.call(night, "GET", "/api/cases/"+id, nil, http.StatusNotFound, nil); !bytes.Equal(a.Body, absent.Body) {
		t.Errorf("denied %s and absent %s differ", a.Body, absent.Body)
	}
	o.call(night, "POST", "/api/cases/"+id+"/break-glass", answers{"reason": "short"}, http.StatusUnprocessableEntity, nil)
	o.call(night, "POST", "/api/cases/"+id+"/break-glass", answers{"reason": "she stands at the door and a man follows her"}, http.StatusOK, nil)
	o.page(night, id)
	for _, who := range []string{policy.Supervisor, policy.Auditor} {
		var today casework.Today
		o.call(o.As(who), "GET", "/api/today", nil, http.StatusOK, &today)
		told := false
		for _, g := range today.Groups {
			for _, i := range g.Items {
				told = told || i.Kind == "glass"
			}
		}
		if !told {
			t.Errorf("the %s was not told", who)
		}
	}
	o.Clock.Advance(61 * time.Minute)
	o.call(o.SignedIn(other.ID), "GET", "/api/cases/"+id, nil, http.StatusNotFound, nil)
}

func TestAnExclusionBeatsEverything(t *testing.T) {
	o := newOffice(t, nil)
	worker, boss := o.As(policy.CaseWorker), o.As(policy.Supervisor)
	id, code := o.open(worker, nil)
	o.call(boss, "POST", "/api/cases/"+id+"/exclusions", answers{"user": o.Users[policy.CaseWorker].ID, "on": true, "reason": "she knows the family"}, http.StatusOK, nil)
	for _, path := range []string{"/api/cases/" + id, "/api/cases/" + id + "/access", "/api/cases/" + id + "/prefill/F02_screening"} {
		o.call(worker, "GET", path, nil, http.StatusNotFound, nil)
	}
	if r := o.send(worker, o.entry(id, "F07_safety_plan", safetyPlan)); r[0].Status != "refused" || r[0].Problems[0].Code != "denied_or_absent" {
		t.Errorf("an excluded worker writes: %+v", r)
	}
	for _, call := range []struct {
		method, path string
		in           any
	}{{"GET", "/api/today", nil}, {"GET", "/api/cases?scope=organisation", nil}, {"POST", "/api/find", answers{"q": code}}} {
		if a := o.call(worker, call.method, call.path, call.in, http.StatusOK, nil); bytes.Contains(a.Body, []byte(id)) {
			t.Errorf("%s shows an excluded case", call.path)
		}
	}
	o.call(boss, "POST", "/api/cases/"+id+"/exclusions", answers{"user": o.Users[policy.CaseWorker].ID, "on": false, "reason": "it was a mistake"}, http.StatusOK, nil)
	o.page(worker, id)
}

func TestAPictureLosesItsMetadataAndABombIsRefused(t *testing.T) {
	o := newOffice(t, nil)
	worker := o.As(policy.CaseWorker)
	id, _ := o.open(worker, nil)
	var pic bytes.Buffer
	if err := jpeg.Encode(&pic, image.NewRGBA(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	secret := []byte("GPS 11.5564 104.9282")
	exif := append([]byte{0xFF, 0xE1, 0, byte(len(secret) + 8)}, append([]byte("Exif\x00\x00"), secret...)...)
	picture := append(append(append([]byte{}, pic.Bytes()[:2]...), exif...), pic.Bytes()[2:]...)
	upload := func(name string, content []byte) servertest.Answer { return o.upload(worker, id, name, content) }
	a := upload("IMG 001.jpg", picture)
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	var f casework.StoredFile
	a.Into(t, &f)
	got := o.call(worker, "GET", "/api/cases/"+id+"/files/"+f.ID, nil, http.StatusOK, nil)
	if bytes.Contains(got.Body, secret) || len(got.Body) < 100 || got.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("the copy has %d bytes of %s, with the place it was taken: %v", len(got.Body), got.Header.Get("Content-Type"), bytes.Contains(got.Body, secret))
	}
	if files := o.page(worker, id).Files; len(files) != 1 || files[0].Name != "IMG 001.jpg" || files[0].SHA256 == "" || files[0].State != "cleaned" || f.State != "cleaned" {
		t.Errorf("files %+v", files)
	}
	o.call(o.As(policy.Lawyer), "GET", "/api/cases/"+id+"/files/"+f.ID, nil, http.StatusNotFound, nil)
	huge := pngHeader(60_000, 60_000)
	for name, content := range map[string][]byte{"huge.png": huge, "page.html": []byte("<html><script>alert(1)</script></html>"), "program.exe": []byte("MZ\x90\x00\x03"), "empty.txt": {}, "bomb.docx": zipBomb(t)} {
		if a := upload(name, content); a.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	var n int
	if err := o.DB.QueryRow(context.Background(), `SELECT count(*) FROM file_blob`).Scan(&n); err != nil || n != 2 {
		t.Errorf("%d blobs are kept (%v), want the original and its copy", n, err)
	}
}

// upload sends a file as the app does.
func (o *office) upload(by *servertest.Client, id, name string, content []byte) servertest.Answer {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, _ := w.CreateFormFile("file", name)
	_, _ = part.Write(content)
	w.Close()
	by.Header["Content-Type"] = w.FormDataContentType()
	defer delete(by.Header, "Content-Type")
	return by.Call("POST", "/api/cases/"+id+"/files", b.Bytes())
}

// A sound with the recorder's serial number: who works on the case hears the
// sound; the supervisor, who has shown who she is, may take it as it came to a
// court, and the log says so. Nobody else learns that it is there.
func TestTheOriginalOfAFileHasItsOwnRightAndItsOwnLine(t *testing.T) {
	o := newOffice(t, nil)
	worker, supervisor := o.As(policy.CaseWorker), o.As(policy.Supervisor)
	id, _ := o.open(worker, nil)
	sound := append([]byte("RIFF\x50\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00pcm!bext\x10\x00\x00\x00"), "SerialPLANTED042"...)
	var f, text casework.StoredFile
	o.upload(worker, id, "voice.wav", sound).Into(t, &f)
	o.upload(worker, id, "note.txt", []byte("Dear school")).Into(t, &text)
	path := "/api/cases/" + id + "/files/" + f.ID
	if got := o.call(worker, "GET", path, nil, http.StatusOK, nil); bytes.Contains(got.Body, []byte("SerialPLANTED")) || !bytes.Contains(got.Body, []byte("pcm!")) {
		t.Errorf("the worker opens %q", got.Body)
	}
	o.call(worker, "GET", path+"/original", nil, http.StatusNotFound, nil)
	o.call(o.As(policy.Lawyer), "GET", path+"/original", nil, http.StatusNotFound, nil)
	if got := o.call(supervisor, "GET", path+"/original", nil, http.StatusOK, nil); !bytes.Equal(got.Body, sound) {
		t.Errorf("the supervisor takes %q, not the file as it came", got.Body)
	}
	states := map[string]string{}
	for _, f := range o.page(worker, id).Files {
		states[f.Name] = f.State
	}
	if states["voice.wav"] != "cleaned" || states["note.txt"] != "plain" {
		t.Errorf("the case page says %v", states)
	}
	var log casework.AccessPage
	o.call(supervisor, "GET", "/api/cases/"+id+"/access", nil, http.StatusOK, &log)
	n := 0
	for _, l := range log.Items {
		if l.Action == "file.original" && l.UserID == o.Users[policy.Supervisor].ID {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d lines of an original that was taken once", n)
	}
	o.Clock.Advance(10 * time.Minute)
	o.call(supervisor, "GET", path+"/original", nil, http.StatusForbidden, nil)
	// One that came before there were copies of its kind is cleaned when it is opened.
	if _, err := o.DB.Exec(context.Background(), `DELETE FROM file_blob WHERE kind = 'clean'`); err != nil {
		t.Fatal(err)
	}
	if got := o.call(worker, "GET", path, nil, http.StatusOK, nil); bytes.Contains(got.Body, []byte("SerialPLANTED")) || !bytes.Contains(got.Body, []byte("pcm!")) {
		t.Errorf("without a copy the worker opens %q", got.Body)
	}
	o.rebuildEqualsLive()
}

// Paper leaves every lock behind: that somebody took a case there is a reading
// with a purpose of its own, and only for who may read it.
func TestAPrintIsLoggedWithItsPurpose(t *testing.T) {
	o := newOffice(t, nil)
	worker := o.As(policy.CaseWorker)
	id, code := o.open(worker, nil)
	var p casework.Printed
	o.call(worker, "POST", "/api/cases/"+id+"/print", answers{}, http.StatusOK, &p)
	if p.Code != code || p.By != "River case_worker" || !p.At.Equal(o.Clock.Now()) {
		t.Errorf("printed %+v", p)
	}
	var log casework.AccessPage
	o.call(o.As(policy.Supervisor), "GET", "/api/cases/"+id+"/access", nil, http.StatusOK, &log)
	n := 0
	for _, l := range log.Items {
		if l.Action == "case.print" && l.Purpose == "print" && l.UserID == o.Users[policy.CaseWorker].ID && slices.Contains(l.Tiers, string(journal.Identity)) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d lines of a print in %+v", n, log.Items)
	}
	o.call(worker, "POST", "/api/cases/"+id+"/print", answers{"record": newID()}, http.StatusNotFound, nil)
	o.call(o.As(policy.Lawyer), "POST", "/api/cases/"+id+"/print", answers{}, http.StatusNotFound, nil)
}

// A phone that lost the answer sends its file again, under the same id.
func TestAFileSentTwiceIsKeptOnce(t *testing.T) {
	o := newOffice(t, nil)
	worker := o.As(policy.CaseWorker)
	id, _ := o.open(worker, nil)
	upload := func(file, text string, status int) {
		t.Helper()
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.WriteField("id", file)
		part, _ := w.CreateFormFile("file", "letter.txt")
		_, _ = part.Write([]byte(text))
		w.Close()
		worker.Header["Content-Type"] = w.FormDataContentType()
		defer delete(worker.Header, "Content-Type")
		o.call(worker, "POST", "/api/cases/"+id+"/files", b.Bytes(), status, nil)
	}
	file := newID()
	upload(file, "Dear school", http.StatusOK)
	o.Clock.Advance(time.Minute)
	upload(file, "Dear school", http.StatusOK)
	upload(file, "other words under the same id", http.StatusConflict)
	upload("not an id", "Dear school", http.StatusUnprocessableEntity)
	if files := o.page(worker, id).Files; len(files) != 1 || files[0].ID != file {
		t.Errorf("files %+v", files)
	}
	if got := o.call(worker, "GET", "/api/cases/"+id+"/files/"+file, nil, http.StatusOK, nil); string(got.Body) != "Dear school" {
		t.Errorf("the file holds %q", got.Body)
	}
	o.rebuildEqualsLive()
}

func TestMistakesAreNamedAndNothingIsStored(t *testing.T) {
	o := newOffice(t, nil)
	worker := o.As(policy.CaseWorker)
	id, _ := o.open(worker, nil)
	good := answers{"at": "2026-11-23T07:00:00Z", "mode": "call", "with": "her brother", "facts": "slept well", "next": "call again"}
	with := func(k string, v any) answers {
		out := answers{}
		for a, b := range good {
			out[a] = b
		}
		out[k] = v
		return out
	}
	for name, c := range map[string]struct {
		a          answers
		path, code string
	}{
		"unknown field": {with("colour", "violet"), "answers.colour", "unknown_field"},
		"wrong type":    {with("facts", 7), "answers.facts", "type"},
		"wrong code":    {with("mode", "pigeon"), "answers.mode", "code"},
		"too long":      {with("facts", strings.Repeat("a", 20_001)), "answers.facts", "too_long"},
		"missing":       {with("facts", nil), "answers.facts", "required"},
		"in the future": {with("at", "2027-01-01T00:00:00Z"), "answers.at", "constraint"},
	} {
		r := o.send(worker, o.entry(id, "F11_case_note", c.a))[0]
		if r.Status != "refused" || len(r.Problems) == 0 || r.Problems[0].Path != c.path || r.Problems[0].Code != c.code {
			t.Errorf("%s: %+v, want %s at %s", name, r, c.code, c.path)
		}
		text, _ := json.Marshal(r)
		if bytes.Contains(text, []byte("pigeon")) || bytes.Contains(text, []byte("violet")) {
			t.Errorf("%s: the answer repeats what was sent", name)
		}
	}
	if r := o.send(worker, o.entry(id, "act.approve", answers{"decision": "approved"}))[0]; r.Status != "refused" {
		t.Errorf("an act of the system came through the entries' door: %+v", r)
	}
	if r := o.send(worker, o.entry(newID(), "F11_case_note", good))[0]; r.Status != "refused" || r.Problems[0].Code != "denied_or_absent" {
		t.Errorf("a note in a case that is not there: %+v", r)
	}
	if p := o.page(worker, id); len(p.Timeline) != 3 {
		t.Errorf("%d entries stand, want the three of the opening", len(p.Timeline))
	}
	bad := o.entry(newID(), "F01_first_contact", answers{"channel": "in_person"})
	o.call(worker, "POST", "/api/cases", answers{"entries": []casework.NewEntry{bad}}, http.StatusUnprocessableEntity, nil)
	var n int
	if err := o.DB.QueryRow(context.Background(), `SELECT count(*) FROM stream`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d streams, want one: a refused first contact opens nothing (%v)", n, err)
	}
}
