package musicfolder

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.senan.xyz/taglib"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/musicfixture"
)

// at returns a track of the artist's album at a path.
func at(path, album, artist string) musicfixture.Track {
	return musicfixture.Track{Path: path, Album: album, AlbumArtist: artist}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	song := []musicfixture.Track{at("Queue/Album/1.mp3", "Album", "Queue")}
	for name, c := range map[string]struct {
		tracks   []musicfixture.Track
		pictures []string
		want     []string
	}{
		"none": {song, nil, nil},
		"names in order": {
			song, []string{"Queue/Album/front.jpg", "Queue/Album/folder.png", "Queue/Album/cover.webp"},
			[]string{"Queue/Album/cover.webp", "Queue/Album/folder.png", "Queue/Album/front.jpg"},
		},
		"any case, any extension": {
			song, []string{"Queue/Album/COVER.JPEG", "Queue/Album/Cover.PNG", "Queue/Album/cover.Jpg"},
			[]string{"Queue/Album/COVER.JPEG", "Queue/Album/Cover.PNG", "Queue/Album/cover.Jpg"},
		},
		"other names and types": {
			song, []string{"Queue/Album/cover2.jpg", "Queue/Album/back.jpg", "Queue/Album/cover.gif", "Queue/Album/.cover.jpg", "Queue/Album/cover.jpg.part"}, nil,
		},
		"not of the folder above": {song, []string{"Queue/cover.jpg"}, nil},
		"disc folder": {
			[]musicfixture.Track{at("Queue/Album/CD1/1.mp3", "Album", "Queue")},
			[]string{"Queue/Album/CD1/cover.jpg", "Queue/Album/front.jpg", "Queue/Album/cover.jpg", "Queue/cover.jpg"},
			[]string{"Queue/Album/cover.jpg", "Queue/Album/front.jpg", "Queue/Album/CD1/cover.jpg"},
		},
		"several albums": {
			[]musicfixture.Track{at("mix/1.mp3", "Album", "Queue"), at("mix/2.mp3", "Other", "Queue")},
			[]string{"mix/cover.jpg"}, []string{"mix/cover.jpg"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := library(t, c.tracks, c.pictures...)
			for _, al := range albums(t, f) {
				assert.Equal(t, c.want, origins(t, f, al.Cover))
			}
		})
	}
}

func TestDiscFolders(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"CD1": true, "cd 1": true, "Disc 2": true, "Disk 03": true, "cd 1 - The Beginning": true, "DISC-1": true, "CD 2 (live)": true,
		"Disc": false, "Disco 2000": false, "CD2000": false, "My CD1": false, "Discography": false, "1": false,
	} {
		top := &dir{path: "/music/album"}
		d := &dir{path: "/music/album/" + name, parent: top}
		assert.Equal(t, want, d.albumRoot() == top, name)
	}
	library := &dir{path: "/music/CD1"}
	assert.Same(t, library, library.albumRoot(), "above the library nothing is looked at")
}

func TestEmbeddedPictures(t *testing.T) {
	t.Parallel()
	front, back := musicfixture.Picture(16, 16, 3), musicfixture.Picture(16, 16, 4)
	t.Run("front cover, else the first", func(t *testing.T) {
		t.Parallel()
		for _, extension := range []string{".mp3", ".flac", ".ogg", ".opus"} { // MP4 knows no types
			f := library(t, []musicfixture.Track{
				{Path: "a/x" + extension, Album: "A", Artist: "X", Pictures: []musicfixture.Embedded{{Content: back, Type: "Back Cover"}, {Content: front}}},
				{Path: "b/x" + extension, Album: "B", Artist: "X", Pictures: []musicfixture.Embedded{{Content: back, Type: "Back Cover"}}},
			})
			for i, want := range [][]byte{front, back} {
				got, err := albums(t, f)[i].Cover[0].Read(t.Context(), limit)
				require.NoError(t, err)
				assert.Equal(t, want, got, extension)
			}
		}
	})
	t.Run("first file that has one, after the files", func(t *testing.T) {
		t.Parallel()
		f := library(t, []musicfixture.Track{
			{Path: "1.mp3", Album: "A", Artist: "X"},
			{Path: "2.mp3", Album: "A", Artist: "X", Pictures: musicfixture.Front(back)},
			{Path: "3.mp3", Album: "A", Artist: "X", Pictures: musicfixture.Front(front)},
		}, "front.jpg")
		assert.Equal(t, []string{"front.jpg", "2.mp3"}, origins(t, f, album(t, f).Cover))
	})
	t.Run("before files that lie beside several albums", func(t *testing.T) {
		t.Parallel()
		f := library(t, []musicfixture.Track{
			{Path: "1.mp3", Album: "A", Artist: "X", Pictures: musicfixture.Front(front)}, {Path: "2.mp3", Album: "B", Artist: "X"},
		}, "cover.jpg")
		assert.Equal(t, []string{"1.mp3", "cover.jpg"}, origins(t, f, albums(t, f)[0].Cover))
	})
	t.Run("of files that turn out to be one album", func(t *testing.T) {
		t.Parallel()
		f := library(t, []musicfixture.Track{
			{Path: "1.mp3", Album: "A", AlbumArtist: "X", Artist: "X"},
			{Path: "2.mp3", Album: "A", Artist: "X", Pictures: musicfixture.Front(front)},
		})
		assert.Equal(t, []string{"2.mp3"}, origins(t, f, album(t, f).Cover))
	})
}

