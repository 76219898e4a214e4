// Package wire turns the server's own OpenAPI document into TypeScript types,
// so that the types the app is written with (src/api/types.ts) can be held to
// what the server really answers: held.ts beside this file says which belongs
// to which, and the TypeScript compiler says where they part.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

type schema struct {
	Ref        string             `json:"$ref"`
	Type       types              `json:"type"`
	Enum       []any              `json:"enum"`
	Items      *schema            `json:"items"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Additional json.RawMessage    `json:"additionalProperties"`
}

// types is one type or several: OpenAPI 3.1 allows both.
type types []string

func (t *types) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var one string
		err := json.Unmarshal(b, &one)
		*t = types{one}
		return err
	}
	return json.Unmarshal(b, (*[]string)(t))
}

type document struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct{ Schema *schema }
		}
	}
	Components struct{ Schemas map[string]*schema }
}

var plainName = regexp.MustCompile(`^[A-Za-z_$][\w$]*$`)

// TypeScript gives one type per schema of the document, and Answers: by method
// and path, what a successful call answers. An array that the document allows to
// be null is given as an array: the server's tests hold it to [].
func TypeScript(openapi []byte) ([]byte, error) {
	var d document
	if err := json.Unmarshal(openapi, &d); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	if len(d.Paths) == 0 {
		return nil, fmt.Errorf("the OpenAPI document names no paths")
	}
	var b bytes.Buffer
	b.WriteString("// Generated from the server's OpenAPI document; not to be edited or committed.\n")
	for _, name := range keys(d.Components.Schemas) {
		fmt.Fprintf(&b, "export type %s = %s;\n", typeName(name), d.Components.Schemas[name].typescript())
	}
	b.WriteString("export interface Answers {\n")
	for _, path := range keys(d.Paths) {
		for _, method := range keys(d.Paths[path]) {
			for _, status := range []string{"200", "201"} {
				if c, ok := d.Paths[path][method].Responses[status].Content["application/json"]; ok && c.Schema != nil {
					fmt.Fprintf(&b, "  %s: %s;\n", strconv.Quote(strings.ToUpper(method)+" "+path), c.Schema.typescript())
					break
				}
			}
		}
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}

var notWord = regexp.MustCompile(`\W+`)

// typeName makes a name of a schema's name, which may say of what it is made:
// Page[banyan/internal/identity.Session].
func typeName(schema string) string {
	if plain, err := url.PathUnescape(strings.NewReplacer("~1", "/", "~0", "~").Replace(schema)); err == nil {
		schema = plain
	}
	return strings.Trim(notWord.ReplaceAllString(schema, "_"), "_")
}

func keys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func (s *schema) typescript() string {
	if s == nil {
		return "unknown"
	}
	if s.Ref != "" {
		return typeName(strings.TrimPrefix(s.Ref, "#/components/schemas/"))
	}
	if len(s.Enum) > 0 {
		all := make([]string, len(s.Enum))
		for i, e := range s.Enum {
			text, _ := json.Marshal(e) // it came from JSON
			all[i] = string(text)
		}
		return strings.Join(all, " | ")
	}
	var all []string
	null := false
	for _, t := range s.Type {
		switch t {
		case "null":
			null = true
		case "string", "boolean":
			all = append(all, t)
		case "integer", "number":
			all = append(all, "number")
		case "array":
			all, null = append(all, "("+s.Items.typescript()+")[]"), false
			return all[len(all)-1]
		case "object":
			all = append(all, s.object())
		}
	}
	if len(all) == 0 {
		return "unknown"
	}
	if null {
		all = append(all, "null")
	}
	return strings.Join(all, " | ")
}

func (s *schema) object() string {
	if len(s.Properties) == 0 {
		var of schema
		if len(s.Additional) > 0 && s.Additional[0] == '{' && json.Unmarshal(s.Additional, &of) == nil {
			return "Record<string, " + of.typescript() + ">"
		}
		return "Record<string, unknown>"
	}
	required := map[string]bool{}
	for _, r := range s.Required {
		required[r] = true
	}
	var b strings.Builder
	b.WriteString("{ ")
	for _, name := range keys(s.Properties) {
		if name == "$schema" {
			continue
		}
		shown, mark := name, "?"
		if !plainName.MatchString(name) {
			shown = strconv.Quote(name)
		}
		if required[name] {
			mark = ""
		}
		fmt.Fprintf(&b, "%s%s: %s; ", shown, mark, s.Properties[name].typescript())
	}
	b.WriteString("}")
	return b.String()
}
