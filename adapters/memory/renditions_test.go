package memory_test

import (
	"context"
	"testing"

	"gatefold/adapters/memory"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

func openRenditions(conformance.TB) artwork.RenditionStore { return memory.NewRenditions() }

func TestRenditions(t *testing.T) { conformance.RunRenditionStore(t, openRenditions) }

// keyless puts every rendition of an original under one key.
type keyless struct{ artwork.RenditionStore }

func (k keyless) PutRendition(ctx context.Context, key artwork.RenditionKey, content []byte) error {
	key.Rendition = artwork.Rendition{}
	return k.RenditionStore.PutRendition(ctx, key, content)
}

func (k keyless) OpenRendition(ctx context.Context, key artwork.RenditionKey) (artwork.StoredFile, error) {
	key.Rendition = artwork.Rendition{}
	return k.RenditionStore.OpenRendition(ctx, key)
}

// keeping removes nothing.
type keeping struct{ artwork.RenditionStore }

func (keeping) RemoveRenditions(context.Context, artwork.Hash) error { return nil }

func TestRenditionTwins(t *testing.T) {
	conformance.Rejects(t, conformance.RenditionStoreCases(), "a key has its own content", func(t conformance.TB) artwork.RenditionStore { return keyless{openRenditions(t)} })
	conformance.Rejects(t, conformance.RenditionStoreCases(), "RemoveRenditions removes all of an original and no others", func(t conformance.TB) artwork.RenditionStore { return keeping{openRenditions(t)} })
}

func TestTurns(t *testing.T) {
	conformance.RunTurns(t, func(conformance.TB) []renderimage.Turns { return []renderimage.Turns{memory.NewTurns()} })
}

// TestTurnTwin: turns of processes that do not know of each other are none.
func TestTurnTwin(t *testing.T) {
	conformance.Rejects(t, conformance.TurnsCases(), "one of many takes the turn", func(conformance.TB) []renderimage.Turns {
		return []renderimage.Turns{memory.NewTurns(), memory.NewTurns()}
	})
}
