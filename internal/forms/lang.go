package forms

// Languages: the catalogues of labels, and how a label is found. English
// stands in the forms and lists themselves; a catalogue gives another
// language, and what it lacks falls back to English.

import (
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// English is the language of the content files themselves.
const English = "en"

// catalogue is one file of lang/.
type catalogue struct {
	code, status string
	texts        map[string]string // by textKey
	entries      []catalogueEntry  // in order of the file, for checks
	messages     map[string]string
	file         string
	translated   int
}

type catalogueEntry struct {
	key        textKey
	line       int
	owner      string
	formID     string
	field      string
	list, code string
	what       string
}

// textKey names one text: owner, then what of it.
type textKey = string

func formKey(form, what string) textKey { return "f\x00" + form + "\x00\x00" + what }
func fieldKey(form, field, what string) textKey {
	return "f\x00" + form + "\x00" + field + "\x00" + what
}
func listKey(list string) textKey       { return "l\x00" + list }
func codeKey(list, code string) textKey { return "c\x00" + list + "\x00" + code }

var (
	langKeys      = keySet("language status forms lists messages")
	langFormKeys  = keySet("title when deadline filled_by_note rules fields")
	langFieldKeys = keySet("label hint constraint_message required_message choices rows")
	langListKeys  = keySet("name codes")
	langStatus    = map[string]bool{"drafted": true, "reviewed by a native speaker": true}
)

// readCatalogue reads one file of lang/.
func readCatalogue(r *reader, data []byte, id string) *catalogue {
	root := r.document(data)
	if root == nil {
		return nil
	}
	k := r.mapping(root, id, langKeys)
	c := &catalogue{code: r.text(k["language"], id), status: r.text(k["status"], id), file: r.file,
		texts: map[string]string{}, messages: map[string]string{}}
	if c.code != id {
		r.fault(line(k["language"]), id, "language must be %q, as the file is named", id)
		c.code = id
	}
	if !langStatus[c.status] {
		r.fault(line(k["status"]), id, "status must be drafted, or reviewed by a native speaker")
	}
	c.readMessages(r, k["messages"])
	for formID, n := range ordered(r, k["forms"], "forms") {
		c.readForm(r, formID, n)
	}
	for listID, n := range ordered(r, k["lists"], "lists") {
		at := "lists." + listID
		lk := r.mapping(n, at, langListKeys)
		c.add(r, lk["name"], catalogueEntry{key: listKey(listID), owner: at, list: listID, what: "name"})
		c.readCodes(r, lk["codes"], listID, catalogueEntry{owner: at, list: listID})
	}
	return c
}

// ordered gives the entries of a mapping in the order of the file.
func ordered(r *reader, n *yaml.Node, at string) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		k := r.mapping(n, at, nil)
		if k == nil {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i]; k[key.Value] == n.Content[i+1] && !yield(key.Value, n.Content[i+1]) {
				return
			}
		}
	}
}

func (c *catalogue) readMessages(r *reader, n *yaml.Node) {
	for code, v := range ordered(r, n, "messages") {
		if _, ok := messagesEnglish[code]; !ok {
			r.fault(v.Line, "messages", "there is no message %q", code)
			continue
		}
		c.messages[code] = r.text(v, "messages")
	}
}

func (c *catalogue) readForm(r *reader, formID string, n *yaml.Node) {
	k := r.mapping(n, formID, langFormKeys)
	for _, what := range []string{"title", "when", "deadline", "filled_by_note"} {
		c.add(r, k[what], catalogueEntry{key: formKey(formID, what), owner: formID, formID: formID, what: what})
	}
	for i, rule := range r.texts(k["rules"], formID) {
		c.put(rule, catalogueEntry{key: formKey(formID, ruleKey(i)), line: k["rules"].Line, owner: formID, formID: formID, what: "rules"})
	}
	for field, fn := range ordered(r, k["fields"], formID) {
		at := formID + "." + field
		fk := r.mapping(fn, at, langFieldKeys)
		for _, what := range []string{"label", "hint", "constraint_message", "required_message"} {
			c.add(r, fk[what], catalogueEntry{key: fieldKey(formID, field, what), owner: at, formID: formID, field: field, what: what})
		}
		c.readCodes(r, fk["choices"], at, catalogueEntry{owner: at, formID: formID, field: field, what: "choices"})
		c.readCodes(r, fk["rows"], at+":rows", catalogueEntry{owner: at, formID: formID, field: field, what: "rows"})
	}
}

func ruleKey(i int) string { return "rule" + formatNumber(float64(i)) }

func (c *catalogue) readCodes(r *reader, n *yaml.Node, listID string, e catalogueEntry) {
	for code, v := range ordered(r, n, e.owner) {
		e.key, e.code = codeKey(listID, code), code
		c.add(r, v, e)
	}
}

func (c *catalogue) add(r *reader, n *yaml.Node, e catalogueEntry) {
	if n == nil {
		return
	}
	e.line = n.Line
	c.put(r.text(n, e.owner), e)
}

func (c *catalogue) put(text string, e catalogueEntry) {
	if text == "" {
		return
	}
	c.texts[e.key] = text
	c.entries = append(c.entries, e)
}

// Language says how far a language is.
type Language struct {
	Code       string
	Status     string // drafted | reviewed by a native speaker; "" for English
	Texts      int    // texts the content has
	Translated int    // of which the catalogue has
}

// Languages gives English and then every catalogue, by code.
func (l *Library) Languages() []Language {
	total := l.countTexts()
	out := []Language{{Code: English, Texts: total, Translated: total}}
	for _, c := range l.languages {
		out = append(out, Language{Code: c.code, Status: c.status, Texts: total, Translated: c.translated})
	}
	return out
}

