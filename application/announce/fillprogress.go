package announce

import (
	"context"
	"log/slog"

	"gatefold/application/fillmissing"
	"gatefold/domain/artwork"
)

// FillProgress tells the clients of every instance how jobs that fill empty slots go
// on.
type FillProgress struct {
	feed *Feed
	log  *slog.Logger
}

var _ fillmissing.Progress = (*FillProgress)(nil)

// NewFillProgress returns what publishes to the feed.
func NewFillProgress(feed *Feed, log *slog.Logger) *FillProgress { return &FillProgress{feed, log} }

// fillProgress is the data of the event.
type fillProgress struct {
	JobID  artwork.ID         `json:"jobId"`
	Type   artwork.Slot       `json:"type"`
	DryRun bool               `json:"dryRun"`
	State  fillmissing.State  `json:"state"`
	Reason string             `json:"reason,omitempty"`
	Counts fillmissing.Counts `json:"counts"`
}

// Progress implements fillmissing.Progress.
func (p *FillProgress) Progress(ctx context.Context, s fillmissing.Status) {
	event, err := NewEvent("fill:progress", fillProgress{s.ID, s.Slot, s.DryRun, s.State, s.Reason, s.Counts})
	if err != nil {
		p.log.ErrorContext(ctx, "The progress of a job is not announced", "job", s.ID.String(), "error", err.Error())
		return
	}
	p.feed.Publish(ctx, event)
}
