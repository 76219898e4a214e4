package forms

// Amendments: a set of changes to answers given before.
//
// Changes have the shape of answers. A key with a value replaces the value, a
// key with null clears it, an absent key leaves it. Groups and matrices change
// part by part; rows of a repeat are found by their _id: a known id changes
// that row part by part, a new id adds a row at the end, {"_id": …, "_gone":
// true} removes the row, and rows not named stay as they are. So two people
// who change different things, or who see different tiers, do not undo each other.

import "reflect"

// RowGone marks, in changes, a row that is taken away.
const RowGone = "_gone"

// CheckAmend checks changes to base, which must be the server's own answers.
// The merged answers are checked whole; a problem that the same answers
// already had before is not the amendment's and is left out. out has what
// really changes, calculations included, null where something is cleared.
// Problems carry the paths of the merged answers; only those about the marks of
// rows (_id, _gone) carry the place in changes.
func (f *Form) CheckAmend(base, changes map[string]any, env Env) (out map[string]any, problems []Problem) {
	r := f.newRun(env)
	size := 0
	if code := measure(changes, 0, &size); code != "" {
		r.problem("", code, map[string]any{"max": MaxAnswers})
		return nil, r.problems
	}
	r.marks(f.Fields, changes, "")
	own := f.ownChanges(f.Fields, changes, env.Deciding)
	merged := f.Apply(base, own)
	clean, found := f.check(merged, env, true)
	problems = append(r.problems, newProblems(f, base, merged, env, found)...)
	if clean == nil {
		return nil, problems
	}
	return f.Diff(base, clean), problems
}

// newProblems drops those which base has too, with the same answer there.
func newProblems(f *Form, base, merged map[string]any, env Env, found []Problem) []Problem {
	if len(found) == 0 {
		return nil
	}
	_, before := f.check(base, env, true)
	old := make(map[string]bool, len(before))
	for _, p := range before {
		old[p.Code+" "+p.Path] = true
	}
	var out []Problem
	for _, p := range found {
		if old[p.Code+" "+p.Path] && reflect.DeepEqual(answerAt(base, p.Path), answerAt(merged, p.Path)) {
			continue
		}
		out = append(out, p)
	}
	return out
}

// answerAt finds the answer at a problem's path.
func answerAt(v any, path string) any {
	for path != "" {
		name := path
		for i := 0; i < len(path); i++ {
			if path[i] == '.' || (path[i] == '[' && i > 0) {
				name = path[:i]
				break
			}
		}
		path = path[len(name):]
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			i, ok := digits(trimBrackets(name))
			if !ok || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
		if len(path) > 0 && path[0] == '.' {
			path = path[1:]
		}
	}
	return v
}

func trimBrackets(s string) string {
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		return s[1 : len(s)-1]
	}
	return ""
}

// marks checks the row marks of changes, which a check of answers never sees.
func (r *run) marks(fields []*Field, changes map[string]any, prefix string) {
	for _, f := range fields {
		switch v := plain(changes[f.Name]).(type) {
		case map[string]any:
			if f.Type == Group {
				r.marks(f.Fields, v, prefix+f.Name+".")
			}
		case []any:
			if f.Type != Repeat {
				continue
			}
			for i, e := range v {
				path := at(prefix+f.Name, i)
				row, ok := e.(map[string]any)
				if !ok {
					r.wrong(path, "object")
					continue
				}
				if id, ok := row[RowID].(string); !ok || !rowIDShape.MatchString(id) {
					r.problem(path, ProblemRowID, nil)
				}
				if gone, there := row[RowGone]; there && gone != true {
					r.wrong(path+"."+RowGone, "true")
				}
				r.marks(f.Fields, row, path+".")
			}
		}
	}
}

// ownChanges leaves out what the writer cannot change: computed fields, and
// the approval unless this is the decision. Keys it does not know stay, to be
// reported.
func (f *Form) ownChanges(fields []*Field, changes map[string]any, deciding bool) map[string]any {
	out := make(map[string]any, len(changes))
	for k, v := range changes {
		out[k] = plain(v)
	}
	for _, field := range fields {
		v, ok := out[field.Name]
		if !ok {
			continue
		}
		if field.computed() || (field.Path == f.ApprovalField && !deciding) {
			delete(out, field.Name)
			continue
		}
		switch x := v.(type) {
		case map[string]any:
			if field.Type == Group {
				out[field.Name] = f.ownChanges(field.Fields, x, deciding)
			}
		case []any:
			if field.Type != Repeat {
				continue
			}
			rows := make([]any, 0, len(x))
			for _, e := range x {
				if row, ok := e.(map[string]any); ok {
					rows = append(rows, f.ownChanges(field.Fields, row, deciding))
				}
			}
			out[field.Name] = rows
		}
	}
	return out
}

// Apply puts changes onto base and gives the result; neither is altered. It
// checks nothing: changes come from CheckAmend or Diff.
func (f *Form) Apply(base, changes map[string]any) map[string]any {
	out, _ := clone(base).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	apply(f.Fields, out, changes)
	return out
}

