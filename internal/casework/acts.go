package casework

// The acts of the system, written as entries like everything else: moves,
// assignments, decisions, exclusions, emergencies.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"banyan/internal/fault"
	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// derivedID makes the id of an act that goes with an entry, so that sending
// the entry again names the same act.
func derivedID(entry, use string) string {
	u, err := uuid.Parse(entry)
	if err != nil {
		return entry
	}
	sum := sha256.Sum256([]byte("banyan act 1\x00" + entry + "\x00" + use))
	copy(u[6:], sum[:10])
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}

func actDraft(r Reader, stream, form, id string, at time.Time, coded map[string]any, reason string) journal.Draft {
	d := journal.Draft{ID: id, Stream: stream, Form: form, FormVersion: 1, Act: journal.Submit, Record: id, Author: r.User, Org: r.Org, Device: r.Device, WrittenAt: at,
		Answers: map[journal.Tier]map[string]any{}}
	if coded != nil {
		d.Answers[journal.Coded] = coded
	}
	if reason != "" {
		d.Answers[journal.Story] = map[string]any{"reason": reason}
	}
	return d
}

func newUUID() string {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return id.String()
}

// act writes one act of the system. check has the last word under the lock.
func (s *Service) act(ctx context.Context, r Reader, a policy.Action, stream, form, id string, coded map[string]any, storyTexts map[string]any, check func(c *Case, st standing) error) (Result, error) {
	if id == "" {
		id = newUUID()
	}
	st, err := s.standingOf(ctx, s.db, r, stream)
	if err != nil {
		return Result{}, err
	}
	if !s.decide(r, a, st, "", false).Allowed {
		return Result{}, fault.Absent()
	}
	d := actDraft(r, stream, form, id, s.now(), coded, "")
	if at, ok := s.sentBefore(ctx, id, stream, r.User); ok {
		d.WrittenAt = at
	}
	if len(storyTexts) > 0 {
		d.Answers[journal.Story] = storyTexts
	}
	var denied error
	results, err := s.append(ctx, r, st.org, []journal.Draft{d}, func(ctx context.Context, c *Case, _ []journal.Opened, d journal.Draft) (journal.Draft, error) {
		now, err := s.standingIn(ctx, r, c)
		if err != nil {
			return d, err
		}
		if !s.decide(r, a, now, "", false).Allowed {
			denied = fault.Absent()
			return d, denied
		}
		denied = nil
		return d, check(c, now)
	})
	if err != nil {
		return Result{}, err
	}
	if denied != nil {
		return Result{}, denied
	}
	if results[0].Status == string(journal.Refused) {
		return results[0], &fault.Error{Code: fault.Conflict, Message: "this cannot be done now", Problems: results[0].Problems}
	}
	return results[0], nil
}

// may asks the policy before anything that was sent is looked at, so that
// denied and absent give one answer.
func (s *Service) may(ctx context.Context, r Reader, a policy.Action, stream string) error {
	st, err := s.standingOf(ctx, s.db, r, stream)
	if err != nil {
		return err
	}
	if !s.decide(r, a, st, "", false).Allowed {
		return fault.Absent()
	}
	return nil
}

// sentBefore finds when an act with this id was written, so that pressing
// twice does it once.
func (s *Service) sentBefore(ctx context.Context, id, stream, author string) (time.Time, bool) {
	var at int64
	err := s.db.QueryRow(ctx, `SELECT written_at FROM entry WHERE id = $1 AND stream = $2 AND author = $3`, id, stream, author).Scan(&at)
	return store.Time(at), err == nil
}

// Move changes the status of a case. to is a move's id or the state it leads to.
func (s *Service) Move(ctx context.Context, r Reader, stream, to, reason, id string) (Result, error) {
	coded := map[string]any{}
	return s.act(ctx, r, policy.Move, stream, actMove, id, coded, reasonOf(reason), func(c *Case, _ standing) error {
		rule, missing, ok := c.MissingFor(to)
		if !ok {
			return refuse("to", "no_such_move", "from here the case cannot go there")
		}
		if !slices.ContainsFunc(rule.By, r.has) {
			return refuse("to", "role", "somebody with another role makes this step")
		}
		if rule.Reason && strings.TrimSpace(reason) == "" {
			return refuse("reason", forms.ProblemRequired, "Say why.")
		}
		if len(missing) > 0 {
			out := &refusal{}
			for _, m := range missing {
				out.problems = append(out.problems, fault.Problem{Path: m.Form, Code: "missing", Message: m.Text})
			}
			return out
		}
		coded["move"], coded["from"], coded["to"] = rule.ID, c.State(), rule.To
		return nil
	})
}

