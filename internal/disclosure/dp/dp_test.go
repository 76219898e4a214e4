package dp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"banyan/internal/disclosure/table"

	"pgregory.net/rapid"
)

// The sampler against the definition: chi-squared over the values within four
// standard deviations, for small, middle and large variances.
func TestGaussianFollowsItsDefinition(t *testing.T) {
	n := Seeded(1)
	for _, variance := range []uint64{1, 2, 7, 100, 12345} {
		const draws = 100_000
		sd := math.Sqrt(float64(variance))
		width := max(int(sd/3), 1) // values per class
		classes := int(4*sd)/width + 1
		count := map[int]int{}
		for range draws {
			count[int(math.Floor(float64(n.Gaussian(variance))/float64(width)))]++
		}
		norm := 0.0
		for x := -int(12 * sd); x <= int(12*sd); x++ {
			norm += math.Exp(-float64(x*x) / (2 * float64(variance)))
		}
		chi, df := 0.0, 0
		for c := -classes; c <= classes; c++ {
			p := 0.0
			for x := c * width; x < (c+1)*width; x++ {
				p += math.Exp(-float64(x*x)/(2*float64(variance))) / norm
			}
			if want := p * draws; want > 10 {
				d := float64(count[c]) - want
				chi += d * d / want
				df++
			}
		}
		// Mean df, standard deviation sqrt(2 df): five of them is one in a million.
		if limit := float64(df) + 5*math.Sqrt(2*float64(df)); chi > limit {
			t.Errorf("variance %d: chi-squared %.1f over %d classes, limit %.1f", variance, chi, df, limit)
		}
	}
}

func TestGaussianKeepsItsVarianceAtTheLimitOfExactArithmetic(t *testing.T) {
	n := Seeded(2)
	for _, variance := range []uint64{1 << 40, MaxVariance} {
		sum := 0.0
		const draws = 40_000
		for range draws {
			x := float64(n.Gaussian(variance)) / math.Sqrt(float64(variance))
			sum += x * x
		}
		if r := sum / draws; math.Abs(r-1) > 5*math.Sqrt(2.0/draws) {
			t.Errorf("variance %d: ratio %.4f", variance, r)
		}
	}
}

func TestBernoulliDecidesExactlyWhereRoundingCannot(t *testing.T) {
	// A number that begins with exactly the bits of the fraction: 1/3 = 0.5555… in
	// base 16. The first word equal to the digits must lead to a second word.
	third := uint64(0x5555555555555555)
	for _, c := range []struct {
		words []uint64
		want  bool
	}{
		{[]uint64{third - 1<<20}, true}, {[]uint64{third + 1<<20}, false},
		{[]uint64{third, third - 1}, true}, {[]uint64{third, third + 1}, false},
		{[]uint64{third, third, 0}, true},
	} {
		if got := fixed(c.words...).bernoulli(uint128{0, 1}, uint128{0, 3}); got != c.want {
			t.Errorf("%x: %v", c.words, got)
		}
	}
	if fixed(1<<63).bernoulli(uint128{0, 1}, uint128{0, 2}) {
		t.Error("one half is not below one half")
	}
	if !fixed(1<<63-1).bernoulli(uint128{0, 1}, uint128{0, 2}) {
		t.Error("just under one half is below it")
	}
}

// The conversion against a direct search over α, and against what is known: no
// accounting of Gaussian noise can beat the analytic one.
func TestAccountingIsTightAndNeverOptimistic(t *testing.T) {
	for _, rho := range []float64{0.001, 0.02, 0.3, 1, 3} {
		for _, eps := range []float64{0.1, 0.5, 1, 4, 10} {
			direct := 1.0
			for a := math.Log(1e-5); a < math.Log(1e7); a += 1e-3 {
				al := 1 + math.Exp(a)
				direct = math.Min(direct, math.Exp((al-1)*(al*rho-eps)-math.Log(al-1)+al*math.Log1p(-1/al)))
			}
			got := Delta(rho, eps)
			if math.Abs(got-direct) > 1e-4*direct {
				t.Errorf("delta(%g, %g) = %g, by search %g", rho, eps, got, direct)
			}
			if least := GaussianDelta(math.Sqrt(2*rho), eps); got < least {
				t.Errorf("delta(%g, %g) = %g is below the exact %g of Gaussian noise", rho, eps, got, least)
			}
		}
	}
	for _, eps := range []float64{0.5, 1, 4} {
		rho, err := Rho(eps, 1e-6)
		if err != nil {
			t.Fatal(err)
		}
		if back := Epsilon(rho, 1e-6); back > eps || back < eps*0.999 {
			t.Errorf("epsilon %g → rho %g → epsilon %g", eps, rho, back)
		}
		lost := GaussianMu(eps, 1e-6) / math.Sqrt(2*rho)
		if lost < 1 || lost > 1.1 {
			t.Errorf("epsilon %g: zCDP needs %.3f times the noise of the exact bound", eps, lost)
		}
	}
}

