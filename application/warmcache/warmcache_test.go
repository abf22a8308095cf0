package warmcache_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/keepactivity"
	"gatefold/application/warmcache"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/domain/fleet"
)

// cache is what warming fetches from. It remembers when it was asked for what.
type cache struct {
	mu    sync.Mutex
	asked []artwork.Key
	at    []time.Time
	most  int // fetches at the same time
	now   int
	// answer is called with the number of the fetch, counted from 0.
	answer func(ctx context.Context, n int) (artwork.Answer, error)
}

func (c *cache) Fetch(ctx context.Context, key artwork.Key) (artwork.Answer, error) {
	c.mu.Lock()
	n := len(c.asked)
	c.asked, c.at = append(c.asked, key), append(c.at, time.Now())
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	answer, err := c.answer(ctx, n)
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
	return answer, err
}

func always(level artwork.Level) func(context.Context, int) (artwork.Answer, error) {
	return func(context.Context, int) (artwork.Answer, error) {
		return artwork.Answer{Image: &artwork.Image{}, Level: level}, nil
	}
}

// ships is what instances share.
type ships struct {
	repo  *memory.Repository
	cache *cache
	mode  mode
	log   *bytes.Buffer
	slog  *slog.Logger
}

// mode is that of the fleet's cache.
type mode artwork.CacheMode

func (m mode) Mode() artwork.CacheMode { return artwork.CacheMode(m) }

func newFleet() *ships {
	log := &bytes.Buffer{}
	return &ships{memory.NewRepository(), &cache{answer: always(artwork.Filled)}, mode(artwork.CacheRedis), log, slog.New(slog.NewTextHandler(log, nil))}
}

var (
	terms  = warmcache.RecordTerms{HalfLife: warmcache.HalfLife, MaxKeys: warmcache.MaxKeys}
	config = warmcache.Config{Keys: 1000, Rate: 10, Instance: "one"}
)

func (f *ships) instance(cfg warmcache.Config) *warmcache.Warm { return f.with(cfg, f.repo.Claims()) }

func (f *ships) with(cfg warmcache.Config, claims fleet.Claims) *warmcache.Warm {
	return warmcache.New(cfg, f.mode, f.cache, f.repo.Requests(terms), f.repo.ChangeLog(), claims, keepactivity.NewRecorder(f.repo.Activity(), f.slog), f.slog)
}

// requested has keys requested, the first of them most often.
func (f *ships) requested(t *testing.T, n int) []artwork.Key {
	t.Helper()
	keys, counts := make([]artwork.Key, n), make([]warmcache.Count, n)
	for i := range keys {
		keys[i] = artwork.Album(artwork.NewID()).Keys()[0]
		counts[i] = warmcache.Count{Key: keys[i], N: 2*n - i}
	}
	require.NoError(t, f.repo.Requests(terms).Add(t.Context(), counts))
	return keys
}

// changed has the covers of new albums changed, and returns their keys, that of
// the last change first.
func (f *ships) changed(t *testing.T, n int) []artwork.Key {
	t.Helper()
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ana"}
	_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	keys := make([]artwork.Key, n)
	for i := range n {
		album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: fmt.Sprint(i)}
		_, err := f.repo.Albums().Put(t.Context(), artwork.Actor{Name: "test"}, album)
		require.NoError(t, err)
		f.apply(t, artwork.Place{Subject: artwork.Album(album.ID), Slot: artwork.SlotCover})
		keys[n-1-i] = artwork.Album(album.ID).Keys()[0]
		time.Sleep(time.Millisecond)
	}
	return keys
}

func (f *ships) apply(t *testing.T, place artwork.Place) {
	t.Helper()
	hash := artwork.HashOf([]byte(place.String()))
	_, err := f.repo.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{By: artwork.Actor{Name: "test"}, Record: artwork.Record{
		ID: artwork.RecordID(place, hash, artwork.Custom, "test"), Place: place, Source: artwork.Custom, Provider: "test",
		Content: artwork.Content{Hash: hash, Size: 1, MIMEType: "image/png"},
	}}})
	require.NoError(t, err)
}

// ana asks for what tests warm.
var ana = artwork.Actor{Name: "ana"}

// watched is an observer that remembers.
type watched [][2]int

func (w *watched) Progress(done, total int) { *w = append(*w, [2]int{done, total}) }

