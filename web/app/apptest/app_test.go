package apptest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"banyan/web/app/bundle"
	"banyan/web/app/mock"
)

const (
	sreyleak = "/cases/0195a000-0000-7000-8000-000000000001"
	boy      = "/cases/0195a000-0000-7000-8000-000000000002"
)

var (
	browser *Browser
	built   string // the folder of the app built for these tests
)

func TestMain(m *testing.M) {
	code := func() int {
		dir, err := os.MkdirTemp("", "banyan-app-")
		if err != nil {
			return 1
		}
		defer os.RemoveAll(dir)
		root, _ := filepath.Abs("..")
		if _, err := bundle.Build(bundle.Options{Root: root, Out: dir}); err == nil {
			built = dir
		}
		defer func() {
			if browser != nil {
				browser.Close()
			}
		}()
		return m.Run()
	}()
	os.Exit(code)
}

// site is one mock with its server, which can be cut off like a lost network.
type site struct {
	*mock.Server
	page *Page
	down atomic.Bool
}

// visit gives a mock of its own and a fresh tab on it, signed in.
func visit(t *testing.T, login string) *site {
	t.Helper()
	root(t)
	if built == "" {
		t.Fatal("the app could not be built: go run ./web/app/build says why")
	}
	if browser == nil {
		b, err := Start(context.Background())
		if errors.Is(err, ErrNoBrowser) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		browser = b
	}
	m, err := mock.New(os.DirFS(built), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Server: m}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			panic(http.ErrAbortHandler) // the connection drops, as on a bus
		}
		m.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	if s.page, err = browser.Open(server.URL, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.page.Close)
	if login != "" {
		s.must(t, s.page.SignIn(login, login+mock.PasswordSuffix))
	}
	return s
}

func (s *site) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) sees(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		s.must(t, s.page.Sees(text))
	}
}

func (s *site) press(t *testing.T, text string) { t.Helper(); s.must(t, s.page.Press(text)) }

// note fills in the fields that a case note needs.
func (s *site) note(t *testing.T, facts string) {
	t.Helper()
	p := s.page
	s.must(t, p.Fill("#f-mode", "call"))
	s.must(t, p.Type("#f-with", "herself"))
	s.must(t, p.Type("#f-facts", facts))
	s.must(t, p.Type("#f-next", "visit on Friday"))
}

func TestSignInSaysWhatIsWrongAndThenOpensToday(t *testing.T) {
	s := visit(t, "")
	p := s.page
	s.must(t, p.Go("/"))
	s.must(t, p.Type("input[name=login]", "chanthou"))
	s.must(t, p.Type("input[name=password]", "guess"))
	s.must(t, p.Keys("\r"))
	s.sees(t, "User name or password is not right.")
	s.must(t, p.SignIn("chanthou", "chanthou"+mock.PasswordSuffix))
	s.sees(t, "Overdue", "Agree the safety plan", "17 h late", "KH-7F3Q")
}

func TestEveryItemOfTodayOpensWhereItIsDone(t *testing.T) {
	s := visit(t, "chanthou")
	s.sees(t, "Agree the safety plan")
	s.must(t, s.page.JS(`[...document.querySelectorAll('a.row')].find((a) => a.innerText.includes('Agree the safety plan')).click()`))
	s.sees(t, "Safety and security plan")
	s.must(t, s.page.Wait(`location.pathname.endsWith('/forms/F07_safety_plan/new')`))
}

func TestCasePageShowsWhoAndWhatIsNext(t *testing.T) {
	s := visit(t, "chanthou")
	s.must(t, s.page.Walk(sreyleak))
	s.sees(t, "ស្រីលក្ខណ៍", "High risk since", "said by the person, presumed child", "Guardian not safe", "I want my pay", "Plan: 2 things missing", "you see this because the case is assigned to you", "Two answers for date of birth")
	lang, err := Read[string](s.page, `document.querySelector('h1 .light [lang]').lang`)
	s.must(t, err)
	if lang != "km" {
		t.Errorf("the Khmer spelling is marked as %q, so its line height is wrong", lang)
	}
	title, err := Read[string](s.page, `document.title`)
	s.must(t, err)
	if strings.Contains(title, "Sreyleak") {
		t.Errorf("the title, which browsers keep in their history, holds a name: %q", title)
	}
}