func apply(fields []*Field, into, changes map[string]any) {
	byName := make(map[string]*Field, len(fields))
	for _, f := range fields {
		byName[f.Name] = f
	}
	for _, k := range sortedKeys(changes) {
		if k == RowGone {
			continue
		}
		v, f := plain(changes[k]), byName[k]
		if v == nil {
			delete(into, k)
			continue
		}
		old := into[k]
		switch {
		case f != nil && f.Type == Group:
			into[k] = applyMap(old, v, func(m, c map[string]any) { apply(f.Fields, m, c) })
		case f != nil && f.Type == Matrix:
			into[k] = applyMap(old, v, func(m, c map[string]any) { applyMatrix(f, m, c) })
		case f != nil && f.Type == Repeat:
			into[k] = applyRows(f, old, v)
		default:
			into[k] = clone(v)
		}
		if isEmpty(into[k]) {
			delete(into, k)
		}
	}
}

// applyMap merges object into object; anything else replaces.
func applyMap(old, v any, merge func(m, changes map[string]any)) any {
	changes, ok := v.(map[string]any)
	if !ok {
		return clone(v)
	}
	m, ok := old.(map[string]any)
	if !ok {
		m = map[string]any{}
	}
	merge(m, changes)
	return m
}

func applyMatrix(f *Field, m, changes map[string]any) {
	for _, k := range sortedKeys(changes) {
		v := plain(changes[k])
		if v == nil {
			delete(m, k)
			continue
		}
		m[k] = applyMap(m[k], v, func(row, c map[string]any) { apply(f.Fields, row, c) })
		if isEmpty(m[k]) {
			delete(m, k)
		}
	}
}

func applyRows(f *Field, old, v any) any {
	changes, ok := v.([]any)
	if !ok {
		return clone(v)
	}
	rows, _ := old.([]any)
	rows = append([]any(nil), rows...)
	placeOf := make(map[string]int, len(rows))
	for i, e := range rows {
		if id := rowID(e); id != "" {
			placeOf[id] = i
		}
	}
	for _, e := range changes {
		change, isMap := e.(map[string]any)
		id := rowID(e)
		if i, known := placeOf[id]; known && id != "" {
			if change[RowGone] == true {
				rows[i] = nil
				continue
			}
			row, ok := rows[i].(map[string]any)
			if !ok { // taken away earlier in the same changes
				row = map[string]any{RowID: id}
			}
			apply(f.Fields, row, change)
			rows[i] = row
			continue
		}
		if isMap && change[RowGone] == true {
			continue
		}
		if isMap {
			row := map[string]any{}
			apply(f.Fields, row, change)
			e = row
		}
		placeOf[id] = len(rows)
		rows = append(rows, e)
	}
	kept := make([]any, 0, len(rows))
	for _, e := range rows {
		if e != nil {
			kept = append(kept, e)
		}
	}
	return kept
}

func rowID(row any) string {
	m, _ := row.(map[string]any)
	id, _ := m[RowID].(string)
	return id
}

// Diff gives the changes that turn base into next: Apply(base, Diff(base,
// next)) equals next, apart from the order of rows.
func (f *Form) Diff(base, next map[string]any) map[string]any {
	return diff(f.Fields, base, next)
}

func diff(fields []*Field, base, next map[string]any) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		a, b := base[f.Name], next[f.Name]
		if reflect.DeepEqual(a, b) || (isEmpty(a) && isEmpty(b)) {
			continue
		}
		if isEmpty(b) {
			out[f.Name] = nil
			continue
		}
		switch f.Type {
		case Group:
			am, _ := a.(map[string]any)
			bm, _ := b.(map[string]any)
			set(out, f.Name, diff(f.Fields, am, bm))
		case Matrix:
			am, _ := a.(map[string]any)
			bm, _ := b.(map[string]any)
			set(out, f.Name, diffMatrix(f, am, bm))
		case Repeat:
			ar, _ := a.([]any)
			br, _ := b.([]any)
			set(out, f.Name, diffRows(f, ar, br))
		default:
			out[f.Name] = clone(b)
		}
	}
	return out
}

func diffMatrix(f *Field, a, b map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range b {
		am, aIsMap := a[k].(map[string]any)
		bm, bIsMap := v.(map[string]any)
		switch {
		case reflect.DeepEqual(a[k], v):
		case aIsMap && bIsMap:
			set(out, k, diff(f.Fields, am, bm))
		default:
			out[k] = clone(v)
		}
	}
	for k := range a {
		if _, there := b[k]; !there {
			out[k] = nil
		}
	}
	return out
}

func diffRows(f *Field, a, b []any) []any {
	old := make(map[string]map[string]any, len(a))
	for _, e := range a {
		if m, ok := e.(map[string]any); ok {
			old[rowID(e)] = m
		}
	}
	var out []any
	kept := make(map[string]bool, len(b))
	for _, e := range b {
		id := rowID(e)
		kept[id] = true
		was, known := old[id]
		if !known {
			out = append(out, clone(e))
			continue
		}
		if change := diff(f.Fields, was, e.(map[string]any)); len(change) > 0 {
			change[RowID] = id
			out = append(out, change)
		}
	}
	for _, e := range a {
		if id := rowID(e); id != "" && !kept[id] {
			out = append(out, map[string]any{RowID: id, RowGone: true})
		}
	}
	return out
}

// clone copies an answer.
func clone(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = clone(e)
		}
		return out
	}
	return v
}
