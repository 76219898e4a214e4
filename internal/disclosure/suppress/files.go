// Tables as files: one CSV per table with its margins, hidden cells as '*'.
// Earlier releases are read back from the same files, since what was published
// is what an attacker has.

package suppress

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"banyan/internal/disclosure/table"
)

// roundedColumn begins the name of the column of rounded figures, so that nobody
// takes them for counts, and no later release differences them.
const roundedColumn = "count_rounded_to_"

// Write puts one file per table into dir, which exists.
func (x *Tables) Write(dir string) (files []string, err error) {
	for _, tab := range x.By {
		names := make([]string, len(tab))
		for i, d := range tab {
			names[i] = x.Dims[d].Name
		}
		name := fileName(names)
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, os.ErrExist) {
			continue // the same table asked for twice
		}
		if err != nil {
			return nil, fmt.Errorf("write table: %w", err)
		}
		if err := errors.Join(x.writeTable(f, tab, names), f.Close()); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
		files = append(files, name)
	}
	return files, nil
}

// fileName keeps letters and digits of any script; other runs become '-'.
func fileName(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString("_")
		}
		for _, r := range n {
			if r < 128 && !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
				r = '-'
			}
			b.WriteRune(r)
		}
	}
	return b.String() + ".csv"
}

func (x *Tables) writeTable(w io.Writer, tab []int, names []string) error {
	c := csv.NewWriter(w)
	count := "count"
	if x.base > 0 {
		count = roundedColumn + strconv.Itoa(x.base)
	}
	if err := c.Write(append(slices.Clone(names), count)); err != nil {
		return err
	}
	type line struct {
		order []int
		rec   []string
	}
	var lines []line
	for _, cell := range x.Cells {
		if x.base > 0 && cell.Rounded == 0 {
			continue // like a cell of nobody
		}
		dims := x.Margins[cell.Margin]
		l := line{rec: make([]string, len(tab)+1), order: make([]int, len(tab))}
		found := 0
		for i, d := range tab {
			at := slices.Index(dims, d)
			if at < 0 {
				l.rec[i], l.order[i] = TotalWord, -1
				continue
			}
			found++
			l.rec[i], l.order[i] = x.Dims[d].Labels[cell.Codes[at]], cell.Codes[at]
		}
		if found != len(dims) {
			continue
		}
		l.rec[len(tab)] = strconv.FormatUint(uint64(cell.N), 10)
		switch {
		case x.base > 0:
			l.rec[len(tab)] = strconv.FormatUint(uint64(cell.Rounded), 10)
		case cell.Hidden:
			l.rec[len(tab)] = HiddenMark
		}
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b line) int { return slices.Compare(a.order, b.order) })
	for _, l := range lines {
		if err := c.Write(l.rec); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// Figure is a cell as published: hidden, or with its count.
type Figure struct {
	Name   string
	Hidden bool
	N      float64
}

// Release is what one release shows: its cells by name, and its sums.
type Release struct {
	Path      string
	Figures   []Figure
	Relations []Relation // indices into Figures
	index     map[string]int
}

// ReadRelease reads the tables of a release: a folder that Write filled, or the
// folder above it with the tables in tables/.
func ReadRelease(dir string) (*Release, error) {
	if sub := filepath.Join(dir, "tables"); isDir(sub) {
		dir = sub
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(paths) == 0 {
		return nil, &table.InputError{Reason: fmt.Sprintf("%s holds no tables of a release", dir)}
	}
	rel := &Release{Path: dir, index: map[string]int{}}
	sums := map[string]map[int]bool{}
	for _, p := range paths {
		if err := rel.readTable(p, sums); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Base(p), err)
		}
	}
	keys := make([]string, 0, len(sums))
	for k := range sums {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		name, _, _ := strings.Cut(k, "\x1f")
		parent, ok := rel.index[name]
		if !ok {
			continue
		}
		r := Relation{Parent: parent}
		for c := range sums[k] {
			r.Children = append(r.Children, c)
		}
		slices.Sort(r.Children)
		rel.Relations = append(rel.Relations, r)
	}
	return rel, nil
}

func isDir(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.IsDir()
}

func (rel *Release) readTable(path string, sums map[string]map[int]bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	c := csv.NewReader(f)
	head, err := c.Read()
	if err == nil && strings.HasPrefix(head[len(head)-1], roundedColumn) {
		return &table.InputError{Line: 1, Reason: "a rounded release: its figures are ranges, which are not differenced against exact ones; publish one or the other of these persons"}
	}
	if err != nil || head[len(head)-1] != "count" {
		return &table.InputError{Line: 1, Reason: "not a table of a release: the last column is not count"}
	}
	dims := head[:len(head)-1]
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &table.InputError{Reason: err.Error()}
		}
		fig := Figure{Hidden: rec[len(dims)] == HiddenMark}
		if !fig.Hidden {
			if fig.N, err = strconv.ParseFloat(rec[len(dims)], 64); err != nil || fig.N < 0 {
				line, _ := c.FieldPos(len(dims))
				return &table.InputError{Line: line, Column: "count", Reason: fmt.Sprintf("%q is not a count", rec[len(dims)])}
			}
		}
		var parts []string
		for i, d := range dims {
			if rec[i] != TotalWord {
				parts = append(parts, d+"="+rec[i])
			}
		}
		slices.Sort(parts)
		fig.Name = strings.Join(parts, ";")
		i, ok := rel.index[fig.Name]
		if !ok {
			i = len(rel.Figures)
			rel.index[fig.Name] = i
			rel.Figures = append(rel.Figures, fig)
		} else if rel.Figures[i].Hidden && !fig.Hidden {
			rel.Figures[i] = fig // hidden here, shown there: it is shown
		}
		for j, p := range parts {
			up := slices.Delete(slices.Clone(parts), j, j+1)
			dim, _, _ := strings.Cut(p, "=")
			k := strings.Join(up, ";") + "\x1f" + dim
			if sums[k] == nil {
				sums[k] = map[int]bool{}
			}
			sums[k][i] = true
		}
	}
}
