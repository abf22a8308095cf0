package conformance

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// reviserCases are the clauses of artwork.ImageReviser.
func reviserCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"revisions: a lock is seen, and refuses what nobody chose", lockRefuses},
		{"revisions: a lock can be taken away", unlockAllows},
		{"revisions: what is removed gives way to the next source", removalGivesWay},
		{"revisions: a slot without another source is left empty, and can be filled", removalLeavesEmpty},
		{"revisions: a slot that is kept empty stays so against what nobody chose", keptEmpty},
		{"revisions: a locked slot is left empty, and stays locked", lockedRemoval},
		{"revisions: a scan may replace the local image that took force", localSuccessor},
		{"revisions: LastModified rises with a removal, and the history has what took force", removalIsAChange},
		{"revisions: what is so already changes nothing", revisionsRepeated},
		{"revisions: a tag that is not in force is refused", revisionIfTag},
		{"revisions: the cache is told of a change, and of nothing else", revisionsPending},
		{"revisions: a lost fence is returned as it is, and nothing has changed", revisionFence},
		{"revisions: what cannot be is refused", revisionsRefused},
	}
}

func revise(t TB, r Repositories, revision artwork.Revision) artwork.Revised {
	t.Helper()
	revision.By = somebody
	revised, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), revision)
	require.NoError(t, err)
	return revised
}

func lockRefuses(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Local, 1)
	applyOne(t, r, found(record, 1, "/a"))
	before := requireInForce(t, r, record)
	revised := revise(t, r, artwork.Revision{Place: record.Place, Lock: artwork.Lock})
	require.True(t, revised.Changed)
	img := requireInForce(t, r, record)
	require.True(t, img.Locked)
	require.Equal(t, img, revised.Image)
	require.Equal(t, before.Tag, img.Tag)
	require.Equal(t, before.LastModified, img.LastModified, "the same bytes are served")

	better := newRecord(record.Place, artwork.Local, 2)
	require.Equal(t, artwork.Declined, applyOne(t, r, found(better, 0, "/a")).Result)
	require.Equal(t, artwork.Changed, applyOne(t, r, chosen(better)).Result, "a person's choice takes force always")
	require.True(t, requireInForce(t, r, better).Locked)
}

func unlockAllows(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Local, 1)
	applyOne(t, r, found(record, 1, "/a"))
	revise(t, r, artwork.Revision{Place: record.Place, Lock: artwork.Lock})
	require.True(t, revise(t, r, artwork.Revision{Place: record.Place, Lock: artwork.Unlock}).Changed)
	require.False(t, requireInForce(t, r, record).Locked)
	require.Equal(t, artwork.Changed, applyOne(t, r, found(newRecord(record.Place, artwork.Local, 2), 0, "/a")).Result)
}

func removalGivesWay(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, c := range []struct {
		place artwork.Place
		order []artwork.Source
	}{
		{newCover(t, r), []artwork.Source{artwork.Custom, artwork.External, artwork.Local}},
		{newPlace(t, r), []artwork.Source{artwork.Custom, artwork.Local, artwork.External}},
	} {
		records := map[artwork.Source]artwork.Record{}
		for n, source := range c.order {
			for age := range 2 { // of each source the newer one counts
				record := newRecord(c.place, source, 10*n+age)
				record.AddedAt = time.Date(2024, 1, 1, 0, 0, 0, age*1000, time.UTC)
				require.NoError(t, r.Archive.Add(t.Context(), record))
				records[source] = record
			}
		}
		for _, removed := range c.order {
			applyOne(t, r, chosen(records[removed]))
			next := c.order[0]
			if removed == next {
				next = c.order[1]
			}
			revised := revise(t, r, artwork.Revision{Place: c.place, Remove: artwork.GiveWay})
			require.True(t, revised.Changed)
			require.Equal(t, requireInForce(t, r, records[next]), revised.Image, "%s without %s", c.place, removed)
		}
	}
}

func removalLeavesEmpty(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(record))
	revised := revise(t, r, artwork.Revision{Place: record.Place, Remove: artwork.GiveWay})
	require.Equal(t, artwork.Revised{Changed: true}, revised)
	requireEmpty(t, r, record.Place)
	require.Equal(t, artwork.Changed, applyOne(t, r, found(newRecord(record.Place, artwork.Local, 2), 0, "/a")).Result)
}

func keptEmpty(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	local, custom := newRecord(place, artwork.Local, 1), newRecord(place, artwork.Custom, 2)
	applyOne(t, r, found(local, 0, "/a"))
	applyOne(t, r, chosen(custom))
	revise(t, r, artwork.Revision{Place: place, Remove: artwork.KeepEmpty})
	requireEmpty(t, r, place)
	require.Equal(t, artwork.Declined, applyOne(t, r, found(local, 0, "/a")).Result)
	requireEmpty(t, r, place)
	revise(t, r, artwork.Revision{Place: place, Remove: artwork.GiveWay}) // no longer
	require.Equal(t, artwork.Changed, applyOne(t, r, found(local, 0, "/a")).Result)

	revise(t, r, artwork.Revision{Place: place, Remove: artwork.KeepEmpty})
	applyOne(t, r, chosen(custom)) // a person's choice ends it
	revise(t, r, artwork.Revision{Place: place, Remove: artwork.GiveWay})
	requireInForce(t, r, local)
}

func lockedRemoval(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	applyOne(t, r, found(newRecord(place, artwork.Local, 1), 0, "/a"))
	custom := newRecord(place, artwork.Custom, 2)
	applyOne(t, r, chosen(custom))
	revise(t, r, artwork.Revision{Place: place, Lock: artwork.Lock})
	revise(t, r, artwork.Revision{Place: place, Remove: artwork.GiveWay})
	requireEmpty(t, r, place)
	require.Equal(t, artwork.Declined, applyOne(t, r, found(newRecord(place, artwork.Local, 1), 0, "/a")).Result)
	applyOne(t, r, chosen(custom))
	require.True(t, requireInForce(t, r, custom).Locked)
}

