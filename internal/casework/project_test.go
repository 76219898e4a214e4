package casework

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"banyan/internal/journal"
	"banyan/internal/linkage"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
	"banyan/internal/vault"
)

// TestRebuiltTablesEqualTheLiveOnes writes random histories with concurrent
// and late entries through the journal, and draws everything again.
func TestRebuiltTablesEqualTheLiveOnes(t *testing.T) {
	rules := testRules(t)
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		keyring := storetest.SQLite(t)
		if err := store.Migrate(ctx, keyring, vault.Schema()); err != nil {
			t.Fatal(err)
		}
		if err := store.Migrate(ctx, db, journal.Schema(), linkage.Schema(), Schema()); err != nil {
			t.Fatal(err)
		}
		p := NewProjector(rules)
		p.LinkWith(bytes.Repeat([]byte{1}, linkage.KeySize))
		now := morning.AddDate(0, 0, 3)
		j := journal.New(db, vault.Open(keyring, vault.NewMemoryMaster(), func() time.Time { return now }), func() time.Time { return now }, p)
		cases := 0
		rapid.Check(t, func(t *rapid.T) {
			if cases++; cases > 12 { // each writes a whole case to the disk
				return
			}
			history := drawHistory(t, rules)
			if err := write(ctx, j, p, history); err != nil {
				t.Fatal(err)
			}
		})
		live := tables(t, db, p)
		if _, err := j.Rebuild(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if rebuilt := tables(t, db, p); rebuilt != live {
			t.Errorf("rebuilt:\n%s\nlive:\n%s", rebuilt, live)
		}
		fresh := NewProjector(rules)
		if _, err := fresh.Load(ctx, j, 0); err != nil {
			t.Fatal(err)
		}
		if fresh.index.Len() != p.index.Len() || p.index.Len() == 0 {
			t.Errorf("after a restart %d people are known, before it %d", fresh.index.Len(), p.index.Len())
		}
	})
}

// write gives a drawn history its own ids and appends it, folding before each
// entry as the service's check does.
func write(ctx context.Context, j *journal.Journal, p *Projector, history []journal.Opened) error {
	ids := map[string]string{}
	id := func(old string) string {
		if ids[old] == "" {
			ids[old] = uuid.Must(uuid.NewV7()).String()
		}
		return ids[old]
	}
	stream := uuid.Must(uuid.NewV7()).String()
	var drafts []journal.Draft
	for _, o := range history {
		d := journal.Draft{ID: id(o.ID), Stream: stream, Form: o.Form, FormVersion: 1, Act: o.Act, Record: o.Record, Author: o.Author, Org: "org", WrittenAt: o.WrittenAt, Answers: o.Answers}
		if strings.HasPrefix(o.Record, "0190-") {
			d.Record = id(o.Record)
		}
		for _, f := range o.Follows {
			d.Follows = append(d.Follows, id(f))
		}
		if o.Form == actOpen {
			d.Answers = map[journal.Tier]map[string]any{journal.Coded: {"code": "KH-" + stream[24:], "country": "KHM"}}
		}
		drafts = append(drafts, d)
	}
	look := func(_ context.Context, _ *store.Tx, s journal.Stream, history []journal.Opened, d journal.Draft) (journal.Draft, error) {
		p.took(p.rules.Fold(s, history))
		return d, nil
	}
	receipts, err := j.Append(ctx, journal.Write{Stream: stream, Kind: Kind, Org: "org", Drafts: drafts, Prepare: look})
	if err != nil {
		return err
	}
	for _, r := range receipts {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

func tables(t *testing.T, db *store.DB, p *Projector) string {
	t.Helper()
	var b strings.Builder
	for _, table := range p.Tables() {
		rows, err := db.Query(context.Background(), "SELECT * FROM "+table.Name)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			line := ""
			for _, v := range values {
				line += fmt.Sprintf("%x|", *v.(*any))
			}
			lines = append(lines, line)
		}
		rows.Close()
		slices.Sort(lines)
		b.WriteString(table.Name + "\n" + strings.Join(lines, "\n") + "\n")
	}
	if !strings.Contains(b.String(), "|") {
		t.Fatal("no rows at all")
	}
	return b.String()
}
