package forms

// Values inside expressions: conversions between them, the numbers and the
// comparisons. The rules stand in the package comment; web/app/src/forms/value.ts
// is the same file in the browser's language, and testdata/vectors.json holds
// the two together. A change here without one there fails the tests.

import (
	"math"
	"sort"
	"strconv"
	"strings"
)

// A value is nil (empty), string, float64, bool, []any or map[string]any.

// isEmpty tells whether v counts as "no answer".
func isEmpty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	}
	return false
}

// truth is the value as a condition: empty, false and 0 are false.
func truth(v any) bool {
	switch x := v.(type) {
	case bool:
		return x
	case float64:
		return x != 0
	}
	return !isEmpty(v)
}

// single takes the element out of a list of one; longer lists are empty.
func single(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	if len(list) == 1 {
		return list[0]
	}
	return nil
}

// toNumber gives v as a number; ok is false when it is none.
func toNumber(v any) (n float64, ok bool) {
	switch x := single(v).(type) {
	case float64:
		return x, true
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case string:
		return parseNumber(x)
	}
	return 0, false
}

// parseNumber reads an optional minus, digits and an optional fraction, with
// spaces around, 40 characters at most. No exponent, no other digits.
func parseNumber(s string) (float64, bool) {
	s = strings.Trim(s, " ")
	if s == "" || len(s) > 40 {
		return 0, false
	}
	digits, point := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && !point:
			point = true
		case c == '-' && i == 0:
		default:
			return 0, false
		}
	}
	if digits == 0 {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, false
	}
	return n + 0, true
}

// finite gives n as a value: empty when it is not a finite number, and never -0.
func finite(n float64) any {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return nil
	}
	if n == 0 {
		return 0.0
	}
	return n
}

// formatNumber writes n as ECMAScript does (Number::toString, ECMA-262 §6.1.6.1.20).
func formatNumber(n float64) string {
	if n == 0 {
		return "0"
	}
	abs := math.Abs(n)
	if abs >= 1e-6 && abs < 1e21 {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	s := strconv.FormatFloat(n, 'e', -1, 64)
	// Go writes two digits of exponent at least, ECMAScript as few as it can.
	if n := len(s); n >= 4 && s[n-4] == 'e' && s[n-2] == '0' {
		s = s[:n-2] + s[n-1:]
	}
	return s
}

// toText gives v as text; a list is its elements with a space between.
func toText(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case float64:
		return formatNumber(x)
	case bool:
		if x {
			return "true"
		}
		return "false"
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = toText(e)
		}
		return strings.Join(parts, " ")
	}
	return ""
}

// equalScalars is "=" between two non-empty values that are not lists.
func equalScalars(a, b any) bool {
	if _, isMap := a.(map[string]any); isMap {
		return false
	}
	if _, isMap := b.(map[string]any); isMap {
		return false
	}
	sa, aText := a.(string)
	sb, bText := b.(string)
	if aText && bText {
		if c, ok := compareDates(sa, sb); ok {
			return c == 0
		}
		return sa == sb
	}
	if ba, ok := a.(bool); ok && bText {
		return toText(ba) == sb
	}
	if bb, ok := b.(bool); ok && aText {
		return toText(bb) == sa
	}
	na, okA := toNumber(a)
	nb, okB := toNumber(b)
	return okA && okB && na == nb
}

// compareScalars orders two non-empty values that are not lists; ok is false
// when they have no order.
func compareScalars(a, b any) (c int, ok bool) {
	sa, aText := a.(string)
	sb, bText := b.(string)
	if aText && bText {
		if c, ok := compareDates(sa, sb); ok {
			return c, true
		}
	}
	na, okA := toNumber(a)
	nb, okB := toNumber(b)
	if !okA || !okB {
		return 0, false
	}
	switch {
	case na < nb:
		return -1, true
	case na > nb:
		return 1, true
	}
	return 0, true
}

// elements gives a list's elements, or the value itself as a list of one.
func elements(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	if isEmpty(v) {
		return nil
	}
	return []any{v}
}

// sortedKeys gives the keys of m in code point order.
func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// roundHalfUp rounds to the nearest whole number, halves towards +∞ (XPath 1.0 §4.4).
func roundHalfUp(n float64) float64 {
	f := math.Floor(n)
	if n-f >= 0.5 {
		return f + 1
	}
	return f
}
