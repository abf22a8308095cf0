package bytescache_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bytescache"
	"gatefold/adapters/diskstore"
	"gatefold/adapters/memory"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

const mib = 1 << 20

func TestOverMemory(t *testing.T) {
	conformance.RunImageStore(t, func(conformance.TB) artwork.ImageStore {
		return bytescache.New(memory.NewStore(0), 64*mib)
	})
}

func TestOverDisk(t *testing.T) {
	conformance.RunImageStore(t, func(t conformance.TB) artwork.ImageStore {
		disk, err := diskstore.Open(t.TempDir())
		require.NoError(t, err)
		return bytescache.New(disk, 64*mib)
	})
}

// plain is a cache of bytes as it is written without thinking: it fills at Put
// with the slice it is given, answers without a look at the context, always
// with the same reader, and never drops anything.
type plain struct {
	artwork.ImageStore
	kept sync.Map // artwork.Hash -> artwork.StoredFile
}

func (p *plain) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	hash, err := p.ImageStore.Put(ctx, content)
	if err == nil {
		p.kept.Store(hash, opened(content))
	}
	return hash, err
}

func (p *plain) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	if file, ok := p.kept.Load(hash); ok {
		return file.(artwork.StoredFile), nil
	}
	return p.ImageStore.Open(ctx, hash)
}

func TestSuiteNoticesAPlainCache(t *testing.T) {
	for _, name := range []string{
		"Put does not keep the caller's slice",
		"a cancelled context ends every method",
		"Open returns independent readers",
		"Remove removes",
	} {
		conformance.Rejects(t, conformance.ImageStoreCases(), name, func(conformance.TB) artwork.ImageStore {
			return &plain{ImageStore: memory.NewStore(0)}
		})
	}
}

type openFile struct{ *bytes.Reader }

func (openFile) Close() error { return nil }

func opened(content []byte) artwork.StoredFile { return openFile{bytes.NewReader(content)} }

// innerStore is a store whose Open is counted and can be replaced.
type innerStore struct {
	artwork.ImageStore
	opens atomic.Int64
	open  atomic.Pointer[func(context.Context, artwork.Hash) (artwork.StoredFile, error)]
}

func newInner() *innerStore { return &innerStore{ImageStore: memory.NewStore(0)} }

func (s *innerStore) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	s.opens.Add(1)
	if open := s.open.Load(); open != nil {
		return (*open)(ctx, hash)
	}
	return s.ImageStore.Open(ctx, hash)
}

func (s *innerStore) setOpen(open func(context.Context, artwork.Hash) (artwork.StoredFile, error)) {
	s.open.Store(&open)
}

func (s *innerStore) heal() { s.open.Store(nil) }

// breakDown makes the inner store answer nothing, so that what is still answered
// is a copy.
func (s *innerStore) breakDown() {
	s.setOpen(func(context.Context, artwork.Hash) (artwork.StoredFile, error) {
		return nil, artwork.Errorf(artwork.Unavailable, "the disk is gone")
	})
}

// noise returns n bytes, the same for the same seed.
func noise(seed uint64, n int) []byte {
	content := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)}).Read(content)
	return content
}

func put(t *testing.T, store artwork.ImageStore, content []byte) artwork.Hash {
	t.Helper()
	hash, err := store.Put(t.Context(), content)
	require.NoError(t, err)
	return hash
}

func read(ctx context.Context, store artwork.ImageStore, hash artwork.Hash) ([]byte, error) {
	file, err := store.Open(ctx, hash)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	return content, errors.Join(err, file.Close())
}

func requireHolds(t *testing.T, store artwork.ImageStore, content []byte) {
	t.Helper()
	got, err := read(t.Context(), store, artwork.HashOf(content))
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got), "other bytes than were put")
}

func TestASmallImageIsReadOnce(t *testing.T) {
	t.Parallel()
	inner := newInner()
	store := bytescache.New(inner, 16*mib)
	content := noise(1, 100_000)
	put(t, store, content)
	for range 10 {
		requireHolds(t, store, content)
	}
	require.EqualValues(t, 1, inner.opens.Load())
	inner.breakDown()
	requireHolds(t, store, content)
}

func TestLargeImagesAreNotKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bound, largest int
	}{
		{64 * mib, mib},
		{16 * mib, mib},
		{mib, mib / 16},
	} {
		inner := newInner()
		store := bytescache.New(inner, int64(c.bound))
		fits, tooLarge := noise(1, c.largest), noise(2, c.largest+1)
		put(t, store, fits)
		put(t, store, tooLarge)
		for range 3 {
			requireHolds(t, store, fits)
		}
		require.EqualValues(t, 1, inner.opens.Load(), "%d bytes of %d", c.largest, c.bound)
		for range 3 {
			requireHolds(t, store, tooLarge)
		}
		require.EqualValues(t, 1+3, inner.opens.Load(), "%d bytes of %d", c.largest+1, c.bound)
	}
}

// TestWhatIsKeptStaysWithinTheBound asks for three times as much as may be kept,
// from many goroutines, and then counts what is answered without the inner
// store.
func TestWhatIsKeptStaysWithinTheBound(t *testing.T) {
	t.Parallel()
	const bound, images = mib, 100
	inner := newInner()
	store := bytescache.New(inner, bound)
	hashes := make([]artwork.Hash, images)
	for i := range hashes {
		hashes[i] = put(t, store, noise(uint64(i), 1000*(1+i%60)))
	}
	var readers sync.WaitGroup
	for worker := range 8 {
		readers.Go(func() {
			for i := range 2 * images {
				if _, err := read(t.Context(), store, hashes[(i*(worker+1))%images]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Wait()
	inner.breakDown()
	kept := 0
	for _, hash := range hashes {
		if content, err := read(t.Context(), store, hash); err == nil {
			kept += len(content)
		}
	}
	require.LessOrEqual(t, kept, bound)
	require.Greater(t, kept, bound/2, "the bound is made use of")
}

// generator is a store that holds nothing: it makes content from its seed.
type generator struct {
	artwork.ImageStore
	size  int
	seeds map[artwork.Hash]uint64
}

func (g *generator) Open(_ context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	return opened(noise(g.seeds[hash], g.size)), nil
}

// TestMemoryStaysWithinTheBound measures the heap, with sizes that the allocator
// rounds up by much, and with tiny images, which take more than their bytes.
func TestMemoryStaysWithinTheBound(t *testing.T) {
	const bound = 4 * mib
	for _, size := range []int{64, 33_000, 250_000} {
		inner := &generator{size: size, seeds: map[artwork.Hash]uint64{}}
		for seed := range uint64(2 * bound / (size + 200)) {
			inner.seeds[artwork.HashOf(noise(seed, size))] = seed
		}
		before := heap()
		store := bytescache.New(inner, bound)
		for hash := range inner.seeds {
			file, err := store.Open(t.Context(), hash)
			require.NoError(t, err)
			require.NoError(t, file.Close())
		}
		// What is evicted is let go of in the background.
		require.Eventually(t, func() bool {
			grown := heap() - before
			t.Logf("images of %d bytes: %.2f of the bound", size, float64(grown)/bound)
			return grown < bound
		}, 30*time.Second, 20*time.Millisecond)
		runtime.KeepAlive(store)
		runtime.KeepAlive(inner)
	}
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// gate is an inner Open that waits, and then opens content of the hash.
type gate struct {
	inner   *innerStore
	waiting atomic.Int64
	pass    chan struct{}
}

func newGate(inner *innerStore) *gate {
	g := &gate{inner: inner, pass: make(chan struct{})}
	inner.setOpen(func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
		g.waiting.Add(1)
		defer g.waiting.Add(-1)
		select {
		case <-g.pass:
			return inner.ImageStore.Open(ctx, hash)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	return g
}

func TestMissesAtOnceShareOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newInner()
		store := bytescache.New(inner, 16*mib)
		content := noise(1, 1000)
		hash := put(t, store, content)
		gate := newGate(inner)
		const callers = 50
		answers := make([][]byte, callers)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				var err error
				if answers[i], err = read(t.Context(), store, hash); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		require.EqualValues(t, 1, gate.waiting.Load())
		close(gate.pass)
		all.Wait()
		require.EqualValues(t, 1, inner.opens.Load())
		for _, answer := range answers {
			require.Equal(t, content, answer)
		}
	})
}

// TestErrorsAreNotShared is the schedule in which sharing would lose a Put: a
// read finds nothing, the image is put, and a caller who knows that joins the
// read.
func TestErrorsAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newInner()
		store := bytescache.New(inner, 16*mib)
		content := noise(1, 1000)
		proceed := make(chan struct{})
		inner.setOpen(func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
			file, err := inner.ImageStore.Open(ctx, hash)
			<-proceed
			return file, err
		})
		early, late := make(chan error, 1), make(chan error, 1)
		ask := func(answered chan<- error) {
			_, err := read(t.Context(), store, artwork.HashOf(content))
			answered <- err
		}
		go ask(early)
		synctest.Wait()
		put(t, store, content)
		go ask(late)
		synctest.Wait()
		close(proceed)
		require.Equal(t, artwork.NotFound, artwork.KindOf(<-early))
		require.NoError(t, <-late)
	})
}

// TestACallerThatGivesUp takes the others' answer from nobody, whether it is the
// one that reads or one that waits.
func TestACallerThatGivesUp(t *testing.T) {
	for name, reads := range map[string]bool{"reading": true, "waiting": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := newInner()
				store := bytescache.New(inner, 16*mib)
				hash := put(t, store, noise(1, 1000))
				gate := newGate(inner)
				impatient, cancel := context.WithCancel(t.Context())
				gaveUp, answered := make(chan error, 1), make(chan error, 1)
				impatiently := func() {
					_, err := read(impatient, store, hash)
					gaveUp <- err
				}
				patiently := func() {
					_, err := read(t.Context(), store, hash)
					answered <- err
				}
				first, second := patiently, impatiently
				if reads {
					first, second = second, first
				}
				go first()
				synctest.Wait()
				go second()
				synctest.Wait()
				cancel()
				require.ErrorIs(t, <-gaveUp, context.Canceled)
				synctest.Wait()
				require.Empty(t, answered)
				close(gate.pass)
				require.NoError(t, <-answered)
			})
		})
	}
}