func TestBudgetsThatPromiseNothingAreRefused(t *testing.T) {
	for _, b := range [][2]float64{{0, 1e-6}, {-1, 1e-6}, {math.NaN(), 1e-6}, {math.Inf(1), 1e-6}, {1000, 1e-6}, {1, 0}, {1, -1}, {1, 0.5}, {1, math.NaN()}} {
		if CheckBudget(b[0], b[1]) == nil {
			t.Errorf("epsilon %g, delta %g is accepted", b[0], b[1])
		}
	}
}

func domains(sizes ...int) []Domain {
	var out []Domain
	for i, n := range sizes {
		d := Domain{Name: fmt.Sprintf("c%d", i)}
		for j := range n {
			d.Labels = append(d.Labels, fmt.Sprint(j))
		}
		out = append(out, d)
	}
	return out
}

func drawPlan(t *rapid.T) (*Plan, Counts, float64) {
	sizes := rapid.SliceOfN(rapid.IntRange(1, 5), 2, 4).Draw(t, "sizes")
	doms := domains(sizes...)
	rows := make([][]int, rapid.IntRange(0, 60).Draw(t, "rows"))
	for i := range rows {
		for _, n := range sizes {
			rows[i] = append(rows[i], rapid.IntRange(0, n-1).Draw(t, "code"))
		}
	}
	exact := func(by []int) []int64 {
		size := 1
		for _, d := range by {
			size *= sizes[d]
		}
		out := make([]int64, size)
		for _, r := range rows {
			at := 0
			for _, d := range by {
				at = at*sizes[d] + r[d]
			}
			out[at]++
		}
		return out
	}
	var queries []Query
	for range rapid.IntRange(1, 4).Draw(t, "queries") {
		var by []int
		for d := range sizes {
			if rapid.Bool().Draw(t, "in") {
				by = append(by, d)
			}
		}
		if len(by) > 0 && !slices.ContainsFunc(queries, func(q Query) bool { return slices.Equal(q.By, by) }) {
			queries = append(queries, Query{by, float64(rapid.IntRange(1, 3).Draw(t, "weight"))})
		}
	}
	if len(queries) == 0 {
		queries = []Query{{[]int{0}, 1}}
	}
	rho := rapid.SampledFrom([]float64{0.01, 0.3, 2}).Draw(t, "rho")
	p, err := NewPlan(Unit{}, doms, queries, rapid.SampledFrom([]Objective{SumVariance, WorstVariance}).Draw(t, "objective"), rho)
	if err != nil {
		t.Fatal(err)
	}
	return p, exact, rho
}

func TestPlanNeverCostsMoreThanItsBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _, rho := drawPlan(t)
		// The cost again, from the definition: the change of every scaled residual
		// when one person is added, over the variance of its noise.
		spent := 0.0
		for _, part := range p.Parts {
			dims := p.sizes(part.By)
			one := make([]int64, part.Size)
			one[0] = 1
			d2 := 0.0
			for _, x := range scaledResidual(one, dims) {
				d2 += float64(x) * float64(x)
			}
			spent += d2 / (2 * float64(part.Variance))
		}
		if spent > rho*(1+1e-9) || math.Abs(spent-p.Rho) > 1e-9*rho {
			t.Fatalf("spends %g, says %g, may spend %g", spent, p.Rho, rho)
		}
	})
}

