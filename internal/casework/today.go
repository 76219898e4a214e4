package casework

// Today: what is overdue, due, newly assigned, unanswered, by risk and clock.

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"

	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Today is what a user should do now, by risk and clock.
type Today struct {
	Now    time.Time    `json:"now"`
	Counts TodayCounts  `json:"counts"`
	Groups []TodayGroup `json:"groups"`
}

// TodayCounts are the figures on top; each group below holds the list.
type TodayCounts struct {
	Overdue  int `json:"overdue"`
	Today    int `json:"today"`
	New      int `json:"new"`
	Disputes int `json:"disputes"`
}

// TodayGroup is one part of the day.
type TodayGroup struct {
	ID    string      `json:"id" enum:"overdue,today,new,later"`
	Items []TodayItem `json:"items"`
}

// TodayItem is one thing; Go is the one place where it is done.
type TodayItem struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Title     string     `json:"title"`
	Case      Summary    `json:"case"`
	Note      string     `json:"note,omitempty"`
	DueAt     *time.Time `json:"due_at,omitempty"`
	Escalated bool       `json:"escalated"`
	For       string     `json:"for,omitempty"` // whose work it is, when it is not the reader's own
	Go        GoTo       `json:"go"`
}

// GoTo is where a task is done.
type GoTo struct {
	Case   string `json:"case"`
	Form   string `json:"form,omitempty"`
	Record string `json:"record,omitempty"`
	Tab    string `json:"tab,omitempty"`
}

const (
	horizon    = 14 * 24 * time.Hour // how far "later" looks
	newFor     = 3 * 24 * time.Hour  // how long something counts as new
	mostTasks  = 400                 // read for one Today
	mostShown  = 60                  // shown in one group
	mostNotice = 100
)

// dueTask is one row of case_task with its case.
type dueTask struct {
	viewRow
	key, kind, clock, label, form, record, place string
	owner                                        string
	since, due, remind, boss, above              int64
	escalated                                    bool
	byRole                                       bool // it came to the reader's role, by its code
	note                                         []byte
}

// Today lists the reader's tasks.
func (s *Service) Today(ctx context.Context, r Reader) (Today, error) {
	now := s.now()
	out := Today{Now: now}
	err := s.readList(ctx, r, "list.today", listPurpose(r), func(tx *store.Tx, o *journal.Opener) error {
		out.Counts = TodayCounts{}
		tasks, err := s.dueTasks(ctx, tx, r, now)
		if err != nil {
			return err
		}
		notices, err := s.newNotices(ctx, tx, r, now.Add(-newFor))
		if err != nil {
			return err
		}
		out.Groups, err = s.groupTasks(ctx, o, r, tasks, notices, now, &out.Counts)
		return err
	})
	return out, err
}

// dueTasks gathers what the reader has to do: own tasks, tasks of a role in
// the organisation, and what was escalated to them.
func (s *Service) dueTasks(ctx context.Context, tx *store.Tx, r Reader, now time.Time) ([]dueTask, error) {
	const columns = `SELECT ` + viewColumns + `, t.key, t.kind, t.clock, t.label, t.form, t.record, t.place, t.owner, t.since, t.due_at, t.remind_at, t.boss_at, t.above_at, t.note
		FROM (SELECT stream AS of, key AS named FROM case_task t WHERE `
	// The tasks are chosen by an index alone before anything else is read of them.
	limit := ` ORDER BY t.due_at LIMIT ` + strconv.Itoa(mostTasks) + `) chosen
		JOIN case_task t ON t.stream = chosen.of AND t.key = chosen.named JOIN case_view v ON v.stream = t.stream ORDER BY t.due_at`
	until := store.Micros(now.Add(horizon))
	micro := store.Micros(now)
	type ask struct {
		where     string
		args      []any
		escalated bool
		byRole    bool
	}
	asks := []ask{
		{`t.owner = $1 AND t.due_at < $3`, []any{r.User, micro, until}, false, false},
		{`t.boss = $1 AND t.boss_at > 0 AND t.boss_at <= $2 AND t.owner <> $1`, []any{r.User, micro}, true, false},
	}
	for _, role := range r.Roles {
		asks = append(asks,
			ask{`t.org = $3 AND t.role = $4 AND t.due_at < $5`, []any{r.User, micro, r.Org, role, until}, false, true},
			ask{`t.org = $3 AND t.above = $4 AND t.above_at > 0 AND t.above_at <= $2`, []any{r.User, micro, r.Org, role}, true, true})
	}
	seen := map[string]bool{}
	var out []dueTask
	for _, a := range asks {
		rows, err := tx.Query(ctx, columns+a.where+limit, a.args...)
		if err != nil {
			return nil, fmt.Errorf("reading tasks: %w", err)
		}
		for rows.Next() {
			t := dueTask{escalated: a.escalated, byRole: a.byRole}
			err := rows.Scan(append(t.viewRow.fields(), &t.key, &t.kind, &t.clock, &t.label, &t.form, &t.record, &t.place, &t.owner, &t.since, &t.due, &t.remind, &t.boss, &t.above, &t.note)...)
			if err != nil {
				rows.Close()
				return nil, fmt.Errorf("reading tasks: %w", err)
			}
			if id := t.stream + "|" + t.key; !seen[id] && t.excluded == 0 {
				seen[id] = true
				t.escalated = t.escalated || t.boss > 0 && t.boss <= micro
				out = append(out, t)
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("reading tasks: %w", err)
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].riskRank != out[j].riskRank {
			return out[i].riskRank < out[j].riskRank
		}
		return out[i].due < out[j].due
	})
	return out, nil
}

