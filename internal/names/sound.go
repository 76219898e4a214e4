package names

// From letters to sounds. Every word, in whatever script, becomes a short
// string over one small alphabet of sounds, rough enough that the usual
// romanisations of a name and the name in its own script fall close together:
//
//	p b f  t d  k g  c (ch, j, ky)  z s (s, sh, x)  h  m n N (ng)  l r  w y  a e i o u
//
// The tables follow the languages of the names, not the letters' history:
// Burmese သ is a t, its ကျ a c; Lao x is an s; a final Thai ร is an n; a Khmer
// or Thai letter under the killing mark is silent. They were made by hand from
// the official romanisations (UNGEGN for Khmer, RTGS for Thai, BGN/PCGN for
// Lao, MLCTS and everyday spelling for Burmese, ISO 15919 for Devanagari and
// Bengali) and the spellings that people's papers carry.

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Script is the writing system of a word.
type Script string

// The scripts that names are compared across.
const (
	Latin      Script = "Latin"
	Khmer      Script = "Khmer"
	Lao        Script = "Lao"
	Thai       Script = "Thai"
	Burmese    Script = "Burmese"
	Devanagari Script = "Devanagari"
	Bengali    Script = "Bengali"
	Other      Script = "other"
)

// word is one part of a name, ready to be compared.
type word struct {
	text   string // folded: compatibility form, lower case, marks kept
	plain  string // text without Latin marks
	sound  string // over the alphabet of sounds
	bones  string // consonants of sound in classes; "A" for a vowel in front
	script Script
}

// words splits a name and readies each part. A part longer than 40 letters is
// cut: nobody's name needs more, and work per word stays bounded.
func words(name string) []word {
	folded := strings.ToLower(norm.NFKC.String(name))
	parts := strings.FieldsFunc(folded, func(r rune) bool {
		return !(unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || r == '\'' || r == '’')
	})
	var out []word
	for _, p := range parts {
		p = strings.Map(func(r rune) rune {
			if r == '\'' || r == '’' {
				return -1
			}
			return r
		}, p)
		if p == "" {
			continue
		}
		if r := []rune(p); len(r) > 40 {
			p = string(r[:40])
		}
		out = append(out, newWord(p))
		if len(out) == 12 {
			break
		}
	}
	return out
}

func newWord(text string) word {
	w := word{text: text, script: scriptOf(text)}
	w.plain = withoutMarks(text, w.script)
	w.sound = squeeze(soundOf(text, w.plain, w.script))
	w.bones = bonesOf(w.sound)
	return w
}

// joined is the whole name as one word: names in Khmer, Burmese, Thai and Lao
// are often written without the space that their romanisation has.
func joined(ws []word) word {
	var out word
	for _, w := range ws {
		out.text += w.text
		out.plain += w.plain
		out.sound += w.sound
		out.script = w.script
	}
	out.sound = squeeze(out.sound)
	out.bones = bonesOf(out.sound)
	return out
}

func scriptOf(text string) Script {
	for _, r := range text {
		switch {
		case r < 0x250, r >= 0x1E00 && r < 0x1F00:
			if unicode.IsLetter(r) {
				return Latin
			}
		case r >= 0x0900 && r < 0x0980:
			return Devanagari
		case r >= 0x0980 && r < 0x0A00:
			return Bengali
		case r >= 0x0E00 && r < 0x0E80:
			return Thai
		case r >= 0x0E80 && r < 0x0F00:
			return Lao
		case r >= 0x1000 && r < 0x10A0:
			return Burmese
		case r >= 0x1780 && r < 0x1800:
			return Khmer
		}
	}
	return Other
}

