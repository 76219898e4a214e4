package demo

// One child's story, told in entries: contact, screening, consent,
// registration, assessment, plan, services, follow-up, closure. How far it
// goes is the case's stage; what lies between is chance within the rules.

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/screening"
)

// stages lists how far stories go and how many of a hundred end there.
var stages = []struct {
	name  string
	share int
}{
	{"contact", 2}, {"screened", 2}, {"consent", 2}, {"registered", 3}, {"assessed", 3},
	{"planned", 4}, {"in_service", 14}, {"follow_up", 8}, {"closed", 62},
}

// teller holds what one story carries along.
type teller struct {
	m       *Maker
	c       *Case
	at      time.Time
	worker  string // real ids
	boss    string
	orgID   string
	heads   map[string]string // form → newest entry of its newest record
	records map[string]string // form → its newest record
	facts   map[string]any    // Form.field → newest answer, for known_from
	child   child

	screened, consented, assessed, planned, safetyReview time.Time
	reviewed                                             bool // the presumption was looked at again
}

// child is whom the story is about.
type child struct {
	country    string
	sex        string
	age        int
	name       personName
	risk       string
	basis      string
	exploited  string // country
	unsafe     bool   // a caregiver is suspected
	sexual     bool   // the specialist pathway
	trafficked bool
	home       map[string]any // set when it was told
}

func (m *Maker) oneCase() (Case, error) {
	stage := m.stage()
	org, worker, boss := m.team()
	t := &teller{m: m, c: &Case{Org: org, Stage: stage}, worker: m.ids.User(worker), boss: m.ids.User(boss),
		orgID: m.ids.Org(org), heads: map[string]string{}, records: map[string]string{}, facts: map[string]any{}, child: m.newChild()}
	t.at = m.begin(stage)
	begun := t.at
	t.child = m.maybeFormer(t.child, stage, begun)
	t.c.Stream = m.id(t.at)
	if err := t.tell(stage, organisationCountry(org), teamOf(worker)); err != nil {
		return Case{}, err
	}
	m.keepFormer(stage, t.child, begun)
	return *t.c, nil
}

func (m *Maker) stage() string {
	roll := m.rng.IntN(100)
	for _, s := range stages {
		if roll -= s.share; roll < 0 {
			return s.name
		}
	}
	return "in_service"
}

// team chooses whose case it is: most belong to River House, and there most to
// the case worker whose sign-in is printed.
func (m *Maker) team() (org, worker, boss string) {
	if m.chance(70) {
		w := pick(m.rng, []string{"chanthou", "chanthou", "minh", "sokha", "mony", "sreypov", "veasna", "thida"})
		if w == "veasna" || w == "thida" {
			return "river", w, "kunthea"
		}
		return "river", w, "vanna"
	}
	return pickTeam(m)
}

func pickTeam(m *Maker) (org, worker, boss string) {
	t := pick(m.rng, [][3]string{{"garden", "channy", "sothea"}, {"lotus", "malee", "somchai"}, {"road", "bounmy", "khamla"}})
	return t[0], t[1], t[2]
}

func organisationCountry(key string) string {
	for _, o := range organisations {
		if o.Key == key {
			return o.Country
		}
	}
	return "KHM"
}

func teamOf(login string) string {
	for _, s := range staff {
		if s.Login == login {
			return s.Team
		}
	}
	return ""
}

func (m *Maker) newChild() child {
	c := child{
		country:   pick(m.rng, []string{"KHM", "KHM", "KHM", "KHM", "VNM", "VNM", "LAO", "LAO", "MMR", "MMR", "THA", "BGD", "NPL", "IND", "IDN", "PHL", "MYS"}),
		sex:       pick(m.rng, []string{"female", "female", "female", "male", "male"}),
		age:       6 + m.rng.IntN(12),
		risk:      pick(m.rng, []string{"high", "high", "medium", "medium", "medium", "low", "low", "low"}),
		basis:     pick(m.rng, []string{"self_declared", "self_declared", "document", "caregiver", "estimated", "presumed_child"}),
		exploited: pick(m.rng, []string{"THA", "THA", "KHM", "VNM", "MYS", "LAO"}),
		unsafe:    m.chance(15), sexual: m.chance(18), trafficked: m.chance(80),
	}
	if m.chance(8) {
		c.age = 18 + m.rng.IntN(8)
		if c.basis == "presumed_child" {
			c.basis = "self_declared"
		}
	}
	c.name = m.names.name(m.rng, c.country, c.sex)
	return c
}

