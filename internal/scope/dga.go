package scope

// This file averages over decomposable graphs (Madigan & York 1997; R package
// dga). It promises the exact posterior on its grid, with the maximum taken
// out before any exponential, in an order of sums that does not depend on the
// number of cores.
//
// It also never fails: with no overlap at all, or with a large prior weight
// per cell, it answers with its prior. That is why its prior weight, grid cap
// and the weight of the saturated graph are always shown.

import (
	"context"
	"math"
	"sort"
)

// Averaged is the posterior of the number of people over a grid.
type Averaged struct {
	Median, Low, High, Mode float64 // points of the grid
	Mean                    float64
	Delta                   float64
	GridFrom, GridTo        float64 // smallest and largest number of people considered
	GridPoints, Graphs      int
	SaturatedShare          float64 // posterior of the graph that says nothing about the unseen
	EdgeShare               float64 // posterior mass in the top 1 % of the grid: the cap is acting
	Top                     []GraphShare
	Grid, Density           []float64
}

// GraphShare is one graph's posterior.
type GraphShare struct {
	Graph string
	Share float64
}

// Grid is the numbers not seen: size points from 1 to cap·n, rounded.
func Grid(n float64, size int, limit float64) []float64 {
	var grid []float64
	last := 0.0
	top := math.Max(1, limit*n)
	for i := range size {
		x := 1.0
		if size > 1 {
			x = math.RoundToEven(1 + (top-1)*float64(i)/float64(size-1))
		}
		if x > last {
			grid = append(grid, x)
			last = x
		}
	}
	return grid
}

// Average computes the posterior on the grid of numbers not seen.
func Average(ctx context.Context, t *Table, delta float64, missing []float64, withSaturated bool, o Options) (*Averaged, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.T() > maxGraphLists {
		return nil, refuse("averaging over decomposable graphs is offered up to %d lists", maxGraphLists)
	}
	if delta <= 0 {
		delta = math.Pow(2, -float64(t.T()))
	}
	if len(missing) == 0 {
		return nil, refuse("the grid has no points")
	}
	all := graphs(t.T())
	d := &dgaRun{t: t, grid: missing, graphs: all, withSaturated: withSaturated}
	d.prepare(delta)
	if err := d.sweep(ctx, o.team()); err != nil {
		return nil, err
	}
	return d.summary(delta)
}

// dgaRun is one computation. The margins' log h over the grid are shared by
// all graphs; a graph's log posterior is a sum of a few of them.
type dgaRun struct {
	t             *Table
	grid          []float64
	graphs        []graph
	withSaturated bool
	base          []float64   // prior and multinomial coefficient, per grid point
	logh          [][]float64 // per margin
	mass          []float64   // log of the posterior mass per graph
	density       []float64
}

func (d *dgaRun) prepare(delta float64) {
	k := d.t.T()
	n := float64(d.t.Observed())
	total := math.Pow(2, float64(k)) * delta
	d.base = make([]float64, len(d.grid))
	whole := make([]float64, len(d.grid))
	for i, m := range d.grid {
		N := n + m
		d.base[i] = -math.Log(N) + lgamma(N+1) - lgamma(m+1)
		whole[i] = lgamma(total) - lgamma(N+total)
	}
	d.logh = make([][]float64, 1<<k)
	cells := make([]float64, 1<<k)
	for set := 1; set < 1<<k; set++ {
		clear(cells)
		size := 0
		for b := set; b != 0; b &= b - 1 {
			size++
		}
		for h, c := range d.t.Counts {
			cells[h&set] += float64(c)
		}
		weight := math.Pow(2, float64(k-size)) * delta
		fixed := 0.0
		none := lgamma(weight)
		for sub := set; sub != 0; sub = (sub - 1) & set {
			fixed += lgamma(cells[sub]+weight) - none
		}
		row := make([]float64, len(d.grid))
		for i, m := range d.grid {
			row[i] = whole[i] + fixed + lgamma(cells[0]+m+weight) - none
		}
		d.logh[set] = row
	}
}

// part is what one block of graphs adds up to, relative to exp(top).
type part struct {
	top     float64
	density []float64
}

// negligible is how far below the largest so far (in log) a graph's mass no
// longer changes a sum of doubles over all graphs.
const negligible = 60

