package casework

// The rules that practitioners own: states, moves, approvals, deadlines, read
// from content and held against the forms they speak of.

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"banyan/internal/forms"
	"banyan/internal/screening"
)

// Rules is the content that drives cases. It never changes after LoadRules.
type Rules struct {
	States    []StateRule
	Initial   string
	Moves     []*MoveRule
	Approvals []ApprovalRule
	Clocks    []*ClockRule
	Limits    []LimitRule
	Forms     *forms.Library
	// Instruments are the screening's weights and rules.
	Instruments *screening.Set

	risk      riskRule
	countries map[string]map[string]clockOverride
	zones     map[string]*time.Location
	alpha2    map[string]string
	byForm    map[string]ApprovalRule
	words     map[string]map[string]string // language → English text → text
	places    map[string]string            // P-code → name
}

// StateRule is one status of a case.
type StateRule struct {
	ID       string `yaml:"id"`
	Label    string `yaml:"label"`
	Means    string `yaml:"means"`
	Workflow string `yaml:"workflow"`
	Status   string `yaml:"status"`
}

// ApprovalRule says which form's entries somebody else decides on.
type ApprovalRule struct {
	Form  string   `yaml:"form"`
	Label string   `yaml:"label"`
	By    []string `yaml:"by"`
	Clock string   `yaml:"clock"`
}

// MoveRule is one allowed change of status.
type MoveRule struct {
	ID        string     `yaml:"id"`
	Label     string     `yaml:"label"`
	From      []string   `yaml:"from"`
	To        string     `yaml:"to"`
	By        []string   `yaml:"by"`
	Automatic bool       `yaml:"automatic"`
	Reason    bool       `yaml:"reason"`
	Workflow  string     `yaml:"sets_workflow"`
	Needs     []NeedRule `yaml:"needs"`
}

// NeedRule is one thing that a move needs.
type NeedRule struct {
	Form     string     `yaml:"form"`
	AnyForm  []string   `yaml:"any_form"`
	Where    string     `yaml:"where"`
	Approved bool       `yaml:"approved"`
	New      bool       `yaml:"new"`
	When     *EventRule `yaml:"when"`
	Unless   *EventRule `yaml:"unless"`
	NoOpen   string     `yaml:"no_open"`
	Missing  string     `yaml:"missing"`

	where *forms.Expr
}

// EventRule names something that happens in a case.
type EventRule struct {
	Form         string `yaml:"form"`
	Where        string `yaml:"where"`
	Approved     *bool  `yaml:"approved"`
	Amended      bool   `yaml:"amended"`
	State        string `yaml:"state"`
	Acknowledged bool   `yaml:"acknowledged"`

	where *forms.Expr
}

// LimitRule raises an alert when a count is too high.
type LimitRule struct {
	ID       string `yaml:"id"`
	Label    string `yaml:"label"`
	MoreThan int    `yaml:"more_than"`
	Tell     string `yaml:"tell"`
}

// ClockRule is one deadline.
type ClockRule struct {
	ID            string   `yaml:"id"`
	Label         string   `yaml:"label"`
	Form          string   `yaml:"form"`
	Per           string   `yaml:"per"` // case | entry | row
	RiskFrom      string   `yaml:"risk_from"`
	Starts        events   `yaml:"starts"`
	Ends          events   `yaml:"ends"`
	Due           perRisk  `yaml:"due"`
	DueOn         string   `yaml:"due_on"`
	Grace         span     `yaml:"grace"`
	Remind        perRisk  `yaml:"remind_before"`
	Escalate      perRisk  `yaml:"escalate_after"`
	EscalateTo    string   `yaml:"escalate_to"`
	Then          []step   `yaml:"then"`
	OnlyStates    []string `yaml:"only_states"`
	AssignedTo    string   `yaml:"assigned_to"`
	Tier          string   `yaml:"tier"`
	Confidence    string   `yaml:"confidence"`
	Status        string   `yaml:"status"`
	Source        string   `yaml:"source"`
	dueForm       string
	dueRepeat     string
	dueField      string
	riskForm      string
	riskField     string
	endsOnApprove bool
	endsOnLook    bool // somebody who did not write it has to look
}

type step struct {
	After span   `yaml:"after"`
	To    string `yaml:"to"`
}

type clockOverride struct {
	Due        perRisk `yaml:"due"`
	Grace      *span   `yaml:"grace"`
	Remind     perRisk `yaml:"remind_before"`
	Escalate   perRisk `yaml:"escalate_after"`
	EscalateTo string  `yaml:"escalate_to"`
	Then       []step  `yaml:"then"`
	Confidence string  `yaml:"confidence"`
	Source     string  `yaml:"source"`
}

type riskRule struct {
	From        []string     `yaml:"from"`
	BeforeKnown string       `yaml:"before_known"`
	HighWhen    []*EventRule `yaml:"high_when"`
}

