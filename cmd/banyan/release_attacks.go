// The attacks that are part of every release's report: who was in the data, what
// groups have in common, rare combinations that appear and frequent ones that
// vanish, and what earlier releases add.

package main

import (
	"context"
	"fmt"

	"banyan/internal/disclosure/attack"
	"banyan/internal/disclosure/dp"
	"banyan/internal/disclosure/evaluate"
	"banyan/internal/disclosure/report"
	"banyan/internal/disclosure/suppress"
	"banyan/internal/disclosure/synth"
	"banyan/internal/disclosure/table"
)

// Persons that membership is asked of: half members, half others. Where the unit of
// protection is a case group, it is asked of whole groups.
const (
	attackRows  = 2_000
	attackFewer = 40 // below it there is nothing to measure
)

// halves are the persons of the membership attack.
type halves struct {
	in, not         []int
	members, others *table.Table
	pool            *table.Table
}

func cut(t *table.Table) (h halves, ok bool) {
	in, not := attack.Halves(t, attackRows)
	return halved(t, in, not), 2*len(in) >= attackFewer
}

// cutGroups cuts by whole case groups where t has them.
func cutGroups(t *table.Table) (h halves, ok bool) {
	if !t.Grouped() {
		return cut(t)
	}
	in, not := attack.GroupHalves(t, attackRows)
	h = halved(t, in, not)
	return h, h.members.Groups()+h.others.Groups() >= attackFewer
}

func halved(t *table.Table, in, not []int) halves {
	return halves{in, not, t.Sample(in), t.Sample(not), t.Sample(append(append([]int{}, in...), not...))}
}

// units gives the scores of the units that are attacked: persons, or case groups.
func (h halves) units(in, not []float64) ([]float64, []float64) {
	if !h.members.Grouped() {
		return in, not
	}
	return attack.ByGroup(h.members, in), attack.ByGroup(h.others, not)
}

// of names the units.
func (h halves) of() string {
	if h.members.Grouped() {
		return "whole case groups"
	}
	return "persons"
}

const membershipKind = "membership inference (area under the ROC curve)"

// tooFew is the membership attack where there are too few persons for it.
func tooFew(t *table.Table) report.Attack {
	return report.Attack{Kind: membershipKind, NotPromised: true,
		Detail: fmt.Sprintf("not tried: %d persons are too few to measure it", t.Rows())}
}

// membershipAttack states a measured AUC: 0.5 is guessing, 1 is certainty. With
// a bound, an AUC above it by more than four standard errors is a leak.
func membershipAttack(in, not []float64, of, how string, bound float64) report.Attack {
	auc, advantage := attack.AUC(in, not)
	a := report.Attack{Kind: membershipKind, Tried: len(in) + len(not), Value: auc, Bound: bound, NotPromised: bound == 0,
		Detail: fmt.Sprintf("the method run again on %d of these %s chosen at random; the attacker, who knows them and %d others wholly, tells them apart by %s; 0.5 is guessing; largest advantage %.3f", len(in), of, len(not), how, advantage)}
	if bound == 0 {
		a.Detail += "; this method states no bound"
	} else if auc > bound+4*attack.AUCError(len(in), len(not)) {
		a.Found = 1
	}
	return a
}

const surpriseHow = "how far the figures that they fall into exceed what half of both would give"

// tablesMembership publishes tables of half the persons in the same way (publish
// hides or rounds) and attacks them.
func tablesMembership(t *table.Table, by [][]string, publish func(*suppress.Tables) error) (report.Attack, error) {
	h, ok := cut(t)
	if !ok {
		return tooFew(t), nil
	}
	x, err := suppress.Count(h.members, by)
	if err != nil {
		return report.Attack{}, err
	}
	pool, err := suppress.Count(h.pool, by)
	if err != nil {
		return report.Attack{}, err
	}
	if err := publish(x); err != nil {
		return report.Attack{Kind: membershipKind, NotPromised: true, Detail: "not measured: the method finds no release of half of these persons"}, nil
	}
	return membershipAttack(x.Surprise(pool, t, h.members), x.Surprise(pool, t, h.others), "persons", surpriseHow, 0), nil
}

// tablesAlike reports attribute inference from tables.
func tablesAlike(x *suppress.Tables) report.Attack {
	a := report.Attack{Kind: "attribute inference in homogeneous groups", NotPromised: true,
		Detail: "shown cells whose persons all fall into one cell of a further column: not prevented by this method, to be weighed before publishing"}
	a.Found, a.Tried = x.Alike()
	return a
}

