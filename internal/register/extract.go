package register

// From the coded answers of a case to its fact. A pure function: no clock, no
// database. It promises that whatever stands in another tier, and whatever is
// not a code of the variable's closed set, stays out.

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"banyan/internal/forms"
)

// Record is what the extractor needs to know of one filled form.
type Record struct {
	ID      string
	Form    string
	Struck  bool // struck-out records feed nothing
	FirstAt time.Time
	LastAt  time.Time
	Fields  map[string]Answer
}

// Answer is the value of one top-level field with its tier. Values are those
// of JSON: string, number, bool, []any, map[string]any.
type Answer struct {
	Value any
	Tier  string
}

// agreement's field that takes a consent back, and the fields that make a
// presumed child, for whom every rule says "under 18" (CRC General Comment 6,
// §31 (i): the benefit of the doubt).
const (
	withdrawnField = "withdrawn_at"
	ageBasisForm   = "F04_registration"
	ageBasisField  = "age_basis"
)

// FactsFrom draws a case's values from its records, in any order. The case's
// organisation stands in a country, if it is known. Without the person's
// agreement to statistics only CountOnly's variables are drawn, and agreed is
// false. There are no values when no record stands.
func (d *Definition) FactsFrom(records []Record, country string) (values []Value, agreed bool) {
	c := newCoded(records, country)
	if len(c.newest) == 0 {
		return nil, false
	}
	agreed = d.agreed(c)
	for i := range d.Variables {
		v := &d.Variables[i]
		if !agreed && !slices.Contains(CountOnly, v.ID) {
			continue
		}
		for _, code := range v.from(c) {
			values = append(values, Value{v.ID, code})
		}
	}
	return values, agreed
}

// agreed looks at the newest consent of the case.
func (d *Definition) agreed(c coded) bool {
	if d.Consent.Field == "" {
		return true
	}
	s := d.consentSource()
	for _, r := range c.newest {
		if r.Form != s.Form {
			continue
		}
		if at, ok := r.answer(withdrawnField); ok && at != nil && at != "" {
			return false
		}
		answer, _ := r.answer(s.Path[0])
		scopes, _ := answer.(map[string]any)
		return scopes[d.Consent.Row] == "yes"
	}
	return false
}

// coded is a case as the register may see it.
type coded struct {
	newest  []Record // standing, newest first
	country string
}

// newCoded leaves the standing records in an order that does not hang on how
// they were handed over.
func newCoded(records []Record, country string) coded {
	standing := slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.Struck })
	slices.SortFunc(standing, func(a, b Record) int {
		return cmp.Or(b.LastAt.Compare(a.LastAt), b.FirstAt.Compare(a.FirstAt), strings.Compare(b.ID, a.ID))
	})
	return coded{newest: standing, country: country}
}

// answer gives a field's value if it is coded; any other tier is not there.
func (r Record) answer(field string) (any, bool) {
	a, ok := r.Fields[field]
	if !ok || a.Tier != TierCoded {
		return nil, false
	}
	return a.Value, true
}

func (c coded) presumedChild() bool {
	for _, r := range c.newest {
		if r.Form == ageBasisForm {
			basis, _ := r.answer(ageBasisField)
			return basis == forms.PresumedChild
		}
	}
	return false
}

// from gives the codes of the variable, sorted, each once.
func (v *Variable) from(c coded) []string {
	if codes, ok := v.fromCase(c); ok {
		return codes
	}
	for _, s := range v.From {
		if codes := v.taken(v.answers(c, s)); len(codes) > 0 {
			return codes
		}
	}
	return nil
}

// fromCase derives what no field says.
func (v *Variable) fromCase(c coded) (codes []string, ok bool) {
	switch v.Derive {
	case OrgCountry:
		return v.keep(c.country), true
	case CaseState:
		return v.state(c), true
	case YearRecorded:
		return v.recorded(c, "2006"), true
	case MonthRecorded:
		return v.recorded(c, "2006-01"), true
	case MinorOrAdult:
		if c.presumedChild() {
			return v.keep("minor"), true
		}
	}
	return nil, false
}

// state is where the newest move brought the case, or its first state.
func (v *Variable) state(c coded) []string {
	for _, r := range c.newest {
		if r.Form == "act.move" {
			to, _ := r.answer("to")
			text, _ := to.(string)
			return v.keep(text)
		}
	}
	return v.keep(v.Codes[0].Code)
}

// recorded is the time of the form's first record, in UTC.
func (v *Variable) recorded(c coded, layout string) []string {
	var first time.Time
	for _, r := range c.newest {
		if len(v.From) > 0 && r.Form == v.From[0].Form && (first.IsZero() || r.FirstAt.Before(first)) {
			first = r.FirstAt
		}
	}
	if first.IsZero() {
		return nil
	}
	return v.keep(first.UTC().Format(layout))
}

