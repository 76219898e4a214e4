// Package policy decides who may do what, deny by default, from one readable
// table (content/policy.yaml).
//
// It promises: what no rule allows is denied; an exclusion beats every rule;
// a role alone opens nothing of a person, only a role in a relation to the
// record does; adding a relation or a role never takes a right away, adding an
// exclusion never gives one. The same table drives enforcement (Decide,
// Tiers), the page that explains it (Explain, Why) and the generated test over
// all routes, roles and relations.
//
// The package keeps no state and asks no clock: which relation a user has to
// a record, whether they are excluded, and whether a break-glass still runs is
// found by the room that owns the record.
package policy

import (
	"slices"
	"time"

	"banyan/internal/journal"
)

// Tier is a part of a record's answers that is sealed by itself.
type Tier = journal.Tier

// The tiers.
const (
	Coded    = journal.Coded    // services and codes
	Story    = journal.Story    // narrative
	Identity = journal.Identity // names, birth, documents
	Place    = journal.Place    // where the person is
	Health   = journal.Health
	Legal    = journal.Legal
)

// AllTiers in the order in which they are shown.
var AllTiers = journal.Tiers

// Relation says how a user stands to one record.
type Relation string

// The relations, strongest first. A user may have several; the strongest is
// not always the one that opens most (break-glass opens more than team), so
// ask with all of them where there are several.
const (
	Assigned     Relation = "assigned"     // the user works on it
	Team         Relation = "team"         // the user's team works on it
	Supervised   Relation = "supervised"   // the user supervises who works on it
	Organisation Relation = "organisation" // the user's organisation owns it
	Referred     Relation = "referred"     // shared with the user's organisation, with consent
	BreakGlass   Relation = "break_glass"  // opened in an emergency, not yet over
	None         Relation = "none"         // no relation
)

// AllRelations, strongest first.
var AllRelations = []Relation{Assigned, Team, Supervised, Organisation, Referred, BreakGlass, None}

// Role is what a user does in their organisation.
type Role = string

// The roles.
const (
	Screener         Role = "screener"
	CaseWorker       Role = "case_worker"
	Supervisor       Role = "supervisor"
	Counsellor       Role = "counsellor"
	Lawyer           Role = "lawyer"
	ProgrammeManager Role = "programme_manager"
	Statistician     Role = "statistician"
	Administrator    Role = "administrator"
	Auditor          Role = "auditor"
)

// AllRoles in the order in which they are shown.
var AllRoles = []Role{Screener, CaseWorker, Supervisor, Counsellor, Lawyer, ProgrammeManager, Statistician, Administrator, Auditor}

// Action is something a user does to a record, to the register or to the
// office.
type Action string

// The actions on records.
const (
	Read           Action = "read"
	Find           Action = "find" // search before create: what a match shows
	Open           Action = "open" // begin a new record
	WriteTo        Action = "write"
	Move           Action = "move"
	Assign         Action = "assign"
	Approve        Action = "approve"
	Strike         Action = "strike"
	Settle         Action = "settle"
	Export         Action = "export"
	Unmask         Action = "unmask"
	Original       Action = "original" // a file as it came, with what it says of its maker
	BreakTheGlass  Action = "break_glass"
	ReadAccessLog  Action = "access_log"
	Exclude        Action = "exclude"
	EraseRequest   Action = "erase_request"
	EraseApprove   Action = "erase_approve"
	RegisterRead   Action = "register.read"
	RegisterImport Action = "register.import"
	RegisterExport Action = "register.export"
	StaffRead      Action = "staff.read"
	ContentRead    Action = "content.read"
	TeamRead       Action = "team.read"
	AdminUsers     Action = "admin.users"
	AdminOrgs      Action = "admin.organisations"
	AdminPolicy    Action = "admin.policy"
	AdminAudit     Action = "admin.audit"
	AdminContent   Action = "admin.content"
)

// Limits that hold whatever the file says, and the kinds whose actions are
// named without their kind.
const (
	longestGlass   = 60 * time.Minute
	fewestNotified = 2
	shortestReason = 10

	kindCase     = "case"
	kindRegister = "register"
	kindOffice   = "office"
)

