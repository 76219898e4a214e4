package screening_test

// What the loader refuses, each with its place in the file.

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"banyan/content"
	"banyan/internal/screening"
)

const shipped = "instruments/ilo_ec_delphi_2009.yaml"

func shippedText(t testing.TB) string {
	t.Helper()
	data, err := fs.ReadFile(content.FS, shipped)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFaultsAreNamedByFileLineAndField(t *testing.T) {
	for _, c := range []struct{ about, old, new, want string }{
		{"a weight that does not exist", "{code: D1.job, adult: S, child: S}", "{code: D1.job, adult: X, child: S}", "dimensions[0].indicators[0].adult: weight \"X\" is none of S, M, W"},
		{"an indicator twice", "{code: D1.wages, adult: M, child: M}", "{code: D1.job, adult: M, child: M}", "indicator \"D1.job\" appears twice"},
		{"an indicator without weights", "{code: D1.job, adult: S, child: S}", "{code: D1.job}", "D1.job has a weight in no profile"},
		{"a word nobody knows", "confidence: K", "confidence: K\ncertainty: high", "unknown key \"certainty\""},
		{"a mark of being unverified taken away", "status: unverified\n", "", "status: what is not verified (V) carries a status"},
		{"a rule without its source", "    source: domain research draft, interim rule\n", "", "source is missing"},
		{"a rule for a dimension that does not exist", "needs: [[D4], [D5]]", "needs: [[D4], [D9]]", "there is no dimension \"D9\""},
		{"a rule to a class that does not exist", "class: forced_labour_indicated", "class: nothing_found", "there is no class \"nothing_found\""},
		{"a threshold of nothing", "{strong: 2}", "{strong: 0}", "asks for nothing"},
		{"a share above everything", "more_than_percent: 30", "more_than_percent: 130", "must be a number from 0 to 100"},
		{"coercion that would make a result lighter", "class: forced_labour_indicated", "class: subthreshold_signs", "a further yes leads to a lighter class"},
		{"a child for whom a sign changes nothing", "class: child_protection_check", "class: no_indication", "a further yes leads to a lighter class"},
		{"not knowing that would make a result lighter", "from: [no_indication]", "from: [no_indication, specialist_interview]", "not knowing would make a result lighter"},
		{"a combination without a rule", "  - id: no_sign\n    class: no_indication\n    text: No answer is a sign.\n    source: domain research draft, classification rules\n", "", "no rule fits"},
		{"a profile without scoring and without a rule", "  - id: adult_sexual\n    for: adult\n    scored: false", "  - id: adult_sexual\n    for: adult\n    scored: true", "no rule fits a profile that is not scored"},
		{"a brief question turned around that is not asked", "reversed: [S1.freedom]", "reversed: [S1.fredom]", "there is no question \"S1.fredom\""},
		{"a brief sign of a child that changes nothing", "brief: true\n    class: child_protection_check", "brief: true\n    class: no_indication", "a further yes leads to a lighter class"},
		{"an anchor", "title: ILO", "title: &a ILO", "anchors and aliases are not allowed"},
		{"no YAML", "title: ILO", "title: [ILO", "not readable as YAML"},
	} {
		text := shippedText(t)
		if !strings.Contains(text, c.old) {
			t.Errorf("%s: the instrument has no %q", c.about, c.old)
			continue
		}
		in, faults := screening.Parse(shipped, []byte(strings.Replace(text, c.old, c.new, 1)))
		if in != nil || len(faults) == 0 {
			t.Errorf("%s: taken", c.about)
			continue
		}
		if got := faults[0].String(); !strings.Contains(got, c.want) || !strings.HasPrefix(got, shipped) {
			t.Errorf("%s: %s, want %s", c.about, got, c.want)
		}
	}
}

func TestFaultsBetweenFiles(t *testing.T) {
	text := shippedText(t)
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for _, c := range []struct {
		about string
		files fstest.MapFS
		want  string
	}{
		{"two of one name", fstest.MapFS{"instruments/a.yaml": file(text), "instruments/b.yaml": file(text)}, "has the name"},
		{"two in force", fstest.MapFS{"instruments/a.yaml": file(text), "instruments/b.yaml": file(strings.Replace(text, "instrument: ilo-ec-delphi-2009", "instrument: other", 1))}, "is in force already"},
		{"none in force", fstest.MapFS{"instruments/a.yaml": file(strings.Replace(text, "\nin_force: true", "\nin_force: false", 1))}, "no instrument is in force"},
		{"words for a class that is gone", fstest.MapFS{"instruments/a.yaml": file(text), "labels/vi.yaml": file("instruments: {ilo-ec-delphi-2009: {classes: {gone: {label: x}}}}")}, "labels/vi.yaml: instruments.ilo-ec-delphi-2009.classes.gone"},
		{"words for another instrument", fstest.MapFS{"instruments/a.yaml": file(text), "labels/vi.yaml": file("instruments: {other: {title: x}}")}, "there is no such instrument"},
	} {
		_, faults := screening.Load(c.files)
		if len(faults) == 0 || !strings.Contains(faults[0].String(), c.want) {
			t.Errorf("%s: %v, want %s", c.about, faults, c.want)
		}
	}
	set, faults := screening.Load(fstest.MapFS{})
	if len(faults) > 0 || set.InForce() != nil || set.For("ilo-ec-delphi-2009") != nil {
		t.Errorf("a folder without instruments: %v", faults)
	}
}

func TestInstrumentsAreHeldAgainstTheForm(t *testing.T) {
	set, _ := screening.Load(content.FS)
	in := set.InForce()
	with := func(indicators []string) func(string) []string {
		return func(list string) []string {
			if list == in.Brief.List {
				return in.Brief.Questions
			}
			return indicators
		}
	}
	codes := with(in.Codes())
	if faults := set.Check(codes, []string{"adult_labour"}); len(faults) > 0 {
		t.Errorf("faults where there are none: %v", faults)
	}
	for about, faults := range map[string][]screening.Fault{
		"no such list":        set.Check(with(nil), nil),
		"a question too many": set.Check(with(append(in.Codes(), "D9.new")), nil),
		"a question too few":  set.Check(with(in.Codes()[1:]), nil),
		"a brief question too few": set.Check(func(list string) []string {
			if list == in.Brief.List {
				return in.Brief.Questions[1:]
			}
			return in.Codes()
		}, nil),
		"a profile of nowhere": set.Check(codes, []string{"adult_begging"}),
	} {
		if len(faults) != 1 || faults[0].File != shipped || faults[0].Field == "" {
			t.Errorf("%s: %v", about, faults)
		}
	}
}

// FuzzParse: no text makes the loader fall over, and what it takes evaluates.
func FuzzParse(f *testing.F) {
	f.Add([]byte(shippedText(f)))
	f.Add([]byte("instrument: a\nrules: [{needs: [[x]]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, faults := screening.Parse("x.yaml", data)
		if (in == nil) == (len(faults) == 0) {
			t.Fatalf("instrument %v, faults %v", in != nil, faults)
		}
		if in != nil && in.Evaluate(screening.Input{Profile: "adult_labour"}).Class == "" {
			t.Fatal("no class")
		}
	})
}
