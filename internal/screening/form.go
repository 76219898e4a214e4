package screening

// The screening form's fields, and its answers as the arithmetic needs them.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Form is the screening form.
const Form = "F02_screening"

// Its fields that matter here.
const (
	FieldVersion   = "instrument_version"
	FieldMode      = "mode"
	FieldProfile   = "profile"
	FieldAdult     = "adult_certain"
	FieldAnswers   = "answers"
	FieldBrief     = "brief"
	FieldAct       = "act"
	FieldResult    = "result_auto"
	FieldJudgement = "worker_judgement"
	FieldStage     = "identification_stage"
)

// Computed says whether a field is this room's to fill, never a person's.
func Computed(field string) bool { return field == FieldResult || field == FieldVersion }

// FromAnswers takes an input from the form's answers. What is not an answer
// of the right kind is left out.
func FromAnswers(answers map[string]any) Input {
	q := Input{Act: []string{}}
	q.Profile, _ = answers[FieldProfile].(string)
	if certain, ok := answers[FieldAdult].(bool); ok {
		q.AdultCertain = &certain
	}
	q.Answers, q.Brief = rowsOf(answers[FieldAnswers]), rowsOf(answers[FieldBrief])
	acts, _ := answers[FieldAct].([]any)
	for _, v := range acts {
		if act, ok := v.(string); ok {
			q.Act = append(q.Act, act)
		}
	}
	q.ObservedOnly = answers[FieldMode] == "observation"
	return q
}

func rowsOf(v any) map[string]string {
	out := map[string]string{}
	rows, _ := v.(map[string]any)
	for code, v := range rows {
		if answer, ok := v.(string); ok {
			out[code] = answer
		}
	}
	return out
}

// Answer is the result as an answer of the form: what JSON gives for it. It is
// written by hand, since every opening of a case with a screening makes one; a
// test holds it to the JSON.
func (r Result) Answer() map[string]any {
	out := map[string]any{"instrument": r.Instrument, "profile": r.Profile, "child": r.Child, "class": r.Class, "rule": r.Rule, "scored": r.Scored}
	if r.Status != "" {
		out["status"] = r.Status
	}
	putTexts(out, "act", r.Act)
	putTexts(out, "notes", r.Notes)
	putTexts(out, "disputed", r.Disputed)
	putTexts(out, "outside", r.Outside)
	if len(r.Dimensions) > 0 {
		list := make([]any, len(r.Dimensions))
		for i, d := range r.Dimensions {
			list[i] = d.answer()
		}
		out["dimensions"] = list
	}
	if r.Asked != nil {
		out["asked"] = r.Asked.answer()
	}
	if r.Brief != nil {
		brief := map[string]any{"asked": r.Brief.Asked.answer()}
		putTexts(brief, "signs", r.Brief.Signs)
		out["brief"] = brief
	}
	return out
}

func (d DimensionResult) answer() map[string]any {
	out := map[string]any{"id": d.ID, "positive": d.Positive, "strong": float64(d.Strong), "medium": float64(d.Medium), "weak": float64(d.Weak)}
	if len(d.Signs) > 0 {
		signs := make([]any, len(d.Signs))
		for i, s := range d.Signs {
			signs[i] = map[string]any{"code": s.Code, "weight": string(s.Weight)}
		}
		out["signs"] = signs
	}
	return out
}

func (a Asked) answer() map[string]any {
	return map[string]any{"of": float64(a.Of), "yes": float64(a.Yes), "no": float64(a.No), "unknown": float64(a.Unknown),
		"refused": float64(a.Refused), "not_asked": float64(a.NotAsked), "open_percent": float64(a.OpenPercent)}
}

func putTexts(out map[string]any, key string, texts []string) {
	if len(texts) == 0 {
		return
	}
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	out[key] = list
}

// FromAnswer reads a result back; ok is false when there is none.
func FromAnswer(v any) (r Result, ok bool) {
	if _, isMap := v.(map[string]any); !isMap {
		return r, false
	}
	data, err := json.Marshal(v)
	if err != nil || json.Unmarshal(data, &r) != nil {
		return r, false
	}
	return r, r.Class != ""
}

// Result evaluates answers of the form, with the instrument that they name or
// else the one in force. ok is false where there is no instrument.
func (s *Set) Result(answers map[string]any, disputed ...string) (r Result, ok bool) {
	version, _ := answers[FieldVersion].(string)
	in := s.For(version)
	if in == nil {
		return r, false
	}
	q := FromAnswers(answers)
	q.Disputed = disputed
	return in.Evaluate(q), true
}

// protects orders the answers to one question, the one that protects most
// first. Not known stands before no, since it can never rule anything out.
var protects = map[string][]any{
	FieldAnswers: {Yes, Open, Refused, nil, No},
	FieldProfile: {"sexual_exploitation", "child_labour", "adult_labour"},
	FieldAdult:   {false, nil, true},
}

// reversed is the same for a brief question to which "no" is the sign.
var reversed = []any{No, Open, Refused, nil, Yes}

// Protective chooses among answers that people gave to one question without
// knowing of each other. Acts are put together. row is the question of a
// matrix.
func (in *Instrument) Protective(field, row string, versions []any) any {
	if field == FieldAct {
		return allActs(versions)
	}
	order := protects[field]
	if field == FieldBrief {
		order = protects[FieldAnswers]
		if slices.Contains(in.Brief.Reversed, row) {
			order = reversed
		}
	}
	for _, best := range order {
		for _, v := range versions {
			if v == best {
				return v
			}
		}
	}
	return versions[len(versions)-1]
}

func allActs(versions []any) any {
	acts := []any{}
	for _, v := range versions {
		list, _ := v.([]any)
		for _, act := range list {
			if !slices.Contains(acts, act) {
				acts = append(acts, act)
			}
		}
	}
	slices.SortFunc(acts, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return acts
}

// RulesOut says whether a class is one that the worker may agree with and
// still write down "no indication".
func (in *Instrument) RulesOut(class string) bool { return slices.Contains(in.Unknown.From, class) }
