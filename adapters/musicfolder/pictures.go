package musicfolder

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"go.senan.xyz/taglib"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// The ranks of covers by the place they are found in, to which the rank of the
// name is added. A file somebody put there on purpose is preferred to what came
// with the music, unless it lies beside several albums: then nobody can tell
// whose cover it is.
const (
	rankAlbumFolder       = 0   // in the folder of the album
	rankDiscFolder        = 30  // in the folder of one of its discs
	rankEmbedded          = 60  // in an audio file
	rankSharedAlbumFolder = 100 // as rankAlbumFolder, among several albums
	rankSharedDiscFolder  = 130 // as rankDiscFolder, among several albums
)

// The ranks of pictures of artists by place.
const (
	rankArtistFolder  = 0   // in the artist's own folder
	rankInAlbumFolder = 100 // in the folder of an album
	rankInDiscFolder  = 200 // in the folder of one of its discs
)

// coverNames are the names that covers have, with their ranks.
var coverNames = map[string]int{"cover": 0, "folder": 10, "front": 20}

// artistNames are the names that pictures of artists have.
var artistNames = map[string]struct {
	slot artwork.Slot
	rank int
}{
	artistName:   {artwork.SlotProfile, 0},
	"folder":     {artwork.SlotProfile, 10},
	"thumb":      {artwork.SlotProfile, 20},
	"fanart":     {artwork.SlotBackground, 0},
	"backdrop":   {artwork.SlotBackground, 10},
	"background": {artwork.SlotBackground, 20},
	"logo":       {artwork.SlotLogo, 0},
	"clearlogo":  {artwork.SlotLogo, 10},
	"banner":     {artwork.SlotBanner, 0},
}

// artistName is the one name that says by itself that the picture shows the
// artist.
const artistName = "artist"

// folderNames say nothing but "picture of this folder".
var folderNames = []string{"folder", "thumb"}

// means reports whether a picture of this name can belong to anything.
func means(base string) bool {
	_, isCover := coverNames[base]
	_, isArtist := artistNames[base]
	return isCover || isArtist
}

// shelf is where the albums of a folder stand: it knows which of the pictures
// around are theirs.
type shelf struct {
	dir       *dir
	several   bool // there are several albums in the folder
	oneArtist bool // all by one artist
}

// covers returns the candidates for the cover of an album, best first.
func (s shelf) covers(embedded *inside) []importlibrary.Picture {
	rootRank, discRank := rankAlbumFolder, rankDiscFolder
	if s.several {
		rootRank, discRank = rankSharedAlbumFolder, rankSharedDiscFolder
	}
	root := s.dir.albumRoot()
	found := coversIn(root, rootRank)
	if root != s.dir {
		found = append(found, coversIn(s.dir, discRank)...)
	}
	if embedded != nil {
		found = append(found, embedded.picture())
	}
	return sorted(found)
}

func coversIn(d *dir, rank int) []importlibrary.Picture {
	var found []importlibrary.Picture
	for _, f := range d.pictures {
		if r, ok := coverNames[f.base]; ok {
			found = append(found, filePicture(d.join(f), rank+r))
		}
	}
	return found
}

// artistPictures returns the candidates for the slots of an album's artist,
// best first; nil if there are none.
func (s shelf) artistPictures(a catalog.Artist, album string) map[artwork.Slot][]importlibrary.Picture {
	found := map[artwork.Slot][]importlibrary.Picture{}
	root := s.dir.albumRoot()
	above := root.parent
	inArtistFolder := above != nil && above.named(a)
	switch {
	case inArtistFolder:
		above.addArtistPictures(found, rankArtistFolder, func(string) bool { return true })
	case above != nil && !above.hasAudio && !isVarious(a):
		above.addArtistPictures(found, rankArtistFolder, func(base string) bool { return base == artistName })
	}
	switch {
	case !inArtistFolder && root.named(a) && nameKey(album) != nameKey(a.Name):
		// The music lies in the artist's folder itself. A folder with the name of
		// both is an album's: its "folder" picture is the cover.
		root.addArtistPictures(found, rankArtistFolder, func(string) bool { return true })
	case s.oneArtist:
		notOfFolder := func(base string) bool { return !slices.Contains(folderNames, base) }
		root.addArtistPictures(found, rankInAlbumFolder, notOfFolder)
		if root != s.dir {
			s.dir.addArtistPictures(found, rankInDiscFolder, notOfFolder)
		}
	}
	if len(found) == 0 {
		return nil
	}
	for _, pictures := range found {
		sorted(pictures)
	}
	return found
}

