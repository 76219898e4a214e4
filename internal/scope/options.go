package scope

// This file holds what a caller may choose, with the defaults and where they
// come from, and the release gates. Thresholds of the gates are ours, not
// published ones; that is why each is an option and printed with its verdict.

import "fmt"

// Options of a run. Zero values mean the defaults of Defaults.
type Options struct {
	Methods   []string
	Threshold float64 // stepwise p, DefaultThreshold
	Resamples int     // bootstrap resamples
	Seed      uint32  // of every draw; the bootstrap's resamples are R's for this seed
	TopModels int     // BIC models that compete again in every resample
	BICOrder  int     // largest order of interaction for BIC; 0 means MaxOrder
	Delta     float64 // dga prior weight per cell; 0 means 2^−t
	GridSize  int     // dga grid points
	GridCap   float64 // dga largest number not seen, as a multiple of n
	Chains    int     // LCMCR chains
	Sweeps    int     // LCMCR sweeps per chain after burn-in
	Gates     Gates
	About     About
	Cores     int // 0: all
	Progress  Progress
	PanelOnly bool // leave out the diagnostics that estimate again
}

// About is what has to stand beside a number so that it means something.
type About struct {
	Definition string `json:"definition"` // who is counted
	Period     string `json:"period"`
	Geography  string `json:"geography"`
	Linked     string `json:"linked"` // date of linkage
}

// Gates are the thresholds below or above which no number is released.
type Gates struct {
	MinLists        int     `json:"min_lists"`          // lists
	MinOverlap      int64   `json:"min_overlap"`        // people on two lists or more: refuse below
	WarnOverlap     int64   `json:"warn_overlap"`       // … warn below
	MaxListShare    float64 `json:"max_list_share"`     // one list's share of everybody seen
	MaxFeeder       float64 `json:"max_feeder_share"`   // share of a list's people who are also on one other list
	MaxFailed       float64 `json:"max_failed_share"`   // share of resamples that failed
	MaxEnvelope     float64 `json:"max_envelope_ratio"` // upper over lower limit of the headline
	MaxDisagreement float64 `json:"max_disagreement"`   // largest over smallest point estimate: range only above
}

// Defaults gives the options that are used where nothing else is said.
func Defaults() Options {
	return Options{
		Methods:   []string{"stepwise", "independence", "bic", "dga", "chao"},
		Threshold: DefaultThreshold, Resamples: 1000, Seed: 1234, TopModels: 100,
		GridSize: 1000, GridCap: 30, Chains: 20, Sweeps: 10000,
		Gates: Gates{MinLists: 3, MinOverlap: 10, WarnOverlap: 30, MaxListShare: 0.9, MaxFeeder: 0.9,
			MaxFailed: 0.05, MaxEnvelope: 10, MaxDisagreement: 1.5},
	}
}

// bicOrder is the order of interaction that BIC looks at.
func (o Options) bicOrder(lists int) int {
	if o.BICOrder >= 2 {
		return min(o.BICOrder, MaxOrder(lists))
	}
	return MaxOrder(lists)
}

func (o Options) team() team { return newTeam(o.Cores, o.Progress) }

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }
