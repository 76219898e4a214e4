package suppress

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"banyan/internal/disclosure/attack"
	"banyan/internal/disclosure/sharedtest"
	"banyan/internal/disclosure/table"

	"pgregory.net/rapid"
)

func read(t interface {
	Helper()
	Fatal(...any)
}, text string, multi ...string) *table.Table {
	t.Helper()
	tab, err := table.ReadCSV(strings.NewReader(text), table.Options{Multi: multi})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// drawRows invents persons with uneven codes, so that small cells are common.
func drawRows(t *rapid.T, label string, n int) []string {
	code := func(l string) string {
		return rapid.SampledFrom([]string{"1", "1", "1", "1", "2", "2", "3", "4", ""}).Draw(t, l)
	}
	var out []string
	for range n {
		out = append(out, code(label)+","+code(label)+","+code(label))
	}
	return out
}

func protectDrawn(t *rapid.T, rows []string, by [][]string, opt Options) (*Tables, *Result, *Release) {
	tab := read(t, "a,b,c\n"+strings.Join(rows, "\n")+"\n")
	x, err := Count(tab, by)
	if err != nil {
		t.Fatal(err)
	}
	res, err := x.Protect(opt)
	if err != nil {
		return x, nil, nil
	}
	dir, err := os.MkdirTemp("", "release")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if _, err := x.Write(dir); err != nil {
		t.Fatal(err)
	}
	rel, err := ReadRelease(dir)
	if err != nil {
		t.Fatal(err)
	}
	return x, res, rel
}

var families = [][][]string{{{"a", "b"}}, {{"a", "b"}, {"b", "c"}}, {{"a", "b", "c"}}, {{"a", "b"}, {"c"}}, {{"a", "b"}, {"b", "c"}, {"a", "c"}}}

func TestNoHiddenCellFollowsFromWhatIsPublished(t *testing.T) {
	protected, complementary := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t, "code", rapid.IntRange(30, 200).Draw(t, "n"))
		by := rapid.SampledFrom(families).Draw(t, "by")
		opt := Options{Threshold: rapid.IntRange(3, 11).Draw(t, "threshold")}
		x, res, rel := protectDrawn(t, rows, by, opt)
		if res == nil {
			t.Skip("too few persons to protect")
		}
		protected++
		complementary += res.Complementary
		truth := map[string]float64{}
		for i, c := range x.Cells {
			truth[x.Name(i)] = float64(c.N)
		}
		s, err := rel.Attack(math.Inf(1))
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Inconsistent) > 0 {
			t.Fatal("the published figures contradict each other")
		}
		for i, f := range rel.Figures {
			n := truth[f.Name]
			if !f.Hidden {
				if f.N != n || n < float64(opt.Threshold) {
					t.Fatalf("%q shows %g, is %g, threshold %d", f.Name, f.N, n, opt.Threshold)
				}
				continue
			}
			if r := s.Ranges[i]; r.Width() < float64(res.Protection) || n < r.Lo || n > r.Hi {
				t.Fatalf("hidden %q = %g is known to lie in [%g, %g], protection %d", f.Name, n, r.Lo, r.Hi, res.Protection)
			}
		}
		for _, f := range rel.Figures {
			delete(truth, f.Name)
		}
		if len(truth) > 0 {
			t.Fatalf("cells are missing from the files: %v", truth)
		}
	})
	if protected == 0 || complementary == 0 {
		t.Errorf("%d tables protected with %d complementary cells: nothing was tested", protected, complementary)
	}
}

// Without complementary suppression the attacker recovers hidden cells: the
// attacker of the tests above is worth something.
func TestThresholdAloneIsUndone(t *testing.T) {
	figures := []attack.Figure{{Lo: 40, Hi: 40}, {Lo: 1, Hi: math.Inf(1)}, {Lo: 37, Hi: 37}}
	s, err := attack.Solve(figures, []attack.Relation{{Parent: 0, Children: []int{1, 2}}}, math.Inf(1))
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Ranges[1]; r.Lo != 3 || r.Hi != 3 {
		t.Errorf("range %v, want exactly 3", r)
	}
}

