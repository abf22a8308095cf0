package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"gatefold/domain/account"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Bin is the view of a Repository as what was deleted.
type Bin struct{ r *Repository }

var _ catalog.Bin = (*Bin)(nil)

// Bin returns what was deleted from the repository.
func (r *Repository) Bin() *Bin { return &Bin{r} }

// deletedState is a subject that was deleted: what the catalogue had of it. Its slots,
// records and history are where they were.
type deletedState struct {
	catalog.Deleted
	item       catalog.Item
	inFiles    bool     // an album that was in a folder at some time
	folders    []string // that hold it
	account    *accountState
	identities []account.Identity
}

// Delete implements catalog.Bin.
func (b *Bin) Delete(ctx context.Context, fence artwork.Fence, deletion catalog.Deletion) (gone []artwork.Subject, err error) {
	if err := deletion.Check(); err != nil {
		return nil, err
	}
	err = b.r.change(ctx, fence, func() (func(), error) {
		if gone, err = b.present(deletion.Subjects); err != nil {
			return nil, err
		}
		if err := b.mayGo(gone); err != nil {
			return nil, err
		}
		kept, err := keptOf(b.entries(gone, func(s artwork.Subject, d described) activity.Entry {
			return activity.OfDeletion(deletion.By, s, d.name, d.facts)
		})...)
		return func() {
			for _, subject := range gone {
				b.r.deleted[subject] = b.take(subject, deletion)
			}
			b.touch(fence, gone)
			b.r.note(kept...)
		}, err
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

// present returns those of the subjects that are in the catalogue, each once. The
// others have to be in the bin.
func (b *Bin) present(subjects []artwork.Subject) (there []artwork.Subject, err error) {
	for _, s := range inOrder(subjects) {
		_, gone := b.r.deleted[s]
		switch err := b.r.requireSubject(s); {
		case err == nil:
			there = append(there, s)
		case !gone:
			return nil, err
		}
	}
	return there, nil
}

// inOrder returns the subjects, each once, artists first.
func inOrder(subjects []artwork.Subject) []artwork.Subject {
	return slices.Compact(slices.SortedFunc(slices.Values(subjects), func(x, y artwork.Subject) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), bytes.Compare(x.ID[:], y.ID[:]))
	}))
}

// mayGo returns a Conflict if something that stays needs one of the subjects.
func (b *Bin) mayGo(subjects []artwork.Subject) error {
	for id, album := range b.r.albums {
		if slices.Contains(subjects, artwork.Artist(album.ArtistID)) && !slices.Contains(subjects, artwork.Album(id)) {
			return catalog.HasAlbumsError(album.ArtistID)
		}
	}
	goes, stays := false, false
	for id, user := range b.r.users {
		if user.Role != catalog.RoleAdmin || !b.r.account(id).CanSignIn() {
			continue
		}
		if slices.Contains(subjects, artwork.User(id)) {
			goes = true
		} else {
			stays = true
		}
	}
	if goes && !stays {
		return catalog.LastAdminError()
	}
	return nil
}

func (b *Bin) entries(subjects []artwork.Subject, of func(artwork.Subject, described) activity.Entry) []activity.Entry {
	entries := make([]activity.Entry, len(subjects))
	for i, s := range subjects {
		entries[i] = of(s, describe(b.r.item(s)))
	}
	return entries
}

// item returns what the catalogue has of a subject.
func (r *Repository) item(s artwork.Subject) catalog.Item {
	switch s.Kind {
	case artwork.ArtistSubject:
		return r.artists[s.ID]
	case artwork.AlbumSubject:
		return r.named(r.albums[s.ID])
	default:
		return r.users[s.ID]
	}
}

func describe(item catalog.Item) described {
	switch item := item.(type) {
	case catalog.Artist:
		return describeArtist(item)
	case catalog.Album:
		return describeAlbum(item)
	case catalog.User:
		return describeUser(item)
	}
	return described{}
}

// take takes the subject out of the catalogue.
func (b *Bin) take(subject artwork.Subject, deletion catalog.Deletion) deletedState {
	item := b.r.item(subject)
	state := deletedState{item: item, Deleted: catalog.Deleted{
		Subject: subject, Name: describe(item).name, At: stored(time.Now()), By: deletion.By.Name,
	}}
	switch item := item.(type) {
	case catalog.Artist:
		delete(b.r.artists, subject.ID)
	case catalog.Album:
		state.ArtistID, state.ArtistName, state.With = item.ArtistID, item.ArtistName, deletion.With
		b.takeAlbum(&state)
	case catalog.User:
		b.takeUser(&state)
	}
	for _, slot := range subject.Kind.Slots() {
		b.r.forgetConsidered(artwork.Place{Subject: subject, Slot: slot})
	}
	return state
}

