// The declared programme: which tables matter, over which code lists. It is
// written before the data are looked at; nothing in it may depend on them.

package dp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"banyan/internal/disclosure/table"

	"go.yaml.in/yaml/v3"
)

// NotRecorded and Other are codes that a domain has beside its list; Yes and No are
// those of one code of a multi-valued column.
const (
	NotRecorded = "(not recorded)"
	Other       = "(other)"
	Yes, No     = "yes", "no"
)

// Programme is a parsed programme file.
type Programme struct {
	// Population names whose privacy budget is spent: releases about overlapping
	// people must carry the same name.
	Population string                `yaml:"population"`
	Objective  Objective             `yaml:"objective"`
	Columns    map[string]columnSpec `yaml:"columns"`
	Tables     []tableSpec           `yaml:"tables"`
	// Budget is what all releases about the population may spend together. Absent:
	// the first release sets it to what it spends itself.
	Budget *BudgetSpec `yaml:"budget"`
}

// BudgetSpec is a total budget in the terms of (ε, δ).
type BudgetSpec struct {
	Epsilon float64 `yaml:"epsilon"`
	Delta   float64 `yaml:"delta"`
}

type columnSpec struct {
	Codes    []string `yaml:"codes"`
	Multi    bool     `yaml:"multi"`    // several values per person: one yes/no column per code
	Complete bool     `yaml:"complete"` // always recorded: no "(not recorded)"
	Other    bool     `yaml:"other"`    // codes outside the list are counted as "(other)" instead of refused
}

type tableSpec struct {
	By     []string `yaml:"by"`
	Weight float64  `yaml:"weight"`
}

