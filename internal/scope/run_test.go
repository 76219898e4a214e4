package scope

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"
)

func runOn(t testing.TB, tab *Table, change func(*Options)) *Report {
	t.Helper()
	o := Defaults()
	o.Resamples = 200
	if change != nil {
		change(&o)
	}
	r, err := Run(context.Background(), tab, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHeadlineOfUKFiveListsIsARangeOnly(t *testing.T) {
	// The design's own figures: the envelope's ratio is 6.4 and passes; the
	// panel's estimates differ more than twofold.
	r := runOn(t, table(t, "uk_2013_5list"), func(o *Options) { o.Resamples, o.PanelOnly = 1000, true })
	if r.Headline.Verdict != RangeOnly || r.Headline.Estimate != nil {
		t.Fatalf("headline %+v", r.Headline)
	}
	near(t, "envelope ratio", *r.Headline.High / *r.Headline.Low, 6.4, 0.02)
}

func TestHeadlineGivesNumberRangeOrReason(t *testing.T) {
	six := runOn(t, table(t, "uk_2013_6list"), func(o *Options) { o.PanelOnly, o.Resamples = true, 100 })
	if six.Headline.Verdict != Publish || six.Headline.Estimate == nil || math.Abs(*six.Headline.Estimate-11417.99) > 0.01 {
		t.Errorf("UK six lists: %+v", six.Headline)
	}
	few := runOn(t, table(t, "artificial_3list"), nil)
	if few.Headline.Verdict != Refuse || few.Headline.Low != nil || len(few.Headline.Reasons) == 0 {
		t.Errorf("six overlaps: %+v", few.Headline)
	}
	alone := runOn(t, table(t, "uk_2013_4list"), func(o *Options) { o.Methods, o.PanelOnly = []string{"stepwise"}, true })
	if alone.Headline.Verdict != Refuse || !strings.Contains(strings.Join(alone.Headline.Reasons, " "), "panel is incomplete") {
		t.Errorf("one method alone: %+v", alone.Headline)
	}
}

func TestGatesCloseOneByOne(t *testing.T) {
	base := func() *Table { return table(t, "uk_2013_4list") }
	cases := []struct {
		name   string
		change func(*Table)
		option func(*Options)
		gate   string
	}{
		{"a list that feeds another", func(tab *Table) { tab.Counts[0b0001], tab.Counts[0b0101] = 0, 200 }, nil, "feeder list"},
		{"a list with nearly everybody", func(tab *Table) { tab.Counts[0b0100] = 40000 }, nil, "dominant list"},
		{"few on two lists", func(tab *Table) {
			for h := range tab.Counts {
				if h&(h-1) != 0 {
					tab.Counts[h] = 0
				}
			}
			tab.Counts[0b0011], tab.Counts[0b0110], tab.Counts[0b1100] = 3, 3, 3
		}, nil, "overlap"},
		{"a narrower limit on the width", nil, func(o *Options) { o.Gates.MaxEnvelope = 1.2 }, "width"},
		{"more lists wanted", nil, func(o *Options) { o.Gates.MinLists = 5 }, "lists"},
	}
	for _, c := range cases {
		tab := base()
		if c.change != nil {
			c.change(tab)
		}
		r := runOn(t, tab, func(o *Options) {
			o.PanelOnly = true
			if c.option != nil {
				c.option(o)
			}
		})
		found := false
		for _, g := range r.Gates {
			if g.Name == c.gate {
				found = true
				if g.Outcome != Fail {
					t.Errorf("%s: gate %s says %s: %s", c.name, g.Name, g.Outcome, g.Says)
				}
			}
		}
		if !found || r.Headline.Verdict != Refuse {
			t.Errorf("%s: verdict %s, gate there: %v", c.name, r.Headline.Verdict, found)
		}
	}
}

func TestReportIsTheSameBytesOnAnyNumberOfCores(t *testing.T) {
	tab := table(t, "uk_2013_4list")
	var first, firstPage []byte
	for _, cores := range []int{1, 2, 5} {
		r := runOn(t, tab, func(o *Options) { o.Cores = cores })
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := WritePage(&page, r, false); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, firstPage = text, page.Bytes()
			continue
		}
		if !bytes.Equal(text, first) || !bytes.Equal(page.Bytes(), firstPage) {
			t.Errorf("%d cores gave other bytes than one", cores)
		}
	}
}

func TestRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := Defaults()
	o.Progress = func(what string, done, total int) {
		if what == "BIC over all models" {
			cancel()
		}
	}
	if _, err := Run(ctx, table(t, "uk_2013_5list"), o, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a run cancelled on the way gave %v", err)
	}
}

