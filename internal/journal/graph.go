package journal

// Who had seen what: the graph that Follows makes among the entries of one
// record.

import "sort"

// graph is the entries of one record and who had seen what.
type graph struct {
	entries []Opened
	index   map[string]int
	seen    [][]bool // seen[i][j]: the writer of i had seen j
}

func newGraph(entries []Opened) *graph {
	g := &graph{entries: entries, index: map[string]int{}, seen: make([][]bool, len(entries))}
	for i, e := range entries {
		g.index[e.ID] = i
	}
	for i := range entries {
		g.look(i)
	}
	return g
}

// look fills seen[i]. Entries follow only entries that arrived before them, so
// this ends.
func (g *graph) look(i int) []bool {
	if g.seen[i] != nil {
		return g.seen[i]
	}
	mine := make([]bool, len(g.entries))
	g.seen[i] = mine
	for _, f := range g.entries[i].Follows {
		j, ok := g.index[f]
		if !ok || j == i {
			continue
		}
		mine[j] = true
		for k, s := range g.look(j) {
			mine[k] = mine[k] || s
		}
	}
	return mine
}

// answered says whether some other entry's writer had seen entry i and wrote
// on (for a strike-out: took it back).
func (g *graph) answered(i int) bool {
	for j, e := range g.entries {
		if g.seen[j][i] && e.Act != Strike {
			return true
		}
	}
	return false
}

// heads are the entries that nobody followed, ordered by time, then id.
func (g *graph) heads() []string {
	var out []Entry
	for i, e := range g.entries {
		followed := false
		for j := range g.entries {
			followed = followed || g.seen[j][i]
		}
		if !followed {
			out = append(out, e.Entry)
		}
	}
	sort.Slice(out, func(a, b int) bool { return before(out[a], out[b]) })
	ids := make([]string, len(out))
	for i, e := range out {
		ids[i] = e.ID
	}
	return ids
}
