package casework

// One case on one page, and its records.

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"banyan/internal/fault"
	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Page is a case as its page shows it.
type Page struct {
	ID          string         `json:"id"`
	Code        string         `json:"code"`
	Why         string         `json:"why"`
	StreamSeq   int64          `json:"stream_seq"`
	Header      Header         `json:"header"`
	Steps       []Step         `json:"steps"`
	Next        *NextStep      `json:"next,omitempty"`
	Moves       []PageMove     `json:"moves"`
	Timeline    []TimelineItem `json:"timeline"`
	Forms       []FormItem     `json:"forms"`
	Plan        PlanItem       `json:"plan"`
	Services    []ServiceItem  `json:"services"`
	Consent     []ConsentItem  `json:"consent"`
	People      []PersonItem   `json:"people"`
	Clocks      []ClockItem    `json:"clocks"`
	Tasks       []TaskItem     `json:"tasks"`
	Approvals   []ApprovalItem `json:"approvals"`
	Disputes    []DisputeItem  `json:"disputes"`
	Files       []FileItem     `json:"files"`
	Access      AccessSummary  `json:"access"`
	Assigned    AssignedItem   `json:"assigned"`
	May         []string       `json:"may"`
	HiddenTiers []string       `json:"hidden_tiers"`
}

// Header is who it is, and how things stand.
type Header struct {
	Name           string     `json:"name"`
	Names          []Name     `json:"names"`
	Sex            string     `json:"sex"`
	Age            *Age       `json:"age,omitempty"`
	Risk           RiskItem   `json:"risk"`
	Status         string     `json:"status"`
	StatusLabel    string     `json:"status_label"`
	Since          time.Time  `json:"since"`
	Victim         VictimItem `json:"victim"`
	UnsafeGuardian bool       `json:"unsafe_guardian"`
	Wish           *WishItem  `json:"wish,omitempty"`
}

// RiskItem is the level now and since when.
type RiskItem struct {
	Level  string     `json:"level"`
	Since  *time.Time `json:"since,omitempty"`
	Reason string     `json:"reason,omitempty"`
}

// VictimItem is the presumption beside the State's decision.
type VictimItem struct {
	Presumed      bool       `json:"presumed"`
	Presumption   string     `json:"presumption,omitempty"`
	Stage         string     `json:"stage,omitempty"`
	Since         *time.Time `json:"since,omitempty"`
	StateDecision string     `json:"state_decision,omitempty"`
	DecidedBy     string     `json:"decided_by,omitempty"`
	DecidedOn     string     `json:"decided_on,omitempty"`
	Days          int        `json:"days"` // since the presumption, while the State has not decided
}

// WishItem is what the person wants, in the own words.
type WishItem struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// NextStep is what to do now.
type NextStep struct {
	Title     string        `json:"title"`
	Form      string        `json:"form,omitempty"`
	Record    string        `json:"record,omitempty"`
	Missing   []MissingItem `json:"missing"`
	DueAt     *time.Time    `json:"due_at,omitempty"`
	Escalated bool          `json:"escalated"`
}

// MissingItem is a question that still needs an answer.
type MissingItem struct {
	Path  string `json:"path"`
	Label string `json:"label"`
}

// PageMove is a move from here.
type PageMove struct {
	ID        string   `json:"id"`
	To        string   `json:"to"`
	Label     string   `json:"label"`
	Allowed   bool     `json:"allowed"`
	Automatic bool     `json:"automatic"`
	Reason    bool     `json:"reason"`
	Missing   []string `json:"missing"`
}

// Line is one answer in words.
type Line struct {
	Label string `json:"label"`
	Text  string `json:"text"`
	Tier  string `json:"tier"`
	// Words says that these are words somebody wrote, not a choice or a result.
	Words bool `json:"words,omitempty"`
}

