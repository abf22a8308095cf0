package musicfolder

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.senan.xyz/taglib"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/musicfixture"
)

type tags = map[string][]string

// one returns the tracks of an album folder, one per set of tags, which get an
// album and a performer unless they say otherwise.
func one(sets ...tags) []musicfixture.Track {
	names := []string{"a/1.flac", "a/2.flac", "a/3.flac", "a/4.flac"}
	var tracks []musicfixture.Track
	for i, set := range sets {
		tracks = append(tracks, musicfixture.Track{Path: names[i], Album: "Album", Artist: "Artist", Tags: set})
	}
	return tracks
}

func TestEveryFormatIsRead(t *testing.T) {
	t.Parallel()
	for _, extension := range []string{".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".mp4", ".MP3", ".Flac"} {
		t.Run(extension, func(t *testing.T) {
			t.Parallel()
			front := musicfixture.Picture(16, 16, 2)
			f := library(t, []musicfixture.Track{{
				Path: "x" + extension, Album: "Canción n.º 1", AlbumArtist: "Åse Ørsted", Date: "1999-05-31",
				Tags: tags{
					taglib.AlbumArtistSort: {"Ørsted, Åse"}, taglib.MusicBrainzAlbumID: {mbidA},
					taglib.MusicBrainzAlbumArtistID: {mbidB}, taglib.MusicBrainzReleaseGroupID: {mbidB},
				},
				Pictures: musicfixture.Front(front),
			}})
			got := album(t, f)
			require.Len(t, got.Cover, 1)
			content, err := got.Cover[0].Read(t.Context(), limit)
			require.NoError(t, err)
			assert.Equal(t, front, content)
			assert.Equal(t, "x"+extension, got.Cover[0].FileName)
			assert.Equal(t, []string{"x" + extension}, origins(t, f, got.Cover))
			got.Cover = nil
			assert.Equal(t, importlibrary.Album{
				Name: "Canción n.º 1", Year: 1999, MBID: artwork.MustParseID(mbidA), ReleaseGroupMBID: artwork.MustParseID(mbidB),
				Artist: importlibrary.Artist{Name: "Åse Ørsted", SortName: "Ørsted, Åse", MBID: artwork.MustParseID(mbidB)},
			}, got)
		})
	}
}

func TestCompilationFlagOfEveryFormat(t *testing.T) {
	t.Parallel()
	for _, extension := range musicfixture.Formats {
		f := library(t, []musicfixture.Track{{Path: "x" + extension, Album: "Hits", Artist: "One", Tags: tags{taglib.Compilation: {"1"}}}})
		assert.Equal(t, catalog.VariousArtists.MBID, album(t, f).Artist.MBID, extension)
	}
}

