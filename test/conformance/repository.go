package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/accesstoken"
	"gatefold/application/announce"
	"gatefold/application/bulkapply"
	"gatefold/application/describeimages"
	"gatefold/application/fillmissing"
	"gatefold/application/findimages"
	"gatefold/application/followsettings"
	"gatefold/application/importlibrary"
	"gatefold/application/providersettings"
	"gatefold/application/warmcache"
	"gatefold/domain/account"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/domain/fleet"
)

// Repositories are the ports of one database: what is written through one of
// them is seen through the others.
type Repositories struct {
	Images    artwork.ImageRepository
	Archive   artwork.ImageArchive
	Reviser   artwork.ImageReviser
	Accounts  artwork.SlotAccounts
	ChangeLog artwork.ChangeLog
	Modified  announce.Changes
	Artists   catalog.Artists
	Albums    catalog.Albums
	Users     catalog.Users
	Bin       catalog.Bin
	Library   importlibrary.Library
	Tokens    accesstoken.Repository
	Logins    account.Accounts
	Sessions  account.Sessions
	Attempts  account.Attempts
	Registry  followsettings.Registry
	Requests  warmcache.Requests // with RecordTerms
	Changes   warmcache.Changes
	Claims    fleet.Claims
	Jobs      bulkapply.Jobs
	Activity  activity.Log
	Fill      fillmissing.Jobs
	Gaps      fillmissing.Gaps

	Considerations findimages.Considerations
	Settings       providersettings.Store
	Contents       describeimages.Contents
}

// RunRepositories runs the suites of all ports of a database. open returns an
// empty one.
func RunRepositories(t *testing.T, open func(TB) Repositories) {
	t.Helper()
	run(t, RepositoryCases(), open)
}

// RepositoryCases are the clauses of the contracts of all ports of a database.
func RepositoryCases() []Case[Repositories] {
	return slices.Concat(
		imageCases(),
		reviserCases(),
		focusCases(),
		purgeCases(),
		archiveCases(),
		provenanceCases(),
		accountCases(),
		consideredCases(),
		changeLogCases(),
		catalogCases(),
		listCases(),
		binCases(),
		libraryCases(),
		tokenCases(),
		credentialCases(),
		sessionCases(),
		attemptCases(),
		registryCases(),
		warmingCases(),
		activityCases(),
		jobCases(),
		settingsCases(),
		fillCases(),
		describingCases(),
	)
}

// imageCases are the clauses of artwork.ImageRepository.
func imageCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"images: an empty slot is not a missing subject", emptySlotAndNoSubject},
		{"images: a place that cannot be is refused", impossiblePlaces},
		{"images: an applied image comes back to the last field", appliedImageSurvives},
		{"images: slots and kinds are independent", placesAreIndependent},
		{"images: the image in force is not applied again", alreadyInForce},
		{"images: a known record stays as it is", knownRecordStays},
		{"images: an earlier image takes force again", earlierImageAgain},
		{"images: a record of another place is refused", recordOfAnotherPlace},
		{"images: LastModified is in whole seconds and strictly increasing", lastModifiedIncreases},
		{"images: an unknown subject fails the whole call", unknownSubjectFailsAll},
		{"images: a tag that is not in force fails the whole call", wrongTagFailsAll},
		{"images: applications to one place happen in their order", applicationsInOrder},
		{"images: no applications change nothing", noApplications},
		{"images: several hundred places in one call", manyPlaces},
		{"images: a lost fence is returned as it is, and nothing has changed", lostFence},
		{"images: a lost fence leaves the older image in force", lostFenceKeepsOlder},
		{"images: nobody sees the change before the fence was checked", fenceCheckedLast},
		{"images: a passed deadline changes nothing", passedDeadline},
		{"images: a deadline that passes before COMMIT changes nothing", deadlinePassesBeforeCommit},
		{"images: 20 racing writers of one place", racingAppliers},
		{"images: 20 racing writers of one image", racingSameImage},
		{"images: of 20 racing writers with one tag one wins", racingTags},
		{"images: batches that cross do not block each other", crossingBatches},
		{"images: a local image fills an empty slot", localFillsEmpty},
		{"images: the preferred local image wins in whatever order", localPrefersOrigin},
		{"images: a local image does not displace what it may not", localDisplacesOnlyLocal},
		{"images: a vanished origin is no obstacle", vanishedOrigin},
		{"images: a better origin of the image in force is noted", betterOriginNoted},
		{"images: what a person applied again is chosen", appliedAgainIsChosen},
		{"images: other automatic images displace nothing", otherAutomaticImages},
		{"images: paths are bytes", pathsAreBytes},
		{"images: under one idempotency key an image takes force once", onceByKey},
		{"images: of 20 racing writers with one idempotency key one changes the slot", racingKeys},
		{"images: a cancelled context ends every method", imagesCancelled},
	}
}

// archiveCases are the clauses of artwork.ImageArchive.
func archiveCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"archive: a record comes back to the last field", recordSurvives},
		{"archive: times keep microseconds and are UTC", recordTimes},
		{"archive: odd texts come back as they were", recordTexts},
		{"archive: text that cannot be stored is refused", recordBadTexts},
		{"archive: a record without ID, hash or source is refused", recordIncomplete},
		{"archive: an added record is not in force", addedNotInForce},
		{"archive: adding what is known changes nothing", addKnown},
		{"archive: a record of an unknown subject is not found", addUnknownSubject},
		{"archive: an unknown record is not found", findUnknown},
		{"archive: a list is newest first, of one source, with those in force marked", listsRecords},
		{"archive: the history has what was ever in force, the latest first", historyIsComplete},
		{"archive: what took force twice is in the history twice, and in force once", historyTwice},
		{"archive: there is no history of an unknown subject", historyUnknown},
		{"archive: references visits every record", referencesAll},
		{"archive: references stops at the first error", referencesStops},
		{"archive: references lets visit use the repository", referencesReentrant},
		{"archive: what was handed in or out is not shared", recordsNotShared},
	}
}

// Values for cases.

// newArtist stores an artist and returns a place of it.
func newArtist(t TB, r Repositories, name string) catalog.Artist {
	t.Helper()
	artist := catalog.Artist{ID: artwork.NewID(), Name: name}
	created, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	require.True(t, created)
	return artist
}

