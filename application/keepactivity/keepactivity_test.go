package keepactivity_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/keepactivity"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

func entries(t *testing.T, log activity.Log) []activity.Entry {
	t.Helper()
	page, err := log.List(t.Context(), activity.Query{Limit: activity.MaxLimit})
	require.NoError(t, err)
	return page.Items
}

func TestWhatWasDoneIsRecordedAlsoWhenTheCallerHasGone(t *testing.T) {
	log := memory.NewRepository().Activity()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	keepactivity.NewRecorder(log, slog.New(slog.DiscardHandler)).Record(ctx, activity.Entry{Action: activity.CacheFlush})
	require.Len(t, entries(t, log), 1)
}

// unreachable is a log whose database has gone.
type unreachable struct{ activity.Log }

func (unreachable) Record(ctx context.Context, _ activity.Entry) error {
	if _, bounded := ctx.Deadline(); !bounded {
		return nil // it would wait for ever
	}
	return artwork.Errorf(artwork.Unavailable, "the database cannot be reached")
}

func (unreachable) Trim(context.Context, time.Duration, int) (int, error) {
	return 0, artwork.Errorf(artwork.Unavailable, "the database cannot be reached")
}

func TestWhatCannotBeRecordedIsInTheProgramsLog(t *testing.T) {
	var out bytes.Buffer
	recorder := keepactivity.NewRecorder(unreachable{}, slog.New(slog.NewTextHandler(&out, nil)))
	recorder.Record(t.Context(), activity.Entry{
		Actor: artwork.Actor{Name: "ana", Address: "192.0.2.1"}, Action: activity.CacheFlush, After: activity.FactsOf(map[string]int{"removed": 7}),
	})
	for _, part := range []string{"level=ERROR", "cache.flush", "ana", "192.0.2.1", "removed", "cannot be reached"} {
		require.Contains(t, out.String(), part)
	}
}

func TestOldEntriesAreTrimmedInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := memory.NewRepository().Activity()
		record := func(n int) {
			for range n {
				require.NoError(t, log.Record(t.Context(), activity.Entry{Action: activity.CacheFlush}))
			}
		}
		record(2500)
		time.Sleep(2 * time.Hour)
		record(3)
		begin := time.Now()
		removed, err := keepactivity.NewTrimmer(log, time.Hour, slog.New(slog.DiscardHandler)).Trim(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2500, removed)
		require.Len(t, entries(t, log), 3)
		require.Positive(t, time.Since(begin), "others had their turn between two batches")
	})
}

func TestTheLogIsTrimmedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := memory.NewRepository().Activity()
		ctx, stop := context.WithCancel(t.Context())
		go keepactivity.NewTrimmer(log, 24*time.Hour, slog.New(slog.DiscardHandler)).Run(ctx)
		require.NoError(t, log.Record(t.Context(), activity.Entry{Action: activity.CacheFlush}))
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		require.Len(t, entries(t, log), 1)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		require.Empty(t, entries(t, log))
		stop()
	})
}

func TestTheLogIsKeptForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := memory.NewRepository().Activity()
		require.NoError(t, log.Record(t.Context(), activity.Entry{Action: activity.CacheFlush}))
		time.Sleep(100 * 365 * 24 * time.Hour)
		keepactivity.NewTrimmer(log, 0, slog.New(slog.DiscardHandler)).Run(t.Context()) // returns
		require.Len(t, entries(t, log), 1)
	})
}

func TestTrimmingIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			keepactivity.NewTrimmer(unreachable{}, time.Hour, slog.New(slog.NewTextHandler(&out, nil))).Run(ctx)
		}()
		time.Sleep(90 * time.Minute)
		stop()
		<-ended
		require.Equal(t, 2, bytes.Count(out.Bytes(), []byte("was not trimmed")))
	})
}
