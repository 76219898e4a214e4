package journal

// The form of one entry on the disk: its checks, its sealed parts, its hash.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"banyan/internal/store"
	"banyan/internal/vault"
)

// Limits of one entry. The doors have stricter ones, with kinder words.
const (
	maxName    = 200     // characters of a form, record, author, organisation or device
	maxFollows = 32      // heads that one entry may follow
	maxAnswers = 2 << 20 // bytes of an entry's answers, all tiers together
)

// wellFormed checks what every entry must have, whatever its form.
func wellFormed(d Draft, stream string) error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrBadDraft, what) }
	id, err := uuid.Parse(d.ID)
	if err != nil || id.Version() != 7 || d.ID != id.String() {
		return bad("its id is not a UUIDv7 in lower case")
	}
	if d.Stream != stream {
		return bad("it names another stream")
	}
	for name, value := range map[string]string{"form": d.Form, "record": d.Record, "author": d.Author, "organisation": d.Org} {
		if value == "" {
			return bad("its " + name + " is empty")
		}
	}
	for _, value := range []string{d.Form, d.Record, d.Author, d.Org, d.Device} {
		if len(value) > maxName || !utf8.ValidString(value) || strings.ContainsAny(value, "\x00\n") {
			return bad("one of its names is too long or has characters that are not allowed")
		}
	}
	if len(d.Follows) > maxFollows {
		return bad("it follows too many entries")
	}
	if d.WrittenAt.IsZero() || d.WrittenAt.Year() < 2000 || d.WrittenAt.Year() > 2200 {
		return bad("its time of writing is missing or absurd")
	}
	switch d.Act {
	case Submit, Amend, Strike:
		return nil
	}
	return bad("it does something unknown")
}

// normalise brings answers to the shape that JSON gives back (float64,
// []any, map[string]any), so that what Check saw is what history shows.
func normalise(answers map[Tier]map[string]any) (map[Tier]map[string]any, error) {
	out := map[Tier]map[string]any{}
	total := 0
	for tier, fields := range answers {
		if len(fields) == 0 {
			continue
		}
		text, err := json.Marshal(fields)
		if err != nil {
			return nil, errors.New("its answers are not JSON")
		}
		if total += len(text); total > maxAnswers {
			return nil, errors.New("its answers are too long")
		}
		var back map[string]any
		if err := json.Unmarshal(text, &back); err != nil {
			return nil, errors.New("its answers are not JSON")
		}
		out[tier] = back
	}
	return out, nil
}

func sameDraft(o Opened, d Draft) bool {
	return o.Record == d.Record && o.Form == d.Form && o.FormVersion == d.FormVersion && o.Act == d.Act &&
		o.Author == d.Author && o.Org == d.Org && o.WrittenAt.Equal(d.WrittenAt) &&
		strings.Join(o.Follows, ",") == strings.Join(d.Follows, ",") && reflect.DeepEqual(o.Answers, d.Answers)
}

// part is the sealed answers of one tier.
type part struct {
	tier   Tier
	sealed []byte
}

// sealParts seals the answers tier by tier, in the order of Tiers.
func sealParts(keys *vault.StreamKeys, entry string, answers map[Tier]map[string]any) ([]part, error) {
	var out []part
	for _, tier := range Tiers {
		fields := answers[tier]
		if len(fields) == 0 {
			continue
		}
		plain, err := json.Marshal(fields)
		if err != nil {
			return nil, err
		}
		sealed, err := keys.Seal(tier, entry, plain)
		if err != nil {
			return nil, err
		}
		out = append(out, part{tier, sealed})
	}
	for tier := range answers {
		if !knownTier(tier) {
			return nil, fmt.Errorf("%w: %q", vault.ErrBadTier, tier)
		}
	}
	return out, nil
}

func knownTier(t Tier) bool {
	for _, k := range Tiers {
		if k == t {
			return true
		}
	}
	return false
}

// encodeParts writes parts as: name length, name, sealed length, sealed.
func encodeParts(parts []part) []byte {
	out := []byte{} // an entry without answers has no parts, which is not the same as no value
	for _, p := range parts {
		out = binary.AppendUvarint(out, uint64(len(p.tier)))
		out = append(out, p.tier...)
		out = binary.AppendUvarint(out, uint64(len(p.sealed)))
		out = append(out, p.sealed...)
	}
	return out
}

var errParts = errors.New("the sealed parts of an entry cannot be read")

func decodeParts(raw []byte) ([]part, error) {
	take := func() ([]byte, error) {
		n, w := binary.Uvarint(raw)
		if w <= 0 || n > uint64(len(raw)-w) {
			return nil, errParts
		}
		piece := raw[w : w+int(n)]
		raw = raw[w+int(n):]
		return piece, nil
	}
	var out []part
	for len(raw) > 0 {
		tier, err := take()
		if err != nil {
			return nil, err
		}
		sealed, err := take()
		if err != nil {
			return nil, err
		}
		out = append(out, part{Tier(tier), sealed})
	}
	return out, nil
}

// hashEntry gives the entry's hash: SHA-256 over every field in clear, the
// previous hash, and the digest of each sealed part. It runs over ciphertext,
// so erasing keys leaves it whole. Fields are length-prefixed, so that no two
// entries share one encoding.
func hashEntry(e Entry, parts []part) (Hash, error) {
	var b bytes.Buffer
	text := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		b.Write(n[:])
		b.WriteString(s)
	}
	number := func(v int64) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(v))
		b.Write(n[:])
	}
	text("banyan entry 1")
	text(e.ID)
	text(e.Stream)
	number(e.Seq)
	text(e.Form)
	number(int64(e.FormVersion))
	text(string(e.Act))
	text(e.Record)
	number(int64(len(e.Follows)))
	for _, f := range e.Follows {
		text(f)
	}
	text(e.Author)
	text(e.Org)
	text(e.Device)
	number(store.Micros(e.WrittenAt))
	number(store.Micros(e.RecordedAt))
	b.Write(e.PrevHash[:])
	number(int64(len(parts)))
	for _, p := range parts {
		text(string(p.tier))
		digest := sha256.Sum256(p.sealed)
		b.Write(digest[:])
	}
	return sha256.Sum256(b.Bytes()), nil
}

