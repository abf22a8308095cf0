package conformance

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// focusCases are the clauses of artwork.ImageReviser that are about focal points and
// withdrawn uploads.
func focusCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"focal points: another one is another image of the same bytes, and can be undone", focusIsAChange},
		{"focal points: the same one changes nothing, and comes back as the same image", focusRepeated},
		{"focal points: who set one has chosen the image", focusChooses},
		{"focal points: an empty slot has none", focusOfNothing},
		{"uploads: a list has each picture once, in force with whatever focal point", listsPictures},
		{"uploads: what is withdrawn is not listed, and gives way", withdrawalGivesWay},
		{"uploads: what is withdrawn does not take force by itself", withdrawnIsNoSuccessor},
		{"uploads: what was withdrawn is listed again once it is wanted again", withdrawnComesBack},
		{"uploads: what was withdrawn and never in force is forgotten", withdrawnIsForgotten},
		{"uploads: only uploads can be withdrawn", withdrawalRefused},
	}
}

// purgeCases are the clauses of what forgets images.
func purgeCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"purge: what is in force gives way, and is forgotten with its history", purgeInForce},
		{"purge: what is not in force leaves the slot as it is", purgeFormer},
		{"purge: a picture goes with all its focal points and sources", purgePicture},
		{"purge: every image of a place", purgeAll},
		{"purge: other places keep the same bytes", purgeElsewhere},
		{"purge: a record that is known no longer is not recorded anew", purgedIsNotKnown},
		{"purge: what was purged can be brought again", purgedComesBack},
		{"purge: a lost fence is returned as it is, and nothing is forgotten", purgeFence},
		{"purge: what cannot be is refused", purgeRefused},
		{"trim: as many former pictures are kept as are asked for", trimKeeps},
		{"trim: what is in force, offered or next in line is kept", trimSpares},
	}
}

// somebody wants what cases do.
var somebody = artwork.Actor{Name: "somebody"}

func focus(t TB, r Repositories, place artwork.Place, x, y float64) artwork.Revised {
	t.Helper()
	return revise(t, r, artwork.Revision{Place: place, Focus: &artwork.FocalPoint{X: x, Y: y}})
}

func historyOf(t TB, r Repositories, place artwork.Place) []artwork.ID {
	t.Helper()
	entries, err := r.Archive.History(t.Context(), place.Subject)
	require.NoError(t, err)
	ids := []artwork.ID{}
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func purge(t TB, r Repositories, p artwork.Purge) artwork.Purged {
	t.Helper()
	p.By = somebody
	purged, err := r.Reviser.Purge(t.Context(), artwork.Unfenced(), p)
	require.NoError(t, err)
	return purged
}

func requireRefers(t TB, r Repositories, record artwork.Record, want bool) {
	t.Helper()
	refers, err := r.Archive.Refers(t.Context(), record.Content.Hash)
	require.NoError(t, err)
	require.Equal(t, want, refers)
}

func listed(t TB, r Repositories, place artwork.Place) (ids []artwork.ID, inForce []bool) {
	t.Helper()
	records, err := r.Archive.List(t.Context(), place.Subject, artwork.Custom)
	require.NoError(t, err)
	for _, record := range records {
		ids, inForce = append(ids, record.ID), append(inForce, record.InForce)
	}
	return ids, inForce
}

func focusIsAChange(t TB, open func(TB) Repositories) {
	r := open(t)
	record := fullRecord(newPlace(t, r))
	record.FocalPoint = nil
	before := applyOne(t, r, chosen(record)).Image
	revise(t, r, artwork.Revision{Place: record.Place, Lock: artwork.Lock})

	revised := focus(t, r, record.Place, 0.25, 1)
	require.True(t, revised.Changed)
	img, err := r.Images.InForce(t.Context(), record.Place)
	require.NoError(t, err)
	require.Equal(t, revised.Image, img)
	require.Equal(t, record.Content, img.Content)
	require.Equal(t, &artwork.FocalPoint{X: 0.25, Y: 1}, img.FocalPoint)
	require.NotEqual(t, before.Tag, img.Tag)
	require.NotEqual(t, before.RecordID, img.RecordID)
	require.True(t, img.Locked)
	require.True(t, img.LastModified.After(before.LastModified))
	stored, err := r.Archive.Find(t.Context(), img.RecordID)
	require.NoError(t, err)
	require.Equal(t, "somebody", stored.AddedBy)
	require.False(t, stored.AddedAt.IsZero())
	want := record
	want.ID, want.FocalPoint, want.AddedBy, want.AddedAt = stored.ID, stored.FocalPoint, stored.AddedBy, stored.AddedAt
	require.Equal(t, want, stored, "all else is told of it that was told of the image")
	require.Equal(t, []artwork.ID{img.RecordID, record.ID}, historyOf(t, r, record.Place))

	require.Equal(t, before.Tag, applyOne(t, r, chosen(record)).Image.Tag)
	require.Nil(t, requireInForce(t, r, record).FocalPoint)
}

func focusRepeated(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(record))
	first := focus(t, r, record.Place, 1.0/3, 0.5)
	again := focus(t, r, record.Place, 1.0/3, 0.5)
	require.Equal(t, artwork.Revised{Image: first.Image}, again)
	require.Len(t, historyOf(t, r, record.Place), 2)
	focus(t, r, record.Place, 0, 0)
	back := focus(t, r, record.Place, 1.0/3, 0.5)
	require.Equal(t, first.Image.RecordID, back.Image.RecordID)
	require.Equal(t, first.Image.Tag, back.Image.Tag)
	require.Len(t, historyOf(t, r, record.Place), 4)
}

