package identity

// Passkeys (WebAuthn Level 3), so that a shared phone needs no typed secret.
// A passkey that verified its user (PIN, fingerprint) is both factors at once.
// The exchange in progress stands in the database and ends after five
// minutes, so that any process can finish what another began.

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"banyan/internal/fault"
	"banyan/internal/store"
)

const ceremonyWait = 5 * time.Minute

// Kinds of exchange.
const (
	ceremonyEnrol  = "passkey.enrol"
	ceremonySignIn = "passkey.sign_in"
	ceremonyOIDC   = "oidc"
)

// Ceremony is an exchange that was begun: what the browser's
// navigator.credentials is called with, and the id to finish it by.
type Ceremony struct {
	ID      string          // for a cookie
	Options json.RawMessage // {"publicKey": …} in the standard's JSON
}

// Passkey is one enrolled passkey.
type Passkey struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at"`
}

// enrolment is an enrolment in progress.
type enrolment struct {
	Name    string
	Session webauthn.SessionData
}

// passkeyUser is how the library sees a user.
type passkeyUser struct {
	id, login, name string
	credentials     []webauthn.Credential
}

func (u passkeyUser) WebAuthnID() []byte                         { return []byte(u.id) }
func (u passkeyUser) WebAuthnName() string                       { return u.login }
func (u passkeyUser) WebAuthnDisplayName() string                { return u.name }
func (u passkeyUser) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// HasPasskeys says whether passkeys are set up here.
func (s *Service) HasPasskeys() bool { return s.passkeys != nil }

func (s *Service) passkeysOn() error {
	if s.passkeys == nil {
		return fault.New(fault.Unavailable, "passkeys are not set up here: they need the address of the site")
	}
	return nil
}

func (s *Service) passkeyUser(ctx context.Context, q store.Querier, id string) (passkeyUser, error) {
	u, err := userOf(ctx, q, id)
	if err != nil {
		return passkeyUser{}, err
	}
	if u.Suspended {
		return passkeyUser{}, fault.Absent()
	}
	out := passkeyUser{id: u.ID, login: u.Login, name: u.Name}
	rows, err := q.Query(ctx, `SELECT credential FROM passkey WHERE staff = $1 ORDER BY id LIMIT 50`, id)
	if err != nil {
		return passkeyUser{}, fmt.Errorf("looking up passkeys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var c webauthn.Credential
		if err := rows.Scan(&text); err != nil {
			return passkeyUser{}, fmt.Errorf("looking up passkeys: %w", err)
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return passkeyUser{}, fmt.Errorf("reading a passkey: %w", err)
		}
		out.credentials = append(out.credentials, c)
	}
	return out, rows.Err()
}

// BeginPasskey begins the enrolment of a new passkey of p, who has stepped up.
func (s *Service) BeginPasskey(ctx context.Context, p Principal, name string) (Ceremony, error) {
	if err := s.passkeysOn(); err != nil {
		return Ceremony{}, err
	}
	if err := checkText("name", name, 60); err != nil {
		return Ceremony{}, err
	}
	u, err := s.passkeyUser(ctx, s.db, p.User)
	if err != nil {
		return Ceremony{}, err
	}
	var exclude []protocol.CredentialDescriptor
	for _, c := range u.credentials {
		exclude = append(exclude, c.Descriptor())
	}
	options, session, err := s.passkeys.BeginRegistration(u, webauthn.WithExclusions(exclude),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}))
	if err != nil {
		return Ceremony{}, fmt.Errorf("beginning a passkey: %w", err)
	}
	return s.keepCeremony(ctx, ceremonyEnrol, p.User, enrolment{name, *session}, options)
}

