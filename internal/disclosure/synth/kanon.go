// Package synth makes synthetic microdata: records that nobody is, with the
// counts of combinations that the real persons have. This file is the
// k-anonymous mode; differentially private synthesis is in dp.go.
package synth

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

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
type kanon struct {
	d      *table.Distinct
	k      uint32
	length int
	bits   [][]uint64 // attribute → bitmap of distinct rows
	combos index
	keys   []count.Key
	real   []float64
	syn    []float64
	weight []float64 // worth of one person in a combination: relative error, lengths alike

	records []record
	list    []uint32
	counts  []uint32
	first   []uint32 // with case groups: the group of the first person counted
	several []bool   // … and whether another group was counted
	and     []uint64
	done    <-chan struct{} // closed when the caller gave up
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

// record is a set of attributes that n output rows have.
type record struct {
	attrs []table.Attr
	n     int
	in    []int32 // the frequent combinations that it holds; found when first asked for
}

func newKAnon(d *table.Distinct, k, length int) *kanon {
	s := &kanon{d: d, k: uint32(k), length: length, counts: make([]uint32, len(d.Attrs)), first: make([]uint32, len(d.Attrs)), several: make([]bool, len(d.Attrs))}
	words := (d.Rows() + 63) / 64
	all := make([]uint64, words*len(d.Attrs))
	for range d.Attrs {
		s.bits = append(s.bits, all[:words:words])
		all = all[words:]
	}
	for i := range d.Rows() {
		for _, a := range d.Row(i) {
			s.bits[a][i>>6] |= 1 << (i & 63)
		}
	}
	s.and = make([]uint64, words)
	frequent := count.Combinations(d, length, k)
	if d.Group != nil {
		var attrs []table.Attr
		frequent = slices.DeleteFunc(frequent, func(c count.Combo) bool {
			attrs = c.Key.Attrs(attrs)
			return !s.supported(attrs)
		})
	}
	s.combos = newIndex(frequent)
	s.real = make([]float64, len(frequent))
	s.syn = make([]float64, len(frequent))
	s.weight = make([]float64, len(frequent))
	var ofLength [count.MaxLength + 1]float64
	for _, c := range frequent {
		ofLength[c.Key.Len()]++
	}
	for i, c := range frequent {
		s.keys = append(s.keys, c.Key)
		s.real[i] = float64(c.N)
		s.weight[i] = float64(len(frequent)) / ofLength[c.Key.Len()] / s.real[i]
	}
	return s
}

// rowsWith lists the distinct rows that hold all of attrs.
func (s *kanon) rowsWith(attrs []table.Attr, dst []uint32) []uint32 {
	dst = dst[:0]
	first := s.bits[attrs[0]]
	for w, x := range first {
		for _, a := range attrs[1:] {
			x &= s.bits[a][w]
		}
		for ; x != 0; x &= x - 1 {
			dst = append(dst, uint32(w<<6+trailing(x)))
		}
	}
	return dst
}

// seed makes one record from every person: whole where enough others share the
// whole, otherwise a part, begun at the combination that is most in need and
// grown while k persons share it.
func (s *kanon) seed() {
	type job struct {
		row, weight int
	}
	var parts []job
	for i := range s.d.Rows() {
		if s.stopped() {
			return
		}
		row := s.d.Row(i)
		w := int(s.d.Weight[i])
		if len(row) == 0 || uint32(w) >= s.k && s.d.Group == nil || s.supported(row) {
			s.put(row, w)
			continue
		}
		parts = append(parts, job{i, w})
	}
	// Long rows hold the rarest combinations.
	slices.SortStableFunc(parts, func(a, b job) int { return cmp.Compare(len(s.d.Row(b.row)), len(s.d.Row(a.row))) })
	var have []table.Attr
	for _, p := range parts {
		for range p.weight {
			if s.stopped() {
				return
			}
			have = s.grow(s.d.Row(p.row), have[:0])
			s.put(slices.Clone(have), 1)
		}
	}
}

// supported reports whether k persons share all of attrs, of two case groups or
// more where groups are known.
func (s *kanon) supported(attrs []table.Attr) bool {
	n, first, several := uint32(0), table.Several, s.d.Group == nil
	for w, x := range s.bits[attrs[0]] {
		for _, a := range attrs[1:] {
			if x == 0 {
				break
			}
			x &= s.bits[a][w]
		}
		for ; x != 0; x &= x - 1 {
			r := w<<6 + trailing(x)
			if !several {
				if n == 0 {
					first = s.d.Group[r]
				}
				several = first == table.Several || first != s.d.Group[r]
			}
			if n += s.d.Weight[r]; n >= s.k && several {
				return true
			}
		}
	}
	return false
}

// need is how much one more record with combination c is worth.
func (s *kanon) need(c int32) float64 {
	if s.syn[c] == 0 {
		return 8
	}
	return (s.real[c] - s.syn[c]) / s.real[c]
}

// grow chooses the part of row that becomes a record.
func (s *kanon) grow(row []table.Attr, have []table.Attr) []table.Attr {
	best := 0.0
	var start [count.MaxLength]table.Attr
	n := 0
	s.each(row, nil, func(c int32, attrs []table.Attr) {
		if v := s.need(c) * float64(len(attrs)); v > best {
			best, n = v, copy(start[:], attrs)
		}
	})
	if n == 0 {
		return have
	}
	have = append(have, start[:n]...)
	s.list = s.rowsWith(have, s.list)
	for {
		// Who else shares what could be added?
		for _, r := range s.list {
			for _, a := range s.d.Row(int(r)) {
				s.tally(a, r)
			}
		}
		pick, gain := table.Attr(0), 0.0
		for _, a := range row {
			if !s.enough(a) || slices.Contains(have, a) {
				continue
			}
			g := 0.0
			s.each(have, &a, func(c int32, _ []table.Attr) { g += s.need(c) })
			if g > gain {
				pick, gain = a, g
			}
		}
		for _, r := range s.list {
			for _, a := range s.d.Row(int(r)) {
				s.counts[a] = 0
			}
		}
		if gain == 0 {
			slices.Sort(have)
			return have
		}
		have = append(have, pick)
		keep := s.list[:0]
		bits := s.bits[pick]
		for _, r := range s.list {
			if bits[r>>6]>>(r&63)&1 == 1 {
				keep = append(keep, r)
			}
		}
		s.list = keep
	}
}

// fill gives back what cutting took away: attributes are added to records, while
// k persons share the whole, where that brings the counts of combinations nearer
// to the real ones. Equal records are treated together, in shares of an eighth,
// so that a gain that the first of them brings is not spent on all.
func (s *kanon) fill() {
	for range 6 {
		s.group()
		var added []record
		changed := 0
		for i := range s.records {
			if s.stopped() {
				return
			}
			r := &s.records[i]
			if len(r.attrs) == 0 {
				continue
			}
			can := s.extensions(r.attrs)
			for r.n > 0 && len(can) > 0 {
				pick, gain := -1, 1e-12
				for j, a := range can {
					if g := s.gain(r.attrs, a); g > gain {
						pick, gain = j, g
					}
				}
				if pick < 0 {
					break
				}
				n := (r.n + 7) / 8
				r.n -= n
				changed += n
				s.each(r.attrs, &can[pick], func(c int32, _ []table.Attr) { s.syn[c] += float64(n) })
				longer := append(slices.Clone(r.attrs), can[pick])
				slices.Sort(longer)
				added = append(added, record{attrs: longer, n: n})
			}
		}
		s.records = append(s.records, added...)
		if changed == 0 {
			return
		}
	}
}

// exchanges bounds the work of exchange: more where a try is cheap.
func exchanges(distinct int) int { return 12_000 + 200_000_000/max(distinct, 5_000) }

// firstBonus is what it is worth, beside the count, that a combination appears
// at all: a false zero is worse than a count that is off by one.
const firstBonus = 0.3

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
	lack := func(c int32) float64 {
		l := s.weight[c] * (s.real[c] - s.syn[c])
		if s.syn[c] == 0 {
			l *= 1 + 10*firstBonus
		}
		return l
	}
	for round := 0; round < 8 && tries > 0; round++ {
		slices.SortFunc(order, func(a, b int32) int {
			return cmp.Or(cmp.Compare(lack(b), lack(a)), cmp.Compare(a, b))
		})
		won := 0
		for _, c := range order[:min(len(order), max(tries/(8-round), 1))] {
			if s.stopped() {
				return
			}
			tries--
			if s.real[c]-s.syn[c] < 1 {
				continue
			}
			have, gain := s.build(c)
			victim, cost := -1, gain
			for range 48 {
				v := rng.IntN(len(s.records))
				if s.records[v].n == 0 {
					continue
				}
				if l := s.loss(&s.records[v]); l < cost {
					victim, cost = v, l
				}
			}
			if victim < 0 {
				continue
			}
			old := &s.records[victim]
			s.each(old.attrs, nil, func(c int32, _ []table.Attr) { s.syn[c]-- })
			old.n--
			s.put(have, 1)
			won++
		}
		if won == 0 {
			return
		}
	}
}

