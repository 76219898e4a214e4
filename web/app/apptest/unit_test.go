package apptest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"banyan/web/app/bundle"
)

// root is the folder of the app; skips where Node.js or the packages are missing.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "preact")); err != nil {
		t.Skip("the app's packages are not installed (npm ci in web/app): the app is not tested")
	}
	return dir
}

// TestUnits runs the TypeScript tests that stand beside the code.
func TestUnits(t *testing.T) {
	dir := root(t)
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: the TypeScript tests are not run")
	}
	out := t.TempDir()
	var made []string
	err = filepath.WalkDir(filepath.Join(dir, "src"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".test.ts") {
			return err
		}
		to := filepath.Join(out, strings.TrimSuffix(filepath.Base(path), ".ts")+".mjs")
		made = append(made, to)
		return bundle.Script(dir, path, to)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(made) == 0 {
		t.Fatal("no TypeScript tests found")
	}
	cmd := exec.Command(node, append([]string{"--test"}, made...)...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}

// TestTypes holds the app to its types.
func TestTypes(t *testing.T) {
	dir := root(t)
	tsc := filepath.Join(dir, "node_modules", ".bin", "tsc")
	if _, err := os.Stat(tsc); err != nil {
		t.Skip("tsc is not installed")
	}
	cmd := exec.Command(tsc, "--noEmit")
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}

// TestFirstLoad holds the first visit to its limit.
func TestFirstLoad(t *testing.T) {
	res, err := bundle.Build(bundle.Options{Root: root(t), Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("first load: %.1f KB compressed", float64(res.FirstLoad)/1024)
	if res.FirstLoad > bundle.FirstLoadLimit {
		t.Errorf("first load is %d bytes, the limit is %d", res.FirstLoad, bundle.FirstLoadLimit)
	}
}
