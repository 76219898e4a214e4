package demo

// Filling a form the way a person would: what the story says comes first, what
// the form still asks for is answered plausibly, and the form's own rules have
// the last word.

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"banyan/internal/forms"
	"banyan/internal/screening"
)

// tries bounds how often an answer that a rule refuses is thought of anew. A
// hundred thousand cases are some three million forms, and none may fail: with
// twelve tries one did.
const tries = 60

// story is what the generator knows while it fills one form.
type story struct {
	at    time.Time
	user  string // real id of the writer
	org   string // real id
	known func(path string) any
}

// fill answers a form: said holds the answers that the story gives (nil leaves
// a field open, a function thinks of one when its turn comes), share is the share of optional fields that are answered, in
// percent.
func (m *Maker) fill(formID string, s story, said map[string]any, share int) (map[string]any, error) {
	form, ok := m.lib.Form(formID)
	if !ok {
		return nil, fmt.Errorf("there is no form %s", formID)
	}
	answers := map[string]any{}
	for _, f := range form.Fields {
		v, given := said[f.Name]
		switch {
		case given:
			if think, ok := v.(func(*forms.Field) any); ok {
				v = think(f)
			}
		case f.Path == form.ApprovalField || !f.Type.HoldsAnswer() || f.Type == forms.Auto || f.Type == forms.Calculate || f.Type == forms.Files:
			continue
		case f.Required || m.chance(share):
			v = m.answer(f, s)
		}
		if v != nil {
			answers[f.Name] = v
		}
	}
	env := forms.Env{Now: s.at, Lang: "en", Known: s.known, NewID: func() string { return m.rowID() }, Auto: m.auto}
	var problems []forms.Problem
	for range tries {
		var clean map[string]any
		if clean, problems = form.Check(answers, env); len(problems) == 0 {
			return m.screened(formID, clean), nil
		}
		for _, p := range problems {
			m.mend(form, answers, p, s)
		}
	}
	return nil, fmt.Errorf("%s: no answer found that its rules accept: %v", formID, problems)
}

// auto gives what the server fills in by itself.
func (m *Maker) auto(path string) any {
	if in := m.screen.InForce(); in != nil && path == screening.FieldVersion {
		return in.ID
	}
	return nil
}

// screened gives a screening the answers that go with its story, and computes
// the result as the server does. It has dice of its own, so that other entries
// of the same seed stay the same.
func (m *Maker) screened(formID string, clean map[string]any) map[string]any {
	if formID != screening.Form {
		return clean
	}
	if rows, ok := clean[screening.FieldAnswers].(map[string]any); ok {
		for _, code := range slices.Sorted(maps.Keys(rows)) {
			rows[code] = m.sign()
		}
	}
	if result, ok := m.screen.Result(clean); ok {
		clean[screening.FieldResult] = result.Answer()
	}
	return clean
}

// sign answers one indicator: some things are not known, and now and then a
// question is refused.
func (m *Maker) sign() any {
	switch n := m.signs.IntN(100); {
	case n < m.signsIn100:
		return screening.Yes
	case n < m.signsIn100+8:
		return screening.Open
	case n < m.signsIn100+11:
		return screening.Refused
	}
	return screening.No
}

// mend thinks anew of the top-level answer in which a problem lies.
func (m *Maker) mend(form *forms.Form, answers map[string]any, p forms.Problem, s story) {
	name, _, _ := strings.Cut(p.Path, ".")
	name, _, _ = strings.Cut(name, "[")
	f, ok := form.Field(name)
	if !ok {
		delete(answers, name)
		return
	}
	if !f.Required && f.RequiredWhen == nil && p.Code != forms.ProblemRequired && m.chance(50) {
		delete(answers, name)
		return
	}
	if v := m.answer(f, s); v != nil {
		answers[name] = v
	}
}

