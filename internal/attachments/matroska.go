package attachments

// WebM and Matroska (RFC 9559). What is not on the lists below becomes an
// empty element of the same length, so that the index still holds. The encoder's
// names, which a file must have, become spaces.

import (
	"bytes"
	"math/bits"
)

// Elements, by their ids.
const (
	mkHeader, mkSegment                 = 0x1A45DFA3, 0x18538067
	mkVoid                              = 0xEC
	mkSeekHead, mkSeek, mkSeekID        = 0x114D9B74, 0x4DBB, 0x53AB
	mkInfo, mkMuxingApp, mkWritingApp   = 0x1549A966, 0x4D80, 0x5741
	mkTracks, mkTrackEntry, mkTrackType = 0x1654AE6B, 0xAE, 0x83
	mkCodecID, mkCodecPrivate           = 0x86, 0x63A2
	mkCluster, mkBlockGroup, mkCues     = 0x1F43B675, 0xA0, 0x1C53BB6B
	mkDocType                           = 0x4282
)

// mkKept are the elements that stay, by what they stand in; 0 is the file.
var mkKept = map[uint32][]uint32{
	0:            {mkHeader, mkSegment},
	mkHeader:     {0x4286, 0x42F7, 0x42F2, 0x42F3, mkDocType, 0x4287, 0x4285},
	mkSegment:    {mkSeekHead, mkInfo, mkTracks, mkCluster, mkCues},
	mkSeekHead:   {mkSeek},
	mkSeek:       {mkSeekID, 0x53AC},
	mkInfo:       {0x2AD7B1, 0x4489, mkMuxingApp, mkWritingApp},
	mkTracks:     {mkTrackEntry},
	mkTrackEntry: {0xD7, 0x73C5, mkTrackType, 0xB9, 0x88, 0x55AA, 0x55AB, 0x55AC, 0x9C, 0x6DE7, 0x6DF8, 0x23E383, 0x234E7A, 0x55EE, 0x22B59C, 0x22B59D, mkCodecID, mkCodecPrivate, 0xAA, 0x6D80, 0x56AA, 0x56BB, 0xE0, 0xE1},
	mkCluster:    {0xE7, 0xA7, 0xAB, 0xA3, mkBlockGroup},
	mkBlockGroup: {0xA1, 0x9B, 0xFA, 0xFB, 0x75A2},
	mkCues:       nil, // times and places, as they are
}

// mkLevel1 are what ends a cluster of unknown length.
var mkLevel1 = []uint32{mkSeekHead, mkInfo, mkTracks, mkCluster, mkCues, 0x1043A770, 0x1254C367, 0x1941A469, mkSegment, mkHeader}

const maxElements = 2_000_000

type mkFile struct {
	body     []byte
	elements int
	unclean  bool
	seen     map[uint32]bool
}

func kindOfMatroska(body []byte) string {
	if i := bytes.Index(body[:min(len(body), 64)], []byte("webm")); i > 0 {
		return "video/webm"
	}
	return "video/x-matroska"
}

func cleanMatroska(body []byte) ([]byte, error) {
	f := &mkFile{body: bytes.Clone(body), seen: map[uint32]bool{}}
	if at, ok := f.walk(0, 0, len(body), false); !ok || at != len(body) || !f.seen[mkTracks] {
		return nil, errMovie
	}
	if f.unclean {
		return nil, errUncleanM
	}
	return f.body, nil
}

// element reads an id and a size. unknown: its end is where it ends.
func (f *mkFile) element(at, to int) (id uint32, inside, end int, unknown, ok bool) {
	if at >= to {
		return
	}
	n := bits.LeadingZeros8(f.body[at]) + 1
	if n > 4 || at+n >= to {
		return
	}
	for _, c := range f.body[at : at+n] {
		id = id<<8 | uint32(c)
	}
	at += n
	n = bits.LeadingZeros8(f.body[at]) + 1
	if n > 8 || at+n > to {
		return
	}
	size, ones := uint64(f.body[at])&(1<<(8-n)-1), uint64(1)<<(7*n)-1
	for _, c := range f.body[at+1 : at+n] {
		size = size<<8 | uint64(c)
	}
	at += n
	if size == ones {
		return id, at, to, true, true
	}
	if size > uint64(to-at) {
		return
	}
	return id, at, at + int(size), false, true
}

// walk goes through the elements between two places and says where it ended.
func (f *mkFile) walk(in uint32, at, to int, open bool) (int, bool) {
	for at < to {
		id, inside, end, unknown, ok := f.element(at, to)
		if f.elements++; !ok || f.elements > maxElements {
			return at, false
		}
		if open && in == mkCluster && contains(mkLevel1, id) {
			return at, true
		}
		if unknown {
			if id != mkSegment && id != mkCluster || !contains(mkKept[in], id) {
				return at, false
			}
			next, ok := f.walk(id, inside, to, true)
			if !ok {
				return at, false
			}
			at = next
			continue
		}
		if !contains(mkKept[in], id) {
			void(f.body[at:end])
		} else if !f.kept(id, at, inside, end) {
			return at, false
		}
		at = end
	}
	return at, true
}