// TimelineItem is one entry.
type TimelineItem struct {
	Entry      string    `json:"entry"`
	Record     string    `json:"record"`
	Form       string    `json:"form"`
	Title      string    `json:"title"`
	Act        string    `json:"act"`
	At         time.Time `json:"at"`
	RecordedAt time.Time `json:"recorded_at"`
	Author     string    `json:"author"`
	AuthorID   string    `json:"author_id"`
	DeviceLate bool      `json:"device_late"`
	Summary    []Line    `json:"summary"`
	Badges     []string  `json:"badges"`
	Disputes   int       `json:"disputes"`
	Pending    bool      `json:"pending"`
}

// FormItem is one form with its records.
type FormItem struct {
	Form       string       `json:"form"`
	Title      string       `json:"title"`
	StatusNote string       `json:"status_note,omitempty"`
	CanAdd     bool         `json:"can_add"`
	Records    []RecordItem `json:"records"`
}

// RecordItem is one record in a list.
type RecordItem struct {
	Record   string    `json:"record"`
	At       time.Time `json:"at"`
	Author   string    `json:"author"`
	Missing  int       `json:"missing"`
	Disputes int       `json:"disputes"`
	Approval string    `json:"approval,omitempty" enum:"pending,approved,returned"`
	Struck   bool      `json:"struck"`
}

// PlanItem is the newest plan.
type PlanItem struct {
	Record   string     `json:"record,omitempty"`
	Goals    []GoalItem `json:"goals"`
	Review   string     `json:"review,omitempty"`
	Approved bool       `json:"approved"`
}

// GoalItem is one goal of the plan.
type GoalItem struct {
	Row          string `json:"row"`
	Area         string `json:"area,omitempty"`
	AreaLabel    string `json:"area_label,omitempty"`
	Need         string `json:"need,omitempty"`
	Text         string `json:"text"` // the action
	Service      string `json:"service,omitempty"`
	ServiceLabel string `json:"service_label,omitempty"`
	Who          string `json:"who,omitempty"`
	By           string `json:"by,omitempty"`
	State        string `json:"state,omitempty"`
}

// ServiceItem is one service given, or a referral.
type ServiceItem struct {
	Record  string `json:"record"`
	Form    string `json:"form"`
	Service string `json:"service"`
	Title   string `json:"title"`
	At      string `json:"at,omitempty"`
	By      string `json:"by,omitempty"`
	State   string `json:"state,omitempty"`
}

// ConsentItem is one scope of the ledger.
type ConsentItem struct {
	Scope     string `json:"scope"`
	Label     string `json:"label"`
	Given     bool   `json:"given"`
	By        string `json:"by,omitempty"`
	Until     string `json:"until,omitempty"`
	Withdrawn string `json:"withdrawn,omitempty"`
	Override  bool   `json:"override"`
	Record    string `json:"record"`
}

// PersonItem is somebody around the child.
type PersonItem struct {
	Name     string `json:"name"`
	Relation string `json:"relation,omitempty"`
	Kind     string `json:"kind"`
	Note     string `json:"note,omitempty"`
	Safe     string `json:"safe,omitempty"`
	Record   string `json:"record,omitempty"`
	Row      string `json:"row,omitempty"`
}

// ClockItem is one deadline.
type ClockItem struct {
	ID        string     `json:"id"`
	Label     string     `json:"label"`
	Form      string     `json:"form,omitempty"`
	Record    string     `json:"record,omitempty"`
	StartedAt time.Time  `json:"started_at"`
	DueAt     time.Time  `json:"due_at"`
	DoneAt    *time.Time `json:"done_at,omitempty"`
	State     string     `json:"state"` // done | done_late | running | soon | late
	Escalated bool       `json:"escalated"`
	Told      string     `json:"told,omitempty"` // who was told
}

// TaskItem is one thing to do.
type TaskItem struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Clock     string     `json:"clock,omitempty"`
	Title     string     `json:"title"`
	Form      string     `json:"form,omitempty"`
	Record    string     `json:"record,omitempty"`
	Row       string     `json:"row,omitempty"`
	For       string     `json:"for"`
	Note      string     `json:"note,omitempty"`
	DueAt     *time.Time `json:"due_at,omitempty"`
	Late      bool       `json:"late"`
	Escalated bool       `json:"escalated"`
	MayLook   bool       `json:"may_look,omitempty" doc:"The reader may say now that they looked at it (acknowledge)"`
}

