package memory_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

func TestStore(t *testing.T) {
	conformance.RunImageStore(t, func(conformance.TB) artwork.ImageStore { return memory.NewStore(0) })
}

func TestStoreIsFull(t *testing.T) {
	t.Parallel()
	store := memory.NewStore(100)
	first, err := store.Put(t.Context(), bytes.Repeat([]byte{1}, 60))
	require.NoError(t, err)

	second := bytes.Repeat([]byte{2}, 60)
	_, err = store.Put(t.Context(), second)
	require.Equal(t, artwork.StorageFull, artwork.KindOf(err), "%v", err)
	_, err = store.Open(t.Context(), artwork.HashOf(second))
	require.Equal(t, artwork.NotFound, artwork.KindOf(err), "%v", err)

	_, err = store.Put(t.Context(), bytes.Repeat([]byte{1}, 60))
	require.NoError(t, err, "what is stored already takes no more room")
	removed, err := store.Remove(t.Context(), first, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.True(t, removed)
	_, err = store.Put(t.Context(), second)
	require.NoError(t, err, "Remove makes room")
}

// brokenStore is a store with some of its methods replaced by wrong ones.
type brokenStore struct {
	artwork.ImageStore
	put    func(context.Context, []byte) (artwork.Hash, error)
	open   func(context.Context, artwork.Hash) (artwork.StoredFile, error)
	remove func(context.Context, artwork.Hash, time.Time) (bool, error)
	list   func(context.Context, func(artwork.StoredInfo) error) error
}

func (b *brokenStore) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	if b.put != nil {
		return b.put(ctx, content)
	}
	return b.ImageStore.Put(ctx, content)
}

func (b *brokenStore) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	if b.open != nil {
		return b.open(ctx, hash)
	}
	return b.ImageStore.Open(ctx, hash)
}

func (b *brokenStore) Remove(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
	if b.remove != nil {
		return b.remove(ctx, hash, since)
	}
	return b.ImageStore.Remove(ctx, hash, since)
}

func (b *brokenStore) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	if b.list != nil {
		return b.list(ctx, visit)
	}
	return b.ImageStore.List(ctx, visit)
}

// rawStore is the simplest store there is, for twins that break what a right
// store beneath them would repair.
type rawStore struct {
	mu    sync.Mutex
	files map[artwork.Hash][]byte
}

func (r *rawStore) set(hash artwork.Hash, content []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[hash] = content
}

func (r *rawStore) get(hash artwork.Hash) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	content, ok := r.files[hash]
	return content, ok
}

func (r *rawStore) Open(_ context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	content, ok := r.get(hash)
	if !ok {
		return nil, artwork.Errorf(artwork.NotFound, "nothing")
	}
	return openedContent(content), nil
}

type openContent struct{ *bytes.Reader }

func (openContent) Close() error { return nil }

func openedContent(content []byte) artwork.StoredFile { return openContent{bytes.NewReader(content)} }

