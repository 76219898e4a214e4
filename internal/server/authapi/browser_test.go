package authapi_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"banyan/internal/identity"
	"banyan/internal/server"
	"banyan/internal/server/servertest"
	"banyan/web/app"
	"banyan/web/app/apptest"
)

// appInABrowser starts a browser, and gives the built app and what stops the
// test at an error.
func appInABrowser(t *testing.T) (*apptest.Browser, http.Handler, func(error)) {
	t.Helper()
	if testing.Short() || !webapp.Built() {
		t.Skip("the staff app in a browser: not in short mode, and only when it is built (go run ./web/app/build)")
	}
	browser, err := apptest.Start(context.Background())
	if errors.Is(err, apptest.ErrNoBrowser) {
		t.Skip(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	t.Cleanup(browser.Close)
	assets, err := server.Assets(webapp.FS())
	must(err)
	return browser, assets, must
}

// TestACodeIsAskedInTheBrowserAfterSingleSignOn goes the whole way in a real
// browser: the button, the ministry, back, the code of the phone, the app.
func TestACodeIsAskedInTheBrowserAfterSingleSignOn(t *testing.T) {
	browser, assets, must := appInABrowser(t)
	m := newMinistry(t, servertest.NewClock().Now) // the world's clock stands at the same time
	sso := &identity.OIDCConfig{Name: "Ministry", Issuer: m.URL, ClientID: "banyan", ClientSecret: "s", TrustEmail: true}
	w := servertest.Start(t, servertest.Setup{Identity: identity.Config{OIDC: sso}, Server: func(c *server.Config) { c.App = assets }})
	sso.RedirectURL = w.URL + "/api/sign-in/oidc/callback"
	mina := withMina(w)
	phone := w.SignedIn(mina.ID)
	var e struct{ Secret string }
	phone.Call("POST", "/api/me/totp", map[string]string{}).Into(t, &e)
	code := func() string {
		t.Helper()
		out, err := totp.GenerateCode(e.Secret, w.Clock.Now())
		must(err)
		return out
	}
	if a := phone.Call("POST", "/api/me/totp", map[string]string{"code": code()}); a.Status != 200 {
		t.Fatalf("confirming gave %d %s", a.Status, a.Body)
	}
	w.Clock.Advance(time.Minute) // a code counts once

	page, err := browser.Open(w.URL, true)
	must(err)
	defer page.Close()
	must(page.Go("/"))
	must(page.Press("Sign in with Ministry"))
	must(page.Wait(`location.pathname === '/totp' && document.querySelector('input[name=code]')`))
	must(page.Type("input[name=code]", "000000"))
	must(page.Keys("\r"))
	must(page.Sees("This code is not right"))
	must(page.Fill("input[name=code]", code()))
	must(page.Press("Sign in"))
	must(page.Wait(`location.pathname === '/' && document.querySelector('nav.side-in')?.innerText.includes('Mina')`))
}

// TestWhySingleSignOnFailedIsSaidInTheApp: not in a page of code, and beside the
// other ways in.
func TestWhySingleSignOnFailedIsSaidInTheApp(t *testing.T) {
	browser, assets, must := appInABrowser(t)
	sso := &identity.OIDCConfig{Name: "Ministry", Issuer: "http://127.0.0.1:1", ClientID: "banyan", ClientSecret: "s"}
	w := servertest.Start(t, servertest.Setup{Identity: identity.Config{OIDC: sso}, Server: func(c *server.Config) { c.App = assets }})
	if a := w.Anonymous().Call("GET", "/api/sign-in/oidc", nil); a.Status != http.StatusServiceUnavailable {
		t.Errorf("an issuer that is down gives %d", a.Status)
	}
	page, err := browser.Open(w.URL, true)
	must(err)
	defer page.Close()
	must(page.Go("/"))
	must(page.Press("Sign in with Ministry"))
	must(page.Sees("Single sign-on does not answer at the moment"))
	must(page.Go("/api/sign-in/oidc/callback?state=nobodys&code=c"))
	must(page.Sees("Single sign-on did not succeed"))
}

// TestAPasskeyInTheBrowser: Chromium's own ceremony over the real door. Added on
// the account page, signing in, refused to a stranger's finger and to a copy,
// removed by its owner.
func TestAPasskeyInTheBrowser(t *testing.T) {
	browser, assets, must := appInABrowser(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	at := fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port) // a passkey is bound to a name
	w := servertest.Start(t, servertest.Setup{Listener: l, Identity: identity.Config{Origin: at}, Server: func(c *server.Config) { c.App = assets }})
	mina := withMina(w)

	page, err := browser.Open(at, true)
	must(err)
	defer page.Close()
	device, err := page.Authenticator()
	must(err)
	signedIn := `location.pathname === '/' && document.querySelector('nav.side-in')?.innerText.includes('Mina')`
	leave := func() {
		t.Helper()
		must(page.JS(`fetch('/api/sign-out', {method: 'POST'}).then(() => { window.left = true; })`))
		must(page.Wait(`window.left === true`)) // the title is the app's own
		must(page.Go("/"))
	}
	must(page.SignIn(mina.Login, servertest.Password))
	must(page.Wait(signedIn))
	must(page.Go("/account"))
	must(page.Press("Add a passkey"))
	must(page.Wait(`[...document.querySelectorAll('button')].some((b) => b.innerText === 'Remove it')`))

	leave()
	must(page.Press("Sign in with a passkey"))
	must(page.Wait(signedIn))
	leave()
	must(page.Verified(device, false))
	must(page.Press("Sign in with a passkey"))
	must(page.Wait(`document.querySelector('[role=alert], .error, .note')`))
	must(page.Verified(device, true))
	must(page.SetBack(device))
	must(page.Go("/"))
	must(page.Press("Sign in with a passkey"))
	must(page.Wait(`document.querySelector('[role=alert], .error, .note')`))
	if status, err := apptest.Read[int](page, `fetch('/api/me').then((a) => a.status)`); err != nil || status != 401 {
		t.Errorf("a copy, and a finger that was not recognised, are signed in: %d, %v", status, err)
	}

	must(page.SignIn(mina.Login, servertest.Password))
	must(page.Wait(signedIn))
	must(page.Go("/account"))
	must(page.Press("Remove it"))
	must(page.Wait(`![...document.querySelectorAll('button')].some((b) => b.innerText === 'Remove it')`))
	leave()
	must(page.Press("Sign in with a passkey"))
	must(page.Wait(`document.querySelector('[role=alert], .error, .note')`))
}
