// Package adminapi is the administrator's routes: users, invitations,
// organisations and teams, the policy in words, why somebody can see
// something, administrative acts, the state of the content. None of them opens
// a case.
package adminapi

import (
	"context"
	"errors"
	"strconv"
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
	// Relations finds how a user stands to the record with that id or code,
	// without opening it; a record of another organisation than org is absent.
	// nil: the question cannot be asked yet.
	Relations func(ctx context.Context, org, user, record string) (Standing, error)
	// Content gives the state of forms and code lists; nil: not asked.
	Content func(context.Context) (Content, error)
}

// Standing is how a user stands to a record.
type Standing struct {
	Kind      string
	Relations []policy.Relation
	Excluded  bool
}

// Content is the state of forms, code lists and translations.
type Content struct {
	Forms     []ContentForm  `json:"forms"`
	Lists     int            `json:"lists"`
	Helpers   int            `json:"helpers" doc:"Lists that only serve other lists"`
	Faults    []ContentFault `json:"faults"`
	Languages []ContentLang  `json:"languages"`
}

// ContentForm is one form.
type ContentForm struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Version int    `json:"version"`
	Status  string `json:"status,omitempty"`
	Fields  int    `json:"fields"`
}

// ContentFault is one mistake in the content.
type ContentFault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// ContentLang is how far a language's catalogue goes.
type ContentLang struct {
	Language string `json:"language"`
	Status   string `json:"status" doc:"drafted, or reviewed by a native speaker"`
	Covered  int    `json:"covered"`
	Total    int    `json:"total"`
}

type api struct {
	Config
	frame *server.Frame
}

// Routes registers all of them.
func Routes(f *server.Frame, c Config) {
	a := &api{c, f}
	a.users()
	a.invitations()
	a.organisations()
	a.teams()
	a.explain()
	a.audit()
}

// Page is one page of a list; Next leads to the following one.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

const pageSize = 50

func pageOf[T any](items []T, cursor func(T) string) *body[Page[T]] {
	p := Page[T]{Items: items}
	if len(items) == pageSize {
		p.Next = cursor(items[pageSize-1])
	}
	return &body[Page[T]]{p}
}

type body[T any] struct{ Body T }

type empty struct{}

// by wraps a handler with the caller.
func by[I, O any](work func(context.Context, identity.Principal, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		p, ok := identity.From(ctx)
		if !ok {
			return nil, errors.New("a guarded route was reached without a user")
		}
		return work(ctx, p, in)
	}
}

// org gives the organisation meant: the own one unless an operator names
// another.
func org(p identity.Principal, asked string) (string, error) {
	if asked == "" || asked == p.Org {
		return p.Org, nil
	}
	if !p.Operator {
		return "", fault.Absent()
	}
	return asked, nil
}

// User is a user as an administrator sees one.
type User struct {
	ID       string     `json:"id"`
	Org      string     `json:"org"`
	Name     string     `json:"name"`
	Login    string     `json:"login"`
	Lang     string     `json:"lang"`
	Roles    []string   `json:"roles"`
	Team     string     `json:"team,omitempty"`
	State    string     `json:"state" enum:"active,disabled"`
	HasCode  bool       `json:"has_code"`
	LastSeen *time.Time `json:"last_seen,omitempty"`
}

const (
	stateActive   = "active"
	stateDisabled = "disabled"
)

func userOf(u identity.User) User {
	out := User{ID: u.ID, Org: u.Org, Name: u.Name, Login: u.Login, Lang: u.Lang, Roles: u.Roles, Team: u.Team, State: stateActive, HasCode: u.HasCode}
	if u.Suspended {
		out.State = stateDisabled
	}
	if !u.SignedInAt.IsZero() {
		out.LastSeen = &u.SignedInAt
	}
	return out
}

type listing struct {
	Org    string `query:"org" maxLength:"64" doc:"Another organisation, for the operator's administrators"`
	Cursor string `query:"cursor" maxLength:"64"`
}

