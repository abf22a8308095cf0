package conformance

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/importlibrary"
	"gatefold/domain/account"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// binCases are the clauses of catalog.Bin.
func binCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"bin: what was deleted is found by nobody", deletedIsNotFound},
		{"bin: what was restored is as it was, to the last field", restoredIsAsItWas},
		{"bin: lists and their counts follow", binInLists},
		{"bin: what was deleted is referred to, until it is forgotten", deletedIsReferred},
		{"bin: an artist with albums stays, unless they go as well", artistWithAlbums},
		{"bin: what is so already changes nothing", binTwice},
		{"bin: what was never there is not found, and nothing changes", binUnknown},
		{"bin: every place counts as modified", binModifies},
		{"bin: a lost fence is returned as it is, and nothing has changed", binFence},
		{"bin: an MBID is free for others, and a conflict names who has it", binFreesMBID},
		{"bin: a user name is free for others, and a conflict names who has it", binFreesName},
		{"bin: nobody creates what can be restored", binGuardsIDs},
		{"bin: a subject comes back as another", restoredAs},
		{"bin: an album comes back to its artist only", orphanAlbum},
		{"bin: sessions end, and who is restored signs in as before", binEndsSessions},
		{"bin: who comes back as another cannot sign in", restoredWithoutCredentials},
		{"bin: an identity of who was deleted is nobody else's", binGuardsIdentities},
		{"bin: the last administrator who can sign in stays", lastAdminStays},
		{"bin: the latest is listed first, page by page", binListed},
		{"bin: what is old is forgotten for good, the oldest first", binForgets},
		{"bin: an import knows of what was deleted", binInImports},
		{"bin: a restored album is in its folders again", binKeepsFolders},
		{"bin: the activity log has what was before, and what is again", binActivity},
		{"bin: images are applied before a deletion, or not at all", binRace},
		{"bin: a cancelled context ends every method", binCancelled},
	}
}

func discard(t TB, r Repositories, subjects ...artwork.Subject) []artwork.Subject {
	t.Helper()
	gone, err := r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: subjects, By: somebody})
	require.NoError(t, err)
	return gone
}

func putBack(t TB, r Repositories, subjects ...artwork.Subject) []artwork.Subject {
	t.Helper()
	back, err := r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: subjects, By: somebody})
	require.NoError(t, err)
	return back
}

func requireGone(t TB, r Repositories, subject artwork.Subject) {
	t.Helper()
	var err error
	switch subject.Kind {
	case artwork.ArtistSubject:
		_, err = r.Artists.Get(t.Context(), subject.ID)
	case artwork.AlbumSubject:
		_, err = r.Albums.Get(t.Context(), subject.ID)
	case artwork.UserSubject:
		_, err = r.Users.Get(t.Context(), subject.ID)
	}
	requireKind(t, artwork.NotFound, err)
}

func deletedIsNotFound(t TB, open func(TB) Repositories) {
	r := open(t)
	cover := newCover(t, r)
	album := getAlbum(t, r, cover.Subject.ID)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	for _, place := range []artwork.Place{
		cover, {Subject: artwork.Artist(album.ArtistID), Slot: artwork.SlotProfile}, {Subject: artwork.User(user.ID), Slot: artwork.SlotAvatar},
	} {
		record := newRecord(place, artwork.Custom, 1)
		applyOne(t, r, chosen(record))
		require.Equal(t, []artwork.Subject{place.Subject}, discard(t, r, place.Subject))
		requireGone(t, r, place.Subject)
		_, err := r.Images.InForce(t.Context(), place)
		requireKind(t, artwork.NotFound, err)
		requireUnknown(t, r, record)
		_, err = r.Archive.List(t.Context(), place.Subject, artwork.Custom)
		requireKind(t, artwork.NotFound, err)
		_, err = r.Archive.History(t.Context(), place.Subject)
		requireKind(t, artwork.NotFound, err)
		_, err = r.Accounts.Account(t.Context(), place)
		requireKind(t, artwork.NotFound, err)
		_, err = r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{chosen(newRecord(place, artwork.Custom, 2))})
		requireKind(t, artwork.NotFound, err)
		_, err = r.Reviser.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{Place: place, By: somebody, Lock: artwork.Lock})
		requireKind(t, artwork.NotFound, err)
		requireKind(t, artwork.NotFound, r.Archive.Add(t.Context(), newRecord(place, artwork.Custom, 3)))
		requireKind(t, artwork.NotFound, r.Archive.AddUploaded(t.Context(), somebody, newRecord(place, artwork.Custom, 4)))
		n, err := r.Archive.Trim(t.Context(), 0)
		require.NoError(t, err)
		require.Zero(t, n)
	}
	found, err := r.Library.FindArtists(t.Context(), nil, []string{"someone"})
	require.NoError(t, err)
	require.Empty(t, found)
	for _, slot := range []artwork.Slot{artwork.SlotLogo, artwork.SlotCover} {
		gaps, _, err := r.Gaps.After(t.Context(), slot, artwork.ID{}, 10)
		require.NoError(t, err)
		require.Empty(t, gaps)
	}
	_, err = r.Logins.ByName(t.Context(), "ana")
	requireKind(t, artwork.NotFound, err)
}

