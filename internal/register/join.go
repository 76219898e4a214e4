package register

// One true person: several own cases of one child count once. Which cases are
// one child's is asked of the linkage tokens (package linkage), and of what
// people decided; nothing of it is stored here, so that the facts stay a pure
// function of each case. Only cases whose person agreed to statistics are
// joined.
//
// A person with several cases counts with the values of the newest case (the
// largest stream id, which begins with the time it was opened); variables that
// may have several values have those of all cases; what the newest leaves open
// comes from the next older one.

import (
	"context"
	"fmt"
	"slices"

	"banyan/internal/linkage"
	"banyan/internal/store"
)

// people are the joined persons among the own rows of a cube.
type people struct {
	pairs  map[string]map[string]linkage.Pair // by stream and other stream
	groups map[string]*person                 // by each of its streams
}

// person is one child with several cases.
type person struct {
	streams []string
	row     int32
}

// joinAll settles all persons anew.
func (r *Register) joinAll(ctx context.Context, tx *store.Tx) error {
	c := &r.cube
	c.people = people{map[string]map[string]linkage.Pair{}, map[string]*person{}}
	pairs, err := linkage.Pairs(ctx, tx)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		c.people.put(p)
	}
	return r.joinAmong(ctx, tx, pairs)
}

// joinChanged settles those persons anew whom changed cases may touch.
func (r *Register) joinChanged(ctx context.Context, tx *store.Tx, changed []string) error {
	c := &r.cube
	touched := map[string]bool{}
	for _, stream := range changed {
		touched[stream] = true
		for other := range c.people.pairs[stream] {
			touched[other] = true
			delete(c.people.pairs[other], stream)
		}
		delete(c.people.pairs, stream)
		pairs, err := linkage.PairsOf(ctx, tx, stream)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			c.people.put(p)
			touched[p.A], touched[p.B] = true, true
		}
	}
	c.people.spread(touched)
	var pairs []linkage.Pair
	for stream := range touched {
		if g := c.people.groups[stream]; g != nil {
			c.part(g)
		}
		for other, p := range c.people.pairs[stream] {
			if stream < other {
				pairs = append(pairs, p)
			}
		}
	}
	return r.joinAmong(ctx, tx, pairs)
}

func (p *people) put(pair linkage.Pair) {
	for _, at := range [][2]string{{pair.A, pair.B}, {pair.B, pair.A}} {
		if p.pairs[at[0]] == nil {
			p.pairs[at[0]] = map[string]linkage.Pair{}
		}
		p.pairs[at[0]][at[1]] = pair
	}
}

// spread adds all that hangs together with what was touched.
func (p *people) spread(touched map[string]bool) {
	var queue []string
	for s := range touched {
		queue = append(queue, s)
	}
	reach := func(s string) {
		if !touched[s] {
			touched[s] = true
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for other := range p.pairs[s] {
			reach(other)
		}
		if g := p.groups[s]; g != nil {
			for _, other := range g.streams {
				reach(other)
			}
		}
	}
}

// part lets a person's cases count by themselves again.
func (c *cube) part(g *person) {
	c.live[g.row] = false
	c.dead++
	for _, s := range g.streams {
		delete(c.people.groups, s)
		if own, ok := c.own[s]; ok {
			c.live[own.row] = true
		}
	}
}

// counts reports whether both cases of a pair have facts of a person.
func (c *cube) counts(p linkage.Pair) bool { return c.own[p.A].person && c.own[p.B].person }

// joinAmong joins the persons that pairs make.
func (r *Register) joinAmong(ctx context.Context, tx *store.Tx, pairs []linkage.Pair) error {
	c := &r.cube
	for _, streams := range linkage.Persons(slices.DeleteFunc(pairs, func(p linkage.Pair) bool { return !c.counts(p) })) {
		codes, err := r.merged(ctx, tx, streams)
		if err != nil {
			return err
		}
		row, err := c.add(0, codes)
		if err != nil {
			return err
		}
		g := &person{streams, row}
		for _, s := range streams {
			c.live[c.own[s].row] = false
			c.people.groups[s] = g
		}
	}
	return nil
}

// merged gives the packed values of a person from the facts of several cases.
func (r *Register) merged(ctx context.Context, tx *store.Tx, streams []string) (string, error) {
	var out []Value
	given := map[string]bool{} // by a newer case
	for _, stream := range slices.Backward(slices.Sorted(slices.Values(streams))) {
		var codes string
		if err := tx.QueryRow(ctx, `SELECT codes FROM register_fact WHERE stream = $1`, stream).Scan(&codes); err != nil {
			return "", fmt.Errorf("reading the facts of a person: %w", err)
		}
		values, err := Unpack(codes)
		if err != nil {
			return "", err
		}
		for _, v := range values {
			i, known := r.def.byID[v.Variable]
			if !known || given[v.Variable] && !r.def.Variables[i].Multi {
				continue
			}
			out = append(out, v)
		}
		for _, v := range values {
			given[v.Variable] = true
		}
	}
	return Pack(out), nil
}

// tally counts the cases that are counted within another one's person, and the
// near pairs that wait for a decision.
func (c *cube) tally() (joined, undecided int64) {
	seen := map[*person]bool{}
	for _, g := range c.people.groups {
		if !seen[g] {
			seen[g] = true
			joined += int64(len(g.streams) - 1)
		}
	}
	for stream, others := range c.people.pairs {
		for other, p := range others {
			if stream < other && p.Undecided() && c.counts(p) {
				undecided++
			}
		}
	}
	return joined, undecided
}
