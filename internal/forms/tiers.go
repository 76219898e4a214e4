package forms

// Tiers: taking answers apart into what is sealed together, and putting
// together again what a reader may open.
//
// Each field goes to its own tier. Rows of a repeat are split field by field,
// and every part carries the row's _id. All rows, also empty ones, stand in
// the repeat's home tier (its own tier, else the only tier of its fields,
// else coded), which therefore keeps their number and order; another tier has
// only the rows that say something there. Changes (see amend.go) split alike:
// a null or a _gone goes where the answer would.

import "slices"

// Tiers gives the tiers that the form's answers use, in the fixed order.
func (f *Form) Tiers() []Tier {
	used := map[Tier]bool{}
	for _, field := range f.all {
		for _, t := range field.tiers() {
			used[t] = true
		}
	}
	var out []Tier
	for _, t := range Tiers {
		if used[t] {
			out = append(out, t)
		}
	}
	return out
}

// tiers gives every tier in which something of the field's answer may stand.
func (f *Field) tiers() []Tier {
	if !f.Type.Container() {
		if f.Tier == "" || !f.Type.HoldsAnswer() {
			return nil
		}
		return []Tier{f.Tier}
	}
	var out []Tier
	if f.Type == Repeat {
		out = append(out, f.home)
	}
	for _, c := range f.Fields {
		for _, t := range c.tiers() {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// settleHomes gives every repeat its home tier; inner ones first.
func settleHomes(fields []*Field) {
	for _, f := range fields {
		settleHomes(f.Fields)
		if f.Type != Repeat {
			continue
		}
		f.home = f.Tier
		if f.home == "" {
			f.home = f.onlyTier()
		}
	}
}

// onlyTier is the tier in which everything inside f stands, else coded.
func (f *Field) onlyTier() Tier {
	only := Tier("")
	for _, c := range f.Fields {
		for _, t := range c.tiers() {
			if only != "" && t != only {
				return TierCoded
			}
			only = t
		}
	}
	if only == "" {
		return TierCoded
	}
	return only
}

// SplitTiers takes checked answers, or changes, apart. Keys that are no
// fields are left out.
func (f *Form) SplitTiers(answers map[string]any) map[Tier]map[string]any {
	return split(f.Fields, answers)
}

// tierParts is one object taken apart.
type tierParts = map[Tier]map[string]any

func put(out tierParts, t Tier, key string, v any) {
	if out[t] == nil {
		out[t] = map[string]any{}
	}
	out[t][key] = v
}

func split(fields []*Field, in map[string]any) tierParts {
	out := tierParts{}
	for _, f := range fields {
		v, ok := in[f.Name]
		if !ok || !f.Type.HoldsAnswer() {
			continue
		}
		switch {
		case !f.Type.Container():
			put(out, f.Tier, f.Name, clone(v))
		case v == nil:
			for _, t := range f.tiers() {
				put(out, t, f.Name, nil)
			}
		case f.Type == Group:
			m, _ := v.(map[string]any)
			for t, part := range split(f.Fields, m) {
				put(out, t, f.Name, part)
			}
		default:
			splitRows(out, f, v)
		}
	}
	return out
}

func splitRows(out tierParts, f *Field, v any) {
	rows, _ := v.([]any)
	for _, e := range rows {
		row, _ := e.(map[string]any)
		parts := split(f.Fields, row)
		if parts[f.home] == nil {
			parts[f.home] = map[string]any{}
		}
		if gone, ok := row[RowGone]; ok {
			parts[f.home][RowGone] = gone
		}
		for t, part := range parts {
			if id, ok := row[RowID]; ok {
				part[RowID] = id
			}
			list, _ := out[t][f.Name].([]any)
			put(out, t, f.Name, append(list, part))
		}
	}
}

// MergeTiers joins the parts that a reader could open. Rows are joined by
// _id, in the order of the home tier where that is open; rows that only other
// tiers know come after it.
func (f *Form) MergeTiers(parts map[Tier]map[string]any) map[string]any {
	return merge(f.Fields, parts)
}

func merge(fields []*Field, parts tierParts) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		if !f.Type.Container() {
			if v, ok := parts[f.Tier][f.Name]; ok {
				out[f.Name] = clone(v)
			}
			continue
		}
		inner, some, cleared := tierParts{}, false, false
		lists := map[Tier][]any{}
		for _, t := range Tiers {
			switch v := parts[t][f.Name].(type) {
			case map[string]any:
				inner[t], some = v, true
			case []any:
				lists[t], some = v, true
			case nil:
				_, there := parts[t][f.Name]
				cleared = cleared || there
			}
		}
		switch {
		case some && f.Type == Group:
			out[f.Name] = merge(f.Fields, inner)
		case some:
			out[f.Name] = mergeRows(f, lists)
		case cleared:
			out[f.Name] = nil
		}
	}
	return out
}

func mergeRows(f *Field, lists map[Tier][]any) []any {
	order := append([]Tier{f.home}, Tiers...)
	byID := map[string]tierParts{}
	var ids []string
	for i, t := range order {
		if i > 0 && t == f.home {
			continue
		}
		for _, e := range lists[t] {
			row, _ := e.(map[string]any)
			id := rowID(row)
			if byID[id] == nil {
				byID[id] = tierParts{}
				ids = append(ids, id)
			}
			byID[id][t] = row
		}
	}
	out := make([]any, 0, len(ids))
	for _, id := range ids {
		row := merge(f.Fields, byID[id])
		if id != "" {
			row[RowID] = id
		}
		if gone, ok := byID[id][f.home][RowGone]; ok {
			row[RowGone] = gone
		}
		out = append(out, row)
	}
	return out
}
