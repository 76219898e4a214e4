package server

// Room for uploads. A file is held in memory while it is looked at and sealed,
// so a shelter whose whole staff sends its photographs at once could take all
// memory of a small machine, and with it the record from everybody else. What
// all uploads together may hold is bounded; who finds no room waits a while in
// the order of coming, and is then told to try again.
//
// Nor can one person hold the room for all: each has at most a third of it,
// whatever number of devices, and a file that stands still or trickles is sent
// away before its time is over.

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"banyan/internal/fault"
)

const (
	uploadRoom  = 64 << 20 // bytes that all uploads together may announce
	uploadWait  = 20 * time.Second
	uploadQueue = 32 // who may wait at once
	uploadAgain = 30 * time.Second

	uploadShare = MaxUpload + MaxBody // bytes one person may announce: the largest file, or some small ones
	uploadMine  = 4                   // files of one person at once
	uploadStall = 20 * time.Second    // how far a file may fall behind its speed
	uploadSpeed = 8 << 10             // bytes a second at least: the slowest mobile network
)

type uploads struct {
	room    *semaphore.Weighted
	wait    time.Duration
	stall   time.Duration
	waiting atomic.Int64

	mu    sync.Mutex
	mine  map[string]int64 // bytes, by person
	count map[string]int
}

func newUploads(wait, stall time.Duration) *uploads {
	if wait == 0 {
		wait = uploadWait
	}
	if stall == 0 {
		stall = uploadStall
	}
	return &uploads{room: semaphore.NewWeighted(uploadRoom), wait: wait, stall: stall, mine: map[string]int64{}, count: map[string]int{}}
}

// enter takes a file in: its sender's share, then room for what the request
// announces; one that does not say how large it is counts as the largest. leave
// gives both back.
func (u *uploads) enter(w http.ResponseWriter, r *http.Request, person string) (leave func(), err error) {
	size := r.ContentLength
	if size < 0 || size > MaxUpload+MaxBody {
		size = MaxUpload + MaxBody
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = u.paced(w, r.Body, size)
	}
	if !u.share(person, size) {
		return nil, u.refused(r, &fault.Error{Code: fault.RateLimited, Message: "you are sending other files already; send this one when they are kept", RetryAfter: uploadAgain})
	}
	if err := u.find(r, size); err != nil {
		u.unshare(person, size)
		return nil, err
	}
	return func() {
		u.room.Release(size)
		u.unshare(person, size)
	}, nil
}

func (u *uploads) share(person string, size int64) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count[person] >= uploadMine || u.mine[person]+size > uploadShare {
		return false
	}
	u.count[person]++
	u.mine[person] += size
	return true
}

func (u *uploads) unshare(person string, size int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mine[person] -= size
	if u.count[person]--; u.count[person] == 0 {
		delete(u.count, person)
		delete(u.mine, person)
	}
}

// find waits for room.
func (u *uploads) find(r *http.Request, size int64) error {
	if u.room.TryAcquire(size) {
		return nil
	}
	if u.waiting.Add(1) > uploadQueue {
		u.waiting.Add(-1)
		return u.full(r, errors.New("too many uploads wait already"))
	}
	defer u.waiting.Add(-1)
	ctx, cancel := context.WithTimeout(r.Context(), u.wait)
	defer cancel()
	if err := u.room.Acquire(ctx, size); err != nil {
		return u.full(r, err)
	}
	return nil
}

func (u *uploads) full(r *http.Request, cause error) error {
	return u.refused(r, &fault.Error{Code: fault.Unavailable, Message: "many files are being sent at once; the file was not kept, send it again in a moment",
		RetryAfter: uploadAgain, Cause: cause})
}

// refused lets the file in and drops it: a browser that is cut off in mid-body
// never sees the answer.
func (u *uploads) refused(r *http.Request, err error) error {
	_, _ = io.CopyN(io.Discard, r.Body, 2*MaxUpload)
	return err
}

// receive reads the form, so that a file that came too slowly is told so.
// Other mistakes of a form are the handler's to name.
func (u *uploads) receive(r *http.Request) error {
	err := r.ParseMultipartForm(2 * (MaxUpload + MaxBody))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &fault.Error{Code: fault.Unavailable, Message: "the file came too slowly and was not kept; send it again where the connection is better, or send a smaller one",
			RetryAfter: uploadAgain, Cause: err}
	case errors.Is(err, errTooLong):
		return fault.New(fault.TooLarge, "the file is larger than 20 MB")
	}
	return nil
}

var errTooLong = errors.New("the body is longer than any file may be")

// pacedBody is a body that has to come at a speed. due is when the next bytes
// must be there: what has come moves it on, never further than the stall.
type pacedBody struct {
	io.ReadCloser
	deadline func(time.Time) error
	speed    float64 // bytes a second
	stall    time.Duration
	due      time.Time
}

func (u *uploads) paced(w http.ResponseWriter, body io.ReadCloser, size int64) *pacedBody {
	speed := max(uploadSpeed, float64(size)/uploadTime.Seconds())
	return &pacedBody{ReadCloser: body, deadline: http.NewResponseController(w).SetReadDeadline, speed: speed, stall: u.stall}
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.due.IsZero() { // it may have waited for room
		b.due = time.Now().Add(b.stall) // a connection's deadline, no time of the work
	}
	_ = b.deadline(b.due) // a test's writer has none
	n, err := b.ReadCloser.Read(p)
	b.due = b.due.Add(time.Duration(float64(n) / b.speed * float64(time.Second)))
	if most := time.Now().Add(b.stall); b.due.After(most) {
		b.due = most
	}
	if err != nil { // at its end: what follows has its own time
		_ = b.deadline(time.Now().Add(uploadTime))
	}
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		err = errTooLong
	}
	return n, err
}
