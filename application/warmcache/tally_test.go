package warmcache_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
)

func newKey() artwork.Key { return artwork.Album(artwork.NewID()).Keys()[0] }

func countsOf(tally *warmcache.Tally) map[artwork.Key]int {
	counts := map[artwork.Key]int{}
	for _, count := range tally.Take() {
		counts[count.Key] = count.N
	}
	return counts
}

func TestATallyCounts(t *testing.T) {
	tally := warmcache.NewTally()
	require.Empty(t, tally.Take())
	artist := artwork.Artist(artwork.NewID()).Keys()
	want := map[artwork.Key]int{newKey(): 3, artist[0]: 1, artist[1]: 2}
	for key, n := range want {
		for range n {
			tally.Note(key)
		}
	}
	require.Equal(t, want, countsOf(tally))
	require.Empty(t, tally.Take(), "what was taken is counted again")
	tally.Note(artist[0])
	require.Equal(t, map[artwork.Key]int{artist[0]: 1}, countsOf(tally))
}

// TestATallyKeepsWhatIsRequestedOften although a hundred times more keys are
// requested than it has room for.
func TestATallyKeepsWhatIsRequestedOften(t *testing.T) {
	tally := warmcache.NewTally()
	var often []artwork.Key
	for range 200 {
		often = append(often, newKey())
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 400_000 {
		tally.Note(newKey())
		tally.Note(often[random.IntN(len(often))])
	}
	counts := countsOf(tally)
	require.LessOrEqual(t, len(counts), 16*256)
	for _, key := range often {
		// Each was requested some 2000 times of 800 000.
		require.Greater(t, counts[key], 1000)
		require.Less(t, counts[key], 3000, "a count is never too great")
	}
}

// TestWhatWasRequestedAFewTimesMakesWay: else the first that came would keep
// their places, and nobody who comes later could take root.
func TestWhatWasRequestedAFewTimesMakesWay(t *testing.T) {
	tally, key := warmcache.NewTally(), newKey()
	for range 3 {
		tally.Note(key)
	}
	for range 100_000 {
		tally.Note(newKey())
	}
	require.Zero(t, countsOf(tally)[key])
}

// TestNothingIsAllocatedToCount: the tally is told of every request.
func TestNothingIsAllocatedToCount(t *testing.T) {
	tally := warmcache.NewTally()
	key := newKey()
	require.Zero(t, testing.AllocsPerRun(1000, func() { tally.Note(key) }))
	keys := make([]artwork.Key, 20_000)
	for i := range keys {
		keys[i] = newKey()
	}
	n := 0
	require.Zero(t, testing.AllocsPerRun(len(keys)-1, func() { tally.Note(keys[n]); n++ }), "of keys that are new")
}

func TestATallyIsToldByMany(t *testing.T) {
	tally := warmcache.NewTally()
	keys := []artwork.Key{newKey(), newKey(), newKey()}
	var noting sync.WaitGroup
	for range 8 {
		noting.Go(func() {
			for i := range 10_000 {
				tally.Note(keys[i%len(keys)])
			}
		})
	}
	total := 0
	for range 100 {
		for _, count := range tally.Take() {
			total += count.N
		}
	}
	noting.Wait()
	for _, count := range tally.Take() {
		total += count.N
	}
	require.LessOrEqual(t, total, 80_000)
	require.Positive(t, total)
}

func BenchmarkTally(b *testing.B) {
	for name, distinct := range map[string]int{"one key": 1, "1000 keys": 1000, "100000 keys": 100_000} {
		b.Run(name, func(b *testing.B) {
			tally := warmcache.NewTally()
			keys := make([]artwork.Key, distinct)
			for i := range keys {
				keys[i] = newKey()
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := rand.IntN(distinct); pb.Next(); i++ {
					tally.Note(keys[i%distinct])
				}
			})
		})
	}
}

// failing is a record that cannot be written to.
type failing struct{ warmcache.Requests }

func (failing) Add(ctx context.Context, _ []warmcache.Count) error {
	<-ctx.Done()
	return artwork.Errorf(artwork.Unavailable, "the database cannot be reached")
}

// TestWhatIsCountedIsRecorded now and then, and when the instance stops.
func TestWhatIsCountedIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally, requests := warmcache.NewTally(), memory.NewRepository().Requests(terms)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			warmcache.NewRecorder(tally, requests, slog.New(slog.DiscardHandler)).Run(ctx)
		}()
		recorded := func() int {
			keys, err := requests.MostRequested(t.Context(), 100)
			require.NoError(t, err)
			return len(keys)
		}
		for n := range 5 {
			tally.Note(newKey())
			require.Equal(t, n, recorded())
			time.Sleep(61 * time.Second)
			require.Equal(t, n+1, recorded())
		}
		tally.Note(newKey())
		stop()
		<-ended
		require.Equal(t, 6, recorded())
	})
}

func TestARecordThatFailsDelaysAStopLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally := warmcache.NewTally()
		tally.Note(newKey())
		ctx, stop := context.WithCancel(t.Context())
		stop()
		begin := time.Now()
		warmcache.NewRecorder(tally, failing{}, slog.New(slog.DiscardHandler)).Run(ctx)
		require.LessOrEqual(t, time.Since(begin), 2*time.Second)
		require.Empty(t, tally.Take(), "what cannot be recorded is lost, so that it does not pile up")
	})
}
