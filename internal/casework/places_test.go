package casework

import (
	"testing"

	"banyan/content"
	"banyan/internal/forms"
)

func TestAPlaceIsSaidByItsNames(t *testing.T) {
	lib, _ := forms.Load(content.FS)
	rules, err := LoadRules(content.FS, lib)
	if err != nil {
		t.Fatal(err)
	}
	for want, location := range map[string]map[string]any{
		"Phum 4, Cambodia":    {"place": "Phum 4", "country": "KHM"},
		"Barisal, Bangladesh": {"adm1": "BD10", "country": "BGD"},
		"KH99XX":              {"adm1": "KH99XX"}, // a code that this content does not know
		"":                    {},
	} {
		if got := rules.placeText(location, "en"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
