package register

// A fact as a row of values, and as one line of text. The line is what both
// engines keep: readable, small, and unambiguous because no code contains a
// separator.

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Value is one code of one variable.
type Value struct{ Variable, Code string }

// Fact is one person's row. A variable without a value was not recorded.
type Fact struct {
	Person string // pseudonym
	Values []Value
}

// Of gives the codes of a variable.
func (f Fact) Of(variable string) []string {
	var out []string
	for _, v := range f.Values {
		if v.Variable == variable {
			out = append(out, v.Code)
		}
	}
	return out
}

// Pseudonym gives the name under which a person's facts can be joined: 32
// hexadecimal digits of HMAC-SHA-256 over the person's id. Without the key
// nobody can go back, or tell whether a known person is in the table.
func Pseudonym(key []byte, person string) (string, error) {
	if len(key) < 32 {
		return "", errors.New("making a pseudonym: the key has fewer than 32 bytes")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("banyan register person\x00"))
	mac.Write([]byte(person))
	return hex.EncodeToString(mac.Sum(nil)[:16]), nil
}

// Pack writes values as one line, the same for the same set of values:
// "sex=female;year=2024", several codes of a variable parted by commas.
func Pack(values []Value) string {
	sorted := slices.Clone(values)
	slices.SortFunc(sorted, func(a, b Value) int {
		return cmp.Or(strings.Compare(a.Variable, b.Variable), strings.Compare(a.Code, b.Code))
	})
	sorted = slices.Compact(sorted)
	var b strings.Builder
	for i, v := range sorted {
		switch {
		case i > 0 && sorted[i-1].Variable == v.Variable:
			b.WriteByte(',')
		default:
			if i > 0 {
				b.WriteByte(';')
			}
			b.WriteString(v.Variable)
			b.WriteByte('=')
		}
		b.WriteString(v.Code)
	}
	return b.String()
}

// Unpack reads what Pack wrote.
func Unpack(line string) ([]Value, error) {
	var out []Value
	err := eachValue(line, func(variable, code string) { out = append(out, Value{variable, code}) })
	return out, err
}

func eachValue(line string, fn func(variable, code string)) error {
	for line != "" {
		var part string
		part, line, _ = strings.Cut(line, ";")
		variable, codes, ok := strings.Cut(part, "=")
		if !ok || variable == "" || codes == "" {
			return fmt.Errorf("a packed fact of %d characters cannot be read", len(part))
		}
		for codes != "" {
			var code string
			code, codes, _ = strings.Cut(codes, ",")
			fn(variable, code)
		}
	}
	return nil
}