func (f *mkFile) kept(id uint32, at, inside, end int) bool {
	f.seen[id] = true
	switch id {
	case mkMuxingApp, mkWritingApp:
		for i := inside; i < end; i++ {
			f.body[i] = ' '
		}
		return true
	case mkSeek:
		if !f.pointsToKept(inside, end) {
			void(f.body[at:end])
		}
		return true
	case mkTrackEntry:
		return f.track(inside, end)
	}
	if list := mkKept[id]; list != nil {
		_, ok := f.walk(id, inside, end, false)
		return ok
	}
	return true
}

// pointsToKept says whether a place in the table of contents is one that stays.
func (f *mkFile) pointsToKept(at, to int) bool {
	for at < to {
		id, inside, end, unknown, ok := f.element(at, to)
		if !ok || unknown {
			return false
		}
		if id == mkSeekID {
			target := uint32(0)
			for _, c := range f.body[inside:min(end, inside+4)] {
				target = target<<8 | uint32(c)
			}
			return contains(mkKept[mkSegment], target)
		}
		at = end
	}
	return false
}

// track keeps pictures, sound and subtitles.
func (f *mkFile) track(from, to int) bool {
	kind, codec, private := byte(0), "", []byte(nil)
	for at := from; at < to; {
		id, inside, end, unknown, ok := f.element(at, to)
		if !ok || unknown {
			return false
		}
		switch {
		case id == mkTrackType && end == inside+1:
			kind = f.body[inside]
		case id == mkCodecID:
			codec = string(bytes.TrimRight(f.body[inside:end], "\x00"))
		case id == mkCodecPrivate:
			private = f.body[inside:end]
		}
		at = end
	}
	if kind != 1 && kind != 2 && kind != 17 {
		f.unclean = true
		return true
	}
	if !emptyPrivate(codec, private) {
		f.unclean = true
	}
	_, ok := f.walk(mkTrackEntry, from, to, false)
	return ok
}

// emptyPrivate empties the comments that two codecs carry in their set-up.
func emptyPrivate(codec string, b []byte) bool {
	switch codec {
	case "A_VORBIS":
		sizes, at, ok := xiphSizes(b)
		return ok && len(sizes) == 3 && emptyVorbis(b[at+sizes[0]:at+sizes[0]+sizes[1]])
	case "A_FLAC":
		if !bytes.HasPrefix(b, []byte("fLaC")) {
			return false
		}
		ok, _ := eachFLACBlock(b, func(kind byte, whole []byte) {
			if kind != flacStreamInfo && kind != flacSeekTable {
				whole[0] = whole[0]&0x80 | flacPadding
				clear(whole[4:])
			}
		})
		return ok
	}
	return true
}

// xiphSizes reads how a set-up of several packets is laid out (RFC 9559, 10.3).
func xiphSizes(b []byte) (sizes []int, at int, ok bool) {
	if len(b) < 1 || b[0] > 8 {
		return nil, 0, false
	}
	n, sum := int(b[0]), 0
	at = 1
	for range n {
		size := 0
		for {
			if at >= len(b) {
				return nil, 0, false
			}
			size += int(b[at])
			at++
			if b[at-1] != 255 {
				break
			}
		}
		sizes, sum = append(sizes, size), sum+size
	}
	if sum > len(b)-at {
		return nil, 0, false
	}
	return append(sizes, len(b)-at-sum), at, true
}

// emptyVorbis makes the comments of a Vorbis packet one long name of nobody, of
// the same length.
func emptyVorbis(p []byte) bool {
	if len(p) < 16 || string(p[:7]) != "\x03vorbis" {
		return false
	}
	name := len(p) - 16
	p[7], p[8], p[9], p[10] = byte(name), byte(name>>8), byte(name>>16), byte(name>>24)
	for i := range name {
		p[11+i] = ' '
	}
	copy(p[11+name:], "\x00\x00\x00\x00\x01")
	return true
}

// void makes an element empty, of the same length.
func void(b []byte) {
	n := len(b)
	clear(b)
	b[0] = mkVoid
	if n <= 128 {
		b[1] = 0x80 | byte(n-2)
		return
	}
	b[1] = 1
	for i, size := 8, n-9; i > 1; i-- {
		b[i] = byte(size)
		size >>= 8
	}
}

func contains(list []uint32, id uint32) bool {
	for _, x := range list {
		if x == id {
			return true
		}
	}
	return false
}
