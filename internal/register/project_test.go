package register_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"banyan/content"
	"banyan/internal/forms"
	"banyan/internal/journal"
	"banyan/internal/register"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
	"banyan/internal/vault"
)

// house is a journal with the register's projection over the real forms.
type house struct {
	db       *store.DB
	vault    *vault.Vault
	journal  *journal.Journal
	register *register.Register
	library  *forms.Library
	at       time.Time
}

func newHouse(t testing.TB, db *store.DB) *house {
	t.Helper()
	library, faults := forms.Load(content.FS)
	if len(faults) > 0 {
		t.Fatalf("%d faults in the forms", len(faults))
	}
	h := &house{db: db, library: library, at: time.Date(2025, 5, 1, 8, 0, 0, 0, time.UTC)}
	keyring := storetest.SQLite(t)
	if err := store.Migrate(ctx, keyring, vault.Schema()); err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(ctx, db, journal.Schema()); err != nil {
		t.Fatal(err)
	}
	h.register = open(t, db)
	h.vault = vault.Open(keyring, vault.NewMemoryMaster(), h.now)
	p, err := register.NewProjector(h.register.Definition(), h.vault.Derive("register persons 1"),
		func(org string) string { return map[string]string{"o1": "KHM"}[org] }, h.shapes)
	if err != nil {
		t.Fatal(err)
	}
	h.journal = journal.New(db, h.vault, h.now, p)
	return h
}

func (h *house) now() time.Time {
	h.at = h.at.Add(time.Second)
	return h.at
}

func (h *house) shapes(form, path string) journal.Shape {
	f, ok := h.library.Form(form)
	if !ok {
		return journal.Whole
	}
	field, ok := f.Field(path)
	switch {
	case ok && field.Type == forms.Repeat:
		return journal.Rows
	case ok && (field.Type == forms.Group || field.Type == forms.Matrix):
		return journal.Parts
	}
	return journal.Whole
}

func (h *house) write(t testing.TB, stream, form string, act journal.Act, answers map[journal.Tier]map[string]any, follows ...string) string {
	t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	record := id
	if f, ok := h.library.Form(form); ok && f.Single {
		record = form
	}
	rs, err := h.journal.Append(ctx, journal.Write{Stream: stream, Kind: "case", Org: "o1", Drafts: []journal.Draft{{
		ID: id, Stream: stream, Form: form, FormVersion: 1, Act: act, Record: record, Follows: follows,
		Author: "u1", Org: "o1", Device: "d1", WrittenAt: h.now(), Answers: answers}}})
	if err != nil {
		t.Fatal(err)
	}
	if rs[0].Status != journal.Accepted {
		t.Fatalf("%s was %s: %v", form, rs[0].Status, rs[0].Err)
	}
	return id
}

func (h *house) fact(t testing.TB, stream string) (person, codes string) {
	t.Helper()
	rows, err := h.db.Query(ctx, `SELECT person, codes FROM register_fact WHERE stream = $1`, stream)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&person, &codes); err != nil {
			t.Fatal(err)
		}
	}
	return person, codes
}

func agreed() map[journal.Tier]map[string]any {
	return map[journal.Tier]map[string]any{journal.Coded: {"scopes": map[string]any{"statistics": "yes"}}}
}

func TestACaseInTheJournalStandsInTheRegisterAndFollowsIt(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db)
		stream := uuid.Must(uuid.NewV7()).String()
		h.write(t, stream, "F04_registration", journal.Submit, map[journal.Tier]map[string]any{
			journal.Identity: {"first_name": "Sokha"}, journal.Coded: {"sex": "female", "nationality": []any{"KHM"}}})
		if person, codes := h.fact(t, stream); person != "" || codes != "country=KHM;year=2025" {
			t.Fatalf("before consent: %q, %q", person, codes)
		}
		h.write(t, stream, "F03_consent", journal.Submit, agreed())
		history := h.write(t, stream, "F05_trafficking_history", journal.Submit, map[journal.Tier]map[string]any{
			journal.Coded: {"exploitation": []any{"forced_labour"}, "events": []any{
				map[string]any{"_id": "r1", "type": "exploitation", "country": "THA"}, map[string]any{"_id": "r2", "type": "exploitation", "country": "MYS"}}},
			journal.Legal: {"events": []any{map[string]any{"_id": "r1"}, map[string]any{"_id": "r2"}}}})
		person, codes := h.fact(t, stream)
		if want := "citizenship=KHM;country=KHM;country_of_exploitation=MYS,THA;exploitation=forced_labour;month=2025-05;sex=female;status=contact;year=2025"; codes != want || len(person) != 32 {
			t.Fatalf("got %q, %s\nwant %s", person, codes, want)
		}
		// A row taken back, which only its home tier says.
		h.write(t, stream, "F05_trafficking_history", journal.Amend, map[journal.Tier]map[string]any{
			journal.Legal: {"events": []any{map[string]any{"_id": "r2", "_gone": true}}}}, history)
		if _, codes := h.fact(t, stream); !strings.Contains(codes, "country_of_exploitation=THA;") {
			t.Errorf("a removed row still feeds the fact: %s", codes)
		}
		live := dump(t, db)
		if _, err := h.journal.Rebuild(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if rebuilt := dump(t, db); rebuilt != live || live == "" {
			t.Errorf("rebuilt\n%s\nlive\n%s", rebuilt, live)
		}
		request, err := h.journal.AskErasure(ctx, journal.ErasureRequest{Stream: stream, Reason: "person_asked", AskedBy: "u1"})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.journal.ApproveErasure(ctx, request, "u2"); err != nil {
			t.Fatal(err)
		}
		if left := dump(t, db); left != "" {
			t.Errorf("after erasure the register still has %s", left)
		}
	})
}

