package applyimage

import (
	"context"
	"io"

	"gatefold/domain/artwork"
)

// Upload is a file that a person brings for a place.
type Upload struct {
	Place    artwork.Place
	FileName string // what the file was called; only shown
	Content  io.Reader
	By       artwork.Actor
	IfTag    artwork.Tag // of ApplyUserAvatar: if not empty, the tag that must be in force
	Progress Progress    // hears how it goes on once it was read; may be nil
}

// UploadImage keeps an uploaded image of an artist or album, without putting it
// in force. It never needs the cache.
type UploadImage struct{ applier *Applier }

// NewUploadImage returns the use case.
func NewUploadImage(applier *Applier) *UploadImage { return &UploadImage{applier} }

// Run reads at most MaxImageBytes, checks and stores them, without the place where
// the photo was taken, and records the image. The same bytes for the same place are the same record.
func (u *UploadImage) Run(ctx context.Context, in Upload) (artwork.Record, error) {
	record, err := u.applier.receive(ctx, in, MaxImageBytes)
	if err != nil {
		return artwork.Record{}, err
	}
	if err := u.applier.archive.AddUploaded(ctx, in.By, record); err != nil {
		return artwork.Record{}, artwork.Wrap(artwork.Internal, "applyimage.UploadImage", err)
	}
	return record, nil
}

func (a *Applier) receive(ctx context.Context, in Upload, limit int64) (artwork.Record, error) {
	if err := a.exists(ctx, in.Place); err != nil {
		return artwork.Record{}, err
	}
	bytes, err := readAll(in.Content, limit)
	if err != nil {
		return artwork.Record{}, err
	}
	// Who uploads a photo does not mean to publish where they live.
	content, err := a.keep(ctx, a.inspector.RemoveLocation(bytes), in.Progress)
	if err != nil {
		return artwork.Record{}, err
	}
	record := a.record(in.Place, content, artwork.Custom, "upload", in.By.Name)
	record.FileName = artwork.CleanFileName(in.FileName)
	return record, nil
}

// ApplyUploadedImage puts an image in force that was uploaded before.
type ApplyUploadedImage struct{ applier *Applier }

// NewApplyUploadedImage returns the use case.
func NewApplyUploadedImage(applier *Applier) *ApplyUploadedImage { return &ApplyUploadedImage{applier} }

// Uploaded names an uploaded image of a subject.
type Uploaded struct {
	Subject  artwork.Subject
	RecordID artwork.ID
	By       artwork.Actor
	IfTag    artwork.Tag // if not empty, the tag that must be in force
	Progress Progress    // hears how it goes on; may be nil
}

// Run puts the image in force in the slot it was uploaded for and returns once
// no instance can serve the older one. NotFound: the subject has no such
// uploaded image.
func (u *ApplyUploadedImage) Run(ctx context.Context, in Uploaded) (Applied, error) {
	record, err := findUploaded(ctx, u.applier.archive, in.Subject, in.RecordID)
	if err != nil {
		return Applied{}, err
	}
	return u.applier.apply(ctx, artwork.Application{Record: record, By: in.By, IfTag: in.IfTag, Known: true}, in.Progress)
}

func findUploaded(ctx context.Context, archive artwork.ImageArchive, subject artwork.Subject, id artwork.ID) (artwork.Record, error) {
	record, err := archive.Find(ctx, id)
	if artwork.KindOf(err) == artwork.NotFound || err == nil && (record.Place.Subject != subject || record.Source != artwork.Custom) {
		return artwork.Record{}, artwork.Errorf(artwork.NotFound, "the %s has no uploaded image %s", subject.Kind, id)
	}
	return record, artwork.Wrap(artwork.Internal, "applyimage.uploaded", err)
}

// ApplyUserAvatar puts an uploaded file in force as the avatar of a user.
type ApplyUserAvatar struct{ applier *Applier }

// NewApplyUserAvatar returns the use case.
func NewApplyUserAvatar(applier *Applier) *ApplyUserAvatar { return &ApplyUserAvatar{applier} }

// Run reads at most MaxAvatarBytes, checks and stores them, without the place where
// the photo was taken, puts them in force and returns once no instance can serve the older avatar.
func (u *ApplyUserAvatar) Run(ctx context.Context, in Upload) (Applied, error) {
	record, err := u.applier.receive(ctx, in, MaxAvatarBytes)
	if err != nil {
		return Applied{}, err
	}
	return u.applier.apply(ctx, artwork.Application{Record: record, By: in.By, IfTag: in.IfTag}, in.Progress)
}

// UploadedImages lists and finds the uploaded images of a subject.
type UploadedImages struct{ archive artwork.ImageArchive }

// NewUploadedImages returns the use case.
func NewUploadedImages(archive artwork.ImageArchive) *UploadedImages { return &UploadedImages{archive} }

// Run returns the subject's uploaded images, newest first. NotFound: there is
// no such subject.
func (u *UploadedImages) Run(ctx context.Context, subject artwork.Subject) ([]artwork.ListedRecord, error) {
	records, err := u.archive.List(ctx, subject, artwork.Custom)
	return records, artwork.Wrap(artwork.Internal, "applyimage.UploadedImages", err)
}

// Find returns one of them. NotFound: the subject has no such uploaded image.
func (u *UploadedImages) Find(ctx context.Context, subject artwork.Subject, id artwork.ID) (artwork.Record, error) {
	return findUploaded(ctx, u.archive, subject, id)
}
