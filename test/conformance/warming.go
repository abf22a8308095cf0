package conformance

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
	"gatefold/domain/fleet"
)

// RecordTerms are those with which Repositories.Requests is to be opened.
var RecordTerms = warmcache.RecordTerms{HalfLife: shortly, MaxKeys: 20}

// warmingCases are the clauses of the ports of warmcache.
func warmingCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"requests: the most requested come first, and not more than wanted", mostRequestedFirst},
		{"requests: counts add up", requestsAddUp},
		{"requests: a key that is given twice counts twice, and no request nothing", requestsGivenTwice},
		{"requests: older ones weigh less", requestsDecay},
		{"requests: only the heaviest are remembered", requestsBounded},
		{"requests: of equals no more are remembered either", requestsBoundedTies},
		{"requests: more than a thousand keys in one call", manyRequests},
		{"requests: 8 instances add at once", racingRequests},
		{"requests: a cancelled context ends every method", requestsCancelled},
		{"last changes: the last changed place comes first, and not more than wanted", lastChangedFirst},
		{"last changes: what never changed is not among them", neverChangedLeftOut},
		{"claims: a task is claimed once", claimedOnce},
		{"claims: tasks are independent", tasksIndependent},
		{"claims: of 20 callers at once one takes it", racingClaims},
		{"claims: a claim expires by itself", claimExpires},
		{"claims: a renewed claim goes on holding", claimRenewed},
		{"claims: a claim that does not hold is not renewed", lostClaimNotRenewed},
		{"claims: a finished task rests, an unfinished one does not", finishedRests},
		{"claims: only the holder ends a claim", onlyHolderReleases},
		{"claims: who has lost a claim finishes nothing", loserFinishesNothing},
		{"claims: a cancelled context ends every method", claimsCancelled},
	}
}

// someKeys returns keys of different subjects.
func someKeys(n int) []artwork.Key {
	keys := make([]artwork.Key, n)
	for i := range keys {
		keys[i] = artwork.Album(artwork.NewID()).Keys()[0]
	}
	return keys
}

func add(t TB, r Repositories, counts ...warmcache.Count) {
	t.Helper()
	require.NoError(t, r.Requests.Add(t.Context(), counts))
}

func mostRequested(t TB, r Repositories, limit int) []artwork.Key {
	t.Helper()
	keys, err := r.Requests.MostRequested(t.Context(), limit)
	require.NoError(t, err)
	return keys
}

func mostRequestedFirst(t TB, open func(TB) Repositories) {
	r := open(t)
	require.Empty(t, mostRequested(t, r, 10))
	add(t, r)
	artist := artwork.Artist(artwork.NewID()).Keys()
	want := []artwork.Key{artist[2], someKeys(1)[0], artist[0], artwork.User(artwork.NewID()).Keys()[0]}
	add(t, r, warmcache.Count{Key: want[2], N: 30}, warmcache.Count{Key: want[0], N: 1_000_000}, warmcache.Count{Key: want[3], N: 1}, warmcache.Count{Key: want[1], N: 31})
	for limit := range 6 {
		require.Equal(t, want[:min(limit, 4)], append([]artwork.Key{}, mostRequested(t, r, limit)...))
	}
}

func requestsAddUp(t TB, open func(TB) Repositories) {
	for _, swapped := range []bool{false, true} { // equals are in some order
		r := open(t)
		keys := someKeys(3)
		often, last, once := keys[0], keys[1], keys[2]
		if (often.String() < last.String()) != swapped {
			often, last = last, often
		}
		add(t, r, warmcache.Count{Key: often, N: 1}, warmcache.Count{Key: once, N: 1})
		add(t, r, warmcache.Count{Key: often, N: 1}, warmcache.Count{Key: last, N: 1})
		require.Equal(t, []artwork.Key{often, last, once}, mostRequested(t, r, 10))
	}
}

