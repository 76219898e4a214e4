package casework

// Files of a case are kept twice: the sealed original with its SHA-256, and,
// for pictures, a copy drawn anew, without metadata, which is what people see.
// What a file says of itself is not believed: its kind is read from its bytes,
// pictures are bounded before they are decoded, archives before they are kept.

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/image/webp"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Limits of a file.
const (
	MaxFile      = 20 << 20  // bytes
	maxPixels    = 40 << 20  // width × height, some 160 MB decoded
	maxSide      = 20_000    // pixels
	maxUnpacked  = 100 << 20 // bytes in an archive, all files together
	maxUnpackMul = 100       // times its size
	maxFileName  = 200       // characters
	mostDecoded  = 2         // pictures decoded at once: a few kilobytes can be 160 MB of pixels
)

// StoredFile answers an upload.
type StoredFile struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
	Name   string `json:"name"`
	Media  string `json:"media"`
	Size   int64  `json:"size"`
}

// kept is a file ready to be sealed.
type kept struct {
	media string
	clean []byte // nil: the original is shown
	as    string // media of clean
}

// AddFile keeps a file with a case. The writer makes its id, as for every
// entry, so that a file which a phone sends twice is kept once; without an id
// one is made here.
func (s *Service) AddFile(ctx context.Context, r Reader, stream, id, name string, body []byte) (StoredFile, error) {
	st, err := s.standingOf(ctx, s.db, r, stream)
	if err != nil {
		return StoredFile{}, err
	}
	if !slices.Contains(s.tiers(r, policy.WriteTo, st, ""), journal.Identity) {
		return StoredFile{}, fault.Absent()
	}
	if id == "" {
		id = newUUID()
	}
	if v, err := uuid.Parse(id); err != nil || v.Version() != 7 || v.String() != id {
		return StoredFile{}, fault.Field("id", "format", "an entry's id is a UUIDv7")
	}
	if len(body) == 0 {
		return StoredFile{}, fault.Field("file", "required", "the file is empty")
	}
	if len(body) > MaxFile {
		return StoredFile{}, fault.New(fault.TooLarge, "the file is larger than 20 MB")
	}
	k, err := s.examine(ctx, body)
	if err != nil {
		return StoredFile{}, err
	}
	out := StoredFile{ID: id, SHA256: digest(body), Name: cleanName(name), Media: k.media, Size: int64(len(body))}
	d := actDraft(r, stream, actFile, id, s.now(), map[string]any{"file": out.ID, "sha256": out.SHA256, "media": out.Media, "size": float64(out.Size), "tier": string(journal.Identity)}, "")
	d.Answers[journal.Identity] = map[string]any{"name": out.Name}
	if at, ok := s.sentBefore(ctx, id, stream, r.User); ok {
		d.WrittenAt = at
	}
	blobs, err := s.sealBlobs(ctx, st.org, stream, out, body, k)
	if err != nil {
		return StoredFile{}, err
	}
	var denied error
	results, err := s.appendAlso(ctx, r, st.org, []journal.Draft{d}, func(ctx context.Context, c *Case, _ []journal.Opened, d journal.Draft) (journal.Draft, error) {
		now, err := s.standingIn(ctx, r, c)
		if err != nil {
			return d, err
		}
		denied = nil
		if !slices.Contains(s.tiers(r, policy.WriteTo, now, ""), journal.Identity) {
			denied = fault.Absent()
			return d, denied
		}
		if c.State() == "closed" {
			return d, refuse("", "closed", "the case is closed; the supervisor can reopen it")
		}
		return d, nil
	}, func(ctx context.Context, tx *store.Tx, _ journal.Stream, _ []journal.Opened) error {
		for _, b := range blobs {
			if _, err := tx.Exec(ctx, `INSERT INTO file_blob (stream, id, kind, media, size, sealed) VALUES ($1, $2, $3, $4, $5, $6)`, stream, out.ID, b.kind, b.media, b.size, b.sealed); err != nil {
				return fmt.Errorf("keeping a file: %w", err)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return StoredFile{}, err
	case denied != nil:
		return StoredFile{}, denied
	case results[0].Status == string(journal.Refused):
		return StoredFile{}, &fault.Error{Code: fault.Conflict, Message: "the file cannot be added now", Problems: results[0].Problems}
	}
	if results[0].Status == string(journal.Already) {
		return out, s.sameFile(ctx, stream, out)
	}
	return out, nil
}

// sameFile holds a file that came again to the one that was kept under its id.
func (s *Service) sameFile(ctx context.Context, stream string, f StoredFile) error {
	var size int64
	err := s.db.QueryRow(ctx, `SELECT size FROM file_blob WHERE stream = $1 AND id = $2 AND kind = 'original'`, stream, f.ID).Scan(&size)
	if err != nil {
		return fmt.Errorf("looking for a file that was sent before: %w", err)
	}
	if size != f.Size {
		return fault.New(fault.Conflict, "another entry has this id")
	}
	return nil
}

type blob struct {
	kind, media string
	size        int
	sealed      []byte
}

func (s *Service) sealBlobs(ctx context.Context, org, stream string, f StoredFile, body []byte, k kept) ([]blob, error) {
	original, err := s.journal.SealBlob(ctx, org, stream, journal.Identity, blobLabel(f.ID, "original"), body)
	if err != nil {
		return nil, fmt.Errorf("sealing a file: %w", err)
	}
	out := []blob{{"original", k.media, len(body), original}}
	if k.clean == nil {
		return out, nil
	}
	clean, err := s.journal.SealBlob(ctx, org, stream, journal.Identity, blobLabel(f.ID, "clean"), k.clean)
	if err != nil {
		return nil, fmt.Errorf("sealing a file: %w", err)
	}
	return append(out, blob{"clean", k.as, len(k.clean), clean}), nil
}

func blobLabel(id, kind string) string { return "file|" + id + "|" + kind }

// OpenedFile is a file as it is shown.
type OpenedFile struct {
	Name, Media string
	Body        []byte
}

// File opens a file: the clean copy if there is one.
func (s *Service) File(ctx context.Context, r Reader, stream, id string) (OpenedFile, error) {
	var out OpenedFile
	err := s.open(ctx, r, "file.open", stream, func(tx *store.Tx, o *journal.Opener, _ standing, tiers []journal.Tier, c *Case) error {
		i := slices.IndexFunc(c.Files, func(f FileRef) bool { return f.ID == id })
		if i < 0 || !slices.Contains(tiers, journal.Identity) {
			return fault.Absent()
		}
		var kind string
		var sealed []byte
		err := tx.QueryRow(ctx, `SELECT kind, media, sealed FROM file_blob WHERE stream = $1 AND id = $2 ORDER BY kind LIMIT 1`, stream, id).Scan(&kind, &out.Media, &sealed)
		if err != nil {
			return fault.Absent()
		}
		out.Name = c.Files[i].Name
		out.Body, err = o.Unseal(ctx, stream, journal.Identity, blobLabel(id, kind), sealed)
		if err != nil {
			return fmt.Errorf("opening a file: %w", err)
		}
		if out.Body == nil {
			return fault.Absent()
		}
		return nil
	})
	return out, err
}

// cleanName keeps the last part of a name, on one line.
func cleanName(name string) string {
	name = filepath.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), "\\", "/"))
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '"' || r == '<' || r == '>' || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, name)
	if r := []rune(name); len(r) > maxFileName {
		name = string(r[:maxFileName])
	}
	if name == "" || name == "." || name == "/" {
		return "file"
	}
	return name
}