func (s *Service) groupTasks(ctx context.Context, o *journal.Opener, r Reader, tasks []dueTask, notices []notice, now time.Time, counts *TodayCounts) ([]TodayGroup, error) {
	groups := []TodayGroup{{ID: "overdue"}, {ID: "today"}, {ID: "new"}, {ID: "later"}}
	for i := range groups {
		groups[i].Items = []TodayItem{}
	}
	for i := range tasks {
		t := &tasks[i]
		group := 3
		end := store.Micros(endOfDay(now, s.rules.Zone(t.country)))
		switch {
		case t.due != 0 && t.due < store.Micros(now):
			group = 0
		case t.due <= end:
			group = 1
		}
		ok := true
		if len(groups[group].Items) < mostShown { // the rest is counted, and reached from the list of cases
			item, shown, err := s.todayItem(ctx, o, r, t)
			if err != nil {
				return nil, err
			}
			if ok = shown; shown {
				groups[group].Items = append(groups[group].Items, item)
			}
		}
		if ok {
			counts.add(group, t.kind)
		}
	}
	for i := range notices {
		if len(groups[2].Items) >= mostShown {
			counts.New++
			continue
		}
		item, ok, err := s.noticeToday(ctx, o, r, &notices[i])
		if err != nil {
			return nil, err
		}
		if ok {
			counts.New++
			groups[2].Items = append(groups[2].Items, item)
		}
	}
	return groups, nil
}

func (c *TodayCounts) add(group int, kind string) {
	switch group {
	case 0:
		c.Overdue++
	case 1:
		c.Today++
	}
	if kind == "dispute" {
		c.Disputes++
	}
}

// caseFor says a case in a list as far as the reader may see it. Who may not
// read it at all but has a task in it sees its code.
func (s *Service) caseFor(ctx context.Context, o *journal.Opener, r Reader, v *viewRow) (Summary, []journal.Tier, error) {
	st, err := s.standRow(ctx, r, v)
	if err != nil {
		return Summary{}, nil, err
	}
	tiers := s.tiers(r, policy.Read, st, "")
	if !slices.Contains(tiers, journal.Coded) {
		return Summary{ID: v.stream, Code: v.code, Org: v.org}, nil, nil
	}
	sum, _, err := s.summarise(ctx, o, r.Lang, v, tiers)
	return sum, tiers, err
}

func (s *Service) todayItem(ctx context.Context, o *journal.Opener, r Reader, t *dueTask) (TodayItem, bool, error) {
	sum, tiers, err := s.caseFor(ctx, o, r, &t.viewRow)
	if err != nil {
		return TodayItem{}, false, err
	}
	if len(tiers) == 0 && !t.byRole {
		return TodayItem{}, false, nil
	}
	item := TodayItem{ID: t.stream + "|" + t.key, Kind: t.kind, Title: s.rules.say(t.label, r.Lang), Case: sum, Escalated: t.escalated, Go: goTo(t.stream, t.kind, t.form, t.record)}
	if t.due != 0 {
		item.DueAt = ptr(store.Time(t.due))
	}
	if t.owner != "" && t.owner != r.User {
		item.For = s.nameOf(ctx, t.owner)
	}
	if len(t.note) > 0 && slices.Contains(tiers, journal.Story) {
		plain, err := o.Unseal(ctx, t.stream, journal.Story, cellNote, t.note)
		if err != nil {
			return item, false, err
		}
		item.Note = string(plain)
	}
	return item, true, nil
}

