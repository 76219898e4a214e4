package forms

// Checking answers: first their shapes, then what depends on other answers in
// the order of dependence (relevance, calculations), then, with all answers
// settled, what is required and what the constraints say.

import (
	"strconv"
	"time"
)

// RowID is the key under which every row of a repeat keeps its own id.
const RowID = "_id"

// Env is what a check may know besides the answers. The zero value works; then
// "now" is the zero time.
type Env struct {
	Now  time.Time // in the time zone of the writer: today() is its date
	Lang string    // of messages and choice names
	// Known gives the newest answer of another form in the same stream, by
	// Form.field; nil when there is none.
	Known func(path string) any
	// Exists tells whether a reference points to something the writer may
	// name: kinds org, user, case, consent, grant, form, file. Nil: not checked.
	Exists func(kind, id string) bool
	// Auto gives the values of auto fields, by path; nil leaves them empty.
	Auto func(path string) any
	// NewID makes ids for rows that come without; nil makes those a problem.
	NewID func() string
	// Deciding is true when the entry is the decision of the approver: only
	// then may the form's approval field be filled.
	Deciding bool
	// Strict reports irrelevant answers instead of only dropping them.
	Strict bool
}

// run is one check.
type run struct {
	form       *Form
	env        Env
	lang       string
	trusted    bool // computed values in the input are the server's own
	problems   []Problem
	bad        map[string]bool // paths that have a problem already
	irrelevant map[string]bool // paths of instances that do not apply
	ev         evaluation
}

func (f *Form) newRun(env Env) *run {
	lang := env.Lang
	if lang == "" {
		lang = English
	}
	r := &run{form: f, env: env, lang: lang, bad: map[string]bool{}, irrelevant: map[string]bool{}}
	r.ev.world = &world{now: env.Now, lang: lang, known: env.Known}
	return r
}

func (r *run) problem(path, code string, params map[string]any) {
	r.say(path, code, r.form.lib.message(r.lang, code), params)
}

func (r *run) say(path, code, message string, params map[string]any) {
	if r.bad == nil {
		r.bad = map[string]bool{}
	}
	r.bad[path] = true
	if len(r.problems) >= maxProblems {
		return
	}
	r.problems = append(r.problems, Problem{Path: path, Code: code, Message: fillIn(message, params), Params: params})
}

// Check holds answers against every rule of the form. clean has what is valid
// and relevant, with calculations computed here, and shares nothing with the
// input; it may be stored only when there are no problems.
func (f *Form) Check(answers map[string]any, env Env) (clean map[string]any, problems []Problem) {
	return f.check(answers, env, false)
}

func (f *Form) check(answers map[string]any, env Env, trusted bool) (map[string]any, []Problem) {
	r := f.newRun(env)
	r.trusted = trusted
	clean, ok := r.shapes(answers)
	if !ok {
		return nil, r.problems
	}
	r.settle(clean)
	r.verify(f.Fields, place{m: clean, scopes: []map[string]any{clean}})
	prune(f.Fields, clean)
	return clean, r.problems
}

// CheckPartial checks a draft: keys, types, limits and codes only. Nothing is
// required, dropped or computed.
func (f *Form) CheckPartial(answers map[string]any, env Env) (clean map[string]any, problems []Problem) {
	r := f.newRun(env)
	clean, ok := r.shapes(answers)
	if !ok {
		return nil, r.problems
	}
	prune(f.Fields, clean)
	return clean, r.problems
}

func (r *run) shapes(answers map[string]any) (clean map[string]any, ok bool) {
	size := 0
	if code := measure(answers, 0, &size); code != "" {
		r.problem("", code, map[string]any{"max": MaxAnswers})
		return nil, false
	}
	return r.object(r.form.Fields, answers, "", false), true
}

// place is one level of the answers: the whole, a group, a row.
type place struct {
	m      map[string]any
	scopes []map[string]any // the whole and the rows around, outermost first
	index  int              // 1-based, of the row; 0 outside repeats
	prefix string           // of paths
}

// each visits every place where fields inside the last container stand.
func each(containers []*Field, p place, visit func(place)) {
	if len(containers) == 0 {
		visit(p)
		return
	}
	c := containers[0]
	switch c.Type {
	case Group:
		if m, ok := p.m[c.Name].(map[string]any); ok {
			each(containers[1:], place{m, p.scopes, p.index, p.prefix + c.Name + "."}, visit)
		}
	case Repeat:
		rows, _ := p.m[c.Name].([]any)
		for i := range rows {
			each(containers[1:], p.row(c, i), visit)
		}
	case Matrix:
		cells, _ := p.m[c.Name].(map[string]any)
		for _, code := range c.Rows.codes() {
			if m, ok := cells[code.Code].(map[string]any); ok {
				each(containers[1:], p.cell(c, code.Code, m), visit)
			}
		}
	}
}

func (l *List) codes() []*Code {
	if l == nil {
		return nil
	}
	return l.Codes
}

func (p place) row(c *Field, i int) place {
	m, _ := p.m[c.Name].([]any)[i].(map[string]any)
	return place{m, append(p.scopes[:len(p.scopes):len(p.scopes)], m), i + 1, p.prefix + c.Name + "[" + strconv.Itoa(i) + "]."}
}

func (p place) cell(c *Field, code string, m map[string]any) place {
	return place{m, append(p.scopes[:len(p.scopes):len(p.scopes)], m), 0, p.prefix + c.Name + "." + code + "."}
}

// settle drops what does not apply and computes calculations, each field
// after everything it depends on.
func (r *run) settle(clean map[string]any) {
	root := place{m: clean, scopes: []map[string]any{clean}}
	for _, f := range r.form.order {
		if f.Relevant == nil && f.Type != Group && !f.computed() {
			continue
		}
		each(f.containers, root, func(p place) { r.settleOne(f, p) })
	}
}

