package announce

import (
	"context"
	"log/slog"

	"gatefold/application/bulkapply"
	"gatefold/domain/artwork"
)

// BulkProgress tells the clients of every instance how jobs go on.
type BulkProgress struct {
	feed *Feed
	log  *slog.Logger
}

var _ bulkapply.Progress = (*BulkProgress)(nil)

// NewBulkProgress returns what publishes to the feed.
func NewBulkProgress(feed *Feed, log *slog.Logger) *BulkProgress { return &BulkProgress{feed, log} }

// bulkProgress is the data of the event.
type bulkProgress struct {
	JobID  artwork.ID `json:"jobId"`
	State  string     `json:"state"`
	Done   int        `json:"done"`
	Failed int        `json:"failed"`
	Total  int        `json:"total"`
}

// Progress implements bulkapply.Progress.
func (p *BulkProgress) Progress(ctx context.Context, status bulkapply.Status) {
	event, err := NewEvent("bulk:progress", bulkProgress{status.ID, string(status.State), status.Done, status.Failed, status.Total})
	if err != nil {
		p.log.ErrorContext(ctx, "The progress of a job is not announced", "job", status.ID.String(), "error", err.Error())
		return
	}
	p.feed.Publish(ctx, event)
}
