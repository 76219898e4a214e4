package casework

// What Today says of children who may be known here already: the reader's own
// new cases that have another of the organisation beside them. It is a reading
// of its own, so that Today never waits for the comparing.

import (
	"context"
	"fmt"
	"time"

	"banyan/internal/journal"
	"banyan/internal/linkage"
	"banyan/internal/policy"
	"banyan/internal/store"
)

const (
	knownSince   = 28 * 24 * time.Hour // how new a case is whose person is looked for
	mostCompared = 12                  // cases compared for one answer, the newest
)

// KnownHere is one of the reader's own cases whose person may have another.
type KnownHere struct {
	ID      string `json:"id"`
	Code    string `json:"code"`
	Verdict string `json:"verdict" enum:"same,likely" doc:"The strongest of the matches"`
	Others  int    `json:"others" doc:"Cases nobody has decided on yet, of those that the reader may open"`
}

// KnownHere lists the reader's own open cases of the last weeks that may be
// about somebody who is known here, where nobody has decided yet. Who may not
// decide is not asked; of a case that the reader may not open nothing is said.
func (s *Service) KnownHere(ctx context.Context, r Reader) ([]KnownHere, error) {
	out := []KnownHere{}
	err := s.readList(ctx, r, "list.alike", listPurpose(r), func(tx *store.Tx, o *journal.Opener) error {
		out = out[:0]
		rows, err := scanViews(tx.Query(ctx, `SELECT `+viewColumns+` FROM case_view v
			WHERE v.worker = $1 AND v.org = $3 AND v.state <> 'closed' AND v.opened_at > $4 ORDER BY v.opened_at DESC, v.stream LIMIT $5`,
			r.User, store.Micros(s.now()), r.Org, store.Micros(s.now().Add(-knownSince)), mostCompared))
		if err != nil {
			return fmt.Errorf("listing new cases to compare: %w", err)
		}
		for i := range rows {
			known, err := s.knownHere(ctx, tx, o, r, &rows[i])
			if err != nil {
				return err
			}
			if known.Others > 0 {
				out = append(out, known)
			}
		}
		return nil
	})
	return out, err
}

func (s *Service) knownHere(ctx context.Context, tx *store.Tx, o *journal.Opener, r Reader, v *viewRow) (KnownHere, error) {
	out := KnownHere{ID: v.stream, Code: v.code}
	st, err := s.standRow(ctx, r, v)
	if err != nil || !s.decide(r, policy.Settle, st, "", false).Allowed || len(s.tiers(r, policy.Read, st, "")) == 0 {
		return out, err
	}
	o.Note(v.stream, journal.Coded)
	matches, err := linkage.Alike(ctx, tx, v.stream, v.org)
	if err != nil {
		return out, err
	}
	for _, m := range matches {
		if m.Decided != "" {
			continue
		}
		may, err := s.mayKnow(ctx, tx, r, m.Stream)
		if err != nil {
			return out, err
		}
		if !may {
			continue
		}
		o.Note(m.Stream, journal.Coded)
		if out.Verdict == "" { // they come strongest first
			out.Verdict = string(m.Verdict)
		}
		if out.Others++; out.Others == mostAlike {
			break
		}
	}
	return out, nil
}
