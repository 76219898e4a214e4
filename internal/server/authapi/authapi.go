// Package authapi is the routes by which people sign in and look after their
// own account: /api/sign-in, /api/step-up, /api/invitations/accept, /api/me,
// and the lists of colleagues and organisations that every user sees.
//
// Exchanges in two steps (passkeys, single sign-on) keep their id in a
// short-lived cookie that no script reads, so that the browser's own JSON is
// all that travels in bodies.
package authapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/fault"
	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server"
)

// Config is what the routes need beyond the frame.
type Config struct {
	Identity *identity.Service
	Policy   *policy.Table
	Demo     bool // everybody in it is invented, and the app says so
	// Counts gives how many things wait for a user today and in the inbox; nil:
	// none. It shows numbers only.
	Counts func(context.Context, identity.Principal) (today, inbox int, err error)
}

type api struct {
	Config
	frame *server.Frame
}

// Routes registers all of them.
func Routes(f *server.Frame, c Config) {
	a := &api{c, f}
	a.signIn()
	a.me()
	a.colleagues()
}

// Me is who is signed in, and what a menu needs.
type Me struct {
	User    MeUser    `json:"user"`
	Org     Named     `json:"org"`
	Team    string    `json:"team,omitempty" doc:"Name of the own team"`
	TeamID  string    `json:"team_id,omitempty"`
	May     []string  `json:"may" doc:"Actions that some rule of the policy could allow"`
	Counts  Counts    `json:"counts"`
	Demo    bool      `json:"demo"`
	Session MeSession `json:"session"`
	Now     time.Time `json:"now" doc:"The server's clock"`
}

// MeUser is the user's own part.
type MeUser struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Login string   `json:"login"`
	Roles []string `json:"roles"`
	Lang  string   `json:"lang"`
}

// Named is an id with its name.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Counts are numbers for the menu.
type Counts struct {
	Today int `json:"today"`
	Inbox int `json:"inbox"`
}

// MeSession says when the session ends.
type MeSession struct {
	IdleEnds       time.Time  `json:"idle_ends"`
	Ends           time.Time  `json:"ends"`
	SteppedUpUntil *time.Time `json:"stepped_up_until,omitempty"`
}

// meOf draws Me.
func (a *api) meOf(ctx context.Context, p identity.Principal) (*Me, error) {
	m := &Me{
		User: MeUser{p.User, p.Name, p.Login, p.Roles, p.Lang}, Org: Named{p.Org, p.OrgName}, Team: p.TeamName, TeamID: p.Team,
		May: a.Policy.May(server.Subject(p)), Demo: a.Demo, Session: MeSession{IdleEnds: p.IdleEnds, Ends: p.Ends}, Now: a.frame.Now(),
	}
	if a.Identity.SteppedUp(p) {
		m.Session.SteppedUpUntil = &p.SteppedUpUntil
	}
	if a.Counts == nil {
		return m, nil
	}
	var err error
	m.Counts.Today, m.Counts.Inbox, err = a.Counts(ctx, p)
	return m, err
}

// who gives the caller; the guard has let nobody else through.
func who(ctx context.Context) (identity.Principal, error) {
	p, ok := identity.From(ctx)
	if !ok {
		return p, errors.New("a guarded route was reached without a user")
	}
	return p, nil
}

// SignedIn is the answer to a proof: who it is now, or what is still asked.
type SignedIn struct {
	Me   *Me    `json:"me,omitempty"`
	Next string `json:"next,omitempty" enum:"totp" doc:"A code is still asked, at /api/sign-in/totp"`
}

type signedIn struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      SignedIn
}

// answer sets the session's cookie and says who it is. A session that the
// browser held before ends.
func (a *api) answer(ctx context.Context, s identity.Started) (*signedIn, error) {
	if old := server.Token(ctx); old != "" {
		if err := a.Identity.SignOut(ctx, old); err != nil {
			return nil, err
		}
	}
	out := &signedIn{SetCookie: []string{a.frame.SessionCookie(s.Token, s.Ends)}, Body: SignedIn{Next: s.Next}}
	if s.Next != "" {
		return out, nil
	}
	p, err := a.Identity.Authenticate(ctx, s.Token)
	if err != nil {
		return nil, err
	}
	marks, err := a.Identity.MarkDevice(server.Marks(ctx), p.Login)
	if err != nil {
		return nil, err
	}
	out.SetCookie = append(out.SetCookie, a.frame.DeviceCookie(marks))
	out.Body.Me, err = a.meOf(ctx, p)
	return out, err
}

type empty struct{}

type onlyCookie struct {
	SetCookie []string `header:"Set-Cookie"`
}