// find looks a text up in a language ("vi", also for "vi-VN").
func (l *Library) find(lang string, key textKey) (string, bool) {
	if l == nil {
		return "", false
	}
	c := l.byLang[lang]
	if c == nil {
		base, _, _ := strings.Cut(lang, "-")
		if c = l.byLang[base]; c == nil {
			return "", false
		}
	}
	t, ok := c.texts[key]
	return t, ok
}

func (l *Library) label(lang string, key textKey, english string) string {
	if lang != English && lang != "" {
		if t, ok := l.find(lang, key); ok {
			return t
		}
	}
	return english
}

// Title is the form's name in the language.
func (f *Form) Title(lang string) string {
	return f.lib.label(lang, formKey(f.ID, "title"), f.title)
}

// When says in words when the form is filled in.
func (f *Form) When(lang string) string { return f.lib.label(lang, formKey(f.ID, "when"), f.when) }

// Deadline says in words until when; the machine-read clocks stand elsewhere.
func (f *Form) Deadline(lang string) string {
	return f.lib.label(lang, formKey(f.ID, "deadline"), f.deadline)
}

// FilledByNote says in words who fills it in.
func (f *Form) FilledByNote(lang string) string {
	return f.lib.label(lang, formKey(f.ID, "filled_by_note"), f.filledByNote)
}

// Rules are the practitioners' rules in words.
func (f *Form) Rules(lang string) []string {
	out := make([]string, len(f.rules))
	for i, rule := range f.rules {
		out[i] = f.lib.label(lang, formKey(f.ID, ruleKey(i)), rule)
	}
	return out
}

func (f *Field) text(lang, what, english string) string {
	return f.form.lib.label(lang, fieldKey(f.form.ID, f.Path, what), english)
}

// Label is the question in the language.
func (f *Field) Label(lang string) string { return f.text(lang, "label", f.label) }

// Hint is the help under the question, or "".
func (f *Field) Hint(lang string) string { return f.text(lang, "hint", f.hint) }

// ConstraintMessage says what the constraint asks for, or "".
func (f *Field) ConstraintMessage(lang string) string {
	return f.text(lang, "constraint_message", f.constraintMessage)
}

// RequiredMessage says why an answer is needed, or "".
func (f *Field) RequiredMessage(lang string) string {
	return f.text(lang, "required_message", f.requiredMessage)
}

// Name is the list's name in the language.
func (l *List) Name(lang string) string { return l.lib.label(lang, listKey(l.ID), l.name) }

// Label is the code's label in the language.
func (c *Code) Label(lang string) string {
	return c.list.lib.label(lang, codeKey(c.list.ID, c.Code), c.label)
}

// Label is the label of a code, or the code itself if the list does not have it.
func (l *List) Label(lang, code string) string {
	if c := l.Code(code); c != nil {
		return c.Label(lang)
	}
	return code
}

// eachText visits every English text of the content that can be translated.
func (l *Library) eachText(visit func(key textKey)) {
	some := func(key textKey, text string) {
		if text != "" {
			visit(key)
		}
	}
	for _, f := range l.forms {
		some(formKey(f.ID, "title"), f.title)
		for _, field := range f.all {
			some(fieldKey(f.ID, field.Path, "label"), field.label)
			some(fieldKey(f.ID, field.Path, "hint"), field.hint)
			some(fieldKey(f.ID, field.Path, "constraint_message"), field.constraintMessage)
			some(fieldKey(f.ID, field.Path, "required_message"), field.requiredMessage)
		}
	}
	for _, list := range l.lists {
		if list.form == "" {
			some(listKey(list.ID), list.name)
		}
		for _, c := range list.Codes {
			some(codeKey(list.ID, c.Code), c.label)
		}
	}
}

func (l *Library) countTexts() int {
	n := 0
	l.eachText(func(textKey) { n++ })
	return n
}

// linkCatalogues refuses entries for what does not exist and counts coverage.
func (l *Library) linkCatalogues(b *builder) {
	sort.Slice(l.languages, func(i, j int) bool { return l.languages[i].code < l.languages[j].code })
	known := map[textKey]bool{}
	l.eachText(func(k textKey) { known[k] = true })
	for _, c := range l.languages {
		l.byLang[c.code] = c
		for k := range c.texts {
			if known[k] {
				c.translated++
			}
		}
		for _, e := range c.entries {
			if m := l.unknownEntry(e); m != "" {
				b.fault(c.file, e.line, e.owner, "%s", m)
			}
		}
	}
}

// unknownEntry says what an entry translates that is not there, or "".
func (l *Library) unknownEntry(e catalogueEntry) string {
	if e.list != "" {
		list, ok := l.lists[e.list]
		switch {
		case !ok:
			return "there is no code list of this name"
		case e.code != "" && list.Code(e.code) == nil:
			return "the list has no code \"" + e.code + "\""
		}
		return ""
	}
	form, ok := l.byForm[e.formID]
	if !ok {
		return "there is no form of this name"
	}
	if e.field == "" {
		return ""
	}
	field, ok := form.byPath[e.field]
	if !ok {
		return "the form has no such field"
	}
	list := field.List
	if e.what == "rows" {
		list = field.Rows
	}
	switch {
	case e.code == "":
		return ""
	case list == nil || list.form == "":
		return "the field has no inline " + e.what
	case list.Code(e.code) == nil:
		return "the field has no code \"" + e.code + "\" among its " + e.what
	}
	return ""
}
