// Package evaluate compares a release with the sensitive data that it stands
// for, cell by cell: what was lost, what was invented, how far counts are off,
// and whether anything rare leaked. Two sets of measures stand side by side:
// those of the Synthetic Data Showcase (preservation and proportional error over
// combinations that occur in the synthetic data), and ours, taken over the union
// of what occurs in either, so that neither suppression nor fabrication can hide.
package evaluate

import (
	"math"

	"banyan/internal/disclosure/count"
	"banyan/internal/disclosure/table"
)

// Band is a range of sensitive counts for combinations of one length.
type Band struct {
	Length int `json:"length"`
	From   int `json:"from"` // 0 to 0: combinations that occur in the release only
	To     int `json:"to"`   // 0: no upper end
	Cells  int `json:"cells"`
	// Suppressed cells occur in the sensitive data and not in the release; in
	// bands from k up that is a loss. FalseZeros is their share.
	Suppressed  int     `json:"suppressed"`
	FalseZeros  float64 `json:"false_zeros"`
	Fabricated  int     `json:"fabricated"`
	MeanError   float64 `json:"mean_absolute_error"`
	MeanRelErr  float64 `json:"mean_relative_error"`
	Preserved   float64 `json:"preserved"` // mean of min(1, released/sensitive)
	OverCounted int     `json:"over_counted"`
}

// Length is the summary for combinations of one length.
type Length struct {
	Length         int     `json:"length"`
	Frequent       int     `json:"occurring_k_or_more"`
	Lost           int     `json:"lost"`
	LostPercent    float64 `json:"lost_percent"`
	Leaks          int     `json:"leaks"`           // rarer than k in the sensitive data (at least one person), yet released
	Fabricated     int     `json:"fabricated"`      // nobody in the sensitive data, yet released
	TotalVariation float64 `json:"total_variation"` // distance of the two distributions over combinations
	Preserved      float64 `json:"preserved"`       // over frequent combinations
	MeanRelErr     float64 `json:"mean_relative_error"`
}

// SDS holds the measures as the Synthetic Data Showcase defines them.
type SDS struct {
	Preservation      float64 `json:"preservation"`       // mean min(1, synthetic/sensitive) over synthetic combinations
	ProportionalError float64 `json:"proportional_error"` // mean |synthetic-sensitive|/sensitive, 1 where sensitive = 0
	CombinationLoss   float64 `json:"combination_loss"`   // 1 - preservation, averaged over count bands 10, 20, 40 …
	Leaked            int     `json:"leaked_combinations"`
}

// Group shows how one small group fares: every value of the chosen columns.
type Group struct {
	Value     string `json:"value"`
	Sensitive int    `json:"sensitive"`
	Released  int    `json:"released"`
	Pairs     int    `json:"pairs_k_or_more"` // pairs of this value with another that occur k times or more
	LostPairs int    `json:"lost_pairs"`
}

// Evaluation is the whole comparison.
type Evaluation struct {
	K       int      `json:"k"`
	RowsIn  int      `json:"rows_in"`
	RowsOut int      `json:"rows_out"`
	Lengths []Length `json:"lengths"`
	Bands   []Band   `json:"bands"`
	SDS     SDS      `json:"sds"`
	Groups  []Group  `json:"groups"`
	ByTwo   *ByTwo   `json:"by_two_columns,omitempty"` // where two columns were named
	// WholeRows counts released rows that, taken whole, are part of fewer than k
	// sensitive rows: rare at a length beyond the one that was protected.
	WholeRows int `json:"rows_rarer_than_k_as_a_whole"`
	// Alike counts pairs of attributes whose holders, k or more, all have a further
	// attribute, in the sensitive data and visibly so in the release: whoever is
	// known to have the pair is known to have the third. AlikeOf is the pairs looked
	// at. Neither k-anonymity nor noise of a useful size prevents this.
	Alike   int `json:"homogeneous_pairs"`
	AlikeOf int `json:"pairs_released"`
}

// Edges of the count bands, after 0.
var edges = []int{1, 10, 20, 50, 100, 1000, 10000}

