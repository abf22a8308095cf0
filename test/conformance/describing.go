package conformance

import (
	"bytes"
	"slices"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// describingCases are the clauses of describeimages.Contents.
func describingCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"describing: what has no colour is listed once, in steps", undescribedListed},
		{"describing: a colour is kept in all records of the content", describedEverywhere},
		{"describing: a known colour stays", describedStays},
		{"describing: what is no colour is refused", describedWrongly},
		{"describing: what is in force keeps its tag and its time", describedInForce},
	}
}

func undescribedListed(t TB, open func(TB) Repositories) {
	r := open(t)
	var want []artwork.Hash
	for n := range 5 {
		record := newRecord(newPlace(t, r), artwork.Custom, n)
		want = append(want, record.Content.Hash)
		again := record
		again.ID, again.Place = artwork.NewID(), newPlace(t, r)
		require.NoError(t, r.Archive.Add(t.Context(), record))
		require.NoError(t, r.Archive.Add(t.Context(), again))
	}
	described := newRecord(newPlace(t, r), artwork.Custom, 9)
	described.Content.DominantColor = "#0a7bff"
	require.NoError(t, r.Archive.Add(t.Context(), described))
	slices.SortFunc(want, func(a, b artwork.Hash) int { return bytes.Compare(a[:], b[:]) })
	var got []artwork.Hash
	var last artwork.Hash
	for {
		step, err := r.Contents.Undescribed(t.Context(), last, 2)
		require.NoError(t, err)
		require.LessOrEqual(t, len(step), 2)
		if len(step) == 0 {
			break
		}
		got, last = append(got, step...), step[len(step)-1]
	}
	require.Equal(t, want, got)
}

func describedEverywhere(t TB, open func(TB) Repositories) {
	r := open(t)
	one := newRecord(newPlace(t, r), artwork.Custom, 1)
	same, other := one, newRecord(newPlace(t, r), artwork.Custom, 2)
	same.ID, same.Place = artwork.NewID(), newPlace(t, r)
	for _, record := range []artwork.Record{one, same, other} {
		require.NoError(t, r.Archive.Add(t.Context(), record))
	}
	require.NoError(t, r.Contents.Describe(t.Context(), one.Content.Hash, "#0a7bff"))
	for id, want := range map[artwork.ID]artwork.Color{one.ID: "#0a7bff", same.ID: "#0a7bff", other.ID: ""} {
		record, err := r.Archive.Find(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, record.Content.DominantColor)
	}
}

func describedStays(t TB, open func(TB) Repositories) {
	r := open(t)
	record := fullRecord(newPlace(t, r))
	require.NoError(t, r.Archive.Add(t.Context(), record))
	require.NoError(t, r.Contents.Describe(t.Context(), record.Content.Hash, "#000000"))
	found, err := r.Archive.Find(t.Context(), record.ID)
	require.NoError(t, err)
	require.Equal(t, record.Content.DominantColor, found.Content.DominantColor)
}

func describedWrongly(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	err := r.Contents.Describe(t.Context(), record.Content.Hash, "red")
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%v", err)
	record.Content.DominantColor = "red"
	err = r.Archive.Add(t.Context(), record)
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%v", err)
}

func describedInForce(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	record := newRecord(place, artwork.Custom, 1)
	applyAll(t, r, chosen(record))
	before, err := r.Images.InForce(t.Context(), place)
	require.NoError(t, err)
	require.NoError(t, r.Contents.Describe(t.Context(), record.Content.Hash, "#0a7bff"))
	after, err := r.Images.InForce(t.Context(), place)
	require.NoError(t, err)
	want := *before
	want.DominantColor = "#0a7bff"
	require.Equal(t, &want, after)
}
