package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"banyan/internal/policy"
)

func table(t testing.TB) *policy.Table {
	t.Helper()
	table, faults := policy.Load(os.DirFS("../../content"))
	for _, f := range faults {
		t.Error(f)
	}
	if table == nil {
		t.Fatal("the table did not load")
	}
	return table
}

func as(roles ...string) policy.Subject { return policy.Subject{User: "u", Org: "o", Roles: roles} }

func TestTheTableGivesEachRoleWhatItsWorkNeeds(t *testing.T) {
	table := table(t)
	all := policy.AllTiers
	rows := []struct {
		role     policy.Role
		kind     string
		relation policy.Relation
		action   policy.Action
		form     string
		want     []policy.Tier
	}{
		{policy.CaseWorker, "case", policy.Assigned, policy.Read, "", all},
		{policy.CaseWorker, "case", policy.Team, policy.Read, "", []policy.Tier{policy.Coded}},
		{policy.CaseWorker, "case", policy.Organisation, policy.Read, "", nil},
		{policy.CaseWorker, "case", policy.BreakGlass, policy.Read, "", all},
		{policy.CaseWorker, "case", policy.None, policy.Read, "", nil},
		{policy.CaseWorker, "contact", policy.Team, policy.Read, "", nil},
		{policy.Supervisor, "case", policy.Supervised, policy.Read, "", all},
		{policy.Supervisor, "case", policy.Organisation, policy.Read, "", []policy.Tier{policy.Coded}},
		{policy.Lawyer, "case", policy.Assigned, policy.Read, "", []policy.Tier{policy.Coded, policy.Identity, policy.Legal}},
		{policy.Lawyer, "case", policy.Team, policy.Read, "", nil},
		{policy.Lawyer, "case", policy.Assigned, policy.WriteTo, "F18_legal_case", []policy.Tier{policy.Coded, policy.Story, policy.Identity, policy.Place, policy.Legal}},
		{policy.Lawyer, "case", policy.Assigned, policy.WriteTo, "F08_case_plan", nil},
		{policy.Screener, "case", policy.Assigned, policy.WriteTo, "F02_screening", all},
		{policy.Screener, "case", policy.Assigned, policy.WriteTo, "F06_risk_assessment", nil},
		{policy.Screener, "case", policy.Team, policy.Read, "", nil},
		{policy.Counsellor, "contact", policy.Team, policy.Read, "", all},
		{policy.Counsellor, "case", policy.Assigned, policy.Read, "", nil},
		{policy.ProgrammeManager, "case", policy.Assigned, policy.Read, "", nil},
		{policy.Statistician, "case", policy.Organisation, policy.Read, "", nil},
		{policy.Administrator, "case", policy.Supervised, policy.Read, "", nil},
		{policy.Auditor, "case", policy.Organisation, policy.Read, "", nil},
	}
	for _, r := range rows {
		got := table.TiersOfForm(as(r.role), r.action, r.kind, r.form, false, r.relation)
		if !slices.Equal(got, r.want) {
			t.Errorf("%s, %s, %s, %s %s: got %v, want %v", r.role, r.kind, r.relation, r.action, r.form, got, r.want)
		}
	}
	if !table.Decide(as(policy.Auditor), policy.ReadAccessLog, policy.Resource{Kind: "case", Relation: policy.Organisation}).Allowed {
		t.Error("an auditor cannot see who looked")
	}
	if table.Decide(as(policy.CaseWorker), policy.Approve, policy.Resource{Kind: "case", Relation: policy.Assigned}).Allowed {
		t.Error("a case worker approves the own case")
	}
	own := policy.Resource{Kind: "case", Relation: policy.Supervised, Own: true}
	if table.Decide(as(policy.Supervisor), policy.Approve, own).Allowed {
		t.Error("a supervisor approves what she wrote herself")
	}
}

var (
	drawRole     = rapid.SampledFrom(policy.AllRoles)
	drawRelation = rapid.SampledFrom(policy.AllRelations)
	drawAction   = rapid.SampledFrom(policy.AllActions)
	drawTier     = rapid.SampledFrom(append([]policy.Tier{""}, policy.AllTiers...))
	drawKind     = rapid.SampledFrom([]string{"case", "contact", "report", "consultation", "supervision", "activity", "commitment", "grant", "register", "office", "unknown"})
	drawForm     = rapid.SampledFrom([]string{"", "F01_first_contact", "F04_registration", "F18_legal_case", "F99_unknown"})
)

