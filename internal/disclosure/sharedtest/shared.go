// Package sharedtest finds the real data files that tests and benchmarks use.
// They are kept outside the repository because their terms do not allow shipping
// them; where they are absent, the test that wants them skips and says so.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Names of the files, under the shared folder.
const (
	CTDC  = "data/ctdc/ctdc_global_synthetic_2021.csv.xz"
	UNODC = "data/unodc/glotip_2023.csv.xz"
)

// Find gives the path of a shared file, or false: BANYAN_SHARED, or the folder
// "shared" beside the repository.
func Find(name string) (string, bool) {
	root := os.Getenv("BANYAN_SHARED")
	if root == "" {
		dir, err := os.Getwd()
		for err == nil && dir != filepath.Dir(dir) {
			if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
				break
			}
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared")
	}
	p := filepath.Join(root, filepath.FromSlash(name))
	_, err := os.Stat(p)
	return p, err == nil
}

// Need is Find for tests: it skips when the file is absent.
func Need(t testing.TB, name string) string {
	t.Helper()
	p, ok := Find(name)
	if !ok {
		t.Skipf("the shared file %s is absent (set BANYAN_SHARED)", name)
	}
	return p
}
