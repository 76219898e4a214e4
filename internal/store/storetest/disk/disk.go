// Package disk puts a disk of the test's own below SQLite: one that forgets
// what was not synced when the power goes, tears blocks, fails to write, fails
// to sync, and fills up.
//
// A killed process proves little about a disk: the operating system keeps what
// the process had written, synced or not. Here what a power cut leaves is made
// on purpose, as the worst disk may do it: of the writes that no successful
// sync followed, each may be there, missing, or there in some of its 512-byte
// sectors, in any order; and after a sync that failed the operating system may
// have thrown the written pages away without saying so again.
package disk

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"banyan/internal/store"
)

// sector is what a disk writes at once.
const sector = 512

// Fault is a way to fail.
type Fault int

// The ways. ShortWrite leaves the first half of the words on the disk.
const (
	None Fault = iota
	FailWrite
	ShortWrite
	Full
	FailSync
	Cut // the power goes: nothing works from here on
)

// Disk is one folder that lies on it. It is safe for concurrent use.
type Disk struct {
	dir string

	mu     sync.Mutex
	rng    *rand.Rand
	files  map[string]*file // by path
	next   Fault
	after  int // how many operations still work before next comes
	lasts  int // how many operations it then spoils
	off    bool
	Failed int // operations that failed on purpose
	Synced int // syncs that worked
}

// file is what the disk itself holds of one file, and what is still on its way.
type file struct {
	there   bool // its name is in the folder for good
	durable []byte
	pending []change
}

type change struct {
	at    int64
	bytes []byte // nil: cut to at
}

var (
	install sync.Once
	mu      sync.Mutex
	disks   = map[string]*Disk{}
)

// New lays dir on such a disk. From the first call on, every encrypted
// database that this test process opens below such a folder goes through it;
// others are untouched.
func New(dir string, seed uint64) *Disk {
	install.Do(func() { store.PutFilesOn(system{vfs.Find("").(vfs.VFSFilename)}) })
	d := &Disk{dir: dir, rng: rand.New(rand.NewPCG(seed, 1)), files: map[string]*file{}}
	mu.Lock()
	defer mu.Unlock()
	disks[dir] = d
	return d
}

func diskOf(path string) *Disk {
	mu.Lock()
	defer mu.Unlock()
	for dir, d := range disks {
		if strings.HasPrefix(path, dir+string(filepath.Separator)) {
			return d
		}
	}
	return nil
}

// Break lets so many more writes and syncs work, and then spoils the next ones.
func (d *Disk) Break(f Fault, after, lasts int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next, d.after, d.lasts = f, after, lasts
}

// Mend lets everything work again.
func (d *Disk) Mend() { d.Break(None, 0, 0) }

// Off says whether the power is gone.
func (d *Disk) Off() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

// PowerCut takes the power away now: nothing is acknowledged after it returns.
func (d *Disk) PowerCut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
}