// span is a length of time: hours to the minute, or whole days.
type span struct {
	hours, days int
	set         bool
}

func parseSpan(s string) (span, error) {
	s = strings.TrimSpace(s)
	if len(s) < 2 {
		return span{}, fmt.Errorf("%q is no time: write 24h or 3d", s)
	}
	n, err := strconv.Atoi(s[:len(s)-1])
	switch unit := s[len(s)-1]; {
	case err == nil && unit == 'h':
		return span{hours: n, set: true}, nil
	case err == nil && unit == 'd':
		return span{days: n, set: true}, nil
	}
	return span{}, fmt.Errorf("%q is no time: write 24h or 3d", s)
}

// UnmarshalYAML reads 24h or 3d.
func (s *span) UnmarshalYAML(n *yaml.Node) error {
	v, err := parseSpan(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*s = v
	return nil
}

// dueAfter gives the instant: hours count from the instant, days to the end
// of that day where the case is.
func (s span) dueAfter(t time.Time, zone *time.Location) time.Time {
	if s.hours != 0 || s.days == 0 && !s.set {
		return t.Add(time.Duration(s.hours) * time.Hour)
	}
	return endOfDay(t.In(zone).AddDate(0, 0, s.days), zone)
}

// shift moves an instant by the span, days as 24 hours.
func (s span) shift(t time.Time) time.Time {
	return t.Add(time.Duration(s.hours+24*s.days) * time.Hour)
}

func (s span) back(t time.Time) time.Time {
	return t.Add(-time.Duration(s.hours+24*s.days) * time.Hour)
}

func endOfDay(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone).Add(-time.Minute).UTC()
}

// perRisk is one span, several (reminders), or one per risk level.
type perRisk struct {
	all    []span
	byRisk map[string]span
}

func (p perRisk) isSet() bool { return len(p.all) > 0 || len(p.byRisk) > 0 }

func (p perRisk) at(risk string) []span {
	if s, ok := p.byRisk[risk]; ok {
		return []span{s}
	}
	if s, ok := p.byRisk["medium"]; ok && len(p.all) == 0 {
		return []span{s}
	}
	return p.all
}

// UnmarshalYAML reads 24h, [60d, 30d] or {high: 24h, …}.
func (p *perRisk) UnmarshalYAML(n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		return n.Decode(&p.byRisk)
	case yaml.SequenceNode:
		return n.Decode(&p.all)
	}
	var s span
	if err := n.Decode(&s); err != nil {
		return err
	}
	p.all = []span{s}
	return nil
}

// events is one event or several: whichever comes first.
type events []*EventRule

// UnmarshalYAML reads one event or a list.
func (e *events) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		var list []*EventRule
		if err := n.Decode(&list); err != nil {
			return err
		}
		*e = list
		return nil
	}
	var one EventRule
	if err := n.Decode(&one); err != nil {
		return err
	}
	*e = events{&one}
	return nil
}

// LoadRules reads casework.yaml, clocks.yaml, countries.yaml and the screening
// instruments. The error names everything that is wrong.
func LoadRules(fsys fs.FS, lib *forms.Library) (*Rules, error) {
	var steps struct {
		States    []StateRule    `yaml:"states"`
		Initial   string         `yaml:"initial"`
		Approvals []ApprovalRule `yaml:"approvals"`
		Moves     []*MoveRule    `yaml:"moves"`
	}
	var deadlines struct {
		Risk      riskRule                            `yaml:"risk"`
		Clocks    []*ClockRule                        `yaml:"clocks"`
		Limits    []LimitRule                         `yaml:"limits"`
		Countries map[string]map[string]clockOverride `yaml:"countries"`
	}
	var lands struct {
		Countries []struct {
			Code     string `yaml:"code"`
			Alpha2   string `yaml:"alpha2"`
			Timezone string `yaml:"timezone"`
		} `yaml:"countries"`
	}
	for file, into := range map[string]any{"casework.yaml": &steps, "clocks.yaml": &deadlines, "countries.yaml": &lands} {
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	}
	r := &Rules{States: steps.States, Initial: steps.Initial, Moves: steps.Moves, Approvals: steps.Approvals,
		Clocks: deadlines.Clocks, Limits: deadlines.Limits, Forms: lib, risk: deadlines.Risk, countries: deadlines.Countries,
		zones: map[string]*time.Location{}, alpha2: map[string]string{}, byForm: map[string]ApprovalRule{}}
	var faults []error
	for _, c := range lands.Countries {
		zone, err := time.LoadLocation(c.Timezone)
		if err != nil {
			faults = append(faults, fmt.Errorf("countries.yaml: %s: %w", c.Code, err))
			continue
		}
		r.zones[c.Code] = zone
		r.alpha2[c.Code] = c.Alpha2
	}
	for _, a := range r.Approvals {
		r.byForm[a.Form] = a
	}
	faults = append(faults, r.link()...)
	faults = append(faults, r.loadInstruments(fsys)...)
	if err := r.loadWords(fsys); err != nil {
		faults = append(faults, err)
	}
	if err := r.loadPlaces(fsys); err != nil {
		faults = append(faults, err)
	}
	return r, errors.Join(faults...)
}

