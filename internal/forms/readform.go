package forms

// Reading one form file into fields. What needs the other files (lists,
// references between fields) is checked afterwards, in link.go.

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	formKeys = keySet(`form version title stream single filled_by filled_by_note when deadline approval
		approval_field confidence status source note rules fields`)
	fieldKeys = keySet(`name type label hint choices tier required relevant constraint constraint_message
		required_message calculation choice_filter default known_from fact htcds fields rows rows_required
		columns multiple max_rows max_length max_items appearance note source confidence status`)
	roles = keySet(`screener case_worker supervisor counsellor lawyer programme_manager statistician
		administrator auditor public`)
	formShape        = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)
	expressionKeys   = []string{"relevant", "constraint", "calculation", "choice_filter"}
	defaultIsFormula = regexp.MustCompile(`^[a-z][a-z0-9:-]*\(.*\)$|\$\{`)
)

const maxFieldDepth = 5

// readForm reads one file of forms/.
func readForm(r *reader, data []byte, id string, b *builder) *Form {
	root := r.document(data)
	if root == nil {
		return nil
	}
	k := r.mapping(root, id, formKeys)
	f := &Form{
		ID: r.text(k["form"], id), Version: r.whole(k["version"], id, 1, 1<<30), Stream: r.text(k["stream"], id),
		Single: r.boolean(k["single"], id), FilledBy: r.texts(k["filled_by"], id),
		Approval: r.text(k["approval"], id), ApprovalField: r.text(k["approval_field"], id),
		Confidence: r.text(k["confidence"], id), Status: r.text(k["status"], id), Source: r.text(k["source"], id),
		title: r.text(k["title"], id), when: r.text(k["when"], id), deadline: r.text(k["deadline"], id),
		filledByNote: r.text(k["filled_by_note"], id), rules: r.texts(k["rules"], id),
		lib: b.lib, byPath: map[string]*Field{}, file: r.file, line: root.Line,
		descriptions: map[string]*Description{},
	}
	f.checkHead(r, k, id, b)
	f.Fields = f.readFields(r, k["fields"], nil, 1)
	if len(f.Fields) == 0 && k["fields"] == nil {
		r.fault(root.Line, id, "fields are missing")
	}
	return f
}

func (f *Form) checkHead(r *reader, k keys, id string, b *builder) {
	if f.ID != id {
		r.fault(line(k["form"]), id, "form must be %q, as the file is named", id)
		f.ID = id
	}
	if !formShape.MatchString(id) {
		r.fault(f.line, id, "a form's name must be letters, digits and _")
	}
	if k["version"] == nil {
		r.fault(f.line, id, "version is missing")
	}
	if f.title == "" {
		r.fault(f.line, id, "title is missing")
	}
	if !b.streams[f.Stream] {
		r.fault(line(k["stream"]), id, "unknown stream %q", f.Stream)
	}
	if len(f.FilledBy) == 0 {
		r.fault(f.line, id, "filled_by is missing")
	}
	for _, role := range f.FilledBy {
		if !roles[role] {
			r.fault(line(k["filled_by"]), id, "unknown role %q in filled_by", role)
		}
	}
	if f.Approval != "" && !roles[f.Approval] {
		r.fault(line(k["approval"]), id, "unknown role %q in approval", f.Approval)
	}
	if !confidence[f.Confidence] {
		r.fault(line(k["confidence"]), id, "confidence must be V, K or P")
	}
}

func (f *Form) readFields(r *reader, n *yaml.Node, parent *Field, depth int) []*Field {
	if n == nil {
		return nil
	}
	at := f.ID
	if parent != nil {
		at += "." + parent.Path
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.fault(n.Line, at, "must be a list of fields")
		return nil
	}
	if depth > maxFieldDepth {
		r.fault(n.Line, at, "fields nest deeper than %d", maxFieldDepth)
		return nil
	}
	var out []*Field
	for _, c := range n.Content {
		if field := f.readField(r, c, parent, depth); field != nil {
			out = append(out, field)
		}
	}
	return out
}

