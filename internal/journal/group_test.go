package journal_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"banyan/internal/journal"
	"banyan/internal/store"
)

func TestWritersWhoWaitTogetherAreAcknowledgedEachForThemselves(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		const writers = 24
		broken := errors.New("this one fails")
		receipts := make([][]journal.Receipt, writers)
		failed := make([]error, writers)
		drafts := make([]journal.Draft, writers)
		streams := []string{newID(), newID(), newID()}
		for i := range writers { // the clock of the test is not for many goroutines
			drafts[i] = h.draft(streams[i%len(streams)], newID(), journal.Submit, "A")
		}
		still := h.clock.now()
		j := journal.New(h.db, h.vault, func() time.Time { return still }, titles{})
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				w := journal.Write{Stream: drafts[i].Stream, Kind: "case", Org: "o1", Drafts: drafts[i : i+1]}
				if i%8 == 3 {
					w.Also = func(context.Context, *store.Tx, journal.Stream, []journal.Opened) error { return broken }
				}
				receipts[i], failed[i] = j.Append(ctx, w)
			})
		}
		wg.Wait()
		kept := 0
		for i := range writers {
			if i%8 == 3 {
				if !errors.Is(failed[i], broken) {
					t.Errorf("writer %d, who must fail, got %v", i, failed[i])
				}
				continue
			}
			if failed[i] != nil || receipts[i][0].Status != journal.Accepted {
				t.Errorf("writer %d: %v %v", i, receipts[i], failed[i])
			}
			kept++
		}
		stand := map[string]bool{}
		for _, s := range streams {
			for _, o := range h.history(t, s, journal.Tiers...) {
				stand[o.ID] = true
			}
		}
		for i, d := range drafts {
			if stand[d.ID] != (i%8 != 3) {
				t.Errorf("the entry of writer %d stands: %v", i, stand[d.ID])
			}
		}
		if len(stand) != kept {
			t.Errorf("%d entries stand, %d were acknowledged", len(stand), kept)
		}
		report, err := j.Verify(context.Background(), nil, nil)
		if err != nil || len(report.Wrong) > 0 {
			t.Errorf("verify: %+v %v", report.Wrong, err)
		}
	})
}
