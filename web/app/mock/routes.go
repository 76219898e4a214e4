package mock

// The routes of the contract, as far as the app uses them.

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"banyan/content"
	"banyan/internal/forms"
)

func (s *Server) routes() {
	on := func(pattern string, h http.HandlerFunc) { s.mux.HandleFunc(pattern, h) }
	on("POST /api/sign-in", func(w http.ResponseWriter, r *http.Request) {
		b := body(r)
		login, _ := b["login"].(string)
		who, ok := users[login]
		if !ok || b["password"] != login+PasswordSuffix {
			fail(w, http.StatusUnauthorized, "wrong", "User name or password is not right.")
			return
		}
		s.user = maps.Clone(who)
		send(w, object{"me": s.me()})
	})
	on("GET /api/sign-in", func(w http.ResponseWriter, r *http.Request) { send(w, object{"password": true, "passkeys": true}) })
	on("POST /api/sign-out", func(w http.ResponseWriter, r *http.Request) { s.user = nil; w.WriteHeader(http.StatusNoContent) })
	on("GET /api/me", func(w http.ResponseWriter, r *http.Request) { send(w, s.me()) })
	on("PATCH /api/me", func(w http.ResponseWriter, r *http.Request) { s.user["lang"] = body(r)["lang"]; send(w, s.me()) })
	on("GET /api/me/sessions", func(w http.ResponseWriter, r *http.Request) {
		send(w, object{"items": []object{{"id": "s1", "device": "Firefox on Linux", "last": s.ago(0), "current": true}, {"id": "s2", "device": "Chrome on Android", "last": s.ago(26 * time.Hour)}}})
	})
	on("POST /api/me/totp", func(w http.ResponseWriter, r *http.Request) {
		send(w, object{"secret": "JBSWY3DPEHPK3PXP", "uri": "otpauth://totp/Banyan"})
	})
	on("GET /api/forms", func(w http.ResponseWriter, r *http.Request) {
		var out []object
		for _, f := range s.lib.Forms() {
			out = append(out, object{"id": f.ID, "title": f.Title(r.FormValue("lang")), "version": f.Version, "stream": f.Stream, "single": f.Single, "filled_by": f.FilledBy, "status": f.Status})
		}
		send(w, out)
	})
	on("GET /api/forms/{id}", func(w http.ResponseWriter, r *http.Request) {
		f, ok := s.lib.Form(r.PathValue("id"))
		if !ok {
			absent(w)
			return
		}
		send(w, f.Describe(r.FormValue("lang")))
	})
	on("GET /api/instruments/{id}", func(w http.ResponseWriter, r *http.Request) {
		send(w, s.instruments.InForce().Describe(r.FormValue("lang")))
	})
	on("GET /api/lists/{id}", func(w http.ResponseWriter, r *http.Request) {
		l, ok := s.lib.DescribeList(r.PathValue("id"), r.FormValue("lang"))
		if !ok {
			absent(w)
			return
		}
		send(w, l)
	})
	on("GET /api/places", s.places)
	on("GET /api/people", func(w http.ResponseWriter, r *http.Request) { send(w, people) })
	on("GET /api/organisations", func(w http.ResponseWriter, r *http.Request) { send(w, organisations) })
	on("GET /api/today", func(w http.ResponseWriter, r *http.Request) { send(w, s.today()) })
	on("POST /api/find", s.search)
	on("GET /api/cases", s.list)
	on("POST /api/cases", s.open)
	on("GET /api/cases/{id}", func(w http.ResponseWriter, r *http.Request) {
		if c := s.find(r.PathValue("id")); c != nil {
			send(w, s.page(c))
			return
		}
		absent(w)
	})
	on("GET /api/cases/{id}/records/{record}", s.record)
	on("GET /api/cases/{id}/prefill/{form}", s.prefill)
	on("POST /api/entries", s.entries)
	on("GET /api/cases/{id}/access", func(w http.ResponseWriter, r *http.Request) { send(w, s.access()) })
	on("POST /api/cases/{id}/files", s.keepFile)
	on("POST /api/cases/{id}/print", func(w http.ResponseWriter, r *http.Request) {
		c := s.find(r.PathValue("id"))
		if c == nil {
			absent(w)
			return
		}
		send(w, object{"code": c.page["code"], "at": s.ago(0), "by": s.user["name"]})
	})
	on("GET /api/cases/{id}/alike", func(w http.ResponseWriter, r *http.Request) { send(w, []object{}) })
	for _, act := range []string{"move", "assign", "approve", "acknowledge", "break-glass", "exclusions", "alike"} {
		on("POST /api/cases/{id}/"+act, func(w http.ResponseWriter, r *http.Request) {
			c := s.find(r.PathValue("id"))
			if c == nil {
				absent(w)
				return
			}
			switch act {
			case "approve":
				c.page["approvals"] = []object{}
			case "acknowledge":
				c.page["tasks"] = []object{}
			}
			send(w, object{})
		})
	}
	on("GET /api/inbox", func(w http.ResponseWriter, r *http.Request) { send(w, s.inbox()) })
	on("GET /api/team", func(w http.ResponseWriter, r *http.Request) { send(w, s.team()) })
	on("GET /api/register/variables", func(w http.ResponseWriter, r *http.Request) { send(w, variables) })
	on("GET /api/register/sources", func(w http.ResponseWriter, r *http.Request) {
		send(w, []object{{"id": "own", "label": "Own cases"}, {"id": "ctdc", "label": "CTDC global synthetic 2021"}})
	})
	on("GET /api/register/table", func(w http.ResponseWriter, r *http.Request) { send(w, table()) })
	on("GET /api/admin/users", func(w http.ResponseWriter, r *http.Request) { // two a page
		chosen := []object{}
		for _, u := range adminUsers {
			if state := r.FormValue("state"); state == "" || u["state"] == state {
				chosen = append(chosen, u)
			}
		}
		if r.FormValue("cursor") != "" {
			send(w, object{"items": chosen[2:]})
		} else if len(chosen) > 2 {
			send(w, object{"items": chosen[:2], "next": "2"})
		} else {
			send(w, object{"items": chosen})
		}
	})
	on("GET /api/admin/organisations", func(w http.ResponseWriter, r *http.Request) { send(w, object{"items": organisations}) })
	on("GET /api/admin/teams", func(w http.ResponseWriter, r *http.Request) {
		send(w, object{"items": []object{{"id": "t1", "name": "Border team"}}})
	})
	on("GET /api/admin/policy", func(w http.ResponseWriter, r *http.Request) {
		send(w, object{"rows": policyRows, "roles": named("case_worker", "Case worker", "supervisor", "Supervisor"), "relations": named("assigned", "the record is assigned to you", "supervised", "you supervise the record", "none", "no relation"),
			"tiers": named("coded", "services and codes", "story", "what was told"), "always": []string{"What no rule allows is denied."},
			"grid": []object{{"kind": "case", "role": "case_worker", "relation": "assigned", "read": []string{"coded", "story"}}, {"kind": "case", "role": "supervisor", "relation": "supervised", "read": []string{"coded"}}}})
	})
	on("GET /api/admin/content", func(w http.ResponseWriter, r *http.Request) {
		var fs []object
		for _, f := range s.lib.Forms() {
			fs = append(fs, object{"id": f.ID, "title": f.Title("en"), "version": f.Version, "status": f.Status})
		}
		send(w, object{"forms": fs, "lists": len(s.lib.Lists()), "faults": []object{}, "languages": []object{{"language": "vi", "status": "drafted", "covered": 90, "total": 100}}})
	})
	on("GET /api/admin/audit", func(w http.ResponseWriter, r *http.Request) {
		send(w, object{"items": []object{{"at": s.ago(3 * time.Hour), "by": "Root", "action": "invite", "words": "invited a case worker"}}})
	})
	on("POST /api/admin/policy/why", func(w http.ResponseWriter, r *http.Request) {
		send(w, object{"allowed": true, "words": "the case is assigned to them", "relation": "assigned", "tiers": []string{"coded", "story"}})
	})
	on("POST /api/admin/invitations", func(w http.ResponseWriter, r *http.Request) { send(w, object{"token": "example-token"}) })
}

