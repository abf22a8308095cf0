package warmcache

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	// recordEvery is how often what was counted is recorded: an instance that
	// dies loses no more.
	recordEvery = time.Minute
	// recordBudget bounds each time.
	recordBudget = 10 * time.Second
	// lastBudget bounds the last time, which a stop waits for.
	lastBudget = 2 * time.Second
)

// Recorder adds what a tally has counted to the record that all instances share.
// What cannot be added is lost: nobody's request depends on it.
type Recorder struct {
	tally    *Tally
	requests Requests
	log      *slog.Logger
}

// NewRecorder returns a recorder that does nothing until Run.
func NewRecorder(tally *Tally, requests Requests, log *slog.Logger) *Recorder {
	return &Recorder{tally, requests, log}
}

// Run records now and then, until ctx ends, and then once more.
func (r *Recorder) Run(ctx context.Context) {
	// Instances that start at one moment do not write at one moment.
	next := time.NewTimer(rand.N(recordEvery)) //nolint:gosec // jitter, not a secret
	defer next.Stop()
	for {
		select {
		case <-next.C:
			r.record(ctx, recordBudget)
			next.Reset(recordEvery)
		case <-ctx.Done():
			r.record(context.WithoutCancel(ctx), lastBudget)
			return
		}
	}
}

func (r *Recorder) record(ctx context.Context, budget time.Duration) {
	counts := r.tally.Take()
	if len(counts) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	if err := r.requests.Add(ctx, counts); err != nil {
		r.log.DebugContext(ctx, "What was requested is not recorded", "keys", len(counts), "error", err.Error())
	}
}
