// Package webapp is the staff app as it travels inside the program: the files
// that `go run ./web/app/build` made, embedded, and the handler that serves
// them. A program built without them still builds and runs, and its start page
// says how to build the app.
package webapp

import (
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// Built says whether the program carries the app.
func Built() bool {
	_, err := fs.Stat(dist, "dist/index.html")
	return err == nil
}

// Handler serves the app: its files by name, and index.html for every other
// path, which the app itself reads. Files under /assets/ carry a hash in their
// names and may be kept for ever; everything else is asked for again each time.
// It sets no security headers beyond the type: the server's frame does.
func Handler() http.Handler { return handler{files: dist, root: "dist"} }

const missing = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Banyan</title>
<h1>The staff app is not in this program</h1>
<p>Everything else runs. To put it in, with Node.js installed:</p>
<pre>(cd web/app &amp;&amp; npm ci)
go run ./web/app/build
go build ./cmd/banyan</pre>`

type handler struct {
	files fs.FS
	root  string
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	body, coding, err := h.read(name, r)
	if err != nil {
		if strings.HasPrefix(name, "assets/") {
			http.NotFound(w, r)
			return
		}
		name = "index.html"
		body, coding, err = h.read(name, r)
	}
	if err != nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(missing))
		return
	}
	head := w.Header()
	head.Set("Content-Type", mediaType(name))
	head.Set("Vary", "Accept-Encoding")
	head.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if coding != "" {
		head.Set("Content-Encoding", coding)
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body)
}

// read gives the file, in its Brotli form where the caller takes that.
func (h handler) read(name string, r *http.Request) (body []byte, coding string, err error) {
	if name == "" || strings.HasSuffix(name, ".br") || strings.HasPrefix(path.Base(name), ".") {
		return nil, "", fs.ErrNotExist
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "br") {
		if body, err = fs.ReadFile(h.files, path.Join(h.root, name+".br")); err == nil {
			return body, "br", nil
		}
	}
	body, err = fs.ReadFile(h.files, path.Join(h.root, name))
	return body, "", err
}

func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".webmanifest":
		return "application/manifest+json"
	}
	return mime.TypeByExtension(path.Ext(name))
}
