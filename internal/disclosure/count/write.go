// The file of aggregates: combinations and protected counts.

package count

import (
	"bufio"
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"banyan/internal/disclosure/table"
)

// RoundDown gives n rounded down to a multiple of k, the "reporting resolution"
// of k-anonymous aggregates.
func RoundDown(n uint32, k int) uint32 {
	if k < 2 {
		return n
	}
	return n - n%uint32(k)
}

// WriteAggregates writes selections,protected_count: the combination as
// column:value;column:value in column order, its count rounded down to a
// multiple of k. Combinations rarer than k must not be among combos.
func WriteAggregates(w io.Writer, t *table.Table, combos []Combo, k int) error {
	out := bufio.NewWriterSize(w, 1<<18)
	c := csv.NewWriter(out)
	if err := c.Write([]string{"selections", "protected_count"}); err != nil {
		return err
	}
	labels := make([]string, len(t.Attrs))
	for a := range t.Attrs {
		labels[a] = t.Label(table.Attr(a))
	}
	var attrs []table.Attr
	var parts []string
	for _, x := range combos {
		attrs = x.Key.Attrs(attrs)
		parts = parts[:0]
		for _, a := range attrs {
			parts = append(parts, labels[a])
		}
		if err := c.Write([]string{strings.Join(parts, ";"), strconv.FormatUint(uint64(RoundDown(x.N, k)), 10)}); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return out.Flush()
}
