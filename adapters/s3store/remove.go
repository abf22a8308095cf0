package s3store

import (
	"context"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"gatefold/domain/artwork"
)

// clockStep is how exactly a server tells when an object was put.
const clockStep = time.Second

// Remove implements artwork.ImageStore, in two steps: the first call sets the
// bytes aside, where Open still finds them, and reports true. List then tells
// that they were put at that time. A call with a later time removes them. Only if
// the time lies ahead, so that nothing put so far is to be kept, one call does
// both.
func (s *Store) Remove(ctx context.Context, hash artwork.Hash, unlessPutSince time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	removed, err := s.remove(ctx, hash, unlessPutSince)
	return removed, classify(ctx, "s3store.Remove", err)
}

func (s *Store) remove(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
	put, err := s.putTime(ctx, s.key(hash))
	if isMissing(err) {
		return s.removeAside(ctx, hash, since)
	}
	if err != nil || !isBefore(put, since) {
		return false, err
	}
	// Whether the time lies ahead is told by the clock that has told the time.
	ahead := since.After(time.Now())
	err = s.setAside(ctx, hash)
	if isMissing(err) {
		return false, nil // somebody else was faster
	}
	if err == nil && ahead {
		err = s.delete(ctx, s.asideKey(hash))
	}
	return err == nil, err
}

// setAside moves the bytes to their second key: they are always under one.
func (s *Store) setAside(ctx context.Context, hash artwork.Hash) error {
	if err := s.copy(ctx, s.key(hash), s.asideKey(hash)); err != nil {
		return err
	}
	return s.delete(ctx, s.key(hash))
}

// removeAside removes bytes that were set aside long enough ago. A Put that comes
// meanwhile writes to the first key.
func (s *Store) removeAside(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
	put, err := s.putTime(ctx, s.asideKey(hash))
	if isMissing(err) {
		// An answer without a body does not tell a missing object from a missing
		// bucket.
		return false, s.Check(ctx)
	}
	if err != nil || !isBefore(put, since) {
		return false, err
	}
	err = s.delete(ctx, s.asideKey(hash))
	return err == nil, err
}

// isBefore reports whether what a server says was put at a time was put before
// since for certain.
func isBefore(put, since time.Time) bool { return !put.Truncate(clockStep).Add(clockStep).After(since) }

// putTime returns when the object was put.
func (s *Store) putTime(ctx context.Context, key string) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.answer, errNoAnswer)
	defer cancel()
	info, err := s.client.StatObject(ctx, s.options.Bucket, key, minio.StatObjectOptions{})
	return info.LastModified, err
}

// copy has the server make a copy of an object.
func (s *Store) copy(ctx context.Context, from, to string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.put, errNoAnswer)
	defer cancel()
	_, err := s.client.Client.CopyObject(ctx, minio.CopyDestOptions{Bucket: s.options.Bucket, Object: to},
		minio.CopySrcOptions{Bucket: s.options.Bucket, Object: from})
	return err
}

func (s *Store) delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.answer, errNoAnswer)
	defer cancel()
	return s.client.RemoveObject(ctx, s.options.Bucket, key, minio.RemoveObjectOptions{})
}

// List implements artwork.ImageStore. Objects that are no images of the store are
// passed over. What is put or removed meanwhile may be visited or not.
func (s *Store) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var last artwork.Hash
	visited := false
	options := minio.ListObjectsOptions{Prefix: s.prefix + imagesDir, Recursive: true, FetchOwner: new(bool)}
	for object := range s.client.ListObjectsIter(ctx, s.options.Bucket, options) {
		if object.Err != nil {
			return classify(ctx, "s3store.List", object.Err)
		}
		hash, ok := s.hashOf(object.Key)
		// The copy that was set aside of an image comes right behind it.
		if !ok || visited && hash == last {
			continue
		}
		last, visited = hash, true
		if err := visit(artwork.StoredInfo{Hash: hash, Size: object.Size, ModTime: object.LastModified}); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// hashOf returns the hash of the image that has the key as its first or second.
func (s *Store) hashOf(key string) (artwork.Hash, bool) {
	key = strings.TrimSuffix(key, asideSuffix)
	hash, err := artwork.ParseHash(key[strings.LastIndexByte(key, '/')+1:])
	return hash, err == nil && s.key(hash) == key
}
