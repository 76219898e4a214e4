package attachments

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The words that lead to somebody: who wrote, where, with which device.
var plantedWords = []string{"Plantedauthor", "11.5564N104.9282E", "SerialPLANTED0042", "planted comment"}

var mark = strings.Join(plantedWords, " / ")

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func s(text ...string) []byte { return []byte(strings.Join(text, "")) }

// holds says which planted words stand in a file: as bytes, in UTF-16, in the
// members of an archive, in packed streams.
func holds(body []byte) (found []string) {
	texts := append([][]byte{body}, unpacked(body)...)
	for _, word := range plantedWords {
		for _, text := range texts {
			big := make([]byte, 0, 2*len(word))
			for _, c := range []byte(word) {
				big = append(big, 0, c)
			}
			if bytes.Contains(text, []byte(word)) || bytes.Contains(text, wide(word)) || bytes.Contains(text, big) || bytes.Contains(bytes.ToLower(text), fmt.Appendf(nil, "%x", word)) {
				found = append(found, word)
				break
			}
		}
	}
	return found
}

func unpacked(body []byte) (out [][]byte) {
	if z, err := zip.NewReader(bytes.NewReader(body), int64(len(body))); err == nil {
		for _, f := range z.File {
			out = append(out, []byte(f.Name+f.Comment), f.Extra)
			if rc, err := f.Open(); err == nil {
				data, _ := io.ReadAll(rc)
				out = append(out, data)
				out = append(out, unpacked(data)...)
			}
		}
	}
	if bytes.HasPrefix(body, []byte("%PDF")) {
		for rest := body; ; {
			i := bytes.Index(rest, []byte("stream\n"))
			if i < 0 {
				break
			}
			rest = rest[i+7:]
			if z, err := zlib.NewReader(bytes.NewReader(rest)); err == nil {
				data, _ := io.ReadAll(z)
				out = append(out, data)
			}
		}
	}
	return out
}

// cleaned is what becomes of a file of which a copy must be made.
func cleaned(t *testing.T, body []byte, seen ...string) File {
	t.Helper()
	if len(holds(body)) == 0 {
		t.Error("nothing was planted: the test tests nothing")
	}
	f, err := Examine(body)
	if err != nil {
		t.Fatalf("refused: %s", words(err))
	}
	if found := holds(f.Copy); len(found) > 0 || f.Copy == nil {
		t.Errorf("the copy holds %q", found)
	}
	for _, word := range seen {
		ok := bytes.Contains(f.Copy, []byte(word))
		for _, text := range unpacked(f.Copy) {
			ok = ok || bytes.Contains(text, []byte(word))
		}
		if !ok {
			t.Errorf("the copy has lost %q", word)
		}
	}
	again, err := Examine(f.Copy)
	switch {
	case err != nil:
		t.Errorf("the copy is refused: %s", words(err))
	case f.As != "image/jpeg" && !bytes.Equal(again.Copy, f.Copy):
		t.Error("the copy of the copy is another")
	}
	return f
}

// opens holds that another program reads the copy, where it is installed.
func opens(t *testing.T, ext string, body []byte, tool string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Logf("%s is not installed: only the structure was looked at", tool)
		return ""
	}
	path := filepath.Join(t.TempDir(), "copy"+ext)
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "FILE", path)
	}
	out, err := exec.Command(tool, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s does not open the copy: %v\n%.500s", tool, err, out)
	}
	return string(out)
}

// Pictures --------------------------------------------------------------------

// pngChunk is one chunk of a PNG (RFC 2083, 3.2).
func pngChunk(kind string, data []byte) []byte {
	whole := append([]byte(kind), data...)
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), whole...)
	return binary.BigEndian.AppendUint32(out, crcOf(whole))
}

