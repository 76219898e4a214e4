package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"banyan/content"
)

func formsCheck(args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = dispatch(context.Background(), append([]string{"forms", "check"}, args...), &o, &e)
	return code, o.String(), e.String()
}

// contentCopy puts the content into a folder in which a test may break it.
func contentCopy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, content.FS); err != nil {
		t.Fatal(err)
	}
	return dir
}

func change(t *testing.T, file, old, replacement string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s has no %q", filepath.Base(file), old)
	}
	if err := os.WriteFile(file, bytes.Replace(data, []byte(old), []byte(replacement), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFormsCheckFindsOurContentSound(t *testing.T) {
	code, out, errOut := formsCheck()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	last := regexp.MustCompile(`^28 forms, 79 code lists \(\+\d+ helper lists\), 0 faults$`)
	if code != exitDone || !last.MatchString(lines[len(lines)-1]) {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
}

func TestFormsCheckNamesEachFaultAndWritesNothing(t *testing.T) {
	dir := contentCopy(t)
	change(t, filepath.Join(dir, "forms", "F04_registration.yaml"), "choices: sex\n", "choices: sexx\n")
	change(t, filepath.Join(dir, "forms", "F06_risk_assessment.yaml"), "version: 1", "version: 0")
	change(t, filepath.Join(dir, "forms", "F01_first_contact.yaml"), "fact: ", "fact: un")
	code, out, errOut := formsCheck("--dir", dir)
	if code != exitMisused || !strings.Contains(errOut, "faults in the content") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	for _, want := range []string{
		`(?m)^forms/F01_first_contact\.yaml:\d+: F01_first_contact\.\w+: unknown fact "un`,
		`(?m)^forms/F04_registration\.yaml:\d+: F04_registration\.sex: there is no code list "sexx"$`,
		`(?m)^forms/F06_risk_assessment\.yaml:\d+: F06_risk_assessment: must be a whole number`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no line %s in\n%s", want, out)
		}
	}
}

func TestFormsCheckReadsTheScreeningInstruments(t *testing.T) {
	file := filepath.Join("instruments", "ilo_ec_delphi_2009.yaml")
	for about, c := range map[string]struct{ file, old, new, want string }{
		"a weight mistyped":             {file, "{code: D1.job, adult: S", "{code: D1.job, adult: 5", `(?m)^instruments/ilo_ec_delphi_2009\.yaml:\d+: dimensions\[0\]\.indicators\[0\]\.adult: weight "5"`},
		"an indicator without words":    {file, "code: D1.job,", "code: D1.jobb,", `(?m)^instruments/ilo_ec_delphi_2009\.yaml: dimensions\.D1\.jobb: is not in the code list`},
		"a rule that lowers":            {file, "class: forced_labour_indicated\n    text", "class: subthreshold_signs\n    text", `(?m)^instruments/ilo_ec_delphi_2009\.yaml:\d+: rules: .*lighter class`},
		"words for what does not exist": {filepath.Join("labels", "vi.yaml"), "      labour_rights_case:", "      labour_case:", `(?m)^labels/vi\.yaml: instruments\.ilo-ec-delphi-2009\.classes\.labour_case`},
	} {
		dir := contentCopy(t)
		change(t, filepath.Join(dir, c.file), c.old, c.new)
		code, out, _ := formsCheck("--dir", dir)
		if code != exitMisused || !regexp.MustCompile(c.want).MatchString(out) {
			t.Errorf("%s: exit %d\n%s", about, code, out)
		}
	}
	if _, out, _ := formsCheck(); !strings.Contains(out, "screening instrument ilo-ec-delphi-2009: 67 indicators, 17 rules, in force, unverified") {
		t.Errorf("the instrument is not named:\n%s", out)
	}
}

func TestFormsCheckReadsTheRulesBesideTheForms(t *testing.T) {
	for file, broken := range map[string]string{"policy.yaml": "roles: 7", "register.yaml": "variables: 7", "casework.yaml": "states: 7"} {
		t.Run(file, func(t *testing.T) {
			dir := contentCopy(t)
			if err := os.WriteFile(filepath.Join(dir, file), []byte(broken), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, out, _ := formsCheck("--dir", dir); code != exitMisused || !strings.Contains(out, file) {
				t.Errorf("exit %d\n%s", code, out)
			}
		})
	}
}

func TestFormsCheckRefusesWhatItCannotRead(t *testing.T) {
	if code, _, errOut := formsCheck("--dir", filepath.Join(t.TempDir(), "nowhere")); code != exitMisused || !strings.Contains(errOut, "no folder") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if code, _, _ := formsCheck("more"); code != exitMisused {
		t.Errorf("exit %d for an operand too many", code)
	}
	if _, err := fs.Stat(content.FS, "forms"); err != nil {
		t.Fatal(err)
	}
}
