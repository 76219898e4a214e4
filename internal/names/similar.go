package names

// How alike two words, and two names, are.

import (
	"fmt"
	"strings"
)

// likeness says how alike two words are, 0 to 1, and in which way.
type likeness struct {
	score float64
	kind  string
}

// Kinds of likeness, strongest first. They travel to the screen, which has
// the words for them in the reader's language.
const (
	KindSame     = "same"      // letter by letter
	KindMarks    = "marks"     // same letters, other tone marks
	KindScript   = "script"    // the same sounds in another script
	KindSounds   = "sounds"    // sounds alike
	KindSpelling = "spelling"  // a letter or two apart
	KindInitial  = "initial"   // only the first letter is given
	KindPart     = "part"      // part of the name fits
	KindOther    = "other"     // another name or nickname of the person
	KindCode     = "code"      // the case's code
	KindPhone    = "phone"     // a phone number
	KindAge      = "age"       // age within two years
	KindSex      = "sex"       // sex is the same
	KindPlace    = "place"     // the place is the same
	KindAgeOff   = "age_off"   // the age does not fit
	KindSexOff   = "sex_off"   // the sex does not fit
	KindPlaceOff = "place_off" // another place
)

// alike compares two words.
func alike(a, b *word) likeness {
	if a.text == b.text {
		return likeness{1, KindSame}
	}
	if a.plain == b.plain {
		return likeness{0.97, KindMarks}
	}
	if isInitial(a) != isInitial(b) {
		if a.sound != "" && b.sound != "" && a.sound[0] == b.sound[0] {
			return likeness{0.6, KindInitial}
		}
		return likeness{}
	}
	if a.script == b.script {
		heard := 0.97 * soundLikeness(a.sound, b.sound, false)
		spelled := spellingLikeness(a.plain, b.plain)
		if spelled > heard {
			return likeness{spelled, KindSpelling}
		}
		return likeness{heard, KindSounds}
	}
	s := soundLikeness(a.sound, b.sound, true)
	if s >= 0.85 {
		return likeness{0.96 * s, KindScript}
	}
	return likeness{0.96 * s, KindSounds}
}

func isInitial(w *word) bool { return len([]rune(w.plain)) == 1 && w.script == Latin }

// weight of a sound: what leaving it out costs.
func weight(c byte, loose bool) float64 {
	switch c {
	case 'a', 'e', 'i', 'o', 'u':
		if loose {
			return 0.25
		}
		return 0.4
	case 'h', 'y', 'w':
		return 0.4
	case 'r':
		return 0.6
	}
	return 1
}

// swap is the cost of hearing one sound for another.
func swap(a, b byte, loose bool) float64 {
	if a == b {
		return 0
	}
	va, vb := isVowel(a), isVowel(b)
	if va && vb {
		if loose {
			return 0.15
		}
		return 0.3
	}
	if va != vb {
		if a == 'y' || b == 'y' || a == 'w' || b == 'w' {
			return 0.3
		}
		return 1.2
	}
	if a > b {
		a, b = b, a
	}
	switch string([]byte{a, b}) {
	case "Nn":
		return 0.1
	case "bp", "dt", "gk":
		return 0.12
	case "fp", "sz":
		return 0.15
	case "lr":
		return 0.25
	case "cs", "cz", "bw", "fw", "cy", "bf", "mn", "Nm", "ry", "hk":
		return 0.4
	case "kt", "ct", "st", "ln", "nr", "ty", "ny", "hr":
		return 0.6
	}
	return 1
}

// soundLikeness is 1 minus the weighted edit distance over the weight of the
// heavier word. loose is for two different scripts, where vowels say little.
func soundLikeness(a, b string, loose bool) float64 {
	if a == "" || b == "" {
		return 0
	}
	if a == b {
		return 1
	}
	var prevBuf, curBuf [64]float64
	if len(a) > 63 {
		a = a[:63]
	}
	if len(b) > 63 {
		b = b[:63]
	}
	prev, cur := prevBuf[:len(b)+1], curBuf[:len(b)+1]
	var wa, wb float64
	for j := 0; j < len(b); j++ {
		wb += weight(b[j], loose)
		prev[j+1] = wb
	}
	for i := 0; i < len(a); i++ {
		w := weight(a[i], loose)
		wa += w
		cur[0] = wa
		for j := 0; j < len(b); j++ {
			best := prev[j] + swap(a[i], b[j], loose)
			best = min(best, prev[j+1]+w, cur[j]+weight(b[j], loose))
			cur[j+1] = best
		}
		prev, cur = cur, prev
	}
	return max(0, 1-prev[len(b)]/max(wa, wb))
}

