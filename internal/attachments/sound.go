package attachments

// Sound as a row of frames (MP3, AAC, AMR) or as samples (WAV, FLAC): the
// frames and what is needed to read them, nothing before, between or behind.

import (
	"bytes"
	"encoding/binary"
)

// afterID3 skips the tags that stand before a sound (id3.org, version 2.4, 3.1).
func afterID3(b []byte) []byte {
	for len(b) >= 10 && string(b[:3]) == "ID3" {
		n := 10 + int(b[6]&127)<<21 + int(b[7]&127)<<14 + int(b[8]&127)<<7 + int(b[9]&127)
		if b[5]&0x10 != 0 {
			n += 10 // a footer
		}
		if n > len(b) {
			return nil
		}
		b = b[n:]
	}
	return b
}

var (
	bitratesV1 = [3][16]int{{}, {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}, {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384}}
	bitratesV2 = [3][16]int{{}, {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}, {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}}
	mpegRates  = [3]int{44100, 48000, 32000}
)

// soundFrame gives the length of the frame that begins at b (ISO/IEC 11172-3,
// 2.4.1; ISO/IEC 13818-7, 6.2 for AAC in ADTS); 0: none does. Layer I, which
// nobody records in, begins as a text in UTF-16 does, and is none.
func soundFrame(b []byte) int {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return 0
	}
	if b[1]&0xF6 == 0xF0 {
		if len(b) < 7 || b[2]>>2&15 > 12 {
			return 0
		}
		n := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
		if n < 7 {
			return 0
		}
		return n
	}
	version, layer, rate, at := b[1]>>3&3, int(b[1]>>1&3), b[2]>>4, b[2]>>2&3
	if version == 1 || layer == 0 || layer == 3 || rate == 0 || rate == 15 || at == 3 {
		return 0
	}
	bits, hertz := bitratesV1[layer][rate]*1000, mpegRates[at]
	if version != 3 {
		bits, hertz = bitratesV2[layer][rate]*1000, hertz/2
		if version == 0 {
			hertz /= 2
		}
	}
	pad := int(b[2] >> 1 & 1)
	if layer == 1 && version != 3 {
		return 72*bits/hertz + pad
	}
	return 144*bits/hertz + pad
}

// sameStream says whether two frames are of one recording: version, layer and
// sampling rate do not change in it.
func sameStream(a, b []byte) bool { return a[1]&0xFE == b[1]&0xFE && a[2]&0x0C == b[2]&0x0C }

// cleanFrames keeps the frames. One counts that another follows, or the end:
// a tag that looks like a frame is not one.
func cleanFrames(body []byte) ([]byte, error) {
	out := make([]byte, 0, len(body))
	var first []byte
	for b := afterID3(body); len(b) >= 4; {
		n := soundFrame(b)
		if n < 4 || n > len(b) || first != nil && !sameStream(first, b) || !followed(b, n) {
			skip := bytes.IndexByte(b[1:], 0xFF)
			if skip < 0 {
				break
			}
			b = b[1+skip:]
			continue
		}
		if first == nil {
			first = b
		}
		out = append(out, plainFrame(b[:n])...)
		b = b[n:]
	}
	if len(out) == 0 {
		return nil, errSound
	}
	return out, nil
}

func followed(b []byte, n int) bool {
	next := b[n:]
	if len(next) < 4 || soundFrame(next) > 0 && sameStream(b, next) {
		return true
	}
	for _, tag := range []string{"TAG", "APETAGEX", "LYRICSBEGIN", "ID3"} {
		if bytes.HasPrefix(next, []byte(tag)) {
			return true
		}
	}
	return false
}

// plainFrame empties the encoder's name in the frame that counts the others
// ("Xing" or "Info", then "LAME3.100").
func plainFrame(f []byte) []byte {
	for _, mark := range []string{"Xing", "Info"} {
		for _, at := range []int{13, 21, 36} {
			if len(f) >= at+120+9 && string(f[at:at+4]) == mark {
				f = bytes.Clone(f)
				flags := f[at+7]
				end := at + 8
				for bit, n := range []int{4, 4, 100, 4} {
					if flags>>bit&1 == 1 {
						end += n
					}
				}
				clear(f[end:min(end+9, len(f))])
				return f
			}
		}
	}
	return f
}

