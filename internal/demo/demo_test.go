package demo_test

import (
	"os"
	"reflect"
	"testing"
	"time"

	"banyan/internal/demo"
	"banyan/internal/forms"
)

func maker(t testing.TB, seed uint64) *demo.Maker {
	t.Helper()
	fsys := os.DirFS("../../content")
	lib, faults := forms.Load(fsys)
	if len(faults) > 0 {
		t.Fatal(faults[0])
	}
	ids := demo.Directory{Org: func(k string) string { return "org-" + k }, Team: func(o, n string) string { return "team-" + o + "-" + n },
		User: func(l string) string { return "user-" + l }}
	m, err := demo.New(fsys, lib, seed, time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), ids)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheSameSeedGivesTheSameCountry(t *testing.T) {
	a, err := maker(t, 7).Cases(40)
	if err != nil {
		t.Fatal(err)
	}
	b, err := maker(t, 7).Cases(40)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Error("two countries of one seed differ")
	}
	c, err := maker(t, 8).Cases(40)
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(a, c) {
		t.Error("two seeds gave one country")
	}
}

func TestEveryStageIsThereAndNothingIsWrittenInTheFuture(t *testing.T) {
	cases, err := maker(t, 1).Cases(200)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	seen := map[string]int{}
	for _, c := range cases {
		seen[c.Stage]++
		for i, d := range c.Drafts {
			if d.WrittenAt.After(now) {
				t.Errorf("an entry of %s is written at %v", d.Form, d.WrittenAt)
			}
			if i > 0 && d.WrittenAt.Before(c.Drafts[i-1].WrittenAt) {
				t.Errorf("%s is written before %s", d.Form, c.Drafts[i-1].Form)
			}
		}
	}
	for _, s := range []string{"contact", "screened", "consent", "registered", "assessed", "planned", "in_service", "follow_up", "closed"} {
		if seen[s] == 0 {
			t.Errorf("no case is at %s", s)
		}
	}
}

func BenchmarkCases(b *testing.B) {
	m := maker(b, 1)
	entries := 0
	for b.Loop() {
		cases, err := m.Cases(10)
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range cases {
			entries += len(c.Drafts)
		}
	}
	b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
}
