// Package mock answers like the server does, from a few invented cases held in
// memory, so that the app can be worked on and tested in a browser alone. It
// uses the real forms and lists and checks entries by the real rules; it has no
// policy, no sealing and no journal, and is in no shipped program.
package mock

import (
	"encoding/json"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"banyan/content"
	"banyan/internal/forms"
	"banyan/internal/screening"
)

// Passwords of the invented users are their login and this.
const PasswordSuffix = "-mock-pass"

type object = map[string]any

// Server is one mock with its own memory.
type Server struct {
	Now func() time.Time

	app fs.FS
	lib *forms.Library

	instruments *screening.Set

	mux *http.ServeMux

	mu     sync.Mutex
	user   object // signed in, nil when nobody is
	cases  []*aCase
	seen   map[string]bool // entry ids
	refuse string          // the next entry is refused with this
}

type aCase struct {
	page    object
	records map[string]*record
}

type record struct {
	form, id, author string
	version          int
	heads            []string
	answers          object
	at               time.Time
	struck           bool
	history          []object
	disputes         []object
}

// New makes a mock that serves the built app from app.
func New(app fs.FS, now func() time.Time) (*Server, error) {
	lib, faults := forms.Load(content.FS)
	if lib == nil {
		return nil, errors.New("the content cannot be read")
	}
	_ = faults // the content's own tests tell
	instruments, _ := screening.Load(content.FS)
	s := &Server{Now: now, app: app, lib: lib, instruments: instruments, mux: http.NewServeMux(), seen: map[string]bool{}}
	s.invent()
	s.routes()
	return s, nil
}

// RefuseNext makes the next entry come back with this message.
func (s *Server) RefuseNext(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = message
}

// SignOut ends the session on the server's side, as its time limit would.
func (s *Server) SignOut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user = nil
}

// Entries counts what was taken.
func (s *Server) Entries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		s.file(w, r)
		return
	}
	h.Set("Cache-Control", "no-store")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.user == nil && !strings.HasPrefix(r.URL.Path, "/api/sign-in") && !strings.HasPrefix(r.URL.Path, "/api/invitations") {
		fail(w, http.StatusUnauthorized, "signed_out", "Sign in first.")
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	body, err := fs.ReadFile(s.app, name)
	if err != nil || name == "" {
		name = "index.html"
		if body, err = fs.ReadFile(s.app, name); err != nil {
			http.Error(w, "build the app first: go run ./web/app/build", http.StatusServiceUnavailable)
			return
		}
	}
	media := mime.TypeByExtension(path.Ext(name))
	if strings.HasSuffix(name, ".webmanifest") {
		media = "application/manifest+json"
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(body)
}

func send(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object{"error": object{"code": code, "message": message}})
}

func body(r *http.Request) object {
	var o object
	_ = json.NewDecoder(r.Body).Decode(&o)
	return o
}

func (s *Server) find(id string) *aCase {
	for _, c := range s.cases {
		if c.page["id"] == id {
			return c
		}
	}
	return nil
}
