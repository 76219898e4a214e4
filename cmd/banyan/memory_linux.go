// What stands in memory stays there: keys and names are not written to the disk
// when the program crashes, and no other program of the same user reads them.

package main

import "golang.org/x/sys/unix"

// keepMemory forbids core dumps, and attaching to the process by anybody but
// root. Swap is for whoever runs the machine to forbid or to encrypt.
func keepMemory() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
