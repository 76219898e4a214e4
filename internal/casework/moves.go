package casework

// The status of a case: which moves are open, and what the others still need.

import (
	"slices"
	"time"

	"banyan/internal/forms"
)

// Step is one state as the case page shows it.
type Step struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	State string `json:"state"` // done | now | todo
}

// MoveNow is one move from the present state.
type MoveNow struct {
	Rule    *MoveRule
	Missing []Missing
}

// Missing is one thing that keeps a move from being made.
type Missing struct {
	Form string
	Text string
}

// automaticFrom gives the move that a case makes by itself from a state.
func (r *Rules) automaticFrom(state string) *MoveRule {
	for _, m := range r.Moves {
		if m.Automatic && slices.Contains(m.From, state) {
			return m
		}
	}
	return nil
}

// Steps lists all states with where the case is.
func (c *Case) Steps() []Step {
	now := c.rules.stateIndex(c.State())
	out := make([]Step, len(c.rules.States))
	for i, s := range c.rules.States {
		out[i] = Step{s.ID, s.Label, "todo"}
		switch {
		case i < now:
			out[i].State = "done"
		case i == now:
			out[i].State = "now"
		}
	}
	return out
}

// Moves lists the moves from the present state with what each still needs.
func (c *Case) Moves() []MoveNow {
	var out []MoveNow
	for _, m := range c.rules.Moves {
		if slices.Contains(m.From, c.State()) {
			out = append(out, MoveNow{m, c.missing(m)})
		}
	}
	return out
}

// MissingFor says what a move needs; a move that does not exist from here is
// nil, false.
func (c *Case) MissingFor(to string) (*MoveRule, []Missing, bool) {
	for _, m := range c.rules.Moves {
		if (m.To == to || m.ID == to) && slices.Contains(m.From, c.State()) {
			return m, c.missing(m), true
		}
	}
	return nil, nil, false
}

// missing gives one sentence a form: the first thing to do about it.
func (c *Case) missing(m *MoveRule) []Missing {
	var out []Missing
	seen := map[string]bool{}
	for i := range m.Needs {
		n := &m.Needs[i]
		if n.Form != "" && seen[n.Form] && n.NoOpen == "" {
			continue
		}
		if ok, _ := c.meets(m, n, i); !ok {
			form := n.Form
			if form == "" && len(n.AnyForm) > 0 {
				form = n.AnyForm[0]
			}
			if !slices.ContainsFunc(out, func(x Missing) bool { return x.Text == n.Missing }) {
				out = append(out, Missing{form, n.Missing})
			}
			seen[n.Form] = true
		}
	}
	return out
}

// looped is when the case last came back to an earlier state: what moves it
// on from there must be newer.
func (c *Case) looped() time.Time {
	for i := len(c.States) - 1; i > 0; i-- {
		if c.States[i].Move != "" && c.rules.stateIndex(c.States[i].State) < c.rules.stateIndex(c.States[i-1].State) {
			return c.States[i].At
		}
	}
	return time.Time{}
}

// meets says whether a need is met, and since when.
func (c *Case) meets(m *MoveRule, n *NeedRule, index int) (bool, time.Time) {
	if n.When != nil && !c.holds(n.When) || n.Unless != nil && c.holds(n.Unless) {
		return true, time.Time{}
	}
	switch {
	case n.NoOpen != "":
		return !c.anyOpen(n.NoOpen), time.Time{}
	case len(n.AnyForm) > 0:
		var first time.Time
		for _, form := range n.AnyForm {
			for _, r := range c.Of(form) {
				if first.IsZero() || r.FirstAt.Before(first) {
					first = r.FirstAt
				}
			}
		}
		return !first.IsZero(), first
	}
	r := c.Newest(n.Form)
	if r == nil {
		return false, time.Time{}
	}
	if n.New && !r.LastAt.After(c.Since()) {
		return false, time.Time{}
	}
	if m.Automatic && index == 0 && !r.LastAt.After(c.looped()) {
		return false, time.Time{}
	}
	if n.where != nil && !n.where.Holds(r.Answers, forms.Env{Known: c.Known}) {
		return false, time.Time{}
	}
	if n.Approved {
		if !r.Approved() {
			return false, time.Time{}
		}
		return true, r.Approval.At
	}
	return true, r.FirstAt
}

func (c *Case) holds(e *EventRule) bool {
	r := c.Newest(e.Form)
	if r == nil {
		return false
	}
	return e.where == nil || e.where.Holds(r.Answers, forms.Env{Known: c.Known})
}

// anyOpen says whether something of the kind waits.
func (c *Case) anyOpen(kind string) bool {
	switch kind {
	case "referral":
		return slices.ContainsFunc(c.Of(formReferral), referralWaits)
	case "dispute":
		for _, r := range c.Records {
			if !r.Struck && len(r.Disputes) > 0 {
				return true
			}
		}
	case "legal":
		return slices.ContainsFunc(c.Of(formLegal), legalOpen)
	}
	return false
}

func referralWaits(r *Record) bool {
	switch r.Answers["status"] {
	case "sent", "received", "accepted", "in_progress":
		return true
	}
	return false
}

// legalOpen says whether a legal matter goes on: it does until its newest
// stage is final, withdrawn or archived.
func legalOpen(r *Record) bool {
	newest, last := "", ""
	for _, row := range rowsOf(r.Answers["stages"]) {
		date, _ := row["date"].(string)
		stage, _ := row["stage"].(string)
		if date >= newest {
			newest, last = date, stage
		}
	}
	switch last {
	case "s15_final", "s18_comp_paid", "s19_withdrawn", "s20_archived":
		return false
	}
	return true
}

func rowsOf(v any) []map[string]any {
	list, _ := v.([]any)
	var out []map[string]any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// settleMoves makes the automatic moves whose needs are met, as far as they
// lead.
func (c *Case) settleMoves(at time.Time, by string) {
	for range c.rules.States {
		moved := false
		for _, m := range c.rules.Moves {
			if !m.Automatic || !slices.Contains(m.From, c.State()) {
				continue
			}
			all := true
			for i := range m.Needs {
				ok, _ := c.meets(m, &m.Needs[i], i)
				all = all && ok
			}
			if all {
				c.enter(StateAt{State: m.To, Move: "", By: by, At: at})
				moved = true
				break
			}
		}
		if !moved {
			return
		}
	}
}
