package casework

// Projections of cases, and the names known in memory.

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"banyan/internal/journal"
	"banyan/internal/linkage"
	"banyan/internal/names"
	"banyan/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Kind is the kind of stream that a case is.
const Kind = "case"

// Schema is this room's tables.
func Schema() store.Schema {
	sub, _ := fs.Sub(migrations, "migrations")
	return store.Schema{Room: "casework", FS: sub}
}

// Projector draws the rows of cases, and keeps the names index in memory up
// to date with what was committed.
type Projector struct {
	rules   *Rules
	index   *names.Index
	linkKey linkage.Key // nil: no linkage tokens are drawn

	mu    sync.Mutex
	drawn map[string]*Case // by stream, as last drawn, until it is committed
	taken map[string]*Case // by stream, as it stood when a draft was looked at, until it is drawn
}

// mostDrawn bounds what waits to be drawn or committed: a rebuild foresees a
// batch, draws, and never commits.
const mostDrawn = 256

// NewProjector makes the projector; hand it to journal.New.
func NewProjector(r *Rules) *Projector {
	return &Projector{rules: r, index: names.NewIndex(), drawn: map[string]*Case{}, taken: map[string]*Case{}}
}

// Name of the projection.
func (p *Projector) Name() string { return "cases" }

// Tables that are drawn.
func (p *Projector) Tables() []store.Table {
	return append([]store.Table{viewTable, taskTable, glassTable, excludedTable, sharedTable, noticeTable}, linkage.Tables...)
}

// Labels of sealed cells.
const (
	cellPerson = "case.person" // identity
	cellPlace  = "case.place"  // place
	cellMarks  = "case.marks"  // story
	cellNote   = "task.note"   // story
)

// personCell is what lists and search show of a person.
type personCell struct {
	Names    []Name   `json:"names"`
	Phones   []string `json:"phones,omitempty"`
	BornFrom int      `json:"born_from,omitempty"`
	BornTo   int      `json:"born_to,omitempty"`
	Age      any      `json:"age,omitempty"`
	Places   []string `json:"places,omitempty"`
}

type marksCell struct {
	UnsafeGuardian bool `json:"unsafe_guardian"`
}

// Draw gives the rows of a case.
func (p *Projector) Draw(s journal.Stream, history []journal.Opened, seal journal.Seal) ([]store.Rows, error) {
	if s.Kind != Kind || s.Erased() || len(history) == 0 {
		return nil, nil
	}
	c := p.rules.foldOn(p.takenBefore(s.ID, history), s, history)
	if c.Code == "" {
		return nil, nil // the case shows nowhere
	}
	p.remember(c)
	view, err := p.viewOf(c, seal)
	if err != nil {
		return nil, err
	}
	tasks, err := tasksOf(c, seal)
	if err != nil {
		return nil, err
	}
	linked, err := p.linkageOf(c)
	if err != nil {
		return nil, err
	}
	return append([]store.Rows{{Table: viewTable, Rows: [][]any{view}}, {Table: taskTable, Rows: tasks}, {Table: glassTable, Rows: glassesOf(c)},
		{Table: excludedTable, Rows: excludedOf(c)}, {Table: sharedTable, Rows: sharedOf(c)}, {Table: noticeTable, Rows: p.noticesOf(c)}}, linked...), nil
}

// The tables.
var (
	viewTable = store.Table{Name: "case_view", Key: 1, Columns: []string{"stream", "org", "code", "country", "state", "since", "risk", "risk_rank", "risk_since", "sex",
		"age_years", "age_observed", "age_basis", "opened_at", "last_at", "changed", "worker", "supervisor", "team", "lawyer", "assigned_at", "last_author",
		"presumption", "presumed_since", "state_decision", "disputes", "next_label", "next_form", "next_record", "next_due", "person", "place", "marks"}}
	taskTable = store.Table{Name: "case_task", Key: 2, Columns: []string{"stream", "key", "kind", "clock", "label", "form", "record", "place", "org", "owner", "role", "boss",
		"risk_rank", "since", "due_at", "remind_at", "boss_at", "above", "above_at", "note"}}
	glassTable    = store.Table{Name: "case_glass", Key: 3, Columns: []string{"stream", "reader", "until"}}
	excludedTable = store.Table{Name: "case_excluded", Key: 2, Columns: []string{"stream", "reader"}}
	sharedTable   = store.Table{Name: "case_shared", Key: 4, Columns: []string{"stream", "partner", "tiers", "until"}}
	noticeTable   = store.Table{Name: "case_notice", Key: 2, Columns: []string{"stream", "key", "kind", "form", "record", "org", "reader", "role", "by_user", "at"}}
)

