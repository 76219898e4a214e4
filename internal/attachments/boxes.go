package attachments

// Films, sound and photographs in boxes (ISO/IEC 14496-12, QuickTime, ISO/IEC
// 23008-12). They are not drawn anew: the copy is as long as the original, so
// that everything stands where the indexes say, and what is not on the lists
// below is emptied in place. Boxes that are needed are kept; of the media data
// ("mdat") only the bytes that a kept track or picture points to are kept,
// which empties Exif, places that a camera writes along (GoPro, Android), and
// whatever nobody points to.

import (
	"encoding/binary"
	"slices"
)

// kept boxes, by what they stand in. A box that holds boxes has a list here.
var keptBoxes = map[string][]string{
	"":     {"ftyp", "styp", "moov", "moof", "mdat", "sidx", "mfra", "meta", "free"},
	"moov": {"mvhd", "trak", "mvex"},
	"trak": {"tkhd", "edts", "mdia"},
	"edts": {"elst"},
	"mdia": {"mdhd", "hdlr", "minf"},
	"minf": {"vmhd", "smhd", "hmhd", "nmhd", "sthd", "gmhd", "hdlr", "dinf", "stbl"},
	"dinf": {"dref"},
	"gmhd": {"gmin"},
	"stbl": {"stsd", "stts", "ctts", "cslg", "stsc", "stsz", "stz2", "stco", "co64", "stss", "stsh", "stdp", "sdtp", "sbgp", "sgpd", "subs", "stps"},
	"mvex": {"mehd", "trex", "leva"},
	"moof": {"mfhd", "traf"},
	"traf": {"tfhd", "tfdt", "trun", "sdtp", "sbgp", "sgpd", "subs"},
	"mfra": {"tfra", "mfro"},
	"meta": {"hdlr", "pitm", "iloc", "iinf", "iref", "iprp", "idat", "grpl", "dinf"},
	"iprp": {"ipco", "ipma"},
	"iinf": {"infe"},
	"ipco": {"ispe", "pixi", "colr", "hvcC", "av1C", "avcC", "jpgC", "irot", "imir", "pasp", "clap", "auxC", "clli", "mdcv", "cclv", "a1op", "a1lx", "lsel", "lhvC", "oinf", "tols", "rloc", "amve", "uncC", "cmpd"},
}

// Tracks that are seen or heard; all others (timed metadata, time codes) go.
var keptTracks = []string{"vide", "soun", "text", "sbtl", "subt", "clcp", "pict", "auxv"}

// pictureItems are the kinds of an item in a photograph's file that are pixels.
var pictureItems = []string{"hvc1", "av01", "avc1", "jpeg", "grid", "iden", "iovl", "unci", "lhv1", "tmap"}

const (
	maxBoxes  = 200_000
	maxRanges = 2_000_000 // chunks and extents
)

// span is a range of bytes of the file.
type span struct{ from, to int }

type boxFile struct {
	body      []byte
	kept      []span // of media data
	media     []span // where media data stands
	moved     bool   // media data is found by fragments, which name no absolute place
	dropped   bool   // a track was emptied
	boxes     int
	items     map[uint32]bool // pictures
	idat      int             // where the item data stands
	unclean   bool            // the box is well formed, and nothing can be promised of it
	depth     int
	described bool // there is an index: media data without one is not shown
}

// cleanBoxes empties a copy of a film, or of a photograph.
func cleanBoxes(body []byte, photograph bool) ([]byte, error) {
	damaged, unclean := errMovie, errUncleanM
	if photograph {
		damaged, unclean = errPicture, errUncleanP
	}
	f := &boxFile{body: slices.Clone(body), items: map[uint32]bool{}, idat: -1}
	if !f.walk("", 0, len(body)) || !f.described {
		return nil, damaged
	}
	if f.unclean || f.moved && f.dropped {
		return nil, unclean
	}
	if !f.moved {
		f.emptyRest()
	}
	return f.body, nil
}

