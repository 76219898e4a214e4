package identity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"banyan/internal/fault"
	"banyan/internal/identity"
	"banyan/internal/server/servertest"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

// house is an identity service with an organisation and its administrator.
type house struct {
	*identity.Service
	t     testing.TB
	db    *store.DB
	clock *servertest.Clock
	org   identity.Organisation
	admin identity.User
}

const password = "a walk along the river"

func newHouse(t testing.TB, db *store.DB, config identity.Config) *house {
	t.Helper()
	ctx := t.Context()
	if err := store.Migrate(ctx, db, identity.Schema()); err != nil {
		t.Fatal(err)
	}
	clock := servertest.NewClock()
	s, err := identity.New(db, servertest.NewSealer(), clock.Now, config)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Service: s, t: t, db: db, clock: clock}
	h.org, err = s.CreateOrganisation(ctx, identity.System(), identity.Organisation{Name: "River House", Kind: "ngo", Country: "VNM"})
	if err != nil {
		t.Fatal(err)
	}
	h.admin = h.add("root.river", "administrator")
	return h
}

func (h *house) add(login string, roles ...string) identity.User {
	h.t.Helper()
	u, err := h.AddUser(h.t.Context(), identity.System(), identity.NewUser{Org: h.org.ID, Login: login, Name: "User " + login, Roles: roles, Password: password})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

func (h *house) principal(u identity.User) identity.Principal {
	h.t.Helper()
	s, err := h.StartFor(h.t.Context(), identity.System(), u.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.who(s.Token)
}

func (h *house) who(token string) identity.Principal {
	h.t.Helper()
	p, err := h.Authenticate(h.t.Context(), token)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) signIn(login, pass string) (identity.Started, error) {
	return h.SignIn(h.t.Context(), identity.Proof{Login: login, Password: pass, Address: "192.0.2.1", Device: "Firefox, Android"})
}

func wants(t testing.TB, err error, code fault.Code) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code {
		t.Errorf("got %v, want a fault %s", err, code)
	}
}

func TestAPasswordSignsInUntilTheSessionEnds(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, identity.Config{})
		h.add("mina", "case_worker", "supervisor")
		s, err := h.signIn(" MINA ", password)
		if err != nil {
			t.Fatal(err)
		}
		p := h.who(s.Token)
		if p.Login != "mina" || p.Org != h.org.ID || strings.Join(p.Roles, " ") != "case_worker supervisor" || p.OrgName != "River House" || !p.Operator {
			t.Errorf("got %+v", p)
		}
		for range 20 { // used every 29 minutes: idle never comes, the absolute end does
			h.clock.Advance(29 * time.Minute)
			h.who(s.Token)
		}
		h.clock.Advance(29 * time.Minute)
		h.who(s.Token)
		for range 4 {
			h.clock.Advance(29 * time.Minute)
			_, err = h.Authenticate(t.Context(), s.Token)
		}
		wants(t, err, fault.Unauthenticated)

		s, err = h.signIn("mina", password)
		if err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(31 * time.Minute)
		_, err = h.Authenticate(t.Context(), s.Token)
		wants(t, err, fault.Unauthenticated)
	})
}

func TestATableOfSessionsOpensNothing(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), identity.Config{})
	s, err := h.signIn("root.river", password)
	if err != nil {
		t.Fatal(err)
	}
	var id, hash, phc string
	if err := h.db.QueryRow(t.Context(), `SELECT id, token_hash FROM session`).Scan(&id, &hash); err != nil {
		t.Fatal(err)
	}
	if err := h.db.QueryRow(t.Context(), `SELECT password FROM staff`).Scan(&phc); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(hash, s.Token) || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the table holds the token, or the password as %.30s", phc)
	}
	for _, stolen := range []string{id, hash, ""} {
		_, err := h.Authenticate(t.Context(), stolen)
		wants(t, err, fault.Unauthenticated)
	}
}

