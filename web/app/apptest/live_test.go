package apptest

import (
	"context"
	"os"
	"strings"
	"testing"
)

// TestAgainstALiveServer works one child's case on a running `banyan demo`, as a
// case worker does: find, first contact, note, amendment, what is refused. It
// runs only when BANYAN_LIVE names the server and its case worker:
//
//	BANYAN_LIVE=http://127.0.0.1:8080,chanthou,PASSWORD go test -run Live ./web/app/apptest
func TestAgainstALiveServer(t *testing.T) {
	at := strings.Split(os.Getenv("BANYAN_LIVE"), ",")
	if len(at) != 3 {
		t.Skip("BANYAN_LIVE names no server: the app is tried on the mock only")
	}
	b, err := Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := b.Open(at[0], true)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{page: p}
	s.must(t, p.SignIn(at[1], at[2]))
	s.must(t, p.Type(".top .find input", "Nobody Of This Name"))
	s.must(t, p.Keys("\r"))
	s.must(t, p.Wait(`[...document.querySelectorAll('a')].some((a) => a.pathname === '/cases/new/F01_first_contact')`))
	s.must(t, p.Walk("/cases/new/F01_first_contact"))
	s.must(t, p.Wait(`document.querySelector('.field')`))
	// Everything that is asked for is answered with the first choice there is.
	s.must(t, p.JS(answerAll))
	for range 6 {
		s.press(t, "Check and go on")
		s.must(t, p.Wait(`document.querySelector('.summary-errors') || document.body.innerText.includes('Read it before it goes')`))
		if done, _ := Read[bool](p, `document.body.innerText.includes('Read it before it goes')`); done {
			break
		}
		s.must(t, p.JS(answerAll))
	}
	s.press(t, "Send")
	s.must(t, p.Wait(`/^\/cases\/[0-9a-f-]{36}$/.test(location.pathname) && document.querySelector('.time')`))
	s.sees(t, "First contact")
	here, err := Read[string](p, `location.pathname`)
	s.must(t, err)
	s.must(t, p.Walk(here+"/forms/F11_case_note/new"))
	s.note(t, "Ate with the others.")
	s.press(t, "Check and go on")
	s.press(t, "Send")
	s.must(t, p.Wait(`document.querySelector('.time')?.innerText.includes('Ate with the others.')`))
	s.must(t, p.JS(`[...document.querySelectorAll('.time a')].find((a) => a.innerText.includes('note')).click()`))
	s.press(t, "Amend")
	s.must(t, p.Type("#f-facts", " Laughed once."))
	s.press(t, "Check and go on")
	s.press(t, "Send")
	s.must(t, p.Wait(`document.querySelector('.time')?.innerText.includes('Laughed once.')`))
	s.must(t, p.Walk(here+"/forms/F03_consent/new"))
	s.must(t, p.Wait(`document.querySelector('.matrix')`))
	s.must(t, p.JS(answerAll))
}

// answerAll answers each visible question that is empty or wrong.
const answerAll = `
	const fire = (e, kind) => e.dispatchEvent(new Event(kind, {bubbles: true}));
	const set = (e, v) => { Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), 'value').set.call(e, v); fire(e, 'input'); fire(e, 'change'); };
	for (const f of document.querySelectorAll('form .field')) {
		if (f.querySelector(':scope > legend .optional, :scope > label .optional')) continue;
		const radios = [...f.querySelectorAll('input[type=radio]')];
		if (radios.length && (f.classList.contains('wrong') || !radios.some((r) => r.checked))) { (f.classList.contains('wrong') ? radios.at(-1) : radios[0]).click(); continue; }
		const ticks = [...f.querySelectorAll('input[type=checkbox]')];
		if (ticks.length && !ticks.some((r) => r.checked)) { ticks[0].click(); continue; }
		for (const e of f.querySelectorAll('select')) if (!e.value && e.options.length > 1) set(e, e.options[1].value);
		for (const e of f.querySelectorAll('input[type=text], textarea')) if (!e.value) set(e, e.inputMode === 'numeric' ? '12' : 'x');
		const today = new Date().toISOString().slice(0, 10);
		for (const e of f.querySelectorAll('input[type=date]')) if (!e.value) set(e, today);
		for (const e of f.querySelectorAll('input[type=datetime-local]')) if (!e.value) set(e, today + 'T00:00');
	}`
