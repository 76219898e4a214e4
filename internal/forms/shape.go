package forms

// Shapes: is each answer of its type, within the limits, and from its list?
// What passes is copied into the clean answers; nothing of the input is kept.

import (
	"encoding/json"
	"math"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of answers. A field may set its own within these where the schema
// has a key for it (max_rows, max_length, max_items).
const (
	MaxText     = 2000    // characters of a text
	MaxLongText = 20000   // characters of a longtext
	MaxRows     = 200     // rows of a repeat, unless max_rows says otherwise
	MaxItems    = 100     // elements of a list, of several references
	MaxFiles    = 50      // references in a files answer
	MaxAnswers  = 1 << 20 // bytes of a whole answer set as JSON, about
	MaxDepth    = 12      // nesting of an answer set
	MaxNumber   = 1e15    // largest size of a number
	maxProblems = 200     // further ones are not reported
)

var (
	idShape       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$`)
	rowIDShape    = regexp.MustCompile(`^[A-Za-z0-9_-]{4,64}$`)
	moneyShape    = regexp.MustCompile(`^(0|[1-9][0-9]{0,12})(\.[0-9]{1,4})?$`)
	currencyShape = regexp.MustCompile(`^[A-Z]{3}$`)
	adminShape    = regexp.MustCompile(`^[A-Z]{2}[A-Z0-9]{0,14}$`)
	shaShape      = regexp.MustCompile(`^[0-9a-f]{64}$`)
	mediaShape    = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,126}$`)
)

// plain turns what Go code may hand in into what JSON would have given.
func plain(v any) any {
	switch x := v.(type) {
	case int:
		return float64(x)
	case int64:
		return float64(x)
	case json.Number:
		if f, err := x.Float64(); err == nil {
			return f
		}
		return math.NaN()
	case []string:
		out := make([]any, len(x))
		for i, s := range x {
			out[i] = s
		}
		return out
	case []map[string]any:
		out := make([]any, len(x))
		for i, m := range x {
			out[i] = m
		}
		return out
	}
	return v
}

// measure adds up about how many bytes v takes as JSON; ok is false past the
// limits of size or depth.
func measure(v any, depth int, size *int) (problem string) {
	if depth > MaxDepth {
		return ProblemTooDeep
	}
	*size += 8
	switch x := plain(v).(type) {
	case string:
		*size += len(x)
	case []any:
		for _, e := range x {
			if p := measure(e, depth+1, size); p != "" {
				return p
			}
		}
	case map[string]any:
		for k, e := range x {
			*size += len(k)
			if p := measure(e, depth+1, size); p != "" {
				return p
			}
		}
	}
	if *size > MaxAnswers {
		return ProblemTooBig
	}
	return ""
}

// object checks the answers of one level; prefix ends in a dot or is empty.
func (r *run) object(fields []*Field, in map[string]any, prefix string, row bool) map[string]any {
	out := make(map[string]any, len(in))
	known := 0
	for _, f := range fields {
		v, ok := in[f.Name]
		if !ok {
			continue
		}
		known++
		path := prefix + f.Name
		if !f.Type.HoldsAnswer() {
			r.problem(path, ProblemUnknown, nil)
			continue
		}
		if clean, ok := r.shape(f, v, path); ok && !isEmpty(clean) {
			out[f.Name] = clean
		}
	}
	if row {
		known += r.rowMarks(in, out)
	}
	if known < len(in) {
		r.unknown(fields, in, prefix, row)
	}
	return out
}

// rowMarks carries _id through and tells how many marks there were.
func (r *run) rowMarks(in, out map[string]any) (n int) {
	if id, ok := in[RowID]; ok {
		out[RowID] = id
		n++
	}
	return n
}

// unknown reports keys that are no fields. The key itself is shown only when
// it looks like a field's name: anything else may be somebody's data.
func (r *run) unknown(fields []*Field, in map[string]any, prefix string, row bool) {
	names := make(map[string]bool, len(fields))
	for _, f := range fields {
		names[f.Name] = true
	}
	var strange []string
	for k := range in {
		if !names[k] && !(row && k == RowID) {
			strange = append(strange, k)
		}
	}
	sort.Strings(strange)
	for _, k := range strange {
		if !nameShape.MatchString(k) {
			k = "?"
		}
		r.problem(prefix+k, ProblemUnknown, nil)
	}
}

