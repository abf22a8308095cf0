// Package overlay makes variants of this program for tests: some texts of its
// source are replaced by others, and the go command is told so. Nothing in the
// working tree is touched.
package overlay

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Edit replaces one text of a file, named relative to the module's root.
type Edit struct {
	File     string
	Old, New string // Old occurs exactly once
}

// Write writes the edited files into dir and returns the name of the file that
// the go command takes as -overlay. Edits of one file are made in their order. A
// text that does not occur exactly once is an error: the source has changed, and
// the edit has to be brought along.
func Write(root, dir string, edits []Edit) (string, error) {
	replace := map[string]string{}
	for i, e := range edits {
		original := filepath.Join(root, filepath.FromSlash(e.File))
		from, again := replace[original]
		if !again {
			from = original
			replace[original] = filepath.Join(dir, fmt.Sprintf("%d-%s", i, filepath.Base(original)))
		}
		text, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(text), e.Old); n != 1 {
			return "", moved(e, n)
		}
		if err := os.WriteFile(replace[original], []byte(strings.Replace(string(text), e.Old, e.New, 1)), 0o600); err != nil {
			return "", err
		}
	}
	return write(dir, replace)
}

// write writes what the go command takes as -overlay.
func write(dir string, replace map[string]string) (string, error) {
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

func moved(e Edit, n int) error {
	return fmt.Errorf("%q occurs %d times in %s: it has moved: bring the edit along", e.Old, n, e.File)
}
