package browser

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"strings"
	"testing"

	"banyan/web/app/apptest"
)

const plantedAuthor = "Plantedauthor at 11.5564N 104.9282E"

// letterPDF is a page that says something and, hidden, who wrote it.
func letterPDF() []byte {
	return []byte("%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n" +
		"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R >>\nendobj\n4 0 obj\n<< /Length 21 >>\nstream\n20 20 100 50 re f %ok\n\nendstream\nendobj\n" +
		"5 0 obj\n<< /Author (" + plantedAuthor + ") >>\nendobj\ntrailer\n<< /Root 1 0 R /Info 5 0 R >>\n")
}

func letterDocx(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`,
		"word/document.xml":   `<w:document xmlns:w="w"><w:body><w:ins w:author="` + plantedAuthor + `"><w:t>Dear school</w:t></w:ins></w:body></w:document>`,
		"docProps/core.xml":   `<x>` + plantedAuthor + `</x>`,
	} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, text)
	}
	z.Close()
	return b.Bytes()
}

// offers puts a file into the page's file input, as a person's choice does.
func (p *person) offers(name string, content []byte) {
	p.t.Helper()
	p.must(p.Wait(`document.querySelector('.add-file input[type=file]')`))
	p.must(p.JS(`const box = new DataTransfer(); box.items.add(new File([Uint8Array.from(atob(` + text(base64.StdEncoding.EncodeToString(content)) + `), (c) => c.charCodeAt(0))], ` + text(name) + `));
		const input = document.querySelector('.add-file input[type=file]'); input.files = box.files; input.dispatchEvent(new Event('change', {bubbles: true}))`))
}

// chooses does so and waits until the case has it.
func (p *person) chooses(name string, content []byte) {
	p.t.Helper()
	p.offers(name, content)
	p.must(p.Wait(`[...document.querySelectorAll('.tab-body a[download]')].some((a) => a.innerText === ` + text(name) + `)`))
}

// downloads gives what the link beside a name leads to.
func (p *person) downloads(name string) []byte {
	p.t.Helper()
	coded, err := apptest.Read[string](p.Page, `fetch([...document.querySelectorAll('.tab-body a[download]')].find((a) => a.innerText === `+text(name)+`).href).then((r) => r.arrayBuffer()).then((b) => btoa(String.fromCharCode(...new Uint8Array(b))))`)
	p.must(err)
	body, err := base64.StdEncoding.DecodeString(coded)
	p.must(err)
	return body
}

// A worker adds a letter as PDF and as docx. What anybody opens says nothing of
// who wrote it; the page says that it was cleaned; the supervisor alone is
// offered the file as it came.
func TestALetterIsOpenedWithoutItsAuthor(t *testing.T) {
	h := open(t, 12)
	worker := h.signIn(t, "chanthou")
	id := worker.begins("Dara Testsson")
	worker.must(worker.Walk("/cases/" + id + "?tab=files"))
	worker.chooses("letter.pdf", letterPDF())
	worker.chooses("letter.docx", letterDocx(t))
	worker.chooses("letter.txt", []byte("Dear school"))
	worker.sees("cleaned", "kept as it came")
	pdf := worker.downloads("letter.pdf")
	if !bytes.HasPrefix(pdf, []byte("%PDF")) || !bytes.Contains(pdf, []byte("100 50 re f")) || bytes.Contains(pdf, []byte("Planted")) {
		t.Errorf("the PDF that is opened: %q", pdf)
	}
	docx := worker.downloads("letter.docx")
	z, err := zip.NewReader(bytes.NewReader(docx), int64(len(docx)))
	worker.must(err)
	var all strings.Builder
	for _, f := range z.File {
		rc, err := f.Open()
		worker.must(err)
		_, _ = io.Copy(&all, rc)
	}
	if !strings.Contains(all.String(), "Dear school") || strings.Contains(all.String(), "Planted") {
		t.Errorf("the docx that is opened: %q", all.String())
	}
	if offered, err := apptest.Read[bool](worker.Page, `document.querySelector('.tab-body').innerText.includes('As it came')`); err != nil || offered {
		t.Errorf("the worker is offered the original: %v %v", offered, err)
	}
	worker.offers("old.rtf", []byte(`{\rtf1 hello}`))
	worker.sees("save it as a PDF, docx, xlsx or pptx")

	supervisor := h.signIn(t, "vanna")
	supervisor.must(supervisor.Walk("/cases/" + id + "?tab=files"))
	supervisor.sees("As it came", "letter.pdf")
	supervisor.must(supervisor.JS(`const make = URL.createObjectURL; URL.createObjectURL = (b) => { b.text().then((s) => { window.took = s; }); return make(b); };
		[...document.querySelectorAll('.tab-body li')].find((l) => l.innerText.includes('letter.pdf')).querySelector('button').click()`))
	supervisor.must(supervisor.Wait(`(window.took ?? '').includes('Plantedauthor')`))
	supervisor.must(supervisor.Walk("/cases/" + id + "?tab=access"))
	supervisor.sees("took a file as it came")
	if dir := os.Getenv("BANYAN_SHOTS"); dir != "" {
		supervisor.must(supervisor.Walk("/cases/" + id + "?tab=files"))
		supervisor.sees("letter.docx")
		supervisor.must(supervisor.Shot(dir+"/files.png", false))
	}
}
