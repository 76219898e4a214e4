// Package caseapi is the case worker's door: today, find, the case page,
// entries, moves, approvals, files, who looked. It is thin: every rule stands
// in package casework.
package caseapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/casework"
	"banyan/internal/fault"
	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server"
)

// Config is what the routes need beyond the frame.
type Config struct {
	Cases *casework.Service
}

type api struct{ cases *casework.Service }

type body[T any] struct{ Body T }

// CaseInput names the case in a path.
type CaseInput struct {
	ID string `path:"id" maxLength:"36" doc:"The case's id"`
}

type done struct {
	OK     bool            `json:"ok"`
	Result casework.Result `json:"result"`
}

// Routes registers all of them.
func Routes(f *server.Frame, c Config) {
	a := &api{c.Cases}
	a.lists(f.API)
	a.pages(f.API)
	a.writing(f.API)
	a.files(f.API)
}

// reader is the caller as the work knows them.
func reader(p identity.Principal) casework.Reader {
	return casework.Reader{User: p.User, Org: p.Org, Team: p.Team, Roles: p.Roles, Session: p.Session, Device: p.Device, Lang: p.Lang}
}

// Reader gives the caller of a request as the work knows them.
func Reader(p identity.Principal) casework.Reader { return reader(p) }

// by wraps a handler with the caller.
func by[I, O any](work func(context.Context, casework.Reader, *I) (O, error)) func(context.Context, *I) (*body[O], error) {
	return func(ctx context.Context, in *I) (*body[O], error) {
		p, ok := identity.From(ctx)
		if !ok {
			return nil, errors.New("a guarded route was reached without a user")
		}
		out, err := work(ctx, reader(p), in)
		if err != nil {
			return nil, err
		}
		return &body[O]{out}, nil
	}
}

func (a *api) lists(api huma.API) {
	huma.Register(api, server.Operation(http.MethodGet, "/api/today", "today", "What to do now", server.Guard{Action: server.Self}),
		by(func(ctx context.Context, r casework.Reader, _ *struct{}) (casework.Today, error) {
			return a.cases.Today(ctx, r)
		}))
	huma.Register(api, server.Operation(http.MethodGet, "/api/today/alike", "today-alike", "Own new cases whose person may be known here already", server.Guard{Action: server.Self}),
		by(func(ctx context.Context, r casework.Reader, _ *struct{}) ([]casework.KnownHere, error) {
			return a.cases.KnownHere(ctx, r)
		}))
	huma.Register(api, server.Operation(http.MethodGet, "/api/inbox", "inbox", "Decisions that wait, and news", server.Guard{Action: server.Self}),
		by(func(ctx context.Context, r casework.Reader, _ *struct{}) (casework.Inbox, error) {
			return a.cases.Inbox(ctx, r)
		}))
	huma.Register(api, server.Operation(http.MethodGet, "/api/team", "team", "Load of the team", server.Guard{Action: policy.TeamRead}),
		by(func(ctx context.Context, r casework.Reader, _ *struct{}) (casework.TeamLoad, error) {
			return a.cases.Team(ctx, r)
		}))
	huma.Register(api, server.Operation(http.MethodPost, "/api/find", "find", "Look for a person before a new case", server.Guard{Action: policy.Find}),
		by(func(ctx context.Context, r casework.Reader, in *body[casework.FindQuery]) (casework.Found, error) {
			return a.cases.Find(ctx, r, in.Body)
		}))
	type listInput struct {
		Scope  string `query:"scope" enum:"mine,team,organisation" doc:"Whose cases"`
		Status string `query:"status" maxLength:"20" doc:"A status, or open"`
		Risk   string `query:"risk" enum:"high,medium,low" doc:"A level of risk"`
		Sort   string `query:"sort" enum:"risk,recent"`
		Cursor string `query:"cursor" maxLength:"200" doc:"Where the next page begins"`
	}
	huma.Register(api, server.Operation(http.MethodGet, "/api/cases", "cases", "Cases", server.Guard{Action: policy.Read}),
		by(func(ctx context.Context, r casework.Reader, in *listInput) (casework.CaseList, error) {
			return a.cases.Cases(ctx, r, casework.CaseQuery{Scope: in.Scope, Status: in.Status, Risk: in.Risk, Sort: in.Sort, Cursor: in.Cursor})
		}))
}

