// Package synth makes synthetic microdata: records that nobody is, with the
// counts of combinations that the real persons have. This file is the
// k-anonymous mode; differentially private synthesis is in private.go.
package synth

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"banyan/internal/disclosure/count"
	"banyan/internal/disclosure/table"
)

// KAnonymous makes as many records as there are persons. Every record, taken
// whole, is a set of attributes that at least k real persons share, so every
// combination in it, of any length, occurs in at least k real rows. What is
// kept is chosen so that the counts of combinations of up to length attributes
// stay as near to the real ones as that rule allows.
//
// Where t knows case groups, the persons who share a record are of two groups or
// more: what a single case has in common is not in the records.
//
// It stops with an error, and no records, soon after ctx is done.
func KAnonymous(ctx context.Context, t *table.Table, k, length int) (*table.Table, error) {
	s := newKAnon(t.Distinct(), k, length)
	s.done = ctx.Done()
	s.seed()
	s.fill()
	s.exchange(exchanges(s.d.Rows()))
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("make the records: %w", err)
	}
	return s.table(t), nil
}

// kanon is the state of a synthesis.
//
// Work that does not depend on what was decided a moment ago is done by all cores
// in batches of a fixed size; decisions are taken one after the other. So the
// records are the same at any number of cores.
type kanon struct {
	*people
	combos index
	keys   []count.Key
	real   []float64
	syn    []float64
	weight []float64 // worth of one person in a combination: relative error, lengths alike
	// What follows from syn, kept because it is asked for far more often than syn
	// changes.
	need []float64 // see needed
	up   []float64 // what one record more brings
	down []float64 // what one record less costs

	records []record
	workers []*worker
	ids     []int32
	done    <-chan struct{} // closed when the caller gave up
}

// record is a set of attributes that n output rows have.
type record struct {
	attrs []table.Attr
	n     int
	can   []table.Attr // what k of those who share attrs have beside; nil: not asked yet
	in    []int32      // the combinations that it holds; nil: not asked yet
}

// stopped reports whether the caller gave up; what was made by then is dropped.
func (s *kanon) stopped() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func newKAnon(d *table.Distinct, k, length int) *kanon {
	s := &kanon{people: newPeople(d, k)}
	for range min(runtime.GOMAXPROCS(0), 16) {
		s.workers = append(s.workers, &worker{kanon: s, tally: newTally(s.people)})
	}
	frequent := count.Combinations(d, length, k)
	if d.Group != nil {
		var attrs []table.Attr
		frequent = slices.DeleteFunc(frequent, func(c count.Combo) bool {
			attrs = c.Key.Attrs(attrs)
			return !s.supported(attrs)
		})
	}
	s.combos = newIndex(frequent, length)
	for _, values := range []*[]float64{&s.real, &s.syn, &s.weight, &s.need, &s.up, &s.down} {
		*values = make([]float64, len(frequent))
	}
	var ofLength [count.MaxLength + 1]float64
	for _, c := range frequent {
		ofLength[c.Key.Len()]++
	}
	for i, c := range frequent {
		s.keys = append(s.keys, c.Key)
		s.real[i] = float64(c.N)
		s.weight[i] = float64(len(frequent)) / ofLength[c.Key.Len()] / s.real[i]
		s.change(int32(i), 0)
	}
	return s
}

// change gives n records more combination c.
func (s *kanon) change(c int32, n float64) {
	s.syn[c] += n
	s.need[c] = s.needed(c)
	s.up[c], s.down[c] = s.worth(c, s.syn[c]), s.worth(c, s.syn[c]-1)
}

// needed is how much one more record with combination c is worth while seeding.
func (s *kanon) needed(c int32) float64 {
	if s.syn[c] == 0 {
		return 8
	}
	return (s.real[c] - s.syn[c]) / s.real[c]
}

// firstBonus is what it is worth, beside the count, that a combination appears
// at all: a false zero is worse than a count that is off by one.
const firstBonus = 0.3

// worth is what a record more in combination c brings when syn records have it:
// the fall of the weighted distance to the real count.
func (s *kanon) worth(c int32, syn float64) float64 {
	switch short := s.real[c] - syn; {
	case syn < 1:
		return s.weight[c] * (1 + firstBonus*s.real[c])
	case short >= 1:
		return s.weight[c]
	default:
		return s.weight[c] * (2*max(short, 0) - 1)
	}
}

// sum adds up the values of combinations.
func sum(values []float64, ids []int32) (total float64) {
	for _, c := range ids {
		total += values[c]
	}
	return total
}

// worker is one core's scratch memory.
type worker struct {
	*kanon
	crowd crowd
	tally *tally
	ids   []int32
	can   []table.Attr
}

// batch is how many pieces of work are handed out before decisions are taken.
const batch = 256

// parallel does n pieces of work on all cores. Each must write to its own place
// only.
func (s *kanon) parallel(n int, work func(w *worker, i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for _, w := range s.workers[:min(len(s.workers), n)] {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !s.stopped(); i = int(next.Add(1)) - 1 {
				work(w, i)
			}
		})
	}
	wg.Wait()
}

