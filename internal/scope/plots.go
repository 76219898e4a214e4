package scope

// This file draws the page's plots. Each shows the numbers of the table beside
// it and nothing else.

import (
	"math"
	"strings"
)

// span is one row of an interval plot.
type span struct {
	label             string
	note              string
	estimate          *float64
	low, high         *float64
	wideLow, wideHigh *float64
}

// intervals draws one row per span, with a band behind them all (the headline)
// and a line at the number seen.
func intervals(title string, rows []span, seen float64, band *[2]float64) string {
	low, high := seen, seen
	for _, r := range rows {
		for _, v := range []*float64{r.estimate, r.low, r.high, r.wideLow, r.wideHigh} {
			if v != nil && *v > 0 {
				low, high = math.Min(low, *v), math.Max(high, *v)
			}
		}
	}
	const rowHeight, top = 42, 26
	return plot(title, func(c *canvas) {
		bottom := top + float64(len(rows))*rowHeight + 4
		c.height = bottom + 24
		s := newLogScale(low, high, 6, c.width-10)
		if band != nil {
			c.rect("band", s.at(band[0]), top, s.at(band[1])-s.at(band[0]), bottom-top)
		}
		c.axis(s, top, bottom, short)
		c.line("seen", s.at(seen), top-4, s.at(seen), bottom)
		c.text("tick", "start", math.Min(s.at(seen), c.width-90), top-9, "seen: "+grouped(seen))
		for i, r := range rows {
			y := top + float64(i)*rowHeight + 15
			c.text("label", "start", 8, y, clip(r.label, int(c.width/7)))
			c.span(s, r, y+13)
		}
	})
}

func (c *canvas) span(s logScale, r span, y float64) {
	if r.wideLow != nil && r.wideHigh != nil {
		c.line("wide-limits", s.at(*r.wideLow), y, s.at(*r.wideHigh), y)
	}
	if r.low != nil && r.high != nil {
		a, b := s.at(*r.low), s.at(*r.high)
		c.line("limits", a, y, b, y)
		c.line("limits", a, y-5, a, y+5)
		c.line("limits", b, y-5, b, y+5)
	}
	if r.estimate != nil {
		c.mark(0, s.at(*r.estimate), y, 5)
	}
	if r.estimate == nil && r.low == nil {
		c.text("tick", "start", 8, y+3, clip(r.note, int(c.width/6.4)))
	}
}

// dots is one row of a plot with a mark per method.
type dots struct {
	label  string
	values [4]*float64
}

var dotNames = [4]string{"stepwise", "independence", "BIC, pairs", "dga"}

// dotPlot draws one row per variant; reference is where nothing has changed.
func dotPlot(title string, rows []dots, reference float64, referenceName string, format func(float64) string) string {
	low, high := reference, reference
	for _, r := range rows {
		for _, v := range r.values {
			if v != nil && *v > 0 {
				low, high = math.Min(low, *v), math.Max(high, *v)
			}
		}
	}
	const rowHeight, top = 40, 44
	return plot(title, func(c *canvas) {
		bottom := top + float64(len(rows))*rowHeight + 4
		c.height = bottom + 24
		s := newLogScale(low, high, 8, c.width-10)
		x := 8.0
		for k, name := range dotNames {
			c.mark(k, x+5, 10, 4.5)
			c.text("tick", "start", x+13, 14, name)
			x += 30 + 6.0*float64(len(name))
		}
		c.axis(s, top, bottom, format)
		c.line("seen", s.at(reference), top-4, s.at(reference), bottom)
		c.text("tick", edge(s.at(reference), c.width), s.at(reference), top-8, referenceName)
		for i, r := range rows {
			y := top + float64(i)*rowHeight + 14
			c.text("label", "start", 8, y, clip(r.label, int(c.width/7)))
			c.line("rail", s.from, y+13, s.to, y+13)
			for k, v := range r.values {
				if v != nil {
					c.mark(k, s.at(*v), y+13+3*(float64(k)-1.5), 4.5) // apart, so that equal answers all show
				}
			}
		}
	})
}

// edge keeps a label inside the picture.
func edge(x, width float64) string {
	switch {
	case x < width*0.25:
		return "start"
	case x > width*0.75:
		return "end"
	}
	return "middle"
}

const upsetRows = 32

