package authapi

// The own account: who I am, language, password, second factor, passkeys and
// the places where I am signed in.

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/identity"
	"banyan/internal/server"
)

// Page is one page of a list; Next leads to the following one.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

type body[T any] struct{ Body T }

// self wraps a handler that needs nothing but the caller.
func self[I, O any](work func(context.Context, identity.Principal, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		p, err := who(ctx)
		if err != nil {
			return nil, err
		}
		return work(ctx, p, in)
	}
}

func (a *api) me() {
	api, op := a.frame.API, server.Operation
	mine, fresh := server.Guard{Action: server.Self}, server.Guard{Action: server.Self, StepUp: true}

	huma.Register(api, op("GET", "/api/me", "me", "Who I am and what I might do", mine),
		self(func(ctx context.Context, p identity.Principal, _ *struct{}) (*body[*Me], error) {
			m, err := a.meOf(ctx, p)
			return &body[*Me]{m}, err
		}))
	huma.Register(api, op("PATCH", "/api/me", "me-change", "Choose the language", mine),
		self(func(ctx context.Context, p identity.Principal, in *body[struct {
			Lang string `json:"lang" maxLength:"12"`
		}]) (*body[*Me], error) {
			if err := a.Identity.SetLang(ctx, p, in.Body.Lang); err != nil {
				return nil, err
			}
			p.Lang = in.Body.Lang
			m, err := a.meOf(ctx, p)
			return &body[*Me]{m}, err
		}))
	huma.Register(api, op("POST", "/api/me/password", "me-password", "Choose a new password; other sessions end", fresh),
		self(func(ctx context.Context, p identity.Principal, in *body[struct {
			Password string `json:"password" maxLength:"1024"`
		}]) (*empty, error) {
			return nil, a.Identity.ChangePassword(ctx, p, in.Body.Password)
		}))
	a.sessions(mine)
	a.code(fresh)
	a.passkeys(mine, fresh)
}

func (a *api) sessions(mine server.Guard) {
	api, op := a.frame.API, server.Operation
	huma.Register(api, op("GET", "/api/me/sessions", "me-sessions", "Where I am signed in", mine),
		self(func(ctx context.Context, p identity.Principal, _ *struct{}) (*body[Page[identity.Session]], error) {
			list, err := a.Identity.Sessions(ctx, p)
			return &body[Page[identity.Session]]{Page[identity.Session]{Items: list}}, err
		}))
	huma.Register(api, op("DELETE", "/api/me/sessions", "me-sessions-end", "End all my other sessions", mine),
		self(func(ctx context.Context, p identity.Principal, _ *struct{}) (*empty, error) {
			return nil, a.Identity.RevokeOthers(ctx, p)
		}))
	huma.Register(api, op("DELETE", "/api/me/sessions/{id}", "me-session-end", "End one of my sessions", mine),
		self(func(ctx context.Context, p identity.Principal, in *struct {
			ID string `path:"id" maxLength:"64"`
		}) (*empty, error) {
			return nil, a.Identity.Revoke(ctx, p, in.ID)
		}))
}

// CodeEnrolment is what an authenticator app needs; empty once confirmed.
type CodeEnrolment struct {
	*identity.Enrolment
	Enrolled bool `json:"enrolled"`
}

func (a *api) code(fresh server.Guard) {
	api, op := a.frame.API, server.Operation
	huma.Register(api, op("POST", "/api/me/totp", "me-code", "Begin with an authenticator app, or, with its first code, finish", fresh),
		self(func(ctx context.Context, p identity.Principal, in *body[struct {
			Code string `json:"code,omitempty" maxLength:"12"`
		}]) (*body[CodeEnrolment], error) {
			if in.Body.Code != "" {
				return &body[CodeEnrolment]{CodeEnrolment{Enrolled: true}}, a.Identity.ConfirmCode(ctx, p, in.Body.Code)
			}
			e, err := a.Identity.BeginCode(ctx, p)
			return &body[CodeEnrolment]{CodeEnrolment{Enrolment: &e}}, err
		}))
	huma.Register(api, op("DELETE", "/api/me/totp", "me-code-remove", "Stop asking me for codes", fresh),
		self(func(ctx context.Context, p identity.Principal, _ *struct{}) (*empty, error) {
			return nil, a.Identity.RemoveCode(ctx, p)
		}))
}

