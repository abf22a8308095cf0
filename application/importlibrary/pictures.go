package importlibrary

import (
	"context"
	"errors"
	"slices"

	"gatefold/domain/artwork"
)

// importPictures stores the best picture of each place and puts it in force
// where the place allows it. It returns the folders of pictures that were left
// out.
func (s *scan) importPictures(ctx context.Context, found map[artwork.Place][]folderPicture) (spoiled map[string]bool, err error) {
	spoiled = map[string]bool{}
	var wanted []artwork.Application
	for _, place := range sortedPlaces(found) {
		application, ok, err := s.best(ctx, place, found[place], spoiled)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		needed, err := s.needed(ctx, application)
		if err != nil {
			return nil, err
		}
		if needed {
			wanted = append(wanted, application)
		}
	}
	return spoiled, s.applyAll(ctx, wanted)
}

// best stores the most preferred picture of a place that is an acceptable image.
func (s *scan) best(ctx context.Context, place artwork.Place, pictures []folderPicture, spoiled map[string]bool) (artwork.Application, bool, error) {
	slices.SortStableFunc(pictures, func(a, b folderPicture) int {
		switch {
		case a.Origin.Less(b.Origin):
			return -1
		case b.Origin.Less(a.Origin):
			return 1
		}
		return 0
	})
	pictures = slices.CompactFunc(pictures, func(a, b folderPicture) bool { return a.Origin == b.Origin })
	for _, picture := range pictures {
		content, err := s.keep(ctx, picture)
		if err == nil {
			return application(place, content, picture), true, nil
		}
		if !isBadPicture(err) {
			return artwork.Application{}, false, err
		}
		spoiled[picture.folder] = true
		s.skip(Skipped{Path: picture.Origin.Path, Reason: reason(err)})
	}
	return artwork.Application{}, false, nil
}

func (s *scan) keep(ctx context.Context, picture folderPicture) (artwork.Content, error) {
	bytes, err := picture.Read(ctx, maxPicture)
	if err != nil {
		return artwork.Content{}, err
	}
	content, err := s.inspector.Inspect(ctx, bytes)
	if err != nil {
		return artwork.Content{}, err
	}
	_, err = s.store.Put(ctx, bytes)
	return content, err
}

func application(place artwork.Place, content artwork.Content, picture folderPicture) artwork.Application {
	return artwork.Application{
		Record: artwork.Record{
			ID:    artwork.RecordID(place, content.Hash, artwork.Local, library),
			Place: place, Content: content, Source: artwork.Local, Provider: library,
			FileName: artwork.CleanFileName(picture.FileName), AddedBy: library,
		},
		By: Watcher, Automatic: true, Origin: picture.Origin,
	}
}

// needed reports whether applying could change anything. A picture that will be
// declined is recorded, so that a person can choose it, without a fence.
func (s *scan) needed(ctx context.Context, application artwork.Application) (bool, error) {
	current, err := s.images.InForce(ctx, application.Record.Place)
	switch {
	case err != nil:
		return false, err
	case current == nil:
		return true, nil
	case current.Source == artwork.Local && current.Hash == application.Record.Content.Hash: // with whatever focal point
		return false, nil
	case current.Source != artwork.Local || current.Locked:
		return false, s.archive.Add(ctx, application.Record)
	}
	return true, nil
}

// applyAll puts pictures in force, as many under one fence as it may have.
func (s *scan) applyAll(ctx context.Context, applications []artwork.Application) error {
	for len(applications) > 0 {
		var keys []artwork.Key
		n := 0
		for _, application := range applications {
			more := application.Record.Place.Keys()
			if len(keys)+len(more) > artwork.MaxKeysPerChange {
				break
			}
			keys = append(keys, more...)
			n++
		}
		if err := s.applyTogether(ctx, keys, applications[:n]); err != nil {
			return err
		}
		applications = applications[n:]
	}
	return nil
}

// applyTogether applies under one fence. What is declined in favour of a picture
// whose file is gone is applied again, with the word that it is gone.
func (s *scan) applyTogether(ctx context.Context, keys []artwork.Key, applications []artwork.Application) error {
	return s.cache.Change(ctx, keys, func(ctx context.Context, fence artwork.Fence) error {
		outcomes, err := s.images.Apply(ctx, fence, applications)
		if err != nil {
			return err
		}
		var again []artwork.Application
		for n, outcome := range outcomes {
			if outcome.Result == artwork.Changed {
				s.summary.NewImages++
			}
			if outcome.Result == artwork.Declined && outcome.Blocker != "" && !s.source.Exists(outcome.Blocker) {
				applications[n].Vanished = outcome.Blocker
				again = append(again, applications[n])
			}
		}
		if len(again) == 0 {
			return nil
		}
		s.summary.NewImages += len(again)
		_, err = s.images.Apply(ctx, fence, again)
		return err
	})
}

// isBadPicture tells what is wrong with a picture from what is wrong with the
// system: the one is named and left out, the other ends the import.
func isBadPicture(err error) bool {
	switch artwork.KindOf(err) {
	case artwork.UnsupportedImage, artwork.CorruptImage, artwork.ImageTooLarge, artwork.TooLarge, artwork.NotFound, artwork.InvalidInput:
		return true
	default:
		return false
	}
}

func reason(err error) string {
	if e, ok := errors.AsType[*artwork.Error](err); ok && e.Msg != "" {
		return e.Msg
	}
	return err.Error()
}