// ReadProgramme parses and checks a programme.
func ReadProgramme(r io.Reader) (*Programme, error) {
	b, err := io.ReadAll(io.LimitReader(r, 4<<20))
	if err != nil {
		return nil, fmt.Errorf("read the programme: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	p := &Programme{}
	if err := dec.Decode(p); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &table.InputError{Reason: "the programme is empty"}
		}
		return nil, &table.InputError{Reason: "the programme is not valid YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Programme) check() error {
	bad := func(column, format string, args ...any) error {
		return &table.InputError{Column: column, Reason: "programme: " + fmt.Sprintf(format, args...)}
	}
	if strings.TrimSpace(p.Population) == "" {
		return bad("", "name the population, whose budget is spent")
	}
	switch p.Objective {
	case "":
		p.Objective = WorstVariance
	case SumVariance, WorstVariance:
	default:
		return bad("", "objective %q: sum or max", p.Objective)
	}
	if len(p.Columns) == 0 {
		return bad("", "no columns")
	}
	for name, c := range p.Columns {
		if len(c.Codes) == 0 {
			return bad(name, "no codes: a domain comes from a code list, never from the data")
		}
		seen := map[string]bool{}
		for _, code := range c.Codes {
			if code == "" || code == NotRecorded || code == Other || seen[code] {
				return bad(name, "code %q is empty, reserved or listed twice", code)
			}
			seen[code] = true
		}
	}
	for i, t := range p.Tables {
		if len(t.By) == 0 || len(t.By) > 4 {
			return bad("", "table %d: by 1 to 4 columns, not %d", i+1, len(t.By))
		}
		for j, c := range t.By {
			if _, ok := p.Columns[c]; !ok {
				return bad(c, "table %d: the column has no codes", i+1)
			}
			if slices.Contains(t.By[:j], c) {
				return bad(c, "table %d names the column twice", i+1)
			}
		}
		if t.Weight < 0 {
			return bad("", "table %d: the weight is negative", i+1)
		}
		if t.Weight == 0 {
			p.Tables[i].Weight = 1
		}
	}
	if p.Budget != nil {
		if err := CheckBudget(p.Budget.Epsilon, p.Budget.Delta); err != nil {
			return bad("", "budget: %v", err)
		}
	}
	return nil
}

// Multi lists the multi-valued columns, for reading the table.
func (p *Programme) Multi() []string {
	var out []string
	for name, c := range p.Columns {
		if c.Multi {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Without refuses a programme that counts the column of the case group, which is
// never released.
func (p *Programme) Without(group string) error {
	if _, ok := p.Columns[group]; ok && group != "" {
		return &table.InputError{Column: group, Reason: "names the case group: the programme cannot count it as well"}
	}
	return nil
}

// Coded is a table of codes in the programme's domains.
type Coded struct {
	Unit    Unit // by which the persons were counted
	Domains []Domain
	Queries []Query
	codes   [][]uint16 // domain → person → code
	rows    int
}

// Code numbers the persons' codes in the programme's domains. A code that is not
// listed is refused, or counted as other where the programme says so.
func (p *Programme) Code(t *table.Table) (*Coded, error) {
	if len(p.Tables) == 0 {
		return nil, &table.InputError{Reason: "programme: no tables"}
	}
	return p.code(t, nil)
}

// CodeAll is Code with all of the programme's columns that the table has, in the
// table's order, for synthesis; the programme need not ask for tables.
func (p *Programme) CodeAll(t *table.Table) (*Coded, error) {
	var names []string
	for _, c := range t.Columns {
		if _, ok := p.Columns[c.Name]; ok {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return nil, &table.InputError{Reason: "the programme names none of the table's columns"}
	}
	return p.code(t, names)
}

func (p *Programme) code(t *table.Table, used []string) (*Coded, error) {
	unit, err := UnitOf(t)
	if err != nil {
		return nil, err
	}
	c := &Coded{Unit: unit, rows: t.Rows()}
	at := map[string][]int{}
	for _, tab := range p.Tables {
		for _, name := range tab.By {
			if !slices.Contains(used, name) {
				used = append(used, name)
			}
		}
	}
	for _, name := range used {
		if err := p.codeColumn(t, name, c, at); err != nil {
			return nil, err
		}
	}
	for _, tab := range p.Tables {
		sets := [][]int{{}}
		for _, name := range tab.By {
			var next [][]int
			for _, s := range sets {
				for _, d := range at[name] {
					next = append(next, append(slices.Clone(s), d))
				}
			}
			sets = next
		}
		for _, s := range sets {
			slices.Sort(s)
			if !slices.ContainsFunc(c.Queries, func(q Query) bool { return slices.Equal(q.By, s) }) {
				c.Queries = append(c.Queries, Query{s, tab.Weight})
			}
		}
	}
	return c, nil
}

func (p *Programme) codeColumn(t *table.Table, name string, c *Coded, at map[string][]int) error {
	spec := p.Columns[name]
	col := t.ColumnIndex(name)
	if col < 0 {
		return &table.InputError{Column: name, Reason: "the programme names it, the table does not have it"}
	}
	first := t.Columns[col].First
	n := t.Columns[col].N
	to := make([]int, n) // attribute → code
	for i := range n {
		value := t.Attrs[int(first)+i].Value
		if to[i] = slices.Index(spec.Codes, value); to[i] < 0 {
			if !spec.Other {
				return &table.InputError{Column: name, Reason: fmt.Sprintf("value %q is not in the programme's code list; add it, or say other: true", value)}
			}
			to[i] = len(spec.Codes)
		}
	}
	if spec.Multi {
		p.codeMulti(t, name, spec, first, to, c, at)
		return nil
	}
	labels := slices.Clone(spec.Codes)
	if spec.Other {
		labels = append(labels, Other)
	}
	absent := len(labels)
	if !spec.Complete {
		labels = append(labels, NotRecorded)
	}
	codes := make([]uint16, t.Rows())
	for i := range codes {
		codes[i] = uint16(absent)
		for _, a := range t.Row(i) {
			if a >= first && int(a) < int(first)+n {
				codes[i] = uint16(to[a-first])
			}
		}
		if spec.Complete && int(codes[i]) == absent {
			return &table.InputError{Line: i + 2, Column: name, Reason: "empty, but the programme says that it is always recorded"}
		}
	}
	at[name] = []int{c.add(Domain{name, labels}, codes)}
	return nil
}

// codeMulti makes a yes/no column of every code, so that each person is in one
// cell of every table, however many values are recorded.
func (p *Programme) codeMulti(t *table.Table, name string, spec columnSpec, first table.Attr, to []int, c *Coded, at map[string][]int) {
	for code, label := range spec.Codes {
		codes := make([]uint16, t.Rows())
		for i := range codes {
			codes[i] = 1
			for _, a := range t.Row(i) {
				if a >= first && int(a) < int(first)+len(to) && to[a-first] == code {
					codes[i] = 0
				}
			}
		}
		at[name] = append(at[name], c.add(Domain{name + ":" + label, []string{Yes, No}}, codes))
	}
}

func (c *Coded) add(d Domain, codes []uint16) int {
	c.Domains = append(c.Domains, d)
	c.codes = append(c.codes, codes)
	return len(c.Domains) - 1
}

// NewCoded makes coded data of given columns, for domains found otherwise than by
// a programme.
func NewCoded(unit Unit, domains []Domain, codes [][]uint16, rows int) *Coded {
	return &Coded{Unit: unit, Domains: domains, codes: codes, rows: rows}
}

// Column gives the persons' codes on a domain. The caller must not change it.
func (c *Coded) Column(d int) []uint16 { return c.codes[d] }

// Rows is the number of persons.
func (c *Coded) Rows() int { return c.rows }

// Count gives the exact table by some columns (see Counts).
func (c *Coded) Count(by []int) []int64 {
	size := 1
	for _, d := range by {
		size *= len(c.Domains[d].Labels)
	}
	out := make([]int64, size)
	switch len(by) {
	case 0:
		out[0] = int64(c.rows)
	case 1:
		for _, a := range c.codes[by[0]] {
			out[a]++
		}
	case 2:
		n, b := len(c.Domains[by[1]].Labels), c.codes[by[1]]
		for i, a := range c.codes[by[0]] {
			out[int(a)*n+int(b[i])]++
		}
	default:
		for i := range c.rows {
			at := 0
			for _, d := range by {
				at = at*len(c.Domains[d].Labels) + int(c.codes[d][i])
			}
			out[at]++
		}
	}
	return out
}
