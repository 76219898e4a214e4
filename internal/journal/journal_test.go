package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"banyan/internal/journal"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
	"banyan/internal/vault"
)

// clock gives each call a later instant.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(time.Second)
	return c.t
}

// titles is a projection for tests: one row a stream with its sealed title
// and the number of its records.
type titles struct{}

func (titles) Name() string          { return "titles" }
func (titles) Tables() []store.Table { return []store.Table{titleShape} }
func (titles) Draw(s journal.Stream, history []journal.Opened, seal journal.Seal) ([]store.Rows, error) {
	if s.Erased() {
		return nil, nil
	}
	records := journal.Fold(history, journal.AllWhole)
	var names []string
	for _, r := range records {
		names = append(names, fmt.Sprintf("%s=%v disputed=%v", r.ID, r.Fields["name"].Value, r.InDispute()))
	}
	sort.Strings(names)
	cell, err := seal(journal.Identity, "title", []byte(strings.Join(names, ";")))
	if err != nil {
		return nil, err
	}
	return []store.Rows{{Table: titleShape, Rows: [][]any{{cell, len(records)}}}}, nil
}

var titleShape = store.Table{Name: "title", Key: 1, Columns: []string{"stream", "sealed", "records"}}

const titleTable = `CREATE TABLE IF NOT EXISTS title (stream text PRIMARY KEY, sealed bytea, records bigint)`

// house is a journal on one engine with its keyring.
type house struct {
	db      *store.DB
	keyring *store.DB
	vault   *vault.Vault
	journal *journal.Journal
	clock   *clock
}

func newHouse(t testing.TB, db *store.DB) *house {
	t.Helper()
	ctx := context.Background()
	h := &house{db: db, keyring: storetest.SQLite(t), clock: newClock()}
	if err := store.Migrate(ctx, db, journal.Schema()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ctx, titleTable); err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(ctx, h.keyring, vault.Schema()); err != nil {
		t.Fatal(err)
	}
	h.vault = vault.Open(h.keyring, vault.NewMemoryMaster(), h.clock.now)
	h.journal = journal.New(db, h.vault, h.clock.now, titles{})
	return h
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (h *house) draft(stream, record string, act journal.Act, name string, follows ...string) journal.Draft {
	return journal.Draft{ID: newID(), Stream: stream, Form: "registration", FormVersion: 1, Act: act, Record: record,
		Follows: follows, Author: "u1", Org: "o1", Device: "d1", WrittenAt: h.clock.now(),
		Answers: map[journal.Tier]map[string]any{
			journal.Identity: {"name": name}, journal.Coded: {"sex": "female", "age": 14}}}
}

func (h *house) append(t testing.TB, stream string, drafts ...journal.Draft) []journal.Receipt {
	t.Helper()
	rs, err := h.journal.Append(context.Background(), journal.Write{Stream: stream, Kind: "case", Org: "o1", Drafts: drafts})
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func (h *house) mustAccept(t testing.TB, stream string, drafts ...journal.Draft) {
	t.Helper()
	for _, r := range h.append(t, stream, drafts...) {
		if r.Status != journal.Accepted {
			t.Fatalf("got %s (%v), want accepted", r.Status, r.Err)
		}
	}
}

func (h *house) history(t testing.TB, stream string, tiers ...journal.Tier) []journal.Opened {
	t.Helper()
	var out []journal.Opened
	err := h.journal.Read(context.Background(), read(tiers...), func(tx *store.Tx, o *journal.Opener) error {
		var err error
		_, out, err = o.History(context.Background(), stream)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(tiers ...journal.Tier) journal.ReadRequest {
	return journal.ReadRequest{Reader: journal.Reader{User: "u1", Org: "o1", Session: "s1", Purpose: "care"},
		Action: "case.open", Tiers: tiers, Because: "assigned"}
}

func eachEngine(t *testing.T, fn func(t *testing.T, h *house)) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) { fn(t, newHouse(t, db)) })
}

func TestAnEntryIsKeptOnceHoweverOftenItIsSent(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		stream := newID()
		d := h.draft(stream, "registration", journal.Submit, "Dara")
		first := h.append(t, stream, d)[0]
		again := h.append(t, stream, d)[0]
		if first.Status != journal.Accepted || again.Status != journal.Already || again.Seq != first.Seq {
			t.Errorf("got %+v then %+v", first, again)
		}
		changed := d
		changed.Answers = map[journal.Tier]map[string]any{journal.Identity: {"name": "other"}}
		if r := h.append(t, stream, changed)[0]; r.Status != journal.Refused || !errors.Is(r.Err, journal.ErrIDTaken) {
			t.Errorf("other words under the same id gave %+v, want a refusal", r)
		}
		if n := len(h.history(t, stream)); n != 1 {
			t.Errorf("the stream has %d entries, want 1", n)
		}
	})
}

