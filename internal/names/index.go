// Package names finds a person by name across scripts and spellings, so that
// nobody has to tell a story twice because of a letter: the search that comes
// before every new case.
//
// A name is compared as it is written (compatibility form, lower case), then
// without tone marks, then by its sounds: own tables turn Khmer, Lao, Thai,
// Burmese, Devanagari, Bengali and Latin letters (Vietnamese among them) into
// one rough alphabet of sounds. The order of the parts is free, initials fit,
// and every match says in words why it was found.
//
// Index lives in memory only. Names never stand in the clear on a disk, so
// there is no index to steal; it is filled from the sealed rows at start.
package names

import (
	"math/bits"
	"sort"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// Person is what can be found. Names holds every spelling and nickname, the
// main one first. BornFrom and BornTo bound the birth year, 0 for unknown.
type Person struct {
	ID               string
	Owner            string // who keeps the record
	Names            []string
	Sex              string
	BornFrom, BornTo int
	Phones           []string // as Phone gives them
	Code             string
	Places           []string // codes, most exact first
}

// Query is what is known of somebody. Empty fields do not count. Text may be
// a name, a code or a phone number.
type Query struct {
	Text, Name, Code, Phone string
	Sex                     string
	Born                    int    // birth year, 0 unknown; fits within two years
	Place                   string // a place code; a shorter code holds the longer ones
	Region                  string // ISO 3166-1 alpha-3 for phone numbers without a country

	// Owner, if not empty, asks among that owner's people and those in Also
	// only: nobody else's crowd the answer, or change how long it takes.
	Owner string
	Also  map[string]bool
	// PlaceOf are those of whom the place may count; nil: all.
	PlaceOf map[string]bool
}

// among says whether a person is asked about.
func (q *Query) among(e *entry) bool {
	return q.Owner == "" || e.Owner == q.Owner || q.Also[e.ID]
}

func (q *Query) placeCounts(e *entry) bool {
	return q.Place != "" && (q.PlaceOf == nil || q.PlaceOf[e.ID])
}

// Match is one person found, best first. Score is 0 to 1.
type Match struct {
	ID    string
	Score float64
	Why   []Reason
}

// Index is the people known, in memory. It is safe for concurrent use.
type Index struct {
	mu     sync.RWMutex
	byID   map[string]int32
	people []entry
	free   []int32
	codes  map[string]int32
	phones map[string][]int32 // last eight digits → people
	words  []term             // distinct sounds that names are found by
	termOf map[string]int32   // sound → index in words
	prints []uint64           // fingerprint of each distinct skeleton
	bones  []skeleton         // the distinct skeletons themselves
	boneOf map[string]int32   // skeleton → index in bones
}

// entry is one person; a freed one has an empty id.
type entry struct {
	Person
	names []name
	terms []int32
}

// term is one distinct sound with everybody who has it in a name.
type term struct {
	sound  string
	people []int32
}

// skeleton is one distinct run of consonant classes with its sounds.
type skeleton struct {
	bones string
	terms []int32
}

// NewIndex gives an empty index.
func NewIndex() *Index {
	return &Index{byID: map[string]int32{}, codes: map[string]int32{}, phones: map[string][]int32{}, termOf: map[string]int32{}, boneOf: map[string]int32{}}
}

// Len counts the people known.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byID)
}

