package vault

// The master key stands outside the data folder: in a file that only its
// owner may read, either as it is or sealed with a passphrase (age, scrypt).
// Beside it stands the list of erasures, so that restoring an older backup of
// the keyring cannot bring erased keys back.

import (
	"bufio"
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"banyan/internal/store"
)

const masterPrefix = "BANYAN-MASTER-KEY-1 "

// Master is the root of all keys of one node.
type Master struct {
	key  [KeySize]byte
	path string // the key file; empty for a key that only lives in memory
}

// Errors about the key file that a person can do something about.
var (
	ErrPassphrase = errors.New("the key file is sealed: give its passphrase")
	ErrKeyFile    = errors.New("this is not a Banyan key file")
)

// NewMemoryMaster makes a master key that is lost with the process: for tests.
func NewMemoryMaster() Master {
	var m Master
	_, _ = rand.Read(m.key[:])
	return m
}

// CreateMaster writes a new key file, sealed if a passphrase is given. It
// never replaces an existing file.
func CreateMaster(path, passphrase string) (Master, error) {
	m := Master{path: path}
	_, _ = rand.Read(m.key[:])
	text := []byte(masterPrefix + hex.EncodeToString(m.key[:]) + "\n")
	if passphrase != "" {
		sealed, err := sealWithPassphrase(text, passphrase)
		if err != nil {
			return Master{}, fmt.Errorf("sealing the key file: %w", err)
		}
		text = sealed
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Master{}, fmt.Errorf("making the key's folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Master{}, fmt.Errorf("creating the key file: %w", err)
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return Master{}, fmt.Errorf("writing the key file: %w", err)
	}
	if err := errors.Join(f.Sync(), store.SyncFolder(filepath.Dir(path))); err != nil {
		return Master{}, fmt.Errorf("writing the key file: %w", err)
	}
	return m, nil
}

// OpenMaster reads a key file. A sealed one needs its passphrase.
func OpenMaster(path, passphrase string) (Master, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Master{}, fmt.Errorf("reading the key file: %w", err)
	}
	if bytes.HasPrefix(text, []byte("age-encryption.org/")) {
		if passphrase == "" {
			return Master{}, ErrPassphrase
		}
		text, err = openWithPassphrase(text, passphrase)
		if err != nil {
			return Master{}, fmt.Errorf("opening the key file: %w", err)
		}
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(string(text)), masterPrefix)
	raw, err := hex.DecodeString(rest)
	if !ok || err != nil || len(raw) != KeySize {
		return Master{}, ErrKeyFile
	}
	m := Master{path: path}
	copy(m.key[:], raw)
	return m, nil
}

// Derive gives the key for one named use (HKDF-SHA256, RFC 5869).
func (m Master) Derive(use string) []byte {
	key, err := hkdf.Key(sha256.New, m.key[:], nil, "banyan "+use, KeySize)
	if err != nil { // only for absurd lengths
		panic(err)
	}
	return key
}

// Erasures lists the streams whose keys must never come back, as kept beside
// the key file.
func (m Master) Erasures() ([]string, error) {
	if m.path == "" {
		return nil, nil
	}
	f, err := os.Open(m.erasuresPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the list of erasures: %w", err)
	}
	defer f.Close()
	var out []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if s := strings.TrimSpace(lines.Text()); s != "" {
			out = append(out, s)
		}
	}
	return out, lines.Err()
}

func (m Master) noteErasure(stream string) error {
	if m.path == "" {
		return nil
	}
	listed, err := m.Erasures()
	if err != nil {
		return err
	}
	if slices.Contains(listed, stream) {
		return nil
	}
	f, err := os.OpenFile(m.erasuresPath(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the list of erasures: %w", err)
	}
	defer f.Close()
	// A power cut may have left half a line: what follows must not be part of it.
	if _, err := fmt.Fprintf(f, "\n%s\n", stream); err != nil {
		return fmt.Errorf("writing the list of erasures: %w", err)
	}
	return errors.Join(f.Sync(), store.SyncFolder(filepath.Dir(m.path)))
}

func (m Master) erasuresPath() string { return m.path + ".erased" }

func sealWithPassphrase(plain []byte, passphrase string) ([]byte, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, r)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func openWithPassphrase(sealed []byte, passphrase string) ([]byte, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), id)
	if err != nil {
		return nil, errors.New("the passphrase is wrong or the file was changed")
	}
	return io.ReadAll(r)
}
