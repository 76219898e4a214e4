package attachments

// Ogg (RFC 3533) with Opus, Vorbis, Speex or FLAC in it: voice messages. The
// packet that holds the comments is written anew, empty; the pages behind it
// keep their sound and get new numbers and sums.

import (
	"bytes"
	"encoding/binary"
	"slices"
)

const maxHeaders = 8 << 20 // bytes of one stream's first packets, pictures in them included

type oggPage struct {
	flags    byte
	granule  uint64
	serial   uint32
	segments []byte
	data     []byte
}

// oggStream is one sound in a file, while it is read.
type oggStream struct {
	kind     string
	packets  [][]byte // headers that are whole
	part     []byte
	want     int // headers; 0: not known yet
	sequence uint32
	done     bool // all headers are written
	ended    bool
}

func cleanOgg(body []byte) ([]byte, error) {
	out := make([]byte, 0, len(body))
	streams := map[uint32]*oggStream{}
	for rest := body; len(rest) > 0; {
		page, n := readOggPage(rest)
		if n == 0 {
			if next := bytes.Index(rest[1:], []byte("OggS")); next >= 0 {
				rest = rest[1+next:]
				continue
			}
			break // cut short, or something was put behind the sound
		}
		rest = rest[n:]
		s := streams[page.serial]
		if s == nil || page.flags&2 != 0 && s.ended {
			if s = (&oggStream{}); page.flags&2 == 0 || len(streams) >= 64 {
				return nil, errSound
			}
			streams[page.serial] = s
		}
		var err error
		if out, err = s.take(out, page); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(values(streams), func(s *oggStream) bool { return s.done }) {
		return nil, errSound
	}
	return out, nil
}

func values(m map[uint32]*oggStream) []*oggStream {
	out := make([]*oggStream, 0, len(m))
	for _, s := range m {
		out = append(out, s)
	}
	return out
}

// readOggPage gives the page at the start of b and its length; 0: none is there.
func readOggPage(b []byte) (oggPage, int) {
	if len(b) < 27 || string(b[:4]) != "OggS" || b[4] != 0 {
		return oggPage{}, 0
	}
	n := 27 + int(b[26])
	if n > len(b) {
		return oggPage{}, 0
	}
	p := oggPage{flags: b[5], granule: binary.LittleEndian.Uint64(b[6:]), serial: binary.LittleEndian.Uint32(b[14:]), segments: b[27:n]}
	size := 0
	for _, s := range p.segments {
		size += int(s)
	}
	if n+size > len(b) {
		return oggPage{}, 0
	}
	p.data = b[n : n+size]
	return p, n + size
}

// take adds a page to its stream.
func (s *oggStream) take(out []byte, p oggPage) ([]byte, error) {
	if s.ended {
		return nil, errSound
	}
	s.ended = p.flags&4 != 0
	if s.done {
		return s.write(out, p), nil
	}
	at := 0
	for i, size := range p.segments {
		s.part = append(s.part, p.data[at:at+int(size)]...)
		at += int(size)
		if len(s.part) > maxHeaders {
			return nil, errBomb
		}
		if size == 255 {
			continue
		}
		s.packets, s.part = append(s.packets, s.part), nil
		if len(s.packets) == 1 && !s.begin() {
			return nil, errUncleanM
		}
		if len(s.packets) > 64 {
			return nil, errSound
		}
		if !s.whole() {
			continue
		}
		if i != len(p.segments)-1 { // sound begins on a page of its own
			return nil, errSound
		}
		return s.headers(out, p.serial)
	}
	return out, nil
}

// begin knows the codec by its first packet.
func (s *oggStream) begin() bool {
	p := s.packets[0]
	switch {
	case bytes.HasPrefix(p, []byte("OpusHead")):
		s.kind, s.want = "opus", 2
	case bytes.HasPrefix(p, []byte("\x01vorbis")):
		s.kind, s.want = "vorbis", 3
	case bytes.HasPrefix(p, []byte("Speex   ")) && len(p) >= 80:
		s.kind, s.want = "speex", 2
		clear(p[8:28]) // the encoder's version, as text
		if extra := binary.LittleEndian.Uint32(p[68:]); extra != 0 {
			return false
		}
	case bytes.HasPrefix(p, []byte("\x7fFLAC")) && len(p) >= 13+38:
		s.kind = "flac"
	default:
		return false
	}
	return true
}

// whole says whether all headers are there. FLAC marks its last one.
func (s *oggStream) whole() bool {
	if s.kind == "flac" {
		last := s.packets[len(s.packets)-1]
		return len(s.packets) > 1 && len(last) > 0 && last[0]&0x80 != 0
	}
	return len(s.packets) == s.want
}

// headers writes the first packets, with no comment.
func (s *oggStream) headers(out []byte, serial uint32) ([]byte, error) {
	comment := s.packets[1]
	nothing := make([]byte, 8) // no maker, no comment
	switch s.kind {
	case "opus":
		if !bytes.HasPrefix(comment, []byte("OpusTags")) {
			return nil, errSound
		}
		s.packets[1] = append([]byte("OpusTags"), nothing...)
	case "vorbis":
		if !bytes.HasPrefix(comment, []byte("\x03vorbis")) || !bytes.HasPrefix(s.packets[2], []byte("\x05vorbis")) {
			return nil, errSound
		}
		s.packets[1] = append(append([]byte("\x03vorbis"), nothing...), 1)
	case "speex":
		s.packets[1] = nothing
	case "flac":
		binary.BigEndian.PutUint16(s.packets[0][7:], 1)
		s.packets = [][]byte{s.packets[0], append([]byte{0x80 | 4, 0, 0, 8}, nothing...)}
	}
	out = s.write(out, oggPage{flags: 2, serial: serial, segments: lacing(len(s.packets[0])), data: s.packets[0]})
	for _, p := range s.packets[1:] {
		out = s.packet(out, serial, p)
	}
	s.packets, s.done = nil, true
	return out, nil
}

// packet writes one packet on pages of its own.
func (s *oggStream) packet(out []byte, serial uint32, p []byte) []byte {
	segments, flags := lacing(len(p)), byte(0)
	for len(segments) > 0 {
		n := min(len(segments), 255)
		page := oggPage{flags: flags, serial: serial, segments: segments[:n]}
		size := 0
		for _, x := range page.segments {
			size += int(x)
		}
		page.data, p, segments, flags = p[:size], p[size:], segments[n:], 1
		if len(segments) > 0 {
			page.granule = 1<<64 - 1 // no packet ends here
		}
		out = s.write(out, page)
	}
	return out
}

func lacing(n int) []byte { return append(bytes.Repeat([]byte{255}, n/255), byte(n%255)) }

func (s *oggStream) write(out []byte, p oggPage) []byte {
	start := len(out)
	out = append(out, "OggS\x00"...)
	out = append(out, p.flags)
	out = binary.LittleEndian.AppendUint64(out, p.granule)
	out = binary.LittleEndian.AppendUint32(out, p.serial)
	out = binary.LittleEndian.AppendUint32(out, s.sequence)
	out = append(out, 0, 0, 0, 0, byte(len(p.segments)))
	out = append(out, p.segments...)
	out = append(out, p.data...)
	binary.LittleEndian.PutUint32(out[start+22:], oggSum(out[start:]))
	s.sequence++
	return out
}

var oggTable = func() (t [256]uint32) {
	for i := range t {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		t[i] = r
	}
	return t
}()

// oggSum is Ogg's own way of CRC-32 (RFC 3533, 6: not reflected, from zero).
func oggSum(b []byte) uint32 {
	sum := uint32(0)
	for _, c := range b {
		sum = sum<<8 ^ oggTable[byte(sum>>24)^c]
	}
	return sum
}
