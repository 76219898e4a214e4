package store

// What stands between SQLite and the operating system's files. SQLite keeps
// what was committed if a sync that returned without error has put everything
// on the disk that was written before it, and if files have the length that
// was written. Three things that happen on real machines break that, and each
// loses what was acknowledged, without a word, at the next power cut:
//
//   - After a sync that failed, the operating system counts the pages as clean,
//     on the disk or not, and the next sync says that all is well. (PostgreSQL
//     learnt it in 2018.) SQLite writes most of them again, but not what fills
//     the log up to a whole block after a commit, and where that is missing
//     recovery stops: entries acknowledged after the fault are gone. So what
//     was written since the last good sync is written again before the next.
//   - A write that was cut short leaves a block that is half old, half new, and
//     so cannot be decrypted: with it goes what stood there before. So the old
//     block is put back, and read from memory until it could be. At the end of
//     a file the block is not whole, and SQLite would refuse to open the
//     database at all. Such a block was never synced: it is left out.
//   - A new file's name has to be synced too, in its folder.

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/adiantum"
)

// encryptedFiles names the file system of encrypted databases.
const encryptedFiles = "banyan"

// blockSize is what the encryption works on, and what is written again at once.
const blockSize = 4096

func init() { PutFilesOn(vfs.Find("").(vfs.VFSFilename)) }

// PutFilesOn says on which file system encrypted databases that are opened
// from now on lie. Tests put a failing disk there.
func PutFilesOn(base vfs.VFSFilename) {
	vfs.Register(encryptedFiles, adiantum.Wrap(careful{base}, nil))
}

// careful is the file system.
type careful struct{ vfs.VFSFilename }

// unsynced is what was written to one file since its last good sync, whichever
// connection wrote it.
type unsynced struct {
	mu     sync.Mutex
	users  int
	blocks map[int64]bool   // numbers of blocks
	broken map[int64][]byte // what should stand in blocks that a failed write spoilt
	doubt  bool             // a sync failed since
	named  bool             // its name is in the folder for good
	// What was last written, and where. The log is written in pieces that are no
	// whole blocks, so that the encryption asks for the block it just wrote.
	last   []byte
	lastAt int64
	was    []byte // what before reads into
}

var (
	openMu sync.Mutex
	opened = map[string]*unsynced{} // by path
)

func (c careful) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(c.VFSFilename, name, flags)
	if err != nil || name == nil || flags&(vfs.OPEN_MAIN_DB|vfs.OPEN_WAL|vfs.OPEN_MAIN_JOURNAL) == 0 {
		return f, flags, err
	}
	openMu.Lock()
	defer openMu.Unlock()
	path := name.String()
	if opened[path] == nil {
		opened[path] = &unsynced{blocks: map[int64]bool{}, broken: map[int64][]byte{}}
	}
	opened[path].users++
	return &carefulFile{File: f, path: path, since: opened[path]}, flags, nil
}

// Delete forgets what was written to the file.
func (c careful) Delete(name string, syncDir bool) error {
	openMu.Lock()
	delete(opened, name)
	openMu.Unlock()
	return c.VFSFilename.Delete(name, syncDir)
}

// carefulFile is one open file.
type carefulFile struct {
	vfs.File
	path  string
	since *unsynced
}

func (f *carefulFile) Close() error {
	openMu.Lock()
	f.since.users--
	if f.since.users == 0 && opened[f.path] == f.since {
		delete(opened, f.path)
	}
	openMu.Unlock()
	return f.File.Close()
}

func (f *carefulFile) ReadAt(p []byte, off int64) (int, error) {
	f.since.mu.Lock()
	defer f.since.mu.Unlock()
	return f.read(p, off)
}

// read sees whole blocks where a failed write left halves.
func (f *carefulFile) read(p []byte, off int64) (int, error) {
	if at := off - f.since.lastAt; at >= 0 && at+int64(len(p)) <= int64(len(f.since.last)) {
		return copy(p, f.since.last[at:]), nil
	}
	n, err := f.File.ReadAt(p, off)
	for b, was := range f.since.broken {
		if at := b*blockSize - off; at >= 0 && at+blockSize <= int64(n) {
			copy(p[at:], was)
		}
	}
	return n, err
}

