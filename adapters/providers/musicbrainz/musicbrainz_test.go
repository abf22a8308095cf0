package musicbrainz

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/providerfixture"
)

func open(t conformance.TB, server *providerfixture.Server, limiter findimages.Limiter) findimages.Identifier {
	i, err := New(api.New("test", "https://example.org", limiter, api.Backoff(time.Millisecond)), Config{BaseURL: server.URL(id)})
	require.NoError(t, err)
	return i
}

func TestIdentifier(t *testing.T) {
	t.Parallel()
	conformance.RunIdentifier(t, id, open)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"artists":[{"id":"87c5dedd-371d-4a53-9f7f-80522fb7f3cb","score":100,"name":"Björk","type":"Person","area":{"name":"Iceland"},"life-span":{"begin":"1965-11-21"}}]}`))
	f.Add([]byte(`{"release-groups":[{"id":"fc325dd3-73ed-36aa-9c77-6b65a958e3cf","score":"61","title":"A","artist-credit":[{"name":"A","joinphrase":" & "},{"name":"B"}],"secondary-types":["Live"]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var found artists
		if api.Decode(body, &found) == nil {
			conformance.CheckMatches(t, found.matches())
		}
		var albums groups
		if api.Decode(body, &albums) == nil {
			conformance.CheckMatches(t, albums.matches())
		}
	})
}

// TestQueries: every text is a text, whatever it means to Lucene.
func TestQueries(t *testing.T) {
	t.Parallel()
	require.Equal(t, `"a \"b\" \\c +d"`, phrase(`a "b" \c +d`))
	require.Equal(t, `AC\/DC and \!\!\! \(\"x\"\) \+\-\&\|\{\}\[\]\^\~\*\?\:\\ not`, terms(`AC/DC AND !!! ("x") +-&|{}[]^~*?:\ NOT`))
	require.Empty(t, terms("  "))
}

func TestMatches(t *testing.T) {
	t.Parallel()
	var found artists
	require.NoError(t, api.Decode([]byte(`{"artists":[
		{"id":"5b11f4ce-a62d-471e-81fc-a69a8278c7da","score":80,"name":"Nirvana","type":"Group","country":"US","disambiguation":"1980s–1990s US grunge band","life-span":{"begin":"1988-01"}},
		{"id":"9282c8b4-ca0b-4c6b-b7e3-4f7762dfc4d6","score":"100","name":"Nirvana","area":{"name":"United Kingdom"},"country":"GB"},
		{"id":"none","score":100,"name":"Nobody"},
		{"id":"9282c8b4-ca0b-4c6b-b7e3-4f7762dfc4d7","score":100}
	]}`), &found))
	require.Equal(t, []findimages.Match{
		{MBID: artwork.MustParseID("9282c8b4-ca0b-4c6b-b7e3-4f7762dfc4d6"), Name: "Nirvana", Details: "United Kingdom", Score: 100},
		{MBID: artwork.MustParseID("5b11f4ce-a62d-471e-81fc-a69a8278c7da"), Name: "Nirvana", Disambiguation: "1980s–1990s US grunge band", Details: "Group, US, 1988", Score: 80},
	}, found.matches())

	var albums groups
	require.NoError(t, api.Decode([]byte(`{"release-groups":[{"id":"fc325dd3-73ed-36aa-9c77-6b65a958e3cf","score":100,"title":"Live","primary-type":"Album",
		"secondary-types":["Live","Compilation"],"first-release-date":"1997","artist-credit":[{"name":"A","joinphrase":" feat. "},{"name":"B"}]}]}`), &albums))
	require.Equal(t, []findimages.Match{{
		MBID: artwork.MustParseID("fc325dd3-73ed-36aa-9c77-6b65a958e3cf"), Name: "Live", Artist: "A feat. B", Details: "Album, Live, Compilation, 1997", Score: 100,
	}}, albums.matches())
}