func TestReadingPictures(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) (*Folder, map[string]importlibrary.Picture) {
		f := library(t, []musicfixture.Track{{Path: "1.mp3", Album: "A", Artist: "X", Pictures: musicfixture.Front(picture)}}, "cover.jpg")
		covers := album(t, f).Cover
		require.Len(t, covers, 2)
		return f, map[string]importlibrary.Picture{"file": covers[0], "embedded": covers[1]}
	}
	for _, kind := range []string{"file", "embedded"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f, pictures := open(t)
			p := pictures[kind]
			size := int64(len(picture))
			got, err := p.Read(t.Context(), size)
			require.NoError(t, err, "exactly the limit")
			assert.Equal(t, picture, got)
			_, err = p.Read(t.Context(), size-1)
			requireKind(t, artwork.TooLarge, err)
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = p.Read(ended, limit)
			require.ErrorIs(t, err, context.Canceled)
			forbid(t, f, filepath.Base(p.Origin.Path))
			unprivileged(t, f, func() { _, err = p.Read(t.Context(), limit) })
			requireKind(t, artwork.Unavailable, err)
			require.NoError(t, os.Remove(p.Origin.Path))
			_, err = p.Read(t.Context(), limit)
			requireKind(t, artwork.NotFound, err)
			require.NoError(t, syscall.Mkfifo(p.Origin.Path, 0o600))
			_, err = p.Read(t.Context(), limit)
			requireKind(t, artwork.NotFound, err)
		})
	}
	t.Run("embedded no more", func(t *testing.T) {
		t.Parallel()
		f, pictures := open(t)
		write(t, f, "1.mp3", silence(t, ".mp3"))
		_, err := pictures["embedded"].Read(t.Context(), limit)
		requireKind(t, artwork.NotFound, err)
	})
	t.Run("what is there when it is read", func(t *testing.T) {
		t.Parallel()
		f, pictures := open(t)
		write(t, f, "cover.jpg", []byte("new"))
		got, err := pictures["file"].Read(t.Context(), limit)
		require.NoError(t, err)
		assert.Equal(t, "new", string(got))
	})
}

