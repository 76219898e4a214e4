package casework

// The caseload: cases page by page.

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

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
