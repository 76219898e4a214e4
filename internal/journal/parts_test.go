package journal

import (
	"bytes"
	"testing"
)

// FuzzDecodeParts: bytes of a damaged row give parts or an error, and what was
// encoded comes back.
func FuzzDecodeParts(f *testing.F) {
	f.Add(encodeParts([]part{{Coded, []byte("x")}, {Identity, nil}}))
	f.Add([]byte{5, 'a'})
	f.Fuzz(func(t *testing.T, raw []byte) {
		parts, err := decodeParts(raw)
		if err != nil {
			return
		}
		again, err := decodeParts(encodeParts(parts))
		if err != nil || len(again) != len(parts) {
			t.Fatalf("%d parts came back as %d (%v)", len(parts), len(again), err)
		}
		for i := range parts {
			if again[i].tier != parts[i].tier || !bytes.Equal(again[i].sealed, parts[i].sealed) {
				t.Errorf("part %d changed", i)
			}
		}
	})
}
