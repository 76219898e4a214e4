package screening

// Reading instruments. Each fault names file, line and field; a file with a
// fault gives no instrument, so that a typing mistake never lowers a result.

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Dir is the folder of instruments in the content.
const Dir = "instruments"

// Limits of one file.
const (
	maxFileSize  = 1 << 20
	maxDepth     = 12
	maxItems     = 400 // in any one list
	maxDimension = 8   // all their combinations are tried
)

var idShape = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// Fault is one mistake. Line is 0 when the file as a whole is meant.
type Fault struct {
	File    string
	Line    int
	Field   string
	Message string
}

func (f Fault) String() string {
	s := f.File
	if f.Line > 0 {
		s += ":" + strconv.Itoa(f.Line)
	}
	if f.Field != "" {
		s += ": " + f.Field
	}
	return s + ": " + f.Message
}

// Error makes a fault an error.
func (f Fault) Error() string { return f.String() }

// Load reads every instrument of a content folder and what labels/ says of it
// in other languages. A folder without instruments gives an empty set.
func Load(fsys fs.FS) (*Set, []Fault) {
	s := &Set{all: map[string]*Instrument{}}
	names, err := fs.Glob(fsys, Dir+"/*.yaml")
	if err != nil {
		return s, []Fault{{File: Dir, Message: "cannot be read"}}
	}
	var faults []Fault
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			faults = append(faults, Fault{File: name, Message: "cannot be read"})
			continue
		}
		in, found := Parse(name, data)
		faults = append(faults, found...)
		if in == nil {
			continue
		}
		if s.all[in.ID] != nil {
			faults = append(faults, Fault{File: name, Field: "instrument", Message: fmt.Sprintf("%s has the name %q already", s.all[in.ID].file, in.ID)})
			continue
		}
		s.all[in.ID] = in
		s.list = append(s.list, in)
		if in.InForce && s.now != nil {
			faults = append(faults, Fault{File: name, Field: "in_force", Message: s.now.file + " is in force already; only one can be"})
		} else if in.InForce {
			s.now = in
		}
	}
	if len(s.list) > 0 && s.now == nil && len(faults) == 0 {
		faults = append(faults, Fault{File: s.list[len(s.list)-1].file, Field: "in_force", Message: "no instrument is in force"})
	}
	return s, append(faults, s.loadWords(fsys)...)
}

// Check holds the instruments against what the forms have: codes gives the
// codes of a list, profiles those that the screening form offers.
func (s *Set) Check(codes func(list string) []string, profiles []string) []Fault {
	var faults []Fault
	for _, in := range s.Instruments() {
		have, want := in.Codes(), codes(in.Indicators)
		if want == nil {
			faults = append(faults, Fault{File: in.file, Field: "indicators", Message: fmt.Sprintf("there is no code list %q", in.Indicators)})
			continue
		}
		for _, c := range have {
			if !slices.Contains(want, c) {
				faults = append(faults, Fault{File: in.file, Field: "dimensions." + c, Message: "is not in the code list " + in.Indicators})
			}
		}
		for _, c := range want {
			if in.InForce && !slices.Contains(have, c) {
				faults = append(faults, Fault{File: in.file, Field: "dimensions", Message: fmt.Sprintf("%s of the code list %s has no weight", c, in.Indicators)})
			}
		}
		for _, q := range in.Brief.Questions {
			if !slices.Contains(codes(in.Brief.List), q) {
				faults = append(faults, Fault{File: in.file, Field: "brief.questions", Message: fmt.Sprintf("%s is not in the code list %s", q, in.Brief.List)})
			}
		}
		for _, p := range profiles {
			if _, ok := in.profile(p); in.InForce && !ok {
				faults = append(faults, Fault{File: in.file, Field: "profiles", Message: fmt.Sprintf("the form offers the profile %q, which is missing here", p)})
			}
		}
	}
	return faults
}

