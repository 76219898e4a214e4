package authapi_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server/servertest"
)

func withMina(w *servertest.World) identity.User {
	return w.AddUser(identity.NewUser{Org: w.Org.ID, Team: w.Team.ID, Login: "mina@ministry.example", Name: "Mina", Roles: []string{policy.CaseWorker}, Password: servertest.Password})
}

type me struct {
	User    struct{ ID, Name, Login, Lang string }
	Org     struct{ Name string }
	Team    string
	May     []string
	Counts  struct{ Today, Inbox int }
	Session struct {
		Ends           time.Time
		SteppedUpUntil *time.Time `json:"stepped_up_until"`
	}
}

type signedIn struct {
	Me   *me
	Next string
}

func TestASessionFromPasswordToSignOut(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{Counts: func(context.Context, identity.Principal) (int, int, error) { return 7, 2, nil }})
	withMina(w)
	c := w.Anonymous()
	if a := c.Call("GET", "/api/me", nil); a.Status != http.StatusUnauthorized {
		t.Errorf("nobody is %d", a.Status)
	}
	if a := c.Call("POST", "/api/sign-in", map[string]string{"login": "mina@ministry.example", "password": "wrong password"}); a.Status != http.StatusUnauthorized || len(c.Cookies) > 0 {
		t.Errorf("a wrong password gave %d and cookies %v", a.Status, c.Cookies)
	}
	var in signedIn
	c.Call("POST", "/api/sign-in", map[string]string{"login": "mina@ministry.example", "password": servertest.Password}).Into(t, &in)
	if in.Me == nil || in.Me.User.Name != "Mina" || in.Me.Team != "North" || in.Me.Counts.Today != 7 || in.Me.Session.SteppedUpUntil == nil {
		t.Fatalf("got %+v", in.Me)
	}
	for _, may := range []string{"read", "find", "open", "write", "break_glass", "staff.read"} {
		if !slices.Contains(in.Me.May, may) {
			t.Errorf("a case worker may not %s: %v", may, in.Me.May)
		}
	}
	if slices.Contains(in.Me.May, "admin.users") || slices.Contains(in.Me.May, "approve") {
		t.Errorf("a case worker may %v", in.Me.May)
	}
	var m me
	c.Call("PATCH", "/api/me", map[string]string{"lang": "vi"}).Into(t, &m)
	c.Call("GET", "/api/me", nil).Into(t, &m)
	if m.User.Lang != "vi" {
		t.Errorf("the language is %q", m.User.Lang)
	}
	if a := c.Call("PATCH", "/api/me", map[string]string{"lang": "<script>"}); a.Status != 422 {
		t.Errorf("a strange language gave %d", a.Status)
	}
	token := c.Cookies["banyan"]
	if a := c.Call("POST", "/api/sign-out", nil); a.Status != http.StatusNoContent || c.Cookies["banyan"] != "" {
		t.Errorf("signing out gave %d, cookies %v", a.Status, c.Cookies)
	}
	c.Cookies["banyan"] = token
	if a := c.Call("GET", "/api/me", nil); a.Status != http.StatusUnauthorized {
		t.Errorf("the old cookie still opens: %d", a.Status)
	}
}

func TestSigningInAgainEndsTheSessionBefore(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	withMina(w)
	c := w.Anonymous()
	proof := map[string]string{"login": "mina@ministry.example", "password": servertest.Password}
	c.Call("POST", "/api/sign-in", proof)
	first := c.Cookies["banyan"]
	c.Call("POST", "/api/sign-in", proof)
	if c.Cookies["banyan"] == first {
		t.Fatal("the token is the same")
	}
	c.Cookies["banyan"] = first
	if a := c.Call("GET", "/api/me", nil); a.Status != http.StatusUnauthorized {
		t.Errorf("the first session goes on: %d", a.Status)
	}
}

