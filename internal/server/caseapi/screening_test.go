package caseapi_test

// Screening at the door: the result is the server's own, whoever sends what.

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"banyan/internal/casework"
	"banyan/internal/policy"
	"banyan/internal/server/servertest"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

func TestTheServerComputesTheResultOfAScreening(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) { screened(t, newOffice(t, db)) })
}

func screened(t *testing.T, o *office) {
	worker, boss := o.As(policy.CaseWorker), o.As(policy.Supervisor)
	id, _ := o.open(worker, nil)
	kiln := answers{}
	maps.Copy(kiln, screening)
	kiln["act"], kiln["answers"] = []string{"recruitment"}, answers{"D4.low_salary": "yes", "D4.wage_manip": "yes", "D4.hazardous": "yes"}

	forged := answers{}
	maps.Copy(forged, kiln)
	forged["instrument_version"] = "mine"
	forged["result_auto"] = answers{"class": "no_indication", "instrument": "mine", "note": "planted"}
	first := o.fill(worker, id, "F02_screening", forged)
	view := func(c *servertest.Client) (casework.RecordPage, map[string]any) {
		t.Helper()
		var page casework.RecordPage
		o.call(c, "GET", "/api/cases/"+id+"/records/"+first.Record, nil, http.StatusOK, &page)
		result, _ := page.Answers["result_auto"].(map[string]any)
		return page, result
	}
	page, result := view(worker)
	if result["class"] != "presumed_child_trafficking" || result["note"] != nil || result["status"] != "unverified" || page.Answers["instrument_version"] != "ilo-ec-delphi-2009" {
		t.Fatalf("a forged result is kept: %v, version %v", result, page.Answers["instrument_version"])
	}

	amend := func(c *servertest.Client, a answers, follows ...string) casework.Result {
		o.Clock.Advance(time.Minute)
		return o.send(c, casework.NewEntry{ID: newID(), Stream: id, Form: "F02_screening", Version: 2, Act: "amend", Record: first.Record, Follows: follows, WrittenAt: o.Clock.Now(), Answers: a})[0]
	}
	if r := amend(worker, answers{"result_auto": answers{"class": "no_indication"}, "instrument_version": "mine"}, first.ID); r.Status != "refused" || r.Problems[0].Code != "unchanged" {
		t.Errorf("an amendment of nothing but the result: %+v", r)
	}
	if r := amend(worker, answers{"profile": "adult_labour"}, first.ID); r.Status != "refused" || r.Problems[0].Path != "answers.adult_certain" {
		t.Errorf("an adult's profile without a word on the age: %+v", r)
	}

	// Two people change it without knowing of each other.
	a := amend(worker, answers{"answers": answers{"D4.hazardous": "no"}}, first.ID)
	b := amend(boss, answers{"answers": answers{"D4.hazardous": "unknown", "D5.debt": "yes"}}, first.ID)
	if a.Status != "accepted" || b.Status != "accepted" {
		t.Fatalf("%+v, %+v", a, b)
	}
	page, result = view(worker)
	if result["class"] != "child_protection_check" || len(page.Disputes) != 1 || page.Disputes[0].Path != "answers.D4.hazardous" {
		t.Errorf("in dispute: %v, disputes %+v", result, page.Disputes)
	}
	if notes, _ := result["notes"].([]any); !strings.Contains(strings.Join(asTexts(notes), " "), "disputed") {
		t.Errorf("the result does not say that it is in dispute: %v", result)
	}
	if r := amend(boss, page.Disputes[0].Values[0].Changes, page.Disputes[0].Heads...); r.Status != "accepted" {
		t.Fatalf("settling: %+v", r)
	}
	if page, result = view(worker); len(page.Disputes) != 0 || result["disputed"] != nil {
		t.Errorf("settled: %v, disputes %+v", result, page.Disputes)
	}

	// The profile is corrected: another set of weights and rules.
	if r := amend(worker, answers{"profile": "adult_labour", "adult_certain": true}, page.Heads...); r.Status != "accepted" {
		t.Fatalf("correcting the profile: %+v", r)
	}
	if page, result = view(worker); result["child"] != false || result["class"] != "subthreshold_signs" {
		t.Errorf("as an adult: %v", result)
	}
	if r := amend(worker, answers{"profile": "sexual_exploitation", "adult_certain": false}, page.Heads...); r.Status != "accepted" {
		t.Fatalf("the specialist's way: %+v", r)
	}
	if page, result = view(worker); result["scored"] != false || result["class"] != "presumed_child_trafficking" || page.Answers["answers"] != nil {
		t.Errorf("the specialist's way: %v", result)
	}
	var shown casework.Page
	o.call(worker, "GET", "/api/cases/"+id, nil, http.StatusOK, &shown)
	said := false
	for _, item := range shown.Timeline {
		for _, line := range item.Summary {
			said = said || !line.Words && strings.HasPrefix(line.Text, "Presumed child trafficking: Exploitative conditions of work")
		}
	}
	if !said {
		t.Error("the timeline does not say the result")
	}
	o.rebuildEqualsLive()
	o.everyReadIsLogged(id)
}

func asTexts(list []any) (out []string) {
	for _, v := range list {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

// TestARefusalIsNoNegative: who refused every question was not found to be
// safe, and the server does not let it be written down so.
func TestARefusalIsNoNegative(t *testing.T) {
	o := newOffice(t, nil)
	worker := o.As(policy.CaseWorker)
	id, _ := o.open(worker, nil)
	refused := answers{}
	maps.Copy(refused, screening)
	refused["answers"] = o.matrix("F02_screening", "answers", "refused")
	refused["status"], refused["identification_stage"], refused["next_step"] = "not_a_victim", "screened_negative", "information_only"
	r := o.send(worker, o.entry(id, "F02_screening", refused))[0]
	if r.Status != "refused" || r.Problems[0].Path != "answers.identification_stage" || r.Problems[0].Code != "not_negative" {
		t.Fatalf("all refused, written down as negative: %+v", r)
	}
	refused["answers"] = o.matrix("F02_screening", "answers", "no")
	if r := o.send(worker, o.entry(id, "F02_screening", refused))[0]; r.Status != "accepted" {
		t.Errorf("all answered with no: %+v", r)
	}
}

// TestWithoutTheStoryNoResultIsSeen: the lawyer of a case reads identity and
// legal matters, not what was told.
func TestWithoutTheStoryNoResultIsSeen(t *testing.T) {
	o := newOffice(t, nil)
	worker, lawyer := o.As(policy.CaseWorker), o.As(policy.Lawyer)
	id, _ := o.open(worker, nil)
	kiln := answers{}
	maps.Copy(kiln, screening)
	kiln["answers"] = answers{"D4.hours": "yes"}
	first := o.fill(worker, id, "F02_screening", kiln)
	o.call(o.As(policy.Supervisor), "POST", "/api/cases/"+id+"/assign", answers{"lawyer": o.Users[policy.Lawyer].ID}, http.StatusOK, nil)
	for _, path := range []string{"/api/cases/" + id, "/api/cases/" + id + "/records/" + first.Record} {
		if a := o.call(lawyer, "GET", path, nil, http.StatusOK, nil); strings.Contains(string(a.Body), "child_protection") || strings.Contains(string(a.Body), "D4.hours") {
			t.Errorf("%s tells the lawyer of the screening: %s", path, a.Body)
		}
	}
}
