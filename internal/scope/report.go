package scope

// This file is the shape of a result, as it is written to JSON: the panel, the
// headline, the gates, the diagnostics, and all that is needed to repeat it.
// Numbers that do not exist are null; NaN and infinity cannot be written.

// Version of the calculations; it changes whenever any number could.
const Version = "banyan scope 1"

// Report is a whole result.
type Report struct {
	Lists       []string     `json:"lists"`
	Observed    int64        `json:"observed"`
	OnTwoOrMore int64        `json:"on_two_or_more"`
	Panel       []Entry      `json:"panel"`
	Headline    Headline     `json:"headline"`
	Gates       []Gate       `json:"gates"`
	Diagnostics *Diagnostics `json:"diagnostics"`
	Seed        uint32       `json:"seed"`
	Repeat      Repeat       `json:"repeat"`
}

// Repeat is everything that is needed to get the same bytes again, beside the data.
type Repeat struct {
	Version    string   `json:"version"`
	DataDigest string   `json:"data_digest"`
	Methods    []string `json:"methods"`
	Threshold  float64  `json:"stepwise_threshold"`
	Resamples  int      `json:"resamples"`
	Resampling string   `json:"resampling"`
	TopModels  int      `json:"bic_top_models"`
	BICOrder   int      `json:"bic_order"`
	GridSize   int      `json:"dga_grid_points"`
	GridCap    float64  `json:"dga_grid_cap"`
	Delta      float64  `json:"dga_delta"`
	Chains     int      `json:"lcmcr_chains"`
	Sweeps     int      `json:"lcmcr_sweeps"`
	Gates      Gates    `json:"gate_thresholds"`
	About      About    `json:"about"`
}

// Entry is one method's answer.
type Entry struct {
	Method     string   `json:"method"`
	Estimate   *float64 `json:"estimate"`
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
	Interval   string   `json:"interval"` // how the limits were made
	Model      string   `json:"model"`
	Admissible bool     `json:"admissible"`
	Selected   []string `json:"selected_pairs"`
	Seconds    *float64 `json:"seconds"` // null unless timings were asked for: they differ from run to run
	Refusal    string   `json:"refusal,omitempty"`
	Detail     any      `json:"detail"`
	// Wide are the limits that go into the headline's envelope; for stepwise
	// they are the union of BCa and percentile limits.
	WideLow  *float64 `json:"envelope_low"`
	WideHigh *float64 `json:"envelope_high"`
}

// Headline is what may be said in public.
type Headline struct {
	Verdict  string   `json:"verdict"` // publish, range_only or refuse
	Estimate *float64 `json:"estimate"`
	Low      *float64 `json:"low"`
	High     *float64 `json:"high"`
	Sentence string   `json:"sentence"`
	Reasons  []string `json:"reasons"`
}

// Verdicts of a headline.
const (
	Publish   = "publish"
	RangeOnly = "range_only"
	Refuse    = "refuse"
)

// Gate is one release rule with its threshold and what was found.
type Gate struct {
	Name      string   `json:"name"`
	Rule      string   `json:"rule"`
	Threshold float64  `json:"threshold"`
	Found     *float64 `json:"found"`
	Outcome   string   `json:"outcome"` // pass, warn, range_only or fail
	Says      string   `json:"says"`
}

// Outcomes of a gate.
const (
	Pass = "pass"
	Warn = "warn"
	Fail = "fail"
)

// StepDetail is what stands behind the stepwise estimate.
type StepDetail struct {
	Steps       []StepOut   `json:"steps"`
	Params      []ParamOut  `json:"parameters"`
	Deviance    float64     `json:"deviance"`
	DF          int         `json:"degrees_of_freedom"`
	AIC         float64     `json:"aic"`
	BIC         float64     `json:"bic"`
	ModelLow    float64     `json:"model_conditional_low"` // given the model: too narrow
	ModelHigh   float64     `json:"model_conditional_high"`
	Bootstrap   *BootOut    `json:"bootstrap,omitempty"`
	Percentile  *[2]float64 `json:"percentile,omitempty"`
	Considered  int         `json:"models_considered,omitempty"`
	AdmissibleN int         `json:"models_admissible,omitempty"`
}

