package casework

// A case as it stands: a fold over the history of its stream.
//
// The fold replays entries in the order in which they were written (never
// later than they were recorded, ties by id), not in the order of arrival, so
// that two devices that come back late in either order give the same case.

import (
	"sort"
	"strings"
	"time"

	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/screening"
)

// Form ids that the rules of this room speak of.
const (
	formContact      = "F01_first_contact"
	formScreening    = screening.Form
	formConsent      = "F03_consent"
	formRegistration = "F04_registration"
	formHistory      = "F05_trafficking_history"
	formAssessment   = "F06_risk_assessment"
	formSafetyPlan   = "F07_safety_plan"
	formPlan         = "F08_case_plan"
	formReferral     = "F09_referral"
	formService      = "F10_service_log"
	formNote         = "F11_case_note"
	formLegal        = "F18_legal_case"
	formClosure      = "F27_closure"
	formFeedback     = "F28_feedback"
)

// Acts of the system, written as entries like everything else.
const (
	actPrefix      = "act."
	actOpen        = "act.open"        // coded: code, country
	actAssign      = "act.assign"      // coded: worker, supervisor, team, lawyer
	actMove        = "act.move"        // coded: move, from, to; story: reason
	actApprove     = "act.approve"     // coded: record, entry, decision (approved | returned); story: remark
	actExclude     = "act.exclude"     // coded: user, on; story: reason
	actBreakGlass  = "act.break_glass" // coded: user, until; story: reason
	actFile        = "act.file"        // coded: file, sha256, media, size, clean; identity: name
	actToldAgain   = "act.told_again"  // coded: times
	actAcknowledge = "act.acknowledge" // coded: clock, record
	actLink        = "act.link"        // coded: other (a case), same
)

// Record is one filled form as it stands now.
type Record struct {
	ID, Form    string
	FormVersion int
	Heads       []string
	Answers     map[string]any // what the reader may see, tiers joined
	Fields      map[string]FieldNow
	Disputes    []Dispute
	Entries     []journal.Opened
	Authors     []string // of all its entries
	Author      string   // of the first
	FirstAt     time.Time
	LastAt      time.Time
	RecordedAt  time.Time // when its first entry was recorded
	Struck      bool
	StruckBy    string
	StruckWhy   string
	Approval    *Approval // nil for forms that nobody decides on
}

// FieldNow says where the answer to a field comes from.
type FieldNow struct {
	Entry, Author string
	At            time.Time
}

// Dispute is one question with more than one answer.
type Dispute struct {
	Record, Form string
	Path         string // caregivers[r1].age
	Field        string // top-level name
	Tier         journal.Tier
	Versions     []journal.Version
	Since        time.Time
	settle       func(any) map[string]any
}

// Approval is where the decision on a record stands.
type Approval struct {
	State   string // pending | approved | returned
	Entry   string // the head that was or is to be decided
	AskedAt time.Time
	AskedBy string
	By      string
	At      time.Time
	Remark  string
	Fell    bool // it was decided, and the record amended since
}

// Approved says whether the present version is approved.
func (r *Record) Approved() bool { return r.Approval != nil && r.Approval.State == "approved" }

// StateAt is one status that the case had.
type StateAt struct {
	State, Move, By, Reason string
	At                      time.Time
}

// Assignment says who works on the case.
type Assignment struct {
	Worker, Supervisor, Team, Lawyer string
	At                               time.Time
	By                               string
}

// Case is one case as it stands.
type Case struct {
	Stream  journal.Stream
	Code    string
	Country string
	Opened  time.Time
	OpenBy  string

	States   []StateAt
	Records  map[string]*Record
	Assigned Assignment
	Excluded []Exclusion
	Glasses  []Glass
	Files    []FileRef
	Acks     []ack
	Links    []Link // one for each case that was decided on
	Told     int    // how often the story had to be told again

	Risk       string
	RiskSince  time.Time
	RiskReason string
	riskKnown  bool

	Clocks []Clock

	entries []journal.Opened // in the order of writing
	byForm  map[string][]*Record
	happen  []happening
	rules   *Rules

	folded map[foldKey]Record // every version that a record had, before decisions
	known  map[foldKey]Record // the same of an earlier, shorter history of this stream
}

// foldKey names a version of a record: its newest entry in the order of
// writing, and how many entries it has. A history only grows, so within one
// stream the two together name one set of entries.
type foldKey struct {
	entry string
	n     int
}

// Exclusion keeps a user out of a case, whatever else holds.
type Exclusion struct {
	User, By, Reason string
	At               time.Time
}

// Glass is an opening in an emergency.
type Glass struct {
	User, Reason string
	At, Until    time.Time
}

