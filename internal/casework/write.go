package casework

// Writing: entries as devices send them, and the acts of the system.

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"banyan/internal/fault"
	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/screening"
	"banyan/internal/store"
)

// NewEntry is one entry as its writer made it: answers of all tiers together,
// changes only for an amendment, none for a strike-out.
type NewEntry struct {
	ID        string         `json:"id"`
	Stream    string         `json:"stream"`
	Form      string         `json:"form"`
	Version   int            `json:"version"`
	Act       string         `json:"act" enum:"submit,amend,strike"`
	Record    string         `json:"record"`
	Follows   []string       `json:"follows,omitempty" maxItems:"32"`
	WrittenAt time.Time      `json:"written_at"`
	Device    string         `json:"device,omitempty" maxLength:"100"`
	Answers   map[string]any `json:"answers,omitempty"`
	Reason    string         `json:"reason,omitempty" maxLength:"2000"`
}

// Result says what became of one entry.
type Result struct {
	ID         string          `json:"id"`
	Status     string          `json:"status" enum:"accepted,already,refused"`
	Seq        int64           `json:"seq,omitempty"`
	RecordedAt *time.Time      `json:"recorded_at,omitempty"`
	Problems   []fault.Problem `json:"problems,omitempty"`
	CaseSeq    int64           `json:"case_seq,omitempty"`
}

// OpenedCase answers the opening of a case.
type OpenedCase struct {
	Case struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	} `json:"case"`
	Results []Result `json:"results"`
}

// refusal is why a draft is not taken, in problems for its writer.
type refusal struct{ problems []fault.Problem }

func (r *refusal) Error() string { return "the entry was refused" }

func refuse(path, code, message string) error {
	return &refusal{[]fault.Problem{{Path: path, Code: code, Message: message}}}
}

var absentProblem = fault.Problem{Code: string(fault.DeniedOrAbsent), Message: "there is nothing here for you"}

const (
	latest     = 10 * time.Minute // how far a device's clock may run ahead
	maxEntries = 200              // entries in one request
	lateAfter  = 24 * time.Hour   // an amendment of a note after this shows as late
)

// Submit takes entries one by one: accepted, already there, or refused with
// its problems. An error means that the rest was not looked at; what was
// accepted before stays.
func (s *Service) Submit(ctx context.Context, r Reader, entries []NewEntry) ([]Result, error) {
	if len(entries) > maxEntries {
		return nil, fault.Field("entries", "too_many", fmt.Sprintf("send at most %d at once", maxEntries))
	}
	results := make([]Result, 0, len(entries))
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n].Stream == entries[0].Stream {
			n++
		}
		got, err := s.submitCase(ctx, r, entries[:n])
		if err != nil {
			return results, err
		}
		results = append(results, got...)
		entries = entries[n:]
	}
	return results, nil
}

// submitCase takes entries of one case that exists.
func (s *Service) submitCase(ctx context.Context, r Reader, entries []NewEntry) ([]Result, error) {
	st, err := s.standingOf(ctx, s.db, r, entries[0].Stream)
	if fault.CodeOf(err) == fault.DeniedOrAbsent {
		return refuseEntries(entries, absentProblem), nil
	}
	if err != nil {
		return nil, err
	}
	if st.excluded || len(s.tiers(r, policy.WriteTo, st, "")) == 0 && !slices.ContainsFunc(entries, func(e NewEntry) bool { return len(s.tiers(r, policy.WriteTo, st, e.Form)) > 0 }) {
		return refuseEntries(entries, absentProblem), nil
	}
	drafts := make([]journal.Draft, len(entries))
	for i, e := range entries {
		drafts[i] = draftOf(r, e)
	}
	results, err := s.append(ctx, r, st.org, drafts, s.takeEntry(r, entries))
	return s.inWords(r, results, err)
}

func refuseEntries(entries []NewEntry, p fault.Problem) []Result {
	out := make([]Result, len(entries))
	for i, e := range entries {
		out[i] = Result{ID: e.ID, Status: string(journal.Refused), Problems: []fault.Problem{p}}
	}
	return out
}

func draftOf(r Reader, e NewEntry) journal.Draft {
	device := e.Device
	if device == "" {
		device = r.Device
	}
	return journal.Draft{ID: e.ID, Stream: e.Stream, Form: e.Form, FormVersion: e.Version, Act: journal.Act(e.Act), Record: e.Record,
		Follows: e.Follows, Author: r.User, Org: r.Org, Device: device, WrittenAt: e.WrittenAt}
}

// taker turns a draft into what is written, given the case as it stands under
// the lock, or refuses it.
type taker func(ctx context.Context, c *Case, history []journal.Opened, d journal.Draft) (journal.Draft, error)

