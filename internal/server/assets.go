package server

// The staff app's files. Names with a content hash are kept by browsers for
// good; everything else is asked for anew each time, and answered with "not
// changed" by its tag. Text is compressed once, at the start. Any address
// without a file behind it is a page of the app and gets its index.

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
)

const indexFile = "index.html"

// hashed finds names such as assets/app-5KX2QWJB.js.
var hashed = regexp.MustCompile(`[-.][A-Za-z0-9_]{8,}\.[a-z0-9]+$`)

type asset struct {
	body, zipped, brotli []byte // brotli is there where the build left a .br beside
	media, tag           string
	forGood              bool
}

type assets struct{ files map[string]asset }

const missingApp = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Banyan</title>
<h1>The staff app is not in this program</h1>
<p>The program was built without it. Run <code>./scripts/demo</code> in the repository, which builds the app and then the program, and open this page again. The API answers meanwhile.</p>
`

// Assets serves the files of a built app.
func Assets(fsys fs.FS) (http.Handler, error) {
	a := &assets{files: map[string]asset{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		a.files[name], err = newAsset(name, body)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the staff app: %w", err)
	}
	for name, file := range a.files {
		if of, ok := strings.CutSuffix(name, ".br"); ok {
			delete(a.files, name)
			if whole, ok := a.files[of]; ok {
				whole.brotli = file.body
				a.files[of] = whole
			}
		}
	}
	return a, nil
}

func newAsset(name string, body []byte) (asset, error) {
	sum := sha256.Sum256(body)
	out := asset{body: body, tag: `"` + hex.EncodeToString(sum[:12]) + `"`, forGood: strings.HasPrefix(name, "assets/") && hashed.MatchString(name)}
	out.media = mediaOf(name)
	if len(body) < 1024 || !compresses(out.media) {
		return out, nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return out, err
	}
	if _, err := z.Write(body); err != nil {
		return out, err
	}
	if err := z.Close(); err != nil {
		return out, err
	}
	out.zipped = b.Bytes()
	return out, nil
}

// mediaOf does not depend on the machine's own tables for what the app uses.
func mediaOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".woff2":
		return "font/woff2"
	}
	if m := mime.TypeByExtension(path.Ext(name)); m != "" {
		return m
	}
	return "application/octet-stream"
}

func compresses(media string) bool {
	return strings.HasPrefix(media, "text/") || strings.Contains(media, "json") || strings.Contains(media, "svg")
}

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	file, ok := a.files[name]
	switch {
	case ok:
	case strings.HasPrefix(name, "assets/"):
		http.Error(w, "there is no such file", http.StatusNotFound)
		return
	default:
		if file, ok = a.files[indexFile]; !ok {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(missingApp))
			return
		}
	}
	file.serve(w, r)
}

func (f asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.media)
	h.Set("ETag", f.tag)
	h.Set("Cache-Control", "no-cache")
	if f.forGood {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.body
	if f.zipped != nil || f.brotli != nil {
		h.Add("Vary", "Accept-Encoding")
		takes := r.Header.Get("Accept-Encoding")
		switch {
		case f.brotli != nil && strings.Contains(takes, "br"):
			h.Set("Content-Encoding", "br")
			h.Set("ETag", strings.TrimSuffix(f.tag, `"`)+`-br"`)
			body = f.brotli
		case f.zipped != nil && strings.Contains(takes, "gzip"):
			h.Set("Content-Encoding", "gzip")
			h.Set("ETag", strings.TrimSuffix(f.tag, `"`)+`-gz"`)
			body = f.zipped
		}
	}
	if strings.Contains(r.Header.Get("If-None-Match"), strings.Trim(h.Get("ETag"), `"`)) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(body)
}
