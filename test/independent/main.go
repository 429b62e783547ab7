// Checks a transcript and single proofs with the Go project's own libraries (golang.org/x/mod/sumdb) and nothing of ours:
// a second opinion on what we say of tree, notes and proofs.
//
//	independent transcript FOLDER VKEY...   every signed head is given by the entries; prints size and root of the newest
//	independent proof FILE VKEY...          the entry that a c2sp.org/tlog-proof@v1 carries is under its signed head
//	independent bundle FOLDER VKEY...       each entry is under the signed head, which continues the earlier ones and is
//	                                        continued by the one that counts the handing out of just this manifest
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: independent transcript|proof|bundle PATH VKEY...")
	}
	var known []note.Verifier
	for _, vkey := range args[2:] {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return err
		}
		known = append(known, verifier)
	}
	verifiers := note.VerifierList(known...)
	switch args[0] {
	case "transcript":
		return checkTranscript(args[1], verifiers)
	case "proof":
		_, signed, index, err := openProof(args[1], verifiers)
		if err == nil {
			fmt.Printf("%d of %d\n", index, signed.size)
		}
		return err
	case "bundle":
		return checkBundle(args[1], verifiers)
	}
	return errors.New("unknown word " + args[0])
}

type head struct {
	size int64
	root tlog.Hash
}

// openHead opens a signed checkpoint: origin, size, root.
func openHead(text []byte, verifiers note.Verifiers) (head, error) {
	opened, err := note.Open(text, verifiers)
	if err != nil {
		return head{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != opened.Sigs[0].Name {
		return head{}, errors.New("not a checkpoint of its own signer")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return head{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return head{size, root}, err
}

func checkTranscript(folder string, verifiers note.Verifiers) error {
	heads := map[int64]tlog.Hash{}
	newest := int64(-1)
	log, err := os.ReadFile(filepath.Join(folder, "checkpoints.log"))
	if err != nil {
		return err
	}
	// A note is text, a blank line and its signatures; a blank line stands between notes.
	blocks := strings.Split(strings.TrimSuffix(string(log), "\n"), "\n\n")
	for at := 0; at+1 < len(blocks); at += 2 {
		one, err := openHead([]byte(blocks[at]+"\n\n"+blocks[at+1]+"\n"), verifiers)
		if err != nil {
			return fmt.Errorf("checkpoint %d of checkpoints.log: %w", at/2+1, err)
		}
		if other, ok := heads[one.size]; ok && other != one.root {
			return fmt.Errorf("two heads of %d entries", one.size)
		}
		heads[one.size] = one.root
		newest = max(newest, one.size)
	}

	names, err := filepath.Glob(filepath.Join(folder, "segments", "*.ndjson"))
	if err != nil {
		return err
	}
	sort.Strings(names)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= int64(len(stored)) {
				return nil, errors.New("no such hash")
			}
			found[i] = stored[index]
		}
		return found, nil
	})
	var size int64
	check := func() error {
		signed, ok := heads[size]
		if !ok {
			return nil
		}
		root, err := tlog.TreeHash(size, reader)
		if err != nil {
			return err
		}
		if root != signed {
			return fmt.Errorf("the first %d entries are not the ones that were signed", size)
		}
		return nil
	}
	if err := check(); err != nil {
		return err
	}
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			// Of a purged entry the leaf hash alone stands there, in hexadecimal digits; an entry begins with a brace.
			leaf := tlog.RecordHash(lines.Bytes())
			if purged, err := hex.DecodeString(lines.Text()); err == nil && len(purged) == len(leaf) {
				copy(leaf[:], purged)
			}
			hashes, err := tlog.StoredHashesForRecordHash(size, leaf, reader)
			if err != nil {
				return err
			}
			stored = append(stored, hashes...)
			size++
			if err := check(); err != nil {
				return err
			}
		}
		file.Close()
		if err := lines.Err(); err != nil {
			return err
		}
	}
	if newest > size {
		return fmt.Errorf("%d entries were signed, %d are here", newest, size)
	}
	fmt.Printf("%d %s\n", newest, heads[newest])
	return nil
}