func drawings(t *testing.T) (jpg, pic, anim []byte) {
	t.Helper()
	drawn := image.NewRGBA(image.Rect(0, 0, 40, 30))
	var a, b, c bytes.Buffer
	if err := jpeg.Encode(&a, drawn, nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&b, drawn); err != nil {
		t.Fatal(err)
	}
	frame := image.NewPaletted(drawn.Rect, palette.Plan9)
	if err := gif.EncodeAll(&c, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	return a.Bytes(), b.Bytes(), c.Bytes()
}

func jpegSegment(kind byte, data []byte) []byte {
	return join([]byte{0xFF, kind, byte((len(data) + 2) >> 8), byte(len(data) + 2)}, data)
}

// speaking are pictures that say more than their pixels.
func speaking(t *testing.T) map[string][]byte {
	jpg, pic, anim := drawings(t)
	m := []byte(mark)
	return map[string][]byte{
		"Exif in a JPEG":                    join(jpg[:2], jpegSegment(0xE1, join(s("Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"), m)), jpg[2:]),
		"XMP in a JPEG":                     join(jpg[:2], jpegSegment(0xE1, join(s("http://ns.adobe.com/xap/1.0/\x00<x>"), m)), jpg[2:]),
		"IPTC in a JPEG":                    join(jpg[:2], jpegSegment(0xED, join(s("Photoshop 3.0\x00"), m)), jpg[2:]),
		"a comment in a JPEG":               join(jpg[:2], jpegSegment(0xFE, m), jpg[2:]),
		"an archive behind a JPEG":          join(jpg, s("PK\x03\x04"), m),
		"text in a PNG":                     join(pic[:33], pngChunk("tEXt", join(s("Location\x00"), m)), pic[33:]),
		"Exif in a PNG":                     join(pic[:33], pngChunk("eXIf", m), pic[33:]),
		"something behind a PNG":            join(pic, m),
		"a comment in a GIF":                join(anim[:len(anim)-1], []byte{0x21, 0xFE, byte(len(m))}, m, []byte{0, 0x3B}),
		"a second picture behind the first": join(jpg, jpg[:2], jpegSegment(0xFE, m), jpg[2:]),
	}
}

// TestAPicturesCopyHasPixelsAndNothingElse: where a photograph was taken is
// where the child sleeps. Whatever a camera, a messenger or an attacker puts
// beside the pixels must not be in what people see and pass on.
func TestAPicturesCopyHasPixelsAndNothingElse(t *testing.T) {
	for name, body := range speaking(t) {
		t.Run(name, func(t *testing.T) {
			f := cleaned(t, body)
			if _, _, err := image.Decode(bytes.NewReader(f.Copy)); err != nil {
				t.Errorf("the copy is no picture: %v", err)
			}
			inner, ok := cleanInner(body) // the same picture in a document
			if !ok || len(holds(inner)) > 0 {
				t.Errorf("in a document it says %q", holds(inner))
			}
			if twice, ok := cleanInner(inner); !ok || !bytes.Equal(twice, inner) {
				t.Error("stripped twice it is another")
			}
			if _, _, err := image.Decode(bytes.NewReader(inner)); err != nil {
				t.Errorf("stripped it is no picture: %v", err)
			}
		})
	}
}

// TestAPictureInADocumentStaysUpright: how the camera was held is the one thing
// of Exif that is needed.
func TestAPictureInADocumentStaysUpright(t *testing.T) {
	jpg, _, _ := drawings(t)
	exif := s("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00", mark)
	inner, ok := cleanInner(join(jpg[:2], jpegSegment(0xE1, exif), jpg[2:]))
	if !ok || orientation(inner) != 6 || len(holds(inner)) > 0 {
		t.Errorf("held as %d, want 6; it says %q", orientation(inner), holds(inner))
	}
}

// Boxes -----------------------------------------------------------------------

func box(kind string, inside ...[]byte) []byte {
	all := join(inside...)
	return join(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), []byte(kind), all)
}

func n32(values ...uint32) (out []byte) {
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, v)
	}
	return out
}

// track is one with a single chunk of samples.
func track(handler string, at, size uint32) []byte {
	entry := box("avc1", make([]byte, 42), s("\x10Plantedauthor   "), make([]byte, 20))
	return box("trak", box("tkhd", n32(0, 0xE0000001, 0xE0000002, 1), make([]byte, 68)), box("udta", s(mark)), box("mdia",
		box("mdhd", n32(0, 0xE0000001, 0xE0000002, 1000, 1000, 0)),
		box("hdlr", n32(0, 0), s(handler), make([]byte, 12), s("SerialPLANTED0042\x00")),
		box("minf", box("dinf", box("dref", n32(0, 1), box("url ", n32(1)))),
			box("stbl", box("stsd", n32(0, 1), entry), box("stts", n32(0, 1, 1, 1)), box("stsc", n32(0, 1, 1, 1, 1)), box("stsz", n32(0, 0, 1, size)), box("stco", n32(0, 1, at))))))
}