// upset draws the overlaps: a row per history, a dot per list it is on, and
// the number of people as a bar on a log scale.
func upset(title string, lists []string, rows []HistoryOut, label func(int64) string, size func(int64) float64) string {
	if len(rows) > upsetRows {
		rows = rows[:upsetRows]
	}
	const rowHeight = 19
	most := 1.0
	for _, r := range rows {
		most = math.Max(most, size(r.Count))
	}
	longest := 0
	for _, l := range lists {
		longest = max(longest, len([]rune(clip(l, 16))))
	}
	return plot(title, func(c *canvas) {
		column := math.Min(22, (c.width*0.5)/float64(len(lists)))
		top := 16 + float64(longest)*6.4
		c.height = top + float64(len(rows))*rowHeight + 8
		at := func(i int) float64 { return 10 + column*(float64(i)+0.5) }
		for i, l := range lists {
			c.put(`<g transform="translate(%.1f %.1f) rotate(-90)">`, at(i)+4, top-8)
			c.text("tick", "start", 0, 0, clip(l, 16))
			c.put("</g>")
		}
		from := 10 + column*float64(len(lists)) + 12
		room := c.width - from - 52
		for k, r := range rows {
			y := top + float64(k)*rowHeight + rowHeight/2
			if k%2 == 0 {
				c.rect("stripe", 4, y-rowHeight/2, c.width-8, rowHeight)
			}
			first, last := -1, -1
			for i, l := range lists {
				on := contains(r.Lists, l)
				class := "off"
				if on {
					class = "on"
					if first < 0 {
						first = i
					}
					last = i
				}
				c.put(`<circle class="%s" cx="%.1f" cy="%.1f" r="%.1f"/>`, class, at(i), y, math.Min(5, column/2.6))
			}
			if first >= 0 && last > first {
				c.line("join", at(first), y, at(last), y)
			}
			w := room * math.Log(math.Max(size(r.Count), 1)+1) / math.Log(most+1)
			c.rect("bar", from, y-6, w, 12)
			c.text("tick", "start", from+w+5, y+4, label(r.Count))
		}
	})
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// scatter draws BIC above the best against the estimate; the best is on top.
func scatter(title string, models []RankedOut, chosen []RankedOut) string {
	low, high := math.Inf(1), 0.0
	for _, m := range append(append([]RankedOut(nil), models...), chosen...) {
		low, high = math.Min(low, m.Estimate), math.Max(high, m.Estimate)
	}
	return plot(title, func(c *canvas) {
		const top, bottom = 42, 256
		c.height = bottom + 40
		s := newLogScale(low, high, 30, c.width-10)
		y := func(above float64) float64 { return top + math.Min(above, 10.4)/10.4*(bottom-top) }
		c.text("tick", "start", 4, 14, "BIC above the best model")
		for _, v := range []float64{0, 2, 6, 10} {
			c.line("grid", s.from, y(v), s.to, y(v))
			c.text("tick", "end", 24, y(v)+4, sprintf("%g", v))
		}
		c.axis(s, top, bottom, short)
		c.text("tick", "end", c.width-10, bottom+34, "estimate of the model")
		for i := len(models) - 1; i >= 0; i-- {
			c.put(`<circle class="model" cx="%.1f" cy="%.1f" r="3.5"/>`, s.at(models[i].Estimate), y(models[i].Above))
		}
		for _, m := range chosen {
			c.mark(3, s.at(m.Estimate), y(m.Above), 5.5)
			c.text("label", edge(s.at(m.Estimate), c.width), s.at(m.Estimate), y(m.Above)-10, m.Model)
		}
	})
}

// bars draws the bootstrap histogram with the estimate and both intervals.
func bars(title string, b *BootOut, estimate float64) string {
	h := b.Histogram
	most := 1
	for _, n := range h.Counts {
		most = max(most, n)
	}
	last := len(b.Levels) - 1
	return plot(title, func(c *canvas) {
		const top, bottom = 52, 230
		c.height = bottom + 24
		s := newLogScale(math.Min(h.Edges[0], estimate), math.Max(h.Edges[len(h.Edges)-1], estimate), 8, c.width-10)
		c.axis(s, top, bottom, short)
		for i, n := range h.Counts {
			height := float64(n) / float64(most) * (bottom - top)
			a, b := s.at(h.Edges[i]), s.at(h.Edges[i+1])
			c.rect("bar", a, bottom-height, math.Max(b-a-0.8, 0.8), height)
		}
		c.bracket(s, b.BCa[0], b.BCa[last], 14, "BCa")
		c.bracket(s, b.Percentile[0], b.Percentile[last], 32, "percentile")
		c.line("seen", s.at(estimate), top-10, s.at(estimate), bottom)
		c.mark(0, s.at(estimate), top-10, 4.5)
	})
}

func (c *canvas) bracket(s logScale, low, high, y float64, name string) {
	a, b := s.at(low), s.at(high)
	c.line("limits", a, y, b, y)
	c.line("limits", a, y-4, a, y+4)
	c.line("limits", b, y-4, b, y+4)
	x, anchor := b+5, "start"
	if x > c.width-60 {
		x, anchor = a-5, "end"
	}
	if anchor == "end" && x < 60 {
		x, anchor, y = (a+b)/2, "middle", y-4
	}
	c.text("tick", anchor, x, y+4, name)
}

// shares draws how often each pair was chosen.
func shares(title string, rows []FrequencyIn) string {
	const rowHeight = 19
	return plot(title, func(c *canvas) {
		c.height = float64(len(rows))*rowHeight + 8
		from := math.Min(150, c.width*0.42)
		for i, r := range rows {
			y := float64(i)*rowHeight + 15
			c.text("label", "start", 4, y, clip(strings.ReplaceAll(r.Name, ":", " and "), int(from/6.6)))
			w := (c.width - from - 50) * r.Share
			c.rect("bar", from, y-10, math.Max(w, 0.5), 12)
			c.text("tick", "start", from+w+5, y, sprintf("%.0f %%", 100*r.Share))
		}
	})
}
