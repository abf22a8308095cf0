package conformance

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// activityCases are the clauses of activity.Log, and of what the other ports of the
// database promise about it.
func activityCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"activity: an entry comes back to the last field", entrySurvives},
		{"activity: texts are made valid and cut, and refuse no entry", entryTexts},
		{"activity: what is no entry is refused", entriesRefused},
		{"activity: the latest entry is the first, by its ID", latestFirst},
		{"activity: filters combine", filtersCombine},
		{"activity: a family is not the beginning of a name", familyOfActions},
		{"activity: since is within, until is not, in whatever time zone", timesOfEntries},
		{"activity: pages go on where they ended while entries arrive", stablePages},
		{"activity: queries that cannot be asked are refused", activityQueriesRefused},
		{"activity: what somebody applied is there, before and after", applicationsRecorded},
		{"activity: several applications of one call are there in their order", batchRecorded},
		{"activity: what nobody chose is not there", automaticNotRecorded},
		{"activity: revisions are there, before and after", revisionsRecorded},
		{"activity: another focal point is there", focusRecorded},
		{"activity: a withdrawn upload is there, in force or not", withdrawalRecorded},
		{"activity: a purge is there, with what was forgotten", purgeRecorded},
		{"activity: what is so already is not there", nothingNewRecorded},
		{"activity: an upload is there, once", uploadRecorded},
		{"activity: what changed in the catalogue is there, before and after", catalogRecorded},
		{"activity: a new token is there, without what it is known by", tokenRecorded},
		{"activity: where an image was downloaded from is not there", noSourceURLs},
		{"activity: a lost fence leaves no entry", lostFenceNoEntry},
		{"activity: what is refused leaves no entry", refusedNoEntry},
		{"activity: nobody sees an entry before its change", entryWithItsChange},
		{"activity: of 20 racing writers each is there, in the order of the changes", racersRecorded},
		{"activity: 20 racing recorders get IDs of their own", racingRecorders},
		{"activity: the oldest entries are trimmed, some at a time", entriesTrimmed},
		{"activity: a cancelled context ends every method", activityCancelled},
	}
}

// someone does what is recorded, from somewhere.
var someone = artwork.Actor{
	Name: "Ünal “Ü” 🎷", ID: artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10"), Address: "2001:db8::7", RequestID: "req-1.a_B",
}

// entries returns what the query selects, on one page.
func entries(t TB, r Repositories, query activity.Query) []activity.Entry {
	t.Helper()
	query.Limit = activity.MaxLimit
	page, err := r.Activity.List(t.Context(), query)
	require.NoError(t, err)
	require.Zero(t, page.Next, "there is more than a page")
	return page.Items
}

// imageEntries returns what was done to images, the first first.
func imageEntries(t TB, r Repositories) []activity.Entry {
	t.Helper()
	found := entries(t, r, activity.Query{Action: "image"})
	slices.Reverse(found)
	return found
}

func recordEntry(t TB, r Repositories, entry activity.Entry) {
	t.Helper()
	require.NoError(t, r.Activity.Record(t.Context(), entry))
}

// plain removes what the log gives an entry.
func plain(e activity.Entry) activity.Entry {
	e.ID, e.At = 0, time.Time{}
	return e
}

func entrySurvives(t TB, open func(TB) Repositories) {
	r := open(t)
	full := activity.Entry{
		Actor: someone, Action: activity.CatalogUpdate,
		Subject: activity.Subject{Kind: activity.Album, ID: artwork.NewID(), Name: "O'Hara's \"?\" \\ ¿Qué?"}, Slot: artwork.SlotCover,
		Before: activity.FactsOf(map[string]any{"name": "<a> & 'b' ?0", "year": 1999, "focalPoint": map[string]float64{"x": 1.0 / 3}}),
		After:  activity.FactsOf(map[string]any{}),
	}
	bare := activity.Entry{Action: activity.CacheFlush}
	for _, entry := range []activity.Entry{full, bare} {
		recordEntry(t, r, entry)
		found := entries(t, r, activity.Query{Action: string(entry.Action)})
		require.Len(t, found, 1)
		require.Positive(t, found[0].ID)
		require.Less(t, math.Abs(time.Since(found[0].At).Minutes()), 1.0)
		require.Equal(t, time.UTC, found[0].At.Location())
		require.Equal(t, found[0].At, found[0].At.Truncate(time.Microsecond))
		require.Equal(t, entry, plain(found[0]))
	}
	handed := entries(t, r, activity.Query{Action: string(full.Action)})[0]
	handed.Before[0] = 'x'
	require.Equal(t, full, plain(entries(t, r, activity.Query{Action: string(full.Action)})[0]), "what was handed out is shared")
}

