package browser

import (
	"testing"

	"banyan/web/app/apptest"
)

// A worker acts without consent because somebody is in danger. The supervisor
// finds it in the inbox with its reason, says that they looked, and it is gone;
// before that, Today and the case page name the same next step.
func TestAnActWithoutConsentIsLookedAtByTheSupervisor(t *testing.T) {
	h := open(t, 12)
	worker := h.signIn(t, "chanthou")
	id := worker.begins("Sophea Testsson")
	code, err := apptest.Read[string](worker.Page, `/[A-Z]{2}-[0-9A-Z]{4,}/.exec(document.querySelector('.crumbs').innerText)[0]`)
	worker.must(err)
	worker.does("F02_screening", screening)
	worker.standsAt("Screened")

	next, err := apptest.Read[string](worker.Page, `document.querySelector('.next b').innerText`)
	worker.must(err)
	worker.goes("Today")
	row := `[...document.querySelectorAll('main a.row')].find((r) => r.innerText.includes(` + text(code) + `) && !r.innerText.includes('presumed'))`
	worker.must(worker.Wait(row))
	listed, err := apptest.Read[string](worker.Page, row+`.querySelector('b').innerText`)
	worker.must(err)
	if next != "Next: "+listed || listed != "Consent is not recorded." {
		t.Errorf("the page says %q, Today %q", next, listed)
	}
	worker.must(worker.JS(row + `.click()`))
	worker.must(worker.Wait(`location.pathname.includes('F03_consent')`))
	without := answers{"scopes": answers{"all": "no"}, "override": true, "override_reason": "She sleeps at the market tonight; best interests."}
	for k, v := range consent {
		if k != "scopes" {
			without[k] = v
		}
	}
	worker.fills("F03_consent", without)
	worker.sends()

	supervisor := h.signIn(t, "vanna")
	supervisor.goes("Inbox")
	article := `[...document.querySelectorAll('article')].find((a) => a.innerText.includes(` + text(code) + `) && a.innerText.includes('She sleeps at the market tonight'))`
	supervisor.must(supervisor.Wait(article))
	supervisor.sees("To look at")
	supervisor.must(supervisor.JS(`[...` + article + `.querySelectorAll('button')].find((b) => b.innerText === 'I have looked at it').click()`))
	supervisor.sees("Noted: you have looked at it")
	supervisor.must(supervisor.Wait(`document.querySelector('h1') && !` + article))
	supervisor.looks(id)
	supervisor.sees("Seen by the supervisor")

	// Printing is a reading of its own: noted first, then handed to the printer.
	supervisor.must(supervisor.JS(`window.print = () => { window.printed = document.documentElement.hasAttribute('data-paper'); }`))
	supervisor.press("Print")
	supervisor.must(supervisor.Wait(`window.printed === true`))
	supervisor.must(supervisor.JS(`dispatchEvent(new Event('afterprint'))`))
	supervisor.must(supervisor.Wait(`!document.documentElement.hasAttribute('data-paper')`))
	supervisor.must(supervisor.Walk("/cases/" + id + "?tab=access"))
	supervisor.must(supervisor.Wait(`[...document.querySelectorAll('.tab-body tr')].some((r) => r.innerText.includes('printed it') && r.innerText.includes('printing'))`))
}
