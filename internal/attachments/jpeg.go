package attachments

// Pictures inside of documents keep their pixels as they are and lose what
// stands beside them: no decoding, so that a long report with many pictures
// costs little.

import (
	"bytes"
	"encoding/binary"
)

// cleanInner strips a picture of a document. False: it is no such picture.
func cleanInner(body []byte) (clean []byte, known bool) {
	switch {
	case bytes.HasPrefix(body, []byte("\xff\xd8\xff")):
		clean = stripJPEG(body)
	case bytes.HasPrefix(body, []byte("\x89PNG\r\n\x1a\n")):
		clean = stripPNG(body)
	case bytes.HasPrefix(body, []byte("GIF8")):
		clean = stripGIF(body)
	case bytes.HasPrefix(body, []byte("BM")) && len(body) > 54:
		clean = body // a bitmap has no place for words
	case len(body) > 80 && string(body[40:44]) == " EMF":
		clean = stripEMF(body)
	case bytes.HasPrefix(body, []byte("\xd7\xcd\xc6\x9a")), bytes.HasPrefix(body, []byte("\x01\x00\x09\x00")):
		clean = body // a Windows metafile has none either
	}
	return clean, clean != nil
}

// stripJPEG keeps the segments that a decoder needs (ITU-T T.81, B.2), colours
// (ICC, Adobe) and, as a new Exif segment with that alone, how the camera was
// held. nil: it is damaged.
func stripJPEG(b []byte) []byte {
	if len(b) < 4 || b[0] != 0xFF || b[1] != 0xD8 {
		return nil
	}
	out := make([]byte, 0, len(b))
	out = append(out, 0xFF, 0xD8)
	if how := orientation(b); how > 1 {
		out = append(out, heldExif(how)...)
	}
	for at := 2; at+2 <= len(b); {
		if b[at] != 0xFF {
			return nil
		}
		kind := b[at+1]
		switch {
		case kind == 0xFF: // fill
			at++
			continue
		case kind == 0xD9:
			return append(out, 0xFF, 0xD9)
		case kind == 0x01 || kind >= 0xD0 && kind <= 0xD7:
			out = append(out, 0xFF, kind)
			at += 2
			continue
		}
		if at+4 > len(b) {
			return nil
		}
		end := at + 2 + int(binary.BigEndian.Uint16(b[at+2:]))
		if end < at+4 || end > len(b) {
			return nil
		}
		out = append(out, keptSegment(b[at:end])...)
		at = end
		if kind == 0xDA {
			next := endOfScan(b, at)
			out = append(out, b[at:next]...)
			at = next
		}
	}
	return append(out, 0xFF, 0xD9) // cut short: what is there can be seen
}

// keptSegment gives a segment that stays, or nothing.
func keptSegment(s []byte) []byte {
	kind, data := s[1], s[4:]
	switch {
	case kind == 0xFE: // comment
		return nil
	case kind == 0xE0:
		if !bytes.HasPrefix(data, []byte("JFIF\x00")) || len(data) < 14 {
			return nil
		}
		return append(append([]byte{0xFF, 0xE0, 0, 16}, data[:12]...), 0, 0) // without its thumbnail
	case kind == 0xE2 && bytes.HasPrefix(data, []byte("ICC_PROFILE\x00")):
		return s
	case kind == 0xEE && bytes.HasPrefix(data, []byte("Adobe")) && len(data) >= 12:
		return append([]byte{0xFF, 0xEE, 0, 14}, data[:12]...)
	case kind >= 0xE0 && kind <= 0xEF:
		return nil
	}
	return s
}

// endOfScan finds where the coded pixels end: at a marker that is no restart.
func endOfScan(b []byte, at int) int {
	for ; at+1 < len(b); at++ {
		if b[at] == 0xFF && b[at+1] != 0 && b[at+1] != 0xFF && (b[at+1] < 0xD0 || b[at+1] > 0xD7) {
			return at
		}
	}
	return len(b)
}

