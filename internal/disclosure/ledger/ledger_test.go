package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLedgerRefusesToBeOverdrawnAndRemembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := open(t, path)
	if err := l.Spend(Entry{Population: "p", Rho: 0.1}); err == nil {
		t.Error("a population without a budget spends")
	}
	if err := l.SetBudget(Entry{Population: "p", Epsilon: 4, Delta: 1e-6, Rho: 0.3}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Spend(Entry{Population: "p", Rho: 0.125, Method: "tables"}); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := os.ReadFile(path)
	if err := l.Spend(Entry{Population: "p", Rho: 0.125}); !errors.Is(err, ErrOverdrawn) {
		t.Errorf("error is %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("a refused release is written")
	}
	if err := l.Spend(Entry{Population: "q", Rho: 0.1}); err == nil {
		t.Error("another population spends this one's budget")
	}
	l.Close()
	l = open(t, path)
	defer l.Close()
	if l.Spent("p") != 0.25 || len(l.Entries()) != 3 {
		t.Errorf("spent %g in %d entries after opening again", l.Spent("p"), len(l.Entries()))
	}
	if err := l.Spend(Entry{Population: "p", Rho: 0.125}); !errors.Is(err, ErrOverdrawn) {
		t.Errorf("after opening again: %v", err)
	}
}

// A crash may cut the file at any byte of the line being written.
func TestLedgerSurvivesACrashAtEveryByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := open(t, path)
	l.SetBudget(Entry{Population: "p", Epsilon: 4, Delta: 1e-6, Rho: 0.3})
	l.Spend(Entry{Population: "p", Rho: 0.1})
	two, _ := os.ReadFile(path)
	l.Spend(Entry{Population: "p", Rho: 0.15, Release: "later"})
	l.Close()
	three, _ := os.ReadFile(path)
	for cut := len(two); cut < len(three); cut++ {
		if err := os.WriteFile(path, three[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, path)
		if l.Spent("p") != 0.1 {
			t.Fatalf("cut at byte %d: spent %g", cut, l.Spent("p"))
		}
		if err := l.Spend(Entry{Population: "p", Rho: 0.15, Release: "later"}); err != nil {
			t.Fatalf("cut at byte %d: %v", cut, err)
		}
		l.Close()
		if again, _ := os.ReadFile(path); string(again) != string(three) {
			t.Fatalf("cut at byte %d: the ledger is not what it would have been", cut)
		}
	}
}

func TestLedgerCountsExtraDelta(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	defer l.Close()
	l.SetBudget(Entry{Population: "p", Epsilon: 4, Delta: 1e-6, Rho: 0.311})
	if err := l.Spend(Entry{Population: "p", Rho: 0.1, ExtraDelta: 9e-7}); err != nil {
		t.Fatal(err)
	}
	// 0.1 more would be fine by itself, but with it the deltas add up to more.
	if err := l.Spend(Entry{Population: "p", Rho: 0.1, ExtraDelta: 2e-7}); !errors.Is(err, ErrOverdrawn) {
		t.Errorf("error is %v", err)
	}
	if err := l.Spend(Entry{Population: "p", Rho: 0.1}); err != nil {
		t.Error(err)
	}
}

func TestLedgerFindsAChangeInTheMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := open(t, path)
	l.SetBudget(Entry{Population: "p", Epsilon: 4, Delta: 1e-6, Rho: 0.3})
	l.Spend(Entry{Population: "p", Rho: 0.2})
	l.Spend(Entry{Population: "p", Rho: 0.1})
	l.Close()
	good, _ := os.ReadFile(path)
	lines := strings.SplitAfter(string(good), "\n")
	for name, text := range map[string]string{
		"smaller cost":  strings.Replace(string(good), `"rho":0.2`, `"rho":0.1`, 1),
		"line left out": lines[0] + lines[2],
		"order":         lines[0] + lines[2] + lines[1],
		"not JSON":      lines[0] + "spent nothing\n",
	} {
		os.WriteFile(path, []byte(text), 0o600)
		if _, err := Open(path); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// failing writes half a line and then fails, like a full disk.
type failing struct {
	file
	syncFails, truncateFails bool
}

func (f *failing) Write(b []byte) (int, error) {
	if f.syncFails {
		return f.file.Write(b)
	}
	n, _ := f.file.Write(b[:len(b)/2])
	return n, errors.New("disk full")
}

func (f *failing) Sync() error { return errors.New("cannot sync") }

func (f *failing) Truncate(n int64) error {
	if f.truncateFails {
		return errors.New("cannot truncate")
	}
	return f.file.Truncate(n)
}

func TestLedgerSpendsNothingWhenTheDiskFails(t *testing.T) {
	for _, c := range []failing{{}, {syncFails: true}, {truncateFails: true}} {
		path := filepath.Join(t.TempDir(), "ledger")
		l := open(t, path)
		l.SetBudget(Entry{Population: "p", Epsilon: 4, Delta: 1e-6, Rho: 0.3})
		whole := l.f
		c.file = whole
		l.f = &c
		if err := l.Spend(Entry{Population: "p", Rho: 0.1}); err == nil {
			t.Fatal("a cost that is not on disk is acknowledged")
		}
		if l.Spent("p") != 0 {
			t.Error("counted in memory")
		}
		l.f = whole
		if err := l.Spend(Entry{Population: "p", Rho: 0.1}); c.truncateFails != (err != nil) {
			t.Errorf("after the failure (%+v): %v", c, err)
		}
		l.Close()
		again := open(t, path)
		if want := map[bool]float64{true: 0, false: 0.1}[c.truncateFails]; again.Spent("p") != want {
			t.Errorf("%+v: spent %g after opening again, want %g", c, again.Spent("p"), want)
		}
		again.Close()
	}
}

func TestLedgerIsForOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := open(t, path)
	if second, err := Open(path); err == nil {
		second.Close()
		t.Error("opened twice")
	}
	l.Close()
	open(t, path).Close()
}

func TestABudgetCountsOnlyReleasesThatProtectItsUnit(t *testing.T) {
	person := Entry{Population: "p", Rho: 0.05}
	cases := Entry{Population: "p", Rho: 0.05, Unit: Group, Group: "case", GroupCap: 4}
	larger := Entry{Population: "p", Rho: 0.05, Unit: Group, Group: "case", GroupCap: 9}
	villages := Entry{Population: "p", Rho: 0.05, Unit: Group, Group: "village", GroupCap: 4}
	for _, c := range []struct {
		name    string
		budget  Entry
		release Entry
		ok      bool
	}{
		{"persons in a budget about persons", person, person, true},
		{"groups in a budget about persons", person, cases, true},
		{"persons in a budget about groups", cases, person, false},
		{"groups in a budget about groups", cases, cases, true},
		{"groups with another cap", cases, larger, true},
		{"groups of another column", cases, villages, false},
	} {
		path := filepath.Join(t.TempDir(), "ledger")
		l := open(t, path)
		budget := c.budget
		budget.Epsilon, budget.Delta, budget.Rho = 4, 1e-6, 0.3
		if err := l.SetBudget(budget); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		err := l.Spend(c.release)
		after, _ := os.ReadFile(path)
		if c.ok != (err == nil) || !c.ok && (!errors.Is(err, ErrUnit) || string(after) != string(before)) {
			t.Errorf("%s: %v", c.name, err)
		}
		l.Close()
		l = open(t, path) // the unit is under the hash as well
		if c.ok && l.Entries()[1] != (func() Entry { e := c.release; e.Kind = "release"; return e })() {
			t.Errorf("%s: read back as %+v", c.name, l.Entries()[1])
		}
		l.Close()
	}
	l := open(t, filepath.Join(t.TempDir(), "ledger"))
	defer l.Close()
	person.Epsilon, person.Delta = 4, 1e-6
	l.SetBudget(person)
	l.Spend(Entry{Population: "p", Rho: 0.01})
	cases.Epsilon, cases.Delta = 4, 1e-6
	if err := l.SetBudget(cases); !errors.Is(err, ErrUnit) {
		t.Errorf("a budget about groups after releases about persons: %v", err)
	}
}
