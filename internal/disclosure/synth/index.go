package synth

import (
	"math/bits"
	"slices"

	"banyan/internal/disclosure/count"
	"banyan/internal/disclosure/table"
)

// index finds a combination's number: open addressing, at most half full.
type index struct {
	slots  []slot
	shift  uint
	length int // of the longest combination
}

type slot struct {
	key count.Key
	at  int32
}

func newIndex(combos []count.Combo, length int) index {
	size := max(16, 1<<bits.Len(uint(2*len(combos))))
	x := index{slots: make([]slot, size), shift: uint(64 - bits.Len(uint(size-1))), length: length}
	for i, c := range combos {
		h := x.hash(c.Key)
		for x.slots[h].key != 0 {
			h = (h + 1) & uint64(size-1)
		}
		x.slots[h] = slot{c.Key, int32(i)}
	}
	return x
}

func (x *index) hash(k count.Key) uint64 { return uint64(k) * 0x9e3779b97f4a7c15 >> x.shift }

// find gives the number of a combination, or -1.
func (x *index) find(k count.Key) int32 {
	for h := x.hash(k); ; h = (h + 1) & uint64(len(x.slots)-1) {
		switch s := &x.slots[h]; s.key {
		case k:
			return s.at
		case 0:
			return -1
		}
	}
}

// within appends to dst the numbers of the combinations of attrs, which ascend.
func (x *index) within(attrs []table.Attr, dst []int32) []int32 { return x.after(0, 0, attrs, dst) }

// after appends those that go on from key, of depth attributes, with attrs.
func (x *index) after(key count.Key, depth int, attrs []table.Attr, dst []int32) []int32 {
	for i, a := range attrs {
		k := count.With(key, depth, a)
		c := x.find(k)
		if c < 0 {
			continue // nor is any longer one
		}
		dst = append(dst, c)
		if depth+1 < x.length {
			dst = x.after(k, depth+1, attrs[i+1:], dst)
		}
	}
	return dst
}

// with appends to dst the numbers of the combinations that hold a and otherwise
// attributes of have, which ascend and do not hold a.
func (x *index) with(have []table.Attr, a table.Attr, dst []int32) []int32 {
	i, _ := slices.BinarySearch(have, a)
	return x.before(0, 0, have[:i], a, have[i:], dst)
}

// before appends those that go on from key with any of front, then a, then any of
// back.
func (x *index) before(key count.Key, depth int, front []table.Attr, a table.Attr, back []table.Attr, dst []int32) []int32 {
	k := count.With(key, depth, a)
	if c := x.find(k); c >= 0 {
		dst = append(dst, c)
		if depth+1 < x.length {
			dst = x.after(k, depth+1, back, dst)
		}
	}
	if depth+1 < x.length {
		for i, b := range front {
			dst = x.before(count.With(key, depth, b), depth+1, front[i+1:], a, back, dst)
		}
	}
	return dst
}
