package casework

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"banyan/internal/fault"
)

// pngChunk is one chunk of a PNG (RFC 2083, 3.2).
func pngChunk(kind string, data []byte) []byte {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.BigEndian, uint32(len(data)))
	whole := append([]byte(kind), data...)
	b.Write(whole)
	_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(whole))
	return b.Bytes()
}

func samples(t *testing.T) (jpg, pic, anim []byte) {
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

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestAPicturesCopyHasPixelsAndNothingElse: where a photograph was taken is
// where the child sleeps. Whatever a camera, a messenger or an attacker puts
// beside the pixels must not be in what people see and pass on.
func TestAPicturesCopyHasPixelsAndNothingElse(t *testing.T) {
	jpg, pic, anim := samples(t)
	mark := []byte("11.5564 104.9282 Plantedvillage")
	segment := func(kind byte, data []byte) []byte {
		return join([]byte{0xFF, kind, byte((len(data) + 2) >> 8), byte(len(data) + 2)}, data)
	}
	script := []byte("<script>alert(1)</script>")
	for name, c := range map[string]struct {
		body []byte
		as   string
	}{
		"Exif in a JPEG":                    {join(jpg[:2], segment(0xE1, join([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"), mark)), jpg[2:]), "image/jpeg"},
		"XMP in a JPEG":                     {join(jpg[:2], segment(0xE1, join([]byte("http://ns.adobe.com/xap/1.0/\x00<x>"), mark)), jpg[2:]), "image/jpeg"},
		"IPTC in a JPEG":                    {join(jpg[:2], segment(0xED, join([]byte("Photoshop 3.0\x00"), mark)), jpg[2:]), "image/jpeg"},
		"a comment in a JPEG":               {join(jpg[:2], segment(0xFE, mark), jpg[2:]), "image/jpeg"},
		"an archive behind a JPEG":          {join(jpg, []byte("PK\x03\x04"), mark), "image/jpeg"},
		"a page behind a JPEG":              {join(jpg, script, mark), "image/jpeg"},
		"text in a PNG":                     {join(pic[:33], pngChunk("tEXt", join([]byte("Location\x00"), mark)), pic[33:]), "image/png"},
		"Exif in a PNG":                     {join(pic[:33], pngChunk("eXIf", mark), pic[33:]), "image/png"},
		"something behind a PNG":            {join(pic, mark), "image/png"},
		"a comment in a GIF":                {join(anim[:len(anim)-1], []byte{0x21, 0xFE, byte(len(mark))}, mark, []byte{0, 0x3B}), "image/png"},
		"a script that starts like a GIF":   {join(anim, []byte("=1;alert(1)//"), mark), "image/png"},
		"a second picture behind the first": {join(jpg, jpg[:2], segment(0xFE, mark), jpg[2:]), "image/jpeg"},
	} {
		k, err := examine(c.body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if k.as != c.as || len(k.clean) == 0 || bytes.Contains(k.clean, mark) || bytes.Contains(k.clean, script) {
			t.Errorf("%s: the copy is %s, %d bytes, with what was planted: %v", name, k.as, len(k.clean), bytes.Contains(k.clean, mark))
		}
		if _, _, err := image.Decode(bytes.NewReader(k.clean)); err != nil {
			t.Errorf("%s: the copy is no picture: %v", name, err)
		}
	}
}

func TestFilesThatNobodyShouldOpenAreRefused(t *testing.T) {
	_, pic, _ := samples(t)
	box := func(brands string) []byte {
		return join([]byte{0, 0, 0, byte(8 + len(brands))}, []byte("ftyp"+brands), make([]byte, 64))
	}
	wide := func(w, h uint32) []byte {
		head := make([]byte, 13)
		binary.BigEndian.PutUint32(head, w)
		binary.BigEndian.PutUint32(head[4:], h)
		head[8], head[9] = 16, 6
		return join(pic[:8], pngChunk("IHDR", head))
	}
	for name, body := range map[string][]byte{
		"a drawing with a script":          []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"a drawing behind its declaration": []byte("<?xml version=\"1.0\"?>\n<svg onload=\"alert(1)\"/>"),
		"a drawing behind a byte mark":     []byte("\ufeff \n<svg onload=\"alert(1)\"/>"),
		"a drawing in UTF-16":              {0xFF, 0xFE, '<', 0, 's', 0, 'v', 0, 'g', 0},
		"a page":                           []byte("<!doctype html><p>hello"),
		"HEIC":                             box("heic\x00\x00\x00\x00mif1heic"),
		"AVIF":                             box("avif\x00\x00\x00\x00mif1avif"),
		"HEIC that says it is a film too":  box("heic\x00\x00\x00\x00mif1heicmp41"),
		"a program":                        []byte("MZ\x90\x00\x03\x00\x00\x00"),
		"a script for a shell":             []byte("\x7fELF\x02\x01\x01"),
		"pixels past every bound":          wide(1<<31-1, 1<<31-1),
		"a line of pixels":                 wide(1, 1<<30),
		"a picture cut short":              pic[:len(pic)/2],
		"a PNG with a broken sum":          join(pic[:40], []byte{1}, pic[41:]),
		"text that is not UTF-8":           []byte("caf\xe9 at the harbour"),
		"an archive of archives":           join([]byte("PK\x03\x04"), make([]byte, 60)),
	} {
		if k, err := examine(body); fault.CodeOf(err) != fault.Misuse || err == nil {
			t.Errorf("%s was kept as %s (%v)", name, k.media, err)
		}
	}
}

// TestAFilmsCopyDoesNotSayWhereItWasTaken: phones write the place into films
// as they do into photographs.
func TestAFilmsCopyDoesNotSayWhereItWasTaken(t *testing.T) {
	box := func(kind string, inside ...[]byte) []byte {
		all := join(inside...)
		return join(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), []byte(kind), all)
	}
	place, pixels := []byte("+11.5564+104.9282/"), []byte("pictures and sounds")
	film := join(box("ftyp", []byte("mp42\x00\x00\x00\x00mp42isom")), box("moov", box("mvhd", make([]byte, 100)), box("trak", box("udta", place)),
		box("udta", box("\xa9xyz", place)), box("meta", place)), box("uuid", place), box("mdat", pixels))
	k, err := examine(film)
	if err != nil || k.media != "video/mp4" {
		t.Fatalf("a film is kept as %s (%v)", k.media, err)
	}
	if bytes.Contains(k.clean, place) || len(k.clean) != len(film) || bytes.Index(k.clean, pixels) != bytes.Index(film, pixels) {
		t.Errorf("the copy says where (%v), or its pictures moved", bytes.Contains(k.clean, place))
	}
	if _, err := examine(film[:len(film)-3]); fault.CodeOf(err) != fault.Misuse || err == nil {
		t.Errorf("half a film gave %v", err)
	}
}

func FuzzAFileIsKeptOrRefused(f *testing.F) {
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00*"))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, body []byte) {
		k, err := examine(body)
		if err != nil {
			if fault.CodeOf(err) != fault.Misuse {
				t.Errorf("refused for no fault of the sender: %v", err)
			}
			return
		}
		if k.media == "" {
			t.Error("kept as nothing")
		}
	})
}
