package register

// The projection of cases to facts. It folds a history whole (that a row was
// removed may be said in another tier), and then takes the coded part alone:
// what follows never sees a name, so that it could not let one through.

import (
	"errors"
	"fmt"

	"banyan/internal/journal"
	"banyan/internal/store"
)

// caseKind is the kind of stream that gives facts.
const caseKind = "case"

// Projector draws the own facts from the journal.
type Projector struct {
	def     *Definition
	key     []byte
	country func(org string) string
	shapes  journal.Shapes
	folds   journal.Folds
}

// NewProjector makes the projection. The key makes the pseudonyms (32 bytes or
// more; another key gives other pseudonyms for everybody, after a rebuild).
// Country gives an organisation's country as ISO 3166-1 alpha-3, or nothing.
// Shapes are those of the program's forms.
func NewProjector(def *Definition, key []byte, country func(org string) string, shapes journal.Shapes) (*Projector, error) {
	if len(key) < 32 {
		return nil, errors.New("projecting facts: the key for pseudonyms has fewer than 32 bytes")
	}
	return &Projector{def: def, key: key, country: country, shapes: shapes}, nil
}

// Name names the projection.
func (p *Projector) Name() string { return "register" }

// Tables are what is drawn.
func (p *Projector) Tables() []store.Table { return []store.Table{ownTable} }

// Draw gives the fact of a case. An erased case has none.
func (p *Projector) Draw(s journal.Stream, history []journal.Opened, _ journal.Seal) ([]store.Rows, error) {
	if s.Kind != caseKind || s.Erased() {
		return nil, nil
	}
	values, agreed := p.def.FactsFrom(p.recordsOf(s, history), p.country(s.Org))
	fact := Fact{Values: values}
	if agreed {
		person, err := Pseudonym(p.key, s.ID)
		if err != nil {
			return nil, fmt.Errorf("projecting a fact: %w", err)
		}
		fact.Person = person
	}
	return []store.Rows{Draw(fact, positionOf(history))}, nil
}

// Foresee folds a case before its transaction begins.
func (p *Projector) Foresee(s journal.Stream, history []journal.Opened) {
	if s.Kind == caseKind && !s.Erased() && len(history) > 0 {
		p.folds.Ahead(s, history, p.shapes)
	}
}

func (p *Projector) recordsOf(s journal.Stream, history []journal.Opened) []Record {
	folded := p.folds.Fold(s, history, p.shapes)
	out := make([]Record, 0, len(folded))
	for _, r := range folded {
		out = append(out, recordOf(r))
	}
	return out
}

func recordOf(r *journal.Record) Record {
	coded := r.Parts[journal.Coded]
	fields := make(map[string]Answer, len(coded))
	for name, value := range coded {
		if value != nil {
			fields[name] = Answer{Value: value, Tier: TierCoded}
		}
	}
	return Record{ID: r.ID, Form: r.Form, Struck: r.Struck, FirstAt: r.FirstAt, LastAt: r.LastAt, Fields: fields}
}

// positionOf is 1 for the log's first entry.
func positionOf(history []journal.Opened) int64 {
	var newest int64
	for _, o := range history {
		newest = max(newest, o.LogIndex+1)
	}
	return newest
}