// openProof checks a tlog-proof; returns the entry that it carries, its head, and the entry's index.
func openProof(path string, verifiers note.Verifiers) ([]byte, head, int64, error) {
	fail := func(err error) ([]byte, head, int64, error) { return nil, head{}, 0, err }
	text, err := os.ReadFile(path)
	if err != nil {
		return fail(err)
	}
	top, checkpoint, ok := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(top), "\n")
	if !ok || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fail(errors.New("not a proof that carries its entry"))
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return fail(err)
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return fail(err)
	}
	hashes, err := parseHashes(lines[3:])
	if err != nil {
		return fail(err)
	}
	signed, err := openHead(checkpoint, verifiers)
	if err != nil {
		return fail(err)
	}
	if err := tlog.CheckRecord(hashes, signed.size, signed.root, index, tlog.RecordHash(entry)); err != nil {
		return fail(err)
	}
	return entry, signed, index, nil
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// checkContinued checks a file of hashes, a line each: the later head continues the earlier one.
func checkContinued(path string, earlier, later head) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	hashes, err := parseHashes(strings.Fields(string(text)))
	if err != nil {
		return err
	}
	return tlog.CheckTree(hashes, later.size, later.root, earlier.size, earlier.root)
}

func checkBundle(folder string, verifiers note.Verifiers) error {
	checkpoint, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	signed, err := openHead(checkpoint, verifiers)
	if err != nil {
		return err
	}
	count, err := checkEntries(folder, signed)
	if err != nil {
		return err
	}
	earlier, err := filepath.Glob(filepath.Join(folder, "heads", "*.checkpoint"))
	if err != nil {
		return err
	}
	for _, path := range earlier {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		before, err := openHead(text, verifiers)
		if err != nil {
			return err
		}
		if err := checkContinued(strings.TrimSuffix(path, "checkpoint")+"consistency", before, signed); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	told, later, _, err := openProof(filepath.Join(folder, "handed-out.tlog-proof"), verifiers)
	if err != nil {
		return err
	}
	if err := checkContinued(filepath.Join(folder, "handed-out.consistency"), signed, later); err != nil {
		return err
	}
	manifest, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return err
	}
	var entry struct {
		Kind    string
		Details struct{ Digest string }
	}
	if err := json.Unmarshal(told, &entry); err != nil {
		return err
	}
	if entry.Kind != "evidence.exported" || entry.Details.Digest != fmt.Sprintf("%x", sha256.Sum256(manifest)) {
		return errors.New("the manifest is not the one that was handed out")
	}
	fmt.Printf("%d under %d %s, %d earlier heads\n", count, signed.size, signed.root, len(earlier))
	return nil
}

// checkEntries reads entries and proofs side by side: index and hashes of each, a line each.
func checkEntries(folder string, signed head) (int, error) {
	read := func(name string) (*bufio.Scanner, func() error, error) {
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			return nil, nil, err
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		return lines, file.Close, nil
	}
	entries, closeEntries, err := read("entries.ndjson")
	if err != nil {
		return 0, err
	}
	defer closeEntries()
	proofs, closeProofs, err := read("proofs.txt")
	if err != nil {
		return 0, err
	}
	defer closeProofs()
	count := 0
	for entries.Scan() {
		if !proofs.Scan() {
			return 0, errors.New("an entry without its proof")
		}
		words := strings.Split(proofs.Text(), " ")
		index, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			return 0, err
		}
		hashes, err := parseHashes(words[1:])
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(hashes, signed.size, signed.root, index, tlog.RecordHash(entries.Bytes())); err != nil {
			return 0, fmt.Errorf("entry %d: %w", index, err)
		}
		count++
	}
	if proofs.Scan() {
		return 0, errors.New("a proof without its entry")
	}
	return count, errors.Join(entries.Err(), proofs.Err())
}
