package s3store

import (
	"context"
	"strings"

	"github.com/minio/minio-go/v7"

	"gatefold/domain/artwork"
)

var _ artwork.RenditionStore = (*Store)(nil)

const renditionsDir = "renditions/"

// PutRendition implements artwork.RenditionStore.
func (s *Store) PutRendition(ctx context.Context, key artwork.RenditionKey, content []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return classify(ctx, "s3store.PutRendition", s.put(ctx, s.prefix+key.Path(), content))
}

// OpenRendition implements artwork.RenditionStore. When it was used is not noted: an
// object's time is that of its writing.
func (s *Store) OpenRendition(ctx context.Context, key artwork.RenditionKey) (artwork.StoredFile, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := s.open(ctx, s.prefix+key.Path())
	if isMissing(err) {
		return nil, &artwork.Error{Kind: artwork.NotFound, Op: "s3store.OpenRendition", Msg: "no rendition is stored under " + key.Path(), Err: err}
	}
	if err != nil {
		return nil, classify(ctx, "s3store.OpenRendition", err)
	}
	return f, nil
}

// RemoveRenditions implements artwork.RenditionStore.
func (s *Store) RemoveRenditions(ctx context.Context, original artwork.Hash) error {
	return s.eachRendition(ctx, original.RenditionsPath()+"/", func(info artwork.RenditionInfo) error {
		return s.RemoveRendition(ctx, info.Path)
	})
}

// RemoveRendition implements artwork.RenditionStore.
func (s *Store) RemoveRendition(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, ok := artwork.ParseRenditionPath(path); !ok {
		return artwork.Errorf(artwork.InvalidInput, "%q is not where a rendition is", path)
	}
	return classify(ctx, "s3store.RemoveRendition", s.delete(ctx, s.prefix+path))
}

// ListRenditions implements artwork.RenditionStore.
func (s *Store) ListRenditions(ctx context.Context, visit func(artwork.RenditionInfo) error) error {
	return s.eachRendition(ctx, renditionsDir, visit)
}

func (s *Store) eachRendition(ctx context.Context, dir string, visit func(artwork.RenditionInfo) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	options := minio.ListObjectsOptions{Prefix: s.prefix + dir, Recursive: true, FetchOwner: new(bool)}
	for object := range s.client.ListObjectsIter(ctx, s.options.Bucket, options) {
		if object.Err != nil {
			return classify(ctx, "s3store.ListRenditions", object.Err)
		}
		path := strings.TrimPrefix(object.Key, s.prefix)
		hash, ok := artwork.ParseRenditionPath(path)
		if !ok {
			continue
		}
		if err := visit(artwork.RenditionInfo{Original: hash, Path: path, Size: object.Size, UsedAt: object.LastModified}); err != nil {
			return err
		}
	}
	return ctx.Err()
}