// answers gives the codes of each record that has some, newest first.
func (v *Variable) answers(c coded, s Source) [][]string {
	var out [][]string
	for _, r := range c.newest {
		if r.Form != s.Form || len(s.Path) == 0 {
			continue
		}
		answer, ok := r.answer(s.Path[0])
		if !ok {
			continue
		}
		if codes := v.codes(r, s, answer, s.Path[1:]); len(codes) > 0 {
			out = append(out, codes)
		}
	}
	return out
}

// taken chooses among the answers as the variable says.
func (v *Variable) taken(newestFirst [][]string) []string {
	if len(newestFirst) == 0 {
		return nil
	}
	codes := newestFirst[0]
	switch v.Take {
	case First:
		codes = newestFirst[len(newestFirst)-1]
	case Union, Max:
		codes = slices.Concat(newestFirst...)
	}
	switch {
	case v.Take == Max:
		codes = []string{slices.MaxFunc(codes, func(a, b string) int { return cmp.Compare(v.index[a], v.index[b]) })}
	case !v.Multi:
		codes = codes[len(codes)-1:] // the last row of a repeat is its newest
	}
	codes = slices.Clone(codes)
	slices.Sort(codes)
	return slices.Compact(codes)
}

// codes follows path into value (through groups and rows of repeats) and gives
// the allowed codes found there.
func (v *Variable) codes(r Record, s Source, value any, path []string) []string {
	if rows, ok := value.([]any); ok && len(path) > 0 {
		var out []string
		for _, row := range rows {
			out = append(out, v.codes(r, s, row, path)...)
		}
		return out
	}
	if len(path) > 0 {
		row, ok := value.(map[string]any)
		if !ok || row[forms.RowGone] == true || len(path) == 1 && !matches(row, s.Where) {
			return nil
		}
		return v.codes(r, s, row[path[0]], path[1:])
	}
	return v.leaf(r, value)
}

func matches(row map[string]any, where map[string]string) bool {
	for name, want := range where {
		if got, ok := row[name].(string); !ok || got != want {
			return false
		}
	}
	return true
}

func (v *Variable) leaf(r Record, value any) []string {
	switch v.Derive {
	case AgeBand, AgeBroadCTDC:
		age, _ := value.(map[string]any)
		years, ok := forms.AgeAt(age, r.FirstAt)
		return v.band(years, ok)
	case MonthsBand:
		return v.band(whole(value))
	case MinorOrAdult:
		years, ok := whole(value)
		return v.majority(years, ok)
	case YearOfDate:
		return v.year(value)
	case partOf:
		place, _ := value.(map[string]any)
		return v.part(place)
	}
	switch value := value.(type) {
	case string:
		return v.keep(value)
	case bool:
		return v.keep(strconv.FormatBool(value))
	case []any:
		var out []string
		for _, one := range value {
			if code, ok := one.(string); ok {
				out = append(out, v.keep(code)...)
			}
		}
		return out
	}
	return nil
}

func (v *Variable) majority(years int, ok bool) []string {
	switch {
	case !ok || years < 0:
		return nil
	case years < forms.Majority:
		return v.keep("minor")
	}
	return v.keep("adult")
}

func (v *Variable) part(place map[string]any) []string {
	for _, name := range v.parts {
		if code, ok := place[name].(string); ok && v.Allows(code) {
			return []string{code}
		}
	}
	return nil
}

// year takes the year of a date or an instant, in the writer's own zone.
func (v *Variable) year(value any) []string {
	text, _ := value.(string)
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return v.keep(strconv.Itoa(t.Year()))
		}
	}
	return nil
}

// band finds the code whose range a number lies in. A range is written in the
// code itself: 6-11, 09--17, 60+.
func (v *Variable) band(n int, ok bool) []string {
	if !ok || n < 0 {
		return nil
	}
	for _, c := range v.Codes {
		lo, hi, ok := bandOf(c.Code)
		if ok && n >= lo && (hi < 0 || n <= hi) {
			return []string{c.Code}
		}
	}
	return nil
}

var bandShape = regexp.MustCompile(`^([0-9]{1,3})(?:--?([0-9]{1,3})|\+)$`)

// bandOf reads a range; hi is −1 where it is open.
func bandOf(code string) (lo, hi int, ok bool) {
	m := bandShape.FindStringSubmatch(code)
	if m == nil {
		return 0, 0, false
	}
	lo, _ = strconv.Atoi(m[1])
	if m[2] == "" {
		return lo, -1, true
	}
	hi, _ = strconv.Atoi(m[2])
	return lo, hi, true
}

func (v *Variable) keep(code string) []string {
	if code == "" || !v.Allows(code) {
		return nil
	}
	return []string{code}
}

func whole(value any) (int, bool) {
	var f float64
	switch value := value.(type) {
	case float64:
		f = value
	case int:
		f = float64(value)
	case int64:
		f = float64(value)
	case json.Number:
		parsed, err := value.Float64()
		if err != nil {
			return 0, false
		}
		f = parsed
	default:
		return 0, false
	}
	if math.IsNaN(f) || math.Abs(f) > 1e6 {
		return 0, false
	}
	return int(math.Floor(f)), true
}
