package caseapi_test

import (
	"net/http"
	"testing"
	"time"

	"banyan/internal/casework"
	"banyan/internal/policy"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

// register opens and registers a child of a case worker, with some answers of
// its own.
func (o *office) register(role string, own answers) string {
	o.t.Helper()
	worker := o.As(role)
	id, _ := o.open(worker, answers{"nickname": own["first_name"]})
	o.fill(worker, id, "F03_consent", consent("yes"))
	a := o.registration()
	a["case_worker"] = o.Users[role].ID
	for k, v := range own {
		a[k] = v
	}
	o.fill(worker, id, "F04_registration", a)
	return id
}

func (o *office) alike(role, id string) []casework.AlikeCase {
	o.t.Helper()
	var out []casework.AlikeCase
	o.call(o.As(role), "GET", "/api/cases/"+id+"/alike", nil, http.StatusOK, &out)
	return out
}

func (o *office) knownHere(role string) []casework.KnownHere {
	o.t.Helper()
	var out []casework.KnownHere
	o.call(o.As(role), "GET", "/api/today/alike", nil, http.StatusOK, &out)
	return out
}

// TestAChildWhoIsKnownHereIsNotRegisteredAsAnother follows two registrations of
// one child, written in two ways, to the decision of a person.
func TestAChildWhoIsKnownHereIsNotRegisteredAsAnother(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		o := newOffice(t, db)
		worker := o.As(policy.CaseWorker)
		home := answers{"country": "KHM", "adm1": "KH12", "adm2": "KH1201"}
		first := o.register(policy.CaseWorker, answers{"home_location": home, "first_name": "Sreyleak"})
		again := o.register(policy.CaseWorker, answers{"home_location": home, "first_name": "Keo", "last_name": "SREYLEAK", "other_names": []string{}, "phones": []string{}})
		other := o.register(policy.CaseWorker, answers{"home_location": home, "first_name": "Bopha", "last_name": "Chan", "other_names": []string{}, "phones": []string{}})

		if got := o.alike(policy.CaseWorker, again); len(got) != 1 || got[0].ID != first || got[0].Verdict != "same" || got[0].Decided != "" || got[0].Code == "" {
			t.Fatalf("the second registration is like %+v", got)
		}
		if got := o.alike(policy.CaseWorker, other); len(got) != 0 {
			t.Errorf("another child is like %+v", got)
		}
		if got := o.knownHere(policy.CaseWorker); len(got) != 2 || got[0].Others != 1 || got[0].Verdict != "same" || got[0].Code == "" {
			t.Errorf("Today is told %+v, want the two registrations", got)
		}
		if got := o.knownHere(policy.Supervisor); len(got) != 0 {
			t.Errorf("whose own cases they are not is told %+v", got)
		}
		if r := o.call(worker, "POST", "/api/cases/"+again+"/alike", answers{"other": newID(), "same": true}, http.StatusNotFound, nil); r.Status != 404 {
			t.Error("a case that is not there was decided on")
		}
		o.call(worker, "POST", "/api/cases/"+again+"/alike", answers{"other": first, "same": false}, http.StatusOK, nil)
		if got := o.alike(policy.CaseWorker, again); len(got) != 1 || got[0].Decided != "different" {
			t.Errorf("after the decision: %+v", got)
		}
		if got := o.knownHere(policy.CaseWorker); len(got) != 0 {
			t.Errorf("Today asks again what was decided: %+v", got)
		}
		if got := o.alike(policy.CaseWorker, first); len(got) != 1 || got[0].Decided != "different" {
			t.Errorf("the decision is not seen from the other case: %+v", got)
		}
		o.Clock.Advance(time.Second)
		o.call(worker, "POST", "/api/cases/"+first+"/alike", answers{"other": again, "same": true}, http.StatusOK, nil)
		if got := o.alike(policy.CaseWorker, again); len(got) != 1 || got[0].Decided != "same" {
			t.Errorf("the later decision does not stand: %+v", got)
		}
		if page := o.page(worker, again); page.Timeline[0].Title != "Compared with another case" {
			t.Errorf("the newest entry is %q", page.Timeline[0].Title)
		}
		for _, stream := range []string{first, again} {
			if page := o.page(worker, stream); page.Header.Status == "closed" || page.Code == "" {
				t.Errorf("a decision changed the case: %+v", page.Header)
			}
		}
	})
}

// TestWhoMayNotOpenTheOtherCaseHearsNothingOfIt excludes the worker from the
// first case: the answer is the one of a child who was never here.
func TestWhoMayNotOpenTheOtherCaseHearsNothingOfIt(t *testing.T) {
	o := newOffice(t, nil)
	first := o.register(policy.CaseWorker, answers{"first_name": "Sreyleak"})
	again := o.register(policy.CaseWorker, answers{"first_name": "Sreyleak"})
	if got := o.alike(policy.CaseWorker, again); len(got) != 1 {
		t.Fatalf("before: %+v", got)
	}
	o.call(o.As(policy.Supervisor), "POST", "/api/cases/"+first+"/exclusions", answers{"user": o.Users[policy.CaseWorker].ID, "on": true, "reason": "a relative"}, http.StatusOK, nil)
	if got := o.alike(policy.CaseWorker, again); len(got) != 0 {
		t.Errorf("the case is named: %+v", got)
	}
	if got := o.knownHere(policy.CaseWorker); len(got) != 0 {
		t.Errorf("Today hints at a case that may not be opened: %+v", got)
	}
	absent := o.As(policy.CaseWorker).Call("POST", "/api/cases/"+again+"/alike", answers{"other": newID(), "same": true})
	denied := o.As(policy.CaseWorker).Call("POST", "/api/cases/"+again+"/alike", answers{"other": first, "same": true})
	if denied.Status != http.StatusNotFound || string(denied.Body) != string(absent.Body) {
		t.Errorf("denied %s, absent %s", denied.Body, absent.Body)
	}
}

// TestOnlyNewCasesAreComparedForToday lets a month go by: Today stays quick
// because it does not compare a whole caseload.
func TestOnlyNewCasesAreComparedForToday(t *testing.T) {
	o := newOffice(t, nil)
	o.register(policy.CaseWorker, answers{"first_name": "Sreyleak"})
	again := o.register(policy.CaseWorker, answers{"first_name": "Sreyleak"})
	if got := o.knownHere(policy.CaseWorker); len(got) != 2 {
		t.Fatalf("while they are new: %+v", got)
	}
	o.Clock.Advance(29 * 24 * time.Hour)
	if got := o.knownHere(policy.CaseWorker); len(got) != 0 {
		t.Errorf("after a month: %+v", got)
	}
	if got := o.alike(policy.CaseWorker, again); len(got) != 1 {
		t.Errorf("the case page forgot it: %+v", got)
	}
}
