//go:build !unix

package main

// cpuSeconds is not known here; benchmarks then show wall time only.
func cpuSeconds() float64 { return 0 }