func TestAnExclusionAllowsNothing(t *testing.T) {
	table := table(t)
	rapid.Check(t, func(t *rapid.T) {
		s := as(rapid.SliceOf(drawRole).Draw(t, "roles")...)
		a, kind := drawAction.Draw(t, "action"), drawKind.Draw(t, "kind")
		r := policy.Resource{Kind: kind, Form: drawForm.Draw(t, "form"), Tier: drawTier.Draw(t, "tier"), Relation: drawRelation.Draw(t, "relation"), Excluded: true}
		if d := table.Decide(s, a, r); d.Allowed {
			t.Fatalf("excluded, yet allowed by %s", d.Rule)
		}
		if tiers := table.Tiers(s, a, kind, r.Relation, true); len(tiers) > 0 {
			t.Fatalf("excluded, yet opens %v", tiers)
		}
	})
}

func TestMoreRolesOrRelationsNeverTakeARightAway(t *testing.T) {
	table := table(t)
	rapid.Check(t, func(t *rapid.T) {
		roles := rapid.SliceOf(drawRole).Draw(t, "roles")
		relations := rapid.SliceOf(drawRelation).Draw(t, "relations")
		a := drawAction.Draw(t, "action")
		r := policy.Resource{Kind: drawKind.Draw(t, "kind"), Form: drawForm.Draw(t, "form"), Tier: drawTier.Draw(t, "tier")}
		before := table.DecideAny(as(roles...), a, r, relations...).Allowed
		after := table.DecideAny(as(append(roles, drawRole.Draw(t, "more"))...), a, r, append(relations, drawRelation.Draw(t, "relation"))...).Allowed
		if before && !after {
			t.Fatal("a right was lost by gaining a role and a relation")
		}
		if before && !table.Might(as(roles...), a, r.Kind) {
			t.Fatal("allowed, though the door says it could never be")
		}
	})
}

// All cells, not samples: the table is small enough.
func TestARoleAloneOpensNothingOfAPerson(t *testing.T) {
	table := table(t)
	cells := 0
	for _, kind := range []string{"case", "contact", "report", "consultation", "supervision"} {
		for _, role := range policy.AllRoles {
			for _, a := range policy.AllActions {
				cells++
				if tiers := table.Tiers(as(role), a, kind, policy.None, false); len(tiers) > 0 {
					t.Errorf("%s with no relation to a %s: %s opens %v", role, kind, a, tiers)
				}
				if d := table.Decide(as(role), a, policy.Resource{Kind: kind, Relation: policy.None}); d.Allowed && a != policy.Open {
					t.Errorf("%s with no relation to a %s may %s", role, kind, a)
				}
			}
		}
	}
	if want := 5 * len(policy.AllRoles) * len(policy.AllActions); cells != want {
		t.Errorf("tried %d cells, want %d", cells, want)
	}
}

func TestRolesWithoutPersonsNeverOpenATierInAnyRelation(t *testing.T) {
	table := table(t)
	for _, role := range []policy.Role{policy.ProgrammeManager, policy.Statistician, policy.Administrator, policy.Auditor} {
		for _, kind := range []string{"case", "contact", "report", "consultation", "supervision"} {
			for _, rel := range policy.AllRelations {
				for _, a := range policy.AllActions {
					if tiers := table.Tiers(as(role), a, kind, rel, false); len(tiers) > 0 {
						t.Errorf("%s opens %v of a %s by %s as %s", role, tiers, kind, a, rel)
					}
				}
			}
		}
	}
}

func TestNobodyWithoutARoleMayAnything(t *testing.T) {
	table := table(t)
	for _, s := range []policy.Subject{as(), as("janitor"), as("")} {
		if may := table.May(s); len(may) > 0 {
			t.Errorf("roles %q may %v", s.Roles, may)
		}
	}
}

