package synth

import (
	"math/bits"

	"banyan/internal/disclosure/count"
)

// index finds a combination's number: open addressing, at most half full.
type index struct {
	keys  []count.Key
	at    []int32
	shift uint
}

func newIndex(combos []count.Combo) index {
	size := max(16, 1<<bits.Len(uint(2*len(combos))))
	x := index{keys: make([]count.Key, size), at: make([]int32, size), shift: uint(64 - bits.Len(uint(size-1)))}
	for i, c := range combos {
		h := x.slot(c.Key)
		for x.keys[h] != 0 {
			h = (h + 1) & uint64(size-1)
		}
		x.keys[h], x.at[h] = c.Key, int32(i)
	}
	return x
}

func (x *index) slot(k count.Key) uint64 { return uint64(k) * 0x9e3779b97f4a7c15 >> x.shift }

// find gives the number of a combination, or -1.
func (x *index) find(k count.Key) int32 {
	for h := x.slot(k); ; h = (h + 1) & uint64(len(x.keys)-1) {
		switch x.keys[h] {
		case k:
			return x.at[h]
		case 0:
			return -1
		}
	}
}

func trailing(x uint64) int { return bits.TrailingZeros64(x) }
