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
			f := journal.Fold(c.entries)["registration"].Fields["birth_year"]
			if !reflect.DeepEqual(f.Value, c.want) || len(f.Disputed) != c.disputed {
				t.Errorf("got %v with %d answers in dispute, want %v with %d", f.Value, len(f.Disputed), c.want, c.disputed)
			}
		})
	}
}

func TestRowsOfARepeatMergeRowByRow(t *testing.T) {
	base := said("a", 0, fields("family", []any{row("1", "mother"), row("2", "aunt")}))
	cases := []struct {
		name  string
		b, c  []any
		want  any
		clash bool
	}{
		{"each adds a row", []any{row("1", "mother"), row("2", "aunt"), row("3", "brother")}, []any{row("1", "mother"), row("2", "aunt"), row("4", "sister")},
			[]any{row("1", "mother"), row("2", "aunt"), row("3", "brother"), row("4", "sister")}, false},
		{"one changes a row, the other another", []any{row("1", "mother Sok"), row("2", "aunt")}, []any{row("1", "mother"), row("2", "aunt Lim")},
			[]any{row("1", "mother Sok"), row("2", "aunt Lim")}, false},
		{"one removes a row that the other left alone", []any{row("1", "mother")}, []any{row("1", "mother"), row("2", "aunt"), row("3", "brother")},
			[]any{row("1", "mother"), row("3", "brother")}, false},
		{"both change one row", []any{row("1", "mother Sok"), row("2", "aunt")}, []any{row("1", "mother Lim"), row("2", "aunt")}, nil, true},
		{"one removes the row that the other changed", []any{row("2", "aunt")}, []any{row("1", "mother Lim"), row("2", "aunt")}, nil, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := journal.Fold([]journal.Opened{base, said("b", 1, fields("family", c.b), "a"), said("c", 2, fields("family", c.c), "a")})["registration"].Fields["family"]
			if c.clash {
				if len(f.Disputed) != 2 {
					t.Errorf("got %d answers in dispute, want 2", len(f.Disputed))
				}
				return
			}
			if len(f.Disputed) != 0 || !reflect.DeepEqual(f.Value, c.want) {
				t.Errorf("got %v (%d in dispute), want %v", f.Value, len(f.Disputed), c.want)
			}
		})
	}
}

func TestAStrikeOutHoldsUntilSomebodyWritesOn(t *testing.T) {
	first := said("a", 0, fields("sex", "female"))
	strike := said("b", 1, nil, "a")
	strike.Act, strike.Answers = journal.Strike, map[journal.Tier]map[string]any{journal.Story: {"reason": "wrong child"}}
	r := journal.Fold([]journal.Opened{first, strike})["registration"]
	if !r.Struck || r.StruckWhy != "wrong child" || r.Fields["sex"].Value != "female" {
		t.Errorf("got %+v", r)
	}
	if r := journal.Fold([]journal.Opened{first, strike, said("c", 2, fields("sex", "male"), "b")})["registration"]; r.Struck {
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
			f := rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "field")
			v := rapid.IntRange(0, 3).Draw(rt, "value")
			entries = append(entries, said(fmt.Sprintf("e%02d", i), rapid.IntRange(0, 5).Draw(rt, "minute"), fields(f, float64(v)), follows...))
		}
		want := journal.Fold(entries)["registration"]
		shuffled := append([]journal.Opened(nil), entries...)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		r.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
		got := journal.Fold(shuffled)["registration"]
		if !reflect.DeepEqual(got.Fields, want.Fields) || !reflect.DeepEqual(got.Heads, want.Heads) {
			rt.Fatalf("another order gave\n%+v\nwant\n%+v", got.Fields, want.Fields)
		}
		if len(got.Entries) != len(entries) {
			rt.Fatalf("%d of %d entries are there", len(got.Entries), len(entries))
		}
		for _, e := range entries {
			for name, value := range e.Answers[journal.Coded] {
				if !standsOrWasReplaced(want, entries, e, name, value) {
					rt.Fatalf("the answer %s = %v of %s is neither shown nor replaced by somebody who had seen it", name, value, e.ID)
				}
			}
		}
	})
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
