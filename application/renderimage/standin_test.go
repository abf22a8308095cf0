package renderimage_test

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

func stored(t *testing.T, store artwork.RenditionStore, renditions *renderimage.Renditions, img *artwork.Image, edge int, format artwork.Format, content string) {
	t.Helper()
	key := renditions.Key(img, artwork.RenditionOf(artwork.SlotCover, edge, format))
	require.NoError(t, store.PutRendition(t.Context(), key, []byte(content)))
}

func read(t *testing.T, served renderimage.Served) string {
	t.Helper()
	content, err := io.ReadAll(served.Content)
	require.NoError(t, err)
	require.NoError(t, served.Content.Close())
	return string(content)
}

// TestAStandInIsTakenAfterAWhile: the nearest that is ready, and no other image's.
func TestAStandInIsTakenAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.NewRenditions()
		r := &renderer{gate: make(chan struct{})}
		renditions := newRenditions(t, r, store, memory.NewTurns())
		img := picture("one")
		key := renditions.Key(img, artwork.RenditionOf(artwork.SlotCover, 300, artwork.FormatWebP))
		in := renderimage.In{Image: img, Slot: artwork.SlotCover, Key: key}
		stored(t, store, renditions, picture("two"), 500, artwork.FormatWebP, "another image")
		for _, ready := range []struct {
			edge   int
			format artwork.Format
			any    bool
			want   string
		}{
			{200, artwork.FormatAuto, true, "\xffjpeg of 200"}, {200, artwork.FormatWebP, false, "webp of 200"},
			{1000, artwork.FormatWebP, false, "webp of 1000"}, {500, artwork.FormatWebP, true, "webp of 500"},
		} {
			stored(t, store, renditions, img, ready.edge, ready.format, ready.want)
			in.AnyFormat = ready.any
			begin := time.Now()
			served, err := renditions.Run(t.Context(), in)
			require.NoError(t, err)
			require.Equal(t, ready.want, read(t, served))
			require.Equal(t, time.Second, time.Since(begin))
			require.NotEqual(t, key, served.Key)
			require.Equal(t, ready.edge, served.Key.Edge)
		}
		close(r.gate)
		synctest.Wait()
		served, err := renditions.Run(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, key, served.Key)
		require.Equal(t, "s300.webp of one", read(t, served))
		require.EqualValues(t, 1, r.calls.Load(), "it was rendered all the same")
	})
}

// TestANamedFormatHasNoOtherStandIn: who names a format may know no other.
func TestANamedFormatHasNoOtherStandIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.NewRenditions()
		renditions := newRenditions(t, &renderer{gate: make(chan struct{})}, store, memory.NewTurns())
		img := picture("one")
		stored(t, store, renditions, img, 500, artwork.FormatAuto, "\xffjpeg")
		in := renderimage.In{Image: img, Slot: artwork.SlotCover, Key: renditions.Key(img, artwork.RenditionOf(artwork.SlotCover, 300, artwork.FormatWebP))}
		_, err := renditions.Run(t.Context(), in)
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
		in.AnyFormat = true
		served, err := renditions.Run(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, "\xffjpeg", read(t, served))
		require.Equal(t, "image/jpeg", served.MIMEType)
	})
}

// TestAFullQueueHasStandInsAtOnce.
func TestAFullQueueHasStandInsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.NewRenditions()
		r := &renderer{gate: make(chan struct{})}
		renditions := newRenditions(t, r, store, memory.NewTurns())
		img := picture("four")
		stored(t, store, renditions, img, 500, artwork.FormatWebP, "ready")
		var asking sync.WaitGroup
		for _, name := range []string{"one", "two", "three"} {
			asking.Go(func() { _, _ = ask(t.Context(), renditions, picture(name)) })
		}
		synctest.Wait()
		begin := time.Now()
		got, err := ask(t.Context(), renditions, img)
		require.Zero(t, time.Since(begin))
		close(r.gate)
		asking.Wait()
		require.NoError(t, err)
		require.Equal(t, "ready", got)
	})
}
