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
// TooLarge: there are more bytes. DownloadFailed: everything else.
type Downloader interface {
	Download(ctx context.Context, url string, limit int64) ([]byte, error)
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
	log       *slog.Logger
	now       func() time.Time
}

// NewApplier returns the shared steps on the ports.
func NewApplier(cache artwork.ImageCache, images artwork.ImageRepository, archive artwork.ImageArchive,
	store artwork.ImageStore, inspector Inspector, log *slog.Logger,
) *Applier {
	return &Applier{cache, images, archive, store, inspector, log, time.Now}
}

// inspectPatience is how long an image waits to be checked while others are.
const inspectPatience = 15 * time.Second

// keep checks the bytes and stores them. Unavailable: too many images are being
// checked.
func (a *Applier) keep(ctx context.Context, content []byte) (artwork.Content, error) {
	bounded, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()
	described, err := a.inspector.Inspect(bounded, content)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return artwork.Content{}, artwork.Errorf(artwork.Unavailable, "too many images are being checked; try again in some seconds")
	}
	if err != nil {
		return artwork.Content{}, err
	}
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

// apply puts a record in force and returns once that is visible everywhere.
func (a *Applier) apply(ctx context.Context, application artwork.Application) (Applied, error) {
	place := application.Record.Place
	if img, ok, err := a.alreadyInForce(ctx, application); ok || err != nil {
		return Applied{Image: img}, err
	}
	var outcome artwork.Outcome
	begin := a.now()
	err := a.cache.Change(ctx, place.Keys(), func(ctx context.Context, fence artwork.Fence) error {
		outcomes, err := a.images.Apply(ctx, fence, []artwork.Application{application})
		if err != nil {
			return err
		}
		outcome = outcomes[0]
		return nil
	})
	if err != nil {
		return Applied{}, artwork.Wrap(artwork.Internal, "applyimage.apply", err)
	}
	a.log.InfoContext(ctx, "Invalidated image cache for "+place.Subject.String(),
		"slot", place.Slot.String(), "tag", string(outcome.Image.Tag), "by", application.By.Name)
	return Applied{Image: outcome.Image, VisibleAfter: a.now().Sub(begin)}, nil
}

// alreadyInForce spares an application of what is in force the fence and its
// wait. It still reaches the repository, which notes that a person wants this
// image; the condition on the tag turns it away if another was put in force in
// between.
func (a *Applier) alreadyInForce(ctx context.Context, application artwork.Application) (*artwork.Image, bool, error) {
	current, err := a.images.InForce(ctx, application.Record.Place)
	if err != nil || current == nil || current.RecordID != application.Record.ID {
		return nil, false, artwork.Wrap(artwork.Internal, "applyimage.apply", err)
	}
	if application.IfTag != "" && application.IfTag != current.Tag {
		return nil, false, nil
	}
	application.IfTag = current.Tag
	outcomes, err := a.images.Apply(ctx, artwork.Unfenced(), []artwork.Application{application})
	if artwork.KindOf(err) == artwork.PreconditionFailed {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, artwork.Wrap(artwork.Internal, "applyimage.apply", err)
	}
	return outcomes[0].Image, true, nil
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

func checkProvider(name string) error {
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