// Compare evaluates released microdata against sensitive microdata. released
// must be in sensitive's attribute numbers (table.Translate).
func Compare(sensitive, released *table.Table, k, length int) *Evaluation {
	sd, rd := sensitive.Distinct(), released.Distinct()
	sen := count.Combinations(sd, length, 1)
	rel := count.Combinations(rd, length, 1)
	e := &Evaluation{K: k, RowsIn: sensitive.Rows(), RowsOut: released.Rows(), Lengths: make([]Length, length)}
	e.cells(sen, rel, k, length)
	e.groups(sensitive, sen, rel, k)
	if length >= 3 {
		e.alike(sen, rel, k)
	}
	e.WholeRows = wholeRows(sd, rd, k)
	return e
}

// merge walks two sorted lists of combinations as one.
func merge(sen, rel []count.Combo, f func(key count.Key, s, r uint32)) {
	for i, j := 0, 0; i < len(sen) || j < len(rel); {
		switch {
		case j == len(rel) || i < len(sen) && sen[i].Key < rel[j].Key:
			f(sen[i].Key, sen[i].N, 0)
			i++
		case i == len(sen) || rel[j].Key < sen[i].Key:
			f(rel[j].Key, 0, rel[j].N)
			j++
		default:
			f(sen[i].Key, sen[i].N, rel[j].N)
			i, j = i+1, j+1
		}
	}
}

func (e *Evaluation) cells(sen, rel []count.Combo, k, length int) {
	bands := make([]Band, length*(len(edges)+1))
	for i := range bands {
		b := &bands[i]
		b.Length = i/(len(edges)+1) + 1
		if n := i % (len(edges) + 1); n > 0 {
			b.From = edges[n-1]
			if n < len(edges) {
				b.To = edges[n] - 1
			}
		}
	}
	type sdsBand struct{ n, preserved float64 }
	sds := map[int]*sdsBand{}
	var sumS, sumR = make([]float64, length), make([]float64, length)
	merge(sen, rel, func(key count.Key, s, r uint32) {
		sumS[key.Len()-1] += float64(s)
		sumR[key.Len()-1] += float64(r)
	})
	var cells, preserved, propErr float64
	merge(sen, rel, func(key count.Key, s, r uint32) {
		l := key.Len() - 1
		le := &e.Lengths[l]
		b := &bands[l*(len(edges)+1)+bandOf(s)]
		diff := math.Abs(float64(s) - float64(r))
		relErr, kept := 1.0, 0.0
		if s > 0 {
			relErr, kept = diff/float64(s), min(1, float64(r)/float64(s))
		}
		b.Cells++
		b.MeanError += diff
		b.MeanRelErr += relErr
		b.Preserved += kept
		le.TotalVariation += math.Abs(share(s, sumS[l])-share(r, sumR[l])) / 2
		switch {
		case s == 0:
			b.Fabricated++
			le.Fabricated++
		case r == 0:
			b.Suppressed++
		case r > s:
			b.OverCounted++
		}
		if s >= uint32(k) {
			le.Frequent++
			le.Preserved += kept
			le.MeanRelErr += relErr
			if r == 0 {
				le.Lost++
			}
		} else if s > 0 && r > 0 {
			le.Leaks++
			e.SDS.Leaked++
		}
		if r > 0 {
			cells++
			preserved += kept
			propErr += relErr
			edge := 10
			for uint32(edge) < r {
				edge *= 2
			}
			if sds[edge] == nil {
				sds[edge] = &sdsBand{}
			}
			sds[edge].n++
			sds[edge].preserved += kept
		}
	})
	for _, b := range bands {
		if b.Cells == 0 {
			continue
		}
		n := float64(b.Cells)
		b.MeanError, b.MeanRelErr, b.Preserved = b.MeanError/n, b.MeanRelErr/n, b.Preserved/n
		b.FalseZeros = float64(b.Suppressed) / n
		e.Bands = append(e.Bands, b)
	}
	for i := range e.Lengths {
		l := &e.Lengths[i]
		l.Length = i + 1
		if n := float64(l.Frequent); n > 0 {
			l.LostPercent, l.Preserved, l.MeanRelErr = 100*float64(l.Lost)/n, l.Preserved/n, l.MeanRelErr/n
		}
	}
	if cells > 0 {
		e.SDS.Preservation, e.SDS.ProportionalError = preserved/cells, propErr/cells
		edgesSeen := 0.0
		for edge := 10; edge < 1<<40; edge *= 2 { // in order, for one result every time
			if b := sds[edge]; b != nil {
				e.SDS.CombinationLoss += 1 - b.preserved/b.n
				edgesSeen++
			}
		}
		e.SDS.CombinationLoss /= edgesSeen
	}
}

