package announce_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/announce"
	"gatefold/domain/artwork"
)

// unsteadyLog is a log that can be out of reach, and can begin anew.
type unsteadyLog struct {
	*memory.EventLog

	mu        sync.Mutex
	down      bool
	tries     int
	followers []announce.Follower
}

func newLog() *unsteadyLog { return &unsteadyLog{EventLog: memory.NewEventLog()} }

func (l *unsteadyLog) setDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *unsteadyLog) Append(ctx context.Context, events []announce.Event) error {
	l.mu.Lock()
	l.tries++
	down := l.down
	l.mu.Unlock()
	if down {
		<-ctx.Done()
		return artwork.Errorf(artwork.Unavailable, "out of reach")
	}
	return l.EventLog.Append(ctx, events)
}

func (l *unsteadyLog) Follow(ctx context.Context, follower announce.Follower) {
	l.mu.Lock()
	l.followers = append(l.followers, follower)
	l.mu.Unlock()
	l.EventLog.Follow(ctx, follower)
}

// restart has every follower begin anew, with nothing.
func (l *unsteadyLog) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, follower := range l.followers {
		follower.Restart(nil)
	}
}

// startFeed returns a feed that runs until the test ends; in a bubble only.
func startFeed(t *testing.T, log announce.Log) *announce.Feed {
	t.Helper()
	feed := announce.NewFeed(log, slog.New(slog.DiscardHandler))
	runs(t, feed.Run)
	synctest.Wait()
	return feed
}

func runs(t *testing.T, run func(context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		ended.Wait()
	})
	t.Cleanup(stop)
	return stop
}

func event(t *testing.T, name string) announce.Event {
	t.Helper()
	e, err := announce.NewEvent(name, "x")
	require.NoError(t, err)
	return e
}

func subscribe(t *testing.T, feed *announce.Feed, lastID string, resumed bool) *announce.Subscription {
	t.Helper()
	s, ok := feed.Subscribe(t.Context(), lastID)
	require.Equal(t, resumed, ok)
	return s
}

// requireNext requires that exactly these events are told now, and returns the last.
func requireNext(t *testing.T, s *announce.Subscription, names ...string) announce.Entry {
	t.Helper()
	entries := drain(t, s)
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name)
	}
	require.Equal(t, names, got)
	if len(entries) == 0 {
		return announce.Entry{}
	}
	return entries[len(entries)-1]
}

// drain returns what is told now.
func drain(t *testing.T, s *announce.Subscription) (entries []announce.Entry) {
	t.Helper()
	synctest.Wait()
	for {
		now, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		entry, err := s.Next(now)
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			return entries
		}
		entries = append(entries, entry)
	}
}

