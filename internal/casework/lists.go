package casework

// Lists over many cases: Today, Find, the cases, the inbox, the team. They are
// read from projections; names open only where the policy lets the reader read
// them, and every list that shows somebody is a line in the access log.

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"banyan/internal/fault"
	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/names"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Summary is a case in a list. What the reader may not see is empty.
type Summary struct {
	ID          string    `json:"id"`
	Code        string    `json:"code"`
	Name        string    `json:"name,omitempty"`
	Age         *Age      `json:"age,omitempty"`
	Sex         string    `json:"sex,omitempty"`
	Risk        string    `json:"risk"`
	Status      string    `json:"status"`
	StatusLabel string    `json:"status_label"`
	Worker      string    `json:"worker,omitempty"`
	Supervisor  string    `json:"supervisor,omitempty"`
	Team        string    `json:"team,omitempty"`
	Org         string    `json:"org"`
	LastAt      time.Time `json:"last_at"`
	Disputes    int       `json:"disputes"`
	Next        *NextStep `json:"next,omitempty"`
}

// CaseList is one page of cases.
type CaseList struct {
	Items []Summary `json:"items"`
	Next  string    `json:"next,omitempty"`
}

// viewRow is one row of case_view.
type viewRow struct {
	stream, org, code, country, state, risk, sex      string
	worker, supervisor, team, lawyer, ageBasis, ageOn string
	lastAuthor, nextLabel, nextForm, nextRecord       string
	ageYears, lastAt, assignedAt, nextDue, disputes   int64
	riskRank                                          int64
	person, place                                     []byte
	glass, excluded                                   int64
}

// viewColumns needs $1 (reader) and $2 (now) for the last two.
const viewColumns = `v.stream, v.org, v.code, v.country, v.state, v.risk, v.sex, v.worker, v.supervisor, v.team, v.lawyer,
	v.age_basis, v.age_observed, v.last_author, v.next_label, v.next_form, v.next_record, v.age_years, v.last_at, v.assigned_at,
	v.next_due, v.disputes, v.risk_rank, v.person, v.place,
	(SELECT count(*) FROM case_glass g WHERE g.stream = v.stream AND g.reader = $1 AND g.until > $2),
	(SELECT count(*) FROM case_excluded x WHERE x.stream = v.stream AND x.reader = $1)`

func (v *viewRow) fields() []any {
	return []any{&v.stream, &v.org, &v.code, &v.country, &v.state, &v.risk, &v.sex, &v.worker, &v.supervisor, &v.team, &v.lawyer,
		&v.ageBasis, &v.ageOn, &v.lastAuthor, &v.nextLabel, &v.nextForm, &v.nextRecord, &v.ageYears, &v.lastAt, &v.assignedAt,
		&v.nextDue, &v.disputes, &v.riskRank, &v.person, &v.place, &v.glass, &v.excluded}
}

func (s *Service) standRow(ctx context.Context, r Reader, v *viewRow) (standing, error) {
	return s.stand(ctx, r, v.stream, holders{org: v.org, worker: v.worker, supervisor: v.supervisor, team: v.team, lawyer: v.lawyer, glass: v.glass > 0, excluded: v.excluded > 0})
}

// unsealJSON opens a sealed cell; false: it is closed to this read.
func unsealJSON(ctx context.Context, o *journal.Opener, stream string, tier journal.Tier, label string, sealed []byte, into any) (bool, error) {
	plain, err := o.Unseal(ctx, stream, tier, label, sealed)
	if err != nil || plain == nil {
		return false, err
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return false, fmt.Errorf("reading a cell of a case: %w", err)
	}
	return true, nil
}

