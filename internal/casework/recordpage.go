package casework

// One record with its history, and what a new one opens with.

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// RecordPage is one record with its history.
type RecordPage struct {
	Record   string          `json:"record"`
	Form     string          `json:"form"`
	Version  int             `json:"version"`
	Heads    []string        `json:"heads"`
	Answers  map[string]any  `json:"answers"`
	Disputes []DisputeItem   `json:"disputes"`
	Missing  []MissingItem   `json:"missing"`
	Approval *ApprovalItem   `json:"approval,omitempty"`
	Looks    []TaskItem      `json:"looks" doc:"What waits for somebody to look at this record"`
	Struck   bool            `json:"struck"`
	CaseSeq  int64           `json:"case_seq"`
	MayWrite bool            `json:"may_write"`
	History  []RecordHistory `json:"history"`
	Hidden   []string        `json:"hidden_tiers"`
}

// RecordHistory is one entry of a record.
type RecordHistory struct {
	Entry   string    `json:"entry"`
	Act     string    `json:"act"`
	At      time.Time `json:"at"`
	Author  string    `json:"author"`
	Changed []string  `json:"changed"`
	Reason  string    `json:"reason,omitempty"`
	Late    bool      `json:"late"`
}

// Record opens one record of a case.
func (s *Service) Record(ctx context.Context, r Reader, stream, record string) (RecordPage, error) {
	var page RecordPage
	err := s.open(ctx, r, "record.open", stream, func(_ *store.Tx, _ *journal.Opener, st standing, tiers []journal.Tier, c *Case) error {
		rec := c.Records[record]
		if rec == nil {
			return fault.Absent()
		}
		form, ok := s.rules.Forms.Form(rec.Form)
		if !ok {
			return fault.Absent()
		}
		v := &view{s: s, ctx: ctx, r: r, c: c, st: st, tiers: tiers, now: s.now()}
		page = RecordPage{Record: rec.ID, Form: rec.Form, Version: rec.FormVersion, Heads: rec.Heads, Answers: rec.Answers, Approval: v.approval(rec), Struck: rec.Struck,
			Looks: []TaskItem{}, Disputes: []DisputeItem{}, Missing: []MissingItem{}, History: []RecordHistory{}, Hidden: []string{}, CaseSeq: c.Stream.Seq,
			MayWrite: len(s.tiers(r, policy.WriteTo, st, rec.Form)) > 0 && c.State() != "closed"}
		for _, d := range v.disputes() {
			if d.Record == rec.ID {
				page.Disputes = append(page.Disputes, d)
			}
		}
		for _, t := range v.tasks() {
			if t.Kind == "look" && t.Record == rec.ID {
				page.Looks = append(page.Looks, t)
			}
		}
		if len(tiers) == len(journal.Tiers) {
			for _, path := range c.MissingFields(rec, v.now) {
				page.Missing = append(page.Missing, MissingItem{path, labelOf(form, path, r.Lang)})
			}
		}
		for _, t := range form.Tiers() {
			if !v.sees(journal.Tier(t)) {
				page.Hidden = append(page.Hidden, string(t))
			}
		}
		for _, o := range rec.Entries {
			h := RecordHistory{Entry: o.ID, Act: string(o.Act), At: o.WrittenAt, Author: s.nameOf(ctx, o.Author), Changed: []string{},
				Late: o.Act == journal.Amend && o.WrittenAt.Sub(rec.FirstAt) > lateAfter}
			for _, fields := range o.Answers {
				for name := range fields {
					if o.Act != journal.Strike && !strings.HasPrefix(name, "_") && !slices.Contains(h.Changed, name) {
						h.Changed = append(h.Changed, name)
					}
				}
			}
			sort.Strings(h.Changed)
			for _, key := range []string{"reason", "_reason"} {
				if text, ok := o.Answers[journal.Story][key].(string); ok {
					h.Reason = text
				}
			}
			page.History = append(page.History, h)
		}
		return nil
	})
	return page, err
}

// Prefilled is what a form opens with, and where each answer comes from.
type Prefilled struct {
	Answers map[string]any           `json:"answers"`
	From    map[string]PrefilledFrom `json:"from"`
}

// PrefilledFrom names the entry that an answer was taken from.
type PrefilledFrom struct {
	Form   string     `json:"form"`
	Title  string     `json:"title"`
	At     *time.Time `json:"at,omitempty"`
	Author string     `json:"author,omitempty"`
}

// Prefill gives what a new record of the form opens with: nobody tells it twice.
func (s *Service) Prefill(ctx context.Context, r Reader, stream, formID string) (Prefilled, error) {
	out := Prefilled{Answers: map[string]any{}, From: map[string]PrefilledFrom{}}
	form, ok := s.rules.Forms.Form(formID)
	if !ok || form.Stream != Kind {
		return out, fault.Absent()
	}
	err := s.open(ctx, r, "form.open", stream, func(_ *store.Tx, _ *journal.Opener, _ standing, _ []journal.Tier, c *Case) error {
		answers, from := form.Prefill(s.env(ctx, r, c, s.now()))
		out.Answers = answers
		for path, source := range from {
			item := PrefilledFrom{Form: source}
			id, field, _ := strings.Cut(source, ".")
			if f, ok := s.rules.Forms.Form(id); ok {
				item.Form, item.Title = id, f.Title(r.Lang)
				top, _, _ := strings.Cut(field, ".")
				for _, rec := range c.Of(id) {
					if now, ok := rec.Fields[top]; ok && dig(rec.Answers, field) != nil {
						at := now.At
						item.At, item.Author = &at, s.nameOf(ctx, now.Author)
					}
				}
			}
			out.From[path] = item
		}
		return nil
	})
	return out, err
}
