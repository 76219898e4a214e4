// Package house holds the rules of the house itself: who may know whom
// (ARCHITECTURE.md). An import the other way is a design error.
package house

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// floors orders the rooms: a room may import rooms of lower floors, and on its
// own floor only what beside names. The lower the floor, the less it knows.
var floors = []struct {
	name  string
	rooms []string // import paths below banyan/, a trailing … takes what is below
}{
	{"plain libraries: no database, no network, no clock", []string{"internal/disclosure…", "internal/scope…", "internal/screening", "internal/attachments", "internal/fault", "internal/names…"}},
	{"content, as data", []string{"content…"}},
	{"the record: knows nothing of the business", []string{"internal/store…", "internal/vault", "internal/journal…", "internal/forms…", "internal/backup"}},
	{"people: who someone is, what they may do", []string{"internal/policy…", "internal/identity…", "internal/linkage"}},
	{"the work and the knowledge", []string{"internal/casework…", "internal/register…"}},
	{"doors", []string{"internal/exchange…", "internal/server…", "web…"}},
	{"the whole, put together", []string{"internal/app", "internal/demo…", "internal/bench…", "cmd…", "test…"}},
}

type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestEachRoomKnowsOnlyRoomsBelowIt(t *testing.T) {
	for _, p := range packages(t) {
		mine := floorOf(p.ImportPath)
		if mine < 0 {
			t.Errorf("%s stands on no floor: give it a place in this test and in ARCHITECTURE.md", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "banyan/") && floorOf(i) > mine {
				t.Errorf("%s (%s) imports %s (%s)", p.ImportPath, floors[mine].name, i, floors[floorOf(i)].name)
			}
		}
	}
}

// TestPlainLibrariesStayPlain: a statistic must be repeatable from its input.
func TestPlainLibrariesStayPlain(t *testing.T) {
	for _, p := range packages(t) {
		if floorOf(p.ImportPath) != 0 {
			continue
		}
		for _, i := range p.Imports {
			for _, no := range []string{"database/sql", "net", "net/http", "banyan/internal/store"} {
				if i == no {
					t.Errorf("%s imports %s", p.ImportPath, no)
				}
			}
		}
	}
}

// TestTheRecordKnowsNobody holds the narrower rule among the record's rooms.
func TestTheRecordKnowsNobody(t *testing.T) {
	may := map[string][]string{
		"banyan/internal/store":   nil,
		"banyan/internal/vault":   {"banyan/internal/store"},
		"banyan/internal/journal": {"banyan/internal/store", "banyan/internal/vault"},
		"banyan/internal/backup":  {"banyan/internal/store"},
	}
	for _, p := range packages(t) {
		allowed, ok := may[p.ImportPath]
		if !ok {
			continue
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "banyan/") && !contains(allowed, i) {
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
		}
	}
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "banyan/...").Output()
	if err != nil {
		t.Fatalf("listing packages: %v", err)
	}
	var all []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 5 {
		t.Fatalf("only %d packages found", len(all))
	}
	return all
}

func floorOf(path string) int {
	path = strings.TrimPrefix(path, "banyan/")
	for i, f := range floors {
		for _, r := range f.rooms {
			base, below := strings.CutSuffix(r, "…")
			if path == base || below && strings.HasPrefix(path, base+"/") {
				return i
			}
		}
	}
	return -1
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