func newAlbum(t TB, r Repositories, artist artwork.ID, name string) catalog.Album {
	t.Helper()
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist, Name: name}
	created, err := r.Albums.Put(t.Context(), somebody, album)
	require.NoError(t, err)
	require.True(t, created)
	return album
}

func newPlace(t TB, r Repositories) artwork.Place {
	t.Helper()
	return artwork.Place{Subject: artwork.Artist(newArtist(t, r, "Someone").ID), Slot: artwork.SlotProfile}
}

func newCover(t TB, r Repositories) artwork.Place {
	t.Helper()
	album := newAlbum(t, r, newArtist(t, r, "Someone").ID, "Something")
	return artwork.Place{Subject: artwork.Album(album.ID), Slot: artwork.SlotCover}
}

// newRecord returns a record for the place that differs from those of other
// numbers.
func newRecord(place artwork.Place, source artwork.Source, n int) artwork.Record {
	hash := artwork.HashOf(fmt.Append(nil, "image ", n))
	return artwork.Record{
		ID:       artwork.RecordID(place, hash, source, "test"),
		Place:    place,
		Content:  artwork.Content{Hash: hash, Size: int64(1000 + n), MIMEType: "image/png", Width: 300, Height: 200},
		Source:   source,
		Provider: "test",
		AddedBy:  "somebody",
	}
}

func fullRecord(place artwork.Place) artwork.Record {
	record := newRecord(place, artwork.External, 1)
	record.Content.Size = 5 << 32
	record.Content.ThumbHash = []byte{0, 1, 0xff, '\'', '\\', '?'}
	record.Content.DominantColor = "#0a7bff"
	record.SourceURL = "https://example.org/a?b=c%20d&e='f'"
	record.Licence = "CC BY-SA 4.0"
	record.Attribution = "Ünal “Ü” Özgür"
	record.SourcePage = "https://example.org/File:Ü?d='f'"
	record.StatedBy = artwork.StatedByCaller
	record.FileName = "cover ?1 'final'.png"
	record.FocalPoint = &artwork.FocalPoint{X: 1.0 / 3, Y: 0}
	record.AddedAt = time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
	return record
}

func chosen(record artwork.Record) artwork.Application {
	return artwork.Application{Record: record, By: somebody}
}

func found(record artwork.Record, rank int, path string) artwork.Application {
	return artwork.Application{Record: record, By: artwork.Actor{Name: "library"}, Automatic: true, Origin: artwork.Origin{Rank: rank, Path: path}}
}

func applyAll(t TB, r Repositories, applications ...artwork.Application) []artwork.Outcome {
	t.Helper()
	outcomes, err := r.Images.Apply(t.Context(), artwork.Unfenced(), applications)
	require.NoError(t, err)
	require.Len(t, outcomes, len(applications))
	return outcomes
}

func applyOne(t TB, r Repositories, application artwork.Application) artwork.Outcome {
	t.Helper()
	return applyAll(t, r, application)[0]
}

func requireInForce(t TB, r Repositories, record artwork.Record) *artwork.Image {
	t.Helper()
	img, err := r.Images.InForce(t.Context(), record.Place)
	require.NoError(t, err)
	require.NotNil(t, img, "the slot is empty")
	require.Equal(t, record.ID, img.RecordID)
	require.Equal(t, record.Content, img.Content)
	return img
}

func requireEmpty(t TB, r Repositories, place artwork.Place) {
	t.Helper()
	img, err := r.Images.InForce(t.Context(), place)
	require.NoError(t, err)
	require.Nil(t, img)
}

func requireKind(t TB, kind artwork.ErrorKind, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind.String(), artwork.KindOf(err).String(), "kind of: %v", err)
}

func requireUnknown(t TB, r Repositories, record artwork.Record) {
	t.Helper()
	_, err := r.Archive.Find(t.Context(), record.ID)
	requireKind(t, artwork.NotFound, err)
}

// race runs n calls at once and waits for all.
func race(n int, call func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			call(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// The clauses of artwork.ImageRepository.

func emptySlotAndNoSubject(t TB, open func(TB) Repositories) {
	r := open(t)
	requireEmpty(t, r, newPlace(t, r))
	requireEmpty(t, r, newCover(t, r))
	for _, place := range []artwork.Place{
		{Subject: artwork.Artist(artwork.NewID()), Slot: artwork.SlotLogo},
		{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover},
		{Subject: artwork.User(artwork.NewID()), Slot: artwork.SlotAvatar},
	} {
		img, err := r.Images.InForce(t.Context(), place)
		requireKind(t, artwork.NotFound, err)
		require.Nil(t, img)
	}
}

func impossiblePlaces(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	for _, place := range []artwork.Place{
		{},
		{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotCover},
		{Subject: artwork.Artist(artist.ID)},
		{Subject: artwork.Artist(artwork.ID{}), Slot: artwork.SlotLogo},
		{Subject: artwork.Subject{Kind: 99, ID: artist.ID}, Slot: artwork.SlotLogo},
	} {
		_, err := r.Images.InForce(t.Context(), place)
		requireKind(t, artwork.InvalidInput, err)
		_, err = r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{chosen(newRecord(place, artwork.Custom, 1))})
		requireKind(t, artwork.InvalidInput, err)
		requireKind(t, artwork.InvalidInput, r.Archive.Add(t.Context(), newRecord(place, artwork.Custom, 1)))
	}
}

func appliedImageSurvives(t TB, open func(TB) Repositories) {
	r := open(t)
	before := time.Now().Truncate(time.Second)
	record := fullRecord(newPlace(t, r))
	outcome := applyOne(t, r, chosen(record))
	require.Equal(t, artwork.Changed, outcome.Result)
	require.Empty(t, outcome.Blocker)

	img := requireInForce(t, r, record)
	require.Equal(t, outcome.Image, img)
	require.Equal(t, &artwork.Image{
		Content:      record.Content,
		RecordID:     record.ID,
		Tag:          artwork.TagOf(record.Content.Hash, record.FocalPoint),
		Source:       record.Source,
		Provider:     record.Provider,
		FocalPoint:   record.FocalPoint,
		LastModified: img.LastModified,
	}, img)
	require.False(t, img.LastModified.Before(before), "LastModified is in the past")
	require.False(t, img.LastModified.After(time.Now()), "LastModified is in the future")
}

func placesAreIndependent(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	// The same UUID names three subjects of three kinds.
	_, err := r.Albums.Put(t.Context(), somebody, catalog.Album{ID: artist.ID, ArtistID: artist.ID, Name: "Something"})
	require.NoError(t, err)
	_, err = r.Users.Put(t.Context(), somebody, catalog.User{ID: artist.ID, Username: "someone", Role: catalog.RoleUser})
	require.NoError(t, err)
	records := []artwork.Record{
		newRecord(artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}, artwork.Custom, 1),
		newRecord(artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotBanner}, artwork.Custom, 2),
		newRecord(artwork.Place{Subject: artwork.Album(artist.ID), Slot: artwork.SlotCover}, artwork.Custom, 3),
		newRecord(artwork.Place{Subject: artwork.User(artist.ID), Slot: artwork.SlotAvatar}, artwork.Custom, 4),
	}
	for i, record := range records {
		for _, later := range records[i:] {
			requireEmpty(t, r, later.Place)
		}
		applyOne(t, r, chosen(record))
	}
	for _, record := range records {
		requireInForce(t, r, record)
	}
}

