package journal_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"banyan/internal/journal"
	"banyan/internal/store"
)

// meddler writes to a stream, or erases it, between what an append read ahead
// and its transaction: it is called as a projection that foresees.
type meddler struct {
	titles
	once sync.Once
	do   func()
	saw  []int // lengths of the histories foreseen
}

func (m *meddler) Foresee(_ journal.Stream, history []journal.Opened) {
	m.saw = append(m.saw, len(history))
	if m.do != nil {
		m.once.Do(m.do)
	}
}

func TestAnAppendSeesWhatWasWrittenAfterItReadAhead(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		stream, record := newID(), newID()
		first := h.draft(stream, record, journal.Submit, "A")
		h.mustAccept(t, stream, first)
		between := h.draft(stream, record, journal.Amend, "B", first.ID)
		m := &meddler{do: func() { h.mustAccept(t, stream, between) }}
		j := journal.New(h.db, h.vault, h.clock.now, m)
		late := h.draft(stream, record, journal.Amend, "C", between.ID)
		var seen int
		receipts, err := j.Append(context.Background(), journal.Write{Stream: stream, Kind: "case", Org: "o1", Drafts: []journal.Draft{late},
			Check: func(_ context.Context, _ *store.Tx, s journal.Stream, history []journal.Opened, _ journal.Draft) error {
				seen = len(history)
				return nil
			}})
		if err != nil || receipts[0].Status != journal.Accepted {
			t.Fatalf("%v %v", receipts, err)
		}
		if seen != 2 || receipts[0].Seq != 3 {
			t.Errorf("the check saw %d entries and the new one is number %d; 2 stood, one of them written in between", seen, receipts[0].Seq)
		}
		if report, err := j.Verify(context.Background(), nil, nil); err != nil || len(report.Wrong) > 0 {
			t.Errorf("verify: %+v %v", report.Wrong, err)
		}
	})
}

func TestNothingIsWrittenToAStreamErasedAfterItWasReadAhead(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		stream, record := newID(), newID()
		first := h.draft(stream, record, journal.Submit, "A")
		h.mustAccept(t, stream, first)
		ctx := context.Background()
		m := &meddler{do: func() {
			id, err := h.journal.AskErasure(ctx, journal.ErasureRequest{Stream: stream, Reason: "asked", AskedBy: "u1"})
			if err == nil {
				err = h.journal.ApproveErasure(ctx, id, "u2")
			}
			if err != nil {
				t.Fatal(err)
			}
		}}
		j := journal.New(h.db, h.vault, h.clock.now, m)
		receipts, err := j.Append(ctx, journal.Write{Stream: stream, Kind: "case", Org: "o1", Drafts: []journal.Draft{h.draft(stream, record, journal.Amend, "B", first.ID)}})
		if err != nil || receipts[0].Status != journal.Refused || !errors.Is(receipts[0].Err, journal.ErrErased) {
			t.Fatalf("got %v %v, want the entry refused because the stream is erased", receipts, err)
		}
	})
}

// TestAFoldAheadChangesNothing folds a part of a random history first, or
// another stream's, or nothing.
func TestAFoldAheadChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var history []journal.Opened
		heads := map[string][]string{}
		for i := range rapid.IntRange(1, 8).Draw(t, "entries") {
			record := rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "record")
			o := said(string(rune('a'+i)), i, fields("sex", rapid.SampledFrom([]string{"female", "male"}).Draw(t, "sex"),
				"family", []any{row("1", rapid.SampledFrom([]string{"x", "y"}).Draw(t, "text"))}))
			o.Record, o.Hash = record, journal.Hash{byte(i + 1)}
			if heads[record] != nil {
				o.Act = journal.Amend
				o.Follows = rapid.SliceOfNDistinct(rapid.SampledFrom(heads[record]), 1, len(heads[record]), rapid.ID).Draw(t, "follows")
			}
			heads[record] = append(heads[record], o.ID)
			history = append(history, o)
		}
		var folds journal.Folds
		s := journal.Stream{ID: "s", CreatedAt: time.Unix(0, 0)}
		if n := rapid.IntRange(0, len(history)).Draw(t, "ahead"); n > 0 {
			folds.Ahead(s, history[:n], shapes)
		}
		want := journal.Fold(history, shapes)
		if got := folds.Fold(s, history, shapes); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if got := folds.Fold(s, history[:1], shapes); !reflect.DeepEqual(got, journal.Fold(history[:1], shapes)) {
			t.Fatalf("a second fold went on from the first one's: %v", got)
		}
	})
}

// TestRowsReadAheadDoNotOutliveARebuild: between what an append reads ahead and
// its transaction every table is emptied and drawn anew.
func TestRowsReadAheadDoNotOutliveARebuild(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		stream, record := newID(), newID()
		first := h.draft(stream, record, journal.Submit, "A")
		h.mustAccept(t, stream, first)
		if _, err := h.db.Exec(ctx, `DELETE FROM title`); err != nil { // read ahead: nothing is drawn
			t.Fatal(err)
		}
		var j *journal.Journal
		m := &meddler{do: func() {
			if _, err := j.Rebuild(ctx, nil); err != nil {
				t.Fatal(err)
			}
		}}
		j = journal.New(h.db, h.vault, h.clock.now, m)
		receipts, err := j.Append(ctx, journal.Write{Stream: stream, Kind: "case", Org: "o1", Drafts: []journal.Draft{h.draft(stream, newID(), journal.Submit, "B")}})
		if err != nil || receipts[0].Status != journal.Accepted {
			t.Fatalf("%v %v", receipts, err)
		}
		var rows, records int
		if err := h.db.QueryRow(ctx, `SELECT count(*), max(records) FROM title`).Scan(&rows, &records); err != nil || rows != 1 || records != 2 {
			t.Errorf("%d rows, one of %d records (%v), want one row of 2", rows, records, err)
		}
	})
}