// seed makes one record from every person: whole where enough others share the
// whole, otherwise a part, begun at the combination that is most in need and
// grown while k persons share it.
func (s *kanon) seed() {
	whole := make([]bool, s.d.Rows())
	s.parallel(len(whole), func(_ *worker, i int) {
		row := s.d.Row(i)
		whole[i] = len(row) == 0 || s.d.Weight[i] >= s.k && s.d.Group == nil || s.supported(row)
	})
	var parts []int
	for i := range s.d.Rows() {
		if s.stopped() {
			return
		}
		if whole[i] {
			s.put(s.d.Row(i), int(s.d.Weight[i]))
			continue
		}
		parts = append(parts, i)
	}
	// Long rows hold the rarest combinations.
	slices.SortStableFunc(parts, func(a, b int) int { return cmp.Compare(len(s.d.Row(b)), len(s.d.Row(a))) })
	// Equal persons take turns: the next of them is asked when all others have been.
	made := make([][]table.Attr, seedBatch)
	for turn := uint32(0); len(parts) > 0; turn++ {
		parts = slices.DeleteFunc(parts, func(i int) bool { return s.d.Weight[i] <= turn })
		for some := range slices.Chunk(parts, seedBatch) {
			s.parallel(len(some), func(w *worker, i int) { made[i] = w.grow(s.d.Row(some[i])) })
			if s.stopped() {
				return
			}
			for i := range some {
				s.put(made[i], 1)
			}
		}
	}
}

// seedBatch persons are seeded by the same state of need.
const seedBatch = 32

// grow chooses the part of row that becomes a record.
func (w *worker) grow(row []table.Attr) []table.Attr {
	w.ids = w.combos.within(row, w.ids[:0])
	best, start := 0.0, int32(-1)
	for _, c := range w.ids {
		if v := w.need[c] * float64(w.keys[c].Len()); v > best {
			best, start = v, c
		}
	}
	if start < 0 {
		return nil
	}
	have := w.keys[start].Attrs(make([]table.Attr, 0, len(row)))
	w.crowd.find(w.people, have)
	can := w.can[:0]
	for _, a := range row {
		if !slices.Contains(have, a) {
			can = append(can, a)
		}
	}
	w.can = can
	for {
		// Who shares what is added shares the rest: what is too rare stays so.
		can = slices.DeleteFunc(can, func(a table.Attr) bool { return !w.crowd.enough(w.people, a) })
		pick, gain := -1, 0.0
		for i, a := range can {
			w.ids = w.combos.with(have, a, w.ids[:0])
			if g := sum(w.need, w.ids); g > gain {
				pick, gain = i, g
			}
		}
		if pick < 0 {
			return have
		}
		w.crowd.narrow(w.people, can[pick])
		have = insert(have, can[pick])
		can = slices.Delete(can, pick, pick+1)
	}
}

// insert puts a into ascending attributes.
func insert(have []table.Attr, a table.Attr) []table.Attr {
	i, _ := slices.BinarySearch(have, a)
	return slices.Insert(have, i, a)
}

// extensions lists what k of those who share attrs have beside.
func (w *worker) extensions(attrs []table.Attr) []table.Attr {
	w.crowd.find(w.people, attrs)
	return w.tally.extensions(w.people, &w.crowd, attrs)
}

// fill gives back what cutting took away: attributes are added to records, while
// k persons share the whole, where that brings the counts of combinations nearer
// to the real ones. Equal records are treated together, in shares of an eighth,
// so that a gain that the first of them brings is not spent on all.
func (s *kanon) fill() {
	var with [batch][][]int32 // record → attribute that it can have → combinations that it would bring
	for range 6 {
		s.group()
		var added []record
		for from := 0; from < len(s.records); from += batch {
			some := s.records[from:min(from+batch, len(s.records))]
			s.parallel(len(some), func(w *worker, i int) {
				r := &some[i]
				if len(r.attrs) > 0 && r.can == nil {
					r.can = w.extensions(r.attrs)
				}
				with[i] = slices.Grow(with[i][:0], len(r.can))[:len(r.can)]
				for j, a := range r.can {
					with[i][j] = w.combos.with(r.attrs, a, with[i][j][:0])
				}
			})
			if s.stopped() {
				return
			}
			for i := range some {
				added = s.lengthen(&some[i], with[i], added)
			}
		}
		s.records = append(s.records, added...)
		if len(added) == 0 {
			return
		}
	}
}

// lengthen gives shares of equal records r the attributes that bring most; with
// has the combinations that each would bring.
func (s *kanon) lengthen(r *record, with [][]int32, added []record) []record {
	if len(r.can) == 0 {
		return added
	}
	gains := make([]float64, len(r.can))
	for j := range gains {
		gains[j] = sum(s.up, with[j])
	}
	for r.n > 0 {
		pick, gain := -1, 1e-12
		for j, g := range gains {
			if g > gain {
				pick, gain = j, g
			}
		}
		if pick < 0 {
			break
		}
		n := (r.n + 7) / 8
		r.n -= n
		for _, c := range with[pick] {
			s.change(c, float64(n))
		}
		// No combination with one attribute more holds another: other gains stay.
		gains[pick] = sum(s.up, with[pick])
		added = append(added, record{attrs: insert(slices.Clone(r.attrs), r.can[pick]), n: n})
	}
	return added
}