// append writes drafts of one case.
func (s *Service) append(ctx context.Context, r Reader, org string, drafts []journal.Draft, take taker) ([]Result, error) {
	return s.appendAlso(ctx, r, org, drafts, take, nil)
}

func (s *Service) appendAlso(ctx context.Context, _ Reader, org string, drafts []journal.Draft, take taker, also func(context.Context, *store.Tx, journal.Stream, []journal.Opened) error) ([]Result, error) {
	var caseSeq int64
	w := journal.Write{Stream: drafts[0].Stream, Kind: Kind, Org: org, Drafts: drafts}
	w.Prepare = func(ctx context.Context, _ *store.Tx, js journal.Stream, history []journal.Opened, d journal.Draft) (journal.Draft, error) {
		caseSeq = js.Seq
		for _, o := range history {
			if o.ID == d.ID && o.Author == d.Author && o.Record == d.Record && o.Form == d.Form && o.WrittenAt.Equal(d.WrittenAt.UTC().Truncate(time.Microsecond)) {
				d.Answers, d.FormVersion = o.Answers, o.FormVersion // sent twice: what stands, stands
				return d, nil
			}
		}
		return take(ctx, s.projector.asItStands(js, history), history, d)
	}
	w.Also = also
	receipts, err := s.journal.Append(ctx, w)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(receipts))
	for i, receipt := range receipts {
		results[i] = resultOf(receipt)
		caseSeq = max(caseSeq, receipt.Seq)
	}
	for i := range results {
		results[i].CaseSeq = caseSeq
	}
	return results, nil
}

func resultOf(r journal.Receipt) Result {
	out := Result{ID: r.ID, Status: string(r.Status), Seq: r.Seq}
	if !r.RecordedAt.IsZero() {
		at := r.RecordedAt
		out.RecordedAt = &at
	}
	if r.Status != journal.Refused {
		return out
	}
	var mine *refusal
	problem := func(code, message string) {
		out.Problems = []fault.Problem{{Code: code, Message: message}}
	}
	switch {
	case errors.As(r.Err, &mine):
		out.Problems = mine.problems
	case errors.Is(r.Err, journal.ErrNotYet):
		problem("not_yet", "this changes something that has not arrived yet; send that first")
	case errors.Is(r.Err, journal.ErrIDTaken):
		problem("id_taken", "another entry has this id")
	case errors.Is(r.Err, journal.ErrErased):
		problem("erased", "this case was erased")
	case errors.Is(r.Err, journal.ErrBadDraft):
		problem("malformed", "the entry is not well formed")
	case fault.CodeOf(r.Err) == fault.DeniedOrAbsent:
		out.Problems = []fault.Problem{absentProblem}
	default:
		problem("refused", "the entry was refused")
	}
	return out
}

// takeEntry checks entries of forms.
func (s *Service) takeEntry(r Reader, entries []NewEntry) taker {
	byID := make(map[string]NewEntry, len(entries))
	for _, e := range entries {
		byID[e.ID] = e
	}
	return func(ctx context.Context, c *Case, history []journal.Opened, d journal.Draft) (journal.Draft, error) {
		e := byID[d.ID]
		form, ok := s.rules.Forms.Form(e.Form)
		if !ok || form.Stream != Kind || strings.HasPrefix(e.Form, actPrefix) {
			return d, refuse("form", "unknown", "there is no such form for a case")
		}
		st, err := s.standingIn(ctx, r, c)
		if err != nil {
			return d, err
		}
		if e.Act == string(journal.Strike) {
			return s.takeStrike(r, st, c, d, e)
		}
		allowed := s.tiers(r, policy.WriteTo, st, e.Form)
		if len(allowed) == 0 {
			return d, &refusal{[]fault.Problem{absentProblem}}
		}
		if err := s.mayWriteNow(c, form, d, e); err != nil {
			return d, err
		}
		answers, whole, err := s.checkAnswers(ctx, r, c, form, d, e)
		if err != nil {
			return d, err
		}
		for tier := range answers {
			if !slices.Contains(allowed, tier) {
				return d, &refusal{[]fault.Problem{absentProblem}}
			}
		}
		// After the writer's tiers were looked at: the result is nobody's writing.
		if err := s.rules.addResult(form.ID, whole, answers, r.Lang); err != nil {
			return d, err
		}
		d.Answers = answers
		if d.Act == journal.Submit {
			if err := s.rulesOfForms(c, form, form.MergeTiers(formTiers(answers)), d); err != nil {
				return d, err
			}
		}
		return d, nil
	}
}

