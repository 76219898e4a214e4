package register_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"banyan/content"
	"banyan/internal/forms"
	"banyan/internal/register"

	"pgregory.net/rapid"
)

func definition(t testing.TB) *register.Definition {
	t.Helper()
	d, err := register.Load(content.FS)
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
	return register.Record{ID: fmt.Sprint(form, at), Form: form, FirstAt: day(at), LastAt: day(at), Fields: coded(fields)}
}

func consent(at int, statistics string) register.Record {
	return record("F03_consent", at, map[string]any{"scopes": map[string]any{"services": "yes", "statistics": statistics}})
}

// aCase is a child's case as practice writes it: first contact by phone,
// consent, registration, history told in steps, two services, closure.
func aCase() []register.Record {
	return []register.Record{
		record("F01_first_contact", 1, map[string]any{"sex": "unknown", "channel": "call"}),
		consent(1, "yes"),
		record("F04_registration", 2, map[string]any{"sex": "female", "age": map[string]any{"years": 15.0, "observed_on": "2024-03-01"}, "nationality": []any{"KHM", "VNM"}, "risk_level": "medium"}),
		record("F05_trafficking_history", 3, map[string]any{
			"exploitation": []any{"forced_begging"}, "controls": []any{"threats", "debt_bondage"}, "duration_months": json.Number("14"), "age_when_trafficked": 14.0,
			"events": []any{
				map[string]any{"_id": "a", "type": "recruitment", "country": "KHM", "area": map[string]any{"country": "KHM", "adm2": "KH0102"}},
				map[string]any{"_id": "b", "type": "exploitation", "country": "THA", "area": map[string]any{"country": "THA", "adm1": "TH10", "adm2": "TH1001", "place": "Planted Street 5"}},
				map[string]any{"_id": "c", "type": "exploitation", "country": "MYS", "area": map[string]any{"country": "MYS", "adm1": "MY01"}},
				map[string]any{"_id": "d", "_gone": true, "type": "exploitation", "country": "LAO"},
			},
			"status_decision": []any{map[string]any{"stage": "in_identification", "decision": "possible_victim"}, map[string]any{"stage": "recognised", "decision": "actual_victim"}},
		}),
		record("F06_risk_assessment", 4, map[string]any{"risk_level": "high"}),
		record("F06_risk_assessment", 8, map[string]any{"risk_level": "low"}),
		record("F10_service_log", 5, map[string]any{"service": "shelter", "date": "2024-03-05"}),
		record("F10_service_log", 6, map[string]any{"service": "legal_aid", "date": "2025-01-02"}),
		{ID: "struck", Form: "F10_service_log", Struck: true, FirstAt: day(7), LastAt: day(7), Fields: coded(map[string]any{"service": "police"})},
		record("F12_shelter_daily", 5, map[string]any{"voluntary": true}),
		record("act.move", 3, map[string]any{"to": "in_service"}),
		record("act.move", 9, map[string]any{"to": "closed"}),
		record("F27_closure", 9, map[string]any{"reason": "goals_met"}),
	}
}

func facts(d *register.Definition, records []register.Record) string {
	values, _ := d.FactsFrom(records, "KHM")
	return register.Pack(values)
}

