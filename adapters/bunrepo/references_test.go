package bunrepo_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Places are looked at in steps; what is beyond the first is trimmed as well.
func TestTrimComesToEveryPlace(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		var artists []catalog.Artist
		var records []artwork.Record
		for n := range 1001 {
			artist := catalog.Artist{ID: artwork.NewID(), Name: fmt.Sprintf("Artist %d", n)}
			artists = append(artists, artist)
			records = append(records, external(artwork.Artist(artist.ID), 0))
		}
		require.NoError(t, db.Insert(t.Context(), artists, nil, records))
		last := slices.MaxFunc(artists, func(a, b catalog.Artist) int { return slices.Compare(a.ID[:], b.ID[:]) })
		for n := range 3 {
			require.NoError(t, apply(t, db, external(artwork.Artist(last.ID), n+1)))
		}
		forgotten, err := bunrepo.NewImages(db).Trim(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, 1, forgotten)
	})
}

// external returns the record of a profile that a provider had.
func external(artist artwork.Subject, n int) artwork.Record {
	record := recordFor(artwork.Place{Subject: artist, Slot: artwork.SlotProfile}, n)
	record.Source, record.AddedAt = artwork.External, time.Unix(int64(n+1), 0)
	record.ID = artwork.RecordID(record.Place, record.Content.Hash, record.Source, record.Provider)
	return record
}
