package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gatefold/application/announce"
	"gatefold/domain/artwork"
)

// ChangeLog is the view of a Repository as log of its changes.
type ChangeLog struct{ r *Repository }

var (
	_ artwork.ChangeLog = (*ChangeLog)(nil)
	_ announce.Changes  = (*ChangeLog)(nil)
)

// ChangeLog returns the log of the repository's changes.
func (r *Repository) ChangeLog() *ChangeLog { return &ChangeLog{r} }

// pendingState is a committed change that is not finished.
type pendingState struct {
	keys     []artwork.Key
	deadline time.Time
}

// ChangedWithin implements artwork.ChangeLog.
func (l *ChangeLog) ChangedWithin(ctx context.Context, past time.Duration, visit func(artwork.Place) error) error {
	return l.ModifiedWithin(ctx, past, func(place artwork.Place, _ time.Time) error { return visit(place) })
}

// ModifiedWithin implements announce.Changes.
func (l *ChangeLog) ModifiedWithin(ctx context.Context, past time.Duration, visit func(artwork.Place, time.Time) error) error {
	modified := map[artwork.Place]time.Time{}
	err := l.r.read(ctx, func() error {
		since := time.Now().Add(-past)
		for place, at := range l.r.changedAt {
			if !at.Before(since) {
				modified[place] = l.r.slots[place].LastModified
			}
		}
		return nil
	})
	for place, at := range modified {
		if err := visit(place, at); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return err
}

// Overdue implements artwork.ChangeLog.
func (l *ChangeLog) Overdue(ctx context.Context, limit int) ([]artwork.PendingChange, error) {
	var changes []artwork.PendingChange
	err := l.r.read(ctx, func() error {
		var overdue []string
		for token, pending := range l.r.pending {
			if !pending.deadline.After(time.Now()) {
				overdue = append(overdue, token)
			}
		}
		slices.SortFunc(overdue, func(a, b string) int {
			return cmp.Or(l.r.pending[a].deadline.Compare(l.r.pending[b].deadline), cmp.Compare(a, b))
		})
		for _, token := range overdue[:min(len(overdue), max(limit, 0))] {
			changes = append(changes, artwork.PendingChange{Token: token, Keys: slices.Clone(l.r.pending[token].keys)})
		}
		return nil
	})
	return changes, err
}

// Finish implements artwork.ChangeLog.
func (l *ChangeLog) Finish(ctx context.Context, token string) error {
	return l.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() { delete(l.r.pending, token) }, nil
	})
}

// noteChanged records when the places changed and that the cache has to hear of
// it. Several changes under one fence are one.
func (r *Repository) noteChanged(fence artwork.Fence, places map[artwork.Place]bool) {
	if len(places) == 0 {
		return
	}
	for place := range places {
		r.changedAt[place] = time.Now()
	}
	if _, known := r.pending[fence.Token]; fence.Token != "" && !known {
		r.pending[fence.Token] = pendingState{keys: slices.Clone(fence.Keys), deadline: time.Now().Add(fence.Remaining())}
	}
}
