package bunrepo_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// heirloom is an artist with an image in force: what has to outlive every rollback.
type heirloom struct {
	artist catalog.Artist
	record artwork.Record
}

func leave(t *testing.T, db *bunrepo.DB) heirloom {
	t.Helper()
	h := heirloom{artist: catalog.Artist{ID: artwork.NewID(), Name: "Kept"}}
	_, err := bunrepo.NewArtists(db).Put(t.Context(), artwork.Actor{Name: "test"}, h.artist)
	require.NoError(t, err)
	place, hash := artwork.Place{Subject: artwork.Artist(h.artist.ID), Slot: artwork.SlotLogo}, artwork.HashOf([]byte("kept"))
	h.record = artwork.Record{
		ID: artwork.RecordID(place, hash, artwork.External, "p"), Place: place, Content: artwork.Content{Hash: hash}, Source: artwork.External, Provider: "p",
	}
	_, err = bunrepo.NewImages(db).Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: h.record, By: artwork.Actor{Name: "test"}}})
	require.NoError(t, err)
	return h
}

func (h heirloom) requireThere(t *testing.T, db *bunrepo.DB) {
	t.Helper()
	artist, err := bunrepo.NewArtists(db).Get(t.Context(), h.artist.ID)
	require.NoError(t, err)
	require.Equal(t, h.artist.Name, artist.Name)
	account, err := bunrepo.NewImages(db).Account(t.Context(), h.record.Place)
	require.NoError(t, err)
	require.NotNil(t, account.State.InForce)
	require.Equal(t, h.record.Content.Hash, account.State.InForce.Content.Hash)
	require.Len(t, account.History, 1)
}

// TestEveryRollbackKeepsTheImages: from the latest version back to each, and forward
// again, with something in the tables.
func TestEveryRollbackKeepsTheImages(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		db := openURL(t, url)
		require.NoError(t, db.Migrate(t.Context()))
		kept := leave(t, db)
		for _, version := range slices.Backward(steps(t, db)) {
			require.NoError(t, db.MigrateTo(t.Context(), version))
			current, _, err := db.MigrationStatus(t.Context())
			require.NoError(t, err)
			require.Equal(t, version, current)
			require.NoError(t, db.Migrate(t.Context()), "forward again from %d", version)
			kept.requireThere(t, db)
		}
	})
}

// TestMigrateToGoesStepByStep: each version can be stopped at on the way.
func TestMigrateToGoesStepByStep(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		db := openURL(t, url)
		for _, version := range steps(t, db) {
			require.NoError(t, db.MigrateTo(t.Context(), version))
		}
		kept := leave(t, db)
		for _, version := range slices.Backward(steps(t, db)) {
			require.NoError(t, db.MigrateTo(t.Context(), version))
		}
		require.NoError(t, db.Migrate(t.Context()))
		kept.requireThere(t, db)
	})
}

func TestMigrateToRefusesVersionsThatAreNone(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		db := openURL(t, url)
		require.NoError(t, db.Migrate(t.Context()))
		kept := leave(t, db)
		for _, version := range []int64{-1, 0, 12, 9999} {
			requireKind(t, artwork.InvalidInput, db.MigrateTo(t.Context(), version))
		}
		kept.requireThere(t, db)
	})
}

// TestTheSchemaOfALaterReleaseIsServedWith: what it has added does not matter, and is
// neither taken away nor migrated.
func TestTheSchemaOfALaterReleaseIsServedWith(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		later := openURL(t, url)
		require.NoError(t, later.Migrate(t.Context()))
		kept := leave(t, later)
		expand(t, later)

		db := openURL(t, url)
		require.NoError(t, db.Migrate(t.Context()))
		kept.requireThere(t, db)
		leave(t, db)
		current, latest, err := db.MigrationStatus(t.Context())
		require.NoError(t, err)
		require.Equal(t, latest+1, current)
		requireKind(t, artwork.Conflict, db.MigrateTo(t.Context(), latest))
		require.Contains(t, tableNames(t, db), "of_later")
	})
}

// expand does to the schema what the migration of a next release would.
func expand(t *testing.T, db *bunrepo.DB) {
	t.Helper()
	_, latest, err := db.MigrationStatus(t.Context())
	require.NoError(t, err)
	for _, statement := range []string{
		"CREATE TABLE of_later (id bigint PRIMARY KEY)",
		"ALTER TABLE images ADD COLUMN of_later text",
		"ALTER TABLE slots ADD COLUMN of_later integer NOT NULL DEFAULT 0",
		"ALTER TABLE artists ADD COLUMN of_later text NOT NULL DEFAULT ''",
		"ALTER TABLE history ADD COLUMN of_later text",
	} {
		_, err := db.Write().ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	_, err = db.Write().NewRaw("INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, ?)", latest+1, true).Exec(t.Context())
	require.NoError(t, err)
}
