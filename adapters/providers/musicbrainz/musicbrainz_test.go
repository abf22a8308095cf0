package musicbrainz

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
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