func formTiers(answers map[journal.Tier]map[string]any) map[forms.Tier]map[string]any {
	out := make(map[forms.Tier]map[string]any, len(answers))
	for t, v := range answers {
		out[forms.Tier(t)] = v
	}
	return out
}

// mayWriteNow holds the frame of an entry: version, record, state.
func (s *Service) mayWriteNow(c *Case, form *forms.Form, d journal.Draft, e NewEntry) error {
	switch {
	case e.Version < 1 || e.Version > form.Version:
		return refuse("version", "version", "this version of the form is not known here")
	case d.WrittenAt.After(s.now().Add(latest)):
		return refuse("written_at", "future", "the clock of this device runs ahead; set it and send again")
	case form.Single && e.Record != form.ID:
		return refuse("record", "record", "a case has this form once; its record is named like the form")
	case !form.Single && e.Act == string(journal.Submit) && e.Record != e.ID:
		return refuse("record", "record", "a new record is named like its first entry")
	case e.Reason != "" && e.Act == string(journal.Submit):
		return refuse("reason", "unknown_field", "a new entry has no reason")
	}
	if r := c.Records[e.Record]; r != nil && r.Form != e.Form {
		return refuse("record", "record", "this record is of another form")
	}
	if c.State() == "closed" && d.WrittenAt.After(c.Since()) && form.ID != formFeedback {
		return refuse("", "closed", "the case is closed; the supervisor can reopen it")
	}
	return nil
}

// checkAnswers holds answers, or changes, against every rule of the form, and
// takes them apart by tier. whole is the record as it will be.
func (s *Service) checkAnswers(ctx context.Context, r Reader, c *Case, form *forms.Form, d journal.Draft, e NewEntry) (parts map[journal.Tier]map[string]any, whole map[string]any, err error) {
	env := s.env(ctx, r, c, d.WrittenAt)
	if e.Act == string(journal.Submit) {
		clean, problems := form.Check(e.Answers, env)
		if len(problems) > 0 {
			return nil, nil, refusalOf(problems)
		}
		return split(form, clean), clean, nil
	}
	if e.Act != string(journal.Amend) {
		return nil, nil, refuse("act", "act", "an entry submits, amends or strikes out")
	}
	rec := c.Records[e.Record]
	if rec == nil {
		return nil, nil, refuse("record", "not_yet", "this changes something that has not arrived yet; send that first")
	}
	seen := closure(rec.Entries, e.Follows)
	if len(seen) == 0 {
		return nil, nil, refuse("follows", "not_yet", "an amendment names the entries it follows")
	}
	base := s.rules.FoldRecord(seen)
	out, problems := form.CheckAmend(base.Answers, e.Answers, env)
	if len(problems) > 0 {
		return nil, nil, refusalOf(problems)
	}
	for _, dispute := range base.Disputes { // choosing what stands already also settles
		if v, given := e.Answers[dispute.Field]; given {
			if _, there := out[dispute.Field]; !there {
				out[dispute.Field] = v
			}
		}
	}
	if len(out) == 0 {
		return nil, nil, refuse("answers", "unchanged", "nothing was changed")
	}
	parts = split(form, out)
	if e.Reason != "" {
		if parts[journal.Story] == nil {
			parts[journal.Story] = map[string]any{}
		}
		parts[journal.Story]["_reason"] = e.Reason
	}
	return parts, form.Apply(base.Answers, out), nil
}

// closure gives the entries that a writer who followed these had seen, in
// their order.
func closure(entries []journal.Opened, follows []string) []journal.Opened {
	seen := map[string]bool{}
	queue := append([]string(nil), follows...)
	byID := make(map[string]journal.Opened, len(entries))
	for _, o := range entries {
		byID[o.ID] = o
	}
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		o, ok := byID[id]
		if !ok || seen[id] {
			continue
		}
		seen[id] = true
		queue = append(queue, o.Follows...)
	}
	var out []journal.Opened
	for _, o := range entries {
		if seen[o.ID] {
			out = append(out, o)
		}
	}
	return out
}

func refusalOf(problems []forms.Problem) error {
	out := &refusal{}
	for _, p := range problems {
		out.problems = append(out.problems, fault.Problem{Path: "answers." + p.Path, Code: p.Code, Message: p.Message})
	}
	return out
}

// env is what the forms may know besides the answers.
func (s *Service) env(ctx context.Context, r Reader, c *Case, written time.Time) forms.Env {
	at := written
	if now := s.now(); at.After(now) {
		at = now
	}
	return forms.Env{
		Now: at.In(c.zone()), Lang: r.Lang, Known: c.Known,
		Exists: func(kind, id string) bool { return s.exists(ctx, r, c, kind, id) },
		Auto: func(path string) any {
			switch path {
			case "case_code":
				return c.Code
			case screening.FieldVersion:
				if in := s.rules.Instruments.InForce(); in != nil {
					return in.ID
				}
			}
			return nil
		},
	}
}

