package browser

import (
	"testing"

	"banyan/web/app/apptest"
)

// The same on a telephone, with the network going away in the middle.
func TestANoteOnAPhoneWithoutNetworkWaitsAndIsSentWhenItIsBack(t *testing.T) {
	h := open(t, 60) // with fewer, the worker may have closed cases only
	worker := h.signsInAt(t, "chanthou", 360)
	worker.sees("Today")
	worker.must(worker.Wait(`document.querySelector('main h1') && document.querySelector('.rows, .empty')`))
	worker.narrow("Today")
	worker.goes("Cases")
	worker.must(worker.Wait(`document.querySelector('main a.row')`))
	worker.narrow("Cases")
	worker.must(worker.JS(`document.querySelector('main a.row').click()`))
	worker.must(worker.Wait(`document.querySelector('section.person')`))
	worker.narrow("the case page")
	worker.press("Note")
	worker.must(worker.Wait(`document.querySelector('form.sheet')`))
	worker.narrow("the note")
	worker.must(worker.JS(fillScript))
	if _, err := apptest.Read[bool](worker.Page, `banyanLearn('F11_case_note')`); err != nil {
		t.Fatal(err)
	}

	worker.must(worker.Offline(true))
	told := answers{"mode": "in_person", "with": "the girl", "facts": "Written in the bus, without a network.", "next": "Call the school."}
	worker.fills("F11_case_note", told)
	worker.press("Send")
	worker.sees("Kept on this device", "1 not sent yet")
	worker.narrow("the case page with an entry that waits")

	worker.must(worker.Offline(false))
	worker.must(worker.Wait(`!document.querySelector('.sync')`))
	worker.must(worker.Wait(`[...document.querySelectorAll('.time li')].some((li) => li.innerText.includes('Written in the bus') && !li.innerText.includes('not sent'))`))
}
