package server_test

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/policy"
	"banyan/internal/server"
	"banyan/internal/server/servertest"
)

// slow is an upload that stands still in the middle of its body.
type slow struct {
	form *multipart.Writer
	part io.Writer
	pipe *io.PipeWriter
	done chan int // its status
}

func (s *slow) end(t *testing.T) int {
	t.Helper()
	if err := s.form.Close(); err != nil {
		t.Fatal(err)
	}
	s.pipe.Close()
	return <-s.done
}

// TestUploadsTogetherHaveABound: twelve people of a shelter press "send" on
// large files at once. Without a bound the machine's memory is gone, and with
// it the night shift's access to every case. Those who find no room are told
// to try again, and small files of others still pass.
func TestUploadsTogetherHaveABound(t *testing.T) {
	most := strings.Repeat("x", 14<<20)
	arrived := make(chan int64, 20)
	w := servertest.Start(t, servertest.Setup{
		Server: func(c *server.Config) { c.UploadWait = time.Nanosecond },
		Routes: func(w *servertest.World) {
			huma.Register(w.Frame.API, server.Operation("POST", "/api/cases/{id}/papers", "test-upload", "A file", server.Guard{Action: policy.Read, Kind: "case", Upload: true}),
				func(_ context.Context, in *struct {
					ID      string `path:"id"`
					RawBody multipart.Form
				}) (*struct{}, error) {
					arrived <- in.RawBody.File["file"][0].Size
					return nil, nil
				})
		}})
	cookie := w.As(policy.CaseWorker).Cookies["banyan"]
	send := func() *slow {
		read, write := io.Pipe()
		s := &slow{form: multipart.NewWriter(write), pipe: write, done: make(chan int, 1)}
		req, err := http.NewRequest("POST", w.URL+"/api/cases/x/papers", read)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", s.form.FormDataContentType())
		req.AddCookie(&http.Cookie{Name: "banyan", Value: cookie})
		go func() {
			res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
			if err != nil {
				s.done <- 0
				return
			}
			defer res.Body.Close()
			if res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") == "" {
				t.Error("told to come again, not when")
			}
			s.done <- res.StatusCode
		}()
		if s.part, err = s.form.CreateFormFile("file", "scan.pdf"); err != nil {
			t.Fatal(err)
		}
		// More than the connection's buffers hold: the server reads it, so that
		// this upload has room or was told that there is none.
		if _, err := io.WriteString(s.part, most); err != nil {
			t.Fatal(err)
		}
		return s
	}
	// Their length is not announced, so that each counts as the largest: three fit.
	var fit, refused int
	var held []*slow
	for range 12 {
		held = append(held, send())
	}
	for _, s := range held {
		switch status := s.end(t); status {
		case http.StatusNoContent:
			fit++
		case http.StatusServiceUnavailable:
			refused++
		default:
			t.Errorf("an upload was answered %d", status)
		}
	}
	if fit != 3 || refused != 9 {
		t.Errorf("%d were let in and %d told to wait, want 3 and 9", fit, refused)
	}
	for range fit {
		<-arrived
	}
	if s := send(); s.end(t) != http.StatusNoContent {
		t.Error("after all of it there is no room for one file")
	}
}
