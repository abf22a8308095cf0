package announce

import (
	"context"
	"log/slog"
	"time"

	"gatefold/domain/artwork"
)

const (
	// roundEvery is how often an instance looks by itself. What it finds unannounced
	// in two rounds, nobody else is about to announce.
	roundEvery = 3 * time.Second
	// commitMargin is how long the time of a change lies before its commit at most, and
	// before the end of the round that finds it: as long as a fence holds, and more.
	commitMargin = 30 * time.Second
	// clockMargin is how far the clocks of instances and the database may differ.
	clockMargin = 5 * time.Minute
	// remembered is how long it is known at least what was announced.
	remembered = 15 * time.Minute
	// nudgesKept bounds the changes that wait for their announcement; the rounds find
	// those that were not kept.
	nudgesKept = 1000
	// batch is how many events are published together.
	batch = 100
	// mostAtOnce is how many changes are announced one by one.
	mostAtOnce = 2000
	// answerBudget bounds the announcement of changes that have just ended, also if
	// the instance stops.
	answerBudget = 3 * time.Second
)

// Announcer announces what the database says has changed.
type Announcer struct {
	feed    *Feed
	changes Changes
	images  artwork.ImageRepository
	names   Names
	log     *slog.Logger
	nudges  chan []artwork.Key

	// Of the goroutine that runs Run:
	announced history
	suspects  map[artwork.Place]int64 // unannounced in the round before
	read      uint64                  // the feed's entries were noted up to this number
	begun     bool                    // there was a round
	looked    time.Time               // when the last round began that found all
	since     time.Time               // when the one before it did, whose finds it has confirmed
}

// NewAnnouncer returns an announcer, which works while Run runs.
func NewAnnouncer(feed *Feed, changes Changes, images artwork.ImageRepository, names Names, log *slog.Logger) *Announcer {
	return &Announcer{
		feed: feed, changes: changes, images: images, names: names, log: log,
		nudges: make(chan []artwork.Key, nudgesKept), suspects: map[artwork.Place]int64{},
	}
}

// Observe returns the cache, with what is changed through it announced at once.
func (a *Announcer) Observe(cache artwork.ImageCache) artwork.ImageCache {
	return observed{cache, a}
}

type observed struct {
	artwork.ImageCache
	announcer *Announcer
}

// Change implements artwork.ImageCache. It never waits for an announcement.
func (o observed) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	err := o.ImageCache.Change(ctx, keys, commit)
	switch kind := artwork.KindOf(err); {
	case err == nil, kind == artwork.NotConfirmed, kind == artwork.OutcomeUnknown:
		select {
		case o.announcer.nudges <- keys:
		default: // a round finds it
		}
	}
	return err
}

// Run announces until ctx ends, and then what has changed until then.
func (a *Announcer) Run(ctx context.Context) {
	ticker := time.NewTicker(roundEvery)
	defer ticker.Stop()
	for {
		select {
		case keys := <-a.nudges:
			a.answer(ctx, keys)
		case <-ticker.C:
			a.round(ctx)
		case <-ctx.Done():
			select {
			case keys := <-a.nudges:
				a.answer(ctx, keys)
			default:
			}
			return
		}
	}
}

// answer announces what has changed in the places of the keys, and of all others for
// which a change has ended meanwhile.
func (a *Announcer) answer(ctx context.Context, keys []artwork.Key) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerBudget)
	defer cancel()
	wanted := map[artwork.Place]bool{}
	for more := true; more; {
		for _, key := range keys {
			wanted[key.Place()] = true
		}
		select {
		case keys = <-a.nudges:
		default:
			more = false
		}
	}
	a.noteAnnounced()
	missing, err := a.missing(ctx, commitMargin, func(place artwork.Place, _ int64) bool { return wanted[place] })
	if err == nil {
		err = a.announce(ctx, missing)
	}
	if err != nil {
		a.log.Warn("Changes cannot be announced yet", "error", err.Error())
	}
}

// round announces what has changed and nobody has announced: its writer died, or
// forgot to go through the cache, or could not reach the log.
func (a *Announcer) round(ctx context.Context) {
	begin := time.Now()
	latest, ready := a.noteAnnounced()
	if !ready {
		return // who knows what was announced
	}
	if a.since.IsZero() {
		a.since, a.looked = begin, begin
	}
	past, resumes := begin.Sub(a.since)+commitMargin, !a.begun && !latest.IsZero()
	if resumes {
		// All that has changed since the fleet announced last, also if it was down.
		past = max(0, begin.Sub(latest)) + commitMargin
	}
	suspects := map[artwork.Place]int64{}
	missing, err := a.missing(ctx, past, func(place artwork.Place, at int64) bool {
		suspects[place] = at
		return resumes || a.suspects[place] == at
	})
	if err == nil {
		err = a.announce(ctx, missing)
	}
	if err != nil {
		if ctx.Err() == nil {
			a.log.Debug("It is not known yet what has changed", "error", err.Error())
		}
		return
	}
	if n := len(missing); n > 0 {
		a.log.Info("Announced changes that their writers left unannounced", "slots", n)
	}
	a.begun, a.since, a.looked, a.suspects = true, a.looked, begin, suspects
	a.announced.age(begin)
}

