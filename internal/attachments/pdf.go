package attachments

// A PDF is written anew from its pages. Which keys of which dictionary stay is
// a table (pdfRoles): for the catalogue, pages, annotations, outlines and the
// structure for screen readers all others go; in fonts, pictures and resources,
// which are many and dull, known places of metadata go. What no page leads to
// is not written: older versions, attachments, scripts, signatures with the
// signer's name.
//
// A link keeps its words and loses its address: a click in a document from
// outside tells its sender from where it was opened. Links within the document
// stay.

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// pdfRole says what a dictionary is there for.
type pdfRole string

// The roles; roleAny copies all but what pdfNever names.
const (
	roleAny     pdfRole = "any"
	roleScalar  pdfRole = "scalar" // no dictionary and no stream
	roleCatalog pdfRole = "catalog"
	rolePages   pdfRole = "pages"
	roleContent pdfRole = "content"
	roleNames   pdfRole = "names"
	roleDests   pdfRole = "dests"
	roleDest    pdfRole = "dest"
	roleDestMap pdfRole = "dests by name"
	roleOutline pdfRole = "outline"
	roleAction  pdfRole = "action"
	roleAnnot   pdfRole = "annotation"
	roleForm    pdfRole = "form"
	roleStruct  pdfRole = "structure"
)

// pdfRoles: the keys that stay, and the role of each one's value (ISO 32000-2,
// tables 29, 30, 31, 151, 166 to 193, 224, 354, 355).
var pdfRoles = map[pdfRole]map[pdfName]pdfRole{
	roleCatalog: {"Type": roleScalar, "Version": roleScalar, "Pages": rolePages, "PageLabels": roleAny, "Names": roleNames, "Dests": roleDestMap,
		"Outlines": roleOutline, "PageLayout": roleScalar, "PageMode": roleScalar, "ViewerPreferences": roleAny, "Lang": roleScalar,
		"AcroForm": roleForm, "OCProperties": roleAny, "StructTreeRoot": roleStruct, "MarkInfo": roleAny},
	rolePages: {"Type": roleScalar, "Parent": rolePages, "Kids": rolePages, "Count": roleScalar, "Resources": roleAny, "MediaBox": roleScalar,
		"CropBox": roleScalar, "BleedBox": roleScalar, "TrimBox": roleScalar, "ArtBox": roleScalar, "Contents": roleContent, "Rotate": roleScalar,
		"Group": roleAny, "Annots": roleAnnot, "Tabs": roleScalar, "UserUnit": roleScalar, "StructParents": roleScalar},
	roleContent: {"Filter": roleScalar, "DecodeParms": roleAny},
	roleNames:   {"Dests": roleDests},
	roleDests:   {"Kids": roleDests, "Names": roleDest, "Limits": roleScalar},
	roleDest:    {"D": roleDest},
	roleOutline: {"Type": roleScalar, "First": roleOutline, "Last": roleOutline, "Next": roleOutline, "Prev": roleOutline, "Parent": roleOutline,
		"Count": roleScalar, "Title": roleScalar, "C": roleScalar, "F": roleScalar, "Dest": roleDest, "A": roleAction},
	roleAction: {"Type": roleScalar, "S": roleScalar, "D": roleDest, "N": roleScalar},
	roleAnnot: {"Type": roleScalar, "Subtype": roleScalar, "Rect": roleScalar, "Contents": roleScalar, "P": rolePages, "F": roleScalar, "AP": roleAny,
		"AS": roleScalar, "Border": roleScalar, "C": roleScalar, "BS": roleAny, "BE": roleAny, "IC": roleScalar, "QuadPoints": roleScalar,
		"InkList": roleScalar, "L": roleScalar, "LE": roleScalar, "Vertices": roleScalar, "Dest": roleDest, "A": roleAction, "H": roleScalar,
		"DA": roleScalar, "Q": roleScalar, "Open": roleScalar, "Name": roleScalar, "Popup": roleAnnot, "IRT": roleAnnot, "RT": roleScalar,
		"CA": roleScalar, "ca": roleScalar, "BM": roleScalar, "OC": roleAny, "StructParent": roleScalar, "MK": roleAny, "IT": roleScalar,
		"RD": roleScalar, "Sy": roleScalar, "RO": roleAny, "CL": roleScalar, "Cap": roleScalar, "CP": roleScalar, "CO": roleScalar, "LL": roleScalar, "LLE": roleScalar, "LLO": roleScalar,
		"Parent": roleAnnot, "Kids": roleAnnot, "FT": roleScalar,
		"T": roleScalar, "TU": roleScalar, "Ff": roleScalar, "V": roleScalar, "DV": roleScalar, "Opt": roleScalar, "TI": roleScalar, "I": roleScalar,
		"MaxLen": roleScalar},
	roleForm: {"Fields": roleAnnot, "NeedAppearances": roleScalar, "DA": roleScalar, "DR": roleAny, "Q": roleScalar},
	roleStruct: {"Type": roleScalar, "S": roleScalar, "P": roleStruct, "Pg": rolePages, "K": roleStruct, "Lang": roleScalar, "Alt": roleScalar,
		"E": roleScalar, "ActualText": roleScalar, "MCID": roleScalar, "Obj": roleAnnot, "ParentTree": roleStruct, "ParentTreeNextKey": roleScalar,
		"RoleMap": roleAny, "Nums": roleStruct, "Kids": roleStruct, "Limits": roleScalar},
}

