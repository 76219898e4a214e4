package server

// Two gates before a room's handler: who calls and whether the policy could
// ever allow it, then whether the body is bounded and well-formed.

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json/jsontext"

	"banyan/internal/fault"
	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server/httperr"
)

// The HTTP library puts what of an upload is over 8 KiB into a temporary file,
// unsealed, and leaves it there. An upload is held in memory instead: checkBody
// bounds it well under this.
//
// The standard library reads "Name" into the field "name" too, and what is
// checked as one would be taken from the other: names are what they are.
func init() {
	humago.MultipartMaxMemory = 2 * (MaxUpload + MaxBody)
	huma.ValidateStrictCasing = true
}

// guard knows the caller and asks the policy. It allows only what some rule
// could allow; which record it is, its handler decides.
func (f *Frame) guard(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	refuse := func(err error) {
		httperr.Note(r.Context(), err)
		httperr.Write(w, err)
	}
	g, ok := GuardOf(ctx.Operation())
	if !ok {
		refuse(fault.Absent())
		return
	}
	if g.Action == Public {
		next(ctx)
		return
	}
	p, err := f.config.Identity.Authenticate(r.Context(), Token(r.Context()))
	if err != nil {
		refuse(err)
		return
	}
	known := identity.With(ctx.Context(), p)
	if f.config.Say != nil {
		known = httperr.WithWords(known, func(english string) string { return f.config.Say(p.Lang, english) })
	}
	refuse = func(err error) {
		httperr.Note(r.Context(), err)
		httperr.WriteIn(known, w, err)
	}
	if !Allows(f.config.Policy, p, g) {
		refuse(fault.Absent())
		return
	}
	if (g.StepUp || f.config.Policy.NeedsStepUp(g.Action)) && !f.config.Identity.SteppedUp(p) {
		refuse(fault.New(fault.StepUp, "prove once more that it is you"))
		return
	}
	next(huma.WithContext(ctx, known))
}

// Subject is how the policy sees a signed-in user.
func Subject(p identity.Principal) policy.Subject {
	return policy.Subject{User: p.User, Org: p.Org, Roles: p.Roles}
}

// Allows says whether the frame lets p through to a route with that guard.
func Allows(table *policy.Table, p identity.Principal, g Guard) bool {
	s := Subject(p)
	switch {
	case g.Action == Public || g.Action == Self:
		return true
	case g.Kind == AnyKind:
		for _, kind := range table.Kinds() {
			if table.Might(s, g.Action, kind) {
				return true
			}
		}
		return false
	case g.Kind == "office" || g.Kind == "register":
		return table.Decide(s, g.Action, policy.Resource{Kind: g.Kind, Relation: policy.None}).Allowed
	default:
		return table.Might(s, g.Action, g.Kind)
	}
}

// gate bounds and checks the body.
func (f *Frame) gate(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	refuse := func(err error) {
		httperr.Note(r.Context(), err)
		httperr.WriteIn(ctx.Context(), w, err)
	}
	g, _ := GuardOf(ctx.Operation())
	if err := checkBody(w, r, g.Upload, ctx.Operation().RequestBody != nil); err != nil {
		refuse(err)
		return
	}
	if g.Upload {
		p, _ := identity.From(ctx.Context())
		leave, err := f.uploads.enter(w, r, p.User)
		if err != nil {
			refuse(err)
			return
		}
		defer leave()
		if err := f.uploads.receive(r); err != nil {
			refuse(err)
			return
		}
	}
	next(ctx)
}

func checkBody(w http.ResponseWriter, r *http.Request, upload, expected bool) error {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if upload && media == "multipart/form-data" {
		if r.ContentLength > MaxUpload+MaxBody {
			_, _ = io.CopyN(io.Discard, r.Body, 2*MaxUpload) // let in and dropped, as below
			return fault.New(fault.TooLarge, "the file is larger than 20 MB")
		}
		r.Body = http.MaxBytesReader(w, r.Body, MaxUpload+MaxBody)
		return nil
	}
	if !expected {
		return fault.Field("", "unexpected", "this request takes no body")
	}
	if err != nil || media != "application/json" {
		return fault.Field("", "media", "the body must be application/json")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // a connection's deadline, no time of the work; a test's writer has none
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if err != nil {
		return fault.Wrap(fault.Unavailable, "the request did not arrive whole", err)
	}
	if len(body) > MaxBody {
		// What is on its way is let in and dropped, within a bound: a browser
		// that is cut off in mid-body never sees the answer.
		_, _ = io.CopyN(io.Discard, r.Body, MaxUpload)
		return fault.New(fault.TooLarge, "the request is too large")
	}
	if err := CheckJSON(body); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// CheckJSON refuses what a lenient reader would quietly change: invalid UTF-8,
// a name that stands twice, deep nesting, numbers past what a float64 holds, NUL
// characters (which PostgreSQL cannot keep), anything after the value. The fault
// names the field.
//
// Other control characters, and those that turn the direction of writing, are
// kept as written: they come with text copied from papers and telephones, and a
// note must not be refused for something that nobody can see. Khmer and Bengali
// need the invisible joiners. File names alone lose them (casework.cleanName),
// since they are shown outside of the program too.
func CheckJSON(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.ReadToken()
		if err != nil {
			return jsonFault(err)
		}
		if d.StackDepth() > maxDepth {
			return fault.Field(pathOf(string(d.StackPointer())), "depth", "is nested too deeply")
		}
		if token.Kind() == '"' && strings.ContainsRune(token.String(), 0) {
			return fault.Field(pathOf(string(d.StackPointer())), "utf8", "holds a character that is not text")
		}
		if token.Kind() == '0' && !keepable(token.String()) {
			return fault.Field(pathOf(string(d.StackPointer())), "number", "is a number that cannot be kept as it is")
		}
		if d.StackDepth() == 0 {
			break
		}
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return fault.Field("", "json", "more follows after the JSON value")
	}
	return nil
}

// keepable says whether a number stays what it is: 1e999 is no number here, and
// a long whole number would lose its last digits.
func keepable(literal string) bool {
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return false
	}
	whole := !strings.ContainsAny(literal, ".eE")
	return !whole || len(literal) <= 15 || strconv.FormatFloat(f, 'f', -1, 64) == literal
}

func jsonFault(err error) error {
	var bad *jsontext.SyntacticError
	if !errors.As(err, &bad) {
		return fault.Field("", "json", "is not JSON")
	}
	path := pathOf(string(bad.JSONPointer))
	text := bad.Error() // only compared, never shown: it quotes the input
	switch {
	case strings.Contains(text, "UTF-8"):
		return fault.Field(path, "utf8", "is not valid UTF-8 text")
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fault.Field(path, "twice", "stands twice")
	default:
		return fault.Field(path, "json", "is not JSON")
	}
}

// pathOf writes a JSON pointer (RFC 6901) as a path: "/entries/0/id" becomes
// "entries[0].id".
func pathOf(pointer string) string {
	var b strings.Builder
	for i, part := range strings.Split(pointer, "/") {
		if i == 0 {
			continue
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		if _, err := strconv.Atoi(part); err == nil {
			b.WriteString("[" + part + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	out := strings.ToValidUTF8(b.String(), "�")
	if r := []rune(out); len(r) > 300 {
		return string(r[:300])
	}
	return out
}
