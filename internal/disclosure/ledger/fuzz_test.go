package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzLedger holds that whatever stands in the file is damage, or a ledger that can
// be gone on with and reads back as it was.
func FuzzLedger(f *testing.F) {
	path := filepath.Join(f.TempDir(), "ledger")
	l, err := Open(path)
	if err != nil {
		f.Fatal(err)
	}
	l.SetBudget(Entry{Population: "p", Epsilon: 4, Delta: 1e-6, Rho: 0.3, Unit: Group, Group: "case", GroupCap: 3})
	l.Spend(Entry{Population: "p", Rho: 0.1, Unit: Group, Group: "case", GroupCap: 3})
	l.Close()
	good, _ := os.ReadFile(path)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("{}\n"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		path := filepath.Join(t.TempDir(), "ledger")
		if err := os.WriteFile(path, in, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(path)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("error is %v", err)
			}
			return
		}
		known := len(l.Entries())
		if err := l.SetBudget(Entry{Population: "a population of its own", Epsilon: 1, Delta: 1e-6, Rho: 0.03}); err != nil {
			t.Fatal(err)
		}
		l.Close()
		if l, err = Open(path); err != nil || len(l.Entries()) != known+1 {
			t.Fatalf("%d entries, then %d: %v", known, len(l.Entries()), err)
		}
		l.Close()
	})
}
