// Package linkage tells whether two cases are about one person without showing
// who it is.
//
// # Tokens
//
// From what a registration knows of a person (names in any spelling, sex, birth,
// home, mother, phones) the server makes some tokens: HMAC-SHA-256 under a key
// that is never in the data folder, over a combination of normalised elements.
// Two registrations of one person share tokens although a name is spelled in
// another way or an age is guessed; nobody without the key can try a name
// against them. docs/linkage.md specifies them, testdata/vectors.json holds
// examples under a public test key.
//
// # Verdicts
//
// Evidence.Verdict says Same, Likely or No from the tokens two persons share. A verdict
// never joins cases: a person decides, and the decision is an entry like any
// other. Only counting persons takes Same for granted.
//
// # Storage
//
// The tokens of a stream are rows (Put), a pure function of its history; who is
// alike is asked of them (Alike). They go when the stream is erased.
package linkage

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"banyan/internal/names"
)

// Version is that of the specification, and part of every token.
const Version = 1

// KeySize is how long a key has to be at least.
const KeySize = 32

// Kind is which elements a token combines.
type Kind string

// The kinds. "Name" is a whole name by its consonants, in any script; "near" is
// the birth year give or take one on either side, so that two estimates two
// years apart still meet.
const (
	NameBirthday Kind = "name+birthday" // with sex
	NameHome     Kind = "name+home"     // with sex and birth year, in a district
	NameMother   Kind = "name+mother"   // with sex, near, in a province, and a mother's name
	NamePhone    Kind = "name+phone"
	NameYear     Kind = "name+year"     // with sex, near
	PartHome     Kind = "part+home"     // a part of the name, with sex, near, in a province
	PartPhone    Kind = "part+phone"    // a part of the name
	PartBirthday Kind = "part+birthday" // a part of the name, with sex
	Letters      Kind = "letters+year"  // the name in Latin letters without marks, with sex, near
)

// Token is one keyed digest. Its text is what is stored.
type Token struct {
	Kind Kind
	Text string // 22 characters of base64url: 128 bits
}

// Person is what is known of somebody; empty fields are not known.
type Person struct {
	Names            []string // every spelling
	Sex              string   // code list sex
	Birthday         string   // 2009-05-17
	BornFrom, BornTo int      // bounds of the birth year
	Province         string   // of origin: place codes
	District         string
	Mothers          []string // names of mothers
	Phones           []string // international form
}

// Key makes tokens. One key serves a national register: two organisations give
// the same tokens for the same person.
type Key []byte

// Tokens gives a person's tokens, each once, in a fixed order. A person of whom
// too little is known has none.
func (k Key) Tokens(p Person) ([]Token, error) {
	if len(k) < KeySize {
		return nil, fmt.Errorf("making linkage tokens: the key has fewer than %d bytes", KeySize)
	}
	m := &maker{key: k}
	e := elementsOf(p)
	for _, whole := range e.wholes {
		m.each(NameBirthday, e.birthdays, func(day string) []string { return []string{whole, e.sex, day} })
		m.each(NamePhone, p.Phones, func(phone string) []string { return []string{whole, phone} })
		for _, year := range e.years {
			m.each(NameHome, e.districts, func(d string) []string { return []string{whole, e.sex, year, d} })
		}
		m.each(NameYear, e.near, func(year string) []string { return []string{whole, e.sex, year} })
		for _, province := range e.provinces {
			for _, mother := range e.mothers {
				m.each(NameMother, e.near, func(year string) []string { return []string{whole, e.sex, year, province, mother} })
			}
		}
	}
	for _, part := range e.parts {
		m.each(PartBirthday, e.birthdays, func(day string) []string { return []string{part, e.sex, day} })
		m.each(PartPhone, p.Phones, func(phone string) []string { return []string{part, phone} })
		for _, province := range e.provinces {
			m.each(PartHome, e.near, func(year string) []string { return []string{part, e.sex, year, province} })
		}
	}
	for _, letters := range e.letters {
		m.each(Letters, e.near, func(year string) []string { return []string{letters, e.sex, year} })
	}
	return m.tokens(), nil
}

// elements are a person's facts in the form that tokens take.
type elements struct {
	wholes, parts, letters []string
	sex                    string
	birthdays              []string
	years, near            []string // birth years; and give or take one
	provinces, districts   []string
	mothers                []string
}

// A whole name of fewer classes is shared by too many.
const shortestWhole = 3

// mostNames bounds the spellings that are looked at.
const mostNames = 8

func elementsOf(p Person) elements {
	var e elements
	for _, name := range p.Names[:min(len(p.Names), mostNames)] {
		if whole := names.WholeKey(name); len(whole) >= shortestWhole {
			e.wholes = append(e.wholes, whole)
		}
		e.parts = append(e.parts, names.PartKeys(name)...)
		if letters := names.LatinKey(name); strings.Contains(letters, " ") {
			e.letters = append(e.letters, letters)
		}
	}
	for _, name := range p.Mothers {
		if whole := names.WholeKey(name); whole != "" {
			e.mothers = append(e.mothers, whole)
		}
	}
	if p.Sex != "unknown" {
		e.sex = p.Sex
	}
	e.birthdays, e.provinces, e.districts = present(p.Birthday), present(p.Province), present(p.District)
	for year := p.BornFrom; year <= p.BornTo && year > 0 && p.BornTo-p.BornFrom <= 4; year++ {
		e.years = append(e.years, fmt.Sprint(year))
	}
	if len(e.years) > 0 {
		for year := p.BornFrom - 1; year <= p.BornTo+1; year++ {
			e.near = append(e.near, fmt.Sprint(year))
		}
	}
	return e
}

func present(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// maker collects tokens.
type maker struct {
	key  Key
	made []Token
}

func (m *maker) each(kind Kind, values []string, elements func(string) []string) {
	for _, v := range values {
		m.made = append(m.made, m.token(kind, elements(v)))
	}
}

// token is HMAC-SHA-256, its first 128 bits, over the version, the kind and the
// elements, each with its length in front so that no two lists give one message.
func (m *maker) token(kind Kind, elements []string) Token {
	mac := hmac.New(sha256.New, m.key)
	write := func(text string) {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
		mac.Write([]byte(text))
	}
	write(fmt.Sprintf("banyan linkage %d", Version))
	write(string(kind))
	for _, e := range elements {
		write(e)
	}
	return Token{kind, base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])}
}

func (m *maker) tokens() []Token {
	slices.SortFunc(m.made, func(a, b Token) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Text, b.Text))
	})
	return slices.Compact(m.made)
}