func TestInternalConsistencyAgreesWithTheReference(t *testing.T) {
	ref := reference(t)
	reports := map[string]*Report{}
	for _, want := range ref.InternalConsistency.Rows {
		r := reports[want.Dataset]
		if r == nil {
			r = runOn(t, table(t, want.Dataset), func(o *Options) { o.Methods = []string{"independence"} })
			reports[want.Dataset] = r
		}
		found := false
		for _, got := range r.Diagnostics.Consistency {
			if got.List != want.List {
				continue
			}
			found = true
			what := want.Dataset + " given " + want.List
			if got.Truth != want.Truth || got.Elsewhere != want.Elsewhere || got.OnTwo != want.Two {
				t.Errorf("%s: %d people, %d seen elsewhere, %d on two; reference %d, %d, %d", what, got.Truth, got.Elsewhere, got.OnTwo, want.Truth, want.Elsewhere, want.Two)
			}
			if want.Two == 0 { // SparseMSE answers 2.0e12 here; we refuse
				if got.Stepwise != nil || got.Refusal == "" {
					t.Errorf("%s: no overlap at all, yet stepwise says %v", what, got.Stepwise)
				}
				continue
			}
			compare := func(method string, got, want *float64) {
				if got == nil || want == nil {
					t.Errorf("%s %s: %v, reference %v", what, method, got, want)
					return
				}
				near(t, what+" "+method, *got, *want, deterministic)
			}
			compare("independence", got.Independence, want.Main)
			compare("stepwise", got.Stepwise, want.Stepwise)
			compare("BIC", got.BIC, want.BIC)
			compare("dga", got.DGA, &want.DGA)
		}
		if !found {
			t.Errorf("%s: list %s is missing", want.Dataset, want.List)
		}
	}
}

func TestLinkageErrorsMoveTheEstimateTheRightWay(t *testing.T) {
	r := runOn(t, table(t, "uk_2013_5list"), func(o *Options) { o.Methods = []string{"independence"} })
	base := 13444.131 // independence
	for _, row := range r.Diagnostics.Linkage {
		moved := *row.Independence - base
		if row.Kind == "missed" && moved >= 0 || row.Kind == "false" && moved <= 0 {
			t.Errorf("%.0f %% of %s links moves independence by %.0f", 100*row.Rate, row.Kind, moved)
		}
	}
	// To first order the estimate goes as one over the overlap: a fifth of the
	// links false divides the overlap by 1.25.
	last := r.Diagnostics.Linkage[len(r.Diagnostics.Linkage)-1]
	near(t, "a fifth of the links false", *last.Independence/base, 1.25, 0.05)
}

func TestPageAsksNobodyAndShowsEachPlotWithItsTable(t *testing.T) {
	tab := table(t, "uk_2013_5list")
	tab.Lists[0] = `<script>alert("x")</script>`
	r := runOn(t, tab, func(o *Options) { o.About.Definition = "under 18 & <b>exploited</b>" })
	var page bytes.Buffer
	if err := WritePage(&page, r, false); err != nil {
		t.Fatal(err)
	}
	text := attachments.ReplaceAllString(page.String(), "")
	for _, never := range []string{"http://", "https://", "<script", "src=", "@import", "url(", "NaN", "+Inf", "<b>", "%!"} {
		if strings.Contains(text, never) {
			t.Errorf("the page contains %q", never)
		}
	}
	for _, must := range []string{"A child whom no list could ever meet is not counted.", r.Repeat.DataDigest, "1234", Version, "Content-Security-Policy"} {
		if !strings.Contains(text, must) {
			t.Errorf("the page lacks %q", must)
		}
	}
	plots, tables := strings.Count(text, `<svg class="wide"`), strings.Count(text, "<table>")
	if plots < 10 || tables < plots {
		t.Errorf("%d plots, %d tables", plots, tables)
	}
}

func TestPageForPublicationHidesSmallCounts(t *testing.T) {
	// Two tables that differ only in cells of 1 to 4 people must look alike
	// wherever the page shows people rather than estimates.
	r := runOn(t, table(t, "uk_2013_4list"), nil)
	var page bytes.Buffer
	if err := WritePage(&page, r, true); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	if strings.Contains(text, r.Repeat.DataDigest) {
		t.Error("the digest is on the page: hidden cells could be found by trial")
	}
	start := strings.Index(text, "people on exactly these lists ·")
	end := start + strings.Index(text[start:], "</table>")
	small := regexp.MustCompile(`<td class="n">[1-4]</td>`)
	if hits := small.FindAllString(text[start:end], -1); hits != nil {
		t.Errorf("counts of 1 to 4 people stand on the page: %v", hits)
	}
	if !strings.Contains(text[start:end], "1–4") {
		t.Error("no hidden count, though the table has some")
	}
	if strings.Contains(text, "2\u202f428") {
		t.Error("the exact number seen is on the page")
	}
}

// attachments are the tables as CSV; their base64 can spell anything.
var attachments = regexp.MustCompile(`href="data:[^"]*"`)

