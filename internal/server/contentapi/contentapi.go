// Package contentapi gives the browser what practitioners own: forms with
// their rules, code lists, screening instruments, and the places of the
// programme countries. Nothing
// of it is about a person.
package contentapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"net/http"
	"sort"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/fault"
	"banyan/internal/forms"
	"banyan/internal/screening"
	"banyan/internal/server"
	"banyan/internal/server/adminapi"
)

// action is the policy's action for all routes of this room.
const action = "content.read"

// Content is the loaded content of one installation. It never changes.
type Content struct {
	Library *forms.Library
	faults  []forms.Fault

	instruments *screening.Set
	places      map[string][]Place // country code, or code of the place above → places
}

// Listing is one form among all.
type Listing struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Version  int      `json:"version"`
	Stream   string   `json:"stream" doc:"Kind of stream that its entries belong to"`
	Single   bool     `json:"single" doc:"One record per stream"`
	FilledBy []string `json:"filled_by"`
	Status   string   `json:"status,omitempty" doc:"Shown beside it when its source is not verified"`
	Fields   int      `json:"fields"`
}

// Place is a province or district with its P-code.
type Place struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Load reads what this room serves from a content folder.
func Load(content fs.FS, library *forms.Library, faults []forms.Fault) (*Content, error) {
	places, err := readPlaces(content)
	if err != nil {
		return nil, fmt.Errorf("reading places.csv: %w", err)
	}
	instruments, found := screening.Load(content)
	if len(found) > 0 {
		return nil, fmt.Errorf("reading screening instruments: %w", found[0])
	}
	return &Content{Library: library, faults: faults, places: places, instruments: instruments}, nil
}

// readPlaces reads country,level,code,name,parent.
func readPlaces(content fs.FS) (map[string][]Place, error) {
	text, err := fs.ReadFile(content, "places.csv")
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	out := map[string][]Place{}
	for _, row := range rows[1:] {
		above := row[4]
		if row[1] == "1" {
			above = row[0]
		}
		out[above] = append(out[above], Place{Code: row[2], Name: row[3]})
	}
	for _, list := range out {
		sort.Slice(list, func(a, b int) bool { return list[a].Name < list[b].Name })
	}
	return out, nil
}

// Routes registers the routes.
func Routes(api huma.API, c *Content) {
	op := func(path, id, summary string) huma.Operation {
		return server.Operation(http.MethodGet, path, id, summary, server.Guard{Action: action})
	}
	huma.Register(api, op("/api/forms", "forms", "All forms"), c.forms)
	huma.Register(api, op("/api/forms/{id}", "form", "One form with its rules"), c.form)
	huma.Register(api, op("/api/lists/{id}", "list", "One code list"), c.list)
	huma.Register(api, op("/api/instruments/{id}", "instrument", "One screening instrument with its weights and rules; in-force gives the one for new screenings"), c.instrument)
	huma.Register(api, op("/api/places", "places", "Provinces of a country, or districts of a province"), c.placesOf)
}

type langInput struct {
	Lang string `query:"lang" default:"en" maxLength:"10" doc:"Language of labels; English stands in"`
}

func (c *Content) forms(_ context.Context, in *langInput) (*struct{ Body []Listing }, error) {
	out := []Listing{}
	for _, f := range c.Library.Forms() {
		out = append(out, Listing{ID: f.ID, Title: f.Title(in.Lang), Version: f.Version, Stream: f.Stream,
			Single: f.Single, FilledBy: f.FilledBy, Status: f.Status, Fields: fieldsOf(f)})
	}
	return &struct{ Body []Listing }{out}, nil
}

func fieldsOf(f *forms.Form) int {
	n := 0
	for _, field := range f.Fields {
		if field.Type.HoldsAnswer() || field.Type.Container() {
			n++
		}
	}
	return n
}

// Parameters of an embedded, unexported struct are unknown to the door, so both
// stand here themselves.
type oneInput struct {
	Lang string `query:"lang" default:"en" maxLength:"10" doc:"Language of labels; English stands in"`
	ID   string `path:"id" maxLength:"100"`
}

func (c *Content) form(_ context.Context, in *oneInput) (*struct{ Body any }, error) {
	f, ok := c.Library.Form(in.ID)
	if !ok {
		return nil, fault.Absent()
	}
	return &struct{ Body any }{f.Describe(in.Lang)}, nil
}

func (c *Content) list(_ context.Context, in *oneInput) (*struct{ Body *forms.ListDescription }, error) {
	l, ok := c.Library.DescribeList(in.ID, in.Lang)
	if !ok {
		return nil, fault.Absent()
	}
	return &struct{ Body *forms.ListDescription }{l}, nil
}

func (c *Content) instrument(_ context.Context, in *oneInput) (*struct{ Body screening.Description }, error) {
	found, ok := c.instruments.Instrument(in.ID)
	if in.ID == "in-force" {
		found = c.instruments.InForce()
		ok = found != nil
	}
	if !ok {
		return nil, fault.Absent()
	}
	return &struct{ Body screening.Description }{found.Describe(in.Lang)}, nil
}

func (c *Content) placesOf(_ context.Context, in *struct {
	Country string `query:"country" required:"true" minLength:"3" maxLength:"3" doc:"ISO 3166-1 alpha-3"`
	Parent  string `query:"parent" maxLength:"20" doc:"P-code of the province; empty: the provinces"`
}) (*struct{ Body []Place }, error) {
	above := in.Parent
	if above == "" {
		above = in.Country
	}
	out := c.places[above]
	if out == nil {
		out = []Place{}
	}
	return &struct{ Body []Place }{out}, nil
}

// State is what the administrator sees of the content.
func (c *Content) State(context.Context) (adminapi.Content, error) {
	s := adminapi.Content{Faults: []adminapi.ContentFault{}}
	for _, f := range c.Library.Forms() {
		s.Forms = append(s.Forms, adminapi.ContentForm{ID: f.ID, Title: f.Title(forms.English), Version: f.Version, Status: f.Status, Fields: fieldsOf(f)})
	}
	for _, l := range c.Library.Lists() {
		if l.Helper {
			s.Helpers++
			continue
		}
		s.Lists++
	}
	for _, f := range c.faults {
		s.Faults = append(s.Faults, adminapi.ContentFault{File: f.File, Line: f.Line, Message: f.Message})
	}
	for _, l := range c.Library.Languages() {
		s.Languages = append(s.Languages, adminapi.ContentLang{Language: l.Code, Status: l.Status, Covered: l.Translated, Total: l.Texts})
	}
	return s, nil
}