func TestASecondReleaseDoesNotUndoTheFirst(t *testing.T) {
	done := 0
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t, "code", rapid.IntRange(60, 200).Draw(t, "n"))
		first := Options{Threshold: rapid.IntRange(3, 8).Draw(t, "threshold")}
		_, res1, rel1 := protectDrawn(t, rows, [][]string{{"a", "b"}}, first)
		if res1 == nil {
			t.Skip("too few persons")
		}
		second := first
		second.Against = []*Release{rel1}
		_, res2, rel2 := protectDrawn(t, rows, [][]string{{"b", "c"}, {"a"}}, second)
		if res2 == nil {
			t.Skip("nothing more can be released")
		}
		done++
		if res2.Against[0] != SamePersons {
			t.Fatalf("the same persons are called %s", res2.Against[0])
		}
		joint := Together(rel1, rel2)
		s, err := joint.Attack(math.Inf(1))
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range joint.Figures {
			if f.Hidden && s.Ranges[i].Width() < float64(res1.Protection) {
				t.Fatalf("%q is known to lie in %v over both releases", f.Name, s.Ranges[i])
			}
		}
	})
	if done == 0 {
		t.Error("no second release was made")
	}
}

// Three new persons between two releases of a growing register: their cell must
// not be found by taking one release from the other.
func TestADifferenceOfReleasesDoesNotShowTheNewcomers(t *testing.T) {
	var rows []string
	add := func(n int, row string) {
		for range n {
			rows = append(rows, row)
		}
	}
	add(40, "1,1,1")
	add(50, "1,2,1")
	add(60, "2,1,1")
	add(70, "2,2,1")
	publish := func(against ...*Release) (*Tables, *Result, *Release) {
		x, err := Count(read(t, "a,b,c\n"+strings.Join(rows, "\n")+"\n"), [][]string{{"a", "b"}})
		if err != nil {
			t.Fatal(err)
		}
		res, err := x.Protect(Options{Threshold: 11, Against: against})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		x.Write(dir)
		rel, err := ReadRelease(dir)
		if err != nil {
			t.Fatal(err)
		}
		return x, res, rel
	}
	_, _, first := publish()
	add(3, "1,1,1")
	add(200, "2,2,1")
	x, res, second := publish(first)
	if res.Against[0] != MorePersons {
		t.Fatalf("persons are called %s", res.Against[0])
	}
	// The attacker: figures of both, and what changed is not negative.
	var figures []attack.Figure
	var relations []attack.Relation
	at := func(f Figure) int {
		fig := attack.Figure{Lo: f.N, Hi: f.N}
		if f.Hidden {
			fig = attack.Figure{Lo: 1, Hi: math.Inf(1)}
		}
		figures = append(figures, fig)
		return len(figures) - 1
	}
	index := func(rel *Release) map[string]int {
		m, nums := map[string]int{}, make([]int, len(rel.Figures))
		for i, f := range rel.Figures {
			nums[i] = at(f)
			m[f.Name] = nums[i]
		}
		for _, r := range rel.Relations {
			j := attack.Relation{Parent: nums[r.Parent]}
			for _, c := range r.Children {
				j.Children = append(j.Children, nums[c])
			}
			relations = append(relations, j)
		}
		return m
	}
	old, now := index(first), index(second)
	change := map[string]int{}
	for name, n := range now {
		if o, ok := old[name]; ok {
			figures = append(figures, attack.Figure{Lo: 0, Hi: math.Inf(1)})
			change[name] = len(figures) - 1
			relations = append(relations, attack.Relation{Parent: n, Children: []int{o, len(figures) - 1}})
		}
	}
	s, err := attack.Solve(figures, relations, math.Inf(1))
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Ranges[change["a=1;b=1"]]; r.Width() < 9 {
		t.Errorf("the three newcomers are known to be %g to %g", r.Lo, r.Hi)
	}
	hidden := 0
	for _, c := range x.Cells {
		if c.Hidden {
			hidden++
		}
	}
	if hidden == 0 || hidden == len(x.Cells) {
		t.Errorf("%d of %d cells hidden", hidden, len(x.Cells))
	}
}

