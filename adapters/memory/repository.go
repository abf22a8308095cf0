package memory

import (
	"context"
	"sync"
	"time"

	"gatefold/application/accesstoken"
	"gatefold/application/fillmissing"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Repository keeps in memory what a database would: images, the catalogue, what
// imports remember and API tokens. Its ports are views of it, such as Images.
//
// One change is made at a time, and readers see all of it or nothing. They are
// not kept waiting while a change waits for its fence.
type Repository struct {
	writing chan struct{} // holds an element while a change is under way

	mu      sync.RWMutex // guards what follows; held for writing only to commit
	artists map[artwork.ID]catalog.Artist
	albums  map[artwork.ID]catalog.Album
	users   map[artwork.ID]catalog.User
	deleted map[artwork.Subject]deletedState
	records map[artwork.ID]artwork.Record
	slots   map[artwork.Place]artwork.SlotState
	history []artwork.HistoryEntry    // the latest last
	done    map[artwork.ID]artwork.ID // idempotency keys, and the records that took force under them
	// withdrawn are uploads that are not offered any more.
	withdrawn  map[artwork.ID]bool
	considered map[consideredKey]findimages.Consideration
	folders    map[string]folderState
	inFiles    map[artwork.ID]bool // albums that were in a folder at some time
	tokens     []accesstoken.Token
	identity   identityState

	changedAt map[artwork.Place]time.Time // when the pointer changed
	pending   map[string]pendingState     // by token

	activity   activityState
	deployment deploymentState
	requested  map[artwork.Key]request
	tasks      map[string]taskState
	jobs       map[artwork.ID]jobState
	settings   settingsState
	fills      map[artwork.ID]fillState
	learned    map[artwork.Place]fillmissing.Learned
}

// NewRepository returns an empty repository.
func NewRepository() *Repository {
	return &Repository{
		writing: make(chan struct{}, 1),
		artists: map[artwork.ID]catalog.Artist{},
		albums:  map[artwork.ID]catalog.Album{},
		users:   map[artwork.ID]catalog.User{},
		deleted: map[artwork.Subject]deletedState{},
		records: map[artwork.ID]artwork.Record{},

		withdrawn:  map[artwork.ID]bool{},
		considered: map[consideredKey]findimages.Consideration{},

		slots:   map[artwork.Place]artwork.SlotState{},
		done:    map[artwork.ID]artwork.ID{},
		folders: map[string]folderState{},
		inFiles: map[artwork.ID]bool{},

		identity:  newIdentityState(),
		changedAt: map[artwork.Place]time.Time{},
		pending:   map[string]pendingState{},

		requested: map[artwork.Key]request{},
		tasks:     map[string]taskState{},
		jobs:      map[artwork.ID]jobState{},
		fills:     map[artwork.ID]fillState{},
		learned:   map[artwork.Place]fillmissing.Learned{},
	}
}

// change makes one change: prepare looks at the state, which nobody else changes
// meanwhile, and returns what is to be done to it under the fence.
func (r *Repository) change(ctx context.Context, fence artwork.Fence, prepare func() (commit func(), err error)) error {
	if err := r.await(ctx, fence.Deadline); err != nil {
		return err
	}
	defer func() { <-r.writing }()
	commit, err := prepare()
	if err != nil {
		return err
	}
	if fence.Revision != 0 && fence.Revision != r.deployment.Revision {
		return &artwork.Error{
			Kind: artwork.Unavailable, Op: "memory.change", Err: artwork.ErrSettingsChanged,
			Msg: "the deployment's cache settings have changed meanwhile; nothing has changed",
		}
	}
	if err := fence.StillHeld(ctx); err != nil {
		return err
	}
	if !fence.Deadline.IsZero() && !time.Now().Before(fence.Deadline) {
		return errTooLate()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	commit()
	return nil
}

// await returns when no other change is under way.
func (r *Repository) await(ctx context.Context, deadline time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var late <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case r.writing <- struct{}{}:
		return nil
	case <-late:
		return errTooLate()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func errTooLate() error {
	return artwork.Errorf(artwork.CacheUnreachable, "the change took longer than its fence holds; nothing has changed")
}

// read runs look on a state that does not change meanwhile.
func (r *Repository) read(ctx context.Context, look func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return look()
}

func (r *Repository) requireSubject(s artwork.Subject) error {
	known := false
	switch s.Kind {
	case artwork.ArtistSubject:
		_, known = r.artists[s.ID]
	case artwork.AlbumSubject:
		_, known = r.albums[s.ID]
	case artwork.UserSubject:
		_, known = r.users[s.ID]
	}
	if !known {
		return notFound(s.String())
	}
	return nil
}

func notFound(what string) error {
	return artwork.Errorf(artwork.NotFound, "there is no %s", what)
}

// stored returns the time as the databases keep it: UTC, to the microsecond.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
