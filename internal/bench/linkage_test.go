package bench

import "testing"

// TestLinkageJoinsNoTwoChildren holds the promise of docs/linkage.md on a small
// town; banyan bench linkage measures it on a large one.
func TestLinkageJoinsNoTwoChildren(t *testing.T) {
	r, err := Linkage(8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d children, %.1f tokens each, %d candidates, %d joined, %d wrongly (%d siblings), precision %.4f", r.Children, r.TokensEach, r.Candidates, r.Joined, r.DifferentSame, r.Siblings, r.Precision())
	if r.FalseOfCandidates() >= 0.001 {
		t.Errorf("%d of %d candidate pairs of different children are judged the same", r.DifferentSame, r.Candidates)
	}
	for _, row := range r.Rows {
		t.Logf("%-70s %5d pairs: same %.2f, likely or more %.2f", row.How, row.Pairs, row.Same, row.LikelyOrMore)
		if row.LikelyOrMore < 0.4 {
			t.Errorf("%s: %.2f are found", row.How, row.LikelyOrMore)
		}
	}
}
