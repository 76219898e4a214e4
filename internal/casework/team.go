package casework

// The team: who has how much, and what is overdue.

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// TeamLoad is how much each worker of the reader's teams carries.
type TeamLoad struct {
	Workers    []WorkerLoad `json:"workers"`
	Unassigned []Summary    `json:"unassigned"`
}

// WorkerLoad is one worker's load.
type WorkerLoad struct {
	User    string `json:"user"`
	Name    string `json:"name"`
	Open    int    `json:"open"`
	High    int    `json:"high"`
	Overdue int    `json:"overdue"`
	Limit   int    `json:"limit"`
	Over    bool   `json:"over"`
}

// Team shows a supervisor the load of their staff.
func (s *Service) Team(ctx context.Context, r Reader) (TeamLoad, error) {
	out := TeamLoad{Workers: []WorkerLoad{}, Unassigned: []Summary{}}
	if !s.policy.Decide(r.subject(), policy.TeamRead, policy.Resource{Kind: "office", Relation: policy.None}).Allowed {
		return out, fault.Absent()
	}
	limit := 25
	for _, l := range s.rules.Limits {
		if l.ID == "caseload" {
			limit = l.MoreThan
		}
	}
	staff, err := s.dir.Staff(ctx, r.Org)
	if err != nil {
		return out, err
	}
	teams, err := s.dir.SupervisedTeams(ctx, r.User)
	if err != nil {
		return out, err
	}
	err = s.readList(ctx, r, "list.team", "supervision", func(tx *store.Tx, o *journal.Opener) error {
		out = TeamLoad{Workers: []WorkerLoad{}, Unassigned: []Summary{}}
		load, err := s.loads(ctx, tx, r)
		if err != nil {
			return err
		}
		for _, p := range staff {
			w := load[p.ID]
			mine := slices.Contains(teams, p.Team) || w.mine
			if !slices.Contains(p.Roles, policy.CaseWorker) || !mine {
				continue
			}
			out.Workers = append(out.Workers, WorkerLoad{User: p.ID, Name: p.Name, Open: w.open, High: w.high, Overdue: w.overdue, Limit: limit, Over: w.open > limit})
		}
		sort.Slice(out.Workers, func(i, j int) bool { return out.Workers[i].Name < out.Workers[j].Name })
		rows, err := scanViews(tx.Query(ctx, `SELECT `+viewColumns+` FROM case_view v WHERE v.org = $3 AND v.worker = '' AND v.state <> 'closed'
			ORDER BY v.risk_rank, v.stream LIMIT 100`, r.User, store.Micros(s.now()), r.Org))
		if err != nil {
			return fmt.Errorf("listing cases without a worker: %w", err)
		}
		for i := range rows {
			if rows[i].excluded > 0 {
				continue
			}
			sum, tiers, err := s.caseFor(ctx, o, r, &rows[i])
			if err != nil {
				return err
			}
			if len(tiers) > 0 {
				out.Unassigned = append(out.Unassigned, sum)
			}
		}
		return nil
	})
	return out, err
}

type load struct {
	open, high, overdue int
	mine                bool
}

// loads counts open cases per worker of the organisation.
func (s *Service) loads(ctx context.Context, tx *store.Tx, r Reader) (map[string]load, error) {
	out := map[string]load{}
	rows, err := tx.Query(ctx, `SELECT worker, count(*), sum(CASE WHEN risk = 'high' THEN 1 ELSE 0 END), sum(CASE WHEN supervisor = $2 THEN 1 ELSE 0 END)
		FROM case_view WHERE org = $1 AND state <> 'closed' AND worker <> '' GROUP BY worker ORDER BY worker`, r.Org, r.User)
	if err != nil {
		return nil, fmt.Errorf("counting cases: %w", err)
	}
	for rows.Next() {
		var worker string
		var l load
		var mine int
		if err := rows.Scan(&worker, &l.open, &l.high, &mine); err != nil {
			rows.Close()
			return nil, fmt.Errorf("counting cases: %w", err)
		}
		l.mine = mine > 0
		out[worker] = l
	}
	rows.Close()
	rows, err = tx.Query(ctx, `SELECT owner, count(*) FROM case_task WHERE org = $1 AND owner <> '' AND due_at > 0 AND due_at < $2 GROUP BY owner ORDER BY owner`, r.Org, store.Micros(s.now()))
	if err != nil {
		return nil, fmt.Errorf("counting tasks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var owner string
		var n int
		if err := rows.Scan(&owner, &n); err != nil {
			return nil, fmt.Errorf("counting tasks: %w", err)
		}
		l := out[owner]
		l.overdue = n
		out[owner] = l
	}
	return out, rows.Err()
}
