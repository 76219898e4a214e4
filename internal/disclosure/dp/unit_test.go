package dp

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"banyan/internal/disclosure/table"

	"pgregory.net/rapid"
)

func TestCapsThatProtectNobodyAreRefused(t *testing.T) {
	for _, limit := range []int{-1, 0, 1, MaxCap + 1} {
		if _, err := NewUnit(limit); err == nil {
			t.Errorf("a cap of %d is taken", limit)
		}
	}
}

// The proof in Unit's comment, on numbers: whatever the persons of a group are,
// what they change, over all measurements, stays within the stated cost; and a
// group of persons who are all alike reaches it.
func TestAGroupChangesTheMeasurementsByNoMoreThanStated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(2, 5), 2, 3).Draw(t, "codes")
		unit := Unit{rapid.IntRange(2, 6).Draw(t, "cap")}
		p, err := NewPlan(unit, domains(sizes...), []Query{{[]int{0, 1}, 1}, {[]int{0}, 2}}, WorstVariance, 0.2)
		if err != nil {
			t.Fatal(err)
		}
		alike := rapid.Bool().Draw(t, "alike")
		group := make([][]uint16, len(sizes))
		n := rapid.IntRange(1, unit.Cap).Draw(t, "persons")
		if alike {
			n = unit.Cap
		}
		for d, s := range sizes {
			group[d] = make([]uint16, n)
			for i := range n {
				group[d][i] = uint16(rapid.IntRange(0, s-1).Draw(t, "code"))
				if alike {
					group[d][i] = group[d][0]
				}
			}
		}
		// Residuals are linear in the counts, so the others do not matter.
		change := NewCoded(unit, p.Domains, group, n)
		cost := 0.0
		for _, part := range p.Parts {
			norm2 := 0.0
			for _, y := range scaledResidual(change.Count(part.By), p.sizes(part.By)) {
				norm2 += float64(y) * float64(y)
			}
			cost += norm2 / (2 * float64(part.Variance))
		}
		if cost > p.Rho*(1+1e-9) || alike && cost < p.Rho*(1-1e-9) {
			t.Fatalf("a group of %d (alike: %v) costs %g, stated %g", n, alike, cost, p.Rho)
		}
		if p.Rho > 0.2*(1+1e-9) {
			t.Fatalf("the plan costs %g of 0.2", p.Rho)
		}
	})
}

const casesProgramme = "population: p\ncolumns: {a: {codes: ['0', '1'], complete: true}}\ntables: [{by: [a]}]\n"

// registers are neighbours by one case: eight persons, and twelve of one case more.
func registers(t *testing.T) (without, with *table.Table) {
	t.Helper()
	base := "case,a\n" + strings.Repeat(",0\n", 7) + ",1\n"
	var out []*table.Table
	for _, text := range []string{base, base + strings.Repeat("k,1\n", 12)} {
		tab, err := table.ReadCSV(strings.NewReader(text), table.Options{Group: "case"})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tab)
	}
	return out[0], out[1]
}

func TestGroupsAreNotMeasuredWithoutACap(t *testing.T) {
	without, _ := registers(t)
	p, err := ReadProgramme(strings.NewReader(casesProgramme))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Code(without); err == nil {
		t.Error("case groups without a cap are coded as if they were persons")
	}
	if c, err := p.Code((Unit{2}).Count(without, Seeded(1))); err != nil || c.Unit.Cap != 2 {
		t.Errorf("a capped table: %v", err)
	}
	if err := p.Without("a"); err == nil {
		t.Error("the programme counts the column of the case group")
	}
}

// casesTrial is the whole way of a release about case groups: who is counted is
// drawn, the tables are measured. unit is what the noise is made for.
func casesTrial(t *testing.T, counted, unit Unit, rho float64) Trial {
	t.Helper()
	prog, err := ReadProgramme(strings.NewReader(casesProgramme))
	if err != nil {
		t.Fatal(err)
	}
	without, with := registers(t)
	p, err := NewPlan(unit, domains(2), []Query{{[]int{0}, 1}}, WorstVariance, rho)
	if err != nil {
		t.Fatal(err)
	}
	return func(neighbour bool, n *Noise) float64 {
		tab := without
		if neighbour {
			tab = with
		}
		c, err := prog.Code(counted.Count(tab, n))
		if err != nil {
			t.Error(err)
			return 0
		}
		m, err := p.Measure(context.Background(), c.Count, n)
		if err != nil {
			t.Error(err)
			return 0
		}
		// The likelihood ratio of a group in cell 1: what the parts say, by their noise.
		score := 0.0
		for i, r := range m.residual {
			v := float64(p.Parts[i].Variance) / float64(p.Parts[i].Size) / float64(p.Parts[i].Size)
			score += r[len(r)-1] / v
		}
		return score
	}
}

func TestAuditOfCaseGroupsFindsNoMoreLossThanStatedAndUnscaledNoise(t *testing.T) {
	const eps, delta = 1.0, 1e-5
	rho, err := Rho(eps, delta)
	if err != nil {
		t.Fatal(err)
	}
	unit := Unit{3}
	got := Audit(auditRuns, delta, casesTrial(t, unit, unit, rho), seeded)
	t.Logf("tables, a case of twelve, cap 3: epsilon at least %.3f, stated %g", got, eps)
	if got > eps {
		t.Errorf("a case group loses epsilon %.3f, stated %g", got, eps)
	}
	if got < eps/4 {
		t.Errorf("the audit sees next to nothing (%.3f)", got)
	}
	if got := Audit(auditRuns, delta, casesTrial(t, unit, Unit{}, rho), seeded); got <= eps {
		t.Errorf("noise made for persons passes as epsilon 1 for groups: observed %.3f", got)
	}
	if got := Audit(auditRuns, delta, casesTrial(t, Unit{12}, unit, rho), seeded); got <= eps {
		t.Errorf("noise for a cap of 3 with 12 persons counted passes as epsilon 1: observed %.3f", got)
	}
}

func TestACountOfAGroupNeedsNoiseForItsPersons(t *testing.T) {
	doms := domains(2, 2)
	person, err := NewPlan(Unit{}, doms, []Query{{[]int{0, 1}, 1}}, WorstVariance, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	group, err := NewPlan(Unit{4}, doms, []Query{{[]int{0, 1}, 1}}, WorstVariance, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	by := slices.Clone(person.Queries[0].By)
	if r := group.StdDev(by) / person.StdDev(by); math.Abs(r-4) > 0.05 {
		t.Errorf("the standard deviation for groups of 4 is %.3f times that for persons", r)
	}
}
