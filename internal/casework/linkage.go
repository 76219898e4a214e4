package casework

// Whether a child is known here already under another case. The program finds,
// a person decides, and the decision is an entry: nothing is joined by itself.

import (
	"context"
	"fmt"
	"slices"
	"time"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/linkage"
	"banyan/internal/names"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Link is what somebody decided about this case and another one.
type Link struct {
	Other string
	Same  bool
	By    string
	At    time.Time
}

// LinkWith lets the projector draw linkage tokens under a key.
func (p *Projector) LinkWith(key linkage.Key) { p.linkKey = key }

// linkPerson is what the tokens are made from.
func (c *Case) linkPerson() linkage.Person {
	p := linkage.Person{Sex: c.Sex()}
	for _, n := range c.Names() {
		p.Names = append(p.Names, n.Text)
	}
	p.Birthday, _ = c.Known("F04_registration.dob").(string)
	p.BornFrom, p.BornTo = c.bornBetween()
	home, _ := c.Known("F04_registration.home_location").(map[string]any)
	p.Province, _ = home["adm1"].(string)
	p.District, _ = home["adm2"].(string)
	for _, row := range rowsOf(c.Known("F04_registration.caregivers")) {
		if name, ok := row["name"].(string); ok && row["relationship"] == "mother" && row["_gone"] != true {
			p.Mothers = append(p.Mothers, name)
		}
	}
	for _, number := range c.Phones() {
		if full := names.Phone(number, c.Country); full != "" {
			p.Phones = append(p.Phones, full)
		}
	}
	return p
}

// link brings a decision in; a later one on the same case replaces it.
func (c *Case) link(other string, same bool, by string, at time.Time) {
	c.Links = slices.DeleteFunc(c.Links, func(l Link) bool { return l.Other == other })
	c.Links = append(c.Links, Link{other, same, by, at})
}

// linkageOf draws the tokens and decisions of a case.
func (p *Projector) linkageOf(c *Case) ([]store.Rows, error) {
	if p.linkKey == nil || c.Newest(formRegistration) == nil {
		return nil, nil
	}
	tokens, err := p.linkKey.Tokens(c.linkPerson())
	if err != nil {
		return nil, err
	}
	var decided []linkage.Decision
	for _, l := range c.Links {
		decided = append(decided, linkage.Decision{Other: l.Other, Same: l.Same, At: micros(l.At)})
	}
	return append(linkage.DrawTokens(c.Stream.Org, tokens), linkage.DrawDecisions(decided)), nil
}

// AlikeCase is a case that may be about the same person.
type AlikeCase struct {
	ID      string    `json:"id"`
	Code    string    `json:"code"`
	Status  string    `json:"status"`
	Opened  time.Time `json:"opened"`
	Verdict string    `json:"verdict" enum:"same,likely"`
	Decided string    `json:"decided,omitempty" enum:"same,different" doc:"What somebody decided; absent: nobody has yet"`
}

// mostAlike bounds the cases that one page names.
const mostAlike = 5

// Alike lists cases of the same organisation that may be about the same person,
// strongest first: those only that the reader may open. Of the others nothing is
// said, not even that there are any.
func (s *Service) Alike(ctx context.Context, r Reader, stream string) ([]AlikeCase, error) {
	out := []AlikeCase{}
	err := s.open(ctx, r, "case.alike", stream, func(tx *store.Tx, o *journal.Opener, st standing, _ []journal.Tier, _ *Case) error {
		out = out[:0]
		if st.org != r.Org {
			return nil
		}
		matches, err := linkage.Alike(ctx, tx, stream, st.org)
		if err != nil {
			return err
		}
		for _, m := range matches {
			if len(out) == mostAlike {
				break
			}
			may, err := s.mayKnow(ctx, tx, r, m.Stream)
			if err != nil {
				return err
			}
			if !may {
				continue
			}
			a := AlikeCase{ID: m.Stream, Verdict: string(m.Verdict), Decided: string(m.Decided)}
			var opened int64
			var state string
			if err := tx.QueryRow(ctx, `SELECT code, state, opened_at FROM case_view WHERE stream = $1`, m.Stream).Scan(&a.Code, &state, &opened); err != nil {
				return fmt.Errorf("reading a case that is alike: %w", err)
			}
			a.Status, a.Opened = state, store.Time(opened)
			o.Note(m.Stream, journal.Coded)
			out = append(out, a)
		}
		return nil
	})
	return out, err
}

// mayKnow says whether a reader may open another case of the organisation.
func (s *Service) mayKnow(ctx context.Context, q store.Querier, r Reader, stream string) (bool, error) {
	st, err := s.standingOf(ctx, q, r, stream)
	if fault.CodeOf(err) == fault.DeniedOrAbsent {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return st.org == r.Org && !st.excluded && len(s.tiers(r, policy.Read, st, "")) > 0, nil
}

// DecideAlike writes that another case is, or is not, about the same person.
// Neither case is changed by it.
func (s *Service) DecideAlike(ctx context.Context, r Reader, stream, other string, same bool, id string) (Result, error) {
	if err := s.may(ctx, r, policy.Settle, stream); err != nil {
		return Result{}, err
	}
	may, err := s.mayKnow(ctx, s.db, r, other)
	if err != nil {
		return Result{}, err
	}
	if !may || other == stream {
		return Result{}, fault.Absent()
	}
	coded := map[string]any{"other": other, "same": same}
	return s.act(ctx, r, policy.Settle, stream, actLink, id, coded, nil, func(c *Case, _ standing) error {
		if c.Newest(formRegistration) == nil {
			return refuse("other", "not_yet", "register the person first")
		}
		return nil
	})
}