func restoredIsAsItWas(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ünal", SortName: "Unal, 'Ü'", MBID: artwork.NewID()}
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	require.NoError(t, r.Artists.SetBackgroundPosition(t.Context(), somebody, artist.ID, "center 20%"))
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Ü", Year: 1999, MBID: artwork.NewID(), ReleaseGroupMBID: artwork.NewID()}
	_, err = r.Albums.Put(t.Context(), somebody, album)
	require.NoError(t, err)
	user := newAccount(t, r, "ana", catalog.RoleEditor)
	profile := artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}
	former, now, uploaded := newRecord(profile, artwork.Custom, 1), fullRecord(profile), newRecord(profile, artwork.Custom, 3)
	applyOne(t, r, chosen(former))
	applyOne(t, r, chosen(now))
	lock(t, r, profile, artwork.Lock)
	revise(t, r, artwork.Revision{Place: profile, Focus: &artwork.FocalPoint{X: 0.5, Y: 0.25}})
	require.NoError(t, r.Archive.Add(t.Context(), uploaded))
	withImage(t, r, artwork.Album(album.ID), artwork.SlotCover, artwork.External, 500, 500)
	withImage(t, r, artwork.User(user.ID), artwork.SlotAvatar, artwork.Custom, 500, 500)

	subjects := []artwork.Subject{artwork.Artist(artist.ID), artwork.Album(album.ID), artwork.User(user.ID)}
	type known struct {
		artist   catalog.Artist
		album    catalog.Album
		user     account.Account
		account  artwork.Account
		uploads  []artwork.ListedRecord
		images   [2]*artwork.Image
		findings map[artwork.ID]map[artwork.Slot]*artwork.Image
	}
	look := func() (k known) {
		k.artist, k.album = getArtist(t, r, artist.ID), getAlbum(t, r, album.ID)
		k.user, err = r.Logins.Get(t.Context(), user.ID)
		require.NoError(t, err)
		k.account, err = r.Accounts.Account(t.Context(), profile)
		require.NoError(t, err)
		slices.SortFunc(k.account.Known, func(a, b artwork.KnownRecord) int { return slices.Compare(a.ID[:], b.ID[:]) })
		k.uploads, err = r.Archive.List(t.Context(), profile.Subject, artwork.Custom)
		require.NoError(t, err)
		for i, place := range []artwork.Place{{Subject: subjects[1], Slot: artwork.SlotCover}, {Subject: subjects[2], Slot: artwork.SlotAvatar}} {
			k.images[i], err = r.Images.InForce(t.Context(), place)
			require.NoError(t, err)
			require.NotNil(t, k.images[i])
		}
		page, err := r.Artists.List(t.Context(), everything())
		require.NoError(t, err)
		k.findings = page.Images
		return k
	}
	before := look()
	require.ElementsMatch(t, subjects, discard(t, r, subjects...))
	require.ElementsMatch(t, subjects, putBack(t, r, subjects...))
	after := look()
	require.True(t, after.account.State.LastModified.After(before.account.State.LastModified), "who asks for what is new is told")
	after.account.State.LastModified = before.account.State.LastModified
	for i, image := range after.images {
		image.LastModified = before.images[i].LastModified
	}
	for id, images := range after.findings {
		for slot, image := range images {
			image.LastModified = before.findings[id][slot].LastModified
		}
	}
	require.Equal(t, before, after)
}

