package describeimages_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/describeimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// inspector sees the same colour everywhere, except in what is broken.
type inspector struct{ calls int }

func (i *inspector) Inspect(_ context.Context, content []byte) (artwork.Content, error) {
	i.calls++
	if string(content) == "broken" {
		return artwork.Content{}, artwork.Errorf(artwork.CorruptImage, "of no use")
	}
	return artwork.Content{DominantColor: "#102030"}, nil
}

type fixture struct {
	repo      *memory.Repository
	store     *memory.Store
	inspector inspector
	user      artwork.ID
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{repo: memory.NewRepository(), store: memory.NewStore(0), user: artwork.NewID()}
	_, err := f.repo.Users().Put(t.Context(), artwork.Actor{Name: "test"}, catalog.User{ID: f.user, Username: "ana", Role: catalog.RoleUser})
	require.NoError(t, err)
	return f
}

func (f *fixture) add(t *testing.T, content string, color artwork.Color) artwork.ID {
	t.Helper()
	hash, err := f.store.Put(t.Context(), []byte(content))
	require.NoError(t, err)
	place := artwork.Place{Subject: artwork.User(f.user), Slot: artwork.SlotAvatar}
	record := artwork.Record{
		ID: artwork.NewID(), Place: place, Source: artwork.Custom, Provider: "test",
		Content: artwork.Content{Hash: hash, Size: int64(len(content)), MIMEType: "image/png", Width: 1, Height: 1, DominantColor: color},
	}
	require.NoError(t, f.repo.Images().Add(t.Context(), record))
	return record.ID
}

func (f *fixture) describe() *describeimages.Describe {
	return describeimages.New(f.repo.Images(), f.store, &f.inspector, f.repo.Claims(), "one", slog.New(slog.DiscardHandler))
}

func (f *fixture) color(t *testing.T, id artwork.ID) artwork.Color {
	t.Helper()
	record, err := f.repo.Images().Find(t.Context(), id)
	require.NoError(t, err)
	return record.Content.DominantColor
}

// TestWhatIsNotDescribedIs, each content once, and what cannot be is passed over.
func TestWhatIsNotDescribedIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		known, one, same, broken := f.add(t, "known", "#ffffff"), f.add(t, "one", ""), f.add(t, "one", ""), f.add(t, "broken", "")
		done, err := f.describe().Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, describeimages.Described{Images: 1, Failed: 1}, done)
		require.Equal(t, 2, f.inspector.calls)
		require.Equal(t, artwork.Color("#ffffff"), f.color(t, known))
		require.Equal(t, artwork.Color("#102030"), f.color(t, one))
		require.Equal(t, artwork.Color("#102030"), f.color(t, same))
		require.Empty(t, f.color(t, broken))
	})
}

// TestOneInstanceDescribes: of two that begin at once.
func TestOneInstanceDescribes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		id := f.add(t, "one", "")
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 {
			go f.describe().Watch(ctx)
		}
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
		require.Equal(t, artwork.Color("#102030"), f.color(t, id))
		require.Equal(t, 1, f.inspector.calls)
	})
}