func inBubble(test func(t *testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}

func TestFeed(t *testing.T) {
	t.Parallel()
	t.Run("clients of every instance are told", inBubble(func(t *testing.T) {
		log := newLog()
		one, other := startFeed(t, log), startFeed(t, log)
		here, there := subscribe(t, one, "", false), subscribe(t, other, "", false)
		requireNext(t, here)
		one.Publish(t.Context())
		one.Publish(t.Context(), event(t, "a"), event(t, "b"))
		other.Publish(t.Context(), event(t, "c"))
		require.Equal(t, requireNext(t, here, "a", "b", "c"), requireNext(t, there, "a", "b", "c"))
	}))
	t.Run("who comes back misses nothing, on any instance", inBubble(func(t *testing.T) {
		log := newLog()
		one, other := startFeed(t, log), startFeed(t, log)
		fresh := subscribe(t, one, "", false).Position()
		one.Publish(t.Context(), event(t, "a"), event(t, "b"), event(t, "c"))
		s := subscribe(t, one, fresh, true)
		first, err := s.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, first.ID, s.Position())
		requireNext(t, subscribe(t, one, fresh, true), "a", "b", "c")
		for _, feed := range []*announce.Feed{one, other, startFeed(t, log)} {
			again := subscribe(t, feed, first.ID, true)
			require.Equal(t, first.ID, again.Position())
			last := requireNext(t, again, "b", "c")
			requireNext(t, subscribe(t, feed, last.ID, true))
		}
	}))
	t.Run("who knows what nobody here knows has to reload", inBubble(func(t *testing.T) {
		feed := startFeed(t, newLog())
		feed.Publish(t.Context(), event(t, "a"))
		synctest.Wait()
		for _, unknown := range []string{"nonsense", "0", "start-0123456789abcdef", subscribe(t, startFeed(t, newLog()), "", false).Position()} {
			s := subscribe(t, feed, unknown, false)
			reload := requireNext(t, s, announce.Reload)
			require.JSONEq(t, `{"reason":"unknown-event"}`, string(reload.Data))
			feed.Publish(t.Context(), event(t, "b"))
			requireNext(t, s, "b")
			requireNext(t, subscribe(t, feed, reload.ID, true), "b")
		}
	}))
	t.Run("what another instance was faster to hear of is waited for", inBubble(func(t *testing.T) {
		log := newLog()
		feed := announce.NewFeed(log, slog.New(slog.DiscardHandler))
		ahead := startFeed(t, log)
		ahead.Publish(t.Context(), event(t, "a"), event(t, "b"))
		synctest.Wait()
		s := subscribe(t, ahead, "", false)
		go func() {
			time.Sleep(100 * time.Millisecond)
			runs(t, feed.Run)
		}()
		requireNext(t, subscribe(t, feed, s.Position(), true))
	}))
	t.Run("a client that is too slow has to reload", inBubble(func(t *testing.T) {
		feed := startFeed(t, newLog())
		s := subscribe(t, feed, "", false)
		for n := range announce.LogEntries + 1 {
			feed.Publish(t.Context(), event(t, fmt.Sprint("e", n)))
			if n%100 == 0 {
				synctest.Wait()
			}
		}
		reload := requireNext(t, s, announce.Reload)
		require.JSONEq(t, `{"reason":"behind"}`, string(reload.Data))
		feed.Publish(t.Context(), event(t, "after"))
		requireNext(t, s, "after")
	}))
	t.Run("who has read all that is kept no more goes on", inBubble(func(t *testing.T) {
		feed := startFeed(t, newLog())
		s := subscribe(t, feed, "", false)
		feed.Publish(t.Context(), event(t, "first"))
		position := requireNext(t, s, "first").ID
		for range announce.LogEntries {
			feed.Publish(t.Context(), event(t, "more"))
			synctest.Wait()
		}
		require.Len(t, drain(t, subscribe(t, feed, position, true)), announce.LogEntries)
		feed.Publish(t.Context(), event(t, "another"))
		synctest.Wait()
		subscribe(t, feed, position, false)
	}))
	t.Run("large events are not kept without bound", inBubble(func(t *testing.T) {
		feed := startFeed(t, newLog())
		s := subscribe(t, feed, "", false)
		large, err := announce.NewEvent("large", strings.Repeat("x", announce.MaxData-2))
		require.NoError(t, err)
		for range 8<<20/announce.MaxData + 1 {
			feed.Publish(t.Context(), large)
			synctest.Wait()
		}
		requireNext(t, s, announce.Reload)
	}))
	t.Run("a log that begins anew has everybody reload, everywhere", inBubble(func(t *testing.T) {
		log := newLog()
		feed := startFeed(t, log)
		s := subscribe(t, feed, "", false)
		feed.Publish(t.Context(), event(t, "a"))
		position := requireNext(t, s, "a").ID
		other := subscribe(t, startFeed(t, newLog()), "", false)
		log.restart()
		requireNext(t, s, announce.Reload)
		requireNext(t, subscribe(t, feed, position, false), announce.Reload)
		time.Sleep(2 * time.Second)
		last := requireNext(t, s, announce.Reload)
		require.JSONEq(t, `{"reason":"unpublished"}`, string(last.Data), "of the log, for the others")
		requireNext(t, other)
	}))
	t.Run("the end of the instance ends subscriptions", inBubble(func(t *testing.T) {
		feed := startFeed(t, newLog())
		s := subscribe(t, feed, "", false)
		ended := make(chan error, 1)
		go func() {
			_, err := s.Next(t.Context())
			ended <- err
		}()
		synctest.Wait()
		feed.Close()
		require.ErrorIs(t, <-ended, announce.ErrClosed)
		begin := time.Now()
		late, _ := feed.Subscribe(t.Context(), "unknown")
		require.Equal(t, begin, time.Now(), "nothing is waited for")
		_, err := late.Next(t.Context())
		require.ErrorIs(t, err, announce.ErrClosed)
	}))
	t.Run("a client that leaves is not waited for", inBubble(func(t *testing.T) {
		feed := startFeed(t, newLog())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := subscribe(t, feed, "", false).Next(ctx)
		require.ErrorIs(t, err, context.Canceled)
		begin := time.Now()
		_, resumed := feed.Subscribe(ctx, "unknown")
		require.False(t, resumed)
		require.Equal(t, begin, time.Now())
	}))
}

