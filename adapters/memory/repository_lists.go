package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// List implements catalog.Repository.
func (a *Artists) List(ctx context.Context, query catalog.Query) (catalog.Page[catalog.Artist], error) {
	return list(ctx, a.r, artwork.ArtistSubject, a.r.artists, query, func(artist catalog.Artist) listed {
		sortKey := catalog.SortKey(cmp.Or(artist.SortName, artist.Name))
		return listed{id: artist.ID, sortKey: sortKey, added: artist.CreatedAt, names: []string{sortKey, catalog.SearchForm(artist.Name)}}
	})
}

// List implements catalog.Repository.
func (a *Albums) List(ctx context.Context, query catalog.Query) (catalog.Page[catalog.Album], error) {
	page, err := list(ctx, a.r, artwork.AlbumSubject, a.r.albums, query, func(album catalog.Album) listed {
		artist := a.r.artists[album.ArtistID]
		sortKey := catalog.SortKey(album.Name)
		return listed{
			id: album.ID, artist: album.ArtistID, sortKey: sortKey, added: album.CreatedAt, year: album.Year, names: []string{sortKey, catalog.SearchForm(album.Name)},
			others: []string{catalog.SearchForm(artist.Name), catalog.SortKey(cmp.Or(artist.SortName, artist.Name))},
		}
	})
	if err != nil {
		return catalog.Page[catalog.Album]{}, err
	}
	err = a.r.read(ctx, func() error {
		for i, album := range page.Items {
			page.Items[i] = a.r.named(album)
		}
		return nil
	})
	return page, err
}

// List implements catalog.Repository.
func (u *Users) List(ctx context.Context, query catalog.Query) (catalog.Page[catalog.User], error) {
	return list(ctx, u.r, artwork.UserSubject, u.r.users, query, func(user catalog.User) listed {
		sortKey := catalog.SortKey(user.Username)
		return listed{id: user.ID, sortKey: sortKey, added: user.CreatedAt, names: []string{sortKey, catalog.SearchForm(user.Username), catalog.SearchForm(user.DisplayName)}}
	})
}

// listed is what of a subject matters to a list.
type listed struct {
	id, artist    artwork.ID
	sortKey       string
	added         time.Time
	year          int
	names, others []string // what is searched, folded
}

// line is a subject in its place.
type line[T any] struct {
	catalog.Position
	subject T
}

func list[T any](
	ctx context.Context, r *Repository, kind artwork.SubjectKind, all map[artwork.ID]T, query catalog.Query, describe func(T) listed,
) (catalog.Page[T], error) {
	var page catalog.Page[T]
	if err := query.Check(kind); err != nil {
		return page, err
	}
	err := r.read(ctx, func() error {
		var lines []line[T]
		search := catalog.NewSearch(query.Text)
		for _, subject := range all {
			d := describe(subject)
			rank := d.rank(search)
			if (search.IsZero() || rank != catalog.Unmatched) && r.matches(kind, d, query) {
				lines = append(lines, line[T]{r.position(kind, d, rank, query.Order.By), subject})
			}
		}
		slices.SortFunc(lines, func(a, b line[T]) int { return query.Order.Compare(a.Position, b.Position) })
		page = pageOf(r, kind, lines, query)
		return nil
	})
	return page, err
}

func (r *Repository) position(kind artwork.SubjectKind, d listed, rank catalog.Rank, by catalog.OrderBy) catalog.Position {
	at := catalog.Position{SortKey: d.sortKey, ID: d.id}
	switch by {
	case catalog.Best:
		at.Rank = rank
	case catalog.ByAdded:
		at.Value = d.added.UnixMicro()
	case catalog.ByYear:
		at.Value = int64(d.year)
	case catalog.ByUpdated:
		for _, slot := range kind.Slots() {
			state := r.slots[artwork.Place{Subject: artwork.Subject{Kind: kind, ID: d.id}, Slot: slot}]
			if !state.LastModified.IsZero() {
				at.Value = max(at.Value, state.LastModified.Unix())
			}
		}
	default: // names alone
	}
	return at
}

func (d listed) rank(search catalog.Search) catalog.Rank {
	if search.IsZero() {
		return catalog.Unmatched
	}
	return search.Rank(d.names, d.others)
}

// pageOf cuts the page out of the whole list.
func pageOf[T any](r *Repository, kind artwork.SubjectKind, lines []line[T], query catalog.Query) catalog.Page[T] {
	page := catalog.Page[T]{Total: len(lines)}
	rest := lines[start(lines, query):]
	for i, l := range rest[:min(query.PageSize, len(rest))] {
		page.Items = append(page.Items, l.subject)
		if i == query.PageSize-1 && len(rest) > query.PageSize {
			page.Next = query.CursorAt(l.Position)
		}
		for _, slot := range kind.Slots() {
			image := r.slots[artwork.Place{Subject: artwork.Subject{Kind: kind, ID: l.ID}, Slot: slot}].Image()
			if image == nil {
				continue
			}
			if page.Images == nil {
				page.Images = map[artwork.ID]map[artwork.Slot]*artwork.Image{}
			}
			if page.Images[l.ID] == nil {
				page.Images[l.ID] = map[artwork.Slot]*artwork.Image{}
			}
			page.Images[l.ID][slot] = image
		}
	}
	return page
}

// start returns how many lines come before the page.
func start[T any](lines []line[T], query catalog.Query) int {
	if after := query.After; after != (catalog.Cursor{}) {
		n, found := slices.BinarySearchFunc(lines, after.Position, func(l line[T], at catalog.Position) int { return query.Order.Compare(l.Position, at) })
		if found {
			n++
		}
		return n
	}
	// Compared by division, because the number of the page may be very large.
	if query.Page-1 > len(lines)/query.PageSize {
		return len(lines)
	}
	return min((query.Page-1)*query.PageSize, len(lines))
}

func (r *Repository) matches(kind artwork.SubjectKind, d listed, query catalog.Query) bool {
	if kind == artwork.AlbumSubject && !query.ArtistID.IsZero() && d.artist != query.ArtistID {
		return false
	}
	subject := artwork.Subject{Kind: kind, ID: d.id}
	if query.Missing != 0 && r.slots[artwork.Place{Subject: subject, Slot: query.Missing}].InForce != nil {
		return false
	}
	if query.Holding.Slot == 0 {
		return true
	}
	held := r.slots[artwork.Place{Subject: subject, Slot: query.Holding.Slot}]
	return query.Holding.Allows(held.Image(), held.Locked)
}