func TestOnlyTheTiersOfTheReadAreOpened(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		stream := newID()
		h.mustAccept(t, stream, h.draft(stream, "registration", journal.Submit, "Dara"))
		o := h.history(t, stream, journal.Coded)[0]
		if o.Answers[journal.Coded]["age"] != 14.0 || o.Answers[journal.Identity] != nil {
			t.Errorf("opened %v", o.Answers)
		}
		if !reflect.DeepEqual(o.Closed, []journal.Tier{journal.Identity}) {
			t.Errorf("closed tiers are %v", o.Closed)
		}
	})
}

func TestEveryReadHasItsLineAndAnUnwritableLogShowsNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		stream := newID()
		h.mustAccept(t, stream, h.draft(stream, "registration", journal.Submit, "Dara"))
		for range 3 {
			h.history(t, stream, journal.Coded, journal.Identity)
		}
		lines, err := h.journal.AccessOf(ctx, stream, 10, "")
		if err != nil || len(lines) != 3 {
			t.Fatalf("got %d lines (%v), want 3", len(lines), err)
		}
		want := []journal.Tier{journal.Coded, journal.Identity}
		if l := lines[0]; l.User != "u1" || l.Action != "case.open" || l.Purpose != "care" || !reflect.DeepEqual(l.Tiers, want) {
			t.Errorf("the line says %+v", l)
		}
		if _, err := h.db.Exec(ctx, `DROP TABLE access_stream`); err != nil {
			t.Fatal(err)
		}
		err = h.journal.Read(ctx, read(journal.Coded), func(tx *store.Tx, o *journal.Opener) error {
			_, _, err := o.History(ctx, stream)
			return err
		})
		if err == nil {
			t.Error("a read without its line was answered")
		}
	})
}

func TestAProjectionIsReadThroughTheLogToo(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		stream := newID()
		h.mustAccept(t, stream, h.draft(stream, "registration", journal.Submit, "Dara"))
		var title []byte
		err := h.journal.Read(ctx, read(journal.Identity), func(tx *store.Tx, o *journal.Opener) error {
			var cell []byte
			if err := tx.QueryRow(ctx, `SELECT sealed FROM title WHERE stream = $1`, stream).Scan(&cell); err != nil {
				return err
			}
			if bytes.Contains(cell, []byte("Dara")) {
				t.Error("the cell is readable without its key")
			}
			var err error
			title, err = o.Unseal(ctx, stream, journal.Identity, "title", cell)
			return err
		})
		if err != nil || !bytes.Contains(title, []byte("Dara")) {
			t.Fatalf("got %q (%v)", title, err)
		}
		if lines, _ := h.journal.AccessOf(ctx, stream, 10, ""); len(lines) != 1 {
			t.Errorf("got %d lines, want 1", len(lines))
		}
	})
}

