// Finding the codes with differential privacy, for synthesis without a programme:
// a code that occurs is kept when its noisy count is above a threshold that codes
// of one person (or of one case group) alone pass with probability at most δ in
// all. Code lists known
// beforehand are better: they cost nothing and lose no small group.

package synth

import (
	"fmt"
	"math"

	"banyan/internal/disclosure/dp"
	"banyan/internal/disclosure/table"
)

// Discover codes a table without code lists at a cost of at most rho and delta.
// Codes that are not kept become "not recorded". It gives the threshold too.
func Discover(t *table.Table, rho, delta float64, noise *dp.Noise) (data *dp.Coded, threshold float64, err error) {
	unit, err := dp.UnitOf(t)
	if err != nil {
		return nil, 0, err
	}
	n, persons := float64(len(t.Columns)), float64(unit.Persons())
	for _, c := range t.Columns {
		if c.Multi {
			return nil, 0, &table.InputError{Column: c.Name, Reason: "a multi-valued column needs a code list: give a programme with --program"}
		}
	}
	// A person has at most one code in each column: squared sensitivity n; times the
	// square of the persons of a group, when all of them are alike.
	variance := math.Ceil(n * unit.Factor() / (2 * rho))
	if !(variance >= 1 && variance <= dp.MaxVariance) {
		return nil, 0, fmt.Errorf("no noise fits a budget of rho = %g for finding codes", rho)
	}
	// A person may bring n codes that nobody else has, a group of g persons up to n·g,
	// none with a count above g. Each shows when its noise is above threshold - g,
	// with probability at most exp(-(threshold-g)²/2σ²).
	threshold = persons + math.Sqrt(2*variance*math.Log(n*persons/delta))
	counts := make([]int64, len(t.Attrs))
	for i := range t.Rows() {
		for _, a := range t.Row(i) {
			counts[a]++
		}
	}
	var domains []dp.Domain
	var codes [][]uint16
	for _, c := range t.Columns {
		d := dp.Domain{Name: c.Name}
		to := make([]int, c.N)
		for i := range c.N {
			to[i] = -1
			a := int(c.First) + i
			// A code of nobody who is counted is not there at all: a group may have any
			// number of them beyond its cap.
			if counts[a] > 0 && float64(counts[a]+noise.Gaussian(uint64(variance))) > threshold {
				to[i] = len(d.Labels)
				d.Labels = append(d.Labels, t.Attrs[a].Value)
			}
		}
		d.Labels = append(d.Labels, dp.NotRecorded)
		col := make([]uint16, t.Rows())
		for i := range col {
			col[i] = uint16(len(d.Labels) - 1)
			for _, a := range t.Row(i) {
				if a >= c.First && int(a) < int(c.First)+c.N && to[a-c.First] >= 0 {
					col[i] = uint16(to[a-c.First])
				}
			}
		}
		domains = append(domains, d)
		codes = append(codes, col)
	}
	return dp.NewCoded(unit, domains, codes, t.Rows()), threshold, nil
}
