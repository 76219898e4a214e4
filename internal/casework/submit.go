package casework

// Writing: entries as devices send them, checked under the lock of their case.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