// StepOut is one cycle of the selection.
type StepOut struct {
	Pair  string  `json:"pair"`
	P     float64 `json:"p"`
	Empty bool    `json:"minus_infinity"`
}

// ParamOut is one coefficient; null is minus infinity.
type ParamOut struct {
	Name  string   `json:"name"`
	Value *float64 `json:"value"`
}

// BootOut is a bootstrap as it is written down.
type BootOut struct {
	Resamples     int           `json:"resamples"`
	Failed        int           `json:"failed"`
	Z0            float64       `json:"z0"`
	Accel         float64       `json:"acceleration"`
	Levels        []float64     `json:"levels"`
	BCa           []float64     `json:"bca"`
	AdjustedProbs []float64     `json:"adjusted_probabilities"`
	Percentile    []float64     `json:"percentile"`
	Median        float64       `json:"median"`
	Mean          float64       `json:"mean"`
	Min           float64       `json:"min"`
	Max           float64       `json:"max"`
	Histogram     Histogram     `json:"histogram"`
	Peaks         int           `json:"peaks"`
	Chosen        []FrequencyIn `json:"selection_frequency"`
	Warnings      []string      `json:"warnings"`
}

// FrequencyIn is a Frequency as it is written down.
type FrequencyIn struct {
	Name  string  `json:"name"`
	Share float64 `json:"share"`
}

// Histogram has bins of equal width on the log scale.
type Histogram struct {
	Edges  []float64 `json:"edges"`
	Counts []int     `json:"counts"`
}

// ChaoDetail is Rcapture's reference.
type ChaoDetail struct {
	Frequencies   []int64     `json:"frequencies"`
	MthAbundance  *float64    `json:"mth_chao_abundance"`
	MthStdErr     *float64    `json:"mth_chao_stderr"`
	MhAbundance   *float64    `json:"mh_chao_abundance"`
	Mt            *float64    `json:"mt_abundance"`
	Chao1987      *float64    `json:"chao_1987"`
	BiasCorrected float64     `json:"chao_bias_corrected"`
	Adjusted      *float64    `json:"chao_t_adjusted"`
	Note          string      `json:"note"`
	Interval      *[2]float64 `json:"mh_chao_interval"`
}

// DGADetail stands behind the averaged estimate.
type DGADetail struct {
	Delta          float64   `json:"delta"`
	GridFrom       float64   `json:"grid_from"`
	GridTo         float64   `json:"grid_to"`
	GridPoints     int       `json:"grid_points"`
	Graphs         int       `json:"graphs"`
	Mean           float64   `json:"mean"`
	Mode           float64   `json:"mode"`
	SaturatedShare float64   `json:"saturated_posterior"`
	EdgeShare      float64   `json:"mass_in_top_1pct_of_grid"`
	Top            []GraphIn `json:"top_graphs"`
	Note           string    `json:"note"`
}

// GraphIn is a GraphShare as it is written down.
type GraphIn struct {
	Graph     string  `json:"graph"`
	Posterior float64 `json:"posterior"`
}

// Diagnostics are the ten things that have to accompany every estimate.
type Diagnostics struct {
	Overlap       Overlap            `json:"overlap"`
	Admissibility []AdmissionOut     `json:"admissibility"`
	BIC           []RankedOut        `json:"bic_within_10"`
	BICOrder      int                `json:"bic_order"`
	BICByOrder    []BICVariant       `json:"bic_by_order"`
	ThresholdPath []PathPoint        `json:"threshold_path"`
	LeaveOneOut   []Variant          `json:"leave_one_list_out"`
	MergePairs    []Variant          `json:"merge_pairs"`
	Consistency   []ConsistencyRow   `json:"internal_consistency"`
	ConsistencyBy []ConsistencyScore `json:"internal_consistency_summary"`
	Bootstrap     *BootOut           `json:"bootstrap"`
	Linkage       []LinkageRow       `json:"linkage_sensitivity"`
	DGA           []DGAVariant       `json:"dga_sensitivity"`
	Assumptions   []string           `json:"assumptions"`
	Warnings      []string           `json:"warnings"`
}

