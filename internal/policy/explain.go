package policy

// The page that explains the table to an administrator is drawn from the
// table itself, so that it cannot say anything else than what is enforced.

import (
	"maps"
	"slices"
)

// Explanation is the whole table in words of one language.
type Explanation struct {
	Version    int              `json:"version"`
	Lang       string           `json:"lang"`
	Roles      []ExplainedRole  `json:"roles"`
	Tiers      []Named          `json:"tiers"`
	Relations  []Named          `json:"relations"`
	Actions    []ExplainedWord  `json:"actions"`
	Purposes   []Named          `json:"purposes"`
	BreakGlass ExplainedGlass   `json:"break_glass"`
	Always     []string         `json:"always" doc:"Limits that hold whatever the table says."`
	Rows       []ExplainedRow   `json:"rows" doc:"One row for each role, relation and action."`
	Grid       []ExplainedPlace `json:"grid" doc:"For records about a person: what each role may read in each relation."`
}

// Named is a word of the table with its text.
type Named struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// ExplainedWord is an action with what it asks for.
type ExplainedWord struct {
	Named
	StepUp   bool `json:"step_up"`
	NeverOwn bool `json:"never_own"`
}

// ExplainedRole is a role with all of its rules.
type ExplainedRole struct {
	Named
	PersonLevel bool            `json:"person_level"`
	Rules       []ExplainedRule `json:"rules"`
}

// ExplainedRule is one rule as a sentence with its parts.
type ExplainedRule struct {
	Rule      string   `json:"rule"`
	Sentence  string   `json:"sentence"`
	Kind      string   `json:"kind"`
	Relations []string `json:"relations"`
	Actions   []string `json:"actions"`
	Tiers     []string `json:"tiers"`
	Forms     []string `json:"forms"`
}

// ExplainedGlass says how an emergency opening works.
type ExplainedGlass struct {
	Minutes       int      `json:"minutes"`
	ReasonAtLeast int      `json:"reason_at_least"`
	Notify        []string `json:"notify"`
}

// ExplainedRow is one line of the table as a page shows it.
type ExplainedRow struct {
	Role     string   `json:"role"`
	Relation string   `json:"relation"`
	Kind     string   `json:"kind"`
	Action   string   `json:"action"`
	Tiers    []string `json:"tiers"`
	Words    string   `json:"words"`
	Rule     string   `json:"rule"`
}

// ExplainedPlace is one cell of the grid.
type ExplainedPlace struct {
	Kind     string `json:"kind"`
	Role     string `json:"role"`
	Relation string `json:"relation"`
	Read     []Tier `json:"read"`
}

var always = []Text{
	{EN: "What no rule allows is denied.", VI: "Điều gì không có quy tắc cho phép thì bị từ chối."},
	{EN: "An exclusion from a record beats every rule.", VI: "Việc loại trừ khỏi hồ sơ có hiệu lực hơn mọi quy tắc."},
	{EN: "A role alone opens no record about a person.", VI: "Chỉ có vai trò thì không mở được hồ sơ nào về một người."},
	{EN: "Nobody approves their own work.", VI: "Không ai tự phê duyệt công việc của mình."},
	{EN: "Denied and absent look the same.", VI: "Bị từ chối và không tồn tại trông giống nhau."},
	{EN: "Every reading is written down before it is shown.", VI: "Mỗi lần xem đều được ghi lại trước khi hiển thị."},
}

// Explain gives the table in words of lang ("en" or "vi").
func (t *Table) Explain(lang string) Explanation {
	x := Explanation{Version: t.Version, Lang: lang}
	for _, role := range AllRoles {
		x.Roles = append(x.Roles, ExplainedRole{Named{role, t.roles[role].In(lang)}, t.roles[role].personLevel, t.rulesOf(role, lang)})
	}
	for _, tier := range AllTiers {
		x.Tiers = append(x.Tiers, Named{string(tier), t.tiers[tier].In(lang)})
	}
	for _, rel := range AllRelations {
		x.Relations = append(x.Relations, Named{string(rel), t.relations[rel].In(lang)})
	}
	for _, a := range AllActions {
		info := t.actions[a]
		x.Actions = append(x.Actions, ExplainedWord{Named{string(a), info.In(lang)}, info.stepUp, info.neverOwn})
	}
	for _, id := range sortedKeys(t.purposes) {
		x.Purposes = append(x.Purposes, Named{id, t.purposes[id].In(lang)})
	}
	x.BreakGlass = ExplainedGlass{int(t.Glass.For.Minutes()), t.Glass.ReasonAtLeast, t.Glass.Notify}
	for _, text := range always {
		x.Always = append(x.Always, text.In(lang))
	}
	x.Rows, x.Grid = t.rows(lang), t.grid()
	return x
}

func (t *Table) rows(lang string) []ExplainedRow {
	out := []ExplainedRow{}
	for _, role := range AllRoles {
		for _, r := range t.rules {
			if !slices.Contains(r.Roles, role) {
				continue
			}
			for _, rel := range r.When {
				for _, a := range r.May {
					row := ExplainedRow{Role: role, Relation: string(rel), Kind: r.Kind, Action: string(a), Tiers: []string{}, Words: r.Text.In(lang), Rule: r.ID}
					if t.actions[a].tiers {
						row.Tiers = asStrings(r.Tiers)
					}
					out = append(out, row)
				}
			}
		}
	}
	return out
}

func (t *Table) rulesOf(role Role, lang string) []ExplainedRule {
	out := []ExplainedRule{}
	for _, r := range t.rules {
		if !overlap(r.Roles, []string{role}) {
			continue
		}
		out = append(out, ExplainedRule{r.ID, r.Text.In(lang), r.Kind, asStrings(r.When), asStrings(r.May), asStrings(r.Tiers), append([]string{}, r.Forms...)})
	}
	return out
}

func (t *Table) grid() []ExplainedPlace {
	var out []ExplainedPlace
	for _, kind := range t.kindOrder {
		if !t.kinds[kind].person {
			continue
		}
		for _, role := range AllRoles {
			for _, rel := range AllRelations {
				if tiers := t.Tiers(Subject{Roles: []Role{role}}, Read, kind, rel, false); len(tiers) > 0 {
					out = append(out, ExplainedPlace{kind, role, string(rel), tiers})
				}
			}
		}
	}
	return out
}

// Why says for one user and one record what each action comes to.
type Why struct {
	Action  Action `json:"action"`
	Allowed bool   `json:"allowed"`
	Rule    string `json:"rule"`
	Words   string `json:"words"`
	Tiers   []Tier `json:"tiers"`
}

// Why explains, action by action, what s may do to a record of the kind in
// the given relations.
func (t *Table) Why(s Subject, kind string, excluded bool, lang string, relations ...Relation) []Why {
	var out []Why
	for _, a := range AllActions {
		if !t.used(a, kind) {
			continue
		}
		d := t.DecideAny(s, a, Resource{Kind: kind, Excluded: excluded}, relations...)
		w := Why{Action: a, Allowed: d.Allowed, Rule: d.Rule, Words: d.Words, Tiers: t.TiersOfForm(s, a, kind, "", excluded, relations...)}
		if d.Allowed {
			w.Words = t.Words(d.Rule, lang)
		}
		out = append(out, w)
	}
	return out
}

func (t *Table) used(a Action, kind string) bool {
	for _, r := range t.rules {
		if r.Kind != kind {
			continue
		}
		for _, may := range r.May {
			if may == a {
				return true
			}
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