func (a *api) pages(api huma.API) {
	huma.Register(api, server.Operation(http.MethodGet, "/api/cases/{id}", "case-open", "One case on one page", server.Guard{Action: policy.Read}),
		by(func(ctx context.Context, r casework.Reader, in *CaseInput) (casework.Page, error) {
			return a.cases.CasePage(ctx, r, in.ID)
		}))
	type printInput struct {
		CaseInput
		Body struct {
			Record string `json:"record,omitempty" maxLength:"64" doc:"One record instead of the case page"`
		}
	}
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases/{id}/print", "case-print", "Note that a page of a case is printed, before it is", server.Guard{Action: policy.Read}),
		by(func(ctx context.Context, r casework.Reader, in *printInput) (casework.Printed, error) {
			return a.cases.Print(ctx, r, in.ID, in.Body.Record)
		}))
	type recordInput struct {
		ID     string `path:"id" maxLength:"36"`
		Record string `path:"record" maxLength:"64"`
	}
	huma.Register(api, server.Operation(http.MethodGet, "/api/cases/{id}/records/{record}", "record-open", "One record with its history", server.Guard{Action: policy.Read}),
		by(func(ctx context.Context, r casework.Reader, in *recordInput) (casework.RecordPage, error) {
			return a.cases.Record(ctx, r, in.ID, in.Record)
		}))
	type prefillInput struct {
		ID   string `path:"id" maxLength:"36"`
		Form string `path:"form" maxLength:"64"`
	}
	huma.Register(api, server.Operation(http.MethodGet, "/api/cases/{id}/prefill/{form}", "form-prefill", "What a form opens with", server.Guard{Action: policy.Read}),
		by(func(ctx context.Context, r casework.Reader, in *prefillInput) (casework.Prefilled, error) {
			return a.cases.Prefill(ctx, r, in.ID, in.Form)
		}))
	type accessInput struct {
		ID     string `path:"id" maxLength:"36"`
		Cursor string `query:"cursor" maxLength:"36"`
	}
	huma.Register(api, server.Operation(http.MethodGet, "/api/cases/{id}/access", "case-access", "Who looked at a case", server.Guard{Action: policy.ReadAccessLog}),
		by(func(ctx context.Context, r casework.Reader, in *accessInput) (casework.AccessPage, error) {
			return a.cases.AccessOf(ctx, r, in.ID, in.Cursor)
		}))
}

type entries struct {
	Entries []casework.NewEntry `json:"entries" minItems:"1" maxItems:"200"`
}

type results struct {
	Results []casework.Result `json:"results"`
}

