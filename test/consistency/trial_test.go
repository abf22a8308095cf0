package consistency

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/twolevelcache"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/badlink"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

// policy has a short term of copies, so that changes do not take long; what is
// proved does not depend on its length.
var policy = artwork.CachePolicy{TTL: time.Minute, CopyTerm: 50 * time.Millisecond}

const (
	instances = 3
	// copiesKept is how many copies a process holds: more than there are keys.
	copiesKept = 1000
	// loadLimit bounds a read of the database, which no reader's patience bounds.
	loadLimit = 5 * time.Second
	// endLimit bounds how long workers may take to end, and how long the fleet may
	// take to finish what dead writers left: a deadline and two sweeps.
	endLimit = time.Minute
)

// trial is one run of a scenario: a fleet of instances on real servers, readers
// and writers on it, and a record of what they were told.
type trial struct {
	t        *testing.T
	scenario scenario
	dice     *dice
	begin    time.Time
	ctx      context.Context // ends when the trial takes too long

	truth  *pgx.Conn // past all instances
	places []artwork.Place
	fleet  []*instance

	master   *testenv.RedisProcess
	standby  *testenv.RedisProcess
	sentinel *testenv.SentinelDeployment
	operator atomic.Pointer[redis.Client] // of the master; nil if Sentinels choose it
	clients  map[*testenv.RedisProcess]*redis.Client

	target  int64 // operations of each instance
	stop    chan struct{}
	workers sync.WaitGroup
	late    sync.WaitGroup // commits that go on after their writer has given up
	history history
	changes bells // rung by twins
	surprises
}

// surprises are errors that nobody should have been given.
type surprises struct {
	mu     sync.Mutex
	errors []error
}

func (s *surprises) surprise(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors = append(s.errors, err)
}

// client returns the operator's client of a server.
func (tr *trial) client(server *testenv.RedisProcess) *redis.Client {
	if tr.clients[server] == nil {
		tr.clients[server] = server.Client(tr.t)
	}
	return tr.clients[server]
}

// instance is one process of the deployment.
type instance struct {
	name     string
	redis    *badlink.Link // nil if it asks Sentinels
	postgres *badlink.Link
	options  rediscache.Options
	log      artwork.ChangeLog
	images   artwork.ImageRepository
	shared   artwork.ImageCache // past the copies in this process
	cache    artwork.ImageCache
	stalls   *stalls

	mu                           sync.Mutex
	operations, fetches, changes int64
}

// total is what a trial came to.
type total struct {
	counts
	operations, fetches, changes int64
	verdict                      porcupine.CheckResult
	levels                       map[artwork.Level]int // where the answers came from
	told                         map[result]int        // what writers were told
	took                         time.Duration
}

// run runs the scenario once, on servers of its own. The database starts as a
// copy of the template.
func run(t *testing.T, s scenario, seed uint64, target int) total {
	t.Helper()
	limit := 2*time.Minute + time.Duration(target)*20*time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tr := &trial{
		t: t, scenario: s, dice: newDice(seed, "trial of "+s.name), begin: time.Now(), ctx: ctx,
		target: int64(target), stop: make(chan struct{}), clients: map[*testenv.RedisProcess]*redis.Client{},
	}
	tr.prepare(seed)
	tr.work(seed)
	s.faults(tr)
	for !tr.enough() {
		tr.pause(5 * time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Errorf("the instances did not do %d operations each within %s", target, limit)
	}
	tr.endWorkers()
	return tr.judge()
}

func (tr *trial) now() time.Duration { return time.Since(tr.begin) }

func (tr *trial) pause(d time.Duration) { pause(tr.ctx, d) }

// enough reports whether the instances have done what they should, or have no
// time left for it.
func (tr *trial) enough() bool {
	if tr.ctx.Err() != nil {
		return true
	}
	for _, in := range tr.fleet {
		if operations, _, _ := in.done(); operations < tr.target {
			return false
		}
	}
	return true
}

func (in *instance) did(operations, fetches, changes int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.operations += operations
	in.fetches += fetches
	in.changes += changes
}

func (in *instance) done() (operations, fetches, changes int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.operations, in.fetches, in.changes
}

func (tr *trial) prepare(seed uint64) {
	t := tr.t
	database := migrated.Postgres(t)
	var err error
	tr.truth, err = pgx.Connect(tr.ctx, database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tr.truth.Close(context.Background()) })
	sentinel := tr.scenario.redis(tr)
	for i := range instances {
		tr.fleet = append(tr.fleet, tr.open(fmt.Sprintf("instance %d", i+1), database, sentinel, seed))
	}
	tr.begin = time.Now() // what follows is what the trial is about
}

