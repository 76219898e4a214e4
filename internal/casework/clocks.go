package casework

// Deadlines as they follow from what happened. A clock's times are a pure
// function of the history; whether it is overdue is asked against now, later.

import (
	"slices"
	"sort"
	"strings"
	"time"

	"banyan/internal/forms"
)

// Clock is one deadline of a case.
type Clock struct {
	ID, Label  string
	Form       string // what its task opens
	Record     string // for clocks of one record
	Row        string // for clocks of one row
	Text       string // what is due, in the row's own words; opens with the story tier
	StartedAt  time.Time
	DueAt      time.Time
	DoneAt     time.Time // zero while it runs
	RemindAt   time.Time // the first reminder
	Escalation []Escalation
	AssignedTo string // a role; empty: the worker
}

// Escalation says who is told when nothing was done.
type Escalation struct {
	At time.Time
	To string
}

// Open says whether the clock runs.
func (k Clock) Open() bool { return k.DoneAt.IsZero() }

// runClocks computes every clock of the case.
func (c *Case) runClocks() {
	for _, rule := range c.rules.Clocks {
		if rule.Form != "" {
			if f, ok := c.rules.Forms.Form(rule.Form); !ok || f.Stream != "case" {
				continue
			}
		}
		k := c.rules.inCountry(rule, c.Country)
		switch {
		case k.Per == "row":
			c.rowClocks(&k)
		case k.endsOnApprove:
			c.approvalClocks(&k)
		case k.Per == "entry":
			c.entryClocks(&k)
		default:
			c.caseClock(&k)
		}
	}
	sort.SliceStable(c.Clocks, func(i, j int) bool { return c.Clocks[i].DueAt.Before(c.Clocks[j].DueAt) })
}

// matches says whether what happened is one of the events.
func (h *happening) matches(list events) bool {
	return slices.ContainsFunc(list, func(e *EventRule) bool {
		switch {
		case e.State != "":
			return h.state == e.State
		case e.Acknowledged:
			return h.ackClock != ""
		case e.Approved != nil:
			return h.approved != nil && h.form == e.Form && (*h.approved || !*e.Approved)
		case h.form != e.Form || h.approved != nil:
			return false
		case h.amended && !e.Amended && e.Where == "":
			return false // the form's first submission was meant
		}
		return e.where == nil || e.where.Holds(h.answers, forms.Env{})
	})
}

// alive says whether the clock runs in the present state, and its record
// still stands.
func (c *Case) alive(k *ClockRule, record string) bool {
	if len(k.OnlyStates) > 0 && !slices.Contains(k.OnlyStates, c.State()) {
		return false
	}
	if c.State() == "closed" && k.ID != "retention_review" {
		return false
	}
	r := c.Records[record]
	return r == nil || !r.Struck
}

// caseClock is one clock for the whole case; a new start after its end starts
// it again.
func (c *Case) caseClock(k *ClockRule) {
	var at *Clock
	for i := range c.happen {
		h := &c.happen[i]
		if at != nil && at.Open() && h.matches(k.Ends) {
			at.DoneAt = h.at
		}
		if h.matches(k.Starts) && (at == nil || !at.Open()) && !c.endedForGood(k, h.at) {
			n := c.newClock(k, h.at, h.record, "")
			at = &n
		}
	}
	c.keep(k, at)
}

// endedForGood says that a form which a case has only once was filled before.
func (c *Case) endedForGood(k *ClockRule, at time.Time) bool {
	return slices.ContainsFunc(k.Ends, func(e *EventRule) bool {
		f, ok := c.rules.Forms.Form(e.Form)
		return ok && f.Single && !e.Amended && slices.ContainsFunc(c.Of(e.Form), func(r *Record) bool { return !r.FirstAt.After(at) })
	})
}

// entryClocks runs one clock for each record that starts it.
func (c *Case) entryClocks(k *ClockRule) {
	running := map[string]*Clock{}
	var order []string
	for i := range c.happen {
		h := &c.happen[i]
		for _, record := range order {
			at := running[record]
			same := h.record == record || !startsAndEndsAlike(k) && h.ackClock == ""
			if at.Open() && same && h.matches(k.Ends) && (h.ackClock == "" || h.ackClock == k.ID) && h.entry != "" && h.at.After(at.StartedAt.Add(-1)) && !(h.record == record && h.at.Equal(at.StartedAt)) {
				at.DoneAt = h.at
			}
		}
		if h.record == "" || !h.matches(k.Starts) {
			continue
		}
		if at := running[h.record]; at == nil || !at.Open() {
			n := c.newClock(k, h.at, h.record, "")
			if at == nil {
				order = append(order, h.record)
			}
			running[h.record] = &n
		}
	}
	for _, record := range order {
		c.keep(k, running[record])
	}
}

// startsAndEndsAlike says that one record's own later words end its clock.
func startsAndEndsAlike(k *ClockRule) bool {
	for _, e := range k.Ends {
		if e.Form != "" && len(k.Starts) > 0 && e.Form == k.Starts[0].Form && (e.Amended || e.Where != "") {
			return true
		}
	}
	return false
}

