package store

// Migrations run forward only. Each room brings its own numbered files, so
// that a table's definition stands with the code that uses it; the runner
// remembers which (room, number) it has run and with which text, and refuses
// a file that was changed after it had run.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strconv"
	"strings"
)

// Schema is the tables of one room: files NNNN_name.sql in FS, run in order
// of their number.
type Schema struct {
	Room string
	FS   fs.FS
}

type migration struct {
	room   string
	number int
	name   string
	text   string
}

// Migrate brings db to the newest state of all schemas, in the order given,
// one transaction a file. Running it again changes nothing.
func Migrate(ctx context.Context, db *DB, schemas ...Schema) (err error) {
	if _, err := db.Exec(ctx, `CREATE TABLE IF NOT EXISTS migration (
		room text NOT NULL, number bigint NOT NULL, name text NOT NULL, digest text NOT NULL,
		PRIMARY KEY (room, number))`); err != nil {
		return fmt.Errorf("creating the table of migrations: %w", err)
	}
	if _, err := db.Exec(ctx, asideTable); err != nil {
		return fmt.Errorf("creating the table of indexes set aside: %w", err)
	}
	// A large table that is dropped would otherwise be written over page by page,
	// all in memory. Its pages are encrypted, and used again.
	if err := db.pragma(ctx, "secure_delete(fast)"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.pragma(ctx, "secure_delete(on)")) }()
	for _, s := range schemas {
		files, err := s.migrations()
		if err != nil {
			return fmt.Errorf("reading migrations of %s: %w", s.Room, err)
		}
		for _, m := range files {
			if err := m.run(ctx, db); err != nil {
				return fmt.Errorf("migration %s/%s: %w", m.room, m.name, err)
			}
		}
	}
	return nil
}

func (s Schema) migrations() ([]migration, error) {
	names, err := fs.Glob(s.FS, "*.sql")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	var out []migration
	for _, name := range names {
		number, err := strconv.Atoi(strings.SplitN(name, "_", 2)[0])
		if err != nil {
			return nil, fmt.Errorf("%s: a migration's name starts with its number", name)
		}
		text, err := fs.ReadFile(s.FS, name)
		if err != nil {
			return nil, err
		}
		out = append(out, migration{s.Room, number, name, string(text)})
	}
	return out, nil
}

func (m migration) run(ctx context.Context, db *DB) error {
	sum := sha256.Sum256([]byte(m.text))
	digest := hex.EncodeToString(sum[:])
	return db.Transact(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT digest FROM migration WHERE room = $1 AND number = $2`, m.room, m.number)
		if err != nil {
			return err
		}
		var had string
		found := rows.Next()
		if found {
			err = rows.Scan(&had)
		}
		rows.Close()
		if err != nil {
			return err
		}
		if found && had != digest {
			return fmt.Errorf("its text changed after it had run here; write a new file instead")
		}
		if found {
			return nil
		}
		if err := putAllBack(ctx, tx); err != nil {
			return err
		}
		for _, statement := range statements(m.text) {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("running %.60q: %w", statement, err)
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO migration (room, number, name, digest) VALUES ($1, $2, $3, $4)`,
			m.room, m.number, m.name, digest)
		return err
	})
}

// statements splits a migration at semicolons that end a line. Comment lines
// are left out.
func statements(text string) []string {
	var out []string
	var b strings.Builder
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "--") {
			continue
		}
		b.WriteString(line)
		if strings.HasSuffix(trimmed, ";") {
			out = append(out, strings.TrimSuffix(strings.TrimSpace(b.String()), ";"))
			b.Reset()
		}
	}
	if rest := strings.TrimSpace(b.String()); rest != "" {
		out = append(out, rest)
	}
	return out
}
