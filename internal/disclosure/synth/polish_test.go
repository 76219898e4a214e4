package synth

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"banyan/internal/disclosure/dp"
)

// measured is a synthesis after its measurements: all columns and pairs.
func measured(t *testing.T, rows int) *private {
	t.Helper()
	data := coded(t, register(t, rows))
	p := &private{data: data, m: dp.NewMeasured(data.Unit, data.Domains), noise: dp.Seeded(8), left: 100, rng: rand.New(rand.NewPCG(1, 2))}
	if err := p.oneWay(20); err != nil {
		t.Fatal(err)
	}
	p.rows = rows
	for a := range data.Domains {
		for b := range a {
			if err := p.measure([]int{b, a}, 5); err != nil {
				t.Fatal(err)
			}
		}
	}
	return p
}

// apart is how far the records' pairs are from those of the data, in persons.
func (p *private) apart() (sum float64) {
	for _, by := range p.pairs {
		truth := p.data.Count(by)
		for i, n := range count2(p.codes[by[0]], p.codes[by[1]], len(p.data.Domains[by[1]].Labels), len(truth)) {
			sum += math.Abs(float64(n - truth[i]))
		}
	}
	return sum
}

func TestPolishingBringsAllTablesNearer(t *testing.T) {
	ctx := context.Background()
	rough, fine := measured(t, 900), measured(t, 900)
	if err := rough.fit(ctx, 3, 1000, 0); err != nil {
		t.Fatal(err)
	}
	if err := fine.fit(ctx, 3, 1000, 10); err != nil {
		t.Fatal(err)
	}
	a, b := rough.apart(), fine.apart()
	t.Logf("persons apart over %d pairs: %.0f, polished %.0f", len(rough.pairs), a, b)
	if b >= a/2 {
		t.Errorf("polishing leaves %.0f persons apart of %.0f", b, a)
	}
	for d, codes := range fine.codes {
		for _, c := range codes {
			if int(c) >= len(fine.data.Domains[d].Labels) {
				t.Fatalf("column %s has no code %d", fine.data.Domains[d].Name, c)
			}
		}
	}
}

func TestPolishingStopsWhenItsCallerGivesUp(t *testing.T) {
	p := measured(t, 200)
	if err := p.fit(context.Background(), 1, 100, 1); err != nil {
		t.Fatal(err)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.polish(done, nil, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