// aFilm has pictures, and a second track with the places (GoPro, dash cameras).
func aFilm() []byte {
	build := func(at uint32) []byte {
		return join(box("ftyp", s("mp42\x00\x00\x00\x00mp42isom")), box("moov", box("mvhd", n32(0, 0xE0000001, 0xE0000002), make([]byte, 90)),
			track("vide", at, 6), track("meta", at+6, uint32(len(mark))),
			box("udta", box("\xa9xyz", s(mark)), box("loci", s(mark))), box("meta", n32(0), box("hdlr", n32(0, 0), s("mdta"), make([]byte, 13)), box("keys", s("com.android.", mark)), box("ilst", s(mark)))),
			box("uuid", s(mark)), box("free", s(mark)), box("mdat", s("pixels", mark, mark)))
	}
	first := build(0)
	return build(uint32(bytes.Index(first, s("pixels"))))
}

// TestAFilmsCopyDoesNotSayWhereItWasTaken: phones write the place into films
// as they do into photographs.
func TestAFilmsCopyDoesNotSayWhereItWasTaken(t *testing.T) {
	film := aFilm()
	f := cleaned(t, film, "pixels")
	if len(f.Copy) != len(film) || bytes.Index(f.Copy, s("pixels")) != bytes.Index(film, s("pixels")) {
		t.Error("the pictures moved")
	}
	if bytes.Contains(f.Copy, n32(0xE0000001)) || bytes.Contains(f.Copy, n32(0xE0000002)) {
		t.Error("the copy says when it was made")
	}
}

// aPhotograph is a HEIC as telephones make it: a picture, Exif, XMP.
func aPhotograph() []byte {
	item := func(id uint32, kind string, more string) []byte {
		return box("infe", n32(2<<24), []byte{byte(id >> 8), byte(id), 0, 0}, s(kind, more, "\x00"))
	}
	build := func(at uint32) []byte {
		place := func(id, from, size uint32) []byte {
			return join([]byte{0, byte(id), 0, 0, 0, 1}, n32(from, size))
		}
		m := uint32(len(mark))
		return join(box("ftyp", s("heic\x00\x00\x00\x00mif1heic")), box("meta", n32(0), box("hdlr", n32(0, 0), s("pict"), make([]byte, 12), s("Plantedauthor\x00")), box("pitm", n32(0), []byte{0, 1}),
			box("iinf", n32(0), []byte{0, 3}, item(1, "hvc1", "Plantedauthor"), item(2, "Exif", ""), item(3, "mime", "\x00application/rdf+xml")),
			box("iloc", n32(0), []byte{0x44, 0, 0, 3}, place(1, at, 6), place(2, at+6, m), place(3, at+6+m, m)),
			box("iprp", box("ipco", box("ispe", n32(0, 40, 30)), box("udes", s(mark))), box("ipma", n32(0, 0)))),
			box("mdat", s("pixels", mark, mark)), box("uuid", s(mark)))
	}
	first := build(0)
	return build(uint32(bytes.Index(first, s("pixels"))))
}

func TestAPhotographOfATelephoneLosesItsExif(t *testing.T) {
	if f := cleaned(t, aPhotograph(), "pixels"); f.Media != "image/heic" {
		t.Errorf("it is %s", f.Media)
	}
	if _, err := exec.LookPath("heif-enc"); err != nil {
		t.Log("heif-enc is not installed: only a photograph built here was looked at")
		return
	}
	dir := t.TempDir()
	jpg, _, _ := drawings(t)
	from, to := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "a.heic")
	exif := s("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x0f\x00\x02\x00\x00\x00\x20\x00\x00\x00\x1a\x00\x00\x00\x00", mark, "\x00\x00\x00\x00")
	if err := os.WriteFile(from, join(jpg[:2], jpegSegment(0xE1, exif), jpg[2:]), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("heif-enc", "-o", to, from).CombinedOutput(); err != nil {
		t.Skipf("heif-enc makes no HEIC here: %s", out)
	}
	body, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	f := cleaned(t, body)
	opens(t, ".heic", f.Copy, "heif-info", "FILE")
	opens(t, ".heic", f.Copy, "heif-convert", "FILE", "FILE.png")
}

// Matroska --------------------------------------------------------------------

func mk(id uint32, inside ...[]byte) []byte {
	all := join(inside...)
	var head []byte
	for shift := 24; shift >= 0; shift -= 8 {
		if b := byte(id >> shift); b != 0 || len(head) > 0 {
			head = append(head, b)
		}
	}
	return join(head, []byte{1}, binary.BigEndian.AppendUint64(nil, uint64(len(all)))[1:], all)
}

