package linkage_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"banyan/internal/linkage"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

var ctx = context.Background()

// testKey is public: 32 bytes of 0x07. It never stands before a real register.
var testKey = linkage.Key(slices.Repeat([]byte{7}, linkage.KeySize))

var update = flag.Bool("update", false, "write testdata/vectors.json again: only with a new version of the specification")

// vector is one person with the tokens that the specification gives.
type vector struct {
	About  string
	Person linkage.Person
	Tokens []linkage.Token
}

// TestTokensAreThoseOfTheSpecification: another program, or this one in ten
// years, gives the same tokens, or the two would count one child twice.
func TestTokensAreThoseOfTheSpecification(t *testing.T) {
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	for i, v := range vectors {
		got := tokens(t, v.Person)
		if *update {
			vectors[i].Tokens = got
			continue
		}
		if !slices.Equal(got, v.Tokens) {
			t.Errorf("%s: got %v, want %v", v.About, got, v.Tokens)
		}
	}
	if *update {
		out, err := json.MarshalIndent(vectors, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("testdata/vectors.json", append(out, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func tokens(t testing.TB, p linkage.Person) []linkage.Token {
	t.Helper()
	out, err := testKey.Tokens(p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestVerdictsAreThoseOfPractice(t *testing.T) {
	girl := linkage.Person{Names: []string{"Keo Sreyleak", "កែវ ស្រីលក្ខណ៍"}, Sex: "female", BornFrom: 2010, BornTo: 2011, Province: "KH12", District: "KH1201", Mothers: []string{"Chan Bopha"}, Phones: []string{"+85512345678"}}
	with := func(change func(*linkage.Person)) linkage.Person {
		p := girl
		change(&p)
		return p
	}
	for _, c := range []struct {
		name string
		b    linkage.Person
		want linkage.Verdict
	}{
		{"the same answers", girl, linkage.Same},
		{"order of the name, one script", with(func(p *linkage.Person) { p.Names = []string{"SREYLEAK KEO"} }), linkage.Same},
		{"own script only: somebody has to look", with(func(p *linkage.Person) { p.Names = []string{"ស្រីលក្ខណ៍ កែវ"} }), linkage.Likely},
		{"age two years off, home and phone known", with(func(p *linkage.Person) { p.BornFrom, p.BornTo = 2012, 2013 }), linkage.Same},
		{"age six years off, no phone", with(func(p *linkage.Person) { p.BornFrom, p.BornTo, p.Phones = 2016, 2017, nil }), linkage.No},
		{"nickname only", with(func(p *linkage.Person) { p.Names = []string{"Sreyleak"}; p.District = "" }), linkage.Likely},
		{"a sister", with(func(p *linkage.Person) { p.Names = []string{"Keo Bopha"} }), linkage.No},
		{"a sister with the same consonants", with(func(p *linkage.Person) { p.Names = []string{"Keo Sreyloak"} }), linkage.Likely},
		{"another mother", with(func(p *linkage.Person) { p.Mothers = []string{"Sok Vanny"} }), linkage.Likely},
		{"another child", linkage.Person{Names: []string{"Rith Dara"}, Sex: "male", BornFrom: 2010, BornTo: 2011, Province: "KH12", District: "KH1201"}, linkage.No},
		{"nothing known", linkage.Person{}, linkage.No},
	} {
		if got := linkage.Weigh(tokens(t, girl), tokens(t, c.b)).Verdict(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestTokensSayNothingWithoutTheKey: no answer stands in a token, and another
// key gives other tokens for everybody.
func TestTokensSayNothingWithoutTheKey(t *testing.T) {
	p := linkage.Person{Names: []string{"Keo Sreyleak"}, Sex: "female", BornFrom: 2010, BornTo: 2010, Province: "KH12", District: "KH1201", Phones: []string{"+85512345678"}}
	other, err := linkage.Key(slices.Repeat([]byte{8}, linkage.KeySize)).Tokens(p)
	if err != nil {
		t.Fatal(err)
	}
	mine := tokens(t, p)
	for i := range mine {
		if len(mine[i].Text) != 22 || mine[i].Text == other[i].Text {
			t.Errorf("%v under another key %v", mine[i], other[i])
		}
	}
	if linkage.Weigh(mine, other).Verdict() != linkage.No {
		t.Error("two keys agree")
	}
	if _, err := linkage.Key("short").Tokens(p); err == nil || strings.Contains(err.Error(), "Keo") {
		t.Errorf("a short key: %v", err)
	}
}

// TestTokensDoNotHangOnOrder: the same spellings in another order are the same
// person to the last byte, and comparing is the same from both sides.
func TestTokensDoNotHangOnOrder(t *testing.T) {
	names := []string{"Keo Sreyleak", "កែវ ស្រីលក្ខណ៍", "Nguyễn Thị Lan", "Md Rahim", "มาลี", "O", "", "Aye Aye", "123", "\xff\xfe"}
	rapid.Check(t, func(t2 *rapid.T) {
		draw := func(label string) linkage.Person {
			year := rapid.IntRange(2005, 2012).Draw(t2, label+" year")
			return linkage.Person{Names: rapid.SliceOfN(rapid.SampledFrom(names), 0, 4).Draw(t2, label), Sex: rapid.SampledFrom([]string{"female", "male", "unknown", ""}).Draw(t2, label+" sex"),
				BornFrom: year, BornTo: year + rapid.IntRange(0, 6).Draw(t2, label+" years"), Province: rapid.SampledFrom([]string{"", "KH12"}).Draw(t2, label+" province")}
		}
		a, b := draw("a"), draw("b")
		turned := a
		turned.Names = rapid.Permutation(a.Names).Draw(t2, "order")
		if !slices.Equal(tokens(t, a), tokens(t, turned)) {
			t2.Fatal("another order of spellings gives other tokens")
		}
		if x, y := linkage.Weigh(tokens(t, a), tokens(t, b)).Verdict(), linkage.Weigh(tokens(t, b), tokens(t, a)).Verdict(); x != y {
			t2.Fatalf("%q from one side, %q from the other", x, y)
		}
	})
}

func FuzzTokens(f *testing.F) {
	f.Add("Keo Sreyleak", "ស្រីលក្ខណ៍", "female", 2010, 2011)
	f.Fuzz(func(t *testing.T, a, b, sex string, from, to int) {
		got := tokens(t, linkage.Person{Names: []string{a, b}, Sex: sex, BornFrom: from, BornTo: to, Province: "P", District: "D", Mothers: []string{b}, Phones: []string{a}})
		if len(got) > 400 {
			t.Errorf("%d tokens", len(got))
		}
	})
}

func TestErasedTokensAreGoneAndPairsWithThem(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		if err := store.Migrate(ctx, db, linkage.Schema()); err != nil {
			t.Fatal(err)
		}
		p := linkage.Person{Names: []string{"Keo Sreyleak"}, Sex: "female", BornFrom: 2010, BornTo: 2010, Province: "KH12", District: "KH1201"}
		put := func(stream, org string, made []linkage.Token) {
			t.Helper()
			if err := db.Transact(ctx, func(tx *store.Tx) error { return tx.Redraw(ctx, stream, linkage.DrawTokens(org, made)...) }); err != nil {
				t.Fatal(err)
			}
		}
		put("a", "one", tokens(t, p))
		put("b", "two", tokens(t, p))
		put("b", "two", tokens(t, p)) // nothing changed
		pairs, err := linkage.Pairs(ctx, db)
		if err != nil || len(pairs) != 1 || !pairs[0].Joined() {
			t.Fatalf("pairs %v, %v", pairs, err)
		}
		if own, err := linkage.Alike(ctx, db, "a", "one"); err != nil || len(own) != 0 {
			t.Errorf("another organisation's case is named: %v, %v", own, err)
		}
		put("b", "", nil)
		if pairs, err := linkage.Pairs(ctx, db); err != nil || len(pairs) != 0 {
			t.Errorf("after erasure: %v, %v", pairs, err)
		}
		var rows int
		if err := db.QueryRow(ctx, `SELECT (SELECT count(*) FROM linkage_holder WHERE stream = 'b') + (SELECT count(*) FROM linkage_person WHERE stream = 'b')`).Scan(&rows); err != nil || rows != 0 {
			t.Errorf("%d rows are left (%v)", rows, err)
		}
	})
}

func TestContradictionsJoinOnlyWhatWasDecided(t *testing.T) {
	pairs := []linkage.Pair{
		{A: "a", B: "b", Verdict: linkage.Same},
		{A: "b", B: "c", Verdict: linkage.Same},
		{A: "a", B: "c", Decided: linkage.Different},
		{A: "c", B: "d", Decided: linkage.Same},
		{A: "x", B: "y", Verdict: linkage.Same},
		{A: "y", B: "z", Verdict: linkage.Likely},
	}
	got := linkage.Persons(pairs)
	if len(got) != 2 || !slices.Equal(got[0], []string{"c", "d"}) || !slices.Equal(got[1], []string{"x", "y"}) {
		t.Errorf("persons %v", got)
	}
}
