package server

// What surrounds every request: its id, the headers of every answer, the time
// it may take, the one line in the log, and what happens when a handler
// panics.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"banyan/internal/fault"
	"banyan/internal/server/httperr"
)

// contentPolicy lets pages load what this server itself serves, nothing
// inline, nothing from anywhere else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; " +
	"manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

var fixedHeaders = map[string]string{
	"Content-Security-Policy":      contentPolicy,
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	"X-Robots-Tag":                 "noindex, nofollow",
}

// request is what the frame knows about a request; rooms ask for parts of it.
type request struct {
	id      string
	address string
	device  string
	token   string
	marks   string
	failed  error
	remark  string
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// Address says from which address the request comes, for throttling only.
func Address(ctx context.Context) string { return requestOf(ctx).address }

// Device is a rough label of the browser and system ("Firefox, Android").
func Device(ctx context.Context) string { return requestOf(ctx).device }

// Token is the session cookie's value; empty: none came.
func Token(ctx context.Context) string { return requestOf(ctx).token }

// Marks say who has signed in on this device before, for throttling only.
func Marks(ctx context.Context) string { return requestOf(ctx).marks }

func marksOf(r *http.Request) string {
	c, err := r.Cookie(deviceCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// Remark puts words into the request's line of the log. They are the program's
// own: nothing that was sent, nothing about a person.
func Remark(ctx context.Context, words string) { requestOf(ctx).remark = words }

// RequestID names the request in the log.
func RequestID(ctx context.Context) string { return requestOf(ctx).id }

func (f *Frame) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now() // a duration for the log, no time of the work
		rec := &recorder{ResponseWriter: w}
		req := &request{id: newRequestID(), address: f.address(r), device: deviceLabel(r.UserAgent()), token: f.cookieOf(r), marks: marksOf(r)}
		f.headers(rec, r, req)
		f.inFlight.Inc()
		defer f.inFlight.Dec()

		ctx, cancel := context.WithTimeout(r.Context(), timeFor(r))
		defer cancel()
		ctx = httperr.WithNote(context.WithValue(ctx, requestKey{}, req), &req.failed)
		r = r.WithContext(ctx)
		defer func() {
			if p := recover(); p != nil {
				f.panicked(rec, req, p)
			}
			f.line(r, rec, req, time.Since(start))
		}()
		next.ServeHTTP(rec, r)
	})
}

func timeFor(r *http.Request) time.Duration {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return uploadTime
	}
	return bodyTime + answerTime
}

func (f *Frame) headers(w http.ResponseWriter, r *http.Request, req *request) {
	h := w.Header()
	for k, v := range fixedHeaders {
		h.Set(k, v)
	}
	if f.config.Secure {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		h.Set("Cache-Control", "no-store")
	}
	h.Set("Request-Id", req.id)
}

// panicked answers a plain 500. The panic's value may hold anything, so the
// log gets its type and where it came from.
func (f *Frame) panicked(w *recorder, req *request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	req.failed = errors.New("panic")
	f.config.Log.Error("a handler panicked", "request", req.id, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
	if !w.wrote {
		httperr.Write(w, fault.New(fault.Internal, ""))
	}
}

// line writes the one line of a request. Paths hold ids, so the pattern stands
// for them; queries and names never appear.
func (f *Frame) line(r *http.Request, w *recorder, req *request, took time.Duration) {
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	f.metrics.GetOrCreateCounter(fmt.Sprintf(`banyan_http_requests_total{route=%q,status="%dxx"}`, route, status/100)).Inc()
	f.metrics.GetOrCreateHistogram(fmt.Sprintf(`banyan_http_request_seconds{route=%q}`, route)).Update(took.Seconds())
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("method", r.Method), slog.String("route", route), slog.Int("status", status),
		slog.Int64("bytes", w.bytes), slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("request", req.id),
	}
	if status >= 500 && req.failed != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("cause", causeOf(req.failed)))
	}
	if req.remark != "" {
		level = max(level, slog.LevelWarn)
		attrs = append(attrs, slog.String("remark", req.remark))
	}
	f.config.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// causeOf unrolls what stands behind an answer.
func causeOf(err error) string {
	var a *httperr.Answer
	if errors.As(err, &a) && errors.Unwrap(a) != nil {
		err = errors.Unwrap(a)
	}
	text := err.Error()
	if len(text) > 500 {
		text = text[:500]
	}
	return text
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	wrote  bool
}

func (w *recorder) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.wrote = true
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// address is the peer's, or what the last untrusted hop was when trusted
// proxies stand in between.
func (f *Frame) address(r *http.Request) string {
	peer := peerOf(r)
	if !f.trusted(peer) {
		return peer.String()
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if !f.trusted(hop) {
			return hop.Unmap().String()
		}
	}
	return peer.String()
}

func (f *Frame) trusted(a netip.Addr) bool {
	for _, p := range f.config.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func peerOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// fromThisMachine holds the figures back from everybody else, also from who
// comes through a proxy on this machine.
func (f *Frame) fromThisMachine(r *http.Request) bool {
	for _, h := range []string{"X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	return peerOf(r).IsLoopback()
}

// deviceLabel names browser and system roughly, so that a user recognises a
// session; the exact string is nobody's business.
func deviceLabel(agent string) string {
	pick := func(pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	browser := pick("Edg", "Edge", "SamsungBrowser", "Samsung", "OPR/", "Opera", "Firefox", "Firefox", "Chrom", "Chrome", "Safari", "Safari")
	system := pick("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	switch {
	case browser == "" && system == "":
		return "unknown device"
	case browser == "" || system == "":
		return browser + system
	default:
		return browser + ", " + system
	}
}
