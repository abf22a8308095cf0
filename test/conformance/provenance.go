package conformance

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/findimages"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// provenanceCases are the clauses of artwork.ImageRepository that are about the rights
// in images.
func provenanceCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"rights: what is stated when an image is applied is in the history and the activity log", rightsAreKept},
		{"rights: what is stated later of a known image is learned", rightsAreLearned},
		{"rights: what is learned of the image in force changes nothing that readers are answered", rightsOfInForce},
		{"rights: no provider takes back what a caller said, and silence unsays nothing", rightsStay},
		{"rights: an image of the archive states nothing", rightsOfKnown},
		{"rights: a lost fence learns nothing", rightsAndFence},
	}
}

func stating(record artwork.Record, licence string, by artwork.Witness) artwork.Record {
	return record.WithProvenance(artwork.Provenance{
		Licence: licence, Attribution: "of " + licence, SourcePage: "https://example.org/" + licence, StatedBy: by,
	})
}

func requireRights(t TB, r Repositories, want artwork.Record) {
	t.Helper()
	found, err := r.Archive.Find(t.Context(), want.ID)
	require.NoError(t, err)
	require.Equal(t, want.Provenance(), found.Provenance())
	entries, err := r.Archive.History(t.Context(), want.Place.Subject)
	require.NoError(t, err)
	for _, e := range entries {
		if e.ID == want.ID {
			require.Equal(t, want.Provenance(), e.Provenance(), "the history has something else")
		}
	}
}

func rightsAreKept(t TB, open func(TB) Repositories) {
	r := open(t)
	record := stating(newRecord(newPlace(t, r), artwork.External, 1), "CC0", artwork.StatedByProvider)
	applyOne(t, r, chosen(record))
	requireRights(t, r, record)
	page, err := r.Activity.List(t.Context(), activity.Query{Limit: 1})
	require.NoError(t, err)
	for _, want := range []string{`"licence":"CC0"`, `"attribution":"of CC0"`, `"sourcePage":"https://example.org/CC0"`, `"statedBy":"provider"`} {
		require.Contains(t, string(page.Items[0].After), want)
	}
}

func rightsAreLearned(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	unknown := newRecord(place, artwork.External, 1)
	applyOne(t, r, chosen(unknown))
	applyOne(t, r, chosen(newRecord(place, artwork.External, 2)))
	for _, better := range []artwork.Record{
		stating(unknown, "first", artwork.StatedByProvider), stating(unknown, "second", artwork.StatedByProvider),
		stating(unknown, "third", artwork.StatedByCaller), stating(unknown, "fourth", artwork.StatedByCaller),
	} {
		automatic := chosen(better)
		automatic.Automatic = true
		require.Equal(t, artwork.Declined, applyOne(t, r, automatic).Result)
		requireRights(t, r, better)
	}
}

func rightsOfInForce(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.External, 1)
	before := applyOne(t, r, chosen(record)).Image
	record = stating(record, "CC0", artwork.StatedByCaller)
	outcome := applyOne(t, r, chosen(record))
	require.Equal(t, artwork.Outcome{Result: artwork.AlreadyInForce, Image: before}, outcome)
	require.Equal(t, before, requireInForce(t, r, record))
	requireRights(t, r, record)
	require.Len(t, historyOf(t, r, record.Place), 1)
	page, err := r.Activity.List(t.Context(), activity.Query{Limit: 1})
	require.NoError(t, err)
	require.NotContains(t, string(page.Items[0].Before), "CC0")
	require.Contains(t, string(page.Items[0].After), "CC0", "whoever stated it is in the log")
	applyOne(t, r, chosen(record))
	again, err := r.Activity.List(t.Context(), activity.Query{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, page.Items, again.Items)
}

func rightsStay(t TB, open func(TB) Repositories) {
	r := open(t)
	record := stating(newRecord(newPlace(t, r), artwork.External, 1), "said", artwork.StatedByCaller)
	applyOne(t, r, chosen(record))
	applyOne(t, r, chosen(stating(record, "offered", artwork.StatedByProvider)))
	applyOne(t, r, chosen(record.WithProvenance(artwork.Provenance{})))
	requireRights(t, r, record)
}

func rightsOfKnown(t TB, open func(TB) Repositories) {
	r := open(t)
	record := stating(newRecord(newPlace(t, r), artwork.External, 1), "before", artwork.StatedByProvider)
	applyOne(t, r, chosen(record))
	later := stating(record, "later", artwork.StatedByProvider)
	applyOne(t, r, chosen(later))
	applyOne(t, r, artwork.Application{Record: record, By: somebody, Action: artwork.ActionRestore, Known: true})
	requireRights(t, r, later)
}

