package identity_test

// What a sign-in and a look-up of a session cost. A wrong password and an
// unknown login must cost the same.

import (
	"fmt"
	"testing"

	"banyan/internal/identity"
	"banyan/internal/store/storetest"
)

func BenchmarkSignIn(b *testing.B) {
	h := newHouse(b, storetest.SQLite(b), identity.Config{LoginTries: 1 << 30, AddressTries: 1 << 30})
	for _, who := range []struct{ name, login, password string }{
		{"right", "root.river", password}, {"wrong password", "root.river", "wrong"}, {"unknown login", "nobody", password},
	} {
		b.Run(who.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := h.signIn(who.login, who.password); (err == nil) != (who.name == "right") {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	h := newHouse(b, storetest.SQLite(b), identity.Config{})
	for i := range 200 {
		u := h.add(fmt.Sprintf("user%d", i), "case_worker")
		h.principal(u)
	}
	s, err := h.signIn("root.river", password)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := h.Authenticate(b.Context(), s.Token); err != nil {
			b.Fatal(err)
		}
	}
}
