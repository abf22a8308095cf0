package bunrepo_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
	"gatefold/domain/fleet"
	"gatefold/test/conformance"
)

// TestRequestedKeysOfAnotherReleaseAreLeftOut: what this release does not know
// does not keep it from warming what it does know.
func TestRequestedKeysOfAnotherReleaseAreLeftOut(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		requests := bunrepo.NewRequests(db, conformance.RecordTerms)
		key := artwork.Album(artwork.NewID()).Keys()[0]
		require.NoError(t, requests.Add(t.Context(), []warmcache.Count{{Key: key, N: 1}}))
		for _, name := range []string{"image:album:" + key.Subject.ID.String() + ":spine", "", "x"} {
			_, err := db.Write().ExecContext(t.Context(), "INSERT INTO requested_keys (key, heat) VALUES (?, 1e300)", name)
			require.NoError(t, err)
		}
		keys, err := requests.MostRequested(t.Context(), 10)
		require.NoError(t, err)
		require.Equal(t, []artwork.Key{key}, keys)
	})
}

// TestASlotThatOnlyHasARowHasNotChanged: rows are made before it is decided
// whether anything changes.
func TestASlotThatOnlyHasARowHasNotChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		epoch := any(time.Unix(0, 0))
		if db.Kind() == "sqlite" {
			epoch = 0
		}
		_, err := db.Write().ExecContext(t.Context(), "INSERT INTO slots (subject_kind, subject_id, slot, changed_at) VALUES ('album', ?, 'cover', ?)",
			artwork.NewID().String(), epoch)
		require.NoError(t, err)
		places, err := bunrepo.NewChangeLog(db).LastChanged(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, places)
	})
}

// TestWeightsMayBeTooFarApartForAnExponential: Postgres fails where others
// answer zero.
func TestWeightsMayBeTooFarApartForAnExponential(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		requests := bunrepo.NewRequests(open(t), warmcache.RecordTerms{HalfLife: time.Microsecond, MaxKeys: 20})
		keys := []artwork.Key{artwork.Album(artwork.NewID()).Keys()[0], artwork.Album(artwork.NewID()).Keys()[0]}
		for _, key := range []artwork.Key{keys[0], keys[1], keys[0]} {
			require.NoError(t, requests.Add(t.Context(), []warmcache.Count{{Key: key, N: 1 << 40}}))
			time.Sleep(2 * time.Millisecond)
		}
		hottest, err := requests.MostRequested(t.Context(), 10)
		require.NoError(t, err)
		require.Equal(t, keys, hottest)
	})
}

// TestAClaimIsTimeByTheServersClock: instances may disagree about what time it
// is.
func TestAClaimIsTimeByTheServersClock(t *testing.T) {
	db, _ := openPostgres(t)
	claims, claim := bunrepo.NewClaims(db), fleet.Claim{Task: "warm", Holder: "a", Term: time.Hour}
	taken, _, err := claims.Claim(t.Context(), claim, 0)
	require.NoError(t, err)
	require.True(t, taken)
	left := func() (seconds float64) {
		require.NoError(t, db.Write().NewRaw("SELECT extract(epoch FROM until - now()) FROM fleet_tasks").Scan(t.Context(), &seconds))
		return seconds
	}
	require.InDelta(t, time.Hour.Seconds(), left(), 60)
	claim.Term = 2 * time.Hour
	require.NoError(t, claims.Renew(t.Context(), claim))
	require.InDelta(t, 2*time.Hour.Seconds(), left(), 60)
}