// TestWhileTheLogIsOutOfReach: the clients here are told at once, nobody waits for
// the log, and when it is back everybody reloads.
func TestWhileTheLogIsOutOfReach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newLog()
		one, other := startFeed(t, log), startFeed(t, log)
		here, there := subscribe(t, one, "", false), subscribe(t, other, "", false)
		one.Publish(t.Context(), event(t, "a"))
		position := requireNext(t, here, "a").ID
		requireNext(t, there, "a")

		log.setDown(true)
		begin := time.Now()
		one.Publish(t.Context(), event(t, "b"))
		require.LessOrEqual(t, time.Since(begin), time.Second)
		begin = time.Now()
		for range 100 {
			one.Publish(t.Context(), event(t, "c"))
		}
		require.Equal(t, begin, time.Now(), "nobody waits for what is known to be out of reach")
		require.Len(t, drain(t, here), 101)
		require.Equal(t, position, here.Position(), "only entries of the log are positions")
		require.Len(t, drain(t, subscribe(t, one, position, true)), 101)
		requireNext(t, there)
		time.Sleep(time.Minute)
		requireNext(t, there)

		log.setDown(false)
		time.Sleep(3 * time.Second)
		reload := requireNext(t, there, announce.Reload)
		require.Equal(t, reload, requireNext(t, here, announce.Reload))
		one.Publish(t.Context(), event(t, "d"))
		requireNext(t, there, "d")
		requireNext(t, here, "d")
		time.Sleep(time.Minute)
		requireNext(t, there)
	})
}

// TestWhatIsOwedMeanwhileStaysOwed: an event that misses the log while others are
// made good is made good too.
func TestWhatIsOwedMeanwhileStaysOwed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &intrudedLog{unsteadyLog: newLog()}
		feed := startFeed(t, log)
		s := subscribe(t, feed, "", false)
		log.setDown(true)
		feed.Publish(t.Context(), event(t, "a"))
		requireNext(t, s, "a")
		log.setDown(false)
		log.intrude(func() { feed.Publish(t.Context(), event(t, "b")) })
		time.Sleep(5 * time.Second)
		requireNext(t, s, announce.Reload, "b", announce.Reload)
	})
}

// intrudedLog lets something happen after a reload was appended, once.
type intrudedLog struct {
	*unsteadyLog
	happen func()
}

func (l *intrudedLog) intrude(happen func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.happen = happen
}

func (l *intrudedLog) Append(ctx context.Context, events []announce.Event) error {
	err := l.unsteadyLog.Append(ctx, events)
	if err != nil || events[0].Name != announce.Reload {
		return err
	}
	l.mu.Lock()
	happen := l.happen
	l.happen = nil
	l.mu.Unlock()
	if happen != nil {
		synctest.Wait()
		happen()
	}
	return nil
}

func TestEventsAreChecked(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "A", "a b", "a\nb", "1", strings.Repeat("a", 65), "ñ"} {
		_, err := announce.NewEvent(name, 1)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), name)
	}
	_, err := announce.NewEvent("a", strings.Repeat("x", announce.MaxData))
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	_, err = announce.NewEvent("a", func() {})
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	require.Error(t, announce.Event{Name: "a", Data: json.RawMessage("{")}.Check())
	require.Error(t, announce.Event{Name: "a"}.Check())
	e, err := announce.NewEvent("bulk:progress", map[string]int{"done": 3})
	require.NoError(t, err)
	require.JSONEq(t, `{"done":3}`, string(e.Data))
}
