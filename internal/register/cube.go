package register

// The facts as columns of dictionary codes in memory, so that any two
// variables are counted in one pass. Filled at the first question and brought
// up to date before each: imported sources by their ids and digests, own facts
// by how many there are and the sum of their log positions, which changes with
// every write and is the same in every process that asks.

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"banyan/internal/store"
)

// cube holds every source's rows. Rows are only added; a row that was
// superseded is dead, and too many dead rows mean a fresh start.
type cube struct {
	mu      sync.RWMutex
	columns []*column // one per variable of the definition
	byID    map[string]int
	source  []uint16 // per row: index into sources
	live    []bool
	sources []SourceInfo // sources[0] is the own one

	tables sync.Map // countedKey → *counted, of the rows as they are now

	own    map[string]ownRow // by stream
	seen   ownState          // what own amounts to
	dead   int
	people people

	joined, undecided int64 // see tally
}

type ownRow struct {
	row      int32
	position int64
	person   bool // who agreed to a row of the own
}

// ownState is equal exactly when nothing was written in between (a write moves
// a case's position up; a removal lowers the count).

type ownState struct{ count, sum, newest int64 }

// column is one variable. Persons share few different sets of codes, so a row
// holds the number of its set: 0 is the empty one, not recorded.
type column struct {
	dict  []string
	index map[string]uint16

	sets   [][]uint16        // dictionary numbers, by set
	byText map[string]uint32 // "THA,VNM" → set
	narrow []uint16          // set of each row; rows beyond the end have none
	wide   []uint32          // instead of narrow, once there are too many sets
}

func (r *Register) resetCube() {
	c := &r.cube
	c.columns = make([]*column, len(r.def.Variables))
	c.byID = r.def.byID
	for i, v := range r.def.Variables {
		col := &column{index: map[string]uint16{}, sets: [][]uint16{nil}, byText: map[string]uint32{}}
		for _, code := range v.Codes {
			col.enter(code.Code)
		}
		c.columns[i] = col
	}
	c.source, c.live, c.dead = nil, nil, 0
	c.sources = []SourceInfo{{ID: OwnSource, Format: OwnSource, Title: "Own cases"}}
	c.own = map[string]ownRow{}
	c.seen = ownState{}
}

