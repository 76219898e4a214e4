package casework

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"banyan/content"
	"banyan/internal/forms"
	"banyan/internal/journal"
)

// testRules are the real ones.
func testRules(t testing.TB) *Rules {
	t.Helper()
	lib, faults := forms.Load(content.FS)
	if len(faults) > 0 {
		t.Fatalf("content has %d faults, the first: %v", len(faults), faults[0])
	}
	rules, err := LoadRules(content.FS, lib)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// story writes a history by hand.
type story struct {
	t       testing.TB
	rules   *Rules
	at      time.Time
	author  string
	n       int
	history []journal.Opened
}

var morning = time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC) // eight in Phnom Penh

func newStory(t testing.TB) *story {
	s := &story{t: t, rules: testRules(t), at: morning, author: "worker"}
	s.act(actOpen, map[string]any{"code": "KH-7F3Q", "country": "KHM"}, nil)
	return s
}

func (s *story) add(form, record string, act journal.Act, answers map[journal.Tier]map[string]any, follows ...string) string {
	s.n++
	id := fmt.Sprintf("0190-%04d", s.n)
	if record == "" {
		record = id
	}
	s.history = append(s.history, journal.Opened{Entry: journal.Entry{ID: id, Stream: "s", Seq: int64(s.n), Form: form, Act: act, Record: record,
		Follows: follows, Author: s.author, WrittenAt: s.at, RecordedAt: s.at}, Answers: answers})
	return id
}

func (s *story) act(form string, coded, story map[string]any) string {
	return s.add(form, "", journal.Submit, map[journal.Tier]map[string]any{journal.Coded: coded, journal.Story: story})
}

func (s *story) fill(form string, answers map[string]any) string {
	f, ok := s.rules.Forms.Form(form)
	if !ok {
		panic("no form " + form)
	}
	record := ""
	if f.Single {
		record = form
	}
	return s.add(form, record, journal.Submit, split(f, answers))
}

func (s *story) amend(record string, base, next map[string]any, follows ...string) string {
	form := ""
	for _, o := range s.history {
		if o.Record == record {
			form = o.Form
		}
	}
	f, _ := s.rules.Forms.Form(form)
	return s.add(form, record, journal.Amend, split(f, f.Diff(base, next)), follows...)
}

func (s *story) later(d time.Duration) { s.at = s.at.Add(d) }

func (s *story) now() *Case {
	return s.rules.Fold(journal.Stream{ID: "s", CreatedAt: morning}, s.history)
}

func (s *story) wants(state string) {
	s.t.Helper()
	if got := s.now().State(); got != state {
		s.t.Fatalf("the case is %s, want %s", got, state)
	}
}

var (
	screeningAnswers = map[string]any{"status": "possible_victim", "identification_stage": "presumed", "next_step": "full_assessment", "profile": "child_labour"}
	consentAnswers   = map[string]any{"caregiver_implicated": "no", "obtained_from": "individual", "child_assent": "yes", "date": "2026-11-02", "review_date": "2027-02-02",
		"scopes": map[string]any{"services": "yes", "share_referral": "yes", "share_family": "no", "statistics": "yes"}}
	registrationAnswers = map[string]any{"first_name": "Sreyleak", "other_names": []any{"ស្រីលក្ខណ៍"}, "sex": "female", "age_basis": "presumed_child",
		"age": map[string]any{"years": 14.0, "observed_on": "2026-11-02"}, "risk_level": "medium", "case_worker": "worker", "supervisor": "super", "risk_reason": "alone"}
	assessmentAnswers = map[string]any{"risk_level": "high", "self_harm": "high", "trafficker_contact": "low", "child_view": "I want to go to school", "bip_step": "bia"}
	planAnswers       = map[string]any{"service": []any{"shelter"}, "review_date": "2026-12-20", "child_agreed": "yes",
		"goals": []any{map[string]any{"_id": "goal-1", "need": "safety", "action": "find a place", "who": "worker", "by_when": "2026-11-10", "progress": "in_progress", "area": "safety"}}}
	closureAnswers = map[string]any{"reason": "goals_met", "safe_confirmed": true, "legal_open": false, "child_agrees": "yes", "contact_card": true, "data_retention": "2033-01-01", "feedback_survey": true}
)

