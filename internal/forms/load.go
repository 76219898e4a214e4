package forms

// Loading: all content files in, a Library and a list of faults out. A library
// that comes with faults is for looking at, not for work.

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
)

// Option changes what Load checks.
type Option func(*builder)

// WithFacts makes every fact that is not in the set a fault.
func WithFacts(names map[string]bool) Option { return func(b *builder) { b.facts = names } }

// WithFormKinds makes every stream that is not in the set a fault; without it
// the streams of the program's own work are accepted.
func WithFormKinds(streams map[string]bool) Option { return func(b *builder) { b.streams = streams } }

// builder gathers the library and its faults while loading.
type builder struct {
	lib     *Library
	faults  []Fault
	facts   map[string]bool
	streams map[string]bool
}

func (b *builder) fault(file string, line int, field, format string, args ...any) {
	b.faults = append(b.faults, Fault{File: file, Line: line, Field: field, Message: fmt.Sprintf(format, args...)})
}

// Load reads forms/, codelists/ and lang/ of a content folder. Faults come in
// order of file and line; the library holds what could be read.
func Load(fsys fs.FS, options ...Option) (*Library, []Fault) {
	b := &builder{
		lib:     &Library{byForm: map[string]*Form{}, lists: map[string]*List{}, byLang: map[string]*catalogue{}},
		streams: keySet("case contact report activity consultation commitment grant supervision"),
	}
	for _, o := range options {
		o(b)
	}
	b.each(fsys, "codelists", func(r *reader, data []byte, id string) {
		if l := readList(r, data, id); l != nil {
			l.lib = b.lib
			b.lib.lists[l.ID] = l
			b.lib.listOrder = append(b.lib.listOrder, l)
		}
	})
	b.each(fsys, "forms", func(r *reader, data []byte, id string) {
		if f := readForm(r, data, id, b); f != nil {
			b.lib.forms = append(b.lib.forms, f)
			b.lib.byForm[f.ID] = f
		}
	})
	b.each(fsys, "lang", func(r *reader, data []byte, id string) {
		if c := readCatalogue(r, data, id); c != nil {
			b.lib.languages = append(b.lib.languages, c)
		}
	})
	for _, f := range b.lib.forms {
		b.link(f)
	}
	b.lib.linkCatalogues(b)
	sort.SliceStable(b.faults, func(i, j int) bool {
		if b.faults[i].File != b.faults[j].File {
			return b.faults[i].File < b.faults[j].File
		}
		return b.faults[i].Line < b.faults[j].Line
	})
	return b.lib, b.faults
}

// each reads every .yaml file of a folder, in order of their names.
func (b *builder) each(fsys fs.FS, dir string, read func(r *reader, data []byte, id string)) {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		b.fault(dir, 0, "", "cannot be read: %v", err)
		return
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		id, isYAML := strings.CutSuffix(e.Name(), ".yaml")
		if e.IsDir() || !isYAML {
			b.fault(name, 0, "", "only files ending in .yaml belong here")
			continue
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			b.fault(name, 0, "", "cannot be read: %v", err)
			continue
		}
		r := &reader{file: name}
		read(r, data, id)
		b.faults = append(b.faults, r.faults...)
	}
}

// Summary is one line about loaded content: forms, lists, the number of faults.
func Summary(l *Library, faults int) string {
	helpers := 0
	for _, list := range l.listOrder {
		if list.Helper {
			helpers++
		}
	}
	more := ""
	if helpers > 0 {
		more = fmt.Sprintf(" (+%d helper lists)", helpers)
	}
	return fmt.Sprintf("%d forms, %d code lists%s, %d faults", len(l.forms), len(l.listOrder)-helpers, more, faults)
}
