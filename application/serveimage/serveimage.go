// Package serveimage answers which image is in force for an artist, an album or
// a user, from the cache or the database, and opens its bytes.
package serveimage

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"io"
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/generations"
)

// Requests is told of every request that was answered.
type Requests interface {
	// Note neither waits nor fails. It may be called concurrently.
	Note(key artwork.Key)
}

// Reader reads which image is in force: the part of an artwork.ImageRepository
// that answering needs, and under the same contract. Unavailable may also mean
// that too many read at this moment.
type Reader interface {
	InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error)
}

// Pointers finds the image in force of any place. It is what the three use
// cases share.
type Pointers struct {
	cache    artwork.ImageCache
	images   Reader
	requests Requests
	loads    generations.Group[artwork.Key, *artwork.Image]
}

// loadTimeout bounds a read of the database.
const loadTimeout = 10 * time.Second

// NewPointers returns Pointers that read through the cache and tell of what is
// requested.
func NewPointers(cache artwork.ImageCache, images Reader, requests Requests) *Pointers {
	p := &Pointers{cache: cache, images: images, requests: requests}
	p.loads.Timeout = loadTimeout
	return p
}

// Fetch answers for a key as requests are answered, without counting as one.
// NotFound: no such subject. Unavailable: the database cannot be reached, or does not answer.
func (p *Pointers) Fetch(ctx context.Context, key artwork.Key) (artwork.Answer, error) {
	return p.cache.Fetch(ctx, key, func(ctx context.Context) (*artwork.Image, error) {
		img, err := p.loads.Do(ctx, key, func(ctx context.Context) (*artwork.Image, error) {
			return p.images.InForce(ctx, key.Place())
		})
		if errors.Is(err, generations.ErrTimeout) {
			err = &artwork.Error{Kind: artwork.Unavailable, Op: "serveimage.Fetch", Msg: "the database does not answer", Err: err}
		}
		return img, err
	})
}

// find answers a request: it returns the image, nil for an empty slot.
// NotFound: no such subject.
func (p *Pointers) find(ctx context.Context, key artwork.Key) (*artwork.Image, error) {
	answer, err := p.Fetch(ctx, key)
	if err == nil {
		p.requests.Note(key)
	}
	return answer.Image, err
}

// All returns the images in force on a subject, slot by slot; empty slots are
// left out. NotFound: no such subject.
func (p *Pointers) All(ctx context.Context, subject artwork.Subject) (map[artwork.Slot]*artwork.Image, error) {
	found := map[artwork.Slot]*artwork.Image{}
	for _, slot := range subject.Kind.Slots() {
		img, err := p.find(ctx, artwork.Key{Subject: subject, Type: artwork.TypeOf(slot)})
		if err != nil {
			return nil, artwork.Wrap(artwork.Internal, "serveimage.All", err)
		}
		if img != nil {
			found[slot] = img
		}
	}
	return found, nil
}

// GetArtistImage finds the image of one of an artist's seven types.
type GetArtistImage struct{ pointers *Pointers }

// NewGetArtistImage returns the use case.
func NewGetArtistImage(pointers *Pointers) *GetArtistImage { return &GetArtistImage{pointers} }

// ArtistImageIn names an image of an artist.
type ArtistImageIn struct {
	ArtistID artwork.ID
	Type     artwork.Type
}

// Run returns the image in force. NotFound: there is no such artist, or its
// slot is empty.
func (g *GetArtistImage) Run(ctx context.Context, in ArtistImageIn) (*artwork.Image, error) {
	key := artwork.Key{Subject: artwork.Artist(in.ArtistID), Type: in.Type}
	img, err := g.pointers.find(ctx, key)
	return required(key, img, err)
}

// GetAlbumCover finds the cover of an album.
type GetAlbumCover struct{ pointers *Pointers }

// NewGetAlbumCover returns the use case.
func NewGetAlbumCover(pointers *Pointers) *GetAlbumCover { return &GetAlbumCover{pointers} }

// Run returns the cover in force, or the default picture if the album has none;
// isDefault tells which. NotFound: there is no such album.
func (g *GetAlbumCover) Run(ctx context.Context, album artwork.ID) (img *artwork.Image, isDefault bool, err error) {
	img, err = g.pointers.find(ctx, artwork.Key{Subject: artwork.Album(album), Type: artwork.TypeCover})
	if err != nil {
		return nil, false, artwork.Wrap(artwork.Internal, "serveimage.GetAlbumCover", err)
	}
	if img == nil {
		return defaultCover, true, nil
	}
	return img, false, nil
}

// GetUserAvatar finds the avatar of a user.
type GetUserAvatar struct{ pointers *Pointers }

// NewGetUserAvatar returns the use case.
func NewGetUserAvatar(pointers *Pointers) *GetUserAvatar { return &GetUserAvatar{pointers} }

// Run returns the avatar in force. NotFound: there is no such user, or it has
// no avatar.
func (g *GetUserAvatar) Run(ctx context.Context, user artwork.ID) (*artwork.Image, error) {
	key := artwork.Key{Subject: artwork.User(user), Type: artwork.TypeAvatar}
	img, err := g.pointers.find(ctx, key)
	return required(key, img, err)
}

// required turns an empty slot into a NotFound error.
func required(key artwork.Key, img *artwork.Image, err error) (*artwork.Image, error) {
	if err == nil && img == nil {
		return nil, artwork.Errorf(artwork.NotFound, "the %s has no %s image", key.Subject.Kind, key.Type.Slot())
	}
	return img, artwork.Wrap(artwork.Internal, "serveimage.find", err)
}

//go:embed default-cover.png
var defaultCoverPNG []byte

// defaultCover is the picture of an album without one. It has no date: one
// would make it look older than a cover that was removed, and whoever holds that
// would be told that nothing is new.
var defaultCover = &artwork.Image{
	Content: artwork.Content{
		Hash: artwork.HashOf(defaultCoverPNG), Size: int64(len(defaultCoverPNG)),
		MIMEType: "image/png", Width: 600, Height: 600,
	},
	Tag: artwork.TagOf(artwork.HashOf(defaultCoverPNG), nil),
}

// DefaultCover returns the picture of an album without one. Nobody changes it.
func DefaultCover() *artwork.Image { return defaultCover }

// OpenContent opens the bytes of images.
type OpenContent struct{ store artwork.ImageStore }

// NewOpenContent returns the use case.
func NewOpenContent(store artwork.ImageStore) *OpenContent { return &OpenContent{store} }

// Run opens the bytes of an image that was found before; the caller closes
// them. An error means that the store cannot give what the database refers to.
func (o *OpenContent) Run(ctx context.Context, img *artwork.Image) (io.ReadSeekCloser, error) {
	if img.Hash == defaultCover.Hash {
		return nopCloser{bytes.NewReader(defaultCoverPNG)}, nil
	}
	file, err := o.store.Open(ctx, img.Hash)
	if artwork.KindOf(err) == artwork.NotFound {
		return nil, &artwork.Error{Kind: artwork.Internal, Op: "serveimage.OpenContent", Msg: "bytes of an image in force are missing", Err: err}
	}
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "serveimage.OpenContent", err)
	}
	return file, nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }
