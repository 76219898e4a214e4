// The page: report.json for human eyes, in one file that needs no server, no
// script and no other host. Every picture has its table beside it.

package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"slices"
	"sort"
	"strings"

	"banyan/internal/disclosure/evaluate"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"pct":     func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
	"num":     number,
	"f":       func(digits int, x float64) string { return fmt.Sprintf("%.*f", digits, x) },
	"band":    bandName,
	"small":   small,
	"words":   func(key string) string { return strings.ReplaceAll(key, "_", " ") },
	"bars":    Bars,
	"errors":  errorBars,
	"lengths": lengthBars,
	"groups":  worstGroups,
	"pair":    func(n int) string { return []string{"", "values", "pairs", "triples", "quadruples"}[min(n, 4)] },
}).Parse(pageText))

// HTML is the report as a page that needs no server.
func (r *Report) HTML() ([]byte, error) {
	var b bytes.Buffer
	if err := page.Execute(&b, r); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// number writes a whole number with thin spaces between thousands.
func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

func bandName(from, to int) string {
	switch {
	case from == 0 && to == 0:
		return "nobody"
	case to == 0:
		return number(from) + " or more"
	}
	return number(from) + " – " + number(to)
}

// small writes a number far below 1 as people read it: 10⁻⁶.
func small(x float64) string {
	digits, exponent, ok := strings.Cut(fmt.Sprintf("%.2g", x), "e-")
	if !ok {
		return digits
	}
	power := strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(strings.TrimLeft(exponent, "0"))
	if digits == "1" {
		return "10⁻" + power
	}
	return digits + " · 10⁻" + power
}

// Bar is one bar of a chart.
type Bar struct {
	Label string
	Value float64
	Text  string
	Class string // a, b, c: the series
}

// Bars draws horizontal bars that fit any width. Values are shown as text too;
// colour is never the only sign.
func Bars(title string, bars []Bar) template.HTML {
	top := 0.0
	for _, b := range bars {
		top = math.Max(top, b.Value)
	}
	if top == 0 {
		top = 1
	}
	var w bytes.Buffer
	fmt.Fprintf(&w, `<div class="bars" role="group" aria-label="%s">`, template.HTMLEscapeString(title))
	for _, b := range bars {
		fmt.Fprintf(&w, `<span>%s</span><span><i class="%s" style="width:%.1f%%"></i><em>%s</em></span>`,
			template.HTMLEscapeString(b.Label), b.Class, 100*b.Value/top, template.HTMLEscapeString(b.Text))
	}
	w.WriteString(`</div>`)
	return template.HTML(w.String()) // built from numbers and escaped text only
}

func errorBars(bands []ErrorBand) template.HTML {
	var bars []Bar
	for _, b := range bands {
		name := bandName(b.From, b.To)
		if b.From > 0 {
			name += " persons"
		}
		bars = append(bars, Bar{name, b.MeanError, fmt.Sprintf("± %.1f", b.MeanError), "a"})
	}
	return Bars("Mean error of a cell, by its true count", bars)
}

func lengthBars(e *evaluate.Evaluation) template.HTML {
	var bars []Bar
	class := []string{"a", "b", "c", "d"}
	for _, b := range e.Bands {
		if b.From >= e.K || b.From >= 10 {
			name := []string{"", "values", "pairs", "triples", "quadruples"}[min(b.Length, 4)]
			bars = append(bars, Bar{name + ", " + bandName(b.From, b.To), b.MeanRelErr, fmt.Sprintf("%.1f %%", 100*b.MeanRelErr), class[(b.Length-1)%4]})
		}
	}
	return Bars("Mean relative error of combinations, by their true count", bars)
}

// worstGroups lists the groups that fare worst, so that a country's children
// cannot vanish behind a good average.
func worstGroups(e *evaluate.Evaluation) []evaluate.Group {
	g := slices.Clone(e.Groups)
	score := func(x evaluate.Group) float64 {
		return math.Abs(float64(x.Released-x.Sensitive))/float64(x.Sensitive) + float64(x.LostPairs)/math.Max(float64(x.Pairs), 1)
	}
	sort.SliceStable(g, func(i, j int) bool { return score(g[i]) > score(g[j]) })
	return g[:min(len(g), 25)]
}

// Plot draws bars as a picture that stands alone, for documents.
func Plot(title string, bars []Bar) []byte {
	const left, width, row, top = 270.0, 330.0, 22.0, 44.0
	most := 1.0
	for _, b := range bars {
		most = math.Max(most, b.Value)
	}
	h := top + row*float64(len(bars)) + 12
	var w bytes.Buffer
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" aria-label="%s">`+"\n", left+width+110, h, template.HTMLEscapeString(title))
	w.WriteString(`<style>text{font:13px system-ui,sans-serif;fill:#1d2426}.t{font-weight:600;font-size:14px}.a{fill:#2f6f73}.b{fill:#c9a27a}` +
		`@media (prefers-color-scheme:dark){text{fill:#e8e6df}.a{fill:#6db5b4}.b{fill:#8a6a45}}</style>` + "\n")
	fmt.Fprintf(&w, `<text class="t" x="8" y="22">%s</text>`+"\n", template.HTMLEscapeString(title))
	for i, b := range bars {
		y := top + row*float64(i)
		fmt.Fprintf(&w, `<text x="%g" y="%g" text-anchor="end">%s</text><rect class="%s" x="%g" y="%g" width="%.1f" height="%g"/><text x="%.1f" y="%g">%s</text>`+"\n",
			left-8, y+14, template.HTMLEscapeString(b.Label), b.Class, left, y+2, math.Max(b.Value/most*width, 1), row-6,
			left+b.Value/most*width+6, y+14, template.HTMLEscapeString(b.Text))
	}
	w.WriteString("</svg>\n")
	return w.Bytes()
}
