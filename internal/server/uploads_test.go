package server_test

import (
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/identity"
	"banyan/internal/policy"
	"banyan/internal/server"
	"banyan/internal/server/servertest"
)

// slow is an upload that stands still in the middle of its body.
type slow struct {
	form *multipart.Writer
	part io.Writer
	pipe *io.PipeWriter
	done chan answer
}

type answer struct {
	status int
	words  string
}

func (s *slow) end(t *testing.T) answer {
	t.Helper()
	if err := s.form.Close(); err != nil {
		t.Fatal(err)
	}
	s.pipe.Close()
	return <-s.done
}

// papers is a server with a route that takes a file, and a door for people who
// send one slowly.
type papers struct {
	*servertest.World
	t       *testing.T
	arrived chan int64
}

func newPapers(t *testing.T, change func(*server.Config)) *papers {
	p := &papers{t: t, arrived: make(chan int64, 20)}
	p.World = servertest.Start(t, servertest.Setup{
		Server: change,
		Routes: func(w *servertest.World) {
			huma.Register(w.Frame.API, server.Operation("POST", "/api/cases/{id}/papers", "test-upload", "A file", server.Guard{Action: policy.Read, Kind: "case", Upload: true}),
				func(_ context.Context, in *struct {
					ID      string `path:"id"`
					RawBody multipart.Form
				}) (*struct{}, error) {
					p.arrived <- in.RawBody.File["file"][0].Size
					return nil, nil
				})
		}})
	return p
}

// send begins a file and returns when the server has read from it as much as it
// will: more than the connection's buffers hold.
func (p *papers) send(user string, text string) *slow {
	t := p.t
	t.Helper()
	read, write := io.Pipe()
	s := &slow{form: multipart.NewWriter(write), pipe: write, done: make(chan answer, 1)}
	req, err := http.NewRequest("POST", p.URL+"/api/cases/x/papers", read)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", s.form.FormDataContentType())
	req.AddCookie(&http.Cookie{Name: "banyan", Value: p.SignedIn(user).Cookies["banyan"]})
	go func() {
		res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			s.done <- answer{}
			return
		}
		defer res.Body.Close()
		words, _ := io.ReadAll(res.Body)
		if res.StatusCode >= 400 && res.Header.Get("Retry-After") == "" {
			t.Error("told to come again, not when")
		}
		s.done <- answer{res.StatusCode, string(words)}
	}()
	if s.part, err = s.form.CreateFormFile("file", "scan.pdf"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s.part, text); err != nil {
		t.Fatal(err)
	}
	return s
}

var mostOfAFile = strings.Repeat("x", 14<<20)

// TestUploadsTogetherHaveABound: twelve people of a shelter press "send" on
// large files at once. Without a bound the machine's memory is gone, and with
// it the night shift's access to every case. Those who find no room are told
// to try again, and small files of others still pass.
func TestUploadsTogetherHaveABound(t *testing.T) {
	p := newPapers(t, func(c *server.Config) { c.UploadWait = time.Nanosecond })
	// Their length is not announced, so that each counts as the largest: three fit.
	var fit, refused int
	var held []*slow
	for i := range 12 {
		login := fmt.Sprintf("worker%d", i)
		u := p.AddUser(identity.NewUser{Org: p.Org.ID, Team: p.Team.ID, Login: login, Name: "Worker", Roles: []string{policy.CaseWorker}})
		held = append(held, p.send(u.ID, mostOfAFile))
	}
	for _, s := range held {
		switch a := s.end(t); a.status {
		case http.StatusNoContent:
			fit++
		case http.StatusServiceUnavailable:
			refused++
		default:
			t.Errorf("an upload was answered %d %s", a.status, a.words)
		}
	}
	if fit != 3 || refused != 9 {
		t.Errorf("%d were let in and %d told to wait, want 3 and 9", fit, refused)
	}
	for range fit {
		<-p.arrived
	}
	if a := p.send(p.Users[policy.CaseWorker].ID, mostOfAFile).end(t); a.status != http.StatusNoContent {
		t.Errorf("after all of it there is no room for one file: %d %s", a.status, a.words)
	}
}

// TestOnePersonCannotHoldTheRoom: somebody inside opens four uploads and lets
// them stand. A colleague's photograph of the number plate goes through.
func TestOnePersonCannotHoldTheRoom(t *testing.T) {
	p := newPapers(t, func(c *server.Config) { c.UploadWait = time.Nanosecond })
	one, other := p.Users[policy.CaseWorker].ID, p.Users[policy.Supervisor].ID
	var held []*slow
	for range 4 {
		held = append(held, p.send(one, mostOfAFile))
	}
	if a := p.send(other, mostOfAFile).end(t); a.status != http.StatusNoContent {
		t.Errorf("the colleague is answered %d %s", a.status, a.words)
	}
	let := 0
	for _, s := range held {
		switch a := s.end(t); {
		case a.status == http.StatusNoContent:
			let++
		case a.status != http.StatusTooManyRequests || !strings.Contains(a.words, "you are sending other files already"):
			t.Errorf("answered %d %s", a.status, a.words)
		}
	}
	if let != 1 {
		t.Errorf("%d of four large files of one person were let in at once, want 1", let)
	}
	if a := p.send(one, "small").end(t); a.status != http.StatusNoContent {
		t.Errorf("their share does not come back: %d %s", a.status, a.words)
	}
}

// TestAFileThatStandsStillGivesItsRoomBack: nothing has to be sent for the
// server to notice.
func TestAFileThatStandsStillGivesItsRoomBack(t *testing.T) {
	p := newPapers(t, func(c *server.Config) { c.UploadStall = 50 * time.Millisecond })
	one := p.Users[policy.CaseWorker].ID
	s := p.send(one, "the beginning of a file")
	if a := <-s.done; a.status != http.StatusServiceUnavailable || !strings.Contains(a.words, "too slowly") {
		t.Errorf("a file that stands still is answered %d %s", a.status, a.words)
	}
	s.pipe.Close()
	if a := p.send(one, "small").end(t); a.status != http.StatusNoContent {
		t.Errorf("the next file is answered %d %s", a.status, a.words)
	}
}
