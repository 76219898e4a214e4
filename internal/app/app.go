// Package app is where the house is put together: it opens the databases and
// the vault, and hands each room what it needs. Nothing else in the program
// knows all rooms.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"banyan/internal/casework"
	"banyan/internal/identity"
	"banyan/internal/journal"
	"banyan/internal/linkage"
	"banyan/internal/register"
	"banyan/internal/store"
	"banyan/internal/vault"
)

// Config says where things are. The zero value of each field means its default.
type Config struct {
	Data       string // the data folder
	KeyFile    string // the master key; default: what the data folder notes, else <data>.key beside it
	Passphrase string // for a sealed key file
	Database   string // PostgreSQL words for the journal; default: SQLite in the data folder
	Keyring    string // PostgreSQL words for the keyring; default: SQLite in the data folder
	Now        func() time.Time
	Identity   identity.Config // sessions, sign-in
	Create     bool            // make the data folder and the key if they are missing
	Alongside  bool            // only looks: may run while another process serves
	Undrawn    bool            // leave the projections as they stand: the caller draws them
	// Redrawing is told how far Open has come when it draws the projections
	// anew because the rules changed; nil for nobody.
	Redrawing func(done, total int64)
}

// Errors that a person can do something about.
var (
	ErrNoData = errors.New("there is no data folder here: make one with `banyan serve --new` or `banyan demo`, or name it with --data")
	ErrInUse  = errors.New("another banyan process is using this data folder")
)

// note is what the data folder says of itself. It holds no secret.
type note struct {
	KeyFile  string `json:"key_file"`
	Database string `json:"database,omitempty"` // "postgres" when the rows are elsewhere
}

// Record is the opened record: databases, keys and journal, without the rooms
// that work on it.
type Record struct {
	Config  Config
	DB      *store.DB
	Keyring *store.DB
	Master  vault.Master
	Vault   *vault.Vault
	lock    *os.File
}

// OpenRecord opens the databases and the keys of a data folder.
func OpenRecord(ctx context.Context, cfg Config) (_ *Record, err error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	fresh, err := prepareFolder(&cfg)
	if err != nil {
		return nil, err
	}
	r := &Record{Config: cfg}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if !cfg.Alongside {
		if r.lock, err = lockFolder(cfg.Data); err != nil {
			return nil, err
		}
	}
	if r.Master, err = openMaster(cfg, fresh); err != nil {
		return nil, err
	}
	if r.DB, err = openDatabase(ctx, cfg.Database, filepath.Join(cfg.Data, "banyan.db"), r.Master.Derive("database file 1")); err != nil {
		return nil, err
	}
	if r.Keyring, err = openDatabase(ctx, cfg.Keyring, filepath.Join(cfg.Data, "keyring.db"), r.Master.Derive("keyring file 1")); err != nil {
		return nil, err
	}
	if err = store.Migrate(ctx, r.Keyring, vault.Schema()); err != nil {
		return nil, err
	}
	if err = store.Migrate(ctx, r.DB, Schemas()...); err != nil {
		return nil, err
	}
	r.Vault = vault.Open(r.Keyring, r.Master, cfg.Now)
	return r, nil
}

// Close lets go of everything. The record stays whole without it too.
func (r *Record) Close() error {
	var err error
	if r.DB != nil {
		err = errors.Join(err, r.DB.Close())
	}
	if r.Keyring != nil {
		err = errors.Join(err, r.Keyring.Close())
	}
	if r.lock != nil {
		err = errors.Join(err, r.lock.Close())
	}
	return err
}

// Schemas lists the tables of every room of the main database, in the order
// in which they are made.
func Schemas() []store.Schema {
	return []store.Schema{journal.Schema(), identity.Schema(), linkage.Schema(), casework.Schema(), register.Schema()}
}

// prepareFolder makes sure that the data folder is there, and reads its note
// into cfg. It says whether the folder is new.
func prepareFolder(cfg *Config) (fresh bool, err error) {
	if cfg.Data == "" {
		cfg.Data = "banyan-data"
	}
	if cfg.Data, err = filepath.Abs(cfg.Data); err != nil {
		return false, fmt.Errorf("finding the data folder: %w", err)
	}
	path := filepath.Join(cfg.Data, "banyan.json")
	text, err := os.ReadFile(path)
	if err == nil {
		var n note
		if err := json.Unmarshal(text, &n); err != nil {
			return false, fmt.Errorf("reading banyan.json in the data folder: %w", err)
		}
		if cfg.KeyFile == "" {
			cfg.KeyFile = n.KeyFile
		}
		if n.Database == string(store.Postgres) && cfg.Database == "" {
			return false, errors.New("the rows of this data folder are on PostgreSQL: name the database with --database and --keyring (or BANYAN_DATABASE, BANYAN_KEYRING)")
		}
		return false, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return false, fmt.Errorf("reading the data folder: %w", err)
	}
	if !cfg.Create {
		return false, ErrNoData
	}
	if cfg.KeyFile == "" {
		cfg.KeyFile = cfg.Data + ".key"
	}
	if cfg.KeyFile, err = filepath.Abs(cfg.KeyFile); err != nil {
		return false, fmt.Errorf("finding the key file: %w", err)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return false, fmt.Errorf("making the data folder: %w", err)
	}
	n := note{KeyFile: cfg.KeyFile}
	if cfg.Database != "" {
		n.Database = string(store.Postgres)
	}
	text, err = json.MarshalIndent(n, "", "  ")
	if err != nil {
		return false, err
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return false, fmt.Errorf("writing banyan.json in the data folder: %w", err)
	}
	return true, nil
}

// openMaster opens the key file. Only a new data folder may make one: an old
// folder whose key is missing must not get another key.
func openMaster(cfg Config, fresh bool) (vault.Master, error) {
	m, err := vault.OpenMaster(cfg.KeyFile, cfg.Passphrase)
	if errors.Is(err, os.ErrNotExist) && fresh {
		return vault.CreateMaster(cfg.KeyFile, cfg.Passphrase)
	}
	if errors.Is(err, os.ErrNotExist) {
		return vault.Master{}, errors.New("the key file of this data folder is missing: name it with --key-file; without it nothing here can be read")
	}
	return m, err
}

func openDatabase(ctx context.Context, dsn, path string, key []byte) (*store.DB, error) {
	if dsn != "" {
		return store.OpenPostgres(ctx, dsn)
	}
	return store.OpenSQLite(ctx, path, key)
}

// lockFolder keeps two processes from using one data folder. The kernel lets
// go of the lock when the process ends, however it ends.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, ErrInUse
	}
	return f, nil
}
