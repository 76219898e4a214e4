// Package journal is the record: everything that anyone writes about a person
// is an entry in a stream that only grows.
//
// # What it promises
//
//   - What Append acknowledged is on the disk, once: writers make the ids, so
//     sending twice is harmless.
//   - Nothing is updated or deleted. An amendment follows, a strike-out shows
//     struck, erasure destroys keys (package vault) and leaves the chain whole.
//   - Nobody reads unseen: answers are opened only by Read, which writes its
//     line to the access log before it returns.
//   - Nobody changes history unnoticed: entries are chained within their
//     stream, and their hashes stand in a Merkle log whose checkpoints are
//     signed (see Verify).
//   - Two writers at once lose nothing: an entry that follows an older head is
//     kept, and where two answers to one field stand beside each other the
//     field is in dispute until a person settles it (see Fold).
//
// Everything else (lists, tasks, search, counts) is a projection: a pure
// function of one stream's history, redrawn in the transaction that changes
// the stream and by Rebuild.
//
// The package knows nothing of the business: forms are names to it, and what
// may be written is said by the caller's Check.
package journal

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"banyan/internal/store"
	"banyan/internal/vault"
)

// Tier is a class of answers sealed with a key of its own.
type Tier = vault.Tier

// The tiers (see package vault).
const (
	Coded    = vault.Coded
	Story    = vault.Story
	Identity = vault.Identity
	Place    = vault.Place
	Health   = vault.Health
	Legal    = vault.Legal
)

// Tiers lists every tier.
var Tiers = vault.Tiers

// Act is what an entry does to its record.
type Act string

// The three acts. There is no delete.
const (
	Submit Act = "submit" // the first words of a record
	Amend  Act = "amend"  // changes fields; a null clears one
	Strike Act = "strike" // takes the record back, with a reason; it stays visible
)

// Hash is a SHA-256 digest.
type Hash [sha256.Size]byte

// String gives the digest in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Draft is an entry as its writer made it, on the server or on a device.
type Draft struct {
	ID          string // UUIDv7, made by the writer
	Stream      string // UUIDv7 of the stream
	Form        string
	FormVersion int
	Act         Act
	// Record is what the entry belongs to: the form's id for forms that a
	// stream has once, otherwise the id of the record's first entry.
	Record string
	// Follows are the heads of the record that the writer had seen.
	Follows   []string
	Author    string
	Org       string
	Device    string
	WrittenAt time.Time // the writer's clock
	// Answers by tier. An Amend carries the changed fields only; a Strike
	// carries {"reason": …}.
	Answers map[Tier]map[string]any
}

// Entry is what stands in clear in the journal.
type Entry struct {
	ID          string
	Stream      string
	Seq         int64 // 1 is the stream's first entry
	Form        string
	FormVersion int
	Act         Act
	Record      string
	Follows     []string
	Author      string
	Org         string
	Device      string
	WrittenAt   time.Time // the writer's clock
	RecordedAt  time.Time // the server's clock
	PrevHash    Hash
	Hash        Hash
	LogIndex    int64 // leaf number in the Merkle log
}

// Opened is an entry with the answers of the tiers that were asked for.
type Opened struct {
	Entry
	Answers map[Tier]map[string]any
	Closed  []Tier // tiers that the entry has and that stay sealed
}

// Stream is everything written about one thing. It belongs to one organisation.
type Stream struct {
	ID        string
	Kind      string
	Org       string
	CreatedAt time.Time
	Seq       int64
	HeadHash  Hash
	ErasedAt  time.Time // zero unless its keys were destroyed
}

// Erased says whether the stream's keys were destroyed.
func (s Stream) Erased() bool { return !s.ErasedAt.IsZero() }

// Status is what became of a draft.
type Status string

// What can become of a draft. Refused drafts changed nothing and go back to
// their author with the reason.
const (
	Accepted Status = "accepted"
	Already  Status = "already" // the same draft was accepted before
	Refused  Status = "refused"
)

// Receipt answers one draft.
type Receipt struct {
	ID         string
	Status     Status
	Seq        int64
	RecordedAt time.Time
	Err        error // why it was refused
}

