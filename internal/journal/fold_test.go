package journal_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"banyan/internal/journal"
)

// said makes an entry of one record at minute m.
func said(id string, m int, answers map[string]any, follows ...string) journal.Opened {
	act := journal.Amend
	if len(follows) == 0 {
		act = journal.Submit
	}
	return journal.Opened{
		Entry: journal.Entry{ID: id, Form: "registration", Record: "registration", Act: act, Follows: follows, Author: "by-" + id,
			WrittenAt: time.Date(2026, 1, 1, 0, m, 0, 0, time.UTC)},
		Answers: map[journal.Tier]map[string]any{journal.Coded: answers}}
}

func fields(kv ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		out[kv[i].(string)] = kv[i+1]
	}
	return out
}

// shapes: "family" is a repeat, "domain" a matrix, all else is whole.
func shapes(_, path string) journal.Shape {
	switch path {
	case "family":
		return journal.Rows
	case "domain":
		return journal.Parts
	}
	return journal.Whole
}

func row(id, text string) any { return map[string]any{"_id": id, "text": text} }

func TestFoldShowsWhatStands(t *testing.T) {
	first := said("a", 0, fields("birth_year", 2011.0, "sex", "female"))
	cases := []struct {
		name     string
		entries  []journal.Opened
		want     any
		disputed int
	}{
		{"an amendment replaces what its writer had seen", []journal.Opened{first, said("b", 5, fields("birth_year", 2012.0), "a")}, 2012.0, 0},
		{"also when the writer's clock was behind", []journal.Opened{first, said("b", -50, fields("birth_year", 2012.0), "a")}, 2012.0, 0},
		{"two writers who had not seen each other are in dispute, the newest shows",
			[]journal.Opened{first, said("b", 5, fields("birth_year", 2012.0), "a"), said("c", 6, fields("birth_year", 2010.0), "a")}, 2010.0, 2},
		{"the same answer twice is no dispute",
			[]journal.Opened{first, said("b", 5, fields("birth_year", 2012.0), "a"), said("c", 6, fields("birth_year", 2012.0), "a")}, 2012.0, 0},
		{"an amendment that follows both settles it",
			[]journal.Opened{first, said("b", 5, fields("birth_year", 2012.0), "a"), said("c", 6, fields("birth_year", 2010.0), "a"), said("d", 7, fields("birth_year", 2012.0), "b", "c")}, 2012.0, 0},
		{"other fields do not bring a dispute", []journal.Opened{first, said("b", 5, fields("sex", "male"), "a"), said("c", 6, fields("birth_year", 2010.0), "a")}, 2010.0, 0},
		{"clearing and answering at once is a dispute", []journal.Opened{first, said("b", 5, fields("birth_year", nil), "a"), said("c", 4, fields("birth_year", 2010.0), "a")}, nil, 2},
		{"two first entries of a form that a case has once", []journal.Opened{first, said("b", 5, fields("birth_year", 2012.0))}, 2012.0, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := journal.Fold(c.entries, shapes)["registration"].Fields["birth_year"]
			if !reflect.DeepEqual(f.Value, c.want) || len(f.Disputed) != c.disputed {
				t.Errorf("got %v with %d answers in dispute, want %v with %d", f.Value, len(f.Disputed), c.want, c.disputed)
			}
		})
	}
}

