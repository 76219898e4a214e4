package browser

import (
	"os"
	"path/filepath"
	"testing"

	"banyan/web/app/apptest"
)

// TestNoPageHasAnAccessibilityFaultOrRunsWhatSomebodyWrote plants markup in
// every text of two forms and in a name, reads it on every page that shows
// it, and runs axe on these pages with the program's own data.
func TestNoPageHasAnAccessibilityFaultOrRunsWhatSomebodyWrote(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("..", "..", "web", "app", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skip("axe-core is not installed: cd web/app && npm ci")
	}
	const (
		image  = `<img src=x onerror=window.ran=1>`
		script = `"><script>window.ran=2</script><svg onload=alert(3)>`
	)
	h := open(t, 30)
	worker := h.signIn(t, "chanthou")
	watch := `window.alert = window.confirm = window.prompt = () => { window.ran = 4; }; addEventListener('securitypolicyviolation', (e) => { window.ran = 'policy: ' + e.blockedURI + ' ' + e.violatedDirective; })`
	looks := func(p *person, what string, planted ...string) {
		t.Helper()
		p.sees(planted...)
		ran, err := apptest.Read[string](p.Page, `String(window.ran ?? '') + [...document.querySelectorAll('img[src="x"], main script, svg[onload], [onerror]')].map((e) => e.outerHTML).join()`)
		p.must(err)
		if ran != "" {
			t.Errorf("%s: what somebody wrote became markup: %s", what, ran)
		}
		p.must(p.JS(`if (!window.axe) { ` + string(axe) + ` }`))
		found, err := apptest.Read[string](p.Page, `axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' | ' + (n.any[0]?.message ?? '')).join('\n   ')).join('\n'))`)
		p.must(err)
		if found != "" {
			t.Errorf("%s: %s", what, found)
		}
	}
	worker.must(worker.JS(watch))
	looks(worker, "Today")
	worker.searches(image)
	looks(worker, "Find")
	worker.must(worker.JS(`[...document.querySelectorAll('main a.btn')].find((a) => /new first contact/i.test(a.innerText)).click()`))
	first := answers{"nickname": image, "*": script}
	for k, v := range firstContact {
		first[k] = v
	}
	first["wishes"] = script
	worker.fills("F01_first_contact", first)
	looks(worker, "First contact, before it goes", image, script)
	worker.sends()
	looks(worker, "Case page", image, script[2:]) // the wish stands in quotation marks of its own

	worker.press("Forms")
	link := `[...document.querySelectorAll('.tab-body a.btn')].find((a) => a.getAttribute('href').includes('F06_risk_assessment/new'))`
	worker.must(worker.Wait(link))
	worker.must(worker.JS(link + `.click()`))
	worker.must(worker.Wait(`document.querySelector('form.sheet')`))
	looks(worker, "Assessment")
	risk := answers{"*": image}
	for k, v := range assessment {
		if _, isText := v.(string); !isText || k != "strengths" && k != "child_view" {
			risk[k] = v
		}
	}
	worker.fills("F06_risk_assessment", risk)
	worker.sends()
	looks(worker, "Case page with the assessment", image)
	worker.goes("My cases")
	looks(worker, "My cases", image)

	supervisor := h.signIn(t, "vanna")
	supervisor.must(supervisor.JS(watch))
	supervisor.goes("Inbox")
	supervisor.must(supervisor.Wait(`document.querySelector('article')`))
	looks(supervisor, "Inbox", image)

	statistician := h.signIn(t, "dara")
	statistician.must(statistician.JS(watch))
	statistician.goes("Register")
	statistician.must(statistician.Wait(`document.querySelector('svg.picture')`))
	looks(statistician, "Register")
}
