package memory

import (
	"context"
	"strconv"
	"sync"
	"time"

	"gatefold/application/announce"
	"gatefold/domain/artwork"
)

// EventLog is the log of events of a deployment of one process. It ends with it.
type EventLog struct {
	name string // no other log has it

	mu       sync.Mutex
	entries  []announce.Entry
	appended int           // entries ever
	changed  chan struct{} // closed by the next append
}

var _ announce.Log = (*EventLog)(nil)

// NewEventLog returns an empty log.
func NewEventLog() *EventLog {
	return &EventLog{name: artwork.NewID().String(), changed: make(chan struct{})}
}

// Append implements announce.Log.
func (l *EventLog) Append(ctx context.Context, events []announce.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, event := range events {
		l.appended++
		l.entries = append(l.entries, announce.Entry{ID: l.name + "-" + strconv.Itoa(l.appended), At: time.Now(), Event: event})
	}
	if surplus := len(l.entries) - announce.LogEntries; surplus > 0 {
		clear(l.entries[:surplus]) // their data is not kept by the array
		l.entries = l.entries[surplus:]
	}
	close(l.changed)
	l.changed = make(chan struct{})
	return nil
}

// Follow implements announce.Log.
func (l *EventLog) Follow(ctx context.Context, follower announce.Follower) {
	latest, told, changed := l.after(0)
	follower.Restart(latest)
	for {
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		var entries []announce.Entry
		before := told
		if entries, told, changed = l.after(before); before+len(entries) < told {
			follower.Restart(entries)
		} else {
			follower.Append(entries)
		}
	}
}

// after returns what was appended after so many entries, as far as it is kept, and
// how many there are now.
func (l *EventLog) after(told int) (entries []announce.Entry, appended int, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(l.appended-told, len(l.entries))
	return append(entries, l.entries[len(l.entries)-n:]...), l.appended, l.changed
}
