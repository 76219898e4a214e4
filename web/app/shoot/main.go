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
	"strings"
	"time"

	"banyan/web/app/apptest"
	"banyan/web/app/mock"
)

type view struct{ name, path, ready string }

const sreyleak = "0195a000-0000-7000-8000-000000000001"

// views of the mock's cases; a real server has other ids, so -at shows the lists only.
func views(mocked bool) []view {
	list := []view{
		{"today", "/", "document.querySelector('.rows, .empty')"},
		{"find", "/find", "document.querySelector('#find-q')"},
		{"cases", "/cases", "document.querySelector('.rows, .empty')"},
		{"inbox", "/inbox", "document.querySelector('article, .empty, .rows')"},
		{"register", "/register", "document.querySelector('svg.picture')"},
		{"team", "/team", "document.querySelector('table')"},
		{"account", "/account", "document.querySelector('.list')"},
	}
	if mocked {
		list = append(list,
			view{"case", "/cases/" + sreyleak, "document.querySelector('.time')"},
			view{"case-forms", "/cases/" + sreyleak + "?tab=forms", "document.querySelector('.form-row')"},
			view{"case-plan", "/cases/" + sreyleak + "?tab=plan", "document.querySelector('.goal')"},
			view{"record", "/cases/" + sreyleak + "/records/F04_registration", "document.querySelector('.dispute')"},
			view{"form-registration", "/cases/" + sreyleak + "/forms/F04_registration/new", "document.querySelector('.field')"},
			view{"form-consent", "/cases/" + sreyleak + "/forms/F03_consent/new", "document.querySelector('.matrix')"},
			view{"form-note", "/cases/" + sreyleak + "/forms/F11_case_note/new", "document.querySelector('.field')"},
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
	quick := flag.Bool("quick", false, "light English only")
	flag.Parse()
	if err := run(*out, *only, *at, *login, *password, *quick); err != nil {
		fmt.Fprintln(os.Stderr, "shoot:", err)
		os.Exit(1)
	}
}

func run(out, only, at, login, password string, quick bool) error {
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
		if err := p.Size(l.width, 800); err != nil {
			return err
		}
		for _, v := range views(mocked) {
			if !strings.HasPrefix(v.name, only) {
				continue
			}
			if err := p.Walk(v.path); err != nil {
				return err
			}
			if err := p.Wait(v.ready); err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
			shade := ""
			if l.dark {
				shade = "-dark"
			}
			if err := p.Shot(filepath.Join(out, fmt.Sprintf("%s-%s-%d%s.png", v.name, l.name, l.width, shade)), true); err != nil {
				return err
			}
		}
	}
	return nil
}
