package table

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/ulikunitz/xz"
	"pgregory.net/rapid"
)

const small = "sex,age,means\nF,0-17,Debt;Threats\nM,,\nF,18+,Threats\n"

func read(t *testing.T, text string, opt Options) *Table {
	t.Helper()
	tab, err := ReadCSV(strings.NewReader(text), opt)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestReaderCodesRowsInColumnOrder(t *testing.T) {
	tab := read(t, small, Options{Multi: []string{"means"}})
	var got []string
	for i := range tab.Rows() {
		for _, a := range tab.Row(i) {
			got = append(got, tab.Label(a))
		}
		got = append(got, "|")
	}
	want := "sex:F age:0-17 means:Debt means:Threats | sex:M | sex:F age:18+ means:Threats |"
	if strings.Join(got, " ") != want {
		t.Errorf("rows are %v, want %s", got, want)
	}
}

func TestReaderTakesPackedFiles(t *testing.T) {
	dir := t.TempDir()
	pack := func(name string, wrap func(io.Writer) (io.WriteCloser, error)) string {
		var b bytes.Buffer
		w, err := wrap(&b)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, small)
		w.Close()
		path := filepath.Join(dir, name)
		os.WriteFile(path, b.Bytes(), 0o600)
		return path
	}
	type person struct {
		Sex   *string  `parquet:"sex,optional"`
		Age   *string  `parquet:"age,optional"`
		Means []string `parquet:"means,list"`
	}
	s := func(x string) *string { return &x }
	pq := filepath.Join(dir, "x.parquet")
	if err := parquet.WriteFile(pq, []person{{s("F"), s("0-17"), []string{"Debt", "Threats"}}, {s("M"), nil, nil}, {s("F"), s("18+"), []string{"Threats"}}}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		pack("x.csv.gz", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		pack("x.csv.xz", func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }),
		pq,
	} {
		tab, err := ReadFile(path, Options{Multi: []string{"means"}})
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
			continue
		}
		var b bytes.Buffer
		tab.WriteCSV(&b)
		if b.String() != small {
			t.Errorf("%s reads as %q", filepath.Base(path), b.String())
		}
	}
}

func TestReaderRefusesBadInputWithLineAndColumn(t *testing.T) {
	wide := strings.TrimSuffix(strings.Repeat("x,", 5000), ",")
	var wideHead []string
	for i := range 5000 {
		wideHead = append(wideHead, fmt.Sprint("c", i))
	}
	ids := "id,sex\n"
	for i := range 12 {
		ids += fmt.Sprintf("p%d,F\n", i)
	}
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", "header row is needed"},
		{"duplicate column", "sex,age,sex\nF,1,F\nM,2,M\n", `line 1, column "sex": the column appears twice`},
		{"ragged row", "a,b\n1,2\n1\n", "line 3: 1 fields where the header has 2"},
		{"long row", "a,b\n1,2\n1,2,3\n", "line 3: 3 fields where the header has 2"},
		{"no rows", "a,b\n", "no rows"},
		{"one row", "a,b\n1,2\n", "one row"},
		{"5,000 columns", strings.Join(wideHead, ",") + "\n" + wide + "\n" + wide + "\n", "5000 columns"},
		{"a value per row", ids, `column "id": looks like an identifier`},
		{"invalid UTF-8", "a,b\n1,2\n1,\xff\n", `line 3, column "b": a value is not valid UTF-8`},
		{"invalid UTF-8 in the header", "a,\xff\n1,2\n1,2\n", "line 1: the name of column 2 is not valid UTF-8"},
		{"nameless column", "a,\n1,2\n1,2\n", "line 1: column 2 has no name"},
		{"open quote", "a,b\n1,\"2\n1,2\n", "line"},
		{"undeclared list", "a,b\n1,x;y\n1,x\n", `line 2, column "b": a value holds ';'`},
		{"story", "a,b\n1," + strings.Repeat("x", 2000) + "\n1,2\n", `line 2, column "b": a value of 2000 bytes`},
		{"NUL", "a,b\n1,\x00\n1,2\n", `line 2, column "b"`},
	} {
		_, err := ReadCSV(strings.NewReader(c.in), Options{})
		var bad *InputError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want an InputError with %q", c.name, err, c.want)
		}
	}
	if _, err := ReadCSV(strings.NewReader(small), Options{Multi: []string{"means", "maens"}}); err == nil || !strings.Contains(err.Error(), `column "maens": there is no such column`) {
		t.Errorf("unknown column: %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.csv"), Options{}); err == nil {
		t.Error("a missing file is read")
	}
	bad := filepath.Join(t.TempDir(), "x.parquet")
	os.WriteFile(bad, []byte("PAR1 nonsense PAR1"), 0o600)
	var input *InputError
	if _, err := ReadFile(bad, Options{}); !errors.As(err, &input) {
		t.Errorf("damaged Parquet: %v", err)
	}
}