// storeTwins breaks each clause of the contract once.
var storeTwins = map[string]func(*brokenStore){
	"Put stores the bytes under their SHA-256": func(b *brokenStore) {
		b.put = func(ctx context.Context, content []byte) (artwork.Hash, error) {
			_, err := b.ImageStore.Put(ctx, content)
			return artwork.HashOf(append([]byte("salt"), content...)), err
		}
	},
	"Put stores no bytes at all": func(b *brokenStore) {
		b.put = func(ctx context.Context, content []byte) (artwork.Hash, error) {
			if len(content) == 0 {
				return artwork.Hash{}, artwork.Errorf(artwork.InvalidInput, "empty")
			}
			return b.ImageStore.Put(ctx, content)
		}
	},
	"Put stores 20 MB": func(b *brokenStore) {
		b.open = func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
			f, err := b.ImageStore.Open(ctx, hash)
			if err != nil {
				return nil, err
			}
			content, err := io.ReadAll(io.LimitReader(f, 16<<20))
			return openedContent(content), err
		}
	},
	"Put does not keep the caller's slice": func(b *brokenStore) {
		raw := &rawStore{files: map[artwork.Hash][]byte{}}
		b.put = func(_ context.Context, content []byte) (artwork.Hash, error) {
			raw.set(artwork.HashOf(content), content)
			return artwork.HashOf(content), nil
		}
		b.open = raw.Open
	},
	"Put twice keeps one content":                refusesSecondPut,
	"Put twice renews ModTime":                   neverRenews,
	"20 writers of the same content":             refusesSecondPut,
	"20 writers of different content":            keepsOnlyLast,
	"a reader never meets a part of the content": writesInPlace,
	"a cancelled Put leaves nothing": func(b *brokenStore) {
		b.put = func(ctx context.Context, content []byte) (artwork.Hash, error) {
			hash, err := b.ImageStore.Put(context.WithoutCancel(ctx), content)
			return hash, errors.Join(err, ctx.Err())
		}
	},
	"a Put cancelled between its steps leaves all or nothing": func(b *brokenStore) {
		b.put = func(ctx context.Context, content []byte) (artwork.Hash, error) {
			first, _ := b.ImageStore.Put(ctx, content)
			if err := ctx.Err(); err != nil && !first.IsZero() {
				_, _ = b.ImageStore.Put(context.WithoutCancel(ctx), []byte("temporary"))
				_, _ = b.ImageStore.Remove(context.WithoutCancel(ctx), first, time.Now().Add(time.Hour))
				return artwork.Hash{}, err
			}
			return b.ImageStore.Put(ctx, content)
		}
	},
	"a cancelled context ends every method": func(b *brokenStore) {
		b.remove = func(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
			return b.ImageStore.Remove(context.WithoutCancel(ctx), hash, since)
		}
	},
	"Open of nothing is NotFound": func(b *brokenStore) {
		b.open = func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
			f, err := b.ImageStore.Open(ctx, hash)
			return f, artwork.Wrap(artwork.Unavailable, "broken.Open", err)
		}
	},
	"Open returns independent readers": sharesReaders,
	"Open returns a reader that seeks": func(b *brokenStore) {
		b.open = func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
			f, err := b.ImageStore.Open(ctx, hash)
			return deafFile{f}, err
		}
	},
	"Remove removes": func(b *brokenStore) {
		b.remove = func(context.Context, artwork.Hash, time.Time) (bool, error) { return true, nil }
	},
	"Remove keeps what was Put since": func(b *brokenStore) {
		b.remove = func(ctx context.Context, hash artwork.Hash, _ time.Time) (bool, error) {
			return b.ImageStore.Remove(ctx, hash, time.Now().Add(time.Hour))
		}
	},
	"Remove keeps what was Put at that very time": func(b *brokenStore) {
		b.remove = func(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
			return b.ImageStore.Remove(ctx, hash, since.Add(1))
		}
	},
	"Remove of nothing is no error": func(b *brokenStore) {
		b.remove = func(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
			if _, err := b.ImageStore.Open(ctx, hash); err != nil {
				return false, err
			}
			return b.ImageStore.Remove(ctx, hash, since)
		}
	},
	"Remove never takes what a racing Put promised": looksThenRemoves,
	"List visits everything once": func(b *brokenStore) {
		b.list = func(ctx context.Context, visit func(artwork.StoredInfo) error) error {
			return b.ImageStore.List(ctx, func(info artwork.StoredInfo) error {
				if info.Size == 77 {
					return nil
				}
				return visit(info)
			})
		}
	},
	"List of an empty store visits nothing": func(b *brokenStore) {
		b.list = func(_ context.Context, visit func(artwork.StoredInfo) error) error {
			return visit(artwork.StoredInfo{})
		}
	},
	"List stops at the first error of visit": func(b *brokenStore) {
		b.list = func(ctx context.Context, visit func(artwork.StoredInfo) error) error {
			var all error
			err := b.ImageStore.List(ctx, func(info artwork.StoredInfo) error {
				all = errors.Join(all, visit(info))
				return nil
			})
			return errors.Join(all, err)
		}
	},
	"List lets visit use the store": locksWhileListing,
	"List ends with its context": func(b *brokenStore) {
		b.list = func(ctx context.Context, visit func(artwork.StoredInfo) error) error {
			return b.ImageStore.List(context.WithoutCancel(ctx), visit)
		}
	},
}

func refusesSecondPut(b *brokenStore) {
	var mu sync.Mutex
	b.put = func(ctx context.Context, content []byte) (artwork.Hash, error) {
		mu.Lock()
		defer mu.Unlock()
		if _, err := b.ImageStore.Open(ctx, artwork.HashOf(content)); err == nil {
			return artwork.Hash{}, artwork.Errorf(artwork.Conflict, "it is there already")
		}
		return b.ImageStore.Put(ctx, content)
	}
}

func neverRenews(b *brokenStore) {
	b.put = func(ctx context.Context, content []byte) (artwork.Hash, error) {
		if _, err := b.ImageStore.Open(ctx, artwork.HashOf(content)); err == nil {
			return artwork.HashOf(content), nil
		}
		return b.ImageStore.Put(ctx, content)
	}
}

