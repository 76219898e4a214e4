package forms

// The life of a record after its first check: amendments, tiers, what a form
// opens with, age, and the description for the browser.

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func amendBase() map[string]any {
	return map[string]any{"name": "An", "n": 2.0, "kinds": []any{"a"}, "total": 2.0, "double": 4.0, "first_seen": "2026-01-01",
		"people": []any{
			map[string]any{RowID: "r001", "name": "Bo", "age": 40.0, "phone": "012345", "place": 1.0},
			map[string]any{RowID: "r002", "name": "Chi", "place": 2.0},
		}}
}

func TestAmendGivesOnlyWhatChanges(t *testing.T) {
	f := trialForm(t)
	cases := []struct {
		name    string
		changes map[string]any
		want    map[string]any
		codes   string
	}{
		{"a number and what is computed from it", map[string]any{"n": 5.0}, map[string]any{"n": 5.0, "total": 45.0, "double": 90.0}, ""},
		{"the same value", map[string]any{"name": "An"}, map[string]any{"total": 42.0, "double": 84.0}, ""},
		{"null clears", map[string]any{"kinds": nil}, map[string]any{"kinds": nil, "total": 42.0, "double": 84.0}, ""},
		{"null clears what is required", map[string]any{"name": nil}, map[string]any{"name": nil, "total": 42.0, "double": 84.0}, "name required"},
		{"one field of one row", map[string]any{"people": []any{map[string]any{RowID: "r002", "age": 3.0}}},
			map[string]any{"people": []any{map[string]any{RowID: "r002", "age": 3.0}}, "total": 45.0, "double": 90.0}, ""},
		{"a change that makes another answer irrelevant", map[string]any{"people": []any{map[string]any{RowID: "r001", "age": 4.0}}},
			map[string]any{"people": []any{map[string]any{RowID: "r001", "age": 4.0, "phone": nil}}, "total": 6.0, "double": 12.0}, ""},
		{"a row goes", map[string]any{"people": []any{map[string]any{RowID: "r001", RowGone: true}}},
			map[string]any{"people": []any{map[string]any{RowID: "r002", "place": 1.0}, map[string]any{RowID: "r001", RowGone: true}}}, ""},
		{"computed values are not the writer's", map[string]any{"total": 1000.0, "first_seen": "1999-01-01", "code": "X", "decision": "approved"},
			map[string]any{"total": 42.0, "double": 84.0}, ""},
		{"a new requirement", map[string]any{"kinds": []any{"b"}}, map[string]any{"kinds": []any{"b"}, "total": 42.0, "double": 84.0}, "why required"},
		{"an unknown key", map[string]any{"shoe": 1.0}, map[string]any{"total": 42.0, "double": 84.0}, "shoe unknown_field"},
		{"a row without an id", map[string]any{"people": []any{map[string]any{"name": "x"}}}, nil, "people[0] row_id"},
		{"a mark of the wrong kind", map[string]any{"people": []any{map[string]any{RowID: "r001", RowGone: "yes"}}}, nil, "people[0]._gone type"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			// The base was written before calculations knew of ages: their change is the server's.
			got, problems := f.CheckAmend(amendBase(), c.changes, Env{Now: noon})
			if !strings.HasPrefix(codesOf(problems), c.codes) || (c.codes == "" && len(problems) > 0) {
				t.Errorf("problems %q, want %q", codesOf(problems), c.codes)
			}
			if c.want != nil && !reflect.DeepEqual(got, c.want) {
				t.Errorf("changes %v\nwant    %v", got, c.want)
			}
		})
	}
}

func TestAmendDoesNotBlameOldFaults(t *testing.T) {
	f := trialForm(t)
	base := amendBase()
	base["n"] = 700.0 // allowed when it was written
	delete(base, "name")
	_, problems := f.CheckAmend(base, map[string]any{"d": 1.5}, Env{Now: noon})
	if len(problems) > 0 {
		t.Errorf("an amendment of something else is blamed: %v", problems)
	}
	_, problems = f.CheckAmend(base, map[string]any{"n": 701.0}, Env{Now: noon})
	if codesOf(problems) != "n constraint" {
		t.Errorf("a new wrong value: %q", codesOf(problems))
	}
}

