package apptest

import "testing"

// choose puts a file into the page's file input, as a person's choice does.
func (s *site) choose(t *testing.T, content, name string) {
	t.Helper()
	s.must(t, s.page.Wait(`document.querySelector('input[type=file]')`))
	s.must(t, s.page.JS(`const box = new DataTransfer(); box.items.add(new File([`+content+`], `+quote(name)+`, {type: 'text/plain'}));
		const input = document.querySelector('input[type=file]'); input.files = box.files; input.dispatchEvent(new Event('change', {bubbles: true}))`))
}

// unsealed looks for a pattern in everything that the browser's store holds.
func (s *site) unsealed(t *testing.T, pattern string) bool {
	t.Helper()
	found, err := Read[bool](s.page, `indexedDB.databases().then(async (all) => {
		for (const d of all) {
			const db = await new Promise((r) => { const q = indexedDB.open(d.name); q.onsuccess = () => r(q.result); });
			for (const n of db.objectStoreNames) {
				const rows = await new Promise((r) => { const q = db.transaction(n).objectStore(n).getAll(); q.onsuccess = () => r(q.result); });
				for (const row of rows) if (row.data && `+pattern+`.test(new TextDecoder().decode(row.data))) return true;
			}
			db.close();
		}
		return false;
	})`)
	s.must(t, err)
	return found
}

func TestFileChosenOfflineIsKeptSealedAndSentLater(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"?tab=files"))
	s.sees(t, "No files", "Add a file")
	s.down.Store(true)
	s.choose(t, `'PLANTED-LETTER'`, "letter.txt")
	s.sees(t, "the file is kept on this device", "letter.txt", "not sent yet")
	if s.unsealed(t, `/PLANTED|letter/`) {
		t.Error("the file or its name lies unsealed in the browser's store")
	}
	s.must(t, p.Walk("/unsent"))
	s.sees(t, "Not sent yet", "letter.txt")
	s.down.Store(false)
	s.press(t, "Try now")
	s.sees(t, "Everything has been sent")
	s.must(t, p.Walk(sreyleak+"?tab=files"))
	s.must(t, p.Wait(`document.querySelector('.tab-body a[download]')?.innerText === 'letter.txt'`))
}

// A form that names a file which has not gone yet waits behind it.
func TestFileOfAFormGoesBeforeTheForm(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"/forms/F19_wage_ledger/new"))
	s.must(t, p.Wait(`document.querySelector('input[type=file]')`))
	s.down.Store(true)
	s.choose(t, `'a pay slip'`, "slip.txt")
	s.sees(t, "the file is kept on this device", "slip.txt")
	s.must(t, p.Go("/")) // the battery dies: form and file are here again
	s.must(t, p.Walk(sreyleak+"/forms/F19_wage_ledger/new"))
	s.sees(t, "slip.txt", "not sent yet")
	s.down.Store(false)
	s.must(t, p.JS(`dispatchEvent(new Event('online'))`))
	s.must(t, p.Wait(`!document.querySelector('.sync') && !document.querySelector('main .tag.medium[href="/unsent"]')`))
	s.sees(t, "slip.txt")
}

func TestRefusedFileComesBackWithItsReason(t *testing.T) {
	s := visit(t, "chanthou")
	p := s.page
	s.must(t, p.Walk(sreyleak+"?tab=files"))
	s.sees(t, "Add a file")
	s.down.Store(true)
	s.choose(t, `'something'`, "program.txt")
	s.sees(t, "not sent yet")
	s.down.Store(false)
	s.RefuseNext("this kind of file is not kept")
	s.must(t, p.JS(`dispatchEvent(new Event('online'))`))
	s.sees(t, "this kind of file is not kept", "1 came back")
	s.must(t, p.Walk("/unsent"))
	s.sees(t, "program.txt came back to you", "this kind of file is not kept")
	s.press(t, "Try now")
	s.sees(t, "Everything has been sent")
}

// What the server would never take does not wait for it.
func TestFileTooLargeIsRefusedAtOnce(t *testing.T) {
	s := visit(t, "chanthou")
	s.must(t, s.page.Walk(sreyleak+"?tab=files"))
	s.choose(t, `new Uint8Array(21 << 20)`, "film.txt")
	s.sees(t, "One file has at most 20 MB")
}

func TestACodeIsAskedAfterSingleSignOn(t *testing.T) {
	s := visit(t, "")
	s.must(t, s.page.Go("/totp"))
	s.must(t, s.page.Wait(`document.querySelector('input[name=code]')`))
	s.press(t, "Start again")
	s.must(t, s.page.Wait(`document.querySelector('input[name=login]') && location.pathname === '/'`))
}