func entryTexts(t TB, open func(TB) Repositories) {
	r := open(t)
	long := strings.Repeat("ñ", activity.MaxText+1)
	for text, kept := range map[string]string{
		"NUL \x00":                            "NUL \uFFFD",
		"\xff\xfe":                            "\uFFFD",
		long:                                  long[:2*(activity.MaxText-1)] + "…",
		strings.Repeat("é", activity.MaxText): strings.Repeat("é", activity.MaxText),
		"line\nbreak\t'\"\\?":                 "line\nbreak\t'\"\\?",
	} {
		entry := activity.Entry{
			Actor: artwork.Actor{Name: text, Address: text, RequestID: text}, Action: activity.LibraryImport,
			Subject: activity.Subject{Kind: activity.Library, Name: text}, After: activity.FactsOf(map[string]string{"text": text}),
		}
		recordEntry(t, r, entry)
		found := plain(entries(t, r, activity.Query{})[0])
		require.Equal(t, artwork.Actor{Name: kept, Address: kept, RequestID: kept}, found.Actor)
		require.Equal(t, kept, found.Subject.Name)
		require.Equal(t, entry.After, found.After)
		require.NotEmpty(t, entries(t, r, activity.Query{Actor: kept}))
	}
}

func entriesRefused(t TB, open func(TB) Repositories) {
	r := open(t)
	good := activity.Entry{Actor: someone, Action: activity.CacheFlush}
	for _, spoil := range []func(*activity.Entry){
		func(e *activity.Entry) { e.Action = "" },
		func(e *activity.Entry) { e.Action = "flush" },
		func(e *activity.Entry) { e.Action = "Cache.Flush" },
		func(e *activity.Entry) { e.Action = artwork.Action("a." + strings.Repeat("b", 31)) },
		func(e *activity.Entry) { e.Subject.Name = "of no kind" },
		func(e *activity.Entry) { e.Subject.Kind = "label" },
		func(e *activity.Entry) { e.Before = activity.Facts(`{"a":`) },
		func(e *activity.Entry) { e.After = activity.Facts(`[1]`) },
		func(e *activity.Entry) { e.After = activity.Facts{} },
		func(e *activity.Entry) {
			e.After = activity.FactsOf(map[string]string{"a": strings.Repeat("b", 20_000)})
		},
	} {
		bad := good
		spoil(&bad)
		requireKind(t, artwork.InvalidInput, r.Activity.Record(t.Context(), bad))
	}
	require.Empty(t, entries(t, r, activity.Query{}))

	application := chosen(newRecord(newPlace(t, r), artwork.Custom, 1))
	application.Action = "apply"
	_, err := r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{application})
	requireKind(t, artwork.InvalidInput, err)
	requireEmpty(t, r, application.Record.Place)
}

func latestFirst(t TB, open func(TB) Repositories) {
	r := open(t)
	for n := range 30 {
		recordEntry(t, r, activity.Entry{Actor: artwork.Actor{Name: fmt.Sprint(n)}, Action: activity.CacheFlush})
	}
	found := entries(t, r, activity.Query{})
	require.Len(t, found, 30)
	for n, entry := range found {
		require.Equal(t, fmt.Sprint(29-n), entry.Actor.Name)
		if n > 0 {
			require.Less(t, entry.ID, found[n-1].ID)
			require.False(t, entry.At.After(found[n-1].At))
		}
	}
}

// filtersCombine looks for an entry among others that differ from it in one thing.
func filtersCombine(t TB, open func(TB) Repositories) {
	r := open(t)
	wanted := activity.Entry{
		Actor: someone, Action: artwork.ActionApply, Subject: activity.Subject{Kind: activity.Artist, ID: artwork.NewID()},
	}
	recordEntry(t, r, activity.Entry{Actor: someone, Action: artwork.ActionApply}) // too early
	recordEntry(t, r, wanted)
	for _, differ := range []func(*activity.Entry){
		func(e *activity.Entry) { e.Actor.Name = "another" },
		func(e *activity.Entry) { e.Action = artwork.ActionLock },
		func(e *activity.Entry) { e.Subject.ID = artwork.NewID() },
		func(e *activity.Entry) { e.Subject.Kind = activity.Album },
	} {
		other := wanted
		differ(&other)
		recordEntry(t, r, other)
	}
	all := entries(t, r, activity.Query{})
	require.Len(t, all, 6)
	at := all[4].At
	query := activity.Query{
		Actor: someone.Name, Action: string(artwork.ActionApply), Kind: activity.Artist, ID: wanted.Subject.ID,
		Since: at, Until: all[0].At.Add(time.Minute), Before: all[0].ID + 1,
	}
	found := entries(t, r, query)
	require.Len(t, found, 1)
	require.Equal(t, wanted, plain(found[0]))
	for name, c := range map[string]struct {
		widen func(*activity.Query)
		more  int
	}{
		"actor":   {func(q *activity.Query) { q.Actor = "" }, 2},
		"action":  {func(q *activity.Query) { q.Action = "" }, 2},
		"family":  {func(q *activity.Query) { q.Action = "image" }, 2},
		"id":      {func(q *activity.Query) { q.ID = artwork.ID{} }, 2},
		"kind":    {func(q *activity.Query) { q.Kind = "" }, 2},
		"nothing": {func(q *activity.Query) { *q = activity.Query{} }, 6},
		"since":   {func(q *activity.Query) { q.Since = at.Add(time.Hour); q.Until = time.Time{} }, 0},
		"until":   {func(q *activity.Query) { q.Until = at }, 0},
		"before":  {func(q *activity.Query) { q.Before = all[4].ID }, 0},
		"another": {func(q *activity.Query) { q.Actor = "nobody" }, 0},
	} {
		widened := query
		c.widen(&widened)
		require.Len(t, entries(t, r, widened), c.more, name)
	}
}

