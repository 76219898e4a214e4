package casework

// Files of a case are kept twice: the sealed original with its SHA-256, and a
// copy that holds nothing but what is seen or heard (internal/attachments),
// which is what people open and pass on. A text has nothing else and is kept
// once. The original is for a court: taking it has its own right, a fresh proof
// of who asks, and its own line in the access log. Files that came before there
// were copies of their kind get one when they are opened.

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"

	"banyan/internal/attachments"
	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/policy"
	"banyan/internal/store"
)

// Limits of a file.
const (
	MaxFile     = attachments.MaxFile
	maxFileName = 200 // characters
	mostDecoded = 2   // files examined at once: a few kilobytes can be 160 MB of pixels
)

// StoredFile answers an upload.
type StoredFile struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
	Name   string `json:"name"`
	Media  string `json:"media"`
	Size   int64  `json:"size"`
	State  string `json:"state" enum:"cleaned,plain" doc:"cleaned: people open a copy without hidden data; plain: there is nothing to take out"`
}

// States of a file, as the case page shows them.
const (
	fileCleaned    = "cleaned"
	filePlain      = "plain"
	fileWhenOpened = "when_opened"
)

// state says what people open of a file.
func (f FileRef) state() string {
	switch {
	case f.Clean != "" || strings.HasPrefix(f.Media, "image/"): // pictures always had a copy
		return fileCleaned
	case attachments.KeptAsItCame(f.Media):
		return filePlain
	}
	return fileWhenOpened
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
	out := StoredFile{ID: id, SHA256: digest(body), Name: cleanName(name), Media: k.Media, Size: int64(len(body)), State: filePlain}
	coded := map[string]any{"file": out.ID, "sha256": out.SHA256, "media": out.Media, "size": float64(out.Size), "tier": string(journal.Identity)}
	if k.Copy != nil {
		out.State, coded["clean"] = fileCleaned, digest(k.Copy)
	}
	d := actDraft(r, stream, actFile, id, s.now(), coded, "")
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

func (s *Service) sealBlobs(ctx context.Context, org, stream string, f StoredFile, body []byte, k attachments.File) ([]blob, error) {
	original, err := s.journal.SealBlob(ctx, org, stream, journal.Identity, blobLabel(f.ID, "original"), body)
	if err != nil {
		return nil, fmt.Errorf("sealing a file: %w", err)
	}
	out := []blob{{"original", k.Media, len(body), original}}
	if k.Copy == nil {
		return out, nil
	}
	clean, err := s.journal.SealBlob(ctx, org, stream, journal.Identity, blobLabel(f.ID, "clean"), k.Copy)
	if err != nil {
		return nil, fmt.Errorf("sealing a file: %w", err)
	}
	return append(out, blob{"clean", k.As, len(k.Copy), clean}), nil
}

func blobLabel(id, kind string) string { return "file|" + id + "|" + kind }

// OpenedFile is a file as it is shown.
type OpenedFile struct {
	Name, Media string
	Body        []byte
}

// File opens a file as people see it: the copy, or a text itself.
func (s *Service) File(ctx context.Context, r Reader, stream, id string) (OpenedFile, error) {
	out, kind, err := s.openFile(ctx, r, policy.Read, "file.open", stream, id, "clean")
	if err != nil || kind == "clean" || attachments.KeptAsItCame(out.Media) {
		return out, err
	}
	f, err := s.examine(ctx, out.Body) // kept before there were copies of its kind
	if fault.CodeOf(err) == fault.Misuse {
		return OpenedFile{}, fault.New(fault.Conflict, "no copy of this file can be made without its hidden data; who supervises the case can take it as it came")
	}
	if err != nil {
		return OpenedFile{}, err
	}
	out.Media, out.Body = f.As, f.Copy
	return out, nil
}

// OriginalFile opens a file as it came, for a court or a second look.
func (s *Service) OriginalFile(ctx context.Context, r Reader, stream, id string) (OpenedFile, error) {
	out, _, err := s.openFile(ctx, r, policy.Original, "file.original", stream, id, "original")
	return out, err
}

// openFile reads one of the two that are kept of a file; where there is no copy,
// the original. Which it was is said.
func (s *Service) openFile(ctx context.Context, r Reader, right policy.Action, as, stream, id, want string) (out OpenedFile, kind string, err error) {
	err = s.open(ctx, r, as, stream, func(tx *store.Tx, o *journal.Opener, st standing, tiers []journal.Tier, c *Case) error {
		i := slices.IndexFunc(c.Files, func(f FileRef) bool { return f.ID == id })
		if i < 0 || !slices.Contains(tiers, journal.Identity) || !slices.Contains(s.tiers(r, right, st, ""), journal.Identity) {
			return fault.Absent()
		}
		var sealed []byte
		err := tx.QueryRow(ctx, `SELECT kind, media, sealed FROM file_blob WHERE stream = $1 AND id = $2 AND kind IN ($3, 'original') ORDER BY kind LIMIT 1`, stream, id, want).Scan(&kind, &out.Media, &sealed)
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
	return out, kind, err
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

// examine is attachments.Examine when there is room for the pixels.
func (s *Service) examine(ctx context.Context, body []byte) (attachments.File, error) {
	select {
	case s.drawing <- struct{}{}:
		defer func() { <-s.drawing }()
		return attachments.Examine(body)
	case <-ctx.Done():
		return attachments.File{}, fault.Wrap(fault.Unavailable, "many pictures are being sent at once; send it again in a moment", ctx.Err())
	}
}
