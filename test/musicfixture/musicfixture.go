// Package musicfixture makes music libraries for tests: silent audio files of
// every format with the tags and pictures a test wants.
package musicfixture

import (
	"embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.senan.xyz/taglib"
)

// silence holds a fifth of a second of silence in each format.
//
//go:embed testdata/silent.*
var silence embed.FS

// Formats are the extensions Write accepts, without those that only name the
// same format again (.oga, .m4b, .mp4).
var Formats = []string{".mp3", ".flac", ".ogg", ".opus", ".m4a"}

var sameFormat = map[string]string{".oga": ".ogg", ".m4b": ".m4a", ".mp4": ".m4a"}

// Track is an audio file to write. Empty fields leave the tag out.
type Track struct {
	Path        string // relative to the library; the extension chooses the format
	Album       string
	AlbumArtist string
	Artist      string
	Date        string
	// Tags are further tags by their TagLib names, and replace the fields above.
	Tags map[string][]string
	// Pictures are embedded in this order.
	Pictures []Embedded
}

// Embedded is a picture in an audio file.
type Embedded struct {
	Content []byte
	Type    string // "Front Cover", "Back Cover", ...; empty: "Front Cover"
}

// Front returns the pictures of a track that has one, its front cover.
func Front(content []byte) []Embedded { return []Embedded{{Content: content}} }

// Write writes the tracks, and the folders they lie in, below dir. It ends the
// test if it cannot.
func Write(tb testing.TB, dir string, tracks ...Track) {
	tb.Helper()
	for _, track := range tracks {
		if err := track.write(filepath.Join(dir, track.Path)); err != nil {
			tb.Fatalf("write %s: %v", track.Path, err)
		}
	}
}

// WriteFile writes any other file below dir, and the folders it lies in.
func WriteFile(tb testing.TB, dir, path string, content []byte) {
	tb.Helper()
	if err := writeFile(filepath.Join(dir, path), content); err != nil {
		tb.Fatalf("write %s: %v", path, err)
	}
}

// Silence returns an untagged silent file of the format.
func Silence(extension string) ([]byte, error) {
	extension = strings.ToLower(extension)
	if other, ok := sameFormat[extension]; ok {
		extension = other
	}
	return silence.ReadFile("testdata/silent" + extension)
}

func (t Track) write(path string) error {
	content, err := Silence(filepath.Ext(path))
	if err != nil {
		return err
	}
	if err := writeFile(path, content); err != nil {
		return err
	}
	if tags := t.tags(); len(tags) > 0 {
		if err := taglib.WriteTags(path, tags, 0); err != nil {
			return err
		}
	}
	for i, picture := range t.Pictures {
		kind := picture.Type
		if kind == "" {
			kind = "Front Cover"
		}
		if err := taglib.WriteImageOptions(path, picture.Content, i, kind, "", "image/jpeg"); err != nil {
			return err
		}
	}
	return nil
}

func (t Track) tags() map[string][]string {
	tags := map[string][]string{}
	for key, value := range map[string]string{
		taglib.Album: t.Album, taglib.AlbumArtist: t.AlbumArtist, taglib.Artist: t.Artist, taglib.Date: t.Date,
	} {
		if value != "" {
			tags[key] = []string{value}
		}
	}
	for key, values := range t.Tags {
		tags[key] = values
	}
	return tags
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
