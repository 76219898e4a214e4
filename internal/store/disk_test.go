package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"banyan/internal/store"
	"banyan/internal/store/storetest/disk"
)

// cutLife is a small database on a failing disk, from one power cut to the next.
type cutLife struct {
	t     *testing.T
	dir   string
	disk  *disk.Disk
	db    *store.DB
	acked []int
}

func (l *cutLife) open() {
	l.t.Helper()
	db, err := store.OpenSQLite(context.Background(), filepath.Join(l.dir, "banyan.db"), bytes.Repeat([]byte{5}, store.KeySize))
	if err != nil {
		l.t.Fatalf("opening after a power cut: %v", err)
	}
	l.db = db
}

func (l *cutLife) insert(n int) bool {
	body := bytes.Repeat([]byte{byte(n)}, 900*(n%7)) // some fill pages, some share one
	_, err := l.db.Exec(context.Background(), `INSERT INTO note (id, body, n) VALUES ($1, $2, $3)`, fmt.Sprint(n), body, n)
	if err == nil {
		l.acked = append(l.acked, n)
	}
	return err == nil
}

// cut takes the power and starts on what the disk held.
func (l *cutLife) cut(seed uint64) {
	l.t.Helper()
	l.disk.PowerCut()
	_ = l.db.Close()
	next, err := os.MkdirTemp(filepath.Dir(l.dir), "life")
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.disk.Image(next); err != nil {
		l.t.Fatal(err)
	}
	l.dir, l.disk = next, disk.New(next, seed)
	l.open()
	for _, n := range l.acked {
		var got int
		if err := l.db.QueryRow(context.Background(), `SELECT n FROM note WHERE id = $1`, fmt.Sprint(n)).Scan(&got); err != nil || got != n {
			l.t.Fatalf("row %d of %v is gone: %v", n, l.acked, err)
		}
	}
}

// TestFaultsInARowLoseNothing tries, with many ways for a disk to fall, what
// is rare in a day's work: a fault on the heels of another. The electricity of
// a border town comes and goes like that.
func TestFaultsInARowLoseNothing(t *testing.T) {
	for name, steps := range map[string][]disk.Fault{
		"a power cut while the first words after a power cut are written": {disk.Cut, disk.Cut, disk.Cut},
		"a power cut after a sync that failed":                            {disk.FailSync, disk.None, disk.Cut},
		"a power cut after a write that stopped halfway":                  {disk.ShortWrite, disk.None, disk.Cut},
		"a full disk, a failed write, a failed sync, a power cut":         {disk.Full, disk.FailWrite, disk.FailSync, disk.Cut},
	} {
		t.Run(name, func(t *testing.T) {
			acked := 0
			for seed := range uint64(40) {
				l := &cutLife{t: t, dir: filepath.Join(t.TempDir(), "life")}
				if err := os.Mkdir(l.dir, 0o700); err != nil {
					t.Fatal(err)
				}
				l.disk = disk.New(l.dir, seed)
				l.open()
				if err := store.Migrate(context.Background(), l.db, noteSchema); err != nil {
					t.Fatal(err)
				}
				n := 0
				for i, fault := range steps {
					if i == 0 { // the other faults hit the first words after the one before
						if n += 2; !l.insert(1) || !l.insert(2) {
							t.Fatal("a working disk took nothing")
						}
					}
					l.disk.Break(fault, int(seed+uint64(i))%4, 1+int(seed)%3)
					for range 3 {
						n++
						l.insert(n)
					}
					l.disk.Mend()
					if fault == disk.Cut {
						l.cut(seed*100 + uint64(i))
					}
				}
				for range 3 { // and what comes after it all
					n++
					l.insert(n)
				}
				l.cut(seed*100 + 99)
				acked += len(l.acked)
				_ = l.db.Close()
			}
			t.Logf("40 disks, %d rows acknowledged, all there", acked)
		})
	}
}