// ApprovalItem is a decision, asked for or given.
type ApprovalItem struct {
	Record  string     `json:"record"`
	Form    string     `json:"form"`
	Title   string     `json:"title"`
	State   string     `json:"state" enum:"pending,approved,returned"`
	Entry   string     `json:"entry"`
	AskedAt time.Time  `json:"asked_at"`
	AskedBy string     `json:"asked_by"`
	By      string     `json:"by,omitempty"`
	At      *time.Time `json:"at,omitempty"`
	Remark  string     `json:"remark,omitempty"`
	Fell    bool       `json:"fell"`
	MayI    bool       `json:"may_i"`
}

// DisputeItem is one question with several answers.
type DisputeItem struct {
	Record string         `json:"record"`
	Form   string         `json:"form"`
	Path   string         `json:"path"`
	Label  string         `json:"label"`
	Values []DisputeValue `json:"values"`
	Heads  []string       `json:"heads"`
}

// DisputeValue is one of them. Changes is what an amendment that follows all
// heads carries to choose it.
type DisputeValue struct {
	Value   any            `json:"value"`
	Text    string         `json:"text"`
	Author  string         `json:"author"`
	At      time.Time      `json:"at"`
	Entry   string         `json:"entry"`
	Changes map[string]any `json:"changes"`
}

// FileItem is one file.
type FileItem struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Media  string    `json:"media"`
	Size   int64     `json:"size"`
	SHA256 string    `json:"sha256"`
	At     time.Time `json:"at"`
	Author string    `json:"author"`
}

// AccessSummary says how many looked.
type AccessSummary struct {
	People    int `json:"people"`
	Times     int `json:"times"`
	Days      int `json:"days"`
	ToldAgain int `json:"told_again"`
}

// AssignedItem says who works on it: names, with the ids beside.
type AssignedItem struct {
	Worker       string `json:"worker,omitempty"`
	WorkerID     string `json:"worker_id,omitempty"`
	Supervisor   string `json:"supervisor,omitempty"`
	SupervisorID string `json:"supervisor_id,omitempty"`
	Lawyer       string `json:"lawyer,omitempty"`
	LawyerID     string `json:"lawyer_id,omitempty"`
	Team         string `json:"team,omitempty"`
}

// pageActions are asked for the page's buttons.
var pageActions = []policy.Action{policy.WriteTo, policy.Move, policy.Assign, policy.Approve, policy.Strike, policy.Settle,
	policy.Export, policy.Unmask, policy.ReadAccessLog, policy.Exclude, policy.EraseRequest, policy.BreakTheGlass}

// CasePage opens a case.
func (s *Service) CasePage(ctx context.Context, r Reader, stream string) (Page, error) {
	var page Page
	err := s.open(ctx, r, "case.open", stream, func(tx *store.Tx, o *journal.Opener, st standing, tiers []journal.Tier, c *Case) error {
		v := &view{s: s, ctx: ctx, r: r, c: c, st: st, tiers: tiers, now: s.now()}
		page = v.page()
		return s.hiddenMarks(ctx, tx, o, &page)
	})
	if err != nil {
		return Page{}, err
	}
	page.Access, err = s.accessSummary(ctx, stream, page.Access.ToldAgain)
	return page, err
}

// Printed is how a page that goes to paper says who took it there.
type Printed struct {
	Code string    `json:"code"`
	At   time.Time `json:"at"`
	By   string    `json:"by"`
}

// Print notes that a reader takes what they may see of a case to paper. Paper
// leaves every lock behind, so the log says so before the printer is asked.
func (s *Service) Print(ctx context.Context, r Reader, stream, record string) (Printed, error) {
	r.Purpose = "print"
	var out Printed
	err := s.open(ctx, r, "case.print", stream, func(_ *store.Tx, _ *journal.Opener, _ standing, _ []journal.Tier, c *Case) error {
		if record != "" && c.Records[record] == nil {
			return fault.Absent()
		}
		out = Printed{Code: c.Code, At: s.now(), By: s.nameOf(ctx, r.User)}
		return nil
	})
	return out, err
}