func TestRowsOfARepeatMergeCellByCell(t *testing.T) {
	base := said("a", 0, fields("family", []any{row("1", "mother"), row("2", "aunt")}))
	gone := func(id string) any { return map[string]any{"_id": id, "_gone": true} }
	cases := []struct {
		name     string
		b, c     []any
		want     any
		disputes []string
	}{
		{"each adds a row", []any{row("3", "brother")}, []any{row("4", "sister")},
			[]any{row("1", "mother"), row("2", "aunt"), row("3", "brother"), row("4", "sister")}, nil},
		{"one changes a row, the other another", []any{row("1", "mother Sok")}, []any{row("2", "aunt Lim")},
			[]any{row("1", "mother Sok"), row("2", "aunt Lim")}, nil},
		{"one removes a row that the other left alone", []any{gone("2")}, []any{row("3", "brother")},
			[]any{row("1", "mother"), row("3", "brother")}, nil},
		{"both change one cell", []any{row("1", "mother Sok")}, []any{row("1", "mother Lim")},
			[]any{row("1", "mother Lim"), row("2", "aunt")}, []string{"family[1].text"}},
		{"one removes the row that the other changed", []any{gone("1")}, []any{row("1", "mother Lim")},
			[]any{row("1", "mother Lim"), row("2", "aunt")}, []string{"family[1]"}},
		{"both remove it", []any{gone("1")}, []any{gone("1")}, []any{row("2", "aunt")}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			history := []journal.Opened{base, said("b", 1, fields("family", c.b), "a"), said("c", 2, fields("family", c.c), "a")}
			r := journal.Fold(history, shapes)["registration"]
			if !reflect.DeepEqual(r.Fields["family"].Value, c.want) {
				t.Errorf("got %v, want %v", r.Fields["family"].Value, c.want)
			}
			var paths []string
			for _, d := range r.Disputes {
				paths = append(paths, d.Path)
			}
			if !reflect.DeepEqual(paths, c.disputes) {
				t.Fatalf("in dispute: %v, want %v", paths, c.disputes)
			}
			for _, d := range r.Disputes { // each version can be chosen, and then stands
				for i, v := range d.Versions {
					settled := said("d", 3, d.Settle(v.Value), "b", "c")
					after := journal.Fold(append(history, settled), shapes)["registration"]
					if after.InDispute() {
						t.Errorf("choosing version %d of %s left %v", i, d.Path, after.Disputes)
					}
					if v.Value == nil && len(after.Fields["family"].Value.([]any)) != 1 {
						t.Errorf("choosing the removal left %v", after.Fields["family"].Value)
					}
					if i == len(d.Versions)-1 && !reflect.DeepEqual(after.Fields["family"].Value, c.want) {
						t.Errorf("choosing what shows gave %v, want %v", after.Fields["family"].Value, c.want)
					}
				}
			}
		})
	}
}

func TestAMatrixMergesPartByPartAndTiersStayApart(t *testing.T) {
	a := journal.Opened{Entry: said("a", 0, nil).Entry, Answers: map[journal.Tier]map[string]any{
		journal.Coded:    {"domain": fields("safety", "ok", "health", "ok"), "family": []any{map[string]any{"_id": "1", "age": 40.0}}},
		journal.Identity: {"family": []any{row("1", "Sok")}},
	}}
	b := said("b", 1, fields("domain", fields("safety", "danger")), "a")
	c := said("c", 2, fields("domain", fields("health", nil)), "a")
	r := journal.Fold([]journal.Opened{a, b, c}, shapes)["registration"]
	if got := r.Fields["domain"].Value; !reflect.DeepEqual(got, fields("safety", "danger")) || r.InDispute() {
		t.Errorf("the matrix is %v, disputes %v", got, r.Disputes)
	}
	if got := r.Parts[journal.Identity]["family"]; !reflect.DeepEqual(got, []any{row("1", "Sok")}) {
		t.Errorf("the identity part is %v", got)
	}
	if got := r.Fields["family"].Value; !reflect.DeepEqual(got, []any{map[string]any{"_id": "1", "age": 40.0, "text": "Sok"}}) {
		t.Errorf("the whole is %v", got)
	}
}

func TestAStrikeOutHoldsUntilSomebodyWritesOn(t *testing.T) {
	first := said("a", 0, fields("sex", "female"))
	strike := said("b", 1, nil, "a")
	strike.Act, strike.Answers = journal.Strike, map[journal.Tier]map[string]any{journal.Story: {"reason": "wrong child"}}
	r := journal.Fold([]journal.Opened{first, strike}, shapes)["registration"]
	if !r.Struck || r.StruckWhy != "wrong child" || r.Fields["sex"].Value != "female" {
		t.Errorf("got %+v", r)
	}
	if r := journal.Fold([]journal.Opened{first, strike, said("c", 2, fields("sex", "male"), "b")}, shapes)["registration"]; r.Struck {
		t.Error("it is still struck after an amendment that had seen the strike-out")
	}
}

