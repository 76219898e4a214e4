// Package bundle makes the staff app's files from its TypeScript and CSS with
// esbuild's Go API: scripts and styles with content hashes in their names, an
// index.html that names them, the service worker with the list of what it
// keeps, and a Brotli copy of each file, so that the server never compresses
// anything itself. It promises the same bytes from the same sources.
package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/evanw/esbuild/pkg/api"
)

// FirstLoadLimit is what a first visit may cost, in compressed bytes
// (experience.md): the page, its style, its scripts and the English texts.
const FirstLoadLimit = 150 * 1024

// File is one file of the built app.
type File struct {
	Name       string // path below dist, with slashes
	Bytes      int    // as the browser sees it
	Compressed int    // as it travels (Brotli)
	First      bool   // part of the first load
}

// Result is what Build made.
type Result struct {
	Files     []File
	FirstLoad int // sum of Compressed over the first load
}

// Options say where to read and write, and which variant to build.
type Options struct {
	Root string // the folder web/app
	Out  string // the folder dist; emptied first, except for its .keep
	// Readable keeps names and adds source maps, for work on the app itself.
	Readable bool
}

// Build bundles the app. An error names the file and line of each fault.
func Build(o Options) (Result, error) {
	if _, err := os.Stat(filepath.Join(o.Root, "node_modules", "preact")); err != nil {
		return Result{}, fmt.Errorf("the app's packages are missing: run npm ci in web/app first")
	}
	built := api.Build(api.BuildOptions{
		AbsWorkingDir:     o.Root,
		EntryPoints:       []string{"src/main.tsx", "src/styles/index.css"},
		Outdir:            "/out",
		EntryNames:        "[name]-[hash]",
		ChunkNames:        "[name]-[hash]",
		AssetNames:        "[name]-[hash]",
		Bundle:            true,
		Splitting:         true,
		Format:            api.FormatESModule,
		Target:            api.ES2022,
		JSX:               api.JSXAutomatic,
		JSXImportSource:   "preact",
		MinifyWhitespace:  !o.Readable,
		MinifyIdentifiers: !o.Readable,
		MinifySyntax:      !o.Readable,
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsNone,
		Metafile:          true,
		Sourcemap:         map[bool]api.SourceMap{true: api.SourceMapInline}[o.Readable],
		LogLevel:          api.LogLevelSilent,
		Define:            map[string]string{"process.env.NODE_ENV": `"production"`},
	})
	if len(built.Errors) > 0 {
		return Result{}, faults("bundle the app", built.Errors)
	}
	files := map[string][]byte{}
	for _, f := range built.OutputFiles {
		files["assets/"+filepath.Base(f.Path)] = f.Contents
	}
	script, style, first, err := entries(built.Metafile)
	if err != nil {
		return Result{}, err
	}
	page, err := os.ReadFile(filepath.Join(o.Root, "src", "index.html"))
	if err != nil {
		return Result{}, fmt.Errorf("read the page's frame: %w", err)
	}
	page = bytes.ReplaceAll(page, []byte("{{script}}"), []byte("/"+script))
	page = bytes.ReplaceAll(page, []byte("{{style}}"), []byte("/"+style))
	page = bytes.ReplaceAll(page, []byte("{{preload}}"), preload(first, script))
	files["index.html"] = page
	for _, name := range []string{"icon.svg", "manifest.webmanifest"} {
		b, err := os.ReadFile(filepath.Join(o.Root, "src", name))
		if err != nil {
			return Result{}, fmt.Errorf("read %s: %w", name, err)
		}
		files[name] = b
	}
	worker, err := worker(o.Root, files)
	if err != nil {
		return Result{}, err
	}
	files["sw.js"] = worker
	first["index.html"] = true
	return write(o.Out, files, first)
}

// Script bundles one TypeScript file for node, as the unit tests use it.
func Script(root, entry, out string) error {
	r := api.Build(api.BuildOptions{
		AbsWorkingDir: root, EntryPoints: []string{entry}, Outfile: out, Write: true,
		Bundle: true, Format: api.FormatESModule, Platform: api.PlatformNode, Target: api.ES2022,
		JSX: api.JSXAutomatic, JSXImportSource: "preact", LogLevel: api.LogLevelSilent,
		Loader: map[string]api.Loader{".json": api.LoaderJSON},
	})
	if len(r.Errors) > 0 {
		return faults("bundle "+entry, r.Errors)
	}
	return nil
}

