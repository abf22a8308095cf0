package renderimage_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// renderer is one whose renditions are texts, and which waits if it is told to.
type renderer struct {
	calls atomic.Int64
	gate  chan struct{} // if not nil, a rendering waits for something in it
	err   error
}

func (r *renderer) Encoder() string { return "test1" }

func (r *renderer) Render(ctx context.Context, content []byte, _ *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
	r.calls.Add(1)
	if r.gate != nil {
		select {
		case <-r.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	var out [][]byte
	for _, rendition := range wanted {
		out = append(out, []byte(rendition.String()+" of "+string(content)))
	}
	return out, nil
}

// originals are images whose bytes are their tag.
type originals struct{}

type file struct{ *strings.Reader }

func (file) Close() error { return nil }

func (originals) Run(_ context.Context, img *artwork.Image) (io.ReadSeekCloser, error) {
	return file{strings.NewReader(string(img.Tag))}, nil
}

func picture(name string) *artwork.Image {
	return &artwork.Image{
		Content: artwork.Content{Hash: artwork.HashOf([]byte(name)), Size: int64(len(name)), MIMEType: "image/png", Width: 1000, Height: 1000},
		Tag:     artwork.Tag(name),
	}
}

var wanted = artwork.Rendition{Edge: 200, Square: true, Format: artwork.FormatWebP}

func newRenditions(t *testing.T, r *renderer, store artwork.RenditionStore, turns renderimage.Turns) *renderimage.Renditions {
	t.Helper()
	renditions := renderimage.New(r, originals{}, store, turns, renderimage.Limits{Workers: 2, Pixels: 3 << 20, StandInAfter: time.Second}, slog.New(slog.DiscardHandler))
	t.Cleanup(renditions.Close)
	return renditions
}

func ask(ctx context.Context, renditions *renderimage.Renditions, img *artwork.Image) (string, error) {
	served, err := renditions.Run(ctx, renderimage.In{Image: img, Slot: artwork.SlotCover, Key: renditions.Key(img, wanted)})
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(served.Content)
	return string(content), errors.Join(err, served.Content.Close())
}

// TestManyWhoAskAtOnceShareARendering, on two instances.
func TestManyWhoAskAtOnceShareARendering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, turns := memory.NewRenditions(), memory.NewTurns()
		r := &renderer{gate: make(chan struct{})}
		fleet := []*renderimage.Renditions{newRenditions(t, r, store, turns), newRenditions(t, r, store, turns)}
		var asking sync.WaitGroup
		var answers [20]string
		for i := range answers {
			asking.Go(func() { answers[i], _ = ask(t.Context(), fleet[i%2], picture("one")) })
		}
		synctest.Wait()
		r.gate <- struct{}{}
		asking.Wait()
		require.EqualValues(t, 1, r.calls.Load())
		for _, got := range answers {
			require.Equal(t, "s200.webp of one", got)
		}
		got, err := ask(t.Context(), fleet[0], picture("one"))
		require.NoError(t, err)
		require.Equal(t, "s200.webp of one", got)
		require.EqualValues(t, 1, r.calls.Load(), "afterwards the store answers")
	})
}

// TestTheQueueIsBounded by the pixels of what waits: who comes beyond is to come again.
func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &renderer{gate: make(chan struct{})}
		renditions := newRenditions(t, r, memory.NewRenditions(), memory.NewTurns())
		var asking sync.WaitGroup
		var errs [3]error
		for i, name := range []string{"one", "two", "three"} {
			asking.Go(func() { _, errs[i] = ask(t.Context(), renditions, picture(name)) })
		}
		synctest.Wait()
		begin := time.Now()
		_, err := ask(t.Context(), renditions, picture("four"))
		waited := time.Since(begin)
		close(r.gate)
		asking.Wait()
		require.Zero(t, waited, "and is told so at once")
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
		require.NoError(t, errors.Join(errs[:]...))
		_, err = ask(t.Context(), renditions, picture("four"))
		require.NoError(t, err)
	})
}

