package mock

// Invented people and cases. Nobody here exists.

import (
	"time"

	"banyan/internal/forms"
)

var caseActions = []string{"read", "write", "find", "open", "export", "access_log", "break_glass", "register.read", "exclude", "move", "strike"}

var users = map[string]object{
	"chanthou": {"id": "u1", "name": "Chanthou Keo", "login": "chanthou", "roles": []string{"case_worker"}, "lang": "en", "may": caseActions},
	"vanna":    {"id": "u2", "name": "Vanna Prak", "login": "vanna", "roles": []string{"supervisor"}, "lang": "en", "may": append([]string{"approve", "assign", "team.read"}, caseActions...)},
	"root":     {"id": "u3", "name": "Dara Admin", "login": "root", "roles": []string{"administrator"}, "lang": "en", "may": []string{"admin.users", "admin.organisations", "admin.policy", "admin.content", "admin.audit"}},
}

var people = []object{
	{"id": "u1", "name": "Chanthou Keo", "roles": []string{"case_worker"}}, {"id": "u2", "name": "Vanna Prak", "roles": []string{"supervisor"}},
	{"id": "u4", "name": "Sok Rithy", "roles": []string{"lawyer"}},
}

var organisations = []object{
	{"id": "o1", "name": "River House", "kind": "ngo", "country": "KHM"}, {"id": "o2", "name": "Garden Home", "kind": "shelter", "country": "KHM"},
	{"id": "o3", "name": "District social office", "kind": "government", "country": "KHM"},
}

var adminUsers = []object{
	{"id": "u1", "name": "Chanthou Keo", "login": "chanthou", "roles": []string{"case_worker"}, "state": "active"},
	{"id": "u2", "name": "Vanna Prak", "login": "vanna", "roles": []string{"supervisor"}, "state": "active"},
	{"id": "u7", "name": "Bopha Chan", "login": "bopha", "roles": []string{"screener"}, "state": "disabled"},
}

var policyRows = []object{
	{"role": "case_worker", "relation": "assigned", "action": "read", "tiers": []string{"coded", "story", "identity", "place", "health"}, "words": "A case worker reads the cases that are assigned to them."},
	{"role": "supervisor", "relation": "supervised", "action": "approve", "tiers": []string{"coded", "story"}, "words": "A supervisor approves what was asked, never their own."},
}

var variables = []object{
	{"id": "sex", "label": "Sex"}, {"id": "age_band", "label": "Age band"}, {"id": "exploitation", "label": "Form of exploitation", "multi": true},
}

func table() object {
	return object{
		"rows":  []object{{"code": "female", "label": "Female"}, {"code": "male", "label": "Male"}, {"code": "other", "label": "Other"}},
		"cols":  []object{{"code": "0-8", "label": "0 to 8"}, {"code": "9-17", "label": "9 to 17"}, {"code": "18+", "label": "18 and over"}},
		"cells": [][]any{{31, 204, 118}, {22, 97, 160}, {nil, 14, nil}}, "row_totals": []any{353, 279, 28}, "col_totals": []any{58, 315, 287},
		"total": 660, "threshold": 11, "hidden": 5, "source": "own",
	}
}

const (
	first  = "0195a000-0000-7000-8000-000000000001"
	second = "0195a000-0000-7000-8000-000000000002"
	third  = "0195a000-0000-7000-8000-000000000003"
)

func emptyPage(id, code string) object {
	return object{
		"id": id, "code": code, "why": "the case is assigned to you", "stream_seq": 1,
		"header": object{"status": "contact", "age": object{}},
		"steps":  steps(0), "moves": []object{}, "timeline": []object{}, "forms": []object{},
		"services": []object{}, "consent": []object{}, "people": []object{}, "clocks": []object{}, "tasks": []object{},
		"approvals": []object{}, "disputes": []object{}, "files": []object{}, "assigned": object{"worker": "Chanthou Keo", "supervisor": "Vanna Prak"},
		"may": []string{"read", "write", "access_log", "move", "strike"}, "hidden_tiers": []string{"legal"},
	}
}

