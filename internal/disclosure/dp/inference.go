// What an attacker learns from noisy tables: who was counted (little, and no more
// than ε allows) and what groups have in common (which is what tables are for).

package dp

// Surprise scores each person of people as the attacker does who knows the whole
// pool that the persons of r are half of: by how much the unbiased published
// cells that the person falls into exceed half of the pool's, each by its
// variance. pool and people have the domains of r.
func (r *Release) Surprise(pool, people *Coded) []float64 {
	out := make([]float64, people.Rows())
	for _, q := range r.Queries {
		shown, all, v := r.Measured.Table(q.By), pool.Count(q.By), r.StdDev(q.By)
		for i := range out {
			at := 0
			for _, d := range q.By {
				at = at*len(r.Domains[d].Labels) + int(people.codes[d][i])
			}
			out[i] += (shown[at] - float64(all[at])/2) / (float64(all[at])/4 + v*v)
		}
	}
	return out
}

// Alike counts groups, of 10 persons or more, of a table without one of its
// columns whose members are all alike in that column and of whom the published
// cells say so, to 95 of 100. It reads exact counts.
func (r *Release) Alike(exact Counts) (found, tried int) {
	for _, q := range r.Queries {
		if len(q.By) < 2 {
			continue
		}
		truth, shown := exact(q.By), r.Settled.Table(q.By)
		step := 1
		for axis := len(q.By) - 1; axis >= 0; axis-- {
			n := len(r.Domains[q.By[axis]].Labels)
			for at := range truth {
				if at/step%n != 0 {
					continue
				}
				var sum, most int64
				var shownSum, shownMost float64
				for i := range n {
					c := at + i*step
					sum, shownSum = sum+truth[c], shownSum+shown[c]
					if truth[c] > most {
						most, shownMost = truth[c], shown[c]
					}
				}
				if sum < 10 {
					continue
				}
				tried++
				if most == sum && shownMost >= 0.95*shownSum {
					found++
				}
			}
			step *= n
		}
	}
	return found, tried
}
