package announce

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxBytes bounds the data of the entries that a feed keeps.
	maxBytes = 8 << 20
	// publishBudget bounds one attempt to append.
	publishBudget = time.Second
	// oweEvery is the time between two attempts to tell what could not be told.
	oweEvery = time.Second
	// catchUp is how long a client that knows more than this instance waits for it.
	catchUp = time.Second
)

// ErrClosed ends subscriptions when the instance stops.
var ErrClosed = errors.New("the instance is stopping")

// Feed keeps the latest entries of the log, and tells them to this instance's
// clients. All methods may be called concurrently.
//
// A client is a position among the entries: it takes no memory however slow it is.
// One whose position is not kept any more is told to reload.
type Feed struct {
	eventLog Log
	log      *slog.Logger

	// owed counts the events that could not be appended and that no reload has made
	// good yet.
	owed atomic.Int64

	mu      sync.Mutex
	begun   bool // Restart was called
	entries []Entry
	first   uint64            // number of entries[0]; numbers are never used twice
	numbers map[string]uint64 // of the entries, by ID
	bytes   int               // of their data
	floor   string            // ID of the last entry before those
	last    string            // ID of the last entry that has one, or floor
	changed chan struct{}     // closed when something of the above changes
	closed  bool
}

var _ Follower = (*Feed)(nil)

// NewFeed returns a feed of the log, which it follows while Run runs.
func NewFeed(eventLog Log, log *slog.Logger) *Feed {
	f := &Feed{eventLog: eventLog, log: log, changed: make(chan struct{})}
	f.empty()
	return f
}

// Run follows the log until ctx ends.
func (f *Feed) Run(ctx context.Context) {
	var following sync.WaitGroup
	following.Go(func() { f.eventLog.Follow(ctx, f) })
	defer following.Wait()
	ticker := time.NewTicker(oweEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f.makeGood(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// Close ends all subscriptions, also those to come.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.wake()
}

// Publish tells the events to the clients of every instance, those of this one at
// the latest after a second. It never fails: if the others cannot be reached, this
// instance's clients get the events all the same, and all clients are told to reload
// once the others can be. A client may get an event twice.
func (f *Feed) Publish(ctx context.Context, events ...Event) {
	if len(events) == 0 {
		return
	}
	// While the log is known to be out of reach nobody waits for it.
	if f.owed.Load() == 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishBudget)
		defer cancel()
		err := f.eventLog.Append(ctx, events)
		if err == nil {
			return
		}
		f.log.Warn("Events cannot be told to other instances; all clients will be told to reload", "error", err.Error())
	}
	f.owed.Add(int64(len(events)))
	local := make([]Entry, len(events))
	for i, event := range events {
		local[i] = Entry{At: time.Now(), Event: event}
	}
	f.Append(local)
}

// makeGood has all clients reload if events could not be told to them. What comes
// to be owed meanwhile stays owed.
func (f *Feed) makeGood(ctx context.Context) {
	owed := f.owed.Load()
	if owed == 0 {
		return
	}
	budget, cancel := context.WithTimeout(ctx, publishBudget)
	defer cancel()
	if err := f.eventLog.Append(budget, []Event{reload(reasonUnpublished)}); err != nil {
		return
	}
	if f.owed.CompareAndSwap(owed, 0) {
		f.log.Info("Other instances can be told of events again; all clients are told to reload", "events", owed)
	}
}

// Restart implements Follower. This instance's clients are told to reload; if it
// begins anew, those of the others too: entries that were lost may be missing
// anywhere, and who has not heard of them cannot notice.
func (f *Feed) Restart(latest []Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.begun {
		f.owed.Add(1)
	}
	f.begun = true
	f.empty()
	f.add(latest)
	f.wake()
}

// Append implements Follower.
func (f *Feed) Append(entries []Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(entries)
	f.wake()
}

// empty forgets all entries, and passes over a number: who is at the end is behind.
func (f *Feed) empty() {
	f.first = f.end() + 1
	f.entries, f.bytes, f.numbers = nil, 0, map[string]uint64{}
	// Only this feed knows this position, and only until the next Restart.
	f.floor = newMark()
	f.last = f.floor
}

