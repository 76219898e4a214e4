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

type provider struct {
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
		return ctx
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
	// The provider keeps its context for fetching keys later.
	found, err := oidc.NewProvider(c.client(context.WithoutCancel(ctx)), c.Issuer)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "the single sign-on service does not answer", err)
	}
	s.provider = &provider{
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

func wrongSignOn() error {
	return fault.New(fault.Unauthenticated, "single sign-on did not succeed; ask your administrator whether you are invited")
}

// FinishOIDC takes the issuer's answer and signs its subject in, as a right
// password would: where a code is enrolled it is still asked.
func (s *Service) FinishOIDC(ctx context.Context, exchange, state, code, device string) (Started, error) {
	p, err := s.issuer(ctx)
	if err != nil {
		return Started{}, err
	}
	var x oidcExchange
	if err := s.takeCeremony(ctx, exchange, ceremonyOIDC, "", &x); err != nil {
		return Started{}, err
	}
	if x.State != state || code == "" {
		return Started{}, wrongSignOn()
	}
	token, err := p.oauth.Exchange(s.config.OIDC.client(ctx), code, oauth2.VerifierOption(x.Verifier))
	if err != nil {
		return Started{}, wrongSignOn()
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.verifier.Verify(s.config.OIDC.client(ctx), raw)
	if err != nil || id.Nonce != x.Nonce {
		return Started{}, wrongSignOn()
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := id.Claims(&claims); err != nil {
		return Started{}, wrongSignOn()
	}
	var out Started
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		user, err := s.subject(ctx, tx, id.Issuer, id.Subject, claims.Email, claims.Verified)
		if err != nil {
			return err
		}
		c, err := credentialsOf(ctx, tx, "id", user)
		if err != nil {
			return err
		}
		if c.user == "" || c.suspended {
			return wrongSignOn()
		}
		stage := stageFull
		if c.totp != nil {
			stage = stageCode
		}
		out, err = s.start(ctx, tx, user, stage, "single_sign_on", device)
		return err
	})
	return out, err
}

// subject finds the user linked to a subject, or links it where that is
// trusted.
func (s *Service) subject(ctx context.Context, tx *store.Tx, issuer, subject, email string, verified bool) (string, error) {
	var user string
	err := tx.QueryRow(ctx, `SELECT staff FROM single_sign_on WHERE issuer = $1 AND subject = $2`, issuer, subject).Scan(&user)
	if err == nil {
		return user, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("looking up a subject: %w", err)
	}
	if !s.config.OIDC.TrustEmail || !verified || email == "" {
		return "", wrongSignOn()
	}
	c, err := credentialsOf(ctx, tx, "login_key", foldLogin(email))
	if err != nil {
		return "", err
	}
	if c.user == "" || c.suspended {
		return "", wrongSignOn()
	}
	u, err := userOf(ctx, tx, c.user)
	if err != nil {
		return "", err
	}
	if err := s.record(ctx, tx, Principal{User: u.ID, Org: u.Org}, "user.single_sign_on_linked", u.ID, nil); err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `INSERT INTO single_sign_on (issuer, subject, staff, created_at) VALUES ($1, $2, $3, $4)`, issuer, subject, c.user, store.Micros(s.now()))
	if err != nil {
		return "", fmt.Errorf("linking a subject: %w", err)
	}
	return c.user, nil
}
