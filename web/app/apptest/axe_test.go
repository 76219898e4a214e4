package apptest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pages to check, each with what shows that it is drawn.
var pages = []struct{ who, name, path, ready string }{
	{"chanthou", "today", "/", `document.querySelector('.rows')`},
	{"chanthou", "find", "/find", `document.querySelector('#find-q')`},
	{"chanthou", "cases", "/cases", `document.querySelector('.rows')`},
	{"chanthou", "timeline", sreyleak, `document.querySelector('.time')`},
	{"chanthou", "forms", sreyleak + "?tab=forms", `document.querySelector('.form-row')`},
	{"chanthou", "plan", sreyleak + "?tab=plan", `document.querySelector('.goal')`},
	{"chanthou", "consent", sreyleak + "?tab=consent", `document.querySelector('.tab-body table')`},
	{"chanthou", "people", sreyleak + "?tab=people", `document.querySelector('.tab-body .list')`},
	{"chanthou", "approvals", sreyleak + "?tab=approvals", `document.querySelector('.dispute')`},
	{"chanthou", "files", sreyleak + "?tab=files", `document.querySelector('.tab-body .empty')`},
	{"chanthou", "access", sreyleak + "?tab=access", `document.querySelector('.tab-body table')`},
	{"chanthou", "record", sreyleak + "/records/F04_registration", `document.querySelector('.answers')`},
	{"chanthou", "form with everything known", sreyleak + "/forms/F04_registration/new", `document.querySelector('#f-risk_level')`},
	{"chanthou", "form with a matrix", sreyleak + "/forms/F03_consent/new", `document.querySelector('.matrix')`},
	{"chanthou", "form with repeats", sreyleak + "/forms/F19_wage_ledger/new", `document.querySelector('.field')`},
	{"chanthou", "form with columns", sreyleak + "/forms/F06_risk_assessment/new", `document.querySelector('.field')`},
	{"chanthou", "register", "/register", `document.querySelector('svg.picture')`},
	{"chanthou", "account", "/account", `document.querySelector('.list')`},
	{"chanthou", "unsent", "/unsent", `document.querySelector('.empty')`},
	{"chanthou", "more", "/more", `document.querySelector('main .list')`},
	{"chanthou", "nothing here", "/cases/none", `document.querySelector('.box.bad')`},
	{"vanna", "inbox", "/inbox", `document.querySelector('article')`},
	{"vanna", "team", "/team", `document.querySelector('table')`},
	{"root", "users", "/admin", `document.querySelector('table')`},
	{"root", "organisations", "/admin?part=organisations", `document.querySelector('.list')`},
	{"root", "policy", "/admin?part=policy", `document.querySelector('table')`},
	{"root", "why", "/admin?part=why", `document.querySelector('.tab-body select')`},
	{"root", "content", "/admin?part=content", `document.querySelector('table')`},
	{"root", "audit", "/admin?part=audit", `document.querySelector('table')`},
}

// TestPagesHaveNoAccessibilityFault runs axe on every page, light and dark, in
// a wide and a narrow window. No fault is the floor, not the goal.
func TestPagesHaveNoAccessibilityFault(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join(root(t), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skip("axe-core is not installed (npm ci in web/app)")
	}
	check := func(t *testing.T, p *Page) {
		t.Helper()
		if err := p.JS(`if (!window.axe) { ` + string(axe) + ` }`); err != nil {
			t.Fatal(err)
		}
		found, err := Read[string](p, `axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' | ' + (n.any[0]?.message ?? '')).join('\n   ')).join('\n'))`)
		if err != nil {
			t.Fatal(err)
		}
		if found != "" {
			t.Error(found)
		}
	}
	t.Run("sign in", func(t *testing.T) {
		s := visit(t, "")
		s.must(t, s.page.Go("/"))
		s.must(t, s.page.Wait(`document.querySelector('input[name=login]')`))
		check(t, s.page)
	})
	for _, who := range []string{"chanthou", "vanna", "root"} {
		s := visit(t, who)
		for _, look := range []struct {
			name  string
			width int64
			dark  bool
		}{{"wide light", 1280, false}, {"narrow dark", 360, true}} {
			if testing.Short() && look.dark {
				continue
			}
			s.must(t, s.page.Size(look.width, 800))
			s.must(t, s.page.Dark(look.dark))
			for _, page := range pages {
				if page.who != who {
					continue
				}
				t.Run(page.name+" "+look.name, func(t *testing.T) {
					s.must(t, s.page.Walk(page.path))
					s.must(t, s.page.Wait(page.ready))
					check(t, s.page)
					wide, err := Read[bool](s.page, `document.documentElement.scrollWidth > innerWidth + 1`)
					s.must(t, err)
					if wide {
						culprit, _ := Read[string](s.page, `[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .tabs')).slice(0, 2).map((e) => e.outerHTML.slice(0, 140)).join('\n')`)
						t.Errorf("the page scrolls sideways: %s", culprit)
					}
					small, err := Read[string](s.page, `[...document.querySelectorAll('main button, main a.btn, main select, main input:not([type=checkbox]):not([type=radio]), nav a')].filter((e) => e.offsetParent && !e.classList.contains('link') && e.getBoundingClientRect().height < 43.5).slice(0, 3).map((e) => e.outerHTML.slice(0, 140)).join('\n')`)
					s.must(t, err)
					if small != "" {
						t.Errorf("targets under 44 px: %s", strings.TrimSpace(small))
					}
				})
			}
		}
	}
}