// rareInTables reports small counts that show, and cells that vanish.
func rareInTables(x *suppress.Tables, opt suppress.Options) []report.Attack {
	return []report.Attack{
		{Kind: "rare combinations that appear", Tried: len(x.Cells), Found: x.SmallShown(opt.Threshold, opt.Against),
			Detail: fmt.Sprintf("cells of 1 to %d persons shown with their count, other than those that an earlier release shows", opt.Threshold-1)},
		{Kind: "combinations of nobody that appear, or of somebody that vanish", Tried: len(x.Cells),
			Detail: "every cell of somebody is shown or marked as hidden, and no cell of nobody is listed"},
	}
}

// oneCaseInTables reports cells that tell of one case group.
func oneCaseInTables(x *suppress.Tables, opt suppress.Options) report.Attack {
	a := report.Attack{Kind: "cells of one case group that appear",
		Detail: fmt.Sprintf("cells of fewer than %d groups, or of which one group is more than %d %%, shown with their count, other than those that an earlier release shows", suppress.MinGroups, suppress.MaxShare)}
	a.Found, a.Tried = x.OneCaseShown(opt.Against)
	return a
}

// differencing reports what earlier releases of other persons add; those of the
// same persons are part of the linear attack.
func differencing(x *suppress.Tables, opt suppress.Options, res *suppress.Result) (out []report.Attack) {
	for i, p := range res.Against {
		if p == suppress.SamePersons {
			continue
		}
		a := report.Attack{Kind: "differencing against an earlier release",
			Detail: fmt.Sprintf("%s; persons %s; figures that both show and that differ by 1 to %d", opt.Against[i].Path, p, opt.Threshold-1)}
		a.Found, a.Tried = x.SmallChanges(opt.Against[i], opt.Threshold)
		out = append(out, a)
	}
	return out
}

// dpAttacks attacks noisy tables.
func dpAttacks(ctx context.Context, t *table.Table, prog *dp.Programme, rel *dp.Release, coded *dp.Coded, b *budgeted, noise *dp.Noise) ([]report.Attack, error) {
	member, err := dpMembership(ctx, t, prog, rel, b, noise)
	if err != nil {
		return nil, err
	}
	alike := report.Attack{Kind: "attribute inference in homogeneous groups", NotPromised: true,
		Detail: "groups of 10 or more who are all alike in a further column of a table, and shown so to 95 of 100: what holds of groups is learned as intended"}
	alike.Found, alike.Tried = rel.Alike(coded.Count)
	rare := report.Attack{Kind: "rare combinations that appear", NotPromised: true, Detail: "cells of 1 to 9 persons published as a half or more: each is no more telling than the same figure for a cell of nobody"}
	made := report.Attack{Kind: "combinations of nobody that appear", NotPromised: true, Detail: "cells of nobody published as a half or more"}
	lost := report.Attack{Kind: "combinations of 10 or more that vanish", NotPromised: true, Detail: "cells of 10 persons or more published as less than a half"}
	for _, e := range rel.Errors(coded.Count) {
		switch {
		case e.From == 0:
			made.Tried, made.Found = e.Cells, e.Fabricated
		case e.To > 0 && e.To < 10:
			rare.Tried, rare.Found = e.Cells, e.Cells-e.FalseZeros
		default:
			lost.Tried += e.Cells
			lost.Found += e.FalseZeros
		}
	}
	return []report.Attack{member, alike, rare, made, lost, seriesAttack(b, rel.Rho)}, nil
}

// dpMembership measures the plan again on half the persons.
func dpMembership(ctx context.Context, t *table.Table, prog *dp.Programme, rel *dp.Release, b *budgeted, noise *dp.Noise) (report.Attack, error) {
	h, ok := cutGroups(t)
	if !ok {
		return tooFew(t), nil
	}
	counted := func(t *table.Table) *table.Table { return whoCounts(t, b.unit, noise).counted }
	var coded [4]*dp.Coded
	for i, part := range []*table.Table{counted(h.members), counted(h.pool), h.members.Ungrouped(), h.others.Ungrouped()} {
		var err error
		if coded[i], err = prog.Code(part); err != nil {
			return report.Attack{}, fmt.Errorf("attack the tables: %w", err)
		}
	}
	measured, err := rel.Plan.Measure(ctx, coded[0].Count, noise)
	if err != nil {
		return report.Attack{}, fmt.Errorf("attack the tables: %w", err)
	}
	again := &dp.Release{Measured: measured}
	in, not := h.units(again.Surprise(coded[1], coded[2]), again.Surprise(coded[1], coded[3]))
	return within(membershipAttack(in, not, h.of(), surpriseHow, attack.AUCBound(b.eps, b.delta)), noise)
}

