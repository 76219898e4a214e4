package scope

import (
	"errors"
	"strings"
	"testing"
)

func TestReadRefusesWithTheLine(t *testing.T) {
	eleven := "a,b,c,d,e,f,g,h,i,j,k,count\n"
	cases := []struct{ name, in, want string }{
		{"empty file", "", "line 1: the file is empty"},
		{"no count column", "A,B\n1,0\n", "line 1: there is no column named count"},
		{"one list", "A,count\n1,3\n", "line 1: there are 1 list columns"},
		{"eleven lists", eleven, "line 1: there are 11 list columns; at most 10"},
		{"same list twice", "A,A,count\n1,0,3\n", `line 1: column "A": the column appears twice`},
		{"nameless list", "A,,count\n", "line 1: column 2 has no name"},
		{"header alone", "A,B,count\n", "line 1: there is a header but no row"},
		{"not 0 or 1", "A,B,count\n1,0,3\n1,2,3\n", `line 3: column "B": "2" is neither 0 nor 1`},
		{"blank", "A,B,count\n1,,3\n", `line 2: column "B": "" is neither 0 nor 1`},
		{"negative", "A,B,count\n1,0,-3\n", `line 2: column "count": "-3" is negative`},
		{"fraction", "A,B,count\n1,0,2.5\n", `line 2: column "count": "2.5" is not a whole number`},
		{"overflow", "A,B,count\n1,0,99999999999999999999\n", `line 2: column "count": "99999999999999999999" is too large`},
		{"too many", "A,B,count\n1,0,1000000001\n", `line 2: column "count": "1000000001" is too large`},
		{"sum too many", "A,B,count\n1,0,1000000000\n1,1,1\n", "line 3: column \"count\": the counts up to here add up"},
		{"short row", "A,B,count\n1,0\n", "line 2: there are 2 fields where the header has 3"},
		{"people on no list", "A,B,count\n0,0,4\n", "line 2: people on no list"},
		{"all zero", "A,B,count\n1,0,0\n", "line 2: column \"count\": every count"},
		{"a list nobody is on", "A,B,C,count\n1,0,0,5\n1,1,0,2\n", `line 1: column "C": nobody is on this list (lines 2 to 3)`},
		{"no overlap", "A,B,count\n1,0,5\n0,1,5\n", "line 3: in lines 2 to 3 nobody is on two lists"},
		{"bad quotes", "A,B,count\n1,\"0,3\n", "line 2: "},
		{"not text", "A,\xff,count\n", "not UTF-8"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.in))
			var input *InputError
			if !errors.As(err, &input) {
				t.Fatalf("got %v, want an input error", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("says %q, should say %q", err, c.want)
			}
		})
	}
}

func TestReadTakesAnyColumnOrderRepeatedAndZeroRows(t *testing.T) {
	a, err := Read(strings.NewReader("A,B,C,count\n1,0,0,5\n1,1,0,2\n0,0,1,4\n0,0,0,0\n1,0,1,0\n"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Read(strings.NewReader("\ufeffCount,A,B,C\r\n 2 ,1,1,0\r\n3,1,0,0\r\n2,1,0,0\r\n4,0,0,1\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest() != b.Digest() {
		t.Errorf("the same table gave two digests")
	}
	if a.Observed() != 11 || a.Overlapping() != 2 || a.Size(0) != 7 {
		t.Errorf("n=%d, overlapping=%d, list A=%d", a.Observed(), a.Overlapping(), a.Size(0))
	}
}

func TestTablesLeaveOutMergeAndCondition(t *testing.T) {
	uk6, uk5 := table(t, "uk_2013_6list"), table(t, "uk_2013_5list")
	if got := uk6.Merge(2, 5); got.Observed() != uk5.Observed() {
		t.Errorf("merged police lists hold %d people, published %d", got.Observed(), uk5.Observed())
	} else {
		for h, c := range got.Counts {
			if c != uk5.Counts[h] {
				t.Errorf("history %s: %d, published %d", uk5.Name(h), c, uk5.Counts[h])
			}
		}
	}
	given, truth := uk5.Given(0)
	if truth != 94 || given.Observed() != 40 || given.T() != 3 {
		t.Errorf("given LA: truth %d, seen %d on %d lists; want 94, 40, 3", truth, given.Observed(), given.T())
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"A,B,count\n1,0,5\n0,1,5\n1,1,2\n", "count,A,B,C\n3,1,1,0\n2,0,0,1\n", "A,count\n", "\"A\",B,count\n\"1\",0,\"9\"\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		tab, err := Read(strings.NewReader(in))
		if err != nil {
			if tab != nil {
				t.Fatal("a table beside an error")
			}
			return
		}
		if err := tab.check(); err != nil {
			t.Fatalf("the reader let through what no method takes: %v", err)
		}
	})
}