// WriteAt is called with whole blocks, by the encryption above.
func (f *carefulFile) WriteAt(p []byte, off int64) (int, error) {
	f.since.mu.Lock()
	defer f.since.mu.Unlock()
	was, held, err := f.before(len(p), off)
	if err != nil {
		return 0, err
	}
	f.since.last = f.since.last[:0]
	n, err := f.File.WriteAt(p, off)
	for b := off / blockSize; b*blockSize < off+int64(len(p)); b++ {
		f.since.blocks[b] = true
		at := b*blockSize - off
		switch {
		case err == nil:
			delete(f.since.broken, b)
		case at >= 0 && at+blockSize <= int64(held):
			f.since.broken[b] = slices.Clone(was[at : at+blockSize])
		}
	}
	if err != nil {
		_ = f.putBack()
		return n, err
	}
	f.since.last, f.since.lastAt = append(f.since.last, p...), off
	return n, nil
}

// before reads what stands where n bytes will be written, block by block, since
// the first may be the one that was written last. It is good until the next write.
func (f *carefulFile) before(n int, off int64) (was []byte, held int, err error) {
	f.since.was = slices.Grow(f.since.was[:0], n)[:n]
	was = f.since.was
	for held < n {
		block := was[held:min(held+blockSize, n)]
		got, err := f.read(block, off+int64(held))
		held += got
		if err == io.EOF || err == nil && got < len(block) {
			return was, held, nil
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return was, held, nil
}

// putBack writes the blocks that a failed write spoilt as they were.
func (f *carefulFile) putBack() error {
	if len(f.since.broken) > 0 {
		f.since.last = f.since.last[:0]
	}
	for b, was := range f.since.broken {
		if _, err := f.File.WriteAt(was, b*blockSize); err != nil {
			return err
		}
		f.since.blocks[b] = true
		delete(f.since.broken, b)
	}
	return nil
}

func (f *carefulFile) Truncate(size int64) error {
	f.since.mu.Lock()
	defer f.since.mu.Unlock()
	f.since.last = f.since.last[:0]
	err := f.File.Truncate(size)
	if err == nil {
		for b := range f.since.blocks {
			if b*blockSize >= size {
				delete(f.since.blocks, b)
				delete(f.since.broken, b)
			}
		}
	}
	return err
}

func (f *carefulFile) Sync(flags vfs.SyncFlag) error {
	f.since.mu.Lock()
	defer f.since.mu.Unlock()
	err := f.putBack()
	if err == nil {
		err = f.writeAgain()
	}
	if err == nil {
		err = f.File.Sync(flags)
	}
	if err == nil && !f.since.named {
		err = SyncFolder(filepath.Dir(f.path))
	}
	if err != nil {
		f.since.doubt = true
		return err
	}
	clear(f.since.blocks)
	f.since.doubt, f.since.named = false, true
	return nil
}

// writeAgain makes dirty, after a sync that failed, what it may have lost.
func (f *carefulFile) writeAgain() error {
	if !f.since.doubt {
		return nil
	}
	block := make([]byte, blockSize)
	for b := range f.since.blocks {
		n, err := f.File.ReadAt(block, b*blockSize)
		if err != nil && err != io.EOF {
			return err
		}
		if n == 0 {
			continue
		}
		if _, err := f.File.WriteAt(block[:n], b*blockSize); err != nil {
			return err
		}
	}
	return nil
}

// Size leaves out a block that is not whole.
func (f *carefulFile) Size() (int64, error) {
	size, err := f.File.Size()
	return size - size%blockSize, err
}

// SyncFolder makes the names in a folder last: a new file without it may be
// gone after a power cut.
func SyncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// What else a file can do, the file below does.

func (f *carefulFile) Unwrap() vfs.File               { return f.File }
func (f *carefulFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f *carefulFile) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }
func (f *carefulFile) PersistWAL() bool               { return vfsutil.WrapPersistWAL(f.File) }
func (f *carefulFile) SetPersistWAL(keep bool)        { vfsutil.WrapSetPersistWAL(f.File, keep) }
func (f *carefulFile) HasMoved() (bool, error)        { return vfsutil.WrapHasMoved(f.File) }
func (f *carefulFile) SizeHint(size int64) error      { return vfsutil.WrapSizeHint(f.File, size) }
func (f *carefulFile) ChunkSize(size int)             { vfsutil.WrapChunkSize(f.File, size) }
