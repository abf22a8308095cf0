package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/providerfixture"
)

// searching is the deployment with providers that the fixture stands for.
func searching(t *testing.T, d deployment) (deployment, *providerfixture.Server) {
	t.Helper()
	fixture := providerfixture.Start(t)
	address, err := url.Parse(fixture.URL(providerfixture.Deezer))
	require.NoError(t, err)
	d.environ = append(d.environ, "DOWNLOAD_ALLOW_HOSTS="+address.Host)
	for variable, provider := range providerfixture.Variables() {
		d.environ = append(d.environ, variable+"="+fixture.URL(provider))
	}
	for _, key := range providerfixture.KeyVariables() {
		d.environ = append(d.environ, key+"="+providerfixture.Key)
	}
	return d, fixture
}

const mbid = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"

// putFindable has an artist and an album that have identifiers.
func (in *instance) putFindable() {
	in.t.Helper()
	a := in.send(http.MethodPut, "/api/artists/"+artistID, map[string]any{"name": "Sol y Sombra", "mbzArtistId": mbid})
	require.Less(in.t, a.StatusCode, 300, string(a.body))
	a = in.send(http.MethodPut, "/api/albums/"+albumID, map[string]any{
		"name": "Mar", "artistId": artistID, "mbzAlbumId": mbid, "mbzReleaseGroupId": mbid,
	})
	require.Less(in.t, a.StatusCode, 300, string(a.body))
}

const (
	searchAvatars = "/api/admin/metadata/artist/" + artistID + "/avatars/search"
	searchCovers  = "/api/admin/metadata/album/" + albumID + "/covers/search"
)

func (in *instance) search(path, list string) (found []map[string]any, whole map[string]any) {
	in.t.Helper()
	a := in.send(http.MethodGet, path, nil)
	require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	whole = a.json(in.t)
	for _, one := range whole[list].([]any) {
		found = append(found, one.(map[string]any))
	}
	return found, whole
}

// TestSearchToApplied goes from a search to the image that is served, for every slot.
func TestSearchToApplied(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		d, fixture := searching(t, d)
		in := d.start(t)
		in.putFindable()
		for _, slot := range artwork.ArtistSubject.Slots() {
			found, whole := in.search(searchAvatars+"?type="+slot.String(), "avatars")
			require.NotEmpty(t, found, slot)
			require.Empty(t, whole["errors"])
			require.Equal(t, map[string]any{"id": artistID, "name": "Sol y Sombra", "mbzArtistId": mbid}, whole["artistInfo"])
			best := found[0]
			require.Equal(t, slot.String(), best["type"])
			applied := in.send(http.MethodPost, "/api/admin/metadata/artist/avatars/apply", map[string]any{
				"artistId": artistID, "avatarUrl": best["url"], "provider": best["provider"], "type": slot.String(),
			})
			require.Equal(t, http.StatusCreated, applied.StatusCode, string(applied.body))
			served := in.get("/api/images/artists/" + artistID + "/" + slot.String())
			require.Equal(t, http.StatusOK, served.StatusCode)
			require.Equal(t, `"`+applied.json(t)["tag"].(string)+`"`, served.Header.Get("ETag"))
			in.requireExplained("artist/"+artistID, slot, best)
		}
		asked := len(fixture.Requests(providerfixture.FanartTV))
		found, _ := in.search(searchCovers, "covers")
		require.NotEmpty(t, found)
		require.Len(t, fixture.Requests(providerfixture.FanartTV), asked+1, "one search for all slots of an artist was enough")
		applied := in.send(http.MethodPost, "/api/admin/metadata/album/covers/apply", map[string]any{
			"albumId": albumID, "coverUrl": found[0]["url"], "provider": found[0]["provider"],
		})
		require.Equal(t, http.StatusCreated, applied.StatusCode, string(applied.body))
		require.Equal(t, `"`+applied.json(t)["tag"].(string)+`"`, in.get(coverPath).Header.Get("ETag"))
		in.requireExplained("album/"+albumID, artwork.SlotCover, found[0])
	})
}

// TestADeadASlowAndALyingProvider: what the others have is there in time, and the
// answer names those that failed.
func TestADeadASlowAndALyingProvider(t *testing.T) {
	t.Parallel()
	d, fixture := searching(t, combinations["memory and SQLite"](t))
	in := d.start(t)
	in.putFindable()
	fixture.Script(providerfixture.FanartTV, providerfixture.Hang)
	fixture.Script(providerfixture.TheAudioDB, providerfixture.Reset)
	fixture.Script(providerfixture.Discogs, providerfixture.Malformed)
	begin := time.Now()
	found, whole := in.search(searchAvatars, "avatars")
	require.Less(t, time.Since(begin), 20*time.Second)
	require.NotEmpty(t, found)
	var failed []string
	for _, failure := range whole["errors"].([]any) {
		failed = append(failed, failure.(map[string]any)["provider"].(string))
		require.NotContains(t, failure.(map[string]any)["message"], providerfixture.Key)
	}
	require.Equal(t, []string{"fanarttv", "theaudiodb", "discogs"}, failed)
	require.NotContains(t, in.log.String(), providerfixture.Key)
}

