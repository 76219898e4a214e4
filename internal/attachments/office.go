package attachments

// Office documents are archives of parts. The copy is a new archive: each part
// is dropped, cleaned, or makes the whole document be refused; a part of which
// nothing is known does the last.

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
)

const (
	maxUnpackMul = 100    // times its size
	maxParts     = 10_000 // of a document
)

// verdict on a part.
type verdict int

const (
	refusePart verdict = iota
	dropPart
	xmlPart
	picturePart // or another file, cleaned as one that is sent alone
	plainPart   // fonts
	tablePart   // the archive's own tables: written by their own rules
)

// officeKind is one family of documents.
type officeKind interface {
	part(name string) (verdict, error)
	// rules of an XML part.
	rules(o *office, name string) (xmlRules, error)
}

type office struct {
	parts map[string]*zip.File
	order []string
	kind  officeKind
	depth int
	left  *int64 // bytes that may still be unpacked
	gone  map[string]bool
}

// nobody stands where a name must stand.
const nobody = "-"

func cleanOffice(body []byte, depth int, left *int64) (clean []byte, media string, err error) {
	if depth > maxNested {
		return nil, "", errUnclean
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, "", errArchive
	}
	o := &office{parts: map[string]*zip.File{}, depth: depth, gone: map[string]bool{}, left: left}
	if err := o.list(z); err != nil {
		return nil, "", err
	}
	if media, err = o.recognise(); err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	if err := o.write(&out); err != nil {
		return nil, "", officeFault(err)
	}
	return out.Bytes(), media, nil
}

func officeFault(err error) error {
	for _, known := range []error{errBomb, errLocked, errUnclean, errMacro, errDocument} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errDocument
}

func (o *office) list(z *zip.Reader) error {
	if len(z.File) > maxParts {
		return errBomb
	}
	total := uint64(0)
	for _, f := range z.File {
		total += f.UncompressedSize64
		if f.UncompressedSize64 > maxUnpacked || total > uint64(*o.left) {
			return errBomb
		}
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if f.Flags&1 != 0 {
			return errLocked
		}
		if o.parts[f.Name] != nil || path.Clean("/"+f.Name) != "/"+f.Name {
			return errDocument // which of two is read, programs do not agree on
		}
		o.parts[f.Name] = f
		o.order = append(o.order, f.Name)
	}
	return nil
}

func (o *office) recognise() (string, error) {
	if o.parts["[Content_Types].xml"] != nil {
		for folder, kind := range map[string]string{"word/document.xml": "wordprocessingml.document", "xl/workbook.xml": "spreadsheetml.sheet", "ppt/presentation.xml": "presentationml.presentation"} {
			if o.parts[folder] != nil {
				o.kind = &ooxml{authors: map[string]bool{}, lost: map[string]map[string]bool{}}
				return "application/vnd.openxmlformats-officedocument." + kind, nil
			}
		}
		for name := range o.parts { // Windows' and old programs' ways to say the same
			if strings.HasSuffix(name, "vbaProject.bin") {
				return "", errMacro
			}
		}
		return "", errArchive
	}
	if o.parts["mimetype"] == nil || o.parts["content.xml"] == nil {
		return "", errArchive
	}
	said, err := o.read("mimetype", 200)
	if err != nil {
		return "", err
	}
	media := strings.TrimSpace(string(said))
	for _, kind := range []string{"text", "spreadsheet", "presentation", "graphics", "text-template", "spreadsheet-template", "presentation-template"} {
		if media == "application/vnd.oasis.opendocument."+kind {
			o.kind = odf{}
			return media, nil
		}
	}
	return "", errArchive
}

// bounded reads a part within what may still be unpacked.
type bounded struct {
	from io.Reader
	left *int64
}

func (b bounded) Read(p []byte) (int, error) {
	if *b.left <= 0 {
		return 0, errBomb
	}
	if int64(len(p)) > *b.left {
		p = p[:*b.left]
	}
	n, err := b.from.Read(p)
	*b.left -= int64(n)
	return n, err
}

func (o *office) open(name string) (io.ReadCloser, io.Reader, error) {
	f := o.parts[name]
	if f == nil {
		return nil, nil, errDocument
	}
	rc, err := f.Open()
	if err != nil {
		return nil, nil, errDocument
	}
	return rc, bounded{rc, o.left}, nil
}

