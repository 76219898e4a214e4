package attack

import (
	"bytes"
	"errors"
	"testing"

	"banyan/internal/disclosure/table"
)

// FuzzPublished holds that a published table is refused with an InputError, or
// attacked without finding more than is hidden.
func FuzzPublished(f *testing.F) {
	for _, s := range []string{
		"sex,value\nTotal,10\nM,<5\nF,7\n",
		"sex,value\nTotal,10\nTotal,11\nM,<5\n",
		"sex,value\nM,1e99\nF,-3\nTotal,\n",
		"value\n3\n",
		"sex,value\nTotal,2\nM,<5\nF,7\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 2_000 {
			return // larger files only take longer
		}
		r, err := AttackPublished(bytes.NewReader(in), Layout{Value: "value", AssumeTotals: true,
			Totals: map[string]string{"sex": "Total"}, Hidden: []Hidden{{Mark: "<5", Lo: 0, Hi: 4}}})
		if err != nil {
			var bad *table.InputError
			if !errors.As(err, &bad) {
				t.Fatalf("error is %T %v", err, err)
			}
			return
		}
		if len(r.Recovered) > r.HiddenCells {
			t.Fatalf("%d recovered of %d hidden", len(r.Recovered), r.HiddenCells)
		}
	})
}
