// Package browser walks through the whole program as people do: the real
// binary, a real Chromium, the printed sign-ins. It promises that one case can
// be carried from the first contact to an approved closure by clicking alone.
package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"banyan/test/program"
	"banyan/web/app"
	"banyan/web/app/apptest"
)

//go:embed fill.js
var fillScript string

type answers = map[string]any

// house is the running program with one browser, shared by the tests.
type house struct {
	*program.Program
	browser *apptest.Browser
}

var (
	browserOnce sync.Once
	chromium    *apptest.Browser
	browserErr  error
)

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium != nil {
		chromium.Close()
	}
	os.Exit(code)
}

// open starts the program with an invented country.
func open(t *testing.T, cases int) *house {
	t.Helper()
	if testing.Short() {
		t.Skip("the whole program in a browser: not in short mode")
	}
	if !webapp.Built() {
		t.Skip("the staff app is not built: (cd web/app && npm ci) && go run ./web/app/build")
	}
	browserOnce.Do(func() { chromium, browserErr = apptest.Start(context.Background()) })
	if errors.Is(browserErr, apptest.ErrNoBrowser) {
		t.Skip(browserErr)
	}
	if browserErr != nil {
		t.Fatal(browserErr)
	}
	return &house{program.Demo(t, filepath.Join(t.TempDir(), "data"), cases), chromium}
}

// person is one printed user at a screen of their own.
type person struct {
	*apptest.Page
	t    *testing.T
	name string
}

// signIn lets a printed user in by the form.
func (h *house) signIn(t *testing.T, login string) *person {
	t.Helper()
	return h.signsInAt(t, login, 1280)
}

// signsInAt does so in a window of this width in CSS pixels.
func (h *house) signsInAt(t *testing.T, login string, width int64) *person {
	t.Helper()
	page, err := h.browser.Open(h.URL, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(page.Close)
	way := h.SignIns(t)[login]
	p := &person{page, t, way.Name}
	p.must(page.Size(width, 800))
	p.must(page.SignIn(login, way.Password))
	return p
}

func (p *person) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

func (p *person) sees(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.must(p.Sees(text))
	}
}

func (p *person) press(text string) { p.t.Helper(); p.must(p.Press(text)) }

// narrow says when a page is wider than its window.
func (p *person) narrow(what string) {
	p.t.Helper()
	wide, err := apptest.Read[bool](p.Page, `document.documentElement.scrollWidth > innerWidth + 1`)
	p.must(err)
	if wide {
		p.t.Errorf("%s scrolls sideways", what)
	}
}

// goes follows an entry of the menu.
func (p *person) goes(entry string) {
	p.t.Helper()
	p.must(p.JS(`[...document.querySelectorAll('nav a')].find((a) => a.offsetParent && (a.firstChild?.textContent ?? '').trim() === ` + text(entry) + `).click()`))
}

// searches looks for a person before opening a case.
func (p *person) searches(name string) {
	p.t.Helper()
	p.goes("Find")
	p.must(p.Type("#find-q", name))
	p.must(p.Keys("\r"))
	p.must(p.Wait(`document.querySelector('#found')`))
}

// begins looks for somebody who is not here and writes the first contact. It
// gives the new case.
func (p *person) begins(name string) string {
	p.t.Helper()
	p.searches(name)
	p.must(p.Wait(`[...document.querySelectorAll('main a.btn')].some((a) => /new first contact/i.test(a.innerText))`))
	p.must(p.JS(`[...document.querySelectorAll('main a.btn')].find((a) => /new first contact/i.test(a.innerText)).click()`))
	p.fills("F01_first_contact", firstContact)
	p.sends()
	id, err := apptest.Read[string](p.Page, `location.pathname.split('/')[2]`)
	p.must(err)
	return id
}

// fills answers the form that is open and stops where it is read once more.
func (p *person) fills(form string, a answers) {
	p.t.Helper()
	p.must(p.Wait(`document.querySelector('form.sheet') && location.pathname.includes(` + text(form) + `)`))
	p.narrow(form)
	p.must(p.JS(fillScript))
	given, err := json.Marshal(a)
	p.must(err)
	left, err := apptest.Read[[]string](p.Page, `banyanFill(`+text(form)+`, `+string(given)+`)`)
	p.must(err)
	if len(left) > 0 {
		p.t.Errorf("%s could not answer in %s: %s", p.name, form, strings.Join(left, "; "))
	}
	p.sees("Read it before it goes")
	p.narrow(form + " before it goes")
}

// sends sends what was read, and comes back to the case.
func (p *person) sends() {
	p.t.Helper()
	p.press("Send")
	p.must(p.Wait(`document.querySelector('.summary-errors, .box.bad, section.person')`))
	p.must(p.Wait(`document.querySelector('section.person')`))
	p.narrow("the case page")
}

