package conformance

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// changeLogCases are the clauses of artwork.ChangeLog, and of what the image
// repository records for it.
func changeLogCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"changes: a committed change is found", changeFound},
		{"changes: a change is not found before it is committed", changeNotYetFound},
		{"changes: what was rolled back leaves nothing", rolledBackLeavesNothing},
		{"changes: the time excludes what changed before", windowExcludesOlder},
		{"changes: what leaves the pointer as it is is no change", samePointerIsNoChange},
		{"changes: more than a thousand places are all visited", manyChanges},
		{"changes: the visits stop at the first error", changesStop},
		{"changes: visit may use the repository", changesReentrant},
		{"changes: a change is pending from its commit, and overdue after its deadline", overdueAfterDeadline},
		{"changes: the oldest are overdue first, and not more than wanted", overdueInOrder},
		{"changes: the keys come back in their order", pendingKeys},
		{"changes: a finished change is forgotten", finishForgets},
		{"changes: two calls under one fence are one change", twoCallsOneChange},
		{"changes: 20 writers at once leave 20 changes", racingChanges},
		{"changes: without a token nothing is pending", noTokenNothingPending},
		{"changes: without a deadline a change is not overdue at once", noDeadline},
		{"changes: what a slot shows was modified when its image says", modifiedAsTheImage},
		{"changes: an emptied slot was modified, a locked one was not", modifiedWhenEmptied},
		{"changes: a cancelled context ends every method", changesCancelled},
	}
}

// shortly is how long the fences of changes hold that a case waits for.
const shortly = 300 * time.Millisecond

// patience is how long a case waits for what a fraction of a second brings.
const patience = 10 * time.Second

// commitPending makes a change under a fence that holds shortly, and returns its
// deadline.
func commitPending(t TB, r Repositories, token string, keys []artwork.Key, application artwork.Application) time.Time {
	t.Helper()
	deadline, err := tryPending(t.Context(), r, token, keys, application)
	require.NoError(t, err)
	return deadline
}

// tryPending gives a machine more time that is too slow for the fence.
func tryPending(ctx context.Context, r Repositories, token string, keys []artwork.Key, application artwork.Application) (time.Time, error) {
	for term := shortly; ; term *= 2 {
		fence := pendingFence(token, keys, term)
		_, err := r.Images.Apply(ctx, fence, []artwork.Application{application})
		if artwork.KindOf(err) != artwork.CacheUnreachable || term > patience/4 {
			return fence.Deadline, err
		}
	}
}

func pendingFence(token string, keys []artwork.Key, term time.Duration) artwork.Fence {
	fence := artwork.Unfenced()
	fence.Keys, fence.Token, fence.Deadline = keys, token, time.Now().Add(term)
	return fence
}

// everyOverdue waits until the change with the token is overdue, and returns all
// that are: also every one whose deadline is not later.
func everyOverdue(t TB, r Repositories, token string) []artwork.PendingChange {
	t.Helper()
	var overdue []artwork.PendingChange
	require.Eventually(t, func() bool {
		var err error
		overdue, err = r.ChangeLog.Overdue(t.Context(), math.MaxInt32)
		return err != nil || slices.Contains(tokensOf(overdue), token)
	}, patience, 10*time.Millisecond, "the change %q is not overdue", token)
	return overdue
}

func tokensOf(changes []artwork.PendingChange) []string {
	tokens := make([]string, len(changes))
	for i, change := range changes {
		tokens[i] = change.Token
	}
	return tokens
}

// overdueAfter makes a change whose deadline lies after the time and returns,
// once it is overdue, what else is.
func overdueAfter(t TB, r Repositories, after time.Time) []artwork.PendingChange {
	t.Helper()
	const marker = "marker"
	<-time.After(time.Until(after))
	commitPending(t, r, marker, nil, chosen(newRecord(newPlace(t, r), artwork.Custom, 1)))
	return slices.DeleteFunc(everyOverdue(t, r, marker), func(c artwork.PendingChange) bool { return c.Token == marker })
}

func changedWithin(t TB, r Repositories, past time.Duration) []artwork.Place {
	t.Helper()
	var places []artwork.Place
	require.NoError(t, r.ChangeLog.ChangedWithin(t.Context(), past, func(place artwork.Place) error {
		places = append(places, place)
		return nil
	}))
	return places
}

