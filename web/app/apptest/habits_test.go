package apptest

import (
	"testing"

	"banyan/web/app/mock"
)

// An address that a colleague sent opens after signing in, not Today.
func TestAnAddressOpensAfterSigningIn(t *testing.T) {
	s := visit(t, "")
	p := s.page
	s.must(t, p.Go(sreyleak+"?tab=people"))
	s.must(t, p.Type("input[name=login]", "chanthou"))
	s.must(t, p.Type("input[name=password]", "chanthou"+mock.PasswordSuffix))
	s.must(t, p.Keys("\r"))
	s.must(t, p.Wait(`document.querySelector('section.person') && location.search === '?tab=people' && document.querySelector('.tabs [aria-current]').innerText.startsWith('People')`))
}

func TestSlashLeadsToFindAndEscapeLeavesIt(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Wait(`document.querySelector('.rows')`))
	// The protocol types the letter even where the page took the key, so the key alone is pressed here.
	slash := `document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true, cancelable: true}))`
	s.must(t, p.JS(`document.querySelector('main h1').focus(); `+slash))
	s.must(t, p.Wait(`document.activeElement.name === 'q' && document.activeElement.value === ''`))
	s.must(t, p.Keys("a/b")) // in a field it is a letter like others
	s.must(t, p.Wait(`document.activeElement.value === 'a/b'`))
	s.must(t, p.Keys("\x1b"))
	s.must(t, p.Wait(`document.activeElement === document.body`))
	s.must(t, p.Walk(sreyleak))
	s.must(t, p.Wait(`document.querySelector('section.person')`))
	s.must(t, p.JS(slash))
	s.must(t, p.Wait(`location.pathname === '/find' && document.activeElement.id === 'find-q'`))
	s.must(t, p.JS(`history.back()`))
	s.must(t, p.Wait(`location.pathname.startsWith('/cases/') && document.querySelector('section.person')`))
}

// Enter comes with the last letter, before a slow phone has drawn it.
func TestWhatWasTypedIsSearchedForAtOnce(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk("/find"))
	s.must(t, p.Wait(`document.querySelector('#find-q')`))
	s.must(t, p.JS(`const q = document.querySelector('#find-q'); q.value = 'Sreyleak'; q.dispatchEvent(new Event('input', {bubbles: true})); q.form.requestSubmit()`))
	s.must(t, p.Wait(`document.querySelector('#found')`))
}

// A double tap on a slow phone is one entry.
func TestSendPressedTwiceSendsOnce(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/forms/F11_case_note/new"))
	s.note(t, "Pressed twice.")
	s.press(t, "Check and go on")
	send := `[...document.querySelectorAll('button')].find((b) => b.innerText === 'Send')`
	s.must(t, p.Wait(send))
	s.must(t, p.JS(`const b = `+send+`; b.click(); b.click()`))
	s.sees(t, "Contact / case note: sent")
	s.must(t, p.Wait(`document.querySelector('.time')`))
	if n := s.Entries(); n != 1 {
		t.Errorf("%d entries arrived", n)
	}
}

// The menu speaks the new language at once; what the server said comes again too.
func TestALanguageSwitchAsksTheServerAgain(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Wait(`document.querySelector('.rows')`))
	s.must(t, p.JS(`const real = fetch; window.asked = []; window.fetch = (u, o) => { window.asked.push((o?.method ?? 'GET') + ' ' + u); return real(u, o); }`))
	s.press(t, "Tiếng Việt")
	s.must(t, p.Wait(`window.asked.indexOf('GET /api/today') > window.asked.indexOf('PATCH /api/me') && window.asked.includes('PATCH /api/me')`))
}

func TestAdministrationListsGoOnPageByPage(t *testing.T) {
	s := visit(t, "root")
	p := s.page
	s.must(t, p.Walk("/admin"))
	s.sees(t, "2 shown, there are more")
	s.must(t, p.JS(`[...document.querySelectorAll('main button')].find((b) => b.innerText === 'Show more').focus()`))
	s.must(t, p.Keys("\r"))
	s.must(t, p.Wait(`document.querySelectorAll('tbody tr').length > 2 && document.querySelector('.more').innerText.includes('in all')`))
	s.must(t, p.Fill(`.filters label:nth-of-type(2) select`, "disabled"))
	s.must(t, p.Wait(`location.search.includes('state=disabled')`))
}

// Paper is for a case that the log knows of; lists of people stay on the screen.
func TestOnlyWhatTheLogKnowsGoesToPaper(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Wait(`document.querySelector('.rows')`))
	s.must(t, p.JS(`dispatchEvent(new Event('beforeprint'))`))
	s.must(t, p.Wait(`!document.documentElement.hasAttribute('data-paper')`))
	s.must(t, p.Walk(sreyleak))
	s.must(t, p.Wait(`document.querySelector('section.person')`))
	s.must(t, p.JS(`window.print = () => { window.printed = document.documentElement.hasAttribute('data-paper') && document.querySelector('.paper-head').textContent; }; window.fetch = ((real) => (u, o) => { if (String(u).endsWith('/print')) window.noted = !window.printed; return real(u, o); })(fetch)`))
	s.must(t, p.JS(`document.dispatchEvent(new KeyboardEvent('keydown', {key: 'p', ctrlKey: true, bubbles: true, cancelable: true}))`))
	s.must(t, p.Wait(`window.noted && window.printed?.includes('KH-7F3Q · printed by Chanthou Keo')`))
	s.must(t, p.JS(`dispatchEvent(new Event('afterprint'))`))
	s.must(t, p.Wait(`!document.documentElement.hasAttribute('data-paper')`))
}
