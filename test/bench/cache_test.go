package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"

	"gatefold/adapters/bunrepo"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/twolevelcache"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/testenv"
)

const (
	// rounds is how often every contender has its turn. What disturbs the machine
	// for a while disturbs all of them.
	rounds = 31
	// turn is how long one of them runs in a round.
	turn = 50 * time.Millisecond
	// poolSize is that of the adapter's pool.
	poolSize = 32
)

// contender is one way to do the same thing. op does it so many times; caller
// counts the goroutines that do it at the same time, i the calls of each.
type contender struct {
	callers int
	times   int
	op      func(caller, i int)
}

// standing is how a contender did: medians over all rounds.
type standing struct {
	perOp    time.Duration // elapsed time by operations of all callers
	relative float64       // speed, the first contender's being 1
}

// compete gives every contender a turn in each round and returns how they did. A
// relative speed is the median of those within each round.
func compete(contenders []contender) []standing {
	times := make([][]float64, len(contenders))
	ratios := make([][]float64, len(contenders))
	for _, c := range contenders {
		c.measure(turn / 4) // connections are dialled, caches are warm
	}
	for round := range rounds {
		for turns := range contenders {
			i := (round + turns) % len(contenders) // nobody is always the first
			times[i] = append(times[i], contenders[i].measure(turn))
		}
		for i := range contenders {
			ratios[i] = append(ratios[i], times[0][round]/times[i][round])
		}
	}
	standings := make([]standing, len(contenders))
	for i := range contenders {
		standings[i] = standing{time.Duration(median(times[i])), median(ratios[i])}
	}
	return standings
}

// measure runs all callers for the time and returns the nanoseconds from one
// operation's end to the next.
func (c contender) measure(d time.Duration) float64 {
	const batch = 16 // between two looks at the clock
	var done atomic.Int64
	var callers sync.WaitGroup
	runtime.GC()
	begin := time.Now()
	for caller := range c.callers {
		callers.Go(func() {
			n := 0
			for time.Since(begin) < d {
				for range batch {
					c.op(caller, n)
					n++
				}
			}
			done.Add(int64(n * c.times))
		})
	}
	callers.Wait()
	return float64(time.Since(begin)) / float64(done.Load())
}

func median(values []float64) float64 { return quantile(values, 0.5) }

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1))]
}

// once runs the comparison, however often the benchmark is asked for, and logs
// it as a table.
func once(b *testing.B, header string, rows func() []string) {
	b.Helper()
	var table []string
	for b.Loop() {
		if table == nil {
			columns := strings.Count(header, "|") - 1
			table = append([]string{header, "|" + strings.Repeat(" --- |", columns)}, rows()...)
		}
	}
	b.ReportMetric(0, "ns/op") // of a whole comparison, which says nothing
	b.Log("\n" + strings.Join(table, "\n"))
}

func picture(n int) *artwork.Image {
	hash := artwork.HashOf(fmt.Append(nil, n))
	return &artwork.Image{
		Content: artwork.Content{
			Hash: hash, Size: 183_412, MIMEType: "image/jpeg", Width: 1200, Height: 1200,
			ThumbHash: []byte("2fcZFIB3iId/h3iJh4aIYJ2V8g"),
		},
		RecordID: artwork.NewID(), Tag: artwork.TagOf(hash, nil), Source: artwork.Local,
		LastModified: time.Unix(1700000000, 0).UTC(),
	}
}

func load(context.Context) (*artwork.Image, error) { return picture(0), nil }

// covers returns the keys of so many albums.
func covers(n int) []artwork.Key {
	keys := make([]artwork.Key, n)
	for i := range keys {
		keys[i] = artwork.Key{Subject: artwork.Album(artwork.NewID()), Type: artwork.TypeCover}
	}
	return keys
}

// noChanges is the log of a database in which nothing has changed.
type noChanges struct{}

func (noChanges) ChangedWithin(context.Context, time.Duration, func(artwork.Place) error) error {
	return nil
}
func (noChanges) Overdue(context.Context, int) ([]artwork.PendingChange, error) { return nil, nil }
func (noChanges) Finish(context.Context, string) error                          { return nil }

func openCache(b *testing.B, url string) *rediscache.Cache {
	b.Helper()
	cache, err := rediscache.Open(rediscache.Options{URL: url}, artwork.CachePolicy{TTL: time.Hour}, noChanges{}, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cache.Close() })
	if err := cache.Ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	return cache
}

// openPlain returns what anybody would use: a pool with the defaults of its
// library.
func openPlain(b *testing.B, url string) *redis.Client {
	b.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		b.Fatal(err)
	}
	options.PoolSize = poolSize
	rdb := redis.NewClient(options)
	b.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// BenchmarkCacheProcessHit compares a hit in process memory with the bare
