package memory

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Activity is the view of a Repository as log of who changed what.
type Activity struct{ r *Repository }

var _ activity.Log = (*Activity)(nil)

// Activity returns the activity log of the repository.
func (r *Repository) Activity() *Activity { return &Activity{r} }

// activityState is the log.
type activityState struct {
	entries []activity.Entry // the latest last
	lastID  int64
}

// note adds entries that were checked (Entry.Kept). Called while the change is
// committed that they tell of.
func (r *Repository) note(entries ...activity.Entry) {
	for _, entry := range entries {
		r.activity.lastID++
		entry.ID, entry.At = r.activity.lastID, stored(time.Now())
		r.activity.entries = append(r.activity.entries, entry)
	}
}

// Record implements activity.Log.
func (a *Activity) Record(ctx context.Context, entry activity.Entry) error {
	kept, err := entry.Kept()
	if err != nil {
		return err
	}
	kept.Before, kept.After = slices.Clone(kept.Before), slices.Clone(kept.After)
	return a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() { a.r.note(kept) }, nil
	})
}

// List implements activity.Log.
func (a *Activity) List(ctx context.Context, query activity.Query) (page activity.Page, err error) {
	if err := query.Check(); err != nil {
		return page, err
	}
	err = a.r.read(ctx, func() error {
		for _, entry := range slices.Backward(a.r.activity.entries) {
			if !selects(query, entry) {
				continue
			}
			if len(page.Items) == query.Limit {
				page.Next = page.Items[query.Limit-1].ID
				break
			}
			entry.Before, entry.After = slices.Clone(entry.Before), slices.Clone(entry.After)
			page.Items = append(page.Items, entry)
		}
		return nil
	})
	return page, err
}

// selects reports whether all is true of the entry that the query names.
func selects(query activity.Query, entry activity.Entry) bool {
	return (query.Before == 0 || entry.ID < query.Before) &&
		(query.Actor == "" || entry.Actor.Name == query.Actor) &&
		(query.Action == "" || isOf(query, entry.Action)) &&
		(query.Kind == "" || entry.Subject.Kind == query.Kind) &&
		(query.ID.IsZero() || entry.Subject.ID == query.ID) &&
		(query.Since.IsZero() || !entry.At.Before(query.Since)) &&
		(query.Until.IsZero() || entry.At.Before(query.Until))
}

func isOf(query activity.Query, action artwork.Action) bool {
	name, family, _ := query.Actions() // the query was checked
	return string(action) == name || family && strings.HasPrefix(string(action), name)
}

// Trim implements activity.Log.
func (a *Activity) Trim(ctx context.Context, keep time.Duration, limit int) (removed int, err error) {
	err = a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() {
			entries, expired := a.r.activity.entries, time.Now().Add(-keep)
			for removed < min(len(entries), limit) && entries[removed].At.Before(expired) {
				removed++
			}
			a.r.activity.entries = slices.Clone(entries[removed:])
		}, nil
	})
	return removed, err
}

// nameOf returns what the subject is called.
func (r *Repository) nameOf(s artwork.Subject) string {
	switch s.Kind {
	case artwork.ArtistSubject:
		return r.artists[s.ID].Name
	case artwork.AlbumSubject:
		return r.albums[s.ID].Name
	case artwork.UserSubject:
		return r.users[s.ID].Username
	}
	return ""
}

// described is what the log says of a subject.
type described struct {
	name  string
	facts activity.Facts
}

func describeArtist(a catalog.Artist) described {
	return described{a.Name, activity.FactsOfArtist(a)}
}

func describeAlbum(a catalog.Album) described { return described{a.Name, activity.FactsOfAlbum(a)} }

func describeUser(u catalog.User) described { return described{u.Username, activity.FactsOfUser(u)} }