func faults(doing string, errs []api.Message) error {
	var b strings.Builder
	for _, m := range errs {
		if m.Location != nil {
			fmt.Fprintf(&b, "\n%s:%d: ", m.Location.File, m.Location.Line)
		}
		b.WriteString(m.Text)
	}
	return fmt.Errorf("%s: %s", doing, b.String())
}

// entries finds, in esbuild's own account of what it did, the script and the
// style that the page must name, and all that they load without being asked.
func entries(meta string) (script, style string, first map[string]bool, err error) {
	var m struct {
		Outputs map[string]struct {
			EntryPoint string `json:"entryPoint"`
			Imports    []struct{ Path, Kind string }
		}
	}
	if err := json.Unmarshal([]byte(meta), &m); err != nil {
		return "", "", nil, fmt.Errorf("read the bundler's account: %w", err)
	}
	first = map[string]bool{}
	var follow func(path string)
	follow = func(path string) {
		name := "assets/" + filepath.Base(path)
		if first[name] {
			return
		}
		first[name] = true
		for _, i := range m.Outputs[path].Imports {
			if i.Kind == "import-statement" {
				follow(i.Path)
			}
		}
	}
	for path, o := range m.Outputs {
		switch o.EntryPoint {
		case "src/main.tsx":
			script = "assets/" + filepath.Base(path)
			follow(path)
		case "src/styles/index.css":
			style = "assets/" + filepath.Base(path)
			follow(path)
		}
	}
	if script == "" || style == "" {
		return "", "", nil, fmt.Errorf("the bundler made no script or no style")
	}
	return script, style, first, nil
}

// preload names the scripts that the first one imports, so that a slow network
// fetches them side by side and not one after the other.
func preload(first map[string]bool, script string) []byte {
	var names []string
	for name := range first {
		if name != script && strings.HasSuffix(name, ".js") {
			names = append(names, `<link rel="modulepreload" href="/`+name+`">`)
		}
	}
	sort.Strings(names)
	return []byte(strings.Join(names, "\n"))
}

// worker bundles the service worker with the list of files that it keeps; its
// version is the hash of that list, so that a new build replaces the old cache.
func worker(root string, files map[string][]byte) ([]byte, error) {
	names := make([]string, 0, len(files))
	sum := sha256.New()
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	kept := []string{"/"}
	for _, name := range names {
		sum.Write(files[name])
		if name != "index.html" {
			kept = append(kept, "/"+name)
		}
	}
	list, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("list the files to keep: %w", err)
	}
	r := api.Build(api.BuildOptions{
		AbsWorkingDir: root, EntryPoints: []string{"src/sw.ts"}, Bundle: true,
		Format: api.FormatIIFE, Target: api.ES2022,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, LogLevel: api.LogLevelSilent,
		Define: map[string]string{"KEEP": string(list), "VERSION": `"` + hex.EncodeToString(sum.Sum(nil))[:12] + `"`},
	})
	if len(r.Errors) > 0 {
		return nil, faults("bundle the service worker", r.Errors)
	}
	return r.OutputFiles[0].Contents, nil
}

func write(out string, files map[string][]byte, first map[string]bool) (Result, error) {
	if err := empty(out); err != nil {
		return Result{}, err
	}
	var res Result
	for name, body := range files {
		path := filepath.Join(out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return Result{}, fmt.Errorf("write the app: %w", err)
		}
		small, err := squeeze(body)
		if err != nil {
			return Result{}, err
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			return Result{}, fmt.Errorf("write the app: %w", err)
		}
		if err := os.WriteFile(path+".br", small, 0o644); err != nil {
			return Result{}, fmt.Errorf("write the app: %w", err)
		}
		f := File{Name: name, Bytes: len(body), Compressed: len(small), First: first[name]}
		if f.First {
			res.FirstLoad += f.Compressed
		}
		res.Files = append(res.Files, f)
	}
	sort.Slice(res.Files, func(i, j int) bool { return res.Files[i].Name < res.Files[j].Name })
	return res, nil
}

func empty(out string) error {
	old, err := os.ReadDir(out)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("empty the old build: %w", err)
	}
	for _, e := range old {
		if e.Name() == ".keep" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(out, e.Name())); err != nil {
			return fmt.Errorf("empty the old build: %w", err)
		}
	}
	return nil
}

func squeeze(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, brotli.BestCompression)
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return b.Bytes(), nil
}
