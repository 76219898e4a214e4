// Package vault keeps keys and seals what is written with them.
//
// # What it promises
//
//   - A stolen disk or backup says nothing: what stands on it is sealed with
//     keys that are wrapped by a master key that is elsewhere.
//   - Erased is erased: the keys of one stream stand in one row of a separate
//     keyring database; without that row nothing of the stream can be read
//     again, whatever copies of the journal exist.
//   - A sealed part opens only in its place: stream, entry and tier are bound
//     to it as associated data.
//
// # The ladder of keys
//
//	master key (a file or passphrase outside the data folder)
//	  └─ derived by HKDF-SHA256, one for each use: database files, checkpoint
//	     signature, backups, pseudonyms, wrapping of organisation keys
//	organisation: an HPKE key pair (RFC 9180, ML-KEM-768 with X25519), private
//	  half sealed by the master; what other organisations send is sealed to it
//	stream: one random 256-bit key for each tier, wrapped (AES-256-GCM) by a key
//	  derived from the organisation's private half, all tiers in one keyring row
//	part: AES-256-GCM under the tier's key
//
// The stream keys are wrapped symmetrically, not by HPKE: the node that holds
// them holds the organisation's private half anyway, and a wrap that costs a
// microsecond lets a server open a hundred thousand names at its start.
package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"banyan/internal/store"
)

// Tier is a class of answers that is sealed with a key of its own.
type Tier string

// The tiers, from the least to the most dangerous to leak (safety.md).
const (
	Coded    Tier = "coded"    // services and codes
	Story    Tier = "story"    // narrative
	Identity Tier = "identity" // who the person is
	Place    Tier = "place"    // where the person is; shelters
	Health   Tier = "health"   // medical and psychological
	Legal    Tier = "legal"    // proceedings, names of accused and witnesses
)

// Tiers lists every tier in the order in which a keyring row holds their keys.
// The order is part of the format: new tiers go to the end.
var Tiers = []Tier{Coded, Story, Identity, Place, Health, Legal}

// KeySize is the length of every symmetric key, in bytes.
const KeySize = 32

