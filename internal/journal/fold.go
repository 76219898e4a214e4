package journal

// Fold turns a stream's entries into records as they stand now.
//
// Each top-level field is a multi-value register over the graph that Follows
// makes: an answer is replaced by an answer whose writer had seen it, and by
// nothing else. Two answers of which neither writer had seen the other stand
// beside each other; if they differ, the field is in dispute and stays so
// until an amendment that follows both settles it. The result depends only on
// the set of entries, never on the order of their arrival.
//
// Rows of a repeat (objects with "_id") are merged row by row: two people who
// worked on different rows are not in dispute.

import (
	"reflect"
	"sort"
	"time"
)

// Record is one filled form as it stands now.
type Record struct {
	ID          string
	Form        string
	FormVersion int // the newest version that any entry used
	Heads       []string
	Fields      map[string]Field
	Entries     []Opened // of this record, in the stream's order
	Struck      bool
	StruckBy    string
	StruckWhy   string // empty when the story tier is closed
	Author      string // of the first entry
	FirstAt     time.Time
	LastAt      time.Time
	RecordedAt  time.Time // when its newest entry was recorded
}

// Field is the answer to one question as it stands now.
type Field struct {
	Value  any // nil when cleared; in dispute, the newest by time of writing, then id
	Tier   Tier
	Entry  string
	Author string
	At     time.Time
	// Disputed holds two or more answers when nobody has settled them.
	Disputed []Version
}

// Version is one of several answers in dispute.
type Version struct {
	Value  any
	Entry  string
	Author string
	At     time.Time
}

// InDispute says whether any field of the record has more than one answer.
func (r *Record) InDispute() bool {
	for _, f := range r.Fields {
		if len(f.Disputed) > 0 {
			return true
		}
	}
	return false
}

// Answers gives the record's answers as one object, cleared fields left out.
func (r *Record) Answers() map[string]any {
	out := make(map[string]any, len(r.Fields))
	for name, f := range r.Fields {
		if f.Value != nil {
			out[name] = f.Value
		}
	}
	return out
}

// Fold gives the records of a history, by record id.
func Fold(history []Opened) map[string]*Record {
	groups := map[string][]Opened{}
	for _, o := range history {
		groups[o.Record] = append(groups[o.Record], o)
	}
	out := make(map[string]*Record, len(groups))
	for id, entries := range groups {
		out[id] = foldRecord(id, entries)
	}
	return out
}

func foldRecord(id string, entries []Opened) *Record {
	g := newGraph(entries)
	first := earliest(entries)
	r := &Record{ID: id, Form: first.Form, Author: first.Author, FirstAt: first.WrittenAt, Fields: map[string]Field{}, Entries: entries}
	for _, e := range entries {
		r.FormVersion = max(r.FormVersion, e.FormVersion)
		if e.WrittenAt.After(r.LastAt) {
			r.LastAt = e.WrittenAt
		}
		if e.RecordedAt.After(r.RecordedAt) {
			r.RecordedAt = e.RecordedAt
		}
	}
	r.Heads = g.heads()
	for name, tier := range fieldTiers(entries) {
		r.Fields[name] = g.field(name, tier)
	}
	for i, e := range entries {
		if e.Act == Strike && !g.answered(i) {
			r.Struck, r.StruckBy = true, e.Author
			if why, ok := e.Answers[Story]["reason"].(string); ok {
				r.StruckWhy = why
			}
		}
	}
	return r
}

func earliest(entries []Opened) Opened {
	best := entries[0]
	for _, e := range entries[1:] {
		if before(e.Entry, best.Entry) {
			best = e
		}
	}
	return best
}

// before orders entries by time of writing, ties by id.
func before(a, b Entry) bool {
	if !a.WrittenAt.Equal(b.WrittenAt) {
		return a.WrittenAt.Before(b.WrittenAt)
	}
	return a.ID < b.ID
}

func fieldTiers(entries []Opened) map[string]Tier {
	out := map[string]Tier{}
	for _, e := range entries {
		if e.Act == Strike {
			continue
		}
		for tier, fields := range e.Answers {
			for name := range fields {
				out[name] = tier
			}
		}
	}
	return out
}

// graph is the entries of one record and who had seen what.
type graph struct {
	entries []Opened
	index   map[string]int
	seen    [][]bool // seen[i][j]: the writer of i had seen j
}

func newGraph(entries []Opened) *graph {
	g := &graph{entries: entries, index: map[string]int{}, seen: make([][]bool, len(entries))}
	for i, e := range entries {
		g.index[e.ID] = i
	}
	for i := range entries {
		g.look(i)
	}
	return g
}

// look fills seen[i]. Entries follow only entries that arrived before them, so
// this ends.
func (g *graph) look(i int) []bool {
	if g.seen[i] != nil {
		return g.seen[i]
	}
	mine := make([]bool, len(g.entries))
	g.seen[i] = mine
	for _, f := range g.entries[i].Follows {
		j, ok := g.index[f]
		if !ok || j == i {
			continue
		}
		mine[j] = true
		for k, s := range g.look(j) {
			mine[k] = mine[k] || s
		}
	}
	return mine
}

// answered says whether some later entry's writer had seen entry i and wrote
// on (for a strike-out: took it back).
func (g *graph) answered(i int) bool {
	for j, e := range g.entries {
		if g.seen[j][i] && e.Act != Strike {
			return true
		}
	}
	return false
}

