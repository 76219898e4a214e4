package bench

// How well linkage tells one child from another: invented children, some of them
// siblings, some registered twice by offices that write, ask and guess
// differently. Every pair is judged; who is who is known.

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"banyan/content"
	"banyan/internal/linkage"
)

// LinkageRow is the recall for one way in which a second office differs.
type LinkageRow struct {
	How                string
	Pairs              int
	Same, LikelyOrMore float64 // shares
}

// LinkageReport is what was measured.
type LinkageReport struct {
	Children      int
	Registrations int
	Rows          []LinkageRow
	DifferentSame int // pairs of different children judged the same
	Siblings      int // of them, siblings
	Candidates    int // pairs of different children that share a token
	WrongHints    int // of the candidates, those judged likely or the same
	Joined        int // all pairs judged the same
	AllPairs      int64
	TokensEach    float64
}

// FalseOfCandidates is the share of candidate pairs of different children that
// are judged the same.
func (r LinkageReport) FalseOfCandidates() float64 {
	return float64(r.DifferentSame) / float64(max(r.Candidates, 1))
}

// Precision is the share of pairs judged the same that are.
func (r LinkageReport) Precision() float64 {
	return 1 - float64(r.DifferentSame)/float64(max(r.Joined, 1))
}

// child is an invented child with what its family knows.
type child struct {
	own, latin []string // given names first, family names after
	sex        string
	year       int
	birthday   string
	province   string
	district   string
	mother     [2]string // own script, Latin letters
	phone      string
	country    string
	family     int
}

// second tells how a second office writes a child.
type second struct {
	how   string
	write func(*inventor, child) linkage.Person
}

var seconds = []second{
	{"the same spellings", func(v *inventor, c child) linkage.Person { return v.registered(c, c.own, c.latin) }},
	{"own script only; the first office wrote both", func(v *inventor, c child) linkage.Person { return v.registered(c, c.own, nil) }},
	{"Latin letters only; the first office wrote both", func(v *inventor, c child) linkage.Person { return v.registered(c, nil, c.latin) }},
	{"another romanisation, no own script", func(v *inventor, c child) linkage.Person { return v.registered(c, nil, v.romanised(c.latin)) }},
	{"marks missing", func(v *inventor, c child) linkage.Person { return v.registered(c, nil, unmarked(c.own, c.latin)) }},
	{"parts of the name swapped", func(v *inventor, c child) linkage.Person { return v.registered(c, reversed(c.own), reversed(c.latin)) }},
	{"age off by up to 2 years, no date of birth", func(v *inventor, c child) linkage.Person {
		c.year += v.rng.IntN(5) - 2
		c.birthday = ""
		return v.registered(c, c.own, c.latin)
	}},
	{"given name only", func(v *inventor, c child) linkage.Person { return v.registered(c, c.own[:1], c.latin[:1]) }},
	{"another romanisation, swapped, age off by up to 2, no date of birth", func(v *inventor, c child) linkage.Person {
		c.year += v.rng.IntN(5) - 2
		c.birthday = ""
		return v.registered(c, nil, reversed(v.romanised(c.latin)))
	}},
}