func alreadyInForce(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	first := applyOne(t, r, chosen(record))
	again := applyOne(t, r, chosen(record))
	require.Equal(t, artwork.AlreadyInForce, again.Result)
	require.Equal(t, first.Image, again.Image)
	require.Equal(t, first.Image, requireInForce(t, r, record))
}

func knownRecordStays(t TB, open func(TB) Repositories) {
	r := open(t)
	record := fullRecord(newPlace(t, r))
	require.NoError(t, r.Archive.Add(t.Context(), record))
	other := record
	other.Attribution, other.StatedBy, other.FocalPoint, other.AddedAt = "nobody", 0, nil, time.Now()
	outcome := applyOne(t, r, chosen(other))
	require.Equal(t, record.FocalPoint, outcome.Image.FocalPoint, "the outcome is not what was stored")
	require.Equal(t, outcome.Image, requireInForce(t, r, record))
	stored, err := r.Archive.Find(t.Context(), record.ID)
	require.NoError(t, err)
	require.Equal(t, record, stored)
}

func earlierImageAgain(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	first, second := newRecord(place, artwork.Custom, 1), newRecord(place, artwork.Custom, 2)
	applyAll(t, r, chosen(first))
	applyAll(t, r, chosen(second))
	requireInForce(t, r, second)
	require.Equal(t, artwork.Changed, applyOne(t, r, chosen(first)).Result)
	requireInForce(t, r, first)
}

func recordOfAnotherPlace(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(record))
	moved := record
	moved.Place = newPlace(t, r)
	_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{chosen(moved)})
	requireKind(t, artwork.Conflict, err)
	requireEmpty(t, r, moved.Place)
}

func lastModifiedIncreases(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	var last time.Time
	for n := range 5 {
		record := newRecord(place, artwork.Custom, n)
		modified := applyOne(t, r, chosen(record)).Image.LastModified
		require.Equal(t, modified, requireInForce(t, r, record).LastModified)
		require.Equal(t, time.UTC, modified.Location())
		require.Zero(t, modified.Nanosecond(), "LastModified is not in whole seconds")
		require.GreaterOrEqual(t, modified.Sub(last), time.Second, "LastModified did not increase by a second")
		last = modified
	}
}

func unknownSubjectFailsAll(t TB, open func(TB) Repositories) {
	r := open(t)
	good := newRecord(newPlace(t, r), artwork.Custom, 1)
	bad := newRecord(artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover}, artwork.Custom, 2)
	_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{chosen(good), chosen(bad)})
	requireKind(t, artwork.NotFound, err)
	requireEmpty(t, r, good.Place)
	requireUnknown(t, r, good)
}

func wrongTagFailsAll(t TB, open func(TB) Repositories) {
	r := open(t)
	first, second := newPlace(t, r), newPlace(t, r)
	old := newRecord(second, artwork.Custom, 1)
	applyOne(t, r, chosen(old))
	good, bad := newRecord(first, artwork.Custom, 2), newRecord(second, artwork.Custom, 3)
	guarded := chosen(bad)
	guarded.IfTag = artwork.TagOf(bad.Content.Hash, nil)
	_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{chosen(good), guarded})
	requireKind(t, artwork.PreconditionFailed, err)
	requireEmpty(t, r, first)
	requireInForce(t, r, old)
	requireUnknown(t, r, good)
	requireUnknown(t, r, bad)

	// Nor does any tag hold in an empty slot.
	guarded = chosen(good)
	guarded.IfTag = artwork.TagOf(good.Content.Hash, nil)
	_, err = r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{guarded})
	requireKind(t, artwork.PreconditionFailed, err)
}

func applicationsInOrder(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	first, second := newRecord(place, artwork.Custom, 1), newRecord(place, artwork.Custom, 2)
	second.FocalPoint = &artwork.FocalPoint{X: 0.5, Y: 0.25}
	then := chosen(second)
	then.IfTag = artwork.TagOf(first.Content.Hash, nil)
	outcomes := applyAll(t, r, chosen(first), then, chosen(second))
	require.Equal(t, artwork.Changed, outcomes[0].Result)
	require.Equal(t, first.ID, outcomes[0].Image.RecordID)
	require.Equal(t, artwork.Changed, outcomes[1].Result)
	require.Equal(t, second.ID, outcomes[1].Image.RecordID)
	require.Equal(t, artwork.AlreadyInForce, outcomes[2].Result)
	require.True(t, outcomes[1].Image.LastModified.After(outcomes[0].Image.LastModified))
	require.Equal(t, outcomes[2].Image, requireInForce(t, r, second))

	then.IfTag = artwork.TagOf(second.Content.Hash, second.FocalPoint)
	require.Equal(t, artwork.AlreadyInForce, applyOne(t, r, then).Result)
}

