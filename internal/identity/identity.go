// Package identity knows who somebody is: organisations, teams, users and
// their roles; how they prove it (password, code, passkey, single sign-on);
// and the sessions that follow from the proof.
//
// It promises:
//   - a stolen table opens nothing: session and invitation tokens stand only
//     as SHA-256, passwords as argon2id, code secrets sealed by the vault;
//   - an unknown login costs the same work and gives the same answer as a
//     wrong password;
//   - guessing is throttled per login and per address, in the database, so
//     that several processes count together. Who guesses at a login can so
//     hold up its owner's password for a while; a passkey is not held up;
//   - nobody gets a default password: users come by one-time invitation;
//   - the last administrator of an organisation cannot be removed;
//   - every administrative act stands in a table that only grows and in which
//     each row is hashed over the one before (VerifyActs).
//
// What somebody may do is not decided here but in package policy.
//
// A sign-in goes through these states:
//
//	(nobody) --password--> [waits for code] --code--> (signed in)
//	(nobody) --password, no code enrolled------------> (signed in)
//	(nobody) --passkey | invitation------------------> (signed in)
//	(nobody) --single sign-on--> as after a password
//	(signed in) --idle | absolute end | sign-out | revoked | suspended--> (nobody)
package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"banyan/internal/store"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// Schema is this room's tables.
func Schema() store.Schema {
	sub, err := fs.Sub(schemaFiles, "schema")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return store.Schema{Room: "identity", FS: sub}
}

// Sealer hides a secret under a label; the vault is one.
type Sealer interface {
	SealSecret(label string, plain []byte) ([]byte, error)
	OpenSecret(label string, sealed []byte) ([]byte, error)
}

// Config is what an installation may choose. The zero value of each field
// means the default that stands beside it.
type Config struct {
	Idle          time.Duration // 30 minutes: a session unused for this long ends
	Absolute      time.Duration // 12 hours: a session ends, used or not
	StepUp        time.Duration // 5 minutes: how long a fresh proof counts
	Invitation    time.Duration // 7 days
	Reset         time.Duration // 24 hours: an invitation to choose a new password
	Window        time.Duration // 15 minutes: over which failed sign-ins are counted
	LoginTries    int           // 10 failures per login and window
	AddressTries  int           // 60 failures per address and window: an office shares one
	PasswordSlots int           // 2 passwords are hashed at once, 19 MiB each

	Origin string // "https://banyan.example.org"; passkeys need it, and a name, not a number
	OIDC   *OIDCConfig
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&c.Idle, 30*time.Minute)
	def(&c.Absolute, 12*time.Hour)
	def(&c.StepUp, 5*time.Minute)
	def(&c.Invitation, 7*24*time.Hour)
	def(&c.Reset, 24*time.Hour)
	def(&c.Window, 15*time.Minute)
	if c.LoginTries == 0 {
		c.LoginTries = 10
	}
	if c.AddressTries == 0 {
		c.AddressTries = 60
	}
	if c.PasswordSlots == 0 {
		c.PasswordSlots = 2
	}
	return c
}

// Service is the room's door for the rest of the program. It is safe for
// concurrent use.
type Service struct {
	db     *store.DB
	sealer Sealer
	now    func() time.Time
	config Config

	slots    chan struct{} // one for each password being hashed
	dummy    string        // what unknown logins are compared with
	passkeys *webauthn.WebAuthn
	oidc     sync.Mutex
	provider *provider

	issuerRests time.Time // not asked again before; guarded by oidc
}

// New makes the service over a database in which Schema has been migrated.
func New(db *store.DB, sealer Sealer, clock func() time.Time, config Config) (*Service, error) {
	s := &Service{db: db, sealer: sealer, now: clock, config: config.withDefaults()}
	s.slots = make(chan struct{}, s.config.PasswordSlots)
	s.dummy = hashPassword(randomToken())
	if config.Origin != "" {
		origin, err := url.Parse(config.Origin)
		if err != nil || origin.Hostname() == "" {
			return nil, fmt.Errorf("the origin must be an address such as https://banyan.example.org")
		}
		s.passkeys, err = webauthn.New(&webauthn.Config{RPID: origin.Hostname(), RPDisplayName: "Banyan", RPOrigins: []string{origin.Scheme + "://" + origin.Host}})
		if err != nil {
			return nil, fmt.Errorf("setting up passkeys: %w", err)
		}
	}
	return s, nil
}

// Principal is who makes a request.
type Principal struct {
	User, Org, Team string // ids; Team may be empty
	Name, Login     string
	OrgName         string
	TeamName        string
	Operator        bool // the organisation runs this installation
	Roles           []string
	Session         string
	SteppedUpUntil  time.Time
	IdleEnds, Ends  time.Time
	Lang            string
	Device          string

	system bool
}

// System is the program itself, for the first start, the demo and commands
// that a person with access to the machine runs.
func System() Principal {
	return Principal{User: "system", Name: "the program", Operator: true, system: true}
}

type contextKey struct{}

// With gives a context that carries who makes the request.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From says who makes the request; false: nobody signed in.
func From(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(contextKey{}).(Principal)
	return p, ok
}

// newID makes a UUIDv7 (RFC 9562, section 5.7) of the service's clock.
func (s *Service) newID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // crypto/rand never fails (Go 1.24)
	}
	ms := uint64(s.now().UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// randomToken makes 256 random bits as text.
func randomToken() string {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashToken is all that a table keeps of a token. A plain SHA-256 is enough:
// there is nothing to guess in 256 random bits.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
