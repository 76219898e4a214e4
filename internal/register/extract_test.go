package register_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"banyan/internal/register"

	"pgregory.net/rapid"
)

func definition(t testing.TB) *register.Definition {
	t.Helper()
	d, err := register.Load(os.DirFS("testdata/content"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func coded(fields map[string]any) map[string]register.Answer {
	out := map[string]register.Answer{}
	for name, value := range fields {
		out[name] = register.Answer{Value: value, Tier: register.TierCoded}
	}
	return out
}

func day(n int) time.Time { return time.Date(2024, 3, n, 9, 0, 0, 0, time.UTC) }

func record(form string, at int, fields map[string]any) register.Record {
	return register.Record{Form: form, FirstAt: day(at), LastAt: day(at), Fields: coded(fields)}
}

// aCase is a child's case as practice writes it: first contact by radio
// hotline, registration, history told in two steps, two services, closure.
func aCase() []register.Record {
	return []register.Record{
		record("F01_first_contact", 1, map[string]any{"contact_at": "2024-03-01T07:00:00+07:00", "sex": "unknown", "channel": "call"}),
		record("F04_registration", 2, map[string]any{"sex": "female", "age_years": 15.0, "nationality": []any{"KHM", "VNM"}, "risk_level": "medium"}),
		record("F05_trafficking_history", 3, map[string]any{
			"exploitation": []any{"forced_begging"}, "controls": []any{"threats", "debt_bondage"}, "duration_months": json.Number("14"), "age_when_trafficked": 14.0,
			"events": []any{
				map[string]any{"type": "recruitment", "country": "KHM", "area": map[string]any{"country": "KHM", "adm2": "KH0102"}},
				map[string]any{"type": "exploitation", "country": "THA", "area": map[string]any{"country": "THA", "adm1": "TH10", "adm2": "TH1001", "place": "Planted Street 5"}},
			},
		}),
		record("F06_risk_assessment", 4, map[string]any{"risk_level": "high"}),
		record("F06_risk_assessment", 8, map[string]any{"risk_level": "low"}),
		record("F10_service_log", 5, map[string]any{"service": "shelter"}),
		record("F10_service_log", 6, map[string]any{"service": "legal_aid"}),
		{Form: "F10_service_log", Struck: true, FirstAt: day(7), LastAt: day(7), Fields: coded(map[string]any{"service": "police"})},
		record("F27_closure", 9, map[string]any{"reason": "goals_met"}),
	}
}

func TestACaseBecomesARowOfCodes(t *testing.T) {
	d := definition(t)
	want := "age_band=15-17;age_group=9-17;citizenship=KHM,VNM;country_of_exploitation=THA;district_of_exploitation=TH1001;" +
		"duration=13-24;exploitation=forced_begging;identification_source=call;majority_at_exploitation=minor;" +
		"means_of_control=debt_bondage,threats;outcome=goals_met;risk=low;services=legal_aid,shelter;sex=female;year=2024"
	if got := register.Pack(d.FactsFrom(aCase())); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTheOrderOfRecordsDoesNotMatter(t *testing.T) {
	d := definition(t)
	want := register.Pack(d.FactsFrom(aCase()))
	rapid.Check(t, func(t *rapid.T) {
		shuffled := rapid.Permutation(aCase()).Draw(t, "order")
		if got := register.Pack(d.FactsFrom(shuffled)); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func TestARegistrationWithoutContactCountsInTheYearItWasOpened(t *testing.T) {
	d := definition(t)
	got := register.Pack(d.FactsFrom([]register.Record{record("F04_registration", 2, map[string]any{"sex": "male"})}))
	if got != "sex=male;year=2024" {
		t.Errorf("got %s", got)
	}
	if len(d.FactsFrom(nil)) != 0 || len(d.FactsFrom([]register.Record{{Form: "F04_registration", Struck: true}})) != 0 {
		t.Error("nothing standing still gave a fact")
	}
}

// TestNothingButCodesOfCodedFieldsReachesAFact plants words in every tier and
// every kind of value, at fields that feed the register and at others. Were one
// to come through, a child's name would stand in a table for statisticians.
func TestNothingButCodesOfCodedFieldsReachesAFact(t *testing.T) {
	d := definition(t)
	forms, fields := sourcesOf(d)
	tiers := []string{"story", "identity", "place", "health", "legal", "", "Coded"}
	rapid.Check(t, func(t *rapid.T) {
		var records []register.Record
		for range rapid.IntRange(1, 6).Draw(t, "records") {
			at := rapid.IntRange(1, 28).Draw(t, "day")
			r := record(rapid.SampledFrom(forms).Draw(t, "form"), at, nil)
			for range rapid.IntRange(0, 8).Draw(t, "fields") {
				name := rapid.SampledFrom(fields).Draw(t, "field")
				if rapid.Bool().Draw(t, "coded") {
					r.Fields[name] = register.Answer{Value: plantedValue(t, 2), Tier: register.TierCoded}
					continue
				}
				// A true code, but in a tier that is not coded.
				code := rapid.SampledFrom([]any{"female", "THA", "high", "police", []any{"KHM"}, 7.0, "2020-01-01"}).Draw(t, "code")
				r.Fields[name] = register.Answer{Value: code, Tier: rapid.SampledFrom(tiers).Draw(t, "tier")}
			}
			records = append(records, r)
		}
		values := slices.DeleteFunc(d.FactsFrom(records), func(v register.Value) bool { return v == register.Value{Variable: "year", Code: "2024"} })
		if len(values) > 0 {
			t.Fatalf("reached the fact: %v", values)
		}
	})
}

// plantedValue draws a value of any shape whose words are names, places and
// phone numbers.
func plantedValue(t *rapid.T, depth int) any {
	word := rapid.SampledFrom([]string{"Sokha Chan", "Planted", "PLANTED", "+85512345678", "12 Planted Road", "female planted", "KHM;sex=male", "female,male", "KH", "khm", "ANNA", "\n", "20240", "<script>"})
	kind := rapid.IntRange(0, 3+depth).Draw(t, "kind")
	switch kind {
	case 0, 1, 2, 3:
		return word.Draw(t, "word")
	case 4:
		return []any{word.Draw(t, "word"), plantedValue(t, depth-1)}
	default:
		return map[string]any{"type": "exploitation", "country": word.Draw(t, "word"), "adm2": word.Draw(t, "word"), "area": plantedValue(t, depth-1), "place": "TH1001", "dob": "2010-01-01"}
	}
}

func sourcesOf(d *register.Definition) (forms, fields []string) {
	for _, v := range d.Variables {
		for _, s := range v.From {
			if len(s.Path) > 0 {
				forms, fields = append(forms, s.Form), append(fields, s.Path[0])
			}
		}
	}
	return forms, append(fields, "first_name", "dob", "phones")
}

func TestAVariableFedByAnotherTierIsRefused(t *testing.T) {
	d := definition(t)
	ok := func(form, path string) (string, bool) { return register.TierCoded, true }
	if err := d.Check(ok); err != nil {
		t.Errorf("all coded: %v", err)
	}
	for _, tier := range []string{"story", "identity", "place", "health", "legal"} {
		err := d.Check(func(form, path string) (string, bool) {
			if form == "F04_registration" && path == "nationality" {
				return tier, true
			}
			return register.TierCoded, true
		})
		if err == nil || !strings.Contains(err.Error(), "variable citizenship: field nationality of F04_registration is of the tier "+tier) {
			t.Errorf("tier %s: got %v", tier, err)
		}
	}
	err := d.Check(func(form, path string) (string, bool) { return register.TierCoded, path != "events.type" })
	if err == nil || !strings.Contains(err.Error(), "form F05_trafficking_history has no field events.type") {
		t.Errorf("a missing field: got %v", err)
	}
}

func TestAPseudonymJoinsOnePersonsFactsOnlyWithTheKey(t *testing.T) {
	key, other := []byte(strings.Repeat("k", 32)), []byte(strings.Repeat("o", 32))
	a, err := register.Pseudonym(key, "person-1")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := register.Pseudonym(key, "person-1")
	b, _ := register.Pseudonym(key, "person-2")
	c, _ := register.Pseudonym(other, "person-1")
	if a != again || a == b || a == c || len(a) != 32 {
		t.Errorf("got %s, %s, %s, %s", a, again, b, c)
	}
	if _, err := register.Pseudonym(key[:31], "person-1"); err == nil {
		t.Error("a short key was taken")
	}
}

func TestPackingIsUndoneByUnpacking(t *testing.T) {
	d := definition(t)
	rapid.Check(t, func(t *rapid.T) {
		var values []register.Value
		for i := range d.Variables {
			v := &d.Variables[i]
			for _, c := range rapid.SliceOfNDistinct(rapid.SampledFrom(append(v.Codes, register.Code{Code: "2020"})), 0, 2, func(c register.Code) string { return c.Code }).Draw(t, v.ID) {
				values = append(values, register.Value{Variable: v.ID, Code: c.Code})
			}
		}
		line := register.Pack(values)
		back, err := register.Unpack(line)
		if err != nil || register.Pack(back) != line || len(back) != len(values) {
			t.Fatalf("%q came back as %v (%v)", line, back, err)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add("sex=female;year=2024")
	f.Add("a=b,;=;")
	f.Fuzz(func(t *testing.T, line string) {
		values, err := register.Unpack(line)
		if err == nil && line != "" && len(values) == 0 {
			t.Errorf("%q gave nothing and no error", line)
		}
	})
}

func TestAFaultyDefinitionIsRefusedWithTheVariable(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"unknown key":       {"register: 1\nvariables: [{id: a, label: A, kind: year, frm: []}]", "frm"},
		"no list":           {"register: 1\nvariables: [{id: a, label: A}]", `variable "a": needs a list`},
		"bad id":            {"register: 1\nvariables: [{id: A, label: A, kind: year}]", `variable "A": an id is`},
		"twice":             {"register: 1\nvariables: [{id: a, label: A, kind: year}, {id: a, label: A, kind: year}]", "stands twice"},
		"missing list":      {"register: 1\nvariables: [{id: a, label: A, list: nope}]", "nope"},
		"source of no form": {"register: 1\nvariables: [{id: a, label: A, kind: year, from: [x]}]", "FORM.field"},
		"part of a place":   {"register: 1\nvariables: [{id: a, label: A, kind: pcode, from: [{field: F.x, part: place}]}]", "only country, adm1 or adm2"},
		"no variables":      {"register: 1", "no variables"},
	} {
		_, err := register.Load(oneFile(c.yaml))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}

func ExamplePack() {
	fmt.Println(register.Pack([]register.Value{{Variable: "year", Code: "2024"}, {Variable: "services", Code: "shelter"}, {Variable: "services", Code: "health"}}))
	// Output: services=health,shelter;year=2024
}
