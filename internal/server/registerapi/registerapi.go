// Package registerapi is the register's door: counts of nameless facts as JSON.
//
// No answer holds a person, and none holds a count that its table hides: what
// leaves here is what register.Table gives, and nothing is computed beside it.
package registerapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/fault"
	"banyan/internal/forms"
	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/register"
	"banyan/internal/server"
)

// Action is the policy's action for all routes of this room.
const Action = string(policy.RegisterRead)

// Deps are what the routes need.
type Deps struct {
	Register *register.Register
	Library  *forms.Library // for labels in other languages; nil leaves English
	// Allow asks the policy whether the caller may do the action. Its error is
	// the answer; nil means allowed. Without it nothing is allowed. On a frame,
	// whose guard has asked before the handler runs, Guarded will do.
	Allow func(ctx context.Context, action string) error
}

// Guarded is the Allow of routes on a server.Frame.
func Guarded(context.Context, string) error { return nil }

// Variable is one thing to count by.
type Variable struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	List   string `json:"list,omitempty" doc:"Code list of its values"`
	Multi  bool   `json:"multi" doc:"A person can have several values and then counts once in each"`
	Public bool   `json:"public" doc:"May stand in a published table, under disclosure control"`
}

// Source is where facts come from.
type Source struct {
	ID       string     `json:"id"`
	Label    string     `json:"label"`
	Rows     *int64     `json:"rows" doc:"Persons; null where the number is hidden"`
	Since    *time.Time `json:"since,omitempty" doc:"When it was imported"`
	Citation string     `json:"citation,omitempty" doc:"To be shown wherever its figures are"`
}

// Line is a row or column. Codes that start with _ are the program's own:
// _none (not recorded), _others (all that a long table does not list), _all.
type Line struct {
	Code  string `json:"code"`
	Label string `json:"label"`
}

// Table is counts of persons; null is a hidden count.
type Table struct {
	Rows      []Line     `json:"rows"`
	Cols      []Line     `json:"cols"`
	Cells     [][]*int64 `json:"cells" doc:"One line a row; null: hidden"`
	RowTotals []*int64   `json:"row_totals" doc:"Different persons; less than the sum of a line where persons have several values"`
	ColTotals []*int64   `json:"col_totals"`
	Total     *int64     `json:"total"`
	Threshold int64      `json:"threshold" doc:"Counts from 1 to one less than this are hidden"`
	Hidden    int        `json:"hidden" doc:"How many counts are hidden, those included that would give others away"`
	Source    string     `json:"source"`
	Citation  string     `json:"citation,omitempty"`
	Joined    *int64     `json:"joined" doc:"Own cases that count within the person of another one; null: a few, or another source"`
	Undecided *int64     `json:"undecided" doc:"Pairs of own cases that may be one person's and wait for a decision; null likewise"`
}

type langInput struct {
	Lang string `query:"lang" maxLength:"16" doc:"Language of labels"`
}

type tableInput struct {
	Lang   string `query:"lang" maxLength:"16" doc:"Language of labels"`
	Rows   string `query:"rows" required:"true" maxLength:"64" doc:"Variable of the rows"`
	Cols   string `query:"cols" maxLength:"64" doc:"Variable of the columns; without it one variable is counted"`
	Source string `query:"source" maxLength:"64" doc:"Source; none: the own cases. Sources are not added up: one person may stand in two"`
}

type variablesOutput struct{ Body []Variable }
type sourcesOutput struct{ Body []Source }
type tableOutput struct{ Body Table }

// Routes registers the room's routes.
func Routes(api huma.API, d Deps) {
	h := &handler{d}
	huma.Register(api, operation("register-variables", "/api/register/variables", "Variables to count by"), h.variables)
	huma.Register(api, operation("register-sources", "/api/register/sources", "Sources of facts"), h.sources)
	huma.Register(api, operation("register-table", "/api/register/table", "Count persons by two variables"), h.table)
}

func operation(id, path, summary string) huma.Operation {
	return server.Operation(http.MethodGet, path, id, summary, server.Guard{Action: policy.RegisterRead})
}

