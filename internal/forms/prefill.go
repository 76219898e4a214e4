package forms

// Prefill: what a form opens with, so that nobody has to tell it twice.

// Where a prefilled answer comes from.
const (
	FromDefault     = "default"     // the form's own default
	FromCalculation = "calculation" // computed from the other answers
)

// Prefill gives the answers that a new record of the form opens with, and for
// each path where it comes from: a Form.field of another form in the same
// stream (env.Known) to be confirmed, "default" or "calculation". Whatever
// does not fit the field (an old code, another shape) is left out. Fields
// that do not apply and computed fields are left to the check.
func (f *Form) Prefill(env Env) (answers map[string]any, from map[string]string) {
	r := f.newRun(env)
	answers, from = map[string]any{}, map[string]string{}
	for _, field := range f.order {
		if field.InRow() || field.computed() || field.Type == Group || !field.Type.HoldsAnswer() {
			continue
		}
		p, ok := r.open(field, answers)
		if !ok {
			continue
		}
		if v, source := r.first(field, p); !isEmpty(v) {
			p.m[field.Name] = v
			from[field.Path] = source
		}
	}
	prune(f.Fields, answers)
	return answers, from
}

// open finds, or makes, the group in which the field stands.
func (r *run) open(f *Field, answers map[string]any) (p place, ok bool) {
	p = place{m: answers, scopes: []map[string]any{answers}}
	for _, c := range f.containers {
		if c.Relevant != nil && !truth(r.value(c.Relevant, c, p, nil, nil)) {
			return p, false
		}
		m, ok := p.m[c.Name].(map[string]any)
		if !ok {
			m = map[string]any{}
			p.m[c.Name] = m
		}
		p.m, p.prefix = m, p.prefix+c.Name+"."
	}
	return p, f.Relevant == nil || truth(r.value(f.Relevant, f, p, nil, nil))
}

// first tries what is known, then the default, then the computed default.
func (r *run) first(f *Field, p place) (v any, source string) {
	for _, path := range f.KnownFrom {
		if r.env.Known == nil {
			break
		}
		if v, ok := r.fits(f, r.env.Known(path)); ok {
			return v, path
		}
	}
	if f.Default != nil {
		v, _ := r.fits(f, f.Default)
		return v, FromDefault
	}
	if f.DefaultExpr != nil {
		v, _ := r.fits(f, r.value(f.DefaultExpr, f, p, nil, nil))
		return v, FromDefault
	}
	if f.Calculation != nil {
		v, _ := r.fits(f, r.value(f.Calculation, f, p, nil, nil))
		return v, FromCalculation
	}
	return nil, ""
}

// fits gives the value in the field's own shape; ok is false when it is empty
// or does not fit.
func (r *run) fits(f *Field, v any) (clean any, ok bool) {
	v = plain(v)
	if s, isText := v.(string); isText && f.Type == Date && len(s) > 10 {
		s = s[:10] // the day of a date-time
		v = s
	}
	try := r.form.newRun(r.env)
	clean, ok = try.shape(f, v, f.Path)
	if !ok || len(try.problems) > 0 || isEmpty(clean) {
		return nil, false
	}
	return clean, true
}
