package bench

// What is measured inside this process: filling, reading, writing, verifying
// and rebuilding.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"banyan/content"
	"banyan/internal/casework"
)

const (
	mib      = 1 << 20
	whatFill = "write invented entries, 50 cases a transaction"
)

// fill invents the country.
func (r *run) fill(ctx context.Context) error {
	var err error
	if r.app, err = r.cfg.Open(ctx); err != nil {
		return err
	}
	if err := r.app.DB.QueryRow(ctx, `SELECT size FROM log_head WHERE one = 1`).Scan(&r.report.Entries); err != nil {
		return err
	}
	if r.report.Entries > 0 {
		r.add(Row{What: whatFill, Unit: "/s", Note: "not measured: the data folder was filled before"})
		return r.close()
	}
	began, used := time.Now(), r.cpu()
	last := began
	_, n, err := r.app.InstallDemo(ctx, r.cfg.Cases, r.cfg.Seed, func(done, total int64) {
		if time.Since(last) > 10*time.Second {
			last = time.Now()
			fmt.Fprintf(r.cfg.Log, "inventing cases: %d of %d\n", done, total)
		}
	})
	if err != nil {
		return err
	}
	r.report.Entries = n
	r.rate(whatFill, 0, n, began, used)
	if _, err := r.app.Journal.Checkpoint(ctx); err != nil {
		return err
	}
	return r.close()
}

// reopen measures the size of what was written and opens it as a start does.
func (r *run) reopen(ctx context.Context) error {
	row := Row{What: "database and keyring, bytes an entry", Unit: "B"}
	if r.cfg.Size != nil {
		n, err := r.cfg.Size()
		if err != nil {
			return err
		}
		row.Measured = float64(n) / float64(max(r.report.Entries, 1))
		row.Note = fmt.Sprintf("%.0f MiB", float64(n)/mib)
	} else {
		row.Note = "not measured: the database is elsewhere"
	}
	r.add(row)
	began, used := time.Now(), r.cpu()
	var err error
	if r.app, err = r.cfg.Open(ctx); err != nil {
		return err
	}
	r.add(Row{What: "open the data folder", Unit: "ms", Measured: time.Since(began).Seconds() * 1000, CPU: r.cpu() - used})
	if err := r.readPeople(ctx); err != nil {
		return err
	}
	return r.readCases(ctx)
}

func (r *run) readPeople(ctx context.Context) error {
	r.reader = map[string]casework.Reader{}
	orgs, err := r.app.Identity.Organisations(ctx, "", 100)
	if err != nil {
		return err
	}
	for _, o := range orgs {
		users, err := r.app.Identity.Users(ctx, o.ID, "", 200)
		if err != nil {
			return err
		}
		for _, u := range users {
			one := casework.Reader{User: u.ID, Org: u.Org, Team: u.Team, Roles: u.Roles, Lang: u.Lang, Session: "bench"}
			r.reader[u.ID] = one
			if slices.Contains(u.Roles, "case_worker") || slices.Contains(u.Roles, "supervisor") {
				r.people = append(r.people, one)
			}
		}
	}
	return nil
}

func (r *run) readCases(ctx context.Context) error {
	rows, err := r.app.DB.Query(ctx, `SELECT stream, worker, state FROM case_view WHERE worker <> '' ORDER BY stream`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c openCase
		if err := rows.Scan(&c.stream, &c.worker, &c.state); err != nil {
			return err
		}
		if _, ok := r.reader[c.worker]; ok {
			r.cases = append(r.cases, c)
		}
	}
	if len(r.cases) == 0 {
		return errors.New("the invented country has no case with a worker: take more cases")
	}
	return rows.Err()
}

