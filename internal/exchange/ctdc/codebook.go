package ctdc

// The codebook: what each of the 37 columns may hold and what it is in the
// register. Where our code lists have no equal code the file's meaning is kept
// under a code of its own (Extra): "family" is not "other family than parents".

import (
	"regexp"
	"strings"

	"banyan/internal/register"
)

// column is one column of the file. Exactly one of codes, years, country and
// yes says what its cells are.
type column struct {
	name    string
	codes   map[string][]register.Value
	years   string         // variable
	country string         // variable
	yes     register.Value // what a 1 means
}

// Extra is the codes of this source that the register's lists lack.
var Extra = []register.ExtraCode{
	{Variable: "sector", Code: "ctdc.other", Label: "Other work (CTDC)"},
	{Variable: "sexual_exploitation", Code: "ctdc.other", Label: "Other sexual exploitation (CTDC)"},
	{Variable: "recruiter_relation", Code: "ctdc.family", Label: "Family (CTDC)"},
	{Variable: "recruiter_relation", Code: "ctdc.other", Label: "Other person (CTDC)"},
}

var columns = []column{
	{name: "yearOfRegistration", years: "year"},
	{name: "gender", codes: map[string][]register.Value{
		"Female":                    {{Variable: "sex", Code: "female"}, {Variable: "gender", Code: "feminine"}},
		"Male":                      {{Variable: "sex", Code: "male"}, {Variable: "gender", Code: "masculine"}},
		"Transgender/NonConforming": {{Variable: "gender", Code: "non_conforming"}}, // says nothing of the sex
	}},
	{name: "ageBroad", codes: one("age_broad", map[string]string{
		"0--8": "0--8", "09--17": "09--17", "18--20": "18--20", "21--23": "21--23", "24--26": "24--26",
		"27--29": "27--29", "30--38": "30--38", "39--47": "39--47", "48+": "48+",
	})},
	{name: "majorityStatusAtExploit", codes: one("majority_at_exploitation", map[string]string{"Minor": "minor", "Adult": "adult"})},
	{name: "traffickMonths", codes: one("duration", map[string]string{
		"0--12 (0-1 yr)": "0--12", "13--24 (1-2 yrs)": "13--24", "25--60 (2-5 yrs)": "25--60", "61+ (5+ yrs)": "61+",
	})},
	{name: "citizenship", country: "citizenship"},
	{name: "CountryOfExploitation", country: "country_of_exploitation"},
	yes("meansOfControlDebtBondage", "means_of_control", "debt_bondage"),
	yes("meansOfControlTakesEarnings", "means_of_control", "takes_earnings"),
	yes("meansOfControlThreats", "means_of_control", "threats"),
	yes("meansOfControlPsychologicalAbuse", "means_of_control", "psychological_abuse"),
	yes("meansOfControlPhysicalAbuse", "means_of_control", "physical_abuse"),
	yes("meansOfControlSexualAbuse", "means_of_control", "sexual_abuse"),
	yes("meansOfControlFalsePromises", "means_of_control", "false_promises"),
	yes("meansOfControlPsychoactiveSubstances", "means_of_control", "psychoactive_substances"),
	yes("meansOfControlRestrictsMovement", "means_of_control", "restricts_movement"),
	yes("meansOfControlRestrictsMedicalCare", "means_of_control", "restricts_medical_care"),
	yes("meansOfControlExcessiveWorkingHours", "means_of_control", "excessive_working_hours"),
	yes("meansOfControlThreatOfLawEnforce", "means_of_control", "threat_of_law_enforcement"),
	yes("meansOfControlWithholdsNecessities", "means_of_control", "withholds_necessities"),
	yes("meansOfControlWithholdsDocuments", "means_of_control", "withholds_documents"),
	yes("meansOfControlOther", "means_of_control", "other"),
	yes("isForcedLabour", "exploitation", "forced_labour"),
	yes("isSexualExploit", "exploitation", "sexual_exploitation"),
	yes("isOtherExploit", "exploitation", "other"),
	yes("typeOfLabourAgriculture", "sector", "A"),
	yes("typeOfLabourConstruction", "sector", "F"),
	yes("typeOfLabourDomesticWork", "sector", "T"),
	yes("typeOfLabourHospitality", "sector", "I"),
	yes("typeOfLabourOther", "sector", "ctdc.other"),
	yes("typeOfSexProstitution", "sexual_exploitation", "prostitution"),
	yes("typeOfSexPornography", "sexual_exploitation", "pornography"),
	yes("typeOfSexOther", "sexual_exploitation", "ctdc.other"),
	yes("recruiterRelationIntimatePartner", "recruiter_relation", "intimate_partner"),
	yes("recruiterRelationFriend", "recruiter_relation", "friend"),
	yes("recruiterRelationFamily", "recruiter_relation", "ctdc.family"),
	yes("recruiterRelationOther", "recruiter_relation", "ctdc.other"),
}

var (
	yearShape    = regexp.MustCompile(`^(19|20)[0-9]{2}$`)
	countryShape = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Header is the file's first line as the release has it.
func Header() string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return strings.Join(names, ",")
}

// translate gives the values of a cell that is not empty, or says what is
// wrong with it without repeating it.
func (c column) translate(cell string) (values []register.Value, problem string) {
	switch {
	case c.codes != nil:
		values, ok := c.codes[cell]
		if !ok {
			return nil, "holds no code of the codebook"
		}
		return values, ""
	case c.years != "":
		if !yearShape.MatchString(cell) {
			return nil, "is not a year"
		}
		return []register.Value{{Variable: c.years, Code: cell}}, ""
	case c.country != "":
		if !countryShape.MatchString(cell) {
			return nil, "is not a country code of three letters"
		}
		return []register.Value{{Variable: c.country, Code: cell}}, ""
	}
	if cell != "1" {
		return nil, "is neither 1 nor empty"
	}
	return []register.Value{c.yes}, ""
}

func yes(name, variable, code string) column {
	return column{name: name, yes: register.Value{Variable: variable, Code: code}}
}

func one(variable string, codes map[string]string) map[string][]register.Value {
	out := map[string][]register.Value{}
	for theirs, ours := range codes {
		out[theirs] = []register.Value{{Variable: variable, Code: ours}}
	}
	return out
}

func isExtra(value register.Value) bool {
	for _, e := range Extra {
		if e.Variable == value.Variable && e.Code == value.Code {
			return true
		}
	}
	return false
}