func (a *api) users() {
	api, op := a.frame.API, server.Operation
	users, fresh := server.Guard{Action: policy.AdminUsers}, server.Guard{Action: policy.AdminUsers, StepUp: true}
	huma.Register(api, op("GET", "/api/admin/users", "admin-users", "Users of an organisation", users),
		by(func(ctx context.Context, p identity.Principal, in *struct {
			Org    string `query:"org" maxLength:"64" doc:"Another organisation, for the operator's administrators"`
			Cursor string `query:"cursor" maxLength:"64"`
			Role   string `query:"role" maxLength:"40" doc:"Only users with this role"`
			State  string `query:"state" enum:"active,disabled" doc:"Only users in this state"`
		}) (*body[Page[User]], error) {
			of, err := org(p, in.Org)
			if err != nil {
				return nil, err
			}
			list, err := a.Identity.UsersWho(ctx, of, identity.UserFilter{Role: in.Role, State: in.State}, in.Cursor, pageSize)
			if err != nil {
				return nil, err
			}
			out := make([]User, len(list))
			for i, u := range list {
				out[i] = userOf(u)
			}
			return pageOf(out, func(u User) string { return u.ID }), nil
		}))
	huma.Register(api, op("PATCH", "/api/admin/users/{id}", "admin-user-change", "Change name, team, roles or state of a user", fresh),
		by(func(ctx context.Context, p identity.Principal, in *struct {
			ID   string `path:"id" maxLength:"64"`
			Body struct {
				Name  *string  `json:"name,omitempty" maxLength:"200"`
				Team  *string  `json:"team,omitempty" maxLength:"64"`
				Roles []string `json:"roles,omitempty" maxItems:"9"`
				State *string  `json:"state,omitempty" enum:"active,disabled"`
			}
		}) (*body[User], error) {
			if err := a.checkRoles(in.Body.Roles); err != nil {
				return nil, err
			}
			c := identity.Change{Name: in.Body.Name, Team: in.Body.Team, Roles: in.Body.Roles}
			if in.Body.State != nil {
				off := *in.Body.State == stateDisabled
				c.Suspended = &off
			}
			u, err := a.Identity.ChangeUser(ctx, p, in.ID, c)
			return &body[User]{userOf(u)}, err
		}))
}

// checkRoles holds roles to the policy's words.
func (a *api) checkRoles(roles []string) error {
	for _, r := range roles {
		if !a.Policy.HasRole(r) {
			return fault.Field("roles", "unknown", "each role is a word of the policy, once")
		}
	}
	return nil
}

func (a *api) invitations() {
	api, op := a.frame.API, server.Operation
	users, fresh := server.Guard{Action: policy.AdminUsers}, server.Guard{Action: policy.AdminUsers, StepUp: true}
	huma.Register(api, op("GET", "/api/admin/invitations", "admin-invitations", "Invitations given out", users),
		by(func(ctx context.Context, p identity.Principal, in *listing) (*body[Page[identity.Invitation]], error) {
			of, err := org(p, in.Org)
			if err != nil {
				return nil, err
			}
			list, err := a.Identity.Invitations(ctx, of, in.Cursor, pageSize)
			if err != nil {
				return nil, err
			}
			return pageOf(list, func(i identity.Invitation) string { return i.ID }), nil
		}))
	huma.Register(api, op("POST", "/api/admin/invitations", "admin-invite", "Invite somebody, or, with a user, let them choose a new password", fresh),
		by(func(ctx context.Context, p identity.Principal, in *struct {
			Body struct {
				User  string   `json:"user,omitempty" maxLength:"64" doc:"Reset this user's password, code and passkeys"`
				Login string   `json:"login,omitempty" maxLength:"128"`
				Name  string   `json:"name,omitempty" maxLength:"200" doc:"Not kept: whoever joins gives their name"`
				Roles []string `json:"roles,omitempty" maxItems:"9"`
				Team  string   `json:"team,omitempty" maxLength:"64"`
				Org   string   `json:"org,omitempty" maxLength:"64"`
			}
		}) (*body[identity.Invitation], error) {
			b := in.Body
			if b.User != "" {
				inv, err := a.Identity.Reset(ctx, p, b.User)
				return &body[identity.Invitation]{inv}, err
			}
			of, err := org(p, b.Org)
			if err != nil {
				return nil, err
			}
			if err := a.checkRoles(b.Roles); err != nil {
				return nil, err
			}
			inv, err := a.Identity.Invite(ctx, p, identity.NewUser{Org: of, Team: b.Team, Login: b.Login, Roles: b.Roles})
			return &body[identity.Invitation]{inv}, err
		}))
	huma.Register(api, op("DELETE", "/api/admin/invitations/{id}", "admin-invitation-withdraw", "Make an unused invitation worthless", users),
		by(func(ctx context.Context, p identity.Principal, in *struct {
			ID string `path:"id" maxLength:"64"`
		}) (*empty, error) {
			return nil, a.Identity.Withdraw(ctx, p, in.ID)
		}))
}