func binInLists(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Zoë")
	newArtist(t, r, "Ana")
	subject := artwork.Artist(artist.ID)
	withImage(t, r, subject, artwork.SlotProfile, artwork.Custom, 900, 900)
	lock(t, r, artwork.Place{Subject: subject, Slot: artwork.SlotLogo}, artwork.Lock)
	missing := func(slot artwork.Slot) catalog.Query {
		query := everything()
		query.Missing = slot
		return query
	}
	low := catalog.Holding{Slot: artwork.SlotProfile, Source: artwork.Custom, Low: true}
	for range 2 {
		counted(t, r, []string{"Ana", "Zoë"}, everything())
		counted(t, r, []string{"Ana"}, missing(artwork.SlotProfile))
		counted(t, r, []string{"Ana", "Zoë"}, missing(artwork.SlotLogo))
		counted(t, r, []string{"Zoë"}, holding(low))
		counted(t, r, []string{"Zoë"}, holding(catalog.Holding{Slot: artwork.SlotLogo, Locked: true}))
		require.Equal(t, []string{"Zoë"}, artistNames(t, r, search("zoe")))
		discard(t, r, subject)
		counted(t, r, []string{"Ana"}, everything())
		counted(t, r, []string{"Ana"}, missing(artwork.SlotLogo))
		counted(t, r, []string{}, holding(low))
		counted(t, r, []string{}, holding(catalog.Holding{Slot: artwork.SlotLogo, Locked: true}))
		require.Empty(t, artistNames(t, r, search("zoe")))
		putBack(t, r, subject)
	}
}

func deletedIsReferred(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	former, now := newRecord(place, artwork.Custom, 1), newRecord(place, artwork.External, 2)
	applyOne(t, r, chosen(former))
	applyOne(t, r, chosen(now))
	discard(t, r, place.Subject)
	for _, record := range []artwork.Record{former, now} {
		requireRefers(t, r, record, true)
	}
	visited := 0
	require.NoError(t, r.Archive.References(t.Context(), func(artwork.Content) error { visited++; return nil }))
	require.Equal(t, 2, visited)
	subjects, records, err := r.Bin.Forget(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, []int{subjects, records})
	for _, record := range []artwork.Record{former, now} {
		requireRefers(t, r, record, false)
	}
	require.NoError(t, r.Archive.References(t.Context(), func(artwork.Content) error { return errors.New("something is referred to") }))
}

func artistWithAlbums(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, other := newArtist(t, r, "Someone"), newArtist(t, r, "Another")
	first, second := newAlbum(t, r, artist.ID, "First"), newAlbum(t, r, artist.ID, "Second")
	kept := newAlbum(t, r, other.ID, "Kept")
	for _, subjects := range [][]artwork.Subject{
		{artwork.Artist(artist.ID)}, {artwork.Artist(artist.ID), artwork.Album(first.ID)}, {artwork.Artist(other.ID), artwork.Album(first.ID), artwork.Album(second.ID)},
	} {
		_, err := r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: subjects, By: somebody})
		requireKind(t, artwork.Conflict, err)
		require.ErrorIs(t, err, catalog.ErrHasAlbums)
		getArtist(t, r, artist.ID)
		getAlbum(t, r, first.ID)
	}
	all := []artwork.Subject{artwork.Artist(artist.ID), artwork.Album(first.ID), artwork.Album(second.ID)}
	gone, err := r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: all, By: somebody, With: artist.ID})
	require.NoError(t, err)
	require.ElementsMatch(t, all, gone)
	for _, subject := range all {
		requireGone(t, r, subject)
	}
	found, err := r.Bin.Find(t.Context(), all[0])
	require.NoError(t, err)
	require.Equal(t, 2, found.Albums)
	require.Zero(t, found.With)
	getAlbum(t, r, kept.ID)
	require.ElementsMatch(t, all, putBack(t, r, all[2], all[0], all[1]))
	require.Equal(t, "Someone", getAlbum(t, r, first.ID).ArtistName)
}

