package casework

// Who the case is about: names, age with its basis, the people around, what
// was agreed to, whether a guardian is safe.

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"banyan/internal/forms"
)

// Age is how old the person is, on which basis. It is computed at a date and
// never stored.
type Age struct {
	Years         int    `json:"years"`
	Known         bool   `json:"-"`
	Text          string `json:"text"`
	Basis         string `json:"basis"`
	PresumedChild bool   `json:"presumed_child"`
	Child         bool   `json:"child"`
}

// Name is one spelling of the person's name.
type Name struct {
	Text string `json:"text"`
	Lang string `json:"lang,omitempty"`
}

// Consent is one scope of what was agreed to.
type Consent struct {
	Scope     string
	Given     bool
	By        string // consent_by
	Date      string
	Until     string // the day of its review
	Withdrawn string // the day it was taken back
	Override  bool   // acted on without consent, with a legal basis
	Record    string
}

// Person is somebody around the child.
type Person struct {
	Name, Relation string
	Kind           string // family | caregiver | companion | suspected | staff
	Note           string
	Safe           string // yes | no | unknown
	Record, Row    string
}

// Victim is the organisation's presumption and the State's decision, which
// never overwrite each other.
type Victim struct {
	Presumed      bool
	Presumption   string // trafficking_status of the newest screening
	Stage         string
	Since         time.Time
	StateDecision string
	DecidedBy     string
	DecidedOn     string
	AppealUntil   string
}

// AgeAt says how old the person is on a date.
func (c *Case) AgeAt(now time.Time) Age {
	answer, _ := c.ageAnswer()
	basis, _ := c.firstKnown("F04_registration.age_basis", "F01_first_contact.age_basis").(string)
	return ageOf(answer, basis, now.In(c.zone()))
}

// ageAnswer is the newest age, a date of birth before an estimate.
func (c *Case) ageAnswer() (map[string]any, bool) {
	if dob, ok := c.Known("F04_registration.dob").(string); ok {
		return map[string]any{"dob": dob}, true
	}
	m, ok := c.firstKnown("F04_registration.age", "F01_first_contact.age_declared").(map[string]any)
	return m, ok
}

// bornBetween bounds the birth year; zero when nothing is known.
func (c *Case) bornBetween() (from, to int) {
	a, ok := c.ageAnswer()
	if !ok {
		return 0, 0
	}
	if dob, ok := a["dob"].(string); ok && len(dob) >= 4 {
		y, _ := strconv.Atoi(dob[:4])
		return y, y
	}
	years, ok := a["years"].(float64)
	observed, _ := a["observed_on"].(string)
	if !ok || len(observed) < 4 {
		return 0, 0
	}
	y, _ := strconv.Atoi(observed[:4])
	return y - int(years) - 1, y - int(years)
}

func (c *Case) firstKnown(paths ...string) any {
	for _, p := range paths {
		if v := c.Known(p); v != nil {
			return v
		}
	}
	return nil
}

// Names gives every spelling, the main one first.
func (c *Case) Names() []Name {
	var out []Name
	add := func(text string) {
		text = strings.TrimSpace(text)
		if text == "" {
			return
		}
		for _, n := range out {
			if n.Text == text {
				return
			}
		}
		out = append(out, Name{text, langOf(text)})
	}
	str := func(path string) string { s, _ := c.Known(path).(string); return s }
	first, last := str("F04_registration.first_name"), str("F04_registration.last_name")
	switch {
	case familyFirst(first + last):
		add(last + " " + first)
	default:
		add(first + " " + last)
	}
	others, _ := c.Known("F04_registration.other_names").([]any)
	for _, o := range others {
		s, _ := o.(string)
		add(s)
	}
	for _, r := range c.Of(formContact) {
		s, _ := r.Answers["nickname"].(string)
		add(s)
	}
	return out
}

// familyFirst: Khmer and Vietnamese names are written family name first.
func familyFirst(text string) bool {
	for _, r := range text {
		if r >= 0x1780 && r < 0x1800 || r >= 0x1EA0 && r < 0x1F00 {
			return true
		}
	}
	return false
}

// langOf tells the page which font a name needs.
func langOf(text string) string {
	for _, r := range text {
		switch {
		case r >= 0x0900 && r < 0x0980:
			return "ne"
		case r >= 0x0980 && r < 0x0A00:
			return "bn"
		case r >= 0x0B80 && r < 0x0C00:
			return "ta"
		case r >= 0x0E00 && r < 0x0E80:
			return "th"
		case r >= 0x0E80 && r < 0x0F00:
			return "lo"
		case r >= 0x1000 && r < 0x10A0:
			return "my"
		case r >= 0x1780 && r < 0x1800:
			return "km"
		case r >= 0x1EA0 && r < 0x1F00:
			return "vi"
		}
	}
	return ""
}