func TestAFaultNamesItsLineAndGivesNoTable(t *testing.T) {
	raw, err := os.ReadFile("../../content/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct{ name, from, to, want string }{
		{"unknown role in a rule", "roles: [lawyer]", "roles: [lawyr]", `there is no "lawyr"`},
		{"unknown tier", "tiers: [coded, identity, legal]", "tiers: [coded, names]", `there is no "names"`},
		{"unknown key", "    kind: contact", "    knid: contact", `no key "knid"`},
		{"longer emergencies", "minutes: 60", "minutes: 61", "between 1 and 60 minutes"},
		{"one person told", "notify: [supervisor, auditor]", "notify: [supervisor]", "at least 2 people"},
		{"no reason asked", "reason_at_least: 20", "reason_at_least: 0", "at least 10 characters"},
		{"a statistician who reads", "roles: [lawyer]\n    kind: case\n    when: [assigned, referred]\n    may: [read, find]", "roles: [lawyer, statistician]\n    kind: case\n    when: [assigned, referred]\n    may: [read, find]", "statistician, who sees none"},
		{"reading with no relation", "when: [assigned]\n    may: [read, find, write, move, strike, settle, export, unmask]", "when: [none]\n    may: [read]", "one may only open a new one"},
		{"a silent rule", "    en: A case worker reads and writes all of a case that is assigned to them.\n", "", "says nothing in en"},
		{"a rule twice", "- rule: worker_team_case", "- rule: worker_own_case", "stands twice"},
		{"a role forgotten", "  auditor: {en: Auditor, vi: Kiểm toán viên, person_level: false}\n", "", "roles has no auditor"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			changed := strings.Replace(string(raw), r.from, r.to, 1)
			if changed == string(raw) {
				t.Fatal("the row changes nothing: the table's text has moved on")
			}
			table, faults := policy.Parse([]byte(changed))
			if table != nil {
				t.Error("a table with a fault was given out")
			}
			if len(faults) == 0 || !slices.ContainsFunc(faults, func(f policy.Fault) bool { return strings.Contains(f.Text, r.want) && f.Line > 0 }) {
				t.Errorf("got %v, want a fault with its line that says %q", faults, r.want)
			}
		})
	}
}

func TestTheTableNamesOnlyFormsThatExist(t *testing.T) {
	for _, rule := range table(t).Rules() {
		for _, form := range rule.Forms {
			if _, err := os.Stat("../../content/forms/" + form + ".yaml"); err != nil {
				t.Errorf("line %d: rule %s names the form %s, which is not in the content", rule.Line, rule.ID, form)
			}
		}
	}
}

func TestTheTableKnowsEveryKindOfRecordThatAFormWrites(t *testing.T) {
	files, err := filepath.Glob("../../content/forms/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no forms found (%v)", err)
	}
	known := table(t)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			value, ok := strings.CutPrefix(line, "stream: ")
			kind, _, _ := strings.Cut(value, "#")
			if kind = strings.TrimSpace(kind); ok && !known.HasKind(kind) {
				t.Errorf("%s writes to the kind %q, which the policy does not know", filepath.Base(file), kind)
			}
		}
	}
}

func TestTheExplanationSaysWhatIsEnforced(t *testing.T) {
	table := table(t)
	for _, lang := range []string{"en", "vi"} {
		x := table.Explain(lang)
		if len(x.Roles) != 9 || len(x.Grid) == 0 || len(x.Always) == 0 {
			t.Fatalf("%s: %d roles, %d cells", lang, len(x.Roles), len(x.Grid))
		}
		for _, cell := range x.Grid {
			for _, tier := range cell.Read {
				r := policy.Resource{Kind: cell.Kind, Tier: tier, Relation: policy.Relation(cell.Relation)}
				if !table.Decide(as(cell.Role), policy.Read, r).Allowed {
					t.Errorf("the page says that %s reads %s of a %s as %s; the table denies it", cell.Role, tier, cell.Kind, cell.Relation)
				}
			}
		}
	}
	why := table.Why(as(policy.CaseWorker), "case", true, "en", policy.Assigned)
	for _, w := range why {
		if w.Allowed || !strings.Contains(w.Words, "exclusion") {
			t.Errorf("%s of an excluded worker: %+v", w.Action, w)
		}
	}
}

func FuzzTheLoaderNeverPanics(f *testing.F) {
	f.Add([]byte("version: 1\nrules: []\n"))
	f.Add([]byte("rules:\n  - {rule: a, roles: [x]}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		table, faults := policy.Parse(raw)
		if (table == nil) == (len(faults) == 0) {
			t.Fatal("either a table or faults, never both, never neither")
		}
	})
}
