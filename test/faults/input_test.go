package faults

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"

	"banyan/internal/app"
	"banyan/test/program"
)

// marker stands in every bad value: no answer may hold it.
const marker = "Echoedmarker"

// refusal is how the program says no: of a whole request, or of one entry of
// a device's queue.
type refusal struct {
	Error struct {
		Code     string
		Message  string
		Problems []problem
	}
	Results []struct {
		Status   string
		Problems []problem
	}
}

type problem struct{ Path, Code, Message string }

// TestBadInputIsRefusedWithItsFieldAndChangesNothing sends what a broken or
// hostile client sends. A request as a whole is a 4xx; an entry of a device's
// queue is refused by itself, so that its neighbours still arrive. Each names
// the field and the reason, none repeats what was sent, and no table grows.
func TestBadInputIsRefusedWithItsFieldAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	sendBadInput(t, dir, country(t, dir))
}

func sendBadInput(t *testing.T, dir, data string) {
	t.Helper()
	p := serve(t, data, dir)
	c := p.As(t, "chanthou")
	stream := openCase(t, c, firstContact())
	submit(t, c, entry(stream, "F02_screening", screening()), entry(stream, "F03_consent", consent()))
	record := beside(t, p.Data)
	b := bad{t: t, client: c, stream: stream, other: othersCase(t, record), record: record}
	b.worker, b.boss = userID(t, c), userID(t, p.As(t, "vanna"))

	before := sizes(t, record)
	n := b.firstContacts() + b.entries() + b.bodies() + b.files()
	if after := sizes(t, record); after != before {
		t.Errorf("bad input changed the tables: %s before, %s after", before, after)
	}
	t.Logf("%d kinds of bad input, %s before and after", n, before)
	if status, body := c.Do(t, http.MethodGet, "/api/cases/"+stream, nil, nil); status != http.StatusOK {
		t.Errorf("the case after all that: %d %.200s", status, body)
	}
	if strings.Contains(p.Log(), marker) {
		t.Error("the log repeats what was sent")
	}
}

func sizes(t *testing.T, r *app.Record) string {
	t.Helper()
	var out []string
	for _, table := range []string{"stream", "entry", "file_blob", "case_view"} {
		out = append(out, fmt.Sprintf("%s %d", table, count(t, r, table)))
	}
	return strings.Join(out, ", ")
}

// othersCase finds a case of another organisation.
func othersCase(t *testing.T, r *app.Record) (stream string) {
	t.Helper()
	err := r.DB.QueryRow(context.Background(), `SELECT v.stream FROM case_view v JOIN organisation o ON o.id = v.org WHERE NOT o.operator LIMIT 1`).Scan(&stream)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// bad sends one bad thing after another.
type bad struct {
	t            *testing.T
	client       *program.Client
	stream       string
	other        string
	worker, boss string
	record       *app.Record
}

// refused holds one answer to the promise. at is what a problem's path has to
// contain; empty where the fault lies in no field.
func (b bad) refused(what, at string, status int, body string) {
	b.t.Helper()
	var r refusal
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		b.t.Errorf("%s: %d, no JSON: %.200s", what, status, body)
		return
	}
	problems := r.Error.Problems
	taken := status < 400 || status >= 500
	if status == http.StatusOK && len(r.Results) == 1 && r.Results[0].Status == "refused" {
		taken, problems = false, r.Results[0].Problems
	}
	named := at == "" && (r.Error.Message != "" || len(problems) > 0)
	for _, p := range problems {
		named = named || at != "" && strings.Contains(p.Path, at) && p.Code != "" && p.Message != ""
	}
	if taken || !named || strings.Contains(body, marker) || len(body) > 16<<10 {
		b.t.Errorf("%s: %d, want a refusal that names %q and repeats nothing: %.400s", what, status, at, body)
	}
}

func (b bad) post(what, at, path string, in any) {
	b.t.Helper()
	status, body := b.client.Do(b.t, http.MethodPost, path, in, nil)
	b.refused(what, at, status, body)
}

