// Command build makes the staff app: web/app/dist from web/app/src. It prints
// each file with its size as it travels, and fails when a first visit would
// cost more than the limit.
//
//	cd web/app && npm ci && cd ../.. && go run ./web/app/build
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"banyan/web/app/bundle"
)

func main() {
	root := flag.String("root", "web/app", "folder of the app")
	readable := flag.Bool("readable", false, "keep names and add source maps, for work on the app itself")
	flag.Parse()
	if err := run(*root, *readable); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(root string, readable bool) error {
	start := time.Now()
	abs, err := filepath.Abs(root)
	if err != nil {
		return fmt.Errorf("find the app's folder: %w", err)
	}
	res, err := bundle.Build(bundle.Options{Root: abs, Out: filepath.Join(abs, "dist"), Readable: readable})
	if err != nil {
		return err
	}
	for _, f := range res.Files {
		mark := " "
		if f.First {
			mark = "*"
		}
		fmt.Printf("%s %-42s %8d %8d\n", mark, f.Name, f.Bytes, f.Compressed)
	}
	fmt.Printf("first load (*): %.1f KB compressed of %d allowed, built in %d ms\n",
		float64(res.FirstLoad)/1024, bundle.FirstLoadLimit/1024, time.Since(start).Milliseconds())
	if res.FirstLoad > bundle.FirstLoadLimit && !readable {
		return fmt.Errorf("the first load is over its limit")
	}
	return nil
}
