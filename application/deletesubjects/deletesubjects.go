// Package deletesubjects takes artists, albums and users out of the catalogue, and puts
// them back for as long as that is possible.
package deletesubjects

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gatefold/application/signin"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// DefaultKeep is for how long what was deleted can be restored, and MinKeep and MaxKeep
// bound that.
const (
	DefaultKeep = 30 * 24 * time.Hour
	MinKeep     = time.Hour
	MaxKeep     = 10 * 365 * 24 * time.Hour
)

// batchAlbums is how many albums of an artist go together: with the artist their keys
// fit under one fence.
const batchAlbums = 150

// deleteTries bounds how often an artist is deleted anew who has got albums meanwhile.
const deleteTries = 5

// Config says for how long what was deleted can be restored.
type Config struct{ Keep time.Duration }

// Steps are what deleting and restoring share.
type Steps struct {
	cfg    Config
	cache  artwork.ImageCache
	images artwork.ImageRepository
	bin    catalog.Bin
	albums catalog.Albums
	recent *signin.Recent
	log    *slog.Logger
	now    func() time.Time
}

// NewSteps returns what the use cases share, on the ports.
func NewSteps(cfg Config, cache artwork.ImageCache, images artwork.ImageRepository, bin catalog.Bin, albums catalog.Albums, recent *signin.Recent, log *slog.Logger) *Steps {
	return &Steps{cfg, cache, images, bin, albums, recent, log, time.Now}
}

// Out is what a deletion or a restoration answers.
type Out struct {
	Albums int // of an artist that went, or came back, as well
	// Left counts albums that went with the artist and did not come back, because
	// others hold their MBIDs by now.
	Left int
	// Until is when what was deleted is forgotten; zero of a restoration.
	Until time.Time
	// VisibleAfter is how long the call waited until no instance could answer by what
	// was before.
	VisibleAfter time.Duration
}

// change fences all keys of the subjects while commit runs, and has this process ask for
// sessions again if users are among them.
func (s *Steps) change(ctx context.Context, subjects []artwork.Subject, commit func(context.Context, artwork.Fence) error) error {
	var keys []artwork.Key
	for _, subject := range subjects {
		keys = append(keys, subject.Keys()...)
		if subject.Kind == artwork.UserSubject {
			defer s.recent.Forget()
		}
	}
	return s.cache.Change(ctx, keys, commit)
}

// exists returns NotFound unless the subject is there, or can be restored: who asks for
// another need not wait for a fence.
func (s *Steps) exists(ctx context.Context, subject artwork.Subject) error {
	_, err := s.images.InForce(ctx, artwork.Place{Subject: subject, Slot: subject.Kind.Slots()[0]})
	if artwork.KindOf(err) != artwork.NotFound {
		return err
	}
	if _, binErr := s.bin.Find(ctx, subject); artwork.KindOf(binErr) != artwork.NotFound {
		return binErr
	}
	return err
}

// Delete takes subjects out of the catalogue.
type Delete struct{ *Steps }

// NewDelete returns the use case.
func NewDelete(steps *Steps) *Delete { return &Delete{steps} }

// In says what is to go.
type In struct {
	Subject artwork.Subject
	Albums  bool // of an artist go as well
	By      artwork.Actor
}

// Run returns once no instance answers with the subject or its images, and what was
// deleted before stays so. An artist whose albums go as well goes last: if the call
// fails in between, its repetition goes on.
//
// NotFound: there is no such subject. Conflict: the artist has albums that do not go as
// well; it is the user who asks, or the last administrator who can sign in. Errors
// otherwise: those of catalog.Bin and of ImageCache.Change.
func (d *Delete) Run(ctx context.Context, in In) (out Out, err error) {
	if in.Subject == artwork.User(in.By.ID) {
		return out, artwork.Errorf(artwork.Conflict, "nobody deletes themselves: another administrator can")
	}
	if err := d.exists(ctx, in.Subject); err != nil {
		return out, artwork.Wrap(artwork.Internal, "deletesubjects.Delete", err)
	}
	begin := d.now()
	if in.Albums && in.Subject.Kind == artwork.ArtistSubject {
		out.Albums, err = d.withAlbums(ctx, in)
	} else {
		_, err = d.discard(ctx, catalog.Deletion{Subjects: []artwork.Subject{in.Subject}, By: in.By})
	}
	if err != nil {
		return Out{}, artwork.Wrap(artwork.Internal, "deletesubjects.Delete", err)
	}
	out.VisibleAfter = d.now().Sub(begin)
	d.log.InfoContext(ctx, "Invalidated image cache for "+in.Subject.String(), "deleted", true, "albums", out.Albums, "by", in.By.Name)
	if deleted, err := d.bin.Find(ctx, in.Subject); err == nil { // else it has been restored already
		out.Until = deleted.At.Add(d.cfg.Keep)
	}
	return out, nil
}

func (d *Delete) discard(ctx context.Context, deletion catalog.Deletion) (gone []artwork.Subject, err error) {
	err = d.change(ctx, deletion.Subjects, func(ctx context.Context, fence artwork.Fence) error {
		gone, err = d.bin.Delete(ctx, fence, deletion)
		return err
	})
	return gone, err
}