// summarise says a case as far as the tiers go.
func (s *Service) summarise(ctx context.Context, o *journal.Opener, lang string, v *viewRow, tiers []journal.Tier) (Summary, personCell, error) {
	var cell personCell
	state, _ := s.rules.State(v.state)
	out := Summary{ID: v.stream, Code: v.code, Risk: v.risk, Status: v.state, StatusLabel: s.rules.say(state.Label, lang), Org: v.org, Team: v.team,
		Worker: s.nameOf(ctx, v.worker), Supervisor: s.nameOf(ctx, v.supervisor), LastAt: store.Time(v.lastAt), Disputes: int(v.disputes), Sex: v.sex}
	o.Note(v.stream, journal.Coded)
	if v.nextLabel != "" {
		out.Next = &NextStep{Title: s.rules.say(v.nextLabel, lang), Form: v.nextForm, Record: v.nextRecord, Missing: []MissingItem{}}
		if v.nextDue != 0 {
			out.Next.DueAt = ptr(store.Time(v.nextDue))
		}
	}
	answer := map[string]any{}
	if v.ageYears >= 0 {
		answer = map[string]any{"years": float64(v.ageYears), "observed_on": v.ageOn}
	}
	if slices.Contains(tiers, journal.Identity) {
		if _, err := unsealJSON(ctx, o, v.stream, journal.Identity, cellPerson, v.person, &cell); err != nil {
			return out, cell, err
		}
		if len(cell.Names) > 0 {
			out.Name = cell.Names[0].Text
		}
		if m, ok := cell.Age.(map[string]any); ok {
			answer = m
		}
	}
	if len(answer) > 0 || v.ageBasis != "" {
		age := ageOf(answer, v.ageBasis, s.now().In(s.rules.Zone(v.country)))
		out.Age = &age
	}
	return out, cell, nil
}

// ageOf says how old somebody is at a moment.
func ageOf(answer map[string]any, basis string, now time.Time) Age {
	out := Age{Basis: basis, PresumedChild: basis == forms.PresumedChild}
	if years, ok := forms.AgeAt(answer, now); ok {
		out.Years, out.Known = years, true
		out.Text = strconv.Itoa(years)
		if basis != "document" {
			out.Text = "about " + out.Text
		}
	}
	child, known := forms.IsChild(answer, basis, now)
	out.Child = child || !known // in doubt a child: CRC General Comment 6, §31 (i)
	if out.PresumedChild && (!out.Known || out.Years >= forms.Majority) {
		out.Text = "presumed child"
	}
	return out
}

// readList runs a reading of many cases under one access line.
func (s *Service) readList(ctx context.Context, r Reader, action, purpose string, fn func(tx *store.Tx, o *journal.Opener) error) error {
	request := journal.ReadRequest{Reader: journal.Reader{User: r.User, Org: r.Org, Session: r.Session, Purpose: purpose}, Action: action, Tiers: journal.Tiers, Because: "list"}
	return s.journal.Read(ctx, request, fn)
}

func listPurpose(r Reader) string {
	switch {
	case r.has(policy.CaseWorker), r.has(policy.Screener):
		return "care"
	case r.has(policy.Supervisor):
		return "supervision"
	case r.has(policy.Lawyer):
		return "legal_aid"
	}
	return "care"
}

const pageSize = 50

// CaseQuery chooses and orders cases.
type CaseQuery struct {
	Scope  string // mine | team | organisation
	Status string
	Risk   string
	Sort   string // risk (default) | recent
	Cursor string
}

// Cases lists cases.
func (s *Service) Cases(ctx context.Context, r Reader, q CaseQuery) (CaseList, error) {
	query, args, err := s.caseQuery(r, q)
	if err != nil {
		return CaseList{}, err
	}
	var out CaseList
	err = s.readList(ctx, r, "list.cases", listPurpose(r), func(tx *store.Tx, o *journal.Opener) error {
		out = CaseList{Items: []Summary{}}
		rows, err := scanViews(tx.Query(ctx, query, args...))
		if err != nil {
			return fmt.Errorf("listing cases: %w", err)
		}
		if len(rows) > pageSize {
			rows = rows[:pageSize]
			last := rows[pageSize-1]
			out.Next = cursorOf(q.Sort, last)
		}
		for i := range rows {
			st, err := s.standRow(ctx, r, &rows[i])
			if err != nil {
				return err
			}
			tiers := s.tiers(r, policy.Read, st, "")
			if !slices.Contains(tiers, journal.Coded) {
				continue
			}
			item, _, err := s.summarise(ctx, o, r.Lang, &rows[i], tiers)
			if err != nil {
				return err
			}
			out.Items = append(out.Items, item)
		}
		return nil
	})
	return out, err
}

