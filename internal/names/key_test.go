package names

import (
	"testing"

	"pgregory.net/rapid"
)

func TestAWholeKeyOutlivesScriptOrderAndSpaces(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"Keo Sokha", "Sokha Keo"},
		{"Aung Aung", "အောင်အောင်"},
		{"Nguyễn Thị Lan", "LAN NGUYEN"},
		{"Md Rahim Uddin", "Rahim Uddin"},
		{"Somchai Jaidee", "SomchaiJaidee"},
	} {
		if a, b := WholeKey(c.a), WholeKey(c.b); a == "" || a != b {
			t.Errorf("%s is %q, %s is %q", c.a, a, c.b, b)
		}
	}
	if WholeKey("") != "" || WholeKey("123 !") != WholeKey("123") {
		t.Error("what is no name has a key of its own")
	}
}

func TestALatinKeyKeepsVowelsAndForgivesSpelling(t *testing.T) {
	if a, b := LatinKey("Phalla Touch"), LatinKey("TUCH FALLA"); a == "" || a != b {
		t.Errorf("%q and %q", a, b)
	}
	if LatinKey("Nguyen Lan") == LatinKey("Nguyen Linh") {
		t.Error("two sisters have one key")
	}
	if LatinKey("ស្រីលក្ខណ៍") != "" {
		t.Error("Khmer letters are taken for Latin ones")
	}
}

func TestTurningARingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ring := rapid.StringMatching(`[PTKSMNLW]{0,12}`).Draw(t, "ring")
		if len(ring) == 0 {
			return
		}
		at := rapid.IntRange(0, len(ring)-1).Draw(t, "turn")
		if smallestTurn(ring) != smallestTurn(ring[at:]+ring[:at]) {
			t.Fatalf("%s turned at %d has another key", ring, at)
		}
	})
}
