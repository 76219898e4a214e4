package server

// The session cookie: readable by no script, sent to no other site. Where the
// browser speaks TLS it carries the __Host- name, which pins it to this host
// and to TLS; plain loopback (the demo) cannot and uses a plain name.

import (
	"net/http"
	"time"
)

const (
	secureCookie = "__Host-banyan"
	plainCookie  = "banyan"

	deviceCookie = "banyan_device" // who has signed in on this device; see Marks

	exchangeCookie = "banyan_exchange" // read by the routes through their own tag
)

func (f *Frame) cookieName() string {
	if f.config.Secure {
		return secureCookie
	}
	return plainCookie
}

func (f *Frame) cookieOf(r *http.Request) string {
	c, err := r.Cookie(f.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// SessionCookie is the Set-Cookie line that keeps a session until ends.
func (f *Frame) SessionCookie(token string, ends time.Time) string {
	age := int(ends.Sub(f.config.Clock()).Seconds())
	c := http.Cookie{Name: f.cookieName(), Value: token, Path: "/", MaxAge: max(age, 1), Secure: f.config.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	return c.String()
}

// EndCookie is the Set-Cookie line that takes the session's cookie away.
func (f *Frame) EndCookie() string {
	c := http.Cookie{Name: f.cookieName(), Path: "/", MaxAge: -1, Secure: f.config.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	return c.String()
}

// ExchangeCookie keeps a passkey or single sign-on exchange in progress. It
// must come back with the issuer's redirect, so it is Lax; it opens nothing by
// itself and is good once.
func (f *Frame) ExchangeCookie(id string) string { return f.exchange(id, 300) }

// EndExchangeCookie takes it away.
func (f *Frame) EndExchangeCookie() string { return f.exchange("", -1) }

func (f *Frame) exchange(id string, age int) string {
	c := http.Cookie{Name: exchangeCookie, Value: id, Path: "/api", MaxAge: age, Secure: f.config.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	return c.String()
}

// DeviceCookie keeps a device's marks (identity.MarkDevice). It opens nothing.
func (f *Frame) DeviceCookie(marks string) string {
	const year = 365 * 24 * 60 * 60
	c := http.Cookie{Name: deviceCookie, Value: marks, Path: "/api", MaxAge: year, Secure: f.config.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	return c.String()
}

// Now is the frame's clock.
func (f *Frame) Now() time.Time { return f.config.Clock() }