// missing returns the places, changed in the time just past, that were modified after
// they were announced last, as far as they are wanted.
func (a *Announcer) missing(ctx context.Context, past time.Duration, wanted func(place artwork.Place, at int64) bool) ([]modification, error) {
	var missing []modification
	// What has changed may be but a lock.
	since := time.Now().Add(-past - clockMargin)
	err := a.changes.ModifiedWithin(ctx, past, func(place artwork.Place, at time.Time) error {
		if at.Before(since) || a.announced.has(place, at) || !wanted(place, at.Unix()) {
			return nil
		}
		missing = append(missing, modification{place: place, at: at})
		return nil
	})
	return missing, err
}

// announce publishes the modifications, with what is in force now; of very many only
// that there are. After an error the rounds find those that were not published.
func (a *Announcer) announce(ctx context.Context, modifications []modification) error {
	if len(modifications) > mostAtOnce {
		for _, m := range modifications {
			a.announced.note(m.place, m.at)
		}
		a.feed.Publish(ctx, reload(reasonMany))
		return nil
	}
	events := make([]Event, 0, min(len(modifications), batch))
	for i, m := range modifications {
		found, err := a.look(ctx, m)
		if err != nil {
			a.feed.Publish(ctx, events...)
			return err
		}
		events = append(events, found...)
		if len(events) == batch || i == len(modifications)-1 {
			a.feed.Publish(ctx, events...)
			events = events[:0]
		}
	}
	return nil
}

// look returns the event that says what the place shows now, which may be later than
// the modification, and notes that it is announced. A subject that was deleted is told
// once, of all its places; of one that is forgotten there is nothing to tell.
func (a *Announcer) look(ctx context.Context, m modification) ([]Event, error) {
	image, err := a.images.InForce(ctx, m.place)
	if artwork.KindOf(err) == artwork.NotFound {
		return a.farewell(ctx, m)
	}
	if err != nil {
		return nil, err
	}
	if image != nil {
		m.tag = &image.Tag
		if image.LastModified.After(m.at) {
			m.at = image.LastModified
		}
	}
	event, err := a.names.describe(ctx, m)
	switch {
	case artwork.KindOf(err) == artwork.NotFound:
		return a.farewell(ctx, m)
	case err != nil:
		return nil, err
	}
	a.announced.note(m.place, m.at)
	return []Event{event}, nil
}

func (a *Announcer) farewell(ctx context.Context, m modification) ([]Event, error) {
	if a.announced.has(m.place, m.at) {
		return nil, nil // of another of its places
	}
	var told []Event
	event, err := a.names.farewell(ctx, m.place.Subject, m.at)
	switch {
	case err == nil:
		told = append(told, event)
	case artwork.KindOf(err) != artwork.NotFound:
		return nil, err
	}
	for _, slot := range m.place.Subject.Kind.Slots() {
		a.announced.note(artwork.Place{Subject: m.place.Subject, Slot: slot}, m.at)
	}
	return told, nil
}

// noteAnnounced notes what any instance has announced, and returns when the latest
// was. ready is false if the log was never reached.
func (a *Announcer) noteAnnounced() (latest time.Time, ready bool) {
	entries, next, ready := a.feed.after(a.read)
	a.read = next
	for _, entry := range entries {
		for _, m := range modificationsOf(entry.Event) {
			a.announced.note(m.place, m.at)
		}
		latest = entry.At
	}
	return latest, ready
}

// history knows when the slot was modified that was announced last. It forgets what
// was noted longer ago than twice what is remembered.
type history struct {
	recent, older map[artwork.Place]int64 // Unix times: modifications are seconds apart
	began         time.Time               // when recent did
}

func (h *history) note(place artwork.Place, at time.Time) {
	if h.recent == nil {
		h.recent = map[artwork.Place]int64{}
	}
	h.recent[place] = max(at.Unix(), h.recent[place])
}

// has reports whether this modification of the place was announced, or a later one.
func (h *history) has(place artwork.Place, at time.Time) bool {
	if known, ok := h.recent[place]; ok && known >= at.Unix() {
		return true
	}
	known, ok := h.older[place]
	return ok && known >= at.Unix()
}

func (h *history) age(now time.Time) {
	if h.began.IsZero() {
		h.began = now
	}
	if now.Sub(h.began) >= remembered {
		h.recent, h.older, h.began = nil, h.recent, now
	}
}