func keepsOnlyLast(b *brokenStore) {
	raw := &rawStore{files: map[artwork.Hash][]byte{}}
	b.put = func(_ context.Context, content []byte) (artwork.Hash, error) {
		raw.mu.Lock()
		defer raw.mu.Unlock()
		raw.files = map[artwork.Hash][]byte{artwork.HashOf(content): bytes.Clone(content)}
		return artwork.HashOf(content), nil
	}
	b.open = raw.Open
}

// writesInPlace waits in the middle of its writing for a reader to come by.
func writesInPlace(b *brokenStore) {
	raw := &rawStore{files: map[artwork.Hash][]byte{}}
	met, once := make(chan struct{}), sync.Once{}
	b.put = func(_ context.Context, content []byte) (artwork.Hash, error) {
		hash := artwork.HashOf(content)
		raw.set(hash, content[:len(content)/2])
		<-met
		raw.set(hash, content)
		return hash, nil
	}
	b.open = func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
		f, err := raw.Open(ctx, hash)
		if err == nil {
			once.Do(func() { close(met) })
		}
		return f, err
	}
}

func sharesReaders(b *brokenStore) {
	var shared artwork.StoredFile
	b.open = func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
		if shared != nil {
			return shared, nil
		}
		var err error
		shared, err = b.ImageStore.Open(ctx, hash)
		return shared, err
	}
}

// deafFile says that it seeks and does not.
type deafFile struct{ artwork.StoredFile }

func (deafFile) Seek(offset int64, _ int) (int64, error) { return offset, nil }

// looksThenRemoves looks at the time, and removes what was put anew meanwhile.
// A Put of what is known waits for the look, so that every race is lost.
func looksThenRemoves(b *brokenStore) {
	looked, put := make(chan struct{}), make(chan struct{})
	b.put = func(ctx context.Context, content []byte) (artwork.Hash, error) {
		if _, err := b.ImageStore.Open(ctx, artwork.HashOf(content)); err != nil {
			return b.ImageStore.Put(ctx, content)
		}
		<-looked
		defer close(put)
		return b.ImageStore.Put(ctx, content)
	}
	b.remove = func(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
		old := false
		err := b.ImageStore.List(ctx, func(info artwork.StoredInfo) error {
			old = info.Hash == hash && info.ModTime.Before(since)
			return nil
		})
		close(looked)
		if !old || err != nil {
			return false, err
		}
		<-put
		return b.ImageStore.Remove(ctx, hash, time.Now().Add(time.Hour))
	}
}

// locksWhileListing refuses rather than waits, so that the test ends.
func locksWhileListing(b *brokenStore) {
	var mu sync.Mutex
	b.list = func(ctx context.Context, visit func(artwork.StoredInfo) error) error {
		mu.Lock()
		defer mu.Unlock()
		return b.ImageStore.List(ctx, visit)
	}
	b.remove = func(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
		if !mu.TryLock() {
			return false, errors.New("the store is being listed")
		}
		defer mu.Unlock()
		return b.ImageStore.Remove(ctx, hash, since)
	}
}

func TestStoreSuiteCatchesBrokenTwins(t *testing.T) {
	for _, c := range conformance.ImageStoreCases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			breakIt := storeTwins[c.Name]
			require.NotNil(t, breakIt, "the case has no broken twin")
			conformance.Rejects(t, conformance.ImageStoreCases(), c.Name, func(conformance.TB) artwork.ImageStore {
				twin := &brokenStore{ImageStore: memory.NewStore(0)}
				breakIt(twin)
				return twin
			})
		})
	}
}

// TestStoreSuiteCatchesACopyThatIsKept: of a cache that was not told.
func TestStoreSuiteCatchesACopyThatIsKept(t *testing.T) {
	conformance.Rejects(t, conformance.ImageStoreCases(), "Remove removes", func(conformance.TB) artwork.ImageStore {
		twin := &brokenStore{ImageStore: memory.NewStore(0)}
		copies := &rawStore{files: map[artwork.Hash][]byte{}}
		twin.open = func(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
			if f, err := copies.Open(ctx, hash); err == nil {
				return f, nil
			}
			f, err := twin.ImageStore.Open(ctx, hash)
			if err != nil {
				return nil, err
			}
			defer func() { _ = f.Close() }() // only read
			content, err := io.ReadAll(f)
			copies.set(hash, content)
			return openedContent(content), err
		}
		return twin
	})
}