func (b *Bin) takeAlbum(state *deletedState) {
	id := state.Subject.ID
	state.inFiles = b.r.inFiles[id]
	for path, folder := range b.r.folders {
		if slices.Contains(folder.albums, id) {
			state.folders = append(state.folders, path)
			folder.albums = slices.DeleteFunc(slices.Clone(folder.albums), func(other artwork.ID) bool { return other == id })
			b.r.folders[path] = folder
		}
	}
	delete(b.r.albums, id)
	delete(b.r.inFiles, id)
}

func (b *Bin) takeUser(state *deletedState) {
	id, identity := state.Subject.ID, b.r.identity
	if known, ok := identity.accounts[id]; ok {
		state.account = &known
	}
	for linked, user := range identity.linked {
		if user == id {
			state.identities = append(state.identities, linked)
			delete(identity.linked, linked)
		}
	}
	b.r.endSessions(id, artwork.ID{})
	delete(identity.accounts, id)
	delete(b.r.users, id)
}

// touch notes that every place of the subjects was modified.
func (b *Bin) touch(fence artwork.Fence, subjects []artwork.Subject) {
	changed := map[artwork.Place]bool{}
	for _, subject := range subjects {
		var before []time.Time
		for _, slot := range subject.Kind.Slots() {
			place := artwork.Place{Subject: subject, Slot: slot}
			before, changed[place] = append(before, b.r.slots[place].LastModified), true
		}
		at := artwork.NextModified(time.Now(), before...)
		for _, slot := range subject.Kind.Slots() {
			place := artwork.Place{Subject: subject, Slot: slot}
			state := b.r.slots[place]
			state.LastModified = at
			b.r.slots[place] = state
		}
	}
	b.r.noteChanged(fence, changed)
}

// Restore implements catalog.Bin.
func (b *Bin) Restore(ctx context.Context, fence artwork.Fence, restoration catalog.Restoration) (back []artwork.Subject, err error) {
	if err := restoration.Check(); err != nil {
		return nil, err
	}
	err = b.r.change(ctx, fence, func() (func(), error) {
		back = nil
		var states []deletedState
		var entries []activity.Entry
		// What comes back is tried on a copy of the catalogue.
		trial := &Repository{artists: maps.Clone(b.r.artists), albums: maps.Clone(b.r.albums), users: maps.Clone(b.r.users)}
		for _, subject := range inOrder(restoration.Subjects) {
			state, ok := b.r.deleted[subject]
			if !ok {
				if err := b.r.requireSubject(subject); err != nil {
					return nil, err
				}
				continue
			}
			state.item = b.become(state.item, restoration.As)
			if err := trial.enter(state.item); err != nil {
				return nil, err
			}
			d := describe(state.item)
			back, states = append(back, subject), append(states, state)
			entries = append(entries, activity.OfRestoration(restoration.By, subject, d.name, d.facts))
		}
		kept, err := keptOf(entries...)
		return func() {
			for _, state := range states {
				b.putBack(state, restoration.As == nil)
			}
			b.touch(fence, back)
			b.r.note(kept...)
		}, err
	})
	if err != nil {
		return nil, err
	}
	return back, nil
}

// become returns what the item is when it comes back.
func (b *Bin) become(was, as catalog.Item) catalog.Item {
	now := stored(time.Now())
	switch as := as.(type) {
	case catalog.Artist:
		was, _ := was.(catalog.Artist)
		as.Missing, as.BackgroundPosition, as.CreatedAt, as.UpdatedAt = was.Missing, was.BackgroundPosition, was.CreatedAt, now
		return as
	case catalog.Album:
		was, _ := was.(catalog.Album)
		as.ArtistName, as.Missing, as.CreatedAt, as.UpdatedAt = "", was.Missing, was.CreatedAt, now
		return as
	case catalog.User:
		was, _ := was.(catalog.User)
		as.CreatedAt, as.UpdatedAt = was.CreatedAt, now
		return as
	}
	return was
}

