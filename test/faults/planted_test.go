package faults

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"banyan/test/program"
)

// planted are names, places and phone numbers that nothing else in the
// program holds, in the scripts of the region.
var planted = []string{
	"Plantedsreyneang", "Plantednguyễnthịhạnh", "ប្លង់ធីតស្រីនាង", "ແພລນທິດນາງ", "แพลนทิดนางสาว", "ပလန့်တက်မမ", "प्लांटेडकुमारी", "প্লান্টেডকন্যা",
	"Plantedvillagepoipet", "phumplantedvillage", "+85512999321", "012999321", "plantedfacts", "plantedwish", "plantedreason", "plantedbody",
}

const plantedFile = "plantedpassport"

// forms of a word in which it could lie about: as it is, in lower case, as
// JSON and addresses escape it, in UTF-16 either way round, and in base64 at
// each of the three offsets.
func disguises(word string) map[string][]byte {
	out := map[string][]byte{"plain": []byte(word), "lower": []byte(strings.ToLower(word)), "escaped": []byte(url.PathEscape(word)), "query": []byte(url.QueryEscape(word))}
	quoted, _ := json.Marshal(word)
	out["json"] = quoted[1 : len(quoted)-1]
	var ascii strings.Builder
	var le, be []byte
	for _, u := range utf16.Encode([]rune(word)) {
		le, be = append(le, byte(u), byte(u>>8)), append(be, byte(u>>8), byte(u))
		if u < 0x80 {
			ascii.WriteByte(byte(u))
		} else {
			fmt.Fprintf(&ascii, `\u%04x`, u)
		}
	}
	out["json in ASCII"], out["UTF-16 LE"], out["UTF-16 BE"] = []byte(ascii.String()), le, be
	for shift := range 3 {
		padded := append(make([]byte, shift), word...)
		padded = padded[:len(padded)-len(padded)%3]
		text := base64.StdEncoding.EncodeToString(padded)
		out[fmt.Sprintf("base64 at %d", shift)] = []byte(text[4:])
		out[fmt.Sprintf("base64 for addresses at %d", shift)] = []byte(base64.URLEncoding.EncodeToString(padded)[4:])
	}
	seen := map[string]bool{}
	for as, needle := range out { // many are the same for a plain word
		if seen[string(needle)] {
			delete(out, as)
		}
		seen[string(needle)] = true
	}
	return out
}

// search looks for every disguise of every word in every file below the
// folders and in the texts, and says how many it looked through.
func search(t *testing.T, when string, texts map[string]string, folders ...string) {
	t.Helper()
	needles := map[string]map[string][]byte{}
	for _, word := range append([]string{plantedFile}, planted...) {
		needles[word] = disguises(word)
	}
	files, total := 0, 0
	look := func(name string, text []byte) {
		files, total = files+1, total+len(text)
		for word, forms := range needles {
			for as, needle := range forms {
				if bytes.Contains(text, needle) {
					t.Errorf("%s: %s holds %q (%s)", when, name, word, as)
					break
				}
			}
		}
	}
	for _, dir := range folders {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) { // a database server tidies up meanwhile
				return nil
			}
			if err != nil {
				return err
			}
			look("the name of "+filepath.Base(path), []byte(filepath.Base(path)))
			if d.IsDir() {
				return nil
			}
			if !d.Type().IsRegular() {
				return nil
			}
			text, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			look(filepath.Base(path), text)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range texts {
		if text == "" {
			t.Errorf("%s: %s is empty: nothing was looked through", when, name)
		}
		look(name, []byte(text))
	}
	t.Logf("%s: looked through %d names, files and texts, %d bytes, for %d words in up to 14 forms each", when, files, total, len(needles))
}

// TestTheSearchForPlantedWordsFindsThem holds the search itself to its task.
func TestTheSearchForPlantedWordsFindsThem(t *testing.T) {
	for _, word := range planted {
		inside := []byte("before " + word + " after")
		for shift := range 3 {
			text := base64.StdEncoding.EncodeToString(append(make([]byte, shift), inside...))
			found := false
			for _, needle := range disguises(word) {
				found = found || bytes.Contains([]byte(text), needle)
			}
			if !found {
				t.Errorf("%q in base64 at offset %d is not found", word, shift)
			}
		}
		quoted, _ := json.Marshal(map[string]string{"x": word})
		found := false
		for _, needle := range disguises(word) {
			found = found || bytes.Contains(quoted, needle)
		}
		if !found {
			t.Errorf("%q in JSON is not found", word)
		}
	}
}