// walk goes through the boxes between two places. False: they do not fit.
func (f *boxFile) walk(in string, from, to int) bool {
	if f.depth++; f.depth > 12 {
		return false
	}
	defer func() { f.depth-- }()
	return eachBox(f.body[from:to], func(kind string, at int, whole, inside []byte) bool {
		if f.boxes++; f.boxes > maxBoxes {
			return false
		}
		start := from + at + len(whole) - len(inside)
		if !slices.Contains(keptBoxes[in], kind) {
			empty(whole, inside)
			return true
		}
		return f.box(in, kind, start, whole, inside)
	})
}

func empty(whole, inside []byte) {
	copy(whole[4:8], "free")
	clear(inside)
}

// box looks at one box that may stay.
func (f *boxFile) box(in, kind string, start int, whole, inside []byte) bool {
	end := start + len(inside)
	switch kind {
	case "free":
		clear(inside)
	case "mdat":
		f.media = append(f.media, span{start, end})
	case "mvhd", "tkhd", "mdhd":
		return noTimes(inside)
	case "hdlr":
		if len(inside) < 20 {
			return false
		}
		clear(inside[12:]) // maker, flags and the name, which cameras sign
	case "dref":
		return f.onlySelf(inside)
	case "stsd":
		return noCompressorNames(inside)
	case "trak":
		return f.track(start, whole, inside)
	case "moov":
		f.described = true
		return f.walk(kind, start, end)
	case "moof":
		f.moved, f.described = true, true
		return f.walk(kind, start, end)
	case "meta":
		if in == "" {
			return f.still(start, whole, inside)
		}
	case "infe", "iloc", "idat", "ipma", "iref", "pitm", "grpl":
	default:
		if _, holds := keptBoxes[kind]; holds && kind != "iinf" {
			return f.walk(kind, start, end)
		}
	}
	return true
}

// noTimes empties when a film was made (version 0: two 32-bit times, 1: two of
// 64 bits).
func noTimes(b []byte) bool {
	if len(b) < 20 {
		return false
	}
	if b[0] == 1 {
		clear(b[4:20])
	} else {
		clear(b[4:12])
	}
	return true
}

// onlySelf holds that all media data is in the file itself: a reference to
// another place would be a path of the maker's disk, or a call to a server.
func (f *boxFile) onlySelf(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	return eachBox(b[8:], func(kind string, _ int, whole, inside []byte) bool {
		if len(inside) < 4 {
			return false
		}
		if inside[3]&1 == 0 {
			f.unclean = true
		}
		clear(inside[4:])
		return true
	})
}

// noCompressorNames empties the name that the encoder gives itself in a
// picture's sample entry (ISO/IEC 14496-12, 12.1.3).
func noCompressorNames(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	return eachBox(b[8:], func(kind string, _ int, _, inside []byte) bool {
		switch kind {
		case "avc1", "avc2", "avc3", "hvc1", "hev1", "av01", "vp08", "vp09", "mp4v", "s263", "jpeg", "mjp2", "mjpa", "dvh1", "dvhe", "apch", "apcn", "apcs":
			if len(inside) < 78 {
				return false
			}
			clear(inside[12:16]) // QuickTime's vendor
			clear(inside[42:74])
		}
		return true
	})
}

// track keeps one that is seen or heard, with the ranges of its samples.
func (f *boxFile) track(start int, whole, inside []byte) bool {
	handler := find(inside, "mdia", "hdlr")
	if len(handler) < 12 || !slices.Contains(keptTracks, string(handler[8:12])) {
		empty(whole, inside)
		f.dropped = true
		return true
	}
	table := find(inside, "mdia", "minf", "stbl")
	f.unclean = f.unclean || string(handler[8:12]) == "soun" && oldSound(table)
	spans, ok := samples(table, maxRanges-len(f.kept))
	if !ok {
		return false
	}
	f.kept = append(f.kept, spans...)
	return f.walk("trak", start, start+len(inside))
}

// oldSound says whether a sound's samples are counted one by one although each
// takes more than a byte (QuickTime's uncompressed sound and early codecs), so
// that the table does not say where they end.
func oldSound(table []byte) bool {
	size := find(table, "stsz")
	return len(size) >= 12 && u32(size, 4) > 0 && u32(size, 4) < 8 && u32(size, 8) > 0
}

// find descends to a box by its names; nil: there is none.
func find(b []byte, names ...string) []byte {
	for _, name := range names {
		var in []byte
		ok := eachBox(b, func(kind string, _ int, _, inside []byte) bool {
			if kind == name && in == nil {
				in = inside
			}
			return true
		})
		if !ok || in == nil {
			return nil
		}
		b = in
	}
	return b
}

