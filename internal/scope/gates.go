package scope

// This file decides what may be said in public: a number with its range, a
// range only, or nothing, with the reasons. It promises that every rule stands
// in the report with its threshold, whether it passed or not.

import (
	"math"
	"math/bits"
	"strings"
)

// release fills gates, headline and the share seen.
func (r *run) release(report *Report) {
	low, high := envelope(report.Panel)
	g := gatekeeper{r: r, report: report, limits: r.o.Gates}
	g.lists()
	g.panel()
	g.overlap()
	g.admissible()
	g.feeders()
	g.dominant()
	g.failures()
	g.width(low, high)
	g.agreement()
	g.prior()
	report.Gates = g.gates
	report.Headline = headline(report, low, high)
	if report.Headline.Low != nil {
		n := float64(report.Observed)
		report.Diagnostics.Overlap.SeenShareAt = &[2]float64{n / *report.Headline.High, n / *report.Headline.Low}
	}
}

// envelope is the union of the mandatory methods' intervals.
func envelope(panel []Entry) (low, high float64) {
	low, high = math.NaN(), math.NaN()
	for _, e := range panel {
		if !isMandatory(e.Method) || e.WideLow == nil || e.WideHigh == nil {
			continue
		}
		if !(low <= *e.WideLow) {
			low = *e.WideLow
		}
		if !(high >= *e.WideHigh) {
			high = *e.WideHigh
		}
	}
	return low, high
}

func isMandatory(method string) bool {
	for _, m := range Mandatory {
		if m == method {
			return true
		}
	}
	return false
}

type gatekeeper struct {
	r      *run
	report *Report
	limits Gates
	gates  []Gate
}

func (g *gatekeeper) add(name, rule string, threshold, found float64, outcome, says string) {
	g.gates = append(g.gates, Gate{name, rule, threshold, number(found), outcome, says})
}

func when(bad bool, outcome string) string {
	if bad {
		return outcome
	}
	return Pass
}

func (g *gatekeeper) lists() {
	t := g.r.t.T()
	g.add("lists", "at least this many lists", float64(g.limits.MinLists), float64(t), when(t < g.limits.MinLists, Fail),
		sprintf("there are %d lists", t))
}

func (g *gatekeeper) panel() {
	var missing []string
	for _, m := range Mandatory {
		if m == "bic" && g.r.t.T() > maxBICLists || m == "dga" && g.r.t.T() > maxGraphLists {
			continue // not offered for so many lists
		}
		ran := false
		for _, e := range g.report.Panel {
			ran = ran || e.Method == m
		}
		if !ran {
			missing = append(missing, m)
		}
	}
	says := "every method of the panel was run"
	outcome := when(missing != nil, Fail)
	if g.r.t.T() > maxBICLists && missing == nil {
		says, outcome = sprintf("BIC over all models and averaging over graphs are not offered above %d lists: fewer opinions than usual", maxBICLists), Warn
	}
	if missing != nil {
		says = "the panel is incomplete: " + strings.Join(missing, ", ") + " not run; no method is released alone"
	}
	g.add("whole panel", "methods of the panel that were not run", 0, float64(len(missing)), outcome, says)
}

func (g *gatekeeper) overlap() {
	m := g.report.OnTwoOrMore
	outcome, says := Pass, sprintf("%d people are on two lists or more", m)
	switch {
	case m < g.limits.MinOverlap:
		outcome, says = Fail, sprintf("only %d people are on two lists or more; below %d no number is given", m, g.limits.MinOverlap)
	case m < g.limits.WarnOverlap:
		outcome, says = Warn, sprintf("only %d people are on two lists or more; below %d the answer rests on very few", m, g.limits.WarnOverlap)
	}
	g.add("overlap", sprintf("at least this many people on two lists or more (a warning below %d)", g.limits.WarnOverlap),
		float64(g.limits.MinOverlap), float64(m), outcome, says)
}

func (g *gatekeeper) admissible() {
	var refused []string
	answers := 0
	for _, e := range g.report.Panel {
		if e.Method == "stepwise" || e.Method == "bic" && g.r.t.T() <= maxBICLists {
			if e.Refusal != "" {
				refused = append(refused, e.Method+": "+e.Refusal)
			} else {
				answers++
			}
		}
	}
	all := Admit(g.r.t, allPairs(g.r.t.T()))
	switch {
	case answers == 0:
		g.add("admissible model", "log-linear methods with an admissible model", 1, 0, Fail,
			"no log-linear method has an admissible model: "+strings.Join(refused, "; "))
	case refused != nil:
		g.add("admissible model", "log-linear methods with an admissible model", 1, float64(answers), Warn, strings.Join(refused, "; "))
	case !all.OK():
		g.add("admissible model", "log-linear methods with an admissible model", 1, float64(answers), Warn,
			"the model with all pairs of lists is not admissible; smaller models stand in for it")
	default:
		g.add("admissible model", "log-linear methods with an admissible model", 1, float64(answers), Pass, "the models used and the model with all pairs are admissible")
	}
}

func (g *gatekeeper) feeders() {
	worst, says := 0.0, ""
	t := g.r.t
	for _, p := range pairs(t.T()) {
		i, j := bits.TrailingZeros(uint(p)), bits.Len(uint(p))-1
		for _, d := range [][2]int{{i, j}, {j, i}} {
			if share := float64(t.Star(p)) / float64(t.Size(d[0])); share > worst {
				worst = share
				says = sprintf("%.0f %% of the people on %s are also on %s", 100*share, t.Lists[d[0]], t.Lists[d[1]])
			}
		}
	}
	bad := worst > g.limits.MaxFeeder
	if bad {
		says += ": one list feeds the other and is no separate sighting; merge the two"
	}
	g.add("feeder list", "largest share of a list's people who are on one other list", g.limits.MaxFeeder, worst, when(bad, Fail), says)
}

