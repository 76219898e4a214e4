package scope

// This file draws the few shapes that the page's plots are made of, as inline
// SVG text. It promises that every text is escaped and that colours come from
// the page's classes, so that light and dark both work.

import (
	"html"
	"math"
	"strings"
)

// Two widths are drawn of each plot, for a phone and for a desk; the page shows
// one of them, so that text never shrinks with the screen.
const (
	narrowWidth = 320
	wideWidth   = 720
)

// canvas collects shapes.
type canvas struct {
	strings.Builder
	width, height float64
}

// plot draws a picture at both widths. draw sets the canvas's height.
func plot(title string, draw func(c *canvas)) string {
	var out strings.Builder
	for _, v := range []struct {
		class string
		width float64
	}{{"narrow", narrowWidth}, {"wide", wideWidth}} {
		c := &canvas{width: v.width}
		draw(c)
		out.WriteString(sprintf(`<svg class="%s" viewBox="0 0 %g %g" width="%g" height="%g" role="img" aria-label="%s">`,
			v.class, c.width, c.height, c.width, c.height, html.EscapeString(title)))
		out.WriteString(c.String())
		out.WriteString("</svg>")
	}
	return out.String()
}

func (c *canvas) put(format string, args ...any) { c.WriteString(sprintf(format, args...)) }

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	c.put(`<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

func (c *canvas) rect(class string, x, y, w, h float64) {
	c.put(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, class, x, y, math.Max(w, 0), math.Max(h, 0))
}

// text writes at a baseline; anchor is start, middle or end.
func (c *canvas) text(class, anchor string, x, y float64, s string) {
	c.put(`<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, html.EscapeString(s))
}

// mark draws one of four shapes, so that colour is never the only sign.
func (c *canvas) mark(kind int, x, y, r float64) {
	class := sprintf("mark m%d", kind)
	switch kind {
	case 0:
		c.put(`<circle class="%s" cx="%.1f" cy="%.1f" r="%.1f"/>`, class, x, y, r)
	case 1:
		c.rect(class, x-r*0.9, y-r*0.9, 1.8*r, 1.8*r)
	case 2:
		c.put(`<path class="%s" d="M%.1f %.1f l%.1f %.1f h%.1f z"/>`, class, x, y-1.1*r, 1.15*r, 2*r, -2.3*r)
	default:
		c.put(`<path class="%s" d="M%.1f %.1f l%.1f %.1f l%.1f %.1f l%.1f %.1f z"/>`, class, x, y-1.3*r, 1.3*r, 1.3*r, -1.3*r, 1.3*r, -1.3*r, -1.3*r)
	}
}

// logScale maps values to pixels on a log axis.
type logScale struct{ low, high, from, to float64 }

func newLogScale(low, high, from, to float64) logScale {
	if !(low > 0) {
		low = 1
	}
	if !(high > low*1.05) { // all but one point: an axis needs some length
		low, high = low/1.05, math.Max(high, low)*1.05
	}
	pad := math.Pow(high/low, 0.04)
	return logScale{math.Log(low / pad), math.Log(high * pad), from, to}
}

func (s logScale) at(x float64) float64 {
	if !(x > 0) {
		return s.from
	}
	p := (math.Log(x) - s.low) / (s.high - s.low)
	return s.from + math.Max(-0.02, math.Min(1.02, p))*(s.to-s.from)
}

// ticks are round numbers on the axis, as many as have room.
func (s logScale) ticks(room int) []float64 {
	low, high := math.Exp(s.low), math.Exp(s.high)
	for _, steps := range [][]float64{{1, 1.5, 2, 3, 4, 5, 6, 8}, {1, 2, 3, 5}, {1, 2, 5}, {1, 3}, {1}} {
		var out []float64
		for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
			for _, m := range steps {
				if v := m * math.Pow(10, e); v >= low && v <= high {
					out = append(out, v)
				}
			}
		}
		if len(out) <= room {
			return out
		}
	}
	return []float64{low, high}
}

// axis draws a log axis at the bottom with its grid lines.
func (c *canvas) axis(s logScale, top, bottom float64, format func(float64) string) {
	last := math.Inf(-1)
	for _, v := range s.ticks(int((s.to - s.from) / 58)) {
		x := s.at(v)
		c.line("grid", x, top, x, bottom)
		if x-last < 44 {
			continue
		}
		anchor := "middle"
		if x > s.to-16 {
			anchor = "end"
		}
		c.text("tick", anchor, x, bottom+15, format(v))
		last = x
	}
	c.line("axis", s.from, bottom, s.to, bottom)
}

// short writes a number of people for an axis: 800, 12k, 1.5m.
func short(x float64) string {
	switch {
	case x >= 1e6:
		return strings.TrimSuffix(sprintf("%.1f", x/1e6), ".0") + "m"
	case x >= 1000:
		return strings.TrimSuffix(sprintf("%.1f", x/1e3), ".0") + "k"
	}
	return sprintf("%.4g", x)
}

// clip shortens a label that would run out of the picture.
func clip(s string, runes int) string {
	r := []rune(s)
	if len(r) <= runes {
		return s
	}
	return string(r[:runes-1]) + "…"
}
