package bunrepo_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

// TestKeysOfAnotherReleaseAreLeftOut: what this release does not know must not
// keep it from finishing what it does know.
func TestKeysOfAnotherReleaseAreLeftOut(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		key := artwork.Album(artwork.NewID()).Keys()[0]
		for token, keys := range map[string]string{
			"a": `["image:artist:x:profile","` + key.String() + `",{"name":"` + key.String() + `"},7,null,"image:album:` + key.Subject.ID.String() + `:spine"]`,
			"b": `[]`,
			"c": `{"keys":[]}`,
			"d": `not JSON`,
			"e": ``,
		} {
			past := any(time.Unix(0, 0))
			if db.Kind() == "sqlite" {
				past = 0
			}
			_, err := db.Write().ExecContext(t.Context(), "INSERT INTO cache_pending (token, keys, deadline, created_at) VALUES (?, ?, ?, ?)", token, keys, past, past)
			require.NoError(t, err)
		}
		overdue, err := bunrepo.NewChangeLog(db).Overdue(t.Context(), 10)
		require.NoError(t, err)
		require.Equal(t, []artwork.PendingChange{{Token: "a", Keys: []artwork.Key{key}}, {Token: "b"}, {Token: "c"}, {Token: "d"}, {Token: "e"}}, overdue)
	})
}

// TestADeadlineIsTimeByTheServersClock: writer and server may disagree about
// what time it is, but not about how long it takes.
func TestADeadlineIsTimeByTheServersClock(t *testing.T) {
	db, _ := openPostgres(t)
	record := someRecord(t, db, 1)
	fence := artwork.Unfenced()
	fence.Token, fence.Keys, fence.Deadline = "token", record.Place.Keys(), time.Now().Add(time.Hour)
	_, err := bunrepo.NewImages(db).Apply(t.Context(), fence, []artwork.Application{{Record: record}})
	require.NoError(t, err)
	var left float64
	require.NoError(t, db.Write().NewRaw("SELECT extract(epoch FROM deadline - created_at) FROM cache_pending").Scan(t.Context(), &left))
	require.InDelta(t, time.Hour.Seconds(), left, 60)
}

// TestAChangeIsRecordedInItsTransaction: nobody knows of it before, and it cannot
// be committed without.
func TestAChangeIsRecordedInItsTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		record, lost := someRecord(t, db, 1), errors.New("the fence was lost")
		pending := func() (keys []string) {
			require.NoError(t, db.Read().NewRaw("SELECT keys FROM cache_pending").Scan(t.Context(), &keys))
			return keys
		}
		for _, outcome := range []error{lost, nil} {
			fence := artwork.Fence{Token: "token", Keys: record.Place.Keys()[:1], StillHeld: func(context.Context) error {
				require.Empty(t, pending())
				return outcome
			}}
			_, err := bunrepo.NewImages(db).Apply(t.Context(), fence, []artwork.Application{{Record: record}})
			require.Equal(t, outcome, err)
		}
		require.Equal(t, []string{`["` + record.Place.Keys()[0].String() + `"]`}, pending())
	})
}

