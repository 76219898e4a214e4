package attachments

// A PDF's objects, read one at a time (ISO 32000-2, 7.2 to 7.5). Only what is
// needed to write the document anew is unpacked: tables of contents and object
// streams, within a bound. A document whose table is damaged is searched for
// its objects, as readers do.

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
)

// Objects. Numbers stay as they are written.
type (
	pdfName   string
	pdfNumber string
	pdfString []byte
	pdfWord   string // true, false, and keywords between objects
	pdfDict   map[pdfName]any
	pdfRef    struct{ num, gen int }
	pdfStream struct {
		dict pdfDict
		raw  []byte
	}
)

const (
	maxPDFObjects  = 500_000
	maxPDFValues   = 1_000_000 // in one object
	maxPDFDepth    = 64
	maxPDFUnpacked = 64 << 20 // tables and object streams together
	maxPDFWork     = 512 << 20
)

var errPDF = errors.New("malformed PDF")

// pdfEntry is where an object stands: in the file, or in an object stream.
type pdfEntry struct {
	at     int // -1: in a stream
	stream int
	index  int
}

type pdfFile struct {
	b        []byte
	at       map[int]pdfEntry
	trailer  pdfDict
	unpacked int
	streams  map[int]*pdfObjects
	searched bool
	locked   bool
	work     int // bytes looked at: places may overlap without end
}

// pdfObjects is an object stream, unpacked.
type pdfObjects struct {
	b     []byte
	first int
	at    []int
	num   []int
}

func openPDF(body []byte) (*pdfFile, error) {
	start := bytes.Index(body[:min(len(body), 1024)], []byte("%PDF-"))
	if start < 0 {
		return nil, errPDF
	}
	f := &pdfFile{b: body[start:], at: map[int]pdfEntry{}, trailer: pdfDict{}, streams: map[int]*pdfObjects{}}
	err := f.readTables()
	if err == nil && !f.locked {
		_, err = f.root()
	}
	if err == nil || errors.Is(err, errBomb) {
		return f, err
	}
	return f, f.search()
}

// spend counts work.
func (f *pdfFile) spend(n int) error {
	if f.work += n; f.work > maxPDFWork {
		return errBomb
	}
	return nil
}

// root gives the catalogue.
func (f *pdfFile) root() (pdfDict, error) {
	v, err := f.resolve(f.trailer["Root"])
	if err != nil {
		return nil, err
	}
	d, ok := v.(pdfDict)
	if !ok || d["Pages"] == nil {
		return nil, errPDF
	}
	return d, nil
}

// Tables of contents ------------------------------------------------------

func (f *pdfFile) readTables() error {
	i := bytes.LastIndex(f.b, []byte("startxref"))
	if i < 0 {
		return errPDF
	}
	p := &pdfParser{b: f.b, at: i + len("startxref")}
	place, ok := p.integer()
	if !ok {
		return errPDF
	}
	seen := map[int]bool{}
	for next := []int{place}; len(next) > 0; {
		at := next[0]
		next = next[1:]
		if at < 0 || at >= len(f.b) || len(seen) > 10_000 {
			return errPDF
		}
		if seen[at] {
			continue
		}
		seen[at] = true
		dict, err := f.readTable(at)
		if err != nil {
			return err
		}
		f.mergeTrailer(dict)
		for _, key := range []pdfName{"XRefStm", "Prev"} {
			if n, ok := asInt(dict[key]); ok {
				next = append(next, n)
			}
		}
	}
	return nil
}

func (f *pdfFile) mergeTrailer(d pdfDict) {
	f.locked = f.locked || d["Encrypt"] != nil
	if f.trailer["Root"] == nil && d["Root"] != nil {
		f.trailer["Root"] = d["Root"]
	}
}

func (f *pdfFile) readTable(at int) (pdfDict, error) {
	p := &pdfParser{b: f.b, at: at}
	p.space()
	if !bytes.HasPrefix(f.b[p.at:], []byte("xref")) {
		return f.readTableStream(p.at)
	}
	p.at += 4
	for {
		p.space()
		if bytes.HasPrefix(p.b[p.at:], []byte("trailer")) {
			p.at += len("trailer")
			v, err := p.value(0)
			d, ok := v.(pdfDict)
			if err != nil || !ok {
				return nil, errPDF
			}
			return d, nil
		}
		first, ok1 := p.integer()
		n, ok2 := p.integer()
		if !ok1 || !ok2 || first < 0 || n < 0 || n > maxPDFObjects {
			return nil, errPDF
		}
		for i := range n {
			place, ok1 := p.integer()
			_, ok2 := p.integer()
			p.space()
			if !ok1 || !ok2 || p.at >= len(p.b) {
				return nil, errPDF
			}
			kind := p.b[p.at]
			p.at++
			if kind == 'n' {
				f.put(first+i, pdfEntry{at: place})
			} else if kind != 'f' {
				return nil, errPDF
			}
		}
		if err := f.spend(20 * (n + 1)); err != nil || len(f.at) > maxPDFObjects {
			return nil, errBomb
		}
	}
}

