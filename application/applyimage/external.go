package applyimage

import (
	"context"
	"time"

	"gatefold/domain/artwork"
)

// FromURL names an image of a provider to put in force.
type FromURL struct {
	SubjectID artwork.ID
	Slot      artwork.Slot // of an artist; an album has only its cover
	URL       string
	Provider  string
	// Offered is what the provider said of the rights in the image, if whoever applies it
	// has just heard that; the zero value: it is looked up.
	Offered artwork.Provenance
	// Stated is what the caller says of the rights in the image: it counts more than
	// what is known. Who it is stated by is for Gatefold to say, and is not looked at.
	Stated artwork.Provenance
	By     artwork.Actor
	IfTag  artwork.Tag // if not empty, the tag that must be in force

	Progress Progress // hears how it goes on; may be nil
}

// ApplyArtistAvatar puts an image of a provider in force in a slot of an artist.
type ApplyArtistAvatar struct {
	applier    *Applier
	downloader Downloader
}

// NewApplyArtistAvatar returns the use case.
func NewApplyArtistAvatar(applier *Applier, downloader Downloader) *ApplyArtistAvatar {
	return &ApplyArtistAvatar{applier, downloader}
}

// Run downloads, checks and stores the image, puts it in force and returns once
// no instance can serve the older one. After any error but NotConfirmed and
// OutcomeUnknown the older one is still in force.
func (u *ApplyArtistAvatar) Run(ctx context.Context, in FromURL) (Applied, error) {
	return applyURL(ctx, u.applier, u.downloader, artwork.Place{Subject: artwork.Artist(in.SubjectID), Slot: in.Slot}, in)
}

// ApplyAlbumCover puts an image of a provider in force as the cover of an album.
type ApplyAlbumCover struct {
	applier    *Applier
	downloader Downloader
}

// NewApplyAlbumCover returns the use case.
func NewApplyAlbumCover(applier *Applier, downloader Downloader) *ApplyAlbumCover {
	return &ApplyAlbumCover{applier, downloader}
}

// Run does for a cover what ApplyArtistAvatar.Run does for an artist's slot.
func (u *ApplyAlbumCover) Run(ctx context.Context, in FromURL) (Applied, error) {
	return applyURL(ctx, u.applier, u.downloader, artwork.Place{Subject: artwork.Album(in.SubjectID), Slot: artwork.SlotCover}, in)
}

func applyURL(ctx context.Context, a *Applier, downloader Downloader, place artwork.Place, in FromURL) (Applied, error) {
	application, err := a.PrepareURL(ctx, downloader, place, in)
	if err != nil {
		return Applied{}, err
	}
	return a.apply(ctx, application, in.Progress)
}

// PrepareURL is everything slow and fallible of applying an image of a URL in a
// place: it downloads, checks and stores the image, and returns what is left to
// apply. The SubjectID and Slot are those of the place.
func (a *Applier) PrepareURL(ctx context.Context, downloader Downloader, place artwork.Place, in FromURL) (artwork.Application, error) {
	if err := CheckProvider(in.Provider); err != nil {
		return artwork.Application{}, err
	}
	if err := in.Stated.Check(); err != nil {
		return artwork.Application{}, err
	}
	if err := a.exists(ctx, place); err != nil {
		return artwork.Application{}, err
	}
	rights := a.lookUp(ctx, place.Subject, in)
	bytes, err := downloader.Download(in.Progress.downloading(ctx), in.URL, maxBytes(place))
	if err != nil {
		return artwork.Application{}, artwork.Wrap(artwork.Internal, "applyimage.download", err)
	}
	content, err := a.keep(ctx, bytes, in.Progress)
	if err != nil {
		return artwork.Application{}, err
	}
	record := a.record(place, content, artwork.External, in.Provider, in.By.Name)
	record.SourceURL = in.URL
	record = record.WithProvenance((<-rights).Stated(in.Stated))
	return artwork.Application{Record: record, By: in.By, IfTag: in.IfTag}, nil
}

// lookUpBudget is how long it may take to find out what is known of the rights in an
// image. That goes on beside the download, which takes longer as a rule.
const lookUpBudget = 2 * time.Second

// lookUp finds out what is known of the rights in the image: one answer. An image is
// applied whether that is known or not; who applies it again, once it is known, has it
// noted.
func (a *Applier) lookUp(ctx context.Context, subject artwork.Subject, in FromURL) <-chan artwork.Provenance {
	answer := make(chan artwork.Provenance, 1)
	if a.rights == nil || !in.Offered.IsZero() {
		answer <- in.Offered
		return answer
	}
	go func() {
		limited, cancel := context.WithTimeout(ctx, lookUpBudget)
		defer cancel()
		known, err := a.rights.Of(limited, subject, in.Provider, in.URL)
		if err != nil {
			known = artwork.Provenance{}
		}
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "What providers said of an image is not known now", "subject", subject.String(), "provider", in.Provider, "error", err.Error())
		}
		answer <- known
	}()
	return answer
}