// library. Goal: at most 1.5 times as long, and no allocation.
func BenchmarkCacheProcessHit(b *testing.B) {
	policy := artwork.CachePolicy{TTL: time.Hour, CopyTerm: time.Hour}
	keys := covers(1024)
	bare := otter.Must(&otter.Options[artwork.Key, *artwork.Image]{MaximumSize: 10_000})
	cache := twolevelcache.New(vouching{}, policy, 10_000)
	for _, key := range keys {
		bare.Set(key, picture(0))
		_, _ = cache.Fetch(b.Context(), key, load)
	}
	ctx := b.Context()
	get := func(int, int) {
		for _, key := range keys {
			if _, ok := bare.GetIfPresent(key); !ok {
				b.Error("a miss")
			}
		}
	}
	fetch := func(int, int) {
		for _, key := range keys {
			if answer, err := cache.Fetch(ctx, key, load); err != nil || answer.Level != artwork.Process {
				b.Error(answer.Level, err)
			}
		}
	}
	once(b, "| hit in process memory | ns | times as long | allocations |", func() []string {
		standings := compete([]contender{{1, len(keys), get}, {1, len(keys), fetch}})
		allocations := testing.AllocsPerRun(100, func() { fetch(0, 0) })
		b.ReportMetric(1/standings[1].relative, "x-otter")
		return []string{
			fmt.Sprintf("| otter's GetIfPresent | %d | 1 | |", standings[0].perOp.Nanoseconds()),
			fmt.Sprintf("| twolevelcache (goal: ≤ 1.5, 0) | %d | %.2f | %.0f |", standings[1].perOp.Nanoseconds(), 1/standings[1].relative, allocations),
		}
	})
}

// vouching is an inner cache that fills at every Fetch.
type vouching struct{ artwork.ImageCache }

func (vouching) Fetch(ctx context.Context, _ artwork.Key, load artwork.Load) (artwork.Answer, error) {
	img, err := load(ctx)
	return artwork.Answer{Image: img, Level: artwork.Filled}, err
}

// BenchmarkCacheRedisHit compares a hit in Redis with a bare GET. Goal: at one
// caller at least 0.9 times as fast, at 64 at least 3 times.
func BenchmarkCacheRedisHit(b *testing.B) {
	url := testenv.Redis(b)
	cache, plain := openCache(b, url), openPlain(b, url)
	keys := covers(10_000)
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.String()
		if _, err := cache.Fetch(b.Context(), key, load); err != nil {
			b.Fatal(err)
		}
	}
	ctx := b.Context()
	get := func(caller, i int) {
		if err := plain.Get(ctx, names[(caller*97+i)%len(names)]).Err(); err != nil {
			b.Error(err)
		}
	}
	var misses atomic.Int64 // for want of time: on a busy machine there are a few
	fetch := func(caller, i int) {
		answer, err := cache.Fetch(ctx, keys[(caller*97+i)%len(keys)], load)
		if err != nil {
			b.Error(err)
		}
		if answer.Level != artwork.Shared {
			misses.Add(1)
		}
	}
	once(b, "| hits in Redis: callers | plain GET per second | rediscache per second | times as fast | goal |", func() []string {
		var rows []string
		for _, c := range []struct {
			callers int
			goal    string
		}{{1, "≥ 0.9"}, {8, ""}, {32, ""}, {64, "≥ 3"}, {256, ""}} {
			standings := compete([]contender{{c.callers, 1, get}, {c.callers, 1, fetch}})
			rows = append(rows, fmt.Sprintf("| %d | %d | %d | %.2f | %s |",
				c.callers, perSecond(standings[0]), perSecond(standings[1]), standings[1].relative, c.goal))
			b.ReportMetric(standings[1].relative, fmt.Sprintf("x-plain-%d", c.callers))
		}
		b.ReportMetric(float64(misses.Load()), "misses")
		return rows
	})
}

func perSecond(s standing) int64 { return int64(time.Second) / max(1, int64(s.perOp)) }

// BenchmarkCacheFill compares a miss that ends with a fill with the unsafe GET
// and SET, once without any time for the load in between and once with that of
// Postgres. Goal: at least 0.9 times as fast.
func BenchmarkCacheFill(b *testing.B) {
	url := testenv.Redis(b)
	cache, plain := openCache(b, url), openPlain(b, url)
	ctx := b.Context()
	value := strings.Repeat("x", 430)
	fetch := func(load artwork.Load) func(int, int) {
		return func(int, int) {
			// Filled, unless the machine was too busy for the budget.
			if answer, err := cache.Fetch(ctx, covers(1)[0], load); err != nil || answer.Image == nil {
				b.Error(answer.Level, err)
			}
		}
	}
	getSet := func(load artwork.Load) func(int, int) {
		return func(int, int) {
			name := covers(1)[0].String()
			if err := plain.Get(ctx, name).Err(); !errors.Is(err, redis.Nil) {
				b.Error(err)
			}
			if _, err := load(ctx); err != nil {
				b.Error(err)
			}
			if err := plain.Set(ctx, name, value, time.Hour).Err(); err != nil {
				b.Error(err)
			}
		}
	}
	once(b, "| misses with a fill: load | callers | unsafe GET and SET per second | rediscache per second | times as fast | goal |", func() []string {
		var rows []string
		for name, load := range map[string]artwork.Load{"none": load, "Postgres": fromPostgres(b)} {
			for _, callers := range []int{1, 64} {
				standings := compete([]contender{{callers, 1, getSet(load)}, {callers, 1, fetch(load)}})
				rows = append(rows, fmt.Sprintf("| %s | %d | %d | %d | %.2f | ≥ 0.9 |",
					name, callers, perSecond(standings[0]), perSecond(standings[1]), standings[1].relative))
				b.ReportMetric(standings[1].relative, fmt.Sprintf("x-unsafe-%s-%d", name, callers))
			}
		}
		slices.Sort(rows)
		return rows
	})
}

