package s3store

import (
	"bytes"
	"context"
	"slices"

	"github.com/minio/minio-go/v7"

	"gatefold/domain/artwork"
)

// partSize is how much is sent in one request. What is larger goes in parts, each
// of which can be sent again for itself, and is visible when all have arrived. No
// server but the last takes a part below 5 MiB.
const partSize = 8 << 20

// Put implements artwork.ImageStore. It sends the bytes also if they are there:
// that is what renews their time, and heals what a broken disk has damaged.
func (s *Store) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Hash{}, err
	}
	hash := artwork.HashOf(content)
	if err := s.put(ctx, s.key(hash), content); err != nil {
		return artwork.Hash{}, classify(ctx, "s3store.Put", err)
	}
	return hash, nil
}

func (s *Store) put(ctx context.Context, key string, content []byte) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.put, errNoAnswer)
	defer cancel()
	if len(content) > partSize {
		return s.putParts(ctx, key, content)
	}
	// The hash is part of what is signed: a server that gets other bytes refuses
	// them. Headers with checksums say the same, but not every server takes them.
	// What the option turns off is to sign every chunk instead.
	_, err := s.client.PutObject(ctx, s.options.Bucket, key, bytes.NewReader(content), int64(len(content)), "",
		artwork.HashOf(content).String(), minio.PutObjectOptions{DisableContentSha256: true})
	return err
}

// putParts leaves no parts behind unless the process dies, or the server is gone.
func (s *Store) putParts(ctx context.Context, key string, content []byte) error {
	bucket := s.options.Bucket
	upload, err := s.client.NewMultipartUpload(ctx, bucket, key, minio.PutObjectOptions{})
	if err != nil {
		return err
	}
	parts, err := s.sendParts(ctx, key, upload, content)
	if err == nil {
		_, err = s.client.CompleteMultipartUpload(ctx, bucket, key, upload, parts, minio.PutObjectOptions{})
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.answer)
		defer cancel()
		_ = s.client.AbortMultipartUpload(ctx, bucket, key, upload) // what went wrong first is what to tell
	}
	return err
}

func (s *Store) sendParts(ctx context.Context, key, upload string, content []byte) ([]minio.CompletePart, error) {
	var parts []minio.CompletePart
	for chunk := range slices.Chunk(content, partSize) {
		number := len(parts) + 1
		sent, err := s.client.PutObjectPart(ctx, s.options.Bucket, key, upload, number, bytes.NewReader(chunk), int64(len(chunk)),
			minio.PutObjectPartOptions{Sha256Hex: artwork.HashOf(chunk).String(), DisableContentSha256: true})
		if err != nil {
			return nil, err
		}
		parts = append(parts, minio.CompletePart{PartNumber: number, ETag: sent.ETag})
	}
	return parts, nil
}