// AllActions in the order in which they are shown.
var AllActions = []Action{Read, Find, Open, WriteTo, Move, Assign, Approve, Strike, Settle, Export, Unmask, Original,
	BreakTheGlass, ReadAccessLog, Exclude, EraseRequest, EraseApprove, RegisterRead, RegisterImport, RegisterExport,
	StaffRead, ContentRead, TeamRead, AdminUsers, AdminOrgs, AdminPolicy, AdminAudit, AdminContent}

// Subject is who asks.
type Subject struct {
	User, Org string
	Roles     []Role
}

// Resource is what is asked for. Tier empty asks for the action as such; Form
// empty matches only rules that hold for all forms. Own says that the subject
// made the thing that the action judges.
type Resource struct {
	Kind     string
	Form     string
	Tier     Tier
	Relation Relation
	Excluded bool
	Own      bool
}

// Decision is the answer, with the rule that gave it. Words is a sentence in
// English; Table.Words gives it in another language.
type Decision struct {
	Allowed bool
	Rule    string
	Words   string
}

// Words of the denials.
const (
	wordsExcluded = "you are on the exclusion list of this record"
	wordsOwn      = "nobody decides on their own work"
	wordsNoRule   = "no rule allows it"
)

// Text is one sentence in each language of the table.
type Text struct {
	EN string `json:"en"`
	VI string `json:"vi"`
	KM string `json:"km,omitempty"` // where somebody has said it
}

// In gives the text in lang, English where there is none.
func (t Text) In(lang string) string {
	switch {
	case lang == "vi" && t.VI != "":
		return t.VI
	case lang == "km" && t.KM != "":
		return t.KM
	}
	return t.EN
}

// Rule is one line of the table.
type Rule struct {
	ID    string
	Roles []Role
	Kind  string
	When  []Relation
	May   []Action
	Tiers []Tier
	Forms []string // empty: all forms
	Text  Text
	Line  int // in the file
}

// Glass says how an emergency opening works.
type Glass struct {
	For           time.Duration // how long it lasts
	ReasonAtLeast int           // characters
	Notify        []Role        // who is told
}

// Table is the whole policy. It is made by Load and never changes.
type Table struct {
	Version int
	Glass   Glass

	rules     []Rule
	tiers     map[Tier]Text
	roles     map[Role]roleInfo
	relations map[Relation]Text
	kinds     map[string]kindInfo
	kindOrder []string
	actions   map[Action]actionInfo
	purposes  map[string]Text
}

type roleInfo struct {
	Text
	personLevel bool
}

type kindInfo struct {
	Text
	person bool
}

type actionInfo struct {
	Text
	tiers, stepUp, neverOwn bool
}

// Decide says whether s may do a to r.
func (t *Table) Decide(s Subject, a Action, r Resource) Decision {
	if r.Excluded {
		return Decision{Words: wordsExcluded}
	}
	if r.Own && t.actions[a].neverOwn {
		return Decision{Words: wordsOwn}
	}
	for _, rule := range t.rules {
		if rule.allows(s, a, r) {
			return Decision{Allowed: true, Rule: rule.ID, Words: rule.Text.EN}
		}
	}
	return Decision{Words: wordsNoRule}
}

// DecideAny is Decide for a user who stands in several relations to the
// record: allowed if one of them allows it.
func (t *Table) DecideAny(s Subject, a Action, r Resource, relations ...Relation) Decision {
	last := Decision{Words: wordsNoRule}
	for _, rel := range relations {
		r.Relation = rel
		if last = t.Decide(s, a, r); last.Allowed {
			return last
		}
	}
	return last
}

func (rule Rule) allows(s Subject, a Action, r Resource) bool {
	return rule.Kind == r.Kind &&
		slices.Contains(rule.May, a) &&
		slices.Contains(rule.When, r.Relation) &&
		overlap(rule.Roles, s.Roles) &&
		(r.Tier == "" || slices.Contains(rule.Tiers, r.Tier)) &&
		(len(rule.Forms) == 0 || slices.Contains(rule.Forms, r.Form))
}

