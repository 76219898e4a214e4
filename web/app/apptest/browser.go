// Package apptest drives the staff app in a real browser: a small handle on one
// page, with waiting instead of sleeping, for the app's own tests and for the
// screenshots of the manual.
package apptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Patience is how long a condition may take before the wait gives up: long,
// because a full machine is slow, and a wait ends as soon as it is true.
const Patience = time.Minute

// ErrNoBrowser says that no Chromium was found.
var ErrNoBrowser = errors.New("no chromium: install it from Debian, or name it in BANYAN_CHROMIUM")

// Browser is one running Chromium with a profile of its own.
type Browser struct {
	ctx  context.Context
	stop func()
}

// Start runs a headless Chromium; Close ends it and removes its profile.
func Start(parent context.Context) (*Browser, error) {
	path := os.Getenv("BANYAN_CHROMIUM")
	if path == "" {
		path = "/usr/bin/chromium"
	}
	if _, err := os.Stat(path); err != nil {
		return nil, ErrNoBrowser
	}
	dir, err := os.MkdirTemp("", "banyan-browser-")
	if err != nil {
		return nil, fmt.Errorf("make a browser profile: %w", err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	alloc, stopAlloc := chromedp.NewExecAllocator(parent, opts...)
	ctx, stopCtx := chromedp.NewContext(alloc)
	b := &Browser{ctx: ctx, stop: func() { stopCtx(); stopAlloc(); os.RemoveAll(dir) }}
	if err := chromedp.Do(ctx); err != nil {
		b.stop()
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	return b, nil
}

// Close ends the browser.
func (b *Browser) Close() { b.stop() }

// Page is one tab on one site.
type Page struct {
	ctx   context.Context
	close func()
	base  string
}

// Open gives a new tab; apart from all others when fresh (own cookies and stores).
func (b *Browser) Open(base string, fresh bool) (*Page, error) {
	var opts []chromedp.ContextOption
	if fresh {
		opts = append(opts, chromedp.WithNewBrowserContext())
	}
	ctx, cancel := chromedp.NewContext(b.ctx, opts...)
	p := &Page{ctx: ctx, close: cancel, base: base}
	// The tab lives as long as the context of its first action: no deadline here.
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("open a tab: %w", err)
	}
	if err := p.Size(1280, 900); err != nil {
		cancel()
		return nil, err
	}
	return p, nil
}

// Close closes the tab.
func (p *Page) Close() { p.close() }

// Size sets the window in CSS pixels.
func (p *Page) Size(width, height int64) error {
	return p.doing("resize", chromedp.EmulateViewport(width, height))
}

// Dark asks for the dark or the light look.
func (p *Page) Dark(on bool) error {
	look := "light"
	if on {
		look = "dark"
	}
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look}},
	})
	return err
}

// Offline takes the network away from the page, or gives it back.
func (p *Page) Offline(on bool) error {
	if _, err := chromedp.Call(p.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: on, DownloadThroughput: -1, UploadThroughput: -1}},
	}); err != nil {
		return fmt.Errorf("set the network: %w", err)
	}
	if _, err := chromedp.Call(p.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: on, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
		return fmt.Errorf("say that the network changed: %w", err)
	}
	return nil
}

// Authenticator gives the tab a device that keeps passkeys and verifies its
// user with a finger, and gives its id.
func (p *Page) Authenticator() (webauthn.AuthenticatorID, error) {
	if _, err := chromedp.Call(p.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		return "", fmt.Errorf("let the tab have authenticators: %w", err)
	}
	added, err := chromedp.Call(p.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		return "", fmt.Errorf("add an authenticator: %w", err)
	}
	return added.AuthenticatorID, nil
}

// addCredential is webauthn.AddCredential without the fields that Debian's
// Chromium does not know and refuses.
var addCredential = cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}

// SetBack makes the authenticator's passkeys count their uses from the
// beginning again, as a copy taken earlier would.
func (p *Page) SetBack(id webauthn.AuthenticatorID) error {
	kept, err := chromedp.Call(p.ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: id})
	if err != nil {
		return fmt.Errorf("read the authenticator: %w", err)
	}
	for _, c := range kept.Credentials {
		if _, err := chromedp.Call(p.ctx, webauthn.RemoveCredential, webauthn.RemoveCredentialParams{AuthenticatorID: id, CredentialID: c.CredentialID}); err != nil {
			return fmt.Errorf("take a passkey out: %w", err)
		}
		copied := map[string]any{"credentialId": c.CredentialID, "isResidentCredential": true, "rpId": c.RpID, "privateKey": c.PrivateKey, "userHandle": c.UserHandle, "signCount": 0}
		if _, err := chromedp.Call(p.ctx, addCredential, map[string]any{"authenticatorId": id, "credential": copied}); err != nil {
			return fmt.Errorf("put a passkey back: %w", err)
		}
	}
	return nil
}

