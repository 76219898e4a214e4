package casework

// The forms of a case's page: records with what is missing, approvals, disputes.

import (
	"sort"
	"time"

	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/policy"
)

// FormItem is one form with its records.
type FormItem struct {
	Form       string       `json:"form"`
	Title      string       `json:"title"`
	StatusNote string       `json:"status_note,omitempty"`
	CanAdd     bool         `json:"can_add"`
	Records    []RecordItem `json:"records"`
}

// RecordItem is one record in a list.
type RecordItem struct {
	Record   string    `json:"record"`
	At       time.Time `json:"at"`
	Author   string    `json:"author"`
	Missing  int       `json:"missing"`
	Disputes int       `json:"disputes"`
	Approval string    `json:"approval,omitempty" enum:"pending,approved,returned"`
	Struck   bool      `json:"struck"`
}

// ApprovalItem is a decision, asked for or given.
type ApprovalItem struct {
	Record  string     `json:"record"`
	Form    string     `json:"form"`
	Title   string     `json:"title"`
	State   string     `json:"state" enum:"pending,approved,returned"`
	Entry   string     `json:"entry"`
	AskedAt time.Time  `json:"asked_at"`
	AskedBy string     `json:"asked_by"`
	By      string     `json:"by,omitempty"`
	At      *time.Time `json:"at,omitempty"`
	Remark  string     `json:"remark,omitempty"`
	Fell    bool       `json:"fell"`
	MayI    bool       `json:"may_i"`
}

// DisputeItem is one question with several answers.
type DisputeItem struct {
	Record string         `json:"record"`
	Form   string         `json:"form"`
	Path   string         `json:"path"`
	Label  string         `json:"label"`
	Values []DisputeValue `json:"values"`
	Heads  []string       `json:"heads"`
}

// DisputeValue is one of them. Changes is what an amendment that follows all
// heads carries to choose it.
type DisputeValue struct {
	Value   any            `json:"value"`
	Text    string         `json:"text"`
	Author  string         `json:"author"`
	At      time.Time      `json:"at"`
	Entry   string         `json:"entry"`
	Changes map[string]any `json:"changes"`
}

func (v *view) forms() []FormItem {
	out := []FormItem{}
	for _, form := range v.c.rules.Forms.Forms() {
		if form.Stream != Kind {
			continue
		}
		item := FormItem{Form: form.ID, Title: form.Title(v.r.Lang), StatusNote: form.Status, Records: []RecordItem{}}
		item.CanAdd = len(v.s.tiers(v.r, policy.WriteTo, v.st, form.ID)) > 0 && v.c.State() != "closed" && !(form.Single && len(v.c.Of(form.ID)) > 0)
		for i := len(v.c.byForm[form.ID]) - 1; i >= 0; i-- {
			rec := v.c.byForm[form.ID][i]
			item.Records = append(item.Records, RecordItem{Record: rec.ID, At: rec.FirstAt, Author: v.s.nameOf(v.ctx, rec.Author),
				Missing: v.missing(rec), Disputes: len(rec.Disputes), Approval: approvalState(rec), Struck: rec.Struck})
		}
		out = append(out, item)
	}
	return out
}

// missing counts only what the reader could see answered.
func (v *view) missing(rec *Record) int {
	if len(v.tiers) < len(journal.Tiers) {
		return 0
	}
	return len(v.c.MissingFields(rec, v.now))
}

func (v *view) approval(rec *Record) *ApprovalItem {
	a := rec.Approval
	if a == nil {
		return nil
	}
	form, _ := v.c.rules.Forms.Form(rec.Form)
	own := contains(rec.Authors, v.r.User)
	by := a.By
	if by == "" {
		by = a.AskedBy
	}
	return &ApprovalItem{Record: rec.ID, Form: rec.Form, Title: form.Title(v.r.Lang), State: a.State, Entry: a.Entry, AskedAt: a.AskedAt,
		AskedBy: v.s.nameOf(v.ctx, a.AskedBy), By: v.s.nameOf(v.ctx, by), At: ptr(a.At), Remark: a.Remark, Fell: a.Fell,
		MayI: a.State == "pending" && v.s.decide(v.r, policy.Approve, v.st, rec.Form, own).Allowed}
}

func approvalState(rec *Record) string {
	if rec.Approval == nil {
		return ""
	}
	return rec.Approval.State
}

func (v *view) approvals() []ApprovalItem {
	out := []ApprovalItem{}
	for _, rule := range v.c.rules.Approvals {
		for _, rec := range v.c.Of(rule.Form) {
			out = append(out, *v.approval(rec))
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].AskedAt.After(out[j].AskedAt) })
	return out
}

func (v *view) disputes() []DisputeItem {
	out := []DisputeItem{}
	for _, d := range v.c.AllDisputes() {
		rec := v.c.Records[d.Record]
		form, ok := v.c.rules.Forms.Form(d.Form)
		if !ok {
			continue
		}
		item := DisputeItem{Record: d.Record, Form: d.Form, Path: d.Path, Label: labelOf(form, d.Path, v.r.Lang), Heads: rec.Heads}
		for _, x := range d.Versions {
			value := DisputeValue{Value: x.Value, Author: v.s.nameOf(v.ctx, x.Author), At: x.At, Entry: x.Entry}
			if field := fieldAt(form, d.Path); field != nil {
				value.Text = v.c.rules.textOf(field, x.Value, v.r.Lang)
			}
			if d.settle != nil {
				value.Changes = d.settle(x.Value)
			}
			item.Values = append(item.Values, value)
		}
		out = append(out, item)
	}
	return out
}

// fieldAt finds the question of a path with row ids.
func fieldAt(form *forms.Form, path string) *forms.Field {
	if f, ok := form.Field(withoutRows(path)); ok {
		return f
	}
	return nil
}