func TestAlbumArtist(t *testing.T) {
	t.Parallel()
	various := importlibrary.Artist{Name: catalog.VariousArtists.Name, MBID: catalog.VariousArtists.MBID}
	a, b := artwork.MustParseID(mbidA), artwork.MustParseID(mbidB)
	for name, c := range map[string]struct {
		tracks []musicfixture.Track
		want   importlibrary.Artist
	}{
		"of the album":                  {one(tags{taglib.AlbumArtist: {"Band"}}), importlibrary.Artist{Name: "Band"}},
		"of the album, with a space":    {one(tags{"ALBUM ARTIST": {"Band"}}), importlibrary.Artist{Name: "Band"}},
		"beats compilation":             {one(tags{taglib.AlbumArtist: {"Band"}, taglib.Compilation: {"1"}}), importlibrary.Artist{Name: "Band"}},
		"compilation":                   {one(tags{taglib.Compilation: {"1"}}), various},
		"compilation without performer": {one(tags{taglib.Artist: {}, taglib.Compilation: {"1"}}), various},
		"one file says compilation":     {one(tags{}, tags{taglib.Compilation: {"1"}}), various},
		"no compilation":                {one(tags{taglib.Compilation: {"0"}}), importlibrary.Artist{Name: "Artist"}},
		"performer":                     {one(tags{}, tags{}), importlibrary.Artist{Name: "Artist"}},
		"several performers":            {one(tags{}, tags{taglib.Artist: {"Other"}}), various},
		"performers in two spellings":   {one(tags{}, tags{taglib.Artist: {"ARTIST"}}), importlibrary.Artist{Name: "Artist"}},
		"first of several performers":   {one(tags{taglib.Artist: {"Artist", "Guest"}}, tags{}), importlibrary.Artist{Name: "Artist"}},
		"no album artist in one file": {
			one(tags{taglib.AlbumArtist: {"Artist"}}, tags{}), importlibrary.Artist{Name: "Artist"},
		},
		"MBID of the album artist": {
			one(tags{taglib.AlbumArtist: {"Band"}, taglib.MusicBrainzAlbumArtistID: {mbidA}, taglib.MusicBrainzArtistID: {mbidB}}),
			importlibrary.Artist{Name: "Band", MBID: a},
		},
		"MBID of the performer": {one(tags{taglib.MusicBrainzArtistID: {mbidB}}), importlibrary.Artist{Name: "Artist", MBID: b}},
		"MBID of the performer is not the album artist's": {
			one(tags{taglib.AlbumArtist: {"Band"}, taglib.MusicBrainzArtistID: {mbidB}}), importlibrary.Artist{Name: "Band"},
		},
		"several MBIDs": {
			one(tags{taglib.AlbumArtist: {"Band"}, taglib.MusicBrainzAlbumArtistID: {mbidA, mbidB}}), importlibrary.Artist{Name: "Band"},
		},
		"MBID in another file": {
			one(tags{}, tags{taglib.MusicBrainzArtistID: {mbidA}}), importlibrary.Artist{Name: "Artist", MBID: a},
		},
		"MBID in capitals":           {one(tags{taglib.MusicBrainzArtistID: {strings.ToUpper(mbidA)}}), importlibrary.Artist{Name: "Artist", MBID: a}},
		"MBID that is not a UUID":    {one(tags{taglib.MusicBrainzArtistID: {"abc"}}), importlibrary.Artist{Name: "Artist"}},
		"sort name of the performer": {one(tags{taglib.ArtistSort: {"Artist, The"}}), importlibrary.Artist{Name: "Artist", SortName: "Artist, The"}},
		"various":                    {one(tags{taglib.AlbumArtist: {"Various"}}), various},
		"VA":                         {one(tags{taglib.AlbumArtist: {"V.A."}}), various},
		"Varios artistas":            {one(tags{taglib.AlbumArtist: {"VARIOS  Artistas"}}), various},
		"various, by the MBID": {
			one(tags{taglib.AlbumArtist: {"Verschiedene"}, taglib.MusicBrainzAlbumArtistID: {catalog.VariousArtists.MBID.String()}}), various,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, album(t, library(t, c.tracks)).Artist)
		})
	}
}

func TestAlbums(t *testing.T) {
	t.Parallel()
	a, b := artwork.MustParseID(mbidA), artwork.MustParseID(mbidB)
	type found struct {
		name, artist string
		mbid         catalog.MBID
	}
	for name, c := range map[string]struct {
		tracks []musicfixture.Track
		want   []found
	}{
		"one album in two spellings": {one(tags{}, tags{taglib.Album: {"ALBUM "}}), []found{{"Album", "Artist", catalog.MBID{}}}},
		"two names":                  {one(tags{}, tags{taglib.Album: {"B"}}), []found{{"Album", "Artist", catalog.MBID{}}, {"B", "Artist", catalog.MBID{}}}},
		"two album artists": {
			one(tags{taglib.AlbumArtist: {"X"}}, tags{taglib.AlbumArtist: {"Y"}}),
			[]found{{"Album", "X", catalog.MBID{}}, {"Album", "Y", catalog.MBID{}}},
		},
		"two releases of one name": {
			one(tags{taglib.MusicBrainzAlbumID: {mbidA}}, tags{taglib.MusicBrainzAlbumID: {mbidB}}),
			[]found{{"Album", "Artist", a}, {"Album", "Artist", b}},
		},
		"MBID only in some files": {
			one(tags{}, tags{taglib.MusicBrainzAlbumID: {mbidB}}, tags{}), []found{{"Album", "Artist", b}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []found
			for _, al := range albums(t, library(t, c.tracks)) {
				got = append(got, found{al.Name, al.Artist.Name, al.MBID})
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestYear(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tags tags
		want int
	}{
		"date": {tags{taglib.Date: {"1987-03-01"}}, 1987}, "year": {tags{taglib.Date: {"1987"}}, 1987},
		"day first": {tags{taglib.Date: {"01/03/1987"}}, 1987}, "nonsense": {tags{taglib.Date: {"87"}}, 0}, "none": {tags{}, 0},
		"only YEAR":            {tags{"YEAR": {"1987"}}, 1987},
		"not the original one": {tags{taglib.Date: {"2011"}, taglib.OriginalDate: {"1987"}}, 2011},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, album(t, library(t, one(c.tags))).Year)
		})
	}
	assert.Equal(t, 1987, album(t, library(t, one(tags{}, tags{taglib.Date: {"1987"}}))).Year, "of another file")
}

func TestNamesAreCleaned(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"  Álbum\t": "Álbum", "a\x01b\nc": "abc", "a\xffb": "a\uFFFDb", "日本語 🎵": "日本語 🎵", " \n\u00a0": "",
		strings.Repeat("é", 1001): strings.Repeat("é", 1000), strings.Repeat("a", 999) + " bc": strings.Repeat("a", 999),
	} {
		got := clean(in)
		assert.Equal(t, want, got)
		assert.True(t, utf8.ValidString(got))
	}
	long := album(t, library(t, one(tags{taglib.Album: {strings.Repeat("lá", 700)}})))
	assert.Equal(t, strings.Repeat("lá", 500), long.Name)
}

