package casework

// Places in words: a district is shown by its name, not by its P-code.

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// loadPlaces reads the names of provinces and districts. Content without
// places.csv shows codes.
func (r *Rules) loadPlaces(fsys fs.FS) error {
	r.places = map[string]string{}
	text, err := fs.ReadFile(fsys, "places.csv")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading places.csv: %w", err)
	}
	in := csv.NewReader(bytes.NewReader(text))
	in.Comment = '#'
	rows, err := in.ReadAll() // country, level, code, name, parent
	if err != nil {
		return fmt.Errorf("reading places.csv: %w", err)
	}
	for _, row := range rows[1:] {
		r.places[row[2]] = row[3]
	}
	return nil
}

// placeText says a location from the nearest to the farthest.
func (r *Rules) placeText(location map[string]any, lang string) string {
	var parts []string
	for _, part := range []string{"place", "adm2", "adm1", "country"} {
		code, _ := location[part].(string)
		if code == "" {
			continue
		}
		name := code
		if known, ok := r.places[code]; ok {
			name = known
		}
		if list, ok := r.Forms.List("country"); ok && part == "country" {
			name = list.Label(lang, code)
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, ", ")
}