func TestDecisionIsAnAmendmentByTheApprover(t *testing.T) {
	f := trialForm(t)
	out, problems := f.CheckAmend(amendBase(), map[string]any{"decision": "approved"}, Env{Now: noon, Deciding: true})
	if len(problems) > 0 || out["decision"] != "approved" {
		t.Errorf("decision %v, problems %v", out, problems)
	}
	decided := amendBase()
	decided["decision"] = "approved"
	out, problems = f.CheckAmend(decided, map[string]any{"n": 3.0, "decision": "rejected"}, Env{Now: noon})
	if _, changed := out["decision"]; changed || len(problems) > 0 {
		t.Errorf("the author changed the decision: %v, %v", out, problems)
	}
}

func TestTiersTakeRowsApartAndKeepTheirIds(t *testing.T) {
	f := trialForm(t)
	answers := map[string]any{"name": "An", "n": 1.0, "box": map[string]any{"inner": "x", "deep": 2.0},
		"people": []any{
			map[string]any{RowID: "r001", "name": "Bo", "age": 40.0, "pets": []any{map[string]any{RowID: "p001", "kind": "cat", "legs": 4.0}}},
			map[string]any{RowID: "r002"},
		}}
	want := map[Tier]map[string]any{
		TierIdentity: {"name": "An", "people": []any{map[string]any{RowID: "r001", "name": "Bo"}}},
		TierHealth:   {"box": map[string]any{"inner": "x"}},
		TierStory:    {"people": []any{map[string]any{RowID: "r001", "pets": []any{map[string]any{RowID: "p001", "kind": "cat"}}}}},
		TierCoded: {"n": 1.0, "box": map[string]any{"deep": 2.0}, "people": []any{
			map[string]any{RowID: "r001", "age": 40.0, "pets": []any{map[string]any{RowID: "p001", "legs": 4.0}}},
			map[string]any{RowID: "r002"}}},
	}
	parts := f.SplitTiers(answers)
	if !reflect.DeepEqual(parts, want) {
		t.Errorf("parts %v\nwant  %v", parts, want)
	}
	delete(parts, TierIdentity)
	delete(parts, TierStory)
	seen := f.MergeTiers(parts)
	if got := seen["people"].([]any); len(got) != 2 || !reflect.DeepEqual(got[1], map[string]any{RowID: "r002"}) || seen["name"] != nil {
		t.Errorf("a reader without identity sees %v", seen)
	}
	delete(parts, TierCoded)
	if got := f.MergeTiers(map[Tier]map[string]any{TierIdentity: want[TierIdentity]}); !reflect.DeepEqual(got, want[TierIdentity]) {
		t.Errorf("a reader of identity alone sees %v", got)
	}
}

func TestTiersSplitChanges(t *testing.T) {
	f := trialForm(t)
	parts := f.SplitTiers(map[string]any{"name": nil, "box": nil, "people": []any{map[string]any{RowID: "r001", RowGone: true}, map[string]any{RowID: "r002", "name": nil}}})
	want := map[Tier]map[string]any{
		TierIdentity: {"name": nil, "people": []any{map[string]any{RowID: "r002", "name": nil}}},
		TierHealth:   {"box": nil},
		TierCoded:    {"box": nil, "people": []any{map[string]any{RowID: "r001", RowGone: true}, map[string]any{RowID: "r002"}}},
	}
	if !reflect.DeepEqual(parts, want) {
		t.Errorf("parts %v\nwant  %v", parts, want)
	}
	if got := f.Tiers(); !reflect.DeepEqual(got, []Tier{TierCoded, TierStory, TierIdentity, TierPlace, TierHealth}) {
		t.Errorf("tiers %v", got)
	}
}

