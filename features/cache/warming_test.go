package cache

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/serveimage"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
)

// taken are claims of a fleet in which another instance warms.
type taken struct{ warmcache.Claims }

func (taken) Claim(context.Context, warmcache.Claim, time.Duration) (bool, string, error) {
	return false, "other/1", nil
}

type unobserved struct{}

func (unobserved) Progress(int, int) {}

// TestAProcessWarmsItsOwnMemory whatever others do, who cannot do it for it.
func TestAProcessWarmsItsOwnMemory(t *testing.T) {
	for mode, want := range map[Mode]bool{Memory: true, Redis: false, TwoLevel: false} {
		repo, tally := memory.NewRepository(), warmcache.NewTally()
		pointers := serveimage.NewPointers(memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 10), repo.Images(), tally)
		requests := repo.Requests(warmcache.RecordTerms{HalfLife: time.Hour, MaxKeys: 10})
		warm := newWarm(Config{Mode: mode, WarmKeys: 10, WarmRate: 10}, pointers, requests, repo.ChangeLog(), taken{}, slog.New(slog.DiscardHandler))
		_, err := warm.Run(t.Context(), unobserved{})
		require.Equal(t, want, err == nil, "%s: %v", mode, err)
	}
}
