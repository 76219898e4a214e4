// Package report holds what is written beside every release: report.json, which
// states what was done, what it cost in privacy, how good it is and what the
// attack on it found, and report.html, the same for the statistician's eyes.
// The utility part sets released figures beside sensitive ones: it is for those
// who may see the sensitive data, before release, and never for publication.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"banyan/internal/disclosure/evaluate"
)

// Report describes one release.
type Report struct {
	Method     string               `json:"method"`
	Promise    []string             `json:"promise"`    // what holds, in sentences
	NoPromise  []string             `json:"no_promise"` // what does not
	Parameters map[string]any       `json:"parameters"`
	Population Population           `json:"population"`
	Privacy    *Privacy             `json:"privacy,omitempty"` // differential privacy only
	Noise      string               `json:"noise"`             // "none", "secure" or "seeded …: NOT PRIVATE"
	Tables     []TableSummary       `json:"tables,omitempty"`
	Errors     []ErrorBand          `json:"error_by_count,omitempty"`
	Evaluation *evaluate.Evaluation `json:"evaluation,omitempty"`
	Suppressed int                  `json:"suppressed"`
	Fabricated int                  `json:"fabricated"`
	Attacks    []Attack             `json:"attacks"`
	Seconds    float64              `json:"seconds"`
	PeakMB     float64              `json:"peak_memory_mb"`
}

// Population says about whom the release is. Counts are only stated where the
// method publishes them anyway.
type Population struct {
	Name string `json:"name"`
	Rows int    `json:"rows,omitempty"`
}

// Privacy is what the release spent of the privacy budget.
type Privacy struct {
	Epsilon float64 `json:"epsilon"`
	Delta   float64 `json:"delta"`
	Rho     float64 `json:"rho"`
	// Unit is whose presence is hidden: "person", or "group" for a whole case group,
	// of whom GroupCap persons are counted.
	Unit       string `json:"unit"`
	GroupCap   int    `json:"group_cap,omitempty"`
	Neighbours string `json:"neighbours"`
	Accounting string `json:"accounting"`
	Ledger     string `json:"ledger,omitempty"`
	// SpentRho and SpentEpsilon are the totals over all releases of these people.
	SpentRho     float64 `json:"spent_rho"`
	SpentEpsilon float64 `json:"spent_epsilon"`
}

// TableSummary is one table of the release.
type TableSummary struct {
	Name   string  `json:"name"`
	Cells  int     `json:"cells"`
	Hidden int     `json:"hidden,omitempty"`
	StdDev float64 `json:"standard_deviation,omitempty"`
	HalfCI float64 `json:"half_width_95,omitempty"`
}

// ErrorBand is the error of published cells whose true count lies in a band.
// From 0 to 0 are cells of nobody.
type ErrorBand struct {
	From       int     `json:"from"`
	To         int     `json:"to"` // 0: no upper end
	Cells      int     `json:"cells"`
	MeanError  float64 `json:"mean_absolute_error"`
	MeanRelErr float64 `json:"mean_relative_error"`
	Coverage   float64 `json:"interval_coverage"` // share of 95 % intervals that hold the truth
	FalseZeros int     `json:"false_zeros"`       // somebody is there, 0 is published
	Fabricated int     `json:"fabricated"`        // nobody is there, a half or more is published
}

// Attack is one way of undoing the release, and what it found.
type Attack struct {
	Kind  string `json:"kind"`
	Tried int    `json:"tried"`
	Found int    `json:"found"` // leaks
	// NotPromised marks an attack that the method does not claim to withstand: what
	// it finds is for the statistician to weigh, and is not counted as a leak.
	NotPromised bool    `json:"not_promised,omitempty"`
	Detail      string  `json:"detail"`
	Bound       float64 `json:"bound,omitempty"` // the most that the method allows, where it states one
	Value       float64 `json:"value,omitempty"`
}

// Leaks counts what attacks found that the method promises to withstand.
func (r *Report) Leaks() int {
	n := 0
	for _, a := range r.Attacks {
		if !a.NotPromised {
			n += a.Found
		}
	}
	return n
}

// Write puts report.json and report.html into dir.
func (r *Report) Write(dir string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "report.json"), append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	page, err := r.HTML()
	if err != nil {
		return fmt.Errorf("draw the report: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "report.html"), page, 0o644)
}