// TestChangeLogTwins proves that the suite notices what it is for.
func TestChangeLogTwins(t *testing.T) {
	for _, twin := range []struct {
		missed string // the case that has to notice
		brk    func(r *conformance.Repositories, db *bunrepo.DB)
	}{
		{"changes: a committed change is found", onLog(func(l brokenLog) brokenLog { l.atMost = 1; return l })},
		{"changes: more than a thousand places are all visited", onLog(func(l brokenLog) brokenLog { l.atMost = 1000; return l })},
		{"changes: the time excludes what changed before", onLog(func(l brokenLog) brokenLog { l.past = time.Hour; return l })},
		{"changes: the visits stop at the first error", onLog(func(l brokenLog) brokenLog { l.goesOn = true; return l })},
		{"changes: a cancelled context ends every method", onLog(func(l brokenLog) brokenLog { l.uncancelled = true; return l })},
		{"changes: the oldest are overdue first, and not more than wanted", onLog(func(l brokenLog) brokenLog { l.limit = 10; return l })},
		{"changes: the oldest are overdue first, and not more than wanted", onLog(func(l brokenLog) brokenLog { l.reversed = true; return l })},
		{"changes: the keys come back in their order", onLog(func(l brokenLog) brokenLog { l.keysReversed = true; return l })},
		{"changes: a finished change is forgotten", onLog(func(l brokenLog) brokenLog { l.keeps = true; return l })},
		{"changes: a finished change is forgotten", onLog(func(l brokenLog) brokenLog { l.mustBeKnown = true; return l })},
		{"changes: a change is not found before it is committed", onImages(func(i artwork.ImageRepository) artwork.ImageRepository { return asksAfterwards{i} })},
		{"changes: what was rolled back leaves nothing", onImages(func(i artwork.ImageRepository) artwork.ImageRepository { return ignoresFence{i} })},
		{"changes: two calls under one fence are one change", onFence(func(f *artwork.Fence, n int) { f.Token += []string{"", "again"}[min(n, 1)] })},
		{"changes: without a token nothing is pending", onFence(func(f *artwork.Fence, _ int) { f.Token = cmp.Or(f.Token, "none") })},
		{"changes: without a deadline a change is not overdue at once", onFence(func(f *artwork.Fence, _ int) {
			if f.Deadline.IsZero() {
				f.Deadline = time.Now().Add(200 * time.Millisecond)
			}
		})},
		{"changes: what leaves the pointer as it is is no change", afterwards("UPDATE slots SET changed_at = ?")},
		{"changes: a change is pending from its commit, and overdue after its deadline", afterwards("UPDATE cache_pending SET deadline = ?")},
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

func onLog(brk func(brokenLog) brokenLog) func(*conformance.Repositories, *bunrepo.DB) {
	return func(r *conformance.Repositories, _ *bunrepo.DB) { r.ChangeLog = brk(brokenLog{ChangeLog: r.ChangeLog}) }
}

func onImages(brk func(artwork.ImageRepository) artwork.ImageRepository) func(*conformance.Repositories, *bunrepo.DB) {
	return func(r *conformance.Repositories, _ *bunrepo.DB) { r.Images = brk(r.Images) }
}

// onFence breaks the fence of the n-th call of Apply, counted from 0.
func onFence(brk func(fence *artwork.Fence, n int)) func(*conformance.Repositories, *bunrepo.DB) {
	return func(r *conformance.Repositories, _ *bunrepo.DB) { r.Images = &brokenFence{r.Images, brk, 0} }
}

// afterwards runs a statement with the time after each change.
func afterwards(statement string) func(*conformance.Repositories, *bunrepo.DB) {
	return func(r *conformance.Repositories, db *bunrepo.DB) {
		r.Images = runsAfterwards{r.Images, func(ctx context.Context) error {
			_, err := db.Write().ExecContext(ctx, statement, time.Now().UnixMicro())
			return err
		}}
	}
}

// brokenLog is a change log that leaves out what its fields say.
type brokenLog struct {
	artwork.ChangeLog
	past                   time.Duration // in place of the one wanted
	atMost                 int           // places that are visited
	limit                  int           // in place of the one wanted
	reversed, keysReversed bool
	keeps, mustBeKnown     bool
	goesOn, uncancelled    bool
}

func (b brokenLog) ChangedWithin(ctx context.Context, past time.Duration, visit func(artwork.Place) error) error {
	if b.past != 0 {
		past = b.past
	}
	visits, first := 0, error(nil)
	err := b.ChangeLog.ChangedWithin(ctx, past, func(place artwork.Place) error {
		if visits++; b.atMost > 0 && visits > b.atMost {
			return nil
		}
		err := visit(place)
		if b.goesOn {
			first, err = errors.Join(first, err), nil
		}
		return err
	})
	if b.goesOn && first != nil {
		return first
	}
	return err
}

func (b brokenLog) Overdue(ctx context.Context, limit int) ([]artwork.PendingChange, error) {
	if b.limit != 0 {
		limit = b.limit
	}
	if b.uncancelled {
		ctx = context.WithoutCancel(ctx)
	}
	changes, err := b.ChangeLog.Overdue(ctx, limit)
	if b.reversed {
		slices.Reverse(changes)
	}
	for _, change := range changes {
		if b.keysReversed {
			slices.Reverse(change.Keys)
		}
	}
	return changes, err
}

func (b brokenLog) Finish(ctx context.Context, token string) error {
	switch {
	case b.keeps:
		return nil
	case b.mustBeKnown && token == "unknown":
		return artwork.Errorf(artwork.NotFound, "there is no such change")
	}
	return b.ChangeLog.Finish(ctx, token)
}

type brokenFence struct {
	artwork.ImageRepository
	brk func(*artwork.Fence, int)
	n   int
}

func (b *brokenFence) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	b.brk(&fence, b.n)
	b.n++
	return b.ImageRepository.Apply(ctx, fence, a)
}

type runsAfterwards struct {
	artwork.ImageRepository
	run func(context.Context) error
}

func (r runsAfterwards) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	outcomes, err := r.ImageRepository.Apply(ctx, fence, a)
	return outcomes, errors.Join(err, r.run(ctx))
}