// Parse reads one instrument; it is nil when there are faults.
func Parse(file string, data []byte) (*Instrument, []Fault) {
	l := &loader{file: file, in: &Instrument{file: file, rank: map[string]int{}, words: map[string]words{}}}
	if len(data) > maxFileSize {
		return nil, []Fault{{File: file, Message: fmt.Sprintf("larger than %d bytes", maxFileSize)}}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, []Fault{{File: file, Line: lineIn(err), Message: "not readable as YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, []Fault{{File: file, Line: 1, Message: "is not a mapping of keys to values"}}
	}
	if !l.plain(doc.Content[0], 0) {
		return nil, l.faults
	}
	l.instrument(doc.Content[0])
	if len(l.faults) == 0 {
		l.link()
	}
	if len(l.faults) == 0 {
		l.never()
	}
	if len(l.faults) > 0 {
		return nil, l.faults
	}
	return l.in, nil
}

var lineNumber = regexp.MustCompile(`line (\d+)`)

func lineIn(err error) int {
	m := lineNumber.FindStringSubmatch(err.Error())
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

type loader struct {
	file   string
	in     *Instrument
	faults []Fault
	lines  map[string]int // of rules and parts, for faults found later
}

func (l *loader) fault(line int, field, format string, args ...any) {
	l.faults = append(l.faults, Fault{l.file, line, field, fmt.Sprintf(format, args...)})
}

// plain refuses anchors, aliases, deep nesting and endless lists.
func (l *loader) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		l.fault(n.Line, "", "nested deeper than %d", maxDepth)
		return false
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		l.fault(n.Line, "", "anchors and aliases are not allowed")
		return false
	case n.Kind == yaml.SequenceNode && len(n.Content) > maxItems:
		l.fault(n.Line, "", "a list of more than %d", maxItems)
		return false
	}
	for _, c := range n.Content {
		if !l.plain(c, depth+1) {
			return false
		}
	}
	return true
}

// keys reads a mapping with these keys; those marked * must be there.
func (l *loader) keys(n *yaml.Node, field string, known ...string) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		l.fault(n.Line, field, "must be a mapping")
		return out
	}
	may := map[string]bool{}
	for _, k := range known {
		may[strings.TrimPrefix(k, "*")] = true
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case !may[k.Value]:
			l.fault(k.Line, field, "unknown key %q", k.Value)
		case out[k.Value] != nil:
			l.fault(k.Line, field, "key %q appears twice", k.Value)
		default:
			out[k.Value] = n.Content[i+1]
		}
	}
	for _, k := range known {
		if name, must := strings.CutPrefix(k, "*"); must && out[name] == nil {
			l.fault(n.Line, field, "%s is missing", name)
		}
	}
	return out
}

func (l *loader) items(n *yaml.Node, field string) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		l.fault(n.Line, field, "must be a list with something in it")
		return nil
	}
	return n.Content
}

func (l *loader) text(n *yaml.Node, field string) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" {
		l.fault(n.Line, field, "must be a text")
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// one reads a text that must be one of some.
func (l *loader) one(n *yaml.Node, field string, of ...string) string {
	s := l.text(n, field)
	if n != nil && s != "" && !slices.Contains(of, s) {
		l.fault(n.Line, field, "%q is not one of %s", s, strings.Join(of, ", "))
	}
	return s
}

func (l *loader) id(n *yaml.Node, field string) string {
	s := l.text(n, field)
	if n != nil && s != "" && !idShape.MatchString(s) {
		l.fault(n.Line, field, "%q is no name: small letters, digits, _ and -", s)
	}
	return s
}

func (l *loader) flag(n *yaml.Node, field string, otherwise bool) bool {
	if n == nil {
		return otherwise
	}
	if n.Tag != "!!bool" {
		l.fault(n.Line, field, "must be true or false")
		return otherwise
	}
	return n.Value == "true"
}

func (l *loader) number(n *yaml.Node, field string, most int) int {
	if n == nil {
		return 0
	}
	v, err := strconv.Atoi(n.Value)
	if n.Tag != "!!int" || err != nil || v < 0 || v > most {
		l.fault(n.Line, field, "must be a number from 0 to %d", most)
		return 0
	}
	return v
}

