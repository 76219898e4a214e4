package casework

// Screening within a case: the result is the server's own, computed when a
// screening is written and again whenever its record is read, because two
// people may have changed different answers without knowing of each other.
// What each of them was shown stays in the entries.

import (
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"banyan/internal/journal"
	"banyan/internal/screening"
)

// loadInstruments reads the instruments and holds them against the form.
func (r *Rules) loadInstruments(fsys fs.FS) (faults []error) {
	set, found := screening.Load(fsys)
	r.Instruments = set
	for _, f := range append(found, r.checkInstruments()...) {
		faults = append(faults, f)
	}
	return faults
}

func (r *Rules) checkInstruments() []screening.Fault {
	codes := func(list string) (out []string) {
		if l, ok := r.Forms.List(list); ok {
			for _, c := range l.Codes {
				out = append(out, c.Code)
			}
		}
		return out
	}
	var profiles []string
	if form, ok := r.Forms.Form(formScreening); ok {
		if f, ok := form.Field(screening.FieldProfile); ok && f.List != nil {
			for _, c := range f.List.Codes {
				profiles = append(profiles, c.Code)
			}
		}
	}
	return r.Instruments.Check(codes, profiles)
}

// screen puts the result into a screening's record. Where two answers to one
// question stand, the one that protects more counts, and the result says so;
// the result itself is never in dispute.
func (r *Rules) screen(rec *Record) {
	if rec.Form != formScreening {
		return
	}
	rec.Disputes = slices.DeleteFunc(rec.Disputes, func(d Dispute) bool { return screening.Computed(d.Field) })
	if rec.Answers[screening.FieldProfile] == nil || rec.Answers[screening.FieldResult] == nil && rec.Answers[screening.FieldAnswers] == nil && rec.Answers[screening.FieldBrief] == nil {
		return // the story is closed to this reader, or nothing was asked
	}
	answers := map[string]any{}
	for name, v := range rec.Answers {
		answers[name] = v
	}
	var disputed []string
	version, _ := answers[screening.FieldVersion].(string)
	in := r.Instruments.For(version)
	if in == nil {
		return
	}
	for _, d := range rec.Disputes {
		if settled := mostProtective(in, answers, d); settled {
			disputed = append(disputed, d.Path)
		}
	}
	if result, ok := r.Instruments.Result(answers, disputed...); ok {
		rec.Answers[screening.FieldResult] = result.Answer()
	}
}

// mostProtective chooses one of the answers in dispute; false when the
// question has no part in the result.
func mostProtective(in *screening.Instrument, answers map[string]any, d Dispute) bool {
	var versions []any
	for _, v := range d.Versions {
		versions = append(versions, v.Value)
	}
	switch d.Field {
	case screening.FieldProfile, screening.FieldAdult, screening.FieldAct:
		answers[d.Field] = in.Protective(d.Field, "", versions)
		return true
	case screening.FieldAnswers, screening.FieldBrief:
		code, ok := strings.CutPrefix(d.Path, d.Field+".")
		rows, _ := answers[d.Field].(map[string]any)
		if !ok || rows == nil {
			return ok
		}
		copied := map[string]any{}
		for k, v := range rows {
			copied[k] = v
		}
		copied[code] = in.Protective(d.Field, code, versions)
		answers[d.Field] = copied
		return true
	}
	return false
}

// addResult computes the result of a screening that is being written and puts
// it into its part, where it differs from what stands.
func (r *Rules) addResult(form string, whole map[string]any, parts map[journal.Tier]map[string]any, lang string) error {
	if form != formScreening {
		return nil
	}
	result, ok := r.Instruments.Result(whole)
	if !ok {
		return nil
	}
	if err := r.holdStage(result, whole, lang); err != nil {
		return err
	}
	answer := result.Answer()
	if reflect.DeepEqual(answer, whole[screening.FieldResult]) {
		return nil
	}
	if parts[journal.Story] == nil {
		parts[journal.Story] = map[string]any{}
	}
	parts[journal.Story][screening.FieldResult] = answer
	return nil
}

// holdStage refuses "screened, no indication" where the result does not carry
// it, unless the worker judges lower and says why. Too little information is
// never a negative (form F02, rules).
func (r *Rules) holdStage(result screening.Result, whole map[string]any, lang string) error {
	in, ok := r.Instruments.Instrument(result.Instrument)
	if !ok || whole[screening.FieldStage] != "screened_negative" || whole[screening.FieldJudgement] == "lower" || in.RulesOut(result.Class) {
		return nil
	}
	return refuse("answers."+screening.FieldStage, "not_negative", r.say("The result does not rule trafficking out. Choose another stage, or record a lower judgement with its reason.", lang))
}

// resultText says a result in a line: the class, what it rests on, how much is
// not known, and that the instrument is a draft.
func (r *Rules) resultText(value any, lang string) string {
	result, ok := screening.FromAnswer(value)
	if !ok {
		return ""
	}
	in := r.Instruments.For(result.Instrument)
	if in == nil {
		return result.Class
	}
	text := in.ClassLabel(result.Class, lang)
	var positive []string
	for _, d := range result.Dimensions {
		if d.Positive {
			positive = append(positive, in.DimensionName(d.ID, lang))
		}
	}
	if len(positive) > 0 {
		text += ": " + strings.Join(positive, ", ")
	}
	var beside []string
	if result.Asked != nil && result.Asked.OpenPercent > 0 {
		beside = append(beside, r.say(fmt.Sprintf("%d %% not known", result.Asked.OpenPercent), lang))
	}
	if result.Status != "" {
		beside = append(beside, r.say("draft instrument, unverified", lang))
	}
	if len(beside) > 0 {
		text += " (" + strings.Join(beside, "; ") + ")"
	}
	return text
}
