package register

// What people read: labels of variables and of codes that stand in no code
// list, in the languages that content has. English stands in register.yaml.

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yesAndNo is the few words that content does not keep.
var yesAndNo = map[string]map[string]string{
	"vi": {"true": "Có", "false": "Không", "minor": "Trẻ em", "adult": "Người lớn"},
	"km": {"true": "បាទ/ចាស", "false": "ទេ"},
}

// readLabels reads labels/<language>.yaml, where content has such files.
func (d *Definition) readLabels(content fs.FS) error {
	names, err := fs.Glob(content, "labels/*.yaml")
	if err != nil {
		return err
	}
	for _, name := range names {
		raw, err := fs.ReadFile(content, name)
		if err != nil {
			return fmt.Errorf("reading labels: %w", err)
		}
		var file struct {
			Variables map[string]string `yaml:"variables"`
			States    map[string]struct {
				Label string `yaml:"label"`
			} `yaml:"states"`
		}
		if err := yaml.Unmarshal(raw, &file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		lang := strings.TrimSuffix(path.Base(name), ".yaml")
		for i := range d.Variables {
			v := &d.Variables[i]
			if text, ok := file.Variables[v.ID]; ok {
				v.say(lang, "", text)
			}
			for _, c := range v.Codes {
				if state, ok := file.States[c.Code]; ok && v.Derive == CaseState && state.Label != "" {
					v.say(lang, c.Code, state.Label)
				}
			}
		}
	}
	for lang, words := range yesAndNo {
		for i := range d.Variables {
			for code, text := range words {
				if v := &d.Variables[i]; v.List == "" && v.Kind == KindList && v.Allows(code) {
					v.say(lang, code, text)
				}
			}
		}
	}
	return nil
}

// say keeps a label; of the variable itself when there is no code.
func (v *Variable) say(lang, code, text string) {
	if code == "" {
		if v.labels == nil {
			v.labels = map[string]string{}
		}
		v.labels[lang] = text
		return
	}
	if v.words == nil {
		v.words = map[string]map[string]string{}
	}
	if v.words[lang] == nil {
		v.words[lang] = map[string]string{}
	}
	v.words[lang][code] = text
}

// readPlaces gives the place codes their names, from places.csv.
func (d *Definition) readPlaces(content fs.FS) error {
	file, err := content.Open("places.csv")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading places: %w", err)
	}
	defer file.Close()
	raw, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("reading places: %w", err)
	}
	in := csv.NewReader(bytes.NewReader(raw))
	in.Comment = '#'
	lines, err := in.ReadAll()
	if err != nil || len(lines) == 0 {
		return fmt.Errorf("places.csv: %w", err)
	}
	code, name := slices.Index(lines[0], "code"), slices.Index(lines[0], "name")
	if code < 0 || name < 0 {
		return errors.New("places.csv: needs the columns code and name")
	}
	for i := range d.Variables {
		if v := &d.Variables[i]; v.Kind == KindPcode {
			for _, line := range lines[1:] {
				v.say("", line[code], line[name])
			}
		}
	}
	return nil
}