// pdfNever are keys that stay nowhere: metadata, files, scripts.
var pdfNever = map[pdfName]bool{"Metadata": true, "PieceInfo": true, "LastModified": true, "Thumb": true, "Info": true, "Author": true, "Creator": true,
	"Producer": true, "CreationDate": true, "ModDate": true, "JS": true, "JavaScript": true, "AA": true, "OpenAction": true, "EF": true, "AF": true,
	"RF": true, "XFA": true, "EmbeddedFiles": true, "CreatorInfo": true, "OPI": true, "SpiderInfo": true, "Alternates": true, "Ref": true, "URI": true,
	"RichMediaContent": true, "RichMediaSettings": true, "Measure": true, "PtData": true, "VP": true, "GPTS": true, "LPTS": true, "GCS": true, "DPartRoot": true, "DSS": true,
	"Perms": true, "Legal": true, "UserProperties": true, "Collection": true, "Threads": true, "ID": true, "IDS": true, "URLS": true}

// pdfTypes are dictionaries that say themselves what they are, wherever they
// stand; an empty role: they go.
var pdfTypes = map[pdfName]pdfRole{"Catalog": roleCatalog, "Page": rolePages, "Pages": rolePages, "Annot": roleAnnot, "Outlines": roleOutline,
	"StructTreeRoot": roleStruct, "StructElem": roleStruct, "Action": roleAction, "Metadata": "", "EmbeddedFile": "", "Filespec": "", "F": "", "Sig": "",
	"DocTimeStamp": "", "ObjStm": "", "XRef": ""}

// pdfBadActions run programs, call servers or scripts; the two that stay move
// within the document.
var pdfBadActions = []pdfName{"JavaScript", "Launch", "URI", "SubmitForm", "ImportData", "GoToR", "GoToE", "GoToDp", "Rendition", "Movie", "Sound",
	"ResetForm", "Hide", "SetOCGState", "Trans", "GoTo3DView", "Thread", "RichMediaExecute"}

// pdfBadAnnots carry files, films or programs.
var pdfBadAnnots = []pdfName{"FileAttachment", "Sound", "Movie", "Screen", "3D", "RichMedia", "Projection", "TrapNet", "PrinterMark"}

// pdfWriter writes what the catalogue leads to.
type pdfWriter struct {
	f      *pdfFile
	out    bytes.Buffer
	number map[int]int     // old number to new
	role   map[int]pdfRole // of an object
	queue  []int
	places []int
	pages  int
}

func cleanPDF(body []byte) ([]byte, error) {
	f, err := openPDF(body)
	if err != nil {
		return nil, pdfFault(err)
	}
	out, err := f.rewrite()
	if errors.Is(err, errPDF) && !f.searched {
		if err = f.search(); err == nil {
			out, err = f.rewrite()
		}
	}
	if err != nil {
		return nil, pdfFault(err)
	}
	return out, nil
}

func pdfFault(err error) error {
	for _, known := range []error{errBomb, errLocked, errUnclean} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errDocument
}

func (f *pdfFile) rewrite() ([]byte, error) {
	if f.locked {
		return nil, errLocked
	}
	root, err := f.root()
	if err != nil {
		return nil, err
	}
	if root["NeedsRendering"] != nil {
		return nil, errUnclean // a form that a program draws: its pages hold nothing
	}
	w := &pdfWriter{f: f, number: map[int]int{}, role: map[int]pdfRole{}}
	if err := w.knowPages(root["Pages"], 0); err != nil {
		return nil, err
	}
	if w.pages == 0 {
		return nil, errPDF
	}
	w.out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	ref, ok := f.trailer["Root"].(pdfRef)
	if !ok {
		return nil, errPDF
	}
	w.refer(ref.num, roleCatalog)
	for len(w.queue) > 0 {
		num := w.queue[0]
		w.queue = w.queue[1:]
		if err := w.object(num); err != nil {
			return nil, err
		}
		if w.out.Len() > maxCopy {
			return nil, errBomb
		}
	}
	w.finish()
	return w.out.Bytes(), nil
}

