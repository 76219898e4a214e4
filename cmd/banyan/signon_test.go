package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"banyan/internal/identity"
)

func TestSingleSignOnIsConfiguredByFlagsAndItsSecretByAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("invented\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BANYAN_OIDC_SECRET_FILE", file)
	const origin = "https://banyan.example.org"
	cases := []struct {
		name, args, origin string
		want               *identity.OIDCConfig
		fault              string
	}{
		{"nothing said", "", origin, nil, ""},
		{"all said", "--oidc-issuer https://id.example.org/realm --oidc-client banyan --oidc-trust-email", origin,
			&identity.OIDCConfig{Name: "id.example.org", Issuer: "https://id.example.org/realm", ClientID: "banyan", ClientSecret: "invented",
				RedirectURL: origin + "/api/sign-in/oidc/callback", TrustEmail: true}, ""},
		{"no client", "--oidc-issuer https://id.example.org", origin, nil, "without --oidc-client"},
		{"no issuer", "--oidc-client banyan", origin, nil, "without --oidc-issuer"},
		{"nowhere to come back to", "--oidc-issuer https://id.example.org --oidc-client banyan", "", nil, "needs --origin"},
		{"an issuer in clear", "--oidc-issuer http://id.example.org --oidc-client banyan", origin, nil, "https address"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := flag.NewFlagSet("serve", flag.ContinueOnError)
			f.SetOutput(io.Discard)
			make := signOnFlags(f)
			if err := f.Parse(strings.Fields(c.args)); err != nil {
				t.Fatal(err)
			}
			got, err := make(c.origin)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Fatalf("got %v, want a fault that says %q", err, c.fault)
				}
				return
			}
			if err != nil || (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
				t.Fatalf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}