// shape gives the clean answer of one field; ok is false when a problem was
// reported. Empty answers are nil and fine.
func (r *run) shape(f *Field, v any, path string) (clean any, ok bool) {
	v = plain(v)
	if v == nil || ((f.computed() || r.undecided(f)) && !r.trusted) {
		return nil, true
	}
	if f.Type.RefKind() != "" {
		return r.reference(f, v, path)
	}
	switch f.Type {
	case Text, LongText:
		return r.text(f, v, path)
	case Integer, Decimal:
		return r.number(f, v, path)
	case Boolean, Acknowledge:
		b, isBool := v.(bool)
		return r.typed(b, isBool, path, "boolean")
	case Date, DateTime:
		return r.date(f.Type == DateTime, v, path)
	case SelectOne:
		return r.code(f.List, v, path)
	case SelectMultiple:
		return r.codes(f, v, path)
	case ListOf:
		return r.list(f, v, path)
	case Repeat:
		return r.rows(f, v, path)
	case Group:
		m, isMap := v.(map[string]any)
		if !isMap {
			return r.wrong(path, "object")
		}
		return r.object(f.Fields, m, path+".", false), true
	case Matrix:
		return r.matrix(f, v, path)
	case Calculate, Auto:
		return clone(v), true // trusted: the server's own earlier value
	case Files:
		return r.files(v, path)
	}
	return r.composite(f, v, path)
}

// undecided tells whether f is the field that only a decision may fill, and
// this is none.
func (r *run) undecided(f *Field) bool {
	return f.Path == r.form.ApprovalField && f.Path != "" && !r.env.Deciding
}

func (r *run) wrong(path, expected string) (any, bool) {
	r.problem(path, ProblemType, map[string]any{"expected": expected})
	return nil, false
}

func (r *run) refuse(path, code string, params map[string]any) (any, bool) {
	r.problem(path, code, params)
	return nil, false
}

func (r *run) typed(v any, ok bool, path, expected string) (any, bool) {
	if !ok {
		return r.wrong(path, expected)
	}
	return v, true
}

func (r *run) text(f *Field, v any, path string) (any, bool) {
	limit := MaxText
	if f.Type == LongText {
		limit = MaxLongText
	}
	if f.MaxLength > 0 && f.MaxLength < limit {
		limit = f.MaxLength
	}
	return r.line(v, path, limit, f.Type == LongText)
}

// line checks one text; blank text is empty.
func (r *run) line(v any, path string, limit int, breaks bool) (any, bool) {
	s, ok := v.(string)
	if !ok {
		return r.wrong(path, "text")
	}
	if !utf8.ValidString(s) {
		return r.refuse(path, ProblemUTF8, nil)
	}
	if breaks {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	if strings.IndexFunc(s, func(c rune) bool { return controls(c, breaks) }) >= 0 {
		return r.refuse(path, ProblemControl, nil)
	}
	if len(s) > limit && utf8.RuneCountInString(s) > limit {
		return r.refuse(path, ProblemTooLong, map[string]any{"max": limit})
	}
	if strings.Trim(s, blanks) == "" {
		return nil, true
	}
	return s, true
}

// blanks are the characters that alone do not make an answer.
const blanks = " \t\n\u00a0\u3000\u200b"

func controls(c rune, breaks bool) bool {
	if breaks && (c == '\n' || c == '\t') {
		return false
	}
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xfffe || c == 0xffff
}

func (r *run) number(f *Field, v any, path string) (any, bool) {
	n, ok := v.(float64)
	if !ok {
		return r.wrong(path, "number")
	}
	if math.IsNaN(n) || math.Abs(n) > MaxNumber {
		return r.refuse(path, ProblemNumber, map[string]any{"min": -MaxNumber, "max": MaxNumber})
	}
	if f.Type == Integer && n != math.Trunc(n) {
		return r.refuse(path, ProblemWhole, nil)
	}
	return n + 0, true
}

func (r *run) bounded(v any, path string, least, most float64, whole bool) (any, bool) {
	n, ok := v.(float64)
	if !ok {
		return r.wrong(path, "number")
	}
	if math.IsNaN(n) || n < least || n > most {
		return r.refuse(path, ProblemNumber, map[string]any{"min": least, "max": most})
	}
	if whole && n != math.Trunc(n) {
		return r.refuse(path, ProblemWhole, nil)
	}
	return n + 0, true
}

func (r *run) date(timed bool, v any, path string) (any, bool) {
	s, ok := v.(string)
	if !ok {
		return r.wrong(path, "date")
	}
	if s == "" {
		return nil, true
	}
	m, ok := parseMoment(s)
	if !ok || m.timed != timed {
		expected := "date"
		if timed {
			expected = "datetime"
		}
		return r.wrong(path, expected)
	}
	if y, _ := digits(s[:4]); y < MinYear || y > MaxYear {
		return r.refuse(path, ProblemDate, map[string]any{"min": MinYear, "max": MaxYear})
	}
	return s, true
}

func (r *run) code(l *List, v any, path string) (any, bool) {
	s, ok := v.(string)
	if !ok {
		return r.wrong(path, "code")
	}
	if s == "" {
		return nil, true
	}
	if l == nil || l.Code(s) == nil {
		return r.refuse(path, ProblemCode, nil)
	}
	return s, true
}

// codes gives the chosen codes once each, in the order of the list.
func (r *run) codes(f *Field, v any, path string) (any, bool) {
	list, ok := v.([]any)
	if !ok {
		return r.wrong(path, "list")
	}
	if f.List == nil || len(list) > 2*len(f.List.Codes)+MaxItems {
		return r.refuse(path, ProblemCode, nil)
	}
	chosen := make(map[string]bool, len(list))
	places := make([]int, 0, len(list))
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			return r.wrong(path, "list of codes")
		}
		c := f.List.Code(s)
		if c == nil {
			return r.refuse(path, ProblemCode, nil)
		}
		if !chosen[s] {
			chosen[s] = true
			places = append(places, c.place)
		}
	}
	sort.Ints(places)
	out := make([]any, len(places))
	for i, p := range places {
		out[i] = f.List.Codes[p].Code
	}
	return out, true
}

