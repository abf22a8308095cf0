package integration

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/adapters/memory"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/twolevelcache"
	"gatefold/application/keepactivity"
	"gatefold/application/managecache"
	"gatefold/application/serveimage"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

// warming are the settings of instances that warm, which others in these tests
// do not: it would race with what they look at.
func warming(d deployment, more ...string) deployment {
	d.environ = append(append([]string{}, d.environ...), append([]string{"WARM_KEYS=5000"}, more...)...)
	return d
}

func coverOf(album string) string { return "/api/images/albums/" + album + "/cover" }

// emptyCache has everything that is cached lost, as a Redis does that restarts
// without a file.
func emptyCache(t *testing.T, d deployment) {
	t.Helper()
	if d.redis != nil {
		require.NoError(t, d.redis.FlushDB(t.Context()).Err())
	}
}

// withAdmin gives a server process a token of its own.
func withAdmin(t *testing.T, d deployment, server *process) *process {
	t.Helper()
	code, token, stderr := gatefold(t, d, "token", "create", "--scope", "admin")
	require.Zero(t, code, stderr)
	server.token = strings.TrimSpace(token)
	return server
}

func requireLog(t *testing.T, in *instance, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(in.log.String(), text) }, 20*time.Second, 5*time.Millisecond, "%q is not in the log", text)
}

// warmWhole runs the verb until the cache kept everything: on a machine that is
// too slow for its budgets, Redis may take too long. It returns what was said.
func warmWhole(t *testing.T, d deployment) (stdout string) {
	t.Helper()
	for range 20 {
		code, stdout, stderr := gatefold(t, d, "cache", "warm")
		require.Zero(t, code, stderr)
		if !strings.Contains(stdout, "keys in") || strings.Contains(stdout, ", 0 not cached, 0 failed") {
			return stdout
		}
	}
	require.FailNow(t, "the cache does not keep everything")
	return ""
}

// TestARestartFindsItsCacheWarm: what was requested is there again before
// anybody asks for it, and so is what has changed; nothing else is.
func TestARestartFindsItsCacheWarm(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		d = warming(d)
		first := withAdmin(t, d, serve(t, d))
		first.putArtist(artistID, "Requested")
		requested, changed, neither := artwork.NewID().String(), albumID, artwork.NewID().String()
		for _, album := range []string{requested, changed, neither} {
			first.putAlbum(album, artistID, "Album "+album)
		}
		tag := applyCover(t, first.instance, musicfixture.Picture(30, 30, 1))
		for range 3 { // it has no cover, and the cache knows that too
			require.Equal(t, http.StatusOK, first.get(coverOf(requested)).StatusCode)
		}
		require.Equal(t, http.StatusNotFound, first.get(coverOf(artwork.NewID().String())).StatusCode)
		require.Zero(t, first.stop(t))
		emptyCache(t, d)

		second := serve(t, d)
		second.token = first.token
		requireLog(t, second.instance, "Warmed image cache")
		require.Contains(t, second.log.String(), `"keys": 2`)
		if !strings.Contains(second.log.String(), `"bypassed": 0`) {
			warmWhole(t, d)
		}
		for album, want := range map[string]int64{requested: 1, changed: 1, neither: 0} {
			requireExists(t, d, "image:album:"+album+":cover", want)
		}
		fills := func() any {
			return second.send(http.MethodGet, "/api/admin/cache/stats", nil).json(t)["fills"]
		}
		before := fills()
		require.EqualValues(t, 2, before)
		require.Equal(t, http.StatusOK, second.get(coverOf(requested)).StatusCode)
		require.Equal(t, `"`+tag+`"`, second.get(coverOf(changed)).Header.Get("ETag"))
		require.Equal(t, before, fills(), "a request had to be loaded")
	})
}

func TestWarmVerbs(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		d = warming(d)
		server := withAdmin(t, d, serve(t, d))
		requireLog(t, server.instance, "Nothing is known yet to warm the image cache with")
		require.Contains(t, warmWhole(t, d), "there is nothing to warm the cache with")

		server.putArtist(artistID, "Warm")
		server.putAlbum(albumID, artistID, "Verbs")
		applyCover(t, server.instance, musicfixture.Picture(30, 30, 1))
		key := "image:album:" + albumID + ":cover"
		requireExists(t, d, key, 0)
		require.Regexp(t, `^1 keys in .*: 1 filled, 0 of empty slots, 0 already there, 0 not cached, 0 failed\n$`, warmWhole(t, d))
		requireExists(t, d, key, 1)
		warmed := server.send(http.MethodPost, "/api/admin/cache/warm", nil)
		require.Equal(t, http.StatusOK, warmed.StatusCode, string(warmed.body))
		summary := warmed.json(t)
		require.Positive(t, summary["tookMs"])
		delete(summary, "tookMs")
		require.Equal(t, map[string]any{"success": true, "keys": 1.0, "filled": 0.0, "empty": 0.0, "present": 1.0, "bypassed": 0.0, "failed": 0.0}, summary)
		requireProblem(t, server.do(http.MethodPost, "/api/admin/cache/warm", nil), http.StatusUnauthorized, "unauthenticated")

		require.Zero(t, server.stop(t))
		emptyCache(t, d)
		if d.redis == nil {
			code, _, stderr := gatefold(t, d, "cache", "warm")
			require.Equal(t, 1, code)
			require.Contains(t, stderr, "no server is running")
			return
		}
		require.Contains(t, warmWhole(t, d), "1 filled")
		requireExists(t, d, key, 1)
	})
}

