// Package s3store keeps image bytes under their hash in a bucket of an
// S3-compatible server, which any number of instances may share.
//
// An image is one object, whose key follows from its hash. S3 replaces objects
// as a whole, and checks what it is sent against the SHA-256 in the request's
// signature: a torn upload is never visible.
//
// # What Remove and Put promise each other
//
// Remove must not take what a racing Put has promised to keep. S3 has no lock for
// it, and no condition that all servers know and that tells two uploads of the
// same bytes apart: the ETag is the same, and a condition on the time exists on
// few. So Remove takes nothing away at once. What is older than unlessPutSince it
// copies to a second key, beside the first, and only then deletes the first; Open
// looks there when it finds nothing under the first key. A Put that came between
// Remove's look and its deletion has lost the first object, but not the bytes.
// List tells of the copy as put when it was made. So it waits as long as any
// other orphan until a later Remove deletes it, and until then whoever has put
// the bytes has recorded them, by the contract of unlessPutSince: nobody asks for
// their removal any more.
//
// This holds for a deletion that reaches the server late, too, after its sender
// has given up or died. It does not hold for one that is late by more than the
// grace period, nor on a server on which a reader does not see what was written
// before: S3 itself and the servers that call themselves compatible promise it.
//
// The price: an orphan goes in two steps, and stays for two grace periods. A copy
// beside an image that was put anew stays until the image is removed.
package s3store

import (
	"bytes"
	"context"
	"errors"

	"github.com/minio/minio-go/v7"

	"gatefold/domain/artwork"
)

const (
	imagesDir = "images/"
	// asideSuffix makes the second key of an image. It sorts right behind the
	// first one, so that a list meets them together.
	asideSuffix = ".removed"
	// probeKey is what Check asks for; Probe writes keys that begin with it.
	probeKey  = "probe"
	probeSize = 4096
)

// errNoAnswer takes the place of the end of a time limit of this package, which
// must not look like the end of the caller's context.
var errNoAnswer = errors.New("the server has not answered in time")

// Store is an ImageStore in a bucket. All methods may be called concurrently, and
// any number of Stores, also of several processes, may share a bucket.
type Store struct {
	options Options
	prefix  string
	client  *minio.Core
	limits  limits
}

var _ artwork.ImageStore = (*Store)(nil)

// New returns the store in the bucket that the options name. It talks to nobody
// yet. InvalidInput: the options cannot be understood.
func New(options Options) (*Store, error) { return newStore(options, usual) }

func newStore(options Options, limits limits) (*Store, error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	client, err := options.client(limits)
	if err != nil {
		return nil, &artwork.Error{Kind: artwork.InvalidInput, Op: "s3store.New", Msg: "S3_ENDPOINT cannot be used", Err: err}
	}
	return &Store{options: options, prefix: options.prefix(), client: client, limits: limits}, nil
}

// String names the bucket and where it is.
func (s *Store) String() string {
	return "bucket " + s.options.Bucket + " at " + s.options.Endpoint
}

func (s *Store) key(hash artwork.Hash) string { return s.prefix + hash.Path() }

func (s *Store) asideKey(hash artwork.Hash) string { return s.key(hash) + asideSuffix }

// Check reports whether the store can be read. It is cheap enough to be asked all
// the time: it asks for an object that does not exist. Unavailable: it cannot be
// read, and the message names the variable to look at.
func (s *Store) Check(ctx context.Context) error {
	body, _, err := s.get(ctx, s.prefix+probeKey, 0)
	if err == nil {
		_ = body.Close() // somebody has put it there
		return nil
	}
	if isMissing(err) {
		return nil
	}
	return s.explain(ctx, "s3store.Check", err)
}

// Probe reports whether the store can be written, read, listed and deleted in: it
// does so with a small object. StorageFull: there is no room to write it.
// Unavailable: it cannot; the message names the variable to look at.
func (s *Store) Probe(ctx context.Context) error {
	return s.explain(ctx, "s3store.Probe", s.probe(ctx))
}

func (s *Store) probe(ctx context.Context) error {
	key := s.prefix + probeKey + "-" + artwork.NewID().String()
	written := bytes.Repeat([]byte{0xa5}, probeSize)
	if err := s.put(ctx, key, written); err != nil {
		return err
	}
	read, err := s.readAll(ctx, key)
	if err == nil {
		err = s.probeList(ctx)
	}
	if err := errors.Join(err, s.delete(context.WithoutCancel(ctx), key)); err != nil {
		return err
	}
	if !bytes.Equal(written, read) {
		return artwork.Errorf(artwork.Unavailable, "the image store reads back other bytes than were written")
	}
	return nil
}

// probeList lists as List does, as far as the first object.
func (s *Store) probeList(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.answer, errNoAnswer)
	defer cancel()
	for object := range s.client.ListObjectsIter(ctx, s.options.Bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true, MaxKeys: 1}) {
		return object.Err
	}
	return nil
}