// Image writes what the disk holds after the power went into another folder,
// beside whatever else of the folder is no database.
func (d *Disk) Image(to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.off {
		return errors.New("an image is taken after the power went")
	}
	others, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, o := range others {
		path := filepath.Join(d.dir, o.Name())
		if d.files[path] != nil || strings.HasSuffix(path, "-shm") || !o.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, o.Name()), text, 0o600); err != nil {
			return err
		}
	}
	for path, f := range d.files {
		for _, c := range f.pending {
			d.maybe(f, c)
		}
		if !f.there && d.rng.IntN(2) == 0 {
			continue // the folder never learnt of it
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(path)), f.durable, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// maybe does a change wholly, in part, or not at all.
func (d *Disk) maybe(f *file, c change) {
	switch how := d.rng.IntN(4); {
	case how == 0:
	case how == 1 || c.bytes == nil:
		f.do(c)
	default: // torn; a file's length is the file system's own, and whole
		if end := c.at + int64(len(c.bytes)); int64(len(f.durable)) < end {
			f.durable = append(f.durable, make([]byte, end-int64(len(f.durable)))...)
		}
		for at := 0; at < len(c.bytes); at += sector {
			if d.rng.IntN(2) == 0 {
				f.do(change{c.at + int64(at), c.bytes[at:min(at+sector, len(c.bytes))]})
			}
		}
	}
}

func (f *file) do(c change) {
	if c.bytes == nil {
		if int64(len(f.durable)) > c.at {
			f.durable = f.durable[:c.at]
		}
		return
	}
	if need := c.at + int64(len(c.bytes)); int64(len(f.durable)) < need {
		f.durable = append(f.durable, make([]byte, need-int64(len(f.durable)))...)
	}
	copy(f.durable[c.at:], c.bytes)
}

// due says how the next operation goes. The caller holds mu.
func (d *Disk) due(sync bool) Fault {
	if d.off {
		return Cut
	}
	if d.next == None {
		return None
	}
	if (d.next == FailSync) != sync && d.next != Cut {
		return None
	}
	if d.after > 0 {
		d.after--
		return None
	}
	f := d.next
	if d.lasts--; d.lasts <= 0 {
		d.next = None
	}
	d.Failed++
	if f == Cut {
		d.off = true
	}
	return f
}

// system is the file system that leads to the disks.
type system struct{ vfs.VFSFilename }

func (s system) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(s.VFSFilename, name, flags)
	if err != nil {
		return f, flags, err
	}
	d := diskOf(name.String())
	if d == nil {
		return f, flags, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[name.String()] == nil {
		held, err := os.ReadFile(name.String())
		if err != nil {
			f.Close()
			return nil, flags, fmt.Errorf("reading what the disk holds: %w", err)
		}
		d.files[name.String()] = &file{there: len(held) > 0, durable: held}
	}
	return &handle{File: f, disk: d, file: d.files[name.String()]}, flags, nil
}

func (s system) Delete(name string, syncDir bool) error {
	err := s.VFSFilename.Delete(name, syncDir)
	if d := diskOf(name); d != nil && err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !d.off {
			delete(d.files, name)
		}
	}
	return err
}

// handle is one open file.
type handle struct {
	vfs.File
	disk *Disk
	file *file
}

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.due(false) {
	case Cut, FailWrite:
		return 0, sqlite3.IOERR_WRITE
	case Full:
		return 0, sqlite3.FULL
	case ShortWrite:
		half := p[:len(p)/2]
		n, err := h.File.WriteAt(half, off)
		h.file.pending = append(h.file.pending, change{off, append([]byte(nil), half[:n]...)})
		if err != nil {
			return n, err
		}
		return n, io.ErrShortWrite
	}
	n, err := h.File.WriteAt(p, off)
	h.file.pending = append(h.file.pending, change{off, append([]byte{}, p[:n]...)})
	return n, err
}

func (h *handle) Truncate(size int64) error {
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.due(false) != None {
		return sqlite3.IOERR_TRUNCATE
	}
	h.file.pending = append(h.file.pending, change{at: size})
	return h.File.Truncate(size)
}

// Sync makes what was written last. Where it fails, what was on its way may be
// lost, though reading still shows it, and later syncs say nothing of it.
func (h *handle) Sync(vfs.SyncFlag) error {
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.due(true) {
	case Cut:
		return sqlite3.IOERR_FSYNC
	case FailSync:
		for _, c := range h.file.pending {
			d.maybe(h.file, c)
		}
		h.file.pending = nil
		return sqlite3.IOERR_FSYNC
	}
	for _, c := range h.file.pending {
		h.file.do(c)
	}
	h.file.pending, h.file.there = nil, true
	d.Synced++
	return nil
}

func (h *handle) Unwrap() vfs.File { return h.File }

// SharedMemory is the write-ahead log's index. It lies in memory.
func (h *handle) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(h.File) }

// LockState leads to the file below.
func (h *handle) LockState() vfs.LockLevel { return vfsutil.WrapLockState(h.File) }
