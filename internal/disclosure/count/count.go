// Package count counts combinations of attributes: how many persons share each
// value, pair, triple … of codes. Everything else in disclosure control is a
// question about these counts.
//
// Counting is by occurrence delivery, depth first: for each attribute the rows
// that hold it are gathered, the later attributes in them are counted, and only
// those that reach k go on. The last two levels are one triangular array of
// counters. Work grows with the combinations that are there, not with the
// combinations that could be, and equal rows are counted once with their weight.
package count

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"banyan/internal/disclosure/table"
)

// MaxLength is the longest combination that a Key holds.
const MaxLength = 4

// Key is a combination of one to MaxLength attributes, ascending, 16 bits each
// from the top; an attribute a is stored as a+1, so that 0 ends the
// combination. Keys sort as words in a dictionary.
type Key uint64

// KeyOf packs attributes, which must ascend.
func KeyOf(attrs ...table.Attr) Key {
	var k Key
	for i, a := range attrs {
		k |= Key(a+1) << (48 - 16*i)
	}
	return k
}

// Attrs unpacks a key into dst.
func (k Key) Attrs(dst []table.Attr) []table.Attr {
	dst = dst[:0]
	for ; k != 0; k <<= 16 {
		dst = append(dst, table.Attr(k>>48)-1)
	}
	return dst
}

// Len is the number of attributes in the combination.
func (k Key) Len() int {
	n := 0
	for ; k != 0; k <<= 16 {
		n++
	}
	return n
}

// Combo is a combination and the number of persons who have all of it.
type Combo struct {
	Key Key
	N   uint32
}

// Combinations counts every combination of 1 … length attributes that at least
// k persons share, sorted by key. k < 1 counts as 1. The result does not depend
// on the order of rows or the number of cores.
func Combinations(d *table.Distinct, length, k int) []Combo {
	k = max(k, 1)
	length = min(max(length, 1), MaxLength)
	attrs := len(d.Attrs)
	lists := Postings(d)
	results := make([][]Combo, attrs)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 16) {
		wg.Go(func() {
			m := miner{d: d, k: uint32(k), local: make([]int32, attrs), counts: make([]uint32, attrs)}
			for {
				// The first attributes have the most successors: take them first.
				a := int(next.Add(1)) - 1
				if a >= attrs {
					return
				}
				m.out = nil
				m.root(table.Attr(a), lists[a], length)
				results[a] = m.out
			}
		})
	}
	wg.Wait()
	n := 0
	for _, r := range results {
		n += len(r)
	}
	all := make([]Combo, 0, n)
	for _, r := range results {
		slices.SortFunc(r, func(x, y Combo) int { return cmp.Compare(x.Key, y.Key) })
		all = append(all, r...)
	}
	return all
}

// Postings lists, for every attribute, the distinct rows that hold it.
func Postings(d *table.Distinct) [][]uint32 {
	size := make([]uint32, len(d.Attrs))
	for i := range d.Rows() {
		for _, a := range d.Row(i) {
			size[a]++
		}
	}
	lists := make([][]uint32, len(d.Attrs))
	all := make([]uint32, d.Values())
	for a, n := range size {
		lists[a], all = all[:0:n], all[n:]
	}
	for i := range d.Rows() {
		for _, a := range d.Row(i) {
			lists[a] = append(lists[a], uint32(i))
		}
	}
	return lists
}

// miner is one worker's scratch memory.
type miner struct {
	d      *table.Distinct
	k      uint32
	local  []int32  // attribute → its number among the frequent ones here, or -1
	counts []uint32 // attribute → persons, zero between uses
	tri    []uint32
	out    []Combo
}

// projection is a set of rows cut to the attributes that still may follow.
type projection struct {
	attrs   []table.Attr
	offsets []uint32
	weight  []uint32
}

func (p *projection) rows() int              { return len(p.weight) }
func (p *projection) row(i int) []table.Attr { return p.attrs[p.offsets[i]:p.offsets[i+1]] }