func aWebM() []byte {
	vorbis := join(s("\x03vorbis"), []byte{byte(len(mark)), 0, 0, 0}, s(mark), []byte{0, 0, 0, 0, 1})
	private := join([]byte{2, 7, byte(len(vorbis))}, s("\x01vorbis"), vorbis, s("\x05vorbis"))
	return join(mk(mkHeader, mk(0x4286, []byte{1}), mk(mkDocType, s("webm"))),
		mk(mkSegment, mk(mkSeekHead, mk(mkSeek, mk(mkSeekID, []byte{0x12, 0x54, 0xC3, 0x67}), mk(0x53AC, []byte{9}))),
			mk(mkInfo, mk(0x2AD7B1, []byte{15, 66, 64}), mk(0x7BA9, s(mark)), mk(0x4461, s("SerialPLANTED0042")), mk(0x73A4, s(mark)), mk(0x7384, s(mark)), mk(mkMuxingApp, s(mark)), mk(mkWritingApp, s(mark))),
			mk(mkTracks, mk(mkTrackEntry, mk(0xD7, []byte{1}), mk(mkTrackType, []byte{2}), mk(0x536E, s(mark)), mk(mkCodecID, s("A_VORBIS")), mk(mkCodecPrivate, private))),
			mk(mkVoid, s(mark)), mk(0x1254C367, s(mark)), mk(0x1941A469, s(mark, strings.Repeat(" ", 200))), mk(0x1043A770, s(mark)),
			mk(mkCluster, mk(0xE7, []byte{0}), mk(0xBF, s("sum!")), mk(0xA3, s("\x81\x00\x00\x80sound")), mk(mkBlockGroup, mk(0xA1, s("\x81\x00\x00\x80more")), mk(0x75A1, s(mark))))))
}

func TestAWebMSaysNotWhoMadeIt(t *testing.T) {
	body := aWebM()
	f := cleaned(t, body, "sound", "more", "\x05vorbis")
	if len(f.Copy) != len(body) || bytes.Index(f.Copy, s("sound")) != bytes.Index(body, s("sound")) {
		t.Error("the sound moved")
	}
}

// Sound -----------------------------------------------------------------------

// mp3Frame is a frame of silence: MPEG 1 layer III, 128 kbit/s, 44.1 kHz.
func mp3Frame(text string) []byte {
	frame := make([]byte, 417)
	copy(frame, "\xff\xfb\x90\x00")
	copy(frame[36:], text)
	return frame
}

func id3(inside []byte) []byte {
	n := len(inside)
	return join(s("ID3\x04\x00\x00"), []byte{byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}, inside)
}

func ape() []byte {
	return join(s(mark), s("APETAGEX"), []byte{208, 7, 0, 0, byte(len(mark) + 32), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 8))
}

func id3v1() []byte { return append(append(s("TAG"), mark...), make([]byte, 125)...)[:128] }

func anMP3() []byte {
	return join(id3(join(s("TPE1"), s(mark))), id3(s(mark)), mp3Frame("Info"), mp3Frame("sound"), mp3Frame("more"), s("LYRICSBEGIN", mark, "LYRICS200"), ape(), id3v1())
}

