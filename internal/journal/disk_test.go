package journal_test

// What was acknowledged is kept, whatever the disk does: below the journal and
// its keyring lies a disk that fails, fills, tears and forgets.

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"banyan/internal/journal"
	"banyan/internal/store"
	"banyan/internal/store/storetest/disk"
	"banyan/internal/vault"
)

// diskHouse is a journal on a disk of the test's own. One master key opens it
// again after each power cut.
type diskHouse struct {
	t       *rapid.T
	dir     string // of one run, with a folder for each life
	life    int
	disk    *disk.Disk
	master  vault.Master
	db      *store.DB
	keyring *store.DB
	journal *journal.Journal
	streams []string
	now     *clock

	mu      sync.Mutex
	acked   map[string]string // entry → its words
	refused int               // answers that the disk's failing cost
	reads   int               // reads that were answered
	last    error             // why the newest was refused
}

func (h *diskHouse) folder() string { return filepath.Join(h.dir, fmt.Sprint(h.life)) }

// open starts a life: the databases, migrated, and a journal on them.
func (h *diskHouse) open() {
	ctx := context.Background()
	key := bytes.Repeat([]byte{1}, store.KeySize)
	for name, into := range map[string]**store.DB{"banyan.db": &h.db, "keyring.db": &h.keyring} {
		db, err := store.OpenSQLite(ctx, filepath.Join(h.folder(), name), key)
		if err != nil {
			h.t.Fatalf("life %d: opening %s: %v", h.life, name, err)
		}
		*into = db
	}
	if err := store.Migrate(ctx, h.db, journal.Schema()); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.db.Exec(ctx, titleTable); err != nil {
		h.t.Fatal(err)
	}
	if err := store.Migrate(ctx, h.keyring, vault.Schema()); err != nil {
		h.t.Fatal(err)
	}
	h.journal = journal.New(h.db, vault.Open(h.keyring, h.master, h.now.now), h.now.now, titles{})
}

func (h *diskHouse) close() {
	_ = h.db.Close()
	_ = h.keyring.Close()
}

// write sends one entry to an old or a new stream and remembers what it was
// told.
func (h *diskHouse) write(stream, words string) {
	id := newID()
	d := journal.Draft{ID: id, Stream: stream, Form: "registration", FormVersion: 1, Act: journal.Submit, Record: id,
		Author: "u1", Org: "o1", WrittenAt: h.now.now(), Answers: map[journal.Tier]map[string]any{journal.Identity: {"name": words}, journal.Coded: {"sex": "female"}}}
	rs, err := h.journal.Append(context.Background(), journal.Write{Stream: stream, Kind: "case", Org: "o1", Drafts: []journal.Draft{d}})
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil:
		h.refused++
		h.last = err
	case rs[0].Status != journal.Accepted:
		h.t.Fatalf("an entry was %s (%v)", rs[0].Status, rs[0].Err)
	default:
		h.acked[id] = words
	}
}

func (h *diskHouse) read(stream string) {
	err := h.journal.Read(context.Background(), read(journal.Identity), func(_ *store.Tx, o *journal.Opener) error {
		_, _, err := o.History(context.Background(), stream)
		return err
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.reads++
	}
}

// work lets four devices write and one read, all at once.
func (h *diskHouse) work(n int) {
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range n {
				stream := h.streams[(w+i)%len(h.streams)]
				if i%3 == 2 { // its key has to be on the keyring's disk first
					stream = newID()
				}
				h.write(stream, fmt.Sprintf("w%d %d", w, i)+strings.Repeat(" and so on", (w*i)%500))
			}
		})
	}
	wg.Go(func() {
		for i := range n {
			h.read(h.streams[i%len(h.streams)])
		}
	})
	wg.Wait()
}

// check holds what stands against what was promised.
func (h *diskHouse) check(when string) {
	ctx := context.Background()
	stands := map[string]string{}
	rows, err := h.db.Query(ctx, `SELECT DISTINCT stream FROM entry`)
	if err != nil {
		h.t.Fatalf("%s: %v", when, err)
	}
	var streams []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			h.t.Fatal(err)
		}
		streams = append(streams, s)
	}
	rows.Close()
	for _, stream := range streams {
		err := h.journal.Read(ctx, read(journal.Tiers...), func(_ *store.Tx, o *journal.Opener) error {
			_, history, err := o.History(ctx, stream)
			for _, e := range history {
				name, _ := e.Answers[journal.Identity]["name"].(string)
				if _, twice := stands[e.ID]; twice {
					h.t.Errorf("%s: an entry stands twice", when)
				}
				stands[e.ID] = name
			}
			return err
		})
		if err != nil {
			h.t.Fatalf("%s: an entry is there and its key is not: %v", when, err)
		}
		h.reads++
	}
	for id, words := range h.acked {
		if stands[id] != words {
			h.t.Fatalf("%s: an acknowledged entry is lost or changed (%d were acknowledged, %d stand)", when, len(h.acked), len(stands))
		}
	}
	var lines int
	if err := h.db.QueryRow(ctx, `SELECT count(*) FROM access_line`).Scan(&lines); err != nil || lines < h.reads {
		h.t.Fatalf("%s: %d reads were answered, the log has %d lines (%v)", when, h.reads, lines, err)
	}
	if report, err := h.journal.Verify(ctx, nil, nil); err != nil || len(report.Wrong) > 0 {
		h.t.Fatalf("%s: verify: %v %v", when, report.Wrong, err)
	}
	live := h.titles()
	if _, err := h.journal.Rebuild(ctx, nil); err != nil {
		h.t.Fatal(err)
	}
	if rebuilt := h.titles(); rebuilt != live {
		h.t.Fatalf("%s: rebuild gives another table", when)
	}
}