func TestTheMostRequestedAndTheLastChangedAreFetchedInTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		r, c := f.requested(t, 5), f.changed(t, 3)
		// What was changed last is requested too, and is fetched once.
		require.NoError(t, f.repo.Requests(terms).Add(t.Context(), []warmcache.Count{{Key: c[0], N: 1_000_000}}))
		var progress watched
		summary, err := f.instance(config).Run(t.Context(), ana, &progress)
		require.NoError(t, err)
		require.Equal(t, []artwork.Key{c[0], c[1], r[0], c[2], r[1], r[2], r[3], r[4]}, f.cache.asked)
		require.Equal(t, warmcache.Summary{Keys: 8, Filled: 8, Took: 800 * time.Millisecond}, summary)
		require.Equal(t, watched{{1, 8}, {2, 8}, {3, 8}, {4, 8}, {5, 8}, {6, 8}, {7, 8}, {8, 8}}, progress)

		page, err := f.repo.Activity().List(t.Context(), activity.Query{Action: string(activity.CacheWarm), Limit: 10})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Equal(t, ana, page.Items[0].Actor)
		require.JSONEq(t, `{"keys":8,"filled":8,"empty":0,"present":0,"bypassed":0,"failed":0,"complete":true}`, string(page.Items[0].After))
	})
}

func TestNeitherListCrowdsOutTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		requested, changed := f.requested(t, 300), f.changed(t, 300)
		cfg := config
		cfg.Keys = 100
		summary, err := f.instance(cfg).Run(t.Context(), ana, &watched{})
		require.NoError(t, err)
		require.Equal(t, 100, summary.Keys)
		require.ElementsMatch(t, append(requested[:50:50], changed[:50]...), f.cache.asked)
	})
}

// TestEveryTypeOfAChangedSlotIsFetched: which of them is shown is for clients to
// choose.
func TestEveryTypeOfAChangedSlotIsFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		artist := catalog.Artist{ID: artwork.NewID(), Name: "Ana"}
		_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
		require.NoError(t, err)
		place := artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}
		f.apply(t, place)
		_, err = f.instance(config).Run(t.Context(), ana, &watched{})
		require.NoError(t, err)
		require.Equal(t, place.Keys(), f.cache.asked)
	})
}

func TestTheRateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 1000)
		cfg := config
		cfg.Rate = 200
		// For a while the cache is too slow for the rate.
		f.cache.answer = func(ctx context.Context, n int) (artwork.Answer, error) {
			if n >= 300 && n < 350 {
				time.Sleep(time.Second)
			}
			return always(artwork.Filled)(ctx, n)
		}
		summary, err := f.instance(cfg).Run(t.Context(), ana, &watched{})
		require.NoError(t, err)
		require.Equal(t, 1000, summary.Filled)
		require.LessOrEqual(t, f.cache.most, 4, "too many loads at once")
		for i := range f.cache.at {
			inASecond := 0
			for _, at := range f.cache.at[i:] {
				if at.Sub(f.cache.at[i]) < time.Second {
					inASecond++
				}
			}
			require.LessOrEqual(t, inASecond, 201, "what was missed is caught up with")
		}
		require.Equal(t, 1495*time.Millisecond, f.cache.at[299].Sub(f.cache.at[0]), "slower than it may be")
	})
}

func TestTheSummaryTellsWhatBecameOfTheKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 7)
		f.cache.answer = func(_ context.Context, n int) (artwork.Answer, error) {
			switch n {
			case 0:
				return artwork.Answer{Level: artwork.Filled}, nil
			case 1:
				return artwork.Answer{Level: artwork.Shared}, nil
			case 2:
				return artwork.Answer{}, artwork.Errorf(artwork.NotFound, "there is no such album")
			case 3:
				return artwork.Answer{}, artwork.Errorf(artwork.Unavailable, "the database cannot be reached")
			}
			return always([]artwork.Level{artwork.Filled, artwork.Process, artwork.Loaded}[n-4])(t.Context(), n)
		}
		summary, err := f.instance(config).Run(t.Context(), ana, &watched{})
		require.NoError(t, err)
		require.Equal(t, warmcache.Summary{Keys: 7, Filled: 1, Empty: 1, Present: 2, Bypassed: 1, Failed: 2, Took: 700 * time.Millisecond}, summary)
	})
}

func TestTheLogTellsOfTheProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 450)
		_, err := f.instance(config).Run(t.Context(), ana, &watched{})
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(f.log.String()), "\n")
		require.Len(t, lines, 6, f.log)
		require.Contains(t, lines[0], `msg="Warming image cache" keys=450 rate=10`)
		for i, line := range lines[1:5] {
			require.Contains(t, line, fmt.Sprintf(`msg="Warming image cache" done=%d keys=450`, 100*(i+1)))
		}
		require.Contains(t, lines[5], `msg="Warmed image cache" done=450 keys=450 filled=450 empty=0 present=0 bypassed=0 failed=0 took=45s`)
	})
}

func TestItStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 100)
		f.cache.answer = func(ctx context.Context, n int) (artwork.Answer, error) {
			if n == 20 { // held up
				<-ctx.Done()
				return artwork.Answer{}, ctx.Err()
			}
			return always(artwork.Filled)(ctx, n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5050*time.Millisecond)
		defer cancel()
		begin := time.Now()
		summary, err := f.instance(config).Run(ctx, ana, &watched{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 5050*time.Millisecond, time.Since(begin))
		require.Equal(t, 49, summary.Filled)
		require.Contains(t, f.log.String(), "ended early")

		// It is as if nobody had warmed: another instance may begin at once.
		f.cache.answer = always(artwork.Filled)
		f.cache.asked = nil
		begin = time.Now()
		f.instance(config).AtStart(t.Context())
		require.Len(t, f.cache.asked, 100)
		require.Equal(t, 10*time.Second, time.Since(begin))
	})
}

// TestAStopDoesNotWait for what a person has asked for either.
func TestAStopDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 100)
		warm := f.instance(config)
		time.AfterFunc(time.Second, warm.Close)
		begin := time.Now()
		_, err := warm.Run(t.Context(), ana, &watched{})
		require.ErrorContains(t, err, "this instance is stopping")
		require.Equal(t, time.Second, time.Since(begin))
		_, err = warm.Run(t.Context(), ana, &watched{})
		require.ErrorContains(t, err, "this instance is stopping")
	})
}

func TestItGivesUpWithoutACache(t *testing.T) {
	for name, failing := range map[string]func(context.Context, int) (artwork.Answer, error){
		"nothing is cached": always(artwork.Loaded),
		"the database is gone": func(context.Context, int) (artwork.Answer, error) {
			return artwork.Answer{}, artwork.Errorf(artwork.Unavailable, "the database cannot be reached")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet()
				f.requested(t, 500)
				f.cache.answer = func(ctx context.Context, n int) (artwork.Answer, error) {
					if n%50 == 49 && n < 300 { // one in a while is no reason
						return always(artwork.Shared)(ctx, n)
					}
					return failing(ctx, n)
				}
				summary, err := f.instance(config).Run(t.Context(), ana, &watched{})
				require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
				require.ErrorContains(t, err, "nothing was cached")
				require.Equal(t, 6, summary.Present)
				require.Len(t, f.cache.asked, 350)
			})
		})
	}
}

func TestSubjectsThatAreGoneDoNotEndIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 100)
		f.cache.answer = func(context.Context, int) (artwork.Answer, error) {
			return artwork.Answer{}, artwork.Errorf(artwork.NotFound, "there is no such album")
		}
		summary, err := f.instance(config).Run(t.Context(), ana, &watched{})
		require.NoError(t, err)
		require.Equal(t, 100, summary.Failed)
	})
}

// TestOneInstanceWarms: of several that start at once, and of those that start a
// little later. A person may ask for it again.
func TestOneInstanceWarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 100)
		var starting sync.WaitGroup
		for range 5 {
			starting.Go(func() { f.instance(config).AtStart(t.Context()) })
		}
		time.Sleep(time.Second)
		_, err := f.instance(config).Run(t.Context(), ana, &watched{})
		require.Equal(t, artwork.Conflict, artwork.KindOf(err))
		require.ErrorContains(t, err, "the image cache is being warmed by one")
		starting.Wait()
		require.Len(t, f.cache.asked, 100)
		require.Equal(t, 4, strings.Count(f.log.String(), `msg="Another instance warms the image cache" instance=one`))
		require.Equal(t, 4, strings.Count(f.log.String(), "The image cache was warmed a short while ago"))

		f.instance(config).AtStart(t.Context())
		require.Len(t, f.cache.asked, 100)
		_, err = f.instance(config).Run(t.Context(), ana, &watched{})
		require.NoError(t, err)
		require.Len(t, f.cache.asked, 200)
		time.Sleep(4 * time.Minute)
		f.instance(config).AtStart(t.Context())
		require.Len(t, f.cache.asked, 300)
	})
}

// TestAProcessWarmsItsOwnMemory, also if the one before it just has: what that
// held is gone.
func TestAProcessWarmsItsOwnMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.mode = mode(artwork.CacheMemory)
		f.requested(t, 10)
		for n := range 3 {
			f.instance(config).AtStart(t.Context())
			require.Len(t, f.cache.asked, 10*(n+1))
		}
	})
}

// TestALongRunKeepsItsClaim, and one that died does not.
func TestALongRunKeepsItsClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 1000)
		cfg := config
		cfg.Rate = 1
		ended := make(chan error, 1)
		go func() {
			_, err := f.instance(cfg).Run(t.Context(), ana, &watched{})
			ended <- err
		}()
		for range 99 {
			time.Sleep(10 * time.Second)
			_, err := f.instance(config).Run(t.Context(), ana, &watched{})
			require.Equal(t, artwork.Conflict, artwork.KindOf(err))
		}
		require.NoError(t, <-ended)

		taken, _, err := f.repo.Claims().Claim(t.Context(), fleet.Claim{Task: "warm image cache", Holder: "dead/1", Term: 30 * time.Second}, 0)
		require.NoError(t, err)
		require.True(t, taken)
		_, err = f.instance(config).Run(t.Context(), ana, &watched{})
		require.ErrorContains(t, err, "dead")
		time.Sleep(31 * time.Second)
		_, err = f.instance(config).Run(t.Context(), ana, &watched{})
		require.NoError(t, err)
	})
}

