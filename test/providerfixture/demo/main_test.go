package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/providerfixture"
)

func TestTheCommandRunsAmongDemoProviders(t *testing.T) {
	for command, code := range map[string]int{
		"exit 3":     3,
		"kill -9 $$": 1,
		`case "$DEEZER_URL" in http://127.0.0.1:*/deezer) exit 0;; esac; exit 4`:      0,
		`case "$DEEZER_URL" in http://$DOWNLOAD_ALLOW_HOSTS/*) exit 0;; esac; exit 4`: 0,
	} {
		got, err := run("sh", []string{"-c", command})
		require.NoError(t, err)
		require.Equal(t, code, got, command)
	}
	_, err := run("/no/such/command", nil)
	require.Error(t, err)
}

func TestWhatIsSetIsLeftAsItIs(t *testing.T) {
	t.Setenv("DEEZER_URL", "https://deezer.example.org")
	t.Setenv("LASTFM_API_KEY", "")
	environ := environment("127.0.0.1:1")
	require.NotContains(t, environ, "DEEZER_URL=http://127.0.0.1:1/deezer")
	require.Contains(t, environ, "DEEZER_URL=https://deezer.example.org")
	require.Contains(t, environ, "DISCOGS_URL=http://127.0.0.1:1/discogs")
	require.Contains(t, environ, "LASTFM_API_KEY="+providerfixture.Key)
}

func TestEverySlotIsTold(t *testing.T) {
	for seed, want := range map[string]artwork.Slot{
		"x-profile": artwork.SlotProfile, "x-profile-deezer-1": artwork.SlotProfile, "x-cover": artwork.SlotCover, "anything": artwork.SlotCover,
	} {
		require.Equal(t, want, slot(seed, 500, 500), seed)
	}
	require.Equal(t, artwork.SlotBanner, slot("x-banner", 1000, 185))
	require.Equal(t, artwork.SlotLogo, slot("x-logo", 800, 310))
	require.Equal(t, artwork.SlotBackground, slot("x-background", 1920, 1080))
}