func localSuccessor(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	applyOne(t, r, found(newRecord(place, artwork.Local, 1), 3, "/a"))
	applyOne(t, r, chosen(newRecord(place, artwork.Custom, 2)))
	revise(t, r, artwork.Revision{Place: place, Remove: artwork.GiveWay})
	scanned := newRecord(place, artwork.Local, 3)
	require.Equal(t, artwork.Changed, applyOne(t, r, found(scanned, 1000, "/z")).Result)
	requireInForce(t, r, scanned)
}

func removalIsAChange(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	local, custom := newRecord(place, artwork.Local, 1), newRecord(place, artwork.Custom, 2)
	applyOne(t, r, found(local, 0, "/a"))
	before := applyOne(t, r, chosen(custom)).Image
	after := revise(t, r, artwork.Revision{Place: place, Remove: artwork.GiveWay}).Image
	require.True(t, after.LastModified.After(before.LastModified))
	revise(t, r, artwork.Revision{Place: place, Remove: artwork.KeepEmpty})
	again := applyOne(t, r, chosen(custom)).Image
	require.True(t, again.LastModified.After(after.LastModified.Add(time.Second)), "the empty slot has had a time of its own")

	entries, err := r.Archive.History(t.Context(), place.Subject)
	require.NoError(t, err)
	var ids []artwork.ID
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	require.Equal(t, []artwork.ID{custom.ID, local.ID, custom.ID, local.ID}, ids)
	require.Equal(t, "somebody", entries[1].AppliedBy)
}

func revisionsRepeated(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	require.False(t, revise(t, r, artwork.Revision{Place: place, Remove: artwork.GiveWay}).Changed, "the slot is empty")
	require.False(t, revise(t, r, artwork.Revision{Place: place, Lock: artwork.Unlock}).Changed)
	applyOne(t, r, chosen(newRecord(place, artwork.Custom, 1)))
	require.True(t, revise(t, r, artwork.Revision{Place: place, Lock: artwork.Lock}).Changed)
	require.False(t, revise(t, r, artwork.Revision{Place: place, Lock: artwork.Lock}).Changed)
}

func revisionIfTag(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	tag := applyOne(t, r, chosen(record)).Image.Tag
	for _, revision := range []artwork.Revision{{Remove: artwork.GiveWay}, {Lock: artwork.Lock}} {
		revision.Place, revision.By, revision.IfTag = record.Place, somebody, "another"
		_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), revision)
		requireKind(t, artwork.PreconditionFailed, err)
		require.False(t, requireInForce(t, r, record).Locked)
	}
	revise(t, r, artwork.Revision{Place: record.Place, Remove: artwork.GiveWay, IfTag: tag})
	requireEmpty(t, r, record.Place)
}

func revisionsPending(t TB, open func(TB) Repositories) {
	r := open(t)
	place, other := newPlace(t, r), newPlace(t, r)
	applyOne(t, r, chosen(newRecord(place, artwork.Custom, 1)))
	try := func(token string, revision artwork.Revision) {
		for term := shortly; ; term *= 2 {
			revision.By = somebody
			_, err := r.Reviser.Revise(t.Context(), pendingFence(token, revision.Place.Keys(), term), revision)
			if artwork.KindOf(err) != artwork.CacheUnreachable || term > patience/4 {
				require.NoError(t, err)
				return
			}
		}
	}
	try("nothing", artwork.Revision{Place: other, Remove: artwork.GiveWay})
	try("lock", artwork.Revision{Place: place, Lock: artwork.Lock})
	try("removal", artwork.Revision{Place: place, Remove: artwork.KeepEmpty})
	everyOverdue(t, r, "lock")
	require.ElementsMatch(t, []string{"lock", "removal"}, tokensOf(everyOverdue(t, r, "removal")))
	require.Contains(t, changedWithin(t, r, time.Minute), place)
	require.NotContains(t, changedWithin(t, r, time.Minute), other)
}

func revisionFence(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(record))
	lost := artwork.Errorf(artwork.CacheUnreachable, "the fence is lost")
	fence := artwork.Fence{StillHeld: func(context.Context) error { return lost }}
	for _, revision := range []artwork.Revision{{Remove: artwork.KeepEmpty}, {Lock: artwork.Lock}} {
		revision.Place, revision.By = record.Place, somebody
		_, err := r.Reviser.Revise(t.Context(), fence, revision)
		require.Equal(t, lost, err)
		require.False(t, requireInForce(t, r, record).Locked)
	}
}

func revisionsRefused(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	for _, c := range []struct {
		revision artwork.Revision
		kind     artwork.ErrorKind
	}{
		{artwork.Revision{Place: place}, artwork.InvalidInput},
		{artwork.Revision{Place: place, Lock: artwork.Lock, Remove: artwork.GiveWay}, artwork.InvalidInput},
		{artwork.Revision{Place: place, Lock: 3}, artwork.InvalidInput},
		{artwork.Revision{Place: place, Remove: 3}, artwork.InvalidInput},
		{artwork.Revision{Place: artwork.Place{Subject: place.Subject, Slot: artwork.SlotCover}, Lock: artwork.Lock}, artwork.InvalidInput},
		{artwork.Revision{Place: artwork.Place{Subject: artwork.Artist(artwork.NewID()), Slot: artwork.SlotLogo}, Lock: artwork.Lock}, artwork.NotFound},
	} {
		_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), c.revision)
		requireKind(t, c.kind, err)
	}
}