// TestRemoveDropsTheCopy has an image kept, or just being read, when it is
// removed.
func TestRemoveDropsTheCopy(t *testing.T) {
	later := time.Now().Add(time.Hour)
	t.Run("kept", func(t *testing.T) {
		store := bytescache.New(memory.NewStore(0), 16*mib)
		content := noise(1, 1000)
		hash := put(t, store, content)
		requireHolds(t, store, content)
		removed, err := store.Remove(t.Context(), hash, later)
		require.NoError(t, err)
		require.True(t, removed)
		_, err = store.Open(t.Context(), hash)
		require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	})
	t.Run("being read", func(t *testing.T) {
		inner := newInner()
		store := bytescache.New(inner, 16*mib)
		hash := put(t, store, noise(1, 1000))
		opened, proceed := make(chan struct{}), make(chan struct{})
		inner.setOpen(func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
			file, err := inner.ImageStore.Open(ctx, hash)
			opened <- struct{}{}
			<-proceed
			return file, err
		})
		answered := make(chan error, 1)
		go func() {
			_, err := read(t.Context(), store, hash)
			answered <- err
		}()
		<-opened
		removed, err := store.Remove(t.Context(), hash, later)
		require.NoError(t, err)
		require.True(t, removed)
		inner.heal()
		close(proceed)
		require.Equal(t, artwork.NotFound, artwork.KindOf(<-answered), "what was read was removed meanwhile")
		_, err = store.Open(t.Context(), hash)
		require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	})
}

// TestARushIsNotHeldInMemory reads more images at once than the bound has room
// for: the rest is answered by the inner store as it is.
func TestARushIsNotHeldInMemory(t *testing.T) {
	const bound, images = 16 * mib, 10
	inner := newInner()
	store := bytescache.New(inner, bound)
	proceed := make(chan struct{})
	var reading atomic.Int64
	inner.setOpen(func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
		file, err := inner.ImageStore.Open(ctx, hash)
		return slowFile{file, &reading, proceed}, err
	})
	passed, kept := make(chan artwork.StoredFile, images), make(chan artwork.StoredFile, images)
	for i := range uint64(images) {
		hash := put(t, store, noise(i, mib))
		go func() {
			file, err := store.Open(t.Context(), hash)
			if _, unread := file.(slowFile); err == nil && unread {
				passed <- file
				return
			}
			kept <- file
		}()
	}
	for range images - 2 {
		<-passed
	}
	require.Eventually(t, func() bool { return reading.Load() == 2*mib }, 5*time.Second, time.Millisecond)
	close(proceed)
	for range 2 {
		require.NotNil(t, <-kept)
	}
}

