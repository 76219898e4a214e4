package casework

// Around the person on a case's page: the consents, and the people.

import (
	"sort"
)

// ConsentItem is one scope of the ledger.
type ConsentItem struct {
	Scope     string `json:"scope"`
	Label     string `json:"label"`
	Given     bool   `json:"given"`
	By        string `json:"by,omitempty"`
	Until     string `json:"until,omitempty"`
	Withdrawn string `json:"withdrawn,omitempty"`
	Override  bool   `json:"override"`
	Record    string `json:"record"`
}

// PersonItem is somebody around the child.
type PersonItem struct {
	Name     string `json:"name"`
	Relation string `json:"relation,omitempty"`
	Kind     string `json:"kind"`
	Note     string `json:"note,omitempty"`
	Safe     string `json:"safe,omitempty"`
	Record   string `json:"record,omitempty"`
	Row      string `json:"row,omitempty"`
}

func (v *view) consent() []ConsentItem {
	out := []ConsentItem{}
	list, _ := v.c.rules.Forms.List("consent_scope")
	for _, n := range v.c.Consents() {
		item := ConsentItem{Scope: n.Scope, Given: n.Given, By: n.By, Until: n.Until, Withdrawn: n.Withdrawn, Override: n.Override, Record: n.Record}
		if list != nil {
			item.Label = list.Label(v.r.Lang, n.Scope)
		}
		out = append(out, item)
	}
	return out
}

func (v *view) people() []PersonItem {
	out := []PersonItem{}
	for _, p := range v.c.People() {
		out = append(out, PersonItem(p))
	}
	for relation, user := range map[string]string{"worker": v.c.Assigned.Worker, "supervisor": v.c.Assigned.Supervisor, "lawyer": v.c.Assigned.Lawyer} {
		if user != "" {
			out = append(out, PersonItem{Name: v.s.nameOf(v.ctx, user), Relation: relation, Kind: "staff"})
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		return out[i].Kind == "staff" && out[j].Kind != "staff" || out[i].Kind == out[j].Kind && out[i].Kind == "staff" && out[i].Relation > out[j].Relation
	})
	return out
}
