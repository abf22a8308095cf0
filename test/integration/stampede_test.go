package integration

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/adapters/bunrepo"
	"gatefold/application/announce"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

// soon is how long a test waits for what is about to happen.
const soon = time.Minute

// database stands between the parts of an instance and its repository: it counts
// the reads of images in force, and can hold them.
type database struct {
	artwork.ImageRepository

	mu      sync.Mutex
	reads   int
	running int
	most    int           // at once, ever
	hold    chan struct{} // if not nil, reads wait until it is closed
}

// between puts the database in front of the instance's own.
func (d *database) between() fx.Option {
	return fx.Decorate(func(images artwork.ImageRepository) artwork.ImageRepository {
		d.ImageRepository = images
		return d
	})
}

func (d *database) InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error) {
	d.mu.Lock()
	d.reads++
	d.running++
	d.most = max(d.most, d.running)
	hold := d.hold
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.running--
		d.mu.Unlock()
	}()
	if hold != nil {
		<-hold
	}
	return d.ImageRepository.InForce(ctx, place)
}

// countAnew forgets what was counted, and no longer holds reads.
func (d *database) countAnew() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads, d.most, d.hold = 0, 0, nil
}

func (d *database) count() (reads, most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reads, d.most
}

// fleet is several instances that share a Redis and a Postgres.
type fleet struct {
	instances []*instance
	databases []*database
	redis     *testenv.RedisProcess
}

// startFleet starts instances, and puts a cover in force that nobody has asked
// for yet. Its tag is returned.
func startFleet(t *testing.T, size int, more ...string) (*fleet, string) {
	t.Helper()
	f := &fleet{redis: testenv.RedisServer(t)}
	environ := []string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + migrated.Postgres(t), "REDIS_URL=redis://" + f.redis.Addr, "L1_TTL=100ms"}
	for range size {
		db := &database{}
		d := deployment{environ: append(environ, more...), shared: true}
		f.databases = append(f.databases, db)
		f.instances = append(f.instances, d.startWith(t, db.between()))
	}
	f.instances[0].putArtist(artistID, "Rush")
	f.instances[0].putAlbum(albumID, artistID, "Hour")
	return f, f.putCover(t)
}

// putCover puts a cover in force, however often it has to try on a machine that
// has more to do than Redis can wait for. When it returns, the change has been
// announced, for which the database is read too.
func (f *fleet) putCover(t *testing.T) (tag string) {
	t.Helper()
	events := f.instances[0].listen()
	defer events.Close()
	prefix := "/api/admin/metadata/album/custom-covers/" + albumID
	uploaded := f.instances[0].upload(prefix+"/upload", musicfixture.Picture(30, 30, 1))
	require.Equal(t, http.StatusOK, uploaded.StatusCode, string(uploaded.body))
	path := prefix + "/apply/" + uploaded.json(t)["customCoverId"].(string)
	require.Eventually(t, func() bool {
		applied := f.instances[0].send(http.MethodPost, path, nil)
		tag, _ = applied.json(t)["tag"].(string)
		return applied.StatusCode == http.StatusCreated
	}, soon, 10*time.Millisecond)
	require.Equal(t, tag, events.Skip(announce.AlbumCoverUpdated).Data["tag"])
	return tag
}

// countAnew forgets what the databases have counted.
func (f *fleet) countAnew() {
	for _, db := range f.databases {
		db.countAnew()
	}
}

// hold counts anew, and has all reads of the databases wait for release.
func (f *fleet) hold() (release func()) {
	f.countAnew()
	held := make(chan struct{})
	for _, db := range f.databases {
		db.mu.Lock()
		db.hold = held
		db.mu.Unlock()
	}
	return sync.OnceFunc(func() { close(held) })
}

// stats returns the counters of an instance.
func (f *fleet) stats(t *testing.T, i int) managecache.Stats {
	t.Helper()
	stats, err := f.instances[i].server.CacheStats(t.Context())
	require.NoError(t, err)
	return stats
}

// crowd is requests under way at the same time.
type crowd struct {
	requests sync.WaitGroup
	mu       sync.Mutex
	statuses map[int]int
	tags     map[string]int
	retries  map[string]int // the values of Retry-After
}

func newCrowd() *crowd {
	return &crowd{statuses: map[int]int{}, tags: map[string]int{}, retries: map[string]int{}}
}

// get begins a request.
func (c *crowd) get(t *testing.T, in *instance, path string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, in.base+path, nil)
	require.NoError(t, err)
	c.requests.Go(func() {
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.statuses[resp.StatusCode]++
		c.tags[resp.Header.Get("ETag")]++
		c.retries[resp.Header.Get("Retry-After")]++
	})
}

const (
	instances = 3
	callers   = 500 // of each
)

// rush has all callers of all instances ask for the cover, and returns once all
// of them are in: the first of each instance does something that the test has
// stopped, the others wait to share what is done next.
func (f *fleet) rush(t *testing.T) *crowd {
	t.Helper()
	before := make([]int64, instances)
	for i := range before {
		before[i] = f.stats(t, i).SharedLooks
	}
	c := newCrowd()
	for range callers {
		for _, in := range f.instances {
			c.get(t, in, "/api/images/albums/"+albumID+"/cover")
		}
	}
	for i := range before {
		require.Eventually(t, func() bool { return f.stats(t, i).SharedLooks == before[i]+callers-1 }, soon, time.Millisecond)
	}
	return c
}

