package casework

// Who stands how to a case, and what follows from it.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Reader is who asks: a signed-in user.
type Reader struct {
	User, Org, Team string
	Roles           []string
	Session, Device string
	Lang            string
	Purpose         string // of this read, where it is another than the standing tells
}

func (r Reader) subject() policy.Subject {
	return policy.Subject{User: r.User, Org: r.Org, Roles: r.Roles}
}

func (r Reader) has(role string) bool { return slices.Contains(r.Roles, role) }

// Staff is a colleague as this room needs one.
type Staff struct {
	ID, Name, Org, Team string
	Roles               []string
	Suspended           bool
}

// Directory knows people and organisations. Unknown ids give zero values.
type Directory interface {
	Person(ctx context.Context, user string) (Staff, error)
	Staff(ctx context.Context, org string) ([]Staff, error)
	TeamOrg(ctx context.Context, team string) (org string, err error)
	TeamSupervisor(ctx context.Context, team string) (string, error)
	SupervisedTeams(ctx context.Context, user string) ([]string, error)
	Organisation(ctx context.Context, org string) (name, country string, err error)
}

// standing is how a reader stands to one case.
type standing struct {
	stream    string
	org       string
	relations []policy.Relation
	excluded  bool
	shared    []policy.Tier // what consent allows the reader's organisation
}

// holders says who has a case in hand.
type holders struct {
	org, worker, supervisor, team, lawyer string
	excluded, glass                       bool
	shared                                []policy.Tier
	isShared                              bool
}

func (s *Service) stand(ctx context.Context, r Reader, stream string, h holders) (standing, error) {
	out := standing{stream: stream, org: h.org, excluded: h.excluded}
	if h.isShared && h.org != r.Org {
		out.relations = append(out.relations, policy.Referred)
		out.shared = h.shared
	}
	if h.org == r.Org {
		if r.User != "" && (h.worker == r.User || h.lawyer == r.User) {
			out.relations = append(out.relations, policy.Assigned)
		}
		if h.team != "" && h.team == r.Team {
			out.relations = append(out.relations, policy.Team)
		}
		supervised := h.supervisor == r.User && r.User != ""
		if !supervised && h.team != "" && r.has(policy.Supervisor) {
			teams, err := s.dir.SupervisedTeams(ctx, r.User)
			if err != nil {
				return out, err
			}
			supervised = slices.Contains(teams, h.team)
		}
		if supervised {
			out.relations = append(out.relations, policy.Supervised)
		}
		out.relations = append(out.relations, policy.Organisation)
		if h.glass {
			out.relations = append(out.relations, policy.BreakGlass)
		}
	}
	if len(out.relations) == 0 {
		out.relations = []policy.Relation{policy.None}
	}
	return out, nil
}

// isID says whether a caller's words can be the id of a case. Others are not
// looked for: a name that somebody typed in its place would otherwise stand in
// the database server's log.
func isID(words string) bool {
	id, err := uuid.Parse(words)
	return err == nil && id.String() == words
}

// standingOf reads how the reader stands to a case from the projections. What
// is not there is fault.Absent.
func (s *Service) standingOf(ctx context.Context, q store.Querier, r Reader, stream string) (standing, error) {
	if !isID(stream) {
		return standing{}, fault.Absent()
	}
	var h holders
	err := q.QueryRow(ctx, `SELECT org, worker, supervisor, team, lawyer FROM case_view WHERE stream = $1`, stream).
		Scan(&h.org, &h.worker, &h.supervisor, &h.team, &h.lawyer)
	if errors.Is(err, sql.ErrNoRows) {
		return standing{}, fault.Absent()
	}
	if err != nil {
		return standing{}, fmt.Errorf("looking for a case: %w", err)
	}
	if err := s.fillHolders(ctx, q, r, stream, &h); err != nil {
		return standing{}, err
	}
	return s.stand(ctx, r, stream, h)
}

func (s *Service) fillHolders(ctx context.Context, q store.Querier, r Reader, stream string, h *holders) error {
	now := store.Micros(s.now())
	var glass, excluded int
	err := q.QueryRow(ctx, `SELECT (SELECT count(*) FROM case_glass WHERE stream = $1 AND reader = $2 AND until > $3),
		(SELECT count(*) FROM case_excluded WHERE stream = $1 AND reader = $2)`, stream, r.User, now).Scan(&glass, &excluded)
	if err != nil {
		return fmt.Errorf("looking who may open a case: %w", err)
	}
	h.glass, h.excluded = glass > 0, excluded > 0
	if h.org == r.Org {
		return nil
	}
	var tiers string
	var until int64
	err = q.QueryRow(ctx, `SELECT tiers, until FROM case_shared WHERE stream = $1 AND partner = $2 LIMIT 1`, stream, partnerDigest(stream, r.Org)).Scan(&tiers, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking with whom a case is shared: %w", err)
	}
	if until == 0 || until > now {
		h.isShared = true
		for _, t := range strings.Split(tiers, ",") {
			if t != "" {
				h.shared = append(h.shared, policy.Tier(t))
			}
		}
	}
	return nil
}

