package identity

// Administrative acts: who changed who may do what. The table only grows, and
// each row's hash runs over the row before, so that a row changed, dropped or
// put in afterwards is found by VerifyActs. Details hold ids and codes, never
// a name, a password or a token.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"banyan/internal/store"
)

// Act is one administrative act.
type Act struct {
	Seq     int64             `json:"seq"`
	At      time.Time         `json:"at"`
	By      string            `json:"by" doc:"User id, or system"`
	Org     string            `json:"org"`
	Act     string            `json:"act" doc:"Such as user.invited"`
	Subject string            `json:"subject" doc:"Id of what it was done to"`
	Detail  map[string]string `json:"detail"`
}

// Record writes an act of another room (a backup, an erasure, an import).
func (s *Service) Record(ctx context.Context, by Principal, act, subject string, detail map[string]string) error {
	return s.db.Transact(ctx, func(tx *store.Tx) error { return s.record(ctx, tx, by, act, subject, detail) })
}

func (s *Service) record(ctx context.Context, tx *store.Tx, by Principal, act, subject string, detail map[string]string) error {
	return s.recordFor(ctx, tx, by, by.Org, act, subject, detail)
}

// recordFor writes an act that concerns an organisation.
func (s *Service) recordFor(ctx context.Context, tx *store.Tx, by Principal, org, act, subject string, detail map[string]string) error {
	if detail == nil {
		detail = map[string]string{}
	}
	text, err := json.Marshal(detail) // keys come out sorted
	if err != nil {
		return fmt.Errorf("recording an act: %w", err)
	}
	// The update takes the row's lock, so that acts stand in one line.
	if _, err := tx.Exec(ctx, `UPDATE admin_act_head SET seq = seq + 1 WHERE one = 1`); err != nil {
		return fmt.Errorf("recording an act: %w", err)
	}
	row := actRow{at: store.Micros(s.now()), by: by.User, org: org, act: act, subject: subject, detail: string(text)}
	if err := tx.QueryRow(ctx, `SELECT seq, hash FROM admin_act_head WHERE one = 1`).Scan(&row.seq, &row.prev); err != nil {
		return fmt.Errorf("recording an act: %w", err)
	}
	row.prev = append([]byte{}, row.prev...)
	hash := row.hash()
	if _, err := tx.Exec(ctx, `INSERT INTO admin_act (seq, at, by_user, org, act, subject, detail, prev_hash, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, row.seq, row.at, row.by, row.org, row.act, row.subject, row.detail, row.prev, hash); err != nil {
		return fmt.Errorf("recording an act: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE admin_act_head SET hash = $1 WHERE one = 1`, hash); err != nil {
		return fmt.Errorf("recording an act: %w", err)
	}
	return nil
}

type actRow struct {
	seq, at                       int64
	by, org, act, subject, detail string
	prev                          []byte
}

// hash runs over all columns, each with its length in front.
func (r actRow) hash() []byte {
	h := sha256.New()
	h.Write([]byte("banyan admin act 1"))
	put := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	put(r.prev)
	for _, v := range []int64{r.seq, r.at} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(v))
		put(n[:])
	}
	for _, text := range []string{r.by, r.org, r.act, r.subject, r.detail} {
		put([]byte(text))
	}
	return h.Sum(nil)
}

// Acts lists acts, newest first, before the sequence number given (0: from
// the newest). An administrator sees the own organisation's; the operator's
// see all.
func (s *Service) Acts(ctx context.Context, by Principal, before int64, limit int) ([]Act, error) {
	if before <= 0 {
		before = 1 << 62
	}
	rows, err := s.db.Query(ctx, `SELECT seq, at, by_user, org, act, subject, detail FROM admin_act
		WHERE seq < $1 AND (org = $2 OR $3) ORDER BY seq DESC LIMIT $4`, before, by.Org, by.Operator, limit)
	if err != nil {
		return nil, fmt.Errorf("listing acts: %w", err)
	}
	defer rows.Close()
	out := []Act{}
	for rows.Next() {
		var a Act
		var at int64
		var detail string
		if err := rows.Scan(&a.Seq, &at, &a.By, &a.Org, &a.Act, &a.Subject, &detail); err != nil {
			return nil, fmt.Errorf("listing acts: %w", err)
		}
		a.At = store.Time(at)
		if err := json.Unmarshal([]byte(detail), &a.Detail); err != nil {
			return nil, fmt.Errorf("reading act %d: %w", a.Seq, err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// VerifyActs checks the whole chain against its head and says how many acts
// stand. The error names the first act that is wrong.
func (s *Service) VerifyActs(ctx context.Context) (int64, error) {
	var n int64
	err := s.db.View(ctx, func(tx *store.Tx) error {
		var head int64
		var headHash []byte
		if err := tx.QueryRow(ctx, `SELECT seq, hash FROM admin_act_head WHERE one = 1`).Scan(&head, &headHash); err != nil {
			return fmt.Errorf("reading the head of the acts: %w", err)
		}
		headHash = bytes.Clone(headHash)
		rows, err := tx.Query(ctx, `SELECT seq, at, by_user, org, act, subject, detail, prev_hash, hash FROM admin_act ORDER BY seq`)
		if err != nil {
			return fmt.Errorf("reading the acts: %w", err)
		}
		defer rows.Close()
		var last []byte
		for rows.Next() {
			var r actRow
			var stored []byte
			if err := rows.Scan(&r.seq, &r.at, &r.by, &r.org, &r.act, &r.subject, &r.detail, &r.prev, &stored); err != nil {
				return fmt.Errorf("reading the acts: %w", err)
			}
			n++
			switch {
			case r.seq != n:
				return fmt.Errorf("act %d is missing", n)
			case !bytes.Equal(r.prev, last):
				return fmt.Errorf("act %d does not follow the act before it", n)
			case !bytes.Equal(r.hash(), stored):
				return fmt.Errorf("act %d was changed", n)
			}
			last = bytes.Clone(stored)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if n != head || !bytes.Equal(last, headHash) {
			return fmt.Errorf("the acts end at %d, their head says %d", n, head)
		}
		return nil
	})
	return n, err
}
