package casework

// Find before create: names in any script, codes, phones, age and place.

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/names"
	"banyan/internal/policy"
	"banyan/internal/store"
)

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
		out = Found{Candidates: []Candidate{}}
		var err error
		ask.Owner = r.Org
		if ask.Also, err = s.sharedWith(ctx, tx, r); err != nil {
			return err
		}
		if out.Searched, err = s.searchable(ctx, tx, r, len(ask.Also)); err != nil {
			return err
		}
		if ask.Place != "" {
			if ask.PlaceOf, err = s.placesSeen(ctx, tx, r, ask.Also); err != nil {
				return err
			}
		}
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

// sharedWith lists the cases of other organisations that are shared with the
// reader's. The rows name the partner by a digest only, so each is compared.
func (s *Service) sharedWith(ctx context.Context, tx *store.Tx, r Reader) (map[string]bool, error) {
	rows, err := tx.Query(ctx, `SELECT stream, partner FROM case_shared WHERE until = 0 OR until > $1`, store.Micros(s.now()))
	if err != nil {
		return nil, fmt.Errorf("looking for shared cases: %w", err)
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var stream, partner string
		if err := rows.Scan(&stream, &partner); err != nil {
			return nil, fmt.Errorf("looking for shared cases: %w", err)
		}
		if partner == partnerDigest(stream, r.Org) {
			out[stream] = true
		}
	}
	return out, rows.Err()
}

// searchable counts the cases that a search goes through: those of the reader's
// organisation and those shared with it. How many others there are, and when one
// more comes, is nobody else's business.
func (s *Service) searchable(ctx context.Context, tx *store.Tx, r Reader, shared int) (int, error) {
	mine := " AND (v.worker = $1 OR v.lawyer = $1)"
	if len(s.policy.TiersOfForm(r.subject(), policy.Find, Kind, "", false, policy.Organisation)) > 0 {
		mine = ""
	}
	var n int
	err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM case_view v WHERE v.org = $2`+mine+`)
		- (SELECT count(*) FROM case_excluded x JOIN case_view v ON v.stream = x.stream WHERE x.reader = $1 AND v.org = $2`+mine+`)`, r.User, r.Org).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting what is searched: %w", err)
	}
	return n + shared, nil
}

// placesSeen lists the cases whose place the reader may know. Of all others the
// place counts neither for nor against: otherwise asking place after place would
// tell it.
func (s *Service) placesSeen(ctx context.Context, tx *store.Tx, r Reader, shared map[string]bool) (map[string]bool, error) {
	args := []any{r.User, store.Micros(s.now()), r.Org}
	near := ""
	teams, err := s.dir.SupervisedTeams(ctx, r.User)
	if err != nil {
		return nil, err
	}
	for _, team := range teams {
		args = append(args, team)
		near += " OR v.team = $" + strconv.Itoa(len(args))
	}
	rows, err := scanViews(tx.Query(ctx, `SELECT `+viewColumns+` FROM case_view v WHERE v.org = $3 AND (v.worker = $1 OR v.supervisor = $1 OR v.lawyer = $1`+near+`
		OR EXISTS (SELECT 1 FROM case_glass y WHERE y.stream = v.stream AND y.reader = $1 AND y.until > $2))`, args...))
	if err != nil {
		return nil, fmt.Errorf("listing the cases at hand: %w", err)
	}
	out := map[string]bool{}
	for i := range rows {
		st, err := s.standRow(ctx, r, &rows[i])
		if err != nil {
			return nil, err
		}
		out[rows[i].stream] = slices.Contains(s.tiers(r, policy.Find, st, ""), journal.Place)
	}
	for stream := range shared {
		st, err := s.standingOf(ctx, tx, r, stream)
		if err != nil {
			return nil, err
		}
		out[stream] = slices.Contains(s.tiers(r, policy.Find, st, ""), journal.Place)
	}
	return out, nil
}

// likely is the score of a match whose name the reader may not see: one for all,
// without reasons, so that nobody spells the name by trying.
const likely = 0.5

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
	if !slices.Contains(tiers, journal.Identity) {
		c.Score, c.Why = likely, []names.Reason{}
	}
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
