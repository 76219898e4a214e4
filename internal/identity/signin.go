package identity

// Signing in with a password and a code, and proving oneself once more.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"banyan/internal/fault"
	"banyan/internal/store"
)

// Proof is what somebody brings to sign in. Address and Device say where from;
// Device is a rough label for the user's own list ("Firefox, Android").
type Proof struct {
	Login, Password string
	Address, Device string
	Marks           string // the device's marks, from MarkDevice
}

func wrongProof() error {
	return fault.New(fault.Unauthenticated, "the login or the password is wrong")
}

// credentials is what is compared at sign-in.
type credentials struct {
	user, password string
	totp           []byte
	totpStep       int64
	suspended      bool
}

func credentialsOf(ctx context.Context, q store.Querier, column, value string) (credentials, error) {
	var c credentials
	var suspended int64
	err := q.QueryRow(ctx, `SELECT id, password, totp, totp_step, suspended_at FROM staff WHERE `+column+` = $1`, value).
		Scan(&c.user, &c.password, &c.totp, &c.totpStep, &suspended)
	if errors.Is(err, sql.ErrNoRows) {
		return credentials{}, nil
	}
	if err != nil {
		return credentials{}, fmt.Errorf("looking up a user: %w", err)
	}
	c.suspended = suspended != 0
	return c, nil
}

// SignIn checks a login and a password.
func (s *Service) SignIn(ctx context.Context, p Proof) (Started, error) {
	login := foldLogin(p.Login)
	try, err := s.try(ctx, s.limitsOf(login, p.Address, p.Marks))
	if err != nil {
		return Started{}, err
	}
	c, err := credentialsOf(ctx, s.db, "login_key", login)
	if err != nil {
		return Started{}, err
	}
	phc := c.password
	if phc == "" {
		phc = s.dummy
	}
	var right bool
	if err := s.slot(ctx, func() { right = matches(phc, clip(p.Password, passwordMost+1)) }); err != nil {
		return Started{}, err
	}
	if !right || c.password == "" || c.suspended {
		return Started{}, wrongProof()
	}
	stage := stageFull
	if c.totp != nil {
		stage = stageCode
	}
	var out Started
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		if stage == stageFull {
			if err := try.right(ctx, tx); err != nil {
				return fmt.Errorf("taking back a counted try: %w", err)
			}
		}
		out, err = s.start(ctx, tx, c.user, stage, "password", p.Device)
		return err
	})
	return out, err
}

// SignInWithCode gives the code that a right password still waited for. The
// old token ends; the session goes on under a new one.
func (s *Service) SignInWithCode(ctx context.Context, token, code, address, marks string) (Started, error) {
	var user, login, device string
	var ends int64
	err := s.db.QueryRow(ctx, `SELECT x.staff, u.login_key, x.device, x.ends_at FROM session x JOIN staff u ON u.id = x.staff
		WHERE x.token_hash = $1 AND x.stage = $2 AND u.suspended_at = 0`, hashToken(token), stageCode).Scan(&user, &login, &device, &ends)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && !s.now().Before(store.Time(ends))) {
		return Started{}, notSignedIn()
	}
	if err != nil {
		return Started{}, fmt.Errorf("looking up a session: %w", err)
	}
	try, err := s.try(ctx, s.limitsOf(login, address, marks))
	if err != nil {
		return Started{}, err
	}
	var out Started
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		if err := s.useCode(ctx, tx, user, code); err != nil {
			return err
		}
		if err := try.right(ctx, tx); err != nil {
			return fmt.Errorf("taking back a counted try: %w", err)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM session WHERE token_hash = $1`, hashToken(token)); err != nil {
			return fmt.Errorf("ending the waiting session: %w", err)
		}
		out, err = s.start(ctx, tx, user, stageFull, "totp", device)
		return err
	})
	return out, err
}

// StepUpWith proves once more who p is, for Config.StepUp: with a code where
// one is enrolled, otherwise with the password. It gives the new end.
func (s *Service) StepUpWith(ctx context.Context, p Principal, password, code string) (Principal, error) {
	try, err := s.try(ctx, []limit{{bucketOf("session", p.Session), s.config.LoginTries}})
	if err != nil {
		return p, err
	}
	c, err := credentialsOf(ctx, s.db, "id", p.User)
	if err != nil {
		return p, err
	}
	if c.totp != nil && code == "" {
		return p, fault.Field("code", "required", "give the code of your authenticator app")
	}
	if c.totp == nil {
		var right bool
		if err := s.slot(ctx, func() { right = matches(c.password, clip(password, passwordMost+1)) }); err != nil {
			return p, err
		}
		if !right {
			return p, fault.Field("password", "wrong", "the password is wrong")
		}
	}
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		if c.totp != nil {
			if err := s.useCode(ctx, tx, p.User, code); err != nil {
				return fault.Field("code", "wrong", "the code is wrong or was used already")
			}
		}
		if err := try.right(ctx, tx); err != nil {
			return err
		}
		p, err = s.stepUp(ctx, tx, p)
		return err
	})
	return p, err
}

func (s *Service) stepUp(ctx context.Context, tx *store.Tx, p Principal) (Principal, error) {
	p.SteppedUpUntil = s.now().Add(s.config.StepUp)
	done, err := tx.Exec(ctx, `UPDATE session SET stepped_up_until = $1 WHERE id = $2 AND staff = $3`, store.Micros(p.SteppedUpUntil), p.Session, p.User)
	return p, expectOne(done, err, "stepping up")
}

// ChangePassword sets a new password of p, who has stepped up, and ends the
// user's other sessions.
func (s *Service) ChangePassword(ctx context.Context, p Principal, password string) error {
	if err := checkPassword(password, p.Login, p.Name); err != nil {
		return err
	}
	var phc string
	if err := s.slot(ctx, func() { phc = hashPassword(password) }); err != nil {
		return err
	}
	return s.db.Transact(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE staff SET password = $1 WHERE id = $2`, phc, p.User); err != nil {
			return fmt.Errorf("setting a password: %w", err)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM session WHERE staff = $1 AND id <> $2`, p.User, p.Session); err != nil {
			return fmt.Errorf("ending other sessions: %w", err)
		}
		return s.record(ctx, tx, p, "user.password_changed", p.User, nil)
	})
}
