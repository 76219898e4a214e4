package synth

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"banyan/internal/disclosure/dp"
	"banyan/internal/disclosure/evaluate"
	"banyan/internal/disclosure/table"
)

// register makes n persons whose columns depend on each other in a chain, with
// missing values and a multi-valued column.
func register(t testing.TB, n int) *table.Table {
	t.Helper()
	tab, err := table.FromRows([]string{"a", "b", "c", "m"}, []string{"m"}, n, func(i int, f []string) {
		a := i % 4
		f[0] = string(rune('p' + a))
		f[1] = string(rune('s' + (a+i%5/4)%4))
		if i%7 > 0 {
			f[2] = string(rune('x' + (a+i/4%3/2)%2))
		}
		if a == 0 {
			f[3] = "u;v"
		} else if i%2 == 0 {
			f[3] = "v"
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

const programme = "population: p\ncolumns: {a: {codes: [p, q, r, s]}, b: {codes: [s, t, u, v]}, c: {codes: [x, y]}, m: {codes: [u, v], multi: true}}\n"

func coded(t testing.TB, tab *table.Table) *dp.Coded {
	t.Helper()
	p, err := dp.ReadProgramme(strings.NewReader(programme))
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.CodeAll(tab)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPrivateRecordsFollowTheDataWithinTheirBudget(t *testing.T) {
	tab := register(t, 6000)
	const rho = 0.3
	res, err := Private(context.Background(), coded(t, tab), nil, rho, dp.Seeded(5))
	if err != nil {
		t.Fatal(err)
	}
	if res.Rho > rho*(1+1e-9) || res.Rho < rho*0.95 {
		t.Errorf("spent rho %g of %g", res.Rho, rho)
	}
	if math.Abs(float64(res.Rows-6000)) > 60 {
		t.Errorf("%d records for 6000 persons", res.Rows)
	}
	made, err := res.Table()
	if err != nil {
		t.Fatal(err)
	}
	a, b, err := table.Union(tab, made)
	if err != nil {
		t.Fatal(err)
	}
	e := evaluate.Compare(a, b, 10, 2)
	for _, l := range e.Lengths {
		if l.TotalVariation > 0.05 {
			t.Errorf("length %d: total variation %.4f", l.Length, l.TotalVariation)
		}
	}
}

func TestPrivateRefusesWithoutABudget(t *testing.T) {
	if _, err := Private(context.Background(), coded(t, register(t, 100)), nil, 0, dp.Seeded(1)); err == nil {
		t.Error("records are made for nothing")
	}
}

func TestSeededSynthesisIsTheSameEveryTime(t *testing.T) {
	tab := register(t, 500)
	var first string
	for range 2 {
		res, err := Private(context.Background(), coded(t, tab), nil, 0.5, dp.Seeded(9))
		if err != nil {
			t.Fatal(err)
		}
		made, err := res.Table()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		made.WriteCSV(&b)
		if first != "" && first != b.String() {
			t.Error("the same seed gives other records")
		}
		first = b.String()
	}
}

// A code of one person must hardly ever show: the threshold stands for that.
func TestDiscoveryKeepsCommonCodesAndNotOnePersons(t *testing.T) {
	tab, err := table.FromRows([]string{"a", "b"}, nil, 2001, func(i int, f []string) {
		f[0], f[1] = "common", string(rune('x'+i%2))
		if i == 2000 {
			f[0] = "of one person"
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for seed := range uint64(300) {
		c, threshold, err := Discover(tab, 0.05, 1e-3, dp.Seeded(seed))
		if err != nil {
			t.Fatal(err)
		}
		labels := strings.Join(c.Domains[0].Labels, ",")
		if !strings.Contains(labels, "common") {
			t.Fatalf("a code of 2,000 persons is lost at threshold %.0f", threshold)
		}
		if strings.Contains(labels, "one person") {
			shown++
		}
	}
	if shown > 3 { // 300 · 1e-3 = 0.3 expected at most
		t.Errorf("a code of one person showed %d times in 300", shown)
	}
}

// A code of one case group must hardly ever show either, however many of the group
// are beyond the cap: a group may bring many codes, and all of its persons one.
func TestDiscoveryKeepsNoCodeOfOneCaseGroup(t *testing.T) {
	var b strings.Builder
	b.WriteString("case,a,b\n")
	for i := range 400 {
		fmt.Fprintf(&b, ",common,%d\n", i%2)
	}
	for i := range 40 {
		fmt.Fprintf(&b, "k,of one group,only %d\n", i)
	}
	tab, err := table.ReadCSV(strings.NewReader(b.String()), table.Options{Group: "case"})
	if err != nil {
		t.Fatal(err)
	}
	unit := dp.Unit{Cap: 4}
	shown := 0
	const runs, delta = 3000, 1e-3
	for seed := range uint64(runs) {
		noise := dp.Seeded(seed)
		c, _, err := Discover(unit.Count(tab, noise), 0.5, delta, noise)
		if err != nil {
			t.Fatal(err)
		}
		labels := strings.Join(c.Domains[0].Labels, ",") + strings.Join(c.Domains[1].Labels, ",")
		if !strings.Contains(labels, "common") || c.Unit != unit {
			t.Fatalf("a code of 400 persons is lost, or the unit: %v", c.Unit)
		}
		if strings.Contains(labels, "one group") || strings.Contains(labels, "only") {
			shown++
		}
	}
	if shown > 12 { // 3 expected at most; 12 is five standard deviations
		t.Errorf("codes of one case group showed %d times in %d", shown, runs)
	}
}

// auditUnits are the units of protection that every mechanism is audited for.
var auditUnits = []dp.Unit{{}, {Cap: 3}}

// The whole synthesis as a mechanism, at least 10^5 runs: the attacker counts the
// records in which the rare combination of the extra person, or group, shows.
func TestAuditOfSynthesisFindsNoMoreLossThanStated(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 syntheses take about 20 s of CPU")
	}
	const eps, delta = 1.0, 1e-5
	rho, err := dp.Rho(eps, delta)
	if err != nil {
		t.Fatal(err)
	}
	domains := []dp.Domain{{Name: "a", Labels: []string{"0", "1"}}, {Name: "b", Labels: []string{"0", "1"}}}
	data := func(unit dp.Unit, extra int) *dp.Coded {
		const n = 8
		a, b := make([]uint16, n+extra), make([]uint16, n+extra)
		for i := range extra {
			a[n+i], b[n+i] = 1, 1
		}
		return dp.NewCoded(unit, domains, [][]uint16{a, b}, n+extra)
	}
	synthesis := func(unit dp.Unit, extra int) float64 {
		without, with := data(unit, 0), data(unit, extra)
		return dp.Audit(100_000, delta, func(neighbour bool, noise *dp.Noise) float64 {
			d := without
			if neighbour {
				d = with
			}
			res, err := Private(context.Background(), d, [][]int{{0, 1}}, rho, noise)
			if err != nil {
				return -1 // nobody left to make: an output like any other
			}
			n := 0
			for i := range res.Rows {
				n += int(res.Codes[0][i] + res.Codes[1][i])
			}
			return float64(n)
		}, func(w uint64) *dp.Noise { return dp.Seeded(w + 3) })
	}
	for _, unit := range auditUnits {
		got := synthesis(unit, unit.Persons())
		t.Logf("synthesis, %s: epsilon at least %.3f, stated %g", unit.Neighbours(), got, eps)
		if got > eps {
			t.Errorf("synthesis loses epsilon %.3f, stated %g", got, eps)
		}
	}
}

// Noise that was made for persons does not pass for groups: the synthesis of forty
// persons more at the cost of one.
func TestAuditOfSynthesisFindsUnscaledNoise(t *testing.T) {
	const eps, delta = 1.0, 1e-5
	rho, err := dp.Rho(eps, delta)
	if err != nil {
		t.Fatal(err)
	}
	domains := []dp.Domain{{Name: "a", Labels: []string{"0", "1"}}}
	data := func(extra int) *dp.Coded {
		a := make([]uint16, 20+extra)
		for i := range extra {
			a[20+i] = 1
		}
		return dp.NewCoded(dp.Unit{}, domains, [][]uint16{a}, len(a))
	}
	without, with := data(0), data(40)
	got := dp.Audit(100_000, delta, func(neighbour bool, noise *dp.Noise) float64 {
		d := without
		if neighbour {
			d = with
		}
		res, err := Private(context.Background(), d, nil, rho, noise)
		if err != nil {
			return -1
		}
		return float64(res.Rows)
	}, func(w uint64) *dp.Noise { return dp.Seeded(w + 9) })
	t.Logf("forty persons at the cost of one: epsilon at least %.3f", got)
	if got <= eps {
		t.Errorf("forty persons at the cost of one pass as epsilon %g: observed %.3f", eps, got)
	}
}

// The choice of pairs by itself, as the exponential mechanism that it is. A group
// moves each score by as many as are counted of it.
func TestAuditOfChoosingFindsNoMoreLossThanStated(t *testing.T) {
	const den = 1 << 40
	const eps = 0.8
	choice := func(unit dp.Unit, moved int64) float64 {
		num := uint64(eps / 2 / float64(unit.Persons()) * den)
		return dp.Audit(100_000, 0, func(neighbour bool, noise *dp.Noise) float64 {
			scores := []int64{10, 10, 10}
			if neighbour {
				scores = []int64{10 + moved, 10 - moved, 10 - moved}
			}
			if noise.Choose(scores, num, den) == 0 {
				return 1
			}
			return 0
		}, func(w uint64) *dp.Noise { return dp.Seeded(w + 50) })
	}
	for _, unit := range auditUnits {
		got := choice(unit, int64(unit.Persons()))
		t.Logf("choice, %s: epsilon at least %.3f, stated %g", unit.Neighbours(), got, eps)
		if got > eps {
			t.Errorf("choosing loses epsilon %.3f, stated %g", got, eps)
		}
		if got < eps/4 {
			t.Errorf("the audit sees only %.3f", got)
		}
	}
	if got := choice(dp.Unit{}, 3); got <= eps {
		t.Errorf("a choice made for persons passes for groups of 3: observed %.3f", got)
	}
}
