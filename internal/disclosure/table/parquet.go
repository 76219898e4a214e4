// Parquet files: flat columns of strings, numbers or booleans; a list column
// (repeated values) is read as multi-valued.

package table

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/parquet-go/parquet-go"
)

func readParquet(f *os.File, opt Options) (t *Table, err error) {
	// The library panics on some damaged files; a damaged file is bad input.
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, &InputError{Reason: fmt.Sprintf("not a readable Parquet file: %v", r)}
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", f.Name(), err)
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, &InputError{Reason: fmt.Sprintf("not a readable Parquet file: %v", err)}
	}
	leaf, head := leaves(file.Schema())
	rd, err := newReading(head, opt)
	if err != nil {
		return nil, err
	}
	fields := make([]string, len(head))
	buf := make([]parquet.Row, 256)
	line := 1
	for _, group := range file.RowGroups() {
		rows := group.Rows()
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				line++
				rd.parquetRow(row, leaf, fields)
				if err := rd.add(fields, func() int { return line }); err != nil {
					rows.Close()
					return nil, err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				rows.Close()
				return nil, &InputError{Line: line, Reason: fmt.Sprintf("damaged Parquet file: %v", err)}
			}
		}
		rows.Close()
	}
	return rd.finish()
}

// leaves names the top-level field of every leaf column.
func leaves(s *parquet.Schema) (leaf []int, head []string) {
	at := map[string]int{}
	for _, path := range s.Columns() {
		i, ok := at[path[0]]
		if !ok {
			i = len(head)
			at[path[0]] = i
			head = append(head, path[0])
		}
		leaf = append(leaf, i)
	}
	return leaf, head
}

func (rd *reading) parquetRow(row parquet.Row, leaf []int, fields []string) {
	for i := range fields {
		fields[i] = ""
	}
	for _, v := range row {
		if v.IsNull() {
			continue
		}
		i := leaf[v.Column()]
		if fields[i] != "" {
			fields[i] += ";"
			if take := rd.take[i]; take >= 0 {
				rd.columns[take].multi = true
			}
		}
		fields[i] += strings.TrimSpace(v.String())
	}
}
