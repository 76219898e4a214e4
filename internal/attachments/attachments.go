// Package attachments makes of a file that somebody sends a copy which says
// nothing but what a reader sees or hears.
//
// A photograph says where it was taken, a letter who wrote it and when, a sound
// which telephone recorded it: that is the way to the shelter. Each file of a
// case is therefore kept twice: the original, sealed, for a court; and the copy
// made here, which is what people open and pass on. A file of which no such
// copy can be made is refused with what to do instead: a file that stays hidden
// from those who work with it helps nobody, and one that is shown as it came
// may betray a child.
//
// What a file calls itself is not believed: its kind is read from its bytes.
// Where the format allows it, the copy has only what is on a list of parts that
// are needed (frames of sound, boxes of a film, keys of a PDF page); everything
// else, known or not, is gone or zero. Making the copy of a copy changes
// nothing (photographs, which are drawn anew, are the exception).
//
//	picture   JPEG, PNG, GIF, WebP   decoded and drawn anew
//	          HEIC, HEIF, AVIF       all items but the pictures emptied
//	film      MP4, QuickTime, 3GP    boxes not on the list emptied, tracks of
//	          WebM, Matroska         anything but pictures, sound, subtitles too
//	sound     MP3, AAC, AMR          the frames alone
//	          WAV, FLAC, Ogg, M4A    the sound and how to read it
//	document  PDF                    written anew from its pages
//	          docx, xlsx, pptx       part by part, authors and dates out
//	          odt, ods, odp
//	text      text, CSV              as it came: it holds nothing hidden
//
// What is not looked for: words in the pixels or the voice themselves, data
// woven into compressed pictures or sound (a film's SEI messages, watermarks),
// and names in a document's own text.
package attachments

import (
	"unicode/utf8"

	"banyan/internal/fault"
)

// Limits of a file.
const (
	MaxFile     = 20 << 20 // bytes
	maxCopy     = 60 << 20 // bytes of a copy, which packs less tightly
	maxUnpacked = 100 << 20
)

// File is what was found: the kind of the original, and the copy.
type File struct {
	Media string
	Copy  []byte // nil: the original holds nothing but what is seen, and is shown
	As    string // media of Copy
}

// The faults of a file. Each says what to do.
var (
	errKind     = fault.Field("file", "media", "this kind of file is not kept: send a picture, film, PDF, sound, text or office document")
	errPicture  = fault.Field("file", "picture", "the picture is damaged, or too large to be drawn safely")
	errMovie    = fault.Field("file", "film", "the film is damaged, or cut short")
	errSound    = fault.Field("file", "sound", "the sound is damaged, or cut short")
	errDocument = fault.Field("file", "document", "the document is damaged: open it, print it to a PDF, and send that")
	errUnclean  = fault.Field("file", "unclean", "the hidden data of this file cannot be taken out: print the document to a PDF, or photograph its pages, and send that")
	errUncleanM = fault.Field("file", "unclean", "the hidden data of this recording cannot be taken out: save it as MP4 or MP3 and send that")
	errUncleanP = fault.Field("file", "unclean", "the hidden data of this photograph cannot be taken out: save it as JPEG and send that")
	errLocked   = fault.Field("file", "locked", "the document is locked with a password: save it without one, or print it to a PDF, and send that")
	errOld      = fault.Field("file", "old", "documents in this old format are not kept: save it as a PDF, docx, xlsx or pptx and send that")
	errMacro    = fault.Field("file", "macro", "documents with macros are not kept: print it to a PDF and send that")
	errArchive  = fault.Field("file", "archive", "archives are not kept; send the documents one by one")
	errBomb     = fault.Field("file", "bomb", "the document unpacks to far more than it should")
	errUTF8     = fault.Field("file", "utf8", "the text is not valid UTF-8")
)

// Examine finds what a file is and makes its copy.
func Examine(body []byte) (File, error) {
	if len(body) > MaxFile {
		return File{}, fault.New(fault.TooLarge, "the file is larger than 20 MB")
	}
	left := int64(min(maxUnpacked, len(body)*maxUnpackMul))
	return examine(body, 0, &left)
}

// maxNested is how deep documents may stand in documents: a chart's table in a
// presentation is one, and no more is needed.
const maxNested = 1

// examine does so; left is what archives may still unpack, those in it included.
func examine(body []byte, depth int, left *int64) (File, error) {
	media, err := kindOf(body)
	if err != nil {
		return File{}, err
	}
	clean, as := []byte(nil), media
	switch media {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		clean, as, err = redraw(body, media)
	case "image/heic", "image/avif":
		clean, err = cleanBoxes(body, true)
	case "video/mp4", "video/quicktime", "video/3gpp", "audio/mp4":
		clean, err = cleanBoxes(body, false)
	case "video/webm", "video/x-matroska":
		clean, err = cleanMatroska(body)
	case "audio/mpeg", "audio/aac":
		clean, err = cleanFrames(body)
	case "audio/amr", "audio/amr-wb":
		clean, err = cleanAMR(body)
	case "audio/wave":
		clean, err = cleanWAV(body)
	case "audio/flac":
		clean, err = cleanFLAC(body)
	case "audio/ogg":
		clean, err = cleanOgg(body)
	case "application/pdf":
		clean, err = cleanPDF(body)
	case "application/zip":
		clean, media, err = cleanOffice(body, depth, left)
		as = media
	case "text/plain":
		if !utf8.Valid(body) {
			return File{}, errUTF8
		}
		return File{Media: media}, nil
	}
	if err != nil {
		return File{}, err
	}
	if len(clean) > maxCopy {
		return File{}, errBomb
	}
	return File{Media: media, Copy: clean, As: as}, nil
}

// KeptAsItCame says whether a file of that kind holds nothing hidden, so that
// its original is what people open.
func KeptAsItCame(media string) bool { return media == "text/plain" }