// FinishPasskey enrols what the browser made.
func (s *Service) FinishPasskey(ctx context.Context, p Principal, ceremony string, response []byte) (Passkey, error) {
	if err := s.passkeysOn(); err != nil {
		return Passkey{}, err
	}
	var begun enrolment
	if err := s.takeCeremony(ctx, ceremony, ceremonyEnrol, p.User, &begun); err != nil {
		return Passkey{}, err
	}
	u, err := s.passkeyUser(ctx, s.db, p.User)
	if err != nil {
		return Passkey{}, err
	}
	bad := fault.Field("response", "refused", "the passkey's answer was not accepted")
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return Passkey{}, bad
	}
	c, err := s.passkeys.CreateCredential(u, begun.Session, parsed)
	if err != nil {
		return Passkey{}, bad
	}
	text, err := json.Marshal(c)
	if err != nil {
		return Passkey{}, err
	}
	out := Passkey{ID: passkeyID(c.ID), Name: begun.Name, CreatedAt: s.now()}
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO passkey (id, staff, name, credential, created_at, used_at) VALUES ($1, $2, $3, $4, $5, 0)`,
			out.ID, p.User, out.Name, string(text), store.Micros(out.CreatedAt))
		if store.IsUnique(err) {
			return bad
		}
		if err != nil {
			return fmt.Errorf("keeping a passkey: %w", err)
		}
		return s.record(ctx, tx, p, "user.passkey_enrolled", p.User, nil)
	})
	return out, err
}

// Passkeys lists p's passkeys.
func (s *Service) Passkeys(ctx context.Context, p Principal) ([]Passkey, error) {
	rows, err := s.db.Query(ctx, `SELECT id, name, created_at, used_at FROM passkey WHERE staff = $1 ORDER BY created_at LIMIT 50`, p.User)
	if err != nil {
		return nil, fmt.Errorf("listing passkeys: %w", err)
	}
	defer rows.Close()
	out := []Passkey{}
	for rows.Next() {
		var k Passkey
		var created, used int64
		if err := rows.Scan(&k.ID, &k.Name, &created, &used); err != nil {
			return nil, fmt.Errorf("listing passkeys: %w", err)
		}
		k.CreatedAt, k.UsedAt = store.Time(created), store.Time(used)
		out = append(out, k)
	}
	return out, rows.Err()
}

// RemovePasskey removes one of p's passkeys.
func (s *Service) RemovePasskey(ctx context.Context, p Principal, id string) error {
	return s.db.Transact(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(ctx, `DELETE FROM passkey WHERE id = $1 AND staff = $2`, id, p.User)
		if err := expectOne(done, err, "removing a passkey"); err != nil {
			return err
		}
		return s.record(ctx, tx, p, "user.passkey_removed", p.User, nil)
	})
}

// BeginPasskeySignIn begins a sign-in; it says nothing about who exists.
func (s *Service) BeginPasskeySignIn(ctx context.Context) (Ceremony, error) {
	if err := s.passkeysOn(); err != nil {
		return Ceremony{}, err
	}
	options, session, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Ceremony{}, fmt.Errorf("beginning a passkey sign-in: %w", err)
	}
	return s.keepCeremony(ctx, ceremonySignIn, "", session, options)
}

// FinishPasskeySignIn signs in whose passkey answered.
func (s *Service) FinishPasskeySignIn(ctx context.Context, ceremony string, response []byte, address, device string) (Started, error) {
	user, try, err := s.checkPasskey(ctx, ceremony, response, address)
	if err != nil {
		return Started{}, err
	}
	var out Started
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		if err := try.right(ctx, tx); err != nil {
			return err
		}
		out, err = s.start(ctx, tx, user, stageFull, "passkey", device)
		return err
	})
	return out, err
}

// StepUpWithPasskey proves once more who p is, with an exchange begun by
// BeginPasskeySignIn.
func (s *Service) StepUpWithPasskey(ctx context.Context, p Principal, ceremony string, response []byte, address string) (Principal, error) {
	user, try, err := s.checkPasskey(ctx, ceremony, response, address)
	if err != nil {
		return p, err
	}
	if user != p.User {
		return p, wrongPasskey()
	}
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		if err := try.right(ctx, tx); err != nil {
			return err
		}
		p, err = s.stepUp(ctx, tx, p)
		return err
	})
	return p, err
}

func wrongPasskey() error {
	return fault.New(fault.Unauthenticated, "the passkey was not accepted")
}

func (s *Service) checkPasskey(ctx context.Context, ceremony string, response []byte, address string) (string, tried, error) {
	if err := s.passkeysOn(); err != nil {
		return "", tried{}, err
	}
	try, err := s.try(ctx, s.limitsOf("passkey "+ceremony, address, ""))
	if err != nil {
		return "", try, err
	}
	var session webauthn.SessionData
	if err := s.takeCeremony(ctx, ceremony, ceremonySignIn, "", &session); err != nil {
		return "", try, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return "", try, wrongPasskey()
	}
	found, c, err := s.passkeys.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		return s.passkeyUser(ctx, s.db, string(handle))
	}, session, parsed)
	if err != nil {
		return "", try, wrongPasskey()
	}
	if c.Authenticator.CloneWarning { // WebAuthn Level 3, 6.1.1: the counter went back
		return "", try, errors.Join(wrongPasskey(), s.copied(ctx, string(found.WebAuthnID())))
	}
	text, err := json.Marshal(c)
	if err != nil {
		return "", try, err
	}
	user := string(found.WebAuthnID())
	done, err := s.db.Exec(ctx, `UPDATE passkey SET credential = $1, used_at = $2 WHERE id = $3 AND staff = $4`, string(text), store.Micros(s.now()), passkeyID(c.ID), user)
	if err := expectOne(done, err, "noting a passkey's use"); err != nil {
		return "", try, err
	}
	return user, try, nil
}

// copied notes that a second device has a user's passkey. The passkey is still
// there: whoever copied it must not be able to shut its owner out.
func (s *Service) copied(ctx context.Context, user string) error {
	return s.db.Transact(ctx, func(tx *store.Tx) error {
		u, err := userOf(ctx, tx, user)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, Principal{User: u.ID, Org: u.Org}, "user.passkey_copied", u.ID, nil)
	})
}

func passkeyID(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// keepCeremony stores an exchange and clears ended ones.
func (s *Service) keepCeremony(ctx context.Context, kind, user string, data, options any) (Ceremony, error) {
	text, err := json.Marshal(data)
	if err != nil {
		return Ceremony{}, err
	}
	out := Ceremony{ID: randomToken()}
	if options != nil {
		if out.Options, err = json.Marshal(options); err != nil {
			return Ceremony{}, err
		}
	}
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		now := s.now()
		if _, err := tx.Exec(ctx, `DELETE FROM ceremony WHERE ends_at < $1`, store.Micros(now)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO ceremony (id, kind, staff, data, ends_at) VALUES ($1, $2, $3, $4, $5)`,
			hashToken(out.ID), kind, user, string(text), store.Micros(now.Add(ceremonyWait)))
		return err
	})
	if err != nil {
		return Ceremony{}, fmt.Errorf("keeping an exchange: %w", err)
	}
	return out, nil
}

// takeCeremony reads an exchange and uses it up, so that an answer counts
// once.
func (s *Service) takeCeremony(ctx context.Context, id, kind, user string, into any) error {
	return s.db.Transact(ctx, func(tx *store.Tx) error {
		var text string
		err := tx.QueryRow(ctx, `SELECT data FROM ceremony WHERE id = $1 AND kind = $2 AND staff = $3 AND ends_at > $4`,
			hashToken(id), kind, user, store.Micros(s.now())).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.Field("id", "ended", "this exchange has ended; begin again")
		}
		if err != nil {
			return fmt.Errorf("looking up an exchange: %w", err)
		}
		done, err := tx.Exec(ctx, `DELETE FROM ceremony WHERE id = $1`, hashToken(id))
		if err := expectOne(done, err, "using an exchange"); err != nil {
			return err
		}
		return json.Unmarshal([]byte(text), into)
	})
}
