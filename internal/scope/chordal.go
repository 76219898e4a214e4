package scope

// This file lists the decomposable graphs on up to six lists, once. A graph is
// decomposable (chordal) when its lists can be taken away one by one, each
// with neighbours that all know each other. It promises 8, 61, 822 and 18,154
// graphs on three to six lists, in a fixed order.

import (
	"math/bits"
	"sort"
	"strings"
	"sync"
)

const maxGraphLists = 6

// graph is a decomposable graph as the product Π h(clique) / Π h(separator).
type graph struct {
	cliques []int
	num     []uint8 // margins in the numerator, not cancelled
	den     []uint8 // margins in the denominator
}

// saturated says that every list is joined to every other.
func (g *graph) saturated() bool { return len(g.cliques) == 1 }

func (g *graph) name(t *Table) string {
	parts := make([]string, len(g.cliques))
	for i, c := range g.cliques {
		parts[i] = "[" + strings.ReplaceAll(t.Name(c), ":", ",") + "]"
	}
	return strings.Join(parts, "")
}

var graphLists [maxGraphLists + 1]struct {
	once   sync.Once
	graphs []graph
}

// graphs gives every decomposable graph on t lists, 2 ≤ t ≤ 6.
func graphs(t int) []graph {
	entry := &graphLists[t]
	entry.once.Do(func() { entry.graphs = enumerateGraphs(t) })
	return entry.graphs
}

func enumerateGraphs(t int) []graph {
	edges := pairs(t)
	var out []graph
	for code := range 1 << len(edges) {
		var near [maxGraphLists]int
		for rest := code; rest != 0; rest &= rest - 1 {
			e := edges[bits.TrailingZeros(uint(rest))]
			a, b := bits.TrailingZeros(uint(e)), bits.Len(uint(e))-1
			near[a] |= 1 << b
			near[b] |= 1 << a
		}
		if g, ok := decompose(t, near); ok {
			out = append(out, g)
		}
	}
	return out
}

// decompose takes lists away whose remaining neighbours form a clique. With v
// gone go h({v} ∪ neighbours) above and h(neighbours) below the line.
func decompose(t int, near [maxGraphLists]int) (graph, bool) {
	var power [1 << maxGraphLists]int8
	var cliques [maxGraphLists]int
	n := 0
	for left := 1<<t - 1; left != 0; {
		v := simplicial(left, near)
		if v < 0 {
			return graph{}, false
		}
		around := near[v] & left
		clique := around | 1<<v
		power[clique]++
		if around != 0 {
			power[around]--
		}
		maximal := true
		for _, c := range cliques[:n] {
			maximal = maximal && clique&^c != 0
		}
		if maximal {
			cliques[n] = clique
			n++
		}
		left &^= 1 << v
	}
	g := graph{cliques: append([]int(nil), cliques[:n]...)}
	sort.Slice(g.cliques, func(i, j int) bool { return wordLess(g.cliques[i], g.cliques[j]) })
	for set, p := range power[:1<<t] {
		for ; p > 0; p-- {
			g.num = append(g.num, uint8(set))
		}
		for ; p < 0; p++ {
			g.den = append(g.den, uint8(set))
		}
	}
	return g, true
}

func simplicial(left int, near [maxGraphLists]int) int {
	for rest := left; rest != 0; rest &= rest - 1 {
		v := bits.TrailingZeros(uint(rest))
		around := near[v] & left
		ok := true
		for r := around; r != 0 && ok; r &= r - 1 {
			u := bits.TrailingZeros(uint(r))
			ok = around&^near[u]&^(1<<u) == 0
		}
		if ok {
			return v
		}
	}
	return -1
}