func changeFound(t TB, open func(TB) Repositories) {
	r := open(t)
	require.Empty(t, changedWithin(t, r, time.Hour))
	profile, cover := newPlace(t, r), newCover(t, r)
	require.NoError(t, r.Archive.Add(t.Context(), newRecord(cover, artwork.Custom, 1)))
	require.Empty(t, changedWithin(t, r, time.Hour), "a place that never changed")
	applyAll(t, r, chosen(newRecord(profile, artwork.Custom, 1)), chosen(newRecord(cover, artwork.Custom, 1)))
	require.ElementsMatch(t, []artwork.Place{profile, cover}, changedWithin(t, r, time.Hour))
	applyOne(t, r, chosen(newRecord(cover, artwork.Custom, 2)))
	require.ElementsMatch(t, []artwork.Place{profile, cover}, changedWithin(t, r, time.Hour))
}

func changeNotYetFound(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	var before []artwork.Place
	fence := pendingFence("token", record.Place.Keys(), time.Minute)
	fence.StillHeld = func(context.Context) error {
		before = changedWithin(t, r, time.Hour)
		return nil
	}
	_, err := r.Images.Apply(t.Context(), fence, []artwork.Application{chosen(record)})
	require.NoError(t, err)
	require.Empty(t, before)
	require.Equal(t, []artwork.Place{record.Place}, changedWithin(t, r, time.Hour))
}

func rolledBackLeavesNothing(t TB, open func(TB) Repositories) {
	r := open(t)
	record, lost := newRecord(newPlace(t, r), artwork.Custom, 1), errors.New("the fence was lost")
	fence := pendingFence("token", record.Place.Keys(), shortly)
	fence.StillHeld = func(context.Context) error { return lost }
	_, err := r.Images.Apply(t.Context(), fence, []artwork.Application{chosen(record)})
	require.Error(t, err)
	require.Empty(t, changedWithin(t, r, time.Hour))
	require.Empty(t, overdueAfter(t, r, fence.Deadline))
}

// changeAndAge applies to the place, and returns when the change is older than
// the time.
func changeAndAge(t TB, r Repositories, application artwork.Application, age time.Duration) {
	t.Helper()
	applyOne(t, r, application)
	require.Contains(t, changedWithin(t, r, time.Hour), application.Record.Place)
	require.Eventually(t, func() bool {
		return !slices.Contains(changedWithin(t, r, age), application.Record.Place)
	}, patience, 10*time.Millisecond, "the time excludes nothing")
}

func windowExcludesOlder(t TB, open func(TB) Repositories) {
	r := open(t)
	older, newer := newPlace(t, r), newPlace(t, r)
	const age = 200 * time.Millisecond
	changeAndAge(t, r, chosen(newRecord(older, artwork.Custom, 1)), age)
	start := time.Now()
	applyOne(t, r, chosen(newRecord(newer, artwork.Custom, 1)))
	require.Equal(t, []artwork.Place{newer}, changedWithin(t, r, time.Since(start)+age/2))
	require.ElementsMatch(t, []artwork.Place{older, newer}, changedWithin(t, r, time.Hour))
	require.ElementsMatch(t, []artwork.Place{older, newer}, changedWithin(t, r, 100*365*24*time.Hour))

	start = time.Now()
	applyOne(t, r, chosen(newRecord(older, artwork.Custom, 2)))
	require.Contains(t, changedWithin(t, r, time.Since(start)+age/2), older)
}

func samePointerIsNoChange(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	record := newRecord(place, artwork.Local, 1)
	const age = 200 * time.Millisecond
	changeAndAge(t, r, found(record, 5, "/music/5.jpg"), age)
	start := time.Now()
	fence := pendingFence("token", place.Keys(), shortly)
	outcomes, err := r.Images.Apply(t.Context(), fence, []artwork.Application{
		found(record, 1, "/music/1.jpg"), // known better now
		chosen(record),                   // and chosen
		found(newRecord(place, artwork.Local, 2), 0, "/music/0.jpg"),
	})
	if artwork.KindOf(err) != artwork.CacheUnreachable { // of a machine that is too slow
		require.NoError(t, err)
		require.Equal(t, artwork.AlreadyInForce, outcomes[0].Result)
		require.Equal(t, artwork.AlreadyInForce, outcomes[1].Result)
		require.Equal(t, artwork.Declined, outcomes[2].Result)
	}
	require.Empty(t, changedWithin(t, r, time.Since(start)+age/2))
	require.Empty(t, overdueAfter(t, r, fence.Deadline), "the cache need not hear of what did not change")
}

func manyChanges(t TB, open func(TB) Repositories) {
	r := open(t)
	var artists []catalog.Artist
	var applications []artwork.Application
	var places []artwork.Place
	for n := range 300 {
		artists = append(artists, catalog.Artist{ID: artwork.NewID(), Name: fmt.Sprint("Artist ", n)})
		for _, slot := range artwork.ArtistSubject.Slots() {
			place := artwork.Place{Subject: artwork.Artist(artists[n].ID), Slot: slot}
			places = append(places, place)
			applications = append(applications, chosen(newRecord(place, artwork.Custom, 1)))
		}
	}
	require.NoError(t, r.Library.Save(t.Context(), artists, nil))
	applyAll(t, r, applications...)
	require.ElementsMatch(t, places, changedWithin(t, r, time.Hour))
}