func steps(now int) []object {
	out := []object{}
	for i, s := range [][2]string{{"contact", "Contact"}, {"screened", "Screened"}, {"consent", "Consent"}, {"registered", "Registered"}, {"assessed", "Assessed"}, {"planned", "Plan"}, {"in_service", "In service"}, {"follow_up", "Follow-up"}, {"closed", "Closed"}} {
		state := "todo"
		if i < now {
			state = "done"
		} else if i == now {
			state = "now"
		}
		out = append(out, object{"id": s[0], "label": s[1], "state": state})
	}
	return out
}

func (s *Server) invent() {
	s.cases = []*aCase{s.sreyleak(), s.boy(), s.aung()}
}

func (s *Server) sreyleak() *aCase {
	p := emptyPage(first, "KH-7F3Q")
	day := 24 * time.Hour
	set(p, object{
		"header": object{
			"name": "Sreyleak", "names": []object{{"text": "Sreyleak"}, {"text": "ស្រីលក្ខណ៍", "lang": "km"}}, "sex": "female",
			"age":  object{"years": 14, "text": "about 14", "basis": "self_declared", "presumed_child": true},
			"risk": object{"level": "high", "since": s.ago(2 * day), "reason": "self-harm marked"}, "status": "assessed",
			"victim": object{"presumed": true, "state_decision": "pending", "days": 12}, "unsafe_guardian": true,
			"wish": object{"text": "I want my pay and to see my little brother. I do not want my aunt to know where I am.", "at": s.ago(4 * day)},
		},
		"steps": steps(5),
		"next": object{"title": "agree the safety plan", "form": "F07_safety_plan", "due_at": s.ago(17 * time.Hour), "escalated": true,
			"missing": []object{{"path": "safe_people", "label": "safe people"}, {"path": "review_date", "label": "review date"}}},
		"moves": []object{{"to": "planned", "label": "Plan", "allowed": false, "missing": []string{"safety plan", "case plan"}}, {"to": "in_service", "label": "In service", "allowed": true}},
		"timeline": []object{
			{"entry": "e3", "record": "F04_registration", "form": "F04_registration", "title": "Registration", "act": "submit", "at": s.ago(2 * day), "author": "Dr. Sophea Lim", "summary": []object{{"label": "Risk", "text": "high", "tier": "coded"}}, "badges": []string{"high"}, "disputes": 1},
			{"entry": "e2", "record": "r2", "form": "F11_case_note", "title": "Contact / case note", "act": "submit", "at": s.ago(4 * day), "author": "Chanthou Keo", "summary": []object{{"label": "Facts", "text": "Slept through the night. Ate with the others.", "tier": "story", "words": true}}, "badges": []string{}, "disputes": 0},
			{"entry": "e1", "record": "F01_first_contact", "form": "F01_first_contact", "title": "First contact & safety triage", "act": "submit", "at": s.ago(10 * day), "author": "Border post", "device_late": true, "summary": []object{{"label": "Sex", "text": "Female", "tier": "coded"}}, "badges": []string{}, "disputes": 0},
		},
		"forms": []object{
			{"form": "F01_first_contact", "title": "First contact & safety triage", "can_add": false, "records": []object{{"record": "F01_first_contact", "at": s.ago(10 * day), "author": "Border post", "missing": 0, "disputes": 0}}},
			{"form": "F04_registration", "title": "Registration", "can_add": false, "records": []object{{"record": "F04_registration", "at": s.ago(2 * day), "author": "Dr. Sophea Lim", "missing": 2, "disputes": 1}}},
			{"form": "F07_safety_plan", "title": "Safety and security plan", "status_note": "unverified", "can_add": true, "records": []object{}},
			{"form": "F09_referral", "title": "Referral (closed loop)", "can_add": true, "records": []object{}},
			{"form": "F10_service_log", "title": "Service delivered", "can_add": true, "records": []object{}},
			{"form": "F11_case_note", "title": "Contact / case note", "status_note": "unverified", "can_add": true, "records": []object{{"record": "r2", "at": s.ago(4 * day), "author": "Chanthou Keo", "missing": 0, "disputes": 0}}},
			{"form": "F03_consent", "title": "Consent / assent", "can_add": true, "records": []object{}},
		},
		"plan":     object{"goals": []object{{"text": "Back to school in the autumn", "who": "Chanthou Keo", "by": "2026-12-15", "state": "in_progress", "items": []object{{"text": "Birth certificate", "who": "Sok Rithy", "state": "open"}}}}, "review": "2026-12-20"},
		"services": []object{{"title": "Medical examination", "at": s.ago(3 * day), "by": "District clinic"}},
		"consent": []object{{"scope": "services", "label": "Services", "given": true, "until": "2027-02-18"}, {"scope": "share_authorities", "label": "Authorities", "given": nil},
			{"scope": "share_family", "label": "Family", "given": false}, {"scope": "statistics", "label": "Statistics", "given": true}},
		"people": []object{{"name": "Bopha", "relation": "Aunt", "kind": "suspected", "safe": "no"}, {"name": "Visal", "relation": "Brother", "kind": "family", "note": "9, at home", "safe": "yes"}},
		"clocks": []object{{"id": "k1", "label": "Safety plan", "due_at": s.ago(17 * time.Hour), "state": "late"}},
		"disputes": []object{{"record": "F04_registration", "form": "F04_registration", "path": "dob", "label": "date of birth", "heads": []string{"e3", "e3b"},
			"values": []object{{"value": "2011-04-02", "text": "2 April 2011", "author": "Border post", "at": s.ago(10 * day), "entry": "e3b"}, {"value": "2012-04-02", "text": "2 April 2012", "author": "Dr. Sophea Lim", "at": s.ago(2 * day), "entry": "e3"}}}},
		"access": object{"people": 4, "times": 11, "days": 10, "told_again": 1},
	})
	c := &aCase{page: p, records: map[string]*record{}}
	c.add(&record{form: "F01_first_contact", id: "F01_first_contact", version: 1, author: "Border post", at: s.Now().Add(-10 * day), heads: []string{"e1"},
		answers: object{"nickname": "Sreyleak", "sex": "female", "language": []any{"khm"}, "age_basis": "self_declared", "age_declared": object{"years": float64(14), "observed_on": s.Now().Add(-10 * day).Format("2006-01-02")}, "safe_contact": []any{"in_person"}}})
	c.add(&record{form: "F04_registration", id: "F04_registration", version: 1, author: "Dr. Sophea Lim", at: s.Now().Add(-2 * day), heads: []string{"e3", "e3b"},
		answers: object{"first_name": "Sreyleak", "other_names": []any{"ស្រីលក្ខណ៍"}, "dob": "2012-04-02", "sex": "female", "risk_level": "high"}, disputes: p["disputes"].([]object)})
	c.add(&record{form: "F11_case_note", id: "r2", version: 1, author: "Chanthou Keo", at: s.Now().Add(-4 * day), heads: []string{"e2"},
		answers: object{"at": s.ago(4 * day), "mode": "phone", "with": "herself", "facts": "Slept through the night. Ate with the others.", "child_words": "ខ្ញុំចង់ជួបប្អូនប្រុសខ្ញុំ។", "next": "Visit on Friday"}})
	return c
}