func rightsAndFence(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.External, 1)
	applyOne(t, r, chosen(record))
	lost := errors.New("lost")
	_, err := r.Images.Apply(t.Context(), heldUntil(lost), []artwork.Application{chosen(stating(record, "CC0", artwork.StatedByCaller))})
	require.ErrorIs(t, err, lost)
	requireRights(t, r, record)
}

// accountCases are the clauses of artwork.SlotAccounts.
func accountCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"accounts: a slot that was never filled", accountOfNothing},
		{"accounts: state, records and history are those of the place", accountIsWhole},
		{"accounts: the history says by which act an image took force", accountOfActs},
		{"accounts: what cannot be, and who is not known", accountRefused},
	}
}

func accountOf(t TB, r Repositories, place artwork.Place) artwork.Account {
	t.Helper()
	a, err := r.Accounts.Account(t.Context(), place)
	require.NoError(t, err)
	return a
}

func accountOfNothing(t TB, open func(TB) Repositories) {
	r := open(t)
	a := accountOf(t, r, newPlace(t, r))
	require.Equal(t, artwork.SlotState{}, a.State)
	require.Empty(t, a.Known)
	require.Empty(t, a.History)
}

func accountIsWhole(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	uploaded, applied := newRecord(place, artwork.Custom, 1), fullRecord(place)
	uploaded.AddedAt = applied.AddedAt
	elsewhere := newRecord(newPlace(t, r), artwork.Custom, 3)
	applyOne(t, r, chosen(uploaded))
	applyOne(t, r, chosen(applied))
	applyOne(t, r, chosen(elsewhere))
	revise(t, r, artwork.Revision{Place: place, Lock: artwork.Lock})
	revise(t, r, artwork.Revision{Place: place, Withdraw: uploaded.ID})

	a := accountOf(t, r, place)
	require.Equal(t, applied, *a.State.InForce)
	require.True(t, a.State.Chosen && a.State.Locked && !a.State.KeptEmpty)
	require.Equal(t, requireInForce(t, r, applied).LastModified, a.State.LastModified)
	require.ElementsMatch(t, []artwork.KnownRecord{{Record: applied}, {Record: uploaded, Withdrawn: true}}, a.Known)
	require.Len(t, a.History, 2)
	require.Equal(t, []artwork.Record{applied, uploaded}, []artwork.Record{a.History[0].Record, a.History[1].Record})
	require.Equal(t, "somebody", a.History[0].AppliedBy)
	require.WithinDuration(t, time.Now(), a.History[0].AppliedAt, time.Minute)

	revise(t, r, artwork.Revision{Place: place, Remove: artwork.KeepEmpty})
	a = accountOf(t, r, place)
	require.Nil(t, a.State.InForce)
	require.True(t, a.State.KeptEmpty)

	scanned := found(newRecord(newPlace(t, r), artwork.Local, 4), 2, "/music/\xff")
	applyOne(t, r, scanned)
	require.Equal(t, scanned.Origin, accountOf(t, r, scanned.Record.Place).State.Origin)
}

func accountOfActs(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	filled := chosen(newRecord(place, artwork.External, 1))
	filled.Automatic = true
	applyOne(t, r, filled)
	applyOne(t, r, chosen(newRecord(place, artwork.Custom, 2)))
	applyOne(t, r, chosen(newRecord(place, artwork.External, 3)))
	applyOne(t, r, artwork.Application{Record: newRecord(place, artwork.Custom, 2), By: somebody, Action: artwork.ActionRestore, Known: true})
	focus(t, r, place, 0.5, 0.5)
	revise(t, r, artwork.Revision{Place: place, Remove: artwork.GiveWay})
	requireActs(t, r, place, artwork.ActSucceeded, artwork.ActFocused, artwork.ActRestored, artwork.ActApplied, artwork.ActUploaded, artwork.ActFilled)

	elsewhere := newPlace(t, r)
	upload := newRecord(elsewhere, artwork.Custom, 5)
	applyOne(t, r, found(newRecord(elsewhere, artwork.Local, 4), 1, "/a"))
	applyOne(t, r, chosen(upload))
	purge(t, r, artwork.Purge{Place: elsewhere, Image: upload.ID})
	requireActs(t, r, elsewhere, artwork.ActSucceeded, artwork.ActScanned)
}

func requireActs(t TB, r Repositories, place artwork.Place, want ...artwork.Act) {
	t.Helper()
	var told, listed []artwork.Act
	for _, entry := range accountOf(t, r, place).History {
		told = append(told, entry.Act)
	}
	require.Equal(t, want, told)
	entries, err := r.Archive.History(t.Context(), place.Subject)
	require.NoError(t, err)
	for _, entry := range entries {
		listed = append(listed, entry.Act)
	}
	require.Equal(t, want, listed)
}

