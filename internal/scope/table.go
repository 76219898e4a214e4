package scope

// This file holds the capture histories themselves and the few ways in which
// a table is turned into another one (a list left out, two lists merged,
// conditioned on one list). It promises that counts are never negative and
// that no table has more than MaxLists lists.

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strings"
)

const (
	// MaxLists is the largest number of lists; 2^10 histories.
	MaxLists = 10
	// MaxPeople bounds the whole table, far beyond any country, so that no sum
	// of counts can overflow.
	MaxPeople = 1_000_000_000
)

// Table is the number of people per capture history.
type Table struct {
	Lists  []string // names, in column order
	Counts []int64  // index is the bit mask of the history; Counts[0] is always 0
}

// NewTable makes an empty table over the named lists.
func NewTable(lists ...string) *Table {
	return &Table{Lists: append([]string(nil), lists...), Counts: make([]int64, 1<<len(lists))}
}

// T is the number of lists.
func (t *Table) T() int { return len(t.Lists) }

// Observed is n, the number of people on at least one list.
func (t *Table) Observed() int64 {
	var n int64
	for _, c := range t.Counts[1:] {
		n += c
	}
	return n
}

// Overlapping is the number of people on two lists or more.
func (t *Table) Overlapping() int64 {
	var n int64
	for h, c := range t.Counts {
		if bits.OnesCount(uint(h)) >= 2 {
			n += c
		}
	}
	return n
}

// Frequencies gives f_1 … f_t: how many people stand on exactly k lists.
func (t *Table) Frequencies() []int64 {
	f := make([]int64, t.T())
	for h, c := range t.Counts {
		if h != 0 {
			f[bits.OnesCount(uint(h))-1] += c
		}
	}
	return f
}

// Star is N*_θ: people on all lists of theta, whatever else they are on.
func (t *Table) Star(theta int) int64 {
	var n int64
	for h, c := range t.Counts {
		if h&theta == theta && h != 0 {
			n += c
		}
	}
	return n
}

// Size is the number of people on list i.
func (t *Table) Size(i int) int64 { return t.Star(1 << i) }

// EmptyPairs are the pairs of lists that share nobody, in order 12, 13, … .
func (t *Table) EmptyPairs() []int {
	var empty []int
	for _, p := range pairs(t.T()) {
		if t.Star(p) == 0 {
			empty = append(empty, p)
		}
	}
	return empty
}

// Digest is a SHA-256 over list names and non-zero counts, so that a result
// can name the data it came from. Row order and zero rows do not matter,
// column order does.
func (t *Table) Digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "capture-histories/1\n%d\n", t.T())
	for _, l := range t.Lists {
		fmt.Fprintf(h, "%d:%s\n", len(l), l)
	}
	for w, c := range t.Counts {
		if c != 0 {
			fmt.Fprintf(h, "%d=%d\n", w, c)
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Without leaves out list i; people on that list alone are no longer seen.
func (t *Table) Without(i int) *Table {
	lists := append(append([]string(nil), t.Lists[:i]...), t.Lists[i+1:]...)
	out := NewTable(lists...)
	for h, c := range t.Counts {
		out.Counts[dropBit(h, i)] += c
	}
	out.Counts[0] = 0
	return out
}

// Merge puts lists i and j together as one list (on either counts as on).
func (t *Table) Merge(i, j int) *Table {
	if i > j {
		i, j = j, i
	}
	merged := *t
	merged.Lists = append([]string(nil), t.Lists...)
	merged.Lists[i] = t.Lists[i] + "+" + t.Lists[j]
	merged.Counts = make([]int64, len(t.Counts))
	for h, c := range t.Counts {
		if h>>j&1 == 1 {
			h |= 1 << i
		}
		merged.Counts[h] += c
	}
	return merged.Without(j)
}

// Given conditions on list i: only people on it, seen through the other
// lists. The number on list i is then a known truth to compare with. Lists
// that meet none of these people are dropped, as Binette & Steorts (2022) do.
func (t *Table) Given(i int) (table *Table, truth int64) {
	out := NewTable(append(append([]string(nil), t.Lists[:i]...), t.Lists[i+1:]...)...)
	for h, c := range t.Counts {
		if h>>i&1 == 1 {
			out.Counts[dropBit(h, i)] += c
		}
	}
	out.Counts[0] = 0
	for k := out.T() - 1; k >= 0; k-- {
		if out.Size(k) == 0 {
			out = out.Without(k)
		}
	}
	return out, t.Size(i)
}

// Clone is a deep copy.
func (t *Table) Clone() *Table {
	return &Table{Lists: append([]string(nil), t.Lists...), Counts: append([]int64(nil), t.Counts...)}
}

// Name writes a history with the names of its lists: "A:B"; "-" for none.
func (t *Table) Name(theta int) string {
	var names []string
	for i, l := range t.Lists {
		if theta>>i&1 == 1 {
			names = append(names, l)
		}
	}
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ":")
}

// check says why a table cannot be estimated from at all, or nil. The reader
// says the same things with line numbers; this is for callers with a table.
func (t *Table) check() error {
	if t.T() < 2 {
		return refuse("there are %d lists; an overlap needs at least two", t.T())
	}
	if t.T() > MaxLists {
		return refuse("there are %d lists; at most %d", t.T(), MaxLists)
	}
	if len(t.Counts) != 1<<t.T() {
		return refuse("there are %d counts for %d lists", len(t.Counts), t.T())
	}
	var n int64
	for _, c := range t.Counts {
		if c < 0 || c > MaxPeople {
			return refuse("a count is negative or above %d", MaxPeople)
		}
		n += c
	}
	if n > MaxPeople {
		return refuse("the table holds more than %d people", MaxPeople)
	}
	if n == 0 {
		return refuse("nobody was seen on any list")
	}
	for i, l := range t.Lists {
		if t.Size(i) == 0 {
			return refuse("nobody is on list %s", l)
		}
	}
	if t.Overlapping() == 0 {
		return refuse("nobody is on two lists: without any overlap the number not seen cannot be estimated")
	}
	return nil
}

// Refusal is a stated reason for giving no number. It is a result, not a bug.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return r.Reason }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// dropBit removes bit i from h and closes the gap.
func dropBit(h, i int) int { return h&(1<<i-1) | h>>(i+1)<<i }

// pairs lists the two-list sets of t lists in the order 12, 13, …, 1t, 23, … .
func pairs(t int) []int {
	var out []int
	for i := 0; i < t; i++ {
		for j := i + 1; j < t; j++ {
			out = append(out, 1<<i|1<<j)
		}
	}
	return out
}