func (a *api) signIn() {
	f, api := a.frame, a.frame.API
	public, self := server.Guard{Action: server.Public}, server.Guard{Action: server.Self}
	op := server.Operation

	huma.Register(api, op("GET", "/api/sign-in", "sign-in-ways", "Which ways to sign in there are", public), a.ways)
	huma.Register(api, op("POST", "/api/sign-in", "sign-in", "Sign in with a password", public),
		func(ctx context.Context, in *struct {
			Body struct {
				Login    string `json:"login" maxLength:"200"`
				Password string `json:"password" maxLength:"1024"`
			}
		}) (*signedIn, error) {
			s, err := a.Identity.SignIn(ctx, identity.Proof{Login: in.Body.Login, Password: in.Body.Password, Address: server.Address(ctx), Device: server.Device(ctx), Marks: server.Marks(ctx)})
			if err != nil {
				return nil, err
			}
			return a.answer(ctx, s)
		})
	huma.Register(api, op("POST", "/api/sign-in/totp", "sign-in-code", "Give the code that a right password waits for", public),
		func(ctx context.Context, in *struct {
			Body struct {
				Code string `json:"code" maxLength:"12"`
			}
		}) (*signedIn, error) {
			s, err := a.Identity.SignInWithCode(ctx, server.Token(ctx), in.Body.Code, server.Address(ctx), server.Marks(ctx))
			if err != nil {
				return nil, err
			}
			return a.answer(ctx, s)
		})
	huma.Register(api, op("POST", "/api/sign-in/passkey/begin", "sign-in-passkey-begin", "Begin to sign in with a passkey", public),
		func(ctx context.Context, _ *struct{ Body *empty }) (*exchangeBegun, error) {
			c, err := a.Identity.BeginPasskeySignIn(ctx)
			return a.begun(c, err)
		})
	huma.Register(api, op("POST", "/api/sign-in/passkey/finish", "sign-in-passkey-finish", "Sign in with the passkey's answer", public),
		func(ctx context.Context, in *exchangeAnswer) (*signedIn, error) {
			s, err := a.Identity.FinishPasskeySignIn(ctx, in.Exchange, in.Body, server.Address(ctx), server.Device(ctx))
			if err != nil {
				return nil, err
			}
			out, err := a.answer(ctx, s)
			if err != nil {
				return nil, err
			}
			out.SetCookie = append(out.SetCookie, f.EndExchangeCookie())
			return out, nil
		})
	a.singleSignOn()
	huma.Register(api, op("POST", "/api/sign-out", "sign-out", "End this session", public),
		func(ctx context.Context, _ *struct{ Body *empty }) (*onlyCookie, error) {
			if err := a.Identity.SignOut(ctx, server.Token(ctx)); err != nil {
				return nil, err
			}
			return &onlyCookie{[]string{f.EndCookie()}}, nil
		})
	huma.Register(api, op("POST", "/api/step-up", "step-up", "Prove once more who you are, for five minutes", self),
		func(ctx context.Context, in *struct {
			Body struct {
				Password string `json:"password,omitempty" maxLength:"1024"`
				Code     string `json:"code,omitempty" maxLength:"12"`
			}
		}) (*stepped, error) {
			p, err := who(ctx)
			if err != nil {
				return nil, err
			}
			p, err = a.Identity.StepUpWith(ctx, p, in.Body.Password, in.Body.Code)
			return steppedOf(p, err)
		})
	huma.Register(api, op("POST", "/api/step-up/passkey", "step-up-passkey", "Prove once more with a passkey (begun at /api/sign-in/passkey/begin)", self),
		func(ctx context.Context, in *exchangeAnswer) (*stepped, error) {
			p, err := who(ctx)
			if err != nil {
				return nil, err
			}
			p, err = a.Identity.StepUpWithPasskey(ctx, p, in.Exchange, in.Body, server.Address(ctx))
			return steppedOf(p, err)
		})
	huma.Register(api, op("POST", "/api/invitations/accept", "invitation-accept", "Use an invitation: choose name and password", public),
		func(ctx context.Context, in *struct {
			Body struct {
				Token    string `json:"token" maxLength:"100"`
				Name     string `json:"name,omitempty" maxLength:"200" doc:"Not needed to reset a password"`
				Password string `json:"password" maxLength:"1024"`
				Lang     string `json:"lang,omitempty" maxLength:"12"`
			}
		}) (*signedIn, error) {
			b := in.Body
			s, err := a.Identity.Accept(ctx, identity.Acceptance{Token: b.Token, Name: b.Name, Password: b.Password, Lang: b.Lang, Address: server.Address(ctx), Device: server.Device(ctx)})
			if err != nil {
				return nil, err
			}
			return a.answer(ctx, s)
		})
}