// TestFoldDoesNotDependOnTheOrderOfArrival and loses no answer: whatever was
// ever written is in the record, as its value, in dispute, or in its entries.
func TestFoldDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var entries []journal.Opened
		for i := range rapid.IntRange(1, 10).Draw(rt, "entries") {
			var follows []string
			for _, e := range entries {
				if rapid.Bool().Draw(rt, "seen") {
					follows = append(follows, e.ID)
				}
			}
			entries = append(entries, said(fmt.Sprintf("e%02d", i), rapid.IntRange(0, 5).Draw(rt, "minute"), randomAnswer(rt), follows...))
		}
		want := journal.Fold(entries, shapes)["registration"]
		shuffled := append([]journal.Opened(nil), entries...)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		r.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
		got := journal.Fold(shuffled, shapes)["registration"]
		if !reflect.DeepEqual(got.Fields, want.Fields) || !reflect.DeepEqual(got.Disputes, want.Disputes) || !reflect.DeepEqual(got.Heads, want.Heads) {
			rt.Fatalf("another order gave\n%+v\nwant\n%+v", got.Fields, want.Fields)
		}
		if len(got.Entries) != len(entries) {
			rt.Fatalf("%d of %d entries are there", len(got.Entries), len(entries))
		}
		for _, e := range entries {
			for name, value := range e.Answers[journal.Coded] {
				if name == "family" {
					continue // its cells have the table above
				}
				if !standsOrWasReplaced(want, entries, e, name, value) {
					rt.Fatalf("the answer %s = %v of %s is neither shown nor replaced by somebody who had seen it", name, value, e.ID)
				}
			}
		}
	})
}

func randomAnswer(rt *rapid.T) map[string]any {
	v := float64(rapid.IntRange(0, 3).Draw(rt, "value"))
	if rapid.Bool().Draw(rt, "plain") {
		return fields(rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "field"), v)
	}
	if rapid.IntRange(0, 9).Draw(rt, "clear") == 0 {
		return fields("family", nil)
	}
	r := map[string]any{"_id": rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "row")}
	if rapid.IntRange(0, 3).Draw(rt, "gone") == 0 {
		r["_gone"] = true
	} else {
		r["age"] = v
	}
	return fields("family", []any{r})
}

func standsOrWasReplaced(r *journal.Record, entries []journal.Opened, e journal.Opened, name string, value any) bool {
	f := r.Fields[name]
	if reflect.DeepEqual(f.Value, value) {
		return true
	}
	for _, d := range f.Disputed {
		if reflect.DeepEqual(d.Value, value) {
			return true
		}
	}
	// replaced: some entry with another answer leads back to e
	byID := map[string]journal.Opened{}
	for _, o := range entries {
		byID[o.ID] = o
	}
	var leads func(from journal.Opened) bool
	leads = func(from journal.Opened) bool {
		for _, id := range from.Follows {
			if id == e.ID || leads(byID[id]) {
				return true
			}
		}
		return false
	}
	for _, o := range entries {
		if _, writes := o.Answers[journal.Coded][name]; writes && leads(o) {
			return true
		}
	}
	return false
}

func TestARecordOfOneEntryReadsTheSameAsAfterAnEmptyAmendment(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		one := said("a", 0, randomAnswer(rt))
		two := said("b", 0, nil, "a") // says nothing; brings the long way round
		a, b := journal.Fold([]journal.Opened{one}, shapes)["registration"], journal.Fold([]journal.Opened{one, two}, shapes)["registration"]
		if rows, ok := one.Answers[journal.Coded]["family"].([]any); ok && rows[0].(map[string]any)["_gone"] == true {
			return // a first entry removes nothing: forms refuse it at the door
		}
		if !reflect.DeepEqual(a.Answers(), b.Answers()) || !reflect.DeepEqual(a.Disputes, b.Disputes) {
			rt.Fatalf("alone it reads %v, the long way %v", a.Answers(), b.Answers())
		}
	})
}
