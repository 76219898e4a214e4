package attachments

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"banyan/internal/fault"
)

// TestRealFilesStayReadable takes the files of a folder that is named by hand
// (BANYAN_ATTACHMENTS) and says what becomes of each; the copies go to another
// (BANYAN_ATTACHMENTS_OUT), to be looked at. Files of real programs are not ours
// to keep here.
func TestRealFilesStayReadable(t *testing.T) {
	dir := os.Getenv("BANYAN_ATTACHMENTS")
	if dir == "" {
		t.Skip("name a folder of files with BANYAN_ATTACHMENTS")
	}
	kept, refused := 0, 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, ".clean") {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		start := time.Now()
		f, err := Examine(body)
		took := time.Since(start)
		if err != nil {
			refused++
			if code := fault.CodeOf(err); code != fault.Misuse && code != fault.TooLarge {
				t.Errorf("%s: %v", name, err)
			}
			t.Logf("%s (%d bytes, %v): refused: %s", name, len(body), took.Round(time.Millisecond), words(err))
			return nil
		}
		kept++
		t.Logf("%s: %s, %d bytes, copy %d, %v", name, f.Media, len(body), len(f.Copy), took.Round(time.Millisecond))
		if f.Copy != nil && !strings.HasPrefix(f.As, "image/") {
			again, err := Examine(f.Copy)
			if err != nil || !bytes.Equal(again.Copy, f.Copy) {
				t.Errorf("%s: the copy of the copy is another: %v", name, err)
			}
		}
		if f.Media == "application/pdf" {
			sameText(t, name, body, f.Copy)
		}
		if out := os.Getenv("BANYAN_ATTACHMENTS_OUT"); out != "" {
			return os.WriteFile(filepath.Join(out, strings.ReplaceAll(name, "/", "_")), f.Copy, 0o600)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kept, %d refused", kept, refused)
}

func words(err error) string {
	var e *fault.Error
	if e, _ = err.(*fault.Error); e != nil && len(e.Problems) > 0 {
		return e.Problems[0].Message
	}
	return err.Error()
}

// sameText holds a document's pages to the words of the original's, as another
// program reads them.
func sameText(t *testing.T, name string, original, copy []byte) {
	t.Helper()
	before, after := textOf(t, original), textOf(t, copy)
	if before != after {
		t.Errorf("%s: the copy has other words: %d characters, were %d", name, len(after), len(before))
	}
}

func textOf(t *testing.T, body []byte) string {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("pdftotext is not installed")
	}
	cmd := exec.Command(tool, "-", "-")
	cmd.Stdin = bytes.NewReader(body)
	out, _ := cmd.Output()
	return string(out)
}
