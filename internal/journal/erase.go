package journal

// Erasure takes two people and destroys keys: the entries stay as ciphertext,
// so that the chain stays whole, and nobody can read them again.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"banyan/internal/store"
)

// ErasureRequest is one person's wish that a stream be erased.
type ErasureRequest struct {
	ID      string
	Stream  string
	Reason  string // a code, never a story: it outlives the stream
	AskedBy string
	AskedAt time.Time
}

// Errors of erasure.
var (
	ErrSamePerson = errors.New("the person who asked for an erasure cannot approve it")
	ErrNoRequest  = errors.New("there is no open request for an erasure with this id")
)

// AskErasure opens a request and gives its id. Nothing is erased yet.
func (j *Journal) AskErasure(ctx context.Context, r ErasureRequest) (string, error) {
	if r.Reason == "" || r.AskedBy == "" {
		return "", errors.New("asking for an erasure: it needs a reason and a person")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	err = j.db.Transact(ctx, func(tx *store.Tx) error {
		s, err := readStream(ctx, tx, r.Stream)
		if err != nil {
			return err
		}
		if s.Erased() {
			return ErrErased
		}
		_, err = tx.Exec(ctx, `INSERT INTO erasure (id, stream, reason, asked_by, asked_at, approved_by, approved_at, done_at)
			VALUES ($1, $2, $3, $4, $5, '', 0, 0)`, id.String(), r.Stream, r.Reason, r.AskedBy, store.Micros(j.now()))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("asking for an erasure: %w", err)
	}
	return id.String(), nil
}

// OpenErasures lists the requests that nobody has approved yet, oldest first.
func (j *Journal) OpenErasures(ctx context.Context) ([]ErasureRequest, error) {
	rows, err := j.db.Query(ctx, `SELECT id, stream, reason, asked_by, asked_at FROM erasure WHERE done_at = 0 ORDER BY id LIMIT 200`)
	if err != nil {
		return nil, fmt.Errorf("reading requests for erasure: %w", err)
	}
	defer rows.Close()
	var out []ErasureRequest
	for rows.Next() {
		var r ErasureRequest
		var at int64
		if err := rows.Scan(&r.ID, &r.Stream, &r.Reason, &r.AskedBy, &at); err != nil {
			return nil, fmt.Errorf("reading requests for erasure: %w", err)
		}
		r.AskedAt = store.Time(at)
		out = append(out, r)
	}
	return out, rows.Err()
}

// ApproveErasure carries out a request that another person made. It may be
// run again after a failure in the middle.
func (j *Journal) ApproveErasure(ctx context.Context, id, approver string) error {
	var r ErasureRequest
	err := j.db.Transact(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, `SELECT stream, asked_by FROM erasure WHERE id = $1 AND done_at = 0`, id).Scan(&r.Stream, &r.AskedBy)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoRequest
		}
		if err != nil {
			return err
		}
		if approver == "" || approver == r.AskedBy {
			return ErrSamePerson
		}
		_, err = tx.Exec(ctx, `UPDATE erasure SET approved_by = $2, approved_at = $3 WHERE id = $1`, id, approver, store.Micros(j.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("approving an erasure: %w", err)
	}
	if err := j.vault.Erase(ctx, r.Stream); err != nil {
		return fmt.Errorf("erasing: %w", err)
	}
	return j.clearErased(ctx, id, r.Stream)
}

// clearErased marks the stream and redraws its projections without answers.
func (j *Journal) clearErased(ctx context.Context, request, stream string) error {
	var s Stream
	var history []Opened
	err := j.db.Transact(ctx, func(tx *store.Tx) error {
		now := store.Micros(j.now())
		if _, err := tx.Exec(ctx, `UPDATE stream SET erased_at = $2 WHERE id = $1 AND erased_at = 0`, stream, now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE erasure SET done_at = $2 WHERE id = $1`, request, now); err != nil {
			return err
		}
		var err error
		if s, err = readStream(ctx, tx, stream); err != nil {
			return err
		}
		if history, err = readHistory(ctx, tx, nil, stream, nil, 0); err != nil {
			return err
		}
		rows, err := j.draw(s, history, nil)
		if err != nil {
			return err
		}
		return tx.Redraw(ctx, stream, rows...)
	})
	if err != nil {
		return fmt.Errorf("clearing an erased stream: %w", err)
	}
	j.committed(s, history)
	return nil
}
