package casework

// The head of a case's page: who it is, how things stand, the next step.

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/policy"
)

// Header is who it is, and how things stand.
type Header struct {
	Name           string     `json:"name"`
	Names          []Name     `json:"names"`
	Sex            string     `json:"sex"`
	Age            *Age       `json:"age,omitempty"`
	Risk           RiskItem   `json:"risk"`
	Status         string     `json:"status"`
	StatusLabel    string     `json:"status_label"`
	Since          time.Time  `json:"since"`
	Victim         VictimItem `json:"victim"`
	UnsafeGuardian bool       `json:"unsafe_guardian"`
	Wish           *WishItem  `json:"wish,omitempty"`
}

// RiskItem is the level now and since when.
type RiskItem struct {
	Level  string     `json:"level"`
	Since  *time.Time `json:"since,omitempty"`
	Reason string     `json:"reason,omitempty"`
}

// VictimItem is the presumption beside the State's decision.
type VictimItem struct {
	Presumed      bool       `json:"presumed"`
	Presumption   string     `json:"presumption,omitempty"`
	Stage         string     `json:"stage,omitempty"`
	Since         *time.Time `json:"since,omitempty"`
	StateDecision string     `json:"state_decision,omitempty"`
	DecidedBy     string     `json:"decided_by,omitempty"`
	DecidedOn     string     `json:"decided_on,omitempty"`
	Days          int        `json:"days"` // since the presumption, while the State has not decided
}

// WishItem is what the person wants, in the own words.
type WishItem struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// NextStep is what to do now.
type NextStep struct {
	Title     string        `json:"title"`
	Form      string        `json:"form,omitempty"`
	Record    string        `json:"record,omitempty"`
	Missing   []MissingItem `json:"missing"`
	DueAt     *time.Time    `json:"due_at,omitempty"`
	Escalated bool          `json:"escalated"`
}

// MissingItem is a question that still needs an answer.
type MissingItem struct {
	Path  string `json:"path"`
	Label string `json:"label"`
}

// PageMove is a move from here.
type PageMove struct {
	ID        string   `json:"id"`
	To        string   `json:"to"`
	Label     string   `json:"label"`
	Allowed   bool     `json:"allowed"`
	Automatic bool     `json:"automatic"`
	Reason    bool     `json:"reason"`
	Missing   []string `json:"missing"`
}

func (v *view) steps() []Step {
	out := v.c.Steps()
	for i := range out {
		out[i].Label = v.say(out[i].Label)
	}
	return out
}

func (v *view) header() Header {
	c := v.c
	state, _ := c.rules.State(c.State())
	h := Header{Names: []Name{}, Sex: c.Sex(), Status: c.State(), StatusLabel: v.say(state.Label), Since: c.Since()}
	if v.sees(journal.Identity) {
		h.Names = append(h.Names, c.Names()...)
		if len(h.Names) > 0 {
			h.Name = h.Names[0].Text
		}
	}
	if age := c.AgeAt(v.now); age.Known || age.Basis != "" {
		h.Age = &age
	}
	h.Risk = RiskItem{Level: c.Risk, Since: ptr(c.RiskSince)}
	if v.sees(journal.Story) {
		h.Risk.Reason = c.RiskReason
	}
	vic := c.VictimNow()
	h.Victim = VictimItem{Presumed: vic.Presumed, Presumption: vic.Presumption, Stage: vic.Stage, Since: ptr(vic.Since),
		StateDecision: vic.StateDecision, DecidedBy: vic.DecidedBy, DecidedOn: vic.DecidedOn}
	if vic.Presumed && vic.StateDecision == "" {
		h.Victim.Days = int(v.now.Sub(vic.Since).Hours() / 24)
	}
	if text, at := c.Wish(); text != "" {
		h.Wish = &WishItem{text, at}
	}
	return h
}

func ptr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (v *view) moves() []PageMove {
	out := []PageMove{}
	may := v.s.decide(v.r, policy.Move, v.st, "", false).Allowed
	for _, m := range v.c.Moves() {
		p := PageMove{ID: m.Rule.ID, To: m.Rule.To, Label: v.say(m.Rule.Label), Automatic: m.Rule.Automatic, Reason: m.Rule.Reason, Missing: []string{}}
		for _, x := range m.Missing {
			p.Missing = append(p.Missing, v.say(x.Text))
		}
		p.Allowed = may && len(m.Missing) == 0 && slices.ContainsFunc(m.Rule.By, v.r.has)
		out = append(out, p)
	}
	return out
}

func (v *view) next() *NextStep {
	t, ok := v.c.Next()
	if !ok {
		return nil
	}
	n := &NextStep{Title: v.say(t.Label), Form: t.Form, Record: t.Record, Missing: []MissingItem{}, DueAt: ptr(t.DueAt)}
	if len(t.Escalation) > 0 {
		n.Escalated = !t.Escalation[0].At.After(v.now)
	}
	rec := v.c.Records[t.Record]
	if rec == nil || rec.Form != t.Form {
		rec = v.c.Newest(t.Form)
	}
	if rec != nil && rec.Form == t.Form {
		form, _ := v.c.rules.Forms.Form(t.Form)
		n.Record = rec.ID
		for _, path := range v.c.MissingFields(rec, v.now) {
			n.Missing = append(n.Missing, MissingItem{path, labelOf(form, path, v.r.Lang)})
			if len(n.Missing) == 10 {
				break
			}
		}
	}
	return n
}

// labelOf names a question by its path, rows left out.
func labelOf(form *forms.Form, path, lang string) string {
	for p := withoutRows(path); p != ""; {
		if f, ok := form.Field(p); ok {
			return f.Label(lang)
		}
		i := strings.LastIndexByte(p, '.')
		if i < 0 {
			break
		}
		p = p[:i]
	}
	return path
}

// rowOf is a row's id in a path.
var rowOf = regexp.MustCompile(`\[[^\]]*\]`)

// withoutRows gives the path of a question: ids of rows left out.
func withoutRows(path string) string { return rowOf.ReplaceAllString(path, "") }
