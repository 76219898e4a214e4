package register

// The own facts' rows. The journal's projector (and nobody else) writes them.

import "banyan/internal/store"

// ownTable holds the own facts: one row a stream.
var ownTable = store.Table{Name: "register_fact", Key: 1, Columns: []string{"stream", "person", "codes", "position"}}

// Draw gives the row of a stream's fact; one without values has none. Position
// is the log position of the newest entry the fact was drawn from; counting
// relies on it growing with every change of the stream.
func Draw(f Fact, position int64) store.Rows {
	rows := store.Rows{Table: ownTable}
	if len(f.Values) > 0 {
		rows.Rows = [][]any{{f.Person, Pack(f.Values), position}}
	}
	return rows
}