func share(n uint32, sum float64) float64 {
	if sum == 0 {
		return 0
	}
	return float64(n) / sum
}

func bandOf(n uint32) int {
	i := 0
	for i < len(edges) && n >= uint32(edges[i]) {
		i++
	}
	return i
}

// groups follows each value that occurs k times or more, so that a country's
// children cannot vanish behind a good average.
func (e *Evaluation) groups(t *table.Table, sen, rel []count.Combo, k int) {
	at := make([]Group, len(t.Attrs))
	var attrs []table.Attr
	merge(sen, rel, func(key count.Key, s, r uint32) {
		attrs = key.Attrs(attrs)
		switch {
		case len(attrs) == 1:
			at[attrs[0]].Sensitive, at[attrs[0]].Released = int(s), int(r)
		case len(attrs) == 2 && s >= uint32(k):
			for _, a := range attrs {
				at[a].Pairs++
				if r == 0 {
					at[a].LostPairs++
				}
			}
		}
	})
	for a, g := range at {
		if g.Sensitive >= k {
			g.Value = t.Label(table.Attr(a))
			e.Groups = append(e.Groups, g)
		}
	}
}

// alike finds homogeneous groups: triples as frequent as one of their pairs.
func (e *Evaluation) alike(sen, rel []count.Combo, k int) {
	type both struct{ s, r uint32 }
	pairs := map[count.Key]both{}
	found := map[count.Key]bool{}
	var a []table.Attr
	merge(sen, rel, func(key count.Key, s, r uint32) {
		if key.Len() == 2 && s >= uint32(k) && r > 0 {
			pairs[key] = both{s, r}
		}
	})
	merge(sen, rel, func(key count.Key, s, r uint32) {
		if r == 0 || key.Len() != 3 {
			return
		}
		a = key.Attrs(a)
		for _, pair := range []count.Key{count.KeyOf(a[0], a[1]), count.KeyOf(a[0], a[2]), count.KeyOf(a[1], a[2])} {
			if p, ok := pairs[pair]; ok && p.s == s && p.r == r {
				found[pair] = true
			}
		}
	})
	e.Alike, e.AlikeOf = len(found), len(pairs)
}

// wholeRows counts released rows whose whole occurs in 1 … k-1 sensitive rows,
// or in none.
func wholeRows(sd, rd *table.Distinct, k int) int {
	lists := count.Postings(sd)
	n := 0
	for i := range rd.Rows() {
		if row := rd.Row(i); len(row) > 0 && support(sd, lists, row, k) < k {
			n += int(rd.Weight[i])
		}
	}
	return n
}

// support counts the persons of sd who have every attribute of row, up to k.
func support(sd *table.Distinct, lists [][]uint32, row []table.Attr, k int) int {
	short := lists[row[0]]
	for _, a := range row {
		if len(lists[a]) < len(short) {
			short = lists[a]
		}
	}
	n := 0
	for _, r := range short {
		if containsAll(sd.Row(int(r)), row) {
			if n += int(sd.Weight[r]); n >= k {
				return n
			}
		}
	}
	return n
}

// containsAll reports whether sorted a holds every element of sorted b.
func containsAll(a, b []table.Attr) bool {
	i := 0
	for _, x := range b {
		for i < len(a) && a[i] < x {
			i++
		}
		if i == len(a) || a[i] != x {
			return false
		}
		i++
	}
	return true
}

// OneCaseRows counts released rows that, taken whole, are shared by persons of one
// case group only, or by nobody. sensitive knows its groups.
func OneCaseRows(sensitive, released *table.Table) int {
	sd, rd := sensitive.Distinct(), released.Distinct()
	lists := count.Postings(sd)
	n := 0
	for i := range rd.Rows() {
		if row := rd.Row(i); len(row) > 0 && !severalCases(sd, lists, row) {
			n += int(rd.Weight[i])
		}
	}
	return n
}

func severalCases(sd *table.Distinct, lists [][]uint32, row []table.Attr) bool {
	short := lists[row[0]]
	for _, a := range row {
		if len(lists[a]) < len(short) {
			short = lists[a]
		}
	}
	seen := map[uint32]bool{}
	for _, r := range short {
		if containsAll(sd.Row(int(r)), row) {
			if seen[sd.Group[r]] = true; len(seen) > 1 || sd.Group[r] == table.Several {
				return true
			}
		}
	}
	return false
}
