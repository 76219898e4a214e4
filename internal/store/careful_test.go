package store

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
)

// memory is a file in memory that fails when it is told to.
type memory struct {
	vfs.File
	bytes    []byte
	short    int           // so many writes leave only half
	noSync   int           // so many syncs fail
	rewrites map[int64]int // writes by block
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m.bytes).ReadAt(p, off)
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if m.short > 0 {
		m.short--
		p = p[:len(p)/2]
		defer func() { m.rewrites[off/blockSize]-- }()
	}
	if need := off + int64(len(p)); int64(len(m.bytes)) < need {
		m.bytes = append(m.bytes, make([]byte, need-int64(len(m.bytes)))...)
	}
	m.rewrites[off/blockSize]++
	if n := copy(m.bytes[off:], p); n < blockSize {
		return n, io.ErrShortWrite
	}
	return len(p), nil
}

func (m *memory) Sync(vfs.SyncFlag) error {
	if m.noSync > 0 {
		m.noSync--
		return errors.New("the disk did not take it")
	}
	return nil
}

func (m *memory) Size() (int64, error) { return int64(len(m.bytes)), nil }

func careFor(t *testing.T) (*carefulFile, *memory) {
	m := &memory{rewrites: map[int64]int{}}
	return &carefulFile{File: m, path: filepath.Join(t.TempDir(), "banyan.db-wal"), since: &unsynced{blocks: map[int64]bool{}, broken: map[int64][]byte{}}}, m
}

func filled(b byte) []byte { return bytes.Repeat([]byte{b}, blockSize) }

func write(t *testing.T, f *carefulFile, block int64, b byte) {
	t.Helper()
	if _, err := f.WriteAt(filled(b), block*blockSize); err != nil {
		t.Fatal(err)
	}
}

// TestWhatAFailedSyncMayHaveLostIsWrittenAgain: see the file's comment; the
// next good sync would otherwise acknowledge a child's record on a log with a
// hole in it.
func TestWhatAFailedSyncMayHaveLostIsWrittenAgain(t *testing.T) {
	f, m := careFor(t)
	write(t, f, 0, 1)
	if err := f.Sync(0); err != nil {
		t.Fatal(err)
	}
	write(t, f, 1, 2)
	write(t, f, 2, 3)
	m.noSync = 2
	for range 2 {
		if f.Sync(0) == nil {
			t.Fatal("a sync that failed was said to be good")
		}
	}
	write(t, f, 3, 4)
	before := m.rewrites[2]
	if err := f.Sync(0); err != nil {
		t.Fatal(err)
	}
	if m.rewrites[2] != before+1 || m.rewrites[1] < 2 || m.rewrites[0] != 1 {
		t.Errorf("written before the good sync: %v, want blocks 1 and 2 again and block 0 once", m.rewrites)
	}
	if err := f.Sync(0); err != nil || m.rewrites[2] != before+1 {
		t.Errorf("after a good sync blocks are written again (%v)", err)
	}
}

func TestABlockThatAWriteLeftHalfIsAsItWas(t *testing.T) {
	f, m := careFor(t)
	write(t, f, 0, 1)
	write(t, f, 1, 2)
	m.short = 3 // the write, and twice the putting back
	if _, err := f.WriteAt(filled(9), blockSize); err == nil {
		t.Fatal("half a write was said to be whole")
	}
	got := make([]byte, 2*blockSize)
	if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, append(filled(1), filled(2)...)) {
		t.Errorf("what stood there is not read any more (%v)", err)
	}
	if f.Sync(0) == nil {
		t.Error("a file with a broken block was synced")
	}
	if err := f.Sync(0); err != nil || !bytes.Equal(m.bytes, append(filled(1), filled(2)...)) {
		t.Errorf("the block was not put back (%v)", err)
	}
	m.short = 1
	if _, err := f.WriteAt(filled(9), 2*blockSize); err == nil {
		t.Fatal("half a write was said to be whole")
	}
	if size, err := f.Size(); err != nil || size != 2*blockSize {
		t.Errorf("with half a block at its end the file has %d bytes (%v)", size, err)
	}
}