// approvalClocks run from a version's last change to the decision on it.
func (c *Case) approvalClocks(k *ClockRule) {
	for _, r := range c.Of(k.Starts[0].Form) {
		if r.Approval == nil {
			continue
		}
		n := c.newClock(k, r.Approval.AskedAt, r.ID, "")
		if r.Approval.State != "requested" {
			n.DoneAt = r.Approval.At
		}
		c.keep(k, &n)
	}
}

// rowClocks run for each row that has a date.
func (c *Case) rowClocks(k *ClockRule) {
	for _, r := range c.Of(k.dueForm) {
		type rowDue struct {
			row map[string]any
			due time.Time
		}
		var rows []rowDue
		for _, row := range rowsOf(r.Answers[k.dueRepeat]) {
			if due, ok := c.dueOn(k, row[k.dueField]); ok {
				rows = append(rows, rowDue{row, due})
			}
		}
		sort.SliceStable(rows, func(i, j int) bool { return rows[i].due.Before(rows[j].due) })
		for i, row := range rows {
			id, _ := row.row["_id"].(string)
			n := c.newClock(k, r.FirstAt, r.ID, id)
			n.DueAt = row.due
			c.times(k, &n)
			n.DoneAt = c.rowDone(k, r, i, row.due)
			c.keep(k, &n)
		}
	}
}

// rowDone finds when a row's date was dealt with: the n-th entry of another
// form for the n-th row, or a later word in the same record once the day has
// come.
func (c *Case) rowDone(k *ClockRule, r *Record, index int, due time.Time) time.Time {
	n := 0
	for i := range c.happen {
		h := &c.happen[i]
		if !h.matches(k.Ends) || h.at.Before(r.FirstAt) {
			continue
		}
		if h.form != r.Form {
			if n == index {
				return h.at
			}
			n++
			continue
		}
		if h.record == r.ID && h.at.After(due.Add(-24*time.Hour)) {
			return h.at
		}
	}
	return time.Time{}
}

// newClock starts a clock and computes its times.
func (c *Case) newClock(k *ClockRule, at time.Time, record, row string) Clock {
	n := Clock{ID: k.ID, Label: k.Label, Form: k.Form, StartedAt: at, AssignedTo: k.AssignedTo}
	if k.Per != "case" || k.DueOn != "" {
		n.Record, n.Row = record, row
	}
	if k.DueOn == "" {
		if spans := k.Due.at(c.riskFor(k, record)); len(spans) > 0 {
			n.DueAt = spans[0].dueAfter(at, c.zone())
		}
	} else if k.dueRepeat == "" {
		if r := c.Records[record]; r != nil {
			if due, ok := c.dueOn(k, r.Answers[k.dueField]); ok {
				n.DueAt = due
			}
		}
	}
	c.times(k, &n)
	return n
}

func (c *Case) riskFor(k *ClockRule, record string) string {
	if k.riskField != "" {
		if r := c.Records[record]; r != nil && r.Form == k.riskForm {
			if v, ok := r.Answers[k.riskField].(string); ok {
				return v
			}
		}
	}
	return c.Risk
}

// times computes reminder and escalation from the due time.
func (c *Case) times(k *ClockRule, n *Clock) {
	n.RemindAt, n.Escalation = time.Time{}, nil
	if n.DueAt.IsZero() {
		return
	}
	risk := c.riskFor(k, n.Record)
	for _, s := range k.Remind.at(risk) {
		if at := s.back(n.DueAt); n.RemindAt.IsZero() || at.Before(n.RemindAt) {
			n.RemindAt = at
		}
	}
	if spans := k.Escalate.at(risk); len(spans) > 0 && k.EscalateTo != "" {
		at := spans[0].shift(n.DueAt)
		n.Escalation = append(n.Escalation, Escalation{at, k.EscalateTo})
		for _, s := range k.Then {
			at = s.After.shift(n.DueAt)
			n.Escalation = append(n.Escalation, Escalation{at, s.To})
		}
	}
}

// dueOn reads a date answer: the end of that day where the case is, or the
// instant of a date-time, and the rule's grace.
func (c *Case) dueOn(k *ClockRule, v any) (time.Time, bool) {
	text, _ := v.(string)
	at, day, ok := parseWhen(text, c.zone())
	if !ok {
		return time.Time{}, false
	}
	if day {
		at = endOfDay(at.AddDate(0, 0, k.Grace.days), c.zone())
	}
	return at.Add(time.Duration(k.Grace.hours) * time.Hour), true
}

// parseWhen reads YYYY-MM-DD or RFC 3339.
func parseWhen(text string, zone *time.Location) (at time.Time, day, ok bool) {
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t, true, true
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), false, true
	}
	return time.Time{}, false, false
}

func (c *Case) zone() *time.Location { return c.rules.Zone(c.country3()) }

func (c *Case) country3() string {
	if c.Country == "" {
		c.country()
	}
	return strings.ToUpper(c.Country)
}

// keep notes a clock that has a due time and still concerns anybody.
func (c *Case) keep(k *ClockRule, at *Clock) {
	if at == nil || at.DueAt.IsZero() {
		return
	}
	if at.Open() && !c.alive(k, at.Record) {
		return
	}
	c.Clocks = append(c.Clocks, *at)
}
