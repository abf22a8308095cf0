package applyimage

import (
	"context"

	"gatefold/domain/artwork"
)

// RestoreImage puts an image in force again that the archive knows for the place,
// whatever became of it: displaced, declined, or uploaded and never applied.
type RestoreImage struct{ applier *Applier }

// NewRestoreImage returns the use case.
func NewRestoreImage(applier *Applier) *RestoreImage { return &RestoreImage{applier} }

// Restore names an image of a place.
type Restore struct {
	Place    artwork.Place
	RecordID artwork.ID
	By       artwork.Actor
	IfTag    artwork.Tag // if not empty, the tag that must be in force
	Progress Progress    // hears how it goes on; may be nil
}

// Run puts the image in force and returns once no instance can serve another one:
// the same bytes, under the same tag, as when it was in force before. NotFound: the
// place never had such an image.
func (u *RestoreImage) Run(ctx context.Context, in Restore) (Applied, error) {
	application, err := u.applier.PrepareKnown(ctx, in)
	if err != nil {
		return Applied{}, err
	}
	return u.applier.apply(ctx, application, in.Progress)
}

// PrepareKnown finds the image that the archive knows for the place. NotFound: the
// place never had such an image.
func (a *Applier) PrepareKnown(ctx context.Context, in Restore) (artwork.Application, error) {
	if err := in.Place.Check(); err != nil {
		return artwork.Application{}, err
	}
	record, err := a.archive.Find(ctx, in.RecordID)
	if artwork.KindOf(err) == artwork.NotFound || err == nil && record.Place != in.Place {
		return artwork.Application{}, artwork.Errorf(artwork.NotFound, "the %s of the %s never was the image %s", in.Place.Slot, in.Place.Subject.Kind, in.RecordID)
	}
	if err != nil {
		return artwork.Application{}, artwork.Wrap(artwork.Internal, "applyimage.RestoreImage", err)
	}
	return artwork.Application{Record: record, By: in.By, Action: artwork.ActionRestore, IfTag: in.IfTag, Known: true}, nil
}

// History tells what was in force.
type History struct{ archive artwork.ImageArchive }

// NewHistory returns the use case.
func NewHistory(archive artwork.ImageArchive) *History { return &History{archive} }

// Run returns what was ever in force in the subject's slots, the latest first.
// NotFound: there is no such subject.
func (u *History) Run(ctx context.Context, subject artwork.Subject) ([]artwork.HistoryEntry, error) {
	entries, err := u.archive.History(ctx, subject)
	return entries, artwork.Wrap(artwork.Internal, "applyimage.History", err)
}

// Find returns an image that is known of the place: that is, was or could be in force.
// NotFound: there is none with this id, or it is of another place.
func (u *History) Find(ctx context.Context, place artwork.Place, id artwork.ID) (artwork.Record, error) {
	record, err := u.archive.Find(ctx, id)
	if artwork.KindOf(err) == artwork.NotFound || err == nil && record.Place != place {
		return artwork.Record{}, artwork.Errorf(artwork.NotFound, "the %s has no image %s in this slot", place.Subject.Kind, id)
	}
	return record, artwork.Wrap(artwork.Internal, "applyimage.History", err)
}