func TestACodeIsEnrolledAndAskedOverTheDoor(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	withMina(w)
	c := w.Anonymous()
	proof := map[string]string{"login": "mina@ministry.example", "password": servertest.Password}
	c.Call("POST", "/api/sign-in", proof)
	var e struct{ Secret, URI string }
	c.Call("POST", "/api/me/totp", map[string]string{}).Into(t, &e)
	if !strings.HasPrefix(e.URI, "otpauth://totp/Banyan") {
		t.Errorf("the app is given %.30q", e.URI)
	}
	code := func() string {
		out, err := totp.GenerateCode(e.Secret, w.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if a := c.Call("POST", "/api/me/totp", map[string]string{"code": code()}); a.Status != 200 {
		t.Fatalf("confirming gave %d %s", a.Status, a.Body)
	}
	w.Clock.Advance(time.Minute)
	d := w.Anonymous()
	var in signedIn
	d.Call("POST", "/api/sign-in", proof).Into(t, &in)
	if in.Next != "totp" || in.Me != nil {
		t.Fatalf("got %+v", in)
	}
	if a := d.Call("GET", "/api/me", nil); a.Status != http.StatusUnauthorized {
		t.Errorf("half signed in is %d", a.Status)
	}
	if a := d.Call("POST", "/api/sign-in/totp", map[string]string{"code": "000000"}); a.Status != http.StatusUnauthorized {
		t.Errorf("a wrong code gave %d", a.Status)
	}
	d.Call("POST", "/api/sign-in/totp", map[string]string{"code": code()}).Into(t, &in)
	if in.Me == nil || d.Call("GET", "/api/me", nil).Status != 200 {
		t.Error("the right code did not sign in")
	}
	w.Clock.Advance(6 * time.Minute)
	if a := d.Call("DELETE", "/api/me/totp", nil); a.Status != http.StatusForbidden {
		t.Errorf("removing the code without a fresh proof gave %d", a.Status)
	}
	if a := d.Call("POST", "/api/step-up", map[string]string{"password": servertest.Password}); a.Status != 422 {
		t.Errorf("stepping up by password alone gave %d", a.Status)
	}
	if a := d.Call("POST", "/api/step-up", map[string]string{"code": code()}); a.Status != 200 {
		t.Errorf("stepping up gave %d %s", a.Status, a.Body)
	}
	if a := d.Call("DELETE", "/api/me/totp", nil); a.Status != http.StatusNoContent {
		t.Errorf("removing the code gave %d %s", a.Status, a.Body)
	}
}

func passkeyWorld(t *testing.T) (*servertest.World, identity.User) {
	w := servertest.Start(t, servertest.Setup{Identity: identity.Config{Origin: origin}})
	return w, withMina(w)
}

func TestAPasskeySignsInAndStepsUp(t *testing.T) {
	w, mina := passkeyWorld(t)
	p := newPhone(t)
	c := w.SignedIn(mina.ID)
	made := c.Call("POST", "/api/me/passkeys/finish", p.create(c.Call("POST", "/api/me/passkeys/begin", map[string]string{"name": "my phone"}).Body))
	if made.Status != 200 {
		t.Fatalf("enrolling gave %d %s", made.Status, made.Body)
	}
	var keys struct{ Items []struct{ ID, Name string } }
	c.Call("GET", "/api/me/passkeys", nil).Into(t, &keys)
	if len(keys.Items) != 1 || keys.Items[0].Name != "my phone" {
		t.Errorf("listed %+v", keys)
	}

	d := w.Anonymous()
	begun := d.Call("POST", "/api/sign-in/passkey/begin", nil)
	if bytes.Contains(begun.Body, []byte(mina.ID)) || bytes.Contains(begun.Body, []byte("allowCredentials\":[{")) {
		t.Error("the beginning says who exists")
	}
	answer := p.get(begun.Body)
	exchange := d.Cookies["banyan_exchange"]
	var in signedIn
	d.Call("POST", "/api/sign-in/passkey/finish", answer).Into(t, &in)
	if in.Me == nil || in.Me.User.ID != mina.ID || d.Cookies["banyan_exchange"] != "" {
		t.Fatalf("got %+v, cookies %v", in.Me, d.Cookies)
	}
	d.Cookies["banyan_exchange"] = exchange
	if a := d.Call("POST", "/api/sign-in/passkey/finish", answer); a.Status == 200 {
		t.Error("an answer counted twice")
	}
	w.Clock.Advance(10 * time.Minute)
	if a := d.Call("DELETE", "/api/me/passkeys/"+keys.Items[0].ID, nil); a.Status != http.StatusForbidden {
		t.Errorf("removing without a fresh proof gave %d", a.Status)
	}
	if a := d.Call("POST", "/api/step-up/passkey", p.get(d.Call("POST", "/api/sign-in/passkey/begin", nil).Body)); a.Status != 200 {
		t.Errorf("stepping up gave %d %s", a.Status, a.Body)
	}
	if a := d.Call("DELETE", "/api/me/passkeys/"+keys.Items[0].ID, nil); a.Status != http.StatusNoContent {
		t.Errorf("removing gave %d %s", a.Status, a.Body)
	}
	e := w.Anonymous()
	if a := e.Call("POST", "/api/sign-in/passkey/finish", p.get(e.Call("POST", "/api/sign-in/passkey/begin", nil).Body)); a.Status != http.StatusUnauthorized {
		t.Errorf("a removed passkey gave %d", a.Status)
	}
}

func TestAForgedPasskeyAnswerIsRefused(t *testing.T) {
	w, mina := passkeyWorld(t)
	p := newPhone(t)
	c := w.SignedIn(mina.ID)
	c.Call("POST", "/api/me/passkeys/finish", p.create(c.Call("POST", "/api/me/passkeys/begin", map[string]string{"name": "phone"}).Body))
	other := newPhone(t)
	rows := map[string]func(begun []byte) []byte{
		"another key":          func(b []byte) []byte { f := *p; f.key = other.key; return f.get(b) },
		"another site":         func(b []byte) []byte { f := *p; f.origin = "https://banyan.example.net"; return f.get(b) },
		"another user":         func(b []byte) []byte { f := *p; f.user = w.Users[policy.Administrator].ID; return f.get(b) },
		"an unknown passkey":   func(b []byte) []byte { f := *other; f.user = mina.ID; return f.get(b) },
		"nobody was verified":  func(b []byte) []byte { f := *p; f.idle = true; return f.get(b) },
		"not an answer at all": func([]byte) []byte { return []byte(`{"id":1}`) },
	}
	for name, forge := range rows {
		d := w.Anonymous()
		a := d.Call("POST", "/api/sign-in/passkey/finish", forge(d.Call("POST", "/api/sign-in/passkey/begin", nil).Body))
		if a.Status != http.StatusUnauthorized || d.Cookies["banyan"] != "" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	late := w.Anonymous()
	answer := p.get(late.Call("POST", "/api/sign-in/passkey/begin", nil).Body)
	w.Clock.Advance(6 * time.Minute)
	if a := late.Call("POST", "/api/sign-in/passkey/finish", answer); a.Status != 422 {
		t.Errorf("six minutes later: %d %s", a.Status, a.Body)
	}
	if a := w.Anonymous().Call("POST", "/api/sign-in/passkey/finish", answer); a.Status != 422 {
		t.Errorf("without an exchange: %d", a.Status)
	}
}

// TestACopiedPasskeyIsRefusedAndNoted: somebody took the phone's secret, and
// signs in after its owner did.
func TestACopiedPasskeyIsRefusedAndNoted(t *testing.T) {
	w, mina := passkeyWorld(t)
	p := newPhone(t)
	c := w.SignedIn(mina.ID)
	c.Call("POST", "/api/me/passkeys/finish", p.create(c.Call("POST", "/api/me/passkeys/begin", map[string]string{"name": "phone"}).Body))
	thief := *p
	enter := func(p *phone) servertest.Answer {
		d := w.Anonymous()
		return d.Call("POST", "/api/sign-in/passkey/finish", p.get(d.Call("POST", "/api/sign-in/passkey/begin", nil).Body))
	}
	for range 2 {
		if a := enter(p); a.Status != 200 {
			t.Fatalf("the owner: %d %s", a.Status, a.Body)
		}
	}
	if a := enter(&thief); a.Status != http.StatusUnauthorized {
		t.Errorf("the copy: %d %s", a.Status, a.Body)
	}
	if a := w.As(policy.Auditor).Call("GET", "/api/admin/audit", nil); !strings.Contains(string(a.Body), "user.passkey_copied") {
		t.Errorf("the auditor hears nothing: %d %s", a.Status, a.Body)
	}
	if a := enter(p); a.Status != 200 {
		t.Errorf("the owner afterwards: %d", a.Status)
	}
}

func TestSingleSignOnLinksAnInvitedUserOnly(t *testing.T) {
	clock := servertest.NewClock() // stands where the world's does
	m := newMinistry(t, clock.Now)
	start := func(t *testing.T, trust bool) *servertest.World {
		w := servertest.Start(t, servertest.Setup{Identity: identity.Config{OIDC: &identity.OIDCConfig{Name: "Ministry", Issuer: m.URL, ClientID: "banyan", ClientSecret: "s",
			RedirectURL: origin + "/api/sign-in/oidc/callback", TrustEmail: trust}}})
		withMina(w)
		return w
	}
	// arrive goes the whole way and gives the callback's answer.
	arrive := func(t *testing.T, c *servertest.Client, change func(q url.Values)) servertest.Answer {
		t.Helper()
		begun := c.Call("GET", "/api/sign-in/oidc", nil)
		to, err := url.Parse(begun.Header.Get("Location"))
		if begun.Status != http.StatusSeeOther || err != nil || !strings.HasPrefix(to.String(), m.URL+"/authorise?") {
			t.Fatalf("sent to %d %q", begun.Status, to)
		}
		q := to.Query()
		if q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("nonce") == "" {
			t.Errorf("asks with %v", q)
		}
		m.nonce = q.Get("nonce")
		back := url.Values{"state": {q.Get("state")}, "code": {"c"}, "session_state": {"whatever issuers add"}}
		if change != nil {
			change(back)
		}
		return c.Call("GET", "/api/sign-in/oidc/callback?"+back.Encode(), nil)
	}

	t.Run("a verified address of an invited user", func(t *testing.T) {
		w := start(t, true)
		c := w.Anonymous()
		a := arrive(t, c, nil)
		if a.Status != 200 || c.Cookies["banyan"] == "" || !bytes.Contains(a.Body, []byte(`url=/"`)) {
			t.Fatalf("got %d %s", a.Status, a.Body)
		}
		if m.asked.Get("code_verifier") == "" {
			t.Error("no proof key was sent with the code")
		}
		var got me
		c.Call("GET", "/api/me", nil).Into(t, &got)
		if got.User.Name != "Mina" {
			t.Errorf("signed in as %+v", got.User)
		}
		m.email = "changed@ministry.example" // the subject counts from now on
		defer func() { m.email = "mina@ministry.example" }()
		if a := arrive(t, w.Anonymous(), nil); a.Status != 200 {
			t.Errorf("the second time: %d", a.Status)
		}
	})
	t.Run("an address that only UserInfo gives", func(t *testing.T) {
		m.thin = true
		defer func() { m.thin = false }()
		c := start(t, true).Anonymous()
		if a := arrive(t, c, nil); a.Status != 200 || c.Cookies["banyan"] == "" {
			t.Fatalf("got %d %s", a.Status, a.Body)
		}
	})
	t.Run("it is no fresh proof", func(t *testing.T) { // a laptop left open is signed on at the ministry all day
		c := start(t, true).Anonymous()
		arrive(t, c, nil)
		if a := c.Call("POST", "/api/me/password", map[string]string{"password": "a boat across the lake"}); a.Status != http.StatusForbidden {
			t.Errorf("a new password was taken without a proof: %d %s", a.Status, a.Body)
		}
	})
	t.Run("the issuer changed its keys", func(t *testing.T) {
		w := start(t, true)
		arrive(t, w.Anonymous(), nil)
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		m.key, m.kid = key, "k2"
		if a := arrive(t, w.Anonymous(), nil); a.Status != 200 {
			t.Errorf("got %d %s", a.Status, a.Body)
		}
	})
	refused := map[string]struct {
		trust  bool
		set    func()
		change func(url.Values)
	}{
		"addresses are not trusted":  {trust: false},
		"an address not verified":    {trust: true, set: func() { m.verified = false }},
		"nobody invited":             {trust: true, set: func() { m.email = "stranger@ministry.example" }},
		"a token for somebody else":  {trust: true, set: func() { m.audience = "another" }},
		"another state":              {trust: true, change: func(q url.Values) { q.Set("state", "x") }},
		"no code":                    {trust: true, change: func(q url.Values) { q.Del("code") }},
		"another exchange's nonce":   {trust: true, change: func(url.Values) { m.nonce = "x" }},
		"no signature":               {trust: true, set: func() { m.forge = m.resigned("none") }},
		"the public key as a secret": {trust: true, set: func() { m.forge = m.resigned("HS256") }},
		"a clock ten minutes behind": {trust: true, set: func() { m.early = 10 * time.Minute }},
		"UserInfo of another person": {trust: true, set: func() { m.thin, m.stranger = true, true }},
		"the issuer said no":         {trust: true, change: func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }},
	}
	for name, r := range refused {
		t.Run(name, func(t *testing.T) {
			m.verified, m.email, m.audience = true, "mina@ministry.example", "banyan"
			m.forge, m.early, m.thin, m.stranger = nil, 0, false, false
			if r.set != nil {
				r.set()
			}
			w := start(t, r.trust)
			c := w.Anonymous()
			defer func() {
				if log := w.Log.String(); !strings.Contains(log, "single sign-on failed: ") || strings.Contains(log, "ministry.example") {
					t.Errorf("an administrator reads: %s", log)
				}
			}()
			if a := arrive(t, c, r.change); a.Status != http.StatusUnauthorized || c.Cookies["banyan"] != "" {
				t.Errorf("got %d %s", a.Status, a.Body)
			}
		})
	}
}

func TestAnInvitationIsAcceptedOverTheDoor(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	var inv struct{ Token string }
	admin := w.As(policy.Administrator)
	admin.Call("POST", "/api/admin/invitations", map[string]any{"login": "lan", "name": "Lan", "roles": []string{"lawyer"}, "team": w.Team.ID}).Into(t, &inv)
	c := w.Anonymous()
	a := c.Call("POST", "/api/invitations/accept", map[string]string{"token": inv.Token, "name": "Lan", "password": "short"})
	if _, path := a.Problem(); a.Status != 422 || path != "password" {
		t.Errorf("a short password gave %d %s", a.Status, a.Body)
	}
	var in signedIn
	c.Call("POST", "/api/invitations/accept", map[string]string{"token": inv.Token, "name": "Lan", "password": servertest.Password}).Into(t, &in)
	if in.Me == nil || in.Me.User.Login != "lan" || in.Me.Team != "North" {
		t.Fatalf("joined as %+v", in.Me)
	}
	if a := w.Anonymous().Call("POST", "/api/invitations/accept", map[string]string{"token": inv.Token, "name": "Lan", "password": servertest.Password}); a.Status != 422 {
		t.Errorf("used again: %d", a.Status)
	}
}

func TestSignInIsThrottledByAddressBehindATrustedProxyOnly(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{Identity: identity.Config{AddressTries: 3, LoginTries: 100}})
	c := w.Anonymous()
	status := 0
	for i := range 5 {
		c.Header["X-Forwarded-For"] = "198.51.100." + string(rune('1'+i)) // nobody trusts what it says
		a := c.Call("POST", "/api/sign-in", map[string]string{"login": "x" + string(rune('a'+i)), "password": "wrong"})
		status = a.Status
		if status == http.StatusTooManyRequests && a.Header.Get("Retry-After") == "" {
			t.Error("does not say how long to wait")
		}
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("a made-up address got past the limit: %d", status)
	}
}

// TestAKnownDeviceSignsInWhileOthersAreThrottled: see identity's
// TestNobodyCanLockAShelterOut; here by the browser's own cookie.
func TestAKnownDeviceSignsInWhileOthersAreThrottled(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{Identity: identity.Config{LoginTries: 3, AddressTries: 5}})
	w.AddUser(identity.NewUser{Org: w.Org.ID, Login: "night.river", Name: "Night", Roles: []string{policy.CaseWorker}, Password: servertest.Password})
	right := map[string]string{"login": "night.river", "password": servertest.Password}
	own := w.Anonymous()
	a := own.Call("POST", "/api/sign-in", right)
	if a.Status != http.StatusOK || own.Cookies["banyan_device"] == "" {
		t.Fatalf("%d, cookies %v", a.Status, own.Cookies)
	}
	for _, line := range a.Header.Values("Set-Cookie") {
		if strings.HasPrefix(line, "banyan_device=") && (!strings.Contains(line, "HttpOnly") || !strings.Contains(line, "SameSite=Strict")) {
			t.Error("scripts or other sites can use the device's cookie")
		}
	}
	own.Call("POST", "/api/sign-out", nil)
	for range 8 {
		w.Anonymous().Call("POST", "/api/sign-in", map[string]string{"login": "night.river", "password": "wrong"})
	}
	if a := w.Anonymous().Call("POST", "/api/sign-in", right); a.Status != http.StatusTooManyRequests {
		t.Errorf("an unknown device: %d", a.Status)
	}
	if a := own.Call("POST", "/api/sign-in", right); a.Status != http.StatusOK {
		t.Errorf("the own device: %d %s", a.Status, a.Body)
	}
	if a := w.Anonymous().Call("GET", "/api/me", nil); a.Status != http.StatusUnauthorized {
		t.Errorf("the cookie of a device opened something: %d", a.Status)
	}
}

func TestColleaguesAreOfTheOwnOrganisation(t *testing.T) {
	w := servertest.Start(t, servertest.Setup{})
	var people struct{ Items []struct{ ID, Name string } }
	w.As(policy.Lawyer).Call("GET", "/api/people", nil).Into(t, &people)
	if len(people.Items) != len(policy.AllRoles) {
		t.Errorf("%d colleagues", len(people.Items))
	}
	for _, p := range people.Items {
		if !strings.HasPrefix(p.Name, "River ") {
			t.Errorf("sees %s", p.Name)
		}
	}
	var orgs struct{ Items []struct{ Name string } }
	w.As(policy.Lawyer).Call("GET", "/api/organisations", nil).Into(t, &orgs)
	if len(orgs.Items) != 2 {
		t.Errorf("%d organisations", len(orgs.Items))
	}
}
