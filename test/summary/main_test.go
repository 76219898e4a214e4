package main

import (
	"strings"
	"testing"
)

func TestTheSummaryCountsAndRepeatsWhatFailingTestsSaid(t *testing.T) {
	cases := []struct {
		name, events string
		want         []string
		fails        bool
	}{
		{"all is well", `{"Action":"output","Package":"p","Test":"A","Output":"quiet\n"}
{"Action":"attr","Package":"p","Test":"A","Key":"matrix-cells","Value":"10206"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Elapsed":1.25}`, []string{"pass  p", "matrix cells: 10206  (A)", "1 passed, 0 failed, 0 skipped"}, false},
		{"a failing test is heard", `{"Action":"output","Package":"p","Test":"A","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`, []string{"got 1, want 2", "0 passed, 1 failed, 0 skipped"}, true},
		{"a package that cannot be built fails the run", `{"Action":"build-output","ImportPath":"p","Output":"x.go:1: undefined\n"}
{"Action":"pass","Package":"q","Test":"B"}
{"Action":"fail","Package":"p"}`, []string{"x.go:1: undefined", "1 passed"}, true},
		{"nothing run is no success", `{"Action":"skip","Package":"p"}`, []string{"0 passed"}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			err := summarise(strings.NewReader(c.events), &out)
			if (err != nil) != c.fails {
				t.Errorf("error %v", err)
			}
			for _, w := range c.want {
				if !strings.Contains(out.String(), w) {
					t.Errorf("%q is missing from:\n%s", w, out.String())
				}
			}
			if strings.Contains(out.String(), "quiet") {
				t.Error("a passing test was repeated")
			}
		})
	}
}
