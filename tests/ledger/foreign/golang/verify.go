// Verify a public ledger with the code behind Go's checksum database alone.
//
//	verify DIR VKEY < proofs.jsonl
//
// DIR holds what a ledger publishes: checkpoint, tile/<L>/<N>, tile/entries/<N>.
// The signature is checked by x/mod's sumdb/note, every hash of every tile against
// the signed root by sumdb/tlog, every entry against its leaf. Then each line of
// standard input is a proof to check; the roots and leaves that it is checked against
// are those read here, never the prover's. One line of JSON answers each.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// A question is one proof: of leaf Index in the tree of Size leaves, or, with Old,
// from the tree of Old leaves to the one of Size.
type question struct {
	Name  string   `json:"name"`
	Index *int64   `json:"index"`
	Old   *int64   `json:"old"`
	Size  int64    `json:"size"`
	Proof []string `json:"proof"`
}

type answer struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

type ledger struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Tiles  int    `json:"tiles"`
}

// folder reads tiles where C2SP's tlog-tiles puts them: tile/<L>/<N>, for which x/mod
// says tile/8/<L>/<N>, and tile/entries/<N>, for which it says tile/8/data/<N>.
type folder struct {
	path string
	read map[string]bool
}

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		data, err := f.readTile(tile)
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (f folder) readTile(tile tlog.Tile) ([]byte, error) {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	path = "tile/" + strings.Replace(path, "data/", "entries/", 1)
	data, err := os.ReadFile(filepath.Join(f.path, filepath.FromSlash(path)))
	if err == nil {
		f.read[path] = true
	}
	return data, err
}

func main() {
	if len(os.Args) != 3 {
		fail(errors.New("usage: verify DIR VKEY < proofs.jsonl"))
	}
	tiles := folder{path: os.Args[1], read: map[string]bool{}}
	origin, tree, err := readCheckpoint(tiles.path, os.Args[2])
	if err != nil {
		fail(err)
	}
	reader := tlog.TileHashReader(tree, tiles)
	leaves, err := readTree(tree, reader)
	if err != nil {
		fail(err)
	}
	if err := checkEntries(tree, tiles, leaves); err != nil {
		fail(err)
	}
	out := json.NewEncoder(os.Stdout)
	out.Encode(ledger{origin, tree.N, tree.Hash.String(), len(tiles.read)})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fail(err)
		}
		answered := answer{Name: asked.Name}
		if err := check(asked, reader, leaves); err != nil {
			answered.Error = err.Error()
		}
		out.Encode(answered)
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

// readCheckpoint returns the signed tree. Its text is "<origin>\n<size>\n<root>\n",
// where the checksum database's own trees start with another line.
func readCheckpoint(path, vkey string) (string, tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", tree, err
	}
	data, err := os.ReadFile(filepath.Join(path, "checkpoint"))
	if err != nil {
		return "", tree, err
	}
	signed, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return "", tree, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return "", tree, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return "", tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return lines[0], tree, err
}

// readTree returns all leaves and has every hash of every tile authenticated: tlog
// compares each tile with the one above it, up to the signed root.
func readTree(tree tlog.Tree, reader tlog.HashReader) ([]tlog.Hash, error) {
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return nil, err
	}
	if root != tree.Hash {
		return nil, errors.New("the tiles do not give the signed root")
	}
	indexes := make([]int64, tree.N)
	for n := range indexes {
		indexes[n] = tlog.StoredHashIndex(0, int64(n))
	}
	return reader.ReadHashes(indexes)
}

func checkEntries(tree tlog.Tree, tiles folder, leaves []tlog.Hash) error {
	for first := int64(0); first < tree.N; first += 1 << height {
		width := tree.N - first
		if width > 1<<height {
			width = 1 << height
		}
		data, err := tiles.readTile(tlog.Tile{H: height, L: -1, N: first >> height, W: int(width)})
		if err != nil {
			return err
		}
		for n := first; n < first+width; n++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("the bundle ends within entry %d", n)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			if tlog.RecordHash(data[2:end]) != leaves[n] {
				return fmt.Errorf("entry %d is not the leaf of the tree", n)
			}
			data = data[end:]
		}
		if len(data) > 0 {
			return fmt.Errorf("the bundle goes on behind entry %d", first+width-1)
		}
	}
	return nil
}

func check(asked question, reader tlog.HashReader, leaves []tlog.Hash) error {
	if asked.Size < 1 || asked.Size > int64(len(leaves)) {
		return fmt.Errorf("no tree of %d leaves is signed", asked.Size)
	}
	var path []tlog.Hash
	for _, text := range asked.Proof {
		hash, err := parseHash(text)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	root, err := tlog.TreeHash(asked.Size, reader)
	if err != nil {
		return err
	}
	if asked.Index != nil {
		if *asked.Index < 0 || *asked.Index >= asked.Size {
			return fmt.Errorf("leaf %d is not in the tree", *asked.Index)
		}
		return tlog.CheckRecord(path, asked.Size, root, *asked.Index, leaves[*asked.Index])
	}
	if asked.Old == nil || *asked.Old < 1 || *asked.Old > asked.Size {
		return errors.New("a proof is of an index or from an old size")
	}
	old, err := tlog.TreeHash(*asked.Old, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(path, asked.Size, root, *asked.Old, old)
}

func parseHash(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return hash, err
	}
	if len(data) != tlog.HashSize {
		return hash, fmt.Errorf("a hash has %d bytes, not %d", tlog.HashSize, len(data))
	}
	copy(hash[:], data)
	return hash, nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "verify:", err)
	os.Exit(1)
}