// FileRef points to a file kept beside the entries.
type FileRef struct {
	ID, Entry, SHA256, Media, Name, Author string
	Clean                                  string // SHA-256 of the copy without hidden data
	Size                                   int64
	At                                     time.Time
	Struck                                 bool
}

type ack struct {
	clock, record, by string
	at                time.Time
}

// happening is one moment of the replay that clocks may start or end at.
type happening struct {
	at       time.Time
	form     string
	record   string
	entry    string
	amended  bool
	answers  map[string]any
	approved *bool // a decision: true approved, false rejected
	state    string
	ackClock string
}

// State is the present status.
func (c *Case) State() string { return c.States[len(c.States)-1].State }

// Since is when the present status began.
func (c *Case) Since() time.Time { return c.States[len(c.States)-1].At }

// Of lists the records of a form that are not struck, oldest first.
func (c *Case) Of(form string) []*Record {
	var out []*Record
	for _, r := range c.byForm[form] {
		if !r.Struck {
			out = append(out, r)
		}
	}
	return out
}

// Newest is the newest record of a form that is not struck, or nil.
func (c *Case) Newest(form string) *Record {
	rs := c.Of(form)
	if len(rs) == 0 {
		return nil
	}
	return rs[len(rs)-1]
}

// Known gives the newest answer of another form, by Form.field.
func (c *Case) Known(path string) any {
	form, field, _ := strings.Cut(path, ".")
	rs := c.Of(form)
	for i := len(rs) - 1; i >= 0; i-- {
		if v := dig(rs[i].Answers, field); v != nil {
			return v
		}
	}
	return nil
}

func dig(v any, path string) any {
	for _, name := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// effective is when an entry counts as written: never after it arrived.
func effective(e journal.Entry) time.Time {
	if e.WrittenAt.After(e.RecordedAt) {
		return e.RecordedAt
	}
	return e.WrittenAt
}

// inOrder gives the entries in the order of writing.
func inOrder(history []journal.Opened) []journal.Opened {
	out := append([]journal.Opened(nil), history...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := effective(out[i].Entry), effective(out[j].Entry)
		if !a.Equal(b) {
			return a.Before(b)
		}
		return out[i].ID < out[j].ID
	})
	return out
}

// Fold replays a history. Tiers that are closed in it are missing from the
// answers, and what hangs on them with them.
func (r *Rules) Fold(s journal.Stream, history []journal.Opened) *Case {
	return r.foldOn(nil, s, history)
}

// foldOn is Fold with what an earlier fold of the same stream and the same
// tiers, over a part of this history, found out already; nil for nothing.
func (r *Rules) foldOn(before *Case, s journal.Stream, history []journal.Opened) *Case {
	if before != nil && before.Stream.HeadHash == s.HeadHash && len(before.entries) == len(history) {
		return before
	}
	c := &Case{Stream: s, Records: map[string]*Record{}, byForm: map[string][]*Record{}, rules: r, folded: map[foldKey]Record{}}
	if before != nil {
		c.known = before.folded
	}
	c.States = []StateAt{{State: r.Initial, At: s.CreatedAt}}
	ordered := inOrder(history)
	c.entries = ordered
	if len(ordered) > 0 {
		c.States[0].At = effective(ordered[0].Entry)
		c.Opened, c.OpenBy = c.States[0].At, ordered[0].Author
	}
	entries := map[string][]journal.Opened{}
	for _, o := range ordered {
		if strings.HasPrefix(o.Form, actPrefix) {
			c.act(o)
		} else {
			entries[o.Record] = append(entries[o.Record], o)
			c.note(o, entries[o.Record])
		}
		c.settleMoves(effective(o.Entry), o.Author)
	}
	c.country()
	c.runClocks()
	return c
}

// version gives a record as its entries so far make it.
func (c *Case) version(entries []journal.Opened) *Record {
	key := foldKey{entries[len(entries)-1].ID, len(entries)}
	r, ok := c.known[key]
	if !ok {
		r = *c.rules.FoldRecord(entries)
	}
	c.folded[key] = r
	return &r
}

// note brings one entry of a form in.
func (c *Case) note(o journal.Opened, entries []journal.Opened) {
	r := c.version(entries)
	old := c.Records[r.ID]
	c.Records[r.ID] = r
	list := c.byForm[r.Form]
	if old == nil {
		list = append(list, r)
	} else {
		r.Approval = old.Approval
		for i := range list {
			if list[i].ID == r.ID {
				list[i] = r
			}
		}
	}
	c.byForm[r.Form] = list
	at := effective(o.Entry)
	if _, ok := c.rules.byForm[r.Form]; ok {
		c.askApproval(r, at)
	}
	if o.Act != journal.Strike {
		c.happen = append(c.happen, happening{at: at, form: r.Form, record: r.ID, entry: o.ID, amended: o.Act == journal.Amend, answers: r.Answers})
	}
	c.weighRisk(at)
	if r.Form == formRegistration && !r.Struck {
		c.fillAssignment(r, at)
	}
	if r.Form == formFeedback && !r.Struck {
		if n, ok := r.Answers["told_again"].(float64); ok && o.Act == journal.Submit {
			c.Told += int(n)
		}
	}
}