var errKind = fault.Field("file", "media", "this kind of file is not kept: send a picture, PDF, sound, text or office document")

var errPicture = fault.Field("file", "picture", "the picture is damaged, or too large to be drawn safely")

var errMovie = fault.Field("file", "film", "the film is damaged, or cut short")

// examine is examine when there is room for the pixels.
func (s *Service) examine(ctx context.Context, body []byte) (kept, error) {
	select {
	case s.drawing <- struct{}{}:
		defer func() { <-s.drawing }()
		return examine(body)
	case <-ctx.Done():
		return kept{}, fault.Wrap(fault.Unavailable, "many pictures are being sent at once; send it again in a moment", ctx.Err())
	}
}

// examine finds what a file is by its bytes, and makes the clean copy.
func examine(body []byte) (kept, error) {
	media := http.DetectContentType(body)
	media, _, _ = strings.Cut(media, ";")
	switch media {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		clean, as, err := redraw(body, media)
		return kept{media, clean, as}, err
	case "video/mp4":
		clean, err := withoutPlace(body)
		return kept{media, clean, media}, err
	case "application/pdf", "audio/mpeg", "audio/wave", "application/ogg", "video/webm":
		return kept{media: media}, nil
	case "text/plain":
		if !utf8.Valid(body) {
			return kept{}, fault.Field("file", "utf8", "the text is not valid UTF-8")
		}
		if bytes.HasPrefix(bytes.TrimLeft(body, "\ufeff \t\r\n"), []byte("<")) {
			return kept{}, errKind // a page or a drawing, which may carry a script
		}
		return kept{media: media}, nil
	case "application/zip":
		return examineArchive(body)
	}
	return kept{}, errKind
}

