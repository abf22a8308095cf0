package activity_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

func TestTextIsCutBetweenCharacters(t *testing.T) {
	require.Equal(t, "", activity.Text(""))
	require.Equal(t, "a\uFFFDb\uFFFD", activity.Text("a\x00b\xff"))
	whole := strings.Repeat("🎷", activity.MaxText)
	require.Equal(t, whole, activity.Text(whole))
	cut := activity.Text(whole + "🎷")
	require.Equal(t, activity.MaxText, utf8.RuneCountInString(cut))
	require.True(t, strings.HasSuffix(cut, "🎷…"))
}

func TestFacts(t *testing.T) {
	text, err := json.Marshal(struct{ Before, After activity.Facts }{nil, activity.FactsOf(map[string]int{"removed": 1})})
	require.NoError(t, err)
	require.JSONEq(t, `{"Before":null,"After":{"removed":1}}`, string(text))
	require.Panics(t, func() { activity.FactsOf(make(chan int)) })
	facts := activity.FactsOf(map[string]string{})
	_, err = activity.Entry{Action: "a.b", Before: facts}.Kept()
	require.NoError(t, err)
}

// TestTheLongestNamesFit: what the catalogue accepts is recorded.
func TestTheLongestNamesFit(t *testing.T) {
	for _, letter := range []string{"<", "🎷", "\""} {
		artist := catalog.Artist{ID: artwork.NewID(), Name: strings.Repeat(letter, 1000), SortName: strings.Repeat(letter, 1000), MBID: artwork.NewID()}
		require.NoError(t, artist.Check())
		entry, changed := activity.OfSubject(artwork.Actor{}, artwork.Artist(artist.ID), artist.Name, nil, activity.FactsOfArtist(artist))
		require.True(t, changed)
		_, err := entry.Kept()
		require.NoError(t, err)
	}
}

func TestQueries(t *testing.T) {
	for asked, want := range map[string]struct {
		action string
		family bool
	}{"image": {"image.", true}, "image.apply": {"image.apply", false}, "a-b": {"a-b.", true}} {
		action, family, err := activity.Query{Action: asked}.Actions()
		require.NoError(t, err)
		require.Equal(t, want.action, action)
		require.Equal(t, want.family, family)
	}
	for _, wrong := range []string{"Image", "image.", ".", "a.b.c", "a b", "%", strings.Repeat("a", 31)} {
		err := activity.Query{Limit: 1, Action: wrong}.Check()
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), wrong)
	}
	for _, kind := range []activity.Kind{activity.Artist, activity.Album, activity.User, activity.Token, activity.Library, activity.Provider} {
		parsed, err := activity.ParseKind(string(kind))
		require.NoError(t, err)
		require.Equal(t, kind, parsed)
	}
	for _, kind := range []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject, artwork.UserSubject} {
		_, err := activity.ParseKind(kind.String())
		require.NoError(t, err, "a subject of images is one of the log")
	}
}

// TestEveryActionIsOne: a name that cannot be kept would refuse the change that it
// names.
func TestEveryActionIsOne(t *testing.T) {
	place := artwork.Place{Subject: artwork.Artist(artwork.NewID()), Slot: artwork.SlotLogo}
	actions := []artwork.Action{
		artwork.ActionApply, artwork.ActionRestore, artwork.ActionUpload, artwork.ActionRemove, artwork.ActionLock, artwork.ActionUnlock,
		artwork.ActionFocus, artwork.ActionWithdraw, artwork.ActionPurge,
		activity.CatalogCreate, activity.CatalogUpdate, activity.TokenCreate, activity.TokenRevoke, activity.CacheMode, activity.CacheFlush,
		activity.CacheInvalidate, activity.CacheWarm, activity.LibraryImport, activity.SignIn, activity.SignOut, activity.SignInFailed,
		activity.TokenReuse, activity.UserPassword, activity.UserDisable, activity.UserEnable, activity.UserLink,
		activity.SettingsUpdate, activity.SettingsReset,
	}
	for _, revision := range []artwork.Revision{{Lock: artwork.Lock}, {Lock: artwork.Unlock}, {Remove: artwork.GiveWay}, {Remove: artwork.KeepEmpty}, {Focus: &artwork.FocalPoint{}}, {Withdraw: artwork.NewID()}} {
		revision.Place = place
		require.NoError(t, revision.Check())
		require.Contains(t, actions, revision.Action())
	}
	require.Empty(t, artwork.Revision{Place: place}.Action())
	for _, action := range actions {
		require.NoError(t, action.Check())
	}
}