// TestWarmingTwins proves that the suite notices what it is for.
func TestWarmingTwins(t *testing.T) {
	for _, twin := range []struct {
		missed string // the case that has to notice
		brk    func(r *conformance.Repositories, db *bunrepo.DB)
	}{
		{"requests: the most requested come first, and not more than wanted", onRequests(func(q brokenRequests) brokenRequests { q.limit = 10; return q })},
		{"requests: the most requested come first, and not more than wanted", onRequests(func(q brokenRequests) brokenRequests { q.reversed = true; return q })},
		{"requests: counts add up", onRequests(func(q brokenRequests) brokenRequests { q.replaces = true; return q })},
		{"requests: a key that is given twice counts twice, and no request nothing", onRequests(func(q brokenRequests) brokenRequests { q.firstOnly = true; return q })},
		{"requests: older ones weigh less", withTerms(warmcache.RecordTerms{HalfLife: time.Hour, MaxKeys: 20})},
		{"requests: only the heaviest are remembered", withTerms(warmcache.RecordTerms{HalfLife: conformance.RecordTerms.HalfLife, MaxKeys: 50})},
		{"requests: of equals no more are remembered either", withTerms(warmcache.RecordTerms{HalfLife: conformance.RecordTerms.HalfLife, MaxKeys: 50})},
		{"requests: a cancelled context ends every method", onRequests(func(q brokenRequests) brokenRequests { q.uncancelled = true; return q })},
		{"last changes: the last changed place comes first, and not more than wanted", onChanges(func(c brokenChanges) brokenChanges { c.limit = 10; return c })},
		{"last changes: the last changed place comes first, and not more than wanted", onChanges(func(c brokenChanges) brokenChanges { c.reversed = true; return c })},
		{"last changes: what never changed is not among them", onChanges(func(c brokenChanges) brokenChanges { c.archived = true; return c })},
		{"last changes: what never changed is not among them", onImages(func(i artwork.ImageRepository) artwork.ImageRepository { return everythingChosen{i} })},
		{"claims: a task is claimed once", onClaims(func(c brokenClaims) brokenClaims { c.neverHeld = true; return c })},
		{"claims: of 20 callers at once one takes it", onClaims(func(c brokenClaims) brokenClaims { c.neverHeld = true; return c })},
		{"claims: tasks are independent", onClaims(func(c brokenClaims) brokenClaims { c.oneTask = true; return c })},
		{"claims: a claim expires by itself", onClaims(func(c brokenClaims) brokenClaims { c.endless = true; return c })},
		{"claims: a renewed claim goes on holding", onClaims(func(c brokenClaims) brokenClaims { c.notRenewed = true; return c })},
		{"claims: a claim that does not hold is not renewed", onClaims(func(c brokenClaims) brokenClaims { c.notRenewed = true; return c })},
		{"claims: a finished task rests, an unfinished one does not", onClaims(func(c brokenClaims) brokenClaims { c.restless = true; return c })},
		{"claims: a finished task rests, an unfinished one does not", onClaims(func(c brokenClaims) brokenClaims { c.alwaysFinished = true; return c })},
		{"claims: only the holder ends a claim", onClaims(func(c brokenClaims) brokenClaims { c.anybody = true; return c })},
		{"claims: who has lost a claim finishes nothing", finishesLate},
		{"claims: a cancelled context ends every method", onClaims(func(c brokenClaims) brokenClaims { c.uncancelled = true; return c })},
	} {
		t.Run(twin.missed, func(t *testing.T) {
			t.Parallel()
			conformance.Rejects(t, conformance.RepositoryCases(), twin.missed, func(t conformance.TB) conformance.Repositories {
				db := openSQLite(t)
				r := repositories(db)
				twin.brk(&r, db)
				return r
			})
		})
	}
}

func withTerms(terms warmcache.RecordTerms) func(*conformance.Repositories, *bunrepo.DB) {
	return func(r *conformance.Repositories, db *bunrepo.DB) { r.Requests = bunrepo.NewRequests(db, terms) }
}

func onRequests(brk func(brokenRequests) brokenRequests) func(*conformance.Repositories, *bunrepo.DB) {
	return func(r *conformance.Repositories, db *bunrepo.DB) {
		r.Requests = brk(brokenRequests{Requests: r.Requests, db: db})
	}
}

// brokenRequests is a record that leaves out what its fields say.
type brokenRequests struct {
	warmcache.Requests
	db                  *bunrepo.DB
	limit               int // in place of the one wanted
	reversed            bool
	replaces, firstOnly bool // in place of adding
	uncancelled         bool
}

func (b brokenRequests) Add(ctx context.Context, counts []warmcache.Count) error {
	known := map[artwork.Key]bool{}
	var first []warmcache.Count
	for _, count := range counts {
		if b.replaces {
			if _, err := b.db.Write().ExecContext(ctx, "DELETE FROM requested_keys WHERE key = ?", count.Key.String()); err != nil {
				return err
			}
		}
		if !known[count.Key] {
			first = append(first, count)
		}
		known[count.Key] = true
	}
	if b.firstOnly {
		counts = first
	}
	if b.uncancelled {
		ctx = context.WithoutCancel(ctx)
	}
	return b.Requests.Add(ctx, counts)
}