func (m *miner) root(a table.Attr, rows []uint32, length int) {
	var n uint32
	p := projection{offsets: []uint32{0}}
	for _, r := range rows {
		w := m.d.Weight[r]
		n += w
		if length == 1 {
			continue
		}
		row := m.d.Row(int(r))
		i, _ := slices.BinarySearch(row, a)
		if row = row[i+1:]; len(row) == 0 {
			continue
		}
		p.attrs = append(p.attrs, row...)
		p.offsets = append(p.offsets, uint32(len(p.attrs)))
		p.weight = append(p.weight, w)
	}
	if n < m.k {
		return
	}
	key := KeyOf(a)
	m.out = append(m.out, Combo{key, n})
	if length > 1 {
		m.extend(key, 1, &p, length)
	}
}

// extend counts what may follow key, which has depth attributes, in p.
func (m *miner) extend(key Key, depth int, p *projection, length int) {
	var seen []table.Attr
	for i := range p.rows() {
		w := p.weight[i]
		for _, b := range p.row(i) {
			if m.counts[b] == 0 {
				seen = append(seen, b)
			}
			m.counts[b] += w
		}
	}
	slices.Sort(seen)
	frequent := seen[:0]
	for _, b := range seen {
		n := m.counts[b]
		m.counts[b] = 0
		m.local[b] = -1
		if n >= m.k {
			m.local[b] = int32(len(frequent))
			frequent = append(frequent, b)
			m.out = append(m.out, Combo{With(key, depth, b), n})
		}
	}
	switch left := length - depth - 1; {
	case left == 0 || len(frequent) < 2:
	case left == 1:
		m.pairs(key, depth, p, frequent)
	default:
		m.deeper(key, depth, p, frequent, length)
	}
}

// pairs counts all pairs of frequent attributes in p at once.
func (m *miner) pairs(key Key, depth int, p *projection, frequent []table.Attr) {
	f := len(frequent)
	if need := f * f; cap(m.tri) < need {
		m.tri = make([]uint32, need)
	}
	tri := m.tri[:f*f]
	clear(tri)
	loc := make([]int32, 0, 64)
	for i := range p.rows() {
		loc = loc[:0]
		for _, b := range p.row(i) {
			if l := m.local[b]; l >= 0 {
				loc = append(loc, l)
			}
		}
		w := p.weight[i]
		for x, l := range loc {
			line := tri[int(l)*f : int(l)*f+f]
			for _, r := range loc[x+1:] {
				line[r] += w
			}
		}
	}
	for x := range f {
		kx := With(key, depth, frequent[x])
		for y := x + 1; y < f; y++ {
			if n := tri[x*f+y]; n >= m.k {
				m.out = append(m.out, Combo{With(kx, depth+1, frequent[y]), n})
			}
		}
	}
}

// deeper goes on with each frequent attribute in turn.
func (m *miner) deeper(key Key, depth int, p *projection, frequent []table.Attr, length int) {
	keep := make([]bool, len(m.local))
	for _, b := range frequent {
		keep[b] = true
	}
	for _, b := range frequent {
		next := projection{offsets: []uint32{0}}
		for i := range p.rows() {
			row := p.row(i)
			at, ok := slices.BinarySearch(row, b)
			if !ok {
				continue
			}
			before := len(next.attrs)
			for _, c := range row[at+1:] {
				if keep[c] {
					next.attrs = append(next.attrs, c)
				}
			}
			if len(next.attrs) > before {
				next.offsets = append(next.offsets, uint32(len(next.attrs)))
				next.weight = append(next.weight, p.weight[i])
			}
		}
		if next.rows() > 0 {
			m.extend(With(key, depth, b), depth+1, &next, length)
		}
	}
}

// With appends attribute a to a key of depth attributes.
func With(k Key, depth int, a table.Attr) Key { return k | Key(a+1)<<(48-16*depth) }
