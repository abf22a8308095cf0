package verifystore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/domain/artwork"
)

// records stands for the archive: what it refers to.
type records struct {
	artwork.ImageArchive
	contents []artwork.Content
}

func (r records) References(_ context.Context, visit func(artwork.Content) error) error {
	for _, content := range r.contents {
		if err := visit(content); err != nil {
			return err
		}
	}
	return nil
}

func put(t *testing.T, store *memory.Store, text string) artwork.Content {
	t.Helper()
	hash, err := store.Put(t.Context(), []byte(text))
	require.NoError(t, err)
	return artwork.Content{Hash: hash, Size: int64(len(text))}
}

func TestVerify(t *testing.T) {
	store := memory.NewStore(0)
	kept, damaged, orphan := put(t, store, "kept"), put(t, store, "damaged"), put(t, store, "orphan")
	damaged.Size++
	lost := artwork.Content{Hash: artwork.HashOf([]byte("lost")), Size: 4}
	verify := New(records{contents: []artwork.Content{kept, kept, damaged, lost}}, store)

	report, err := verify.Run(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, Report{Referenced: 3, Missing: []artwork.Hash{lost.Hash}, Damaged: []artwork.Hash{damaged.Hash}, Waiting: 1}, report)
	require.False(t, report.Sound())

	verify = New(records{contents: []artwork.Content{kept}}, store)
	_, err = store.Remove(t.Context(), damaged.Hash, time.Now().Add(time.Hour))
	require.NoError(t, err)
	report, err = verify.Run(t.Context(), false)
	require.NoError(t, err)
	require.True(t, report.Sound(), "orphans within their grace period are sound")

	verify.now = func() time.Time { return time.Now().Add(Grace + time.Minute) }
	report, err = verify.Run(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, 1, report.Expired)
	require.False(t, report.Sound())
	_, err = store.Open(t.Context(), orphan.Hash)
	require.NoError(t, err, "looking changes nothing")

	report, err = verify.Run(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, 1, report.Removed)
	require.True(t, report.Sound())
	_, err = store.Open(t.Context(), orphan.Hash)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	_, err = store.Open(t.Context(), kept.Hash)
	require.NoError(t, err, "what is referred to is never removed")
}
