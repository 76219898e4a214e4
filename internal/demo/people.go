package demo

// Names and places for invented people, from content/names and
// content/places.csv.

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// named is one name in its own script and romanised.
type named struct {
	Name  string `yaml:"name"`
	Latin string `yaml:"latin"`
}

type nameFile struct {
	Country string             `yaml:"country"`
	Order   []string           `yaml:"order"`
	Parts   []int              `yaml:"parts"`
	Given   map[string][]named `yaml:"given"`
	Middle  any                `yaml:"middle"`
	Family  []named            `yaml:"family"`
}

type nameBook struct {
	files     map[string]nameFile
	countries []string
}

// personName is one invented name.
type personName struct {
	Given, Family           string // own script
	GivenLatin, FamilyLatin string
}

func readNames(content fs.FS) (*nameBook, error) {
	files, err := fs.Glob(content, "names/*.yaml")
	if err != nil {
		return nil, err
	}
	b := &nameBook{files: map[string]nameFile{}}
	for _, file := range files {
		text, err := fs.ReadFile(content, file)
		if err != nil {
			return nil, err
		}
		var n nameFile
		if err := yaml.Unmarshal(text, &n); err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(file), err)
		}
		if len(n.Given["female"]) == 0 || len(n.Given["male"]) == 0 {
			return nil, fmt.Errorf("%s: it needs given names of both sexes", path.Base(file))
		}
		b.files[n.Country] = n
		b.countries = append(b.countries, n.Country)
	}
	if len(b.countries) == 0 {
		return nil, fmt.Errorf("there are no files names/*.yaml")
	}
	return b, nil
}

// name makes a name that people of a country might have.
func (b *nameBook) name(r *rand.Rand, country, sex string) personName {
	f, ok := b.files[country]
	if !ok {
		f = b.files[b.countries[0]]
	}
	given := f.Given[sex]
	if given == nil {
		given = f.Given["female"]
	}
	parts := 1
	if len(f.Parts) > 0 {
		parts = pick(r, f.Parts)
	}
	var own, latin []string
	for range parts {
		n := pick(r, given)
		own, latin = append(own, n.Name), append(latin, orSame(n))
	}
	p := personName{Given: strings.Join(own, " "), GivenLatin: strings.Join(latin, " ")}
	if len(f.Family) > 0 {
		n := pick(r, f.Family)
		p.Family, p.FamilyLatin = n.Name, orSame(n)
	}
	return p
}

func orSame(n named) string {
	if n.Latin == "" {
		return n.Name
	}
	return n.Latin
}

// place is a district with its province.
type place struct{ country, adm1, adm2 string }

type placeBook struct{ byCountry map[string][]place }

func readPlaces(content fs.FS) (*placeBook, error) {
	text, err := fs.ReadFile(content, "places.csv")
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	b := &placeBook{byCountry: map[string][]place{}}
	for _, row := range rows[1:] {
		if len(row) < 5 || row[1] != "2" {
			continue
		}
		b.byCountry[row[0]] = append(b.byCountry[row[0]], place{row[0], row[4], row[2]})
	}
	if len(b.byCountry) == 0 {
		return nil, fmt.Errorf("places.csv names no districts")
	}
	return b, nil
}

// any gives a district of the country as an answer; without a country, of the
// routes that the story knows.
func (b *placeBook) any(r *rand.Rand, country string) map[string]any {
	if country == "" {
		country = pick(r, []string{"KHM", "THA", "LAO", "VNM"})
	}
	list := b.byCountry[country]
	if len(list) == 0 {
		return map[string]any{"country": country}
	}
	p := pick(r, list)
	return map[string]any{"country": p.country, "adm1": p.adm1, "adm2": p.adm2}
}
