package casework

// The words of states, moves and clocks in the reader's language. Rules and
// projections hold the English text; catalogues under content/labels give the
// others, and what they lack stays English.

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// labels is one catalogue of content/labels.
type labels struct {
	States    map[string]struct{ Label string }
	Approvals map[string]string
	Moves     map[string]struct {
		Label   string
		Missing []string
	}
	Clocks map[string]string
	Words  map[string]string // the program's own sentences, by the English one; # stands for a number
}

// loadWords reads content/labels. A content folder without it speaks English.
func (r *Rules) loadWords(fsys fs.FS) error {
	r.words = map[string]map[string]string{}
	files, err := fs.Glob(fsys, "labels/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
		var l labels
		if err := yaml.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
		r.words[strings.TrimSuffix(path.Base(file), ".yaml")] = r.wordsOf(l)
	}
	return nil
}

func (r *Rules) wordsOf(l labels) map[string]string {
	out := map[string]string{}
	for english, text := range l.Words {
		out[english] = text
	}
	for _, s := range r.States {
		out[s.Label] = l.States[s.ID].Label
	}
	for _, a := range r.Approvals {
		out[a.Label] = l.Approvals[a.Form]
		for _, sentence := range []func(string) string{approvalAsked, approvalReturned} {
			if general := l.Words[sentence("…")]; general != "" && out[a.Label] != "" {
				out[sentence(a.Label)] = strings.ReplaceAll(general, "…", out[a.Label])
			}
		}
	}
	for _, m := range r.Moves {
		words := l.Moves[m.ID]
		out[m.Label] = words.Label
		for i, n := range m.Needs {
			if i < len(words.Missing) {
				out[n.Missing] = words.Missing[i]
			}
		}
	}
	for _, k := range r.Clocks {
		out[k.Label] = l.Clocks[k.ID]
	}
	return out
}

// What a task about an approval is called; in a catalogue … stands for the
// approval's own label.
func approvalAsked(label string) string    { return "Approval: " + label }
func approvalReturned(label string) string { return label + " was sent back: change it" }

var digits = regexp.MustCompile(`[0-9]+`)

// say gives an English text of the rules or of the program in a language,
// English where there is no other.
func (r *Rules) say(english, lang string) string {
	if text := r.words[lang][english]; text != "" {
		return text
	}
	numbers := digits.FindAllString(english, -1)
	text := r.words[lang][digits.ReplaceAllString(english, "#")]
	if len(numbers) == 0 || text == "" {
		return english
	}
	for _, n := range numbers {
		text = strings.Replace(text, "#", n, 1)
	}
	return text
}

// Say gives one of the program's own sentences in a language; English where
// there is no other.
func (s *Service) Say(lang, english string) string { return s.rules.say(english, lang) }

// inWords says the problems of refused entries in their writer's language.
func (s *Service) inWords(r Reader, results []Result, err error) ([]Result, error) {
	for i := range results {
		for j := range results[i].Problems {
			p := &results[i].Problems[j]
			p.Message = s.rules.say(p.Message, r.Lang)
		}
	}
	return results, err
}
