package server

// Room for uploads. A file is held in memory while it is looked at and sealed,
// so a shelter whose whole staff sends its photographs at once could take all
// memory of a small machine, and with it the record from everybody else. What
// all uploads together may hold is bounded; who finds no room waits a while in
// the order of coming, and is then told to try again.

import (
	"context"
	"errors"
	"io"
	"net/http"
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
)

type uploads struct {
	room    *semaphore.Weighted
	wait    time.Duration
	waiting atomic.Int64
}

func newUploads(wait time.Duration) *uploads {
	if wait == 0 {
		wait = uploadWait
	}
	return &uploads{room: semaphore.NewWeighted(uploadRoom), wait: wait}
}

// enter waits for room for what the request announces; one that does not say
// how large it is counts as the largest. leave gives the room back.
func (u *uploads) enter(r *http.Request) (leave func(), err error) {
	size := r.ContentLength
	if size < 0 || size > MaxUpload+MaxBody {
		size = MaxUpload + MaxBody
	}
	if u.room.TryAcquire(size) {
		return func() { u.room.Release(size) }, nil
	}
	if u.waiting.Add(1) > uploadQueue {
		u.waiting.Add(-1)
		return nil, u.full(r, errors.New("too many uploads wait already"))
	}
	defer u.waiting.Add(-1)
	ctx, cancel := context.WithTimeout(r.Context(), u.wait)
	defer cancel()
	if err := u.room.Acquire(ctx, size); err != nil {
		return nil, u.full(r, err)
	}
	return func() { u.room.Release(size) }, nil
}

// full lets the file in and drops it: a browser that is cut off in mid-body
// never sees the answer.
func (u *uploads) full(r *http.Request, cause error) error {
	_, _ = io.CopyN(io.Discard, r.Body, 2*MaxUpload)
	return &fault.Error{Code: fault.Unavailable, Message: "many files are being sent at once; the file was not kept, send it again in a moment",
		RetryAfter: uploadAgain, Cause: cause}
}