// begin gives the day of the first contact: closed cases lie within three
// years, young stages within the last days, the others in between.
func (m *Maker) begin(stage string) time.Time {
	back := map[string][2]int{"contact": {0, 2}, "screened": {0, 4}, "consent": {1, 6}, "registered": {3, 14},
		"assessed": {8, 30}, "planned": {15, 45}, "in_service": {25, 130}, "follow_up": {110, 200}, "closed": {200, 1095}}[stage]
	days := back[0] + m.rng.IntN(back[1]-back[0]+1)
	at := m.now.AddDate(0, 0, -days).Truncate(24 * time.Hour)
	at = at.Add(time.Duration(1+m.rng.IntN(9))*time.Hour + time.Duration(m.rng.IntN(60))*time.Minute)
	if at.After(m.now.Add(-time.Hour)) { // nobody is met in the future
		at = at.AddDate(0, 0, -1)
	}
	return at
}

// tell writes the entries up to the stage.
func (t *teller) tell(stage, country, team string) error {
	t.act("act.open", "act.open", map[string]any{"code": t.code(country), "country": country})
	t.act("act.assign", "act.assign", map[string]any{"worker": t.worker, "supervisor": t.boss, "team": t.m.ids.Team(t.c.Org, team)})
	for _, step := range []struct {
		until string
		tell  func() error
	}{
		{"contact", t.contact}, {"screened", t.screening}, {"consent", t.consent}, {"registered", t.registration},
		{"assessed", t.assessment}, {"planned", t.plan}, {"in_service", t.services}, {"follow_up", t.followUp}, {"closed", t.closure},
	} {
		if err := step.tell(); err != nil {
			return fmt.Errorf("%s: %w", step.until, err)
		}
		if step.until == stage {
			return nil
		}
	}
	return fmt.Errorf("there is no stage %s", stage)
}

// code makes a pseudonym without look-alikes that no other case of this
// country has: KH-7F3QC.
func (t *teller) code(country string) string {
	const letters = "23456789ACDEFGHJKMNPQRTVWXY"
	alpha2 := map[string]string{"KHM": "KH", "THA": "TH", "LAO": "LA", "VNM": "VN"}[country]
	for {
		var b strings.Builder
		b.WriteString(alpha2 + "-")
		for range 5 {
			b.WriteByte(letters[t.m.rng.IntN(len(letters))])
		}
		if code := b.String(); !t.m.given[code] {
			t.m.given[code] = true
			return code
		}
	}
}

// The office's hours in UTC: eight to six in Phnom Penh.
const opens, closes = 1, 11

// later moves the story's clock on, by hours, into the office's hours, and not
// past the day on which the story ends.
func (t *teller) later(hours int) {
	before := t.at
	t.at = t.at.Add(time.Duration(hours)*time.Hour + time.Duration(t.m.rng.IntN(50))*time.Minute)
	if h := t.at.Hour(); h < opens || h >= closes {
		day := t.at.Truncate(24 * time.Hour)
		if h >= closes {
			day = day.AddDate(0, 0, 1)
		}
		t.at = day.Add(time.Duration(opens)*time.Hour + time.Duration(10+t.m.rng.IntN(170))*time.Minute)
	}
	if latest := t.m.now.Add(-time.Duration(5+t.m.rng.IntN(20)) * time.Minute); t.at.After(latest) {
		t.at = latest
	}
	if t.at.Before(before) {
		t.at = before.Add(time.Second)
	}
}

func (t *teller) contact() error {
	if home := t.m.places.any(t.m.rng, t.child.country); t.child.home == nil {
		t.child.home = home
	}
	c := t.child
	said := map[string]any{
		"contact_at": t.at.Add(-20 * time.Minute).Format(time.RFC3339), "place": t.m.places.any(t.m.rng, pick(t.m.rng, []string{"KHM", "THA", "LAO"})),
		"language": language(c.country), "alone": true, "interpreter": t.m.chance(40),
		"safe_now":       pick(t.m.rng, []string{"yes", "yes", "yes", "unknown", "no"}),
		"medical_urgent": t.m.chance(8), "age_basis": c.basis, "sex": c.sex,
		"age_declared": map[string]any{"years": float64(c.age), "observed_on": t.at.Format(time.DateOnly)},
		"nickname":     c.name.GivenLatin, "safe_contact": []any{"call_hours"},
	}
	return t.fill("F01_first_contact", said, 80)
}