func chunk(kind string, data []byte) []byte {
	out := join(s(kind), binary.LittleEndian.AppendUint32(nil, uint32(len(data))), data)
	if len(data)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func aWAV() []byte {
	format := []byte{1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0}
	inside := join(s("WAVE"), chunk("bext", s(mark)), chunk("fmt ", format), chunk("LIST", s("INFO", mark)), chunk("data", s("soundmore!")), chunk("iXML", s(mark)), chunk("id3 ", s(mark)))
	return join(s("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(inside))), inside, s(mark))
}

func aFLAC() []byte {
	block := func(kind byte, data []byte) []byte {
		return join([]byte{kind, 0, byte(len(data) >> 8), byte(len(data))}, data)
	}
	info := make([]byte, 34)
	copy(info, []byte{16, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0xc4, 0x42, 0xf0})
	return join(id3(s(mark)), s("fLaC"), block(0, info), block(4, s(mark)), block(6, s(mark)), block(2, s(mark)), block(0x81, s(mark)), s("\xff\xf8sound"), id3v1())
}

func anOgg(head, comment []byte, more ...[]byte) []byte {
	st := &oggStream{}
	out := st.write(nil, oggPage{flags: 2, serial: 7, segments: lacing(len(head)), data: head})
	out = st.packet(out, 7, comment)
	for _, m := range more {
		out = st.packet(out, 7, m)
	}
	return st.write(out, oggPage{flags: 4, granule: 960, serial: 7, segments: lacing(5), data: s("sound")})
}

func aVoiceMessage() []byte {
	n := []byte{byte(len(mark)), 0, 0, 0}
	long := strings.Repeat(mark, 2000) // a picture in the comments: several pages
	return anOgg(s("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00"), join(s("OpusTags"), n, s(mark), []byte{1, 0, 0, 0}, binary.LittleEndian.AppendUint32(nil, uint32(len(long))), s(long)))
}

func TestSoundKeepsTheSoundAlone(t *testing.T) {
	vorbis := anOgg(s("\x01vorbis", strings.Repeat("\x00", 23)), s("\x03vorbis", mark, "\x01"), s("\x05vorbis books"))
	flac := anOgg(join(s("\x7fFLAC\x01\x00\x00\x03fLaC"), make([]byte, 38)), join([]byte{4, 0, 0, byte(len(mark))}, s(mark)), join([]byte{0x81, 0, 0, byte(len(mark))}, s(mark)))
	speex := anOgg(join(s("Speex   1.2", strings.Repeat("\x00", 69))), s(mark))
	for name, body := range map[string][]byte{"MP3": anMP3(), "WAV": aWAV(), "FLAC": aFLAC(), "Opus": aVoiceMessage(), "Vorbis": vorbis, "FLAC in Ogg": flac, "Speex": speex,
		"AMR": join(s("#!AMR\n"), s("\x3csound"), make([]byte, 26), s(mark)), "M4A": bytes.Replace(aFilm(), s("ftypmp42"), s("ftypM4A "), 1)} {
		t.Run(name, func(t *testing.T) {
			want := "sound"
			if name == "M4A" {
				want = "pixels"
			}
			cleaned(t, body, want)
		})
	}
}

// PDF -------------------------------------------------------------------------

// pdfOf writes objects, numbered from 1, with a table.
func pdfOf(trailer string, objects ...string) []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.6\n%" + mark + "\n")
	places := make([]int, len(objects))
	for i, o := range objects {
		places[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range places {
		fmt.Fprintf(&out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, table)
	return out.Bytes()
}

func pdfStreamOf(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

func deflated(text string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	z.Close()
	return b.String()
}

func aPDF(t *testing.T) []byte {
	jpg, _, _ := drawings(t)
	photo := string(join(jpg[:2], jpegSegment(0xE1, s("Exif\x00\x00", mark)), jpg[2:]))
	m := "(" + mark + ")"
	return pdfOf("/Info 6 0 R /ID [<506c616e746564617574686f72> <00>]",
		"<< /Type /Catalog /Pages 2 0 R /Metadata 7 0 R /OpenAction << /S /JavaScript /JS "+m+" >> /Names << /EmbeddedFiles << /Names ["+m+" 9 0 R] >> /JavaScript << /Names [(a) 12 0 R] >> >> /AcroForm << /Fields [14 0 R] /XFA [(x) 7 0 R] >> /Outlines 13 0 R /PieceInfo << /X << /Private "+m+" >> >> /AA << /WC 12 0 R >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /XObject << /Im1 8 0 R >> >> /Metadata 7 0 R /PieceInfo << /Y "+m+" >> /LastModified "+m+" /Thumb 8 0 R /Annots [10 0 R 11 0 R 15 0 R 14 0 R] /AA << /O 12 0 R >> >>",
		pdfStreamOf("/Filter /FlateDecode", deflated("BT /F1 18 Tf 20 100 Td (Seen words) Tj ET q 40 0 0 30 20 20 cm /Im1 Do Q")),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Author "+m+" /Title "+m+" /CreationDate (D:20240102) >>",
		pdfStreamOf("/Type /Metadata /Subtype /XML /Filter /FlateDecode", deflated(mark)),
		pdfStreamOf("/Type /XObject /Subtype /Image /Width 40 /Height 30 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter [/FlateDecode /DCTDecode] /Metadata 7 0 R", deflated(photo)),
		"<< /Type /Filespec /F "+m+" /EF << /F 7 0 R >> >>",
		"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /T "+m+" /M (D:2024) /NM "+m+" /Contents (Seen note) /P 3 0 R >>",
		"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI "+m+" >> >>",
		"<< /S /JavaScript /JS "+m+" >>",
		"<< /Type /Outlines /First 16 0 R /Last 16 0 R /Count 1 >>",
		"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature) /Rect [0 0 0 0] /V << /Type /Sig /Name "+m+" /Location "+m+" >> >>",
		"<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /FS 9 0 R >>",
		"<< /Title (Seen chapter) /Parent 13 0 R /A << /S /Launch /F "+m+" >> >>",
		pdfStreamOf("", mark), // nobody leads to it: an older version
	)
}

// aPackedPDF has its objects in a packed stream, as office programs write them.
func aPackedPDF() []byte {
	objects := []string{"<< /Type /Catalog /Pages 2 0 R /Metadata 5 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"}
	index, inside := "", ""
	for i, o := range objects {
		index += fmt.Sprintf("%d %d ", i+1, len(inside))
		inside += o + " "
	}
	var out bytes.Buffer
	out.WriteString("%PDF-1.5\n")
	at := map[int]int{}
	write := func(num int, object string) {
		at[num] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", num, object)
	}
	write(4, pdfStreamOf("", "BT /F1 18 Tf 20 100 Td (Seen words) Tj ET"))
	write(5, pdfStreamOf("/Type /Metadata", mark))
	write(6, pdfStreamOf(fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", len(objects), len(index)), deflated(index+inside)))
	table := out.Len()
	rows := []byte{0, 0, 0, 0, 2, 0, 6, 0, 2, 0, 6, 1, 2, 0, 6, 2}
	for _, num := range []int{4, 5, 6} {
		rows = append(rows, 1, byte(at[num]>>8), byte(at[num]), 0)
	}
	rows = append(rows, 1, byte(table>>8), byte(table), 0)
	fmt.Fprintf(&out, "7 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", pdfStreamOf("/Type /XRef /W [1 2 1] /Size 8 /Root 1 0 R /Filter /FlateDecode", deflated(string(rows))), table)
	return out.Bytes()
}

func TestAPDFKeepsItsPagesAlone(t *testing.T) {
	whole := aPDF(t)
	noTable := whole[:bytes.LastIndex(whole, s("xref\n0 "))]
	for name, body := range map[string][]byte{"with everything": whole, "with packed objects": aPackedPDF(), "without a table": noTable, "with a table that lies": bytes.Replace(whole, s("startxref\n"), s("startxref\n1"), 1)} {
		t.Run(name, func(t *testing.T) {
			f := cleaned(t, body, "Seen words")
			for _, bad := range []string{"JavaScript", "/JS", "Launch", "/URI", "EmbeddedFile", "/XFA", "/AA", "OpenAction", "Metadata", "PieceInfo", "/Info"} {
				if bytes.Contains(f.Copy, []byte(bad)) {
					t.Errorf("the copy holds %s", bad)
				}
			}
			if text := opens(t, ".pdf", f.Copy, "pdftotext", "FILE", "-"); text != "" && !strings.Contains(text, "Seen words") {
				t.Errorf("read by another program it says %q", text)
			}
			opens(t, ".pdf", f.Copy, "pdfinfo", "FILE")
		})
	}
	if f := cleaned(t, whole, "Seen note", "Seen chapter"); !bytes.Contains(f.Copy, s("/DCTDecode")) {
		t.Error("the photograph is gone")
	}
}

// Office ----------------------------------------------------------------------

func archive(t *testing.T, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := z.SetComment(mark); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(parts); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: parts[i], Method: zip.Deflate, Comment: mark, Extra: append([]byte{1, 0x77, byte(len(mark)), 0}, mark...)})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, parts[i+1])
	}
	z.Close()
	return b.Bytes()
}

const (
	xmlHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
	office14 = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
)

func types(parts ...string) string {
	out := xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="jpeg" ContentType="image/jpeg"/>`
	for i := 0; i < len(parts); i += 2 {
		out += `<Override PartName="/` + parts[i] + `" ContentType="` + parts[i+1] + `"/>`
	}
	return out + `</Types>`
}

func relations(rels ...string) string {
	out := xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	for i := 0; i < len(rels); i += 3 {
		out += `<Relationship Id="rId` + fmt.Sprint(i/3+1) + `" Type="` + office14 + `/` + rels[i] + `" Target="` + rels[i+1] + `"` + rels[i+2] + `/>`
	}
	return out + `</Relationships>`
}

func speakingPhoto(t *testing.T) string { return string(speaking(t)["Exif in a JPEG"]) }

func aDocx(t *testing.T) []byte {
	w := `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="` + office14 + `"`
	return archive(t, "[Content_Types].xml", types("word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", "docProps/core.xml", "x", "word/people.xml", "y"),
		"_rels/.rels", relations("officeDocument", "word/document.xml", "", "metadata/core-properties", "docProps/core.xml", "", "metadata/thumbnail", "docProps/thumbnail.jpeg", ""),
		"docProps/core.xml", `<x>`+mark+`</x>`, "docProps/app.xml", `<x>`+mark+`</x>`, "docProps/custom.xml", `<x>`+mark+`</x>`, "docProps/thumbnail.jpeg", speakingPhoto(t),
		"customXml/item1.xml", `<x>`+mark+`</x>`,
		"word/_rels/document.xml.rels", relations("settings", "settings.xml", "", "people", "people.xml", "", "image", "media/image1.jpeg", "", "hyperlink", "http://example.org/?"+mark, ` TargetMode="External"`, "comments", "comments.xml", ""),
		"word/_rels/settings.xml.rels", relations("attachedTemplate", `file:///C:\Users\Plantedauthor\x.dotm`, ` TargetMode="External"`),
		"word/settings.xml", xmlHead+`<w:settings `+w+`><w:attachedTemplate r:id="rId1"/><w:rsids><w:rsid w:val="SerialPLANTED0042"/></w:rsids><w:docVars><w:docVar w:name="a" w:val="`+mark+`"/></w:docVars></w:settings>`,
		"word/people.xml", `<w15:people xmlns:w15="x"><w15:person w15:author="`+mark+`"/></w15:people>`,
		"word/comments.xml", xmlHead+`<w:comments `+w+`><w:comment w:id="1" w:author="Plantedauthor" w:initials="Plantedauthor" w:date="2024-01-02T03:04:05Z"><w:p><w:r><w:t>Seen remark</w:t></w:r></w:p></w:comment></w:comments>`,
		"word/media/image1.jpeg", speakingPhoto(t),
		"word/document.xml", xmlHead+`<!-- `+mark+` --><w:document `+w+`><w:body><w:p w:rsidR="SerialPLANTED0042"><w:ins w:id="2" w:author="Plantedauthor" w:date="2024-01-02T03:04:05Z"><w:r><w:t xml:space="preserve">Seen &amp; words </w:t></w:r></w:ins></w:p>`+
			`<w:p><w:hyperlink r:id="rId4"><w:r><w:t>a link</w:t></w:r></w:hyperlink><w:r><w:instrText> INCLUDEPICTURE "C:\\Plantedauthor\\a.jpg" </w:instrText></w:r><w:r><w:instrText> PAGE </w:instrText></w:r></w:p></w:body></w:document>`)
}

func anXlsx(t *testing.T) []byte {
	m := `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="` + office14 + `"`
	return archive(t, "[Content_Types].xml", types("xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"),
		"_rels/.rels", relations("officeDocument", "xl/workbook.xml", ""),
		"xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/sheet1.xml", "", "externalLink", "externalLinks/externalLink1.xml", "", "connections", "connections.xml", ""),
		"xl/workbook.xml", xmlHead+`<workbook `+m+`><fileSharing userName="Plantedauthor"/><absPath url="C:\Plantedauthor\"/><sheets><sheet name="Seen sheet" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/connections.xml", `<x>`+mark+`</x>`,
		"xl/externalLinks/externalLink1.xml", xmlHead+`<externalLink `+m+`><externalBook r:id="rId1"/></externalLink>`,
		"xl/externalLinks/_rels/externalLink1.xml.rels", relations("externalLinkPath", `file:///C:\Plantedauthor\b.xlsx`, ` TargetMode="External"`),
		"xl/worksheets/_rels/sheet1.xml.rels", relations("printerSettings", "../printerSettings/printerSettings1.bin", "", "comments", "../comments1.xml", ""),
		"xl/printerSettings/printerSettings1.bin", mark,
		"xl/worksheets/sheet1.xml", xmlHead+`<worksheet `+m+`><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Seen words</t></is></c></row></sheetData><pageSetup r:id="rId1"/></worksheet>`,
		"xl/comments1.xml", xmlHead+`<comments `+m+`><authors><author>Plantedauthor</author></authors><commentList><comment ref="A1" authorId="0"><text><r><t>Plantedauthor:</t></r><r><t>Seen remark</t></r></text></comment></commentList></comments>`,
		"xl/persons/person.xml", `<personList><person displayName="Plantedauthor" id="{1}" userId="SerialPLANTED0042" providerId="AD"/></personList>`,
		"xl/tables/table1.xml", xmlHead+`<table `+m+` id="1" name="T" displayName="SeenTable" ref="A1:A2"/>`)
}

func aPptx(t *testing.T) []byte {
	inner := string(anXlsx(t))
	return archive(t, "[Content_Types].xml", types("ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"),
		"_rels/.rels", relations("officeDocument", "ppt/presentation.xml", ""), "ppt/presentation.xml", xmlHead+`<p:presentation xmlns:p="p"/>`,
		"ppt/slides/slide1.xml", xmlHead+`<p:sld xmlns:p="p" xmlns:a="a"><a:t>Seen words</a:t><p:cNvPr id="1" name="Plantedauthor.jpg" descr="C:\Plantedauthor\IMG.jpg"/></p:sld>`,
		"ppt/commentAuthors.xml", xmlHead+`<p:cmAuthorLst xmlns:p="p"><p:cmAuthor id="1" name="Plantedauthor" initials="Plantedauthor"/></p:cmAuthorLst>`,
		"ppt/media/image1.jpeg", speakingPhoto(t), "ppt/media/sound1.mp3", string(anMP3()), "ppt/media/film1.mp4", string(aFilm()),
		"ppt/embeddings/Microsoft_Excel_Sheet1.xlsx", inner, "ppt/revisionInfo.xml", `<x>`+mark+`</x>`)
}

func anOdf(t *testing.T, kind string) []byte {
	ns := `xmlns:office="o" xmlns:text="t" xmlns:dc="d" xmlns:meta="m" xmlns:xlink="x" xmlns:draw="dr" xmlns:officeooo="oo"`
	return archive(t, "mimetype", "application/vnd.oasis.opendocument."+kind,
		"META-INF/manifest.xml", `<manifest:manifest xmlns:manifest="m"><manifest:file-entry manifest:full-path="/"/><manifest:file-entry manifest:full-path="meta.xml"/><manifest:file-entry manifest:full-path="content.xml"/></manifest:manifest>`,
		"meta.xml", `<x>`+mark+`</x>`, "settings.xml", `<x>`+mark+`</x>`, "Thumbnails/thumbnail.png", mark, "Pictures/a.jpg", speakingPhoto(t),
		"Pictures/b.svg", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><metadata>`+mark+`</metadata><script>`+mark+`</script><text onload="`+mark+`">Seen drawing</text></svg>`,
		"Object 1/meta.xml", `<x>`+mark+`</x>`, "Object 1/content.xml", `<office:x `+ns+`>Seen chart</office:x>`,
		"content.xml", `<office:document-content `+ns+`><office:scripts>`+mark+`</office:scripts><office:body><text:tracked-changes><office:change-info><dc:creator>Plantedauthor</dc:creator><dc:date>2024-01-02T03:04:05</dc:date></office:change-info></text:tracked-changes>`+
			`<text:p officeooo:rsid="SerialPLANTED0042">Seen words<office:annotation><dc:creator>Plantedauthor</dc:creator><meta:creator-initials>Plantedauthor</meta:creator-initials><text:p>Seen remark</text:p></office:annotation><text:a xlink:href="http://example.org/`+mark+`">link</text:a></text:p></office:body></office:document-content>`)
}

func TestAnOfficeDocumentSaysNotWhoWroteIt(t *testing.T) {
	for name, c := range map[string]struct {
		body  []byte
		words []string
	}{
		"docx": {aDocx(t), []string{"Seen &amp; words ", "Seen remark", " PAGE ", "a link", "\xff\xd8\xff"}},
		"xlsx": {anXlsx(t), []string{"Seen words", "Seen remark", "Seen sheet", "SeenTable"}},
		"pptx": {aPptx(t), []string{"Seen words", "sound", "pixels"}},
		"odt":  {anOdf(t, "text"), []string{"Seen words", "Seen remark", "Seen chart", "Seen drawing"}},
		"ods":  {anOdf(t, "spreadsheet"), []string{"Seen words"}},
		"odp":  {anOdf(t, "presentation"), []string{"Seen words"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := cleaned(t, c.body, c.words...)
			for _, text := range unpacked(f.Copy) {
				for _, bad := range []string{"2024-01-02", "attachedTemplate", "example.org", "docProps"} {
					if bytes.Contains(text, []byte(bad)) {
						t.Errorf("the copy holds %s", bad)
					}
				}
			}
			opens(t, ".zip", f.Copy, "unzip", "-tqq", "FILE")
		})
	}
}
