package identity

// Devices that a login has signed in on before keep a mark (OWASP, "Slow down
// online guessing attacks with device cookies"). Wrong passwords are counted
// for each such device by itself: who sends wrong passwords for every login of
// a shelter from anywhere in the world locks out nobody at the shelter's own
// desks. A mark proves nothing else, opens nothing, and is good for one login.

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// mostMarks is how many people share a device and are all remembered.
const mostMarks = 6

func deviceLabel(login string) string { return "known device:" + foldLogin(login) }

// markFor finds the mark of a login among those of a device; empty: none.
func (s *Service) markFor(marks, login string) string {
	for _, mark := range splitMarks(marks) {
		if s.marks(mark, login) {
			return mark
		}
	}
	return ""
}

func (s *Service) marks(mark, login string) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(mark)
	if err != nil {
		return false
	}
	_, err = s.sealer.OpenSecret(deviceLabel(login), sealed)
	return err == nil
}

func splitMarks(marks string) []string {
	out := strings.Split(marks, ".")
	return out[:min(len(out), mostMarks)]
}

// MarkDevice gives a device's marks after login has signed in on it.
func (s *Service) MarkDevice(marks, login string) (string, error) {
	if s.markFor(marks, login) != "" {
		return marks, nil
	}
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return "", err
	}
	sealed, err := s.sealer.SealSecret(deviceLabel(login), secret)
	if err != nil {
		return "", err
	}
	all := append([]string{base64.RawURLEncoding.EncodeToString(sealed)}, splitMarks(marks)...)
	return strings.Trim(strings.Join(all[:min(len(all), mostMarks)], "."), "."), nil
}
