package vault_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"banyan/internal/store"
	"banyan/internal/store/storetest"
	"banyan/internal/vault"
)

func newVault(t *testing.T, master vault.Master) *vault.Vault {
	t.Helper()
	db := storetest.SQLite(t)
	if err := store.Migrate(context.Background(), db, vault.Schema()); err != nil {
		t.Fatal(err)
	}
	return vault.Open(db, master, func() time.Time { return time.Unix(0, 0) })
}

func TestAPartOpensOnlyInItsPlace(t *testing.T) {
	ctx := context.Background()
	v := newVault(t, vault.NewMemoryMaster())
	a, err := v.CreateKeys(ctx, "o1", "a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := v.CreateKeys(ctx, "o1", "b")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := a.Seal(vault.Identity, "e1", []byte("word"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := a.Open(vault.Identity, "e1", sealed); err != nil || string(plain) != "word" {
		t.Fatalf("in its place it gave %q, %v", plain, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another entry":  func() ([]byte, error) { return a.Open(vault.Identity, "e2", sealed) },
		"another tier":   func() ([]byte, error) { return a.Open(vault.Health, "e1", sealed) },
		"another stream": func() ([]byte, error) { return b.Open(vault.Identity, "e1", sealed) },
		"cut short":      func() ([]byte, error) { return a.Open(vault.Identity, "e1", sealed[:20]) },
	} {
		if _, err := open(); !errors.Is(err, vault.ErrTamper) {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

func TestKeysComeBackFromTheKeyringAndNotWithoutTheMaster(t *testing.T) {
	ctx := context.Background()
	master := vault.NewMemoryMaster()
	v := newVault(t, master)
	keys, err := v.CreateKeys(ctx, "o1", "a")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.SealSame(vault.Story, "p", []byte("word"))
	if err != nil {
		t.Fatal(err)
	}
	again := vault.Open(v.Keyring(), master, time.Now)
	keys, err = again.Keys(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := keys.Open(vault.Story, "p", sealed); err != nil || string(plain) != "word" {
		t.Errorf("got %q, %v", plain, err)
	}
	if twice, _ := keys.SealSame(vault.Story, "p", []byte("word")); string(twice) != string(sealed) {
		t.Error("sealing the same cell twice gave other bytes")
	}
	stranger := vault.Open(v.Keyring(), vault.NewMemoryMaster(), time.Now)
	if _, err := stranger.Keys(ctx, "a"); !errors.Is(err, vault.ErrTamper) {
		t.Errorf("another master key gave %v, want a refusal", err)
	}
}

func TestErasedKeysAreGoneAndTheListBesideTheMasterSaysSo(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "key")
	master, err := vault.CreateMaster(path, "")
	if err != nil {
		t.Fatal(err)
	}
	v := newVault(t, master)
	if _, err := v.CreateKeys(ctx, "o1", "a"); err != nil {
		t.Fatal(err)
	}
	if err := v.Erase(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Keys(ctx, "a"); !errors.Is(err, vault.ErrErased) {
		t.Errorf("got %v, want erased", err)
	}
	if _, err := v.CreateKeys(ctx, "o1", "a"); !errors.Is(err, vault.ErrErased) {
		t.Errorf("making new keys for it gave %v, want erased", err)
	}
	listed, err := master.Erasures()
	if err != nil || len(listed) != 1 || listed[0] != "a" {
		t.Errorf("the list says %v (%v)", listed, err)
	}
}

// TestAnErasureIsListedThoughThePowerWentInTheMiddleOfTheOneBefore: a backup
// that is restored must not bring back what a grown-up asked to be forgotten.
func TestAnErasureIsListedThoughThePowerWentInTheMiddleOfTheOneBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	master, err := vault.CreateMaster(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".erased", []byte("first\nhalf-of-a-li"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newVault(t, master).Erase(context.Background(), "second"); err != nil {
		t.Fatal(err)
	}
	listed, err := master.Erasures()
	if err != nil || !slices.Contains(listed, "first") || !slices.Contains(listed, "second") {
		t.Errorf("the list says %q (%v)", listed, err)
	}
}

func TestAKeyFileIsNeverReplacedAndASealedOneNeedsItsPassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	made, err := vault.CreateMaster(path, "six plain words")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.CreateMaster(path, ""); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second key file gave %v, want a refusal", err)
	}
	if _, err := vault.OpenMaster(path, ""); !errors.Is(err, vault.ErrPassphrase) {
		t.Errorf("no passphrase gave %v", err)
	}
	if _, err := vault.OpenMaster(path, "wrong"); err == nil {
		t.Error("a wrong passphrase opened it")
	}
	back, err := vault.OpenMaster(path, "six plain words")
	if err != nil || string(back.Derive("x")) != string(made.Derive("x")) {
		t.Errorf("the passphrase gave another key (%v)", err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v", info.Mode())
	}
}