// Tiers lists what s may open or write of a record of that kind, over all
// forms, in the tiers' order. For writing into one form use TiersOfForm.
func (t *Table) Tiers(s Subject, a Action, kind string, relation Relation, excluded bool) []Tier {
	return t.TiersOfForm(s, a, kind, "", excluded, relation)
}

// TiersOfForm is Tiers for one form and for all relations of the user.
func (t *Table) TiersOfForm(s Subject, a Action, kind, form string, excluded bool, relations ...Relation) []Tier {
	var out []Tier
	for _, tier := range AllTiers {
		r := Resource{Kind: kind, Form: form, Tier: tier, Excluded: excluded}
		if t.DecideAny(s, a, r, relations...).Allowed {
			out = append(out, tier)
		}
	}
	return out
}

// Might says whether s could ever do a to some record of the kind: what a door
// asks before it looks for the record. It allows nothing by itself.
func (t *Table) Might(s Subject, a Action, kind string) bool {
	return slices.ContainsFunc(t.rules, func(rule Rule) bool {
		return rule.Kind == kind && slices.Contains(rule.May, a) && overlap(rule.Roles, s.Roles)
	})
}

// May lists what s might do at all, as words for a menu: "open" (a case),
// "contact.open", "register.read".
func (t *Table) May(s Subject) []string {
	out := []string{}
	for _, kind := range t.kindOrder {
		for _, a := range AllActions {
			if t.Might(s, a, kind) {
				out = append(out, NameOf(kind, a))
			}
		}
	}
	return out
}

// NameOf gives the word for an action on a kind. Cases are what the program is
// about, and go without saying.
func NameOf(kind string, a Action) string {
	if kind == kindCase || kind == kindRegister || kind == kindOffice {
		return string(a)
	}
	return kind + "." + string(a)
}

// NeedsStepUp says whether the action asks for a fresh proof of who it is.
func (t *Table) NeedsStepUp(a Action) bool { return t.actions[a].stepUp }

// IsPersonLevel says whether records of the kind are about a person.
func (t *Table) IsPersonLevel(kind string) bool { return t.kinds[kind].person }

// HasKind, HasAction, HasRole and HasPurpose say whether the table knows the
// word.
func (t *Table) HasKind(kind string) bool { _, ok := t.kinds[kind]; return ok }

// HasAction says whether the table knows the action.
func (t *Table) HasAction(a Action) bool { _, ok := t.actions[a]; return ok }

// HasRole says whether the table knows the role.
func (t *Table) HasRole(r Role) bool { _, ok := t.roles[r]; return ok }

// HasPurpose says whether the table knows the purpose.
func (t *Table) HasPurpose(p string) bool { _, ok := t.purposes[p]; return ok }

// Words gives the sentence of a rule in lang; empty for an unknown rule.
func (t *Table) Words(rule, lang string) string {
	for _, r := range t.rules {
		if r.ID == rule {
			return r.Text.In(lang)
		}
	}
	return ""
}

// RelationWords says the relation in lang: "the record is assigned to you".
func (t *Table) RelationWords(r Relation, lang string) string { return t.relations[r].In(lang) }

// Rules gives a copy of the table's rules in the file's order.
func (t *Table) Rules() []Rule { return slices.Clone(t.rules) }

// Strongest gives the strongest of some relations, None when there is none.
func Strongest(relations ...Relation) Relation {
	for _, r := range AllRelations {
		if slices.Contains(relations, r) {
			return r
		}
	}
	return None
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// Kinds lists the kinds of records that the table knows, in the file's order.
func (t *Table) Kinds() []string { return slices.Clone(t.kindOrder) }

// MightAs is Might for one relation, over all forms and tiers: false is what a
// test of all routes, roles and relations holds the program to.
func (t *Table) MightAs(s Subject, a Action, kind string, relation Relation, excluded bool) bool {
	return !excluded && slices.ContainsFunc(t.rules, func(rule Rule) bool {
		return rule.Kind == kind && slices.Contains(rule.May, a) && slices.Contains(rule.When, relation) && overlap(rule.Roles, s.Roles)
	})
}