func TestUnknownLoginsAndWrongPasswordsGetOneAnswer(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), identity.Config{})
	gone := h.add("gone", "case_worker")
	yes := true
	if _, err := h.ChangeUser(t.Context(), identity.System(), gone.ID, identity.Change{Suspended: &yes}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.AddUser(t.Context(), identity.System(), identity.NewUser{Org: h.org.ID, Login: "keyless", Name: "K", Roles: []string{"lawyer"}}); err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, try := range [][2]string{{"root.river", "wrong"}, {"nobody", password}, {"gone", password}, {"keyless", ""}, {"", ""}, {"root.river", strings.Repeat("a", 5000)}} {
		_, err := h.signIn(try[0], try[1])
		wants(t, err, fault.Unauthenticated)
		words[err.Error()] = true
	}
	if len(words) != 1 {
		t.Errorf("answers differ: %v", words)
	}
}

func TestGuessingIsThrottledPerLoginAndPerAddress(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, identity.Config{LoginTries: 3, AddressTries: 8})
		h.add("mina", "case_worker")
		for range 3 {
			_, err := h.signIn("mina", "wrong")
			wants(t, err, fault.Unauthenticated)
		}
		_, err := h.signIn("mina", password)
		wants(t, err, fault.RateLimited)
		var f *fault.Error
		if !errors.As(err, &f) || f.RetryAfter <= 0 || f.RetryAfter > 15*time.Minute {
			t.Errorf("says to wait %v", f)
		}
		for i := range 5 { // other logins from the same address
			_, err := h.signIn(fmt.Sprintf("unknown%d", i), "wrong")
			wants(t, err, fault.Unauthenticated)
		}
		_, err = h.signIn("unknown9", "wrong")
		wants(t, err, fault.RateLimited)
		h.clock.Advance(16 * time.Minute)
		if _, err := h.signIn("mina", password); err != nil {
			t.Errorf("after the wait: %v", err)
		}
		for range 4 { // right ones are not counted
			if _, err := h.signIn("mina", password); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestNobodyCanLockAShelterOut: the family's debt collector knows how logins are
// made up there, and sends wrong passwords for all of them, all night, from
// many addresses and from the shelter's own guest network. The night worker
// still signs in on her own telephone, when a child is at the door.
func TestNobodyCanLockAShelterOut(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, identity.Config{LoginTries: 3, AddressTries: 8})
		h.add("mina", "case_worker")
		h.add("dara", "case_worker")
		ctx := context.Background()
		marks, err := h.MarkDevice("", "mina")
		if err != nil {
			t.Fatal(err)
		}
		marks, err = h.MarkDevice(marks, "Dara") // they share the telephone
		if err != nil {
			t.Fatal(err)
		}
		if again, err := h.MarkDevice(marks, "mina"); err != nil || again != marks {
			t.Errorf("a known device was marked again: %v", err)
		}
		for i := range 40 {
			_, _ = h.SignIn(ctx, identity.Proof{Login: []string{"mina", "dara"}[i%2], Password: "wrong", Address: fmt.Sprintf("198.51.100.%d", i)})
			_, _ = h.SignIn(ctx, identity.Proof{Login: fmt.Sprintf("unknown%d", i), Password: "wrong", Address: "192.0.2.1"})
		}
		_, err = h.SignIn(ctx, identity.Proof{Login: "mina", Password: password, Address: "192.0.2.1"})
		wants(t, err, fault.RateLimited) // anywhere else she has to wait
		for _, login := range []string{"mina", "dara"} {
			if _, err := h.SignIn(ctx, identity.Proof{Login: login, Password: password, Address: "192.0.2.1", Marks: marks}); err != nil {
				t.Errorf("%s on the own telephone: %v", login, err)
			}
		}
		// A mark is no way to guess for ever, and is for its own login only.
		for range 3 {
			_, err := h.SignIn(ctx, identity.Proof{Login: "mina", Password: "wrong", Address: "192.0.2.1", Marks: marks})
			wants(t, err, fault.Unauthenticated)
		}
		_, err = h.SignIn(ctx, identity.Proof{Login: "mina", Password: password, Address: "192.0.2.1", Marks: marks})
		wants(t, err, fault.RateLimited)
		h.add("sok", "case_worker")
		for range 3 {
			_, err = h.SignIn(ctx, identity.Proof{Login: "sok", Password: "wrong", Address: "203.0.113.9", Marks: marks})
			wants(t, err, fault.Unauthenticated)
		}
		_, err = h.SignIn(ctx, identity.Proof{Login: "sok", Password: password, Address: "203.0.113.9", Marks: marks})
		wants(t, err, fault.RateLimited)
		for _, made := range []string{"x", "....", strings.Repeat("a.", 10_000), "\x00", marks[:len(marks)/2]} {
			_, err = h.SignIn(ctx, identity.Proof{Login: "sok", Password: password, Address: "203.0.113.9", Marks: made})
			wants(t, err, fault.RateLimited)
		}
	})
}

