package linkage

// Tokens and decisions as rows, and the one question asked of them: who may be
// the same person as somebody.

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
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

// The tables, each a projection.
var (
	personTable   = store.Table{Name: "linkage_person", Key: 1, Columns: []string{"stream", "org", "tokens"}}
	holderTable   = store.Table{Name: "linkage_holder", Key: 2, Columns: []string{"stream", "token"}, Behind: "linkage_person"}
	decisionTable = store.Table{Name: "linkage_decision", Key: 2, Columns: []string{"stream", "other", "same", "at"}}
)

// Tables are what is drawn of a stream.
var Tables = []store.Table{personTable, holderTable, decisionTable}

// Decision is what somebody decided about a stream and another one.
type Decision struct {
	Other string
	Same  bool
	At    int64 // microseconds
}

// DrawTokens gives the rows of a stream's tokens. Without tokens it has none.
func DrawTokens(org string, tokens []Token) []store.Rows {
	person, holder := store.Rows{Table: personTable}, store.Rows{Table: holderTable}
	if len(tokens) > 0 {
		person.Rows = [][]any{{org, pack(tokens)}}
	}
	for _, t := range tokens {
		holder.Rows = append(holder.Rows, []any{t.short()})
	}
	return []store.Rows{person, holder}
}

// DrawDecisions gives the rows of the decisions in a stream's history.
func DrawDecisions(decisions []Decision) store.Rows {
	decided := store.Rows{Table: decisionTable}
	for _, d := range decisions {
		same := 0
		if d.Same {
			same = 1
		}
		decided.Rows = append(decided.Rows, []any{d.Other, same, d.At})
	}
	return decided
}

// short is the number under which holders of a token are looked for: its first
// 64 bits. Two tokens with one number are told apart when they are weighed.
func (t Token) short() int64 {
	raw, err := base64.RawURLEncoding.DecodeString(t.Text)
	if err != nil || len(raw) < 8 {
		return 0 // not a token that was made here: found by nobody, weighed by none
	}
	return int64(binary.BigEndian.Uint64(raw))
}

// pack writes tokens as they stand in a row: each in a line, its kind in front.
func pack(tokens []Token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(string(t.Kind) + " " + t.Text + "\n")
	}
	return b.String()
}

func unpack(text string) []Token {
	var out []Token
	for line := range strings.Lines(text) {
		if kind, token, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " "); ok {
			out = append(out, Token{Kind(kind), token})
		}
	}
	return out
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
	if err != nil || len(mine) == 0 {
		return nil, err
	}
	others, err := sharing(ctx, q, stream, org, mine)
	if err != nil {
		return nil, err
	}
	out := make([]Match, 0, len(others))
	for _, o := range others {
		e := Weigh(mine, o.tokens)
		o.Verdict, o.shared, o.Decided = e.Verdict(), len(e.Shared), decided[o.Stream]
		if o.Verdict != No {
			out = append(out, o.Match)
		}
	}
	rank := map[Verdict]int{Same: 0, Likely: 1}
	slices.SortFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(rank[a.Verdict], rank[b.Verdict]), cmp.Compare(b.shared, a.shared), strings.Compare(a.Stream, b.Stream))
	})
	return out, nil
}

// other is a stream that shares tokens, with its own.
type other struct {
	Match
	tokens []Token
}

// tokensAtOnce bounds the tokens of one question.
const tokensAtOnce = 64

// sharing gives the streams that share most tokens.
func sharing(ctx context.Context, q store.Querier, stream, org string, mine []Token) ([]other, error) {
	shared := map[string]int{}
	for some := range slices.Chunk(mine, tokensAtOnce) {
		if err := holdersOf(ctx, q, some, func(holder string) { shared[holder]++ }); err != nil {
			return nil, fmt.Errorf("looking for the same person: %w", err)
		}
	}
	delete(shared, stream)
	most := slices.SortedFunc(maps.Keys(shared), func(a, b string) int {
		return cmp.Or(cmp.Compare(shared[b], shared[a]), strings.Compare(a, b))
	})
	var out []other
	for some := range slices.Chunk(most, tokensAtOnce) {
		known, err := personsOf(ctx, q, some)
		if err != nil {
			return nil, fmt.Errorf("looking for the same person: %w", err)
		}
		for _, s := range some {
			if o := known[s]; org == "" || o.Org == org {
				out = append(out, o)
			}
			if len(out) == mostAlike {
				return out, nil
			}
		}
	}
	return out, nil
}

// personsOf gives streams with their tokens.
func personsOf(ctx context.Context, q store.Querier, streams []string) (map[string]other, error) {
	args, marks := anyOf(streams, func(s string) any { return s })
	rows, err := q.Query(ctx, `SELECT stream, org, tokens FROM linkage_person WHERE stream IN (`+marks+`)`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]other{}
	for rows.Next() {
		var o other
		var packed string
		if err := rows.Scan(&o.Stream, &o.Org, &packed); err != nil {
			return nil, err
		}
		o.tokens = unpack(packed)
		out[o.Stream] = o
	}
	return out, rows.Err()
}

// anyOf gives the arguments and the marks of a list in a statement.
func anyOf[T any](list []T, value func(T) any) (args []any, marks string) {
	for i, v := range list {
		args = append(args, value(v))
		marks += []string{"$", ", $"}[min(i, 1)] + strconv.Itoa(i+1)
	}
	return args, marks
}

// holdersOf names the holders of some tokens, once for each token they hold.
func holdersOf(ctx context.Context, q store.Querier, tokens []Token, fn func(stream string)) error {
	args, marks := anyOf(tokens, func(t Token) any { return t.short() })
	rows, err := q.Query(ctx, `SELECT stream FROM linkage_holder WHERE token IN (`+marks+`)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var stream string
		if err := rows.Scan(&stream); err != nil {
			return err
		}
		fn(stream)
	}
	return rows.Err()
}

// tokensOf gives a stream's tokens in the order in which they were made.
func tokensOf(ctx context.Context, q store.Querier, stream string) ([]Token, error) {
	var packed string
	err := q.QueryRow(ctx, `SELECT tokens FROM linkage_person WHERE stream = $1`, stream).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading linkage tokens: %w", err)
	}
	return unpack(packed), nil
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
