// Package warmcache fills the image cache before anybody asks, with what is
// likely to be asked for next: what was requested most, and what changed last.
package warmcache

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"gatefold/application/jobloop"
	"gatefold/application/keepactivity"
	"gatefold/application/tracing"
	"gatefold/application/wait"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/fleet"
)

const (
	// task names the claim on warming the cache that the instances share.
	task = "warm image cache"
	// claimTerm is when another instance may warm after this one has died.
	claimTerm = 30 * time.Second
	// restTime is how long an instance that starts trusts that the cache is
	// still warm: those of a fleet start one after another.
	restTime = 3 * time.Minute
	// releaseBudget bounds the last step, which may be left out.
	releaseBudget = 2 * time.Second
)

// A start tries again if the cache cannot be filled yet, because a Redis that is
// started with the fleet may be there later than it, and if another instance
// warms, because that one may die.
const (
	startAttempts = 10
	startPause    = 30 * time.Second
)

// Config says how much is warmed.
type Config struct {
	Keys     int    // at most; 0: nothing is ever warmed
	Rate     int    // keys a second, at most
	Instance string // names this instance to people who look at another one
}

// Summary is what warming did.
type Summary struct {
	Keys     int `json:"keys"`     // that were to be warmed
	Filled   int `json:"filled"`   // loaded from the database, and cached
	Empty    int `json:"empty"`    // of slots that are empty, which is cached too
	Present  int `json:"present"`  // that the cache held already
	Bypassed int `json:"bypassed"` // loaded, but not cached: changes were under way, or the cache is gone
	Failed   int `json:"failed"`   // not loaded
	// Took is the duration in nanoseconds.
	Took time.Duration `json:"took"`
}

func (s Summary) done() int { return s.Filled + s.Empty + s.Present + s.Bypassed + s.Failed }

// Warm warms the cache. At most one run at a time is under way in a fleet.
type Warm struct {
	cfg      Config
	settings Settings
	fetcher  Fetcher
	requests Requests
	changes  Changes
	claims   fleet.Claims
	acts     *keepactivity.Recorder
	log      *slog.Logger
	closed   context.Context
	close    context.CancelFunc
}

// New returns the use case on the ports.
func New(cfg Config, settings Settings, fetcher Fetcher, requests Requests, changes Changes, claims fleet.Claims,
	acts *keepactivity.Recorder, log *slog.Logger,
) *Warm {
	w := &Warm{cfg: cfg, settings: settings, fetcher: fetcher, requests: requests, changes: changes, claims: claims, acts: acts, log: log}
	w.closed, w.close = context.WithCancel(context.Background())
	return w
}

// Close ends what runs, whoever asked for it, and whatever is begun later: a stop
// does not wait for a warming.
func (w *Warm) Close() { w.close() }

// Run warms the cache now, and returns when it is warm. Every key is fetched as
// a request would fetch it, so that nothing older than what is in force can get
// into the cache.
//
// Conflict: another run is under way, on whichever instance, or there is nothing
// to warm because the cache or its warming is turned off. Unavailable: the
// database cannot be reached, or the cache keeps nothing. What was done until
// then is in the Summary, and stays, and is in the activity log.
func (w *Warm) Run(ctx context.Context, by artwork.Actor, observer Observer) (Summary, error) {
	switch {
	case w.settings.Mode() == artwork.CacheOff:
		return Summary{}, artwork.Errorf(artwork.Conflict, "the cache mode of the deployment is off: there is nothing to warm")
	case w.cfg.Keys == 0:
		return Summary{}, artwork.Errorf(artwork.Conflict, "warming is turned off (WARM_KEYS=0)")
	}
	claim, holder, err := w.claim(ctx, 0)
	if err != nil {
		return Summary{}, err
	}
	if claim.Holder == "" {
		return Summary{}, artwork.Errorf(artwork.Conflict, "the image cache is being warmed by %s", cmp.Or(holder, "another instance"))
	}
	summary, err := w.under(ctx, claim, observer)
	if err == nil || summary.done() > 0 {
		w.acts.Record(ctx, summary.entry(by, err == nil))
	}
	return summary, err
}

// entry is what the activity log says of a warming.
func (s Summary) entry(by artwork.Actor, complete bool) activity.Entry {
	return activity.Entry{Actor: by, Action: activity.CacheWarm, After: activity.FactsOf(map[string]any{
		"keys": s.Keys, "filled": s.Filled, "empty": s.Empty, "present": s.Present, "bypassed": s.Bypassed, "failed": s.Failed, "complete": complete,
	})}
}

// AtStart warms the cache of an instance that has started, unless another one
// does so or just has. It returns when the cache is warm, or ctx ends; what goes
// wrong is logged.
func (w *Warm) AtStart(ctx context.Context) {
	if w.settings.Mode() == artwork.CacheOff || w.cfg.Keys == 0 {
		return
	}
	for range startAttempts {
		if done := w.tryAtStart(ctx); done || wait.For(ctx, startPause) != nil {
			return
		}
	}
}

// tryAtStart reports whether another attempt makes no sense.
func (w *Warm) tryAtStart(ctx context.Context) (done bool) {
	rest := restTime
	if w.settings.Mode() == artwork.CacheMemory {
		rest = 0 // what a process had in its memory has gone with it
	}
	claim, holder, err := w.claim(ctx, rest)
	switch {
	case err != nil:
	case claim.Holder != "":
		_, err = w.under(ctx, claim, unobserved{})
	case holder != "": // and is to be replaced if it dies
		w.log.InfoContext(ctx, "Another instance warms the image cache", "instance", holder)
		return false
	default:
		w.log.InfoContext(ctx, "The image cache was warmed a short while ago")
		return true
	}
	if err == nil || ctx.Err() != nil || w.closed.Err() != nil {
		return true
	}
	w.log.WarnContext(ctx, "The image cache was not warmed", "error", err.Error())
	return artwork.KindOf(err) != artwork.Unavailable
}