func TestFormListsWhatIsWrongFirstAndLeadsThere(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/forms/F11_case_note/new"))
	s.sees(t, "Facts")
	s.press(t, "Check and go on")
	s.sees(t, "answers need you")
	s.must(t, p.Wait(`document.activeElement.classList.contains('summary-errors')`))
	s.must(t, p.JS(`[...document.querySelectorAll('.summary-errors a')].find((a) => a.innerText.startsWith('Facts')).click()`))
	s.must(t, p.Wait(`document.activeElement.id === 'f-facts'`))
	invalid, err := Read[string](p, `document.activeElement.getAttribute('aria-invalid') + ' ' + document.getElementById(document.activeElement.getAttribute('aria-describedby').split(' ').at(-1)).innerText`)
	s.must(t, err)
	if invalid != "true Please answer this." {
		t.Errorf("a screen reader hears %q at the field", invalid)
	}
}

func TestNoteIsSentAndStandsOnTheTimeline(t *testing.T) {
	s := visit(t, "chanthou")
	s.must(t, s.page.Walk(sreyleak+"/forms/F11_case_note/new"))
	s.note(t, "Ate with the others.")
	s.press(t, "Check and go on")
	s.sees(t, "Read it before it goes", "Ate with the others.")
	s.press(t, "Send")
	s.sees(t, "Contact / case note: sent")
	s.must(t, s.page.Wait(`document.querySelector('.time').innerText.includes('Ate with the others.')`))
	if n := s.Entries(); n != 1 {
		t.Errorf("%d entries arrived", n)
	}
}

// TestNothingTypedIsLost closes the app in mid-form, as an empty battery does.
func TestNothingTypedIsLost(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/forms/F11_case_note/new"))
	s.must(t, p.Type("#f-facts", "She said the house has a blue gate."))
	s.sees(t, "Kept on this device")
	s.must(t, p.Go("/"))
	s.sees(t, "Overdue", "1 form was begun here and not sent") // nobody remembers where it was
	s.press(t, "Contact / case note")
	s.sees(t, "What you typed is here again")
	got, err := Read[string](p, `document.querySelector('#f-facts').value`)
	s.must(t, err)
	if got != "She said the house has a blue gate." {
		t.Errorf("the form opened with %q", got)
	}
}

func TestFormFilledOfflineIsSentLater(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Wait(`navigator.serviceWorker.controller`))
	s.must(t, p.Walk(sreyleak+"/forms/F11_case_note/new")) // read once while there is a network
	s.sees(t, "Facts")
	s.must(t, p.Walk(sreyleak))
	s.sees(t, "I want my pay")
	s.down.Store(true)
	s.must(t, p.Go(sreyleak+"/forms/F11_case_note/new")) // a fresh load: the worker gives the app, the store the rest
	s.note(t, "Written on the bus.")
	s.press(t, "Check and go on")
	s.press(t, "Send")
	s.sees(t, "It goes when there is a connection", "1 not sent yet")
	s.must(t, p.Walk(sreyleak))
	s.sees(t, "not sent yet", "No connection. This is what was last read")
	if s.Entries() != 0 {
		t.Fatal("an entry arrived without a network")
	}
	s.down.Store(false)
	s.must(t, p.JS(`dispatchEvent(new Event('online'))`))
	s.must(t, p.Wait(`document.querySelector('.time')?.innerText.includes('Written on the bus.')`))
	if n := s.Entries(); n != 1 {
		t.Errorf("%d entries arrived", n)
	}
}

func TestRefusedEntryComesBackWithItsReason(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/forms/F11_case_note/new"))
	s.note(t, "Something.")
	s.RefuseNext("Write down where this was.")
	s.press(t, "Check and go on")
	s.press(t, "Send")
	s.sees(t, "The server did not accept this", "Facts: Write down where this was.")
	s.must(t, p.Type("#f-facts", " At the station."))
	s.press(t, "Check and go on")
	s.press(t, "Send")
	s.sees(t, "Contact / case note: sent")
	if n := s.Entries(); n != 1 {
		t.Errorf("%d entries arrived", n)
	}
}