func requestsGivenTwice(t TB, open func(TB) Repositories) {
	r := open(t)
	keys := someKeys(4)
	add(t, r, warmcache.Count{Key: keys[0], N: 2}, warmcache.Count{Key: keys[1], N: 3}, warmcache.Count{Key: keys[0], N: 2},
		warmcache.Count{Key: keys[2], N: 0}, warmcache.Count{Key: keys[3], N: -5}, warmcache.Count{Key: keys[1], N: -2})
	require.Equal(t, keys[:2], mostRequested(t, r, 10))
}

func requestsDecay(t TB, open func(TB) Repositories) {
	r := open(t)
	keys := someKeys(2)
	add(t, r, warmcache.Count{Key: keys[0], N: 3})
	time.Sleep(3 * RecordTerms.HalfLife)
	add(t, r, warmcache.Count{Key: keys[1], N: 1})
	require.Equal(t, []artwork.Key{keys[1], keys[0]}, mostRequested(t, r, 10))
}

func requestsBounded(t TB, open func(TB) Repositories) {
	r := open(t)
	keys := someKeys(50)
	counts := make([]warmcache.Count, len(keys))
	for i, key := range keys {
		counts[i] = warmcache.Count{Key: key, N: 1000 - i}
	}
	add(t, r, counts...)
	require.Equal(t, keys[:RecordTerms.MaxKeys], mostRequested(t, r, 100))
	add(t, r, warmcache.Count{Key: keys[49], N: 5000})
	require.Equal(t, append([]artwork.Key{keys[49]}, keys[:RecordTerms.MaxKeys-1]...), mostRequested(t, r, 100))
}

func requestsBoundedTies(t TB, open func(TB) Repositories) {
	r := open(t)
	for range 2 {
		counts := make([]warmcache.Count, 50)
		for i, key := range someKeys(len(counts)) {
			counts[i] = warmcache.Count{Key: key, N: 1}
		}
		add(t, r, counts...)
		require.Len(t, mostRequested(t, r, 1000), RecordTerms.MaxKeys)
	}
}

func manyRequests(t TB, open func(TB) Repositories) {
	r := open(t)
	keys := someKeys(1200)
	counts := make([]warmcache.Count, len(keys))
	for i, key := range keys {
		counts[i] = warmcache.Count{Key: key, N: 1}
		if i%200 == 7 {
			counts[i].N = 1_000_000_000 * (i + 1)
		}
	}
	add(t, r, counts...)
	require.Equal(t, []artwork.Key{keys[1007], keys[807], keys[607], keys[407], keys[207], keys[7]}, mostRequested(t, r, 6))
}

func racingRequests(t TB, open func(TB) Repositories) {
	r := open(t)
	keys := someKeys(RecordTerms.MaxKeys)
	var adding sync.WaitGroup
	errs := make(chan error, 8*10)
	for n := range 8 {
		adding.Go(func() {
			for range 10 {
				var counts []warmcache.Count
				for i := range keys {
					at := (i*7 + n*3) % len(keys) // in another order than the others
					counts = append(counts, warmcache.Count{Key: keys[at], N: 2 * (len(keys) - at)})
				}
				errs <- r.Requests.Add(t.Context(), counts)
			}
		})
	}
	adding.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, keys, mostRequested(t, r, 100))
}

func requestsCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Requests.Add(ctx, []warmcache.Count{{Key: someKeys(1)[0], N: 1}}), context.Canceled)
	for limit := range 2 {
		_, err := r.Requests.MostRequested(ctx, limit)
		require.ErrorIs(t, err, context.Canceled)
		_, err = r.Changes.LastChanged(ctx, limit)
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Empty(t, mostRequested(t, r, 10))
}

func lastChanged(t TB, r Repositories, limit int) []artwork.Place {
	t.Helper()
	places, err := r.Changes.LastChanged(t.Context(), limit)
	require.NoError(t, err)
	return places
}

