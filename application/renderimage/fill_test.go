package renderimage_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// library is a repository of covers.
type library struct {
	artwork.ImageRepository
	covers map[artwork.Place]*artwork.Image
	err    error
}

func (l *library) add(name string) {
	l.covers[artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover}] = picture(name)
}

func (l *library) ChangedWithin(_ context.Context, _ time.Duration, visit func(artwork.Place) error) error {
	for place := range l.covers {
		for range 2 { // possibly more than once
			if err := visit(place); err != nil {
				return err
			}
		}
	}
	return visit(artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover}) // an empty slot
}

func (l *library) InForce(_ context.Context, place artwork.Place) (*artwork.Image, error) {
	return l.covers[place], l.err
}

type noted struct {
	done, total int
	after       func()
}

func (n *noted) Progress(done, total int) {
	n.done, n.total = done, total
	if n.after != nil {
		n.after()
	}
}

func newFill(t *testing.T, r *renderer, names ...string) (*renderimage.Fill, *library) {
	t.Helper()
	l := &library{covers: map[artwork.Place]*artwork.Image{}}
	for _, name := range names {
		l.add(name)
	}
	return renderimage.NewFill(newRenditions(t, r, memory.NewRenditions(), memory.NewTurns()), l, l, slog.New(slog.DiscardHandler)), l
}

func untimed(f renderimage.Filled) renderimage.Filled {
	f.Took = 0
	return f
}

// TestFillRendersWhatIsMissing, and only that, when it is run again.
func TestFillRendersWhatIsMissing(t *testing.T) {
	r := &renderer{}
	fill, l := newFill(t, r, "one", "two", "three")
	var seen noted
	filled, err := fill.Run(t.Context(), []artwork.Format{artwork.FormatAuto, artwork.FormatWebP}, &seen)
	require.NoError(t, err)
	require.Equal(t, renderimage.Filled{Images: 3, Rendered: 24}, untimed(filled))
	require.Equal(t, []int{4, 4}, []int{seen.done, seen.total})
	l.add("four")
	filled, err = fill.Run(t.Context(), []artwork.Format{artwork.FormatAuto}, &seen)
	require.NoError(t, err)
	require.Equal(t, renderimage.Filled{Images: 4, Rendered: 4, Complete: 3}, untimed(filled))
	require.EqualValues(t, 7, r.calls.Load(), "one decoding for each image and format")
}

// TestAnEndedFillGoesOn where it was: only what was being rendered when it ended is begun anew.
func TestAnEndedFillGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &renderer{gate: make(chan struct{})}
		fill, _ := newFill(t, r, "one", "two", "three", "four", "five", "six")
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait() // until both workers render
			r.gate <- struct{}{}
		}()
		filled, err := fill.Run(ctx, []artwork.Format{artwork.FormatAuto}, &noted{after: cancel})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, renderimage.Filled{Images: 2, Rendered: 4, Unfinished: true}, untimed(filled), "one was rendered, one had been begun")
		close(r.gate)
		filled, err = fill.Run(t.Context(), []artwork.Format{artwork.FormatAuto}, &noted{})
		require.NoError(t, err)
		require.Equal(t, renderimage.Filled{Images: 6, Rendered: 20, Complete: 1}, untimed(filled), "none is rendered twice")
		require.EqualValues(t, 7, r.calls.Load())
	})
}

// TestFillPassesOverWhatCannotBeRendered, but not over a database that does not answer.
func TestFillPassesOverWhatCannotBeRendered(t *testing.T) {
	fill, l := newFill(t, &renderer{err: artwork.Errorf(artwork.CorruptImage, "of no use")}, "one", "two")
	filled, err := fill.Run(t.Context(), []artwork.Format{artwork.FormatAuto}, &noted{})
	require.NoError(t, err)
	require.Equal(t, renderimage.Filled{Images: 2, Failed: 2}, untimed(filled))
	l.err = errors.New("no database")
	filled, err = fill.Run(t.Context(), []artwork.Format{artwork.FormatAuto}, &noted{})
	require.ErrorIs(t, err, l.err)
	require.True(t, filled.Unfinished)
}
