package journal

// Verify holds the whole record against itself: every entry's hash, every
// stream's chain, the Merkle root of every signed checkpoint, the copies kept
// with the keys, and the chain of the access log. It reads everything and
// changes nothing.

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"banyan/internal/store"
)

// Report is what Verify found.
type Report struct {
	Entries     int64
	Streams     int64
	Checkpoints int64
	AccessLines int64
	Newest      Checkpoint // the newest signed checkpoint
	Wrong       []Fault    // empty when all is well; the first is the first in the log
}

// Fault is one thing that is not as it was written.
type Fault struct {
	Where string // "entry 0192…", "stream …", "checkpoint 1200", "access line …"
	What  string
}

func (f Fault) String() string { return f.Where + ": " + f.What }

// maxFaults bounds how many faults are listed: one is enough to know.
const maxFaults = 20

var errEnough = errors.New("enough faults")

// verifier holds what one pass carries along.
type verifier struct {
	j        *Journal
	report   Report
	progress Progress
	heads    map[string]head // by stream
	tree     frontier
	points   []Checkpoint // signed, by size
}

type head struct {
	seq  int64
	hash Hash
}

// Verify checks everything. External are checkpoints that others hold
// (countersigned copies); the log must contain them. It gives an error only
// when it could not read; what it found wrong stands in the report.
func (j *Journal) Verify(ctx context.Context, external []string, progress Progress) (Report, error) {
	v := &verifier{j: j, progress: progress, heads: map[string]head{}}
	err := v.run(ctx, external)
	if err != nil && !errors.Is(err, errEnough) {
		return v.report, fmt.Errorf("verifying: %w", err)
	}
	return v.report, nil
}

func (v *verifier) run(ctx context.Context, external []string) error {
	if err := v.readCheckpoints(ctx, external); err != nil {
		return err
	}
	return v.j.db.View(ctx, func(tx *store.Tx) error {
		if err := v.entries(ctx, tx); err != nil {
			return err
		}
		if err := v.streams(ctx, tx); err != nil {
			return err
		}
		return v.access(ctx, tx)
	})
}

func (v *verifier) wrong(where, what string) error {
	v.report.Wrong = append(v.report.Wrong, Fault{where, what})
	if len(v.report.Wrong) >= maxFaults {
		return errEnough
	}
	return nil
}

// readCheckpoints gathers the signed checkpoints: the journal's own, the
// copies in the keyring, and those that others hold.
func (v *verifier) readCheckpoints(ctx context.Context, external []string) error {
	roots := map[int64]Checkpoint{}
	take := func(where, text string) error {
		c, err := v.j.openCheckpoint(text)
		if err != nil {
			return v.wrong(where, err.Error())
		}
		if other, ok := roots[c.Size]; ok && other.Root != c.Root {
			return v.wrong(where, "two signed checkpoints of one size have different roots: history was rewritten")
		}
		roots[c.Size] = c
		return nil
	}
	for _, source := range []struct {
		q    store.Querier
		from string
		name string
	}{{v.j.db, "checkpoint", "checkpoint"}, {v.j.vault.Keyring(), "checkpoint_copy", "checkpoint kept with the keys,"}} {
		notes, err := readNotes(ctx, source.q, source.from)
		if err != nil {
			return err
		}
		for _, n := range notes {
			if err := take(fmt.Sprintf("%s size %d", source.name, n.size), n.text); err != nil {
				return err
			}
		}
		if source.from == "checkpoint" {
			v.report.Checkpoints = int64(len(notes))
		}
	}
	for i, text := range external {
		if err := take(fmt.Sprintf("checkpoint %d held by others", i+1), text); err != nil {
			return err
		}
	}
	for _, c := range roots {
		v.points = append(v.points, c)
		if c.Size > v.report.Newest.Size {
			v.report.Newest = c
		}
	}
	return nil
}

type sizedNote struct {
	size int64
	text string
}

