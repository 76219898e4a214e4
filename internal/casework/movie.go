package casework

// Films of a phone say where they were taken. A film is not drawn anew; its
// copy has the boxes that speak of it (ISO/IEC 14496-12, 8.10 and 8.11: user
// data, metadata, private) emptied in place, so that the pictures and sounds
// stand where the film's index says. Photographs in the same container (HEIC,
// AVIF) cannot be drawn here, and are refused as other unknown pictures are.

import (
	"encoding/binary"
	"slices"
)

// pictureBrands are containers of photographs (ISO/IEC 23008-12, AV1 Image
// File Format), whatever else they say they can be read as.
var pictureBrands = []string{"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "mif2", "msf1", "avif", "avis"}

// withoutPlace gives a film's copy.
func withoutPlace(body []byte) ([]byte, error) {
	if len(body) < 12 || slices.Contains(pictureBrands, string(body[8:12])) {
		return nil, errKind
	}
	clean := slices.Clone(body)
	if !emptyBoxes(clean, 0) {
		return nil, errMovie
	}
	return clean, nil
}

// emptyBoxes walks one level of boxes. False: they do not fit into each other.
func emptyBoxes(b []byte, depth int) bool {
	for len(b) > 0 {
		head, size := 8, uint64(0)
		if len(b) < head {
			return false
		}
		size = uint64(binary.BigEndian.Uint32(b))
		switch {
		case size == 1 && len(b) >= 16:
			head, size = 16, binary.BigEndian.Uint64(b[8:])
		case size == 0: // up to the end
			size = uint64(len(b))
		}
		if size < uint64(head) || size > uint64(len(b)) {
			return false
		}
		inside := b[head:size]
		switch string(b[4:8]) {
		case "udta", "meta", "uuid":
			copy(b[4:8], "free")
			clear(inside)
		case "moov", "trak", "mdia", "moof", "traf":
			if depth >= 8 || !emptyBoxes(inside, depth+1) {
				return false
			}
		}
		b = b[size:]
	}
	return true
}