// fromPostgres returns what reads an image in force from a database.
func fromPostgres(b *testing.B) artwork.Load {
	b.Helper()
	db, err := bunrepo.Open(b.Context(), testenv.Postgres(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Someone"}
	if _, err := bunrepo.NewArtists(db).Put(b.Context(), artwork.Actor{Name: "test"}, artist); err != nil {
		b.Fatal(err)
	}
	place := artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}
	images, img := bunrepo.NewImages(db), picture(0)
	record := artwork.Record{ID: img.RecordID, Place: place, Content: img.Content, Source: img.Source, AddedBy: "bench", AddedAt: img.LastModified}
	if _, err := images.Apply(b.Context(), artwork.Unfenced(), []artwork.Application{{Record: record, By: artwork.Actor{Name: "bench"}}}); err != nil {
		b.Fatal(err)
	}
	return func(ctx context.Context) (*artwork.Image, error) { return images.InForce(ctx, place) }
}

// BenchmarkCacheChange measures a change of all keys of an artist that nobody
// has copies of, beside ever more other keys in Redis. Goal: it takes the same
// time, within 1.3, and a hundredth takes at most a millisecond.
func BenchmarkCacheChange(b *testing.B) {
	sizes := []int{1_000, 100_000, 1_000_000}
	caches := make([]*rediscache.Cache, len(sizes))
	for i, size := range sizes {
		url := "redis://" + testenv.RedisServer(b).Addr
		crowd(b, openPlain(b, url), size)
		caches[i] = openCache(b, url)
	}
	once(b, "| other keys | p50 µs | p99 µs | p99, times that at the fewest | goal |", func() []string {
		const perRound = 200
		p50, p99, relative := make([][]float64, len(sizes)), make([][]float64, len(sizes)), make([][]float64, len(sizes))
		for range rounds {
			for i, cache := range caches {
				took := changes(b, cache, perRound)
				p50[i] = append(p50[i], quantile(took, 0.5))
				p99[i] = append(p99[i], quantile(took, 0.99))
				relative[i] = append(relative[i], p99[i][len(p99[i])-1]/p99[0][len(p99[0])-1])
			}
		}
		rows := make([]string, len(sizes))
		goals := []string{"", "≤ 1.3 times", "≤ 1.3 times, ≤ 1000 µs"}
		for i, size := range sizes {
			rows[i] = fmt.Sprintf("| %d | %.0f | %.0f | %.2f | %s |", size, median(p50[i]), median(p99[i]), median(relative[i]), goals[i])
			b.ReportMetric(median(p99[i]), fmt.Sprintf("p99-µs-%d", size))
		}
		return rows
	})
}

// changes returns how many microseconds each of n changes took.
func changes(b *testing.B, cache artwork.ImageCache, n int) []float64 {
	b.Helper()
	keys := artwork.Artist(artwork.NewID()).Keys()
	took := make([]float64, n)
	for i := range took {
		begin := time.Now()
		if err := cache.Change(b.Context(), keys, func(context.Context, artwork.Fence) error { return nil }); err != nil {
			b.Fatal(err)
		}
		took[i] = float64(time.Since(begin)) / float64(time.Microsecond)
	}
	return took
}

// crowd puts n keys into Redis that look like covers.
func crowd(b *testing.B, rdb *redis.Client, n int) {
	b.Helper()
	const script = `for i = ARGV[1], ARGV[2] do
  redis.call('SET', string.format('image:album:%08x-0000-4000-8000-000000000000:cover', i), ARGV[3], 'EX', 36000)
end`
	value, chunk := "{"+strings.Repeat(" ", 430)+"}", 50_000
	for from := 0; from < n; from += chunk {
		if err := rdb.Eval(b.Context(), script, nil, from, min(from+chunk, n)-1, value).Err(); err != nil && !errors.Is(err, redis.Nil) {
			b.Fatal(err)
		}
	}
	if held := rdb.DBSize(b.Context()).Val(); held != int64(n) {
		b.Fatalf("Redis holds %d keys instead of %d", held, n)
	}
}