func focusChooses(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	applyOne(t, r, found(newRecord(place, artwork.Local, 1), 1, "/a"))
	focus(t, r, place, 0.1, 0.2)
	require.Equal(t, artwork.Declined, applyOne(t, r, found(newRecord(place, artwork.Local, 2), 0, "/a")).Result)
}

func focusOfNothing(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	revision := artwork.Revision{Place: place, By: somebody, Focus: &artwork.FocalPoint{}}
	_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), revision)
	requireKind(t, artwork.NotFound, err)
	revision.Focus.X = 1.01
	_, err = r.Reviser.Revise(t.Context(), artwork.Unfenced(), revision)
	requireKind(t, artwork.InvalidInput, err)
}

func listsPictures(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	one, two := newRecord(place, artwork.Custom, 1), newRecord(place, artwork.Custom, 2)
	one.AddedAt, two.AddedAt = time.Unix(1, 0), time.Unix(2, 0)
	require.NoError(t, r.Archive.Add(t.Context(), two))
	applyOne(t, r, chosen(one))
	focus(t, r, place, 0.1, 0.2)
	ids, inForce := listed(t, r, place)
	require.Equal(t, []artwork.ID{two.ID, one.ID}, ids)
	require.Equal(t, []bool{false, true}, inForce)
}

func withdrawalGivesWay(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	local, custom := newRecord(place, artwork.Local, 1), newRecord(place, artwork.Custom, 2)
	applyOne(t, r, found(local, 0, "/a"))
	applyOne(t, r, chosen(custom))
	focus(t, r, place, 0.1, 0.2)
	revised := revise(t, r, artwork.Revision{Place: place, Withdraw: custom.ID})
	require.True(t, revised.Changed)
	require.Equal(t, requireInForce(t, r, local), revised.Image)
	ids, _ := listed(t, r, place)
	require.Empty(t, ids)
	require.Len(t, historyOf(t, r, place), 4, "it stays in the history")
	_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{Place: place, By: somebody, Withdraw: custom.ID})
	requireKind(t, artwork.NotFound, err)
}

func withdrawnIsNoSuccessor(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	custom, external := newRecord(place, artwork.Custom, 1), newRecord(place, artwork.External, 2)
	applyOne(t, r, chosen(custom))
	applyOne(t, r, chosen(external))
	require.False(t, revise(t, r, artwork.Revision{Place: place, Withdraw: custom.ID}).Changed)
	requireInForce(t, r, external)
	revise(t, r, artwork.Revision{Place: place, Remove: artwork.GiveWay})
	requireEmpty(t, r, place)
}

func withdrawnComesBack(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	custom := newRecord(place, artwork.Custom, 1)
	applyOne(t, r, chosen(custom))
	focused := focus(t, r, place, 0.1, 0.2).Image.RecordID
	for name, want := range map[string]func(){
		"restored": func() { applyOne(t, r, known(custom)) },
		"restored with a focal point": func() {
			record, err := r.Archive.Find(t.Context(), focused)
			require.NoError(t, err)
			applyOne(t, r, known(record))
		},
		"uploaded": func() { require.NoError(t, r.Archive.Add(t.Context(), custom)) },
	} {
		revise(t, r, artwork.Revision{Place: place, Withdraw: custom.ID})
		ids, _ := listed(t, r, place)
		require.Empty(t, ids)
		want()
		ids, _ = listed(t, r, place)
		require.Equal(t, []artwork.ID{custom.ID}, ids, name)
	}
}

