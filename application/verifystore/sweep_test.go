package verifystore

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

const aDayLater = DefaultGrace + time.Minute

func TestSweep(t *testing.T) {
	f := newFixture(t)
	kept, orphan := f.upload(t, "kept"), f.put(t, "orphan")
	swept, err := f.sweep(f.repo.Images(), f.store).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 1, 0}, []int{swept.Referenced, swept.Stored, swept.Waiting, swept.Removed})
	require.True(t, f.holds(t, orphan))

	f.ahead = aDayLater
	swept, err = f.sweep(f.repo.Images(), f.store).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 0, 1}, []int{swept.Referenced, swept.Stored, swept.Waiting, swept.Removed})
	require.False(t, f.holds(t, orphan))
	require.True(t, f.holds(t, kept), "what is referred to is never removed")
}

// TestSweepKeepsAsManyFormerPicturesAsItIsTold: the bytes go with the records.
func TestSweepKeepsAsManyFormerPicturesAsItIsTold(t *testing.T) {
	f := newFixture(t)
	var contents []artwork.Hash
	for n := range 20 {
		content := fmt.Sprint("picture ", n)
		contents = append(contents, f.put(t, content))
		record := f.record(content)
		record.Source, record.AddedAt = artwork.External, time.Unix(int64(n), 0)
		_, err := f.repo.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: record}})
		require.NoError(t, err)
	}
	f.ahead = aDayLater
	keep := 2
	sweep := NewSweep(Config{Grace: DefaultGrace, Instance: "one", Keep: &keep, KeepDeleted: keepDeleted}, f.repo.Images(), f.store, f.renditions, f.repo.Bin(), f.repo.Claims(), f.slog)
	sweep.now = f.now
	swept, err := sweep.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{17, 3, 17}, []int{swept.Forgotten, swept.Referenced, swept.Removed})
	for n, content := range contents {
		require.Equal(t, n >= 17, f.holds(t, content), n)
	}
}

// TestWhatIsStoredAnewDuringASweepStays: each schedule leaves a record, and so has to
// leave the bytes.
func TestWhatIsStoredAnewDuringASweepStays(t *testing.T) {
	const content = "wanted again"
	for name, schedule := range map[string]func(t *testing.T, f *fixture) (artwork.ImageArchive, artwork.ImageStore){
		"after the records were listed": func(t *testing.T, f *fixture) (artwork.ImageArchive, artwork.ImageStore) {
			return f.repo.Images(), &between{ImageStore: f.store, beforeList: func() { f.uploadLater(t, content) }}
		},
		"after the store was listed": func(t *testing.T, f *fixture) (artwork.ImageArchive, artwork.ImageStore) {
			return &asked{ImageArchive: f.repo.Images(), before: func() { f.uploadLater(t, content) }}, f.store
		},
		"after the database was asked": func(t *testing.T, f *fixture) (artwork.ImageArchive, artwork.ImageStore) {
			return f.repo.Images(), &between{ImageStore: f.store, beforeRemove: func() { f.uploadLater(t, content) }}
		},
		"purged after the records were listed, and uploaded again": func(t *testing.T, f *fixture) (artwork.ImageArchive, artwork.ImageStore) {
			f.upload(t, content)
			return f.repo.Images(), &between{ImageStore: f.store, beforeList: func() {
				f.purge(t, content)
				f.uploadLater(t, content)
			}}
		},
		"stored after the store was listed, and recorded after the removal": func(t *testing.T, f *fixture) (artwork.ImageArchive, artwork.ImageStore) {
			return &asked{ImageArchive: f.repo.Images(), before: func() { f.put(t, content) }}, f.store
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				hash := f.put(t, content)
				time.Sleep(aDayLater)
				archive, store := schedule(t, f)
				swept, err := f.sweep(archive, store).Run(t.Context())
				require.NoError(t, err)
				require.Zero(t, swept.Removed)
				require.NoError(t, f.repo.Images().Add(t.Context(), f.record(content)))
				require.True(t, f.holds(t, hash), "a record refers to bytes that are gone")
			})
		})
	}
}

func (f *fixture) uploadLater(t *testing.T, content string) {
	t.Helper()
	time.Sleep(time.Second)
	f.upload(t, content)
}

// asked is an archive on whose door tests wait: before it is asked about one
// content.
type asked struct {
	artwork.ImageArchive
	before func()
}

func (a *asked) Refers(ctx context.Context, hash artwork.Hash) (bool, error) {
	a.before()
	return a.ImageArchive.Refers(ctx, hash)
}

// overlooks lists records as a list does that is read in steps, while a record is
// copied to where the list has been and forgotten where it comes to.
type overlooks struct{ artwork.ImageArchive }

func (overlooks) References(context.Context, func(artwork.Content) error) error { return nil }

// TestARecordThatTheListMissesKeepsItsBytes: no storing comes to the rescue.
func TestARecordThatTheListMissesKeepsItsBytes(t *testing.T) {
	f := newFixture(t)
	hash := f.upload(t, "copied")
	f.ahead = aDayLater
	swept, err := f.sweep(overlooks{f.repo.Images()}, f.store).Run(t.Context())
	require.NoError(t, err)
	require.Zero(t, swept.Removed)
	require.True(t, f.holds(t, hash))
	report, err := f.verify(overlooks{f.repo.Images()}, f.store).Run(t.Context(), In{Repair: true}, &watched{})
	require.NoError(t, err)
	require.True(t, report.Sound())
	require.True(t, f.holds(t, hash))
}

