package scope

// This file writes a report as one HTML page that asks no other computer for
// anything: the answer in words a minister understands first, then each
// diagnostic with its plot and its table.
//
// A page for publication (public) hides counts of 1 to 4 people, rounds counts
// to five and estimates to three digits, and leaves out the digest and the
// exact fits: overlap cells are near-identifying, and a hidden cell of 1 to 4
// could otherwise be found by trying which value gives the printed digest or
// the printed decimals.

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/csv"
	"html/template"
	"io"
	"math"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// WritePage writes the page.
func WritePage(w io.Writer, r *Report, public bool) error {
	p := &pageMaker{r: r, d: r.Diagnostics, public: public}
	sum := sha256.Sum256([]byte(pageStyle))
	var out bytes.Buffer
	view := p.view()
	view.Style = template.CSS(pageStyle)
	view.StyleHash = template.HTMLAttr("sha256-" + base64.StdEncoding.EncodeToString(sum[:]))
	if err := pageTemplate.Execute(&out, view); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

type pageView struct {
	Style        template.CSS
	StyleHash    template.HTMLAttr
	Lists        int
	Banner       string
	Verdict      string
	VerdictWords string
	Sentence     string
	HeadlinePlot template.HTML
	Plain        []string
	ReasonsTitle string
	Reasons      []string
	About        []pair
	Parts        []section
	Version      string
}

type pair struct{ Name, Value string }

// section is one section of the page.
type section struct {
	ID, Title string
	Lead      []string
	Blocks    []block
}

// block is a plot with its table.
type block struct {
	Title  string
	Lead   []string
	List   []string
	Plot   template.HTML
	Table  *grid
	Folded bool
}

// grid is a table as it stands on the page and in its CSV.
type grid struct {
	Caption string
	File    string
	CSV     template.URL
	Head    []cell
	Rows    [][]cell
}

type cell struct {
	Text   string
	Number bool
	Class  string
}

func word(s string) cell   { return cell{Text: s} }
func figure(s string) cell { return cell{Text: s, Number: true} }

// heads makes a header; a name that starts with # is a column of numbers.
func heads(names ...string) []cell {
	out := make([]cell, len(names))
	for i, n := range names {
		out[i] = cell{Text: strings.TrimPrefix(n, "#"), Number: strings.HasPrefix(n, "#")}
	}
	return out
}

func newGrid(file, caption string, head []cell, rows [][]cell) *grid {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	line := func(cells []cell) {
		out := make([]string, len(cells))
		for i, c := range cells {
			out[i] = c.Text
			if c.Number {
				out[i] = strings.ReplaceAll(c.Text, "\u202f", "")
			} else {
				out[i] = harmless(c.Text)
			}
		}
		w.Write(out) // a bytes.Buffer takes everything
	}
	line(head)
	for _, r := range rows {
		line(r)
	}
	w.Flush()
	return &grid{Caption: caption, File: "scope-" + file + ".csv", Head: head, Rows: rows,
		CSV: template.URL("data:text/csv;charset=utf-8;base64," + base64.StdEncoding.EncodeToString(b.Bytes()))}
}

// harmless keeps a spreadsheet from taking a list's name for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}

type pageMaker struct {
	r      *Report
	d      *Diagnostics
	public bool
}

// people writes a count of people.
func (p *pageMaker) people(n int64) string {
	if !p.public || n == 0 {
		return grouped(float64(n))
	}
	if n < 5 {
		return "1–4"
	}
	return grouped(math.Round(float64(n)/5) * 5)
}

// shown is the same count as a length in a picture: what the number beside it
// says and no more.
func (p *pageMaker) shown(n int64) float64 {
	switch {
	case !p.public || n == 0:
		return float64(n)
	case n < 5:
		return 2.5
	}
	return math.Round(float64(n)/5) * 5
}

// estimate writes an estimated number of people.
func (p *pageMaker) estimate(x *float64) string {
	if x == nil {
		return "–"
	}
	if p.public && *x >= 1000 {
		unit := math.Pow(10, math.Floor(math.Log10(*x))-2)
		return grouped(math.Round(*x/unit) * unit)
	}
	if p.public {
		return grouped(math.Round(*x/5) * 5)
	}
	return grouped(*x)
}

func (p *pageMaker) est(x float64) string { return p.estimate(number(x)) }

func ratio(x *float64) string {
	if x == nil {
		return "–"
	}
	return sprintf("%.2f", *x)
}

func percent(x float64) string { return sprintf("%.1f %%", 100*x) }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (p *pageMaker) view() pageView {
	h := p.r.Headline
	v := pageView{Lists: len(p.r.Lists), Verdict: h.Verdict, Sentence: h.Sentence, Reasons: h.Reasons, Version: p.r.Repeat.Version}
	if p.public {
		v.Sentence = strings.ReplaceAll(v.Sentence, grouped(float64(p.r.Observed)), p.people(p.r.Observed))
	}
	v.VerdictWords = map[string]string{Publish: "May be published with its range", RangeOnly: "Only the range may be published", Refuse: "No number may be published"}[h.Verdict]
	v.ReasonsTitle = map[string]string{Publish: "What to keep in mind", RangeOnly: "Why only a range", Refuse: "Why no number"}[h.Verdict]
	v.Plain = p.plainWords()
	v.About = p.about()
	if h.Low != nil {
		rows := []span{{label: "all methods together", low: h.Low, high: h.High, estimate: h.Estimate}}
		v.HeadlinePlot = template.HTML(intervals("The range, and the number seen", rows, p.shown(p.r.Observed), nil))
	}
	if p.public {
		v.Banner = "Version for publication: counts of 1 to 4 people are hidden, other counts rounded to five, estimates to three digits."
	} else if p.smallCells() {
		v.Banner = "Working paper, not for publication: the overlap table holds cells of 1 to 4 people, who could be recognised. Use --public for a version to publish."
	}
	if p.public && h.Verdict == Refuse { // no number means none further down either
		v.Parts = []section{p.overlaps(), p.gates(), p.assumptions(), p.repeat()}
		return v
	}
	v.Parts = []section{p.panel(), p.overlaps(), p.models(), p.path(), p.resamples(), p.sensitivity(), p.consistency(), p.gates(), p.assumptions(), p.repeat()}
	return v
}

func (p *pageMaker) smallCells() bool {
	for _, h := range p.d.Overlap.Histories {
		if h.Count < 5 {
			return true
		}
	}
	return false
}

func (p *pageMaker) plainWords() []string {
	h := p.r.Headline
	if h.Verdict == Refuse {
		return []string{"The people who were seen are real and are counted. These data do not carry an estimate of the others: any number would suggest a knowledge that nobody has."}
	}
	n := float64(p.r.Observed)
	out := []string{sprintf("For every person seen, between about %s and about %s others were not.", few((*h.Low-n)/n), few((*h.High-n)/n)),
		"The range is as wide as all methods of the panel together. It covers chance in who was seen and the choice between models, but not errors in linking the lists, nor a dependence among all lists at once, which nobody can test."}
	if h.Estimate != nil {
		out = append(out, sprintf("Where a table needs one figure, it is %s, never without the range.", p.estimate(h.Estimate)))
	}
	return out
}

// few writes how many times over.
func few(x float64) string {
	switch {
	case x < 0.05:
		return "none"
	case x < 3:
		return sprintf("%.1f", x)
	}
	return sprintf("%.0f", x)
}

func (p *pageMaker) about() []pair {
	a := p.r.Repeat.About
	state := func(s string) string {
		if s == "" {
			return "not stated: state it before anybody quotes a number"
		}
		return s
	}
	return []pair{{"Who is counted", state(a.Definition)}, {"Period", state(a.Period)}, {"Area", state(a.Geography)}, {"Lists linked on", state(a.Linked)},
		{"Lists", strings.Join(p.r.Lists, ", ")}, {"People seen", p.people(p.r.Observed)}, {"On two lists or more", p.people(p.r.OnTwoOrMore)}}
}

var methodNames = map[string]string{"stepwise": "Stepwise log-linear (Chan, Silverman & Vincent)", "independence": "Independence of all lists",
	"bic": "Best BIC of all hierarchical models", "dga": "Average over decomposable graphs", "chao": "Chao reference (Rcapture Mth)",
	"lcmcr": "Latent classes (opt-in)", "thresholding": "Bayesian thresholding (opt-in)"}

func (p *pageMaker) panel() section {
	out := section{ID: "panel", Title: "All methods side by side",
		Lead: []string{"Each method makes other assumptions about how lists depend on each other. Where they disagree, the data alone cannot say who is right; that is why the range covers them all (shaded)."}}
	var rows []span
	var cells [][]cell
	for _, e := range p.r.Panel {
		rows = append(rows, span{label: methodNames[e.Method], note: "no estimate: " + e.Refusal, estimate: e.Estimate, low: e.Low, high: e.High, wideLow: e.WideLow, wideHigh: e.WideHigh})
		model := e.Model
		if e.Refusal != "" {
			model = "no estimate: " + e.Refusal
		}
		if e.Interval == "" {
			e.Interval = "–"
		}
		cells = append(cells, []cell{word(methodNames[e.Method]), figure(p.estimate(e.Estimate)), figure(p.estimate(e.Low)), figure(p.estimate(e.High)), word(e.Interval), word(model)})
	}
	var band *[2]float64
	if low, high := envelope(p.r.Panel); !math.IsNaN(low) && p.r.Headline.Verdict != Refuse {
		band = &[2]float64{low, high}
	}
	first := block{Plot: template.HTML(intervals("Estimates and intervals of all methods", rows, p.shown(p.r.Observed), band)),
		Table: newGrid("panel", "estimates and 95 % intervals of all methods", heads("Method", "#Estimate", "#Low", "#High", "Interval", "Model"), cells)}
	first.Lead = append(first.Lead, "Dotted ends: the percentile limits of the same resamples, where they are wider. The Chao value is a reference, not a lower bound: referral between lists breaks it.")
	var warnings []string
	for _, e := range p.r.Panel {
		if d, ok := e.Detail.(*StepDetail); ok && d.Bootstrap != nil {
			for _, w := range d.Bootstrap.Warnings {
				warnings = append(warnings, methodNames[e.Method]+": "+w+".")
			}
		}
	}
	out.Blocks = []block{first}
	if warnings != nil {
		out.Blocks = append(out.Blocks, block{Title: "Warnings about the intervals", List: warnings})
	}
	return out
}

func (p *pageMaker) overlaps() section {
	out := section{ID: "overlaps", Title: "Who is on which lists",
		Lead: []string{"Everything rests on the people who are on two lists or more. Each row is one combination of lists (filled dots) and how many people stand on exactly these."}}
	o := p.d.Overlap
	var rows [][]cell
	for _, h := range o.Histories {
		rows = append(rows, []cell{word(strings.Join(h.Lists, " and ")), figure(p.people(h.Count))})
	}
	first := block{Plot: template.HTML(upset("People on each combination of lists", p.r.Lists, o.Histories, p.people, p.shown)),
		Table: newGrid("overlaps", "people on exactly these lists", heads("Lists", "#People"), rows), Folded: true}
	if len(o.Histories) > upsetRows {
		first.Lead = []string{sprintf("The picture shows %d of %d combinations; the table has them all.", upsetRows, len(o.Histories))}
	}
	var f [][]cell
	for k, n := range o.Frequencies {
		f = append(f, []cell{figure(sprintf("%d", k+1)), figure(p.people(n))})
	}
	var pairs [][]cell
	for _, pr := range o.Pairs {
		pairs = append(pairs, []cell{word(strings.ReplaceAll(pr.Pair, ":", " and ")), figure(p.people(pr.Count)), figure(p.share(pr.OfFirst, pr.Count)), figure(p.share(pr.OfSecond, pr.Count))})
	}
	empty := "Every pair of lists shares somebody."
	if len(o.EmptyPairs) > 0 {
		empty = "Pairs of lists that share nobody: " + strings.ReplaceAll(strings.Join(o.EmptyPairs, "; "), ":", " and ") + "."
	}
	out.Blocks = []block{first,
		{Table: newGrid("frequencies", "people by number of lists they are on", heads("#Lists", "#People"), f)},
		{Lead: []string{empty}, Table: newGrid("pairs", "people on both lists of a pair", heads("Pair", "#People", "#Of the first list", "#Of the second"), pairs), Folded: true}}
	return out
}

func (p *pageMaker) share(x float64, n int64) string {
	if p.public && n > 0 && n < 5 {
		return "hidden"
	}
	return sprintf("%.0f %%", 100*x)
}

func (p *pageMaker) models() section {
	out := section{ID: "models", Title: "How much hangs on the choice of model"}
	var admit [][]cell
	for _, a := range p.d.Admissibility {
		admit = append(admit, []cell{word(a.Which), word(a.Model), word(yes(a.Exists)), word(yes(a.Identifiable)), word(yes(a.DarkEstimable))})
	}
	if len(p.d.BIC) > 0 {
		out.Lead = append(out.Lead, sprintf("Each dot is one model that explains the overlaps nearly as well as the best (BIC within 10; %d models). Dots at the same height but far apart left to right are equally good explanations with very different answers.", len(p.d.BIC)))
		var rows [][]cell
		for _, m := range p.d.BIC {
			rows = append(rows, []cell{word(m.Model), figure(sprintf("%.2f", m.Above)), figure(p.est(m.Estimate))})
		}
		out.Blocks = append(out.Blocks, block{Plot: template.HTML(scatter("BIC against estimate for the best models", p.d.BIC, p.d.BIC[:1])),
			Table: newGrid("bic", "models within 10 of the best BIC", heads("Model (list numbers)", "#BIC above best", "#Estimate"), rows), Folded: true})
		var orders [][]cell
		for _, v := range p.d.BICByOrder {
			orders = append(orders, []cell{figure(sprintf("%d", v.Order)), word(v.Model), figure(p.est(v.Estimate)), figure(p.est(v.Low)), figure(p.est(v.High))})
		}
		if len(orders) > 0 {
			out.Blocks = append(out.Blocks, block{Lead: []string{"How many lists may interact at once is a choice too:"},
				Table: newGrid("orders", "best BIC by the largest order of interaction", heads("#Lists at once", "Model", "#Estimate", "#Low", "#High"), orders)})
		}
	} else {
		out.Lead = append(out.Lead, "BIC over all models was not run or is not offered for so many lists.")
	}
	out.Blocks = append(out.Blocks, block{Title: "Do the models have an answer at all?",
		Lead:  []string{"A model is used only if its estimate exists and its parameters can be told apart with this pattern of empty overlaps."},
		Table: newGrid("admissibility", "admissibility of the models", heads("Which", "Model", "Estimate exists", "Parameters told apart", "Number not seen told apart"), admit)})
	return out
}

func (p *pageMaker) path() section {
	out := section{ID: "path", Title: "The threshold of the stepwise method",
		Lead: []string{"The stepwise method lets a pair of lists into the model when chance alone would explain their overlap with less than this probability. 0.02 is the published default; an answer that jumps along the way depends on it. Intervals here are given the model and too narrow."}}
	var rows []span
	var cells [][]cell
	for _, t := range p.d.ThresholdPath {
		rows = append(rows, span{label: sprintf("p = %g, %d pairs", t.P, len(t.Pairs)), note: "no estimate", estimate: t.Estimate, low: t.Low, high: t.High})
		cells = append(cells, []cell{figure(sprintf("%g", t.P)), figure(p.estimate(t.Estimate)), figure(p.estimate(t.Low)), figure(p.estimate(t.High)), word(strings.ReplaceAll(strings.Join(t.Pairs, ", "), ":", " and "))})
	}
	out.Blocks = []block{{Plot: template.HTML(intervals("Stepwise estimate by threshold", rows, p.shown(p.r.Observed), nil)),
		Table: newGrid("thresholds", "stepwise estimate by threshold", heads("#Threshold", "#Estimate", "#Low", "#High", "Pairs in the model"), cells)}}
	return out
}

func (p *pageMaker) resamples() section {
	out := section{ID: "resamples", Title: "What chance alone does",
		Lead: []string{"The people seen are drawn again at random many times, and the whole estimate, choice of model included, is repeated each time. Two hills mean two answers between which chance decides."}}
	for _, e := range p.r.Panel {
		d, ok := e.Detail.(*StepDetail)
		if !ok || d.Bootstrap == nil || e.Estimate == nil {
			continue
		}
		b := d.Bootstrap
		var rows [][]cell
		for i, n := range b.Histogram.Counts {
			rows = append(rows, []cell{figure(p.est(b.Histogram.Edges[i])), figure(p.est(b.Histogram.Edges[i+1])), figure(sprintf("%d", n))})
		}
		limits := [][]cell{}
		for i, level := range b.Levels {
			limits = append(limits, []cell{figure(sprintf("%g %%", 100*level)), figure(p.est(b.BCa[i])), figure(sprintf("%.2f %%", 100*b.AdjustedProbs[i])), figure(p.est(b.Percentile[i]))})
		}
		out.Blocks = append(out.Blocks,
			block{Title: methodNames[e.Method],
				Lead:  []string{sprintf("%d resamples, %d without an estimate, %d %s; z0 %.3f, acceleration %.4f. The dashed line is the estimate.", b.Resamples, b.Failed, b.Peaks, plural(b.Peaks, "hill", "hills"), b.Z0, b.Accel)},
				Plot:  template.HTML(bars(methodNames[e.Method]+": estimates in the resamples", b, *e.Estimate)),
				Table: newGrid(e.Method+"-limits", e.Method+": limits by level, and where among the resamples the BCa limit is read", heads("#Level", "#BCa", "#Read at", "#Percentile"), limits)},
			block{Table: newGrid(e.Method+"-histogram", e.Method+": histogram of the resamples", heads("#From", "#To", "#Resamples"), rows), Folded: true})
		if e.Method == "stepwise" {
			var chosen [][]cell
			for _, c := range b.Chosen {
				chosen = append(chosen, []cell{word(strings.ReplaceAll(c.Name, ":", " and ")), figure(sprintf("%.1f %%", 100*c.Share))})
			}
			out.Blocks = append(out.Blocks, block{Title: "How often each pair was chosen", Plot: template.HTML(shares("How often each pair was chosen", b.Chosen)),
				Table: newGrid("selection", "share of resamples in which the pair is in the model", heads("Pair", "#Share"), chosen), Folded: true})
		}
	}
	if len(out.Blocks) == 0 {
		out.Lead = []string{"No method with resamples gave an estimate."}
	}
	return out
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (p *pageMaker) sensitivity() section {
	out := section{ID: "sensitivity", Title: "What if something else is wrong"}
	if len(p.d.Linkage) == 0 {
		out.Lead = []string{"These diagnostics were left out of this run."}
		return out
	}
	n := p.shown(p.r.Observed)
	var rows []span
	var cells [][]cell
	words := map[string]string{"missed": "links were missed", "false": "links are false"}
	for _, l := range p.d.Linkage {
		label := sprintf("%.0f %% of %s", 100*l.Rate, words[l.Kind])
		rows = append(rows, span{label: label, note: "no estimate", estimate: l.Median, low: l.Low, high: l.High})
		cells = append(cells, []cell{word(label), figure(p.estimate(l.Median)), figure(p.estimate(l.Low)), figure(p.estimate(l.High)), figure(p.estimate(l.Independence)), figure(sprintf("%d", l.Refused))})
	}
	out.Blocks = append(out.Blocks, block{Title: "Errors in linking the lists",
		Lead:  []string{"A child who is on two lists under two spellings counts as two children on one list each. Missed links make the estimate too high, false links too low. Here is what the stepwise estimate would be had linkage been worse than believed; the bars hold 95 % of 200 simulated tables."},
		Plot:  template.HTML(intervals("Stepwise estimate under linkage errors", rows, n, nil)),
		Table: newGrid("linkage", "estimates if so many links were missed or false", heads("If", "#Stepwise", "#Low", "#High", "#Independence", "#No estimate"), cells)})
	for _, v := range []struct {
		title, lead, file string
		rows              []Variant
	}{
		{"Without one list", "An estimate that leans on one list moves when that list is left out. Fewer people are then seen at all.", "without", p.d.LeaveOneOut},
		{"Two lists counted as one", "Whether the police of two forces are one list or two is a choice of the office; it should not decide the answer.", "merged", p.d.MergePairs}} {
		out.Blocks = append(out.Blocks, p.variantBlock(v.title, v.lead, v.file, v.rows))
	}
	var priors [][]cell
	var spans []span
	for _, d := range p.d.DGA {
		spans = append(spans, span{label: d.What, estimate: number(d.Estimate), low: number(d.Low), high: number(d.High)})
		priors = append(priors, []cell{word(d.What), figure(p.est(d.Estimate)), figure(p.est(d.Low)), figure(p.est(d.High)), figure(percent(d.SaturatedShare)), figure(percent(d.EdgeShare))})
	}
	if len(spans) > 0 {
		out.Blocks = append(out.Blocks, block{Title: "The prior of the averaged answer",
			Lead:  []string{"Averaging over graphs needs a prior weight per cell and a largest number to consider. Both can decide the answer; the packages' documentation uses 0.5, which here is shown beside the reported weight."},
			Plot:  template.HTML(intervals("Averaged estimate under other priors", spans, n, nil)),
			Table: newGrid("priors", "averaged estimate under other priors", heads("Prior", "#Estimate", "#Low", "#High", "#Saturated graph", "#At the cap"), priors)})
	}
	return out
}

func (p *pageMaker) variantBlock(title, lead, file string, variants []Variant) block {
	var rows []dots
	var cells [][]cell
	for _, v := range variants {
		rows = append(rows, dots{v.What, [4]*float64{v.Stepwise, v.Independence, v.BIC, v.DGA}})
		note := v.Refusal
		cells = append(cells, []cell{word(v.What), figure(p.people(v.Observed)), figure(p.estimate(v.Stepwise)), figure(p.estimate(v.Independence)), figure(p.estimate(v.BIC)), figure(p.estimate(v.DGA)), word(note)})
	}
	reference, name := p.shown(p.r.Observed), "seen: "+p.people(p.r.Observed)
	for _, e := range p.r.Panel {
		if e.Method == "stepwise" && e.Estimate != nil {
			reference, name = *e.Estimate, "stepwise, all lists: "+p.estimate(e.Estimate)
		}
	}
	return block{Title: title, Lead: []string{lead}, Plot: template.HTML(dotPlot(title, rows, reference, name, short)),
		Table: newGrid(file, strings.ToLower(title[:1])+title[1:], heads("What", "#Seen", "#Stepwise", "#Independence", "#BIC, pairs", "#dga", "Note"), cells), Folded: true}
}

func (p *pageMaker) consistency() section {
	out := section{ID: "consistency", Title: "A test with a known truth",
		Lead: []string{"Take the people on one list, whose number is known, and estimate it from the other lists alone. A ratio of 1 is right; below 1 the method saw too few. Published tests of this kind found that every miss was an underestimate."}}
	var rows []dots
	var cells [][]cell
	for _, c := range p.d.Consistency {
		rows = append(rows, dots{c.List, [4]*float64{c.Ratio.Stepwise, c.Ratio.Independence, c.Ratio.BIC, c.Ratio.DGA}})
		cells = append(cells, []cell{word(c.List), figure(p.people(c.Truth)), figure(p.people(c.Elsewhere)), figure(p.people(c.OnTwo)), figure(ratio(c.Ratio.Stepwise)), figure(ratio(c.Ratio.Independence)), figure(ratio(c.Ratio.BIC)), figure(ratio(c.Ratio.DGA)), word(c.Refusal)})
	}
	if len(rows) == 0 {
		out.Lead = append(out.Lead, "No list had 30 people who were seen elsewhere too, so the test could not be made.")
		return out
	}
	var sums [][]cell
	for _, s := range p.d.ConsistencyBy {
		sums = append(sums, []cell{word(s.Method), figure(sprintf("%d", s.Lists)), figure(sprintf("%.2f", s.MeanLogRatio)), figure(sprintf("%d", s.TooLow))})
	}
	out.Blocks = []block{{Plot: template.HTML(dotPlot("Estimate over truth, per list", rows, 1, "right", func(x float64) string { return sprintf("%.2g", x) })),
		Table: newGrid("consistency", "estimate over truth, per list", heads("List", "#Truth", "#Seen elsewhere", "#On two or more", "#Stepwise", "#Independence", "#BIC, pairs", "#dga", "Note"), cells)},
		{Table: newGrid("consistency-summary", "mean log ratio (below 0: too low) and how many lists came out too low", heads("Method", "#Lists", "#Mean log ratio", "#Too low"), sums)}}
	return out
}

func (p *pageMaker) gates() section {
	out := section{ID: "gates", Title: "The rules for publishing",
		Lead: []string{"Each rule with its threshold and what was found. The thresholds are the program's own, not published ones, and can be changed; they then stand here."}}
	var rows [][]cell
	for _, g := range p.r.Gates {
		found := "–"
		if g.Found != nil {
			found = sprintf("%.4g", math.Round(*g.Found*1000)/1000)
			if p.public && g.Name == "overlap" {
				found = p.people(int64(*g.Found))
			}
		}
		says := g.Says
		if p.public && g.Name == "overlap" {
			says = "people on two lists or more"
		}
		rows = append(rows, []cell{{Text: strings.ReplaceAll(g.Outcome, "_", " "), Class: g.Outcome}, word(g.Name), word(g.Rule), figure(sprintf("%g", g.Threshold)), figure(found), word(says)})
	}
	out.Blocks = []block{{Table: newGrid("gates", "release rules", heads("Outcome", "Rule", "What is measured", "#Threshold", "#Found", "In words"), rows)}}
	return out
}

func (p *pageMaker) assumptions() section {
	return section{ID: "assumptions", Title: "What must be true for this to be right", Blocks: []block{{List: p.d.Assumptions}}}
}

func (p *pageMaker) repeat() section {
	q := p.r.Repeat
	out := section{ID: "repeat", Title: "To repeat this result"}
	rows := [][]cell{{word("version"), word(q.Version)}, {word("seed"), word(sprintf("%d", p.r.Seed))}, {word("methods"), word(strings.Join(q.Methods, ", "))},
		{word("stepwise threshold"), word(sprintf("%g", q.Threshold))}, {word("resamples"), word(sprintf("%d, %s", q.Resamples, q.Resampling))},
		{word("BIC"), word(sprintf("interactions of up to %d lists; the best %d compete in each resample", q.BICOrder, q.TopModels))},
		{word("dga"), word(sprintf("prior weight %g, %d grid points up to %g times the number seen", q.Delta, q.GridSize, q.GridCap))},
		{word("definition"), word(q.About.Definition)}, {word("period"), word(q.About.Period)}, {word("area"), word(q.About.Geography)}, {word("linked"), word(q.About.Linked)}}
	if p.public {
		out.Lead = []string{"The data digest and the exact figures are held by the office that made this estimate: with them hidden cells could be found by trial."}
	} else {
		rows = append(rows, []cell{word("data digest"), word(q.DataDigest)})
		out.Lead = []string{"With the same table, seed and version every figure comes out the same to the last digit, on any number of cores. The digest is SHA-256 over list names and counts."}
	}
	var params [][]cell
	for _, e := range p.r.Panel {
		d, ok := e.Detail.(*StepDetail)
		if !ok || p.public {
			continue
		}
		for _, c := range d.Params {
			value := "−∞"
			if c.Value != nil {
				value = sprintf("%.10g", *c.Value)
			}
			params = append(params, []cell{word(e.Method), word(c.Name), figure(value)})
		}
		if e.Estimate != nil {
			params = append(params, []cell{word(e.Method), word("estimate"), figure(sprintf("%.15g", *e.Estimate))},
				[]cell{word(e.Method), word("low"), figure(sprintf("%.15g", *e.Low))}, []cell{word(e.Method), word("high"), figure(sprintf("%.15g", *e.High))})
		}
	}
	out.Blocks = []block{{Table: newGrid("repeat", "method and settings", heads("What", "Value"), rows)}}
	if len(params) > 0 {
		out.Blocks = append(out.Blocks, block{Table: newGrid("parameters", "coefficients and exact estimates", heads("Method", "Parameter", "#Value"), params), Folded: true})
	}
	return out
}