func (f *pdfFile) put(num int, e pdfEntry) {
	if _, ok := f.at[num]; !ok { // newer tables are read first
		f.at[num] = e
	}
}

// readTableStream reads a table that is a stream (7.5.8).
func (f *pdfFile) readTableStream(at int) (pdfDict, error) {
	_, v, err := f.objectAt(at, -1)
	if err != nil {
		return nil, err
	}
	s, ok := v.(pdfStream)
	if !ok || s.dict["Type"] != pdfName("XRef") {
		return nil, errPDF
	}
	data, err := f.unpack(s)
	if err != nil {
		return nil, err
	}
	widths, ok := asInts(s.dict["W"])
	if !ok || len(widths) < 3 {
		return nil, errPDF
	}
	width := 0
	for _, w := range widths {
		if w < 0 || w > 8 {
			return nil, errPDF
		}
		width += w
	}
	index, ok := asInts(s.dict["Index"])
	if !ok {
		size, _ := asInt(s.dict["Size"])
		index = []int{0, size}
	}
	if width == 0 || len(data)/width > maxPDFObjects {
		return nil, errBomb
	}
	r := reader{b: data}
	for i := 0; i+1 < len(index); i += 2 {
		for num := index[i]; num < index[i]+index[i+1] && len(r.b)-r.at >= width; num++ {
			kind := 1
			if widths[0] > 0 {
				kind = r.uint(widths[0])
			}
			a, b := r.uint(widths[1]), r.uint(widths[2])
			for _, w := range widths[3:] {
				r.uint(w)
			}
			switch kind {
			case 1:
				f.put(num, pdfEntry{at: a})
			case 2:
				f.put(num, pdfEntry{at: -1, stream: a, index: b})
			}
		}
	}
	return s.dict, nil
}

var pdfObject = regexp.MustCompile(`(?:^|[\s>])(\d{1,10})[ \t\r\n]+(\d{1,5})[ \t\r\n]+obj\b`)

// search finds the objects of a document without a usable table: the last of
// each number counts.
func (f *pdfFile) search() error {
	if f.searched {
		return errPDF
	}
	f.searched = true
	f.at, f.trailer, f.streams = map[int]pdfEntry{}, pdfDict{}, map[int]*pdfObjects{}
	for at := 0; at < len(f.b); {
		m := pdfObject.FindSubmatchIndex(f.b[at:])
		if m == nil {
			break
		}
		num, err := strconv.Atoi(string(f.b[at+m[2] : at+m[3]]))
		if err == nil {
			f.at[num] = pdfEntry{at: at + m[2]}
		}
		at += m[1]
		if len(f.at) > maxPDFObjects {
			return errBomb
		}
	}
	for rest := f.b; ; {
		i := bytes.LastIndex(rest, []byte("trailer"))
		if i < 0 {
			break
		}
		p := &pdfParser{b: f.b, at: i + len("trailer")}
		if v, err := p.value(0); err == nil {
			if d, ok := v.(pdfDict); ok {
				f.mergeTrailer(d)
			}
		}
		rest = rest[:i]
	}
	if err := f.searchStreams(); err != nil {
		return err
	}
	if f.locked {
		return nil
	}
	_, err := f.root()
	return err
}

// searchStreams reads object streams and the dictionaries of table streams.
func (f *pdfFile) searchStreams() error {
	for num, e := range copyOf(f.at) {
		_, v, err := f.objectAt(e.at, num)
		if errors.Is(err, errBomb) {
			return err
		}
		if err != nil {
			continue
		}
		if d, ok := v.(pdfDict); ok && d["Type"] == pdfName("Catalog") && f.trailer["Root"] == nil {
			f.trailer["Root"] = pdfRef{num, 0}
		}
		s, ok := v.(pdfStream)
		if !ok {
			continue
		}
		switch s.dict["Type"] {
		case pdfName("XRef"):
			f.mergeTrailer(s.dict)
		case pdfName("ObjStm"):
			objects, err := f.objects(num)
			if errors.Is(err, errBomb) {
				return err
			}
			if err != nil {
				continue
			}
			for i, inner := range objects.num {
				f.put(inner, pdfEntry{at: -1, stream: num, index: i})
			}
			if len(f.at) > maxPDFObjects {
				return errBomb
			}
		}
	}
	return nil
}

