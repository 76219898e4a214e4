package authapi_test

// A passkey authenticator and a single-sign-on issuer, small but real: they
// make the keys and signatures that a phone and a ministry would.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	origin = "https://banyan.example.org"
	rpID   = "banyan.example.org"
)

var b64 = base64.RawURLEncoding.EncodeToString

// phone is an authenticator that verified its user.
type phone struct {
	t      testing.TB
	key    *ecdsa.PrivateKey
	id     []byte
	user   string // the handle it was given
	count  uint32
	origin string
	idle   bool // it asks nobody for a PIN or a finger
}

func newPhone(t testing.TB) *phone {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	if _, err := rand.Read(id); err != nil {
		t.Fatal(err)
	}
	return &phone{t: t, key: key, id: id, origin: origin}
}

func (p *phone) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

type options struct {
	PublicKey struct {
		Challenge string
		User      struct{ ID string }
	}
}

func (p *phone) clientData(kind, challenge string) []byte {
	out, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": p.origin, "crossOrigin": false})
	p.must(err)
	return out
}

func (p *phone) authData(flags byte) []byte {
	sum := sha256.Sum256([]byte(rpID))
	out := append(sum[:], flags)
	return binary.BigEndian.AppendUint32(out, p.count)
}

// create answers navigator.credentials.create.
func (p *phone) create(begun []byte) []byte {
	p.t.Helper()
	var o options
	p.must(json.Unmarshal(begun, &o))
	handle, err := base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID)
	p.must(err)
	p.user = string(handle)
	point, err := p.key.PublicKey.Bytes() // 4, x, y
	p.must(err)
	cose, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	p.must(err)
	data := p.authData(0x45) // present, verified, key attached
	data = append(data, make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(p.id)))
	data = append(append(data, p.id...), cose...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	p.must(err)
	return p.answer(map[string]any{"clientDataJSON": b64(p.clientData("webauthn.create", o.PublicKey.Challenge)), "attestationObject": b64(object), "transports": []string{"internal"}})
}

// get answers navigator.credentials.get.
func (p *phone) get(begun []byte) []byte {
	p.t.Helper()
	var o options
	p.must(json.Unmarshal(begun, &o))
	p.count++
	flags := byte(0x05) // present, verified
	if p.idle {
		flags = 0x01
	}
	data, client := p.authData(flags), p.clientData("webauthn.get", o.PublicKey.Challenge)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, p.key, digest[:])
	p.must(err)
	return p.answer(map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64([]byte(p.user))})
}

func (p *phone) answer(response map[string]any) []byte {
	out, err := json.Marshal(map[string]any{"id": b64(p.id), "rawId": b64(p.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	p.must(err)
	return out
}

// ministry is an OpenID Connect issuer with one account.
type ministry struct {
	*httptest.Server
	t        testing.TB
	key      *ecdsa.PrivateKey
	now      func() time.Time
	subject  string
	email    string
	verified bool
	nonce    string // what it puts into the token
	audience string
	thin     bool                      // the token carries no address: it is at /userinfo
	stranger bool                      // /userinfo answers for somebody else
	early    time.Duration             // how far the issuer's clock is behind
	forge    func(token string) string // what is done to a token before it is sent
	kid      string
	asked    url.Values // what the token endpoint got last
}

func newMinistry(t testing.TB, now func() time.Time) *ministry {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := &ministry{t: t, key: key, now: now, subject: "s-1", email: "mina@ministry.example", verified: true, audience: "banyan", kid: "k1"}
	mux := http.NewServeMux()
	send := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		send(w, map[string]any{"issuer": m.URL, "authorization_endpoint": m.URL + "/authorise", "token_endpoint": m.URL + "/token", "jwks_uri": m.URL + "/keys", "userinfo_endpoint": m.URL + "/userinfo",
			"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"}})
	})
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer a" {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		sub := m.subject
		if m.stranger {
			sub = "s-2"
		}
		send(w, map[string]any{"sub": sub, "email": m.email, "email_verified": m.verified})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		send(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: m.key.Public(), KeyID: m.kid, Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		m.asked = r.Form
		send(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": m.token()})
	})
	mux.HandleFunc("GET /authorise", func(w http.ResponseWriter, r *http.Request) { // knows the person at the browser already
		q := r.URL.Query()
		m.nonce = q.Get("nonce")
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"state": {q.Get("state")}, "code": {"c"}}.Encode(), http.StatusSeeOther)
	})
	m.Server = httptest.NewServer(mux)
	t.Cleanup(m.Close)
	return m
}

func (m *ministry) token() string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: m.key, KeyID: m.kid}}, nil)
	if err != nil {
		m.t.Error(err)
		return ""
	}
	at := m.now().Add(-m.early)
	claims := map[string]any{"nonce": m.nonce}
	if !m.thin {
		claims["email"], claims["email_verified"] = m.email, m.verified
	}
	out, err := jwt.Signed(signer).Claims(jwt.Claims{Issuer: m.URL, Subject: m.subject, Audience: jwt.Audience{m.audience},
		IssuedAt: jwt.NewNumericDate(at), Expiry: jwt.NewNumericDate(at.Add(time.Minute))}).Claims(claims).Serialize()
	if err != nil {
		m.t.Error(err)
	}
	if m.forge != nil {
		return m.forge(out)
	}
	return out
}

// resigned gives a token another header and no signature, or an HMAC made with
// what everybody can fetch: the public key.
func (m *ministry) resigned(alg string) func(string) string {
	return func(token string) string {
		enc := base64.RawURLEncoding.EncodeToString
		text := enc([]byte(`{"alg":"`+alg+`","kid":"`+m.kid+`"}`)) + "." + strings.Split(token, ".")[1]
		if alg == "none" {
			return text + "."
		}
		public, err := x509.MarshalPKIXPublicKey(m.key.Public())
		if err != nil {
			m.t.Error(err)
		}
		mac := hmac.New(sha256.New, public)
		mac.Write([]byte(text))
		return text + "." + enc(mac.Sum(nil))
	}
}