func lastChangedFirst(t TB, open func(TB) Repositories) {
	r := open(t)
	require.Empty(t, lastChanged(t, r, 10))
	first, second, third := newPlace(t, r), newCover(t, r), newPlace(t, r)
	applyOne(t, r, chosen(newRecord(first, artwork.Custom, 1)))
	applyOne(t, r, chosen(newRecord(second, artwork.Custom, 1)))
	applyOne(t, r, chosen(newRecord(third, artwork.Custom, 1)))
	require.Equal(t, []artwork.Place{third, second, first}, lastChanged(t, r, 10))
	applyOne(t, r, chosen(newRecord(first, artwork.Custom, 2)))
	want := []artwork.Place{first, third, second}
	for limit := range 5 {
		require.Equal(t, want[:min(limit, 3)], append([]artwork.Place{}, lastChanged(t, r, limit)...))
	}
}

func neverChangedLeftOut(t TB, open func(TB) Repositories) {
	r := open(t)
	place, other, empty := newPlace(t, r), newPlace(t, r), newCover(t, r)
	require.NoError(t, r.Archive.Add(t.Context(), newRecord(empty, artwork.Custom, 1)))
	applyOne(t, r, chosen(newRecord(place, artwork.Custom, 1)))
	applyOne(t, r, chosen(newRecord(other, artwork.Custom, 1)))
	applyOne(t, r, found(newRecord(place, artwork.Local, 2), 1, "/music/1.jpg")) // declined
	require.Equal(t, []artwork.Place{other, place}, lastChanged(t, r, 10))
}

// tryClaim claims the task for an hour and returns who has it.
func tryClaim(t TB, r Repositories, task, holder string, rest time.Duration) (bool, string) {
	t.Helper()
	taken, other, err := r.Claims.Claim(t.Context(), fleet.Claim{Task: task, Holder: holder, Term: time.Hour}, rest)
	require.NoError(t, err)
	return taken, other
}

func requireTaken(t TB, r Repositories, task, holder string, rest time.Duration) fleet.Claim {
	t.Helper()
	taken, _ := tryClaim(t, r, task, holder, rest)
	require.True(t, taken, "%s cannot be claimed", task)
	return fleet.Claim{Task: task, Holder: holder, Term: time.Hour}
}

func requireRefused(t TB, r Repositories, task, holder string, rest time.Duration, by string) {
	t.Helper()
	taken, other := tryClaim(t, r, task, holder, rest)
	require.False(t, taken, "%s is claimed twice", task)
	require.Equal(t, by, other)
}

// claimShortly takes the task for a claim that expires soon.
func claimShortly(t TB, r Repositories, task, holder string) fleet.Claim {
	t.Helper()
	claim := fleet.Claim{Task: task, Holder: holder, Term: shortly}
	taken, _, err := r.Claims.Claim(t.Context(), claim, 0)
	require.NoError(t, err)
	require.True(t, taken)
	return claim
}

// expired waits until the claim, which was just taken or renewed, has expired.
func expired(claim fleet.Claim) { time.Sleep(claim.Term + claim.Term/4) }

func claimedOnce(t TB, open func(TB) Repositories) {
	r := open(t)
	requireTaken(t, r, "warm", "a", 0)
	requireRefused(t, r, "warm", "b", 0, "a")
	requireRefused(t, r, "warm", "c", time.Hour, "a")
}

func tasksIndependent(t TB, open func(TB) Repositories) {
	r := open(t)
	require.NoError(t, r.Claims.Release(t.Context(), requireTaken(t, r, "warm", "a", 0), true))
	requireTaken(t, r, "cool", "b", time.Hour)
	requireTaken(t, r, "warm", "b", 0)
}

func racingClaims(t TB, open func(TB) Repositories) {
	r := open(t)
	var claiming sync.WaitGroup
	var taken atomic.Int32
	for range 20 {
		holder := artwork.NewID().String()
		claiming.Go(func() {
			got, _, err := r.Claims.Claim(t.Context(), fleet.Claim{Task: "warm", Holder: holder, Term: time.Hour}, 0)
			if err != nil {
				taken.Add(100)
			}
			if got {
				taken.Add(1)
			}
		})
	}
	claiming.Wait()
	require.EqualValues(t, 1, taken.Load())
}