func binTwice(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := artwork.Artist(newArtist(t, r, "Someone").ID)
	require.Empty(t, putBack(t, r, artist), "it is there")
	require.Len(t, discard(t, r, artist, artist), 1)
	log := len(entries(t, r, activity.Query{}))
	require.Empty(t, discard(t, r, artist))
	require.Len(t, putBack(t, r, artist), 1)
	require.Empty(t, putBack(t, r, artist))
	require.Len(t, entries(t, r, activity.Query{}), log+1)
}

func binUnknown(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := artwork.Artist(newArtist(t, r, "Someone").ID)
	for _, unknown := range []artwork.Subject{artwork.Artist(artwork.NewID()), artwork.Album(artist.ID), artwork.User(artwork.NewID())} {
		_, err := r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{artist, unknown}, By: somebody})
		requireKind(t, artwork.NotFound, err)
		getArtist(t, r, artist.ID)
		_, err = r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{unknown}, By: somebody})
		requireKind(t, artwork.NotFound, err)
		_, err = r.Bin.Find(t.Context(), unknown)
		requireKind(t, artwork.NotFound, err)
	}
	_, err := r.Bin.Find(t.Context(), artist)
	requireKind(t, artwork.NotFound, err)
	for _, impossible := range []artwork.Subject{{}, {Kind: 99, ID: artist.ID}, {Kind: artwork.ArtistSubject}} {
		_, err := r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{impossible}, By: somebody})
		requireKind(t, artwork.InvalidInput, err)
	}
	_, err = r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{artist}, By: artwork.Actor{Name: "\x00"}})
	requireKind(t, artwork.InvalidInput, err)
	_, err = r.Bin.List(t.Context(), catalog.DeletedQuery{})
	requireKind(t, artwork.InvalidInput, err)
}

func binModifies(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	last := applyOne(t, r, chosen(newRecord(place, artwork.Custom, 1))).Image.LastModified
	for _, step := range []func(fence artwork.Fence) error{
		func(fence artwork.Fence) error {
			_, err := r.Bin.Delete(t.Context(), fence, catalog.Deletion{Subjects: []artwork.Subject{place.Subject}, By: somebody})
			return err
		},
		func(fence artwork.Fence) error {
			_, err := r.Bin.Restore(t.Context(), fence, catalog.Restoration{Subjects: []artwork.Subject{place.Subject}, By: somebody})
			return err
		},
	} {
		token := artwork.NewID().String()
		fence := pendingFence(token, place.Subject.Keys(), time.Second)
		require.NoError(t, step(fence))
		modified := modifiedWithin(t, r, time.Hour)
		require.Len(t, modified, len(place.Subject.Kind.Slots()), "also of slots that never held an image")
		for _, slot := range place.Subject.Kind.Slots() {
			at := modified[artwork.Place{Subject: place.Subject, Slot: slot}]
			require.True(t, at.After(last))
			require.Equal(t, modified[place], at)
			require.Zero(t, at.Nanosecond())
		}
		last = modified[place]
		require.Contains(t, tokensOf(everyOverdue(t, r, token)), token)
	}
}

func binFence(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := artwork.Artist(newArtist(t, r, "Someone").ID)
	lost := errors.New("the fence was lost")
	_, err := r.Bin.Delete(t.Context(), heldUntil(lost), catalog.Deletion{Subjects: []artwork.Subject{artist}, By: somebody})
	require.Equal(t, lost, err)
	getArtist(t, r, artist.ID)
	discard(t, r, artist)
	_, err = r.Bin.Restore(t.Context(), heldUntil(lost), catalog.Restoration{Subjects: []artwork.Subject{artist}, By: somebody})
	require.Equal(t, lost, err)
	requireGone(t, r, artist)
}

func binFreesMBID(t TB, open func(TB) Repositories) {
	r := open(t)
	mbid := artwork.NewID()
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Someone", MBID: mbid}
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	discard(t, r, artist.Subject())
	heir := catalog.Artist{ID: artwork.NewID(), Name: "Heir", MBID: mbid}
	_, err = r.Artists.Put(t.Context(), somebody, heir)
	require.NoError(t, err)
	_, err = r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{artist.Subject()}, By: somebody})
	requireKind(t, artwork.Conflict, err)
	require.Contains(t, err.Error(), heir.ID.String())
	requireGone(t, r, artist.Subject())
	artist.MBID = artwork.ID{}
	_, err = r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{artist.Subject()}, By: somebody, As: artist})
	require.NoError(t, err, "it comes back without")
}

