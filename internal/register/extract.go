package register

// From the coded answers of a case to its fact. A pure function: no clock, no
// database, no key but the one for the pseudonym's caller. It promises that
// whatever stands in another tier, and whatever is not a code, stays out.

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"
)

// Record is what the extractor needs to know of one filled form.
type Record struct {
	Form    string
	Struck  bool // struck-out records feed nothing
	FirstAt time.Time
	LastAt  time.Time
	Fields  map[string]Answer
}

// Answer is the value of one top-level field with its tier. Values are those
// of JSON: string, float64 (or json.Number, or an integer), bool, []any,
// map[string]any.
type Answer struct {
	Value any
	Tier  string
}

// FactsFrom draws a case's values from its records, in any order. Where
// several records of a form answer a single-valued variable, the newest one
// counts (then the later begun; then the greater code, so that the result does
// not hang on the order); a multi-valued variable is the union. It is empty
// when the case has no records that stand.
func (d *Definition) FactsFrom(records []Record) []Value {
	standing := slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.Struck })
	slices.SortStableFunc(standing, func(a, b Record) int {
		if c := b.LastAt.Compare(a.LastAt); c != 0 {
			return c
		}
		return b.FirstAt.Compare(a.FirstAt)
	})
	if len(standing) == 0 {
		return nil
	}
	var out []Value
	for i := range d.Variables {
		v := &d.Variables[i]
		for _, code := range v.codesFrom(standing) {
			out = append(out, Value{v.ID, code})
		}
	}
	return out
}

func (v *Variable) codesFrom(newestFirst []Record) []string {
	var all []string
	for _, s := range v.From {
		if s.opened() {
			all = append(all, v.opened(newestFirst)...)
		}
		for i, r := range newestFirst {
			if r.Form != s.Form {
				continue
			}
			answer, ok := r.Fields[s.Path[0]]
			if !ok || answer.Tier != TierCoded {
				continue
			}
			codes := v.codes(s, answer.Value, s.Path[1:])
			all = append(all, codes...)
			if !v.Multi && len(codes) > 0 {
				return []string{v.greatestOfTied(s, newestFirst[i:], codes)}
			}
		}
		if !v.Multi && len(all) > 0 {
			return []string{slices.Max(all)}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// greatestOfTied breaks ties between records of one form with equal times.
func (v *Variable) greatestOfTied(s Source, from []Record, codes []string) string {
	best := slices.Max(codes)
	for _, r := range from[1:] {
		if !r.LastAt.Equal(from[0].LastAt) || !r.FirstAt.Equal(from[0].FirstAt) {
			break
		}
		if r.Form != s.Form {
			continue
		}
		if answer, ok := r.Fields[s.Path[0]]; ok && answer.Tier == TierCoded {
			best = slices.Max(append(v.codes(s, answer.Value, s.Path[1:]), best))
		}
	}
	return best
}

// opened gives the year in which the first record was written.
func (v *Variable) opened(records []Record) []string {
	first := records[0].FirstAt
	for _, r := range records {
		if r.FirstAt.Before(first) {
			first = r.FirstAt
		}
	}
	if first.IsZero() {
		return nil
	}
	return v.keep(strconv.Itoa(first.UTC().Year()))
}

// codes follows path into value (through groups and rows of repeats) and gives
// the allowed codes found there.
func (v *Variable) codes(s Source, value any, path []string) []string {
	if rows, ok := value.([]any); ok && len(path) > 0 {
		var out []string
		for _, row := range rows {
			out = append(out, v.codes(s, row, path)...)
		}
		return out
	}
	if len(path) > 0 {
		row, ok := value.(map[string]any)
		if !ok || len(path) == 1 && !matches(row, s.Where) {
			return nil
		}
		return v.codes(s, row[path[0]], path[1:])
	}
	if s.Part != "" {
		place, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = place[s.Part]
	}
	return v.leaf(value)
}

func (v *Variable) leaf(value any) []string {
	if v.Kind == KindBands {
		return v.band(value)
	}
	switch value := value.(type) {
	case string:
		if v.Kind == KindYear && len(value) >= 4 {
			return v.year(value)
		}
		return v.keep(value)
	case []any:
		var out []string
		for _, one := range value {
			if code, ok := one.(string); ok {
				out = append(out, v.keep(code)...)
			}
		}
		return out
	case []string:
		var out []string
		for _, code := range value {
			out = append(out, v.keep(code)...)
		}
		return out
	}
	return nil
}

// year takes the year of a date or an instant, in the writer's own zone.
func (v *Variable) year(value string) []string {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, value); err == nil {
			return v.keep(strconv.Itoa(t.Year()))
		}
	}
	return nil
}

func (v *Variable) band(value any) []string {
	n, ok := whole(value)
	if !ok {
		return nil
	}
	for _, b := range v.Bands {
		if n >= b.From && (b.To == nil || n <= *b.To) {
			return []string{b.Code}
		}
	}
	return nil
}

func (v *Variable) keep(code string) []string {
	if !v.Allows(code) {
		return nil
	}
	return []string{code}
}

func matches(row map[string]any, where map[string]string) bool {
	for name, want := range where {
		if got, ok := row[name].(string); !ok || got != want {
			return false
		}
	}
	return true
}

func whole(value any) (int, bool) {
	var f float64
	switch value := value.(type) {
	case float64:
		f = value
	case int:
		return value, true
	case int64:
		return int(value), true
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
