// Utility by two columns that the statistician names (country and sex, say): a
// good average can hide that the girls of one country are gone.

package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"banyan/internal/disclosure/table"
)

// NotRecorded stands for an empty field in a Pair.
const NotRecorded = "(not recorded)"

// ByTwo is the utility of every group that two columns make.
type ByTwo struct {
	Columns  [2]string `json:"columns"`
	Groups   []Pair    `json:"groups"`    // by their values
	Frequent int       `json:"k_or_more"` // groups of k persons or more
	Vanished int       `json:"vanished"`  // of them: nobody is left in the release
	Halved   int       `json:"halved"`    // of them: fewer than half are left, or none
}

// Pair is one such group. A multi-valued column puts a person into several.
type Pair struct {
	Values    [2]string `json:"values"`
	Sensitive int       `json:"sensitive"`
	Released  int       `json:"released"`
	// Further counts the codes of other columns that k or more of the group have,
	// Lost those of them that nobody of the group has in the release; MeanRelErr is
	// the mean relative error of their counts within the group.
	Further    int     `json:"further_codes"`
	Lost       int     `json:"lost_codes"`
	MeanRelErr float64 `json:"mean_relative_error"`
}

// CompareByTwo compares a release with the sensitive data within every group by
// two columns, given by name. Both tables have the same attribute numbers.
func CompareByTwo(sensitive, released *table.Table, columns [2]string, k int) (*ByTwo, error) {
	out := &ByTwo{Columns: columns}
	var at [2]int
	for i, name := range columns {
		if at[i] = sensitive.ColumnIndex(name); at[i] < 0 {
			return nil, &table.InputError{Column: name, Reason: "there is no such column to report utility by"}
		}
	}
	if at[0] == at[1] {
		return nil, &table.InputError{Column: columns[0], Reason: "named twice: utility is reported by two different columns"}
	}
	sen, rel := within(sensitive, at), within(released, at)
	keys := map[[2]int]bool{}
	for key := range sen {
		keys[key] = true
	}
	for key := range rel {
		keys[key] = true
	}
	for key := range keys {
		s, r := sen[key], rel[key]
		p := Pair{Sensitive: s.persons, Released: r.persons}
		for i, a := range key {
			p.Values[i] = NotRecorded
			if a >= 0 {
				p.Values[i] = sensitive.Attrs[a].Value
			}
		}
		for a, n := range s.codes {
			if n < k {
				continue
			}
			p.Further++
			if r.codes[a] == 0 {
				p.Lost++
			}
			p.MeanRelErr += math.Abs(float64(r.codes[a])-float64(n)) / float64(n)
		}
		if p.Further > 0 {
			// Summed in whatever order a map gives: rounded, to be the same every time.
			p.MeanRelErr = math.Round(1e9*p.MeanRelErr/float64(p.Further)) / 1e9
		}
		if p.Sensitive >= k {
			out.Frequent++
			if p.Released == 0 {
				out.Vanished++
			}
			if 2*p.Released < p.Sensitive {
				out.Halved++
			}
		}
		out.Groups = append(out.Groups, p)
	}
	slices.SortFunc(out.Groups, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.Values[0], b.Values[0]), cmp.Compare(a.Values[1], b.Values[1]))
	})
	return out, nil
}

// Worst lists groups of k or more that fare worst, those that vanished first.
func (x *ByTwo) Worst(k, most int) []Pair {
	var out []Pair
	for _, p := range x.Groups {
		if p.Sensitive >= k {
			out = append(out, p)
		}
	}
	kept := func(p Pair) float64 { return float64(p.Released) / float64(p.Sensitive) }
	slices.SortStableFunc(out, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(kept(a), kept(b)), cmp.Compare(b.Sensitive, a.Sensitive))
	})
	return out[:min(len(out), most)]
}

// Summary is one sentence on how the groups fare.
func (x *ByTwo) Summary(k int) string {
	return fmt.Sprintf("by %s and %s: of %d groups of %d or more persons, %d vanish and %d keep fewer than half (these included)", x.Columns[0], x.Columns[1], x.Frequent, k, x.Vanished, x.Halved)
}

type groupCount struct {
	persons int
	codes   map[table.Attr]int
}

// within counts persons and their codes in every group; -1 is not recorded.
func within(t *table.Table, at [2]int) map[[2]int]groupCount {
	out := map[[2]int]groupCount{}
	for i := range t.Rows() {
		var mine [2][]int
		for _, a := range t.Row(i) {
			for side, c := range at {
				if t.Attrs[a].Column == c {
					mine[side] = append(mine[side], int(a))
				}
			}
		}
		for side := range mine {
			if mine[side] == nil {
				mine[side] = []int{-1}
			}
		}
		for _, x := range mine[0] {
			for _, y := range mine[1] {
				key := [2]int{x, y}
				g := out[key]
				if g.codes == nil {
					g.codes = map[table.Attr]int{}
				}
				g.persons++
				for _, a := range t.Row(i) {
					if c := t.Attrs[a].Column; c != at[0] && c != at[1] {
						g.codes[a]++
					}
				}
				out[key] = g
			}
		}
	}
	return out
}
