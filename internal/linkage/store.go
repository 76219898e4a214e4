package linkage

// Tokens and decisions as rows, and the one question asked of them: who may be
// the same person as somebody.

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"banyan/internal/store"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// Schema is the room's tables.
func Schema() store.Schema {
	sub, err := fs.Sub(schemaFiles, "schema")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return store.Schema{Room: "linkage", FS: sub}
}

// Tables are what a rebuild empties; each has a column stream.
var Tables = []string{"linkage_person", "linkage_token", "linkage_decision"}

// Decision is what somebody decided about a stream and another one.
type Decision struct {
	Other string
	Same  bool
	At    int64 // microseconds
}

// Put makes a stream's tokens those given. None remove them.
func Put(ctx context.Context, tx *store.Tx, stream, org string, tokens []Token) error {
	person := store.Rows{Table: "linkage_person", Key: 1, Columns: []string{"stream", "org"}}
	rows := store.Rows{Table: "linkage_token", Key: 3, Columns: []string{"stream", "kind", "token"}}
	if len(tokens) > 0 {
		person.Rows = [][]any{{org}}
	}
	for _, t := range tokens {
		rows.Rows = append(rows.Rows, []any{string(t.Kind), t.Text})
	}
	for _, r := range []store.Rows{person, rows} {
		if err := tx.Redraw(ctx, stream, r); err != nil {
			return fmt.Errorf("writing linkage tokens: %w", err)
		}
	}
	return nil
}

// PutDecisions makes the decisions in the history of a stream those given.
func PutDecisions(ctx context.Context, tx *store.Tx, stream string, decisions []Decision) error {
	rows := store.Rows{Table: "linkage_decision", Key: 2, Columns: []string{"stream", "other", "same", "at"}}
	for _, d := range decisions {
		same := 0
		if d.Same {
			same = 1
		}
		rows.Rows = append(rows.Rows, []any{d.Other, same, d.At})
	}
	if err := tx.Redraw(ctx, stream, rows); err != nil {
		return fmt.Errorf("writing decisions about a person: %w", err)
	}
	return nil
}

// Match is a stream that may be about the same person.
type Match struct {
	Stream, Org string
	Verdict     Verdict
	Decided     Verdict // Same or Different once somebody has decided
	shared      int
}

// Different is the decision that two streams are about two persons.
const Different Verdict = "different"

// mostAlike bounds how many streams one stream is compared with.
const mostAlike = 200

// Alike gives the streams that are likely, or judged, the same person as one,
// strongest first, with what was decided about them. org bounds them to one organisation; empty asks of all.
func Alike(ctx context.Context, q store.Querier, stream, org string) ([]Match, error) {
	decided, err := decisions(ctx, q, stream)
	if err != nil {
		return nil, err
	}
	mine, err := tokensOf(ctx, q, stream)
	if err != nil {
		return nil, err
	}
	others, err := sharing(ctx, q, stream, org)
	if err != nil {
		return nil, err
	}
	out := make([]Match, 0, len(others))
	for _, m := range others {
		theirs, err := tokensOf(ctx, q, m.Stream)
		if err != nil {
			return nil, err
		}
		e := Weigh(mine, theirs)
		m.Verdict, m.shared, m.Decided = e.Verdict(), len(e.Shared), decided[m.Stream]
		if m.Verdict != No {
			out = append(out, m)
		}
	}
	rank := map[Verdict]int{Same: 0, Likely: 1}
	slices.SortFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(rank[a.Verdict], rank[b.Verdict]), cmp.Compare(b.shared, a.shared), strings.Compare(a.Stream, b.Stream))
	})
	return out, nil
}

func sharing(ctx context.Context, q store.Querier, stream, org string) ([]Match, error) {
	rows, err := q.Query(ctx, `SELECT p.stream, p.org, count(*) FROM linkage_token mine
		JOIN linkage_token theirs ON theirs.kind = mine.kind AND theirs.token = mine.token AND theirs.stream <> mine.stream
		JOIN linkage_person p ON p.stream = theirs.stream
		WHERE mine.stream = $1 AND (p.org = $2 OR $2 = '')
		GROUP BY p.stream, p.org ORDER BY count(*) DESC, p.stream LIMIT $3`, stream, org, mostAlike)
	if err != nil {
		return nil, fmt.Errorf("looking for the same person: %w", err)
	}
	defer rows.Close()
	var out []Match
	for rows.Next() {
		var m Match
		if err := rows.Scan(&m.Stream, &m.Org, &m.shared); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

func tokensOf(ctx context.Context, q store.Querier, stream string) ([]Token, error) {
	rows, err := q.Query(ctx, `SELECT kind, token FROM linkage_token WHERE stream = $1 ORDER BY kind, token`, stream)
	if err != nil {
		return nil, fmt.Errorf("reading linkage tokens: %w", err)
	}
	defer rows.Close()
	var out []Token
	for rows.Next() {
		var t Token
		if err := rows.Scan(&t.Kind, &t.Text); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// decisions gives what was decided about a stream, in whichever of the two
// histories; the later decision stands, and of two at once the one for two
// persons.
func decisions(ctx context.Context, q store.Querier, stream string) (map[string]Verdict, error) {
	rows, err := q.Query(ctx, `SELECT other, same FROM (
			SELECT other, same, at FROM linkage_decision WHERE stream = $1
			UNION ALL SELECT stream, same, at FROM linkage_decision WHERE other = $1) d
		ORDER BY at, same DESC`, stream)
	if err != nil {
		return nil, fmt.Errorf("reading decisions about a person: %w", err)
	}
	defer rows.Close()
	out := map[string]Verdict{}
	for rows.Next() {
		var other string
		var same int64
		if err := rows.Scan(&other, &same); err != nil {
			return nil, err
		}
		out[other] = Different
		if same == 1 {
			out[other] = Same
		}
	}
	return out, rows.Err()
}
