package names

// Keys of a name that survive another spelling, script or order of its parts,
// for comparing names that must not be seen (package linkage).

import (
	"slices"
	"strings"
)

// WholeKey is the run of consonant classes of a name without its common parts
// (Thi, Md, Ma …), read as a ring and begun at its smallest turn: the order of
// the parts does not matter, nor whether there are spaces between them. It is
// empty for a name without letters.
func WholeKey(name string) string {
	var ring []byte
	for _, w := range telling(name) {
		for i := range len(w.bones) {
			c := w.bones[i]
			if c == 'A' || c == 'Y' || len(ring) > 0 && ring[len(ring)-1] == c {
				continue // a vowel or a breath in front is heard only where a word begins
			}
			ring = append(ring, c)
		}
	}
	for len(ring) > 1 && ring[0] == ring[len(ring)-1] {
		ring = ring[:len(ring)-1]
	}
	return smallestTurn(string(ring))
}

// PartKeys are the runs of consonant classes of a name's parts, without common
// ones and those too short to tell anything, each once.
func PartKeys(name string) []string {
	var out []string
	seen := map[string]bool{}
	for _, w := range telling(name) {
		if len(w.bones) > 1 && !seen[w.bones] {
			seen[w.bones] = true
			out = append(out, w.bones)
		}
	}
	return out
}

// LatinKey is how a name in Latin letters sounds, vowels too, its parts in
// alphabetical order: the same for spellings that differ in marks, order, and
// letters that are written for each other (ph and f, ou and u, d and t). It is
// empty for a name in another script.
func LatinKey(name string) string {
	var parts []string
	for _, w := range words(name) {
		if w.script != Latin {
			return ""
		}
		parts = append(parts, strings.Map(rough, w.sound))
	}
	return strings.Join(slices.Sorted(slices.Values(parts)), " ")
}

// rough joins consonants that romanisations write for each other; vowels stay.
func rough(r rune) rune {
	switch r {
	case 'b', 'f':
		return 'p'
	case 'd':
		return 't'
	case 'g':
		return 'k'
	case 'z', 'c':
		return 's'
	case 'N':
		return 'n'
	}
	return r
}

// telling gives the parts of a name that are not common, or all when all are.
func telling(name string) []word {
	all := words(name)
	var out []word
	for _, w := range all {
		if !common[w.text] && !isInitial(&w) {
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// smallestTurn gives the turn of a ring that stands first in the alphabet.
func smallestTurn(ring string) string {
	best := ring
	for i := 1; i < len(ring); i++ {
		if turn := ring[i:] + ring[:i]; turn < best {
			best = turn
		}
	}
	return best
}
