package scope

// This file names hierarchical log-linear models and says which of their
// parameters the data push to minus infinity (the extended maximum likelihood
// estimate of Chan, Silverman & Vincent 2021).

import (
	"math/bits"
	"sort"
	"strconv"
	"strings"
)

// Model is a hierarchical log-linear model over t lists: intercept and all
// main effects, which are always there, and Terms, the interactions as bit
// masks of two lists or more, closed under subsets of two or more.
type Model struct {
	T     int
	Terms []int
}

// Size is the number of parameters, those at minus infinity included, as AIC
// and BIC count them.
func (m Model) Size() int { return 1 + m.T + len(m.Terms) }

// String writes the generators with list numbers, as Rcapture does: the
// model with pairs 12, 13 on four lists is "[12,13,4]".
func (m Model) String() string {
	gen := m.generators()
	names := make([]string, len(gen))
	for i, g := range gen {
		names[i] = listNumbers(g, m.T)
	}
	return "[" + strings.Join(names, ",") + "]"
}

// generators are the maximal terms, main effects included, ordered as words:
// 123 before 25 before 34.
func (m Model) generators() []int {
	var gen []int
	for _, a := range m.all() {
		maximal := true
		for _, b := range m.Terms {
			if a != b && a&b == a {
				maximal = false
				break
			}
		}
		if maximal && a != 0 {
			gen = append(gen, a)
		}
	}
	sort.Slice(gen, func(i, j int) bool { return wordLess(gen[i], gen[j]) })
	return gen
}

// all lists every parameter: intercept, main effects, terms.
func (m Model) all() []int {
	out := make([]int, 0, m.Size())
	out = append(out, 0)
	for i := 0; i < m.T; i++ {
		out = append(out, 1<<i)
	}
	return append(out, m.Terms...)
}

// Names writes the terms with list names, "A:B".
func (m Model) Names(t *Table) []string {
	names := make([]string, len(m.Terms))
	for i, term := range m.Terms {
		names[i] = t.Name(term)
	}
	return names
}

func listNumbers(set, t int) string {
	var parts []string
	for i := 0; i < t; i++ {
		if set>>i&1 == 1 {
			parts = append(parts, strconv.Itoa(i+1))
		}
	}
	if t > 9 { // list 10 would read as lists 1 and 0
		return strings.Join(parts, "-")
	}
	return strings.Join(parts, "")
}

// wordLess compares two sets as the words made of their list numbers.
func wordLess(a, b int) bool {
	for a != 0 && b != 0 {
		x, y := bits.TrailingZeros(uint(a)), bits.TrailingZeros(uint(b))
		if x != y {
			return x < y
		}
		a &= a - 1
		b &= b - 1
	}
	return a == 0 && b != 0
}

// historyLess orders histories by size, then as words: 1, 2, …, 12, 13, … .
func historyLess(a, b int) bool {
	if x, y := bits.OnesCount(uint(a)), bits.OnesCount(uint(b)); x != y {
		return x < y
	}
	return wordLess(a, b)
}

// allPairs is the model with every two-list term.
func allPairs(t int) Model { return Model{t, pairs(t)} }

// mainEffects is the independence model.
func mainEffects(t int) Model { return Model{T: t} }

// split divides a model's parameters into those with a finite estimate and
// those at minus infinity, given N* of every set, and marks the histories that
// the latter remove. dead must have 2^t elements; dead[0] is always true: the
// empty history is never observed.
func split(m Model, star []float64, dead []bool, finite []int) []int {
	for i := range dead {
		dead[i] = false
	}
	dead[0] = true
	finite = append(finite[:0], 0)
	for i := 0; i < m.T; i++ {
		finite = append(finite, 1<<i)
	}
	for _, term := range m.Terms {
		if star[term] > 0 {
			finite = append(finite, term)
			continue
		}
		for h := term; h < len(dead); h = (h + 1) | term {
			dead[h] = true
		}
	}
	return finite
}