// slowFile waits at its first Read, and counts what is asked of it.
type slowFile struct {
	artwork.StoredFile
	asked   *atomic.Int64
	proceed chan struct{}
}

func (f slowFile) Read(p []byte) (int, error) {
	f.asked.Add(int64(len(p)))
	<-f.proceed
	return f.StoredFile.Read(p)
}

// brokenFile is a file of a broken disk.
type brokenFile struct {
	artwork.StoredFile
	size int64
	err  error
}

func (f brokenFile) Size() int64 { return f.size }

func (f brokenFile) Read(p []byte) (int, error) {
	n, err := f.StoredFile.Read(p)
	if f.err != nil && errors.Is(err, io.EOF) {
		err = f.err
	}
	return n, err
}

var errDisk = errors.New("input/output error")

// TestABrokenReadIsAnErrorAndNeverKept gives every kind of wrong answer once;
// when the disk works again, so does the store.
func TestABrokenReadIsAnErrorAndNeverKept(t *testing.T) {
	t.Parallel()
	content := noise(1, 1000)
	size := int64(len(content))
	flipped := bytes.Clone(content)
	flipped[500] ^= 1
	for name, c := range map[string]struct {
		file artwork.StoredFile
		err  error
		kind artwork.ErrorKind
		is   error
	}{
		"a flipped bit":            {file: opened(flipped), kind: artwork.Internal},
		"a file cut short":         {file: opened(content[:999]), kind: artwork.Internal},
		"an empty file":            {file: opened(nil), kind: artwork.Internal},
		"a file that has grown":    {file: opened(append(bytes.Clone(content), 0)), kind: artwork.Internal},
		"an end before the size":   {file: brokenFile{opened(content[:999]), size, nil}, kind: artwork.Internal},
		"an error while reading":   {file: brokenFile{opened(content[:999]), size, errDisk}, kind: artwork.Unavailable, is: errDisk},
		"a classified error":       {file: brokenFile{opened(nil), size, artwork.Errorf(artwork.Forbidden, "no")}, kind: artwork.Forbidden},
		"a context's end":          {file: brokenFile{opened(nil), size, context.Canceled}, is: context.Canceled},
		"an error while opening":   {err: artwork.Errorf(artwork.Unavailable, "no disk"), kind: artwork.Unavailable},
		"nothing under the hash":   {err: artwork.Errorf(artwork.NotFound, "nothing"), kind: artwork.NotFound},
		"a context's end, opening": {err: context.DeadlineExceeded, is: context.DeadlineExceeded},
	} {
		inner := newInner()
		store := bytescache.New(inner, 16*mib)
		hash := put(t, store, content)
		inner.setOpen(func(context.Context, artwork.Hash) (artwork.StoredFile, error) { return c.file, c.err })
		file, err := store.Open(t.Context(), hash)
		require.Error(t, err, name)
		require.Nil(t, file, name)
		require.Equal(t, c.kind, artwork.KindOf(err), name)
		if c.is != nil {
			require.ErrorIs(t, err, c.is, name)
		}
		inner.heal()
		requireHolds(t, store, content)
	}
}

// TestErrorsOfRemove: after one nobody knows what was removed, so the copy goes.
func TestErrorsOfRemove(t *testing.T) {
	t.Parallel()
	inner := newInner()
	store := bytescache.New(inner, 16*mib)
	content := noise(1, 1000)
	hash := put(t, store, content)
	requireHolds(t, store, content)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.Remove(cancelled, hash, time.Now())
	require.ErrorIs(t, err, context.Canceled)
	requireHolds(t, store, content)
	require.EqualValues(t, 2, inner.opens.Load())
}

// BenchmarkOpen compares an image from memory with the same from a disk whose
// pages the kernel has cached.
func BenchmarkOpen(b *testing.B) {
	disk, err := diskstore.Open(b.TempDir())
	require.NoError(b, err)
	hash, err := disk.Put(b.Context(), noise(1, 100_000))
	require.NoError(b, err)
	for name, store := range map[string]artwork.ImageStore{"disk": disk, "memory": bytescache.New(disk, 64*mib)} {
		b.Run(name, func(b *testing.B) {
			buffer := make([]byte, 32<<10)
			for b.Loop() {
				file, err := store.Open(b.Context(), hash)
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = file.Read(buffer)
				}
				_ = file.Close()
			}
		})
	}
}