// list reads the items of a list, each with its own field name.
func (l *loader) list(n *yaml.Node, field string, read func(*yaml.Node, string)) {
	for i, item := range l.items(n, field) {
		read(item, fmt.Sprintf("%s[%d]", field, i))
	}
}

func (l *loader) instrument(root *yaml.Node) {
	k := l.keys(root, "", "*instrument", "*title", "in_force", "*confidence", "status", "*source", "note", "*indicators",
		"*profiles", "*positive", "*unknown", "brief", "*classes", "*rules", "*dimensions")
	in := l.in
	in.ID, in.Title = l.id(k["instrument"], "instrument"), l.text(k["title"], "title")
	in.InForce = l.flag(k["in_force"], "in_force", false)
	in.Confidence = l.one(k["confidence"], "confidence", "V", "K", "P")
	in.Status, in.Source, in.Note = l.text(k["status"], "status"), l.text(k["source"], "source"), l.text(k["note"], "note")
	in.Indicators = l.id(k["indicators"], "indicators")
	if in.Confidence != "V" && in.Status == "" && k["confidence"] != nil {
		l.fault(k["confidence"].Line, "status", "what is not verified (V) carries a status that says so")
	}
	l.lines = map[string]int{}
	for _, part := range []string{"unknown", "rules"} {
		if k[part] != nil {
			l.lines["/"+part] = k[part].Line
		}
	}
	l.list(k["profiles"], "profiles", l.profile)
	if k["positive"] != nil {
		l.positive(k["positive"])
	}
	if k["unknown"] != nil {
		l.unknown(k["unknown"])
	}
	if k["brief"] != nil {
		l.brief(k["brief"])
	}
	l.list(k["classes"], "classes", l.class)
	for i, c := range in.Classes {
		in.rank[c.ID] = len(in.Classes) - 1 - i
	}
	l.list(k["rules"], "rules", l.rule)
	l.list(k["dimensions"], "dimensions", l.dimension)
	if len(in.Dimensions) > maxDimension {
		l.fault(k["dimensions"].Line, "dimensions", "more than %d", maxDimension)
	}
}

func (l *loader) profile(n *yaml.Node, field string) {
	k := l.keys(n, field, "*id", "for", "*scored", "status")
	l.in.Profiles = append(l.in.Profiles, Profile{ID: l.id(k["id"], field+".id"), For: l.one(k["for"], field+".for", ForAdult, ForChild),
		Scored: l.flag(k["scored"], field+".scored", true), Status: l.text(k["status"], field+".status")})
}

func (l *loader) positive(n *yaml.Node) {
	k := l.keys(n, "positive", "*source", "*any_of")
	l.text(k["source"], "positive.source")
	l.list(k["any_of"], "positive.any_of", func(n *yaml.Node, field string) {
		k := l.keys(n, field, "strong", "medium", "weak", "medium_or_weak")
		t := Threshold{l.number(k["strong"], field+".strong", 99), l.number(k["medium"], field+".medium", 99),
			l.number(k["weak"], field+".weak", 99), l.number(k["medium_or_weak"], field+".medium_or_weak", 99)}
		if t == (Threshold{}) {
			l.fault(n.Line, field, "asks for nothing: every dimension would be positive")
		}
		l.in.Positive = append(l.in.Positive, t)
	})
}

func (l *loader) unknown(n *yaml.Node) {
	k := l.keys(n, "unknown", "*more_than_percent", "*from", "*to", "*source")
	l.in.Unknown = Unknown{MoreThanPercent: l.number(k["more_than_percent"], "unknown.more_than_percent", 100), To: l.id(k["to"], "unknown.to")}
	l.list(k["from"], "unknown.from", func(n *yaml.Node, field string) {
		l.in.Unknown.From = append(l.in.Unknown.From, l.id(n, field))
	})
	l.text(k["source"], "unknown.source")
}