func language(country string) string {
	l := map[string]string{"KHM": "km", "VNM": "vi", "LAO": "lo", "MMR": "my", "THA": "th", "BGD": "bn", "NPL": "ne", "IND": "hi", "IDN": "id", "PHL": "fil", "MYS": "ms"}[country]
	if l == "" {
		return "en"
	}
	return l
}

func (t *teller) screening() error {
	t.later(2)
	t.screened = t.at
	profile := "child_labour"
	switch {
	case t.child.sexual:
		profile = "sexual_exploitation"
	case t.child.age >= 18:
		profile = "adult_labour"
	}
	said := map[string]any{"mode": "worker_read", "consent_asked": true, "profile": profile, "adult_certain": nil, "brief": nil,
		"worker_judgement": pick(t.m.rng, []string{"agree", "agree", "agree", "higher"}),
		"status":           "possible_victim", "identification_stage": "presumed", "next_step": "full_assessment"}
	// The full questions are asked in every invented screening.
	said[screening.FieldAnswers] = func(f *forms.Field) any { return t.m.matrix(f, story{}) }
	if profile != "child_labour" {
		said["adult_certain"] = t.child.age >= 18
	}
	t.m.signsIn100 = 6
	if t.child.trafficked {
		t.m.signsIn100 = 34
	}
	return t.fill(screening.Form, said, 50)
}

func (t *teller) consent() error {
	t.later(4)
	t.consented = t.at
	by := "individual"
	caregiver := "no"
	if t.child.unsafe {
		caregiver, by = "yes", "caseworker_best_interest"
	}
	scopes := map[string]any{}
	list, _ := t.m.lib.List("consent_scope")
	for _, c := range list.Codes {
		yes := t.m.chance(75) || slices.Contains([]string{"services", "retention_informed", "withdrawal_informed"}, c.Code)
		scopes[c.Code] = map[bool]string{true: "yes", false: "no"}[yes && c.Code != "media"]
	}
	said := map[string]any{"caregiver_implicated": caregiver, "obtained_from": by, "child_assent": "yes", "scopes": scopes,
		"age_band": band(t.child.age), "date": t.at.Format(time.DateOnly), "review_date": t.at.AddDate(0, 6, 0).Format(time.DateOnly),
		"withdrawn_at": nil, "override": nil, "override_reason": nil, "share_with": nil}
	if t.child.unsafe {
		said["withhold"] = pick(t.m.rng, sentences["withhold"])
	}
	return t.fill("F03_consent", said, 30)
}

func band(age int) string {
	switch {
	case age <= 5:
		return "0-5"
	case age <= 11:
		return "6-11"
	case age <= 14:
		return "12-14"
	case age <= 17:
		return "15-17"
	}
	return "18+"
}

func (t *teller) registration() error {
	t.later(map[string]int{"high": 4, "medium": 30, "low": 70}[t.child.risk])
	c := t.child
	said := map[string]any{
		"first_name": c.name.Given, "last_name": c.name.Family, "other_names": []any{strings.TrimSpace(c.name.GivenLatin + " " + c.name.FamilyLatin)},
		"age": map[string]any{"years": float64(c.age), "observed_on": t.at.Format(time.DateOnly)}, "age_basis": c.basis, "sex": c.sex,
		"dob": nil, "phones": nil, "nationality": []any{c.country}, "languages": []any{language(c.country)}, "risk_level": c.risk, "case_worker": t.worker, "supervisor": t.boss,
		"home_location": c.home, "current_location": t.m.places.any(t.m.rng, "KHM"), "agency_ids": nil,
	}
	if c.name.Family == "" {
		delete(said, "last_name")
		said["last_name"] = nil
	}
	if err := t.fill("F04_registration", said, 55); err != nil {
		return err
	}
	if t.m.chance(12) && t.c.Stage != "closed" && t.c.Stage != "follow_up" {
		t.dispute()
	}
	if t.m.chance(85) {
		return t.history()
	}
	return nil
}