// Verified says whether the authenticator recognises its user from now on.
func (p *Page) Verified(id webauthn.AuthenticatorID, yes bool) error {
	if _, err := chromedp.Call(p.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: yes}); err != nil {
		return fmt.Errorf("set whether the user is recognised: %w", err)
	}
	return nil
}

// Go opens an address of the site as a fresh load.
func (p *Page) Go(path string) error { return p.doing("open "+path, chromedp.Navigate(p.base+path)) }

// Walk goes to an address inside the app, as a link would.
func (p *Page) Walk(path string) error {
	return p.JS(`(() => { const a = document.createElement('a'); a.href = ` + strconv.Quote(path) + `; document.body.append(a); a.click(); a.remove(); })()`)
}

// JS runs a statement.
func (p *Page) JS(code string) error {
	_, err := Read[any](p, `(() => { `+code+`; return null; })()`)
	return err
}

// Read evaluates an expression; promises are awaited.
func Read[T any](p *Page, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Wait waits until the expression is true, asking after every frame.
func (p *Page) Wait(condition string) error {
	ok, err := Read[bool](p, `new Promise((done) => { const end = performance.now() + `+strconv.FormatInt(Patience.Milliseconds()-3000, 10)+`; const look = () => { let yes = false; try { yes = !!(`+condition+`); } catch {} if (yes) done(true); else if (performance.now() > end) done(false); else setTimeout(look, 20); }; look(); })`)
	if err != nil && strings.Contains(err.Error(), "navigated") {
		return p.Wait(condition) // the page went while we looked: look at the next one
	}
	if err != nil {
		return fmt.Errorf("wait for %s: %w", condition, err)
	}
	if !ok {
		text, _ := Read[string](p, `document.body.innerText.slice(0, 1500)`)
		return fmt.Errorf("never came: %s; the page says:\n%s", condition, text)
	}
	return nil
}

// Sees waits until the page shows a text.
func (p *Page) Sees(text string) error {
	return p.Wait(`document.body.innerText.includes(` + quote(text) + `)`)
}

// Press clicks the first visible button or link with this text.
func (p *Page) Press(text string) error {
	find := `[...document.querySelectorAll('dialog[open] button, dialog[open] a')].concat([...document.querySelectorAll('button, a, summary')]).find((e) => e.innerText.trim() === ` + quote(text) + ` && e.offsetParent !== null && !e.disabled)`
	if err := p.Wait(find); err != nil {
		return err
	}
	return p.JS(find + `.click()`)
}

// Type puts the focus on the element and types with real key events.
func (p *Page) Type(selector, text string) error {
	if err := p.Wait(`document.querySelector(` + quote(selector) + `)`); err != nil {
		return err
	}
	if err := p.JS(`const e = document.querySelector(` + quote(selector) + `); e.scrollIntoView({block: 'center'}); e.focus()`); err != nil {
		return err
	}
	return p.Keys(text)
}

// Fill sets the value of an input that keys cannot fill reliably (dates, selects).
func (p *Page) Fill(selector, value string) error {
	if err := p.Wait(`document.querySelector(` + quote(selector) + `)`); err != nil {
		return err
	}
	return p.JS(`const e = document.querySelector(` + quote(selector) + `);
		const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), 'value').set; set.call(e, ` + quote(value) + `);
		e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true}))`)
}

// Keys sends key events to whatever has the focus.
func (p *Page) Keys(keys string) error { return p.doing("type", chromedp.KeyEvent(keys)) }

// Shot takes a picture of the whole page, or of the window only.
func (p *Page) Shot(file string, whole bool) error {
	take := chromedp.CaptureScreenshot()
	if whole {
		take = chromedp.FullScreenshot(100)
	}
	// Fonts first, then two frames, so that nothing is half drawn.
	if _, err := Read[bool](p, `document.fonts.ready.then(() => new Promise((d) => requestAnimationFrame(() => requestAnimationFrame(() => d(true)))))`); err != nil {
		return err
	}
	png, err := chromedp.Run(p.ctx, take)
	if err != nil {
		return fmt.Errorf("take a picture: %w", err)
	}
	return os.WriteFile(file, png, 0o644)
}

// PDF prints the page as its print style has it.
func (p *Page) PDF(file string) error {
	res, err := chromedp.Call(p.ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return os.WriteFile(file, res.Data, 0o644)
}

// SignIn signs in by the form.
func (p *Page) SignIn(login, password string) error {
	if err := p.Go("/"); err != nil {
		return err
	}
	if err := p.Type(`input[name=login]`, login); err != nil {
		return err
	}
	if err := p.Type(`input[name=password]`, password); err != nil {
		return err
	}
	if err := p.Keys("\r"); err != nil {
		return err
	}
	return p.Wait(`document.querySelector('nav.side-in')`)
}

func (p *Page) doing(what string, a ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	if err := chromedp.Do(ctx, a...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func quote(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}