// link holds the rules against the forms and against each other.
func (r *Rules) link() (faults []error) {
	bad := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	state := func(where, id string) {
		if r.stateIndex(id) < 0 {
			bad("%s: there is no state %q", where, id)
		}
	}
	condition := func(where, form, text string) *forms.Expr {
		f, ok := r.Forms.Form(form)
		if !ok {
			bad("%s: there is no form %q", where, form)
			return nil
		}
		if text == "" {
			return nil
		}
		e, err := f.Condition(text)
		if err != nil {
			bad("%s: condition over %s: %w", where, form, err)
		}
		return e
	}
	event := func(where string, e *EventRule) {
		if e == nil {
			return
		}
		if e.State != "" {
			state(where, e.State)
		}
		if e.Form != "" {
			e.where = condition(where, e.Form, e.Where)
		}
	}
	state("casework.yaml: initial", r.Initial)
	for _, m := range r.Moves {
		where := "casework.yaml: move " + m.ID
		state(where, m.To)
		for _, f := range m.From {
			state(where, f)
		}
		for i := range m.Needs {
			n := &m.Needs[i]
			if n.Form != "" {
				n.where = condition(where, n.Form, n.Where)
			}
			event(where, n.When)
			event(where, n.Unless)
		}
	}
	for _, e := range r.risk.HighWhen {
		event("clocks.yaml: risk", e)
	}
	for _, c := range r.Clocks {
		where := "clocks.yaml: clock " + c.ID
		for _, e := range slices.Concat(c.Starts, c.Ends) {
			event(where, e)
		}
		for _, e := range c.Ends {
			c.endsOnApprove = c.endsOnApprove || e.Approved != nil
			c.endsOnLook = c.endsOnLook || e.Acknowledged
		}
		if c.DueOn != "" {
			c.dueForm, c.dueRepeat, c.dueField = r.splitPath(c.DueOn)
			if c.dueField == "" {
				bad("%s: due_on names no field", where)
			}
		} else if !c.Due.isSet() {
			bad("%s: it has neither due nor due_on", where)
		}
		if c.RiskFrom != "" {
			c.riskForm, _, c.riskField = r.splitPath(c.RiskFrom)
		}
		for _, s := range c.OnlyStates {
			state(where, s)
		}
	}
	return faults
}

// splitPath takes Form.field or Form.repeat.field apart.
func (r *Rules) splitPath(path string) (form, repeat, field string) {
	id, rest, _ := strings.Cut(path, ".")
	f, ok := r.Forms.Form(id)
	if !ok {
		return "", "", ""
	}
	if _, ok := f.Field(rest); !ok {
		return "", "", ""
	}
	if a, b, ok := strings.Cut(rest, "."); ok {
		return id, a, b
	}
	return id, "", rest
}

func (r *Rules) stateIndex(id string) int {
	return slices.IndexFunc(r.States, func(s StateRule) bool { return s.ID == id })
}

// State gives a status by its id.
func (r *Rules) State(id string) (StateRule, bool) {
	if i := r.stateIndex(id); i >= 0 {
		return r.States[i], true
	}
	return StateRule{}, false
}

// Move gives a move by its id.
func (r *Rules) Move(id string) (*MoveRule, bool) {
	i := slices.IndexFunc(r.Moves, func(m *MoveRule) bool { return m.ID == id })
	if i < 0 {
		return nil, false
	}
	return r.Moves[i], true
}

// ClockByID gives a clock's rule.
func (r *Rules) ClockByID(id string) (*ClockRule, bool) {
	i := slices.IndexFunc(r.Clocks, func(c *ClockRule) bool { return c.ID == id })
	if i < 0 {
		return nil, false
	}
	return r.Clocks[i], true
}

// Zone is the time zone of a country (ISO 3166-1 alpha-3), Bangkok's if unknown.
func (r *Rules) Zone(country string) *time.Location {
	if z := r.zones[country]; z != nil {
		return z
	}
	if z := r.zones["THA"]; z != nil {
		return z
	}
	return time.UTC
}

// inCountry gives a clock as the country has it.
func (r *Rules) inCountry(c *ClockRule, country string) ClockRule {
	out := *c
	o, ok := r.countries[country][c.ID]
	if !ok {
		return out
	}
	if o.Due.isSet() {
		out.Due = o.Due
	}
	if o.Grace != nil {
		out.Grace = *o.Grace
	}
	if o.Remind.isSet() {
		out.Remind = o.Remind
	}
	if o.Escalate.isSet() {
		out.Escalate = o.Escalate
	}
	if o.EscalateTo != "" {
		out.EscalateTo = o.EscalateTo
	}
	if o.Then != nil {
		out.Then = o.Then
	}
	return out
}