func TestWhatWasShownEarlierIsNotCalledHidden(t *testing.T) {
	rows := strings.Repeat("1,1,1\n", 30) + strings.Repeat("1,2,1\n", 5) + strings.Repeat("2,2,1\n", 40) + strings.Repeat("2,1,1\n", 40)
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "a_b.csv"), []byte("a,b,count\n1,2,5\n"), 0o600)
	rel, err := ReadRelease(dir)
	if err != nil {
		t.Fatal(err)
	}
	x, err := Count(read(t, "a,b,c\n"+rows), [][]string{{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Protect(Options{Threshold: 11, Against: []*Release{rel}}); err != nil {
		t.Fatal(err)
	}
	for i, c := range x.Cells {
		if x.Name(i) == "a=1;b=2" && c.Hidden {
			t.Error("a figure that is out already is called hidden")
		}
	}
}

func TestTablesOfMultiValuedColumnsArePerValue(t *testing.T) {
	tab := read(t, "sex,means\n"+strings.Repeat("F,x;y\n", 20)+strings.Repeat("M,y\n", 15)+strings.Repeat("F,\n", 3), "means")
	x, err := Count(tab, [][]string{{"sex", "means"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint32{}
	for i, c := range x.Cells {
		got[x.Name(i)] = c.N
	}
	for name, n := range map[string]uint32{"means:x=yes;sex=F": 20, "means:y=yes;sex=M": 15, "means:y=no;sex=F": 3, "means:y=yes": 35, "": 38} {
		if got[name] != n {
			t.Errorf("%q = %d, want %d", name, got[name], n)
		}
	}
	if _, err := x.Protect(Options{Threshold: 11}); err == nil {
		for i, c := range x.Cells {
			if c.N < 11 && !c.Hidden {
				t.Errorf("%q = %d is shown", x.Name(i), c.N)
			}
		}
	}
}

func TestCyclesOfTablesAreSeen(t *testing.T) {
	tab := read(t, "a,b,c,d\n1,1,1,1\n2,2,2,2\n")
	for _, c := range []struct {
		by   string
		want bool
	}{{"ab", false}, {"ab bc", false}, {"ab bc ca", true}, {"ab bc ca abc", false}, {"ab bc cd", false}, {"ab bc cd da", true}, {"ab cd", false}} {
		var by [][]string
		for _, s := range strings.Fields(c.by) {
			by = append(by, strings.Split(s, ""))
		}
		x, err := Count(tab, by)
		if err != nil {
			t.Fatal(err)
		}
		if x.Cyclic() != c.want {
			t.Errorf("%s: cyclic %v, want %v", c.by, x.Cyclic(), c.want)
		}
	}
}

func TestCountRefusesUnknownColumnsAndEmptyRequests(t *testing.T) {
	tab := read(t, "a,b\n1,1\n2,2\n")
	for _, c := range []struct {
		by   [][]string
		want string
	}{
		{nil, "at least one table"},
		{[][]string{{"a", "z"}}, `column "z": there is no such column`},
		{[][]string{{"a", "a"}}, "named twice"},
	} {
		if _, err := Count(tab, c.by); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.by, err)
		}
	}
}

func TestTheRealTablesWithstandTheAttack(t *testing.T) {
	tab, err := table.ReadFile(sharedtest.Need(t, sharedtest.CTDC), table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range [][][]string{{{"citizenship", "gender"}, {"CountryOfExploitation", "ageBroad"}}, {{"citizenship", "CountryOfExploitation"}}} {
		x, err := Count(tab, by)
		if err != nil {
			t.Fatal(err)
		}
		res, err := x.Protect(Options{Threshold: 11})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		x.Write(dir)
		rel, err := ReadRelease(dir)
		if err != nil {
			t.Fatal(err)
		}
		s, err := rel.Attack(float64(res.Protection))
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range rel.Figures {
			if f.Hidden && s.Ranges[i].Width() < float64(res.Protection) {
				t.Errorf("%v: %q is known to lie in %v", by, f.Name, s.Ranges[i])
			}
		}
		t.Logf("%v: %d cells, %d primary, %d complementary", by, res.Cells, res.Primary, res.Complementary)
	}
}
