package journal

// Folds that wait: records folded before a transaction, for the projection
// drawn in it.

import "sync"

// mostFolds bounds the streams whose folds wait.
const mostFolds = 256

// Folds folds histories of which all tiers are open, and remembers each
// stream's last fold until it is used, so that the same history costs one
// fold, and a longer one only the records that were added to. Its zero value
// is ready; it is safe for concurrent use.
type Folds struct {
	mu   sync.Mutex
	kept map[string]folded // by stream
}

type folded struct {
	head    Hash
	n       int
	records map[string]*Record
}

// Ahead folds a history for a Fold that follows.
func (f *Folds) Ahead(s Stream, history []Opened, shapes Shapes) {
	records := Fold(history, shapes)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept == nil || len(f.kept) >= mostFolds {
		f.kept = map[string]folded{}
	}
	f.kept[s.ID] = folded{history[len(history)-1].Hash, len(history), records}
}

// Fold gives what Fold gives, by way of what Ahead found out.
func (f *Folds) Fold(s Stream, history []Opened, shapes Shapes) map[string]*Record {
	f.mu.Lock()
	had, ok := f.kept[s.ID]
	delete(f.kept, s.ID)
	f.mu.Unlock()
	if !ok || had.n == 0 || had.n > len(history) || history[had.n-1].Hash != had.head {
		return Fold(history, shapes)
	}
	changed := map[string][]Opened{}
	for _, o := range history[had.n:] {
		changed[o.Record] = nil
	}
	if len(changed) == 0 {
		return had.records
	}
	for _, o := range history {
		if _, ok := changed[o.Record]; ok {
			changed[o.Record] = append(changed[o.Record], o)
		}
	}
	for id, entries := range changed {
		had.records[id] = foldRecord(id, entries, shapes)
	}
	return had.records
}