func accountRefused(t TB, open func(TB) Repositories) {
	r := open(t)
	_, err := r.Accounts.Account(t.Context(), artwork.Place{Subject: artwork.Artist(artwork.NewID()), Slot: artwork.SlotLogo})
	requireKind(t, artwork.NotFound, err)
	_, err = r.Accounts.Account(t.Context(), artwork.Place{Subject: newPlace(t, r).Subject, Slot: artwork.SlotAvatar})
	requireKind(t, artwork.InvalidInput, err)
}

// consideredCases are the clauses of findimages.Considerations.
func consideredCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"considered: it comes back to the last field, slot by slot", consideredSurvives},
		{"considered: the last of each occasion is kept", consideredIsReplaced},
		{"considered: an unknown subject fails the whole call", consideredOfNobody},
		{"considered: what cannot be kept is refused", consideredRefused},
		{"considered: a purge forgets what was considered for the slot, and nothing else", consideredIsPurged},
		{"considered: as much as may be kept is kept", consideredIsBounded},
	}
}

func artistAndAlbum(t TB, r Repositories) (artist, album artwork.Subject) {
	t.Helper()
	a := catalog.Artist{ID: artwork.NewID(), Name: "Considered"}
	_, err := r.Artists.Put(t.Context(), somebody, a)
	require.NoError(t, err)
	b := catalog.Album{ID: artwork.NewID(), ArtistID: a.ID, Name: "Considered"}
	_, err = r.Albums.Put(t.Context(), somebody, b)
	require.NoError(t, err)
	return artwork.Artist(a.ID), artwork.Album(b.ID)
}

func considered(place artwork.Place, occasion findimages.Occasion, n int) findimages.Consideration {
	return findimages.Consideration{
		Place: place, Occasion: occasion, By: "Ünal ‘Ü’ ?0", At: time.Date(2026, 1, n, 2, 3, 4, 567_000, time.UTC), Incomplete: true, Omitted: n,
		Candidates: []findimages.Considered{
			{
				Candidate: findimages.Candidate{
					Provider: "wikimedia", Slot: place.Slot, URL: "https://example.org/a?b='c'&d=%20", ThumbnailURL: "https://example.org/t", Width: 1, Height: 2,
					Votes: 3, Kind: "P18", Licence: "CC BY", Attribution: "<Ana> & \u2028 “L”", SourcePage: "https://example.org/File:a", ByName: true,
				},
				Rank: 1, Score: 0.1 + 0.2, Verdict: findimages.Refused, Reason: "it is not an image",
			},
			{Candidate: findimages.Candidate{Slot: place.Slot, URL: "https://example.org/b"}, Rank: 2, Verdict: findimages.Offered},
		},
		Failures: []findimages.Failure{{Provider: "deezer", Message: "did not answer in time"}},
	}
}

func keepConsidered(t TB, r Repositories, considerations ...findimages.Consideration) {
	t.Helper()
	require.NoError(t, r.Considerations.Keep(t.Context(), considerations))
}

func consideredOf(t TB, r Repositories, subject artwork.Subject) []findimages.Consideration {
	t.Helper()
	kept, err := r.Considerations.Of(t.Context(), subject)
	require.NoError(t, err)
	return kept
}

func consideredSurvives(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := artistAndAlbum(t, r)
	profile, logo := artwork.Place{Subject: artist, Slot: artwork.SlotProfile}, artwork.Place{Subject: artist, Slot: artwork.SlotLogo}
	cover := artwork.Place{Subject: album, Slot: artwork.SlotCover}
	nothing := findimages.Consideration{Place: logo, Occasion: findimages.OnSearch, At: time.Unix(0, 0).UTC()}
	keepConsidered(t, r)
	require.Empty(t, consideredOf(t, r, artist))
	keepConsidered(t, r, considered(profile, findimages.OnSearch, 1), considered(cover, findimages.OnFill, 2), considered(profile, findimages.OnFill, 3), nothing)
	require.Equal(t, []findimages.Consideration{nothing, considered(profile, findimages.OnFill, 3), considered(profile, findimages.OnSearch, 1)}, consideredOf(t, r, artist))
	require.Equal(t, []findimages.Consideration{considered(cover, findimages.OnFill, 2)}, consideredOf(t, r, album))
	require.Empty(t, consideredOf(t, r, artwork.User(artist.ID)))
	require.Empty(t, consideredOf(t, r, artwork.Artist(artwork.NewID())))
}

func consideredIsReplaced(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, _ := artistAndAlbum(t, r)
	place := artwork.Place{Subject: artist, Slot: artwork.SlotBanner}
	fill := considered(place, findimages.OnFill, 1)
	keepConsidered(t, r, fill, considered(place, findimages.OnSearch, 2))
	later := findimages.Consideration{Place: place, Occasion: findimages.OnSearch, At: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)}
	keepConsidered(t, r, later)
	require.Equal(t, []findimages.Consideration{fill, later}, consideredOf(t, r, artist))
	keepConsidered(t, r, considered(place, findimages.OnSearch, 2))
	require.Equal(t, []findimages.Consideration{fill, later}, consideredOf(t, r, artist), "an earlier search took the place of a later one")
}

