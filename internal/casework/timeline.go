package casework

// The timeline of a case: each entry in a few words.

import (
	"fmt"
	"strings"
	"time"

	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/screening"
)

// Line is one answer in words.
type Line struct {
	Label string `json:"label"`
	Text  string `json:"text"`
	Tier  string `json:"tier"`
	// Words says that these are words somebody wrote, not a choice or a result.
	Words bool `json:"words,omitempty"`
}

// TimelineItem is one entry.
type TimelineItem struct {
	Entry      string    `json:"entry"`
	Record     string    `json:"record"`
	Form       string    `json:"form"`
	Title      string    `json:"title"`
	Act        string    `json:"act"`
	At         time.Time `json:"at"`
	RecordedAt time.Time `json:"recorded_at"`
	Author     string    `json:"author"`
	AuthorID   string    `json:"author_id"`
	DeviceLate bool      `json:"device_late"`
	Summary    []Line    `json:"summary"`
	Badges     []string  `json:"badges"`
	Disputes   int       `json:"disputes"`
	Pending    bool      `json:"pending"`
}

func (v *view) timeline() []TimelineItem {
	out := []TimelineItem{}
	for i := len(v.c.entries) - 1; i >= 0; i-- {
		out = append(out, v.timelineItem(v.c.entries[i]))
	}
	return out
}

// actTitles name the system's acts.
var actTitles = map[string]string{
	actOpen: "Case opened", actAssign: "Assigned", actMove: "Status changed", actApprove: "Decision", actExclude: "Exclusion",
	actBreakGlass: "Opened in an emergency", actFile: "File added", actToldAgain: "Had to tell it again", actAcknowledge: "Seen by the supervisor", actLink: "Compared with another case",
}

func (v *view) timelineItem(o journal.Opened) TimelineItem {
	t := TimelineItem{Entry: o.ID, Record: o.Record, Form: o.Form, Act: string(o.Act), At: o.WrittenAt, RecordedAt: o.RecordedAt,
		Author: v.s.nameOf(v.ctx, o.Author), AuthorID: o.Author, DeviceLate: o.RecordedAt.Sub(o.WrittenAt) > time.Hour, Summary: []Line{}, Badges: []string{}}
	form, ok := v.c.rules.Forms.Form(o.Form)
	if !ok {
		t.Title = v.say(actTitles[o.Form])
		t.Summary = v.actSummary(o)
		return t
	}
	t.Title = form.Title(v.r.Lang)
	t.Summary = v.summary(form, o)
	rec := v.c.Records[o.Record]
	if rec == nil {
		return t
	}
	t.Disputes = len(rec.Disputes)
	if rec.Struck {
		t.Badges = append(t.Badges, "struck")
	}
	if o.Act == journal.Amend {
		t.Badges = append(t.Badges, "amended")
		if o.WrittenAt.Sub(rec.FirstAt) > lateAfter {
			t.Badges = append(t.Badges, "amended_late")
		}
	}
	if a := rec.Approval; a != nil && a.Entry == o.ID {
		t.Badges = append(t.Badges, a.State)
		t.Pending = a.State == "pending"
	}
	return t
}

func (v *view) actSummary(o journal.Opened) []Line {
	out := []Line{}
	coded := o.Answers[journal.Coded]
	text := func(name string) string { s, _ := coded[name].(string); return s }
	add := func(label, value string, tier journal.Tier) {
		if value != "" {
			out = append(out, Line{Label: v.say(label), Text: value, Tier: string(tier)})
		}
	}
	switch o.Form {
	case actMove:
		state, _ := v.c.rules.State(text("to"))
		add("Status", v.say(state.Label), journal.Coded)
	case actAssign:
		add("Worker", v.s.nameOf(v.ctx, text("worker")), journal.Coded)
		add("Supervisor", v.s.nameOf(v.ctx, text("supervisor")), journal.Coded)
		add("Lawyer", v.s.nameOf(v.ctx, text("lawyer")), journal.Coded)
	case actApprove:
		if rec := v.c.Records[text("record")]; rec != nil {
			if form, ok := v.c.rules.Forms.Form(rec.Form); ok {
				add("Form", form.Title(v.r.Lang), journal.Coded)
			}
		}
		add("Decision", v.say(noticeTitles[text("decision")]), journal.Coded)
	case actExclude, actBreakGlass:
		add("Person", v.s.nameOf(v.ctx, text("user")), journal.Coded)
	case actFile:
		name, _ := o.Answers[journal.Identity]["name"].(string)
		add("File", name, journal.Identity)
	}
	for _, name := range []string{"reason", "remark"} {
		s, _ := o.Answers[journal.Story][name].(string)
		add(strings.ToUpper(name[:1])+name[1:], s, journal.Story)
	}
	return out
}

// summary says an entry in at most five lines.
func (v *view) summary(form *forms.Form, o journal.Opened) []Line {
	out := []Line{}
	if o.Act == journal.Strike {
		if s, ok := o.Answers[journal.Story]["reason"].(string); ok {
			out = append(out, Line{Label: v.say("Reason"), Text: s, Tier: string(journal.Story), Words: true})
		}
		return out
	}
	if result, ok := o.Answers[journal.Story][screening.FieldResult]; ok && form.ID == formScreening {
		if text := v.c.rules.resultText(result, v.r.Lang); text != "" {
			out = append(out, Line{Label: v.say("Result"), Text: text, Tier: string(journal.Story)})
		}
	}
	for _, f := range form.Fields {
		value, ok := o.Answers[journal.Tier(f.Tier)][f.Name]
		if !ok || len(out) == 5 || f.Type == forms.Auto {
			continue
		}
		if text := v.c.rules.textOf(f, value, v.r.Lang); text != "" {
			out = append(out, Line{Label: f.Label(v.r.Lang), Text: text, Tier: string(f.Tier), Words: f.Type == forms.Text || f.Type == forms.LongText})
		}
	}
	if s, ok := o.Answers[journal.Story]["_reason"].(string); ok {
		out = append(out, Line{Label: v.say("Reason"), Text: s, Tier: string(journal.Story), Words: true})
	}
	return out
}

const longestLine = 280

// textOf says an answer in words; composite answers that do not fit a line
// give "".
func (r *Rules) textOf(f *forms.Field, value any, lang string) string {
	label := func(code string) string {
		if f.List != nil {
			if c := f.List.Code(code); c != nil {
				return c.Label(lang)
			}
		}
		return code
	}
	switch x := value.(type) {
	case nil:
		return "—"
	case string:
		if f.Type == forms.SelectOne {
			return label(x)
		}
		if f.Type.RefKind() != "" {
			return ""
		}
		if r := []rune(x); len(r) > longestLine {
			return string(r[:longestLine]) + "…"
		}
		return x
	case bool:
		if x {
			return r.say("yes", lang)
		}
		return r.say("no", lang)
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%.2f", x), ".00")
	case []any:
		var parts []string
		for _, e := range x {
			s, ok := e.(string)
			if !ok {
				return ""
			}
			parts = append(parts, label(s))
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		if f.Type == forms.Age {
			if y, ok := x["years"].(float64); ok {
				return fmt.Sprintf("%.0f", y)
			}
			if d, ok := x["dob"].(string); ok {
				return d
			}
		}
		if f.Type == forms.Money {
			return fmt.Sprint(x["amount"], " ", x["currency"])
		}
		if f.Type == forms.Location {
			return r.placeText(x, lang)
		}
	}
	return ""
}
