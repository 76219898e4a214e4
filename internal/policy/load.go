package policy

// Loading the table. Every fault names the line of the file and what would
// have to change; a file with a fault gives no table at all, so that a typing
// mistake never opens anything.

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// File is the table's name in the content folder.
const File = "policy.yaml"

// Fault is one mistake in the file. Line is 0 when the file as a whole is
// meant.
type Fault struct {
	File string
	Line int
	Text string
}

func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
}

// Error makes a fault an error.
func (f Fault) Error() string { return f.String() }

// Load reads the table from File in fsys. The table is nil when there are
// faults.
func Load(fsys fs.FS) (*Table, []Fault) {
	raw, err := fs.ReadFile(fsys, File)
	if err != nil {
		return nil, []Fault{{File, 0, "cannot be read: " + err.Error()}}
	}
	return Parse(raw)
}

// Parse reads the table from its text.
func Parse(raw []byte) (*Table, []Fault) {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, []Fault{{File, 0, "is not YAML: " + err.Error()}}
	}
	if len(doc.Content) != 1 {
		return nil, []Fault{{File, 0, "is empty"}}
	}
	l := &loader{t: &Table{
		tiers: map[Tier]Text{}, roles: map[Role]roleInfo{}, relations: map[Relation]Text{},
		kinds: map[string]kindInfo{}, actions: map[Action]actionInfo{}, purposes: map[string]Text{},
	}}
	l.table(doc.Content[0])
	if len(l.faults) > 0 {
		return nil, l.faults
	}
	return l.t, nil
}

type loader struct {
	t      *Table
	faults []Fault
}

func (l *loader) fault(n *yaml.Node, format string, args ...any) {
	l.faults = append(l.faults, Fault{File, n.Line, fmt.Sprintf(format, args...)})
}

// entry is one key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// entries lists a mapping's keys, each once and, when known is given, each
// known.
func (l *loader) entries(n *yaml.Node, what string, known ...string) map[string]entry {
	out := map[string]entry{}
	if n.Kind != yaml.MappingNode {
		l.fault(n, "%s must be a mapping", what)
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if len(known) > 0 && !slices.Contains(known, k.Value) {
			l.fault(k, "%s has no key %q; it has %s", what, k.Value, strings.Join(known, ", "))
			continue
		}
		if _, twice := out[k.Value]; twice {
			l.fault(k, "%s has %q twice", what, k.Value)
			continue
		}
		out[k.Value] = entry{k, v}
	}
	return out
}

func (l *loader) table(root *yaml.Node) {
	top := []string{"version", "tiers", "roles", "relations", "kinds", "actions", "purposes", "break_glass", "rules"}
	parts := l.entries(root, "the table", top...)
	for _, key := range top {
		if _, ok := parts[key]; !ok {
			l.fault(root, "the table has no %s", key)
		}
	}
	if len(l.faults) > 0 {
		return
	}
	l.t.Version = l.number(parts["version"].value, "version")
	l.words(parts["tiers"].value, "tiers", asStrings(AllTiers), nil, func(id string, text Text, _ map[string]bool) {
		l.t.tiers[Tier(id)] = text
	})
	l.words(parts["roles"].value, "roles", AllRoles, []string{"person_level"}, func(id string, text Text, flags map[string]bool) {
		l.t.roles[id] = roleInfo{text, flags["person_level"]}
	})
	l.words(parts["relations"].value, "relations", asStrings(AllRelations), nil, func(id string, text Text, _ map[string]bool) {
		l.t.relations[Relation(id)] = text
	})
	l.words(parts["actions"].value, "actions", asStrings(AllActions), []string{"tiers", "step_up", "never_own"}, func(id string, text Text, flags map[string]bool) {
		l.t.actions[Action(id)] = actionInfo{text, flags["tiers"], flags["step_up"], flags["never_own"]}
	})
	l.words(parts["kinds"].value, "kinds", nil, []string{"person"}, func(id string, text Text, flags map[string]bool) {
		l.t.kinds[id] = kindInfo{text, flags["person"]}
		l.t.kindOrder = append(l.t.kindOrder, id)
	})
	l.words(parts["purposes"].value, "purposes", nil, nil, func(id string, text Text, _ map[string]bool) {
		l.t.purposes[id] = text
	})
	l.glass(parts["break_glass"].value)
	l.rules(parts["rules"].value)
}

