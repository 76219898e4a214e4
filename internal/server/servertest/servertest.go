// Package servertest starts the frame over an empty temporary store with an
// injected clock, an organisation with a user of each role, another
// organisation beside it, and gives HTTP clients that are signed in.
package servertest

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server"
	"banyan/internal/server/adminapi"
	"banyan/internal/server/authapi"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

// Password of every user that the harness makes with one.
const Password = "a walk along the river"

// Clock stands still until it is moved.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock starts on a Monday morning.
func NewClock() *Clock { return &Clock{at: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)} }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Sealer seals with a key of the test's own.
type Sealer struct{ aead cipher.AEAD }

// NewSealer makes one.
func NewSealer() *Sealer {
	block, err := aes.NewCipher(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &Sealer{aead}
}

// SealSecret seals plain under a label.
func (s *Sealer) SealSecret(label string, plain []byte) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return s.aead.Seal(nonce, nonce, plain, []byte(label)), nil
}

// OpenSecret opens what SealSecret sealed.
func (s *Sealer) OpenSecret(label string, sealed []byte) ([]byte, error) {
	if len(sealed) < s.aead.NonceSize() {
		return nil, errors.New("too short")
	}
	return s.aead.Open(nil, sealed[:s.aead.NonceSize()], sealed[s.aead.NonceSize():], []byte(label))
}

// World is a running door with its people.
type World struct {
	T        testing.TB
	DB       *store.DB
	Clock    *Clock
	Identity *identity.Service
	Policy   *policy.Table
	Frame    *server.Frame
	URL      string
	Log      *LockedBuffer // what the frame logged
	Org      identity.Organisation
	Other    identity.Organisation
	Team     identity.Team            // of Org, supervised by the user with that role
	Users    map[string]identity.User // of Org, by role, in Team
	Others   map[string]identity.User // of Other, by role
}

// Setup is what a test may change before the door opens.
type Setup struct {
	DB       *store.DB // nil: a new SQLite file
	Schemas  []store.Schema
	Identity identity.Config
	Server   func(*server.Config)
	Admin    adminapi.Config // its Identity and Policy are filled in
	Counts   func(context.Context, identity.Principal) (int, int, error)
	Routes   func(w *World) // further routes, on w.Frame
	Listener net.Listener   // nil: a free port of this machine
}

// Start opens a door that closes with the test.
func Start(t testing.TB, setup Setup) *World {
	t.Helper()
	ctx := context.Background()
	w := &World{T: t, DB: setup.DB, Clock: NewClock(), Policy: Policy(t), Log: &LockedBuffer{}, Users: map[string]identity.User{}, Others: map[string]identity.User{}}
	if w.DB == nil {
		w.DB = storetest.SQLite(t)
	}
	w.must(store.Migrate(ctx, w.DB, append([]store.Schema{identity.Schema()}, setup.Schemas...)...))
	var err error
	w.Identity, err = identity.New(w.DB, NewSealer(), w.Clock.Now, setup.Identity)
	w.must(err)
	w.people(ctx)
	config := server.Config{Version: "test", Identity: w.Identity, Policy: w.Policy, Clock: w.Clock.Now, Log: slog.New(slog.NewTextHandler(w.Log, nil))}
	if setup.Server != nil {
		setup.Server(&config)
	}
	w.Frame, err = server.New(config)
	w.must(err)
	authapi.Routes(w.Frame, authapi.Config{Identity: w.Identity, Policy: w.Policy, Counts: setup.Counts})
	setup.Admin.Identity, setup.Admin.Policy = w.Identity, w.Policy
	adminapi.Routes(w.Frame, setup.Admin)
	if setup.Routes != nil {
		setup.Routes(w)
	}
	s := httptest.NewUnstartedServer(w.Frame.Handler())
	if setup.Listener != nil {
		w.must(s.Listener.Close())
		s.Listener = setup.Listener
	}
	s.Start()
	t.Cleanup(s.Close)
	w.URL = s.URL
	return w
}

func (w *World) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