func (s *Server) boy() *aCase {
	p := emptyPage(second, "KH-2M8D")
	set(p, object{"header": object{"sex": "male", "age": object{"years": 11, "text": "11"}, "risk": object{"level": "high", "since": s.ago(50 * time.Hour)}, "status": "in_service"}, "steps": steps(6),
		"approvals": []object{{"record": "F08_case_plan", "form": "F08_case_plan", "title": "Case / support plan", "state": "pending", "asked_at": s.ago(20 * time.Hour), "by": "Chanthou Keo", "entry": "e9"}}})
	return &aCase{page: p, records: map[string]*record{}}
}

func (s *Server) aung() *aCase {
	p := emptyPage(third, "TH-9K1C")
	set(p, object{"header": object{"name": "Aung", "names": []object{{"text": "Aung"}, {"text": "အောင်", "lang": "my"}}, "sex": "male", "age": object{"years": 23, "text": "23"}, "risk": object{"level": "medium", "since": s.ago(90 * time.Hour)}, "status": "registered"}, "steps": steps(4)})
	return &aCase{page: p, records: map[string]*record{}}
}

func set(p, with object) {
	for k, v := range with {
		p[k] = v
	}
}

func (c *aCase) add(r *record) {
	r.history = []object{{"entry": r.heads[0], "act": "submit", "at": r.at.Format(time.RFC3339), "author": r.author}}
	c.records[r.id] = r
}

