package casework

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"banyan/internal/journal"
	"banyan/internal/screening"
)

// aScreening is a screening of a child in a brick kiln.
func aScreening() map[string]any {
	a := maps.Clone(screeningAnswers)
	a["mode"], a["act"] = "worker_read", []any{"recruitment"}
	a["answers"] = map[string]any{"D4.low_salary": "yes", "D4.wage_manip": "yes", "D4.hazardous": "yes", "D1.job": "refused"}
	return a
}

func resultOfCase(t *testing.T, c *Case) screening.Result {
	t.Helper()
	rec := c.Newest(formScreening)
	if rec == nil {
		t.Fatal("there is no screening")
	}
	result, ok := screening.FromAnswer(rec.Answers[screening.FieldResult])
	if !ok {
		t.Fatalf("the record has no result: %v", rec.Answers)
	}
	return result
}

func TestAScreeningOfBeforeHasItsResult(t *testing.T) {
	s := newStory(t)
	s.fill(formScreening, aScreening())
	if got := resultOfCase(t, s.now()).Class; got != "presumed_child_trafficking" {
		t.Errorf("the class is %s", got)
	}
}

// TestTwoWhoChangedDifferentAnswersGetOneResult: neither of the two results
// that were shown is that of the record.
func TestTwoWhoChangedDifferentAnswersGetOneResult(t *testing.T) {
	s := newStory(t)
	base := aScreening()
	base["answers"] = map[string]any{"D4.low_salary": "yes"}
	first := s.fill(formScreening, base)
	for author, more := range map[string]string{"mai": "D4.wage_manip", "dara": "D4.hazardous"} {
		s.author = author
		next := maps.Clone(base)
		next["answers"] = map[string]any{"D4.low_salary": "yes", more: "yes"}
		next[screening.FieldResult] = map[string]any{"class": "child_protection_check", "instrument": "ilo-ec-delphi-2009", "by": author}
		s.amend(first, base, next, first)
	}
	c := s.now()
	if got := resultOfCase(t, c); got.Class != "presumed_child_trafficking" || len(got.Disputed) > 0 {
		t.Errorf("the result is %+v", got)
	}
	if d := c.Newest(formScreening).Disputes; len(d) > 0 {
		t.Errorf("a person is asked to settle what nobody wrote: %v", d)
	}
}

// TestInADisputeTheAnswerThatProtectsMoreCounts until a person settles it.
func TestInADisputeTheAnswerThatProtectsMoreCounts(t *testing.T) {
	for _, c := range []struct {
		about       string
		mai, dara   map[string]any // what each changes
		class, path string
	}{
		{"yes and no", map[string]any{"answers": map[string]any{"D4.hazardous": "no"}}, map[string]any{"answers": map[string]any{"D4.hazardous": "yes"}}, "presumed_child_trafficking", "answers.D4.hazardous"},
		{"an act and none", map[string]any{"act": []any{"transfer"}}, map[string]any{"act": []any{"receipt"}}, "child_labour_exploitation", "act"},
		{"adult and child", map[string]any{"profile": "adult_labour", "adult_certain": true}, map[string]any{"profile": "sexual_exploitation", "adult_certain": false}, "presumed_child_trafficking", "profile"},
	} {
		s := newStory(t)
		base := aScreening()
		base["answers"] = map[string]any{"D4.low_salary": "yes", "D4.wage_manip": "yes"}
		if c.path == "act" {
			delete(base, "act")
			base["answers"].(map[string]any)["D4.bad_living"] = "yes"
			c.class = "presumed_child_trafficking"
		}
		first := s.fill(formScreening, base)
		form, _ := s.rules.Forms.Form(formScreening)
		var heads []string
		for _, who := range []struct {
			name    string
			changes map[string]any
		}{{"mai", c.mai}, {"dara", c.dara}} {
			s.author = who.name
			heads = append(heads, s.amend(first, base, form.Apply(base, who.changes), first))
		}
		now := s.now()
		got := resultOfCase(t, now)
		if got.Class != c.class || !slices.Contains(got.Disputed, c.path) || !slices.Contains(got.Notes, screening.NoteDisputed) {
			t.Errorf("%s: %+v", c.about, got)
		}
		rec := now.Newest(formScreening)
		if len(rec.Disputes) == 0 || slices.ContainsFunc(rec.Disputes, func(d Dispute) bool { return d.Field == screening.FieldResult }) {
			t.Errorf("%s: disputes %v", c.about, rec.Disputes)
		}
		// The same whatever order the two arrive in.
		s.history[len(s.history)-1], s.history[len(s.history)-2] = s.history[len(s.history)-2], s.history[len(s.history)-1]
		if again := resultOfCase(t, s.now()); !reflect.DeepEqual(again, got) {
			t.Errorf("%s: in the other order %+v", c.about, again)
		}
		// Settled: the result is that of the answer chosen.
		if c.path == "answers.D4.hazardous" {
			s.author = "super"
			s.amend(first, map[string]any{}, map[string]any{"answers": map[string]any{"D4.hazardous": "no"}}, heads...)
			if after := resultOfCase(t, s.now()); after.Class != "child_protection_check" || len(after.Disputed) > 0 {
				t.Errorf("settled: %+v", after)
			}
		}
	}
}

