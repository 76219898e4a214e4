package attack

import (
	"fmt"
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