func (g *gatekeeper) dominant() {
	t, worst, which := g.r.t, 0.0, 0
	for i := range t.Lists {
		if share := float64(t.Size(i)) / g.r.n; share > worst {
			worst, which = share, i
		}
	}
	bad := worst > g.limits.MaxListShare
	says := sprintf("the largest list, %s, holds %.0f %% of all seen", t.Lists[which], 100*worst)
	if bad {
		says += ": the others add too little"
	}
	g.add("dominant list", "largest share of all seen on one list", g.limits.MaxListShare, worst, when(bad, Fail), says)
}

func (g *gatekeeper) failures() {
	worst := 0.0
	for _, b := range []*Bootstrap{g.r.boot, g.r.bicBoot} {
		if b != nil && b.Resamples > 0 {
			worst = math.Max(worst, float64(b.Failed)/float64(b.Resamples))
		}
	}
	g.add("failed resamples", "largest share of resamples without an estimate", g.limits.MaxFailed, worst,
		when(worst > g.limits.MaxFailed, Fail), sprintf("%.1f %% of resamples had no estimate", 100*worst))
}

func (g *gatekeeper) width(low, high float64) {
	if math.IsNaN(low) {
		g.add("width", "upper over lower limit of the panel's envelope", g.limits.MaxEnvelope, math.NaN(), Fail, "no method gave an interval")
		return
	}
	ratio := high / low
	says := sprintf("the upper limit is %.1f times the lower", ratio)
	if ratio > g.limits.MaxEnvelope {
		says += ": a range so wide says nothing"
	}
	g.add("width", "upper over lower limit of the panel's envelope", g.limits.MaxEnvelope, ratio, when(ratio > g.limits.MaxEnvelope, Fail), says)
}

func (g *gatekeeper) agreement() {
	low, high := math.Inf(1), 0.0
	for _, e := range g.report.Panel {
		if isMandatory(e.Method) && e.Estimate != nil {
			low, high = math.Min(low, *e.Estimate), math.Max(high, *e.Estimate)
		}
	}
	if high == 0 {
		return
	}
	ratio := high / low
	says := sprintf("the methods' estimates differ by a factor of %.2f", ratio)
	if ratio > g.limits.MaxDisagreement {
		says += ": the answer depends on the model, so only the range is given"
	}
	g.add("agreement", "largest over smallest estimate of the panel", g.limits.MaxDisagreement, ratio,
		when(ratio > g.limits.MaxDisagreement, RangeOnly), says)
}

// prior warns where dga's answer leans on its grid cap or the saturated graph.
func (g *gatekeeper) prior() {
	a := g.r.dga
	if a == nil {
		return
	}
	const most = 0.01
	leaning := math.Max(a.EdgeShare, a.SaturatedShare)
	says := "the averaged answer rests on the data rather than on its grid cap or the saturated graph"
	if leaning > most {
		says = sprintf("%.1f %% of the averaged answer lies at the largest number considered, or in the graph that says nothing about the unseen", 100*leaning)
	}
	g.add("prior of dga", "posterior mass at the grid cap or in the saturated graph", most, leaning, when(leaning > most, Warn), says)
}

// headline turns gates into what may be said.
func headline(report *Report, low, high float64) Headline {
	h := Headline{Verdict: Publish, Reasons: []string{}}
	for _, g := range report.Gates {
		switch g.Outcome {
		case Fail:
			h.Verdict = Refuse
		case RangeOnly:
			if h.Verdict == Publish {
				h.Verdict = RangeOnly
			}
		}
	}
	for _, outcome := range []string{Fail, RangeOnly, Warn} {
		for _, g := range report.Gates {
			if g.Outcome == outcome && !(outcome == RangeOnly && h.Verdict == Refuse) {
				h.Reasons = append(h.Reasons, g.Says)
			}
		}
	}
	seen := grouped(float64(report.Observed))
	if h.Verdict == Refuse {
		h.Sentence = sprintf("%s people were seen. How many were not seen cannot be estimated from these data.", seen)
		return h
	}
	h.Low, h.High = number(low), number(high)
	digits := 2
	if high < 2*low {
		digits = 3
	}
	words := sprintf("between about %s and about %s people, of whom %s were seen", grouped(roundOut(low, digits, false)), grouped(roundOut(high, digits, true)), seen)
	if h.Verdict == Publish {
		h.Estimate = preferred(report)
	}
	h.Sentence = strings.ToUpper(words[:1]) + words[1:] + "."
	if h.Verdict == RangeOnly {
		h.Sentence += " Different sound methods give very different answers, so no single number is given."
	}
	return h
}

// preferred is the stepwise estimate; with three lists BIC's, because there the
// methods differ up to twofold on a published set.
func preferred(report *Report) *float64 {
	first, second := "stepwise", "bic"
	if len(report.Lists) == 3 {
		first, second = second, first
	}
	for _, name := range []string{first, second} {
		for _, e := range report.Panel {
			if e.Method == name && e.Estimate != nil {
				return e.Estimate
			}
		}
	}
	return nil
}

// roundOut rounds to so many significant digits, away from the middle.
func roundOut(x float64, digits int, up bool) float64 {
	unit := math.Max(1, math.Pow(10, math.Floor(math.Log10(x))-float64(digits-1)))
	if up {
		return math.Ceil(x/unit-1e-9) * unit
	}
	return math.Floor(x/unit+1e-9) * unit
}

// grouped writes a whole number with a thin space between thousands.
func grouped(x float64) string {
	s := sprintf("%.0f", x)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
