//go:build !unix

package ledger

import "os"

// lock does nothing where the system has no advisory locks: one release at a
// time is then the caller's care.
func lock(*os.File) error { return nil }