func TestAHundredGuessesAtOnceCountAsAHundred(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), identity.Config{LoginTries: 4, AddressTries: 1000})
	h.add("mina", "case_worker")
	var wg sync.WaitGroup
	var mu sync.Mutex
	checked := 0
	for i := range 30 {
		wg.Go(func() {
			_, err := h.SignIn(context.Background(), identity.Proof{Login: "mina", Password: "wrong", Address: fmt.Sprintf("192.0.2.%d", i)})
			mu.Lock()
			defer mu.Unlock()
			if fault.CodeOf(err) == fault.Unauthenticated {
				checked++
			}
		})
	}
	wg.Wait()
	if checked != 4 {
		t.Errorf("%d passwords were looked at, want 4", checked)
	}
}

func TestWeakPasswordsAreRefused(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), identity.Config{})
	for _, weak := range []string{"short", "aaaaaaaaaaaaaa", "123456789012", "abcabcabcabcabc", "minaminamina1", "banyanbanyan1", "mina.river.12", strings.Repeat("long ", 60), "a\xffaaaaaaaaaaaaaa"} {
		_, err := h.AddUser(t.Context(), identity.System(), identity.NewUser{Org: h.org.ID, Login: "mina.river", Name: "Mina", Roles: []string{"lawyer"}, Password: weak})
		wants(t, err, fault.Misuse)
	}
	for range 50 {
		p := identity.GeneratePassword()
		if len(p) != 19 {
			t.Fatalf("made %q", p)
		}
	}
	if _, err := h.AddUser(t.Context(), identity.System(), identity.NewUser{Org: h.org.ID, Login: "mina.river", Name: "Mina", Roles: []string{"lawyer"}, Password: "chín con trâu đi cày"}); err != nil {
		t.Errorf("a good one was refused: %v", err)
	}
}

func code(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCodeCustom(secret, at, totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACodeIsAskedWorksOnceAndToleratesASlowClock(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		h := newHouse(t, db, identity.Config{})
		u := h.add("mina", "case_worker")
		p := h.principal(u)
		e, err := h.BeginCode(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, h.ConfirmCode(ctx, p, "000000"), fault.Misuse)
		if s, err := h.signIn("mina", password); err != nil || s.Next != "" {
			t.Fatalf("an enrolment that was not finished is asked for: %v %+v", err, s)
		}
		if err := h.ConfirmCode(ctx, p, code(t, e.Secret, h.clock.Now())); err != nil {
			t.Fatal(err)
		}
		var sealed []byte
		if err := h.db.QueryRow(ctx, `SELECT totp FROM staff WHERE id = $1`, u.ID).Scan(&sealed); err != nil || strings.Contains(string(sealed), e.Secret) {
			t.Fatalf("the secret stands unsealed (%v)", err)
		}

		s, err := h.signIn("mina", password)
		if err != nil || s.Next != "totp" {
			t.Fatalf("no code is asked: %v %+v", err, s)
		}
		_, err = h.Authenticate(ctx, s.Token)
		wants(t, err, fault.Unauthenticated) // half signed in is not signed in
		_, err = h.SignInWithCode(ctx, s.Token, code(t, e.Secret, h.clock.Now()), "192.0.2.1", "")
		wants(t, err, fault.Unauthenticated) // that step was spent by the enrolment

		h.clock.Advance(time.Minute)
		late := code(t, e.Secret, h.clock.Now().Add(-30*time.Second))
		full, err := h.SignInWithCode(ctx, s.Token, late, "192.0.2.1", "")
		if err != nil {
			t.Fatal(err)
		}
		if full.Token == s.Token || h.who(full.Token).User != u.ID {
			t.Error("the token was not changed")
		}
		again, err := h.signIn("mina", password)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.SignInWithCode(ctx, again.Token, late, "192.0.2.1", "")
		wants(t, err, fault.Unauthenticated) // a code works once
		h.clock.Advance(6 * time.Minute)
		_, err = h.SignInWithCode(ctx, again.Token, code(t, e.Secret, h.clock.Now()), "192.0.2.1", "")
		wants(t, err, fault.Unauthenticated) // the wait is over
	})
}

