package attachments

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"

	"banyan/internal/fault"
)

func crcOf(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

func TestFilesThatNobodyShouldOpenAreRefused(t *testing.T) {
	_, pic, _ := drawings(t)
	ftyp := func(brands string) []byte { return join(box("ftyp", s(brands)), make([]byte, 64)) }
	size := func(w, h uint32) []byte {
		head := make([]byte, 13)
		binary.BigEndian.PutUint32(head, w)
		binary.BigEndian.PutUint32(head[4:], h)
		head[8], head[9] = 16, 6
		return join(pic[:8], pngChunk("IHDR", head))
	}
	film := aFilm()
	for name, body := range map[string][]byte{
		"a drawing with a script":          s(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"a drawing behind its declaration": s("<?xml version=\"1.0\"?>\n<svg onload=\"alert(1)\"/>"),
		"a drawing behind a byte mark":     s("\ufeff \n<svg onload=\"alert(1)\"/>"),
		"a drawing in UTF-16":              {0xFF, 0xFE, '<', 0, 's', 0, 'v', 0, 'g', 0},
		"a page":                           s("<!doctype html><p>hello"),
		"a photograph with nothing in it":  ftyp("heic\x00\x00\x00\x00mif1heic"),
		"a program":                        s("MZ\x90\x00\x03\x00\x00\x00"),
		"a program for Linux":              s("\x7fELF\x02\x01\x01"),
		"a program for a printer":          s("%!PS-Adobe-3.0\n"),
		"pixels past every bound":          size(1<<31-1, 1<<31-1),
		"a line of pixels":                 size(1, 1<<30),
		"a picture cut short":              pic[:len(pic)/2],
		"a PNG with a broken sum":          join(pic[:40], []byte{1}, pic[41:]),
		"text that is not UTF-8":           s("caf\xe9 at the harbour"),
		"an archive of nothing":            join(s("PK\x03\x04"), make([]byte, 60)),
		"an archive of files":              archive(t, "a.txt", "words"),
		"half a film":                      film[:len(film)-3],
		"a film that points elsewhere":     bytes.Replace(film, join(s("url "), n32(1)), join(s("url "), n32(0)), 1),
		"sound without a frame":            id3(s("nothing")),
		"a locked PDF":                     pdfOf("/Encrypt 2 0 R", "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"),
		"a PDF without a page":             pdfOf("", "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"),
		"a PDF that is none":               s("%PDF-1.4\nnothing"),
		"a PDF that a program draws":       pdfOf("", "<< /Type /Catalog /Pages 2 0 R /NeedsRendering true >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page >>"),
		"an old office document":           join(s("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600)),
		"a locked office document":         join(s("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600), wide("EncryptedPackage")),
		"rich text":                        s(`{\rtf1{\info{\author Plantedauthor}}}`),
		"a docx with macros":               archive(t, "[Content_Types].xml", types(), "word/document.xml", "<a/>", "word/vbaProject.bin", "x"),
		"a docx that says it has macros":   archive(t, "[Content_Types].xml", types("word/document.xml", "application/vnd.ms-word.document.macroEnabled.main+xml"), "word/document.xml", "<a/>"),
		"a docx with something unknown":    archive(t, "[Content_Types].xml", types(), "word/document.xml", "<a/>", "word/embeddings/oleObject1.bin", "x"),
		"an odt with macros":               archive(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", "<a/>", "Basic/Standard/Module1.xml", "<a/>"),
		"a locked odt":                     archive(t, "mimetype", "application/vnd.oasis.opendocument.text", "META-INF/manifest.xml", `<m><file-entry full-path="content.xml"><encryption-data/></file-entry></m>`, "content.xml", "<a/>"),
		"a docx with a part twice":         archive(t, "[Content_Types].xml", types(), "word/document.xml", "<a/>", "word/document.xml", "<b/>"),
		"a docx that climbs out":           archive(t, "[Content_Types].xml", types(), "word/document.xml", "<a/>", "../../etc/x.xml", "<b/>"),
		"a docx that fetches":              archive(t, "[Content_Types].xml", types(), "word/document.xml", "<a/>", "xl/externalLinks/e.xml", "<x><ddeLink/></x>"),
	} {
		f, err := Examine(body)
		if fault.CodeOf(err) != fault.Misuse || err == nil {
			t.Errorf("%s was kept as %s (%v)", name, f.Media, err)
		}
	}
}

// TestBombsAreRefusedWithinBounds: a few kilobytes must not take the memory or
// the minutes of the machine on which the night shift works.
func TestBombsAreRefusedWithinBounds(t *testing.T) {
	docx := func(parts ...string) []byte {
		return archive(t, append([]string{"[Content_Types].xml", types(), "word/document.xml"}, parts...)...)
	}
	many := []string{"<a/>"}
	for i := range maxParts {
		many = append(many, fmt.Sprintf("word/p%d.xml", i), "")
	}
	pages := []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page >>"}
	sheet := string(archive(t, "[Content_Types].xml", types(), "xl/workbook.xml", "<a/>", "xl/noise.png", "BM"+string(noise(400_000)), "xl/a.xml", "<a>"+strings.Repeat(" ", 40<<20)+"</a>"))
	packed := pdfStreamOf("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", deflated(strings.Repeat(" ", maxPDFUnpacked+1)))
	for name, body := range map[string][]byte{
		"a docx of zeros":         docx(strings.Repeat(" ", 30<<20)),
		"a docx of entities":      docx(`<!DOCTYPE a [<!ENTITY b "cccc">]><a>&b;</a>`),
		"a docx as deep as a sea": docx(strings.Repeat("<a>", 100_000)),
		"a docx of many parts":    docx(many...),
		"a document in a document in a document": archive(t, "[Content_Types].xml", types(), "ppt/presentation.xml", "<a/>", "ppt/embeddings/a.pptx",
			string(archive(t, "[Content_Types].xml", types(), "ppt/presentation.xml", "<a/>", "ppt/embeddings/b.pptx", string(docx("<a/>"))))),
		"a presentation of tables of zeros": archive(t, "[Content_Types].xml", types(), "ppt/presentation.xml", "<a/>", "ppt/embeddings/a.xlsx", sheet, "ppt/embeddings/b.xlsx", sheet, "ppt/embeddings/c.xlsx", sheet),
		"a PDF whose objects unpack":        bytes.Replace(pdfOf("", append(pages, packed)...), s("startxref"), s("nowhere"), 1),
		"a PDF as deep as a sea":            pdfOf("", append([]string{"<< /Pages " + strings.Repeat("[", 100_000)}, pages[1:]...)...),
		"a PDF of a million numbers":        pdfOf("", pages[0], pages[1], "<< /Type /Page /MediaBox ["+strings.Repeat("0 ", maxPDFValues+1)+"] >>"),
		"a PDF of streams without end":      s("%PDF-1.4\n", manyStreams()),
		"a film of four billion samples":    bytes.Replace(aFilm(), join(s("stsz"), n32(0, 0, 1)), join(s("stsz"), n32(0, 0, 1<<32-1)), 1),
		"a film of many boxes":              join(box("ftyp", s("mp42")), box("moov", bytes.Repeat(box("mvex"), maxBoxes+1))),
		"an Ogg of one long comment":        anOgg(s("OpusHead\x01"), make([]byte, maxHeaders+1)),
		"a WebM of empty elements":          join(mk(mkHeader), mk(mkSegment, mk(mkTracks), bytes.Repeat([]byte{mkVoid, 0x80}, maxElements+1))),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f, err := Examine(body)
			runtime.ReadMemStats(&after)
			if code := fault.CodeOf(err); err == nil || code != fault.Misuse && code != fault.TooLarge {
				t.Errorf("kept as %s (%v)", f.Media, err)
			}
			t.Logf("%d bytes: %s", len(body), words(err))
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 600 {
				t.Errorf("%d MB were taken for %d bytes", used, len(body))
			}
		})
	}
}

// noise does not pack.
func noise(n int) []byte {
	out, x := make([]byte, n), uint32(1)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return out
}

// manyStreams are objects that each make a reader look for an end to the end.
func manyStreams() string {
	var b strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&b, "%d 0 obj<</Length 9>>stream\n", i+1)
	}
	return b.String()
}

func deep(n int) []byte {
	out := []byte{}
	for range n {
		out = box("iprp", out)
	}
	return box("meta", n32(0), box("hdlr", n32(0, 0), s("pict"), make([]byte, 12)), box("iinf", n32(0), []byte{0, 0}), box("iloc", n32(0, 0)), out)
}

// TestWhatLeadsRoundComesToAnEnd: tables, pages and objects that name
// themselves, boxes in boxes.
func TestWhatLeadsRoundComesToAnEnd(t *testing.T) {
	pages := []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Parent 2 0 R /Kids [2 0 R 3 0 R 3 0 R] /Count 1 >>", "<< /Type /Page /Parent 3 0 R /Contents 3 0 R /Group 4 0 R >>", "4 0 R"}
	table := pdfOf("/Prev 9999999999", pages...)
	place := fmt.Sprintf("%010d", bytes.LastIndex(table, s("xref\n0 ")))
	for name, body := range map[string][]byte{"pages": pdfOf("", pages...), "tables": bytes.Replace(table, s("9999999999"), s(place), 1), "boxes": join(box("ftyp", s("mp42")), deep(1000))} {
		if _, err := Examine(body); err != nil && fault.CodeOf(err) != fault.Misuse {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTextIsKeptAsItCame(t *testing.T) {
	for _, text := range []string{"Dear school", "name,age\nA,12\n", "ឈ្មោះ\nអាយុ", "\ufeffTiếng Việt"} {
		if f, err := Examine([]byte(text)); err != nil || f.Copy != nil || !KeptAsItCame(f.Media) {
			t.Errorf("%q is %+v (%v)", text, f, err)
		}
	}
}

// fuzz holds what every parser promises whatever comes: a copy or the sender's
// fault, and a copy of which the copy is the same.
func fuzz(f *testing.F, seeds [][]byte, clean func([]byte) ([]byte, error)) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		copied, err := clean(body)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.Misuse && code != fault.TooLarge {
				t.Fatalf("refused for no fault of the sender: %v", err)
			}
			return
		}
		again, err := clean(copied)
		if err != nil {
			t.Fatalf("the copy is refused: %s", words(err))
		}
		if !bytes.Equal(again, copied) {
			t.Fatalf("the copy of the copy is another:\n%.300q\n%.300q", copied, again)
		}
	})
}

func FuzzPDF(f *testing.F) {
	fuzz(f, [][]byte{aPackedPDF(), pdfOf("", "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Contents 4 0 R >>", pdfStreamOf("", "BT ET"))}, cleanPDF)
}

func FuzzBoxes(f *testing.F) {
	fuzz(f, [][]byte{aFilm(), aPhotograph()}, func(b []byte) ([]byte, error) { return cleanBoxes(b, false) })
}

func FuzzMatroska(f *testing.F) { fuzz(f, [][]byte{aWebM()}, cleanMatroska) }

func FuzzOgg(f *testing.F) {
	fuzz(f, [][]byte{aVoiceMessage()[:2000], anOgg(s("Speex   1.2", strings.Repeat("\x00", 69)), s(mark))}, cleanOgg)
}

func FuzzFrames(f *testing.F) { fuzz(f, [][]byte{anMP3()}, cleanFrames) }

func FuzzWAV(f *testing.F) {
	fuzz(f, [][]byte{aWAV()}, func(b []byte) ([]byte, error) {
		if len(b) < 12 {
			return nil, errSound
		}
		return cleanWAV(b)
	})
}

func FuzzFLAC(f *testing.F) { fuzz(f, [][]byte{aFLAC()}, cleanFLAC) }

func FuzzAMR(f *testing.F) {
	fuzz(f, [][]byte{s("#!AMR\n\x3csound", strings.Repeat("\x00", 26))}, cleanAMR)
}

// FuzzXML is of one part: the archive around it is the standard library's.
func FuzzXML(f *testing.F) {
	fuzz(f, [][]byte{s(`<w:ins w:author="x" w:date="y"><w:t xml:space="preserve"> a &amp; b</w:t></w:ins>`), s(`<comments><author>x</author><t>x:</t></comments>`)}, func(b []byte) ([]byte, error) {
		k := &ooxml{authors: map[string]bool{}}
		var out bytes.Buffer
		err := filterXML(bytes.NewReader(b), &out, k.partRules("xl/comments1.xml"))
		return out.Bytes(), err
	})
}

// FuzzInner is of pictures that stand in a document.
func FuzzInner(f *testing.F) {
	fuzz(f, [][]byte{s("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xda\x00\x02\x00\xff\xd9"), s("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), s("\x89PNG\r\n\x1a\n")}, func(b []byte) ([]byte, error) {
		clean, ok := cleanInner(b)
		if !ok {
			return nil, errUnclean
		}
		return clean, nil
	})
}

// FuzzExamine is of whole files; pictures drawn anew are not the same twice.
func FuzzExamine(f *testing.F) {
	for _, seed := range [][]byte{s("\x89PNG\r\n\x1a\n"), s("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00*"), s("PK\x03\x04"), s("GIF89a"), s("ID3"), s("RIFF\x00\x00\x00\x00WEBP")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		k, err := Examine(body)
		if code := fault.CodeOf(err); err != nil && code != fault.Misuse && code != fault.TooLarge {
			t.Errorf("refused for no fault of the sender: %v", err)
		}
		if err == nil && k.Media == "" {
			t.Error("kept as nothing")
		}
	})
}