// Linkage invents children, a tenth of them registered twice, and judges all
// pairs.
func Linkage(children int, seed uint64) (LinkageReport, error) {
	v, err := newInventor(seed)
	if err != nil {
		return LinkageReport{}, err
	}
	type registration struct {
		child, family, how int
		tokens             []linkage.Token
	}
	key := linkage.Key(bytes.Repeat([]byte{7}, linkage.KeySize)) // any key gives the same verdicts
	var all []registration
	add := func(i int, c child, how int, p linkage.Person) error {
		tokens, err := key.Tokens(p)
		all = append(all, registration{i, c.family, how, tokens})
		return err
	}
	cast := v.children(children)
	for i, c := range cast {
		if err := add(i, c, -1, v.registered(c, c.own, c.latin)); err != nil {
			return LinkageReport{}, err
		}
		if i%10 == 0 {
			how := i / 10 % len(seconds)
			if err := add(i, c, how, seconds[how].write(v, c)); err != nil {
				return LinkageReport{}, err
			}
		}
	}
	report := LinkageReport{Children: children}
	for _, s := range seconds {
		report.Rows = append(report.Rows, LinkageRow{How: s.how})
	}
	holders := map[string][]int{}
	total := 0
	for i, r := range all {
		total += len(r.tokens)
		for _, t := range r.tokens {
			holders[t.Text] = append(holders[t.Text], i)
		}
		if r.how >= 0 {
			report.Rows[r.how].Pairs++
		}
	}
	report.Registrations = len(all)
	report.TokensEach = float64(total) / float64(len(all))
	report.AllPairs = int64(len(all)) * int64(len(all)-1) / 2
	for i, r := range all {
		met := map[int]bool{}
		for _, t := range r.tokens {
			for _, j := range holders[t.Text] {
				if j >= i || met[j] {
					continue
				}
				met[j] = true
				verdict := linkage.Weigh(all[j].tokens, r.tokens).Verdict()
				if verdict == linkage.Same {
					report.Joined++
				}
				if all[j].child != r.child {
					report.Candidates++
					if verdict != linkage.No {
						report.WrongHints++
					}
					if verdict == linkage.Same {
						report.DifferentSame++
						if all[j].family == r.family {
							report.Siblings++
						}
					}
					continue
				}
				row := &report.Rows[r.how]
				if verdict != linkage.No {
					row.LikelyOrMore++
				}
				if verdict == linkage.Same {
					row.Same++
				}
			}
		}
	}
	for i := range report.Rows {
		row := &report.Rows[i]
		row.Same, row.LikelyOrMore = row.Same/float64(max(row.Pairs, 1)), row.LikelyOrMore/float64(max(row.Pairs, 1))
	}
	return report, nil
}

// inventor makes children.
type inventor struct {
	rng       *rand.Rand
	countries []string
	books     map[string]linkageNames
	districts map[string][][2]string // province, district
}

type spelled struct{ Name, Latin string }

type linkageNames struct {
	Country string
	Parts   []int
	Given   map[string][]spelled
	Middle  any
	Family  []spelled
}

func newInventor(seed uint64) (*inventor, error) {
	v := &inventor{rng: rand.New(rand.NewPCG(seed, 11)), books: map[string]linkageNames{}, districts: map[string][][2]string{}}
	files, err := fs.Glob(content.FS, "names/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := fs.ReadFile(content.FS, file)
		if err != nil {
			return nil, err
		}
		var b linkageNames
		if err := yaml.Unmarshal(text, &b); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		v.books[b.Country] = b
		v.countries = append(v.countries, b.Country)
	}
	text, err := fs.ReadFile(content.FS, "places.csv")
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("places.csv: %w", err)
	}
	for _, row := range rows[1:] {
		if len(row) >= 5 && row[1] == "2" {
			v.districts[row[0]] = append(v.districts[row[0]], [2]string{row[4], row[2]})
		}
	}
	return v, nil
}

// often picks early names more often than late ones, as Nguyễn is.
func often[T any](rng *rand.Rand, list []T) T {
	return list[int(float64(len(list))*rng.Float64()*rng.Float64())]
}

// children makes children; every fifth family has two or three.
func (v *inventor) children(n int) []child {
	var out []child
	for family := 0; len(out) < n; family++ {
		first := v.child(family)
		out = append(out, first)
		if family%5 != 0 {
			continue
		}
		names := map[string]bool{strings.Join(first.own, " "): true}
		for range 1 + v.rng.IntN(2) {
			next := v.sibling(first)
			for names[strings.Join(next.own, " ")] { // nobody gives two children one name
				next = v.sibling(first)
			}
			names[strings.Join(next.own, " ")] = true
			out = append(out, next)
		}
	}
	return out[:n]
}