func modifiedWithin(t TB, r Repositories, past time.Duration) map[artwork.Place]time.Time {
	t.Helper()
	modified := map[artwork.Place]time.Time{}
	require.NoError(t, r.Modified.ModifiedWithin(t.Context(), past, func(place artwork.Place, at time.Time) error {
		modified[place] = at.UTC()
		return nil
	}))
	return modified
}

func modifiedAsTheImage(t TB, open func(TB) Repositories) {
	r := open(t)
	profile, cover := newPlace(t, r), newCover(t, r)
	first := applyOne(t, r, chosen(newRecord(profile, artwork.Custom, 1)))
	second := applyOne(t, r, chosen(newRecord(cover, artwork.Custom, 1)))
	require.Equal(t, map[artwork.Place]time.Time{profile: first.Image.LastModified, cover: second.Image.LastModified}, modifiedWithin(t, r, time.Hour))
	again := applyOne(t, r, chosen(newRecord(cover, artwork.Custom, 2)))
	require.True(t, again.Image.LastModified.After(second.Image.LastModified))
	require.Equal(t, again.Image.LastModified, modifiedWithin(t, r, time.Hour)[cover])
	enough := errors.New("enough")
	err := r.Modified.ModifiedWithin(t.Context(), time.Hour, func(artwork.Place, time.Time) error { return enough })
	require.Equal(t, enough, err)
}

func modifiedWhenEmptied(t TB, open func(TB) Repositories) {
	r := open(t)
	place, empty := newPlace(t, r), newPlace(t, r)
	applied := applyOne(t, r, chosen(newRecord(place, artwork.Custom, 1))).Image.LastModified
	revise := func(revision artwork.Revision) {
		_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), revision)
		require.NoError(t, err)
	}
	revise(artwork.Revision{Place: place, Lock: artwork.Lock})
	require.Equal(t, applied, modifiedWithin(t, r, time.Hour)[place])
	revise(artwork.Revision{Place: place, Remove: artwork.KeepEmpty})
	emptied := modifiedWithin(t, r, time.Hour)[place]
	require.True(t, emptied.After(applied))
	revise(artwork.Revision{Place: empty, Lock: artwork.Lock})
	require.Zero(t, modifiedWithin(t, r, time.Hour)[empty], "it never showed anything")
}

func changesStop(t TB, open func(TB) Repositories) {
	r := open(t)
	applyAll(t, r, chosen(newRecord(newPlace(t, r), artwork.Custom, 1)), chosen(newRecord(newPlace(t, r), artwork.Custom, 1)))
	enough, visits := errors.New("enough"), 0
	err := r.ChangeLog.ChangedWithin(t.Context(), time.Hour, func(artwork.Place) error {
		visits++
		return enough
	})
	require.Equal(t, enough, err)
	require.Equal(t, 1, visits)
}

func changesReentrant(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	applyOne(t, r, chosen(newRecord(place, artwork.Custom, 1)))
	visits := 0
	require.NoError(t, r.ChangeLog.ChangedWithin(t.Context(), time.Hour, func(artwork.Place) error {
		if visits++; visits > 1 { // what is changed meanwhile may be visited
			return nil
		}
		_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{chosen(newRecord(place, artwork.Custom, 2))})
		return err
	}))
	require.Positive(t, visits)
}

func overdueAfterDeadline(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	_, err := r.Images.Apply(t.Context(), pendingFence("later", record.Place.Keys(), time.Hour), []artwork.Application{chosen(record)})
	require.NoError(t, err)
	deadline := commitPending(t, r, "token", record.Place.Keys(), chosen(newRecord(record.Place, artwork.Custom, 2)))
	overdue := everyOverdue(t, r, "token")
	require.False(t, time.Now().Before(deadline), "a change is overdue before its deadline")
	require.Equal(t, []artwork.PendingChange{{Token: "token", Keys: record.Place.Keys()}}, overdue)
	// It stays until somebody finishes it.
	require.Equal(t, overdue, everyOverdue(t, r, "token"))
}

func overdueInOrder(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	tokens, deadlines := []string{"b", "d", "a", "c"}, map[string]time.Time{}
	for n, token := range tokens {
		deadlines[token] = commitPending(t, r, token, place.Keys(), chosen(newRecord(place, artwork.Custom, n)))
	}
	// In general in the order in which they were made, but not on a slow machine.
	slices.SortFunc(tokens, func(a, b string) int { return deadlines[a].Compare(deadlines[b]) })
	require.Equal(t, tokens, tokensOf(everyOverdue(t, r, tokens[3])))
	for limit := range 6 {
		overdue, err := r.ChangeLog.Overdue(t.Context(), limit)
		require.NoError(t, err)
		require.Equal(t, tokens[:min(limit, 4)], tokensOf(overdue))
	}
}

