package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/announce"
	"gatefold/domain/artwork"
)

// EventLogs are the same log as several instances see it; at least two. Others may
// have appended to it before.
type EventLogs []announce.Log

// RunEventLog runs the suite of announce.Log.
func RunEventLog(t *testing.T, open func(TB) EventLogs) {
	t.Helper()
	run(t, EventLogCases(), open)
}

// EventLogCases are the clauses of the contract of announce.Log and of what it tells
// an announce.Follower.
func EventLogCases() []Case[EventLogs] {
	return []Case[EventLogs]{
		{"every follower is told what anyone appends", everyFollowerIsTold},
		{"followers are told the same entries in the same order", sameOrder},
		{"events come back as they were, with a time", eventsComeBack},
		{"a new follower begins with what was appended before", beginsWithTheLatest},
		{"IDs name one entry each, and can be sent in a header", idsAreUnique},
		{"8 writers at once lose nothing and repeat nothing", racingAppends},
		{"the latest are kept, and no more than so many", latestAreKept},
		{"following ends with its context", followingEnds},
		{"nothing is appended when the context has ended", appendCancelled},
	}
}

// listener is a follower that remembers what it was told of some events.
type listener struct {
	name string // of the events

	mu       sync.Mutex
	began    bool
	restarts int // after the first
	entries  []announce.Entry
	changed  chan struct{}
}

func (l *listener) Restart(latest []announce.Entry) {
	l.mu.Lock()
	if l.began {
		l.restarts++
	}
	l.began, l.entries = true, nil
	l.mu.Unlock()
	l.Append(latest)
}

func (l *listener) Append(entries []announce.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, entry := range entries {
		if entry.Name == l.name {
			l.entries = append(l.entries, entry)
		}
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// await returns the entries once there are so many, and not more.
func (l *listener) await(t TB, n int) []announce.Entry {
	t.Helper()
	entries := l.atLeast(t, n)
	require.Len(t, entries, n)
	return entries
}

// atLeast waits until it was begun and so many entries were told, and returns all.
func (l *listener) atLeast(t TB, n int) []announce.Entry {
	t.Helper()
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		began, entries, changed := l.began, slices.Clone(l.entries), l.changed
		l.mu.Unlock()
		if began && len(entries) >= n {
			return entries
		}
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(t, fmt.Sprintf("%d entries of %d", len(entries), n))
		}
	}
}

// listen follows the log until the case ends.
func listen(t TB, log announce.Log, name string) *listener {
	t.Helper()
	l := &listener{name: name, changed: make(chan struct{})}
	following, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		log.Follow(following, l)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	l.atLeast(t, 0)
	return l
}

// ownName returns a name of events that no other case has.
func ownName() string { return "case:" + artwork.NewID().String() }

func eventsOf(name string, from, to int) []announce.Event {
	var events []announce.Event
	for n := from; n < to; n++ {
		events = append(events, announce.Event{Name: name, Data: json.RawMessage(fmt.Sprint(n))})
	}
	return events
}

func appendTo(t TB, log announce.Log, events ...announce.Event) {
	t.Helper()
	require.NoError(t, log.Append(t.Context(), events))
}

func dataOf(entries []announce.Entry) []string {
	data := make([]string, len(entries))
	for i, entry := range entries {
		data[i] = string(entry.Data)
	}
	return data
}

func everyFollowerIsTold(t TB, open func(TB) EventLogs) {
	logs, name := open(t), ownName()
	var listeners []*listener
	for _, log := range logs {
		listeners = append(listeners, listen(t, log, name))
	}
	for n, log := range logs {
		appendTo(t, log, eventsOf(name, n, n+1)...)
		for _, l := range listeners {
			l.await(t, n+1)
		}
	}
	appendTo(t, logs[0])
	appendTo(t, logs[0], eventsOf(name, len(logs), len(logs)+3)...)
	for _, l := range listeners {
		entries := l.await(t, len(logs)+3)
		require.Equal(t, fmt.Sprint(len(logs)+2), string(entries[len(entries)-1].Data))
		require.Zero(t, l.restarts)
	}
}

func sameOrder(t TB, open func(TB) EventLogs) {
	logs, name := open(t), ownName()
	first, second := listen(t, logs[0], name), listen(t, logs[1], name)
	var writing sync.WaitGroup
	for n, log := range logs {
		writing.Go(func() {
			for i := range 20 {
				_ = log.Append(t.Context(), eventsOf(name, n*100+i, n*100+i+1))
			}
		})
	}
	writing.Wait()
	entries := first.await(t, 20*len(logs))
	require.Equal(t, entries, second.await(t, 20*len(logs)))
	require.Equal(t, entries, listen(t, logs[0], name).await(t, 20*len(logs)), "also for who comes later")
}