func claimExpires(t TB, open func(TB) Repositories) {
	r := open(t)
	expired(claimShortly(t, r, "warm", "a"))
	requireTaken(t, r, "warm", "b", time.Hour) // it was never finished
	requireRefused(t, r, "warm", "a", 0, "b")
}

func claimRenewed(t TB, open func(TB) Repositories) {
	r := open(t)
	claim := requireTaken(t, r, "warm", "a", 0)
	claim.Term = 2 * shortly
	require.NoError(t, r.Claims.Renew(t.Context(), claim))
	longer := claim
	longer.Term = time.Hour
	require.NoError(t, r.Claims.Renew(t.Context(), longer))
	expired(claim)
	requireRefused(t, r, "warm", "b", 0, "a")
	longer.Term = time.Millisecond
	require.NoError(t, r.Claims.Renew(t.Context(), longer))
	time.Sleep(5 * longer.Term)
	requireTaken(t, r, "warm", "b", 0)
}

func lostClaimNotRenewed(t TB, open func(TB) Repositories) {
	r := open(t)
	unknown := fleet.Claim{Task: "warm", Holder: "a", Term: time.Hour}
	requireKind(t, artwork.Conflict, r.Claims.Renew(t.Context(), unknown))
	claim := claimShortly(t, r, "warm", "a")
	expired(claim)
	requireKind(t, artwork.Conflict, r.Claims.Renew(t.Context(), claim))
	next := requireTaken(t, r, "warm", "b", 0)
	requireKind(t, artwork.Conflict, r.Claims.Renew(t.Context(), claim))
	require.NoError(t, r.Claims.Release(t.Context(), next, true))
	requireKind(t, artwork.Conflict, r.Claims.Renew(t.Context(), next))
	requireTaken(t, r, "warm", "c", 0)
}

func finishedRests(t TB, open func(TB) Repositories) {
	r := open(t)
	require.NoError(t, r.Claims.Release(t.Context(), requireTaken(t, r, "warm", "a", time.Hour), false))
	claim := requireTaken(t, r, "warm", "b", time.Hour)
	require.NoError(t, r.Claims.Release(t.Context(), claim, true))
	requireRefused(t, r, "warm", "c", time.Hour, "")
	require.NoError(t, r.Claims.Release(t.Context(), requireTaken(t, r, "warm", "d", 0), false))
	requireRefused(t, r, "warm", "e", time.Hour, "") // it is as finished as it was
	require.Eventually(t, func() bool {
		taken, _ := tryClaim(t, r, "warm", "f", shortly)
		return taken
	}, patience, 10*time.Millisecond, "a task rests forever")
}

func onlyHolderReleases(t TB, open func(TB) Repositories) {
	r := open(t)
	claim := requireTaken(t, r, "warm", "a", 0)
	other := claim
	other.Holder = "b"
	require.NoError(t, r.Claims.Release(t.Context(), other, true))
	requireRefused(t, r, "warm", "b", 0, "a")
	require.NoError(t, r.Claims.Release(t.Context(), fleet.Claim{Task: "cool", Holder: "a"}, true))
	requireTaken(t, r, "cool", "b", time.Hour)
}

func loserFinishesNothing(t TB, open func(TB) Repositories) {
	r := open(t)
	claim := claimShortly(t, r, "warm", "a")
	expired(claim)
	require.NoError(t, r.Claims.Release(t.Context(), claim, true))
	requireTaken(t, r, "warm", "b", time.Hour)
}

func claimsCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	held := requireTaken(t, r, "cool", "a", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := r.Claims.Claim(ctx, fleet.Claim{Task: "warm", Holder: "a", Term: time.Hour}, 0)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.Claims.Renew(ctx, held), context.Canceled)
	require.ErrorIs(t, r.Claims.Release(ctx, held, true), context.Canceled)
	requireTaken(t, r, "warm", "b", time.Hour)
	requireRefused(t, r, "cool", "b", 0, "a")
}
