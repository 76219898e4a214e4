package journal

// Reading is written too: the only way to an answer leads through Read, which
// puts a line into the access log before it gives anything away.

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/google/uuid"

	"banyan/internal/store"
	"banyan/internal/vault"
)

// Reader is who reads, and for which purpose.
type Reader struct {
	User    string
	Org     string
	Session string
	Purpose string
}

// ReadRequest is one act of reading.
type ReadRequest struct {
	Reader
	Action  string // what was done, such as "case.open", "list.today", "find"
	Tiers   []Tier // what may be opened
	Because string // the rule that allowed it
}

// AccessLine is one line of the access log.
type AccessLine struct {
	ID      string
	Seq     int64
	At      time.Time
	User    string
	Session string
	Action  string
	Purpose string
	Because string
	Tiers   []Tier
	Streams int // how many streams were opened in this act
}

// Opener opens what its read may open. It is good only inside the function
// that Read runs.
type Opener struct {
	j     *Journal
	tx    *store.Tx
	tiers []Tier
	// noted are the streams opened so far; used the tiers opened so far.
	noted map[string]bool
	used  map[Tier]bool
}

// Read runs fn over one unchanging snapshot, in which it may open answers
// through the Opener, and then writes what was opened to the access log.
// Nothing that fn read may leave the program before Read returned nil: if the
// line is not on the disk, Read fails. fn may run more than once.
//
// The snapshot and the line are two transactions, so that readers do not wait
// for each other's opening, and lines share the disk's wait with the entries
// of others (see group).
func (j *Journal) Read(ctx context.Context, r ReadRequest, fn func(tx *store.Tx, o *Opener) error) error {
	if r.User == "" || r.Org == "" || r.Action == "" || r.Purpose == "" {
		return errors.New("reading: a read says who reads, what and for which purpose")
	}
	var o *Opener
	err := j.db.View(ctx, func(tx *store.Tx) error {
		o = &Opener{j: j, tx: tx, tiers: r.Tiers, noted: map[string]bool{}, used: map[Tier]bool{}}
		return fn(tx, o)
	})
	if err != nil || len(o.noted) == 0 { // nothing about a person was opened
		return err
	}
	return j.group.run(ctx, j.db, func(ctx context.Context, tx *store.Tx) error { return j.writeAccess(ctx, tx, r, o) })
}

// History opens a stream. Tiers outside the read stay closed.
func (o *Opener) History(ctx context.Context, stream string) (Stream, []Opened, error) {
	s, err := readStream(ctx, o.tx, stream)
	if err != nil {
		return Stream{}, nil, err
	}
	keys, err := o.keys(ctx, s)
	if err != nil {
		return Stream{}, nil, err
	}
	history, err := readHistory(ctx, o.tx, keys, stream, o.tiers, 0)
	if err != nil {
		return Stream{}, nil, err
	}
	o.noted[stream] = true
	for _, h := range history {
		for tier := range h.Answers {
			o.used[tier] = true
		}
	}
	return s, history, nil
}

// Unseal opens a sealed cell of a projection. A tier outside the read, or an
// erased stream, gives nil: the cell then shows as hidden.
func (o *Opener) Unseal(ctx context.Context, stream string, tier Tier, label string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || !wanted(tier, o.tiers) {
		return nil, nil
	}
	keys, err := o.j.vault.Keys(ctx, stream)
	if errors.Is(err, vault.ErrErased) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	plain, err := keys.Open(tier, cellPlace(label), sealed)
	if err != nil {
		return nil, fmt.Errorf("opening a cell: %w", err)
	}
	o.noted[stream] = true
	o.used[tier] = true
	return plain, nil
}

// Note says that the answer shows something of the stream that was not opened
// here (codes of a projection, a file).
func (o *Opener) Note(stream string, tiers ...Tier) {
	o.noted[stream] = true
	for _, t := range tiers {
		o.used[t] = true
	}
}

// Narrow leaves only those tiers for what follows. It never widens.
func (o *Opener) Narrow(tiers ...Tier) {
	var both []Tier
	for _, t := range o.tiers {
		if wanted(t, tiers) {
			both = append(both, t)
		}
	}
	o.tiers = both
}

// keys gives nil for an erased stream.
func (o *Opener) keys(ctx context.Context, s Stream) (*vault.StreamKeys, error) {
	if s.Erased() {
		return nil, nil
	}
	keys, err := o.j.vault.Keys(ctx, s.ID)
	if errors.Is(err, vault.ErrErased) {
		return nil, nil
	}
	return keys, err
}