func noApplications(t TB, open func(TB) Repositories) {
	r := open(t)
	outcomes, err := r.Images.Apply(t.Context(), artwork.Unfenced(), nil)
	require.NoError(t, err)
	require.Empty(t, outcomes)
}

func manyPlaces(t TB, open func(TB) Repositories) {
	r := open(t)
	var applications []artwork.Application
	for n := range 120 {
		id := newArtist(t, r, "Someone").ID
		for _, slot := range artwork.ArtistSubject.Slots() {
			applications = append(applications, chosen(newRecord(artwork.Place{Subject: artwork.Artist(id), Slot: slot}, artwork.Custom, n)))
		}
	}
	for i, outcome := range applyAll(t, r, applications...) {
		require.Equal(t, artwork.Changed, outcome.Result)
		require.Equal(t, applications[i].Record.ID, outcome.Image.RecordID)
	}
	requireInForce(t, r, applications[0].Record)
	requireInForce(t, r, applications[len(applications)-1].Record)
}

func heldUntil(err error) artwork.Fence {
	return artwork.Fence{Deadline: time.Now().Add(time.Minute), StillHeld: func(context.Context) error { return err }}
}

func lostFence(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	for _, lost := range []error{
		errors.New("the fence was lost"),
		artwork.Errorf(artwork.CacheUnreachable, "the cache is gone"),
		context.DeadlineExceeded,
	} {
		_, err := r.Images.Apply(t.Context(), heldUntil(lost), []artwork.Application{chosen(record)})
		same := err == lost //nolint:errorlint // it is to be returned as it is
		require.True(t, same, "the error of StillHeld is not returned as it is, but: %v", err)
		requireEmpty(t, r, record.Place)
		requireUnknown(t, r, record)
	}
	_, err := r.Images.Apply(t.Context(), heldUntil(nil), []artwork.Application{chosen(record)})
	require.NoError(t, err)
	requireInForce(t, r, record)
}

func lostFenceKeepsOlder(t TB, open func(TB) Repositories) {
	r := open(t)
	place, other := newPlace(t, r), newPlace(t, r)
	old := newRecord(place, artwork.Custom, 1)
	before := applyOne(t, r, chosen(old)).Image
	replacement, second := newRecord(place, artwork.Custom, 2), newRecord(other, artwork.Custom, 3)
	_, err := r.Images.Apply(t.Context(), heldUntil(errors.New("lost")), []artwork.Application{chosen(second), chosen(replacement)})
	require.Error(t, err)
	require.Equal(t, before, requireInForce(t, r, old))
	requireEmpty(t, r, other)
	requireUnknown(t, r, replacement)
	requireUnknown(t, r, second)
}

func fenceCheckedLast(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	old, record := newRecord(place, artwork.Custom, 1), newRecord(place, artwork.Custom, 2)
	applyOne(t, r, chosen(old))
	checks := 0
	fence := artwork.Fence{Deadline: time.Now().Add(time.Minute), StillHeld: func(ctx context.Context) error {
		checks++
		img, err := r.Images.InForce(ctx, place)
		if err == nil && img.RecordID != old.ID {
			err = errors.New("the change is visible before the fence was checked")
		}
		return err
	}}
	_, err := r.Images.Apply(t.Context(), fence, []artwork.Application{chosen(record)})
	require.NoError(t, err)
	require.Equal(t, 1, checks)
	requireInForce(t, r, record)
}

func passedDeadline(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	fence := heldUntil(nil)
	fence.Deadline = time.Now().Add(-time.Second)
	_, err := r.Images.Apply(t.Context(), fence, []artwork.Application{chosen(record)})
	requireKind(t, artwork.CacheUnreachable, err)
	requireEmpty(t, r, record.Place)
	requireUnknown(t, r, record)
}

func deadlinePassesBeforeCommit(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	deadline := time.Now().Add(500 * time.Millisecond)
	fence := artwork.Fence{Deadline: deadline, StillHeld: func(context.Context) error {
		<-time.After(time.Until(deadline) + 200*time.Millisecond)
		return nil
	}}
	_, err := r.Images.Apply(t.Context(), fence, []artwork.Application{chosen(record)})
	require.Error(t, err, "a change was committed after its fence's deadline")
	require.Contains(t, []artwork.ErrorKind{artwork.CacheUnreachable, artwork.OutcomeUnknown}, artwork.KindOf(err), "kind of: %v", err)
	requireEmpty(t, r, record.Place)
	requireUnknown(t, r, record)
}

func racingAppliers(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	const writers = 20
	images, errs := make([]*artwork.Image, writers), make([]error, writers)
	race(writers, func(i int) {
		outcomes, err := r.Images.Apply(t.Context(), heldUntil(nil), []artwork.Application{chosen(newRecord(place, artwork.Custom, i))})
		if err == nil && outcomes[0].Result != artwork.Changed {
			err = fmt.Errorf("the result is %d", outcomes[0].Result)
		}
		if errs[i] = err; err == nil {
			images[i] = outcomes[0].Image
		}
	})
	for i, err := range errs {
		require.NoError(t, err, "writer %d", i)
		require.Equal(t, newRecord(place, artwork.Custom, i).ID, images[i].RecordID, "a writer was told of another's image")
	}
	// They happened one after the other: each at a later LastModified, and the
	// last of them is in force.
	slices.SortFunc(images, func(a, b *artwork.Image) int { return a.LastModified.Compare(b.LastModified) })
	for i, img := range images[1:] {
		require.GreaterOrEqual(t, img.LastModified.Sub(images[i].LastModified), time.Second, "two changes at one LastModified")
	}
	inForce, err := r.Images.InForce(t.Context(), place)
	require.NoError(t, err)
	require.Equal(t, images[writers-1], inForce)
}

func racingSameImage(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	const writers = 20
	outcomes, errs := make([][]artwork.Outcome, writers), make([]error, writers)
	race(writers, func(i int) {
		outcomes[i], errs[i] = r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{chosen(record)})
	})
	changed := 0
	inForce := requireInForce(t, r, record)
	for i := range writers {
		require.NoError(t, errs[i])
		require.Equal(t, inForce, outcomes[i][0].Image)
		if outcomes[i][0].Result == artwork.Changed {
			changed++
		} else {
			require.Equal(t, artwork.AlreadyInForce, outcomes[i][0].Result)
		}
	}
	require.Equal(t, 1, changed)
}