func reasonOf(reason string) map[string]any {
	if strings.TrimSpace(reason) == "" {
		return nil
	}
	return map[string]any{"reason": reason}
}

// NewAssignment says who works on a case. Empty fields stay as they are.
type NewAssignment struct {
	Worker     string `json:"worker,omitempty"`
	Supervisor string `json:"supervisor,omitempty"`
	Team       string `json:"team,omitempty"`
	Lawyer     string `json:"lawyer,omitempty"`
	ID         string `json:"id,omitempty"`
}

// Assign gives a case to somebody of the organisation.
func (s *Service) Assign(ctx context.Context, r Reader, stream string, a NewAssignment) (Result, error) {
	if err := s.may(ctx, r, policy.Assign, stream); err != nil {
		return Result{}, err
	}
	roles := map[string][]string{"worker": {policy.CaseWorker, policy.Screener, policy.Supervisor}, "supervisor": {policy.Supervisor}, "lawyer": {policy.Lawyer}}
	chosen := map[string]string{"worker": a.Worker, "supervisor": a.Supervisor, "lawyer": a.Lawyer}
	for _, what := range []string{"worker", "supervisor", "lawyer"} {
		if chosen[what] == "" {
			continue
		}
		p, err := s.dir.Person(ctx, chosen[what])
		if err != nil {
			return Result{}, err
		}
		if p.ID == "" || p.Suspended || p.Org != r.Org || !slices.ContainsFunc(roles[what], func(role string) bool { return slices.Contains(p.Roles, role) }) {
			return Result{}, fault.Field(what, "role", "choose somebody of the organisation with that role")
		}
		if what == "worker" && a.Team == "" {
			a.Team = p.Team
		}
	}
	if a.Team != "" { // it stands in clear: nothing but a team's id may come in
		org, err := s.dir.TeamOrg(ctx, a.Team)
		if err != nil {
			return Result{}, err
		}
		if org != r.Org {
			return Result{}, fault.Field("team", "reference", "choose a team of the organisation")
		}
	}
	coded := map[string]any{}
	return s.act(ctx, r, policy.Assign, stream, actAssign, a.ID, coded, nil, func(c *Case, _ standing) error {
		now := c.Assigned
		pick := func(new, old string) string {
			if new != "" {
				return new
			}
			return old
		}
		worker, boss := pick(a.Worker, now.Worker), pick(a.Supervisor, now.Supervisor)
		if worker == boss && worker != "" {
			return refuse("supervisor", "same", "nobody supervises himself")
		}
		for _, e := range c.Excluded {
			if e.User == worker || e.User == boss || e.User == a.Lawyer {
				return refuse("worker", "excluded", "this person is excluded from the case")
			}
		}
		for name, v := range map[string]string{"worker": worker, "supervisor": boss, "team": pick(a.Team, now.Team), "lawyer": pick(a.Lawyer, now.Lawyer)} {
			if v != "" {
				coded[name] = v
			}
		}
		return nil
	})
}

// NewDecision is the decision on one version of a record.
type NewDecision struct {
	Record   string `json:"record"`
	Entry    string `json:"entry"`
	Decision string `json:"decision" enum:"approved,returned"`
	Remark   string `json:"remark,omitempty" maxLength:"2000"`
	ID       string `json:"id,omitempty"`
}