func withdrawnIsForgotten(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	custom := newRecord(place, artwork.Custom, 1)
	require.NoError(t, r.Archive.Add(t.Context(), custom))
	require.False(t, revise(t, r, artwork.Revision{Place: place, Withdraw: custom.ID}).Changed)
	requireUnknown(t, r, custom)
	requireRefers(t, r, custom, false)
}

func withdrawalRefused(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	external, elsewhere := newRecord(place, artwork.External, 1), newRecord(newPlace(t, r), artwork.Custom, 2)
	applyOne(t, r, chosen(external))
	require.NoError(t, r.Archive.Add(t.Context(), elsewhere))
	for _, id := range []artwork.ID{external.ID, elsewhere.ID, artwork.NewID()} {
		_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{Place: place, By: somebody, Withdraw: id})
		requireKind(t, artwork.NotFound, err)
	}
}

// known is a person's wish for a record that was read from the archive.
func known(record artwork.Record) artwork.Application {
	application := chosen(record)
	application.Known = true
	return application
}

func purgeInForce(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	local, custom := newRecord(place, artwork.Local, 1), newRecord(place, artwork.Custom, 2)
	applyOne(t, r, found(local, 0, "/a"))
	before := applyOne(t, r, chosen(custom)).Image
	purged := purge(t, r, artwork.Purge{Place: place, Image: custom.ID, IfTag: before.Tag})
	require.True(t, purged.Changed)
	require.Equal(t, []artwork.Hash{custom.Content.Hash}, purged.Contents)
	require.Equal(t, requireInForce(t, r, local), purged.Image)
	require.True(t, purged.Image.LastModified.After(before.LastModified))
	require.Equal(t, []artwork.ID{local.ID, local.ID}, historyOf(t, r, place))
	requireUnknown(t, r, custom)
	requireRefers(t, r, custom, false)
	requireRefers(t, r, local, true)
}

func purgeFormer(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	former, present := newRecord(place, artwork.External, 1), newRecord(place, artwork.External, 2)
	applyOne(t, r, chosen(former))
	before := applyOne(t, r, chosen(present)).Image
	purged := purge(t, r, artwork.Purge{Place: place, Image: former.ID})
	require.False(t, purged.Changed)
	require.Equal(t, before, purged.Image)
	require.Equal(t, before, requireInForce(t, r, present))
	require.Equal(t, []artwork.ID{present.ID}, historyOf(t, r, place))
	requireUnknown(t, r, former)
}

func purgePicture(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	custom, external := newRecord(place, artwork.Custom, 1), newRecord(place, artwork.External, 1)
	applyOne(t, r, chosen(external))
	applyOne(t, r, chosen(custom))
	focused := focus(t, r, place, 0.1, 0.2).Image
	purged := purge(t, r, artwork.Purge{Place: place, Image: focused.RecordID})
	require.Equal(t, artwork.Purged{Revised: artwork.Revised{Changed: true}, Contents: []artwork.Hash{custom.Content.Hash}}, purged)
	requireEmpty(t, r, place)
	requireUnknown(t, r, custom)
	requireUnknown(t, r, external)
	require.Empty(t, historyOf(t, r, place))
	requireRefers(t, r, custom, false)
}

func purgeAll(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	require.Empty(t, purge(t, r, artwork.Purge{Place: place}).Contents)
	for n := range 3 {
		applyOne(t, r, chosen(newRecord(place, artwork.Custom, n)))
	}
	require.NoError(t, r.Archive.Add(t.Context(), newRecord(place, artwork.Local, 3)))
	purged := purge(t, r, artwork.Purge{Place: place})
	require.Len(t, purged.Contents, 4)
	require.True(t, purged.Changed)
	requireEmpty(t, r, place)
	require.Empty(t, historyOf(t, r, place))
	ids, _ := listed(t, r, place)
	require.Empty(t, ids)
}

func purgeElsewhere(t TB, open func(TB) Repositories) {
	r := open(t)
	here, there := newRecord(newPlace(t, r), artwork.Custom, 1), newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(here))
	applyOne(t, r, chosen(there))
	purge(t, r, artwork.Purge{Place: here.Place, Image: here.ID})
	requireInForce(t, r, there)
	requireRefers(t, r, here, true)
	require.Equal(t, []artwork.ID{there.ID}, historyOf(t, r, there.Place))
}

func purgedIsNotKnown(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	former, present := newRecord(place, artwork.External, 1), newRecord(place, artwork.External, 2)
	applyOne(t, r, chosen(former))
	applyOne(t, r, chosen(present))
	purge(t, r, artwork.Purge{Place: place, Image: former.ID})
	_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{known(former)})
	requireKind(t, artwork.NotFound, err)
	requireInForce(t, r, present)
	requireUnknown(t, r, former)
	requireRefers(t, r, former, false)
}