// exists says whether a reference in an answer points to something.
func (s *Service) exists(ctx context.Context, r Reader, c *Case, kind, id string) bool {
	switch kind {
	case "user":
		p, err := s.dir.Person(ctx, id)
		return err == nil && p.ID != "" && p.Org == r.Org
	case "org":
		name, _, err := s.dir.Organisation(ctx, id)
		return err == nil && name != ""
	case "consent":
		rec := c.Records[id]
		return rec != nil && rec.Form == formConsent && !rec.Struck
	case "file":
		return slices.ContainsFunc(c.Files, func(f FileRef) bool { return f.ID == id })
	case "case":
		st, err := s.standingOf(ctx, s.db, r, id)
		return err == nil && len(s.tiers(r, policy.Find, st, "")) > 0
	}
	return true // grants and framework entries belong to other rooms
}

// rulesOfForms are the rules between forms that the server holds.
func (s *Service) rulesOfForms(c *Case, form *forms.Form, answers map[string]any, d journal.Draft) error {
	override := false
	if r := c.Newest(formConsent); r != nil {
		override = r.Answers["override"] == true
	}
	switch form.ID {
	case formRegistration:
		if !override && !c.Allows("services", d.WrittenAt) {
			return refuse("", "consent", "Record consent first: nobody is registered without it, or without an override and its legal basis.")
		}
	case formPlan:
		a := c.Newest(formAssessment)
		if a != nil && a.Answers["risk_level"] == "high" && !a.Approved() {
			return refuse("", "approval", "Risk is high, so the supervisor approves the assessment before a plan is made.")
		}
	case formReferral:
		if status := answers["status"]; status != nil && status != "draft" && status != "consent_missing" && !override && !c.Allows("share_referral", d.WrittenAt) {
			return refuse("answers.consent_ref", "consent", "The person has not agreed to share for a referral. Ask first, or record an override.")
		}
	case formClosure:
		reason := answers["reason"]
		if answers["legal_open"] == false && c.anyOpen("legal") && reason != "death" && reason != "duplicate" {
			return refuse("answers.legal_open", "legal_open", "A legal matter is open. The case can go to follow-up, not be closed.")
		}
	}
	return nil
}

func (s *Service) takeStrike(r Reader, st standing, c *Case, d journal.Draft, e NewEntry) (journal.Draft, error) {
	if !s.decide(r, policy.Strike, st, e.Form, false).Allowed {
		return d, &refusal{[]fault.Problem{absentProblem}}
	}
	if strings.TrimSpace(e.Reason) == "" {
		return d, refuse("reason", forms.ProblemRequired, "Say why this is struck out. It stays visible, with the reason.")
	}
	if len(e.Answers) > 0 {
		return d, refuse("answers", forms.ProblemUnknown, "a strike-out carries no answers")
	}
	if rec := c.Records[e.Record]; rec == nil || rec.Form != e.Form {
		return d, refuse("record", "not_yet", "this changes something that has not arrived yet; send that first")
	}
	d.Answers = map[journal.Tier]map[string]any{journal.Story: {"reason": e.Reason}}
	return d, nil
}