func (f *Form) readField(r *reader, n *yaml.Node, parent *Field, depth int) *Field {
	at := f.ID
	if parent != nil {
		at += "." + parent.Path
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n.Line, at, "a field must be a mapping")
		return nil
	}
	name := fieldName(n)
	if name != "" {
		at += "." + name
	}
	k := r.mapping(n, at, fieldKeys)
	if !nameShape.MatchString(name) {
		r.fault(n.Line, at, "name must be 1 to 64 of a–z 0–9 _ and start with a letter")
		return nil
	}
	field := &Field{
		Name: name, Path: name, Type: Type(r.text(k["type"], at)), Tier: Tier(r.text(k["tier"], at)), Parent: parent,
		Multiple: r.boolean(k["multiple"], at), KnownFrom: r.texts(k["known_from"], at), Fact: r.text(k["fact"], at),
		HTCDS: r.text(k["htcds"], at), MaxRows: r.whole(k["max_rows"], at, 1, 1000),
		MaxLength: r.whole(k["max_length"], at, 1, MaxLongText), MaxItems: r.whole(k["max_items"], at, 1, 1000),
		Appearance: r.text(k["appearance"], at), Confidence: r.text(k["confidence"], at), Status: r.text(k["status"], at),
		label: r.text(k["label"], at), hint: r.text(k["hint"], at),
		constraintMessage: r.text(k["constraint_message"], at), requiredMessage: r.text(k["required_message"], at),
		form: f, line: n.Line, lines: map[string]int{}, exprText: map[string]string{}, index: len(f.all),
	}
	if parent != nil {
		field.Path = parent.Path + "." + name
		field.containers = append(parent.containers[:len(parent.containers):len(parent.containers)], parent)
	}
	for key, v := range k {
		field.lines[key] = v.Line
	}
	if f.byPath[field.Path] != nil {
		r.fault(n.Line, at, "there are two fields of this name")
		return nil
	}
	f.byPath[field.Path] = field
	f.all = append(f.all, field)
	field.readRules(r, k, at)
	field.readLists(r, k, at)
	field.readInner(r, k, at, depth)
	return field
}

func fieldName(n *yaml.Node) string {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "name" && n.Content[i+1].Kind == yaml.ScalarNode {
			return n.Content[i+1].Value
		}
	}
	return ""
}

// readRules keeps the texts of expressions until all fields are known.
func (f *Field) readRules(r *reader, k keys, at string) {
	for _, key := range expressionKeys {
		if s := r.text(k[key], at); s != "" {
			f.exprText[key] = s
		}
	}
	switch required := strings.TrimSpace(r.text(k["required"], at)); required {
	case "", "false":
	case "true":
		f.Required = true
	default:
		f.exprText["required"] = required
	}
	if n := k["default"]; n != nil {
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && defaultIsFormula.MatchString(strings.TrimSpace(n.Value)) {
			f.exprText["default"] = n.Value
		} else if f.Default = r.literal(n, at); isEmpty(f.Default) {
			r.fault(n.Line, at, "an empty default")
		}
	}
	switch v := r.text(k["rows_required"], at); v {
	case "", "all":
	case "any":
		f.AnyRow = true
	default:
		r.fault(line(k["rows_required"]), at, "rows_required must be all or any")
	}
}

// readLists takes choices and rows: names of lists are looked up later.
func (f *Field) readLists(r *reader, k keys, at string) {
	f.List = f.readListRef(r, k["choices"], at, "choices")
	f.Rows = f.readListRef(r, k["rows"], at, "rows")
}

func (f *Field) readListRef(r *reader, n *yaml.Node, at, key string) *List {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return &List{ID: r.text(n, at)} // replaced in link
	}
	l := &List{ID: f.form.ID + "." + f.Path, lib: f.form.lib, form: f.form.ID, field: f.Path, key: key, file: r.file, line: n.Line}
	l.name = f.label
	if key == "rows" {
		l.ID += ":rows"
	}
	readCodes(r, n, l, n.Line)
	f.form.lib.lists[l.ID] = l
	return l
}

func (f *Field) readInner(r *reader, k keys, at string, depth int) {
	f.Fields = f.form.readFields(r, k["fields"], f, depth+1)
	columns := f.form.readFields(r, k["columns"], f, depth+1)
	switch {
	case f.Type.Container() && k["columns"] != nil:
		r.fault(line(k["columns"]), at, "columns belong to a matrix; a %s has fields", f.Type)
	case f.Type.Container() && len(f.Fields) == 0:
		r.fault(f.line, at, "a %s needs fields", f.Type)
	case f.Type == Matrix && k["fields"] != nil:
		r.fault(line(k["fields"]), at, "a matrix has columns, not fields")
	case f.Type == Matrix:
		f.Fields = columns
	case !f.Type.Container() && (k["fields"] != nil || k["columns"] != nil):
		r.fault(f.line, at, "a %s has no fields inside", f.Type)
	}
}