func with(base map[string]any, pairs ...any) map[string]any {
	out := map[string]any{}
	for k, v := range base {
		out[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

func (s *story) approve(form, decision string) {
	r := s.now().Newest(form)
	s.act(actApprove, map[string]any{"record": r.ID, "entry": r.Heads[len(r.Heads)-1], "decision": decision}, nil)
}

func TestACaseGoesFromContactToAnApprovedClosure(t *testing.T) {
	s := newStory(t)
	s.wants("contact")
	s.fill(formContact, map[string]any{"sex": "female", "wishes": "I want my pay", "safe_now": "yes", "nickname": "Leak"})
	s.wants("contact")
	s.later(time.Hour)
	s.fill(formScreening, screeningAnswers)
	s.wants("screened")
	s.fill(formConsent, with(consentAnswers, "scopes", map[string]any{"services": "no"}))
	s.wants("screened") // no consent to services: registration waits
	if _, missing, ok := s.now().MissingFor("consent"); !ok || !strings.Contains(missing[0].Text, "not agreed") {
		t.Errorf("what consent needs: %+v", missing)
	}
	s.later(time.Minute)
	s.fill(formConsent, consentAnswers)
	s.wants("consent")
	s.later(time.Hour)
	s.fill(formRegistration, registrationAnswers)
	s.wants("registered")
	s.later(time.Hour)
	s.fill(formAssessment, assessmentAnswers)
	s.wants("registered") // high risk: safety plan and approval first
	_, missing, _ := s.now().MissingFor("assessed")
	if len(missing) != 2 {
		t.Errorf("an assessment of high risk with self-harm misses %+v, want the safety plan and the approval", missing)
	}
	s.approve(formAssessment, "approved")
	s.wants("registered") // the author approved it himself: it does not count
	s.author = "super"
	s.later(time.Minute)
	s.approve(formAssessment, "approved")
	s.author = "worker"
	s.wants("registered")
	s.fill(formSafetyPlan, map[string]any{"review_date": "2026-11-20"})
	s.wants("assessed")
	s.later(time.Hour)
	s.fill(formPlan, planAnswers)
	s.wants("assessed")
	s.author = "super"
	s.later(time.Minute)
	s.approve(formPlan, "approved")
	s.author = "worker"
	s.wants("planned")
	s.later(time.Hour)
	s.fill(formService, map[string]any{"service": "shelter", "date": "2026-11-02"})
	s.wants("in_service")
	s.act(actMove, map[string]any{"move": "finish_services", "from": "in_service", "to": "follow_up"}, nil)
	s.wants("follow_up")
	s.later(time.Hour)
	if _, missing, _ := s.now().MissingFor("closed"); len(missing) != 1 {
		t.Errorf("closing misses %+v, want one thing", missing)
	}
	s.fill(formClosure, closureAnswers)
	if _, missing, _ := s.now().MissingFor("closed"); len(missing) != 1 || !strings.Contains(missing[0].Text, "approved") {
		t.Errorf("closing misses %+v, want the approval", missing)
	}
	s.author = "super"
	s.approve(formClosure, "approved")
	if _, missing, _ := s.now().MissingFor("closed"); len(missing) != 0 {
		t.Errorf("closing misses %+v after approval", missing)
	}
	s.later(time.Minute)
	s.act(actMove, map[string]any{"move": "close", "from": "follow_up", "to": "closed"}, nil)
	s.wants("closed")
	if tasks := s.now().Tasks(); len(tasks) != 1 || tasks[0].Clock != "retention_review" {
		t.Errorf("a closed case has the tasks %+v, want only the review of its retention", tasks)
	}
	s.later(time.Hour)
	s.act(actMove, map[string]any{"move": "reopen", "from": "closed", "to": "registered"}, map[string]any{"reason": "she came back"})
	s.wants("registered") // the old assessment does not count again
	s.later(time.Hour)
	s.author = "worker"
	s.fill(formAssessment, with(assessmentAnswers, "risk_level", "low", "self_harm", "none"))
	s.wants("assessed")
}

func TestAnOpenLegalMatterKeepsTheCaseOpen(t *testing.T) {
	s := newStory(t)
	s.act(actMove, map[string]any{"to": "follow_up"}, nil)
	s.later(time.Minute)
	legal := s.fill(formLegal, map[string]any{"limitation_date": "2027-01-01", "stages": []any{map[string]any{"_id": "st-1", "stage": "s03_investigation", "date": "2026-11-01"}}})
	s.fill(formClosure, closureAnswers)
	_, missing, _ := s.now().MissingFor("closed")
	if len(missing) == 0 || !strings.Contains(missing[0].Text+missing[len(missing)-1].Text, "legal") && len(missing) < 2 {
		t.Fatalf("closing with an open matter misses %+v", missing)
	}
	base := s.now().Records[legal].Answers
	s.later(time.Minute)
	s.amend(legal, base, with(base, "stages", []any{map[string]any{"_id": "st-1", "stage": "s03_investigation", "date": "2026-11-01"},
		map[string]any{"_id": "st-2", "stage": "s15_final", "date": "2026-11-02"}}), legal)
	_, missing, _ = s.now().MissingFor("closed")
	for _, m := range missing {
		if strings.Contains(m.Text, "legal") {
			t.Errorf("a final judgement still keeps the case open: %s", m.Text)
		}
	}
}

func TestAnApprovalFallsWhenTheRecordIsAmended(t *testing.T) {
	s := newStory(t)
	plan := s.fill(formPlan, planAnswers)
	s.author = "super"
	s.later(time.Minute)
	s.approve(formPlan, "approved")
	if !s.now().Newest(formPlan).Approved() {
		t.Fatal("the approval does not count")
	}
	s.author = "worker"
	s.later(time.Minute)
	s.amend(plan, planAnswers, with(planAnswers, "review_date", "2027-01-20"), plan)
	a := s.now().Newest(formPlan).Approval
	if a.State != "pending" || !a.Fell {
		t.Errorf("after an amendment the approval is %q (fell: %v), want it asked for again", a.State, a.Fell)
	}
}

func TestTwoAnswersStandUntilSomebodySettles(t *testing.T) {
	s := newStory(t)
	first := s.fill(formRegistration, registrationAnswers)
	s.later(time.Minute)
	a := s.amend(formRegistration, registrationAnswers, with(registrationAnswers, "age", map[string]any{"years": 15.0, "observed_on": "2026-11-02"}), first)
	s.author = "border"
	b := s.amend(formRegistration, registrationAnswers, with(registrationAnswers, "age", map[string]any{"years": 13.0, "observed_on": "2026-11-02"}), first)
	c := s.now()
	if d := c.AllDisputes(); len(d) != 1 || d[0].Path != "age" || len(d[0].Versions) != 2 {
		t.Fatalf("disputes %+v, want one over the age", d)
	}
	found := false
	for _, task := range c.Tasks() {
		found = found || task.Kind == "dispute"
	}
	if !found {
		t.Error("nobody is asked to settle it")
	}
	s.later(time.Minute)
	s.amend(formRegistration, c.Records[formRegistration].Answers, with(registrationAnswers, "age", map[string]any{"years": 14.0, "observed_on": "2026-11-03"}), a, b)
	if d := s.now().AllDisputes(); len(d) != 0 {
		t.Errorf("after settling: %+v", d)
	}
}

func TestRowsOfSeveralTiersMergeWithoutADispute(t *testing.T) {
	s := newStory(t)
	first := s.fill(formPlan, planAnswers)
	goals := planAnswers["goals"].([]any)
	goal := func(id, who string) map[string]any {
		return map[string]any{"_id": id, "need": "school", "action": "enrol", "who": who, "by_when": "2026-12-01", "progress": "in_progress", "area": "education"}
	}
	s.later(time.Minute)
	s.amend(first, planAnswers, with(planAnswers, "goals", append(append([]any{}, goals...), goal("goal-2", "mother"))), first)
	s.amend(first, planAnswers, with(planAnswers, "goals", append(append([]any{}, goals...), goal("goal-3", "teacher"))), first)
	r := s.now().Records[first]
	if len(r.Disputes) > 0 {
		t.Errorf("two people added different goals and are in dispute: %+v", r.Disputes)
	}
	if rows := rowsOf(r.Answers["goals"]); len(rows) != 3 || rows[0]["who"] != "worker" || rows[0]["need"] != "safety" {
		t.Errorf("goals %+v, want three whole rows", rows)
	}
}

func TestClocksFollowRiskAndEndWithTheirEntry(t *testing.T) {
	s := newStory(t)
	s.fill(formContact, map[string]any{"safe_now": "yes"})
	clock := func(id string) *Clock {
		for _, k := range s.now().Clocks {
			if k.ID == id {
				return &k
			}
		}
		return nil
	}
	if k := clock("screening"); k == nil || k.DueAt != time.Date(2026, 11, 2, 16, 59, 0, 0, time.UTC) {
		t.Errorf("screening is due %+v, want the end of the day in Phnom Penh", k)
	}
	s.later(time.Hour)
	s.fill(formScreening, screeningAnswers)
	if k := clock("registration"); k == nil || !k.Open() || k.DueAt.Sub(k.StartedAt) != 72*time.Hour {
		t.Errorf("registration at medium risk: %+v, want 72 h", k)
	}
	s.later(time.Hour)
	s.fill(formContact, map[string]any{"safe_now": "no"})
	if k := clock("registration"); k.DueAt.Sub(k.StartedAt) != 24*time.Hour {
		t.Errorf("registration of a child in danger: %+v, want 24 h", k)
	}
	s.later(time.Hour)
	s.fill(formRegistration, registrationAnswers)
	if k := clock("registration"); k.Open() {
		t.Error("registration is done and its clock runs on")
	}
	if k := clock("assessment"); k == nil || k.Escalation[0].To != "supervisor" {
		t.Errorf("assessment: %+v, want an escalation to the supervisor", k)
	}
	s.later(time.Hour)
	s.fill(formConsent, with(consentAnswers, "override", true))
	k := clock("override_review")
	if k == nil || k.AssignedTo != "supervisor" {
		t.Fatalf("an override tells nobody: %+v", k)
	}
	s.later(time.Hour)
	s.act(actAcknowledge, map[string]any{"clock": "override_review", "record": k.Record}, nil)
	if clock("override_review").Open() {
		t.Error("the supervisor looked, and the clock runs on")
	}
}

func TestTheNewestConsentCountsScopeByScope(t *testing.T) {
	s := newStory(t)
	s.fill(formConsent, consentAnswers)
	s.later(time.Hour)
	s.fill(formConsent, with(consentAnswers, "date", "2026-11-03", "scopes", map[string]any{"share_family": "yes", "statistics": "no"}))
	c := s.now()
	for scope, want := range map[string]bool{"services": true, "share_family": true, "statistics": false, "tracing": false} {
		if got := c.Allows(scope, s.at); got != want {
			t.Errorf("consent to %s: %v, want %v", scope, got, want)
		}
	}
	s.later(time.Hour)
	s.fill(formConsent, with(consentAnswers, "date", "2026-11-04", "withdrawn_at", "2026-11-04", "scopes", map[string]any{"services": "yes"}))
	if s.now().Allows("services", s.at.AddDate(0, 0, 3)) {
		t.Error("consent withdrawn still holds")
	}
}

func TestAPresumedChildStaysAChild(t *testing.T) {
	s := newStory(t)
	s.fill(formRegistration, with(registrationAnswers, "age", map[string]any{"years": 19.0, "observed_on": "2026-11-02"}))
	a := s.now().AgeAt(s.at)
	if !a.Child || !a.PresumedChild || a.Text != "presumed child" {
		t.Errorf("%+v, want a presumed child", a)
	}
}

// drawHistory writes a random history with concurrent and late entries.
func drawHistory(t *rapid.T, rules *Rules) []journal.Opened {
	s := &story{t: nil, rules: rules, at: morning, author: "worker"}
	s.act(actOpen, map[string]any{"code": "KH-7F3Q", "country": "KHM"}, nil)
	heads := map[string][]string{}
	last := map[string]map[string]any{}
	for i := range rapid.IntRange(1, 25).Draw(t, "entries") {
		s.later(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
		s.author = rapid.SampledFrom([]string{"worker", "border", "super"}).Draw(t, "author")
		if rapid.IntRange(0, 9).Draw(t, "compared") == 0 {
			s.act(actLink, map[string]any{"other": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "other"), "same": rapid.Bool().Draw(t, "same")}, nil)
		}
		form := rapid.SampledFrom([]string{formContact, formScreening, formConsent, formRegistration, formAssessment, formPlan, formService, formClosure, formSafetyPlan}).Draw(t, "form")
		answers := map[string]map[string]any{formContact: {"safe_now": "no", "nickname": fmt.Sprint("n", i)}, formScreening: screeningAnswers, formConsent: consentAnswers,
			formRegistration: with(registrationAnswers, "first_name", fmt.Sprint("n", i)), formAssessment: assessmentAnswers, formPlan: planAnswers,
			formService: {"service": "shelter"}, formClosure: closureAnswers, formSafetyPlan: {"review_date": "2026-12-01"}}[form]
		if len(heads[form]) == 0 || rapid.Bool().Draw(t, "new") && form != formRegistration {
			id := s.fill(form, answers)
			record := s.history[len(s.history)-1].Record
			heads[form] = []string{record, id}
			last[record] = answers
			continue
		}
		record, seen := heads[form][0], heads[form][1]
		next := with(last[record], "safe_now", rapid.SampledFrom([]string{"yes", "no"}).Draw(t, "safe"), "risk_level", rapid.SampledFrom([]string{"high", "low"}).Draw(t, "risk"))
		id := s.amend(record, last[record], next, seen)
		if rapid.Bool().Draw(t, "seen") {
			heads[form][1] = id
			last[record] = next
		}
	}
	return s.history
}

func TestTheCaseIsTheSameInWhateverOrderEntriesArrive(t *testing.T) {
	rules := testRules(t)
	rapid.Check(t, func(t *rapid.T) {
		history := drawHistory(t, rules)
		stream := journal.Stream{ID: "s", CreatedAt: morning}
		want := describe(rules.Fold(stream, history))
		shuffled := rapid.Permutation(history).Draw(t, "arrival")
		if got := describe(rules.Fold(stream, shuffled)); got != want {
			t.Fatalf("in another order of arrival:\n%s\nwant\n%s", got, want)
		}
	})
}

func TestNoAnswerIsEverLost(t *testing.T) {
	rules := testRules(t)
	rapid.Check(t, func(t *rapid.T) {
		history := drawHistory(t, rules)
		c := rules.Fold(journal.Stream{ID: "s", CreatedAt: morning}, history)
		total := 0
		for _, r := range c.Records {
			total += len(r.Entries)
			for _, d := range r.Disputes {
				if len(d.Versions) < 2 {
					t.Fatalf("a dispute with %d answers", len(d.Versions))
				}
			}
		}
		want := 0
		for _, o := range history {
			if !strings.HasPrefix(o.Form, actPrefix) {
				want++
			}
		}
		if total != want {
			t.Fatalf("%d entries stand in records, %d were written", total, want)
		}
	})
}

// describe is everything that the fold says, as text.
func describe(c *Case) string {
	var b strings.Builder
	fmt.Fprintln(&b, c.States, c.Risk, c.RiskSince, c.Assigned)
	for _, k := range c.Clocks {
		fmt.Fprintln(&b, k)
	}
	for _, task := range c.Tasks() {
		fmt.Fprintln(&b, task)
	}
	for _, d := range c.AllDisputes() {
		fmt.Fprintln(&b, d.Record, d.Path, d.Versions)
	}
	for _, form := range c.rules.Forms.Forms() {
		for _, r := range c.byForm[form.ID] {
			fmt.Fprintln(&b, r.ID, r.Answers, r.Heads, r.Struck)
			if r.Approval != nil {
				fmt.Fprintln(&b, *r.Approval)
			}
		}
	}
	return b.String()
}

// BenchmarkFold folds a case of twenty entries.
func BenchmarkFold(b *testing.B) {
	s := newStory(b)
	s.fill(formContact, map[string]any{"sex": "female", "safe_now": "yes"})
	s.fill(formScreening, screeningAnswers)
	s.fill(formConsent, consentAnswers)
	s.fill(formRegistration, registrationAnswers)
	s.fill(formAssessment, with(assessmentAnswers, "risk_level", "medium", "self_harm", "none"))
	s.fill(formSafetyPlan, map[string]any{"review_date": "2026-11-20"})
	s.fill(formPlan, planAnswers)
	for range 12 {
		s.later(time.Hour)
		s.fill(formNote, map[string]any{"facts": "slept well", "next": "call", "next_date": "2026-11-20"})
	}
	b.ReportAllocs()
	for b.Loop() {
		s.now()
	}
	b.ReportMetric(float64(len(s.history))*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func TestItSaysStepsAndClocksInTheReadersLanguage(t *testing.T) {
	rules := testRules(t)
	for _, english := range []string{"Screened", "Look at the risk again", "Screening is not recorded.", "Assign a worker"} {
		if vi := rules.say(english, "vi"); vi == english || vi == "" {
			t.Errorf("%q has no Vietnamese words", english)
		}
	}
	if got := rules.say("Screened", "xx"); got != "Screened" {
		t.Errorf("an unknown language gave %q", got)
	}
}

// Today is made of tasks and the page of Next: if they named two things, a
// worker would open a registration that the server refuses for want of consent.
func TestAClockAsksForTheStepThatComesFirst(t *testing.T) {
	asks := func(s *story, clock string) Task {
		s.t.Helper()
		c := s.now()
		for _, task := range c.Tasks() {
			if task.Clock == clock {
				if next, ok := c.Next(); ok && next.Clock == clock && (next.Form != task.Form || next.Label != task.Label) {
					s.t.Errorf("the page says %q, the list %q", next.Label, task.Label)
				}
				return task
			}
		}
		s.t.Fatalf("no task of the clock %s", clock)
		return Task{}
	}
	wants := func(s *story, clock, form, label string) {
		s.t.Helper()
		if got := asks(s, clock); got.Form != form || got.Label != label || got.DueAt.IsZero() {
			s.t.Errorf("the clock %s asks for %s (%q, due %v), want %s (%q)", clock, got.Form, got.Label, got.DueAt, form, label)
		}
	}
	s := newStory(t)
	s.fill(formContact, map[string]any{"sex": "female", "safe_now": "yes"})
	wants(s, "screening", formScreening, "Screening after first contact")
	s.fill(formScreening, screeningAnswers)
	wants(s, "registration", formConsent, "Consent is not recorded.")
	s.fill(formConsent, with(consentAnswers, "scopes", map[string]any{"services": "no"}))
	wants(s, "registration", formConsent, "The person has not agreed to receive services, and no override with its legal basis is recorded.")
	s.later(time.Minute)
	s.fill(formConsent, consentAnswers)
	wants(s, "registration", formRegistration, "Registration")
	s.later(time.Minute)
	s.fill(formRegistration, registrationAnswers)
	wants(s, "assessment", formAssessment, "Assessment")
	s.later(time.Minute)
	s.fill(formAssessment, assessmentAnswers)
	wants(s, "safety_plan", formSafetyPlan, "Safety plan")
	wants(s, "case_plan", formPlan, "Case plan") // not the safety plan twice
	s.fill(formSafetyPlan, map[string]any{"review_date": "2026-11-20"})
	wants(s, "case_plan", formAssessment, "Risk is high, so the supervisor approves the assessment first.")
	s.author = "super"
	s.later(time.Minute)
	s.approve(formAssessment, "approved")
	s.author = "worker"
	wants(s, "case_plan", formPlan, "Case plan")
}
