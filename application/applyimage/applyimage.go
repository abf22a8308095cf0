// Package applyimage puts images in force: from a URL, from an upload, or one
// that was uploaded before. A call that has succeeded is visible everywhere.
//
// The order of effects is always the same. Everything slow and fallible comes
// first: fetch, check, store under the hash. Then the change, under the cache's
// fence. What was in force before is never touched, so that a failure at any
// step leaves it in force.
package applyimage

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
	"unicode/utf8"

	"gatefold/domain/artwork"
)

// The most bytes an image may have.
const (
	MaxImageBytes  = 20 << 20
	MaxAvatarBytes = 5 << 20
)

// Inspector says what bytes are. UnsupportedImage, CorruptImage or
// ImageTooLarge: they are not an image that Gatefold accepts.
type Inspector interface {
	Inspect(ctx context.Context, content []byte) (artwork.Content, error)
	// RemoveLocation returns the image without the place where it was taken, and
	// otherwise as it is; content is not written to.
	RemoveLocation(content []byte) []byte
}

// Downloader fetches the bytes of a URL, at most limit of them. ForbiddenURL:
// the address is refused. NotFound: the URL says that there is nothing.
// TooLarge: there are more bytes. DownloadFailed: everything else. It may tell the
// context's Receiver how far it is.
type Downloader interface {
	Download(ctx context.Context, url string, limit int64) ([]byte, error)
}

// Provenances tells what providers have said of images. Any error means that it is not
// known now.
type Provenances interface {
	// Of returns what is known of the rights in the image at exactly this URL, as a
	// provider offered it for the subject: the named one, if that one did. The zero
	// value: nobody is known to have offered it.
	Of(ctx context.Context, subject artwork.Subject, provider, url string) (artwork.Provenance, error)
}

// Applied is what an apply answers.
type Applied struct {
	Image *artwork.Image // in force now
	// VisibleAfter is how long the call waited until no instance could serve
	// the older image; 0 if the image was in force already.
	VisibleAfter time.Duration
}

// Applier has the steps that the use cases share.
type Applier struct {
	cache     artwork.ImageCache
	images    artwork.ImageRepository
	archive   artwork.ImageArchive
	store     artwork.ImageStore
	inspector Inspector
	rights    Provenances
	log       *slog.Logger
	now       func() time.Time
}

// NewApplier returns the shared steps on the ports. rights may be nil: then only what a
// caller states is known of the rights in an image.
func NewApplier(cache artwork.ImageCache, images artwork.ImageRepository, archive artwork.ImageArchive,
	store artwork.ImageStore, inspector Inspector, rights Provenances, log *slog.Logger,
) *Applier {
	return &Applier{cache, images, archive, store, inspector, rights, log, time.Now}
}

// inspectPatience is how long an image waits to be checked while others are.
const inspectPatience = 15 * time.Second

// keep checks the bytes and stores them. Unavailable: too many images are being
// checked.
func (a *Applier) keep(ctx context.Context, content []byte, progress Progress) (artwork.Content, error) {
	progress.begin(Checking)
	bounded, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()
	described, err := a.inspector.Inspect(bounded, content)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return artwork.Content{}, artwork.Errorf(artwork.Unavailable, "too many images are being checked; try again in some seconds")
	}
	if err != nil {
		return artwork.Content{}, err
	}
	progress.begin(Storing)
	if _, err := a.store.Put(ctx, content); err != nil {
		return artwork.Content{}, artwork.Wrap(artwork.Internal, "applyimage.keep", err)
	}
	return described, nil
}

// record describes stored bytes as an image of the place.
func (a *Applier) record(place artwork.Place, content artwork.Content, source artwork.Source, provider, by string) artwork.Record {
	return artwork.Record{
		ID:    artwork.RecordID(place, content.Hash, source, provider),
		Place: place, Content: content, Source: source, Provider: provider,
		AddedBy: by, AddedAt: a.now().UTC(),
	}
}

// exists returns NotFound unless the place's subject exists: said before
// anything is downloaded or stored for it.
func (a *Applier) exists(ctx context.Context, place artwork.Place) error {
	if err := place.Check(); err != nil {
		return err
	}
	_, err := a.images.InForce(ctx, place)
	return artwork.Wrap(artwork.Internal, "applyimage.exists", err)
}

// maxBytes is the most that an image of the place may have.
func maxBytes(place artwork.Place) int64 {
	if place.Slot == artwork.SlotAvatar {
		return MaxAvatarBytes
	}
	return MaxImageBytes
}

// CheckProvider returns an InvalidInput error unless a provider can have the name.
func CheckProvider(name string) error {
	if n := utf8.RuneCountInString(name); n < 1 || n > 64 {
		return artwork.Errorf(artwork.InvalidInput, "provider must have 1 to 64 characters")
	}
	return artwork.CheckText("provider", name)
}

// readAll reads an upload and stops at the limit.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, &artwork.Error{Kind: artwork.InvalidInput, Op: "applyimage.readAll", Msg: "the upload broke off", Err: err}
	}
	if int64(len(content)) > limit {
		return nil, artwork.Errorf(artwork.TooLarge, "the image has more than %d MB", limit>>20)
	}
	return content, nil
}
