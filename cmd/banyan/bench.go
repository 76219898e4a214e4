// The command banyan bench: measures the program against its published targets.
// Each verb stands in a file of its own (bench_scope.go …) and prints a table:
// what was measured, wall and processor time, and the target beside it.

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// benchVerbs lists the verbs in the order in which help shows them.
var benchVerbs = []command{
	{"release", "safe releases: speed, loss, error and attacks, beside the Synthetic Data Showcase", benchRelease},
	{"linkage", "whether two cases are one child's: found, missed, and two children taken for one", runBenchLinkage},
	{"scope", "the estimates of banyan scope, beside the R packages' times", runBenchScope},
}

func benchCommand() command {
	return command{"bench", "measure the program against its targets", runBench}
}

func runBench(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(out, "Usage: banyan bench --cases N | VERB [flags]\n\n")
		fmt.Fprintf(out, "  %-10s %s\n", "--cases N", "the whole program with N invented cases, beside its targets (--cases N -h explains)")
		for _, v := range benchVerbs {
			fmt.Fprintf(out, "  %-10s %s\n", v.name, v.short)
		}
		return nil
	}
	if strings.HasPrefix(args[0], "-") {
		return runBenchCases(ctx, args, out, errOut)
	}
	for _, v := range benchVerbs {
		if v.name == args[0] {
			return v.run(ctx, args[1:], out, errOut)
		}
	}
	return misuse("there is no bench %q; banyan bench lists them", args[0])
}
