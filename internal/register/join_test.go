package register_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"banyan/internal/linkage"
	"banyan/internal/register"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

// town is own cases with the tokens that say who is who.
type town struct {
	t        testing.TB
	db       *store.DB
	position int64
}

func (w *town) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Transact(ctx, fn); err != nil {
		w.t.Fatal(err)
	}
}

// file writes a case: its facts, and as whom it knows its person. Two cases that
// know the same child and write the name alike are the same to linkage; written
// in another way they are near.
func (w *town) file(stream, facts, child, spelling string, agreed bool) {
	w.position++
	w.write(func(tx *store.Tx) error {
		var tokens []linkage.Token
		if child != "" {
			tokens = []linkage.Token{{Kind: linkage.NameHome, Text: digest("home " + child)}, {Kind: linkage.Letters, Text: digest("letters " + child + spelling)}}
		}
		if err := tx.Redraw(ctx, stream, linkage.DrawTokens("org", tokens)...); err != nil {
			return err
		}
		f := register.Fact{Values: values(w.t, facts)}
		if agreed {
			f.Person = "p-" + stream
		}
		return tx.Redraw(ctx, stream, register.Draw(f, w.position))
	})
}

// digest is a text in the shape of a token.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func (w *town) decide(stream, facts string, d ...linkage.Decision) {
	w.position++
	w.write(func(tx *store.Tx) error {
		if err := tx.Redraw(ctx, stream, linkage.DrawDecisions(d)); err != nil {
			return err
		}
		return tx.Redraw(ctx, stream, register.Draw(register.Fact{Person: "p-" + stream, Values: values(w.t, facts)}, w.position))
	})
}

func count(n *int64) string {
	if n == nil {
		return "few"
	}
	return fmt.Sprint(*n)
}

func TestAChildWithTwoCasesCountsOnce(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		r, w := open(t, db), &town{t: t, db: db}
		old, now := "year=2023;sex=female;sector=A", "year=2024;sector=T"
		for i := range 20 {
			w.file(fmt.Sprintf("a%02d", i), old, fmt.Sprint(i), "", true)
		}
		for i := range 15 { // the first fifteen come back
			w.file(fmt.Sprintf("b%02d", i), now, fmt.Sprint(i), "", true)
		}
		tab := mustTable(t, r, register.TableRequest{Rows: "sector", Cols: "sex"})
		if *tab.Total != 20 || count(tab.Joined) != "15" || count(tab.Undecided) != "0" {
			t.Fatalf("%s, %s joined, %s undecided", show(tab), count(tab.Joined), count(tab.Undecided))
		}
		// The year is that of the newest case; the sex, which it leaves open, of the older one; sectors are of both.
		for rows, want := range map[string]string{
			"year":   "\t_all\n_others\t20\t20\n\t20\t20", // five are of 2023: too few to stand alone
			"sector": "\t_all\nT\t15\t15\n",
		} {
			if got := show(mustTable(t, r, register.TableRequest{Rows: rows})); rows == "year" && got != want {
				t.Errorf("%s: %s", rows, got)
			}
		}
		for i := range 12 { // somebody looked: twelve are other children
			w.decide(fmt.Sprintf("b%02d", i), now, linkage.Decision{Other: fmt.Sprintf("a%02d", i), At: 1})
		}
		if tab := mustTable(t, r, register.TableRequest{Rows: "sex"}); *tab.Total != 32 || count(tab.Joined) != "few" {
			t.Errorf("after the decisions: %s, %s joined", show(tab), count(tab.Joined))
		}
		w.decide("b00", now, linkage.Decision{Other: "a00", Same: true, At: 2}) // and one of them is the same after all
		if tab := mustTable(t, r, register.TableRequest{Rows: "sex"}); *tab.Total != 31 {
			t.Errorf("after a later decision: %s", show(tab))
		}
	})
}

func TestWhoDidNotAgreeToStatisticsIsNotJoined(t *testing.T) {
	db := storetest.SQLite(t)
	r, w := open(t, db), &town{t: t, db: db}
	for i := range 12 {
		w.file(fmt.Sprintf("a%02d", i), "year=2023", fmt.Sprint(i), "", true)
		w.file(fmt.Sprintf("b%02d", i), "year=2023", fmt.Sprint(i), "", false)
	}
	if tab := mustTable(t, r, register.TableRequest{Rows: "year"}); *tab.Total != 24 || count(tab.Joined) != "0" {
		t.Errorf("%s, %s joined", show(tab), count(tab.Joined))
	}
}

// TestPersonsAreTheSameWhoeverWasAskedWhen writes cases, tokens and decisions in
// any order: a register that followed each write says what one says that reads
// all at once.
func TestPersonsAreTheSameWhoeverWasAskedWhen(t *testing.T) {
	db := storetest.SQLite(t)
	follows, w := open(t, db), &town{t: t, db: db}
	rapid.Check(t, func(t *rapid.T) {
		stream := rapid.StringMatching(`s[0-3][0-9]`).Draw(t, "case")
		facts := rapid.SampledFrom([]string{"year=2023;sex=female", "year=2024;sex=male;sector=A", "year=2024;sector=T"}).Draw(t, "facts")
		switch rapid.IntRange(0, 4).Draw(t, "what") {
		case 0:
			other := rapid.StringMatching(`s[0-3][0-9]`).Draw(t, "other")
			if other != stream {
				w.decide(stream, facts, linkage.Decision{Other: other, Same: rapid.Bool().Draw(t, "same"), At: w.position})
			}
		case 1:
			if rapid.IntRange(0, 5).Draw(t, "erased") == 0 {
				w.write(func(tx *store.Tx) error {
					if err := tx.Redraw(ctx, stream, linkage.DrawTokens("", nil)...); err != nil {
						return err
					}
					return tx.Redraw(ctx, stream, register.Draw(register.Fact{}, 0))
				})
			}
		default:
			w.file(stream, facts, rapid.StringMatching(`[a-f]`).Draw(t, "child"), rapid.SampledFrom([]string{"", "x"}).Draw(t, "spelling"), rapid.IntRange(0, 4).Draw(t, "agreed") > 0)
		}
		fresh, err := register.New(db, definition(w.t), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, req := range []register.TableRequest{{Rows: "year"}, {Rows: "sex", Cols: "sector"}} {
			a, b := mustTable(w.t, follows, req), mustTable(w.t, fresh, req)
			if got, want := show(a)+count(a.Joined)+count(a.Undecided), show(b)+count(b.Joined)+count(b.Undecided); got != want {
				t.Fatalf("followed:\n%s\nread at once:\n%s", got, want)
			}
		}
	})
}
