package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestACrashWritesNoKeyToTheDisk: a core dump would hold the master key.
func TestACrashWritesNoKeyToTheDisk(t *testing.T) {
	if err := keepMemory(); err != nil {
		t.Fatal(err)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core.Cur != 0 || core.Max != 0 {
		t.Errorf("core dumps: %+v, %v", core, err)
	}
	if n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || n != 0 {
		t.Errorf("dumpable: %d, %v", n, err)
	}
}
