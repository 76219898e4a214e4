package app

// Backup, restore and what they promise together: the restored record has the
// same checkpoint, and what was erased stays erased.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"banyan/internal/backup"
	"banyan/internal/journal"
	"banyan/internal/store"
	"banyan/internal/vault"
)

// keyringSuffix names the second file of a backup. It is short-lived: whoever
// keeps it longer than the journal's own rules allow can undo an erasure.
const keyringSuffix = ".keyring"

// BackedUp says what a backup holds.
type BackedUp struct {
	Journal, Keyring backup.Summary
	Checkpoint       journal.Checkpoint
}

// Backup writes two sealed files: out (the record) and out.keyring (the
// wrapped keys). The keyring is read after the record, so that no entry is
// without its key.
func (r *Record) Backup(ctx context.Context, j *journal.Journal, projections []string, out string) (BackedUp, error) {
	var b BackedUp
	var err error
	if b.Checkpoint, err = j.Checkpoint(ctx); err != nil {
		return b, err
	}
	// By which rules they were drawn goes with them: a restored record has none.
	if b.Journal, err = backup.Write(ctx, r.DB, append([]string{"drawn"}, projections...), r.Master.Derive("backup of the record 1"), out); err != nil {
		return b, err
	}
	b.Keyring, err = backup.Write(ctx, r.Keyring, nil, r.Master.Derive("backup of the keyring 1"), out+keyringSuffix)
	if err != nil {
		return b, errors.Join(err, os.Remove(out))
	}
	return b, nil
}

// Restored says what a restore brought back.
type Restored struct {
	Journal, Keyring backup.Summary
	Erased           int // streams whose keys were destroyed again
}

// Restore brings a backup into a new data folder. Streams that were erased
// after the backup was made are erased again, from the list that stands
// beside the master key. Projections are empty afterwards: rebuild them.
func Restore(ctx context.Context, cfg Config, in string) (*Record, Restored, error) {
	var done Restored
	if cfg.KeyFile == "" {
		return nil, done, errors.New("restoring: name the key file of the backed-up node with --key-file")
	}
	master, err := vault.OpenMaster(cfg.KeyFile, cfg.Passphrase)
	if err != nil {
		return nil, done, err
	}
	recordKey, keyringKey := master.Derive("backup of the record 1"), master.Derive("backup of the keyring 1")
	if _, err := backup.Check(in, recordKey); err != nil { // before anything is made
		return nil, done, err
	}
	if _, err := backup.Check(in+keyringSuffix, keyringKey); err != nil {
		return nil, done, fmt.Errorf("the keyring's half: %w", err)
	}
	if entries, err := os.ReadDir(cfg.Data); err == nil && len(entries) > 0 {
		return nil, done, fmt.Errorf("restoring: the folder %s is not empty", filepath.Base(cfg.Data))
	}
	cfg.Create = true
	r, err := OpenRecord(ctx, cfg)
	if err != nil {
		return nil, done, err
	}
	if err := r.fill(ctx, in, recordKey, keyringKey, &done); err != nil {
		return nil, done, errors.Join(err, r.Close())
	}
	return r, done, nil
}

func (r *Record) fill(ctx context.Context, in string, recordKey, keyringKey []byte, done *Restored) (err error) {
	if done.Keyring, err = backup.Restore(ctx, r.Keyring, keyringKey, in+keyringSuffix); err != nil {
		return err
	}
	if done.Journal, err = backup.Restore(ctx, r.DB, recordKey, in); err != nil {
		return err
	}
	if _, err := r.DB.Exec(ctx, `DELETE FROM drawn`); err != nil { // backups before 2026-11-28 hold it
		return fmt.Errorf("noting that nothing is drawn yet: %w", err)
	}
	done.Erased, err = r.eraseAgain(ctx)
	return err
}

// eraseAgain destroys keys that the list beside the master key names and that
// the keyring's backup brought back.
func (r *Record) eraseAgain(ctx context.Context) (int, error) {
	listed, err := r.Master.Erasures()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, stream := range listed {
		_, err := r.Vault.Keys(ctx, stream)
		if errors.Is(err, vault.ErrErased) || errors.Is(err, vault.ErrNoKey) {
			continue
		}
		if err != nil {
			return n, err
		}
		if err := r.Vault.Erase(ctx, stream); err != nil {
			return n, err
		}
		_, err = r.DB.Exec(ctx, `UPDATE stream SET erased_at = $2 WHERE id = $1 AND erased_at = 0`, stream, store.Micros(r.Config.Now()))
		if err != nil {
			return n, fmt.Errorf("marking an erased stream: %w", err)
		}
		n++
	}
	return n, nil
}
