package synth

import (
	"context"
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

// The whole synthesis as a mechanism, at least 10^5 runs: the attacker counts the
// records in which the extra person's rare combination shows.
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
	data := func(n int) *dp.Coded {
		a, b := make([]uint16, n), make([]uint16, n)
		if n == 9 {
			a[8], b[8] = 1, 1
		}
		return dp.NewCoded(domains, [][]uint16{a, b}, n)
	}
	without, with := data(8), data(9)
	got := dp.Audit(100_000, delta, func(neighbour bool, noise *dp.Noise) float64 {
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
	t.Logf("synthesis: epsilon at least %.3f, stated %g", got, eps)
	if got > eps {
		t.Errorf("synthesis loses epsilon %.3f, stated %g", got, eps)
	}
}

// The choice of pairs by itself, as the exponential mechanism that it is.
func TestAuditOfChoosingFindsNoMoreLossThanStated(t *testing.T) {
	const den = 1 << 40
	eps := 0.8
	num := uint64(eps / 2 * den)
	got := dp.Audit(100_000, 0, func(neighbour bool, noise *dp.Noise) float64 {
		scores := []int64{10, 10, 10}
		if neighbour {
			scores = []int64{11, 9, 9}
		}
		if noise.Choose(scores, num, den) == 0 {
			return 1
		}
		return 0
	}, func(w uint64) *dp.Noise { return dp.Seeded(w + 50) })
	t.Logf("choice: epsilon at least %.3f, stated %g", got, eps)
	if got > eps {
		t.Errorf("choosing loses epsilon %.3f, stated %g", got, eps)
	}
	if got < eps/4 {
		t.Errorf("the audit sees only %.3f", got)
	}
}