func (h *diskHouse) titles() string {
	rows, err := h.db.Query(context.Background(), `SELECT stream, sealed, records FROM title`)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var stream string
		var sealed []byte
		var n int
		if err := rows.Scan(&stream, &sealed, &n); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %x %d", stream, sealed, n))
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}

// cut takes the power, and starts the next life on what the disk held.
func (h *diskHouse) cut() {
	h.disk.PowerCut()
	acked := len(h.acked)
	h.write(h.streams[0], "after the end")
	if len(h.acked) != acked {
		h.t.Fatal("an entry was acknowledged after the power went")
	}
	h.close()
	old := h.disk
	h.life++
	if err := os.Mkdir(h.folder(), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := old.Image(h.folder()); err != nil {
		h.t.Fatal(err)
	}
	h.disk = disk.New(h.folder(), uint64(h.life))
	h.open()
}

// TestNothingThatWasAcknowledgedIsLostWhateverTheDiskDoes draws histories of
// writing, reading, checkpoints, failing and full disks, failing syncs and
// power cuts. A lost entry would be a bed that somebody believes is booked for
// a child tonight; an entry without its key, a child's record nobody can ever
// open again.
func TestNothingThatWasAcknowledgedIsLostWhateverTheDiskDoes(t *testing.T) {
	seed, runs := uint64(0), 0
	lives, acked, refused, failed := 0, 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; runs > mostDiskRuns(t) { // each writes and syncs for about half a second
			return
		}
		seed++
		h := &diskHouse{t: rt, dir: t.TempDir(), master: vault.NewMemoryMaster(), now: newClock(), acked: map[string]string{}, streams: []string{newID(), newID(), newID()}}
		if err := os.Mkdir(h.folder(), 0o700); err != nil {
			rt.Fatal(err)
		}
		h.disk = disk.New(h.folder(), seed)
		h.open()
		defer func() { h.close() }()
		for range rapid.IntRange(2, 5).Draw(rt, "steps") {
			fault := rapid.SampledFrom([]disk.Fault{disk.None, disk.FailWrite, disk.ShortWrite, disk.Full, disk.FailSync, disk.FailSync, disk.Cut, disk.Cut}).Draw(rt, "fault")
			h.disk.Break(fault, rapid.IntRange(0, 60).Draw(rt, "after"), rapid.SampledFrom([]int{1, 2, 7, 1000}).Draw(rt, "lasts"))
			h.work(rapid.IntRange(1, 6).Draw(rt, "entries"))
			if rapid.Bool().Draw(rt, "checkpoint") {
				_, _ = h.journal.Checkpoint(context.Background())
			}
			failed += h.disk.Failed
			h.disk.Failed = 0
			h.disk.Mend()
			if fault == disk.Cut || rapid.Bool().Draw(rt, "cut") {
				h.cut()
				h.check(fmt.Sprintf("after power cut %d", h.life))
				continue
			}
			before := len(h.acked)
			h.write(h.streams[0], "the same process goes on")
			if len(h.acked) != before+1 {
				rt.Fatalf("the disk works again and the journal does not: %v", h.last)
			}
			h.check("in the same life")
		}
		h.cut()
		h.check("at the end")
		lives, acked, refused = lives+h.life, acked+len(h.acked), refused+h.refused
	})
	t.Logf("%d power cuts, %d operations failed: %d entries acknowledged, all there once; %d answered with an error", lives, failed, acked, refused)
	if acked == 0 || lives == 0 || failed == 0 {
		t.Error("nothing was tried")
	}
}

// mostDiskRuns bounds the property; the soak takes the library's own hundred,
// or as many as -rapid.checks says.
func mostDiskRuns(t *testing.T) int {
	switch {
	case testing.Short():
		return 3
	case os.Getenv("BANYAN_SOAK") != "":
		return 1 << 30
	}
	return 12
}
