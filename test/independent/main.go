// Checks a transcript and single proofs with the Go project's own libraries (golang.org/x/mod/sumdb) and nothing of ours:
// a second opinion on what we say of tree, notes and proofs.
//
//	independent transcript FOLDER VKEY...   every signed head is given by the entries; prints size and root of the newest
//	independent proof FILE VKEY...          the entry that a c2sp.org/tlog-proof@v1 carries is under its signed head
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
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
		return errors.New("usage: independent transcript|proof PATH VKEY...")
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
		return checkProof(args[1], verifiers)
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
			hashes, err := tlog.StoredHashes(size, lines.Bytes(), reader)
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

func checkProof(path string, verifiers note.Verifiers) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	top, checkpoint, ok := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(top), "\n")
	if !ok || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof that carries its entry")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	signed, err := openHead(checkpoint, verifiers)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, signed.size, signed.root, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	fmt.Printf("%d of %d\n", index, signed.size)
	return nil
}