// Without noise the residuals add up to the very tables.
func TestPartsAddUpToTheTables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, exact, _ := drawPlan(t)
		m := &Measured{Plan: p}
		for _, part := range p.Parts {
			r := make([]float64, part.Size)
			for i, x := range scaledResidual(exact(part.By), p.sizes(part.By)) {
				r[i] = float64(x) / float64(part.Size)
			}
			m.residual = append(m.residual, r)
		}
		for _, q := range p.Queries {
			for i, x := range m.Table(q.By) {
				if want := float64(exact(q.By)[i]); math.Abs(x-want) > 1e-9*(1+want) {
					t.Fatalf("cell %d is %g, should be %g", i, x, want)
				}
			}
		}
	})
}

func TestSettledTablesAreNotNegativeAndAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, exact, _ := drawPlan(t)
		m, err := p.Measure(context.Background(), exact, Seeded(rapid.Uint64().Draw(t, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Settle(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range p.Queries {
			tab := s.Table(q.By)
			for i, d := range q.By { // every one-column margin, summed from this table
				dims := p.sizes(q.By)
				sums := make([]float64, dims[i])
				step := 1
				for _, n := range dims[i+1:] {
					step *= n
				}
				for c, x := range tab {
					if x < 0 {
						t.Fatalf("negative cell %g", x)
					}
					sums[c/step%dims[i]] += x
				}
				for j, x := range s.Table([]int{d}) {
					if math.Abs(sums[j]-x) > 0.01*float64(len(tab)) {
						t.Fatalf("column %d code %d: %g in the table, %g in its margin", d, j, sums[j], x)
					}
				}
			}
		}
	})
}

// Standard deviation as stated, no bias, and intervals that cover 94 to 96 %,
// over the cells of nobody and of few as over the others.
func TestIntervalsCoverAsStated(t *testing.T) {
	doms := domains(4, 3, 5)
	truth := func(by []int) []int64 {
		sizes := []int{4, 3, 5}
		size := 1
		for _, d := range by {
			size *= sizes[d]
		}
		out := make([]int64, size)
		for a := range 4 {
			for b := range 3 {
				for c := range 5 {
					n := int64(a * b * c * c) // a third of the cells have nobody
					at := 0
					for _, d := range by {
						at = at*sizes[d] + []int{a, b, c}[d]
					}
					out[at] += n
				}
			}
		}
		return out
	}
	p, err := NewPlan(Unit{}, doms, []Query{{[]int{0, 1}, 1}, {[]int{1, 2}, 1}, {[]int{0, 2}, 1}}, WorstVariance, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	noise := Seeded(3)
	var cells, covered, zeros, zerosCovered, z, z2 float64
	for range 2000 {
		m, err := p.Measure(context.Background(), truth, noise)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range p.Queries {
			sd := p.StdDev(q.By)
			for i, x := range m.Table(q.By) {
				n := float64(truth(q.By)[i])
				lo, hi := Interval(x, sd)
				in := 0.0
				if lo <= n && n <= hi {
					in = 1
				}
				cells++
				covered += in
				if n == 0 {
					zeros++
					zerosCovered += in
				}
				z += (x - n) / sd
				z2 += (x - n) * (x - n) / sd / sd
			}
		}
	}
	if c := covered / cells; c < 0.94 || c > 0.96 {
		t.Errorf("intervals cover %.4f", c)
	}
	if c := zerosCovered / zeros; c < 0.94 || c > 0.96 {
		t.Errorf("intervals of empty cells cover %.4f of %g", c, zeros)
	}
	if b := z / cells; math.Abs(b) > 0.02 {
		t.Errorf("bias %.4f standard deviations", b)
	}
	if r := z2 / cells; math.Abs(r-1) > 0.02 {
		t.Errorf("variance is %.4f of what is stated", r)
	}
}

// By integration rather than by simulation: for every true mean the chance that
// the interval holds it.
func TestIntervalsCoverNinetyFivePercentWhateverTheTruth(t *testing.T) {
	for mu := 0.0; mu <= 6; mu += 0.05 {
		covered := 0.0
		const step = 0.002
		for x := mu - 7; x <= mu+7; x += step {
			lo, hi := Interval(x, 1)
			if hi <= lo {
				t.Fatalf("the interval of %g is empty", x)
			}
			if lo <= mu && mu <= hi {
				covered += step * math.Exp(-(x-mu)*(x-mu)/2) / math.Sqrt(2*math.Pi)
			}
		}
		if covered < 0.945 || covered > 0.96 {
			t.Errorf("mean %.2f standard deviations: covered %.4f", mu, covered)
		}
	}
	if lo, hi := Interval(1000, 5); math.Abs(lo-990.2) > 0.01 || math.Abs(hi-1009.8) > 0.01 {
		t.Errorf("far from zero: [%g, %g]", lo, hi)
	}
}

func example(t *testing.T) *Programme {
	t.Helper()
	f, err := os.Open("../../../examples/program.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := ReadProgramme(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The target: 25 two-way tables at epsilon 4, standard deviation at most 5.2 per
// cell. It depends on the programme alone, not on the data.
func TestTwentyFiveTablesStayUnderTheTargetNoise(t *testing.T) {
	prog := example(t)
	tab, err := table.ReadCSV(strings.NewReader(header(prog)), table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	coded, err := prog.Code(tab)
	if err != nil {
		t.Fatal(err)
	}
	rho, err := Rho(4, 1e-6)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(coded.Unit, coded.Domains, coded.Queries, prog.Objective, rho)
	if err != nil {
		t.Fatal(err)
	}
	two, worst := 0, 0.0
	for _, q := range p.Queries {
		if len(q.By) == 2 {
			two++
		}
		worst = max(worst, p.StdDev(q.By))
	}
	if two != 25 || worst > 5.2 {
		t.Errorf("%d two-way tables, standard deviation up to %.3f", two, worst)
	}
}

// header makes two empty rows with the programme's columns.
func header(p *Programme) string {
	var names []string
	for n := range p.Columns {
		names = append(names, n)
	}
	slices.Sort(names)
	commas := strings.Repeat(",", len(names)-1)
	return strings.Join(names, ",") + "\n" + commas + "\n" + commas + "\n"
}

func TestProgrammesAreRefusedWithWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "empty"},
		{"population: p\ncolumns: {b: {codes: [x]}}\ntables: [{by: [a]}]\n", `column "a": programme: table 1: the column has no codes`},
		{"tables: [{by: [a]}]\ncolumns: {a: {codes: [x]}}\n", "name the population"},
		{"population: p\n", "no columns"},
		{"population: p\ncolumns: {a: {codes: []}}\ntables: [{by: [a]}]\n", "never from the data"},
		{"population: p\ncolumns: {a: {codes: [x, x]}}\ntables: [{by: [a]}]\n", "listed twice"},
		{"population: p\ncolumns: {a: {codes: [x]}}\ntables: [{by: [a, a]}]\n", "twice"},
		{"population: p\ncolumns: {a: {codes: [x]}}\ntables: [{by: []}]\n", "1 to 4 columns"},
		{"population: p\ncolumns: {a: {codes: [x]}}\ntables: [{by: [a], weight: -1}]\n", "negative"},
		{"population: p\nobjective: best\ncolumns: {a: {codes: [x]}}\ntables: [{by: [a]}]\n", "sum or max"},
		{"population: p\nbudget: {epsilon: -1, delta: 1e-6}\ncolumns: {a: {codes: [x]}}\ntables: [{by: [a]}]\n", "budget"},
		{"population: p\ncolunms: {}\n", "colunms"},
		{"population: [\n", "YAML"},
	} {
		if _, err := ReadProgramme(strings.NewReader(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.in, err, c.want)
		}
	}
}

func TestCodesOutsideTheListAreRefusedOrCountedAsOther(t *testing.T) {
	prog := func(other string) *Programme {
		p, err := ReadProgramme(strings.NewReader("population: p\ncolumns: {a: {codes: [x]" + other + "}, m: {codes: [u, v], multi: true}}\ntables: [{by: [a, m]}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	tab, err := table.ReadCSV(strings.NewReader("a,m\nx,u;v\ny,\n,v\n"), table.Options{Multi: []string{"m"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prog("").Code(tab); err == nil || !strings.Contains(err.Error(), `value "y" is not in the programme's code list`) {
		t.Errorf("error is %v", err)
	}
	c, err := prog(", other: true").Code(tab)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Queries) != 2 { // a × m:u and a × m:v
		t.Fatalf("%d queries", len(c.Queries))
	}
	// Rows: x, (other), (not recorded); columns of m:v: yes, no.
	if got := c.Count(c.Queries[1].By); !slices.Equal(got, []int64{1, 0, 0, 1, 1, 0}) {
		t.Errorf("a by m:v is %v", got)
	}
}

// auditRuns is the least that the specification asks of every mechanism.
const auditRuns = 100_000

func seeded(worker uint64) *Noise { return Seeded(worker + 77) }

// countTrial is one count of 40 or 41 persons with discrete Gaussian noise.
func countTrial(variance uint64) Trial {
	return func(neighbour bool, n *Noise) float64 {
		x := int64(40)
		if neighbour {
			x++
		}
		return float64(x + n.Gaussian(variance))
	}
}

func TestAuditFindsNoMoreLossThanStated(t *testing.T) {
	const eps, delta = 1.0, 1e-5
	rho, err := Rho(eps, delta)
	if err != nil {
		t.Fatal(err)
	}
	variance := uint64(math.Ceil(1 / (2 * rho)))
	got := Audit(auditRuns, delta, countTrial(variance), seeded)
	t.Logf("one count: epsilon at least %.3f, stated %g", got, eps)
	if got > eps {
		t.Errorf("one count loses epsilon %.3f, stated %g", got, eps)
	}

	// A whole programme: a table and a margin, the neighbour has one person more. The
	// attacker weighs all measurements by the likelihood ratio.
	sizes := []int{2, 3}
	person := []int{1, 2}
	counts := func(extra bool) Counts {
		known := map[int][]int64{} // by the columns asked for; exact counting is not what is timed
		count := func(by []int) []int64 {
			size, at := 1, 0
			for _, d := range by {
				size *= sizes[d]
				at = at*sizes[d] + person[d]
			}
			out := make([]int64, size)
			for i := range out {
				out[i] = 12 / int64(size)
			}
			if extra {
				out[at]++
			}
			return out
		}
		for i, by := range [][]int{{}, {0}, {1}, {0, 1}} {
			known[i] = count(by)
		}
		return func(by []int) []int64 {
			i := 0
			for _, d := range by {
				i += d + 1
			}
			return known[i]
		}
	}
	p, err := NewPlan(Unit{}, domains(sizes...), []Query{{[]int{0, 1}, 1}, {[]int{1}, 2}}, WorstVariance, rho)
	if err != nil {
		t.Fatal(err)
	}
	plain, extra := counts(false), counts(true)
	shift := make([][]float64, len(p.Parts))
	for i, part := range p.Parts {
		a, b := scaledResidual(plain(part.By), p.sizes(part.By)), scaledResidual(extra(part.By), p.sizes(part.By))
		for j := range a {
			shift[i] = append(shift[i], float64(b[j]-a[j])*float64(part.Size)/float64(part.Variance))
		}
	}
	got = Audit(auditRuns, delta, func(neighbour bool, n *Noise) float64 {
		exact := plain
		if neighbour {
			exact = extra
		}
		m, err := p.Measure(context.Background(), exact, n)
		if err != nil {
			t.Error(err)
		}
		score := 0.0
		for i, r := range m.residual {
			for j, x := range r {
				score += shift[i][j] * x
			}
		}
		return score
	}, seeded)
	t.Logf("a programme of tables: epsilon at least %.3f, stated %g", got, eps)
	if got > eps {
		t.Errorf("a programme loses epsilon %.3f, stated %g", got, eps)
	}
	if got < eps/4 {
		t.Errorf("the audit sees next to nothing (%.3f): its attacker is too weak to prove anything", got)
	}
}

func TestAuditFindsABrokenMechanism(t *testing.T) {
	rho, err := Rho(1, 1e-5)
	if err != nil {
		t.Fatal(err)
	}
	variance := uint64(math.Ceil(1 / (2 * rho)))
	if got := Audit(auditRuns, 1e-5, countTrial(variance/9), seeded); got <= 1 {
		t.Errorf("a third of the noise passes as epsilon 1: observed %.3f", got)
	}
	none := func(neighbour bool, n *Noise) float64 {
		if neighbour {
			return 41
		}
		return 40
	}
	if got := Audit(2000, 1e-5, none, seeded); got < 4 {
		t.Errorf("no noise at all: observed %.3f", got)
	}
}

// fixed is a source of given words.
func fixed(words ...uint64) *Noise {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return &Noise{r: bufio.NewReader(bytes.NewReader(b))}
}