// samples gives where a track's samples stand, chunk by chunk.
func samples(table []byte, most int) ([]span, bool) {
	size, runs := find(table, "stsz"), find(table, "stsc")
	places, wide := find(table, "stco"), 4
	if places == nil {
		places, wide = find(table, "co64"), 8
	}
	if table == nil || places == nil {
		return nil, table == nil || size == nil || len(size) >= 12 && u32(size, 8) == 0 // an empty track, or fragments hold all
	}
	fixed, sizes, ok := sampleSizes(size, find(table, "stz2"))
	if !ok || len(runs) < 8 || len(places) < 8 {
		return nil, false
	}
	chunks, n := int(u32(places, 4)), int(u32(runs, 4))
	if chunks > (len(places)-8)/wide || n > (len(runs)-8)/12 || chunks > most {
		return nil, false
	}
	spans, run, sample := make([]span, 0, chunks), 0, 0
	for c := range chunks {
		for run+1 < n && int(u32(runs, 8+12*(run+1))) <= c+1 {
			run++
		}
		if n == 0 {
			return nil, false
		}
		in, length := int(u32(runs, 8+12*run+4)), 0
		if fixed > 0 {
			length = fixed * min(in, 1<<30)
		} else {
			for ; in > 0 && sample < len(sizes); in-- {
				length += sizes[sample]
				sample++
			}
		}
		from := int(u32(places, 8+wide*c))
		if wide == 8 {
			from = int(binary.BigEndian.Uint64(places[8+wide*c:]) & (1<<48 - 1))
		}
		spans = append(spans, span{from, from + length})
	}
	return spans, true
}

// sampleSizes reads stsz or stz2: one size for all, or each.
func sampleSizes(plain, compact []byte) (fixed int, each []int, ok bool) {
	switch {
	case len(plain) >= 12:
		fixed, n := int(u32(plain, 4)), int(u32(plain, 8))
		if fixed > 0 {
			return fixed, nil, true
		}
		if n > (len(plain)-12)/4 {
			return 0, nil, false
		}
		each = make([]int, n)
		for i := range each {
			each[i] = int(u32(plain, 12+4*i))
		}
		return 0, each, true
	case len(compact) >= 12:
		bits, n := int(compact[7]), int(u32(compact, 8))
		if bits != 4 && bits != 8 && bits != 16 || n > (len(compact)-12)*8/bits {
			return 0, nil, false
		}
		each = make([]int, n)
		for i := range each {
			switch bits {
			case 4:
				each[i] = int(compact[12+i/2]) >> (4 * (1 - i%2)) & 15
			case 8:
				each[i] = int(compact[12+i])
			case 16:
				each[i] = int(binary.BigEndian.Uint16(compact[12+2*i:]))
			}
		}
		return 0, each, true
	}
	return 0, nil, false
}

// still keeps the pictures of a photograph's file.
func (f *boxFile) still(start int, whole, inside []byte) bool {
	handler := []byte(nil)
	if len(inside) >= 4 {
		handler = find(inside[4:], "hdlr")
	}
	if len(handler) < 12 || string(handler[8:12]) != "pict" {
		empty(whole, inside) // what a QuickTime or MP4 file says of itself
		return true
	}
	f.described = true
	info, places := find(inside[4:], "iinf"), find(inside[4:], "iloc")
	if !f.itemKinds(info) {
		return false
	}
	if data := find(inside[4:], "idat"); data != nil {
		f.idat = offsetIn(f.body, data)
		f.media = append(f.media, span{f.idat, f.idat + len(data)})
	}
	return f.itemPlaces(places) && f.walk("meta", start+4, start+len(inside))
}

func offsetIn(whole, part []byte) int { return cap(whole) - cap(part) }

