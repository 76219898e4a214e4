package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestEverySentenceThatTheServerSaysHasItsVietnamese reads the rooms that speak
// to people and looks up each fixed sentence: refusals, faults, titles of
// tasks, notices and acts. One that is missing would meet a reader in English.
func TestEverySentenceThatTheServerSaysHasItsVietnamese(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "content", "labels", "vi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var labels struct {
		Words map[string]string `yaml:"words"`
	}
	if err := yaml.Unmarshal(data, &labels); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, room := range []string{"casework", "identity", "journal", "server", "fault", "attachments"} {
		err := filepath.WalkDir(filepath.Join("..", "..", "internal", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(path, "servertest") || strings.Contains(path, "matrix") {
				return err
			}
			return sentencesOf(path, said)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var missing []string
	for english := range said {
		if labels.Words[english] == "" {
			missing = append(missing, strconv.Quote(english)+" in "+said[english])
		}
	}
	sort.Strings(missing)
	if len(missing) > 0 {
		t.Errorf("content/labels/vi.yaml, words: %d sentences are missing:\n%s", len(missing), strings.Join(missing, "\n"))
	}
	for english := range labels.Words {
		if _, ok := said[english]; !ok {
			t.Errorf("content/labels/vi.yaml, words: nobody says %q any more", english)
		}
	}
}

// speaks names the calls whose text a person reads, by the place of that text.
var speaks = map[string]int{"refuse": 2, "Field": 2, "New": 1, "Wrap": 1, "say": 0, "add": 0, "problem": 1, "field": 1}

// titles are the maps from a kind to the words that a person reads.
var titles = map[string]bool{"noticeTitles": true, "actTitles": true}

var placeholder = regexp.MustCompile(`%d|[0-9]+`)

// sentencesOf collects a file's sentences with the file that says each.
func sentencesOf(path string, said map[string]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	add := func(e ast.Expr) {
		if text, ok := sentence(e); ok && text != "" {
			said[text] = filepath.ToSlash(path)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if i, ok := speaks[called(n)]; ok && i < len(n.Args) {
				add(n.Args[i])
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if lit, ok := at(n.Values, i).(*ast.CompositeLit); ok && titles[name.Name] {
					for _, e := range lit.Elts {
						add(e.(*ast.KeyValueExpr).Value)
					}
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Message" || key.Name == "Label" && strings.HasSuffix(path, "tasks.go")) {
				add(n.Value)
			}
		case *ast.FuncDecl: // approvalAsked, approvalReturned: … stands for the label
			if strings.HasPrefix(n.Name.Name, "approvalAsked") || strings.HasPrefix(n.Name.Name, "approvalReturned") {
				if sum, ok := n.Body.List[0].(*ast.ReturnStmt).Results[0].(*ast.BinaryExpr); ok {
					left, _ := sentence(sum.X)
					right, _ := sentence(sum.Y)
					said[strings.TrimSuffix(left+"…"+right, "")] = filepath.ToSlash(path)
				}
			}
		}
		return true
	})
	return nil
}

func at(list []ast.Expr, i int) ast.Expr {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// called gives the plain name of a called function, of fault's only where the
// name is common.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		from, _ := f.X.(*ast.Ident)
		if f.Sel.Name == "say" || from != nil && from.Name == "fault" {
			return f.Sel.Name
		}
	}
	return ""
}

// sentence gives the text of a literal, numbers as #.
func sentence(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return strings.ReplaceAll(placeholder.ReplaceAllString(text, "#"), "%%", "%"), err == nil
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" && len(e.Args) > 0 {
			return sentence(e.Args[0])
		}
	}
	return "", false
}
