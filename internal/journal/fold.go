package journal

// Fold turns a stream's entries into records as they stand now.
//
// Each cell (a field; a part of a group or matrix; a cell of a row of a
// repeat) is a multi-value register over the graph that Follows makes: an
// answer is replaced by an answer whose writer had seen it, and by nothing
// else. Two answers of which neither writer had seen the other stand beside
// each other; if they differ, the cell is in dispute and stays so until an
// amendment that follows both settles it. A row that one writer removed while
// another changed it is kept, and in dispute. The result depends only on the
// set of entries, never on the order of their arrival.

import (
	"reflect"
	"sort"
	"strings"
	"time"
)

// Shape says how far an answer is taken apart when it is merged. The journal
// does not know forms; whoever folds brings the shapes.
type Shape int

// The shapes.
const (
	Whole Shape = iota // one cell: the answer changes as a whole
	Parts              // an object whose keys are merged one by one (group, matrix)
	Rows               // rows with "_id", merged one by one (repeat); {"_id", "_gone": true} removes one
)

// Shapes gives the shape of a field of a form. The path is dotted and without
// row ids: "caregivers", "caregivers.age", "domain.safety".
type Shapes func(form, path string) Shape

// AllWhole is the Shapes of forms without groups, matrices and repeats.
func AllWhole(string, string) Shape { return Whole }

// Keys of a row that are not answers.
const (
	rowID   = "_id"
	rowGone = "_gone"
)

// Record is one filled form as it stands now.
type Record struct {
	ID          string
	Form        string
	FormVersion int // the newest version that any entry used
	Heads       []string
	Fields      map[string]Field        // by top-level name
	Parts       map[Tier]map[string]any // the same answers, apart by tier
	Disputes    []Dispute               // ordered by path
	Entries     []Opened                // of this record, in the stream's order
	Struck      bool
	StruckBy    string
	StruckWhy   string // empty when the story tier is closed
	Author      string // of the first entry
	FirstAt     time.Time
	LastAt      time.Time
	RecordedAt  time.Time // when its newest entry was recorded
}

// Field is the answer to one question as it stands now. Entry, Author and At
// are those of the newest answer to it or to anything in it.
type Field struct {
	Value  any // nil when cleared; of cells in dispute, the newest by time of writing, then id
	Tier   Tier
	Entry  string
	Author string
	At     time.Time
	// Disputed holds two or more answers when nobody has settled them. For
	// disputes inside a container see Record.Disputes.
	Disputed []Version
}

// Version is one of several answers in dispute.
type Version struct {
	Value  any // nil: cleared, or (of a row) removed
	Entry  string
	Author string
	At     time.Time
}

// Dispute is a cell with answers that nobody has settled.
type Dispute struct {
	Path     string // caregivers[r1].age; of a row: caregivers[r1]
	Field    string // top-level name
	Tier     Tier
	Versions []Version // by time of writing, then id; of a row: the removal, then the row as it is kept
	steps    []string
}

// InDispute says whether any cell of the record has more than one answer.
func (r *Record) InDispute() bool { return len(r.Disputes) > 0 }

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

// Settle gives the changes that an amendment following all heads must carry
// for value to be the one answer.
func (d Dispute) Settle(value any) map[string]any {
	last := len(d.steps) - 1
	var change any
	if id, ok := strings.CutPrefix(d.steps[last], "#"); ok {
		row := map[string]any{rowID: id}
		if value == nil {
			row[rowGone] = true
		} else if fields, ok := value.(map[string]any); ok {
			for k, v := range fields {
				row[k] = v
			}
		}
		change = []any{row}
	} else {
		change = map[string]any{d.steps[last]: value}
	}
	for i := last - 1; i >= 0; i-- {
		if id, ok := strings.CutPrefix(d.steps[i], "#"); ok {
			row := change.(map[string]any)
			row[rowID] = id
			change = []any{row}
			continue
		}
		change = map[string]any{d.steps[i]: change}
	}
	if m, ok := change.(map[string]any); ok {
		return m
	}
	return nil // a path always starts with a field
}

// Fold gives the records of a history, by record id.
func Fold(history []Opened, shapes Shapes) map[string]*Record {
	groups := map[string][]Opened{}
	for _, o := range history {
		groups[o.Record] = append(groups[o.Record], o)
	}
	out := make(map[string]*Record, len(groups))
	for id, entries := range groups {
		out[id] = foldRecord(id, entries, shapes)
	}
	return out
}

