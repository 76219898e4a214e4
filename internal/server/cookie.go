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

	exchangeCookieName = "banyan_exchange"
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

// ExchangeCookie keeps a single sign-on in progress; it must come back with
// the issuer's redirect, so it is Lax, and it opens nothing by itself.
func (f *Frame) ExchangeCookie(id string) string {
	c := http.Cookie{Name: exchangeCookieName, Value: id, Path: "/api/sign-in/oidc", MaxAge: 300, Secure: f.config.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	return c.String()
}

// Exchange reads ExchangeCookie's value.
func Exchange(r *http.Request) string {
	c, err := r.Cookie(exchangeCookieName)
	if err != nil {
		return ""
	}
	return c.Value
}
