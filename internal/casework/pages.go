package casework

// One case on one page. Its parts stand in pagehead, pageforms, pageplan and
// pagearound, each with the types it answers with; the entries in timeline.

import (
	"context"
	"fmt"
	"slices"
	"time"

	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Page is a case as its page shows it.
type Page struct {
	ID          string         `json:"id"`
	Code        string         `json:"code"`
	Why         string         `json:"why"`
	StreamSeq   int64          `json:"stream_seq"`
	Header      Header         `json:"header"`
	Steps       []Step         `json:"steps"`
	Next        *NextStep      `json:"next,omitempty"`
	Moves       []PageMove     `json:"moves"`
	Timeline    []TimelineItem `json:"timeline"`
	Forms       []FormItem     `json:"forms"`
	Plan        PlanItem       `json:"plan"`
	Services    []ServiceItem  `json:"services"`
	Consent     []ConsentItem  `json:"consent"`
	People      []PersonItem   `json:"people"`
	Clocks      []ClockItem    `json:"clocks"`
	Tasks       []TaskItem     `json:"tasks"`
	Approvals   []ApprovalItem `json:"approvals"`
	Disputes    []DisputeItem  `json:"disputes"`
	Files       []FileItem     `json:"files"`
	Access      AccessSummary  `json:"access"`
	Assigned    AssignedItem   `json:"assigned"`
	May         []string       `json:"may"`
	HiddenTiers []string       `json:"hidden_tiers"`
}

// FileItem is one file.
type FileItem struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Media  string    `json:"media"`
	Size   int64     `json:"size"`
	SHA256 string    `json:"sha256" doc:"Of the file as it came"`
	At     time.Time `json:"at"`
	Author string    `json:"author"`
	State  string    `json:"state" enum:"cleaned,plain,when_opened" doc:"cleaned: a copy without hidden data is opened; plain: there is nothing to take out; when_opened: kept before there were copies of its kind, and cleaned each time"`
}

// AccessSummary says how many looked.
type AccessSummary struct {
	People    int `json:"people"`
	Times     int `json:"times"`
	Days      int `json:"days"`
	ToldAgain int `json:"told_again"`
}

// AssignedItem says who works on it: names, with the ids beside.
type AssignedItem struct {
	Worker       string `json:"worker,omitempty"`
	WorkerID     string `json:"worker_id,omitempty"`
	Supervisor   string `json:"supervisor,omitempty"`
	SupervisorID string `json:"supervisor_id,omitempty"`
	Lawyer       string `json:"lawyer,omitempty"`
	LawyerID     string `json:"lawyer_id,omitempty"`
	Team         string `json:"team,omitempty"`
}

// pageActions are asked for the page's buttons.
var pageActions = []policy.Action{policy.WriteTo, policy.Move, policy.Assign, policy.Approve, policy.Strike, policy.Settle,
	policy.Export, policy.Unmask, policy.Original, policy.ReadAccessLog, policy.Exclude, policy.EraseRequest, policy.BreakTheGlass}

// CasePage opens a case.
func (s *Service) CasePage(ctx context.Context, r Reader, stream string) (Page, error) {
	var page Page
	err := s.open(ctx, r, "case.open", stream, func(tx *store.Tx, o *journal.Opener, st standing, tiers []journal.Tier, c *Case) error {
		v := &view{s: s, ctx: ctx, r: r, c: c, st: st, tiers: tiers, now: s.now()}
		page = v.page()
		return s.hiddenMarks(ctx, tx, o, &page)
	})
	if err != nil {
		return Page{}, err
	}
	page.Access, err = s.accessSummary(ctx, stream, page.Access.ToldAgain)
	return page, err
}

// hiddenMarks shows the unsafe-guardian mark as the whole record has it to
// everybody who may read stories, and only to them.
func (s *Service) hiddenMarks(ctx context.Context, tx *store.Tx, o *journal.Opener, page *Page) error {
	var sealed []byte
	if err := tx.QueryRow(ctx, `SELECT marks FROM case_view WHERE stream = $1`, page.ID).Scan(&sealed); err != nil {
		return fmt.Errorf("reading the marks of a case: %w", err)
	}
	var marks marksCell
	if _, err := unsealJSON(ctx, o, page.ID, journal.Story, cellMarks, sealed, &marks); err != nil {
		return err
	}
	page.Header.UnsafeGuardian = marks.UnsafeGuardian
	return nil
}

func (s *Service) accessSummary(ctx context.Context, stream string, told int) (AccessSummary, error) {
	out := AccessSummary{ToldAgain: told}
	lines, err := s.journal.AccessOf(ctx, stream, 500, "")
	if err != nil {
		return out, err
	}
	people := map[string]bool{}
	var first time.Time
	for _, l := range lines {
		people[l.User] = true
		first = l.At
	}
	out.People, out.Times = len(people), len(lines)
	if len(lines) > 0 {
		out.Days = int(s.now().Sub(first).Hours()/24) + 1
	}
	return out, nil
}

// view builds what one reader sees of one case.
type view struct {
	s     *Service
	ctx   context.Context
	r     Reader
	c     *Case
	st    standing
	tiers []journal.Tier
	now   time.Time
}

func (v *view) sees(t journal.Tier) bool { return slices.Contains(v.tiers, t) }

func (v *view) page() Page {
	c := v.c
	_, why := v.s.why(v.r, v.st)
	p := Page{ID: c.Stream.ID, Code: c.Code, Why: why, StreamSeq: c.Stream.Seq, Header: v.header(), Steps: v.steps(), Moves: v.moves(),
		Timeline: v.timeline(), Forms: v.forms(), Plan: v.plan(), Services: v.services(), Consent: v.consent(), People: v.people(),
		Clocks: v.clocks(), Tasks: v.tasks(), Approvals: v.approvals(), Disputes: v.disputes(), Files: v.files(), Assigned: v.assigned(),
		May: []string{}, HiddenTiers: []string{}, Next: v.next()}
	p.Access.ToldAgain = c.Told
	for _, a := range pageActions {
		if a == policy.BreakTheGlass && len(v.tiers) == len(journal.Tiers) {
			continue // nothing is closed to be opened
		}
		if v.s.decide(v.r, a, v.st, "", false).Allowed || a == policy.WriteTo && slices.ContainsFunc(p.Forms, func(f FormItem) bool { return f.CanAdd }) {
			p.May = append(p.May, string(a))
		}
	}
	for _, t := range journal.Tiers {
		if !v.sees(t) {
			p.HiddenTiers = append(p.HiddenTiers, string(t))
		}
	}
	return p
}

func (v *view) say(english string) string { return v.c.rules.say(english, v.r.Lang) }

func (v *view) files() []FileItem {
	out := []FileItem{}
	if !v.sees(journal.Identity) {
		return out
	}
	for _, f := range v.c.Files {
		out = append(out, FileItem{f.ID, f.Name, f.Media, f.Size, f.SHA256, f.At, v.s.nameOf(v.ctx, f.Author), f.state()})
	}
	return out
}

func (v *view) assigned() AssignedItem {
	a := v.c.Assigned
	name := func(user string) string { return v.s.nameOf(v.ctx, user) }
	return AssignedItem{name(a.Worker), a.Worker, name(a.Supervisor), a.Supervisor, name(a.Lawyer), a.Lawyer, a.Team}
}