func (o *office) read(name string, most int64) ([]byte, error) {
	rc, r, err := o.open(name)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if errors.Is(err, errBomb) || int64(len(data)) > most {
		return nil, errBomb
	}
	if err != nil {
		return nil, errDocument
	}
	return data, nil
}

// write makes the new archive.
func (o *office) write(out *bytes.Buffer) error {
	verdicts := map[string]verdict{}
	for _, name := range o.order {
		v, err := o.kind.part(name)
		if err != nil {
			return err
		}
		if v == refusePart {
			return errUnclean
		}
		o.gone[name] = v == dropPart
		verdicts[name] = v
	}
	if k, ok := o.kind.(*ooxml); ok {
		if err := k.readRelations(o); err != nil {
			return err
		}
	}
	z := zip.NewWriter(out)
	for _, name := range o.order {
		if verdicts[name] == dropPart {
			continue
		}
		if err := o.writePart(z, name, verdicts[name]); err != nil {
			return err
		}
		if out.Len() > maxCopy {
			return errBomb
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("writing a document: %w", err)
	}
	return nil
}

func (o *office) writePart(z *zip.Writer, name string, v verdict) error {
	head := &zip.FileHeader{Name: name, Method: zip.Deflate} // no time, no owner
	if name == "mimetype" {
		head.Method = zip.Store // OpenDocument 1.3, part 2, 3.3
	}
	w, err := z.CreateHeader(head)
	if err != nil {
		return fmt.Errorf("writing a document: %w", err)
	}
	if v == xmlPart || v == tablePart && name != "mimetype" {
		rules, err := o.kind.rules(o, name)
		if err != nil {
			return err
		}
		rc, r, err := o.open(name)
		if err != nil {
			return err
		}
		defer rc.Close()
		return filterXML(r, w, rules)
	}
	data, err := o.read(name, MaxFile)
	if err != nil {
		return err
	}
	if v == picturePart {
		if data, err = o.inner(name, data); err != nil {
			return err
		}
	}
	_, err = w.Write(data)
	return err
}

// inner cleans a file that stands in the document.
func (o *office) inner(name string, data []byte) ([]byte, error) {
	if clean, ok := cleanInner(data); ok {
		return clean, nil
	}
	if start := bytes.TrimLeft(data[:min(len(data), 512)], "\ufeff \t\r\n"); bytes.HasPrefix(start, []byte("<?xml")) || bytes.HasPrefix(start, []byte("<svg")) || bytes.HasPrefix(start, []byte("<!DOCTYPE svg")) {
		var out bytes.Buffer
		err := filterXML(bytes.NewReader(data), &out, drawingRules)
		return out.Bytes(), err
	}
	if bytes.HasPrefix(data, []byte("VCLMTF")) || len(data) == 0 {
		return data, nil // LibreOffice's own metafile, drawn from the object beside it
	}
	kind, err := kindOf(data)
	if err != nil || !strings.HasPrefix(kind, "audio/") && !strings.HasPrefix(kind, "video/") && kind != "application/zip" {
		return nil, errUnclean // a picture that must be drawn, a PDF: each costs as much as a whole upload
	}
	f, err := examine(data, o.depth+1, o.left)
	switch {
	case errors.Is(err, errMacro) || errors.Is(err, errBomb):
		return nil, err
	case err != nil || f.Copy == nil || f.As != f.Media:
		return nil, errUnclean
	}
	return f.Copy, nil
}

// drawingRules clean a drawing of lines (SVG): no script, no call to another
// place, nothing that an editor says of its user.
var drawingRules = xmlRules{
	element: func(_ string, e *xml.StartElement) (bool, error) {
		switch e.Name.Local {
		case "metadata", "script", "foreignObject", "namedview", "RDF", "handler", "listener":
			return false, nil
		}
		bad := false
		eachAttr(e, func(a *xml.Attr) bool {
			if a.Name.Local == "href" {
				bad = bad || strings.HasPrefix(strings.TrimSpace(a.Value), "data:")
				return strings.HasPrefix(a.Value, "#")
			}
			return a.Name.Space != "inkscape" && a.Name.Space != "sodipodi" && !strings.HasPrefix(a.Name.Local, "on")
		})
		if bad {
			return false, errUnclean
		}
		return true, nil
	},
}

var likePath = regexp.MustCompile(`(?i)\\|:/|\.(jpe?g|png|gif|bmp|tiff?|heic|webp|mp4|mov|mp3|wav|docx?|xlsx?|pptx?|pdf|odt)$`)