var entryNames = []string{"id", "stream", "seq", "form", "form_version", "act", "record", "follows", "author", "org", "device",
	"written_at", "recorded_at", "prev_hash", "hash", "log_index", "parts"}

var entryColumns = strings.Join(entryNames, ", ")

// sealedEntry is an entry as it goes to the disk.
type sealedEntry struct {
	Entry
	parts []part
}

func insertEntries(ctx context.Context, tx *store.Tx, entries []sealedEntry) error {
	rows := make([][]any, len(entries))
	for i, e := range entries {
		rows[i] = []any{e.ID, e.Stream, e.Seq, e.Form, e.FormVersion, string(e.Act), e.Record, strings.Join(e.Follows, ","),
			e.Author, e.Org, e.Device, store.Micros(e.WrittenAt), store.Micros(e.RecordedAt),
			e.PrevHash[:], e.Hash[:], e.LogIndex, encodeParts(e.parts)}
	}
	return tx.InsertRows(ctx, "entry", entryNames, rows)
}

type scanner interface{ Scan(...any) error }

// scanEntry reads one row of entryColumns.
func scanEntry(row scanner) (Entry, []part, error) {
	var e Entry
	var act, follows string
	var written, recorded int64
	var prev, hash, raw []byte
	err := row.Scan(&e.ID, &e.Stream, &e.Seq, &e.Form, &e.FormVersion, &act, &e.Record, &follows, &e.Author, &e.Org,
		&e.Device, &written, &recorded, &prev, &hash, &e.LogIndex, &raw)
	if err != nil {
		return Entry{}, nil, err
	}
	e.Act = Act(act)
	if follows != "" {
		e.Follows = strings.Split(follows, ",")
	}
	e.WrittenAt, e.RecordedAt = store.Time(written), store.Time(recorded)
	copy(e.PrevHash[:], prev)
	copy(e.Hash[:], hash)
	parts, err := decodeParts(raw)
	return e, parts, err
}

// readHistory opens a stream's entries after a sequence number (0: all),
// oldest first. keys may be nil (an erased stream): everything then stays
// closed.
func readHistory(ctx context.Context, q store.Querier, keys *vault.StreamKeys, stream string, tiers []Tier, after int64) ([]Opened, error) {
	rows, err := q.Query(ctx, `SELECT `+entryColumns+` FROM entry WHERE stream = $1 AND seq > $2 ORDER BY seq`, stream, after)
	if err != nil {
		return nil, fmt.Errorf("reading a stream: %w", err)
	}
	defer rows.Close()
	var out []Opened
	for rows.Next() {
		e, parts, err := scanEntry(rows)
		if err != nil {
			return nil, fmt.Errorf("reading entry %s: %w", e.ID, err)
		}
		o, err := openEntry(keys, e, parts, tiers)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// openEntry opens the parts of the wanted tiers.
func openEntry(keys *vault.StreamKeys, e Entry, parts []part, tiers []Tier) (Opened, error) {
	o := Opened{Entry: e, Answers: map[Tier]map[string]any{}}
	for _, p := range parts {
		if keys == nil || !wanted(p.tier, tiers) {
			o.Closed = append(o.Closed, p.tier)
			continue
		}
		plain, err := keys.Open(p.tier, e.ID, p.sealed)
		if err != nil {
			return Opened{}, fmt.Errorf("opening entry %s, tier %s: %w", e.ID, p.tier, err)
		}
		var fields map[string]any
		if err := json.Unmarshal(plain, &fields); err != nil {
			return Opened{}, fmt.Errorf("reading entry %s, tier %s: the answers are not JSON", e.ID, p.tier)
		}
		o.Answers[p.tier] = fields
	}
	return o, nil
}

func wanted(t Tier, tiers []Tier) bool {
	for _, w := range tiers {
		if w == t {
			return true
		}
	}
	return false
}

const streamRow = `SELECT id, kind, org, created_at, seq, head_hash, erased_at FROM stream WHERE id = $1`

func readStream(ctx context.Context, q store.Querier, id string) (Stream, error) {
	return takeStream(q.QueryRow(ctx, streamRow, id))
}

// holdStream is readStream that keeps other writers out until the transaction
// ends. On SQLite every writing transaction does that.
func holdStream(ctx context.Context, tx *store.Tx, id string) (Stream, error) {
	if tx.Engine() == store.Postgres {
		return takeStream(tx.QueryRow(ctx, streamRow+` FOR UPDATE`, id))
	}
	return readStream(ctx, tx, id)
}

func takeStream(row scanner) (Stream, error) {
	s, err := scanStream(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Stream{}, ErrNoStream
	}
	if err != nil {
		return Stream{}, fmt.Errorf("reading a stream's row: %w", err)
	}
	return s, nil
}

func scanStream(row scanner) (Stream, error) {
	var s Stream
	var created, erased int64
	var head []byte
	if err := row.Scan(&s.ID, &s.Kind, &s.Org, &created, &s.Seq, &head, &erased); err != nil {
		return Stream{}, err
	}
	s.CreatedAt, s.ErasedAt = store.Time(created), store.Time(erased)
	copy(s.HeadHash[:], head)
	return s, nil
}
