// Command shoot takes pictures of the app, to be looked at: every main page at
// 360 and 1280 px, light and dark, English and Vietnamese. Without -at it
// starts the mock; with -at it uses a running server.
//
//	go run ./web/app/shoot -out /somewhere [-only case] [-at http://127.0.0.1:8080 -login x -password y]
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"banyan/web/app/apptest"
	"banyan/web/app/mock"
)

type view struct{ name, path, ready string }

// views are the pages to take; id is the case that they show, when there is one.
func views(login, id, record string) []view {
	list := []view{
		{"today", "/", "document.querySelector('.rows, .empty')"},
		{"find", "/find", "document.querySelector('#find-q')"},
		{"cases", "/cases", "document.querySelector('.rows, .empty')"},
		{"inbox", "/inbox", "document.querySelector('article, .empty, .rows')"},
		{"register", "/register", "document.querySelector('svg.picture')"},
		{"team", "/team", "document.querySelector('table')"},
		{"account", "/account", "document.querySelector('.list')"},
	}
	if login == "admin" || login == "root" {
		return []view{
			{"admin-users", "/admin", "document.querySelector('table')"},
			{"admin-organisations", "/admin?part=organisations", "document.querySelector('.list')"},
			{"admin-policy", "/admin?part=policy", "document.querySelector('table')"},
			{"admin-why", "/admin?part=why", "document.querySelector('.tab-body select')"},
			{"admin-content", "/admin?part=content", "document.querySelector('table')"},
			{"admin-audit", "/admin?part=audit", "document.querySelector('table')"},
		}
	}
	if id != "" {
		list = append(list,
			view{"case", "/cases/" + id, "document.querySelector('.time')"},
			view{"case-forms", "/cases/" + id + "?tab=forms", "document.querySelector('.form-row')"},
			view{"case-plan", "/cases/" + id + "?tab=plan", "document.querySelector('.tab-body .group')"},
			view{"case-people", "/cases/" + id + "?tab=people", "document.querySelector('.tab-body')"},
			view{"case-access", "/cases/" + id + "?tab=access", "document.querySelector('.tab-body table, .empty')"},
			view{"record", "/cases/" + id + "/records/" + record, "document.querySelector('.answers')"},
			view{"form-registration", "/cases/" + id + "/forms/F04_registration/new", "document.querySelector('.field')"},
			view{"form-screening", "/cases/" + id + "/forms/F02_screening/new", "document.querySelector('.matrix')"},
			view{"form-consent", "/cases/" + id + "/forms/F03_consent/new", "document.querySelector('.matrix')"},
			view{"form-note", "/cases/" + id + "/forms/F11_case_note/new", "document.querySelector('.field')"},
		)
	}
	return list
}

func main() {
	out := flag.String("out", "shots", "folder for the pictures")
	only := flag.String("only", "", "take only views whose name begins so")
	at := flag.String("at", "", "address of a running server; the mock when empty")
	login := flag.String("login", "vanna", "user")
	password := flag.String("password", "", "password")
	showing := flag.String("case", "", "id of the case to show; the first of the list when empty")
	quick := flag.Bool("quick", false, "light English only")
	window := flag.Bool("window", false, "what the window shows, not the whole page")
	flag.Parse()
	if err := run(*out, *only, *at, *login, *password, *showing, *quick, !*window); err != nil {
		fmt.Fprintln(os.Stderr, "shoot:", err)
		os.Exit(1)
	}
}

func run(out, only, at, login, password, showing string, quick, whole bool) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	mocked := at == ""
	if mocked {
		s, err := mock.New(os.DirFS("web/app/dist"), time.Now)
		if err != nil {
			return err
		}
		site := httptest.NewServer(s)
		defer site.Close()
		at, password = site.URL, login+mock.PasswordSuffix
	}
	b, err := apptest.Start(context.Background())
	if err != nil {
		return err
	}
	defer b.Close()
	p, err := b.Open(at, true)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.SignIn(login, password); err != nil {
		return err
	}
	id, err := apptest.Read[string](p, `fetch('/api/cases?scope=mine').then((r) => r.ok ? r.json() : {items: []}).then((j) => j.items[0]?.id ?? '')`)
	if err != nil {
		return fmt.Errorf("look for a case to show: %w", err)
	}
	if showing != "" {
		id = showing
	}
	record := "F04_registration"
	may, err := apptest.Read[string](p, `fetch('/api/me').then((r) => r.json()).then((j) => j.may.join(' '))`)
	if err != nil {
		return fmt.Errorf("ask what the user may see: %w", err)
	}
	needs := map[string]string{"register": "register.read", "team": "team.read", "find": "find", "case-access": "access_log"}
	type look struct {
		lang, name string
		width      int64
		dark       bool
	}
	looks := []look{{"English", "en", 1280, false}, {"English", "en", 360, false}, {"English", "en", 1280, true}, {"Tiếng Việt", "vi", 360, true}, {"Tiếng Việt", "vi", 1280, false}, {"ខ្មែរ", "km", 360, false}}
	if quick {
		looks = looks[:2]
	}
	for _, l := range looks {
		if err := p.Size(1280, 900); err != nil {
			return err
		}
		if err := p.Press(l.lang); err != nil {
			return err
		}
		if err := p.Dark(l.dark); err != nil {
			return err
		}
		if err := p.Size(l.width, 860); err != nil {
			return err
		}
		for _, v := range views(login, id, record) {
			if need := needs[v.name]; !strings.HasPrefix(v.name, only) || need != "" && !slices.Contains(strings.Fields(may), need) {
				continue
			}
			if err := p.Walk(v.path); err != nil {
				return err
			}
			if err := p.Wait(v.ready); err != nil {
				fmt.Fprintf(os.Stderr, "shoot: %s: %v\n", v.name, err) // the picture shows what is there instead
			}
			shade := ""
			if l.dark {
				shade = "-dark"
			}
			if err := p.Shot(filepath.Join(out, fmt.Sprintf("%s-%s-%d%s.png", v.name, l.name, l.width, shade)), whole); err != nil {
				return err
			}
		}
	}
	return nil
}