// Ways says how one can sign in here.
type Ways struct {
	Password     bool   `json:"password"`
	Passkeys     bool   `json:"passkeys"`
	SingleSignOn string `json:"single_sign_on" doc:"Name for the button; empty: there is none"`
	Demo         bool   `json:"demo"`
}

func (a *api) ways(context.Context, *struct{}) (*struct{ Body Ways }, error) {
	return &struct{ Body Ways }{Ways{true, a.Identity.HasPasskeys(), a.Identity.OIDCName(), a.Demo}}, nil
}

type stepped struct {
	Body struct {
		SteppedUpUntil time.Time `json:"stepped_up_until"`
	}
}

func steppedOf(p identity.Principal, err error) (*stepped, error) {
	if err != nil {
		return nil, asWrong(err)
	}
	out := &stepped{}
	out.Body.SteppedUpUntil = p.SteppedUpUntil
	return out, nil
}

// asWrong keeps a wrong proof from looking like an ended session.
func asWrong(err error) error {
	if fault.CodeOf(err) == fault.Unauthenticated {
		return fault.Field("", "wrong", "that was not accepted")
	}
	return err
}

// exchangeBegun answers with the browser's own options.
type exchangeBegun struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      any
}

func (a *api) begun(c identity.Ceremony, err error) (*exchangeBegun, error) {
	if err != nil {
		return nil, err
	}
	return &exchangeBegun{[]string{a.frame.ExchangeCookie(c.ID)}, c.Options}, nil
}

// exchangeAnswer is the browser's PublicKeyCredential as JSON, kept raw: the
// passkey library reads it.
type exchangeAnswer struct {
	Exchange string `cookie:"banyan_exchange"`
	Body     json.RawMessage
}

// singleSignOn's callback is a page, not JSON: the browser comes there by
// itself. It arrives from another site, so the strict session cookie would not
// travel with a redirect; the page leads on by itself instead.
func (a *api) singleSignOn() {
	public := server.Guard{Action: server.Public}
	type redirect struct {
		Status      int
		Location    string   `header:"Location"`
		ContentType string   `header:"Content-Type"`
		SetCookie   []string `header:"Set-Cookie"`
		Body        []byte
	}
	begin := server.Operation("GET", "/api/sign-in/oidc", "sign-in-oidc", "Begin single sign-on", public)
	begin.DefaultStatus = http.StatusSeeOther
	huma.Register(a.frame.API, begin, func(ctx context.Context, _ *struct{}) (*redirect, error) {
		address, exchange, err := a.Identity.BeginOIDC(ctx)
		if fault.CodeOf(err) == fault.Unavailable {
			server.Remark(ctx, "single sign-on: the issuer does not answer")
			return &redirect{Status: http.StatusServiceUnavailable, ContentType: "text/html; charset=utf-8", Body: []byte(leadOn("/#sign-on=down"))}, nil
		}
		if err != nil {
			return nil, err
		}
		return &redirect{Status: http.StatusSeeOther, Location: address, SetCookie: []string{a.frame.ExchangeCookie(exchange)}}, nil
	})
	type page struct {
		Status      int
		ContentType string   `header:"Content-Type"`
		SetCookie   []string `header:"Set-Cookie"`
		Body        []byte
	}
	back := server.Operation("GET", "/api/sign-in/oidc/callback", "sign-in-oidc-callback", "Where the issuer sends the browser back to", public)
	back.SkipValidateParams = true // issuers add parameters of their own
	huma.Register(a.frame.API, back, func(ctx context.Context, in *struct {
		State    string `query:"state"`
		Code     string `query:"code"`
		Exchange string `cookie:"banyan_exchange"`
	}) (*page, error) {
		s, err := a.Identity.FinishOIDC(ctx, in.Exchange, in.State, in.Code, server.Device(ctx))
		out := &page{Status: http.StatusOK, ContentType: "text/html; charset=utf-8", SetCookie: []string{a.frame.EndExchangeCookie()}}
		switch code := fault.CodeOf(err); {
		case err == nil:
			out.SetCookie = append(out.SetCookie, a.frame.SessionCookie(s.Token, s.Ends))
			out.Body = []byte(leadOn("/" + s.Next))
		case code == fault.Internal:
			return nil, err
		default:
			var why identity.SignOnFailure
			if errors.As(err, &why) {
				server.Remark(ctx, "single sign-on failed: "+why.Error())
			}
			out.Status = http.StatusUnauthorized
			out.Body = []byte(leadOn("/#sign-on=refused"))
		}
		return out, nil
	})
}

// leadOn takes "/", "/totp", where the app asks for the code, or
// "/#sign-on=refused" and "/#sign-on=down", where it says why in the reader's language.
func leadOn(to string) string {
	return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Banyan</title><meta http-equiv="refresh" content="0; url=` + to + `">
<p><a href="` + to + `">Go on</a></p>
`
}
