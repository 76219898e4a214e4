package suppress

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNoRoundedFigureIsRecoveredWithinItsBase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom([]int{3, 5, 11}).Draw(t, "base")
		tab := read(t, "a,b,c\n"+strings.Join(drawRows(t, "code", rapid.IntRange(2, 90).Draw(t, "persons")), "\n")+"\n")
		x, err := Count(tab, [][]string{{"a", "b"}, {"a", "c"}})
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		res, err := x.Round(base, rng.IntN)
		if err != nil {
			t.Skip("no rounding was found, and nothing would be released")
		}
		for i, c := range x.Cells {
			if c.Rounded%uint32(base) != 0 || math.Abs(float64(c.Rounded)-float64(c.N)) >= float64(base) {
				t.Fatalf("%q: %d became %d", x.Name(i), c.N, c.Rounded)
			}
		}
		solved, err := x.AttackRounded(math.Inf(1))
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range solved.Ranges {
			if r.Width() < float64(base-1) || float64(x.Cells[i].N) < r.Lo || float64(x.Cells[i].N) > r.Hi {
				t.Fatalf("%q: %d published as %d is known to lie in %v (base %d, %+v)", x.Name(i), x.Cells[i].N, x.Cells[i].Rounded, r, base, res)
			}
		}
	})
}

func TestTheAttackOnRoundedFiguresFindsTotalsThatLeanAgainstTheirParts(t *testing.T) {
	// 6 and 6 rounded down, 12 rounded up: each part is at least 1 more than shown.
	x, err := Count(read(t, "a\n"+strings.Repeat("1\n", 17)+strings.Repeat("2\n", 17)), [][]string{{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	x.base = 11
	for i := range x.Cells {
		x.Cells[i].Rounded = 11 // of 17; the range alone is 1 to 21
		if x.Name(i) == "" {
			x.Cells[i].Rounded = 44 // of 34
		}
	}
	again, err := x.leaning(11)
	if err != nil || len(again) == 0 {
		t.Fatalf("redraw %v, %v", again, err)
	}
	solved, err := x.AttackRounded(math.Inf(1))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range solved.Ranges {
		if x.Name(i) != "" && (r.Lo != 13 || r.Hi != 21) {
			t.Errorf("%q: range %v, want 13 to 21: 34 or more in all, at most 21 in the other", x.Name(i), r)
		}
	}
}

func TestRoundingIsUnbiasedAndKeepsMultiples(t *testing.T) {
	var rows strings.Builder
	for v, n := range map[string]int{"1": 33, "2": 102} {
		rows.WriteString(strings.Repeat(v+"\n", n))
	}
	rng := rand.New(rand.NewPCG(5, 5))
	sum, runs, redrawn := 0.0, 4000, 0
	for range runs {
		x, err := Count(read(t, "a\n"+rows.String()), [][]string{{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		res, err := x.Round(11, rng.IntN)
		if err != nil {
			t.Fatal(err)
		}
		redrawn += res.Redrawn
		for i, c := range x.Cells {
			switch x.Name(i) {
			case "a=1":
				if c.Rounded != 33 {
					t.Fatalf("33 became %d", c.Rounded)
				}
			case "a=2":
				sum += float64(c.Rounded)
			}
		}
	}
	// The standard deviation of a mean of 4,000 draws is 0.08.
	if mean := sum / float64(runs); math.Abs(mean-102) > 0.6 {
		t.Errorf("102 becomes %.2f on the average (%d draws repeated)", mean, redrawn)
	}
}

func TestRoundedFilesAreMarkedListNoZerosAndAreNotDifferenced(t *testing.T) {
	var rows strings.Builder
	for i := range 300 {
		fmt.Fprintf(&rows, "%d,%d\n", i%3, i%7)
	}
	rows.WriteString("9,9\n")
	x, err := Count(read(t, "a,b\n"+rows.String()), [][]string{{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Round(11, SecureDraw); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := x.Write(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "a_b.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if lines[0] != "a,b,count_rounded_to_11" || len(lines) < 10 {
		t.Fatalf("head %q, %d lines", lines[0], len(lines))
	}
	for _, l := range lines[1:] {
		n, err := strconv.Atoi(l[strings.LastIndex(l, ",")+1:])
		if err != nil || n == 0 || n%11 != 0 {
			t.Errorf("line %q", l)
		}
	}
	if _, err := ReadRelease(dir); err == nil || !strings.Contains(err.Error(), "rounded release") {
		t.Errorf("a rounded release was read as exact: %v", err)
	}
}

func TestSecureDrawIsEvenOverItsRange(t *testing.T) {
	var seen [11]int
	for range 11_000 {
		seen[SecureDraw(11)]++
	}
	for v, n := range seen { // 1,000 each, standard deviation 30
		if n < 800 || n > 1200 {
			t.Errorf("%d came %d times in 11,000", v, n)
		}
	}
}