// withoutMarks takes the marks off Latin letters (Vietnamese tones, đ).
func withoutMarks(text string, s Script) string {
	if s != Latin {
		return text
	}
	ascii := true
	for i := 0; i < len(text); i++ {
		ascii = ascii && text[i] < 0x80
	}
	if ascii {
		return text
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ' || r == 'ð':
			b.WriteByte('d')
		case r == 'ø':
			b.WriteByte('o')
		case r == 'ł':
			b.WriteByte('l')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func soundOf(text, plain string, s Script) string {
	switch s {
	case Latin:
		return latinSound(plain)
	case Thai:
		return thaiSound([]rune(text))
	case Lao:
		return laoSound([]rune(text))
	case Khmer:
		return khmerSound([]rune(text))
	case Burmese:
		return burmeseSound([]rune(text))
	case Devanagari:
		return indicSound([]rune(text), devanagari)
	case Bengali:
		return indicSound([]rune(text), bengali)
	default:
		return plain
	}
}

// squeeze drops doubled sounds and makes w and y after a vowel, not before
// one, the vowels they are heard as.
func squeeze(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		after := len(out) > 0 && isVowel(out[len(out)-1])
		before := i+1 < len(s) && isVowel(s[i+1])
		if after && !before {
			switch c {
			case 'w':
				c = 'u'
			case 'y':
				c = 'i'
			case 'h':
				continue
			}
		}
		if len(out) > 0 && out[len(out)-1] == c {
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

func isVowel(c byte) bool { return strings.IndexByte("aeiou", c) >= 0 }

// bonesOf keeps what survives every spelling: classes of consonants. h, y and
// w count only in front.
func bonesOf(sound string) string {
	out := make([]byte, 0, len(sound))
	for i := 0; i < len(sound); i++ {
		var c byte
		switch sound[i] {
		case 'p', 'b', 'f':
			c = 'P'
		case 't', 'd':
			c = 'T'
		case 'k', 'g':
			c = 'K'
		case 'c', 'z', 's':
			c = 'S'
		case 'm':
			c = 'M'
		case 'n', 'N':
			c = 'N'
		case 'l', 'r':
			c = 'L'
		case 'w':
			c = 'W'
		case 'h', 'y':
			if i == 0 {
				c = 'Y'
			}
		case 'a', 'e', 'i', 'o', 'u':
			if i == 0 {
				c = 'A'
			}
		default:
			c = 'X'
		}
		if c == 0 || (len(out) > 0 && out[len(out)-1] == c) {
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

// latinRules are tried longest first at each place of a romanised name.
var latinRules = []struct{ from, to string }{
	{"tch", "c"}, {"chh", "c"}, {"sch", "s"}, {"ngh", "N"},
	{"ch", "c"}, {"tj", "c"}, {"dj", "c"}, {"jh", "c"}, {"sh", "s"}, {"zh", "z"},
	{"ph", "p"}, {"bh", "b"}, {"th", "t"}, {"dh", "d"}, {"kh", "k"}, {"gh", "g"},
	{"ht", "t"}, {"hp", "p"}, {"hs", "s"}, {"hk", "k"}, {"hl", "l"}, {"hm", "m"}, {"hn", "n"},
	{"ng", "N"}, {"nh", "n"}, {"ck", "k"}, {"qu", "kw"}, {"oo", "u"}, {"ou", "u"}, {"ee", "i"},
	{"aw", "o"}, {"au", "o"}, {"q", "k"}, {"j", "c"}, {"v", "w"},
}

func latinSound(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		rest := s[i:]
		if to, n := latinSpecial(s, i); n > 0 {
			b.WriteString(to)
			i += n
			continue
		}
		done := false
		for _, r := range latinRules {
			if strings.HasPrefix(rest, r.from) {
				b.WriteString(r.to)
				i += len(r.from)
				done = true
				break
			}
		}
		if done {
			continue
		}
		if c := s[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		}
		i++
	}
	return b.String()
}

// latinSpecial handles the letters whose sound hangs on their neighbours.
func latinSpecial(s string, i int) (string, int) {
	next := byte(0)
	if i+1 < len(s) {
		next = s[i+1]
	}
	vowelAt := func(k int) bool { return k < len(s) && k >= 0 && (isVowel(s[k]) || s[k] == 'y') }
	switch s[i] {
	case 'k', 'g': // Burmese Kyaw, Gyi
		if next == 'y' && i+2 < len(s) && isVowel(s[i+2]) {
			return "c", 2
		}
	case 'c':
		if next != 'h' && next != 'k' {
			if next == 'e' || next == 'i' || next == 'y' {
				return "c", 1
			}
			return "k", 1
		}
	case 'x': // Laxmi, but Xay and Somxay
		if vowelAt(i-1) && i+1 < len(s) && !vowelAt(i+1) {
			return "ks", 1
		}
		return "s", 1
	case 'y': // a vowel unless before one
		if !(i+1 < len(s) && isVowel(next)) {
			return "i", 1
		}
	case 'a':
		if next == 'w' || next == 'u' { // aw before a vowel is two sounds
			if i+2 < len(s) && isVowel(s[i+2]) {
				return "a", 1
			}
		}
	case 'n':
		if next == 'g' && i+2 < len(s) && s[i+2] == 'y' { // Ngyen
			return "N", 2
		}
		if next == 'h' && i == 0 {
			return "ny", 2
		}
		if next == 'h' && vowelAt(i+2) && vowelAt(i-1) {
			return "n", 2
		}
	}
	return "", 0
}

// thaiSounds: consonants and vowels of Thai in their initial value.
var thaiSounds = map[rune]string{
	'ก': "k", 'ข': "k", 'ฃ': "k", 'ค': "k", 'ฅ': "k", 'ฆ': "k", 'ง': "N", 'จ': "c", 'ฉ': "c", 'ช': "c",
	'ซ': "s", 'ฌ': "c", 'ญ': "y", 'ฎ': "d", 'ฏ': "t", 'ฐ': "t", 'ฑ': "t", 'ฒ': "t", 'ณ': "n", 'ด': "d",
	'ต': "t", 'ถ': "t", 'ท': "t", 'ธ': "t", 'น': "n", 'บ': "b", 'ป': "p", 'ผ': "p", 'ฝ': "f", 'พ': "p",
	'ฟ': "f", 'ภ': "p", 'ม': "m", 'ย': "y", 'ร': "r", 'ล': "l", 'ว': "w", 'ศ': "s", 'ษ': "s", 'ส': "s",
	'ห': "h", 'ฬ': "l", 'ฮ': "h", 'ฤ': "ri", 'ฦ': "li",
	'ะ': "a", 'ั': "a", 'า': "a", 'ำ': "am", 'ิ': "i", 'ี': "i", 'ึ': "u", 'ื': "u", 'ุ': "u", 'ู': "u",
	'เ': "e", 'แ': "e", 'โ': "o", 'ไ': "ai", 'ใ': "ai", '็': "",
}

func isThaiConsonant(r rune) bool { return r >= 'ก' && r <= 'ฮ' }

func thaiSound(s []rune) string {
	s = killed(s, '์', isThaiConsonant, "ิุีู")
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		r := s[i]
		next := at(s, i+1)
		switch {
		case strings.ContainsRune("เแโไใ", r) && isThaiConsonant(next):
			// written before, spoken after
			j := i + 1
			if next == 'ห' && strings.ContainsRune("งญนมยรลว", at(s, i+2)) && isThaiConsonant(at(s, i+2)) {
				j++
			}
			b.WriteString(thaiConsonant(s, j))
			b.WriteString(thaiSounds[r])
			i = j
		case r == 'ร' && next == 'ร':
			b.WriteString("a")
			if !isThaiConsonant(at(s, i+2)) {
				b.WriteString("n")
			}
			i++
		case r == 'ท' && next == 'ร' && i == 0 && at(s, i+2) != 0:
			b.WriteString("s")
			i++
		case r == 'ห' && strings.ContainsRune("งญนมยรลว", next) && next != 0:
		case isThaiConsonant(r):
			b.WriteString(thaiConsonant(s, i))
		default:
			b.WriteString(thaiSounds[r])
		}
	}
	return b.String()
}

func thaiConsonant(s []rune, i int) string {
	r := s[i]
	last := i == len(s)-1
	switch {
	case r == 'อ':
		if i == 0 || last || isThaiConsonant(s[i-1]) {
			if i > 0 {
				return "o"
			}
			if n := at(s, 1); n == 0 || isThaiConsonant(n) {
				return "o"
			}
		}
		return ""
	case last && i > 0 && strings.ContainsRune("จชซสศษฌ", r):
		return "t"
	case last && i > 0 && strings.ContainsRune("รลฬญ", r):
		return "n"
	}
	return thaiSounds[r]
}

var laoSounds = map[rune]string{
	'ກ': "k", 'ຂ': "k", 'ຄ': "k", 'ງ': "N", 'ຈ': "c", 'ສ': "s", 'ຊ': "s", 'ຍ': "y", 'ດ': "d", 'ຕ': "t",
	'ຖ': "t", 'ທ': "t", 'ນ': "n", 'ບ': "b", 'ປ': "p", 'ຜ': "p", 'ຝ': "f", 'ພ': "p", 'ຟ': "f", 'ມ': "m",
	'ຢ': "y", 'ຣ': "r", 'ລ': "l", 'ວ': "w", 'ຫ': "h", 'ອ': "o", 'ຮ': "h", 'ໜ': "n", 'ໝ': "m", 'ຼ': "l",
	'ະ': "a", 'ັ': "a", 'າ': "a", 'ຳ': "am", 'ິ': "i", 'ີ': "i", 'ຶ': "u", 'ື': "u", 'ຸ': "u", 'ູ': "u",
	'ົ': "o", 'ໍ': "o", 'ຽ': "ia", 'ເ': "e", 'ແ': "e", 'ໂ': "o", 'ໄ': "ai", 'ໃ': "ai",
}

func isLaoConsonant(r rune) bool { return r >= 'ກ' && r <= 'ຮ' || r == 'ໜ' || r == 'ໝ' }

func laoSound(s []rune) string {
	s = killed(s, '໌', isLaoConsonant, "ິຸ")
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		r, next := s[i], at(s, i+1)
		switch {
		case strings.ContainsRune("ເແໂໄໃ", r) && isLaoConsonant(next):
			j := i + 1
			if next == 'ຫ' && (strings.ContainsRune("ງຍນມຣລວ", at(s, j+1)) && at(s, j+1) != 0) {
				j++
			}
			b.WriteString(laoSounds[s[j]])
			b.WriteString(laoSounds[r])
			i = j
		case r == 'ຫ' && next != 0 && strings.ContainsRune("ງຍນມຣລວຼ", next):
		case r == 'ອ' && i == 0 && next != 0 && !isLaoConsonant(next):
		default:
			b.WriteString(laoSounds[r])
		}
	}
	return b.String()
}

// killed removes the letters that a killing mark silences, with a vowel sign
// that stands between.
func killed(s []rune, mark rune, consonant func(rune) bool, signs string) []rune {
	var out []rune
	for _, r := range s {
		if r != mark {
			out = append(out, r)
			continue
		}
		if n := len(out); n > 1 && strings.ContainsRune(signs, out[n-1]) {
			out = out[:n-1]
		}
		if n := len(out); n > 0 && consonant(out[n-1]) {
			out = out[:n-1]
		}
	}
	return out
}

var khmerSounds = map[rune]string{
	'ក': "k", 'ខ': "k", 'គ': "k", 'ឃ': "k", 'ង': "N", 'ច': "c", 'ឆ': "c", 'ជ': "c", 'ឈ': "c", 'ញ': "ny",
	'ដ': "d", 'ឋ': "t", 'ឌ': "d", 'ឍ': "t", 'ណ': "n", 'ត': "t", 'ថ': "t", 'ទ': "t", 'ធ': "t", 'ន': "n",
	'ប': "b", 'ផ': "p", 'ព': "p", 'ភ': "p", 'ម': "m", 'យ': "y", 'រ': "r", 'ល': "l", 'វ': "w", 'ឝ': "s",
	'ឞ': "s", 'ស': "s", 'ហ': "h", 'ឡ': "l", 'អ': "a",
	'ឥ': "i", 'ឦ': "i", 'ឧ': "u", 'ឨ': "u", 'ឩ': "u", 'ឪ': "ou", 'ឫ': "ri", 'ឬ': "ri", 'ឭ': "li", 'ឮ': "li",
	'ឯ': "e", 'ឰ': "ai", 'ឱ': "o", 'ឲ': "o", 'ឳ': "au",
	'ា': "a", 'ិ': "i", 'ី': "i", 'ឹ': "u", 'ឺ': "u", 'ុ': "o", 'ូ': "u", 'ួ': "uo", 'ើ': "e", 'ឿ': "ue",
	'ៀ': "ie", 'េ': "e", 'ែ': "e", 'ៃ': "ei", 'ោ': "o", 'ៅ': "ou", 'ំ': "m", 'ះ': "h", 'ៈ': "a", '័': "a",
}

func isKhmerConsonant(r rune) bool { return r >= 'ក' && r <= 'អ' }

func khmerSound(s []rune) string {
	const under = '្' // the next letter is written below
	// The killing mark silences its letter with all that is written below it.
	var kept []rune
	for _, r := range s {
		if r != '៍' {
			kept = append(kept, r)
			continue
		}
		for n := len(kept); n > 0; n = len(kept) {
			last := kept[n-1]
			kept = kept[:n-1]
			if isKhmerConsonant(last) && at(kept, len(kept)-1) != under {
				break
			}
		}
	}
	s = kept
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		r := s[i]
		next := at(s, i+1)
		if r == under || r == '់' || r == '៌' {
			continue
		}
		final := i > 0 && (i == len(s)-1 || (i == len(s)-2 && next == '់')) && at(s, i-1) != under
		switch {
		case r == 'រ' && final:
		case r == 'ញ' && final:
			b.WriteString("n")
		case r == 'អ' && next != 0 && !isKhmerConsonant(next) && khmerSounds[next] != "" && next != 'ំ':
		case r == 'ហ' && next == under: // ហ្វ and ហ្ស write f and z
			if at(s, i+2) == 'វ' {
				b.WriteString("f")
				i += 2
			} else if at(s, i+2) == 'ស' {
				b.WriteString("z")
				i += 2
			}
		default:
			b.WriteString(khmerSounds[r])
		}
	}
	return b.String()
}

var burmeseSounds = map[rune]string{
	'က': "k", 'ခ': "k", 'ဂ': "g", 'ဃ': "g", 'င': "N", 'စ': "s", 'ဆ': "s", 'ဇ': "z", 'ဈ': "z", 'ဉ': "ny",
	'ည': "ny", 'ဋ': "t", 'ဌ': "t", 'ဍ': "d", 'ဎ': "d", 'ဏ': "n", 'တ': "t", 'ထ': "t", 'ဒ': "d", 'ဓ': "d",
	'န': "n", 'ပ': "p", 'ဖ': "p", 'ဗ': "b", 'ဘ': "b", 'မ': "m", 'ယ': "y", 'ရ': "y", 'လ': "l", 'ဝ': "w",
	'သ': "t", 'ဟ': "h", 'ဠ': "l", 'အ': "a", 'ဿ': "t",
	'ဣ': "i", 'ဤ': "i", 'ဥ': "u", 'ဦ': "u", 'ဧ': "e", 'ဩ': "o", 'ဪ': "o",
	'ာ': "a", 'ါ': "a", 'ိ': "i", 'ီ': "i", 'ု': "u", 'ူ': "u", 'ေ': "e", 'ဲ': "e", 'ံ': "n",
}

func isBurmeseConsonant(r rune) bool { return r >= 'က' && r <= 'အ' }

// burmeseSound reads syllable by syllable: consonant, medials, vowels, and a
// final consonant under asat (်) or over a stacked one (္).
func burmeseSound(s []rune) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r := s[i]
		if !isBurmeseConsonant(r) {
			b.WriteString(burmeseSounds[r])
			i++
			continue
		}
		j := i + 1
		var y, w, h bool
		for ; j < len(s) && strings.ContainsRune("ျြွှ", s[j]); j++ {
			y = y || s[j] == 'ျ' || s[j] == 'ြ'
			w = w || s[j] == 'ွ'
			h = h || s[j] == 'ှ'
		}
		b.WriteString(burmeseInitial(r, y, w, h))
		vowels := ""
		for ; j < len(s) && strings.ContainsRune("ာါိီုူေဲံး့", s[j]); j++ {
			vowels += string(s[j])
		}
		final := rune(0)
		if j < len(s) && s[j] == '်' { // ော် : asat as a tone
			j++
		} else if isBurmeseConsonant(at(s, j)) {
			k := j + 1
			for at(s, k) == '့' {
				k++
			}
			if at(s, k) == '်' || at(s, k) == '္' {
				final = s[j]
				j = k + 1
				if at(s, j) == '္' {
					j++
				}
			}
		}
		for at(s, j) == '့' || at(s, j) == 'း' {
			j++
		}
		b.WriteString(burmeseRhyme(vowels, final))
		i = j
	}
	return b.String()
}

func burmeseInitial(r rune, y, w, h bool) string {
	base := burmeseSounds[r]
	switch {
	case y && (base == "k" || base == "g"):
		base, y = "c", false
	case h && (r == 'ရ' || r == 'ယ' || (r == 'လ' && y)):
		base, y = "s", false
	case r == 'အ':
		base = ""
	}
	if y {
		base += "y"
	}
	if w {
		base += "w"
	}
	return base
}

func burmeseRhyme(vowels string, final rune) string {
	vowels = strings.Trim(vowels, "း့")
	has := func(r rune) bool { return strings.ContainsRune(vowels, r) }
	open := ""
	switch {
	case has('ေ') && (has('ာ') || has('ါ')):
		open = "o"
	case has('ိ') && has('ု'):
		open = "o"
		switch final {
		case 'က':
			return "aik"
		case 'င':
			return "aiN"
		}
	default:
		for _, r := range vowels {
			if r != 'း' && r != '့' {
				open += burmeseSounds[r]
			}
		}
	}
	diphthong := open == "o"
	short := has('ိ') || has('ု')
	switch final {
	case 0:
		if open == "" {
			return "a"
		}
		return open
	case 'က':
		if diphthong {
			return open + "k"
		}
		return "et"
	case 'င':
		if diphthong {
			return open + "N"
		}
		return "in"
	case 'စ':
		return "it"
	case 'ည':
		return "i"
	case 'ယ':
		return "e"
	case 'တ', 'ပ', 'ဒ', 'ဗ', 'သ', 'ဋ', 'ဍ':
		if short {
			return open + "k"
		}
		return "at"
	case 'န', 'မ', 'ဏ', 'ဉ', 'ဥ':
		if final == 'ဉ' && open == "" {
			return "in"
		}
		if open == "" {
			return "an"
		}
		return open + "n"
	case 'ရ', 'လ', 'ဟ', 'ဝ':
		if open == "" {
			return "a"
		}
		return open
	}
	return open
}

// indicTable is one Indic script: consonants carry an a until a sign says
// otherwise.
type indicTable struct {
	consonants map[rune]string
	vowels     map[rune]string // independent letters and signs
	marks      map[rune]string // signs that take no vowel's place
	virama     rune
	nukta      rune
	dotted     map[rune]string // consonant with nukta
	pairs      map[[2]rune]string
}

var devanagari = indicTable{
	consonants: map[rune]string{
		'क': "k", 'ख': "k", 'ग': "g", 'घ': "g", 'ङ': "N", 'च': "c", 'छ': "c", 'ज': "c", 'झ': "c", 'ञ': "ny",
		'ट': "t", 'ठ': "t", 'ड': "d", 'ढ': "d", 'ण': "n", 'त': "t", 'थ': "t", 'द': "d", 'ध': "d", 'न': "n",
		'प': "p", 'फ': "p", 'ब': "b", 'भ': "b", 'म': "m", 'य': "y", 'र': "r", 'ल': "l", 'ळ': "l", 'व': "w",
		'श': "s", 'ष': "s", 'स': "s", 'ह': "h",
	},
	vowels: map[rune]string{
		'अ': "a", 'आ': "a", 'इ': "i", 'ई': "i", 'उ': "u", 'ऊ': "u", 'ऋ': "ri", 'ए': "e", 'ऐ': "ai", 'ओ': "o", 'औ': "au",
		'ा': "a", 'ि': "i", 'ी': "i", 'ु': "u", 'ू': "u", 'ृ': "ri", 'े': "e", 'ै': "ai", 'ो': "o", 'ौ': "au", 'ॉ': "o", 'ऑ': "o",
	},
	marks:  map[rune]string{'ं': "n", 'ँ': "n", 'ः': ""},
	virama: '्', nukta: '़',
	dotted: map[rune]string{'ज': "z", 'फ': "f", 'ड': "r", 'ढ': "r", 'क': "k", 'ख': "k", 'ग': "g", 'य': "y"},
	pairs:  map[[2]rune]string{{'क', 'ष'}: "ks", {'ज', 'ञ'}: "gy"},
}

var bengali = indicTable{
	consonants: map[rune]string{
		'ক': "k", 'খ': "k", 'গ': "g", 'ঘ': "g", 'ঙ': "N", 'চ': "c", 'ছ': "c", 'জ': "c", 'ঝ': "c", 'ঞ': "n",
		'ট': "t", 'ঠ': "t", 'ড': "d", 'ঢ': "d", 'ণ': "n", 'ত': "t", 'থ': "t", 'দ': "d", 'ধ': "d", 'ন': "n",
		'প': "p", 'ফ': "f", 'ব': "b", 'ভ': "b", 'ম': "m", 'য': "c", 'র': "r", 'ল': "l", 'শ': "s", 'ষ': "s",
		'স': "s", 'হ': "h", 'ৎ': "t",
	},
	vowels: map[rune]string{
		'অ': "a", 'আ': "a", 'ই': "i", 'ঈ': "i", 'উ': "u", 'ঊ': "u", 'ঋ': "ri", 'এ': "e", 'ঐ': "oi", 'ও': "o", 'ঔ': "ou",
		'া': "a", 'ি': "i", 'ী': "i", 'ু': "u", 'ূ': "u", 'ৃ': "ri", 'ে': "e", 'ৈ': "oi", 'ো': "o", 'ৌ': "ou",
	},
	marks:  map[rune]string{'ং': "N", 'ঁ': "", 'ঃ': ""},
	virama: '্', nukta: '়',
	dotted: map[rune]string{'য': "y", 'ড': "r", 'ঢ': "r"},
	pairs:  map[[2]rune]string{{'ক', 'ষ'}: "k", {'জ', 'ঞ'}: "gy"},
}

func indicSound(s []rune, t indicTable) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		r := s[i]
		sound, isConsonant := t.consonants[r]
		if !isConsonant {
			if v, ok := t.vowels[r]; ok {
				b.WriteString(v)
			} else {
				b.WriteString(t.marks[r])
			}
			continue
		}
		if at(s, i+1) == t.nukta && t.nukta != 0 {
			if d, ok := t.dotted[r]; ok {
				sound = d
			}
			i++
		}
		if at(s, i+1) == t.virama {
			if p, ok := t.pairs[[2]rune{r, at(s, i+2)}]; ok {
				sound = p
				i += 2
			} else if r != 'য' && at(s, i+2) == 'য' { // Bengali ya-phala is hardly heard
				i += 2
			}
		}
		b.WriteString(sound)
		next := at(s, i+1)
		_, nextVowel := t.vowels[next]
		if next == t.virama {
			i++
			continue
		}
		if next != 0 && !(nextVowel && unicode.IsMark(next)) {
			b.WriteString("a") // the vowel a consonant carries, silent at the end
		}
	}
	return b.String()
}

func at(s []rune, i int) rune {
	if i < 0 || i >= len(s) {
		return 0
	}
	return s[i]
}
