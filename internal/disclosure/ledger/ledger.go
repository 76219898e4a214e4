// Package ledger keeps the privacy budget of each population over all its
// releases: what was released, and what it cost. The file only grows; every line
// carries the hash of the line before, so that a change in the middle shows.
//
// The order of things protects people when a machine fails: the cost is on disk
// before the release appears. A crash in between leaves a cost without a
// release, never a release without its cost. A line that a crash left half
// written was never acknowledged, so nothing was released on it, and it is cut
// off when the ledger is next opened.
package ledger

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"banyan/internal/disclosure/dp"
)

// Entry is one line: a budget being set, or a release that spends.
type Entry struct {
	Kind       string  `json:"kind"` // "budget" or "release"
	Population string  `json:"population"`
	Method     string  `json:"method,omitempty"`
	Release    string  `json:"release,omitempty"` // the name of the output
	Epsilon    float64 `json:"epsilon"`
	Delta      float64 `json:"delta"`
	Rho        float64 `json:"rho"` // what counts: costs in zCDP add up
	// ExtraDelta is a probability of failure beside ρ, as a threshold has that
	// decides which codes exist. It counts against the budget's δ.
	ExtraDelta float64 `json:"extra_delta,omitempty"`
	// Unit is whose presence the cost is about: "person" (also where it is empty, as
	// in lines of before there was another), or "group" for a whole case group, as
	// the column Group tells them apart, of whom GroupCap persons are counted.
	Unit     string `json:"unit,omitempty"`
	Group    string `json:"group,omitempty"`
	GroupCap int    `json:"group_cap,omitempty"`
}

// Units of protection.
const (
	Person = "person"
	Group  = "group"
)

// unit is the unit in full.
func (e Entry) unit() string { return cmp.Or(e.Unit, Person) }

// line is an entry as it stands in the file.
type line struct {
	Entry
	Previous string `json:"previous"`
	Hash     string `json:"hash"`
}

// ErrOverdrawn says that a release would spend more than the population has left.
var ErrOverdrawn = errors.New("the privacy budget would be overdrawn")

// ErrUnit says that a release does not protect what the population's budget is
// about.
var ErrUnit = errors.New("the release has another unit of protection than the budget")

// ErrDamaged says that the file is not what was written.
var ErrDamaged = errors.New("the privacy ledger is damaged")

// file is what the ledger needs of a file; tests make it fail.
type file interface {
	io.Writer
	Sync() error
	Truncate(size int64) error
	Close() error
}

// Ledger is an open ledger. Only one process has it open at a time.
type Ledger struct {
	f       file
	size    int64 // length of the good lines
	last    string
	entries []Entry
	broken  bool
}

// Open opens or makes a ledger and waits for nobody: a ledger in use is an error.
func Open(path string) (*Ledger, error) {
	if path == "" {
		return nil, errors.New("name the privacy ledger")
	}
	_, statErr := os.Stat(path)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the privacy ledger: %w", err)
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("the privacy ledger %s is in use: %w", path, err)
	}
	l := &Ledger{f: f}
	if err := l.load(f); err != nil {
		f.Close()
		return nil, err
	}
	if errors.Is(statErr, os.ErrNotExist) {
		if err := syncDir(filepath.Dir(path)); err != nil {
			f.Close()
			return nil, fmt.Errorf("make the privacy ledger durable: %w", err)
		}
	}
	return l, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// load reads and checks all lines, and cuts off a half-written last one.
func (l *Ledger) load(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read the privacy ledger: %w", err)
	}
	for n := 1; len(b) > 0; n++ {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			// No line end: the writing of this line was never finished.
			if err := l.f.Truncate(l.size); err != nil {
				return fmt.Errorf("cut off the unfinished line of the privacy ledger: %w", err)
			}
			return l.f.Sync()
		}
		var x line
		if err := json.Unmarshal(b[:end], &x); err != nil {
			return fmt.Errorf("%w: line %d: %v", ErrDamaged, n, err)
		}
		if x.Previous != l.last || x.Hash != hash(x.Entry, x.Previous) {
			return fmt.Errorf("%w: line %d does not follow from the lines before it", ErrDamaged, n)
		}
		l.entries = append(l.entries, x.Entry)
		l.last = x.Hash
		l.size += int64(end + 1)
		b = b[end+1:]
	}
	return nil
}

func hash(e Entry, previous string) string {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // an Entry of strings and finite numbers always marshals; see append
	}
	sum := sha256.Sum256(append(b, previous...))
	return hex.EncodeToString(sum[:])
}