// redraw decodes a picture within bounds and encodes it again: what is left
// has pixels and nothing else.
func redraw(body []byte, media string) (clean []byte, as string, err error) {
	bounds := map[string]func(io.Reader) (image.Config, error){"image/jpeg": jpeg.DecodeConfig, "image/png": png.DecodeConfig, "image/gif": gif.DecodeConfig, "image/webp": webp.DecodeConfig}
	decode := map[string]func(io.Reader) (image.Image, error){"image/jpeg": jpeg.Decode, "image/png": png.Decode, "image/gif": gif.Decode, "image/webp": webp.Decode}
	config, err := bounds[media](bytes.NewReader(body))
	if err != nil || config.Width < 1 || config.Height < 1 || config.Width > maxSide || config.Height > maxSide || config.Width*config.Height > maxPixels {
		return nil, "", errPicture
	}
	picture, err := decode[media](bytes.NewReader(body))
	if err != nil {
		return nil, "", errPicture
	}
	var out bytes.Buffer
	if media == "image/jpeg" {
		picture = upright(picture, orientation(body))
		if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 85}); err != nil {
			return nil, "", fmt.Errorf("drawing a picture anew: %w", err)
		}
		return out.Bytes(), "image/jpeg", nil
	}
	if err := png.Encode(&out, picture); err != nil {
		return nil, "", fmt.Errorf("drawing a picture anew: %w", err)
	}
	return out.Bytes(), "image/png", nil
}

// orientation reads the one thing of a JPEG's metadata that must be drawn
// into the copy: how the camera was held (Exif 2.3, tag 0x0112).
func orientation(body []byte) int {
	i := bytes.Index(body[:min(len(body), 64<<10)], []byte("Exif\x00\x00"))
	if i < 0 {
		return 1
	}
	tiff := body[i+6:]
	if len(tiff) < 8 {
		return 1
	}
	big := string(tiff[:2]) == "MM"
	u16 := func(at int) int {
		if at < 0 || at+2 > len(tiff) {
			return 0
		}
		if big {
			return int(tiff[at])<<8 | int(tiff[at+1])
		}
		return int(tiff[at+1])<<8 | int(tiff[at])
	}
	ifd := u16(6) | u16(4)<<16
	if big {
		ifd = u16(4)<<16 | u16(6)
	}
	if ifd < 8 || ifd > len(tiff)-2 {
		return 1
	}
	for n, at := u16(ifd), ifd+2; n > 0 && at+12 <= len(tiff); n, at = n-1, at+12 {
		if u16(at) == 0x0112 {
			if v := u16(at + 8); v >= 1 && v <= 8 {
				return v
			}
		}
	}
	return 1
}

// turned is a picture seen upright.
type turned struct {
	image.Image
	how int
}

func upright(p image.Image, how int) image.Image {
	if how <= 1 {
		return p
	}
	return turned{p, how}
}

// Bounds of the turned picture.
func (t turned) Bounds() image.Rectangle {
	b := t.Image.Bounds()
	if t.how >= 5 {
		return image.Rect(0, 0, b.Dy(), b.Dx())
	}
	return image.Rect(0, 0, b.Dx(), b.Dy())
}

// At gives a pixel of the upright picture (Exif 2.3, values 2 to 8).
func (t turned) At(x, y int) color.Color {
	b := t.Image.Bounds()
	w, h := b.Dx()-1, b.Dy()-1
	switch t.how {
	case 2:
		x = w - x
	case 3:
		x, y = w-x, h-y
	case 4:
		y = h - y
	case 5:
		x, y = y, x
	case 6:
		x, y = y, h-x
	case 7:
		x, y = w-y, h-x
	case 8:
		x, y = w-y, x
	}
	return t.Image.At(b.Min.X+x, b.Min.Y+y)
}

// examineArchive takes office documents, which are archives, and refuses those
// that unpack to far more than they are.
func examineArchive(body []byte) (kept, error) {
	refused := fault.Field("file", "archive", "archives are not kept; send the documents one by one")
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return kept{}, refused
	}
	var total uint64
	media := ""
	for _, f := range z.File {
		total += f.UncompressedSize64
		if total > maxUnpacked || total > uint64(len(body))*maxUnpackMul {
			return kept{}, fault.Field("file", "bomb", "the document unpacks to far more than it should")
		}
		switch {
		case strings.HasPrefix(f.Name, "word/"):
			media = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
		case strings.HasPrefix(f.Name, "xl/"):
			media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		case f.Name == "mimetype" && f.UncompressedSize64 < 100:
			if text, err := readSmall(f); err == nil && strings.HasPrefix(text, "application/vnd.oasis.opendocument.") {
				media = text
			}
		case strings.HasSuffix(strings.ToLower(f.Name), "vbaproject.bin"):
			return kept{}, fault.Field("file", "macro", "documents with macros are not kept")
		}
	}
	if media == "" {
		return kept{}, refused
	}
	return kept{media: media}, nil
}

func readSmall(f *zip.File) (string, error) {
	rc, err := f.Open()
	if err != nil {
		return "", err
	}
	defer rc.Close()
	text, err := io.ReadAll(io.LimitReader(rc, 100))
	if err != nil {
		return "", errors.New("the archive cannot be read")
	}
	return strings.TrimSpace(string(text)), nil
}
