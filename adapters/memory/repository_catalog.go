package memory

import (
	"cmp"
	"context"
	"time"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Artists is the view of a Repository as catalogue of artists.
type Artists struct{ r *Repository }

// Albums is the view of a Repository as catalogue of albums.
type Albums struct{ r *Repository }

// Users is the view of a Repository as catalogue of users.
type Users struct{ r *Repository }

var (
	_ catalog.Artists = (*Artists)(nil)
	_ catalog.Albums  = (*Albums)(nil)
	_ catalog.Users   = (*Users)(nil)
)

// Artists returns the artists of the repository.
func (r *Repository) Artists() *Artists { return &Artists{r} }

// Albums returns the albums of the repository.
func (r *Repository) Albums() *Albums { return &Albums{r} }

// Users returns the users of the repository.
func (r *Repository) Users() *Users { return &Users{r} }

// Get implements catalog.Repository.
func (a *Artists) Get(ctx context.Context, id artwork.ID) (catalog.Artist, error) {
	return get(ctx, a.r, a.r.artists, artwork.Artist(id))
}

// Get implements catalog.Repository.
func (a *Albums) Get(ctx context.Context, id artwork.ID) (catalog.Album, error) {
	album, err := get(ctx, a.r, a.r.albums, artwork.Album(id))
	if err != nil {
		return catalog.Album{}, err
	}
	err = a.r.read(ctx, func() error {
		album = a.r.named(album)
		return nil
	})
	return album, err
}

// Get implements catalog.Repository.
func (u *Users) Get(ctx context.Context, id artwork.ID) (catalog.User, error) {
	return get(ctx, u.r, u.r.users, artwork.User(id))
}

func get[T any](ctx context.Context, r *Repository, all map[artwork.ID]T, subject artwork.Subject) (found T, err error) {
	err = r.read(ctx, func() error {
		var ok bool
		if found, ok = all[subject.ID]; !ok {
			return notFound(subject.String())
		}
		return nil
	})
	return found, err
}

// named returns the album with its artist's present name.
func (r *Repository) named(album catalog.Album) catalog.Album {
	album.ArtistName = r.artists[album.ArtistID].Name
	return album
}

// Put implements catalog.Repository.
func (a *Artists) Put(ctx context.Context, by artwork.Actor, artist catalog.Artist) (created bool, err error) {
	if err := cmp.Or(by.Check(), artist.Check()); err != nil {
		return false, err
	}
	return put(ctx, a.r, by, a.r.artists, artwork.Artist(artist.ID), describeArtist, func(known catalog.Artist, now time.Time) (catalog.Artist, error) {
		artist.Missing, artist.BackgroundPosition, artist.UpdatedAt = known.Missing, known.BackgroundPosition, now
		artist.CreatedAt = cmp.Or(known.CreatedAt, now)
		return artist, a.r.checkArtistMBID(artist)
	})
}

// SetBackgroundPosition implements catalog.Artists.
func (a *Artists) SetBackgroundPosition(ctx context.Context, by artwork.Actor, id artwork.ID, position string) error {
	if err := by.Check(); err != nil {
		return err
	}
	return a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		artist, ok := a.r.artists[id]
		if !ok {
			return nil, notFound(artwork.Artist(id).String())
		}
		entry, changed := activity.OfBackgroundPosition(by, artist, position)
		entry, err := entry.Kept()
		artist.BackgroundPosition, artist.UpdatedAt = position, stored(time.Now())
		return func() {
			a.r.artists[id] = artist
			if changed {
				a.r.note(entry)
			}
		}, err
	})
}

// Put implements catalog.Repository.
func (a *Albums) Put(ctx context.Context, by artwork.Actor, album catalog.Album) (created bool, err error) {
	if err := cmp.Or(by.Check(), album.Check()); err != nil {
		return false, err
	}
	return put(ctx, a.r, by, a.r.albums, artwork.Album(album.ID), describeAlbum, func(known catalog.Album, now time.Time) (catalog.Album, error) {
		if err := a.r.requireSubject(artwork.Artist(album.ArtistID)); err != nil {
			return album, err
		}
		album.ArtistName, album.Missing, album.UpdatedAt = "", known.Missing, now
		album.CreatedAt = cmp.Or(known.CreatedAt, now)
		return album, a.r.checkAlbumMBID(album)
	})
}

// Put implements catalog.Repository.
func (u *Users) Put(ctx context.Context, by artwork.Actor, user catalog.User) (created bool, err error) {
	if err := cmp.Or(by.Check(), user.Check()); err != nil {
		return false, err
	}
	return put(ctx, u.r, by, u.r.users, artwork.User(user.ID), describeUser, func(known catalog.User, now time.Time) (catalog.User, error) {
		user.UpdatedAt = now
		user.CreatedAt = cmp.Or(known.CreatedAt, now)
		return user, u.r.checkUsername(user)
	})
}

func (r *Repository) checkUsername(user catalog.User) error {
	folded := catalog.FoldName(user.Username)
	for id, other := range r.users {
		if id != user.ID && catalog.FoldName(other.Username) == folded {
			return errHeld(artwork.User(id), "user name")
		}
	}
	return nil
}

// put stores what merge makes of the subject that is known by the ID; that is
// the zero value for a new one.
func put[T any](
	ctx context.Context, r *Repository, by artwork.Actor, all map[artwork.ID]T, subject artwork.Subject,
	describe func(T) described, merge func(known T, now time.Time) (T, error),
) (created bool, err error) {
	if subject.ID.IsZero() {
		return false, artwork.Errorf(artwork.InvalidInput, "the %s has no ID", subject.Kind)
	}
	err = r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		known, ok := all[subject.ID]
		if _, gone := r.deleted[subject]; gone {
			return nil, catalog.DeletedError(subject)
		}
		created = !ok
		merged, err := merge(known, stored(time.Now()))
		if err != nil {
			return nil, err
		}
		before, after := describe(known), describe(merged)
		if created {
			before.facts = nil
		}
		entry, changed := activity.OfSubject(by, subject, after.name, before.facts, after.facts)
		entry, err = entry.Kept()
		return func() {
			all[subject.ID] = merged
			if changed {
				r.note(entry)
			}
		}, err
	})
	return created && err == nil, err
}

func errHeld(holder artwork.Subject, what string) error {
	return artwork.Errorf(artwork.Conflict, "%s has the same %s", holder, what)
}

func (r *Repository) checkArtistMBID(artist catalog.Artist) error {
	for id, other := range r.artists {
		if id != artist.ID && !other.MBID.IsZero() && other.MBID == artist.MBID {
			return errHeld(artwork.Artist(id), "MBID")
		}
	}
	return nil
}

func (r *Repository) checkAlbumMBID(album catalog.Album) error {
	for id, other := range r.albums {
		if id != album.ID && !other.MBID.IsZero() && other.MBID == album.MBID {
			return errHeld(artwork.Album(id), "MBID")
		}
	}
	return nil
}