func TestARefusedDraftChangesNothingAndTheOthersStand(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		stream := newID()
		first := h.draft(stream, "registration", journal.Submit, "Dara")
		bad := h.draft(stream, "registration", journal.Amend, "no", first.ID)
		good := h.draft(stream, "registration", journal.Amend, "Dara Sok", first.ID)
		orphan := h.draft(stream, "registration", journal.Amend, "x", newID())
		no := errors.New("not allowed")
		rs, err := h.journal.Append(ctx, journal.Write{Stream: stream, Kind: "case", Org: "o1",
			Drafts: []journal.Draft{first, bad, good, orphan},
			Check: func(_ context.Context, _ *store.Tx, _ journal.Stream, _ []journal.Opened, d journal.Draft) error {
				if d.ID == bad.ID {
					return no
				}
				return nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		got := []journal.Status{rs[0].Status, rs[1].Status, rs[2].Status, rs[3].Status}
		want := []journal.Status{journal.Accepted, journal.Refused, journal.Accepted, journal.Refused}
		if !reflect.DeepEqual(got, want) || !errors.Is(rs[1].Err, no) || !errors.Is(rs[3].Err, journal.ErrNotYet) {
			t.Errorf("got %+v", rs)
		}
		record := journal.Fold(h.history(t, stream, journal.Tiers...), journal.AllWhole)["registration"]
		if record.Fields["name"].Value != "Dara Sok" {
			t.Errorf("the name is %v", record.Fields["name"].Value)
		}
	})
}

func TestMalformedDraftsAreRefused(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	stream := newID()
	for name, spoil := range map[string]func(*journal.Draft){
		"an id that is no UUIDv7":  func(d *journal.Draft) { d.ID = "7" },
		"a random id":              func(d *journal.Draft) { d.ID = uuid.NewString() },
		"another stream":           func(d *journal.Draft) { d.Stream = newID() },
		"no author":                func(d *journal.Draft) { d.Author = "" },
		"a line break in a name":   func(d *journal.Draft) { d.Device = "a\nb" },
		"no time":                  func(d *journal.Draft) { d.WrittenAt = time.Time{} },
		"an unknown act":           func(d *journal.Draft) { d.Act = "delete" },
		"answers beyond the limit": func(d *journal.Draft) { d.Answers[journal.Story] = map[string]any{"x": strings.Repeat("x", 3<<20)} },
	} {
		d := h.draft(stream, "registration", journal.Submit, "Dara")
		spoil(&d)
		if r := h.append(t, stream, d)[0]; r.Status != journal.Refused || !errors.Is(r.Err, journal.ErrBadDraft) {
			t.Errorf("%s gave %+v, want a refusal", name, r)
		}
	}
}

func TestAnErasedStreamIsUnreadableAndTheChainStaysWhole(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		stream := newID()
		h.mustAccept(t, stream, h.draft(stream, "registration", journal.Submit, "Dara"))
		ask := journal.ErasureRequest{Stream: stream, Reason: "retention_ended", AskedBy: "u1"}
		id, err := h.journal.AskErasure(ctx, ask)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.journal.ApproveErasure(ctx, id, "u1"); !errors.Is(err, journal.ErrSamePerson) {
			t.Fatalf("one person alone gave %v, want a refusal", err)
		}
		if err := h.journal.ApproveErasure(ctx, id, "u2"); err != nil {
			t.Fatal(err)
		}
		o := h.history(t, stream, journal.Tiers...)[0]
		if len(o.Answers) != 0 || len(o.Closed) != 2 {
			t.Errorf("an erased entry shows %v", o.Answers)
		}
		if r := h.append(t, stream, h.draft(stream, "registration", journal.Submit, "Dara"))[0]; !errors.Is(r.Err, journal.ErrErased) {
			t.Errorf("writing to an erased stream gave %+v", r)
		}
		var n int
		if err := h.db.QueryRow(ctx, `SELECT count(*) FROM title`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows of it are left in a projection (%v)", n, err)
		}
		if report, err := h.journal.Verify(ctx, nil, nil); err != nil || len(report.Wrong) != 0 {
			t.Errorf("verify after erasure: %v %v", report.Wrong, err)
		}
	})
}

// TestVerifyFindsEveryKindOfChange holds the promise of safety.md: edit,
// delete, reorder, truncate and re-sign are found, each by name.
func TestVerifyFindsEveryKindOfChange(t *testing.T) {
	changes := []struct {
		name string
		do   []string
		want string // part of the first fault
	}{
		{"edit a sealed part", []string{`UPDATE entry SET parts = $1 WHERE id = $2`}, "cannot be read"},
		{"edit a name in clear", []string{`UPDATE entry SET author = 'somebody' WHERE id = $2 AND $1 IS NOT NULL`}, "its content does not give its hash"},
		{"delete an entry", []string{`DELETE FROM entry WHERE id = $2 AND $1 IS NOT NULL`}, "missing"},
		{"swap two entries", []string{
			`UPDATE entry SET log_index = 1000 WHERE id = $2 AND $1 IS NOT NULL`,
			`UPDATE entry SET log_index = 4 WHERE log_index = 5`,
			`UPDATE entry SET log_index = 5 WHERE log_index = 1000`}, "it stands at leaf|does not follow|signed root"},
		{"cut off the end", []string{
			`DELETE FROM entry WHERE log_index >= 7`, `UPDATE log_head SET size = 7`, `DELETE FROM checkpoint`}, "cut off"},
		{"edit the access log", []string{`UPDATE access_line SET reader = 'nobody'`}, "it was changed"},
		{"delete from the access log", []string{`DELETE FROM access_line`, `DELETE FROM access_stream`}, "its head says"},
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, h *house) {
				ctx := context.Background()
				var ids []string
				for range 5 {
					stream := newID()
					a := h.draft(stream, "registration", journal.Submit, "Dara")
					b := h.draft(stream, "registration", journal.Amend, "Dara Sok", a.ID)
					h.mustAccept(t, stream, a, b)
					h.history(t, stream, journal.Coded)
					ids = append(ids, a.ID, b.ID)
				}
				if _, err := h.journal.Checkpoint(ctx); err != nil {
					t.Fatal(err)
				}
				if report, err := h.journal.Verify(ctx, nil, nil); err != nil || len(report.Wrong) != 0 || report.Entries != 10 || report.AccessLines != 5 {
					t.Fatalf("before the change: %+v %v", report, err)
				}
				for _, sql := range c.do {
					var args []any
					if strings.Contains(sql, "$2") {
						args = []any{[]byte("changed"), ids[4]}
					}
					if h.db.Engine() == store.Postgres {
						sql = strings.ReplaceAll(sql, " AND $1 IS NOT NULL", " AND $1::bytea IS NOT NULL")
					}
					if _, err := h.db.Exec(ctx, sql, args...); err != nil {
						t.Fatal(err)
					}
				}
				report, err := h.journal.Verify(ctx, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				if len(report.Wrong) == 0 {
					t.Fatal("it was not noticed")
				}
				found := false
				for _, w := range strings.Split(c.want, "|") {
					found = found || strings.Contains(report.Wrong[0].String(), w)
				}
				if !found {
					t.Errorf("the first fault is %q, want one with %q", report.Wrong[0], c.want)
				}
			})
		})
	}
}