func TestSteppingUpLastsFiveMinutes(t *testing.T) {
	ctx := t.Context()
	h := newHouse(t, storetest.SQLite(t), identity.Config{})
	p := h.principal(h.add("mina", "case_worker"))
	if !h.SteppedUp(p) {
		t.Error("a fresh sign-in is no fresh proof")
	}
	h.clock.Advance(5 * time.Minute)
	if h.SteppedUp(p) {
		t.Error("still stepped up after five minutes")
	}
	_, err := h.StepUpWith(ctx, p, "wrong", "")
	wants(t, err, fault.Misuse)
	p, err = h.StepUpWith(ctx, p, password, "")
	if err != nil || !h.SteppedUp(p) {
		t.Fatalf("stepping up: %v", err)
	}
	e, err := h.BeginCode(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.ConfirmCode(ctx, p, code(t, e.Secret, h.clock.Now())); err != nil {
		t.Fatal(err)
	}
	_, err = h.StepUpWith(ctx, p, password, "")
	wants(t, err, fault.Misuse) // with a code enrolled the password alone is not enough
	h.clock.Advance(time.Minute)
	if _, err := h.StepUpWith(ctx, p, "", code(t, e.Secret, h.clock.Now())); err != nil {
		t.Error(err)
	}
}

func TestAUserSeesAndEndsTheirSessions(t *testing.T) {
	ctx := t.Context()
	h := newHouse(t, storetest.SQLite(t), identity.Config{})
	u, other := h.add("mina", "case_worker"), h.add("tuan", "case_worker")
	a, b := h.principal(u), h.principal(u)
	theirs := h.principal(other)
	list, err := h.Sessions(ctx, b)
	if err != nil || len(list) != 2 || list[0].Current == list[1].Current {
		t.Fatalf("got %+v (%v)", list, err)
	}
	wants(t, h.Revoke(ctx, b, theirs.Session), fault.DeniedOrAbsent)
	if err := h.Revoke(ctx, b, a.Session); err != nil {
		t.Fatal(err)
	}
	if list, _ := h.Sessions(ctx, b); len(list) != 1 {
		t.Errorf("%d sessions are left", len(list))
	}
	if list, _ := h.Sessions(ctx, theirs); len(list) != 1 {
		t.Error("somebody else's session ended")
	}
	yes := true
	if _, err := h.ChangeUser(ctx, h.principal(h.admin), u.ID, identity.Change{Suspended: &yes}); err != nil {
		t.Fatal(err)
	}
	if list, _ := h.Sessions(ctx, b); len(list) != 0 {
		t.Error("a suspended user is still signed in")
	}
}

func TestAnInvitationIsGoodOnceAndEnds(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		h := newHouse(t, db, identity.Config{})
		admin := h.principal(h.admin)
		invite := func(login string) identity.Invitation {
			inv, err := h.Invite(ctx, admin, identity.NewUser{Org: h.org.ID, Login: login, Roles: []string{"lawyer"}})
			if err != nil {
				t.Fatal(err)
			}
			return inv
		}
		accept := func(token, pass string) (identity.Started, error) {
			return h.Accept(ctx, identity.Acceptance{Token: token, Name: "Lan", Password: pass, Address: "192.0.2.1"})
		}
		inv := invite("lan")
		_, err := accept("never was", password)
		wants(t, err, fault.Misuse)
		_, err = accept(inv.Token, "short")
		wants(t, err, fault.Misuse)
		s, err := accept(inv.Token, password)
		if err != nil {
			t.Fatal(err)
		}
		if p := h.who(s.Token); p.Login != "lan" || p.Name != "Lan" || strings.Join(p.Roles, "") != "lawyer" {
			t.Errorf("joined as %+v", p)
		}
		_, err = accept(inv.Token, password)
		wants(t, err, fault.Misuse)
		_, err = h.Invite(ctx, admin, identity.NewUser{Org: h.org.ID, Login: "LAN", Roles: []string{"lawyer"}})
		wants(t, err, fault.Misuse)

		late := invite("hoa")
		h.clock.Advance(8 * 24 * time.Hour)
		_, err = accept(late.Token, password)
		wants(t, err, fault.Misuse)
		drawn := invite("hoa")
		if err := h.Withdraw(ctx, admin, drawn.ID); err != nil {
			t.Fatal(err)
		}
		_, err = accept(drawn.Token, password)
		wants(t, err, fault.Misuse)
		list, err := h.Invitations(ctx, h.org.ID, "", 10)
		if err != nil || len(list) != 1 || !list[0].Used || list[0].Token != "" {
			t.Errorf("listed %+v (%v)", list, err)
		}
	})
}