// addArtistPictures adds the folder's pictures of artists with an accepted name.
func (d *dir) addArtistPictures(found map[artwork.Slot][]importlibrary.Picture, rank int, accept func(base string) bool) {
	for _, f := range d.pictures {
		if n, ok := artistNames[f.base]; ok && accept(f.base) {
			found[n.slot] = append(found[n.slot], filePicture(d.join(f), rank+n.rank))
		}
	}
}

// named reports whether the folder has the artist's name.
func (d *dir) named(a catalog.Artist) bool {
	name := nameKey(filepath.Base(d.path))
	return name == nameKey(a.Name) || a.SortName != "" && name == nameKey(a.SortName)
}

// nameKey reduces a name to its letters and digits, because a folder cannot
// have all the characters a name can: "AC/DC" lies in "AC_DC".
func nameKey(name string) string {
	folded := catalog.FoldName(name)
	key := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, folded)
	if key == "" {
		return folded
	}
	return key
}

// sorted sorts pictures by origin, in place.
func sorted(pictures []importlibrary.Picture) []importlibrary.Picture {
	slices.SortStableFunc(pictures, func(a, b importlibrary.Picture) int {
		switch {
		case a.Origin.Less(b.Origin):
			return -1
		case b.Origin.Less(a.Origin):
			return 1
		}
		return 0
	})
	return pictures
}

func filePicture(path string, rank int) importlibrary.Picture {
	return importlibrary.Picture{
		Origin:   artwork.Origin{Rank: rank, Path: path},
		FileName: filepath.Base(path),
		Read: func(ctx context.Context, limit int64) ([]byte, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return readFile(path, limit)
		},
	}
}

// readFile returns a file's bytes, TooLarge if they are more than limit.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, readError(err)
	}
	if int64(len(content)) > limit {
		return nil, tooLarge(limit)
	}
	return content, nil
}

// openRegular opens a file, but nothing that would block, like a pipe.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, readError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, artwork.Errorf(artwork.NotFound, "%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, readError(err)
	}
	return f, nil
}

func readError(err error) error {
	kind := artwork.Unavailable
	if isGone(err) {
		kind = artwork.NotFound
	}
	return &artwork.Error{Kind: kind, Op: "musicfolder", Msg: "the picture " + unreadable(err), Err: err}
}

func tooLarge(limit int64) error {
	return artwork.Errorf(artwork.TooLarge, "the picture has more than %d bytes", limit)
}

// inside is where a picture is embedded.
type inside struct {
	path  string
	index int
}

// pictureInside returns the picture in an audio file that is its cover: the one
// declared as such, else the first; nil if there is none. It reads no picture.
func pictureInside(path string) *inside {
	properties, err := guard(func() (taglib.Properties, error) { return taglib.ReadProperties(path) })
	if err != nil || len(properties.Images) == 0 {
		return nil
	}
	front := slices.IndexFunc(properties.Images, func(i taglib.ImageDesc) bool { return i.Type == "Front Cover" })
	return &inside{path, max(front, 0)}
}

func (i *inside) picture() importlibrary.Picture {
	return importlibrary.Picture{
		Origin:   artwork.Origin{Rank: rankEmbedded, Path: i.path},
		FileName: filepath.Base(i.path),
		Read: func(ctx context.Context, limit int64) ([]byte, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return i.read(limit)
		},
	}
}

func (i *inside) read(limit int64) ([]byte, error) {
	f, err := openRegular(i.path) // the tag reader cannot say why it fails
	if err != nil {
		return nil, err
	}
	_ = f.Close()
	content, err := guard(func() ([]byte, error) { return taglib.ReadImageOptions(i.path, i.index) })
	switch {
	case err != nil:
		return nil, artwork.Wrap(artwork.Unavailable, "musicfolder", err)
	case len(content) == 0:
		return nil, artwork.Errorf(artwork.NotFound, "there is no picture in %s any more", i.path)
	case int64(len(content)) > limit:
		return nil, tooLarge(limit)
	}
	return content, nil
}