func eventsComeBack(t TB, open func(TB) EventLogs) {
	logs, name := open(t), ownName()
	l := listen(t, logs[1], name)
	var events []announce.Event
	for _, data := range []any{nil, "Ünal “Ü” 👩‍👩‍👧‍👦\n\x00", map[string]any{"tag": nil, "n": 1.5}, make([]int, 1000)} {
		event, err := announce.NewEvent(name, data)
		require.NoError(t, err)
		events = append(events, event)
	}
	appendTo(t, logs[0], events...)
	for i, entry := range l.await(t, len(events)) {
		require.Equal(t, events[i], entry.Event)
		require.WithinDuration(t, time.Now(), entry.At, time.Minute)
	}
}

func beginsWithTheLatest(t TB, open func(TB) EventLogs) {
	logs, name := open(t), ownName()
	appendTo(t, logs[0], eventsOf(name, 0, 3)...)
	l := listen(t, logs[1], name)
	require.Equal(t, []string{"0", "1", "2"}, dataOf(l.await(t, 3)))
	appendTo(t, logs[0], eventsOf(name, 3, 5)...)
	require.Equal(t, []string{"0", "1", "2", "3", "4"}, dataOf(l.await(t, 5)))
	require.Zero(t, l.restarts)
}

func idsAreUnique(t TB, open func(TB) EventLogs) {
	name, seen := ownName(), map[string]bool{}
	for range 2 {
		logs := open(t)
		l := listen(t, logs[1], name)
		before := len(l.atLeast(t, 0))
		appendTo(t, logs[0], append(eventsOf(name, 0, 10), eventsOf(name, 0, 10)...)...)
		for _, entry := range l.await(t, before+20)[before:] {
			require.Regexp(t, `^[!-~]{1,100}$`, entry.ID)
			require.False(t, seen[entry.ID], entry.ID)
			seen[entry.ID] = true
		}
	}
}

func racingAppends(t TB, open func(TB) EventLogs) {
	logs, name := open(t), ownName()
	l := listen(t, logs[0], name)
	var writing sync.WaitGroup
	var want []string
	for n := range 8 {
		for _, event := range eventsOf(name, n*100, n*100+50) {
			want = append(want, string(event.Data))
		}
		writing.Go(func() {
			for i := 0; i < 50; i += 5 {
				_ = logs[n%len(logs)].Append(t.Context(), eventsOf(name, n*100+i, n*100+i+5))
			}
		})
	}
	writing.Wait()
	require.ElementsMatch(t, want, dataOf(l.await(t, len(want))))
}

func latestAreKept(t TB, open func(TB) EventLogs) {
	logs, name := open(t), ownName()
	const all, step = announce.LogEntries + 2000, 500
	for n := 0; n < all; n += step {
		appendTo(t, logs[0], eventsOf(name, n, n+step)...)
	}
	entries := listen(t, logs[1], name).atLeast(t, 0)
	require.LessOrEqual(t, len(entries), announce.LogEntries)
	require.Greater(t, len(entries), announce.LogEntries*9/10)
	require.Equal(t, fmt.Sprint(all-1), string(entries[len(entries)-1].Data))
	require.Equal(t, fmt.Sprint(all-len(entries)), string(entries[0].Data))
}

func followingEnds(t TB, open func(TB) EventLogs) {
	log := open(t)[0]
	following, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	l := &listener{name: ownName(), changed: make(chan struct{})}
	go func() {
		defer close(ended)
		log.Follow(following, l)
	}()
	l.atLeast(t, 0)
	begin := time.Now()
	stop()
	select {
	case <-ended:
	case <-time.After(patience):
		require.FailNow(t, "it goes on")
	}
	require.Less(t, time.Since(begin), patience/5, "a stop does not wait for entries")
}

func appendCancelled(t TB, open func(TB) EventLogs) {
	logs, name := open(t), ownName()
	l := listen(t, logs[0], name)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, logs[0].Append(ended, eventsOf(name, 0, 1)), context.Canceled)
	appendTo(t, logs[0], eventsOf(name, 1, 2)...)
	require.Equal(t, []string{"1"}, dataOf(l.await(t, 1)))
}
