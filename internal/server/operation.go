package server

// Each route says in its OpenAPI operation which action of the policy it is.
// The frame enforces that before it reads the body, the published document
// shows it, and the generated test over all routes, roles and relations is
// made from it. A route that says nothing is not served: New's caller finds it
// with Check, and until then its answer is "absent".

import (
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/policy"
)

// Names of the extensions in the OpenAPI document.
const (
	ExtAction = "x-banyan-action"
	ExtKind   = "x-banyan-kind"
	ExtStepUp = "x-banyan-step-up"
	ExtUpload = "x-banyan-upload"
)

// Guards that are no action of the policy.
const (
	Public policy.Action = "public" // nobody needs to be signed in
	Self   policy.Action = "self"   // anybody who is signed in, over their own account
)

// AnyKind stands for a route that takes records of several kinds; its handler
// asks the policy for each.
const AnyKind = "*"

// Guard says who may call a route. Kind is the kind of record; empty means
// what the action implies ("register.read": register, "admin.users": office,
// else case).
type Guard struct {
	Action policy.Action
	Kind   string
	StepUp bool // a fresh proof is needed even where the action alone asks none
	Upload bool // the body is a file: MaxUpload instead of MaxBody
}

// Operation makes a route: method, path, a unique id ("case-open"), a summary
// in a few words, and its guard.
func Operation(method, path, id, summary string, g Guard) huma.Operation {
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		Tags:            []string{strings.SplitN(strings.TrimPrefix(path, "/api/"), "/", 2)[0]},
		BodyReadTimeout: -1, // the gate reads the body under its own deadline
		MaxBodyBytes:    MaxUpload + 1<<20,
		Extensions:      map[string]any{ExtAction: string(g.Action)},
	}
	if g.Kind != "" {
		op.Extensions[ExtKind] = g.Kind
	}
	if g.StepUp {
		op.Extensions[ExtStepUp] = true
	}
	if g.Upload {
		op.Extensions[ExtUpload] = true
	}
	return op
}

// GuardOf reads the guard of a route; false: it declares none.
func GuardOf(op *huma.Operation) (Guard, bool) {
	action, ok := op.Extensions[ExtAction].(string)
	if !ok || action == "" {
		return Guard{}, false
	}
	g := Guard{Action: policy.Action(action)}
	g.Kind, _ = op.Extensions[ExtKind].(string)
	g.StepUp, _ = op.Extensions[ExtStepUp].(bool)
	g.Upload, _ = op.Extensions[ExtUpload].(bool)
	if g.Kind == "" {
		g.Kind = kindOf(action)
	}
	return g, true
}

func kindOf(action string) string {
	switch {
	case strings.HasPrefix(action, "register."):
		return "register"
	case strings.Contains(action, "."):
		return "office"
	default:
		return "case"
	}
}

// Check says which routes declare no action, or one that the policy does not
// know. A program with such a route must not start.
func Check(api huma.API, table *policy.Table) []error {
	var out []error
	for _, op := range Operations(api.OpenAPI()) {
		name := op.Method + " " + op.Path
		g, ok := GuardOf(op)
		switch {
		case !ok:
			out = append(out, fmt.Errorf("%s declares no policy action (%s)", name, ExtAction))
		case g.Action == Public || g.Action == Self:
		case !table.HasAction(g.Action):
			out = append(out, fmt.Errorf("%s declares the action %q, which the policy does not know", name, g.Action))
		case g.Kind != AnyKind && !table.HasKind(g.Kind):
			out = append(out, fmt.Errorf("%s declares the kind %q, which the policy does not know", name, g.Kind))
		}
	}
	return out
}

// Operations lists all routes of the document, by path and method.
func Operations(doc *huma.OpenAPI) []*huma.Operation {
	var out []*huma.Operation
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Options, item.Head, item.Patch, item.Trace} {
			if op != nil {
				out = append(out, op)
			}
		}
	}
	slices.SortFunc(out, func(a, b *huma.Operation) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
	return out
}