// OpenCase opens a case with its first entries. Sending it twice opens one.
func (s *Service) OpenCase(ctx context.Context, r Reader, entries []NewEntry) (OpenedCase, error) {
	var out OpenedCase
	if len(entries) == 0 {
		return out, fault.Field("entries", "required", "a case begins with a first contact")
	}
	if len(entries) > maxEntries {
		return out, fault.Field("entries", "too_many", fmt.Sprintf("send at most %d at once", maxEntries))
	}
	first := entries[0]
	for i, e := range entries {
		if e.Stream != first.Stream {
			return out, fault.Field(fmt.Sprintf("entries[%d].stream", i), "stream", "all entries belong to the new case")
		}
	}
	if id, err := uuid.Parse(first.Stream); err != nil || id.Version() != 7 || id.String() != first.Stream {
		return out, fault.Field("entries[0].stream", "format", "the case's id is a UUIDv7 in lower case")
	}
	if id, err := uuid.Parse(first.ID); err != nil || id.Version() != 7 {
		return out, fault.Field("entries[0].id", "format", "an entry's id is a UUIDv7")
	}
	d := s.policy.Decide(r.subject(), policy.Open, policy.Resource{Kind: Kind, Form: first.Form, Relation: policy.None})
	if !d.Allowed {
		return out, fault.Absent()
	}
	if st, err := s.standingOf(ctx, s.db, r, first.Stream); err == nil { // sent before
		if st.org != r.Org || len(s.tiers(r, policy.WriteTo, st, first.Form)) == 0 && !s.openedBy(ctx, first.Stream, r) {
			return out, fault.Absent()
		}
	}
	assign, err := s.firstAssignment(ctx, r)
	if err != nil {
		return out, err
	}
	_, country, err := s.dir.Organisation(ctx, r.Org)
	if err != nil {
		return out, err
	}
	openID, assignID := derivedID(first.ID, "open"), derivedID(first.ID, "assign")
	drafts := []journal.Draft{actDraft(r, first.Stream, actOpen, openID, first.WrittenAt, nil, ""), actDraft(r, first.Stream, actAssign, assignID, first.WrittenAt, assign, "")}
	for _, e := range entries {
		drafts = append(drafts, draftOf(r, e))
	}
	takeForm := s.takeEntry(r, entries)
	var refused error
	whole := func(_ context.Context, _ *store.Tx, _ journal.Stream, history []journal.Opened) error {
		if !slices.ContainsFunc(history, func(o journal.Opened) bool { return o.ID == first.ID }) {
			return errNothingOpened
		}
		return nil
	}
	for try := 0; ; try++ {
		code := s.newCode(country, 4+try)
		results, err := s.appendAlso(ctx, r, r.Org, drafts, func(ctx context.Context, c *Case, history []journal.Opened, d journal.Draft) (journal.Draft, error) {
			switch d.ID {
			case openID:
				d.Answers = map[journal.Tier]map[string]any{journal.Coded: {"code": code, "country": country}}
				return d, nil
			case assignID:
				return d, nil
			}
			if d.ID == first.ID {
				taken, err := s.takeFirst(ctx, r, c, d, entries)
				refused = err
				return taken, err
			}
			if r.has(policy.Counsellor) {
				return s.takeFirst(ctx, r, c, d, entries)
			}
			return takeForm(ctx, c, history, d)
		}, whole)
		if errors.Is(err, errNothingOpened) {
			return out, refusedFault(refused)
		}
		if store.IsUnique(err) && try < 5 {
			continue // the code was taken
		}
		if errors.Is(err, journal.ErrWrongKind) {
			return out, fault.Absent()
		}
		if err != nil {
			return out, err
		}
		return s.openedCase(ctx, r, first.Stream, results[2:])
	}
}

var errNothingOpened = errors.New("the first entry was refused: no case is opened")

// refusedFault makes the refusal of a first entry the request's own fault.
func refusedFault(err error) error {
	var mine *refusal
	if errors.As(err, &mine) {
		return &fault.Error{Code: fault.Misuse, Message: "the first entry has mistakes; no case was opened", Problems: mine.problems}
	}
	if fault.CodeOf(err) == fault.DeniedOrAbsent {
		return fault.Absent()
	}
	return fault.Field("entries[0]", "malformed", "the entry is not well formed")
}

// takeFirst checks the entries that open a case: the right to open is enough
// to write them.
func (s *Service) takeFirst(ctx context.Context, r Reader, c *Case, d journal.Draft, entries []NewEntry) (journal.Draft, error) {
	i := slices.IndexFunc(entries, func(e NewEntry) bool { return e.ID == d.ID })
	e := entries[i]
	form, ok := s.rules.Forms.Form(e.Form)
	if !ok || form.Stream != Kind || e.Act != string(journal.Submit) {
		return d, refuse("form", "unknown", "a case begins with a form for a case")
	}
	if !s.policy.Decide(r.subject(), policy.Open, policy.Resource{Kind: Kind, Form: e.Form, Relation: policy.None}).Allowed {
		return d, &refusal{[]fault.Problem{absentProblem}}
	}
	if err := s.mayWriteNow(c, form, d, e); err != nil {
		return d, err
	}
	answers, whole, err := s.checkAnswers(ctx, r, c, form, d, e)
	if err != nil {
		return d, err
	}
	if err := s.rules.addResult(form.ID, whole, answers, r.Lang); err != nil {
		return d, err
	}
	d.Answers = answers
	return d, s.rulesOfForms(c, form, form.MergeTiers(formTiers(answers)), d)
}

func (s *Service) openedBy(ctx context.Context, stream string, r Reader) bool {
	var n int
	err := s.db.QueryRow(ctx, `SELECT count(*) FROM entry WHERE stream = $1 AND seq = 1 AND author = $2`, stream, r.User).Scan(&n)
	return err == nil && n == 1
}