func (a *api) passkeys(mine, fresh server.Guard) {
	api, op := a.frame.API, server.Operation
	huma.Register(api, op("GET", "/api/me/passkeys", "me-passkeys", "My passkeys", mine),
		self(func(ctx context.Context, p identity.Principal, _ *struct{}) (*body[Page[identity.Passkey]], error) {
			list, err := a.Identity.Passkeys(ctx, p)
			return &body[Page[identity.Passkey]]{Page[identity.Passkey]{Items: list}}, err
		}))
	huma.Register(api, op("POST", "/api/me/passkeys/begin", "me-passkey-begin", "Begin to add a passkey", fresh),
		self(func(ctx context.Context, p identity.Principal, in *body[struct {
			Name string `json:"name" maxLength:"60" doc:"What the user calls the device"`
		}]) (*exchangeBegun, error) {
			c, err := a.Identity.BeginPasskey(ctx, p, in.Body.Name)
			return a.begun(c, err)
		}))
	huma.Register(api, op("POST", "/api/me/passkeys/finish", "me-passkey-finish", "Add the passkey that the browser made", fresh),
		self(func(ctx context.Context, p identity.Principal, in *exchangeAnswer) (*body[identity.Passkey], error) {
			k, err := a.Identity.FinishPasskey(ctx, p, in.Exchange, in.Body)
			return &body[identity.Passkey]{k}, err
		}))
	huma.Register(api, op("DELETE", "/api/me/passkeys/{id}", "me-passkey-remove", "Remove one of my passkeys", fresh),
		self(func(ctx context.Context, p identity.Principal, in *struct {
			ID string `path:"id" maxLength:"1500"`
		}) (*empty, error) {
			return nil, a.Identity.RemovePasskey(ctx, p, in.ID)
		}))
}

// Colleague is a user as colleagues see one.
type Colleague struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
	Team  string   `json:"team,omitempty"`
}

// pageSize is how many rows a list gives at once.
const pageSize = 500

type cursor struct {
	Cursor string `query:"cursor" maxLength:"64"`
}

func (a *api) colleagues() {
	api, op := a.frame.API, server.Operation
	staff := server.Guard{Action: "staff.read"}
	huma.Register(api, op("GET", "/api/people", "people", "Colleagues of the own organisation", staff),
		self(func(ctx context.Context, p identity.Principal, in *cursor) (*body[Page[Colleague]], error) {
			users, err := a.Identity.Users(ctx, p.Org, in.Cursor, pageSize)
			if err != nil {
				return nil, err
			}
			out := Page[Colleague]{Items: []Colleague{}}
			for _, u := range users {
				if !u.Suspended {
					out.Items = append(out.Items, Colleague{u.ID, u.Name, u.Roles, u.Team})
				}
			}
			if len(users) == pageSize {
				out.Next = users[pageSize-1].ID
			}
			return &body[Page[Colleague]]{out}, nil
		}))
	huma.Register(api, op("GET", "/api/organisations", "organisations", "Organisations that work with this installation", staff),
		func(ctx context.Context, in *cursor) (*body[Page[identity.Organisation]], error) {
			orgs, err := a.Identity.Organisations(ctx, in.Cursor, pageSize)
			out := Page[identity.Organisation]{Items: orgs}
			if len(orgs) == pageSize {
				out.Next = orgs[pageSize-1].ID
			}
			return &body[Page[identity.Organisation]]{out}, err
		})
}