func (b brokenRequests) MostRequested(ctx context.Context, limit int) ([]artwork.Key, error) {
	if b.limit != 0 {
		limit = b.limit
	}
	keys, err := b.Requests.MostRequested(ctx, limit)
	if b.reversed {
		slices.Reverse(keys)
	}
	return keys, err
}

func onChanges(brk func(brokenChanges) brokenChanges) func(*conformance.Repositories, *bunrepo.DB) {
	return func(r *conformance.Repositories, db *bunrepo.DB) {
		r.Changes = brk(brokenChanges{Changes: r.Changes, db: db})
	}
}

type brokenChanges struct {
	warmcache.Changes
	db       *bunrepo.DB
	limit    int
	reversed bool
	archived bool // what was only recorded counts as changed
}

func (b brokenChanges) LastChanged(ctx context.Context, limit int) ([]artwork.Place, error) {
	if b.limit != 0 {
		limit = b.limit
	}
	places, err := b.Changes.LastChanged(ctx, limit)
	if b.reversed {
		slices.Reverse(places)
	}
	if b.archived {
		var album string
		err = b.db.Write().NewRaw("SELECT subject_id FROM images WHERE slot = 'cover'").Scan(ctx, &album)
		places = append(places, artwork.Place{Subject: artwork.Album(artwork.MustParseID(album)), Slot: artwork.SlotCover})
	}
	return places, err
}

func onClaims(brk func(brokenClaims) brokenClaims) func(*conformance.Repositories, *bunrepo.DB) {
	return func(r *conformance.Repositories, db *bunrepo.DB) {
		r.Claims = brk(brokenClaims{Claims: r.Claims, db: db})
	}
}

// finishesLate is a database in which who has lost a claim notes that the task
// was done.
func finishesLate(r *conformance.Repositories, db *bunrepo.DB) {
	r.Claims = finishing{r.Claims, db}
}

type finishing struct {
	fleet.Claims
	db *bunrepo.DB
}

func (f finishing) Release(ctx context.Context, claim fleet.Claim, _ bool) error {
	_, err := f.db.Write().ExecContext(ctx, "UPDATE fleet_tasks SET finished_at = ? WHERE holder = ?", time.Now().UnixMicro(), claim.Holder)
	return err
}

// brokenClaims are claims that leave out what their fields say.
type brokenClaims struct {
	fleet.Claims
	db             *bunrepo.DB
	neverHeld      bool // whoever comes takes the task
	oneTask        bool // all tasks are one
	endless        bool
	notRenewed     bool
	restless       bool
	alwaysFinished bool
	anybody        bool // may release
	uncancelled    bool
}

func (b brokenClaims) Claim(ctx context.Context, claim fleet.Claim, rest time.Duration) (bool, string, error) {
	if b.neverHeld {
		if _, err := b.db.Write().ExecContext(ctx, "UPDATE fleet_tasks SET until = 0"); err != nil {
			return false, "", err
		}
	}
	if b.oneTask {
		claim.Task = "task"
	}
	if b.endless {
		claim.Term = time.Hour
	}
	if b.restless {
		rest = 0
	}
	if b.uncancelled {
		ctx = context.WithoutCancel(ctx)
	}
	return b.Claims.Claim(ctx, claim, rest)
}

func (b brokenClaims) Renew(ctx context.Context, claim fleet.Claim) error {
	if b.notRenewed {
		return nil
	}
	return b.Claims.Renew(ctx, claim)
}

func (b brokenClaims) Release(ctx context.Context, claim fleet.Claim, finished bool) error {
	if b.oneTask {
		claim.Task = "task"
	}
	if b.anybody {
		_, err := b.db.Write().ExecContext(ctx, "UPDATE fleet_tasks SET until = 0 WHERE name = ?", claim.Task)
		return err
	}
	return b.Claims.Release(ctx, claim, finished || b.alwaysFinished)
}