// itemKinds reads which items are pictures and empties the names of all.
func (f *boxFile) itemKinds(info []byte) bool {
	head := 6
	if len(info) > 0 && info[0] > 0 {
		head = 8
	}
	if len(info) < head {
		return false
	}
	return eachBox(info[head:], func(kind string, _ int, whole, b []byte) bool {
		if kind != "infe" {
			empty(whole, b)
			return true
		}
		if f.boxes++; f.boxes > maxBoxes || len(b) < 12 || b[0] < 2 {
			return false // versions 0 and 1 name no kind
		}
		id, at := uint32(b[4])<<8|uint32(b[5]), 8
		if b[0] >= 3 {
			id, at = u32(b, 4), 10
		}
		if len(b) < at+4 {
			return false
		}
		if slices.Contains(pictureItems, string(b[at:at+4])) {
			f.items[id] = true
		}
		clear(b[at+4:])
		return true
	})
}

// itemPlaces reads where the pictures' data stands (ISO/IEC 14496-12, 8.11.3).
func (f *boxFile) itemPlaces(b []byte) bool {
	r := reader{b: b}
	version := r.uint(1)
	r.uint(3)
	sizes := r.uint(2)
	offsetSize, lengthSize, baseSize, indexSize := sizes>>12, sizes>>8&15, sizes>>4&15, sizes&15
	count := r.uint(2)
	if version >= 2 {
		count = count<<16 | r.uint(2)
	}
	for range count {
		id := r.uint(2)
		if version >= 2 {
			id = id<<16 | r.uint(2)
		}
		method := 0
		if version >= 1 {
			method = r.uint(2) & 15
		}
		elsewhere := r.uint(2)
		base, extents := r.uint(baseSize), r.uint(2)
		for range extents {
			if version >= 1 {
				r.uint(indexSize)
			}
			from, length := base+r.uint(offsetSize), r.uint(lengthSize)
			if r.failed || len(f.kept) >= maxRanges {
				return false
			}
			if !f.items[uint32(id)] {
				continue
			}
			switch {
			case elsewhere != 0 || method > 1 || method == 1 && f.idat < 0:
				f.unclean = true
				continue
			case method == 1:
				from += f.idat
			}
			if lengthSize == 0 || length == 0 {
				length = len(f.body)
			}
			f.kept = append(f.kept, span{from, from + length})
		}
		if r.failed {
			return false
		}
	}
	return true
}

// emptyRest empties the media data that nothing kept points to.
func (f *boxFile) emptyRest() {
	byPlace := func(a, b span) int { return a.from - b.from }
	slices.SortFunc(f.kept, byPlace)
	slices.SortFunc(f.media, byPlace)
	i := 0
	for _, m := range f.media { // media boxes do not overlap
		at := m.from
		for ; i < len(f.kept) && f.kept[i].from < m.to; i++ {
			k := f.kept[i]
			if k.from > at {
				clear(f.body[at:k.from])
			}
			at = max(at, min(k.to, m.to))
			if k.to > m.to {
				break // the next one may begin inside of it
			}
		}
		clear(f.body[at:m.to])
	}
}

// eachBox goes over the boxes in b. False: they do not fit into each other, or
// do says so.
func eachBox(b []byte, do func(kind string, at int, whole, inside []byte) bool) bool {
	for at := 0; at < len(b); {
		rest := b[at:]
		if len(rest) < 8 {
			return allZero(rest) // QuickTime may end a list so
		}
		head, size := 8, uint64(u32(rest, 0))
		switch {
		case size == 1 && len(rest) >= 16:
			head, size = 16, binary.BigEndian.Uint64(rest[8:])
		case size == 0 && allZero(rest):
			return true
		case size == 0: // up to the end
			size = uint64(len(rest))
		}
		if size < uint64(head) || size > uint64(len(rest)) {
			return false
		}
		if !do(string(rest[4:8]), at, rest[:size], rest[head:size]) {
			return false
		}
		at += int(size)
	}
	return true
}

func allZero(b []byte) bool { return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }

func u32(b []byte, at int) uint32 { return binary.BigEndian.Uint32(b[at:]) }

// reader reads whole numbers, most significant byte first.
type reader struct {
	b      []byte
	at     int
	failed bool
}

func (r *reader) uint(size int) int {
	if r.failed || size > 8 || size > len(r.b)-r.at {
		r.failed = true
		return 0
	}
	v := uint64(0)
	for range size {
		v = v<<8 | uint64(r.b[r.at])
		r.at++
	}
	return int(v & (1<<48 - 1))
}
