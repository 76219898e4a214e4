package journal

// tree builds nested answers from cells and their paths.

import (
	"sort"
	"strings"
)

type tree struct {
	children map[string]*tree // nil: none
	value    any
	leaf     bool
	row      bool
	made     *Entry // of a row: the entry that made it
	place    int    // and the row's place in it
}

// put hangs a cell, made by an entry, at its path.
func (t *tree) put(key string, c cell, made *Entry) {
	for step := range strings.SplitSeq(key, sep) {
		next := t.children[step]
		if next == nil {
			next = &tree{}
			if t.children == nil {
				t.children = map[string]*tree{}
			}
			t.children[step] = next
		}
		t = next
	}
	if c.row {
		t.row, t.place, t.made = true, c.place, made
		return
	}
	t.leaf, t.value = true, c.value
}

// object gives the answers below.
func (t *tree) object() map[string]any {
	out := make(map[string]any, len(t.children))
	for name, child := range t.children {
		out[name] = child.answer()
	}
	return out
}

func (t *tree) answer() any {
	if t.leaf {
		return t.value
	}
	if t.isList() {
		return t.rows()
	}
	return t.object()
}

func (t *tree) isList() bool {
	for step := range t.children {
		return strings.HasPrefix(step, "#")
	}
	return false
}

// at gives what stands at a path, or nil.
func (t *tree) at(steps []string) any {
	for _, step := range steps {
		if t = t.children[step]; t == nil {
			return nil
		}
	}
	return t.answer()
}

// maker gives the entry that made a row; nothing made what is no row.
func (t *tree) maker() Entry {
	if t.made == nil {
		return Entry{}
	}
	return *t.made
}

// rows gives the rows in the order of the entries that made them.
func (t *tree) rows() []any {
	ids := make([]string, 0, len(t.children))
	for step := range t.children {
		ids = append(ids, step)
	}
	sort.Slice(ids, func(a, b int) bool {
		x, y := t.children[ids[a]], t.children[ids[b]]
		if a, b := x.maker(), y.maker(); a.ID != b.ID {
			return before(a, b)
		}
		if x.place != y.place {
			return x.place < y.place
		}
		return ids[a] < ids[b]
	})
	out := make([]any, len(ids))
	for i, id := range ids {
		row := t.children[id].object()
		row[rowID] = id[1:]
		out[i] = row
	}
	return out
}
