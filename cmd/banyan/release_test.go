// Tests of banyan release as a command: exit codes, nothing left behind, and the
// ledger's word on the last.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"banyan/internal/disclosure/report"
)

// release runs the command and gives its exit code and what it printed.
func release(args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = dispatch(context.Background(), append([]string{"release"}, args...), &o, &e)
	return code, o.String(), e.String()
}

const testProgramme = `population: p
columns:
  sex: {codes: [F, M]}
  age: {codes: [child, adult]}
tables:
  - by: [sex, age]
`

// testRegister is a small register of 240 persons.
func testRegister() string {
	var b strings.Builder
	b.WriteString("sex,age,place\n")
	for i := range 240 {
		fmt.Fprintf(&b, "%s,%s,%s\n", []string{"F", "M", "F"}[i%3], []string{"child", "adult"}[i/3%2], []string{"N", "S", "W", "N", "N", ""}[i%6])
	}
	return b.String()
}

// folder is a fresh folder with inputs; it can tell what else came to be there.
type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T, files map[string]string) folder {
	f := folder{t, t.TempDir()}
	for name, text := range files {
		if err := os.WriteFile(f.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) names() string {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestReleaseRefusesBadInputAndLeavesNothing(t *testing.T) {
	var wide []string
	for i := range 5000 {
		wide = append(wide, fmt.Sprint("c", i))
	}
	head := strings.Join(wide, ",")
	row := strings.Repeat(",", 4999)
	var ids strings.Builder
	ids.WriteString("sex,id\n")
	for i := range 50 {
		fmt.Fprintf(&ids, "F,person%d\n", i)
	}
	inputs := []struct{ name, text, want string }{
		{"duplicate columns", "sex,age,sex\nF,child,F\nM,adult,M\n", `column "sex": the column appears twice`},
		{"ragged rows", "sex,age\nF,child\nM\n", "line 3"},
		{"no rows", "sex,age\n", "no rows"},
		{"one row", "sex,age\nF,child\n", "one row"},
		{"5,000 columns", head + "\n" + row + "\n" + row + "\n", "5000 columns"},
		{"a value per row", ids.String(), `column "id": looks like an identifier`},
		{"invalid UTF-8", "sex,age\nF,child\nM,\xff\xfe\n", `line 3, column "age"`},
	}
	for _, in := range inputs {
		f := newFolder(t, map[string]string{"in.csv": in.text, "program.yaml": testProgramme})
		before := f.names()
		for _, args := range [][]string{
			{"aggregates", "--in", f.path("in.csv"), "--out", f.path("out")},
			{"tables", "--in", f.path("in.csv"), "--by", "sex,age", "--out", f.path("out")},
			{"synth", "--in", f.path("in.csv"), "--k", "10", "--out", f.path("out")},
			{"synth", "--in", f.path("in.csv"), "--epsilon", "1", "--delta", "1e-6", "--ledger", f.path("ledger"), "--out", f.path("out")},
			{"dp", "--in", f.path("in.csv"), "--program", f.path("program.yaml"), "--epsilon", "1", "--delta", "1e-6", "--ledger", f.path("ledger"), "--out", f.path("out")},
			{"evaluate", "--sensitive", f.path("in.csv"), "--synthetic", f.path("in.csv")},
		} {
			code, out, errOut := release(args...)
			if code != exitMisused || !strings.Contains(errOut, in.want) || out != "" {
				t.Errorf("%s, %s: exit %d, %q, want %d with %q", in.name, args[0], code, errOut, exitMisused, in.want)
			}
			if after := f.names(); after != before {
				t.Errorf("%s, %s: left behind %q", in.name, args[0], after)
			}
		}
	}
}

func TestReleaseRefusesWrongFlagsAndLeavesNothing(t *testing.T) {
	f := newFolder(t, map[string]string{"in.csv": testRegister(), "program.yaml": testProgramme, "unknown.yaml": strings.Replace(testProgramme, "[F, M]", "[F]", 1), "other.yaml": strings.ReplaceAll(testProgramme, "age", "agee")})
	in, to, prog, led := f.path("in.csv"), f.path("out"), f.path("program.yaml"), f.path("ledger")
	before := f.names()
	for _, c := range []struct {
		want string
		args []string
	}{
		{"there is no verb", []string{"publish"}},
		{"not defined", []string{"tables", "--inn", in}},
		{"is not a flag", []string{"tables", in}},
		{"--in", []string{"aggregates", "--out", to}},
		{"cannot open", []string{"aggregates", "--in", f.path("none.csv"), "--out", to}},
		{"--out", []string{"aggregates", "--in", in}},
		{"hides nobody", []string{"aggregates", "--in", in, "--k", "1", "--out", to}},
		{"1 to 4 attributes", []string{"aggregates", "--in", in, "--length", "9", "--out", to}},
		{`column "colour": there is no such column`, []string{"tables", "--in", in, "--by", "sex,colour", "--out", to}},
		{"--by", []string{"tables", "--in", in, "--out", to}},
		{"hides nobody", []string{"tables", "--in", in, "--by", "sex", "--threshold", "0", "--out", to}},
		{"a base from 2", []string{"tables", "--in", in, "--by", "sex", "--round", "1", "--out", to}},
		{"choose one method", []string{"tables", "--in", in, "--by", "sex", "--round", "11", "--threshold", "5", "--out", to}},
		{"narrows what the one before left open", []string{"tables", "--in", in, "--by", "sex", "--round", "11", "--against", to, "--out", to}},
		{`column "colour": there is no such column`, []string{"tables", "--in", in, "--by", "sex", "--group", "colour", "--out", to}},
		{"there is no such column", []string{"tables", "--in", in, "--by", "place", "--group", "place", "--out", to}},
		{"may fill a cell", []string{"tables", "--in", in, "--by", "sex", "--group", "place", "--round", "11", "--out", to}},
		{"name two columns", []string{"synth", "--in", in, "--k", "5", "--utility-by", "sex", "--out", to}},
		{`column "colour"`, []string{"synth", "--in", in, "--k", "5", "--utility-by", "sex,colour", "--out", to}},
		{`column "colour"`, []string{"synth", "--in", in, "--epsilon", "1", "--delta", "1e-6", "--ledger", led, "--utility-by", "sex,colour", "--out", to}},
		{"cannot be an attribute", []string{"synth", "--in", in, "--k", "5", "--group", "place", "--multi", "place", "--out", to}},
		{"holds no tables", []string{"tables", "--in", in, "--by", "sex", "--against", f.path("none"), "--out", to}},
		{`column "colour"`, []string{"synth", "--in", in, "--multi", "colour", "--out", to}},
		{"epsilon must be a positive number", []string{"dp", "--in", in, "--program", prog, "--epsilon", "0", "--delta", "1e-6", "--ledger", led, "--out", to}},
		{"epsilon must be a positive number", []string{"dp", "--in", in, "--program", prog, "--epsilon", "-1", "--delta", "1e-6", "--ledger", led, "--out", to}},
		{"epsilon must be a positive number", []string{"synth", "--in", in, "--epsilon", "-1", "--delta", "1e-6", "--ledger", led, "--out", to}},
		{"delta must be", []string{"dp", "--in", in, "--program", prog, "--epsilon", "1", "--ledger", led, "--out", to}},
		{"--ledger", []string{"dp", "--in", in, "--program", prog, "--epsilon", "1", "--delta", "1e-6", "--out", to}},
		{"--program", []string{"dp", "--in", in, "--epsilon", "1", "--delta", "1e-6", "--ledger", led, "--out", to}},
		{`value "M" is not in the programme's code list`, []string{"dp", "--in", in, "--program", f.path("unknown.yaml"), "--epsilon", "1", "--delta", "1e-6", "--ledger", led, "--out", to}},
		{`column "agee"`, []string{"dp", "--in", in, "--program", f.path("other.yaml"), "--epsilon", "1", "--delta", "1e-6", "--ledger", led, "--out", to}},
		{"needs --group-cap", []string{"dp", "--in", in, "--program", prog, "--epsilon", "1", "--delta", "1e-6", "--ledger", led, "--group", "place", "--out", to}},
		{"--group-cap without --group", []string{"dp", "--in", in, "--program", prog, "--epsilon", "1", "--delta", "1e-6", "--ledger", led, "--group-cap", "3", "--out", to}},
		{"use 2 or more", []string{"synth", "--in", in, "--epsilon", "1", "--delta", "1e-6", "--ledger", led, "--group", "place", "--group-cap", "1", "--out", to}},
		{"the programme cannot count it", []string{"dp", "--in", in, "--program", prog, "--epsilon", "1", "--delta", "1e-6", "--ledger", led, "--group", "age", "--group-cap", "3", "--out", to}},
		{"--group-cap is for noise", []string{"synth", "--in", in, "--k", "10", "--group", "place", "--group-cap", "3", "--out", to}},
		{"two methods", []string{"synth", "--in", in, "--k", "10", "--epsilon", "1", "--delta", "1e-6", "--ledger", led, "--out", to}},
		{"--published", []string{"attack"}},
		{"lowest..highest", []string{"attack", "--published", in, "--value", "age", "--total", "sex=all", "--hidden", "<5"}},
	} {
		code, _, errOut := release(c.args...)
		if code != exitMisused || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: exit %d, %q, want %q", c.args, code, errOut, c.want)
		}
		if after := f.names(); after != before {
			t.Fatalf("%v: left behind %q", c.args, after)
		}
	}
}

func TestReleaseIsNeverOverwritten(t *testing.T) {
	f := newFolder(t, map[string]string{"in.csv": testRegister(), "out": "an earlier release"})
	for _, verb := range []string{"aggregates", "synth"} {
		code, _, errOut := release(verb, "--in", f.path("in.csv"), "--out", f.path("out"))
		if b, _ := os.ReadFile(f.path("out")); code != exitMisused || string(b) != "an earlier release" {
			t.Errorf("%s: exit %d, %q; the file is now %q", verb, code, errOut, b)
		}
	}
}

func readReport(t *testing.T, dir string) report.Report {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil || !bytes.Contains(page, []byte("Not for publication")) || bytes.Contains(page, []byte("http://")) || bytes.Contains(page, []byte("https://")) || bytes.Contains(page, []byte("<script")) {
		t.Errorf("the page is missing, unmarked, or reaches out of itself: %v", err)
	}
	return r
}

func TestEveryVerbWritesItsReleaseWithItsReport(t *testing.T) {
	f := newFolder(t, map[string]string{"in.csv": testRegister(), "program.yaml": testProgramme})
	in := f.path("in.csv")
	for _, c := range []struct {
		out, file string
		args      []string
	}{
		{"t", "tables/sex_age.csv", []string{"tables", "--by", "sex,age", "--by", "place"}},
		{"r", "tables/sex_age.csv", []string{"tables", "--by", "sex,age", "--by", "place", "--round", "11"}},
		{"k", "synthetic.csv", []string{"synth", "--k", "5", "--utility-by", "place,sex"}},
		{"d", "tables/sex_age.csv", []string{"dp", "--program", f.path("program.yaml"), "--epsilon", "1", "--delta", "1e-6", "--ledger", f.path("ledger1")}},
		{"s", "synthetic.csv", []string{"synth", "--program", f.path("program.yaml"), "--epsilon", "4", "--delta", "1e-6", "--ledger", f.path("ledger2")}},
		{"u", "synthetic.csv", []string{"synth", "--epsilon", "8", "--delta", "1e-6", "--ledger", f.path("ledger3")}},
	} {
		code, _, errOut := release(append(c.args, "--in", in, "--out", f.path(c.out))...)
		if code != exitDone {
			t.Errorf("%v: exit %d: %s", c.args, code, errOut)
			continue
		}
		if _, err := os.Stat(filepath.Join(f.path(c.out), c.file)); err != nil {
			t.Error(err)
		}
		r := readReport(t, f.path(c.out))
		private := c.out == "d" || c.out == "s" || c.out == "u"
		if r.Method == "" || len(r.Promise) == 0 || len(r.NoPromise) == 0 || r.Leaks() != 0 || r.Population.Rows != 240 || (r.Privacy != nil) != private {
			t.Errorf("%v: report %+v", c.args, r)
		}
		for _, kind := range []string{"membership inference", "attribute inference", "appear", "vanish"} {
			found := false
			for _, a := range r.Attacks {
				found = found || strings.Contains(a.Kind, kind)
			}
			if !found {
				t.Errorf("%v: no attack of the kind %q in %+v", c.args, kind, r.Attacks)
			}
		}
		for _, a := range r.Attacks {
			if strings.Contains(a.Kind, "membership") && (a.Tried == 0 || a.Value <= 0 || a.Value > 1 || (a.Bound > 0) != private) {
				t.Errorf("%v: %+v", c.args, a)
			}
		}
		if c.out == "k" {
			page, _ := os.ReadFile(filepath.Join(f.path("k"), "report.html"))
			if by := r.Evaluation.ByTwo; by == nil || by.Frequent == 0 || len(by.Groups) < by.Frequent || !bytes.Contains(page, []byte("By place and sex")) {
				t.Errorf("utility by two columns: %+v", by)
			}
		}
		if private && (r.Noise != "secure" || r.Privacy.Rho <= 0 || r.Privacy.SpentEpsilon > r.Privacy.Epsilon*1.0001) {
			t.Errorf("%v: noise %q, privacy %+v", c.args, r.Noise, r.Privacy)
		}
	}
	if strings.Contains(f.names(), ".release-") {
		t.Errorf("temporary folders stay: %s", f.names())
	}
	code, out, errOut := release("attack", "--release", f.path("t"))
	if code != exitDone || !strings.Contains(out, "recovered exactly 0") {
		t.Errorf("attack: exit %d, %q %q", code, out, errOut)
	}
	code, out, _ = release("evaluate", "--sensitive", in, "--synthetic", filepath.Join(f.path("k"), "synthetic.csv"), "--k", "5", "--json")
	if code != exitDone || !strings.Contains(out, `"rows_out": 240`) || !strings.Contains(out, `"leaked_combinations": 0`) {
		t.Errorf("evaluate: exit %d, %s", code, out)
	}
}

func TestAReleaseBeyondTheLedgerIsRefused(t *testing.T) {
	f := newFolder(t, map[string]string{"in.csv": testRegister(), "program.yaml": testProgramme})
	run := func(out string, more ...string) (int, string) {
		code, _, errOut := release(append([]string{"dp", "--in", f.path("in.csv"), "--program", f.path("program.yaml"), "--delta", "1e-6", "--ledger", f.path("ledger"), "--out", f.path(out)}, more...)...)
		return code, errOut
	}
	if code, errOut := run("first", "--epsilon", "1", "--budget", "2"); code != exitDone {
		t.Fatal(errOut)
	}
	if code, errOut := run("second", "--epsilon", "1"); code != exitDone {
		t.Fatal(errOut)
	}
	ledger, _ := os.ReadFile(f.path("ledger"))
	for _, args := range [][]string{{"--epsilon", "2"}, {"--epsilon", "2", "--budget", "20"}} {
		code, errOut := run("third", args...)
		if code != exitFailed || !strings.Contains(errOut, "overdrawn") {
			t.Errorf("%v: exit %d, %s", args, code, errOut)
		}
	}
	if after, _ := os.ReadFile(f.path("ledger")); !bytes.Equal(after, ledger) || strings.Contains(f.names(), "third") {
		t.Errorf("a refused release leaves traces: %s", f.names())
	}
	// Records are about the same people and spend the same budget.
	code, _, errOut := release("synth", "--in", f.path("in.csv"), "--program", f.path("program.yaml"), "--epsilon", "2", "--delta", "1e-6", "--ledger", f.path("ledger"), "--out", f.path("records"))
	if code != exitFailed || !strings.Contains(errOut, "overdrawn") {
		t.Errorf("records: exit %d, %s", code, errOut)
	}
}

func TestSeededNoiseIsMarkedAsNotPrivate(t *testing.T) {
	f := newFolder(t, map[string]string{"in.csv": testRegister(), "program.yaml": testProgramme})
	var files []string
	for _, out := range []string{"a", "b"} {
		code, _, errOut := release("dp", "--in", f.path("in.csv"), "--program", f.path("program.yaml"), "--epsilon", "1", "--delta", "1e-6", "--ledger", f.path("ledger-"+out), "--insecure-seed", "7", "--out", f.path(out))
		if code != exitDone {
			t.Fatal(errOut)
		}
		r := readReport(t, f.path(out))
		if !strings.Contains(r.Noise, "NOT PRIVATE") || !strings.Contains(r.Promise[0], "NONE") {
			t.Errorf("noise %q, promise %q", r.Noise, r.Promise)
		}
		b, _ := os.ReadFile(filepath.Join(f.path(out), "tables", "sex_age.csv"))
		files = append(files, string(b))
	}
	if files[0] != files[1] {
		t.Error("the same seed gives other tables")
	}
}

func TestAReleaseSaysWhatDifferencingAgainstAnEarlierOneFinds(t *testing.T) {
	grown := testRegister() + strings.Repeat("F,child,N\nM,adult,S\n", 30)
	f := newFolder(t, map[string]string{"in.csv": testRegister(), "grown.csv": grown})
	for _, args := range [][]string{{"--in", f.path("in.csv"), "--out", f.path("a")}, {"--in", f.path("grown.csv"), "--against", f.path("a"), "--out", f.path("b")}} {
		if code, _, errOut := release(append([]string{"tables", "--by", "sex,age"}, args...)...); code != exitDone {
			t.Fatal(errOut)
		}
	}
	for _, a := range readReport(t, f.path("b")).Attacks {
		if strings.Contains(a.Kind, "differencing") {
			if a.Tried == 0 || a.Found != 0 || !strings.Contains(a.Detail, "grown") {
				t.Errorf("%+v", a)
			}
			return
		}
	}
	t.Error("the report does not speak of the earlier release")
}

func TestTheCaseGroupIsNeverReleased(t *testing.T) {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(testRegister()), "\n") {
		if i == 0 {
			b.WriteString(line + ",case\n")
			continue
		}
		fmt.Fprintf(&b, "%s,secret-case-%d\n", line, i/3)
	}
	f := newFolder(t, map[string]string{"in.csv": b.String()})
	for out, args := range map[string][]string{"t": {"tables", "--by", "sex,age", "--by", "place"}, "k": {"synth", "--k", "5"}} {
		if code, _, errOut := release(append(args, "--in", f.path("in.csv"), "--group", "case", "--out", f.path(out))...); code != exitDone {
			t.Fatal(errOut)
		}
		tried := false
		for _, a := range readReport(t, f.path(out)).Attacks {
			tried = tried || strings.Contains(a.Kind, "of one case group") && a.Tried > 0 && a.Found == 0
		}
		if !tried {
			t.Errorf("%s: the report does not speak of case groups", out)
		}
		err := filepath.WalkDir(f.path(out), func(p string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(p)
			if bytes.Contains(text, []byte("secret-case")) {
				t.Errorf("%s tells the case group", p)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// casesRegister is testRegister with a column of cases of three, and one of thirty
// persons.
func casesRegister() string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(testRegister()), "\n") {
		switch {
		case i == 0:
			b.WriteString(line + ",case\n")
		case i <= 30:
			b.WriteString(line + ",secret-case-large\n")
		default:
			fmt.Fprintf(&b, "%s,secret-case-%d\n", line, i/3)
		}
	}
	return b.String()
}

func TestNoiseHidesWholeCasesUnderADeclaredCap(t *testing.T) {
	f := newFolder(t, map[string]string{"in.csv": casesRegister(), "program.yaml": testProgramme})
	private := []string{"--in", f.path("in.csv"), "--epsilon", "4", "--delta", "1e-6", "--group", "case", "--group-cap", "3"}
	for out, args := range map[string][]string{
		"d": {"dp", "--program", f.path("program.yaml")},
		"s": {"synth", "--program", f.path("program.yaml")},
		"u": {"synth"},
	} {
		args = append(append(args, private...), "--ledger", f.path("ledger-"+out), "--out", f.path(out))
		if out == "u" { // codes found by a threshold: none passes at this size and epsilon
			args = append(args, "--epsilon", "20")
		}
		code, _, errOut := release(args...)
		if code != exitDone {
			t.Fatalf("%s: exit %d: %s", out, code, errOut)
		}
		r := readReport(t, f.path(out))
		if p := r.Privacy; p == nil || p.Unit != "group" || p.GroupCap != 3 || !strings.Contains(p.Neighbours, "case group") || p.SpentEpsilon > p.Epsilon*1.0001 {
			t.Errorf("%s: privacy %+v", out, r.Privacy)
		}
		if r.Parameters["persons_left_out_by_the_cap"] != 27.0 || r.Population.Rows != 240 || r.Leaks() != 0 {
			t.Errorf("%s: parameters %v, %d rows, %d leaks", out, r.Parameters, r.Population.Rows, r.Leaks())
		}
		if strings.Contains(errOut, " 27 persons") || !strings.Contains(errOut, "at most 3 persons") {
			t.Errorf("%s: what is said about the cap: %s", out, errOut)
		}
		if !strings.Contains(r.Promise[0], "whole case group") || !strings.Contains(r.Promise[1], "whole case groups") {
			t.Errorf("%s: promises %q", out, r.Promise)
		}
		attacked := false
		for _, a := range r.Attacks {
			attacked = attacked || strings.Contains(a.Detail, "whole case groups chosen") && a.Tried >= attackFewer && a.Bound > 0
		}
		if !attacked {
			t.Errorf("%s: no attack on whole case groups in %+v", out, r.Attacks)
		}
		ledger, err := os.ReadFile(f.path("ledger-" + out))
		if err != nil || strings.Count(string(ledger), `"unit":"group","group":"case","group_cap":3`) != 2 {
			t.Errorf("%s: the ledger does not say whom it protects: %s", out, ledger)
		}
		err = filepath.WalkDir(f.path(out), func(p string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(p)
			if bytes.Contains(text, []byte("secret-case")) || filepath.Ext(p) == ".csv" && bytes.Contains(text, []byte("case")) {
				t.Errorf("%s tells the case group", p)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestABudgetAboutCasesRefusesReleasesAboutPersons(t *testing.T) {
	f := newFolder(t, map[string]string{"in.csv": casesRegister(), "program.yaml": testProgramme})
	run := func(out, ledger string, more ...string) (int, string) {
		code, _, errOut := release(append([]string{"dp", "--in", f.path("in.csv"), "--program", f.path("program.yaml"), "--epsilon", "1", "--delta", "1e-6", "--ledger", f.path(ledger), "--budget", "4", "--out", f.path(out)}, more...)...)
		return code, errOut
	}
	if code, errOut := run("a", "cases", "--group", "case", "--group-cap", "3"); code != exitDone {
		t.Fatal(errOut)
	}
	before, _ := os.ReadFile(f.path("cases"))
	if code, errOut := run("b", "cases"); code != exitFailed || !strings.Contains(errOut, "whole case groups") {
		t.Errorf("persons in a budget about cases: exit %d, %s", code, errOut)
	}
	if code, errOut := run("b", "cases", "--group", "place", "--group-cap", "3"); code == exitDone {
		t.Errorf("another column: exit %d, %s", code, errOut)
	}
	if after, _ := os.ReadFile(f.path("cases")); !bytes.Equal(before, after) || strings.Contains(f.names(), "b/") {
		t.Errorf("a refused release leaves traces: %s", f.names())
	}
	// The other way round it counts: whoever hides the case hides the person.
	if code, errOut := run("c", "persons"); code != exitDone {
		t.Fatal(errOut)
	}
	if code, errOut := run("d", "persons", "--group", "case", "--group-cap", "3"); code != exitDone {
		t.Fatal(errOut)
	}
	if r := readReport(t, f.path("d")); r.Privacy.Unit != "group" || !strings.Contains(r.Promise[1], "for persons") || r.Privacy.SpentEpsilon < 1.2 {
		t.Errorf("promise %q, privacy %+v", r.Promise, r.Privacy)
	}
}
