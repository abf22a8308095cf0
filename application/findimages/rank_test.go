package findimages_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
)

// TestRank: each candidate is better than the next for one reason.
func TestRank(t *testing.T) {
	wanted := []findimages.Candidate{
		{URL: "popular", Provider: "a", Slot: artwork.SlotBackground, Width: 1920, Height: 1080, Votes: 9},
		{URL: "large", Provider: "a", Slot: artwork.SlotBackground, Width: 3840, Height: 2160, Votes: 3},
		{URL: "few votes, but all of its provider", Provider: "b", Slot: artwork.SlotBackground, Width: 1900, Height: 1080, Votes: 1, ByName: true},
		{URL: "exact, but by name", Provider: "a", Slot: artwork.SlotBackground, Width: 1920, Height: 1080, Votes: 8, ByName: true},
		{URL: "small", Provider: "a", Slot: artwork.SlotBackground, Width: 1280, Height: 720, Votes: 9},
		{URL: "square", Provider: "a", Slot: artwork.SlotBackground, Width: 2000, Height: 2000, Votes: 9},
		{URL: "who knows", Provider: "c", Slot: artwork.SlotBackground, Votes: 5},
		{URL: "tiny", Provider: "a", Slot: artwork.SlotBackground, Width: 192, Height: 108, Votes: 9},
	}
	order := func(candidates []findimages.Candidate) []string { return urls(findimages.Rank(candidates, nil, nil)) }
	var want []string
	for _, c := range wanted {
		want = append(want, c.URL)
	}
	require.Equal(t, want, order(wanted))
	for i, j := 0, len(wanted)-1; i < j; i, j = i+1, j-1 {
		wanted[i], wanted[j] = wanted[j], wanted[i]
	}
	require.Equal(t, want, order(wanted), "in whatever order they arrived")
}

// TestAPreferredProviderComesFirst among those that fit alike and are equally sure, and
// no further.
func TestAPreferredProviderComesFirst(t *testing.T) {
	candidates := []findimages.Candidate{
		{URL: "popular", Provider: "a", Slot: artwork.SlotCover, Width: 3000, Height: 3000, Votes: 9},
		{URL: "preferred", Provider: "b", Slot: artwork.SlotCover, Width: 1500, Height: 1500},
		{URL: "preferred, but by name", Provider: "b", Slot: artwork.SlotCover, Width: 3000, Height: 3000, ByName: true},
		{URL: "preferred, but small", Provider: "b", Slot: artwork.SlotCover, Width: 300, Height: 300},
	}
	require.Equal(t, []string{"popular", "preferred", "preferred, but by name", "preferred, but small"}, urls(findimages.Rank(candidates, nil, nil)))
	require.Equal(t, []string{"preferred", "popular", "preferred, but by name", "preferred, but small"},
		urls(findimages.Rank(candidates, nil, map[string]int{"b": 1, "a": 2})))
}

func TestRankKeepsSlotsApart(t *testing.T) {
	found := findimages.Rank([]findimages.Candidate{
		{URL: "same", Slot: artwork.SlotLogo, ThumbnailURL: "t"}, {URL: "same", Slot: artwork.SlotProfile, ThumbnailURL: "t"}, {URL: "same", Slot: artwork.SlotLogo},
	}, findimages.Fingerprints{"t": 1}, nil)
	require.Len(t, found, 2)
	require.Equal(t, artwork.SlotProfile, found[0].Slot)
	require.Len(t, found[1].Others, 1)
	require.Empty(t, findimages.Rank(nil, nil, nil))
}
