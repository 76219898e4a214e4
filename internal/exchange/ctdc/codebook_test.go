package ctdc

import (
	"slices"
	"strings"
	"testing"

	"banyan/content"
	"banyan/internal/register"
)

// TestWhatComesInWouldGoOutTheSameWay holds this codebook against the one that
// content keeps for the way out: a cell that becomes one of our codes is the
// cell that content writes for that code.
func TestWhatComesInWouldGoOutTheSameWay(t *testing.T) {
	def, err := register.Load(content.FS)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, c := range columns {
		for cell, values := range c.cells() {
			for _, value := range values {
				v, ok := def.Variable(value.Variable)
				if !ok || v.CTDC == nil {
					t.Errorf("column %s: content says nothing of variable %s in CTDC", c.name, value.Variable)
					continue
				}
				column, written := written(v, value.Code)
				if column != c.name || written != cell {
					t.Errorf("%s=%s comes in as %s=%s, and would go out as %s=%s", c.name, cell, value.Variable, value.Code, column, written)
				}
				checked++
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d cells were compared", checked)
	}
}

// cells gives what a column may hold, with an example for years and countries.
func (c column) cells() map[string][]register.Value {
	switch {
	case c.codes != nil:
		return c.codes
	case c.years != "":
		return map[string][]register.Value{"2019": {{Variable: c.years, Code: "2019"}}}
	case c.country != "":
		return map[string][]register.Value{"KHM": {{Variable: c.country, Code: "KHM"}}}
	}
	return map[string][]register.Value{"1": {c.yes}}
}

// written is the cell that content writes for one of our codes.
func written(v *register.Variable, code string) (column, cell string) {
	switch {
	case v.CTDC.Column != "":
		if v.CTDC.Map == nil {
			return v.CTDC.Column, code
		}
		return v.CTDC.Column, v.CTDC.Map[code]
	case v.CTDC.Columns[code] != "":
		return v.CTDC.Columns[code], "1"
	case code == "ctdc.family": // a code of theirs, not of ours
		return v.CTDC.Columns["other_family"], "1"
	}
	return v.CTDC.Other, "1"
}

func TestTheCodebookHasTheThirtySevenColumnsOnceEach(t *testing.T) {
	names := strings.Split(Header(), ",")
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	if len(names) != 37 || len(slices.Compact(sorted)) != 37 {
		t.Errorf("%d columns", len(names))
	}
	for _, e := range Extra {
		if !strings.HasPrefix(e.Code, Format+".") {
			t.Errorf("%s does not say where it comes from", e.Code)
		}
	}
}
