// The attack on somebody's published file: a long table with one figure per
// line, coordinates in columns, some of them with a total ("Sex" with "Total"),
// and small figures written as "<5".

package attack

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"banyan/internal/disclosure/table"
)

// Hidden says how a small figure is written and what is known of it.
type Hidden struct {
	Mark   string
	Lo, Hi float64
}

// Layout says how to read a published file.
type Layout struct {
	Value  string            // the column of figures
	Totals map[string]string // column → the value that stands for its total
	Ignore []string          // columns that are not coordinates
	Hidden []Hidden
	// Source is the column that names who compiled the figures (a country). Each
	// source's totals are then judged by its own record first: exact where at
	// least three are fully published and all of those are exact sums.
	Source string
	// AssumeTotals takes every total as the exact sum of its parts unless the
	// figures contradict it. Otherwise a kind of total is taken as exact only
	// where at least 95 in 100 of its fully published sums are.
	AssumeTotals bool
}

// Family is one kind of total, "Age within Sex=Female", with how often it is
// the exact sum where all its parts are published.
type Family struct {
	Name  string `json:"name"`
	Full  int    `json:"fully_published"` // totals all of whose parts are published
	Exact int    `json:"exact_sums"`
	Under int    `json:"sums_not_above_total"`
	Use   string `json:"used_as"` // "sum", "at least the sum" or "not used"
	// Trusted counts the totals taken as exact sums on their source's record.
	Trusted int `json:"trusted_by_source"`
}

// Recovered is a hidden figure that follows from what is published.
type Recovered struct {
	Line  int     `json:"line"`
	Where string  `json:"where"`
	Mark  string  `json:"published_as"`
	Value float64 `json:"follows"`
}

// PublishedReport is the result of the attack on a file.
type PublishedReport struct {
	Figures      int         `json:"figures"`
	HiddenCells  int         `json:"hidden"`
	Recovered    []Recovered `json:"recovered"`
	Narrowed     int         `json:"narrowed"` // hidden, not recovered, but known better than its mark says
	Families     []Family    `json:"kinds_of_total"`
	Inconsistent int         `json:"contradictory_totals"`
	Programmes   int         `json:"linear_programmes"`
}

// publishedFile is the file as figures and relations.
type publishedFile struct {
	figures   []Figure
	relations []Relation
	family    []int                    // relation → family
	source    []string                 // relation → who compiled it
	record    map[sourceFamily]*[2]int // fully published and exact totals of a source
	families  []Family
	line      []int // figure → line, 0 for implied figures
	where     []string
	mark      []string
}

// sourceFamily is one kind of total of one source.
type sourceFamily struct {
	source string
	family int
}

// AttackPublished reads a file and recovers what it can.
func AttackPublished(r io.Reader, l Layout) (*PublishedReport, error) {
	p, err := readPublished(r, l)
	if err != nil {
		return nil, err
	}
	p.judge(l.AssumeTotals)
	var use []Relation
	for i, rel := range p.relations {
		f := &p.families[p.family[i]]
		used := f.Use
		if r := p.record[sourceFamily{p.source[i], p.family[i]}]; l.Source != "" && r != nil && r[0] >= 3 && used != "sum" && r[0] == r[1] {
			used = "sum"
			f.Trusted++
		}
		switch used {
		case "sum":
			use = append(use, rel)
		case "at least the sum":
			rel.AtLeast = true
			use = append(use, rel)
		}
	}
	s, err := Solve(p.figures, use, math.Inf(1))
	if err != nil {
		return nil, err
	}
	rep := &PublishedReport{Families: p.families, Inconsistent: len(s.Inconsistent), Programmes: s.Programmes}
	for i, f := range p.figures {
		if p.line[i] == 0 {
			continue
		}
		rep.Figures++
		if f.Shown() {
			continue
		}
		rep.HiddenCells++
		switch got := s.Ranges[i]; {
		case got.Width() == 0:
			rep.Recovered = append(rep.Recovered, Recovered{p.line[i], p.where[i], p.mark[i], got.Lo + 0})
		case got.Width() < f.Hi-f.Lo:
			rep.Narrowed++
		}
	}
	return rep, nil
}

