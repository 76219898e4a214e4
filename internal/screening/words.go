package screening

// The instrument's words in other languages (labels/vi.yaml, under
// instruments), and the instrument as the browser gets it.

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// words is one instrument in one language; what is missing stays English.
type words struct {
	Title      string                                    `yaml:"title"`
	Classes    map[string]struct{ Label, Advice string } `yaml:"classes"`
	Rules      map[string]string                         `yaml:"rules"`
	Dimensions map[string]string                         `yaml:"dimensions"`
}

func (s *Set) loadWords(fsys fs.FS) (faults []Fault) {
	files, err := fs.Glob(fsys, "labels/*.yaml")
	if err != nil || len(s.list) == 0 {
		return nil
	}
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			return append(faults, Fault{File: file, Message: "cannot be read"})
		}
		var catalogue struct {
			Instruments map[string]words `yaml:"instruments"`
		}
		if err := yaml.Unmarshal(data, &catalogue); err != nil {
			faults = append(faults, Fault{File: file, Line: lineIn(err), Field: "instruments", Message: "not readable: " + strings.TrimPrefix(err.Error(), "yaml: ")})
			continue
		}
		for id, w := range catalogue.Instruments {
			in := s.all[id]
			if in == nil {
				faults = append(faults, Fault{File: file, Field: "instruments." + id, Message: "there is no such instrument"})
				continue
			}
			in.words[strings.TrimSuffix(path.Base(file), ".yaml")] = w
			faults = append(faults, in.strangeWords(file, w)...)
		}
	}
	return faults
}

// strangeWords finds translations of what does not exist.
func (in *Instrument) strangeWords(file string, w words) (faults []Fault) {
	strange := func(kind, id string) {
		faults = append(faults, Fault{File: file, Field: fmt.Sprintf("instruments.%s.%s.%s", in.ID, kind, id), Message: "there is nothing of this name to translate"})
	}
	for id := range w.Classes {
		if _, ok := in.rank[id]; !ok {
			strange("classes", id)
		}
	}
	rules, dimensions := map[string]bool{}, map[string]bool{}
	for _, r := range in.Rules {
		rules[r.ID] = true
	}
	for _, d := range in.Dimensions {
		dimensions[d.ID] = true
	}
	for id := range w.Rules {
		if !rules[id] {
			strange("rules", id)
		}
	}
	for id := range w.Dimensions {
		if !dimensions[id] {
			strange("dimensions", id)
		}
	}
	return faults
}

// ClassLabel is a class in a language; its id when it is unknown.
func (in *Instrument) ClassLabel(id, lang string) string {
	for _, c := range in.Classes {
		if c.ID == id {
			return cmp.Or(in.words[lang].Classes[id].Label, c.Label)
		}
	}
	return id
}

// DimensionName is a dimension in a language.
func (in *Instrument) DimensionName(id, lang string) string {
	for _, d := range in.Dimensions {
		if d.ID == id {
			return cmp.Or(in.words[lang].Dimensions[id], d.Name)
		}
	}
	return id
}

// Description is an instrument in one language, with all that is needed to
// evaluate it.
type Description struct {
	ID         string      `json:"id"`
	Lang       string      `json:"lang"`
	Title      string      `json:"title"`
	Status     string      `json:"status,omitempty" doc:"unverified until it was read against its source"`
	Source     string      `json:"source"`
	Note       string      `json:"note,omitempty"`
	Indicators string      `json:"indicators" doc:"Code list with the words of the indicators"`
	Profiles   []Profile   `json:"profiles"`
	Positive   []Threshold `json:"positive"`
	Unknown    Unknown     `json:"unknown"`
	Brief      Brief       `json:"brief"`
	Classes    []Class     `json:"classes" doc:"The gravest first"`
	Rules      []Rule      `json:"rules" doc:"The first that fits decides"`
	Dimensions []Dimension `json:"dimensions"`
}

// Describe gives the instrument in a language; English stands in.
func (in *Instrument) Describe(lang string) Description {
	w := in.words[lang]
	d := Description{ID: in.ID, Lang: lang, Title: cmp.Or(w.Title, in.Title), Status: in.Status, Source: in.Source, Note: in.Note,
		Indicators: in.Indicators, Profiles: in.Profiles, Brief: in.Brief, Positive: in.Positive, Unknown: in.Unknown}
	for _, c := range in.Classes {
		c.Label, c.Advice = cmp.Or(w.Classes[c.ID].Label, c.Label), cmp.Or(w.Classes[c.ID].Advice, c.Advice)
		d.Classes = append(d.Classes, c)
	}
	for _, r := range in.Rules {
		r.Text = cmp.Or(w.Rules[r.ID], r.Text)
		d.Rules = append(d.Rules, r)
	}
	for _, m := range in.Dimensions {
		m.Name = cmp.Or(w.Dimensions[m.ID], m.Name)
		d.Dimensions = append(d.Dimensions, m)
	}
	return d
}
