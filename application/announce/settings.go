package announce

import (
	"context"
	"log/slog"

	"gatefold/application/providersettings"
)

// SettingsUpdated is the name of the event that says that a provider was set up
// differently.
const SettingsUpdated = "settings:updated"

// SettingsChanges tells the clients of every instance what admins have set.
type SettingsChanges struct {
	feed *Feed
	log  *slog.Logger
}

var _ providersettings.Announcer = (*SettingsChanges)(nil)

// NewSettingsChanges returns what publishes to the feed.
func NewSettingsChanges(feed *Feed, log *slog.Logger) *SettingsChanges {
	return &SettingsChanges{feed, log}
}

// ProviderChanged implements providersettings.Announcer. What was set is not told: that
// is for admins, and every reader hears of events.
func (s *SettingsChanges) ProviderChanged(ctx context.Context, provider string, revision int64) {
	event, err := NewEvent(SettingsUpdated, struct {
		Provider string `json:"provider"`
		Revision int64  `json:"revision"`
	}{provider, revision})
	if err != nil { // the ID of a provider is short, and text
		s.log.ErrorContext(ctx, "A change of the settings cannot be announced", "error", err.Error())
		return
	}
	s.feed.Publish(ctx, event)
}