// askApproval makes a new version wait for its decision; one made before falls.
func (c *Case) askApproval(r *Record, at time.Time) {
	head := ""
	if len(r.Heads) > 0 {
		head = r.Heads[len(r.Heads)-1]
	}
	old := r.Approval
	r.Approval = &Approval{State: "pending", Entry: head, AskedAt: at, AskedBy: r.Entries[len(r.Entries)-1].Author,
		Fell: old != nil && (old.Fell || old.State == "approved")}
}

// fillAssignment lets registration name the workers that nobody assigned yet.
func (c *Case) fillAssignment(r *Record, at time.Time) {
	if w, _ := r.Answers["case_worker"].(string); c.Assigned.Worker == "" && w != "" {
		c.Assigned.Worker, c.Assigned.At = w, at
	}
	if s, _ := r.Answers["supervisor"].(string); c.Assigned.Supervisor == "" && s != "" {
		c.Assigned.Supervisor = s
	}
}

// weighRisk keeps the level and since when it holds.
func (c *Case) weighRisk(at time.Time) {
	level, reason, known := c.rules.riskOf(c)
	if level != c.Risk || known != c.riskKnown {
		if level != c.Risk {
			c.RiskSince = at
		}
		c.Risk, c.riskKnown = level, known
	}
	c.RiskReason = reason
}

func (r *Rules) riskOf(c *Case) (level, reason string, known bool) {
	for _, path := range r.risk.From {
		form, field, _ := strings.Cut(path, ".")
		rec := c.Newest(form)
		if rec == nil {
			continue
		}
		if v, ok := rec.Answers[field].(string); ok && v != "" {
			reason, _ := rec.Answers["risk_reason"].(string)
			return v, reason, true
		}
	}
	for _, e := range r.risk.HighWhen {
		for _, rec := range c.Of(e.Form) {
			if e.where == nil || e.where.Holds(rec.Answers, forms.Env{Known: c.Known}) {
				return "high", "", false
			}
		}
	}
	return r.risk.BeforeKnown, "", false
}

// act brings a system act in.
func (c *Case) act(o journal.Opened) {
	coded := o.Answers[journal.Coded]
	text := func(name string) string { s, _ := coded[name].(string); return s }
	reason, _ := o.Answers[journal.Story]["reason"].(string)
	at := effective(o.Entry)
	switch o.Form {
	case actOpen:
		if c.Code == "" {
			c.Code, c.Country = text("code"), text("country")
		}
	case actAssign:
		c.Assigned = Assignment{Worker: text("worker"), Supervisor: text("supervisor"), Team: text("team"), Lawyer: text("lawyer"), At: at, By: o.Author}
	case actMove:
		if c.rules.stateIndex(text("to")) >= 0 {
			c.enter(StateAt{State: text("to"), Move: text("move"), By: o.Author, Reason: reason, At: at})
		}
	case actApprove:
		c.decide(o, text("record"), text("entry"), text("decision"), at)
	case actExclude:
		c.exclude(text("user"), coded["on"] == true, o.Author, reason, at)
	case actBreakGlass:
		until, _ := time.Parse(time.RFC3339, text("until"))
		c.Glasses = append(c.Glasses, Glass{User: text("user"), Reason: reason, At: at, Until: until})
	case actFile:
		name, _ := o.Answers[journal.Identity]["name"].(string)
		size, _ := coded["size"].(float64)
		c.Files = append(c.Files, FileRef{ID: text("file"), Entry: o.ID, SHA256: text("sha256"), Clean: text("clean"), Media: text("media"), Name: name, Size: int64(size), At: at, Author: o.Author})
	case actLink:
		c.link(text("other"), coded["same"] == true, o.Author, at)
	case actToldAgain:
		times, _ := coded["times"].(float64)
		c.Told += max(1, int(times))
	case actAcknowledge:
		c.Acks = append(c.Acks, ack{text("clock"), text("record"), o.Author, at})
		c.happen = append(c.happen, happening{at: at, record: text("record"), entry: o.ID, ackClock: text("clock")})
	}
}

func (c *Case) exclude(user string, on bool, by, reason string, at time.Time) {
	kept := c.Excluded[:0]
	for _, e := range c.Excluded {
		if e.User != user {
			kept = append(kept, e)
		}
	}
	c.Excluded = kept
	if on {
		c.Excluded = append(c.Excluded, Exclusion{user, by, reason, at})
	}
}