// hiddenMarks shows the unsafe-guardian mark as the whole record has it to
// everybody who may read stories, and only to them.
func (s *Service) hiddenMarks(ctx context.Context, tx *store.Tx, o *journal.Opener, page *Page) error {
	var sealed []byte
	if err := tx.QueryRow(ctx, `SELECT marks FROM case_view WHERE stream = $1`, page.ID).Scan(&sealed); err != nil {
		return fmt.Errorf("reading the marks of a case: %w", err)
	}
	var marks marksCell
	if _, err := unsealJSON(ctx, o, page.ID, journal.Story, cellMarks, sealed, &marks); err != nil {
		return err
	}
	page.Header.UnsafeGuardian = marks.UnsafeGuardian
	return nil
}

func (s *Service) accessSummary(ctx context.Context, stream string, told int) (AccessSummary, error) {
	out := AccessSummary{ToldAgain: told}
	lines, err := s.journal.AccessOf(ctx, stream, 500, "")
	if err != nil {
		return out, err
	}
	people := map[string]bool{}
	var first time.Time
	for _, l := range lines {
		people[l.User] = true
		first = l.At
	}
	out.People, out.Times = len(people), len(lines)
	if len(lines) > 0 {
		out.Days = int(s.now().Sub(first).Hours()/24) + 1
	}
	return out, nil
}

// view builds what one reader sees of one case.
type view struct {
	s     *Service
	ctx   context.Context
	r     Reader
	c     *Case
	st    standing
	tiers []journal.Tier
	now   time.Time
}

func (v *view) sees(t journal.Tier) bool { return slices.Contains(v.tiers, t) }

func (v *view) page() Page {
	c := v.c
	_, why := v.s.why(v.r, v.st)
	p := Page{ID: c.Stream.ID, Code: c.Code, Why: why, StreamSeq: c.Stream.Seq, Header: v.header(), Steps: v.steps(), Moves: v.moves(),
		Timeline: v.timeline(), Forms: v.forms(), Plan: v.plan(), Services: v.services(), Consent: v.consent(), People: v.people(),
		Clocks: v.clocks(), Tasks: v.tasks(), Approvals: v.approvals(), Disputes: v.disputes(), Files: v.files(), Assigned: v.assigned(),
		May: []string{}, HiddenTiers: []string{}, Next: v.next()}
	p.Access.ToldAgain = c.Told
	for _, a := range pageActions {
		if a == policy.BreakTheGlass && len(v.tiers) == len(journal.Tiers) {
			continue // nothing is closed to be opened
		}
		if v.s.decide(v.r, a, v.st, "", false).Allowed || a == policy.WriteTo && slices.ContainsFunc(p.Forms, func(f FormItem) bool { return f.CanAdd }) {
			p.May = append(p.May, string(a))
		}
	}
	for _, t := range journal.Tiers {
		if !v.sees(t) {
			p.HiddenTiers = append(p.HiddenTiers, string(t))
		}
	}
	return p
}

func (v *view) say(english string) string { return v.c.rules.say(english, v.r.Lang) }

func (v *view) steps() []Step {
	out := v.c.Steps()
	for i := range out {
		out[i].Label = v.say(out[i].Label)
	}
	return out
}

func (v *view) header() Header {
	c := v.c
	state, _ := c.rules.State(c.State())
	h := Header{Names: []Name{}, Sex: c.Sex(), Status: c.State(), StatusLabel: v.say(state.Label), Since: c.Since()}
	if v.sees(journal.Identity) {
		h.Names = append(h.Names, c.Names()...)
		if len(h.Names) > 0 {
			h.Name = h.Names[0].Text
		}
	}
	if age := c.AgeAt(v.now); age.Known || age.Basis != "" {
		h.Age = &age
	}
	h.Risk = RiskItem{Level: c.Risk, Since: ptr(c.RiskSince)}
	if v.sees(journal.Story) {
		h.Risk.Reason = c.RiskReason
	}
	vic := c.VictimNow()
	h.Victim = VictimItem{Presumed: vic.Presumed, Presumption: vic.Presumption, Stage: vic.Stage, Since: ptr(vic.Since),
		StateDecision: vic.StateDecision, DecidedBy: vic.DecidedBy, DecidedOn: vic.DecidedOn}
	if vic.Presumed && vic.StateDecision == "" {
		h.Victim.Days = int(v.now.Sub(vic.Since).Hours() / 24)
	}
	if text, at := c.Wish(); text != "" {
		h.Wish = &WishItem{text, at}
	}
	return h
}