func (a *api) organisations() {
	api, op := a.frame.API, server.Operation
	orgs := server.Guard{Action: policy.AdminOrgs}
	huma.Register(api, op("GET", "/api/admin/organisations", "admin-organisations", "All organisations", orgs),
		func(ctx context.Context, in *struct {
			Cursor string `query:"cursor" maxLength:"64"`
		}) (*body[Page[identity.Organisation]], error) {
			list, err := a.Identity.Organisations(ctx, in.Cursor, pageSize)
			if err != nil {
				return nil, err
			}
			return pageOf(list, func(o identity.Organisation) string { return o.ID }), nil
		})
	huma.Register(api, op("POST", "/api/admin/organisations", "admin-organisation-new", "Add an organisation (the operator's administrators)", orgs),
		by(func(ctx context.Context, p identity.Principal, in *struct {
			Body struct {
				Name    string `json:"name" minLength:"1" maxLength:"200"`
				Kind    string `json:"kind" minLength:"1" maxLength:"60"`
				Country string `json:"country,omitempty" maxLength:"3" doc:"ISO 3166-1 alpha-3; the operator's own when left out"`
			}
		}) (*body[identity.Organisation], error) {
			o := identity.Organisation{Name: in.Body.Name, Kind: in.Body.Kind, Country: in.Body.Country}
			if o.Country == "" {
				own, err := a.Identity.Organisation(ctx, p.Org)
				if err != nil {
					return nil, err
				}
				o.Country = own.Country
			}
			o, err := a.Identity.CreateOrganisation(ctx, p, o)
			return &body[identity.Organisation]{o}, err
		}))
}

func (a *api) teams() {
	api, op := a.frame.API, server.Operation
	orgs := server.Guard{Action: policy.AdminOrgs}
	huma.Register(api, op("GET", "/api/admin/teams", "admin-teams", "Teams of an organisation", orgs),
		by(func(ctx context.Context, p identity.Principal, in *listing) (*body[Page[identity.Team]], error) {
			of, err := org(p, in.Org)
			if err != nil {
				return nil, err
			}
			list, err := a.Identity.Teams(ctx, of, in.Cursor, pageSize)
			if err != nil {
				return nil, err
			}
			return pageOf(list, func(t identity.Team) string { return t.ID }), nil
		}))
	huma.Register(api, op("POST", "/api/admin/teams", "admin-team-new", "Add a team", orgs),
		by(func(ctx context.Context, p identity.Principal, in *struct {
			Body struct {
				Name       string `json:"name" minLength:"1" maxLength:"120"`
				Supervisor string `json:"supervisor,omitempty" maxLength:"64"`
				Org        string `json:"org,omitempty" maxLength:"64"`
			}
		}) (*body[identity.Team], error) {
			of, err := org(p, in.Body.Org)
			if err != nil {
				return nil, err
			}
			t, err := a.Identity.CreateTeam(ctx, p, identity.Team{Org: of, Name: in.Body.Name, Supervisor: in.Body.Supervisor})
			return &body[identity.Team]{t}, err
		}))
	huma.Register(api, op("PATCH", "/api/admin/teams/{id}", "admin-team-change", "Rename a team, name its supervisor", orgs),
		by(func(ctx context.Context, p identity.Principal, in *struct {
			ID   string `path:"id" maxLength:"64"`
			Body struct {
				Name       string `json:"name" minLength:"1" maxLength:"120"`
				Supervisor string `json:"supervisor" maxLength:"64"`
			}
		}) (*body[identity.Team], error) {
			t, err := a.Identity.ChangeTeam(ctx, p, identity.Team{ID: in.ID, Name: in.Body.Name, Supervisor: in.Body.Supervisor})
			return &body[identity.Team]{t}, err
		}))
}

// WhyAnswer says what a user could do to a record, and by which rule.
type WhyAnswer struct {
	Allowed   bool          `json:"allowed" doc:"May read something of it"`
	Words     string        `json:"words"`
	Rule      string        `json:"rule"`
	Relation  string        `json:"relation"`
	Relations []string      `json:"relations"`
	Excluded  bool          `json:"excluded"`
	Tiers     []policy.Tier `json:"tiers"`
	Decisions []policy.Why  `json:"decisions"`
}