// decide notes an approval. It counts only for the version it names, and only
// from somebody who wrote nothing of it.
func (c *Case) decide(o journal.Opened, record, entry, decision string, at time.Time) {
	r := c.Records[record]
	if r == nil || r.Approval == nil || r.Approval.Entry != entry || len(r.Heads) != 1 || (decision != "approved" && decision != "returned") {
		return
	}
	for _, a := range r.Authors {
		if a == o.Author {
			return
		}
	}
	remark, _ := o.Answers[journal.Story]["remark"].(string)
	copied := *r.Approval
	copied.State, copied.By, copied.At, copied.Remark = decision, o.Author, at, remark
	r.Approval = &copied
	yes := decision == "approved"
	c.happen = append(c.happen, happening{at: at, form: r.Form, record: r.ID, entry: o.ID, approved: &yes, answers: r.Answers})
}

func (c *Case) enter(s StateAt) {
	c.States = append(c.States, s)
	c.happen = append(c.happen, happening{at: s.At, state: s.State})
}

// country is where the case is for its clocks: where it was opened.
func (c *Case) country() {
	if c.Country != "" {
		return
	}
	for _, path := range []string{"F01_first_contact.place", "F04_registration.current_location"} {
		if code, ok := dig(c.Known(path), "country").(string); ok {
			c.Country = code
			return
		}
	}
}

// FoldRecord gives one record from its entries, in the order of writing.
func (r *Rules) FoldRecord(entries []journal.Opened) *Record {
	var folded *journal.Record
	for _, f := range journal.Fold(entries, r.Shape) {
		folded = f
	}
	out := &Record{ID: folded.ID, Form: folded.Form, FormVersion: folded.FormVersion, Heads: folded.Heads, Entries: entries,
		Author: folded.Author, FirstAt: effective(entries[0].Entry), LastAt: folded.LastAt, RecordedAt: entries[0].RecordedAt,
		Struck: folded.Struck, StruckBy: folded.StruckBy, StruckWhy: folded.StruckWhy, Fields: map[string]FieldNow{}}
	for _, e := range entries {
		if !contains(out.Authors, e.Author) {
			out.Authors = append(out.Authors, e.Author)
		}
	}
	for name, f := range folded.Fields {
		if strings.HasPrefix(name, "_") { // said about the change, not an answer
			continue
		}
		out.Fields[name] = FieldNow{Entry: f.Entry, Author: f.Author, At: f.At}
	}
	for _, d := range folded.Disputes {
		if strings.HasPrefix(d.Field, "_") {
			continue
		}
		mine := Dispute{Record: out.ID, Form: out.Form, Path: d.Path, Field: d.Field, Tier: d.Tier, Versions: d.Versions, settle: d.Settle}
		for _, v := range d.Versions {
			if v.At.After(mine.Since) {
				mine.Since = v.At
			}
		}
		out.Disputes = append(out.Disputes, mine)
	}
	out.Answers = r.join(out.Form, folded.Parts)
	r.screen(out)
	return out
}

// join puts the tiers of a record's answers together.
func (r *Rules) join(form string, parts map[journal.Tier]map[string]any) map[string]any {
	f, ok := r.Forms.Form(form)
	if !ok {
		out := map[string]any{}
		for _, fields := range parts {
			for name, v := range fields {
				out[name] = v
			}
		}
		return out
	}
	byTier := make(map[forms.Tier]map[string]any, len(parts))
	for t, fields := range parts {
		byTier[forms.Tier(t)] = fields
	}
	return f.MergeTiers(byTier)
}

// Shape tells the journal how far an answer is taken apart when it is merged.
func (r *Rules) Shape(form, path string) journal.Shape {
	f, ok := r.Forms.Form(form)
	if !ok {
		return journal.Whole
	}
	if field, ok := f.Field(path); ok {
		switch field.Type {
		case forms.Group, forms.Matrix:
			return journal.Parts
		case forms.Repeat:
			return journal.Rows
		}
		return journal.Whole
	}
	if i := strings.LastIndexByte(path, '.'); i > 0 { // a row of a matrix with columns
		if field, ok := f.Field(path[:i]); ok && field.Type == forms.Matrix && len(field.Fields) > 0 {
			return journal.Parts
		}
	}
	return journal.Whole
}

// split takes answers, or changes, apart by tier.
func split(form *forms.Form, answers map[string]any) map[journal.Tier]map[string]any {
	out := map[journal.Tier]map[string]any{}
	for t, fields := range form.SplitTiers(answers) {
		out[journal.Tier(t)] = fields
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