// Phones gives the person's numbers as written.
func (c *Case) Phones() []string {
	var out []string
	list, _ := c.Known("F04_registration.phones").([]any)
	for _, p := range list {
		if s, ok := p.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Places gives the codes of where the person was met, is, and comes from, the
// most exact code of each.
func (c *Case) Places() []string {
	var out []string
	for _, path := range []string{"F04_registration.current_location", "F04_registration.home_location", "F01_first_contact.place"} {
		m, _ := c.Known(path).(map[string]any)
		for _, part := range []string{"adm2", "adm1", "country"} {
			if code, ok := m[part].(string); ok && code != "" {
				if !contains(out, code) {
					out = append(out, code)
				}
				break
			}
		}
	}
	return out
}

// Sex as last recorded.
func (c *Case) Sex() string {
	s, _ := c.firstKnown("F04_registration.sex", "F01_first_contact.sex", "F02_screening.sex").(string)
	return s
}

// Wish is what the person wants, in the own words, and when it was said.
func (c *Case) Wish() (text string, at time.Time) {
	for _, r := range c.Of(formContact) {
		if s, ok := r.Answers["wishes"].(string); ok && s != "" {
			text, at = s, r.Fields["wishes"].At
		}
	}
	for _, r := range c.Of(formAssessment) {
		if s, ok := r.Answers["child_view"].(string); ok && s != "" && r.Fields["child_view"].At.After(at) {
			text, at = s, r.Fields["child_view"].At
		}
	}
	return text, at
}

// UnsafeGuardian says that no caregiver is known to be safe: a caregiver may
// be involved, as said with the newest consent, or a relative did it.
func (c *Case) UnsafeGuardian() bool {
	if r := c.Newest(formConsent); r != nil {
		if v, ok := r.Answers["caregiver_implicated"].(string); ok && v != "no" {
			return true
		}
	}
	rel, _ := c.Known("F05_trafficking_history.recruiter_relationship").([]any)
	for _, v := range rel {
		if v == "parent" {
			return true
		}
	}
	return false
}

// Consents is the ledger: scope by scope, the newest record that speaks of it
// counts.
func (c *Case) Consents() []Consent {
	records := append([]*Record(nil), c.Of(formConsent)...)
	sort.SliceStable(records, func(i, j int) bool {
		a, _ := records[i].Answers["date"].(string)
		b, _ := records[j].Answers["date"].(string)
		return a < b
	})
	newest := map[string]Consent{}
	for _, r := range records {
		scopes, _ := r.Answers["scopes"].(map[string]any)
		str := func(name string) string { s, _ := r.Answers[name].(string); return s }
		for scope, v := range scopes {
			newest[scope] = Consent{Scope: scope, Given: v == "yes", By: str("obtained_from"), Date: str("date"),
				Until: str("review_date"), Withdrawn: str("withdrawn_at"), Override: r.Answers["override"] == true, Record: r.ID}
		}
	}
	out := make([]Consent, 0, len(newest))
	if list, ok := c.rules.Forms.List("consent_scope"); ok {
		for _, code := range list.Codes {
			if n, ok := newest[code.Code]; ok {
				out = append(out, n)
			}
		}
	}
	return out
}

// Allows says whether a scope of consent holds on a day.
func (c *Case) Allows(scope string, now time.Time) bool {
	day := forms.Today(now.In(c.zone()))
	for _, n := range c.Consents() {
		if n.Scope == scope {
			return n.Given && (n.Withdrawn == "" || n.Withdrawn > day)
		}
	}
	return false
}

// VictimNow gives presumption and decision side by side.
func (c *Case) VictimNow() Victim {
	var out Victim
	for _, r := range c.Of(formScreening) {
		status, _ := r.Answers["status"].(string)
		if status == "" {
			continue
		}
		if (status != "not_a_victim") != out.Presumed || out.Since.IsZero() {
			out.Since = r.FirstAt
		}
		out.Presumption = status
		out.Presumed = status != "not_a_victim"
		out.Stage, _ = r.Answers["identification_stage"].(string)
	}
	newest := ""
	for _, row := range rowsOf(c.Known("F05_trafficking_history.status_decision")) {
		date, _ := row["date"].(string)
		if date < newest {
			continue
		}
		newest = date
		out.StateDecision, _ = row["decision"].(string)
		out.DecidedBy, _ = row["body"].(string)
		out.AppealUntil, _ = row["appeal_until"].(string)
		out.DecidedOn = date
	}
	return out
}

// People lists who is around the child.
func (c *Case) People() []Person {
	var out []Person
	for _, r := range c.Of(formContact) {
		if s, ok := r.Answers["companion"].(string); ok && s != "" {
			out = append(out, Person{Name: s, Kind: "companion", Safe: "unknown", Record: r.ID})
		}
	}
	for _, r := range c.Of(formRegistration) {
		for _, row := range rowsOf(r.Answers["caregivers"]) {
			p := Person{Kind: "family", Record: r.ID}
			p.Name, _ = row["name"].(string)
			p.Relation, _ = row["relationship"].(string)
			p.Note, _ = row["note"].(string)
			p.Safe, _ = row["safe"].(string)
			p.Row, _ = row["_id"].(string)
			if row["caregiver"] == true || row["legal_guardian"] == true {
				p.Kind = "caregiver"
			}
			if p.Name != "" || p.Relation != "" {
				out = append(out, p)
			}
		}
	}
	for _, r := range c.Of(formHistory) {
		for _, row := range rowsOf(r.Answers["perpetrators"]) {
			p := Person{Kind: "suspected", Safe: "no", Record: r.ID}
			p.Name, _ = row["known_as"].(string)
			p.Relation, _ = row["relationship"].(string)
			p.Note, _ = row["known_facts"].(string)
			p.Row, _ = row["_id"].(string)
			out = append(out, p)
		}
	}
	return out
}