func (a *api) writing(api huma.API) {
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases", "case-new", "Open a case", server.Guard{Action: policy.Open}),
		by(func(ctx context.Context, r casework.Reader, in *body[entries]) (casework.OpenedCase, error) {
			return a.cases.OpenCase(ctx, r, in.Body.Entries)
		}))
	huma.Register(api, server.Operation(http.MethodPost, "/api/entries", "entries", "Send entries, also those of an offline day", server.Guard{Action: policy.WriteTo}),
		by(func(ctx context.Context, r casework.Reader, in *body[entries]) (results, error) {
			out, err := a.cases.Submit(ctx, r, in.Body.Entries)
			return results{out}, err
		}))
	type moveInput struct {
		CaseInput
		Body struct {
			To     string `json:"to" maxLength:"40"`
			Reason string `json:"reason,omitempty" maxLength:"2000"`
			ID     string `json:"id,omitempty" maxLength:"36"`
		}
	}
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases/{id}/move", "case-move", "Change the status", server.Guard{Action: policy.Move}),
		by(func(ctx context.Context, r casework.Reader, in *moveInput) (done, error) {
			return did(a.cases.Move(ctx, r, in.ID, in.Body.To, in.Body.Reason, in.Body.ID))
		}))
	type assignInput struct {
		CaseInput
		Body casework.NewAssignment
	}
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases/{id}/assign", "case-assign", "Give a case to somebody", server.Guard{Action: policy.Assign}),
		by(func(ctx context.Context, r casework.Reader, in *assignInput) (done, error) {
			return did(a.cases.Assign(ctx, r, in.ID, in.Body))
		}))
	type approveInput struct {
		CaseInput
		Body casework.NewDecision
	}
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases/{id}/approve", "case-approve", "Decide on a record", server.Guard{Action: policy.Approve}),
		by(func(ctx context.Context, r casework.Reader, in *approveInput) (done, error) {
			return did(a.cases.Approve(ctx, r, in.ID, in.Body))
		}))
	type acknowledgeInput struct {
		CaseInput
		Body struct {
			Clock  string `json:"clock" maxLength:"64"`
			Record string `json:"record,omitempty" maxLength:"64"`
			ID     string `json:"id,omitempty" maxLength:"36"`
		}
	}
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases/{id}/acknowledge", "case-acknowledge", "Say that it was looked at", server.Guard{Action: policy.Approve}),
		by(func(ctx context.Context, r casework.Reader, in *acknowledgeInput) (done, error) {
			return did(a.cases.Acknowledge(ctx, r, in.ID, in.Body.Clock, in.Body.Record, in.Body.ID))
		}))
	huma.Register(api, server.Operation(http.MethodGet, "/api/cases/{id}/alike", "case-alike", "Cases that may be about the same person", server.Guard{Action: policy.Read}),
		by(func(ctx context.Context, r casework.Reader, in *CaseInput) ([]casework.AlikeCase, error) {
			return a.cases.Alike(ctx, r, in.ID)
		}))
	type alikeInput struct {
		CaseInput
		Body struct {
			Other string `json:"other" maxLength:"36"`
			Same  bool   `json:"same"`
			ID    string `json:"id,omitempty" maxLength:"36"`
		}
	}
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases/{id}/alike", "case-alike-decide", "Say whether another case is about the same person", server.Guard{Action: policy.Settle}),
		by(func(ctx context.Context, r casework.Reader, in *alikeInput) (done, error) {
			return did(a.cases.DecideAlike(ctx, r, in.ID, in.Body.Other, in.Body.Same, in.Body.ID))
		}))
	type glassInput struct {
		CaseInput
		Body struct {
			Reason string `json:"reason" maxLength:"2000"`
			ID     string `json:"id,omitempty" maxLength:"36"`
		}
	}
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases/{id}/break-glass", "case-break-glass", "Open a case in an emergency", server.Guard{Action: policy.BreakTheGlass}),
		by(func(ctx context.Context, r casework.Reader, in *glassInput) (done, error) {
			return did(a.cases.BreakGlass(ctx, r, in.ID, in.Body.Reason, in.Body.ID))
		}))
	type excludeInput struct {
		CaseInput
		Body struct {
			User   string `json:"user" maxLength:"36"`
			On     bool   `json:"on"`
			Reason string `json:"reason" maxLength:"2000"`
			ID     string `json:"id,omitempty" maxLength:"36"`
		}
	}
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases/{id}/exclusions", "case-exclude", "Keep somebody out of a case", server.Guard{Action: policy.Exclude}),
		by(func(ctx context.Context, r casework.Reader, in *excludeInput) (done, error) {
			return did(a.cases.Exclude(ctx, r, in.ID, in.Body.User, in.Body.On, in.Body.Reason, in.Body.ID))
		}))
}

func did(r casework.Result, err error) (done, error) { return done{err == nil, r}, err }

type fileOutput struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	Policy             string `header:"Content-Security-Policy"`
	Body               []byte
}

func (a *api) files(api huma.API) {
	type uploadInput struct {
		CaseInput
		RawBody multipart.Form
	}
	huma.Register(api, server.Operation(http.MethodPost, "/api/cases/{id}/files", "file-add", "Keep a file with a case", server.Guard{Action: policy.WriteTo, Upload: true}),
		by(func(ctx context.Context, r casework.Reader, in *uploadInput) (casework.StoredFile, error) {
			name, content, err := onePart(in.RawBody)
			if err != nil {
				return casework.StoredFile{}, err
			}
			id := ""
			if ids := in.RawBody.Value["id"]; len(ids) > 0 {
				id = ids[0]
			}
			return a.cases.AddFile(ctx, r, in.ID, id, name, content)
		}))
	type fileInput struct {
		ID   string `path:"id" maxLength:"36"`
		File string `path:"file" maxLength:"36"`
	}
	opening := func(op huma.Operation, open func(context.Context, casework.Reader, string, string) (casework.OpenedFile, error)) {
		huma.Register(api, op, func(ctx context.Context, in *fileInput) (*fileOutput, error) {
			p, ok := identity.From(ctx)
			if !ok {
				return nil, errors.New("a guarded route was reached without a user")
			}
			f, err := open(ctx, reader(p), in.ID, in.File)
			if err != nil {
				return nil, err
			}
			return &fileOutput{ContentType: f.Media, ContentDisposition: "attachment; filename*=UTF-8''" + url.PathEscape(f.Name),
				Policy: "sandbox; default-src 'none'", Body: f.Body}, nil
		})
	}
	opening(server.Operation(http.MethodGet, "/api/cases/{id}/files/{file}", "file-open", "Open a file of a case, without its hidden data", server.Guard{Action: policy.Read}), a.cases.File)
	opening(server.Operation(http.MethodGet, "/api/cases/{id}/files/{file}/original", "file-original", "Take a file of a case as it came", server.Guard{Action: policy.Original}), a.cases.OriginalFile)
}