// TestAForeignDatabaseRemovesNothing: to one that was restored from the wrong backup
// or is empty, every image is an orphan.
func TestAForeignDatabaseRemovesNothing(t *testing.T) {
	f := newFixture(t)
	var images []artwork.Hash
	for i := range suspicious + 1 {
		images = append(images, f.put(t, fmt.Sprint("image ", i)))
	}
	f.upload(t, "known")
	f.ahead = aDayLater
	_, err := f.sweep(f.repo.Images(), f.store).Run(t.Context())
	require.Equal(t, artwork.Conflict, artwork.KindOf(err), "%v", err)
	require.ErrorContains(t, err, "doctor --repair")
	for _, hash := range images {
		require.True(t, f.holds(t, hash))
	}
	report, err := f.verify(f.repo.Images(), f.store).Run(t.Context(), In{Repair: true}, &watched{})
	require.NoError(t, err)
	require.Equal(t, len(images), report.Removed, "a person says that it is the right one")
}

// TestAFleetSweepsOnceADay, at no regular time, also if who does it dies.
func TestAFleetSweepsOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		for range 3 {
			go f.sweep(f.repo.Images(), f.store).Watch(ctx)
		}
		f.upload(t, "kept")
		orphan := f.put(t, "orphan")
		time.Sleep(mostPause + time.Second)
		synctest.Wait()
		require.Equal(t, 1, strings.Count(f.log.String(), "Swept image store"))
		require.Contains(t, f.log.String(), "stored=2 referenced=1 waiting=1 removed=0")
		require.True(t, f.holds(t, orphan))
		for range 10 {
			time.Sleep(24 * time.Hour)
		}
		synctest.Wait()
		require.False(t, f.holds(t, orphan))
		n := strings.Count(f.log.String(), "Swept image store")
		require.GreaterOrEqual(t, n, 10)
		require.LessOrEqual(t, n, 11)
		require.Equal(t, 1, strings.Count(f.log.String(), "removed=1"))
	})
}

// TestASweepThatFailsIsTriedAgainSoon, and one that is stopped says nothing.
func TestASweepThatFailsIsTriedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.put(t, "orphan")
		time.Sleep(aDayLater)
		archive := &failing{ImageArchive: f.repo.Images()}
		archive.fails.Store(true)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			f.sweep(archive, f.store).Watch(ctx)
		}()
		time.Sleep(mostPause + time.Second)
		require.Contains(t, f.log.String(), "Orphans of the image store are left")
		require.Contains(t, f.log.String(), "out of reach")
		archive.fails.Store(false)
		time.Sleep(mostPause + time.Second)
		require.Contains(t, f.log.String(), "removed=1")
		stop()
		<-ended
	})
}

type failing struct {
	artwork.ImageArchive
	fails atomic.Bool
}

func (f *failing) References(ctx context.Context, visit func(artwork.Content) error) error {
	if f.fails.Load() {
		return artwork.Errorf(artwork.Unavailable, "out of reach")
	}
	return f.ImageArchive.References(ctx, visit)
}

// TestASweepIsSlow, so that it takes nothing from who serves, and ends when it is
// told to.
func TestASweepIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for i := range 100 {
			f.upload(t, fmt.Sprint("kept ", i))
			f.put(t, fmt.Sprint("orphan ", i))
		}
		time.Sleep(aDayLater)
		ctx, stop := context.WithTimeout(t.Context(), 20*removePause)
		defer stop()
		swept, err := f.sweep(f.repo.Images(), f.store).Run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.InDelta(t, 20, swept.Removed, 1)
		begin := time.Now()
		swept, err = f.sweep(f.repo.Images(), f.store).Run(t.Context())
		require.NoError(t, err)
		require.InDelta(t, 80, swept.Removed, 1)
		require.InDelta(t, 80*removePause, time.Since(begin), float64(2*removePause))
	})
}

// keepDeleted is how long the tests keep what was deleted.
const keepDeleted = 30 * 24 * time.Hour

// TestSweepForgetsWhatWasDeletedLongAgo: until then it is referred to, and its bytes
// stay.
func TestSweepForgetsWhatWasDeletedLongAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		hash := f.upload(t, "deleted")
		subject := f.record("deleted").Place.Subject
		_, err := f.repo.Bin().Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{subject}})
		require.NoError(t, err)
		time.Sleep(keepDeleted - time.Minute)
		swept, err := f.sweep(f.repo.Images(), f.store).Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{0, 1, 0}, []int{swept.Deleted, swept.Referenced, swept.Removed})
		require.True(t, f.holds(t, hash), "it can be restored")
		time.Sleep(2 * time.Minute)
		swept, err = f.sweep(f.repo.Images(), f.store).Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{1, 1, 0, 1}, []int{swept.Deleted, swept.Forgotten, swept.Referenced, swept.Removed})
		require.False(t, f.holds(t, hash))
	})
}
