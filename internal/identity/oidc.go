package identity

// Single sign-on with OpenID Connect (code flow with PKCE, state and nonce):
// a ministry has its own directory. A user is linked to one subject of the
// issuer. A first sign-in is linked by itself only where the installation
// trusts the issuer's verified addresses (TrustEmail) and a user with that
// address as login exists; nobody is made by signing on.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"banyan/internal/fault"
	"banyan/internal/store"
)

// OIDCConfig names the issuer.
type OIDCConfig struct {
	Name         string // shown on the button
	Issuer       string
	ClientID     string
	ClientSecret string
	RedirectURL  string // https://…/api/sign-in/oidc/callback
	TrustEmail   bool
	HTTP         *http.Client // nil: the default client
}

// How long the issuer may take for one answer, and how long a failure to find
// it stands for everybody who asks meanwhile: an issuer that hangs holds nobody
// else up.
const (
	issuerTime  = 10 * time.Second
	issuerPause = 5 * time.Second
)

type provider struct {
	found    *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
}

type oidcExchange struct{ State, Nonce, Verifier string }

// OIDCName is the issuer's name for the button; empty: no single sign-on.
func (s *Service) OIDCName() string {
	if s.config.OIDC == nil {
		return ""
	}
	return s.config.OIDC.Name
}

// client puts the configured HTTP client into the context.
func (c *OIDCConfig) client(ctx context.Context) context.Context {
	if c.HTTP == nil {
		return oidc.ClientContext(ctx, &http.Client{Timeout: issuerTime})
	}
	return oidc.ClientContext(ctx, c.HTTP)
}

// issuer discovers the issuer once it is needed, and again after a failure.
func (s *Service) issuer(ctx context.Context) (*provider, error) {
	c := s.config.OIDC
	if c == nil {
		return nil, fault.New(fault.Unavailable, "single sign-on is not set up here")
	}
	s.oidc.Lock()
	defer s.oidc.Unlock()
	if s.provider != nil {
		return s.provider, nil
	}
	if s.now().Before(s.issuerRests) {
		return nil, fault.New(fault.Unavailable, "the single sign-on service does not answer")
	}
	// The provider keeps its context for fetching keys later.
	found, err := oidc.NewProvider(c.client(context.WithoutCancel(ctx)), c.Issuer)
	if err != nil {
		s.issuerRests = s.now().Add(issuerPause)
		return nil, fault.Wrap(fault.Unavailable, "the single sign-on service does not answer", err)
	}
	s.provider = &provider{
		found:    found,
		verifier: found.Verifier(&oidc.Config{ClientID: c.ClientID, Now: s.now}),
		oauth: oauth2.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, RedirectURL: c.RedirectURL, Endpoint: found.Endpoint(),
			Scopes: []string{oidc.ScopeOpenID, "email"}},
	}
	return s.provider, nil
}

// BeginOIDC gives the address at the issuer to send the browser to, and the
// exchange's id, which the door keeps in a short-lived cookie.
func (s *Service) BeginOIDC(ctx context.Context) (address, exchange string, err error) {
	p, err := s.issuer(ctx)
	if err != nil {
		return "", "", err
	}
	x := oidcExchange{State: randomToken(), Nonce: randomToken(), Verifier: oauth2.GenerateVerifier()}
	kept, err := s.keepCeremony(ctx, ceremonyOIDC, "", x, nil)
	if err != nil {
		return "", "", err
	}
	return p.oauth.AuthCodeURL(x.State, oidc.Nonce(x.Nonce), oauth2.S256ChallengeOption(x.Verifier)), kept.ID, nil
}

// wrongSignOn is one answer to the browser; why stands for the log. It holds
// nothing about a person: see SignOnFailure.
func wrongSignOn(why string) error {
	return fault.Wrap(fault.Unauthenticated, "single sign-on did not succeed; ask your administrator whether you are invited", SignOnFailure(why))
}

// SignOnFailure says why single sign-on did not succeed, in words fit for the
// log: what an administrator sets right at the issuer, nothing about a person.
type SignOnFailure string

func (f SignOnFailure) Error() string { return string(f) }

