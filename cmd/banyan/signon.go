// The flags of single sign-on for banyan serve.

package main

import (
	"flag"
	"net/url"
	"os"
	"strings"

	"banyan/internal/identity"
)

// signOnFlags adds the flags. What it gives makes the configuration when they
// are parsed: nil without an issuer, an error that names the flag at fault.
func signOnFlags(f *flag.FlagSet) func(origin string) (*identity.OIDCConfig, error) {
	issuer := f.String("oidc-issuer", env("BANYAN_OIDC_ISSUER", ""), "single sign-on: address of the OpenID Connect issuer (BANYAN_OIDC_ISSUER)")
	client := f.String("oidc-client", env("BANYAN_OIDC_CLIENT", ""), "single sign-on: client id at the issuer (BANYAN_OIDC_CLIENT; its secret in BANYAN_OIDC_SECRET or the file BANYAN_OIDC_SECRET_FILE)")
	name := f.String("oidc-name", env("BANYAN_OIDC_NAME", ""), "single sign-on: what the button calls the issuer; default: its host (BANYAN_OIDC_NAME)")
	trust := f.Bool("oidc-trust-email", env("BANYAN_OIDC_TRUST_EMAIL", "") == "true", "single sign-on: link a first sign-on to the user whose login is the address that the issuer verified (BANYAN_OIDC_TRUST_EMAIL=true)")
	return func(origin string) (*identity.OIDCConfig, error) {
		switch {
		case *issuer == "" && *client == "":
			return nil, nil
		case *issuer == "":
			return nil, misuse("--oidc-client without --oidc-issuer")
		case *client == "":
			return nil, misuse("--oidc-issuer without --oidc-client")
		case origin == "":
			return nil, misuse("--oidc-issuer needs --origin: the issuer sends browsers back there")
		}
		at, err := url.Parse(*issuer)
		if err != nil || at.Host == "" || at.Scheme != "https" && at.Hostname() != "127.0.0.1" && at.Hostname() != "localhost" {
			return nil, misuse("--oidc-issuer is an https address")
		}
		if *name == "" {
			*name = at.Host
		}
		secret, err := secretOf("BANYAN_OIDC_SECRET")
		if err != nil {
			return nil, misuse("%v", err)
		}
		return &identity.OIDCConfig{Name: *name, Issuer: *issuer, ClientID: *client, ClientSecret: secret,
			RedirectURL: strings.TrimRight(origin, "/") + "/api/sign-in/oidc/callback", TrustEmail: *trust}, nil
	}
}

// secretOf reads a secret from a variable, or from the file that the variable
// with _FILE names. Neither gives an empty one.
func secretOf(variable string) (string, error) {
	if v := os.Getenv(variable); v != "" {
		return v, nil
	}
	file := os.Getenv(variable + "_FILE")
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
