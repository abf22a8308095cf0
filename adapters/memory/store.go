package memory

import (
	"bytes"
	"context"
	"maps"
	"sync"
	"time"

	"gatefold/domain/artwork"
)

// Store is an ImageStore in memory: what it holds ends with the process.
type Store struct {
	capacity int64

	mu    sync.RWMutex
	used  int64
	files map[artwork.Hash]storeFile
}

// storeFile is stored content. Its bytes are never changed, so that readers share
// them.
type storeFile struct {
	content []byte
	put     time.Time
}

var _ artwork.ImageStore = (*Store)(nil)

// NewStore returns an empty store with room for so many bytes of content, of
// which more are StorageFull; 0 sets no limit.
func NewStore(capacity int64) *Store {
	return &Store{capacity: capacity, files: map[artwork.Hash]storeFile{}}
}

// Put implements artwork.ImageStore.
func (s *Store) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Hash{}, err
	}
	hash := artwork.HashOf(content)
	s.mu.Lock()
	defer s.mu.Unlock()
	f, known := s.files[hash]
	if !known {
		size := int64(len(content))
		if s.capacity > 0 && s.used+size > s.capacity {
			return artwork.Hash{}, artwork.Errorf(artwork.StorageFull, "the image store has no room left")
		}
		s.used += size
		f.content = bytes.Clone(content)
	}
	f.put = time.Now().Round(0) // a wall clock, like that of every other store
	s.files[hash] = f
	return hash, nil
}

// Open implements artwork.ImageStore.
func (s *Store) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	f, ok := s.files[hash]
	if !ok {
		return nil, artwork.Errorf(artwork.NotFound, "no image is stored under %s", hash)
	}
	return storeReader{bytes.NewReader(f.content)}, nil
}

// storeReader is a StoredFile; closing it has nothing to release.
type storeReader struct{ *bytes.Reader }

// Close does nothing.
func (storeReader) Close() error { return nil }

// Remove implements artwork.ImageStore.
func (s *Store) Remove(ctx context.Context, hash artwork.Hash, unlessPutSince time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[hash]
	if !ok || !f.put.Before(unlessPutSince) {
		return false, nil
	}
	s.used -= int64(len(f.content))
	delete(s.files, hash)
	return true, nil
}

// List implements artwork.ImageStore. It visits what was stored when it began.
func (s *Store) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	s.mu.RLock()
	files := maps.Clone(s.files)
	s.mu.RUnlock()
	for hash, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(artwork.StoredInfo{Hash: hash, Size: int64(len(f.content)), ModTime: f.put}); err != nil {
			return err
		}
	}
	return ctx.Err()
}