// amrFrames are the lengths of speech frames by their kind (RFC 4867, 3.6; 3GPP
// TS 26.101 and 26.201).
var amrFrames = map[string][16]int{
	"#!AMR\n":    {13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1},
	"#!AMR-WB\n": {18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1},
}

func cleanAMR(body []byte) ([]byte, error) {
	for head, lengths := range amrFrames {
		if !bytes.HasPrefix(body, []byte(head)) {
			continue
		}
		at := len(head)
		for at < len(body) {
			n := lengths[body[at]>>3&15]
			if n == 0 || n > len(body)-at || body[at]&0x83 != 0 {
				break // no frame: something was put behind the sound
			}
			at += n
		}
		if at == len(head) {
			return nil, errSound
		}
		return bytes.Clone(body[:at]), nil
	}
	return nil, errSound
}

// cleanWAV keeps the format and the samples (Microsoft RIFF; EBU 3285 adds the
// recorder's name and serial number as "bext" and "iXML").
func cleanWAV(body []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(body)), body[:12]...)
	format, data := false, false
	for at := 12; at+8 <= len(body); {
		kind, n := string(body[at:at+4]), int(binary.LittleEndian.Uint32(body[at+4:]))
		rest := len(body) - at - 8
		if n > rest {
			if data {
				break // something was put behind the sound
			}
			if kind != "data" {
				return nil, errSound
			}
			n = rest // a recorder that was switched off
		}
		inside := body[at+8 : at+8+n]
		switch {
		case kind == "fmt " && !format && n >= 16 && n <= 128, kind == "fact" && format && !data && n >= 4, kind == "data" && format && !data:
			format, data = format || kind == "fmt ", data || kind == "data"
			if kind == "fact" {
				inside = inside[:4]
			}
			out = append(out, kind...)
			out = binary.LittleEndian.AppendUint32(out, uint32(len(inside)))
			out = append(out, inside...)
			if len(inside)%2 == 1 {
				out = append(out, 0)
			}
		}
		at += 8 + n + n%2
	}
	if !data {
		return nil, errSound
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out, nil
}

// Blocks before the frames of a FLAC file (RFC 9639, 8.1).
const (
	flacStreamInfo = 0
	flacPadding    = 1
	flacSeekTable  = 3
)

// eachFLACBlock goes over the blocks behind "fLaC" and says where they end.
func eachFLACBlock(b []byte, do func(kind byte, whole []byte)) (ok bool, end int) {
	for at := 4; at+4 <= len(b); {
		n := int(b[at+1])<<16 | int(b[at+2])<<8 | int(b[at+3])
		if n > len(b)-at-4 {
			return false, 0
		}
		last := b[at]&0x80 != 0
		do(b[at]&0x7F, b[at:at+4+n])
		at += 4 + n
		if last {
			return true, at
		}
	}
	return false, 0
}

func cleanFLAC(body []byte) ([]byte, error) {
	b := afterID3(body)
	if !bytes.HasPrefix(b, []byte("fLaC")) {
		return nil, errSound
	}
	out, last := []byte("fLaC"), -1
	ok, end := eachFLACBlock(b, func(kind byte, whole []byte) {
		if kind == flacStreamInfo && last < 0 && len(whole) == 38 || kind == flacSeekTable && last == 4 && (len(whole)-4)%18 == 0 {
			last = len(out)
			out = append(out, whole...)
			out[last] &= 0x7F
		}
	})
	frames := withoutTail(b[min(end, len(b)):])
	if !ok || last < 0 || len(frames) < 2 || frames[0] != 0xFF || frames[1]&0xFC != 0xF8 {
		return nil, errSound
	}
	out[last] |= 0x80
	return append(out, frames...), nil
}

// withoutTail cuts off the tags that players put behind a sound.
func withoutTail(b []byte) []byte {
	for {
		n := len(b)
		switch {
		case n >= 128 && string(b[n-128:n-125]) == "TAG":
			b = b[:n-128]
		case n >= 32 && string(b[n-32:n-24]) == "APETAGEX":
			size := int(binary.LittleEndian.Uint32(b[n-20:]))
			if b[n-9]&0x80 != 0 { // with a header of its own
				size += 32
			}
			b = b[:n-min(max(size, 32), n)]
		case n >= 15 && string(b[n-9:]) == "LYRICS200":
			at := bytes.LastIndex(b, []byte("LYRICSBEGIN"))
			if at < 0 {
				return b
			}
			b = b[:at]
		default:
			return b
		}
	}
}
