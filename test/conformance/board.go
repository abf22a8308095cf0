package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// RunBoard runs the suite of managecache.Board. open returns the board as one or more
// instances see it.
func RunBoard(t *testing.T, open func(TB) []managecache.Board) {
	t.Helper()
	run(t, BoardCases(), open)
}

// BoardCases are the clauses of managecache.Board's contract.
func BoardCases() []Case[[]managecache.Board] {
	return []Case[[]managecache.Board]{
		{"what one posts all read, to the last byte", postedIsRead},
		{"a report takes the place of the one before", reportIsReplaced},
		{"who has posted nothing is left out", silentIsLeftOut},
		{"a report is shown for its term", reportExpires},
		{"a cancelled caller gets its context's error, posting and reading", cancelledPost},
	}
}

func postedIsRead(t TB, open func(TB) []managecache.Board) {
	boards := open(t)
	one, other := artwork.NewID(), artwork.NewID()
	report := []byte{0, 0x1f, 0x8b, '\r', '\n', 0xff}
	require.NoError(t, boards[0].Post(t.Context(), one, report, time.Minute))
	require.NoError(t, boards[len(boards)-1].Post(t.Context(), other, []byte("other"), time.Minute))
	for _, board := range boards {
		read, err := board.Read(t.Context(), []artwork.ID{other, one})
		require.NoError(t, err)
		require.Equal(t, map[artwork.ID][]byte{one: report, other: []byte("other")}, read)
	}
}

func reportIsReplaced(t TB, open func(TB) []managecache.Board) {
	board, one := open(t)[0], artwork.NewID()
	for _, report := range []string{"first", "second"} {
		require.NoError(t, board.Post(t.Context(), one, []byte(report), time.Minute))
	}
	read, err := board.Read(t.Context(), []artwork.ID{one})
	require.NoError(t, err)
	require.Equal(t, map[artwork.ID][]byte{one: []byte("second")}, read)
}

func silentIsLeftOut(t TB, open func(TB) []managecache.Board) {
	board, one := open(t)[0], artwork.NewID()
	require.NoError(t, board.Post(t.Context(), one, []byte("report"), time.Minute))
	read, err := board.Read(t.Context(), []artwork.ID{artwork.NewID()})
	require.NoError(t, err)
	require.Empty(t, read)
	read, err = board.Read(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, read)
}

func reportExpires(t TB, open func(TB) []managecache.Board) {
	board, one := open(t)[0], artwork.NewID()
	require.NoError(t, board.Post(t.Context(), one, []byte("report"), 20*time.Millisecond))
	require.Eventually(t, func() bool {
		read, err := board.Read(t.Context(), []artwork.ID{one})
		return err == nil && len(read) == 0
	}, 10*time.Second, 5*time.Millisecond)
}

func cancelledPost(t TB, open func(TB) []managecache.Board) {
	board, one := open(t)[0], artwork.NewID()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, board.Post(ctx, one, []byte("report"), time.Minute), context.Canceled)
	_, err := board.Read(ctx, []artwork.ID{one})
	require.ErrorIs(t, err, context.Canceled)
}
