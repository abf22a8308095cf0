// Package demolibrary is a music library of invented artists, whose pictures
// the program paints itself, for everyone who has no music at hand.
package demolibrary

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"path"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

var _ importlibrary.Source = (*Library)(nil)

// version is raised when a release paints other pictures or knows other albums,
// so that they are imported anew.
const version = 1

// root is the name of the library, and the first part of its paths, none of
// which exist.
const root = "demo"

// The sizes of the pictures, in pixels.
const (
	coverEdge                     = 800
	portraitEdge                  = 1000
	backdropWidth, backdropHeight = 1920, 1080
	bannerWidth, bannerHeight     = 1000, 185
	logoWidth, logoHeight         = 800, 310
)

// Library is the demonstration library. It is the same on every machine, and
// may be used concurrently. Pictures are painted when they are read.
type Library struct{ performers []performer }

// New returns the library.
func New() *Library { return &Library{performers()} }

// Root returns "demo": the library lies in no folder.
func (l *Library) Root() string { return root }

// Count returns the number of songs.
func (l *Library) Count(context.Context) (int, error) {
	n := 0
	for _, p := range l.performers {
		for _, r := range p.albums {
			n += r.songs
		}
	}
	return n, nil
}

// Exists reports whether the library has a picture of this path.
func (l *Library) Exists(path string) bool {
	for _, p := range l.performers {
		for _, r := range p.albums {
			for _, picture := range r.cover(p) {
				if picture.Origin.Path == path {
					return true
				}
			}
		}
		for _, pictures := range p.pictures() {
			if pictures[0].Origin.Path == path {
				return true
			}
		}
	}
	return false
}

// Walk visits a folder for each album.
func (l *Library) Walk(ctx context.Context, unchanged func(path, fingerprint string) (bool, error), visit func(importlibrary.Folder) error) error {
	for _, p := range l.performers {
		for _, r := range p.albums {
			if err := ctx.Err(); err != nil {
				return err
			}
			folder := importlibrary.Folder{Path: r.path(p), Fingerprint: r.fingerprint(p), AudioFiles: r.songs}
			same, err := unchanged(folder.Path, folder.Fingerprint)
			if err != nil {
				return err
			}
			if same {
				folder.Unchanged = true
			} else {
				folder.Albums = []importlibrary.Album{r.album(p)}
			}
			if err := visit(folder); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p performer) path() string { return path.Join(root, p.name) }

func (r release) path(p performer) string { return path.Join(p.path(), r.name) }

func (r release) fingerprint(p performer) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", version, r.path(p)))
	return hex.EncodeToString(sum[:16])
}

func (r release) album(p performer) importlibrary.Album {
	artist := importlibrary.Artist{Name: p.name, SortName: p.sortName, Pictures: p.pictures()}
	if p.name == catalog.VariousArtists.Name {
		artist.MBID = catalog.VariousArtists.MBID
	}
	return importlibrary.Album{Name: r.name, Year: r.year, Artist: artist, Cover: r.cover(p)}
}

// cover returns the album's cover, if it has one.
func (r release) cover(p performer) []importlibrary.Picture {
	if r.motif == nil {
		return nil
	}
	return picture(path.Join(r.path(p), "cover.jpg"), func() image.Image {
		return cover(r.name, p.name, *r.motif, r.palette, coverEdge)
	})
}

// pictures returns the artist's pictures; nil if there are none.
func (p performer) pictures() map[artwork.Slot][]importlibrary.Picture {
	found := map[artwork.Slot][]importlibrary.Picture{}
	add := func(has bool, slot artwork.Slot, name string, draw func() image.Image) {
		if has {
			found[slot] = picture(path.Join(p.path(), name), draw)
		}
	}
	add(p.members > 0, artwork.SlotProfile, "artist.jpg", func() image.Image { return portrait(p.name, p.members, p.palette, portraitEdge) })
	add(p.backdrop, artwork.SlotBackground, "fanart.jpg", func() image.Image { return backdrop(p.name, p.palette, backdropWidth, backdropHeight) })
	add(p.banner, artwork.SlotBanner, "banner.jpg", func() image.Image { return banner(p.name, p.palette, bannerWidth, bannerHeight) })
	add(p.logo, artwork.SlotLogo, "logo.png", func() image.Image { return logo(p.name, p.palette, logoWidth, logoHeight) })
	if len(found) == 0 {
		return nil
	}
	return found
}

// picture returns the one candidate for a slot, encoded as its name says.
func picture(origin string, draw func() image.Image) []importlibrary.Picture {
	return []importlibrary.Picture{{
		Origin:   artwork.Origin{Path: origin},
		FileName: path.Base(origin),
		Read: func(ctx context.Context, limit int64) ([]byte, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			var b bytes.Buffer
			if err := encode(&b, draw(), path.Ext(origin)); err != nil {
				return nil, artwork.Wrap(artwork.Internal, "demolibrary", err)
			}
			if int64(b.Len()) > limit {
				return nil, artwork.Errorf(artwork.TooLarge, "the picture has %d bytes, more than %d", b.Len(), limit)
			}
			return b.Bytes(), nil
		},
	}}
}

func encode(w io.Writer, img image.Image, extension string) error {
	if extension == ".png" {
		return png.Encode(w, img)
	}
	return jpeg.Encode(w, img, &jpeg.Options{Quality: 88})
}