// words reads a list of names with their texts and flags. When all is given
// exactly these names must stand there.
func (l *loader) words(n *yaml.Node, what string, all, flags []string, take func(string, Text, map[string]bool)) {
	if n.Kind != yaml.MappingNode {
		l.fault(n, "%s must be a mapping", what)
		return
	}
	got := l.entries(n, what, all...)
	for _, id := range all {
		if _, ok := got[id]; !ok {
			l.fault(n, "%s has no %s", what, id)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 { // the file's order
		id := n.Content[i].Value
		e, ok := got[id]
		if !ok || e.key != n.Content[i] {
			continue
		}
		values := l.entries(e.value, what+" "+id, append([]string{"en", "vi", "km"}, flags...)...)
		set := map[string]bool{}
		for _, f := range flags {
			if v, ok := values[f]; ok {
				set[f] = l.flag(v.value, what+" "+id+" "+f)
			}
		}
		take(id, l.text(e.value, values, what+" "+id), set)
	}
}

func (l *loader) text(n *yaml.Node, values map[string]entry, what string) Text {
	read := func(lang string) string {
		e, ok := values[lang]
		if !ok || e.value.Kind != yaml.ScalarNode || strings.TrimSpace(e.value.Value) == "" {
			l.fault(n, "%s says nothing in %s", what, lang)
			return ""
		}
		return e.value.Value
	}
	out := Text{EN: read("en"), VI: read("vi")}
	if _, ok := values["km"]; ok { // not every word is said in Khmer yet
		out.KM = read("km")
	}
	return out
}

func (l *loader) glass(n *yaml.Node) {
	e := l.entries(n, "break_glass", "minutes", "reason_at_least", "notify")
	if len(e) != 3 {
		l.fault(n, "break_glass needs minutes, reason_at_least and notify")
		return
	}
	minutes := l.number(e["minutes"].value, "minutes")
	l.t.Glass.For = time.Duration(minutes) * time.Minute
	if minutes < 1 || l.t.Glass.For > longestGlass {
		l.fault(e["minutes"].value, "break-glass lasts between 1 and %d minutes, not %d", int(longestGlass.Minutes()), minutes)
	}
	l.t.Glass.ReasonAtLeast = l.number(e["reason_at_least"].value, "reason_at_least")
	if l.t.Glass.ReasonAtLeast < shortestReason {
		l.fault(e["reason_at_least"].value, "a reason for break-glass has at least %d characters", shortestReason)
	}
	l.t.Glass.Notify = l.list(e["notify"].value, "notify", func(s string) bool { return l.t.HasRole(s) })
	if len(l.t.Glass.Notify) < fewestNotified {
		l.fault(e["notify"].value, "break-glass tells at least %d people", fewestNotified)
	}
}

func (l *loader) rules(n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		l.fault(n, "rules must be a list")
		return
	}
	seen := map[string]bool{}
	for _, item := range n.Content {
		rule, ok := l.rule(item)
		if !ok {
			continue
		}
		if seen[rule.ID] {
			l.fault(item, "rule %s stands twice", rule.ID)
		}
		seen[rule.ID] = true
		l.limits(item, rule)
		l.t.rules = append(l.t.rules, rule)
	}
}

func (l *loader) rule(n *yaml.Node) (Rule, bool) {
	before := len(l.faults)
	e := l.entries(n, "rule", "rule", "roles", "kind", "when", "may", "tiers", "forms", "en", "vi")
	for _, key := range []string{"rule", "roles", "kind", "when", "may"} {
		if _, ok := e[key]; !ok {
			l.fault(n, "the rule has no %s", key)
		}
	}
	if len(l.faults) > before {
		return Rule{}, false
	}
	r := Rule{ID: e["rule"].value.Value, Kind: e["kind"].value.Value, Line: n.Line}
	what := "rule " + r.ID
	if !l.t.HasKind(r.Kind) {
		l.fault(e["kind"].value, "%s: there is no kind %q", what, r.Kind)
	}
	r.Roles = l.list(e["roles"].value, what+" roles", l.t.HasRole)
	for _, s := range l.list(e["when"].value, what+" when", func(s string) bool { _, ok := l.t.relations[Relation(s)]; return ok }) {
		r.When = append(r.When, Relation(s))
	}
	for _, s := range l.list(e["may"].value, what+" may", func(s string) bool { return l.t.HasAction(Action(s)) }) {
		r.May = append(r.May, Action(s))
	}
	if v, ok := e["tiers"]; ok {
		for _, s := range l.list(v.value, what+" tiers", func(s string) bool { _, ok := l.t.tiers[Tier(s)]; return ok }) {
			r.Tiers = append(r.Tiers, Tier(s))
		}
	}
	if v, ok := e["forms"]; ok {
		r.Forms = l.list(v.value, what+" forms", func(string) bool { return true })
	}
	r.Text = l.text(n, e, what)
	return r, len(l.faults) == before
}

// limits holds what no file may loosen.
func (l *loader) limits(n *yaml.Node, r Rule) {
	tiered := slices.ContainsFunc(r.May, func(a Action) bool { return l.t.actions[a].tiers })
	if tiered && len(r.Tiers) == 0 {
		l.fault(n, "rule %s reads or writes, but names no tiers", r.ID)
	}
	if !tiered && len(r.Tiers) > 0 {
		l.fault(n, "rule %s names tiers, but none of its actions opens any", r.ID)
	}
	if !l.t.kinds[r.Kind].person {
		return
	}
	if slices.Contains(r.When, None) && slices.ContainsFunc(r.May, func(a Action) bool { return a != Open }) {
		l.fault(n, "rule %s: without a relation to a record about a person one may only open a new one", r.ID)
	}
	for _, role := range r.Roles {
		if len(r.Tiers) > 0 && !l.t.roles[role].personLevel {
			l.fault(n, "rule %s gives tiers of a record about a person to %s, who sees none (person_level: false)", r.ID, role)
		}
	}
}

func (l *loader) list(n *yaml.Node, what string, known func(string) bool) []string {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		l.fault(n, "%s must be a list with at least one word", what)
		return nil
	}
	var out []string
	for _, item := range n.Content {
		switch {
		case item.Kind != yaml.ScalarNode || !known(item.Value):
			l.fault(item, "%s: there is no %q", what, item.Value)
		case slices.Contains(out, item.Value):
			l.fault(item, "%s: %q stands twice", what, item.Value)
		default:
			out = append(out, item.Value)
		}
	}
	return out
}

func (l *loader) number(n *yaml.Node, what string) int {
	var v int
	if err := n.Decode(&v); err != nil || n.Kind != yaml.ScalarNode {
		l.fault(n, "%s must be a whole number", what)
	}
	return v
}

func (l *loader) flag(n *yaml.Node, what string) bool {
	var v bool
	if err := n.Decode(&v); err != nil || n.Kind != yaml.ScalarNode {
		l.fault(n, "%s must be true or false", what)
	}
	return v
}

func asStrings[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return out
}
