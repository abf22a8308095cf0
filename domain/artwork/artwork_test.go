package artwork_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

const uuid = "0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10"

func TestParseID(t *testing.T) {
	id, err := artwork.ParseID(uuid)
	require.NoError(t, err)
	require.Equal(t, uuid, id.String())
	upper, err := artwork.ParseID("0B0E7A3C-6F0E-4A54-9E0D-2F4C6C1F6A10")
	require.NoError(t, err)
	require.Equal(t, id, upper)
	for _, bad := range []string{
		"", "0", "{" + uuid + "}", "urn:uuid:" + uuid, "0b0e7a3c6f0e4a549e0d2f4c6c1f6a10", uuid + " ",
		"0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a1g", "0b0e7a3c_6f0e_4a54_9e0d_2f4c6c1f6a10", "../../../../../../../../../../etc/pas",
	} {
		_, err := artwork.ParseID(bad)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), bad)
	}
}

func TestDerivedIDsAreStable(t *testing.T) {
	// Part of the data format: a change here would give every imported subject a
	// new identity.
	require.Equal(t, "97244fde-fa3a-5023-a476-9d10d98ebca3", artwork.DeriveID("artist", "name", "ñandú").String())
	require.NotEqual(t, artwork.DeriveID("ab", "c"), artwork.DeriveID("a", "bc"))
	require.NotEqual(t, artwork.NewID(), artwork.NewID())
}

func TestKeysOfAPlace(t *testing.T) {
	artist := artwork.Artist(artwork.MustParseID(uuid))
	names := func(keys []artwork.Key) (names []string) {
		for _, key := range keys {
			names = append(names, key.String())
		}
		return names
	}
	prefix := "image:artist:" + uuid + ":"
	require.Equal(t, []string{prefix + "profile", prefix + "profile-small", prefix + "profile-medium", prefix + "profile-large"},
		names(artwork.Place{Subject: artist, Slot: artwork.SlotProfile}.Keys()))
	require.Len(t, artist.Keys(), 7)
	require.Equal(t, []string{"image:album:" + uuid + ":cover"}, names(artwork.Album(artist.ID).Keys()))
	require.Equal(t, []string{"image:user:" + uuid + ":avatar"}, names(artwork.User(artist.ID).Keys()))
}

func TestParseKey(t *testing.T) {
	id := artwork.MustParseID(uuid)
	for _, subject := range []artwork.Subject{artwork.Artist(id), artwork.Album(id), artwork.User(id)} {
		for _, key := range subject.Keys() {
			parsed, err := artwork.ParseKey(key.String())
			require.NoError(t, err)
			require.Equal(t, key, parsed)
		}
	}
	for _, bad := range []string{"", "image", "image:artist:x:profile", "image:song:" + uuid + ":cover", "image:album:" + uuid + ":logo", "images:album:" + uuid + ":cover"} {
		_, err := artwork.ParseKey(bad)
		require.Error(t, err, bad)
	}
}

func TestTagChangesExactlyWithBytesAndFocalPoint(t *testing.T) {
	one, two := artwork.HashOf([]byte("one")), artwork.HashOf([]byte("two"))
	centre := &artwork.FocalPoint{X: 0.5, Y: 0.5}
	require.Equal(t, artwork.TagOf(one, nil), artwork.TagOf(one, nil))
	require.NotEqual(t, artwork.TagOf(one, nil), artwork.TagOf(two, nil))
	require.NotEqual(t, artwork.TagOf(one, nil), artwork.TagOf(one, centre))
	require.NotEqual(t, artwork.TagOf(one, &artwork.FocalPoint{X: 0.5, Y: 0.6}), artwork.TagOf(one, centre))
	require.Equal(t, artwork.TagOf(one, &artwork.FocalPoint{X: 0.5, Y: 0.5}), artwork.TagOf(one, centre))
	require.Len(t, artwork.TagOf(one, nil), 16)
}

func TestFocalPointCheck(t *testing.T) {
	require.NoError(t, artwork.FocalPoint{X: 0, Y: 1}.Check())
	for _, bad := range []artwork.FocalPoint{{X: -0.01}, {Y: 1.01}, {X: math.NaN()}, {Y: math.Inf(1)}} {
		require.Error(t, bad.Check())
	}
}

func TestPlaceCheck(t *testing.T) {
	id := artwork.MustParseID(uuid)
	require.NoError(t, artwork.Place{Subject: artwork.Artist(id), Slot: artwork.SlotLogo}.Check())
	require.Error(t, artwork.Place{Subject: artwork.Artist(id), Slot: artwork.SlotCover}.Check())
	require.Error(t, artwork.Place{Subject: artwork.Album(artwork.ID{}), Slot: artwork.SlotCover}.Check())
}