type unobserved struct{}

func (unobserved) Progress(int, int) {}

// claim takes the claim on warming. A claim without a holder was not taken:
// instance is who warms, "" if nobody does because it was done less than rest ago.
func (w *Warm) claim(ctx context.Context, rest time.Duration) (claim fleet.Claim, instance string, err error) {
	claim = fleet.Claim{Task: task, Holder: w.cfg.Instance + "/" + artwork.NewID().String(), Term: claimTerm}
	taken, holder, err := w.claims.Claim(ctx, claim, rest)
	if taken || err != nil {
		return claim, "", err
	}
	instance, _, _ = strings.Cut(holder, "/")
	return fleet.Claim{}, instance, nil
}

// under warms under a claim, so that nobody else does meanwhile.
func (w *Warm) under(ctx context.Context, claim fleet.Claim, observer Observer) (summary Summary, err error) {
	ctx, end := tracing.Work(ctx, "cache.warm", "")
	defer func() { end(err) }()
	held, drop := w.hold(ctx, claim)
	summary, err = w.warm(held, observer)
	drop()
	if errors.Is(err, jobloop.ErrLost) {
		err = artwork.Errorf(artwork.Unavailable, "warming ended early: another instance may have begun to warm")
	}
	// Who starts next need not do again what was done whole. Where nothing was
	// known to warm, nothing was done.
	w.release(ctx, claim, err == nil && summary.Keys > 0)
	w.logEnd(ctx, summary, err)
	return summary, err
}

func (w *Warm) logEnd(ctx context.Context, s Summary, err error) {
	counts := []any{
		"done", s.done(), "keys", s.Keys, "filled", s.Filled, "empty", s.Empty, "present", s.Present,
		"bypassed", s.Bypassed, "failed", s.Failed, "took", s.Took.Round(time.Millisecond),
	}
	switch {
	case err != nil:
		w.log.InfoContext(ctx, "Warming of the image cache ended early", append(counts, "reason", err.Error())...)
	case s.Keys == 0:
		w.log.InfoContext(ctx, "Nothing is known yet to warm the image cache with")
	default:
		w.log.InfoContext(ctx, "Warmed image cache", counts...)
	}
}

func (w *Warm) release(ctx context.Context, claim fleet.Claim, finished bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseBudget)
	defer cancel()
	if err := w.claims.Release(ctx, claim, finished); err != nil {
		w.log.DebugContext(ctx, "The claim on warming is left to expire", "error", err.Error())
	}
}

// hold renews the claim until drop is called, which returns when that has ended.
// The context ends when the claim is lost, and with Close.
func (w *Warm) hold(ctx context.Context, claim fleet.Claim) (held context.Context, drop func()) {
	ctx, end := context.WithCancelCause(ctx)
	notClosed := context.AfterFunc(w.closed, func() { end(artwork.Errorf(artwork.Unavailable, "this instance is stopping")) })
	held, released := jobloop.Hold(ctx, claim.Term, func(ctx context.Context) (bool, error) { return true, w.claims.Renew(ctx, claim) })
	return held, func() {
		notClosed()
		released()
		end(nil)
	}
}

// warm fetches what is to be warmed.
func (w *Warm) warm(ctx context.Context, observer Observer) (Summary, error) {
	begin := time.Now()
	keys, err := w.keys(ctx)
	if err != nil {
		return Summary{}, orCause(ctx, err)
	}
	r := &run{Warm: w, observer: observer, logged: begin, summary: Summary{Keys: len(keys)}}
	if len(keys) == 0 {
		return r.summary, nil
	}
	w.log.InfoContext(ctx, "Warming image cache", "keys", len(keys), "rate", w.cfg.Rate)
	err = r.fetchAll(ctx, keys)
	r.summary.Took = time.Since(begin)
	return r.summary, err
}

// keys returns what is to be warmed: what was requested most and what changed
// last, in turns, so that neither crowds out the other.
func (w *Warm) keys(ctx context.Context) ([]artwork.Key, error) {
	requested, err := w.requests.MostRequested(ctx, w.cfg.Keys)
	if err != nil {
		return nil, err
	}
	places, err := w.changes.LastChanged(ctx, w.cfg.Keys)
	if err != nil {
		return nil, err
	}
	var changed []artwork.Key
	for _, place := range places {
		if len(changed) >= w.cfg.Keys {
			break
		}
		changed = append(changed, place.Keys()...)
	}
	return inTurns(w.cfg.Keys, requested, changed), nil
}

// inTurns takes from the lists in turns what is not taken yet, at most limit.
func inTurns(limit int, lists ...[]artwork.Key) []artwork.Key {
	var taken []artwork.Key
	known := map[artwork.Key]bool{}
	for more := true; more; {
		more = false
		for i, list := range lists {
			for len(list) > 0 && known[list[0]] {
				list = list[1:]
			}
			if len(list) > 0 && len(taken) < limit {
				known[list[0]], more = true, true
				taken = append(taken, list[0])
				list = list[1:]
			}
			lists[i] = list
		}
	}
	return taken
}

// orCause returns what ended ctx, if it has ended, else err.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && (err == nil || errors.Is(err, ctx.Err())) {
		return cause
	}
	return err
}
