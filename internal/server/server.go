// Package server is the frame of the program's HTTP door: what every request
// passes whatever room answers it.
//
// It promises, for every route:
//   - who calls is known (a session cookie) and the route's declared policy
//     action was asked before the body is read;
//   - denied and absent are the same bytes; errors never echo what was sent;
//   - a body is bounded, valid UTF-8, JSON without unknown or doubled names,
//     and a mistake names its field;
//   - other sites cannot call it (Cross-Origin protection, SameSite=Strict)
//     or frame it, and pages may load nothing from anywhere else;
//   - answers of the API are never stored by a cache;
//   - a panic is a plain 500; the log has a line per request with the route's
//     pattern, never an address with values, a name or a query;
//   - request time is bounded, and stopping lets running requests end.
//
// Rooms register routes on Frame.API with Operation (see operation.go).
package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"banyan/internal/fault"
	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server/httperr"
)

// Limits of every request.
const (
	MaxBody   = 1 << 20  // bytes of a JSON body
	MaxUpload = 20 << 20 // bytes of a file
	maxHeader = 64 << 10
	maxDepth  = 64 // of nested JSON

	headerTime  = 10 * time.Second
	bodyTime    = 2 * time.Minute // a slow phone sends 1 MiB at 9 kB/s
	answerTime  = 30 * time.Second
	uploadTime  = 10 * time.Minute
	idleTime    = 2 * time.Minute
	stoppingFor = 20 * time.Second
)

// Config is what the frame is made of.
type Config struct {
	Version  string
	Identity *identity.Service
	Policy   *policy.Table
	Log      *slog.Logger
	Clock    func() time.Time
	App      http.Handler // the staff app at /; nil: a page that says how to build it
	// Secure says that browsers reach the server by TLS, its own or a
	// proxy's: cookies then carry the __Host- name and Secure.
	Secure bool
	// Proxies are trusted to say in X-Forwarded-For whom they speak for.
	Proxies []netip.Prefix
	// UploadWait is how long an upload waits for room; 0: 20 seconds.
	UploadWait time.Duration
	// UploadStall is how long an upload may stand still; 0: 20 seconds.
	UploadStall time.Duration
	// Say gives a fixed English sentence in a language; nil: English for all.
	Say func(lang, english string) string
	// Ready says whether the program can work; nil: always.
	Ready func(context.Context) error
}

// Frame is the door. Its API is open for registration until Handler is called.
type Frame struct {
	API huma.API
	Mux *http.ServeMux // for the few routes that are no JSON: files, downloads

	config   Config
	metrics  *metrics.Set
	openAPI  func() ([]byte, error)
	inFlight *metrics.Gauge
	uploads  *uploads
}

// New makes the frame.
func New(config Config) (*Frame, error) {
	if config.Identity == nil || config.Policy == nil {
		return nil, errors.New("the frame needs identity and policy")
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.App == nil {
		config.App = &assets{}
	}
	f := &Frame{config: config, Mux: http.NewServeMux(), metrics: metrics.NewSet(), uploads: newUploads(config.UploadWait, config.UploadStall)}
	f.inFlight = f.metrics.NewGauge("banyan_http_requests_in_flight", nil)
	f.API = humago.New(f.Mux, apiConfig(config.Version))
	f.API.UseMiddleware(f.guard, f.gate)
	f.openAPI = sync.OnceValues(func() ([]byte, error) { return json.MarshalIndent(f.API.OpenAPI(), "", " ") })
	f.fixedRoutes()
	return f, nil
}

func apiConfig(version string) huma.Config {
	format := huma.Format{Marshal: httperr.Encode, Unmarshal: json.Unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Banyan", Version: version, Description: "The staff app's door. Each operation declares the policy action that guards it (" +
				ExtAction + ", " + ExtKind + "). Denied and absent give the same 404."},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{"session": {Type: "apiKey", In: "cookie", Name: secureCookie,
					Description: "Set by /api/sign-in; named " + plainCookie + " on plain loopback."}},
			},
			Security: []map[string][]string{{"session": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// fixedRoutes are those that no room owns.
func (f *Frame) fixedRoutes() {
	absent := func(w http.ResponseWriter, r *http.Request) {
		httperr.Note(r.Context(), fault.Absent())
		httperr.Write(w, fault.Absent())
	}
	f.Mux.HandleFunc("/api/", absent)
	f.Mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		doc, err := f.openAPI()
		if err != nil {
			httperr.Note(r.Context(), err)
			httperr.Write(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(doc)
	})
	f.Mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if f.config.Ready != nil {
			if err := f.config.Ready(r.Context()); err != nil {
				httperr.Note(r.Context(), err)
				http.Error(w, "not ready", http.StatusServiceUnavailable)
				return
			}
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
	f.Mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !f.fromThisMachine(r) {
			absent(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		f.metrics.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
	})
	f.Mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			absent(w, r)
			return
		}
		f.config.App.ServeHTTP(w, r)
	})
}

// Metrics is where rooms add their own figures; names and labels carry no
// personal data.
func (f *Frame) Metrics() *metrics.Set { return f.metrics }

// Handler gives the whole door. Registration ends here.
func (f *Frame) Handler() http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httperr.Note(r.Context(), errors.New("refused: sent by another site"))
		httperr.Write(w, fault.Absent())
	}))
	return f.around(cross.Handler(f.Mux))
}

// Serve answers on the listener until ctx ends; then it takes no new request
// and waits for the running ones.
func (f *Frame) Serve(ctx context.Context, l net.Listener) error {
	if faults := Check(f.API, f.config.Policy); len(faults) > 0 {
		return fmt.Errorf("routes without a policy: %w", errors.Join(faults...))
	}
	s := &http.Server{
		Handler: f.Handler(), ReadHeaderTimeout: headerTime, ReadTimeout: uploadTime, WriteTimeout: uploadTime + answerTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog:    slog.NewLogLogger(withoutDetail{f.config.Log.Handler()}, slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stoppingFor)
	defer cancel()
	if err := s.Shutdown(stop); err != nil {
		return fmt.Errorf("stopping: %w", errors.Join(err, s.Close()))
	}
	return nil
}

// withoutDetail keeps the HTTP library's own messages out of the log: they may
// quote what a client sent. That something happened is kept.
type withoutDetail struct{ slog.Handler }

func (h withoutDetail) Handle(ctx context.Context, r slog.Record) error {
	return h.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "the HTTP server refused or lost a connection", r.PC))
}

func newRequestID() string {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	return hex.EncodeToString(b[:])
}