func readNotes(ctx context.Context, q store.Querier, table string) ([]sizedNote, error) {
	rows, err := q.Query(ctx, `SELECT size, note FROM `+table+` ORDER BY size`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []sizedNote
	for rows.Next() {
		var n sizedNote
		if err := rows.Scan(&n.size, &n.text); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// entries walks the log in its order.
func (v *verifier) entries(ctx context.Context, tx *store.Tx) error {
	bySize := map[int64]Checkpoint{}
	for _, c := range v.points {
		bySize[c.Size] = c
	}
	var total int64
	if err := tx.QueryRow(ctx, `SELECT size FROM log_head WHERE one = 1`).Scan(&total); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `SELECT `+entryColumns+` FROM entry ORDER BY log_index`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, parts, err := scanEntry(rows)
		if err != nil && e.ID == "" {
			return err
		}
		if err != nil {
			if err := v.wrong("entry "+e.ID, err.Error()); err != nil {
				return err
			}
		}
		if err := v.entry(e, parts); err != nil {
			return err
		}
		if c, ok := bySize[v.report.Entries]; ok && v.tree.root() != c.Root {
			if err := v.wrong(fmt.Sprintf("checkpoint size %d", c.Size), "the entries up to here do not give the signed root"); err != nil {
				return err
			}
		}
		if v.progress != nil && v.report.Entries%10_000 == 0 {
			v.progress(v.report.Entries, total)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if v.progress != nil && total > 0 {
		v.progress(total, total)
	}
	if v.report.Entries != total {
		if err := v.wrong("the log", fmt.Sprintf("it says %d entries and has %d", total, v.report.Entries)); err != nil {
			return err
		}
	}
	if v.report.Newest.Size > v.report.Entries {
		return v.wrong("the log", fmt.Sprintf("a signed checkpoint knows %d entries, and only %d are here: the end was cut off", v.report.Newest.Size, v.report.Entries))
	}
	return nil
}

// entry checks one entry: its place in the log and in its stream, and its hash.
func (v *verifier) entry(e Entry, parts []part) error {
	where := "entry " + e.ID
	if e.LogIndex != v.report.Entries {
		if err := v.wrong(where, fmt.Sprintf("it stands at leaf %d where leaf %d belongs: an entry before it is missing", e.LogIndex, v.report.Entries)); err != nil {
			return err
		}
	}
	v.report.Entries++
	hash, err := hashEntry(e, parts)
	if err != nil {
		return err
	}
	if hash != e.Hash {
		if err := v.wrong(where, "its content does not give its hash: it was changed"); err != nil {
			return err
		}
	}
	h := v.heads[e.Stream]
	if e.Seq != h.seq+1 || e.PrevHash != h.hash {
		if err := v.wrong(where, fmt.Sprintf("it does not follow entry %d of its stream", h.seq)); err != nil {
			return err
		}
	}
	v.heads[e.Stream] = head{e.Seq, e.Hash}
	v.tree.add(tlog.RecordHash(hash[:]))
	return nil
}

// streams checks the heads that stream rows claim.
func (v *verifier) streams(ctx context.Context, tx *store.Tx) error {
	rows, err := tx.Query(ctx, `SELECT id, kind, org, created_at, seq, head_hash, erased_at FROM stream ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		s, err := scanStream(rows)
		if err != nil {
			return err
		}
		v.report.Streams++
		h := v.heads[s.ID]
		if h.seq != s.Seq || h.hash != s.HeadHash {
			if err := v.wrong("stream "+s.ID, fmt.Sprintf("its head says entry %d, its entries end at %d", s.Seq, h.seq)); err != nil {
				return err
			}
		}
		delete(v.heads, s.ID)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for id := range v.heads {
		return v.wrong("stream "+id, "it has entries but no row")
	}
	return nil
}

// access walks the access log, organisation by organisation.
func (v *verifier) access(ctx context.Context, tx *store.Tx) error {
	orgs, err := accessHeads(ctx, tx)
	if err != nil {
		return err
	}
	for _, o := range orgs {
		if err := v.accessOf(ctx, tx, o); err != nil {
			return err
		}
	}
	return nil
}

type accessHead struct {
	org  string
	head head
}

func accessHeads(ctx context.Context, tx *store.Tx) ([]accessHead, error) {
	rows, err := tx.Query(ctx, `SELECT org, seq, hash FROM access_head ORDER BY org`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []accessHead
	for rows.Next() {
		var a accessHead
		var raw []byte
		if err := rows.Scan(&a.org, &a.head.seq, &raw); err != nil {
			return nil, err
		}
		copy(a.head.hash[:], raw)
		out = append(out, a)
	}
	return out, rows.Err()
}

func (v *verifier) accessOf(ctx context.Context, tx *store.Tx, a accessHead) error {
	rows, err := tx.Query(ctx, `SELECT l.id, l.seq, l.at, l.reader, l.session, l.action, l.purpose, l.because, l.tiers, l.streams,
			l.prev_hash, l.hash, s.stream
		FROM access_line l JOIN access_stream s ON s.line = l.id
		WHERE l.org = $1 ORDER BY l.seq, s.stream`, a.org)
	if err != nil {
		return err
	}
	defer rows.Close()
	var last head
	var line AccessLine
	var streams []string
	var prev, hash []byte
	flush := func() error {
		if line.ID == "" {
			return nil
		}
		v.report.AccessLines++
		got := hashAccess(a.org, line, streams, last.hash)
		if line.Seq != last.seq+1 || !bytes.Equal(prev, last.hash[:]) || !bytes.Equal(hash, got[:]) {
			if err := v.wrong("access line "+line.ID, "it was changed, or lines before it are missing"); err != nil {
				return err
			}
		}
		last = head{line.Seq, Hash(hash)}
		return nil
	}
	for rows.Next() {
		var l AccessLine
		var at int64
		var tiers, stream string
		var p, h []byte
		if err := rows.Scan(&l.ID, &l.Seq, &at, &l.User, &l.Session, &l.Action, &l.Purpose, &l.Because, &tiers, &l.Streams, &p, &h, &stream); err != nil {
			return err
		}
		if l.ID != line.ID {
			if err := flush(); err != nil {
				return err
			}
			l.At, l.Tiers = store.Time(at), splitTiers(tiers)
			line, streams, prev, hash = l, nil, p, h
		}
		streams = append(streams, stream)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	if last != a.head {
		return v.wrong("the access log", fmt.Sprintf("its head says line %d, its lines end at %d", a.head.seq, last.seq))
	}
	return nil
}

// frontier is the right edge of a growing Merkle tree: the roots of the full
// subtrees, largest first (RFC 6962, section 2.1).
type frontier struct {
	size  int64
	roots []tlog.Hash
}

func (f *frontier) add(leaf tlog.Hash) {
	f.roots = append(f.roots, leaf)
	f.size++
	for n := f.size; n%2 == 0; n /= 2 {
		last := len(f.roots) - 1
		f.roots[last-1] = tlog.NodeHash(f.roots[last-1], f.roots[last])
		f.roots = f.roots[:last]
	}
}

func (f *frontier) root() tlog.Hash {
	if f.size == 0 {
		return tlog.Hash{}
	}
	h := f.roots[len(f.roots)-1]
	for i := len(f.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.roots[i], h)
	}
	return h
}
