package casework

// The room's door: each call is decided by the policy, opens answers only
// through journal.Read, and writes through journal.Append with a last check
// under the case's lock.

import (
	"context"
	"errors"
	"slices"
	"time"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Service is the work on cases. It is safe for concurrent use.
type Service struct {
	rules     *Rules
	journal   *journal.Journal
	db        *store.DB
	policy    *policy.Table
	dir       Directory
	projector *Projector
	now       func() time.Time
	drawing   chan struct{} // a place for each picture that is decoded
}

// New makes the service. The projector is the one that the journal has.
func New(rules *Rules, j *journal.Journal, table *policy.Table, dir Directory, p *Projector, now func() time.Time) *Service {
	return &Service{rules: rules, journal: j, db: j.DB(), policy: table, dir: dir, projector: p, now: now, drawing: make(chan struct{}, mostDecoded)}
}

// Rules gives the content that drives cases.
func (s *Service) Rules() *Rules { return s.rules }

// LoadNames fills the names index; see Projector.Load.
func (s *Service) LoadNames(ctx context.Context, since int64) (int64, error) {
	return s.projector.Load(ctx, s.journal, since)
}

func (s *Service) nameOf(ctx context.Context, user string) string {
	if user == "" {
		return ""
	}
	p, err := s.dir.Person(ctx, user)
	if err != nil {
		return ""
	}
	return p.Name
}

// open reads one case for a reader: its standing, the tiers allowed, the
// folded case. Denied and absent are the same fault.
func (s *Service) open(ctx context.Context, r Reader, action, stream string, fn func(tx *store.Tx, o *journal.Opener, st standing, tiers []journal.Tier, c *Case) error) error {
	st, err := s.standingOf(ctx, s.db, r, stream)
	if err != nil {
		return err
	}
	tiers := s.tiers(r, policy.Read, st, "")
	if len(tiers) == 0 {
		return fault.Absent()
	}
	rule, _ := s.why(r, st)
	request := journal.ReadRequest{Reader: journal.Reader{User: r.User, Org: r.Org, Session: r.Session, Purpose: purpose(r, st)}, Action: action, Tiers: tiers, Because: rule}
	return s.journal.Read(ctx, request, func(tx *store.Tx, o *journal.Opener) error {
		now, err := s.standingOf(ctx, tx, r, stream) // the last word, in the transaction that reads
		if err != nil {
			return err
		}
		if allowed := s.tiers(r, policy.Read, now, ""); len(allowed) == 0 {
			return fault.Absent()
		} else {
			o.Narrow(allowed...)
		}
		js, history, err := o.History(ctx, stream)
		if errors.Is(err, journal.ErrNoStream) {
			return fault.Absent()
		}
		if err != nil {
			return err
		}
		o.Note(stream, journal.Coded)
		c := s.rules.Fold(js, history)
		if err := s.agrees(ctx, r, now, c); err != nil {
			return err
		}
		if len(tiers) < len(journal.Tiers) {
			if err := s.correct(ctx, tx, c); err != nil {
				return err
			}
		}
		return fn(tx, o, now, tiers, c)
	})
}

// agrees holds what the lists say of the reader against the record itself, whose
// entries nobody forges without the keys: who can write to the database, and puts
// himself into a list as a case's worker, does not open the case by that. What is
// shared by consent is not held so: its reader does not open the consent.
func (s *Service) agrees(ctx context.Context, r Reader, said standing, c *Case) error {
	if said.org != r.Org {
		return nil
	}
	held, err := s.standingIn(ctx, r, c)
	if err != nil {
		return err
	}
	opens := s.tiers(r, policy.Read, held, "")
	for _, t := range s.tiers(r, policy.Read, said, "") {
		if !slices.Contains(opens, t) {
			return errors.New("the lists do not agree with the record on who may open a case: somebody changed the database; run banyan verify, then banyan rebuild")
		}
	}
	return nil
}

// correct puts right what a fold over some tiers only cannot know.
func (s *Service) correct(ctx context.Context, tx *store.Tx, c *Case) error {
	var state, risk string
	var since, riskSince int64
	err := tx.QueryRow(ctx, `SELECT state, since, risk, risk_since FROM case_view WHERE stream = $1`, c.Stream.ID).Scan(&state, &since, &risk, &riskSince)
	if err != nil {
		return err
	}
	if c.State() != state {
		c.States = append(c.States, StateAt{State: state, At: store.Time(since)})
	}
	c.Risk, c.RiskSince = risk, store.Time(riskSince)
	return nil
}