func newMark() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return "start-" + hex.EncodeToString(b[:])
}

func (f *Feed) end() uint64 { return f.first + uint64(len(f.entries)) }

func (f *Feed) add(entries []Entry) {
	for _, entry := range entries {
		if entry.ID != "" {
			f.numbers[entry.ID] = f.end()
			f.last = entry.ID
		}
		f.entries = append(f.entries, entry)
		f.bytes += len(entry.Data)
	}
	for len(f.entries) > LogEntries || f.bytes > maxBytes {
		oldest := f.entries[0]
		delete(f.numbers, oldest.ID)
		if f.floor = oldest.ID; f.floor == "" {
			f.floor = newMark() // nobody is known to have got it
		}
		f.bytes -= len(oldest.Data)
		f.entries[0] = Entry{} // its data is not kept by the array
		f.entries = f.entries[1:]
		f.first++
	}
}

func (f *Feed) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// Subscribe returns a subscription to what comes after the entry with the ID, and
// whether nothing in between is missing. If something may be, the first that is told
// is to reload. Without an ID it begins now.
//
// An ID of which this instance has not heard yet, because another one was faster, is
// waited for, for a second.
func (f *Feed) Subscribe(ctx context.Context, lastID string) (s *Subscription, resumed bool) {
	timeout := time.NewTimer(catchUp)
	defer timeout.Stop()
	for {
		s, found, changed := f.find(lastID)
		if found || lastID == "" {
			return s, found
		}
		select {
		case <-changed:
		case <-timeout.C:
			return s, false
		case <-ctx.Done():
			return s, false
		}
	}
}

// find returns a subscription from the entry on, or from now on.
func (f *Feed) find(lastID string) (s *Subscription, found bool, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s = &Subscription{feed: f, next: f.end(), last: f.last}
	if lastID == "" {
		return s, false, nil
	}
	number, found := f.numbers[lastID]
	switch {
	case found:
		s.next, s.last = number+1, lastID
	case lastID == f.floor:
		found = true
		s.next, s.last = f.first, lastID
	default:
		s.lost = reasonUnknown
	}
	if f.closed {
		found = true // nothing more is to come
	}
	return s, found, f.changed
}

// after returns the entries from the number on, as far as they are kept, and the
// number to go on from; begun is false if the log was never reached.
func (f *Feed) after(number uint64) (entries []Entry, next uint64, begun bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	number = max(number, f.first)
	if number < f.end() {
		entries = append(entries, f.entries[number-f.first:]...)
	}
	return entries, f.end(), f.begun
}

// Subscription is what one client is told. Its methods are for one goroutine.
type Subscription struct {
	feed *Feed
	next uint64 // number of the next entry
	last string // ID of the last one that the client knows of
	lost string // why the client has to reload; empty: it need not
}

// Position returns the ID that names where the client is: who subscribes with it
// misses nothing that Next has not returned.
func (s *Subscription) Position() string { return s.last }

// Next returns the next entry as soon as there is one. It fails with ErrClosed, and
// with ctx's error.
func (s *Subscription) Next(ctx context.Context) (Entry, error) {
	for {
		entry, ok, changed, err := s.take()
		if ok || err != nil {
			return entry, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Entry{}, ctx.Err()
		}
	}
}

func (s *Subscription) take() (entry Entry, ok bool, changed <-chan struct{}, err error) {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return Entry{}, false, nil, ErrClosed
	}
	if s.lost == "" && s.next < f.first {
		s.lost = reasonBehind
	}
	switch {
	case s.lost != "":
		entry = Entry{ID: f.last, At: time.Now(), Event: reload(s.lost)}
		s.next, s.last, s.lost = f.end(), f.last, ""
	case s.next < f.end():
		entry = f.entries[s.next-f.first]
		s.next++
		if entry.ID != "" {
			s.last = entry.ID
		}
	default:
		return Entry{}, false, f.changed, nil
	}
	return entry, true, nil, nil
}