// TestNobodyWaitsForEver: neither the client of a rendering that takes too long nor one
// who leaves.
func TestNobodyWaitsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &renderer{gate: make(chan struct{})}
		renditions := newRenditions(t, r, memory.NewRenditions(), memory.NewTurns())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := ask(ctx, renditions, picture("one"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = ask(t.Context(), renditions, picture("one"))
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
		close(r.gate)
		synctest.Wait()
		got, err := ask(t.Context(), renditions, picture("one"))
		require.NoError(t, err, "what was begun is finished")
		require.Equal(t, "s200.webp of one", got)
		require.EqualValues(t, 1, r.calls.Load())
	})
}

// TestWhatCannotBeRenderedIsNotTriedAgainAtOnce.
func TestWhatCannotBeRenderedIsNotTriedAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &renderer{err: artwork.Errorf(artwork.CorruptImage, "of no use")}
		renditions := newRenditions(t, r, memory.NewRenditions(), memory.NewTurns())
		for range 3 {
			_, err := ask(t.Context(), renditions, picture("one"))
			require.Equal(t, artwork.CorruptImage, artwork.KindOf(err), "%v", err)
		}
		require.EqualValues(t, 1, r.calls.Load())
		time.Sleep(2 * time.Minute)
		r.err = nil
		_, err := ask(t.Context(), renditions, picture("one"))
		require.NoError(t, err)
	})
}

// lost are turns of which nobody knows who has them.
type lost struct{}

func (lost) Take(context.Context, string, time.Duration) (func(), bool, error) {
	return nil, false, artwork.Errorf(artwork.Unavailable, "Redis does not answer")
}

// full is a store without room.
type full struct{ artwork.RenditionStore }

func (full) PutRendition(context.Context, artwork.RenditionKey, []byte) error {
	return artwork.Errorf(artwork.StorageFull, "no room")
}

// TestALostLockOrAFullStoreCostsASecondRenderingOnly.
func TestALostLockOrAFullStoreCostsASecondRenderingOnly(t *testing.T) {
	r := &renderer{}
	renditions := newRenditions(t, r, full{memory.NewRenditions()}, lost{})
	for n := range int64(2) {
		got, err := ask(t.Context(), renditions, picture("one"))
		require.NoError(t, err)
		require.Equal(t, "s200.webp of one", got)
		require.Equal(t, n+1, r.calls.Load())
	}
}

// TestAll renders from one decoding what is not there yet.
func TestAll(t *testing.T) {
	r := &renderer{}
	store := memory.NewRenditions()
	renditions := newRenditions(t, r, store, memory.NewTurns())
	img := picture("one")
	for range 2 {
		_, err := renditions.All(t.Context(), img, artwork.SlotProfile, artwork.FormatAuto)
		require.NoError(t, err)
		require.EqualValues(t, 1, r.calls.Load())
	}
	for _, edge := range []int{200, 250, 300, 500, 1000} {
		f, err := store.OpenRendition(t.Context(), renditions.Key(img, artwork.RenditionOf(artwork.SlotProfile, edge, artwork.FormatAuto)))
		require.NoError(t, err, edge)
		require.NoError(t, f.Close())
	}
}

// TestTagsTellRenditionsApart, and follow the focal point.
func TestTagsTellRenditionsApart(t *testing.T) {
	renditions := newRenditions(t, &renderer{}, memory.NewRenditions(), memory.NewTurns())
	img := picture("one")
	focused := picture("one")
	focused.FocalPoint, focused.Tag = &artwork.FocalPoint{X: 1}, "two"
	seen := map[artwork.Tag]bool{img.Tag: true, focused.Tag: true}
	for _, i := range []*artwork.Image{img, focused} {
		for _, edge := range []int{200, 300} {
			for format := artwork.FormatAuto; format <= artwork.FormatAVIF; format++ {
				tag := renderimage.Tag(i, renditions.Key(i, artwork.Rendition{Edge: edge, Square: true, Format: format}))
				require.False(t, seen[tag], tag)
				seen[tag] = true
			}
		}
	}
	fit := artwork.Rendition{Edge: 200, Format: artwork.FormatPNG}
	require.Equal(t, renditions.Key(img, fit), renditions.Key(focused, fit), "what is not cut is the same picture")
	img.MIMEType = "image/jpeg"
	require.Equal(t, artwork.FormatJPEG, renditions.Key(img, artwork.Rendition{Edge: 200, Format: artwork.FormatAuto}).Format)
}