func TestArtistPictures(t *testing.T) {
	t.Parallel()
	var (
		profile, background = artwork.SlotProfile, artwork.SlotBackground
		banner, logo        = artwork.SlotBanner, artwork.SlotLogo
		song                = []musicfixture.Track{at("Queue/Album/1.mp3", "Album", "Queue")}
	)
	type found map[artwork.Slot][]string
	for name, c := range map[string]struct {
		tracks   []musicfixture.Track
		pictures []string
		want     found
	}{
		"none": {song, nil, nil},
		"every slot, best name first": {
			song,
			[]string{
				"Queue/thumb.jpg", "Queue/folder.jpg", "Queue/Artist.PNG", "Queue/background.jpg", "Queue/backdrop.jpg", "Queue/fanart.jpg",
				"Queue/clearlogo.png", "Queue/logo.png", "Queue/banner.jpg", "Queue/cover.jpg",
			},
			found{
				profile:    {"Queue/Artist.PNG", "Queue/folder.jpg", "Queue/thumb.jpg"},
				background: {"Queue/fanart.jpg", "Queue/backdrop.jpg", "Queue/background.jpg"},
				logo:       {"Queue/logo.png", "Queue/clearlogo.png"}, banner: {"Queue/banner.jpg"},
			},
		},
		"artist's folder before album's": {
			song, []string{"Queue/Album/artist.jpg", "Queue/Album/folder.jpg", "Queue/Album/thumb.jpg", "Queue/thumb.jpg"},
			found{profile: {"Queue/thumb.jpg", "Queue/Album/artist.jpg"}},
		},
		"folder of another name": {
			[]musicfixture.Track{at("Rock/Album/1.mp3", "Album", "Queue")}, []string{"Rock/folder.jpg", "Rock/fanart.jpg", "Rock/artist.jpg"},
			found{profile: {"Rock/artist.jpg"}},
		},
		"folder with the sort name": {
			[]musicfixture.Track{{Path: "queue, the/Album/1.mp3", Album: "Album", AlbumArtist: "The Queue", Tags: tags{taglib.AlbumArtistSort: {"Queue, The"}}}},
			[]string{"queue, the/folder.jpg"}, found{profile: {"queue, the/folder.jpg"}},
		},
		"folder without accents and forbidden characters": {
			[]musicfixture.Track{at("Anonima_Ltda/Album/1.mp3", "Album", "Anónima/Ltda.")}, []string{"Anonima_Ltda/folder.jpg"},
			found{profile: {"Anonima_Ltda/folder.jpg"}},
		},
		"music in a folder of another name": {
			append(song, at("Queue/Album/more/1.mp3", "More", "Queue")), []string{"Queue/Album/folder.jpg"}, nil,
		},
		"other music beside the albums": {
			[]musicfixture.Track{at("Rock/Album/1.mp3", "Album", "Queue"), at("Rock/loose.mp3", "Loose", "Other")},
			[]string{"Rock/artist.jpg"}, found{profile: {"Rock/artist.jpg"}}, // Other's only
		},
		"above the library": {[]musicfixture.Track{at("1.mp3", "Album", "Queue")}, nil, nil},
		"library is the artist's folder's parent": {
			[]musicfixture.Track{at("Album/1.mp3", "Album", "Queue")}, []string{"artist.jpg", "folder.jpg"}, found{profile: {"artist.jpg"}},
		},
		"disc folder": {
			[]musicfixture.Track{at("Queue/Album/CD1/1.mp3", "Album", "Queue")},
			[]string{"Queue/folder.jpg", "Queue/Album/artist.jpg", "Queue/Album/CD1/artist.jpg", "Queue/Album/CD1/fanart.jpg"},
			found{profile: {"Queue/folder.jpg", "Queue/Album/artist.jpg", "Queue/Album/CD1/artist.jpg"}, background: {"Queue/Album/CD1/fanart.jpg"}},
		},
		"music in the artist's folder": {
			[]musicfixture.Track{at("Queue/1.mp3", "Album", "Queue")}, []string{"Queue/folder.jpg", "Queue/fanart.jpg"},
			found{profile: {"Queue/folder.jpg"}, background: {"Queue/fanart.jpg"}},
		},
		"albums beside music in the artist's folder": {
			[]musicfixture.Track{at("Queue/1.mp3", "Single", "Queue"), at("Queue/Album/1.mp3", "Album", "Queue")}, []string{"Queue/folder.jpg"},
			found{profile: {"Queue/folder.jpg"}},
		},
		"album named like its artist": {
			[]musicfixture.Track{at("x/Queue/1.mp3", "Queue", "Queue")}, []string{"x/Queue/folder.jpg", "x/Queue/fanart.jpg"},
			found{background: {"x/Queue/fanart.jpg"}},
		},
		"album named like its artist, in the artist's folder": {
			[]musicfixture.Track{at("Queue/Queue/1.mp3", "Queue", "Queue")}, []string{"Queue/Queue/folder.jpg", "Queue/folder.jpg"},
			found{profile: {"Queue/folder.jpg"}},
		},
		"several artists in the album's folder": {
			[]musicfixture.Track{at("x/mix/1.mp3", "A", "Queue"), at("x/mix/2.mp3", "B", "Other")}, []string{"x/mix/artist.jpg", "x/mix/fanart.jpg"}, nil,
		},
		"several albums of one artist in the folder": {
			[]musicfixture.Track{at("x/mix/1.mp3", "A", "Queue"), at("x/mix/2.mp3", "B", "Queue")}, []string{"x/mix/artist.jpg"},
			found{profile: {"x/mix/artist.jpg"}},
		},
		"compilation": {
			[]musicfixture.Track{at("Queue/Tribute/1.mp3", "Tribute", catalog.VariousArtists.Name)}, []string{"Queue/artist.jpg", "Queue/Tribute/artist.jpg"}, nil,
		},
		"compilations' own folder": {
			[]musicfixture.Track{at("Various Artists/Hits/1.mp3", "Hits", "VA")}, []string{"Various Artists/folder.jpg"},
			found{profile: {"Various Artists/folder.jpg"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := library(t, c.tracks, c.pictures...)
			got := found{}
			for _, al := range albums(t, f) {
				for slot, pictures := range al.Artist.Pictures {
					got[slot] = origins(t, f, pictures)
				}
			}
			if c.want == nil {
				c.want = found{}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestNothingAboveTheLibraryIsLookedAt(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	musicfixture.Write(t, top, at("Queue/Album/1.mp3", "Album", "Queue"))
	musicfixture.WriteFile(t, top, "Queue/artist.jpg", picture)
	musicfixture.WriteFile(t, top, "Queue/folder.jpg", picture)
	assert.Nil(t, album(t, open(t, filepath.Join(top, "Queue/Album"))).Artist.Pictures)
	assert.Len(t, album(t, open(t, filepath.Join(top, "Queue"))).Artist.Pictures[artwork.SlotProfile], 2)
}
