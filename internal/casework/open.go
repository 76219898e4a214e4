package casework

// Opening a case: its first entries, its code, its first assignment.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

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