// dispute lets two people correct the age at once, each without having seen
// the other: one in the field, offline, one in the office.
func (t *teller) dispute() {
	head := t.heads["F04_registration"]
	for i, years := range []int{t.child.age + 1, t.child.age - 1} {
		t.later(4 + i)
		answers := map[journal.Tier]map[string]any{journal.Coded: {"age": map[string]any{"years": float64(years), "observed_on": t.at.Format(time.DateOnly)}}}
		d := t.draft("F04_registration", 1, journal.Amend, "F04_registration", []string{head}, answers)
		d.Author = []string{t.worker, t.boss}[i]
		d.Device = []string{"phone", "office"}[i]
		t.c.Drafts = append(t.c.Drafts, d)
	}
}

// history is what the child tells of the way here.
func (t *teller) history() error {
	t.later(30)
	c := t.child
	exploitation := pick(t.m.rng, []string{"forced_labour", "child_labour", "domestic_servitude", "forced_begging", "debt_bondage_as_purpose"})
	if c.sexual {
		exploitation = "sexual_exploitation"
	}
	said := map[string]any{"exploitation": []any{exploitation}, "countries": ordered(t.m.lib, "country", c.country, c.exploited),
		"age_when_trafficked": float64(max(4, c.age-1-t.m.rng.IntN(2))), "duration_months": float64(1 + t.m.rng.IntN(18)), "status_decision": nil}
	return t.fill("F05_trafficking_history", said, 75)
}

// ordered gives codes without doubles in the order of their list.
func ordered(lib *forms.Library, list string, codes ...string) []any {
	l, ok := lib.List(list)
	if !ok {
		return nil
	}
	var out []any
	for _, c := range l.Codes {
		if slices.Contains(codes, c.Code) {
			out = append(out, c.Code)
		}
	}
	return out
}

func (t *teller) assessment() error {
	t.later(40 + t.m.rng.IntN(20))
	if err := t.assess(); err != nil {
		return err
	}
	if t.child.risk != "low" {
		t.later(3)
		if err := t.fill("F07_safety_plan", map[string]any{"comms": []any{"call_hours"}, "review_date": t.inDays(30)}, 80); err != nil {
			return err
		}
		t.safetyReview = t.at.AddDate(0, 0, 28)
	}
	if t.c.Stage != "assessed" || t.m.chance(50) {
		t.approve("F06_risk_assessment")
	}
	return nil
}

// assess judges the risk as it is now.
func (t *teller) assess() error {
	harm := map[string]string{"high": "high", "medium": "low", "low": "none"}[t.child.risk]
	if t.child.risk == "high" && t.m.chance(60) {
		harm = "low"
	}
	f, ok := t.m.lib.Form("F06_risk_assessment")
	if !ok {
		return fmt.Errorf("there is no form F06_risk_assessment")
	}
	t.assessed = t.at
	return t.fill("F06_risk_assessment", map[string]any{"risk_level": t.child.risk, "bip_step": "bia_comprehensive",
		"self_harm": orOther(f, "self_harm", harm), "trafficker_contact": orOther(f, "trafficker_contact", harm),
		"case_plan_due": t.inDays(14)}, 60)
}

func (t *teller) inDays(days int) string { return t.at.AddDate(0, 0, days).Format(time.DateOnly) }

// orOther gives the code if the field's own choices have it, else leaves the
// field to chance.
func orOther(f *forms.Form, field, code string) any {
	fd, ok := f.Field(field)
	if !ok || fd.List == nil || fd.List.Code(code) == nil {
		return fd.List.Codes[0].Code
	}
	return code
}

func (t *teller) plan() error {
	t.later(60 + t.m.rng.IntN(100))
	if err := t.newPlan(); err != nil {
		return err
	}
	if t.c.Stage != "planned" || t.m.chance(50) {
		t.approve("F08_case_plan")
	}
	return nil
}

func (t *teller) newPlan() error {
	t.planned = t.at
	return t.fill("F08_case_plan", map[string]any{"review_date": t.inDays(60)}, 70)
}

