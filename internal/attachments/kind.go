package attachments

// A file's kind, from its bytes.

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// starts are the first bytes of kinds that need no second look.
var starts = []struct{ prefix, media string }{
	{"\xff\xd8\xff", "image/jpeg"},
	{"\x89PNG\r\n\x1a\n", "image/png"},
	{"GIF87a", "image/gif"},
	{"GIF89a", "image/gif"},
	{"fLaC", "audio/flac"},
	{"OggS", "audio/ogg"},
	{"#!AMR\n", "audio/amr"},
	{"#!AMR-WB\n", "audio/amr-wb"},
	{"PK\x03\x04", "application/zip"},
}

// stills are brands of photographs in boxes (ISO/IEC 23008-12, AV1 Image File
// Format).
var stills = []string{"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "mif2", "msf1", "avif", "avis"}

func kindOf(body []byte) (string, error) {
	for _, s := range starts {
		if bytes.HasPrefix(body, []byte(s.prefix)) {
			return s.media, nil
		}
	}
	switch {
	case len(body) >= 12 && string(body[:4]) == "RIFF" && string(body[8:12]) == "WEBP":
		return "image/webp", nil
	case len(body) >= 12 && string(body[:4]) == "RIFF" && string(body[8:12]) == "WAVE":
		return "audio/wave", nil
	case len(body) >= 12 && isBox(string(body[4:8])):
		return kindOfBoxes(body), nil
	case bytes.HasPrefix(body, []byte("\x1a\x45\xdf\xa3")):
		return kindOfMatroska(body), nil
	case bytes.HasPrefix(body, []byte("ID3")):
		if bytes.HasPrefix(afterID3(body), []byte("fLaC")) {
			return "audio/flac", nil
		}
		return "audio/mpeg", nil
	case len(body) >= 4 && soundFrame(body) > 0:
		if body[1]&6 == 0 {
			return "audio/aac", nil
		}
		return "audio/mpeg", nil
	case bytes.Contains(body[:min(len(body), 1024)], []byte("%PDF-")):
		return "application/pdf", nil
	case bytes.HasPrefix(body, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		if bytes.Contains(body, wide("EncryptedPackage")) {
			return "", errLocked
		}
		return "", errOld
	case bytes.HasPrefix(body, []byte(`{\rtf`)):
		return "", errOld
	}
	return kindOfText(body)
}

// wide is a text as old office files write it (UTF-16, little end first).
func wide(s string) []byte {
	out := make([]byte, 0, 2*len(s))
	for _, c := range []byte(s) {
		out = append(out, c, 0)
	}
	return out
}

func isBox(kind string) bool {
	return slices.Contains([]string{"ftyp", "moov", "mdat", "wide", "skip", "free"}, kind)
}

func kindOfBoxes(body []byte) string {
	if string(body[4:8]) != "ftyp" {
		return "video/quicktime"
	}
	brand := string(body[8:12])
	switch {
	case brand == "avif" || brand == "avis":
		return "image/avif"
	case slices.Contains(stills, brand):
		return "image/heic"
	case brand == "M4A " || brand == "M4B ":
		return "audio/mp4"
	case brand == "qt  ":
		return "video/quicktime"
	case brand[:3] == "3gp" || brand[:3] == "3g2":
		return "video/3gpp"
	}
	return "video/mp4"
}

// kindOfText takes text in any script. A page or a drawing, which may carry a
// script, is no text, and neither is a program for a printer.
func kindOfText(body []byte) (string, error) {
	if bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.HasPrefix(body, []byte("\xfe\xff")) {
		return "", errUTF8
	}
	for _, c := range body {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b {
			return "", errKind
		}
	}
	if !utf8.Valid(body) {
		return "", errUTF8
	}
	rest := bytes.TrimLeft(body, "\ufeff \t\r\n\f")
	if bytes.HasPrefix(rest, []byte("<")) || bytes.HasPrefix(rest, []byte("%!")) || bytes.HasPrefix(rest, []byte(`{\rtf`)) {
		return "", errKind
	}
	return "text/plain", nil
}
