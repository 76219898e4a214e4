package journal

// The Merkle log and its signed checkpoints (RFC 6962 hashing, signed notes as
// in Go's checksum database), and Verify, which holds everything against them.

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"banyan/internal/store"
)

// signerName is the name under which a node signs its checkpoints.
const signerName = "banyan-node"

// hashesPerInsert bounds how many tree nodes one statement writes.
const hashesPerInsert = 100

// Checkpoint is a signed statement that the log had this size and root.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
	Note string // the signed text
}

// Checkpoint brings the Merkle tree up to the newest entry, signs its root and
// keeps the note, here and in the keyring database. Without new entries it
// gives the newest checkpoint again.
func (j *Journal) Checkpoint(ctx context.Context) (Checkpoint, error) {
	var c Checkpoint
	err := j.db.Transact(ctx, func(tx *store.Tx) error {
		var err error
		c, err = j.checkpoint(ctx, tx)
		return err
	})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("writing a checkpoint: %w", err)
	}
	if c.Size == 0 {
		return c, nil
	}
	_, err = j.vault.Keyring().Exec(ctx, `INSERT INTO checkpoint_copy (size, note) VALUES ($1, $2) ON CONFLICT (size) DO NOTHING`, c.Size, c.Note)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("keeping a checkpoint with the keys: %w", err)
	}
	return c, nil
}

func (j *Journal) checkpoint(ctx context.Context, tx *store.Tx) (Checkpoint, error) {
	query := `SELECT size FROM log_head WHERE one = 1`
	if tx.Engine() == store.Postgres {
		query += ` FOR UPDATE`
	}
	var size int64
	if err := tx.QueryRow(ctx, query).Scan(&size); err != nil {
		return Checkpoint{}, err
	}
	var had int64
	var text string
	err := tx.QueryRow(ctx, `SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1`).Scan(&had, &text)
	if err == nil && had == size {
		return j.openCheckpoint(text)
	}
	if size == 0 {
		return Checkpoint{}, nil
	}
	nodes := nodeReader{ctx, tx}
	if err := growTree(ctx, tx, nodes, had, size); err != nil {
		return Checkpoint{}, err
	}
	root, err := tlog.TreeHash(size, nodes)
	if err != nil {
		return Checkpoint{}, err
	}
	c := Checkpoint{Size: size, Root: root}
	c.Note, err = j.sign(c)
	if err != nil {
		return Checkpoint{}, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO checkpoint (size, at, note) VALUES ($1, $2, $3)`, size, store.Micros(j.now()), c.Note)
	return c, err
}

// growTree stores the tree's nodes for the leaves from had to size.
func growTree(ctx context.Context, tx *store.Tx, nodes nodeReader, had, size int64) error {
	const batch = 4096
	for from := had; from < size; from += batch {
		to := min(from+batch, size)
		hashes, err := leafHashes(ctx, tx, from, to)
		if err != nil {
			return err
		}
		pending := pendingNodes{nodes: nodes, first: tlog.StoredHashIndex(0, from)}
		for i, h := range hashes {
			stored, err := tlog.StoredHashes(from+int64(i), h[:], &pending)
			if err != nil {
				return err
			}
			pending.new = append(pending.new, stored...)
		}
		if err := insertNodes(ctx, tx, pending.first, pending.new); err != nil {
			return err
		}
	}
	return nil
}

func leafHashes(ctx context.Context, tx *store.Tx, from, to int64) ([]Hash, error) {
	rows, err := tx.Query(ctx, `SELECT hash FROM entry WHERE log_index >= $1 AND log_index < $2 ORDER BY log_index`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Hash
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		out = append(out, Hash(raw))
	}
	if int64(len(out)) != to-from {
		return nil, fmt.Errorf("the log has %d of the %d entries from leaf %d on", len(out), to-from, from)
	}
	return out, rows.Err()
}

func insertNodes(ctx context.Context, tx *store.Tx, first int64, nodes []tlog.Hash) error {
	for len(nodes) > 0 {
		n := min(len(nodes), hashesPerInsert)
		var sql strings.Builder
		sql.WriteString(`INSERT INTO log_hash (idx, hash) VALUES `)
		args := make([]any, 0, 2*n)
		for i, h := range nodes[:n] {
			if i > 0 {
				sql.WriteString(", ")
			}
			fmt.Fprintf(&sql, "($%d, $%d)", 2*i+1, 2*i+2)
			args = append(args, first+int64(i), append([]byte(nil), h[:]...))
		}
		if _, err := tx.Exec(ctx, sql.String(), args...); err != nil {
			return err
		}
		nodes, first = nodes[n:], first+int64(n)
	}
	return nil
}

// nodeReader reads stored tree nodes.
type nodeReader struct {
	ctx context.Context
	q   store.Querier
}

// ReadHashes implements tlog.HashReader.
func (n nodeReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, idx := range indexes {
		var raw []byte
		if err := n.q.QueryRow(n.ctx, `SELECT hash FROM log_hash WHERE idx = $1`, idx).Scan(&raw); err != nil {
			return nil, fmt.Errorf("reading node %d of the tree: %w", idx, err)
		}
		out[i] = tlog.Hash(raw)
	}
	return out, nil
}

// pendingNodes reads nodes that are not written yet before those that are.
type pendingNodes struct {
	nodes nodeReader
	first int64
	new   []tlog.Hash
}

// ReadHashes implements tlog.HashReader.
func (p *pendingNodes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, idx := range indexes {
		if idx >= p.first && idx-p.first < int64(len(p.new)) {
			out[i] = p.new[idx-p.first]
			continue
		}
		one, err := p.nodes.ReadHashes([]int64{idx})
		if err != nil {
			return nil, err
		}
		out[i] = one[0]
	}
	return out, nil
}

// keyHash is the short id that a signed note gives its key.
func keyHash(public ed25519.PublicKey) uint32 {
	h := sha256.New()
	h.Write([]byte(signerName + "\n\x01"))
	h.Write(public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

func (j *Journal) sign(c Checkpoint) (string, error) {
	private := j.vault.SigningKey()
	seed := append([]byte{1}, private.Seed()...)
	signer, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", signerName,
		keyHash(private.Public().(ed25519.PublicKey)), base64.StdEncoding.EncodeToString(seed)))
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("banyan journal\n%d\n%s\n", c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	return string(signed), err
}

var errCheckpoint = errors.New("a checkpoint is not signed by this node's key, or cannot be read")

// VerifierKey is the public key that checks this node's checkpoints, in the
// form that signed notes use.
func (j *Journal) VerifierKey() string {
	public := j.vault.SigningKey().Public().(ed25519.PublicKey)
	return fmt.Sprintf("%s+%08x+%s", signerName, keyHash(public), base64.StdEncoding.EncodeToString(append([]byte{1}, public...)))
}

// openCheckpoint checks the signature of a note and reads it.
func (j *Journal) openCheckpoint(text string) (Checkpoint, error) {
	verifier, err := note.NewVerifier(j.VerifierKey())
	if err != nil {
		return Checkpoint{}, err
	}
	n, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, errCheckpoint
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != "banyan journal" {
		return Checkpoint{}, errCheckpoint
	}
	c := Checkpoint{Note: text}
	if _, err := fmt.Sscan(lines[1], &c.Size); err != nil {
		return Checkpoint{}, errCheckpoint
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, errCheckpoint
	}
	copy(c.Root[:], root)
	return c, nil
}
