package identity

// Throttling counts failed proofs per login and per address over a window, in
// the database; on a device that the login has signed in on before, per device
// (see device.go); of somebody who is signed in, per session. A try is counted before its password is looked at and taken
// back when it was right: a hundred tries at once count as a hundred.

import (
	"context"
	"net/netip"
	"time"

	"banyan/internal/fault"
	"banyan/internal/store"
)

type tried struct {
	first string // the bucket that a right proof empties
	ids   []string
}

// limit is how many failures one bucket holds.
type limit struct {
	bucket string
	most   int
}

// limitsOf says where a try at a login is counted.
func (s *Service) limitsOf(login, address, marks string) []limit {
	if mark := s.markFor(marks, login); mark != "" {
		return []limit{{bucketOf("device", mark), s.config.LoginTries}}
	}
	return []limit{{bucketOf("login", login), s.config.LoginTries}, {addressBucket(address), s.config.AddressTries}}
}

func bucketOf(kind, value string) string { return hashToken(kind + ":" + value) }

// addressBucket groups an IPv6 network, as one customer owns a /64.
func addressBucket(address string) string {
	if a, err := netip.ParseAddr(address); err == nil && a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			address = p.String()
		}
	}
	return bucketOf("address", address)
}

// try counts one proof that is about to be checked, or refuses it.
func (s *Service) try(ctx context.Context, limits []limit) (tried, error) {
	var t tried
	err := s.db.Transact(ctx, func(tx *store.Tx) error {
		now := s.now()
		t = tried{first: limits[0].bucket}
		since := store.Micros(now.Add(-s.config.Window))
		if _, err := tx.Exec(ctx, `DELETE FROM sign_in_attempt WHERE at < $1`, since); err != nil {
			return err
		}
		for _, b := range limits {
			var n int
			var oldest int64
			row := tx.QueryRow(ctx, `SELECT count(*), coalesce(min(at), 0) FROM sign_in_attempt WHERE bucket = $1`, b.bucket)
			if err := row.Scan(&n, &oldest); err != nil {
				return err
			}
			if n >= b.most {
				wait := store.Time(oldest).Add(s.config.Window).Sub(now)
				return &fault.Error{Code: fault.RateLimited, Message: "too many tries; wait a while", RetryAfter: max(wait, time.Second)}
			}
			id := s.newID()
			if _, err := tx.Exec(ctx, `INSERT INTO sign_in_attempt (id, bucket, at) VALUES ($1, $2, $3)`, id, b.bucket, store.Micros(now)); err != nil {
				return err
			}
			t.ids = append(t.ids, id)
		}
		return nil
	})
	return t, err
}

// right takes back a try whose proof was right, and its bucket's failures.
func (t tried) right(ctx context.Context, tx *store.Tx) error {
	for _, id := range t.ids {
		if _, err := tx.Exec(ctx, `DELETE FROM sign_in_attempt WHERE id = $1`, id); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `DELETE FROM sign_in_attempt WHERE bucket = $1`, t.first)
	return err
}
