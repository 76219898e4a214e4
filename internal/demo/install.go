package demo

// Writing the invented country into a journal.

import (
	"context"
	"fmt"
	"time"

	"banyan/internal/journal"
	"banyan/internal/store"
)

// batch is how many cases one transaction writes.
const batch = 50

// Clock is the clock of a journal that receives an invented past: entries are
// recorded a minute after they were written, not all at the start of the demo.
type Clock struct{ at, latest time.Time }

// NewClock makes a clock that never passes latest.
func NewClock(latest time.Time) *Clock { return &Clock{latest, latest} }

// Now is the clock's reading, for journal.New.
func (c *Clock) Now() time.Time { return c.at }

func (c *Clock) set(written time.Time) {
	c.at = written.Add(time.Minute)
	if c.at.After(c.latest) {
		c.at = c.latest
	}
}

// Write appends cases to a journal whose clock is c. It gives the number of
// entries; a refused entry is an error, since nothing here should be refused.
func Write(ctx context.Context, j *journal.Journal, c *Clock, cases []Case, org func(key string) string, progress func(done, total int64)) (int, error) {
	entries := 0
	check := func(_ context.Context, _ *store.Tx, _ journal.Stream, _ []journal.Opened, d journal.Draft) error {
		c.set(d.WrittenAt)
		return nil
	}
	for from := 0; from < len(cases); from += batch {
		to := min(from+batch, len(cases))
		var writes []journal.Write
		for _, k := range cases[from:to] {
			writes = append(writes, journal.Write{Stream: k.Stream, Kind: "case", Org: org(k.Org), Drafts: k.Drafts, Check: check})
		}
		all, err := j.AppendAll(ctx, writes)
		if err != nil {
			return entries, fmt.Errorf("writing the invented cases: %w", err)
		}
		for i, receipts := range all {
			for k, r := range receipts {
				if r.Status != journal.Accepted {
					return entries, fmt.Errorf("writing the invented cases: %s was %s: %w", writes[i].Drafts[k].Form, r.Status, r.Err)
				}
				entries++
			}
		}
		if progress != nil {
			progress(int64(to), int64(len(cases)))
		}
	}
	return entries, nil
}
