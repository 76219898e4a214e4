package scope

// This file spreads independent pieces of work over the cores and reports
// progress. It promises that results land by number, never by arrival, and
// that a cancelled context stops the work soon.

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Progress hears about long work: what is being done, how much of it is done.
// It may be called from several goroutines, one at a time.
type Progress func(what string, done, total int)

// team is how a run spreads its work.
type team struct {
	cores    int
	progress Progress
	mu       *sync.Mutex
}

func newTeam(cores int, p Progress) team {
	if cores <= 0 {
		cores = runtime.GOMAXPROCS(0)
	}
	return team{cores, p, &sync.Mutex{}}
}

func (w team) tell(what string, done, total int) {
	if w.progress == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress(what, done, total)
}

// each calls do(worker, i) for i in 0..n-1; at most one call per worker runs
// at a time, so that a worker may own buffers. The order of calls is free.
func (w team) each(ctx context.Context, what string, n int, do func(worker, i int)) error {
	var next, done atomic.Int64
	step := int64(max(1, n/100))
	var group sync.WaitGroup
	for worker := range min(w.cores, n) {
		group.Add(1)
		go func() {
			defer group.Done()
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(n) {
					return
				}
				do(worker, int(i))
				if d := done.Add(1); d%step == 0 || d == int64(n) {
					w.tell(what, int(d), n)
				}
			}
		}()
	}
	group.Wait()
	return ctx.Err()
}