// loadNames measures the first filling of the names index and what it holds.
func (r *run) loadNames(ctx context.Context) error {
	before := heap()
	began, used := time.Now(), r.cpu()
	if _, err := r.app.Casework.LoadNames(ctx, 0); err != nil {
		return err
	}
	r.add(Row{What: "fill the names index at the start", Unit: "ms", Measured: time.Since(began).Seconds() * 1000, N: 1, CPU: r.cpu() - used})
	held := max(heap()-before, 1)
	r.add(Row{What: "memory of the names index and the open keys", Unit: "MiB", Measured: float64(held) / mib,
		Note: fmt.Sprintf("%.0f B a case", float64(held)/float64(r.cfg.Cases))})
	return nil
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (r *run) casePage(ctx context.Context) error {
	return r.percentile("open a case page's data, p99", 50, r.cfg.operations(Operations), func(int) error {
		c := r.cases[r.rng.IntN(len(r.cases))]
		_, err := r.app.Casework.CasePage(ctx, r.reader[c.worker], c.stream)
		return err
	})
}

func (r *run) today(ctx context.Context) error {
	return r.percentile("Today, p99", 100, r.cfg.operations(Operations), func(int) error {
		_, err := r.app.Casework.Today(ctx, r.people[r.rng.IntN(len(r.people))])
		return err
	})
}

// find searches by the names that the country was made of, in their own
// script and in Latin letters by turns.
func (r *run) find(ctx context.Context) error {
	asked, err := searches()
	if err != nil {
		return err
	}
	return r.percentile("find by name in eleven countries' scripts, p99", 150, r.cfg.operations(Operations), func(i int) error {
		pair := asked[r.rng.IntN(len(asked))]
		_, err := r.app.Casework.Find(ctx, r.people[r.rng.IntN(len(r.people))], casework.FindQuery{Q: pair[i%2]})
		return err
	})
}

// searches gives full names, each in its own script and in Latin letters.
func searches() ([][2]string, error) {
	type name struct{ Name, Latin string }
	files, err := fs.Glob(content.FS, "names/*.yaml")
	if err != nil {
		return nil, err
	}
	var out [][2]string
	for _, file := range files {
		text, err := fs.ReadFile(content.FS, file)
		if err != nil {
			return nil, err
		}
		var f struct {
			Given  map[string][]name
			Family []name
		}
		if err := yaml.Unmarshal(text, &f); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		rng := rand.New(rand.NewPCG(1, uint64(len(out))))
		for range 40 {
			g := f.Given["female"][rng.IntN(len(f.Given["female"]))]
			own, latin := g.Name, latinOf(g.Name, g.Latin)
			if len(f.Family) > 0 {
				last := f.Family[rng.IntN(len(f.Family))]
				own, latin = own+" "+last.Name, latin+" "+latinOf(last.Name, last.Latin)
			}
			out = append(out, [2]string{own, latin})
		}
	}
	return out, nil
}

func latinOf(name, latin string) string {
	if latin == "" {
		return name
	}
	return latin
}

// write lets all clients write case notes at once, each acknowledged when it
// is on the disk.
func (r *run) write(ctx context.Context) error {
	var open []openCase
	for _, c := range r.cases {
		if c.state != "closed" {
			open = append(open, c)
		}
	}
	if len(open) == 0 {
		return errors.New("every invented case is closed: take more cases")
	}
	each := r.cfg.operations(writesOfOne)
	took := make([]time.Duration, Clients*each)
	failed := make([]error, Clients)
	var wg sync.WaitGroup
	began, used := time.Now(), r.cpu()
	for client := range Clients {
		rng := rand.New(rand.NewPCG(r.cfg.Seed, uint64(client)))
		wg.Go(func() {
			for i := range each {
				c := open[rng.IntN(len(open))]
				start := time.Now()
				if failed[client] = r.note(ctx, c); failed[client] != nil {
					return
				}
				took[client*each+i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("writing notes: %w", err)
	}
	r.rate(fmt.Sprintf("append an entry on the disk, %d clients", Clients), 200, len(took), began, used)
	r.add(percentileRow(fmt.Sprintf("append an entry on the disk, %d clients, p99", Clients), 150, took, r.cpu()-used))
	r.report.Entries += len(took)
	return nil
}

// note writes one case note.
func (r *run) note(ctx context.Context, c openCase) error {
	id := uuid.Must(uuid.NewV7()).String()
	now := r.app.Config.Now()
	got, err := r.app.Casework.Submit(ctx, r.reader[c.worker], []casework.NewEntry{{ID: id, Stream: c.stream, Form: "F11_case_note", Version: 1,
		Act: "submit", Record: id, WrittenAt: now, Answers: map[string]any{"at": now.Add(-time.Hour).Format(time.RFC3339), "mode": "call",
			"with": "the child", "facts": "Visited as agreed; school attended all week.", "next": "Visit again in a week."}}})
	if err != nil {
		return err
	}
	if got[0].Status != "accepted" {
		return fmt.Errorf("a note was %s: %+v", got[0].Status, got[0].Problems)
	}
	return nil
}

func (r *run) verify(ctx context.Context) error {
	if _, err := r.app.Journal.Checkpoint(ctx); err != nil {
		return err
	}
	began, used := time.Now(), r.cpu()
	report, err := r.app.Journal.Verify(ctx, nil, nil)
	if err != nil {
		return err
	}
	if len(report.Wrong) > 0 {
		return fmt.Errorf("the record is not as it was written: %s", report.Wrong[0])
	}
	r.rate("verify, entries", 50_000, int(report.Entries), began, used)
	return nil
}

// rebuild empties the tables that stand and draws them anew, as after an upgrade.
func (r *run) rebuild(ctx context.Context) error {
	began, used := time.Now(), r.cpu()
	n, err := r.app.Rebuild(ctx, nil)
	if err != nil {
		return err
	}
	r.rate("rebuild all projections, entries", 10_000, int(n), began, used)
	return nil
}
