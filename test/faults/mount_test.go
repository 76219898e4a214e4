package faults

import "os/exec"

// mountSmall puts a small file system in memory at dir.
func mountSmall(dir, size string) ([]byte, error) {
	return exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput()
}

func remountLarger(dir, size string) ([]byte, error) {
	return exec.Command("mount", "-o", "remount,size="+size, dir).CombinedOutput()
}

func unmount(dir string) { _ = exec.Command("umount", "-l", dir).Run() }