func TestPrefillSaysWhereEachAnswerComesFrom(t *testing.T) {
	f := trialForm(t)
	env := Env{Now: noon, Known: func(path string) any {
		return map[string]any{"first.nickname": "Bo", "first.age": map[string]any{"years": 300}}[path]
	}}
	answers, from := f.Prefill(env)
	wantAnswers := map[string]any{"heard": "Bo", "opened": "2026-11-22", "mood": "low"}
	wantFrom := map[string]string{"heard": "first.nickname", "opened": FromDefault, "mood": FromDefault}
	if !reflect.DeepEqual(answers, wantAnswers) || !reflect.DeepEqual(from, wantFrom) {
		t.Errorf("answers %v from %v", answers, from)
	}
}

func TestAgeGrowsFromWhatWasObserved(t *testing.T) {
	on := func(date string) time.Time {
		at, err := time.Parse("2006-01-02", date)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	cases := []struct {
		name         string
		age          map[string]any
		basis, at    string
		years        int
		ok           bool
		child, known bool
	}{
		{"a day before the eighteenth birthday", map[string]any{"dob": "2008-11-23"}, "", "2026-11-22", 17, true, true, true},
		{"on it", map[string]any{"dob": "2008-11-22"}, "", "2026-11-22", 18, true, false, true},
		{"seventeen, seen a year ago", map[string]any{"years": 17.0, "observed_on": "2025-11-22"}, "estimated", "2026-11-22", 18, true, false, true},
		{"seventeen, seen less than a year ago", map[string]any{"years": 17.0, "observed_on": "2025-11-23"}, "estimated", "2026-11-22", 17, true, true, true},
		{"years and months", map[string]any{"years": 17.0, "months": 11.0, "observed_on": "2026-10-22"}, "", "2026-11-22", 18, true, false, true},
		{"presumed a child at nineteen", map[string]any{"years": 19.0, "observed_on": "2026-11-22"}, "presumed_child", "2026-11-22", 19, true, true, true},
		{"presumed a child, in the answer itself", map[string]any{"years": 19.0, "observed_on": "2026-11-22", "basis": "presumed_child"}, "", "2026-11-22", 19, true, true, true},
		{"nothing known", map[string]any{}, "", "2026-11-22", 0, false, true, false},
		{"born later", map[string]any{"dob": "2027-01-01"}, "", "2026-11-22", 0, false, true, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			years, ok := AgeAt(c.age, on(c.at))
			child, known := IsChild(c.age, c.basis, on(c.at))
			if years != c.years || ok != c.ok || child != c.child || known != c.known {
				t.Errorf("age %d %v, child %v %v", years, ok, child, known)
			}
		})
	}
}