// Put adds a person or replaces the one with the same ID.
func (x *Index) Put(p Person) {
	e := entry{Person: p}
	for _, n := range p.Names {
		if nm := newName(n); len(nm.words) > 0 {
			e.names = append(e.names, nm)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.delete(p.ID)
	var slot int32
	if n := len(x.free); n > 0 {
		slot = x.free[n-1]
		x.free = x.free[:n-1]
	} else {
		slot = int32(len(x.people))
		x.people = append(x.people, entry{})
	}
	seen := map[int32]bool{}
	for i := range e.names {
		nm := &e.names[i]
		for j := range nm.words {
			x.note(&nm.words[j], slot, seen)
		}
		if len(nm.words) > 1 {
			x.note(&nm.whole, slot, seen)
		}
	}
	for t := range seen {
		e.terms = append(e.terms, t)
	}
	x.people[slot] = e
	x.byID[p.ID] = slot
	if p.Code != "" {
		x.codes[codeKey(p.Code)] = slot
	}
	for _, ph := range p.Phones {
		if k := phoneKey(ph); k != "" {
			x.phones[k] = append(x.phones[k], slot)
		}
	}
}

func (x *Index) note(w *word, slot int32, seen map[int32]bool) {
	if w.sound == "" {
		return
	}
	t, ok := x.termOf[w.sound]
	if !ok {
		t = int32(len(x.words))
		x.termOf[w.sound] = t
		x.words = append(x.words, term{sound: w.sound})
		k, ok := x.boneOf[w.bones]
		if !ok {
			k = int32(len(x.bones))
			x.boneOf[w.bones] = k
			x.bones = append(x.bones, skeleton{bones: w.bones})
			x.prints = append(x.prints, fingerprint(w.bones))
		}
		x.bones[k].terms = append(x.bones[k].terms, t)
	}
	if !seen[t] {
		seen[t] = true
		x.words[t].people = append(x.words[t].people, slot)
	}
}

// Delete forgets a person, as when a case is erased.
func (x *Index) Delete(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.delete(id)
}

func (x *Index) delete(id string) {
	slot, ok := x.byID[id]
	if !ok {
		return
	}
	e := &x.people[slot]
	for _, t := range e.terms {
		x.words[t].people = without(x.words[t].people, slot)
	}
	if e.Code != "" && x.codes[codeKey(e.Code)] == slot {
		delete(x.codes, codeKey(e.Code))
	}
	for _, ph := range e.Phones {
		k := phoneKey(ph)
		if left := without(x.phones[k], slot); len(left) > 0 {
			x.phones[k] = left
		} else {
			delete(x.phones, k)
		}
	}
	delete(x.byID, id)
	x.people[slot] = entry{}
	x.free = append(x.free, slot)
}

func without(list []int32, slot int32) []int32 {
	for i, s := range list {
		if s == slot {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	return list
}

// fingerprint counts each class of bones up to five in unary, six bits a
// class: two words d edits apart differ in at most 2d bits, so one popcount
// spares most comparisons.
func fingerprint(bones string) uint64 {
	var counts [10]int
	for i := 0; i < len(bones); i++ {
		if k := strings.IndexByte("PTKSMNLWYA", bones[i]); k >= 0 {
			counts[k]++
		}
	}
	var p uint64
	for k, n := range counts {
		p |= (1<<min(n, 6) - 1) << (6 * k)
	}
	return p
}

// reach is how many edits apart two bones may be to be looked at closer.
func reach(bones string) int {
	switch n := len(bones); {
	case n <= 2:
		return 0
	case n <= 5:
		return 1
	default:
		return 2
	}
}

const (
	leastScore = 0.5 // below this nobody is shown
	rescored   = 400 // candidates compared name by name
)

// Find gives at most limit people, best first, among those for whom allowed
// answers true (nil allows all). allowed is asked for likely people only, one
// call each.
func (x *Index) Find(q Query, limit int, allowed func(id string) bool) []Match {
	if limit <= 0 {
		return nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	found := map[int32]Match{}
	put := func(slot int32, score float64, why ...Reason) {
		if !q.among(&x.people[slot]) {
			return
		}
		if m, ok := found[slot]; !ok || m.Score < score {
			found[slot] = Match{ID: x.people[slot].ID, Score: score, Why: why}
		}
	}
	for _, code := range []string{q.Code, q.Text} {
		if k := codeKey(code); k != "" {
			if slot, ok := x.codes[k]; ok {
				put(slot, 1, Reason{KindCode, "same case code"})
			}
		}
	}
	for _, phone := range []string{q.Phone, q.Text} {
		x.findPhone(phone, q.Region, put)
	}
	nameGiven := false
	for _, text := range []string{q.Name, q.Text} {
		if nm := newName(text); len(nm.words) > 0 && !onlyDigits(text) {
			nameGiven = true
			x.findName(q, &nm, limit, put)
		}
	}
	if !nameGiven && q.Code == "" && q.Phone == "" && q.Text == "" {
		x.findRest(q, put)
	}
	out := make([]Match, 0, len(found))
	for slot, m := range found {
		x.weighRest(&x.people[slot], q, &m)
		if m.Score >= leastScore {
			out = append(out, m)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Score != out[j].Score {
			return out[i].Score > out[j].Score
		}
		return out[i].ID < out[j].ID
	})
	kept := out[:0]
	for _, m := range out {
		if len(kept) == limit {
			break
		}
		if allowed == nil || allowed(m.ID) {
			kept = append(kept, m)
		}
	}
	return kept
}

func (x *Index) findPhone(phone, region string, put func(int32, float64, ...Reason)) {
	whole := Phone(phone, region)
	k := phoneKey(whole)
	if k == "" {
		return
	}
	for _, slot := range x.phones[k] {
		score, text := 0.9, "same last digits of a phone number"
		for _, ph := range x.people[slot].Phones {
			if ph == whole {
				score, text = 0.97, "same phone number"
			}
		}
		put(slot, score, Reason{KindPhone, text})
	}
}

// findName gathers people by their terms, cheaply, then compares names.
func (x *Index) findName(q Query, nm *name, limit int, put func(int32, float64, ...Reason)) {
	rough := make([]float32, len(x.people))
	var touched []int32
	ask := make([]*word, 0, len(nm.words)+1)
	var total float64
	for i := range nm.words {
		ask = append(ask, &nm.words[i])
		total += nm.words[i].weigh()
	}
	best := make([]float32, len(x.people)) // of the word at hand, per person
	for k := range len(ask) + 1 {
		var w *word
		var share float32
		if k < len(ask) {
			w, share = ask[k], float32(ask[k].weigh()/total)
		} else {
			w, share = nm.one(), 1
		}
		var hit []int32
		for _, c := range x.near(w, k == len(ask)) {
			for _, slot := range x.words[c.term].people {
				if best[slot] == 0 {
					hit = append(hit, slot)
				}
				best[slot] = max(best[slot], c.score)
			}
		}
		for _, slot := range hit {
			if rough[slot] == 0 && q.among(&x.people[slot]) {
				touched = append(touched, slot)
			}
			if k < len(ask) {
				rough[slot] += share * best[slot]
			} else {
				rough[slot] = max(rough[slot], best[slot])
			}
			best[slot] = 0
		}
	}
	keep := max(rescored, 4*limit)
	if len(touched) > keep {
		sort.Slice(touched, func(i, j int) bool {
			if rough[touched[i]] != rough[touched[j]] {
				return rough[touched[i]] > rough[touched[j]]
			}
			return touched[i] < touched[j]
		})
		touched = touched[:keep]
	}
	for _, slot := range touched {
		e := &x.people[slot]
		var top likeness
		which := 0
		for i := range e.names {
			l := score(nm, &e.names[i])
			if i > 0 {
				l.score *= 0.995
			}
			if l.score > top.score {
				top, which = l, i
			}
		}
		if top.score < leastScore*0.8 {
			continue
		}
		why := []Reason{reason(top.kind, nm, &e.names[which])}
		if which > 0 {
			why = append(why, Reason{KindOther, "another name of the person"})
		}
		put(slot, top.score, why...)
	}
}

type nearTerm struct {
	term  int32
	score float32
}

// near lists the terms that sound like w. Whole names reach one edit further.
func (x *Index) near(w *word, whole bool) []nearTerm {
	var out []nearTerm
	if isInitial(w) {
		for i := range x.words {
			if x.words[i].sound[0] == w.sound[0] {
				out = append(out, nearTerm{int32(i), 0.5})
			}
		}
		return out
	}
	if w.sound == "" {
		return nil
	}
	least := 0.6
	if whole {
		least = 0.75
	}
	d := reach(w.bones)
	print := fingerprint(w.bones)
	ruler := newRuler(w.bones)
	for k, p := range x.prints {
		if bits.OnesCount64(p^print) > 2*d || ruler.distance(x.bones[k].bones) > d {
			continue
		}
		for _, i := range x.bones[k].terms {
			t := &x.words[i]
			if len(t.people) == 0 {
				continue
			}
			if s := soundLikeness(w.sound, t.sound, true); s >= least {
				out = append(out, nearTerm{i, float32(s)})
			}
		}
	}
	return out
}

// ruler measures edit distances from one skeleton, a word's bits at a time.
// Myers, A fast bit-vector algorithm for approximate string matching, J. ACM
// 46 (1999); the whole-string form of Hyyrö (2003).
type ruler struct {
	n    int
	mask [128]uint64
}

func newRuler(s string) *ruler {
	r := &ruler{n: min(len(s), 64)}
	for i := range r.n {
		r.mask[s[i]&127] |= 1 << i
	}
	return r
}

func (r *ruler) distance(s string) int {
	if r.n == 0 {
		return len(s)
	}
	score := r.n
	pv, mv := ^uint64(0), uint64(0)
	last := uint64(1) << (r.n - 1)
	for i := 0; i < len(s); i++ {
		eq := r.mask[s[i]&127]
		xv := eq | mv
		xh := (((eq & pv) + pv) ^ pv) | eq
		ph := mv | ^(xh | pv)
		mh := pv & xh
		if ph&last != 0 {
			score++
		} else if mh&last != 0 {
			score--
		}
		ph = ph<<1 | 1
		mh <<= 1
		pv = mh | ^(xv | ph)
		mv = ph & xv
	}
	return score
}

// findRest looks through everybody when only age, sex or place are known.
func (x *Index) findRest(q Query, put func(int32, float64, ...Reason)) {
	if q.Born == 0 && q.Place == "" {
		return
	}
	n := 0
	for slot := range x.people {
		e := &x.people[slot]
		if e.ID == "" || !q.among(e) || (q.Sex != "" && e.Sex != q.Sex) || (q.Born != 0 && !e.bornNear(q.Born)) || (q.Place != "" && !(q.placeCounts(e) && e.isAt(q.Place))) {
			continue
		}
		put(int32(slot), 0.5)
		if n++; n == 2000 {
			return
		}
	}
}

// weighRest lets age, sex and place speak for or against a match.
func (x *Index) weighRest(e *entry, q Query, m *Match) {
	why := append([]Reason(nil), m.Why...)
	if q.Born != 0 && e.BornFrom != 0 {
		if e.bornNear(q.Born) {
			m.Score += (1 - m.Score) * 0.15
			why = append(why, Reason{KindAge, "age within two years"})
		} else {
			m.Score *= 0.85
			why = append(why, Reason{KindAgeOff, "the age does not fit"})
		}
	}
	if known(q.Sex) && known(e.Sex) {
		if q.Sex == e.Sex {
			m.Score += (1 - m.Score) * 0.05
			why = append(why, Reason{KindSex, "same sex"})
		} else {
			m.Score *= 0.88
			why = append(why, Reason{KindSexOff, "the sex does not fit"})
		}
	}
	if q.placeCounts(e) && len(e.Places) > 0 {
		if e.isAt(q.Place) {
			m.Score += (1 - m.Score) * 0.15
			why = append(why, Reason{KindPlace, "same place"})
		} else {
			m.Score *= 0.97
			why = append(why, Reason{KindPlaceOff, "another place"})
		}
	}
	m.Why = why
}

func known(sex string) bool { return sex != "" && sex != "unknown" }

func (e *entry) bornNear(year int) bool {
	return e.BornFrom != 0 && year >= e.BornFrom-2 && year <= max(e.BornTo, e.BornFrom)+2
}

func (e *entry) isAt(place string) bool {
	for _, p := range e.Places {
		if strings.HasPrefix(p, place) || (len(p) > 3 && strings.HasPrefix(place, p)) {
			return true
		}
	}
	return false
}

// codeKey makes KH-7F3Q, kh7f3q and "KH 7F3Q" the same.
func codeKey(code string) string {
	if len(code) > 16 {
		return ""
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(code) {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	if b.Len() < 5 {
		return ""
	}
	return b.String()
}

// phoneKey is the last eight digits, so that a number written without its
// country is found.
func phoneKey(phone string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, phone)
	if len(digits) < 6 {
		return ""
	}
	return digits[max(0, len(digits)-8):]
}

func onlyDigits(s string) bool {
	for _, r := range s {
		if r >= 'A' && r != '(' && r != ')' {
			return false
		}
	}
	return true
}

// regions: ISO 3166-1 alpha-3 to the two letters that phone numbers use.
var regions = map[string]string{
	"KHM": "KH", "THA": "TH", "VNM": "VN", "LAO": "LA", "MMR": "MM", "IDN": "ID", "MYS": "MY", "PHL": "PH",
	"BGD": "BD", "NPL": "NP", "IND": "IN", "SGP": "SG", "BRN": "BN", "TLS": "TL", "CHN": "CN", "LKA": "LK",
	"PAK": "PK", "BTN": "BT", "MDV": "MV",
}

// Phone gives a number in its international form (+85512345678). country is
// ISO 3166-1 alpha-3, the country that is meant when the number names none.
// What is no number in that country comes back as its digits; what has fewer
// than six digits comes back empty.
func Phone(text, country string) string {
	text = toASCIIDigits(text)
	if len(text) > 40 || !onlyDigits(text) || phoneKey(text) == "" {
		return ""
	}
	region := regions[strings.ToUpper(country)]
	if n, err := phonenumbers.Parse(text, region); err == nil && phonenumbers.IsPossibleNumber(n) {
		return phonenumbers.Format(n, phonenumbers.E164)
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}

// toASCIIDigits reads Khmer, Thai, Lao, Burmese, Devanagari and Bengali digits.
func toASCIIDigits(s string) string {
	return strings.Map(func(r rune) rune {
		for _, zero := range []rune{'០', '๐', '໐', '၀', '०', '০'} {
			if r >= zero && r <= zero+9 {
				return '0' + r - zero
			}
		}
		return r
	}, s)
}