func (p *Projector) person(c *Case) personCell {
	cell := personCell{Names: c.Names(), Phones: c.Phones(), Places: c.Places()}
	cell.BornFrom, cell.BornTo = c.bornBetween()
	if a, ok := c.ageAnswer(); ok {
		cell.Age = a
	}
	return cell
}

func sealJSON(seal journal.Seal, tier journal.Tier, label string, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return seal(tier, label, text)
}

func (p *Projector) viewOf(c *Case, seal journal.Seal) ([]any, error) {
	person, err := sealJSON(seal, journal.Identity, cellPerson, p.person(c))
	if err != nil {
		return nil, fmt.Errorf("sealing a name: %w", err)
	}
	place, err := sealJSON(seal, journal.Place, cellPlace, c.Places())
	if err != nil {
		return nil, fmt.Errorf("sealing a place: %w", err)
	}
	marks, err := sealJSON(seal, journal.Story, cellMarks, marksCell{c.UnsafeGuardian()})
	if err != nil {
		return nil, fmt.Errorf("sealing the marks of a case: %w", err)
	}
	years, observed := int64(-1), ""
	if a, ok := c.Known("F04_registration.age").(map[string]any); ok { // the coded age
		if y, ok := a["years"].(float64); ok {
			years = int64(y)
			observed, _ = a["observed_on"].(string)
		}
	}
	basis, _ := c.firstKnown("F04_registration.age_basis", "F01_first_contact.age_basis").(string)
	v := c.VictimNow()
	var next Task
	if n, ok := c.Next(); ok {
		next = n
	}
	last, changed, author := time.Time{}, time.Time{}, ""
	for _, o := range c.entries {
		if at := effective(o.Entry); !at.Before(last) {
			last, author = at, o.Author
		}
		if o.RecordedAt.After(changed) {
			changed = o.RecordedAt
		}
	}
	return []any{c.Stream.Org, c.Code, c.Country, c.State(), micros(c.Since()), c.Risk, riskRank(c.Risk), micros(c.RiskSince), c.Sex(),
		years, observed, basis, micros(c.Opened), micros(last), micros(changed), c.Assigned.Worker, c.Assigned.Supervisor, c.Assigned.Team,
		c.Assigned.Lawyer, micros(c.Assigned.At), author, v.Presumption, micros(v.Since), v.StateDecision, len(c.AllDisputes()),
		next.Label, next.Form, next.Record, micros(next.DueAt), person, place, marks}, nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return store.Micros(t)
}

func tasksOf(c *Case, seal journal.Seal) ([][]any, error) {
	var out [][]any
	for _, t := range c.Tasks() {
		var note []byte
		if t.Note != "" {
			sealed, err := seal(journal.Story, cellNote, []byte(t.Note))
			if err != nil {
				return nil, fmt.Errorf("sealing a task: %w", err)
			}
			note = sealed
		}
		var row taskRow
		switch t.For {
		case "worker":
			row.owner = c.Assigned.Worker
			if row.owner == "" {
				row.owner = c.Assigned.Supervisor
			}
		case "supervisor":
			row.owner = c.Assigned.Supervisor
			if row.owner == "" {
				row.role = "supervisor"
			}
		default:
			row.role = t.For
		}
		for _, e := range t.Escalation {
			switch {
			case e.To == "supervisor" && row.boss == "":
				row.boss, row.bossAt = c.Assigned.Supervisor, e.At
			case e.To != "supervisor" && row.above == "":
				row.above, row.aboveAt = e.To, e.At
			}
		}
		out = append(out, []any{t.Key, t.Kind, t.Clock, t.Label, t.Form, t.Record, t.Row, c.Stream.Org, row.owner, row.role, row.boss,
			riskRank(c.Risk), micros(t.Since), micros(t.DueAt), micros(t.RemindAt), micros(row.bossAt), row.above, micros(row.aboveAt), note})
	}
	return out, nil
}

type taskRow struct {
	owner, role, boss, above string
	bossAt, aboveAt          time.Time
}