// TestAStartReplacesOneThatDied, as when the only instance is killed while it
// warms, and started again at once.
func TestAStartReplacesOneThatDied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 10)
		_, _, err := f.repo.Claims().Claim(t.Context(), fleet.Claim{Task: "warm image cache", Holder: "dead/1", Term: 30 * time.Second}, 0)
		require.NoError(t, err)
		f.instance(config).AtStart(t.Context())
		require.Len(t, f.cache.asked, 10)
	})
}

// named are claims that remember their holders.
type named struct {
	fleet.Claims
	holders map[string]bool
}

func (n named) Claim(ctx context.Context, claim fleet.Claim, rest time.Duration) (bool, string, error) {
	n.holders[claim.Holder] = true
	return n.Claims.Claim(ctx, claim, rest)
}

// TestNoTwoClaimsHaveTheSameHolder: else one that lost its claim could renew that
// of the next.
func TestNoTwoClaimsHaveTheSameHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		claims := named{f.repo.Claims(), map[string]bool{}}
		for range 3 {
			_, err := f.with(config, claims).Run(t.Context(), ana, &watched{})
			require.NoError(t, err)
		}
		require.Len(t, claims.holders, 3)
	})
}

// unsteady are claims that cannot always be renewed.
type unsteady struct {
	fleet.Claims
	renew func(n int) error
	n     int
}

func (u *unsteady) Renew(context.Context, fleet.Claim) error {
	u.n++
	return u.renew(u.n)
}

func TestWhoLosesTheClaimStops(t *testing.T) {
	gone := artwork.Errorf(artwork.Unavailable, "the database cannot be reached")
	for name, c := range map[string]struct {
		renew func(n int) error
		after time.Duration // 0: never
	}{
		"somebody else has it":              {func(int) error { return artwork.Errorf(artwork.Conflict, "it does not hold any more") }, 10 * time.Second},
		"the database is gone":              {func(int) error { return gone }, 30 * time.Second},
		"the database is gone for a moment": {func(n int) error { return []error{nil, gone, gone}[n%3] }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet()
				f.requested(t, 1000)
				begin := time.Now()
				_, err := f.with(config, &unsteady{Claims: f.repo.Claims(), renew: c.renew}).Run(t.Context(), ana, &watched{})
				if c.after == 0 {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, "another instance may have begun")
				require.LessOrEqual(t, time.Since(begin), c.after)
			})
		})
	}
}

func TestTurnedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 10)
		none := config
		none.Keys = 0
		warm := f.instance(none)
		_, err := warm.Run(t.Context(), ana, &watched{})
		require.Equal(t, artwork.Conflict, artwork.KindOf(err))
		require.ErrorContains(t, err, "WARM_KEYS=0")
		warm.AtStart(t.Context())

		f.mode = mode(artwork.CacheOff)
		warm = f.instance(config)
		_, err = warm.Run(t.Context(), ana, &watched{})
		require.Equal(t, artwork.Conflict, artwork.KindOf(err))
		require.ErrorContains(t, err, "the cache mode of the deployment is off")
		warm.AtStart(t.Context())
		require.Empty(t, f.cache.asked)
		require.Empty(t, f.log.String())
	})
}

// TestAnEmptyRecordIsNoWarming: an instance that starts a little later may know
// more.
func TestAnEmptyRecordIsNoWarming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.instance(config).AtStart(t.Context())
		f.requested(t, 10)
		f.instance(config).AtStart(t.Context())
		require.Len(t, f.cache.asked, 10)
	})
}

// TestAStartWaitsForTheCache: a Redis that starts with the fleet may be ready
// after it.
func TestAStartWaitsForTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.requested(t, 100)
		begin := time.Now()
		f.cache.answer = func(ctx context.Context, n int) (artwork.Answer, error) {
			if time.Since(begin) < time.Minute {
				return always(artwork.Loaded)(ctx, n)
			}
			return always(artwork.Filled)(ctx, n)
		}
		f.instance(config).AtStart(t.Context())
		require.Contains(t, f.log.String(), "filled=100")

		f.cache.answer = always(artwork.Loaded)
		time.Sleep(time.Hour)
		begin = time.Now()
		f.instance(config).AtStart(t.Context())
		require.Less(t, time.Since(begin), 10*time.Minute, "not forever")
	})
}
