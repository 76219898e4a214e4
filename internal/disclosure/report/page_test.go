package report

import (
	"strings"
	"testing"
)

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want string
	}{{1e-6, "10⁻⁶"}, {2.5e-12, "2.5 · 10⁻¹²"}, {0.001, "0.001"}} {
		if got := small(c.x); got != c.want {
			t.Errorf("%g is written %q, want %q", c.x, got, c.want)
		}
	}
	for n, want := range map[int]string{5: "5", 1234: "1\u202f234", -1234567: "-1\u202f234\u202f567"} {
		if got := number(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}

// Codes are whatever a register holds: a page is read by somebody who may see it,
// and must not run what it shows.
func TestAPageShowsMarkupAsText(t *testing.T) {
	r := &Report{Method: "tables <script>alert(1)</script>", Tables: []TableSummary{{Name: "<img src=x>"}},
		Privacy: &Privacy{Epsilon: 1, Delta: 1e-6, Unit: "group", GroupCap: 3},
		Errors:  []ErrorBand{{From: 1, To: 9, Cells: 3, MeanError: 2}}}
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if text := string(page); strings.Contains(text, "<script") || strings.Contains(text, "<img") || !strings.Contains(text, "case groups, 3 counted") {
		t.Errorf("the page is %s", text)
	}
	if bars := string(Bars("<b>", []Bar{{"<i>", 3, "<u>", "a"}})); strings.Contains(bars, "<b>") || strings.Contains(bars, "<u>") || strings.Contains(bars, "<i>") {
		t.Errorf("bars are %s", bars)
	}
}
