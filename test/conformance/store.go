package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// RunImageStore runs the suite of artwork.ImageStore. open returns an empty
// store.
func RunImageStore(t *testing.T, open func(TB) artwork.ImageStore) {
	t.Helper()
	run(t, ImageStoreCases(), open)
}

// ImageStoreCases returns the suite of artwork.ImageStore, a case per clause of
// its contract.
//
// A store whose clock counts in whole seconds passes too, if its Remove rounds
// in favour of keeping.
func ImageStoreCases() []Case[artwork.ImageStore] {
	return []Case[artwork.ImageStore]{
		{"Put stores the bytes under their SHA-256", storePuts},
		{"Put stores no bytes at all", storePutsEmpty},
		{"Put stores 20 MB", storePutsLarge},
		{"Put does not keep the caller's slice", storeCopies},
		{"Put twice keeps one content", storePutsTwice},
		{"Put twice renews ModTime", storeRenews},
		{"20 writers of the same content", storeRacesSame},
		{"20 writers of different content", storeRacesDifferent},
		{"a reader never meets a part of the content", storeNeverTorn},
		{"a cancelled Put leaves nothing", storePutCancelled},
		{"a Put cancelled between its steps leaves all or nothing", storePutCancelledMidway},
		{"a cancelled context ends every method", storeCancelled},
		{"Open of nothing is NotFound", storeNotFound},
		{"Open returns independent readers", storeIndependentReaders},
		{"Open returns a reader that seeks", storeSeeks},
		{"Remove removes", storeRemoves},
		{"Remove keeps what was Put since", storeKeepsRenewed},
		{"Remove keeps what was Put at that very time", storeKeepsEqual},
		{"Remove of nothing is no error", storeRemovesNothing},
		{"Remove never takes what a racing Put promised", storeRemoveRacesPut},
		{"List visits everything once", storeLists},
		{"List of an empty store visits nothing", storeListsNothing},
		{"List stops at the first error of visit", storeListStops},
		{"List lets visit use the store", storeListReentrant},
		{"List ends with its context", storeListCancelled},
	}
}

const writers = 20

// far is later than any Put of a case.
func far() time.Time { return time.Now().Add(24 * time.Hour) }

// noise returns n bytes, the same for the same seed.
func noise(seed uint64, n int) []byte {
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	content := make([]byte, n)
	_, _ = source.Read(content) // never fails
	return content
}

// readStored returns everything that Open gives.
func readStored(ctx context.Context, store artwork.ImageStore, hash artwork.Hash) ([]byte, error) {
	f, err := store.Open(ctx, hash)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(f)
	if err == nil && f.Size() != int64(len(content)) {
		err = fmt.Errorf("size says %d bytes, there are %d", f.Size(), len(content))
	}
	return content, errors.Join(err, f.Close())
}

func mustPut(t TB, store artwork.ImageStore, content []byte) artwork.Hash {
	t.Helper()
	hash, err := store.Put(t.Context(), content)
	require.NoError(t, err)
	require.Equal(t, artwork.HashOf(content), hash)
	return hash
}

func requireHolds(t TB, store artwork.ImageStore, content []byte) {
	t.Helper()
	got, err := readStored(t.Context(), store, artwork.HashOf(content))
	require.NoError(t, err)
	requireSame(t, content, got)
}

// requireSame is require.Equal for bytes of which nobody wants to read the
// difference.
func requireSame(t TB, want, got []byte) {
	t.Helper()
	require.True(t, bytes.Equal(want, got), "the store returns other bytes than were put")
}

func requireNotFound(t TB, store artwork.ImageStore, hash artwork.Hash) {
	t.Helper()
	f, err := store.Open(t.Context(), hash)
	if err == nil {
		_ = f.Close()
	}
	require.Error(t, err)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err), "%v", err)
}

func listAll(t TB, store artwork.ImageStore) []artwork.StoredInfo {
	t.Helper()
	var all []artwork.StoredInfo
	require.NoError(t, store.List(t.Context(), func(info artwork.StoredInfo) error {
		all = append(all, info)
		return nil
	}))
	return all
}

func storePuts(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	hash, err := store.Put(t.Context(), []byte("abc"))
	require.NoError(t, err)
	// The example of FIPS 180-2.
	require.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hash.String())
	requireHolds(t, store, []byte("abc"))
}

func storePutsEmpty(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	mustPut(t, store, nil)
	requireHolds(t, store, nil)
	require.Len(t, listAll(t, store), 1)
}

func storePutsLarge(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 20<<20)
	mustPut(t, store, content)
	requireHolds(t, store, content)
}

func storeCopies(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 100)
	mustPut(t, store, content)
	original := bytes.Clone(content)
	clear(content)
	requireHolds(t, store, original)
}

func storePutsTwice(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 1000)
	mustPut(t, store, content)
	mustPut(t, store, content)
	requireHolds(t, store, content)
	require.Len(t, listAll(t, store), 1)
}

