package identity

// Passwords: argon2id with 19 MiB, two passes, one lane (OWASP Password
// Storage Cheat Sheet, 2025), kept as PHC strings so that the cost can grow.
// Only a few are hashed at once, so that a flood of sign-ins cannot take the
// machine's memory.

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"banyan/internal/fault"
)

const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32

	passwordLeast = 12  // characters
	passwordMost  = 256 // characters: a long one is fine, an endless one is an attack
)

func hashPassword(password string) string {
	salt := make([]byte, argonSalt)
	if _, err := rand.Read(salt); err != nil {
		panic(err)
	}
	key := argon2.IDKey([]byte(norm.NFC.String(password)), salt, argonTime, argonMemory, argonLanes, argonKey)
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes, enc(salt), enc(key))
}

// matches compares a password with a PHC string. A string that cannot be read
// matches nothing, after the same work.
func matches(phc, password string) bool {
	var version int
	var memory, passes uint32
	var lanes uint8
	parts := strings.Split(phc, "$")
	ok := len(parts) == 6 && parts[1] == "argon2id"
	var salt, want []byte
	if ok {
		_, err1 := fmt.Sscanf(parts[2], "v=%d", &version)
		_, err2 := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes)
		var err3, err4 error
		salt, err3 = base64.RawStdEncoding.DecodeString(parts[4])
		want, err4 = base64.RawStdEncoding.DecodeString(parts[5])
		ok = err1 == nil && err2 == nil && err3 == nil && err4 == nil && passes > 0 && lanes > 0 && len(want) > 0
	}
	if !ok {
		memory, passes, lanes, salt, want = argonMemory, argonTime, argonLanes, make([]byte, argonSalt), make([]byte, argonKey)
	}
	got := argon2.IDKey([]byte(norm.NFC.String(password)), salt, passes, memory, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && ok
}

// slot waits for room to hash one password.
func (s *Service) slot(ctx context.Context, work func()) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		work()
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, "too many people are signing in at once", ctx.Err())
	}
}

// checkPassword is the rule for a new password: long, not the login or name,
// not one character or one run over and over (NIST SP 800-63B, 3.1.1.2: length
// and a block list, no rules about kinds of characters).
func checkPassword(password, login, name string) error {
	field := func(code, message string) error { return fault.Field("password", code, message) }
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return field("not_text", "the password is not text")
	case n < passwordLeast:
		return field("too_short", fmt.Sprintf("a password has at least %d characters; a few words are easier to remember", passwordLeast))
	case n > passwordMost:
		return field("too_long", fmt.Sprintf("a password has at most %d characters", passwordMost))
	}
	low := foldLogin(password)
	for _, known := range []string{login, name, "banyan", "password", "matkhau"} {
		known = foldLogin(known)
		if len(known) >= 3 && strings.Contains(low, known) && utf8.RuneCountInString(strings.ReplaceAll(low, known, "")) < 8 {
			return field("guessable", "the password is too close to a name or a common word")
		}
	}
	if isRepeated([]rune(low)) {
		return field("guessable", "the password repeats itself or counts up")
	}
	return nil
}

// isRepeated finds "aaaa…", "abcabc…" up to a period of four, and runs like
// "123456789012".
func isRepeated(r []rune) bool {
	for period := 1; period <= 4; period++ {
		same := true
		for i := period; i < len(r) && same; i++ {
			same = r[i] == r[i-period]
		}
		if same {
			return true
		}
	}
	steps := 0
	for i := 1; i < len(r); i++ {
		if d := r[i] - r[i-1]; d == 1 || d == -1 || d == -9 || d == 9 {
			steps++
		}
	}
	return steps >= len(r)-2
}

// passwordLetters leaves out what is mistaken for something else.
const passwordLetters = "abcdefghjkmnpqrstuvwxyz23456789"

// GeneratePassword makes a password that can be read out: four groups of four,
// some 79 bits. The demo prints such ones.
func GeneratePassword() string {
	groups := make([]string, 4)
	for g := range groups {
		var b strings.Builder
		for range 4 {
			i, err := rand.Int(rand.Reader, big.NewInt(int64(len(passwordLetters))))
			if err != nil {
				panic(err)
			}
			b.WriteByte(passwordLetters[i.Int64()])
		}
		groups[g] = b.String()
	}
	return strings.Join(groups, "-")
}