// TestWithoutTheStoryThereIsNoResult: a fold over codes only must not take
// sealed answers for answers that nobody gave.
func TestWithoutTheStoryThereIsNoResult(t *testing.T) {
	s := newStory(t)
	s.fill(formScreening, aScreening())
	for i := range s.history {
		s.history[i].Answers = map[journal.Tier]map[string]any{journal.Coded: s.history[i].Answers[journal.Coded]}
	}
	if v, there := s.now().Newest(formScreening).Answers[screening.FieldResult]; there {
		t.Errorf("a reader of codes is shown %v", v)
	}
}

func TestAResultIsSaidInTheReadersLanguage(t *testing.T) {
	rules := testRules(t)
	result, _ := rules.Instruments.Result(aScreening())
	for lang, want := range map[string]string{
		"en": "Presumed child trafficking: Exploitative conditions of work (96 % not known; draft instrument, unverified)",
		"vi": "Coi là trẻ em bị mua bán: Điều kiện làm việc bị bóc lột",
		"km": "សន្មតថាជាកុមាររងការជួញដូរ",
	} {
		if got := rules.resultText(result.Answer(), lang); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", lang, got)
		}
	}
	for _, v := range []any{nil, "x", map[string]any{}, map[string]any{"class": 3.0}} {
		if got := rules.resultText(v, "en"); got != "" {
			t.Errorf("%v is said as %q", v, got)
		}
	}
}

func TestTooLittleIsNoNegative(t *testing.T) {
	rules := testRules(t)
	all := func(answer string) map[string]any {
		out := map[string]any{}
		for _, c := range rules.Instruments.InForce().Codes() {
			out[c] = answer
		}
		return out
	}
	for _, c := range []struct {
		about, judgement string
		answers          map[string]any
		taken            bool
	}{
		{"everything refused", "agree", all("refused"), false},
		{"nothing asked", "agree", map[string]any{"D1.job": "no"}, false},
		{"one sign", "agree", map[string]any{"D1.job": "yes"}, false},
		{"one sign, judged lower with a reason", "lower", map[string]any{"D1.job": "yes"}, true},
		{"everything answered no", "agree", all("no"), true},
	} {
		parts := map[journal.Tier]map[string]any{}
		whole := map[string]any{"profile": "child_labour", "answers": c.answers, "worker_judgement": c.judgement, "identification_stage": "screened_negative"}
		if err := rules.addResult(formScreening, whole, parts, "en"); (err == nil) != c.taken {
			t.Errorf("%s: %v", c.about, err)
		}
	}
}
