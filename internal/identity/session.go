package identity

// A session is a random 256-bit token in a cookie; the table keeps its
// SHA-256. It ends when it has not been used for Config.Idle, when
// Config.Absolute is over, when its user signs out, revokes it, or is
// suspended.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"banyan/internal/fault"
	"banyan/internal/store"
)

// Stages of a session.
const (
	stageCode = "totp"
	stageFull = "full"
)

// howSignOn is how a session began that the issuer of single sign-on vouches for.
const howSignOn = "single_sign_on"

// codeWait is how long a right password waits for its code.
const codeWait = 5 * time.Minute

// Started is what a proof led to: a token for the cookie, and, when Next is
// "totp", the code that is still asked.
type Started struct {
	Token string
	Next  string
	Ends  time.Time
	User  string
}

func notSignedIn() error { return fault.New(fault.Unauthenticated, "sign in first") }

// start opens a session of a user in the transaction.
func (s *Service) start(ctx context.Context, tx *store.Tx, user, stage, how, device string) (Started, error) {
	now := s.now()
	ends, stepped := now.Add(s.config.Absolute), now.Add(s.config.StepUp)
	if stage == stageCode {
		ends = now.Add(codeWait)
	}
	if stage == stageCode || how == howSignOn {
		stepped = time.Time{} // the issuer may have asked for nothing today
	}
	if _, err := tx.Exec(ctx, `DELETE FROM session WHERE ends_at < $1 OR (seen_at < $2)`,
		store.Micros(now), store.Micros(now.Add(-s.config.Idle))); err != nil {
		return Started{}, fmt.Errorf("clearing ended sessions: %w", err)
	}
	out := Started{Token: randomToken(), Ends: ends, User: user}
	if stage == stageCode {
		out.Next = stageCode
	}
	steppedMicros := int64(0)
	if !stepped.IsZero() {
		steppedMicros = store.Micros(stepped)
	}
	_, err := tx.Exec(ctx, `INSERT INTO session (id, token_hash, staff, stage, how, device, created_at, seen_at, ends_at, stepped_up_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)`,
		s.newID(), hashToken(out.Token), user, stage, how, clip(device, 80), store.Micros(now), store.Micros(ends), steppedMicros)
	if err != nil {
		return Started{}, fmt.Errorf("opening a session: %w", err)
	}
	if stage == stageFull {
		if _, err := tx.Exec(ctx, `UPDATE staff SET signed_in_at = $1 WHERE id = $2`, store.Micros(now), user); err != nil {
			return Started{}, fmt.Errorf("noting the sign-in: %w", err)
		}
	}
	return out, nil
}

// Authenticate says whose full session the token is. Unknown, ended, waiting
// and suspended give the same fault.
func (s *Service) Authenticate(ctx context.Context, token string) (Principal, error) {
	if token == "" {
		return Principal{}, notSignedIn()
	}
	var p Principal
	var seen, ends, stepped int64
	err := s.db.QueryRow(ctx, `SELECT x.id, x.device, x.seen_at, x.ends_at, x.stepped_up_until,
			u.id, u.org, u.team, u.name, u.login, u.lang, o.name, o.operator, coalesce(t.name, '')
		FROM session x JOIN staff u ON u.id = x.staff JOIN organisation o ON o.id = u.org LEFT JOIN team t ON t.id = u.team
		WHERE x.token_hash = $1 AND x.stage = $2 AND u.suspended_at = 0`, hashToken(token), stageFull).
		Scan(&p.Session, &p.Device, &seen, &ends, &stepped, &p.User, &p.Org, &p.Team, &p.Name, &p.Login, &p.Lang, &p.OrgName, &p.Operator, &p.TeamName)
	if errors.Is(err, sql.ErrNoRows) {
		return Principal{}, notSignedIn()
	}
	if err != nil {
		return Principal{}, fmt.Errorf("looking up a session: %w", err)
	}
	now := s.now()
	p.Ends, p.SteppedUpUntil = store.Time(ends), store.Time(stepped)
	if !now.Before(p.Ends) || now.Sub(store.Time(seen)) >= s.config.Idle {
		return Principal{}, notSignedIn()
	}
	if p.Roles, err = rolesOf(ctx, s.db, p.User); err != nil {
		return Principal{}, err
	}
	p.IdleEnds = now.Add(s.config.Idle)
	if p.IdleEnds.After(p.Ends) {
		p.IdleEnds = p.Ends
	}
	if now.Sub(store.Time(seen)) < s.config.Idle/30 {
		return p, nil // written at most once a minute: a read must not cost a synced write
	}
	if _, err := s.db.Exec(ctx, `UPDATE session SET seen_at = $1 WHERE id = $2 AND seen_at < $1`, store.Micros(now), p.Session); err != nil {
		return Principal{}, fmt.Errorf("noting that a session was used: %w", err)
	}
	return p, nil
}