func ptr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (v *view) moves() []PageMove {
	out := []PageMove{}
	may := v.s.decide(v.r, policy.Move, v.st, "", false).Allowed
	for _, m := range v.c.Moves() {
		p := PageMove{ID: m.Rule.ID, To: m.Rule.To, Label: v.say(m.Rule.Label), Automatic: m.Rule.Automatic, Reason: m.Rule.Reason, Missing: []string{}}
		for _, x := range m.Missing {
			p.Missing = append(p.Missing, v.say(x.Text))
		}
		p.Allowed = may && len(m.Missing) == 0 && slices.ContainsFunc(m.Rule.By, v.r.has)
		out = append(out, p)
	}
	return out
}

func (v *view) next() *NextStep {
	t, ok := v.c.Next()
	if !ok {
		return nil
	}
	n := &NextStep{Title: v.say(t.Label), Form: t.Form, Record: t.Record, Missing: []MissingItem{}, DueAt: ptr(t.DueAt)}
	if len(t.Escalation) > 0 {
		n.Escalated = !t.Escalation[0].At.After(v.now)
	}
	rec := v.c.Records[t.Record]
	if rec == nil || rec.Form != t.Form {
		rec = v.c.Newest(t.Form)
	}
	if rec != nil && rec.Form == t.Form {
		form, _ := v.c.rules.Forms.Form(t.Form)
		n.Record = rec.ID
		for _, path := range v.c.MissingFields(rec, v.now) {
			n.Missing = append(n.Missing, MissingItem{path, labelOf(form, path, v.r.Lang)})
			if len(n.Missing) == 10 {
				break
			}
		}
	}
	return n
}

// labelOf names a question by its path, rows left out.
func labelOf(form *forms.Form, path, lang string) string {
	var plain strings.Builder
	depth := 0
	for _, r := range path {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth == 0:
			plain.WriteRune(r)
		}
	}
	for p := plain.String(); p != ""; {
		if f, ok := form.Field(p); ok {
			return f.Label(lang)
		}
		i := strings.LastIndexByte(p, '.')
		if i < 0 {
			break
		}
		p = p[:i]
	}
	return path
}

func (v *view) forms() []FormItem {
	out := []FormItem{}
	for _, form := range v.c.rules.Forms.Forms() {
		if form.Stream != Kind {
			continue
		}
		item := FormItem{Form: form.ID, Title: form.Title(v.r.Lang), StatusNote: form.Status, Records: []RecordItem{}}
		item.CanAdd = len(v.s.tiers(v.r, policy.WriteTo, v.st, form.ID)) > 0 && v.c.State() != "closed" && !(form.Single && len(v.c.Of(form.ID)) > 0)
		for i := len(v.c.byForm[form.ID]) - 1; i >= 0; i-- {
			rec := v.c.byForm[form.ID][i]
			item.Records = append(item.Records, RecordItem{Record: rec.ID, At: rec.FirstAt, Author: v.s.nameOf(v.ctx, rec.Author),
				Missing: v.missing(rec), Disputes: len(rec.Disputes), Approval: approvalState(rec), Struck: rec.Struck})
		}
		out = append(out, item)
	}
	return out
}

// missing counts only what the reader could see answered.
func (v *view) missing(rec *Record) int {
	if len(v.tiers) < len(journal.Tiers) {
		return 0
	}
	return len(v.c.MissingFields(rec, v.now))
}