func TestAJournalSignedAnewIsNoticedByACheckpointThatOthersHold(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	ctx := context.Background()
	stream := newID()
	h.mustAccept(t, stream, h.draft(stream, "registration", journal.Submit, "Dara"))
	held, err := h.journal.Checkpoint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// The same node, its history written anew with other words.
	other := newHouse(t, storetest.SQLite(t))
	other.vault = h.vault
	other.journal = journal.New(other.db, h.vault, other.clock.now, titles{})
	forged := newID()
	other.mustAccept(t, forged, other.draft(forged, "registration", journal.Submit, "Nobody"))
	report, err := other.journal.Verify(ctx, []string{held.Note}, nil)
	if err != nil || len(report.Wrong) == 0 || !strings.Contains(report.Wrong[0].What, "signed root") {
		t.Errorf("got %v %v", report.Wrong, err)
	}
}

// TestRebuildGivesTheTablesThatStoodThere draws random histories of several
// writers who see each other's work late or never.
func TestRebuildGivesTheTablesThatStoodThere(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		rapid.Check(t, func(rt *rapid.T) {
			stream := newID()
			writeRandom(rt, h, t, stream)
			live := dump(t, h.db)
			if _, err := h.db.Exec(ctx, `DELETE FROM title WHERE stream = $1`, stream); err != nil {
				rt.Fatal(err)
			}
			if _, err := h.db.Exec(ctx, `INSERT INTO title (stream, records) VALUES ('orphan', 1)`); err != nil {
				rt.Fatal(err)
			}
			if _, err := h.journal.Rebuild(ctx, nil); err != nil {
				rt.Fatal(err)
			}
			if again := dump(t, h.db); again != live {
				rt.Fatalf("rebuilt tables differ:\n%s\nwant\n%s", again, live)
			}
		})
	})
}

// writeRandom appends a random history of concurrent entries and gives every
// answer that was ever accepted.
func writeRandom(rt *rapid.T, h *house, t testing.TB, stream string) []journal.Draft {
	var accepted []journal.Draft
	n := rapid.IntRange(1, 12).Draw(rt, "entries")
	for range n {
		var d journal.Draft
		name := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "name")
		var mine []string
		for _, a := range accepted {
			if rapid.Bool().Draw(rt, "seen") {
				mine = append(mine, a.ID)
			}
		}
		if len(mine) == 0 {
			d = h.draft(stream, "registration", journal.Submit, name)
		} else {
			act := rapid.SampledFrom([]journal.Act{journal.Amend, journal.Amend, journal.Amend, journal.Strike}).Draw(rt, "act")
			d = h.draft(stream, "registration", act, name, mine...)
		}
		h.mustAccept(t, stream, d)
		accepted = append(accepted, d)
	}
	return accepted
}

func dump(t testing.TB, db *store.DB) string {
	rows, err := db.Query(context.Background(), `SELECT stream, sealed, records FROM title ORDER BY stream`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var stream string
		var sealed []byte
		var n int
		if err := rows.Scan(&stream, &sealed, &n); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s %x %d\n", stream, sealed, n)
	}
	return out.String()
}