// cellKey joins coordinates; the separator cannot occur in a CSV field we accept.
func cellKey(parts []string) string { return strings.Join(parts, "\x1f") }

func readPublished(r io.Reader, l Layout) (*publishedFile, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	head, err := c.Read()
	if err != nil {
		return nil, &table.InputError{Line: 1, Reason: "a header row is needed"}
	}
	value, keys, totals, err := l.columns(head)
	if err != nil {
		return nil, err
	}
	p := &publishedFile{record: map[sourceFamily]*[2]int{}}
	cells := map[string][]int{} // coordinates → figures (a file may repeat them)
	groups := map[string]map[string][]string{}
	source := slices.Index(head, l.Source)
	if l.Source != "" && source < 0 {
		return nil, &table.InputError{Column: l.Source, Reason: "there is no such column"}
	}
	sources := map[string]string{}
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var pe *csv.ParseError
			if errors.As(err, &pe) {
				return nil, &table.InputError{Line: pe.Line, Reason: pe.Err.Error()}
			}
			return nil, err
		}
		line, _ := c.FieldPos(0)
		if len(rec) != len(head) {
			return nil, &table.InputError{Line: line, Reason: fmt.Sprintf("%d fields where the header has %d", len(rec), len(head))}
		}
		f, err := l.figure(rec[value])
		if err != nil {
			return nil, &table.InputError{Line: line, Column: l.Value, Reason: err.Error()}
		}
		key, at := pick(rec, keys), pick(rec, totals)
		g := cellKey(key)
		if groups[g] == nil {
			groups[g] = map[string][]string{}
		}
		groups[g][cellKey(at)] = at
		if source >= 0 {
			sources[g] = rec[source]
		}
		full := g + "\x1e" + cellKey(at)
		cells[full] = append(cells[full], len(p.figures))
		p.add(f, line, strings.Join(append(key, at...), " · "), rec[value])
	}
	if len(p.figures) == 0 {
		return nil, &table.InputError{Reason: "the file has no figures"}
	}
	p.relate(l, head, totals, groups, cells, sources)
	return p, nil
}

func (l Layout) columns(head []string) (value int, keys, totals []int, err error) {
	value = -1
	skip := map[string]bool{}
	for _, c := range l.Ignore {
		skip[c] = true
	}
	seen := map[string]bool{}
	for i, h := range head {
		h = strings.TrimPrefix(h, "\ufeff")
		if seen[h] {
			return 0, nil, nil, &table.InputError{Line: 1, Column: h, Reason: "the column appears twice"}
		}
		seen[h] = true
		switch _, total := l.Totals[h]; {
		case h == l.Value:
			value = i
		case total:
			totals = append(totals, i)
		case !skip[h]:
			keys = append(keys, i)
		}
	}
	if value < 0 {
		return 0, nil, nil, &table.InputError{Column: l.Value, Reason: "there is no such column of figures"}
	}
	for c := range l.Totals {
		if !seen[c] {
			return 0, nil, nil, &table.InputError{Column: c, Reason: "there is no such column"}
		}
	}
	if len(totals) == 0 {
		return 0, nil, nil, &table.InputError{Reason: "name at least one column that has a total"}
	}
	return value, keys, totals, nil
}

func (l Layout) figure(s string) (Figure, error) {
	s = strings.TrimSpace(s)
	for _, h := range l.Hidden {
		if s == h.Mark {
			return Figure{h.Lo, h.Hi}, nil
		}
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil || n < 0 || n != math.Trunc(n) || n > 1e12 {
		return Figure{}, fmt.Errorf("%q is neither a count nor a declared mark", s)
	}
	return Figure{n, n}, nil
}

func (p *publishedFile) add(f Figure, line int, where, mark string) int {
	p.figures = append(p.figures, f)
	p.line = append(p.line, line)
	p.where = append(p.where, where)
	p.mark = append(p.mark, mark)
	return len(p.figures) - 1
}

func pick(rec []string, cols []int) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = rec[c]
	}
	return out
}