func (v *view) approval(rec *Record) *ApprovalItem {
	a := rec.Approval
	if a == nil {
		return nil
	}
	form, _ := v.c.rules.Forms.Form(rec.Form)
	own := contains(rec.Authors, v.r.User)
	by := a.By
	if by == "" {
		by = a.AskedBy
	}
	return &ApprovalItem{Record: rec.ID, Form: rec.Form, Title: form.Title(v.r.Lang), State: a.State, Entry: a.Entry, AskedAt: a.AskedAt,
		AskedBy: v.s.nameOf(v.ctx, a.AskedBy), By: v.s.nameOf(v.ctx, by), At: ptr(a.At), Remark: a.Remark, Fell: a.Fell,
		MayI: a.State == "pending" && v.s.decide(v.r, policy.Approve, v.st, rec.Form, own).Allowed}
}

func approvalState(rec *Record) string {
	if rec.Approval == nil {
		return ""
	}
	return rec.Approval.State
}

func (v *view) approvals() []ApprovalItem {
	out := []ApprovalItem{}
	for _, rule := range v.c.rules.Approvals {
		for _, rec := range v.c.Of(rule.Form) {
			out = append(out, *v.approval(rec))
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].AskedAt.After(out[j].AskedAt) })
	return out
}

func (v *view) plan() PlanItem {
	out := PlanItem{Goals: []GoalItem{}}
	rec := v.c.Newest(formPlan)
	form, ok := v.c.rules.Forms.Form(formPlan)
	if rec == nil || !ok {
		return out
	}
	out.Record, out.Approved = rec.ID, rec.Approved()
	out.Review, _ = rec.Answers["review_date"].(string)
	for _, row := range rowsOf(rec.Answers["goals"]) {
		str := func(name string) string { s, _ := row[name].(string); return s }
		words := func(name string) string {
			f, ok := form.Field("goals." + name)
			if !ok || str(name) == "" {
				return ""
			}
			return v.c.rules.textOf(f, str(name), v.r.Lang)
		}
		out.Goals = append(out.Goals, GoalItem{Row: str("_id"), Area: str("area"), AreaLabel: words("area"), Need: str("need"), Text: str("action"),
			Service: str("service"), ServiceLabel: words("service"), Who: str("who"), By: str("by_when"), State: str("progress")})
	}
	return out
}

func (v *view) services() []ServiceItem {
	out := []ServiceItem{}
	list, _ := v.c.rules.Forms.List("service_type")
	for _, form := range []string{formReferral, formService} {
		for _, rec := range v.c.Of(form) {
			str := func(name string) string { s, _ := rec.Answers[name].(string); return s }
			item := ServiceItem{Record: rec.ID, Form: form, Service: str("service"), At: str("date"), State: str("status"), By: v.s.nameOf(v.ctx, rec.Author)}
			if list != nil {
				item.Title = list.Label(v.r.Lang, item.Service)
			}
			out = append(out, item)
		}
	}
	return out
}

func (v *view) consent() []ConsentItem {
	out := []ConsentItem{}
	list, _ := v.c.rules.Forms.List("consent_scope")
	for _, n := range v.c.Consents() {
		item := ConsentItem{Scope: n.Scope, Given: n.Given, By: n.By, Until: n.Until, Withdrawn: n.Withdrawn, Override: n.Override, Record: n.Record}
		if list != nil {
			item.Label = list.Label(v.r.Lang, n.Scope)
		}
		out = append(out, item)
	}
	return out
}

func (v *view) people() []PersonItem {
	out := []PersonItem{}
	for _, p := range v.c.People() {
		out = append(out, PersonItem(p))
	}
	for relation, user := range map[string]string{"worker": v.c.Assigned.Worker, "supervisor": v.c.Assigned.Supervisor, "lawyer": v.c.Assigned.Lawyer} {
		if user != "" {
			out = append(out, PersonItem{Name: v.s.nameOf(v.ctx, user), Relation: relation, Kind: "staff"})
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		return out[i].Kind == "staff" && out[j].Kind != "staff" || out[i].Kind == out[j].Kind && out[i].Kind == "staff" && out[i].Relation > out[j].Relation
	})
	return out
}

