// Writing: a table as CSV, and the rule that a command's output appears whole
// or not at all.

package table

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteCSV writes the table with its header; values of a multi-valued column
// are joined with ';'.
func (t *Table) WriteCSV(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<18)
	c := csv.NewWriter(out)
	names := make([]string, len(t.Columns))
	for i, col := range t.Columns {
		names[i] = col.Name
	}
	if err := c.Write(names); err != nil {
		return err
	}
	var fields []string
	for i := range t.Rows() {
		fields = t.fields(t.Row(i), fields)
		if len(fields) == 1 && fields[0] == "" {
			fields[0] = " " // a lone empty field would be a blank line, which readers skip
		}
		if err := c.Write(fields); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return out.Flush()
}

// Atomic has fill write into a new folder beside out and renames it to out when
// fill succeeded. After a failure, also of the machine, out does not exist; an
// existing out is refused, so that no release is overwritten.
func Atomic(out string, fill func(dir string) error) (err error) {
	if err := Absent(out); err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(out))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("make the folder of the output: %w", err)
	}
	tmp, err := os.MkdirTemp(parent, ".release-*")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer os.RemoveAll(tmp) // after the rename there is nothing to remove
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := fill(tmp); err != nil {
		return err
	}
	if err := Absent(out); err != nil {
		return err
	}
	if err := os.Rename(tmp, out); err != nil {
		return fmt.Errorf("move the finished output into place: %w", err)
	}
	return nil
}

// AtomicFile is Atomic for an output of one file.
func AtomicFile(out string, fill func(w io.Writer) error) error {
	if err := Absent(out); err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(out))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("make the folder of the output: %w", err)
	}
	tmp, err := os.CreateTemp(parent, ".release-*")
	if err != nil {
		return fmt.Errorf("make a temporary file: %w", err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := fill(tmp); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), out); err != nil {
		return fmt.Errorf("move the finished output into place: %w", err)
	}
	return nil
}

// Absent refuses an output that is not named or is there already, before any work.
func Absent(out string) error {
	if out == "" {
		return &InputError{Reason: "name the output with --out"}
	}
	if _, err := os.Lstat(out); err == nil {
		return &InputError{Reason: fmt.Sprintf("%s exists already: a release is never overwritten, choose another name", out)}
	}
	return nil
}
