package musicfolder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
)

// fingerprintVersion is part of every fingerprint. It is raised when a release
// reads more, or differently, from the same files, so that they are read again.
const fingerprintVersion = 1

// fingerprint returns what the result of reading a folder depends on: names,
// sizes and times of its audio files, and of the pictures in it and in the
// folders above that can belong to its album or artist.
func fingerprint(d *dir) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "version %d\n", fingerprintVersion)
	sum(h, d, d.audio)
	sum(h, d, d.pictures)
	root := d.albumRoot()
	if root != d {
		sum(h, root, root.pictures)
	}
	if above := root.parent; above != nil {
		// Whether the folder above holds music decides whether it can be an
		// artist's.
		_, _ = fmt.Fprintf(h, "above %t\n", above.hasAudio)
		sum(h, above, above.pictures)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// sum adds the files to the hash; one that has just vanished is left out.
func sum(h hash.Hash, d *dir, files []file) {
	for _, f := range files {
		if info, err := os.Stat(d.join(f)); err == nil {
			_, _ = fmt.Fprintf(h, "%q %d %d\n", f.name, info.Size(), info.ModTime().UnixNano())
		}
	}
	_, _ = fmt.Fprintln(h)
}