// onePart takes the one file of an upload.
func onePart(form multipart.Form) (string, []byte, error) {
	files := form.File["file"]
	if len(files) != 1 {
		return "", nil, fault.Field("file", "required", "send one file, in the part named file")
	}
	if files[0].Size > casework.MaxFile {
		return "", nil, fault.New(fault.TooLarge, "the file is larger than 20 MB")
	}
	f, err := files[0].Open()
	if err != nil {
		return "", nil, fault.Wrap(fault.Unavailable, "the file did not arrive whole", err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(f, casework.MaxFile+1)); err != nil {
		return "", nil, fault.Wrap(fault.Unavailable, "the file did not arrive whole", err)
	}
	return files[0].Filename, b.Bytes(), nil
}

// Directory lets the work look people up in identity. Answers are remembered
// for a few seconds: one page asks for the same names again and again.
type Directory struct {
	identity *identity.Service
	now      func() time.Time
	mu       sync.Mutex
	people   map[string]remembered[casework.Staff]
	orgs     map[string]remembered[identity.Organisation]
	teams    map[string]remembered[[]string]
}

type remembered[T any] struct {
	value T
	until time.Time
}

const rememberFor = 10 * time.Second

// NewDirectory makes one.
func NewDirectory(s *identity.Service, now func() time.Time) *Directory {
	return &Directory{identity: s, now: now, people: map[string]remembered[casework.Staff]{}, orgs: map[string]remembered[identity.Organisation]{}, teams: map[string]remembered[[]string]{}}
}

func recall[T any](d *Directory, from map[string]remembered[T], id string, ask func() (T, error)) (T, error) {
	d.mu.Lock()
	r, ok := from[id]
	d.mu.Unlock()
	if ok && d.now().Before(r.until) {
		return r.value, nil
	}
	v, err := ask()
	if fault.CodeOf(err) == fault.DeniedOrAbsent && err != nil {
		var none T
		return none, nil
	}
	if err != nil {
		return v, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(from) > 10_000 {
		clear(from)
	}
	from[id] = remembered[T]{v, d.now().Add(rememberFor)}
	return v, nil
}

func staffOf(u identity.User) casework.Staff {
	return casework.Staff{ID: u.ID, Name: u.Name, Org: u.Org, Team: u.Team, Roles: u.Roles, Suspended: u.Suspended}
}

// Person finds a user.
func (d *Directory) Person(ctx context.Context, id string) (casework.Staff, error) {
	if id == "" {
		return casework.Staff{}, nil
	}
	return recall(d, d.people, id, func() (casework.Staff, error) {
		u, err := d.identity.User(ctx, id)
		return staffOf(u), err
	})
}

// Staff lists an organisation's users who are not suspended.
func (d *Directory) Staff(ctx context.Context, org string) ([]casework.Staff, error) {
	const page = 200
	var out []casework.Staff
	after := ""
	for {
		users, err := d.identity.Users(ctx, org, after, page)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			if !u.Suspended {
				out = append(out, staffOf(u))
			}
		}
		if len(users) < page {
			return out, nil
		}
		after = users[len(users)-1].ID
	}
}

// TeamOrg finds whose team it is.
func (d *Directory) TeamOrg(ctx context.Context, team string) (string, error) {
	return d.identity.TeamOrg(ctx, team)
}

// TeamSupervisor finds who supervises a team.
func (d *Directory) TeamSupervisor(ctx context.Context, team string) (string, error) {
	return d.identity.TeamSupervisor(ctx, team)
}

// SupervisedTeams lists the teams that a user supervises.
func (d *Directory) SupervisedTeams(ctx context.Context, user string) ([]string, error) {
	return recall(d, d.teams, user, func() ([]string, error) { return d.identity.SupervisedTeams(ctx, user) })
}

// Organisation finds an organisation's name and country.
func (d *Directory) Organisation(ctx context.Context, id string) (name, country string, err error) {
	o, err := recall(d, d.orgs, id, func() (identity.Organisation, error) { return d.identity.Organisation(ctx, id) })
	return o.Name, o.Country, err
}