// knowPages walks the tree of pages before all else, so that whatever leads to
// a page later (a destination, a structure) finds it known as one.
func (w *pdfWriter) knowPages(v any, depth int) error {
	if depth > maxPDFDepth {
		return errPDF
	}
	ref, isRef := v.(pdfRef)
	if isRef && w.role[ref.num] != "" {
		return nil
	}
	got, err := w.f.resolve(v)
	if err != nil {
		return err
	}
	d, ok := got.(pdfDict)
	if !ok {
		return nil
	}
	if isRef {
		w.role[ref.num] = rolePages
	}
	if err := w.knowEach(d["Annots"], roleAnnot); err != nil {
		return err
	}
	kids, err := w.f.resolve(d["Kids"])
	if err != nil {
		return err
	}
	list, ok := kids.([]any)
	if !ok {
		w.pages++
		return nil
	}
	for _, kid := range list {
		if err := w.knowPages(kid, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// knowEach gives the objects of a list their role.
func (w *pdfWriter) knowEach(v any, role pdfRole) error {
	got, err := w.f.resolve(v)
	if err != nil {
		return err
	}
	list, _ := got.([]any)
	for _, x := range list {
		if r, ok := x.(pdfRef); ok && w.role[r.num] == "" {
			w.role[r.num] = role
		}
	}
	return nil
}

// refer gives an object its new number.
func (w *pdfWriter) refer(num int, role pdfRole) int {
	if n, ok := w.number[num]; ok {
		return n
	}
	if w.role[num] == "" {
		w.role[num] = role
	}
	w.number[num] = len(w.number) + 1
	w.queue = append(w.queue, num)
	return w.number[num]
}

// object writes one object; what may not stay is null.
func (w *pdfWriter) object(num int) error {
	v, err := w.f.object(num)
	if err != nil {
		return err
	}
	w.places = append(w.places, w.out.Len())
	fmt.Fprintf(&w.out, "%d 0 obj\n", w.number[num])
	s, ok := v.(pdfStream)
	if !ok {
		w.write(w.keep(v, w.role[num]))
		w.out.WriteString("\nendobj\n")
		return nil
	}
	if err := w.stream(s, w.role[num]); err != nil {
		return err
	}
	w.out.WriteString("\nendobj\n")
	return nil
}

func (w *pdfWriter) stream(s pdfStream, role pdfRole) error {
	if s.dict["F"] != nil || role == roleScalar {
		w.out.WriteString("null") // its data is elsewhere
		return nil
	}
	dict := bareCopy(s.dict)
	delete(dict, "Length")
	delete(dict, "DL")
	if role != roleContent {
		role = roleAny
	}
	for _, key := range []pdfName{"Filter", "DecodeParms"} { // the lists may stand elsewhere
		v, err := w.f.resolve(dict[key])
		if err != nil {
			return err
		}
		if list, ok := v.([]any); ok {
			list = slices.Clone(list)
			for i := range list {
				if list[i], err = w.f.resolve(list[i]); err != nil {
					return err
				}
			}
			v = list
		}
		if v == nil {
			delete(dict, key)
			continue
		}
		dict[key] = v
	}
	raw, err := w.picture(dict, s.raw)
	if err != nil {
		return err
	}
	kept, ok := w.keep(dict, role).(pdfDict)
	if !ok {
		w.out.WriteString("null")
		return nil
	}
	kept["Length"] = pdfNumber(strconv.Itoa(len(raw)))
	w.write(kept)
	w.out.WriteString("\nstream\n")
	w.out.Write(raw)
	w.out.WriteString("\nendstream")
	return nil
}

func bareCopy(d pdfDict) pdfDict {
	out := make(pdfDict, len(d))
	for k, v := range d {
		out[k] = v
	}
	return out
}

// picture strips one that is kept as a camera made it.
func (w *pdfWriter) picture(dict pdfDict, raw []byte) ([]byte, error) {
	names, params := filtersOf(dict)
	if len(names) == 0 {
		return raw, nil
	}
	last := names[len(names)-1]
	if last != "DCTDecode" && last != "DCT" && last != "JPXDecode" {
		return raw, nil
	}
	for i, name := range names[:len(names)-1] {
		var err error
		if raw, err = w.f.unfilter(name, params[i], raw); errors.Is(err, errBomb) {
			return nil, err
		} else if err != nil {
			return nil, errUnclean
		}
	}
	dict["Filter"] = last
	delete(dict, "DecodeParms")
	if p := params[len(params)-1]; p != nil {
		dict["DecodeParms"] = p
	}
	var clean []byte
	if last == "JPXDecode" {
		clean = stripJPEG2000(raw)
	} else {
		clean = stripJPEG(raw)
	}
	if clean == nil {
		return nil, errUnclean
	}
	return clean, nil
}

// keep gives what stays of a value in its role; nil: nothing.
func (w *pdfWriter) keep(v any, role pdfRole) any {
	switch v := v.(type) {
	case pdfRef:
		return pdfRef{w.refer(v.num, role), 0}
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = w.keep(x, role)
		}
		return out
	case pdfDict:
		return w.keepDict(v, role)
	}
	return v
}

func (w *pdfWriter) keepDict(d pdfDict, role pdfRole) any {
	kind, _ := d["Type"].(pdfName)
	if r, ok := pdfTypes[kind]; ok {
		role = r
	}
	action, _ := d["S"].(pdfName)
	subtype, _ := d["Subtype"].(pdfName)
	switch {
	case role == "" || role == roleScalar:
		return nil
	case role == roleAction && action != "GoTo" && action != "Named", role == roleAny && slices.Contains(pdfBadActions, action):
		return nil
	case role == roleAnnot && slices.Contains(pdfBadAnnots, subtype):
		return nil
	}
	table := pdfRoles[role]
	out := pdfDict{}
	for _, key := range sortedKeys(d) {
		next, listed := table[key]
		if table == nil {
			next, listed = roleAny, !pdfNever[key]
		}
		if role == roleDestMap {
			next, listed = roleDest, true
		}
		if !listed {
			continue
		}
		if role == roleAnnot && key == "T" && subtype != "" && subtype != "Widget" {
			continue // the name of who made the note; in a form it is the field's
		}
		if role == roleAnnot && key == "V" && d["FT"] == pdfName("Sig") {
			continue
		}
		if kept := w.keep(d[key], next); kept != nil {
			out[key] = kept
		}
	}
	return out
}

func sortedKeys(d pdfDict) []pdfName {
	keys := make([]pdfName, 0, len(d))
	for k := range d {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Writing -------------------------------------------------------------------

func (w *pdfWriter) write(v any) {
	switch v := v.(type) {
	case nil:
		w.out.WriteString("null")
	case pdfWord:
		w.out.WriteString(string(v))
	case pdfNumber:
		w.out.WriteString(string(v))
	case pdfName:
		w.name(v)
	case pdfString:
		w.text(v)
	case pdfRef:
		fmt.Fprintf(&w.out, "%d 0 R", v.num)
	case []any:
		w.out.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				w.out.WriteByte(' ')
			}
			w.write(x)
		}
		w.out.WriteByte(']')
	case pdfDict:
		w.out.WriteString("<<")
		for _, key := range sortedKeys(v) {
			w.name(key)
			w.out.WriteByte(' ')
			w.write(v[key])
		}
		w.out.WriteString(">>")
	}
}

func (w *pdfWriter) name(n pdfName) {
	w.out.WriteByte('/')
	for _, c := range []byte(n) {
		if c <= ' ' || c > '~' || c == '#' || pdfDelimiter(c) {
			fmt.Fprintf(&w.out, "#%02X", c)
			continue
		}
		w.out.WriteByte(c)
	}
}

func (w *pdfWriter) text(s pdfString) {
	w.out.WriteByte('(')
	for _, c := range s {
		switch {
		case c == '(' || c == ')' || c == '\\':
			w.out.WriteByte('\\')
			w.out.WriteByte(c)
		case c == '\r':
			w.out.WriteString(`\r`)
		default:
			w.out.WriteByte(c)
		}
	}
	w.out.WriteByte(')')
}

func (w *pdfWriter) finish() {
	table := w.out.Len()
	fmt.Fprintf(&w.out, "xref\n0 %d\n0000000000 65535 f \n", len(w.places)+1)
	for _, at := range w.places {
		fmt.Fprintf(&w.out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&w.out, "trailer\n<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n", len(w.places)+1, table)
}