func storeRenews(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 1000)
	first := time.Now()
	hash := mustPut(t, store, content)
	requireModTime(t, store, first)

	second := time.Now()
	mustPut(t, store, content)
	requireModTime(t, store, second)
	// The one observer that needs no finer clock than the store has.
	removed, err := store.Remove(t.Context(), hash, second)
	require.NoError(t, err)
	require.False(t, removed, "the second Put did not renew ModTime")
}

// requireModTime requires that the only content was put between since and now,
// as far as whole seconds tell.
func requireModTime(t TB, store artwork.ImageStore, since time.Time) {
	t.Helper()
	all := listAll(t, store)
	require.Len(t, all, 1)
	require.False(t, all[0].ModTime.Before(since.Truncate(time.Second)), "ModTime is before Put")
	require.False(t, all[0].ModTime.After(time.Now().Add(time.Second)), "ModTime is after Put")
}

func storeRacesSame(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 300_000)
	atOnce(t, writers, func(int) error {
		_, err := store.Put(t.Context(), content)
		return err
	})
	requireHolds(t, store, content)
	require.Len(t, listAll(t, store), 1)
}

func storeRacesDifferent(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	atOnce(t, writers, func(i int) error {
		_, err := store.Put(t.Context(), noise(uint64(i), 100_000))
		return err
	})
	for i := range writers {
		requireHolds(t, store, noise(uint64(i), 100_000))
	}
	require.Len(t, listAll(t, store), writers)
}

// atOnce runs n of act at once and requires that none fails.
func atOnce(t TB, n int, act func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = act(i)
		})
	}
	close(start)
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

func storeNeverTorn(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 4<<20)
	hash := artwork.HashOf(content)
	put := make(chan struct{})
	atOnce(t, 5, func(i int) error {
		if i == 0 {
			defer close(put)
			_, err := store.Put(t.Context(), content)
			return err
		}
		for last := false; ; {
			select {
			case <-put:
				last = true
			default:
			}
			got, err := readStored(t.Context(), store, hash)
			switch {
			case err == nil && !bytes.Equal(content, got):
				return fmt.Errorf("a reader met %d of %d bytes", len(got), len(content))
			case err != nil && (last || artwork.KindOf(err) != artwork.NotFound):
				return err
			case last:
				return nil
			}
		}
	})
}

func storePutCancelled(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.Put(ctx, content)
	require.ErrorIs(t, err, context.Canceled)
	requireNotFound(t, store, artwork.HashOf(content))
	require.Empty(t, listAll(t, store))
}

func storePutCancelledMidway(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 3<<20)
	hash := artwork.HashOf(content)
	for steps := 0; ; steps++ {
		require.Less(t, steps, 10_000, "Put never succeeds")
		_, err := store.Put(endAfter(t.Context(), steps), content)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, context.Canceled)
		got, err := readStored(t.Context(), store, hash)
		if err == nil {
			require.True(t, bytes.Equal(content, got), "a part was left after %d steps", steps)
			_, err = store.Remove(t.Context(), hash, far())
			require.NoError(t, err)
			continue
		}
		require.Equal(t, artwork.NotFound, artwork.KindOf(err), "%v", err)
		require.Empty(t, listAll(t, store))
	}
	requireHolds(t, store, content)
}

// countdown is a context that is cancelled when it was looked at often enough:
// the way to cancel between any two steps, every time the same two.
type countdown struct {
	context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	left   int
}

func endAfter(ctx context.Context, looks int) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	return &countdown{Context: ctx, cancel: cancel, left: looks}
}

// Err counts a look.
func (c *countdown) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		c.cancel()
	}
	c.left = max(0, c.left-1)
	return c.Context.Err()
}

func storeCancelled(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 1000)
	hash := mustPut(t, store, content)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	for ctx, want := range map[context.Context]error{cancelled: context.Canceled, late: context.DeadlineExceeded} {
		_, err := store.Put(ctx, content)
		require.ErrorIs(t, err, want)
		_, err = store.Open(ctx, hash)
		require.ErrorIs(t, err, want)
		removed, err := store.Remove(ctx, hash, far())
		require.ErrorIs(t, err, want)
		require.False(t, removed)
		require.ErrorIs(t, store.List(ctx, func(artwork.StoredInfo) error { return nil }), want)
	}
	requireHolds(t, store, content)
}

func storeNotFound(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	requireNotFound(t, store, artwork.HashOf([]byte("nothing")))
	requireNotFound(t, store, artwork.Hash{})
	mustPut(t, store, []byte("something"))
	requireNotFound(t, store, artwork.HashOf([]byte("nothing")))
}

func storeIndependentReaders(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 10_000)
	hash := mustPut(t, store, content)
	first, err := store.Open(t.Context(), hash)
	require.NoError(t, err)
	second, err := store.Open(t.Context(), hash)
	require.NoError(t, err)

	head := make([]byte, 4000)
	_, err = io.ReadFull(first, head)
	require.NoError(t, err)
	whole, err := io.ReadAll(second)
	require.NoError(t, err)
	requireSame(t, content, whole)
	require.NoError(t, second.Close())

	rest, err := io.ReadAll(first)
	require.NoError(t, err)
	requireSame(t, content, append(head, rest...))
	require.NoError(t, first.Close())
}