// open starts an instance that reaches the servers over links of its own, or
// the Redis that Sentinels name.
func (tr *trial) open(name, database string, sentinel *testenv.SentinelDeployment, seed uint64) *instance {
	t := tr.t
	in := &instance{name: name, stalls: &stalls{newDice(seed, name), tr.scenario.stallsOften, tr.scenario.stallsSeldom}}
	address, err := url.Parse(database)
	require.NoError(t, err)
	in.postgres = badlink.New(t, address.Host)
	address.Host = in.postgres.Addr()
	db, err := bunrepo.Open(tr.ctx, address.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	if len(tr.places) == 0 {
		tr.places = newPlaces(tr.ctx, t, db, 4+tr.dice.below(9)+1)
	}
	in.images = stalledImages{bunrepo.NewImages(db), in.stalls}
	in.log = stalledLog{bunrepo.NewChangeLog(db), in.stalls}
	if sentinel != nil {
		in.options.SentinelMaster, in.options.SentinelAddrs = sentinel.MasterName(), sentinel.Addrs()
	} else {
		in.redis = badlink.New(t, tr.master.Addr)
		in.options.URL = "redis://" + in.redis.Addr()
	}
	tr.scenario.caches(tr, in)
	return in
}

// newPlaces makes up artists and albums and returns a number of their places.
func newPlaces(ctx context.Context, t *testing.T, db *bunrepo.DB, n int) []artwork.Place {
	t.Helper()
	places := make([]artwork.Place, n)
	for i := range places {
		artist := artwork.NewID()
		_, err := bunrepo.NewArtists(db).Put(ctx, artwork.Actor{Name: "test"}, catalog.Artist{ID: artist, Name: "artist"})
		require.NoError(t, err)
		switch i % 3 {
		case 0:
			album := artwork.NewID()
			_, err = bunrepo.NewAlbums(db).Put(ctx, artwork.Actor{Name: "test"}, catalog.Album{ID: album, ArtistID: artist, Name: "album"})
			require.NoError(t, err)
			places[i] = artwork.Place{Subject: artwork.Album(album), Slot: artwork.SlotCover}
		case 1: // with four keys
			places[i] = artwork.Place{Subject: artwork.Artist(artist), Slot: artwork.SlotProfile}
		default:
			places[i] = artwork.Place{Subject: artwork.Artist(artist), Slot: artwork.SlotBanner}
		}
	}
	return places
}

func openRedis(options rediscache.Options, policy artwork.CachePolicy, changes artwork.ChangeLog) (*rediscache.Cache, error) {
	return rediscache.Open(options, policy, changes, managecache.NewCounters(), slog.New(slog.DiscardHandler))
}

// openRedis opens the level that all instances share, for one of them.
func (tr *trial) openRedis(in *instance, policy artwork.CachePolicy, changes artwork.ChangeLog) *rediscache.Cache {
	t := tr.t
	cache, err := openRedis(in.options, policy, changes)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var sweeper sync.WaitGroup
	sweeper.Go(func() { cache.Sweep(ctx) })
	t.Cleanup(func() {
		cancel()
		sweeper.Wait()
		_ = cache.Close()
	})
	ready, cancelReady := context.WithTimeout(tr.ctx, endLimit)
	defer cancelReady()
	require.NoError(t, cache.Ready(ready))
	return cache
}

// asProduced is the product's own cache, with stalls between its levels.
func asProduced(tr *trial, in *instance) {
	in.shared = stalledCache{tr.openRedis(in, policy, in.log), in.stalls}
	in.cache = twolevelcache.New(in.shared, policy, copiesKept)
}

// endWorkers ends readers and writers; one that does not end fails the test.
func (tr *trial) endWorkers() {
	close(tr.stop)
	ended := make(chan struct{})
	go func() {
		tr.workers.Wait()
		tr.late.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(endLimit):
		tr.t.Fatalf("readers or writers did not end within %s", endLimit)
	}
}

// judge lets the fleet finish what dead writers left, reads everything once
// more, and compares all answers with what the database says has happened.
func (tr *trial) judge() total {
	tr.settle()
	settled := tr.now()
	tr.readEverything()
	order := committed(tr.t.Context(), tr.t, tr.truth, tr.places)
	registers := tr.history.registers(order, settled)
	for _, err := range tr.errors {
		tr.t.Errorf("an error that nothing explains: %v", err)
	}
	sum := total{took: tr.now()}
	for i := range registers {
		sum.add(registers[i].count())
	}
	sum.verdict = linearizable(registers)
	sum.levels = tr.history.levels()
	sum.told = tr.history.told()
	for _, in := range tr.fleet {
		operations, fetches, changes := in.done()
		sum.operations += operations
		sum.fetches += fetches
		sum.changes += changes
	}
	return sum
}

// settle waits until no change is pending and the last copies have expired.
func (tr *trial) settle() {
	for _, in := range tr.fleet {
		in.postgres.Heal()
		if in.redis != nil {
			in.redis.Heal()
		}
	}
	pending := -1
	for limit := time.Now().Add(endLimit); pending != 0 && time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		require.NoError(tr.t, tr.truth.QueryRow(tr.t.Context(), "SELECT count(*) FROM cache_pending").Scan(&pending))
	}
	if pending != 0 {
		tr.t.Errorf("%d changes of dead writers were not finished", pending)
	}
	time.Sleep(policy.CopyWait())
}