func copyOf(m map[int]pdfEntry) map[int]pdfEntry {
	out := make(map[int]pdfEntry, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// Objects -----------------------------------------------------------------

// resolve follows references to a value; an object that is not there is null.
func (f *pdfFile) resolve(v any) (any, error) {
	for range 16 {
		r, ok := v.(pdfRef)
		if !ok {
			return v, nil
		}
		next, err := f.object(r.num)
		if err != nil {
			return nil, err
		}
		v = next
	}
	return nil, errPDF
}

func (f *pdfFile) object(num int) (any, error) {
	e, ok := f.at[num]
	if !ok {
		return nil, nil
	}
	if e.at < 0 {
		objects, err := f.objects(e.stream)
		if err != nil {
			return nil, err
		}
		i := e.index
		if i < 0 || i >= len(objects.num) || objects.num[i] != num {
			return nil, nil
		}
		p := &pdfParser{b: objects.b, at: objects.first + objects.at[i]}
		if p.at < 0 || p.at > len(p.b) {
			return nil, errPDF
		}
		start := p.at
		v, err := p.value(0)
		return v, errors.Join(err, f.spend(p.at-start))
	}
	_, v, err := f.objectAt(e.at, num)
	return v, err
}

// objectAt reads "12 0 obj … endobj"; want is its number, -1 any.
func (f *pdfFile) objectAt(at, want int) (num int, v any, err error) {
	if at < 0 || at >= len(f.b) {
		return 0, nil, errPDF
	}
	p := &pdfParser{b: f.b, at: at}
	num, ok1 := p.integer()
	_, ok2 := p.integer()
	p.space()
	if !ok1 || !ok2 || want >= 0 && num != want || !bytes.HasPrefix(p.b[p.at:], []byte("obj")) {
		return 0, nil, errPDF
	}
	p.at += 3
	v, err = p.value(0)
	if late := f.spend(p.at - at); late != nil || err != nil {
		return 0, nil, errors.Join(err, late)
	}
	d, ok := v.(pdfDict)
	p.space()
	if !ok || !bytes.HasPrefix(p.b[p.at:], []byte("stream")) {
		return num, v, nil
	}
	p.at += len("stream")
	if bytes.HasPrefix(p.b[p.at:], []byte("\r\n")) {
		p.at += 2
	} else if p.at < len(p.b) && (p.b[p.at] == '\n' || p.b[p.at] == '\r') {
		p.at++
	}
	raw, err := f.streamData(p.at, d["Length"])
	return num, pdfStream{d, raw}, err
}

// streamData takes the bytes of a stream: as many as it says, if its end stands
// there, or up to its end.
func (f *pdfFile) streamData(at int, length any) ([]byte, error) {
	if r, ok := length.(pdfRef); ok {
		if e, ok := f.at[r.num]; ok && e.at >= 0 && e.at < len(f.b) { // a plain number; no stream needs itself
			p := &pdfParser{b: f.b, at: e.at}
			p.integer()
			p.integer()
			p.space()
			if bytes.HasPrefix(p.b[p.at:], []byte("obj")) {
				p.at += 3
				if n, ok := p.integer(); ok {
					length = pdfNumber(strconv.Itoa(n))
				}
			}
		}
	}
	if n, ok := asInt(length); ok && n >= 0 && n <= len(f.b)-at {
		p := &pdfParser{b: f.b, at: at + n}
		p.space()
		if bytes.HasPrefix(p.b[p.at:], []byte("endstream")) {
			return f.b[at : at+n], nil
		}
	}
	n := bytes.Index(f.b[at:], []byte("endstream"))
	if n < 0 {
		n = len(f.b) - at
	}
	if err := f.spend(n / 8); err != nil {
		return nil, err
	}
	if n == len(f.b)-at {
		return nil, errPDF
	}
	raw := f.b[at : at+n]
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	return bytes.TrimSuffix(raw, []byte("\r")), nil
}

// objects unpacks an object stream (7.5.7).
func (f *pdfFile) objects(num int) (*pdfObjects, error) {
	if o, ok := f.streams[num]; ok {
		if o == nil {
			return nil, errPDF
		}
		return o, nil
	}
	f.streams[num] = nil // also while it is read: none stands in itself
	e, ok := f.at[num]
	if !ok || e.at < 0 {
		return nil, errPDF
	}
	_, v, err := f.objectAt(e.at, num)
	if err != nil {
		return nil, err
	}
	s, ok := v.(pdfStream)
	if !ok {
		return nil, errPDF
	}
	n, ok1 := asInt(s.dict["N"])
	first, ok2 := asInt(s.dict["First"])
	if !ok1 || !ok2 || n < 0 || n > maxPDFObjects || first < 0 {
		return nil, errPDF
	}
	o := &pdfObjects{first: first}
	if o.b, err = f.unpack(s); err != nil {
		return nil, err
	}
	p := &pdfParser{b: o.b}
	for range n {
		num, ok1 := p.integer()
		at, ok2 := p.integer()
		if !ok1 || !ok2 {
			return nil, errPDF
		}
		o.num, o.at = append(o.num, num), append(o.at, at)
	}
	f.streams[num] = o
	return o, nil
}

// unpack undoes the filters of a table or object stream.
func (f *pdfFile) unpack(s pdfStream) ([]byte, error) {
	filters, params := filtersOf(s.dict)
	data := s.raw
	for i, name := range filters {
		var err error
		if data, err = f.unfilter(name, params[i], data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// filtersOf lists a stream's filters with their parameters.
func filtersOf(d pdfDict) (names []pdfName, params []pdfDict) {
	switch v := d["Filter"].(type) {
	case pdfName:
		names = []pdfName{v}
	case []any:
		for _, x := range v {
			name, _ := x.(pdfName)
			names = append(names, name)
		}
	case nil:
	default:
		names = []pdfName{""} // a filter elsewhere: nobody writes so
	}
	params = make([]pdfDict, len(names))
	switch v := d["DecodeParms"].(type) {
	case pdfDict:
		if len(params) > 0 {
			params[0] = v
		}
	case []any:
		for i, x := range v {
			if i < len(params) {
				params[i], _ = x.(pdfDict)
			}
		}
	}
	return names, params
}

func (f *pdfFile) unfilter(name pdfName, params pdfDict, data []byte) ([]byte, error) {
	switch name {
	case "FlateDecode", "Fl":
		z, err := zlib.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, errPDF
		}
		var out bytes.Buffer
		left := int64(maxPDFUnpacked - f.unpacked)
		n, err := io.Copy(&out, io.LimitReader(z, left+1))
		if n > left {
			return nil, errBomb
		}
		f.unpacked += int(n)
		if err != nil && n == 0 {
			return nil, fmt.Errorf("unpacking: %w", errPDF)
		}
		return unpredict(out.Bytes(), params)
	case "ASCIIHexDecode", "AHx":
		return unhex(data), nil
	case "ASCII85Decode", "A85":
		data = bytes.TrimSpace(data)
		data = bytes.TrimPrefix(data, []byte("<~"))
		if i := bytes.IndexByte(data, '~'); i >= 0 {
			data = data[:i]
		}
		out := make([]byte, 4*len(data)+4)
		n, _, err := ascii85.Decode(out, data, true)
		if err != nil {
			return nil, errPDF
		}
		return out[:n], nil
	}
	return nil, errPDF
}

func unhex(data []byte) []byte {
	out, half := make([]byte, 0, len(data)/2), -1
	for _, c := range data {
		d := hexDigit(c)
		if c == '>' {
			break
		}
		if d < 0 {
			continue
		}
		if half < 0 {
			half = d
			continue
		}
		out, half = append(out, byte(half<<4|d)), -1
	}
	if half >= 0 {
		out = append(out, byte(half<<4))
	}
	return out
}

// unpredict undoes PNG's prediction (7.4.4.4).
func unpredict(data []byte, params pdfDict) ([]byte, error) {
	kind, _ := asInt(params["Predictor"])
	if kind < 2 {
		return data, nil
	}
	columns, bits, colours := 1, 8, 1
	for name, p := range map[pdfName]*int{"Columns": &columns, "BitsPerComponent": &bits, "Colors": &colours} {
		if n, ok := asInt(params[name]); ok {
			*p = n
		}
	}
	if kind < 10 || columns < 1 || columns > 1<<20 || bits != 8 || colours < 1 || colours > 8 {
		return nil, errPDF
	}
	width := columns * colours
	out, above := make([]byte, 0, len(data)), make([]byte, width)
	for len(data) > 1 {
		how, row := data[0], make([]byte, width)
		data = data[1+copy(row, data[1:]):]
		for i := range row {
			left, corner := byte(0), byte(0)
			if i >= colours {
				left, corner = row[i-colours], above[i-colours]
			}
			switch how {
			case 1:
				row[i] += left
			case 2:
				row[i] += above[i]
			case 3:
				row[i] += byte((int(left) + int(above[i])) / 2)
			case 4:
				row[i] += paeth(left, above[i], corner)
			}
		}
		out, above = append(out, row...), row
	}
	return out, nil
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	da, db, dc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case da <= db && da <= dc:
		return a
	case db <= dc:
		return b
	}
	return c
}

func abs(n int) int { return max(n, -n) }

func asInt(v any) (int, bool) {
	n, ok := v.(pdfNumber)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n), 10, 48)
	return int(i), err == nil
}

func asInts(v any) ([]int, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]int, len(list))
	for i, x := range list {
		if out[i], ok = asInt(x); !ok {
			return nil, false
		}
	}
	return out, true
}
