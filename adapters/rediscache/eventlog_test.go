package rediscache

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/application/announce"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func openEventLog(t conformance.TB, o Options) *EventLog {
	log, err := OpenEventLog(o, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// runEventLog runs the suite on a deployment that its cases share.
func runEventLog(t *testing.T, o Options) {
	t.Helper()
	conformance.RunEventLog(t, func(t conformance.TB) conformance.EventLogs {
		return conformance.EventLogs{openEventLog(t, o), openEventLog(t, o), openEventLog(t, o)}
	})
}

func TestEventLog(t *testing.T) {
	t.Parallel()
	runEventLog(t, Options{URL: testenv.Redis(t)})
}

// told is a follower that hands on what it is told, in words.
type told chan string

func (f told) Restart(latest []announce.Entry) {
	f <- "restart"
	f.Append(latest)
}

func (f told) Append(entries []announce.Entry) {
	for _, entry := range entries {
		f <- entry.Name
	}
}

func (f told) requireNext(t *testing.T, want ...string) {
	t.Helper()
	for _, word := range want {
		select {
		case got := <-f:
			require.Equal(t, word, got)
		case <-time.After(30 * time.Second):
			require.FailNow(t, "nothing was told", "not %q", word)
		}
	}
}

// skipTo ignores what is told until the word.
func (f told) skipTo(t *testing.T, word string) {
	t.Helper()
	for timeout := time.After(30 * time.Second); ; {
		select {
		case got := <-f:
			if got == word {
				return
			}
		case <-timeout:
			require.FailNow(t, "not told: "+word)
		}
	}
}

func follow(t *testing.T, log *EventLog) told {
	t.Helper()
	f := make(told, 1000)
	following, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { log.Follow(following, f) })
	t.Cleanup(func() {
		stop()
		ended.Wait()
	})
	return f
}

func announceAs(name string) []announce.Event {
	return []announce.Event{{Name: name, Data: json.RawMessage("1")}}
}

// requireAppends appends as soon as that is possible.
func requireAppends(t *testing.T, log *EventLog, name string) {
	t.Helper()
	require.Eventually(t, func() bool { return log.Append(t.Context(), announceAs(name)) == nil }, 30*time.Second, 20*time.Millisecond)
}

// TestAnEmptiedStreamIsNoticed: Redis restarted without what it held.
func TestAnEmptiedStreamIsNoticed(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	log := openEventLog(t, Options{URL: "redis://" + server.Addr})
	f := follow(t, log)
	f.requireNext(t, "restart")
	requireAppends(t, log, "a")
	f.requireNext(t, "a")
	server.Stop()
	begin := time.Now()
	require.Equal(t, artwork.Unavailable, artwork.KindOf(log.Append(t.Context(), announceAs("lost"))))
	require.Less(t, time.Since(begin), 10*time.Second)
	server.Start(t)
	f.requireNext(t, "restart")
	requireAppends(t, log, "b")
	f.requireNext(t, "b")
}

// TestARestartThatKeepsTheStreamIsNoGap.
func TestARestartThatKeepsTheStreamIsNoGap(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t, "--appendonly yes", "--appendfsync always")
	o := Options{URL: "redis://" + server.Addr}
	log := openEventLog(t, o)
	f := follow(t, log)
	f.requireNext(t, "restart")
	requireAppends(t, log, "a")
	f.requireNext(t, "a")
	server.Stop()
	server.Start(t)
	requireAppends(t, openEventLog(t, o), "b")
	f.requireNext(t, "b")
}