func (l *loader) brief(n *yaml.Node) {
	k := l.keys(n, "brief", "*list", "*questions", "reversed", "status", "*source")
	b := Brief{List: l.id(k["list"], "brief.list"), Status: l.text(k["status"], "brief.status")}
	l.text(k["source"], "brief.source")
	l.list(k["questions"], "brief.questions", func(n *yaml.Node, field string) {
		code := l.text(n, field)
		if slices.Contains(b.Questions, code) {
			l.fault(n.Line, field, "question %q appears twice", code)
		}
		b.Questions = append(b.Questions, code)
	})
	if k["reversed"] != nil {
		l.list(k["reversed"], "brief.reversed", func(n *yaml.Node, field string) {
			code := l.text(n, field)
			if !slices.Contains(b.Questions, code) {
				l.fault(n.Line, field, "there is no question %q", code)
			}
			b.Reversed = append(b.Reversed, code)
		})
	}
	l.in.Brief = b
}

func (l *loader) class(n *yaml.Node, field string) {
	k := l.keys(n, field, "*id", "*label", "*advice", "status")
	c := Class{l.id(k["id"], field+".id"), l.text(k["label"], field+".label"), l.text(k["advice"], field+".advice"), l.text(k["status"], field+".status")}
	if slices.ContainsFunc(l.in.Classes, func(o Class) bool { return o.ID == c.ID }) {
		l.fault(n.Line, field, "class %q appears twice", c.ID)
	}
	l.in.Classes = append(l.in.Classes, c)
}

func (l *loader) rule(n *yaml.Node, field string) {
	k := l.keys(n, field, "*id", "for", "scored", "act", "any_yes", "brief", "needs", "*class", "*text", "*source", "status")
	r := Rule{ID: l.id(k["id"], field+".id"), For: l.one(k["for"], field+".for", ForAdult, ForChild), Scored: l.flag(k["scored"], field+".scored", true),
		Act: l.flag(k["act"], field+".act", false), AnyYes: l.flag(k["any_yes"], field+".any_yes", false), Brief: l.flag(k["brief"], field+".brief", false), Class: l.id(k["class"], field+".class"),
		Text: l.text(k["text"], field+".text"), Source: l.text(k["source"], field+".source"), Status: l.text(k["status"], field+".status")}
	if k["needs"] != nil {
		l.list(k["needs"], field+".needs", func(n *yaml.Node, at string) {
			var line []string
			l.list(n, at, func(n *yaml.Node, at string) { line = append(line, l.text(n, at)) })
			r.Needs = append(r.Needs, line)
		})
	}
	if l.lines[r.ID] != 0 {
		l.fault(n.Line, field, "rule %q appears twice", r.ID)
	}
	l.lines[r.ID] = n.Line
	l.in.Rules = append(l.in.Rules, r)
}

var weights = map[string]Weight{"S": Strong, "M": Medium, "W": Weak}

func (l *loader) dimension(n *yaml.Node, field string) {
	k := l.keys(n, field, "*id", "*name", "*is", "*indicators")
	d := Dimension{ID: l.text(k["id"], field+".id"), Name: l.text(k["name"], field+".name"), Is: l.one(k["is"], field+".is", "means", "purpose")}
	if slices.ContainsFunc(l.in.Dimensions, func(o Dimension) bool { return o.ID == d.ID }) {
		l.fault(n.Line, field, "dimension %q appears twice", d.ID)
	}
	l.list(k["indicators"], field+".indicators", func(n *yaml.Node, at string) {
		k := l.keys(n, at, "*code", "adult", "child")
		i := Indicator{Code: l.text(k["code"], at+".code"), Adult: l.weight(k["adult"], at+".adult"), Child: l.weight(k["child"], at+".child")}
		if i.Adult == None && i.Child == None {
			l.fault(n.Line, at, "%s has a weight in no profile", i.Code)
		}
		if slices.Contains(l.in.Codes(), i.Code) || slices.ContainsFunc(d.Indicators, func(o Indicator) bool { return o.Code == i.Code }) {
			l.fault(n.Line, at, "indicator %q appears twice", i.Code)
		}
		d.Indicators = append(d.Indicators, i)
	})
	l.in.Dimensions = append(l.in.Dimensions, d)
}

func (l *loader) weight(n *yaml.Node, field string) Weight {
	if n == nil {
		return None
	}
	w, ok := weights[n.Value]
	if !ok {
		l.fault(n.Line, field, "weight %q is none of S, M, W", n.Value)
	}
	return w
}

