package s3store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/minio/minio-go/v7"

	"gatefold/domain/artwork"
)

// skipLimit is how many bytes are read and thrown away rather than that a
// connection is given up for them.
const skipLimit = 64 << 10

// Open implements artwork.ImageStore. It asks for the content as a whole: to read
// it from its start to its end is one request, which holds no more of it in
// memory than the network does. A Seek costs nothing; the next Read from another
// place asks for the range from there on. What is open is read under ctx.
func (s *Store) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := s.open(ctx, s.key(hash))
	if isMissing(err) {
		f, err = s.open(ctx, s.asideKey(hash))
	}
	if isMissing(err) {
		return nil, &artwork.Error{Kind: artwork.NotFound, Op: "s3store.Open", Msg: "no image is stored under " + hash.String(), Err: err}
	}
	if err != nil {
		return nil, classify(ctx, "s3store.Open", err)
	}
	return f, nil
}

func (s *Store) open(ctx context.Context, key string) (*storedFile, error) {
	body, size, err := s.get(ctx, key, 0)
	if err != nil {
		return nil, err
	}
	return &storedFile{store: s, ctx: ctx, key: key, size: size, body: body}, nil
}

// get returns the content of an object from the offset on, and how much of it
// there is.
func (s *Store) get(ctx context.Context, key string, offset int64) (io.ReadCloser, int64, error) {
	var options minio.GetObjectOptions
	if offset > 0 {
		if err := options.SetRange(offset, 0); err != nil {
			return nil, 0, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	limit := time.AfterFunc(s.limits.answer, func() { cancel(errNoAnswer) })
	body, info, _, err := s.client.GetObject(ctx, s.options.Bucket, key, options)
	if err == nil && !limit.Stop() {
		err = errors.Join(errNoAnswer, body.Close())
	}
	if err != nil {
		err = orCause(ctx, err)
		cancel(nil)
		return nil, 0, err
	}
	return &content{body, cancel}, info.Size, nil
}

// content is the body of an answer; its context ends when it is closed.
type content struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close implements io.Closer.
func (c *content) Close() error {
	defer c.cancel(nil)
	return c.ReadCloser.Close()
}

func (s *Store) readAll(ctx context.Context, key string) ([]byte, error) {
	f, err := s.open(ctx, key)
	if err != nil {
		return nil, err
	}
	read, err := io.ReadAll(f)
	return read, errors.Join(err, f.Close())
}

// storedFile is content that is read as it is asked for.
type storedFile struct {
	store  *Store
	ctx    context.Context // of the caller of Open
	key    string
	size   int64
	offset int64 // where the next Read begins
	body   io.ReadCloser
	at     int64 // where the body is
}

// Size implements artwork.StoredFile.
func (f *storedFile) Size() int64 { return f.size }

// Seek implements io.Seeker.
func (f *storedFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.offset
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, fs.ErrInvalid
	}
	f.offset = offset
	return offset, nil
}

// Read implements io.Reader.
func (f *storedFile) Read(b []byte) (int, error) {
	if f.offset >= f.size {
		return 0, io.EOF
	}
	if err := f.goTo(f.offset); err != nil {
		return 0, classify(f.ctx, "s3store.Read", err)
	}
	n, err := f.body.Read(b)
	f.at += int64(n)
	f.offset = f.at
	if errors.Is(err, io.EOF) {
		err = nil
		if f.at < f.size {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, classify(f.ctx, "s3store.Read", err)
}

// goTo makes the body one whose next byte is that at the offset.
func (f *storedFile) goTo(offset int64) error {
	if f.body != nil && f.at <= offset && offset-f.at <= skipLimit {
		skipped, err := io.CopyN(io.Discard, f.body, offset-f.at)
		f.at += skipped
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	body, size, err := f.store.get(f.ctx, f.key, offset)
	if err != nil {
		return err
	}
	if size != f.size-offset {
		return errors.Join(fmt.Errorf("the server sends %d bytes from %d on, of %d", size, offset, f.size), body.Close())
	}
	f.body, f.at = body, offset
	return nil
}

// Close implements io.Closer. Little that is left is read, so that the connection
// can be used again.
func (f *storedFile) Close() error {
	if f.body == nil {
		return nil
	}
	body := f.body
	f.body = nil
	if f.size-f.at <= skipLimit {
		_, _ = io.Copy(io.Discard, body) // nobody has asked for it
	}
	return body.Close()
}