func racingTags(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	tag := applyOne(t, r, chosen(newRecord(place, artwork.Custom, 0))).Image.Tag
	const writers = 20
	errs := make([]error, writers)
	race(writers, func(i int) {
		application := chosen(newRecord(place, artwork.Custom, i+1))
		application.IfTag = tag
		_, errs[i] = r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{application})
	})
	winner := -1
	for i, err := range errs {
		if err != nil {
			requireKind(t, artwork.PreconditionFailed, err)
			continue
		}
		require.Equal(t, -1, winner, "two writers replaced the same image")
		winner = i
	}
	require.NotEqual(t, -1, winner)
	requireInForce(t, r, newRecord(place, artwork.Custom, winner+1))
}

func crossingBatches(t TB, open func(TB) Repositories) {
	r := open(t)
	var places []artwork.Place
	for range 6 {
		places = append(places, newPlace(t, r), newCover(t, r))
	}
	const writers = 10
	errs := make([]error, writers)
	race(writers, func(i int) {
		order := slices.Clone(places)
		if i%2 == 1 {
			slices.Reverse(order)
		}
		var applications []artwork.Application
		for _, place := range order {
			application := chosen(newRecord(place, artwork.Custom, i))
			application.Automatic = true
			applications = append(applications, application)
		}
		_, errs[i] = r.Images.Apply(t.Context(), heldUntil(nil), applications)
	})
	var winner artwork.Hash
	for i, err := range errs {
		require.NoError(t, err, "writer %d", i)
	}
	for i, place := range places {
		img, err := r.Images.InForce(t.Context(), place)
		require.NoError(t, err)
		if i == 0 {
			winner = img.Hash
		}
		require.Equal(t, winner, img.Hash, "two batches were mixed")
	}
}

// The clauses about images that nobody chose.

func localFillsEmpty(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Local, 1)
	require.Equal(t, artwork.Changed, applyOne(t, r, found(record, 3, "/music/a.jpg")).Result)
	img := requireInForce(t, r, record)
	require.Equal(t, artwork.Local, img.Source)
	require.Equal(t, artwork.AlreadyInForce, applyOne(t, r, found(record, 3, "/music/a.jpg")).Result)
	require.Equal(t, img, requireInForce(t, r, record))
}

func localPrefersOrigin(t TB, open func(TB) Repositories) {
	r := open(t)
	best, second, worst := func(p artwork.Place) artwork.Application {
		return found(newRecord(p, artwork.Local, 1), 0, "/music/b.jpg")
	},
		func(p artwork.Place) artwork.Application {
			return found(newRecord(p, artwork.Local, 2), 1, "/music/a.jpg")
		},
		func(p artwork.Place) artwork.Application {
			return found(newRecord(p, artwork.Local, 3), 1, "/music/c.jpg")
		}
	orders := [][]func(artwork.Place) artwork.Application{
		{best, second, worst}, {best, worst, second}, {second, best, worst}, {second, worst, best}, {worst, best, second}, {worst, second, best},
	}
	for _, order := range orders {
		place := newPlace(t, r)
		for _, application := range order {
			applyOne(t, r, application(place))
		}
		requireInForce(t, r, newRecord(place, artwork.Local, 1))
	}

	place := newPlace(t, r)
	outcomes := applyAll(t, r, best(place), worst(place))
	require.Equal(t, artwork.Declined, outcomes[1].Result)
	require.Equal(t, "/music/b.jpg", outcomes[1].Blocker)
	require.Equal(t, outcomes[0].Image, outcomes[1].Image)
	_, err := r.Archive.Find(t.Context(), newRecord(place, artwork.Local, 3).ID)
	require.NoError(t, err, "a declined record is not kept")

	// The picture at the same origin has changed: it is the picture now.
	changed := newRecord(place, artwork.Local, 9)
	require.Equal(t, artwork.Changed, applyOne(t, r, found(changed, 0, "/music/b.jpg")).Result)
	requireInForce(t, r, changed)
}

func localDisplacesOnlyLocal(t TB, open func(TB) Repositories) {
	r := open(t)
	for n, held := range []artwork.Source{artwork.Custom, artwork.External, artwork.Local} {
		for _, place := range []artwork.Place{newPlace(t, r), newCover(t, r)} {
			inForce := newRecord(place, held, n)
			applyOne(t, r, chosen(inForce))
			local := newRecord(place, artwork.Local, 10+n)
			outcome := applyOne(t, r, found(local, 0, "/music/a.jpg"))
			require.Equal(t, artwork.Declined, outcome.Result, "a local image displaced a chosen %s one", held)
			require.Empty(t, outcome.Blocker)
			require.Equal(t, outcome.Image, requireInForce(t, r, inForce))
		}
	}
}

func vanishedOrigin(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	applyOne(t, r, found(newRecord(place, artwork.Local, 1), 0, "/music/gone.jpg"))
	next := found(newRecord(place, artwork.Local, 2), 5, "/music/there.jpg")
	next.Vanished = "/music/another.jpg"
	require.Equal(t, artwork.Declined, applyOne(t, r, next).Result)
	next.Vanished = "/music/gone.jpg"
	require.Equal(t, artwork.Changed, applyOne(t, r, next).Result)
	requireInForce(t, r, next.Record)
}

func betterOriginNoted(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	record := newRecord(place, artwork.Local, 1)
	first := applyOne(t, r, found(record, 5, "/music/5.jpg")).Image
	// The same picture lies in a better place too, and then only in a worse one.
	better := applyOne(t, r, found(record, 1, "/music/1.jpg"))
	require.Equal(t, artwork.AlreadyInForce, better.Result)
	require.Equal(t, first, better.Image, "noting an origin changed the image")
	other := found(newRecord(place, artwork.Local, 2), 3, "/music/3.jpg")
	declined := applyOne(t, r, other)
	require.Equal(t, artwork.Declined, declined.Result)
	require.Equal(t, "/music/1.jpg", declined.Blocker)

	worse := found(record, 7, "/music/7.jpg")
	require.Equal(t, artwork.AlreadyInForce, applyOne(t, r, worse).Result)
	require.Equal(t, "/music/1.jpg", applyOne(t, r, other).Blocker, "a worse origin replaced a better one")
	worse.Vanished = "/music/1.jpg"
	require.Equal(t, artwork.AlreadyInForce, applyOne(t, r, worse).Result)
	require.Equal(t, artwork.Changed, applyOne(t, r, other).Result)
}