// enter puts an item into the catalogue, if nothing there is against it.
func (r *Repository) enter(item catalog.Item) error {
	switch item := item.(type) {
	case catalog.Artist:
		r.artists[item.ID] = item
		return r.checkArtistMBID(item)
	case catalog.Album:
		if r.requireSubject(artwork.Artist(item.ArtistID)) != nil {
			return catalog.OrphanError(item.ID, item.ArtistID)
		}
		item.ArtistName = ""
		r.albums[item.ID] = item
		return r.checkAlbumMBID(item)
	case catalog.User:
		r.users[item.ID] = item
		return r.checkUsername(item)
	}
	return nil
}

// putBack is take, undone; with credentials a user can sign in as before.
func (b *Bin) putBack(state deletedState, credentials bool) {
	id := state.Subject.ID
	delete(b.r.deleted, state.Subject)
	_ = b.r.enter(state.item) // it was tried
	if state.inFiles {
		b.r.inFiles[id] = true
	}
	for _, path := range state.folders {
		if folder, ok := b.r.folders[path]; ok && !slices.Contains(folder.albums, id) {
			folder.albums = append(slices.Clone(folder.albums), id)
			b.r.folders[path] = folder
		}
	}
	if state.account == nil {
		return
	}
	restored := *state.account
	if credentials {
		for _, identity := range state.identities {
			b.r.identity.linked[identity] = id
		}
	} else {
		restored.passwordHash = ""
	}
	b.r.identity.accounts[id] = restored
}

// Find implements catalog.Bin.
func (b *Bin) Find(ctx context.Context, subject artwork.Subject) (found catalog.Deleted, err error) {
	err = b.r.read(ctx, func() error {
		state, ok := b.r.deleted[subject]
		if !ok {
			return notFound(subject.String() + " that can be restored")
		}
		found = b.counted(state)
		return nil
	})
	return found, err
}

// counted returns what is told of a subject in the bin.
func (b *Bin) counted(state deletedState) catalog.Deleted {
	for _, other := range b.r.deleted {
		if state.Subject.Kind == artwork.ArtistSubject && other.With == state.Subject.ID {
			state.Albums++
		}
	}
	return state.Deleted
}

// List implements catalog.Bin.
func (b *Bin) List(ctx context.Context, query catalog.DeletedQuery) (page catalog.DeletedPage, err error) {
	if err := query.Check(); err != nil {
		return page, err
	}
	err = b.r.read(ctx, func() error {
		for _, state := range b.r.deleted {
			if (query.Kind == 0 || query.Kind == state.Subject.Kind) && (query.With.IsZero() || query.With == state.With) {
				page.Items = append(page.Items, b.counted(state))
			}
		}
		return nil
	})
	slices.SortFunc(page.Items, latestFirst)
	if after := query.After; !after.IsZero() {
		page.Items = slices.DeleteFunc(page.Items, func(d catalog.Deleted) bool {
			return latestFirst(d, catalog.Deleted{At: after.At, Subject: artwork.Subject{ID: after.ID}}) <= 0
		})
	}
	if len(page.Items) > query.Limit {
		page.Items = page.Items[:query.Limit]
		page.Next = page.Items[query.Limit-1].Cursor()
	}
	return page, err
}

func latestFirst(x, y catalog.Deleted) int {
	return cmp.Or(y.At.Compare(x.At), bytes.Compare(y.Subject.ID[:], x.Subject.ID[:]))
}

// Forget implements catalog.Bin.
func (b *Bin) Forget(ctx context.Context, keep time.Duration, limit int) (subjects, records int, err error) {
	err = b.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		var old []catalog.Deleted
		for _, state := range b.r.deleted {
			if time.Since(state.At) >= keep {
				old = append(old, state.Deleted)
			}
		}
		slices.SortFunc(old, latestFirst)
		slices.Reverse(old)
		old = old[:min(len(old), max(limit, 0))]
		return func() {
			for _, d := range old {
				records += b.forget(d.Subject)
			}
			subjects = len(old)
		}, nil
	})
	return subjects, records, err
}

// forget forgets a subject for good, and returns how many records that takes along.
func (b *Bin) forget(subject artwork.Subject) int {
	draft := newDraft(b.r)
	for id, record := range b.r.records {
		draft.gone[id] = record.Place.Subject == subject
	}
	maps.DeleteFunc(draft.gone, func(_ artwork.ID, gone bool) bool { return !gone })
	draft.commit(artwork.Unfenced())
	for _, slot := range subject.Kind.Slots() {
		place := artwork.Place{Subject: subject, Slot: slot}
		delete(b.r.slots, place)
		delete(b.r.changedAt, place)
		delete(b.r.learned, place)
	}
	delete(b.r.deleted, subject)
	return len(draft.gone)
}