func scanViews(rows *sql.Rows, err error) ([]viewRow, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []viewRow
	for rows.Next() {
		var v viewRow
		if err := rows.Scan(v.fields()...); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func cursorOf(sort string, v viewRow) string {
	key := v.riskRank
	if sort == "recent" {
		key = v.lastAt
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(key, 10) + "|" + v.stream))
}

func readCursor(cursor string) (int64, string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	key, stream, ok := strings.Cut(string(raw), "|")
	n, nerr := strconv.ParseInt(key, 10, 64)
	if err != nil || !ok || nerr != nil || !isID(stream) {
		return 0, "", fault.Field("cursor", "format", "this is no place in the list")
	}
	return n, stream, nil
}

func (s *Service) caseQuery(r Reader, q CaseQuery) (string, []any, error) {
	args := []any{r.User, store.Micros(s.now())}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	var where []string
	switch q.Scope {
	case "", "mine":
		where = append(where, "(v.worker = $1 OR v.supervisor = $1 OR v.lawyer = $1)")
	case "team":
		where = append(where, "v.team = "+arg(r.Team), "v.team <> ''")
	case "organisation":
	default:
		return "", nil, fault.Field("scope", "choice", "choose mine, team or organisation")
	}
	where = append(where, "v.org = "+arg(r.Org))
	if q.Status == "open" {
		where = append(where, "v.state <> 'closed'")
	} else if q.Status != "" {
		if _, ok := s.rules.State(q.Status); !ok {
			return "", nil, fault.Field("status", "choice", "there is no such status")
		}
		where = append(where, "v.state = "+arg(q.Status))
	}
	if q.Risk != "" {
		where = append(where, "v.risk_rank = "+arg(riskRank(q.Risk)))
	}
	order := "v.risk_rank, v.stream"
	compare := "(v.risk_rank > %s OR (v.risk_rank = %s AND v.stream > %s))"
	switch q.Sort {
	case "", "risk":
	case "recent":
		order = "v.last_at DESC, v.stream DESC"
		compare = "(v.last_at < %s OR (v.last_at = %s AND v.stream < %s))"
	default:
		return "", nil, fault.Field("sort", "choice", "choose risk or recent")
	}
	if q.Cursor != "" {
		key, stream, err := readCursor(q.Cursor)
		if err != nil {
			return "", nil, err
		}
		k := arg(key)
		where = append(where, fmt.Sprintf(compare, k, k, arg(stream)))
	}
	query := `SELECT ` + viewColumns + ` FROM case_view v WHERE ` + strings.Join(where, " AND ") +
		` AND NOT EXISTS (SELECT 1 FROM case_excluded y WHERE y.stream = v.stream AND y.reader = $1)
		ORDER BY ` + order + ` LIMIT ` + strconv.Itoa(pageSize+1)
	return query, args, nil
}

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

// Inbox is what waits for a decision, and what became of the reader's own.
type Inbox struct {
	Approvals []InboxApproval `json:"approvals"`
	Looks     []InboxLook     `json:"looks"`
	Notices   []InboxNotice   `json:"notices"`
}

// InboxApproval is one decision to take, with exactly what would be approved.
type InboxApproval struct {
	Case    Summary    `json:"case"`
	Record  string     `json:"record"`
	Form    string     `json:"form"`
	Title   string     `json:"title"`
	Entry   string     `json:"entry"`
	AskedAt time.Time  `json:"asked_at"`
	By      string     `json:"by"`
	DueAt   *time.Time `json:"due_at,omitempty"`
	Fell    bool       `json:"fell"` // it was approved, and changed since
	MayI    bool       `json:"may_i"`
	Summary []Line     `json:"summary"`
}

// InboxLook is one thing that somebody has to look at, and say so.
type InboxLook struct {
	Case    Summary    `json:"case"`
	Clock   string     `json:"clock"`
	Record  string     `json:"record"`
	Title   string     `json:"title"`
	At      time.Time  `json:"at"`
	By      string     `json:"by"`
	DueAt   *time.Time `json:"due_at,omitempty"`
	MayI    bool       `json:"may_i"`
	Summary []Line     `json:"summary"`
}

// InboxNotice is one thing that happened.
type InboxNotice struct {
	ID   string    `json:"id"`
	Kind string    `json:"kind"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
	By   string    `json:"by,omitempty"`
	Case Summary   `json:"case"`
	Go   GoTo      `json:"go"`
}

// inboxAhead is how far ahead of a date the inbox asks.
const inboxAhead = 90 * 24 * time.Hour

// mostAsked is how many approvals one inbox opens.
const mostAsked = 30

// Inbox lists them.
func (s *Service) Inbox(ctx context.Context, r Reader) (Inbox, error) {
	var out Inbox
	now := s.now()
	err := s.readList(ctx, r, "list.inbox", listPurpose(r), func(tx *store.Tx, o *journal.Opener) error {
		out = Inbox{Approvals: []InboxApproval{}, Looks: []InboxLook{}, Notices: []InboxNotice{}}
		tasks, err := s.dueTasks(ctx, tx, r, now.Add(inboxAhead))
		if err != nil {
			return err
		}
		for i := range tasks {
			if err := s.askInbox(ctx, o, r, &tasks[i], &out); err != nil {
				return err
			}
		}
		notices, err := s.newNotices(ctx, tx, r, now.AddDate(0, 0, -30))
		if err != nil {
			return err
		}
		for i := range notices {
			n := &notices[i]
			item, ok, err := s.noticeToday(ctx, o, r, n)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			out.Notices = append(out.Notices, InboxNotice{ID: item.ID, Kind: n.kind, Text: item.Title, At: store.Time(n.at), By: item.For, Case: item.Case, Go: item.Go})
		}
		return nil
	})
	return out, err
}

// askInbox opens the case of a task that asks for a decision or a look.
func (s *Service) askInbox(ctx context.Context, o *journal.Opener, r Reader, t *dueTask, out *Inbox) error {
	switch {
	case t.kind == "approval" && len(out.Approvals) < mostAsked:
		item, ok, err := s.inboxApproval(ctx, o, r, t)
		if ok {
			out.Approvals = append(out.Approvals, item)
		}
		return err
	case t.kind == "look" && len(out.Looks) < mostAsked:
		item, ok, err := s.inboxLook(ctx, o, r, t)
		if ok {
			out.Looks = append(out.Looks, item)
		}
		return err
	}
	return nil
}

// inboxLook opens the case to show what is to be looked at.
func (s *Service) inboxLook(ctx context.Context, o *journal.Opener, r Reader, t *dueTask) (InboxLook, bool, error) {
	sum, tiers, err := s.caseFor(ctx, o, r, &t.viewRow)
	if err != nil || len(tiers) < len(journal.Tiers) {
		return InboxLook{}, false, err
	}
	st, err := s.standRow(ctx, r, &t.viewRow)
	if err != nil {
		return InboxLook{}, false, err
	}
	js, history, err := o.History(ctx, t.stream)
	if err != nil {
		return InboxLook{}, false, err
	}
	c := s.rules.Fold(js, history)
	rec := c.Records[t.record]
	if rec == nil {
		return InboxLook{}, false, nil
	}
	form, _ := s.rules.Forms.Form(rec.Form)
	v := &view{s: s, ctx: ctx, r: r, c: c, st: st, tiers: tiers, now: s.now()}
	look := &Task{Kind: "look", Clock: t.clock, Record: t.record, RemindAt: store.Time(t.remind)}
	return InboxLook{Case: sum, Clock: t.clock, Record: t.record, Title: s.rules.say(t.label, r.Lang), At: rec.FirstAt, By: s.nameOf(ctx, rec.Author),
		DueAt: ptr(store.Time(t.due)), MayI: v.mayLook(look), Summary: s.linesOf(form, rec, r.Lang)}, true, nil
}

// mostLines is how many answers an inbox shows of a record.
const mostLines = 8

// linesOf gives a record's last answers: what a form asks at its end is the
// decision and its reason.
func (s *Service) linesOf(form *forms.Form, rec *Record, lang string) []Line {
	out := []Line{}
	for _, f := range form.Fields {
		if value, ok := rec.Answers[f.Name]; ok {
			if text := s.rules.inboxText(f, value, lang); text != "" {
				out = append(out, Line{Label: f.Label(lang), Text: text, Tier: string(f.Tier)})
			}
		}
	}
	return out[max(0, len(out)-mostLines):]
}

// mostRows is how many rows of a repeat an inbox says in words.
const mostRows = 6

// inboxText says an answer as textOf does, and a repeat row by row: nobody
// approves a plan without its goals.
func (r *Rules) inboxText(f *forms.Field, value any, lang string) string {
	if f.Type != forms.Repeat {
		return r.textOf(f, value, lang)
	}
	var rows []string
	for i, row := range rowsOf(value) {
		if i == mostRows {
			rows = append(rows, "…")
			break
		}
		var parts []string
		for _, part := range f.Fields {
			if v, ok := row[part.Name]; ok {
				if text := r.textOf(part, v, lang); text != "" {
					parts = append(parts, text)
				}
			}
		}
		rows = append(rows, fmt.Sprintf("%d. %s", i+1, strings.Join(parts, " · ")))
	}
	return strings.Join(rows, "\n")
}

// inboxApproval opens the case to show what would be approved.
func (s *Service) inboxApproval(ctx context.Context, o *journal.Opener, r Reader, t *dueTask) (InboxApproval, bool, error) {
	sum, tiers, err := s.caseFor(ctx, o, r, &t.viewRow)
	if err != nil || len(tiers) < len(journal.Tiers) {
		return InboxApproval{}, false, err
	}
	st, err := s.standRow(ctx, r, &t.viewRow)
	if err != nil {
		return InboxApproval{}, false, err
	}
	js, history, err := o.History(ctx, t.stream)
	if err != nil {
		return InboxApproval{}, false, err
	}
	c := s.rules.Fold(js, history)
	rec := c.Records[t.record]
	if rec == nil || rec.Approval == nil {
		return InboxApproval{}, false, nil
	}
	form, _ := s.rules.Forms.Form(rec.Form)
	item := InboxApproval{Case: sum, Record: rec.ID, Form: rec.Form, Title: form.Title(r.Lang), Entry: rec.Approval.Entry, AskedAt: rec.Approval.AskedAt,
		By: s.nameOf(ctx, rec.Approval.AskedBy), Fell: rec.Approval.Fell, Summary: []Line{},
		MayI: s.decide(r, policy.Approve, st, rec.Form, contains(rec.Authors, r.User)).Allowed}
	if t.due != 0 {
		item.DueAt = ptr(store.Time(t.due))
	}
	for _, f := range form.Fields {
		if value, ok := rec.Answers[f.Name]; ok && len(item.Summary) < mostLines {
			if text := s.rules.inboxText(f, value, r.Lang); text != "" {
				item.Summary = append(item.Summary, Line{Label: f.Label(r.Lang), Text: text, Tier: string(f.Tier)})
			}
		}
	}
	return item, true, nil
}

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

// FindQuery is what is known of somebody.
type FindQuery struct {
	Q     string `json:"q,omitempty" maxLength:"200"`
	Name  string `json:"name,omitempty" maxLength:"200"`
	Code  string `json:"code,omitempty" maxLength:"40"`
	Phone string `json:"phone,omitempty" maxLength:"40"`
	Age   *int   `json:"age,omitempty" minimum:"0" maximum:"120"`
	Sex   string `json:"sex,omitempty" maxLength:"20"`
	Place string `json:"place,omitempty" maxLength:"40"`
}

// Found answers a search.
type Found struct {
	Searched   int         `json:"searched"`
	Candidates []Candidate `json:"candidates"`
}

// Candidate is one case that may be the same person. May says whether the
// reader can open it; if not, Ask names whom to ask.
type Candidate struct {
	Case  FoundCase      `json:"case"`
	Score float64        `json:"score"`
	Why   []names.Reason `json:"why"`
	May   bool           `json:"may"`
	Ask   string         `json:"ask,omitempty"`
}

// FoundCase is a case as a search shows it.
type FoundCase struct {
	Summary
	Names []Name `json:"names,omitempty"`
	Place string `json:"place,omitempty"` // the code of where they are
}

const mostFound = 20

// Find looks for a person before a case is opened.
func (s *Service) Find(ctx context.Context, r Reader, q FindQuery) (Found, error) {
	if strings.TrimSpace(q.Q+q.Name+q.Code+q.Phone+q.Place) == "" && q.Age == nil {
		return Found{}, fault.Field("q", "required", "give a name, a code, a phone number, an age or a place")
	}
	_, country, err := s.dir.Organisation(ctx, r.Org)
	if err != nil {
		return Found{}, err
	}
	ask := names.Query{Text: q.Q, Name: q.Name, Code: q.Code, Phone: q.Phone, Sex: q.Sex, Place: q.Place, Region: country}
	if q.Age != nil {
		ask.Born = s.now().Year() - *q.Age
	}
	var out Found
	err = s.readList(ctx, r, "find", "search", func(tx *store.Tx, o *journal.Opener) error {
		out = Found{Searched: s.projector.index.Len(), Candidates: []Candidate{}}
		standings := map[string]standing{}
		var failed error
		matches := s.projector.index.Find(ask, mostFound, func(stream string) bool {
			st, err := s.standingOf(ctx, tx, r, stream)
			if fault.CodeOf(err) == fault.DeniedOrAbsent {
				return false
			}
			if err != nil {
				failed = err
				return false
			}
			standings[stream] = st
			return len(s.tiers(r, policy.Find, st, "")) > 0
		})
		if failed != nil {
			return failed
		}
		for _, m := range matches {
			c, err := s.candidate(ctx, tx, o, r, m, standings[m.ID])
			if err != nil {
				return err
			}
			out.Candidates = append(out.Candidates, c)
		}
		return nil
	})
	return out, err
}

func (s *Service) candidate(ctx context.Context, tx *store.Tx, o *journal.Opener, r Reader, m names.Match, st standing) (Candidate, error) {
	rows, err := scanViews(tx.Query(ctx, `SELECT `+viewColumns+` FROM case_view v WHERE v.stream = $3`, r.User, store.Micros(s.now()), m.ID))
	if err != nil || len(rows) == 0 {
		return Candidate{}, fmt.Errorf("reading a found case: %w", err)
	}
	tiers := s.tiers(r, policy.Find, st, "")
	sum, cell, err := s.summarise(ctx, o, r.Lang, &rows[0], tiers)
	if err != nil {
		return Candidate{}, err
	}
	c := Candidate{Case: FoundCase{Summary: sum, Names: cell.Names}, Score: float64(int(m.Score*1000)) / 1000, Why: m.Why}
	c.May = len(s.tiers(r, policy.Read, st, "")) > 0
	if slices.Contains(tiers, journal.Place) {
		var places []string
		if _, err := unsealJSON(ctx, o, m.ID, journal.Place, cellPlace, rows[0].place, &places); err != nil {
			return c, err
		}
		if len(places) > 0 {
			c.Case.Place = places[0]
		}
	}
	if !slices.Contains(tiers, journal.Identity) {
		c.Ask = sum.Supervisor
		if c.Ask == "" {
			c.Ask = sum.Worker
		}
	}
	return c, nil
}
