package journal_test

import (
	"context"
	"sync"
	"testing"

	"banyan/internal/journal"
)

// TestWhatIsAppendedDuringARebuildIsDrawn: nobody should be served during a
// rebuild, but what is written all the same must show.
func TestWhatIsAppendedDuringARebuildIsDrawn(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		var streams []string
		for range 30 {
			s := newID()
			h.mustAccept(t, s, h.draft(s, newID(), journal.Submit, "A"))
			streams = append(streams, s)
		}
		var wg sync.WaitGroup
		for w := range 3 {
			wg.Go(func() {
				for i := range 10 {
					s := streams[w*10+i]
					if i%3 == 0 {
						s = newID()
					}
					got, err := h.journal.Append(ctx, journal.Write{Stream: s, Kind: "case", Org: "o1", Drafts: []journal.Draft{h.draft(s, newID(), journal.Submit, "B")}})
					if err != nil || got[0].Status != journal.Accepted {
						t.Errorf("append during a rebuild: %v %v", got, err)
					}
				}
			})
		}
		for range 3 {
			if _, err := h.journal.Rebuild(ctx, nil); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		live := dump(t, h.db)
		if _, err := h.journal.Rebuild(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if again := dump(t, h.db); again != live {
			t.Errorf("drawn while entries came:\n%s\ndrawn after:\n%s", live, again)
		}
	})
}