func binFreesName(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "Ana", catalog.RoleUser)
	discard(t, r, user.Subject())
	heir := newAccount(t, r, "ána", catalog.RoleUser)
	_, err := r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{user.Subject()}, By: somebody})
	requireKind(t, artwork.Conflict, err)
	require.Contains(t, err.Error(), heir.ID.String())
	found, err := r.Logins.ByName(t.Context(), "ana")
	require.NoError(t, err)
	require.Equal(t, heir.ID, found.User.ID)
}

func binGuardsIDs(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	save(t, r, artist, album)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	discard(t, r, artist.Subject(), album.Subject(), user.Subject())
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	requireKind(t, artwork.Conflict, err)
	require.ErrorIs(t, err, catalog.ErrDeleted)
	_, err = r.Users.Put(t.Context(), somebody, user)
	require.ErrorIs(t, err, catalog.ErrDeleted)
	err = r.Library.Save(t.Context(), []catalog.Artist{artist}, []catalog.Album{album})
	requireKind(t, artwork.Conflict, err)
	requireGone(t, r, artist.Subject())
	putBack(t, r, artist.Subject())
	_, err = r.Albums.Put(t.Context(), somebody, album)
	require.ErrorIs(t, err, catalog.ErrDeleted)
	err = r.Library.Save(t.Context(), []catalog.Artist{artist}, []catalog.Album{album})
	requireKind(t, artwork.Conflict, err)
	requireGone(t, r, album.Subject())
}

func restoredAs(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, other := newArtist(t, r, "Someone"), newArtist(t, r, "Another")
	album := newAlbum(t, r, artist.ID, "Something")
	require.NoError(t, r.Artists.SetBackgroundPosition(t.Context(), somebody, artist.ID, "center"))
	created := getArtist(t, r, artist.ID).CreatedAt
	discard(t, r, album.Subject())
	discard(t, r, artist.Subject())
	as := func(item catalog.Item) {
		t.Helper()
		back, err := r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{item.Subject()}, By: somebody, As: item})
		require.NoError(t, err)
		require.Equal(t, []artwork.Subject{item.Subject()}, back)
	}
	as(catalog.Artist{ID: artist.ID, Name: "Renamed", SortName: "Named, Re"})
	got := getArtist(t, r, artist.ID)
	require.Equal(t, []any{"Renamed", "Named, Re", "center", created}, []any{got.Name, got.SortName, got.BackgroundPosition, got.CreatedAt})
	require.Equal(t, []string{"Renamed"}, artistNames(t, r, search("renamed")))
	as(catalog.Album{ID: album.ID, ArtistID: other.ID, Name: "Moved", Year: 2001})
	moved := getAlbum(t, r, album.ID)
	require.Equal(t, []any{"Moved", "Another", 2001}, []any{moved.Name, moved.ArtistName, moved.Year})
	_, err := r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{artist.Subject()}, By: somebody, As: other})
	requireKind(t, artwork.InvalidInput, err)
}

func orphanAlbum(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	album := newAlbum(t, r, artist.ID, "Something")
	discard(t, r, album.Subject(), artist.Subject())
	_, err := r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{album.Subject()}, By: somebody})
	requireKind(t, artwork.Conflict, err)
	require.Contains(t, err.Error(), artist.ID.String())
	putBack(t, r, artist.Subject())
	putBack(t, r, album.Subject())
	require.Equal(t, artist.ID, getAlbum(t, r, album.ID).ArtistID)
}

func binEndsSessions(t TB, open func(TB) Repositories) {
	r := open(t)
	user, other := newAccount(t, r, "ana", catalog.RoleUser), newAccount(t, r, "eva", catalog.RoleUser)
	sessions := []account.Session{begin(t, r, user.ID), begin(t, r, user.ID)}
	kept := begin(t, r, other.ID)
	discard(t, r, user.Subject())
	requireEnded(t, r, sessions...)
	requireKind(t, artwork.Forbidden, r.Sessions.Begin(t.Context(), somebody, newSession(user.ID, account.ByPassword), time.Hour))
	_, err := r.Sessions.Find(t.Context(), kept.ID)
	require.NoError(t, err)
	putBack(t, r, user.Subject())
	requireEnded(t, r, sessions...)
	begin(t, r, user.ID)
}