// build grows a record from combination c by whatever brings most, and says what
// the whole brings.
func (s *kanon) build(c int32) (have []table.Attr, gain float64) {
	have = s.keys[c].Attrs(nil)
	for {
		can := s.extensions(have)
		pick, best := -1, 1e-12
		for j, a := range can {
			if g := s.gain(have, a); g > best {
				pick, best = j, g
			}
		}
		if pick < 0 {
			break
		}
		have = append(have, can[pick])
		slices.Sort(have)
	}
	s.each(have, nil, func(c int32, _ []table.Attr) { gain += s.worth(c, s.syn[c]) })
	return have, gain
}

// worth is what a record more in combination c brings when syn records have it.
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

// loss is what taking one record away costs.
func (s *kanon) loss(r *record) (cost float64) {
	if r.in == nil {
		s.each(r.attrs, nil, func(c int32, _ []table.Attr) { r.in = append(r.in, c) })
	}
	for _, c := range r.in {
		cost += s.worth(c, s.syn[c]-1)
	}
	return cost
}

// group joins equal records.
func (s *kanon) group() {
	slices.SortFunc(s.records, func(a, b record) int { return slices.Compare(a.attrs, b.attrs) })
	out := s.records[:0]
	for _, r := range s.records {
		switch last := len(out) - 1; {
		case r.n == 0:
		case last >= 0 && slices.Equal(out[last].attrs, r.attrs):
			out[last].n += r.n
		default:
			out = append(out, r)
		}
	}
	s.records = out
}

