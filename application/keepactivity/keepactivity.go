// Package keepactivity records what operators do that is no change of the database,
// and forgets what was recorded long ago.
package keepactivity

import (
	"context"
	"log/slog"
	"time"

	"gatefold/domain/activity"
)

// recordBudget bounds how long an act waits until it is recorded.
const recordBudget = 5 * time.Second

// Recorder records acts that were done. All methods may be called concurrently.
type Recorder struct {
	activity activity.Log
	log      *slog.Logger
}

// NewRecorder returns a recorder that writes to the activity log.
func NewRecorder(activity activity.Log, log *slog.Logger) *Recorder { return &Recorder{activity, log} }

// Record records what was done, also when the caller has gone meanwhile. It cannot be
// undone, so that it does not fail because it cannot be recorded either: then the
// entry is in the program's log, as an error.
func (r *Recorder) Record(ctx context.Context, entry activity.Entry) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordBudget)
	defer cancel()
	if err := r.activity.Record(bounded, entry); err != nil {
		r.log.ErrorContext(ctx, "This is missing in the activity log", "action", string(entry.Action), "actor", entry.Actor.Name,
			"address", entry.Actor.Address, "requestId", entry.Actor.RequestID,
			"subject", string(entry.Subject.Kind)+" "+entry.Subject.ID.String(), "before", string(entry.Before), "after", string(entry.After),
			"error", err.Error())
	}
}
