package attack

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"banyan/internal/disclosure/table"
)

func TestMembershipIsCertainWhereRecordsAreCopiesAndAGuessWhereTheyAreNot(t *testing.T) {
	var b strings.Builder
	b.WriteString("a,b,c,d\n")
	for i := range 400 {
		fmt.Fprintf(&b, "%d,%d,%d,%d\n", i%20, i/20%20, i*7%11, i*3%13)
	}
	all, err := table.ReadCSV(strings.NewReader(b.String()), table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var even, odd, first []int
	for i := range 400 {
		if i%2 == 0 {
			even = append(even, i)
		} else {
			odd = append(odd, i)
		}
		if i < 200 {
			first = append(first, i)
		}
	}
	members, others := all.Sample(even), all.Sample(odd)
	if auc, adv := Membership(members, members, others); auc < 0.99 || adv < 0.99 {
		t.Errorf("copies: AUC %.3f, advantage %.3f", auc, adv)
	}
	if auc, _ := Membership(all.Sample(first), members, others); auc < 0.4 || auc > 0.6 {
		t.Errorf("unrelated records: AUC %.3f", auc)
	}
}

func TestTheBoundOnTheAreaIsThatOfTheBestTest(t *testing.T) {
	for _, c := range []struct{ epsilon, delta, want float64 }{
		{0, 0, 0.5},
		{0, 1, 1},
		{0, 0.2, 0.68}, // 1 - (1-δ)²/2: identical but for δ
		{math.Log(3), 0, 0.75},
		{50, 0, 1},
	} {
		if got := AUCBound(c.epsilon, c.delta); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("ε %g, δ %g: %g, want %g", c.epsilon, c.delta, got, c.want)
		}
	}
}

func TestTheAreaCountsTiesHalf(t *testing.T) {
	auc, advantage := AUC([]float64{1, 2, 2, 3}, []float64{0, 1, 2, 2})
	// 1: 1½ of 4; 2, twice: 3 of 4; 3: 4 of 4.
	if auc != (1.5+3+3+4)/16 || advantage != 0.25 {
		t.Errorf("area %g, advantage %g", auc, advantage)
	}
}
