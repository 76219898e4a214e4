package linkage

// Same, likely or not: the rule, in one place. `banyan bench linkage` measures
// it; docs/linkage.md argues it.

import "slices"

// Verdict is how likely two registrations are about one person.
type Verdict string

// The verdicts, in the order of strength.
const (
	No     Verdict = ""
	Likely Verdict = "likely"
	Same   Verdict = "same"
)

// Evidence is what two persons' tokens say of each other, by kind.
type Evidence struct {
	Shared []Kind // both have the same token of it
	Both   []Kind // both have tokens of it, the same or not
}

// Verdict is the rule. One shared token makes a pair likely, unless it is the
// whole name's consonants with the year and nothing else: of a thousand such
// pairs hardly one is one child. Same asks for three things:
//
//   - the whole name with something of the person's own beside it: date of birth;
//     or birth year with district, with province and mother, or the phone;
//   - the same Latin letters, since Lan and Linh, who may be sisters, have the
//     same consonants; where one of the two was never written in Latin letters,
//     the date of birth together with another of these;
//   - that neither the dates of birth nor the mothers' names are at odds.
func (e Evidence) Verdict() Verdict {
	if len(e.Shared) == 0 || len(e.Shared) == 1 && e.shares(NameYear) {
		return No
	}
	if e.odds(NameBirthday) || e.odds(NameMother) {
		return Likely
	}
	born, letters := e.shares(NameBirthday), e.shares(Letters)
	beside := e.shares(NameHome) || e.shares(NameMother) || e.shares(NamePhone)
	unwritten := !slices.Contains(e.Both, Letters)
	if letters && (born || beside) || unwritten && born && beside {
		return Same
	}
	return Likely
}

func (e Evidence) shares(k Kind) bool { return slices.Contains(e.Shared, k) }

// odds reports that both have tokens of a kind and none in common.
func (e Evidence) odds(k Kind) bool { return slices.Contains(e.Both, k) && !e.shares(k) }

// Weigh gathers the evidence of two lists of tokens.
func Weigh(a, b []Token) (e Evidence) {
	texts, kinds := make(map[string]bool, len(a)), map[Kind]bool{}
	for _, t := range a {
		texts[t.Text], kinds[t.Kind] = true, true
	}
	for _, t := range b {
		if texts[t.Text] && !e.shares(t.Kind) {
			e.Shared = append(e.Shared, t.Kind)
		}
		if kinds[t.Kind] && !slices.Contains(e.Both, t.Kind) {
			e.Both = append(e.Both, t.Kind)
		}
	}
	return e
}