// SteppedUp says whether p proved who it is within Config.StepUp.
func (s *Service) SteppedUp(p Principal) bool { return s.now().Before(p.SteppedUpUntil) }

// SignOut ends the session of the token, whatever its stage.
func (s *Service) SignOut(ctx context.Context, token string) error {
	if _, err := s.db.Exec(ctx, `DELETE FROM session WHERE token_hash = $1`, hashToken(token)); err != nil {
		return fmt.Errorf("signing out: %w", err)
	}
	return nil
}

// StartFor signs a user in without a proof, for tests and measurements in the
// same process. It is only for System.
func (s *Service) StartFor(ctx context.Context, by Principal, user string) (Started, error) {
	if !by.system {
		return Started{}, fault.Absent()
	}
	var out Started
	err := s.db.Transact(ctx, func(tx *store.Tx) (err error) {
		out, err = s.start(ctx, tx, user, stageFull, "password", "the program itself")
		return err
	})
	return out, err
}

// Session is one place where a user is signed in.
type Session struct {
	ID      string    `json:"id"`
	Device  string    `json:"device"`
	How     string    `json:"how" doc:"password, totp, passkey, single_sign_on or invitation"`
	Started time.Time `json:"started"`
	Last    time.Time `json:"last" doc:"When it was last used, to the minute"`
	Ends    time.Time `json:"ends"`
	Current bool      `json:"current"`
}

// Sessions lists where the user is signed in, newest first.
func (s *Service) Sessions(ctx context.Context, p Principal) ([]Session, error) {
	now := s.now()
	rows, err := s.db.Query(ctx, `SELECT id, device, how, created_at, seen_at, ends_at FROM session
		WHERE staff = $1 AND stage = $2 AND ends_at > $3 AND seen_at > $4 ORDER BY id DESC LIMIT 100`,
		p.User, stageFull, store.Micros(now), store.Micros(now.Add(-s.config.Idle)))
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	defer rows.Close()
	out := []Session{}
	for rows.Next() {
		var x Session
		var created, seen, ends int64
		if err := rows.Scan(&x.ID, &x.Device, &x.How, &created, &seen, &ends); err != nil {
			return nil, fmt.Errorf("listing sessions: %w", err)
		}
		x.Started, x.Last, x.Ends, x.Current = store.Time(created), store.Time(seen), store.Time(ends), x.ID == p.Session
		out = append(out, x)
	}
	return out, rows.Err()
}

// Revoke ends one of the user's own sessions.
func (s *Service) Revoke(ctx context.Context, p Principal, session string) error {
	done, err := s.db.Exec(ctx, `DELETE FROM session WHERE id = $1 AND staff = $2`, session, p.User)
	return expectOne(done, err, "ending a session")
}

// RevokeOthers ends all of the user's sessions but the one in use.
func (s *Service) RevokeOthers(ctx context.Context, p Principal) error {
	if _, err := s.db.Exec(ctx, `DELETE FROM session WHERE staff = $1 AND id <> $2`, p.User, p.Session); err != nil {
		return fmt.Errorf("ending other sessions: %w", err)
	}
	return nil
}

// expectOne turns "no row was touched" into the fault for absent.
func expectOne(done sql.Result, err error, attempt string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", attempt, err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return fmt.Errorf("%s: %w", attempt, err)
	}
	if n == 0 {
		return fault.Absent()
	}
	return nil
}

func clip(s string, runes int) string {
	r := []rune(s)
	if len(r) > runes {
		return string(r[:runes])
	}
	return s
}