func goTo(stream, kind, form, record string) GoTo {
	g := GoTo{Case: stream, Form: form, Record: record}
	switch kind {
	case "dispute":
		g.Tab = "disputes"
	case "approval", "returned", "approved", "override", "look":
		g.Tab = "forms"
	case "goal":
		g.Tab = "plan"
	case "assign":
		g.Tab = "people"
	case "glass":
		g.Tab = "access"
	}
	return g
}

// notice is one row of case_notice with its case.
type notice struct {
	viewRow
	key, kind, form, record, by string
	at                          int64
	byRole                      bool
}

func (s *Service) newNotices(ctx context.Context, tx *store.Tx, r Reader, since time.Time) ([]notice, error) {
	const columns = `SELECT ` + viewColumns + `, n.key, n.kind, n.form, n.record, n.by_user, n.at FROM case_notice n JOIN case_view v ON v.stream = n.stream WHERE `
	limit := ` ORDER BY n.at DESC LIMIT ` + strconv.Itoa(mostNotice)
	var out []notice
	read := func(byRole bool, where string, args ...any) error {
		rows, err := tx.Query(ctx, columns+where+limit, args...)
		if err != nil {
			return fmt.Errorf("reading notices: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			n := notice{byRole: byRole}
			if err := rows.Scan(append(n.viewRow.fields(), &n.key, &n.kind, &n.form, &n.record, &n.by, &n.at)...); err != nil {
				return fmt.Errorf("reading notices: %w", err)
			}
			if n.excluded == 0 && !(n.kind == "assigned" && n.lastAuthor == r.User && n.lastAt > n.at) {
				out = append(out, n)
			}
		}
		return rows.Err()
	}
	now, from := store.Micros(s.now()), store.Micros(since)
	if err := read(false, `n.reader = $1 AND n.at > $3`, r.User, now, from); err != nil {
		return nil, err
	}
	for _, role := range r.Roles {
		if err := read(true, `n.org = $4 AND n.role = $5 AND n.at > $3`, r.User, now, from, r.Org, role); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var noticeTitles = map[string]string{
	"approved": "Approved", "returned": "Sent back: it needs a change", "glass": "A case was opened in an emergency",
	"override": "Acted without consent: look at the reason", "assigned": "Newly assigned to you",
}

func (s *Service) noticeToday(ctx context.Context, o *journal.Opener, r Reader, n *notice) (TodayItem, bool, error) {
	sum, tiers, err := s.caseFor(ctx, o, r, &n.viewRow)
	if err != nil || len(tiers) == 0 && !n.byRole {
		return TodayItem{}, false, err
	}
	title := s.rules.say(noticeTitles[n.kind], r.Lang)
	if form, ok := s.rules.Forms.Form(n.form); ok && (n.kind == "approved" || n.kind == "returned") {
		title = form.Title(r.Lang) + ": " + title
	}
	return TodayItem{ID: n.stream + "|" + n.key, Kind: n.kind, Title: title, Case: sum, DueAt: ptr(store.Time(n.at)), For: s.nameOf(ctx, n.by), Go: goTo(n.stream, n.kind, n.form, n.record)}, true, nil
}

// Counts are the figures in the menu.
type Counts struct {
	Today int `json:"today"`
	Inbox int `json:"inbox"`
}

// Counts counts without opening anything.
func (s *Service) Counts(ctx context.Context, r Reader) (Counts, error) {
	var out Counts
	now := s.now()
	end := store.Micros(endOfDay(now, s.rules.Zone("")))
	err := s.db.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM case_task t WHERE t.owner = $1 AND t.due_at <= $2 AND NOT EXISTS (SELECT 1 FROM case_excluded x WHERE x.stream = t.stream AND x.reader = $1)),
		(SELECT count(*) FROM case_task t WHERE t.owner = $1 AND t.kind IN ('approval', 'look') AND t.due_at <= $3 AND NOT EXISTS (SELECT 1 FROM case_excluded x WHERE x.stream = t.stream AND x.reader = $1))`, r.User, end, store.Micros(now.Add(inboxAhead))).Scan(&out.Today, &out.Inbox)
	if err != nil {
		return out, fmt.Errorf("counting tasks: %w", err)
	}
	return out, nil
}
