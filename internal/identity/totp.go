package identity

// Codes of an authenticator app (RFC 6238: 30 seconds, six digits, SHA-1, as
// all apps know it). The secret is sealed by the vault; a code works once,
// and one step to either side is taken for slow clocks.

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"banyan/internal/fault"
	"banyan/internal/store"
)

const (
	codePeriod = 30 // seconds
	codeSkew   = 1  // steps to either side
)

// Enrolment is what an authenticator app needs; it is shown once.
type Enrolment struct {
	Secret string `json:"secret" doc:"Base32, to type in"`
	URI    string `json:"uri" doc:"otpauth://, to draw as a QR code in the browser"`
}

func codeLabel(user string) string { return "totp:" + user }

// BeginCode makes a new secret for p. Nothing changes until ConfirmCode.
func (s *Service) BeginCode(ctx context.Context, p Principal) (Enrolment, error) {
	secret := make([]byte, 20)
	if _, err := rand.Read(secret); err != nil {
		return Enrolment{}, err
	}
	sealed, err := s.sealer.SealSecret(codeLabel(p.User), secret)
	if err != nil {
		return Enrolment{}, fmt.Errorf("sealing a code secret: %w", err)
	}
	done, err := s.db.Exec(ctx, `UPDATE staff SET totp_pending = $1 WHERE id = $2`, sealed, p.User)
	if err := expectOne(done, err, "keeping a code secret"); err != nil {
		return Enrolment{}, err
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	q := url.Values{"secret": {text}, "issuer": {"Banyan"}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {fmt.Sprint(codePeriod)}}
	return Enrolment{Secret: text, URI: "otpauth://totp/" + url.PathEscape("Banyan:"+p.Login) + "?" + q.Encode()}, nil
}

// ConfirmCode makes the new secret count, once a code of it was right.
func (s *Service) ConfirmCode(ctx context.Context, p Principal, code string) error {
	return s.db.Transact(ctx, func(tx *store.Tx) error {
		var pending []byte
		if err := tx.QueryRow(ctx, `SELECT totp_pending FROM staff WHERE id = $1`, p.User).Scan(&pending); err != nil {
			return fmt.Errorf("looking up a code secret: %w", err)
		}
		if pending == nil {
			return fault.New(fault.Conflict, "begin the enrolment first")
		}
		step, ok, err := s.stepOf(p.User, pending, code, 0)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Field("code", "wrong", "the code is wrong; check the phone's clock")
		}
		if _, err := tx.Exec(ctx, `UPDATE staff SET totp = totp_pending, totp_pending = NULL, totp_step = $1 WHERE id = $2`, step, p.User); err != nil {
			return fmt.Errorf("enrolling a code: %w", err)
		}
		return s.record(ctx, tx, p, "user.code_enrolled", p.User, nil)
	})
}

// RemoveCode stops asking p for codes.
func (s *Service) RemoveCode(ctx context.Context, p Principal) error {
	return s.db.Transact(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE staff SET totp = NULL, totp_pending = NULL WHERE id = $1`, p.User); err != nil {
			return fmt.Errorf("removing a code: %w", err)
		}
		return s.record(ctx, tx, p, "user.code_removed", p.User, nil)
	})
}

// useCode checks and spends a code in the transaction.
func (s *Service) useCode(ctx context.Context, tx *store.Tx, user, code string) error {
	c, err := credentialsOf(ctx, tx, "id", user)
	if err != nil {
		return err
	}
	wrong := fault.New(fault.Unauthenticated, "the code is wrong or was used already")
	if c.totp == nil || c.suspended {
		return wrong
	}
	step, ok, err := s.stepOf(user, c.totp, code, c.totpStep)
	if err != nil {
		return err
	}
	if !ok {
		return wrong
	}
	// The condition lets one of two simultaneous uses of a code win.
	done, err := tx.Exec(ctx, `UPDATE staff SET totp_step = $1 WHERE id = $2 AND totp_step < $1`, step, user)
	if err != nil {
		return fmt.Errorf("spending a code: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return wrong
	}
	return nil
}

// stepOf finds the time step, later than after, whose code it is.
func (s *Service) stepOf(user string, sealed []byte, code string, after int64) (int64, bool, error) {
	secret, err := s.sealer.OpenSecret(codeLabel(user), sealed)
	if err != nil {
		return 0, false, fmt.Errorf("opening a code secret: %w", err)
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	now := s.now().Unix() / codePeriod
	for step := now - codeSkew; step <= now+codeSkew; step++ {
		want, err := totp.GenerateCodeCustom(text, time.Unix(step*codePeriod, 0), totp.ValidateOpts{Period: codePeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, fmt.Errorf("computing a code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > after {
			return step, true, nil
		}
	}
	return 0, false, nil
}