func (d *dgaRun) sweep(ctx context.Context, w team) error {
	const block = 512
	blocks := (len(d.graphs) + block - 1) / block
	parts := make([]part, blocks)
	d.mass = make([]float64, len(d.graphs))
	buffers := make([][]float64, w.cores)
	err := w.each(ctx, "decomposable graphs", blocks, func(worker, b int) {
		if buffers[worker] == nil {
			buffers[worker] = make([]float64, len(d.grid))
		}
		p := part{math.Inf(-1), make([]float64, len(d.grid))}
		for g := b * block; g < min(len(d.graphs), (b+1)*block); g++ {
			d.mass[g] = d.add(&p, &d.graphs[g], buffers[worker])
		}
		parts[b] = p
	})
	if err != nil {
		return err
	}
	top := math.Inf(-1)
	for _, p := range parts {
		top = math.Max(top, p.top)
	}
	d.density = make([]float64, len(d.grid))
	for _, p := range parts {
		scale := math.Exp(p.top - top)
		for i, v := range p.density {
			d.density[i] += v * scale
		}
	}
	return nil
}

// add puts one graph into the part and gives the log of its mass.
func (d *dgaRun) add(p *part, g *graph, buf []float64) float64 {
	if g.saturated() && !d.withSaturated {
		return math.Inf(-1)
	}
	copy(buf, d.base)
	for _, set := range g.num {
		for i, v := range d.logh[set][:len(buf)] {
			buf[i] += v
		}
	}
	for _, set := range g.den {
		for i, v := range d.logh[set][:len(buf)] {
			buf[i] -= v
		}
	}
	peak := math.Inf(-1)
	for _, v := range buf {
		if v > peak {
			peak = v
		}
	}
	if peak < p.top-negligible && !g.saturated() {
		return peak // not its mass, but far too small to be shown
	}
	if peak > p.top {
		scale := math.Exp(p.top - peak)
		for i := range p.density {
			p.density[i] *= scale
		}
		p.top = peak
	}
	scale, mass := math.Exp(peak-p.top), 0.0
	for i, v := range buf {
		if v > peak-negligible {
			e := math.Exp(v - peak)
			mass += e
			p.density[i] += e * scale
		}
	}
	return peak + math.Log(mass)
}

func (d *dgaRun) summary(delta float64) (*Averaged, error) {
	n := float64(d.t.Observed())
	total := 0.0
	for _, v := range d.density {
		total += v
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return nil, refuse("the posterior over decomposable graphs is empty")
	}
	a := &Averaged{Delta: delta, GridPoints: len(d.grid), Graphs: len(d.graphs),
		GridFrom: n + d.grid[0], GridTo: n + d.grid[len(d.grid)-1]}
	a.Grid, a.Density = make([]float64, len(d.grid)), make([]float64, len(d.grid))
	best := 0
	for i, v := range d.density {
		a.Grid[i], a.Density[i] = n+d.grid[i], v/total
		a.Mean += a.Grid[i] * a.Density[i]
		if v > d.density[best] {
			best = i
		}
		if d.grid[i] > d.grid[0]+0.99*(d.grid[len(d.grid)-1]-d.grid[0]) {
			a.EdgeShare += a.Density[i]
		}
	}
	a.Mode = a.Grid[best]
	a.Low, a.Median, a.High = a.quantile(0.025), a.quantile(0.5), a.quantile(0.975)
	d.shares(a)
	return a, nil
}

// quantile is the first grid point whose cumulative mass reaches p.
func (a *Averaged) quantile(p float64) float64 {
	sum := 0.0
	for i, v := range a.Density {
		if sum += v; sum >= p {
			return a.Grid[i]
		}
	}
	return a.Grid[len(a.Grid)-1]
}

const shownGraphs = 5

// shares fills the posterior of the graphs.
func (d *dgaRun) shares(a *Averaged) {
	top := math.Inf(-1)
	for _, m := range d.mass {
		top = math.Max(top, m)
	}
	total := 0.0
	for _, m := range d.mass {
		total += math.Exp(m - top)
	}
	order := make([]int, len(d.mass))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return d.mass[order[i]] > d.mass[order[j]] })
	for _, i := range order[:min(shownGraphs, len(order))] {
		a.Top = append(a.Top, GraphShare{d.graphs[i].name(d.t), math.Exp(d.mass[i]-top) / total})
	}
	for i := range d.graphs {
		if d.graphs[i].saturated() {
			a.SaturatedShare = math.Exp(d.mass[i]-top) / total
		}
	}
}
