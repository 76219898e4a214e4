package casework

// The inbox: what waits for a decision or a look, and what became of the
// reader's own.

import (
	"context"
	"fmt"
	"strings"
	"time"

	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Inbox is what waits for a decision, and what became of the reader's own.
type Inbox struct {
	Approvals []InboxApproval `json:"approvals"`
	Looks     []InboxLook     `json:"looks"`
	Notices   []InboxNotice   `json:"notices"`
}

// InboxApproval is one decision to take, with exactly what would be approved.
type InboxApproval struct {
	Case    Summary    `json:"case"`
	Record  string     `json:"record"`
	Form    string     `json:"form"`
	Title   string     `json:"title"`
	Entry   string     `json:"entry"`
	AskedAt time.Time  `json:"asked_at"`
	By      string     `json:"by"`
	DueAt   *time.Time `json:"due_at,omitempty"`
	Fell    bool       `json:"fell"` // it was approved, and changed since
	MayI    bool       `json:"may_i"`
	Summary []Line     `json:"summary"`
}

// InboxLook is one thing that somebody has to look at, and say so.
type InboxLook struct {
	Case    Summary    `json:"case"`
	Clock   string     `json:"clock"`
	Record  string     `json:"record"`
	Title   string     `json:"title"`
	At      time.Time  `json:"at"`
	By      string     `json:"by"`
	DueAt   *time.Time `json:"due_at,omitempty"`
	MayI    bool       `json:"may_i"`
	Summary []Line     `json:"summary"`
}

// InboxNotice is one thing that happened.
type InboxNotice struct {
	ID   string    `json:"id"`
	Kind string    `json:"kind"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
	By   string    `json:"by,omitempty"`
	Case Summary   `json:"case"`
	Go   GoTo      `json:"go"`
}

// inboxAhead is how far ahead of a date the inbox asks.
const inboxAhead = 90 * 24 * time.Hour

// mostAsked is how many approvals one inbox opens.
const mostAsked = 30

// Inbox lists them.
func (s *Service) Inbox(ctx context.Context, r Reader) (Inbox, error) {
	var out Inbox
	now := s.now()
	err := s.readList(ctx, r, "list.inbox", listPurpose(r), func(tx *store.Tx, o *journal.Opener) error {
		out = Inbox{Approvals: []InboxApproval{}, Looks: []InboxLook{}, Notices: []InboxNotice{}}
		tasks, err := s.dueTasks(ctx, tx, r, now.Add(inboxAhead))
		if err != nil {
			return err
		}
		for i := range tasks {
			if err := s.askInbox(ctx, o, r, &tasks[i], &out); err != nil {
				return err
			}
		}
		notices, err := s.newNotices(ctx, tx, r, now.AddDate(0, 0, -30))
		if err != nil {
			return err
		}
		for i := range notices {
			n := &notices[i]
			item, ok, err := s.noticeToday(ctx, o, r, n)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			out.Notices = append(out.Notices, InboxNotice{ID: item.ID, Kind: n.kind, Text: item.Title, At: store.Time(n.at), By: item.For, Case: item.Case, Go: item.Go})
		}
		return nil
	})
	return out, err
}

// askInbox opens the case of a task that asks for a decision or a look.
func (s *Service) askInbox(ctx context.Context, o *journal.Opener, r Reader, t *dueTask, out *Inbox) error {
	switch {
	case t.kind == "approval" && len(out.Approvals) < mostAsked:
		item, ok, err := s.inboxApproval(ctx, o, r, t)
		if ok {
			out.Approvals = append(out.Approvals, item)
		}
		return err
	case t.kind == "look" && len(out.Looks) < mostAsked:
		item, ok, err := s.inboxLook(ctx, o, r, t)
		if ok {
			out.Looks = append(out.Looks, item)
		}
		return err
	}
	return nil
}

// inboxLook opens the case to show what is to be looked at.
func (s *Service) inboxLook(ctx context.Context, o *journal.Opener, r Reader, t *dueTask) (InboxLook, bool, error) {
	sum, tiers, err := s.caseFor(ctx, o, r, &t.viewRow)
	if err != nil || len(tiers) < len(journal.Tiers) {
		return InboxLook{}, false, err
	}
	st, err := s.standRow(ctx, r, &t.viewRow)
	if err != nil {
		return InboxLook{}, false, err
	}
	js, history, err := o.History(ctx, t.stream)
	if err != nil {
		return InboxLook{}, false, err
	}
	c := s.rules.Fold(js, history)
	if err := s.agrees(ctx, r, st, c); err != nil {
		return InboxLook{}, false, err
	}
	rec := c.Records[t.record]
	if rec == nil {
		return InboxLook{}, false, nil
	}
	form, _ := s.rules.Forms.Form(rec.Form)
	v := &view{s: s, ctx: ctx, r: r, c: c, st: st, tiers: tiers, now: s.now()}
	look := &Task{Kind: "look", Clock: t.clock, Record: t.record, RemindAt: store.Time(t.remind)}
	return InboxLook{Case: sum, Clock: t.clock, Record: t.record, Title: s.rules.say(t.label, r.Lang), At: rec.FirstAt, By: s.nameOf(ctx, rec.Author),
		DueAt: ptr(store.Time(t.due)), MayI: v.mayLook(look), Summary: s.linesOf(form, rec, r.Lang)}, true, nil
}

// mostLines is how many answers an inbox shows of a record.
const mostLines = 8

// linesOf gives a record's last answers: what a form asks at its end is the
// decision and its reason.
func (s *Service) linesOf(form *forms.Form, rec *Record, lang string) []Line {
	out := []Line{}
	for _, f := range form.Fields {
		if value, ok := rec.Answers[f.Name]; ok {
			if text := s.rules.inboxText(f, value, lang); text != "" {
				out = append(out, Line{Label: f.Label(lang), Text: text, Tier: string(f.Tier)})
			}
		}
	}
	return out[max(0, len(out)-mostLines):]
}

// mostRows is how many rows of a repeat an inbox says in words.
const mostRows = 6

// inboxText says an answer as textOf does, and a repeat row by row: nobody
// approves a plan without its goals.
func (r *Rules) inboxText(f *forms.Field, value any, lang string) string {
	if f.Type != forms.Repeat {
		return r.textOf(f, value, lang)
	}
	var rows []string
	for i, row := range rowsOf(value) {
		if i == mostRows {
			rows = append(rows, "…")
			break
		}
		var parts []string
		for _, part := range f.Fields {
			if v, ok := row[part.Name]; ok {
				if text := r.textOf(part, v, lang); text != "" {
					parts = append(parts, text)
				}
			}
		}
		rows = append(rows, fmt.Sprintf("%d. %s", i+1, strings.Join(parts, " · ")))
	}
	return strings.Join(rows, "\n")
}

// inboxApproval opens the case to show what would be approved.
func (s *Service) inboxApproval(ctx context.Context, o *journal.Opener, r Reader, t *dueTask) (InboxApproval, bool, error) {
	sum, tiers, err := s.caseFor(ctx, o, r, &t.viewRow)
	if err != nil || len(tiers) < len(journal.Tiers) {
		return InboxApproval{}, false, err
	}
	st, err := s.standRow(ctx, r, &t.viewRow)
	if err != nil {
		return InboxApproval{}, false, err
	}
	js, history, err := o.History(ctx, t.stream)
	if err != nil {
		return InboxApproval{}, false, err
	}
	c := s.rules.Fold(js, history)
	if err := s.agrees(ctx, r, st, c); err != nil {
		return InboxApproval{}, false, err
	}
	rec := c.Records[t.record]
	if rec == nil || rec.Approval == nil {
		return InboxApproval{}, false, nil
	}
	form, _ := s.rules.Forms.Form(rec.Form)
	item := InboxApproval{Case: sum, Record: rec.ID, Form: rec.Form, Title: form.Title(r.Lang), Entry: rec.Approval.Entry, AskedAt: rec.Approval.AskedAt,
		By: s.nameOf(ctx, rec.Approval.AskedBy), Fell: rec.Approval.Fell, Summary: []Line{},
		MayI: s.decide(r, policy.Approve, st, rec.Form, contains(rec.Authors, r.User)).Allowed}
	if t.due != 0 {
		item.DueAt = ptr(store.Time(t.due))
	}
	for _, f := range form.Fields {
		if value, ok := rec.Answers[f.Name]; ok && len(item.Summary) < mostLines {
			if text := s.rules.inboxText(f, value, r.Lang); text != "" {
				item.Summary = append(item.Summary, Line{Label: f.Label(r.Lang), Text: text, Tier: string(f.Tier)})
			}
		}
	}
	return item, true, nil
}
