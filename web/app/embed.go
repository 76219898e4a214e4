// Package webapp is the staff app as it travels inside the program: the files
// that `go run ./web/app/build` made, embedded. A program built without them
// still builds and runs; the server's start page then says how to build the app.
package webapp

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS is the built app: index.html, sw.js, assets/ with hashed names, and beside
// each file its Brotli form (.br). Empty but for a marker when it was not built.
func FS() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant and valid
	}
	return sub
}

// Built says whether the program carries the app.
func Built() bool {
	_, err := fs.Stat(FS(), "index.html")
	return err == nil
}