// openedCase answers an opening; the code of a case that was opened before is
// the one that stands.
func (s *Service) openedCase(ctx context.Context, r Reader, stream string, results []Result) (OpenedCase, error) {
	results, _ = s.inWords(r, results, nil)
	out := OpenedCase{Results: results}
	out.Case.ID = stream
	err := s.db.QueryRow(ctx, `SELECT code FROM case_view WHERE stream = $1`, stream).Scan(&out.Case.Code)
	if err != nil {
		return out, fmt.Errorf("reading the new case's code: %w", err)
	}
	return out, nil
}

// firstAssignment gives a new case to who opened it, under the supervisor of
// the team. A counsellor hands over: a supervisor assigns the worker.
func (s *Service) firstAssignment(ctx context.Context, r Reader) (map[string]any, error) {
	out := map[string]any{"team": r.Team}
	if r.has(policy.CaseWorker) || r.has(policy.Screener) || r.has(policy.Supervisor) {
		out["worker"] = r.User
	}
	if r.Team != "" {
		boss, err := s.dir.TeamSupervisor(ctx, r.Team)
		if err != nil {
			return nil, err
		}
		if boss != "" && boss != out["worker"] {
			out["supervisor"] = boss
		}
	}
	return out, nil
}

// codeLetters leaves out what looks alike: 0 O, 1 I L, 2 Z, 5 S, 8 B, U V.
const codeLetters = "34679ACDEFGHJKMNPQRTWXY"

