package forms

// Answers that are small objects: age, location, money, ranges, and the
// references to files. Each part is checked under its own path.

import "strings"

// part is one key of a composite answer.
type part struct {
	name  string
	check func(v any, path string) (any, bool)
}

// composite checks an object against its parts; keys that are no part are unknown.
func (r *run) composite(f *Field, v any, path string) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return r.wrong(path, "object")
	}
	var list []part
	switch f.Type {
	case Age:
		list = r.ageParts()
	case Location:
		list = r.locationParts()
	case Money:
		list = r.moneyParts()
	case Range:
		number := func(v any, p string) (any, bool) { return r.bounded(v, p, -MaxNumber, MaxNumber, false) }
		list = []part{{"from", number}, {"to", number}}
	case DateRange:
		date := func(v any, p string) (any, bool) { return r.date(false, v, p) }
		list = []part{{"from", date}, {"to", date}}
	default:
		return r.wrong(path, string(f.Type))
	}
	out, ok := r.takeParts(list, m, path)
	if !ok {
		r.bad[path] = true
		return nil, false
	}
	if len(out) == 0 {
		return nil, true
	}
	return r.whole(f, out, path)
}

func (r *run) takeParts(list []part, m map[string]any, path string) (out map[string]any, ok bool) {
	out, ok = make(map[string]any, len(m)), true
	known := 0
	for _, p := range list {
		v, there := m[p.name]
		if !there {
			continue
		}
		known++
		if v = plain(v); v == nil {
			continue
		}
		clean, fine := p.check(v, path+"."+p.name)
		if !fine {
			ok = false
		} else if !isEmpty(clean) {
			out[p.name] = clean
		}
	}
	if known < len(m) {
		fields := make([]*Field, len(list))
		for i, p := range list {
			fields[i] = &Field{Name: p.name}
		}
		r.unknown(fields, m, path+".", false)
		ok = false
	}
	return out, ok
}

// whole checks what the parts must be together.
func (r *run) whole(f *Field, m map[string]any, path string) (any, bool) {
	lacks := func(name string) (any, bool) {
		r.bad[path] = true
		return r.refuse(path+"."+name, ProblemPart, map[string]any{"part": name})
	}
	has := func(name string) bool { return m[name] != nil }
	switch f.Type {
	case Age:
		if !has("years") && !has("dob") {
			return lacks("years")
		}
		if has("years") && !has("observed_on") {
			return lacks("observed_on")
		}
	case Location:
		switch {
		case !has("country"):
			return lacks("country")
		case has("adm2") && !has("adm1"):
			return lacks("adm1")
		case has("lat") && !has("lon"):
			return lacks("lon")
		case has("lon") && !has("lat"):
			return lacks("lat")
		}
	case Money:
		if !has("amount") {
			return lacks("amount")
		}
		if !has("currency") {
			return lacks("currency")
		}
	case Range, DateRange:
		if has("from") && has("to") {
			if c, ok := compareScalars(m["from"], m["to"]); !ok || c > 0 {
				return r.refuse(path, ProblemFromTo, nil)
			}
		}
	}
	return m, true
}

// listed checks a code against a list of the library, or, where the library
// has no such list, against the shape of its codes.
func (r *run) listed(list string, shape func(string) bool) func(v any, path string) (any, bool) {
	return func(v any, path string) (any, bool) {
		if l, ok := r.form.lib.List(list); ok {
			return r.code(l, v, path)
		}
		s, ok := v.(string)
		if !ok {
			return r.wrong(path, "code")
		}
		if s == "" {
			return nil, true
		}
		if !shape(s) {
			return r.refuse(path, ProblemCode, nil)
		}
		return s, true
	}
}

func (r *run) ageParts() []part {
	return []part{
		{"years", func(v any, p string) (any, bool) { return r.bounded(v, p, 0, 120, true) }},
		{"months", func(v any, p string) (any, bool) { return r.bounded(v, p, 0, 11, true) }},
		{"dob", func(v any, p string) (any, bool) { return r.date(false, v, p) }},
		{"observed_on", func(v any, p string) (any, bool) { return r.date(false, v, p) }},
		{"basis", r.listed("age_basis", nameShape.MatchString)},
	}
}

func (r *run) locationParts() []part {
	admin := func(v any, p string) (any, bool) {
		s, ok := v.(string)
		if ok && s == "" {
			return nil, true
		}
		if !ok || !adminShape.MatchString(s) {
			return r.wrong(p, "P-code")
		}
		return s, true
	}
	return []part{
		{"country", r.listed("country", currencyShape.MatchString)},
		{"adm1", admin}, {"adm2", admin},
		{"place", func(v any, p string) (any, bool) { return r.line(v, p, 500, false) }},
		{"lat", func(v any, p string) (any, bool) { return r.bounded(v, p, -90, 90, false) }},
		{"lon", func(v any, p string) (any, bool) { return r.bounded(v, p, -180, 180, false) }},
	}
}

func (r *run) moneyParts() []part {
	return []part{
		{"amount", func(v any, p string) (any, bool) {
			s, ok := v.(string)
			if ok && s == "" {
				return nil, true
			}
			if !ok || !moneyShape.MatchString(s) {
				return r.wrong(p, "amount")
			}
			return s, true
		}},
		{"currency", r.listed("currency", currencyShape.MatchString)},
	}
}

func (r *run) files(v any, path string) (any, bool) {
	list, ok := v.([]any)
	if !ok {
		return r.wrong(path, "list")
	}
	if len(list) > MaxFiles {
		return r.refuse(path, ProblemTooMany, map[string]any{"max": MaxFiles})
	}
	out := make([]any, 0, len(list))
	seen := map[any]bool{}
	for i, e := range list {
		file, ok := r.file(e, at(path, i))
		if !ok {
			r.bad[path] = true
			return nil, false
		}
		if !seen[file["id"]] {
			seen[file["id"]] = true
			out = append(out, file)
		}
	}
	return out, true
}

func (r *run) file(v any, path string) (map[string]any, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		r.wrong(path, "object")
		return nil, false
	}
	shaped := func(expected string, fits func(string) bool) func(v any, p string) (any, bool) {
		return func(v any, p string) (any, bool) {
			s, ok := v.(string)
			if !ok || !fits(s) {
				return r.wrong(p, expected)
			}
			return s, true
		}
	}
	out, ok := r.takeParts([]part{
		{"id", shaped("reference", idShape.MatchString)},
		{"sha256", shaped("sha256", shaShape.MatchString)},
		{"name", func(v any, p string) (any, bool) {
			if s, ok := v.(string); ok && strings.ContainsAny(s, `/\`) {
				return r.wrong(p, "file name")
			}
			return r.line(v, p, 255, false)
		}},
		{"media", shaped("media type", mediaShape.MatchString)},
		{"size", func(v any, p string) (any, bool) { return r.bounded(v, p, 0, 1e12, true) }},
	}, m, path)
	if !ok {
		return nil, false
	}
	for _, name := range []string{"id", "sha256"} {
		if out[name] == nil {
			r.problem(path+"."+name, ProblemPart, map[string]any{"part": name})
			return nil, false
		}
	}
	if id := out["id"].(string); r.env.Exists != nil && !r.env.Exists("file", id) {
		r.problem(path, ProblemReference, nil)
		return nil, false
	}
	return out, true
}