func TestAResetGivesANewPasswordAndTakesTheRest(t *testing.T) {
	ctx := t.Context()
	h := newHouse(t, storetest.SQLite(t), identity.Config{})
	u := h.add("mina", "case_worker")
	p := h.principal(u)
	e, err := h.BeginCode(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.ConfirmCode(ctx, p, code(t, e.Secret, h.clock.Now())); err != nil {
		t.Fatal(err)
	}
	inv, err := h.Reset(ctx, h.principal(h.admin), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := h.signIn("mina", password); err != nil || s.Next != "totp" {
		t.Errorf("an unused reset already changed something: %v", err)
	}
	if _, err := h.Accept(ctx, identity.Acceptance{Token: inv.Token, Password: "another long walk", Address: "192.0.2.1"}); err != nil {
		t.Fatal(err)
	}
	_, err = h.signIn("mina", password)
	wants(t, err, fault.Unauthenticated)
	if s, err := h.signIn("mina", "another long walk"); err != nil || s.Next != "" {
		t.Errorf("after the reset: %v %+v", err, s)
	}
	if list, _ := h.Sessions(ctx, p); len(list) != 2 { // the reset's own and the one just made
		t.Errorf("%d sessions, want 2", len(list))
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		h := newHouse(t, db, identity.Config{})
		yes := true
		_, err := h.ChangeUser(ctx, h.principal(h.admin), h.admin.ID, identity.Change{Suspended: &yes})
		wants(t, err, fault.Conflict)
		_, err = h.ChangeUser(ctx, h.principal(h.admin), h.admin.ID, identity.Change{Roles: []string{"auditor"}})
		wants(t, err, fault.Misuse) // nobody gives himself a role
		_, err = h.ChangeUser(ctx, identity.System(), h.admin.ID, identity.Change{Roles: []string{"auditor"}})
		wants(t, err, fault.Conflict)
		second := h.add("second", "administrator")
		one, two := h.principal(h.admin), h.principal(second)
		var wg sync.WaitGroup
		failures := make([]error, 2)
		for i, change := range []struct {
			by identity.Principal
			on string
		}{{one, second.ID}, {two, h.admin.ID}} { // each removes the other at the same time
			wg.Go(func() {
				_, failures[i] = h.ChangeUser(context.Background(), change.by, change.on, identity.Change{Suspended: &yes})
			})
		}
		wg.Wait()
		if (failures[0] == nil) == (failures[1] == nil) {
			t.Errorf("got %v and %v, want exactly one refusal", failures[0], failures[1])
		}
		users, err := h.Users(ctx, h.org.ID, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		active := 0
		for _, u := range users {
			if !u.Suspended {
				active++
			}
		}
		if active != 1 {
			t.Errorf("%d administrators are left", active)
		}
	})
}

func TestOrganisationsKeepToThemselves(t *testing.T) {
	ctx := t.Context()
	h := newHouse(t, storetest.SQLite(t), identity.Config{})
	other, err := h.CreateOrganisation(ctx, h.principal(h.admin), identity.Organisation{Name: "Hill Shelter", Kind: "shelter", Country: "KHM"})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := h.AddUser(ctx, identity.System(), identity.NewUser{Org: other.ID, Login: "hill", Name: "Hill", Roles: []string{"administrator"}})
	if err != nil {
		t.Fatal(err)
	}
	by := h.principal(theirs)
	name := "Changed"
	_, err = h.ChangeUser(ctx, by, h.admin.ID, identity.Change{Name: &name})
	wants(t, err, fault.DeniedOrAbsent)
	_, err = h.Reset(ctx, by, h.admin.ID)
	wants(t, err, fault.DeniedOrAbsent)
	_, err = h.Invite(ctx, by, identity.NewUser{Org: h.org.ID, Login: "spy", Roles: []string{"administrator"}})
	wants(t, err, fault.DeniedOrAbsent)
	_, err = h.CreateTeam(ctx, by, identity.Team{Org: h.org.ID, Name: "Spies"})
	wants(t, err, fault.DeniedOrAbsent)
	_, err = h.CreateOrganisation(ctx, by, identity.Organisation{Name: "Third", Kind: "ngo", Country: "KHM"})
	wants(t, err, fault.DeniedOrAbsent)
	_, err = h.AddUser(ctx, by, identity.NewUser{Org: other.ID, Login: "x.y", Name: "X", Roles: []string{"lawyer"}})
	wants(t, err, fault.DeniedOrAbsent)
	team, err := h.CreateTeam(ctx, by, identity.Team{Org: other.ID, Name: "Night"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Invite(ctx, h.principal(h.admin), identity.NewUser{Org: h.org.ID, Team: team.ID, Login: "mixed", Roles: []string{"lawyer"}})
	wants(t, err, fault.Misuse)
	acts, err := h.Acts(ctx, by, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range acts {
		if a.Org != other.ID {
			t.Errorf("sees act %s of another organisation", a.Act)
		}
	}
	if len(acts) != 3 { // the organisation, its user, its team
		t.Errorf("%d acts, want 3", len(acts))
	}
}

func TestActsAreChainedAndAnyChangeIsFound(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		h := newHouse(t, db, identity.Config{})
		for i := range 4 {
			h.add(fmt.Sprintf("user%d", i), "case_worker")
		}
		whole, err := h.VerifyActs(ctx)
		if err != nil || whole != 6 {
			t.Fatalf("%d acts, %v", whole, err)
		}
		for _, row := range []struct{ name, do, undo, says string }{
			{"changed", `UPDATE admin_act SET by_user = 'nobody' WHERE seq = 3`, `UPDATE admin_act SET by_user = 'system' WHERE seq = 3`, "act 3 was changed"},
			{"reordered", `UPDATE admin_act SET seq = CASE seq WHEN 2 THEN -2 ELSE -3 END WHERE seq IN (2, 3)`, `UPDATE admin_act SET seq = -seq WHERE seq < 0`, "act 1 is missing"},
			{"head moved", `UPDATE admin_act_head SET seq = 5`, `UPDATE admin_act_head SET seq = 6`, "their head says 5"},
			{"dropped", `DELETE FROM admin_act WHERE seq = 4`, "", "act 4 is missing"},
		} {
			if _, err := db.Exec(ctx, row.do); err != nil {
				t.Fatal(err)
			}
			if _, err := h.VerifyActs(ctx); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: got %v, want %q", row.name, err, row.says)
			}
			if row.undo == "" {
				continue
			}
			if _, err := db.Exec(ctx, row.undo); err != nil {
				t.Fatal(err)
			}
			if _, err := h.VerifyActs(ctx); err != nil {
				t.Fatalf("%s: the row put back: %v", row.name, err)
			}
		}
	})
}