func TestKnownAnswersAreConfirmedNotRetyped(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/forms/F04_registration/new"))
	s.sees(t, "Known already: ", "Known from First contact")
	s.press(t, "Check and go on")
	s.sees(t, "Sex: confirm it or change it")
	s.press(t, "All of this is right")
	s.press(t, "Check and go on")
	s.must(t, p.Wait(`document.querySelector('.summary-errors') && !document.querySelector('.summary-errors').innerText.includes('confirm it')`))
}

func TestAmendmentSendsOnlyWhatChanged(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/records/r2"))
	s.sees(t, "ខ្ញុំចង់ជួបប្អូនប្រុសខ្ញុំ")
	s.press(t, "Amend")
	s.must(t, p.Wait(`document.querySelector('#f-facts')?.value.startsWith('Slept')`))
	s.must(t, p.JS(`const real = fetch; window.sent = []; window.fetch = (u, o) => { if (String(u).includes('/api/entries')) window.sent.push(JSON.parse(o.body)); return real(u, o); }`))
	s.must(t, p.JS(`const m = document.querySelector('#f-mode'); if (m.value === '') { m.selectedIndex = 1; m.dispatchEvent(new Event('change', {bubbles: true})) }`))
	s.must(t, p.Type("#f-facts", " Laughed once."))
	s.press(t, "Check and go on")
	s.press(t, "Send")
	s.must(t, p.Wait(`window.sent.length === 1`))
	got, err := Read[string](p, `(() => { const e = window.sent[0].entries[0]; return e.act + ' ' + e.record + ' ' + e.follows + ' ' + Object.keys(e.answers).filter((k) => k !== 'mode'); })()`)
	s.must(t, err)
	if got != "amend r2 e2 facts" {
		t.Errorf("the amendment was %q", got)
	}
}

func TestDisputeIsSettledByAPerson(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/records/F04_registration"))
	s.sees(t, "Two answers for date of birth", "2 April 2011", "2 April 2012")
	s.must(t, p.JS(`const real = fetch; window.sent = []; window.fetch = (u, o) => { if (String(u).includes('/api/entries')) window.sent.push(JSON.parse(o.body)); return real(u, o); }`))
	s.must(t, p.JS(`document.querySelector('.dispute input').click()`))
	s.press(t, "This one is right")
	s.must(t, p.Wait(`window.sent.length === 1`))
	got, err := Read[string](p, `JSON.stringify([window.sent[0].entries[0].answers, window.sent[0].entries[0].follows])`)
	s.must(t, err)
	if got != `[{"dob":"2011-04-02"},["e3","e3b"]]` {
		t.Errorf("settling sent %s", got)
	}
}

func TestStrikeOutAsksForAReason(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/records/r2"))
	s.press(t, "Strike out")
	s.must(t, p.Wait(`document.querySelector('dialog[open] .btn.danger').disabled`))
	s.must(t, p.Type("dialog textarea", "Written for another child."))
	s.press(t, "Strike it out")
	s.sees(t, "Struck out: Written for another child.")
}

func TestFindComesBeforeNew(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Type(".top .find input", "sreyleak"))
	s.must(t, p.Keys("\r"))
	s.sees(t, "1 likely match", "the name sounds alike", "None of these: new first contact")
	address, err := Read[string](p, `location.href`)
	s.must(t, err)
	if strings.Contains(strings.ToLower(address), "sreyleak") {
		t.Errorf("the name stands in the address: %s", address)
	}
	s.press(t, "None of these: new first contact")
	s.sees(t, "First contact and safety triage")
}

