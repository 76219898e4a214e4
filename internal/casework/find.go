package casework

// Find before create: names in any script, codes, phones, age and place.

import (
	"context"
	"fmt"
	"slices"
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