// firstContacts spoils one answer of a first contact: the whole request is
// refused, no case is opened.
func (b bad) firstContacts() int {
	cases := []struct {
		what, field string
		value       any
	}{
		{"an unknown field", "no_such_field", marker},
		{"text for a number", "age_declared", answers{"years": marker, "observed_on": "2026-01-01"}},
		{"text for yes or no", "alone", marker},
		{"a number for text", "nickname", 12},
		{"a list for text", "nickname", []string{marker}},
		{"an object for text", "nickname", answers{"x": marker}},
		{"an over-long name", "nickname", strings.Repeat(marker+" ", 5000)},
		{"an over-long story", "wishes", strings.Repeat(marker+" ", 20_000)},
		{"a code that the list has not", "sex", marker},
		{"a code among many that the list has not", "action", []string{"resources", marker}},
		{"a country that there is not", "place", answers{"country": marker}},
		{"a date that there is not", "contact_at", "2026-02-31T10:00:00Z " + marker},
		{"a time in the future", "contact_at", "2999-01-01T00:00:00Z"},
		{"nothing where an answer is needed", "channel", nil},
	}
	for _, one := range cases {
		a := firstContact()
		a[one.field] = one.value
		b.post(one.what, one.field, "/api/cases", answers{"entries": []any{entry(newID(), "F01_first_contact", a)}})
	}
	return len(cases)
}

// entries spoils an entry for a case that exists.
func (b bad) entries() int {
	rows := make([]answers, 10_000)
	for i := range rows {
		rows[i] = answers{"name": "x", "relationship": "mother", "safe": "yes"}
	}
	many := registration(b.worker, b.boss)
	many["caregivers"] = rows
	registered := func(change func(map[string]any)) map[string]any {
		e := entry(b.stream, "F04_registration", registration(b.worker, b.boss))
		change(e)
		return e
	}
	set := func(field string, value any) map[string]any {
		return registered(func(e map[string]any) { e[field] = value })
	}
	foreign := note(b.stream)
	foreign["stream"] = b.other
	cases := []struct {
		what, at string
		entry    map[string]any
	}{
		{"a repeat of 10,000 rows", "caregivers", registered(func(e map[string]any) { e["answers"] = many })},
		{"an id that is none", "", set("id", "not-an-id")}, // it comes back as the name by which the device knows the entry
		{"a case that is none", "", set("stream", marker)},
		{"a case that there is not", "", set("stream", newID())},
		{"a case of another organisation", "", foreign},
		{"a form that there is not", "form", set("form", marker)},
		{"a form that is not for cases", "form", set("form", "F22_activity")},
		{"a version that there is not", "version", set("version", 99)},
		{"a record of another name", "record", set("record", newID())},
		{"an act that there is not", "act", set("act", marker)},
		{"a time that is none", "written_at", set("written_at", marker)},
		{"an unknown field of the entry", "no_such_field", set("no_such_field", marker)},
		{"a number for the answers", "answers", set("answers", 12)},
		{"an amendment of what there is not", "record", registered(func(e map[string]any) { e["act"], e["follows"] = "amend", []string{newID()} })},
		{"an amendment that follows nothing", "", registered(func(e map[string]any) { e["act"] = "amend" })},
		{"a strike-out without a reason", "reason", registered(func(e map[string]any) { e["act"] = "strike"; delete(e, "answers") })},
		{"a reference to nobody", "case_worker", registered(func(e map[string]any) { e["answers"].(answers)["case_worker"] = newID() })},
	}
	for _, one := range cases {
		b.post(one.what, one.at, "/api/entries", answers{"entries": []any{one.entry}})
	}
	b.post("no entry at all", "entries", "/api/entries", answers{"entries": []any{}})
	b.post("a move that there is not", "to", "/api/cases/"+b.stream+"/move", answers{"to": marker, "reason": marker})
	b.post("a case of another organisation moved", "", "/api/cases/"+b.other+"/move", answers{"to": "screened"})
	return len(cases) + 3
}