func familyOfActions(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, action := range []artwork.Action{"image.apply", "imagery.apply", "image-x.apply", "image.lock", "imag.apply"} {
		recordEntry(t, r, activity.Entry{Action: action})
	}
	for asked, want := range map[string][]artwork.Action{
		"image":       {"image.lock", "image.apply"},
		"image.apply": {"image.apply"},
		"image-x":     {"image-x.apply"},
		"im":          nil,
		"image.app":   nil,
	} {
		var found []artwork.Action
		for _, entry := range entries(t, r, activity.Query{Action: asked}) {
			found = append(found, entry.Action)
		}
		require.Equal(t, want, found, asked)
	}
}

func timesOfEntries(t TB, open func(TB) Repositories) {
	r := open(t)
	recordEntry(t, r, activity.Entry{Action: activity.CacheFlush})
	at := entries(t, r, activity.Query{})[0].At
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 14*3600), time.FixedZone("", -(9*3600 + 1800))} {
		in := at.In(zone)
		require.Len(t, entries(t, r, activity.Query{Since: in}), 1)
		require.Empty(t, entries(t, r, activity.Query{Since: in.Add(time.Microsecond)}))
		require.Empty(t, entries(t, r, activity.Query{Until: in}))
		require.Len(t, entries(t, r, activity.Query{Until: in.Add(time.Microsecond)}), 1)
	}
}

func stablePages(t TB, open func(TB) Repositories) {
	r := open(t)
	name := func(n int) artwork.Actor { return artwork.Actor{Name: fmt.Sprint(n)} }
	for n := range 20 {
		recordEntry(t, r, activity.Entry{Actor: name(n), Action: activity.CacheFlush})
	}
	var met []string
	query := activity.Query{Action: string(activity.CacheFlush), Limit: 5}
	for n := 20; ; n += 3 {
		page, err := r.Activity.List(t.Context(), query)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Items), 5)
		for _, entry := range page.Items {
			met = append(met, entry.Actor.Name)
		}
		if page.Next == 0 {
			break
		}
		require.Equal(t, page.Items[len(page.Items)-1].ID, page.Next)
		query.Before = page.Next
		for more := range 3 { // while somebody reads
			recordEntry(t, r, activity.Entry{Actor: name(n + more), Action: activity.CacheFlush})
		}
	}
	var want []string
	for n := 19; n >= 0; n-- {
		want = append(want, fmt.Sprint(n))
	}
	require.Equal(t, want, met)
}

func activityQueriesRefused(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, query := range []activity.Query{
		{}, {Limit: -1}, {Limit: activity.MaxLimit + 1}, {Limit: 1, Before: -1}, {Limit: 1, Kind: "label"},
		{Limit: 1, Action: "Image"}, {Limit: 1, Action: "image."}, {Limit: 1, Action: ".apply"}, {Limit: 1, Action: "image.apply.x"},
		{Limit: 1, Action: "image%"}, {Limit: 1, Actor: "\x00"}, {Limit: 1, Actor: "\xff"},
	} {
		_, err := r.Activity.List(t.Context(), query)
		requireKind(t, artwork.InvalidInput, err)
	}
}

// apply puts a record in force and returns the entry that this has left.
func applyRecorded(t TB, r Repositories, application artwork.Application) activity.Entry {
	t.Helper()
	before := len(imageEntries(t, r))
	applyOne(t, r, application)
	found := imageEntries(t, r)
	require.Len(t, found, before+1)
	return found[before]
}

func slotFacts(record artwork.Record, more string) string {
	return fmt.Sprintf(`{"imageId":%q,"tag":%q,"hash":%q,"source":%q,"provider":%q,%s}`,
		record.ID, artwork.TagOf(record.Content.Hash, record.FocalPoint), record.Content.Hash, record.Source, record.Provider, more)
}

const (
	unguarded = `"locked":false,"keptEmpty":false`
	locked    = `"locked":true,"keptEmpty":false`
)

func applicationsRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Ñandú")
	album := newAlbum(t, r, artist.ID, "Uno")
	user := catalog.User{ID: artwork.NewID(), Username: "ana", DisplayName: "Ana", Role: catalog.RoleUser}
	_, err := r.Users.Put(t.Context(), somebody, user)
	require.NoError(t, err)
	for name, place := range map[string]artwork.Place{
		"Ñandú": {Subject: artwork.Artist(artist.ID), Slot: artwork.SlotBanner},
		"Uno":   {Subject: artwork.Album(album.ID), Slot: artwork.SlotCover},
		"ana":   {Subject: artwork.User(user.ID), Slot: artwork.SlotAvatar},
	} {
		first, second := newRecord(place, artwork.External, 1), newRecord(place, artwork.Custom, 2)
		second.FocalPoint = &artwork.FocalPoint{X: 0.25, Y: 1}
		entry := applyRecorded(t, r, artwork.Application{Record: first, By: someone})
		require.Equal(t, activity.Entry{
			Actor: someone, Action: artwork.ActionApply, Subject: activity.SubjectOf(place.Subject, name), Slot: place.Slot,
			Before: activity.Facts("{" + unguarded + "}"), After: activity.Facts(slotFacts(first, unguarded)),
		}, plain(entry))

		entry = applyRecorded(t, r, artwork.Application{Record: second, By: somebody, Action: artwork.ActionRestore})
		require.Equal(t, somebody, entry.Actor)
		require.Equal(t, artwork.ActionRestore, entry.Action)
		require.Equal(t, slotFacts(first, unguarded), string(entry.Before))
		require.Equal(t, slotFacts(second, `"focalPoint":{"x":0.25,"y":1},`+unguarded), string(entry.After))
	}
}

func batchRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	cover := newCover(t, r)
	var applications []artwork.Application
	var want []string
	for n := range 250 {
		place := cover
		if n%2 == 0 {
			place = artwork.Place{Subject: artwork.Artist(newArtist(t, r, fmt.Sprint(n)).ID), Slot: artwork.SlotLogo}
		}
		record := newRecord(place, artwork.Custom, n)
		applications = append(applications, chosen(record))
		want = append(want, record.ID.String())
	}
	applyAll(t, r, applications...)
	var found []activity.Entry
	for query := (activity.Query{Action: "image", Limit: activity.MaxLimit}); len(found) == 0 || query.Before != 0; {
		page, err := r.Activity.List(t.Context(), query)
		require.NoError(t, err)
		found = append(found, page.Items...)
		query.Before = page.Next
	}
	slices.Reverse(found)
	require.Len(t, found, len(want))
	before := "{" + unguarded + "}"
	for n, entry := range found {
		require.Contains(t, string(entry.After), want[n])
		if n%2 == 1 { // each sees the one before it in the same slot
			require.Equal(t, before, string(entry.Before))
			before = string(entry.After)
		}
	}
}

func automaticNotRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	require.Equal(t, artwork.Changed, applyOne(t, r, found(newRecord(place, artwork.Local, 1), 1, "/b")).Result)
	require.Equal(t, artwork.Changed, applyOne(t, r, found(newRecord(place, artwork.Local, 2), 0, "/a")).Result)
	require.NoError(t, r.Archive.Add(t.Context(), newRecord(place, artwork.Local, 3)))
	require.NoError(t, r.Library.Save(t.Context(), []catalog.Artist{{ID: artwork.NewID(), Name: "Found"}}, nil))
	require.Empty(t, imageEntries(t, r))
	require.Len(t, entries(t, r, activity.Query{}), 1, "of the artist that somebody brought")
}

func revisionsRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	local, custom := newRecord(place, artwork.Local, 1), newRecord(place, artwork.Custom, 2)
	applyOne(t, r, found(local, 0, "/a"))
	applyOne(t, r, chosen(custom))
	for _, step := range []struct {
		revision      artwork.Revision
		action        artwork.Action
		before, after string
	}{
		{artwork.Revision{Lock: artwork.Lock}, artwork.ActionLock, slotFacts(custom, unguarded), slotFacts(custom, locked)},
		{artwork.Revision{Lock: artwork.Unlock}, artwork.ActionUnlock, slotFacts(custom, locked), slotFacts(custom, unguarded)},
		{artwork.Revision{Remove: artwork.GiveWay}, artwork.ActionRemove, slotFacts(custom, unguarded), slotFacts(local, unguarded)},
		{artwork.Revision{Remove: artwork.KeepEmpty}, artwork.ActionRemove, slotFacts(local, unguarded), `{"locked":false,"keptEmpty":true}`},
		{artwork.Revision{Remove: artwork.GiveWay}, artwork.ActionRemove, `{"locked":false,"keptEmpty":true}`, `{"locked":false,"keptEmpty":false}`},
	} {
		step.revision.Place, step.revision.By = place, someone
		_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), step.revision)
		require.NoError(t, err)
		require.Equal(t, activity.Entry{
			Actor: someone, Action: step.action, Subject: activity.SubjectOf(place.Subject, "Someone"), Slot: place.Slot,
			Before: activity.Facts(step.before), After: activity.Facts(step.after),
		}, plain(entries(t, r, activity.Query{})[0]))
	}
}

func focusRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	plain := newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(plain))
	revision := artwork.Revision{Place: plain.Place, By: someone, Focus: &artwork.FocalPoint{X: 0.5, Y: 0}}
	for range 2 { // the second time it is so already
		_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), revision)
		require.NoError(t, err)
	}
	found := imageEntries(t, r)
	require.Len(t, found, 2)
	require.Equal(t, artwork.ActionFocus, found[1].Action)
	require.Equal(t, someone, found[1].Actor)
	require.Equal(t, slotFacts(plain, unguarded), string(found[1].Before))
	require.Contains(t, string(found[1].After), `"focalPoint":{"x":0.5,"y":0}`)
	require.NotContains(t, string(found[1].After), `"tag":"`+string(artwork.TagOf(plain.Content.Hash, nil))+`"`, "another focal point is another tag")
}

func withdrawalRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	shown, spare := newRecord(place, artwork.Custom, 1), newRecord(place, artwork.Custom, 2)
	require.NoError(t, r.Archive.AddUploaded(t.Context(), someone, shown))
	require.NoError(t, r.Archive.AddUploaded(t.Context(), someone, spare))
	applyOne(t, r, chosen(shown))
	for _, c := range []struct {
		withdrawn     artwork.Record
		before, after string
	}{
		{spare, slotFacts(shown, unguarded), slotFacts(shown, unguarded+`,"withdrawn":"`+spare.ID.String()+`"`)},
		{shown, slotFacts(shown, unguarded), "{" + unguarded + `,"withdrawn":"` + shown.ID.String() + `"}`},
	} {
		revision := artwork.Revision{Place: place, By: someone, Withdraw: c.withdrawn.ID}
		_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), revision)
		require.NoError(t, err)
		entry := entries(t, r, activity.Query{})[0]
		require.Equal(t, artwork.ActionWithdraw, entry.Action)
		require.Equal(t, c.before, string(entry.Before))
		require.Equal(t, c.after, string(entry.After))
		known := len(imageEntries(t, r))
		_, err = r.Reviser.Revise(t.Context(), artwork.Unfenced(), revision)
		requireKind(t, artwork.NotFound, err)
		require.Len(t, imageEntries(t, r), known)
	}
	known := len(imageEntries(t, r))
	require.NoError(t, r.Archive.AddUploaded(t.Context(), someone, shown)) // it was in force, and is offered again
	require.Len(t, imageEntries(t, r), known+1)
	require.NoError(t, r.Archive.AddUploaded(t.Context(), someone, shown))
	require.Len(t, imageEntries(t, r), known+1)
}

func purgeRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	for n := range 60 {
		applyOne(t, r, chosen(newRecord(place, artwork.Custom, n)))
	}
	first, last := newRecord(place, artwork.Custom, 0), newRecord(place, artwork.Custom, 59)
	_, err := r.Reviser.Purge(t.Context(), artwork.Unfenced(), artwork.Purge{Place: place, By: someone, Image: first.ID})
	require.NoError(t, err)
	entry := entries(t, r, activity.Query{Action: string(artwork.ActionPurge)})[0]
	require.Equal(t, someone, entry.Actor)
	require.Equal(t, slotFacts(last, unguarded), string(entry.Before))
	require.Equal(t, slotFacts(last, unguarded+`,"purged":["`+first.Content.Hash.String()+`"],"purgedImages":1`), string(entry.After))

	for range 2 { // the second time there is nothing to forget
		_, err = r.Reviser.Purge(t.Context(), artwork.Unfenced(), artwork.Purge{Place: place, By: someone})
		require.NoError(t, err)
	}
	purges := entries(t, r, activity.Query{Action: string(artwork.ActionPurge)})
	require.Len(t, purges, 2)
	require.Contains(t, string(purges[0].After), `"purgedImages":59`)
	require.NotContains(t, string(purges[0].After), "imageId")

	applyOne(t, r, chosen(first))
	lost := artwork.Errorf(artwork.CacheUnreachable, "the fence is lost")
	_, err = r.Reviser.Purge(t.Context(), artwork.Fence{StillHeld: func(context.Context) error { return lost }}, artwork.Purge{Place: place, By: someone})
	require.Equal(t, lost, err)
	_, err = r.Reviser.Purge(t.Context(), artwork.Unfenced(), artwork.Purge{Place: place, By: someone, Image: last.ID})
	requireKind(t, artwork.NotFound, err)
	require.Len(t, entries(t, r, activity.Query{Action: string(artwork.ActionPurge)}), 2)
}

func nothingNewRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	record := newRecord(place, artwork.Custom, 1)
	artist, err := r.Artists.Get(t.Context(), place.Subject.ID)
	require.NoError(t, err)
	applyOne(t, r, found(record, 0, ""))
	applyOne(t, r, chosen(record))
	applyOne(t, r, chosen(record))
	revise(t, r, artwork.Revision{Place: place, Lock: artwork.Unlock})
	revise(t, r, artwork.Revision{Place: place, Lock: artwork.Lock})
	known := len(entries(t, r, activity.Query{}))
	require.Equal(t, 2, known, "of the artist, and of the lock")

	revise(t, r, artwork.Revision{Place: place, Lock: artwork.Lock})
	empty := artwork.Place{Subject: place.Subject, Slot: artwork.SlotLogo}
	revise(t, r, artwork.Revision{Place: empty, Remove: artwork.GiveWay})
	for range 2 {
		created, err := r.Artists.Put(t.Context(), someone, artist)
		require.NoError(t, err)
		require.False(t, created)
	}
	require.Len(t, entries(t, r, activity.Query{}), known)
}

func uploadRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	uploaded := newRecord(newCover(t, r), artwork.Custom, 1)
	uploaded.FileName = "cover ?1 'final'.png"
	for range 2 {
		require.NoError(t, r.Archive.AddUploaded(t.Context(), someone, uploaded))
		found := imageEntries(t, r)
		require.Len(t, found, 1)
		require.Equal(t, activity.Entry{
			Actor: someone, Action: artwork.ActionUpload, Subject: activity.SubjectOf(uploaded.Place.Subject, "Something"), Slot: artwork.SlotCover,
			After: activity.Facts(slotFacts(uploaded, `"fileName":"cover ?1 'final'.png"`)),
		}, plain(found[0]))
	}
	kept, err := r.Archive.Find(t.Context(), uploaded.ID)
	require.NoError(t, err)
	require.Equal(t, uploaded.FileName, kept.FileName)
	requireEmpty(t, r, uploaded.Place)

	uploaded.Place = artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover}
	requireKind(t, artwork.NotFound, r.Archive.AddUploaded(t.Context(), someone, uploaded))
	requireKind(t, artwork.InvalidInput, r.Archive.AddUploaded(t.Context(), artwork.Actor{Name: "\x00"}, uploaded))
	requireKind(t, artwork.InvalidInput, r.Archive.AddUploaded(t.Context(), someone, artwork.Record{}))
	require.Len(t, imageEntries(t, r), 1)
}

func catalogRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	mbid := artwork.MustParseID("5b11f4ce-a62d-471e-81fc-a69a8278c7da")
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ñandú", SortName: "Nandu"}
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Uno", Year: 1999, MBID: mbid, ReleaseGroupMBID: mbid}
	user := catalog.User{ID: artwork.NewID(), Username: "ana", Role: catalog.RoleUser}
	renamed, moved, promoted := artist, album, user
	renamed.Name, renamed.SortName, renamed.MBID = "<Ñ>", "", mbid
	moved.Year, moved.MBID = 0, artwork.ID{}
	promoted.DisplayName, promoted.Role = "Ana", catalog.RoleAdmin
	put := func(_ bool, err error) { t.Helper(); require.NoError(t, err) }
	for _, c := range []struct {
		subject       activity.Subject
		do            func()
		before, after string
	}{
		{
			activity.Subject{Kind: activity.Artist, ID: artist.ID, Name: "Ñandú"}, func() { put(r.Artists.Put(t.Context(), someone, artist)) },
			"", `{"name":"Ñandú","sortName":"Nandu"}`,
		},
		{
			activity.Subject{Kind: activity.Artist, ID: artist.ID, Name: "<Ñ>"}, func() { put(r.Artists.Put(t.Context(), someone, renamed)) },
			`{"name":"Ñandú","sortName":"Nandu"}`, `{"name":"\u003cÑ\u003e","mbzArtistId":"5b11f4ce-a62d-471e-81fc-a69a8278c7da"}`,
		},
		{
			activity.Subject{Kind: activity.Album, ID: album.ID, Name: "Uno"}, func() { put(r.Albums.Put(t.Context(), someone, album)) },
			"", fmt.Sprintf(`{"name":"Uno","artistId":%q,"year":1999,"mbzAlbumId":%q,"mbzReleaseGroupId":%q}`, artist.ID, mbid, mbid),
		},
		{
			activity.Subject{Kind: activity.Album, ID: album.ID, Name: "Uno"}, func() { put(r.Albums.Put(t.Context(), someone, moved)) },
			fmt.Sprintf(`{"name":"Uno","artistId":%q,"year":1999,"mbzAlbumId":%q,"mbzReleaseGroupId":%q}`, artist.ID, mbid, mbid),
			fmt.Sprintf(`{"name":"Uno","artistId":%q,"mbzReleaseGroupId":%q}`, artist.ID, mbid),
		},
		{
			activity.Subject{Kind: activity.User, ID: user.ID, Name: "ana"}, func() { put(r.Users.Put(t.Context(), someone, user)) },
			"", `{"username":"ana","role":"user"}`,
		},
		{
			activity.Subject{Kind: activity.User, ID: user.ID, Name: "ana"}, func() { put(r.Users.Put(t.Context(), someone, promoted)) },
			`{"username":"ana","role":"user"}`, `{"username":"ana","displayName":"Ana","role":"admin"}`,
		},
	} {
		c.do()
		want := activity.Entry{Actor: someone, Action: activity.CatalogCreate, Subject: c.subject, After: activity.Facts(c.after)}
		if c.before != "" {
			want.Action, want.Before = activity.CatalogUpdate, activity.Facts(c.before)
		}
		require.Equal(t, want, plain(entries(t, r, activity.Query{})[0]))
	}
	require.Len(t, entries(t, r, activity.Query{}), 6)

	for range 2 { // the second time it is so already
		require.NoError(t, r.Artists.SetBackgroundPosition(t.Context(), someone, artist.ID, "center 20%"))
	}
	found := entries(t, r, activity.Query{})
	require.Len(t, found, 7)
	require.Equal(t, activity.Entry{
		Actor: someone, Action: activity.CatalogUpdate, Subject: activity.Subject{Kind: activity.Artist, ID: artist.ID, Name: "<Ñ>"},
		Before: activity.Facts(`{"backgroundPosition":""}`), After: activity.Facts(`{"backgroundPosition":"center 20%"}`),
	}, plain(found[0]))
	put(r.Artists.Put(t.Context(), someone, renamed))
	require.Len(t, entries(t, r, activity.Query{}), 7, "a PUT leaves the position as it is")

	long := catalog.Artist{ID: artwork.NewID(), Name: strings.Repeat("<", 1000), SortName: strings.Repeat("🎷", 1000)}
	put(r.Artists.Put(t.Context(), someone, long))
	long.Name = long.Name[:999] + "x" // far behind what a subject's name is cut at
	put(r.Artists.Put(t.Context(), someone, long))
	require.Len(t, entries(t, r, activity.Query{ID: long.ID}), 2)
	_, err := r.Artists.Put(t.Context(), artwork.Actor{Name: "\xff"}, artist)
	requireKind(t, artwork.InvalidInput, err)
}

func tokenRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	token := newToken("secret")
	require.NoError(t, r.Tokens.AddToken(t.Context(), someone, token))
	requireKind(t, artwork.Conflict, r.Tokens.AddToken(t.Context(), someone, token))
	found := entries(t, r, activity.Query{})
	require.Len(t, found, 1)
	require.Equal(t, activity.Entry{
		Actor: someone, Action: activity.TokenCreate, Subject: activity.Subject{Kind: activity.Token, ID: token.ID, Name: "token"},
		After: activity.Facts(`{"name":"token","scope":"write","expiresAt":"2034-02-28T01:02:03.456789Z"}`),
	}, plain(found[0]))
}

func noSourceURLs(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newCover(t, r), artwork.External, 1)
	record.SourceURL = "https://user:hunter2@example.org/a.png?X-Signature=hunter2#hunter2"
	applyOne(t, r, artwork.Application{Record: record, By: someone})
	revise(t, r, artwork.Revision{Place: record.Place, Remove: artwork.KeepEmpty})
	uploaded := newRecord(record.Place, artwork.Custom, 2)
	uploaded.SourceURL = record.SourceURL
	require.NoError(t, r.Archive.AddUploaded(t.Context(), someone, uploaded))
	require.Len(t, imageEntries(t, r), 3)
	for _, entry := range entries(t, r, activity.Query{}) {
		require.NotContains(t, fmt.Sprintf("%+v %s %s", entry, entry.Before, entry.After), "hunter2")
		require.NotContains(t, string(entry.After), "example.org")
	}
}

func lostFenceNoEntry(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(record))
	before := entries(t, r, activity.Query{})
	lost := artwork.Errorf(artwork.CacheUnreachable, "the fence is lost")
	fence := artwork.Fence{StillHeld: func(context.Context) error { return lost }}
	_, err := r.Images.Apply(t.Context(), fence, []artwork.Application{chosen(newRecord(record.Place, artwork.Custom, 2))})
	require.Equal(t, lost, err)
	_, err = r.Reviser.Revise(t.Context(), fence, artwork.Revision{Place: record.Place, By: someone, Lock: artwork.Lock})
	require.Equal(t, lost, err)
	requireInForce(t, r, record)
	require.Equal(t, before, entries(t, r, activity.Query{}))
}