// FuzzEstimators: any table of counts up to six lists ends in numbers or in a
// stated refusal, never in NaN, infinity or a panic.
func FuzzEstimators(f *testing.F) {
	f.Add(uint8(3), []byte{40, 30, 6, 20, 0, 0, 0})
	f.Add(uint8(4), []byte{1, 1, 0, 1, 0, 0, 0, 1, 9, 0, 0, 0, 3, 0, 0})
	f.Add(uint8(6), []byte{0, 255, 1, 255, 0, 1, 0, 255, 0, 0, 0, 1, 0, 0, 0, 200, 17})
	f.Fuzz(func(t *testing.T, lists uint8, counts []byte) {
		n := 2 + int(lists)%5
		tab := NewTable("A", "B", "C", "D", "E", "F")
		tab.Lists, tab.Counts = tab.Lists[:n], tab.Counts[:1<<n]
		for i, c := range counts {
			h := i + 1
			if h >= len(tab.Counts) {
				break
			}
			switch { // now and then a very large cell
			case c > 250:
				tab.Counts[h] = int64(c-250) * 30_000_000
			case c > 240:
				tab.Counts[h] = int64(c) * 1000
			default:
				tab.Counts[h] = int64(c)
			}
		}
		if tab.check() != nil {
			return
		}
		o := Defaults()
		o.Resamples, o.GridSize, o.TopModels, o.BICOrder = 20, 50, 10, 2
		if n >= 5 {
			o.PanelOnly = true
		}
		if n == 6 { // seconds for 32,768 models on each table: the others are the same code
			o.Methods = []string{"stepwise", "independence", "dga", "chao"}
		}
		r, err := Run(context.Background(), tab, o, nil)
		if err != nil {
			if !isRefusal(err) {
				t.Fatal(err)
			}
			return
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatalf("not JSON: %v", err)
		}
		for _, e := range r.Panel {
			if e.Estimate == nil {
				if e.Refusal == "" {
					t.Fatalf("%s: neither a number nor a reason", e.Method)
				}
				continue
			}
			if *e.Estimate < float64(tab.Observed())-1e-6 || *e.Low > *e.High {
				t.Fatalf("%s: estimate %v of %d seen, limits %v to %v", e.Method, *e.Estimate, tab.Observed(), *e.Low, *e.High)
			}
		}
		var page bytes.Buffer
		if err := WritePage(&page, r, false); err != nil {
			t.Fatal(err)
		}
		if s := attachments.ReplaceAllString(page.String(), ""); strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
			i := max(strings.Index(s, "NaN"), strings.Index(s, "Inf"))
			t.Fatalf("the page shows NaN or infinity: %s", s[max(0, i-80):min(len(s), i+40)])
		}
	})
}

func TestPageOfAnEstimateThatHardlyDiffersFromTheSeen(t *testing.T) {
	// Thirty million seen and next to nobody unseen: axes had no length, and
	// the page showed NaN.
	tab := NewTable("A", "B", "C", "D")
	tab.Counts[0b0111], tab.Counts[0b1000] = 30_000_000, 229
	r := runOn(t, tab, func(o *Options) { o.Resamples, o.PanelOnly = 20, true })
	var page bytes.Buffer
	if err := WritePage(&page, r, false); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(attachments.ReplaceAllString(page.String(), ""), "NaN") {
		t.Error("NaN on the page")
	}
}

func TestPageForPublicationGivesNoNumberWhereTheGatesAreClosed(t *testing.T) {
	r := runOn(t, table(t, "artificial_3list"), nil)
	var page bytes.Buffer
	if err := WritePage(&page, r, true); err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Panel {
		if e.Estimate != nil && strings.Contains(page.String(), ">"+grouped(*e.Estimate)+"<") {
			t.Errorf("the estimate of %s stands on a page that refuses", e.Method)
		}
	}
	if strings.Contains(page.String(), "All methods side by side") {
		t.Error("the panel stands on a page that refuses")
	}
}

func TestSimulatedTablesComeFromTheModel(t *testing.T) {
	tab := table(t, "netherlands_2010_2015_5list") // its stepwise model has a parameter at minus infinity
	fit, _, err := Stepwise(tab, DefaultThreshold)
	if err != nil {
		t.Fatal(err)
	}
	const draws = 200
	sums := make([]float64, len(tab.Counts))
	for i := range draws {
		drawn, truth := Simulate(tab, fit, 1, i)
		if truth != int64(math.Round(fit.Estimate)) || drawn.Counts[0] != 0 {
			t.Fatalf("truth %d, %d people on no list", truth, drawn.Counts[0])
		}
		for h, c := range drawn.Counts {
			sums[h] += float64(c) / draws
		}
	}
	if sums[0b01010] != 0 {
		t.Errorf("lists K and R exclude each other in the model, yet share %v people", sums[0b01010])
	}
	s := newSession(tab.T())
	s.take(tab.Counts)
	s.fit(fit.Model, s.y, false)
	for h := 1; h < len(sums); h++ {
		if mu := s.mu[h]; math.Abs(sums[h]-mu) > 5*math.Sqrt(mu/draws)+1e-9 {
			t.Errorf("history %s: %.2f on average, the model says %.2f", tab.Name(h), sums[h], mu)
		}
	}
}