func named(pairs ...string) []object {
	var out []object
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, object{"id": pairs[i], "text": pairs[i+1]})
	}
	return out
}

func absent(w http.ResponseWriter) {
	fail(w, http.StatusNotFound, "denied_or_absent", "There is nothing here for you.")
}

func (s *Server) ago(d time.Duration) string { return s.Now().Add(-d).Format(time.RFC3339) }

func (s *Server) me() object {
	return object{
		"user": s.user, "org": object{"id": "o1", "name": "River House"}, "team": "Border team",
		"may":     s.user["may"],
		"counts":  object{"today": 5, "inbox": 1},
		"session": object{"idle_ends": s.ago(-time.Hour), "ends": s.ago(-8 * time.Hour)},
	}
}

func (s *Server) places(w http.ResponseWriter, r *http.Request) {
	f, err := content.FS.Open("places.csv")
	if err != nil {
		send(w, []object{})
		return
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.Comment, in.FieldsPerRecord = '#', -1
	rows, _ := in.ReadAll()
	out := []object{}
	for _, row := range rows {
		if len(row) > 4 && row[0] == r.FormValue("country") && row[4] == r.FormValue("parent") {
			out = append(out, object{"code": row[2], "name": row[3]})
		}
	}
	send(w, out)
}

func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	b := body(r)
	wanted := strings.ToLower(fmt.Sprint(b["q"], " ", b["name"], " ", b["code"]))
	out := []object{}
	for _, c := range s.cases {
		sum := s.summary(c)
		for _, word := range strings.Fields(wanted) {
			if word != "<nil>" && strings.Contains(strings.ToLower(fmt.Sprint(sum["name"], sum["names"], sum["code"])), word) {
				out = append(out, object{"case": sum, "score": 0.9, "why": []object{{"kind": "name", "text": "the name sounds alike"}, {"kind": "age", "text": "about the same age"}}})
				break
			}
		}
	}
	send(w, object{"searched": 412, "candidates": out})
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	items := []object{}
	for _, c := range s.cases {
		if want := r.FormValue("risk"); want != "" && s.summary(c)["risk"] != want {
			continue
		}
		items = append(items, s.summary(c))
	}
	send(w, object{"items": items})
}

