// Who shares a set of attributes: the question that k-anonymity asks of every
// record, some million times in a synthesis.

package synth

import (
	"math/bits"
	"slices"

	"banyan/internal/disclosure/table"
)

// people answers it with a bitmap of distinct rows per attribute. Rows are
// sorted, so those of an attribute of an early column stand together: each bitmap
// knows the words that it begins and ends with, and only those are looked at.
type people struct {
	d        *table.Distinct
	k        uint32
	bits     [][]uint64
	from, to []int // attribute → words of its bitmap that may hold a bit
	rows     []int // attribute → distinct rows that hold it
}

func newPeople(d *table.Distinct, k int) *people {
	n, words := len(d.Attrs), (d.Rows()+63)/64
	p := &people{d: d, k: uint32(k), bits: make([][]uint64, n), from: make([]int, n), to: make([]int, n), rows: make([]int, n)}
	all := make([]uint64, words*n)
	for a := range p.bits {
		p.bits[a], all = all[:words:words], all[words:]
	}
	for i := range d.Rows() {
		for _, a := range d.Row(i) {
			p.bits[a][i>>6] |= 1 << (i & 63)
			if p.rows[a] == 0 {
				p.from[a] = i >> 6
			}
			p.to[a] = i>>6 + 1
			p.rows[a]++
		}
	}
	return p
}

// crowd is a set of distinct rows: the words of its bitmap that are not empty.
type crowd struct {
	at   []int32
	word []uint64
}

// find makes c the rows that hold all of attrs.
func (c *crowd) find(p *people, attrs []table.Attr) {
	c.at, c.word = c.at[:0], c.word[:0]
	rarest, lo, hi := attrs[0], 0, len(p.bits[attrs[0]])
	for _, a := range attrs {
		lo, hi = max(lo, p.from[a]), min(hi, p.to[a])
		if p.rows[a] < p.rows[rarest] {
			rarest = a
		}
	}
	if lo >= hi {
		return
	}
	for w, x := range p.bits[rarest][lo:hi] {
		w += lo
		for _, a := range attrs {
			if x == 0 {
				break
			}
			x &= p.bits[a][w]
		}
		if x != 0 {
			c.at, c.word = append(c.at, int32(w)), append(c.word, x)
		}
	}
}

// narrow leaves in c the rows that hold a as well.
func (c *crowd) narrow(p *people, a table.Attr) {
	has, n := p.bits[a], 0
	for i, w := range c.at {
		if x := c.word[i] & has[w]; x != 0 {
			c.at[n], c.word[n] = w, x
			n++
		}
	}
	c.at, c.word = c.at[:n], c.word[:n]
}

// enough reports whether k persons of c hold a, of two case groups or more where
// groups are known.
func (c *crowd) enough(p *people, a table.Attr) bool {
	var s share
	has, from, to := p.bits[a], int32(p.from[a]), int32(p.to[a])
	for i, w := range c.at {
		if w < from || w >= to {
			continue
		}
		if x := c.word[i] & has[w]; x != 0 && s.add(p, int(w), x) {
			return true
		}
	}
	return false
}

// share counts persons until they are k, of two case groups or more where groups
// are known.
type share struct {
	n       uint32
	first   uint32 // the group of the first person
	several bool   // another group was counted
}

// add counts the rows x of word w; true means that they are enough.
func (s *share) add(p *people, w int, x uint64) bool {
	for ; x != 0; x &= x - 1 {
		r := w<<6 + bits.TrailingZeros64(x)
		if g := p.d.Group; g != nil {
			if s.n == 0 {
				s.first = g[r]
			}
			s.several = s.several || g[r] == table.Several || g[r] != s.first
		}
		if s.n += p.d.Weight[r]; s.n >= p.k && (s.several || p.d.Group == nil) {
			return true
		}
	}
	return false
}

// supported reports whether k persons share all of attrs, of two case groups or
// more where groups are known.
func (p *people) supported(attrs []table.Attr) bool {
	lo, hi := 0, len(p.bits[attrs[0]])
	for _, a := range attrs {
		lo, hi = max(lo, p.from[a]), min(hi, p.to[a])
	}
	var s share
	for w := lo; w < hi; w++ {
		x := p.bits[attrs[0]][w]
		for _, a := range attrs[1:] {
			if x == 0 {
				break
			}
			x &= p.bits[a][w]
		}
		if x != 0 && s.add(p, w, x) {
			return true
		}
	}
	return false
}

// tally is the scratch memory to find what else the persons of a crowd have.
type tally struct {
	counts []uint32
	first  []uint32 // with case groups: the group of the first person counted
	more   []bool   // … and whether another group was counted
	seen   []table.Attr
}

func newTally(p *people) *tally {
	t := &tally{counts: make([]uint32, len(p.bits))}
	if p.d.Group != nil {
		t.first, t.more = make([]uint32, len(p.bits)), make([]bool, len(p.bits))
	}
	return t
}

// extensions lists, ascending, the attributes that k persons of c have beside
// have, of two case groups or more where groups are known.
func (t *tally) extensions(p *people, c *crowd, have []table.Attr) []table.Attr {
	t.seen = t.seen[:0]
	for i, w := range c.at {
		for x := c.word[i]; x != 0; x &= x - 1 {
			r := int(w)<<6 + bits.TrailingZeros64(x)
			if p.d.Group != nil {
				t.group(p.d.Row(r), p.d.Group[r])
			}
			weight := p.d.Weight[r]
			for _, a := range p.d.Row(r) {
				if t.counts[a] == 0 {
					t.seen = append(t.seen, a)
				}
				t.counts[a] += weight
			}
		}
	}
	can := []table.Attr{}
	for _, a := range t.seen {
		if t.counts[a] >= p.k && (t.more == nil || t.more[a]) && !slices.Contains(have, a) {
			can = append(can, a)
		}
		t.counts[a] = 0
	}
	slices.Sort(can)
	return can
}

// group notes the case group of the holders of a row, before they are counted.
func (t *tally) group(row []table.Attr, g uint32) {
	for _, a := range row {
		if t.counts[a] == 0 {
			t.first[a], t.more[a] = g, g == table.Several
		}
		t.more[a] = t.more[a] || t.first[a] != g
	}
}