// TestThreeInstancesKeepWithinTheLimits: what three instances ask a provider at the same
// time, as much as they can, stays within what it allows one.
func TestThreeInstancesKeepWithinTheLimits(t *testing.T) {
	t.Parallel()
	const span = 30 * time.Second
	d, fixture := searching(t, combinations["two-level and Postgres"](t))
	instances := []*instance{d.start(t), d.start(t), d.start(t)}
	var subjects []string
	for i := range 60 {
		subjects = append(subjects, fmt.Sprintf("5a1d3b8e-3c1e-4a55-8a63-5a0f5a1f%04d", i))
		a := instances[0].send(http.MethodPut, "/api/artists/"+subjects[i], map[string]any{"name": fmt.Sprint("Artist ", i), "mbzArtistId": subjects[i]})
		require.Less(t, a.StatusCode, 300, string(a.body))
	}
	begin := time.Now()
	var group sync.WaitGroup
	var searches atomic.Int64
	for n := range 6 {
		group.Go(func() {
			for i := n; time.Since(begin) < span; i += 7 {
				a := instances[n%3].send(http.MethodGet, "/api/admin/metadata/artist/"+subjects[i%len(subjects)]+"/avatars/search?fresh=true", nil)
				if assert.Equal(t, http.StatusOK, a.StatusCode, string(a.body)) {
					searches.Add(1)
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d searches", searches.Load())
	for provider, allowed := range map[string]int{ // in 30 s, see the packages of the adapters
		providerfixture.Deezer: 300, providerfixture.Discogs: 60, providerfixture.FanartTV: 30, providerfixture.TheAudioDB: 30, providerfixture.Wikimedia: 150,
	} {
		requests := fixture.Requests(provider)
		most := 0
		for i, first := range requests {
			within := 0
			for _, r := range requests[i:] {
				if r.At.Sub(first.At) < span {
					within++
				}
			}
			most = max(most, within)
		}
		require.LessOrEqual(t, most, allowed, provider)
		t.Logf("%s: %d of %d", provider, most, allowed)
		if allowed == 30 {
			require.Greater(t, most, allowed/2, "%s was not asked as much as it could be: this shows nothing", provider)
		}
	}
}

// TestSearchAsAStream: each provider as it answers, and then the whole.
func TestSearchAsAStream(t *testing.T) {
	d, fixture := searching(t, combinations["memory and SQLite"](t))
	in := d.start(t)
	in.putFindable()
	fixture.Script(providerfixture.Deezer, providerfixture.Failing)
	a := in.send(http.MethodGet, searchAvatars+"?type=profile&fresh=true", nil, "Accept", "text/event-stream")
	require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
	require.Equal(t, "text/event-stream", a.Header.Get("Content-Type"))
	events := strings.Split(strings.TrimSpace(string(a.body)), "\n\n")
	names := map[string]int{}
	for _, event := range events {
		name, data, ok := strings.Cut(event, "\n")
		require.True(t, ok, event)
		require.True(t, strings.HasPrefix(data, "data: {"), event)
		names[name]++
	}
	require.Equal(t, 1, names["event: failure"], string(a.body))
	require.Equal(t, 1, names["event: complete"])
	require.Positive(t, names["event: candidates"])
	require.Equal(t, names["event: asking"], names["event: candidates"]+names["event: failure"], "whoever is asked answers or fails")
	require.True(t, strings.HasPrefix(events[0], "event: asking\n"))
	require.True(t, strings.HasPrefix(events[len(events)-1], "event: complete\n"))

	unknown := in.send(http.MethodGet, "/api/admin/metadata/artist/"+albumID+"/avatars/search", nil, "Accept", "text/event-stream")
	requireProblem(t, unknown, http.StatusNotFound, "not_found")
}

func TestSearchForIdentifiers(t *testing.T) {
	t.Parallel()
	d, _ := searching(t, combinations["memory and SQLite"](t))
	in := d.start(t)
	in.putFindable()
	for _, path := range []string{"artist/" + artistID, "album/" + albumID} {
		a := in.send(http.MethodGet, "/api/admin/metadata/"+path+"/mbid/search", nil)
		require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
		matches := a.json(t)["matches"].([]any)
		require.NotEmpty(t, matches)
		require.Contains(t, matches[0], "mbid")
		require.Contains(t, matches[0], "score")
	}
}

func TestSearchRefusals(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	in.putFindable()
	for _, path := range []string{
		searchAvatars + "?type=cover", searchAvatars + "?type=profile-small", searchAvatars + "?fresh=1", searchAvatars + "?page=1", searchCovers + "?type=cover",
		"/api/admin/metadata/artist/" + artistID + "/mbid/search?query=%20", "/api/admin/metadata/artist/x/avatars/search",
	} {
		requireProblem(t, in.send(http.MethodGet, path, nil), http.StatusBadRequest, "invalid_input")
	}
	requireProblem(t, in.send(http.MethodGet, "/api/admin/metadata/album/"+artistID+"/covers/search", nil), http.StatusNotFound, "not_found")
	requireProblem(t, in.get(searchCovers), http.StatusUnauthorized, "unauthenticated")
}