func (a *api) explain() {
	api, op := a.frame.API, server.Operation
	table := server.Guard{Action: policy.AdminPolicy}
	huma.Register(api, op("GET", "/api/admin/policy", "admin-policy", "The policy in words", table),
		by(func(_ context.Context, p identity.Principal, _ *struct{}) (*body[policy.Explanation], error) {
			return &body[policy.Explanation]{a.Policy.Explain(p.Lang)}, nil
		}))
	huma.Register(api, op("POST", "/api/admin/policy/why", "admin-policy-why", "Why a user can see a case, or cannot", table),
		by(func(ctx context.Context, p identity.Principal, in *struct {
			Body struct {
				User string `json:"user" maxLength:"64"`
				Case string `json:"case" maxLength:"64" doc:"Id or code"`
			}
		}) (*body[WhyAnswer], error) {
			if a.Relations == nil {
				return nil, fault.New(fault.Unavailable, "cases are not there to ask about")
			}
			u, err := a.Identity.User(ctx, in.Body.User)
			if err != nil {
				return nil, err
			}
			if _, err := org(p, u.Org); err != nil {
				return nil, err
			}
			s, err := a.Relations(ctx, p.Org, u.ID, in.Body.Case)
			if err != nil {
				return nil, err
			}
			return &body[WhyAnswer]{a.why(u, s, p.Lang)}, nil
		}))
	huma.Register(api, op("GET", "/api/admin/content", "admin-content", "State of forms, code lists and translations", server.Guard{Action: policy.AdminContent}),
		func(ctx context.Context, _ *struct{}) (*body[Content], error) {
			if a.Content == nil {
				return nil, fault.New(fault.Unavailable, "the content is not there to ask about")
			}
			c, err := a.Content(ctx)
			return &body[Content]{c}, err
		})
}

func (a *api) why(u identity.User, s Standing, lang string) WhyAnswer {
	subject := policy.Subject{User: u.ID, Org: u.Org, Roles: u.Roles}
	if u.Suspended {
		subject.Roles = nil
	}
	d := a.Policy.DecideAny(subject, policy.Read, policy.Resource{Kind: s.Kind, Excluded: s.Excluded}, s.Relations...)
	out := WhyAnswer{Allowed: d.Allowed, Words: d.Words, Rule: d.Rule, Excluded: s.Excluded, Relation: string(policy.Strongest(s.Relations...)), Relations: []string{},
		Tiers:     append([]policy.Tier{}, a.Policy.TiersOfForm(subject, policy.Read, s.Kind, "", s.Excluded, s.Relations...)...),
		Decisions: a.Policy.Why(subject, s.Kind, s.Excluded, lang, s.Relations...)}
	if d.Allowed {
		out.Words = a.Policy.Words(d.Rule, lang)
	}
	for _, r := range s.Relations {
		out.Relations = append(out.Relations, string(r))
	}
	return out
}

// AuditLine is one administrative act.
type AuditLine struct {
	Seq    int64             `json:"seq"`
	At     time.Time         `json:"at"`
	By     string            `json:"by" doc:"User id, or system"`
	Action string            `json:"action"`
	On     string            `json:"on" doc:"Id of what it was done to"`
	Detail map[string]string `json:"detail"`
}

func (a *api) audit() {
	huma.Register(a.frame.API, server.Operation("GET", "/api/admin/audit", "admin-audit", "Administrative acts, newest first", server.Guard{Action: policy.AdminAudit}),
		by(func(ctx context.Context, p identity.Principal, in *struct {
			Cursor string `query:"cursor" pattern:"^[0-9]{1,18}$"`
		}) (*body[Page[AuditLine]], error) {
			var before int64
			if in.Cursor != "" {
				n, err := strconv.ParseInt(in.Cursor, 10, 64)
				if err != nil {
					return nil, fault.Field("cursor", "format", "is not of the expected form")
				}
				before = n
			}
			acts, err := a.Identity.Acts(ctx, p, before, pageSize)
			if err != nil {
				return nil, err
			}
			out := make([]AuditLine, len(acts))
			for i, x := range acts {
				out[i] = AuditLine{x.Seq, x.At, x.By, x.Act, x.Subject, x.Detail}
			}
			return pageOf(out, func(l AuditLine) string { return strconv.FormatInt(l.Seq, 10) }), nil
		}))
}
