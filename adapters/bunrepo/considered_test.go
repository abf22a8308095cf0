package bunrepo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// TestWhatWasConsideredGoesWithItsSubject: whoever removes a subject need not know of it.
func TestWhatWasConsideredGoesWithItsSubject(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		by := artwork.Actor{Name: "test"}
		artist := catalog.Artist{ID: artwork.NewID(), Name: "Gone"}
		_, err := bunrepo.NewArtists(db).Put(t.Context(), by, artist)
		require.NoError(t, err)
		album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Gone"}
		_, err = bunrepo.NewAlbums(db).Put(t.Context(), by, album)
		require.NoError(t, err)
		considerations := bunrepo.NewConsiderations(db)
		require.NoError(t, considerations.Keep(t.Context(), []findimages.Consideration{
			{Place: artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotLogo}, Occasion: findimages.OnSearch, At: time.Now()},
			{Place: artwork.Place{Subject: artwork.Album(album.ID), Slot: artwork.SlotCover}, Occasion: findimages.OnFill, At: time.Now()},
		}))
		for _, table := range []string{"albums", "artists"} {
			_, err := db.Write().NewRaw("DELETE FROM " + table).Exec(t.Context())
			require.NoError(t, err)
		}
		left, err := db.Write().NewSelect().TableExpr("considerations").Count(t.Context())
		require.NoError(t, err)
		require.Zero(t, left)
	})
}

// TestImagesOfAnEarlierReleaseHaveNoProvenance: nothing is invented for them.
func TestImagesOfAnEarlierReleaseHaveNoProvenance(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		db := openURL(t, url)
		require.NoError(t, db.Migrate(t.Context()))
		artist := catalog.Artist{ID: artwork.NewID(), Name: "Before"}
		_, err := bunrepo.NewArtists(db).Put(t.Context(), artwork.Actor{Name: "test"}, artist)
		require.NoError(t, err)
		place := artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotLogo}
		hash := artwork.HashOf([]byte("before"))
		record := artwork.Record{
			ID: artwork.RecordID(place, hash, artwork.External, "p"), Place: place, Content: artwork.Content{Hash: hash}, Source: artwork.External, Provider: "p",
			SourcePage: "https://example.org", StatedBy: artwork.StatedByCaller,
		}
		_, err = bunrepo.NewImages(db).Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: record, By: artwork.Actor{Name: "test"}}})
		require.NoError(t, err)
		require.NoError(t, db.MigrateTo(t.Context(), 7))
		require.NoError(t, db.Migrate(t.Context()))

		account, err := bunrepo.NewImages(db).Account(t.Context(), place)
		require.NoError(t, err)
		require.Zero(t, account.State.InForce.Provenance())
		require.Len(t, account.History, 1)
		require.Empty(t, account.History[0].Act)
		require.Equal(t, artwork.RuleChosen, account.Rule())
	})
}