// does opens the form that the case page names as the next step, or the same
// form from the case's Forms when another step is named, and answers it.
func (p *person) does(form string, a answers) {
	p.t.Helper()
	p.must(p.Wait(`document.querySelector('.next')`))
	named, err := apptest.Read[bool](p.Page, `(() => { const a = document.querySelector('.next a.primary'); if (!a?.getAttribute('href').includes(`+text(form)+`)) return false; a.click(); return true })()`)
	p.must(err)
	if !named {
		p.adds(form, a)
		return
	}
	p.fills(form, a)
	p.sends()
}

// adds chooses a form from the case's Forms, and answers it.
func (p *person) adds(form string, a answers) {
	p.t.Helper()
	p.press("Forms")
	link := `[...document.querySelectorAll('.tab-body a.btn')].find((a) => a.getAttribute('href').includes('` + form + `/new'))`
	p.must(p.Wait(link))
	p.must(p.JS(link + `.click()`))
	p.fills(form, a)
	p.sends()
}

// standsAt waits until the case page marks this step as the present one.
func (p *person) standsAt(step string) {
	p.t.Helper()
	p.must(p.Wait(`document.querySelector('.steps [aria-current=step]')?.innerText.startsWith(` + text(step) + `)`))
}

// moves moves the case on by the dialog.
func (p *person) moves(label string) {
	p.t.Helper()
	p.press("Move on")
	pick := `[...document.querySelectorAll('dialog[open] label.pick')].find((l) => l.innerText.startsWith(` + text(label) + `))?.querySelector('input:not(:disabled)')`
	p.must(p.Wait(pick))
	p.must(p.JS(pick + `.click()`))
	p.press("Move the case")
	p.sees("The case has moved on")
}

// approves decides on what the inbox asks about this case.
func (p *person) approves(code, title string) {
	p.t.Helper()
	p.goes("Today")
	p.goes("Inbox")
	article := `[...document.querySelectorAll('article')].find((a) => a.innerText.includes(` + text(code) + `) && a.querySelector('h3').innerText.toLowerCase().includes(` + text(title) + `))`
	p.must(p.Wait(article))
	p.must(p.JS(`[...` + article + `.querySelectorAll('button')].find((b) => b.innerText === 'Approve').click()`))
	p.must(p.Wait(`document.querySelector('h1') && !` + article))
}

// looks opens the case afresh.
func (p *person) looks(id string) {
	p.t.Helper()
	p.goes("Today")
	p.must(p.Walk("/cases/" + id))
	p.must(p.Wait(`document.querySelector('section.person')`))
}

// closedPersons reads in the register how many persons' cases are closed. The
// table is by one variable, so that no cell of another hides this one.
func (p *person) closedPersons() (n int) {
	p.t.Helper()
	p.must(p.Walk("/register?rows=status&cols=status"))
	row := `[...document.querySelectorAll('main table tbody tr')].find((r) => r.cells[0].innerText === 'Closed')`
	p.must(p.Wait(row))
	n, err := apptest.Read[int](p.Page, `Number(`+row+`.cells[1].innerText.replace(/\D/g, ''))`)
	p.must(err)
	if n == 0 {
		p.t.Fatal("the register hides how many cases are closed: use a larger country")
	}
	return n
}

func text(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}

// The story's answers: what the rules look at. The rest of each form is
// answered by the kind of question.
var (
	firstContact = answers{"place": answers{"country": "KHM", "place": "border market"}, "channel": "outreach", "language": "km", "interpreter": false, "alone": true,
		"safe_now": "yes", "medical_urgent": false, "age_declared": answers{"years": 15}, "age_basis": "self_declared", "sex": "female",
		"separation_status": "unaccompanied", "wishes": "She wants to call her mother.", "action": []string{"resources"}}
	screening = answers{"mode": "worker_read", "consent_asked": true, "profile": "child_labour", "answers": answers{"all": "unknown"}, "worker_judgement": "agree",
		"status": "possible_victim", "identification_stage": "presumed", "next_step": "full_assessment"}
	consent = answers{"age_band": "15-17", "caregiver_implicated": "unknown", "obtained_from": "individual", "child_assent": "yes",
		"scopes": answers{"all": "no", "services": "yes", "statistics": "yes"}, "language_format": "Khmer, spoken, with pictures"}
	registration = answers{"first_name": "Bopha", "last_name": "Testsson", "sex": "female", "languages": []string{"km"}, "separation_status": "separated",
		"living_situation": "alternative_care", "current_location": answers{"country": "KHM"}, "protection_concerns": []string{"trafficked_smuggled"},
		"risk_level": "medium", "risk_reason": "The man from the market knows where she sleeps."}
	assessment = answers{"domain": answers{"all": answers{"concern": "some"}}, "strengths": "She reads well.", "child_view": "I want to go to school.",
		"trafficker_contact": "medium", "self_harm": "none", "risk_level": "medium", "bip_step": "bia"}
	safetyPlan = answers{"threats": "The man from the market.", "safe_places": "The school.", "safe_people": "The teacher.", "phone_safety": "New number.", "comms": []string{"code_word"}}
	casePlan   = answers{"goals": []answers{{"area": "education", "need": "back to school", "action": "enrol in the bridging class", "service": "education_nonformal", "who": "case worker", "progress": "in_progress"}},
		"service": []string{"education_nonformal"}, "timeframe": "7_days", "child_agreed": "Agrees with school."}
	referral = answers{"type": "referral", "service": "legal_aid"}
	service  = answers{"service": "mhpss", "quantity": 1, "unit": "session", "outcome": "completed"}
	note     = answers{"mode": "in_person", "with": "the girl", "facts": "We spoke for an hour in the garden.", "next": "Call the school."}
	closure  = answers{"reason": "goals_met", "safe_confirmed": true, "goals_status": answers{"all": "met"}, "legal_open": false, "child_agrees": "yes", "contact_card": true, "feedback_survey": true}
)

