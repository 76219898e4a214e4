// Package demo invents a small country: organisations, staff, and children's
// cases in every stage, spread over three years, so that a newcomer can click
// through the whole program in the first minute.
//
// # What it promises
//
//   - Nobody in it is real. Names are common given and family names put
//     together by chance; places are districts, never addresses; texts are
//     sentences written for this package.
//   - It is honest: every form it fills passes the same checks as a person's
//     (package forms), and every entry goes through the journal like any other.
//     What is overdue, in dispute or waiting in the demo came about the way it
//     would in an office, not by setting a mark.
//   - The same seed and the same day give the same country.
package demo

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/screening"
)

// Country is everything that the generator made up.
type Country struct {
	Organisations []Organisation
	Staff         []Staff
	Cases         []Case
}

// Organisation is an invented agency.
type Organisation struct {
	Key     string // stable within a country; the installer gives the real id
	Name    string
	Kind    string // ngo, shelter, legal_aid, government, hotline
	Country string // ISO 3166-1 alpha-3
	Teams   []string
}

// Staff is an invented staff member. The case workers' own supervisor is the
// one of their team.
type Staff struct {
	Login string
	Name  string
	Org   string // key
	Team  string
	Roles []string
	Lang  string
	Show  bool // printed at the start, with a password
}

// Case is one child's case with everything written about it.
type Case struct {
	Stream string
	Org    string // key
	Drafts []journal.Draft
	Stage  string // where its story ends; for tests
}

// Maker makes countries.
type Maker struct {
	lib    *forms.Library
	screen *screening.Set
	names  *nameBook
	places *placeBook
	now    time.Time
	rng    *rand.Rand
	ids    Directory
	given  map[string]bool // given to cases so far
	again  *rand.Rand      // who comes back
	former []former

	signs      *rand.Rand // for the answers of screenings
	signsIn100 int        // of a hundred questions, how many the next child answers with yes
}

// Directory gives the real ids of organisations, teams and staff that the
// installer has made before the cases.
type Directory struct {
	Org  func(key string) string
	Team func(org, team string) string
	User func(login string) string
}

// New makes a maker over the program's content. now is the day on which the
// story ends.
func New(content fs.FS, lib *forms.Library, seed uint64, now time.Time, ids Directory) (*Maker, error) {
	names, err := readNames(content)
	if err != nil {
		return nil, fmt.Errorf("reading names for the demo: %w", err)
	}
	places, err := readPlaces(content)
	if err != nil {
		return nil, fmt.Errorf("reading places for the demo: %w", err)
	}
	instruments, faults := screening.Load(content)
	if len(faults) > 0 {
		return nil, fmt.Errorf("reading screening instruments for the demo: %w", faults[0])
	}
	return &Maker{lib: lib, screen: instruments, names: names, places: places, now: now.Truncate(time.Minute), ids: ids,
		given: map[string]bool{}, rng: rand.New(rand.NewPCG(seed, 0xba17a)), signs: rand.New(rand.NewPCG(seed, 0x5c4ee)), again: rand.New(rand.NewPCG(seed, 0xa9a1))}, nil
}

// Organisations and Staff are the same in every country of this package.
// River House is the one that the printed sign-ins belong to.
var organisations = []Organisation{
	{"river", "River House", "ngo", "KHM", []string{"Poipet", "Phnom Penh"}},
	{"garden", "Garden Home", "shelter", "KHM", []string{"Reception"}},
	{"lotus", "Lotus Legal Aid", "legal_aid", "THA", []string{"Legal desk"}},
	{"road", "Open Road", "ngo", "LAO", []string{"Vientiane"}},
	{"desk", "Ministry desk (invented)", "government", "KHM", []string{"Referral desk"}},
}

var staff = []Staff{
	{"chanthou", "Chanthou Keo", "river", "Poipet", []string{"case_worker"}, "en", true},
	{"vanna", "Vanna Prak", "river", "Poipet", []string{"supervisor"}, "en", true},
	{"admin", "Sopheap Nuon", "river", "", []string{"administrator"}, "en", true},
	{"minh", "Lê Thị Minh", "river", "Poipet", []string{"case_worker"}, "vi", true},
	{"rithy", "Rithy Sok", "river", "Phnom Penh", []string{"lawyer"}, "en", true},
	{"maly", "Maly Chea", "river", "", []string{"programme_manager"}, "en", true},
	{"dara", "Dara Heng", "river", "", []string{"statistician"}, "en", true},
	{"phalla", "Phalla Yim", "river", "", []string{"auditor"}, "en", true},
	{"bopha", "Bopha Chan", "river", "Poipet", []string{"screener"}, "en", true},
	{"nary", "Nary Tep", "river", "Poipet", []string{"counsellor"}, "en", true},
	{"sokha", "Sokha Meas", "river", "Poipet", []string{"case_worker"}, "en", false},
	{"mony", "Mony Suon", "river", "Poipet", []string{"case_worker"}, "en", false},
	{"sreypov", "Sreypov Nhim", "river", "Poipet", []string{"case_worker"}, "en", false},
	{"kunthea", "Kunthea Ros", "river", "Phnom Penh", []string{"supervisor"}, "en", false},
	{"veasna", "Veasna Long", "river", "Phnom Penh", []string{"case_worker"}, "en", false},
	{"thida", "Thida Nhem", "river", "Phnom Penh", []string{"case_worker"}, "en", false},
	{"sothea", "Sothea Kim", "garden", "Reception", []string{"supervisor"}, "en", false},
	{"channy", "Channy Pen", "garden", "Reception", []string{"case_worker"}, "en", false},
	{"somchai", "Somchai Jaidee", "lotus", "Legal desk", []string{"supervisor", "lawyer"}, "en", false},
	{"malee", "Malee Suksan", "lotus", "Legal desk", []string{"case_worker"}, "en", false},
	{"khamla", "Khamla Vongsa", "road", "Vientiane", []string{"supervisor"}, "en", false},
	{"bounmy", "Bounmy Sisouk", "road", "Vientiane", []string{"case_worker"}, "en", false},
	{"sina", "Sina Ouk", "desk", "Referral desk", []string{"supervisor"}, "en", false},
}

// Organisations gives the invented agencies.
func Organisations() []Organisation { return organisations }

// People gives the invented staff.
func People() []Staff { return staff }

// Cases invents n cases, oldest first.
func (m *Maker) Cases(n int) ([]Case, error) {
	out := make([]Case, 0, n)
	for i := range n {
		c, err := m.oneCase()
		if err != nil {
			return nil, fmt.Errorf("inventing case %d: %w", i+1, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// pick gives one of the items by chance.
func pick[T any](r *rand.Rand, items []T) T { return items[r.IntN(len(items))] }

// chance is true in p of 100.
func (m *Maker) chance(p int) bool { return m.rng.IntN(100) < p }

// id makes a UUIDv7 for an instant (RFC 9562, section 5.7) from the maker's
// own chance, so that a seed gives the same ids.
func (m *Maker) id(at time.Time) string {
	ms := uint64(at.UnixMilli())
	a, b := m.rng.Uint64(), m.rng.Uint64()
	return fmt.Sprintf("%08x-%04x-7%03x-%04x-%012x", ms>>16, ms&0xffff, a&0xfff, 0x8000|(a>>16)&0x3fff, b&0xffffffffffff)
}