func TestFilesThatAreSkipped(t *testing.T) {
	t.Parallel()
	truncated := silence(t, ".flac")[:40]
	noisy := append([]byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f"), truncated...)
	for name, c := range map[string]struct {
		file    string
		content []byte
		reason  string
	}{
		"no tags":               {"x.flac", silence(t, ".flac"), "no album tag"},
		"no tags, MP3":          {"x.mp3", silence(t, ".mp3"), "no album tag"},
		"empty":                 {"x.mp3", nil, "not a readable MP3 file"},
		"text as MP3":           {"x.mp3", []byte(strings.Repeat("this is a text\n", 50)), "not a readable MP3 file"},
		"text as FLAC":          {"x.flac", []byte("this is a text"), "not a readable FLAC file"},
		"text as Ogg":           {"x.ogg", []byte("this is a text"), "not a readable Ogg file"},
		"text as Opus":          {"x.opus", []byte("this is a text"), "not a readable Opus file"},
		"text as MP4":           {"x.m4a", []byte("this is a text"), "not a readable MP4 file"},
		"truncated FLAC":        {"x.flac", truncated, ""},
		"truncated Ogg":         {"x.ogg", silence(t, ".ogg")[:50], ""},
		"truncated MP4":         {"x.m4a", silence(t, ".m4a")[:400], ""},
		"tag larger than file":  {"x.mp3", noisy, ""},
		"a FLAC that calls MP3": {"x.mp3", silence(t, ".flac"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := library(t, []musicfixture.Track{{Path: "good.mp3", Album: "Album", Artist: "Artist"}})
			write(t, f, c.file, c.content)
			folders := walk(t, f)
			require.Len(t, folders, 1)
			assert.Len(t, folders[0].Albums, 1, "the rest of the folder")
			assert.Equal(t, 2, folders[0].AudioFiles)
			assert.NotEmpty(t, folders[0].Fingerprint)
			require.Len(t, folders[0].Skipped, 1)
			assert.Equal(t, c.file, folders[0].Skipped[0].Path)
			assert.Contains(t, folders[0].Skipped[0].Reason, c.reason)
			assert.NotEmpty(t, folders[0].Skipped[0].Reason)
		})
	}
	nameless := walk(t, library(t, one(tags{taglib.Artist: {}})))
	assert.Equal(t, "no artist tag", nameless[0].Skipped[0].Reason)
	blank := walk(t, library(t, one(tags{taglib.Album: {" \t"}})))
	assert.Equal(t, "no album tag", blank[0].Skipped[0].Reason)
}

// Every truncation and many corruptions of a file with tags and picture end in
// an album or a reason.
func TestNoFileBreaksTheWalk(t *testing.T) {
	t.Parallel()
	for _, extension := range musicfixture.Formats {
		t.Run(extension, func(t *testing.T) {
			t.Parallel()
			f := library(t, []musicfixture.Track{{Path: "x" + extension, Album: "Album", Artist: "Artist", Pictures: musicfixture.Front(picture)}})
			content, err := readFile(f.Root()+"/x"+extension, limit)
			require.NoError(t, err)
			for i := range 60 {
				broken := append([]byte(nil), content...)
				if at := len(content) * i / 60; i%2 == 0 {
					broken = broken[:at]
				} else {
					for j := at; j < min(at+8, len(broken)); j++ {
						broken[j] ^= 0xff
					}
				}
				write(t, f, "x"+extension, broken)
				folder := walk(t, f)[0]
				require.Equal(t, 1, len(folder.Albums)+len(folder.Skipped))
				for _, al := range folder.Albums {
					for _, p := range al.Cover {
						_, _ = p.Read(t.Context(), limit)
					}
				}
			}
		})
	}
}

func TestPanicsOfTheTagReaderAreErrors(t *testing.T) {
	t.Parallel()
	_, err := guard(func() (int, error) { panic("memory error") })
	require.ErrorContains(t, err, "memory error")
}