// exchanges bounds the work of exchange: more where a try is cheap.
func exchanges(distinct int) int { return 36_000 + 200_000_000/max(distinct, 5_000) }

// built is a record that exchange may put in another's place.
type built struct {
	record
	wanted int32
}

// exchange replaces records that matter least with records grown from the
// combinations most in need, one by one, while that brings counts nearer. The
// choice is random but seeded by nothing that is secret: the same data give the
// same records.
func (s *kanon) exchange(tries int) {
	rng := rand.New(rand.NewPCG(0x62616e79616e, 1))
	s.group()
	if len(s.records) == 0 || len(s.real) == 0 {
		return
	}
	order := make([]int32, len(s.real))
	for i := range order {
		order[i] = int32(i)
	}
	lack := make([]float64, len(s.real))
	made := make([]built, exchangeBatch)
	for round := 0; round < 8 && tries > 0; round++ {
		for c := range lack {
			lack[c] = s.weight[c] * (s.real[c] - s.syn[c])
			if s.syn[c] == 0 {
				lack[c] *= 1 + 10*firstBonus
			}
		}
		slices.SortFunc(order, func(a, b int32) int {
			return cmp.Or(cmp.Compare(lack[b], lack[a]), cmp.Compare(a, b))
		})
		now := order[:min(len(order), max(tries/(8-round), 1))]
		tries -= len(now)
		won := 0
		for some := range slices.Chunk(now, exchangeBatch) {
			s.parallel(len(some), func(w *worker, i int) { made[i] = w.build(some[i]) })
			if s.stopped() {
				return
			}
			for i := range some {
				if s.place(made[i], rng) {
					won++
				}
			}
		}
		if won == 0 {
			return
		}
	}
}

// exchangeBatch records are built by the same state of the counts.
const exchangeBatch = 32

// place puts b in the place of the record that matters least of some, if b
// matters more.
func (s *kanon) place(b built, rng *rand.Rand) bool {
	if b.attrs == nil || s.real[b.wanted]-s.syn[b.wanted] < 1 {
		return false
	}
	victim, cost := -1, sum(s.up, b.in)
	for range 48 {
		v := rng.IntN(len(s.records))
		r := &s.records[v]
		if r.n == 0 {
			continue
		}
		if r.in == nil {
			r.in = s.combos.within(r.attrs, []int32{})
		}
		if l := sum(s.down, r.in); l < cost {
			victim, cost = v, l
		}
	}
	if victim < 0 {
		return false
	}
	old := &s.records[victim]
	old.n--
	for _, c := range old.in {
		s.change(c, -1)
	}
	for _, c := range b.in {
		s.change(c, 1)
	}
	s.records = append(s.records, b.record)
	return true
}

// build grows a record from combination c by whatever brings most.
func (w *worker) build(c int32) built {
	if w.real[c]-w.syn[c] < 1 {
		return built{}
	}
	have := w.keys[c].Attrs(nil)
	can := w.extensions(have)
	for {
		pick, best := -1, 1e-12
		for j, a := range can {
			w.ids = w.combos.with(have, a, w.ids[:0])
			if g := sum(w.up, w.ids); g > best {
				pick, best = j, g
			}
		}
		if pick < 0 {
			return built{record{attrs: have, n: 1, in: w.combos.within(have, nil)}, c}
		}
		w.crowd.narrow(w.people, can[pick])
		have = insert(have, can[pick])
		can = slices.Delete(can, pick, pick+1)
		can = slices.DeleteFunc(can, func(a table.Attr) bool { return !w.crowd.enough(w.people, a) })
	}
}

// group joins equal records and puts all in the order of their attributes.
func (s *kanon) group() {
	slices.SortFunc(s.records, func(a, b record) int { return slices.Compare(a.attrs, b.attrs) })
	out := s.records[:0]
	for _, r := range s.records {
		switch last := len(out) - 1; {
		case r.n == 0:
		case last >= 0 && slices.Equal(out[last].attrs, r.attrs):
			out[last].n += r.n
			if out[last].can == nil {
				out[last].can = r.can
			}
		default:
			out = append(out, r)
		}
	}
	clear(s.records[len(out):])
	s.records = out
}

// put records n output rows with attrs.
func (s *kanon) put(attrs []table.Attr, n int) {
	s.records = append(s.records, record{attrs: attrs, n: n})
	s.ids = s.combos.within(attrs, s.ids[:0])
	for _, c := range s.ids {
		s.change(c, float64(n))
	}
}

// table gives the records as microdata in the order of their attributes, so that
// a record's place says nothing about whom it was seeded by.
func (s *kanon) table(like *table.Table) *table.Table {
	slices.SortStableFunc(s.records, func(a, b record) int { return slices.Compare(a.attrs, b.attrs) })
	b := table.NewBuilder(like)
	for _, r := range s.records {
		for range r.n {
			b.Add(r.attrs)
		}
	}
	return b.Table()
}