func TestACaseBecomesARowOfCodes(t *testing.T) {
	d := definition(t)
	want := "age_band=15-17;age_broad=09--17;citizenship=KHM,VNM;country=KHM;country_of_exploitation=MYS,THA;district_of_exploitation=MY01,TH1001;" +
		"duration=13--24;exploitation=forced_begging;identification_channel=call;identification_stage=recognised;majority_at_exploitation=minor;" +
		"means_of_control=debt_bondage,threats;month=2024-03;outcome=goals_met;risk=low;service=legal_aid,shelter;service_date=2024;sex=female;shelter_voluntary=true;" +
		"state_decision=actual_victim;status=closed;year=2024"
	if got := facts(d, aCase()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWithoutAgreementToStatisticsACaseIsOnlyCounted(t *testing.T) {
	d := definition(t)
	refused := append(aCase(), consent(10, "no"))
	withdrawn := consent(11, "yes")
	withdrawn.Fields["withdrawn_at"] = register.Answer{Value: "2024-03-12", Tier: register.TierCoded}
	never := slices.DeleteFunc(aCase(), func(r register.Record) bool { return r.Form == "F03_consent" })
	for name, records := range map[string][]register.Record{"refused later": refused, "withdrawn": append(aCase(), withdrawn), "never asked": never} {
		values, agreed := d.FactsFrom(records, "KHM")
		if agreed || register.Pack(values) != "country=KHM;year=2024" {
			t.Errorf("%s: %v, %s", name, agreed, register.Pack(values))
		}
	}
	if _, agreed := d.FactsFrom(append(refused, consent(12, "yes")), "KHM"); !agreed {
		t.Error("agreeing again was not heard")
	}
}

func TestAPresumedChildIsAMinor(t *testing.T) {
	d := definition(t)
	for basis, want := range map[string]string{"presumed_child": "minor", "self_declared": "adult"} {
		values, _ := d.FactsFrom([]register.Record{
			consent(1, "yes"),
			record("F04_registration", 2, map[string]any{"age_basis": basis}),
			record("F05_trafficking_history", 3, map[string]any{"age_when_trafficked": 19.0}),
		}, "")
		if !slices.Contains(values, register.Value{Variable: "majority_at_exploitation", Code: want}) {
			t.Errorf("%s: %v", basis, values)
		}
	}
}

func TestTheOrderOfRecordsDoesNotMatter(t *testing.T) {
	d := definition(t)
	want := facts(d, aCase())
	rapid.Check(t, func(t *rapid.T) {
		shuffled := rapid.Permutation(aCase()).Draw(t, "order")
		if got := facts(d, shuffled); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func TestNothingStandingGivesNoFact(t *testing.T) {
	d := definition(t)
	for _, records := range [][]register.Record{nil, {{Form: "F04_registration", Struck: true}}} {
		if values, _ := d.FactsFrom(records, "KHM"); len(values) != 0 {
			t.Errorf("%v gave %v", records, values)
		}
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
		records = append(records, consent(28, "yes"))
		values, _ := d.FactsFrom(records, "")
		values = slices.DeleteFunc(values, isOfTheCase)
		if len(values) > 0 {
			t.Fatalf("reached the fact: %v", values)
		}
	})
}

// isOfTheCase tells values that no field gives: when the case was registered,
// and where it stands before anybody moved it.
func isOfTheCase(v register.Value) bool {
	return slices.Contains([]register.Value{{Variable: "year", Code: "2024"}, {Variable: "month", Code: "2024-03"}, {Variable: "status", Code: "contact"}}, v)
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
		return map[string]any{"type": "exploitation", "country": word.Draw(t, "word"), "adm2": word.Draw(t, "word"), "area": plantedValue(t, depth-1), "place": "TH1001"}
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
		"unknown key":        {"{name: a, label: A, unit: case, derive: year_recorded, frm: []}", "frm"},
		"bad name":           {"{name: A, label: A, unit: case, derive: year_recorded}", `variable "A": a name is`},
		"twice":              {"{name: a, label: A, unit: case, derive: year_recorded}, {name: a, label: A, unit: case, derive: year_recorded}", "stands twice"},
		"missing list":       {"{name: a, label: A, unit: case, list: nope}", "nope"},
		"no such take":       {"{name: a, label: A, unit: case, values: [x], take: all}", "take is"},
		"union of one":       {"{name: a, label: A, unit: case, values: [x], take: union}", "multi"},
		"no such derive":     {"{name: a, label: A, unit: case, derive: soundex}", "soundex"},
		"part of a place":    {"{name: a, label: A, unit: case, derive: part(place)}", "only adm1 and adm2"},
		"a where too clever": {"{name: a, label: A, unit: case, values: [x], from: [F.x.y], where: \"${a} != 'b'\"}", "where is"},
		"where of no row":    {"{name: a, label: A, unit: case, values: [x], from: [F.x], where: \"${a} = 'b'\"}", "repeat"},
		"free text":          {"{name: a, label: A, unit: case, from: [F.x]}", "no variables"},
		"another unit":       {"{name: a, label: A, unit: contact, values: [x]}", "no variables"},
	} {
		_, err := register.Load(oneFile("version: 1\nvariables: [" + c.yaml + "]"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}

func ExamplePack() {
	fmt.Println(register.Pack([]register.Value{{Variable: "year", Code: "2024"}, {Variable: "services", Code: "shelter"}, {Variable: "services", Code: "health"}}))
	// Output: services=health,shelter;year=2024
}

// TestTheContentsVariablesAreAllCoded holds the program's own definition
// against the program's own forms.
func TestTheContentsVariablesAreAllCoded(t *testing.T) {
	lib, faults := forms.Load(content.FS)
	if len(faults) > 0 {
		t.Fatalf("%d faults in the forms, first %s", len(faults), faults[0])
	}
	d := definition(t)
	if err := d.Check(register.TiersOf(lib)); err != nil {
		t.Error(err)
	}
	if want := []string{"person", "screening_instrument", "contact_type", "contact_channel", "contact_age_band", "contact_sex", "contact_reason", "told_again"}; !slices.Equal(d.Left, want) {
		t.Errorf("left out: %v", d.Left)
	}
}

func BenchmarkFactOfACase(b *testing.B) {
	d := definition(b)
	records := aCase()
	for b.Loop() {
		values, _ := d.FactsFrom(records, "KHM")
		_ = register.Pack(values)
	}
}