func refusedNoEntry(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	applyOne(t, r, chosen(record))
	mbid := artwork.NewID()
	_, err := r.Artists.Put(t.Context(), someone, catalog.Artist{ID: artwork.NewID(), Name: "Holder", MBID: mbid})
	require.NoError(t, err)
	before := entries(t, r, activity.Query{})

	wrongTag := chosen(newRecord(record.Place, artwork.Custom, 2))
	wrongTag.IfTag = "another"
	fine := chosen(newRecord(artwork.Place{Subject: record.Place.Subject, Slot: artwork.SlotLogo}, artwork.Custom, 3))
	_, err = r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{fine, wrongTag})
	requireKind(t, artwork.PreconditionFailed, err)
	_, err = r.Reviser.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{Place: record.Place, By: someone, Lock: artwork.Lock, IfTag: "another"})
	requireKind(t, artwork.PreconditionFailed, err)
	nobody := chosen(newRecord(artwork.Place{Subject: artwork.Artist(artwork.NewID()), Slot: artwork.SlotLogo}, artwork.Custom, 4))
	_, err = r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{nobody})
	requireKind(t, artwork.NotFound, err)
	_, err = r.Artists.Put(t.Context(), someone, catalog.Artist{ID: artwork.NewID(), Name: "Other", MBID: mbid})
	requireKind(t, artwork.Conflict, err)
	_, err = r.Artists.Put(t.Context(), someone, catalog.Artist{ID: record.Place.Subject.ID, Name: "Renamed", MBID: mbid})
	requireKind(t, artwork.Conflict, err)
	_, err = r.Albums.Put(t.Context(), someone, catalog.Album{ID: artwork.NewID(), ArtistID: artwork.NewID(), Name: "Of nobody"})
	requireKind(t, artwork.NotFound, err)
	require.Equal(t, before, entries(t, r, activity.Query{}))
}

func entryWithItsChange(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	looked := false
	fence := artwork.Fence{StillHeld: func(context.Context) error {
		looked = true
		requireEmpty(t, r, record.Place)
		require.Empty(t, imageEntries(t, r))
		return nil
	}}
	_, err := r.Images.Apply(t.Context(), fence, []artwork.Application{chosen(record)})
	require.NoError(t, err)
	require.True(t, looked)
	require.Len(t, imageEntries(t, r), 1)
}

func racersRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	const racers = 20
	var racing sync.WaitGroup
	errs := make([]error, racers)
	for n := range racers {
		racing.Go(func() {
			_, errs[n] = r.Images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{
				{Record: newRecord(place, artwork.Custom, n), By: artwork.Actor{Name: fmt.Sprint(n)}},
			})
		})
	}
	racing.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	found := imageEntries(t, r)
	require.Len(t, found, racers)
	actors, before := map[string]bool{}, "{"+unguarded+"}"
	for _, entry := range found {
		require.Equal(t, before, string(entry.Before), "the entries are not in the order of the changes")
		before = string(entry.After)
		actors[entry.Actor.Name] = true
	}
	require.Len(t, actors, racers)
	img, err := r.Images.InForce(t.Context(), place)
	require.NoError(t, err)
	require.Contains(t, before, img.RecordID.String())
}

func racingRecorders(t TB, open func(TB) Repositories) {
	r := open(t)
	const racers, each = 20, 5
	var racing sync.WaitGroup
	errs := make([]error, racers)
	for n := range racers {
		racing.Go(func() {
			for i := range each {
				if err := r.Activity.Record(t.Context(), activity.Entry{Actor: artwork.Actor{Name: fmt.Sprint(n, " ", i)}, Action: activity.CacheFlush}); err != nil {
					errs[n] = err
				}
			}
		})
	}
	racing.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	ids, actors := map[int64]bool{}, map[string]bool{}
	for _, entry := range entries(t, r, activity.Query{}) {
		ids[entry.ID], actors[entry.Actor.Name] = true, true
	}
	require.Len(t, ids, racers*each)
	require.Len(t, actors, racers*each)
}

func entriesTrimmed(t TB, open func(TB) Repositories) {
	r := open(t)
	for n := range 5 {
		recordEntry(t, r, activity.Entry{Actor: artwork.Actor{Name: fmt.Sprint(n)}, Action: activity.CacheFlush})
	}
	last := entries(t, r, activity.Query{})[0].ID
	trim := func(keep time.Duration, limit, removed int, left ...string) {
		t.Helper()
		n, err := r.Activity.Trim(t.Context(), keep, limit)
		require.NoError(t, err)
		require.Equal(t, removed, n)
		var names []string
		for _, entry := range entries(t, r, activity.Query{}) {
			names = append(names, entry.Actor.Name)
		}
		require.Equal(t, left, names)
	}
	trim(time.Hour, 100, 0, "4", "3", "2", "1", "0")
	trim(0, 0, 0, "4", "3", "2", "1", "0")
	trim(0, 2, 2, "4", "3", "2")
	trim(0, 100, 3)
	trim(0, 100, 0)
	recordEntry(t, r, activity.Entry{Actor: someone, Action: activity.CacheFlush})
	require.Greater(t, entries(t, r, activity.Query{})[0].ID, last, "an ID was given again")
}

func activityCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Activity.Record(ctx, activity.Entry{Action: activity.CacheFlush}), context.Canceled)
	_, err := r.Activity.List(ctx, activity.Query{Limit: 1})
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Activity.Trim(ctx, 0, 1)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, entries(t, r, activity.Query{}))
}