func foldRecord(id string, entries []Opened, shapes Shapes) *Record {
	g := newGraph(entries)
	first := earliest(entries)
	r := &Record{ID: id, Form: first.Form, Author: first.Author, FirstAt: first.WrittenAt, Entries: entries,
		Fields: map[string]Field{}, Parts: map[Tier]map[string]any{}}
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
	for i, e := range entries {
		if e.Act == Strike && !g.answered(i) {
			r.Struck, r.StruckBy = true, e.Author
			if why, ok := e.Answers[Story]["reason"].(string); ok {
				r.StruckWhy = why
			}
		}
	}
	if len(entries) == 1 && r.takeAlone(first) {
		return r
	}
	s := newSheet(g, first.Form, shapes)
	s.settle()
	s.fill(r)
	return r
}

// takeAlone fills a record of one entry, the commonest kind, without taking
// it apart. It declines where that is not the same: rows that stand in several
// tiers, or cleared answers.
func (r *Record) takeAlone(e Opened) bool {
	for tier, fields := range e.Answers {
		for name, v := range fields {
			if _, twice := r.Fields[name]; twice || v == nil || e.Act == Strike {
				r.Fields, r.Parts = map[string]Field{}, map[Tier]map[string]any{}
				return false
			}
			r.Fields[name] = Field{Value: v, Tier: tier, Entry: e.ID, Author: e.Author, At: e.WrittenAt}
		}
		r.Parts[tier] = fields
	}
	return true
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

// sep joins the steps of a path to a key. Rows stand as "#id".
const sep = "\x1f"

// write is one thing that one entry says about one path.
type write struct {
	at    int // index of its entry
	tier  Tier
	value any  // nil clears
	row   bool // says only that the row is there
	gone  bool // says that the row is removed
	place int  // of a row, among the rows of its entry
}

// sheet is all cells of one record.
type sheet struct {
	g      *graph
	form   string
	shapes Shapes
	writes map[string][]write // by path
	clears map[string][]write // of containers, by path
	cells  map[string]cell
	order  []string // paths in the order in which they were met
}

// cell is what stands at a path.
type cell struct {
	write
	there    bool
	versions []Version
}

func newSheet(g *graph, form string, shapes Shapes) *sheet {
	s := &sheet{g: g, form: form, shapes: shapes, writes: map[string][]write{}, clears: map[string][]write{}, cells: map[string]cell{}}
	for i, e := range g.entries {
		if e.Act == Strike {
			continue
		}
		for _, tier := range Tiers {
			for name, v := range e.Answers[tier] {
				s.take(write{at: i, tier: tier, value: v}, name, name)
			}
		}
	}
	sort.Strings(s.order)
	return s
}

// take files what an entry says under key; path is the same for Shapes.
func (s *sheet) take(w write, key, path string) {
	shape := s.shapes(s.form, path)
	if shape != Whole && w.value == nil {
		s.clears[key] = append(s.clears[key], w)
		s.note(key)
		return
	}
	if m, ok := w.value.(map[string]any); ok && shape == Parts {
		for k, v := range m {
			w.value = v
			s.take(w, key+sep+k, path+"."+k)
		}
		return
	}
	if list, ok := w.value.([]any); ok && shape == Rows {
		for i, item := range list {
			w.place = i
			s.takeRow(w, item, key, path)
		}
		return
	}
	s.note(key)
	s.writes[key] = append(s.writes[key], w)
}

func (s *sheet) takeRow(w write, item any, key, path string) {
	row, ok := item.(map[string]any)
	if !ok {
		return // forms refuse such rows at the door
	}
	id, _ := row[rowID].(string)
	key += sep + "#" + id
	s.note(key)
	w.gone, w.row = row[rowGone] == true, true
	w.value = nil
	s.writes[key] = append(s.writes[key], w)
	if w.gone {
		return
	}
	w.row = false
	for k, v := range row {
		if k == rowID || k == rowGone {
			continue
		}
		w.value = v
		s.take(w, key+sep+k, path+"."+k)
	}
}

func (s *sheet) note(key string) {
	if s.writes[key] == nil && s.clears[key] == nil {
		s.order = append(s.order, key)
	}
}

// settle finds what stands at every path. Rows come before their cells,
// because paths are sorted and a row's path starts its cells' paths.
func (s *sheet) settle() {
	for _, key := range s.order {
		writes := s.writes[key]
		if len(writes) == 0 {
			continue // only ever cleared
		}
		if writes[0].row {
			s.settleRow(key, writes)
			continue
		}
		s.settleCell(key, writes)
	}
}

func (s *sheet) settleCell(key string, writes []write) {
	top := s.newest(append(append([]write(nil), writes...), s.above(key)...))
	last := top[len(top)-1]
	c := cell{write: last, there: last.value != nil && !last.gone}
	c.tier = writes[0].tier
	if different := distinct(top); len(different) > 1 {
		c.versions = s.versions(different)
	}
	s.cells[key] = c
}

// above gives the clears of containers and the removals of rows that hold key.
// Inside a row whose removal is in dispute they do not count yet.
func (s *sheet) above(key string) []write {
	var out []write
	for i := strings.LastIndex(key, sep); i >= 0; i = strings.LastIndex(key[:i], sep) {
		if c, ok := s.cells[key[:i]]; ok && c.row && len(c.versions) > 0 {
			break
		}
		out = append(out, s.clears[key[:i]]...)
		out = append(out, goneOf(s.writes[key[:i]])...)
	}
	return out
}

// settleRow decides whether a row is there. It is removed by somebody who had
// seen everything that was written in it; a removal and a change of which
// neither writer had seen the other are a dispute, and the row stays.
func (s *sheet) settleRow(key string, writes []write) {
	c := cell{write: s.first(writes), there: true}
	inside := s.inside(key)
	removals := append(goneOf(writes), s.above(key)...)
	var against, open []write // removals in dispute, and what they had not seen
	for _, g := range removals {
		missed := s.missed(g, inside)
		c.there = c.there && len(missed) > 0
		unsettled := s.unsettled(g, missed, append(removals, inside...))
		if len(unsettled) > 0 {
			against, open = append(against, g), append(open, unsettled...)
		}
	}
	if c.there && len(open) > 0 {
		c.versions = s.versions([]write{s.latest(against), s.latest(open)})
		c.versions[0].Value = nil
	}
	s.cells[key] = c
}

// latest gives the last write by time of writing, then id.
func (s *sheet) latest(writes []write) write {
	best := writes[0]
	for _, w := range writes[1:] {
		if before(s.g.entries[best.at].Entry, s.g.entries[w.at].Entry) {
			best = w
		}
	}
	return best
}

// first gives the earliest write that names a row: its place is the row's.
func (s *sheet) first(writes []write) write {
	best := writes[0]
	for _, w := range writes[1:] {
		if best.gone || !w.gone && before(s.g.entries[w.at].Entry, s.g.entries[best.at].Entry) {
			best = w
		}
	}
	return best
}

func goneOf(writes []write) []write {
	var out []write
	for _, w := range writes {
		if w.gone {
			out = append(out, w)
		}
	}
	return out
}

// inside gives everything that was written about a row and its cells, but
// removals.
func (s *sheet) inside(key string) []write {
	var out []write
	for _, k := range s.order[sort.SearchStrings(s.order, key):] {
		if !strings.HasPrefix(k, key) {
			break
		}
		if k != key && !strings.HasPrefix(k, key+sep) {
			continue // another row whose id starts alike
		}
		for _, w := range s.writes[k] {
			if !w.gone {
				out = append(out, w)
			}
		}
	}
	return out
}

// missed gives the writes that the writer of g had not seen (his own count as
// seen).
func (s *sheet) missed(g write, writes []write) []write {
	var out []write
	for _, w := range writes {
		if w.at != g.at && !s.g.seen[g.at][w.at] {
			out = append(out, w)
		}
	}
	return out
}

// unsettled leaves the writes whose writers had not seen g either, unless
// somebody wrote on who had seen both.
func (s *sheet) unsettled(g write, missed, all []write) []write {
	var out []write
	for _, w := range missed {
		open := !s.g.seen[w.at][g.at]
		for _, x := range all {
			open = open && !(s.g.seen[x.at][w.at] && s.g.seen[x.at][g.at])
		}
		if open {
			out = append(out, w)
		}
	}
	return out
}

// newest leaves the writes that no other write's author had seen, ordered by
// time of writing, then id.
func (s *sheet) newest(writes []write) []write {
	var out []write
	for _, w := range writes {
		replaced := false
		for _, other := range writes {
			replaced = replaced || s.g.seen[other.at][w.at]
		}
		if !replaced {
			out = append(out, w)
		}
	}
	sort.SliceStable(out, func(a, b int) bool {
		return before(s.g.entries[out[a].at].Entry, s.g.entries[out[b].at].Entry)
	})
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

func (s *sheet) versions(writes []write) []Version {
	var out []Version
	for _, w := range writes {
		e := s.g.entries[w.at]
		out = append(out, Version{Value: w.value, Entry: e.ID, Author: e.Author, At: e.WrittenAt})
	}
	return out
}

// fill puts what stands into the record: answers as a whole, answers by tier,
// and disputes.
func (s *sheet) fill(r *Record) {
	all := &tree{}
	byTier := map[Tier]*tree{}
	for _, key := range s.order {
		c, ok := s.cells[key]
		if !ok {
			s.noteField(r, key, s.clears[key])
			continue
		}
		s.noteField(r, key, s.writes[key])
		if len(c.versions) > 0 {
			r.Disputes = append(r.Disputes, s.dispute(r, key, c))
		}
		if !c.there || s.rowGone(key) {
			continue
		}
		made := &s.g.entries[c.at].Entry
		all.put(key, c, made)
		tiers := []Tier{c.tier}
		if c.row {
			tiers = s.tiersOf(key)
		}
		for _, t := range tiers {
			if byTier[t] == nil {
				byTier[t] = &tree{}
			}
			byTier[t].put(key, c, made)
		}
	}
	for i, d := range r.Disputes {
		if strings.HasPrefix(d.steps[len(d.steps)-1], "#") { // the kept version is the whole row
			d.Versions[1].Value = all.at(d.steps)
			r.Disputes[i] = d
		}
	}
	for name, v := range all.object() {
		f := r.Fields[name]
		f.Value = v
		r.Fields[name] = f
	}
	for t, tree := range byTier {
		r.Parts[t] = tree.object()
	}
}

// rowGone says whether a row that holds key is removed.
func (s *sheet) rowGone(key string) bool {
	for i := strings.LastIndex(key, sep); i >= 0; i = strings.LastIndex(key[:i], sep) {
		if c, ok := s.cells[key[:i]]; ok && c.row && !c.there {
			return true
		}
	}
	return false
}

// tiersOf lists the tiers in which a row was named.
func (s *sheet) tiersOf(key string) []Tier {
	var out []Tier
	for _, w := range s.writes[key] {
		if !w.gone && !wanted(w.tier, out) {
			out = append(out, w.tier)
		}
	}
	return out
}

// noteField keeps who last wrote anything in the top-level field of key.
func (s *sheet) noteField(r *Record, key string, writes []write) {
	name, _, _ := strings.Cut(key, sep)
	f, known := r.Fields[name]
	for _, w := range writes {
		e := s.g.entries[w.at]
		if !known || f.At.Before(e.WrittenAt) || f.At.Equal(e.WrittenAt) && f.Entry < e.ID {
			f.Entry, f.Author, f.At = e.ID, e.Author, e.WrittenAt
		}
		if !known {
			f.Tier, known = w.tier, true
		}
	}
	r.Fields[name] = f
}

func (s *sheet) dispute(r *Record, key string, c cell) Dispute {
	steps := strings.Split(key, sep)
	d := Dispute{Field: steps[0], Tier: c.tier, Versions: c.versions, steps: steps, Path: pathWords(steps)}
	if len(steps) == 1 {
		f := r.Fields[steps[0]]
		f.Disputed = c.versions
		r.Fields[steps[0]] = f
	}
	return d
}

func pathWords(steps []string) string {
	var b strings.Builder
	for i, step := range steps {
		if id, ok := strings.CutPrefix(step, "#"); ok {
			b.WriteString("[" + id + "]")
			continue
		}
		if i > 0 {
			b.WriteString(".")
		}
		b.WriteString(step)
	}
	return b.String()
}
