package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const twelveRows = "A,B,C,count\n1,0,0,120\n0,1,0,90\n0,0,1,70\n1,1,0,14\n1,0,1,9\n0,1,1,8\n1,1,1,2\n"

func scopeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func scopeRun(ctx context.Context, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = dispatch(ctx, append([]string{"scope"}, args...), &o, &e)
	return code, o.String(), e.String()
}

func TestScopeRefusesBadInputWithTheLineAndWritesNothing(t *testing.T) {
	cases := []struct{ name, content, want string }{
		{"no count column", "A,B\n1,0\n", "line 1: there is no column named count"},
		{"not 0 or 1", "A,B,count\n1,0,3\n1,x,3\n", `line 3: column "B"`},
		{"negative", "A,B,count\n1,0,-3\n", "line 2"},
		{"fraction", "A,B,count\n1,0,0.5\n", "line 2"},
		{"one list", "A,count\n1,3\n", "line 1"},
		{"empty", "", "line 1"},
		{"no rows", "A,B,count\n", "line 1"},
		{"eleven lists", "A,B,C,D,E,F,G,H,I,J,K,count\n", "line 1"},
		{"overflow", "A,B,count\n1,0,9999999999999999999999\n", "line 2"},
		{"a list nobody is on", "A,B,C,count\n1,0,0,5\n1,1,0,2\n", `column "C"`},
		{"no overlap", "A,B,count\n1,0,5\n0,1,5\n", "line 3"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			page := filepath.Join(t.TempDir(), "page.html")
			code, out, errOut := scopeRun(context.Background(), "--in", scopeFile(t, c.content), "--json", "--html", page)
			if code != exitMisused || out != "" || !strings.Contains(errOut, c.want) {
				t.Errorf("exit %d, out %q, says %q; should say %q", code, out, errOut, c.want)
			}
			if _, err := os.Stat(page); !os.IsNotExist(err) {
				t.Error("a page was written")
			}
		})
	}
}

func TestScopeRefusesWrongFlags(t *testing.T) {
	in := scopeFile(t, twelveRows)
	for _, args := range [][]string{{}, {"--in", "missing.csv"}, {"--in", in, "--methods", "magic"}, {"--in", in, "--methods", "dga,dga"},
		{"--in", in, "--resamples", "3"}, {"--in", in, "--seed", "-1"}, {"--in", in, "--threshold", "NaN"}, {"--in", in, "left", "over"}, {"check"}, {"check", "missing.json"}} {
		if code, out, _ := scopeRun(context.Background(), args...); code != exitMisused || out != "" {
			t.Errorf("%v: exit %d, wrote %q", args, code, out)
		}
	}
}

func TestScopeWritesJSONAndPageThatRepeat(t *testing.T) {
	in, dir := scopeFile(t, twelveRows), t.TempDir()
	var texts, pages [2]string
	for i, cores := range []string{"1", "2"} {
		page := filepath.Join(dir, "page"+cores+".html")
		code, out, errOut := scopeRun(context.Background(), "--in", in, "--resamples", "100", "--cores", cores, "--quiet", "--json", "--html", page)
		if code != exitDone || errOut != "" {
			t.Fatalf("exit %d: %s", code, errOut)
		}
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		texts[i], pages[i] = out, string(content)
	}
	if texts[0] != texts[1] || pages[0] != pages[1] {
		t.Error("one and two cores gave other bytes")
	}
	var report struct {
		Lists    []string
		Observed int64
		Panel    []struct {
			Method   string
			Estimate *float64
			Detail   map[string]any
		}
		Headline struct{ Verdict string }
		Seed     int64
	}
	if err := json.Unmarshal([]byte(texts[0]), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Lists) != 3 || report.Observed != 313 || len(report.Panel) != 5 || report.Headline.Verdict == "" || report.Seed != 1234 {
		t.Errorf("the report is not the table's: %+v", report)
	}
}

func TestScopeStopsWhenAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	page := filepath.Join(t.TempDir(), "page.html")
	code, out, errOut := scopeRun(ctx, "--in", scopeFile(t, twelveRows), "--html", page)
	if code != exitFailed || out != "" || !strings.Contains(errOut, "stopped; nothing was written") {
		t.Errorf("exit %d, out %q, says %q", code, out, errOut)
	}
	if _, err := os.Stat(page); !os.IsNotExist(err) {
		t.Error("a page was written")
	}
}

func TestScopePrintsThePanelForPeople(t *testing.T) {
	code, out, _ := scopeRun(context.Background(), "--in", scopeFile(t, twelveRows), "--resamples", "100", "--quiet")
	for _, must := range []string{"stepwise", "dga", "Gates", "Headline:", "A child whom no list could ever meet is not counted."} {
		if code != exitDone || !strings.Contains(out, must) {
			t.Errorf("exit %d, no %q in\n%s", code, must, out)
		}
	}
}
