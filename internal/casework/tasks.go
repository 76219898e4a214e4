package casework

// What is to be done: open clocks, disputes to settle, approvals to decide,
// goals with a date, referrals that wait. Each task opens the one place where
// it is done.

import (
	"sort"
	"time"

	"banyan/internal/forms"
)

// Task is one thing to do in a case.
type Task struct {
	Key        string // the same for the same thing
	Kind       string // clock | dispute | approval | look | returned | goal | assign
	Clock      string
	Label      string
	Form       string
	Record     string
	Row        string
	For        string // worker | supervisor | programme_manager | …
	Since      time.Time
	DueAt      time.Time // zero: no date
	RemindAt   time.Time
	Escalation []Escalation
	Note       string // story tier
}

// Tasks lists what is open.
func (c *Case) Tasks() []Task {
	var out []Task
	decided := map[string]bool{}
	for _, k := range c.Clocks {
		if !k.Open() {
			continue
		}
		t := Task{Key: k.ID + "|" + k.Record + "|" + k.Row, Kind: "clock", Clock: k.ID, Label: k.Label, Form: k.Form, Record: k.Record, Row: k.Row,
			For: k.AssignedTo, Since: k.StartedAt, DueAt: k.DueAt, RemindAt: k.RemindAt, Escalation: k.Escalation}
		if rule, ok := c.rules.ClockByID(k.ID); ok && rule.endsOnApprove {
			t.Kind = "approval"
			decided[k.Record] = true
		} else if ok && rule.endsOnLook {
			t.Kind = "look"
		}
		if k.ID == "next_action" {
			t.Note, _ = c.Records[k.Record].Answers["next"].(string)
		}
		if t.For == "" {
			t.For = "worker"
		}
		out = append(out, t)
	}
	c.putStepsFirst(out)
	for _, a := range c.rules.Approvals {
		for _, r := range c.Of(a.Form) {
			if r.Approval.State == "pending" && !decided[r.ID] && c.State() != "closed" {
				out = append(out, Task{Key: "approval|" + r.ID, Kind: "approval", Label: approvalAsked(a.Label), Form: a.Form, Record: r.ID, For: "supervisor", Since: r.Approval.AskedAt})
			}
			if r.Approval.State == "returned" && c.State() != "closed" && c.Newest(a.Form) == r {
				out = append(out, Task{Key: "returned|" + r.ID, Kind: "returned", Label: approvalReturned(a.Label), Form: a.Form, Record: r.ID,
					For: "worker", Since: r.Approval.At, Note: r.Approval.Remark})
			}
		}
	}
	for _, d := range c.AllDisputes() {
		out = append(out, Task{Key: "dispute|" + d.Record + "|" + d.Path + "|" + string(d.Tier), Kind: "dispute", Label: "Two people answered one question differently: settle it",
			Form: d.Form, Record: d.Record, Row: d.Path, For: "worker", Since: d.Since})
	}
	out = append(out, c.goalTasks()...)
	if c.Assigned.Worker == "" && c.State() != "closed" {
		out = append(out, Task{Key: "assign", Kind: "assign", Label: "Assign a worker", For: "supervisor", Since: c.Opened})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// putStepsFirst lets a clock ask for what comes before its own form, on the
// same date, unless another clock of the worker asks for that already.
func (c *Case) putStepsFirst(tasks []Task) {
	asked := map[string]bool{}
	for _, t := range tasks {
		asked[t.Form] = asked[t.Form] || t.For == "worker" && c.Newest(t.Form) == nil
	}
	for i := range tasks {
		t := &tasks[i]
		if t.For != "worker" || t.Record != "" {
			continue
		}
		if first, ok := c.stepBefore(t.Form); ok && !asked[first.Form] {
			t.Label, t.Form = first.Text, first.Form
		}
	}
}

// stepBefore finds what the state machine wants before a form would be taken:
// on the way of automatic moves from here to the move that begins with the
// form, the first need that is not met. Registration waits for consent, a plan
// for the approval of a high risk: whatever a clock asks for, this comes first.
func (c *Case) stepBefore(form string) (Missing, bool) {
	var first *Missing
	for state := c.State(); ; {
		m := c.rules.automaticFrom(state)
		if m == nil || len(m.Needs) == 0 {
			return Missing{}, false // no move on this way asks for the form
		}
		if m.Needs[0].Form == form {
			break
		}
		if missing := c.missing(m); first == nil && len(missing) > 0 {
			first = &missing[0]
		}
		state = m.To
	}
	if first == nil || first.Form == "" {
		return Missing{}, false
	}
	return *first, true
}

// goalTasks are the goals of the newest plan that are not met.
func (c *Case) goalTasks() []Task {
	r := c.Newest(formPlan)
	if r == nil || c.State() == "closed" {
		return nil
	}
	var out []Task
	for _, row := range rowsOf(r.Answers["goals"]) {
		day, _ := row["by_when"].(string)
		at, _, ok := parseWhen(day, c.zone())
		if !ok || row["progress"] == "met" || row["progress"] == "n_a" {
			continue
		}
		id, _ := row["_id"].(string)
		note, _ := row["action"].(string)
		due := endOfDay(at, c.zone())
		out = append(out, Task{Key: "goal|" + r.ID + "|" + id, Kind: "goal", Label: "A goal of the plan is due", Form: formPlan, Record: r.ID, Row: id,
			For: "worker", Since: r.FirstAt, DueAt: due, RemindAt: due.AddDate(0, 0, -7),
			Escalation: []Escalation{{due.AddDate(0, 0, 14), "supervisor"}}, Note: note})
	}
	return out
}

// AllDisputes lists every question with more than one answer, in a fixed order.
func (c *Case) AllDisputes() []Dispute {
	var out []Dispute
	for _, r := range c.Records {
		if !r.Struck {
			out = append(out, r.Disputes...)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.Record != b.Record {
			return a.Record < b.Record
		}
		return a.Path < b.Path || a.Path == b.Path && a.Tier < b.Tier
	})
	return out
}

// Next is what to do now: the most urgent task of the worker, or the first
// thing that the next move needs.
func (c *Case) Next() (Task, bool) {
	var best *Task
	tasks := c.Tasks()
	for i := range tasks {
		t := &tasks[i]
		if t.For != "worker" || t.DueAt.IsZero() {
			continue
		}
		if best == nil || t.DueAt.Before(best.DueAt) {
			best = t
		}
	}
	if best != nil {
		return *best, true
	}
	for _, m := range c.Moves() {
		if m.Rule.Automatic && len(m.Missing) > 0 {
			return Task{Kind: "move", Label: m.Missing[0].Text, Form: m.Missing[0].Form, For: "worker"}, true
		}
	}
	return Task{}, false
}

// MissingFields lists the paths of a record that still need an answer.
func (c *Case) MissingFields(r *Record, now time.Time) []string {
	form, ok := c.rules.Forms.Form(r.Form)
	if !ok || r.Struck {
		return nil
	}
	return form.Missing(r.Answers, forms.Env{Now: now.In(c.zone()), Known: c.Known})
}

// riskRank orders by risk: high first.
func riskRank(level string) int {
	switch level {
	case "high":
		return 0
	case "medium":
		return 1
	case "low":
		return 2
	}
	return 3
}