func appliedAgainIsChosen(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	record := newRecord(place, artwork.Local, 1)
	applyOne(t, r, found(record, 5, "/music/5.jpg"))
	require.Equal(t, artwork.AlreadyInForce, applyOne(t, r, chosen(record)).Result)
	// Neither a scan that meets it nor one that meets a better one undoes that.
	require.Equal(t, artwork.AlreadyInForce, applyOne(t, r, found(record, 5, "/music/5.jpg")).Result)
	better := found(newRecord(place, artwork.Local, 2), 0, "/music/0.jpg")
	better.Vanished = "/music/5.jpg"
	outcome := applyOne(t, r, better)
	require.Equal(t, artwork.Declined, outcome.Result)
	require.Empty(t, outcome.Blocker)
	requireInForce(t, r, record)
}

func otherAutomaticImages(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	external := newRecord(place, artwork.External, 1)
	require.Equal(t, artwork.Changed, applyOne(t, r, found(external, 0, "")).Result)
	for n, source := range []artwork.Source{artwork.External, artwork.Custom, artwork.Local} {
		outcome := applyOne(t, r, found(newRecord(place, source, 2+n), 0, ""))
		require.Equal(t, artwork.Declined, outcome.Result)
		require.Empty(t, outcome.Blocker)
	}
	requireInForce(t, r, external)

	place = newPlace(t, r)
	local := newRecord(place, artwork.Local, 1)
	applyOne(t, r, found(local, 5, "/music/5.jpg"))
	require.Equal(t, artwork.Declined, applyOne(t, r, found(newRecord(place, artwork.External, 2), 0, "")).Result)
	requireInForce(t, r, local)
}

func pathsAreBytes(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	path := "/music/Bj\xf6rk/" + strings.Repeat("x", 4000) + "/cover '?0' \\ %.jpg" // ISO 8859-1, as on many old disks
	applyOne(t, r, found(newRecord(place, artwork.Local, 1), 0, path))
	outcome := applyOne(t, r, found(newRecord(place, artwork.Local, 2), 1, path))
	require.Equal(t, artwork.Declined, outcome.Result)
	require.Equal(t, path, outcome.Blocker)
}

func onceByKey(t TB, open func(TB) Repositories) {
	r := open(t)
	place, other := newPlace(t, r), newCover(t, r)
	once := chosen(newRecord(place, artwork.External, 1))
	once.IdempotencyKey = artwork.NewID()
	require.Equal(t, artwork.Changed, applyOne(t, r, once).Result)
	require.Equal(t, artwork.AlreadyDone, applyOne(t, r, once).Result)

	between := chosen(newRecord(place, artwork.External, 2))
	require.Equal(t, artwork.Changed, applyOne(t, r, between).Result)
	elsewhere := chosen(newRecord(other, artwork.External, 3))
	outcomes := applyAll(t, r, elsewhere, once)
	require.Equal(t, artwork.Changed, outcomes[0].Result)
	require.Equal(t, artwork.AlreadyDone, outcomes[1].Result)
	require.Equal(t, between.Record.ID, outcomes[1].Image.RecordID, "what is in force since then")
	requireInForce(t, r, between.Record)

	twice := chosen(newRecord(place, artwork.External, 4))
	twice.IdempotencyKey = artwork.NewID()
	outcomes = applyAll(t, r, twice, between, twice)
	require.Equal(t, []artwork.Result{artwork.Changed, artwork.Changed, artwork.AlreadyDone},
		[]artwork.Result{outcomes[0].Result, outcomes[1].Result, outcomes[2].Result})
	requireInForce(t, r, between.Record)

	// A failed attempt is none.
	lost := chosen(newRecord(place, artwork.External, 5))
	lost.IdempotencyKey, lost.IfTag = artwork.NewID(), "0123456789abcdef"
	_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{lost})
	requireKind(t, artwork.PreconditionFailed, err)
	lost.IfTag = ""
	require.Equal(t, artwork.Changed, applyOne(t, r, lost).Result)
	history, err := r.Archive.History(t.Context(), place.Subject)
	require.NoError(t, err)
	require.Len(t, history, 5)
}

func racingKeys(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	once := chosen(newRecord(place, artwork.External, 0))
	once.IdempotencyKey = artwork.NewID()
	var applying sync.WaitGroup
	var changed atomic.Int32
	for n := range 20 {
		applying.Go(func() {
			outcomes, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{once, chosen(newRecord(place, artwork.External, n+1))})
			switch {
			case err != nil:
				changed.Add(100)
			case outcomes[0].Result == artwork.Changed:
				changed.Add(1)
			}
		})
	}
	applying.Wait()
	require.EqualValues(t, 1, changed.Load())
}

func imagesCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Images.InForce(ctx, record.Place)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Images.Apply(ctx, artwork.Unfenced(), []artwork.Application{chosen(record)})
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Images.Apply(ctx, heldUntil(nil), []artwork.Application{chosen(record)})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.Archive.Add(ctx, record), context.Canceled)
	_, err = r.Archive.Find(ctx, record.ID)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Archive.List(ctx, record.Place.Subject, artwork.Custom)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.Archive.References(ctx, func(artwork.Content) error { return nil }), context.Canceled)
	requireEmpty(t, r, record.Place)
	requireUnknown(t, r, record)
}

// The clauses of artwork.ImageArchive.

func recordSurvives(t TB, open func(TB) Repositories) {
	r := open(t)
	record := fullRecord(newPlace(t, r))
	require.NoError(t, r.Archive.Add(t.Context(), record))
	stored, err := r.Archive.Find(t.Context(), record.ID)
	require.NoError(t, err)
	require.Equal(t, record, stored)
}