func dump(t testing.TB, db *store.DB) string {
	t.Helper()
	rows, err := db.Query(ctx, `SELECT stream, person, codes, position FROM register_fact ORDER BY stream`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var stream, person, codes string
		var position int64
		if err := rows.Scan(&stream, &person, &codes, &position); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, stream, person, codes, position)
	}
	return out.String()
}

// TestNoPlantedWordReachesTheTableOfFacts fills every field of every case form
// with words in the tier that the form gives it, and searches the table.
func TestNoPlantedWordReachesTheTableOfFacts(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	rng := rand.New(rand.NewPCG(1, 2))
	planted := 0
	for range 20 {
		stream := uuid.Must(uuid.NewV7()).String()
		h.write(t, stream, "F03_consent", journal.Submit, agreed())
		for _, f := range h.library.Forms() {
			if f.Stream != "case" || f.ID == "F03_consent" {
				continue
			}
			answers := map[string]any{}
			for _, field := range f.Fields {
				if rng.IntN(4) > 0 {
					answers[field.Name] = fill(rng, field)
					planted++
				}
			}
			h.write(t, stream, f.ID, journal.Submit, sealed(f.SplitTiers(answers)))
		}
	}
	table := dump(t, h.db)
	if strings.Contains(strings.ToLower(table), "planted") {
		t.Errorf("a planted word stands in the table of facts:\n%s", table)
	}
	if planted < 1000 || !strings.Contains(table, "sex=female") || !strings.Contains(table, "country_of_exploitation=THA") {
		t.Errorf("%d answers planted, table:\n%s", planted, table)
	}
}

func sealed(parts map[forms.Tier]map[string]any) map[journal.Tier]map[string]any {
	out := map[journal.Tier]map[string]any{}
	for tier, answers := range parts {
		out[journal.Tier(tier)] = answers
	}
	return out
}

// fill answers a field: a true code at times, so that facts arise, a planted
// word otherwise.
func fill(rng *rand.Rand, f *forms.Field) any {
	word := fmt.Sprintf("Planted %d", rng.IntN(1000))
	switch {
	case f.Type == forms.Repeat, f.Type == forms.Group:
		row := map[string]any{}
		for _, inner := range f.Fields {
			row[inner.Name] = fill(rng, inner)
		}
		if f.Type == forms.Group {
			return row
		}
		row["_id"] = fmt.Sprint("r", rng.IntN(1000))
		return []any{row}
	case f.Name == "type" || f.Name == "sex" || f.Name == "country":
		return map[string]any{"type": "exploitation", "sex": "female", "country": "THA"}[f.Name]
	case f.Type == forms.Location:
		return map[string]any{"country": "THA", "adm1": word, "adm2": word, "place": word}
	case f.Type == forms.Age:
		return map[string]any{"years": 14.0, "basis": word}
	case f.Type == forms.SelectMultiple:
		return []any{word, "Planted"}
	}
	return word
}

func TestFactsOfTwoCasesHaveTwoPseudonyms(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t))
	persons := map[string]bool{}
	for range 3 {
		stream := uuid.Must(uuid.NewV7()).String()
		h.write(t, stream, "F03_consent", journal.Submit, agreed())
		person, _ := h.fact(t, stream)
		persons[person] = true
		if strings.Contains(person, strings.ReplaceAll(stream, "-", "")[:8]) {
			t.Error("the pseudonym shows the stream")
		}
	}
	if len(persons) != 3 || slices.Contains(slices.Collect(maps.Keys(persons)), "") {
		t.Errorf("got %v", persons)
	}
}
