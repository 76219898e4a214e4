// The unit of protection: whose presence the noise hides.

package dp

import (
	"errors"
	"fmt"

	"banyan/internal/disclosure/table"
)

// Unit is what neighbouring data sets differ by: one person, or one whole case
// group (all who were trafficked together) of whom at most Cap persons are
// counted. The zero Unit is a person.
//
// What a group costs. Let every person's contribution to a mechanism have
// Euclidean norm at most d. A group of g <= Cap counted persons contributes the
// sum of g such vectors, of norm at most g·d <= Cap·d by the triangle inequality,
// with equality when all fall into the same cell of every table. So:
//
//   - a residual measured with discrete Gaussian noise of variance s costs
//     Cap²·d²/(2s) in zCDP instead of d²/(2s); the total (the number of persons) is
//     the residual of no columns, d = 1, and is in it;
//   - a choice by the exponential mechanism, whose scores one person changes by at
//     most 1 each, has scores that a group changes by at most Cap each: at
//     exp(ε·score/2) it is bounded-range with Cap·ε, and costs (Cap·ε)²/8;
//   - a code that nobody else has is one of at most Cap·(number of columns), with a
//     count of at most Cap (see synth.Discover).
//
// Costs of one release add up, also where later measurements depend on earlier
// ones, so the release is Factor times as dear as for persons. This is group
// privacy of zCDP (Bun & Steinke 2016, Proposition 1.9: ρ for one is g²ρ for g),
// and tight here.
//
// The cap. Whom of a larger group to count is drawn uniformly from the noise's
// source, for each group by itself, before anything is measured. Take data with a
// group and without it, and let the draws for all other groups be the same in
// both: what is counted then differs by at most Cap persons, and the release is
// ρ-zCDP for every such draw. The output is the same mixture over draws on both
// sides, and Rényi divergence is jointly quasi-convex (van Erven & Harremoës 2014,
// Theorem 13), so it is ρ-zCDP. The cap is policy, written down before the data
// are looked at; the largest group of the data would tell of that group.
//
// A group-level release is a person-level one. One person more in a group of
// fewer than Cap changes what is counted by one; in a larger group, with the draws
// coupled, at most one counted person is exchanged for another: two steps, at most
// 2²·(ρ/Cap²) <= ρ from Cap = 2 on, which is why a cap of 1 is refused. The reverse
// does not hold: groups have no bound without a cap.
type Unit struct{ Cap int }

// MaxCap bounds a cap: noise grows with it.
const MaxCap = 1000

// NewUnit checks a cap on the persons of a case group.
func NewUnit(limit int) (Unit, error) {
	switch {
	case limit < 2:
		return Unit{}, fmt.Errorf("a cap of %d persons of a case group: use 2 or more", limit)
	case limit > MaxCap:
		return Unit{}, fmt.Errorf("a cap of %d persons of a case group needs more noise than any table survives: at most %d", limit, MaxCap)
	}
	return Unit{limit}, nil
}

// Persons is how many counted persons neighbours may differ by.
func (u Unit) Persons() int { return max(u.Cap, 1) }

// Factor is how many times a person's cost in ρ the unit costs.
func (u Unit) Factor() float64 { return float64(u.Persons()) * float64(u.Persons()) }

// Neighbours says in words what neighbouring data sets differ by.
func (u Unit) Neighbours() string {
	if u.Cap == 0 {
		return "one person more or less"
	}
	return fmt.Sprintf("one whole case group more or less, of whom at most %d persons are counted", u.Cap)
}

// Count gives the persons of a grouped table who are counted.
func (u Unit) Count(t *table.Table, noise *Noise) *table.Table { return t.Capped(u.Cap, noise.Below) }

// errNotCapped guards against measuring groups as if they were persons.
var errNotCapped = errors.New("internal: a table with case groups has to be capped before it is measured")

// UnitOf is the unit that the persons of t are counted by.
func UnitOf(t *table.Table) (Unit, error) {
	if t.Grouped() && t.Cap() == 0 {
		return Unit{}, errNotCapped
	}
	return Unit{t.Cap()}, nil
}