// heads are the entries that nobody followed, ordered by time, then id.
func (g *graph) heads() []string {
	var out []Entry
	for i, e := range g.entries {
		followed := false
		for j := range g.entries {
			followed = followed || g.seen[j][i]
		}
		if !followed {
			out = append(out, e.Entry)
		}
	}
	sort.Slice(out, func(a, b int) bool { return before(out[a], out[b]) })
	ids := make([]string, len(out))
	for i, e := range out {
		ids[i] = e.ID
	}
	return ids
}

// write is one answer to the field at hand.
type write struct {
	at    int // index of its entry
	value any
}

func (g *graph) field(name string, tier Tier) Field {
	var writes []write
	for i, e := range g.entries {
		if e.Act == Strike {
			continue
		}
		for _, fields := range e.Answers {
			if v, ok := fields[name]; ok {
				writes = append(writes, write{i, v})
			}
		}
	}
	top := g.newest(writes)
	last := top[len(top)-1]
	e := g.entries[last.at]
	f := Field{Value: last.value, Tier: tier, Entry: e.ID, Author: e.Author, At: e.WrittenAt}
	top = distinct(top)
	if len(top) == 1 {
		return f
	}
	if merged, ok := g.mergeRows(top, writes); ok {
		f.Value = merged
		return f
	}
	for _, w := range top {
		e := g.entries[w.at]
		f.Disputed = append(f.Disputed, Version{Value: w.value, Entry: e.ID, Author: e.Author, At: e.WrittenAt})
	}
	return f
}

// newest leaves the writes that no other write's author had seen, ordered by
// time of writing, then id.
func (g *graph) newest(writes []write) []write {
	var out []write
	for _, w := range writes {
		replaced := false
		for _, other := range writes {
			replaced = replaced || g.seen[other.at][w.at]
		}
		if !replaced {
			out = append(out, w)
		}
	}
	sort.Slice(out, func(a, b int) bool { return before(g.entries[out[a].at].Entry, g.entries[out[b].at].Entry) })
	return out
}

// distinct drops writes whose value an earlier one has too.
func distinct(writes []write) []write {
	var out []write
	for _, w := range writes {
		known := false
		for _, o := range out {
			known = known || reflect.DeepEqual(o.value, w.value)
		}
		if !known {
			out = append(out, w)
		}
	}
	return out
}

// mergeRows merges concurrent versions of a repeat row by row, against the
// newest version that all their writers had seen. It gives up (false) when a
// value is not a repeat, or when one row was changed in two ways.
func (g *graph) mergeRows(top, writes []write) (any, bool) {
	var common []write
	for _, w := range writes {
		all := true
		for _, t := range top {
			all = all && g.seen[t.at][w.at]
		}
		if all {
			common = append(common, w)
		}
	}
	var base rows
	if bases := g.newest(common); len(bases) > 0 {
		b, ok := rowsOf(bases[len(bases)-1].value)
		if !ok {
			return nil, false
		}
		base = b
	}
	merged := base
	for _, t := range top {
		mine, ok := rowsOf(t.value)
		if !ok {
			return nil, false
		}
		merged, ok = mergeInto(merged, base, mine)
		if !ok {
			return nil, false
		}
	}
	return merged.list(), true
}

// rows is a repeat by row id, in order.
type rows struct {
	order []string
	byID  map[string]any
}

func rowsOf(v any) (rows, bool) {
	if v == nil {
		return rows{}, true
	}
	items, ok := v.([]any)
	if !ok {
		return rows{}, false
	}
	out := rows{byID: map[string]any{}}
	for _, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			return rows{}, false
		}
		id, ok := m["_id"].(string)
		if !ok || id == "" || out.byID[id] != nil {
			return rows{}, false
		}
		out.order = append(out.order, id)
		out.byID[id] = item
	}
	return out, true
}

func (r rows) list() any {
	out := make([]any, 0, len(r.order))
	for _, id := range r.order {
		out = append(out, r.byID[id])
	}
	return out
}

// mergeInto brings what mine changed against base into merged.
func mergeInto(merged, base, mine rows) (rows, bool) {
	out := rows{byID: map[string]any{}}
	for _, id := range merged.order {
		has, was, want := merged.byID[id], base.byID[id], mine.byID[id]
		switch {
		case was == nil || reflect.DeepEqual(was, want): // not mine, or left as it was
			if was == nil && want != nil && !reflect.DeepEqual(has, want) {
				return rows{}, false // both made a row of this id, differently
			}
			out.add(id, has)
		case reflect.DeepEqual(has, was): // only I changed it
			if want != nil {
				out.add(id, want)
			}
		case reflect.DeepEqual(has, want):
			out.add(id, has)
		default:
			return rows{}, false
		}
	}
	for _, id := range mine.order {
		if out.byID[id] != nil || merged.byID[id] != nil {
			continue
		}
		if was := base.byID[id]; was != nil { // another writer removed it
			if !reflect.DeepEqual(was, mine.byID[id]) {
				return rows{}, false
			}
			continue
		}
		out.add(id, mine.byID[id])
	}
	return out, true
}

func (r *rows) add(id string, row any) {
	r.order = append(r.order, id)
	r.byID[id] = row
}