func recordTimes(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	kathmandu := time.FixedZone("", 5*3600+45*60)
	for n, added := range []time.Time{
		time.Date(2024, 1, 1, 2, 3, 4, 5000, kathmandu),
		time.Date(2024, 1, 1, 2, 3, 4, 999999000, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(2024, 1, 1, 0, 0, 0, 0, time.FixedZone("", -11*3600)),
	} {
		record := newRecord(place, artwork.Custom, n)
		record.AddedAt = added
		require.NoError(t, r.Archive.Add(t.Context(), record))
		stored, err := r.Archive.Find(t.Context(), record.ID)
		require.NoError(t, err)
		require.True(t, added.Equal(stored.AddedAt), "%s became %s", added, stored.AddedAt)
		require.Equal(t, time.UTC, stored.AddedAt.Location())
	}
	before := time.Now().Add(-time.Second)
	record := newRecord(place, artwork.Custom, 100)
	require.NoError(t, r.Archive.Add(t.Context(), record))
	stored, err := r.Archive.Find(t.Context(), record.ID)
	require.NoError(t, err)
	require.WithinRange(t, stored.AddedAt, before, time.Now().Add(time.Second), "the time is not kept by the repository")
}

// oddTexts are texts that naive storage damages.
var oddTexts = []string{
	"",
	" leading and trailing ",
	"e\u0301 is not \u00e9", // combining acute accent, and the composed form
	"שלום \u202eעולם\u202c", // right to left, with an override
	"👩‍👩‍👧‍👦 🏳️‍🌈 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
	`'; DROP TABLE images; -- "quotes" 'single' \' \\ \0`,
	"?0 ?1 ? :name $1 %s {{.}} ?TableAlias",
	"tab\tline\nreturn\r",
	"\ufeffbyte order mark \uffff \U0010ffff",
	"𠜎𠜱𠝹𠱓",
}

func recordTexts(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	for n, text := range oddTexts {
		record := newRecord(place, artwork.Custom, n)
		record.Provider, record.SourceURL, record.Licence, record.Attribution = text, text, text, text
		record.SourcePage = text
		record.FileName, record.AddedBy, record.Content.MIMEType = text, text, text
		record.AddedAt = time.Unix(0, 0).UTC()
		require.NoError(t, r.Archive.Add(t.Context(), record))
		stored, err := r.Archive.Find(t.Context(), record.ID)
		require.NoError(t, err)
		require.Equal(t, record, stored)
	}
}

func recordBadTexts(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	for _, text := range []string{"NUL \x00 byte", "not UTF-8 \xff"} {
		record := newRecord(place, artwork.Custom, 1)
		record.FileName = text
		requireKind(t, artwork.InvalidInput, r.Archive.Add(t.Context(), record))
		requireUnknown(t, r, record)
		application := chosen(newRecord(place, artwork.Custom, 1))
		application.By = artwork.Actor{Name: text}
		_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{application})
		requireKind(t, artwork.InvalidInput, err)
		requireEmpty(t, r, place)
	}
}

func recordIncomplete(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	for name, spoil := range map[string]func(*artwork.Record){
		"no ID":          func(record *artwork.Record) { record.ID = artwork.ID{} },
		"no hash":        func(record *artwork.Record) { record.Content.Hash = artwork.Hash{} },
		"no source":      func(record *artwork.Record) { record.Source = 0 },
		"no such source": func(record *artwork.Record) { record.Source = 99 },
		"no such point":  func(record *artwork.Record) { record.FocalPoint = &artwork.FocalPoint{X: 2} },
	} {
		t.Logf("%s", name)
		record := newRecord(place, artwork.Custom, 1)
		spoil(&record)
		requireKind(t, artwork.InvalidInput, r.Archive.Add(t.Context(), record))
		_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{chosen(newRecord(place, artwork.Custom, 2)), chosen(record)})
		requireKind(t, artwork.InvalidInput, err)
		requireUnknown(t, r, record)
	}
	requireEmpty(t, r, place)
}

func addedNotInForce(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	require.NoError(t, r.Archive.Add(t.Context(), record))
	requireEmpty(t, r, record.Place)
	listed, err := r.Archive.List(t.Context(), record.Place.Subject, artwork.Custom)
	require.NoError(t, err)
	require.Len(t, listed, 1)
	require.False(t, listed[0].InForce)
}

func addKnown(t TB, open func(TB) Repositories) {
	r := open(t)
	record := fullRecord(newPlace(t, r))
	errs := make([]error, 10)
	race(len(errs), func(i int) { errs[i] = r.Archive.Add(t.Context(), record) })
	for _, err := range errs {
		require.NoError(t, err)
	}
	other := record
	other.Licence = "none"
	require.NoError(t, r.Archive.Add(t.Context(), other))
	stored, err := r.Archive.Find(t.Context(), record.ID)
	require.NoError(t, err)
	require.Equal(t, record, stored)
}

func addUnknownSubject(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(artwork.Place{Subject: artwork.User(artwork.NewID()), Slot: artwork.SlotAvatar}, artwork.Custom, 1)
	requireKind(t, artwork.NotFound, r.Archive.Add(t.Context(), record))
	requireUnknown(t, r, record)
}

func findUnknown(t TB, open func(TB) Repositories) {
	r := open(t)
	_, err := r.Archive.Find(t.Context(), artwork.NewID())
	requireKind(t, artwork.NotFound, err)
	_, err = r.Archive.Find(t.Context(), artwork.ID{})
	requireKind(t, artwork.NotFound, err)
	_, err = r.Archive.List(t.Context(), artwork.Artist(artwork.NewID()), artwork.Custom)
	requireKind(t, artwork.NotFound, err)
}