func glassesOf(c *Case) [][]any {
	var out [][]any
	for _, g := range c.Glasses {
		out = append(out, []any{g.User, micros(g.Until)})
	}
	return out
}

func excludedOf(c *Case) [][]any {
	var out [][]any
	for _, e := range c.Excluded {
		out = append(out, []any{e.User})
	}
	return out
}

func sharedOf(c *Case) [][]any {
	var out [][]any
	for _, s := range c.Shares() {
		out = append(out, []any{partnerDigest(c.Stream.ID, s.Org), strings.Join(s.Tiers, ","), micros(s.Until)})
	}
	return out
}

func partnerDigest(stream, org string) string {
	sum := sha256.Sum256([]byte("banyan share 1\x00" + stream + "\x00" + org))
	return hex.EncodeToString(sum[:16])
}

// Share is what another organisation may see, by consent.
type Share struct {
	Org   string
	Tiers []string
	Until time.Time // zero: no end of its own
}

// Shares lists with whom the case is shared now: a referral that was sent and
// not refused, and a consent that names the organisation and was not taken
// back.
func (c *Case) Shares() []Share {
	sent := map[string]bool{}
	for _, r := range c.Of(formReferral) {
		if org, ok := r.Answers["to_org"].(string); ok && (referralWaits(r) || r.Answers["status"] == "done") {
			sent[org] = true
		}
	}
	r := c.Newest(formConsent)
	if r == nil || len(sent) == 0 {
		return nil
	}
	if scopes, _ := r.Answers["scopes"].(map[string]any); scopes["share_referral"] != "yes" || r.Answers["withdrawn_at"] != nil {
		return nil
	}
	var out []Share
	for _, row := range rowsOf(r.Answers["share_with"]) {
		org, _ := row["organisation"].(string)
		if !sent[org] {
			continue
		}
		s := Share{Org: org}
		list, _ := row["may_see"].([]any)
		for _, t := range list {
			if tier, ok := t.(string); ok {
				s.Tiers = append(s.Tiers, tier)
			}
		}
		day, _ := row["until"].(string)
		if at, _, ok := parseWhen(day, c.zone()); ok {
			s.Until = endOfDay(at, c.zone())
		}
		out = append(out, s)
	}
	return out
}

// noticesOf tells people what happened to their work.
func (p *Projector) noticesOf(c *Case) [][]any {
	var out [][]any
	put := func(key, kind, form, record, reader, role, by string, at time.Time) {
		if reader == "" && role == "" || reader != "" && reader == by {
			return
		}
		out = append(out, []any{key, kind, form, record, c.Stream.Org, reader, role, by, micros(at)})
	}
	for _, a := range p.rules.Approvals {
		for _, r := range c.Of(a.Form) {
			if r.Approval.State == "pending" {
				continue
			}
			put("decided|"+r.Approval.Entry, r.Approval.State, r.Form, r.ID, r.Author, "", r.Approval.By, r.Approval.At)
		}
	}
	for i, g := range c.Glasses {
		put(fmt.Sprintf("glass|%d|supervisor", i), "glass", "", "", c.Assigned.Supervisor, ifEmpty(c.Assigned.Supervisor, "supervisor"), g.User, g.At)
		put(fmt.Sprintf("glass|%d|auditor", i), "glass", "", "", "", "auditor", g.User, g.At)
	}
	for _, r := range c.Of(formConsent) {
		if r.Answers["override"] == true {
			put("override|"+r.ID, "override", formConsent, r.ID, c.Assigned.Supervisor, ifEmpty(c.Assigned.Supervisor, "supervisor"), r.Author, r.FirstAt)
		}
	}
	if c.Assigned.By != "" {
		put("assigned", "assigned", "", "", c.Assigned.Worker, "", c.Assigned.By, c.Assigned.At)
	}
	return out
}

func ifEmpty(s, role string) string {
	if s == "" {
		return role
	}
	return ""
}

// Committed brings the names index up to date.
func (p *Projector) Committed(s journal.Stream, history []journal.Opened) {
	if s.Kind != Kind {
		return
	}
	if s.Erased() {
		p.index.Delete(s.ID)
		return
	}
	c := p.folded(s, history)
	if c.Code == "" {
		return
	}
	p.put(s.ID, s.Org, c.Code, c.Sex(), c.Country, p.person(c))
}

