package conformance

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// RunRenditionStore runs the suite of artwork.RenditionStore. open returns an empty
// store.
func RunRenditionStore(t *testing.T, open func(TB) artwork.RenditionStore) {
	t.Helper()
	run(t, RenditionStoreCases(), open)
}

// RenditionStoreCases returns the suite of artwork.RenditionStore, a case per clause of
// its contract.
func RenditionStoreCases() []Case[artwork.RenditionStore] {
	return []Case[artwork.RenditionStore]{
		{"what is put can be opened", renditionPut},
		{"a key has its own content", renditionKeys},
		{"putting again replaces", renditionReplaced},
		{"readers find the whole content or none", renditionNeverTorn},
		{"opening nothing is NotFound", renditionNotFound},
		{"RemoveRenditions removes all of an original and no others", renditionsRemoved},
		{"RemoveRendition removes one", renditionRemoved},
		{"RemoveRendition takes no other path", renditionRemovesNoOther},
		{"ListRenditions visits everything once", renditionsListed},
		{"ListRenditions stops at the first error of visit", renditionsListStops},
		{"a cancelled context ends every method of a rendition store", renditionsCancelled},
	}
}

func renditionKey(original byte, edge int, format artwork.Format) artwork.RenditionKey {
	img := &artwork.Image{Content: artwork.Content{Hash: artwork.HashOf([]byte{original})}}
	return artwork.RenditionOf(artwork.SlotCover, edge, format).KeyOf(img, "test1")
}

func putRendition(t TB, store artwork.RenditionStore, key artwork.RenditionKey, content []byte) {
	t.Helper()
	require.NoError(t, store.PutRendition(t.Context(), key, content))
}

func readRendition(t TB, store artwork.RenditionStore, key artwork.RenditionKey) string {
	t.Helper()
	f, err := store.OpenRendition(t.Context(), key)
	require.NoError(t, err)
	content, err := io.ReadAll(f)
	require.NoError(t, err)
	require.EqualValues(t, len(content), f.Size())
	require.NoError(t, f.Close())
	return string(content)
}

func requireNoRendition(t TB, store artwork.RenditionStore, key artwork.RenditionKey) {
	t.Helper()
	f, err := store.OpenRendition(t.Context(), key)
	if err == nil {
		_ = f.Close()
	}
	require.Equal(t, artwork.NotFound, artwork.KindOf(err), "%v", err)
	require.Error(t, err)
}

func renditionPut(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	key := renditionKey(1, 200, artwork.FormatWebP)
	putRendition(t, store, key, []byte("content"))
	require.Equal(t, "content", readRendition(t, store, key))
	f, err := store.OpenRendition(t.Context(), key)
	require.NoError(t, err)
	_, err = f.Seek(3, io.SeekStart)
	require.NoError(t, err)
	rest, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "tent", string(rest))
	require.NoError(t, f.Close())
}

func renditionKeys(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	focused := renditionKey(1, 200, artwork.FormatWebP)
	focused.Tag = "fedcba9876543210"
	other := renditionKey(1, 200, artwork.FormatWebP)
	other.Encoder = "test2"
	fit := renditionKey(1, 200, artwork.FormatWebP)
	fit.Square = false
	keys := []artwork.RenditionKey{
		renditionKey(1, 200, artwork.FormatWebP), renditionKey(1, 300, artwork.FormatWebP), renditionKey(1, 200, artwork.FormatAVIF),
		renditionKey(1, 200, artwork.FormatAuto), renditionKey(2, 200, artwork.FormatWebP), focused, other, fit,
	}
	for _, key := range keys {
		putRendition(t, store, key, []byte(key.Path()))
	}
	for _, key := range keys {
		require.Equal(t, key.Path(), readRendition(t, store, key))
	}
}

func renditionReplaced(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	key := renditionKey(1, 200, artwork.FormatWebP)
	putRendition(t, store, key, []byte("one"))
	putRendition(t, store, key, []byte("another"))
	require.Equal(t, "another", readRendition(t, store, key))
}

func renditionNeverTorn(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	key := renditionKey(1, 200, artwork.FormatWebP)
	contents := []string{strings.Repeat("a", 200_000), strings.Repeat("b", 300_000)}
	putRendition(t, store, key, []byte(contents[0]))
	atOnce(t, 8, func(i int) error {
		if i%2 == 0 {
			return store.PutRendition(t.Context(), key, []byte(contents[i/2%2]))
		}
		f, err := store.OpenRendition(t.Context(), key)
		if err != nil {
			return err
		}
		read, err := io.ReadAll(f)
		if err == nil && string(read) != contents[0] && string(read) != contents[1] {
			err = errors.New("a part of the content")
		}
		return errors.Join(err, f.Close())
	})
}

