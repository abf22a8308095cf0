package keepactivity

import (
	"context"
	"log/slog"
	"time"

	"gatefold/application/wait"
	"gatefold/domain/activity"
)

const (
	// trimEvery is how often entries are looked for that are too old.
	trimEvery = time.Hour
	// trimAtOnce bounds how many are removed in one transaction: others wait for it
	// on SQLite.
	trimAtOnce = 1000
	// trimPause lets others have their turn between two transactions.
	trimPause = 100 * time.Millisecond
)

// Trimmer forgets what was recorded long ago. Several instances may do so at once.
type Trimmer struct {
	activity activity.Log
	keep     time.Duration
	log      *slog.Logger
	pause    time.Duration
}

// NewTrimmer returns what removes entries that are older than keep; 0 keeps them for
// ever.
func NewTrimmer(activity activity.Log, keep time.Duration, log *slog.Logger) *Trimmer {
	return &Trimmer{activity, keep, log, trimPause}
}

// Run trims the log now and then until ctx ends. What goes wrong is logged, and tried
// again later.
func (t *Trimmer) Run(ctx context.Context) {
	if t.keep == 0 {
		return
	}
	for {
		removed, err := t.Trim(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			t.log.WarnContext(ctx, "The activity log was not trimmed", "error", err.Error())
		case removed > 0:
			t.log.InfoContext(ctx, "Trimmed activity log", "removed", removed, "keep", t.keep.String())
		}
		if wait.For(ctx, trimEvery) != nil {
			return
		}
	}
}

// Trim removes everything that is too old now, some at a time, and returns how much
// that was.
func (t *Trimmer) Trim(ctx context.Context) (removed int, err error) {
	for {
		n, err := t.activity.Trim(ctx, t.keep, trimAtOnce)
		removed += n
		if err != nil || n < trimAtOnce {
			return removed, err
		}
		if wait.For(ctx, t.pause) != nil {
			return removed, ctx.Err()
		}
	}
}
