package content_test

// The forms at work: each accepts an ordinary set of answers, and each of the researcher's rules that could be
// written as an expression refuses what it is there to refuse. Cases are from practice, people are invented.

import (
	"os"
	"strings"
	"testing"
	"time"

	"banyan/content"
	"banyan/internal/forms"
)

func library(t *testing.T) *forms.Library {
	t.Helper()
	lib, faults := forms.Load(content.FS)
	for _, f := range faults {
		t.Error(f)
	}
	return lib
}

func env() forms.Env {
	return forms.Env{Now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.FixedZone("", 7*3600)),
		Auto: func(path string) any { return "auto:" + path }}
}

// ordinary reads the ordinary answers of every form, fresh for each call.
func ordinary(t *testing.T) map[string]map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]any{}
	decode(t, "testdata/answers.yaml", data, &out)
	for id, answers := range out {
		out[id] = asJSON(answers).(map[string]any)
	}
	return out
}

// asJSON turns YAML's whole numbers into JSON's numbers.
func asJSON(v any) any {
	switch x := v.(type) {
	case int:
		return float64(x)
	case []any:
		for i := range x {
			x[i] = asJSON(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = asJSON(x[k])
		}
	}
	return v
}

func TestContentHasNoFaultForTheEngine(t *testing.T) {
	lib := library(t)
	if n := len(lib.Forms()); n != 28 {
		t.Errorf("%d forms loaded, wanted 28", n)
	}
}

func TestEveryFormAcceptsAnOrdinarySetOfAnswers(t *testing.T) {
	lib := library(t)
	all := ordinary(t)
	for _, f := range lib.Forms() {
		answers, ok := all[f.ID]
		if !ok {
			t.Errorf("%s has no ordinary answers", f.ID)
			continue
		}
		strict := env()
		strict.Strict = true
		_, problems := f.Check(answers, strict)
		for _, p := range problems {
			t.Errorf("%s refuses %s: %s (%s)", f.ID, p.Path, p.Message, p.Code)
		}
	}
}

func TestRulesOfPracticeAreHeld(t *testing.T) {
	lib := library(t)
	type change map[string]any
	for _, c := range []struct {
		name   string
		form   string
		change change // nil takes an answer away
		at     string // where the problem must be; "" when there must be none
	}{
		{"a child in danger is not left with a leaflet", "F01_first_contact", change{"safe_now": "no"}, "action"},
		{"an urgent illness needs help now", "F01_first_contact", change{"medical_urgent": true}, "action"},
		{"danger with child protection called is fine", "F01_first_contact",
			change{"safe_now": "no", "action": []any{"ref_child_protection"}}, ""},
		{"no age and no doubt do not go together", "F01_first_contact", change{"age_declared": nil}, "age_basis"},
		{"no age is a presumed child", "F01_first_contact",
			change{"age_declared": nil, "age_basis": "presumed_child"}, ""},
		{"do not contact stands alone", "F01_first_contact",
			change{"safe_contact": []any{"no_contact", "call_hours"}}, "safe_contact"},
		{"nothing is asked where others listen", "F01_first_contact",
			change{"alone": false, "nickname": nil, "safe_contact": nil, "wishes": nil}, ""},
		{"a contact of tomorrow is refused", "F01_first_contact",
			change{"contact_at": "2026-11-23T09:30:00+07:00"}, "contact_at"},

		{"without explanation there is only observation", "F02_screening", change{"consent_asked": false}, "consent_asked"},
		{"observation needs no questions", "F02_screening",
			change{"consent_asked": false, "mode": "observation", "answers": nil}, ""},
		{"the brief questions alone are a screening", "F02_screening",
			change{"answers": nil, "brief": map[string]any{"S1.papers": "yes"}}, ""},
		{"a screening asks something", "F02_screening", change{"answers": nil}, "answers"},
		{"another judgement needs its reason", "F02_screening", change{"worker_judgement": "higher"}, "judgement_reason"},
		{"sexual exploitation is not scored", "F02_screening",
			change{"profile": "sexual_exploitation", "adult_certain": false, "answers": nil, "next_step": "full_assessment"}, ""},
		{"whoever is not screened as a child is asked about the age", "F02_screening",
			change{"profile": "adult_labour"}, "adult_certain"},
		{"a child with signs is not sent away with information", "F02_screening",
			change{"next_step": "information_only"}, "next_step"},
		{"a possible victim is not screened negative", "F02_screening",
			change{"identification_stage": "screened_negative"}, "identification_stage"},

		{"an unsafe caregiver is not asked", "F03_consent", change{"obtained_from": "caregiver"}, "obtained_from"},
		{"a safe caregiver may be asked", "F03_consent",
			change{"obtained_from": "caregiver", "caregiver_implicated": "no"}, ""},
		{"a child's story is not for the media", "F03_consent", change{"scopes.media": "yes"}, "scopes"},
		{"every scope is asked", "F03_consent", change{"scopes.tracing": nil}, "scopes.tracing"},
		{"an override says why", "F03_consent", change{"override": true}, "override_reason"},
		{"the review comes after", "F03_consent", change{"review_date": "2026-11-20"}, "review_date"},
		{"nobody withdraws before agreeing", "F03_consent", change{"withdrawn_at": "2026-11-19"}, "withdrawn_at"},

		{"nobody supervises their own case", "F04_registration", change{"supervisor": "user-1"}, "supervisor"},
		{"a date of birth does not hide in the age", "F04_registration",
			change{"age": map[string]any{"years": 15.0, "observed_on": "2026-11-20", "dob": "2011-05-01"}}, "age"},
		{"a birth in the future is refused", "F04_registration", change{"dob": "2027-01-01"}, "dob"},

		{"an address does not hide in the district", "F05_trafficking_history", change{"events": []any{map[string]any{
			"_id": "row1", "type": "exploitation", "country": "THA",
			"area": map[string]any{"country": "THA", "place": "a shop house"}}}}, "events[0].area"},
		{"an age of 300 is refused", "F05_trafficking_history", change{"age_when_trafficked": 300.0}, "age_when_trafficked"},

		{"high self-harm risk is high risk", "F06_risk_assessment", change{"self_harm": "high"}, "risk_level"},
		{"a near trafficker is high risk", "F06_risk_assessment", change{"trafficker_contact": "high"}, "risk_level"},
		{"a needed BID has its trigger", "F06_risk_assessment", change{"bip_step": "bid_required"}, "bid_trigger"},
		{"every area of life is looked at", "F06_risk_assessment", change{"domain.education": nil}, "domain.education"},

		{"a plan has a goal", "F08_case_plan", change{"goals": nil}, "goals"},
		{"a refusal has its reason", "F09_referral", change{"status": "rejected"}, "rejection_reason"},
		{"a service of tomorrow is refused", "F10_service_log", change{"date": "2026-11-23"}, "date"},
		{"nothing given is no service", "F10_service_log", change{"quantity": 0.0}, "quantity"},
		{"a note is about what was", "F11_case_note", change{"at": "2026-11-22T12:00:00+07:00"}, "at"},
		{"an exit says where to and whether it is safe", "F12_shelter_daily",
			change{"exit_at": "2026-11-20T10:00:00+07:00"}, "exit_to"},
		{"nobody leaves before coming", "F12_shelter_daily",
			change{"exit_at": "2026-11-01T10:00:00+07:00", "exit_to": "parent_s", "exit_safe": true}, "exit_at"},
		{"the ground rules are not skipped", "F13_child_interview", change{"introduction": false}, "introduction"},
		{"one person is no panel", "F14_age_assessment", change{"panel": []any{
			map[string]any{"_id": "row1", "name": "one member", "profession": "teacher"}}}, "panel"},
		{"a refusal leaves the child a child", "F14_age_assessment", change{"consent": "no", "outcome": "adult",
			"guardian_present": nil, "no_physical_examination": nil, "evidence": nil, "outcome_range": nil}, "outcome"},
		{"no return without somebody waiting", "F16_return_plan", change{"receiving_case": nil}, "receiving_case"},
		{"an unsafe child is not closed", "F17_reintegration_followup", change{"safe": "no", "next": "close"}, "next"},
		{"wellbeing goes to 5", "F17_reintegration_followup", change{"wellbeing": 6.0}, "wellbeing"},
		{"a legal matter has its last day", "F18_legal_case", change{"limitation_date": nil}, "limitation_date"},
		{"a day has 24 hours", "F19_wage_ledger", change{"hours.hours_per_day": 25.0}, "hours.hours_per_day"},

		{"a silent call asks two things", "F20_hotline_contact", change{"contact_type": "silent", "language": nil,
			"age": nil, "sex": nil, "location_area": nil, "reasons": nil, "urgency": nil, "summary": nil,
			"actions": nil, "call_back": nil, "call_back_number": nil, "call_back_at": nil}, ""},
		{"an emergency is urgent", "F20_hotline_contact", change{"contact_type": "emergency"}, "urgency"},
		{"where the caller sits stays out of the figures", "F20_hotline_contact",
			change{"location_area": map[string]any{"country": "VNM", "place": "a cafe"}}, "location_area"},
		{"a token is one person", "F22_activity", change{"attendance": []any{map[string]any{
			"_id": "row1", "token": "p-001", "number": 2.0, "sex": "male", "age_band": "25-59"}}}, "attendance[0].number"},
		{"nobody attends longer than the training lasts", "F22_activity", change{"attendance": []any{map[string]any{
			"_id": "row1", "number": 1.0, "sex": "male", "age_band": "25-59", "hours_attended": 19.0}}}, "attendance[0].hours_attended"},
		{"feedback comes after the consultation", "F23_participation", change{"fed_back": "2026-11-09"}, "fed_back"},
		{"two different people assess", "F25_grant", change{"assessor_b": "user-1"}, "assessor_b"},
		{"a concept has no scores yet", "F25_grant", change{"stage": "concept", "criteria": nil}, ""},
		{"an open legal matter keeps the case open", "F27_closure", change{"legal_open": true}, "legal_open"},
		{"nobody closes on a child unseen", "F27_closure", change{"safe_confirmed": false}, "safe_confirmed"},
		{"who is lost cannot be seen", "F27_closure", change{"safe_confirmed": false, "reason": "lost_contact"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, ok := lib.Form(c.form)
			if !ok {
				t.Fatalf("no form %s", c.form)
			}
			answers := ordinary(t)[c.form]
			for key, v := range c.change {
				set(answers, key, v)
			}
			_, problems := f.Check(answers, env())
			found := false
			for _, p := range problems {
				if p.Path == c.at {
					found = true
				} else if c.at == "" {
					t.Errorf("%s: %s (%s)", p.Path, p.Message, p.Code)
				}
			}
			if c.at != "" && !found {
				t.Errorf("wanted a problem at %s, got %v", c.at, problems)
			}
		})
	}
}

// set changes one answer; a dot leads into a group or a matrix, nil takes the answer away.
func set(answers map[string]any, key string, v any) {
	first, rest, deeper := strings.Cut(key, ".")
	switch {
	case deeper:
		set(answers[first].(map[string]any), rest, v)
	case v == nil:
		delete(answers, first)
	default:
		answers[first] = v
	}
}

func TestOnlyADecisionFillsTheApproval(t *testing.T) {
	lib := library(t)
	for id, path := range map[string]string{"F06_risk_assessment": "supervisor_approval", "F08_case_plan": "approval",
		"F27_closure": "approval"} {
		f, _ := lib.Form(id)
		if f.Approval != "supervisor" || f.ApprovalField != path {
			t.Errorf("%s: approval by %q in %q", id, f.Approval, f.ApprovalField)
		}
		answers := ordinary(t)[id]
		answers[path] = "approved"
		if clean, _ := f.Check(answers, env()); clean[path] != nil {
			t.Errorf("%s: the author approved their own work", id)
		}
		decided := env()
		decided.Deciding = true
		if clean, problems := f.Check(answers, decided); clean[path] != "approved" || len(problems) > 0 {
			t.Errorf("%s: the decision was not kept: %v", id, problems)
		}
	}
}

func TestTrainedMeansFourFifthsOfTheHours(t *testing.T) {
	f, _ := library(t).Form("F22_activity")
	clean, problems := f.Check(ordinary(t)["F22_activity"], env())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []any
	for _, row := range clean["attendance"].([]any) {
		got = append(got, row.(map[string]any)["trained"])
	}
	if got[0] != true || got[1] == true {
		t.Errorf("18 and 10 of 18 hours: trained is %v", got)
	}
}