// writeAccess puts one line into the organisation's chain.
func (j *Journal) writeAccess(ctx context.Context, tx *store.Tx, r ReadRequest, o *Opener) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("writing the access log: %w", err)
	}
	seq, prev, err := lockAccessHead(ctx, tx, r.Org)
	if err != nil {
		return fmt.Errorf("writing the access log: %w", err)
	}
	streams := make([]string, 0, len(o.noted))
	for s := range o.noted {
		streams = append(streams, s)
	}
	sort.Strings(streams)
	l := AccessLine{ID: id.String(), Seq: seq + 1, At: j.now().UTC().Truncate(time.Microsecond), User: r.User,
		Session: r.Session, Action: r.Action, Purpose: r.Purpose, Because: r.Because, Streams: len(streams)}
	for _, t := range Tiers {
		if o.used[t] {
			l.Tiers = append(l.Tiers, t)
		}
	}
	hash := hashAccess(r.Org, l, streams, prev)
	_, err = tx.Exec(ctx, `INSERT INTO access_line (id, org, seq, at, reader, session, action, purpose, because, tiers, streams, prev_hash, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		l.ID, r.Org, l.Seq, store.Micros(l.At), l.User, l.Session, l.Action, l.Purpose, l.Because, joinTiers(l.Tiers), l.Streams, prev[:], hash[:])
	if err != nil {
		return fmt.Errorf("writing the access log: %w", err)
	}
	for _, s := range streams {
		if _, err := tx.Exec(ctx, `INSERT INTO access_stream (stream, line) VALUES ($1, $2)`, s, l.ID); err != nil {
			return fmt.Errorf("writing the access log: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE access_head SET seq = $2, hash = $3 WHERE org = $1`, r.Org, l.Seq, hash[:]); err != nil {
		return fmt.Errorf("writing the access log: %w", err)
	}
	return nil
}

func lockAccessHead(ctx context.Context, tx *store.Tx, org string) (int64, Hash, error) {
	_, err := tx.Exec(ctx, `INSERT INTO access_head (org, seq, hash) VALUES ($1, 0, $2) ON CONFLICT (org) DO NOTHING`,
		org, make([]byte, sha256.Size))
	if err != nil {
		return 0, Hash{}, err
	}
	query := `SELECT seq, hash FROM access_head WHERE org = $1`
	if tx.Engine() == store.Postgres {
		query += ` FOR UPDATE`
	}
	var seq int64
	var raw []byte
	if err := tx.QueryRow(ctx, query, org).Scan(&seq, &raw); err != nil {
		return 0, Hash{}, err
	}
	var prev Hash
	copy(prev[:], raw)
	return seq, prev, nil
}

func hashAccess(org string, l AccessLine, streams []string, prev Hash) Hash {
	h := sha256.New()
	text := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	for _, s := range []string{"banyan access 1", l.ID, org, fmt.Sprint(l.Seq), fmt.Sprint(store.Micros(l.At)),
		l.User, l.Session, l.Action, l.Purpose, l.Because, joinTiers(l.Tiers)} {
		text(s)
	}
	for _, s := range streams {
		text(s)
	}
	h.Write(prev[:])
	var out Hash
	h.Sum(out[:0])
	return out
}

func joinTiers(tiers []Tier) string {
	out := make([]string, len(tiers))
	for i, t := range tiers {
		out[i] = string(t)
	}
	return strings.Join(out, ",")
}

func splitTiers(text string) []Tier {
	if text == "" {
		return nil
	}
	var out []Tier
	for _, t := range strings.Split(text, ",") {
		out = append(out, Tier(t))
	}
	return out
}

// AccessOf lists who looked at a stream, newest first, in lines before the
// cursor (an empty cursor starts at the newest). Whether the caller may see
// that is the policy's to say.
func (j *Journal) AccessOf(ctx context.Context, stream string, limit int, before string) ([]AccessLine, error) {
	if before == "" {
		before = "~" // after every UUID
	}
	rows, err := j.db.Query(ctx, `SELECT l.id, l.seq, l.at, l.reader, l.session, l.action, l.purpose, l.because, l.tiers, l.streams
		FROM access_stream s JOIN access_line l ON l.id = s.line
		WHERE s.stream = $1 AND s.line < $2 ORDER BY s.line DESC LIMIT $3`, stream, before, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the access log: %w", err)
	}
	return scanAccess(rows)
}

// AccessBy lists what one person read, newest first.
func (j *Journal) AccessBy(ctx context.Context, user string, limit int) ([]AccessLine, error) {
	rows, err := j.db.Query(ctx, `SELECT id, seq, at, reader, session, action, purpose, because, tiers, streams
		FROM access_line WHERE reader = $1 ORDER BY at DESC, id DESC LIMIT $2`, user, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the access log: %w", err)
	}
	return scanAccess(rows)
}

func scanAccess(rows *sql.Rows) ([]AccessLine, error) {
	defer rows.Close()
	var out []AccessLine
	for rows.Next() {
		var l AccessLine
		var at int64
		var tiers string
		if err := rows.Scan(&l.ID, &l.Seq, &at, &l.User, &l.Session, &l.Action, &l.Purpose, &l.Because, &tiers, &l.Streams); err != nil {
			return nil, fmt.Errorf("reading the access log: %w", err)
		}
		l.At = store.Time(at)
		l.Tiers = splitTiers(tiers)
		out = append(out, l)
	}
	return out, rows.Err()
}
