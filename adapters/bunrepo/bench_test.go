package bunrepo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/conformance"
)

// BenchmarkInForce measures what a miss of the cache costs.
func BenchmarkInForce(b *testing.B) {
	for name, open := range map[string]opener{
		"sqlite":   openSQLite,
		"postgres": func(t conformance.TB) *bunrepo.DB { db, _ := openPostgres(t); return db },
	} {
		b.Run(name, func(b *testing.B) {
			db := open(b)
			images := bunrepo.NewImages(db)
			artist := catalog.Artist{ID: artwork.NewID(), Name: "Someone"}
			_, err := bunrepo.NewArtists(db).Put(b.Context(), artwork.Actor{Name: "test"}, artist)
			require.NoError(b, err)
			record := recordFor(artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}, 1)
			_, err = images.Apply(b.Context(), artwork.Unfenced(), []artwork.Application{{Record: record}})
			require.NoError(b, err)
			b.ReportAllocs()
			b.RunParallel(func(loop *testing.PB) {
				for loop.Next() {
					if _, err := images.InForce(b.Context(), record.Place); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