func (r *run) settleOne(f *Field, p place) {
	if f.Relevant != nil && !truth(r.value(f.Relevant, f, p, nil, nil)) {
		path := p.prefix + f.Name
		r.irrelevant[path] = true
		if r.env.Strict && !isEmpty(p.m[f.Name]) {
			r.problem(path, ProblemIrrelevant, nil)
		}
		delete(p.m, f.Name)
		return
	}
	switch f.Type {
	case Group:
		if p.m[f.Name] == nil {
			p.m[f.Name] = map[string]any{}
		}
	case Calculate:
		set(p.m, f.Name, r.value(f.Calculation, f, p, nil, p.m[f.Name]))
	case Auto:
		if r.env.Auto != nil && isEmpty(p.m[f.Name]) {
			set(p.m, f.Name, plain(r.env.Auto(p.prefix+f.Name)))
		}
	}
}

func set(m map[string]any, key string, v any) {
	if isEmpty(v) {
		delete(m, key)
		return
	}
	m[key] = v
}

// value computes one rule of f at p.
func (r *run) value(e *Expr, f *Field, p place, self, prev any) any {
	if e == nil {
		return nil
	}
	r.ev.scopes, r.ev.index, r.ev.self, r.ev.prev, r.ev.choice = p.scopes, p.index, self, prev, nil
	v := r.ev.value(e)
	if r.ev.spent {
		r.problem(p.prefix+f.Name, ProblemComplex, nil)
	}
	return v
}

// verify checks what is required, filtered and constrained, in form order.
func (r *run) verify(fields []*Field, p place) {
	for _, f := range fields {
		path := p.prefix + f.Name
		if !f.Type.HoldsAnswer() || r.irrelevant[path] || r.undecided(f) {
			continue
		}
		v := p.m[f.Name]
		if f.Type == Group {
			if m, ok := v.(map[string]any); ok {
				r.verify(f.Fields, place{m, p.scopes, p.index, path + "."})
			}
		}
		if isEmpty(v) || (f.Type == Acknowledge && v == false) {
			r.verifyEmpty(f, p, path)
			continue
		}
		r.verifyFull(f, v, p, path)
	}
}

func (r *run) required(f *Field, p place) bool {
	return f.Required || (f.RequiredWhen != nil && truth(r.value(f.RequiredWhen, f, p, nil, nil)))
}

func (r *run) verifyEmpty(f *Field, p place, path string) {
	if f.computed() || r.bad[path] || f.Type == Group || !r.required(f, p) {
		return
	}
	r.require(f, path)
}

func (r *run) require(f *Field, path string) {
	message := f.RequiredMessage(r.lang)
	if message == "" {
		message = r.form.lib.message(r.lang, ProblemRequired)
	}
	r.say(path, ProblemRequired, message, nil)
}

func (r *run) verifyFull(f *Field, v any, p place, path string) {
	switch f.Type {
	case Repeat:
		for i := range v.([]any) {
			r.verify(f.Fields, p.row(f, i))
		}
	case Matrix:
		r.verifyMatrix(f, v.(map[string]any), p, path)
	}
	if f.ChoiceFilter != nil {
		r.verifyChoices(f, v, p, path)
	}
	if f.Constraint == nil || r.bad[path] || truth(r.value(f.Constraint, f, p, v, nil)) {
		return
	}
	message := f.ConstraintMessage(r.lang)
	if message == "" {
		message = r.form.lib.message(r.lang, ProblemConstraint)
	}
	r.say(path, ProblemConstraint, message, nil)
}

func (r *run) verifyMatrix(f *Field, m map[string]any, p place, path string) {
	all := !f.AnyRow && r.required(f, p)
	for _, code := range f.Rows.codes() {
		cell, there := m[code.Code]
		if !there {
			if cellPath := path + "." + code.Code; all && !r.bad[cellPath] {
				r.require(f, cellPath)
			}
			continue
		}
		if columns, ok := cell.(map[string]any); ok {
			r.verify(f.Fields, p.cell(f, code.Code, columns))
		}
	}
}

// verifyChoices asks the filter about each chosen code.
func (r *run) verifyChoices(f *Field, v any, p place, path string) {
	for _, e := range elements(v) {
		code := f.List.Code(toText(e))
		r.ev.scopes, r.ev.index, r.ev.self, r.ev.prev, r.ev.choice = p.scopes, p.index, nil, nil, code
		if !truth(r.ev.value(f.ChoiceFilter)) {
			r.problem(path, ProblemFiltered, nil)
			return
		}
	}
}

// prune removes groups and matrix rows in which nothing is answered.
func prune(fields []*Field, m map[string]any) {
	for _, f := range fields {
		switch f.Type {
		case Group:
			if inner, ok := m[f.Name].(map[string]any); ok {
				prune(f.Fields, inner)
				set(m, f.Name, inner)
			}
		case Repeat:
			rows, _ := m[f.Name].([]any)
			for _, row := range rows {
				prune(f.Fields, row.(map[string]any))
			}
		case Matrix:
			cells, _ := m[f.Name].(map[string]any)
			for _, k := range sortedKeys(cells) {
				if inner, ok := cells[k].(map[string]any); ok && len(inner) == 0 {
					delete(cells, k)
				}
			}
			set(m, f.Name, cells)
		}
	}
}

// Missing gives the paths that still need an answer, in form order.
func (f *Form) Missing(answers map[string]any, env Env) []string {
	_, problems := f.Check(answers, env)
	var out []string
	for _, p := range problems {
		if p.Code == ProblemRequired || p.Code == ProblemPart {
			out = append(out, p.Path)
		}
	}
	return out
}
