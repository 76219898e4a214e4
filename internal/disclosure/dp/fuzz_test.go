package dp

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"banyan/internal/disclosure/table"
)

// FuzzProgramme holds that a programme is refused with an InputError, or codes a
// table into cells that add up to its persons.
func FuzzProgramme(f *testing.F) {
	for _, s := range []string{casesProgramme, "", "population: p\n", "population: p\nbudget: {epsilon: 1, delta: 1e-6}\nobjective: sum\ncolumns: {a: {codes: ['0'], other: true}, b: {codes: [x], multi: true}}\ntables: [{by: [a, b], weight: 2}]\n"} {
		f.Add([]byte(s))
	}
	if b, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", "program.yaml")); err == nil {
		f.Add(b)
	}
	tab, err := table.FromRows([]string{"a", "b"}, nil, 6, func(i int, row []string) {
		row[0] = string(rune('0' + i%2))
		if i > 2 {
			row[1] = "x"
		}
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		refused := func(err error) {
			var bad *table.InputError
			if !errors.As(err, &bad) {
				t.Fatalf("error is %T %v", err, err)
			}
		}
		p, err := ReadProgramme(bytes.NewReader(in))
		if err != nil {
			refused(err)
			return
		}
		c, err := p.Code(tab)
		if err != nil {
			refused(err)
			return
		}
		for _, q := range c.Queries {
			cells := 1
			for _, d := range q.By {
				cells *= len(c.Domains[d].Labels)
			}
			if cells > 100_000 {
				return
			}
			sum := int64(0)
			for _, n := range c.Count(q.By) {
				sum += n
			}
			if sum != int64(tab.Rows()) {
				t.Fatalf("a table by %v counts %d persons of %d", q.By, sum, tab.Rows())
			}
		}
	})
}