func (v *view) clocks() []ClockItem {
	out := []ClockItem{}
	for _, k := range v.c.Clocks {
		item := ClockItem{ID: k.ID, Label: v.say(k.Label), Form: k.Form, Record: k.Record, StartedAt: k.StartedAt, DueAt: k.DueAt, DoneAt: ptr(k.DoneAt)}
		switch {
		case !k.Open() && k.DoneAt.After(k.DueAt):
			item.State = "done_late"
		case !k.Open():
			item.State = "done"
		case v.now.After(k.DueAt):
			item.State = "late"
		case !k.RemindAt.IsZero() && v.now.After(k.RemindAt):
			item.State = "soon"
		default:
			item.State = "running"
		}
		for _, e := range k.Escalation {
			if k.Open() && !e.At.After(v.now) {
				item.Escalated, item.Told = true, e.To
			}
		}
		out = append(out, item)
	}
	return out
}

func (v *view) tasks() []TaskItem {
	out := []TaskItem{}
	for _, t := range v.c.Tasks() {
		item := TaskItem{ID: t.Key, Kind: t.Kind, Clock: t.Clock, Title: v.say(t.Label), Form: t.Form, Record: t.Record, Row: t.Row, For: t.For, DueAt: ptr(t.DueAt)}
		item.Late = !t.DueAt.IsZero() && v.now.After(t.DueAt)
		item.MayLook = v.mayLook(&t)
		if v.sees(journal.Story) {
			item.Note = t.Note
		}
		if len(t.Escalation) > 0 {
			item.Escalated = !t.Escalation[0].At.After(v.now)
		}
		out = append(out, item)
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i].DueAt, out[j].DueAt
		return a != nil && (b == nil || a.Before(*b))
	})
	return out
}

// mayLook says whether the reader may end a clock that waits for somebody's
// look: not on their own work, and not years before its day.
func (v *view) mayLook(t *Task) bool {
	rec := v.c.Records[t.Record]
	if t.Kind != "look" || rec == nil || contains(rec.Authors, v.r.User) {
		return false
	}
	rule, _ := v.c.rules.ClockByID(t.Clock)
	if rule.DueOn != "" && v.now.Before(t.RemindAt) {
		return false
	}
	return v.s.decide(v.r, policy.Approve, v.st, "", false).Allowed
}

func (v *view) disputes() []DisputeItem {
	out := []DisputeItem{}
	for _, d := range v.c.AllDisputes() {
		rec := v.c.Records[d.Record]
		form, ok := v.c.rules.Forms.Form(d.Form)
		if !ok {
			continue
		}
		item := DisputeItem{Record: d.Record, Form: d.Form, Path: d.Path, Label: labelOf(form, d.Path, v.r.Lang), Heads: rec.Heads}
		for _, x := range d.Versions {
			value := DisputeValue{Value: x.Value, Author: v.s.nameOf(v.ctx, x.Author), At: x.At, Entry: x.Entry}
			if field := fieldAt(form, d.Path); field != nil {
				value.Text = v.c.rules.textOf(field, x.Value, v.r.Lang)
			}
			if d.settle != nil {
				value.Changes = d.settle(x.Value)
			}
			item.Values = append(item.Values, value)
		}
		out = append(out, item)
	}
	return out
}

// fieldAt finds the question of a path with row ids.
func fieldAt(form *forms.Form, path string) *forms.Field {
	var plain strings.Builder
	depth := 0
	for _, r := range path {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth == 0:
			plain.WriteRune(r)
		}
	}
	if f, ok := form.Field(plain.String()); ok {
		return f
	}
	return nil
}

func (v *view) files() []FileItem {
	out := []FileItem{}
	if !v.sees(journal.Identity) {
		return out
	}
	for _, f := range v.c.Files {
		out = append(out, FileItem{f.ID, f.Name, f.Media, f.Size, f.SHA256, f.At, v.s.nameOf(v.ctx, f.Author)})
	}
	return out
}

func (v *view) assigned() AssignedItem {
	a := v.c.Assigned
	name := func(user string) string { return v.s.nameOf(v.ctx, user) }
	return AssignedItem{name(a.Worker), a.Worker, name(a.Supervisor), a.Supervisor, name(a.Lawyer), a.Lawyer, a.Team}
}