func storeSeeks(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 10_000)
	f, err := store.Open(t.Context(), mustPut(t, store, content))
	require.NoError(t, err)
	defer func() { assert.NoError(t, f.Close()) }()
	require.Equal(t, int64(len(content)), f.Size())

	for _, part := range []struct {
		offset int64
		whence int
		from   int
	}{
		{5000, io.SeekStart, 5000},
		{-100, io.SeekEnd, 9900},
		{0, io.SeekStart, 0},
		{900, io.SeekCurrent, 1000}, // after the 100 bytes read before
		{9950, io.SeekStart, 9950},
	} {
		var at int64
		at, err = f.Seek(part.offset, part.whence)
		require.NoError(t, err)
		require.Equal(t, int64(part.from), at)
		want := content[part.from:min(part.from+100, len(content))]
		got := make([]byte, len(want))
		_, err = io.ReadFull(f, got)
		require.NoError(t, err)
		requireSame(t, want, got)
	}
	n, err := f.Read(make([]byte, 10))
	require.Zero(t, n)
	require.ErrorIs(t, err, io.EOF)
	_, err = f.Seek(-1, io.SeekStart)
	require.Error(t, err, "a seek to before the start")
	require.Equal(t, int64(len(content)), f.Size(), "reading changes no size")
}

func storeRemoves(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content, other := noise(1, 1000), noise(2, 1000)
	hash := mustPut(t, store, content)
	mustPut(t, store, other)
	requireHolds(t, store, content) // whoever keeps a copy of what was opened has one now

	removed, err := store.Remove(t.Context(), hash, far())
	require.NoError(t, err)
	require.True(t, removed)
	requireNotFound(t, store, hash)
	requireHolds(t, store, other)
	require.Len(t, listAll(t, store), 1)

	mustPut(t, store, content)
	requireHolds(t, store, content)
}

func storeKeepsRenewed(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 1000)
	since := time.Now()
	hash := mustPut(t, store, content)
	removed, err := store.Remove(t.Context(), hash, since)
	require.NoError(t, err)
	require.False(t, removed)
	requireHolds(t, store, content)
}

func storeKeepsEqual(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 1000)
	hash := mustPut(t, store, content)
	removed, err := store.Remove(t.Context(), hash, listAll(t, store)[0].ModTime)
	require.NoError(t, err)
	require.False(t, removed)
	requireHolds(t, store, content)
}

func storeRemovesNothing(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	removed, err := store.Remove(t.Context(), artwork.HashOf([]byte("nothing")), far())
	require.NoError(t, err)
	require.False(t, removed)

	hash := mustPut(t, store, []byte("something"))
	for i := range 2 {
		removed, err = store.Remove(t.Context(), hash, far())
		require.NoError(t, err)
		require.Equal(t, i == 0, removed)
	}
}

func storeRemoveRacesPut(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	content := noise(1, 1000)
	hash := mustPut(t, store, content)
	for range 30 {
		// Whichever comes first, the Put came after this and so wins.
		since := time.Now()
		atOnce(t, 2, func(i int) error {
			if i == 0 {
				_, err := store.Put(t.Context(), content)
				return err
			}
			_, err := store.Remove(t.Context(), hash, since)
			return err
		})
		requireHolds(t, store, content)
	}
}

func storeLists(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	// More than there are folders in the fan-out, so that some hold several.
	want := map[artwork.Hash]int64{}
	for i := range 300 {
		want[mustPut(t, store, fmt.Appendf(nil, "%0*d", i+3, i))] = int64(i + 3)
	}
	got := map[artwork.Hash]int64{}
	for _, info := range listAll(t, store) {
		require.NotContains(t, got, info.Hash, "visited twice")
		got[info.Hash] = info.Size
	}
	require.Equal(t, want, got)
}

func storeListsNothing(t TB, open func(TB) artwork.ImageStore) {
	require.Empty(t, listAll(t, open(t)))
}

func storeListStops(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	for i := range uint64(5) {
		mustPut(t, store, noise(i, 100))
	}
	enough, visits := errors.New("enough"), 0
	err := store.List(t.Context(), func(artwork.StoredInfo) error {
		visits++
		if visits == 3 {
			return enough
		}
		return nil
	})
	require.ErrorIs(t, err, enough)
	require.Equal(t, 3, visits)
}

func storeListReentrant(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	for i := range uint64(5) {
		mustPut(t, store, noise(i, 100))
	}
	done := make(chan error, 1)
	go func() {
		done <- store.List(t.Context(), func(info artwork.StoredInfo) error {
			_, err := store.Remove(t.Context(), info.Hash, far())
			return err
		})
	}()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		require.FailNow(t, "Remove waits for the List that calls it")
	}
	require.Empty(t, listAll(t, store))
}

func storeListCancelled(t TB, open func(TB) artwork.ImageStore) {
	store := open(t)
	for i := range uint64(5) {
		mustPut(t, store, noise(i, 100))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := store.List(ctx, func(artwork.StoredInfo) error {
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
}
