package linkage

// Pairs for counting persons: of all streams, those that share a whole name with
// something of the person's own beside it, or that somebody decided on. Fainter
// likenesses are for a case worker's eyes (Alike), not for counting.

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"banyan/internal/store"
)

// Pair is two streams, A before B.
type Pair struct {
	A, B    string
	Verdict Verdict
	Decided Verdict // Same or Different; No while nobody has decided
}

// Joined reports whether the two count as one person: somebody said so, or the
// tokens do and nobody said otherwise.
func (p Pair) Joined() bool {
	return p.Decided == Same || p.Verdict == Same && p.Decided == No
}

// Undecided reports a pair that is near and waits for a person to look.
func (p Pair) Undecided() bool { return p.Decided == No && p.Verdict == Likely }

// near are the kinds that make a pair worth counting.
var near = []Kind{NameBirthday, NameHome, NameMother, NamePhone}

// Pairs gives all near pairs.
func Pairs(ctx context.Context, q store.Querier) ([]Pair, error) {
	found := map[[2]string]bool{}
	streams, holders, err := nearHolders(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("pairing cases of one person: %w", err)
	}
	for len(holders) > 0 {
		n := 1
		for n < len(holders) && holders[n].token == holders[0].token {
			n++
		}
		pairUp(streams, holders[:n], found)
		holders = holders[n:]
	}
	if err := decided(ctx, q, found); err != nil {
		return nil, fmt.Errorf("pairing cases of one person: %w", err)
	}
	return judge(ctx, q, found)
}

// holder is a token, by its number, and the place of who holds it in a list of streams.
type holder struct {
	token  int64
	stream int32
}

// nearHolders reads all near tokens: a dozen bytes for each, ordered by token.
func nearHolders(ctx context.Context, q store.Querier) (streams []string, holders []holder, err error) {
	rows, err := q.Query(ctx, `SELECT stream, tokens FROM linkage_person ORDER BY stream`)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var stream, packed string
		if err := rows.Scan(&stream, &packed); err != nil {
			return nil, nil, err
		}
		for _, t := range unpack(packed) {
			if slices.Contains(near, t.Kind) {
				holders = append(holders, holder{t.short(), int32(len(streams))})
			}
		}
		streams = append(streams, stream)
	}
	slices.SortFunc(holders, func(a, b holder) int { return cmp.Or(cmp.Compare(a.token, b.token), cmp.Compare(a.stream, b.stream)) })
	return streams, holders, rows.Err()
}

// PairsOf gives the near pairs of one stream.
func PairsOf(ctx context.Context, q store.Querier, stream string) ([]Pair, error) {
	mine, err := tokensOf(ctx, q, stream)
	if err != nil {
		return nil, err
	}
	mine = slices.DeleteFunc(mine, func(t Token) bool { return !slices.Contains(near, t.Kind) })
	found := map[[2]string]bool{}
	for some := range slices.Chunk(mine, tokensAtOnce) {
		err := holdersOf(ctx, q, some, func(other string) {
			if other != stream {
				found[ordered(stream, other)] = true
			}
		})
		if err != nil {
			return nil, fmt.Errorf("pairing a case: %w", err)
		}
	}
	others, err := decisions(ctx, q, stream)
	if err != nil {
		return nil, err
	}
	for other := range others {
		found[ordered(stream, other)] = true
	}
	return judge(ctx, q, found)
}

// decided adds the pairs that somebody decided on.
func decided(ctx context.Context, q store.Querier, found map[[2]string]bool) error {
	rows, err := q.Query(ctx, `SELECT stream, other FROM linkage_decision ORDER BY stream, other`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		found[ordered(a, b)] = true
	}
	return rows.Err()
}

func ordered(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

func pairUp(streams []string, holders []holder, found map[[2]string]bool) {
	for i, a := range holders {
		for _, b := range holders[i+1:] {
			if a.stream != b.stream {
				found[ordered(streams[a.stream], streams[b.stream])] = true
			}
		}
	}
}

// judge weighs pairs.
func judge(ctx context.Context, q store.Querier, found map[[2]string]bool) ([]Pair, error) {
	tokens, said := map[string][]Token{}, map[string]map[string]Verdict{}
	look := func(stream string) error {
		if _, known := tokens[stream]; known {
			return nil
		}
		var err error
		if tokens[stream], err = tokensOf(ctx, q, stream); err != nil {
			return err
		}
		said[stream], err = decisions(ctx, q, stream)
		return err
	}
	out := make([]Pair, 0, len(found))
	for pair := range found {
		for _, stream := range pair {
			if err := look(stream); err != nil {
				return nil, err
			}
		}
		a, b := pair[0], pair[1]
		out = append(out, Pair{a, b, Weigh(tokens[a], tokens[b]).Verdict(), said[a][b]})
	}
	slices.SortFunc(out, func(x, y Pair) int {
		if c := strings.Compare(x.A, y.A); c != 0 {
			return c
		}
		return strings.Compare(x.B, y.B)
	})
	return out, nil
}

// Persons gathers streams that are one person into groups of two and more, each
// in order. Where pairs contradict each other (a is b, b is c, a is not c), only
// what somebody decided is joined.
func Persons(pairs []Pair) [][]string {
	groups := gather(pairs, Pair.Joined)
	member := map[string]int{}
	for i, g := range groups {
		for _, s := range g {
			member[s] = i + 1
		}
	}
	contradicted := map[int]bool{}
	for _, p := range pairs {
		if p.Decided == Different && member[p.A] > 0 && member[p.A] == member[p.B] {
			contradicted[member[p.A]] = true
		}
	}
	if len(contradicted) == 0 {
		return groups
	}
	return gather(pairs, func(p Pair) bool {
		return p.Decided == Same || p.Joined() && !contradicted[member[p.A]]
	})
}

func gather(pairs []Pair, joined func(Pair) bool) [][]string {
	parent := map[string]string{}
	var top func(s string) string
	top = func(s string) string {
		if p, ok := parent[s]; ok && p != s {
			parent[s] = top(p)
			return parent[s]
		}
		parent[s] = s
		return s
	}
	for _, p := range pairs {
		if joined(p) {
			a, b := top(p.A), top(p.B)
			parent[max(a, b)] = min(a, b)
		}
	}
	groups := map[string][]string{}
	for s := range parent {
		groups[top(s)] = append(groups[top(s)], s)
	}
	out := make([][]string, 0, len(groups))
	for _, g := range groups {
		slices.Sort(g)
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return out
}
