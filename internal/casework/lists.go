package casework

// What lists of cases have in common: a row of the projection, what a reader may
// see of it, and the line in the access log.

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Summary is a case in a list. What the reader may not see is empty.
type Summary struct {
	ID          string    `json:"id"`
	Code        string    `json:"code"`
	Name        string    `json:"name,omitempty"`
	Age         *Age      `json:"age,omitempty"`
	Sex         string    `json:"sex,omitempty"`
	Risk        string    `json:"risk"`
	Status      string    `json:"status"`
	StatusLabel string    `json:"status_label"`
	Worker      string    `json:"worker,omitempty"`
	Supervisor  string    `json:"supervisor,omitempty"`
	Team        string    `json:"team,omitempty"`
	Org         string    `json:"org"`
	LastAt      time.Time `json:"last_at"`
	Disputes    int       `json:"disputes"`
	Next        *NextStep `json:"next,omitempty"`
}

// CaseList is one page of cases.
type CaseList struct {
	Items []Summary `json:"items"`
	Next  string    `json:"next,omitempty"`
}

// viewRow is one row of case_view.
type viewRow struct {
	stream, org, code, country, state, risk, sex      string
	worker, supervisor, team, lawyer, ageBasis, ageOn string
	lastAuthor, nextLabel, nextForm, nextRecord       string
	ageYears, lastAt, assignedAt, nextDue, disputes   int64
	riskRank                                          int64
	person, place                                     []byte
	glass, excluded                                   int64
}

// viewColumns needs $1 (reader) and $2 (now) for the last two.
const viewColumns = `v.stream, v.org, v.code, v.country, v.state, v.risk, v.sex, v.worker, v.supervisor, v.team, v.lawyer,
	v.age_basis, v.age_observed, v.last_author, v.next_label, v.next_form, v.next_record, v.age_years, v.last_at, v.assigned_at,
	v.next_due, v.disputes, v.risk_rank, v.person, v.place,
	(SELECT count(*) FROM case_glass g WHERE g.stream = v.stream AND g.reader = $1 AND g.until > $2),
	(SELECT count(*) FROM case_excluded x WHERE x.stream = v.stream AND x.reader = $1)`

func (v *viewRow) fields() []any {
	return []any{&v.stream, &v.org, &v.code, &v.country, &v.state, &v.risk, &v.sex, &v.worker, &v.supervisor, &v.team, &v.lawyer,
		&v.ageBasis, &v.ageOn, &v.lastAuthor, &v.nextLabel, &v.nextForm, &v.nextRecord, &v.ageYears, &v.lastAt, &v.assignedAt,
		&v.nextDue, &v.disputes, &v.riskRank, &v.person, &v.place, &v.glass, &v.excluded}
}

func (s *Service) standRow(ctx context.Context, r Reader, v *viewRow) (standing, error) {
	return s.stand(ctx, r, v.stream, holders{org: v.org, worker: v.worker, supervisor: v.supervisor, team: v.team, lawyer: v.lawyer, glass: v.glass > 0, excluded: v.excluded > 0})
}

// unsealJSON opens a sealed cell; false: it is closed to this read.
func unsealJSON(ctx context.Context, o *journal.Opener, stream string, tier journal.Tier, label string, sealed []byte, into any) (bool, error) {
	plain, err := o.Unseal(ctx, stream, tier, label, sealed)
	if err != nil || plain == nil {
		return false, err
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return false, fmt.Errorf("reading a cell of a case: %w", err)
	}
	return true, nil
}

// summarise says a case as far as the tiers go.
func (s *Service) summarise(ctx context.Context, o *journal.Opener, lang string, v *viewRow, tiers []journal.Tier) (Summary, personCell, error) {
	var cell personCell
	state, _ := s.rules.State(v.state)
	out := Summary{ID: v.stream, Code: v.code, Risk: v.risk, Status: v.state, StatusLabel: s.rules.say(state.Label, lang), Org: v.org, Team: v.team,
		Worker: s.nameOf(ctx, v.worker), Supervisor: s.nameOf(ctx, v.supervisor), LastAt: store.Time(v.lastAt), Disputes: int(v.disputes), Sex: v.sex}
	o.Note(v.stream, journal.Coded)
	if v.nextLabel != "" {
		out.Next = &NextStep{Title: s.rules.say(v.nextLabel, lang), Form: v.nextForm, Record: v.nextRecord, Missing: []MissingItem{}}
		if v.nextDue != 0 {
			out.Next.DueAt = ptr(store.Time(v.nextDue))
		}
	}
	answer := map[string]any{}
	if v.ageYears >= 0 {
		answer = map[string]any{"years": float64(v.ageYears), "observed_on": v.ageOn}
	}
	if slices.Contains(tiers, journal.Identity) {
		if _, err := unsealJSON(ctx, o, v.stream, journal.Identity, cellPerson, v.person, &cell); err != nil {
			return out, cell, err
		}
		if len(cell.Names) > 0 {
			out.Name = cell.Names[0].Text
		}
		if m, ok := cell.Age.(map[string]any); ok {
			answer = m
		}
	}
	if len(answer) > 0 || v.ageBasis != "" {
		age := ageOf(answer, v.ageBasis, s.now().In(s.rules.Zone(v.country)))
		out.Age = &age
	}
	return out, cell, nil
}

// ageOf says how old somebody is at a moment.
func ageOf(answer map[string]any, basis string, now time.Time) Age {
	out := Age{Basis: basis, PresumedChild: basis == forms.PresumedChild}
	if years, ok := forms.AgeAt(answer, now); ok {
		out.Years, out.Known = years, true
		out.Text = strconv.Itoa(years)
		if basis != "document" {
			out.Text = "about " + out.Text
		}
	}
	child, known := forms.IsChild(answer, basis, now)
	out.Child = child || !known // in doubt a child: CRC General Comment 6, §31 (i)
	if out.PresumedChild && (!out.Known || out.Years >= forms.Majority) {
		out.Text = "presumed child"
	}
	return out
}

// readList runs a reading of many cases under one access line.
func (s *Service) readList(ctx context.Context, r Reader, action, purpose string, fn func(tx *store.Tx, o *journal.Opener) error) error {
	request := journal.ReadRequest{Reader: journal.Reader{User: r.User, Org: r.Org, Session: r.Session, Purpose: purpose}, Action: action, Tiers: journal.Tiers, Because: "list"}
	return s.journal.Read(ctx, request, fn)
}

func listPurpose(r Reader) string {
	switch {
	case r.has(policy.CaseWorker), r.has(policy.Screener):
		return "care"
	case r.has(policy.Supervisor):
		return "supervision"
	case r.has(policy.Lawyer):
		return "legal_aid"
	}
	return "care"
}
