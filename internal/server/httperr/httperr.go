// Package httperr turns faults into answers, in this one place.
//
// It promises: what is denied and what is absent are the same bytes; an
// answer never holds what the caller sent, only the path of the field and the
// rule it broke; an unexpected error shows nothing of itself.
package httperr

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/fault"
)

// Status of each code.
var Status = map[fault.Code]int{
	fault.Misuse:          http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.StepUp:          http.StatusForbidden,
	fault.DeniedOrAbsent:  http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.RateLimited:     http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Internal:        http.StatusInternalServerError,
}

// Answer is the body of every failure.
type Answer struct {
	Fault Body `json:"error"`

	cause      error
	retryAfter int
}

// Body says what went wrong.
type Body struct {
	Code     fault.Code      `json:"code"`
	Message  string          `json:"message"`
	Problems []fault.Problem `json:"problems"`
}

// Error gives the message; with GetStatus and GetHeaders it lets the API write
// the answer.
func (a *Answer) Error() string { return a.Fault.Message }

// GetStatus gives the HTTP status.
func (a *Answer) GetStatus() int { return Status[a.Fault.Code] }

// GetHeaders gives Retry-After where waiting helps.
func (a *Answer) GetHeaders() http.Header {
	h := http.Header{}
	if a.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	return h
}

// Unwrap gives the error behind the answer, for the log.
func (a *Answer) Unwrap() error { return a.cause }

const mostProblems = 50

// Of makes the answer to an error.
func Of(err error) *Answer {
	var done *Answer
	if errors.As(err, &done) {
		return done
	}
	var f *fault.Error
	switch {
	case errors.As(err, &f):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		f = fault.Wrap(fault.Unavailable, "this took too long; try again", err)
	default:
		f = fault.Wrap(fault.Internal, "something went wrong here; it was noted", err)
	}
	if f.Code == fault.DeniedOrAbsent {
		f = fault.Absent() // whatever words it came with
	}
	if f.Code == fault.Internal {
		f = fault.Wrap(fault.Internal, "something went wrong here; it was noted", err)
	}
	problems := append([]fault.Problem{}, f.Problems...)
	if len(problems) > mostProblems {
		problems = problems[:mostProblems]
	}
	return &Answer{Fault: Body{f.Code, f.Message, problems}, cause: err, retryAfter: int(math.Ceil(f.RetryAfter.Seconds()))}
}

// Encode writes v as all answers are written.
func Encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Write answers a request with an error outside of the API's own handlers.
func Write(w http.ResponseWriter, err error) { WriteIn(context.Background(), w, err) }

// WriteIn does so in the language of the context.
func WriteIn(ctx context.Context, w http.ResponseWriter, err error) {
	a := Of(err).in(ctx)
	for k, v := range a.GetHeaders() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.GetStatus())
	_ = Encode(w, a) // the client is gone if this fails
}

// The API library's own errors (validation above all) become our answers, and
// lose the values that it would echo. The library keeps these two functions in
// variables of its package, so they are set once for the whole process.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return fromLibrary(status, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		a := fromLibrary(status, errs)
		if ctx != nil {
			a = a.in(ctx.Context())
			Note(ctx.Context(), a)
			for k, v := range a.GetHeaders() {
				ctx.SetHeader(k, v[0])
			}
		}
		return a
	}
}

type wordsKey struct{}

// WithWords gives a context in which answers say their fixed English sentences
// in the reader's language.
func WithWords(ctx context.Context, say func(english string) string) context.Context {
	return context.WithValue(ctx, wordsKey{}, say)
}

// in says the answer in the language of the context.
func (a *Answer) in(ctx context.Context) *Answer {
	say, ok := ctx.Value(wordsKey{}).(func(string) string)
	if !ok {
		return a
	}
	said := *a
	said.Fault.Message = say(a.Fault.Message)
	said.Fault.Problems = make([]fault.Problem, len(a.Fault.Problems))
	for i, p := range a.Fault.Problems {
		said.Fault.Problems[i] = fault.Problem{Path: p.Path, Code: p.Code, Message: say(p.Message)}
	}
	return &said
}

type noteKey struct{}

// WithNote gives a context in which the last error of a request is noted for
// its access line.
func WithNote(ctx context.Context, note *error) context.Context {
	return context.WithValue(ctx, noteKey{}, note)
}

// Note keeps err for the access line.
func Note(ctx context.Context, err error) {
	if note, ok := ctx.Value(noteKey{}).(*error); ok {
		*note = err
	}
}

func fromLibrary(status int, errs []error) *Answer {
	for _, err := range errs {
		var f *fault.Error
		var a *Answer
		if errors.As(err, &f) || errors.As(err, &a) {
			return Of(err)
		}
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return Of(fault.New(fault.TooLarge, "the request is too large"))
	case status == http.StatusNotFound:
		return Of(fault.Absent())
	case status >= 400 && status < 500:
		return Of(&fault.Error{Code: fault.Misuse, Message: "the request has mistakes", Problems: problems(errs)})
	default:
		return Of(errors.Join(errs...))
	}
}

func problems(errs []error) []fault.Problem {
	out := []fault.Problem{}
	for _, err := range errs {
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			out = append(out, problem(d.ErrorDetail()))
			continue
		}
		out = append(out, fault.Problem{Code: "format", Message: "is not of the expected form"})
	}
	// The library walks maps: without an order one request would have several answers.
	slices.SortStableFunc(out, func(a, b fault.Problem) int { return strings.Compare(a.Path+" "+a.Code, b.Path+" "+b.Code) })
	return out
}

// problem keeps the path and, where it is known to come from the schema
// alone, the message.
func problem(d *huma.ErrorDetail) fault.Problem {
	path := d.Location
	for _, prefix := range []string{"body.", "query.", "path.", "header.", "cookie.", "form."} {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			path = rest
			break
		}
	}
	if path == "body" {
		path = ""
	}
	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok { // a name of the schema's
		name, _, _ = strings.Cut(name, " ")
		path = strings.TrimPrefix(path+"."+name, ".")
	}
	code, message := "format", "is not of the expected form"
	for _, m := range messages {
		if strings.HasPrefix(d.Message, m.starts) {
			code, message = m.code, m.say
			if m.keep {
				message = d.Message
			}
			break
		}
	}
	return fault.Problem{Path: clip(path, 300), Code: code, Message: message}
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// messages lists the library's messages that quote only the schema. Any other
// one might quote the value and is replaced.
var messages = []struct {
	starts, code string
	keep         bool
	say          string
}{
	{"unexpected property", "unknown", false, "there is no such field"},
	{"unknown query parameter", "unknown", false, "there is no such parameter"},
	{"expected required property", "required", false, "a required field is missing"},
	{"required ", "required", false, "a required field is missing"},
	{"expected value to be one of", "choice", true, ""},
	{"expected length", "length", true, ""},
	{"expected array length", "length", true, ""},
	{"expected array items", "twice", true, ""},
	{"expected number to be", "range", true, ""},
	{"expected number >", "range", true, ""},
	{"expected number <", "range", true, ""},
	{"expected boolean", "type", true, ""},
	{"expected number", "type", true, ""},
	{"expected integer", "type", true, ""},
	{"expected string to match pattern", "format", true, ""},
	{"expected string to be", "format", false, "is not of the expected form"},
	{"expected string", "type", true, ""},
	{"expected array", "type", true, ""},
	{"expected object", "type", true, ""},
}
