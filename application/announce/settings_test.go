package announce_test

import (
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"gatefold/application/announce"
)

// TestSettingsAreAnnounced: which provider was set up differently, and not how.
func TestSettingsAreAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := startFeed(t, newLog())
		client := subscribe(t, feed, "", false)
		announce.NewSettingsChanges(feed, slog.New(slog.DiscardHandler)).ProviderChanged(t.Context(), "deezer", 7)
		entry := requireNext(t, client, announce.SettingsUpdated)
		require.JSONEq(t, `{"provider":"deezer","revision":7}`, string(entry.Data))
	})
}
