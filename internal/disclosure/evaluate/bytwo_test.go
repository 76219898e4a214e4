package evaluate

import (
	"strings"
	"testing"

	"banyan/internal/disclosure/table"
)

func TestAGroupThatVanishesIsSeenBehindAGoodAverage(t *testing.T) {
	both := func(text string) *table.Table {
		tab, err := table.ReadCSV(strings.NewReader("country,sex,work\n"+text), table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return tab
	}
	a, b, err := table.Union(
		both(strings.Repeat("A,F,farm\n", 20)+strings.Repeat("A,M,sea\n", 30)+strings.Repeat("B,F,farm\n", 12)+strings.Repeat("B,,\n", 3)),
		both(strings.Repeat("A,F,farm\n", 9)+strings.Repeat("A,F,\n", 9)+strings.Repeat("A,M,sea\n", 14)+strings.Repeat("B,M,sea\n", 2)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := CompareByTwo(a, b, [2]string{"country", "sex"}, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []Pair{
		{Values: [2]string{"A", "F"}, Sensitive: 20, Released: 18, Further: 1, MeanRelErr: 0.55},
		{Values: [2]string{"A", "M"}, Sensitive: 30, Released: 14, Further: 1, MeanRelErr: 0.533333333},
		{Values: [2]string{"B", NotRecorded}, Sensitive: 3},
		{Values: [2]string{"B", "F"}, Sensitive: 12, Further: 1, Lost: 1, MeanRelErr: 1},
		{Values: [2]string{"B", "M"}, Released: 2},
	}
	if len(got.Groups) != len(want) {
		t.Fatalf("%+v", got.Groups)
	}
	for i := range want {
		if got.Groups[i] != want[i] {
			t.Errorf("%+v, want %+v", got.Groups[i], want[i])
		}
	}
	if got.Frequent != 3 || got.Vanished != 1 || got.Halved != 2 {
		t.Errorf("%+v", got)
	}
	if worst := got.Worst(10, 2); len(worst) != 2 || worst[0].Values != [2]string{"B", "F"} || worst[1].Values != [2]string{"A", "M"} {
		t.Errorf("worst %+v", worst)
	}
	for _, bad := range [][2]string{{"country", "colour"}, {"sex", "sex"}} {
		if _, err := CompareByTwo(a, b, bad, 10); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}