// Entries lists all lines.
func (l *Ledger) Entries() []Entry { return l.entries }

// Budget is the last budget set for a population.
func (l *Ledger) Budget(population string) (e Entry, ok bool) {
	for _, x := range l.entries {
		if x.Kind == "budget" && x.Population == population {
			e, ok = x, true
		}
	}
	return e, ok
}

// Spent is the sum of costs, in ρ, over all releases about a population.
func (l *Ledger) Spent(population string) float64 {
	sum := 0.0
	for _, x := range l.entries {
		if x.Kind == "release" && x.Population == population {
			sum += x.Rho
		}
	}
	return sum
}

// Fits reports whether a release would stay within a budget after what has been
// spent: the δ that all ρ imply at the budget's ε, with all extra δ, is at most
// the budget's δ.
func (l *Ledger) Fits(budget Entry, population string, rho, extraDelta float64) bool {
	for _, x := range l.entries {
		if x.Kind == "release" && x.Population == population {
			rho += x.Rho
			extraDelta += x.ExtraDelta
		}
	}
	return dp.Delta(rho, budget.Epsilon)+extraDelta <= budget.Delta*(1+1e-9)
}

// Counts refuses a release whose cost says nothing about a budget's unit:
//
//   - a budget about persons counts every release: one that hides a whole case group
//     at ρ hides a person at ρ as well (see dp.Unit);
//   - a budget about case groups counts only releases that hide those groups,
//     whatever their cap. One that hides persons at ρ hides a group of g at g²ρ, and
//     g has no bound; another column makes other groups.
func (budget Entry) Counts(release Entry) error {
	switch {
	case budget.unit() != Group:
		return nil
	case release.unit() != Group:
		return fmt.Errorf("%w: population %q has a budget about whole case groups (column %q); a release that protects persons says nothing about how much a group shows, since groups have no largest size: protect the groups, with the same column, or use another population's budget", ErrUnit, budget.Population, budget.Group)
	case release.Group != budget.Group:
		return fmt.Errorf("%w: population %q has a budget about the case groups of column %q, not of %q", ErrUnit, budget.Population, budget.Group, release.Group)
	}
	return nil
}

// SetBudget sets what all releases about a population may cost together, and for
// whom: those before it must count for its unit.
func (l *Ledger) SetBudget(e Entry) error {
	for _, x := range l.entries {
		if x.Kind != "release" || x.Population != e.Population {
			continue
		}
		if err := e.Counts(x); err != nil {
			return err
		}
	}
	e.Kind = "budget"
	return l.append(e)
}

// Spend writes a release's cost, or refuses with ErrOverdrawn and writes nothing.
// Once it returns nil the cost is on disk.
func (l *Ledger) Spend(e Entry) error {
	budget, ok := l.Budget(e.Population)
	if !ok {
		return fmt.Errorf("population %q has no privacy budget", e.Population)
	}
	if !(e.Rho > 0) {
		return fmt.Errorf("a release costs more than %g", e.Rho)
	}
	if e.ExtraDelta < 0 {
		return fmt.Errorf("an extra delta of %g", e.ExtraDelta)
	}
	if err := budget.Counts(e); err != nil {
		return err
	}
	if !l.Fits(budget, e.Population, e.Rho, e.ExtraDelta) {
		return fmt.Errorf("%w: population %q has spent rho %.6f of %.6f, this release costs %.6f more", ErrOverdrawn, e.Population, l.Spent(e.Population), budget.Rho, e.Rho)
	}
	e.Kind = "release"
	return l.append(e)
}

func (l *Ledger) append(e Entry) error {
	if l.broken {
		return errors.New("the privacy ledger failed before: open it again")
	}
	if _, err := json.Marshal(e); err != nil {
		return fmt.Errorf("write the privacy ledger: %w", err)
	}
	x := line{Entry: e, Previous: l.last, Hash: hash(e, l.last)}
	b, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("write the privacy ledger: %w", err)
	}
	b = append(b, '\n')
	_, err = l.f.Write(b)
	if err == nil {
		err = l.f.Sync()
	}
	if err != nil {
		// Take back what may have been written in part. If even that fails, the
		// next Open does it, or counts the cost: both are safe.
		l.broken = l.f.Truncate(l.size) != nil
		return fmt.Errorf("write the privacy ledger: %w", err)
	}
	l.size += int64(len(b))
	l.last = x.Hash
	l.entries = append(l.entries, e)
	return nil
}

// Close lets others use the ledger.
func (l *Ledger) Close() error { return l.f.Close() }
