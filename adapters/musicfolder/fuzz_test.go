package musicfolder

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.senan.xyz/taglib"

	"gatefold/domain/catalog"
)

// FuzzTags: whatever stands in tags, a file is left out with a reason that can be
// shown, or its album and its artist can be stored.
func FuzzTags(f *testing.F) {
	for _, seed := range [][5]string{
		{"Uno", "Ana", "Ana", "1999-05-01", ""}, {"", "Ana", "", "", ""}, {"Uno", "", "", "99", "1"}, {" Uno\x00 ", "Various  Artists", "Björk", "c. 2001?", ""},
		{"\xff\xfe", "V.A.", "\u0301", "20011", "89ad4ac3-39f7-470e-963a-56509c546377"}, {strings.Repeat("é", 1500), "a", "b", "１９９９", " 6D1D3B8E-3C1E-4A55-8A63-5A0F5A1F2C11 "},
		{"a\xff", strings.Repeat(" ", 2000) + "x", strings.Repeat("x ", 600), "0000", "not a UUID"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	f.Fuzz(func(t *testing.T, album, albumArtist, artist, date, id string) {
		tags := map[string][]string{
			taglib.Album: {"", album}, taglib.AlbumArtist: {albumArtist}, taglib.Artist: {artist}, taglib.ArtistSort: {albumArtist}, taglib.AlbumArtistSort: {artist},
			taglib.Date: {date}, taglib.Compilation: {id}, taglib.MusicBrainzAlbumID: {id}, taglib.MusicBrainzAlbumArtistID: {id, id}, taglib.MusicBrainzArtistID: {id},
		}
		read, skip := newTrack("/music/a.mp3", tags)
		if skip != nil {
			require.True(t, skip.Reason != "" && utf8.ValidString(skip.Reason))
			return
		}
		requireStorable(t, read)
		again, skip := newTrack("/music/a.mp3", map[string][]string{
			taglib.Album: {read.album}, taglib.AlbumArtist: {read.albumArtist.Name}, taglib.Artist: {read.artist.Name}, taglib.Compilation: {id}, taglib.Date: {date},
			taglib.AlbumArtistSort: {read.albumArtist.SortName}, taglib.ArtistSort: {read.artist.SortName},
			taglib.MusicBrainzAlbumID: {id}, taglib.MusicBrainzArtistID: {id},
		})
		require.Nil(t, skip)
		require.Equal(t, read, again, "what was read reads the same")
	})
}

// requireStorable checks the album of a track as an import would store it.
func requireStorable(t *testing.T, read track) {
	t.Helper()
	group := &group{track: read}
	group.resolve()
	require.NoError(t, group.albumArtist.Check())
	require.NoError(t, catalog.Album{ArtistID: catalog.NewArtistID(group.albumArtist.Name, group.albumArtist.MBID), Name: read.album, Year: read.year}.Check())
}