func TestDescriptionIsStableAndInTheReadersLanguage(t *testing.T) {
	f := trialForm(t)
	first, err := json.Marshal(f.Describe("vi"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(trialForm(t).Describe("vi"))
	if err != nil || string(first) != string(again) {
		t.Errorf("two loads describe differently")
	}
	d := f.Description("vi")
	if d.Title != "Thử" || d.Lists["sex"].Codes[0].Label != "Nữ" || d.Lists["trial.risk:rows"].Codes[0].Label != "Nhà" {
		t.Errorf("not Vietnamese: %s", first)
	}
	if d.Lists["town"].Codes[0].Props["province"] != "north" || d.Lists["sex"].Codes[0].Props != nil {
		t.Error("properties travel only where a choice filter needs them")
	}
}

func TestWalkEntersContainersUnlessToldNotTo(t *testing.T) {
	f := trialForm(t)
	var seen []string
	f.Walk(func(field *Field) bool {
		if strings.HasPrefix(field.Path, "people") {
			seen = append(seen, field.Path)
		}
		return field.Path != "people.pets"
	})
	if got, want := strings.Join(seen, " "), "people people.name people.age people.role people.phone people.place people.known_since people.pets"; got != want {
		t.Errorf("walked %s", got)
	}
}

func TestPathsOfProblemsLeadToTheirField(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	answers := map[string]any{"box": map[string]any{"inner": "x"}, "needs": map[string]any{"food": map[string]any{"score": 1.0}},
		"people": []any{map[string]any{RowID: "r001", "pets": []any{map[string]any{RowID: "p001"}, map[string]any{RowID: "p002"}}}}}
	cases := []struct {
		path, field string
		depth       float64 // scopes around the answer, with the form itself
		index       float64 // of the row, from 1
		prefix      string
	}{
		{"name", "name", 1, 0, ""}, {"box.inner", "box.inner", 1, 0, "box."}, {"loc.country", "loc", 1, 0, ""},
		{"people[0]", "people", 1, 0, ""}, {"people[0].age", "people.age", 2, 1, "people[0]."},
		{"people[0].pets[1].legs", "people.pets.legs", 3, 2, "people[0].pets[1]."}, {"people[7].age", "people.age", 0, 0, ""},
		{"risk.home", "risk", 1, 0, ""}, {"needs.food", "needs", 1, 0, ""}, {"needs.food.note", "needs.note", 2, 0, "needs.food."},
		{"needs.care.note", "needs.note", 2, 0, "needs.care."}, {"papers[3].sha256", "papers", 1, 0, ""}, {"shoe", "", 1, 0, ""},
	}
	var jobs []browserJob
	for _, c := range cases {
		field, ok := f.FieldAt(c.path)
		if ok != (c.field != "") || (ok && field.Path != c.field) {
			t.Errorf("%s leads to %v", c.path, field)
		}
		jobs = append(jobs, browserJob{Do: "place", Answers: answers, Field: c.path})
	}
	t.Run("in the browser", func(t *testing.T) {
		for i, got := range inBrowser(t, f, v, jobs) {
			c := cases[i]
			var field any
			if c.field != "" {
				field = c.field
			}
			if want := map[string]any{"field": field, "depth": c.depth, "index": c.index, "prefix": c.prefix}; !reflect.DeepEqual(got, any(want)) {
				t.Errorf("%s: %v, want %v", c.path, got, want)
			}
		}
	})
}

func TestNewRowOpensWithItsDefaults(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	got := inBrowser(t, f, v, []browserJob{{Do: "row", Field: "people"}})[0]
	if want := map[string]any{RowID: "row-1", "known_since": "2026-11-22"}; !reflect.DeepEqual(got, any(want)) {
		t.Errorf("a new row is %v", got)
	}
}

func TestConditionsSpeakOfAFormFromOutside(t *testing.T) {
	f := trialForm(t)
	answers := map[string]any{"n": 5.0, "kinds": []any{"a"}, "day": "2026-11-01"}
	env := Env{Now: noon, Known: func(path string) any { return map[string]any{"first.sex": "female"}[path] }}
	for src, want := range map[string]bool{
		"${n} > 4": true, "selected(${kinds}, 'b')": false, "date-diff-days(today(), ${day}) = 21": true,
		"known('first.sex') = 'female'": true, "${story} != ''": false,
	} {
		c, err := f.Condition(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if c.Source() != src || c.Holds(answers, env) != want {
			t.Errorf("%s holds: %v", src, !want)
		}
	}
	if _, err := f.Condition("${shoe} = 1"); err == nil {
		t.Error("a condition over an unknown field was accepted")
	}
}

func TestLibraryIsSafeForManyAtOnce(t *testing.T) {
	v, f := readVectors(t), trialForm(t)
	env := v.env(t)
	done := make(chan string)
	for i := range 8 {
		go func() {
			f.Description([]string{"en", "vi"}[i%2])
			_, problems := f.Check(v.Checks[i].Answers, env)
			done <- codesOf(problems)
		}()
	}
	for range 8 {
		<-done
	}
}