// withAlbums deletes an artist with all albums, some at a time, and returns how many
// albums those were.
func (d *Delete) withAlbums(ctx context.Context, in In) (albums int, err error) {
	for try := 1; ; {
		page, err := d.albums.List(ctx, catalog.Query{ArtistID: in.Subject.ID, Page: 1, PageSize: batchAlbums})
		if err != nil {
			return albums, err
		}
		deletion := catalog.Deletion{By: in.By, With: in.Subject.ID}
		for _, album := range page.Items {
			deletion.Subjects = append(deletion.Subjects, album.Subject())
		}
		last := page.Next == catalog.Cursor{}
		if last {
			deletion.Subjects = append(deletion.Subjects, in.Subject)
		}
		gone, err := d.discard(ctx, deletion)
		if last && errors.Is(err, catalog.ErrHasAlbums) && try < deleteTries {
			try++ // one has come in between
			continue
		}
		if err != nil {
			return albums, err
		}
		for _, subject := range gone {
			if subject.Kind == artwork.AlbumSubject {
				albums++
			}
		}
		if last {
			return albums, nil
		}
	}
}

// Restore puts back what was deleted.
type Restore struct{ *Steps }

// NewRestore returns the use case.
func NewRestore(steps *Steps) *Restore { return &Restore{steps} }

// Run returns once every instance answers with the subject again, as it was, and an
// artist with the albums that went with it. What is there already stays as it is.
//
// NotFound: there is no such subject, or it is forgotten. Conflict: another subject
// holds its MBID or name by now, or its artist is not there. Errors otherwise: those of
// catalog.Bin and of ImageCache.Change.
func (r *Restore) Run(ctx context.Context, by artwork.Actor, subject artwork.Subject) (out Out, err error) {
	if err := r.exists(ctx, subject); err != nil {
		return out, artwork.Wrap(artwork.Internal, "deletesubjects.Restore", err)
	}
	begin := r.now()
	_, err = r.restore(ctx, catalog.Restoration{Subjects: []artwork.Subject{subject}, By: by})
	if err == nil && subject.Kind == artwork.ArtistSubject {
		err = r.albumsOf(ctx, by, subject.ID, &out)
	}
	out.VisibleAfter = r.now().Sub(begin)
	if err != nil {
		return out, artwork.Wrap(artwork.Internal, "deletesubjects.Restore", err)
	}
	r.log.InfoContext(ctx, "Invalidated image cache for "+subject.String(), "restored", true, "albums", out.Albums, "by", by.Name)
	return out, nil
}

func (r *Restore) restore(ctx context.Context, restoration catalog.Restoration) (back []artwork.Subject, err error) {
	err = r.change(ctx, restoration.Subjects, func(ctx context.Context, fence artwork.Fence) error {
		back, err = r.bin.Restore(ctx, fence, restoration)
		return err
	})
	return back, err
}

// albumsOf restores the albums that went with an artist, some at a time.
func (r *Restore) albumsOf(ctx context.Context, by artwork.Actor, artist artwork.ID, out *Out) error {
	query := catalog.DeletedQuery{With: artist, Limit: batchAlbums}
	for {
		page, err := r.bin.List(ctx, query)
		if err != nil || len(page.Items) == 0 {
			return err
		}
		restoration := catalog.Restoration{By: by}
		for _, d := range page.Items {
			restoration.Subjects = append(restoration.Subjects, d.Subject)
		}
		if err := r.each(ctx, restoration, out); err != nil || page.Next.IsZero() {
			return err
		}
		query.After = page.Next
	}
}

// each restores the subjects together or, if one is the reason why that fails, one by
// one.
func (r *Restore) each(ctx context.Context, restoration catalog.Restoration, out *Out) error {
	back, err := r.restore(ctx, restoration)
	switch kind := artwork.KindOf(err); {
	case err == nil:
		out.Albums += len(back)
		return nil
	case kind != artwork.Conflict && kind != artwork.NotFound:
		return err
	case len(restoration.Subjects) == 1:
		out.Left++
		return nil
	}
	for _, subject := range restoration.Subjects {
		alone := catalog.Restoration{Subjects: []artwork.Subject{subject}, By: restoration.By}
		if err := r.each(ctx, alone, out); err != nil {
			return err
		}
	}
	return nil
}

// Put is the Put of the repository, for who need not know what was deleted: that comes
// back as the item says, alone, and a user without any way to sign in. It is created
// only if it was never there, or is forgotten.
func Put[T catalog.Item](ctx context.Context, r *Restore, repository catalog.Repository[T], by artwork.Actor, item T) (created bool, err error) {
	for range deleteTries {
		created, err = repository.Put(ctx, by, item)
		if !errors.Is(err, catalog.ErrDeleted) {
			return created, err
		}
		restoration := catalog.Restoration{Subjects: []artwork.Subject{item.Subject()}, By: by, As: item}
		back, err := r.restore(ctx, restoration)
		if err == nil && len(back) > 0 {
			return false, nil
		}
		// Somebody else has restored it, or it is forgotten: then Put is right.
		if err != nil && artwork.KindOf(err) != artwork.NotFound {
			return false, artwork.Wrap(artwork.Internal, "deletesubjects.Put", err)
		}
	}
	return created, err
}

// Restorable is a subject that can be restored.
type Restorable struct {
	catalog.Deleted
	Until time.Time // it can be; a day later at most it is forgotten
}

// List tells what can be restored.
type List struct {
	cfg Config
	bin catalog.Bin
}

// NewList returns the use case.
func NewList(cfg Config, bin catalog.Bin) *List { return &List{cfg, bin} }

// Keep returns for how long what is deleted now can be restored.
func (l *List) Keep() time.Duration { return l.cfg.Keep }

// Run returns a page, the latest first. InvalidInput: the query cannot be asked.
func (l *List) Run(ctx context.Context, query catalog.DeletedQuery) (items []Restorable, next catalog.DeletedCursor, err error) {
	page, err := l.bin.List(ctx, query)
	if err != nil {
		return nil, next, artwork.Wrap(artwork.Internal, "deletesubjects.List", err)
	}
	for _, d := range page.Items {
		items = append(items, Restorable{d, d.At.Add(l.cfg.Keep)})
	}
	return items, page.Next, nil
}