// Approve decides on a record. Nobody decides on what he wrote, and only on
// the version that he saw.
func (s *Service) Approve(ctx context.Context, r Reader, stream string, n NewDecision) (Result, error) {
	if err := s.may(ctx, r, policy.Approve, stream); err != nil {
		return Result{}, err
	}
	if n.Decision != "approved" && n.Decision != "returned" {
		return Result{}, fault.Field("decision", "choice", "approve it or send it back")
	}
	if n.Decision == "returned" && strings.TrimSpace(n.Remark) == "" {
		return Result{}, fault.Field("remark", "required", "say what has to change")
	}
	var texts map[string]any
	if strings.TrimSpace(n.Remark) != "" {
		texts = map[string]any{"remark": n.Remark}
	}
	coded := map[string]any{"record": n.Record, "entry": n.Entry, "decision": n.Decision}
	return s.act(ctx, r, policy.Approve, stream, actApprove, n.ID, coded, texts, func(c *Case, st standing) error {
		rec := c.Records[n.Record]
		switch {
		case rec == nil || rec.Struck || rec.Approval == nil:
			return refuse("record", "record", "nobody decides on this record")
		case contains(rec.Authors, r.User) || !s.decide(r, policy.Approve, st, rec.Form, contains(rec.Authors, r.User)).Allowed:
			return refuse("", "own", "Nobody approves his own work. Ask another supervisor.")
		case len(rec.Heads) != 1 || len(rec.Disputes) > 0:
			return refuse("entry", "dispute", "Two people changed it at once. Settle that first.")
		case rec.Approval.Entry != n.Entry:
			return refuse("entry", "changed", "It was changed meanwhile. Look at it again.")
		case rec.Approval.State != "pending":
			return refuse("entry", "decided", "This version is decided already.")
		}
		return nil
	})
}

// BreakGlass opens a case in an emergency, for an hour at most. Two people
// are told.
func (s *Service) BreakGlass(ctx context.Context, r Reader, stream, reason, id string) (Result, error) {
	if err := s.may(ctx, r, policy.BreakTheGlass, stream); err != nil {
		return Result{}, err
	}
	least := s.policy.Glass.ReasonAtLeast
	if len([]rune(strings.TrimSpace(reason))) < least {
		return Result{}, fault.Field("reason", "too_short", fmt.Sprintf("say in at least %d characters what the danger is", least))
	}
	coded := map[string]any{"user": r.User, "until": s.now().Add(s.policy.Glass.For).UTC().Format(time.RFC3339)}
	return s.act(ctx, r, policy.BreakTheGlass, stream, actBreakGlass, id, coded, reasonOf(reason), func(*Case, standing) error { return nil })
}

// Exclude keeps a user out of a case, or lets them in again.
func (s *Service) Exclude(ctx context.Context, r Reader, stream, user string, on bool, reason, id string) (Result, error) {
	if err := s.may(ctx, r, policy.Exclude, stream); err != nil {
		return Result{}, err
	}
	if strings.TrimSpace(reason) == "" {
		return Result{}, fault.Field("reason", "required", "say why")
	}
	p, err := s.dir.Person(ctx, user)
	if err != nil {
		return Result{}, err
	}
	if p.ID == "" || p.Org != r.Org {
		return Result{}, fault.Field("user", "reference", "there is no such person in the organisation")
	}
	coded := map[string]any{"user": user, "on": on}
	return s.act(ctx, r, policy.Exclude, stream, actExclude, id, coded, reasonOf(reason), func(c *Case, _ standing) error {
		if user == r.User {
			return refuse("user", "own", "nobody decides this about himself")
		}
		return nil
	})
}

// Acknowledge says that somebody looked: it ends clocks that wait for that.
func (s *Service) Acknowledge(ctx context.Context, r Reader, stream, clock, record, id string) (Result, error) {
	coded := map[string]any{"clock": clock, "record": record}
	return s.act(ctx, r, policy.Approve, stream, actAcknowledge, id, coded, nil, func(c *Case, _ standing) error {
		for _, k := range c.Clocks {
			if k.ID == clock && k.Record == record && k.Open() {
				if rec := c.Records[record]; rec != nil && contains(rec.Authors, r.User) {
					return refuse("", "own", "Nobody looks over his own work. Ask another supervisor.")
				}
				return nil
			}
		}
		return refuse("clock", "no_such_clock", "nothing waits for that")
	})
}

// digest gives the SHA-256 of bytes in hexadecimal.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