// Foresee folds a case before its transaction begins.
func (p *Projector) Foresee(s journal.Stream, history []journal.Opened) {
	if s.Kind == Kind && !s.Erased() && len(history) > 0 {
		p.took(p.rules.Fold(s, history))
	}
}

// asItStands folds a case of which all tiers are open, from what was foreseen
// where it can, and keeps it for the drawing.
func (p *Projector) asItStands(s journal.Stream, history []journal.Opened) *Case {
	c := p.rules.foldOn(p.takenBefore(s.ID, history), s, history)
	p.took(c)
	return c
}

// took keeps a folded case, with every tier open, so that drawing it a moment
// later need not begin from nothing.
func (p *Projector) took(c *Case) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.taken) >= mostDrawn {
		clear(p.taken)
	}
	if c.Stream.Seq > 0 {
		p.taken[c.Stream.ID] = c
	}
}

// takenBefore gives the case that took kept, if it is the beginning of history.
func (p *Projector) takenBefore(stream string, history []journal.Opened) *Case {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.taken[stream]
	delete(p.taken, stream)
	n := 0
	if c != nil {
		n = len(c.entries)
	}
	if n == 0 || n > len(history) || history[n-1].Hash != c.Stream.HeadHash {
		return nil
	}
	return c
}

func (p *Projector) remember(c *Case) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.drawn) >= mostDrawn {
		clear(p.drawn)
	}
	p.drawn[c.Stream.ID] = c
}

// folded gives the case as it was just drawn, if it is the same.
func (p *Projector) folded(s journal.Stream, history []journal.Opened) *Case {
	p.mu.Lock()
	c := p.drawn[s.ID]
	delete(p.drawn, s.ID)
	p.mu.Unlock()
	if c != nil && c.Stream.HeadHash == s.HeadHash && len(c.entries) == len(history) {
		return c
	}
	return p.rules.Fold(s, history)
}

func (p *Projector) put(stream, org, code, sex, country string, cell personCell) {
	person := names.Person{ID: stream, Owner: org, Sex: sex, BornFrom: cell.BornFrom, BornTo: cell.BornTo, Code: code, Places: cell.Places}
	for _, n := range cell.Names {
		person.Names = append(person.Names, n.Text)
	}
	for _, ph := range cell.Phones {
		if full := names.Phone(ph, country); full != "" {
			person.Phones = append(person.Phones, full)
		}
	}
	p.index.Put(person)
}

// Load fills the names index from the sealed rows that changed since an
// instant (0: all), and gives the newest change seen. Several processes over
// one database call it now and then with the last instant.
func (p *Projector) Load(ctx context.Context, j *journal.Journal, since int64) (int64, error) {
	type row struct {
		org, code, sex, country string
		sealed                  []byte
	}
	newest := since
	after := ""
	for {
		batch := map[string]row{}
		rows, err := j.DB().Query(ctx, `SELECT stream, org, code, sex, country, changed, person FROM case_view
			WHERE changed >= $1 AND stream > $2 ORDER BY stream LIMIT 2000`, since, after)
		if err != nil {
			return since, fmt.Errorf("loading names: %w", err)
		}
		var order []string
		for rows.Next() {
			var r row
			var stream string
			var changed int64
			if err := rows.Scan(&stream, &r.org, &r.code, &r.sex, &r.country, &changed, &r.sealed); err != nil {
				rows.Close()
				return since, fmt.Errorf("loading names: %w", err)
			}
			batch[stream] = r
			order = append(order, stream)
			newest = max(newest, changed)
		}
		rows.Close()
		if len(order) == 0 {
			return newest, nil
		}
		after = order[len(order)-1]
		cells := func(yield func(string, []byte) bool) {
			for _, stream := range order {
				if !yield(stream, batch[stream].sealed) {
					return
				}
			}
		}
		err = j.OpenCells(ctx, journal.Identity, cellPerson, cells, func(stream string, plain []byte) error {
			var cell personCell
			if err := json.Unmarshal(plain, &cell); err != nil {
				return err
			}
			r := batch[stream]
			p.put(stream, r.org, r.code, r.sex, r.country, cell)
			return nil
		})
		if err != nil {
			return since, fmt.Errorf("loading names: %w", err)
		}
	}
}