// newCode makes a short pseudonym: the country's two letters and some that
// cannot be misread. Four are 280,000 codes a country; where one is taken the
// next try is longer, so that a large register does not run out.
func (s *Service) newCode(country string, letters int) string {
	two := s.rules.alpha2[country]
	if two == "" {
		two = "XX"
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	var n uint64
	for _, x := range b {
		n = n<<8 | uint64(x)
	}
	code := make([]byte, letters)
	for i := range code {
		code[i] = codeLetters[n%uint64(len(codeLetters))]
		n /= uint64(len(codeLetters))
	}
	return two + "-" + string(code)
}

// derivedID makes the id of an act that goes with an entry, so that sending
// the entry again names the same act.
func derivedID(entry, use string) string {
	u, err := uuid.Parse(entry)
	if err != nil {
		return entry
	}
	sum := sha256.Sum256([]byte("banyan act 1\x00" + entry + "\x00" + use))
	copy(u[6:], sum[:10])
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}

func actDraft(r Reader, stream, form, id string, at time.Time, coded map[string]any, reason string) journal.Draft {
	d := journal.Draft{ID: id, Stream: stream, Form: form, FormVersion: 1, Act: journal.Submit, Record: id, Author: r.User, Org: r.Org, Device: r.Device, WrittenAt: at,
		Answers: map[journal.Tier]map[string]any{}}
	if coded != nil {
		d.Answers[journal.Coded] = coded
	}
	if reason != "" {
		d.Answers[journal.Story] = map[string]any{"reason": reason}
	}
	return d
}

func newUUID() string {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return id.String()
}

// act writes one act of the system. check has the last word under the lock.
func (s *Service) act(ctx context.Context, r Reader, a policy.Action, stream, form, id string, coded map[string]any, storyTexts map[string]any, check func(c *Case, st standing) error) (Result, error) {
	if id == "" {
		id = newUUID()
	}
	st, err := s.standingOf(ctx, s.db, r, stream)
	if err != nil {
		return Result{}, err
	}
	if !s.decide(r, a, st, "", false).Allowed {
		return Result{}, fault.Absent()
	}
	d := actDraft(r, stream, form, id, s.now(), coded, "")
	if at, ok := s.sentBefore(ctx, id, stream, r.User); ok {
		d.WrittenAt = at
	}
	if len(storyTexts) > 0 {
		d.Answers[journal.Story] = storyTexts
	}
	var denied error
	results, err := s.append(ctx, r, st.org, []journal.Draft{d}, func(ctx context.Context, c *Case, _ []journal.Opened, d journal.Draft) (journal.Draft, error) {
		now, err := s.standingIn(ctx, r, c)
		if err != nil {
			return d, err
		}
		if !s.decide(r, a, now, "", false).Allowed {
			denied = fault.Absent()
			return d, denied
		}
		denied = nil
		return d, check(c, now)
	})
	if err != nil {
		return Result{}, err
	}
	if denied != nil {
		return Result{}, denied
	}
	if results[0].Status == string(journal.Refused) {
		return results[0], &fault.Error{Code: fault.Conflict, Message: "this cannot be done now", Problems: results[0].Problems}
	}
	return results[0], nil
}

// may asks the policy before anything that was sent is looked at, so that
// denied and absent give one answer.
func (s *Service) may(ctx context.Context, r Reader, a policy.Action, stream string) error {
	st, err := s.standingOf(ctx, s.db, r, stream)
	if err != nil {
		return err
	}
	if !s.decide(r, a, st, "", false).Allowed {
		return fault.Absent()
	}
	return nil
}

// sentBefore finds when an act with this id was written, so that pressing
// twice does it once.
func (s *Service) sentBefore(ctx context.Context, id, stream, author string) (time.Time, bool) {
	var at int64
	err := s.db.QueryRow(ctx, `SELECT written_at FROM entry WHERE id = $1 AND stream = $2 AND author = $3`, id, stream, author).Scan(&at)
	return store.Time(at), err == nil
}

// Move changes the status of a case. to is a move's id or the state it leads to.
func (s *Service) Move(ctx context.Context, r Reader, stream, to, reason, id string) (Result, error) {
	coded := map[string]any{}
	return s.act(ctx, r, policy.Move, stream, actMove, id, coded, reasonOf(reason), func(c *Case, _ standing) error {
		rule, missing, ok := c.MissingFor(to)
		if !ok {
			return refuse("to", "no_such_move", "from here the case cannot go there")
		}
		if !slices.ContainsFunc(rule.By, r.has) {
			return refuse("to", "role", "somebody with another role makes this step")
		}
		if rule.Reason && strings.TrimSpace(reason) == "" {
			return refuse("reason", forms.ProblemRequired, "Say why.")
		}
		if len(missing) > 0 {
			out := &refusal{}
			for _, m := range missing {
				out.problems = append(out.problems, fault.Problem{Path: m.Form, Code: "missing", Message: m.Text})
			}
			return out
		}
		coded["move"], coded["from"], coded["to"] = rule.ID, c.State(), rule.To
		return nil
	})
}

func reasonOf(reason string) map[string]any {
	if strings.TrimSpace(reason) == "" {
		return nil
	}
	return map[string]any{"reason": reason}
}

// NewAssignment says who works on a case. Empty fields stay as they are.
type NewAssignment struct {
	Worker     string `json:"worker,omitempty"`
	Supervisor string `json:"supervisor,omitempty"`
	Team       string `json:"team,omitempty"`
	Lawyer     string `json:"lawyer,omitempty"`
	ID         string `json:"id,omitempty"`
}

// Assign gives a case to somebody of the organisation.
func (s *Service) Assign(ctx context.Context, r Reader, stream string, a NewAssignment) (Result, error) {
	if err := s.may(ctx, r, policy.Assign, stream); err != nil {
		return Result{}, err
	}
	roles := map[string][]string{"worker": {policy.CaseWorker, policy.Screener, policy.Supervisor}, "supervisor": {policy.Supervisor}, "lawyer": {policy.Lawyer}}
	chosen := map[string]string{"worker": a.Worker, "supervisor": a.Supervisor, "lawyer": a.Lawyer}
	for _, what := range []string{"worker", "supervisor", "lawyer"} {
		if chosen[what] == "" {
			continue
		}
		p, err := s.dir.Person(ctx, chosen[what])
		if err != nil {
			return Result{}, err
		}
		if p.ID == "" || p.Org != r.Org || !slices.ContainsFunc(roles[what], func(role string) bool { return slices.Contains(p.Roles, role) }) {
			return Result{}, fault.Field(what, "role", "choose somebody of the organisation with that role")
		}
		if what == "worker" && a.Team == "" {
			a.Team = p.Team
		}
	}
	coded := map[string]any{}
	return s.act(ctx, r, policy.Assign, stream, actAssign, a.ID, coded, nil, func(c *Case, _ standing) error {
		now := c.Assigned
		pick := func(new, old string) string {
			if new != "" {
				return new
			}
			return old
		}
		worker, boss := pick(a.Worker, now.Worker), pick(a.Supervisor, now.Supervisor)
		if worker == boss && worker != "" {
			return refuse("supervisor", "same", "nobody supervises himself")
		}
		for _, e := range c.Excluded {
			if e.User == worker || e.User == boss || e.User == a.Lawyer {
				return refuse("worker", "excluded", "this person is excluded from the case")
			}
		}
		for name, v := range map[string]string{"worker": worker, "supervisor": boss, "team": pick(a.Team, now.Team), "lawyer": pick(a.Lawyer, now.Lawyer)} {
			if v != "" {
				coded[name] = v
			}
		}
		return nil
	})
}

// NewDecision is the decision on one version of a record.
type NewDecision struct {
	Record   string `json:"record"`
	Entry    string `json:"entry"`
	Decision string `json:"decision" enum:"approved,returned"`
	Remark   string `json:"remark,omitempty" maxLength:"2000"`
	ID       string `json:"id,omitempty"`
}

// Approve decides on a record. Nobody decides on what he wrote, and only on
// the version that he saw.
func (s *Service) Approve(ctx context.Context, r Reader, stream string, n NewDecision) (Result, error) {
	if err := s.may(ctx, r, policy.Approve, stream); err != nil {
		return Result{}, err
	}
	if n.Decision != "approved" && n.Decision != "returned" {
		return Result{}, fault.Field("decision", "choice", "approve it or send it back")
	}
	if n.Decision == "returned" && strings.TrimSpace(n.Remark) == "" {
		return Result{}, fault.Field("remark", "required", "say what has to change")
	}
	var texts map[string]any
	if strings.TrimSpace(n.Remark) != "" {
		texts = map[string]any{"remark": n.Remark}
	}
	coded := map[string]any{"record": n.Record, "entry": n.Entry, "decision": n.Decision}
	return s.act(ctx, r, policy.Approve, stream, actApprove, n.ID, coded, texts, func(c *Case, st standing) error {
		rec := c.Records[n.Record]
		switch {
		case rec == nil || rec.Struck || rec.Approval == nil:
			return refuse("record", "record", "nobody decides on this record")
		case contains(rec.Authors, r.User) || !s.decide(r, policy.Approve, st, rec.Form, contains(rec.Authors, r.User)).Allowed:
			return refuse("", "own", "Nobody approves his own work. Ask another supervisor.")
		case len(rec.Heads) != 1 || len(rec.Disputes) > 0:
			return refuse("entry", "dispute", "Two people changed it at once. Settle that first.")
		case rec.Approval.Entry != n.Entry:
			return refuse("entry", "changed", "It was changed meanwhile. Look at it again.")
		case rec.Approval.State != "pending":
			return refuse("entry", "decided", "This version is decided already.")
		}
		return nil
	})
}

// BreakGlass opens a case in an emergency, for an hour at most. Two people
// are told.
func (s *Service) BreakGlass(ctx context.Context, r Reader, stream, reason, id string) (Result, error) {
	if err := s.may(ctx, r, policy.BreakTheGlass, stream); err != nil {
		return Result{}, err
	}
	least := s.policy.Glass.ReasonAtLeast
	if len([]rune(strings.TrimSpace(reason))) < least {
		return Result{}, fault.Field("reason", "too_short", fmt.Sprintf("say in at least %d characters what the danger is", least))
	}
	coded := map[string]any{"user": r.User, "until": s.now().Add(s.policy.Glass.For).UTC().Format(time.RFC3339)}
	return s.act(ctx, r, policy.BreakTheGlass, stream, actBreakGlass, id, coded, reasonOf(reason), func(*Case, standing) error { return nil })
}

// Exclude keeps a user out of a case, or lets them in again.
func (s *Service) Exclude(ctx context.Context, r Reader, stream, user string, on bool, reason, id string) (Result, error) {
	if err := s.may(ctx, r, policy.Exclude, stream); err != nil {
		return Result{}, err
	}
	if strings.TrimSpace(reason) == "" {
		return Result{}, fault.Field("reason", "required", "say why")
	}
	p, err := s.dir.Person(ctx, user)
	if err != nil {
		return Result{}, err
	}
	if p.ID == "" || p.Org != r.Org {
		return Result{}, fault.Field("user", "reference", "there is no such person in the organisation")
	}
	coded := map[string]any{"user": user, "on": on}
	return s.act(ctx, r, policy.Exclude, stream, actExclude, id, coded, reasonOf(reason), func(c *Case, _ standing) error {
		if user == r.User {
			return refuse("user", "own", "nobody decides this about himself")
		}
		return nil
	})
}

// Acknowledge says that somebody looked: it ends clocks that wait for that.
func (s *Service) Acknowledge(ctx context.Context, r Reader, stream, clock, record, id string) (Result, error) {
	coded := map[string]any{"clock": clock, "record": record}
	return s.act(ctx, r, policy.Approve, stream, actAcknowledge, id, coded, nil, func(c *Case, _ standing) error {
		for _, k := range c.Clocks {
			if k.ID == clock && k.Record == record && k.Open() {
				if rec := c.Records[record]; rec != nil && contains(rec.Authors, r.User) {
					return refuse("", "own", "Nobody looks over his own work. Ask another supervisor.")
				}
				return nil
			}
		}
		return refuse("clock", "no_such_clock", "nothing waits for that")
	})
}

// digest gives the SHA-256 of bytes in hexadecimal.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