// FinishOIDC takes the issuer's answer and signs its subject in, as a right
// password would: where a code is enrolled it is still asked. It is no fresh
// proof: the issuer may have asked for nothing today, so acts that need one ask.
func (s *Service) FinishOIDC(ctx context.Context, exchange, state, code, device string) (Started, error) {
	p, err := s.issuer(ctx)
	if err != nil {
		return Started{}, err
	}
	var x oidcExchange
	if err := s.takeCeremony(ctx, exchange, ceremonyOIDC, "", &x); err != nil {
		return Started{}, err
	}
	if x.State != state {
		return Started{}, wrongSignOn("the state is of another sign-on")
	}
	if code == "" {
		return Started{}, wrongSignOn("the issuer sent no code")
	}
	claims, err := s.claimsOf(s.config.OIDC.client(ctx), p, x, code)
	if err != nil {
		return Started{}, err
	}
	var out Started
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		user, err := s.subject(ctx, tx, claims)
		if err != nil {
			return err
		}
		c, err := credentialsOf(ctx, tx, "id", user)
		if err != nil {
			return err
		}
		if c.user == "" || c.suspended {
			return wrongSignOn("the user is suspended")
		}
		stage := stageFull
		if c.totp != nil {
			stage = stageCode
		}
		out, err = s.start(ctx, tx, user, stage, howSignOn, device)
		return err
	})
	return out, err
}

// signOnClaims is what the issuer says of who signed on.
type signOnClaims struct {
	Issuer   string `json:"-"`
	Subject  string `json:"-"`
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
}

// claimsOf exchanges the code and reads the token. The address is asked for at
// the issuer's UserInfo where the token does not carry it (OpenID Connect Core
// 1.0, 5.4: claims that a scope asks for come from there).
func (s *Service) claimsOf(ctx context.Context, p *provider, x oidcExchange, code string) (signOnClaims, error) {
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(x.Verifier))
	if err != nil {
		return signOnClaims{}, wrongSignOn("the issuer did not exchange the code: wrong client, secret or redirect address, or an old code")
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.verifier.Verify(ctx, raw)
	var old *oidc.TokenExpiredError
	switch {
	case errors.As(err, &old):
		return signOnClaims{}, wrongSignOn("the ID token has expired: compare the clocks")
	case err != nil:
		return signOnClaims{}, wrongSignOn("the ID token was not accepted: issuer, audience, algorithm or signature")
	case id.Nonce != x.Nonce:
		return signOnClaims{}, wrongSignOn("the ID token is of another sign-on")
	}
	out := signOnClaims{Issuer: id.Issuer, Subject: id.Subject}
	if err := id.Claims(&out); err != nil {
		return signOnClaims{}, wrongSignOn("the ID token cannot be read")
	}
	if out.Email != "" || !s.config.OIDC.TrustEmail || p.found.UserInfoEndpoint() == "" {
		return out, nil
	}
	info, err := p.found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return signOnClaims{}, wrongSignOn("the issuer's UserInfo did not answer")
	}
	if info.Subject != out.Subject { // Core 1.0, 5.3.2: otherwise it must not be used
		return signOnClaims{}, wrongSignOn("the issuer's UserInfo is of another subject")
	}
	out.Email, out.Verified = info.Email, info.EmailVerified
	return out, nil
}

// subject finds the user linked to a subject, or links it where that is
// trusted.
func (s *Service) subject(ctx context.Context, tx *store.Tx, who signOnClaims) (string, error) {
	var user string
	err := tx.QueryRow(ctx, `SELECT staff FROM single_sign_on WHERE issuer = $1 AND subject = $2`, who.Issuer, who.Subject).Scan(&user)
	if err == nil {
		return user, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("looking up a subject: %w", err)
	}
	switch {
	case !s.config.OIDC.TrustEmail:
		return "", wrongSignOn("the subject is linked to nobody, and addresses are not trusted here")
	case who.Email == "":
		return "", wrongSignOn("the issuer gives no address: allow the client the scope email")
	case !who.Verified:
		return "", wrongSignOn("the issuer has not verified the address")
	}
	c, err := credentialsOf(ctx, tx, "login_key", foldLogin(who.Email))
	if err != nil {
		return "", err
	}
	if c.user == "" || c.suspended {
		return "", wrongSignOn("no user has this address as login, or the user is suspended")
	}
	u, err := userOf(ctx, tx, c.user)
	if err != nil {
		return "", err
	}
	if err := s.record(ctx, tx, Principal{User: u.ID, Org: u.Org}, "user.single_sign_on_linked", u.ID, nil); err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `INSERT INTO single_sign_on (issuer, subject, staff, created_at) VALUES ($1, $2, $3, $4)`, who.Issuer, who.Subject, c.user, store.Micros(s.now()))
	if err != nil {
		return "", fmt.Errorf("linking a subject: %w", err)
	}
	return c.user, nil
}