// upload sends one file as the app does.
func upload(t *testing.T, c *program.Client, stream, name string, content []byte) (int, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(content)
	w.Close()
	res, err := c.HTTP.Post(c.URL+"/api/cases/"+stream+"/files", w.FormDataContentType(), &b)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

// TestNoFileOfTheRunningProgramHoldsAPlantedWord writes a child's case with
// planted words wherever words can be written, also in requests that are
// refused, and searches everything that the program left on the disk or
// printed: while it serves, after a backup, after a power cut in the middle of
// an upload, and after it ended.
//
// Out of reach: the memory of the process. Where the operating system may write
// it out (core dumps, swap) is for whoever runs the machine to forbid.
func TestNoFileOfTheRunningProgramHoldsAPlantedWord(t *testing.T) {
	dir := t.TempDir()
	lookEverywhere(t, dir, country(t, dir), nil)
}

// lookEverywhere plants the words in a running program and searches what it
// leaves, also in the folders of a database server. again are the words of the
// command that says where a backup is restored to.
func lookEverywhere(t *testing.T, dir, data string, again []string, servers ...string) {
	t.Helper()
	tmp, backups := filepath.Join(dir, "tmp"), filepath.Join(dir, "backups")
	for _, d := range []string{tmp, backups} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	folders := []string{data, tmp}
	p := serve(t, data, tmp)
	worker, boss := p.As(t, "chanthou"), p.As(t, "vanna")
	stream := plantCase(t, worker, userID(t, worker), userID(t, boss))
	login := planted[0]
	if len(servers) > 0 { // a database server may log which login was asked for: staff, and no child
		login = "somebody"
	}
	plantRefusals(t, worker, stream, login)
	logs := func() map[string]string {
		return map[string]string{"standard error": p.Log(), "standard output": p.Printed()}
	}
	search(t, "while it serves", logs(), folders...)

	if status, body := worker.Do(t, http.MethodPost, "/api/sign-out", nil, nil); status >= 300 {
		t.Errorf("signing out: %d %s", status, body)
	}
	if out, code := program.Run(t, "backup", filepath.Join(backups, "out"), "--data", data); code != 0 {
		t.Fatalf("backup: %d %s", code, out)
	}
	folders = append(folders, backups)
	search(t, "after sign-out and a backup", logs(), folders...)

	killInUpload(t, p, boss, stream)
	search(t, "after a power cut in the middle of an upload", logs(), folders...)
	p = serve(t, data, tmp)
	p.Stop()
	to := filepath.Join(dir, "again")
	if out, code := program.Run(t, append([]string{"restore", filepath.Join(backups, "out"), "--to", to, "--data", data}, again...)...); code != 0 {
		t.Fatalf("restore: %d %s", code, out)
	}
	// A server's folder is large, and forgets little: one look at the end.
	search(t, "after it ended and the backup was restored", logs(), append(append(folders, to), servers...)...)
}

// plantCase writes the words into a new case and reads it back.
func plantCase(t *testing.T, c *program.Client, worker, boss string) (stream string) {
	t.Helper()
	first := firstContact()
	first["nickname"], first["wishes"] = planted[0], "plantedwish "+planted[2]
	first["place"] = answers{"country": "KHM", "adm1": "KH01", "place": planted[8]}
	stream = openCase(t, c, first)
	submit(t, c, entry(stream, "F02_screening", screening()), entry(stream, "F03_consent", consent()))
	reg := registration(worker, boss)
	reg["first_name"], reg["last_name"], reg["other_names"] = planted[0], planted[1], planted[2:8]
	reg["phones"] = []string{planted[10], planted[11]}
	reg["risk_reason"] = "plantedreason " + planted[9]
	reg["current_location"] = answers{"country": "KHM", "adm1": "KH12", "place": planted[9]}
	registered := entry(stream, "F04_registration", reg)
	called := note(stream)
	called["answers"].(answers)["with"], called["answers"].(answers)["facts"] = planted[3], "plantedfacts "+strings.Join(planted, " ")
	submit(t, c, registered, called)
	amend := entry(stream, "F04_registration", answers{"last_name": planted[4]})
	amend["act"], amend["follows"] = "amend", []any{registered["id"]}
	strike := map[string]any{"id": newID(), "stream": stream, "form": "F11_case_note", "version": 1, "act": "strike", "record": called["id"],
		"follows": []any{called["id"]}, "written_at": called["written_at"], "reason": "plantedreason: wrong child, " + planted[5]}
	submit(t, c, amend, strike)

	content := bytes.Repeat([]byte("plantedbody "+planted[2]+" "+planted[10]+"\n"), 40_000) // past every small buffer
	if status, body := upload(t, c, stream, plantedFile+" "+planted[2]+".txt", content); status != http.StatusOK {
		t.Fatalf("keeping a file: %d %s", status, body)
	}
	for _, word := range planted[:12] {
		if status, body := c.Do(t, http.MethodPost, "/api/find", answers{"q": word}, nil); status != http.StatusOK {
			t.Errorf("looking for somebody: %d %.200s", status, body)
		}
	}
	if status, body := c.Do(t, http.MethodGet, "/api/cases/"+stream, nil, nil); status != http.StatusOK || !strings.Contains(body, planted[0]) {
		t.Errorf("the case page (%d) does not show what was planted", status)
	}
	return stream
}

// plantRefusals sends the words where they do not belong.
func plantRefusals(t *testing.T, c *program.Client, stream, login string) {
	t.Helper()
	for i, word := range planted {
		escaped := url.PathEscape(word)
		for path, in := range map[string]any{
			"/api/cases/" + escaped: nil, "/api/cases/" + stream + "/records/" + escaped: nil, "/" + escaped: nil,
			"/api/cases?status=" + url.QueryEscape(word): nil, "/api/places?" + url.QueryEscape(word) + "=1": nil,
			"/api/entries":                   answers{"entries": []any{entry(stream, "F11_case_note", answers{word: word, "mode": word})}},
			"/api/cases":                     answers{"entries": []any{entry(word, word, answers{"nickname": word})}},
			"/api/cases/" + stream + "/move": answers{"to": word, "reason": word},
			"/api/find":                      answers{word: word},
		} {
			method := http.MethodGet
			if in != nil {
				method = http.MethodPost
			}
			if status, body := c.Do(t, method, path, in, nil); (status >= 500 || status == 0) && strings.HasPrefix(path, "/api/") {
				t.Errorf("word %d sent to a wrong place gave %d %.200s", i, status, body)
			}
		}
	}
	if status, _ := c.Do(t, http.MethodPost, "/api/sign-in", answers{"login": login, "password": planted[1]}, nil); status < 400 {
		t.Errorf("a planted sign-in gave %d", status)
	}
}

// killInUpload sends most of a large file, and cuts the power before the end.
func killInUpload(t *testing.T, p *program.Program, c *program.Client, stream string) {
	t.Helper()
	read, write := io.Pipe()
	form := multipart.NewWriter(write)
	req, err := http.NewRequest(http.MethodPost, c.URL+"/api/cases/"+stream+"/files", read)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if res, err := c.HTTP.Do(req); err == nil {
			res.Body.Close()
			t.Errorf("an upload that never ended was answered %d", res.StatusCode)
		}
	}()
	part, err := form.CreateFormFile("file", plantedFile+".txt")
	if err != nil {
		t.Fatal(err)
	}
	line := bytes.Repeat([]byte("plantedbody "+planted[2]+"\n"), 1000)
	for sent := 0; sent < 15<<20; { // more than the connection's buffers hold: the program has read most of it
		n, err := part.Write(line)
		if err != nil {
			t.Fatal(err)
		}
		sent += n
	}
	p.Kill()
	write.CloseWithError(io.ErrUnexpectedEOF)
	<-ended
}
