package ctdc_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"banyan/content"
	"banyan/internal/exchange/ctdc"
	"banyan/internal/register"

	"github.com/ulikunitz/xz"
)

const (
	plainly = "age_broad=09--17;citizenship=KHM;country_of_exploitation=THA;duration=0--12;exploitation=forced_labour;" +
		"gender=feminine;majority_at_exploitation=minor;means_of_control=debt_bondage,threats;" +
		"recruiter_relation=ctdc.family;sector=T,ctdc.other;sex=female;year=2019"
)

func definition(t testing.TB) *register.Definition {
	t.Helper()
	d, err := register.Load(content.FS)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func row(cells map[string]string) string {
	names := strings.Split(ctdc.Header(), ",")
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = cells[name]
	}
	return strings.Join(out, ",")
}

func fullRow() string {
	return row(map[string]string{
		"yearOfRegistration": "2019", "gender": "Female", "ageBroad": "09--17", "majorityStatusAtExploit": "Minor",
		"traffickMonths": "0--12 (0-1 yr)", "citizenship": "KHM", "CountryOfExploitation": "THA",
		"meansOfControlDebtBondage": "1", "meansOfControlThreats": "1", "isForcedLabour": "1",
		"typeOfLabourDomesticWork": "1", "typeOfLabourOther": "1", "recruiterRelationFamily": "1",
	})
}

func read(t testing.TB, text []byte) (lines, raw []string, res ctdc.Result, err error) {
	t.Helper()
	res, err = ctdc.Read(context.Background(), bytes.NewReader(text), definition(t), func(values []register.Value, r string) error {
		lines, raw = append(lines, register.Pack(values)), append(raw, r)
		return nil
	}, nil)
	return lines, raw, res, err
}

func TestEveryCodeBecomesOursAndTheFilesOwnIsKept(t *testing.T) {
	lines, raw, res, err := read(t, []byte(ctdc.Header()+"\n"+fullRow()+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || lines[0] != plainly {
		t.Errorf("got %q", lines)
	}
	if raw[0] != fullRow() || res.Rows != 1 || len(res.Untaken) != 0 {
		t.Errorf("raw %q, result %+v", raw, res)
	}
}

func TestTheSameTextIsTheSameInAnyWrapping(t *testing.T) {
	text := []byte(ctdc.Header() + "\r\n" + fullRow() + "\r\n")
	var gz, x bytes.Buffer
	g := gzip.NewWriter(&gz)
	_, _ = g.Write(text)
	g.Close()
	w, err := xz.NewWriter(&x)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(text)
	w.Close()
	var digests []string
	for _, wrapped := range [][]byte{text, gz.Bytes(), x.Bytes()} {
		lines, _, res, err := read(t, wrapped)
		if err != nil || len(lines) != 1 || lines[0] != plainly {
			t.Fatalf("got %q, %v", lines, err)
		}
		digests = append(digests, res.Digest)
	}
	if digests[0] != digests[1] || digests[0] != digests[2] {
		t.Errorf("digests differ: %q", digests)
	}
	if _, _, _, err := read(t, x.Bytes()[:x.Len()-9]); err == nil {
		t.Error("a file cut short was taken")
	}
}

func TestColumnsMayStandInAnyOrderAndInQuotes(t *testing.T) {
	names, cells := strings.Split(ctdc.Header(), ","), strings.Split(fullRow(), ",")
	names[0], names[36] = names[36], names[0]
	cells[0], cells[36] = cells[36], cells[0]
	text := "\ufeff" + `"` + strings.Join(names, `","`) + "\"\n\"" + strings.Join(cells, `","`) + "\"\n"
	lines, raw, _, err := read(t, []byte(text))
	if err != nil || lines[0] != plainly || raw[0] != fullRow() {
		t.Errorf("got %q, %q, %v", lines, raw, err)
	}
}

func TestEveryFaultIsReportedWithItsLineAndWithoutItsText(t *testing.T) {
	const planted = "Plantedname"
	faulty := strings.Join([]string{
		ctdc.Header(),
		fullRow(),
		row(map[string]string{"citizenship": planted, "gender": planted}),
		row(map[string]string{"citizenship": "QQQ"}),
		row(map[string]string{"isForcedLabour": "2"}),
		row(map[string]string{"yearOfRegistration": "19999"}),
		fullRow() + ",",
		`"` + planted,
		fullRow(),
	}, "\n")
	_, _, _, err := read(t, []byte(faulty))
	var faults *ctdc.FaultsError
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want faults", err)
	}
	want := []string{
		"line 3, column gender: holds no code of the codebook",
		"line 3, column citizenship: is not a country code of three letters",
		"line 4, column citizenship: is not a code of the register's variable citizenship",
		"line 5, column isForcedLabour: is neither 1 nor empty",
		"line 6, column yearOfRegistration: is not a year",
		"line 7: has 38 fields, not 37",
		"line 8: is not valid CSV",
	}
	for i, f := range faults.Faults {
		if i >= len(want) || f.String() != want[i] {
			t.Errorf("fault %d: %s", i, f)
		}
	}
	if faults.Total != len(want) {
		t.Errorf("%d faults, want %d", faults.Total, len(want))
	}
	if strings.Contains(err.Error(), planted) {
		t.Error("the message repeats what stands in the file")
	}
}

func TestManyFaultsAreCountedAndTheFirstHundredShown(t *testing.T) {
	text := ctdc.Header() + strings.Repeat("\nx", 250)
	_, _, _, err := read(t, []byte(text))
	var faults *ctdc.FaultsError
	if !errors.As(err, &faults) || faults.Total != 250 || len(faults.Faults) != 100 || !strings.HasSuffix(err.Error(), "and 150 more") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotTheTableIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"no rows":          ctdc.Header() + "\n",
		"another table":    "name,phone\nx,y\n",
		"a column too few": strings.TrimSuffix(ctdc.Header(), ",recruiterRelationOther") + "\n",
		"one too many":     ctdc.Header() + ",name\n" + fullRow() + ",x\n",
		"a column twice":   ctdc.Header() + ",gender\n",
		"an endless line":  ctdc.Header() + "\n" + strings.Repeat("1", 1<<20),
		"an open quote":    `"` + ctdc.Header() + "\n",
		"a broken gzip":    "\x1f\x8bxxxxxxxxxxxx",
		"a broken xz":      "\xfd7zXZ\x00xxxxxxxxx",
	} {
		lines, _, _, err := read(t, []byte(text))
		if err == nil || len(lines) > 0 {
			t.Errorf("%s: got %d rows, %v", name, len(lines), err)
		}
	}
}