// spellingLikeness counts letters changed, dropped, added or swapped with
// their neighbour (Damerau, optimal string alignment).
func spellingLikeness(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) > 40 {
		x = x[:40]
	}
	if len(y) > 40 {
		y = y[:40]
	}
	longest := max(len(x), len(y))
	if longest == 0 {
		return 0
	}
	if d := len(x) - len(y); d > longest/2 || -d > longest/2 {
		return 0
	}
	var rows [3][41]int
	for j := range len(y) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		row, above := &rows[i%3], &rows[(i-1)%3]
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], rows[(i-2)%3][j-2]+1)
			}
		}
	}
	s := 1 - float64(rows[len(x)%3][len(y)])/float64(longest)
	if s < 0.6 {
		return 0
	}
	return 0.96 * s
}

// common parts of names that say little about who it is, as they sound.
var common = func() map[string]bool {
	m := map[string]bool{}
	for _, s := range strings.Fields("ma ko daw u mg maung saw naw nang sai thi van thị văn md mohammad mst mosammat bin binti kumari kumar bahadur devi bibi begum khatun akter miss mr mrs ny srey thao nang chao นาย นาง นางสาว เด็กชาย เด็กหญิง ด ช ญ မောင် မ ကို ဦး ဒေါ် ທ້າວ ນາງ कुमारी कुमार बहादुर देवी বেগম খাতুন মোঃ মোছাঃ") {
		for _, w := range words(s) {
			m[w.text] = true
		}
	}
	return m
}()

func (w *word) weigh() float64 {
	if common[w.text] {
		return 0.35
	}
	return 1
}

// name is a person's name, ready to be compared.
type name struct {
	text  string
	words []word
	whole word // all words as one; the zero word for a name of one word
}

func newName(text string) name {
	n := name{text: text, words: words(text)}
	if len(n.words) > 1 {
		n.whole = joined(n.words)
	}
	return n
}

func (n *name) one() *word {
	if len(n.words) > 1 {
		return &n.whole
	}
	return &n.words[0]
}

// Score says how alike two names are, from 0 to 1, and why in words. Order of
// the parts is free, initials and missing parts cost.
func Score(a, b string) (float64, Reason) {
	x, y := newName(a), newName(b)
	l := score(&x, &y)
	return l.score, reason(l.kind, &x, &y)
}

func score(q, n *name) likeness {
	if len(q.words) == 0 || len(n.words) == 0 {
		return likeness{}
	}
	best := scoreWords(q, n)
	if len(q.words) > 1 || len(n.words) > 1 {
		if l := alike(q.one(), n.one()); l.kind != KindInitial && 0.99*l.score > best.score {
			best = likeness{0.99 * l.score, l.kind}
		}
	}
	return best
}

// scoreWords pairs the words greedily, best pair first.
func scoreWords(q, n *name) likeness {
	type pair struct {
		i, j int
		likeness
	}
	var usedQ, usedN [12]bool
	var total, matched float64
	for i := range q.words {
		total += q.words[i].weigh()
	}
	kind, kindWeight := "", -1.0
	worst := 1.0
	pairs := 0
	for range min(len(q.words), len(n.words)) {
		best := pair{i: -1}
		for i := range q.words {
			if usedQ[i] {
				continue
			}
			for j := range n.words {
				if usedN[j] {
					continue
				}
				if l := alike(&q.words[i], &n.words[j]); l.score > best.score {
					best = pair{i, j, l}
				}
			}
		}
		if best.i < 0 || best.score < 0.55 {
			break
		}
		usedQ[best.i], usedN[best.j] = true, true
		w := q.words[best.i].weigh()
		matched += w * best.score
		pairs++
		if w >= kindWeight && best.score <= worst { // the weakest weighty pair explains the whole
			kind, kindWeight, worst = best.kind, w, best.score
		}
	}
	if pairs == 0 {
		return likeness{}
	}
	s := matched / total
	var missing float64 // parts of the person's name that were not asked for
	for j := range n.words {
		if !usedN[j] {
			missing += n.words[j].weigh()
		}
	}
	s *= 1 - 0.06*min(missing, 3)
	if pairs < len(q.words) || missing > 0 {
		if kind == KindSame || kind == KindMarks {
			kind = KindPart
		}
	}
	return likeness{s, kind}
}

// Reason says why a person was found: a kind for the program, words for people.
type Reason struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

func reason(kind string, q, n *name) Reason {
	texts := map[string]string{
		KindSame: "same name", KindMarks: "same name with other marks", KindSounds: "sounds alike",
		KindSpelling: "spelled alike", KindInitial: "initials fit", KindPart: "part of the name fits",
	}
	if kind == KindScript && len(n.words) > 0 {
		script := n.words[0].script
		if script == Latin {
			return Reason{kind, "same name in Latin letters"}
		}
		return Reason{kind, fmt.Sprintf("same name in %s script", script)}
	}
	return Reason{kind, texts[kind]}
}