func TestWarmingThatIsTurnedOffSaysSo(t *testing.T) {
	for setting, says := range map[string]string{"IMAGE_CACHE=off": "the cache mode of the deployment is off", "WARM_KEYS=0": "WARM_KEYS=0"} {
		d := warming(deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}, setting)
		in := d.start(t)
		answer := in.send(http.MethodPost, "/api/admin/cache/warm", nil)
		requireProblem(t, answer, http.StatusConflict, "conflict")
		require.Contains(t, string(answer.body), says)
		code, _, stderr := gatefold(t, d, "cache", "warm")
		require.Equal(t, 1, code)
		require.Contains(t, stderr, says)
		require.NotContains(t, in.log.String(), "image cache", "nothing is said of what is turned off")
	}
}

// TestOneOfTwoInstancesWarms: when both start at once, and when a person asks
// the one while the other does.
func TestOneOfTwoInstancesWarms(t *testing.T) {
	d := sharedDeployment(t, "L1_TTL=200ms")
	seed := d.start(t)
	seed.putArtist(artistID, "Two")
	for range 30 {
		album := artwork.NewID().String()
		seed.putAlbum(album, artistID, "Album "+album)
		seed.get(coverOf(album))
	}
	require.NoError(t, seed.server.Close())
	emptyCache(t, d)

	d = warming(d, "WARM_RATE=1")
	instances := make([]*instance, 2)
	var starting sync.WaitGroup
	for i := range instances {
		starting.Go(func() { instances[i] = d.start(t) })
	}
	starting.Wait()
	require.False(t, t.Failed(), "one of them did not start")
	begun := func(in *instance) bool { return strings.Contains(in.log.String(), "Warming image cache") }
	require.Eventually(t, func() bool { return begun(instances[0]) || begun(instances[1]) }, 10*time.Second, 5*time.Millisecond)
	warms, other := instances[0], instances[1]
	if begun(other) {
		warms, other = other, warms
	}
	requireLog(t, other, "Another instance warms the image cache")
	require.False(t, begun(other), "both warm")
	for _, in := range instances { // that take half a minute to warm
		require.Equal(t, http.StatusOK, in.get("/health/ready").StatusCode)
	}
	for _, in := range instances {
		answer := in.send(http.MethodPost, "/api/admin/cache/warm", nil)
		requireProblem(t, answer, http.StatusConflict, "conflict")
		require.Contains(t, string(answer.body), "the image cache is being warmed by")
	}
	code, _, stderr := gatefold(t, d, "cache", "warm")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "the image cache is being warmed by")

	begin := time.Now()
	require.NoError(t, warms.server.Close())
	require.Less(t, time.Since(begin), 5*time.Second, "a stop waits for warming")
	// What it did not finish is left to the next that starts.
	requireLog(t, warming(d, "WARM_RATE=1000").start(t), "Warmed image cache")
}

// TestAChangeDuringWarmingIsKept holds what warming has read from the database
// until the image was replaced. It must not be stored any more.
func TestAChangeDuringWarmingIsKept(t *testing.T) {
	policy := artwork.CachePolicy{TTL: time.Minute}
	shared := func(t *testing.T, policy artwork.CachePolicy) (*bunrepo.DB, *rediscache.Cache) {
		db := openDatabase(t, migrated.Postgres(t))
		cache, err := rediscache.Open(rediscache.Options{URL: testenv.Redis(t)}, policy, bunrepo.NewChangeLog(db), managecache.NewCounters(), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		t.Cleanup(func() { _ = cache.Close() })
		require.NoError(t, cache.Ready(t.Context()))
		return db, cache
	}
	embedded := func(t *testing.T) *bunrepo.DB {
		return openDatabase(t, "sqlite:"+filepath.Join(t.TempDir(), "gatefold.db"))
	}
	for name, c := range map[string]struct {
		open   func(t *testing.T) (*bunrepo.DB, artwork.ImageCache)
		broken bool
	}{
		"memory and SQLite": {open: func(t *testing.T) (*bunrepo.DB, artwork.ImageCache) {
			return embedded(t), memory.NewCache(policy, 100, managecache.NewCounters())
		}},
		"Redis and Postgres": {open: func(t *testing.T) (*bunrepo.DB, artwork.ImageCache) { return shared(t, policy) }},
		"two-level and Postgres": {open: func(t *testing.T) (*bunrepo.DB, artwork.ImageCache) {
			policy := artwork.CachePolicy{TTL: time.Minute, CopyTerm: 50 * time.Millisecond}
			db, cache := shared(t, policy)
			return db, twolevelcache.New(cache, policy, 100)
		}},
		// The twin is what warming would be if it stored what it has read.
		"look, load and store": {open: func(t *testing.T) (*bunrepo.DB, artwork.ImageCache) {
			return embedded(t), &lookAside{entries: map[artwork.Key]*artwork.Image{}}
		}, broken: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, cache := c.open(t)
			summary, older, newer, served := changeDuringWarming(t, db, cache)
			if c.broken {
				require.Equal(t, older, served, "the schedule was not forced")
				return
			}
			require.Equal(t, newer, served)
			require.Equal(t, 1, summary.Bypassed, "%+v", summary)
		})
	}
}

