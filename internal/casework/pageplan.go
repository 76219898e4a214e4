package casework

// The plan on a case's page: goals, services, clocks and tasks.

import (
	"sort"
	"time"

	"banyan/internal/journal"
	"banyan/internal/policy"
)

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
