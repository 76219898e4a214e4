// The unit of protection of releases with noise: a person, or a whole case group
// of whom a declared number is counted.

package main

import (
	"fmt"
	"io"

	"banyan/internal/disclosure/dp"
	"banyan/internal/disclosure/report"
	"banyan/internal/disclosure/table"
)

// unit is whose presence the release hides.
func (p privacyFlags) unit() (dp.Unit, error) {
	switch {
	case *p.group == "" && p.set()["group-cap"]:
		return dp.Unit{}, misuse("--group-cap without --group: name the column of the case group")
	case *p.group == "":
		return dp.Unit{}, nil
	case !p.set()["group-cap"]:
		return dp.Unit{}, misuse("--group with noise needs --group-cap: the most persons of a case group that are counted. Noise grows with it, so it is policy, chosen without looking at the data")
	}
	unit, err := dp.NewUnit(*p.groupCap)
	if err != nil {
		return unit, misuse("--group-cap: %v", err)
	}
	return unit, nil
}

// counting is who of the persons of a table is counted, and what the rule costs.
type counting struct {
	unit         dp.Unit
	all, counted *table.Table // all: without case groups
	left, groups int          // persons whom the cap leaves out, and of how many groups
}

// whoCounts draws who is counted. It is done once for all that a release measures.
func whoCounts(t *table.Table, unit dp.Unit, noise *dp.Noise) counting {
	c := counting{unit: unit, all: t.Ungrouped(), counted: t}
	if unit.Cap > 0 {
		c.counted = unit.Count(t, noise)
		c.left, c.groups = t.LeftOut(unit.Cap)
	}
	return c
}

// state says in the report, which is not for publication, what the cap did.
func (c counting) state(r *report.Report) {
	if c.unit.Cap == 0 {
		r.NoPromise = append(r.NoPromise, "A case group of g persons is protected as a person is at g times the epsilon (see --group).")
		return
	}
	r.Parameters["group_cap"] = c.unit.Cap
	r.Parameters["persons_left_out_by_the_cap"], r.Parameters["case_groups_larger_than_the_cap"] = c.left, c.groups
	r.NoPromise = append(r.NoPromise,
		fmt.Sprintf("Counts and intervals are about the persons who are counted, at most %d of a case group: say so where you publish. %d persons of %d larger groups were left out, at random; these two numbers are exact and not for publication. Errors in this report are against all persons, so they hold what the cap took, and large counts lie outside their intervals.", c.unit.Cap, c.left, c.groups))
}

// say tells the same without the number, which the data bound by nothing.
func (c counting) say(w io.Writer) {
	if c.unit.Cap > 0 {
		fmt.Fprintf(w, "whole case groups are protected; at most %d persons of each are counted (report.json, not for publication, says how many that leaves out)\n", c.unit.Cap)
	}
}