// standingIn is standingOf from the folded case itself, under the lock of a
// write.
func (s *Service) standingIn(ctx context.Context, r Reader, c *Case) (standing, error) {
	h := holders{org: c.Stream.Org, worker: c.Assigned.Worker, supervisor: c.Assigned.Supervisor, team: c.Assigned.Team, lawyer: c.Assigned.Lawyer}
	now := s.now()
	for _, g := range c.Glasses {
		h.glass = h.glass || g.User == r.User && g.Until.After(now)
	}
	for _, e := range c.Excluded {
		h.excluded = h.excluded || e.User == r.User
	}
	for _, sh := range c.Shares() {
		if sh.Org == r.Org && (sh.Until.IsZero() || sh.Until.After(now)) {
			h.isShared = true
			for _, t := range sh.Tiers {
				h.shared = append(h.shared, policy.Tier(t))
			}
		}
	}
	return s.stand(ctx, r, c.Stream.ID, h)
}

// decide asks the policy.
func (s *Service) decide(r Reader, a policy.Action, st standing, form string, own bool) policy.Decision {
	return s.policy.DecideAny(r.subject(), a, policy.Resource{Kind: Kind, Form: form, Excluded: st.excluded, Own: own}, st.relations...)
}

// tiers lists what the reader may open or write. What came by referral opens
// no more than the consent says.
func (s *Service) tiers(r Reader, a policy.Action, st standing, form string) []journal.Tier {
	var own []policy.Tier
	var others []policy.Relation
	for _, rel := range st.relations {
		if rel != policy.Referred {
			others = append(others, rel)
		}
	}
	own = s.policy.TiersOfForm(r.subject(), a, Kind, form, st.excluded, others...)
	if len(others) < len(st.relations) {
		for _, t := range s.policy.TiersOfForm(r.subject(), a, Kind, form, st.excluded, policy.Referred) {
			if slices.Contains(st.shared, t) && !slices.Contains(own, t) {
				own = append(own, t)
			}
		}
	}
	out := make([]journal.Tier, 0, len(own))
	for _, t := range policy.AllTiers {
		if slices.Contains(own, t) {
			out = append(out, journal.Tier(t))
		}
	}
	return out
}

// why says which rule opens the case, in words.
func (s *Service) why(r Reader, st standing) (rule, words string) {
	d := s.policy.DecideAny(r.subject(), policy.Read, policy.Resource{Kind: Kind, Excluded: st.excluded}, st.relations...)
	rule, words, most := d.Rule, "", 0
	for _, rel := range policy.AllRelations {
		if !slices.Contains(st.relations, rel) {
			continue
		}
		by := s.policy.Decide(r.subject(), policy.Read, policy.Resource{Kind: Kind, Relation: rel, Excluded: st.excluded})
		// The relation that opens the most is why: a supervisor of the case also works in its organisation.
		if n := len(s.policy.TiersOfForm(r.subject(), policy.Read, Kind, "", st.excluded, rel)); by.Allowed && n > most {
			rule, words, most = by.Rule, s.policy.RelationWords(rel, r.Lang), n
		}
	}
	return rule, words
}

// purpose is why the reader reads, for the access log.
func purpose(r Reader, st standing) string {
	switch {
	case r.Purpose != "":
		return r.Purpose
	case slices.Contains(st.relations, policy.Assigned) && r.has(policy.Lawyer):
		return "legal_aid"
	case slices.Contains(st.relations, policy.Assigned):
		return "care"
	case slices.Contains(st.relations, policy.Supervised):
		return "supervision"
	case slices.Contains(st.relations, policy.BreakGlass):
		return "emergency"
	case slices.Contains(st.relations, policy.Referred):
		return "referral"
	}
	return "care"
}

// Standing says how a user stands to a case named by id or code, without
// opening it, for the page that explains the policy.
func (s *Service) Standing(ctx context.Context, org string, user Reader, record string) (relations []policy.Relation, excluded bool, err error) {
	var stream string
	err = s.db.QueryRow(ctx, `SELECT stream FROM case_view WHERE org = $1 AND (stream = $2 OR code = $2)`, org, record).Scan(&stream)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, fault.Absent()
	}
	if err != nil {
		return nil, false, fmt.Errorf("looking for a case: %w", err)
	}
	st, err := s.standingOf(ctx, s.db, user, stream)
	return st.relations, st.excluded, err
}

// AccessLine is one line of who looked.
type AccessLine struct {
	At      time.Time `json:"at"`
	User    string    `json:"user"` // the name
	UserID  string    `json:"user_id"`
	Action  string    `json:"action"`
	Tiers   []string  `json:"tiers"`
	Purpose string    `json:"purpose"`
	Because string    `json:"because"`
}

// AccessPage is one page of who looked, newest first.
type AccessPage struct {
	Items []AccessLine `json:"items"`
	Next  string       `json:"next,omitempty"`
}

// AccessOf lists who opened a case.
func (s *Service) AccessOf(ctx context.Context, r Reader, stream, cursor string) (AccessPage, error) {
	st, err := s.standingOf(ctx, s.db, r, stream)
	if err != nil {
		return AccessPage{}, err
	}
	if !s.decide(r, policy.ReadAccessLog, st, "", false).Allowed {
		return AccessPage{}, fault.Absent()
	}
	const limit = 50
	lines, err := s.journal.AccessOf(ctx, stream, limit, cursor)
	if err != nil {
		return AccessPage{}, err
	}
	page := AccessPage{Items: make([]AccessLine, 0, len(lines))}
	for _, l := range lines {
		line := AccessLine{At: l.At, User: s.nameOf(ctx, l.User), UserID: l.User, Action: l.Action, Purpose: l.Purpose, Because: s.policy.Words(l.Because, r.Lang)}
		for _, t := range l.Tiers {
			line.Tiers = append(line.Tiers, string(t))
		}
		page.Items = append(page.Items, line)
	}
	if len(lines) == limit {
		page.Next = lines[limit-1].ID
	}
	return page, nil
}