// Errors that callers tell apart.
var (
	ErrNoStream  = errors.New("there is no such stream")
	ErrErased    = vault.ErrErased
	ErrIDTaken   = errors.New("another entry has this id")
	ErrBadDraft  = errors.New("the entry is not well formed")
	ErrNotYet    = errors.New("the entry follows one that has not arrived")
	ErrWrongKind = errors.New("the stream is of another kind or organisation")
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the journal's tables.
func Schema() store.Schema {
	sub, _ := fs.Sub(migrations, "migrations")
	return store.Schema{Room: "journal", FS: sub}
}

// Journal is the record of one node. It is safe for concurrent use.
type Journal struct {
	db         *store.DB
	vault      *vault.Vault
	now        func() time.Time
	projectors []Projector
	group      group
	redraws    atomic.Int64 // rebuilds begun and ended: odd while one runs
}

// New makes a journal over an open, migrated database.
func New(db *store.DB, v *vault.Vault, now func() time.Time, projectors ...Projector) *Journal {
	return &Journal{db: db, vault: v, now: now, projectors: projectors}
}

// DB is the database below, for rooms that keep projections in it.
func (j *Journal) DB() *store.DB { return j.db }

// Write is a group of drafts for one stream.
type Write struct {
	Stream    string
	Kind, Org string // for a stream that does not exist yet; checked otherwise
	Drafts    []Draft
	// Prepare, if set, gives the draft the form in which it is written (a
	// door's changes become whole answers), under the same lock and before
	// Check. It must be a pure function of the draft and of the entries that
	// the draft follows, so that sending twice gives the same entry; for an
	// entry that stands already it gives that entry's answers. Its error
	// refuses that draft only.
	Prepare func(ctx context.Context, tx *store.Tx, s Stream, history []Opened, d Draft) (Draft, error)
	// Check has the last word on each draft, under the stream's lock, with
	// everything written before it. Its error refuses that draft only. It sees
	// all tiers, and must not let them out other than as its error.
	Check func(ctx context.Context, tx *store.Tx, s Stream, history []Opened, d Draft) error
	// Also runs in the same transaction after all drafts, if any was accepted.
	Also func(ctx context.Context, tx *store.Tx, s Stream, history []Opened) error
}

// Append writes drafts to their stream, in order, in one transaction with the
// redrawn projections. It gives one receipt a draft. An error means that
// nothing at all was written.
func (j *Journal) Append(ctx context.Context, w Write) ([]Receipt, error) {
	all, err := j.AppendAll(ctx, []Write{w})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// AppendAll is Append for several streams in one transaction: for imports and
// for a device that comes back with a day's work. The order of streams is the
// caller's; two writers who name the same streams should use the same order.
func (j *Journal) AppendAll(ctx context.Context, writes []Write) ([][]Receipt, error) {
	keys, err := j.keysFor(ctx, writes)
	if err != nil {
		return nil, fmt.Errorf("appending: %w", err)
	}
	begun, err := j.readAhead(ctx, writes, keys)
	if err != nil {
		return nil, fmt.Errorf("appending: %w", err)
	}
	var receipts [][]Receipt
	var after []func()
	err = j.group.run(ctx, j.db, func(ctx context.Context, tx *store.Tx) error {
		receipts, after = make([][]Receipt, len(writes)), nil
		for i, w := range writes {
			if keys[i] == nil {
				receipts[i] = refuseAll(w.Drafts, ErrErased)
				continue
			}
			rs, done, err := j.appendStream(ctx, tx, w, keys[i], begun[i])
			if err != nil {
				return err
			}
			receipts[i] = rs
			if done != nil {
				after = append(after, done)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("appending: %w", err)
	}
	for _, done := range after {
		done()
	}
	return receipts, nil
}

// keysFor makes sure that every stream has its keys on the keyring's disk;
// nil stands for an erased stream.
func (j *Journal) keysFor(ctx context.Context, writes []Write) ([]*vault.StreamKeys, error) {
	streams := make([]vault.NewStream, len(writes))
	for i, w := range writes {
		streams[i] = vault.NewStream{Org: w.Org, Stream: w.Stream}
	}
	return j.vault.CreateAllKeys(ctx, streams)
}

// appendStream writes one stream's drafts, and gives what is to be done after
// the commit (nil if nothing was accepted).
func (j *Journal) appendStream(ctx context.Context, tx *store.Tx, w Write, keys *vault.StreamKeys, begun ahead) ([]Receipt, func(), error) {
	s, err := j.lockStream(ctx, tx, w, begun.stream.ID != "")
	if errors.Is(err, ErrErased) {
		return refuseAll(w.Drafts, ErrErased), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	history, err := begun.historyOf(ctx, tx, keys, s)
	if err != nil {
		return nil, nil, err
	}
	elsewhere, err := idsTaken(ctx, tx, s.ID, w.Drafts)
	if err != nil {
		return nil, nil, err
	}
	a := &appender{j: j, tx: tx, keys: keys, stream: s, history: history, elsewhere: elsewhere, prepare: w.Prepare, check: w.Check,
		stands: j.stillStands(begun, s)}
	var receipts []Receipt
	for _, d := range w.Drafts {
		r, err := a.append(ctx, d)
		if err != nil {
			return nil, nil, err
		}
		receipts = append(receipts, r)
	}
	if len(a.written) == 0 {
		return receipts, nil, nil
	}
	after, err := a.finish(ctx, w.Also)
	return receipts, after, err
}

func refuseAll(drafts []Draft, err error) []Receipt {
	out := make([]Receipt, len(drafts))
	for i, d := range drafts {
		out[i] = Receipt{ID: d.ID, Status: Refused, Err: err}
	}
	return out
}

// lockStream gives the stream's row, made if this is its first entry, held
// against other writers until the transaction ends. A stream that was seen is
// not made: rows of streams are never deleted.
func (j *Journal) lockStream(ctx context.Context, tx *store.Tx, w Write, seen bool) (Stream, error) {
	if w.Stream == "" || w.Kind == "" || w.Org == "" {
		return Stream{}, fmt.Errorf("a write names its stream, kind and organisation: %w", ErrBadDraft)
	}
	if !seen {
		_, err := tx.Exec(ctx, `INSERT INTO stream (id, kind, org, created_at, seq, head_hash, erased_at)
			VALUES ($1, $2, $3, 0, 0, $4, 0) ON CONFLICT (id) DO NOTHING`,
			w.Stream, w.Kind, w.Org, make([]byte, sha256.Size))
		if err != nil {
			return Stream{}, fmt.Errorf("opening the stream: %w", err)
		}
	}
	s, err := holdStream(ctx, tx, w.Stream)
	if err != nil {
		return Stream{}, err
	}
	if s.Kind != w.Kind || s.Org != w.Org {
		return Stream{}, ErrWrongKind
	}
	if s.Erased() {
		return Stream{}, ErrErased
	}
	return s, nil
}

// appender holds what one Append carries along.
type appender struct {
	j         *Journal
	tx        *store.Tx
	keys      *vault.StreamKeys
	stream    Stream
	history   []Opened
	elsewhere map[string]bool // ids of drafts that entries of other streams have
	prepare   func(context.Context, *store.Tx, Stream, []Opened, Draft) (Draft, error)
	check     func(context.Context, *store.Tx, Stream, []Opened, Draft) error
	stands    *store.Drawn  // rows of the stream, where they are known
	written   []sealedEntry // sealed and chained; finish brings them to the disk
}

// append writes one draft, or gives the receipt that says why not.
func (a *appender) append(ctx context.Context, d Draft) (Receipt, error) {
	d.WrittenAt = d.WrittenAt.UTC().Truncate(time.Microsecond)
	if err := wellFormed(d, a.stream.ID); err != nil {
		return Receipt{ID: d.ID, Status: Refused, Err: err}, nil
	}
	if a.prepare != nil {
		prepared, err := a.prepare(ctx, a.tx, a.stream, a.history, d)
		if err != nil {
			return Receipt{ID: d.ID, Status: Refused, Err: err}, nil
		}
		d = prepared
	}
	normal, err := normalise(d.Answers)
	if err != nil {
		return Receipt{ID: d.ID, Status: Refused, Err: fmt.Errorf("%w: %v", ErrBadDraft, err)}, nil
	}
	d.Answers = normal
	if r, done := a.seenBefore(d); done {
		return r, nil
	}
	if err := a.followsKnown(d); err != nil {
		return Receipt{ID: d.ID, Status: Refused, Err: err}, nil
	}
	if a.check != nil {
		if err := a.check(ctx, a.tx, a.stream, a.history, d); err != nil {
			return Receipt{ID: d.ID, Status: Refused, Err: err}, nil
		}
	}
	e, err := a.write(d)
	if err != nil {
		return Receipt{}, err
	}
	a.history = append(a.history, Opened{Entry: e, Answers: d.Answers})
	return Receipt{ID: d.ID, Status: Accepted, Seq: e.Seq, RecordedAt: e.RecordedAt}, nil
}

// seenBefore answers a draft whose id stands already: the same words are
// Already, other words are refused, so that neither is lost silently.
func (a *appender) seenBefore(d Draft) (Receipt, bool) {
	for _, o := range a.history {
		if o.ID != d.ID {
			continue
		}
		if sameDraft(o, d) {
			return Receipt{ID: d.ID, Status: Already, Seq: o.Seq, RecordedAt: o.RecordedAt}, true
		}
		return Receipt{ID: d.ID, Status: Refused, Err: ErrIDTaken}, true
	}
	if a.elsewhere[d.ID] {
		return Receipt{ID: d.ID, Status: Refused, Err: ErrIDTaken}, true
	}
	return Receipt{}, false
}

// idsPerStatement bounds the ids of one query.
const idsPerStatement = 50

// idsTaken finds those of the drafts' ids that entries of other streams have.
func idsTaken(ctx context.Context, tx *store.Tx, stream string, drafts []Draft) (map[string]bool, error) {
	taken := map[string]bool{}
	for some := range slices.Chunk(drafts, idsPerStatement) {
		args := []any{stream}
		marks := make([]string, len(some))
		for i, d := range some {
			args = append(args, d.ID)
			marks[i] = "$" + strconv.Itoa(i+2)
		}
		rows, err := tx.Query(ctx, `SELECT id FROM entry WHERE stream <> $1 AND id IN (`+strings.Join(marks, ", ")+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("looking for the entries' ids: %w", err)
		}
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				rows.Close()
				return nil, fmt.Errorf("looking for the entries' ids: %w", err)
			}
			taken[id] = true
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, fmt.Errorf("looking for the entries' ids: %w", err)
		}
	}
	return taken, nil
}

// followsKnown holds that an entry follows entries of its own record that
// have arrived: a device sends its queue in order.
func (a *appender) followsKnown(d Draft) error {
	known := map[string]bool{}
	exists := false
	for _, o := range a.history {
		if o.Record == d.Record {
			known[o.ID] = true
			exists = true
			if o.Form != d.Form {
				return fmt.Errorf("%w: its record is of another form", ErrBadDraft)
			}
		}
	}
	for _, f := range d.Follows {
		if !known[f] {
			return ErrNotYet
		}
	}
	if d.Act != Submit && (!exists || len(d.Follows) == 0) {
		return ErrNotYet
	}
	return nil
}

// write seals and chains one entry.
func (a *appender) write(d Draft) (Entry, error) {
	e := Entry{
		ID: d.ID, Stream: d.Stream, Seq: a.stream.Seq + 1, Form: d.Form, FormVersion: d.FormVersion,
		Act: d.Act, Record: d.Record, Follows: d.Follows, Author: d.Author, Org: d.Org, Device: d.Device,
		WrittenAt: d.WrittenAt, RecordedAt: a.j.now().UTC().Truncate(time.Microsecond), PrevHash: a.stream.HeadHash,
	}
	parts, err := sealParts(a.keys, d.ID, d.Answers)
	if err != nil {
		return Entry{}, fmt.Errorf("sealing an entry: %w", err)
	}
	e.Hash, err = hashEntry(e, parts)
	if err != nil {
		return Entry{}, err
	}
	a.written = append(a.written, sealedEntry{e, parts})
	a.stream.Seq, a.stream.HeadHash = e.Seq, e.Hash
	return e, nil
}

// finish writes the entries, moves the stream's head and redraws its
// projections.
func (a *appender) finish(ctx context.Context, also func(context.Context, *store.Tx, Stream, []Opened) error) (func(), error) {
	leaf, err := takeLeaves(ctx, a.tx, len(a.written))
	if err != nil {
		return nil, err
	}
	news := a.history[len(a.history)-len(a.written):]
	for i := range a.written {
		a.written[i].LogIndex = leaf + int64(i)
		news[i].LogIndex = leaf + int64(i)
	}
	if err := insertEntries(ctx, a.tx, a.written); err != nil {
		return nil, fmt.Errorf("writing entries: %w", err)
	}
	a.stream.CreatedAt = a.history[0].RecordedAt
	_, err = a.tx.Exec(ctx, `UPDATE stream SET seq = $2, head_hash = $3, created_at = $4 WHERE id = $1`,
		a.stream.ID, a.stream.Seq, a.stream.HeadHash[:], store.Micros(a.stream.CreatedAt))
	if err != nil {
		return nil, fmt.Errorf("moving the stream's head: %w", err)
	}
	if also != nil {
		if err := also(ctx, a.tx, a.stream, a.history); err != nil {
			return nil, err
		}
	}
	rows, err := a.j.draw(a.stream, a.history, a.keys)
	if err != nil {
		return nil, err
	}
	if err := a.redraw(ctx, rows); err != nil {
		return nil, fmt.Errorf("redrawing projections: %w", err)
	}
	return func() { a.j.committed(a.stream, a.history) }, nil
}

// redraw brings the stream's rows to what they shall be, over what was read
// ahead if that still stands.
func (a *appender) redraw(ctx context.Context, rows []store.Rows) error {
	if a.stands == nil {
		return a.tx.Redraw(ctx, a.stream.ID, rows...)
	}
	return a.tx.RedrawOver(ctx, a.stream.ID, *a.stands, rows...)
}

// takeLeaves takes the next n places in the Merkle log and gives the first. On
// PostgreSQL the row lock orders all writers until they commit.
func takeLeaves(ctx context.Context, tx *store.Tx, n int) (int64, error) {
	var size int64
	if err := tx.QueryRow(ctx, `UPDATE log_head SET size = size + $1 WHERE one = 1 RETURNING size`, n).Scan(&size); err != nil {
		return 0, fmt.Errorf("taking a place in the log: %w", err)
	}
	return size - int64(n), nil
}