func (w *World) people(ctx context.Context) {
	var err error
	w.Org, err = w.Identity.CreateOrganisation(ctx, identity.System(), identity.Organisation{Name: "River House", Kind: "ngo", Country: "VNM"})
	w.must(err)
	w.Other, err = w.Identity.CreateOrganisation(ctx, identity.System(), identity.Organisation{Name: "Hill Shelter", Kind: "shelter", Country: "KHM"})
	w.must(err)
	w.Team, err = w.Identity.CreateTeam(ctx, identity.System(), identity.Team{Org: w.Org.ID, Name: "North"})
	w.must(err)
	for _, role := range policy.AllRoles {
		w.Users[role] = w.AddUser(identity.NewUser{Org: w.Org.ID, Team: w.Team.ID, Login: role + ".river", Name: "River " + role, Roles: []string{role}})
		w.Others[role] = w.AddUser(identity.NewUser{Org: w.Other.ID, Login: role + ".hill", Name: "Hill " + role, Roles: []string{role}})
	}
	w.Team.Supervisor = w.Users[policy.Supervisor].ID
	w.Team, err = w.Identity.ChangeTeam(ctx, identity.System(), w.Team)
	w.must(err)
}

// AddUser adds a user.
func (w *World) AddUser(n identity.NewUser) identity.User {
	w.T.Helper()
	u, err := w.Identity.AddUser(context.Background(), identity.System(), n)
	w.must(err)
	return u
}

// As gives a client signed in as Org's user with that role.
func (w *World) As(role string) *Client { w.T.Helper(); return w.SignedIn(w.Users[role].ID) }

// SignedIn gives a client signed in as a user, without a password.
func (w *World) SignedIn(user string) *Client {
	w.T.Helper()
	s, err := w.Identity.StartFor(context.Background(), identity.System(), user)
	w.must(err)
	c := w.Anonymous()
	c.Cookies["banyan"] = s.Token
	return c
}

// Principal gives the principal of a user, as a handler would see it.
func (w *World) Principal(user string) identity.Principal {
	w.T.Helper()
	s, err := w.Identity.StartFor(context.Background(), identity.System(), user)
	w.must(err)
	p, err := w.Identity.Authenticate(context.Background(), s.Token)
	w.must(err)
	return p
}

// Anonymous gives a client without a session.
func (w *World) Anonymous() *Client {
	return &Client{w: w, Cookies: map[string]string{}, Header: map[string]string{}}
}

// Client calls the door and keeps its cookies.
type Client struct {
	w       *World
	Cookies map[string]string
	Header  map[string]string // sent with every request
}

// Answer is what came back.
type Answer struct {
	Status int
	Body   []byte
	Header http.Header
}

// Into reads the body as JSON.
func (a Answer) Into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("reading an answer of %d bytes (%d): %v", len(a.Body), a.Status, err)
	}
}

// Problem gives the fault's code and first path, for tests.
func (a Answer) Problem() (code, path string) {
	var e struct {
		Error struct {
			Code     string
			Problems []struct{ Path string }
		}
	}
	if json.Unmarshal(a.Body, &e) != nil {
		return "", ""
	}
	if len(e.Error.Problems) > 0 {
		path = e.Error.Problems[0].Path
	}
	return e.Error.Code, path
}

// Call sends a request. The body is sent as it is when it is []byte or
// string, not at all when it is nil, as JSON otherwise.
func (c *Client) Call(method, path string, body any) Answer {
	c.w.T.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(b)
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		c.w.must(err)
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, c.w.URL+path, reader)
	c.w.must(err)
	if reader != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.Header {
		r.Header.Set(k, v)
	}
	for k, v := range c.Cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	res, err := transport.RoundTrip(r)
	c.w.must(err)
	defer res.Body.Close()
	out := Answer{Status: res.StatusCode, Header: res.Header}
	out.Body, err = io.ReadAll(res.Body)
	c.w.must(err)
	for _, k := range res.Cookies() {
		if k.MaxAge < 0 {
			delete(c.Cookies, k.Name)
			continue
		}
		c.Cookies[k.Name] = k.Value
	}
	return out
}

// Policy loads the repository's own table.
func Policy(t testing.TB) *policy.Table {
	t.Helper()
	table, faults := policy.Load(os.DirFS(filepath.Join(Root(t), "content")))
	for _, f := range faults {
		t.Error(f)
	}
	if table == nil {
		t.Fatal("the policy did not load")
	}
	return table
}

// Root finds the repository's folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

// LockedBuffer is a buffer that several goroutines may write.
type LockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (b *LockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String gives what was written.
func (b *LockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