func purgedComesBack(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	before := applyOne(t, r, chosen(record)).Image
	purge(t, r, artwork.Purge{Place: record.Place, Image: record.ID})
	again := applyOne(t, r, chosen(record))
	require.Equal(t, artwork.Changed, again.Result)
	require.True(t, again.Image.LastModified.After(before.LastModified.Add(time.Second)), "the empty slot has had a time of its own")
}

func purgeFence(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(record))
	lost := artwork.Errorf(artwork.CacheUnreachable, "the fence is lost")
	fence := artwork.Fence{StillHeld: func(context.Context) error { return lost }}
	_, err := r.Reviser.Purge(t.Context(), fence, artwork.Purge{Place: record.Place, By: somebody, Image: record.ID})
	require.Equal(t, lost, err)
	requireInForce(t, r, record)
	require.Equal(t, []artwork.ID{record.ID}, historyOf(t, r, record.Place))
}

func purgeRefused(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(record))
	for _, c := range []struct {
		purge artwork.Purge
		kind  artwork.ErrorKind
	}{
		{artwork.Purge{Place: artwork.Place{Subject: record.Place.Subject, Slot: artwork.SlotCover}}, artwork.InvalidInput},
		{artwork.Purge{Place: artwork.Place{Subject: artwork.Artist(artwork.NewID()), Slot: artwork.SlotLogo}}, artwork.NotFound},
		{artwork.Purge{Place: record.Place, Image: artwork.NewID()}, artwork.NotFound},
		{artwork.Purge{Place: artwork.Place{Subject: record.Place.Subject, Slot: artwork.SlotLogo}, Image: record.ID}, artwork.NotFound},
		{artwork.Purge{Place: record.Place, Image: record.ID, IfTag: "another"}, artwork.PreconditionFailed},
	} {
		_, err := r.Reviser.Purge(t.Context(), artwork.Unfenced(), c.purge)
		requireKind(t, c.kind, err)
	}
	requireInForce(t, r, record)
}

func trim(t TB, r Repositories, keep int) int {
	t.Helper()
	forgotten, err := r.Archive.Trim(t.Context(), keep)
	require.NoError(t, err)
	return forgotten
}

func trimKeeps(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	var records []artwork.Record
	for n := range 6 {
		record := newRecord(place, artwork.External, n)
		record.AddedAt = time.Unix(int64(n), 0)
		records = append(records, record)
		applyOne(t, r, chosen(record))
	}
	applyOne(t, r, known(records[0])) // what took force last counts, not what is new
	applyOne(t, r, known(records[5]))
	require.Zero(t, trim(t, r, 5))
	require.Equal(t, 3, trim(t, r, 2))
	require.Zero(t, trim(t, r, 2))
	for n, kept := range []bool{true, false, false, false, true, true} {
		_, err := r.Archive.Find(t.Context(), records[n].ID)
		require.Equal(t, kept, err == nil, n)
	}
	requireInForce(t, r, records[5])
	require.Equal(t, []artwork.ID{records[5].ID, records[0].ID, records[5].ID, records[4].ID, records[0].ID}, historyOf(t, r, place))
}

func trimSpares(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	local, custom, withdrawn := newRecord(place, artwork.Local, 1), newRecord(place, artwork.Custom, 2), newRecord(place, artwork.Custom, 3)
	declined, external := newRecord(place, artwork.External, 4), newRecord(place, artwork.External, 5)
	applyOne(t, r, found(local, 0, "/a"))
	declined.AddedAt = time.Unix(1, 0)
	require.NoError(t, r.Archive.Add(t.Context(), declined)) // never in force
	for _, record := range []artwork.Record{withdrawn, custom, external} {
		applyOne(t, r, chosen(record))
	}
	focus(t, r, place, 0.1, 0.2)
	revise(t, r, artwork.Revision{Place: place, Withdraw: withdrawn.ID})
	require.Equal(t, 1, trim(t, r, 0))
	requireUnknown(t, r, withdrawn)
	for _, record := range []artwork.Record{local, custom, declined, external} {
		requireRefers(t, r, record, true)
	}
	require.Equal(t, external.Content, requireFocused(t, r, place).Content)
}

func requireFocused(t TB, r Repositories, place artwork.Place) *artwork.Image {
	t.Helper()
	img, err := r.Images.InForce(t.Context(), place)
	require.NoError(t, err)
	require.NotNil(t, img.FocalPoint)
	return img
}