// TestAGapIsNoticed, whatever was lost, and how.
func TestAGapIsNoticed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, harm := range map[string]func(t *testing.T, _ *EventLog, operator *redis.Client){
		"evicted, and begun anew": func(t *testing.T, log *EventLog, operator *redis.Client) {
			require.NoError(t, operator.Del(ctx, eventStream).Err())
			requireAppends(t, log, "next")
		},
		"evicted unnoticed between two entries": func(t *testing.T, _ *EventLog, operator *redis.Client) {
			_, err := operator.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
				pipe.Eval(ctx, announceScript, []string{eventStream}, 100, "x", "lost", "1")
				pipe.Del(ctx, eventStream)
				pipe.Eval(ctx, announceScript, []string{eventStream}, 100, "y", "next", "1")
				return nil
			})
			require.NoError(t, err)
		},
		"one entry deleted": func(t *testing.T, _ *EventLog, operator *redis.Client) {
			_, err := operator.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
				pipe.Eval(ctx, announceScript, []string{eventStream}, 100, "x", "lost", "1")
				pipe.Eval(ctx, announceScript, []string{eventStream}, 100, "y", "next", "1")
				pipe.Eval(ctx, "local e = redis.call('XREVRANGE', KEYS[1], '+', '-'); return redis.call('XDEL', KEYS[1], e[2][1])", []string{eventStream})
				return nil
			})
			require.NoError(t, err)
		},
		"a server whose clock is behind": func(t *testing.T, _ *EventLog, operator *redis.Client) {
			_, err := operator.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
				pipe.Del(ctx, eventStream)
				pipe.XAdd(ctx, &redis.XAddArgs{Stream: eventStream, ID: "5-1", Values: []string{"token", "z", "before", "0-0", "name", "next", "data", "1"}})
				return nil
			})
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testenv.Redis(t)
			options, err := redis.ParseURL(url)
			require.NoError(t, err)
			operator := redis.NewClient(options)
			defer func() { _ = operator.Close() }()
			log := openEventLog(t, Options{URL: url})
			f := follow(t, log)
			f.requireNext(t, "restart")
			requireAppends(t, log, "a")
			f.requireNext(t, "a")
			harm(t, log, operator)
			f.requireNext(t, "restart")
			f.skipTo(t, "next")
		})
	}
}

// TestWhatDoesNotBelongInTheStream is passed over, and harms nobody for long.
func TestWhatDoesNotBelongInTheStream(t *testing.T) {
	t.Parallel()
	url := testenv.Redis(t)
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	operator := redis.NewClient(options)
	defer func() { _ = operator.Close() }()
	log := openEventLog(t, Options{URL: url})
	f := follow(t, log)
	f.requireNext(t, "restart")
	require.NoError(t, operator.XAdd(t.Context(), &redis.XAddArgs{Stream: eventStream, Values: []string{"hello", "world"}}).Err())
	f.skipTo(t, "restart")
	requireAppends(t, log, "a")
	f.skipTo(t, "a")
}

// TestAnEntryInThePlaceOfALostOne is another one.
func TestAnEntryInThePlaceOfALostOne(t *testing.T) {
	t.Parallel()
	url := testenv.Redis(t)
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	operator := redis.NewClient(options)
	defer func() { _ = operator.Close() }()
	add := func(token, name string) {
		require.NoError(t, operator.XAdd(t.Context(), &redis.XAddArgs{
			Stream: eventStream, ID: "5-1", Values: []string{"token", token, "before", "0-0", "name", name, "data", "1"},
		}).Err())
	}
	log := openEventLog(t, Options{URL: url})
	add("x", "a")
	f := follow(t, log)
	f.requireNext(t, "restart", "a")
	require.NoError(t, operator.Del(t.Context(), eventStream).Err())
	add("y", "b")
	requireAppends(t, log, "c")
	f.skipTo(t, "restart")
	f.requireNext(t, "b", "c")
}

func TestPositionsAreNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{{"9-0", "10-0", true}, {"10-0", "9-0", false}, {"1-9", "1-10", true}, {"1-1", "1-1", false}, {noEntry, "1-0.ff", true}, {"1-9.ff", "1-10.00", true}} {
		require.Equal(t, c.want, isBefore(c.a, c.b), fmt.Sprint(c))
	}
}

// TestEventsLostInAFailover: the master dies before any replica has heard of the
// entry, which a follower was told.
func TestEventsLostInAFailover(t *testing.T) {
	d := testenv.Sentinel(t)
	log := openEventLog(t, Options{SentinelMaster: d.MasterName(), SentinelAddrs: d.Addrs()})
	f := follow(t, log)
	f.requireNext(t, "restart")
	requireAppends(t, log, "a")
	f.requireNext(t, "a")
	require.NoError(t, d.Master(t).Client(t).Wait(t.Context(), 2, 5*time.Second).Err())
	d.Lag(t)
	requireAppends(t, log, "lost")
	f.requireNext(t, "lost")
	d.KillMaster(t)
	requireAppends(t, log, "b")
	f.requireNext(t, "restart", "a")
	f.skipTo(t, "b")
}