func consideredOfNobody(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := artistAndAlbum(t, r)
	known := considered(artwork.Place{Subject: artist, Slot: artwork.SlotLogo}, findimages.OnSearch, 1)
	for _, place := range []artwork.Place{
		{Subject: artwork.Artist(artwork.NewID()), Slot: artwork.SlotLogo}, {Subject: artwork.Album(artist.ID), Slot: artwork.SlotCover},
		{Subject: artwork.Artist(album.ID), Slot: artwork.SlotLogo},
	} {
		requireKind(t, artwork.NotFound, r.Considerations.Keep(t.Context(), []findimages.Consideration{known, considered(place, findimages.OnSearch, 1)}))
	}
	require.Empty(t, consideredOf(t, r, artist))
}

func consideredRefused(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, _ := artistAndAlbum(t, r)
	place := artwork.Place{Subject: artist, Slot: artwork.SlotLogo}
	for name, spoil := range map[string]func(*findimages.Consideration){
		"an avatar": func(c *findimages.Consideration) {
			c.Place = artwork.Place{Subject: artwork.User(artist.ID), Slot: artwork.SlotAvatar}
		},
		"a slot of none": func(c *findimages.Consideration) { c.Place.Slot = artwork.SlotCover },
		"no occasion":    func(c *findimages.Consideration) { c.Occasion = "" },
		"no time":        func(c *findimages.Consideration) { c.At = time.Time{} },
		"NUL":            func(c *findimages.Consideration) { c.By = "\x00" },
		"too much of all": func(c *findimages.Consideration) {
			c.Candidates = make([]findimages.Considered, findimages.MaxConsidered+1)
		},
	} {
		t.Logf("%s", name)
		spoilt := considered(place, findimages.OnSearch, 1)
		spoil(&spoilt)
		requireKind(t, artwork.InvalidInput, r.Considerations.Keep(t.Context(), []findimages.Consideration{considered(place, findimages.OnFill, 1), spoilt}))
		require.Empty(t, consideredOf(t, r, artist))
	}
}

func consideredIsPurged(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := artistAndAlbum(t, r)
	logo, banner := artwork.Place{Subject: artist, Slot: artwork.SlotLogo}, artwork.Place{Subject: artist, Slot: artwork.SlotBanner}
	cover := artwork.Place{Subject: album, Slot: artwork.SlotCover}
	record := newRecord(logo, artwork.External, 1)
	applyOne(t, r, chosen(record))
	keepConsidered(t, r, considered(logo, findimages.OnSearch, 1), considered(logo, findimages.OnFill, 1), considered(banner, findimages.OnFill, 1), considered(cover, findimages.OnFill, 1))
	_, err := r.Reviser.Purge(t.Context(), artwork.Unfenced(), artwork.Purge{Place: logo, By: somebody, Image: artwork.NewID()})
	requireKind(t, artwork.NotFound, err)
	require.Len(t, consideredOf(t, r, artist), 3)
	purge(t, r, artwork.Purge{Place: logo, Image: record.ID})
	require.Equal(t, []findimages.Consideration{considered(banner, findimages.OnFill, 1)}, consideredOf(t, r, artist))
	purge(t, r, artwork.Purge{Place: banner})
	require.Empty(t, consideredOf(t, r, artist), "nothing of the place was in force, and all of it was to be forgotten")
	require.Len(t, consideredOf(t, r, album), 1)
}

func consideredIsBounded(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, _ := artistAndAlbum(t, r)
	c := considered(artwork.Place{Subject: artist, Slot: artwork.SlotLogo}, findimages.OnSearch, 1)
	one := c.Candidates[0]
	c.By, c.Candidates = strings.Repeat("👩\n", 1000), nil
	one.Licence, one.Attribution, one.Reason = strings.Repeat("<", 5000), strings.Repeat("🎷", 5000), strings.Repeat("\x00\xff", 5000)
	for n := range findimages.MaxConsidered + 10 {
		one.Rank, one.URL = n+1, fmt.Sprintf("https://example.org/%d/%s", n, strings.Repeat("é", 900))
		c.Candidates = append(c.Candidates, one)
	}
	bounded := c.Bounded()
	require.Len(t, bounded.Candidates, findimages.MaxConsidered)
	require.Equal(t, c.Omitted+10, bounded.Omitted)
	keepConsidered(t, r, bounded)
	require.Equal(t, []findimages.Consideration{bounded}, consideredOf(t, r, artist))
}