func (s *Server) open(w http.ResponseWriter, r *http.Request) {
	entries, _ := body(r)["entries"].([]any)
	if len(entries) == 0 {
		fail(w, http.StatusUnprocessableEntity, "misuse", "There is no entry.")
		return
	}
	first := entries[0].(object)
	id, _ := first["stream"].(string)
	c := s.find(id)
	if c == nil {
		c = &aCase{page: emptyPage(id, fmt.Sprintf("KH-N%03d", len(s.cases))), records: map[string]*record{}}
		s.cases = append(s.cases, c)
	}
	send(w, object{"case": object{"id": id, "code": c.page["code"]}, "results": []object{s.take(first)}})
}

func (s *Server) entries(w http.ResponseWriter, r *http.Request) {
	list, _ := body(r)["entries"].([]any)
	out := []object{}
	for _, e := range list {
		out = append(out, s.take(e.(object)))
	}
	send(w, object{"results": out})
}

// take accepts one entry by the real rules of its form, or refuses it.
func (s *Server) take(e object) object {
	id := fmt.Sprint(e["id"])
	if s.seen[id] {
		return object{"id": id, "status": "already"}
	}
	if s.refuse != "" {
		message := s.refuse
		s.refuse = ""
		return object{"id": id, "status": "refused", "problems": []object{{"path": "facts", "code": "constraint", "message": message}}}
	}
	c := s.find(fmt.Sprint(e["stream"]))
	f, ok := s.lib.Form(fmt.Sprint(e["form"]))
	if c == nil || !ok {
		return object{"id": id, "status": "refused", "problems": []object{{"path": "", "code": "denied_or_absent", "message": "There is nothing here for you."}}}
	}
	answers, _ := e["answers"].(object)
	rid := fmt.Sprint(e["record"])
	rec := c.records[rid]
	env := forms.Env{Now: s.Now(), NewID: func() string { return id }}
	var problems []forms.Problem
	switch e["act"] {
	case "submit":
		answers, problems = f.Check(answers, env)
	case "amend":
		if rec == nil {
			return object{"id": id, "status": "refused"}
		}
		answers, problems = f.CheckAmend(rec.answers, answers, env)
		if len(problems) == 0 {
			answers = f.Apply(rec.answers, answers)
		}
	}
	if len(problems) > 0 {
		return object{"id": id, "status": "refused", "problems": problems}
	}
	s.seen[id] = true
	if rec == nil {
		rec = &record{form: f.ID, id: rid, version: f.Version, author: fmt.Sprint(s.user["name"])}
		c.records[rid] = rec
	}
	rec.heads, rec.at = []string{id}, s.Now()
	line := object{"entry": id, "act": e["act"], "at": s.ago(0), "author": s.user["name"]}
	if e["act"] == "strike" {
		rec.struck = true
		line["reason"] = e["reason"]
	} else {
		rec.answers, rec.disputes = answers, nil
		var changed []string
		for k := range answers {
			changed = append(changed, k)
		}
		line["changed"] = changed
	}
	rec.history = append(rec.history, line)
	var said []object
	if words, ok := answers["facts"].(string); ok {
		said = append(said, object{"label": "Facts", "text": words, "tier": "story", "words": true})
	}
	timeline, _ := c.page["timeline"].([]object)
	c.page["timeline"] = append([]object{{"entry": id, "record": rid, "form": f.ID, "title": f.Title("en"), "act": e["act"], "at": s.ago(0), "author": s.user["name"], "summary": said}}, timeline...)
	return object{"id": id, "status": "accepted", "seq": len(s.seen), "recorded_at": s.ago(0)}
}

