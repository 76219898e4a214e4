package faults

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"banyan/test/program"
)

// TestOneChangedByteIsFoundAndItsEntryNamed: somebody with the keys of the
// database changes one byte of one sealed entry; `banyan verify` says which.
func TestOneChangedByteIsFoundAndItsEntryNamed(t *testing.T) {
	data := country(t, t.TempDir())
	if out, code := program.Run(t, "verify", "--data", data); code != 0 || !strings.Contains(out, "ok: ") {
		t.Fatalf("verify before: %d %s", code, out)
	}
	record, ctx := beside(t, data), context.Background()
	var id string
	var parts []byte
	if err := record.DB.QueryRow(ctx, "SELECT id, parts FROM entry WHERE log_index = 100").Scan(&id, &parts); err != nil {
		t.Fatal(err)
	}
	write := func(parts []byte) {
		t.Helper()
		if _, err := record.DB.Exec(ctx, "UPDATE entry SET parts = $1 WHERE id = $2", parts, id); err != nil {
			t.Fatal(err)
		}
	}
	changed := bytes.Clone(parts)
	changed[len(changed)/2] ^= 1
	write(changed)
	out, code := program.Run(t, "verify", "--data", data)
	if code != 1 || !strings.Contains(out, id) || strings.Contains(out, "ok: ") {
		t.Errorf("verify after one changed byte: exit %d, want 1, and the entry %s in:\n%s", code, id, out)
	}
	write(parts)
	if out, code := program.Run(t, "verify", "--data", data); code != 0 {
		t.Errorf("verify with the byte put back: %d %s", code, out)
	}
}

// TestABackupTakenWhileServingComesBackWhole follows the commands of the
// manual: backup, restore, verify; first beside the running program, then with
// the program stopped.
func TestABackupTakenWhileServingComesBackWhole(t *testing.T) {
	dir := t.TempDir()
	data := country(t, dir)
	run := func(args ...string) string {
		t.Helper()
		out, code := program.Run(t, args...)
		if code != 0 {
			t.Fatalf("banyan %s: exit %d\n%s", strings.Join(args, " "), code, out)
		}
		return out
	}
	p := program.Demo(t, data, 40)
	c := p.As(t, "chanthou")
	written := note(openCases(t, c)[0])
	submit(t, c, written)
	for _, when := range []string{"serving", "stopped"} {
		if when == "stopped" {
			p.Stop()
		}
		backup, again := filepath.Join(dir, when), filepath.Join(dir, when+"-again")
		run("backup", backup, "--data", data)
		restored := run("restore", backup, "--to", again, "--data", data)
		verified := run("verify", "--data", again)
		if !strings.Contains(restored, "ok: ") || !strings.Contains(verified, "ok: ") {
			t.Errorf("%s: restore said %s, verify said %s", when, restored, verified)
		}
		a, b := beside(t, data), beside(t, again)
		if had, got := count(t, a, "entry"), count(t, b, "entry"); had != got || got == 0 {
			t.Errorf("%s: %d entries were backed up, %d came back", when, had, got)
		}
		var n int
		if err := b.DB.QueryRow(context.Background(), "SELECT count(*) FROM entry WHERE id = $1", written["id"]).Scan(&n); err != nil || n != 1 {
			t.Errorf("%s: the note of just now came back %d times (%v)", when, n, err)
		}
		if out, code := program.Run(t, "restore", backup, "--to", again, "--data", data); code == 0 {
			t.Errorf("%s: a second restore into the same folder was taken: %s", when, out)
		}
	}
}