// services is the long middle of a case: a note or a service every few days,
// and everything looked at again when its time comes. Stages behind it end
// after two to four months; the others go on until the story's last day.
func (t *teller) services() error {
	end := t.m.now
	if t.c.Stage == "follow_up" || t.c.Stage == "closed" {
		end = t.at.AddDate(0, 0, 50+t.m.rng.IntN(60))
	}
	if end.After(t.m.now) {
		end = t.m.now
	}
	said := map[string]any{"date": t.at.Format(time.DateOnly), "provider": t.orgID, "grant": nil}
	if err := t.fill("F10_service_log", said, 60); err != nil {
		return err
	}
	if t.m.chance(50) {
		if err := t.referral(); err != nil {
			return err
		}
	}
	for {
		pace := map[string]int{"high": 3, "medium": 7, "low": 14}[t.child.risk]
		before := t.at
		t.later(24*pace + t.m.rng.IntN(24))
		if t.at.After(end) || end.Sub(t.at) < 24*time.Hour {
			if t.late() { // behind with this one: what was due stays undone
				return nil
			}
			t.at = maxTime(before.Add(time.Hour), t.at.Add(-time.Duration(1+t.m.rng.IntN(40))*time.Hour))
			return t.note()
		}
		if err := t.keepUp(pace); err != nil {
			return err
		}
	}
}

// late is true in one case of five.
func (t *teller) late() bool { return t.c.Stage == "in_service" && t.m.chance(20) }

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// keepUp does what is due by now: risk, plan, safety plan and consent are
// looked at again, and the child is seen or helped.
func (t *teller) keepUp(pace int) error {
	if days := map[string]int{"high": 7, "medium": 14, "low": 30}[t.child.risk]; t.at.Sub(t.assessed) > time.Duration(24*(days-pace))*time.Hour {
		t.calmDown()
		if err := t.assess(); err != nil {
			return err
		}
		t.approve("F06_risk_assessment")
	}
	if !t.safetyReview.IsZero() && t.at.After(t.safetyReview.AddDate(0, 0, -pace)) {
		t.amend("F07_safety_plan", map[string]any{"review_date": t.inDays(30)})
		t.safetyReview = t.at.AddDate(0, 0, 28)
	}
	if t.at.Sub(t.planned) > time.Duration(24*(60-pace))*time.Hour {
		if err := t.newPlan(); err != nil {
			return err
		}
		t.approve("F08_case_plan")
	}
	if !t.reviewed && t.at.Sub(t.screened) > time.Duration(24*(29-pace))*time.Hour {
		t.reviewed = true
		t.amend("F02_screening", map[string]any{"identification_stage": "in_identification"})
	}
	if t.at.Sub(t.consented) > time.Duration(24*(178-pace))*time.Hour {
		if err := t.consent(); err != nil {
			return err
		}
	}
	if t.m.chance(35) {
		return t.fill("F10_service_log", map[string]any{"date": t.at.Format(time.DateOnly), "provider": t.orgID, "grant": nil}, 60)
	}
	return t.note()
}

// calmDown lets help work: the risk falls, most of the time.
func (t *teller) calmDown() {
	if t.m.chance(70) {
		t.child.risk = map[string]string{"high": "medium", "medium": "low", "low": "low"}[t.child.risk]
	}
}

// amend changes answers of the newest record of a form.
func (t *teller) amend(form string, changes map[string]any) {
	f, ok := t.m.lib.Form(form)
	if !ok || t.heads[form] == "" {
		return
	}
	tiers := map[journal.Tier]map[string]any{}
	for tier, fields := range f.SplitTiers(changes) {
		tiers[journal.Tier(tier)] = fields
	}
	d := t.draft(form, f.Version, journal.Amend, t.records[form], []string{t.heads[form]}, tiers)
	t.heads[form] = d.ID
	t.c.Drafts = append(t.c.Drafts, d)
}

// move is a step that a person takes, not one that follows from entries.
func (t *teller) move(id, to string) {
	t.c.Drafts = append(t.c.Drafts, t.draft("act.move", 1, journal.Submit, "", nil, map[journal.Tier]map[string]any{
		journal.Coded: {"to": to, "move": id}}))
	t.at = t.at.Add(time.Second)
}