// link holds names against each other.
func (l *loader) link() {
	in := l.in
	class := func(line int, field, id string) {
		if _, ok := in.rank[id]; !ok {
			l.fault(line, field, "there is no class %q", id)
		}
	}
	for i, r := range in.Rules {
		field := fmt.Sprintf("rules[%d]", i)
		class(l.lines[r.ID], field+".class", r.Class)
		for _, line := range r.Needs {
			for _, d := range line {
				if !slices.ContainsFunc(in.Dimensions, func(o Dimension) bool { return o.ID == d }) {
					l.fault(l.lines[r.ID], field+".needs", "there is no dimension %q", d)
				}
			}
		}
	}
	class(l.lines["/unknown"], "unknown.to", in.Unknown.To)
	for _, c := range in.Unknown.From {
		class(l.lines["/unknown"], "unknown.from", c)
		if in.rank[in.Unknown.To] < in.rank[c] {
			l.fault(l.lines["/unknown"], "unknown", "%q stands below %q: not knowing would make a result lighter", in.Unknown.To, c)
		}
	}
}

// errLighter is what a set of rules must not do.
var errLighter = errors.New("a further yes leads to a lighter class")

// never tries the rules with every combination of positive dimensions, of act,
// of any yes and of a brief sign: each must lead somewhere, and more must never
// lead to less.
func (l *loader) never() {
	for set := range 1 << len(l.in.Dimensions) {
		for bits := range 16 {
			f := facts{child: bits&1 != 0, scored: true, act: bits&2 != 0, anyYes: bits&4 != 0 || set != 0, brief: bits&8 != 0}
			if err := l.in.tryRules(f, set); err != nil {
				l.fault(l.lines["/rules"], "rules", "%s", err)
				return
			}
		}
	}
	for bits := range 4 {
		f := facts{child: bits&1 != 0, act: bits&2 != 0}
		if l.in.outcome(f, 0) == "" {
			l.fault(l.lines["/rules"], "rules", "no rule fits a profile that is not scored (%s)", f)
			return
		}
	}
}

// String says the facts in a fault.
func (f facts) String() string {
	who := ForAdult
	if f.child {
		who = ForChild
	}
	return fmt.Sprintf("%s, act %v, any yes %v, brief sign %v", who, f.act, f.anyYes, f.brief)
}

// tryRules holds one combination against those with one thing more.
func (in *Instrument) tryRules(f facts, set int) error {
	here := in.outcome(f, set)
	if here == "" {
		return fmt.Errorf("no rule fits %s, positive %s", f, in.names(set))
	}
	open := !f.anyYes && !f.brief && slices.Contains(in.Unknown.From, here)
	more := func(g facts, set int) error {
		than, next := here, in.outcome(g, set)
		if open && (g.anyYes || g.brief) { // nothing may have been known before
			than = in.Unknown.To
		}
		if in.rank[next] < in.rank[than] {
			return fmt.Errorf("%w, from %s to %s: %s, positive %s", errLighter, than, next, g, in.names(set))
		}
		return nil
	}
	g := f
	g.act = true
	if err := more(g, set); err != nil {
		return err
	}
	g = f
	g.brief = true
	if err := more(g, set); err != nil {
		return err
	}
	g = f
	g.anyYes = true
	if err := more(g, set); err != nil {
		return err
	}
	for d := range in.Dimensions {
		if err := more(g, set|1<<d); err != nil {
			return err
		}
	}
	return nil
}

// outcome is the class for a set of positive dimensions, each a bit; "" when
// no rule fits.
func (in *Instrument) outcome(f facts, set int) string {
	f.positive = map[string]bool{}
	for i, d := range in.Dimensions {
		f.positive[d.ID] = set&(1<<i) != 0
	}
	for _, r := range in.Rules {
		if r.fits(f) {
			return r.Class
		}
	}
	return ""
}

func (in *Instrument) names(set int) string {
	var out []string
	for i, d := range in.Dimensions {
		if set&(1<<i) != 0 {
			out = append(out, d.ID)
		}
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, "+")
}