func TestACaseGoesFromFirstContactToAnApprovedClosureAndIntoTheRegister(t *testing.T) {
	h := open(t, 60)
	statistician := h.signIn(t, "dara")
	before := statistician.closedPersons()

	worker := h.signsInAt(t, "chanthou", 360) // on the phone of a case worker, from the first to the last step
	worker.sees("Overdue")
	worker.narrow("Today")
	worker.searches("Bopha Testsson")
	worker.narrow("Find")
	worker.must(worker.Wait(`[...document.querySelectorAll('main a.btn')].some((a) => /new first contact/i.test(a.innerText))`))
	worker.must(worker.JS(`[...document.querySelectorAll('main a.btn')].find((a) => /new first contact/i.test(a.innerText)).click()`))
	worker.fills("F01_first_contact", firstContact)
	worker.sends()
	worker.sees("Bopha Testsson")
	id, err := apptest.Read[string](worker.Page, `location.pathname.split('/')[2]`)
	worker.must(err)
	code, err := apptest.Read[string](worker.Page, `/[A-Z]{2}-[0-9A-Z]{4}/.exec(document.querySelector('.crumbs').innerText)[0]`)
	worker.must(err)

	worker.standsAt("Contact")
	worker.does("F02_screening", screening)
	worker.standsAt("Screened")
	worker.sees("Not enough information", "draft instrument, unverified") // every answer was "not known": no negative
	worker.does("F03_consent", consent)
	worker.standsAt("Consent")
	supervisor := h.signIn(t, "vanna")
	reg := answers{"case_worker": worker.name, "supervisor": supervisor.name}
	for k, v := range registration {
		reg[k] = v
	}
	worker.does("F04_registration", reg)
	worker.does("F06_risk_assessment", assessment)
	worker.does("F07_safety_plan", safetyPlan)
	if own, err := apptest.Read[bool](worker.Page, `fetch('/api/inbox').then((r) => r.json()).then((j) => j.approvals.some((a) => a.case.code === `+text(code)+`))`); err != nil || own {
		t.Errorf("the author finds the own assessment in the inbox, to be approved (%v)", err)
	}
	supervisor.approves(code, "assessment")
	worker.looks(id)
	worker.does("F08_case_plan", casePlan)
	supervisor.approves(code, "plan")
	worker.looks(id)
	worker.standsAt("Plan")
	worker.press("Plan")
	worker.sees("Education · back to school") // words, not codes
	worker.press("Refer")
	worker.fills("F09_referral", referral)
	worker.sends()
	worker.press("Referral (closed loop)")
	worker.must(worker.Wait(`document.querySelector('.answers')?.innerText.includes(` + text(worker.name) + `)`)) // the consent by its day and name, not by an id
	worker.narrow("the referral")
	worker.looks(id)
	worker.press("Service")
	worker.fills("F10_service_log", service)
	worker.sends()
	worker.standsAt("In service")
	worker.press("Note")
	worker.fills("F11_case_note", note)
	worker.sends()
	worker.sees("We spoke for an hour in the garden.")
	worker.moves("Services ended")
	worker.standsAt("Follow-up")
	worker.does("F27_closure", closure)
	supervisor.approves(code, "closure")
	worker.looks(id)
	worker.moves("Close the case")
	worker.standsAt("Closed")

	statistician.goes("Today")
	if after := statistician.closedPersons(); after != before+1 {
		t.Errorf("the register counted %d closed cases before and %d after", before, after)
	}
}