// list gives a list of texts once each, in the order given.
func (r *run) list(f *Field, v any, path string) (any, bool) {
	limit := MaxItems
	if f.MaxItems > 0 {
		limit = f.MaxItems
	}
	return r.distinct(v, path, limit, func(e any, at string) (any, bool) { return r.line(e, at, MaxText, false) })
}

func (r *run) distinct(v any, path string, limit int, check func(e any, at string) (any, bool)) (any, bool) {
	list, ok := v.([]any)
	if !ok {
		return r.wrong(path, "list")
	}
	if len(list) > limit {
		return r.refuse(path, ProblemTooMany, map[string]any{"max": limit})
	}
	seen := make(map[any]bool, len(list))
	out := make([]any, 0, len(list))
	for i, e := range list {
		clean, ok := check(e, at(path, i))
		if !ok {
			r.bad[path] = true
			return nil, false
		}
		if clean != nil && !seen[clean] {
			seen[clean] = true
			out = append(out, clean)
		}
	}
	return out, true
}

func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func (r *run) reference(f *Field, v any, path string) (any, bool) {
	kind := f.Type.RefKind()
	one := func(e any, at string) (any, bool) {
		s, ok := e.(string)
		if !ok {
			return r.wrong(at, "reference")
		}
		if s == "" {
			return nil, true
		}
		if !idShape.MatchString(s) {
			return r.wrong(at, "reference")
		}
		if r.env.Exists != nil && !r.env.Exists(kind, s) {
			return r.refuse(at, ProblemReference, nil)
		}
		return s, true
	}
	if f.Multiple {
		return r.distinct(v, path, MaxItems, one)
	}
	return one(v, path)
}

func (r *run) rows(f *Field, v any, path string) (any, bool) {
	list, ok := v.([]any)
	if !ok {
		return r.wrong(path, "list")
	}
	limit := MaxRows
	if f.MaxRows > 0 {
		limit = f.MaxRows
	}
	if len(list) > limit {
		return r.refuse(path, ProblemTooMany, map[string]any{"max": limit})
	}
	seen := make(map[string]bool, len(list))
	out := make([]any, 0, len(list))
	for i, e := range list {
		rowPath := at(path, i)
		m, ok := e.(map[string]any)
		if !ok {
			r.wrong(rowPath, "object")
			continue
		}
		row := r.object(f.Fields, m, rowPath+".", true)
		r.identify(row, seen, rowPath)
		out = append(out, row)
	}
	return out, true
}

// identify checks the row's own id, or makes one where the server may.
func (r *run) identify(row map[string]any, seen map[string]bool, path string) {
	id, _ := row[RowID].(string)
	if _, given := row[RowID]; !given && r.env.NewID != nil {
		id = r.env.NewID()
		row[RowID] = id
	}
	switch {
	case !rowIDShape.MatchString(id):
		r.problem(path, ProblemRowID, nil)
		delete(row, RowID)
	case seen[id]:
		r.problem(path, ProblemRowTwice, nil)
	}
	seen[id] = true
}

func (r *run) matrix(f *Field, v any, path string) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return r.wrong(path, "object")
	}
	out := make(map[string]any, len(m))
	for _, k := range sortedKeys(m) {
		if f.Rows == nil || f.Rows.Code(k) == nil {
			if !codeShape.MatchString(k) {
				k = "?"
			}
			r.problem(path+"."+k, ProblemUnknown, nil)
			continue
		}
		cell, cellPath := plain(m[k]), path+"."+k
		if cell == nil {
			continue
		}
		if len(f.Fields) == 0 {
			if code, ok := r.code(f.List, cell, cellPath); ok && code != nil {
				out[k] = code
			}
			continue
		}
		columns, ok := cell.(map[string]any)
		if !ok {
			r.wrong(cellPath, "object")
			continue
		}
		if row := r.object(f.Fields, columns, cellPath+".", false); len(row) > 0 {
			out[k] = row
		}
	}
	return out, true
}
