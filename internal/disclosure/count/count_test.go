package count

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"banyan/internal/disclosure/table"

	"pgregory.net/rapid"
)

// drawTable invents a small table with missing values and a multi-valued column.
func drawTable(t *rapid.T) *table.Table {
	n := rapid.IntRange(2, 60).Draw(t, "rows")
	var b strings.Builder
	b.WriteString("a,b,c,d,m\n")
	for range n {
		var f []string
		for range 4 {
			f = append(f, rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "v"))
		}
		f = append(f, rapid.SampledFrom([]string{"", "x", "y", "x;y", "x;y;z"}).Draw(t, "m"))
		b.WriteString(strings.Join(f, ",") + "\n")
	}
	tab, err := table.ReadCSV(strings.NewReader(b.String()), table.Options{Multi: []string{"m"}})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// brute counts by enumerating the subsets of every row.
func brute(t *table.Table, length int) map[Key]uint32 {
	out := map[Key]uint32{}
	var walk func(row, have []table.Attr)
	walk = func(row, have []table.Attr) {
		if len(have) > 0 {
			out[KeyOf(have...)]++
		}
		if len(have) == length {
			return
		}
		for i, a := range row {
			walk(row[i+1:], append(slices.Clone(have), a))
		}
	}
	for i := range t.Rows() {
		walk(t.Row(i), nil)
	}
	return out
}

func TestCombinationsAgreeWithEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t)
		length := rapid.IntRange(1, MaxLength).Draw(t, "length")
		k := rapid.IntRange(1, 12).Draw(t, "k")
		want := brute(tab, length)
		for key, n := range want {
			if int(n) < k {
				delete(want, key)
			}
		}
		got := Combinations(tab.Distinct(), length, k)
		for i, c := range got {
			if want[c.Key] != c.N {
				t.Fatalf("%v counted %d, is %d", c.Key.Attrs(nil), c.N, want[c.Key])
			}
			if i > 0 && got[i-1].Key >= c.Key {
				t.Fatal("not in order")
			}
			delete(want, c.Key)
		}
		if len(want) > 0 {
			t.Fatalf("missed %d combinations", len(want))
		}
	})
}

func TestKeyKeepsItsAttributes(t *testing.T) {
	for _, attrs := range [][]table.Attr{{0}, {0, 1}, {5, 65_533}, {1, 2, 3, 4}} {
		k := KeyOf(attrs...)
		if got := k.Attrs(nil); !slices.Equal(got, attrs) || k.Len() != len(attrs) {
			t.Errorf("%v came back as %v", attrs, got)
		}
	}
}

func TestAggregatesHideWhatIsRarerThanKAndRoundDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t)
		k := rapid.IntRange(2, 12).Draw(t, "k")
		var b bytes.Buffer
		if err := WriteAggregates(&b, tab, Combinations(tab.Distinct(), 3, k), k); err != nil {
			t.Fatal(err)
		}
		real := map[string]uint32{}
		for key, n := range brute(tab, 3) {
			var parts []string
			for _, a := range key.Attrs(nil) {
				parts = append(parts, tab.Label(a))
			}
			real[strings.Join(parts, ";")] = n
		}
		for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n")[1:] {
			name, shown, _ := strings.Cut(line, ",")
			var n int
			fmt.Sscan(shown, &n)
			if r := int(real[name]); r < k || n != r-r%k {
				t.Fatalf("%s shows %d, is %d, k %d", name, n, r, k)
			}
		}
	})
}