// keepFile takes a file under the id that its writer made, or refuses it.
func (s *Server) keepFile(w http.ResponseWriter, r *http.Request) {
	c := s.find(r.PathValue("id"))
	f, head, err := r.FormFile("file")
	if c == nil || err != nil {
		absent(w)
		return
	}
	f.Close()
	if s.refuse != "" {
		message := s.refuse
		s.refuse = ""
		fail(w, http.StatusUnprocessableEntity, "misuse", message)
		return
	}
	file := object{"id": r.FormValue("id"), "name": head.Filename, "media": "text/plain", "size": head.Size, "at": s.ago(0), "sha256": strings.Repeat("a", 64), "state": "plain"}
	files, _ := c.page["files"].([]object)
	c.page["files"] = append(files, file)
	send(w, file)
}

func (s *Server) record(w http.ResponseWriter, r *http.Request) {
	c := s.find(r.PathValue("id"))
	if c == nil || c.records[r.PathValue("record")] == nil {
		absent(w)
		return
	}
	rec := c.records[r.PathValue("record")]
	send(w, object{"record": rec.id, "form": rec.form, "version": rec.version, "heads": rec.heads, "answers": rec.answers, "struck": rec.struck, "history": rec.history, "disputes": orEmpty(rec.disputes), "missing": []object{}})
}

func orEmpty(list []object) []object {
	if list == nil {
		return []object{}
	}
	return list
}

func (s *Server) prefill(w http.ResponseWriter, r *http.Request) {
	c := s.find(r.PathValue("id"))
	f, ok := s.lib.Form(r.PathValue("form"))
	if c == nil || !ok {
		absent(w)
		return
	}
	answers, from := f.Prefill(forms.Env{Now: s.Now(), Known: func(p string) any {
		form, field, _ := strings.Cut(p, ".")
		for _, rec := range c.records {
			if rec.form == form {
				return rec.answers[field]
			}
		}
		return nil
	}})
	out := object{}
	for path, source := range from {
		form, _, found := strings.Cut(source, ".")
		if !found {
			continue
		}
		if src, ok := s.lib.Form(form); ok {
			out[path] = object{"form": form, "title": src.Title(""), "at": s.ago(10 * 24 * time.Hour), "author": "Border post"}
		}
	}
	send(w, object{"answers": answers, "from": out})
}