func (t *teller) note() error {
	return t.fill("F11_case_note", map[string]any{"at": t.at.Add(-30 * time.Minute).Format(time.RFC3339),
		"next_date": t.at.AddDate(0, 0, 3+t.m.rng.IntN(14)).Format(time.DateOnly)}, 75)
}

func (t *teller) referral() error {
	t.later(4)
	said := map[string]any{"type": "referral", "urgency": t.child.risk, "consent_ref": t.records["F03_consent"],
		"to_org": t.m.ids.Org(pick(t.m.rng, []string{"garden", "lotus", "desk"})), "status": "done"}
	if t.c.Stage == "in_service" && t.m.now.Sub(t.at) < 14*24*time.Hour {
		said["status"] = pick(t.m.rng, []string{"sent", "accepted", "in_progress"})
	}
	return t.fill("F09_referral", said, 50)
}

func (t *teller) followUp() error {
	t.later(20)
	t.move("finish_services", "follow_up")
	for range 1 + t.m.rng.IntN(3) {
		t.later(24 * (20 + t.m.rng.IntN(10)))
		if t.child.risk = "low"; t.m.now.Sub(t.at) > 48*time.Hour {
			if err := t.assess(); err != nil {
				return err
			}
			t.approve("F06_risk_assessment")
		}
		said := map[string]any{"date": t.at.Format(time.DateOnly), "seen": true, "safe": "yes", "contact_trafficker": false}
		if err := t.fill("F17_reintegration_followup", said, 40); err != nil {
			return err
		}
	}
	return nil
}

func (t *teller) closure() error {
	t.later(24 * 7)
	said := map[string]any{"reason": pick(t.m.rng, []string{"goals_met", "goals_met", "reunified_stable", "client_request", "reached_18"}),
		"safe_confirmed": true, "legal_open": false, "contact_card": true, "feedback_survey": t.m.chance(60),
		"data_retention": t.at.AddDate(7, 0, 0).Format(time.DateOnly)}
	if err := t.fill("F27_closure", said, 50); err != nil {
		return err
	}
	t.approve("F27_closure")
	t.later(2)
	t.move("close", "closed")
	return nil
}

// approve is the supervisor's decision on the newest record of a form.
func (t *teller) approve(form string) {
	t.later(6 + t.m.rng.IntN(20))
	entry := t.heads[form]
	d := t.draft("act.approve", 1, journal.Submit, "", nil, map[journal.Tier]map[string]any{
		journal.Coded: {"record": t.records[form], "entry": entry, "decision": "approved"}})
	d.Author = t.boss
	t.c.Drafts = append(t.c.Drafts, d)
}

// fill answers a form and appends its entry.
func (t *teller) fill(form string, said map[string]any, share int) error {
	answers, err := t.m.fill(form, story{at: t.at, user: t.worker, org: t.orgID, known: func(p string) any { return t.facts[p] }}, said, share)
	if err != nil {
		return err
	}
	f, _ := t.m.lib.Form(form)
	for name, v := range answers {
		t.facts[form+"."+name] = v
	}
	tiers := map[journal.Tier]map[string]any{}
	for tier, fields := range f.SplitTiers(answers) {
		tiers[journal.Tier(tier)] = fields
	}
	record := ""
	if f.Single {
		record = form
	}
	d := t.draft(form, f.Version, journal.Submit, record, nil, tiers)
	t.heads[form], t.records[form] = d.ID, d.Record
	t.c.Drafts = append(t.c.Drafts, d)
	return nil
}

func (t *teller) act(form, record string, coded map[string]any) {
	t.c.Drafts = append(t.c.Drafts, t.draft(form, 1, journal.Submit, record, nil, map[journal.Tier]map[string]any{journal.Coded: coded}))
	t.at = t.at.Add(time.Second)
}

func (t *teller) draft(form string, version int, act journal.Act, record string, follows []string, answers map[journal.Tier]map[string]any) journal.Draft {
	d := journal.Draft{ID: t.m.id(t.at), Stream: t.c.Stream, Form: form, FormVersion: version, Act: act, Record: record,
		Follows: follows, Author: t.worker, Org: t.orgID, Device: "demo", WrittenAt: t.at, Answers: answers}
	if d.Record == "" {
		d.Record = d.ID
	}
	return d
}
