package browser

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"banyan/content"
	"banyan/web/app/apptest"
)

// english gathers what the interface and the rules say in English and have
// Vietnamese for: a page in Vietnamese that shows one of these was not said in
// its reader's language. Single words are left out: names and notes hold them.
func english(t *testing.T) []string {
	t.Helper()
	var out []string
	add := func(text string) {
		if len(strings.Fields(text)) >= 2 && !strings.ContainsAny(text, "{…#") {
			out = append(out, text)
		}
	}
	var texts map[string]any
	data, err := os.ReadFile(filepath.Join("..", "..", "web", "app", "src", "lang", "en.json"))
	if err == nil {
		err = json.Unmarshal(data, &texts)
	}
	if err != nil {
		t.Fatal(err)
	}
	for key, text := range texts {
		if s, ok := text.(string); ok && !strings.HasPrefix(key, "role.") { // a plan's "who" holds such words as written
			add(s)
		}
	}
	quoted := regexp.MustCompile(`(?m)^\s+(?:- )?(?:label|missing|title): (.+)$`)
	for _, file := range []string{"clocks.yaml", "casework.yaml"} {
		data, err := content.FS.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllStringSubmatch(string(data), -1) {
			add(strings.TrimSpace(m[1]))
		}
	}
	var vi struct {
		Words map[string]string `yaml:"words"`
	}
	data, err = content.FS.ReadFile("labels/vi.yaml")
	if err == nil {
		err = yaml.Unmarshal(data, &vi)
	}
	if err != nil {
		t.Fatal(err)
	}
	for text := range vi.Words {
		add(text)
	}
	return out
}

// Khmer is held to the pages of case work; of administration it has little yet.
func TestNoPageSpeaksEnglishToAVietnameseOrKhmerReader(t *testing.T) {
	h := open(t, 60)
	phrases, err := json.Marshal(english(t))
	if err != nil {
		t.Fatal(err)
	}
	open := `document.querySelector('main a.row').click()`
	work := []string{"/", "/inbox", "/cases", "js:" + open, "?tab=forms", "?tab=plan", "?tab=consent", "?tab=people", "?tab=approvals", "?tab=files", "/find", "/unsent", "/account"}
	for _, visit := range []struct {
		who   string
		pages []string
	}{
		{"chanthou in ខ្មែរ", work},
		{"vanna in ខ្មែរ", append(work, "/team")},
		{"chanthou", []string{"/", "/inbox", "/cases", "js:" + open, "?tab=forms", "?tab=plan", "?tab=consent", "?tab=people", "?tab=approvals", "?tab=files", "?tab=access", "/find", "/unsent", "/account", "/register"}},
		{"vanna", []string{"/", "/inbox", "/team", "/cases?scope=team", "js:" + open, "?tab=people", "?tab=access"}},
		{"maly", []string{"/"}},
		{"admin", []string{"/", "/admin", "/admin?part=organisations", "/admin?part=policy", "/admin?part=why", "/admin?part=content", "/admin?part=audit"}},
	} {
		who, language, other := strings.Cut(visit.who, " in ")
		p := h.signIn(t, who)
		if !other {
			language = "Tiếng Việt"
		}
		p.press(language)
		p.must(p.Wait(`document.documentElement.lang !== 'en'`))
		for _, page := range visit.pages {
			switch {
			case strings.HasPrefix(page, "js:"):
				p.must(p.Wait(`document.querySelector('main a.row')`))
				p.must(p.JS(page[3:]))
				p.must(p.Wait(`document.querySelector('section.person')`))
			case strings.HasPrefix(page, "?"):
				p.must(p.JS(`const a = document.createElement('a'); a.href = location.pathname + ` + text(page) + `; document.body.append(a); a.click(); a.remove()`))
			default:
				p.must(p.Walk(page))
			}
			found := `((all) => { const said = document.querySelector('main').innerText; return all.filter((x) => said.includes(x)); })(` + string(phrases) + `)`
			if err := p.Wait(`document.querySelector('main h1') && !document.querySelector('[aria-busy=true]') && ` + found + `.length === 0`); err != nil {
				left, _ := apptest.Read[[]string](p.Page, found)
				t.Errorf("%s reads %s in English: %q", visit.who, page, left)
			}
		}
	}
}
