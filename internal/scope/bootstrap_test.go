package scope

import (
	"context"
	"math"
	"testing"
)

type refBootstrap struct {
	Estimate float64            `json:"estimate"`
	BCa      map[string]float64 `json:"bca"`
	CI       []float64          `json:"ci95"`
	Pct      []float64          `json:"percentile95"`
	Accel    float64            `json:"ahat"`
	Z0       float64            `json:"z0"`
	Jack     []float64          `json:"jackknife"`
	Adjusted map[string]float64 `json:"bca_adjusted_probs"`
	Deciles  []float64          `json:"boot_deciles"`
}

func TestBootstrapAgreesWithSparseMSE(t *testing.T) {
	ref := reference(t)
	for _, name := range published {
		var want refBootstrap
		if !ref.decode(t, name, "sparsemse_bootstrap_bca_n1000", &want) {
			continue
		}
		tab := table(t, name)
		f, _, err := Stepwise(tab, DefaultThreshold)
		if err != nil {
			t.Fatal(err)
		}
		o := Defaults()
		b, err := BootstrapStepwise(context.Background(), tab, f.Estimate, DefaultThreshold, o)
		if err != nil {
			t.Fatal(err)
		}
		// The resamples are R's own for this seed, so all 1,000 selections are
		// compared, not only limits within chance.
		near(t, name+" z0", b.Z0, want.Z0, deterministic)
		near(t, name+" acceleration", b.Accel, want.Accel, deterministic)
		for i, level := range []string{"0.025", "0.05", "0.1", "0.16", "0.84", "0.9", "0.95", "0.975"} {
			near(t, name+" BCa limit "+level, b.BCa[i], want.BCa[level], deterministic)
		}
		near(t, name+" percentile low", b.PercentileLow(), want.Pct[0], deterministic)
		near(t, name+" percentile high", b.PercentileHigh(), want.Pct[1], deterministic)
		for i, want := range want.Deciles {
			near(t, name+" decile", quantile7(b.Estimates, float64(i+1)/10), want, deterministic)
		}
	}
}

func TestBCaReproducesTheReferenceLimitsFromItsOwnConstants(t *testing.T) {
	// With z0 and â of the reference, the adjusted probabilities follow exactly.
	ref := reference(t)
	checked := 0
	for _, name := range published {
		var want refBootstrap
		if !ref.decode(t, name, "sparsemse_bootstrap_bca_n1000", &want) || want.Adjusted == nil {
			continue
		}
		b := &Bootstrap{Z0: want.Z0, Accel: want.Accel, Estimates: []float64{1, 2, 3}}
		b.limits()
		for i, level := range []string{"0.025", "0.05", "0.1", "0.16", "0.84", "0.9", "0.95", "0.975"} {
			near(t, name+" adjusted "+level, b.Adjusted[i], want.Adjusted[level], deterministic)
		}
		checked++
	}
	if checked == 0 {
		t.Error("no reference had adjusted probabilities")
	}
}

func TestBootstrapIsTheSameOnAnyNumberOfCores(t *testing.T) {
	tab := table(t, "uk_2013_6list")
	var first []float64
	for _, cores := range []int{1, 2, 7} {
		o := Defaults()
		o.Resamples, o.Cores = 60, cores
		b, err := BootstrapStepwise(context.Background(), tab, 11418, DefaultThreshold, o)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b.Estimates
			continue
		}
		for i, v := range b.Estimates {
			if v != first[i] {
				t.Fatalf("resample %d on %d cores: %v, on one core %v", i, cores, v, first[i])
			}
		}
	}
}

func TestBootstrapStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := BootstrapStepwise(ctx, table(t, "uk_2013_5list"), 11313, DefaultThreshold, Defaults()); err != context.Canceled {
		t.Errorf("a cancelled bootstrap gave %v", err)
	}
}

func TestBinomialHasItsMeanVarianceAndShape(t *testing.T) {
	for _, c := range []struct {
		n int64
		p float64
	}{{5, 0.3}, {40, 0.1}, {2744, 0.3}, {2744, 0.9}, {1000000, 0.0004}, {300, 0.5}} {
		rng := generator(3, forLinkage, int(c.n))
		const draws = 40000
		sum, square := 0.0, 0.0
		within := 0
		mean, sd := float64(c.n)*c.p, math.Sqrt(float64(c.n)*c.p*(1-c.p))
		exact := 0.0 // P(|X − mean| ≤ sd)
		for k := int64(0); k <= c.n; k++ {
			if math.Abs(float64(k)-mean) <= sd {
				exact += math.Exp(lgamma(float64(c.n)+1) - lgamma(float64(k)+1) - lgamma(float64(c.n-k)+1) + float64(k)*math.Log(c.p) + float64(c.n-k)*math.Log1p(-c.p))
			}
		}
		for range draws {
			k := float64(binomial(rng, c.n, c.p))
			sum += k
			square += (k - mean) * (k - mean)
			if math.Abs(k-mean) <= sd {
				within++
			}
		}
		if d := (sum/draws - mean) / (sd / math.Sqrt(draws)); math.Abs(d) > 4.5 {
			t.Errorf("n=%d p=%g: mean off by %.1f standard errors", c.n, c.p, d)
		}
		near(t, "variance", square/draws, sd*sd, 0.04)
		near(t, "mass within one sd", float64(within)/draws, exact, 0.02)
	}
}

func BenchmarkStepwiseUK6(b *testing.B) {
	tab := table(b, "uk_2013_6list")
	s := newSession(tab.T())
	for b.Loop() {
		s.take(tab.Counts)
		if _, _, _, err := s.stepwise(DefaultThreshold); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBCaUK6(b *testing.B) {
	tab := table(b, "uk_2013_6list")
	f, _, err := Stepwise(tab, DefaultThreshold)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := BootstrapStepwise(context.Background(), tab, f.Estimate, DefaultThreshold, Defaults()); err != nil {
			b.Fatal(err)
		}
	}
}

func TestStreamIsThatOfR(t *testing.T) {
	// set.seed(1234); runif(3) and set.seed(42); runif(1), as R prints them.
	r := newRStream(1234)
	for _, want := range []float64{0.1137034, 0.6222994, 0.6092747} {
		near(t, "runif after set.seed(1234)", r.uniform(), want, 1e-6)
	}
	near(t, "runif after set.seed(42)", newRStream(42).uniform(), 0.9148060, 1e-6)
}

// quantile7 is R's default quantile.
func quantile7(sorted []float64, p float64) float64 {
	return orderStatistic(sorted, float64(len(sorted)-1)*p+1)
}