func renditionNotFound(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	key := renditionKey(1, 200, artwork.FormatWebP)
	requireNoRendition(t, store, key)
	require.NoError(t, store.RemoveRendition(t.Context(), key.Path()))
	require.NoError(t, store.RemoveRenditions(t.Context(), key.Hash))
	require.NoError(t, store.ListRenditions(t.Context(), func(artwork.RenditionInfo) error { return errors.New("there is none") }))
}

func renditionsRemoved(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	one, two, other := renditionKey(1, 200, artwork.FormatWebP), renditionKey(1, 300, artwork.FormatAuto), renditionKey(2, 200, artwork.FormatWebP)
	for _, key := range []artwork.RenditionKey{one, two, other} {
		putRendition(t, store, key, []byte("content"))
	}
	require.NoError(t, store.RemoveRenditions(t.Context(), one.Hash))
	requireNoRendition(t, store, one)
	requireNoRendition(t, store, two)
	require.Equal(t, "content", readRendition(t, store, other))
	putRendition(t, store, one, []byte("again"))
	require.Equal(t, "again", readRendition(t, store, one))
}

func renditionRemoved(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	one, two := renditionKey(1, 200, artwork.FormatWebP), renditionKey(1, 300, artwork.FormatAuto)
	putRendition(t, store, one, []byte("content"))
	putRendition(t, store, two, []byte("content"))
	require.NoError(t, store.RemoveRendition(t.Context(), one.Path()))
	requireNoRendition(t, store, one)
	require.Equal(t, "content", readRendition(t, store, two))
}

func renditionRemovesNoOther(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	for _, path := range []string{"", "renditions", artwork.HashOf(nil).Path(), "renditions/../lock", renditionKey(1, 200, artwork.FormatWebP).Path() + "/x"} {
		err := store.RemoveRendition(t.Context(), path)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%q: %v", path, err)
	}
}

func renditionsListed(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	begin := time.Now().Add(-time.Second)
	want := map[string]int64{}
	for original := range byte(5) {
		for _, edge := range []int{200, 300} {
			key := renditionKey(original, edge, artwork.FormatWebP)
			putRendition(t, store, key, make([]byte, 10*edge+int(original)))
			want[key.Path()] = int64(10*edge + int(original))
		}
	}
	got := map[string]int64{}
	require.NoError(t, store.ListRenditions(t.Context(), func(info artwork.RenditionInfo) error {
		require.NotContains(t, got, info.Path)
		got[info.Path] = info.Size
		require.Contains(t, info.Path, info.Original.RenditionsPath()+"/")
		require.False(t, info.UsedAt.Before(begin.Truncate(time.Second)), "%v", info.UsedAt)
		return nil
	}))
	require.Equal(t, want, got)
}

func renditionsListStops(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	for original := range byte(3) {
		putRendition(t, store, renditionKey(original, 200, artwork.FormatWebP), []byte("content"))
	}
	enough, visits := errors.New("enough"), 0
	err := store.ListRenditions(t.Context(), func(artwork.RenditionInfo) error { visits++; return enough })
	require.ErrorIs(t, err, enough)
	require.Equal(t, 1, visits)
}

func renditionsCancelled(t TB, open func(TB) artwork.RenditionStore) {
	store := open(t)
	key := renditionKey(1, 200, artwork.FormatWebP)
	putRendition(t, store, key, []byte("content"))
	ctx := endedContext(t)
	_, err := store.OpenRendition(ctx, key)
	require.ErrorIs(t, err, ctx.Err())
	require.ErrorIs(t, store.PutRendition(ctx, key, []byte("other")), ctx.Err())
	require.ErrorIs(t, store.RemoveRendition(ctx, key.Path()), ctx.Err())
	require.ErrorIs(t, store.RemoveRenditions(ctx, key.Hash), ctx.Err())
	require.ErrorIs(t, store.ListRenditions(ctx, func(artwork.RenditionInfo) error { return nil }), ctx.Err())
	require.Equal(t, "content", readRendition(t, store, key))
}