func TestReaderStopsEarlyAtAnIdentifier(t *testing.T) {
	pr, pw := io.Pipe()
	go func() {
		fmt.Fprintln(pw, "id,sex")
		for i := 0; ; i++ {
			if _, err := fmt.Fprintf(pw, "p%d,F\n", i); err != nil {
				return
			}
		}
	}()
	_, err := ReadCSV(pr, Options{}) // an endless file: only an early refusal ends this
	pr.Close()
	if err == nil || !strings.Contains(err.Error(), `column "id": looks like an identifier`) {
		t.Errorf("error is %v", err)
	}
}

func TestAtomicLeavesNothingBehindAfterAFailure(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	broken := errors.New("disk full")
	if err := Atomic(out, func(d string) error {
		os.WriteFile(filepath.Join(d, "half.csv"), []byte("x"), 0o600)
		return broken
	}); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	if err := AtomicFile(out, func(w io.Writer) error { io.WriteString(w, "half"); return broken }); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := AtomicFile(out, func(w io.Writer) error { _, err := io.WriteString(w, "whole"); return err }); err != nil {
		t.Fatal(err)
	}
	if err := Atomic(out, func(string) error { return nil }); err == nil {
		t.Error("an existing release was overwritten")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("want the output alone, have %v", left)
	}
}

func TestDistinctKeepsEveryPerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SampledFrom([]string{"a,", ",b", "a,b", "c,b", "c,d"}), 2, 40).Draw(t, "rows")
		tab, err := ReadCSV(strings.NewReader("x,y\n"+strings.Join(rows, "\n")+"\n"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := tab.Distinct()
		have := map[string]int{}
		for i := range tab.Rows() {
			have[fmt.Sprint(tab.Row(i))]++
		}
		for i := range d.Rows() {
			if have[fmt.Sprint(d.Row(i))] != int(d.Weight[i]) {
				t.Fatalf("row %v has weight %d", d.Row(i), d.Weight[i])
			}
			delete(have, fmt.Sprint(d.Row(i)))
		}
		if len(have) != 0 {
			t.Fatalf("lost rows %v", have)
		}
	})
}

func TestTranslateMatchesByNameAndRefusesTheUnknown(t *testing.T) {
	a := read(t, "x,y\na,1\nb,2\nc,\n", Options{})
	b := read(t, "y,x\n2,a\n,c\n", Options{})
	got, err := a.Translate(b)
	if err != nil {
		t.Fatal(err)
	}
	if l := got.Label(got.Row(0)[1]); l != "y:2" || !slices.IsSorted(got.Row(0)) {
		t.Errorf("first row is %v", got.Row(0))
	}
	if _, err := a.Translate(read(t, "x,y\nz,1\na,1\n", Options{})); err == nil || !strings.Contains(err.Error(), `value "z"`) {
		t.Errorf("error is %v", err)
	}
}

// FuzzReader holds that any input is either refused with an InputError or read
// into a table that writes and reads back to itself.
func FuzzReader(f *testing.F) {
	for _, s := range []string{small, "a,b\n1,2\n3,4\n", "a\n\" x\"\ny\n", "\xef\xbb\xbfa,b\r\n1,\r\n,2\r\n", "a,a\n", "a,b\n\"x\"\"y\",1\n,\n"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, in []byte, multi bool) {
		var opt Options
		if head, err := csv.NewReader(bytes.NewReader(in)).Read(); multi && err == nil {
			opt.Multi = head[:1]
		}
		tab, err := ReadCSV(bytes.NewReader(in), opt)
		if err != nil {
			var bad *InputError
			if !errors.As(err, &bad) {
				t.Fatalf("error is %T %v", err, err)
			}
			return
		}
		var first, second bytes.Buffer
		if err := tab.WriteCSV(&first); err != nil {
			t.Fatal(err)
		}
		if len(opt.Multi) > 0 {
			opt.Multi = []string{strings.TrimSpace(strings.TrimPrefix(opt.Multi[0], "\ufeff"))}
		}
		again, err := ReadCSV(bytes.NewReader(first.Bytes()), opt)
		if err != nil {
			t.Fatalf("own output refused: %v\n%q", err, first.String())
		}
		again.WriteCSV(&second)
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("%q reads back as %q", first.String(), second.String())
		}
	})
}