func historyIsComplete(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := artwork.Artist(newArtist(t, r, "Someone").ID)
	var want []artwork.HistoryEntry
	for n, slot := range []artwork.Slot{artwork.SlotProfile, artwork.SlotLogo, artwork.SlotProfile} {
		record := newRecord(artwork.Place{Subject: artist, Slot: slot}, artwork.External, n)
		record.AddedAt = time.Date(2024, 1, 1, 0, 0, n, 0, time.UTC)
		application := chosen(record)
		application.By = artwork.Actor{Name: "librarian " + slot.String()}
		begin := time.Now().Truncate(time.Microsecond)
		applyOne(t, r, application)
		entries, err := r.Archive.History(t.Context(), artist)
		require.NoError(t, err)
		require.Len(t, entries, n+1)
		require.False(t, entries[0].AppliedAt.Before(begin) || entries[0].AppliedAt.After(time.Now()), "%s", entries[0].AppliedAt)
		want = append([]artwork.HistoryEntry{{Record: record, AppliedBy: application.By.Name, AppliedAt: entries[0].AppliedAt, Act: artwork.ActApplied, InForce: true}}, want...)
	}
	want[2].InForce = false // displaced by the third
	require.NoError(t, r.Archive.Add(t.Context(), newRecord(artwork.Place{Subject: artist, Slot: artwork.SlotLogo}, artwork.Custom, 9)))
	applyOne(t, r, chosen(newRecord(newPlace(t, r), artwork.Custom, 1))) // of another artist
	entries, err := r.Archive.History(t.Context(), artist)
	require.NoError(t, err)
	require.Equal(t, want, entries)
}

func historyTwice(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	first, second := newRecord(place, artwork.Custom, 1), newRecord(place, artwork.Custom, 2)
	for _, record := range []artwork.Record{first, second, second, first} { // the third changes nothing
		applyOne(t, r, chosen(record))
	}
	entries, err := r.Archive.History(t.Context(), place.Subject)
	require.NoError(t, err)
	require.Len(t, entries, 3)
	for i, want := range []artwork.Record{first, second, first} {
		require.Equal(t, want.ID, entries[i].ID)
		require.Equal(t, i == 0, entries[i].InForce)
	}
}

func historyUnknown(t TB, open func(TB) Repositories) {
	_, err := open(t).Archive.History(t.Context(), artwork.Artist(artwork.NewID()))
	requireKind(t, artwork.NotFound, err)
}

func listsRecords(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := artwork.Artist(newArtist(t, r, "Someone").ID)
	add := func(slot artwork.Slot, source artwork.Source, n int) artwork.Record {
		record := newRecord(artwork.Place{Subject: artist, Slot: slot}, source, n)
		record.AddedAt = time.Date(2024, 1, 1, 0, 0, 0, n*1000, time.UTC)
		require.NoError(t, r.Archive.Add(t.Context(), record))
		return record
	}
	second := add(artwork.SlotProfile, artwork.Custom, 2)
	first := add(artwork.SlotProfile, artwork.Custom, 1)
	third := add(artwork.SlotLogo, artwork.Custom, 3)
	external := add(artwork.SlotProfile, artwork.External, 4)
	applyOne(t, r, chosen(third))
	applyOne(t, r, chosen(first))
	applyOne(t, r, chosen(external))
	applyOne(t, r, chosen(second))
	applyOne(t, r, chosen(newRecord(newPlace(t, r), artwork.Custom, 1))) // of another artist

	listed, err := r.Archive.List(t.Context(), artist, artwork.Custom)
	require.NoError(t, err)
	require.Equal(t, []artwork.ListedRecord{{Record: third, InForce: true}, {Record: second, InForce: true}, {Record: first}}, listed)
	listed, err = r.Archive.List(t.Context(), artist, artwork.External)
	require.NoError(t, err)
	require.Equal(t, []artwork.ListedRecord{{Record: external}}, listed)
	listed, err = r.Archive.List(t.Context(), artist, artwork.Local)
	require.NoError(t, err)
	require.Empty(t, listed)
}

// addMany records n images of one place, with a duplicate content among them. Nobody
// chose them, so that all but the first are only recorded.
func addMany(t TB, r Repositories, n int) {
	t.Helper()
	place := newPlace(t, r)
	var applications []artwork.Application
	for i := range n {
		applications = append(applications, chosen(newRecord(place, artwork.Custom, i)))
	}
	applyAll(t, r, append(applications, chosen(newRecord(newPlace(t, r), artwork.Custom, 0)))...)
}

func referencesAll(t TB, open func(TB) Repositories) {
	r := open(t)
	require.NoError(t, r.Archive.References(t.Context(), func(artwork.Content) error { return errors.New("nothing is there") }))
	const n = 2100
	addMany(t, r, n)
	seen := map[artwork.Hash]artwork.Content{}
	require.NoError(t, r.Archive.References(t.Context(), func(content artwork.Content) error {
		seen[content.Hash] = content
		return nil
	}))
	require.Len(t, seen, n)
	expected := newRecord(artwork.Place{}, artwork.Custom, 7).Content
	require.Equal(t, expected, seen[expected.Hash])
}

func referencesStops(t TB, open func(TB) Repositories) {
	r := open(t)
	addMany(t, r, 5)
	enough, visits := errors.New("enough"), 0
	err := r.Archive.References(t.Context(), func(artwork.Content) error {
		visits++
		return enough
	})
	require.Equal(t, enough, err)
	require.Equal(t, 1, visits)
}

func referencesReentrant(t TB, open func(TB) Repositories) {
	r := open(t)
	addMany(t, r, 5)
	visits := 0
	require.NoError(t, r.Archive.References(t.Context(), func(artwork.Content) error {
		if visits++; visits > 5 { // what is added meanwhile may be visited
			return nil
		}
		_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{chosen(newRecord(newPlace(t, r), artwork.Custom, visits))})
		return err
	}))
}

func recordsNotShared(t TB, open func(TB) Repositories) {
	r := open(t)
	record := fullRecord(newPlace(t, r))
	handedIn := record
	handedIn.Content.ThumbHash = slices.Clone(record.Content.ThumbHash)
	focal := *record.FocalPoint
	handedIn.FocalPoint = &focal
	require.NoError(t, r.Archive.Add(t.Context(), handedIn))
	handedIn.Content.ThumbHash[0], focal.X = 99, 0.99

	stored, err := r.Archive.Find(t.Context(), record.ID)
	require.NoError(t, err)
	require.Equal(t, record, stored)
	stored.Content.ThumbHash[0], stored.FocalPoint.X = 99, 0.99

	stored, err = r.Archive.Find(t.Context(), record.ID)
	require.NoError(t, err)
	require.Equal(t, record, stored)
}