type handler struct{ Deps }

func (h *handler) allow(ctx context.Context) error {
	if h.Allow == nil {
		return fault.Absent()
	}
	return h.Allow(ctx, Action)
}

// lang is the language asked for, or the caller's own.
func lang(ctx context.Context, asked string) string {
	if p, ok := identity.From(ctx); ok && asked == "" {
		return p.Lang
	}
	return asked
}

func (h *handler) variables(ctx context.Context, in *langInput) (*variablesOutput, error) {
	if err := h.allow(ctx); err != nil {
		return nil, err
	}
	out := &variablesOutput{Body: []Variable{}}
	for _, v := range h.Register.Definition().Variables {
		out.Body = append(out.Body, Variable{v.ID, v.LabelIn(lang(ctx, in.Lang)), v.List, v.Multi, v.Public})
	}
	return out, nil
}

func (h *handler) sources(ctx context.Context, in *langInput) (*sourcesOutput, error) {
	if err := h.allow(ctx); err != nil {
		return nil, err
	}
	all, err := h.Register.Sources(ctx)
	if err != nil {
		return nil, err
	}
	out := &sourcesOutput{Body: []Source{}}
	for _, s := range all {
		one := Source{ID: s.ID, Label: s.Title, Citation: s.Citation}
		if s.ID == register.OwnSource {
			one.Label = inWords(lang(ctx, in.Lang), s.ID, s.Title)
			if s.Rows, err = h.Register.Persons(ctx); err != nil { // cases would tell how few children came back
				return nil, err
			}
		}
		if s.Rows == 0 || s.Rows >= h.Register.Threshold() {
			one.Rows = &s.Rows
		}
		if !s.ImportedAt.IsZero() {
			one.Since = &s.ImportedAt
		}
		out.Body = append(out.Body, one)
	}
	return out, nil
}

func (h *handler) table(ctx context.Context, in *tableInput) (*tableOutput, error) {
	if err := h.allow(ctx); err != nil {
		return nil, err
	}
	t, err := h.Register.Table(ctx, register.TableRequest{Rows: in.Rows, Cols: in.Cols, Source: in.Source})
	var bad *register.RequestError
	if errors.As(err, &bad) {
		return nil, fault.Field(bad.Field, "invalid", bad.Message)
	}
	if err != nil {
		return nil, err
	}
	in.Lang = lang(ctx, in.Lang)
	out := Table{Rows: h.lines(in.Lang, t.Rows, t.RowLines), Cols: h.lines(in.Lang, t.Cols, t.ColLines), Cells: t.Cells,
		RowTotals: t.RowTotals, ColTotals: t.ColTotals, Total: t.Total, Threshold: t.Threshold, Hidden: t.Hidden,
		Source: t.Source.ID, Citation: t.Source.Citation, Joined: t.Joined, Undecided: t.Undecided}
	return &tableOutput{out}, nil
}

// lines gives labels in the language asked for, where there are some.
func (h *handler) lines(lang string, v *register.Variable, lines []register.Line) []Line {
	out := make([]Line, len(lines))
	for i, l := range lines {
		out[i] = Line{l.Code, inWords(lang, l.Code, l.Label)}
		if v == nil {
			continue
		}
		if label, ok := v.CodeIn(lang, l.Code); ok && lang != "" {
			out[i].Label = label
		}
		if v.List == "" || h.Library == nil {
			continue
		}
		list, ok := h.Library.List(v.List)
		if code := codeOf(list, ok, l.Code); code != nil {
			out[i].Label = code.Label(lang)
		}
	}
	return out
}

func codeOf(list *forms.List, ok bool, code string) *forms.Code {
	if !ok {
		return nil
	}
	return list.Code(code)
}

// words are the labels that stand in no code list.
var words = map[string]map[string]string{
	"vi": {register.NotRecorded: "Không ghi nhận", register.Others: "Các giá trị khác và ít gặp", register.Everybody: "Số người", register.OwnSource: "Hồ sơ của hệ thống này"},
}

func inWords(lang, code, english string) string {
	if text, ok := words[lang][code]; ok {
		return text
	}
	return english
}