// bodies sends what is no request at all.
func (b bad) bodies() int {
	whole, err := json.Marshal(answers{"entries": []any{note(b.stream)}})
	if err != nil {
		b.t.Fatal(err)
	}
	cases := []struct {
		what, at string
		body     []byte
	}{
		{"invalid UTF-8", "entries", bytes.Replace(whole, []byte("Called as agreed."), []byte(marker+"\xff\xfe"), 1)},
		{"half a character in UTF-16", "entries", bytes.Replace(whole, []byte("Called as agreed."), []byte(marker+`\ud800`), 1)},
		{"a NUL character", "entries", bytes.Replace(whole, []byte("Called as agreed."), []byte(marker+`\u0000`), 1)},
		{"a name that stands twice", "entries", bytes.Replace(whole, []byte(`"mode":"call"`), []byte(`"mode":"call","mode":"`+marker+`"`), 1)},
		{"a number past every number", "entries", bytes.Replace(whole, []byte(`"mode":"call"`), []byte(`"mode":1e999`), 1)},
		{"a version past every number", "entries", bytes.Replace(whole, []byte(`"version":1`), []byte(`"version":1e999`), 1)},
		{"a version of a thousand digits", "entries", bytes.Replace(whole, []byte(`"version":1`), append([]byte(`"version":1`), bytes.Repeat([]byte("9"), 1000)...), 1)},
		{"half of a request", "", whole[:len(whole)/2]},
		{"two requests in one", "", append(bytes.Clone(whole), whole...)},
		{"nesting of 100,000", "", []byte(strings.Repeat("[", 100_000))},
		{"nesting inside an answer", "entries", bytes.Replace(whole, []byte(`"Called as agreed."`), []byte(strings.Repeat(`{"a":`, 200)+"1"+strings.Repeat("}", 200)), 1)},
		{"a body of 10 MB", "", bytes.Replace(whole, []byte("Called"), bytes.Repeat([]byte(marker), 10<<20/len(marker)), 1)},
		{"no JSON", "", []byte("<x>" + marker + "</x>")},
		{"nothing", "", nil},
	}
	for _, one := range cases {
		status, body := b.send("application/json", "/api/entries", one.body)
		b.refused(one.what, one.at, status, body)
	}
	status, body := b.send("text/html", "/api/entries", whole)
	b.refused("another kind of body", "", status, body)
	return len(cases) + 1
}

func (b bad) send(media, path string, text []byte) (int, string) {
	b.t.Helper()
	res, err := b.client.HTTP.Post(b.client.URL+path, media, bytes.NewReader(text))
	if err != nil {
		b.t.Errorf("sending %d bytes: %v", len(text), err)
		return 0, ""
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Error(err)
	}
	return res.StatusCode, string(out)
}

// files sends attachments that are not what they say, or more than they say.
func (b bad) files() int {
	cases := []struct {
		what, name string
		content    []byte
	}{
		{"a zip bomb as a document", "paper.docx", zipBomb(b.t)},
		{"a picture of 50,000 by 50,000", "face.png", hugePicture(50_000, 50_000)},
		{"a picture with nothing in it", "face.png", hugePicture(10, 10)},
		{"a page with a script as a picture", "face.jpg", []byte("<!doctype html><script>alert('" + marker + "')</script>")},
		{"a drawing with a script", "face.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>` + marker + `</script></svg>`)},
		{"a program", "face.jpg", append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 2000)...)},
		{"nothing", "empty.txt", nil},
		{"more than 20 MB", "long.txt", bytes.Repeat([]byte(marker+"\n"), 21<<20/(len(marker)+1)+1)},
	}
	for _, one := range cases {
		status, body := upload(b.t, b.client, b.stream, one.name, one.content)
		at := "file"
		if status == http.StatusRequestEntityTooLarge {
			at = ""
		}
		b.refused(one.what, at, status, body)
	}
	status, body := upload(b.t, b.client, b.other, "page.txt", []byte("A page."))
	b.refused("a file for a case of another organisation", "", status, body)
	return len(cases) + 1
}

// zipBomb is a small document that unpacks to 200 MB.
func zipBomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("word/document.xml")
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 200 {
		_, _ = f.Write(zeros)
	}
	z.Close()
	return b.Bytes()
}

// hugePicture is the head of a PNG of some size, with no picture behind it.
func hugePicture(width, height uint32) []byte {
	chunk := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(chunk[4:], width)
	binary.BigEndian.PutUint32(chunk[8:], height)
	chunk[12], chunk[13] = 8, 6
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	return binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
}