var binIdentity = account.Identity{Issuer: "https://id.example", Subject: "ana'?"}

func restoredWithoutCredentials(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	linked := catalog.User{ID: artwork.NewID(), Username: "eva", Role: catalog.RoleUser}
	require.NoError(t, r.Logins.CreateLinked(t.Context(), somebody, linked, binIdentity))
	require.NoError(t, r.Logins.SetDisabled(t.Context(), somebody, linked.ID, true))
	for _, user := range []catalog.User{user, linked} {
		discard(t, r, user.Subject())
		_, err := r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{user.Subject()}, By: somebody, As: user})
		require.NoError(t, err)
		found, err := r.Logins.Get(t.Context(), user.ID)
		require.NoError(t, err)
		require.Empty(t, found.PasswordHash)
		require.Zero(t, found.Identities)
		require.Equal(t, user.ID == linked.ID, found.Disabled)
		requireKind(t, artwork.Forbidden, r.Sessions.Begin(t.Context(), somebody, newSession(user.ID, account.ByOpenID), time.Hour))
	}
	another := catalog.User{ID: artwork.NewID(), Username: "another", Role: catalog.RoleUser}
	require.NoError(t, r.Logins.CreateLinked(t.Context(), somebody, another, binIdentity), "the identity is free")
}

func binGuardsIdentities(t TB, open func(TB) Repositories) {
	r := open(t)
	user := catalog.User{ID: artwork.NewID(), Username: "ana", Role: catalog.RoleUser}
	require.NoError(t, r.Logins.CreateLinked(t.Context(), somebody, user, binIdentity))
	discard(t, r, user.Subject())
	again := catalog.User{ID: artwork.NewID(), Username: "again", Role: catalog.RoleUser}
	requireKind(t, artwork.Forbidden, r.Logins.CreateLinked(t.Context(), somebody, again, binIdentity))
	requireGone(t, r, again.Subject())
	putBack(t, r, user.Subject())
	found, err := r.Logins.ByIdentity(t.Context(), binIdentity)
	require.NoError(t, err)
	require.Equal(t, user.ID, found.User.ID)
	discard(t, r, user.Subject())
	_, _, err = r.Bin.Forget(t.Context(), 0, 1)
	require.NoError(t, err)
	require.NoError(t, r.Logins.CreateLinked(t.Context(), somebody, again, binIdentity), "whoever is forgotten may come anew")
}

func lastAdminStays(t TB, open func(TB) Repositories) {
	r := open(t)
	admin, second := newAccount(t, r, "admin", catalog.RoleAdmin), newAccount(t, r, "second", catalog.RoleAdmin)
	pushed := catalog.User{ID: artwork.NewID(), Username: "pushed", Role: catalog.RoleAdmin}
	_, err := r.Users.Put(t.Context(), somebody, pushed)
	require.NoError(t, err)
	_, err = r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{admin.Subject(), second.Subject()}, By: somebody})
	requireKind(t, artwork.Conflict, err)
	discard(t, r, second.Subject())
	refused := func() {
		t.Helper()
		_, err := r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{admin.Subject()}, By: somebody})
		requireKind(t, artwork.Conflict, err)
	}
	refused() // who was pushed cannot sign in
	discard(t, r, pushed.Subject())
	putBack(t, r, second.Subject())
	require.NoError(t, r.Logins.SetDisabled(t.Context(), somebody, second.ID, true))
	refused()
	require.NoError(t, r.Logins.SetDisabled(t.Context(), somebody, second.ID, false))
	race(2, func(i int) {
		_, _ = r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{[]catalog.User{admin, second}[i].Subject()}, By: somebody})
	})
	created, err := r.Logins.CreateFirst(t.Context(), somebody, adminNamed("first"), aHash, nil)
	require.NoError(t, err)
	require.False(t, created, "one of the two is left")
}