// requireServed requires that all were answered with the cover.
func (c *crowd) requireServed(t *testing.T, tag string) {
	t.Helper()
	c.requests.Wait()
	require.Equal(t, map[int]int{http.StatusOK: instances * callers}, c.statuses)
	require.Equal(t, map[string]int{`"` + tag + `"`: instances * callers}, c.tags)
}

// TestAStampedeIsOneRead: Redis stands still until all callers have come, so
// that nobody finds what another has filled before. Then one instance takes the
// lease, and the others follow; they have the patience for it on any machine. No
// other test runs beside it.
func TestAStampedeIsOneRead(t *testing.T) {
	for _, mode := range []string{"redis", "twolevel"} {
		t.Run(mode, func(t *testing.T) {
			f, tag := startFleet(t, instances, "IMAGE_CACHE="+mode, "REDIS_READ_TIMEOUT=1m")
			f.countAnew()
			f.redis.Pause()
			c := f.rush(t)
			f.redis.Resume()
			c.requireServed(t, tag)

			var reads int
			var loads int64
			for i, db := range f.databases {
				mine, _ := db.count()
				reads += mine
				stats := f.stats(t, i)
				loads += stats.Loads.All
				require.Zero(t, stats.Fallbacks)
				require.Zero(t, stats.RefusedFills)
			}
			require.Equal(t, 1, reads)
			require.EqualValues(t, 1, loads, "the counters tell the same")
		})
	}
}

// TestAStampedeWithoutRedisIsTwoReads of each instance: the first, which is held
// until all callers have come, and one that all of them share. They may not share
// the first: it began before they asked.
func TestAStampedeWithoutRedisIsTwoReads(t *testing.T) {
	for name, lose := range map[string]func(*testenv.RedisProcess){
		"stopped": (*testenv.RedisProcess).Stop,
		"silent":  (*testenv.RedisProcess).Pause,
	} {
		for _, mode := range []string{"redis", "twolevel"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				f, tag := startFleet(t, instances, "IMAGE_CACHE="+mode)
				release := f.hold()
				defer release()
				lose(f.redis)
				defer f.redis.Resume()
				c := f.rush(t)
				release()
				c.requireServed(t, tag)
				for _, db := range f.databases {
					reads, most := db.count()
					require.Equal(t, 2, reads)
					require.Equal(t, 1, most)
				}
			})
		}
	}
}

// TestARushOnManyKeysIsBounded: without Redis every key is a read. So many run
// as the database has room for, so many wait, and for no longer than two seconds;
// the others are told to come back.
func TestARushOnManyKeysIsBounded(t *testing.T) {
	t.Parallel()
	f, _ := startFleet(t, 1, "IMAGE_CACHE=redis")
	release := f.hold()
	defer release()
	f.redis.Stop()
	const keys = 1200
	c := newCrowd()
	for range keys {
		c.get(t, f.instances[0], "/api/images/albums/"+artwork.NewID().String()+"/cover")
	}
	const refused = keys - bunrepo.LoadsAtOnce
	require.Eventually(t, func() bool {
		loads := f.stats(t, 0).Loads
		return loads.RefusedFull+loads.RefusedLate == refused
	}, soon, time.Millisecond)
	require.EqualValues(t, bunrepo.LoadsAtOnce, f.stats(t, 0).Loads.Running)
	release()
	c.requests.Wait()
	require.Equal(t, map[int]int{http.StatusServiceUnavailable: refused, http.StatusNotFound: bunrepo.LoadsAtOnce}, c.statuses)
	require.Equal(t, map[string]int{"5": refused, "": bunrepo.LoadsAtOnce}, c.retries)
	reads, most := f.databases[0].count()
	require.Equal(t, bunrepo.LoadsAtOnce, reads)
	require.Equal(t, bunrepo.LoadsAtOnce, most)
}

// TestAnApplyDoesNotWaitBehindARush: the reads of covers stand still in the
// database, with all the connections that they may have.
func TestAnApplyDoesNotWaitBehindARush(t *testing.T) {
	t.Parallel()
	d := sharedDeployment(t, "IMAGE_CACHE=redis")
	in := d.start(t)
	in.putUser(userID, "ana")
	release := lockTable(t, d, "albums")
	c := newCrowd()
	for range 5 * bunrepo.LoadsAtOnce {
		c.get(t, in, "/api/images/albums/"+artwork.NewID().String()+"/cover")
	}
	loads := func() managecache.Loads {
		stats, err := in.server.CacheStats(t.Context())
		require.NoError(t, err)
		return stats.Loads
	}
	require.Eventually(t, func() bool { return loads().Running == bunrepo.LoadsAtOnce }, soon, time.Millisecond)
	body, contentType := form(t, musicfixture.Picture(20, 20, 1), "userId", userID)
	applied := in.do(http.MethodPost, "/api/users/avatar", body, "Authorization", "Bearer "+in.token, "Content-Type", contentType)
	require.Equal(t, http.StatusOK, applied.StatusCode, string(applied.body))
	require.Equal(t, http.StatusOK, in.get("/health/ready").StatusCode)
	require.EqualValues(t, bunrepo.LoadsAtOnce, loads().Running, "the rush still stands")
	release()
	c.requests.Wait()
}

// lockTable keeps everybody from a table until release is called.
func lockTable(t *testing.T, d deployment, table string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.variable("DATABASE_URL"))
	require.NoError(t, err)
	closeConn := sync.OnceFunc(func() { _ = conn.Close(context.WithoutCancel(t.Context())) }) // ends the transaction
	t.Cleanup(closeConn)
	_, err = conn.Exec(t.Context(), "BEGIN; LOCK TABLE "+pgx.Identifier{table}.Sanitize()+" IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	return closeConn
}