func (v *inventor) child(family int) child {
	c := child{country: v.countries[v.rng.IntN(len(v.countries))], family: family, sex: []string{"female", "male"}[v.rng.IntN(2)], year: 2008 + v.rng.IntN(16)}
	b := v.books[c.country]
	v.give(&c)
	if len(b.Family) > 0 {
		f := often(v.rng, b.Family)
		c.own, c.latin = append(c.own, f.Name), append(c.latin, latinOf(f.Name, f.Latin))
	}
	mother := often(v.rng, b.Given["female"])
	c.mother = [2]string{mother.Name, latinOf(mother.Name, mother.Latin)}
	if list := v.districts[c.country]; len(list) > 0 {
		home := list[v.rng.IntN(len(list))]
		c.province, c.district = home[0], home[1]
	}
	c.phone = fmt.Sprintf("+000%09d", v.rng.IntN(1_000_000_000))
	c.birthday = v.birthday(c.year)
	return c
}

func (v *inventor) birthday(year int) string {
	return fmt.Sprintf("%d-%02d-%02d", year, 1+v.rng.IntN(12), 1+v.rng.IntN(28))
}

// give gives a child its given names.
func (v *inventor) give(c *child) {
	b := v.books[c.country]
	parts := 1
	if len(b.Parts) > 0 {
		parts = b.Parts[v.rng.IntN(len(b.Parts))]
	}
	for range parts {
		g := often(v.rng, b.Given[c.sex])
		c.own, c.latin = append(c.own, g.Name), append(c.latin, latinOf(g.Name, g.Latin))
	}
}

// sibling has the family's name, home, mother and phone; one in twenty is a twin.
func (v *inventor) sibling(of child) child {
	c := of
	c.sex = []string{"female", "male"}[v.rng.IntN(2)]
	c.own, c.latin = nil, nil
	v.give(&c)
	if len(v.books[c.country].Family) > 0 {
		c.own, c.latin = append(c.own, of.own[len(of.own)-1]), append(c.latin, of.latin[len(of.latin)-1])
	}
	if v.rng.IntN(20) != 0 {
		c.year = of.year - 4 + v.rng.IntN(9)
		c.birthday = v.birthday(c.year)
	}
	return c
}

// registered is what an office writes: not everything is asked, an age is
// guessed, a district is not always known.
func (v *inventor) registered(c child, own, latin []string) linkage.Person {
	p := linkage.Person{Sex: c.sex, BornFrom: c.year - v.rng.IntN(2), Province: c.province}
	p.BornTo = p.BornFrom + 1 // years of age on a day
	for _, spelling := range [][]string{own, latin} {
		if len(spelling) > 0 {
			p.Names = append(p.Names, strings.Join(spelling, " "))
		}
	}
	known := func(share float64) bool { return v.rng.Float64() < share }
	if known(0.4) && c.birthday != "" {
		p.Birthday, p.BornFrom, p.BornTo = c.birthday, c.year, c.year
	}
	if known(0.7) {
		p.District = c.district
	}
	if known(0.4) {
		p.Phones = []string{c.phone}
	}
	if known(0.5) {
		p.Mothers = []string{c.mother[v.rng.IntN(2)]}
	}
	return p
}

func reversed(parts []string) []string {
	out := slices.Clone(parts)
	slices.Reverse(out)
	return out
}

// unmarked is Vietnamese as typed on a telephone; other names in Latin letters.
func unmarked(own, latin []string) []string {
	out := make([]string, len(latin))
	for i := range latin {
		out[i] = strings.ToUpper(latin[i])
	}
	_ = own
	return out
}

// otherRomanisations are spellings that papers carry for each other.
var otherRomanisations = [][2]string{{"ph", "f"}, {"ou", "u"}, {"ee", "i"}, {"y", "i"}, {"th", "t"}, {"kh", "k"}, {"ch", "tch"}, {"sh", "s"}, {"oo", "u"}, {"v", "w"}, {"ea", "ie"}, {"aw", "or"}, {"x", "s"}, {"a", "aa"}, {"o", "or"}, {"i", "ee"}, {"u", "oo"}}

// romanised spells a name in another way.
func (v *inventor) romanised(parts []string) []string {
	out := slices.Clone(parts)
	for i, part := range out {
		for _, k := range v.rng.Perm(len(otherRomanisations)) {
			r := otherRomanisations[k]
			if strings.Contains(strings.ToLower(part), r[0]) {
				out[i] = strings.Replace(strings.ToLower(part), r[0], r[1], 1)
				break
			}
		}
	}
	return out
}