func heldExif(how int) []byte {
	return append([]byte("\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"),
		byte(how), 0, 0, 0, 0, 0, 0)
}

// pngKept are the chunks of pixels and colours (PNG, third edition).
var pngKept = map[string]bool{"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true, "gAMA": true, "cHRM": true, "sRGB": true,
	"sBIT": true, "bKGD": true, "pHYs": true, "acTL": true, "fcTL": true, "fdAT": true, "cICP": true}

func stripPNG(b []byte) []byte {
	out := append(make([]byte, 0, len(b)), b[:8]...)
	for at := 8; at+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if n > len(b)-at-12 {
			return nil
		}
		kind := string(b[at+4 : at+8])
		if pngKept[kind] {
			out = append(out, b[at:at+12+n]...)
		}
		if kind == "IEND" {
			return out
		}
		at += 12 + n
	}
	return nil
}

// stripGIF keeps pictures and how they move (GIF89a, 23 to 26).
func stripGIF(b []byte) []byte {
	if len(b) < 13 {
		return nil
	}
	at := 13
	if b[10]&0x80 != 0 {
		at += 3 << (b[10]&7 + 1)
	}
	if at > len(b) {
		return nil
	}
	out := append(make([]byte, 0, len(b)), b[:at]...)
	for at < len(b) {
		start, keep := at, true
		switch b[at] {
		case 0x3B:
			return append(out, 0x3B)
		case 0x21:
			if at+2 > len(b) {
				return nil
			}
			keep = b[at+1] == 0xF9 || b[at+1] == 0xFF && bytes.HasPrefix(b[at+2:], []byte("\x0bNETSCAPE2.0\x03\x01")) && len(b) > at+18 && b[at+18] == 0
			at += 2
		case 0x2C:
			if at+11 > len(b) {
				return nil
			}
			table := 0
			if b[at+9]&0x80 != 0 {
				table = 3 << (b[at+9]&7 + 1)
			}
			at += 10 + table + 1
		default:
			return nil
		}
		for {
			if at >= len(b) {
				return nil
			}
			n := int(b[at])
			at += 1 + n
			if n == 0 {
				break
			}
		}
		if keep && at <= len(b) {
			out = append(out, b[start:at]...)
		}
	}
	return nil
}

// stripEMF empties the description in an enhanced metafile's header
// (MS-EMF 2.2.9): the program and the name of the picture.
func stripEMF(b []byte) []byte {
	out := bytes.Clone(b)
	n, at := int(binary.LittleEndian.Uint32(b[60:])), int(binary.LittleEndian.Uint32(b[64:]))
	if n == 0 || at == 0 {
		return out
	}
	if at < 0 || n < 0 || at > len(b) || n > (len(b)-at)/2 {
		return nil
	}
	clear(out[at : at+2*n])
	return out
}

// stripJPEG2000 empties boxes and comments beside the pixels (ISO/IEC 15444-1,
// annexes A and I), in place.
func stripJPEG2000(b []byte) []byte {
	out := bytes.Clone(b)
	if bytes.HasPrefix(out, []byte("\xff\x4f")) {
		emptyComments(out)
		return out
	}
	ok := eachBox(out, func(kind string, _ int, whole, inside []byte) bool {
		switch kind {
		case "jP  ", "ftyp", "jp2h":
		case "jp2c":
			emptyComments(inside)
		default:
			copy(whole[4:8], "free")
			clear(inside)
		}
		return true
	})
	if !ok {
		return nil
	}
	return out
}

// emptyComments walks a codestream's main header.
func emptyComments(b []byte) {
	for at := 2; at+4 <= len(b) && b[at] == 0xFF && b[at+1] != 0x90; {
		end := at + 2 + int(binary.BigEndian.Uint16(b[at+2:]))
		if end < at+4 || end > len(b) {
			return
		}
		if b[at+1] == 0x64 && end > at+6 {
			clear(b[at+6 : end])
		}
		at = end
	}
}
