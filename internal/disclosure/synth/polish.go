// Polishing: records are changed one code at a time, wherever that brings all
// measured tables together nearer to what was measured. It reads no data:
// post-processing.

package synth

import (
	"context"

	"banyan/internal/disclosure/dp"
)

// view is a measured table as one of its columns sees it.
type view struct {
	off       []float64 // records less target, by cell
	weight    float64   // by the inverse of a cell's variance
	step      int       // from one code of the column to the next
	other     int       // the table's other column, or -1
	otherStep int
}

// polisher holds the records row by row, since all columns of one are looked at
// together.
type polisher struct {
	domains []dp.Domain
	rows    []uint16
	views   [][]view  // domain → its tables
	weights []float64 // domain → the sum of their weights
	at      []int     // table → cell of the record looked at, at the column's first code
}

func (p *private) polisher(targets []target) *polisher {
	nd := len(p.codes)
	s := &polisher{domains: p.data.Domains, rows: make([]uint16, p.rows*nd), views: make([][]view, nd), weights: make([]float64, nd)}
	for d, codes := range p.codes {
		for i, c := range codes {
			s.rows[i*nd+d] = c
		}
	}
	for _, t := range targets {
		a, b, nb := t.by[0], -1, 1
		if len(t.by) == 2 {
			b = t.by[1]
			nb = len(p.data.Domains[b].Labels)
		}
		off := make([]float64, len(t.cells))
		for c, x := range t.cells {
			off[c] = -x
		}
		for i := range p.rows {
			c := int(p.codes[a][i]) * nb
			if b >= 0 {
				c += int(p.codes[b][i])
			}
			off[c]++
		}
		sd := p.m.StdDev(t.by)
		w := 1 / (sd * sd)
		s.views[a] = append(s.views[a], view{off, w, nb, b, 1})
		s.weights[a] += w
		if b >= 0 {
			s.views[b] = append(s.views[b], view{off, w, 1, a, nb})
			s.weights[b] += w
		}
	}
	for _, v := range s.views {
		if len(v) > len(s.at) {
			s.at = make([]int, len(v))
		}
	}
	return s
}

// tries is how many codes of a long list are tried in a sweep: as many that other
// records have, and as many of any.
const tries = 4

// polish sweeps over all records in random order.
func (p *private) polish(ctx context.Context, targets []target, sweeps int) error {
	s := p.polisher(targets)
	nd := len(p.codes)
	for range sweeps {
		for n, i := range p.rng.Perm(p.rows) {
			if n%4096 == 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			row := s.rows[i*nd : i*nd+nd]
			for d := range row {
				s.look(row, d)
				now := s.distance(d, row[d])
				best, code := now-s.weights[d], row[d]
				try := func(c uint16) {
					if c == row[d] {
						return
					}
					if x := s.distance(d, c); x < best {
						best, code = x, c
					}
				}
				if codes := len(s.domains[d].Labels); codes <= 2*tries {
					for c := range codes {
						try(uint16(c))
					}
				} else {
					for range tries {
						try(s.rows[p.rng.IntN(p.rows)*nd+d])
						try(uint16(p.rng.IntN(codes)))
					}
				}
				if code != row[d] {
					s.move(d, row[d], code)
					row[d] = code
				}
			}
		}
	}
	for d, codes := range p.codes {
		for i := range codes {
			codes[i] = s.rows[i*nd+d]
		}
	}
	return nil
}

// look finds the record's cells in the tables of column d.
func (s *polisher) look(row []uint16, d int) {
	for k := range s.views[d] {
		v := &s.views[d][k]
		s.at[k] = 0
		if v.other >= 0 {
			s.at[k] = int(row[v.other]) * v.otherStep
		}
	}
}

// distance is half of what a record more with code c of column d adds to the
// weighted squares of what the tables are off by, but for a constant. A change of
// code from a to b is for the better where distance(a) - distance(b) is more than
// the column's weights: (x-1)² + (y+1)² < x² + y².
func (s *polisher) distance(d int, c uint16) (sum float64) {
	for k := range s.views[d] {
		v := &s.views[d][k]
		sum += v.weight * v.off[s.at[k]+int(c)*v.step]
	}
	return sum
}

// move gives the record another code of column d.
func (s *polisher) move(d int, from, to uint16) {
	for k := range s.views[d] {
		v := &s.views[d][k]
		v.off[s.at[k]+int(from)*v.step]--
		v.off[s.at[k]+int(to)*v.step]++
	}
}