func binListed(t TB, open func(TB) Repositories) {
	r := open(t)
	list := func(query catalog.DeletedQuery) (names []string) {
		t.Helper()
		for {
			page, err := r.Bin.List(t.Context(), query)
			require.NoError(t, err)
			for _, d := range page.Items {
				names = append(names, d.Name)
			}
			if page.Next.IsZero() {
				return names
			}
			query.After, err = catalog.ParseDeletedCursor(page.Next.String())
			require.NoError(t, err)
		}
	}
	require.Empty(t, list(catalog.DeletedQuery{Limit: 1}))
	artist, other := newArtist(t, r, "Someone"), newArtist(t, r, "Another")
	album, single := newAlbum(t, r, artist.ID, "With"), newAlbum(t, r, other.ID, "Single")
	user := newAccount(t, r, "ana", catalog.RoleUser)
	discard(t, r, single.Subject())
	_, err := r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{album.Subject()}, By: someone, With: artist.ID})
	require.NoError(t, err)
	discard(t, r, artist.Subject())
	discard(t, r, user.Subject())
	for limit := 1; limit < 6; limit++ {
		require.Equal(t, []string{"ana", "Someone", "With", "Single"}, list(catalog.DeletedQuery{Limit: limit}))
	}
	require.Equal(t, []string{"With", "Single"}, list(catalog.DeletedQuery{Kind: artwork.AlbumSubject, Limit: 1}))
	require.Equal(t, []string{"With"}, list(catalog.DeletedQuery{With: artist.ID, Limit: 1}))
	page, err := r.Bin.List(t.Context(), catalog.DeletedQuery{With: artist.ID, Limit: 1})
	require.NoError(t, err)
	one := page.Items[0]
	require.WithinDuration(t, time.Now(), one.At, time.Minute)
	require.Equal(t, catalog.Deleted{
		Subject: album.Subject(), Name: "With", ArtistID: artist.ID, ArtistName: "Someone", At: one.At, By: someone.Name, With: artist.ID,
	}, one)
	putBack(t, r, artist.Subject(), album.Subject())
	require.Equal(t, []string{"ana", "Single"}, list(catalog.DeletedQuery{Limit: 10}))
}

func binForgets(t TB, open func(TB) Repositories) {
	r := open(t)
	var subjects []artwork.Subject
	for _, name := range []string{"first", "second", "third"} {
		artist := newArtist(t, r, name)
		withImage(t, r, artist.Subject(), artwork.SlotLogo, artwork.Custom, 10, 10)
		discard(t, r, artist.Subject())
		subjects = append(subjects, artist.Subject())
	}
	n, _, err := r.Bin.Forget(t.Context(), time.Hour, 10)
	require.NoError(t, err)
	require.Zero(t, n, "nothing is old enough")
	n, records, err := r.Bin.Forget(t.Context(), 0, 2)
	require.NoError(t, err)
	require.Equal(t, []int{2, 2}, []int{n, records})
	for _, subject := range subjects[:2] {
		_, err := r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{subject}, By: somebody})
		requireKind(t, artwork.NotFound, err)
	}
	putBack(t, r, subjects[2])
	created, err := r.Artists.Put(t.Context(), somebody, catalog.Artist{ID: subjects[0].ID, Name: "Anew"})
	require.NoError(t, err)
	require.True(t, created)
	requireEmpty(t, r, artwork.Place{Subject: subjects[0], Slot: artwork.SlotLogo})
	history, err := r.Archive.History(t.Context(), subjects[0])
	require.NoError(t, err)
	require.Empty(t, history)
	counted(t, r, []string{"third"}, holding(catalog.Holding{Slot: artwork.SlotLogo, Source: artwork.Custom}))
}

func binInImports(t TB, open func(TB) Repositories) {
	r := open(t)
	mbid := artwork.NewID()
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ünal", MBID: mbid}
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	album := newAlbum(t, r, artist.ID, "Älbum")
	find := func(kind artwork.SubjectKind, mbids []catalog.MBID, artists []artwork.ID, names ...string) (found []artwork.Subject) {
		t.Helper()
		items, err := r.Library.FindDeleted(t.Context(), kind, mbids, artists, names)
		require.NoError(t, err)
		for _, item := range items {
			found = append(found, item.Subject())
		}
		return found
	}
	require.Empty(t, find(artwork.ArtistSubject, []catalog.MBID{mbid}, nil, "unal"))
	discard(t, r, album.Subject())
	require.Equal(t, []artwork.Subject{album.Subject()}, find(artwork.AlbumSubject, nil, []artwork.ID{artist.ID}, "album"))
	require.Empty(t, find(artwork.AlbumSubject, nil, []artwork.ID{artwork.NewID()}, "album"))
	require.Empty(t, find(artwork.ArtistSubject, nil, nil, "album"))
	discard(t, r, artist.Subject())
	require.Equal(t, []artwork.Subject{artist.Subject()}, find(artwork.ArtistSubject, []catalog.MBID{mbid}, nil))
	require.Equal(t, []artwork.Subject{artist.Subject()}, find(artwork.ArtistSubject, nil, nil, "x", "unal"))
}