// relate finds the sums: in every group of lines with equal keys, for every
// column with a total, the line with the total is the sum of the lines that
// differ from it in that column only. Totals that are not published but have
// published parts are figures that are implied.
func (p *publishedFile) relate(l Layout, head []string, totals []int, groups map[string]map[string][]string, cells map[string][]int, sources map[string]string) {
	fam := map[string]int{}
	names := make([]string, 0, len(groups))
	for g := range groups {
		names = append(names, g)
	}
	sort.Strings(names)
	for _, g := range names {
		src := sources[g]
		here := groups[g]
		// Implied totals, one column after the other, reach all margins.
		for d, col := range totals {
			for _, at := range sortedCells(here) {
				up := append([]string(nil), at...)
				up[d] = l.Totals[head[col]]
				if _, ok := here[cellKey(up)]; !ok {
					here[cellKey(up)] = up
					full := g + "\x1e" + cellKey(up)
					cells[full] = append(cells[full], p.add(Figure{0, math.Inf(1)}, 0, "", ""))
				}
			}
		}
		children := map[string][]int{}
		for _, at := range sortedCells(here) {
			for d, col := range totals {
				total := l.Totals[head[col]]
				if at[d] == total {
					continue
				}
				up := append([]string(nil), at...)
				up[d] = total
				k := strconv.Itoa(d) + "\x1e" + cellKey(up)
				children[k] = append(children[k], cells[g+"\x1e"+cellKey(at)]...)
			}
		}
		for d, col := range totals {
			for _, at := range sortedCells(here) {
				ch := children[strconv.Itoa(d)+"\x1e"+cellKey(at)]
				if len(ch) == 0 {
					continue
				}
				name := head[col]
				for e, other := range totals {
					if e != d {
						name += ", " + head[other] + "=" + at[e]
					}
				}
				f, ok := fam[name]
				if !ok {
					f = len(p.families)
					fam[name] = f
					p.families = append(p.families, Family{Name: name})
				}
				parents := cells[g+"\x1e"+cellKey(at)]
				if len(parents) != 1 {
					continue // a repeated total: which is it?
				}
				p.relations = append(p.relations, Relation{Parent: parents[0], Children: ch})
				p.family = append(p.family, f)
				p.source = append(p.source, src)
			}
		}
	}
}

func sortedCells(here map[string][]string) [][]string {
	keys := make([]string, 0, len(here))
	for k := range here {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := make([][]string, len(keys))
	for i, k := range keys {
		out[i] = here[k]
	}
	return out
}

// judge decides for each kind of total whether it may be taken as a sum.
func (p *publishedFile) judge(assume bool) {
	for i, rel := range p.relations {
		f := &p.families[p.family[i]]
		sum, full := 0.0, p.figures[rel.Parent].Shown()
		for _, c := range rel.Children {
			full = full && p.figures[c].Shown()
			sum += p.figures[c].Lo
		}
		if !full {
			continue
		}
		f.Full++
		key := sourceFamily{p.source[i], p.family[i]}
		if p.record[key] == nil {
			p.record[key] = &[2]int{}
		}
		p.record[key][0]++
		if sum == p.figures[rel.Parent].Lo {
			p.record[key][1]++
		}
		if total := p.figures[rel.Parent].Lo; sum == total {
			f.Exact++
			f.Under++
		} else if sum < total {
			f.Under++
		}
	}
	for i := range p.families {
		f := &p.families[i]
		switch {
		case assume, f.Full >= 10 && 100*f.Exact >= 95*f.Full:
			f.Use = "sum"
		case f.Full >= 10 && 100*f.Under >= 95*f.Full:
			f.Use = "at least the sum"
		default:
			f.Use = "not used"
		}
	}
}
