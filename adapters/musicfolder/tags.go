package musicfolder

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"go.senan.xyz/taglib"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// maxName is what catalog.CheckName accepts, in characters.
const maxName = 1000

// variousNames are the folded names under which taggers put compilations.
var variousNames = []string{"various artists", "various", "va", "v.a.", "varios artistas"}

// track is what the tags of one file say about its album.
type track struct {
	path        string
	album       string
	albumMBID   catalog.MBID
	groupMBID   catalog.MBID
	year        int
	albumArtist catalog.Artist // as the file names it; no name if it does not
	artist      catalog.Artist // the performer
	compilation bool
}

// skip is a file that is left out.
type skip struct {
	importlibrary.Skipped
	unopened bool // it could not even be opened
}

func skipped(path, format string, args ...any) *skip {
	return &skip{Skipped: importlibrary.Skipped{Path: validPath(path), Reason: fmt.Sprintf(format, args...)}}
}

// startTagReader finds out whether the tag reader works on this machine: it
// compiles itself and keeps the result in the folder for temporary files.
// Without this every single file would look corrupt.
func startTagReader() error {
	_, err := guard(func() (map[string][]string, error) {
		return taglib.ReadTags(filepath.Join(os.TempDir(), "no such file"))
	})
	if err == nil || errors.Is(err, taglib.ErrInvalidFile) {
		return nil
	}
	return &artwork.Error{Kind: artwork.Unavailable, Op: "musicfolder", Msg: "the tag reader does not start", Err: err}
}

// readTrack reads the tags of a file.
func readTrack(path string) (track, *skip) {
	if !utf8.ValidString(path) {
		return track{}, skipped(path, "%v", errNotUTF8)
	}
	// The tag reader cannot say why a file does not open; the system can.
	f, err := os.Open(path)
	if err != nil {
		s := skipped(path, "%s", unreadable(err))
		s.unopened = !isGone(err)
		return track{}, s
	}
	_ = f.Close()
	tags, err := guard(func() (map[string][]string, error) { return taglib.ReadTags(path) })
	if err != nil || len(tags) == 0 && !isAudio(path) {
		format := audioFormats[strings.ToLower(filepath.Ext(path))]
		return track{}, skipped(path, "not a readable %s file: it is damaged, or something else with this extension", format)
	}
	return newTrack(path, tags)
}

// isAudio tells an audio file without tags from a file that only looks like one
// by its name.
func isAudio(path string) bool {
	properties, err := guard(func() (taglib.Properties, error) { return taglib.ReadProperties(path) })
	return err == nil && properties.SampleRate > 0
}

// guard turns the panics of the tag reader into errors: it has some for
// damaged files.
func guard[T any](read func() (T, error)) (result T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("tag reader: %v", p)
		}
	}()
	return read()
}

// newTrack picks from the tags what describes the album.
func newTrack(path string, tags map[string][]string) (track, *skip) {
	t := track{
		path:        path,
		album:       first(tags, taglib.Album),
		albumMBID:   mbid(tags, taglib.MusicBrainzAlbumID),
		groupMBID:   mbid(tags, taglib.MusicBrainzReleaseGroupID),
		year:        year(cmp.Or(first(tags, taglib.Date), first(tags, "YEAR"))),
		compilation: first(tags, taglib.Compilation) == "1",
		albumArtist: artist(first(tags, taglib.AlbumArtist, "ALBUM ARTIST"), first(tags, taglib.AlbumArtistSort), mbid(tags, taglib.MusicBrainzAlbumArtistID)),
		artist:      artist(first(tags, taglib.Artist), first(tags, taglib.ArtistSort), mbid(tags, taglib.MusicBrainzArtistID)),
	}
	switch {
	case t.album == "":
		return track{}, skipped(path, "no album tag")
	case t.albumArtist.Name == "" && t.artist.Name == "" && !t.compilation:
		return track{}, skipped(path, "no artist tag")
	}
	return t, t.check()
}

// check skips a file whose names could not be stored.
func (t track) check() *skip {
	for what, name := range map[string]string{
		"album": t.album, "album artist": t.albumArtist.Name, "artist": t.artist.Name,
		"sort name": cmp.Or(t.albumArtist.SortName, t.artist.SortName),
	} {
		if name == "" {
			continue
		}
		if err := catalog.CheckName(what, name); err != nil {
			return skipped(t.path, "%v", err)
		}
	}
	return nil
}

// artist returns the artist that tags name, the one for compilations under
// whatever name it comes.
func artist(name, sortName string, mbid catalog.MBID) catalog.Artist {
	if name == "" {
		return catalog.Artist{}
	}
	if mbid == catalog.VariousArtists.MBID || slices.Contains(variousNames, catalog.FoldName(name)) {
		return catalog.VariousArtists
	}
	return catalog.Artist{Name: name, SortName: sortName, MBID: mbid}
}

// first returns the first of the tags' values that says something, cleaned.
func first(tags map[string][]string, keys ...string) string {
	for _, key := range keys {
		for _, value := range tags[key] {
			if s := clean(value); s != "" {
				return s
			}
		}
	}
	return ""
}

// clean makes a tag's value fit to be a name.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > maxName {
		s = strings.TrimSpace(string([]rune(s)[:maxName]))
	}
	return s
}

// mbid returns the one MBID in a tag; none if there are several, because nobody
// knows which of them belongs to the name, or if it is not a UUID.
func mbid(tags map[string][]string, key string) catalog.MBID {
	if len(tags[key]) != 1 {
		return catalog.MBID{}
	}
	id, err := artwork.ParseID(strings.TrimSpace(tags[key][0]))
	if err != nil {
		return catalog.MBID{}
	}
	return id
}

var fourDigits = regexp.MustCompile(`[0-9]{4}`)

// year returns the first four digits of a date; 0 if there are none.
func year(date string) int {
	n, _ := strconv.Atoi(fourDigits.FindString(date))
	return n
}

// unreadable says in a person's words why a file or folder cannot be read.
func unreadable(err error) string {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathError.Err
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok && errno == syscall.EACCES {
		return "cannot be read: no permission"
	}
	return "cannot be read: " + err.Error()
}

// validPath returns a path as it can be shown and stored.
func validPath(path string) string { return strings.ToValidUTF8(path, "\uFFFD") }