func TestReadingStopsWhenCalledOff(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	text := ctdc.Header() + strings.Repeat("\n"+fullRow(), 10_000)
	_, err := ctdc.Read(ctx, strings.NewReader(text), definition(t), func([]register.Value, string) error { return nil }, func(rows int64) {
		if rows == 2000 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
}

// TestTheRealFileIsTakenWhole reads all 193,025 rows of the public release.
func TestTheRealFileIsTakenWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the whole file")
	}
	file, err := os.Open(realFile())
	if err != nil {
		t.Skip("the CTDC file is not here (shared/data/ctdc): its test did not run")
	}
	defer file.Close()
	counts := map[register.Value]int{}
	began := time.Now()
	res, err := ctdc.Read(context.Background(), file, definition(t), func(values []register.Value, _ string) error {
		for _, v := range values {
			counts[v]++
		}
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows in %v", res.Rows, time.Since(began).Round(time.Millisecond))
	// Counted from the file by other means.
	want := map[register.Value]int{
		{Variable: "sex", Code: "female"}: 105_990, {Variable: "sex", Code: "male"}: 39_530,
		{Variable: "gender", Code: "non_conforming"}: 410, {Variable: "age_broad", Code: "09--17"}: 18_740,
		{Variable: "majority_at_exploitation", Code: "minor"}: 20_660, {Variable: "duration", Code: "61+"}: 2_390,
		{Variable: "citizenship", Code: "UKR"}: 18_480, {Variable: "country_of_exploitation", Code: "THA"}: 1_090,
		{Variable: "means_of_control", Code: "other"}: 12_830, {Variable: "exploitation", Code: "sexual_exploitation"}: 63_280,
		{Variable: "sector", Code: "ctdc.other"}: 11_030, {Variable: "recruiter_relation", Code: "ctdc.other"}: 18_970,
		{Variable: "year", Code: "2019"}: 27_840,
	}
	for value, n := range want {
		if counts[value] != n {
			t.Errorf("%v: %d, want %d", value, counts[value], n)
		}
	}
	if res.Rows != 193_025 || len(res.Untaken) != 0 {
		t.Errorf("got %d rows, untaken %v", res.Rows, res.Untaken)
	}
}

// FuzzRead holds that no input makes the reader panic, take a row that is no
// row of codes, or repeat a cell in a message.
func FuzzRead(f *testing.F) {
	f.Add([]byte(ctdc.Header() + "\n" + fullRow()))
	f.Add([]byte(ctdc.Header() + "\n\"a\nb\",,\n"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Add([]byte("\xfd7zXZ\x00\x00\x04"))
	def := definition(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = ctdc.Read(context.Background(), bytes.NewReader(text), def, func(values []register.Value, raw string) error {
			if _, err := register.Unpack(register.Pack(values)); err != nil {
				t.Errorf("a row cannot be packed: %v", err)
			}
			if strings.Count(raw, ",") != 36 || strings.ContainsAny(raw, "\n\r\"") {
				t.Errorf("raw line %q", raw)
			}
			for _, v := range values {
				if d, ok := def.Variable(v.Variable); !ok || !d.Allows(v.Code) && !strings.HasPrefix(v.Code, "ctdc.") {
					t.Errorf("took %v", v)
				}
			}
			return nil
		}, nil)
	})
}

func realFile() string {
	root := os.Getenv("BANYAN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared")
	}
	return filepath.Join(root, "data", "ctdc", "ctdc_global_synthetic_2021.csv.xz")
}

func ExampleHeader() {
	fmt.Println(strings.Count(ctdc.Header(), ",") + 1)
	// Output: 37
}