func TestAllowsLocal(t *testing.T) {
	better, worse := artwork.Origin{Rank: 1, Path: "/m/a"}, artwork.Origin{Rank: 2, Path: "/m/b"}
	for name, c := range map[string]struct {
		held     artwork.Holding
		found    artwork.Origin
		vanished string
		want     bool
	}{
		"empty slot":                        {artwork.Holding{}, worse, "", true},
		"kept empty":                        {artwork.Holding{KeptEmpty: true}, better, "", false},
		"locked":                            {artwork.Holding{Source: artwork.Local, Origin: worse, Locked: true}, better, "", false},
		"chosen by a person":                {artwork.Holding{Source: artwork.Local, Origin: worse, Chosen: true}, better, "", false},
		"custom":                            {artwork.Holding{Source: artwork.Custom}, better, "", false},
		"external":                          {artwork.Holding{Source: artwork.External}, better, "", false},
		"a better local one":                {artwork.Holding{Source: artwork.Local, Origin: worse}, better, "", true},
		"a worse local one":                 {artwork.Holding{Source: artwork.Local, Origin: better}, worse, "", false},
		"the same file, changed":            {artwork.Holding{Source: artwork.Local, Origin: better}, better, "", true},
		"worse, but the better is gone":     {artwork.Holding{Source: artwork.Local, Origin: better}, worse, better.Path, true},
		"gone, but locked all the same":     {artwork.Holding{Source: artwork.Local, Origin: better, Locked: true}, worse, better.Path, false},
		"no path, and none is gone":         {artwork.Holding{Source: artwork.Local, Origin: artwork.Origin{Rank: 1}}, worse, "", false},
		"another file is gone, not this":    {artwork.Holding{Source: artwork.Local, Origin: better}, worse, "/m/c", false},
		"same rank, the path decides":       {artwork.Holding{Source: artwork.Local, Origin: artwork.Origin{Rank: 1, Path: "/m/b"}}, better, "", true},
		"same rank, the other way round":    {artwork.Holding{Source: artwork.Local, Origin: better}, artwork.Origin{Rank: 1, Path: "/m/b"}, "", false},
		"a removed local one leaves a slot": {artwork.Holding{Origin: better}, worse, "", true},
	} {
		require.Equal(t, c.want, c.held.AllowsLocal(c.found, c.vanished), name)
	}
}

func TestPriority(t *testing.T) {
	require.Equal(t, []artwork.Source{artwork.Custom, artwork.External, artwork.Local}, artwork.SlotCover.Priority())
	require.Equal(t, []artwork.Source{artwork.Custom, artwork.Local, artwork.External}, artwork.SlotLogo.Priority())
}

func TestErrorsKeepTheirKind(t *testing.T) {
	cause := errors.New("no route to host")
	err := artwork.Wrap(artwork.Unavailable, "bunrepo.InForce", cause)
	err = artwork.Wrap(artwork.Internal, "serveimage.find", err)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	require.ErrorIs(t, err, cause)
	require.Equal(t, artwork.Internal, artwork.KindOf(cause))
	require.NoError(t, artwork.Wrap(artwork.Internal, "x", nil))
	for k := artwork.Internal; k <= artwork.StorageFull; k++ {
		require.NotEmpty(t, k.String())
		require.Equal(t, k, artwork.ParseErrorKind(k.String()))
	}
}

func TestEntryTTLHasJitter(t *testing.T) {
	policy := artwork.CachePolicy{TTL: 300 * time.Second, CopyTerm: time.Second}
	least, most := time.Hour, time.Duration(0)
	for range 1000 {
		ttl := policy.EntryTTL(&artwork.Image{})
		least, most = min(least, ttl), max(most, ttl)
	}
	require.GreaterOrEqual(t, least, 270*time.Second)
	require.LessOrEqual(t, most, 300*time.Second)
	require.Greater(t, most-least, 10*time.Second)
	require.LessOrEqual(t, policy.EntryTTL(nil), 30*time.Second)
	require.Greater(t, policy.CopyWait(), policy.CopyTerm)
	require.Zero(t, artwork.CachePolicy{TTL: time.Second}.CopyWait())
}

func TestTextForms(t *testing.T) {
	type all struct {
		ID     artwork.ID
		Hash   artwork.Hash
		Kind   artwork.SubjectKind
		Slot   artwork.Slot
		Source artwork.Source
	}
	in := all{artwork.MustParseID(uuid), artwork.HashOf(nil), artwork.AlbumSubject, artwork.SlotCover, artwork.External}
	text, err := json.Marshal(in)
	require.NoError(t, err)
	var out all
	require.NoError(t, json.Unmarshal(text, &out))
	require.Equal(t, in, out)
	for _, bad := range []string{`{"ID":"x"}`, `{"Hash":"zz"}`, `{"Kind":"song"}`, `{"Slot":""}`, `{"Source":"internet"}`} {
		require.Error(t, json.Unmarshal([]byte(bad), &out), bad)
	}
}