func pendingKeys(t TB, open func(TB) Repositories) {
	r := open(t)
	place, cover := newPlace(t, r), newCover(t, r)
	keys := slices.Concat(place.Subject.Keys(), cover.Keys())
	slices.Reverse(keys)
	commitPending(t, r, "token", keys, chosen(newRecord(place, artwork.Custom, 1)))
	require.Equal(t, []artwork.PendingChange{{Token: "token", Keys: keys}}, everyOverdue(t, r, "token"))
}

func finishForgets(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	require.NoError(t, r.ChangeLog.Finish(t.Context(), "unknown"))
	commitPending(t, r, "at once", place.Keys(), chosen(newRecord(place, artwork.Custom, 1)))
	require.NoError(t, r.ChangeLog.Finish(t.Context(), "at once"))
	for n, token := range []string{"overdue", "other"} {
		commitPending(t, r, token, place.Keys(), chosen(newRecord(place, artwork.Custom, 2+n)))
		everyOverdue(t, r, token)
	}
	require.Equal(t, []string{"overdue", "other"}, tokensOf(everyOverdue(t, r, "other")))
	for range 2 {
		require.NoError(t, r.ChangeLog.Finish(t.Context(), "overdue"))
		require.Equal(t, []string{"other"}, tokensOf(everyOverdue(t, r, "other")))
	}
	require.Equal(t, []artwork.Place{place}, changedWithin(t, r, time.Hour), "it is still a change")
}

func twoCallsOneChange(t TB, open func(TB) Repositories) {
	r := open(t)
	place, other := newPlace(t, r), newPlace(t, r)
	keys := slices.Concat(place.Keys(), other.Keys())
	var fence artwork.Fence
	err := artwork.Errorf(artwork.CacheUnreachable, "no call yet")
	for term := shortly; artwork.KindOf(err) == artwork.CacheUnreachable && term < patience; term *= 2 {
		fence, err = pendingFence("token", keys, term), nil
		for n, place := range []artwork.Place{place, other, place} {
			if err == nil {
				_, err = r.Images.Apply(t.Context(), fence, []artwork.Application{chosen(newRecord(place, artwork.Custom, n))})
			}
		}
	}
	require.NoError(t, err)
	require.Equal(t, []artwork.PendingChange{{Token: "token", Keys: keys}}, everyOverdue(t, r, "token"))
	require.NoError(t, r.ChangeLog.Finish(t.Context(), "token"))
	require.Empty(t, overdueAfter(t, r, fence.Deadline))
}

func racingChanges(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	const writers = 20
	tokens, errs := make([]string, writers), make([]error, writers)
	race(writers, func(i int) {
		tokens[i] = fmt.Sprint("token ", i)
		_, errs[i] = tryPending(t.Context(), r, tokens[i], place.Keys(), chosen(newRecord(place, artwork.Custom, i)))
	})
	var overdue []artwork.PendingChange
	for i, token := range tokens {
		require.NoError(t, errs[i])
		overdue = everyOverdue(t, r, token)
	}
	require.ElementsMatch(t, tokens, tokensOf(overdue))
	for _, change := range overdue {
		require.Equal(t, place.Keys(), change.Keys)
	}
}

func noTokenNothingPending(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	deadline := commitPending(t, r, "", place.Keys(), chosen(newRecord(place, artwork.Custom, 1)))
	require.Empty(t, overdueAfter(t, r, deadline))
	require.Contains(t, changedWithin(t, r, time.Hour), place)
}

func noDeadline(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	fence := pendingFence("token", place.Keys(), 0)
	fence.Deadline = time.Time{}
	_, err := r.Images.Apply(t.Context(), fence, []artwork.Application{chosen(newRecord(place, artwork.Custom, 1))})
	require.NoError(t, err)
	require.Empty(t, overdueAfter(t, r, time.Now()))
}

func changesCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	commitPending(t, r, "token", place.Keys(), chosen(newRecord(place, artwork.Custom, 1)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := r.ChangeLog.ChangedWithin(ctx, time.Hour, func(artwork.Place) error { return errors.New("visited") })
	require.ErrorIs(t, err, context.Canceled)
	err = r.Modified.ModifiedWithin(ctx, time.Hour, func(artwork.Place, time.Time) error { return errors.New("visited") })
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.ChangeLog.Overdue(ctx, 10)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.ChangeLog.Finish(ctx, "token"), context.Canceled)
	everyOverdue(t, r, "token")
}