// Overlap is the table itself, read as overlaps.
type Overlap struct {
	Histories   []HistoryOut `json:"histories"`
	ListSizes   []int64      `json:"list_sizes"`
	Frequencies []int64      `json:"frequencies"`
	EmptyPairs  []string     `json:"empty_pairs"`
	Pairs       []PairOut    `json:"pairs"`
	SeenShareAt *[2]float64  `json:"seen_share"` // n/high and n/low of the headline
	About       About        `json:"about"`
}

// HistoryOut is one observed history.
type HistoryOut struct {
	Lists []string `json:"lists"`
	Count int64    `json:"count"`
}

// PairOut is one overlap of two lists and what independence of all lists would give.
type PairOut struct {
	Pair     string  `json:"pair"`
	Count    int64   `json:"count"`
	OfFirst  float64 `json:"share_of_first"`
	OfSecond float64 `json:"share_of_second"`
}

// AdmissionOut is a model's admissibility in words.
type AdmissionOut struct {
	Which         string `json:"which"`
	Model         string `json:"model"`
	Exists        bool   `json:"estimate_exists"`
	Identifiable  bool   `json:"identifiable"`
	DarkEstimable bool   `json:"dark_figure_estimable"`
	Code          int    `json:"code"`
	Triples       int    `json:"overlapping_triples,omitempty"`
}

// RankedOut is one model in the plot of BIC against estimate.
type RankedOut struct {
	Model    string  `json:"model"`
	BIC      float64 `json:"bic"`
	Above    float64 `json:"above_best"`
	Estimate float64 `json:"estimate"`
}

// PathPoint is the stepwise estimate at another threshold.
type PathPoint struct {
	P        float64  `json:"p"`
	Estimate *float64 `json:"estimate"`
	Low      *float64 `json:"model_conditional_low"`
	High     *float64 `json:"model_conditional_high"`
	Model    string   `json:"model"`
	Pairs    []string `json:"pairs"`
	Refusal  string   `json:"refusal,omitempty"`
}

// Points are the quick answers of each method on a changed table; null where
// the method refuses.
type Points struct {
	Stepwise     *float64 `json:"stepwise"`
	Independence *float64 `json:"independence"`
	BIC          *float64 `json:"bic_order_2"`
	DGA          *float64 `json:"dga"`
}

// Variant is the table without a list, or with two lists merged.
type Variant struct {
	What     string `json:"what"`
	Observed int64  `json:"observed"`
	Points
	Refusal string `json:"refusal,omitempty"`
}

// ConsistencyRow conditions on one list, whose size is then a known truth.
type ConsistencyRow struct {
	List      string `json:"list"`
	Truth     int64  `json:"truth"`
	Elsewhere int64  `json:"seen_elsewhere"`
	OnTwo     int64  `json:"on_two_or_more"`
	Points
	Ratio   Points `json:"ratio"`
	Refusal string `json:"refusal,omitempty"`
}

// ConsistencyScore sums the check up for one method.
type ConsistencyScore struct {
	Method       string  `json:"method"`
	Lists        int     `json:"lists"`
	MeanLogRatio float64 `json:"mean_log_ratio"`
	TooLow       int     `json:"too_low"`
}

// LinkageRow is the estimate if linkage had been worse than it looks.
type LinkageRow struct {
	Kind         string   `json:"kind"` // missed or false
	Rate         float64  `json:"rate"`
	Repeats      int      `json:"repeats"`
	Refused      int      `json:"refused"`
	Median       *float64 `json:"stepwise_median"`
	Low          *float64 `json:"stepwise_low"`
	High         *float64 `json:"stepwise_high"`
	Independence *float64 `json:"independence_median"`
}

// DGAVariant is the averaged estimate under another prior.
type DGAVariant struct {
	What           string  `json:"what"`
	Delta          float64 `json:"delta"`
	GridCap        float64 `json:"grid_cap"`
	Estimate       float64 `json:"estimate"`
	Low            float64 `json:"low"`
	High           float64 `json:"high"`
	SaturatedShare float64 `json:"saturated_posterior"`
	EdgeShare      float64 `json:"mass_in_top_1pct_of_grid"`
}

// BICVariant is BIC's answer when interactions of another order are allowed.
type BICVariant struct {
	Order    int     `json:"order"`
	Model    string  `json:"model"`
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}