func binKeepsFolders(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	save(t, r, artist, album)
	saveFolder(t, r, artwork.NewID(), "/music/a", album.ID)
	saveFolder(t, r, artwork.NewID(), "/music/b", album.ID)
	discard(t, r, album.Subject())
	folder := importlibrary.FolderState{Path: "/music/c", Albums: []artwork.ID{album.ID}}
	requireKind(t, artwork.NotFound, r.Library.SaveFolders(t.Context(), artwork.NewID(), root, []importlibrary.FolderState{folder}))
	scan := artwork.NewID()
	require.NoError(t, r.Library.Touch(t.Context(), scan, []string{"/music/a"}))
	finish(t, r, scan) // and "/music/b" has gone
	putBack(t, r, album.Subject())
	scan = artwork.NewID()
	require.NoError(t, r.Library.Touch(t.Context(), scan, []string{"/music/a"}))
	finish(t, r, scan)
	require.False(t, getAlbum(t, r, album.ID).Missing)
	finish(t, r, artwork.NewID())
	require.True(t, getAlbum(t, r, album.ID).Missing, "it is known to have been in a folder")
}

func binActivity(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	_, err := r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{artist.Subject()}, By: someone})
	require.NoError(t, err)
	_, err = r.Bin.Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{artist.Subject()}, By: someone})
	require.NoError(t, err)
	log := entries(t, r, activity.Query{})
	restored, deleted := log[0], log[1]
	require.Equal(t, []artwork.Action{activity.CatalogDelete, activity.CatalogRestore}, []artwork.Action{deleted.Action, restored.Action})
	for _, entry := range log[:2] {
		require.Equal(t, someone, entry.Actor)
		require.Equal(t, activity.Subject{Kind: activity.Artist, ID: artist.ID, Name: "Someone"}, entry.Subject)
	}
	require.JSONEq(t, `{"name":"Someone"}`, string(deleted.Before))
	require.Nil(t, deleted.After)
	require.Nil(t, restored.Before)
	require.JSONEq(t, `{"name":"Someone"}`, string(restored.After))
}

func binRace(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	album := newAlbum(t, r, artist.ID, "Something")
	places := []artwork.Place{{Subject: artist.Subject(), Slot: artwork.SlotProfile}, {Subject: album.Subject(), Slot: artwork.SlotCover}}
	applied := make([]bool, 20)
	race(len(applied), func(i int) {
		switch i {
		case 9:
			_, err := r.Bin.Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{artist.Subject(), album.Subject()}, By: somebody})
			if err != nil {
				t.Errorf("%v", err)
			}
		default:
			batch := []artwork.Application{chosen(newRecord(places[i%2], artwork.Custom, i)), chosen(newRecord(places[1-i%2], artwork.Custom, i))}
			_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), batch)
			if applied[i] = err == nil; err != nil && artwork.KindOf(err) != artwork.NotFound {
				t.Errorf("%v", err)
			}
		}
	})
	requireGone(t, r, artist.Subject())
	putBack(t, r, artist.Subject(), album.Subject())
	for _, place := range places {
		history := historyOf(t, r, place)
		count := 0
		for i, done := range applied {
			if done {
				count++
				require.Contains(t, history, newRecord(place, artwork.Custom, i).ID)
			}
		}
		require.Len(t, history, count, "what found nothing has left nothing")
	}
}

func binCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone").Subject()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Bin.Delete(ctx, artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{artist}, By: somebody})
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Bin.Restore(ctx, artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{artist}, By: somebody})
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Bin.Find(ctx, artist)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Bin.List(ctx, catalog.DeletedQuery{Limit: 1})
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = r.Bin.Forget(ctx, 0, 1)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Library.FindDeleted(ctx, artwork.ArtistSubject, nil, nil, []string{"x"})
	require.ErrorIs(t, err, context.Canceled)
}