// Errors that callers tell apart.
var (
	ErrErased  = errors.New("the keys of this stream were destroyed")
	ErrNoKey   = errors.New("this stream has no keys")
	ErrTamper  = errors.New("a sealed part does not open: it was changed, moved, or sealed with another key")
	ErrBadTier = errors.New("unknown tier")
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the keyring's own tables. They belong in a database of their own.
func Schema() store.Schema {
	sub, _ := fs.Sub(migrations, "migrations")
	return store.Schema{Room: "vault", FS: sub}
}

// Vault gives stream keys. It is safe for concurrent use.
type Vault struct {
	keyring *store.DB
	master  Master
	now     func() time.Time

	mu      sync.Mutex
	orgs    map[string]*orgKey
	streams map[string]*StreamKeys // bounded by cacheStreams
}

// cacheStreams bounds the opened stream keys held in memory (some two kilobytes
// each). When it is full the cache starts anew: opening one costs microseconds.
const cacheStreams = 20_000

type orgKey struct {
	private hpke.PrivateKey
	wrap    cipher.AEAD
}

// Open makes a vault over an open, migrated keyring database.
func Open(keyring *store.DB, master Master, now func() time.Time) *Vault {
	return &Vault{keyring: keyring, master: master, now: now, orgs: map[string]*orgKey{}, streams: map[string]*StreamKeys{}}
}

// Keyring is the database that holds the wrapped keys, for backup and verify.
func (v *Vault) Keyring() *store.DB { return v.keyring }

// Keys gives the keys of a stream that has been created before.
func (v *Vault) Keys(ctx context.Context, stream string) (*StreamKeys, error) {
	v.mu.Lock()
	keys, ok := v.streams[stream]
	v.mu.Unlock()
	if ok {
		return keys, nil
	}
	var org string
	var wrapped []byte
	err := v.keyring.QueryRow(ctx, `SELECT org, wrapped FROM stream_key WHERE stream = $1`, stream).Scan(&org, &wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, v.whyNoKey(ctx, stream)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the keys of a stream: %w", err)
	}
	keys, err = v.unwrap(ctx, org, stream, wrapped)
	if err != nil {
		return nil, err
	}
	v.remember(keys)
	return keys, nil
}

// CreateKeys makes sure that the stream has keys, and returns only after they
// are on the keyring's disk: no entry can be acknowledged before its key.
func (v *Vault) CreateKeys(ctx context.Context, org, stream string) (*StreamKeys, error) {
	all, err := v.CreateAllKeys(ctx, []NewStream{{org, stream}})
	if err != nil {
		return nil, err
	}
	if all[0] == nil {
		return nil, ErrErased
	}
	return all[0], nil
}

// NewStream names a stream and the organisation that it belongs to.
type NewStream struct{ Org, Stream string }

// CreateAllKeys is CreateKeys for several streams at the price of one write.
// An erased stream gives nil in its place.
func (v *Vault) CreateAllKeys(ctx context.Context, streams []NewStream) ([]*StreamKeys, error) {
	out := make([]*StreamKeys, len(streams))
	var missing []int
	for i, s := range streams {
		keys, err := v.Keys(ctx, s.Stream)
		switch {
		case errors.Is(err, ErrErased):
		case errors.Is(err, ErrNoKey):
			missing = append(missing, i)
		case err != nil:
			return nil, err
		default:
			out[i] = keys
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	wrapped := make([][]byte, len(streams))
	for _, i := range missing {
		var err error
		if wrapped[i], err = v.newKeys(ctx, streams[i]); err != nil {
			return nil, err
		}
	}
	err := v.keyring.Transact(ctx, func(tx *store.Tx) error {
		for _, i := range missing { // another writer may have been first: his keys hold
			_, err := tx.Exec(ctx, `INSERT INTO stream_key (stream, org, wrapped, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (stream) DO NOTHING`,
				streams[i].Stream, streams[i].Org, wrapped[i], store.Micros(v.now()))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("writing the keys of a stream: %w", err)
	}
	for _, i := range missing {
		if out[i], err = v.Keys(ctx, streams[i].Stream); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// newKeys makes the wrapped keys of one stream.
func (v *Vault) newKeys(ctx context.Context, s NewStream) ([]byte, error) {
	ok, err := v.org(ctx, s.Org)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, KeySize*len(Tiers))
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return seal(ok.wrap, raw, []byte("banyan stream key 1|"+s.Org+"|"+s.Stream)), nil
}

// ForEachKeys opens the keys of every stream, in no particular order: for
// work that walks all streams (rebuild, the names index at start), where one
// query beats a hundred thousand.
func (v *Vault) ForEachKeys(ctx context.Context, fn func(*StreamKeys) error) error {
	rows, err := v.keyring.Query(ctx, `SELECT stream, org, wrapped FROM stream_key`)
	if err != nil {
		return fmt.Errorf("reading the keyring: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var stream, org string
		var wrapped []byte
		if err := rows.Scan(&stream, &org, &wrapped); err != nil {
			return fmt.Errorf("reading the keyring: %w", err)
		}
		keys, err := v.unwrap(ctx, org, stream, wrapped)
		if err != nil {
			return err
		}
		v.remember(keys)
		if err := fn(keys); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Erase destroys the keys of a stream for good and remembers that it did.
// Erasing twice is harmless.
func (v *Vault) Erase(ctx context.Context, stream string) error {
	// First the list beside the master key: if the power fails in between, a
	// restore still destroys the keys, and erasing again finishes the work.
	if err := v.master.noteErasure(stream); err != nil {
		return err
	}
	err := v.keyring.Transact(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE stream_key SET wrapped = $2 WHERE stream = $1`, stream, make([]byte, KeySize*len(Tiers)+28)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM stream_key WHERE stream = $1`, stream); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO erased_key (stream, erased_at) VALUES ($1, $2) ON CONFLICT (stream) DO NOTHING`,
			stream, store.Micros(v.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("destroying the keys of a stream: %w", err)
	}
	v.mu.Lock()
	delete(v.streams, stream)
	v.mu.Unlock()
	if v.keyring.Engine() == store.SQLite { // the old page must not live on in the write-ahead log
		if _, err := v.keyring.Exec(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
			return fmt.Errorf("clearing the keyring's log: %w", err)
		}
	}
	return nil
}

// Erased lists the streams whose keys were destroyed here.
func (v *Vault) Erased(ctx context.Context) ([]string, error) {
	rows, err := v.keyring.Query(ctx, `SELECT stream FROM erased_key ORDER BY stream`)
	if err != nil {
		return nil, fmt.Errorf("reading erasures: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("reading erasures: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// SigningKey signs the journal's checkpoints on this node.
func (v *Vault) SigningKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(v.master.Derive("checkpoint signature 1"))
}

// Derive gives a key for one named use outside the streams.
func (v *Vault) Derive(use string) []byte { return v.master.Derive(use) }

// SealSecret seals a small secret of the program itself (a second factor's
// seed, for instance), bound to its label.
func (v *Vault) SealSecret(label string, plain []byte) ([]byte, error) {
	aead, err := newAEAD(v.master.Derive("program secrets 1"))
	if err != nil {
		return nil, err
	}
	return seal(aead, plain, []byte(label)), nil
}

// OpenSecret opens what SealSecret sealed under the same label.
func (v *Vault) OpenSecret(label string, sealed []byte) ([]byte, error) {
	aead, err := newAEAD(v.master.Derive("program secrets 1"))
	if err != nil {
		return nil, err
	}
	return open(aead, sealed, []byte(label))
}

// org gives the organisation's keys, made at first use.
func (v *Vault) org(ctx context.Context, org string) (*orgKey, error) {
	v.mu.Lock()
	k, ok := v.orgs[org]
	v.mu.Unlock()
	if ok {
		return k, nil
	}
	k, err := v.loadOrg(ctx, org)
	if errors.Is(err, sql.ErrNoRows) {
		k, err = v.createOrg(ctx, org)
	}
	if err != nil {
		return nil, fmt.Errorf("keys of an organisation: %w", err)
	}
	v.mu.Lock()
	v.orgs[org] = k
	v.mu.Unlock()
	return k, nil
}

func (v *Vault) loadOrg(ctx context.Context, org string) (*orgKey, error) {
	var sealed []byte
	if err := v.keyring.QueryRow(ctx, `SELECT private_sealed FROM org_key WHERE org = $1`, org).Scan(&sealed); err != nil {
		return nil, err
	}
	aead, err := newAEAD(v.master.Derive("organisation keys 1"))
	if err != nil {
		return nil, err
	}
	raw, err := open(aead, sealed, []byte("banyan org key 1|"+org))
	if err != nil {
		return nil, err
	}
	return newOrgKey(raw)
}

func (v *Vault) createOrg(ctx context.Context, org string) (*orgKey, error) {
	private, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return nil, err
	}
	raw, err := private.Bytes()
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(v.master.Derive("organisation keys 1"))
	if err != nil {
		return nil, err
	}
	_, err = v.keyring.Exec(ctx, `INSERT INTO org_key (org, public, private_sealed, created_at) VALUES ($1, $2, $3, $4)`,
		org, private.PublicKey().Bytes(), seal(aead, raw, []byte("banyan org key 1|"+org)), store.Micros(v.now()))
	if store.IsUnique(err) {
		return v.loadOrg(ctx, org)
	}
	if err != nil {
		return nil, err
	}
	return newOrgKey(raw)
}

func newOrgKey(raw []byte) (*orgKey, error) {
	private, err := hpke.MLKEM768X25519().NewPrivateKey(raw)
	if err != nil {
		return nil, err
	}
	wrapKey, err := hkdf.Key(sha256.New, raw, nil, "banyan stream wrapping 1", KeySize)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(wrapKey)
	if err != nil {
		return nil, err
	}
	return &orgKey{private: private, wrap: aead}, nil
}

func (v *Vault) unwrap(ctx context.Context, org, stream string, wrapped []byte) (*StreamKeys, error) {
	ok, err := v.org(ctx, org)
	if err != nil {
		return nil, err
	}
	raw, err := open(ok.wrap, wrapped, []byte("banyan stream key 1|"+org+"|"+stream))
	if err != nil {
		return nil, fmt.Errorf("unwrapping the keys of a stream: %w", err)
	}
	return newStreamKeys(stream, raw)
}

func (v *Vault) whyNoKey(ctx context.Context, stream string) error {
	var n int
	if err := v.keyring.QueryRow(ctx, `SELECT count(*) FROM erased_key WHERE stream = $1`, stream).Scan(&n); err != nil {
		return fmt.Errorf("reading erasures: %w", err)
	}
	if n > 0 {
		return ErrErased
	}
	return ErrNoKey
}

func (v *Vault) remember(keys *StreamKeys) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.streams) >= cacheStreams {
		v.streams = map[string]*StreamKeys{}
	}
	v.streams[keys.Stream] = keys
}

// StreamKeys seals and opens the parts of one stream.
type StreamKeys struct {
	Stream string
	raw    []byte // KeySize bytes for each of Tiers

	mu    sync.Mutex
	aeads [16]cipher.AEAD // made at first use
}

func newStreamKeys(stream string, raw []byte) (*StreamKeys, error) {
	if len(raw) < KeySize || len(raw)%KeySize != 0 || len(raw) > KeySize*len(Tiers) {
		return nil, fmt.Errorf("a keyring row has %d bytes: %w", len(raw), ErrTamper)
	}
	return &StreamKeys{Stream: stream, raw: raw}, nil
}

// Seal seals plain so that it opens only as part `place` (an entry id, or the
// label of a projection's cell) of this stream and tier.
func (k *StreamKeys) Seal(tier Tier, place string, plain []byte) ([]byte, error) {
	aead, _, err := k.aead(tier)
	if err != nil {
		return nil, err
	}
	return seal(aead, plain, k.bind(tier, place)), nil
}

// SealSame is Seal with a nonce that follows from the content (a keyed hash,
// as in SIV modes), so that the same content in the same place gives the same
// bytes: projections drawn twice are then equal.
func (k *StreamKeys) SealSame(tier Tier, place string, plain []byte) ([]byte, error) {
	aead, key, err := k.aead(tier)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("banyan nonce 1|" + place + "|"))
	mac.Write(plain)
	nonce := mac.Sum(nil)[:aead.NonceSize()]
	return aead.Seal(nonce, nonce, plain, k.bind(tier, place)), nil
}

// Open opens what Seal or SealSame sealed for the same place and tier.
func (k *StreamKeys) Open(tier Tier, place string, sealed []byte) ([]byte, error) {
	aead, _, err := k.aead(tier)
	if err != nil {
		return nil, err
	}
	return open(aead, sealed, k.bind(tier, place))
}

func (k *StreamKeys) bind(tier Tier, place string) []byte {
	return []byte("banyan part 1|" + k.Stream + "|" + string(tier) + "|" + place)
}

func (k *StreamKeys) aead(tier Tier) (cipher.AEAD, []byte, error) {
	for i, t := range Tiers {
		if t != tier {
			continue
		}
		if (i+1)*KeySize > len(k.raw) {
			return nil, nil, fmt.Errorf("%w: %q came after this stream's keys were made", ErrBadTier, tier)
		}
		key := k.raw[i*KeySize : (i+1)*KeySize]
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.aeads[i] == nil {
			aead, err := newAEAD(key)
			if err != nil {
				return nil, nil, err
			}
			k.aeads[i] = aead
		}
		return k.aeads[i], key, nil
	}
	return nil, nil, fmt.Errorf("%w: %q", ErrBadTier, tier)
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal gives nonce and ciphertext in one slice.
func seal(aead cipher.AEAD, plain, bound []byte) []byte {
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return aead.Seal(nonce, nonce, plain, bound)
}

func open(aead cipher.AEAD, sealed, bound []byte) ([]byte, error) {
	if len(sealed) < aead.NonceSize()+aead.Overhead() {
		return nil, ErrTamper
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], bound)
	if err != nil {
		return nil, ErrTamper
	}
	return plain, nil
}