func (s *Server) page(c *aCase) object { return c.page }

func (s *Server) summary(c *aCase) object {
	h := c.page["header"].(object)
	sum := object{"id": c.page["id"], "code": c.page["code"], "name": h["name"], "names": h["names"], "age": h["age"], "sex": h["sex"], "status": h["status"], "worker": "Chanthou Keo", "org": "River House", "risk": ""}
	if r, ok := h["risk"].(object); ok {
		sum["risk"] = r["level"]
	}
	if n, ok := c.page["next"].(object); ok {
		sum["next"] = object{"title": n["title"], "due_at": n["due_at"], "escalated": n["escalated"]}
	}
	return sum
}

func (s *Server) today() object {
	by := func(i int) object { return s.summary(s.cases[i]) }
	return object{
		"now": s.ago(0), "counts": object{"overdue": 2, "today": 2, "new": 1, "disputes": 1},
		"groups": []object{
			{"id": "overdue", "items": []object{
				{"id": "i1", "kind": "task", "title": "Agree the safety plan", "case": by(0), "note": "self-harm marked on Friday", "due_at": s.ago(17 * time.Hour), "escalated": true, "go": object{"case": first, "form": "F07_safety_plan"}},
				{"id": "i2", "kind": "task", "title": "No answer to the shelter referral", "case": by(1), "note": "next on the list: Garden Home", "due_at": s.ago(5 * time.Hour), "go": object{"case": second, "tab": "forms"}},
			}},
			{"id": "today", "items": []object{
				{"id": "i3", "kind": "task", "title": "Limitation date for the wage claim", "case": by(2), "note": "4 months unpaid", "due_at": s.Now().Add(90 * time.Minute).Format(time.RFC3339), "go": object{"case": third}},
				{"id": "i4", "kind": "dispute", "title": "Two people wrote different birth dates", "case": by(0), "go": object{"case": first, "record": "F04_registration"}},
			}},
			{"id": "new", "items": []object{{"id": "i5", "kind": "assigned", "for": "Vanna Prak", "title": "A case was assigned to you", "case": by(1), "go": object{"case": second}}}},
			{"id": "later", "items": []object{}},
		},
	}
}

func (s *Server) inbox() object {
	return object{"approvals": []object{{"case": s.summary(s.cases[1]), "record": "F08_case_plan", "form": "F08_case_plan", "title": "Case / support plan", "entry": "e9", "asked_at": s.ago(20 * time.Hour), "by": "Chanthou Keo",
		"summary": []object{{"label": "Goals", "text": "Back to his village school by December; visits every two weeks"}, {"label": "Review", "text": "20 December 2026"}}}},
		"notices": []object{{"id": "n1", "text": "Somebody opened KH-7F3Q in an emergency", "at": s.ago(3 * time.Hour), "case": s.summary(s.cases[0])}}}
}

func (s *Server) team() object {
	return object{"workers": []object{{"user": "u1", "name": "Chanthou Keo", "open": 28, "high": 6, "overdue": 3, "limit": 25}, {"user": "u5", "name": "Maly Chea", "open": 12, "high": 1, "overdue": 0, "limit": 25}},
		"unassigned": []object{s.summary(s.cases[2])}}
}

func (s *Server) access() object {
	return object{"items": []object{
		{"at": s.ago(2 * time.Hour), "user": "Chanthou Keo", "action": "case.open", "tiers": []forms.Tier{"coded", "story", "identity"}, "because": "the case is assigned to them"},
		{"at": s.ago(30 * time.Hour), "user": "Vanna Prak", "action": "case.open", "tiers": []forms.Tier{"coded", "story"}, "because": "they supervise it"},
	}}
}