// changeDuringWarming returns what is served after a change during the load of
// warming, of the two images.
func changeDuringWarming(t *testing.T, db *bunrepo.DB, cache artwork.ImageCache) (summary warmcache.Summary, older, newer, served artwork.Hash) {
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ana"}
	_, err := bunrepo.NewArtists(db).Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	images, place := bunrepo.NewImages(db), artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotLogo}
	key, tally, log := place.Keys()[0], warmcache.NewTally(), slog.New(slog.DiscardHandler)
	apply := func(content string) artwork.Hash {
		hash := artwork.HashOf([]byte(content))
		record := artwork.Record{
			ID: artwork.RecordID(place, hash, artwork.Custom, "test"), Place: place, Source: artwork.Custom, Provider: "test",
			Content: artwork.Content{Hash: hash, Size: 1, MIMEType: "image/png", Width: 1, Height: 1},
		}
		require.NoError(t, cache.Change(t.Context(), place.Keys(), func(ctx context.Context, fence artwork.Fence) error {
			_, err := images.Apply(ctx, fence, []artwork.Application{{Record: record, By: artwork.Actor{Name: "test"}}})
			return err
		}))
		return hash
	}
	older = apply("older")

	held := &heldImages{ImageRepository: images, read: make(chan struct{}), goOn: make(chan struct{})}
	terms := warmcache.RecordTerms{HalfLife: warmcache.HalfLife, MaxKeys: warmcache.MaxKeys}
	warm := warmcache.New(warmcache.Config{Keys: 10, Rate: 1000, Instance: "test"}, inUse(artwork.CacheRedis),
		serveimage.NewPointers(cache, held, tally), bunrepo.NewRequests(db, terms), bunrepo.NewChangeLog(db), bunrepo.NewClaims(db),
		keepactivity.NewRecorder(bunrepo.NewActivity(db), log), log)
	warmed := make(chan error, 1)
	go func() {
		var err error
		summary, err = warm.Run(t.Context(), artwork.Actor{Name: "test"}, ignored{})
		warmed <- err
	}()
	<-held.read
	newer = apply("newer")
	close(held.goOn)
	require.NoError(t, <-warmed)
	answer, err := serveimage.NewPointers(cache, images, tally).Fetch(t.Context(), key)
	require.NoError(t, err)
	return summary, older, newer, answer.Image.Hash
}

// inUse is the mode of a cache that is not composed by settings.
type inUse artwork.CacheMode

func (i inUse) Mode() artwork.CacheMode { return artwork.CacheMode(i) }

func openDatabase(t *testing.T, url string) *bunrepo.DB {
	t.Helper()
	db, err := bunrepo.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	require.NoError(t, db.Migrate(t.Context()))
	return db
}

// heldImages holds what it has read until it may go on.
type heldImages struct {
	artwork.ImageRepository
	read, goOn chan struct{}
}

func (h *heldImages) InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error) {
	img, err := h.ImageRepository.InForce(ctx, place)
	close(h.read)
	<-h.goOn
	return img, err
}

// lookAside is a cache that stores whatever was read, and deletes after a change.
type lookAside struct {
	mu      sync.Mutex
	entries map[artwork.Key]*artwork.Image
}

func (l *lookAside) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	l.mu.Lock()
	img, ok := l.entries[key]
	l.mu.Unlock()
	if ok {
		return artwork.Answer{Image: img, Level: artwork.Shared}, nil
	}
	img, err := load(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[key] = img
	return artwork.Answer{Image: img, Level: artwork.Filled}, err
}

func (l *lookAside) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	fence := artwork.Unfenced()
	fence.Keys = keys
	err := commit(ctx, fence)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		delete(l.entries, key)
	}
	return err
}