// tally counts the persons of distinct row r as holders of a.
func (s *kanon) tally(a table.Attr, r uint32) {
	if s.d.Group != nil {
		if s.counts[a] == 0 {
			s.first[a], s.several[a] = s.d.Group[r], s.d.Group[r] == table.Several
		}
		s.several[a] = s.several[a] || s.first[a] != s.d.Group[r]
	}
	s.counts[a] += s.d.Weight[r]
}

// enough reports whether the holders counted are k, of two case groups or more.
func (s *kanon) enough(a table.Attr) bool {
	return s.counts[a] >= s.k && (s.d.Group == nil || s.several[a])
}

// extensions lists the attributes that k of the persons who share have also
// share, of columns that have does not fill yet.
func (s *kanon) extensions(have []table.Attr) []table.Attr {
	s.list = s.rowsWith(have, s.list)
	var seen []table.Attr
	for _, r := range s.list {
		for _, a := range s.d.Row(int(r)) {
			if s.counts[a] == 0 {
				seen = append(seen, a)
			}
			s.tally(a, r)
		}
	}
	var can []table.Attr
	for _, a := range seen {
		if s.enough(a) && !slices.Contains(have, a) {
			can = append(can, a)
		}
		s.counts[a] = 0
	}
	slices.Sort(can)
	return can
}

// gain is what adding a to one record with attributes have brings: the fall of
// the weighted distance to the real counts.
func (s *kanon) gain(have []table.Attr, a table.Attr) float64 {
	g := 0.0
	s.each(have, &a, func(c int32, _ []table.Attr) { g += s.worth(c, s.syn[c]) })
	return g
}

// each visits the frequent combinations of up to length attributes of attrs; with
// a given, only those that hold a and otherwise attributes of attrs.
func (s *kanon) each(attrs []table.Attr, a *table.Attr, f func(c int32, attrs []table.Attr)) {
	var buf [count.MaxLength]table.Attr
	var walk func(from, n int)
	visit := func(n int) bool {
		sorted := buf
		slices.Sort(sorted[:n])
		c := s.combos.find(count.KeyOf(sorted[:n]...))
		if c < 0 {
			return false
		}
		f(c, sorted[:n])
		return true
	}
	walk = func(from, n int) {
		for i := from; i < len(attrs); i++ {
			buf[n] = attrs[i]
			if visit(n+1) && n+1 < s.length {
				walk(i+1, n+1)
			}
		}
	}
	if a == nil {
		walk(0, 0)
		return
	}
	buf[0] = *a
	if visit(1) && s.length > 1 {
		walk(0, 1)
	}
}

// put records n output rows with attrs.
func (s *kanon) put(attrs []table.Attr, n int) {
	s.records = append(s.records, record{attrs: attrs, n: n})
	s.each(attrs, nil, func(c int32, _ []table.Attr) { s.syn[c] += float64(n) })
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
