package limitrequests

import (
	"context"
	"hash/maphash"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"
)

// How much is remembered: what is forgotten costs a question to the meter, or counts
// as a credential that was not seen before.
const (
	rememberedRefusals = 20_000
	rememberedCallers  = 20_000
)

// Verdict is what a limit says to a request.
type Verdict struct {
	Class Class
	Limit int           // 0: there is none, and the request goes on
	Left  int           // requests that are left now
	Wait  time.Duration // 0: the request goes on; else it may be repeated after that long
}

// Refused reports whether the request may not go on.
func (v Verdict) Refused() bool { return v.Wait > 0 }

// Limiter says which requests go on. It never fails: without the meter that instances
// share, this one keeps to the limits alone. It is safe for concurrent use.
type Limiter struct {
	limits        Limits
	shared, local Meter
	log           *slog.Logger
	now           func() time.Time

	alone     atomic.Bool // the shared meter could not be asked the last time
	refused   *memo[string, time.Time]
	suspects  *memo[string, time.Time] // clients that tried too many credentials
	suspected atomic.Int64             // until when any client may be one; Unix nanoseconds
	seed      maphash.Seed             // of the hashes under which credentials are remembered
	guessed   *memo[string, struct{}]  // credentials that were wrong, by client
	vouched   *memo[uint64, struct{}]  // credentials that were good
}

// New returns a limiter. shared is the meter of all instances, or nil if there is
// none; local is that of this process.
func New(limits Limits, shared, local Meter, log *slog.Logger) *Limiter {
	return &Limiter{
		limits: limits, shared: shared, local: local, log: log, now: time.Now,
		refused: newMemo[string, time.Time](rememberedRefusals), suspects: newMemo[string, time.Time](rememberedRefusals),
		seed: maphash.MakeSeed(), guessed: newMemo[string, struct{}](rememberedCallers), vouched: newMemo[uint64, struct{}](rememberedCallers),
	}
}

// Admit counts a request of the class. Classes do not share what they have, except
// that an API token has one limit for all of them.
func (l *Limiter) Admit(ctx context.Context, class Class, who Subject) Verdict {
	limit := l.limits.of(class)
	if who.isToken && class != Exempt {
		class, limit = Requests, l.limits.Tokens
	}
	if limit == 0 {
		return Verdict{}
	}
	left, wait := l.take(ctx, string(class)+":"+who.key, limit)
	return Verdict{Class: class, Limit: limit, Left: left, Wait: wait}
}

// take asks the shared meter, and the local one if it cannot be asked. The local one
// is kept in step, so that a limit does not begin anew when Redis is lost. What was
// refused a moment ago is refused without asking: a flood ends here.
func (l *Limiter) take(ctx context.Context, key string, limit int) (left int, wait time.Duration) {
	if until, ok := l.refused.get(key); ok {
		if wait := until.Sub(l.now()); wait > 0 {
			return 0, wait
		}
	}
	left, wait, err := l.ask(ctx, key, limit)
	if err != nil { // the local meter has no reason to fail
		return 0, 0
	}
	if wait > 0 {
		l.refused.put(key, l.now().Add(wait))
	}
	return left, wait
}

func (l *Limiter) ask(ctx context.Context, key string, limit int) (left int, wait time.Duration, err error) {
	if l.shared == nil {
		return l.local.Take(ctx, key, limit)
	}
	left, wait, err = l.shared.Take(ctx, key, limit)
	if err != nil {
		l.goAlone(ctx, err)
		return l.local.Take(ctx, key, limit)
	}
	l.goTogether(ctx)
	if wait == 0 {
		_, _, _ = l.local.Take(ctx, key, limit)
	}
	return left, wait, nil
}

// goAlone and goTogether tell the log once of each change. A caller who has gone says
// nothing about the meter.
func (l *Limiter) goAlone(ctx context.Context, err error) {
	if ctx.Err() == nil && !l.alone.Swap(true) {
		l.log.WarnContext(ctx, "Instances cannot count requests together; each keeps to the limits alone", "error", err.Error())
	}
}

func (l *Limiter) goTogether(ctx context.Context) {
	if l.alone.Load() && l.alone.Swap(false) {
		l.log.InfoContext(ctx, "Instances count requests together again")
	}
}

// Failed counts a request that was not accepted for want of a good credential as one of
// the client's. Who has tried as many different credentials in a minute as a client has
// requests is suspected until they count no more.
func (l *Limiter) Failed(ctx context.Context, client Subject, credential string) Verdict {
	if l.limits.Requests > 0 && credential != "" {
		l.countGuess(ctx, client, credential)
	}
	return l.Admit(ctx, Requests, client)
}

// countGuess counts a credential that was wrong once: who has an old one tells it again
// and again, and guesses nothing.
func (l *Limiter) countGuess(ctx context.Context, client Subject, credential string) {
	guess := client.key + " " + strconv.FormatUint(maphash.String(l.seed, credential), 36)
	if _, known := l.guessed.get(guess); known {
		return
	}
	l.guessed.put(guess, struct{}{})
	if _, wait := l.take(ctx, "guesses:"+client.key, l.limits.Requests); wait > 0 {
		until := l.now().Add(wait)
		l.suspects.put(client.key, until)
		l.suspected.Store(until.UnixNano())
	}
}

// Suspect refuses a credential without a look at it, if the client is suspected: who
// went on to try them would be told by the answer which one is right. A credential
// that this instance has found to be good before goes on: others at the client's
// address are not locked out.
func (l *Limiter) Suspect(client Subject, credential string) Verdict {
	until, ok := l.suspects.get(client.key)
	if !ok {
		return Verdict{}
	}
	wait := until.Sub(l.now())
	if _, good := l.vouched.get(maphash.String(l.seed, credential)); good || wait <= 0 {
		return Verdict{}
	}
	return Verdict{Class: Requests, Limit: l.limits.Requests, Wait: wait}
}

// AnySuspect reports whether any client may be suspected now. It costs next to nothing.
func (l *Limiter) AnySuspect() bool {
	until := l.suspected.Load()
	return until != 0 && l.now().UnixNano() < until
}

// Vouch remembers that a credential is a good one.
func (l *Limiter) Vouch(credential string) {
	hash := maphash.String(l.seed, credential)
	if _, known := l.vouched.get(hash); !known {
		l.vouched.put(hash, struct{}{})
	}
}