// answer makes up a plausible answer to one field.
func (m *Maker) answer(f *forms.Field, s story) any {
	switch f.Type {
	case forms.Text:
		return m.sentence(f.Name, true)
	case forms.LongText:
		return m.sentence(f.Name, false)
	case forms.Integer, forms.Decimal:
		return float64(1 + m.rng.IntN(5))
	case forms.Range:
		from := 12 + m.rng.IntN(4)
		return map[string]any{"from": float64(from), "to": float64(from + 2)}
	case forms.Date:
		return m.date(f.Name, s.at)
	case forms.DateTime:
		return s.at.Format(time.RFC3339)
	case forms.DateRange:
		return map[string]any{"from": s.at.AddDate(0, -7, 0).Format(time.DateOnly), "to": s.at.AddDate(0, -1, 0).Format(time.DateOnly)}
	case forms.Boolean:
		return m.chance(65)
	case forms.Acknowledge:
		return true
	case forms.SelectOne:
		return m.code(f.List)
	case forms.SelectMultiple:
		return m.codes(f.List)
	case forms.Location:
		return m.places.any(m.rng, "")
	case forms.Money:
		return map[string]any{"amount": strconv.Itoa(20 + 5*m.rng.IntN(60)), "currency": "USD"}
	case forms.Age:
		return map[string]any{"years": float64(10 + m.rng.IntN(8)), "observed_on": s.at.Format(time.DateOnly)}
	case forms.ListOf:
		return []any{m.sentence(f.Name, true)}
	case forms.Matrix:
		return m.matrix(f, s)
	case forms.Repeat:
		rows := make([]any, 1+m.rng.IntN(2))
		for i := range rows {
			rows[i] = m.row(f.Fields, s)
		}
		return rows
	case forms.Group:
		return m.row(f.Fields, s)
	case forms.RefOrg:
		return m.ids.Org(pick(m.rng, organisations).Key)
	case forms.RefUser:
		return s.user
	}
	return nil
}

func (m *Maker) row(fields []*forms.Field, s story) map[string]any {
	row := map[string]any{"_id": m.rowID()}
	for _, f := range fields {
		if f.Required || m.chance(60) {
			if v := m.answer(f, s); v != nil {
				row[f.Name] = v
			}
		}
	}
	return row
}

func (m *Maker) matrix(f *forms.Field, s story) any {
	out := map[string]any{}
	for _, c := range f.Rows.Codes {
		if len(f.Fields) == 0 {
			out[c.Code] = m.code(f.List)
			continue
		}
		cells := m.row(f.Fields, s)
		delete(cells, "_id")
		out[c.Code] = cells
	}
	return out
}

func (m *Maker) rowID() string { return fmt.Sprintf("r%010x", m.rng.Uint64()&0xffffffffff) }

// kin are the relatives that an invented child may have.
var kin = []string{"mother", "mother", "father", "grandmother", "grandfather", "aunt", "uncle", "brother", "sister"}

func (m *Maker) code(l *forms.List) any {
	if l == nil || len(l.Codes) == 0 {
		return nil
	}
	if l.ID == "family_relationship" {
		return pick(m.rng, kin)
	}
	return pick(m.rng, l.Codes).Code
}

func (m *Maker) codes(l *forms.List) any {
	if l == nil || len(l.Codes) == 0 {
		return nil
	}
	want := 1 + m.rng.IntN(min(3, len(l.Codes)))
	chosen := map[int]bool{}
	for len(chosen) < want {
		chosen[m.rng.IntN(len(l.Codes))] = true
	}
	var out []any
	for i, c := range l.Codes {
		if chosen[i] {
			out = append(out, c.Code)
		}
	}
	return out
}

// date puts plans and reviews into the future of the entry, everything else
// into its recent past.
func (m *Maker) date(name string, at time.Time) string {
	for _, ahead := range []string{"review", "due", "by_when", "next", "until", "retention"} {
		if strings.Contains(name, ahead) {
			days := 14 + m.rng.IntN(60)
			if strings.Contains(name, "retention") {
				days = 365 * 7
			}
			return at.AddDate(0, 0, days).Format(time.DateOnly)
		}
	}
	return at.AddDate(0, 0, -m.rng.IntN(5)).Format(time.DateOnly)
}

// sentence gives a text for a field by its name.
func (m *Maker) sentence(name string, short bool) string {
	if texts, ok := sentences[name]; ok {
		return pick(m.rng, texts)
	}
	if short {
		return pick(m.rng, sentences["short"])
	}
	return pick(m.rng, sentences["long"])
}