// within refuses a release whose noise is less than stated, if it is meant to be
// private at all.
func within(a report.Attack, noise *dp.Noise) (report.Attack, error) {
	if a.Found > 0 && noise.Note() == dp.SecureNote {
		return a, fmt.Errorf("the membership attack reaches an area of %.3f where ε and δ allow %.3f: nothing was released", a.Value, a.Bound)
	}
	return a, nil
}

// seriesAttack is differencing under differential privacy: all releases together
// cost what the ledger adds up to.
func seriesAttack(b *budgeted, rho float64) report.Attack {
	p := b.privacy(rho)
	return report.Attack{Kind: "differencing against earlier releases", Tried: 1, Value: p.SpentEpsilon, Bound: b.budget.Epsilon,
		Detail: fmt.Sprintf("whatever is compared, all releases in the ledger about %q together cost the ε shown, of the ε that they may", b.population)}
}

// kAnonMembership makes records of half the persons and attacks them.
func kAnonMembership(t *table.Table, make func(*table.Table) (*table.Table, error)) (report.Attack, error) {
	h, ok := cut(t)
	if !ok {
		return tooFew(t), nil
	}
	made, err := make(h.members)
	if err != nil {
		return report.Attack{}, err
	}
	return recordsMembership(made, h, 0), nil
}

const nearnessHow = "the largest record that is part of theirs"

func recordsMembership(made *table.Table, h halves, bound float64) report.Attack {
	return membershipAttack(attack.Nearness(made, h.members), attack.Nearness(made, h.others), "persons", nearnessHow, bound)
}

// privateMembership makes private records of half the persons, as again does, and
// attacks them.
func privateMembership(t *table.Table, b *budgeted, noise *dp.Noise, again func(*table.Table) (*synth.PrivateResult, error)) (report.Attack, error) {
	h, ok := cutGroups(t)
	if !ok {
		return tooFew(t), nil
	}
	res, err := again(h.members)
	if err != nil {
		return report.Attack{}, fmt.Errorf("attack the records: %w", err)
	}
	made, err := res.Table()
	if err != nil {
		return report.Attack{}, fmt.Errorf("attack the records: %w", err)
	}
	known, made, err := table.Union(t.Ungrouped(), made)
	if err != nil {
		return report.Attack{}, fmt.Errorf("attack the records: %w", err)
	}
	in, not := h.units(attack.Nearness(made, known.Sample(h.in)), attack.Nearness(made, known.Sample(h.not)))
	return within(membershipAttack(in, not, h.of(), nearnessHow, attack.AUCBound(b.eps, b.delta)), noise)
}

// rareInRecords reports both directions for records with noise.
func rareInRecords(e *evaluate.Evaluation) []report.Attack {
	rare := report.Attack{Kind: "rare combinations that appear", NotPromised: true, Detail: fmt.Sprintf("combinations of 1 to %d real persons in the records: each is no more telling than one of nobody", e.K-1)}
	made := report.Attack{Kind: "combinations of nobody that appear", NotPromised: true, Detail: "fabricated combinations"}
	for _, l := range e.Lengths {
		rare.Found += l.Leaks
		made.Found += l.Fabricated
	}
	for _, b := range e.Bands {
		switch {
		case b.From == 0:
			made.Tried += b.Cells
		case b.To > 0 && b.To < e.K:
			rare.Tried += b.Cells
		}
	}
	return []report.Attack{rare, made, lostAttack(e)}
}

// lostAttack reports frequent combinations that vanish.
func lostAttack(e *evaluate.Evaluation) report.Attack {
	a := report.Attack{Kind: fmt.Sprintf("combinations of %d or more that vanish", e.K), NotPromised: true, Detail: "a false zero tells that nobody is there"}
	for _, l := range e.Lengths {
		a.Tried += l.Frequent
		a.Found += l.Lost
	}
	return a
}