// refresh brings the cube up to the database.
func (r *Register) refresh(ctx context.Context) error {
	return r.db.View(ctx, func(tx *store.Tx) error {
		state, err := ownStateOf(ctx, tx)
		if err != nil {
			return fmt.Errorf("asking for the state of the own facts: %w", err)
		}
		imported, err := sources(ctx, tx)
		if err != nil {
			return fmt.Errorf("listing sources: %w", err)
		}
		c := &r.cube
		c.mu.RLock()
		current := c.columns != nil && state == c.seen && sameSources(c.sources[1:], imported)
		c.mu.RUnlock()
		if current {
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.tables.Clear()
		if err := r.update(ctx, tx, state, imported); err != nil {
			c.columns = nil // half-filled: start afresh next time
			return fmt.Errorf("reading the facts into memory: %w", err)
		}
		return nil
	})
}

func (r *Register) update(ctx context.Context, tx *store.Tx, state ownState, imported []SourceInfo) error {
	c := &r.cube
	fresh := c.columns == nil || !sameSources(c.sources[1:], imported) || c.dead > 1000+len(c.live)/4
	if !fresh && state != c.seen {
		changed, err := c.readOwn(ctx, tx, c.seen.newest)
		if err != nil {
			return err
		}
		if fresh = c.seen != state; !fresh { // else rows went away, or came late below the newest position
			if err := r.joinChanged(ctx, tx, changed); err != nil {
				return err
			}
		}
	}
	if !fresh {
		c.joined, c.undecided = c.tally()
		return nil
	}
	r.resetCube()
	for _, s := range imported {
		c.sources = append(c.sources, s)
		if err := c.readSource(ctx, tx, uint16(len(c.sources)-1)); err != nil {
			return err
		}
	}
	if _, err := c.readOwn(ctx, tx, -1); err != nil {
		return err
	}
	err := r.joinAll(ctx, tx)
	c.joined, c.undecided = c.tally()
	return err
}

func (c *cube) readSource(ctx context.Context, tx *store.Tx, source uint16) error {
	return eachBlockLine(ctx, tx, c.sources[source].ID, false, func(line string) error {
		_, err := c.add(source, line)
		return err
	})
}

// readOwn takes the own facts newer than a log position, and gives their streams.
func (c *cube) readOwn(ctx context.Context, tx *store.Tx, after int64) (changed []string, err error) {
	rows, err := tx.Query(ctx, `SELECT stream, person, codes, position FROM register_fact WHERE position > $1 ORDER BY position, stream`, after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var stream, person, codes string
		var position int64
		if err := rows.Scan(&stream, &person, &codes, &position); err != nil {
			return nil, err
		}
		row, err := c.add(0, codes)
		if err != nil {
			return nil, err
		}
		old, had := c.own[stream]
		if had {
			c.live[old.row] = false
			c.dead++
		}
		c.own[stream] = ownRow{row, position, person != ""}
		c.seen = ownState{int64(len(c.own)), c.seen.sum + position - old.position, max(c.seen.newest, position)}
		changed = append(changed, stream)
	}
	return changed, rows.Err()
}

// add appends a packed fact as a row.
func (c *cube) add(source uint16, line string) (int32, error) {
	row := len(c.source)
	c.source = append(c.source, source)
	c.live = append(c.live, true)
	for rest := line; rest != ""; {
		var part string
		part, rest, _ = strings.Cut(rest, ";")
		variable, codes, ok := strings.Cut(part, "=")
		if !ok || codes == "" {
			return 0, fmt.Errorf("a packed fact of %d characters cannot be read", len(line))
		}
		i, ok := c.byID[variable]
		if !ok {
			continue // a variable that the definition no longer has
		}
		if err := c.columns[i].put(row, codes); err != nil {
			return 0, fmt.Errorf("variable %s: %w", variable, err)
		}
	}
	return int32(row), nil
}

// maxCodes is how many different codes fit a column.
const maxCodes = 1<<16 - 1

// put gives a row its codes, written as "THA,VNM".
func (col *column) put(row int, codes string) error {
	set, known := col.byText[codes]
	if !known {
		numbers := make([]uint16, 0, 1+strings.Count(codes, ","))
		for code := range strings.SplitSeq(codes, ",") {
			number, ok := col.index[code]
			if !ok && len(col.dict) == maxCodes {
				return fmt.Errorf("more than %d different codes", maxCodes)
			}
			if !ok {
				number = col.enter(strings.Clone(code))
			}
			numbers = append(numbers, number)
		}
		set = uint32(len(col.sets))
		col.sets = append(col.sets, numbers)
		col.byText[strings.Clone(codes)] = set
	}
	if col.wide == nil && set > math.MaxUint16 {
		col.widen()
	}
	if col.wide != nil {
		col.wide = append(col.wide, make([]uint32, row-len(col.wide))...)
		col.wide = append(col.wide, set)
		return nil
	}
	col.narrow = append(col.narrow, make([]uint16, row-len(col.narrow))...)
	col.narrow = append(col.narrow, uint16(set))
	return nil
}

func (col *column) widen() {
	col.wide = make([]uint32, len(col.narrow))
	for i, set := range col.narrow {
		col.wide[i] = uint32(set)
	}
	col.narrow = nil
}

func (col *column) enter(code string) uint16 {
	i := uint16(len(col.dict))
	col.dict = append(col.dict, code)
	col.index[code] = i
	return i
}

// set gives the number of a row's set of codes.
func (col *column) set(row int) uint32 {
	switch {
	case row < len(col.narrow):
		return uint32(col.narrow[row])
	case row < len(col.wide):
		return col.wide[row]
	}
	return 0
}

func ownStateOf(ctx context.Context, q store.Querier) (s ownState, err error) {
	err = q.QueryRow(ctx, `SELECT count(*), CAST(coalesce(sum(position), 0) AS bigint), coalesce(max(position), 0) FROM register_fact`).Scan(&s.count, &s.sum, &s.newest)
	return s, err
}

func sameSources(a, b []SourceInfo) bool {
	return slices.EqualFunc(a, b, func(x, y SourceInfo) bool { return x.ID == y.ID && x.Digest == y.Digest })
}