// TestSignOutWipesTheDevice looks for what was typed in everything that the
// browser's script can still reach.
func TestSignOutWipesTheDevice(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/forms/F11_case_note/new"))
	s.must(t, p.Type("#f-facts", "PLANTED-WORDS"))
	s.sees(t, "Kept on this device")
	sealed, err := Read[bool](p, `indexedDB.databases().then(async (all) => { for (const d of all) { const db = await new Promise((r) => { const q = indexedDB.open(d.name); q.onsuccess = () => r(q.result); }); for (const n of db.objectStoreNames) { const rows = await new Promise((r) => { const q = db.transaction(n).objectStore(n).getAll(); q.onsuccess = () => r(q.result); }); for (const row of rows) if (row.data && new TextDecoder().decode(row.data).includes('PLANTED')) return false; } db.close(); } return all.length > 0; })`)
	s.must(t, err)
	if !sealed {
		t.Error("what was typed lies unsealed in the browser's store, or nowhere")
	}
	s.must(t, p.Walk("/account"))
	s.press(t, "Sign out")
	s.must(t, p.Wait(`document.querySelector('input[name=login]')`))
	left, err := Read[string](p, `indexedDB.databases().then((all) => all.map((d) => d.name).join())`)
	s.must(t, err)
	if left != "" {
		t.Errorf("left on the device: %s", left)
	}
}

func TestSessionEndLocksAndKeepsWhatWasTyped(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/forms/F11_case_note/new"))
	s.note(t, "Before the session ended.")
	s.SignOut()
	s.press(t, "Check and go on")
	s.press(t, "Send")
	s.sees(t, "Your session has ended")
	hidden, err := Read[bool](p, `!document.body.innerText.includes('Sreyleak')`)
	s.must(t, err)
	if !hidden {
		t.Error("a name is still on the screen of a locked app")
	}
	s.must(t, p.Type("input[name=login]", "chanthou"))
	s.must(t, p.Type("input[name=password]", "chanthou"+mock.PasswordSuffix))
	s.must(t, p.Keys("\r"))
	s.must(t, p.Wait(`document.querySelector('nav.side-in')`))
	s.must(t, p.Wait(`!document.querySelector('.sync')`)) // nothing waits any more: it was sent
	if n := s.Entries(); n != 1 {
		t.Errorf("%d entries arrived after signing in again", n)
	}
}

// TestKeyboardAlone writes and sends a note without a mouse.
func TestKeyboardAlone(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/forms/F11_case_note/new"))
	s.must(t, p.Wait(`document.querySelector('#f-facts')`))
	tabTo := func(condition string) {
		t.Helper()
		for range 80 {
			if ok, err := Read[bool](p, `!!(`+condition+`)`); err == nil && ok {
				return
			}
			s.must(t, p.Keys("\t"))
		}
		t.Fatalf("no Tab leads to %s", condition)
	}
	tabTo(`document.activeElement.id === 'f-mode'`)
	s.must(t, p.Keys("W")) // walk-in: a list is chosen from by its first letter
	tabTo(`document.activeElement.id === 'f-with'`)
	s.must(t, p.Keys("herself"))
	tabTo(`document.activeElement.id === 'f-facts'`)
	s.must(t, p.Keys("By keyboard."))
	tabTo(`document.activeElement.id === 'f-next'`)
	s.must(t, p.Keys("nothing"))
	tabTo(`document.activeElement.innerText === 'Check and go on'`)
	s.must(t, p.Keys("\r"))
	s.sees(t, "Read it before it goes")
	s.must(t, p.Wait(`document.activeElement.tagName === 'H1'`))
	tabTo(`document.activeElement.innerText === 'Send'`)
	s.must(t, p.Keys("\r"))
	s.sees(t, "Contact / case note: sent")
}

func TestMenuShowsOnlyWhatTheServerAllows(t *testing.T) {
	s := visit(t, "root")
	menu, err := Read[string](s.page, `[...document.querySelectorAll('nav.side-in > a')].map((a) => a.innerText.split('\n')[0]).join()`)
	s.must(t, err)
	if menu != "Today,Inbox,Administration" {
		t.Errorf("an administrator sees %s", menu)
	}
}

func TestLanguageSwitchesWithoutReload(t *testing.T) {
	s := visit(t, "chanthou")
	s.press(t, "Tiếng Việt")
	s.sees(t, "Quá hạn", "Tiếp xúc đầu tiên")
	s.must(t, s.page.Wait(`document.documentElement.lang === 'vi'`))
	s.press(t, "ខ្មែរ")
	s.sees(t, "ហួសកំណត់")
}
